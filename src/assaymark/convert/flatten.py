"""From the values of a pickle to named tensors, and to the tree of everything else: docs/spec/object.md.

The tree is a table of nodes that name each other by number, so that a value that is shared or holds itself is written
once, and a hostile one cannot nest deeper than a reader can follow. Nothing here is recursive.
"""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any, Final

from assaymark.convert.builder import pairs
from assaymark.convert.numpy_values import SAFETENSORS_TYPES
from assaymark.convert.pieces import text_length, text_of
from assaymark.convert.plan import Piece
from assaymark.convert.tree import Array, DType, Lost, Node, NumpyArray, Object, Storage
from assaymark.core.errors import InputError
from assaymark.core.limits import (
    CONVERT_MAX_INLINE_BYTES,
    CONVERT_MAX_NAME,
    CONVERT_MAX_NODES,
    CONVERT_MAX_TENSORS,
    CONVERT_TREE_BYTES,
    JSON_MAX_INTEGER,
    SCAN_MAX_LIST_ITEMS,
)
from assaymark.core.report_json import printable
from assaymark.formats.pickle.values import Blob, Dict, Global, Plain, Unknown

if TYPE_CHECKING:
    from assaymark.convert.builder import Builder

FORMAT: Final = "assaymark:object/v1"
# What torch's state_dict() leaves out of its names.
_MODULE: Final = ("_parameters", "_buffers", "_modules")
_ALONE: Final = "tensor"  # the name of a tensor that is the whole file
_SHOWN: Final = 200


