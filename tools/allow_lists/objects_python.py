"""Plain values of the standard library."""

from __future__ import annotations

import argparse
import array
import collections
import datetime
import decimal
import fractions
import ipaddress
import pathlib
import random
import re
import string
import types
import uuid
import zoneinfo
from collections.abc import Callable, Iterator


def objects() -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and maker of each."""
    zone = zoneinfo.ZoneInfo("Europe/Vienna")
    now = datetime.datetime(2024, 5, 6, 7, 8, 9)  # noqa: DTZ001
    values: list[object] = [
        None, True, 1, 2**70, 1.5, "text", "text" * 30_000, b"bytes", bytearray(b"bytes"), bytearray(), b"", b"\xff" * 70_000, 1j, [1], (1, 2), {"a": 1}, {1},
        frozenset((1,)), range(3), slice(1, None), Ellipsis, NotImplemented, type(None), int, object, len,
        collections.OrderedDict(a=1), collections.defaultdict(list, {"a": [1]}), collections.defaultdict(int),
        collections.deque([1, 2]), collections.deque([1, 2], 5), collections.Counter("hello"),
        collections.ChainMap({"a": 1}, {"b": 2}), now, now.date(), now.time(), now.replace(tzinfo=datetime.UTC),
        now.replace(tzinfo=zone), datetime.timedelta(1, 2, 3), datetime.timezone(datetime.timedelta(hours=1), "x"),
        decimal.Decimal("1.50"), fractions.Fraction(1, 3), uuid.UUID(int=5), pathlib.Path("a/b"), pathlib.PurePosixPath("/a"),
        pathlib.PureWindowsPath("c:/a"), argparse.Namespace(a=1, b=[2]), types.SimpleNamespace(a=1), re.compile("a.*", re.IGNORECASE),
        re.compile(b"a"), array.array("d", [1.0]), array.array("i"), ipaddress.ip_address("::1"), ipaddress.ip_network("10.0.0.0/8"),
        zone, string.Template("$a"), random.Random(1),
    ]  # fmt: skip
    for value in values:
        yield repr(value)[:40], lambda value=value: value
