"""How models stand: what the log says of their digests, and of the files in what was submitted. Writes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.core.decision import Request, Scope
from assaymark.core.errors import AssaymarkError, InputError, UsageError
from assaymark.core.statement import RELEASE
from assaymark.core.subject import Subject
from assaymark.core.times import parse_time
from assaymark.service.evidence import Reader, gather_below, seen_tree
from assaymark.service.inventoried import PART_OF, SUBMITTED, UNKNOWN, Standing
from assaymark.service.model import stored_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assaymark.core.subject import FileEntry
    from assaymark.service.evidence import Evidence
    from assaymark.service.inventoried import Model
    from assaymark.service.workspace import Workspace
    from assaymark.store.recall import Recall

# Releases whose files are compared with those of unknown models, the newest first: some seconds of reading.
RELEASES_COMPARED: Final = 20_000


class Standings:
    """Decides on digests from one tree of the log, each entry verified once. Nothing is logged.

    ``environments`` are those asked for, or all of the policy. ``truncated`` says that there were more releases than
    are compared by their files.
    """

    def __init__(
        self, workspace: Workspace, environments: Sequence[str], now: int, recall: Recall | None = None
    ) -> None:
        self._workspace = workspace
        self.now = now
        self._tree = seen_tree(workspace, recall)
        self._reader = Reader(workspace, self._tree)
        self._size = self._tree.checkpoint.size
        policy = self.evidence("").policy
        known = tuple(item.name for item in policy.environments)
        odd = [name for name in environments if name not in known]
        if odd:
            raise UsageError(
                "environment-unknown",
                f"the policy has no environment {odd[0]!r}",
                remedy=f"one of {', '.join(known)}",
            )
        self.environments = tuple(environments) or known
        self.truncated = False

    def evidence(self, digest: str) -> Evidence:
        """What the tree holds about a subject."""
        return gather_below(self._workspace, self._tree, digest, self._size, self._reader)

    def request(self, subject: Subject, environment: str) -> Request:
        """The question whether a subject may run in an environment of this tenant."""
        return Request(subject, Scope(self._workspace.config.tenant, environment))

    def add(self, models: Sequence[Model]) -> list[Model]:
        """The models with their standing; one without a digest has none."""
        placed = [self._place(model) for model in models]
        wanted = {
            entry.digest
            for model in placed
            if model.known == UNKNOWN and model.manifest is not None
            for entry in _weights(model)
        }
        owners = self._owners(wanted) if wanted else {}
        return [self._part(model, owners) for model in placed]

    def _place(self, model: Model) -> Model:
        if model.manifest is None:
            return replace(model, known=UNKNOWN)
        evidence = self.evidence(model.manifest.digest)
        standing = tuple(self._stands(model, evidence, name) for name in self.environments)
        released = any(item.statement.predicate_type == RELEASE for item in evidence.own)
        return replace(model, known=SUBMITTED if released else UNKNOWN, standing=standing)

    def _stands(self, model: Model, evidence: Evidence, environment: str) -> Standing:
        request = self.request(model.subject, environment)
        decision = evidence.decide(request, self.now)
        submitted = any(
            item.statement.predicate_type == RELEASE
            and item.statement.predicate.get("environment") == environment
            and item.statement.predicate.get("tenant") == request.scope.tenant
            for item in evidence.own
        )
        unmet = tuple(reason.requirement for reason in decision.reasons if reason.stops)
        used = {reason.exception for reason in decision.reasons if reason.exception is not None}
        ends = sorted(self._exception(index) for index in used)
        until, owner = ends[0] if ends else (0, "")
        return Standing(environment, decision.outcome, submitted, unmet, until, owner)

    def _exception(self, index: int) -> tuple[int, str]:
        predicate = self._reader.at(index).statement.predicate
        try:
            return parse_time(str(predicate.get("until"))), str(predicate.get("owner"))
        except InputError:
            return 0, str(predicate.get("owner"))

    def _owners(self, wanted: set[str]) -> dict[str, tuple[Subject, ...]]:
        """What was submitted that holds a file with one of these digests."""
        log = self._workspace.log
        positions = log.by_predicate(RELEASE, below=self._size, newest_first=True, limit=RELEASES_COMPARED + 1)
        self.truncated = len(positions) > RELEASES_COMPARED
        rows = log.subjects_of(positions[:RELEASES_COMPARED])
        subjects = {digest: Subject(name, digest, kind) for _, name, digest, kind in rows}
        owners: dict[str, tuple[Subject, ...]] = {}
        for digest, subject in subjects.items():
            try:
                manifest = stored_manifest(self._workspace, digest)
            except AssaymarkError:
                continue  # a hint only: what is wrong with it is `log check`'s to say
            for entry in manifest.files if manifest is not None else ():
                if entry.digest in wanted:
                    owners[entry.digest] = (*owners.get(entry.digest, ()), subject)
        return owners

    def _part(self, model: Model, owners: dict[str, tuple[Subject, ...]]) -> Model:
        if model.known != UNKNOWN or model.manifest is None:
            return model
        weights = _weights(model)
        if not weights or not all(entry.digest in owners for entry in weights):
            return model
        subjects = {subject.digest: subject for entry in weights for subject in owners[entry.digest]}
        return replace(model, known=PART_OF, part_of=tuple(subjects.values()))


def _weights(model: Model) -> list[FileEntry]:
    """The files that make it a model: a README that is the same everywhere makes no model known."""
    names = {name for name, _ in model.found.parts}
    return [entry for entry in model.manifest.files if entry.path in names] if model.manifest is not None else []
