"""The entry's three lines."""

import pytest

from assaymark.core.errors import InputError
from assaymark.tlog.leaf import Leaf, format_leaf, parse_leaf

HEX = "ab" * 32
TEXT = f"assaymark:leaf/v1\n{HEX}\n2026-05-01T12:00:00Z\n".encode()


def test_an_entry_is_three_lines():
    leaf = parse_leaf(TEXT)
    assert leaf == Leaf("sha256:" + HEX, 1_777_636_800)
    assert format_leaf(leaf) == TEXT


@pytest.mark.parametrize(
    "data",
    [
        b"",
        TEXT[:-1],
        TEXT + b"\n",
        TEXT + b"more\n",
        TEXT.replace(b"/v1", b"/v2"),
        TEXT.replace(b"ab", b"AB"),
        TEXT.replace(b"ab", b"a", 1),
        TEXT.replace(b"\n", b"\r\n"),
        TEXT.replace(b"Z", b"+00:00"),
        TEXT.replace(b"12:00", b"25:00"),
        TEXT.replace(b"2026", "\u0662026".encode()),
    ],
)
def test_any_other_spelling_is_refused(data):
    with pytest.raises(InputError):
        parse_leaf(data)


def test_what_is_no_digest_or_time_is_not_written():
    with pytest.raises(InputError):
        format_leaf(Leaf(HEX, 0))
    with pytest.raises(InputError):
        format_leaf(Leaf("sha256:" + HEX, -1))
