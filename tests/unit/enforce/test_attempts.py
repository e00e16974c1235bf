"""Attempts are recorded at once, then once a minute; and however many there are, the counts add up."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assaymark.core.attempt import Attempt, AttemptKind, attempt_statement, parse_attempt
from assaymark.core.decision import Outcome
from assaymark.core.errors import InputError
from assaymark.core.statement import make_statement
from assaymark.core.subject import Subject
from assaymark.enforce.attempts import (
    Attempts,
    due,
    note_attempt,
    read_attempts,
    unrecorded,
    write_attempts,
)

T = 1_770_000_000


def kind(number: int = 0, **changes) -> AttemptKind:
    subject = Subject(f"model {number}", f"sha256:{number:064x}")
    made = AttemptKind(
        subject, "production", "refuse", Outcome.DENY, ("approvals",), "run", "gpu-7", "default", "log/1"
    )
    return replace(made, **changes)


def drawer():
    numbers = count()
    return lambda: f"{next(numbers):032x}"


def noted(times: list[int], state: Attempts | None = None) -> tuple[Attempts, list[Attempt]]:
    state, records, draw = state or Attempts(), [], drawer()
    for time in times:
        state, made = note_attempt(state, kind(), time, draw)
        records += made
    return state, records


def test_the_first_is_recorded_at_once_and_the_rest_in_one_a_minute():
    state, records = noted([T, T + 1, T + 2, T + 59, T + 60, T + 61])
    assert [(record.count, record.first - T, record.last - T) for record in records] == [(1, 0, 0), (4, 1, 60)]
    assert state.waiting == 1


def test_what_waits_is_recorded_when_its_minute_is_over():
    state, _ = noted([T, T + 1])
    assert due(state, T + 59, drawer()) == (state, ())
    state, (record,) = due(state, T + 60, drawer())
    assert record.count == 1
    assert due(state, T + 120, drawer()) == (Attempts(), ()), "and a kind with nothing to say is forgotten"


def test_a_clock_that_went_back_waits_for_nothing():
    state, records = noted([T, T - 5000, T - 4990])
    assert [record.count for record in records] == [1, 1]
    assert state.waiting == 1


def test_above_the_limit_the_oldest_kind_makes_room_and_its_count_is_recorded():
    state, draw = Attempts(), drawer()
    for number in (0, 0, 0, 1, 2):
        state, records = note_attempt(state, kind(number), T, draw, most=2)
    assert [(record.kind, record.count) for record in records] == [(kind(2), 1), (kind(0), 2)]
    assert len(state.tallies) == 2


def test_what_cannot_be_written_waits_or_is_counted_as_dropped():
    state, (record,) = note_attempt(Attempts(), kind(), T, drawer())
    state = unrecorded(state, record)
    assert state.waiting == 1
    full, _ = note_attempt(Attempts(), kind(1), T, drawer())
    full = unrecorded(full, record, most=1)
    assert full.dropped == 1
    _, (said,) = note_attempt(full, kind(2), T, drawer())
    assert said.dropped == 1


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(-90, 200), st.booleans(), st.booleans()), max_size=60),
    st.integers(1, 4),
)
def test_the_counts_add_up(events, most):
    """Whatever comes when, whatever cannot be written, and though the state goes through a file in between."""
    state, draw, now, written = Attempts(), drawer(), T, 0
    for number, elapsed, writable, persisted in events:
        now += elapsed
        state, records = note_attempt(state, kind(number), now, draw, most=most)
        for record in records:
            assert record.first <= record.last
            if writable:
                written += record.count + record.dropped
            else:
                state = unrecorded(state, record, most=most)
        assert len(state.tallies) <= most
        if persisted:
            again = read_attempts(write_attempts(state))
            assert (dict(again.tallies), again.dropped) == (dict(state.tallies), state.dropped)
            state = again
    assert written + state.waiting == len(events)


def test_an_attempt_is_read_as_it_was_made():
    attempt = Attempt(kind(), 12, T, T + 5, "ab" * 16, dropped=3)
    assert parse_attempt(attempt_statement(attempt)) == attempt
    bare = Attempt(kind(tenant="", origin="", requirements=()), 1, T, T, "ab" * 16)
    statement = attempt_statement(bare)
    assert set(statement.predicate).isdisjoint({"tenant", "origin", "dropped"})
    assert parse_attempt(statement) == bare


@pytest.mark.parametrize(
    "change",
    [
        {"count": 0},
        {"count": True},
        {"count": 1.0},
        {"action": "permit"},
        {"outcome": "YES"},
        {"id": "AB" * 16},
        {"first": "2030-01-01T00:00:00Z"},
        {"requirements": ["A b"]},
        {"requirements": ["a"] * 65},
        {"point": {"kind": "elsewhere", "name": "x"}},
        {"point": "run"},
        {"environment": ""},
        {"environment": "x" * 256},
        {"origin": 1},
        {"dropped": -1},
    ],
)
def test_a_malformed_attempt_is_refused(change):
    good = attempt_statement(Attempt(kind(), 1, T, T, "ab" * 16))
    with pytest.raises(InputError):
        parse_attempt(make_statement(good.subjects, good.predicate_type, good.predicate | change))


def test_an_attempt_about_two_subjects_or_without_a_field_is_refused():
    good = attempt_statement(Attempt(kind(), 1, T, T, "ab" * 16))
    with pytest.raises(InputError):
        parse_attempt(make_statement(good.subjects * 2, good.predicate_type, good.predicate))
    with pytest.raises(InputError, match="missing: count"):
        parse_attempt(
            make_statement(
                good.subjects, good.predicate_type, {k: v for k, v in good.predicate.items() if k != "count"}
            )
        )
