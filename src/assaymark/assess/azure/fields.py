"""Fields of resources as the API, the command line and Terraform's provider spell them, and what these refer to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.values import dicts_in

if TYPE_CHECKING:
    from assaymark.assess.estate.azure import Resource

_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def got(value: Any, *names: str) -> Any:
    """The first of these fields that there is, beside the id or under ``properties``; None for none.

    Names are the API's; ``backendAddressPool`` is ``backend_address_pool`` in Terraform.
    """
    if not isinstance(value, dict):
        return None
    inner = value.get("properties")
    for name in names:
        spelled = {name.lower(), _HUMP.sub("_", name).lower()}
        for place in (value, inner if isinstance(inner, dict) else {}):
            for key, item in place.items():
                if item is not None and str(key).lower() in spelled:
                    return item
    return None


def blocks(value: Any, *names: str) -> list[dict[str, Any]]:
    """The mappings in these fields, whether one or several are written."""
    return [one for name in names for one in dicts_in(got(value, name))]


def text_at(value: Any, *names: str) -> str:
    """The first of these fields that is a text; empty for none."""
    return next((found for name in names if isinstance(found := got(value, name), str) and found), "")


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


def off(value: Any) -> bool:
    """Whether a switch is off, however it is written."""
    return str(value).lower() in ("false", "disabled")
