"""Fields as a platform's API, its command line and Terraform's provider spell them: one name finds all of them."""

from __future__ import annotations

import re
from typing import Any, Final

from assaymark.assess.values import dicts_in

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def got(value: Any, *names: str) -> Any:
    """The first of these fields that there is, of a mapping or of its ``properties``; None for none.

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


def off(value: Any) -> bool:
    """Whether a switch is off, however it is written."""
    return str(value).lower() in ("false", "disabled")
