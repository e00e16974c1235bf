"""``pins_of``: what the input itself says of digests and commits: of images, actions, and models of a hub.

A pin counts where it stands beside the tag that it is for (``image:tag@sha256:...``, ``uses: owner/action@<commit> #
tag``); of a tag with two of them nothing is known. Comments and files of tests pin nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.assess.source.places import standing
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.inputs import Inputs

_IMAGE: Final = re.compile(
    r"(?<![\w./:@$}-])([A-Za-z0-9][\w.-]{0,200}(?::\d{1,5}(?=/))?(?:/[\w.-]{1,200}){0,6}):([\w][\w.-]{0,127})@(sha256:[0-9a-f]{64})(?![0-9a-f])"
)
_ACTION: Final = re.compile(
    r"\buses[\"']?\s*:\s*[\"']?([\w.-]{1,100}/[\w.-]{1,100})(?:/[\w./-]{1,200})?@([0-9a-f]{40})[\"']?\s+#\s*(?:tag\s*[:=]\s*)?([\w.-]{1,100})\s*$"
)
_COMMENT: Final = re.compile(r"\s*(?:#|//|--|;)")
_NAMES: Final = re.compile(
    r"(?:dockerfile|containerfile)[^/]*$|\.(?:ya?ml|json|tf|hcl|py|dockerfile|env)$", re.IGNORECASE
)
_ZEROS: Final = "0" * 60


@dataclass(frozen=True, slots=True)
class Pins:
    """``images``: name and tag to digest. ``actions``: repository and tag to commit."""

    images: dict[tuple[str, str], str]
    actions: dict[tuple[str, str], str]

    def digest(self, image: str) -> str:
        """The digest of an image that is named by a tag, or by nothing, which means ``latest``; empty without one."""
        head, slash, last = image.rpartition("/")
        name, colon, tag = last.partition(":")
        return self.images.get((_plain(f"{head}{slash}{name}"), tag if colon else "latest"), "")

    def commit(self, action: str, tag: str) -> str:
        """The commit of ``owner/name`` or ``owner/name/folder`` at a tag; empty without one."""
        return self.actions.get(("/".join(action.lower().split("/")[:2]), tag), "")


def pins_of(inputs: Inputs) -> Pins:
    """What all files pin. Asked for by ``inputs.once``."""
    images: dict[tuple[str, str], set[str]] = {}
    actions: dict[tuple[str, str], set[str]] = {}
    for file in inputs.files:
        if not _NAMES.search(file.path) or standing(file.path) == "test":
            continue
        text = file.data.decode("utf-8", "replace")
        if "@sha256:" in text:
            for name, tag, digest in _images(text):
                images.setdefault((_plain(name), tag), set()).add(digest)
        if "uses" in text:
            for line in text.splitlines():
                match = _ACTION.search(line) if "uses" in line else None
                if match and not _COMMENT.match(line):
                    actions.setdefault((match[1].lower(), match[3]), set()).add(match[2])
        if file.path.rpartition("/")[2].startswith("kustomization") and "digest" in text:
            for name, tag, digest in _kustomized(inputs, file.path):
                images.setdefault((_plain(name), tag), set()).add(digest)
    return Pins(_sure(images), _sure(actions))


def _images(text: str) -> Iterator[tuple[str, str, str]]:
    for line in text.splitlines():
        if "@sha256:" in line and not _COMMENT.match(line):
            yield from _IMAGE.findall(line[:5000])


def _kustomized(inputs: Inputs, path: str) -> Iterator[tuple[str, str, str]]:
    """``images`` of a kustomization that name a tag and its digest."""
    file = inputs.file(path)
    for document in inputs.documents_of(file) if file is not None else ():
        given = document.value.get("images") if isinstance(document.value, Map) else None
        for one in given if isinstance(given, list) else ():
            if not isinstance(one, Map):
                continue
            name, tag, digest = one.get("newName") or one.get("name"), one.get("newTag"), one.get("digest")
            if isinstance(name, str) and isinstance(tag, str) and re.fullmatch(r"sha256:[0-9a-f]{64}", str(digest)):
                yield name, tag, str(digest)


def _plain(name: str) -> str:
    """The name without what Docker adds when it is not written."""
    for prefix in ("docker.io/", "index.docker.io/", "library/"):
        name = name.removeprefix(prefix)
    return name


def _sure(found: dict[tuple[str, str], set[str]]) -> dict[tuple[str, str], str]:
    return {key: next(iter(some)) for key, some in found.items() if len(some) == 1 and _ZEROS not in next(iter(some))}
