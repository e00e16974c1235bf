"""Images of containers as they are kept: what ``docker save`` writes, and the OCI image layout, in place.

An image is layers of files, each a tar archive, above one another: a later one replaces files of earlier ones and may
remove them by *whiteouts*. What is removed is still in the image, for whoever has it.

Sources: OCI image format specification 1.1 (layout, index, manifest, configuration, layers); Docker image
specification 1.3 (``manifest.json``).
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from assaymark.core.errors import InputError
from assaymark.core.limits import IMAGE_MAX_BYTES, IMAGE_MAX_INDEX_DEPTH, IMAGE_MAX_JSON_BYTES, IMAGE_MAX_LAYERS
from assaymark.core.view import SliceView
from assaymark.formats.compressed import Inflated, compression
from assaymark.formats.located import Map, listed, maps_in, read_json
from assaymark.formats.tar import read_tar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.core.view import View

    Opener: TypeAlias = Callable[[str], View | None]

SAVED: Final = "manifest.json"
INDEX: Final = "index.json"
LAYOUT: Final = "oci-layout"
_NAMES: Final = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_REMOVED: Final = ".wh."
_EMPTIED: Final = ".wh..wh..opq"
_USUAL: Final = ("linux", "amd64")


@dataclass(frozen=True, slots=True)
class StoredImage:
    """One image. ``names``: what it is tagged as. One whose manifest is not there has no configuration and no layers.

    Paths are the archive's: of the document that lists it, its configuration, the documents between the two, and its
    layers, the lowest first.
    """

    names: tuple[str, ...]
    listing: str
    config: str
    documents: tuple[str, ...]
    layers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file of an image: its path from the root, without a leading slash, and the layer that it came with.

    ``removed``: a later layer takes it away or puts another in its place.
    """

    path: str
    layer: str
    content: SliceView
    removed: bool = False


def stored_images(opened: Opener) -> list[StoredImage]:
    """The images of an archive or folder, by whatever gives its members by path; none when it holds no image.

    Raises:
        InputError: ``image-archive`` when it says it does and cannot be followed; ``json-syntax`` and its kin.
    """
    saved = opened(SAVED)
    if saved is not None:
        listing = _json(saved, SAVED)
        if isinstance(listing, list) and all(isinstance(one, Map) and "Layers" in one for one in listing) and listing:
            return [_saved(one) for one in listing]
    index = opened(INDEX)
    if index is not None and opened(LAYOUT) is not None:
        return list(_indexed(opened, _json(index, INDEX)))
    return []


def _saved(one: Map) -> StoredImage:
    config, layers = one.get("Config"), [item for item in listed(one.get("Layers")) if isinstance(item, str)]
    if not isinstance(config, str) or len(layers) > IMAGE_MAX_LAYERS:
        raise InputError("image-archive", f"{SAVED} names no configuration, or too many layers")
    names = tuple(name for name in listed(one.get("RepoTags")) if isinstance(name, str))
    return StoredImage(names, SAVED, config, (), tuple(layers))


def _indexed(opened: Opener, index: Any) -> Iterator[StoredImage]:
    """The images of an OCI index; of several platforms one, since all are built from the same."""
    for one in _descriptors(index):
        annotations = one.get("annotations")
        notes = annotations if isinstance(annotations, Map) else {}
        names = tuple(dict.fromkeys(notes[key] for key in _NAMES if isinstance(notes.get(key), str)))
        found = _manifest(opened, one, ())
        if found is None:
            yield StoredImage(names, INDEX, "", (_blob(one),), ())
        else:
            documents, manifest = found
            config = manifest.get("config")
            layers = tuple(_blob(layer) for layer in maps_in(manifest.get("layers")))
            if not isinstance(config, Map) or len(layers) > IMAGE_MAX_LAYERS:
                raise InputError("image-archive", "a manifest names no configuration, or too many layers")
            if "image" in str(config.get("mediaType", "")):
                yield StoredImage(names, INDEX, _blob(config), documents, layers)


def _manifest(opened: Opener, descriptor: Map, before: tuple[str, ...]) -> tuple[tuple[str, ...], Map] | None:
    """The manifest that a descriptor leads to, with the documents on the way; None where it is not there."""
    if len(before) > IMAGE_MAX_INDEX_DEPTH:
        raise InputError("image-archive", "indexes of images lie too deep in each other")
    path = _blob(descriptor)
    view = opened(path)
    if view is None:
        return None
    value = _json(view, path, digest=str(descriptor["digest"]))
    documents = (*before, path)
    if not isinstance(value, Map):
        raise InputError("image-archive", "a manifest is no object", position=path)
    if "manifests" not in value:
        return documents, value
    choice = sorted(_descriptors(value), key=lambda one: _platform(one) != _USUAL)
    found = (_manifest(opened, one, documents) for one in choice)
    return next((one for one in found if one is not None), None)


