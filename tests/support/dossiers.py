"""A small dossier that holds, made in memory from keys that follow from names: the same bytes in every run."""

from __future__ import annotations

from functools import cache

from tests.support.evidence import START, scan_predicate
from tests.support.roots import ORIGIN, private, public, root_payload, signed

from assaymark.core.attestation import Receipt
from assaymark.core.decision import LogPosition, Request, Scope, TrustState
from assaymark.core.digest import sha256_digest
from assaymark.core.statement import APPROVAL, IN_TOTO_PAYLOAD_TYPE, POLICY, RELEASE, SCAN, Envelope, make_statement
from assaymark.core.subject import FileEntry, Subject, make_manifest
from assaymark.policy.decide import decide
from assaymark.policy.parse import parse_policy
from assaymark.policy.predicates import approval_predicate, policy_predicate, release_predicate
from assaymark.policy.starter import starter_policy
from assaymark.policy.statement import decision_payload
from assaymark.tlog.checkpoint import Checkpoint, sign_checkpoint
from assaymark.tlog.leaf import Leaf, format_leaf
from assaymark.tlog.merkle import consistency_proof, inclusion_proof, leaf_hash, tree_root
from assaymark.tlog.note import NoteSigner, NoteVerifier
from assaymark.trust.document import Role
from assaymark.trust.dossier import Dossier, DossierEntry
from assaymark.trust.root import parse_root
from assaymark.trust.verify import verify_entry

MANIFEST = make_manifest("folder", [FileEntry("model.safetensors", 16, sha256_digest(b"weights"))])
SUBJECT = Subject("digits", MANIFEST.digest)
SCOPE = Scope("default", "production")
ROOT = root_payload(
    names=("alice", "bob", "carol"),
    roles=[
        Role("root", ("alice", "bob"), 2),
        Role("policy", ("alice", "bob"), 2),
        Role("approver", ("bob", "carol")),
        Role("scanner", ("scanner",)),
        Role("verifier", ("scanner",)),
    ],
)
PIN = sha256_digest(ROOT)


def statement(predicate_type, predicate, *names, subject=SUBJECT) -> Envelope:
    payload = make_statement((subject,), predicate_type, predicate).payload
    return signed(payload, *names, payload_type=IN_TOTO_PAYLOAD_TYPE)


def evidence() -> list[Envelope]:
    """What the log holds below the decision: root, policy, then what the starter policy asks of production."""
    policy = Subject("policy", sha256_digest(starter_policy()), "policy")
    toml = starter_policy().decode()
    return [
        signed(ROOT, "alice", "bob"),
        statement(POLICY, policy_predicate("default", toml, after_entry=0), "alice", "bob", subject=policy),
        statement(RELEASE, release_predicate(SCOPE, MANIFEST), "alice"),
        statement(SCAN, scan_predicate(afterEntry=0), "scanner"),
        statement(APPROVAL, approval_predicate(SCOPE, after_entry=0), "bob"),
        statement(APPROVAL, approval_predicate(SCOPE, after_entry=0), "carol"),
    ]


class Log:
    """Envelopes as a log would hold them, with its proofs; ``last`` is the time of the last one."""

    def __init__(self, envelopes: list[Envelope], last: int | None = None) -> None:
        self.envelopes = envelopes
        times = [START + i for i in range(len(envelopes))]
        if last is not None:
            times[-1] = last
        self.leaves = [format_leaf(Leaf(item.digest, at)) for item, at in zip(envelopes, times, strict=True)]
        self.hashes = [leaf_hash(leaf) for leaf in self.leaves]
        verifier = NoteVerifier(ORIGIN, public("log").public)
        self.checkpoint = Checkpoint(ORIGIN, len(envelopes), tree_root(self.hashes))
        self.note = sign_checkpoint(self.checkpoint, NoteSigner(verifier, private("log").sign))

    def node(self, level: int, index: int) -> bytes:
        return tree_root(self.hashes[index << level : (index + 1) << level])

    def entry(self, index: int) -> DossierEntry:
        hashes = inclusion_proof(index, len(self.leaves), self.node)
        return DossierEntry(index, self.leaves[index], hashes, self.envelopes[index].data)


@cache
def good_dossier(logged_at: int = START + 100) -> Dossier:
    """A PERMIT for production of ``START + 100``, with all that it rests on."""
    before = Log(evidence())
    root = parse_root(ROOT)
    attestations = []
    for index in range(2, len(before.leaves)):
        entry = before.entry(index)
        tree = before.checkpoint
        receipt = Receipt(ORIGIN, index, tree.size, tree.root_hash, entry.leaf, entry.hashes, before.note)
        attestations.append(verify_entry(entry.envelope, receipt, before.checkpoint, root))
    decision = decide(
        parse_policy(starter_policy()),
        sha256_digest(starter_policy()),
        tuple(attestations),
        Request(SUBJECT, SCOPE),
        START + 100,
        TrustState(root.version, root.digest, root.expires),
        LogPosition(ORIGIN, before.checkpoint.size, before.checkpoint.root_hash.hex()),
    )
    sealed = signed(decision_payload(decision), "scanner", payload_type=IN_TOTO_PAYLOAD_TYPE)
    log = Log([*before.envelopes, sealed], logged_at)
    size = len(log.leaves)
    return Dossier(
        decision=log.entry(size - 1),
        policies=(log.entry(1),),
        evidence=tuple(log.entry(index) for index in range(2, size - 1)),
        roots=(log.entry(0),),
        checkpoint=log.note,
        consistency=consistency_proof(size - 1, size, log.node),
        manifest=MANIFEST.to_bytes(),
    )
