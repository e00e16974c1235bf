"""What is said of a rewritten policy: what was asked and found, once each."""

from __future__ import annotations

from assaymark.assess.rewrite import CONTAINED, NOT_CONTAINED, UNKNOWN, Containment, Example, Rewrite
from assaymark.solve.ask import Answer, Said
from assaymark.ui.report.assessment_fixes import verdict_words

SAID = (Answer("0" * 64, (Said("z3", "4.0", "unsat", {}),)),)
YES = Containment(CONTAINED, SAID)
NO = Containment(NOT_CONTAINED, SAID, Example("s3:GetObject", "arn:aws:s3:::a/b"))
OPEN = Containment(UNKNOWN, SAID)


def test_a_need_that_the_old_policies_do_not_allow_is_said_beside_what_is_attested() -> None:
    one = Rewrite("least", "r", (), {}, YES, YES, (), uncovered=(("dynamodb:GetItem", "*"),), minimality=SAID)
    most = "all that is needed of what they allow"
    assert verdict_words(one) == [
        f"z3 4.0 attest: it allows nothing that the old policies do not, {most}, and no less does",
        "needed, and not allowed by the old policies: dynamodb:GetItem on *",
    ]


def test_what_is_not_minimal_says_what_may_go() -> None:
    one = Rewrite("least", "r", (), {}, YES, YES, ("s3:GetObject",))
    assert verdict_words(one) == [
        "z3 4.0 attest: it allows nothing that the old policies do not and all that is needed",
        "not shown to be needed: s3:GetObject",
    ]


def test_what_is_not_shown_is_said_with_a_request_where_there_is_one() -> None:
    assert verdict_words(Rewrite("least", "r", (), {}, NO, OPEN, ())) == [
        "z3 4.0 attest: nothing of it can go",
        "it allows what the old policies do not, for one: s3:GetObject on arn:aws:s3:::a/b",
        "not told: whether it allows all that is needed",
    ]


def test_a_patched_policy_that_loses_a_need() -> None:
    assert verdict_words(Rewrite("patched", "r", (), {}, YES, NO)) == [
        "z3 4.0 attest: it allows nothing that the old policy does not",
        "it does not allow all that is known to be needed, for one: s3:GetObject on arn:aws:s3:::a/b",
    ]


def test_nothing_is_attested_by_nobody() -> None:
    nobody = Containment(CONTAINED, ())
    assert verdict_words(Rewrite("least", "r", (), {}, nobody, nobody, ())) == [
        "shown without a solver: it allows nothing that the old policies do not, all that is needed, and no less does"
    ]
