"""The policy in force: show, check, set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.core.digest import sha256_digest
from assaymark.core.errors import InputError, UnavailableError, UsageError, VerificationError
from assaymark.core.limits import POLICY_MAX_BYTES
from assaymark.policy.parse import parse_policy
from assaymark.service.evidence import policy_in_force
from assaymark.service.publish import publish, sign_statement
from assaymark.service.setup import policy_statement
from assaymark.trust.parse import POLICY_ROLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from assaymark.core.attestation import Receipt
    from assaymark.keys.signers import Signer
    from assaymark.policy.document import Policy
    from assaymark.service.workspace import Workspace


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
        VerificationError: ``policy-threshold`` when the keys do not reach the policy role's threshold.
        UnavailableError: ``policy-raced`` when somebody else set a policy meanwhile.
    """
    tree = workspace.trust()
    root = tree.root
    role = root.roles[POLICY_ROLE]
    able = {
        root.owner(signer.key_id).name
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
    statement = policy_statement(view.text, workspace.config.tenant, replaced + 1)
    (receipt,) = publish(workspace, [sign_statement(statement.payload, signers)], clock())
    tree = workspace.trust()
    index, _ = policy_in_force(workspace, tree, tree.checkpoint.size)
    if index != receipt.index:
        raise UnavailableError(
            "policy-raced",
            f"the policy of entry {index} is in force, not this one of entry {receipt.index}",
            remedy="look at `assaymark policy show`, and set yours again if it shall replace that one",
        )
    return receipt
