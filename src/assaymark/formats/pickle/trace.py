"""What a run of the machine reports: events while it runs, and a trace at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from assaymark.formats.pickle.values import Global, Value


@dataclass(frozen=True, slots=True)
class Break:
    """Where the C reader would raise, and why. Effects before it have happened."""

    offset: int
    why: str


@dataclass(frozen=True, slots=True)
class Trace:
    """One stream, from ``start`` to ``end`` (after STOP, or where reading ended), offsets in bytes of the view.

    ``stopped`` says that STOP was reached; ``breaks`` are the first few places where the C reader would raise,
    which the machine passed over when the framing stayed clear. A stream is sound when it stopped without a
    break. ``result`` is what the stream would load. ``out_of_budget`` says that the opcode budget ended the run.
    """

    start: int
    end: int
    stopped: bool
    protocol: int
    breaks: tuple[Break, ...]
    opcodes: int
    result: Value
    out_of_budget: bool = False

    @property
    def sound(self) -> bool:
        """Whether a loader would get to STOP, as far as the stream itself goes."""
        return self.stopped and not self.breaks


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a loader puts in the place of an object that it has just built, and where in the view it reads on."""

    value: Value
    resume: int


class Observer(Protocol):
    """Hears of each effect in order and says what value it leaves. ``offset`` is that of the opcode."""

    def on_global(self, found: Global, /) -> Value:
        """A module is imported and an attribute of it is taken; the value is what is left on the stack."""
        ...

    def on_call(self, function: Value, arguments: Value, opcode: str, offset: int, /) -> Value:
        """``function(*arguments)``, or ``cls.__new__(cls, *arguments)`` for NEWOBJ and NEWOBJ_EX."""
        ...

    def on_build(self, target: Value, state: Value, offset: int, frame_end: int, /) -> Loaded | None:
        """``target.__setstate__(state)``, or attributes of ``target`` are set from ``state``.

        A loader that takes over then (joblib reads an array behind the opcode) is told by the answer.
        ``frame_end`` is where the current frame ends, 0 without one.
        """
        ...

    def on_mutate(self, target: Value, items: list[Value], opcode: str, offset: int, /) -> None:
        """Something that is not a plain container gets items: a method of it is called."""
        ...

    def on_held(self, held: Value, opcode: str, offset: int, /) -> None:
        """A container takes a global whose ``value`` is false, or a tuple around one: its items may be called."""
        ...

    def on_persistent(self, identity: Value, opcode: str, offset: int, /) -> Value:
        """The loader's ``persistent_load`` is called."""
        ...

    def on_extension(self, code: int, opcode: str, offset: int, /) -> Value:
        """An object registered in the loading process under ``code`` (PEP 307) is taken."""
        ...

    def on_buffer(self, offset: int, /) -> Value:
        """The next out-of-band buffer (PEP 574), which is not in the file, is taken."""
        ...

    def on_split(self, offset: int, /) -> None:
        """A frame ended in the middle of the opcode before ``offset``, or another begins within it.

        CPython's C reader forgets what it has read ahead then, and goes on with what lies behind the frame: it reads
        other names than are written. ``pickle.py`` raises, and ``pickle.loads`` of bytes notices nothing.
        """
        ...

    def on_reserve(self, length: int, opcode: str, offset: int, /) -> None:
        """The C reader sets aside ``length`` bytes of memory that nothing in the stream fills."""
        ...
