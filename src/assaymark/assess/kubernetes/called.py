"""What code calls of the API server, as needs: the Python client's methods are named by verb and resource.

What the source does not spell out (a namespace, a name) is cut to what the old rules allow, so that a need from code
never asks for more than there was. Source: Kubernetes Python client, API documentation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.needs import EVERYWHERE, action_of, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assaymark.assess.estate.source import CloudCall
    from assaymark.assess.kubernetes.rbac import Rule

_API: Final = re.compile(r"(\w+?)V\d+(?:(?:alpha|beta)\d+)?Api")
_GROUPS: Final = {
    "Core": "",
    "Apps": "apps",
    "Batch": "batch",
    "Autoscaling": "autoscaling",
    "Policy": "policy",
    "RbacAuthorization": "rbac.authorization.k8s.io",
    **{
        name: f"{name.lower()}.k8s.io"
        for name in (
            *("Networking", "Storage", "Coordination", "Apiextensions", "Certificates", "Authentication", "Node"),
            *("Authorization", "Scheduling", "Events", "Discovery", "Admissionregistration", "Apiregistration"),
        )
    },
}
_METHOD: Final = re.compile(
    r"(?P<watch>watch:)?(?P<verb>list|read|get|create|delete_collection|delete|patch|replace|connect_[a-z]+?)_"
    r"(?P<in>namespaced_|cluster_)?(?P<kind>\w+?)(?P<all>_for_all_namespaces)?(?:_with_http_info)?"
)
_VERBS: Final = {"read": ("get",), "replace": ("update",), "delete_collection": ("deletecollection",)}
_CONNECTED: Final = ("get", "create")  # websockets ask for get, SPDY for create, and newer servers for both
_PARTS: Final = re.compile(
    r"(\w+?)_(status|scale|log|exec|attach|portforward|proxy|eviction|binding|token|approval|ephemeralcontainers)"
    r"(?:_with_path)?"
)
_SAME: Final = ("endpoints",)
_CUSTOM: Final = "CustomObjectsApi"
_NAMELESS: Final = ("list", "create", "delete_collection")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A call: ``namespace`` and ``name`` may be patterns; None for all namespaces, and for no name."""

    verbs: tuple[str, ...]
    group: str
    resource: str
    namespace: str | None
    name: str | None


def needed(call: CloudCall, old: Sequence[Rule]) -> set[tuple[str, str]]:
    """Pairs of action and place that a call needs, as far as the old rules allow it; itself where they do not."""
    asked = _asked(call)
    if asked is None:
        return set(_everything(call.service, old))
    found = {(verb, pair) for verb in asked.verbs for rule in old for pair in _common(asked, verb, rule)}
    verbs = {verb for verb, _ in found} or {asked.verbs[0]}
    written = {verb: action_of(verb, asked.group, asked.resource) for verb in verbs}
    if not found:
        place = place_of(_known(asked.namespace), _known(asked.name))
        return {(written[asked.verbs[0]], place)}
    return {(written[verb], place) for verb, place in found}


def _known(text: str | None) -> str:
    return text if text is not None and "*" not in text else ""


def _asked(call: CloudCall) -> _Asked | None:
    """What a call asks; None where that is not told."""
    match = _METHOD.fullmatch(call.operation)
    if match is None:
        return None
    word = match["verb"]
    verbs = _CONNECTED if word.startswith("connect_") else _VERBS.get(word, (word,))
    verbs = ("watch",) if match["watch"] else verbs
    names = ([] if word in _NAMELESS and not _PARTS.fullmatch(match["kind"]) else ["name"]) + (
        ["namespace"] if match["in"] == "namespaced_" else []
    )
    if call.service == _CUSTOM:
        names = [
            "group",
            "version",
            *[one for one in names if one == "namespace"],
            "plural",
            *(["name"] if "name" in names else []),
        ]
    given = {
        name: call.parameters.get(name, call.parameters.get(str(index), "*")) for index, name in enumerate(names)
    }
    kind, part = match["kind"], _PARTS.fullmatch(match["kind"])
    kind, rest = (part[1], f"/{part[2]}") if part is not None else (kind, "")
    if call.service == _CUSTOM:
        group, resource = given["group"], given.get("plural", "*")
        if kind != "custom_object" or "*" in group or "*" in resource:
            return None
    else:
        api = _API.fullmatch(call.service)
        if api is None or api[1] not in _GROUPS:
            return None
        group, resource = _GROUPS[api[1]], _plural(kind)
    namespace = None if match["all"] or match["in"] != "namespaced_" else given["namespace"]
    return _Asked(verbs, group, f"{resource}{rest}", namespace, given.get("name"))


def _plural(kind: str) -> str:
    word = kind.replace("_", "")
    if word in _SAME:
        return word
    if word.endswith(("s", "x", "ch")):
        return f"{word}es"
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}s"


def _common(asked: _Asked, verb: str, rule: Rule) -> Iterator[str]:
    """The places that a call may mean and a rule allows."""
    if not rule.allows(verb, asked.group, asked.resource):
        return
    if asked.namespace is None:
        if rule.namespace:
            return
        places = [EVERYWHERE]
    elif "*" not in asked.namespace:
        places = [asked.namespace] if rule.namespace in ("", asked.namespace) else []
    else:
        places = (
            [rule.namespace or EVERYWHERE] if fnmatchcase(rule.namespace or asked.namespace, asked.namespace) else []
        )
    for place in places:
        if asked.name is None:
            yield from () if rule.names else (place,)
        elif "*" in asked.name:
            names = [one for one in rule.names if fnmatchcase(one, asked.name)] if rule.names else [""]
            yield from (place_of(place, one) for one in names)
        elif not rule.names or asked.name in rule.names:
            yield place_of(place, asked.name)


def _everything(service: str, old: Sequence[Rule]) -> Iterator[tuple[str, str]]:
    """All that the rules allow of a client's group, or of all groups."""
    api = _API.fullmatch(service)
    group = _GROUPS.get(api[1]) if api is not None else None
    for rule in old:
        groups = rule.groups if group is None else [group] if {"*", group} & set(rule.groups) else []
        for one in groups:
            for verb in rule.verbs:
                for what in rule.resources:
                    for name in rule.names or ("",):
                        yield action_of(verb, one, what), place_of(rule.namespace, name)
