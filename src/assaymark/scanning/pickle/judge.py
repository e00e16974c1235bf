"""Judges what a pickle would do: default deny, per use, over the table of permits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.core.limits import SCAN_MAX_FINDINGS
from assaymark.core.report import Confidence
from assaymark.core.words import counted
from assaymark.formats.pickle.trace import Loaded
from assaymark.formats.pickle.values import BUFFER, COMPUTED, Global, Instance, Value, describe
from assaymark.scanning.notes import shown
from assaymark.scanning.pickle.dangerous import is_dangerous
from assaymark.scanning.pickle.joblib_permits import ARRAY_FILE_KIND, raw_block
from assaymark.scanning.pickle.nested import nested_view
from assaymark.scanning.pickle.numpy_permits import ARRAY_CLASS
from assaymark.scanning.pickle.permit import Permit
from assaymark.scanning.pickle.permits import PERMITS
from assaymark.scanning.pickle.refusal import Nested, NotChecked, Refused
from assaymark.scanning.pickle.shapes import is_special
from assaymark.scanning.pickle.sparse import Sparse
from assaymark.scanning.pickle.torch_permits import STORAGE_KIND, OutOfStorage, Storage, module_class, storage_of

if TYPE_CHECKING:
    from assaymark.core.view import View
    from assaymark.scanning.content import Content
    from assaymark.scanning.pickle.loaders import Loaders

_CALLS = {"NEWOBJ": "makes an instance of", "NEWOBJ_EX": "makes an instance of"}


@dataclass(slots=True)
class _Use:
    """The first import of one refused global, and the first thing done with it."""

    found: Global
    dangerous: bool
    action: str = ""


class Judge:
    """Observer of one file's pickles. ``torch`` says that persistent ids are torch's storages.

    ``storages`` collects what persistent ids refer to, ``raw`` the (start, end) of the array data that joblib reads
    between opcodes, ``sparse`` the tensors whose indices must still be looked at. ``torchscript`` leaves classes of
    ``__torch__`` alone: in such an archive torch's C++ reader resolves them in the archive's own code. ``loaders``
    examine what a permitted call loads by itself.
    """

    def __init__(self, content: Content, loaders: Loaders, *, torch: bool = False, torchscript: bool = False) -> None:
        self.notes = content.notes
        self.member = content.member
        self.torch = torch
        self.torchscript = torchscript
        self.storages: list[tuple[Storage, int]] = []
        self.raw: list[tuple[int, int]] = []
        self.sparse: list[tuple[Sparse, int]] = []
        self.effects = 0
        self._content = content
        self._loaders = loaders
        self._within_array = False
        self._uses: dict[str, _Use] = {}
        self._more_uses = 0
        self._reserved = False
        self._skips: dict[str, None] = {}

    # What the machine reports.

    def on_global(self, found: Global) -> Value:
        """Take a permitted global as it is; remember any other."""
        permit = PERMITS.get((found.module, found.name)) if found.constant else None
        if permit is not None:
            found.permit = permit
            found.value = permit.value or permit.kind == ARRAY_CLASS  # which joblib writes in a dict
            return found
        if self.torchscript and found.constant and found.module.split(".", 1)[0] == "__torch__":
            found.permit = _TORCHSCRIPT
            return found
        if found.constant and found.dotted in self.notes.allow and not is_dangerous(found.module, found.name):
            self.notes.allowed.add(found.dotted)
            found.permit = _ALLOWED
            return found
        self.effects += 1
        use = self._uses.get(found.raw)
        if use is None:
            if len(self._uses) >= SCAN_MAX_FINDINGS:
                self._more_uses += 1
            else:
                dangerous = is_dangerous(found.module, found.name) or is_dangerous(*_split(found.raw, found))
                self._uses[found.raw] = _Use(found, dangerous)
        return found

    def on_call(self, function: Value, arguments: Value, opcode: str, offset: int) -> Value:
        """Check the call against the permit; what is refused leaves a computed value."""
        if not isinstance(function, Global):
            self._unsafe(f"{opcode} at byte {offset} calls {describe(function)}", offset)
            return COMPUTED
        permit: Permit | None = function.permit
        if permit is _TORCHSCRIPT or permit is _ALLOWED:
            return Instance(shown(function.dotted), permit)
        if permit is None:
            self._act(function, f"{opcode} at byte {offset} {_CALLS.get(opcode, 'calls')}")
            return Instance(shown(function.dotted), detail=function)
        # OBJ and INST make a class as NEWOBJ does when there are no arguments, and call it when there are some.
        makes = opcode == "NEWOBJ" or (opcode in ("OBJ", "INST") and arguments == () and permit.new is not None)
        use = None if opcode == "NEWOBJ_EX" else permit.new if makes else permit.call
        if use is None:
            self._unsafe(f"{opcode} at byte {offset} calls {function.dotted}, which is not permitted so", offset)
            return COMPUTED
        if not isinstance(arguments, tuple):
            self._unsafe(f"{opcode} at byte {offset} calls {function.dotted} with {describe(arguments)}", offset)
            return COMPUTED
        try:
            result = use(arguments)
            if isinstance(result, Instance) and isinstance(result.detail, Sparse):
                self.sparse.append((result.detail, offset))
            return self._nested(result, offset) if isinstance(result, Nested) else result
        except OutOfStorage as refused:
            message = f"{opcode} at byte {offset} calls {function.dotted} {refused}"
            self.notes.finding("torch-storage-size", message, member=self.member, offset=offset)
        except Refused as refused:
            self._unsafe(f"{opcode} at byte {offset} calls {function.dotted} {refused}", offset)
        except NotChecked as reason:
            self._skip(str(reason))
        return COMPUTED

    def on_build(self, target: Value, state: Value, offset: int, frame_end: int) -> Loaded | None:
        """Check the state against the permit of what is built; say where joblib reads on after an array."""
        if isinstance(target, Instance) and target.permit in (_TORCHSCRIPT, _ALLOWED):
            return None
        if isinstance(target, Instance) and isinstance(target.detail, Global):
            self._act(target.detail, f"BUILD at byte {offset} sets the state of an instance of")
            return None
        if not isinstance(target, Instance) or target.permit is None or target.permit.build is None:
            self._unsafe(f"BUILD at byte {offset} sets the state of {describe(target)}", offset)
            return None
        loaded = None
        try:
            target.permit.build(target, state)
            if target.kind == ARRAY_FILE_KIND and not self._within_array:
                loaded = self._array(target, offset + 1, frame_end)
        except Refused as refused:
            self._unsafe(f"BUILD at byte {offset} sets the state of {describe(target)} {refused}", offset)
        except NotChecked as reason:
            self._skip(str(reason))
        target.built = True
        return loaded

    def on_mutate(self, target: Value, items: list[Value], opcode: str, offset: int) -> None:
        """Only what is permitted to takes items; anything else has a method called."""
        if isinstance(target, Instance):
            permit = target.permit
            if permit is _ALLOWED:
                return
            if permit is not None and permit.items and opcode in ("SETITEM", "SETITEMS"):
                # A class whose attributes are its items (scipy's OptimizeResult) has __setstate__ from there.
                hook = next((key for key in items[::2] if is_special(key)), None)
                if hook is not None:
                    self._unsafe(f"{opcode} at byte {offset} sets {hook[:80]!r} of {describe(target)}", offset)
                return
            if permit is not None and permit.append and opcode not in ("SETITEM", "SETITEMS"):
                return
            if isinstance(target.detail, Global):
                self._act(target.detail, f"{opcode} at byte {offset} adds items to an instance of")
                return
        what = f"{opcode} at byte {offset} adds {counted(len(items), 'item')} to {describe(target)}"
        self._unsafe(f"{what}, which calls a method of it", offset)

    def on_held(self, held: Value, opcode: str, offset: int) -> None:
        """What may be called but not stand as a value would be called by what holds it."""
        self._unsafe(
            f"{opcode} at byte {offset} puts {describe(held)} into a container, where it is not permitted", offset
        )

    def on_persistent(self, identity: Value, opcode: str, offset: int) -> Value:
        """Torch's storages are remembered; any other reference is outside the file."""
        if not self.torch:
            self._persistent(f"{opcode} at byte {offset} asks the loader for an object outside the stream", offset)
            self._skip("persistent ids are resolved by the loader, so what they load is not known")
            return COMPUTED
        cls = module_class(identity)
        if cls is not None:
            return cls
        try:
            storage = storage_of(identity)
        except Refused as refused:
            self._persistent(f"{opcode} at byte {offset} has a persistent id {refused}", offset)
            self._skip("a persistent id that is not torch's is not examined")
            return COMPUTED
        self.storages.append((storage, offset))
        return Instance(STORAGE_KIND, detail=storage)

    def on_extension(self, code: int, opcode: str, offset: int) -> Value:
        """Never permitted: the file does not say what it takes."""
        self.effects += 1
        message = (
            f"{opcode} at byte {offset} takes whatever the loading process registered under code {code}"
            " (copyreg.add_extension), which the file does not say"
        )
        self.notes.finding("pickle-extension", message, member=self.member, offset=offset)
        return COMPUTED

    def on_buffer(self, offset: int) -> Value:
        """Data beside the file is not examined."""
        self._skip(f"NEXT_BUFFER at byte {offset} takes data that is not in the file")
        return BUFFER

    def on_split(self, offset: int) -> None:
        """Never permitted: what the next opcode is depends on the reader."""
        self._unsafe(
            f"a frame ends within an opcode before byte {offset}, where readers go on at different bytes", offset
        )

    def on_reserve(self, length: int, opcode: str, offset: int) -> None:
        """A finding and no clean result: it exhausts whoever loads it."""
        if not self._reserved:
            self._skip("loading it takes memory out of proportion")
            message = f"{opcode} at byte {offset} makes the C reader set aside {min(length, 2**63) >> 20} MiB"
            self.notes.finding("scan-resource", message, member=self.member, offset=offset)
        self._reserved = True

    # What loaders read besides.

    def _array(self, target: Instance, start: int, frame_end: int) -> Loaded:
        """The array that joblib reads from ``start``: raw data, or a pickle when it holds objects."""
        if frame_end > start:
            raise Refused(f"in the middle of a frame, behind which joblib would read on (byte {frame_end})")
        block = raw_block(self._content.view, target, start)
        if not block.objects:
            self.raw.append((start, block.end))
            return Loaded(block.array, block.end)
        self._within_array = True
        trace = self._loaders.stream(self._content.view, start, self)
        self._within_array = False
        if not trace.sound:
            raise NotChecked(f"the objects of an array at byte {start} cannot be followed to their end")
        return Loaded(block.array, trace.end)

    def _nested(self, nested: Nested, offset: int) -> Value:
        """What the bytes load that a permitted call loads by itself."""
        view: View = nested_view(self._content.view, nested.blob)
        return self._loaders.content(self._content.within(view, f"bytes at {offset}"), nested.loader)

    # What becomes of it.

    def conclude(self) -> None:
        """Write the findings on globals, each with what was done with it, in the order of their import."""
        for use in self._uses.values():
            self._conclude(use)
        if self._more_uses:
            self._skip(f"{self._more_uses} more imports are not listed")
        for reason in self._skips:
            self.notes.skip(reason, self.member)

    def _conclude(self, use: _Use) -> None:
        found = use.found
        name = shown(found.dotted)
        imported = f"{found.opcode} at byte {found.offset}"
        written = "" if found.dotted == found.raw else f", written {shown(found.raw)}"
        if use.action:
            what = f"{use.action} {name}"
            origin = f" (imported by {imported}{written})"
        else:
            what = f"{imported} imports {name}"
            origin = f" ({written[2:]})" if written else ""
        if use.dangerous:
            rule, confidence = "pickle-dangerous-global", Confidence.HIGH
            message = f"{what}, which runs code when the file is loaded{origin}"
        else:
            rule, confidence = "pickle-unknown-global", Confidence.MEDIUM if use.action else Confidence.LOW
            reason = (
                "is unknown here, not proven malicious" if found.constant else "is a name that the stream computes"
            )
            message = f"{what}, which {reason}{origin}"
        known = found.dotted if found.constant else ""
        self.notes.finding(rule, message, member=self.member, offset=found.offset, confidence=confidence, name=known)

    def _act(self, function: Global, action: str) -> None:
        self.effects += 1
        use = self._uses.get(function.raw)
        if use is not None and not use.action:
            use.action = action

    def _unsafe(self, message: str, offset: int) -> None:
        self.effects += 1
        self.notes.finding(
            "pickle-unsafe-use", message, member=self.member, offset=offset, confidence=Confidence.MEDIUM
        )

    def _persistent(self, message: str, offset: int) -> None:
        self.notes.finding("pickle-persistent-id", message, member=self.member, offset=offset)

    def _skip(self, reason: str) -> None:
        if len(self._skips) < SCAN_MAX_FINDINGS:
            self._skips[reason] = None


_TORCHSCRIPT = Permit("TorchScript class")
_ALLOWED = Permit("class that whoever asked for the scan vouches for")


def _split(raw: str, found: Global) -> tuple[str, str]:
    """The name as written, cut where the renamed one is cut."""
    if raw == found.dotted:
        return found.module, found.name
    module, _, name = raw.rpartition(".")
    return module, name
