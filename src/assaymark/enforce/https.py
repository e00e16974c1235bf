"""An ASGI application behind TLS 1.3 on uvicorn, with the limits that uvicorn leaves to others.

uvicorn bounds neither the time nor the bytes of a request's head; here a connection that does not come to the point
is closed. It is imported when a server is wanted: the extra ``serve``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import UnavailableError, UsageError
from assaymark.core.limits import ADMISSION_MAX_HEAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.enforce.tls import RenewedTls

_LAST_PORT: Final = 65_535
_HEAD_SECONDS: Final = 5.0
_IDLE_SECONDS: Final = 75  # longer than API servers keep idle connections in use
_GRACE_SECONDS: Final = 5
_CONNECTIONS: Final = 1_024
_RENEW_SECONDS: Final = 1.0


def open_socket(text: str) -> socket.socket:
    """A listening socket for ``HOST:PORT``, ``[::1]:PORT`` for IPv6; port 0 takes a free one.

    Raises:
        UsageError: ``listen-form``.
        UnavailableError: ``listen``: the address is not ours, or taken.
    """
    host, colon, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not colon or not bare or not port.isdecimal() or int(port) > _LAST_PORT:
        raise UsageError("listen-form", f"{text!r} is not HOST:PORT", remedy="write it as 0.0.0.0:8443 or [::]:8443")
    try:
        listening = socket.create_server(
            (bare, int(port)), family=socket.AF_INET6 if ":" in bare else socket.AF_INET, backlog=1_024
        )
        # Inherited by what is accepted. asyncio sets it only on sockets that say TCP, and this one says nothing:
        # each answer, written as head and body, would wait 40 ms for the client's delayed acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise UnavailableError("listen", error.strerror or str(error), source=text) from None
    return listening


def serve_https(
    app: Any, listening: socket.socket, tls: RenewedTls, started: Callable[[], None], note: Callable[[str], None]
) -> None:
    """Serve until SIGTERM or SIGINT, then end what is under way and return.

    ``started`` is called when questions are taken; ``note`` gets a line for the operator now and then.

    Raises:
        UsageError: ``extra-missing``.
    """
    try:
        import httptools as _  # noqa: F401 - uvicorn imports it when it is asked for
        import uvicorn
    except ImportError:
        raise UsageError(
            "extra-missing", "this needs an HTTP server", remedy="pip install 'assaymark[serve]'"
        ) from None
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.levelno >= logging.ERROR)

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:  # uvicorn raises them again in the end; ours end well
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._leave)
            yield

        def _leave(self) -> None:
            self.should_exit = True

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                started()

    config = uvicorn.Config(
        app,
        http=_patient_no_more(),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    config.load()
    config.ssl = tls.context

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: note(f"{context.get('message')}"))
        renewing = asyncio.create_task(_renew(tls, note))
        try:
            await Server(config).serve([listening])
        finally:
            renewing.cancel()

    asyncio.run(run())


async def _renew(tls: RenewedTls, note: Callable[[str], None]) -> None:
    told = ""
    while True:
        await asyncio.sleep(_RENEW_SECONDS)
        line = tls.renew()
        if line and line != told:
            note(line)
        told = line


def _patient_no_more() -> type[asyncio.Protocol]:
    """The protocol class of uvicorn, with an end to the time and the bytes of a request's head."""
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class BoundedProtocol(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            ssl_object = transport.get_extra_info("ssl_object")
            shown = ssl_object is not None and bool(ssl_object.getpeercert(binary_form=True))
            self.app_state = {**self.app_state, "client_certificate": shown}
            self._head = 0
            self._in_head = True
            self._head_timer = self.loop.call_later(_HEAD_SECONDS, self._too_slow)

        def _too_slow(self) -> None:
            if self._in_head and not self.transport.is_closing():
                self.transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            self._head_timer.cancel()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            # Counted by what is fed: a head and the start of its body may come together.
            if self._in_head:
                self._head += len(data)
            super().data_received(data)
            if self._in_head and self._head > ADMISSION_MAX_HEAD_BYTES and not self.transport.is_closing():
                self.transport.abort()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            if not self._in_head:  # a further request on the same connection
                self._in_head, self._head = True, 0
                self._head_timer.cancel()
                self._head_timer = self.loop.call_later(_HEAD_SECONDS, self._too_slow)

        def on_headers_complete(self) -> None:
            self._in_head = False
            self._head_timer.cancel()
            super().on_headers_complete()

    return BoundedProtocol
