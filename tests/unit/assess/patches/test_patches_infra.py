"""Written fixes of infrastructure: what was found is gone, nothing new is found, and other lines are as they were."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest
from tests.support.patched_infra import FOLDER, NOW, all_patches, fixed, read, rules_of

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file
from assaymark.assess.patch import apply_patches, unified

# Rules whose examples are patched, and the examples that need to know more than they show.
PATCHED = {
    "aws-bucket-any-network": {"no-policy"},
    "aws-bucket-key": set(),
    "aws-bucket-plaintext": set(),
    "aws-api-open": {"openapi", "sam"},
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
    "aws-store-plaintext": {"parameter"},
    "aws-tenant-reads-other": set(),
    "aws-tenants-share-key": {"roles-of-two-tenants"},
    "aws-trust-external": {"weak-second-factor"},
    "azure-endpoint-keys": set(),
    "azure-plaintext": {"export"},
    "azure-public-data": set(),
    "azure-storage-shared-key": set(),
    "cloud-database-open": {"every-address", "authorized-network"},
    "gcp-bucket-prevention": set(),
    "gcp-federation-condition": {"whole-pool"},
    "gcp-plaintext": {"proxy"},
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
    "tenant-reaches-other": {"service-account"},
    "log-body-configured": {"nginx", "data-capture", "kserve-logger"},
    "k8s-secret-in-manifest": {"argument", "object"},
}


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


def test_a_diff_says_where_the_last_line_has_no_end() -> None:
    assert unified("f", b"a\nb", b"A\nb") == (
        "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-a\n+A\n b\n\\ No newline at end of file\n"
    )
