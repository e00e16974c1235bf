"""What the log holds about a subject and all that it rests on, verified, and the policy in force."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from assaymark.core.decision import LogPosition
from assaymark.core.digest import sha256_digest
from assaymark.core.errors import VerificationError
from assaymark.core.statement import KEY_EVENT, NOT_EVIDENCE, POLICY
from assaymark.policy.closure import closure
from assaymark.policy.decide import TrustState, decide
from assaymark.policy.parse import parse_policy
from assaymark.trust.key_events import counting, key_standing
from assaymark.trust.policy import policies_in_force
from assaymark.trust.verify import verify_entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.attestation import Attestation
    from assaymark.core.decision import Decision, Request
    from assaymark.policy.document import Policy
    from assaymark.service.workspace import TrustedTree, Workspace
    from assaymark.store.recall import Recall
    from assaymark.trust.key_events import KeyStanding

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The closure of a subject below the tree's size (``policy.closure``), the key-events, the policy in force there.

    Signers whose keys do not count are left out of the attestations.
    """

    tree: TrustedTree
    digest: str
    attestations: tuple[Attestation, ...]
    standing: KeyStanding
    policy: Policy
    policy_digest: str
    policy_index: int

    @property
    def own(self) -> tuple[Attestation, ...]:
        """The entries on the subject itself."""
        return tuple(
            item
            for item in self.attestations
            if any(subject.digest == self.digest for subject in item.statement.subjects)
        )

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
    return gather_below(workspace, tree, digest, tree.checkpoint.size)


def gather_below(
    workspace: Workspace, tree: TrustedTree, digest: str, below: int, reader: Reader | None = None
) -> Evidence:
    """As ``gather``, from the entries below ``below`` of a tree; the keys are held against its root.

    Which keys count is what the whole tree says of them: its root lists a key that was retired since as a former one,
    and only the key-event, above ``below``, says until when it counted.

    ``reader`` of that tree saves who asks often from verifying the same entries again.

    Raises:
        InputError, VerificationError: as ``gather``.
    """
    reader = reader or Reader(workspace, tree)
    standing = key_standing(reader.of_type(KEY_EVENT, tree.checkpoint.size), tree.root)
    attestations = counting(inputs_below(reader, digest, below), standing, tree.root)
    index, text = _policy_below(reader, standing, below)
    return Evidence(tree, digest, attestations, standing, _parsed(text), sha256_digest(text), index)


def inputs_below(reader: Reader, digest: str, below: int) -> list[Attestation]:
    """The entries that a decision on a subject made below ``below`` must name, oldest first, whoever signed them.

    Raises:
        InputError, VerificationError: an entry is malformed or was refused.
    """
    events = {item.position: item for item in reader.of_type(KEY_EVENT, below)}
    found = closure(digest, lambda named: reader.about(named, below)) | events
    return [found[position] for position in sorted(found)]


@lru_cache(maxsize=8)
def _parsed(text: bytes) -> Policy:
    """A policy is a value; who asks often has it parsed once."""
    return parse_policy(text)


class Reader:
    """Verified entries of one tree, each read and verified once."""

    def __init__(self, workspace: Workspace, tree: TrustedTree) -> None:
        self._workspace = workspace
        self.tree = tree
        self._read: dict[int, Attestation] = {}
        self.bytes = 0  # of the payloads that are kept

    def take_over(self, older: Reader) -> None:
        """Keep what a reader has verified of a tree that this one's extends, under the same root."""
        self._read, self.bytes = dict(older._read), older.bytes

    def at(self, index: int) -> Attestation:
        """The verified entry at ``index``."""
        found = self._read.get(index)
        if found is None:
            found = self._read[index] = attestation_at(self._workspace, self.tree, index)
            self.bytes += len(found.statement.payload)
        return found

    def about(self, digest: str, below: int) -> list[Attestation]:
        """The entries on a subject, but those that are no evidence."""
        return [self.at(i) for i in self._workspace.log.by_subject(digest, below=below, without=NOT_EVIDENCE)]

    def of_type(self, predicate_type: str, below: int) -> list[Attestation]:
        """The entries of a predicate type, oldest first."""
        return [self.at(i) for i in self._workspace.log.by_predicate(predicate_type, below=below, newest_first=False)]

    def policies(self, below: int) -> list[Attestation]:
        """The policies, and what is said about them, oldest first.

        Raises:
            InputError, VerificationError: one of them cannot be read. It is not passed over: the policy before it may
                permit what it forbids.
        """
        found: dict[int, Attestation] = {}
        for policy in self.of_type(POLICY, below):
            about = self.about(policy.statement.subjects[0].digest, below)
            found |= {item.position: item for item in (policy, *about)}
        return [found[position] for position in sorted(found)]


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
    """Index and TOML bytes of the policy in force before ``below``: see ``trust.policy.policies_in_force``.

    Raises:
        VerificationError: ``policy-none``.
    """
    reader = Reader(workspace, tree)
    return _policy_below(reader, key_standing(reader.of_type(KEY_EVENT, tree.checkpoint.size), tree.root), below)


def _policy_below(reader: Reader, standing: KeyStanding, below: int) -> tuple[int, bytes]:
    root = reader.tree.root
    in_force = policies_in_force(counting(reader.policies(below), standing, root), root)
    if not in_force:
        raise VerificationError(
            "policy-none",
            "the log holds no policy that the root's policy role signed",
            remedy="set one with `assaymark policy set FILE`",
        )
    policy, text = in_force[-1]
    return policy.position, text
