"""Enrol people and renew the trust root: each a new version, signed by the thresholds of both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.core.errors import UsageError, VerificationError
from assaymark.core.names import NAME_FORM, is_name
from assaymark.core.statement import KEY_EVENT, ROOT_PAYLOAD_TYPE
from assaymark.keys.signers import load_public_key
from assaymark.service.evidence import Reader
from assaymark.service.policy import current_policy
from assaymark.service.publish import publish, sign
from assaymark.service.setup import OWNER_ROLES, POINT_ROLE, ROOT_VALIDITY_SECONDS, SERVICE_ROLES
from assaymark.trust.document import PERSON, WORKLOAD, Principal, Role
from assaymark.trust.key_events import key_standing
from assaymark.trust.parse import ROOT_ROLE
from assaymark.trust.root import make_root, verify_root_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assaymark.core.attestation import Receipt
    from assaymark.keys.signers import Signer
    from assaymark.service.workspace import TrustedTree, Workspace
    from assaymark.trust.document import Root
    from assaymark.trust.public_key import PublicKey


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The root after a change. ``receipt`` is None when nothing had to change."""

    root: Root
    receipt: Receipt | None


def find_public_key(name: str, named: str | None, workspace: Workspace) -> str | None:
    """The URI of a person's public key: as named, else ``NAME.pub`` here, else in the workspace's keys.

    None for somebody who is enrolled already and brings no further key.

    Raises:
        UsageError: ``key-not-found``.
    """
    if named:
        return named if named.startswith("file:") else f"file:{named}"
    for place in (Path(f"{name}.pub"), workspace.folder / "keys" / f"{name}.pub"):
        if place.is_file():
            return f"file:{place}"
    if name in workspace.trust().root.principals:
        return None
    raise UsageError(
        "key-not-found",
        f"no public key of {name} is named, and there is no {name}.pub here",
        remedy=f"ask {name} for the .pub file that `assaymark keys generate {name}` made, and name it: --public FILE",
    )


def add_principal(
    workspace: Workspace,
    name: str,
    roles: Sequence[str],
    public_key: str | None,
    signers: Sequence[Signer],
    clock: Callable[[], int],
    *,
    registered_by: str = "",
) -> Enrolled:
    """Enrol a person (or a workload that a person registers) with a public key, in roles. Idempotent.

    Raises:
        UsageError: ``name-form``, ``key-taken``, ``key-former``, ``principal-kind`` or ``registrar-unknown``.
        VerificationError: ``root-threshold`` when the signers are not enough.
    """
    for text in (name, *roles):
        if not is_name(text):
            raise UsageError("name-form", f"{text!r} is not a name", remedy=f"names have the form {NAME_FORM}")
    root = workspace.trust().root
    if registered_by:
        _check_person(root, registered_by)
    keys = dict(root.keys)
    new = new_key(root, name, public_key)
    if new is not None:
        keys[new.key_id] = new
    known = root.principals.get(name)
    kind = WORKLOAD if registered_by else PERSON
    if known is not None and (known.kind, known.registered_by) != (kind, registered_by):
        raise UsageError("principal-kind", f"{name} is enrolled as a {known.kind} already")
    principals = dict(root.principals)
    if known is not None and new is not None and new.key_id in known.former:
        raise UsageError("key-former", f"{name} no longer signs with this key", source=public_key or "")
    principals[name] = Principal(
        name,
        tuple(sorted({*(known.keys if known else ()), *([new.key_id] if new else [])})),
        kind,
        registered_by,
        known.former if known else (),
    )
    changed = dict(root.roles)
    for role in roles:
        before = changed.get(role, Role(role, ()))
        changed[role] = Role(role, tuple(sorted({*before.principals, name})), before.threshold)
    return _next_version(workspace, root, root.expires, keys, principals, changed, signers, clock)


def _check_person(root: Root, name: str) -> None:
    people = sorted(item.name for item in root.principals.values() if item.kind == PERSON)
    if name not in people:
        raise UsageError(
            "registrar-unknown",
            f"{name!r} is no person of the trust root, and one of them answers for a workload",
            remedy=f"--registered-by one of {', '.join(people)}",
        )


def unused_roles(workspace: Workspace, roles: Sequence[str]) -> list[str]:
    """Those of ``roles`` that nothing asks for: a policy that will want one may follow, or it is a typing error."""
    try:
        policy = current_policy(workspace).policy
    except VerificationError:
        return []
    asked = {*OWNER_ROLES, *SERVICE_ROLES, POINT_ROLE}
    for requirement in policy.change.require if policy.change else ():
        asked.update(requirement.roles)
    for environment in policy.environments:
        asked.update(environment.contain_roles)
        asked.update(environment.exceptions.roles if environment.exceptions else ())
        for requirement in (*environment.require, *environment.lift_requirements):
            asked.update(requirement.roles)
    return [role for role in roles if role not in asked]


