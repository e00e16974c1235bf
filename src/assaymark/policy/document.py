"""The evidence policy as values. Format: docs/spec/policy.md; the reader is ``policy.parse``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from assaymark.core.decision import Mode
from assaymark.core.limits import DECISION_DEFAULT_VALIDITY_SECONDS

POLICY_FORMAT: Final = "assaymark:policy/v1"
SUBMITTER: Final = "submitter"

# Requirements that a decision may have besides the policy's own.
RESERVED_IDS: Final = ("root", "clock", "policy", "environment", "containment", "lineage")
LINEAGE: Final = "lineage"
# No exception helps against these: whoever contains a model, and the root and time that all else rests on, stand.
NEVER_EXCEPTED: Final = frozenset(RESERVED_IDS) - {LINEAGE}
# The environment in which a change of the policy is judged; no environment of the policy is called so.
POLICY_ENVIRONMENT: Final = "policy"

Scalar = str | int | bool


class About(StrEnum):
    """Which subjects a requirement is about, seen from the request's own."""

    MODEL = "model"
    BASE = "base"
    DATA = "data"
    CONFIGURATION = "configuration"
    POLICY = "policy"


# A request about a subject of these kinds is judged by the requirements about them; any other kind is a model.
_OWN: Final = {"configuration": About.CONFIGURATION, "dataset": About.DATA, "policy": About.POLICY}


def own_about(kind: str) -> About:
    """The requirements that a subject of this kind itself must meet."""
    return _OWN.get(kind, About.MODEL)


class Operator(StrEnum):
    """How a condition compares a field with its values."""

    IN = "in"
    NOT_IN = "not-in"
    AT_LEAST = "at-least"
    AT_MOST = "at-most"
    ABOVE = "above"
    BELOW = "below"
    CONTAINS = "contains"


def same(one: object, other: object) -> bool:
    """Equality of JSON values with their types: ``true`` is not 1."""
    return type(one) is type(other) and one == other


@dataclass(frozen=True, slots=True)
class Condition:
    """What a field of the predicate must hold. Values are compared with their type: ``true`` is not 1.

    ``field`` is a dotted path; the part ``*`` stands for every item of a list. ``values`` has one value but for
    ``IN`` and ``NOT_IN``. A value in ``indeterminate_when`` is no answer rather than a no.
    """

    field: str
    values: tuple[Scalar, ...]
    indeterminate_when: tuple[Scalar, ...] = ()
    operator: Operator = Operator.IN


@dataclass(frozen=True, slots=True)
class Requirement:
    """``threshold`` distinct signers in one of ``roles``, each with a statement that meets every condition.

    With ``distinct``, a field's path, values of that field are counted rather than signers: ``at_least_distinct`` of
    them, each in a statement that meets every condition, and one that says no does not outvote them.

    ``distinct_from`` holds ``submitter`` when who submitted the subject does not count. ``remedy`` replaces the
    command that a decision would name. ``max_age`` in seconds, 0 for any. It must hold for each subject that it is
    ``about``. Only with ``mode`` enforce does it count towards the outcome.
    """

    id: str
    predicate: str
    roles: tuple[str, ...]
    threshold: int = 1
    summary: str = ""
    where: tuple[Condition, ...] = ()
    distinct_from: tuple[str, ...] = ()
    remedy: str = ""
    max_age: int = 0
    about: About = About.MODEL
    mode: Mode = Mode.ENFORCE
    distinct: str = ""
    at_least_distinct: int = 0

    @property
    def needed(self) -> int:
        """How many must say yes: signers, or values of the field ``distinct``."""
        return self.at_least_distinct if self.distinct else self.threshold


@dataclass(frozen=True, slots=True)
class ExceptionRule:
    """Who may except a subject from requirements, and for how long: ``max_duration`` in seconds."""

    roles: tuple[str, ...]
    threshold: int
    max_duration: int


@dataclass(frozen=True, slots=True)
class Environment:
    """What one environment demands, with what it inherits. ``validity`` of a decision, in seconds.

    ``contain_roles`` may contain and lift; empty means any principal of the root. ``lift`` is what lifting needs,
    met anew after the containment; None means all of ``require``. An empty tuple of requirements is never met.
    Without ``exceptions`` no exception counts. With ``lineage`` each link of the lineage must hold.

    ``inherited`` says, for people, what comes from where: pairs of a key, or ``require ID``, and an environment.
    """

    name: str
    description: str = ""
    validity: int = DECISION_DEFAULT_VALIDITY_SECONDS
    require: tuple[Requirement, ...] = ()
    contain_roles: tuple[str, ...] = ()
    lift: tuple[Requirement, ...] | None = None
    exceptions: ExceptionRule | None = None
    lineage: bool = False
    inherits: str = ""
    inherited: tuple[tuple[str, str], ...] = ()

    @property
    def lift_requirements(self) -> tuple[Requirement, ...]:
        """What lifting a containment needs."""
        return self.require if self.lift is None else self.lift


@dataclass(frozen=True, slots=True)
class Policy:
    """The environments of one tenant, sorted by name. One without any environment permits nothing.

    ``change`` is what a change of this policy needs besides the root's policy role; None for nothing.
    """

    environments: tuple[Environment, ...]
    change: Environment | None = None

    def environment(self, name: str) -> Environment | None:
        """The environment of that name, or None: then nothing may run there."""
        return next((item for item in self.environments if item.name == name), None)

    def judges(self, name: str, kind: str) -> Environment | None:
        """The environment that judges a subject of ``kind`` asked about in ``name``: a policy by ``change`` alone."""
        if own_about(kind) is not About.POLICY:
            return self.environment(name)
        return self.change if name == POLICY_ENVIRONMENT else None
