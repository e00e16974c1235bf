"""TensorFlow's graphs as text (``.pbtxt``): the same structure as of the binary form, from the fields' names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.errors import InputError
from assaymark.formats.protobuf_text import Tree, read_protobuf_text
from assaymark.formats.tensorflow import Attribute, Function, Graph, Node, TensorFlow

if TYPE_CHECKING:
    from collections.abc import Iterable

_GRAPH: frozenset[str] = frozenset(("node", "library", "version", "versions", "debug_info"))


def read_tensorflow_text(data: bytes) -> TensorFlow:
    """The graphs of a text: a GraphDef, a MetaGraphDef or a SavedModel.

    Raises:
        InputError: ``tensorflow-malformed`` where none fits or a name stands twice, or a ``protobuf-*`` code.
    """
    tree = read_protobuf_text(data)
    if "meta_graphs" in tree.fields:
        return TensorFlow("savedmodel", [_meta_graph(item) for item in tree.trees("meta_graphs")])
    if "graph_def" in tree.fields:
        return TensorFlow("metagraph", [_meta_graph(tree)])
    if tree.fields and tree.fields.keys() <= _GRAPH:
        return TensorFlow("graph", [_graph(tree)])
    raise InputError("tensorflow-malformed", "no message of TensorFlow's", position="line 1")


def _text(values: Iterable[bytes]) -> str:
    return next(iter(values), b"").decode("utf-8", "backslashreplace")


def _meta_graph(tree: Tree) -> Graph:
    graphs = tree.trees("graph_def")
    if len(graphs) != 1:
        raise InputError(
            "tensorflow-malformed", f"a meta graph with {len(graphs)} graphs", position=f"line {tree.line}"
        )
    graph = _graph(graphs[0])
    graph.meta = True
    for saver in tree.trees("saver_def"):
        graph.savers.add(_text(saver.values("filename_tensor_name")).split(":", 1)[0])
    for asset in tree.trees("asset_file_def"):
        info = asset.trees("tensor_info")
        tensor = _text(info[0].values("name")) if info else ""
        graph.assets[tensor.split(":", 1)[0]] = _text(asset.values("filename"))
    for objects in tree.trees("object_graph_def"):
        for node in objects.trees("nodes"):
            for user in node.trees("user_object"):
                graph.metadata.extend(
                    (value.decode("utf-8", "backslashreplace"), user.line) for value in user.values("metadata")
                )
    return graph


def _graph(tree: Tree) -> Graph:
    graph = Graph(nodes=_nodes(tree.trees("node")))
    for library in tree.trees("library"):
        for item in library.trees("function"):
            function = Function("", [], _nodes(item.trees("node_def")))
            for signature in item.trees("signature"):
                function.name = _text(signature.values("name"))
                function.arguments = [_text(argument.values("name")) for argument in signature.trees("input_arg")]
            if function.name in graph.functions:
                raise InputError("tensorflow-malformed", "two functions have one name", position=f"line {item.line}")
            graph.functions[function.name] = function
    return graph


def _nodes(trees: list[Tree]) -> list[Node]:
    found = [_node(tree) for tree in trees]
    names: set[str] = set()
    for node in found:
        if node.name in names:
            raise InputError("tensorflow-malformed", "two nodes have one name", position=f"line {node.place}")
        names.add(node.name)
    return found


def _node(tree: Tree) -> Node:
    if max(len(tree.fields.get(name, ())) for name in ("name", "op")) > 1:
        raise InputError("tensorflow-malformed", "a node with two names or operators", position=f"line {tree.line}")
    inputs = [value.decode("utf-8", "backslashreplace") for value in tree.values("input")]
    node = Node(_text(tree.values("name")), _text(tree.values("op")), inputs, {}, tree.line)
    for entry in tree.trees("attr"):
        attribute = node.attributes.setdefault(_text(entry.values("key")), Attribute())
        for value in entry.trees("value"):
            for holder in (value, *value.trees("list")):
                attribute.texts.extend(holder.values("s"))
                attribute.functions.extend(_text(function.values("name")) for function in holder.trees("func"))
            for tensor in value.trees("tensor"):
                attribute.texts.extend(tensor.values("string_val"))
    return node
