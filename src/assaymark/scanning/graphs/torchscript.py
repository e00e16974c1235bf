"""Scanner of the code in TorchScript archives: default deny on the operators and native classes that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import TORCHSCRIPT_MAX_BYTES
from assaymark.core.report import Severity
from assaymark.formats.pickle.run import run_pickle
from assaymark.formats.pickle.values import COMPUTED, Global, Value
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
        _scan_places(content)
    else:
        content.examine(content)


class _Globals:
    """Observer that keeps the modules that a stream imports from."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.other = False

    def on_global(self, found: Global) -> Value:
        self.modules.add(found.module)
        return COMPUTED

    def on_call(self, _function: Value, _arguments: Value, _opcode: str, _offset: int) -> Value:
        return COMPUTED

    def on_build(self, _target: Value, _state: Value, _offset: int, _frame_end: int) -> None:
        self.other = True

    def on_mutate(self, _target: Value, _items: list[Value], _opcode: str, _offset: int) -> None:
        """Lists of numbers are filled."""

    def on_held(self, _held: Value, _opcode: str, _offset: int) -> None:
        """No effect by itself."""

    def on_persistent(self, _identity: Value, _opcode: str, _offset: int) -> Value:
        self.other = True
        return COMPUTED

    def on_extension(self, _code: int, _opcode: str, _offset: int) -> Value:
        self.other = True
        return COMPUTED

    def on_buffer(self, _offset: int) -> Value:
        self.other = True
        return COMPUTED

    def on_split(self, _offset: int) -> None:
        self.other = True

    def on_reserve(self, _length: int, _opcode: str, _offset: int) -> None:
        """No effect by itself."""


def _scan_places(content: Content) -> None:
    """Places in the source, which torch's own unpickler reads: it knows lists of numbers and imports nothing."""
    seen = _Globals()
    trace = run_pickle(content.view, 0, seen, budget=content.notes.opcodes_left)
    content.notes.opcodes_left -= trace.opcodes
    if trace.sound and trace.end == content.view.size and not seen.other and seen.modules <= {"torch.jit._pickle"}:
        content.notes.saw("torchscript-places", content.member)
    else:
        examine_pickle(content, torchscript=True)


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
