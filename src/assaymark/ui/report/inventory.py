"""An inventory as a table for people and as a document for scripts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.decision import Outcome
from assaymark.core.report_json import printable, report_to_json
from assaymark.core.times import format_time
from assaymark.core.words import counted
from assaymark.service.inventoried import PART_OF, SUBMITTED, UNKNOWN
from assaymark.ui.report.style import human_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assaymark.service.adopt import Adoption
    from assaymark.service.inventoried import Model, Standing
    from assaymark.service.inventory import Inventory
    from assaymark.ui.report.style import Style

_SHOWN: Final = 200
_SHOWN_LEFT_OUT: Final = 20
_PLACES: Final = 3
_COLOUR: Final = {Outcome.PERMIT: "green", Outcome.DENY: "red", Outcome.INDETERMINATE: "yellow"}


def inventory_document(inventory: Inventory, adoptions: Sequence[Adoption], *, dry_run: bool) -> dict[str, Any]:
    """The contract ``assaymark:inventory/v1``: docs/spec/output.md."""
    document: dict[str, Any] = {
        "schema": "assaymark:inventory/v1",
        "files": inventory.files,
        "folders": inventory.folders,
        "scanned": inventory.scanned,
        "environments": list(inventory.environments),
        "models": [_model(model) for model in inventory.models],
        "left_out": [
            {"path": printable(item.path), "why": printable(item.why), "unread": item.unread}
            for item in inventory.left_out
        ],
    }
    if adoptions:
        document["adoption"] = {"dry_run": dry_run, "models": [_adoption(item) for item in adoptions]}
    return document


def _model(model: Model) -> dict[str, Any]:
    manifest = model.manifest
    return {
        "subject": model.subject.digest,
        "name": printable(model.subject.name),
        "places": [printable(place) for place in model.places],
        "unit": "folder" if model.found.folder else "file",
        "format": model.found.format,
        "format_name": model.found.name,
        "kind": model.found.kind,
        "examined_by_this_version": model.found.examined,
        "parts": [{"path": printable(name), "format": one.format} for name, one in model.found.parts],
        "beside": [printable(name) for name in model.found.beside],
        "size": manifest.size if manifest is not None else None,
        "files": len(manifest.files) if manifest is not None else None,
        "content": manifest.files[0].digest if manifest is not None and not model.found.folder else None,
        "known": model.known,
        "part_of": [{"subject": item.digest, "name": printable(item.name)} for item in model.part_of],
        "standing": [_standing(item) for item in model.standing],
        "unsafe": model.unsafe if model.report is not None else None,
        "scan": report_to_json(model.report) if model.report is not None else None,
        "problem": printable(model.problem),
    }


def _standing(item: Standing) -> dict[str, Any]:
    return {
        "environment": item.environment,
        "outcome": str(item.outcome),
        "submitted": item.submitted,
        "unmet": list(item.unmet),
        "excepted_until": format_time(item.excepted_until) if item.excepted_until else None,
        "owner": printable(item.owner),
    }


def _adoption(item: Adoption) -> dict[str, Any]:
    return {
        "subject": item.model.subject.digest,
        "place": printable(item.model.places[0]),
        "environment": item.environment,
        "action": item.action,
        "requirements": list(item.requirements),
        "why": printable(item.why),
    }


def inventory_text(
    inventory: Inventory, adoptions: Sequence[Adoption], style: Style, *, dry_run: bool, until: str = ""
) -> str:
    """The riskiest models first, then what was not looked into, and the sum of it all."""
    lines = [line for model in inventory.models[:_SHOWN] for line in _lines(model, style)]
    if len(inventory.models) > _SHOWN:
        lines.append(f"and {len(inventory.models) - _SHOWN} more (--format json lists all)")
    lines += _left_out(inventory, style)
    if adoptions:
        lines += _adoptions(adoptions, style, dry_run=dry_run, until=until)
    return "\n".join([*lines, _sum(inventory, style)])


def _lines(model: Model, style: Style) -> list[str]:
    size = human_size(model.manifest.size) if model.manifest is not None else "?"
    kind = ", plain data" if model.found.kind == "data" else ""
    head = f"{_safety(model, style)}  {style(printable(model.places[0]), 'bold')}"
    lines = [f"{head}  {model.found.name}{kind}, {size}", f"    {_known(model, style)}"]
    if model.problem:
        lines.append(f"    {style('problem', 'yellow')}: {printable(model.problem)}")
    if model.unsafe and model.report is not None:
        worst = max(model.report.findings, key=lambda finding: finding.severity)
        more = f" and {len(model.report.findings) - 1} more" if len(model.report.findings) > 1 else ""
        lines.append(f"    {style(worst.severity.name.lower(), 'red')}: {printable(worst.message)}{more}")
    if model.found.beside:
        lines.append(f"    needs, and its digest leaves out: {printable(', '.join(model.found.beside))}")
    lines += [f"    the same: {printable(place)}" for place in model.places[1 : 1 + _PLACES]]
    if len(model.places) > 1 + _PLACES:
        lines.append(f"    and {counted(len(model.places) - 1 - _PLACES, 'place')} more")
    return lines


def _safety(model: Model, style: Style) -> str:
    if model.unsafe:
        return style("UNSAFE", "red", "bold")
    if model.report is None:
        return style("not scanned", "dim")
    if model.unexamined:
        return style("not all examined", "yellow")
    return (
        style("no findings", "green") if model.highest is None else style(f"{model.highest.name.lower()}", "yellow")
    )


def _known(model: Model, style: Style) -> str:
    digest = style(model.subject.digest[:19] + "…", "dim") if model.manifest is not None else ""
    if not model.known:
        return digest
    if model.known == PART_OF:
        names = ", ".join(sorted({item.name for item in model.part_of})[:_PLACES])
        words = style(f"unknown, with the bytes of a file of {printable(names)}", "yellow")
    elif model.known == UNKNOWN:
        words = style("unknown to the log", "yellow", "bold")
    else:
        words = "submitted"
    if model.known != SUBMITTED and not any(item.permitted for item in model.standing):
        return f"{words}  {digest}"
    return f"{words}: {'; '.join(_outcome(item, style) for item in model.standing)}  {digest}"


def _outcome(item: Standing, style: Style) -> str:
    words = f"{item.environment} {style(str(item.outcome), _COLOUR[item.outcome])}"
    if item.excepted_until:
        words += f" adopted or excepted until {format_time(item.excepted_until)}, owner {printable(item.owner)}"
    return words + (f" ({', '.join(item.unmet)})" if item.unmet else "")


def _left_out(inventory: Inventory, style: Style) -> list[str]:
    lines = []
    for title, items in (
        ("Not looked into:", inventory.unread),
        ("Not followed, or no model:", [item for item in inventory.left_out if not item.unread]),
    ):
        if items:
            lines += ["", style(title, "bold")]
            lines += [f"  {printable(item.path)}: {printable(item.why)}" for item in items[:_SHOWN_LEFT_OUT]]
            if len(items) > _SHOWN_LEFT_OUT:
                lines.append(f"  and {len(items) - _SHOWN_LEFT_OUT} more (--format json lists all)")
    return lines


def _adoptions(adoptions: Sequence[Adoption], style: Style, *, dry_run: bool, until: str) -> list[str]:
    verb = "Would adopt" if dry_run else "Adopted"
    done = [item for item in adoptions if item.action == "adopt"]
    lines = ["", style(f"{verb} {len(done)}" + (f", until {printable(until)}" if done else ""), "bold")]
    for item in done[:_SHOWN]:
        what = f"except from {', '.join(item.requirements)}" if item.requirements else "nothing to except"
        lines.append(f"  {printable(item.model.places[0])} in {item.environment}: {what}")
    refused = [item for item in adoptions if item.action == "refuse"]
    lines += [
        f"  {style('refused', 'red')} {printable(item.model.places[0])} in {item.environment}: {printable(item.why)}"
        for item in refused[:_SHOWN]
    ]
    reasons = Counter(item.why for item in adoptions if item.action == "skip")
    lines += [f"  {count} left alone: {why}" for why, count in sorted(reasons.items())]
    left = max(0, len(done) - _SHOWN) + max(0, len(refused) - _SHOWN)
    return [*lines, f"  and {left} more (--format json lists all)"] if left else lines


def _sum(inventory: Inventory, style: Style) -> str:
    models = [model for model in inventory.models if model.found.kind == "model"]
    counts = [
        counted(len(models), "model"),
        f"{sum(model.unsafe for model in inventory.models)} unsafe" if inventory.scanned else "not scanned",
        f"{sum(model.unexamined for model in inventory.models)} not all examined" if inventory.scanned else "",
        f"{sum(m.known in (UNKNOWN, PART_OF) for m in models)} unknown" if inventory.environments else "",
        f"{len(inventory.models) - len(models)} of plain data" if len(models) < len(inventory.models) else "",
        f"{counted(len(inventory.unread), 'place')} not looked into" if inventory.unread else "",
    ]
    looked = f"{counted(f'{inventory.files:,}', 'file')} in {counted(f'{inventory.folders:,}', 'folder')}"
    return "\n" + style(", ".join(filter(None, counts)), "bold") + style(f"; {looked} looked at", "dim")
