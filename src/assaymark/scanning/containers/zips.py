"""Scanner of zip archives: torch's own layout with its raw storages, and any other member by its content."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.view import SliceView
from assaymark.formats.torch_layout import archive_root
from assaymark.formats.zip import ZipArchive, ZipMember, read_zip
from assaymark.formats.zip_member import member_view
from assaymark.scanning.graphs.pt2 import pt2_members
from assaymark.scanning.graphs.torchscript import scan_script_member
from assaymark.scanning.notes import shown
from assaymark.scanning.pickle.streams import examine_pickle, note_sparse

if TYPE_CHECKING:
    from assaymark.core.view import View
    from assaymark.scanning.content import Content
    from assaymark.scanning.pickle.torch_permits import Storage

# Small files of torch's layout: content that torch reads as a number or a word.
_TORCH_NOTES: Final = frozenset(
    ("version", "byteorder", ".format_version", ".storage_alignment", ".data/serialization_id", ".data/version")
)
# How torch names storages (a count, or an address); a member of another name may be another loader's.
_STORAGE_KEY: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_NUMPY_MAGIC: Final = b"\x93NUMPY"
_NOTE_MAX_BYTES: Final = 64


def scan(content: Content) -> None:
    """Every member, by content; what two readers read differently is a finding."""
    notes = content.notes
    try:
        archive = read_zip(content.view)
    except InputError as error:
        notes.skip(f"the zip archive cannot be read: {error.message}", content.member)
        return
    for doubt in archive.ambiguities:
        inner = content.within(content.view, doubt.member).member if doubt.member else content.member
        message = f"{shown(doubt.message)} (byte {doubt.offset}): two readers may see different files"
        notes.finding("zip-ambiguous", message, member=inner, offset=doubt.offset)
    if archive.unreadable:
        notes.skip(f"the zip archive cannot be read: {archive.unreadable}", content.member)
        return
    handled = _torch(content, archive) or pt2_members(content, archive)
    for member in archive.members:
        if member.name not in handled and not _is_folder(member):
            _examine(content, member)
    notes.saw("torch-zip" if handled else "zip", content.member)


def _is_folder(member: ZipMember) -> bool:
    return member.name.endswith("/") and member.size == 0 and member.packed == 0


def _examine(content: Content, member: ZipMember) -> None:
    try:
        view = member_view(content.view, member)
    except InputError as error:
        inner = content.within(content.view, member.name).member
        if error.code == "zip-bomb":
            content.notes.finding("scan-resource", error.message, member=inner, offset=member.start)
        content.notes.skip(error.message, inner)
        return
    content.examine(content.within(view, member.name))


def _torch(content: Content, archive: ZipArchive) -> set[str]:
    """Examine what is torch's in the archive; returns the names that are done with, none when it is not torch's."""
    by_name = {member.name: member for member in archive.members}
    root = archive_root(by_name)
    if root is None or len(by_name) != len(archive.members):
        return set()
    # torch.load hands an archive to TorchScript's reader when it has this member, and reads pickles itself when not.
    script = f"{root}constants.pkl" in by_name
    done: set[str] = set()
    storages: list[tuple[Storage, int, str, str]] = []
    pickles = ["data", "constants"]
    if script:  # inputs of the trace, byte code for phones, and what else the same writer pickles
        names = [
            name[len(root) : -len(".pkl")] for name in by_name if name.startswith(root) and name.endswith(".pkl")
        ]
        pickles.extend(name for name in names if "/" not in name and name not in pickles)
    for pickle, folder in ((f"{name}.pkl", name) for name in pickles):
        member = by_name.get(root + pickle)
        if member is None:
            continue
        done.add(member.name)
        inner = content.within(content.view, member.name).member
        try:
            view = member_view(content.view, member)
        except InputError as error:
            content.notes.skip(error.message, inner)
            continue
        found = examine_pickle(content.within(view, member.name), torch=True, torchscript=script)
        big = _is_big_endian(content, by_name.get(f"{root}byteorder"))
        raw = partial(_raw, content, by_name, f"{root}{folder}/", readable=not big)
        note_sparse(content.within(view, member.name), found.sparse, raw)
        storages.extend((storage, offset, f"{root}{folder}/", inner) for storage, offset in found.storages)
    agreed: dict[tuple[str, str], Storage] = {}
    for storage, offset, folder, inner in storages:
        unkept = by_name.get(folder + storage.key) if folder == f"{root}traced_inputs/" else None
        if (
            unkept is not None and unkept.size == 0
        ):  # torch writes the shapes of a trace's inputs without their values
            done.add(unkept.name)
            continue
        if agreed.setdefault((folder, storage.key), storage) != storage:
            message = f"the storage {shown(storage.key)!r} is named with two types or sizes"
            content.notes.finding("torch-storage-size", message, member=inner, offset=offset)
        done |= _storage(content, by_name, folder, storage=storage, offset=offset, inner=inner)
    done |= _notes(content, by_name, root)
    if script:
        done |= _script_code(content, by_name, root)
    return done


def _is_big_endian(content: Content, member: ZipMember | None) -> bool:
    return member is not None and content.view.read(member.start, 3) == b"big"


def _raw(content: Content, by_name: dict[str, ZipMember], folder: str, key: str, *, readable: bool) -> View | None:
    """The bytes of a storage, where they lie as they are."""
    member = by_name.get(folder + key)
    if not readable or member is None or member.deflated or member.unreadable:
        return None
    return SliceView(content.view, member.start, member.size)


def _storage(
    content: Content, by_name: dict[str, ZipMember], folder: str, *, storage: Storage, offset: int, inner: str
) -> set[str]:
    """A raw tensor must be there, stored, in exactly the size that the pickle says: torch maps it unchecked."""
    member = by_name.get(folder + storage.key)
    due = storage.elements * storage.width
    if member is None:
        content.notes.finding(
            "torch-storage-size",
            f"the storage {shown(storage.key)!r} is not in the archive",
            member=inner,
            offset=offset,
        )
        return set()
    if member.size != due:
        content.notes.finding(
            "torch-storage-size",
            f"the storage {shown(storage.key)!r} takes {due} bytes, and the archive holds {member.size}",
            member=inner,
            offset=offset,
        )
    elif member.unreadable:
        content.notes.skip(member.unreadable, content.within(content.view, member.name).member)
    elif member.deflated or not _STORAGE_KEY.fullmatch(storage.key):
        return set()  # torch writes no such storage: examined as any other member
    elif _is_array_file(content, member):
        content.notes.finding(
            "file-polyglot",
            "a storage is a NumPy file too, which numpy.load reads out of the archive",
            member=content.within(content.view, member.name).member,
            offset=member.start,
        )
    return {member.name}


def _is_array_file(content: Content, member: ZipMember) -> bool:
    """``numpy.load`` opens any zip archive and takes this magic, whatever the member's name, for an array."""
    return content.view.read(member.start, len(_NUMPY_MAGIC)) == _NUMPY_MAGIC


def _notes(content: Content, by_name: dict[str, ZipMember], root: str) -> set[str]:
    """The small text files; one that is long or not text goes the way of any other member."""
    done: set[str] = set()
    for name in _TORCH_NOTES:
        member = by_name.get(root + name)
        if member is None or member.size > _NOTE_MAX_BYTES or member.unreadable or member.deflated:
            continue
        text = content.view.read(member.start, member.size)
        if text.isascii() and text.decode("ascii").strip().isalnum():
            done.add(member.name)
    return done


def _script_code(content: Content, by_name: dict[str, ZipMember], root: str) -> set[str]:
    code = {name for name in by_name if name.startswith(f"{root}code/")}
    for name in sorted(code):
        try:
            view = member_view(content.view, by_name[name])
        except InputError as error:
            content.notes.skip(error.message, content.within(content.view, name).member)
            continue
        scan_script_member(content.within(view, name))
    return code
