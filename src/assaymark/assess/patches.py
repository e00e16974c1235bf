"""``patches_for``: written changes of the files that a finding is about.

Each is small and stands on lines that the finding names. *Safe* is one after which everything that ran still runs
as it did; those may be applied without a person looking, all others are shown.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.inputs import Inputs
    from assaymark.core.report import Finding


_ENFORCE: Final = "pod-security.kubernetes.io/enforce"


@dataclass(frozen=True, slots=True)
class Patch:
    """Replaces ``removed`` lines from ``line`` (from 1) by ``inserted``; a line after the last appends."""

    title: str
    path: str
    line: int
    removed: int
    inserted: tuple[str, ...]
    safe: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a finding is: its file's lines and the line."""

    finding: Finding
    path: str
    lines: list[str]
    line: int
    estates: Estates

    @property
    def text(self) -> str:
        return self.lines[self.line - 1] if 0 < self.line <= len(self.lines) else ""


def patches_for(finding: Finding, inputs: Inputs, estates: Estates) -> tuple[Patch, ...]:
    """The patches of a finding; none for rules whose change nobody can write without knowing more."""
    write = _WRITERS.get(finding.rule)
    place = finding.locations[0]
    file = inputs.file(place.path)
    if write is None or file is None or place.line is None:
        return ()
    lines = file.data.decode("utf-8", "surrogateescape").splitlines()
    found = write(_Place(finding, place.path, lines, place.line, estates))
    return (found,) if found is not None else ()


def apply_patches(data: bytes, patches: Iterable[Patch]) -> bytes:
    """A file with patches of it applied, from the last line to the first; of two on one line the first counts."""
    text = data.decode("utf-8", "surrogateescape")
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    taken: set[int] = set()
    for patch in sorted(set(patches), key=lambda one: (-one.line, one.title)):
        span = set(range(patch.line, patch.line + max(patch.removed, 1)))
        if patch.line <= len(lines) and span & taken:
            continue
        taken |= span
        lines[patch.line - 1 : patch.line - 1 + patch.removed] = patch.inserted
    return (end.join(lines) + end).encode("utf-8", "surrogateescape")


def unified(path: str, old: bytes, new: bytes) -> str:
    """The change as a unified diff."""
    before, after = (data.decode("utf-8", "replace").splitlines(keepends=True) for data in (old, new))
    return "".join(difflib.unified_diff(before, after, f"a/{path}", f"b/{path}"))


def _setting(name: str, value: str, title: str, *, safe: bool) -> Callable[[_Place], Patch | None]:
    """Sets an attribute of the Terraform resource that begins on the line."""

    def write(place: _Place) -> Patch | None:
        if not re.match(r'\s*resource\s+"', place.text) or not place.text.rstrip().endswith("{"):
            return None
        for number in range(place.line, len(place.lines)):
            text = place.lines[number]
            if text.startswith("}"):
                break
            if re.match(rf"\s*{name}\s*=", text):
                return Patch(title, place.path, number + 1, 1, (f"  {name} = {value}",), safe)
        return Patch(title, place.path, place.line + 1, 0, (f"  {name} = {value}",), safe)

    return write


def _word(pattern: str, instead: str, title: str, *, safe: bool) -> Callable[[_Place], Patch | None]:
    """Replaces what a pattern finds on the line."""

    def write(place: _Place) -> Patch | None:
        text = re.sub(pattern, instead, place.text, count=1)
        return Patch(title, place.path, place.line, 1, (text,), safe) if text != place.text else None

    return write


def _default_deny(place: _Place) -> Patch | None:
    """A policy that lets the pods of the namespace reach each other, and nobody else reach them."""
    namespace = place.finding.name.removeprefix("k8s:")
    if not place.path.lower().endswith((".yaml", ".yml")):
        return None
    inserted = (
        "---",
        "apiVersion: networking.k8s.io/v1",
        "kind: NetworkPolicy",
        "metadata:",
        "  name: own-namespace-only",
        f"  namespace: {namespace}",
        "spec:",
        "  podSelector: {}",
        "  policyTypes: [Ingress]",
        "  ingress:",
        "  - from:",
        "    - podSelector: {}",
    )
    title = f"let only pods of {namespace} reach its pods"
    return Patch(title, place.path, len(place.lines) + 1, 0, inserted, safe=False)


def _pod_security(place: _Place) -> Patch | None:
    """The label that has the namespace refuse privileged pods."""
    name = place.finding.name.removeprefix("k8s:")
    found = place.estates.kubernetes.objects.get(f"k8s:-/namespace/{name}")
    metadata = found.value.get("metadata") if found is not None and found.file.path == place.path else None
    if not isinstance(metadata, Map) or (
        metadata.at("name") == metadata.line and "{" in place.lines[metadata.line - 1]
    ):
        return None
    title = f"have the namespace {name} refuse privileged pods"
    label = f"{_ENFORCE}: baseline"
    labels = metadata.get("labels")
    if isinstance(labels, Map) and _ENFORCE in labels:
        text = re.sub(r"(?<=: ).*$", "baseline", place.lines[labels.at(_ENFORCE) - 1])
        return Patch(title, place.path, labels.at(_ENFORCE), 1, (text,), safe=False)
    if isinstance(labels, Map) and labels.line > metadata.at("labels"):
        indent = re.match(r"\s*", place.lines[labels.line - 1])
        return Patch(title, place.path, labels.line, 0, (f"{indent[0] if indent else ''}{label}",), safe=False)
    if "labels" in metadata:
        return None
    indent = re.match(r"\s*", place.lines[metadata.at("name") - 1])
    blanks = indent[0] if indent else "  "
    return Patch(title, place.path, metadata.at("name"), 0, (f"{blanks}labels:", f"{blanks}  {label}"), safe=False)


def _public_block(place: _Place) -> Patch | None:
    """A block of public access for a bucket of Terraform that is one."""
    match = re.match(r'\s*resource\s+"aws_s3_bucket"\s+"([^"]+)"', place.text)
    body = place.lines[place.line : place.line + 20]
    if match is None or any(re.match(r"\s*(?:count|for_each)\s*=", text) for text in body):
        return None
    inserted = (
        "",
        f'resource "aws_s3_bucket_public_access_block" "{match[1]}" {{',
        f"  bucket                  = aws_s3_bucket.{match[1]}.id",
        "  block_public_acls       = true",
        "  block_public_policy     = true",
        "  ignore_public_acls      = true",
        "  restrict_public_buckets = true",
        "}",
    )
    return Patch("block public access", place.path, len(place.lines) + 1, 0, inserted, safe=False)


_WRITERS: Final[dict[str, Callable[[_Place], Patch | None]]] = {
    "aws-bucket-public-block": _public_block,
    "aws-file-system-plaintext": _setting("encrypted", "true", "encrypt the file system", safe=False),
    "aws-key-rotation": _setting("enable_key_rotation", "true", "rotate the key each year", safe=True),
    "aws-registry-mutable": _setting("image_tag_mutability", '"IMMUTABLE"', "keep tags where they are", safe=False),
    "k8s-mesh-permissive": _word(r"\b(?:PERMISSIVE|DISABLE|UNSET)\b", "STRICT", "let mutual TLS in only", safe=False),
    "k8s-network-policy-missing": _default_deny,
    "k8s-pod-security-missing": _pod_security,
}
