"""Scanner of PaddlePaddle's programs: what reaches files or Python is a finding; weights are inert."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.paddle import read_paddle, read_parameters
from assaymark.scanning.graphs.paddle_operators import COMPUTING
from assaymark.scanning.graphs.shared import note_broken
from assaymark.scanning.graphs.tensorflow_uses import Refusal
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

_PYTHON: Final = Refusal("graph-runs-code", "calls back into Python when the model runs")
_FILES: Final = Refusal("graph-file-access", "reads or writes files when the model runs")
_NETWORK: Final = Refusal("graph-file-access", "talks to another process or machine")
REFUSED: Final = {
    **dict.fromkeys(("py_func", "py_layer", "pylayer"), _PYTHON),
    **dict.fromkeys(
        ("save", "load", "save_combine", "load_combine", "sparse_tensor_load", "checkpoint_notify", "read_file",
         "create_custom_reader", "recv_save", "lookup_sparse_table_init"),
        _FILES,
    ),
    **dict.fromkeys(("listen_and_serv", "send", "recv", "fetch_barrier", "send_barrier", "gen_nccl_id"), _NETWORK),
    **dict.fromkeys(
        ("run_program", "custom_engine"), Refusal("graph-runs-code", "runs a program that is hidden in a value")
    ),
}  # fmt: skip
_COMPILED: Final = re.compile(r"(?:tensorrt|lite|dlnne|openvino|cinn|ascend|xpu)_(?:engine|launch)|cinn_launch")
_MAX_TOLD: Final = 50


def scan(content: Content) -> None:
    """Every operator of the program, by default deny."""
    try:
        operators = read_paddle(content.view)
    except InputError as error:
        note_broken(content, error, "PaddlePaddle program")
        return
    told: set[str] = set()
    for operator in operators:
        kind = operator.kind
        if kind in told or len(told) > _MAX_TOLD or kind in COMPUTING:
            continue
        told.add(kind)
        refusal = REFUSED.get(kind)
        if refusal is None and _COMPILED.fullmatch(kind):
            refusal = Refusal("graph-runs-code", "runs a part of the model that is compiled")
        if refusal is None:
            base = kind.removesuffix("_grad").removesuffix("_double")
            refusal = None if base in COMPUTING else Refusal("graph-unknown-operator", "is not known to compute only")
        if refusal is not None:
            named = f" ({', '.join(shown(name) for name in operator.files)})" if operator.files else ""
            message = f"the operator {shown(kind)!r} {refusal.reason}{named}"
            content.notes.finding(refusal.rule, message, member=content.member, offset=operator.offset)
    content.notes.saw("paddle", content.member)


def scan_parameters(content: Content) -> None:
    """Tensors, one after the other."""
    try:
        read_parameters(content.view)
    except InputError as error:
        note_broken(content, error, "file of PaddlePaddle weights")
        return
    content.notes.saw("paddle-parameters", content.member)
