"""Examines pickle streams: one, several in a row, or torch's legacy file of five with raw storages behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.formats.pickle.names import loaded_name
from assaymark.formats.pickle.run import run_pickle
from assaymark.formats.pickle.values import COMPUTED, Dict, Global, Value
from assaymark.scanning.pickle.dangerous import is_dangerous
from assaymark.scanning.pickle.judge import Judge
from assaymark.scanning.pickle.permits import PERMITS

if TYPE_CHECKING:
    from assaymark.core.view import View
    from assaymark.formats.pickle.trace import Trace
    from assaymark.scanning.notes import Notes
    from assaymark.scanning.pickle.torch_permits import Storage

# torch/serialization.py: MAGIC_NUMBER and PROTOCOL_VERSION open a legacy file.
_TORCH_MAGIC: Final = 0x1950A86A20F9469CFC6C
_TORCH_PROTOCOL: Final = 1001
_PROBE_OPCODES: Final = 100_000


def examine_pickle(
    view: View, notes: Notes, member: str = "", *, torch: bool = False, torchscript: bool = False
) -> list[tuple[Storage, int]]:
    """Note what the pickles of ``view`` would do; returns the storages that persistent ids refer to, with offsets.

    All streams in a row are examined. What follows the last STOP and is no pickle is skipped, so the report is
    incomplete; effects before a break are findings.
    """
    judge = Judge(notes, member, torch=torch, torchscript=torchscript)
    results: list[Value] = []
    position = 0
    broken = False
    while position < view.size and not broken:
        judge.torch = torch or results[:2] == [_TORCH_MAGIC, _TORCH_PROTOCOL]
        trace = run_pickle(view, position, judge, budget=notes.opcodes_left)
        notes.opcodes_left -= trace.opcodes
        if trace.stopped:
            results[5:] = []  # a sixth stands for all that follow
            results.append(trace.result if isinstance(trace.result, (int, list, Dict)) else None)
            position = trace.end
        broken = not trace.sound
        if broken and not trace.stopped and results:
            _trailing(view, notes, member, trace, position)
        elif broken:
            notes.skip(_why(trace), member)
        if _is_legacy_torch(results):
            _legacy_storages(view, position, judge, results[4])
            break
    judge.conclude()
    legacy = _is_legacy_torch(results)
    if results[:1] == [_TORCH_MAGIC] and not legacy:
        notes.skip("it begins as torch's legacy format and is not whole", member)
    if not broken:
        notes.saw("torch-legacy" if legacy else "pickle", member)
    return judge.storages


def _why(trace: Trace) -> str:
    first = trace.breaks[0]
    return f"the pickle breaks at byte {first.offset} ({first.why}); what follows was examined as far as it is clear"


def _trailing(view: View, notes: Notes, member: str, trace: Trace, position: int) -> None:
    first = trace.breaks[0]
    notes.skip(
        f"{view.size - position} bytes after STOP at byte {position - 1} are no whole pickle"
        f" (byte {first.offset}: {first.why})",
        member,
    )


def _is_legacy_torch(results: list[Value]) -> bool:
    return len(results) == 5 and results[:2] == [_TORCH_MAGIC, _TORCH_PROTOCOL] and isinstance(results[4], list)  # noqa: PLR2004


def _legacy_storages(view: View, position: int, judge: Judge, keys: list[Value]) -> None:
    """Behind the fifth pickle, for each key: the number of elements (8 bytes) and the elements."""
    notes, member = judge.notes, judge.member
    storages = {storage.key: storage for storage, _ in judge.storages}
    for key in keys:
        storage = storages.get(key) if isinstance(key, str) else None
        if storage is None:
            notes.skip(f"storage {key!r:.40} is laid out behind the pickles, but none refers to it", member)
            return
        header = view.read(position, 8)
        elements = int.from_bytes(header, "little", signed=True)
        if elements != storage.elements or position + 8 + elements * storage.width > view.size:
            message = f"storage {key!r:.40} has {elements} elements where {storage.elements} are due"
            notes.finding("torch-storage-size", message, member=member, offset=position)
            return
        position += 8 + elements * storage.width
    if position != view.size:
        notes.skip(f"{view.size - position} bytes after the last storage belong to nothing", member)


class _Probe:
    """Observer that hears whether a stream does something, however broken it is."""

    def __init__(self) -> None:
        self.effect = False

    def on_global(self, found: Global) -> Value:
        """Importing a module that does not exist does nothing; one of a known library is an effect.

        A list of words that begins ``cat``, ``dog`` reads as an import of ``dog`` from a module ``at``.
        """
        root = found.module.split(".", 1)[0]
        self.effect = self.effect or root in _KNOWN_ROOTS or is_dangerous(found.module, "")
        return found

    def on_call(self, function: Value, _arguments: Value, _opcode: str, _offset: int) -> Value:
        self.effect = self.effect or isinstance(function, Global)
        return COMPUTED

    def on_build(self, target: Value, _state: Value, _offset: int) -> None:
        self.effect = self.effect or isinstance(target, Global)

    def on_mutate(self, target: Value, _items: list[Value], _opcode: str, _offset: int) -> None:
        self.effect = self.effect or isinstance(target, Global)

    def on_persistent(self, _identity: Value, _opcode: str, _offset: int) -> Value:
        """No effect by itself: most loaders refuse, torch's takes no text, and "Paris", "Rome" reads so too."""
        return COMPUTED

    def on_extension(self, _code: int, _opcode: str, _offset: int) -> Value:
        self.effect = True
        return COMPUTED

    def on_buffer(self, _offset: int) -> Value:
        return COMPUTED

    def on_reserve(self, _length: int, _opcode: str, _offset: int) -> None:
        """No effect by itself: "range" after a line reads so."""


_KNOWN_ROOTS: Final = frozenset(loaded_name(module, name, 0)[0].split(".", 1)[0] for module, name in PERMITS)


def is_pickle(view: View) -> bool:
    """Whether a loader that takes ``view`` for a pickle would reach STOP or do something on the way."""
    probe = _Probe()
    trace = run_pickle(view, 0, probe, budget=_PROBE_OPCODES)
    return trace.sound or probe.effect or trace.out_of_budget
