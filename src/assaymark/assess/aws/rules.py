"""What is wrong with an AWS account by itself, path or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.data import encryption_key
from assaymark.assess.aws.linking import Linking
from assaymark.assess.aws.trust import issuer_of
from assaymark.assess.files import Reading
from assaymark.assess.graph import Builder
from assaymark.assess.rule import AssessRule, found
from assaymark.assess.unresolved import Unresolved
from assaymark.core.graph import State
from assaymark.core.report import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.aws import Identity, Resource, Statement
    from assaymark.assess.rule import Seen
    from assaymark.core.report import Finding

ADMIN = AssessRule(
    "aws-administrator",
    Severity.HIGH,
    "A role or user that may do everything in its account",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-250", "CWE-269"),
)
SERVICE_WILDCARD = AssessRule(
    "aws-service-wildcard",
    Severity.MEDIUM,
    "Every action of a service that holds models, data or identities, on every resource",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-250", "CWE-732"),
)
PASS_ROLE = AssessRule(
    "aws-passrole-any",
    Severity.HIGH,
    "A role or user that may pass every role to every service",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-269"),
)
OIDC_SUBJECT = AssessRule(
    "aws-federation-subject",
    Severity.HIGH,
    "A role that trusts tokens of a public issuer whoever they are for",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-287", "CWE-1390"),
)
OIDC_AUDIENCE = AssessRule(
    "aws-federation-audience",
    Severity.MEDIUM,
    "A role that trusts tokens made for another audience",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-287"),
)
TRUST_ANYONE = AssessRule(
    "aws-trust-anyone",
    Severity.CRITICAL,
    "A role that every AWS account may assume",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-284"),
)
CONFUSED_DEPUTY = AssessRule(
    "aws-trust-external",
    Severity.MEDIUM,
    "A role that another account may assume without an external id, an organisation or a second factor",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-441"),
)
STATIC_KEY = AssessRule(
    "aws-static-key",
    Severity.MEDIUM,
    "A user with a long-lived access key",
    "identity",
    ("AML.T0055", "AML.M0005", "CWE-798"),
)
BUCKET_PUBLIC = AssessRule(
    "aws-bucket-public",
    Severity.CRITICAL,
    "A bucket whose policy or ACL gives everyone access",
    "tenancy",
    ("AML.T0035", "AML.M0005", "ML03:2023", "LLM02:2025", "CWE-732"),
)
BUCKET_BLOCK = AssessRule(
    "aws-bucket-public-block",
    Severity.LOW,
    "A bucket that does not block public access by itself",
    "tenancy",
    ("AML.T0035", "AML.M0005", "CWE-732"),
)
BUCKET_TLS = AssessRule(
    "aws-bucket-plaintext",
    Severity.MEDIUM,
    "A bucket that may be read and written without TLS",
    "transport",
    ("AML.T0025", "AML.M0012", "CWE-319"),
)
BUCKET_KEY = AssessRule(
    "aws-bucket-key",
    Severity.LOW,
    "Models or a tenant's data in a bucket without a key of one's own",
    "tenancy",
    ("AML.T0035", "AML.M0012", "CWE-311"),
)
TENANTS_KEY = AssessRule(
    "aws-tenants-share-key",
    Severity.MEDIUM,
    "Several tenants' data under one key",
    "tenancy",
    ("AML.T0035", "AML.M0012", "CWE-653"),
)
TENANTS_ACCESS = AssessRule(
    "aws-tenant-reads-other",
    Severity.HIGH,
    "A tenant's role that reaches another tenant's data",
    "tenancy",
    ("AML.T0035", "AML.M0005", "LLM02:2025", "CWE-639"),
)
KEY_ANYONE = AssessRule(
    "aws-key-anyone",
    Severity.CRITICAL,
    "A key whose policy lets everyone decrypt",
    "identity",
    ("AML.T0035", "AML.M0005", "CWE-732"),
)
KEY_ROTATION = AssessRule(
    "aws-key-rotation",
    Severity.LOW,
    "A key that is not rotated",
    "transport",
    ("AML.M0012", "CWE-324"),
)
NOTEBOOK_ROOT = AssessRule(
    "aws-notebook-open",
    Severity.MEDIUM,
    "A notebook with root access or a direct way to the internet",
    "endpoint",
    ("AML.T0049", "AML.M0019", "CWE-250", "CWE-668"),
)
SAGEMAKER_PLAIN = AssessRule(
    "aws-sagemaker-plaintext",
    Severity.MEDIUM,
    "Training or processing whose containers talk in plain text, or whose network is not isolated",
    "transport",
    ("AML.T0025", "AML.M0012", "CWE-319"),
)
FUNCTION_URL = AssessRule(
    "aws-function-url-open",
    Severity.HIGH,
    "A function's URL that asks for no authentication",
    "endpoint",
    ("AML.T0040", "AML.T0049", "AML.M0019", "ML05:2023", "LLM10:2025", "CWE-306"),
)
REGISTRY_MUTABLE = AssessRule(
    "aws-registry-mutable",
    Severity.MEDIUM,
    "A container registry whose tags may be moved",
    "supply-chain",
    ("AML.T0010", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-494"),
)
SECURITY_GROUP = AssessRule(
    "aws-security-group-open",
    Severity.HIGH,
    "A security group that lets the internet reach administration or model server ports",
    "endpoint",
    ("AML.T0049", "AML.M0019", "CWE-668"),
)
PLAIN_LISTENER = AssessRule(
    "aws-listener-plaintext",
    Severity.MEDIUM,
    "A load balancer that serves in plain text",
    "transport",
    ("AML.T0024", "AML.M0012", "CWE-319"),
)
EFS_PLAIN = AssessRule(
    "aws-file-system-plaintext",
    Severity.MEDIUM,
    "A shared file system that is not encrypted",
    "transport",
    ("AML.T0025", "AML.M0012", "CWE-311"),
)
RULES: Final = (
    ADMIN,
    SERVICE_WILDCARD,
    PASS_ROLE,
    OIDC_SUBJECT,
    OIDC_AUDIENCE,
    TRUST_ANYONE,
    CONFUSED_DEPUTY,
    STATIC_KEY,
    BUCKET_PUBLIC,
    BUCKET_BLOCK,
    BUCKET_TLS,
    BUCKET_KEY,
    TENANTS_KEY,
    TENANTS_ACCESS,
    KEY_ANYONE,
    KEY_ROTATION,
    NOTEBOOK_ROOT,
    SAGEMAKER_PLAIN,
    FUNCTION_URL,
    REGISTRY_MUTABLE,
    SECURITY_GROUP,
    PLAIN_LISTENER,
    EFS_PLAIN,
)
_WATCHED: Final = (
    *("bedrock", "dynamodb", "ecr", "iam", "kms", "lambda", "organizations", "rds", "s3", "sagemaker"),
    *("secretsmanager", "ssm", "sts"),
)
_OURS: Final = ("oidc.eks.",)  # issuers whose tokens only one's own clusters get
_GUARDS: Final = (
    "sts:externalid",
    "aws:principalorgid",
    "aws:multifactorauthpresent",
    "aws:principalarn",
    "aws:sourceip",
)
_ADMIN_PORTS: Final = (
    22,
    3389,
    2375,
    2376,
    5000,
    6379,
    6443,
    8265,
    8786,
    8888,
    9000,
    10250,
    27017,
    5432,
    3306,
    8080,
    8000,
)


def _identities(seen: Seen) -> Iterator[Finding]:
    for _, who in sorted(seen.estates.aws.identities.items()):
        for policy in who.policies:
            for statement in policy.statements:
                if statement.effect == "Allow":
                    yield from _statement(who, statement)
        for place in who.keys:
            message = f"user {who.name} has an access key that lives until somebody deletes it"
            yield found(STATIC_KEY, who.arn, message, (place,))
        if who.kind == "role" and who.trust is not None:
            for statement in who.trust.statements:
                if statement.effect == "Allow":
                    yield from _trust(seen, who, statement)


def _statement(who: Identity, statement: Statement) -> Iterator[Finding]:
    everything = "*" in statement.resources or "arn:aws:s3:::*" in statement.resources
    if not everything or statement.condition:
        return
    words = {one.lower() for one in statement.actions if not isinstance(one, Unresolved)}
    if {"*", "*:*"} & words:
        yield found(ADMIN, who.arn, f"{who.kind} {who.name} may do everything on everything", (statement.because,))
        return
    if statement.not_actions is not None:
        left = ", ".join(statement.not_actions[:3])
        message = f"{who.kind} {who.name} may do everything but {left} (NotAction)"
        yield found(ADMIN, who.arn, message, (statement.because,), Severity.MEDIUM, Confidence.MEDIUM)
        return
    wide = sorted(
        word.partition(":")[0] for word in words if word.endswith(":*") and word.partition(":")[0] in _WATCHED
    )
    if wide:
        message = f"{who.kind} {who.name} may do everything with {', '.join(wide)}, on every resource"
        severity = Severity.HIGH if "iam" in wide else None
        yield found(SERVICE_WILDCARD, f"{who.arn}#{','.join(wide)}", message, (statement.because,), severity)
    if words & {"iam:passrole", "iam:pass*", "iam:*"} and "*" in statement.resources:
        message = f"{who.kind} {who.name} may pass every role of the account to every service"
        yield found(PASS_ROLE, who.arn, message, (statement.because,))


def _trust(seen: Seen, who: Identity, statement: Statement) -> Iterator[Finding]:
    principals = statement.principals or {}
    keys = {name.lower() for operator in statement.condition.values() for name in operator}
    accounts = {one.account for one in seen.estates.aws.identities.values()}
    if ("*" in principals or "*" in principals.get("AWS", ())) and not keys & set(_GUARDS):
        yield found(TRUST_ANYONE, who.arn, f"role {who.name} trusts every AWS account", (statement.because,))
    for value in principals.get("AWS", ()):
        account = value if value.isdigit() else value.split(":")[4] if value.count(":") > 4 else ""  # noqa: PLR2004
        outside = (
            account and account not in accounts and account != "000000000000" and not isinstance(value, Unresolved)
        )
        if outside and value != "*" and not keys & set(_GUARDS):
            message = f"role {who.name} trusts account {account} without an external id or an organisation"
            yield found(CONFUSED_DEPUTY, f"{who.arn}#{account}", message, (statement.because,))
    for provider in principals.get("Federated", ()):
        if "saml-provider" in provider or provider == "cognito-identity.amazonaws.com":
            continue
        issuer = issuer_of(provider)
        subjects = [
            value
            for operator in statement.condition.values()
            for name, values in operator.items()
            if name.lower() == f"{issuer}:sub".lower()
            for value in values
        ]
        ours = any(mark in issuer for mark in _OURS)
        wide = [one for one in subjects if _any_subject(issuer, one)]
        if not subjects or wide:
            left = f"subject {wide[0]}" if wide else "any subject"
            severity = Severity.MEDIUM if ours else None
            message = f"role {who.name} trusts tokens of {issuer} for {left}"
            yield found(OIDC_SUBJECT, f"{who.arn}#{issuer}", message, (statement.because,), severity)
        if f"{issuer}:aud".lower() not in keys:
            message = f"role {who.name} does not ask for the audience of tokens of {issuer}"
            yield found(OIDC_AUDIENCE, f"{who.arn}#{issuer}", message, (statement.because,))


def _any_subject(issuer: str, subject: str) -> bool:
    """Whether a pattern over subjects leaves open whose they are."""
    if subject.strip("*") == "":
        return True
    if "github" in issuer:
        owner, _, rest = subject.removeprefix("repo:").partition("/")
        return "*" in owner or rest.partition(":")[0] in ("", "*")
    if subject.startswith("system:serviceaccount:"):
        return "*" in subject.split(":")[2]
    return False


def _resources(seen: Seen) -> Iterator[Finding]:
    run = Linking(seen.estates.aws, Builder(), Reading(), seen.now)
    for arn, resource in sorted(seen.estates.aws.resources.items()):
        check = _BY_KIND.get(resource.kind)
        if check is not None:
            yield from check(run, resource)
        if (
            resource.kind in ("elasticfilesystem:file-system", "efs:file-system")
            and resource.settings.get("encrypted") is not True
        ):
            message = f"file system {arn.rpartition('/')[2]} is not encrypted"
            yield found(EFS_PLAIN, arn, message, (resource.because,))


def _bucket(run: Linking, resource: Resource) -> Iterator[Finding]:
    name, settings = resource.arn[13:], resource.settings
    declared = "terraform" in settings or "cloudformation" in settings
    blocked = settings.get("public_access_block")
    restricted = isinstance(blocked, dict) and blocked.get("restrict_public_buckets") is True
    acl = settings.get("acl")
    acl = acl.get("acl") if isinstance(acl, dict) else acl
    if acl in ("public-read", "public-read-write", "authenticated-read") and not (
        isinstance(blocked, dict) and blocked.get("ignore_public_acls") is True
    ):
        yield found(BUCKET_PUBLIC, resource.arn, f"bucket {name} has the ACL {acl}", (resource.because,))
    if resource.policy is not None and not restricted:
        for action, word in (("s3:GetObject", "read"), ("s3:PutObject", "write"), ("s3:ListBucket", "list")):
            target = resource.arn if word == "list" else f"{resource.arn}/*"
            answer = run.access.can("*", action, target)
            if answer.state is State.YES:
                places = answer.because or (resource.because,)
                yield found(BUCKET_PUBLIC, resource.arn, f"everyone may {word} bucket {name}", places)
                break
    if not declared:
        return
    if blocked is None:
        yield found(BUCKET_BLOCK, resource.arn, f"bucket {name} does not block public access", (resource.because,))
    if not _denies_plaintext(resource):
        yield found(BUCKET_TLS, resource.arn, f"bucket {name} does not refuse plain HTTP", (resource.because,))
    words = f"{name} {' '.join(resource.tags.values())}".lower()
    keeps = any(word in words for word in ("model", "weight", "checkpoint", "tenant", "customer"))
    if keeps and not encryption_key(run, resource):
        yield found(BUCKET_KEY, resource.arn, f"bucket {name} has no key of its own", (resource.because,))


def _denies_plaintext(resource: Resource) -> bool:
    for statement in resource.policy.statements if resource.policy else ():
        for operator, keys in statement.condition.items():
            for key, values in keys.items():
                if key.lower() == "aws:securetransport" and operator.lower().startswith("bool"):
                    wanted = "false" if statement.effect == "Deny" else "true"
                    if wanted in [value.lower() for value in values]:
                        return True
    return False


def _key(run: Linking, resource: Resource) -> Iterator[Finding]:
    name = resource.arn.rpartition("/")[2]
    if resource.policy is not None:
        answer = run.access.can("*", "kms:Decrypt", resource.arn)
        if answer.state is State.YES:
            places = answer.because or (resource.because,)
            yield found(KEY_ANYONE, resource.arn, f"everyone may decrypt with key {name}", places)
    settings = resource.settings
    symmetric = settings.get("customer_master_key_spec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
    if "terraform" in settings and symmetric and settings.get("enable_key_rotation") is not True:
        yield found(KEY_ROTATION, resource.arn, f"key {name} is not rotated", (resource.because,))


def _notebook(_run: Linking, resource: Resource) -> Iterator[Finding]:
    name, settings = resource.arn.rpartition("/")[2], resource.settings
    direct = settings.get("direct_internet_access", settings.get("DirectInternetAccess", "Enabled"))
    root = settings.get("root_access", settings.get("RootAccess", "Enabled"))
    open_ones = [
        word for word, value in (("direct internet access", direct), ("root access", root)) if value == "Enabled"
    ]
    if open_ones:
        message = f"notebook {name} has {' and '.join(open_ones)}"
        yield found(NOTEBOOK_ROOT, resource.arn, message, (resource.because,))


def _model(_run: Linking, resource: Resource) -> Iterator[Finding]:
    if "terraform" in resource.settings and resource.settings.get("enable_network_isolation") is not True:
        message = f"model {resource.arn.rpartition('/')[2]} runs without network isolation"
        yield found(SAGEMAKER_PLAIN, resource.arn, message, (resource.because,), Severity.LOW)


def _function(_run: Linking, resource: Resource) -> Iterator[Finding]:
    url = resource.settings.get("url")
    if isinstance(url, dict) and url.get("authorization_type") == "NONE":
        message = f"function {resource.arn.rpartition(':')[2]} has a URL that anyone may call"
        yield found(FUNCTION_URL, resource.arn, message, (resource.because,))


def _registry(_run: Linking, resource: Resource) -> Iterator[Finding]:
    settings = resource.settings
    if settings.get("image_tag_mutability", settings.get("imageTagMutability", "MUTABLE")) == "MUTABLE":
        message = f"tags of registry {resource.arn.partition('repository/')[2]} may be moved to other images"
        yield found(REGISTRY_MUTABLE, resource.arn, message, (resource.because,))


_BY_KIND: Final = {
    "s3:bucket": _bucket,
    "kms:key": _key,
    "sagemaker:notebook-instance": _notebook,
    "sagemaker:model": _model,
    "lambda:function": _function,
    "ecr:repository": _registry,
}


def _tenants(seen: Seen) -> Iterator[Finding]:
    """Tenants that share a key, and a tenant's principals that reach another's data."""
    nodes = seen.graph.nodes
    run = Linking(seen.estates.aws, Builder(), Reading(), seen.now)
    keys: dict[str, dict[str, list[Resource]]] = {}
    for arn, resource in sorted(seen.estates.aws.resources.items()):
        key, node = encryption_key(run, resource), nodes.get(arn)
        if key and node is not None and node.boundary.get("tenant"):
            keys.setdefault(key, {}).setdefault(node.boundary["tenant"], []).append(resource)
    for key, tenants in keys.items():
        if len(tenants) > 1:
            places = [resource.because for some in tenants.values() for resource in some]
            message = f"tenants {', '.join(sorted(tenants))} share the key {key.rpartition('/')[2]}"
            yield found(TENANTS_KEY, key, message, places)
    for edge in seen.graph.edges:
        here, there = nodes[edge.source].boundary.get("tenant"), nodes[edge.target].boundary.get("tenant")
        if (
            here
            and there
            and here != there
            and edge.relation in ("reads", "writes", "decrypts")
            and ":iam:" in edge.source
        ):
            state = "" if edge.state is State.YES else "perhaps "
            who, what = nodes[edge.source].name, nodes[edge.target].name
            message = f"{who} of tenant {here} {state}{edge.relation} {what} of tenant {there}"
            confidence = None if edge.state is State.YES else Confidence.LOW
            yield found(TENANTS_ACCESS, f"{edge.source} {edge.target}", message, edge.because, None, confidence)


def _network(seen: Seen) -> Iterator[Finding]:
    for resource in seen.estates.terraform:
        if resource.kind in ("aws_security_group", "aws_default_security_group"):
            for block in resource.blocks("ingress"):
                yield from _open_ports(resource.address, block, resource.file.because(block.line))
        elif resource.kind == "aws_security_group_rule" and resource.get("type") == "ingress":
            yield from _open_ports(resource.address, resource.values, resource.because())
        elif resource.kind == "aws_vpc_security_group_ingress_rule":
            values = {**resource.values, "cidr_blocks": [resource.values.get("cidr_ipv4")]}
            yield from _open_ports(resource.address, values, resource.because())
        elif resource.kind in ("aws_lb_listener", "aws_alb_listener") and resource.get("protocol") in ("HTTP", "TCP"):
            actions_ = [block.get("type") for block in resource.blocks("default_action")]
            if "redirect" not in actions_ and resource.get("protocol") == "HTTP":
                message = f"listener {resource.address} serves HTTP without TLS"
                yield found(PLAIN_LISTENER, resource.address, message, (resource.because("protocol"),))


def _open_ports(address: str, values: Any, because: Any) -> Iterator[Finding]:
    blocks = [*(values.get("cidr_blocks") or ()), *(values.get("ipv6_cidr_blocks") or ())]
    if not {"0.0.0.0/0", "::/0"} & {str(one) for one in blocks}:
        return
    start, end = values.get("from_port"), values.get("to_port")
    every = str(values.get("protocol", values.get("ip_protocol"))) == "-1"
    if every or (isinstance(start, (int, float)) and isinstance(end, (int, float))):
        hit = [port for port in _ADMIN_PORTS if every or start <= port <= end]
        if hit:
            shown = "every port" if every or len(hit) == len(_ADMIN_PORTS) else f"port {hit[0]}"
            yield found(SECURITY_GROUP, address, f"{address} lets the internet reach {shown}", (because,))


CHECKS: Final = (_identities, _resources, _tenants, _network)
