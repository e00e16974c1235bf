"""Patches of builds: indexes and downloads whose certificates are verified, users that are not root."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.patch import Patch, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOBODY: Final = "65532"
_INDEX_OPTION: Final = (
    r"(?:--(?:extra-)?index-url|--(?:default-)?index|--find-links|-i|-f|index-url|extra-index-url|find-links|url)"
)
_PLAIN_INDEX: Final = re.compile(
    rf"((?:^|[\s\"'{{,]){_INDEX_OPTION}[\s=:]{{1,9}}[\"']?|^\s+)http://(?!localhost|127\.)((?:[^/@\s\"']*@)?[\w.-]+(?=[/\s\"']|$))"
)
_TRUSTED: Final = re.compile(r"\s--trusted-host[\s=]\s*[^\s\"';&|]+")
_TRUSTED_ALONE: Final = re.compile(r"(?:--trusted-host[\s=]\s*|\s*trusted-host\s*=\s*)[\w.-]+\s*(?:#.*)?")
_INSECURE: Final = re.compile(r"(\b(?:curl|wget)\b[^|;&]{0,500}?)\s(?:--insecure|--no-check-certificate)(?=\s|$)")
_CLUSTER: Final = re.compile(r"(\bcurl\b[^|;&]{0,500}?)\s-([fsSLOoIv]*)k([fsSLOoIv]*)(?=\s|$)")


def over_tls(place: Place) -> Iterator[Patch]:
    """An index by HTTPS, whose certificate is verified; not where a port is named, which speaks one of the two."""
    title = "take packages over TLS, from an index whose certificate is verified"
    host = place.finding.name.removeprefix("http://").split("/")[0]
    if ":" in host or f"//{host}:".encode() in place.file.data:
        return
    for line in place.at_lines:
        text = place.at(line)
        if _TRUSTED_ALONE.fullmatch(text):
            yield Patch(title, place.path, line, 1, (), safe=False)
            continue
        changed = _PLAIN_INDEX.sub(r"\1https://\2", _TRUSTED.sub("", text))
        if changed != text:
            yield Patch(title, place.path, line, 1, (changed,), safe=False)
        yield from _verified_source(place, line, title)


def _verified_source(place: Place, line: int, title: str) -> Iterator[Patch]:
    """``verify_ssl = true`` in the source of a Pipfile that the line is in."""
    if place.path.rpartition("/")[2].lower() != "pipfile":
        return
    heads = [number for number in range(1, line) if place.at(number).lstrip().startswith("[")]
    for number in range(heads[-1] + 1 if heads else 1, len(place.lines) + 1):
        text = place.at(number)
        if text.lstrip().startswith("["):
            return
        if re.fullmatch(r"\s*verify_ssl\s*=\s*false\s*(?:#.*)?", text):
            yield Patch(title, place.path, number, 1, (text.replace("false", "true", 1),), safe=False)


def verified(place: Place) -> Iterator[Patch]:
    """A download that looks at the certificate."""
    for line in place.at_lines:
        text = place.at(line)
        changed = _INSECURE.sub(r"\1", text)
        changed = _CLUSTER.sub(lambda match: f"{match[1]} -{match[2]}{match[3]}".removesuffix(" -"), changed)
        if changed != text:
            yield Patch("check whom is spoken to", place.path, line, 1, (changed,), safe=False)


def run_as_nobody(place: Place) -> Iterator[Patch]:
    """A user that is not root, before the last stage's command."""
    title = "run as a user that is not root; what it writes must be its own"
    stages = [index for index, text in enumerate(place.lines) if re.match(r"\s*FROM\s", text, re.IGNORECASE)]
    if not stages:
        return  # what an image says of itself, which no patch of a file changes
    last = stages[-1]
    users = [i for i in range(last, len(place.lines)) if re.match(r"\s*USER\s", place.lines[i], re.IGNORECASE)]
    if users:
        yield Patch(title, place.path, users[-1] + 1, 1, (f"USER {_NOBODY}",), safe=False)
        return
    starts = [
        index
        for index in range(last, len(place.lines))
        if re.match(r"\s*(?:CMD|ENTRYPOINT)\s", place.lines[index], re.IGNORECASE)
    ]
    line = starts[0] + 1 if starts else len(place.lines) + 1
    yield Patch(title, place.path, line, 0, (f"USER {_NOBODY}",), safe=False)
