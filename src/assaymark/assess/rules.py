"""The rules of assessments, each kin with the platform that it looks at.

A rule is a line in its platform's ``RULES``, a function of its ``CHECKS`` that yields its findings, and a folder
``rules/<id>/`` with its page and examples; a test fails when one of the three is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess import body_logs, databases, open_networks, shared_stores, transport
from assaymark.assess.aws import rules as aws
from assaymark.assess.azure import rules as azure
from assaymark.assess.gcp import rules as gcp
from assaymark.assess.kubernetes import rules as kubernetes
from assaymark.assess.source import rules as source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assaymark.assess.rule import AssessRule, Seen
    from assaymark.core.report import Finding

_KINS: Final = (
    aws,
    azure,
    gcp,
    kubernetes,
    source,
    transport,
    open_networks,
    body_logs,
    databases,
    shared_stores,
)

RULES: Final[dict[str, AssessRule]] = {rule.id: rule for kin in _KINS for rule in kin.RULES}

CHECKS: Final[tuple[Callable[[Seen], Iterable[Finding]], ...]] = tuple(check for kin in _KINS for check in kin.CHECKS)
