"""Images as they are kept: which there are, and which files a container sees of their layers."""

from __future__ import annotations

import pytest
from tests.support.stored_image import layer, layout

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.image_archive import StoredImage, image_files, stored_images

CONFIG = {"config": {"Cmd": ["python", "main.py"]}}


def opener(files: dict[str, bytes]):
    return lambda path: BytesView(files[path]) if path in files else None


def seen(*layers: bytes) -> tuple[dict[str, bytes], list[tuple[str, str]]]:
    """Path to content of what a container sees, and path and layer of what is removed."""
    files = {f"{number}.tar": data for number, data in enumerate(layers)}
    found, unread = image_files(opener(files), StoredImage((), "", "", (), tuple(files)))
    assert not unread
    alive = {one.path: one.content.read(0, one.content.size) for one in found if not one.removed}
    return alive, [(one.path, one.layer) for one in found if one.removed]


def test_later_layers_replace_files_and_whiteouts_remove_them() -> None:
    alive, gone = seen(
        layer({"app/a.py": b"1", "app/b.py": b"2", "etc/x/y": b"3", "etc/x/z": b"4", "keep": b"5"}),
        layer({"app/a.py": b"6", "app/.wh.b.py": b"", "etc/.wh.x": b""}),
    )
    assert alive == {"app/a.py": b"6", "keep": b"5"}
    assert sorted(gone) == [("app/a.py", "0.tar"), ("app/b.py", "0.tar"), ("etc/x/y", "0.tar"), ("etc/x/z", "0.tar")]


def test_an_opaque_whiteout_empties_the_folder_below_and_not_its_own_layer() -> None:
    alive, _ = seen(layer({"d/old": b"1", "e": b"2"}), layer({"d/new": b"3", "d/.wh..wh..opq": b""}))
    assert alive == {"d/new": b"3", "e": b"2"}


def test_links() -> None:
    alive, _ = seen(layer({"a": b"1"}, links={"b": "a", "c": "nothing"}))
    assert alive == {"a": b"1", "b": b"1"}
    alive, gone = seen(layer({"a": b"1"}), layer({}, links={"a": "/etc/passwd"}, hard=False))
    assert alive == {}
    assert gone == [("a", "0.tar")]


def test_a_file_in_place_of_a_folder_removes_what_was_in_it() -> None:
    assert seen(layer({"a/b/c": b"1"}), layer({"a/b": b"2"}))[0] == {"a/b": b"2"}


def test_names_do_not_leave_the_root() -> None:
    assert set(seen(layer({"../../x": b"1", "/y": b"2", "./z": b"3"}))[0]) == {"x", "y", "z"}


@pytest.mark.parametrize("platforms", [False, True])
def test_a_layout_is_followed_to_the_image_of_the_usual_platform(platforms: bool) -> None:
    files = layout("app:1", CONFIG, [layer({"app/main.py": b"print()"})], platforms=platforms)
    (image,) = stored_images(opener(files))
    assert image.names == ("app:1",)
    assert len(image.documents) == 1 + platforms
    found, unread = image_files(opener(files), image)
    assert [one.path for one in found] == ["app/main.py"]
    assert not unread


def test_a_document_that_is_not_what_its_digest_says_is_refused() -> None:
    files = layout("app:1", CONFIG, [])
    (image,) = stored_images(opener(files))
    files[image.documents[0]] = files[image.documents[0]] + b" "
    with pytest.raises(InputError) as caught:
        stored_images(opener(files))
    assert caught.value.code == "image-archive"


def test_a_layer_that_is_missing_or_damaged_is_said_and_the_others_are_read() -> None:
    files = {"0.tar": layer({"a": b"1"}), "1.tar": b"\x1f\x8b\x08damaged and packed"}
    found, unread = image_files(opener(files), StoredImage((), "", "", (), ("0.tar", "1.tar", "2.tar")))
    assert [one.path for one in found] == ["a"]
    assert {layer: error.code for layer, error in unread.items()} == {
        "1.tar": "compressed-data",
        "2.tar": "image-archive",
    }


def test_what_is_no_image_is_none() -> None:
    assert stored_images(opener({"manifest.json": b'{"files": []}'})) == []
    assert stored_images(opener({"index.json": b'{"manifests": []}'})) == []
    assert stored_images(opener({})) == []


def test_an_image_that_unpacks_to_too_much_is_read_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    one = layer({"a": b"1"})
    monkeypatch.setattr("assaymark.formats.image_archive.IMAGE_MAX_BYTES", len(one))
    found, unread = image_files(opener({"0.tar": one}), StoredImage((), "", "", (), ("0.tar", "0.tar")))
    assert [each.path for each in found if not each.removed] == ["a"]
    assert {name: error.code for name, error in unread.items()} == {"0.tar": "image-archive"}


def test_a_layer_that_is_cut_off_is_said() -> None:
    whole = layer({"a": b"1", "b": b"2" * 600})
    found, unread = image_files(opener({"0.tar": whole[:2048]}), StoredImage((), "", "", (), ("0.tar",)))
    assert [each.path for each in found] == ["a", "b"]
    assert "cut short" in unread["0.tar"].message


def test_an_image_whose_manifest_is_missing_is_one_without_layers() -> None:
    files = layout("app:1", CONFIG, [])
    (known,) = stored_images(opener(files))
    del files[known.documents[0]]
    (image,) = stored_images(opener(files))
    assert (image.config, image.layers, image.documents) == ("", (), known.documents)
