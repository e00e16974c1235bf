"""A request as AWS would evaluate it: who asks, for what, on what, and what its context certainly carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws import actions
from assaymark.assess.aws.conditions import Key
from assaymark.assess.aws.patterns import FRESH
from assaymark.assess.estate.aws import STRANGER, UNKNOWN_ACCOUNT
from assaymark.assess.unresolved import HOLE, Unresolved

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from assaymark.assess.aws.conditions import Value

SERVICE_LINKED: Final = ":role/aws-service-role/"
BOUNDARY_KEY: Final = "iam:permissionsboundary"
BOUNDARY: Final = "\ue004boundary"  # stands among the tags of an identity for its boundary; no tag has this name
# Of these it is the boundary that the user or role has; of others the one that is asked for.
# Source: IAM User Guide, "Permissions boundaries for IAM entities", "Delegating responsibility to others".
_ON_BOUNDED: Final = frozenset(
    f"iam:{verb}{kind}{what}".lower()
    for kind in ("User", "Role")
    for verb, what in (
        *((verb, "Policy") for verb in ("Attach", "Detach", "Put", "Delete")),
        ("Delete", "PermissionsBoundary"),
    )
)
_SIGNED: Final = ("user", "role", "root")
_TYPES: Final = {"user": "User", "role": "AssumedRole", "root": "Account", "anonymous": "Anonymous"}
_KINDS_THAT_MAY_CARRY: Final = {  # and nobody else does
    **dict.fromkeys(("principalorgid", "principalorgpaths", "principalorgmasteraccountid"), _SIGNED),
    **dict.fromkeys(("multifactorauthpresent", "multifactorauthage", "sourceidentity"), _SIGNED),
    **dict.fromkeys(("sourcearn", "sourceaccount", "sourceorgid", "sourceorgpaths"), ("service",)),
    "principalservicenameslist": ("service",),
    "federatedprovider": ("role",),
}
TRUST_ACTIONS: Final = frozenset(
    (
        "sts:assumerole",
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
        "sts:tagsession",
        "sts:setsourceidentity",
        "sts:setcontext",
    )
)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    ``kind`` is one of these: ``user``, ``role`` (a session of it; ``arn`` is the role's, ``session`` the session's
    name where known), ``root`` (of an account), ``service`` (``arn`` is its name, ``lambda.amazonaws.com``),
    ``federated`` (``arn`` is the provider's) and ``anonymous``. ``tags``: None when they are not known.
    ``session_tags``: whoever starts the session may add some, so that a tag that is not here is unknown.
    ``organisation``: the id of the one that its account is in; empty when nobody knows.
    """

    kind: str
    arn: str = "*"
    session: str = ""
    tags: Mapping[str, str] | None = None
    session_tags: bool = False
    organisation: str = ""

    @property
    def account(self) -> str:
        """Twelve digits; empty for services and the anonymous."""
        parts = self.arn.split(":")
        return parts[4] if len(parts) > 4 and self.kind != "service" else ""  # noqa: PLR2004

    @property
    def name(self) -> str:
        """The last part of the ARN: the role's or user's name without its path."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Request:
    """One action on one resource, ``*`` for an action that has none.

    ``now`` is what dates are compared with. ``context`` gives values of condition keys (in any case), or
    ``Key.ABSENT`` and so on; it goes before all that is derived. ``resource_account``: whose the resource is, where
    its ARN does not say; empty when nobody knows. ``resource_tags``: None when they are not known.
    """

    principal: Principal
    action: str
    resource: str
    now: datetime
    context: Mapping[str, Value] = field(default_factory=dict)
    resource_account: str = ""
    resource_tags: Mapping[str, str] | None = None

    @property
    def owner(self) -> str:
        """The account of the resource; the principal's for a request that has no resource; empty when unknown."""
        if self.resource_account:
            return self.resource_account
        if self.resource == "*":
            return self.principal.account
        parts = self.resource.split(":")
        return parts[4] if len(parts) > 4 and parts[4].isdigit() else ""  # noqa: PLR2004

    @property
    def on_role(self) -> bool:
        """Whether the role's trust policy decides."""
        return self.action.lower() in TRUST_ACTIONS and ":role/" in self.resource

    @property
    def on_key(self) -> bool:
        """Whether a key policy decides."""
        return self.resource.split(":")[2:3] == ["kms"] and ":key/" in self.resource


