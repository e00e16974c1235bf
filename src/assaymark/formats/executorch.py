"""Reader of ExecuTorch programs (``.pte``): the operators and delegates that they call.

Schema: executorch/schema/program.fbs. Kernels are linked into the application; a delegate's program is for it alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assaymark.core.errors import InputError
from assaymark.formats.flatbuffers import Buffer

if TYPE_CHECKING:
    from assaymark.core.view import View

_IDENTIFIERS = (b"ET12", b"ET11", b"ET13")


@dataclass(slots=True)
class ExecuTorch:
    """Names of operators (``aten::add``) and of delegates, with the byte of each's table."""

    operators: dict[str, int] = field(default_factory=dict)
    delegates: dict[str, int] = field(default_factory=dict)


def read_executorch(view: View) -> ExecuTorch:
    """What the program calls.

    Raises:
        InputError: ``executorch-malformed``, ``flatbuffers-malformed``, ``graph-size``.
    """
    if view.read(4, 4) not in _IDENTIFIERS:
        raise InputError("executorch-malformed", "no ExecuTorch program", position="byte 4")
    found = ExecuTorch()
    program = Buffer(view).root()
    plans = program.tables(1)
    if not plans:
        raise InputError("executorch-malformed", "a program without a plan", position=f"byte {program.at}")
    for plan in plans:
        for operator in plan.tables(6):
            found.operators.setdefault(operator.text(0), operator.at)
        for delegate in plan.tables(7):
            found.delegates.setdefault(delegate.text(0), delegate.at)
    return found
