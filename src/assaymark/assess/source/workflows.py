"""Pipelines of GitHub Actions and GitLab CI: whose code runs in them, with which token, and what they print.

Sources: GitHub's documentation on workflow syntax, security hardening and OpenID Connect; GitLab's on ID tokens.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.loads import Task
from assaymark.assess.estate.source import Pipeline, Remark
from assaymark.assess.source.commands import command_remarks
from assaymark.assess.source.sequences import items
from assaymark.assess.values import text_of
from assaymark.core.report import Confidence, Severity
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.source import Source
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs

GITHUB: Final = "token.actions.githubusercontent.com"
_COMMIT: Final = re.compile(r"@[0-9a-f]{40}$")
_OWN: Final = ("actions/", "github/")
_STRANGERS: Final = ("pull_request_target", "workflow_run", "issue_comment", "issues")
_HEAD: Final = re.compile(
    r"github\.event\.pull_request\.head\.(?:sha|ref|repo)|github\.head_ref|github\.event\.workflow_run\.head_(?:sha|branch)"
    r"|refs/pull/"
)
OTHERS_TEXT: Final = re.compile(
    r"\$\{\{[^}]{0,500}\b(?:github\.event\.(?:issue|pull_request|comment|review|review_comment|discussion)\.(?:title|body)"
    r"|github\.event\.pull_request\.head\.(?:ref|label|repo\.default_branch)|github\.head_ref"
    r"|github\.event\.(?:head_commit|commits\S*)\.(?:message|author\.\w+)|github\.event\.pages\S*\.page_name"
    r"|github\.event\.workflow_run\.(?:head_branch|display_title|head_commit\.message))[^}]*\}\}"
)
OTHERS_INPUT: Final = re.compile(r"\$\{\{[^}]{0,500}\b(?:github\.event\.inputs|inputs)\.[\w-]+[^}]*\}\}")
_PRINTS: Final = re.compile(
    r"\b(?:echo|printf|cat\s*<<<)\b(?!\s+[\"']?::add-mask::)[^|>&;\n]{0,500}(?:\$\{\{\s*secrets\.(?!GITHUB_TOKEN)[\w-]+\s*\}\}|"
    r"\$\{?\w{0,60}(?:PASSWORD|SECRET|TOKEN|API_KEY|ACCESS_KEY|PRIVATE_KEY)\w{0,60}\}?)(?![^\n;&]{0,500}(?:\||>|--password-stdin))"
    r"|^[ \t]*(?:env|printenv|export[ \t]+-p)[ \t]*$",
    re.MULTILINE,
)
_READ_AGAIN: Final = re.compile(
    r"""(?:\beval\s+(?!')[^'\n]{0,300}|\b(?:ba|da|z)?sh\s+-c\s+"[^"\n]{0,300})"""
    r"""\$\{?(CI_COMMIT_(?:MESSAGE|TITLE|DESCRIPTION|AUTHOR|REF_NAME|BRANCH|TAG)|"""
    r"""CI_(?:MERGE|EXTERNAL_PULL)_REQUEST_(?:TITLE|DESCRIPTION|SOURCE_BRANCH_NAME))\b"""
)
_KEYS: Final[dict[str, str]] = {
    "aws-access-key-id": "AWS",
    "aws-secret-access-key": "AWS",
    "credentials_json": "Google Cloud",
    "service_account_key": "Google Cloud",
    "creds": "Azure",
    "client-secret": "Azure",
}
_ENVIRONMENT_KEYS: Final = re.compile(
    r"^(?:AWS_SECRET_ACCESS_KEY|AWS_ACCESS_KEY_ID|AZURE_CLIENT_SECRET|ARM_CLIENT_SECRET|GOOGLE_CREDENTIALS)$"
)
_ROLE: Final = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+")


def collect(inputs: Inputs, source: Source) -> None:
    """Reads each workflow."""
    for file, value in inputs.maps():
        path = file.path.lower()
        if "jobs" in value and ("on" in value or "true" in value) and isinstance(value["jobs"], Map):
            inputs.reading.read.add(file.path)
            _github(file, value, source)
        elif path.endswith((".gitlab-ci.yml", ".gitlab-ci.yaml")) or ".gitlab-ci" in path:
            inputs.reading.read.add(file.path)
            _gitlab(file, value, source)
        elif path.rpartition("/")[2] in ("action.yml", "action.yaml") and isinstance(value.get("runs"), Map):
            inputs.reading.read.add(file.path)
            for step in _list(value["runs"].get("steps")):
                if isinstance(step, Map):
                    source.remarks += _step(file, step, "a step")


def _github(file: SourceFile, value: Map, source: Source) -> None:
    events = _events(value.get("on", value.get("true")))
    strange = [name for name in _STRANGERS if name in events]
    if value.get("permissions") == "write-all":
        message = "the token of every job may change all of the repository (permissions: write-all)"
        source.remarks.append(
            Remark("ci-permissions-wide", "workflow", message, (file.because(value.at("permissions")),))
        )
    source.remarks += _environment(file, value.get("env"), "the workflow")
    for name, job in value["jobs"].items():
        if not isinstance(job, Map):
            continue
        untrusted = False
        if job.get("permissions") == "write-all":
            message = f"the token of job {name} may change all of the repository (permissions: write-all)"
            source.remarks.append(
                Remark("ci-permissions-wide", name, message, (file.because(job.at("permissions")),))
            )
        source.remarks += _environment(file, job.get("env"), f"job {name}")
        source.remarks += _runner(file, name, job, events)
        uses = job.get("uses")
        if isinstance(uses, str):
            source.remarks += _uses(file, uses, job.at("uses"), f"job {name}")
        for step in _list(job.get("steps")):
            if isinstance(step, Map):
                source.remarks += _step(file, step, f"job {name}")
                if strange and _checks_out_head(step):
                    untrusted = True
                    message = (
                        f"job {name} runs on {strange[0]}, with the repository's secrets, and takes another's commit"
                    )
                    place = file.because(step.at("with") if "with" in step else step.line)
                    source.remarks.append(Remark("ci-untrusted-checkout", name, message, (place,)))
        _identity(file, value, name, job, events, source, untrusted=untrusted)
        source.tasks.append(_task(file, value, name, job))


def _task(file: SourceFile, value: Map, name: str, job: Map) -> Task:
    """The commands of a job, with the variables that it writes out."""
    steps = [one for one in _list(job.get("steps")) if isinstance(one, Map) and isinstance(one.get("run"), str)]
    given: dict[str, str] = {}
    for place in (value, job, *steps):
        given |= _written(place.get("env"))
    commands = "\n".join(f"{_entered(one)}{one['run']}" for one in steps)
    return Task(
        f"ci:github:{file.path}#{name}",
        f"job {name} of {file.path}",
        "",
        commands,
        tuple(given.items()),
        file.because(steps[0].at("run") if steps else job.line),
    )


def _entered(step: Map) -> str:
    folder = step.get("working-directory")
    return f"cd {folder}\n" if isinstance(folder, str) else ""


def _written(value: Any) -> dict[str, str]:
    """Variables; one whose value the pipeline's own settings have is ``<set>``."""
    found = {}
    for key, given in value.items() if isinstance(value, Map) else ():
        item = given.get("value") if isinstance(given, Map) else given
        text = text_of(item)
        found[str(key)] = "<set>" if text is None or "${{" in text or text.startswith("$") else text
    return found


def _events(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {value: None}
    if isinstance(value, list):
        return {str(item): None for item in value}
    return dict(value) if isinstance(value, Map) else {}


def _runner(file: SourceFile, name: str, job: Map, events: dict[str, Any]) -> Iterator[Remark]:
    runner = job.get("runs-on")
    labels = [str(item) for item in runner] if isinstance(runner, list) else [str(runner)]
    own = any("self-hosted" in label for label in labels)
    asked = [event for event in ("pull_request", "pull_request_target", "issue_comment") if event in events]
    if own and asked:
        message = f"job {name} runs on a machine of one's own for {asked[0]}: a stranger's code may stay on it"
        yield Remark("ci-self-hosted", name, message, (file.because(job.at("runs-on")),))


def _step(file: SourceFile, step: Map, where: str) -> Iterator[Remark]:
    uses, run, given = step.get("uses"), step.get("run"), step.get("with")
    if isinstance(uses, str):
        yield from _uses(file, uses, step.at("uses"), where)
    if isinstance(run, str):
        yield from _script(file, run, step.at("run"), where)
    if (
        isinstance(uses, str)
        and "github-script" in uses
        and isinstance(given, Map)
        and OTHERS_TEXT.search(str(given.get("script")))
    ):
        message = f"{where} puts a stranger's text into a script"
        yield Remark("ci-script-injection", where, message, (file.because(given.at("script")),))
    if isinstance(given, Map):
        for key, value in given.items():
            if key in _KEYS and "secrets." in str(value):
                message = (
                    f"{where} signs in to {_KEYS[key]} with a long-lived key ({key}) instead of its own identity"
                )
                yield Remark("ci-static-cloud-key", f"{where} {_KEYS[key]}", message, (file.because(given.at(key)),))
    yield from _environment(file, step.get("env"), where)


def _environment(file: SourceFile, value: Any, where: str) -> Iterator[Remark]:
    for key, item in value.items() if isinstance(value, Map) else ():
        if _ENVIRONMENT_KEYS.match(key) and "secrets." in str(item):
            cloud = _cloud(key)
            message = f"{where} signs in to {cloud} with a long-lived key ({key}) instead of its own identity"
            yield Remark("ci-static-cloud-key", f"{where} {cloud}", message, (file.because(value.at(key)),))


def _variables(file: SourceFile, value: Any, where: str) -> Iterator[Remark]:
    """Variables of GitLab's pipelines that take a key from the project's; one that is written out is a secret."""
    for key, given in value.items() if isinstance(value, Map) else ():
        item = given.get("value") if isinstance(given, Map) else given
        if _ENVIRONMENT_KEYS.match(key) and re.match(r"\$\{?\w", str(item)):
            message = f"{where} signs in to {_cloud(key)} with a long-lived key ({key}) instead of its own identity"
            yield Remark("ci-static-cloud-key", f"{where} {_cloud(key)}", message, (file.because(value.at(key)),))


def _cloud(key: str) -> str:
    return "AWS" if key.startswith("AWS") else "Azure" if key.startswith(("AZURE", "ARM")) else "Google Cloud"


def _uses(file: SourceFile, uses: str, line: int, where: str) -> Iterator[Remark]:
    if uses.startswith(("./", "../")) or _COMMIT.search(uses):
        return
    if uses.startswith("docker://"):
        if "@sha256:" not in uses:
            message = f"{where} runs {uses}, which is named by a tag"
            yield Remark("ci-action-unpinned", uses, message, (file.because(line),))
        return
    name = uses.partition("@")[0]
    message = f"{where} runs {uses}, a tag or branch that its owner may move: name a commit"
    yield Remark(
        "ci-action-unpinned", name, message, (file.because(line),), Severity.LOW if name.startswith(_OWN) else None
    )


def _script(file: SourceFile, text: str, line: int, where: str) -> Iterator[Remark]:
    lines = text.split("\n")
    first = line if len(lines) == 1 else line + 1  # a block begins on the line after its key
    joined: list[tuple[int, str]] = []
    goes_on = False
    for number, part in enumerate(lines):
        if goes_on:
            joined[-1] = (joined[-1][0], f"{joined[-1][1]} {part.strip().removesuffix(chr(92))}")
        else:
            joined.append((first + number, part.removesuffix("\\")))
        goes_on = part.endswith("\\")
    for number, part in joined:
        because = file.because(number)
        if OTHERS_TEXT.search(part):
            message = f"{where} puts a stranger's text into a command: {_shown(OTHERS_TEXT, part)}"
            yield Remark("ci-script-injection", f"{where} {_shown(OTHERS_TEXT, part)}", message, (because,))
        elif OTHERS_INPUT.search(part):
            message = f"{where} puts an input into a command: {_shown(OTHERS_INPUT, part)}"
            yield Remark(
                "ci-script-injection", f"{where} {_shown(OTHERS_INPUT, part)}", message, (because,), Severity.LOW
            )
        if _PRINTS.search(part):
            message = f"{where} prints a secret or all variables; masking is passed by with any encoding"
            yield Remark(
                "ci-secret-printed",
                f"{where} {' '.join(part.split())[:40]}",
                message,
                (because,),
                None,
                Confidence.MEDIUM,
            )
        yield from command_remarks(part, because, where)


def _shown(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[0] if match else ""


def _checks_out_head(step: Map) -> bool:
    uses, given, run = step.get("uses"), step.get("with"), step.get("run")
    if isinstance(uses, str) and uses.startswith("actions/checkout") and isinstance(given, Map):
        return bool(_HEAD.search(f"{given.get('ref')} {given.get('repository')}"))
    return (
        isinstance(run, str)
        and bool(re.search(r"git\s+(?:fetch|checkout)|gh\s+pr\s+checkout", run))
        and ("gh pr checkout" in run or bool(_HEAD.search(run)))
    )


def _identity(
    file: SourceFile, value: Map, name: str, job: Map, events: dict[str, Any], source: Source, *, untrusted: bool
) -> None:
    """The token that a job may ask for, and the subjects that it can have."""
    permissions = job.get("permissions", value.get("permissions"))
    asks = permissions == "write-all" or (isinstance(permissions, Map) and permissions.get("id-token") == "write")
    if not asks:
        return
    environment = job.get("environment")
    label = environment.get("name") if isinstance(environment, Map) else environment
    if isinstance(label, str) and label:
        contexts = {f"environment:{'*' if '${{' in label else label}"}
    else:
        contexts = set(_contexts(events))
    where = value if "permissions" not in job else job
    roles = sorted(set(_ROLE.findall(str(job))))
    source.pipelines.append(
        Pipeline(
            f"ci:github:{file.path}#{name}",
            f"job {name} of {file.path}",
            GITHUB,
            tuple(f"repo:{{repository}}:{context}" for context in sorted(contexts)),
            tuple(roles),
            file.because(where.at("permissions")),
            untrusted,
        )
    )


def _contexts(events: dict[str, Any]) -> Iterator[str]:
    for event, given in events.items():
        options: dict[str, Any] = given if isinstance(given, Map) else {}
        if event == "pull_request":
            yield "pull_request"
        elif event == "push":
            branches, tags = _list(options.get("branches")), _list(options.get("tags"))
            yield from (f"ref:refs/heads/{str(one).replace('**', '*')}" for one in branches)
            yield from (f"ref:refs/tags/{str(one).replace('**', '*')}" for one in tags)
            if not branches and not tags:
                yield from ("ref:refs/heads/*", "ref:refs/tags/*")
        elif event == "release":
            yield "ref:refs/tags/*"
        else:
            yield "ref:refs/heads/*"


def _tagged(file: SourceFile, value: Map, where: str, about: str) -> Iterator[Remark]:
    """An image of GitLab's that a pipeline or a job runs in, when no digest says which it is."""
    image = value.get("image")
    image = image.get("name") if isinstance(image, Map) else image
    if isinstance(image, str) and "@sha256:" not in image and "$" not in image:
        moving = ":" not in image.rpartition("/")[2] or image.endswith(":latest")
        message = f"{where} runs in {image}, which is named by a tag"
        place = (file.because(value.at("image")),)
        yield Remark("build-image-unpinned", f"{about} {image}", message, place, None if moving else Severity.LOW)


def _scripts(file: SourceFile, value: Map, where: str) -> Iterator[Remark]:
    """Of the commands of a pipeline or job of GitLab. What a shell reads a second time is a command by then."""
    for key in ("before_script", "script", "after_script"):
        for number, line in items(value.get(key), value.at(key)):
            if not isinstance(line, str):
                continue
            yield from _script(file, line, number, where)
            for match in _READ_AGAIN.finditer(line):
                place = (file.because(number + line.count("\n", 0, match.start()) + ("\n" in line)),)
                message = f"{where} has a shell run a text that others write: {match[1]}"
                yield Remark("ci-script-injection", f"{where} {match[1]}", message, place, Severity.MEDIUM)


def _gitlab(file: SourceFile, value: Map, source: Source) -> None:
    for one in _list(value.get("include")) or [value.get("include")]:
        remote = one.get("remote") if isinstance(one, Map) else one
        if isinstance(remote, str) and remote.startswith("http"):
            message = f"the pipeline includes {remote[:100]}, which its owner may change any time"
            line = one.at("remote") if isinstance(one, Map) else value.at("include")
            source.remarks.append(Remark("ci-action-unpinned", remote[:100], message, (file.because(line),)))
        elif (
            isinstance(one, Map) and one.get("project") and not re.fullmatch(r"[0-9a-f]{40}", str(one.get("ref", "")))
        ):
            message = f"the pipeline includes {one['project']} by a branch or tag"
            source.remarks.append(
                Remark("ci-action-unpinned", str(one["project"]), message, (file.because(one.line),), Severity.LOW)
            )
    source.remarks += _variables(file, value.get("variables"), "the pipeline")
    source.remarks += _tagged(file, value, "the pipeline", "pipeline")
    source.remarks += _scripts(file, value, "the pipeline")
    for name, job in value.items():
        if not isinstance(job, Map) or name == "variables":
            continue
        source.remarks += _tagged(file, job, f"job {name}", name)
        source.remarks += _scripts(file, job, f"job {name}")
        source.remarks += _variables(file, job.get("variables"), f"job {name}")
        lines = [
            str(line)
            for key in ("before_script", "script")
            for _, line in items(job.get(key), job.at(key))
            if isinstance(line, str)
        ]
        given = tuple((_written(value.get("variables")) | _written(job.get("variables"))).items())
        shown = f"job {name} of {file.path}"
        place = file.because(job.at("script"))
        source.tasks.append(Task(f"ci:gitlab:{file.path}#{name}", shown, "", "\n".join(lines), given, place))
        tokens = job.get("id_tokens")
        if isinstance(tokens, Map):
            source.pipelines.append(
                Pipeline(
                    f"ci:gitlab:{file.path}#{name}",
                    f"job {name} of {file.path}",
                    "gitlab.com",
                    ("project_path:{repository}:ref_type:*:ref:*",),
                    tuple(sorted(set(_ROLE.findall(str(job))))),
                    file.because(job.at("id_tokens")),
                )
            )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
