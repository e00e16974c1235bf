"""Taking a model in: every file counts, nothing outside is read, and what changes meanwhile is refused."""

import hashlib
import json
import os
import socket
import threading

import pytest

from assaymark.core.errors import InputError, UnavailableError, UsageError
from assaymark.core.subject import compare_manifests
from assaymark.store import intake as module
from assaymark.store.blobs import Blobs
from assaymark.store.intake import BUFFER_BYTES, take_manifest


def _write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


MODEL = {"config.json": b"{}", "model.safetensors": b"weights", ".hidden/x": b"", "sub/a": b"1", "sub.b": b"2"}


def _digest(kind, files, configurations=None):
    """The subject digest by the text of docs/spec/manifest.md, sharing nothing with the product."""

    def entries(items):
        return [
            {"path": name, "sha256": hashlib.sha256(items[name]).hexdigest(), "size": len(items[name])}
            for name in sorted(items, key=str.encode)
        ]

    document = {"files": entries(files), "format": "assaymark:manifest/v1", "kind": kind}
    if configurations:
        document["configurations"] = entries(configurations)
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def test_a_folder_is_every_file_by_name_size_and_content(tmp_path):
    folder = _write(tmp_path / "model", MODEL)
    (folder / "empty").mkdir()
    taken = take_manifest(folder)
    assert taken.manifest.digest == _digest("folder", MODEL)
    assert {entry.path: path.read_bytes() for entry, path in taken.files} == MODEL
    assert tuple(entry for entry, _ in taken.files) == taken.manifest.files


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_the_digest_does_not_depend_on_threads(tmp_path, workers):
    files = {f"part-{i}": bytes([i]) * (i * 1000) for i in range(20)}
    assert take_manifest(_write(tmp_path, files), workers=workers).manifest.digest == _digest("folder", files)


def test_files_larger_than_the_buffer(tmp_path):
    files = {"large": os.urandom(BUFFER_BYTES * 2 + 17), "exact": bytes(BUFFER_BYTES)}
    assert take_manifest(_write(tmp_path, files)).manifest.digest == _digest("folder", files)


@pytest.mark.parametrize(
    "change",
    [
        {"model.safetensors": b"Weights"},
        {"renamed.safetensors": b"weights", "model.safetensors": None},
        {".git/hooks": b"x"},
        {".hidden/x": None},
        {"sub/a": b"", "sub.b": b"12"},
    ],
)
def test_any_change_is_another_subject_and_is_named(tmp_path, change):
    before = take_manifest(_write(tmp_path / "one", MODEL)).manifest
    changed = {name: content for name, content in {**MODEL, **change}.items() if content is not None}
    after = take_manifest(_write(tmp_path / "two", changed)).manifest
    assert before.digest != after.digest
    assert {item.path for item in compare_manifests(before, after)} <= set(change)


def test_a_file_is_its_name_and_content(tmp_path):
    _write(tmp_path, {"model.pkl": b"pickle"})
    taken = take_manifest(tmp_path / "model.pkl")
    assert taken.manifest.digest == _digest("file", {"model.pkl": b"pickle"})
    assert taken.files[0][1].read_bytes() == b"pickle"


def test_one_number_in_a_configuration_is_another_release(tmp_path):
    folder = _write(tmp_path / "model", MODEL)
    threshold = _write(tmp_path, {"threshold.json": b'{"t":"0.5"}'}) / "threshold.json"
    taken = take_manifest(folder, configurations=[threshold])
    assert taken.manifest.digest == _digest("folder", MODEL, {"threshold.json": b'{"t":"0.5"}'})
    assert taken.configurations[0][1].read_bytes() == b'{"t":"0.5"}'
    threshold.write_bytes(b'{"t":"0.6"}')
    assert take_manifest(folder, configurations=[threshold]).manifest.digest != taken.manifest.digest
    assert take_manifest(folder).manifest.digest == _digest("folder", MODEL)


def test_configurations_are_files_with_names_of_their_own(tmp_path):
    folder = _write(tmp_path / "model", MODEL)
    _write(tmp_path, {"a/norm.json": b"1", "b/norm.json": b"2"})
    for configurations, code in [
        ([tmp_path / "a/norm.json", tmp_path / "b/norm.json"], "configuration-name"),
        ([tmp_path / "a"], "path-kind"),
        ([tmp_path / "none"], "path-missing"),
    ]:
        with pytest.raises(UsageError) as caught:
            take_manifest(folder, configurations=configurations)
        assert caught.value.code == code


