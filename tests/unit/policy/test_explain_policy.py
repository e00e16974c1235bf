from tests.support.evidence import STARTER

from assaymark.policy.explain import explain_environment
from assaymark.policy.parse import parse_policy
from assaymark.policy.starter import starter_policy


def test_production_in_plain_words():
    text = "\n".join(explain_environment(STARTER, "production"))
    for words in (
        "A decision is valid for 1h.",
        "1. scan: a complete scan without findings of high severity",
        "complete is true (false is no answer)",
        'highest is "none", "info", "low" or "medium"',
        "by 2 distinct principals in role approver, other than who submitted the model",
        "in role owner, approver or responder may contain a model",
        "needs all of the above anew",
    ):
        assert words in text


def test_what_permits_nothing_says_so():
    empty = parse_policy(b'format = "assaymark:policy/v1"\n[environments.dev]')
    assert "no environment 'staging'" in explain_environment(STARTER, "staging")[0]
    assert "permits nothing" in explain_environment(empty, "dev")[-1]


def test_other_ways_to_lift_and_contain():
    base = starter_policy().decode()
    never = parse_policy((base + "\n[environments.production.lift]\n").encode())
    assert "Nothing lifts a containment here." in explain_environment(never, "production")
    toml = (
        base.split("# Who may contain a model at once")[0]
        + '[[environments.production.lift.require]]\nid = "rescan"\npredicate = "assaymark:scan/v1"\nroles = ["scanner"]\n'
    )
    text = "\n".join(explain_environment(parse_policy(toml.encode()), "production"))
    assert "Any principal of the trust root may contain" in text
    assert "Lifting a containment needs, by evidence logged after it:\n  1. rescan: assaymark:scan/v1" in text
