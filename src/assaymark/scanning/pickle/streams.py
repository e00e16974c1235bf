"""Examines pickle streams: one, several in a row, or torch's legacy file of five with raw storages behind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from assaymark.core.limits import SCAN_MAX_NESTING
from assaymark.core.view import SliceView
from assaymark.formats.pickle.run import run_pickle
from assaymark.formats.pickle.values import COMPUTED, Dict, Global, Instance, Value
from assaymark.formats.torch_layout import LEGACY_COUNT_BYTES, LEGACY_MAGIC, LEGACY_PROTOCOL, is_legacy
from assaymark.formats.zip import LOCAL_MAGIC
from assaymark.scanning.notes import shown
from assaymark.scanning.pickle.dangerous import is_dangerous
from assaymark.scanning.pickle.judge import Judge
from assaymark.scanning.pickle.permits import PACKAGES
from assaymark.scanning.pickle.refusal import NotChecked
from assaymark.scanning.pickle.sparse import Sparse, indices_outside
from assaymark.scanning.pickle.torch_permits import Storage

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.view import View
    from assaymark.formats.pickle.trace import Observer, Trace
    from assaymark.scanning.content import Content
    from assaymark.scanning.notes import Notes

_PROBE_OPCODES: Final = 100_000


class StreamLoaders:
    """Examines what a permitted call loads by itself, on the same notes."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def stream(self, view: View, start: int, judge: Observer) -> Trace:
        """The pickle that begins at ``start``, in the same file and before the same judge."""
        trace = run_pickle(view, start, judge, budget=self._notes.opcodes_left)
        self._notes.opcodes_left -= trace.opcodes
        return trace

    def content(self, content: Content, loader: str) -> Value:
        """The value that ``loader`` makes of ``content``; what it does on the way becomes findings."""
        if content.depth > SCAN_MAX_NESTING:
            raise NotChecked(f"loads within more than {SCAN_MAX_NESTING} loads are not examined")
        if loader == "torch" and content.view.read(0, 4) == LOCAL_MAGIC:
            content.examine(content)
            return COMPUTED
        found = examine_pickle(content)
        value = found.value
        if isinstance(value, Instance) and isinstance(value.detail, Storage) and value.detail.key in found.places:
            value.detail = replace(value.detail, view=found.places[value.detail.key])
        return value


@dataclass(frozen=True, slots=True)
class Examination:
    """What came of the pickles of one file: the storages that persistent ids name, with offsets, and the value.

    ``sparse`` are tensors whose indices whoever knows the storages must look at; ``places`` where storages lie.
    """

    storages: list[tuple[Storage, int]]
    value: Value
    sparse: list[tuple[Sparse, int]]
    places: dict[str, View]


def examine_pickle(content: Content, *, torch: bool = False, torchscript: bool = False) -> Examination:
    """Note what the pickles of ``content`` would do.

    All streams in a row are examined. What follows the last STOP and is no pickle is skipped, so the report is
    incomplete; effects before a break are findings.
    """
    view, notes, member = content.view, content.notes, content.member
    loaders = StreamLoaders(notes)
    judge = Judge(content, loaders, torch=torch, torchscript=torchscript)
    results: list[Value] = []
    places: dict[str, View] = {}
    position = 0
    broken = False
    while position < view.size and not broken:
        judge.torch = torch or results[:2] == [LEGACY_MAGIC, LEGACY_PROTOCOL]
        trace = loaders.stream(view, position, judge)
        if trace.stopped:
            results[5:] = []  # a sixth stands for all that follow
            results.append(trace.result if isinstance(trace.result, (int, list, Dict, Instance)) else None)
            position = trace.end
        broken = not trace.sound
        if broken and not trace.stopped and results:
            _trailing(view, notes, member, trace, position)
        elif broken:
            notes.skip(_why(trace), member)
        if is_legacy(results):
            places = _legacy_storages(view, position, judge, results[4])
            break
    judge.conclude()
    legacy = is_legacy(results)
    if results[:1] == [LEGACY_MAGIC] and not legacy:
        notes.skip("it begins as torch's legacy format and is not whole", member)
    if judge.raw:
        _as_plain_pickle(view, judge)
    if not broken:
        notes.saw("torch-legacy" if legacy else "joblib" if judge.raw else "pickle", member)
    value = results[3] if legacy else results[0] if results else COMPUTED
    if not torch:  # whose storages whoever asked knows
        note_sparse(content, judge.sparse, places.get)
    return Examination(judge.storages, value, judge.sparse, places)


