"""Written fixes of infrastructure: what was found is gone, nothing new is found, and other lines are as they were."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assaymark.assess.engine import Assessment, assess
from assaymark.assess.files import SourceFile, lines_of, source_file
from assaymark.assess.patch import Patch, apply_patches
from assaymark.assess.patches import patches_for

FOLDER = Path(__file__).parents[3] / "rules"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
# Rules whose examples are patched, and the examples that need to know more than they show.
PATCHED = {
    "aws-bucket-any-network": {"no-policy"},
    "aws-bucket-key": set(),
    "aws-bucket-plaintext": set(),
    "aws-bucket-public": {"grant-to-all", "policy", "prefix-over-tls"},
    "aws-bucket-public-block": set(),
    "aws-environment-reads-other": set(),
    "aws-federation-audience": {"cognito"},
    "aws-file-system-plaintext": {"export"},
    "aws-function-url-open": set(),
    "aws-key-rotation": set(),
    "aws-notebook-open": {"defaults", "export"},
    "aws-passrole-any": {"every-role-by-pattern"},
    "aws-registry-mutable": {"export"},
    "aws-sagemaker-plaintext": {"eight-instances"},
    "aws-tenant-reads-other": set(),
    "aws-tenants-share-key": set(),
    "aws-trust-external": {"weak-second-factor"},
    "azure-endpoint-keys": set(),
    "azure-public-data": set(),
    "azure-storage-shared-key": set(),
    "gcp-bucket-prevention": set(),
    "gcp-federation-condition": {"whole-pool"},
    "gcp-public-data": set(),
    "gcp-public-endpoint": set(),
    "k8s-anonymous-binding": set(),
    "k8s-container-root": set(),
    "k8s-host-path-cache": {"persistent-volume"},
    "k8s-ingress-plaintext": {"ingress", "istio"},
    "k8s-mesh-permissive": set(),
    "k8s-network-policy-missing": set(),
    "k8s-node-access": {"docker-socket"},
    "k8s-pod-security-missing": set(),
    "k8s-tenants-share-namespace": set(),
    "k8s-secret-in-manifest": {"argument", "object"},
}
SAFE = ("aws-federation-audience", "aws-key-rotation")


def read(folder: Path) -> list[SourceFile]:
    return [
        source_file(str(path.relative_to(folder)), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def files(**texts: str) -> list[SourceFile]:
    return [source_file(name.replace("__", "/").replace("_", "."), text.encode()) for name, text in texts.items()]


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
        kept = [text for number, text in enumerate(lines_of(old.data), 1) if number not in replaced]
        left = iter(lines_of(new.data))
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


EXAMPLES = [
    pytest.param(rule, folder, id=f"{rule}-{folder.name}")
    for rule in PATCHED
    for folder in sorted((FOLDER / rule / "fail").iterdir())
]


@pytest.mark.parametrize(("rule", "folder"), EXAMPLES)
def test_what_is_patched_is_not_found_again(rule: str, folder: Path) -> None:
    given = read(folder)
    after = fixed(given, rule)
    if folder.name in PATCHED[rule]:
        assert after == given
        return
    assert rule not in rules_of(after)
    assert not all_patches(assess(after, NOW), rule)


ALL = [*sorted(path for rule in PATCHED for path in (FOLDER / rule / "fail").iterdir())]


@pytest.mark.parametrize(
    "folder", [*ALL, FOLDER.parent / "examples" / "estate" / "before"], ids=lambda path: "-".join(path.parts[-3:])
)
def test_patches_of_all_findings_together_leave_files_that_can_be_read(folder: Path) -> None:
    given = read(folder)
    before = assess(given, NOW)
    by_path = defaultdict(list)
    for rule in {one.rule for one in before.findings}:
        for patch in all_patches(before, rule):
            by_path[patch.path].append(patch)
    after = [source_file(one.path, apply_patches(one.data, by_path[one.path])) for one in given]
    again = assess(after, NOW)
    assert set(again.reading.skipped) <= set(before.reading.skipped)
    count, left = Counter(one.rule for one in before.findings), Counter(one.rule for one in again.findings)
    assert left <= count
