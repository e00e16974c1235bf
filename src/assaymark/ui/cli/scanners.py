"""``assaymark scanners``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import add_action
from assaymark.ui.cli.output import YES, Result, emit, note

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from assaymark.service.scanner_places import Place
    from assaymark.ui.report.style import Style

LIST_EXAMPLES: Final = """\
  assaymark scanners list
  assaymark scanners list --format json
"""
INSTALL_EXAMPLES: Final = """\
  assaymark scanners install picklescan
  assaymark scanners install picklescan modelscan
  assaymark scanners install all
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``scanners``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, title="actions")
    shown = add_action(actions, "list", "the second scanners, and which are installed", _list)
    add_examples(shown, LIST_EXAMPLES)
    install = add_action(actions, "install", "install scanners, each in an environment of its own", _install)
    install.add_argument("names", metavar="ID", nargs="+", help="picklescan, modelscan, fickling, modelaudit, or all")
    add_examples(install, INSTALL_EXAMPLES)


def _list(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Show what there is."""
    from assaymark.scanning.opinions.second_scanners import SECOND_SCANNERS
    from assaymark.service.scanner_places import find_scanner

    rows = [(part.id, part.summary, find_scanner(part.id)) for part in SECOND_SCANNERS]
    document = {"schema": "assaymark:scanners/v1", "scanners": [_row(*row) for row in rows]}
    return emit(Result(YES, document, lambda style: _text(rows, style)), args.format, outputs)


def _install(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Install some of them."""
    from assaymark.scanning.opinions.second_scanners import SECOND_SCANNERS
    from assaymark.service.scanner_install import install_scanner
    from assaymark.service.scanner_places import scanner_names

    summaries = {part.id: part.summary for part in SECOND_SCANNERS}
    rows: list[tuple[str, str, Place | None]] = []
    for name in scanner_names(args.names):
        note(f"installing {name} ...")
        rows.append((name, summaries[name], install_scanner(name)))
    document = {"schema": "assaymark:scanners/v1", "scanners": [_row(*row) for row in rows]}
    return emit(Result(YES, document, lambda style: _text(rows, style)), args.format, outputs)


def _row(name: str, summary: str, place: Place | None) -> dict[str, Any]:
    return {
        "scanner": name,
        "summary": summary,
        "installed": place is not None,
        "version": place.version if place is not None else "",
        "path": str(place.executable) if place is not None else "",
    }


def _text(rows: list[tuple[str, str, Place | None]], style: Style) -> str:
    lines = []
    for name, summary, place in rows:
        there = f"{place.version}  {place.executable}" if place is not None else "not installed"
        lines += [f"{style(name.ljust(10), 'bold')}  {there}", style(f"            {summary}", "dim")]
    return "\n".join(lines)
