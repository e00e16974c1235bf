"""Rotate, retire and give up keys: a new version of the root and a key-event, logged together.

The new root moves the key to its owner's former ones, so that it signs no root any more; the key-event says from
which entry on nothing that it signed counts. Either alone fails closed: docs/spec/key-event.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.decision import Outcome
from assaymark.core.errors import InputError, UsageError, VerificationError
from assaymark.core.limits import DECISION_MAX_VALIDITY_SECONDS
from assaymark.core.statement import DECISION, KEY_EVENT, ROOT_PAYLOAD_TYPE, make_statement, parse_envelope
from assaymark.core.statement import parse_statement as read_statement
from assaymark.core.subject import Subject
from assaymark.keys.file import load_public, public_path
from assaymark.policy.statement import parse_decision
from assaymark.service.decide import decide_on
from assaymark.service.evidence import gather
from assaymark.service.keys import new_key
from assaymark.service.publish import publish, sign, sign_statement
from assaymark.service.workspace import CONFIG_NAME
from assaymark.store.files import write_durable
from assaymark.trust.key_events import COMPROMISED, KEY_KIND, RETIRED
from assaymark.trust.parse import ROOT_ROLE
from assaymark.trust.root import make_root, verify_root_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from assaymark.core.attestation import Receipt
    from assaymark.keys.signers import Signer
    from assaymark.service.verdict import Verdict
    from assaymark.service.workspace import Workspace
    from assaymark.trust.document import Principal, Root
    from assaymark.trust.public_key import PublicKey

_PREFIX_MIN: Final = 8


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What was logged of a key. ``cut`` is the first index at which what it signed counts no more.

    ``again`` are the standing permits that fell by it, as decided again.
    """

    root: Root
    owner: str
    key: str
    event: str
    cut: int
    receipt: Receipt
    new_key: str = ""
    again: tuple[Verdict, ...] = ()


def find_key(workspace: Workspace, named: str) -> str:
    """The id of a key of the root: named by its id, the beginning of it, or an owner who has one active key.

    Raises:
        UsageError: ``key-unknown``, or ``key-ambiguous`` when the name fits several.
    """
    root = workspace.trust().root
    principal = root.principals.get(named)
    if principal is not None:
        found = list(principal.keys)
    else:
        found = [key for key in root.keys if len(named) >= _PREFIX_MIN and key.startswith(named)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            "key-unknown",
            "the trust root holds no such key, and no principal of that name with one",
            source=named[:80],
            remedy="`assaymark keys list` shows the keys",
        )
    raise UsageError(
        "key-ambiguous", f"{len(found)} keys fit", source=named[:80], remedy=f"name one by its id: {', '.join(found)}"
    )


def rotate_key(
    workspace: Workspace,
    key: str,
    public_key: str,
    reason: str,
    signers: Sequence[Signer],
    clock: Callable[[], int],
) -> KeyChange:
    """Put a new public key in the place of ``key``: what the old one signed so far stands.

    Raises:
        UsageError: ``key-former``, ``key-taken``, or as the key's loader raises.
        VerificationError: ``root-threshold`` or ``key-event-threshold`` when the signers are not enough.
    """
    root = workspace.trust().root
    owner = _active(root, key)
    new = new_key(root, owner.name, public_key)
    if new is None or new.key_id in root.keys:
        raise UsageError("key-taken", "the new key is in the trust root already", source=public_key)
    return _change(workspace, root, key, RETIRED, reason, signers, clock, new=new)


def retire_key(
    workspace: Workspace, key: str, reason: str, signers: Sequence[Signer], clock: Callable[[], int]
) -> KeyChange:
    """End a key: what it signed so far stands, what it signs from here on does not.

    Raises:
        UsageError, VerificationError: as ``rotate_key``.
    """
    root = workspace.trust().root
    _active(root, key)
    return _change(workspace, root, key, RETIRED, reason, signers, clock)


def compromise_key(
    workspace: Workspace,
    key: str,
    since: int,
    reason: str,
    signers: Sequence[Signer],
    clock: Callable[[], int],
) -> KeyChange:
    """Declare that a key was another's since an entry: nothing that it signed there or later counts.

    Standing permits that would not be given any more are decided again, and that is logged.
    A key that was retired before may be declared compromised too.

    Raises:
        UsageError, VerificationError: as ``rotate_key``; ``log-index`` when there is no such entry yet.
    """
    tree = workspace.trust()
    if not 0 <= since <= tree.checkpoint.size:
        raise UsageError("log-index", f"the log has entries 0 to {tree.checkpoint.size - 1}, not {since}")
    change = _change(workspace, tree.root, key, COMPROMISED, reason, signers, clock, since=since)
    return replace(change, again=_decide_again(workspace, clock))


def _active(root: Root, key: str) -> Principal:
    owner = root.owner(key)
    if key in owner.former:
        raise UsageError("key-former", f"{owner.name} no longer signs with this key", source=key)
    return owner


