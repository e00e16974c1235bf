"""A policy document, typed, from a located value of JSON or YAML.

Source: IAM User Guide, "IAM JSON policy element reference" and "Grammar of the IAM JSON policy language". Names of
elements are read in any case, since what a stricter reader refuses must not be overlooked; values of Effect and
Version are as the grammar has them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from assaymark.assess.estate.aws import PolicyDocument, Statement
from assaymark.assess.unresolved import HOLE, Unresolved
from assaymark.core.errors import InputError
from assaymark.core.limits import AWS_POLICY_MAX_STATEMENTS, AWS_POLICY_MAX_VALUES
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.files import SourceFile

VERSIONS: Final = ("2012-10-17", "2008-10-17")
OPEN: Final = "Unresolved"  # the operator that stands for a condition, or an effect, that a template leaves open
PRINCIPAL_TYPES: Final = {
    "aws": "AWS",
    "service": "Service",
    "federated": "Federated",
    "canonicaluser": "CanonicalUser",
}
_DOCUMENT: Final = frozenset(("version", "id", "statement"))
_STATEMENT: Final = frozenset(
    ("sid", "effect", "principal", "notprincipal", "action", "notaction", "resource", "notresource", "condition")
)
_ACCOUNT: Final = re.compile(r"\d{12}")
_ANY: Final = ("*",)


def policy_document(value: Any, name: str, file: SourceFile, *, line: int = 1) -> PolicyDocument:
    """The policy that a located value holds.

    Args:
        value: a ``Map`` of ``formats.located``; an ``Unresolved`` makes a policy that could allow and deny anything.
        name: the policy's ARN, or the name of an inline one.
        file: where it is written, for the lines.
        line: where it is written, should the value be no ``Map``.

    Raises:
        InputError: ``aws-policy`` with the line.
    """
    reader = _Reader(file, line)
    if isinstance(value, Unresolved):
        return PolicyDocument(name, reader.open_statements(value, line), file.because(line))
    fields = reader.fields(value, _DOCUMENT, "a policy document")
    here = getattr(value, "line", line)
    version = fields.get("version", ("", "2008-10-17", here))[1]
    if isinstance(version, Unresolved):
        version = VERSIONS[0]
    if str(version) not in VERSIONS:
        reader.wrong(f"the version {str(version)[:40]!r} of the policy is not one of {' and '.join(VERSIONS)}", here)
    if "statement" not in fields:
        reader.wrong("the policy has no Statement", here)
    _, statements, at = fields["statement"]
    found: list[Statement] = []
    if isinstance(statements, Unresolved):
        found += reader.open_statements(statements, at)
    elif isinstance(statements, Map):
        found += reader.statement(statements, at)
    elif isinstance(statements, Seq):
        if len(statements) > AWS_POLICY_MAX_STATEMENTS:
            reader.wrong(f"the policy has more than {AWS_POLICY_MAX_STATEMENTS} statements", at)
        for index, item in enumerate(statements):
            found += reader.statement(item, statements.at(index))
    else:
        reader.wrong("Statement is neither an object nor a list", at)
    return PolicyDocument(name, tuple(found), file.because(here), str(version))


class _Reader:
    def __init__(self, file: SourceFile, line: int) -> None:
        self._file = file
        self._line = line
        self._values = 0

    def wrong(self, message: str, line: int) -> NoReturn:
        raise InputError("aws-policy", message, source=self._file.path, position=f"line {line}")

    def fields(self, value: Any, known: frozenset[str], what: str) -> dict[str, tuple[str, Any, int]]:
        """Elements by their name in lower case: name as written, value, line."""
        if not isinstance(value, Map):
            self.wrong(f"{what} is not an object", getattr(value, "line", self._line))
        found: dict[str, tuple[str, Any, int]] = {}
        for key, item in value.items():
            low = str(key).lower()
            if low not in known:
                self.wrong(f"{what} has an unknown element {str(key)[:60]!r}", value.at(key))
            if low in found:
                self.wrong(f"{what} has the element {str(key)[:60]!r} twice", value.at(key))
            found[low] = (key, item, value.at(key))
        return found

    def open_statements(self, text: Unresolved, line: int) -> tuple[Statement, ...]:
        """What could allow anything and deny anything."""
        return tuple(
            Statement(
                effect,
                self._file.because(line),
                actions=(Unresolved(text),),
                resources=(Unresolved(text),),
                principals={
                    "AWS": (Unresolved(text),),
                    "Service": (Unresolved(text),),
                    "Federated": (Unresolved(text),),
                },
                condition={OPEN: {str(text): ()}},
                unresolved=(f"Statement: {text}",),
            )
            for effect in ("Allow", "Deny")
        )

    def statement(self, value: Any, line: int) -> tuple[Statement, ...]:
        """One, or two where a template leaves the effect open."""
        if isinstance(value, Unresolved):
            return self.open_statements(value, line)
        fields = self.fields(value, _STATEMENT, "a statement")
        line = getattr(value, "line", line)
        for one, other in (("action", "notaction"), ("resource", "notresource"), ("principal", "notprincipal")):
            if one in fields and other in fields:
                self.wrong(f"a statement has both {fields[one][0]} and {fields[other][0]}", fields[other][2])
        if "action" not in fields and "notaction" not in fields:
            self.wrong("a statement has neither Action nor NotAction", line)
        unresolved: list[str] = []
        parts: dict[str, Any] = {}
        for low, target in (
            ("action", "actions"), ("notaction", "not_actions"),
            ("resource", "resources"), ("notresource", "not_resources"),
        ):  # fmt: skip
            if low in fields:
                parts[target] = self._texts(fields[low], unresolved)
        for low, target in (("principal", "principals"), ("notprincipal", "not_principals")):
            if low in fields:
                parts[target] = self._principals(fields[low], unresolved)
        condition: dict[str, dict[str, tuple[str, ...]]] = {}
        if "condition" in fields:
            condition = self._condition(fields["condition"], unresolved)
        sid = str(fields["sid"][1]) if "sid" in fields else ""
        effects = self._effects(fields, condition, unresolved, line)
        because = self._file.because(line)
        return tuple(
            Statement(effect, because, sid, condition=condition, unresolved=tuple(unresolved), **parts)
            for effect in effects
        )

    def _effects(
        self,
        fields: dict[str, tuple[str, Any, int]],
        condition: dict[str, dict[str, tuple[str, ...]]],
        unresolved: list[str],
        line: int,
    ) -> tuple[str, ...]:
        if "effect" not in fields:
            self.wrong("a statement has no Effect", line)
        _, effect, at = fields["effect"]
        if isinstance(effect, Unresolved):
            unresolved.append(f"Effect: {effect}")
            condition.setdefault(OPEN, {})[f"Effect is {effect}"] = ()
            return ("Allow", "Deny")
        if effect not in ("Allow", "Deny"):
            self.wrong(f"the Effect {str(effect)[:40]!r} is neither Allow nor Deny", at)
        return (str(effect),)

    def _texts(self, field: tuple[str, Any, int], unresolved: list[str]) -> tuple[str, ...]:
        """A text or a list of texts; Unresolved ones stay what they are."""
        name, value, line = field
        items = value if isinstance(value, Seq) else [value]
        found = []
        for item in items:
            found.append(self._text(name, item, line))
            if isinstance(item, Unresolved):
                unresolved.append(f"{name}: {item}")
        return tuple(found)

    def _text(self, name: str, item: Any, line: int) -> str:
        self._values += 1
        if self._values > AWS_POLICY_MAX_VALUES:
            self.wrong(f"the policy has more than {AWS_POLICY_MAX_VALUES} values", line)
        if isinstance(item, bool):
            return "true" if item else "false"
        if isinstance(item, int | float):
            return str(item)
        if not isinstance(item, str):
            self.wrong(f"{name} holds something that is no text", line)
        return item

    def _principals(self, field: tuple[str, Any, int], unresolved: list[str]) -> Mapping[str, tuple[str, ...]]:
        name, value, line = field
        if isinstance(value, Unresolved):
            unresolved.append(f"{name}: {value}")
            return {kind: (Unresolved(value, value.pattern),) for kind in ("AWS", "Service", "Federated")}
        if isinstance(value, str):
            if value != "*":
                self.wrong(f"{name} is a text other than *", line)
            return {"*": _ANY}
        if not isinstance(value, Map):
            self.wrong(f"{name} is neither * nor an object", line)
        found: dict[str, tuple[str, ...]] = {}
        for key, item in value.items():
            kind = PRINCIPAL_TYPES.get(str(key).lower())
            if kind is None or kind in found:
                self.wrong(f"{name} has an unknown or second kind {str(key)[:40]!r}", value.at(key))
            texts = self._texts((f"{name}.{key}", item, value.at(key)), unresolved)
            found[kind] = tuple(self._account(text) if kind == "AWS" else text for text in texts)
        return found

    @staticmethod
    def _account(text: str) -> str:
        """An account's number alone is its root; YAML reads it as a number and loses its leading zeros."""
        if isinstance(text, Unresolved) or not text.isascii() or not text.isdigit():
            return text
        number = text.zfill(12)
        return f"arn:aws:iam::{number}:root" if _ACCOUNT.fullmatch(number) else text

    def _condition(self, field: tuple[str, Any, int], unresolved: list[str]) -> dict[str, dict[str, tuple[str, ...]]]:
        name, value, line = field
        if isinstance(value, Unresolved):
            unresolved.append(f"{name}: {value}")
            return {OPEN: {str(value): ()}}
        if not isinstance(value, Map):
            self.wrong(f"{name} is not an object", line)
        found: dict[str, dict[str, tuple[str, ...]]] = {}
        for operator, keys in value.items():
            at = value.at(operator)
            if isinstance(keys, Unresolved):
                unresolved.append(f"{name}: {keys}")
                found.setdefault(OPEN, {})[str(keys)] = ()
                continue
            if not isinstance(keys, Map):
                self.wrong(f"the operator {str(operator)[:60]!r} of {name} is not an object", at)
            target = found.setdefault(str(operator), {})
            for key, values in keys.items():
                if isinstance(key, Unresolved) or HOLE in str(key):
                    unresolved.append(f"{name}: {key}")
                target[key] = self._texts((f"{name}.{key}", values, keys.at(key)), unresolved)
        return found
