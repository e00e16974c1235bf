"""The collector of AWS resources that Terraform declares, planned or in HCL."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.endpoints import KINDS as NETWORKS
from assaymark.assess.aws.endpoints import Networks
from assaymark.assess.aws.from_terraform_organisation import ABOVE, Declared
from assaymark.assess.aws.from_terraform_tables import OF_POLICIES, ROLES, SERVICES, SETTINGS
from assaymark.assess.aws.records import Records, tags_of
from assaymark.assess.estate.aws import Grant, PolicyDocument, Provider, Statement
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import json_of, mappings
from assaymark.formats.located import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.inputs import Inputs
    from assaymark.formats.located import Map

_IDENTITIES: Final = {"aws_iam_role": "role", "aws_iam_user": "user", "aws_iam_group": "group"}
_INLINE: Final = {
    "aws_iam_role_policy": "role",
    "aws_iam_user_policy": "user",
    "aws_iam_group_policy": "group",
}
_ATTACHMENTS: Final = {
    "aws_iam_role_policy_attachment": "role",
    "aws_iam_user_policy_attachment": "user",
    "aws_iam_group_policy_attachment": "group",
}
_WITHIN_JSON: Final = {"aws_batch_job_definition": ("container_properties", "ecs_properties", "node_properties")}
_OWN_POLICY: Final = ("policy", "access_policies")


def collect(inputs: Inputs, estates: Estates) -> None:
    """Adds what Terraform declares."""
    resources = [one for one in estates.terraform if one.kind.startswith("aws_")]
    if not resources:
        return
    run = _Collecting(Records(inputs, estates.aws), resources)
    for passes in _PASSES:
        for resource in resources:
            step = passes.get(resource.kind)
            if step is not None:
                step(run, resource)
    _unattached(run, resources)
    for resource in resources:
        run.thing(resource)
    run.networks.finish(resources)


def _unattached(run: _Collecting, resources: list[TfResource]) -> None:
    """Policies that the input attaches to nobody, as where a module does it: shown for whoever gets them."""
    estate = run.records.estate
    used = {policy.name for one in estate.identities.values() for policy in (*one.policies, one.boundary) if policy}
    for resource in resources:
        policy = run.policies.get(resource.arn) if resource.kind == "aws_iam_policy" else None
        if policy is not None and policy.name not in used:
            arn = f"arn:aws:iam::{resource.account}:role/<whoever has {resource.address}>"
            run.records.identity(arn, "role", resource.because(), policies=(policy,))


class _Collecting:
    """The resources by kind and by the names that others use for them."""

    def __init__(self, records: Records, resources: list[TfResource]) -> None:
        self.records = records
        self.policies: dict[str, PolicyDocument] = {}
        self.organisation = Declared(records)
        self.networks = Networks(records)
        self.by_name: defaultdict[tuple[str, str], list[TfResource]] = defaultdict(list)
        for resource in resources:
            for name in {resource.arn, resource.text("name"), resource.text("id"), resource.text("bucket")} - {""}:
                self.by_name[resource.kind, name].append(resource)

    def arn(self, kind: str, name: Any) -> str:
        """The ARN of the resource of a kind that a reference names; empty when there is none."""
        if not isinstance(name, str) or not name:
            return ""
        found = self.by_name.get((kind, name))
        if found:
            return found[0].arn
        if not isinstance(name, Unresolved) and name.startswith("arn:"):
            return name
        return ""

    def identity_arn(self, kind: str, name: Any) -> str:
        """The ARN of a user, role or group by its name."""
        return self.arn(f"aws_iam_{kind}", name)

    def identity_of(self, resource: TfResource, kind: str, name: Any) -> str:
        """The ARN of whom a resource is attached to; one that Terraform does not declare is known by its name."""
        account, because = resource.account, resource.because()
        return self.identity_arn(kind, name) or self.records.elsewhere(kind, name, account, because)

    def unknown(self, resource: TfResource, key: str) -> None:
        """Notes a reference that leads nowhere."""
        value = resource.values.get(key)
        shown = value if isinstance(value, str) else "nothing"
        self.records.reading.skip(
            resource.file.path,
            f"{resource.address}: {key} is {shown}, which the input does not declare",
            resource.line,
        )

    def attach(self, resource: TfResource, kind: str, name: Any, key: str, policy: Any) -> None:
        """Attaches a managed policy."""
        arn = self.identity_of(resource, kind, name)
        if not arn or arn not in self.records.estate.identities:
            self.unknown(resource, key)
            return
        for text in policy if isinstance(policy, list) else [policy]:
            if isinstance(text, str):
                known = self.records.known_policy(
                    self.arn("aws_iam_policy", text) or text, self.policies, resource.file, resource.line
                )
                self.records.attach(arn, known, str(text))

    def thing(self, resource: TfResource) -> None:
        """A resource that policies speak of, or that runs as a role."""
        if resource.kind in _IDENTITIES or resource.kind in ("aws_iam_policy", "aws_iam_openid_connect_provider"):
            return
        arn = resource.arn
        role = self.role(resource)
        if not arn:
            if not role:
                return
            arn = f"arn:aws:{_service(resource.kind)}:{resource.region}:{resource.account}:{resource.address}"
        kind = f"{_service(resource.kind)}:{_kind(resource.kind)}"
        policy = None
        for key in _OWN_POLICY:
            if resource.values.get(key) is not None and not resource.kind.startswith("aws_iam"):
                policy = self.records.document(
                    resource.json(key), f"{arn}#policy", resource.file, resource.values.at(key)
                )
        settings = {name: value for name, value in resource.values.items() if value is not None}
        settings |= {"terraform": resource.address, "account": resource.account}
        tags = tags_of(resource.values.get("tags"))
        because = resource.because()
        self.records.resource(arn, kind, because, role=role, policy=policy, tags=tags, settings=settings)

    def _role_within(self, resource: TfResource) -> str:
        """The role that stands in JSON of a resource, or that the instances of a cluster of EMR have."""
        for name in _WITHIN_JSON.get(resource.kind, ()):
            for inner in mappings(resource.json(name)):
                found = self.identity_arn("role", inner.get("jobRoleArn") or inner.get("JobRoleArn"))
                if found:
                    return found
        for block in resource.blocks("ec2_attributes"):
            for one in self.by_name.get(("aws_iam_instance_profile", str(block.get("instance_profile"))), ()):
                return self.identity_arn("role", one.get("role"))
        return ""

    def role(self, resource: TfResource) -> str:
        """The role that a resource runs as; empty for none."""
        within = self._role_within(resource)
        if within:
            return within
        for place in ROLES.get(resource.kind, ()):
            block, _, key = place.rpartition(".")
            for inner in resource.blocks(block) if block else [resource.values]:
                found = self.identity_arn("role", inner.get(key))
                if found:
                    return found
        profile = resource.text("iam_instance_profile")
        for inner in resource.blocks("iam_instance_profile"):
            profile = profile or next((str(inner[key]) for key in ("name", "arn") if inner.get(key)), "")
        if profile:
            for one in self.by_name.get(("aws_iam_instance_profile", profile), ()):
                return self.identity_arn("role", one.get("role"))
        if resource.kind == "aws_iam_instance_profile":
            return self.identity_arn("role", resource.get("role"))
        return ""


def _service(kind: str) -> str:
    word = kind.split("_")[1]
    return SERVICES.get(word, word)


def _kind(kind: str) -> str:
    rest = kind.split("_", 2)[2] if kind.count("_") > 1 else kind.split("_")[1]
    return rest.replace("_", "-")


def _policy(run: _Collecting, resource: TfResource) -> None:
    document = run.records.document(
        resource.json("policy"), resource.arn, resource.file, resource.values.at("policy")
    )
    if document is not None:
        run.policies[resource.arn] = document


def _identity(run: _Collecting, resource: TfResource) -> None:
    records, arn, kind = run.records, resource.arn, _IDENTITIES[resource.kind]
    records.identity(arn, kind, resource.because(), tags=tags_of(resource.values.get("tags")))
    if resource.values.get("assume_role_policy") is not None:
        trust = records.document(
            resource.json("assume_role_policy"),
            f"{arn}#trust",
            resource.file,
            resource.values.at("assume_role_policy"),
        )
        records.identity(arn, kind, resource.because(), trust=trust)
    for block in resource.blocks("inline_policy"):
        if block.get("policy") is not None:
            name = f"{arn}#{block.get('name', 'inline')}"
            records.attach(
                arn, records.document(_json(block, "policy"), name, resource.file, block.at("policy")), name
            )
    run.attach(resource, kind, arn, "managed_policy_arns", resource.values.get("managed_policy_arns") or [])
    boundary = resource.get("permissions_boundary")
    if isinstance(boundary, str) and boundary and not boundary.startswith("${" + resource.address):
        name = run.arn("aws_iam_policy", boundary) or boundary
        limit = records.known_policy(name, run.policies, resource.file, resource.line)
        if limit is None:
            records.reading.gap(f"the boundary {boundary} of {arn} is not in the input; it may forbid more")
        records.identity(arn, kind, resource.because(), boundary=limit, bounded_by=name)


def _json(values: Map, key: str) -> Any:
    return json_of(values.get(key), values.at(key))


def _inline(run: _Collecting, resource: TfResource) -> None:
    kind = _INLINE[resource.kind]
    arn = run.identity_of(resource, kind, resource.get(kind))
    name = f"{arn}#{resource.address}"
    line = resource.values.at("policy")
    document = run.records.document(resource.json("policy"), name, resource.file, line)
    if not arn or not run.records.attach(arn, document, name):
        run.unknown(resource, kind)


def _attachment(run: _Collecting, resource: TfResource) -> None:
    kind = _ATTACHMENTS[resource.kind]
    run.attach(resource, kind, resource.get(kind), kind, resource.get("policy_arn"))


def _attachments(run: _Collecting, resource: TfResource) -> None:
    for kind in ("role", "user", "group"):
        for name in listed(resource.get(f"{kind}s")):
            run.attach(resource, kind, name, f"{kind}s", resource.get("policy_arn"))


def _membership(run: _Collecting, resource: TfResource) -> None:
    users = listed(resource.get("users")) or [resource.get("user")]
    groups = listed(resource.get("groups")) or [resource.get("group")]
    for user in users:
        arn = run.identity_arn("user", user)
        if arn in run.records.estate.identities:
            names = tuple(found for group in groups if (found := run.identity_arn("group", group)))
            run.records.identity(arn, "user", resource.because(), groups=names)


def _access_key(run: _Collecting, resource: TfResource) -> None:
    arn = run.identity_arn("user", resource.get("user"))
    active = resource.values.get("status") != "Inactive"
    if active and arn in run.records.estate.identities:
        run.records.identity(arn, "user", resource.because(), keys=(resource.because(),))


def _provider(run: _Collecting, resource: TfResource) -> None:
    kind = "saml" if "saml" in resource.kind else "oidc"
    issuer = resource.text("url").removeprefix("https://") or resource.text("name")
    audiences = tuple(one for one in listed(resource.get("client_id_list")) if isinstance(one, str))
    run.records.estate.providers[resource.arn] = Provider(resource.arn, kind, issuer, resource.because(), audiences)


def _resource_policy(run: _Collecting, resource: TfResource) -> None:
    named = resource.get(OF_POLICIES[resource.kind])
    owner = resource.kind.removesuffix("_policy")
    arn = run.arn(owner, named)
    if not arn and resource.kind == "aws_s3_bucket_policy" and isinstance(named, str):
        arn = f"arn:aws:s3:::{named}"
    if not arn:
        run.unknown(resource, OF_POLICIES[resource.kind])
        return
    document = run.records.document(
        resource.json("policy"), f"{arn}#policy", resource.file, resource.values.at("policy")
    )
    kind = f"{_service(owner)}:{_kind(owner)}"
    unread = {"policy_unread": True} if document is None else {}
    run.records.resource(arn, kind, resource.because(), policy=document, settings=unread)


def _setting(run: _Collecting, resource: TfResource) -> None:
    name, key = SETTINGS[resource.kind]
    named = resource.get(key)
    owner = "aws_lambda_function" if "lambda" in resource.kind else "aws_s3_bucket"
    arn = run.arn(owner, named) or (
        f"arn:aws:s3:::{named}" if owner == "aws_s3_bucket" and isinstance(named, str) else ""
    )
    if arn:
        kind = f"{_service(owner)}:{_kind(owner)}"
        run.records.resource(arn, kind, resource.because(), settings={name: resource.values})


def _permission(run: _Collecting, resource: TfResource) -> None:
    """``aws_lambda_permission`` adds a statement to a function's policy."""
    arn = run.arn("aws_lambda_function", resource.get("function_name"))
    principal = resource.text("principal")
    if not arn or not principal:
        return
    service = "." in principal and not principal.startswith("arn:")
    principals = {"*": ("*",)} if principal == "*" else {"Service" if service else "AWS": (principal,)}
    condition: dict[str, dict[str, tuple[str, ...]]] = {}
    for key, operator, name in (
        ("source_arn", "ArnLike", "AWS:SourceArn"),
        ("source_account", "StringEquals", "AWS:SourceAccount"),
        ("principal_org_id", "StringEquals", "aws:PrincipalOrgID"),
        ("function_url_auth_type", "StringEquals", "lambda:FunctionUrlAuthType"),
    ):
        if resource.text(key) and resource.values.get(key) is not None:
            condition.setdefault(operator, {})[name] = (resource.text(key),)
    statement = Statement(
        "Allow",
        resource.because(),
        sid=resource.text("statement_id"),
        actions=(resource.text("action") or "lambda:InvokeFunction",),
        resources=(arn,),
        principals=principals,
        condition=condition,
    )
    policy = PolicyDocument(f"{arn}#policy", (statement,), resource.because())
    run.records.resource(arn, "lambda:function", resource.because(), policy=policy)