def _as_plain_pickle(view: View, judge: Judge) -> None:
    """What ``pickle.load`` would make of the file: it takes joblib's raw data for opcodes."""
    hidden = _Hidden(judge.raw)
    run_pickle(view, 0, hidden, budget=_PROBE_OPCODES)
    if hidden.found is not None:
        message = (
            f"pickle.load, which does not read arrays as joblib does, finds an import of {shown(hidden.found.dotted)}"
            f" in the raw data of an array (byte {hidden.found.offset})"
        )
        judge.notes.finding("file-polyglot", message, member=judge.member, offset=hidden.found.offset)


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


def note_sparse(content: Content, tensors: list[tuple[Sparse, int]], storage: Callable[[str], View | None]) -> None:
    """Look at the indices of sparse tensors; ``storage`` gives the bytes of a storage's key."""
    for tensor, offset in tensors:
        try:
            wrong = indices_outside(tensor, storage)
        except NotChecked as reason:
            content.notes.skip(str(reason), content.member)
            continue
        if wrong:
            message = f"a sparse tensor {wrong} (byte {offset})"
            content.notes.finding("torch-storage-size", message, member=content.member, offset=offset)


def _legacy_storages(view: View, position: int, judge: Judge, keys: list[Value]) -> dict[str, View]:
    """Behind the fifth pickle, for each key: the number of elements (8 bytes) and the elements; where they lie."""
    notes, member = judge.notes, judge.member
    storages = {storage.key: storage for storage, _ in judge.storages}
    places: dict[str, View] = {}
    for key in keys:
        storage = storages.get(key) if isinstance(key, str) else None
        if storage is None:
            notes.skip(f"storage {key!r:.40} is laid out behind the pickles, but none refers to it", member)
            return places
        header = view.read(position, LEGACY_COUNT_BYTES)
        elements = int.from_bytes(header, "little", signed=True)
        if elements != storage.elements or position + LEGACY_COUNT_BYTES + elements * storage.width > view.size:
            message = f"storage {key!r:.40} has {elements} elements where {storage.elements} are due"
            notes.finding("torch-storage-size", message, member=member, offset=position)
            return places
        places[storage.key] = SliceView(view, position + LEGACY_COUNT_BYTES, elements * storage.width)
        position += LEGACY_COUNT_BYTES + elements * storage.width
    if position != view.size:
        notes.skip(f"{view.size - position} bytes after the last storage belong to nothing", member)
    return places


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

    def on_build(self, target: Value, _state: Value, _offset: int, _frame_end: int) -> None:
        self.effect = self.effect or isinstance(target, Global)

    def on_mutate(self, target: Value, _items: list[Value], _opcode: str, _offset: int) -> None:
        self.effect = self.effect or isinstance(target, Global)

    def on_held(self, _held: Value, _opcode: str, _offset: int) -> None:
        """No effect by itself."""

    def on_persistent(self, _identity: Value, _opcode: str, _offset: int) -> Value:
        """No effect by itself: most loaders refuse, torch's takes no text, and "Paris", "Rome" reads so too."""
        return COMPUTED

    def on_extension(self, _code: int, _opcode: str, _offset: int) -> Value:
        self.effect = True
        return COMPUTED

    def on_buffer(self, _offset: int) -> Value:
        return COMPUTED

    def on_split(self, _offset: int) -> None:
        """No effect by itself."""

    def on_reserve(self, _length: int, _opcode: str, _offset: int) -> None:
        """No effect by itself: "range" after a line reads so."""


class _Hidden(_Probe):
    """Observer that remembers the first import of something known from within raw data."""

    def __init__(self, raw: list[tuple[int, int]]) -> None:
        super().__init__()
        self._raw = raw
        self.found: Global | None = None

    def on_global(self, found: Global) -> Value:
        known = found.module.split(".", 1)[0] in _KNOWN_ROOTS or is_dangerous(found.module, found.name)
        if known and self.found is None and any(start <= found.offset < end for start, end in self._raw):
            self.found = found
        return found


# Not every module of the standard library that the lists name: "array" and "string" are words of a text.
_KNOWN_ROOTS: Final = PACKAGES | {"collections", "builtins", "copyreg", "_codecs"}


def is_pickle(view: View) -> bool:
    """Whether a loader that takes ``view`` for a pickle would reach STOP or do something on the way."""
    # "P" is PERSID: a reader without persistent ids stops there, and torch's takes no text. In an archive of torch
    # the opcodes behind it often read on.
    if view.read(0, 4) == LOCAL_MAGIC:
        return False
    probe = _Probe()
    trace = run_pickle(view, 0, probe, budget=_PROBE_OPCODES)
    return trace.sound or probe.effect or trace.out_of_budget
