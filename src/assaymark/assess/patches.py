"""``patches_for``: written changes of the files that a finding is about.

Each is small and stands on lines that the finding names. *Safe* is one after which everything that ran still runs
as it did; those may be applied without a person looking, all others are shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.assess.patch import Patch, Place
from assaymark.assess.patches_source import FILES, PYTHON
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.inputs import Inputs
    from assaymark.core.report import Finding

    Writer: TypeAlias = Callable[[Place], Patch | None]
    Writers: TypeAlias = Callable[[Place], Iterable[Patch]]

_ENFORCE: Final = "pod-security.kubernetes.io/enforce"


def patches_for(finding: Finding, inputs: Inputs, estates: Estates) -> tuple[Patch, ...]:
    """The patches of a finding, to be applied together; none where nobody can write them without knowing more."""
    place = finding.locations[0]
    file = inputs.file(place.path)
    if file is None or place.line is None:
        return ()
    asked = Place(finding, file, place.line, inputs, estates)
    several = (PYTHON if place.path.endswith((".py", ".pyw")) else FILES).get(finding.rule)
    if several is not None:
        return tuple(several(asked))
    write = _WRITERS.get(finding.rule)
    found = write(asked) if write is not None else None
    return (found,) if found is not None else ()


def _setting(name: str, value: str, title: str, *, safe: bool) -> Writer:
    """Sets an attribute of the Terraform resource that begins on the line."""

    def write(place: Place) -> Patch | None:
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


def _word(pattern: str, instead: str, title: str, *, safe: bool) -> Writer:
    """Replaces what a pattern finds on the line."""

    def write(place: Place) -> Patch | None:
        text = re.sub(pattern, instead, place.text, count=1)
        return Patch(title, place.path, place.line, 1, (text,), safe) if text != place.text else None

    return write


def _default_deny(place: Place) -> Patch | None:
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


def _pod_security(place: Place) -> Patch | None:
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


def _public_block(place: Place) -> Patch | None:
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


def _tls_only(place: Place) -> Patch | None:
    """A policy that refuses requests without TLS, for a bucket of Terraform that has no policy in the file."""
    match = re.match(r'\s*resource\s+"aws_s3_bucket"\s+"([^"]+)"', place.text)
    body = place.lines[place.line : place.line + 20]
    if match is None or any(re.match(r"\s*(?:count|for_each)\s*=", text) for text in body):
        return None
    if any("aws_s3_bucket_policy" in text for text in place.lines):
        return None
    bucket = f"aws_s3_bucket.{match[1]}"
    inserted = (
        "",
        f'resource "aws_s3_bucket_policy" "{match[1]}_tls_only" {{',
        f"  bucket = {bucket}.id",
        "  policy = jsonencode({",
        '    Version = "2012-10-17"',
        "    Statement = [{",
        '      Sid       = "TlsOnly"',
        '      Effect    = "Deny"',
        '      Principal = "*"',
        '      Action    = "s3:*"',
        f'      Resource  = [{bucket}.arn, "${{{bucket}.arn}}/*"]',
        '      Condition = { Bool = { "aws:SecureTransport" = "false" } }',
        "    }]",
        "  })",
        "}",
    )
    return Patch("refuse requests without TLS", place.path, len(place.lines) + 1, 0, inserted, safe=False)


_WRITERS: Final[dict[str, Writer]] = {
    "aws-bucket-plaintext": _tls_only,
    "aws-bucket-public-block": _public_block,
    "aws-file-system-plaintext": _setting("encrypted", "true", "encrypt the file system", safe=False),
    "aws-key-rotation": _setting("enable_key_rotation", "true", "rotate the key each year", safe=True),
    "aws-registry-mutable": _setting("image_tag_mutability", '"IMMUTABLE"', "keep tags where they are", safe=False),
    "k8s-mesh-permissive": _word(r"\b(?:PERMISSIVE|DISABLE|UNSET)\b", "STRICT", "let mutual TLS in only", safe=False),
    "k8s-network-policy-missing": _default_deny,
    "k8s-pod-security-missing": _pod_security,
}
