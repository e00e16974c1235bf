"""Copies for programs: private ones that nobody else reads, and placed ones that are whole or not there."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import threading
from pathlib import Path

import pytest
from tests.support.cli import make_model

from assaymark.core.errors import InputError, UnavailableError, UsageError
from assaymark.store import blobs, placed_copy, private_copy
from assaymark.store.fingerprint import tree_fingerprint
from assaymark.store.intake import take_manifest
from assaymark.store.placed_copy import placed_copy as placed
from assaymark.store.private_copy import held_copy, sweep


def place(model: Path, into: Path, name: str = "model") -> None:
    with placed(model, into, name) as copy:
        copy.publish()


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def _own_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))


def test_a_private_copy_is_read_only_has_one_name_a_file_and_goes_away(model: Path, tmp_path: Path) -> None:
    settings = tmp_path / "threshold.json"
    settings.write_text("5")
    (model / "same-again").write_bytes((model / "README.md").read_bytes())
    with held_copy(model, (settings,)) as copy:
        assert copy.manifest == take_manifest(model, configurations=[settings]).manifest
        assert take_manifest(copy.model, configurations=copy.configuration_files).manifest == copy.manifest
        assert stat.S_IMODE(copy.folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(copy.model.stat().st_mode) == 0o500
        assert {stat.S_IMODE(file.stat().st_mode) for file in copy.model.iterdir()} == {0o400}
        assert (copy.model / "config.json").stat().st_nlink == 1
        assert sorted(file.name for file in copy.folder.iterdir()) == [".lock", "configurations", "model"]
    assert not copy.folder.exists()


def test_what_a_killed_process_left_is_removed_and_what_is_in_use_is_not(model: Path, tmp_path: Path) -> None:
    base = tmp_path / "temporary"
    with held_copy(model) as used:
        dead = base / "assaymark-dead"
        shutil.copytree(used.folder, dead)
        (base / "assaymark-of-somebody").mkdir()
        (base / "assaymark-link").symlink_to(used.folder)
        sweep(base)
        assert not dead.exists()
        assert used.model.exists()
        assert (base / "assaymark-of-somebody").exists()


def test_what_is_cloned_is_hashed_from_the_clone(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that shares blocks is played by one that copies at that moment, and not quite the same bytes."""
    expected = take_manifest(model).manifest

    def clone(target: int, source: int) -> None:
        os.sendfile(target, source, 0, os.fstat(source).st_size)
        os.lseek(target, 0, os.SEEK_SET)

    monkeypatch.setattr(blobs, "clone_blocks", clone)
    with held_copy(model) as copy:
        assert copy.manifest == expected

    def wrong(target: int, source: int) -> None:
        clone(target, source)
        os.pwrite(target, b"\xff", 0)

    monkeypatch.setattr(blobs, "clone_blocks", wrong)
    with held_copy(model) as copy:
        assert copy.manifest != expected
        assert copy.manifest == take_manifest(copy.model).manifest


def test_a_clone_cut_short_is_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "clone_blocks", lambda target, source: None)
    with pytest.raises(InputError, match="changed while it was read"), held_copy(model):
        pass


def test_a_placed_copy_is_for_all_to_read_and_nobody_to_write(model: Path, into: Path) -> None:
    before = os.umask(0o077)
    try:
        place(model, into)
    finally:
        os.umask(before)
    final = into / "model"
    assert take_manifest(final).manifest == take_manifest(model).manifest
    assert not final.readlink().is_absolute(), "it leads on where the volume is mounted elsewhere"
    assert stat.S_IMODE((final / "config.json").stat().st_mode) == 0o444
    for folder in (final.resolve(), *final.resolve().parents):
        if folder == into.resolve():
            break
        assert stat.S_IMODE(folder.stat().st_mode) & 0o055 == 0o055


def test_placing_again_replaces_what_was_placed_and_nothing_else(model: Path, into: Path, tmp_path: Path) -> None:
    (into / "other.txt").write_text("somebody else's")
    place(model, into)
    first = (into / "model").resolve()
    (model / "README.md").write_text("# Another\n")
    place(model, into)
    assert (into / "model" / "README.md").read_text() == "# Another\n"
    assert not first.exists()
    assert (into / "other.txt").read_text() == "somebody else's"
    file = tmp_path / "weights.safetensors"
    shutil.copy(model / "model.safetensors", file)
    place(file, into, "weights.safetensors")
    assert (into / "weights.safetensors").read_bytes() == file.read_bytes()
    assert len(list((into / ".assaymark").glob("copy-*"))) == 2


