"""Blocks of public access: what of buckets they keep from everyone, and from other accounts.

Source: Amazon S3 User Guide, "Blocking public access": ``RestrictPublicBuckets`` keeps all other accounts from a
bucket whose policy is public, whomever that names besides; ``IgnorePublicAcls`` makes lists count for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.request import same_account
from assaymark.assess.unresolved import Unresolved
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.estate.aws import Estate, Resource, Statement

BLOCKS: Final = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")


def account_blocks(estate: Estate, resource: Resource) -> list[Mapping[str, object]]:
    """What the bucket's account blocks for all its buckets; where the account is not known, what any may block."""
    account = str(resource.settings.get("account") or resource.account)
    found = {one: same_account(one, account) for one in estate.public_access_blocks}
    sure = [one for one, same in found.items() if same]
    return [estate.public_access_blocks[one] for one in sure or [one for one, same in found.items() if same is None]]


def blocked(estate: Estate, resource: Resource, name: str) -> State:
    """Whether a setting that blocks public access of a bucket is on, for the bucket or its account.

    Unknown where neither file nor export speaks of it: buckets that are made since April 2023 have all four on.
    """
    own = resource.settings.get("public_access_block")
    accounts = account_blocks(estate, resource)
    values = [part.get(name) for part in (own, *(accounts if len(accounts) == 1 else ())) if isinstance(part, dict)]
    if any(value is True for value in values):
        return State.YES
    if not isinstance(own, dict) or any(isinstance(value, Unresolved) for value in values):
        return State.UNKNOWN
    return State.NO


def means_everyone(statement: Statement) -> bool:
    """Whether a statement allows something to whomever it does not leave out."""
    principals = statement.principals or {}
    everyone = "*" in principals or "*" in principals.get("AWS", ())
    return statement.effect == "Allow" and (statement.not_principals is not None or everyone)


def shuts_out(estate: Estate, resource: Resource, account: str) -> bool:
    """Whether a bucket refuses an account for having a public policy.

    A policy whose conditions may keep everyone out is not taken for a public one.
    """
    if resource.kind != "s3:bucket" or resource.policy is None:
        return False
    if same_account(account, str(resource.settings.get("account") or resource.account)) is not False:
        return False
    public = any(means_everyone(one) and not one.condition for one in resource.policy.statements)
    return public and blocked(estate, resource, "restrict_public_buckets") is State.YES
