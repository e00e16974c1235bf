"""Answers about models, kept for as long as they hold: until the log moves, or the decision ends.

Each question goes to a worker thread, the same question once at a time, and only so many at once. Whatever cannot be
asked, or takes too long, is INDETERMINATE. The log is looked at all the time: an answer that was given before the log
moved is not given after, and when the log cannot be read, no answer is.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.decision import Outcome, Reason
from assaymark.core.errors import AssaymarkError, UnavailableError
from assaymark.core.limits import ADMISSION_MAX_ANSWERS, ADMISSION_MAX_QUESTIONS, CLOCK_SKEW_SECONDS
from assaymark.enforce.launch import Clocks
from assaymark.enforce.ruling import Ruling, Standing, begin, look

if TYPE_CHECKING:
    from collections.abc import Callable

# A no is asked again now and then: an approval that begins to count, a clock that was wrong.
_DENIAL_SECONDS: Final = 30.0
# How much longer than one refresh the log may not have been looked at: a machine with much else to do is not an
# unreadable log, and a file system that hangs is.
_LATE_SECONDS: Final = 2.0
# The log moves while a question is answered; one that moves all the time gives no answer.
_TRIES: Final = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """A ruling, and what the model is called, for people."""

    ruling: Ruling
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer and when to ask again: by the standing of a PERMIT, else at ``until`` on the steady clock."""

    answer: Answer
    standing: Standing | None
    until: float


