"""The checks that are written into applications, run: who has the token is let in, and nobody else."""

from __future__ import annotations

import asyncio
import functools
import hmac
import os
from types import SimpleNamespace

import pytest

from assaymark.assess.patches.guards import GUARDS


class RefusedError(Exception):
    """What the stand-ins for frameworks raise."""


def refuse(status: int) -> None:
    raise RefusedError(status)


def loaded(framework: str, header: str) -> dict[str, object]:
    """The names that the check of a framework defines, with stand-ins for what it imports."""
    request = SimpleNamespace(headers={"Authorization": header})
    errors = SimpleNamespace(
        HTTPException=RefusedError, Unauthorized=RefusedError, HTTPUnauthorized=RefusedError, HTTPError=RefusedError
    )
    module = SimpleNamespace(
        Header=lambda default: default,
        HTTPException=RefusedError,
        abort=refuse,
        request=request,
        exceptions=errors,
        web=errors,
    )
    names: dict[str, object] = dict.fromkeys(
        ("fastapi", "flask", "quart", "bottle", "starlette", "aiohttp", "sanic"), module
    )
    names |= {"hmac": hmac, "os": os, "functools": functools, "tornado": module}
    exec(GUARDS[framework][0].text, names)  # noqa: S102  # our own text
    return names | {"given": request}


WRONG = ["", "Bearer", "Bearer ", "Bearer wrong", "Bearer right ", "right", "bearer right", "Bearer righté"]


@pytest.mark.parametrize("header", WRONG)
@pytest.mark.parametrize("framework", ["Flask", "Bottle", "Quart", "Starlette", "aiohttp", "Sanic"])
def test_decorators_let_in_who_has_the_token_alone(framework: str, header: str, monkeypatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "right")

    def asked(names):
        require = names["require_token"]
        if not GUARDS[framework][0].asynchronous:
            return require(lambda *_: "answer")(names["given"])

        async def answer(*_):
            return "answer"

        return asyncio.run(require(answer)(names["given"]))

    with pytest.raises(RefusedError):
        asked(loaded(framework, header))
    assert asked(loaded(framework, "Bearer right")) == "answer"


@pytest.mark.parametrize("header", WRONG)
def test_the_dependency_of_fastapi_lets_in_who_has_the_token_alone(header: str, monkeypatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "right")
    names = loaded("FastAPI", header)
    with pytest.raises(RefusedError):
        names["require_token"](header)
    assert names["require_token"]("Bearer right") is None


@pytest.mark.parametrize("framework", GUARDS)
def test_no_service_starts_without_a_token(framework: str, monkeypatch) -> None:
    monkeypatch.delenv("SERVICE_TOKEN", raising=False)
    with pytest.raises(KeyError):
        loaded(framework, "")
    monkeypatch.setenv("SERVICE_TOKEN", "")
    with pytest.raises(SystemExit, match="empty"):
        loaded(framework, "")


@pytest.mark.parametrize(("header", "path", "kind", "through"), [
    (b"Bearer right", "/classify", "http", True),
    (b"Bearer wrong", "/classify", "http", False),
    (b"", "/classify", "websocket", False),
    (b"", "/classify/readyz", "http", False),
    (b"", "/readyz", "http", True),
    (b"", "", "lifespan", True),
])  # fmt: skip
def test_the_middleware_of_bentoml_answers_probes_and_who_has_the_token(
    header, path, kind, through, monkeypatch
) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "right")
    sent, answered = [], []

    async def app(scope, receive, send):
        answered.append(scope)

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "headers": [(b"authorization", header)]} | ({"path": path} if path else {})
    asyncio.run(loaded("BentoML", "")["RequireToken"](app)(scope, None, send))
    assert bool(answered) == through == (not sent)
    if sent and kind == "http":
        assert sent[0]["status"] == 401
