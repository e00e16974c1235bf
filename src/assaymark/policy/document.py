"""The evidence policy as values. Format: docs/spec/policy.md; the reader is ``policy.parse``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from assaymark.core.limits import DECISION_DEFAULT_VALIDITY_SECONDS

POLICY_FORMAT: Final = "assaymark:policy/v1"
SUBMITTER: Final = "submitter"

Scalar = str | int | bool


def same(one: object, other: object) -> bool:
    """Equality of JSON values with their types: ``true`` is not 1."""
    return type(one) is type(other) and one == other


@dataclass(frozen=True, slots=True)
class Condition:
    """A field of the predicate must hold one of ``values``, compared with its type: ``true`` is not 1.

    ``field`` is a dotted path. A value in ``indeterminate_when`` is no answer rather than a no.
    """

    field: str
    values: tuple[Scalar, ...]
    indeterminate_when: tuple[Scalar, ...] = ()


@dataclass(frozen=True, slots=True)
class Requirement:
    """``threshold`` distinct signers in one of ``roles``, each with a statement that meets every condition.

    ``distinct_from`` holds ``submitter`` when who submitted the subject does not count. ``remedy`` replaces the
    command that a decision would name.
    """

    id: str
    predicate: str
    roles: tuple[str, ...]
    threshold: int = 1
    summary: str = ""
    where: tuple[Condition, ...] = ()
    distinct_from: tuple[str, ...] = ()
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Environment:
    """What one environment demands. ``validity`` of a decision, in seconds.

    ``contain_roles`` may contain and lift; empty means any principal of the root. ``lift`` is what lifting needs,
    met anew after the containment; None means all of ``require``. An empty tuple of requirements is never met.
    """

    name: str
    description: str = ""
    validity: int = DECISION_DEFAULT_VALIDITY_SECONDS
    require: tuple[Requirement, ...] = ()
    contain_roles: tuple[str, ...] = ()
    lift: tuple[Requirement, ...] | None = None

    @property
    def lift_requirements(self) -> tuple[Requirement, ...]:
        """What lifting a containment needs."""
        return self.require if self.lift is None else self.lift


@dataclass(frozen=True, slots=True)
class Policy:
    """The environments of one tenant, sorted by name. One without any environment permits nothing."""

    environments: tuple[Environment, ...]

    def environment(self, name: str) -> Environment | None:
        """The environment of that name, or None: then nothing may run there."""
        return next((item for item in self.environments if item.name == name), None)
