"""Strict reader, and writer, of one version of the trust root. Format: docs/spec/root.md."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.canonical import canonical_json, check_signable, parse_object
from assaymark.core.errors import InputError
from assaymark.core.limits import ROOT_MAX_BYTES, ROOT_MAX_KEYS
from assaymark.core.names import NAME_FORM, is_name
from assaymark.core.times import format_time, parse_time
from assaymark.trust.document import PERSON, WORKLOAD, LogTrust, Principal, Role, Root
from assaymark.trust.public_key import ED25519, SCHEMES, PublicKey, check_public, key_id

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT_FORMAT: Final = "assaymark:root/v1"
ROOT_ROLE: Final = "root"
POLICY_ROLE: Final = "policy"

# C2SP signed-note: a name is not empty and has no space and no plus; vkey = name+hash+base64(type || key).
_ORIGIN: Final = re.compile(r"[!-*,-~]{1,255}")
_VKEY: Final = re.compile(r"([!-*,-~]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})")
_NOTE_ED25519: Final = b"\x01"


def make_root(
    *,
    tenant: str,
    version: int,
    expires: int,
    log: LogTrust,
    keys: Iterable[PublicKey],
    principals: Iterable[Principal],
    roles: Iterable[Role],
) -> bytes:
    """The canonical payload of a root document, ready to sign.

    Raises:
        InputError: as ``parse_root``, which has read what this returns.
    """
    document = {
        "expires": format_time(expires),
        "format": ROOT_FORMAT,
        "keys": {key.key_id: {"public": base64.b64encode(key.public).decode(), "scheme": key.scheme} for key in keys},
        "log": {"keys": sorted(log.keys), "origin": log.origin},
        "principals": {item.name: _principal_json(item) for item in principals},
        "roles": {role.name: _role_json(role) for role in roles},
        "tenant": tenant,
        "version": version,
    }
    payload = canonical_json(document)
    parse_root(payload)
    return payload


def parse_root(payload: bytes) -> Root:
    """Read a root document in its one canonical spelling.

    Raises:
        InputError: a ``json-*`` code; ``root-format``, ``root-form``, ``root-name``, ``root-key``,
            ``root-principal``, ``root-role``, ``root-log``, ``root-limit`` or ``root-canonical``.
    """
    document = parse_object(payload, limit=ROOT_MAX_BYTES)
    check_signable(document)
    if document.get("format") != ROOT_FORMAT:
        raise InputError("root-format", f"not a root of format {ROOT_FORMAT}", position="$.format")
    _check_keys(
        document, {"expires", "format", "keys", "log", "principals", "roles", "tenant", "version"}, set(), "$"
    )
    if not is_name(document["tenant"]):
        raise InputError("root-name", f"a tenant's name has the form {NAME_FORM}", position="$.tenant")
    version = document["version"]
    if type(version) is not int or version < 1:
        raise InputError("root-form", "a version is a whole number from 1", position="$.version")
    keys = _keys(_object(document["keys"], "$.keys"))
    principals = _principals(_object(document["principals"], "$.principals"))
    owners = _owners(keys, principals)
    root = Root(
        tenant=document["tenant"],
        version=version,
        expires=_time(document["expires"]),
        log=_log(_object(document["log"], "$.log"), keys),
        keys=MappingProxyType(keys),
        principals=MappingProxyType(principals),
        roles=MappingProxyType(_roles(_object(document["roles"], "$.roles"), principals)),
        payload=payload,
        owners=MappingProxyType(owners),
    )
    if canonical_json(document) != payload:
        raise InputError("root-canonical", "not in canonical form", position="$")
    return root


def _keys(table: dict[str, Any]) -> dict[str, PublicKey]:
    if len(table) > ROOT_MAX_KEYS:
        raise InputError("root-limit", f"more than {ROOT_MAX_KEYS} keys", position="$.keys")
    keys: dict[str, PublicKey] = {}
    for name, item in table.items():
        where = f"$.keys.{_shown(name)}"
        entry = _object(item, where)
        _check_keys(entry, {"public", "scheme"}, set(), where)
        scheme = entry["scheme"]
        if scheme not in SCHEMES:
            raise InputError("root-key", f"the scheme is not {' or '.join(SCHEMES)}", position=f"{where}.scheme")
        public = _base64(entry["public"], f"{where}.public")
        try:
            expected = key_id(scheme, public)
        except InputError as error:
            raise InputError("root-key", error.message, position=f"{where}.public") from None
        if name != expected:
            raise InputError("root-key", f"the key's id is {expected}", position=where)
        keys[name] = PublicKey(scheme, public)
    return keys


def _principals(table: dict[str, Any]) -> dict[str, Principal]:
    principals: dict[str, Principal] = {}
    for name, item in table.items():
        where = f"$.principals.{_shown(name)}"
        if not is_name(name):
            raise InputError("root-name", f"a principal's name has the form {NAME_FORM}", position=where)
        entry = _object(item, where)
        _check_keys(entry, {"keys", "kind"}, {"formerKeys", "registeredBy"}, where)
        kind, registrar = entry["kind"], entry.get("registeredBy", "")
        if kind not in (PERSON, WORKLOAD):
            raise InputError("root-principal", f"neither {PERSON} nor {WORKLOAD}", position=f"{where}.kind")
        if (kind == WORKLOAD) != ("registeredBy" in entry):
            raise InputError(
                "root-principal", "a workload, and only that, names the person who answers for it", position=where
            )
        if not isinstance(registrar, str):
            raise InputError("root-form", "expected text", position=f"{where}.registeredBy")
        former = _strings(entry.get("formerKeys", []), f"{where}.formerKeys")
        if "formerKeys" in entry and not former:
            raise InputError("root-canonical", "an empty list is left out", position=f"{where}.formerKeys")
        principals[name] = Principal(name, _strings(entry["keys"], f"{where}.keys"), kind, registrar, former)
    for principal in principals.values():
        registrar = principal.registered_by
        if principal.kind == WORKLOAD and (registrar not in principals or principals[registrar].kind != PERSON):
            where = f"$.principals.{principal.name}.registeredBy"
            raise InputError("root-principal", "not a person of this root", position=where)
    return principals


def _owners(keys: dict[str, PublicKey], principals: dict[str, Principal]) -> dict[str, str]:
    owners: dict[str, str] = {}
    for principal in principals.values():
        where = f"$.principals.{principal.name}.keys"
        for key in (*principal.keys, *principal.former):
            if key not in keys:
                raise InputError("root-principal", f"no key {_shown(key)} in this root", position=where)
            if key in owners:
                raise InputError(
                    "root-principal", f"key {key} belongs to {owners[key]} and {principal.name}", position=where
                )
            owners[key] = principal.name
    for key in keys:
        if key not in owners:
            raise InputError("root-key", "a key that belongs to nobody", position=f"$.keys.{key}")
    return owners


def _roles(table: dict[str, Any], principals: dict[str, Principal]) -> dict[str, Role]:
    roles: dict[str, Role] = {}
    for name, item in table.items():
        where = f"$.roles.{_shown(name)}"
        if not is_name(name):
            raise InputError("root-name", f"a role's name has the form {NAME_FORM}", position=where)
        entry = _object(item, where)
        _check_keys(entry, {"principals"}, {"threshold"}, where)
        members = _strings(entry["principals"], f"{where}.principals")
        for member in members:
            if member not in principals:
                raise InputError(
                    "root-role", f"no principal {_shown(member)} in this root", position=f"{where}.principals"
                )
        threshold = entry.get("threshold")
        # A person and a workload of theirs are one: a threshold above the people would never be met.
        people = len({principals[member].person for member in members})
        if "threshold" in entry and (type(threshold) is not int or not 1 <= threshold <= people):
            raise InputError(
                "root-role",
                f"a threshold is from 1 to the {people} people among the members",
                position=f"{where}.threshold",
            )
        roles[name] = Role(name, members, threshold)
    for name in (ROOT_ROLE, POLICY_ROLE):
        if name not in roles or roles[name].threshold is None:
            raise InputError("root-role", f"the role {name} is there and has a threshold", position=f"$.roles.{name}")
    return roles


def _log(table: dict[str, Any], keys: dict[str, PublicKey]) -> LogTrust:
    _check_keys(table, {"keys", "origin"}, set(), "$.log")
    origin = table["origin"]
    if not isinstance(origin, str) or not _ORIGIN.fullmatch(origin):
        raise InputError("root-log", "an origin is ASCII text without space or plus", position="$.log.origin")
    vkeys = _strings(table["keys"], "$.log.keys")
    people = {key.public for key in keys.values()}
    for i, text in enumerate(vkeys):
        where = f"$.log.keys[{i}]"
        if _log_key(text, origin, where) in people:
            raise InputError("root-log", "the log's key belongs to no principal", position=where)
    if not vkeys:
        raise InputError("root-log", "a log has a key", position="$.log.keys")
    return LogTrust(origin, vkeys)


def _log_key(text: str, origin: str, where: str) -> bytes:
    """The 32 bytes of an Ed25519 vkey (C2SP signed-note) whose name is the log's origin."""
    match = _VKEY.fullmatch(text)
    if match is None or match[1] != origin:
        raise InputError("root-log", "not a verifier key of the form ORIGIN+hash+key", position=where)
    blob = _base64(match[3], where)
    hashed = hashlib.sha256(match[1].encode() + b"\n" + blob).hexdigest()[:8]
    if blob[:1] != _NOTE_ED25519 or hashed != match[2]:
        raise InputError("root-log", "not an Ed25519 verifier key, or its hash is another key's", position=where)
    try:
        check_public(ED25519, blob[1:])
    except InputError as error:
        raise InputError("root-log", error.message, position=where) from None
    return blob[1:]


