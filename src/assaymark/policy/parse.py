"""Strict reader of the evidence policy (TOML 1.0). Format: docs/spec/policy.md."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from assaymark.core.decision import Mode
from assaymark.core.limits import (
    DECISION_MAX_VALIDITY_SECONDS,
    POLICY_MAX_BYTES,
    POLICY_MAX_INHERITANCE,
    POLICY_MAX_REQUIREMENTS,
    POLICY_MAX_RESOLVED,
)
from assaymark.core.names import NAME_FORM, is_name
from assaymark.policy import form
from assaymark.policy.document import (
    POLICY_ENVIRONMENT,
    POLICY_FORMAT,
    Environment,
    ExceptionRule,
    Policy,
    Requirement,
)
from assaymark.policy.parse_requirement import parse_requirements, threshold_of

DEFAULT_EXCEPTION_SECONDS: Final = 90 * 86_400
LINEAGES: Final = ("unchecked", "verified")

_DOCUMENT_KEYS: Final = ("format", "environments", "policy")
_ENVIRONMENT_KEYS: Final = (
    "description",
    "inherits",
    "validity",
    "lineage",
    "require",
    "contain",
    "lift",
    "exceptions",
)
# What an environment takes from the one that it inherits from when it does not say it: the key and the field.
_INHERITED: Final = {"validity": "validity", "lineage": "lineage", "contain": "contain_roles", "lift": "lift"}


@dataclass(frozen=True, slots=True)
class _Said:
    """An environment as its own table says it, and which keys the table has."""

    environment: Environment
    keys: frozenset[str]


def parse_policy(data: bytes) -> Policy:
    """Read an evidence policy. Every key is known, every value has the type that the format gives it.

    The environments have what they inherit. A policy without environments, and an environment that requires nothing,
    are read: they permit nothing.

    Raises:
        InputError: ``policy-size``, ``policy-utf8``, ``policy-syntax``, ``policy-format``, ``policy-key``,
            ``policy-missing``, ``policy-type``, ``policy-value``, ``policy-id``, ``policy-text``,
            ``policy-inherits`` or ``policy-limit``, with the line and column or the TOML path as position.
    """
    document = form.load(data, POLICY_MAX_BYTES)
    form.check_format(document, POLICY_FORMAT, "a policy")
    form.check_keys(document, _DOCUMENT_KEYS, "")
    environments = form.typed(document, "environments", dict, "", default={})
    said = {name: _environment(name, environments[name], f"environments.{name}") for name in sorted(environments)}
    change = _change(document)
    own = [item.environment for item in said.values()] + ([change] if change is not None else [])
    if _count(own) > POLICY_MAX_REQUIREMENTS or len(said) > POLICY_MAX_REQUIREMENTS:
        raise form.refused("policy-limit", f"more than {POLICY_MAX_REQUIREMENTS} requirements or environments", "")
    resolved: list[Environment] = []
    for name in said:
        resolved.append(_resolve(name, said))
        if _count(resolved[-1:]) > POLICY_MAX_REQUIREMENTS or _count(resolved) > POLICY_MAX_RESOLVED:
            raise form.refused(
                "policy-limit", "too many requirements, with those that are inherited", f"environments.{name}"
            )
    return Policy(tuple(resolved), change)


def _count(environments: list[Environment]) -> int:
    return sum(len(item.require) + len(item.lift or ()) for item in environments)


def _environment(name: str, value: Any, path: str) -> _Said:
    if not is_name(name) or name == POLICY_ENVIRONMENT:
        raise form.refused(
            "policy-id",
            f"an environment's name has the form {NAME_FORM} and is not {POLICY_ENVIRONMENT}",
            f"environments.{name[:80]!r}",
        )
    table = form.table(value, path)
    form.check_keys(table, _ENVIRONMENT_KEYS, path)
    environment = Environment(
        name,
        form.text(table, "description", path),
        require=parse_requirements(table, path),
        exceptions=_exceptions(table, path),
        lineage=form.choice(table, "lineage", path, LINEAGES) == "verified",
        inherits=form.typed(table, "inherits", str, path, default=""),
    )
    if "validity" in table:
        validity = form.duration(table, "validity", path, DECISION_MAX_VALIDITY_SECONDS)
        environment = replace(environment, validity=validity)
    if "contain" in table:
        contain = form.typed(table, "contain", dict, path)
        form.check_keys(contain, ("roles",), f"{path}.contain")
        environment = replace(environment, contain_roles=form.names(contain, "roles", f"{path}.contain"))
    if "lift" in table:
        lift = form.typed(table, "lift", dict, path)
        form.check_keys(lift, ("require",), f"{path}.lift")
        environment = replace(environment, lift=parse_requirements(lift, f"{path}.lift"))
    return _Said(environment, frozenset(table))


def _exceptions(table: dict[str, Any], path: str) -> ExceptionRule | None:
    if "exceptions" not in table:
        return None
    path = f"{path}.exceptions"
    rule = form.table(table["exceptions"], path)
    form.check_keys(rule, ("roles", "threshold", "max-duration"), path)
    longest = form.duration(rule, "max-duration", path) if "max-duration" in rule else DEFAULT_EXCEPTION_SECONDS
    return ExceptionRule(form.names(rule, "roles", path), threshold_of(rule, path), longest)


def _change(document: dict[str, Any]) -> Environment | None:
    """What a change of the policy needs, as an environment of its own; None when nothing."""
    table = form.typed(document, "policy", dict, "", default={})
    form.check_keys(table, ("require",), "policy")
    require = parse_requirements(table, "policy", of_policy=True)
    if not require:
        return None
    if not any(item.mode is Mode.ENFORCE for item in require):
        raise form.refused(
            "policy-value",
            "nothing here is enforced, and what enforces nothing permits nothing: the policy could never change",
            "policy.require",
            "leave [policy] out, or enforce one requirement",
        )
    return Environment(POLICY_ENVIRONMENT, "a change of this policy", require=require)


def _resolve(name: str, said: dict[str, _Said]) -> Environment:
    """The environment with what it inherits; walked from the farthest ancestor down."""
    chain = [name]
    while (parent := said[chain[-1]].environment.inherits) or "inherits" in said[chain[-1]].keys:
        where = f"environments.{chain[-1]}.inherits"
        if parent not in said:
            known = ", ".join(said)
            raise form.refused(
                "policy-inherits", f"there is no environment {parent[:80]!r}", where, f"one of {known}"
            )
        if parent in chain:
            raise form.refused("policy-inherits", f"a circle: {' inherits '.join([*chain, parent])}", where)
        chain.append(parent)
        if len(chain) > POLICY_MAX_INHERITANCE:
            raise form.refused("policy-inherits", f"more than {POLICY_MAX_INHERITANCE} environments deep", where)
    found = said[chain.pop()].environment
    while chain:
        found = _inherit(said[chain.pop()], found)
    return found


def _inherit(child: _Said, parent: Environment) -> Environment:
    """The child's own, in the parent's order: a requirement takes the place of the parent's with the same id."""
    origin = dict(parent.inherited)
    own = child.environment
    replaced = {requirement.id: requirement for requirement in own.require}
    inherited: dict[str, str] = {}
    require: list[Requirement] = []
    for requirement in parent.require:
        if requirement.id in replaced:
            require.append(replaced.pop(requirement.id))
        else:
            require.append(requirement)
            key = f"require {requirement.id}"
            inherited[key] = origin.get(key, parent.name)
    found = replace(own, require=(*require, *replaced.values()))
    for key, field in _INHERITED.items():
        if key not in child.keys:
            inherited[key] = origin.get(key, parent.name)
            found = replace(found, **{field: getattr(parent, field)})
    return replace(found, inherited=tuple(inherited.items()))
