"""Read the log: entries for people, proofs, the full check, a copy."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import AssaymarkError, UsageError
from assaymark.core.statement import (
    CONFIGURATION,
    DECISION,
    KEY_EVENT,
    POLICY,
    PROVENANCE,
    ROOT_PAYLOAD_TYPE,
    Envelope,
    parse_envelope,
    parse_statement,
)
from assaymark.core.times import format_time
from assaymark.core.words import counted
from assaymark.policy.parse import parse_policy
from assaymark.policy.statement import parse_decision
from assaymark.service.evidence import Reader, inputs_below
from assaymark.store.log_store import Problem
from assaymark.tlog.note import NoteVerifier, parse_vkey
from assaymark.trust.key_events import KeyStanding, key_standing
from assaymark.trust.policy import policy_of
from assaymark.trust.root import parse_root
from assaymark.trust.signatures import verified_signers
from assaymark.trust.verify import verify_entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assaymark.core.attestation import Receipt
    from assaymark.service.workspace import TrustedTree, Workspace
    from assaymark.trust.document import Root

_SHORT: Final = {DECISION: "decision", PROVENANCE: "provenance", ROOT_PAYLOAD_TYPE: "root"}


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry for people: what it says, about what, by whom. ``detail`` is the predicate or root document."""

    index: int
    logged_at: int
    kind: str
    subjects: tuple[str, ...]
    digests: tuple[str, ...]
    principals: tuple[str, ...]
    summary: str
    envelope_digest: str
    detail: dict[str, Any]


def entry_view(workspace: Workspace, tree: TrustedTree, index: int) -> EntryView:
    """The entry at ``index``, its signatures checked.

    Raises:
        UsageError: ``log-index`` beyond the log's end.
        InputError: the entry is malformed.
    """
    if not 0 <= index < tree.checkpoint.size:
        raise UsageError("log-index", f"the log has entries 0 to {tree.checkpoint.size - 1}, not {index}")
    leaf, data = workspace.log.entry(index)
    envelope = parse_envelope(data)
    principals = tuple(signer.principal for signer in verified_signers(envelope, tree.root))
    if envelope.payload_type == ROOT_PAYLOAD_TYPE:
        root = parse_root(envelope.payload)
        from assaymark.core.canonical import parse_object

        return EntryView(
            index,
            leaf.logged_at,
            "root",
            (root.tenant,),
            (root.digest,),
            principals,
            f"version {root.version}, {counted(len(root.principals), 'principal')}",
            envelope.digest,
            parse_object(envelope.payload),
        )
    statement = parse_statement(envelope.payload)
    kind = _SHORT.get(statement.predicate_type) or statement.predicate_type.removeprefix("assaymark:").split("/")[0]
    if not statement.predicate_type.startswith("assaymark:") and statement.predicate_type not in _SHORT:
        kind = statement.predicate_type
    return EntryView(
        index,
        leaf.logged_at,
        kind,
        tuple(subject.name for subject in statement.subjects),
        tuple(subject.digest for subject in statement.subjects),
        principals,
        summarise(kind, statement.predicate),
        envelope.digest,
        statement.predicate,
    )


def summarise(kind: str, predicate: dict[str, Any]) -> str:
    """One line on what a statement says."""
    environment = predicate.get("environment", "")
    own = predicate.get("assaymark")
    match kind:
        case "scan":
            findings, skipped = predicate.get("findings"), predicate.get("skipped")
            count = len(findings) if isinstance(findings, list) else "?"
            left = len(skipped) if isinstance(skipped, list) else "?"
            return f"{predicate.get('outcome')}: {counted(count, 'finding')}, {left} skipped"
        case "decision" if isinstance(own, dict):
            return f"{own.get('outcome')} for {own.get('environment')}"
        case "approval" | "release":
            return f"for {environment}"
        case "containment":
            why = predicate.get("reason")
            return f"{predicate.get('action')} in {environment}" + (f": {why}" if why else "")
        case "attempt":
            return _attempt(predicate)
        case "configuration":
            files = predicate.get("files")
            return counted(len(files) if isinstance(files, list) else "?", "configuration file")
        case _:
            return ""


def _attempt(predicate: dict[str, Any]) -> str:
    count, point, unmet = (predicate.get(key) for key in ("count", "point", "requirements"))
    where = f"{point.get('kind')} {point.get('name')}" if isinstance(point, dict) else "?"
    why = f" ({', '.join(map(str, unmet))})" if isinstance(unmet, list) and unmet else ""
    times = f"{count} times " if count != 1 else ""
    environment = predicate.get("environment", "")
    return f"{times}{predicate.get('action')} in {environment} by {where}: {predicate.get('outcome')}{why}"


