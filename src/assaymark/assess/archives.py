"""What lies packed in an architecture: bundles of code (zip, tar) and images of containers, file by file.

A packed file is called as if its archive were a folder: ``lambda.zip/handler.py``, and of an image
``trainer.tar/rootfs/app/main.py``; what a later layer removes is ``trainer.tar/layers/<layer>/app/.env``. Only what a
team may have written itself is looked at: no files of the system, of a language or of installed distributions, and
nothing that is no text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.assess.files import SourceFile, source_file
from assaymark.core.errors import InputError
from assaymark.core.limits import (
    ARCHIVE_MAX_DEPTH,
    ARCHIVE_MAX_FILE_BYTES,
    ARCHIVE_MAX_FILES,
    ARCHIVE_MAX_NESTED_BYTES,
    ARCHIVE_MAX_READ_BYTES,
    IMAGE_MAX_JSON_BYTES,
)
from assaymark.core.report import Skipped
from assaymark.core.view import BytesView, SliceView
from assaymark.formats.compressed import Inflated, compression
from assaymark.formats.image_archive import INDEX, LAYOUT, image_files, rooted, stored_images
from assaymark.formats.tar import is_tar, read_tar
from assaymark.formats.zip import read_zip
from assaymark.formats.zip_member import member_view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assaymark.core.view import View
    from assaymark.formats.image_archive import Opener, StoredImage
    from assaymark.formats.tar import TarArchive
    from assaymark.formats.zip import ZipMember

_ENDS: Final = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".pyz", ".oci")
_PACKED_ENDS: Final = tuple(f".tar.{end}" for end in ("gz", "bz2", "xz", "zst"))
# Of an image's file system: where a distribution, a language and its packages lie, and what of it a team fills.
_SYSTEM: Final = re.compile(
    r"^(?:bin|boot|dev|etc|lib|lib32|lib64|libx32|media|mnt|proc|run|sbin|snap|sys|usr|var|opt/(?:conda|mamba|venv|nvidia"
    r"|hpcx|intel|python[^/]*|ml/model)|root/\.(?:cache|local/(?:lib|share)|npm))/"
)
_TEAMS: Final = re.compile(
    r"^(?:usr/(?:src|app)/|usr/local/(?:app|src)/|usr/local/bin/[^/]+\.(?:sh|py)$|var/(?:task|www|app)/"
    r"|etc/(?:pip\.conf$|boto\.cfg$|fluent-bit/|nginx/|supervisor/|secrets/|app[^/]*/)|run/secrets/)"
)
_OTHERS: Final = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages|node_modules|\.venv|venv|\.git|__pycache__|[^/]+\.(?:dist|egg)-info)/"
)
_RECORD: Final = re.compile(r"(?:^|/)[^/]+\.dist-info/RECORD$")
_BINARY: Final = re.compile(
    r"\.(?:so(?:\.[\d.]+)?|pyc|pyd|o|a|exe|dll|dylib|jar|class|bin|pt|pth|safetensors|onnx|h5|keras|npz?|pkl|pickle"
    r"|joblib|gguf|parquet|feather|arrow|tfrecord|png|jpe?g|gif|ico|webp|pdf|woff2?|ttf|mp[34]|wav|zip|gz|tgz|tar|xz"
    r"|zst|whl|db|sqlite3?)$",
    re.IGNORECASE,
)
_WRITTEN: Final = re.compile(r"\.(?:py|ipynb|json|ya?ml|tf|toml|cfg|ini|conf|env|sh|txt|properties)$", re.IGNORECASE)
# What may be a credential in a layer whose files a later one takes away; code there is not run any more.
_KEPT_WHEN_GONE: Final = re.compile(
    r"(?:^|/)[^/.]*\.?[^/.]+$|\.(?:env|json|ya?ml|ini|cfg|conf|toml|properties|pem|key)$"
)
_CODE: Final = (".py", ".pyw", ".ipynb", ".sh")
LAYERS: Final = "layers/"
_LAYER_DIGITS: Final = 12
_HEAD: Final = 8192
_CHART: Final = re.compile(r"^[^/]+/Chart\.yaml$")


@dataclass(slots=True)
class Unpacked:
    """What was in an archive: the files that a team may have written, and what could not be read, with the reason."""

    files: list[SourceFile] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    depth: int = 0  # of archives around it
    left: int = ARCHIVE_MAX_READ_BYTES  # that may still be unpacked, of it and what is around it

    def spend(self, size: int) -> None:
        """So many bytes are unpacked.

        Raises:
            InputError: ``archive-limit``.
        """
        self.left -= size
        if self.left < 0:
            limit = ARCHIVE_MAX_READ_BYTES >> 30
            raise InputError("archive-limit", f"it unpacks to more than {limit} GiB; the rest is not read")

    def refuse(self, path: str, why: InputError | str) -> None:
        """``path`` cannot be read."""
        self.skipped.append(Skipped(path, why if isinstance(why, str) else why.message))


@dataclass(frozen=True, slots=True)
class _Packed:
    """A member: its path in the archive, how many bytes it has, and what gives them. ``order``: where it lies."""

    path: str
    size: int
    content: Callable[[], View]
    order: tuple[int, int] = (0, 0)


def is_archive(path: str) -> bool:
    """Whether a file may be a bundle of code or an image, by its name. Charts that are packed are Helm's."""
    name = path.lower()
    return name.endswith((*_ENDS, *_PACKED_ENDS)) and "/charts/" not in f"/{name}"


