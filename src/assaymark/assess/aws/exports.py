"""The collector of what the AWS CLI writes and of policies that lie about as JSON files.

Known by content: ``iam get-account-authorization-details``; ``get-role``, ``list-roles`` and ``list-users``;
``get-bucket-policy``, ``get-key-policy`` and their like; ``kms list-grants``; identity providers; ``describe`` and
``list`` answers of services whose things run as roles; policies of an organisation; policies alone.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.endpoints import exported, routed
from assaymark.assess.aws.records import Records, tags_of
from assaymark.assess.aws.used import uses
from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT, Grant, Provider
from assaymark.assess.terraform.identity import REGION
from assaymark.assess.values import json_of, mappings
from assaymark.formats.located import Map, listed, maps_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.estate.aws import PolicyDocument
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs

_DETAILS: Final = ("UserDetailList", "RoleDetailList", "GroupDetailList", "Policies")
_ENTITIES: Final = {"UserDetailList": "user", "RoleDetailList": "role", "GroupDetailList": "group"}
_LISTS: Final = {"Users": "user", "Roles": "role", "Groups": "group"}
_ONE: Final = {"User": "user", "Role": "role", "Group": "group"}
_INLINE: Final = ("UserPolicyList", "RolePolicyList", "GroupPolicyList")
_LEFT_OUT: Final = ("Tags", "PermissionsBoundary")  # of lists, which somebody may have put there all the same
_CONTROLS: Final = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}
_ACCOUNT: Final = re.compile(r"arn:[\w-]+:organizations::(\d{12}):account/(o-[a-z0-9]{10,32})/(\d{12})")
# Fields that hold the ARN of the role that a thing runs as.
_ROLES: Final = (
    *("RoleArn", "ExecutionRoleArn", "Role", "roleArn", "executionRoleArn", "TaskRoleArn", "taskRoleArn"),
    *("ServiceRole", "serviceRole", "agentResourceRoleArn", "ServiceRoleArn"),
)
_OF_JOBS: Final = ("jobRoleArn", "taskRoleArn")  # what containers of Batch's jobs run as
_COLONS: Final = 5  # of an ARN


def collect(inputs: Inputs, estates: Estates) -> None:
    """Adds what exports say. Authorization details come first, since others refer to them; lists show the least."""
    records = Records(inputs, estates.aws)
    rest = []
    for file, value in inputs.maps():
        if any(key in value for key in _DETAILS) and _is_details(value):
            _details(records, file, value)
            inputs.reading.read.add(file.path)
        elif "format_version" not in value:  # what Terraform shows of itself is another collector's
            rest.append((file, value))
    for file, value in sorted(rest, key=lambda one: not any(key in one[1] for key in ("User", "Role"))):
        quoted = file.path in inputs.quoted and "Statement" in value
        if (
            quoted
            or _entities(records, file, value)
            or _answers(records, file, value)
            or _policy(records, file, value)
        ):
            inputs.reading.read.add(file.path)
    routed(records)


def _is_details(value: Map) -> bool:
    items = [item for key in _DETAILS for item in _maps(value.get(key))]
    return not items or any("Arn" in item for item in items)


def _maps(value: Any) -> list[Map]:
    return [item for item in value if isinstance(item, Map)] if isinstance(value, list) else []


def _details(records: Records, file: SourceFile, value: Map) -> None:
    if value.get("IsTruncated") is True:
        records.reading.skip(file.path, "the export is truncated: it goes on in another one (Marker)", value.line)
    policies: dict[str, PolicyDocument] = {}
    for item in _maps(value.get("Policies")):
        for version in _maps(item.get("PolicyVersionList")):
            if version.get("IsDefaultVersion") is True or version.get("VersionId") == item.get("DefaultVersionId"):
                text = json_of(version.get("Document"), version.at("Document"))
                document = records.document(text, str(item.get("Arn")), file, version.line)
                if document is not None:
                    policies[str(item.get("Arn"))] = document
    for key, kind in _ENTITIES.items():
        for item in _maps(value.get(key)):
            _entity(records, file, item, kind, policies)


def _entities(records: Records, file: SourceFile, value: Map) -> bool:
    """``list-roles`` and ``get-role``: identities without the text of their policies.

    Lists leave tags and boundaries out, answers about one have both (IAM API Reference, ``ListRoles``, ``GetRole``).
    """
    found = [
        (item, kind, kind != "group" and not any(one in item for one in _LEFT_OUT))
        for key, kind in _LISTS.items()
        for item in _maps(value.get(key))
        if "Arn" in item
    ]
    found += [
        (value[key], kind, False)
        for key, kind in _ONE.items()
        if isinstance(value.get(key), Map) and "Arn" in value[key]
    ]
    for item, kind, partly in found:
        if str(item["Arn"]) not in records.estate.identities and str(item["Arn"]).count(":") >= _COLONS:
            opaque = (f"the policies of {item['Arn']}",)
            _entity(records, file, item, kind, {}, partly=partly)
            records.identity(str(item["Arn"]), kind, file.because(item.line), opaque=opaque)
    return bool(found)


def _entity(
    records: Records,
    file: SourceFile,
    item: Map,
    kind: str,
    policies: dict[str, PolicyDocument],
    *,
    partly: bool = False,
) -> None:
    arn = str(item.get("Arn"))
    because = file.because(item.at("Arn"))
    if arn.count(":") < _COLONS:
        records.reading.skip(file.path, f"a {kind} whose Arn is no ARN", item.line)
        return
    records.identity(arn, kind, because, **({"listed": True} if partly else {"tags": tags_of(item.get("Tags"))}))
    for key in _INLINE:
        for policy in _maps(item.get(key)):
            text = json_of(policy.get("PolicyDocument"), policy.at("PolicyDocument"))
            name = f"{arn}#{policy.get('PolicyName')}"
            records.attach(arn, records.document(text, name, file, policy.line), name)
    for policy in _maps(item.get("AttachedManagedPolicies")):
        name = str(policy.get("PolicyArn"))
        records.attach(arn, records.known_policy(name, policies, file, policy.line), name)
    if "AssumeRolePolicyDocument" in item:
        text = json_of(item["AssumeRolePolicyDocument"], item.at("AssumeRolePolicyDocument"))
        line = item.at("AssumeRolePolicyDocument")
        records.identity(arn, kind, because, trust=records.document(text, f"{arn}#trust", file, line))
    boundary = item.get("PermissionsBoundary")
    if isinstance(boundary, Map):
        name = str(boundary.get("PermissionsBoundaryArn"))
        limit = records.known_policy(name, policies, file, boundary.line)
        if limit is None:
            records.reading.gap(f"the boundary {name} of {arn} is not in the input; it may forbid more than is shown")
        records.identity(arn, kind, because, boundary=limit, bounded_by=name)
    account = arn.split(":")[4]
    for group in listed(item.get("GroupList")):
        if isinstance(group, str):
            records.identity(arn, kind, because, groups=(_group_arn(records, account, group),))
    for profile in _maps(item.get("InstanceProfileList")):
        name = str(profile.get("Arn"))
        records.resource(name, "iam:instance-profile", file.because(profile.line), role=arn)


def _group_arn(records: Records, account: str, name: str) -> str:
    for arn, identity in records.estate.identities.items():
        if identity.kind == "group" and identity.account == account and identity.name == name:
            return arn
    return f"arn:aws:iam::{account}:group/{name}"


def _answers(records: Records, file: SourceFile, value: Map) -> bool:
    """Answers of other calls; whether it was one."""
    known = False
    if _maps(value.get("Grants")) and any("GranteePrincipal" in item for item in value["Grants"]):
        known = True
        for item in _maps(value["Grants"]):
            operations = tuple(str(one) for one in listed(item.get("Operations")))
            key = str(item.get("KeyId"))
            grantee = str(item.get("GranteePrincipal"))
            constrained = bool(item.get("Constraints"))
            records.estate.grants.append(Grant(key, grantee, operations, file.because(item.line), constrained))
    if isinstance(value.get("Url"), str) and "ClientIDList" in value:
        known = True
        issuer = value["Url"].removeprefix("https://")
        account = str(value.get("Account", _only_account(records)))
        arn = f"arn:aws:iam::{account}:oidc-provider/{issuer}"
        audiences = tuple(one for one in listed(value.get("ClientIDList")) if isinstance(one, str))
        records.estate.providers[arn] = Provider(arn, "oidc", issuer, file.because(value.line), audiences)
    known |= _mappings(records, file, value)
    organisation = value.get("Organization")
    if isinstance(organisation, Map) and str(organisation.get("MasterAccountId", "")).isdigit():
        known = True
        records.estate.management = str(organisation["MasterAccountId"])
        records.estate.organisation = str(organisation.get("Id") or records.estate.organisation)
    for item in _maps(value.get("Accounts")):
        parts = _ACCOUNT.fullmatch(str(item.get("Arn")))
        if parts is not None:
            known = True
            records.estate.management, records.estate.organisation = parts[1], parts[2]
            records.estate.members.add(parts[3])
    for item in _maps(value.get("Buckets")):
        if isinstance(item.get("Name"), str):
            known = True
            records.resource(f"arn:aws:s3:::{item['Name']}", "s3:bucket", file.because(item.at("Name")))
    known = exported(records, file, value) or known
    known = _glue_jobs(records, file, value) or known
    used = list(uses(file, value))
    records.estate.uses += used
    if not used:
        for item in _things(value):
            known = True
            _thing(records, file, item)
    return known or bool(used)


def _mappings(records: Records, file: SourceFile, value: Map) -> bool:
    """``lambda list-event-source-mappings``; whether it was one."""
    known = False
    for item in _maps(value.get("EventSourceMappings")):
        source, target = item.get("EventSourceArn"), item.get("FunctionArn")
        if isinstance(source, str) and isinstance(target, str):
            known = True
            if item.get("State") not in ("Disabled", "Disabling"):
                records.estate.mappings.append((source, target, file.because(item.line)))
                if ":sqs:" in source:
                    records.resource(source, _UNTYPED["sqs"], file.because(item.at("EventSourceArn")))
    return known


def _only_account(records: Records) -> str:
    accounts = {identity.account for identity in records.estate.identities.values()}
    return accounts.pop() if len(accounts) == 1 else UNKNOWN_ACCOUNT


def _things(value: Map, depth: int = 0) -> Iterator[Map]:
    """Mappings that have an ARN of their own and are not of IAM: what ``describe`` and ``list`` answer with."""
    if _own_arn(value):
        yield value
        return
    if depth < 4:  # noqa: PLR2004 - Reservations, Instances, one; nothing lists deeper
        for item in value.values():
            for inner in [item] if isinstance(item, Map) else _maps(item):
                yield from _things(inner, depth + 1)


def _own_arn(value: Map) -> str:
    """The ARN that a thing calls its own: ``Arn``, ``<Kind>Arn``, with a role or a name beside."""
    for key, item in value.items():
        arn = isinstance(item, str) and item.startswith("arn:") and item.count(":") >= _COLONS and ":iam:" not in item
        if arn and key.lower().endswith("arn"):
            named = (
                key.lower() in ("arn", "keyarn", "queuearn", "topicarn")
                or f"{key[:-3]}Name" in value
                or f"{key[:-3].lower()}Name" in value
                or f"{key[:-3]}Id" in value
            )
            if named or any(role in value for role in _ROLES):
                return str(item)
    return ""


# Services whose ARNs do not say what kind of thing it is.
_UNTYPED: Final = {"s3": "s3:bucket", "sns": "sns:topic", "sqs": "sqs:queue"}


def _thing(records: Records, file: SourceFile, value: Map) -> None:
    arn = _own_arn(value)
    parts = arn.split(":", 5)
    kind = f"{parts[2]}:{parts[5].partition('/')[0].partition(':')[0]}" if len(parts) > 5 else parts[2]  # noqa: PLR2004
    kind = _UNTYPED.get(parts[2], kind) if "/" not in parts[-1] else kind
    role = _role_of(value)
    if kind == "batch:job-definition":
        within = (value.get(key) for key in ("containerProperties", "ecsProperties", "nodeProperties"))
        role = next((found for part in mappings(*within) if (found := _role_of(part, _OF_JOBS))), role)
    profile = value.get("IamInstanceProfile")
    if isinstance(profile, Map) and isinstance(profile.get("Arn"), str):
        known = records.estate.resources.get(profile["Arn"])
        role = known.role if known else role
    settings = {key: item for key, item in value.items() if item is not None}
    text = json_of(value.get("Policy"), value.at("Policy")) if kind in _UNTYPED.values() else None
    policy = records.document(text, f"{arn}#policy", file, value.at("Policy")) if isinstance(text, Map) else None
    tags, because = tags_of(value.get("Tags")), file.because(value.line)
    records.resource(arn, kind, because, role=role, policy=policy, tags=tags, settings=settings)


def _role_of(value: Map, keys: Iterable[str] = _ROLES) -> str:
    return next((str(value[key]) for key in keys if isinstance(value.get(key), str) and ":role/" in value[key]), "")


def _glue_jobs(records: Records, file: SourceFile, value: Map) -> bool:
    """``glue get-jobs`` and ``get-job``, whose answers have no ARN; whether it was one."""
    known = False
    for item in (*maps_in(value.get("Job")), *_maps(value.get("Jobs"))):
        name, role = item.get("Name"), item.get("Role")
        if not (isinstance(item.get("Command"), Map) and isinstance(name, str) and isinstance(role, str)):
            continue
        known = True
        account = role.split(":")[4] if role.count(":") >= _COLONS else _only_account(records)
        full = role if ":role/" in role else f"arn:aws:iam::{account}:role/{role}"
        arn, settings = (
            f"arn:aws:glue:{REGION}:{account}:job/{name}",
            {k: v for k, v in item.items() if v is not None},
        )
        records.resource(arn, "glue:job", file.because(item.line), role=full, settings=settings)
    return known


def _policy(records: Records, file: SourceFile, value: Map) -> bool:
    """A policy alone, or an answer that holds one; whether it was one."""
    inner = value.get("Policy")
    content = value.get("Content")
    beside = listed(value.get("Targets"))
    if isinstance(inner, Map) and (
        isinstance(inner.get("PolicySummary"), Map) or isinstance(inner.get("Content"), str)
    ):
        value, content = inner, inner.get("Content")
        inner = None
    if content is not None:
        inner_summary = value.get("PolicySummary")
        summary = inner_summary if isinstance(inner_summary, Map) else value
        kind = _CONTROLS.get(str(summary.get("Type", "SERVICE_CONTROL_POLICY")))
        document = json_of(content, value.at("Content"))
        if kind and isinstance(document, Map):
            targets = tuple(
                str(item.get("TargetId") if isinstance(item, Map) else item)
                for item in listed(value.get("Targets")) or beside
            )
            parsed = records.document(document, str(summary.get("Name", file.path)), file, value.line)
            records.control(kind, parsed, targets or ("*",))
            return True
        return False
    document = json_of(inner, value.at("Policy")) if isinstance(inner, str) else value
    if not isinstance(document, Map) or "Statement" not in document:
        return False
    if not _looks_like_policy(document):
        return False
    return _alone(records, file, document)


def _looks_like_policy(document: Map) -> bool:
    statements = document["Statement"]
    items = [statements] if isinstance(statements, Map) else _maps(statements)
    return any("Effect" in item and ("Action" in item or "NotAction" in item) for item in items)


def _alone(records: Records, file: SourceFile, document: Map) -> bool:
    """A policy that no file attaches: it is an organisation's, a resource's, or that of whoever has it."""
    words = posixpath.basename(file.path).lower().replace("_", "-")
    folder = file.path.lower()
    parsed = records.document(document, file.path, file, document.line)
    if parsed is None:
        return True
    for word, kind in (("scp", "scp"), ("service-control", "scp"), ("rcp", "rcp"), ("resource-control", "rcp")):
        if word in words.split(".")[0].split("-") or (word in folder and len(word) > 3):  # noqa: PLR2004
            records.control(kind, parsed)
            return True
    if any(statement.principals or statement.not_principals for statement in parsed.statements):
        resources = sorted({_owner(one) for statement in parsed.statements for one in statement.resources} - {""})
        if not resources:
            records.reading.skip(file.path, "a trust or key policy whose role or key no file names", document.line)
        for arn in resources:
            service = f"{arn}:::".split(":")[2]
            kind = {"kms": "kms:key", **_UNTYPED}.get(service, service)
            records.resource(arn, kind, file.because(document.line), policy=parsed)
        return True
    if "boundary" in words:
        records.reading.skip(file.path, "a permissions boundary that no file attaches", document.line)
        return True
    arn = f"arn:aws:iam::{_only_account(records)}:role/<whoever has {file.path}>"
    records.identity(arn, "role", file.because(document.line), policies=(parsed,))
    return True


def _owner(resource: str) -> str:
    """The thing that a resource of a policy is, or is a part of; empty for a pattern that means many."""
    parts = resource.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":  # noqa: PLR2004
        return ""
    owner = resource.partition("/")[0] if parts[2] == "s3" else resource
    return "" if "*" in owner else owner
