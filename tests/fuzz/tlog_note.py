"""Fuzz target: signed notes and the checkpoints in them."""

from assaymark.core.errors import InputError
from assaymark.tlog.checkpoint import format_checkpoint, parse_checkpoint
from assaymark.tlog.note import format_note, parse_note


def fuzz(data: bytes) -> None:
    """What parses is the only spelling; anything else is an InputError."""
    try:
        note = parse_note(data)
    except InputError:
        return
    if format_note(note.text, note.signatures) != data:
        raise AssertionError("a note with two spellings")
    try:
        checkpoint = parse_checkpoint(note.text)
    except InputError:
        return
    if format_checkpoint(checkpoint) != note.text:
        raise AssertionError("a checkpoint with two spellings")
