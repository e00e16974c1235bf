"""Any bytes as an evidence policy."""

from assaymark.core.errors import InputError
from assaymark.policy.explain import explain_change, explain_environment
from assaymark.policy.parse import parse_policy
from assaymark.policy.starter import starter_policy

RICH = b"""format = "assaymark:policy/v1"
[environments.a]
lineage = "verified"
exceptions = { roles = ["policy"], threshold = 2, max-duration = "30d" }
[environments.b]
inherits = "a"
[[environments.b.require]]
id = "r"
about = "data"
mode = "warn"
max-age = "30d"
predicate = "a:b"
roles = ["x"]
where = [{ field = "a.*.b", at-least = "0.95" }, { field = "c", contains = 1 }, { field = "d", not-in = ["e"] }]
[[policy.require]]
id = "p"
predicate = "a:b"
roles = ["x"]
"""
SEEDS = [starter_policy(), RICH]


def fuzz(data: bytes) -> None:
    try:
        policy = parse_policy(data)
    except InputError:
        return
    for environment in policy.environments:
        assert all(line.isprintable() for line in explain_environment(policy, environment.name))
    assert all(line.isprintable() for line in explain_change(policy))
