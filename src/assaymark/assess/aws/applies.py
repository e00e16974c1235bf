"""What of an estate applies to a request: from ARNs to principals, resources and policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.aws import actions
from assaymark.assess.aws.evaluate import Applies
from assaymark.assess.aws.organisation import Controls, controls_of, organisation_of
from assaymark.assess.aws.personal import held
from assaymark.assess.aws.request import BOUNDARY, TRUST_ACTIONS, Principal
from assaymark.assess.aws.routes import Way, way_through, ways_by_role
from assaymark.assess.unresolved import Unresolved

if TYPE_CHECKING:
    from assaymark.assess.estate.aws import Estate, Identity, PolicyDocument, Resource

# Providers that a trust policy names without an ARN (IAM User Guide, "AWS JSON policy elements: Principal").
_PROVIDERS: Final = frozenset(
    ("cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com", "www.amazon.com")
)
_ACCOUNT_AT: Final = 4
_SEGMENTS: Final = 6
# Services whose resources can have a policy of their own (IAM User Guide, "AWS services that work with IAM").
_WITH_POLICY: Final = frozenset(
    [
        "acm-pca",
        "aps",
        "backup",
        "bedrock",
        "codeartifact",
        "codebuild",
        "dynamodb",
        "ecr",
        "ecr-public",
        "elasticfilesystem",
        "es",
        "events",
        "execute-api",
        "glacier",
        "glue",
        "iot",
        "kafka",
        "kinesis",
        "kinesisvideo",
        "kms",
        "lambda",
        "lex",
        "logs",
        "mediastore",
        "network-firewall",
        "oam",
        "osis",
        "redshift",
        "rekognition",
        "s3",
        "s3-object-lambda",
        "s3-outposts",
        "s3express",
        "s3tables",
        "sagemaker",
        "schemas",
        "secretsmanager",
        "serverlessrepo",
        "ses",
        "signer",
        "sns",
        "sqs",
        "ssm",
        "ssm-contacts",
        "ssm-incidents",
        "vpc-lattice",
        "xray",
    ]
)


class Lookup:
    """The estate by ARN, as evaluation asks for it."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.accounts = _accounts(estate)
        self._roles: dict[tuple[str, str], Identity] = {
            (identity.account, identity.name): identity
            for identity in estate.identities.values()
            if identity.kind == "role"
        }
        self.granted: dict[str, list[int]] = {}
        for index, grant in enumerate(estate.grants):
            self.granted.setdefault(grant.key, []).append(index)
        self._controls: dict[tuple[str, str], Controls] = {}
        self._ends = ways_by_role(estate)
        self._policies: dict[str, tuple[tuple[PolicyDocument, ...], tuple[str, ...]]] = {}

    def identity(self, arn: str) -> Identity | None:
        """The user or role of an ARN, of a role's session too; None when the input does not hold it."""
        found = self.estate.identities.get(arn)
        if found is None and ":assumed-role/" in arn:
            parts = arn.split(":", _SEGMENTS - 1)
            found = self._roles.get((parts[_ACCOUNT_AT], parts[5].split("/")[1]))
        return found if found is not None and found.kind in ("user", "role") else None

    def principal(self, arn: str) -> Principal:
        """The principal of an ARN, of a service's name, of a provider, or of ``*`` for anonymous requests."""
        if arn == "*":
            return Principal("anonymous")
        identity = self.identity(arn)
        session = arn.rpartition("/")[2] if ":assumed-role/" in arn else ""
        if identity is not None:
            tagged = identity.kind == "role" and tags_sessions(identity)
            within = organisation_of(self.estate, identity.account)
            tags = None if identity.listed else dict(identity.tags)
            return Principal(identity.kind, identity.arn, session, tags, tagged, within)
        if arn in self.estate.providers or ":oidc-provider/" in arn or ":saml-provider/" in arn:
            return Principal("federated", arn)
        if arn in _PROVIDERS:
            return Principal("federated", arn)
        if not arn.startswith("arn:"):
            return Principal("root", f"arn:aws:iam::{arn}:root") if arn.isdigit() else Principal("service", arn)
        if arn.endswith(":root"):
            return Principal("root", arn)
        if session:
            parts = arn.split(":", _SEGMENTS - 1)
            role = f"arn:{parts[1]}:iam::{parts[_ACCOUNT_AT]}:role/{parts[5].split('/')[1]}"
            return Principal("role", role, session)
        return Principal("user" if ":user/" in arn else "role", arn)

    def resource(self, arn: str) -> Resource | None:
        """The resource of an ARN; for an object its bucket, for a version or alias its function."""
        resources = self.estate.resources
        if arn in resources:
            return resources[arn]
        if arn.split(":")[2:3] == ["s3"] and "/" in arn:
            return resources.get(arn.partition("/")[0])
        if arn.split(":")[2:3] in (["lambda"], ["logs"]):
            return resources.get(arn.rpartition(":")[0])
        return None

    def owner(self, resource: Resource | None, arn: str) -> str:
        """The account of a resource; of one that does not tell it, the only account of the estate."""
        if resource is not None:
            account = resource.settings.get("account")
            if isinstance(account, str) and account:
                return account
        parts = arn.split(":", _SEGMENTS - 1)
        if len(parts) == _SEGMENTS and parts[_ACCOUNT_AT].isdigit():
            return parts[_ACCOUNT_AT]
        if resource is not None and len(self.accounts) == 1:
            return self.accounts[0]
        return ""

    def tags(self, arn: str) -> dict[str, str] | None:
        """The tags of what has that ARN; None where the input does not hold them, as of objects of a bucket.

        Of an identity with a boundary also that, under a name that no tag has.
        """
        identity = self.estate.identities.get(arn)
        if identity is not None:
            if identity.listed:
                return None
            return {**identity.tags, **({BOUNDARY: identity.bounded_by} if identity.bounded_by else {})}
        resource = self.estate.resources.get(arn)
        if resource is None or not (resource.tags or _TAGGED & set(resource.settings)):
            return None  # an answer that lists things without their tags does not show that they have none
        if isinstance(resource.settings.get("tags"), Unresolved):
            return None
        return dict(resource.tags)

    def ways(self, principal: Principal) -> list[Way]:
        """The ways of a principal's requests through endpoints of the networks where what runs as it is."""
        found = (way_through(one, principal) for one in self._ends.get(principal.arn, ()))
        return [way for way in found if way is not None]

    def policies(self, identity: Identity) -> tuple[tuple[PolicyDocument, ...], tuple[str, ...]]:
        """The policies of an identity and its groups, and the names of those whose text is not known."""
        if identity.arn not in self._policies:
            self._policies[identity.arn] = held(self.estate, identity)
        return self._policies[identity.arn]

    def controls(self, kind: str, account: str) -> Controls:
        """The organisation's policies of a kind for an account."""
        key = (kind, account)
        if key not in self._controls:
            held = account in ("", *self.accounts) or kind == "rcp"  # nobody asks for resources that are not there
            self._controls[key] = controls_of(self.estate, kind, account, held=held)
        return self._controls[key]

    def applies(self, principal: Principal, action: str, arn: str) -> Applies:
        """All that applies to a request."""
        identity = self.identity(principal.arn) if principal.kind in ("user", "role") else None
        documents, opaque = self.policies(identity) if identity else ((), ())
        policy, seen = self.resource_policy(action, arn)
        owner = self.owner(self.resource(arn), arn)
        outside = principal.kind in ("user", "role") and identity is None
        return Applies(
            identity=documents,
            boundary=identity.boundary if identity else None,
            resource=policy,
            resource_seen=seen,
            scps=self.controls("scp", principal.account),
            rcps=self.controls("rcp", owner),
            management=bool(self.estate.management) and principal.account == self.estate.management,
            opaque=opaque or ((f"the policies of {principal.arn}",) if outside and self._own(principal) else ()),
            grants=tuple(self.estate.grants[index] for index in self.granted.get(arn, ())),
            trusted_account=outside and not self._own(principal),
        )

    def _own(self, principal: Principal) -> bool:
        """Whether the principal's account is one that the input holds, so that its identities should be there."""
        return principal.account in self.accounts

    def resource_policy(self, action: str, arn: str) -> tuple[PolicyDocument | None, bool]:
        """The policy of the resource as the action has it to do with, and whether the input holds the resource."""
        identity = self.estate.identities.get(arn)
        if identity is not None:
            return (identity.trust if action.lower() in TRUST_ACTIONS else None), True
        resource = self.resource(arn)
        if resource is not None:
            return resource.policy, True
        parts = arn.split(":")
        service = parts[2] if len(parts) > 2 else ""  # noqa: PLR2004
        on_role = action.lower() in TRUST_ACTIONS and ":role/" in arn
        return None, not (on_role or service in _WITH_POLICY)


def _accounts(estate: Estate) -> tuple[str, ...]:
    found = {identity.account for identity in estate.identities.values()}
    found |= {resource.account for resource in estate.resources.values() if resource.account.isdigit()}
    return tuple(sorted(found))


_TAGGED: Final = frozenset(("terraform", "Tags", "tags", "TagList", "TagSet"))  # settings of what shows its tags


def tags_sessions(identity: Identity, *, services: bool = True) -> bool:
    """Whether somebody may start sessions of the role with tags that the role does not have.

    ``services``: those of AWS count, too. Each sets tags of fixed names, such as ``kubernetes-namespace``.
    """
    tag = actions.bit("sts:TagSession")
    for statement in identity.trust.statements if identity.trust else ():
        if statement.effect != "Allow" or (not services and set(statement.principals or {"*": ()}) == {"Service"}):
            continue
        if statement.not_actions is not None:
            return True
        for pattern in statement.actions:
            certain, perhaps = actions.expand_known(pattern)
            if (certain | perhaps) & tag:
                return True
    return False
