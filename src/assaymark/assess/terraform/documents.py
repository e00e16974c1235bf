"""``aws_iam_policy_document``: the data source that writes a policy, as the policy that it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import json_of
from assaymark.formats.located import Map, Seq, listed

if TYPE_CHECKING:
    from assaymark.assess.files import SourceFile


class Data(Protocol):
    """A data source: its blocks and attributes, and where it stands."""

    file: SourceFile
    line: int

    def get(self, name: str) -> Any:
        """What is written for an attribute or block; None for nothing."""


_LISTS: Final = {
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
}
_PRINCIPALS: Final = {"principals": "Principal", "not_principals": "NotPrincipal"}


def policy_document_json(data: Data) -> Map:
    """The policy as a value whose lines are those of the data source's blocks.

    Statements of ``source_policy_documents`` come first; the data source's own replace those of one Sid, and those
    of ``override_policy_documents`` replace both.
    """
    found = Map(data.line, data.file.path)
    found.put("Version", data.get("version") or "2012-10-17", data.line)
    statements = Seq(data.line, data.file.path)
    for name in ("source_json", "source_policy_documents"):
        _take(data.get(name), statements, data.line, override=False)
    for block in _blocks(data.get("statement")):
        _put(statements, _statement(block, data.file.path), override=True)
    for name in ("override_json", "override_policy_documents"):
        _take(data.get(name), statements, data.line, override=True)
    found.put("Statement", statements, statements.line)
    return found


def _blocks(value: Any) -> list[Map]:
    """The blocks of a kind, of which the JSON syntax writes one without a list; other attributes are none."""
    return [value] if isinstance(value, Map) else [one for one in listed(value) if isinstance(one, Map)]


def _take(value: Any, statements: Seq, line: int, *, override: bool) -> None:
    for text in value if isinstance(value, Seq) else [] if value is None else [value]:
        document = json_of(text, line)
        inner = document.get("Statement") if isinstance(document, Map) else None
        if inner is None:
            statements.put(Unresolved(str(text)), line)
            continue
        for statement in inner if isinstance(inner, Seq) else [inner]:
            _put(statements, statement, override=override)


def _put(statements: Seq, statement: Any, *, override: bool) -> None:
    sid = statement.get("Sid") if isinstance(statement, Map) else None
    if override and sid:
        for index, known in enumerate(statements):
            if isinstance(known, Map) and known.get("Sid") == sid:
                statements[index] = statement
                return
    statements.put(statement, getattr(statement, "line", statements.line))


def _statement(block: Map, path: str) -> Map:
    found = Map(block.line, path)
    if block.get("sid"):
        found.put("Sid", block["sid"], block.at("sid"))
    found.put("Effect", block.get("effect") or "Allow", block.at("effect"))
    for name, key in _LISTS.items():
        if block.get(name) is not None:
            found.put(key, _variables(block[name]), block.at(name))
    for name, key in _PRINCIPALS.items():
        if _blocks(block.get(name)):
            found.put(key, _principals(_blocks(block[name]), block.at(name)), block.at(name))
    if _blocks(block.get("condition")):
        line = block.at("condition")
        found.put("Condition", _conditions(_blocks(block["condition"]), line), line)
    return found


def _variables(value: Any) -> Any:
    """Terraform writes IAM's variables with ``&{``, since ``${`` is its own."""
    if isinstance(value, Unresolved):
        return Unresolved(value.replace("&{", "${"), value.pattern.replace("&{", "${"))
    if isinstance(value, str):
        return value.replace("&{", "${")
    if isinstance(value, Seq):
        found = Seq(value.line, value.path)
        for index, item in enumerate(value):
            found.put(_variables(item), value.at(index))
        return found
    return value


def _principals(blocks: list[Map], line: int) -> Any:
    found = Map(line)
    for block in blocks:
        kind, identifiers = block.get("type"), block.get("identifiers")
        if kind == "*":
            return "*"
        values = found.get(str(kind), Seq(block.line))
        for index, item in enumerate(identifiers if isinstance(identifiers, Seq) else [identifiers]):
            values.put(item, identifiers.at(index) if isinstance(identifiers, Seq) else block.line)
        found.put(str(kind), values, block.line)
    return found


def _conditions(blocks: list[Map], line: int) -> Map:
    found = Map(line)
    for block in blocks:
        test, variable = str(block.get("test")), str(block.get("variable"))
        if test not in found:
            found.put(test, Map(block.line), block.line)
        values = _variables(block.get("values"))
        if variable in found[test] and isinstance(values, Seq) and isinstance(found[test][variable], Seq):
            for index, item in enumerate(values):  # conditions of one test and key are one, with all their values
                found[test][variable].put(item, values.at(index))
        else:
            found[test].put(variable, values, block.at("values"))
    return found