class Answers:
    """Answers by (digest, environment).

    ``ask`` decides, ``mark`` tells one state of the log from another; both block and may raise. ``refresh`` in
    seconds is how often ``mark`` is called, and so how late a containment may bite.
    """

    def __init__(
        self,
        ask: Callable[[str, str], Answer],
        mark: Callable[[], object],
        *,
        refresh: float,
        clocks: Clocks | None = None,
        workers: int = 2,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._ask = ask
        self._mark = mark
        self._refresh = refresh
        self._clocks = clocks or Clocks()
        self._note = note
        self._workers = ThreadPoolExecutor(workers, "ask")
        self._looker = ThreadPoolExecutor(1, "look")  # of its own: questions must not keep it from looking
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._asking: dict[tuple[str, str], asyncio.Task[Answer]] = {}
        self._age = 0  # counts the states of the log that were seen
        self._seen: object = None
        self._looked_at = float("-inf")
        self._failure: Reason | None = Reason("admission-starting", Outcome.INDETERMINATE, "the log was not read yet")
        self._lead = float("-inf")  # the most that the wall clock was ahead of the steady one

    async def keep_fresh(self) -> None:
        """Look at the log, again and again, until cancelled."""
        while True:
            began = self._clocks.steady()
            await self.look_now()
            await asyncio.sleep(max(0.0, self._refresh - (self._clocks.steady() - began)))

    async def look_now(self) -> None:
        """Look at the log once; a state that is new, or cannot be read, ends all answers."""
        began = self._clocks.steady()
        try:
            seen = await asyncio.get_running_loop().run_in_executor(self._looker, self._mark)
        except Exception as error:  # noqa: BLE001 - whatever it is, the log could not be read
            self._fail(_no_answer(error))
            return
        if self._failure is not None:
            self._note("the log can be read: models are asked about")
        self._looked_at, self._failure = began, None
        if seen != self._seen:
            self._seen = seen
            self._forget()

    def _fail(self, reason: Reason) -> None:
        if self._failure is None or self._failure.requirement != reason.requirement:
            self._note(f"no model is let in: {reason.message}")
        self._failure = reason
        self._seen = None
        self._forget()

    def _forget(self) -> None:
        self._age += 1
        self._kept.clear()

    def close(self) -> None:
        """Begin no further question."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._looker.shutdown(wait=False, cancel_futures=True)

    def trouble(self) -> Reason | None:
        """Why nothing can be answered now, if it cannot."""
        wall, steady = self._clocks.wall(), self._clocks.steady()
        self._lead = max(self._lead, wall - steady)
        if wall - steady < self._lead - CLOCK_SKEW_SECONDS:
            message = "the clock of this machine went back, so nobody knows which decisions have ended"
            return Reason("clock", Outcome.INDETERMINATE, message, "set the clock and start the webhook again")
        if self._failure is not None:
            return self._failure
        if steady - self._looked_at > self._refresh + _LATE_SECONDS:
            message = f"the log was last read {steady - self._looked_at:.0f} s ago"
            return Reason("log-unread", Outcome.INDETERMINATE, message, "see whether its file system answers")
        return None

    async def answer(self, digest: str, environment: str, seconds: float) -> Answer:
        """What is to be done with a model, within so many seconds.

        Raises:
            UnavailableError: ``admission-busy``: too many questions wait already.
        """
        trouble = self.trouble()
        if trouble is not None:
            return Answer(Ruling(Outcome.INDETERMINATE, (trouble,)))
        key = (digest, environment)
        kept = self._still(key)
        if kept is not None:
            return kept
        task = self._asking.get(key)
        if task is None:
            if len(self._asking) >= ADMISSION_MAX_QUESTIONS:
                raise UnavailableError("admission-busy", "too many questions at once", remedy="ask again")
            task = asyncio.create_task(self._find(key))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        try:
            return await asyncio.wait_for(asyncio.shield(task), seconds)
        except TimeoutError:
            message = f"no decision was made within {seconds:.1f} s"
            return Answer(
                Ruling(Outcome.INDETERMINATE, (Reason("admission-timeout", Outcome.INDETERMINATE, message),))
            )

    def _still(self, key: tuple[str, str]) -> Answer | None:
        """The kept answer, if it still holds."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        steady = self._clocks.steady()
        if kept.standing is not None:
            holds = isinstance(look(kept.standing, self._clocks.wall(), steady), Standing)
        else:
            holds = steady < kept.until
        if not holds:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return kept.answer

    async def _find(self, key: tuple[str, str]) -> Answer:
        """Ask in a worker thread, anew when the log moved meanwhile."""
        for _ in range(_TRIES):
            age = self._age
            answer = await asyncio.get_running_loop().run_in_executor(self._workers, self._asked, *key)
            if age == self._age:
                return self._keep(key, answer)
            trouble = self.trouble()
            if trouble is not None:
                return Answer(Ruling(Outcome.INDETERMINATE, (trouble,)))
        message = "the log moves faster than a decision is made"
        return Answer(Ruling(Outcome.INDETERMINATE, (Reason("log-moving", Outcome.INDETERMINATE, message),)))

    def _asked(self, digest: str, environment: str) -> Answer:
        try:
            return self._ask(digest, environment)
        except Exception as error:  # noqa: BLE001 - the border of a background task: no answer, and said why
            return Answer(Ruling(Outcome.INDETERMINATE, (_no_answer(error),)))

    def _keep(self, key: tuple[str, str], answer: Answer) -> Answer:
        wall, steady = self._clocks.wall(), self._clocks.steady()
        ruling = answer.ruling
        standing = begin(ruling, wall, steady)
        if isinstance(standing, Ruling):
            seconds = _DENIAL_SECONDS if standing.outcome is Outcome.DENY else self._refresh
            kept = _Kept(Answer(standing, answer.name), None, steady + seconds)
        else:
            kept = _Kept(answer, standing, standing.ends)
        self._kept[key] = kept
        while len(self._kept) > ADMISSION_MAX_ANSWERS:
            self._kept.popitem(last=False)
        return kept.answer


def _no_answer(error: Exception) -> Reason:
    if isinstance(error, AssaymarkError):
        return Reason(error.code, Outcome.INDETERMINATE, str(error), error.remedy)
    if isinstance(error, OSError):
        return Reason("os", Outcome.INDETERMINATE, error.strerror or "the operating system refused")
    return Reason("internal", Outcome.INDETERMINATE, f"{type(error).__name__}: a bug of ours")
