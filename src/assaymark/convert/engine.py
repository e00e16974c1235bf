"""The engine that the confined process runs: one file's bytes in, its plan or an error out, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assaymark.convert.plan import Plan, output_bound, plan_to_json
from assaymark.convert.torch_file import plan_archive, plan_legacy
from assaymark.core.errors import InputError
from assaymark.formats.zip import LOCAL_MAGIC

if TYPE_CHECKING:
    from assaymark.core.view import View


def answer(view: View, _path: str) -> dict[str, Any]:
    """``{"plan": ...}`` or ``{"error": {"code", "message", "position"}}``."""
    try:
        return {"plan": plan_to_json(make(view))}
    except InputError as error:
        said = {"code": error.code, "message": error.message, "position": error.position, "remedy": error.remedy}
        return {"error": said}


def make(view: View) -> Plan:
    """The plan for the file, by its content.

    Raises:
        InputError: a ``convert-*`` code, or one of the format's reader.
    """
    plan = plan_archive(view) if view.read(0, 4) == LOCAL_MAGIC else plan_legacy(view)
    total = sum(tensor.size for tensor in plan.tensors)
    if total > output_bound(view.size):
        raise InputError(
            "convert-limit", f"tensors that share bytes would take {total} bytes, from a file of {view.size}"
        )
    return plan
