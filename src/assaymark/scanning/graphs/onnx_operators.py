"""Operators of ONNX's own domain, of every operator set, and plug-ins that are part of TensorRT.

From the operator schemas of ONNX 1.23 (operator set 28), with those of its first sets that were taken out again.
"""

from __future__ import annotations

from typing import Final

NEWEST_OPSET: Final = 28
_OPERATORS: Final = """
Abs Acos Acosh Add Affine AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool
BatchNormalization Bernoulli BitCast BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast
CastLike CausalConvWithState Ceil Celu CenterCropPad Clip Col2Im Compress Concat ConcatFromSequence Constant
ConstantFill ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh Crop CumProd CumSum DFT DeformConv
DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear DynamicSlice Einsum Elu Equal Erf Exp
Expand EyeLike Flatten Floor GRU GRUUnit Gather GatherElements GatherND Gelu Gemm GivenTensorFill
GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization
HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If ImageDecoder ImageScaler
InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual LinearAttention Log
LogSoftmax Loop LpNormalization LpPool MatMul MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean
MeanVarianceNormalization MelWeightMatrix Min Mish Mod Mul Multinomial Neg NegativeLogLikelihoodLoss
NonMaxSuppression NonZero Not OneHot Optional OptionalGetElement OptionalHasElement Or PRelu Pad
ParametricSoftplus Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN RandomNormal
RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum
ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare RegexFullMatch Relu
Reshape Resize ReverseSequence RoiAlign RotaryEmbedding Round STFT Scale ScaledTanh Scan Scatter
ScatterElements ScatterND Selu SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert
SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax SoftmaxCrossEntropyLoss
Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze StringConcat StringNormalizer StringSplit
Sub Sum SwiGLU Swish Tan Tanh TensorScatter TfIdfVectorizer ThresholdedRelu Tile TopK Transpose Trilu Unique
Unsqueeze Upsample Where Xor
"""
OPERATORS: Final = frozenset(_OPERATORS.split())
# In ONNX's domain without being ONNX's: exporters for TensorRT write these, and its plug-in library brings them.
_TENSORRT: Final = """
BatchedNMSDynamic_TRT BatchedNMS_TRT BatchTilePlugin_TRT CoordConvAC CropAndResize DecodeBbox3DPlugin
DetectionLayer_TRT EfficientNMS_ONNX_TRT EfficientNMS_TRT FlattenConcat_TRT GenerateDetection_TRT
GridAnchor_TRT GroupNormalizationPlugin InstanceNormalization_TRT LReLU_TRT MultilevelCropAndResize_TRT
MultilevelProposeROI_TRT MultiscaleDeformableAttnPlugin_TRT NMSDynamic_TRT NMS_TRT Normalize_TRT
PillarScatterPlugin PriorBox_TRT ProposalDynamic ProposalLayer_TRT Proposal PyramidROIAlign_TRT Region_TRT
Reorg_TRT ResizeNearest_TRT ROIAlign_TRT RPROI_TRT SpecialSlice_TRT TRT_FP8DequantizeLinear
TRT_FP8QuantizeLinear TRT_MXFP8DequantizeLinear VoxelGeneratorPlugin
"""
TENSORRT: Final = frozenset(_TENSORRT.split())
