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
        UsageError: ``key-unknown``.
    """
    if signer.key_id in root.keys:
        return root.owner(signer.key_id).name
    raise UsageError(
        "key-unknown",
        "the trust root holds no principal with this key",
        source=signer.key_id,
        remedy="enrol its public half: assaymark keys add NAME --role ROLE --public FILE",
    )
