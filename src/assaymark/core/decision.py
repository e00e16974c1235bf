"""Requests, decisions and the reasons for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.core.subject import Subject

DEFAULT_TENANT: Final = "default"


class Outcome(StrEnum):
    """DENY wins over INDETERMINATE, that over PERMIT. INDETERMINATE is enforced as a denial, never called one."""

    PERMIT = "PERMIT"
    DENY = "DENY"
    INDETERMINATE = "INDETERMINATE"


class Mode(StrEnum):
    """Whether an unmet requirement denies, is shown as a warning, or is only recorded."""

    ENFORCE = "enforce"
    WARN = "warn"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Scope:
    """A tenant (a trust domain with its own root, policy and log) and one of its environments."""

    tenant: str
    environment: str


@dataclass(frozen=True, slots=True)
class Request:
    """May this subject run in this scope?"""

    subject: Subject
    scope: Scope


@dataclass(frozen=True, slots=True)
class Reason:
    """One requirement and how it stands. ``remedy`` is the command that would meet it, and who can give it.

    ``outcome`` is what this requirement alone would decide; ``met`` is ``outcome == PERMIT``. ``exception`` is the
    index of the entry that lets it pass all the same, None without one.
    """

    requirement: str
    outcome: Outcome
    message: str = ""  # for people, like the remedy; neither is signed
    remedy: str = ""
    mode: Mode = Mode.ENFORCE
    exception: int | None = None

    @property
    def met(self) -> bool:
        """Whether the requirement is met."""
        return self.outcome is Outcome.PERMIT

    @property
    def stops(self) -> bool:
        """Whether it keeps the outcome from PERMIT: enforced, not met and not excepted."""
        return not self.met and self.mode is Mode.ENFORCE and self.exception is None


@dataclass(frozen=True, slots=True)
class LogPosition:
    """The tree that a decision is about."""

    origin: str
    tree_size: int
    root_hash: str


@dataclass(frozen=True, slots=True)
class TrustState:
    """The trust root that the attestations were verified under; ``root_expires`` in seconds."""

    root_version: int
    root_digest: str
    root_expires: int


@dataclass(frozen=True, slots=True)
class Decision:
    """A pure function of policy, statements, request and time.

    ``inputs`` are (index, envelope digest) of all entries below ``position.tree_size`` on the subject, on its
    ancestors and on the configurations bound to it, and of every key event, but decisions and attempts: leaving one
    out is a lie that any copy of the log disproves. ``decided_at`` and ``valid_until`` in seconds.
    """

    outcome: Outcome
    reasons: tuple[Reason, ...]
    request: Request
    root_version: int
    root_digest: str
    policy_digest: str
    position: LogPosition
    inputs: tuple[tuple[int, str], ...]
    decided_at: int
    valid_until: int


def combine(outcomes: list[Outcome]) -> Outcome:
    """DENY over INDETERMINATE over PERMIT; an empty list denies."""
    if not outcomes or Outcome.DENY in outcomes:
        return Outcome.DENY
    if Outcome.INDETERMINATE in outcomes:
        return Outcome.INDETERMINATE
    return Outcome.PERMIT


def outcome_of(reasons: Iterable[Reason]) -> Outcome:
    """What follows from reasons: only the enforced ones count, an excepted one as met; without any it is DENY."""
    return combine(
        [
            Outcome.PERMIT if reason.exception is not None else reason.outcome
            for reason in reasons
            if reason.mode is Mode.ENFORCE
        ]
    )
