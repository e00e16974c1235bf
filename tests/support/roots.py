"""Keys, roots and signed envelopes for tests. Keys follow from names, so that a failure is the same every time."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assaymark.core.canonical import canonical_json
from assaymark.core.statement import ROOT_PAYLOAD_TYPE, Envelope, Signature, make_envelope, pae
from assaymark.trust.public_key import ED25519, PublicKey
from assaymark.trust.root import LogTrust, Principal, Role, make_root

ORIGIN = "log.example.com/default"
EXPIRES = 1_809_129_600  # 2027-05-01T00:00:00Z


def private(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def public(name: str) -> PublicKey:
    return PublicKey(ED25519, private(name).public_key().public_bytes_raw())


def key_of(name: str) -> str:
    return public(name).key_id


def vkey(key: PublicKey, origin: str = ORIGIN) -> str:
    """C2SP signed-note: name+hex(first 4 bytes of SHA-256(name, newline, type, key))+base64(type, key)."""
    blob = b"\x01" + key.public
    digest = hashlib.sha256(origin.encode() + b"\n" + blob).hexdigest()[:8]
    return f"{origin}+{digest}+{base64.b64encode(blob).decode()}"


def root_payload(version: int = 1, **changes: Any) -> bytes:
    """Alice and Bob hold the roles root and policy together; Carol approves; a scanner answers to Alice."""
    names = changes.pop("names", ("alice", "bob", "carol"))
    people = [Principal(name, (key_of(name),)) for name in names]
    values: dict[str, Any] = {
        "tenant": "default",
        "version": version,
        "expires": EXPIRES,
        "log": LogTrust(ORIGIN, (vkey(public("log")),)),
        "keys": [public(name) for name in (*names, "scanner")],
        "principals": [*people, Principal("scanner", (key_of("scanner"),), "workload", names[0])],
        "roles": [
            Role("root", names[:2], 2),
            Role("policy", names[:2], 2),
            Role("approver", names[1:]),
            Role("scanner", ("scanner",)),
        ],
    }
    return make_root(**(values | changes))


def edited(**changes: Any) -> dict[str, Any]:
    """The document of a good root, for a test to spoil: ``a__b=1`` sets $.a.b, ``...`` deletes it."""
    document = json.loads(root_payload())
    for path, value in changes.items():
        *parents, last = path.split("__")
        table = document
        for parent in parents:
            table = table[parent]
        if value is ...:
            del table[last]
        else:
            table[last] = value
    return document


def edited_payload(**changes: Any) -> bytes:
    return canonical_json(edited(**changes))


def signed(
    payload: bytes, *names: str, payload_type: str = ROOT_PAYLOAD_TYPE, key_ids: dict[str, str] | None = None
) -> Envelope:
    """An envelope signed by the keys of ``names``; ``key_ids`` overrides the hints."""
    message = pae(payload_type, payload)
    hints = key_ids or {}
    signatures = tuple(Signature(hints.get(name, key_of(name)), private(name).sign(message)) for name in names)
    return make_envelope(payload_type, payload, signatures)
