"""Builds the values of a pickle: tensors by torch's own functions, anything else as data that is never called.

What a stream calls besides is not done, and is named: the effect of a malicious pickle is dropped, its tensors stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from assaymark.convert.numpy_values import CALLS, NAMES, STATES, WRAPPER, read_wrapped
from assaymark.convert.pieces import Pieces
from assaymark.convert.torch_values import FUNCTIONS, KNOWN, Malformed, storage_of
from assaymark.convert.tree import Array, Lost, Node, Object
from assaymark.core.errors import InputError
from assaymark.core.limits import CONVERT_MAX_DROPPED
from assaymark.core.report_json import printable
from assaymark.formats.pickle.run import run_pickle
from assaymark.formats.pickle.trace import Loaded
from assaymark.formats.pickle.values import Blob, Dict, Global

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from assaymark.convert.tree import Storage
    from assaymark.core.view import View
    from assaymark.formats.pickle.values import Value

_NAME: Final = 200
_FROM_BYTES: Final = ("torch.storage", "_load_from_bytes")
_QUIET: Final = KNOWN | NAMES | {_FROM_BYTES}  # imported without a word


class Builder:
    """Observer of the pickles of one file.

    ``view`` holds the pickle. ``dropped`` says, in the order of the stream, what it would have done; ``arrays`` are
    all tensors that it makes, ``calls`` what functions would have made, ``storages`` what persistent ids refer to.
    ``nested`` reads the storages that a plain pickle holds as bytes. ``pieces`` are what is derived, behind the
    ``end`` of the file.
    """

    def __init__(
        self,
        view: View,
        *,
        torch: bool,
        nested: Callable[[Builder, Blob], Storage] | None = None,
        end: int | None = None,
    ) -> None:
        self.view = view
        self.pieces = Pieces(view.size if end is None else end)
        self._read: dict[int, tuple[Blob, Storage]] = {}
        self._nested = nested
        self.torch = torch
        self.dropped: dict[str, None] = {}
        self.more = 0
        self.arrays: list[Array] = []
        self.calls: list[Object] = []
        self.storages: dict[str, Storage] = {}
        self._within = False
        self._imports: dict[str, Global] = {}

    def drop(self, what: str) -> None:
        """Note something that is not carried over."""
        what = printable(what)
        if what in self.dropped:
            return
        if len(self.dropped) >= CONVERT_MAX_DROPPED:
            self.more += 1
        else:
            self.dropped[what] = None

    def on_global(self, found: Global) -> Value:
        """Nothing is imported."""
        if not found.constant or (found.module, found.name) not in _QUIET:
            self._imports.setdefault(found.dotted, found)
        return found

    def on_call(self, function: Value, arguments: Value, opcode: str, offset: int) -> Value:
        """A tensor by torch's functions, else an object that says what would have been called with what."""
        if not isinstance(function, Global):
            self.drop(f"byte {offset}: a call of what is no function")
            return Lost("the result of a call")
        name_of = (function.module, function.name)
        known = (FUNCTIONS.get(name_of) or CALLS.get(name_of)) if function.constant else None
        if known is not None and opcode in ("REDUCE", "OBJ", "INST"):
            if not isinstance(arguments, tuple):
                self._refuse(function, "with something that is no tuple", offset)
            try:
                made = known(arguments)
            except Malformed as error:
                self._refuse(function, str(error), offset)
            if isinstance(made, Array):
                self.arrays.append(made)
            elif isinstance(made, Object):
                made.offset = offset
            return made
        match arguments:
            case (Blob() as blob,) if name_of == _FROM_BYTES and self._nested is not None:
                if id(blob) not in self._read:  # the same bytes may be loaded many times
                    self._read[id(blob)] = blob, self._nested(self, blob)
                return self._read[id(blob)][1]
        called = opcode == "REDUCE" or (opcode in ("OBJ", "INST") and arguments != ())
        name = printable(function.dotted, _NAME)
        if name_of not in _QUIET:
            self._imports.pop(function.dotted, None)
            if not called:
                self.drop(f"the class {name}")
        made = Object(name, called, arguments, offset)
        if called and name_of not in _QUIET:
            self.calls.append(made)
        return made

    def on_build(self, target: Value, state: Value, offset: int, frame_end: int) -> Loaded | None:
        """The state is kept as data; joblib reads an array behind it."""
        settle = STATES.get(type(target))
        try:
            if settle is not None:
                settle(target, state)
                return None
            if isinstance(target, Object) and target.name == ".".join(WRAPPER):
                return self._wrapped(state, offset + 1, frame_end)
        except Malformed as error:
            what = f"the state of an array {error}"
            raise InputError("convert-array", what, position=f"byte {offset}") from None
        if isinstance(target, Object):
            target.state = (target.state, state) if target.built else state
            target.built = True
        elif isinstance(target, Array):
            target.notes.append("attributes of tensors")
        else:
            self.drop(f"byte {offset}: a state that is set on what is no object")
        return None

    def _wrapped(self, state: Value, start: int, frame_end: int) -> Loaded:
        """The array that joblib reads from ``start``: raw elements, or one more pickle for an array of objects."""
        if frame_end > start:
            raise Malformed("in the middle of a frame")
        loaded = read_wrapped(self.view, state, start)
        if loaded is not None:
            return loaded
        if self._within:
            raise Malformed("of objects within another one")
        self._within = True
        trace = run_pickle(self.view, start, self)
        self._within = False
        if not trace.sound:
            raise Malformed("of objects that cannot be followed to their end")
        return Loaded(trace.result, trace.end)

    def on_mutate(self, target: Value, items: list[Value], opcode: str, offset: int) -> None:
        """Items are kept as data."""
        if not isinstance(target, Object):
            self.drop(f"byte {offset}: {len(items)} items that are put into what is no container")
        elif opcode in ("SETITEM", "SETITEMS"):
            target.items += items
        else:
            target.appended += items

    def on_persistent(self, identity: Value, opcode: str, offset: int) -> Value:
        """Torch's storages and, in its legacy form, classes with their source code."""
        if self.torch:
            if isinstance(identity, tuple) and len(identity) == 4 and isinstance(identity[1], Global):  # noqa: PLR2004
                return identity[1]
            try:
                storage = storage_of(identity, offset)
            except Malformed as error:
                raise InputError("convert-torch", f"a persistent id {error}", position=f"byte {offset}") from None
            before = self.storages.setdefault(storage.key, storage)
            if (before.dtype, before.elements, before.width) != (storage.dtype, storage.elements, storage.width):
                what = f"the storage {storage.key[:_NAME]!r} is named with two types or sizes"
                raise InputError("convert-torch", what, position=f"byte {offset}")
            return storage
        self.drop(f"byte {offset}: {opcode}, an object outside the file")
        return Lost("an object outside the file")

    def on_extension(self, code: int, opcode: str, offset: int) -> Value:
        """Nothing is taken from the process."""
        self.drop(f"byte {offset}: {opcode}, what a process registered under code {code}")
        return Lost("an extension")

    def on_buffer(self, offset: int) -> Value:
        """Data beside the file."""
        self.drop(f"byte {offset}: a buffer beside the file")
        return Lost("a buffer beside the file")

    def on_held(self, held: Value, opcode: str, offset: int) -> None:
        """Nothing is called here, whatever holds what."""

    def on_split(self, offset: int) -> None:
        """What follows depends on the reader, so no conversion could say which values are right."""
        raise InputError(
            "convert-pickle", "a frame ends within an opcode, where readers differ", position=f"byte {offset}"
        )

    def on_reserve(self, length: int, opcode: str, offset: int) -> None:
        """Nothing is set aside here."""

    def conclude(self, kept: Container[int | str]) -> None:
        """Name what was called and imported, but for the ids of objects and the names that are ``kept`` as data."""
        for call in self.calls:
            if id(call) not in kept:
                self.drop(f"byte {call.offset}: the call of {call.name}")
        for name, found in self._imports.items():
            if name not in kept:
                self.drop(f"byte {found.offset}: the import of {printable(name, _NAME)}")

    def _refuse(self, function: Global, why: str, offset: int) -> NoReturn:
        raise InputError("convert-torch", f"{function.dotted} {why}", position=f"byte {offset}")


def pairs(value: Node) -> list[tuple[Value, Value]] | None:
    """The items of a dict or an OrderedDict; ``None`` for anything else, or when some are lost."""
    if isinstance(value, Dict):
        return None if value.more else list(zip(value.items[::2], value.items[1::2], strict=True))
    if isinstance(value, Object) and value.name == "collections.OrderedDict" and len(value.items) % 2 == 0:
        return list(zip(value.items[::2], value.items[1::2], strict=True))
    return None
