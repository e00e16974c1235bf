"""Scanner of ONNX models: operators that need code from elsewhere, and tensors in files outside the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.report import Severity
from assaymark.formats.onnx import External, Onnx, OnnxNode, read_onnx
from assaymark.scanning.graphs.onnx_operators import NEWEST_OPSET, OPERATORS, TENSORRT
from assaymark.scanning.graphs.shared import note_broken, outside
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

# Domains whose operators ONNX Runtime and ONNX themselves bring.
_OWN: Final = frozenset(("", "ai.onnx"))
_KNOWN: Final = frozenset(
    (
        "ai.onnx.ml",
        "ai.onnx.training",
        "ai.onnx.preview",
        "ai.onnx.preview.training",
        "com.microsoft",
        "com.microsoft.nchwc",
        "com.microsoft.experimental",
        "com.microsoft.dml",
        "com.ms.internal.nhwc",
    )
)
_PYTHON: Final = frozenset(("PyOp", "PythonOp", "PythonOpGrad", "PyCustomOp", "PyFunc"))
_COMPILED: Final = "EPContext"
_MAX_DISTINCT: Final = 200


def scan(content: Content) -> None:
    """Every node of every graph and function, and every tensor that is kept in another file."""
    try:
        model = read_onnx(content.view)
    except InputError as error:
        note_broken(content, error, "ONNX model")
        return
    _operators(content, model)
    for external in model.external:
        _external(content, external)
    content.notes.saw("onnx", content.member)


def _operators(content: Content, model: Onnx) -> None:
    seen: set[tuple[str, str]] = set()
    defined = {(_domain(domain), name) for domain, name in model.functions}
    for node in model.nodes:
        key = (_domain(node.domain), node.operator)
        if node.operator == _COMPILED:
            _compiled(content, node)
        if key in seen or len(seen) > _MAX_DISTINCT:
            continue
        seen.add(key)
        if node.operator in _PYTHON:
            message = f"the operator {shown(node.operator)} runs Python code when the model runs"
            _note(content, "graph-runs-code", message, node)
        elif key in defined or key[0] in _KNOWN:
            continue
        elif key[0]:
            message = (
                f"the operator {shown(node.operator)} of {shown(node.domain)!r} is none of ONNX's: it runs native"
                " code that somebody must load"
            )
            _note(content, "graph-custom-operator", message, node)
        elif node.operator not in OPERATORS:
            newer = max((model.opsets.get(domain, 0) for domain in _OWN), default=0) > NEWEST_OPSET
            message = f"{shown(node.operator)!r} is no operator of ONNX: it runs native code that somebody must load"
            mild = Severity.MEDIUM if newer or node.operator in TENSORRT else None
            _note(content, "graph-custom-operator", message, node, mild)


def _domain(domain: str) -> str:
    return "" if domain in _OWN else domain


def _note(content: Content, rule: str, message: str, node: OnnxNode, severity: Severity | None = None) -> None:
    where = f" (node {shown(node.name)!r})" if node.name else ""
    content.notes.finding(rule, message + where, member=content.member, offset=node.offset, severity=severity)


def _compiled(content: Content, node: OnnxNode) -> None:
    """com.microsoft EPContext: a graph that was compiled for an accelerator, in the attribute or in a file."""
    where = node.texts.get("ep_cache_context", "")
    kept = where if where.isprintable() and len(where) < 1024 else ""  # noqa: PLR2004 - a path, not a program
    why = outside(kept) if kept else ""
    if why:
        _note(content, "graph-external-path", f"compiled code is read from {shown(kept)!r}, which {why}", node)
    message = "a part of the model is compiled for an accelerator; nothing but its driver can read it"
    _note(content, "graph-native-code", message, node, Severity.MEDIUM)
    content.notes.skip(message, content.member)


def _external(content: Content, external: External) -> None:
    entries = dict(external.entries)
    tensor = shown(external.tensor)
    if len(entries) != len(external.entries):
        message = f"the tensor {tensor!r} says twice where its data is"
        content.notes.finding("model-malformed", message, member=content.member, offset=external.offset)
    for key, value in external.entries:
        if key == "location":
            why = outside(value)
            if why:
                message = f"the tensor {tensor!r} is read from {shown(value)!r}, which {why}"
                content.notes.finding("graph-external-path", message, member=content.member, offset=external.offset)
        elif key in ("offset", "length") and not (value.isascii() and value.isdecimal() and len(value) < 20):  # noqa: PLR2004
            message = f"the tensor {tensor!r} is read from its file with {key} {shown(value)!r}"
            content.notes.finding("graph-external-path", message, member=content.member, offset=external.offset)
    if "location" not in entries:
        message = f"the tensor {tensor!r} is kept in another file and names none"
        content.notes.finding("model-malformed", message, member=content.member, offset=external.offset)
