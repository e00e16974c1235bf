"""Subjects: anything with a content digest; and the manifest, whose digest is that of a file or folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from assaymark.core.canonical import canonical_json, parse_object
from assaymark.core.digest import is_digest, sha256_digest
from assaymark.core.errors import InputError
from assaymark.core.limits import MANIFEST_MAX_BYTES, MANIFEST_MAX_FILES, PATH_MAX_BYTES

MANIFEST_FORMAT: Final = "assaymark:manifest/v1"

ManifestKind = Literal["file", "folder"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a statement is about. Two subjects are the same when their digests are; the name is for people."""

    name: str
    digest: str
    kind: str = "model"


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file: path relative to the subject with ``/`` between parts, size in bytes, content digest."""

    path: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two manifests differ: a path, and ``changed``, ``added``, ``removed``, ``renamed`` or ``resized``."""

    path: str
    what: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every file of a subject, sorted by the bytes of its path; hidden files and names included.

    ``configurations`` are files bound to the model from outside its folder (pre-processing, thresholds).
    Format: docs/spec/manifest.md.
    """

    kind: ManifestKind
    files: tuple[FileEntry, ...]
    configurations: tuple[FileEntry, ...] = ()

    def to_bytes(self) -> bytes:
        """The canonical bytes whose SHA-256 is the subject's digest."""
        document: dict[str, Any] = {
            "files": [_entry_json(entry) for entry in self.files],
            "format": MANIFEST_FORMAT,
            "kind": self.kind,
        }
        if self.configurations:
            document["configurations"] = [_entry_json(entry) for entry in self.configurations]
        return canonical_json(document)

    @property
    def digest(self) -> str:
        """The digest of the subject."""
        return sha256_digest(self.to_bytes())

    @property
    def size(self) -> int:
        """Bytes in all files together."""
        return sum(entry.size for entry in (*self.files, *self.configurations))


def make_manifest(
    kind: ManifestKind, files: list[FileEntry], configurations: list[FileEntry] | None = None
) -> Manifest:
    """A manifest with its entries sorted and checked.

    Raises:
        InputError: as ``parse_manifest``.
    """
    manifest = Manifest(kind, _sorted(files), _sorted(configurations or []))
    _check(manifest)
    return manifest


def parse_manifest(data: bytes) -> Manifest:
    """Read canonical manifest bytes; any other spelling of the same content is refused.

    Raises:
        InputError: a ``json-*`` code, or ``manifest-form``, ``manifest-order``, ``manifest-path``,
            ``manifest-empty``, ``manifest-size``, ``manifest-canonical``.
    """
    document = parse_object(data, limit=MANIFEST_MAX_BYTES)
    allowed = {"files", "format", "kind", "configurations"}
    if document.get("format") != MANIFEST_FORMAT or not set(document) <= allowed:
        raise InputError("manifest-form", f"not a manifest of format {MANIFEST_FORMAT}", position="$.format")
    kind = document.get("kind")
    if kind not in ("file", "folder"):
        raise InputError("manifest-form", "kind is neither file nor folder", position="$.kind")
    manifest = Manifest(
        kind,
        tuple(_entry(item, f"$.files[{i}]") for i, item in enumerate(_entries(document, "files"))),
        tuple(_entry(item, f"$.configurations[{i}]") for i, item in enumerate(_entries(document, "configurations"))),
    )
    _check(manifest)
    if manifest.to_bytes() != data:
        raise InputError("manifest-canonical", "not in canonical form")
    return manifest


def compare_manifests(expected: Manifest, found: Manifest) -> tuple[Difference, ...]:
    """What a person must look at to see why two subjects differ, sorted by path."""
    differences: list[Difference] = []
    if expected.kind != found.kind:
        differences.append(Difference(".", f"is a {found.kind}, was a {expected.kind}"))
    for before, after, note in (
        (expected.files, found.files, ""),
        (expected.configurations, found.configurations, " (configuration)"),
    ):
        differences.extend(_compare(before, after, note))
    return tuple(sorted(differences, key=lambda difference: difference.path))


def _compare(before: tuple[FileEntry, ...], after: tuple[FileEntry, ...], note: str) -> list[Difference]:
    old = {entry.path: entry for entry in before}
    new = {entry.path: entry for entry in after}
    gone = {entry.digest: path for path, entry in old.items() if path not in new}
    result: list[Difference] = []
    renamed: set[str] = set()
    for path, entry in new.items():
        if path not in old:
            origin = gone.get(entry.digest)
            if origin is not None and origin not in renamed:
                renamed.add(origin)
                result.append(Difference(path, f"renamed from {origin}{note}"))
            else:
                result.append(Difference(path, f"added{note}"))
        elif old[path] != entry:  # a size that does not fit its digest makes another subject too
            sizes = "" if old[path].size == entry.size else f", {old[path].size} to {entry.size} bytes"
            result.append(Difference(path, f"changed{sizes}{note}"))
    result.extend(Difference(path, f"removed{note}") for path in old if path not in new and path not in renamed)
    return result


def _entry_json(entry: FileEntry) -> dict[str, Any]:
    return {"path": entry.path, "sha256": entry.digest.removeprefix("sha256:"), "size": entry.size}


def _entries(document: dict[str, Any], key: str) -> list[Any]:
    value = document.get(key, [])
    if not isinstance(value, list):
        raise InputError("manifest-form", "expected a list", position=f"$.{key}")
    return value


def _entry(item: Any, position: str) -> FileEntry:
    if not isinstance(item, dict) or set(item) != {"path", "sha256", "size"}:
        raise InputError("manifest-form", "an entry has path, sha256 and size", position=position)
    path, digest, size = item["path"], item["sha256"], item["size"]
    if not isinstance(path, str):
        raise InputError("manifest-path", "a path is text", position=position)
    if not isinstance(digest, str) or not is_digest("sha256:" + digest):
        raise InputError("manifest-form", "sha256 is not 64 hexadecimal digits", position=position)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise InputError("manifest-size", "a size is a whole number of bytes", position=position)
    return FileEntry(path, size, "sha256:" + digest)


def _check(manifest: Manifest) -> None:
    if not manifest.files:
        raise InputError("manifest-empty", "no file: there is nothing to admit")
    if len(manifest.files) + len(manifest.configurations) > MANIFEST_MAX_FILES:
        raise InputError("manifest-size", f"more than {MANIFEST_MAX_FILES} files")
    if manifest.kind == "file" and len(manifest.files) != 1:
        raise InputError("manifest-form", "a subject of kind file has one file")
    for entries in (manifest.files, manifest.configurations):
        previous: bytes | None = None
        for entry in entries:
            key = _path_bytes(entry.path)
            if previous is not None and key <= previous:
                raise InputError("manifest-order", "paths are not sorted or occur twice", position=repr(entry.path))
            previous = key


def _path_bytes(path: str) -> bytes:
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        raise InputError(
            "manifest-path", "a file name that is not UTF-8", position=repr(path), remedy="rename the file"
        ) from None
    parts = path.split("/")
    if not path or len(encoded) > PATH_MAX_BYTES or "\0" in path or any(p in ("", ".", "..") for p in parts):
        raise InputError("manifest-path", "a path that is not plain and relative", position=repr(path[:200]))
    return encoded


def _sorted(entries: list[FileEntry]) -> tuple[FileEntry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.path.encode("utf-8", "surrogatepass")))