def new_key(root: Root, name: str, public_key: str | None) -> PublicKey | None:
    """The public key that ``name`` brings, or None; another principal's is refused.

    Raises:
        UsageError: ``key-taken``, or as the key's loader raises.
    """
    if public_key is None:
        return None
    key = load_public_key(public_key)
    if key.key_id in root.keys and root.owner(key.key_id).name != name:
        raise UsageError(
            "key-taken",
            f"this key is {root.owner(key.key_id).name}'s; a key is one principal's",
            source=public_key,
            remedy=f"let {name} make a key: assaymark keys generate {name}",
        )
    return key


def set_threshold(
    workspace: Workspace, role: str, threshold: int, signers: Sequence[Signer], clock: Callable[[], int]
) -> Enrolled:
    """How many of a role's principals must sign together; the roles ``root`` and ``policy`` decide by it.

    Raises:
        UsageError: ``role-unknown``, or ``threshold-key-events`` when key-events would count no more.
        InputError: ``root-role`` when the role has fewer members.
        VerificationError: ``root-threshold`` when the signers are not enough, by the old threshold or by the new one.
    """
    tree = workspace.trust()
    root = tree.root
    roles = dict(root.roles)
    roles[role] = replace(_role(root, role), threshold=threshold)
    if role == ROOT_ROLE:
        _check_key_events(workspace, tree, replace(root, roles=roles))
    return _next_version(workspace, root, root.expires, dict(root.keys), dict(root.principals), roles, signers, clock)


def _check_key_events(workspace: Workspace, tree: TrustedTree, after: Root) -> None:
    """Refuse a threshold that earlier key-events do not meet: a former key without one never counted.

    Then all that it signed would fall, the policy in force among it.
    """
    events = Reader(workspace, tree).of_type(KEY_EVENT, tree.checkpoint.size)
    held, left = key_standing(events, tree.root).cuts, key_standing(events, after).cuts
    lost = [key for key, cut in held.items() if left.get(key) != cut]
    if lost:
        more = f"; and so for {', '.join(lost[1:])}" if lost[1:] else ""
        raise UsageError(
            "threshold-key-events",
            f"{len(lost)} of {len(held)} key-events have fewer signatures than that, and would count no more; "
            "nor would anything that those former keys ever signed",
            remedy=f"sign them anew by as many, with --sign-with for each: assaymark keys compromise {lost[0]} "
            f"--since {held[lost[0]]} --reason 'signed anew for a higher threshold'{more}",
        )


def leave_role(
    workspace: Workspace, name: str, role: str, signers: Sequence[Signer], clock: Callable[[], int]
) -> Enrolled:
    """Take a principal out of a role: what they signed in it, also earlier, counts for it no more.

    Raises:
        UsageError: ``role-unknown``.
        InputError: ``root-role`` when too few would be left.
        VerificationError: ``root-threshold`` when the signers are not enough.
    """
    root = workspace.trust().root
    known = _role(root, role)
    if name not in known.principals:
        raise UsageError(
            "role-unknown", f"{name} is not in role {role}", remedy="`assaymark keys list` shows who is in which role"
        )
    roles = dict(root.roles)
    roles[role] = replace(known, principals=tuple(item for item in known.principals if item != name))
    return _next_version(workspace, root, root.expires, dict(root.keys), dict(root.principals), roles, signers, clock)


def _role(root: Root, role: str) -> Role:
    if role in root.roles:
        return root.roles[role]
    raise UsageError("role-unknown", f"the trust root has no role {role}", remedy=f"one of {', '.join(root.roles)}")


def renew_root(workspace: Workspace, signers: Sequence[Signer], clock: Callable[[], int]) -> Enrolled:
    """The same root, good for another year from now."""
    root = workspace.trust().root
    expires = clock() + ROOT_VALIDITY_SECONDS
    return _next_version(
        workspace, root, expires, dict(root.keys), dict(root.principals), dict(root.roles), signers, clock
    )


def _next_version(
    workspace: Workspace,
    root: Root,
    expires: int,
    keys: dict[str, PublicKey],
    principals: dict[str, Principal],
    roles: dict[str, Role],
    signers: Sequence[Signer],
    clock: Callable[[], int],
) -> Enrolled:
    if (expires, keys, principals, roles) == (
        root.expires,
        dict(root.keys),
        dict(root.principals),
        dict(root.roles),
    ):
        return Enrolled(root, None)
    payload = make_root(
        tenant=root.tenant,
        version=root.version + 1,
        expires=expires,
        log=root.log,
        keys=keys.values(),
        principals=principals.values(),
        roles=roles.values(),
    )
    envelope = sign(ROOT_PAYLOAD_TYPE, payload, signers)
    # Refused here, before it is logged: a root that does not follow would stop every later decision.
    chain = workspace.root_envelopes(workspace.trust().roots)
    newest = verify_root_chain([*chain, envelope], workspace.config.root)
    (receipt,) = publish(workspace, [envelope], clock())
    return Enrolled(newest, receipt)
