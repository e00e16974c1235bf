"""What roles, users and groups may do that nobody should: everything, all of a service, pass every role.

Whether they may is decided by all policies that apply to them, never by one statement: a boundary, a deny or a
policy of the organisation takes back what a statement allows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.rule_list import ADMIN, PASS_ROLE, SERVICE_WILDCARD, STATIC_KEY
from assaymark.assess.rule import found
from assaymark.assess.unresolved import Unresolved
from assaymark.core.graph import State
from assaymark.core.report import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Identity, Statement
    from assaymark.assess.rule import Seen
    from assaymark.core.report import Finding

# What an identity that may do everything with a service may do for certain: two of its actions that say so.
_WATCHED: Final = {
    "bedrock": ("bedrock:InvokeModel", "bedrock:DeleteCustomModel"),
    "dynamodb": ("dynamodb:GetItem", "dynamodb:DeleteTable"),
    "ecr": ("ecr:BatchGetImage", "ecr:PutImage"),
    "iam": ("iam:CreateUser", "iam:AttachRolePolicy"),
    "kms": ("kms:Decrypt", "kms:ScheduleKeyDeletion"),
    "lambda": ("lambda:InvokeFunction", "lambda:UpdateFunctionCode"),
    "organizations": ("organizations:ListAccounts",),
    "rds": ("rds:ModifyDBInstance", "rds:DeleteDBInstance"),
    "s3": ("s3:GetObject", "s3:DeleteBucket"),
    "sagemaker": ("sagemaker:CreateTrainingJob", "sagemaker:InvokeEndpoint"),
    "secretsmanager": ("secretsmanager:GetSecretValue", "secretsmanager:DeleteSecret"),
    "ssm": ("ssm:GetParameter", "ssm:PutParameter"),
    "sts": ("sts:AssumeRole",),
}
_EVERYTHING: Final = ("iam:AttachRolePolicy", "s3:GetObject", "kms:Decrypt", "ec2:RunInstances")
_NO_NARROWING: Final = frozenset(("aws:requestedregion", "aws:securetransport"))
_SERVICE_LINKED: Final = ":role/aws-service-role/"  # AWS writes their policies, and nobody can change them
_BY_PEOPLE: Final = ":role/aws-reserved/sso.amazonaws.com/"
# The types whose pattern over all names means all that a service keeps.
_WHOLE: Final = {
    "dynamodb": "table",
    "ecr": "repository",
    "kms": "key",
    "lambda": "function",
    "secretsmanager": "secret",
    "ssm": "parameter",
}


def check_identities(run: Linking, seen: Seen) -> Iterator[Finding]:
    """Findings about roles, users and groups."""
    del seen
    for who in run.principals:
        if _SERVICE_LINKED in who.arn:
            continue
        once: dict[tuple[str, str], Finding] = {}
        for policy in who.policies:
            for statement in policy.statements:
                if statement.effect == "Allow":
                    for finding in _statement(run, who, statement):
                        once.setdefault((finding.rule, finding.name), finding)
        yield from once.values()
        for place in who.keys:
            message = f"user {who.name} has an access key that lives until somebody deletes it"
            yield found(STATIC_KEY, who.arn, message, (place,))


def _statement(run: Linking, who: Identity, statement: Statement) -> Iterator[Finding]:
    keys = {key.lower() for keys in statement.condition.values() for key in keys}
    if keys - _NO_NARROWING:
        return
    words = {one.lower() for one in statement.actions if not isinstance(one, Unresolved)}
    somewhere = " in some regions" if keys else ""
    if _is_any(statement.resources):
        if {"*", "*:*"} & words and _may(run, who, _EVERYTHING):
            severity = Severity.MEDIUM if somewhere or _BY_PEOPLE in who.arn else None
            message = f"{who.kind} {who.name} may do everything on everything{somewhere}"
            yield found(ADMIN, who.arn, message, (statement.because,), severity)
            return
        if statement.not_actions is not None:
            left = ", ".join(statement.not_actions[:3])
            if _may(run, who, ("s3:GetObject", "kms:Decrypt")) and "*" not in statement.not_actions:
                message = f"{who.kind} {who.name} may do everything but {left} (NotAction)"
                yield found(ADMIN, who.arn, message, (statement.because,), Severity.MEDIUM, Confidence.MEDIUM)
            return
    yield from _services(run, who, statement, words)


def _services(run: Linking, who: Identity, statement: Statement, words: set[str]) -> Iterator[Finding]:
    named = {word.partition(":")[0] for word in words if word.endswith(":*")} & set(_WATCHED)
    wide = sorted(
        service
        for service in named
        if any(_all_of(one, service) for one in statement.resources) and _may(run, who, _WATCHED[service])
    )
    if wide:
        message = f"{who.kind} {who.name} may do everything with {', '.join(wide)}, on every resource"
        severity = Severity.HIGH if "iam" in wide else None
        yield found(SERVICE_WILDCARD, f"{who.arn}#{','.join(wide)}", message, (statement.because,), severity)
    passes = {"iam:*", "iam:pass*", "iam:passrole", "iam:p*"} & words and "iam" not in wide
    if passes and any(_all_roles(one) for one in statement.resources) and _may(run, who, ("iam:PassRole",)):
        message = f"{who.kind} {who.name} may pass every role of the account to every service"
        yield found(PASS_ROLE, who.arn, message, (statement.because,))


def _may(run: Linking, who: Identity, actions: Iterable[str]) -> bool:
    """Whether no policy that applies to the identity takes these back."""
    return all(run.access.can(who.arn, action).state is not State.NO for action in actions)


def _is_any(resources: Iterable[str]) -> bool:
    return any(one and not one.strip("*") for one in resources)


def _all_of(resource: str, service: str) -> bool:
    """Whether a resource pattern means all that a service keeps in an account or a region."""
    if isinstance(resource, Unresolved):
        return False
    if _is_any((resource,)):
        return True
    parts = resource.split(":", 5)
    if len(parts) < 6 or parts[2] not in (service, "*"):  # noqa: PLR2004
        return False
    if service == "s3":
        return parts[5] in ("*", "*/*")
    kind = _WHOLE.get(service)
    return parts[5] == "*" or (kind is not None and bool(re.fullmatch(rf"{kind}[/:]\*", parts[5])))


def _all_roles(resource: str) -> bool:
    return _all_of(resource, "iam") or bool(
        not isinstance(resource, Unresolved) and re.fullmatch(r"arn:[\w*-]+:iam::(?:\*|\d{12}):role/\*", resource)
    )
