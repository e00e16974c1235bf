"""Functions of TensorFlow that a Keras model may call by name: reviewed data.

A name is as TensorFlow exports it, without ``tf.``: ``math.add``. Everything that touches files, Python functions,
other graphs or the session is left out.
"""

from __future__ import annotations

import re
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Whole families: pure functions of tensors.
_FAMILIES: Final = re.compile(
    r"(?:compat\.v1\.)?(?:math|nn|linalg|signal|bitwise|random|sets|strings|dtypes|quantization|ragged|sparse"
    r"|keras\.activations|keras\.losses|keras\.metrics|__operators__)\.[a-z]\w*"
)
_IMAGE: Final = re.compile(
    r"image\.(?:resize|crop|flip|rot90|rgb|hsv|grayscale|yuv|yiq|adjust|pad|per_image|central|extract|psnr|ssim|sobel"
    r"|transpose|total|random|stateless|convert|draw|non_max|combined_non_max)\w*"
)
_TOP: Final = _words(
    "abs acos acosh add add_n argmax argmin argsort asin asinh atan atan2 atanh batch_to_space bitcast "
    "boolean_mask broadcast_to cast ceil clip_by_value clip_by_norm complex concat constant convert_to_tensor "
    "cos cosh cumsum cumprod divide dynamic_partition dynamic_stitch edit_distance eig einsum ensure_shape "
    "equal exp expand_dims eye fill fingerprint floor floordiv floormod floor_div gather gather_nd greater "
    "greater_equal guarantee_const histogram_fixed_width identity identity_n is_tensor less less_equal "
    "linspace log logical_and logical_not logical_or matmul matrix_square_root maximum meshgrid minimum "
    "multiply negative no_op norm not_equal one_hot ones ones_like pad pow range rank realdiv reduce_all "
    "reduce_any reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod reduce_sum repeat reshape "
    "reverse reverse_sequence roll round rsqrt saturate_cast scalar_mul scatter_nd searchsorted sequence_mask "
    "shape shape_n sigmoid sign sin sinh size slice softmax sort space_to_batch space_to_batch_nd split sqrt "
    "square squeeze stack stop_gradient strided_slice subtract sum tan tanh tensor_scatter_nd_add "
    "tensor_scatter_nd_max tensor_scatter_nd_min tensor_scatter_nd_sub tensor_scatter_nd_update tensordot "
    "tile timestamp transpose truediv truncatediv truncatemod unique unique_with_counts unravel_index unstack "
    "where zeros zeros_like "
)
# Operations of a graph, for TensorFlowOpLayer.
_RAW: Final = _words(
    "Abs Add AddN AddV2 All Any ArgMax ArgMin BatchMatMul BatchMatMulV2 BiasAdd BroadcastTo Cast Ceil "
    "ClipByValue ConcatV2 Const Conv2D Cos Cumsum DepthToSpace Div DivNoNan Einsum Elu Equal Erf Exp "
    "ExpandDims Fill Floor FloorDiv FloorMod GatherNd GatherV2 Greater GreaterEqual Identity LeakyRelu Less "
    "LessEqual Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr MatMul Max MaxPool Maximum Mean Min "
    "Minimum MirrorPad Mul Neg NotEqual OneHot OnesLike Pack Pad PadV2 Pow Prod RandomStandardNormal "
    "RandomUniform Range RealDiv Reciprocal Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor ReverseV2 "
    "Round Rsqrt Select SelectV2 Selu Shape Sigmoid Sign Sin Size Slice Softmax Softplus SpaceToDepth Split "
    "SplitV Sqrt Square SquaredDifference Squeeze StopGradient StridedSlice Sub Sum Tanh Tile TopKV2 "
    "Transpose Unpack Where ZerosLike "
)


def is_plain_function(name: str) -> bool:
    """Whether ``name`` is a pure function of tensors; ``raw.X`` asks for the operation ``X`` of a graph."""
    if name.startswith("raw."):
        return name.removeprefix("raw.") in _RAW
    name = name.removeprefix("tf.")
    return name in _TOP or _FAMILIES.fullmatch(name) is not None or _IMAGE.fullmatch(name) is not None