def test_missing_empty_and_impossible_paths(tmp_path):
    (tmp_path / "empty/sub").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    for path, code in [
        (tmp_path / "none", "path-missing"),
        (tmp_path / "file/below", "path-missing"),
        (tmp_path / ("x" * 300), "path-missing"),
        (tmp_path / "nul\0l", "path-missing"),
        (tmp_path / "empty", "manifest-empty"),
    ]:
        with pytest.raises((UsageError, InputError)) as caught:
            take_manifest(path)
        assert caught.value.code == code


def test_an_unreadable_file_or_folder_says_so(tmp_path, monkeypatch):
    folder = _write(tmp_path / "model", MODEL)
    real = os.open

    def deny(path, *arguments, **keywords):
        if str(path).endswith("sub/a"):
            raise PermissionError(13, "Permission denied")
        if str(path).endswith("config.json"):
            raise OSError(5, "Input/output error")
        return real(path, *arguments, **keywords)

    monkeypatch.setattr(module.os, "open", deny)
    with pytest.raises(UnavailableError) as caught:
        take_manifest(folder, workers=1)
    assert caught.value.code == "path-io"
    (folder / "config.json").unlink()
    with pytest.raises(UsageError) as caught:
        take_manifest(folder)
    assert caught.value.code == "path-unreadable"
    assert caught.value.source.endswith("sub/a")


# Links


def test_links_within_the_folder_are_files_and_folders_at_their_own_path(tmp_path):
    folder = _write(tmp_path / "model", {"real/a": b"1", "real/b": b"2"})
    (folder / "link").symlink_to("real/a")
    (folder / "absolute").symlink_to(folder / "real/b")
    (folder / "chain").symlink_to("link")
    (folder / "mirror").symlink_to("real", target_is_directory=True)
    expected = {
        "real/a": b"1",
        "real/b": b"2",
        "link": b"1",
        "absolute": b"2",
        "chain": b"1",
        "mirror/a": b"1",
        "mirror/b": b"2",
    }
    taken = take_manifest(folder)
    assert taken.manifest.digest == _digest("folder", expected)
    assert all(not path.is_symlink() for _, path in taken.files)


def test_the_folder_itself_may_be_named_by_a_link(tmp_path):
    folder = _write(tmp_path / "v1", MODEL)
    (tmp_path / "current").symlink_to("v1")
    assert take_manifest(tmp_path / "current").manifest == take_manifest(folder).manifest


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("../outside", "link-leaves"),
        ("../outside-folder", "link-leaves"),
        ("../model-2/x", "link-leaves"),
        ("/etc/passwd", "link-leaves"),
        ("/dev/zero", "link-leaves"),
        ("/proc/self/mem", "link-leaves"),
        ("nowhere", "link-broken"),
        ("loop", "link-cycle"),
        (".", "link-cycle"),
        ("..", "link-leaves"),
        ("sub/..", "link-cycle"),
    ],
)
def test_a_link_that_leaves_breaks_or_turns_in_a_circle(tmp_path, target, code):
    folder = _write(tmp_path / "model", MODEL)
    _write(tmp_path, {"outside": b"x", "outside-folder/x": b"x", "model-2/x": b"x"})
    (folder / "loop").symlink_to(target)
    with pytest.raises(InputError) as caught:
        take_manifest(folder)
    assert caught.value.code == code
    assert caught.value.source == str(folder / "loop")


def test_a_link_below_that_leads_to_a_folder_above_it_is_a_circle(tmp_path):
    folder = _write(tmp_path / "model", {"a/b/c": b"1"})
    (folder / "a/b/up").symlink_to("../../a")
    with pytest.raises(InputError) as caught:
        take_manifest(folder)
    assert caught.value.code == "link-cycle"


def _cache(tmp_path):
    model = tmp_path / "hub/models--org--name"
    _write(model, {"blobs/aaa": b"weights", "blobs/bbb": b"{}", "refs/main": b"rev"})
    snapshot = model / "snapshots/rev"
    (snapshot / "sub").mkdir(parents=True)
    (snapshot / "model.safetensors").symlink_to("../../blobs/aaa")
    (snapshot / "sub/config.json").symlink_to("../../../blobs/bbb")
    return snapshot


