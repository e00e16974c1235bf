"""``evaluate``: the value of an HCL expression within a scope; what cannot be known becomes ``Unresolved``.

Nothing is guessed: a variable without a value, a data source that asks a cloud, a function that is not known leave a
hole, and a text around a hole keeps what is known of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from assaymark.assess.terraform.functions import FUNCTIONS, CannotError
from assaymark.assess.unresolved import HOLE, Unresolved, pattern_of
from assaymark.assess.values import natural, text_of
from assaymark.core.limits import TERRAFORM_MAX_VALUES
from assaymark.formats.hcl import tree
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Lazy(Protocol):
    """A value whose attributes are computed when asked for: a resource, a module, ``local``, ``var``."""

    def attribute(self, name: str) -> Any:
        """The value of an attribute."""

    def element(self, key: Any) -> Any:
        """An instance by index or key."""

    def every(self) -> Any:
        """What a splat or a loop goes over: a ``Seq`` or ``Map``; None when that is not known."""


class Scope(Protocol):
    """Where names are looked up. ``path`` is the file that is evaluated."""

    def name(self, name: str) -> Any:
        """The value of a root name; ``Unresolved`` when there is none."""

    def call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """A function that needs the files: ``file``, ``templatefile``; raises ``CannotError``."""


class Within:
    """A scope with names of its own before: ``each``, ``count``, a dynamic block's, a template's, a loop's."""

    def __init__(self, outer: Scope, names: Mapping[str, Any]) -> None:
        self._outer = outer
        self._names = names

    def name(self, name: str) -> Any:
        """A name of its own, else the outer scope's."""
        return self._names[name] if name in self._names else self._outer.name(name)

    def call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """A function that the outer scope has."""
        return self._outer.call(name, arguments)


def evaluate(expression: tree.Expression, scope: Scope) -> Any:
    """The value; ``Map`` and ``Seq`` know their lines."""
    return _EVALUATE[type(expression)](expression, scope)


def _literal(node: tree.Literal, _scope: Scope) -> Any:
    return node.value


def _template(node: tree.Template, scope: Scope) -> Any:
    texts: list[str] = []
    patterns: list[str] = []
    for part in node.parts:
        value = part.value if isinstance(part, tree.Literal) else evaluate(part, scope)
        if len(node.parts) == 1 and isinstance(value, (Map, Seq, bool, int, float)):
            return value  # "${x}" alone is x itself
        text = text_of(value)
        if value is None:
            text = ""
        texts.append(shown(part) if text is None or (isinstance(value, Unresolved) and value == "") else text)
        patterns.append(HOLE if text is None else pattern_of(text))
    text, pattern = "".join(texts), "".join(patterns)
    return Unresolved(text, pattern) if HOLE in pattern else text


def _name(node: tree.Name, scope: Scope) -> Any:
    return scope.name(node.name)


def _attribute(node: tree.Attribute, scope: Scope) -> Any:
    return attribute(evaluate(node.of, scope), node.name, node)


def attribute(value: Any, name: str, node: tree.Expression) -> Any:
    """An attribute of a value."""
    if isinstance(value, Map):
        return value[name] if name in value else _open(node)
    if hasattr(value, "attribute"):
        return value.attribute(name)
    if isinstance(value, Unresolved):
        return Unresolved(f"{_bare(value)}.{name}".join(("${", "}")))
    if isinstance(value, Seq) and len(value) == 1:  # a block that occurs once
        return attribute(value[0], name, node)
    return _open(node)


def _bare(value: str) -> str:
    return value[2:-1] if value.startswith("${") and value.endswith("}") else value


def _index(node: tree.Index, scope: Scope) -> Any:
    value, key = evaluate(node.of, scope), evaluate(node.key, scope)
    if isinstance(key, Unresolved):
        return _open(node)
    if isinstance(value, Map):
        text = text_of(key)
        return value[text] if text is not None and text in value else _open(node)
    if isinstance(value, Seq):
        number = natural(text_of(key))
        if number is not None and number < len(value):
            return value[number]
        return _open(node)
    if hasattr(value, "element"):
        return value.element(key)
    return _open(node)


def _splat(node: tree.Splat, scope: Scope) -> Any:
    value = evaluate(node.of, scope)
    if hasattr(value, "every"):
        value = value.every()
    if isinstance(value, Unresolved) or (value is None and isinstance(node.of, tree.Name)):
        return _open(node)
    items = list(value) if isinstance(value, Seq) else [] if value is None else [value]
    found = Seq(node.line)
    for item in items:
        found.put(evaluate(node.each, Within(scope, {"": item})), node.line)
    return found


