"""The policy of an environment in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.times import format_duration
from assaymark.policy.document import SUBMITTER
from assaymark.policy.remedies import listed, shown

if TYPE_CHECKING:
    from assaymark.policy.document import Condition, Environment, Policy, Requirement


def explain_environment(policy: Policy, name: str) -> list[str]:
    """Lines that say what may run in the environment ``name``, who must say so, and who may stop it."""
    environment = policy.environment(name)
    if environment is None:
        return [f"The policy has no environment {name!r}: nothing may run there."]
    lines = [f"Environment {name}" + (f": {environment.description}" if environment.description else "")]
    if not environment.require:
        return [*lines, "Nothing may run here: a policy that requires nothing permits nothing."]
    lines += [
        f"A decision is valid for {format_duration(environment.validity)}.",
        "A model may run here when there is:",
    ]
    lines += _numbered(environment.require)
    return [*lines, *_containment(environment)]


def _numbered(requirements: tuple[Requirement, ...]) -> list[str]:
    lines: list[str] = []
    for number, requirement in enumerate(requirements, 1):
        lines.append(f"  {number}. {requirement.id}: {requirement.summary or requirement.predicate}")
        lines.append(f"     {_who(requirement)}")
        lines += [f"     {_condition(condition)}" for condition in requirement.where]
    return lines


def _who(requirement: Requirement) -> str:
    principals = "1 principal" if requirement.threshold == 1 else f"{requirement.threshold} distinct principals"
    besides = ", other than who submitted the model" if SUBMITTER in requirement.distinct_from else ""
    return f"signed as {requirement.predicate} by {principals} in role {listed(list(requirement.roles))}{besides}"


def _condition(condition: Condition) -> str:
    line = f"{condition.field} is {listed([shown(value) for value in condition.values])}"
    if condition.indeterminate_when:
        line += f" ({listed([shown(value) for value in condition.indeterminate_when])} is no answer)"
    return line


def _containment(environment: Environment) -> list[str]:
    who = f"in role {listed(list(environment.contain_roles))}" if environment.contain_roles else "of the trust root"
    lines = [f"Any principal {who} may contain a model: it then may not run here, whatever else is there."]
    if environment.lift is None:
        return [*lines, "Lifting a containment needs all of the above anew, by evidence logged after it."]
    if not environment.lift:
        return [*lines, "Nothing lifts a containment here."]
    return [*lines, "Lifting a containment needs, by evidence logged after it:", *_numbered(environment.lift)]
