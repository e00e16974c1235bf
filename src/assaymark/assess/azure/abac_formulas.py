"""``Conditions``: conditions of role assignments as formulas over what a request carries.

Texts are variables, once as they are, once in lower case and once as GUIDs, where operators compare them so. An
attribute that may have several values has as many variables as questions are asked of its values: each question that
some value answers needs one of its own, and what all values answer fewer answer too, so that none is overlooked.
Whether what an attribute that is not there does not equal counts is one flag for all: the documentation does not say.

Source: Azure RBAC, "Azure role assignment condition format and syntax".
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.azure.abac import (
    EACH,
    NUMBERS,
    SUBOPERATION,
    Node,
    attribute_key,
    fits,
    parse_condition,
    scaled,
)
from assaymark.core.errors import InputError
from assaymark.solve.formula import (
    FALSE,
    TRUE,
    And,
    Flag,
    Joined,
    Like,
    Not,
    Or,
    Text,
    Within,
    atoms,
    both,
    either,
    literal,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from assaymark.solve.formula import Formula, Value

_HAS: Final = "has:"
_IS: Final = "text:"
_LOWER: Final = "lower:"
_GUID: Final = "guid:"
_NUMBER: Final = "number:"
_YES: Final = "yes"
_MOST: Final = 8  # values of one attribute; questions about more are left open
_LACKS: Final = Flag("what is not there does not equal anything")
_Sides = tuple["Formula", "Formula"]  # when it is true, and when it is false


class Conditions:
    """Conditions that are asked about together: ``texts`` are all of them."""

    def __init__(self, texts: Iterable[str]) -> None:
        found: set[tuple[str, Node]] = set()
        for text in texts:
            node = _parsed(text)
            found |= set(_set_questions(node)) if node is not None else set()
        self._slots = Counter(attribute for attribute, _ in found)
        self._known: dict[tuple[str, str], Formula] = {}

    def met(self, text: str | None, action: str) -> Formula:
        """When a condition is met by a request for an action; one that cannot be read is a flag."""
        if text is None:
            return TRUE
        key = (text, action.lower())
        if key not in self._known:
            node = _parsed(text)
            self._known[key] = Flag(f"the condition {text}") if node is None else self._sides(node, action)[0]
        return self._known[key]

    def _sides(self, node: Node, action: str) -> _Sides:
        match node:
            case ("and", left, right):
                one, other = self._sides(left, action), self._sides(right, action)
                return both(one[0], other[0]), either(one[1], other[1])
            case ("or", left, right):
                one, other = self._sides(left, action), self._sides(right, action)
                return either(one[0], other[0]), both(one[1], other[1])
            case ("not", inner):
                yes, no = self._sides(inner, action)
                return no, yes
            case ("actionmatches", patterns):
                named = TRUE if any(fits(pattern, action) for pattern in patterns) else FALSE
                return named, Not(named)
            case ("exists" | "not-exists", attribute):
                there = _there(attribute_key(str(attribute)))
                return (there, Not(there)) if node[0] == "exists" else (Not(there), there)
            case ("suboperationmatches", names):
                found = one_of(_LOWER + SUBOPERATION, [str(one).lower() for one in names])
                return found, Not(found)
            case ("compare", operator, attribute, values):
                return self._compared(str(operator), attribute_key(str(attribute)), values) or _open(node)
        return _open(node)

    def _compared(self, operator: str, attribute: str, values: Any) -> _Sides | None:
        across, _, name = operator.lower().rpartition(":")
        negative, base = "not" in name, name.replace("not", "", 1)
        slots = self._slots[attribute]
        if isinstance(values, str):
            if across or base != "stringequals" or slots:
                return None
            other = attribute_key(values)
            same = And((_there(other), Joined(_IS + attribute, (Text(_IS + other),))))
            return _sides_of(attribute, same, negative=negative)
        each_own, each_given = EACH.get(across, (False, False)) if across else (False, False)
        if (across and across not in EACH) or slots > _MOST or (slots and not across):
            return None
        asked: list[tuple[Formula, Formula]] = []  # that a value is there, and what is asked of it
        for slot in range(max(1, slots)):
            found = [_one(base, _slot(attribute, slot), value) for value in values]
            known = [one if not negative else Not(one) for one in found if one is not None]
            if len(known) != len(found):
                return None
            there = TRUE if slot == 0 else _there(_slot(attribute, slot))
            asked.append((there, And(tuple(known)) if each_given else Or(tuple(known))))
        if each_own:
            whole: Formula = And(tuple(Or((Not(there), one)) for there, one in asked))
        else:
            whole = Or(tuple(And((there, one)) for there, one in asked))
        return _sides_of(attribute, whole, negative=negative or each_own, inverted=False)


def _sides_of(attribute: str, found: Formula, *, negative: bool, inverted: bool = True) -> _Sides:
    """Both sides of a comparison. What is not there equals nothing; whether it differs is open."""
    whole = Not(found) if negative and inverted else found
    there = _there(attribute)
    if negative:
        return Or((And((there, whole)), And((Not(there), _LACKS)))), And((there, Not(whole)))
    return And((there, whole)), Or((And((there, Not(whole))), And((Not(there), _LACKS))))


def _open(node: Node) -> _Sides:
    words = repr(node)
    return Flag(words), And((Not(Flag(words)), Flag(f"decided: {words}")))


def _there(attribute: str) -> Formula:
    return Like(_HAS + attribute, _YES, plain=True)


def _slot(attribute: str, slot: int) -> str:
    return f"{attribute}#{slot}" if slot else attribute


def _one(base: str, attribute: str, value: str) -> Formula | None:
    """When one value of an attribute compares so; None for what is not modelled."""
    match base:
        case "stringequals":
            return Like(_IS + attribute, value, plain=True)
        case "stringequalsignorecase" | "boolequals":
            return Like(_LOWER + attribute, value.lower(), plain=True)
        case "stringlike":
            return Like(_IS + attribute, value)
        case "stringlikeignorecase":
            return Like(_LOWER + attribute, value.lower())
        case "stringstartswith":
            return Like(_IS + attribute, f"{literal(value)}*")
        case "stringstartswithignorecase":
            return Like(_LOWER + attribute, f"{literal(value.lower())}*")
        case "guidequals":
            return Like(_GUID + attribute, value.lower().replace("-", ""), plain=True)
    family = next((one for one in NUMBERS if base.startswith(one)), "")
    number = scaled(family, value) if family else None
    if number is None:
        return None
    bounds = {
        "equals": (number, number),
        "lessthan": (None, number - 1),
        "lessthanequals": (None, number),
        "greaterthan": (number + 1, None),
        "greaterthanequals": (number, None),
    }.get(base.removeprefix(family))
    return Within(f"{_NUMBER}{family}:{attribute}", *bounds) if bounds is not None else None


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Node | None:
    try:
        return parse_condition(text)
    except InputError:
        return None


def _set_questions(node: Node) -> Iterator[tuple[str, Node]]:
    """What is asked of the values of attributes that may have several, with the attribute."""
    match node:
        case ("and" | "or", left, right):
            yield from _set_questions(left)
            yield from _set_questions(right)
        case ("not", inner):
            yield from _set_questions(inner)
        case ("compare", operator, attribute, _) if ":" in str(operator):
            yield attribute_key(str(attribute)), node


def links(formula: Formula) -> Formula:
    """What is so of the variables of a formula in any request: a text's lower case and GUID follow from it."""
    named: defaultdict[str, list[Like]] = defaultdict(list)
    for one in dict.fromkeys(atoms(formula)):
        if isinstance(one, Like):
            named[one.name].append(one)
    found: list[Formula] = []
    for name, some in sorted(named.items()):
        attribute = name.removeprefix(_IS)
        if attribute == name:
            continue
        for one in some:
            pattern = one.pattern.lower()
            if _LOWER + attribute in named:
                found.append(Or((Not(one), Like(_LOWER + attribute, pattern, plain=one.plain))))
            if _GUID + attribute in named and one.plain:
                found.append(Or((Not(one), Like(_GUID + attribute, pattern.replace("-", ""), plain=True))))
    return And(tuple(found))


