"""RBAC as formulas over a request: verb, group, resource with its part, name, namespace, or a path of no resource.

Nothing of RBAC is left open: rules only add, and all that they say is in the formulas.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.default_roles import BUILT_IN
from assaymark.assess.kubernetes.needs import words
from assaymark.assess.kubernetes.rbac import Request, Rule, permits
from assaymark.assess.proofs import Language
from assaymark.assess.rewrite import Example
from assaymark.core.graph import State
from assaymark.solve.formula import TRUE, And, Like, Not, Or

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from assaymark.solve.formula import Formula, Value

_PATH: Final = Like("of", "path", plain=True)  # the request is for a path that is of no resource
_VERBS: Final = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
_NAMED: Final = ("get", "update", "patch", "delete")  # always of one object


def language(rules: Iterable[Rule]) -> Language[Rule, Request]:
    """How rules are asked about; examples have the names that these rules have."""
    return Language(_allows, _form(), _readable(list(rules)), _requests, _state, _shown, _smaller)


def _is(name: str, value: str) -> Formula:
    return Like(name, value, plain=True)


def _allows(rules: Sequence[Rule]) -> Formula:
    return Or(tuple(_rule(rule) for rule in rules))


def _rule(rule: Rule) -> Formula:
    verbs = _one_of("verb", rule.verbs)
    groups = _one_of("group", rule.groups)
    place = _is("namespace", rule.namespace) if rule.namespace else TRUE
    names = Or(tuple(_is("name", one) for one in rule.names)) if rule.names else TRUE
    of_objects = And((Not(_PATH), place, verbs, groups, Or(tuple(map(_resource, rule.resources))), names))
    if rule.namespace or not rule.urls:
        return of_objects
    paths = Or(tuple(Like("url", one, plain=not one.endswith("*")) if one != "*" else TRUE for one in rule.urls))
    return Or((of_objects, And((_PATH, verbs, paths))))


def _one_of(name: str, values: Sequence[str]) -> Formula:
    return TRUE if "*" in values else Or(tuple(_is(name, one) for one in values))


def _resource(value: str) -> Formula:
    """A resource and its part are two texts, so that nothing but equality is asked of either."""
    if value == "*":
        return TRUE
    kind, _, part = value.partition("/")
    return _is("part", part) if kind == "*" and part else And((_is("resource", kind), _is("part", part)))


def _form() -> Formula:
    """What every request is like: some words are there, and what creates or deletes a collection has no name."""
    nameless = Or((And((_is("verb", "create"), _is("part", ""))), _is("verb", "deletecollection")))
    of_object = And((Not(_PATH), Not(_is("resource", "")), Or((Not(nameless), _is("name", "")))))
    return And((Not(_is("verb", "")), Or((of_object, And((_PATH, Not(_is("url", ""))))))))


def _readable(rules: Sequence[Rule]) -> Formula:
    """Requests that could be sent: real verbs and resources, and names that are mentioned or none."""
    kinds = {
        (group, what)
        for some in BUILT_IN.values()
        for groups, resources, _ in some
        for group in groups
        for what in resources
    }
    kinds |= {(group, what) for rule in rules for group in rule.groups for what in rule.resources}
    kinds = {(group, what) for group, what in kinds if "*" not in group + what}
    kinds |= {("example.com", "widgets")}
    verbs = {*_VERBS, *(verb for rule in rules for verb in rule.verbs if verb != "*")}
    names = {"", "example", *(name for rule in rules for name in rule.names)}
    places = {"", "example", *(rule.namespace for rule in rules)}
    paths = {"/example", *(path.replace("*", "example") for rule in rules for path in rule.urls)}
    of_object = And(
        (
            Not(_PATH),
            Or(tuple(And((_is("group", group), _resource(what))) for group, what in sorted(kinds))),
            Or(tuple(_is("verb", one) for one in sorted(verbs))),
            Or(tuple(_is("name", one) for one in sorted(names))),
            Or(tuple(_is("namespace", one) for one in sorted(places))),
            Not(And((Or(tuple(_is("verb", one) for one in _NAMED)), _is("name", "")))),
        )
    )
    of_path = And((_PATH, _is("verb", "get"), Or(tuple(_is("url", one) for one in sorted(paths)))))
    return Or((of_object, of_path))


def _requests(model: Mapping[str, Value]) -> Iterator[Request]:
    def text(name: str) -> str:
        return str(model.get(name, ""))

    if model.get("of") == "path":
        yield Request(text("verb"), path=text("url") or "/")
    else:
        what = text("resource") + (f"/{text('part')}" if text("part") else "")
        yield Request(text("verb"), text("group"), what, text("name"), text("namespace"))


def _state(rules: Sequence[Rule], request: Request) -> State:
    return State.YES if permits(rules, request) else State.NO


def _shown(request: Request) -> Example:
    return Example(*words(request))


def _smaller(rule: Rule) -> Iterator[tuple[str, Rule | None]]:
    """The rule without one of its values, where there are several; without the last one there is no rule."""
    for field in ("groups", "resources", "verbs", "names", "urls"):
        values: tuple[str, ...] = getattr(rule, field)
        for value in values if len(values) > 1 else ():
            rest = tuple(one for one in values if one != value)
            yield f"{field} {value or 'core'}", replace(rule, **{field: rest})  # type: ignore[arg-type]  # texts
    yield f"the rule in {rule.namespace or 'the whole cluster'}", None
