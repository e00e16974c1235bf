"""The page behind an id: a rule, an error code, a predicate or another page of the specification."""

from __future__ import annotations

import difflib
import importlib.resources
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import UsageError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_ERROR_ROW: Final = re.compile(r"^\| `([a-z0-9-]+)` \| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """What an id means. ``kind``: ``rule``, ``error`` or ``spec``; ``text`` in Markdown."""

    kind: str
    text: str


def explain(name: str) -> Page:
    """The page of an id.

    Raises:
        UsageError: ``explain-unknown``, naming the nearest ids.
    """
    if _ID.fullmatch(name):
        rule = _folder("_rules", "rules") / name / "rule.md"
        if rule.is_file():
            return Page("rule", rule.read_text())
        error = dict(_errors()).get(name, "")
        spec = _folder("_spec", "docs/spec") / f"{name}.md"
        page = spec.read_text() if spec.is_file() else ""
        # A predicate and the error about it may share a name, such as policy-statement: both are shown.
        if error:
            return Page("error", "\n".join(filter(None, (error, page))))
        if page:
            return Page("spec", page)
    nearest = difflib.get_close_matches(name, known_ids(), n=3)
    raise UsageError(
        "explain-unknown",
        f"there is no page {name[:64]!r}",
        remedy="did you mean: " + ", ".join(nearest)
        if nearest
        else "ids stand in brackets behind findings and errors; requirements are in `assaymark policy explain`",
    )


def spec_page(name: str) -> str:
    """A file of docs/spec, such as ``schemas/approval.v1.schema.json``."""
    return (_folder("_spec", "docs/spec") / name).read_text()


def known_ids() -> list[str]:
    """All ids that have a page."""
    rules = [item.name for item in _folder("_rules", "rules").iterdir() if (item / "rule.md").is_file()]
    specs = [item.name.removesuffix(".md") for item in _folder("_spec", "docs/spec").iterdir()]
    return sorted({*rules, *(code for code, _ in _errors()), *specs} - {"README", "schemas"})


def _errors() -> list[tuple[str, str]]:
    """Codes with their pages, from the table of docs/spec/errors.md."""
    table = (_folder("_spec", "docs/spec") / "errors.md").read_text()
    return [(code, f"# {code}\n\n{what}\n\nWhat to do: {do}\n") for code, what, do in _ERROR_ROW.findall(table)]


def _folder(packaged: str, checkout: str) -> Traversable:
    """A folder of pages, in the installed package or in a checkout."""
    inside = importlib.resources.files("assaymark").joinpath(packaged)
    return inside if inside.is_dir() else Path(__file__).parents[3] / checkout