def _grant(run: _Collecting, resource: TfResource) -> None:
    key = run.arn("aws_kms_key", resource.get("key_id"))
    grantee = run.identity_arn("role", resource.get("grantee_principal")) or resource.text("grantee_principal")
    operations = tuple(str(one) for one in listed(resource.get("operations")))
    constrained = bool(resource.blocks("constraints"))
    run.records.estate.grants.append(Grant(key, grantee, operations, resource.because(), constrained))


def _account_block(run: _Collecting, resource: TfResource) -> None:
    account = resource.text("account_id") or resource.account
    run.records.estate.public_access_blocks[account] = resource.values


def _steps(kinds: Iterable[str], step: Callable[[_Collecting, TfResource], None]) -> dict[str, Any]:
    return dict.fromkeys(kinds, step)


_PASSES: Final[tuple[dict[str, Callable[[_Collecting, TfResource], None]], ...]] = (
    _steps(("aws_iam_policy",), _policy),
    _steps(_IDENTITIES, _identity),
    {
        **_steps(_INLINE, _inline),
        **_steps(_ATTACHMENTS, _attachment),
        **_steps(("aws_iam_policy_attachment",), _attachments),
        **_steps(("aws_iam_group_membership", "aws_iam_user_group_membership"), _membership),
        **_steps(("aws_iam_access_key",), _access_key),
        **_steps(("aws_iam_openid_connect_provider", "aws_iam_saml_provider"), _provider),
        **_steps(OF_POLICIES, _resource_policy),
        **_steps(SETTINGS, _setting),
        **_steps(("aws_lambda_permission",), _permission),
        **_steps(("aws_kms_grant",), _grant),
        **_steps(("aws_s3_account_public_access_block",), _account_block),
        **_steps(NETWORKS, lambda run, resource: run.networks.place(resource)),
        **_steps(ABOVE, lambda run, resource: run.organisation.place(resource)),
    },
    _steps(("aws_organizations_policy",), lambda run, resource: run.organisation.control(resource)),
)
