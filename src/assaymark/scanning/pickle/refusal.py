"""How a check of arguments says no, and the checks that torch and NumPy share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.formats.pickle.values import Instance

if TYPE_CHECKING:
    from assaymark.formats.pickle.values import Blob, Value


class Refused(Exception):  # noqa: N818 - internal to the scan: becomes a finding
    """A use that the table does not permit; the text goes on from "calls X ..."."""


class NotChecked(Exception):  # noqa: N818 - internal to the scan: becomes a skip
    """A use that may well be harmless, but that this version cannot check."""


@dataclass(frozen=True, slots=True)
class Nested:
    """What a permitted call returns when it loads ``blob`` itself: ``loader`` is ``torch`` or ``pickle``.

    Whoever asked has the bytes examined as that loader reads them, and takes what they load for the result.
    """

    loader: str
    blob: Blob


def is_count(value: Value) -> bool:
    """A whole number from 0 that a machine word holds."""
    return type(value) is int and 0 <= value < 2**63


def is_instance(value: Value, kind: str) -> bool:
    """Whether ``value`` is the result of a permitted call of that kind."""
    return isinstance(value, Instance) and value.kind == kind
