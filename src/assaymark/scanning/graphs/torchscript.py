"""Scanner of the code in TorchScript archives: default deny on the operators and native classes that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import TORCHSCRIPT_MAX_BYTES
from assaymark.core.report import Severity
from assaymark.formats.torchscript import Call, read_torchscript
from assaymark.scanning.graphs.shared import note_broken
from assaymark.scanning.graphs.tensorflow_uses import Refusal
from assaymark.scanning.graphs.torch_operators import OWN_CLASSES, refusal_of
from assaymark.scanning.notes import shown
from assaymark.scanning.pickle.streams import examine_pickle

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

_TORCH_PLAIN: Final = frozenset(
    ("device", "dtype", "layout", "memory_format", "inf", "nan", "pi", "qscheme", "classes")
)
_MAX_FINDINGS: Final = 50


def scan_script_member(content: Content) -> None:
    """One member of an archive's ``code/``: source, the pickled places of its lines, or anything else."""
    if content.suffix == ".py":
        _scan_source(content)
    elif content.suffix == ".debug_pkl":
        examine_pickle(content.view, content.notes, content.member, torchscript=True)
    else:
        content.examine(content)


def _scan_source(content: Content) -> None:
    if content.view.size > TORCHSCRIPT_MAX_BYTES:
        content.notes.skip(f"{content.view.size} bytes of TorchScript are above the limit", content.member)
        return
    try:
        calls = read_torchscript(content.view.read(0, content.view.size))
    except InputError as error:
        note_broken(content, error, "TorchScript")
        return
    seen: set[str] = set()
    for call in calls:
        if call.name in seen or len(seen) > _MAX_FINDINGS:
            continue
        refusal = _judge(call)
        if refusal is not None:
            seen.add(call.name)
            message = f"{shown(call.name)!r} (line {call.line}) {refusal.reason}"
            content.notes.finding(refusal.rule, message, member=content.member, severity=refusal.severity)
    content.notes.saw("torchscript", content.member)


def _judge(call: Call) -> Refusal | None:
    root, _, rest = call.name.partition(".")
    if call.name.startswith("import "):
        fits = call.name.startswith("import __torch__")
        return None if fits else Refusal("graph-unknown-operator", "is imported, which TorchScript does not do")
    if root == "torch":
        return _torch(rest)
    if root == "ops":
        namespace, _, name = rest.partition(".")
        return refusal_of(namespace, name)
    if root == "__torch__":
        return _native_class(rest)
    return None  # a value's attribute or method, or a function that the same archive defines


def _torch(rest: str) -> Refusal | None:
    name, _, more = rest.partition(".")
    if name == "classes":
        return _native_class(f"torch.{rest}")
    if name == "ops":
        namespace, _, operator = more.partition(".")
        return refusal_of(namespace, operator)
    if more and name not in _TORCH_PLAIN:
        return Refusal("graph-unknown-operator", "is no operator that TorchScript has")
    return refusal_of("aten", name)


def _native_class(name: str) -> Refusal | None:
    """``torch.classes.<library>.<class>``: a class of native code; anything else is defined in the archive."""
    parts = name.split(".")
    if parts[:2] != ["torch", "classes"] or len(parts) < 3 or parts[2] in OWN_CLASSES:  # noqa: PLR2004
        return None
    severity = Severity.MEDIUM if parts[2] in ("tensorrt", "torchaudio", "torchtext", "torchvision") else None
    return Refusal("graph-custom-operator", "is a class of native code that somebody must load", severity)