def _call(node: tree.Call, scope: Scope) -> Any:
    if node.name == "try":
        return _try(node, scope)
    arguments = [evaluate(argument, scope) for argument in node.arguments]
    arguments = [item.every() if hasattr(item, "every") else item for item in arguments]
    if node.expand and arguments:
        last = arguments.pop()
        if not isinstance(last, Seq):
            return _open(node)
        arguments += last
    if node.name in ("jsonencode", "yamlencode") and len(arguments) == 1:
        return FUNCTIONS[node.name](arguments[0]) if not isinstance(arguments[0], Unresolved) else arguments[0]
    try:
        function = FUNCTIONS.get(node.name)
        if function is None:
            return scope.call(node.name, tuple(arguments))
        if node.name in ("join", "format") and any(isinstance(item, Unresolved) for item in _flat(arguments)):
            return _with_holes(function, arguments)
        if node.name == "urlencode" and len(arguments) == 1 and isinstance(arguments[0], Unresolved):
            return Unresolved(arguments[0], HOLE.join(map(function, arguments[0].pattern.split(HOLE))))
        if any(isinstance(item, Unresolved) for item in arguments) or (
            node.name not in _STRUCTURAL and any(isinstance(item, Unresolved) for item in _flat(arguments))
        ):
            return _open(node)
        return function(*arguments)
    except (CannotError, ValueError, TypeError, IndexError, KeyError, OverflowError, ArithmeticError):
        return _open(node)


# Functions that move values about without looking at them: an open one stays open within.
_STRUCTURAL: Final = frozenset(
    (
        *(
            "coalesce",
            "concat",
            "merge",
            "flatten",
            "element",
            "lookup",
            "values",
            "keys",
            "tolist",
            "toset",
            "tomap",
        ),
        *("distinct", "compact", "reverse", "slice", "one", "length", "zipmap", "sensitive", "nonsensitive"),
        *("setunion", "try"),
    )
)


def _flat(values: list[Any]) -> list[Any]:
    return [item for value in values for item in (value if isinstance(value, Seq) else [value])]


def _with_holes(function: Callable[..., Any], arguments: list[Any]) -> Any:
    """``join`` and ``format`` with open texts: once as they are shown, once as patterns."""

    def patterns(value: Any) -> Any:
        if isinstance(value, Seq):
            found = Seq(value.line)
            for item in value:
                found.put(pattern_of(item) if isinstance(item, str) else item, value.line)
            return found
        return pattern_of(value) if isinstance(value, str) else value

    return Unresolved(str(function(*arguments)), str(function(*map(patterns, arguments))))


def _try(node: tree.Call, scope: Scope) -> Any:
    for argument in node.arguments[:-1]:
        value = evaluate(argument, scope)
        if not isinstance(value, Unresolved):
            return value
    return evaluate(node.arguments[-1], scope) if node.arguments else None


def _operation(node: tree.Operation, scope: Scope) -> Any:
    if node.operator == "?":
        return _conditional(node, scope)
    if node.operator in ("&&", "||"):
        return _logical(node, scope)
    values = [evaluate(operand, scope) for operand in node.operands]
    if any(isinstance(value, Unresolved) or hasattr(value, "attribute") for value in values):
        return _open(node)
    if node.operator == "==":
        return _equal(values[0], values[1])
    if node.operator == "!=":
        return not _equal(values[0], values[1])
    if node.operator == "!":
        return not values[0] if isinstance(values[0], bool) else _open(node)
    try:
        numbers = [float(value) if not isinstance(value, (int, bool)) else int(value) for value in values]
        result = _ARITHMETIC[node.operator, len(numbers)](*numbers)
    except (TypeError, ValueError, ArithmeticError, KeyError):
        return _open(node)
    return int(result) if isinstance(result, float) and result.is_integer() else result


_ARITHMETIC: Final[dict[tuple[str, int], Callable[..., Any]]] = {
    ("+", 2): lambda a, b: a + b,
    ("-", 2): lambda a, b: a - b,
    ("*", 2): lambda a, b: a * b,
    ("/", 2): lambda a, b: a / b,
    ("%", 2): lambda a, b: a % b,
    ("-", 1): lambda a: -a,
    ("<", 2): lambda a, b: a < b,
    ("<=", 2): lambda a, b: a <= b,
    (">", 2): lambda a, b: a > b,
    (">=", 2): lambda a, b: a >= b,
}


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    return bool(left == right)


