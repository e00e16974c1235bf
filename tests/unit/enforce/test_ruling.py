"""When an enforcement point lets go: over answers, time, and clocks that lie."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assaymark.core.decision import Outcome, Reason
from assaymark.enforce.ruling import Ruling, Standing, begin, hear, look, seconds_left

T = 1_770_000_000
PERMIT = Ruling(Outcome.PERMIT, (Reason("scan", Outcome.PERMIT),), T + 60)
DENY = Ruling(Outcome.DENY, (Reason("containment", Outcome.DENY, "contained"), Reason("scan", Outcome.PERMIT)))
NONE = Ruling(Outcome.INDETERMINATE, (Reason("store-io", Outcome.INDETERMINATE, "the disk is away"),))


def standing(ruling: Ruling = PERMIT) -> Standing:
    found = begin(ruling, T, 100)
    assert isinstance(found, Standing)
    return found


def stopped(found: Standing | Ruling) -> Ruling:
    assert isinstance(found, Ruling)
    assert found.outcome is not Outcome.PERMIT
    return found


@pytest.mark.parametrize("answer", [DENY, NONE])
def test_nothing_begins_but_by_a_permit(answer):
    assert begin(answer, T, 100) is answer


def test_a_permit_that_has_ended_begins_nothing():
    assert stopped(begin(PERMIT, T + 61, 100)).unmet == ("validity",)


def test_a_no_acts_at_once():
    assert hear(standing(), DENY, T + 1, 101) is DENY
    assert DENY.unmet == ("containment",)


def test_no_answer_leaves_the_last_permit_until_it_ends_and_is_named_then():
    held = hear(standing(), NONE, T + 30, 130)
    assert isinstance(held, Standing)
    assert stopped(look(held, T + 60.1, 160.1)).unmet == ("validity", "store-io")


def test_a_later_permit_renews_and_an_earlier_one_does_not_lengthen():
    later = hear(standing(), Ruling(Outcome.PERMIT, (), T + 100), T + 30, 130)
    assert isinstance(later, Standing)
    assert later.renewals == 1
    assert seconds_left(later, T + 30, 130) == 70
    assert isinstance(look(later, T + 99, 199), Standing)
    older = hear(later, Ruling(Outcome.PERMIT, (), T + 40), T + 31, 131)
    assert isinstance(older, Standing)
    assert stopped(look(older, T + 41, 141)).unmet == ("validity",)


def test_a_clock_that_goes_back_is_no_answer_and_lengthens_nothing():
    assert stopped(look(standing(), T - 3600, 101)).unmet == ("clock",)
    corrected = look(standing(), T - 2, 103)
    assert isinstance(corrected, Standing), "a correction of some seconds is no attack"
    assert stopped(look(corrected, T + 57, 160.5)).unmet == ("validity",), "the steady clock says when it ends"


def test_a_clock_set_back_a_little_at_a_time_is_noticed():
    found: Standing | Ruling = standing()
    wall = float(T)
    for steady in range(101, 110):
        assert isinstance(found, Standing)
        wall -= 1
        found = look(found, wall, steady)
        if isinstance(found, Ruling):
            break
    assert stopped(found).unmet == ("clock",)


def test_a_clock_that_jumps_ahead_ends_the_decision():
    assert stopped(look(standing(), T + 3600, 101)).unmet == ("validity",)


def test_ids_that_are_no_names_do_not_reach_a_record():
    odd = Ruling(
        Outcome.DENY, (Reason("Not a name", Outcome.DENY), *[Reason(f"r{i}", Outcome.DENY) for i in range(99)])
    )
    assert len(odd.unmet) == 64
    assert odd.unmet[0] == "r0"


ANSWERS = st.one_of(
    st.just(DENY), st.just(NONE), st.integers(T, T + 300).map(lambda end: Ruling(Outcome.PERMIT, (), end))
)
STEPS = st.lists(st.tuples(st.floats(0, 40), st.floats(-20, 40), st.none() | ANSWERS), max_size=30)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_no_program_outlives_the_last_permit_by_any_clock(steps):
    """Whatever is answered and however the wall clock is set, what stands was permitted, and its time is not over."""
    found: Standing | Ruling = begin(PERMIT, T, 0)
    wall, steady = float(T), 0.0
    last, heard_at = PERMIT, (wall, steady)
    for elapsed, wall_elapsed, answer in steps:
        steady += elapsed
        wall += wall_elapsed
        if isinstance(found, Ruling):
            break
        if answer is None:
            found = look(found, wall, steady)
        else:
            found = hear(found, answer, wall, steady)
            if answer.outcome is Outcome.DENY:
                assert found is answer
            elif answer.outcome is Outcome.PERMIT:
                last, heard_at = answer, (wall, steady)
        if isinstance(found, Standing):
            assert wall <= last.valid_until
            assert steady - heard_at[1] <= last.valid_until - heard_at[0]
            assert wall - steady >= T - 5 - 1e-6