def _principal_json(principal: Principal) -> dict[str, Any]:
    document: dict[str, Any] = {"keys": sorted(principal.keys), "kind": principal.kind}
    if principal.former:
        document["formerKeys"] = sorted(principal.former)
    if principal.registered_by:
        document["registeredBy"] = principal.registered_by
    return document


def _role_json(role: Role) -> dict[str, Any]:
    document: dict[str, Any] = {"principals": sorted(role.principals)}
    return document if role.threshold is None else document | {"threshold": role.threshold}


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError("root-form", "expected an object", position=where)
    return value


def _check_keys(table: dict[str, Any], required: set[str], optional: set[str], where: str) -> None:
    missing, unknown = sorted(required - set(table)), sorted(set(table) - required - optional)
    if missing or unknown:
        what = f"{missing[0]} is missing" if missing else f"unknown member {_shown(unknown[0])}"
        raise InputError("root-form", what, position=where)


def _strings(value: Any, where: str) -> tuple[str, ...]:
    """A list of distinct texts, sorted: one spelling for one set."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InputError("root-form", "expected a list of text", position=where)
    if any(one >= two for one, two in pairwise(value)):
        raise InputError("root-canonical", "not sorted, or one occurs twice", position=where)
    return tuple(value)


def _base64(value: Any, where: str) -> bytes:
    try:
        decoded = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded or base64.b64encode(decoded).decode() != value:
        raise InputError("root-form", "not base64 in its one spelling", position=where)
    return decoded


def _time(value: Any) -> int:
    try:
        return parse_time(value if isinstance(value, str) else "")
    except InputError as error:
        raise InputError("root-form", error.message, position="$.expires", remedy=error.remedy) from None


def _shown(text: str) -> str:
    return text[:80] if text[:80].isprintable() else repr(text[:80])
