"""Run a team's own cases against its policy: a test for CI, which needs no workspace and writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.core.errors import InputError, UsageError
from assaymark.core.limits import CASES_MAX_BYTES
from assaymark.policy.cases import parse_cases, run_case
from assaymark.service.policy import read_policy

if TYPE_CHECKING:
    from pathlib import Path

    from assaymark.policy.cases import CaseResult
    from assaymark.service.policy import PolicyView


@dataclass(frozen=True, slots=True)
class Tested:
    """The results of one file of cases, and the policy that they were held against."""

    file: Path
    policy_file: Path
    policy: PolicyView
    results: tuple[CaseResult, ...]


def run_policy_cases(file: Path, policy_file: Path | None = None) -> Tested:
    """Decide every case of a file under the policy that the file names, or under ``policy_file``.

    Raises:
        UsageError: ``cases-missing`` or ``cases-policy``, or ``policy-missing`` for the policy's file.
        InputError: the cases or the policy are malformed.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(CASES_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            "cases-missing",
            f"cannot read: {error.strerror}",
            source=str(file),
            remedy="name a file of cases: docs/spec/policy-cases.md shows one",
        ) from None
    try:
        cases = parse_cases(data)
    except InputError as error:
        raise error.at(str(file)) from None
    if policy_file is None:
        if not cases.policy:
            raise UsageError(
                "cases-policy",
                "the file names no policy",
                source=str(file),
                remedy='name one: --policy FILE, or policy = "policy.toml" in the file',
            )
        policy_file = file.parent / cases.policy
    view = read_policy(policy_file)
    results = tuple(run_case(view.policy, view.digest, case) for case in cases.cases)
    return Tested(file, policy_file, view, results)
