"""Scanner of TensorFlow's graphs. Default deny: an operator computes, or its use is judged, or it is a finding."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.report import Severity
from assaymark.formats.tensorflow import Graph, Node, TensorFlow, read_tensorflow
from assaymark.formats.tensorflow_text import read_tensorflow_text
from assaymark.formats.text import read_text
from assaymark.scanning.graphs.keras_json import judge_keras
from assaymark.scanning.graphs.shared import note_broken, outside
from assaymark.scanning.graphs.tensorflow_operators import COMPUTING
from assaymark.scanning.graphs.tensorflow_paths import ASSET, INPUT, SAVER, TEXT, Origin, Paths
from assaymark.scanning.graphs.tensorflow_uses import (
    LIBRARIES,
    READS,
    REFUSED,
    SAVER_READS,
    SAVER_WRITES,
    Refusal,
)
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

_PRINTS: Final = re.compile(rb"(?:stdout|stderr|log\((?:info|warning|error)\))?")
_DEBUG: Final = frozenset(
    ("DebugIdentity", "DebugIdentityV2", "DebugIdentityV3", "DebugNanCount", "DebugNumericSummary")
)
_RECORDS: Final = ("Copy", "CopyHost")
_TABLES: Final = frozenset(("InitializeTableFromTextFile", "InitializeTableFromTextFileV2"))


def scan(content: Content) -> None:
    """A SavedModel, meta graph, frozen graph, or what lies beside one."""
    try:
        found = read_tensorflow(content.view)
    except InputError as error:
        note_broken(content, error, "TensorFlow graph")
        return
    _judge(content, found)


def scan_text(content: Content) -> None:
    """The same, written as text."""
    try:
        found = read_tensorflow_text(read_text(content.view))
    except InputError as error:
        note_broken(content, error, "TensorFlow graph as text")
        return
    _judge(content, found)


def _judge(content: Content, found: TensorFlow) -> None:
    for graph in found.graphs:
        if found.kind != "savedmodel":
            graph.assets.clear()  # only the loader of a SavedModel puts the files of its folder in their places
        judge_graph(content, graph)
    for text, place in [*found.metadata, *(item for graph in found.graphs for item in graph.metadata)]:
        judge_keras(content, text, place)
    content.notes.saw(f"tensorflow-{found.kind}", content.member)


def judge_graph(content: Content, graph: Graph) -> None:
    """Every node of the graph and of its functions, and the names of its assets."""
    paths = Paths(graph)
    for name in graph.assets.values():
        why = outside(name)
        if why:
            message = f"the asset {shown(name)!r} {why}: loading the model reads a file outside its folder"
            content.notes.finding("graph-external-path", message, member=content.member)
    judge = _Judge(content, graph, paths)
    for node in graph.nodes:
        judge.node("", node)
    for function in graph.functions.values():
        for node in function.nodes:
            judge.node(function.name, node)


class _Judge:
    def __init__(self, content: Content, graph: Graph, paths: Paths) -> None:
        self._content = content
        self._graph = graph
        self._paths = paths

    def node(self, scope: str, node: Node) -> None:
        name = node.operator
        if name in COMPUTING or name in self._graph.functions:
            return
        if name in SAVER_WRITES:
            self._saver(scope, node, SAVER_WRITES[name], writes=True)
        elif name in SAVER_READS:
            self._saver(scope, node, SAVER_READS[name], writes=False)
        elif name in READS:
            self._read(scope, node, READS[name])
        elif name == "PrintV2":
            if not all(_PRINTS.fullmatch(text) for text in _texts(node, "output_stream")):
                where = shown(_texts(node, "output_stream")[0].decode("utf-8", "replace"))
                self._note(scope, node, Refusal("graph-file-access", f"writes to {where!r} when the model runs"))
        elif name in _DEBUG:
            addresses = [text for text in _texts(node, "debug_urls") if text]
            if addresses:
                where = shown(addresses[0].decode("utf-8", "replace"))
                self._note(scope, node, Refusal("graph-file-access", f"sends what the model computes to {where!r}"))
        elif name in _RECORDS:
            if any(b";" in text for text in _texts(node, "debug_ops_spec")):
                self._note(scope, node, Refusal("graph-file-access", "sends what the model computes elsewhere"))
        elif name in REFUSED:
            self._note(scope, node, REFUSED[name])
        else:
            self._unknown(scope, node)

    def _unknown(self, scope: str, node: Node) -> None:
        library = next((what for pattern, what in LIBRARIES if pattern.fullmatch(node.operator)), "")
        if library:
            reason = f"is an operator of {library}, whose native code somebody must load"
            self._note(scope, node, Refusal("graph-custom-operator", reason, Severity.MEDIUM))
        else:
            reason = "is no operator that is known to compute only"
            self._note(scope, node, Refusal("graph-unknown-operator", reason))

    def _saver(self, scope: str, node: Node, places: tuple[int, ...], *, writes: bool) -> None:
        """Saving and restoring, at the place that the saver is given."""
        for place in places:
            for origin in self._origins(scope, node, place):
                if origin.kind == SAVER or (origin.kind == ASSET and not writes):
                    continue
                what = "writes" if writes else "reads"
                self._note(scope, node, Refusal("graph-file-access", f"{what} {_where(origin)}"))
                return

    def _read(self, scope: str, node: Node, places: tuple[int, ...]) -> None:
        """Files that a model reads while it is loaded: those in its own folder of assets."""
        for place in places:
            for origin in self._origins(scope, node, place):
                if origin.kind == ASSET:
                    continue
                beside = node.operator in _TABLES and origin.kind == TEXT and _is_beside(origin)
                severity = Severity.MEDIUM if beside else None
                self._note(scope, node, Refusal("graph-file-access", f"reads {_where(origin)}", severity))
                return

    def _origins(self, scope: str, node: Node, place: int) -> tuple[Origin, ...]:
        inputs = [item for item in node.inputs if not item.startswith("^")]
        return self._paths.origins(scope, inputs[place]) if place < len(inputs) else (Origin("unknown"),)

    def _note(self, scope: str, node: Node, refusal: Refusal) -> None:
        where = f"{shown(node.name)!r}" + (f" in the function {shown(scope)!r}" if scope else "")
        message = f"the operator {shown(node.operator)} (node {where}) {refusal.reason}"
        self._content.notes.finding(
            refusal.rule, message, member=self._content.member, offset=node.place, severity=refusal.severity
        )


def _texts(node: Node, key: str) -> list[bytes]:
    found = node.attributes.get(key)
    return found.texts if found is not None else []


def _is_beside(origin: Origin) -> bool:
    """Whether a graph that was never saved as a model names a vocabulary in the folder that it is loaded in."""
    return bool(origin.texts) and not any(outside(text.decode("utf-8", "replace")) for text in origin.texts)


def _where(origin: Origin) -> str:
    if origin.kind == TEXT and origin.texts:
        return f"the file {shown(origin.texts[0].decode('utf-8', 'replace'))!r}"
    if origin.kind == INPUT:
        return "whatever file a request names"
    if origin.kind == SAVER:
        return "whatever file the caller names"
    return "a file whose name is computed"
