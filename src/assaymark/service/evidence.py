"""What the log holds about a subject, verified, and the policy in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from assaymark.core.decision import LogPosition
from assaymark.core.digest import sha256_digest
from assaymark.core.errors import InputError, VerificationError
from assaymark.core.statement import NOT_EVIDENCE, POLICY
from assaymark.policy.decide import TrustState, decide
from assaymark.policy.parse import parse_policy
from assaymark.trust.policy import policy_after_entry, policy_of
from assaymark.trust.verify import verify_entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.attestation import Attestation
    from assaymark.core.decision import Decision, Request
    from assaymark.policy.document import Policy
    from assaymark.service.workspace import TrustedTree, Workspace
    from assaymark.store.recall import Recall


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Evidence:
    """All entries on a subject but decisions, below the tree's size, and the policy in force there."""

    tree: TrustedTree
    attestations: tuple[Attestation, ...]
    policy: Policy
    policy_digest: str
    policy_index: int

    @property
    def trust_state(self) -> TrustState:
        """What a decision says of the root."""
        root = self.tree.root
        return TrustState(root.version, root.digest, root.expires)

    @property
    def position(self) -> LogPosition:
        """What a decision says of the log."""
        checkpoint = self.tree.checkpoint
        return LogPosition(checkpoint.origin, checkpoint.size, checkpoint.root_hash.hex())

    def decide(self, request: Request, now: int) -> Decision:
        """The decision on this evidence."""
        return decide(
            self.policy, self.policy_digest, self.attestations, request, now, self.trust_state, self.position
        )


def gather(workspace: Workspace, digest: str) -> Evidence:
    """The evidence on a subject in the log's newest tree.

    Raises:
        InputError: an entry is malformed.
        VerificationError: the root, the checkpoint or an entry was refused, or ``policy-none``.
    """
    tree = workspace.trust()
    size = tree.checkpoint.size
    indices = workspace.log.by_subject(digest, below=size, without=NOT_EVIDENCE)
    attestations = tuple(attestation_at(workspace, tree, index) for index in indices)
    index, text = policy_in_force(workspace, tree, size)
    return Evidence(tree, attestations, parse_policy(text), sha256_digest(text), index)


def seen_tree(workspace: Workspace, recall: Recall | None) -> TrustedTree:
    """The newest root and tree, held against what this user saw before, and remembered.

    Raises:
        VerificationError: ``root-rollback``, ``root-fork``, ``log-rollback`` or ``log-fork`` for a workspace that was
            set back: it has forgotten what was pulled back since.
    """
    return _seen(workspace.trust, lambda tree: tree, workspace, recall)


def gather_seen(workspace: Workspace, digest: str, recall: Recall | None) -> Evidence:
    """As ``gather``, its root and tree held against what this user saw before, and remembered.

    Raises:
        InputError, VerificationError: as ``gather`` and ``seen_tree``.
    """
    return _seen(lambda: gather(workspace, digest), lambda evidence: evidence.tree, workspace, recall)


def _seen(
    read: Callable[[], T], tree_of: Callable[[T], TrustedTree], workspace: Workspace, recall: Recall | None
) -> T:
    found = read()
    if recall is None:
        return found
    try:
        _remember(recall, workspace, tree_of(found))
    except VerificationError as error:
        if error.code not in ("root-rollback", "log-rollback"):
            raise
        found = read()  # another process may have seen a newer tree since: what is read now must not be older
        _remember(recall, workspace, tree_of(found))
    return found


def _remember(recall: Recall, workspace: Workspace, tree: TrustedTree) -> None:
    recall.see_root(workspace.config.root, tree.root.version, tree.root.digest)
    checkpoint = tree.checkpoint
    recall.see_tree(checkpoint.origin, checkpoint.size, checkpoint.root_hash.hex(), workspace.log.root_at)


def attestation_at(workspace: Workspace, tree: TrustedTree, index: int) -> Attestation:
    """The verified entry at ``index``."""
    _, envelope = workspace.log.entry(index)
    receipt = workspace.log.receipt(index, tree.checkpoint.size)
    return verify_entry(envelope, receipt, tree.checkpoint, tree.root)


def policy_in_force(workspace: Workspace, tree: TrustedTree, below: int) -> tuple[int, bytes]:
    """Index and TOML bytes of the policy in force before ``below``.

    That is the newest which the policy role's threshold signed knowing the one in force before it (``afterEntry``):
    an old policy that is logged again, in an envelope of other bytes, does not come back.

    Raises:
        VerificationError: ``policy-none``.
    """
    indices = workspace.log.by_predicate(POLICY, below=below, newest_first=True)
    candidates: list[tuple[int, int, bytes]] = []
    for place, index in enumerate(indices):
        try:
            attestation = attestation_at(workspace, tree, index)
            text, after = policy_of(attestation, tree.root), policy_after_entry(attestation)
        except (InputError, VerificationError):
            continue
        candidates.append((index, after, text))
        if place + 1 == len(indices) or indices[place + 1] < after:
            break  # its signers knew of all that came before
    in_force: tuple[int, bytes] | None = None
    for index, after, text in reversed(candidates):
        if in_force is None or after > in_force[0]:
            in_force = index, text
    if in_force is None:
        raise VerificationError(
            "policy-none",
            "the log holds no policy that the root's policy role signed",
            remedy="set one with `assaymark policy set FILE`",
        )
    return in_force
