"""A conversion as JSON, and as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.core.words import counted
from assaymark.service.convert import conversion_document
from assaymark.ui.report.style import printable

if TYPE_CHECKING:
    from assaymark.service.convert import Conversion, Fixed
    from assaymark.ui.report.style import Style

CONVERSION_SCHEMA: Final = "assaymark:conversion-output/v1"
_SHOWN: Final = 20
_NAMED: Final = 3


def conversion_output(done: Conversion) -> dict[str, Any]:
    """One conversion, as scripts see it."""
    return {
        "source": {"path": str(done.source), "digest": done.parent.digest},
        "target": {"path": str(done.target), "digest": done.child.digest},
        **conversion_document(done),
        "raw": list(done.plan.raw),
        "alias_pairs": [list(pair) for pair in done.plan.aliases],
        "unconfined": list(done.unconfined),
    }


def conversion_text(done: Conversion, style: Style) -> str:
    """For people: what was compared, and what was left behind."""
    plan = done.plan
    source, target = printable(str(done.source)), printable(str(done.target))
    word = style("converted", "green", "bold") if plan.tensors else style("converted, values only:", "yellow", "bold")
    lines = [
        f"{word} {source} ({plan.source}) to {target}",
        *(f"  {line}" for line in _compared(done)),
        *([f"  with {counted(done.unpacked, 'byte')} that were unpacked from it"] if done.unpacked else []),
        f"  from {done.parent.digest}",
        f"  to   {done.child.digest}",
    ]
    if plan.aliases:
        lines.append("  tensors that lie in the same bytes as another, each written in full:")
        lines += _some([f"{one} and {two}" for one, two in plan.aliases])
    if plan.dropped:
        lines.append("  left behind:")
        lines += _some(list(plan.dropped))
    return "\n".join(lines)


def _compared(done: Conversion) -> list[str]:
    """What was compared; that nothing was is never said as a success."""
    plan, raw = done.plan, set(done.plan.raw)
    strings = sum(tensor.size for tensor in plan.tensors if tensor.name in raw)
    tensors = len(plan.tensors) - len(raw)
    lines = []
    if tensors:
        equal = f"{done.compared.tensors - len(raw)} of {counted(tensors, 'tensor')} compared byte by byte, all equal"
        lines.append(f"{equal}: {counted(done.compared.size - strings, 'byte')}")
    if raw:
        names = ", ".join(printable(name) for name in plan.raw[:_NAMED])
        more = f" and {len(raw) - _NAMED} more" if len(raw) > _NAMED else ""
        lines.append(
            f"raw bytes that it holds compared byte by byte, all equal: {counted(strings, 'byte')} of {names}{more}"
        )
    return lines or ["nothing was compared: it holds no tensors, and its values are in the header as JSON"]


def fix_document(item: Fixed) -> dict[str, Any]:
    """One file of ``scan --fix``: its conversion, or why there is none."""
    if item.done is not None:
        return conversion_output(item.done)
    error = item.problem
    code, message = (error.code, error.message) if error is not None else ("", "")
    return {"source": {"path": str(item.source)}, "target": None, "code": code, "message": message}


def fix_text(item: Fixed, style: Style) -> str:
    """The same for people."""
    if item.done is not None:
        return conversion_text(item.done, style)
    said = f"{item.problem.message} [{item.problem.code}]" if item.problem is not None else ""
    return f"{style('not converted', 'yellow', 'bold')} {printable(str(item.source))}: {printable(said)}"


def _some(items: list[str]) -> list[str]:
    shown = [f"    {printable(item)}" for item in items[:_SHOWN]]
    if len(items) > _SHOWN:
        shown.append(f"    and {len(items) - _SHOWN} more: --format json lists all")
    return shown
