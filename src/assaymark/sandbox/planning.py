"""Has a confined process make the plan of a conversion, and takes nothing of it on trust."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.convert.plan import Plan, plan_from_json
from assaymark.core.canonical import parse_object
from assaymark.core.errors import InputError
from assaymark.core.limits import CONVERT_OUTPUT_BYTES
from assaymark.core.report_json import printable
from assaymark.sandbox.confine import HOLDS
from assaymark.sandbox.limits import SandboxLimits
from assaymark.sandbox.pool import Sandbox
from assaymark.sandbox.result import failure, held

if TYPE_CHECKING:
    from collections.abc import Callable

# What plans a result of each kind.
ENGINES: Final = {
    "safetensors": "assaymark.convert.engine:answer",
    "keras": "assaymark.convert.engine:answer_keras",
}
_LIMITS: Final = SandboxLimits(output_bytes=CONVERT_OUTPUT_BYTES)
_CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+){1,7}")


def plan_file(
    path: str,
    descriptor: int,
    on_unconfined: Callable[[tuple[str, ...]], None] | None = None,
    target: str = "safetensors",
) -> Plan:
    """The plan for the open file shown as ``path``. ``on_unconfined`` hears what of the confinement did not hold.

    ``target`` is what the plan must write: ``safetensors`` or ``keras``.

    Raises:
        InputError: what the engine refuses, ``convert-reader`` when it fails on the file, ``convert-plan``.
        UnavailableError: ``sandbox-start``.
    """
    with Sandbox(workers=1, limits=_LIMITS, examiner=ENGINES[target]) as sandbox:
        data, complaint, status = sandbox.ask(path, descriptor)
    header, _, body = data.partition(b"\n")
    complaint = complaint or failure(status, _LIMITS)
    if complaint:
        raise InputError("convert-reader", f"reading it {complaint}", source=path)
    missing = tuple(name for name in HOLDS if name not in held(header))
    if missing and on_unconfined is not None:
        on_unconfined(missing)
    try:
        said = parse_object(body, limit=CONVERT_OUTPUT_BYTES)
    except InputError as broken:
        raise InputError("convert-reader", f"the reader gave no answer: {broken.message}", source=path) from None
    if "plan" in said:
        plan = plan_from_json(said["plan"], os.fstat(descriptor).st_size)
        if plan.target != target:
            raise InputError("convert-plan", "the plan of the conversion is for another format", source=path)
        return plan
    error = said.get("error")
    if not isinstance(error, dict):
        name = printable(str(error), 80)
        raise InputError(
            "convert-reader", f"the reader failed on it ({name}): please report this as a bug", source=path
        )
    raise _refused(path, error)


def _refused(path: str, error: dict[str, Any]) -> InputError:
    """What the engine refused; a code that is none is not passed on."""
    code = _text(error, "code")
    if not _CODE.fullmatch(code):
        code = "convert-reader"
    message, position, remedy = (_text(error, name) for name in ("message", "position", "remedy"))
    return InputError(code, message, source=path, position=position, remedy=remedy)


def _text(error: dict[str, Any], name: str) -> str:
    value = error.get(name)
    return printable(value) if isinstance(value, str) else ""
