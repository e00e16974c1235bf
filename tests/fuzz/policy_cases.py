"""Any bytes as a file of policy cases; what is read is decided."""

import re
from pathlib import Path

from assaymark.core.errors import InputError
from assaymark.policy.cases import parse_cases, run_case
from assaymark.policy.parse import parse_policy
from assaymark.policy.starter import starter_policy

POLICY = parse_policy(starter_policy())
SEEDS = [
    block.encode()
    for page in ("spec/policy-cases.md", "guide/policy.md")
    for block in re.findall(r"```toml\n(.*?)```", (Path(__file__).parents[2] / "docs" / page).read_text(), re.DOTALL)
    if "assaymark:policy-cases/v1" in block
]


def fuzz(data: bytes) -> None:
    try:
        cases = parse_cases(data)
    except InputError:
        return
    for case in cases.cases[:50]:
        result = run_case(POLICY, "sha256:" + "0" * 64, case)
        assert all(reason.message.isprintable() for reason in result.reasons)