def unpacked(path: str, view: View, left: int = ARCHIVE_MAX_READ_BYTES) -> Unpacked:
    """What is in the archive of this name. Nothing of it is written anywhere. ``left``: bytes to unpack at most."""
    found = Unpacked(left=left)
    _unpack(found, path, view)
    return found


def _unpack(found: Unpacked, path: str, view: View) -> None:
    try:
        if view.read(0, 4)[:2] == b"PK":
            members = _of_zip(view)
        else:
            kind = compression(view.read(0, 16))
            whole = Inflated(view, kind) if kind else view
            if kind:
                found.spend(whole.size)
            if not is_tar(whole):
                found.refuse(path, "it is called an archive and is none that can be read")
                return
            archive = read_tar(whole)
            if archive.unended:
                found.refuse(path, f"what there is of it is read: {archive.unended}")
            opened, members = _of_tar(whole, archive)
            images = stored_images(opened)
            if images:
                _unpack_images(found, path, opened, images)
                return
        if not any(_CHART.match(one.path) for one in members):  # packed charts are Helm's
            _keep(found, path, "", members)
    except InputError as error:
        found.refuse(path, error)


def unpacked_layout(folder: str, opened: Opener) -> Unpacked:
    """What is in the images of a folder that is an OCI image layout."""
    found = Unpacked()
    try:
        images = stored_images(opened)
        if not images:
            found.refuse(folder, "it is a layout of images and holds no image of a container")
        _unpack_images(found, folder, opened, images)
    except InputError as error:
        found.refuse(folder, error)
    return found


def _of_zip(view: View) -> list[_Packed]:
    def giving(member: ZipMember) -> Callable[[], View]:
        return lambda: member_view(view, member, ARCHIVE_MAX_NESTED_BYTES)

    return [_Packed(rooted(one.name), one.size, giving(one)) for one in read_zip(view).members]


def _of_tar(view: View, archive: TarArchive) -> tuple[Opener, list[_Packed]]:
    links: dict[str, str] = {}
    slices: dict[str, SliceView] = {}
    for one in archive.members:
        path = rooted(one.name)
        if one.kind == "file":
            slices[path] = SliceView(view, one.start, one.size)
        elif one.kind == "symbolic link":  # docker save has links for layers that several images share
            links[path] = rooted(f"{path.rpartition('/')[0]}/{one.target}")
        elif one.kind == "hard link":
            links[path] = rooted(one.target)

    def opened(path: str) -> View | None:
        name = rooted(path)
        return slices.get(name) or slices.get(links.get(name, ""))

    return opened, [_sliced(path, content) for path, content in slices.items()]


def _sliced(path: str, content: SliceView, layer: int = 0) -> _Packed:
    return _Packed(path, content.size, lambda: content, (layer, content.start))


