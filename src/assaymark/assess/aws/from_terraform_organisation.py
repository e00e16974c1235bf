"""What Terraform and CloudFormation declare of an organisation: its units, accounts and policies, and what is where.

Ids that the platform gives when a resource is made are the resource's address in angle brackets.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.organisation import FULL_ACCESS, full_access
from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT
from assaymark.assess.terraform.identity import ORGANISATION_ROOT
from assaymark.assess.unresolved import Unresolved
from assaymark.formats.located import listed

if TYPE_CHECKING:
    from assaymark.assess.aws.records import Records
    from assaymark.assess.estate.terraform import TfResource

ABOVE: Final = (  # read before the policies
    "aws_organizations_account",
    "aws_organizations_organization",
    "aws_organizations_organizational_unit",
    "aws_organizations_policy_attachment",
)
_KINDS: Final = {"RESOURCE_CONTROL_POLICY": "rcp", "SERVICE_CONTROL_POLICY": "scp"}


class Declared:
    """The organisation, as far as it was read."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._attached: defaultdict[str, list[str]] = defaultdict(list)

    def place(self, resource: TfResource) -> None:
        """What is in what, and what is attached where."""
        estate = self._records.estate
        if resource.kind == "aws_organizations_policy_attachment":
            policy, target = str(resource.get("policy_id")), _target(resource.get("target_id"))
            self._attached[policy].append(target)
            if policy == FULL_ACCESS:
                self._records.control("scp", full_access(resource.because()), (target,), declared=True)
        elif resource.kind == "aws_organizations_organization":
            account = resource.text("master_account_id") or _manages(resource)
            estate.management = account if account.isdigit() else estate.management
            own = resource.get("id")
            estate.organisation = str(own) if isinstance(own, str) else estate.organisation
            estate.members |= {resource.account}
        else:
            parent = resource.get("parent_id")
            if isinstance(parent, str) and parent:
                estate.parents[_identifier(resource)] = _target(parent)

    def control(self, resource: TfResource) -> None:
        """A policy of the organisation."""
        kind = _KINDS.get(str(resource.values.get("type") or "SERVICE_CONTROL_POLICY"))
        if kind:
            name = resource.text("name") or resource.address
            line = resource.values.at("content")
            document = self._records.document(resource.json("content"), name, resource.file, line)
            targets = resource.get("target_ids")
            named = [_target(one) for one in ([targets] if isinstance(targets, str) else listed(targets))]
            targets = (*named, *self._attached.get(_identifier(resource), ()))
            self._records.control(kind, document, targets, declared=True)


def _manages(resource: TfResource) -> str:
    """The account of who has an organisation as a resource: it makes it, and is its management account then.

    Source: AWS Organizations User Guide, "Creating an organization".
    """
    asked = f".{resource.address}".rpartition(f".{resource.kind}.")[0].endswith(".data")
    return "" if asked or resource.account == UNKNOWN_ACCOUNT else resource.account


def _identifier(resource: TfResource) -> str:
    return resource.text("id") or f"<{resource.address}>"


def _target(value: Any) -> str:
    """The id of a root, unit or account; a reference to an organisation's root is one: there is only one."""
    text = str(value)
    if isinstance(value, Unresolved) and "organizations_organization." in text and "roots" in text:
        return ORGANISATION_ROOT
    return text
