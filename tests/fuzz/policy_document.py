"""Any bytes as an evidence policy."""

from assaymark.core.errors import InputError
from assaymark.policy.explain import explain_environment
from assaymark.policy.parse import parse_policy
from assaymark.policy.starter import starter_policy

SEEDS = [starter_policy()]


def fuzz(data: bytes) -> None:
    try:
        policy = parse_policy(data)
    except InputError:
        return
    for environment in policy.environments:
        assert all(line.isprintable() for line in explain_environment(policy, environment.name))