def test_configurations_are_placed_beside_the_model_and_go_with_it(model: Path, into: Path, tmp_path: Path) -> None:
    settings = tmp_path / "threshold.json"
    settings.write_text("5")
    with placed(model, into, "model", (settings,)) as copy:
        copy.publish()
    assert (into / "model.configurations" / "threshold.json").read_text() == "5"
    place(model, into)
    assert not (into / "model.configurations").exists()


@pytest.mark.parametrize("made", ["folder", "file", "link", "link-out"])
def test_what_was_not_made_here_is_not_replaced(model: Path, into: Path, made: str) -> None:
    target = into / "model"
    match made:
        case "folder":
            target.mkdir()
        case "file":
            target.write_text("mine")
        case "link":
            target.symlink_to("/etc")
        case _:
            target.symlink_to(".assaymark/../../elsewhere/model")
    with pytest.raises(UsageError, match="did not make"):
        place(model, into)
    assert os.path.lexists(target)


def test_a_store_that_is_a_link_is_not_written_through(model: Path, into: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (into / ".assaymark").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="did not make"):
        place(model, into)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_copy_that_is_not_published_never_has_the_name(model: Path, into: Path) -> None:
    with placed(model, into, "model"):
        assert not os.path.lexists(into / "model")
    with pytest.raises(ValueError, match="refused"), placed(model, into, "model"):
        raise ValueError("refused")
    assert list((into / ".assaymark").glob("copy-*")) == []
    (model / "pipe").symlink_to("/etc/passwd")
    with pytest.raises(InputError):
        place(model, into)
    assert sorted(file.name for file in into.iterdir()) == [".assaymark"]
    assert list((into / ".assaymark").glob("copy-*")) == []


def test_a_copy_in_use_stays_until_it_is_not(model: Path, into: Path) -> None:
    place(model, into)
    first = (into / "model").resolve().parent
    with (first / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        place(model, into)
        assert (first / "model" / "config.json").exists()
    place(model, into)
    assert not first.exists()


def test_many_at_once_leave_one_whole_copy(tmp_path: Path, into: Path) -> None:
    models = [make_model(tmp_path, f"m{i}", seed=i) for i in range(4)]
    errors: list[BaseException] = []

    def work(model: Path) -> None:
        try:
            for _ in range(5):
                place(model, into)
        except Exception as error:  # noqa: BLE001 - asserted about below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert take_manifest(into / "model").manifest in [take_manifest(model).manifest for model in models]
    place(models[0], into)
    assert len(list((into / ".assaymark").glob("copy-*"))) == 1
    assert list((into / ".assaymark").glob("link-*")) == []


def test_a_storage_that_fails_leaves_what_was_there(model: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place(model, into)
    first = (into / "model").readlink()

    def refuse(*_: object, **__: object) -> None:
        raise UnavailableError("disk-full", "no space left to write")

    with monkeypatch.context() as patch:
        patch.setattr(placed_copy, "copy_into", refuse)
        with pytest.raises(UnavailableError):
            place(model, into)
    with monkeypatch.context() as patch:
        patch.setattr(private_copy, "_sync", lambda _: (_ for _ in ()).throw(OSError(5, "I/O error")))
        with pytest.raises(UnavailableError, match="storage failed"):
            place(model, into)
    assert (into / "model").readlink() == first
    assert len(list((into / ".assaymark").glob("copy-*"))) == 1


def test_hostile_names_are_copied_as_they_are(tmp_path: Path, into: Path) -> None:
    model = tmp_path / "-rf $(reboot)\n"
    model.mkdir()
    for name in ("-n", "a b", "{model}", "ü\x01", "..."):
        (model / name).write_text(name)
    with placed(model, into, model.name) as copy:
        copy.publish()
    assert take_manifest(into / model.name).manifest == take_manifest(model).manifest


def test_a_fingerprint_sees_every_kind_of_change(model: Path) -> None:
    def differs(change) -> bool:
        before = tree_fingerprint(model)
        change()
        return tree_fingerprint(model) != before

    weights = model / "model.safetensors"
    times = weights.stat()

    def rewrite() -> None:
        with weights.open("r+b") as stream:
            stream.seek(-1, os.SEEK_END)
            stream.write(b"!")
        os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert differs(rewrite), "with the size and the time as they were"
    assert differs((model / "new").touch)
    assert differs(lambda: (model / "new").rename(model / "newer"))
    assert differs((model / "newer").unlink)
    assert differs(lambda: weights.chmod(0o640))
    assert not differs(weights.read_bytes)


def test_no_private_copy_is_made_where_others_may_rename_it(model: Path, tmp_path: Path) -> None:
    base = tmp_path / "temporary"
    base.chmod(0o777)
    with pytest.raises(UsageError, match="others may rename"), held_copy(model):
        pass
    base.chmod(0o1777)
    with held_copy(model):
        pass
