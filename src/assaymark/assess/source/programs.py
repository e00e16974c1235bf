"""``program_remarks``: servers that a command starts, in an image, a compose file or a script."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import Remark
from assaymark.assess.kubernetes.servers import is_loopback, server_of
from assaymark.core.report import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.core.graph import Because

_APPLICATION: Final = re.compile(
    r"(?:^|[\s/])(uvicorn|gunicorn|hypercorn|waitress-serve|flask|daphne|fastapi|streamlit|bentoml)\s", re.IGNORECASE
)
_ANYWHERE: Final = re.compile(r"0\.0\.0\.0|\[?::\]?(?=[:\s]|$)|--server\.address[= ]0")
_CERTIFICATE: Final = re.compile(r"--(?:ssl|cert|key)[-\w]*|--ssl-keyfile|--certfile|tls", re.IGNORECASE)


def program_remarks(
    image: str, said: str, variables: Mapping[str, str], because: Because, where: str, *, published: bool | None
) -> Iterator[Remark]:
    """What is open in the server that an image and a command start.

    ``published``: on addresses that others reach; None for who does not say.
    """
    known = dict(variables)
    server = server_of(image, said, said.partition(" ")[0])
    if server is not None:
        words = f"{image} {said}"
        if is_loopback(said):
            return
        if not server.guarded(words, known):
            severity = Severity.HIGH if published or published is None else Severity.MEDIUM
            message = f"{server.name} of {where} answers without authentication: {server.advice}"
            yield Remark(
                "build-server-open", f"{where} {server.name}", message, (because,), severity, Confidence.MEDIUM
            )
        if not server.tls(words, known) and (published or published is None):
            message = f"{server.name} of {where} talks in plain text"
            yield Remark(
                "build-server-plaintext", f"{where} {server.name}", message, (because,), None, Confidence.MEDIUM
            )
        return
    words = said
    started = _APPLICATION.search(f" {words} ")
    if started and _ANYWHERE.search(words) and not _CERTIFICATE.search(words):
        message = f"{where} starts {started[1]} on all addresses without a certificate"
        yield Remark("web-plaintext", f"{where} {started[1]}", message, (because,), None, Confidence.MEDIUM)
