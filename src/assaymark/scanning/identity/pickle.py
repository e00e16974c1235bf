"""Pickles by content: what a file would import decides whether it is a model or plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import IDENTIFY_MAX_OPCODES
from assaymark.formats.pickle.run import run_pickle
from assaymark.formats.pickle.values import COMPUTED
from assaymark.scanning.identity.identified import DATA, MODEL, Identified
from assaymark.scanning.pickle.dangerous import is_dangerous

if TYPE_CHECKING:
    from assaymark.core.view import View
    from assaymark.formats.pickle.trace import Trace
    from assaymark.formats.pickle.values import Global, Value

# torch/serialization.py: MAGIC_NUMBER as protocol 2 writes it.
_TORCH_LEGACY: Final = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_PROTO: Final = 0x80
_FRAME: Final = 0x95
_HIGHEST_PROTOCOL: Final = 5
# What protocols 0 and 1 begin with: opcodes that need nothing on the stack.
_FIRST: Final = frozenset(b"(])}cINLFSVKMJGTUXBCP\x8c\x8f\x8a\x8b\x8e")
_CUT: Final = "the stream ends"  # the one break of a pickle that was cut short
_LIKELY: Final = 16  # opcodes in a row without a break, which no other file has by accident
# Classes and functions of plain data; every other import may belong to a model.
_PLAIN_MODULES: Final = frozenset(
    ("collections", "datetime", "decimal", "fractions", "uuid", "ipaddress", "zoneinfo", "_codecs")
)
_BUILTINS: Final = "set frozenset list dict tuple bytearray complex range slice int float str bytes bool object"
_PLAIN_BUILTINS: Final = frozenset(_BUILTINS.split())


class _Imports:
    """Observer that remembers what is imported, and goes on."""

    def __init__(self) -> None:
        self.roots: set[str] = set()
        self.plain = True
        self.dangerous = False
        self.names = True  # what is imported could be Python's names

    def on_global(self, found: Global) -> Value:
        root = found.module.split(".", 1)[0]
        self.roots.add(root)
        self.names &= all(part.isidentifier() for part in f"{found.module}.{found.name}".split("."))
        builtin = root in ("builtins", "__builtin__")
        self.plain &= root in _PLAIN_MODULES or (builtin and found.name in _PLAIN_BUILTINS)
        self.dangerous |= is_dangerous(found.module, found.name)
        return found

    def on_call(self, _function: Value, _arguments: Value, _opcode: str, _offset: int) -> Value:
        return COMPUTED

    def on_build(self, _target: Value, _state: Value, _offset: int, _frame_end: int) -> None:
        """Nothing to remember."""

    def on_mutate(self, _target: Value, _items: list[Value], _opcode: str, _offset: int) -> None:
        """Nothing to remember."""

    def on_held(self, _held: Value, _opcode: str, _offset: int) -> None:
        """No effect by itself."""

    def on_persistent(self, _identity: Value, _opcode: str, _offset: int) -> Value:
        self.plain = False
        return COMPUTED

    def on_extension(self, _code: int, _opcode: str, _offset: int) -> Value:
        self.plain = False
        return COMPUTED

    def on_buffer(self, _offset: int) -> Value:
        return COMPUTED

    def on_split(self, _offset: int) -> None:
        """Nothing to remember."""

    def on_reserve(self, _length: int, _opcode: str, _offset: int) -> None:
        """Nothing to remember."""


def identify_pickle(view: View, head: bytes) -> Identified | None:
    """``torch-legacy``, ``joblib`` or ``pickle``; None where a loader would stop without having done anything.

    It is ``data`` when it was read to its end and builds plain containers, numbers and texts alone.
    """
    if head.startswith(_TORCH_LEGACY):
        return Identified("torch-legacy")
    if not head or not (_looks_framed(head) or head[0] in _FIRST):
        return None
    imports = _Imports()
    trace = _run(view, imports)
    if not _is_pickle(head, trace, imports):
        return None
    whole = trace is not None and trace.sound
    kind = DATA if imports.plain and whole else MODEL
    return Identified("joblib" if "joblib" in imports.roots else "pickle", kind)


def _looks_framed(head: bytes) -> bool:
    return len(head) > 1 and head[0] == _PROTO and head[1] <= _HIGHEST_PROTOCOL


def _run(view: View, imports: _Imports) -> Trace | None:
    try:
        return run_pickle(view, 0, imports, budget=IDENTIFY_MAX_OPCODES)
    except InputError:
        return None  # larger than what may be read


def _is_pickle(head: bytes, trace: Trace | None, imports: _Imports) -> bool:
    if imports.dangerous:
        return True
    if _looks_framed(head):
        if trace is None:
            return True
        framed = head[1] > 3 and len(head) > 2 and head[2] == _FRAME  # noqa: PLR2004 - frames begin with protocol 4
        return framed or trace.sound or bool(imports.roots) or trace.opcodes >= _LIKELY
    known = bool(imports.roots & _LIBRARIES)
    if trace is None or not imports.names:
        return known and imports.names
    if trace.sound:
        # "N." and "I1\n." are too short to be more than an accident of text, and load nothing.
        return trace.opcodes > 3 or bool(imports.roots)  # noqa: PLR2004
    cut = len(trace.breaks) == 1 and trace.breaks[0].why.startswith(_CUT)
    return known or (trace.opcodes >= _LIKELY and not trace.stopped and (cut or trace.out_of_budget))


# Roots that a text which merely reads as an import does not name by accident (see ``scanning.pickles``).
_NAMES: Final = (
    "sklearn numpy torch joblib xgboost lightgbm catboost pandas scipy keras tensorflow transformers copy_reg"
    " copyreg statsmodels spacy gensim"
)
_LIBRARIES: Final = frozenset(_NAMES.split())
