"""Whose a key is, by the trust root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.errors import UsageError

if TYPE_CHECKING:
    from assaymark.keys.signers import Signer
    from assaymark.trust.document import Root


def principal_in(root: Root, signer: Signer) -> str:
    """The principal that a key belongs to: what nobody enrolled must not be signed with, it would count for nothing.

    Raises:
        UsageError: ``key-unknown`` or ``key-former``.
    """
    if signer.key_id in root.keys:
        owner = root.owner(signer.key_id).name
        if root.is_former(signer.key_id):
            raise UsageError(
                "key-former",
                f"{owner} no longer signs with this key, so nothing that it signs counts",
                source=signer.key_id,
                remedy=f"sign with a key that `assaymark keys list` shows as {owner}'s",
            )
        return owner
    raise UsageError(
        "key-unknown",
        "the trust root holds no principal with this key",
        source=signer.key_id,
        remedy="enrol its public half: assaymark keys add NAME --role ROLE --public FILE",
    )
