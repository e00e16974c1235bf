"""Whatever the bytes, parsers of model files raise InputError or nothing, and a report comes back the same.

Bytes are drawn three ways: at random, as opcode soup, and as real files with some bytes changed, which reaches
deepest.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fuzz import (
    compressed_streams,
    media,
    numpy_header,
    pickle_machine,
    safetensors_reader,
    scan_config,
    scan_examine,
    scan_report,
    sevenzip_reader,
    tar_reader,
    text_and_pictures,
    zip_reader,
)
from tests.support.asm import make_zip, safetensors, zip_entry

from assaymark.core.canonical import canonical_json
from assaymark.core.report import Confidence, Examined, Finding, Location, Report, Severity, Skipped
from assaymark.core.report_json import report_from_json, report_to_json

SETTINGS = settings(max_examples=200, deadline=None)
VECTORS = Path(__file__).parents[1] / "vectors"
SEEDS = [
    path.read_bytes()
    for folder in ("archives", "models", "pictures")
    for path in sorted((VECTORS / folder).iterdir())
    if path.stat().st_size < 4000
]
SEEDS += [
    make_zip([zip_entry(b"a.txt", b"text"), zip_entry(b"b.pkl", b"\x80\x02N.")]),
    safetensors({"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}, b"xx"),
]
TARGETS = [
    compressed_streams,
    media,
    numpy_header,
    pickle_machine,
    safetensors_reader,
    scan_config,
    scan_examine,
    scan_report,
    sevenzip_reader,
    tar_reader,
    text_and_pictures,
    zip_reader,
]


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.integers(0, 3)):
            case 0:
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=4))
            case 1:
                del data[at : at + draw(st.integers(1, 16))]
            case 2:
                data[at:at] = draw(st.binary(min_size=1, max_size=8))
            case _:
                data[at : at + 4] = draw(
                    st.sampled_from(
                        [
                            b"\0\0\0\0",
                            b"\xff\xff\xff\xff",
                            b"\x7f\xff\xff\xff",
                            b"PK\5\6",
                            b"PK\1\2",
                            b"cos\nsystem\n",
                        ]
                    )
                )
    return bytes(data)


OPCODES = st.sampled_from(
    [
        bytes((code,))
        for code in b"(.0123FIJKLMNPQRSTUVXabcdeghijlopqrstu)]}BC\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98"
    ]
    + [b"os\n", b"\0\0\0\0", b"\1", b"numpy\ndtype\n", b"collections\nOrderedDict\n"]
)
BYTES = st.one_of(st.binary(max_size=200), st.lists(OPCODES, max_size=40).map(b"".join), changed())


@SETTINGS
@given(BYTES)
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__.rsplit(".", 1)[-1])
def test_a_parser_raises_input_errors_only(target: ModuleType, data: bytes) -> None:
    target.fuzz(data)


TEXTS = st.text(max_size=30)
COUNTS = st.none() | st.integers(0, 2**53 - 1)
LOCATIONS = st.builds(Location, TEXTS, COUNTS, COUNTS, TEXTS)
FINDINGS = st.builds(
    Finding,
    st.sampled_from(["a-rule", "b"]),
    st.sampled_from(Severity),
    st.sampled_from(Confidence),
    TEXTS,
    st.lists(LOCATIONS, min_size=1, max_size=3).map(tuple),
)
REPORTS = st.builds(
    Report,
    st.lists(FINDINGS, max_size=3).map(tuple),
    st.lists(st.builds(Examined, TEXTS, TEXTS, TEXTS), max_size=3).map(tuple),
    st.lists(TEXTS, max_size=3).map(tuple),
    st.lists(st.builds(Skipped, TEXTS, TEXTS, TEXTS), max_size=3).map(tuple),
    st.just(("files",)),
    st.just(("network",)),
)


@SETTINGS
@given(REPORTS)
def test_any_report_can_be_signed_and_comes_back_with_the_same_meaning(report: Report) -> None:
    value = report_to_json(report)
    assert canonical_json(value)
    again = report_from_json(value)
    assert report_to_json(again) == value
    assert again.outcome() is report.outcome()
