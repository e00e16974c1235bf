"""The dossier: one offline file with a decision and all that it rests on. Format: docs/spec/dossier.md."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final

from assaymark.core.canonical import canonical_json, parse_object
from assaymark.core.errors import InputError
from assaymark.core.limits import (
    DOSSIER_MAX_BYTES,
    DOSSIER_MAX_ENTRIES,
    PROOF_MAX_HASHES,
    ROOT_MAX_VERSIONS,
    TREE_MAX_SIZE,
)

DOSSIER_FORMAT: Final = "assaymark:dossier/v1"
_KEYS: Final = {"checkpoint", "consistency", "decision", "evidence", "format", "manifest", "policies", "roots"}
_HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class DossierEntry:
    """One entry of the log with its inclusion proof to the dossier's checkpoint."""

    index: int
    leaf: bytes
    hashes: tuple[bytes, ...]
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Dossier:
    """Bytes that ``trust.replay`` checks; nothing in it is believed before.

    ``policies`` are the policies that were set, oldest first, and what is said about them; ``evidence`` is what the
    decision names as its inputs; ``roots`` are the entries of the root chain, oldest first; ``consistency`` leads
    from the tree that was decided about to the checkpoint's; ``manifest`` holds the subject's canonical manifest.
    """

    decision: DossierEntry
    policies: tuple[DossierEntry, ...]
    evidence: tuple[DossierEntry, ...]
    roots: tuple[DossierEntry, ...]
    checkpoint: bytes
    consistency: tuple[bytes, ...]
    manifest: bytes

    def to_bytes(self) -> bytes:
        """The canonical bytes of the file."""
        return canonical_json(
            {
                "checkpoint": self.checkpoint.decode(),
                "consistency": [_encode(item) for item in self.consistency],
                "decision": _entry_json(self.decision),
                "evidence": [_entry_json(entry) for entry in self.evidence],
                "format": DOSSIER_FORMAT,
                "manifest": self.manifest.decode(),
                "policies": [_entry_json(entry) for entry in self.policies],
                "roots": [_entry_json(root) for root in self.roots],
            }
        )


def parse_dossier(data: bytes) -> Dossier:
    """Read a dossier in its one canonical spelling; nothing in it is verified yet.

    Raises:
        InputError: a ``json-*`` code, ``dossier-form`` with the JSON path, or ``dossier-canonical``.
    """
    document = parse_object(data, limit=DOSSIER_MAX_BYTES)
    if document.get("format") != DOSSIER_FORMAT:
        raise InputError("dossier-form", f"not a dossier of format {DOSSIER_FORMAT}", position="$.format")
    if set(document) != _KEYS:
        odd = ", ".join(sorted(set(document) ^ _KEYS))
        raise InputError("dossier-form", f"missing or unknown parts: {odd}", position="$")
    evidence = _list(document, "evidence", DOSSIER_MAX_ENTRIES)
    dossier = Dossier(
        decision=_entry(document["decision"], "$.decision"),
        policies=tuple(
            _entry(item, f"$.policies[{i}]")
            for i, item in enumerate(_list(document, "policies", DOSSIER_MAX_ENTRIES))
        ),
        evidence=tuple(_entry(item, f"$.evidence[{i}]") for i, item in enumerate(evidence)),
        roots=tuple(
            _entry(item, f"$.roots[{i}]") for i, item in enumerate(_list(document, "roots", ROOT_MAX_VERSIONS))
        ),
        checkpoint=_text(document["checkpoint"], "$.checkpoint"),
        consistency=_hashes(document, "consistency", "$.consistency"),
        manifest=_text(document["manifest"], "$.manifest"),
    )
    if dossier.to_bytes() != data:
        raise InputError("dossier-canonical", "not in canonical form: something was added or written anew")
    return dossier


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _entry_json(entry: DossierEntry) -> dict[str, Any]:
    return {
        "envelope": entry.envelope.decode(),
        "hashes": [_encode(item) for item in entry.hashes],
        "index": entry.index,
        "leaf": entry.leaf.decode(),
    }


def _entry(item: Any, position: str) -> DossierEntry:
    if not isinstance(item, dict) or set(item) != {"envelope", "hashes", "index", "leaf"}:
        raise InputError("dossier-form", "an entry has envelope, hashes, index and leaf", position=position)
    index = item["index"]
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index <= TREE_MAX_SIZE:
        raise InputError("dossier-form", "an index is a whole number from 0", position=f"{position}.index")
    return DossierEntry(
        index=index,
        leaf=_text(item["leaf"], f"{position}.leaf"),
        hashes=_hashes(item, "hashes", f"{position}.hashes"),
        envelope=_text(item["envelope"], f"{position}.envelope"),
    )


def _list(document: dict[str, Any], key: str, limit: int) -> list[Any]:
    value = document[key]
    if not isinstance(value, list) or len(value) > limit:
        raise InputError("dossier-form", f"expected a list of at most {limit}", position=f"$.{key}")
    return value


def _text(value: Any, position: str) -> bytes:
    if not isinstance(value, str):
        raise InputError("dossier-form", "expected text", position=position)
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise InputError("dossier-form", "text with a lone surrogate", position=position) from None


def _hashes(item: dict[str, Any], key: str, position: str) -> tuple[bytes, ...]:
    value = item[key]
    # A consistency proof has at most one hash more than the tree is high.
    if not isinstance(value, list) or len(value) > PROOF_MAX_HASHES + 1:
        raise InputError("dossier-form", "expected a list of hashes", position=position)
    return tuple(_hash(text, f"{position}[{i}]") for i, text in enumerate(value))


def _hash(text: Any, position: str) -> bytes:
    try:
        decoded = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != _HASH_BYTES or _encode(decoded) != text:
        raise InputError("dossier-form", "not a SHA-256 hash in base64", position=position)
    return decoded
