"""The admission webhook as an ASGI 3 application: limits and time at the border, no yes by mistake.

``/validate`` takes AdmissionReviews, ``/healthz`` says that the process lives, ``/readyz`` that it can answer.
Above its limits it answers 503 at once: an API server that waits in a queue gives up and learns nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.attempt import AttemptKind
from assaymark.core.canonical import parse_object
from assaymark.core.decision import Outcome
from assaymark.core.errors import AssaymarkError, InputError, UnavailableError
from assaymark.core.limits import ADMISSION_MAX_BYTES, ADMISSION_MAX_REVIEWS, ADMISSION_MAX_WAITING_BYTES, KIB
from assaymark.core.subject import Subject
from assaymark.enforce.admission_review import Judged, judge, parse_review, response, review_uid

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from assaymark.enforce.admission_review import Review
    from assaymark.enforce.answers import Answer, Answers

    Scope = Mapping[str, Any]
    Receive = Callable[[], Awaitable[Mapping[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

# A webhook may be given 1 to 30 s (Kubernetes API, timeoutSeconds); the API server says how many.
_TIMEOUT: Final = re.compile(rb"(?:^|&)timeout=([1-9]|[12]\d|30)s(?:&|$)")
_DEFAULT_SECONDS: Final = 5.0
_SHARE: Final = 0.7  # of that time; the rest is the way there and back
_BODY_SECONDS: Final = 2.0
# What nothing but a new start mends; a log that cannot be read may come back by itself.
_UNTIL_RESTARTED: Final = ("clock", "log-torn")
_LARGE_BYTES: Final = 256 * KIB  # larger ones are parsed beside the loop that answers the others


@dataclass(frozen=True, slots=True)
class Setting:
    """How this webhook answers. An environment is chosen by the namespace alone, never by the object.

    ``point``, ``tenant`` and ``origin`` are for the records of attempts. With ``client_certificate`` a question is
    answered only to who showed one that the TLS layer verified.
    """

    environment: str
    namespaces: Mapping[str, str] = field(default_factory=dict)
    require_model: bool = False
    client_certificate: bool = False
    point: str = "unnamed"
    tenant: str = ""
    origin: str = ""

    def environment_of(self, namespace: str) -> str:
        """The environment that the models of a namespace run in."""
        return self.namespaces.get(namespace, self.environment)


class AdmissionApp:
    """The application. ``record`` notes an attempt and must not block; ``note`` tells the operator a line."""

    def __init__(
        self,
        answers: Answers,
        setting: Setting,
        record: Callable[[AttemptKind], None],
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._answers = answers
        self._setting = setting
        self._record = record
        self._note = note
        self._reviews = 0
        self._bytes = 0
        self._parser = ThreadPoolExecutor(1, "parse")
        self._fresh: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's event, as ASGI 3 has it."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            status, body = await self._serve(scope, receive)
            await _send(send, status, body)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._fresh = asyncio.create_task(self._answers.keep_fresh())
                await send({"type": "lifespan.startup.complete"})
            else:
                if self._fresh is not None:
                    self._fresh.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await self._fresh
                self._answers.close()
                self._parser.shutdown(wait=False, cancel_futures=True)
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _serve(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        route = (scope["method"], scope["path"])
        if route in (("GET", "/healthz"), ("GET", "/readyz")):
            trouble = self._answers.trouble()
            sick = trouble is not None and (scope["path"] == "/readyz" or trouble.requirement in _UNTIL_RESTARTED)
            return _told(503, trouble.requirement, trouble.message) if trouble and sick else (200, b'{"ok": true}')
        if scope["path"] != "/validate":
            return _told(404, "http-path", "there are /validate, /healthz and /readyz")
        if scope["method"] != "POST":
            return _told(405, "http-method", "an AdmissionReview is posted")
        if self._setting.client_certificate and not scope.get("state", {}).get("client_certificate"):
            return _told(403, "http-client", "this webhook answers to a client certificate only")
        if self._reviews >= ADMISSION_MAX_REVIEWS or self._bytes >= ADMISSION_MAX_WAITING_BYTES:
            return _told(503, "admission-busy", "too many reviews at once")
        self._reviews += 1
        try:
            return await self._reviewed(scope, receive)
        except InputError as error:
            return _told(400, error.code, str(error))
        except UnavailableError as error:
            return _told(503, error.code, str(error))
        except Exception as error:  # noqa: BLE001 - the border: 500 is a refusal under failurePolicy Fail
            self._note(f"a bug of ours, and the object was refused: {type(error).__name__}")
            return _told(500, "internal", "a bug of ours")
        finally:
            self._reviews -= 1

    async def _reviewed(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        given = _TIMEOUT.search(scope.get("query_string", b""))
        ends = asyncio.get_running_loop().time() + (float(given[1]) if given else _DEFAULT_SECONDS) * _SHARE
        headers = dict(scope["headers"])
        if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
            return _told(415, "http-type", "an AdmissionReview is application/json")
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length[:20]) > ADMISSION_MAX_BYTES:
            return _told(413, "json-size", f"larger than {ADMISSION_MAX_BYTES} bytes")
        taken = [0]
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await self._body(receive, taken)
            if body is None:
                return _told(413, "json-size", f"larger than {ADMISSION_MAX_BYTES} bytes")
            document = await self._parse(body)
        except TimeoutError:
            return _told(408, "http-slow", f"the review did not come within {_BODY_SECONDS:.0f} s")
        finally:
            self._bytes -= taken[0]
        uid = review_uid(document)
        try:
            review = parse_review(document)
        except InputError as error:
            return 200, response(uid, Judged(False, Outcome.INDETERMINATE, f"the review cannot be read: {error}"))
        return 200, response(uid, await self._judged(review, ends))

    async def _body(self, receive: Receive, taken: list[int]) -> bytes | None:
        """The body; None for one that is too large. ``taken`` counts what it holds, so that it can be given back."""
        parts = []
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise InputError("http-cut", "the connection ended within the review")
            part = message.get("body", b"")
            parts.append(part)
            taken[0] += len(part)
            self._bytes += len(part)
            if taken[0] > ADMISSION_MAX_BYTES:
                return None
            if not message.get("more_body", False):
                return b"".join(parts)

    async def _parse(self, body: bytes) -> dict[str, Any]:
        if len(body) <= _LARGE_BYTES:
            return parse_object(body, limit=ADMISSION_MAX_BYTES)
        return await asyncio.get_running_loop().run_in_executor(self._parser, parse_object_of, body)

    async def _judged(self, review: Review, ends: float) -> Judged:
        environment = self._setting.environment_of(review.namespace)
        answers: dict[str, Answer] = {}
        if not review.named.faults:
            left = max(0.1, ends - asyncio.get_running_loop().time())
            found = await asyncio.gather(
                *(self._answers.answer(digest, environment, left) for digest in review.named.digests)
            )
            answers = dict(zip(review.named.digests, found, strict=True))
        judged = judge(
            review,
            environment,
            {digest: answer.ruling for digest, answer in answers.items()},
            require_model=self._setting.require_model,
            names={digest: answer.name for digest, answer in answers.items()},
        )
        if not review.dry_run:
            for digest, answer in answers.items():
                self._attempt(digest, answer, environment, judged)
        return judged

    def _attempt(self, digest: str, answer: Answer, environment: str, judged: Judged) -> None:
        """Note what was done with one model. One that might have run, beside one that may not, did not start."""
        permitted = answer.ruling.outcome is Outcome.PERMIT
        if permitted and not judged.allowed:
            return
        setting = self._setting
        kind = AttemptKind(
            Subject(answer.name or digest[7:19], digest),
            environment,
            "start" if permitted else "refuse",
            answer.ruling.outcome,
            () if permitted else answer.ruling.unmet,
            "admission",
            setting.point,
            setting.tenant,
            setting.origin,
        )
        try:
            self._record(kind)
        except AssaymarkError as error:
            self._note(f"an attempt is not recorded: {error}")


def parse_object_of(body: bytes) -> dict[str, Any]:
    """As ``parse_object``, with this webhook's limit: for a worker thread."""
    return parse_object(body, limit=ADMISSION_MAX_BYTES)


def _told(status: int, code: str, message: str) -> tuple[int, bytes]:
    return status, json.dumps({"error": {"code": code, "message": message}}).encode()


async def _send(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status in (408, 413, 415, 503):
        headers.append((b"connection", b"close"))  # what is left of the body is not read
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