class Flattener:
    """Walks one value. ``named`` are the tensors in the order found, ``nodes`` the table of the tree.

    ``raw`` names those that are no tensors of the source but bytes of it.
    ``base`` is where the pickle lies in the file, ``None`` when it is compressed there. ``calls`` says that objects
    that a function makes are kept as data; without it they are lost.
    """

    def __init__(self, builder: Builder, base: int | None, *, calls: bool) -> None:
        self.named: dict[str, Array] = {}
        self.nodes: list[Any] = []
        self._builder = builder
        self._view = builder.view
        self._base = base
        self._calls = calls
        self._globals: set[str] = set()
        self._numbers: dict[int, int] = {}
        self._arrays: dict[int, dict[str, Any]] = {}
        self._pieces = builder.pieces
        self.raw: list[str] = []
        self._blobs: dict[int, dict[str, Any]] = {}
        self._stack: list[tuple[Node, str, int]] = []
        self._values = 0
        self._text = 0

    def run(self, root: Node) -> dict[str, Any]:
        """The tree of ``root``.

        Raises:
            InputError: ``convert-limit``, ``convert-name``, ``convert-unsupported``.
        """
        top = self._child(root, "")
        while self._stack:
            value, path, number = self._stack.pop()
            begun = len(self._stack)
            self.nodes[number] = self._fill(value, path)
            self._stack[begun:] = reversed(self._stack[begun:])  # names in the order of the pickle
        return {"format": FORMAT, "root": top, "nodes": self.nodes}

    def kept(self) -> frozenset[int | str]:
        """The ids of all objects that are nodes of the tree, and the names of all globals in it."""
        return frozenset(self._numbers) | self._globals

    def _child(self, value: Node, path: str) -> Any:
        """How ``value`` is written where it stands: itself, a tensor's name or the number of its node."""
        self._values += 1
        if self._values > CONVERT_MAX_NODES:
            raise InputError("convert-limit", f"more than {CONVERT_MAX_NODES} values")
        if value is None or isinstance(value, (bool, int, float, str)):
            return self._plain(value)
        if isinstance(value, Storage):
            value = _whole(value)
        if isinstance(value, Array):
            return self._tensor(value, path)
        if isinstance(value, DType):
            return {"dtype": value.described()}
        if isinstance(value, NumpyArray) and value.objects is None:
            return self._array(value, path)
        if isinstance(value, Global):
            self._globals.add(value.dotted)
            return {"global": printable(value.dotted)}
        if isinstance(value, Blob):
            return self._blob(value, path)
        if isinstance(value, (Plain, Unknown, Lost)) or (
            isinstance(value, Object) and value.called and not self._calls
        ):
            return self._lost(value, path)
        return self._number(value, path)

    def _plain(self, value: Node) -> Any:
        if isinstance(value, str):
            self._take(len(value))
            return str(value)
        if isinstance(value, float) and not math.isfinite(value):
            return {"float": repr(value)}
        if isinstance(value, int) and abs(value) > JSON_MAX_INTEGER:
            return {"int": str(value)}
        return value

    def _number(self, value: Node, path: str) -> Any:
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self.nodes)
            self.nodes.append(None)
            self._stack.append((value, path, number))
        return {"node": number}

    def _fill(self, value: Node, path: str) -> Any:
        items = pairs(value)
        if items is not None:
            return self._mapping(value, items, path)
        if isinstance(value, Dict):
            raise InputError("convert-limit", f"a dict that is too large, or malformed, at {path[:_SHOWN]!r}")
        if isinstance(value, (list, tuple)):
            if len(value) >= SCAN_MAX_LIST_ITEMS:
                raise InputError("convert-limit", f"a list of {SCAN_MAX_LIST_ITEMS} items at {path[:_SHOWN]!r}")
            children = [self._child(item, _join(path, str(i))) for i, item in enumerate(value)]
            return {"type": "list" if isinstance(value, list) else "tuple", "items": children}
        if isinstance(value, NumpyArray):
            items = [self._child(item, _join(path, str(i))) for i, item in enumerate(value.objects or ())]
            return {"type": "array-of-objects", "shape": list(value.shape), "items": items, "fortran": value.fortran}
        if value.name in ("builtins.set", "builtins.frozenset") and not value.called:
            children = [self._child(item, _join(path, str(i))) for i, item in enumerate(value.appended)]
            return {"type": value.name.removeprefix("builtins."), "items": children}
        return self._object(value, path)

    def _array(self, array: NumpyArray, path: str) -> Any:
        """A tensor where safetensors has the type, its bytes and the type's description where it has not."""
        dtype = array.dtype
        if dtype is None or not dtype.known:
            what = f"the array {printable(path, _SHOWN)!r} is of a type that is not understood"
            raise InputError("convert-unsupported", what)
        shape, width = array.shape, dtype.width
        native = SAFETENSORS_TYPES.get(f"{dtype.code}{width}") if not dtype.fields else None
        known = self._arrays.get(id(array))
        said: dict[str, Any] = {} if native is not None and not array.scalar else {"dtype": dtype.described()}
        if array.scalar:
            said["scalar"] = True
        if known is not None:
            return known
        if array.data is not None:
            self._take(2 * len(array.data))
            said |= {"dtype": dtype.described(), "shape": list(shape), "data": base64.b64encode(array.data).decode()}
            return said | ({"fortran": True} if array.fortran else {})
        steps = _strides(shape, fortran=array.fortran)
        start = self._elements(array, width)
        if native is not None:
            made = Array(None, native, start, shape, steps, swap=dtype.order == ">")
        else:
            steps = tuple(step * width for step in steps)
            made = Array(None, "uint8", start, (*shape, width), (*steps, 1))
        said = self._tensor(made, path) | said
        self._arrays[id(array)] = said
        return said

    def _elements(self, array: NumpyArray, width: int) -> int:
        """Where the elements of an array begin: in the file, or behind it when they do not lie there as they are."""
        length = width * math.prod(array.shape)
        if array.encoded is not None:
            return self._pieces.add_text(self._view, array.encoded, length)
        return self._place(array.start or 0, length)

    def _place(self, start: int, length: int) -> int:
        if self._base is None:  # the pickle is compressed in the file
            return self._pieces.add_range(self._view, start, length)
        return self._base + start

    def _mapping(self, value: Node, items: list[tuple[Any, Any]], path: str, *, module: bool = False) -> Any:
        """Of equal keys the last counts, as in Python."""
        last: dict[Any, int] = {}
        for place, (key, _) in enumerate(items):
            plain = (type(key), key) if isinstance(key, (str, int)) else place
            if plain in last:
                self._builder.drop(f"a value that another of the same key {str(key)[:_SHOWN]!r} replaces")
            last[plain] = place
        kept = [items[place] for place in sorted(last.values())]
        children = []
        for place, (key, item) in enumerate(kept):
            if isinstance(key, str) and not (module and key in _MODULE):
                below = _join(path, key)
            elif isinstance(key, str):
                below = path
            elif type(key) is int:
                below = _join(path, str(key))
            else:
                below = _join(path, f"#{place}")
            children.append([self._child(key, below), self._child(item, below)])
        if isinstance(value, Object) and value.built:
            self._builder.drop("attributes of an OrderedDict, such as the version notes of a state dict")
        kind = "ordered-dict" if isinstance(value, Object) else "dict"
        return {"type": kind, "items": children}

    def _object(self, value: Object, path: str) -> Any:
        """An instance: class, arguments and state as data. Of a module of torch the names are those of state_dict."""
        node: dict[str, Any] = {"type": "object", "class": printable(value.name)}
        if value.called:
            node["called"] = True
        if value.arguments != ():
            node["arguments"] = self._child(value.arguments, path)
        if value.built:
            state = pairs(value.state)
            keys = {key for key, _ in state if isinstance(key, str)} if state is not None else set()
            if state is not None and keys.issuperset(_MODULE) and id(value.state) not in self._numbers:
                number = self._numbers[id(value.state)] = len(self.nodes)
                self.nodes.append(None)
                self.nodes[number] = self._mapping(value.state, state, path, module=True)
                node["state"] = {"node": number}
            else:
                node["state"] = self._child(value.state, path)
        if value.items:
            node["items"] = [
                [
                    self._child(key, path),
                    self._child(item, _join(path, str(key) if isinstance(key, str) else f"#{i}")),
                ]
                for i, (key, item) in enumerate(zip(value.items[::2], value.items[1::2], strict=False))
            ]
        if value.appended:
            node["appended"] = [self._child(item, _join(path, str(i))) for i, item in enumerate(value.appended)]
        return node

    def _tensor(self, array: Array, path: str) -> Any:
        name = path or _ALONE
        where = f"the tensor {printable(name, _SHOWN)!r}"
        if array.refused:
            raise InputError("convert-unsupported", f"{where}: {array.refused}", remedy="convert it with its library")
        if name in self.named or name == "__metadata__" or len(self.named) >= CONVERT_MAX_TENSORS:
            raise InputError("convert-name", f"{where} has the name of another, or one that is not to be had")
        try:
            self._take(len(name.encode()))
        except UnicodeEncodeError:
            raise InputError("convert-name", f"{where} has a name that is no Unicode text") from None
        self.named[name] = array
        for note in array.notes:
            self._builder.drop(note)
        return {"tensor": name}

    def _blob(self, blob: Blob, path: str) -> Any:
        """Long texts as far as there is room for them; bytes too, or as a tensor of bytes where they are many."""
        if blob.kind not in ("bytes", "bytearray"):
            return self._long_text(blob, path)
        data = blob.data
        if data is None and (blob.offset is None or blob.length is None):
            return self._lost(Lost(f"a {blob.kind} that the stream computes"), path)
        length = len(data) if data is not None else blob.exact
        if length is None:
            length = text_length(self._view, blob)
        if length > CONVERT_MAX_INLINE_BYTES:
            return self._bytes(blob, length, path)
        self._take(2 * length)
        if data is None:
            data = b"".join(text_of(self._view, blob)) if blob.encoded else self._view.read(blob.offset or 0, length)
        return {blob.kind: base64.b64encode(data).decode()}

    def _bytes(self, blob: Blob, length: int, path: str) -> Any:
        known = self._blobs.get(id(blob))
        if known is not None:
            return known
        if blob.data is not None:
            data = blob.data
            start = self._pieces.add(Piece(length, lambda: iter((data,))))
        elif blob.encoded:
            start = self._pieces.add_text(self._view, blob, length)
        else:
            start = self._place(blob.offset or 0, length)
        name = f"{path}#bytes" if path in self.named else path
        said: dict[str, Any] = self._tensor(Array(None, "uint8", start, (length,), (1,)), name)
        self.raw.append(said["tensor"])
        self._blobs[id(blob)] = said = said | {"as": blob.kind}
        return said

    def _long_text(self, blob: Blob, path: str) -> Any:
        if blob.kind != "str" or blob.offset is None or blob.length is None or not blob.encoded:
            return self._lost(Lost(f"a {blob.kind} that is too long or of no known encoding"), path)
        self._take(blob.length)
        raw = self._view.read(blob.offset, blob.length)
        return raw.decode("raw_unicode_escape" if blob.escaped else "utf-8", "replace")

    def _lost(self, value: Node, path: str) -> Any:
        if isinstance(value, Object):
            what = f"what a call of {value.name} returns"
        elif isinstance(value, Lost):
            what = value.what
        else:
            what = f"a {value.kind}" if isinstance(value, Plain) else value.why
        self._builder.drop(f"the value at {printable(path, _SHOWN)!r}: {printable(what, _SHOWN)}")
        return {"lost": printable(what, _SHOWN)}

    def _take(self, length: int) -> None:
        self._text += length
        if self._text > CONVERT_TREE_BYTES:
            raise InputError("convert-limit", f"names and values of more than {CONVERT_TREE_BYTES} bytes")


def is_flat(document: dict[str, Any]) -> bool:
    """Whether the tree says nothing that the names of the tensors do not say."""
    nodes = document["nodes"]
    if document["root"] == {"tensor": _ALONE}:
        return True
    return (
        len(nodes) == 1
        and nodes[0]["type"] in ("dict", "ordered-dict")
        and all(item == {"tensor": key} for key, item in nodes[0]["items"])
    )


def _join(path: str, key: str) -> str:
    """The path one step deeper; it is bounded, or a deep chain would take time by the square of its depth."""
    if len(path) + len(key) > CONVERT_MAX_NAME:
        raise InputError("convert-limit", f"a value below a path of more than {CONVERT_MAX_NAME} characters")
    return f"{path}.{key}" if path else key


def _strides(shape: tuple[int, ...], *, fortran: bool) -> tuple[int, ...]:
    """In elements."""
    if fortran:
        return tuple(math.prod(shape[:i]) for i in range(len(shape)))
    return tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))


def _whole(storage: Storage) -> Array:
    refused = "" if storage.dtype else "a storage without a type"
    return Array(storage, storage.dtype, 0, (storage.elements,), (1,), refused)
