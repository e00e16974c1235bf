"""Has a confined process make the plan of a conversion, and takes nothing of it on trust."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final, Protocol

from assaymark.convert.plan import Plan, plan_from_json
from assaymark.core.canonical import parse_object
from assaymark.core.errors import InputError
from assaymark.core.limits import (
    CONVERT_CPU_SECONDS,
    CONVERT_MAX_DERIVED_BYTES,
    CONVERT_OUTPUT_BYTES,
    CONVERT_WALL_SECONDS,
    INFLATED_KEPT_BYTES,
    INFLATED_MAX_RATIO,
)
from assaymark.core.report_json import printable
from assaymark.sandbox.confine import HOLDS
from assaymark.sandbox.limits import SandboxLimits
from assaymark.sandbox.pool import Sandbox
from assaymark.sandbox.result import held

if TYPE_CHECKING:
    from collections.abc import Callable

# What plans a result of each kind.
ENGINES: Final = {
    "safetensors": "assaymark.convert.engine:answer",
    "keras": "assaymark.convert.engine:answer_keras",
}
_CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+){1,7}")


class Scratch(Protocol):
    """Where the bytes go that are derived from a file: its unpacked content, and what its plan needs beside it."""

    def write(self, data: bytes) -> None:
        """Add bytes."""
        ...

    def size(self) -> int:
        """How many were added."""
        ...

    def take_source(self) -> int:
        """What was added is the unpacked file: its descriptor. What is added from now on lies beside it."""
        ...


def plan_file(
    path: str,
    descriptor: int,
    on_unconfined: Callable[[tuple[str, ...]], None] | None = None,
    target: str = "safetensors",
    *,
    scratch: Scratch | None = None,
) -> Plan:
    """The plan for the open file shown as ``path``. ``on_unconfined`` hears what of the confinement did not hold.

    ``target`` is what the plan must write: ``safetensors`` or ``keras``. ``scratch`` takes what is derived from the
    file; the plan of a compressed file is that of its unpacked content there. Without it such files are refused.

    Raises:
        InputError: what the engine refuses, ``convert-reader`` when it fails on the file, ``convert-plan``.
        UnavailableError: ``sandbox-start``.
        AssaymarkError: what ``scratch`` raises.
    """
    most = min(CONVERT_MAX_DERIVED_BYTES, max(INFLATED_KEPT_BYTES, INFLATED_MAX_RATIO * os.fstat(descriptor).st_size))
    limits = SandboxLimits(
        output_bytes=CONVERT_OUTPUT_BYTES,
        stream_bytes=0 if scratch is None else most,
        cpu_seconds=CONVERT_CPU_SECONDS,
        wall_seconds=CONVERT_WALL_SECONDS,
    )
    with Sandbox(workers=1, limits=limits, examiner=ENGINES[target]) as sandbox:
        said = _asked(sandbox, path, descriptor, on_unconfined, scratch)
        if "unpacked" in said and scratch is not None:
            if said["unpacked"] != scratch.size():
                raise InputError("convert-reader", "the reader did not hand out what it unpacked", source=path)
            descriptor = scratch.take_source()
            said = _asked(sandbox, path, descriptor, on_unconfined, scratch)
    if "plan" in said:
        derived = 0 if scratch is None else scratch.size()
        plan = plan_from_json(said["plan"], os.fstat(descriptor).st_size, derived)
        if plan.target != target:
            raise InputError("convert-plan", "the plan of the conversion is for another format", source=path)
        return plan
    if "unpacked" in said:
        raise InputError("convert-unknown", "a compressed file within a compressed file", source=path)
    error = said.get("error")
    if not isinstance(error, dict):
        name = printable(str(error), 80)
        raise InputError(
            "convert-reader", f"the reader failed on it ({name}): please report this as a bug", source=path
        )
    raise _refused(path, error)


def _asked(
    sandbox: Sandbox,
    path: str,
    descriptor: int,
    on_unconfined: Callable[[tuple[str, ...]], None] | None,
    scratch: Scratch | None,
) -> dict[str, Any]:
    """What the engine answers."""
    header, body, complaint = sandbox.ask(path, descriptor, _nowhere if scratch is None else scratch.write)
    if complaint:
        raise InputError("convert-reader", f"reading it {complaint}", source=path)
    missing = tuple(name for name in HOLDS if name not in held(header))
    if missing and on_unconfined is not None:
        on_unconfined(missing)
    try:
        return parse_object(body, limit=CONVERT_OUTPUT_BYTES)
    except InputError as broken:
        raise InputError("convert-reader", f"the reader gave no answer: {broken.message}", source=path) from None


def _nowhere(_data: bytes) -> None:
    raise InputError("convert-reader", "the reader handed out bytes that nobody asked for")


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
