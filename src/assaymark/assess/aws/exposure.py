"""What anyone may read, write or call: public policies, access control lists of buckets, open function URLs.

Sources: Amazon S3 User Guide, "Blocking public access", "Access control list (ACL) overview", "Controlling ownership
of objects"; AWS Lambda Developer Guide, "Control access to function URLs".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.aws import actions
from assaymark.assess.aws.blocks import blocked, means_everyone
from assaymark.assess.aws.data import CLASSES, node_kind
from assaymark.assess.aws.lasting import ANYONE, gives
from assaymark.assess.aws.linking import Chain
from assaymark.assess.aws.strangers import strangers
from assaymark.assess.kinds import INTERNET
from assaymark.assess.values import mappings
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.aws.conditions import Value
    from assaymark.assess.aws.lasting import Lasting
    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Resource

_SIGNED_UP: Final = "aws:outside:*"
_SWITCHED_OFF: Final = "the account and the bucket do not block public access"
_TAKES_LISTS: Final = "the bucket takes access control lists"
_OBJECTS: Final = "objects have an access control list that lets everyone read them"
# Of a bucket's own list READ lets list and WRITE lets put, overwrite and delete: objects have lists of their own.
_CANNED: Final = {
    "public-read": (INTERNET, ("read",)),
    "public-read-write": (INTERNET, ("read", "write", "delete")),
    "authenticated-read": (_SIGNED_UP, ("read",)),
}
_GROUPS: Final = {"AllUsers": INTERNET, "AuthenticatedUsers": _SIGNED_UP}
_PERMISSIONS: Final = {
    "READ": ("read",),
    "WRITE": ("write", "delete"),
    "WRITE_ACP": ("permissions",),
    "FULL_CONTROL": ("read", "write", "delete", "permissions"),
}
ENFORCED: Final = "BucketOwnerEnforced"


def link_exposure(run: Linking, lasting: Lasting) -> None:
    """Draws who of all people may do what."""
    for arn, resource in sorted(run.estate.resources.items()):
        kind, _ = node_kind(resource)
        if resource.policy is not None and kind in CLASSES and _names_everyone(resource):
            for action_class in CLASSES[kind]:
                _anonymous(run, lasting, resource, kind, action_class)
        if resource.kind == "s3:bucket":
            _listed(run, lasting, resource)
        url = resource.settings.get("url")
        if isinstance(url, dict) and url.get("authorization_type") == "NONE":
            because = (resource.because,)
            how = "its function URL asks for no authentication"
            run.builder.edge(Edge(_whoever(run, INTERNET, resource), arn, "invokes", how, because))


def _names_everyone(resource: Resource) -> bool:
    statements = resource.policy.statements if resource.policy else ()
    return any(means_everyone(one) for one in statements)


def _anonymous(run: Linking, lasting: Lasting, resource: Resource, kind: str, action_class: str) -> None:
    """What the resource's policy allows everyone: of a class an action that is allowed for certain, if any is."""
    target = f"{resource.arn}/*" if kind == "bucket" and action_class != "permissions" else resource.arn
    mask = actions.actions_for(target) & actions.class_bits().get(action_class, 0)
    state = blocked(run.estate, resource, "restrict_public_buckets") if kind == "bucket" else State.NO
    if state is State.YES:
        return
    who, best = INTERNET, _best(run, "*", mask, target, {})
    for name, context in strangers(resource.policy) if best is None and resource.policy else ():
        who, best = _SIGNED_UP, best or _best(run, name, mask, target, context)
    if best is not None:
        action, chain = best
        chain = chain.unless(_SWITCHED_OFF) if state is State.UNKNOWN and chain.state is State.YES else chain
        if action_class == "read" and resource.arn in lasting.keys:
            chain = chain.then(lasting.opens(ANYONE, resource))
        how = f"its policy allows everyone {action}"
        for relation, whole in gives(lasting, ANYONE, resource, kind, action_class, chain):
            _draw(run, who, resource, relation, how, whole)


def _best(
    run: Linking, principal: str, mask: int, target: str, context: Mapping[str, Value]
) -> tuple[str, Chain] | None:
    """Of some actions one that is allowed for certain, else one that may be; None for neither."""
    best: tuple[str, Chain] | None = None
    for action in actions.names_of(mask):
        chain = Chain().then(run.access.can(principal, action, target, context))
        if chain.state is State.YES:
            return action, chain
        best = best or ((action, chain) if chain.state is State.UNKNOWN else None)
    return best


def ownership(resource: Resource) -> list[str]:
    """What a bucket's ownership controls say; with ENFORCED its access control lists count for nothing."""
    found = (one.get("object_ownership") for one in mappings(resource.settings.get("ownership")))
    return [one for one in found if isinstance(one, str)]


def _listed(run: Linking, lasting: Lasting, resource: Resource) -> None:
    """What the bucket's access control list gives to groups of strangers."""
    state = blocked(run.estate, resource, "ignore_public_acls")
    owned = ownership(resource)
    if state is State.YES or ENFORCED in owned:
        return
    for who, classes, what in grants(resource):
        for action_class in classes:
            chain = Chain(State.YES, (resource.because,))
            if action_class == "read":
                chain = chain.unless(_OBJECTS)
            if state is State.UNKNOWN:
                chain = chain.unless(_SWITCHED_OFF)
            if not owned:
                chain = chain.unless(_TAKES_LISTS)
            asks = "*" if who == INTERNET else ANYONE
            chain = chain.then(lasting.listed(asks, resource, "bucket", action_class))
            for relation, whole in gives(lasting, ANYONE, resource, "bucket", action_class, chain):
                _draw(run, who, resource, relation, f"the bucket has {what}", whole)


def grants(resource: Resource) -> list[tuple[str, tuple[str, ...], str]]:
    """To whom the list gives what, in classes, and how a message says so."""
    acl = resource.settings.get("acl")
    canned = acl.get("acl") if isinstance(acl, dict) else acl
    if isinstance(canned, str) and canned in _CANNED:
        who, classes = _CANNED[canned]
        return [(who, classes, f"the ACL {canned}")]
    found = []
    for part in mappings([acl, resource.settings.get("grant"), resource.settings.get("Grants")]):
        grantee = next((one for one in mappings(part.get("grantee") or part.get("Grantee"))), part)
        uri = str(grantee.get("uri") or grantee.get("URI") or "")
        group = uri.rpartition("/groups/global/")[2]
        given = part.get("permission") or part.get("permissions") or part.get("Permission") or ()
        for permission in [given] if isinstance(given, str) else given if isinstance(given, list) else ():
            if group in _GROUPS and "/groups/global/" in uri:
                classes = _PERMISSIONS.get(str(permission), ())
                found.append((_GROUPS[group], classes, f"an ACL with {permission} for {group}"))
    return found


def _whoever(run: Linking, who: str, resource: Resource) -> str:
    if who == INTERNET:
        return run.builder.node(INTERNET, "internet", "internet", entry="internet")
    name, boundary = "anyone with an AWS account", {"cloud": "aws"}
    return run.builder.node(who, "outside", name, (resource.because,), boundary=boundary, entry="outside")


def _draw(run: Linking, who: str, resource: Resource, relation: str, how: str, chain: Chain) -> None:
    if chain.state is State.NO:
        return
    decides = chain.decides if chain.state is State.UNKNOWN else ()
    because = chain.because or (resource.because,)
    source = _whoever(run, who, resource)
    run.builder.edge(Edge(source, resource.arn, relation, how, because, chain.state, decides, 0))
