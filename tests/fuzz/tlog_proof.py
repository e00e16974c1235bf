"""Fuzz target: receipts."""

from assaymark.core.errors import InputError
from assaymark.tlog.proof import format_receipt, parse_receipt


def fuzz(data: bytes) -> None:
    """What parses is the only spelling; anything else is an InputError."""
    try:
        receipt = parse_receipt(data)
    except InputError:
        return
    if format_receipt(receipt) != data:
        raise AssertionError("a receipt with two spellings")
