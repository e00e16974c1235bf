"""``value_of``: what an expression of an ARM template comes to, as far as the template decides it.

What is not decided (a parameter without a default, a function that is not known, what only the platform knows) is
None, and so is every function of it, but for those that its other arguments decide: ``and`` with one that is false.
Source: Azure Resource Manager, "Syntax and expressions in ARM templates", "ARM template functions".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Protocol

from assaymark.assess.azure.template_functions import plain
from assaymark.assess.estate.azure import UNKNOWN_SUBSCRIPTION

if TYPE_CHECKING:
    from assaymark.formats.located import Map

GROUP: Final = "<resource-group>"
MAX_DEPTH: Final = 40
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_]\w*)|(?P<op>[().,\[\]?]))"
)
_LOOPED: Final = re.compile(r"(\w+)\[(\d{1,4})\]")


class Template(Protocol):
    """What an expression asks of the template that it is in."""

    base: str
    symbols: dict[str, Map]

    def parameter(self, name: str) -> Any:
        """The value of a parameter; None for none."""

    def variable(self, name: str) -> Any:
        """The value of a variable; None for none."""

    def index(self, name: str) -> int | None:
        """How often a loop has run, by its name, or the innermost one's; None outside of one."""

    def identifier(self, kind: str, name: str, scope: str = "") -> str:
        """The id of a resource of the template."""

    def named(self, symbol: Map, index: int | None) -> str:
        """The id of what a symbolic name stands for, in one round of its loop."""


def value_of(text: str, template: Template) -> Any:
    """The value of an expression without its brackets; None when it is not decided."""
    return _Expression(text, template).whole()


class _Expression:
    def __init__(self, text: str, template: Template) -> None:
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
        if self._depth > MAX_DEPTH or kind == "end":
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
                return {"id": f"{template.base}/resourceGroups/{GROUP}", "name": GROUP, "location": "<location>"}
            case "reference" | "resourceinfo":
                return _Reference(self._of(first))
            case "copyindex":
                loop = given[0] if given and isinstance(given[0], str) else ""
                index, added = template.index(loop), given[-1] if given and isinstance(given[-1], int) else 0
                return None if index is None else index + added
        return plain(name, given)

    def _of(self, name: str) -> str:
        match = _LOOPED.fullmatch(name)
        symbol = self._template.symbols.get(match[1] if match else name)
        return name if symbol is None else self._template.named(symbol, int(match[2]) if match else None)

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
