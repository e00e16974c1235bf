"""Names and blocks of CloudFormation in Terraform's spelling."""

from __future__ import annotations

import re
from typing import Any

from assaymark.formats.located import Map, Seq


def snake(name: str) -> str:
    """The words of a name of CloudFormation's as Terraform writes them."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def snaked(value: Any) -> Any:
    """A value with all its names in Terraform's spelling."""
    if isinstance(value, Map):
        found = Map(value.line)
        for key, item in value.items():
            name = {"KMSMasterKeyID": "kms_master_key_id", "SSEAlgorithm": "sse_algorithm"}.get(key, snake(key))
            found.put(name, snaked(item), value.at(key))
        return found
    if isinstance(value, Seq):
        items = Seq(value.line)
        for index, item in enumerate(value):
            items.put(snaked(item), value.at(index))
        return items
    return value


def renamed(items: list[Any], names: dict[str, str]) -> Seq:
    """Blocks with some of their names replaced."""
    found = Seq(getattr(items, "line", 1))
    for item in items:
        if isinstance(item, Map):
            one = Map(item.line)
            for key, value in item.items():
                one.put(names.get(key, key), value, item.at(key))
            found.put(one, item.line)
    return found


def listed(items: Seq) -> Seq:
    """A rule names one block of addresses; Terraform's names a list."""
    for item in items:
        for key in ("cidr_blocks", "ipv6_cidr_blocks"):
            if isinstance(item.get(key), str):
                item[key] = [item[key]]
    return items
