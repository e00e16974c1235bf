"""How long an answer is believed, what is asked once, and what is no answer."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.support.webhook import DIGEST, OTHER, pod, review

from assaymark.core.attempt import AttemptKind
from assaymark.core.decision import Outcome, Reason
from assaymark.core.errors import InputError, UnavailableError
from assaymark.core.limits import ADMISSION_MAX_QUESTIONS, ADMISSION_MAX_REVIEWS
from assaymark.enforce import answers as module
from assaymark.enforce.admission import AdmissionApp, Setting
from assaymark.enforce.answers import Answer, Answers
from assaymark.enforce.launch import Clocks
from assaymark.enforce.ruling import Ruling

REASON = (Reason("scan", Outcome.PERMIT),)


class Log:
    """A log that the test moves, and clocks that it sets."""

    def __init__(self) -> None:
        self.wall = self.steady = 1000.0
        self.state: object = 1
        self.asked: list[tuple[str, str]] = []
        self.outcome = Outcome.PERMIT
        self.until = 2000
        self.meanwhile: Callable[[], object] = lambda: None

    def mark(self) -> object:
        if isinstance(self.state, Exception):
            raise self.state
        return self.state

    def ask(self, digest: str, environment: str) -> Answer:
        self.asked.append((digest, environment))
        self.meanwhile()
        until = self.until if self.outcome is Outcome.PERMIT else 0
        return Answer(Ruling(self.outcome, (Reason("scan", self.outcome),), until))

    def answers(self) -> Answers:
        return Answers(self.ask, self.mark, refresh=1.0, clocks=Clocks(lambda: self.wall, lambda: self.steady))

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


def run(make: Callable[[Log, Answers], Coroutine[Any, Any, None]], log: Log | None = None) -> None:
    log = log or Log()
    answers = log.answers()

    async def whole() -> None:
        await answers.look_now()
        await make(log, answers)

    try:
        asyncio.run(whole())
    finally:
        answers.close()


async def outcome(answers: Answers, digest: str = DIGEST, environment: str = "production") -> tuple[Outcome, str]:
    ruling = (await answers.answer(digest, environment, 5)).ruling
    return ruling.outcome, ruling.unmet[0] if ruling.unmet else ""


def test_an_answer_is_kept_until_the_log_moves() -> None:
    async def story(log: Log, answers: Answers) -> None:
        for _ in range(3):
            assert await outcome(answers) == (Outcome.PERMIT, "")
        assert log.asked == [(DIGEST, "production")]
        await outcome(answers, environment="dev")
        await outcome(answers, OTHER)
        assert len(log.asked) == 3, "each digest in each environment is a question of its own"
        log.state, log.outcome = 2, Outcome.DENY
        await answers.look_now()
        assert (await outcome(answers))[0] is Outcome.DENY

    run(story)


def test_a_permit_ends_with_its_decision_and_a_denial_is_asked_again() -> None:
    async def story(log: Log, answers: Answers) -> None:
        log.until = 1010
        await outcome(answers)
        log.passes(11)
        log.outcome = Outcome.DENY
        await answers.look_now()
        assert (await outcome(answers))[0] is Outcome.DENY, "asked anew, not kept beyond its end"
        await outcome(answers)
        assert len(log.asked) == 2
        log.passes(31)
        await answers.look_now()
        log.outcome, log.until = Outcome.PERMIT, 2000
        assert (await outcome(answers))[0] is Outcome.PERMIT

    run(story)


def test_a_permit_that_has_ended_when_it_comes_permits_nothing() -> None:
    async def story(log: Log, answers: Answers) -> None:
        log.until = 999
        assert await outcome(answers) == (Outcome.INDETERMINATE, "validity")

    run(story)


@pytest.mark.parametrize(
    "trouble", [InputError("log-damaged", "broken"), UnavailableError("store-io", "gone"), OSError(5, "I/O"), ValueError()]
)  # fmt: skip
def test_a_log_that_cannot_be_read_ends_every_answer(trouble: Exception) -> None:
    async def story(log: Log, answers: Answers) -> None:
        assert (await outcome(answers))[0] is Outcome.PERMIT
        log.state = trouble
        await answers.look_now()
        assert (await outcome(answers))[0] is Outcome.INDETERMINATE
        log.state = 1
        await answers.look_now()
        assert (await outcome(answers))[0] is Outcome.PERMIT
        assert len(log.asked) == 2

    run(story)


def test_before_the_first_look_and_after_a_late_one_there_is_no_answer() -> None:
    async def story(log: Log, answers: Answers) -> None:
        await outcome(answers)
        log.passes(3.5)
        assert await outcome(answers) == (Outcome.INDETERMINATE, "log-unread")
        await answers.look_now()
        assert (await outcome(answers))[0] is Outcome.PERMIT

    run(story)
    new = Log().answers()
    trouble = new.trouble()
    assert trouble is not None
    assert trouble.requirement == "admission-starting"
    new.close()


def test_a_clock_that_went_back_permits_nothing() -> None:
    async def story(log: Log, answers: Answers) -> None:
        await outcome(answers)
        log.wall -= 60
        assert await outcome(answers) == (Outcome.INDETERMINATE, "clock")
        log.wall += 60
        assert (await outcome(answers))[0] is Outcome.PERMIT

    run(story)


def test_an_answer_from_before_the_log_moved_is_not_given_after() -> None:
    async def story(log: Log, answers: Answers) -> None:
        loop = asyncio.get_running_loop()

        def moved() -> None:
            log.meanwhile = lambda: None
            log.state = "contained"
            asyncio.run_coroutine_threadsafe(answers.look_now(), loop).result(5)

        log.meanwhile = moved
        task = asyncio.create_task(answers.answer(DIGEST, "production", 5))
        await task
        assert len(log.asked) == 2, "asked again, for the first answer was of an older state"

    run(story)


def test_a_log_that_never_rests_gives_no_answer() -> None:
    async def story(log: Log, answers: Answers) -> None:
        loop = asyncio.get_running_loop()

        def moved() -> None:
            log.state = len(log.asked) + 10
            asyncio.run_coroutine_threadsafe(answers.look_now(), loop).result(5)

        log.meanwhile = moved
        assert await outcome(answers) == (Outcome.INDETERMINATE, "log-moving")

    run(story)


def test_the_same_question_is_asked_once_at_a_time_and_too_many_are_refused() -> None:
    async def story(log: Log, answers: Answers) -> None:
        go = threading.Event()
        log.meanwhile = lambda: go.wait(10)
        same = [asyncio.create_task(answers.answer(DIGEST, "production", 5)) for _ in range(20)]
        others = [
            asyncio.create_task(answers.answer(f"sha256:{i:064x}", "production", 5))
            for i in range(ADMISSION_MAX_QUESTIONS - 1)
        ]
        await asyncio.sleep(0.05)
        with pytest.raises(UnavailableError) as error:
            await answers.answer(OTHER, "production", 5)
        assert error.value.code == "admission-busy"
        slow = await answers.answer(DIGEST, "production", 0.05)
        assert slow.ruling.unmet == ("admission-timeout",)
        go.set()
        await asyncio.gather(*same, *others)
        assert log.asked.count((DIGEST, "production")) == 1

    run(story)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ADMISSION_MAX_ANSWERS", 2)

    async def story(log: Log, answers: Answers) -> None:
        for digest in (DIGEST, OTHER, DIGEST, "sha256:" + "a" * 64, DIGEST):
            await outcome(answers, digest)
        assert len(log.asked) == 3, "the one used longest ago made room"

    run(story)


def test_a_bug_in_deciding_is_no_answer() -> None:
    async def story(log: Log, answers: Answers) -> None:
        def broken() -> None:
            raise RuntimeError("secret")

        log.meanwhile = broken
        ruling = (await answers.answer(DIGEST, "production", 5)).ruling
        assert ruling.outcome is Outcome.INDETERMINATE
        assert "secret" not in ruling.reasons[0].message

    run(story)


async def call(app: AdmissionApp, body: bytes, *, pause: float = 0, **scope: Any) -> tuple[int, dict[str, Any]]:
    """One request, as an ASGI server makes it."""
    sent: list[dict[str, Any]] = []
    parts = [body]

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": parts.pop()} if parts else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    whole = {
        "type": "http",
        "method": "POST",
        "path": "/validate",
        "query_string": b"timeout=5s",
        "headers": [(b"content-type", b"application/json; charset=utf-8")],
        **scope,
    }
    await app(whole, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


def app_of(answers: Answers, record: Callable[[AttemptKind], None] = lambda _: None, **setting: Any) -> AdmissionApp:
    return AdmissionApp(answers, Setting("production", **setting), record)


def body(*digests: str, **more: Any) -> bytes:
    return json.dumps(review(pod({"assaymark.dev/model": ",".join(digests)}), **more)).encode()


def test_the_environment_is_the_namespaces_and_never_the_objects() -> None:
    async def story(log: Log, answers: Answers) -> None:
        item = pod({"assaymark.dev/model": DIGEST, "assaymark.dev/environment": "dev"})
        item["metadata"]["namespace"] = "lab"
        app = app_of(answers, namespaces={"lab": "dev"})
        await call(app, json.dumps(review(item, namespace="models")).encode())
        assert log.asked == [(DIGEST, "production")]
        await call(app, json.dumps(review(item, namespace="lab")).encode())
        assert log.asked[1:] == [(DIGEST, "dev")]

    run(story)


def test_what_was_done_is_recorded_once_and_dry_runs_are_not() -> None:
    async def story(log: Log, answers: Answers) -> None:
        kinds: list[AttemptKind] = []
        app = app_of(answers, kinds.append, point="c1", tenant="t", origin="o")
        await call(app, body(DIGEST, dryRun=True))
        assert kinds == []
        await call(app, body(DIGEST))
        log.state, log.outcome = 2, Outcome.DENY
        await answers.look_now()
        await call(app, body(DIGEST))
        assert [(k.action, k.outcome, k.requirements) for k in kinds] == [
            ("start", Outcome.PERMIT, ()),
            ("refuse", Outcome.DENY, ("scan",)),
        ]
        assert {(k.point_kind, k.point_name, k.tenant, k.origin) for k in kinds} == {("admission", "c1", "t", "o")}

    run(story)


def test_overload_and_bugs_are_errors_and_let_nothing_in() -> None:
    async def story(log: Log, answers: Answers) -> None:
        app = app_of(answers)
        slow = [asyncio.create_task(call(app, body(DIGEST), pause=0.5)) for _ in range(ADMISSION_MAX_REVIEWS)]
        await asyncio.sleep(0.1)
        began = time.monotonic()
        status, answer = await call(app, body(DIGEST))
        assert (status, answer["error"]["code"]) == (503, "admission-busy")
        assert time.monotonic() - began < 0.2, "at once, and not after those that wait"
        assert {status for status, _ in await asyncio.gather(*slow)} == {200}
        assert (await call(app, body(DIGEST)))[0] == 200, "what is over counts no more"

        def broken(_: AttemptKind) -> None:
            raise RuntimeError("secret")

        status, answer = await call(app_of(answers, broken), body(DIGEST))
        assert status == 500
        assert "secret" not in json.dumps(answer)

    run(story)


def test_a_review_cut_short_is_an_error() -> None:
    async def story(log: Log, answers: Answers) -> None:
        app = app_of(answers)

        async def gone() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/validate",
            "headers": [(b"content-type", b"application/json")],
        }
        await app(scope, gone, send)
        assert sent[0]["status"] == 400

    run(story)


def test_an_unreadable_review_is_refused_by_its_uid() -> None:
    async def story(log: Log, answers: Answers) -> None:
        document = review(pod())
        document["request"]["operation"] = "PATCH"
        status, answer = await call(app_of(answers), json.dumps(document).encode())
        assert status == 200
        assert answer["response"]["uid"] == document["request"]["uid"]
        assert answer["response"]["allowed"] is False

    run(story)
