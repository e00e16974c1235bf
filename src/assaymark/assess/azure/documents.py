"""Fields of the documents that Azure writes: what the API has under ``properties`` the CLI has beside the id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator


def items(value: Map) -> Iterator[Map]:
    """The document, or what it lists: the API answers with ``value``, Resource Graph with ``data``."""
    for key in ("value", "data"):
        listed = value.get(key)
        if isinstance(listed, list) and all(isinstance(one, Map) for one in listed) and "id" not in value:
            yield from listed
            return
    yield value


def text(value: Map, *names: str) -> str:
    """The first of these fields that is a text, of the document or of its properties; empty for none."""
    inner = value.get("properties")
    for place in (value, inner) if isinstance(inner, Map) else (value,):
        for name in names:
            if isinstance(place.get(name), str) and place[name]:
                return str(place[name])
    return ""


def field(value: Map, name: str) -> Any:
    """A field of the document or of its properties; None for none."""
    inner = value.get("properties")
    if name in value:
        return value[name]
    return inner.get(name) if isinstance(inner, Map) else None
