"""What other scanners say, side by side with what we found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark import __version__
from assaymark.core.opinion import OpinionOutcome
from assaymark.core.words import counted
from assaymark.ui.report.style import printable

if TYPE_CHECKING:
    from assaymark.core.opinion import Opinion
    from assaymark.core.report import Severity
    from assaymark.ui.report.scan_results import ScanResult
    from assaymark.ui.report.style import Style

_SHOWN: Final = 3  # findings of one scanner
_WIDTH: Final = 160  # characters of one line of theirs
_COLOURS: Final = {"pass": "green", "fail": "red"}


def opinion_rows(item: ScanResult, threshold: Severity) -> list[tuple[str, str, str, str]]:
    """Scanner, version, outcome and a few words, ours first."""
    ours = str(item.report.outcome(threshold))
    rows = [("assaymark", __version__, ours, counted(len(item.report.findings), "finding"))]
    return rows + [(one.scanner, one.version, str(one.outcome), _words(one)) for one in item.opinions]


def opinion_lines(item: ScanResult, threshold: Severity, style: Style) -> list[str]:
    """A table of who says what, what the others object to, and whether they disagree; empty when nobody was asked."""
    if not item.opinions:
        return []
    rows = opinion_rows(item, threshold)
    names, versions = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = ["  opinions:"]
    for name, version, said, words in rows:
        shown = style(said.ljust(10), _COLOURS.get(said, "yellow"), "bold")
        lines.append(
            f"    {name.ljust(names)}  {printable(version).ljust(versions)}  {shown}  {printable(words)[:_WIDTH]}"
        )
    for one in item.opinions:
        lines += [
            style(f"    {one.scanner}: {printable(found.place)}: {printable(found.message)[:_WIDTH]}", "dim")
            for found in one.findings[:_SHOWN]
        ]
        if len(one.findings) > _SHOWN:
            lines.append(style(f"    {one.scanner}: and {len(one.findings) - _SHOWN} more (--format json)", "dim"))
    yes, no = ([row[0] for row in rows if row[2] == said] for said in ("pass", "fail"))
    if yes and no:
        lines.append(style(f"  they disagree: clean say {', '.join(yes)}; not clean say {', '.join(no)}", "yellow"))
    loose = sorted({one.scanner for one in item.opinions if _asked(one) and "files" not in one.confinement})
    if loose:
        lines.append(style(f"  not kept from other files: {', '.join(loose)}", "yellow"))
    return lines


def opinion_line(opinion: Opinion) -> str:
    """One opinion in one line, as it is said while something else is answered."""
    return printable(f"{opinion.scanner} {opinion.version}: {opinion.outcome}: {_words(opinion)}")[:_WIDTH]


def _asked(opinion: Opinion) -> bool:
    return opinion.outcome not in (OpinionOutcome.ABSENT, OpinionOutcome.ERROR)


def _words(opinion: Opinion) -> str:
    if opinion.outcome in (OpinionOutcome.PASS, OpinionOutcome.FAIL):
        return counted(len(opinion.findings), "finding")
    return opinion.detail
