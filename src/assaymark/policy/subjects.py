"""Which subjects a requirement is about, and how it stands on all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.decision import Mode, Outcome, Reason, Request, combine
from assaymark.core.errors import InputError
from assaymark.core.statement import CONFIGURATION, RELEASE, SCAN
from assaymark.core.subject import Subject
from assaymark.core.times import MAX_TIME
from assaymark.policy.document import About, own_about
from assaymark.policy.evidence import judge
from assaymark.policy.lineage import LinkState, lineage_of
from assaymark.policy.remedies import printable

if TYPE_CHECKING:
    from assaymark.policy.document import Requirement
    from assaymark.policy.entries import Closure, Window
    from assaymark.policy.lineage import Lineage

_NAMED: Final = 3  # subjects that one message names
_NOUN: Final = {
    About.MODEL: "model",
    About.BASE: "base model",
    About.DATA: "data set",
    About.CONFIGURATION: "configuration",
    About.POLICY: "policy",
}


@dataclass(frozen=True, slots=True)
class Related:
    """The subjects that requirements about something else than the request's own are about.

    ``doubt`` says why nobody knows them all; empty when they are known.
    """

    base: tuple[Subject, ...]
    data: tuple[Subject, ...]
    doubt: str = ""


class Subjects:
    """The subjects of one request, as the closure below a position tells; the lineage is walked when it is asked."""

    def __init__(self, closure: Closure, request: Request) -> None:
        self.closure = closure
        self.request = request
        self.own = own_about(request.subject.kind)
        self._lineages: dict[int, Lineage | InputError] = {}

    def lineage(self, below: int) -> Lineage:
        """The lineage that the entries below an index tell.

        Raises:
            InputError: ``lineage-limit``.
        """
        if below not in self._lineages:
            items = [item for item in self.closure.items if item.position < below]
            try:
                self._lineages[below] = lineage_of(self.request.subject, items)
            except InputError as error:
                self._lineages[below] = error
        found = self._lineages[below]
        if isinstance(found, InputError):
            raise found
        return found

    def ancestors(self, below: int) -> Related:
        """The models and data sets that the subject was made from, those of which nobody says anything too.

        A claim that nobody whose key counts signed names nothing. One that is signed and cannot be read leaves in
        doubt what it names. One that is claimed as a model and as a data set is asked about as both.
        """
        try:
            lineage = self.lineage(below)
        except InputError as error:
            return Related((), (), f"the lineage is not known: {error.message}")
        found: dict[tuple[str, About], Subject] = {}
        doubt = ""
        for link in lineage.links:
            if link.state is LinkState.FORGED:
                continue
            if not link.parent:
                doubt = doubt or f"the lineage is not known: {link.message}"
            elif link.parent != self.request.subject.digest:
                found.setdefault((link.parent, own_about(link.kind)), Subject(link.name, link.parent, link.kind))
        data = tuple(item for item in found.values() if own_about(item.kind) is About.DATA)
        # A kind that nobody knows is taken for a model: its evidence is asked for, rather than none.
        base = tuple(item for item in found.values() if own_about(item.kind) in (About.MODEL, About.POLICY))
        return Related(base, data, doubt)

    def configurations(self, below: int) -> tuple[Subject, ...]:
        """What principals whose keys count have bound to the model as its configuration."""
        digest = self.request.subject.digest
        found: dict[str, Subject] = {}
        for item in self.closure.on(digest).items:
            if item.statement.predicate_type == CONFIGURATION and item.signers and item.position < below:
                for subject in item.statement.subjects[1:]:
                    found.setdefault(subject.digest, Subject(subject.name, subject.digest, "configuration"))
        return tuple(found.values())


def required(requirements: tuple[Requirement, ...], own: About) -> tuple[Requirement, ...]:
    """Those that are asked of a subject: those about its own kind, and of a model also those on what it rests on.

    None at all when no enforced one is about the subject itself. Whatever a model rests on may be nothing: a model
    that nothing is asked of must not run because of that.
    """
    if not any(item.about is own and item.mode is Mode.ENFORCE for item in requirements):
        return ()
    return tuple(item for item in requirements if item.about is own or own is About.MODEL)


def judge_all(requirement: Requirement, subjects: Subjects, window: Window) -> tuple[Reason, int]:
    """How a requirement stands on every subject that it is about, and until when what it needs is fresh enough.

    With none of them it is met, and says so.
    """
    request = subjects.request
    if requirement.about is subjects.own:
        one = judge(requirement, subjects.closure.own(request), request, window)
        return Reason(requirement.id, one.outcome, one.message, one.remedy, requirement.mode), one.good_until
    configures, doubt = "", ""
    if requirement.about is About.CONFIGURATION:
        found, configures = subjects.configurations(window.below), request.subject.digest
    else:
        related = subjects.ancestors(window.below)
        found = related.data if requirement.about is About.DATA else related.base
        doubt = related.doubt
    outcomes: list[Outcome] = []
    unmet: list[str] = []
    remedies: list[str] = []
    good_until = MAX_TIME
    for subject in found:
        asked = Request(_for_commands(subject, requirement), request.scope)
        one = judge(requirement, subjects.closure.on(subject.digest, configures), asked, window)
        outcomes.append(one.outcome)
        good_until = min(good_until, one.good_until)
        if one.outcome is not Outcome.PERMIT:
            unmet.append(f"{_NOUN[requirement.about]} {_called(subject)}: {one.message}")
            remedies.append(one.remedy)
    if doubt:
        outcomes.append(Outcome.INDETERMINATE)
        unmet.append(doubt)
        remedies.append("assaymark lineage show " + request.subject.digest)
    if not outcomes:
        message = f"no {_where(requirement.about)}"
        return Reason(requirement.id, Outcome.PERMIT, message, mode=requirement.mode), good_until
    outcome = combine(outcomes)
    if outcome is Outcome.PERMIT:
        each = f"{_NOUN[requirement.about]} {_called(found[0])}" if len(found) == 1 else f"each of {len(found)}"
        return Reason(requirement.id, outcome, f"met by {each}", mode=requirement.mode), good_until
    more = [f"and {len(unmet) - _NAMED} more"] if len(unmet) > _NAMED else []
    message = "; ".join([*unmet[:_NAMED], *more])
    return Reason(requirement.id, outcome, message, remedies[0], requirement.mode), good_until


def _where(about: About) -> str:
    return f"{_NOUN[about]} bound to the model" if about is About.CONFIGURATION else f"{_NOUN[about]} in the lineage"


def _called(subject: Subject) -> str:
    digest = subject.digest[: len("sha256:") + 12]
    return f"{printable(subject.name)} ({digest})" if subject.name else digest


def _for_commands(subject: Subject, requirement: Requirement) -> Subject:
    """The subject as a command names it: by its digest, which needs no files, where the command takes one."""
    if requirement.predicate in (RELEASE, SCAN) and subject.name:
        return subject
    return Subject(subject.digest, subject.digest, subject.kind)
