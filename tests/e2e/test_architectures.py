"""Small architectures with what ``assess`` must say of them, and what it must not.

Each folder has the files of one under ``in`` and ``expected.json``: ``reach`` (principal, action, resource, state or
``-`` for none), ``paths`` (from, to, state or ``-``), ``lines`` (from, to, file, line behind some step of the path),
``isolated`` (from, to, answer) and ``skipped`` (what the reasons name; nothing else may be skipped). What is expected
was written from the platforms' documentation before the answers were looked at.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.cli import cli

FOLDER = Path(__file__).parent / "architectures"
NAMES = sorted(place.name for place in FOLDER.iterdir() if place.is_dir())


@pytest.mark.parametrize("name", NAMES)
def test_architecture(name: str) -> None:
    place, wanted = FOLDER / name / "in", json.loads((FOLDER / name / "expected.json").read_text())
    said = json.loads(cli("assess", place, "--format", "json").out)
    reach = {(one["principal"], one["action"], one["resource"]): one["state"] for one in said["reach"]}
    paths = {(one["from"], one["to"]): one for one in said["paths"]}
    wrong = [one for one in wanted.get("reach", ()) if reach.get(tuple(one[:3]), "-") != one[3]]
    wrong += [
        one for one in wanted.get("paths", ()) if paths.get((one[0], one[1]), {"state": "-"})["state"] != one[2]
    ]
    for start, end, file, line in wanted.get("lines", ()):
        steps = paths.get((start, end), {"steps": []})["steps"]
        places = {(place["path"], place["line"]) for step in steps for place in step["because"]}
        wrong += [] if (file, line) in places else [[start, end, file, line]]
    for start, end, answer in wanted.get("isolated", ()):
        found = json.loads(cli("assess", place, "--isolated", start, end, "--format", "json").out)["isolated"]
        wrong += [] if found == answer else [[start, end, answer, found]]
    skipped = [f"{one['path']}: {one['reason']}" for one in said["skipped"]]
    expected = wanted.get("skipped", ())
    wrong += [text for text in skipped if not any(one in text for one in expected)]
    wrong += [one for one in expected if not any(one in text for text in skipped)]
    assert wrong == []
