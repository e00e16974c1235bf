"""Patches of pipelines: federation instead of static keys, and tokens that may do less.

What a workflow says is found again in its YAML, so that each line that is changed is known for what it is. A step or
job that is written in one line (``{uses: ...}``), or with anchors, is left to a person.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.patch import Patch, Place, lines_of
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs

_SCALAR: Final = re.compile(r"(\s*)([\w.-]+)\s*:\s+(?![|>&*!\[{])\S.*")
_FEDERATED: Final = re.compile(
    r"role-to-assume|workload_identity_provider|configure-aws-credentials|google-github-actions/auth|azure/login"
    r"|sigstore|cosign|attest|ACTIONS_ID_TOKEN",
    re.IGNORECASE,
)
_AWS: Final = ("aws-access-key-id", "aws-secret-access-key", "aws-session-token")
_KEPT_IN: Final = "/tmp/aws-id-token-$CI_JOB_ID"  # noqa: S108 - in the job's own container, for this job alone


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a job of a workflow of GitHub, or of the ``runs`` of an action."""

    whole: Map
    job: Map
    step: Map


def steps_of(place: Place) -> list[Step]:
    """The steps of a workflow that the finding's lines are in."""
    steps = place.inputs.once(_kept)
    if place.path not in steps:
        steps[place.path] = sorted(_steps(place), key=lambda one: one.step.line)
    found = []
    for line in place.at_lines:
        index = bisect_right(steps[place.path], line, key=lambda one: one.step.line) - 1
        found += [steps[place.path][index]] if index >= 0 else []
    return list({id(one): one for one in found}.values())


def _kept(inputs: Inputs) -> dict[str, list[Step]]:
    """The steps of workflows by path, of those that were asked for."""
    del inputs
    return {}


def _steps(place: Place) -> Iterator[Step]:
    """The steps of jobs, and those of an action that is made of steps."""
    for document in place.inputs.documents_of(place.file):
        whole = document.value if isinstance(document.value, Map) else Map(1)
        jobs, runs = whole.get("jobs"), whole.get("runs")
        for job in (*(jobs.values() if isinstance(jobs, Map) else ()), runs):
            steps = job.get("steps") if isinstance(job, Map) else None
            for step in steps if isinstance(steps, list) else ():
                if isinstance(step, Map):
                    yield Step(whole, job, step)


def federated(place: Place) -> Iterator[Patch]:
    """A role or account that the pipeline takes on by its own token, in place of a key."""
    lines = set(place.at_lines)
    if ".gitlab-ci" in place.path:
        yield from _gitlab(place, lines)
        return
    for one in steps_of(place):
        given = one.step.get("with")
        if isinstance(given, Map) and any(given.at(key) in lines for key in given):
            yield from _github(place, one, given)


def _github(place: Place, one: Step, given: Map) -> Iterator[Patch]:
    action = str(one.step.get("uses", "")).lower()
    instead: list[str] = []
    old: list[str] = []
    title = ""
    if action.startswith("aws-actions/configure-aws-credentials@"):
        old = [key for key in _AWS if key in given]
        instead = [] if "role-to-assume" in given else ["role-to-assume: ${{ vars.AWS_ROLE_ARN }}"]
        title = "take on a role by the pipeline's own token; the role's ARN is a variable of the repository"
    elif action.startswith("google-github-actions/auth@"):
        old = [key for key in ("credentials_json",) if key in given]
        instead = [
            f"{key}: ${{{{ vars.{name} }}}}"
            for key, name in (
                ("workload_identity_provider", "GCP_WORKLOAD_IDENTITY_PROVIDER"),
                ("service_account", "GCP_SERVICE_ACCOUNT"),
            )
            if key not in given
        ]
        title = "take on a service account by the pipeline's own token; it and the provider are variables"
    elif action.startswith("azure/login@"):
        old = [key for key in ("creds",) if key in given]
        wanted = ["client-id", "tenant-id"]
        wanted += [] if given.get("allow-no-subscriptions") in (True, "true") else ["subscription-id"]
        instead = [
            f"{key}: ${{{{ vars.AZURE_{key.upper().replace('-', '_')} }}}}" for key in wanted if key not in given
        ]
        title = "sign in by the pipeline's own token; whose federated credential it is are variables"
    if not old or not all(alone(place, given, key) for key in old):
        return
    granted = _granted(place, one)
    if granted is None:
        return
    indent = indent_of(place.at(given.at(old[0])))
    first, *others = (given.at(key) for key in old)
    if not instead and len(given) == len(old):
        return
    yield Patch(title, place.path, first, 1, tuple(f"{indent}{text}" for text in instead), safe=False)
    for line in others:
        yield Patch(title, place.path, line, 1, (), safe=False)
    yield from granted


def alone(place: Place, value: Map, key: str) -> bool:
    """Whether an entry is one line that nothing else stands on."""
    line = value.at(key)
    match = _SCALAR.fullmatch(place.at(line))
    at = [one for one in value.lines.values() if one == line]
    below = place.at(line + 1)
    deeper = bool(below.strip()) and match is not None and len(indent_of(below)) > len(match[1])
    return match is not None and match[2] == key and len(at) == 1 and not deeper


