"""What ``policy diff`` and ``policy test`` found, as JSON documents and as text. Fields: docs/spec/output.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.core.words import counted
from assaymark.ui.report.documents import reason_document
from assaymark.ui.report.style import printable

if TYPE_CHECKING:
    from assaymark.policy.cases import CaseResult
    from assaymark.service.policy import PolicyView
    from assaymark.service.policy_cases import Tested
    from assaymark.service.policy_diff import Change, PolicyDiff
    from assaymark.ui.report.style import Style

_SHOWN: Final = 50


def diff_document(found: PolicyDiff) -> dict[str, Any]:
    """The contract of ``policy diff``."""
    return {
        "schema": "assaymark:policy-diff/v1",
        "old": _policy(found.old),
        "new": _policy(found.new),
        "compared": found.compared,
        "changed": len(found.changes),
        "changes": [
            {
                "index": change.index,
                "subject": change.decision.request.subject.digest,
                "name": change.decision.request.subject.name,
                "kind": change.decision.request.subject.kind,
                "tenant": change.decision.request.scope.tenant,
                "environment": change.decision.request.scope.environment,
                "before": str(change.before),
                "after": str(change.after),
                "requirements": [
                    {
                        "requirement": item.requirement,
                        "before": item.before,
                        "after": item.after,
                        "message": item.message,
                    }
                    for item in change.requirements
                ],
            }
            for change in found.changes
        ],
        "unread": [{"index": item.index, "code": item.code, "message": item.message} for item in found.unread],
    }


def diff_text(found: PolicyDiff, style: Style) -> str:
    """How many decisions change, then each with the requirements that make the difference."""
    count = len(found.changes)
    of = f"of {counted(found.compared, 'decision that was', 'decisions that were')} made again"
    head = f"{count} {of} would change" if count else f"None {of} would change"
    lines = [style(head, "yellow" if count else "green", "bold")]
    for change in found.changes[:_SHOWN]:
        lines += ["", *_change_lines(change, style)]
    if count > _SHOWN:
        lines += ["", f"and {count - _SHOWN} more (--format json lists all)"]
    if found.unread:
        lines += ["", style(f"{counted(len(found.unread), 'decision')} could not be made again:", "red", "bold")]
        lines += [f"  entry {item.index}: {printable(item.message)} [{item.code}]" for item in found.unread[:_SHOWN]]
    return "\n".join(lines)


def _change_lines(change: Change, style: Style) -> list[str]:
    request = change.decision.request
    name, environment = printable(request.subject.name), printable(request.scope.environment)
    return [
        f"{style(f'{change.before} → {change.after}', 'bold')}  {name} for {environment} (entry {change.index})",
        style(f"  {request.subject.digest}", "dim"),
        *(
            f"  {printable(item.requirement)}: {item.before} → {item.after}"
            + (f": {printable(item.message)}" if item.message else "")
            for item in change.requirements
        ),
    ]


def cases_document(tested: list[Tested]) -> dict[str, Any]:
    """The contract of ``policy test``."""
    results = [result for one in tested for result in one.results]
    return {
        "schema": "assaymark:policy-test/v1",
        "passed": sum(result.passed for result in results),
        "failed": sum(not result.passed for result in results),
        "files": [
            {
                "file": str(one.file),
                "policy": {"file": str(one.policy_file), "digest": one.policy.digest},
                "cases": [_case_document(result) for result in one.results],
            }
            for one in tested
        ],
    }


def _case_document(result: CaseResult) -> dict[str, Any]:
    case = result.case
    return {
        "name": case.name,
        "passed": result.passed,
        "expected": str(case.expect),
        "outcome": str(result.outcome),
        "expected_unmet": None if case.unmet is None else list(case.unmet),
        "unmet": list(result.unmet),
        "problems": list(result.problems),
        "reasons": [reason_document(reason) for reason in result.reasons],
    }


def cases_text(tested: list[Tested], style: Style) -> str:
    """A line for each case; one that failed says what differs, and how each requirement stands."""
    lines: list[str] = []
    for one in tested:
        lines.append(f"{style(printable(str(one.file)), 'bold')} on {printable(str(one.policy_file))}")
        for result in one.results:
            mark = style("passed", "green") if result.passed else style("FAILED", "red", "bold")
            lines.append(f"  {mark} {printable(result.case.name)}")
            if not result.passed:
                lines += [f"      {printable(problem)}" for problem in result.problems]
                lines += [
                    f"      {printable(reason.requirement)}: {reason.outcome}: {printable(reason.message)}"
                    for reason in result.reasons
                ]
    failed = sum(not result.passed for one in tested for result in one.results)
    count = sum(len(one.results) for one in tested)
    lines += [
        "",
        style(
            f"{failed} of {counted(count, 'case')} failed" if failed else f"{counted(count, 'case')} passed", "bold"
        ),
    ]
    return "\n".join(lines)


def _policy(view: PolicyView) -> dict[str, Any]:
    return {"digest": view.digest, "index": view.index}