class Context:
    """The condition keys of a request: given ones, then what principal, resource and action tell, else unknown.

    Source: IAM User Guide, "AWS global condition context keys"; the Service Authorization Reference for the keys that
    an action carries. A key that the reference lists for other actions of the service, and not for this one, is
    absent.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._given = {key.lower(): value for key, value in request.context.items()}
        self._cache: dict[str, Value] = {}

    def __call__(self, key: str) -> Value:
        """What is known of a key, given in lower case."""
        if key not in self._cache:
            self._cache[key] = self._given[key] if key in self._given else self._derived(key)
        return self._cache[key]

    def _derived(self, key: str) -> Value:
        vendor, _, name = key.partition(":")
        if vendor == "aws":
            return self._global(name)
        service = self._request.action.lower().partition(":")[0]
        if vendor == "s3" and name == "resourceaccount":
            return _value(self._request.owner)
        if vendor == "kms" and name == "calleraccount":
            return _value(self._request.principal.account)
        if "resourcetag/" in name and vendor == service:
            return self._resource_tag(name.partition("/")[2])
        if key == BOUNDARY_KEY and self._request.action.lower() in _ON_BOUNDED:
            return self._resource_tag(BOUNDARY)
        if "." in vendor or vendor in ("saml", "cognito-identity"):
            return self._federated(key)
        if vendor == "ec2" and name == "sourceinstancearn":
            return Key.UNKNOWN if self._request.principal.kind == "role" else Key.ABSENT
        return self._carried(key)

    def _federated(self, key: str) -> Value:
        """Keys of an identity provider: in requests for its roles; some stay with the session that these give."""
        principal = self._request.principal
        if principal.kind == "federated":
            provider = principal.arn.rpartition("provider/")[2].lower() or principal.arn.lower()
            own = key.rpartition(":")[0]
            if own in (provider, principal.arn.lower()):
                return Key.PRESENT if key.endswith((":sub", ":aud")) else Key.UNKNOWN
            return Key.UNKNOWN if own.startswith("saml") and "saml-provider" in principal.arn else Key.ABSENT
        return Key.UNKNOWN if principal.kind == "role" else Key.ABSENT

    def _carried(self, key: str) -> Value:
        """A service's own key, by what the reference lists for the action."""
        action = actions.find(self._request.action)
        if action is None:
            return Key.UNKNOWN
        service = actions.service(action.name.partition(":")[0])
        if service is None:
            return Key.UNKNOWN
        if _listed(key, action.keys):
            return Key.UNKNOWN
        fitting = {kind.name for kind in actions.types_of(self._request.resource) if kind.service == service.prefix}
        for name in action.resources:
            if (not fitting or name in fitting) and _listed(key, service.types[name].keys):
                return Key.UNKNOWN
        return Key.ABSENT if _known_key(service.prefix, key) else Key.UNKNOWN

    def _resource_tag(self, tag: str) -> Value:
        tags = self._request.resource_tags
        if tags is None:
            return Key.UNKNOWN
        values = {one.lower(): value for one, value in tags.items()}
        if tag not in values:
            return Key.ABSENT
        return Key.UNKNOWN if self._request.resource.startswith("arn:aws:s3:::") else _known(values[tag])

    def _principal_tag(self, tag: str) -> Value:
        principal = self._request.principal
        if principal.kind in ("service", "anonymous", "federated", "root"):
            return Key.ABSENT
        if principal.tags is None:
            return Key.UNKNOWN
        values = {one.lower(): value for one, value in principal.tags.items()}
        if tag in values:
            return _known(values[tag])
        return Key.UNKNOWN if principal.session_tags else Key.ABSENT

    def _global(self, name: str) -> Value:
        if name.startswith("principaltag/"):
            return self._principal_tag(name.partition("/")[2])
        if name.startswith("resourcetag/"):
            return self._resource_tag(name.partition("/")[2])
        if name.startswith("requesttag/") or name == "tagkeys":
            return self._carried_tag(f"aws:{name}")
        known = self._of_principal(name)
        return known if known is not None else self._of_request(name)

    def _carried_tag(self, key: str) -> Value:
        """Tags of the request, which only actions that take tags have."""
        action = actions.find(self._request.action)
        if action is None:
            return Key.UNKNOWN
        carries = any(one.startswith(key.partition("/")[0]) for one in action.keys)
        return Key.UNKNOWN if carries else Key.ABSENT

    def _of_principal(self, name: str) -> Value | None:
        """Keys that tell who asks; None for the others."""
        principal = self._request.principal
        kind = principal.kind
        if name == "principalorgid" and principal.organisation:
            return (principal.organisation,)
        if name in _KINDS_THAT_MAY_CARRY:
            return Key.UNKNOWN if kind in _KINDS_THAT_MAY_CARRY[name] else Key.ABSENT
        match name:
            case "principalarn":
                return (principal.arn,) if kind in _SIGNED else Key.ABSENT
            case "principalaccount":
                return _value(principal.account) if kind in _SIGNED else Key.ABSENT
            case "principaltype":
                return (_TYPES[kind],) if kind in _TYPES else Key.UNKNOWN
            case "username":
                return (principal.name,) if kind == "user" else Key.ABSENT
            case "userid":
                return ("anonymous",) if kind == "anonymous" else (Key.PRESENT if kind in _SIGNED else Key.UNKNOWN)
            case "principalisawsservice":
                return ("true" if kind == "service" else "false",)
            case "principalservicename":
                return (principal.arn,) if kind == "service" else Key.ABSENT
            case "tokenissuetime" if kind == "role":  # whoever may start a session may start one now
                return (self._request.now.isoformat(),)
            case "tokenissuetime":
                return Key.UNKNOWN if kind in _SIGNED else Key.ABSENT
        return None

    def _of_request(self, name: str) -> Value:
        request = self._request
        match name:
            case "currenttime":
                return (request.now.isoformat(),)
            case "epochtime":
                return (str(int(request.now.timestamp())),)
            case "securetransport":  # SDKs use TLS; who asks may do so too
                return ("true",)
            case "resourceaccount":
                return _value(request.owner) if request.resource != "*" else Key.UNKNOWN
            case "requestedregion":
                parts = request.resource.split(":")
                region = parts[3] if len(parts) > 3 else ""  # noqa: PLR2004
                return (region,) if region and not set(region) & {FRESH, HOLE} else Key.PRESENT
            case "viaawsservice":
                return Key.PRESENT
        return Key.UNKNOWN


