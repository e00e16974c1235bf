"""What the classes of Keras 3 take, as plain data: made by ``tools/make_keras_parameters.py`` of 3.15.1.

What every layer takes (name, dtype, trainable) is left out, and so is what loads, quantises or adapts.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The layers that are converted.
LAYERS: Final[dict[str, frozenset[str]]] = {
    "Activation": _words("activation"),
    "ActivityRegularization": _words("l1 l2"),
    "Add": _words(""),
    "AdditiveAttention": _words("dropout seed use_scale"),
    "AlphaDropout": _words("noise_shape rate seed"),
    "Attention": _words("dropout score_mode seed use_scale"),
    "Average": _words(""),
    "AveragePooling1D": _words("data_format padding pool_size strides"),
    "AveragePooling2D": _words("data_format padding pool_size strides"),
    "AveragePooling3D": _words("data_format padding pool_size strides"),
    "BatchNormalization": _words(
        "axis beta_constraint beta_initializer beta_regularizer center epsilon gamma_constraint "
        "gamma_initializer gamma_regularizer momentum moving_mean_initializer "
        "moving_variance_initializer renorm renorm_clipping renorm_momentum scale synchronized"
    ),
    "Bidirectional": _words("backward_layer layer merge_mode"),
    "CategoryEncoding": _words("num_tokens output_mode sparse"),
    "CenterCrop": _words("data_format height width"),
    "Concatenate": _words("axis"),
    "Conv1D": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer data_format "
        "dilation_rate filters groups kernel_constraint kernel_initializer kernel_regularizer "
        "kernel_size padding strides use_bias"
    ),
    "Conv1DTranspose": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer data_format "
        "dilation_rate filters kernel_constraint kernel_initializer kernel_regularizer kernel_size "
        "output_padding padding strides use_bias"
    ),
    "Conv2D": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer data_format "
        "dilation_rate filters groups kernel_constraint kernel_initializer kernel_regularizer "
        "kernel_size padding strides use_bias"
    ),
    "Conv2DTranspose": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer data_format "
        "dilation_rate filters kernel_constraint kernel_initializer kernel_regularizer kernel_size "
        "output_padding padding strides use_bias"
    ),
    "Conv3D": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer data_format "
        "dilation_rate filters groups kernel_constraint kernel_initializer kernel_regularizer "
        "kernel_size padding strides use_bias"
    ),
    "Conv3DTranspose": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer data_format "
        "dilation_rate filters kernel_constraint kernel_initializer kernel_regularizer kernel_size "
        "output_padding padding strides use_bias"
    ),
    "ConvLSTM1D": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer data_format "
        "dilation_rate dropout filters go_backwards kernel_constraint kernel_initializer "
        "kernel_regularizer kernel_size padding recurrent_activation recurrent_constraint "
        "recurrent_dropout recurrent_initializer recurrent_regularizer return_sequences return_state "
        "seed stateful strides unit_forget_bias use_bias"
    ),
    "ConvLSTM2D": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer data_format "
        "dilation_rate dropout filters go_backwards kernel_constraint kernel_initializer "
        "kernel_regularizer kernel_size padding recurrent_activation recurrent_constraint "
        "recurrent_dropout recurrent_initializer recurrent_regularizer return_sequences return_state "
        "seed stateful strides unit_forget_bias use_bias"
    ),
    "ConvLSTM3D": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer data_format "
        "dilation_rate dropout filters go_backwards kernel_constraint kernel_initializer "
        "kernel_regularizer kernel_size padding recurrent_activation recurrent_constraint "
        "recurrent_dropout recurrent_initializer recurrent_regularizer return_sequences return_state "
        "seed stateful strides unit_forget_bias use_bias"
    ),
    "Cropping1D": _words("cropping"),
    "Cropping2D": _words("cropping data_format"),
    "Cropping3D": _words("cropping data_format"),
    "Dense": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer "
        "kernel_constraint kernel_initializer kernel_regularizer units use_bias"
    ),
    "DepthwiseConv1D": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer data_format "
        "depth_multiplier depthwise_constraint depthwise_initializer depthwise_regularizer dilation_rate "
        "kernel_size padding strides use_bias"
    ),
    "DepthwiseConv2D": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer data_format "
        "depth_multiplier depthwise_constraint depthwise_initializer depthwise_regularizer dilation_rate "
        "kernel_size padding strides use_bias"
    ),
    "Discretization": _words("bin_boundaries epsilon num_bins output_mode sparse"),
    "Dot": _words("axes normalize"),
    "Dropout": _words("noise_shape rate seed"),
    "ELU": _words("alpha"),
    "EinsumDense": _words(
        "activation bias_axes bias_constraint bias_initializer bias_regularizer equation "
        "kernel_constraint kernel_initializer kernel_regularizer output_shape"
    ),
    "Embedding": _words(
        "embeddings_constraint embeddings_initializer embeddings_regularizer input_dim mask_zero output_dim"
    ),
    "Flatten": _words("data_format"),
    "GRU": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer dropout "
        "go_backwards kernel_constraint kernel_initializer kernel_regularizer recurrent_activation "
        "recurrent_constraint recurrent_dropout recurrent_initializer recurrent_regularizer reset_after "
        "return_sequences return_state seed stateful units unroll use_bias use_cudnn "
        "zero_output_for_mask"
    ),
    "GRUCell": _words(
        "activation bias_constraint bias_initializer bias_regularizer dropout kernel_constraint "
        "kernel_initializer kernel_regularizer recurrent_activation recurrent_constraint "
        "recurrent_dropout recurrent_initializer recurrent_regularizer reset_after seed units use_bias"
    ),
    "GaussianDropout": _words("rate seed"),
    "GaussianNoise": _words("seed stddev"),
    "GlobalAveragePooling1D": _words("data_format keepdims"),
    "GlobalAveragePooling2D": _words("data_format keepdims"),
    "GlobalAveragePooling3D": _words("data_format keepdims"),
    "GlobalMaxPooling1D": _words("data_format keepdims"),
    "GlobalMaxPooling2D": _words("data_format keepdims"),
    "GlobalMaxPooling3D": _words("data_format keepdims"),
    "GroupNormalization": _words(
        "axis beta_constraint beta_initializer beta_regularizer center epsilon gamma_constraint "
        "gamma_initializer gamma_regularizer groups scale"
    ),
    "Identity": _words(""),
    "InputLayer": _words("batch_shape optional ragged sparse"),
    "LSTM": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer dropout "
        "go_backwards kernel_constraint kernel_initializer kernel_regularizer recurrent_activation "
        "recurrent_constraint recurrent_dropout recurrent_initializer recurrent_regularizer "
        "return_sequences return_state seed stateful unit_forget_bias units unroll use_bias use_cudnn "
        "zero_output_for_mask"
    ),
    "LSTMCell": _words(
        "activation bias_constraint bias_initializer bias_regularizer dropout kernel_constraint "
        "kernel_initializer kernel_regularizer recurrent_activation recurrent_constraint "
        "recurrent_dropout recurrent_initializer recurrent_regularizer seed unit_forget_bias units "
        "use_bias"
    ),
    "LayerNormalization": _words(
        "axis beta_constraint beta_initializer beta_regularizer center epsilon gamma_constraint "
        "gamma_initializer gamma_regularizer scale"
    ),
    "LeakyReLU": _words("negative_slope"),
    "Masking": _words("mask_value"),
    "MaxPooling1D": _words("data_format padding pool_size strides"),
    "MaxPooling2D": _words("data_format padding pool_size strides"),
    "MaxPooling3D": _words("data_format padding pool_size strides"),
    "Maximum": _words(""),
    "Minimum": _words(""),
    "MultiHeadAttention": _words(
        "activity_regularizer attention_axes bias_constraint bias_initializer bias_regularizer dropout "
        "flash_attention kernel_constraint kernel_initializer kernel_regularizer key_dim num_heads "
        "output_shape seed sliding_window use_bias use_gate value_dim"
    ),
    "Multiply": _words(""),
    "Normalization": _words("axis invert mean variance"),
    "PReLU": _words("alpha_constraint alpha_initializer alpha_regularizer shared_axes"),
    "Permute": _words("dims"),
    "RNN": _words("cell go_backwards return_sequences return_state stateful unroll zero_output_for_mask"),
    "RandomBrightness": _words("factor seed value_range"),
    "RandomContrast": _words("factor seed value_range"),
    "RandomCrop": _words("data_format height seed width"),
    "RandomFlip": _words("data_format mode seed"),
    "RandomRotation": _words("data_format factor fill_mode fill_value interpolation seed"),
    "RandomTranslation": _words("data_format fill_mode fill_value height_factor interpolation seed width_factor"),
    "RandomZoom": _words("data_format fill_mode fill_value height_factor interpolation seed width_factor"),
    "ReLU": _words("max_value negative_slope threshold"),
    "RepeatVector": _words("n"),
    "Rescaling": _words("offset scale"),
    "Reshape": _words("target_shape"),
    "Resizing": _words(
        "antialias crop_to_aspect_ratio data_format fill_mode fill_value height interpolation "
        "pad_to_aspect_ratio width"
    ),
    "SeparableConv1D": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer data_format "
        "depth_multiplier depthwise_constraint depthwise_initializer depthwise_regularizer dilation_rate "
        "filters kernel_size padding pointwise_constraint pointwise_initializer pointwise_regularizer "
        "strides use_bias"
    ),
    "SeparableConv2D": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer data_format "
        "depth_multiplier depthwise_constraint depthwise_initializer depthwise_regularizer dilation_rate "
        "filters kernel_size padding pointwise_constraint pointwise_initializer pointwise_regularizer "
        "strides use_bias"
    ),
    "SimpleRNN": _words(
        "activation activity_regularizer bias_constraint bias_initializer bias_regularizer dropout "
        "go_backwards kernel_constraint kernel_initializer kernel_regularizer recurrent_constraint "
        "recurrent_dropout recurrent_initializer recurrent_regularizer return_sequences return_state "
        "seed stateful units unroll use_bias zero_output_for_mask"
    ),
    "SimpleRNNCell": _words(
        "activation bias_constraint bias_initializer bias_regularizer dropout kernel_constraint "
        "kernel_initializer kernel_regularizer recurrent_constraint recurrent_dropout "
        "recurrent_initializer recurrent_regularizer seed units use_bias"
    ),
    "Softmax": _words("axis"),
    "SpatialDropout1D": _words("rate seed"),
    "SpatialDropout2D": _words("data_format rate seed"),
    "SpatialDropout3D": _words("data_format rate seed"),
    "StackedRNNCells": _words("cells"),
    "Subtract": _words(""),
    "TimeDistributed": _words("layer"),
    "UnitNormalization": _words("axis"),
    "UpSampling1D": _words("size"),
    "UpSampling2D": _words("data_format interpolation size"),
    "UpSampling3D": _words("data_format size"),
    "ZeroPadding1D": _words("data_format padding"),
    "ZeroPadding2D": _words("data_format padding"),
    "ZeroPadding3D": _words("data_format padding"),
}

# Layers that take a name and a type, and nothing else that all others do.
EXACT: Final = _words("Discretization SpatialDropout1D SpatialDropout2D SpatialDropout3D")


# What stands in their configurations.
INITIALIZERS: Final[dict[str, frozenset[str]]] = {
    "Constant": _words("value"),
    "GlorotNormal": _words("input_axes output_axes seed"),
    "GlorotUniform": _words("input_axes output_axes seed"),
    "HeNormal": _words("input_axes output_axes seed"),
    "HeUniform": _words("input_axes output_axes seed"),
    "Identity": _words("gain"),
    "LecunNormal": _words("input_axes output_axes seed"),
    "LecunUniform": _words("input_axes output_axes seed"),
    "Ones": _words(""),
    "Orthogonal": _words("gain seed"),
    "RandomNormal": _words("mean seed stddev"),
    "RandomUniform": _words("maxval minval seed"),
    "TruncatedNormal": _words("mean seed stddev"),
    "VarianceScaling": _words("distribution input_axes mode output_axes scale seed"),
    "Zeros": _words(""),
}


# What stands in their configurations.
REGULARIZERS: Final[dict[str, frozenset[str]]] = {
    "L1": _words("l1"),
    "L1L2": _words("l1 l2"),
    "L2": _words("l2"),
    "OrthogonalRegularizer": _words("factor mode"),
}


# What stands in their configurations.
CONSTRAINTS: Final[dict[str, frozenset[str]]] = {
    "MaxNorm": _words("axis max_value"),
    "MinMaxNorm": _words("axis max_value min_value rate"),
    "NonNeg": _words(""),
    "UnitNorm": _words("axis"),
}
