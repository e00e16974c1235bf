"""Scanners of formats that hold numbers and nothing to run: trees, and tensors in UBJSON and MessagePack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.errors import InputError
from assaymark.formats.msgpack import read_msgpack
from assaymark.formats.trees import read_catboost, read_lightgbm, read_xgboost
from assaymark.formats.ubjson import read_ubjson
from assaymark.scanning.graphs.shared import note_broken

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.view import View
    from assaymark.scanning.content import Content

_FLAX = frozenset((1, 2, 3))  # arrays, complex numbers, NumPy's numbers: flax/serialization.py


def _scan(content: Content, read: Callable[[View], object], name: str, what: str) -> None:
    try:
        read(content.view)
    except InputError as error:
        note_broken(content, error, what)
        return
    content.notes.saw(name, content.member)


def scan_ubjson(content: Content) -> None:
    """Values, one within the other, to the end of the file."""
    _scan(content, read_ubjson, "ubjson", "UBJSON")


def scan_xgboost(content: Content) -> None:
    """The names of the objective and of the booster."""
    _scan(content, read_xgboost, "xgboost", "XGBoost model")


def scan_lightgbm(content: Content) -> None:
    """Lines of names and numbers."""
    _scan(content, read_lightgbm, "lightgbm", "LightGBM model")


def scan_catboost(content: Content) -> None:
    """The core of the model."""
    _scan(content, read_catboost, "catboost", "CatBoost model")


def scan_msgpack(content: Content) -> None:
    """Values to the end of the file; extensions are Flax's, or some application's own."""
    try:
        extensions = read_msgpack(content.view)
    except InputError as error:
        note_broken(content, error, "MessagePack")
        return
    if extensions - _FLAX:
        content.notes.skip("it holds extensions of an application, which may be pickles", content.member)
        return
    content.notes.saw("msgpack", content.member)
