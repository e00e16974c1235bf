"""Rewritten policies: as diffs for people, as objects for scripts, with what solvers attest of each."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.patch import unified
from assaymark.assess.rewrite import solvers_of
from assaymark.core.report_json import printable
from assaymark.core.words import counted as count
from assaymark.service.assess_fix import patched
from assaymark.service.assess_rewrites import policy_diff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.engine import Assessment
    from assaymark.assess.rewrite import Containment, Example, Rewrite
    from assaymark.ui.report.style import Style


_FILES: Final = 100  # of patches on the page
_SPACES: Final = re.compile(r"([\t\f])")  # which sources have, and terminals take for nothing else
_ESCAPED: Final = 6  # characters at most for one that is not shown as it is
_COLOURS: Final[dict[str, tuple[str, ...]]] = {"+": ("green",), "-": ("red",)}


def fix_document(one: Rewrite) -> dict[str, Any]:
    """One rewritten policy. ``safe`` is False: whoever applies it vouches that the needs are all."""
    uncovered, undecided = (
        [{"action": action, "resource": printable(what)} for action, what in some]
        for some in (one.uncovered, one.undecided)
    )
    proof: dict[str, Any] = {
        "kind": "solver-attested",
        "proved": one.proved,
        "new_within_old": _containment(one.within),
        "minimality_questions": len(one.minimality),
    }
    if one.covers is not None:
        proof["needed_within_new"] = _containment(one.covers)
    if one.droppable is not None:
        proof["droppable"] = [printable(text) for text in one.droppable]
    if one.takes is not None:
        proof["takes_away"] = _example(one.takes)
    return {
        "kind": one.kind,
        "title": printable(one.title),
        "principal": printable(one.about),
        "safe": False,
        "replaces": [
            {"policy": printable(old.name), "path": printable(old.because.path), "line": old.because.line}
            for old in one.replaces
        ],
        "policy": one.policy,
        "diff": "\n".join(printable(line) for line in policy_diff(one).split("\n")),
        "uncovered": uncovered,
        **({"undecided": undecided} if undecided else {}),
        "proof": proof,
    }


def _containment(answer: Containment) -> dict[str, Any]:
    said: dict[str, Any] = {
        "verdict": answer.verdict,
        "solvers": list(answer.solvers),
        "questions": [one.question for one in answer.answers],
    }
    if answer.example is not None:
        said["counter_example"] = _example(answer.example)
    return said


def _example(example: Example) -> dict[str, Any]:
    said: dict[str, Any] = {
        "action": example.action,
        "resource": printable(example.resource),
        "context": {key: [printable(value) for value in values] for key, values in example.context.items()},
    }
    if example.absent:
        said["absent"] = list(example.absent)
    if example.principal:
        said["principal"] = printable(example.principal)
    return said


def _request(example: Example) -> str:
    """A request in words."""
    who = f" by {example.principal}" if example.principal not in ("", "*") else " by anyone" * bool(example.principal)
    keys = [f"{key} = {', '.join(values)}" for key, values in sorted(example.context.items())]
    keys += [f"no {key}" for key in sorted(example.absent)]
    return f"{example.action} on {example.resource}{who}" + (f" with {', '.join(keys)}" if keys else "")


def verdict_words(one: Rewrite) -> list[str]:
    """What was asked and found, each once, in sentences."""
    solvers = " and ".join(solvers_of((*one.answers, *one.minimality)))
    attested, words = _asked(one)
    if attested:
        last = f" and {attested[-1]}" if len(attested) > 1 else ""
        commas = "," if len(attested) > 2 else ""  # noqa: PLR2004 - as English has it, of three and more
        some = ", ".join(attested[:-1] if last else attested)
        words.insert(0, f"{f'{solvers} attest' if solvers else 'shown without a solver'}: {some}{commas}{last}")
    words += [f"it takes away, for one: {_request(one.takes)}"] if one.takes is not None else []
    if one.kind == "patched" and one.covers is None:
        words.append("nobody says what is needed of it: [[need]] of --config does, and then it is asked too")
    words += [f"needed, and not allowed by the old policies: {action} on {what}" for action, what in one.uncovered]
    open_words = "needed, and not granted, since the input does not show whether the old policies allow it"
    words += [f"{open_words}: {action} on {what}" for action, what in one.undecided]
    return words


def _asked(one: Rewrite) -> tuple[list[str], list[str]]:
    """What is shown of a rewrite, as parts of one sentence, and sentences about what is not."""
    attested, words = [], []
    old = "the old policies do not" if one.kind == "least" else "the old policy does not"
    match one.within.verdict:
        case "contained":
            attested.append(f"it allows nothing that {old}")
        case "not contained":
            words.append(f"it allows what {old}{_for_one(one.within)}")
        case _:
            words.append(f"not told: whether it allows nothing that {old}")
    if one.covers is not None:
        needed = "all that is needed" if one.kind == "least" else "all that is known to be needed"
        needed += " of what they allow" if one.kind == "least" and (one.uncovered or one.undecided) else ""
        match one.covers.verdict:
            case "contained":
                attested.append(needed if attested else f"it allows {needed}")
            case "not contained":
                words.append(f"it does not allow {needed}{_for_one(one.covers)}")
            case _:
                words.append(f"not told: whether it allows {needed}")
    if one.droppable == ():
        attested.append("no less does" if attested else "nothing of it can go")
    words += [f"not shown to be needed: {text}" for text in one.droppable or ()]
    return attested, words


def _for_one(answer: Containment) -> str:
    return f", for one: {_request(answer.example)}" if answer.example is not None else ""


def patch_lines(found: Assessment, style: Style) -> Iterator[str]:
    """All patches of findings as one diff, file by file."""
    for path, (old, new) in patched(found, safe=False).items():
        for line in unified(path, old, new).removesuffix("\n").split("\n") if old != new else ():
            yield style(_as_it_is(line), *_COLOURS.get(line[:1], ())) + "\n"


def _as_it_is(line: str) -> str:
    """A line of a diff as the file has it, tabs and carriage return, but for what would drive a terminal."""
    end = "\r" if line.endswith("\r") else ""
    mark = line[:1] + "\ufeff" if line[1:2] == "\ufeff" else ""
    parts = _SPACES.split(line[len(mark) : len(line) - len(end)])
    return (
        mark
        + "".join(part if _SPACES.fullmatch(part) else printable(part, _ESCAPED * len(part)) for part in parts)
        + end
    )


def fix_lines(fixes: list[Rewrite], style: Style) -> Iterator[str]:
    """Each as a diff, which no program takes for one of files, and what is attested."""
    for one in fixes:
        title = printable(one.title)
        yield style(title[:1].upper() + title[1:], "bold") + "\n"
        for words in verdict_words(one):
            yield f"   {printable(words)}\n"
        for line in policy_diff(one).removesuffix("\n").split("\n"):
            yield f"| {style(printable(line), *_COLOURS.get(line[:1], ()))}\n"
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
        lines = "\n".join(_line_html(line) for line in unified(path, old, new).split("\n"))
        yield f"<h3><code>{escape(printable(path))}</code></h3><pre>{lines}</pre>"
    if len(changed) > _FILES:
        yield f'<p class="soft">{len(changed) - _FILES} more files: <code>assess --diff</code> shows them.</p>'


def _line_html(line: str) -> str:
    text = escape(printable(line))
    element = {"+": "ins", "-": "del"}.get(line[:1]) if not line.startswith(("+++", "---")) else None
    return f"<{element}>{text}</{element}>" if element else text


def fixes_html(fixes: list[Rewrite]) -> str:
    """A section of the page; empty without fixes."""
    if not fixes:
        return ""
    parts = ['<h2 id="fixes">Rewritten policies</h2>']
    for one in fixes:
        items = "".join(f"<li>{escape(printable(words))}</li>" for words in verdict_words(one))
        diff = "\n".join(escape(printable(line)) for line in policy_diff(one).removesuffix("\n").split("\n"))
        parts.append(f"<h3>{escape(printable(one.title))}</h3><ul>{items}</ul><pre>{diff}</pre>")
    return "".join(parts)
