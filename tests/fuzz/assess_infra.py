"""Any bytes as Terraform, a policy and manifests: assessed, and what could be parsed can be with patches too."""

import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import yaml

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file
from assaymark.assess.patch import apply_patches, lines_of
from assaymark.assess.patches.writers import patches_for
from assaymark.core.errors import InputError
from assaymark.formats.hcl.parser import parse_hcl

RULES = Path(__file__).parents[2] / "rules"
NAMES = ("main.tf", "policy.json", "app.yaml")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOKENS = [
    *(b"tenant", b'tags = { tenant = "a" }', b"tenant: a", b"${", b"$${", b"}", b"<<EOF\n", b"EOF\n", b'"Effect"', b"Condition", b"aws:ResourceTag/tenant"),
    *(b"- ", b"---\n", b"securityContext:", b"privileged: true", b"runAsUser: 0", b"namespace: a", b"{a: b}", b"&a", b"*a", b"# c", b"/* c */"),
]  # fmt: skip
SEEDS = [
    example.read_bytes()
    for folder in sorted(RULES.iterdir())
    if folder.name.startswith(("aws-", "azure-", "gcp-", "k8s-"))
    for example in sorted((folder / "fail").glob("*/*"))
    if example.is_file()
]
PARSERS = {"main.tf": parse_hcl, "policy.json": json.loads, "app.yaml": lambda text: list(yaml.compose_all(text))}


def fuzz(data: bytes) -> None:
    """The assessment, and all patches of a file together."""
    found = assess([source_file(name, data) for name in NAMES], NOW)
    patches = defaultdict(list)
    for finding in found.findings:
        for patch in patches_for(finding, found.inputs, found.estates):
            file = found.inputs.file(patch.path)
            assert file is not None
            assert 1 <= patch.line <= len(lines_of(file)) + 1
            patches[patch.path].append(patch)
    for path, some in patches.items():
        old = found.inputs.file(path)
        assert old is not None
        new = apply_patches(old.data, some)
        assert not _parses(path, old.data) or _parses(path, new), path


def _parses(path: str, data: bytes) -> bool:
    try:
        PARSERS[path](data.decode("utf-8-sig"))
    except (ValueError, RecursionError, yaml.YAMLError, InputError):
        return False
    return True
