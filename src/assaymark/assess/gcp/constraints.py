"""``enforced``: whether an organisation policy enforces a boolean constraint on something, by the hierarchy in view.

The nearest policy on the resource's project, folders and organisation decides; one that restores the default, or
none, leaves Google's own default. Where the hierarchy ends below the organisation and a folder or organisation that
may be above has a policy, it is unknown. Conditions of rules ask about tags, which are not in the input: a rule under
one is unknown unless the rule without one says the same. Source: Google Cloud, Organization Policy Service,
"Understanding hierarchy evaluation", "Organization policy constraints"; IAM API,
"projects.serviceAccounts.keys.upload".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answer import NO, Answer
from assaymark.assess.estate.gcp import MANAGER, OrgPolicy
from assaymark.assess.terraform.identity_clouds import shut
from assaymark.core.graph import State
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.gcp import Gcp
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.files import SourceFile
    from assaymark.assess.gcp.evaluate import Access
    from assaymark.assess.gcp.records import Records
    from assaymark.core.graph import Because

PREVENTION: Final = "storage.publicAccessPrevention"
KEYS: Final = ("iam.disableServiceAccountKeyCreation", "iam.disableServiceAccountKeyUpload")
CROSS_PROJECT: Final = "iam.disableCrossProjectServiceAccountUsage"
_DEFAULTS: Final = {CROSS_PROJECT: State.YES}  # what Google enforces where no policy says anything
_NAME: Final = re.compile(r"((?:projects|folders|organizations)/[^/]+)/policies/([\w.]+)")
_ORGANISATION: Final = f"{MANAGER}organizations/"
# Attributes of the resources of Terraform's older kinds that name the place, and what its name begins with.
PLACES: Final[dict[str, tuple[str, str]]] = {
    "google_organization_policy": ("org_id", "organizations/"),
    "google_folder_organization_policy": ("folder", "folders/"),
    "google_project_organization_policy": ("project", "projects/"),
}


def enforced(access: Access, constraint: str, resource: str) -> Answer:
    """Whether a constraint is enforced on a resource or place; NO has a line when a policy says so."""
    policies = [one for one in access.estate.constraints if one.constraint == constraint]
    if not policies:
        return NO
    chain = access.chain(resource)
    for place in chain:
        here = [one for one in policies if one.place == place]
        if here:
            return _said(here)
    loose = [one for one in policies if one.enforced is not State.NO and _may_concern(access.estate, one, chain)]
    if not loose:
        return NO
    where = loose[0].place.removeprefix(MANAGER) or f"what {loose[0].because.path} is about"
    inner = next((place for place in chain if place.startswith(MANAGER)), chain[0]).rpartition("/")[2]
    return Answer(State.UNKNOWN, (loose[0].because,), (f"whether {inner} lies in {where}, where it is enforced",))


def _may_concern(estate: Gcp, policy: OrgPolicy, chain: tuple[str, ...]) -> bool:
    """Whether the place of a policy, which the chain does not name, could be in it or above its end."""
    if not policy.place or ("<" in policy.place and policy.place not in estate.places):
        return True
    number = policy.place.removeprefix(f"{MANAGER}projects/")
    if number != policy.place:  # a project by a number that nothing names may be the one of the chain
        homes = {one.removeprefix(f"{MANAGER}projects/") for one in chain}
        return number.isdigit() and number not in estate.numbers and not homes & set(estate.numbers.values())
    return not chain[-1].startswith(_ORGANISATION)


def _said(policies: list[OrgPolicy]) -> Answer:
    """What the policies of one place come to: a managed constraint and the older one of its name both count."""
    default = _DEFAULTS.get(policies[0].constraint, State.NO)
    states = [default if one.enforced is None else one.enforced for one in policies]
    for state in (State.YES, State.UNKNOWN):
        if state in states:
            because = policies[states.index(state)].because
            text = f"whether the rule at {because.path}:{because.line} is met"
            return Answer(state, (because,), (text,) if state is State.UNKNOWN else ())
    return Answer(State.NO, (policies[0].because,))


def unless_enforced(access: Access, constraint: str, resource: str, answer: Answer) -> Answer:
    """An answer that a constraint would turn to no."""
    found = enforced(access, constraint, resource)
    if found.state is State.YES:
        return NO
    return answer if found.state is State.NO else answer.unless(f"{constraint}: {found.decides[0]}")


def read_policy(records: Records, file: SourceFile, value: Map) -> bool:
    """Adds an organisation policy as ``gcloud`` or the asset inventory writes it; whether the document was one."""
    found = False
    for one, place in _policies(value):
        match = _NAME.fullmatch(str(one.get("name", "")))
        if match and ("spec" in one or "dryRunSpec" in one):
            _add(records, _full(records, match[1]), match[2], _of_rules(one.get("spec")), file.because(one.line))
            found = True
        elif _is_older(one):
            name = str(one["constraint"]).removeprefix("constraints/")
            _add(records, place, name, _of_older(one), file.because(one.line))
            if not place:
                text = f"{file.path} does not say of what its organisation policy is; it may be above everything"
                records.reading.gap(text)
            found = True
    return found


def _policies(value: Map) -> Iterator[tuple[Map, str]]:
    """The policies of a document, each with the full name of the asset that it is of, empty for none."""
    yield value, ""
    resource, name = value.get("resource"), str(value.get("name", ""))
    if isinstance(resource, Map) and isinstance(resource.get("data"), Map):
        yield resource["data"], ""
    for one in (*listed(value.get("orgPolicy")), *listed(value.get("org_policy"))):
        if isinstance(one, Map) and name.startswith(MANAGER):
            yield one, name


def _is_older(value: Map) -> bool:
    kinds = ("booleanPolicy", "boolean_policy", "restoreDefault", "restore_default")
    return isinstance(value.get("constraint"), str) and any(one in value for one in kinds)


def _full(records: Records, place: str) -> str:
    kind, _, name = place.partition("/")
    return f"{MANAGER}{kind}/{records.estate.numbers.get(name, name) if kind == 'projects' else name}"


def _add(records: Records, place: str, constraint: str, policy: Any, because: Because) -> None:
    """Adds a policy; ``policy`` is a state, None for the default, ``...`` for none that is enforced."""
    if policy is not ...:
        name = constraint.replace(".managed.", ".", 1)
        if place.startswith(MANAGER):
            place = _full(records, place.removeprefix(MANAGER))
        records.estate.constraints.append(OrgPolicy(place, name, policy, because))


def _is_true(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(str(value).lower())


def _of_rules(spec: Any) -> Any:
    """What the rules of a policy of version 2 enforce; ``...`` for a dry run or a list constraint."""
    if isinstance(spec, list):
        spec = spec[0] if spec else None
    if not isinstance(spec, Map):
        return ...
    if _is_true(spec.get("reset")):
        return None
    rules = [one for one in listed(spec.get("rules")) if isinstance(one, Map) and one.get("enforce") is not None]
    if not rules:
        return ...
    plain = [one for one in rules if not one.get("condition")]
    always = _state(plain[0].get("enforce")) if plain else State.NO
    return always if all(_state(one.get("enforce")) is always for one in rules) else State.UNKNOWN


def _state(value: Any) -> State:
    found = _is_true(value)
    return State.UNKNOWN if found is None else State.YES if found else State.NO


def _of_older(value: Map) -> Any:
    for name in ("booleanPolicy", "boolean_policy"):
        policy = value.get(name)
        if isinstance(policy, Map):
            return _state(policy.get("enforced", False))
    return None


def of_terraform(records: Records, resource: TfResource) -> None:
    """Adds an organisation policy that Terraform declares."""
    because = resource.because()
    if resource.kind == "google_org_policy_policy":
        named, _, constraint = shut(resource.get("name")).rpartition("/policies/")
        place = shut(resource.get("parent")) or named
        policy = _of_rules(resource.blocks("spec"))
    else:
        attribute, word = PLACES[resource.kind]
        place = word + shut(resource.get(attribute)).removeprefix(word)
        constraint = shut(resource.get("constraint")).removeprefix("constraints/")
        blocks = resource.blocks("boolean_policy")
        restored = bool(resource.blocks("restore_policy"))
        policy = _state(blocks[0].get("enforced")) if blocks else None if restored else ...
    if constraint:
        _add(records, _place(place), constraint, policy, because)


def _place(written: str) -> str:
    """The full name of a place; a reference to a folder or organisation has its whole name."""
    return f"{MANAGER}{written}" if written.partition("/")[2] or written.startswith("<") else ""
