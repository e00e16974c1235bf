"""Arrays, types, scalars and random generators."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np


def objects() -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and maker of each."""
    codes = [
        "?",
        "b",
        "B",
        "h",
        "H",
        "i",
        "I",
        "l",
        "L",
        "q",
        "Q",
        "e",
        "f",
        "d",
        "g",
        "F",
        "D",
        "G",
        "S5",
        "U5",
        "V4",
        "M8[ns]",
        "m8[s]",
        "M8[D]",
        "O",
        ">f4",
        "<i2",
        ">U3",
        "S0",
        "U0",
    ]
    for code in codes:
        yield f"dtype {code}", lambda code=code: np.dtype(code)
        yield f"array {code}", lambda code=code: np.zeros((2, 3), code)
        yield f"0-d {code}", lambda code=code: np.zeros((), code)
        yield f"scalar {code}", lambda code=code: np.zeros(3, code)[0]
        yield f"Fortran {code}", lambda code=code: np.asfortranarray(np.zeros((2, 3), code))
        yield f"strided {code}", lambda code=code: np.zeros((4, 6), code)[::2, ::3]
    structured = {
        "plain": [("a", "f4"), ("b", "i8")],
        "nested": [("a", [("x", "f4"), ("y", "U3")]), ("b", "S2", (2, 3))],
        "objects": [("a", "O"), ("b", "i4")],
        "titles": [(("A title", "a"), "f4"), ("b", "M8[ns]")],
    }
    for name, spec in structured.items():
        yield f"structured {name}", lambda spec=spec: np.zeros(3, spec)
        yield f"structured dtype {name}", lambda spec=spec: np.dtype(spec)
        yield f"aligned {name}", lambda spec=spec: np.zeros(3, np.dtype(spec, align=True))
        yield f"recarray {name}", lambda spec=spec: np.zeros(3, spec).view(np.recarray)
        if name != "objects":
            yield f"void {name}", lambda spec=spec: np.zeros(3, spec)[0]
            yield f"record {name}", lambda spec=spec: np.zeros(3, spec).view(np.recarray)[0]
    yield (
        "overlapping",
        lambda: np.zeros(2, {"names": ["a", "b"], "formats": ["i4", "i2"], "offsets": [0, 2], "itemsize": 8}),
    )
    yield "many objects", lambda: np.array([{"a": 1}, [2], "x", None], dtype=object)
    yield "masked", lambda: np.ma.array([1.0, 2.0], mask=[0, 1])
    yield "masked text", lambda: np.ma.array(["a", "b"], mask=[0, 1])
    yield "masked record", lambda: np.ma.array([(1, 2.0)], mask=[(0, 1)], dtype=[("a", "i4"), ("b", "f8")])
    yield "masked constant", lambda: np.ma.masked
    yield "matrix", lambda: np.matrix([[1, 2]])
    yield "poly1d", lambda: np.poly1d([1, 2])
    for kind in ("Polynomial", "Chebyshev", "Legendre"):
        yield kind, lambda kind=kind: getattr(np.polynomial, kind)([1, 2, 3])
    yield "RandomState", lambda: np.random.RandomState(3)
    yield "global RandomState", lambda: np.random.mtrand._rand
    yield "default_rng", lambda: np.random.default_rng(1)
    for kind in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"):
        yield kind, lambda kind=kind: getattr(np.random, kind)(1)
        yield f"Generator {kind}", lambda kind=kind: np.random.Generator(getattr(np.random, kind)(1))
    yield "SeedSequence", lambda: np.random.SeedSequence(5)
    yield "state", lambda: np.random.RandomState(3).get_state()
    for name in [
        "log1p",
        "mean",
        "add",
        "sqrt",
        "float64",
        "int32",
        "exp",
        "median",
        "bool_",
        "str_",
        "linalg.norm",
        "nan_to_num",
        "log10",
        "absolute",
    ]:
        yield name, lambda name=name: eval(f"np.{name}")  # noqa: S307 - a constant of this file
    yield "StringDType", lambda: np.array(["a", "b"], dtype=np.dtypes.StringDType())
    yield "finfo-like", lambda: np.iinfo(int).max
