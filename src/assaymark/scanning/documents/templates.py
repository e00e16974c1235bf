"""Scanner of Jinja templates: what the program in a template may reach besides the values that it is given.

A template of a tokenizer runs whenever a prompt is made. It is judged by its syntax tree and default deny: names,
attributes, methods, filters and tests that are reviewed. Text that the template itself puts together may not become
an attribute's name, so the kind of each variable is followed (``Kind``), without regard to order.

This is one file because the kinds of all sorts of nodes depend on one another.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.report import Severity
from assaymark.formats.jinja.nodes import (
    Arguments,
    Assign,
    AssignBlock,
    Block,
    Body,
    Call,
    Const,
    Expr,
    Filter,
    For,
    Getattr,
    Getitem,
    If,
    Items,
    Load,
    Macro,
    Name,
    Operation,
    Output,
    Slice,
    Target,
    Test,
)
from assaymark.formats.jinja.parser import parse_template
from assaymark.formats.text import read_text
from assaymark.scanning.documents import template_names as known
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.scanning.content import Content

_MAX_ROUNDS: Final = 8
_MAX_RANGE: Final = 10_000_000
_FIELD: Final = re.compile(r"\{\{|\}\}|\{(?:[A-Za-z0-9]\w*|\d*)(?:![rsa])?(?::[^{}]*)?\}")


class Kind(IntEnum):
    """What an expression may be. Joins take the greater."""

    NUMBER = 0
    PART = 1  # of what the template is given, or a harmless literal, as it is
    COMPUTED = 2  # text that the template puts together


def scan_template(content: Content) -> None:
    """A template in a file of its own, or a member of a container that holds one."""
    try:
        text = read_text(content.view).removeprefix(b"\xef\xbb\xbf").decode()
    except InputError as error:
        content.notes.finding("template-unreadable", f"not text: {error.message}", member=content.member)
        return
    if judge_template(content, text):
        content.notes.saw("jinja", content.member)


def judge_template(content: Content, text: str, where: str = "") -> bool:
    """Note what is found in a template; ``where`` names its place in the file. Whether it could be read."""
    try:
        body = parse_template(text)
        judge = _Judge(content, where)
        judge.template(body)
    except InputError as error:
        place = f"{where}: " if where else ""
        message = (
            f"{place}{shown(error.message)} ({error.position or 'the whole of it'}): engines may read it differently"
        )
        content.notes.finding("template-unreadable", message, member=content.member)
        return False
    return True


class _Judge:
    def __init__(self, content: Content, where: str) -> None:
        self._content = content
        self._where = where
        self._kinds: dict[str, Kind] = {}
        self._macros: set[str] = set()
        self._parameters: dict[str, list[tuple[str, ...]]] = {}
        self._grown = Kind.NUMBER  # of what is put into lists and dicts, by whatever name they are reached
        self._kept = Kind.PART  # by any namespace, under any name
        self._known: dict[int, Kind] = {}  # kinds of the nodes of this round: none is looked at twice
        self._quiet = True
        self._said: set[str] = set()

    def template(self, body: Body) -> None:
        """Follow the kinds until nothing changes, then say what is found."""
        self._collect(body)
        before: dict[str, Kind] = {}
        for _ in range(_MAX_ROUNDS):
            self._known.clear()
            self._body(body)
            now = self._kinds | {"": self._grown}
            if before == now:
                break
            before = now
        else:
            self._kinds = dict.fromkeys(self._kinds, Kind.COMPUTED)
        self._quiet = False
        self._known.clear()
        self._body(body)

    def _found(self, rule: str, line: int, message: str, severity: Severity | None = None) -> None:
        if self._quiet or message in self._said:
            return
        self._said.add(message)
        place = f"{self._where}, " if self._where else ""
        self._content.notes.finding(
            rule,
            f"{place}line {line}: {message}",
            member=self._content.member,
            line=None if self._where else line,
            severity=severity,
        )

    def _escape(self, line: int, message: str) -> None:
        self._found("template-escape", line, message)

    def _unknown(self, line: int, message: str) -> None:
        self._found("template-unknown", line, message)

    # -- names

    def _collect(self, body: Body) -> None:
        """Names that the template gives to macros, at any depth."""
        for statement in body:
            match statement:
                case Macro(name=name, parameters=parameters):
                    self._macros.add(name)
                    self._parameters.setdefault(name, []).append(parameters)
            for inner in _bodies(statement):
                self._collect(inner)

    def _learn(self, name: str, kind: Kind) -> None:
        self._kinds[name] = max(self._kinds.get(name, Kind.NUMBER), kind)
        if name.startswith("."):
            self._kept = max(self._kept, kind)

    def _bind(self, target: Target | Expr, kind: Kind, line: int) -> None:
        match target:
            case Name(name=name):
                if name.startswith("__"):
                    self._escape(line, f"sets {shown(name)}, a name that Python keeps for itself")
                self._learn(name, kind)
            case Getattr(name=name):
                self._attribute(name, line)
                self._learn(f".{name}", kind)
            case Items(items=items):
                for item in items:
                    self._bind(item, kind, line)

    # -- statements

    def _body(self, body: Body) -> None:  # noqa: C901, PLR0912 - one case a statement
        for statement in body:
            match statement:
                case Output(value=value):
                    self._kind(value)
                case For(target=target, items=items, condition=condition):
                    kind = self._kind(items)
                    if condition is not None:
                        self._kind(condition)
                    self._bind(target, kind, statement.line)
                case If(branches=branches):
                    for test, _ in branches:
                        self._kind(test)
                case Assign(target=target, value=value):
                    self._bind(target, self._kind(value), statement.line)
                case AssignBlock(target=target, filter=head):
                    if head is not None:
                        self._kind(head)
                    self._bind(target, Kind.COMPUTED, statement.line)
                case Macro():
                    self._macro(statement)
                case Block(values=values):
                    for value in values:
                        self._kind(value)
                case Load(kind=kind_, template=template):
                    fixed = isinstance(template, Const)
                    self._kind(template)
                    what = f"{shown(str(template.value))!r}" if isinstance(template, Const) else "a computed name"
                    severity = Severity.HIGH if fixed else Severity.CRITICAL
                    self._found(
                        "template-escape",
                        statement.line,
                        f"{kind_} reads and runs another template, {what}",
                        severity,
                    )
            for inner in _bodies(statement):
                self._body(inner)

    def _macro(self, macro: Macro) -> None:
        if macro.name.startswith("__"):
            self._escape(macro.line, f"defines {shown(macro.name)}, a name that Python keeps for itself")
        if macro.call is not None:
            self._kind(macro.call)
            for parameter in macro.parameters:
                self._bind(Name(macro.line, parameter), Kind.COMPUTED, macro.line)
        for parameter in macro.parameters:
            self._bind(Name(macro.line, parameter), Kind.NUMBER, macro.line)
        for parameter, default in zip(macro.parameters[::-1], macro.defaults[::-1], strict=False):
            self._bind(Name(macro.line, parameter), self._kind(default), macro.line)

    # -- expressions

    def _kinds_of(self, items: Iterable[Expr]) -> Kind:
        return max(map(self._kind, items), default=Kind.NUMBER)

    def _kind(self, node: Expr) -> Kind:
        """The kind of an expression; what is found in it is noted."""
        kind = self._known.get(id(node))
        if kind is None:
            kind = self._known[id(node)] = self._kind_of(node)
        return kind

    def _kind_of(self, node: Expr) -> Kind:
        match node:
            case Const(value=value):
                if not isinstance(value, str):
                    return Kind.NUMBER
                return Kind.COMPUTED if known.holds_way_out(value) else Kind.PART
            case Name(name=name, line=line):
                return self._name(name, line)
            case Getattr(node=inner, name=name, line=line):
                return self._member(inner, name, line)
            case Getitem(node=inner, key=key, line=line):
                return self._item(inner, key, line)
            case Slice(parts=parts):
                return self._kinds_of(parts)
            case Items(items=items):
                return max(Kind.PART, self._kinds_of(items), self._grown)
            case Call():
                return self._call(node)
            case Filter():
                return self._filter(node)
            case Test():
                return self._test(node)
            case Operation():
                return self._operation(node)

    def _name(self, name: str, line: int) -> Kind:
        if name.startswith("__"):
            self._escape(line, f"reads {shown(name)}, a name that Python keeps for itself")
        elif name in known.LEADING and name not in self._kinds:
            if name not in _PLAIN:
                self._escape(line, f"reads {name}, an object that leads to Python's modules")
        elif name in self._macros or name in known.FUNCTIONS or name in ("varargs", "kwargs"):
            return Kind.COMPUTED
        if name.endswith(("_token", "_tokens")):  # whoever wrote the template wrote these too
            return Kind.COMPUTED
        kind = self._kinds.get(name, Kind.PART)
        return kind if kind is Kind.NUMBER else max(kind, self._grown)

    def _attribute(self, name: str, line: int) -> None:
        if known.leads_out(name):
            self._escape(
                line, f"reaches for the attribute {shown(name)}, which leads to Python's classes and modules"
            )

    def _member(self, inner: Expr, name: str, line: int) -> Kind:
        self._attribute(name, line)
        if isinstance(inner, Name):
            if inner.name == "loop" and "loop" not in self._kinds:
                return Kind.NUMBER if name in known.LOOP_NUMBERS else Kind.COMPUTED
            self._framework(inner, name, line)
            kind = self._kind(inner)
            return Kind.COMPUTED if kind is Kind.COMPUTED else self._kinds.get(f".{name}", Kind.PART)
        kind = self._kind(inner)
        return Kind.COMPUTED if kind is Kind.COMPUTED else max(kind, self._kinds.get(f".{name}", Kind.PART))

    def _framework(self, inner: Expr, name: str, line: int) -> None:
        if isinstance(inner, Name) and inner.name in _PLAIN and inner.name not in self._kinds:
            message = f"reads {inner.name}.{shown(name)}, of a web framework"
            self._found("template-escape", line, message, Severity.HIGH)

    def _item(self, inner: Expr, key: Expr, line: int) -> Kind:
        kind = self._kind(inner)
        if isinstance(key, Const) and isinstance(key.value, str):
            self._attribute(key.value, line)
            return max(kind, Kind.PART, self._kinds.get(f".{key.value}", Kind.PART))
        key_kind = self._kind(key)
        if isinstance(key, Slice):
            return Kind.COMPUTED if key.stepped else max(kind, Kind.PART)
        if key_kind is Kind.COMPUTED:
            self._escape(line, "reaches for an attribute or item whose name the template puts together")
        elif key_kind is Kind.PART and kind is Kind.COMPUTED and not isinstance(inner, Items):
            self._unknown(line, "reaches for an attribute of a computed value by a name that comes from outside")
        return max(kind, Kind.PART if key_kind is Kind.NUMBER else self._kept)

    def _call(self, node: Call) -> Kind:
        line = node.line
        kind = self._arguments(node.arguments)
        match node.node:
            case Name(name=name):
                return self._call_name(name, node.arguments, kind, line)
            case Getattr(node=inner, name="format"):
                self._kind(inner)
                self._format(inner, line)
                return Kind.COMPUTED
            case Getattr(node=inner, name=name):
                self._attribute(name, line)
                self._framework(inner, name, line)
                base = self._kind(inner)
                if name not in known.METHODS and not known.leads_out(name):
                    self._unknown(line, f"calls the method {shown(name)}, which is not known to be harmless")
                if f".{name}" in self._kinds:
                    self._unknown(line, f"calls {shown(name)}, which the template has set to a value")
                if name in known.NUMERIC_METHODS:
                    return Kind.NUMBER
                if name in known.PART_METHODS:
                    return max(base, kind)
                if name in ("append", "extend", "insert", "update", "setdefault"):
                    self._grown = max(self._grown, kind)
                return Kind.COMPUTED
            case other:
                self._kind(other)
                self._escape(line, "calls something that is no named function: the result of an expression")
                return Kind.COMPUTED

    def _call_name(self, name: str, arguments: Arguments, kind: Kind, line: int) -> Kind:
        if name in self._macros and name not in self._kinds:
            self._hand_over(name, arguments, kind)
            return Kind.COMPUTED
        if name in known.LEADING or name.startswith("__"):
            self._escape(line, f"calls {shown(name)}, which leads to Python's modules")
        elif name not in known.FUNCTIONS:
            self._unknown(line, f"calls {shown(name)}, which is no function of the environment")
        elif name in self._kinds:
            self._unknown(line, f"calls {shown(name)}, which the template has set to a value")
        elif name == "loop" and kind is Kind.COMPUTED:
            self._unknown(line, "goes through a computed value again")
        if name == "namespace":
            if arguments.spread:
                self._unknown(line, "makes a namespace of names that it computes")
            for key, value in arguments.named:
                self._attribute(key, line)
                self._learn(f".{key}", self._kind(value))
            return Kind.PART
        if name == "range":
            self._range(arguments, line)
            return Kind.NUMBER
        if name == "dict":
            return Kind.COMPUTED if any(known.leads_out(key) for key, _ in arguments.named) else max(kind, Kind.PART)
        return Kind.COMPUTED

    def _hand_over(self, name: str, arguments: Arguments, kind: Kind) -> None:
        """The parameters of a macro take on the kinds of its arguments."""
        many = self._parameters[name]
        parameters = many[0] if len(many) == 1 and not arguments.spread else None
        if parameters is None:
            for parameter in (parameter for some in many for parameter in some):
                self._learn(parameter, kind)
            return
        for parameter, value in zip(parameters, arguments.positional, strict=False):
            self._learn(parameter, self._kind(value))
        for parameter, value in arguments.named:
            if parameter in parameters:
                self._learn(parameter, self._kind(value))

    def _range(self, arguments: Arguments, line: int) -> None:
        for value in arguments.positional:
            if isinstance(value, Const) and isinstance(value.value, int) and abs(value.value) > _MAX_RANGE:
                self._found("scan-resource", line, f"counts to {value.value:e}: rendering it may never end")

    def _format(self, inner: Expr, line: int) -> None:
        if not (isinstance(inner, Const) and isinstance(inner.value, str)):
            self._escape(line, "formats a text that it computes: its fields may reach any attribute")
        elif "{" in _FIELD.sub("", inner.value) or "}" in _FIELD.sub("", inner.value):
            self._escape(line, f"formats {shown(inner.value)!r}, whose fields reach attributes")

    def _arguments(self, arguments: Arguments) -> Kind:
        kinds = [self._kind(value) for value in (*arguments.positional, *arguments.spread)]
        kinds += [self._kind(value) for _, value in arguments.named]
        return max(kinds, default=Kind.NUMBER)

    def _filter(self, node: Filter) -> Kind:
        base = Kind.COMPUTED if node.node is None else self._kind(node.node)
        kind = self._arguments(node.arguments)
        name, line = node.name, node.line
        if name in ("attr", "format"):
            self._filter_out(node)
        elif name not in known.FILTERS:
            self._unknown(line, f"uses the filter {shown(name)}, which is not known to be harmless")
        base = max(base, self._attribute_paths(node))
        if name in known.NUMERIC and kind is Kind.NUMBER:
            return Kind.NUMBER
        if name in known.NAMES_FILTER | known.NAMES_TEST:
            return self._by_name(node, base)
        return max(base, kind) if name in known.PARTS else Kind.COMPUTED

    def _filter_out(self, node: Filter) -> None:
        if node.name == "attr":
            first = node.arguments.positional[:1]
            name = first[0].value if first and isinstance(first[0], Const) else None
            what = f"{shown(name)!r}" if isinstance(name, str) else "a computed name"
            self._escape(node.line, f"the filter attr reaches for the attribute {what}")
        elif not isinstance(node.node, Const):
            self._escape(node.line, "the filter format is used on a text that the template computes")

    def _attribute_paths(self, node: Filter) -> Kind:
        """Check the attributes that a filter reads; the kind of what the template itself keeps there."""
        kind = Kind.NUMBER
        if node.name not in known.BY_ATTRIBUTE:
            return kind
        paths = [value for key, value in node.arguments.named if key == "attribute"]
        if node.name in known.ATTRIBUTE_FIRST:
            paths += node.arguments.positional[:1]
        elif node.name in ("sum", "join", "unique", "sort", "max", "min"):
            paths += [value for value in node.arguments.positional[1:] if not isinstance(value, Const)]
            paths += [v for v in node.arguments.positional if isinstance(v, Const) and isinstance(v.value, str)][1:]
        if node.arguments.spread:
            self._escape(node.line, f"the filter {node.name} takes arguments that are computed")
        for path in paths:
            if not isinstance(path, Const):
                if self._kind(path) is not Kind.NUMBER:
                    self._escape(node.line, f"the filter {node.name} reaches for an attribute of a computed name")
            elif isinstance(path.value, str):
                for part in path.value.replace(",", ".").split("."):
                    self._attribute(part, node.line)
                    kind = max(kind, self._kinds.get(f".{part}", kind))
        return kind

    def _by_name(self, node: Filter, base: Kind) -> Kind:
        """``map``, ``select`` and ``reject`` take a filter or a test by its name."""
        first = node.arguments.positional[:1]
        if not first:
            return base
        allowed = known.FILTERS if node.name in known.NAMES_FILTER else known.TESTS
        name = first[0].value if isinstance(first[0], Const) else None
        if name not in allowed:
            what = f"{shown(str(name))!r}" if isinstance(first[0], Const) else "a computed name"
            self._escape(node.line, f"the filter {node.name} applies {what}")
        if node.name in known.NAMES_TEST:
            return base
        return Kind.NUMBER if name in known.NUMERIC else base if name in known.PARTS else Kind.COMPUTED

    def _test(self, node: Test) -> Kind:
        if not (isinstance(node.node, Name) and node.node.name in known.LEADING | self._macros):
            self._kind(node.node)  # "is defined" of a name reads nothing of it
        self._arguments(node.arguments)
        if node.name not in known.TESTS:
            self._unknown(node.line, f"uses the test {shown(node.name)}, which is not known to be harmless")
        return Kind.NUMBER

    def _operation(self, node: Operation) -> Kind:
        kinds = [self._kind(operand) for operand in node.operands]
        match node.operator:
            case "compare" | "not":
                return Kind.NUMBER
            case "if":
                return max(kinds[1:])
            case "and" | "or":
                return max(kinds)
            case "-" | "/" | "//" | "**" | "neg" | "pos":
                return Kind.NUMBER
            case "+":
                lists = all(isinstance(operand, Items) for operand in node.operands[1:])
                if any(map(_is_number, node.operands)):
                    return Kind.NUMBER
                return max(kinds) if lists else Kind.COMPUTED
            case "%":
                left = node.operands[0]
                if kinds[0] is Kind.COMPUTED and kinds[1] is not Kind.NUMBER and not isinstance(left, Const):
                    self._found("template-escape", node.line, "formats a text that it computes", Severity.HIGH)
                return Kind.NUMBER if _is_number(left) else Kind.COMPUTED
            case "*":
                return Kind.NUMBER if all(map(_is_number, node.operands)) else Kind.COMPUTED
        return Kind.COMPUTED


# Names of web frameworks that people also give to their own variables: reading an attribute tells them apart.
_PLAIN: Final = frozenset(
    ("config", "request", "session", "g", "application", "environ", "import", "open", "os", "sys")
)


def _is_number(node: Expr) -> bool:
    """Whether this is a number whatever the variables hold: what is added to it is one too."""
    match node:
        case Const(value=value):
            return not isinstance(value, str)
        case Getattr(node=Name(name="loop"), name=name):
            return name in known.LOOP_NUMBERS
        case Filter(name=name, arguments=Arguments(positional=(), named=(), spread=())):
            return name in known.NUMERIC
        case Operation(operator=operator, operands=operands):
            return operator in ("-", "/", "//", "**") or (operator in "+*%" and any(map(_is_number, operands[:1])))
    return False


def _bodies(statement: object) -> tuple[Body, ...]:
    match statement:
        case For(body=body, otherwise=otherwise):
            return (body, otherwise)
        case If(branches=branches, otherwise=otherwise):
            return (*(body for _, body in branches), otherwise)
        case AssignBlock(body=body) | Macro(body=body) | Block(body=body):
            return (body,)
    return ()
