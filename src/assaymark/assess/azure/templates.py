"""The collector of ARM templates, and of what Bicep compiles to: resources with expressions resolved simply.

An expression that cannot be resolved keeps its text in ``<>``, so that two references to one thing stay equal.
Source: Azure Resource Manager, "Syntax and expressions in ARM templates", "ARM template functions".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.azure.exports import read_resource, read_rest
from assaymark.assess.azure.records import Records
from assaymark.assess.estate.azure import UNKNOWN_SUBSCRIPTION
from assaymark.assess.values import listed
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs

_SCHEMA: Final = re.compile(r"(?:subscription|managementGroup|tenant)?deploymentTemplate\.json", re.IGNORECASE)
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_]\w*)|(?P<op>[().,\[\]?]))"
)
_GROUP: Final = "<resource-group>"
_MAX_DEPTH: Final = 40
_MAX_NESTED: Final = 8
_HOLE: Final = re.compile(r"\{(\d)[^}]*\}")
_OF_IF: Final = 3  # arguments of ``if``


def collect(inputs: Inputs, estates: Estates) -> None:
    """Adds the resources of all templates."""
    records = Records(inputs, estates.azure)
    for file, value in inputs.maps():
        schema = value.get("$schema")
        if isinstance(schema, str) and _SCHEMA.search(schema) and "resources" in value:
            inputs.reading.read.add(file.path)
            template = _Template(value, schema)
            found = list(template.resources(value, 0))
            for passes in (_identity, _resource, _other):
                for item in found:
                    passes(records, file, item)


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


def _other(records: Records, file: SourceFile, item: Map) -> None:
    kind = item["type"].lower()
    properties = item.get("properties")
    if kind.endswith("/federatedidentitycredentials") or kind == "microsoft.authorization/roledefinitions":
        read_rest(records, file, item)
    elif kind.endswith("/roleassignments") and isinstance(properties, Map):
        scope = str(
            item.get("scope")
            or properties.get("scope")
            or item["id"].lower().partition("/providers/microsoft.authorization/")[0]
        )
        principal, role = properties.get("principalId"), properties.get("roleDefinitionId")
        if isinstance(principal, str) and isinstance(role, str):
            condition = properties.get("condition")
            records.assign(
                principal,
                role,
                scope,
                file.because(item.line),
                kind=str(properties.get("principalType", "")),
                condition=condition if isinstance(condition, str) else None,
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


class _Template:
    """A template with its parameters' defaults and variables."""

    def __init__(self, value: Map, schema: str, parent: _Template | None = None, given: Map | None = None) -> None:
        self.value = value
        wide = re.search(r"(subscription|managementGroup|tenant)DeploymentTemplate", schema, re.IGNORECASE)
        self.base = f"/subscriptions/{UNKNOWN_SUBSCRIPTION}"
        self.scope = self.base if wide else f"{self.base}/resourceGroups/{_GROUP}"
        self.parent = parent
        self.given = given or Map(0)
        self.symbols: dict[str, Map] = {}
        self._open: set[str] = set()

    def resources(self, value: Map, depth: int) -> Iterator[Map]:
        """All resources with their ids, nested ones and those of nested deployments too."""
        listed = value.get("resources")
        if isinstance(listed, dict):
            self.symbols |= {key: one for key, one in listed.items() if isinstance(one, Map)}
        items = list(listed.values()) if isinstance(listed, dict) else listed if isinstance(listed, list) else []
        for item in items:
            if isinstance(item, Map) and item.get("existing") is not True:
                yield from self._one(item, "", "", depth)

    def _one(self, item: Map, kind: str, name: str, depth: int) -> Iterator[Map]:
        found = self.resolved(item, 0)
        if not isinstance(found, Map) or not isinstance(found.get("type"), str) or depth > _MAX_NESTED:
            return
        whole = f"{kind}/{found['type']}" if kind and "." not in found["type"].split("/")[0] else found["type"]
        named = f"{name}/{found.get('name')}" if kind and whole != found["type"] else str(found.get("name"))
        found.put("type", whole, found.line)
        found.put("id", self.identifier(whole, named, str(found.get("scope") or "")), found.line)
        found.put("name", named.rpartition("/")[2], found.line)
        inner = found.get("properties")
        if whole.lower() == "microsoft.resources/deployments" and isinstance(inner, Map):
            template = item["properties"].get("template") if isinstance(item.get("properties"), Map) else None
            if isinstance(template, Map):
                given = inner.get("parameters")
                schema = str(template.get("$schema", ""))
                nested = _Template(template, schema, self, given if isinstance(given, Map) else None)
                yield from nested.resources(template, depth + 1)
            return
        yield found
        for child in listed(item.get("resources")):
            if isinstance(child, Map):
                yield from self._one(child, whole, named, depth + 1)

    def identifier(self, kind: str, name: str, scope: str = "") -> str:
        """The id of a resource of the template."""
        namespace, *types = kind.split("/")
        names = name.split("/")
        pairs = [f"{one}/{names[index] if index < len(names) else '-'}" for index, one in enumerate(types)]
        base = scope or (self.base if kind.lower() == "microsoft.resources/resourcegroups" else self.scope)
        return f"{base.rstrip('/')}/providers/{namespace}/" + "/".join(pairs)

    def resolved(self, value: Any, depth: int) -> Any:
        """A value with its expressions resolved."""
        if depth > _MAX_DEPTH:
            return value
        if isinstance(value, Map):
            found = Map(value.line, value.path)
            for key, item in value.items():
                if key in ("resources", "template"):
                    found.put(key, item, value.at(key))
                    continue
                name = self.text(key) if key.startswith("[") else key
                found.put(str(name), self.resolved(item, depth + 1), value.at(key))
            return found
        if isinstance(value, Seq):
            items = Seq(value.line, value.path)
            for index, item in enumerate(value):
                items.put(self.resolved(item, depth + 1), value.at(index))
            return items
        return self.text(value) if isinstance(value, str) and value.startswith("[") else value

    def text(self, value: str) -> Any:
        """A text, an expression in brackets resolved."""
        if not value.startswith("[") or value.startswith("[[") or not value.endswith("]"):
            return value[1:] if value.startswith("[[") else value
        if value in self._open:
            return f"<{value[1:-1]}>"
        self._open.add(value)
        try:
            found = _Expression(value[1:-1], self).whole()
        finally:
            self._open.discard(value)
        return f"<{value[1:-1]}>" if found is None else found

    def parameter(self, name: str) -> Any:
        """The value that a nested template is given, or the default; None for none."""
        given = self.given.get(name)
        if isinstance(given, Map) and "value" in given:
            return given["value"]
        declared = self.value.get("parameters")
        one = declared.get(name) if isinstance(declared, dict) else None
        if isinstance(one, Map) and "defaultValue" in one:
            return self.resolved(one["defaultValue"], 0)
        return f"<{name}>"

    def variable(self, name: str) -> Any:
        """A variable."""
        declared = self.value.get("variables")
        return self.resolved(declared[name], 0) if isinstance(declared, dict) and name in declared else None


