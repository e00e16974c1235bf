"""Refuses an environment that the policy does not name, before anything is done for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.errors import UsageError

if TYPE_CHECKING:
    from assaymark.policy.document import Policy


def check_environment(policy: Policy, name: str, undone: str) -> None:
    """``undone`` says what was not done, such as "nothing was contained".

    Raises:
        UsageError: ``environment-unknown``.
    """
    if policy.environment(name) is not None:
        return
    known = ", ".join(environment.name for environment in policy.environments)
    raise UsageError(
        "environment-unknown",
        f"the policy has no environment {name!r}; {undone}",
        remedy=f"one of {known}" if known else "a policy without environments permits nothing anywhere",
    )
