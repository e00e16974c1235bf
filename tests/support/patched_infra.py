"""Files with written fixes of a rule applied, held against what every written fix promises; and roles to try them on."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from assaymark.assess.engine import Assessment, assess
from assaymark.assess.files import SourceFile, source_file
from assaymark.assess.patch import Patch, apply_patches, lines_of
from assaymark.assess.patches.writers import patches_for

FOLDER = Path(__file__).parents[2] / "rules"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SAFE = ("aws-federation-audience", "aws-key-rotation")
TRUST = """  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
  })
"""


def read(folder: Path) -> list[SourceFile]:
    return [
        source_file(str(path.relative_to(folder)), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def all_patches(found: Assessment, rule: str) -> list[Patch]:
    return [
        patch
        for finding in found.findings
        if finding.rule == rule
        for patch in patches_for(finding, found.inputs, found.estates)
    ]


def fixed(given: list[SourceFile], rule: str) -> list[SourceFile]:
    """The files with all patches of a rule, which are held against the promises that patches make."""
    before = assess(given, NOW)
    by_path = defaultdict(list)
    for patch in all_patches(before, rule):
        assert not patch.safe or rule in SAFE
        by_path[patch.path].append(patch)
    after = [source_file(one.path, apply_patches(one.data, by_path[one.path])) for one in given]
    for old, new in zip(given, after, strict=True):
        replaced = {line for patch in by_path[old.path] for line in range(patch.line, patch.line + patch.removed)}
        kept = [text for number, text in enumerate(lines_of(old), 1) if number not in replaced]
        left = iter(lines_of(new))
        assert all(text in left for text in kept), "a line that no patch is about has changed"
    again = assess(after, NOW)
    known = {(one.rule, one.name) for one in before.findings}
    assert {(one.rule, re.sub(r"-(?:birch|cedar)(?=/)", "", one.name)) for one in again.findings} <= known
    assert set(again.reading.skipped) <= set(before.reading.skipped)
    assert again.reading.read >= {path for path in before.reading.read if new_text(after, path)}
    return after


def new_text(given: list[SourceFile], path: str) -> bool:
    return any(one.path == path and one.data.strip() for one in given)


def rules_of(given: list[SourceFile]) -> set[str]:
    return {one.rule for one in assess(given, NOW).findings}


def role(name: str, tags: str = "") -> str:
    return f'resource "aws_iam_role" "{name}" {{\n  name = "{name}-inference"\n{tags}{TRUST}}}\n'


def tenant_role(name: str) -> str:
    return role(name, f'  tags = {{ tenant = "{name}" }}\n')


def tf(text: str, **others: str) -> list[SourceFile]:
    more = [source_file(name.replace("_", "."), content.encode()) for name, content in others.items()]
    return [source_file("main.tf", text.encode()), *more]


def text_of(given: list[SourceFile], path: str = "main.tf") -> str:
    return next(one.text() for one in given if one.path == path)