def test_a_snapshot_in_a_model_cache_links_to_its_own_blobs(tmp_path):
    snapshot = _cache(tmp_path)
    expected = {"model.safetensors": b"weights", "sub/config.json": b"{}"}
    taken = take_manifest(snapshot)
    assert taken.manifest.digest == _digest("folder", expected)
    single = take_manifest(snapshot / "model.safetensors")
    assert single.manifest.digest == _digest("file", {"model.safetensors": b"weights"})
    nested = take_manifest(snapshot / "sub")
    assert nested.manifest.digest == _digest("folder", {"config.json": b"{}"})


def test_a_snapshot_does_not_link_anywhere_else_in_the_cache(tmp_path):
    snapshot = _cache(tmp_path)
    _write(tmp_path / "hub/models--other--name", {"blobs/ccc": b"other"})
    for target in ("../../refs/main", "../../../models--other--name/blobs/ccc", "../../blobs", "../.."):
        link = snapshot / "link"
        link.symlink_to(target)
        with pytest.raises(InputError) as caught:
            take_manifest(snapshot)
        assert caught.value.code == "link-leaves", target
        link.unlink()


def test_a_folder_that_only_looks_like_a_cache_is_none(tmp_path):
    folder = _write(tmp_path / "plain/snapshots/rev", {"a": b"1"})
    _write(tmp_path / "plain", {"blobs/x": b"x"})
    (folder / "link").symlink_to("../../blobs/x")
    with pytest.raises(InputError):
        take_manifest(folder)
    snapshot = _cache(tmp_path)
    blobs = snapshot.parents[1] / "blobs"
    blobs.rename(tmp_path / "elsewhere")
    blobs.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError) as caught:
        take_manifest(snapshot)
    assert caught.value.code == "link-leaves"


def test_a_single_file_by_a_link(tmp_path):
    folder = _write(tmp_path / "model", {"real": b"1"})
    (folder / "link").symlink_to("real")
    assert take_manifest(folder / "link").manifest.digest == _digest("file", {"link": b"1"})
    _write(tmp_path, {"outside": b"x"})
    (folder / "out").symlink_to("../outside")
    (folder / "broken").symlink_to("none")
    for name, code in [("out", "link-leaves"), ("broken", "link-broken")]:
        with pytest.raises(InputError) as caught:
            take_manifest(folder / name)
        assert caught.value.code == code


def test_a_maze_of_links_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("assaymark.store.walk.MANIFEST_MAX_FILES", 1000)
    folder = tmp_path / "model"
    for i in range(20):
        (folder / f"d{i}").mkdir(parents=True)
        for name in ("left", "right"):
            (folder / f"d{i}" / name).symlink_to(f"../d{i + 1}")
    (folder / "d20").mkdir()
    with pytest.raises(InputError) as caught:
        take_manifest(folder)
    assert caught.value.code == "manifest-size"


# What is no regular file, and names