class _Expression:
    def __init__(self, text: str, template: _Template) -> None:
        self._template = template
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if match is None:
                self._tokens = []
                break
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        self._tokens.append(("end", ""))
        self._at = 0
        self._depth = 0

    def whole(self) -> Any:
        """The value; None when it cannot be resolved."""
        found = self._value()
        return found if self._tokens[self._at][0] == "end" else None

    def _take(self, text: str) -> bool:
        if self._tokens[self._at] == ("op", text):
            self._at += 1
            return True
        return False

    def _value(self) -> Any:
        self._depth += 1
        kind, text = self._tokens[self._at]
        if self._depth > _MAX_DEPTH or kind == "end":
            return None
        self._at += 1
        if kind == "text":
            found: Any = text[1:-1].replace("''", "'")
        elif kind == "number":
            found = int(text) if len(text) < 20 else None  # noqa: PLR2004 - 64 bits
        elif kind == "name" and self._take("("):
            arguments = []
            while not self._take(")"):
                if self._tokens[self._at][0] == "end":
                    return None
                arguments.append(self._value())
                self._take(",")
            found = self._called(text.lower(), arguments)
        else:
            return None
        self._depth -= 1
        return self._members(found)

    def _members(self, found: Any) -> Any:
        while self._tokens[self._at][1] in (".", "[", "?"):
            if self._take("?"):
                continue
            name: Any
            if self._take("."):
                name = self._tokens[self._at][1]
                self._at += 1
            else:
                self._at += 1
                name = self._value()
                self._take("]")
            if isinstance(found, _Reference):
                found = found.member(str(name))
            elif isinstance(found, dict):
                found = found.get(name)
            elif isinstance(found, list) and isinstance(name, int) and 0 <= name < len(found):
                found = found[name]
            else:
                found = None
        return str(found) if isinstance(found, _Reference) and self._tokens[self._at][0] == "end" else found

    def _called(self, name: str, given: list[Any]) -> Any:
        template = self._template
        texts = ["" if one is None else str(one) for one in given]
        first = texts[0] if texts else ""
        match name:
            case "parameters":
                return template.parameter(first)
            case "variables":
                return template.variable(first)
            case "resourceid" | "subscriptionresourceid" | "tenantresourceid" | "extensionresourceid":
                return self._identifier(name, texts)
            case "subscription":
                return {"id": template.base, "subscriptionId": UNKNOWN_SUBSCRIPTION, "tenantId": "<tenant>"}
            case "resourcegroup":
                return {"id": f"{template.base}/resourceGroups/{_GROUP}", "name": _GROUP, "location": "-"}
            case "reference":
                symbol = template.symbols.get(first)
                return _Reference(self._of(symbol) if symbol is not None else first)
        return _plain(name, given, texts)

    def _of(self, symbol: Map) -> str:
        found = self._template.resolved(symbol, 1)
        return self._template.identifier(
            str(found.get("type")).partition("@")[0], str(found.get("name")), str(found.get("scope") or "")
        )

    def _identifier(self, name: str, texts: list[str]) -> str | None:
        at = next((index for index, one in enumerate(texts) if re.match(r"[A-Za-z]+\.[A-Za-z.]+/", one)), None)
        if at is None:
            return None
        kind, names = texts[at], "/".join(texts[at + 1 :])
        base = {"subscriptionresourceid": self._template.base, "tenantresourceid": "/"}.get(name, "")
        if name == "extensionresourceid":
            base = texts[0]
        elif name == "resourceid" and at:
            subscription = texts[at - 2] if at > 1 else UNKNOWN_SUBSCRIPTION
            base = f"/subscriptions/{subscription}/resourceGroups/{texts[at - 1]}"
        return self._template.identifier(kind, names, base)