def prove(workspace: Workspace, index: int) -> Receipt:
    """The receipt of an entry in the log's newest tree.

    Raises:
        UsageError: ``log-index``.
    """
    tree = workspace.trust()
    if not 0 <= index < tree.checkpoint.size:
        raise UsageError("log-index", f"the log has entries 0 to {tree.checkpoint.size - 1}, not {index}")
    return workspace.log.receipt(index, tree.checkpoint.size)


def check(workspace: Workspace, on_progress: Callable[[int, int], None] | None = None) -> tuple[int, list[Problem]]:
    """Compute the tree again, and check every signature and every reference. Linear in the log's size.

    Returns the number of entries and what is wrong, by index; never raises on damage.
    """
    try:
        tree = workspace.trust()
    except AssaymarkError as error:
        problems = [Problem(None, str(error))]
        with contextlib.suppress(AssaymarkError):
            verifier = NoteVerifier(workspace.config.origin, workspace.signer(None, name="log").public)
            problems += workspace.log.check(verifier, on_progress)
        return 0, problems
    verifier = parse_vkey(tree.root.log.keys[0])
    return tree.checkpoint.size, workspace.log.check(verifier, on_progress, _Examiner(workspace, tree))


class _Examiner:
    """What an envelope must hold beyond its digest: signatures, form, and references to earlier entries."""

    def __init__(self, workspace: Workspace, tree: TrustedTree) -> None:
        self._workspace = workspace
        self._tree = tree
        self._reader = Reader(workspace, tree)
        self._standing: KeyStanding | None = None
        self._roots: dict[int, Root] = {}

    def __call__(self, index: int, data: bytes) -> list[str]:
        try:
            envelope = parse_envelope(data)
            if envelope.payload_type == ROOT_PAYLOAD_TYPE:
                root = parse_root(envelope.payload)
                self._roots[root.version] = root
                return []
            return self._statement(index, envelope)
        except AssaymarkError as error:
            return [str(error)]

    def _key_standing(self) -> KeyStanding:
        if self._standing is None:
            events = self._reader.of_type(KEY_EVENT, self._tree.checkpoint.size)
            self._standing = key_standing(events, self._tree.root)
        return self._standing

    def _statement(self, index: int, envelope: Envelope) -> list[str]:
        problems = []
        signers = verified_signers(envelope, self._tree.root)
        standing = self._key_standing()
        if not signers:
            problems.append("signed by nobody in the trust root")
        elif not any(self._counted_then(standing, signer.key_id, index) for signer in signers):
            names = ", ".join(signer.principal for signer in signers)
            problems.append(f"signed by {names} with a key that was retired or stolen by then: it counts for nothing")
        statement = parse_statement(envelope.payload)
        if statement.predicate_type == POLICY:
            receipt = self._workspace.log.receipt(index, self._tree.checkpoint.size)
            text = policy_of(
                verify_entry(envelope.data, receipt, self._tree.checkpoint, self._tree.root), self._tree.root
            )
            parse_policy(text)
        elif statement.predicate_type == DECISION:
            problems.extend(self._decision(index, envelope))
        elif statement.predicate_type == CONFIGURATION and len(statement.subjects) < 2:  # noqa: PLR2004
            problems.append("a configuration statement without a configuration")
        return problems

    def _counted_then(self, standing: KeyStanding, key: str, index: int) -> bool:
        """Whether a key counted as far as the log knew at ``index``: what a later word takes back is no damage."""
        said = [event.position for event in standing.events if event.key == key]
        return standing.counts(key, index, self._tree.root) or (bool(said) and index < min(said))

    def _decision(self, index: int, envelope: Envelope) -> list[str]:
        decision = parse_decision(parse_statement(envelope.payload))
        position = decision.position
        log = self._workspace.log
        if position.tree_size > index:
            return [f"the decision speaks of {position.tree_size} entries, more than were before it"]
        problems = []
        if decision.decided_at > log.entry(index)[0].logged_at:
            problems.append(f"the decision says {format_time(decision.decided_at)}, which is after it was logged")
        if log.root_at(position.tree_size).hex() != position.root_hash:
            problems.append(f"the decision names another tree of size {position.tree_size} than the log has")
        there = inputs_below(self._reader, decision.request.subject.digest, position.tree_size)
        odd = sorted({item.position for item in there} ^ {at for at, _ in decision.inputs})
        if odd:
            problems.append("the decision's inputs are not the log's: entries " + ", ".join(map(str, odd)))
        problems.extend(
            f"the decision names another envelope than entry {at} holds"
            for at, digest in decision.inputs
            if at < index and log.entry(at)[0].envelope_digest != digest
        )
        return problems


def export(workspace: Workspace, target: Path) -> int:
    """Copy the log, its envelopes and the workspace's configuration to a new folder; returns the entries copied.

    The copy is a read-only mirror that `--workspace` takes: it holds no key.
    """
    size = workspace.log.export(target / "log").size
    from assaymark.service.workspace import CONFIG_NAME
    from assaymark.store.files import write_durable

    write_durable(target / CONFIG_NAME, workspace.config.to_toml().encode())
    return size