def lies_in(formula: Formula) -> Formula:
    """What the scope says of the names that conditions ask for: of a storage account and of its containers."""
    names = {one.name for one in atoms(formula) if not isinstance(one, Flag)}
    found: list[Formula] = []
    for attribute, (part, before, word) in NAMES.items():
        if _HAS + attribute in names:
            here = And((Like(f"scope.{before}", word, plain=True), Not(Like(f"scope.{part}", "", plain=True))))
            is_it = Joined(_IS + attribute, (Text(f"scope.{part}"),))
            found.append(Or((Not(here), And((_there(attribute), is_it)))))
    return And(tuple(found))


_STORES: Final = "microsoft.storage/storageaccounts"
NAMES: Final = {  # of attributes the part of a scope that has the value, and the part before it with its word
    f"@resource[{_STORES}:name]": (7, 6, "storageaccounts"),
    f"@resource[{_STORES}/blobservices/containers:name]": (11, 10, "containers"),
}


def names_in(scope: str) -> dict[str, str]:
    """The names that a scope has for conditions."""
    parts = [one for one in scope.lower().split("/") if one]
    return {
        attribute: parts[part]
        for attribute, (part, before, word) in NAMES.items()
        if len(parts) > part and parts[before] == word
    }


def carried(model: Mapping[str, Value]) -> Iterator[dict[str, tuple[str, ...]]]:
    """What the request of a model carries, by attribute; nothing for one that it lacks.

    Several times where texts and their lower case are asked about: a model does not say which letters are large.
    """
    for kinds, change in (
        ((_IS, _LOWER, _GUID), str),
        ((_LOWER, _IS, _GUID), str),
        ((_LOWER, _IS, _GUID), str.upper),
    ):
        found: dict[str, tuple[str, ...]] = {}
        for name, value in sorted(model.items()):
            if name.startswith(_HAS) and "#" not in name:
                attribute = name.removeprefix(_HAS)
                found[attribute] = tuple(_values(attribute, model, kinds, change)) if value == _YES else ()
        operation = model.get(_LOWER + SUBOPERATION)
        if isinstance(operation, str):
            found[SUBOPERATION] = (operation,)
        yield found


def _values(
    attribute: str, model: Mapping[str, Value], kinds: tuple[str, ...], change: Callable[[str], str]
) -> Iterator[str]:
    slot = 0
    while slot == 0 or f"{_HAS}{_slot(attribute, slot)}" in model:
        name = _slot(attribute, slot)
        if slot == 0 or model[_HAS + name] == _YES:
            yield _value(name, model, kinds, change)
        slot += 1


def _value(name: str, model: Mapping[str, Value], kinds: tuple[str, ...], change: Callable[[str], str]) -> str:
    for family in NUMBERS:
        if (number := model.get(f"{_NUMBER}{family}:{name}")) is not None:
            return NUMBERS[family].shown(int(number))
    for kind in kinds:
        if isinstance(text := model.get(kind + name), str):
            return change(text) if kind == _LOWER else text
    return ""