def _logical(node: tree.Operation, scope: Scope) -> Any:
    decides = node.operator == "||"  # the value of either side that settles it
    values = [evaluate(operand, scope) for operand in node.operands]
    if any(isinstance(value, bool) and value is decides for value in values):
        return decides
    return not decides if all(isinstance(value, bool) for value in values) else _open(node)


def _conditional(node: tree.Operation, scope: Scope) -> Any:
    condition = evaluate(node.operands[0], scope)
    if condition in ("true", "false"):
        condition = condition == "true"
    if isinstance(condition, bool):
        return evaluate(node.operands[1 if condition else 2], scope)
    yes, no = evaluate(node.operands[1], scope), evaluate(node.operands[2], scope)
    return yes if not isinstance(yes, (Map, Seq)) and not hasattr(yes, "attribute") and yes == no else _open(node)


def _tuple(node: tree.Tuple, scope: Scope) -> Any:
    found = Seq(node.line)
    for item in node.items:
        found.put(evaluate(item, scope), item.line)
    return found


def _object(node: tree.Object, scope: Scope) -> Any:
    found = Map(node.line)
    for key, value in node.items:
        name = text_of(evaluate(key, scope))
        found.put(shown(key) if name is None else name, evaluate(value, scope), key.line)
    return found


def _for(node: tree.For, scope: Scope) -> Any:
    over = evaluate(node.of, scope)
    if hasattr(over, "every"):
        over = over.every()
    if isinstance(over, Map):
        pairs: list[tuple[Any, Any]] = list(over.items())
    elif isinstance(over, Seq):
        pairs = list(enumerate(over))
    else:
        return _open(node)
    found: Map | Seq = Seq(node.line) if node.key is None else Map(node.line)
    for key, value in pairs[:TERRAFORM_MAX_VALUES]:
        names = {node.names[-1]: value} if len(node.names) == 1 else {node.names[0]: key, node.names[1]: value}
        if not _one(node, Within(scope, names), found):
            return _open(node)
    return found


def _one(node: tree.For, inner: Scope, found: Map | Seq) -> bool:
    """One round of a loop; whether it could be resolved."""
    if node.condition is not None:
        wanted = evaluate(node.condition, inner)
        if not isinstance(wanted, bool):
            return False
        if not wanted:
            return True
    result = evaluate(node.result, inner)
    if isinstance(found, Seq):
        found.put(result, node.result.line)
        return True
    name = text_of(evaluate(node.key, inner)) if node.key is not None else None
    if name is None:
        return False
    if node.group:
        if name not in found:
            found.put(name, Seq(node.line), node.line)
        found[name].put(result, node.line)
    else:
        found.put(name, result, node.line)
    return True


def _open(node: tree.Expression) -> Unresolved:
    return Unresolved("${" + _bare(shown(node)) + "}")


def shown(node: tree.Expression) -> str:
    """An expression for people, as it is written, shortened where it is long."""
    match node:
        case tree.Name(name=name):
            return name
        case tree.Attribute(of=of, name=name):
            return f"{shown(of)}.{name}"
        case tree.Index(of=of, key=key):
            return f"{shown(of)}[{shown(key)}]"
        case tree.Splat(of=of, each=each):
            return f"{shown(of)}[*]{shown(each)}"
        case tree.Call(name=name, arguments=arguments):
            return f"{name}({', '.join(shown(item) for item in arguments[:2])})"
        case tree.Literal(value=value):
            return f'"{value}"' if isinstance(value, str) else str(value).lower()
        case tree.Template(parts=parts):
            texts = (str(p.value) if isinstance(p, tree.Literal) else "${" + shown(p) + "}" for p in parts)
            return '"' + "".join(texts) + '"'
        case tree.Operation(operator=operator, operands=operands) if len(operands) == 2:  # noqa: PLR2004 - binary
            return f"{shown(operands[0])} {operator} {shown(operands[1])}"
        case tree.Operation(operator="?", operands=operands):
            return f"{shown(operands[0])} ? ..."
        case _:
            return "..."


_EVALUATE: Final[dict[type, Callable[[Any, Scope], Any]]] = {
    tree.Literal: _literal,
    tree.Template: _template,
    tree.Name: _name,
    tree.Attribute: _attribute,
    tree.Index: _index,
    tree.Splat: _splat,
    tree.Call: _call,
    tree.Operation: _operation,
    tree.Tuple: _tuple,
    tree.Object: _object,
    tree.For: _for,
}
