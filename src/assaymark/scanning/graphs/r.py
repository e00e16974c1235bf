"""Scanner of R's serialised data: code in it is a finding, numbers and texts are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.report import Severity
from assaymark.formats import r
from assaymark.scanning.graphs.shared import note_broken

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

# Calls are in every fitted model, which keeps how it was called; R evaluates none of them when it reads the file.
_KINDS: Final = {
    r.PROMISE: (Severity.CRITICAL, "a promise, whose code R evaluates when the value is first used"),
    r.CLOSURE: (Severity.HIGH, "a function"),
    r.CODE: (Severity.HIGH, "byte code"),
    r.DOTS: (Severity.HIGH, "arguments that are not evaluated yet"),
    r.POINTER: (Severity.HIGH, "a pointer into memory"),
    r.WEAK: (Severity.HIGH, "a weak reference, which may have a finaliser"),
    r.PERSISTENT: (Severity.HIGH, "a name that the reader's own function resolves"),
    r.CALL: (Severity.MEDIUM, "a call, which is evaluated when something asks for it"),
    r.NAMESPACE: (Severity.MEDIUM, "a package, which R loads for it"),
    r.PACKAGE: (Severity.MEDIUM, "a package, which R looks for"),
}


def scan(content: Content) -> None:
    """Every object of the data."""
    try:
        data = r.read_r(content.view)
    except InputError as error:
        note_broken(content, error, "data of R")
        return
    for kind, (severity, what) in _KINDS.items():
        if kind in data.kinds:
            message = f"the data hold {what}"
            content.notes.finding(
                "r-code", message, member=content.member, offset=data.kinds[kind], severity=severity
            )
    if data.mapped:
        message = "the data hold a vector whose values R maps from a file that they name"
        content.notes.finding("graph-file-access", message, member=content.member)
    if data.whole:
        content.notes.saw("r", content.member)
    else:
        content.notes.skip("what follows the byte code was not examined", content.member)
