"""Scanner of ExecuTorch programs: operators by default deny, delegates by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.report import Severity
from assaymark.formats.executorch import read_executorch
from assaymark.scanning.graphs.shared import note_broken
from assaymark.scanning.graphs.torch_operators import refusal_of
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

# Delegates of the ExecuTorch project: each has its own graph in the file.
_DELEGATES: Final = frozenset(
    (
        "XnnpackBackend",
        "CoreMLBackend",
        "MPSBackend",
        "VulkanBackend",
        "QnnBackend",
        "EthosUBackend",
        "ArmBackend",
        "NeuropilotBackend",
        "MediaTekBackend",
        "OpenvinoBackend",
        "CudaBackend",
        "MetalBackend",
        "VgfBackend",
        "EnnBackend",
        "NXPBackend",
        "NeutronBackend",
    )
)
_OWN: Final = frozenset(("executorch_prim", "dim_order_ops", "et_vk", "cadence", "cortex_m", "_empty_dim_order"))


def scan(content: Content) -> None:
    """The operators and delegates that the program calls."""
    try:
        program = read_executorch(content.view)
    except InputError as error:
        note_broken(content, error, "ExecuTorch program")
        return
    for name, place in program.operators.items():
        namespace, _, operator = name.partition("::")
        refusal = None if namespace in _OWN else refusal_of(namespace, operator)
        if refusal is not None:
            message = f"the operator {shown(name)!r} {refusal.reason}"
            content.notes.finding(
                refusal.rule, message, member=content.member, offset=place, severity=refusal.severity
            )
    for name, place in program.delegates.items():
        severity = Severity.MEDIUM if name in _DELEGATES else Severity.HIGH
        message = f"a part of the program is for the delegate {shown(name)!r} alone"
        content.notes.finding("graph-native-code", message, member=content.member, offset=place, severity=severity)
    content.notes.saw("executorch", content.member)
