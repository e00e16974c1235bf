"""What was used: audit logs of the API server as needs, each a subject, an action and a place.

Requests that were refused are no use. Whoever acted as somebody else used that right too. What every cluster grants
everyone by itself (discovery, asking about oneself) needs no role. Source: Kubernetes documentation, "Auditing";
``audit.k8s.io/v1`` API reference; "Using RBAC Authorization", discovery roles.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.use import Use
from assaymark.assess.kubernetes.needs import ACTION, EVERYWHERE, action_of, place_of
from assaymark.assess.kubernetes.rbac import Subject
from assaymark.assess.log_lines import entries
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.estate.kubernetes import Cluster
    from assaymark.assess.inputs import Inputs
    from assaymark.core.graph import Because

_API: Final = "audit.k8s.io/"
_MARK: Final = b"audit.k8s.io/"
_ANSWERED: Final = ("ResponseStarted", "ResponseComplete")
_REFUSED: Final = (401, 403)
_ACCOUNT: Final = "system:serviceaccount:"
_ANYONES: Final = re.compile(r"/(?:apis?(?:/.*)?|healthz|livez|readyz|openapi(?:/.*)?|version/?)")
_MADE_UP: Final = ("pods", "events", "replicasets", "endpointslices", "controllerrevisions")  # by the server
_OF_ONESELF: Final = ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews")


def uses(inputs: Inputs) -> Iterator[Use]:
    """The uses of all audit logs of the input, whose files count as read."""
    for file, value in entries(inputs, _MARK, ("items",)):
        if not (is_event(value) or ("auditID" in value and "stage" in value)):  # items of a list may not say it
            continue
        inputs.reading.read.add(file.path)
        if value.get("stage") in _ANSWERED and not _refused(value):
            yield from _uses(value, file.because(value.line))


def lasting(found: Iterable[Use], cluster: Cluster) -> Iterator[Use]:
    """The uses with the names that will be there again; of others a use means all objects of the kind.

    Pods and what controllers make have new names every time, and so has what a subject makes itself.
    """
    uses = list(found)
    made = {
        (use.principal, match["resource"], match["group"])
        for use in uses
        if (match := ACTION.fullmatch(use.action)) and match["verb"] == "create" and not match["part"]
    }
    known = {(one.namespace, one.name) for one in cluster.objects.values()}
    for use in uses:
        match = ACTION.fullmatch(use.action)
        namespace, _, name = use.resource.partition("/")
        kind = (match["resource"], match["group"]) if match is not None else ("", None)
        passing = kind[0] in _MADE_UP or (use.principal, *kind) in made
        kept = not passing or (namespace, name) in known
        yield use if kept or not name else replace(use, resource=namespace)


def is_event(value: Map) -> bool:
    """Whether a document is an entry of an audit log, or a list of them."""
    return str(value.get("apiVersion", "")).startswith(_API) and value.get("kind") in ("Event", "EventList")


def _refused(value: Map) -> bool:
    status, notes = value.get("responseStatus"), value.get("annotations")
    decision = notes.get("authorization.k8s.io/decision") if isinstance(notes, Map) else None
    return decision == "forbid" or (isinstance(status, Map) and status.get("code") in _REFUSED)


def _uses(value: Map, because: Because) -> Iterator[Use]:
    who = _subject(value.get("user"))
    other = value.get("impersonatedUser")
    acting = _subject(other)
    if who is None:
        return
    if acting is not None:
        kind = "serviceaccounts" if acting.kind == "ServiceAccount" else "users"
        yield Use(who.id, f"impersonate {kind}", place_of(acting.namespace, acting.name), because)
        for group in _groups(other) if kind == "users" else ():
            yield Use(who.id, "impersonate groups", place_of("", group), because)
    found = _asked(value)
    if found is not None:
        yield Use((acting or who).id, *found, because)


def _subject(user: Any) -> Subject | None:
    name = user.get("username") if isinstance(user, Map) else None
    if not isinstance(name, str) or not name:
        return None
    parts = name.removeprefix(_ACCOUNT).split(":")
    if name.startswith(_ACCOUNT) and len(parts) == 2:  # noqa: PLR2004 - namespace and name
        return Subject("ServiceAccount", parts[0], parts[1])
    return Subject("User", "", name)


def _groups(user: Any) -> list[str]:
    return [one for one in listed(user.get("groups")) if isinstance(one, str) and one != "system:authenticated"]


def _asked(value: Map) -> tuple[str, str] | None:
    """The action and place of an event; None for what needs no role, or is not told."""
    verb, about = str(value.get("verb", "")), value.get("objectRef")
    if isinstance(about, Map) and about.get("resource"):
        words = {
            key: str(about.get(key) or "") for key in ("apiGroup", "resource", "subresource", "namespace", "name")
        }
        if words["resource"] in _OF_ONESELF:
            return None
        what = words["resource"] + (f"/{words['subresource']}" if words["subresource"] else "")
        action, place = action_of(verb, words["apiGroup"], what), place_of(words["namespace"], words["name"])
    else:
        path = str(value.get("requestURI", "")).partition("?")[0]
        if _ANYONES.fullmatch(path):
            return None
        action, place = f"{verb.lower()} {path}", EVERYWHERE
    return (action, place) if ACTION.fullmatch(action) else None
