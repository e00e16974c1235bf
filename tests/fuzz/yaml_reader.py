"""Fuzz target: the YAML reader, and the judge of what it reads."""

import contextlib

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.yaml_reader import read_yaml
from assaymark.scanning.examine import examine

SEEDS = (
    b"a: &x {b: [1, 'two', \"th\\x72ee\"]}\nc: *x\n<<: *x\nd: |-\n  text\n   more\ne: !!python/tuple [1]\n",
    b"---\n- !new:torch.nn.Linear\n  in: 1 # comment\n- - x\n  - y: z\n    w:\n...\n---\nplain\n  text\n",
    b"model:\n  _target_: torch.nn.Linear\n  'quoted key' : >+\n\n    folded\n",
)


def fuzz(data: bytes) -> None:
    """Values or an InputError; a report in any case."""
    with contextlib.suppress(InputError):
        read_yaml(data.decode("utf-8", "replace"))
    examine(BytesView(data), "config.yaml")
