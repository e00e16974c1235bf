"""What is wrong with an AWS account by itself, path or not: its rules, and the checks that find them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.check_data import check_data
from assaymark.assess.aws.check_identities import check_identities
from assaymark.assess.aws.check_network import check_network
from assaymark.assess.aws.check_services import check_services
from assaymark.assess.aws.check_tenants import check_tenants
from assaymark.assess.aws.check_trust import check_trust
from assaymark.assess.aws.linking import Linking
from assaymark.assess.aws.rule_list import RULES
from assaymark.assess.files import Reading
from assaymark.assess.graph import Builder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.rule import Seen
    from assaymark.core.report import Finding

__all__ = ["CHECKS", "RULES"]


def _account(seen: Seen) -> Iterator[Finding]:
    """All that asks the estate, so that it is made ready for evaluation once. Nothing is drawn."""
    run = Linking(seen.estates.aws, Builder(), Reading(), seen.now)
    for check in (check_identities, check_trust, check_data, check_services, check_tenants):
        yield from check(run, seen)


CHECKS: Final = (_account, check_network)
