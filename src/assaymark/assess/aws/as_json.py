"""``policy_json``: a policy as IAM takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assaymark.assess.estate.aws import PolicyDocument, Statement


def policy_json(policy: PolicyDocument) -> dict[str, Any]:
    """The policy as IAM takes it."""
    return {"Version": policy.version, "Statement": [_statement(one) for one in policy.statements]}


def _statement(one: Statement) -> dict[str, Any]:
    found: dict[str, Any] = {"Sid": one.sid} if one.sid else {}
    found["Effect"] = one.effect
    for key, who in (("Principal", one.principals), ("NotPrincipal", one.not_principals)):
        if who is not None:
            everyone = set(who) == {"*"}
            found[key] = "*" if everyone else {kind: _listed(values) for kind, values in sorted(who.items())}
    for key, values in (
        ("Action", one.actions or None),
        ("NotAction", one.not_actions),
        ("Resource", one.resources or None),
        ("NotResource", one.not_resources),
    ):
        if values is not None:
            found[key] = _listed(values)
    if one.condition:
        found["Condition"] = {
            operator: {key: _listed(values) for key, values in keys.items()}
            for operator, keys in one.condition.items()
        }
    return found


def _listed(values: tuple[str, ...]) -> list[str] | str:
    return values[0] if len(values) == 1 else list(values)
