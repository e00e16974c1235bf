"""``examine``: one file, by content. Containers come back here for each of their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.limits import SCAN_MAX_NESTING
from assaymark.core.part import load_part
from assaymark.core.view import BytesView
from assaymark.formats.text import utf16_text
from assaymark.scanning.containers.polyglots import other_formats
from assaymark.scanning.content import Content
from assaymark.scanning.documents.kinds import DOCUMENTS, UTF16_TEXTS, document_kind
from assaymark.scanning.graph_kinds import kind_by_name
from assaymark.scanning.graphs.tables import is_raw_tensors
from assaymark.scanning.notes import Notes
from assaymark.scanning.pickle.streams import examine_pickle, is_pickle
from assaymark.scanning.promises import PROMISES
from assaymark.scanning.recognise import named_format, recognise, runnable
from assaymark.scanning.scanners import SCANNERS

if TYPE_CHECKING:
    from assaymark.core.report import Report
    from assaymark.core.view import View

_PARTS: Final = {part.id: part for part in SCANNERS}


def examine(view: View, path: str, allow: frozenset[str] = frozenset()) -> Report:
    """The report on one file: what it would do when it is loaded, without loading it.

    ``allow`` are names of classes and functions (``package.module.Class``) that pickles may use besides the reviewed
    ones; what is known to be dangerous stays refused.

    Pure: the same bytes and name give the same report. Malformed content becomes findings and skips; what no
    scanner understands is skipped, so the report is incomplete.
    """
    notes = Notes(path, allow=allow)
    _examine(Content(view, path, notes, _examine))
    return notes.report()


def _examine(content: Content) -> None:
    view, notes, member = content.view, content.notes, content.member
    if content.depth > SCAN_MAX_NESTING:
        notes.skip(f"nested in more than {SCAN_MAX_NESTING} containers", member)
        return
    kind = document_kind(content, recognise(view)) or kind_by_name(content.suffix)
    if not kind and content.suffix in UTF16_TEXTS:
        text = utf16_text(view)
        if text is not None:
            content.examine(content.within(BytesView(text), content.name))
            return
    examined = kind in ("pickle", "native", "empty", *DOCUMENTS)
    code = "" if examined else runnable(view, content.suffix)
    if code:
        notes.skip(f"{code}: a loader may execute it, and this version does not examine code", member)
        return
    for what, offset in other_formats(view, kind):
        message = f"{what} (byte {offset}) and begins as {kind or 'something else'}"
        notes.finding("file-polyglot", message, member=member, offset=offset)
    # A zip archive begins with PERSID, at which every unpickler stops that is not told what to do with it.
    if kind not in ("", "pickle", "text", "json", "empty", "zip") and is_pickle(view):
        notes.finding("file-polyglot", f"begins as {kind} and is a pickle too", member=member, offset=0)
        examine_pickle(content)
    _against_name(content, kind)
    _forced(content, kind)
    if kind == "empty":
        content.inert("empty")
    elif kind in _PARTS:
        load_part(_PARTS[kind])(content)


def _forced(content: Content, kind: str) -> None:
    """Run the machine over what is only named a pickle: a loader will, and effects come before the break."""
    _, kept_by = PROMISES.get(content.suffix, ("", frozenset[str]()))
    if "pickle" in kept_by and kind in ("", "text", "json"):
        examine_pickle(content)


def _against_name(content: Content, kind: str) -> None:
    """Skip what is not understood, and what is not what its name promises."""
    notes, member, suffix = content.notes, content.member, content.suffix
    promised, kept_by = PROMISES.get(suffix, ("", frozenset[str]()))
    if not kind:
        known = named_format(content.view)
        if not known and is_raw_tensors(content.name):
            notes.saw("raw-tensors", member)
            return
        if known or (promised and not kept_by):
            notes.skip(f"{known or promised} is not examined by this version", member)
        elif promised:
            notes.skip(f"named {suffix} ({promised}), but its content is not recognised", member)
        else:
            notes.skip("the format is not recognised", member)
    elif promised and kind not in kept_by:
        message = f"named {suffix} ({promised}), but its content is {_article(kind)}"
        notes.finding("name-mismatch", message, member=member, offset=0)
        if kind in ("empty", "json", "text"):
            notes.skip(message, member)  # inert as text, and not what a loader of that name reads


def _article(kind: str) -> str:
    return {
        "empty": "empty",
        "json": "JSON",
        "text": "text",
        "zip": "a zip archive",
        "native": "a program",
        "compressed": "a compressed file",
        "numpy": "a NumPy array",
    }.get(kind, f"a {kind}")
