"""Every fuzz target, briefly: the soak runs the same ones for hours."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FOLDER = Path(__file__).parents[1] / "fuzz"
TARGETS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def test_there_are_targets():
    assert len(TARGETS) >= 10, f"fuzz targets are missing from {FOLDER}"


@st.composite
def near(draw, seeds: list[bytes]):
    """A seed cut short, with a slice replaced, or with a slice of another one in it."""
    data = draw(st.sampled_from(seeds))
    start = draw(st.integers(0, len(data)))
    stop = draw(st.integers(start, min(len(data), start + 32)))
    other = draw(st.sampled_from(seeds))
    begin = draw(st.integers(0, len(other)))
    match draw(st.integers(0, 3)):
        case 0:
            return data[:start]
        case 1:
            return data[:start] + draw(st.binary(max_size=8)) + data[stop:]
        case 2:
            return data[:start] + other[begin : begin + 32] + data[stop:]
        case _:
            return data[:stop] + data[start:]


@pytest.mark.parametrize("name", TARGETS)
def test_target_lets_nothing_else_pass(name):
    target = importlib.import_module(f"tests.fuzz.{name}")
    seeds = list(getattr(target, "SEEDS", ()))
    for seed in seeds:
        target.fuzz(seed)
    inputs = st.binary(max_size=200)
    if seeds:
        inputs = st.one_of(inputs, near(seeds))

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(inputs)
    def run(data: bytes) -> None:
        target.fuzz(data)

    run()
