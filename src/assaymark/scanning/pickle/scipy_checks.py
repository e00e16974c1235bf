"""Checks in code of what SciPy's classes trust in their state, for the allow-list ``scipy``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.formats.pickle.values import Dict
from assaymark.scanning.pickle.refusal import Refused
from assaymark.scanning.pickle.shapes import check_attributes

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.formats.pickle.values import Instance, Value

# What scipy.stats makes of the names of shape parameters, and executes: _distn_infrastructure.parse_arg_template.
_SHAPES: Final = r"(?:[A-Za-z_]\w{0,30}, ?){0,20}"
_TEMPLATE: Final = re.compile(
    rf"""\s*def _parse_args\(self, (?P<a>{_SHAPES}) ?(?P<i>loc=0(?:, ?scale=1)?)\):
    return \((?P=a)\), (?P<o>loc(?:, ?(?:scale|1))?)

def _parse_args_rvs\(self, (?P=a) ?(?P=i), size=None\):
    return self\._argcheck_rvs\((?P=a) ?(?P=o), size=size\)

def _parse_args_stats\(self, (?P=a) ?(?P=i), moments='mv'\):
    return \((?P=a)\), (?P=o), moments\s*""",
    re.ASCII,
)
_BARRED: Final = ("_attach_methods", "_attach_argparser_methods", "_argcheck_rvs")
# Not those that make code: _construct_argparser, _attach_argparser_methods, _updated_ctor_param.
_METHOD: Final = re.compile(r"_(?!construct|attach|update|argcheck_rvs)[a-z][a-z0-9_]{0,40}", re.ASCII)


def has_method(kind: str, name: str) -> bool:
    """Whether ``name`` is a private method of a distribution: discrete ones hold vectorised methods of themselves."""
    return kind.startswith(("scipy.stats._discrete_distns.", "scipy.stats._distn_infrastructure.")) and bool(
        _METHOD.fullmatch(name)
    )


def distribution_state(_instance: Instance, state: Value) -> None:
    """The attributes of a distribution, whose ``__setstate__`` executes ``_parse_arg_template``.

    Raises:
        Refused: when that is not what SciPy makes of names of parameters.
    """
    check_attributes(state)
    if not isinstance(state, Dict):
        raise Refused("with a state that is no dict")
    templates = 0
    for key, value in zip(state.items[::2], state.items[1::2], strict=True):
        if key in _BARRED:
            raise Refused(f"with an attribute {key!r}, which would be called at once")
        if key == "_parse_arg_template":
            templates += 1
            if not isinstance(value, str) or _TEMPLATE.fullmatch(value) is None:
                raise Refused("with code of its own as _parse_arg_template, which SciPy executes at once")
    if templates > 1:
        raise Refused("with two templates")


CHECKS: Final[dict[str, Callable[..., Value]]] = {"scipy.distribution_state": distribution_state}
