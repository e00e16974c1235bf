"""``Answer``: whether something is so on a cloud, three-valued, with its lines and what would decide it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from assaymark.assess.graph import Builder
    from assaymark.core.graph import Because


@dataclass(frozen=True, slots=True)
class Answer:
    """``decides`` holds what would settle an unknown answer; nothing for a certain one."""

    state: State
    because: tuple[Because, ...] = ()
    decides: tuple[str, ...] = ()

    def both(self, other: Answer) -> Answer:
        """The conjunction: what must all be so."""
        state = self.state.both(other.state)
        return Answer(state, _joined(self.because, other.because), self._decides(other, state))

    def either(self, other: Answer) -> Answer:
        """The disjunction: the better of two ways, both where neither is certain."""
        if self.state is State.YES or other.state is State.NO:
            return self
        if other.state is State.YES or self.state is State.NO:
            return other
        return Answer(State.UNKNOWN, _joined(self.because, other.because), _joined(self.decides, other.decides))

    def unless(self, text: str) -> Answer:
        """As unknown as what the input does not show; ``text`` says what would decide it."""
        return self.both(Answer(State.UNKNOWN, (), (text,)))

    def _decides(self, other: Answer, state: State) -> tuple[str, ...]:
        return _joined(self.decides, other.decides) if state is State.UNKNOWN else ()


_T = TypeVar("_T")

YES = Answer(State.YES)
NO = Answer(State.NO)


def _joined(first: tuple[_T, ...], second: tuple[_T, ...]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def draw(
    builder: Builder, source: str, target: str, relation: str, how: str, answer: Answer, effort: int = 1
) -> None:
    """The edge of an answer between two nodes, unless the answer is no."""
    if answer.state is not State.NO and source != target:
        because = answer.because
        builder.edge(Edge(source, target, relation, how, because, answer.state, answer.decides, effort))
