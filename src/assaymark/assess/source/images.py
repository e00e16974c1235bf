"""Dockerfiles: what an image is built from, what is left in it, and who its programs run as."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import BuiltImage, Remark
from assaymark.assess.source.commands import command_remarks
from assaymark.assess.source.entry_points import copied
from assaymark.assess.source.placeholders import placeholder, to_fill
from assaymark.assess.source.programs import program_remarks
from assaymark.core.errors import InputError
from assaymark.core.report import Confidence, Severity
from assaymark.formats.dockerfile import read_dockerfile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.source import Source
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs
    from assaymark.core.graph import Because
    from assaymark.formats.dockerfile import Instruction

_NAMES: Final = re.compile(r"(?:^|/)(?:[\w.-]*\.)?(?:dockerfile|containerfile)(?:\.[\w.-]+)?$", re.IGNORECASE)
_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")
SECRET_VARIABLE: Final = re.compile(
    r"(?:^|_)(?:password|passwd|secret|token|api_?key|access_?key|private_?key|credentials?|secret_?access_?key)(?:$|_)",
    re.IGNORECASE,
)
_HARMLESS: Final = re.compile(
    r"(?:_file|_path|_dir|_name|_id|_url|_uri|_mode|_ttl|_type|_enabled|_limit|_length)$", re.IGNORECASE
)
_PAIR: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s]*)")
SECRET_FILE: Final = re.compile(
    r"(?:^|/)(?:\.env(?:\.(?!example|sample|template)[\w.-]+)?|id_rsa|id_ed25519|id_ecdsa|\.netrc|\.pypirc|\.npmrc|"
    r"credentials(?:\.json)?|\.aws|\.kube|kubeconfig|service[-_]account[\w-]*\.json|[\w.-]+\.(?:pem|key|p12|pfx|jks))/?$",
    re.IGNORECASE,
)
_HERE: Final = re.compile(r"\s{0,9}<<-?[\"']?[A-Za-z_]\w*[\"']?")
_SHELL: Final = re.compile(r"(?:^|[\s/])(?:ba|da|z|k|a)?sh\b")
_NONROOT: Final = re.compile(r"nonroot|rootless|jovyan|jupyter/|unprivileged|bitnami/", re.IGNORECASE)


def collect(inputs: Inputs, source: Source) -> None:
    """Reads each Dockerfile."""
    for file in inputs.files:
        if _NAMES.search(file.path) and not file.path.lower().endswith((".dockerignore", ".md", ".py")):
            try:
                instructions = read_dockerfile(file.text())
            except InputError as error:
                inputs.reading.skip(file.path, f"{error.message}{f' ({error.position})' if error.position else ''}")
                continue
            inputs.reading.read.add(file.path)
            source.remarks += _dockerfile(file, instructions)
            source.images.append(_built(file, instructions))


def _built(file: SourceFile, instructions: list[Instruction]) -> BuiltImage:
    """What its last stage starts."""
    words, place, ports = {"ENTRYPOINT": "", "CMD": ""}, 1, frozenset[int]()
    variables: dict[str, str] = {}
    arguments: dict[str, str] = {}
    stages: dict[str, tuple[dict[str, str], dict[str, str], int, frozenset[int]]] = {}
    name, commanded = "", False
    for one in instructions:
        if one.name == "FROM":
            stages[name] = (words, variables, place, ports)
            base, *alias = re.split(r"\s+as\s+", one.text.strip().lower(), maxsplit=1)
            name = alias[0].strip() if alias else ""
            none = ({"ENTRYPOINT": "", "CMD": ""}, dict[str, str](), one.line, frozenset[int]())
            words, variables, place, ports = stages.get(base, none) if base else none  # it has what that stage has
            words, variables, commanded = dict(words), dict(variables), False
        elif one.name == "EXPOSE":
            ports |= {int(word) for word in re.findall(r"(?<!\S)(\d{1,5})(?:/tcp)?(?!\S)", one.text)}
        elif one.name in words:
            if one.name == "ENTRYPOINT" and not commanded:
                words["CMD"] = ""  # that of the image that it is built from goes
            commanded = commanded or one.name == "CMD"
            words[one.name], place = command_of(one), one.line
        elif one.name in ("ENV", "ARG"):
            _, plain, rest = one.text.strip().partition(" ")
            pairs = _PAIR.findall(one.text) or ([(one.text.split()[0], rest)] if plain else [])
            known = {**arguments, **variables}
            values = {name: _expanded(value.strip().strip("\"'"), known) for name, value in pairs}
            if one.name == "ENV":
                variables = {**variables, **values}
            else:
                arguments |= values
    module = f"FLASK_APP={variables['FLASK_APP']}" if "FLASK_APP" in variables else ""
    entry = " ".join(part for part in (module, words["ENTRYPOINT"]) if part)
    command = " ".join(part for part in (entry, words["CMD"]) if part)
    return BuiltImage(
        file.path,
        file.path.rpartition("/")[0],
        command,
        file.because(place),
        ports,
        entry,
        tuple(sorted(variables.items())),
        *copied(instructions),
    )


def command_of(one: Instruction) -> str:
    """The words of a command, those of its exec form quoted as a shell would need them."""
    text = " ".join(part for _, part in one.parts).partition(" ")[2].strip()
    if text.startswith("["):
        return shlex.join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))
    return text


def _dockerfile(file: SourceFile, instructions: list[Instruction]) -> Iterator[Remark]:
    arguments: dict[str, str] = {}
    stages: set[str] = set()
    last = instructions[0]
    user: Instruction | None = None
    base = ""
    for one in instructions:
        if one.name == "FROM":
            image, _, alias = re.sub(r"\s+[Aa][Ss]\s+", "\x00", one.text).partition("\x00")
            image = _expanded(image.strip(), arguments)
            if image.lower() not in stages:
                yield from _base(file, one, image)
                base = image
            stages |= {alias.strip().lower(), str(len(stages))}
            last, user = one, None
        elif one.name == "ARG":
            name, _, value = one.text.partition("=")
            arguments.setdefault(name.strip(), value.strip().strip("\"'"))
            yield from _secret(file, one)
        elif one.name == "ENV":
            yield from _secret(file, one)
        elif one.name == "USER":
            user = one
        elif one.name in ("ADD", "COPY"):
            yield from _taken(file, one)
        elif one.name in ("RUN", "CMD", "ENTRYPOINT"):
            yield from _command(file, one)
    yield from _user(file, last, user, base, instructions)


def _expanded(text: str, arguments: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name, default = match[1] or match[2], match[3] or ""
        return arguments.get(name) or default.removeprefix(":-").removeprefix("-") or match[0]

    return re.sub(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(:?-[^}]*)?\})", value, text)


def _base(file: SourceFile, one: Instruction, image: str) -> Iterator[Remark]:
    if image == "scratch" or _DIGEST.search(image):
        return
    because = (file.because(one.line),)
    if "$" in image:
        message = f"the image is built from {image}, which whoever builds it chooses"
        yield Remark("build-image-unpinned", image, message, because, Severity.LOW, Confidence.LOW)
        return
    moving = ":" not in image.rpartition("/")[2] or image.endswith(":latest")
    what = "a name that always means the newest" if moving else "a tag, which may be moved"
    message = f"the image is built from {image}, {what}"
    yield Remark("build-image-unpinned", image, message, because, None if moving else Severity.LOW)


def _secret(file: SourceFile, one: Instruction) -> Iterator[Remark]:
    pairs = _PAIR.findall(one.text)
    if not pairs:
        name, _, value = one.text.partition(" ")
        pairs = [(name, value)]
    for name, written in pairs:
        line = next((number for number, part in one.parts if name in part), one.line)
        yield from secret_remark(one.name, name, written.strip("\"'"), file.because(line))


def secret_remark(how: str, name: str, value: str, because: Because) -> Iterator[Remark]:
    """A variable or argument of a build that is called a secret. ``how``: ``ENV`` or ``ARG``."""
    if not SECRET_VARIABLE.search(name) or _HARMLESS.search(name):
        return
    if not to_fill(value):
        severity = Severity.MEDIUM if placeholder(value) else None
        message = f"{how} {name} stays in the image with its value ({value[:4]}...), for whoever can pull it"
        yield Remark("build-secret-in-image", name, message, (because,), severity)
    elif how == "ARG" and not value:
        message = f"ARG {name}: what is passed to the build stays in the image's history"
        yield Remark("build-secret-in-image", name, message, (because,), Severity.MEDIUM, Confidence.MEDIUM)


def _taken(file: SourceFile, one: Instruction) -> Iterator[Remark]:
    if one.flag("from"):
        return
    words = one.text.replace('["', "").replace('"]', "").replace('",', " ").replace('"', "").split()
    for word in words[:-1]:
        if re.match(r"https?://", word) and one.name == "ADD" and not one.flag("checksum"):
            message = f"ADD takes {word[:100]} as it is on the day of the build"
            yield Remark("build-remote-file", word[:100], message, (file.because(one.line),))
        elif SECRET_FILE.search(word) and not re.search(
            r"ca[-_.]|cert(?:s|ificate)?[-_.]|public|\.pub$|\.crt$", word
        ):
            message = f"{one.name} puts {word} into the image, for whoever can pull it"
            yield Remark("build-secret-in-image", word, message, (file.because(one.line),), None, Confidence.MEDIUM)


def _command(file: SourceFile, one: Instruction) -> Iterator[Remark]:
    own = one.parts[: len(one.parts) - one.here]
    text = " ".join(part for _, part in own).partition(" ")[2]
    exec_form = text.strip().startswith("[")
    if exec_form:
        text = " ".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))
    if one.name == "RUN":
        text, lines = _script(text, one)
        for remark in command_remarks(text, file.because(one.line), "the build"):
            yield replace(remark, because=(file.because(_line_of(remark, lines, one)),))
    else:
        anywhere = None if "0.0.0.0" in text else False  # noqa: S104 - what is looked for
        yield from command_remarks(text, file.because(one.line), "the image")
        yield from program_remarks("", text, {}, file.because(one.line), "the image", published=anywhere)


def _script(text: str, one: Instruction) -> tuple[str, list[tuple[int, str]]]:
    """What a shell runs for ``RUN``, here-documents included unless another program reads them, and its lines."""
    own = list(one.parts[: len(one.parts) - one.here])
    if not one.here:
        return text, own
    inner = one.parts[-one.here :]
    text = _HERE.sub(" ", text).strip()
    given = inner[0][1] if inner[0][1].startswith("#!") else text
    if given and not _SHELL.search(given):
        return text, own
    lines: list[tuple[int, str]] = []
    goes_on = False
    for number, part in inner:
        if goes_on:
            lines[-1] = (lines[-1][0], f"{lines[-1][1].removesuffix(chr(92))} {part}")
        elif not part.startswith("#"):
            lines.append((number, part))
        goes_on = part.endswith("\\") and bool(lines)
    return "\n".join([*([text] if text else []), *(part for _, part in lines)]), [*own, *lines]


def _line_of(remark: Remark, lines: list[tuple[int, str]], one: Instruction) -> int:
    """The line that by itself is remarkable for the same, else one with the last word of what the remark is about."""
    for number, part in lines:
        for each in command_remarks(part, remark.because[0], ""):
            if each.rule == remark.rule and (each.about == remark.about or each.rule == "build-pipe-to-shell"):
                return number
    word = remark.about.split()[-1] if remark.about else ""
    return next((number for number, part in lines if word and word in part), one.line)


def _user(
    file: SourceFile, last: Instruction, user: Instruction | None, base: str, instructions: list[Instruction]
) -> Iterator[Remark]:
    runs = any(one.name in ("CMD", "ENTRYPOINT") for one in instructions)
    if user is None:
        if not _NONROOT.search(base) and runs:
            message = "the image has no USER, so its programs run as root"
            yield Remark("build-root-user", "USER", message, (file.because(last.line),), None, Confidence.MEDIUM)
        return
    name = user.text.split(":")[0].strip()
    if name in ("root", "0"):
        yield Remark("build-root-user", "USER", "the image's programs run as root", (file.because(user.line),))
