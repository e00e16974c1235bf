"""Prints ``src/assaymark/convert/keras/parameters.py``: what the classes of Keras 3 take, read from their signatures.

Usage: python tools/make_keras_parameters.py > src/assaymark/convert/keras/parameters.py

Run in the environment of the corpus, which has Keras. Which layers are listed is decided in here, by review: those
whose weights and calls ``convert/keras`` knows.
"""

from __future__ import annotations

import inspect
import textwrap

import keras

_LAYERS = """
Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average AveragePooling1D
AveragePooling2D AveragePooling3D BatchNormalization Bidirectional CategoryEncoding CenterCrop Concatenate Conv1D
Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Cropping1D Cropping2D
Cropping3D Dense DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout ELU EinsumDense Embedding Flatten GRU
GRUCell GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization Identity InputLayer LSTM LSTMCell
LayerNormalization LeakyReLU Masking MaxPooling1D MaxPooling2D MaxPooling3D Maximum Minimum MultiHeadAttention Multiply
Normalization PReLU Permute RNN RandomBrightness RandomContrast RandomCrop RandomFlip RandomRotation RandomTranslation
RandomZoom ReLU RepeatVector Rescaling Reshape Resizing SeparableConv1D SeparableConv2D SimpleRNN SimpleRNNCell Softmax
SpatialDropout1D SpatialDropout2D SpatialDropout3D StackedRNNCells Subtract TimeDistributed
UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
"""
OBJECTS = {
    "INITIALIZERS": (
        keras.initializers,
        (
            "Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform Ones Orthogonal "
            "RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros"
        ),
    ),
    "REGULARIZERS": (keras.regularizers, "L1 L1L2 L2 OrthogonalRegularizer"),
    "CONSTRAINTS": (keras.constraints, "MaxNorm MinMaxNorm NonNeg UnitNorm"),
}
# Common to all layers, or no plain data.
_LEFT = {
    "self", "args", "kwargs", "name", "dtype", "weights", "input_tensor", "shape", "batch_size", "lora_rank",
    "lora_alpha", "quantization_config", "gptq_unpacked_column_size",
}  # fmt: skip

# Taken through ``**kwargs``, and written by ``get_config``.
_MORE = {
    "AdditiveAttention": {"seed"},
    **{name: {"zero_output_for_mask"} for name in ("GRU", "LSTM", "SimpleRNN")},
}


def _taken(cls: type) -> str:
    return " ".join(sorted(set(inspect.signature(cls.__init__).parameters) - _LEFT | _MORE.get(cls.__name__, set())))


def _table(name: str, comment: str, classes: dict[str, str]) -> None:
    print(f"\n# {comment}\n{name}: Final[dict[str, frozenset[str]]] = {{")
    for cls, words in classes.items():
        lines = textwrap.wrap(words, 95) or [""]
        texts = [f'"{line} "' for line in lines[:-1]] + [f'"{lines[-1]}"']
        inner = texts[0] if len(texts) == 1 else "\n        " + "\n        ".join(texts) + "\n    "
        print(f'    "{cls}": _words({inner}),')
    print("}")


print(f'''"""What the classes of Keras 3 take, as plain data: made by ``tools/make_keras_parameters.py`` of {keras.__version__}.

What every layer takes (name, dtype, trainable) is left out, and so is what loads, quantises or adapts.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())

''')
_table(
    "LAYERS",
    "The layers that are converted.",
    {name: _taken(getattr(keras.layers, name)) for name in _LAYERS.split()},
)

exact = [
    name for name in _LAYERS.split() if "kwargs" not in inspect.signature(getattr(keras.layers, name)).parameters
]
print("\n# Layers that take a name and a type, and nothing else that all others do.")
print(f'EXACT: Final = _words("{" ".join(exact)}")')
for title, (module, names) in OBJECTS.items():
    print()
    _table(
        title, "What stands in their configurations.", {name: _taken(getattr(module, name)) for name in names.split()}
    )
