"""JSON and YAML with lines: any text is values or an ``InputError``, and JSON's are those of the standard library."""

from __future__ import annotations

import contextlib
import json

from assaymark.core.errors import InputError
from assaymark.formats.located import read_json
from assaymark.formats.located_yaml import read_located_yaml

SEEDS = [
    b'{"a": [1, -2.5e3, "\\u00e9\\n", null, true], "b": {}}',
    b"a: &x {b: 1}\nc:\n  <<: *x\n  d: [yes, 0x1f, 1e3, .inf]\n---\n- |\n  text\n- >-\n  folded\n",
    b"---\n...\n---\nk: !!python/object:os.system x\n? complex\n: v\n",
]


def fuzz(data: bytes) -> None:
    """Both readers on one text."""
    text = data.decode("utf-8", "replace")
    try:
        found = read_json(text)
    except InputError:
        pass
    else:
        if not text.startswith("\ufeff"):
            assert json.dumps(found) == json.dumps(json.loads(text))
    with contextlib.suppress(InputError):
        read_located_yaml(text)
