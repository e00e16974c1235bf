"""Patches of builds and pipelines: federation instead of static keys, users that are not root."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.assess.patch import Patch, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Writer: TypeAlias = Callable[[Place], Iterator[Patch]]

_NOBODY: Final = "65532"
_STEP: Final = re.compile(r"(\s*)(?:-\s+)?uses:\s*aws-actions/configure-aws-credentials@")
_KEY: Final = re.compile(r"(\s*)aws-access-key-id\s*:")
_SECRET: Final = re.compile(r"\s*aws-(?:secret-access-key|session-token)\s*:")
_PERMISSIONS: Final = re.compile(r"(\s*)permissions:\s*(?:#.*)?$")


def _federate(place: Place) -> Iterator[Patch]:
    """A role that the pipeline takes on by its own token, in place of a key; GitHub's workflows."""
    if ".github/workflows/" not in f"/{place.path}":
        return
    found = _key_lines(place)
    if found is None:
        return
    key, others = found
    indent = re.match(r"\s*", place.lines[key])
    blanks = indent[0] if indent else ""
    title = "take on a role by the pipeline's own token; the role's ARN is a variable of the repository"
    yield Patch(title, place.path, key + 1, 1, (f"{blanks}role-to-assume: ${{{{ vars.AWS_ROLE_ARN }}}}",), safe=False)
    for line in others:
        yield Patch(title, place.path, line + 1, 1, (), safe=False)
    if any(re.match(r"\s*id-token:\s*write", text) for text in place.lines):
        return
    # The block of permissions that holds for the step is the last one before it: a job's, else the workflow's.
    blocks = [(index, match) for index in range(key) if (match := _PERMISSIONS.match(place.lines[index]))]
    if blocks:
        index, match = blocks[-1]
        inner = re.match(r"\s*", place.lines[index + 1])
        deeper = inner[0] if inner and len(inner[0]) > len(match[1]) else f"{match[1]}  "
        yield Patch(title, place.path, index + 2, 0, (f"{deeper}id-token: write",), safe=False)
        return
    jobs = next((index for index, text in enumerate(place.lines) if text.startswith("jobs:")), None)
    if jobs is not None and not any(text.lstrip().startswith("permissions:") for text in place.lines):
        inserted = ("permissions:", "  contents: read", "  id-token: write", "")
        yield Patch(title, place.path, jobs + 1, 0, inserted, safe=False)


def _key_lines(place: Place) -> tuple[int, list[int]] | None:
    """The line of the key id in the step that the finding is in or begins, and those of what goes with it."""
    starts = [index for index, text in enumerate(place.lines) if _STEP.match(text)]
    for start in starts:
        step = _STEP.match(place.lines[start])
        depth = len(step[1]) if step else 0
        stop = start + 1
        while stop < len(place.lines) and not _next_step(place.lines[stop], depth):
            stop += 1
        keys = [index for index in range(start, stop) if _KEY.match(place.lines[index])]
        if keys and (start <= place.line - 1 < stop):
            return keys[0], [index for index in range(start, stop) if _SECRET.match(place.lines[index])]
    return None


def _next_step(text: str, depth: int) -> bool:
    """Whether a line of a workflow begins what comes after a step."""
    if not text.strip() or text.lstrip().startswith("#"):
        return False
    indent = len(text) - len(text.lstrip())
    return indent < depth or (indent <= depth and text.lstrip().startswith("-"))


def _user(place: Place) -> Iterator[Patch]:
    """A user that is not root, before the last stage's command."""
    title = "run as a user that is not root; what it writes must be its own"
    stages = [index for index, text in enumerate(place.lines) if re.match(r"\s*FROM\s", text, re.IGNORECASE)]
    last = stages[-1] if stages else 0
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


BUILD_WRITERS: Final[dict[str, Writer]] = {
    "build-root-user": _user,
    "ci-static-cloud-key": _federate,
}
