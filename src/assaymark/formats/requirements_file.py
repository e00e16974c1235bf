"""``read_requirements``: the lines of a requirements file of pip, typed.

Source: pip documentation, "Requirements File Format"; PEP 508 for names, extras, specifiers and markers. Variables
(``${NAME}``) are left as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import REQUIREMENTS_MAX_BYTES, REQUIREMENTS_MAX_LINES

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME: Final = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*(.*)", re.DOTALL)
_OPTION: Final = re.compile(r"(--?[A-Za-z][A-Za-z-]*)(?:\s*=\s*|\s+|$)(.*)", re.DOTALL)
_HASH: Final = re.compile(r"--hash[=\s]\s*([a-z0-9]+):([0-9a-fA-F]+)")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")
_SCHEME: Final = re.compile(r"(?:(?:git|hg|svn|bzr)(?:\+[a-z]+)?|https?|file|ssh|ftp)(?:\+[a-z]+)?:", re.IGNORECASE)
_EXACT: Final = re.compile(r"===?\s*v?([^\s,;*]+)")


@dataclass(frozen=True, slots=True)
class RequirementLine:
    """An option with its value, or a requirement.

    ``name`` in its normal form (PEP 503) with its ``specifier``, or the ``url`` that it is taken from. ``hashes``
    counts its digests; ``editable`` for ``-e``.
    """

    line: int
    name: str = ""
    specifier: str = ""
    url: str = ""
    hashes: int = 0
    option: str = ""
    value: str = ""
    editable: bool = False

    @property
    def exact(self) -> str:
        """The one version that it lets in; empty when others would do."""
        match = _EXACT.fullmatch(self.specifier.split(";")[0].strip())
        return match[1] if match else ""


def normal_name(name: str) -> str:
    """The name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_requirements(text: str) -> list[RequirementLine]:
    """The lines that say something.

    Raises:
        InputError: ``requirements-syntax`` with the line, ``requirements-limit``.
    """
    if len(text) > REQUIREMENTS_MAX_BYTES:
        raise InputError("requirements-limit", f"more than {REQUIREMENTS_MAX_BYTES} characters")
    found: list[RequirementLine] = []
    for number, line in _logical(text):
        if len(found) >= REQUIREMENTS_MAX_LINES:
            raise InputError("requirements-limit", f"more than {REQUIREMENTS_MAX_LINES} lines")
        found.append(parse_requirement(line, number))
    return found


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Lines joined after a backslash, without comments."""
    pending, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        bare = _COMMENT.sub("", line)
        if not pending:
            first = number
        if bare.endswith("\\"):
            pending += bare[:-1] + " "
            continue
        whole = (pending + bare).strip()
        pending = ""
        if whole:
            yield first, whole
    if pending.strip():
        yield first, pending.strip()


def parse_requirement(text: str, line: int = 1) -> RequirementLine:
    """One requirement or option.

    Raises:
        InputError: ``requirements-syntax``.
    """
    editable = False
    if text.startswith("-"):
        match = _OPTION.fullmatch(text)
        if match is None:
            raise InputError("requirements-syntax", f"no option: {text[:60]}", position=f"line {line}")
        if match[1] not in ("-e", "--editable"):
            return RequirementLine(line, option=match[1], value=match[2].strip().strip("\"'"))
        editable, text = True, match[2].strip()
    hashes = len(_HASH.findall(text))
    text = re.split(r"\s--[a-z]", text, maxsplit=1)[0].strip()
    if _SCHEME.match(text) or text.startswith((".", "/")):
        egg = re.search(r"[#&]egg=([A-Za-z0-9._-]+)", text)
        return RequirementLine(
            line, normal_name(egg[1]) if egg else "", url=text.split(" ")[0], hashes=hashes, editable=editable
        )
    match = _NAME.fullmatch(text)
    if match is None:
        raise InputError("requirements-syntax", f"no requirement: {text[:60]}", position=f"line {line}")
    name, rest = normal_name(match[1]), match[3].strip()
    if rest.startswith("@"):
        return RequirementLine(line, name, url=rest[1:].split(" ;")[0].strip(), hashes=hashes, editable=editable)
    specifier = rest.split(";")[0].strip().removeprefix("(").removesuffix(")").strip()
    if specifier and not re.match(r"(?:[<>=!~]=?|===)", specifier):
        if match[3] and ("/" in text or "\\" in text):
            return RequirementLine(line, url=text, hashes=hashes, editable=editable)  # a path
        raise InputError("requirements-syntax", f"no requirement: {text[:60]}", position=f"line {line}")
    return RequirementLine(line, name, specifier, hashes=hashes, editable=editable)