def _plain(name: str, given: list[Any], texts: list[str]) -> Any:
    """A function that looks at its arguments only; None for one that is not known, or an argument that is not."""
    match name:
        case "concat" if any(isinstance(one, list) for one in given):
            return [item for one in given if isinstance(one, list) for item in one]
        case "concat":
            return None if None in given else "".join(texts)
        case "format" if texts:
            return _HOLE.sub(lambda match: (texts[1:] + [""] * 10)[int(match[1])], texts[0])
        case "tolower" | "toupper" | "string" if texts:
            return {"tolower": str.lower, "toupper": str.upper}.get(name, str)(texts[0])
        case "createarray":
            return given
        case "uniquestring" | "guid":
            return f"<{name}({', '.join(texts)})>"
        case "if" if len(given) == _OF_IF:
            return given[2] if given[0] is False else given[1]
        case "true" | "false":
            return name == "true"
    return None


class _Reference:
    """What ``reference`` gives at run time: attributes of a resource, by its id."""

    def __init__(self, identifier: str, path: tuple[str, ...] = ()) -> None:
        self._identifier = identifier
        self._path = path

    def member(self, name: str) -> _Reference:
        """An attribute of it."""
        return _Reference(self._identifier, (*self._path, name))

    def __str__(self) -> str:
        path = [one for one in self._path if one != "outputs"]
        return f"<{'.'.join((self._identifier, *path))}>".lower()
