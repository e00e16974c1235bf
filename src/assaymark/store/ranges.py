"""Files behind HTTP, read by ranges (RFC 9110 section 14), and the hub's list of a model's files.

Every range must come from the same version of the file: the entity tag that came first is asked for each time.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from assaymark.core.errors import InputError, UnavailableError, UsageError
from assaymark.core.limits import REMOTE_MAX_LIST_BYTES, REMOTE_MAX_LISTED

_SECONDS: Final = 30.0
_REDIRECTS: Final = 5
_TRIES: Final = 3
_MOVED: Final = frozenset((301, 302, 303, 307, 308))
_PARTIAL: Final = 206
_OK: Final = 200
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_LOCAL: Final = frozenset(("localhost", "127.0.0.1", "::1"))
_HUB: Final = re.compile(r"hf://([\w.-]+/[\w.-]+)(?:@([\w./-]+?))?(?:/(?!/)(.*))?")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to scan: the name that a report shows, and where it is. ``token`` is sent to its own host only."""

    name: str
    url: str
    token: str = ""


class HttpSource:
    """One file behind HTTP.

    Raises:
        UnavailableError: ``remote-read`` when it cannot be reached or has no ranges; ``remote-changed`` when it is no
            longer the file that it was.
        UsageError: ``remote-url`` for an address that is not https.
    """

    def __init__(self, file: RemoteFile) -> None:
        self._file = file
        self._connection: http.client.HTTPConnection | None = None
        self._place: tuple[str, str, int | None] = ("", "", None)
        self._url = file.url
        self._tag = ""
        response, _ = self._get(0, 1)
        match = _RANGE.fullmatch(response.get("content-range", ""))
        if match is None:
            raise _unavailable(file.url, "its server does not serve ranges")
        self.size = int(match[3])
        tag = response.get("etag", "")
        self._tag = "" if tag.startswith("W/") else tag

    def read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes from ``offset``."""
        headers, data = self._get(offset, length)
        match = _RANGE.fullmatch(headers.get("content-range", ""))
        if match is None or int(match[1]) != offset or int(match[3]) != self.size or len(data) != length:
            raise UnavailableError("remote-changed", "the file changed while it was read", source=self._file.url)
        return data

    def _get(self, offset: int, length: int) -> tuple[dict[str, str], bytes]:
        wanted = {"Range": f"bytes={offset}-{offset + length - 1}"}
        if self._tag:
            wanted["If-Match"] = self._tag
        for attempt in range(_TRIES):
            try:
                status, headers, data = self._follow(wanted, length)
            except (OSError, http.client.HTTPException) as error:
                self._close()
                if attempt + 1 == _TRIES:
                    raise _unreachable(self._file.url, error) from None
                continue
            if status == _PARTIAL:
                return headers, data
            if self._url != self._file.url:  # an address that a redirect gave may have ended
                self._url = self._file.url
                continue
            if status == _OK:
                raise _unavailable(self._file.url, "its server does not serve ranges")
            if status == http.HTTPStatus.PRECONDITION_FAILED:
                raise UnavailableError("remote-changed", "the file changed while it was read", source=self._file.url)
            raise _unavailable(self._file.url, f"the server answered {status}")
        raise _unavailable(self._file.url, "the server sends from one address to the other")

    def _follow(self, wanted: dict[str, str], length: int) -> tuple[int, dict[str, str], bytes]:
        for _ in range(_REDIRECTS):
            headers = dict(wanted)
            if self._file.token and _origin(self._url) == _origin(self._file.url):
                headers["Authorization"] = f"Bearer {self._file.token}"
            status, answered, data = self._request(self._url, headers, length)
            if status not in _MOVED or "location" not in answered:
                return status, answered, data
            self._url = urljoin(self._url, answered["location"])
        raise http.client.HTTPException("too many redirects")

    def _request(self, url: str, headers: dict[str, str], length: int) -> tuple[int, dict[str, str], bytes]:
        place = _origin(url)
        if self._connection is None or place != self._place:
            self._close()
            self._connection, self._place = _connect(url), place
        response = _send(self._connection, url, headers)
        found = {name.lower(): value for name, value in response.getheaders()}
        if response.status == _PARTIAL:
            return response.status, found, response.read(length + 1)
        self._close()  # rather than read a whole file to its end
        return response.status, found, b""

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port


def _connect(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" and host:
        return http.client.HTTPSConnection(host, parts.port, timeout=_SECONDS, context=ssl.create_default_context())
    if parts.scheme == "http" and host in _LOCAL:
        return http.client.HTTPConnection(host, parts.port, timeout=_SECONDS)
    raise UsageError(
        "remote-url", "an address begins with https:// (http:// on this machine only)", source=url, remedy="use https"
    )


def _send(connection: http.client.HTTPConnection, url: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    named = {"User-Agent": "assaymark", "Accept-Encoding": "identity", **headers}
    connection.request("GET", target, headers=named)
    return connection.getresponse()


def _unavailable(url: str, why: str) -> UnavailableError:
    return UnavailableError(
        "remote-read", f"cannot be read by ranges: {why}", source=url, remedy="download it and scan the copy"
    )


def _unreachable(url: str, error: Exception) -> UnavailableError:
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return UnavailableError(
        "remote-read", f"cannot be reached: {why}", source=url, remedy="check the address and the network"
    )


def http_files(url: str) -> list[RemoteFile]:
    """The one file behind an address, named as the address ends."""
    name = unquote(urlsplit(url).path.rsplit("/", 1)[-1]) or "file"
    return [RemoteFile(name, url)]


def hub_files(url: str) -> list[RemoteFile]:
    """The files of ``hf://owner/name[@revision][/path]``, from the hub that HF_ENDPOINT names.

    A token in HF_TOKEN goes to that hub alone.

    Raises:
        UsageError: ``remote-url`` for an address that is none, or names no file.
        UnavailableError: ``remote-read``.
    """
    match = _HUB.fullmatch(url)
    if match is None:
        raise UsageError("remote-url", "a hub's address is hf://OWNER/NAME[@REVISION][/PATH]", source=url)
    model, revision, path = match[1], match[2] or "main", match[3] or ""
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    token = os.environ.get("HF_TOKEN", "")
    listing = _json(f"{endpoint}/api/models/{model}/revision/{quote(revision, safe='')}", token)
    siblings = listing.get("siblings")
    commit = listing.get("sha", revision)
    if not isinstance(siblings, list) or not isinstance(commit, str) or len(siblings) > REMOTE_MAX_LISTED:
        raise InputError("remote-list", "the hub's list of files is malformed", source=url)
    names = [item.get("rfilename") for item in siblings if isinstance(item, dict)]
    files = [
        RemoteFile(name, f"{endpoint}/{model}/resolve/{quote(commit, safe='')}/{quote(name)}", token)
        for name in names
        if isinstance(name, str) and (not path or name == path or name.startswith(f"{path.rstrip('/')}/"))
    ]
    if not files:
        raise UsageError("remote-url", "there is no such file in the model", source=url)
    return files


def _json(url: str, token: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection = _connect(url)
    try:
        response = _send(connection, url, headers)
        text = response.read(REMOTE_MAX_LIST_BYTES + 1)
        status = response.status
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(url, error) from None
    finally:
        connection.close()
    if status != _OK:
        raise _unavailable(url, f"the server answered {status}")
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise InputError("remote-list", "the hub's list of files is malformed", source=url)
    return value
