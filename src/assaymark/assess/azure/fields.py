"""What fields of resources of Azure refer to: by the id, or by the address in Terraform."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from assaymark.assess.estate.azure import Resource

# What a text of Terraform's refers to.
REFERENCE: Final = re.compile(
    r"\$\{((?:module\.[\w-]+(?:\[[^\]]*\])?\.)*[a-z][a-z0-9_]*\.[\w-]+(?:\[[^\]]*\])?)\.", re.IGNORECASE
)


def id_of(value: Any) -> str:
    """The id that a reference of the API holds; empty for none."""
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def refers(value: Any, resource: Resource) -> bool:
    """Whether a value, or one of a list, names a resource by its id or by its address in Terraform."""
    texts = [str(one) for one in (value if isinstance(value, list) else [value]) if one]
    return any(text.lower() == resource.id or names(text, resource) for text in texts)


def names(text: str, resource: Resource) -> bool:
    """Whether a text holds a reference of Terraform to a resource."""
    address = resource.settings.get("terraform")
    return isinstance(address, str) and f"${{{address}." in text