def test_pipes_sockets_and_devices_are_refused_without_waiting(tmp_path):
    folder = _write(tmp_path / "model", MODEL)
    os.mkfifo(folder / "pipe")
    with pytest.raises(InputError) as caught:
        take_manifest(folder)
    assert (caught.value.code, caught.value.source) == ("file-kind", str(folder / "pipe"))
    with pytest.raises(InputError) as caught:
        take_manifest(folder / "pipe")
    assert caught.value.code == "file-kind"
    (folder / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s"))
        with pytest.raises(InputError) as caught:
            take_manifest(folder)
    assert caught.value.code == "file-kind"
    with pytest.raises(InputError) as caught:
        take_manifest(tmp_path / "../../../../../../dev/null")
    assert caught.value.code == "file-kind"


def test_a_name_that_is_not_utf_8_is_refused_and_shown(tmp_path):
    folder = _write(tmp_path / "model", MODEL)
    try:
        (folder / os.fsdecode(b"bad\xff")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    with pytest.raises(InputError) as caught:
        take_manifest(folder)
    assert caught.value.code == "manifest-path"
    assert "\\xff" in caught.value.source
    caught.value.source.encode()


def test_odd_names_are_names(tmp_path):
    files = {
        "new\nline": b"1",
        " space ": b"2",
        "-rf": b"3",
        "\u00fc\U0001f600": b"4",
        "back\\slash": b"5",
        "...": b"6",
    }
    assert take_manifest(_write(tmp_path, files)).manifest.digest == _digest("folder", files)


def test_a_path_that_is_too_deep_is_refused(tmp_path):
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        current = here
        for _ in range(30):
            os.mkdir("d" * 200, dir_fd=current)
            below = os.open("d" * 200, os.O_RDONLY, dir_fd=current)
            if current != here:
                os.close(current)
            current = below
        os.close(current)
    finally:
        os.close(here)
    with pytest.raises((InputError, UsageError)) as caught:
        take_manifest(tmp_path)
    assert caught.value.code in ("manifest-path", "path-missing")


# A file that changes meanwhile


def _append(path):
    with path.open("ab") as file:
        file.write(b"more")


def _rewrite_in_place(path):
    status = path.stat()
    with path.open("r+b") as file:
        file.write(b"!")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _truncate(path):
    with path.open("r+b") as file:
        file.truncate(10)


@pytest.mark.parametrize("change", [_append, _rewrite_in_place, _truncate])
@pytest.mark.parametrize("copying", [False, True])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, change, copying):
    path = _write(tmp_path / "model", {"large": bytes(BUFFER_BYTES * 3)}) / "large"
    changed = []

    def meanwhile(done, total):
        if not changed:
            changed.append(change(path))

    blobs = Blobs(tmp_path / "blobs") if copying else None
    with pytest.raises(InputError) as caught:
        take_manifest(path, on_progress=meanwhile, copy_to=blobs)
    assert (caught.value.code, caught.value.source) == ("file-changed", str(path))
    assert not [path for path in tmp_path.glob("blobs/**/*") if path.is_file()]


@pytest.mark.parametrize("become", ["link", "pipe", "other", "gone", "folder"])
def test_a_file_that_is_exchanged_before_it_is_opened_is_refused(tmp_path, become):
    folder = _write(tmp_path / "model", {"first": bytes(1000), "second": b"x"})
    _write(tmp_path, {"secret": b"s"})
    done_once = []

    def meanwhile(done, total):
        if done_once:
            return
        done_once.append(True)
        second = folder / "second"
        second.unlink()
        if become == "link":
            second.symlink_to(tmp_path / "secret")
        elif become == "pipe":
            os.mkfifo(second)
        elif become == "other":
            (tmp_path / "secret").rename(second)
        elif become == "folder":
            second.mkdir()

    with pytest.raises(InputError) as caught:
        take_manifest(folder, workers=1, on_progress=meanwhile)
    assert caught.value.code == "file-changed"


def test_the_copy_is_what_was_hashed(tmp_path):
    files = {**MODEL, "large": os.urandom(BUFFER_BYTES + 3), "twin": b"weights"}
    folder = _write(tmp_path / "model", files)
    blobs = Blobs(tmp_path / "blobs")
    taken = take_manifest(folder, copy_to=blobs)
    assert taken.manifest == take_manifest(folder).manifest
    for name in files:
        (folder / name).write_bytes(b"something else")
    assert {entry.path: path.read_bytes() for entry, path in taken.files} == files
    for entry, path in taken.files:
        assert path == blobs.path(entry.digest)
        assert blobs.get(entry.digest, 10 * BUFFER_BYTES) == files[entry.path]
    assert list((tmp_path / "blobs/staging").iterdir()) == []


def test_a_full_disk_while_copying_is_said(tmp_path, monkeypatch):
    folder = _write(tmp_path / "model", MODEL)

    def full(descriptor, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("assaymark.store.files.os.write", full)
    with pytest.raises(UnavailableError) as caught:
        take_manifest(folder, copy_to=Blobs(tmp_path / "blobs"))
    assert caught.value.code == "disk-full"


def test_progress_counts_every_byte_and_ends_at_the_total(tmp_path):
    folder = _write(tmp_path, {"a": bytes(BUFFER_BYTES * 2 + 5), "b": bytes(7), "empty": b""})
    (folder / "again").hardlink_to(folder / "a")
    seen = []
    take_manifest(folder, on_progress=lambda done, total: seen.append((done, total)))
    total = BUFFER_BYTES * 2 + 12
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_an_interrupt_ends_every_thread(tmp_path):
    folder = _write(tmp_path, {f"f{i}": bytes(BUFFER_BYTES * 2) for i in range(8)})

    def interrupt(done, total):
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        take_manifest(folder, workers=4, on_progress=interrupt)
    assert threading.active_count() == before
