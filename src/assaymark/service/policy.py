"""The policy in force: show, check, set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.core.decision import Scope
from assaymark.core.digest import sha256_digest
from assaymark.core.errors import InputError, UnavailableError, UsageError, VerificationError
from assaymark.core.limits import POLICY_MAX_BYTES
from assaymark.core.statement import APPROVAL, KEY_EVENT, make_statement
from assaymark.core.subject import Subject
from assaymark.policy.document import POLICY_ENVIRONMENT
from assaymark.policy.parse import parse_policy
from assaymark.policy.predicates import approval_predicate
from assaymark.service.evidence import Reader, policy_in_force
from assaymark.service.principals import principal_in
from assaymark.service.publish import publish, sign_statement
from assaymark.service.setup import policy_statement
from assaymark.trust.key_events import counting, key_standing
from assaymark.trust.parse import POLICY_ROLE
from assaymark.trust.policy import POLICY_KIND, unmet_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from assaymark.core.attestation import Receipt
    from assaymark.core.decision import Reason
    from assaymark.keys.signers import Signer
    from assaymark.policy.document import Policy
    from assaymark.service.workspace import TrustedTree, Workspace


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A policy with its text. ``index`` is its entry in the log, None for a file."""

    text: bytes
    digest: str
    policy: Policy
    index: int | None = None


def current_policy(workspace: Workspace) -> PolicyView:
    """The policy in force in the log's newest tree.

    Raises:
        VerificationError: ``policy-none``.
    """
    tree = workspace.trust()
    index, text = policy_in_force(workspace, tree, tree.checkpoint.size)
    return PolicyView(text, sha256_digest(text), parse_policy(text), index)


def environments_in_force(workspace: Workspace) -> list[str]:
    """The names of the environments of the policy in force; none when there is none."""
    try:
        return [environment.name for environment in current_policy(workspace).policy.environments]
    except VerificationError:
        return []


def read_policy(file: Path) -> PolicyView:
    """A policy file, checked.

    Raises:
        UsageError: ``policy-missing``.
        InputError: as ``parse_policy``, with the file named.
    """
    try:
        with file.open("rb") as stream:
            text = stream.read(POLICY_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            "policy-missing",
            f"cannot read: {error.strerror}",
            source=str(file),
            remedy="begin with `assaymark policy show > policy.toml`",
        ) from None
    try:
        return PolicyView(text, sha256_digest(text), parse_policy(text))
    except InputError as error:
        raise error.at(str(file)) from None


def set_policy(
    workspace: Workspace, view: PolicyView, signers: Sequence[Signer], clock: Callable[[], int]
) -> Receipt:
    """Put a policy in force: sign it with keys of the policy role, and log it. Idempotent.

    Raises:
        VerificationError: ``policy-threshold`` when the keys do not reach the policy role's threshold;
            ``policy-change`` when what the policy in force asks of its change is not there yet.
        UnavailableError: ``policy-raced`` when somebody else set a policy meanwhile.
    """
    tree = workspace.trust()
    root = tree.root
    role = root.roles[POLICY_ROLE]
    able = {
        root.owner(signer.key_id).person
        for signer in signers
        if signer.key_id in root.keys and root.owner(signer.key_id).name in role.principals
    }
    if len(able) < (role.threshold or 1):
        raise VerificationError(
            "policy-threshold",
            f"the root wants {role.threshold} signers in role {POLICY_ROLE}; these keys are of {len(able)}",
            remedy="sign with keys of: " + ", ".join(role.principals),
        )
    try:
        replaced, text = policy_in_force(workspace, tree, tree.checkpoint.size)
    except VerificationError:
        replaced, text = -1, b""
    if text == view.text:
        return workspace.log.receipt(replaced, tree.checkpoint.size)
    now = clock()
    if replaced >= 0:
        _refuse_unmet(workspace, tree, view, now)
    statement = policy_statement(view.text, workspace.config.tenant, replaced + 1)
    (receipt,) = publish(workspace, [sign_statement(statement.payload, signers)], now)
    tree = workspace.trust()
    index, _ = policy_in_force(workspace, tree, tree.checkpoint.size)
    if index != receipt.index:
        raise UnavailableError(
            "policy-raced",
            f"the policy of entry {index} is in force, not this one of entry {receipt.index}",
            remedy="look at `assaymark policy show`, and set yours again if it shall replace that one",
        )
    return receipt


def approve_policy(
    workspace: Workspace, view: PolicyView, signers: Sequence[Signer], clock: Callable[[], int], comment: str = ""
) -> Receipt:
    """Sign and log an approval of a policy that shall replace the one in force.

    It says which one it knew (``afterEntry``): once another is in force, it must be given anew.

    Raises:
        UsageError: ``key-unknown`` or ``key-former``.
        VerificationError: ``policy-none``.
    """
    tree = workspace.trust()
    for signer in signers:
        principal_in(tree.root, signer)
    replaced, _ = policy_in_force(workspace, tree, tree.checkpoint.size)
    predicate = approval_predicate(
        Scope(workspace.config.tenant, POLICY_ENVIRONMENT),
        after_entry=replaced + 1,
        comment=comment,
        origin=workspace.config.origin,
    )
    statement = make_statement((Subject("policy", view.digest, POLICY_KIND),), APPROVAL, predicate)
    (receipt,) = publish(workspace, [sign_statement(statement.payload, signers)], clock())
    return receipt


def change_needs(workspace: Workspace, view: PolicyView, now: int) -> tuple[Reason, ...]:
    """What the policy in force still asks before this one may replace it; empty when nothing is missing.

    Raises:
        VerificationError: ``policy-none``.
    """
    tree = workspace.trust()
    below = tree.checkpoint.size
    reader = Reader(workspace, tree)
    index, text = policy_in_force(workspace, tree, below)
    standing = key_standing(reader.of_type(KEY_EVENT, below), tree.root)
    about = counting(reader.about(view.digest, below), standing, tree.root)
    return unmet_at(reader.at(index), text, view.digest, below, now, about, tree.root)


def _refuse_unmet(workspace: Workspace, tree: TrustedTree, view: PolicyView, now: int) -> None:
    unmet = change_needs(workspace, view, now)
    if not unmet:
        return
    raise VerificationError(
        "policy-change",
        "the policy in force asks more of its change: "
        + "; ".join(f"{reason.requirement}: {reason.message}" for reason in unmet),
        source=f"{tree.checkpoint.origin}",
        remedy="assaymark policy approve FILE --key file:KEY, by those it asks; then set it again",
    )
