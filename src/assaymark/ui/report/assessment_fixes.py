"""Rewritten policies: as diffs for people, as objects for scripts, with what solvers attest of each."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.least import policy_json
from assaymark.assess.patch import unified
from assaymark.core.report_json import printable
from assaymark.core.words import counted as count
from assaymark.service.assess_fix import patched, policy_diff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.aws.containment import Containment
    from assaymark.assess.aws.least import Least
    from assaymark.assess.engine import Assessment
    from assaymark.ui.report.style import Style


_FILES: Final = 100  # of patches on the page
_COLOURS: Final[dict[str, tuple[str, ...]]] = {"+": ("green",), "-": ("red",)}


def fix_document(least: Least) -> dict[str, Any]:
    """One rewritten policy. ``safe`` is False: whoever applies it vouches that the needs are all."""
    return {
        "title": f"least privilege for {printable(least.principal)}",
        "principal": printable(least.principal),
        "safe": False,
        "replaces": [
            {"policy": printable(one.name), "path": printable(one.because.path), "line": one.because.line}
            for one in least.old
        ],
        "policy": policy_json(least.new),
        "diff": "\n".join(printable(line) for line in policy_diff(least).split("\n")),
        "uncovered": [{"action": action, "resource": printable(what)} for action, what in least.uncovered],
        "proof": {
            "kind": "solver-attested",
            "proved": least.proved,
            "new_within_old": _containment(least.within),
            "needed_within_new": _containment(least.covers),
            "droppable": [printable(text) for text in least.droppable],
            "minimality_questions": least.asked,
        },
    }


def _containment(answer: Containment) -> dict[str, Any]:
    said: dict[str, Any] = {
        "verdict": answer.verdict,
        "solvers": list(answer.solvers),
        "questions": [one.question for one in answer.answers],
    }
    if answer.example is not None:
        said["counter_example"] = {
            "action": answer.example.action,
            "resource": printable(answer.example.resource),
            "context": {key: list(values) for key, values in answer.example.context.items()},
        }
    return said


def verdict_words(least: Least) -> list[str]:
    """What is shown, in sentences."""
    who = " and ".join(least.within.solvers) or "no solver"
    words = []
    if least.proved:
        words.append(
            f"{who} attest: it allows nothing that the old policies do not, all that is needed, and no less does"
        )
    else:
        words += [f"new within old: {least.within.verdict}", f"needed within new: {least.covers.verdict} ({who})"]
        words += [f"could still be dropped: {text}" for text in least.droppable]
    words += [f"needed, and not allowed by the old policies: {action} on {what}" for action, what in least.uncovered]
    return words


def patch_lines(found: Assessment, style: Style) -> Iterator[str]:
    """All patches of findings as one diff, file by file."""
    for path, (old, new) in patched(found, safe=False).items():
        for line in unified(path, old, new).splitlines():
            yield style(printable(line), *_COLOURS.get(line[:1], ())) + "\n"


def fix_lines(fixes: list[Least], style: Style) -> Iterator[str]:
    """Each as a diff, and what is attested."""
    for least in fixes:
        yield style(f"Least privilege for {printable(least.principal)}", "bold") + "\n"
        for words in verdict_words(least):
            yield f"   {printable(words)}\n"
        for line in policy_diff(least).splitlines():
            yield style(printable(line), *_COLOURS.get(line[:1], ())) + "\n"
        yield "\n"


def patches_html(found: Assessment) -> Iterator[str]:
    """The patches of findings, each file's as a diff, with those that ``--fix`` would apply said."""
    yield '<h2 id="patches">Patches</h2>'
    changed = patched(found, safe=False)
    if not changed:
        yield "<p>None of the findings has a patch that can be written without knowing more.</p>"
        return
    safe = patched(found, safe=True)
    yield (
        "<p>Written changes of the files that findings are about, for a person to judge;"
        f" <code>assess --fix</code> applies what is safe in {count(len(safe), 'file')}.</p>"
    )
    for path, (old, new) in list(changed.items())[:_FILES]:
        lines = "\n".join(_line_html(line) for line in unified(path, old, new).splitlines())
        yield f"<h3><code>{escape(printable(path))}</code></h3><pre>{lines}</pre>"
    if len(changed) > _FILES:
        yield f'<p class="soft">{len(changed) - _FILES} more files: <code>assess --diff</code> shows them.</p>'


def _line_html(line: str) -> str:
    text = escape(printable(line))
    element = {"+": "ins", "-": "del"}.get(line[:1]) if not line.startswith(("+++", "---")) else None
    return f"<{element}>{text}</{element}>" if element else text


def fixes_html(fixes: list[Least]) -> str:
    """A section of the page; empty without fixes."""
    if not fixes:
        return ""
    parts = ['<h2 id="fixes">Rewritten policies</h2>']
    for least in fixes:
        items = "".join(f"<li>{escape(printable(words))}</li>" for words in verdict_words(least))
        diff = "\n".join(escape(printable(line)) for line in policy_diff(least).splitlines())
        parts.append(f"<h3>{escape(printable(least.principal))}</h3><ul>{items}</ul><pre>{diff}</pre>")
    return "".join(parts)
