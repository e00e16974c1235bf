"""What an inventory says of one model: places, digest, report, and how it stands in each environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.core.decision import Outcome
from assaymark.core.report import ScanOutcome, Severity
from assaymark.core.subject import Subject
from assaymark.scanning.identity.identified import DATA
from assaymark.service.model import model_name

if TYPE_CHECKING:
    from assaymark.core.report import Report
    from assaymark.core.subject import Manifest
    from assaymark.service.found_models import Found

SUBMITTED: Final = "submitted"
PART_OF: Final = "part"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a decision in one environment would say now. ``unmet`` are the requirements that stop it.

    ``excepted_until`` is the first end of the exceptions that it passes by, in seconds; 0 without any. ``owner`` is
    who sees to that exception.
    """

    environment: str
    outcome: Outcome
    submitted: bool
    unmet: tuple[str, ...]
    excepted_until: int = 0
    owner: str = ""

    @property
    def permitted(self) -> bool:
        """Whether it may run there now."""
        return self.outcome is Outcome.PERMIT


@dataclass(frozen=True, slots=True)
class Model:
    """One model by digest, and every place it lies at. ``problem`` says why it has no digest, or changed meanwhile.

    ``known``: ``submitted``; ``part`` when its bytes are a file of something submitted, named in ``part_of``;
    ``unknown``; empty without a workspace.
    """

    found: Found
    places: tuple[str, ...]
    manifest: Manifest | None
    problem: str = ""
    report: Report | None = None
    known: str = ""
    part_of: tuple[Subject, ...] = ()
    standing: tuple[Standing, ...] = ()
    stamped: dict[str, tuple[int, ...]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def subject(self) -> Subject:
        """The subject that ``submit`` of the first place would make; its digest is empty when there is none."""
        digest = self.manifest.digest if self.manifest is not None else ""
        return Subject(model_name(Path(self.places[0])), digest)

    @property
    def unsafe(self) -> bool:
        """Whether the scan found something of high severity or worse."""
        return self.report is not None and self.report.outcome() is ScanOutcome.FAIL

    @property
    def unexamined(self) -> bool:
        """Whether a scan was made and could not look at all of it."""
        return self.report is not None and (
            self.report.outcome() is ScanOutcome.INCOMPLETE or bool(self.report.skipped)
        )

    @property
    def highest(self) -> Severity | None:
        """The highest severity among the findings; None without any."""
        if self.report is None:
            return None
        return max((finding.severity for finding in self.report.findings), default=None)


def risk(model: Model) -> int:
    """The place in the list: unsafe ones nobody knows first, what may run everywhere last."""
    unknown = model.known in (UNKNOWN, PART_OF)
    if model.unsafe:
        return 0 if unknown else 1
    if model.problem:
        return 2
    if model.found.kind == DATA:
        return 8
    if unknown:
        return 3 if model.report is None or model.unexamined else 4
    return 7 if model.standing and all(item.permitted for item in model.standing) else 5
