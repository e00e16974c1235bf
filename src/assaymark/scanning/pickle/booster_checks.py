"""Checks in code of what XGBoost and LightGBM write: a handle of C++ is a model as bytes or text, never an address.

Both free ``handle`` when the object goes. ``Booster.__setstate__`` replaces the model by the pointer that it loads it
to; a number in its place would be freed as it is by a release that looks under the other of the two names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.formats.pickle.values import Dict, describe
from assaymark.scanning.pickle.permit import is_bytes, is_text
from assaymark.scanning.pickle.refusal import Refused
from assaymark.scanning.pickle.shapes import check_attributes

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.formats.pickle.values import Instance, Value

_HANDLES: Final = ("handle", "_handle")
_NETWORK: Final = ("_network", "_Booster__need_reload_eval_info", "network")


def _state(is_model: Callable[[Value], bool]) -> Callable[[Instance, Value], None]:
    def check(_instance: Instance, state: Value) -> None:
        check_attributes(state)
        if not isinstance(state, Dict):
            raise Refused("with a state that is no dict")
        for key, value in zip(state.items[::2], state.items[1::2], strict=True):
            if key in _HANDLES and value is not None and not is_model(value):
                raise Refused(f"with {describe(value)} as {key!r}, where a model as bytes or text is due")
            if key in _NETWORK and not isinstance(value, bool):
                raise Refused(f"with {describe(value)} as {key!r}")

    return check


CHECKS: Final[dict[str, Callable[..., Value]]] = {
    "boosters.xgboost_state": _state(is_bytes),
    "boosters.lightgbm_state": _state(is_text),
}