def _change(
    workspace: Workspace,
    root: Root,
    key: str,
    event: str,
    reason: str,
    signers: Sequence[Signer],
    clock: Callable[[], int],
    *,
    new: PublicKey | None = None,
    since: int | None = None,
) -> KeyChange:
    owner = root.owner(key)
    changed = replace(
        owner,
        keys=tuple(sorted({*owner.keys, *([new.key_id] if new else [])} - {key})),
        former=tuple(sorted({*owner.former, key})),
    )
    envelopes = []
    after = root
    if changed != owner:
        payload = make_root(
            tenant=root.tenant,
            version=root.version + 1,
            expires=root.expires,
            log=root.log,
            keys=[*root.keys.values(), *([new] if new else [])],
            principals=[*(item for item in root.principals.values() if item.name != owner.name), changed],
            roles=root.roles.values(),
        )
        envelope = sign(ROOT_PAYLOAD_TYPE, payload, signers)
        # Refused here, before it is logged: a root that does not follow would stop every later decision.
        chain = workspace.root_envelopes(workspace.trust().roots)
        after = verify_root_chain([*chain, envelope], workspace.config.root)
        envelopes.append(envelope)
    able = _able(after, key, signers)
    statement = make_statement(
        (Subject(f"key of {owner.name}", f"sha256:{key}", KEY_KIND),),
        KEY_EVENT,
        key_event_predicate(workspace, event, reason, since=since, successor=new.key_id if new else ""),
    )
    envelopes.append(sign_statement(statement.payload, able))
    receipt = publish(workspace, envelopes, clock())[-1]
    cut = receipt.index if since is None else min(since, receipt.index)
    return KeyChange(after, owner.name, key, event, cut, receipt, new.key_id if new else "")


def key_event_predicate(
    workspace: Workspace, event: str, reason: str, *, since: int | None = None, successor: str = ""
) -> dict[str, Any]:
    """``assaymark:key-event/v1``: docs/spec/key-event.md."""
    predicate: dict[str, Any] = {
        "event": event,
        "origin": workspace.config.origin,
        "reason": reason,
        "tenant": workspace.config.tenant,
    }
    if since is not None:
        predicate["since"] = since
    if successor:
        predicate["successor"] = successor
    return predicate


def _able(root: Root, key: str, signers: Sequence[Signer]) -> list[Signer]:
    """Those signers who may speak about ``key``: holders of the root role by active keys other than it."""
    role = root.roles[ROOT_ROLE]
    able = [
        signer
        for signer in signers
        if signer.key_id in root.keys
        and signer.key_id != key
        and not root.is_former(signer.key_id)
        and root.owner(signer.key_id).name in role.principals
    ]
    count = len({root.owner(signer.key_id).person for signer in able})
    if count < (role.threshold or 1):
        raise VerificationError(
            "key-event-threshold",
            f"role {ROOT_ROLE} wants {role.threshold} signers; these keys are of {count} that may speak about it",
            source=key,
            remedy="sign with keys of: " + ", ".join(role.principals) + "; a key does not speak about itself",
        )
    return able


def _decide_again(workspace: Workspace, clock: Callable[[], int]) -> tuple[Verdict, ...]:
    """Decide anew, and log it, where a standing permit would not be given any more."""
    size = workspace.log.checkpoint()[1].size
    seen: set[tuple[str, str]] = set()
    again = []
    for index in workspace.log.by_predicate(DECISION, size, newest_first=True):
        leaf, envelope = workspace.log.entry(index)
        if leaf.logged_at < clock() - DECISION_MAX_VALIDITY_SECONDS:
            break  # no decision that was logged before stands
        try:
            decision = parse_decision(read_statement(parse_envelope(envelope).payload))
        except InputError:
            continue  # nobody's decision permits nothing
        request, now = decision.request, clock()
        place = (request.subject.digest, request.scope.environment)
        newest = place not in seen
        seen.add(place)
        if not newest or decision.outcome is not Outcome.PERMIT or now >= decision.valid_until:
            continue
        if gather(workspace, request.subject.digest).decide(request, now).outcome is not Outcome.PERMIT:
            again.append(decide_on(workspace, request, clock))
    return tuple(again)


def own_key_name(workspace: Workspace, key: str) -> str:
    """Which of the workspace's own keys this is, by the configuration: ``owner``, ``service``, or an empty text."""
    for name in ("owner", "service"):
        uri = workspace.config.keys[name]
        scheme, _, rest = uri.partition(":")
        place = workspace.folder / rest
        if scheme == "file" and place.is_file() and load_public(public_path(place)).key_id == key:
            return name
    return ""


def successor_path(workspace: Workspace, name: str, version: int) -> Path:
    """Where the workspace keeps the next key of that name."""
    return workspace.folder / "keys" / f"{name}-{version}.key"


def use_key(workspace: Workspace, name: str, path: Path) -> None:
    """Let the workspace's configuration name another of its own keys, durably.

    Raises:
        UnavailableError: the configuration cannot be written; the key is named there by hand then.
    """
    uri = f"file:{path.relative_to(workspace.folder).as_posix()}"
    workspace.config.keys[name] = uri
    write_durable(workspace.folder / CONFIG_NAME, workspace.config.to_toml().encode())
