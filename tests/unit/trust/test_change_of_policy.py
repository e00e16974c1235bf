"""What the policy in force asks of its own change, and what is no answer to that."""

import pytest
from tests.support.evidence import START, attestation, person, workload
from tests.support.roots import root_payload

from assaymark.core.attestation import Attestation
from assaymark.core.digest import sha256_digest
from assaymark.core.statement import POLICY, parse_envelope
from assaymark.core.subject import Subject
from assaymark.policy.predicates import policy_predicate
from assaymark.trust.policy import policies_in_force
from assaymark.trust.root import parse_root

ROOT = parse_root(root_payload())
REVIEW = "https://example.com/review/v1"
SETTERS = (person("alice", "policy"), person("bob", "policy"))
JUDGE = person("judge", "reviewer")
HEAD = 'format = "assaymark:policy/v1"\n'
ASKS = HEAD + f'[[policy.require]]\nid = "review"\npredicate = "{REVIEW}"\nroles = ["reviewer"]\n'
LAX = HEAD + f'# lax\n[[policy.require]]\nid = "review"\npredicate = "{REVIEW}"\nroles = ["reviewer"]\n'


def subject(toml):
    return Subject("policy", sha256_digest(toml.encode()), "policy")


def setting(position, toml, after):
    predicate = policy_predicate("default", toml, after_entry=after)
    return attestation(position, POLICY, predicate, *SETTERS, subject=subject(toml))


def review(position, toml, predicate_type=REVIEW, **said):
    return attestation(position, predicate_type, said, JUDGE, subject=subject(toml))


def in_force(*items):
    return policies_in_force(items, ROOT)[-1][0].position


def again(item, position):
    """The same payload and signatures in an envelope of other bytes."""
    data = item.envelope.data.replace(b'{"payload"', b'{ "payload"', 1)
    return Attestation(item.statement, parse_envelope(data), item.signers, position, START + position)


def test_a_review_of_the_new_policy_lets_it_come_into_force():
    assert in_force(setting(0, ASKS, 0), review(1, LAX), setting(2, LAX, 1)) == 2
    assert in_force(setting(0, ASKS, 0), setting(2, LAX, 1)) == 0


def test_a_review_of_before_that_is_logged_again_does_not_bring_a_policy_back():
    said = review(1, LAX)
    before = [setting(0, ASKS, 0), said, setting(2, LAX, 1), review(3, ASKS), setting(4, ASKS, 3)]
    assert in_force(*before, setting(6, LAX, 5)) == 4
    assert in_force(*before, again(said, 5), setting(6, LAX, 5)) == 4
    assert in_force(*before, review(5, LAX, why="anew"), setting(6, LAX, 5)) == 6


@pytest.mark.parametrize(("seen", "index"), [({"afterEntry": 1}, 2), ({}, 0), ({"afterEntry": "1"}, 0)])
def test_an_approval_of_a_policy_says_which_one_it_knew(seen, index):
    toml = ASKS.replace(REVIEW, "assaymark:approval/v1")
    scope = {"environment": "policy", "tenant": "default"}
    approved = review(1, LAX, "assaymark:approval/v1", **scope, **seen)
    assert in_force(setting(0, toml, 0), approved, setting(2, LAX, 1)) == index


def test_a_person_and_the_workload_they_answer_for_set_no_policy_together():
    bot = workload("bot", "policy", registered_by="alice")
    item = attestation(
        0, POLICY, policy_predicate("default", LAX, after_entry=0), SETTERS[0], bot, subject=subject(LAX)
    )
    assert policies_in_force([item], ROOT) == []
