"""The policy of an environment in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.decision import Mode
from assaymark.core.times import format_duration
from assaymark.core.words import counted
from assaymark.policy.conditions import words
from assaymark.policy.document import SUBMITTER, About
from assaymark.policy.remedies import listed, shown
from assaymark.policy.subjects import required

if TYPE_CHECKING:
    from assaymark.policy.document import Condition, Environment, Policy, Requirement

_ABOUT: Final = {
    About.MODEL: "",
    About.POLICY: "",
    About.BASE: "for each model that it was made from: ",
    About.DATA: "for each data set that it was made from: ",
    About.CONFIGURATION: "for each configuration that is bound to it: ",
}
_MODE: Final = {
    Mode.ENFORCE: "",
    Mode.WARN: "only warns: without it a model runs all the same",
    Mode.AUDIT: "only recorded: without it a model runs all the same",
}


def explain_environment(policy: Policy, name: str) -> list[str]:
    """Lines that say what may run in the environment ``name``, who must say so, and who may stop it."""
    environment = policy.environment(name)
    if environment is None:
        return [f"The policy has no environment {name!r}: nothing may run there."]
    lines = [f"Environment {name}" + (f": {environment.description}" if environment.description else "")]
    if environment.inherits:
        lines.append(f"It inherits from {environment.inherits} what it does not say itself.")
    if not required(environment.require, About.MODEL):
        return [*lines, "Nothing may run here: a policy that requires nothing of a model permits nothing."]
    origin = dict(environment.inherited)
    lines += [
        f"A decision is valid for {format_duration(environment.validity)}{_from(origin, 'validity')}.",
        "A model may run here when there is:",
    ]
    lines += _numbered(environment.require, origin)
    if environment.lineage:
        lines.append(
            "Each link of its lineage must hold, and nothing that it was made from may be contained here"
            f"{_from(origin, 'lineage')}."
        )
    for about, what in ((About.DATA, "data set"), (About.CONFIGURATION, "configuration")):
        if any(item.about is about for item in environment.require):
            lines.append(f"A {what} by itself is judged by what is asked of each {what} above.")
    return [*lines, *_containment(environment, origin), *_exceptions(environment)]


def explain_change(policy: Policy) -> list[str]:
    """Lines that say what a change of the policy needs."""
    signed = "It is signed by the principals in role policy, as the trust root says."
    if policy.change is None:
        return [signed, "The policy asks for nothing besides."]
    return [signed, "Besides, there must be on the new policy:", *_numbered(policy.change.require, {})]


def _numbered(requirements: tuple[Requirement, ...], origin: dict[str, str]) -> list[str]:
    lines: list[str] = []
    for number, requirement in enumerate(requirements, 1):
        about, summary = _ABOUT[requirement.about], requirement.summary or requirement.predicate
        came = _from(origin, f"require {requirement.id}")
        lines.append(f"  {number}. {requirement.id}: {about}{summary}{came}")
        lines.append(f"     {_who(requirement)}")
        if requirement.distinct:
            count = requirement.at_least_distinct
            lines.append(
                f"     by at least {count} distinct value{'' if count == 1 else 's'} of {requirement.distinct}; "
                "one that says otherwise does not count, and does not outvote them"
            )
        if requirement.max_age:
            lines.append(f"     logged at most {format_duration(requirement.max_age)} ago, by the log's time")
        lines += [f"     {_condition(condition)}" for condition in requirement.where]
        if requirement.mode is not Mode.ENFORCE:
            lines.append(f"     {_MODE[requirement.mode]}")
    return lines


def _from(origin: dict[str, str], key: str) -> str:
    return f" (from {origin[key]})" if key in origin else ""


def _who(requirement: Requirement) -> str:
    principals = counted(requirement.threshold, "principal", "distinct principals")
    if requirement.distinct:
        principals = "principals"
    noun = {About.DATA: "data set", About.CONFIGURATION: "configuration", About.POLICY: "policy"}
    submitted = noun.get(requirement.about, "model")
    besides = f", other than who submitted the {submitted}" if SUBMITTER in requirement.distinct_from else ""
    return f"signed as {requirement.predicate} by {principals} in role {listed(list(requirement.roles))}{besides}"


def _condition(condition: Condition) -> str:
    line = f"{condition.field} {words(condition)}"
    if condition.indeterminate_when:
        line += f" ({listed([shown(value) for value in condition.indeterminate_when])} is no answer)"
    return line


def _containment(environment: Environment, origin: dict[str, str]) -> list[str]:
    who = f"in role {listed(list(environment.contain_roles))}" if environment.contain_roles else "of the trust root"
    came = _from(origin, "contain")
    lines = [f"Any principal {who} may contain a model{came}: it then may not run here, whatever else is there."]
    if environment.lift is None:
        return [*lines, "Lifting a containment needs all of the above anew, by evidence logged after it."]
    came = _from(origin, "lift")
    if not required(environment.lift, About.MODEL):
        return [*lines, f"Nothing lifts a containment here{came}."]
    return [
        *lines,
        f"Lifting a containment needs, by evidence logged after it{came}:",
        *_numbered(environment.lift, {}),
    ]


def _exceptions(environment: Environment) -> list[str]:
    rule = environment.exceptions
    if rule is None:
        return ["There are no exceptions here."]
    principals = counted(rule.threshold, "principal", "distinct principals")
    who = f"signed by {principals} in role {listed(list(rule.roles))}"
    longest = format_duration(rule.max_duration)
    return [
        f"An exception {who} lets a model run without a requirement for {longest} at most.",
        "No exception helps against a containment.",
    ]
