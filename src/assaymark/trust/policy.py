"""The policy that a statement sets, when the root's policy role signed it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from assaymark.core.decision import LogPosition, Outcome, Request, Scope, TrustState
from assaymark.core.digest import sha256_digest
from assaymark.core.errors import InputError, VerificationError
from assaymark.core.statement import POLICY
from assaymark.core.subject import Subject
from assaymark.core.times import MAX_TIME
from assaymark.policy.decide import decide
from assaymark.policy.document import POLICY_ENVIRONMENT
from assaymark.policy.entries import Closure, Window
from assaymark.policy.parse import parse_policy
from assaymark.trust.parse import POLICY_ROLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.core.attestation import Attestation
    from assaymark.core.decision import Reason
    from assaymark.policy.document import Policy
    from assaymark.trust.document import Root

POLICY_KIND: Final = "policy"


def policy_of(attestation: Attestation, root: Root) -> bytes:
    """The TOML bytes of a policy statement.

    Raises:
        InputError: ``policy-statement`` when the statement is not one that sets a policy for the root's tenant.
        VerificationError: ``policy-threshold`` when the policy role did not sign it by its threshold.
    """
    statement = attestation.statement
    text = statement.predicate.get("toml")
    if statement.predicate_type != POLICY or not isinstance(text, str):
        raise InputError("policy-statement", "not a policy statement", source=f"entry {attestation.position}")
    data = text.encode()
    if statement.subjects[0].digest != sha256_digest(data) or statement.predicate.get("tenant") != root.tenant:
        raise InputError(
            "policy-statement",
            "the statement names another digest or tenant than its text",
            source=f"entry {attestation.position}",
        )
    threshold = root.roles[POLICY_ROLE].threshold
    signed = {signer.person for signer in attestation.signers if POLICY_ROLE in signer.roles}
    if not threshold or len(signed) < threshold:
        raise VerificationError(
            "policy-threshold",
            f"{len(signed)} of {threshold or 'no'} policy signers",
            source=f"entry {attestation.position}",
        )
    return data


def policy_after_entry(attestation: Attestation) -> int:
    """One more than the index of the policy that a policy statement replaces, 0 for the first.

    Raises:
        InputError: ``policy-statement`` when it does not say so, or names an entry that is not before it.
    """
    after = attestation.statement.predicate.get("afterEntry")
    if type(after) is not int or not 0 <= after <= attestation.position:
        raise InputError(
            "policy-statement",
            "the statement does not say which policy it replaces (afterEntry)",
            source=f"entry {attestation.position}",
        )
    return after


def policies_in_force(attestations: Iterable[Attestation], root: Root) -> list[tuple[Attestation, bytes]]:
    """The policies that came into force, oldest first, each with its TOML bytes; the last is the one in force.

    ``attestations`` are the policy statements of the log, and all that is said about their digests; signers whose
    keys do not count were left out. A policy comes into force when the policy role's threshold signed it knowing the
    one in force before it (``afterEntry``), and what that one asks of its own change was there before it: so an old
    policy that is logged again, in an envelope of other bytes, does not come back, and a policy that wants two
    approvals of its change is not swept away by one signature.
    """
    items = sorted(attestations, key=lambda item: item.position)
    in_force: list[tuple[Attestation, bytes]] = []
    for item in items:
        if item.statement.predicate_type != POLICY:
            continue
        try:
            text, after = policy_of(item, root), policy_after_entry(item)
        except (InputError, VerificationError):
            continue
        if not in_force or (
            after > in_force[-1][0].position and not unmet_for_change(*in_force[-1], item, items, root)
        ):
            in_force.append((item, text))
    return in_force


def unmet_for_change(
    in_force: Attestation, text: bytes, change: Attestation, attestations: Iterable[Attestation], root: Root
) -> tuple[Reason, ...]:
    """What the policy ``in_force``, of TOML ``text``, asks of a change, and was not there when it was logged.

    What is said about the new policy counts from the entry of the one in force on: going back to an earlier policy
    needs everything anew, in other words than before, and an approval says that it knew the one in force
    (``afterEntry``). A policy that cannot be read asks for nothing but the root's policy role.
    """
    digest = change.statement.subjects[0].digest
    return unmet_at(in_force, text, digest, change.position, change.logged_at, attestations, root)


def unmet_at(
    in_force: Attestation,
    text: bytes,
    digest: str,
    below: int,
    now: int,
    attestations: Iterable[Attestation],
    root: Root,
) -> tuple[Reason, ...]:
    """As ``unmet_for_change``, for a policy of this digest that would be logged at index ``below`` at ``now``."""
    try:
        policy = _parsed(text)
    except InputError:
        return ()
    if policy.change is None:
        return ()
    request = Request(Subject("policy", digest, POLICY_KIND), Scope(root.tenant, POLICY_ENVIRONMENT))
    # All of it first: what was said before the policy in force and is logged again is not said anew.
    said = Closure(attestations, below).on(digest).items
    window = Window(now, after=in_force.position, below=below)
    about = [item for item in said if item.statement.predicate_type != POLICY and window.holds(item)]
    decision = decide(
        policy,
        in_force.statement.subjects[0].digest,
        about,
        request,
        now,
        TrustState(root.version, root.digest, MAX_TIME),
        LogPosition(root.log.origin, below, ""),
    )
    if decision.outcome is Outcome.PERMIT:
        return ()
    return tuple(reason for reason in decision.reasons if reason.stops)


@lru_cache(maxsize=64)
def _parsed(text: bytes) -> Policy:
    return parse_policy(text)
