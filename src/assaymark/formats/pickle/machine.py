"""The state of the abstract machine: CPython's C unpickler (Modules/_pickle.c) over values that are not real objects.

Where the C reader, ``pickle.py`` and torch's readers differ, the machine goes the way that has more effects and
records a break. The stack has the C reader's fence: opcodes cannot reach below the last MARK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.formats.pickle.trace import Break

if TYPE_CHECKING:
    from assaymark.formats.pickle.reader import Reader
    from assaymark.formats.pickle.trace import Observer
    from assaymark.formats.pickle.values import Value

_KEPT_BREAKS: Final = 8
NO_FRAME: Final = 2**64  # beyond any offset


class Broken(Exception):  # noqa: N818 - internal: ends a run
    """The C reader raises here and what follows has no clear meaning."""


class Stopped(Exception):  # noqa: N818 - internal: ends a run
    """STOP."""


class Machine:
    """The state of one run; ``run.run_pickle`` makes it. Opcode functions get it as their only argument."""

    __slots__ = ("at", "breaks", "fence", "frame_end", "marks", "memo", "observer", "protocol", "reader", "stack")

    def __init__(self, reader: Reader, observer: Observer) -> None:
        self.reader = reader
        self.observer = observer
        self.stack: list[Value] = []
        self.marks: list[int] = []
        self.fence = 0
        self.memo: dict[int, Value] = {}
        self.protocol = 0
        self.frame_end = NO_FRAME
        self.breaks: list[Break] = []
        self.at = reader.offset()

    def pop(self) -> Value:
        """Take the top of the stack."""
        stack = self.stack
        if len(stack) <= self.fence:
            self.underflow()
        return stack.pop()

    def top(self) -> Value:
        """The top of the stack."""
        stack = self.stack
        if len(stack) <= self.fence:
            self.underflow()
        return stack[-1]

    def underflow(self) -> None:
        """End the run: the stack has too few items."""
        self.fail("unexpected MARK" if self.marks else "the stack is empty")

    def pop_mark(self) -> int:
        """Forget the last MARK and return where it stands in the stack."""
        marks = self.marks
        if not marks:
            self.fail("no MARK")
        mark = marks.pop()
        self.fence = marks[-1] if marks else 0
        return mark

    def items_since_mark(self) -> list[Value]:
        """Take everything above the last MARK."""
        stack = self.stack
        mark = self.pop_mark()
        items = stack[mark:]
        del stack[mark:]
        return items

    def doubt(self, why: str) -> None:
        """Note that the C reader would raise at this opcode, and go on: its end, at least, is clear."""
        if len(self.breaks) < _KEPT_BREAKS:
            self.breaks.append(Break(self.at, why))

    def fail(self, why: str) -> None:
        """End the run here."""
        self.doubt(why)
        raise Broken