def indent_of(text: str) -> str:
    """The blanks that a line of YAML begins with."""
    return text[: len(text) - len(text.lstrip(" "))]


def _granted(place: Place, one: Step) -> list[Patch] | None:
    """What lets the job ask for its token: nothing where it may, None where that cannot be written."""
    if "jobs" not in one.whole:
        return None  # an action runs with the permissions of whoever calls it
    holder = one.job if "permissions" in one.job else one.whole if "permissions" in one.whole else None
    title = "let the job ask for its own token"
    if holder is None:
        line = min(one.job.lines.values(), default=0)
        indent = indent_of(place.at(line))
        if not _SCALAR.fullmatch(place.at(line)) and not place.at(line).rstrip().endswith(":"):
            return None
        inserted = (f"{indent}permissions:", f"{indent}  contents: read", f"{indent}  id-token: write")
        return [Patch(title, place.path, line, 0, inserted, safe=False)] if indent else None
    said = holder["permissions"]
    if said == "write-all":
        return []
    if not isinstance(said, Map) or not said:
        return None
    if said.get("id-token") == "write":
        return []
    if "id-token" in said:
        line = said.at("id-token")
        if not alone(place, said, "id-token"):
            return None
        return [Patch(title, place.path, line, 1, (f"{indent_of(place.at(line))}id-token: write",), safe=False)]
    line = min(said.lines.values())
    if line == holder.at("permissions"):
        return None
    return [Patch(title, place.path, line, 0, (f"{indent_of(place.at(line))}id-token: write",), safe=False)]


def _gitlab(place: Place, lines: set[int]) -> Iterator[Patch]:
    """A token that AWS's libraries trade for a role (``AWS_WEB_IDENTITY_TOKEN_FILE``), in jobs of GitLab."""
    for document in place.inputs.documents_of(place.file):
        value = document.value
        for job in value.values() if isinstance(value, Map) else ():
            given = job.get("variables") if isinstance(job, Map) else None
            if isinstance(given, Map) and any(given.at(key) in lines for key in given) and "script" in job:
                yield from _gitlab_job(place, value, job, given)


def _gitlab_job(place: Place, whole: Map, job: Map, given: Map) -> Iterator[Patch]:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    old = [key for key in names if key in given]
    shared: Any = whole.get("default")
    before = "before_script" in job
    if not before and ("before_script" in whole or "extends" in job or (isinstance(shared, Map) and shared)):
        return  # what would run before is not to be seen here
    script = job.get("before_script" if before else "script")
    variables = job.at("variables")
    if (
        not {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= set(old)
        or not all(alone(place, given, key) for key in old)
        or "id_tokens" in job
        or not isinstance(script, Seq)
        or not script
        or not place.at(script.at(0)).lstrip().startswith("- ")
        or not re.fullmatch(r"\s*variables:\s*(?:#.*)?", place.at(variables))
    ):
        return
    title = (
        "take on a role by the job's own token; AWS_ROLE_ARN is a variable of the project, where the keys are deleted"
    )
    indent, inner, item = (indent_of(place.at(line)) for line in (variables, given.at(old[0]), script.at(0)))
    token = (f"{indent}id_tokens:", f"{indent}  AWS_ID_TOKEN:", f"{indent}    aud: sts.amazonaws.com")
    yield Patch(title, place.path, variables, 0, token, safe=False)
    first, *others = (given.at(key) for key in old)
    yield Patch(title, place.path, first, 1, (f"{inner}AWS_WEB_IDENTITY_TOKEN_FILE: {_KEPT_IN}",), safe=False)
    for line in others:
        yield Patch(title, place.path, line, 1, (), safe=False)
    command = f'{item}- (umask 077 && printf \'%s\' "$AWS_ID_TOKEN" > "$AWS_WEB_IDENTITY_TOKEN_FILE")'
    yield Patch(title, place.path, script.at(0), 0, (command,), safe=False)


def narrowed(place: Place) -> Iterator[Patch]:
    """A token that may read code, instead of one that may change all (``permissions: write-all``)."""
    more = ("  id-token: write",) if _asks(place.file) else ()
    for line in place.at_lines:
        match = re.fullmatch(r"(\s*)permissions:\s*[\"']?write-all[\"']?\s*((?:#.*)?)", place.at(line))
        if match is None:
            continue
        comment = f"  {match[2]}" if match[2] else ""
        inserted = (f"{match[1]}permissions:{comment}", *(f"{match[1]}{one}" for one in ("  contents: read", *more)))
        title = "let the token read code; what a job must write, it names by itself"
        yield Patch(title, place.path, line, 1, inserted, safe=False)


@lru_cache(maxsize=16)
def _asks(file: SourceFile) -> bool:
    """Whether something in a workflow needs its own token."""
    return any(_FEDERATED.search(text) for text in lines_of(file))
