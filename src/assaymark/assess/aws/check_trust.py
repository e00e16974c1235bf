"""Whom roles trust: other accounts, everyone, tokens of identity providers.

Sources: IAM User Guide, "The confused deputy problem" and "Create a role for OpenID Connect federation"; GitHub,
GitLab and HashiCorp documentation on the subjects of their tokens.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.document import OPEN
from assaymark.assess.aws.rule_list import CONFUSED_DEPUTY, OIDC_AUDIENCE, OIDC_SUBJECT, TRUST_ANYONE
from assaymark.assess.aws.strangers import strange_name
from assaymark.assess.aws.trust import claimed, issuer_of, named_subjects
from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT
from assaymark.assess.rule import found
from assaymark.assess.unresolved import HOLE, Unresolved, pattern_of
from assaymark.core.report import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Identity, Statement
    from assaymark.assess.rule import Seen
    from assaymark.core.report import Finding

_COGNITO: Final = "cognito-identity.amazonaws.com"
# Issuers that sign for one cluster, account or organisation each: their subjects are one's own.
_OURS: Final = re.compile(
    r"oidc\.eks\.|container\.googleapis\.com/v1/projects/|\.oic\.prod-aks\.azure\.com/|oidc\.circleci\.com/org/"
    r"|api\.bitbucket\.org/2\.0/workspaces/|token\.actions\.githubusercontent\.com/."
)
_GUARDS: Final = frozenset(
    (
        *("sts:externalid", "aws:principalorgid", "aws:principalorgpaths", "aws:multifactorauthpresent"),
        *("aws:principalarn", "aws:principalaccount", "aws:sourceip", "aws:sourcevpc", "aws:sourcevpce"),
        *("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:vpcsourceip"),
        *("aws:multifactorauthage",),
    )
)
# Claims besides the subject that say whose a token of GitHub is.
_OWNER_CLAIMS: Final = (
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "job_workflow_ref",
    "enterprise_id",
)


def check_trust(run: Linking, seen: Seen) -> Iterator[Finding]:
    """Findings about the trust policies of roles."""
    del seen
    accounts = {one.account for one in run.principals}
    for who in run.principals:
        once: dict[tuple[str, str], Finding] = {}
        for statement in who.trust.statements if who.kind == "role" and who.trust else ():
            if statement.effect == "Allow" and OPEN not in statement.condition and _assumes(statement):
                for finding in (*_accounts(who, statement, accounts), *_tokens(run, who, statement)):
                    once.setdefault((finding.rule, finding.name), finding)
        yield from once.values()


def _assumes(statement: Statement) -> bool:
    """``sts:TagSession`` alone gives nobody the role."""
    if statement.not_actions is not None:
        return True
    return any(one.lower().startswith(("sts:assume", "sts:*", "*")) for one in statement.actions)


def _guarded(statement: Statement) -> bool:
    """Whether a condition narrows who it is; one that holds without its key, or for any value, does not."""
    for operator, keys in statement.condition.items():
        bare = operator.lower().rpartition(":")[2]
        if "not" in bare or bare == "null" or bare.endswith("ifexists") or "forallvalues" in operator.lower():
            continue
        for key, values in keys.items():
            name = key.lower()
            if name not in _GUARDS and not name.startswith("aws:principaltag/"):
                continue
            if name == "aws:multifactorauthpresent" and "true" not in [value.lower() for value in values]:
                continue
            if name == "aws:principalarn" and any(strange_name(value) for value in values):
                continue
            if any(value.strip("*") == "" or value in ("0.0.0.0/0", "::/0") for value in values):
                continue
            return True
    return False


def _accounts(who: Identity, statement: Statement, ours: set[str]) -> Iterator[Finding]:
    principals = statement.principals or {}
    if _guarded(statement):
        return
    named = principals.get("AWS", ())
    everyone = "*" in principals or "*" in named or statement.not_principals is not None
    if everyone:
        yield found(TRUST_ANYONE, who.arn, f"role {who.name} trusts every AWS account", (statement.because,))
    for value in named:
        account = value.split(":")[4] if value.count(":") > 4 else ""  # noqa: PLR2004
        if isinstance(value, Unresolved) or not account or account in ours or account == UNKNOWN_ACCOUNT:
            continue
        whole = value.endswith(":root")
        shown = f"account {account}" if whole else value
        message = f"role {who.name} trusts {shown} without an external id or an organisation"
        sure = None
        if who.account == UNKNOWN_ACCOUNT:
            message += ", unless that is its own account, which the input does not say"
            sure = Confidence.LOW
        severity = None if whole else Severity.LOW
        yield found(CONFUSED_DEPUTY, f"{who.arn}#{account}", message, (statement.because,), severity, sure)


def _tokens(run: Linking, who: Identity, statement: Statement) -> Iterator[Finding]:
    for provider in (statement.principals or {}).get("Federated", ()):
        issuer = issuer_of(provider)
        if ":saml-provider/" in provider:
            continue
        place = (statement.because,)
        if not claimed(statement, provider, "aud"):
            known = run.estate.providers.get(provider)
            severity = Severity.HIGH if issuer == _COGNITO else None
            message = f"role {who.name} does not ask for the audience of tokens of {issuer}"
            if known is not None and len(known.audiences) == 1:
                severity = Severity.LOW
                message += f"; its provider takes {known.audiences[0]} alone"
            yield found(OIDC_AUDIENCE, f"{who.arn}#{issuer}", message, place, severity)
        if issuer == _COGNITO or any(claimed(statement, provider, claim) for claim in _OWNER_CLAIMS):
            continue
        subjects = named_subjects(statement, provider)
        wide = [left for one in subjects if (left := _left_open(issuer, one))]
        if not subjects or wide:
            ours = _OURS.search(issuer) is not None or isinstance(provider, Unresolved)
            some = bool(subjects) and all(left is Severity.MEDIUM for left in wide)
            whose = f"subject {_widest(issuer, subjects)}" if wide else "any subject"
            severity = Severity.MEDIUM if ours or some else None
            message = f"role {who.name} trusts tokens of {issuer} for {whose}"
            yield found(OIDC_SUBJECT, f"{who.arn}#{issuer}", message, place, severity)


def _widest(issuer: str, subjects: tuple[str, ...]) -> str:
    return max(subjects, key=lambda one: _left_open(issuer, one) or Severity.INFO)


def _left_open(issuer: str, subject: str) -> Severity | None:
    """How bad it is what a pattern over subjects leaves open; None when it says whose they are."""
    text = pattern_of(subject)
    if not text.strip("*"):
        return Severity.HIGH
    if issuer.startswith("token.actions.githubusercontent.com"):
        return _left_open_github(text)
    if text.startswith("system:serviceaccount:"):
        return Severity.MEDIUM if "*" in text.split(":")[2] else None
    for word in ("project_path:", "organization:", "namespace_path:"):  # GitLab, HCP Terraform and Buildkite
        if text.startswith(word):
            owner = re.split("[:/]", text.removeprefix(word))[0]
            return Severity.HIGH if "*" in owner else None
    return Severity.HIGH if text.startswith("*") else None


def _left_open_github(text: str) -> Severity | None:
    parts = text.split(":")
    if parts[0] != "repo" or len(parts) < 2:  # noqa: PLR2004 - a subject that an organisation put together itself
        return Severity.HIGH if "*" in parts[0] else None
    owner, slash, name = parts[1].partition("/")
    if "*" in owner or "?" in owner:
        return Severity.HIGH
    if not slash:
        return None if HOLE in owner else Severity.HIGH if "*" in text else None
    return Severity.MEDIUM if name.startswith("*") else None