def _value(text: str) -> Value:
    return (text,) if text else Key.UNKNOWN


def _listed(key: str, keys: frozenset[str]) -> bool:
    if key in keys:
        return True
    head, slash, _ = key.partition("/")
    if slash and f"{head}/*" in keys:
        return True
    return any(one.endswith("*") and key.startswith(one[:-1]) for one in keys if "*" in one)


@lru_cache(maxsize=10_000)
def _known_key(prefix: str, key: str) -> bool:
    """Whether the reference lists the key for some action or type of the service."""
    service = actions.service(prefix)
    if service is None:
        return False
    return any(_listed(key, one.keys) for one in service.actions.values()) or any(
        _listed(key, kind.keys) for kind in service.types.values()
    )


def _known(tag: str) -> Value:
    """A tag's value, unless a template leaves it open."""
    return Key.UNKNOWN if isinstance(tag, Unresolved) else (tag,)


def is_own(principal: Principal, owner: str, resource: str) -> bool | None:
    """Whether a resource is of the principal's account; None when it is not known.

    What has no account in its ARN is nobody's (a foundation model, a public image) or the caller's own, but for
    buckets, whose account is not in it: the identity's policies decide.
    """
    if not owner and resource.split(":")[2:3] != ["s3"] and resource.split(":")[4:5] in ([""], ["aws"]):
        return True
    return same_account(principal.account, owner)


def same_account(one: str, two: str) -> bool | None:
    """Whether two accounts are one; None when one is not known, or is whichever a template is deployed to."""
    if one == two and one:
        return True
    if STRANGER in (one, two):
        return False
    if not one or not two or UNKNOWN_ACCOUNT in (one, two):
        return None
    return False
