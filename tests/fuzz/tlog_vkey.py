"""Fuzz target: verifier keys."""

from assaymark.core.errors import InputError
from assaymark.tlog.note import parse_vkey, vkey


def fuzz(data: bytes) -> None:
    """What parses is the only spelling; anything else is an InputError."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        verifier = parse_vkey(text)
    except InputError:
        return
    if vkey(verifier.name, verifier.public) != text:
        raise AssertionError("a verifier key with two spellings")
