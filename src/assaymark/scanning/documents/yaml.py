"""Scanner of YAML: tags that make a reader construct objects, and configurations that name what to call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.report import Severity
from assaymark.formats.yaml_reader import Tag, read_yaml
from assaymark.scanning.documents.configs import judge_config
from assaymark.scanning.documents.keras import judge_keras
from assaymark.scanning.documents.targets import judge_target
from assaymark.scanning.notes import shown
from assaymark.scanning.pickle.dangerous import is_dangerous
from assaymark.scanning.pickle.permits import allowed_name

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

_STANDARD: Final = "tag:yaml.org,2002:"
_PLAIN: Final = frozenset(
    (
        "str",
        "int",
        "float",
        "bool",
        "null",
        "map",
        "seq",
        "set",
        "omap",
        "pairs",
        "binary",
        "timestamp",
        "merge",
        "value",
    )
)
_PYTHON_VALUES: Final = frozenset(
    ("tuple", "str", "unicode", "bool", "int", "long", "float", "complex", "list", "dict", "bytes", "none")
)
# Of HyperPyYAML, which makes no object by them; of CloudFormation and GitLab, where they are functions of theirs.
_HARMLESS: Final = frozenset(
    (
        "!ref",
        "!PLACEHOLDER",
        "!tuple",
        "!copy",
        "!Ref",
        "!Sub",
        "!GetAtt",
        "!Join",
        "!Select",
        "!If",
        "!Equals",
        "!Not",
        "!And",
        "!Or",
        "!FindInMap",
        "!ImportValue",
        "!Base64",
        "!Split",
        "!GetAZs",
        "!Cidr",
        "!Condition",
        "!Transform",
        "!reference",
    )
)
# A text that could not be parsed: what would be active in it, however it is spelt.
_ACTIVE: Final = re.compile(
    r"!!?python\b|tag:yaml\.org,2002:python|!<[^>\n]*%|![\w!-]*%[0-9A-Fa-f]|^%TAG\b|_target_\b|:serialized:"
    r"|\b(?:class_path|_component_|loader_module)\b"
    r"|(?:^|[\s\[{,:-])!(?!!(?:str|int|float|bool|null|map|seq|set|omap|binary|timestamp|merge)\b)[A-Za-z<]\S*"
    r'|"(?:[^"\\\n]|\\.)*\\[xuU](?:[^"\\\n]|\\.)*"\s*:',
    re.MULTILINE,
)


# Lines end there in YAML 1.1, which PyYAML reads, and not in YAML 1.2.
_BREAKS: Final = re.compile("\x85|\u2028|\u2029")


def judge_yaml(content: Content, text: str) -> None:
    """Note what reading these documents would construct or call, as YAML 1.1 and 1.2."""
    _judge(content, text)
    lines = _BREAKS.sub("\n", text)
    if lines != text:
        _judge(content, lines)


def _judge(content: Content, text: str) -> None:
    try:
        parsed = read_yaml(text)
    except InputError as error:
        found = _ACTIVE.search(text)
        if found is not None:
            line = text.count("\n", 0, found.start()) + 1
            content.notes.finding(
                "yaml-object",
                f"{shown(found[0].strip()[:80])!r}: a loader may call what is named here, in YAML that is not plain"
                f" ({shown(error.message)}, {error.position})",
                member=content.member,
                line=line,
                severity=Severity.HIGH,
            )
        return
    for tag in parsed.tags:
        _tag(content, tag)
    for value in (*parsed.documents, *parsed.doubled):
        judge_config(content, value, judge_keras)


def _tag(content: Content, tag: Tag) -> None:
    name = tag.name
    if name.startswith(_STANDARD):
        kind = name.removeprefix(_STANDARD)
        if kind in _PLAIN:
            return
        word, _, target = kind.removeprefix("python/").partition(":")
        if not kind.startswith("python/"):
            _found(content, tag, "no tag of YAML", Severity.HIGH)
        elif word not in _PYTHON_VALUES or target:
            _python(content, tag, target)
    elif name != "!" and name not in _HARMLESS:
        verb, _, target = name.removeprefix("!").partition(":")
        severity = judge_target(target) if target and verb != "include" else Severity.HIGH
        if severity is not None:
            what = f"calls {shown(target)}" if target else "is a tag of the program that reads it"
            _found(content, tag, what, severity)


def _python(content: Content, tag: Tag, target: str) -> None:
    module, _, last = target.rpartition(".")
    if allowed_name(module, last):
        severity = Severity.MEDIUM
    else:
        root, _, rest = target.partition(".")
        dangerous = is_dangerous(module or "builtins", last) or (module and is_dangerous(root, rest))
        severity = Severity.CRITICAL if dangerous else Severity.HIGH
    _found(content, tag, f"constructs {shown(target or tag.name)}, a Python object", severity)


def _found(content: Content, tag: Tag, what: str, severity: Severity) -> None:
    message = f"line {tag.line}: the tag {shown(tag.name)} {what} when the document is read"
    content.notes.finding("yaml-object", message, member=content.member, line=tag.line, severity=severity)