def _unpack_images(found: Unpacked, archive: str, opened: Opener, images: list[StoredImage]) -> None:
    """The documents that say what the images are, and the files of each: of several, each below its own name."""
    for at, image in enumerate(images):
        said = (LAYOUT if image.listing == INDEX else "", image.listing, *image.documents, image.config)
        for path in dict.fromkeys(one for one in said if one):
            view = opened(path)
            if view is None:
                found.refuse(f"{archive}/{path}", "it is not in the archive")
            elif view.size > IMAGE_MAX_JSON_BYTES:
                found.refuse(f"{archive}/{path}", f"larger than {IMAGE_MAX_JSON_BYTES >> 20} MiB")
            elif not any(file.path == f"{archive}/{path}" for file in found.files):
                found.files.append(_packed_file(archive, path, view.read(0, view.size)))
        files, unread = image_files(opened, image)
        for layer, error in unread.items():
            found.refuse(f"{archive}/{layer}", error)
        order = {layer: number for number, layer in enumerate(image.layers)}
        root = root_of(at, len(images))
        alive = [one for one in files if not one.removed]
        _keep(found, archive, root, [_sliced(one.path, one.content, order[one.layer]) for one in alive], image=True)
        gone = [one for one in files if one.removed and _may_be_credential(one.path)]
        for layer in image.layers:
            members = [_sliced(one.path, one.content) for one in gone if one.layer == layer]
            _keep(found, archive, f"{LAYERS}{_short(layer)}/", members, image=True)


def root_of(at: int, count: int) -> str:
    """The folder of an image's files in its archive: of several images each has its own."""
    return "rootfs/" if count == 1 else f"rootfs-{at + 1}/"


def _short(layer: str) -> str:
    return layer.removesuffix("/layer.tar").removesuffix(".tar").rpartition("/")[2][:_LAYER_DIGITS]


def _may_be_credential(path: str) -> bool:
    return not path.lower().endswith(_CODE) and _KEPT_WHEN_GONE.search(path.lower()) is not None


def _keep(found: Unpacked, archive: str, root: str, members: Iterable[_Packed], *, image: bool = False) -> None:
    """Reads what a team may have written, in the order in which it lies: streams are not read back."""
    members = list(members)
    installed = _installed(found, archive, members)
    chosen = [one for one in members if _teams(one.path, image=image) and one.path not in installed]
    for one in sorted(chosen, key=lambda item: (item.order, item.path)):
        path = f"{root}{one.path}"
        if len(found.files) >= ARCHIVE_MAX_FILES:
            found.refuse(archive, f"more than {ARCHIVE_MAX_FILES} files are in it; those behind are not read")
            return
        if is_archive(path):
            _nested(found, f"{archive}/{path}", one)
            continue
        if one.size > ARCHIVE_MAX_FILE_BYTES:
            if _WRITTEN.search(path):
                found.refuse(f"{archive}/{path}", f"larger than {ARCHIVE_MAX_FILE_BYTES >> 20} MiB")
            continue
        found.spend(one.size)
        try:
            view = one.content()
            data = view.read(0, view.size)
        except InputError as error:
            found.refuse(f"{archive}/{path}", error)
            continue
        if b"\0" not in data[:_HEAD]:
            found.files.append(_packed_file(archive, path, data))


def _nested(found: Unpacked, path: str, member: _Packed) -> None:
    """An archive in an archive."""
    if found.depth >= ARCHIVE_MAX_DEPTH or member.size > ARCHIVE_MAX_NESTED_BYTES:
        found.refuse(path, "an archive in an archive, too deep or too large to be looked into")
        return
    found.spend(member.size)
    inner = Unpacked(depth=found.depth + 1, left=found.left)
    try:
        content = member.content()
        data = content.read(0, content.size)
    except InputError as error:
        found.refuse(path, error)
        return
    _unpack(inner, path, BytesView(data))
    found.files += inner.files
    found.skipped += inner.skipped
    found.left = inner.left


def _teams(path: str, *, image: bool) -> bool:
    if not path or _OTHERS.search(path) or (_BINARY.search(path) and not is_archive(path)):
        return False
    return not image or not _SYSTEM.match(path) or bool(_TEAMS.match(path))


def _installed(found: Unpacked, archive: str, members: list[_Packed]) -> set[str]:
    """What installed distributions brought along, as their records say (PyPA, "Recording installed projects")."""
    paths: set[str] = set()
    for one in sorted((one for one in members if _RECORD.search(one.path)), key=lambda item: item.order):
        if one.size > ARCHIVE_MAX_FILE_BYTES:
            continue
        try:
            view = one.content()
            text = view.read(0, view.size).decode("utf-8", "replace")
        except InputError as error:
            found.refuse(f"{archive}/{one.path}", error)
            continue
        base = one.path.rpartition("/")[0].rpartition("/")[0]
        paths |= {rooted(f"{base}/{line.rsplit(',', 2)[0].strip(chr(34))}") for line in text.splitlines() if line}
    return paths


def _packed_file(archive: str, path: str, data: bytes) -> SourceFile:
    file = source_file(f"{archive}/{path}", data)
    return SourceFile(file.path, file.data, file.digest, archive)
