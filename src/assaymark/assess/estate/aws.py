"""What the files say of AWS accounts: identities, policies, resources, providers; from whatever file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.estate.use import Use
    from assaymark.core.graph import Because, State

UNKNOWN_ACCOUNT: Final = "000000000000"  # stands for the account that Terraform or CloudFormation deploys to
STRANGER: Final = "999999999999"  # the account of anyone at all: in no organisation that the input speaks of


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy document; each ``not_`` list excludes its twin. Values as written, wildcards too.

    ``principals`` maps a type (``AWS``, ``Service``, ``Federated``, ``CanonicalUser``, ``*``) to its values; None if
    the policy names none (identity policies). ``condition``: operator to key to values. ``unresolved`` names what a
    template left open: an element that holds it could be anything.
    """

    effect: str  # "Allow" or "Deny"
    because: Because
    sid: str = ""
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] | None = None
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] | None = None
    principals: Mapping[str, tuple[str, ...]] | None = None
    not_principals: Mapping[str, tuple[str, ...]] | None = None
    condition: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    unresolved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A policy: ``name`` is its ARN, or the inline policy's name. ``version`` decides whether variables are read."""

    name: str
    statements: tuple[Statement, ...]
    because: Because
    version: str = "2012-10-17"


@dataclass(frozen=True, slots=True)
class Identity:
    """A user, role or group. ``kind``: ``user``, ``role``, ``group``. ``arn`` with ``UNKNOWN_ACCOUNT`` where unknown.

    ``policies`` are attached and inline ones, those of a user's groups included by ``groups`` (ARNs), not copied.
    ``opaque`` names attached policies whose text the input does not hold; what they allow is unknown.
    ``bounded_by``: the ARN of the boundary, whether the input holds its text or not.
    ``keys``: where long-lived access keys are made. ``tags`` for ``aws:PrincipalTag``. ``listed``: only a list shows
    it, which has neither its tags nor its boundary.
    """

    arn: str
    kind: str
    because: Because
    policies: tuple[PolicyDocument, ...] = ()
    boundary: PolicyDocument | None = None
    trust: PolicyDocument | None = None
    groups: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    keys: tuple[Because, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    bounded_by: str = ""
    listed: bool = False

    @property
    def account(self) -> str:
        """Twelve digits."""
        return self.arn.split(":")[4]

    @property
    def name(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Resource:
    """A thing with an ARN that policies speak of.

    ``kind`` is CloudFormation's type in our spelling: ``s3:bucket``, ``kms:key``, ``lambda:function``,
    ``sagemaker:notebook-instance``, ``ec2:instance``, ``secretsmanager:secret``, ``ecr:repository``, ...
    ``role``: the ARN of the role it runs as. ``policy``: the resource policy. ``settings`` are facts that rules look
    at, by the platform's own names: ``public_access_block``, ``kms_key_id``, ``environment:NAME``, ...
    """

    arn: str
    kind: str
    because: Because
    role: str = ""
    policy: PolicyDocument | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """Twelve digits; buckets do not tell theirs, so it may be empty."""
        return f"{self.arn}:::::".split(":")[4]


@dataclass(frozen=True, slots=True)
class Provider:
    """An identity provider of an account. ``kind``: ``oidc`` or ``saml``; ``issuer`` without ``https://``."""

    arn: str
    kind: str
    issuer: str
    because: Because
    audiences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Control:
    """A policy of an organisation. ``kind``: ``scp`` or ``rcp``.

    ``targets``: what it is attached to: ids of accounts, organisational units (``ou-...``) and roots (``r-...``),
    names that stand for ids that a template leaves open; ``*`` where no file says it, empty where files show none.
    ``declared``: a template says it, which does not show what else is attached there.
    """

    kind: str
    document: PolicyDocument
    targets: tuple[str, ...] = ("*",)
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant on a KMS key: who (ARN) may do which operations, within which encryption context."""

    key: str
    grantee: str
    operations: tuple[str, ...]
    because: Because
    constrained: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A VPC endpoint. ``service``: the prefix of the actions it is for; ``policy``: None for the one that allows all.

    ``vpc``: its network; empty where what runs in that cannot be told to go through it. ``unread``: it has a policy
    that could not be read.
    """

    id: str
    vpc: str
    service: str
    because: Because
    policy: PolicyDocument | None = None
    unread: bool = False


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """A route of an API of API Gateway. ``api``: the id of its node; ``shown``: verb and path.

    ``open``: whether anyone may call it, ``decides`` what that depends on. ``targets``: the ARNs that it calls, each
    with what would decide whether it does. ``uris``: what it names in their place; ``role`` and ``verb``: how it
    calls services of AWS.
    """

    api: str
    name: str
    shown: str
    open: State
    decides: tuple[str, ...]
    targets: Mapping[str, tuple[str, ...]]
    because: Because
    uris: tuple[str, ...] = ()
    role: str = ""
    verb: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a distribution of CloudFront gets answers from. ``host`` as it is written.

    ``open``: whether it passes on what anyone asks, ``decides`` what that depends on; ``identity``: the origin access
    identity that it signs as, ``signs``: whether it signs as itself (origin access control); ``inner``: by a network
    of one's own; ``sends``: it passes on what writes, too.
    """

    host: str
    open: State
    decides: tuple[str, ...]
    because: Because
    identity: str = ""
    signs: bool = False
    inner: bool = False
    sends: bool = False


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution of CloudFront that is enabled. ``declared``: a template says it, not an export."""

    arn: str
    name: str
    origins: tuple[Origin, ...]
    because: Because
    declared: bool


@dataclass(slots=True)
class Estate:
    """All of it. ``controls`` is None when no file speaks of the organisation: then their effect is unknown.

    ``parents``: of an account or organisational unit what it is in; ``management``: the organisation's account;
    ``organisation``: its id; ``members``: accounts that are in it.
    ``public_access_blocks``: what accounts block for all their buckets, by account. ``ways``: the ids of the VPC
    endpoints that requests of what runs in a resource can go through, by its ARN. ``routes``: of APIs.
    ``mappings``: what Lambda polls, for which function, and where that is said.
    """

    identities: dict[str, Identity] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    providers: dict[str, Provider] = field(default_factory=dict)
    controls: list[Control] | None = None
    grants: list[Grant] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    parents: dict[str, str] = field(default_factory=dict)
    management: str = ""
    organisation: str = ""
    members: set[str] = field(default_factory=set)
    public_access_blocks: dict[str, Mapping[str, object]] = field(default_factory=dict)
    endpoints: list[Endpoint] = field(default_factory=list)
    ways: dict[str, tuple[str, ...]] = field(default_factory=dict)
    routes: list[ApiRoute] = field(default_factory=list)
    mappings: list[tuple[str, str, Because]] = field(default_factory=list)
    distributions: list[Distribution] = field(default_factory=list)
