"""What anybody on the internet can make itself: an account of a cloud or forge that is open to all.

An identity that whoever signs up can have is the internet's. The internet is drawn of every input that something is
drawn of, so that what is kept from it can be asked and shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.kinds import INTERNET
from assaymark.core.graph import Edge

if TYPE_CHECKING:
    from datetime import datetime

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder

# Whoever signs up there gets tokens with a subject of its own.
_OPEN_TO_ALL: Final = ("token.actions.githubusercontent.com", "gitlab.com", "accounts.google.com", "app.terraform.io")


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:  # noqa: ARG001  # all linkers have these
    """Draws the internet, and which strangers it is."""
    found = builder.ids()
    if not found:
        return
    builder.node(INTERNET, "internet", "internet", entry="internet")
    for node in map(builder.known, found):
        how = _anybody(node.id) if node.props.get("entry") == "outside" and node.because else ""
        if how:
            builder.edge(Edge(INTERNET, node.id, "member-of", how, node.because, effort=0))


def _anybody(identifier: str) -> str:
    if identifier == "aws:outside:*":
        return "anybody can make an AWS account"
    kind, _, rest = identifier.partition(":")
    issuer = rest.partition(":")[0]
    return f"anybody can sign up with {issuer}" if kind == "oidc" and issuer in _OPEN_TO_ALL else ""
