"""The collector of ARM templates, and of what Bicep compiles to: resources with their expressions resolved.

An expression that cannot be resolved keeps its text in ``<>``, so that two references to one thing stay equal. A
condition that the template decides decides whether a resource is there; where it does not, the resource counts as
there and that is said. Source: Azure Resource Manager, "Conditional deployment in ARM templates", "Resource
iteration", "Property iteration", "Variable iteration".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from assaymark.assess.azure.eligible import requested
from assaymark.assess.azure.exports import read_resource, read_rest
from assaymark.assess.azure.records import Records
from assaymark.assess.azure.template_expressions import GROUP, MAX_DEPTH, value_of
from assaymark.assess.azure.template_functions import count_of
from assaymark.assess.estate.azure import UNKNOWN_SUBSCRIPTION
from assaymark.formats.located import Map, Seq, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs

_SCHEMA: Final = re.compile(r"(?:subscription|managementGroup|tenant)?deploymentTemplate\.json", re.IGNORECASE)
_GIVEN: Final = re.compile(r"deploymentParameters\.json", re.IGNORECASE)
_CHOICE: Final = re.compile(r"(?<!\w)if\(", re.IGNORECASE)
_MAX_NESTED: Final = 8
_MAX_COPIES: Final = 800  # Azure's own limit on the rounds of a loop
# Values that the loops of a file may resolve: a second's work, and a hundred times a large template.
_MAX_VALUES: Final = 100_000
_MAX_SPREAD: Final = 300_000  # values in the lists and objects that expressions of a file put into places
_MAX_CHAIN: Final = 12  # expressions that lead to one another, each some fifty frames of the interpreter's 1,000


class Made(NamedTuple):
    """A resource that a template makes, and what must be so that it does and the template does not decide."""

    item: Map
    opened: tuple[str, ...]


class _Work:
    """What a file and the templates in it share: how many values may be resolved yet, and what is to be said."""

    def __init__(self) -> None:
        self.left = _MAX_VALUES
        self.spread = _MAX_SPREAD
        self.deep = 0
        self.gaps: list[tuple[int, str]] = []
        self.skips: list[tuple[int, str]] = []
        self.line = 0  # where what is being resolved is written


def collect(inputs: Inputs, estates: Estates) -> None:
    """Adds the resources of all templates."""
    records = Records(inputs, estates.azure)
    given = dict(_given(inputs))
    for file, value in inputs.maps():
        schema = value.get("$schema")
        if isinstance(schema, str) and _SCHEMA.search(schema) and "resources" in value:
            inputs.reading.read.add(file.path)
            work = _Work()
            values = given.get(file.path.removesuffix(".json"))
            found = list(_Template(value, schema, work, None, values).resources(value, 0))
            for line, text in work.gaps:
                inputs.reading.gap(f"{file.path} line {line}: {text}")
            for line, text in work.skips:
                inputs.reading.skip(file.path, text, line)
            for passes in (_identity, _resource):
                for made in found:
                    passes(records, file, made.item)
            for made in found:
                _other(records, file, made)


def _given(inputs: Inputs) -> Iterator[tuple[str, Map]]:
    """The values of files of parameters, by the path of their template without its ending: the one of its name."""
    for file, value in inputs.maps():
        schema, values = value.get("$schema"), value.get("parameters")
        if isinstance(schema, str) and _GIVEN.search(schema) and isinstance(values, Map):
            inputs.reading.read.add(file.path)
            yield file.path.removesuffix(".json").removesuffix(".parameters"), values


def _identity(records: Records, file: SourceFile, item: Map) -> None:
    """A user-assigned identity: its ids are those that ``reference`` gives."""
    if item["type"].lower() == "microsoft.managedidentity/userassignedidentities":
        name = item["id"].lower()
        because = file.because(item.line)
        records.principal(
            f"<{name}.principalid>",
            "managed-identity",
            str(item.get("name")),
            because,
            client=f"<{name}.clientid>",
            resource=name,
        )
        records.resource(name, item["type"], because, name=str(item.get("name")))


def _resource(records: Records, file: SourceFile, item: Map) -> None:
    identity = item.get("identity")
    if isinstance(identity, Map) and "systemassigned" in str(identity.get("type", "")).lower():
        identity.put("principalId", f"<{item['id'].lower()}.identity.principalid>", identity.line)
    read_resource(records, file, item)


def _other(records: Records, file: SourceFile, made: Made) -> None:
    item, kind = made.item, made.item["type"].lower()
    properties = item.get("properties")
    if kind.endswith("/federatedidentitycredentials") or kind == "microsoft.authorization/roledefinitions":
        read_rest(records, file, item)
    elif kind.endswith(("/roleeligibilityschedulerequests", "/roleassignmentschedulerequests")):
        requested(records, file, item, _scope(item), made.opened)
    elif kind.endswith("/roleassignments") and isinstance(properties, Map):
        principal, role = properties.get("principalId"), properties.get("roleDefinitionId")
        if isinstance(principal, str) and isinstance(role, str):
            condition = properties.get("condition")
            records.assign(
                principal,
                role,
                _scope(item),
                file.because(item.line),
                kind=str(properties.get("principalType", "")),
                condition=condition if isinstance(condition, str) else None,
                opened=made.opened,
            )
    elif kind == "microsoft.keyvault/vaults/accesspolicies" and isinstance(properties, Map):
        vault = item["id"].lower().rpartition("/accesspolicies/")[0]
        item.put("id", vault, item.line)
        item.put("type", "Microsoft.KeyVault/vaults", item.line)
        known = records.estate.resources.get(vault)
        read_resource(records, file, item)
        fresh = records.estate.resources[vault].settings.get("policies")
        if known is not None and isinstance(known.settings.get("policies"), list) and isinstance(fresh, list):
            from assaymark.assess.azure.shapes import settings_of

            added = settings_of("microsoft.keyvault/vaults", item)["policies"]
            fresh += added if isinstance(added, list) else []


def _scope(item: Map) -> str:
    """At what an assignment or request of a template is."""
    properties = item.get("properties")
    inner = properties.get("scope") if isinstance(properties, Map) else None
    return str(item.get("scope") or inner or item["id"].lower().partition("/providers/microsoft.authorization/")[0])


class _Template:
    """A template with its parameters' defaults and variables, and where its loops are."""

    def __init__(
        self, value: Map, schema: str, work: _Work, parent: _Template | None = None, given: Map | None = None
    ) -> None:
        self.value = value
        self.work = work
        wide = re.search(r"(subscription|managementGroup|tenant)DeploymentTemplate", schema, re.IGNORECASE)
        self.base = f"/subscriptions/{UNKNOWN_SUBSCRIPTION}"
        self.scope = self.base if wide else f"{self.base}/resourceGroups/{GROUP}"
        self.parent = parent
        self.given = given or Map(0)
        self.symbols: dict[str, Map] = {}
        self._open: set[str] = set()
        self._rounds: list[tuple[str, int]] = []  # of the loops that are running, the innermost last
        self._known: dict[tuple[str, str], Any] = {}

    def resources(self, value: Map, depth: int, opened: tuple[str, ...] = ()) -> Iterator[Made]:
        """All resources with their ids, nested ones and those of nested deployments too."""
        listed = value.get("resources")
        if isinstance(listed, dict):
            self.symbols |= {key: one for key, one in listed.items() if isinstance(one, Map)}
        items = list(listed.values()) if isinstance(listed, dict) else listed if isinstance(listed, list) else []
        for item in items:
            if isinstance(item, Map) and item.get("existing") is not True:
                yield from self._all(item, "", "", depth, opened)

    def _all(self, item: Map, kind: str, name: str, depth: int, opened: tuple[str, ...]) -> Iterator[Made]:
        """A resource as often as its loop makes it."""
        copy = item.get("copy")
        if not isinstance(copy, Map):
            yield from self._one(item, kind, name, depth, opened)
            return
        count = self.resolved(copy.get("count"), 0)
        if not isinstance(count, int) or isinstance(count, bool):
            shown = f"{item.get('type')} {item.get('name')}"
            self.work.gaps.append((item.line, f"how many of {shown} are made is not decided; taken as one"))
            more = f"{copy.get('count')} is not zero"
            yield from self._one(item, kind, name, depth, (*opened, more))
            return
        for index in self._looped(count, copy.line):
            self._rounds.append((str(copy.get("name", "")), index))
            try:
                yield from self._one(item, kind, name, depth, opened)
            finally:
                self._rounds.pop()

    def _looped(self, count: int, line: int) -> Iterator[int]:
        """The rounds of a loop, no more than are read."""
        for index in range(min(count, _MAX_COPIES)):
            if self.work.left <= 0:
                break
            yield index
        else:
            if count <= _MAX_COPIES:
                return
        self.work.skips.append((line, f"a loop of {count} rounds, of which not all were read"))

    def _one(self, item: Map, kind: str, name: str, depth: int, opened: tuple[str, ...]) -> Iterator[Made]:
        found = self.resolved(item, 0)
        if not isinstance(found, Map) or not isinstance(found.get("type"), str):
            return
        if depth > _MAX_NESTED:
            self.work.skips.append((item.line, f"deployments nest more than {_MAX_NESTED} deep"))
            return
        whole = f"{kind}/{found['type']}" if kind and "." not in found["type"].split("/")[0] else found["type"]
        named = f"{name}/{found.get('name')}" if kind and whole != found["type"] else str(found.get("name"))
        met = found.get("condition", True)
        if met is not False:
            if met is not True:
                self.work.gaps.append((item.line, f"whether {whole} {named} is made is not decided; taken as made"))
                opened = (*opened, f"{item.get('condition')} is true")
            yield from self._made(item, found, whole, named, depth, opened)
        for child in listed(item.get("resources")):  # which a condition of the parent does not concern
            if isinstance(child, Map):
                yield from self._all(child, whole, named, depth + 1, ())

    def _made(
        self, item: Map, found: Map, whole: str, named: str, depth: int, opened: tuple[str, ...]
    ) -> Iterator[Made]:
        """The resource, or those of the deployment that it is."""
        for key in ("copy", "condition"):
            found.pop(key, None)
        found.put("type", whole, found.line)
        found.put("id", self.identifier(whole, named, str(found.get("scope") or "")), found.line)
        found.put("name", named.rpartition("/")[2], found.line)
        inner = found.get("properties")
        if whole.lower() != "microsoft.resources/deployments" or not isinstance(inner, Map):
            yield Made(found, opened)
            return
        template = item["properties"].get("template") if isinstance(item.get("properties"), Map) else None
        if isinstance(template, Map):
            given = inner.get("parameters")
            schema = str(template.get("$schema", ""))
            nested = _Template(template, schema, self.work, self, given if isinstance(given, Map) else None)
            yield from nested.resources(template, depth + 1, opened)

    def identifier(self, kind: str, name: str, scope: str = "") -> str:
        """The id of a resource of the template."""
        namespace, *types = kind.split("/")
        names = name.split("/")
        pairs = [f"{one}/{names[index] if index < len(names) else '-'}" for index, one in enumerate(types)]
        base = scope or (self.base if kind.lower() == "microsoft.resources/resourcegroups" else self.scope)
        return f"{base.rstrip('/')}/providers/{namespace}/" + "/".join(pairs)

    def named(self, symbol: Map, index: int | None) -> str:
        """The id of what a symbolic name stands for, in one round of its loop."""
        copy = symbol.get("copy")
        if index is not None and isinstance(copy, Map):
            self._rounds.append((str(copy.get("name", "")), index))
        try:
            kind = str(self.resolved(symbol.get("type"), 1)).partition("@")[0]
            name, scope = self.resolved(symbol.get("name"), 1), self.resolved(symbol.get("scope"), 1)
        finally:
            if index is not None and isinstance(copy, Map):
                self._rounds.pop()
        return self.identifier(kind, str(name), str(scope or ""))

    def index(self, name: str) -> int | None:
        """How often a loop has run, by its name, or the innermost one's; None outside of one."""
        for loop, index in reversed(self._rounds):
            if not name or loop.lower() == name.lower():
                return index
        return self.parent.index(name) if self.parent else None

    def resolved(self, value: Any, depth: int) -> Any:
        """A value with its expressions resolved."""
        if depth > MAX_DEPTH:
            return value
        self.work.left -= self.index("") is not None
        if isinstance(value, Map):
            found = Map(value.line, value.path)
            for key, item in value.items():
                if key in ("resources", "template"):
                    found.put(key, item, value.at(key))
                elif key == "copy" and isinstance(item, Seq):
                    self._repeated(item, found, depth)
                else:
                    name = self.text(key) if key.startswith("[") else key
                    self.work.line = value.at(key)
                    found.put(str(name), self.resolved(item, depth + 1), value.at(key))
            return found
        if isinstance(value, Seq):
            items = Seq(value.line, value.path)
            for index, item in enumerate(value):
                self.work.line = value.at(index)
                items.put(self.resolved(item, depth + 1), value.at(index))
            return items
        return self.text(value) if isinstance(value, str) and value.startswith("[") else value

    def _repeated(self, loops: Seq, found: Map, depth: int) -> None:
        """Puts what loops over a property make."""
        for loop in [one for one in loops if isinstance(one, Map)]:
            name, count = str(loop.get("name", "")), self.resolved(loop.get("count"), depth + 1)
            items = Seq(loop.line, loop.path)
            if not isinstance(count, int) or isinstance(count, bool):
                self.work.gaps.append((loop.line, f"how long the list {name} is is not decided; taken as one"))
                items.put(self.resolved(loop.get("input"), depth + 1), loop.line)
                count = 0
            for index in self._looped(count, loop.line):
                self._rounds.append((name, index))
                items.put(self.resolved(loop.get("input"), depth + 1), loop.line)
                self._rounds.pop()
            found.put(name, items, loop.line)

    def text(self, value: str) -> Any:
        """A text, an expression in brackets resolved."""
        if not value.startswith("[") or value.startswith("[[") or not value.endswith("]"):
            return value[1:] if value.startswith("[[") else value
        if value in self._open or self.work.deep >= _MAX_CHAIN:
            return f"<{value[1:-1]}>"
        self._open.add(value)
        self.work.deep += 1
        try:
            found = value_of(value[1:-1], self)
        finally:
            self._open.discard(value)
            self.work.deep -= 1
        if found is None and _CHOICE.search(value):
            gap = (self.work.line, f"which value {value[1:-1]} has is not decided; taken as unknown")
            self.work.gaps += [gap] if gap not in self.work.gaps else []
        self.work.spread -= count_of(found, self.work.spread)
        return f"<{value[1:-1]}>" if found is None or self.work.spread <= 0 else found

    def parameter(self, name: str) -> Any:
        """The value that a nested template is given, or the default; one of the template around for a nested one."""
        given = self.given.get(name)
        if isinstance(given, Map) and "value" in given:
            return given["value"]
        if isinstance(given, Map) and "reference" in given:  # a secret of a key vault
            return f"<{name}>"
        declared = self.value.get("parameters")
        one = declared.get(name) if isinstance(declared, dict) else None
        if isinstance(one, Map) and "defaultValue" in one:
            return self._remembered("parameter", name, one["defaultValue"])
        return self.parent.parameter(name) if one is None and self.parent else f"<{name}>"

    def variable(self, name: str) -> Any:
        """A variable, a list that a loop makes too; None for none."""
        declared = self.value.get("variables")
        if isinstance(declared, Map) and name in declared and name != "copy":
            return self._remembered("variable", name, declared[name])
        loops = declared.get("copy") if isinstance(declared, Map) else None
        for loop in listed(loops):
            if isinstance(loop, Map) and loop.get("name") == name:
                found, only = Map(loop.line), Seq(loop.line)
                only.put(loop, loop.line)
                self._repeated(only, found, 1)
                return found[name]
        return self.parent.variable(name) if self.parent else None

    def _remembered(self, what: str, name: str, value: Any) -> Any:
        """The value of a parameter or variable, resolved once: neither may ask for the round of a resource's loop."""
        if (what, name) not in self._known:
            self._known[what, name] = self.resolved(value, 0)
        return self._known[what, name]
