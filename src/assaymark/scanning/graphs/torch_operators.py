"""Torch's operators by namespace: which compute, and which do more.

Reviewed from the operator schemas of torch 2.13: of the operators that take text, these take names of files,
addresses or programs.
"""

from __future__ import annotations

import re
from typing import Final

from assaymark.core.report import Severity
from assaymark.scanning.graphs.tensorflow_uses import Refusal

# Namespaces that torch registers itself and whose operators compute.
COMPUTING: Final = frozenset(
    (
        "aten",
        "prim",
        "prims",
        "quantized",
        "_quantized",
        "quantization",
        "quantized_decomposed",
        "mkldnn",
        "mkldnn_prepacked",
        "mkl",
        "onednn",
        "prepacked",
        "sparse",
        "inductor_prims",
        "rngprims",
        "static_runtime",
        "onnx",
        "onnx_symbolic",
        "profiler",
        "metal",
        "metal_prepack",
        "vulkan",
        "vulkan_prepack",
        "xnnpack",
        "higher_order",
        "export",
        "cuda",
    )
)
_FILES: Final = Refusal("graph-file-access", "reads or writes a file")
_CALLS: Final = Refusal("graph-runs-code", "calls back into Python")
_NETWORK: Final = Refusal("graph-file-access", "talks to another process")
REFUSED: Final = {
    "aten::from_file": _FILES,
    "aten::save": _FILES,
    "aten::load": _FILES,
    "prim::PythonOp": _CALLS,
    "prim::IgnoredPythonOp": _CALLS,
    "prim::CudaFusionGroup": _CALLS,
    "prim::rpc_async": _NETWORK,
    "prim::rpc_sync": _NETWORK,
    "prim::rpc_remote": _NETWORK,
}
_NETWORKED: Final = frozenset(
    ("c10d", "c10d_functional", "_c10d_functional", "_c10d_functional_autograd", "symm_mem", "fsdp", "rpc")
)
# Libraries that register operators of their own and are well known.
_LIBRARIES: Final = re.compile(
    r"torchvision|torchaudio|torchtext|torch_(?:scatter|sparse|cluster|spline_conv)|pyg|fbgemm|tensorrt|detectron2|mmdeploy"
    r"|mmcv|torchao|executorch|vllm|flash_attn\w*|xformers\w*|neuron|torch_ipex|llama|quantized_bindings|sentencepiece"
)
# Native classes of torch itself: packed weights and backends' contexts.
OWN_CLASSES: Final = frozenset(("quantized", "xnnpack", "sparse", "rnn", "_nnapi", "mkldnn", "metal", "vulkan"))


def refusal_of(namespace: str, name: str) -> Refusal | None:
    """Why the operator ``namespace::name`` is a finding; None when it computes."""
    found = REFUSED.get(f"{namespace}::{name}")
    if found is not None:
        return found
    if namespace in COMPUTING:
        return None
    if namespace in _NETWORKED:
        return _NETWORK
    if _LIBRARIES.fullmatch(namespace):
        reason = f"is an operator of {namespace}, whose native code somebody must load"
        return Refusal("graph-custom-operator", reason, Severity.MEDIUM)
    return Refusal(
        "graph-custom-operator", f"is no operator of torch's: somebody must load the code of {namespace!r}"
    )
