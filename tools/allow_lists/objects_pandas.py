"""Frames, series, every kind of index, of array and of moment."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd


def objects() -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and maker of each."""
    stamps = ["2024-01-01", "2024-02-01", None]
    zones: list[Any] = [
        None,
        "UTC",
        "Europe/Vienna",
        datetime.UTC,
        datetime.timezone(datetime.timedelta(hours=2)),
        zoneinfo.ZoneInfo("Asia/Tokyo"),
    ]
    try:
        import dateutil.tz
        import pytz

        zones += [
            pytz.UTC,
            pytz.timezone("Europe/Vienna"),
            pytz.FixedOffset(60),
            dateutil.tz.UTC,
            dateutil.tz.gettz("Europe/Vienna"),
        ]
    except ImportError:
        pass
    columns: dict[str, Callable[[], Any]] = {
        "int": lambda: [1, 2, 3], "float": lambda: [1.5, None, 2], "text": lambda: ["a", "b", None], "bool": lambda: [True, False, True],
        "Int64": lambda: pd.array([1, None, 3], "Int64"), "Float32": lambda: pd.array([1, None, 3], "Float32"),
        "boolean": lambda: pd.array([True, None, False], "boolean"), "string": lambda: pd.array(["a", None, "b"], pd.StringDtype("python")),
        "category": lambda: pd.Categorical(["a", "b", "a"]), "ordered": lambda: pd.Categorical([1, 2, 1], ordered=True),
        "sparse": lambda: pd.arrays.SparseArray([0, 0, 1]), "sparse float": lambda: pd.arrays.SparseArray([0.0, np.nan, 1]),
        "interval": lambda: pd.arrays.IntervalArray.from_breaks([0, 1, 2, 3]), "period": lambda: pd.period_range("2024-01", periods=3, freq="M").array,
        "timedelta": lambda: pd.to_timedelta([1, 2, 3], unit="s"), "datetime": lambda: pd.to_datetime(stamps), "objects": lambda: [{"a": 1}, [2], None],
        "complex": lambda: [1j, 2j, 3j], "seconds": lambda: np.array(["2024-01-01"] * 3, "M8[s]"),
    }  # fmt: skip
    for name, make in columns.items():
        yield f"Series {name}", lambda make=make: pd.Series(make())
        yield f"DataFrame {name}", lambda make=make: pd.DataFrame({"a": make(), "b": [1, 2, 3]})
        yield f"array {name}", lambda make=make: pd.array(make())
        yield f"Index {name}", lambda make=make: pd.Index(make())
        yield f"dtype {name}", lambda make=make: pd.Series(make()).dtype
    for zone in zones:
        yield f"DatetimeIndex {zone!r}", lambda zone=zone: pd.date_range("2024-01-01", periods=3, tz=zone)
        yield f"Timestamp {zone!r}", lambda zone=zone: pd.Timestamp("2024-01-01", tz=zone)
        yield f"Series {zone!r}", lambda zone=zone: pd.Series(pd.date_range("2024-01-01", periods=3, tz=zone))
    yield "mixed", lambda: pd.DataFrame({name: pd.Series(make()) for name, make in columns.items()})
    yield "RangeIndex", lambda: pd.RangeIndex(5)
    yield "named", lambda: pd.Series([1, 2], name="x", index=pd.Index(["a", "b"], name="i"))
    yield "MultiIndex", lambda: pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["x", "y"])
    yield (
        "MultiIndex frame",
        lambda: pd.DataFrame(np.ones((4, 2)), index=pd.MultiIndex.from_product([["a", "b"], [1, 2]])),
    )
    yield "CategoricalIndex", lambda: pd.CategoricalIndex(["a", "b"])
    yield "IntervalIndex", lambda: pd.interval_range(0, 3)
    yield "PeriodIndex", lambda: pd.period_range("2024-01", periods=3, freq="D")
    yield "TimedeltaIndex", lambda: pd.timedelta_range("1s", periods=3)
    yield "freq index", lambda: pd.date_range("2024-01-01", periods=3, freq="W-MON")
    yield "Interval", lambda: pd.Interval(0, 1)
    yield "Interval of time", lambda: pd.Interval(pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-02"))
    yield "Period", lambda: pd.Period("2024-01", "M")
    yield "Timedelta", lambda: pd.Timedelta("1s")
    yield "NaT", lambda: pd.NaT
    yield "NA", lambda: pd.NA
    for offset in ["Day", "Hour", "BDay", "MonthEnd", "MonthBegin", "QuarterEnd", "YearEnd", "Week", "BMonthEnd"]:
        yield f"offset {offset}", lambda offset=offset: getattr(pd.offsets, offset)(2)
    yield "DateOffset", lambda: pd.DateOffset(months=2)
    yield "attrs", lambda: (lambda frame: frame.attrs.update(a=1) or frame)(pd.DataFrame({"a": [1]}))
    yield "empty", lambda: pd.DataFrame()
    yield "flags", lambda: pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False)
    yield "grouped result", lambda: pd.DataFrame({"a": [1, 1, 2], "b": [1, 2, 3]}).groupby("a").agg(["mean", "sum"])
