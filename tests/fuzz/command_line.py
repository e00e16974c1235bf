"""Any bytes as the words of a command: recorded as texts that can be signed, and redacting again changes nothing more."""

import os

from assaymark.core.canonical import canonical_json
from assaymark.recording.command import entry_script, redact_words

SEEDS = [
    b"python\0train.py\0--password=x\0--token\0abc",
    b"sh\0-c\0curl https://u:p@h/?token=1&b=2",
    b"\xff\0\n\0--api-key: 5\0hf_aaaaaaaaaaaaaaaaaaaaaaaa",
]


def fuzz(data: bytes) -> None:
    words = [os.fsdecode(word) for word in data.split(b"\0")]
    made, changed = redact_words(words)
    assert len(made) == len(words)
    assert 0 <= changed <= len(words)
    canonical_json(made)
    entry_script(words)