def _descriptors(index: Any) -> list[Map]:
    """Those of images: attestations beside them are none."""
    given = index.get("manifests") if isinstance(index, Map) else None
    return [one for one in maps_in(given) if "digest" in one and _platform(one)[0] != "unknown"]


def _platform(descriptor: Map) -> tuple[str, str]:
    given = descriptor.get("platform")
    platform = given if isinstance(given, Map) else {}
    return str(platform.get("os", "")), str(platform.get("architecture", ""))


def _blob(descriptor: Map) -> str:
    algorithm, colon, digest = str(descriptor.get("digest", "")).partition(":")
    if not colon or not algorithm.isalnum() or not digest.isalnum():
        raise InputError("image-archive", "a digest that is none")
    return f"blobs/{algorithm}/{digest}"


def _json(view: View, path: str, digest: str = "") -> Any:
    if view.size > IMAGE_MAX_JSON_BYTES:
        raise InputError("image-archive", f"larger than {IMAGE_MAX_JSON_BYTES >> 20} MiB", position=path)
    data = view.read(0, view.size)
    if digest.startswith("sha256:") and sha256(data).hexdigest() != digest.removeprefix("sha256:"):
        raise InputError("image-archive", "it is not what its digest says", position=path)
    try:
        return read_json(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError("image-archive", "it is not UTF-8", position=path) from None


def image_files(opened: Opener, image: StoredImage) -> tuple[list[ImageFile], dict[str, InputError]]:
    """The files of an image as a container sees them, then those that a later layer removes or replaces.

    The second is the layers that cannot be read, or not to their end, with the reason: ``image-archive`` where one is
    missing or does not end, ``tar-header``, ``compressed-data``, ``compressed-bomb`` and their kin.
    """
    stack = _Stack()
    unread: dict[str, InputError] = {}
    left = IMAGE_MAX_BYTES
    for layer in image.layers:
        try:
            view = opened(layer)
            if view is None:
                raise InputError("image-archive", "the layer is not in it")
            kind = compression(view.read(0, 16))
            whole = Inflated(view, kind) if kind and left > 0 else view
            left -= whole.size
            if left < 0:
                raise InputError("image-archive", f"the image unpacks to more than {IMAGE_MAX_BYTES >> 30} GiB")
            unended = stack.put(layer, whole)
            if unended:
                unread[layer] = InputError("image-archive", unended)
        except InputError as error:
            unread[layer] = error
    gone = [ImageFile(one.path, one.layer, one.content, removed=True) for one in stack.removed]
    return [*(stack.final[path] for path in sorted(stack.final)), *gone], unread


class _Stack:
    """Layers above one another. ``folders`` are all that files were ever in, so that most need no search."""

    def __init__(self) -> None:
        self.final: dict[str, ImageFile] = {}
        self.removed: list[ImageFile] = []
        self._folders: set[str] = set()

    def put(self, layer: str, view: View) -> str:
        """One more on top; why it may not be all of it. Whiteouts are about the layers below, wherever they stand."""
        archive = read_tar(view)
        members = [(rooted(member.name), member) for member in archive.members]
        for path, _ in members:
            folder, _, name = path.rpartition("/")
            if name == _EMPTIED:
                self._empty(folder)
            elif name.startswith(_REMOVED):
                self._take(posixpath.join(folder, name.removeprefix(_REMOVED)))
        for path, member in members:
            if not path or path.rpartition("/")[2].startswith(_REMOVED) or member.kind == "folder":
                continue
            content: SliceView | None = None
            if member.kind == "file":
                content = SliceView(view, member.start, member.size)
            elif member.kind == "hard link" and (target := self.final.get(rooted(member.target))) is not None:
                content = target.content
            self._take(path)
            if content is not None:
                self.final[path] = ImageFile(path, layer, content)
                folder = path.rpartition("/")[0]
                while folder not in self._folders:
                    self._folders.add(folder)
                    folder = folder.rpartition("/")[0]
        return archive.unended

    def _take(self, path: str) -> None:
        """Takes away a file, or a folder with what is in it."""
        if path in self.final:
            self.removed.append(self.final.pop(path))
        elif path in self._folders:
            self._empty(path)

    def _empty(self, folder: str) -> None:
        below = [one for one in self.final if not folder or one.startswith(f"{folder}/")]
        self.removed += [self.final.pop(one) for one in below]


def rooted(name: str) -> str:
    """A member's path from the root of its archive: without leading slashes, dots, and ways out of it."""
    return posixpath.normpath(f"/{name}").lstrip("/")
