"""Converts models that Keras itself wrote, and has Keras 3 load and run the results.

Usage: python tools/check_keras_conversion.py --assaymark "python -m assaymark" [--only "NAME|NAME"] [--applications]

Run in an environment with keras (3), tf_keras (2) and TensorFlow; ``--assaymark`` is the command of another one. For
each architecture and each Keras: random weights, ``model.h5``, ``model.keras`` of it; Keras 3 loads both, and what
they compute of one random input is compared bit by bit. Where Keras 3 cannot load the HDF5 file itself, the table says
so, and the same architecture built in Keras 3 with the same weights is compared with. Whatever the result is compared
with, it must also be near (1e-4) what the model computed that was saved; Keras 2 sums in another order.
"""

# K is a Keras, L its layers; the command is the user's own.
# ruff: noqa: ANN001, ANN002, ANN201, ANN202, N803, N806, S603
from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras
import numpy as np
import tf_keras


def _activated(name, L):
    return L.Dense(6, activation=name)


def sequential(*layers):
    """A builder of a sequential model: each layer by its class and arguments."""

    def build(K):
        return K.Sequential(
            [
                K.Input(layers[0][0], **(layers[0][1] if len(layers[0]) > 1 else {})),
                *(layer(K.layers) for layer in layers[1:]),
            ]
        )

    return build


def _mlp(K):
    return K.Sequential(
        [
            K.Input((8,)),
            K.layers.Dense(6, activation="relu"),
            K.layers.Dropout(0.5),
            K.layers.Dense(3, activation="softmax"),
        ]
    )


def _unbuilt_input(K):
    model = K.Sequential([K.layers.Dense(4, activation="gelu", kernel_initializer="he_normal"), K.layers.Dense(2)])
    model.build((None, 5))
    return model


def _nested(K):
    L = K.layers
    inner = K.Sequential([K.Input((8,)), L.Dense(6), L.BatchNormalization(), L.Dense(5)], name="inner")
    x = K.Input((8,))
    y = inner(x)
    y = L.Dense(3)(y)
    return K.Model(x, y)


def _nested_functional(K):
    L = K.layers
    a = K.Input((8,))
    inner = K.Model(a, L.Dense(4)(L.LayerNormalization()(a)), name="encoder")
    x, z = K.Input((8,)), K.Input((8,))
    return K.Model([x, z], L.Subtract()([inner(x), inner(z)]))


def _nested_output(K):
    L = K.layers
    a = K.Input((8,))
    inner = K.Model(a, L.Dense(4)(a), name="last")
    tail = K.Sequential([K.Input((8,)), L.Dense(2)], name="tail")
    x = K.Input((8,))
    y = L.Dense(8)(x)
    return K.Model(x, [inner(y), tail(y)])


def _frozen_nested(K):
    L = K.layers
    inner = K.Sequential(
        [K.Input((8,)), L.Dense(8), L.BatchNormalization(), L.Dense(8), L.BatchNormalization()], name="base"
    )
    inner.layers[0].trainable = False
    inner.layers[1].trainable = False
    return K.Sequential([K.Input((8,)), inner, L.Dense(3)])


def _frozen_base(K):
    L = K.layers
    inner = K.Sequential(
        [K.Input((8,)), L.Dense(8), L.BatchNormalization(), L.Dense(8), L.BatchNormalization()], name="base"
    )
    inner.trainable = False
    return K.Sequential([K.Input((8,)), inner, L.Dense(3)])


def _shared(K):
    L = K.layers
    one, two = K.Input((6,)), K.Input((6,))
    dense = L.Dense(5, activation="tanh")
    return K.Model([one, two], L.Concatenate()([dense(one), dense(two), dense(L.Dense(6)(one))]))


def _several(K):
    L = K.layers
    one, two = K.Input((6,)), K.Input((4,))
    left, right = L.Dense(5)(one), L.Dense(5)(two)
    both = L.Multiply()([left, right])
    return K.Model([one, two], [L.Dense(2)(both), L.Dense(3)(L.Average()([left, both]))])


def _crossed(K):
    """Layers of one class made in another order than they are called in."""
    L = K.layers
    late, early, mid = L.Dense(5, name="late"), L.Dense(5, name="early"), L.Dense(5, name="mid")
    x = K.Input((5,))
    a = early(x)
    b = mid(a)
    y = L.Add()([late(b), a, L.Dense(5, name="skip")(x)])
    return K.Model(x, L.Dense(2)(y))


def _resnet(K):
    L = K.layers
    x = K.Input((16, 16, 3))
    y = L.Conv2D(8, 3, padding="same", use_bias=False)(x)
    for _ in range(3):
        z = L.BatchNormalization()(y)
        z = L.Activation("relu")(z)
        z = L.Conv2D(8, 3, padding="same")(z)
        y = L.Add()([y, z])
    return K.Model(x, L.Dense(4)(L.GlobalAveragePooling2D()(y)))


def _unet(K):
    L = K.layers
    x = K.Input((16, 16, 3))
    a = L.Conv2D(4, 3, padding="same", activation="relu")(x)
    b = L.Conv2D(8, 3, strides=2, padding="same", activation="relu")(a)
    c = L.Conv2DTranspose(4, 2, strides=2)(b)
    d = L.Concatenate()([a, c, L.UpSampling2D(2, interpolation="bilinear")(b)])
    return K.Model(x, L.Conv2D(1, 1, activation="sigmoid")(d))


def _mha(K):
    L = K.layers
    x = K.Input((6, 8))
    y = L.MultiHeadAttention(2, 4)(x, x)
    y = L.LayerNormalization()(L.Add()([x, y]))
    z = L.MultiHeadAttention(2, 3, value_dim=5, use_bias=False)(y, x, x)
    return K.Model(x, L.Dense(2)(z))


def _attention(K):
    L = K.layers
    q, v = K.Input((5, 8)), K.Input((7, 8))
    one = L.Attention(use_scale=True)([q, v])
    two = L.AdditiveAttention()([q, v])
    three = L.Attention(score_mode="concat")([q, v])
    return K.Model([q, v], L.Concatenate()([one, two, three]))


def _states(K):
    L = K.layers
    x, s = K.Input((5, 3)), K.Input((4,))
    y, h, c = L.LSTM(4, return_sequences=True, return_state=True)(x, initial_state=[s, L.Dense(4)(s)])
    z = L.GRU(4)(y, initial_state=h)
    return K.Model([x, s], L.Concatenate()([z, c]))


def _seq2seq(K):
    L = K.layers
    source, target = K.Input((5,), dtype="int32"), K.Input((4,), dtype="int32")
    emb = L.Embedding(20, 6)
    _, h, c = L.LSTM(7, return_state=True)(emb(source))
    y = L.LSTM(7, return_sequences=True)(emb(target), initial_state=[h, c])
    return K.Model([source, target], L.TimeDistributed(L.Dense(20, activation="softmax"))(y))


def _text_cnn(K):
    L = K.layers
    x = K.Input((12,), dtype="int32")
    y = L.Embedding(30, 8)(x)
    y = L.Concatenate()([L.GlobalMaxPooling1D()(L.Conv1D(4, n, padding="causal")(y)) for n in (2, 3, 4)])
    return K.Model(x, L.Dense(1, activation="sigmoid")(y))


def _normalization(K):
    layer = K.layers.Normalization()
    layer.adapt(np.random.default_rng(1).normal(3, 2, (50, 4)).astype("float32"))
    return K.Sequential([K.Input((4,)), layer, K.layers.Dense(2)])


def _discretization(K):
    layer = K.layers.Discretization(bin_boundaries=[-1.0, 0.0, 1.0])
    return K.Sequential([K.Input((3,)), layer, K.layers.Embedding(5, 4)])


def _mixed(K):
    policy = K.mixed_precision.Policy if hasattr(K.mixed_precision, "Policy") else K.dtype_policies.DTypePolicy
    L = K.layers
    return K.Sequential(
        [
            K.Input((6,)),
            L.Dense(5, dtype=policy("mixed_float16")),
            L.Dense(4, dtype=policy("float64")),
            L.Dense(3, dtype="float16"),
        ]
    )


def _time_distributed_model(K):
    L = K.layers
    cnn = K.Sequential([K.Input((8, 8, 1)), L.Conv2D(3, 3), L.BatchNormalization(), L.Flatten(), L.Dense(4)])
    return K.Sequential([K.Input((3, 8, 8, 1)), L.TimeDistributed(cnn), L.LSTM(5)])


def _slashes(K):
    L = K.layers
    x = K.Input((6,))
    return K.Model(x, L.Dense(2, name="block/two")(L.Dense(4, name="block/one")(x)))


def _compiled(K):
    model = _mlp(K)
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(2)
    model.fit(rng.normal(size=(16, 8)), rng.random((16, 3)), verbose=0)
    return model


def application(name):
    """A builder of a model of keras.applications, without its weights."""

    def build(K):
        size = 160 if name.startswith("Inception") else 96
        return getattr(K.applications, name)(
            weights=None, input_shape=(size, size, 3), include_top=False, pooling="avg"
        )

    return build


APPLICATIONS = (
    "DenseNet121",
    "EfficientNetB0",
    "EfficientNetV2B0",
    "InceptionV3",
    "MobileNet",
    "MobileNetV2",
    "NASNetMobile",
    "ResNet50",
    "ResNet50V2",
    "VGG16",
    "Xception",
)
MODELS = {
    "dense": _mlp,
    "dense, built later": _unbuilt_input,
    "trained, with optimizer": _compiled,
    "conv1d": sequential([(16, 3)], lambda L: L.Conv1D(4, 3, dilation_rate=2), lambda L: L.MaxPooling1D(2), lambda L: L.Flatten(), lambda L: L.Dense(2)),
    "conv2d": sequential([(12, 12, 3)], lambda L: L.Conv2D(4, 3, activation="relu"), lambda L: L.AveragePooling2D(2), lambda L: L.ZeroPadding2D(1), lambda L: L.Cropping2D(1), lambda L: L.GlobalMaxPooling2D()),
    "conv3d": sequential([(6, 6, 6, 2)], lambda L: L.Conv3D(3, 2), lambda L: L.MaxPooling3D(2), lambda L: L.GlobalAveragePooling3D()),
    "grouped conv": sequential([(8, 8, 4)], lambda L: L.Conv2D(8, 3, groups=2, strides=2, padding="same")),
    "transposed conv": sequential([(8, 8, 2)], lambda L: L.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1), lambda L: L.Conv2DTranspose(2, 2)),
    "transposed conv 1d, 3d": lambda K: K.Model(*(lambda x, L: (x, L.Conv1DTranspose(3, 3, strides=2)(x)))(K.Input((7, 2)), K.layers)),
    "transposed conv 3d": sequential([(4, 4, 4, 2)], lambda L: L.Conv3DTranspose(2, 2, strides=2)),
    "separable conv": sequential([(10, 10, 3)], lambda L: L.SeparableConv2D(6, 3, depth_multiplier=2), lambda L: L.SeparableConv2D(2, 2, use_bias=False)),
    "separable conv 1d": sequential([(10, 3)], lambda L: L.SeparableConv1D(6, 3)),
    "depthwise conv": sequential([(10, 10, 3)], lambda L: L.DepthwiseConv2D(3, depth_multiplier=2), lambda L: L.BatchNormalization(), lambda L: L.ReLU(6.0)),
    "depthwise conv 1d": sequential([(10, 3)], lambda L: L.DepthwiseConv1D(3)),
    "batch normalisation": sequential([(6, 5)], lambda L: L.BatchNormalization(), lambda L: L.BatchNormalization(scale=False, axis=1), lambda L: L.BatchNormalization(center=False)),
    "layer normalisation": sequential([(6, 5)], lambda L: L.LayerNormalization(), lambda L: L.LayerNormalization(axis=[1, 2], scale=False), lambda L: L.UnitNormalization()),
    "group normalisation": sequential([(6, 6, 8)], lambda L: L.GroupNormalization(4), lambda L: L.Conv2D(2, 1)),
    "gru": sequential([(7, 3)], lambda L: L.GRU(4, return_sequences=True), lambda L: L.GRU(3, reset_after=False, use_bias=False), lambda L: L.Dense(1)),
    "lstm": sequential([(7, 3)], lambda L: L.LSTM(4, return_sequences=True, dropout=0.2), lambda L: L.LSTM(3, unit_forget_bias=False, go_backwards=True)),
    "simple rnn": sequential([(7, 3)], lambda L: L.SimpleRNN(4, return_sequences=True), lambda L: L.SimpleRNN(3, activation="relu")),
    "stacked cells": sequential([(7, 3)], lambda L: L.RNN([L.LSTMCell(4), L.GRUCell(3), L.LSTMCell(2)], return_sequences=True), lambda L: L.RNN(L.SimpleRNNCell(2))),
    "bidirectional": sequential([(7, 3)], lambda L: L.Bidirectional(L.LSTM(4, return_sequences=True)), lambda L: L.Bidirectional(L.GRU(3), merge_mode="sum")),
    "bidirectional, two layers": sequential([(7, 3)], lambda L: L.Bidirectional(L.LSTM(4), backward_layer=L.LSTM(4, go_backwards=True, activation="relu"))),
    "conv lstm": sequential([(4, 8, 8, 2)], lambda L: L.ConvLSTM2D(3, 3, return_sequences=True, recurrent_activation="sigmoid"), lambda L: L.ConvLSTM2D(2, 3, recurrent_activation="sigmoid")),
    "states": _states,
    "seq2seq": _seq2seq,
    "time distributed": sequential([(5, 4)], lambda L: L.TimeDistributed(L.Dense(3)), lambda L: L.TimeDistributed(L.BatchNormalization())),
    "time distributed model": _time_distributed_model,
    "embedding": sequential([(9,), {"dtype": "int32"}], lambda L: L.Embedding(20, 4), lambda L: L.GlobalAveragePooling1D(), lambda L: L.Dense(2)),
    "text cnn": _text_cnn,
    "multi-head attention": _mha,
    "attention": _attention,
    "einsum dense": sequential([(5, 4)], lambda L: L.EinsumDense("abc,cd->abd", output_shape=(None, 6), bias_axes="d")),
    "nested sequential": _nested,
    "nested functional, twice": _nested_functional,
    "nested at the end": _nested_output,
    "nested, in part frozen": _frozen_nested,
    "nested, frozen": _frozen_base,
    "shared": _shared,
    "several inputs, outputs": _several,
    "crossed": _crossed,
    "residual": _resnet,
    "u-net": _unet,
    "prelu and others": sequential([(6, 6, 3)], lambda L: L.PReLU(shared_axes=[1, 2]), lambda L: L.LeakyReLU(0.2), lambda L: L.ELU(0.7), lambda L: L.Softmax(), lambda L: L.Activation("swish")),
    "normalisation, adapted": _normalization,
    "normalisation, given": sequential([(3,)], lambda L: L.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0]), lambda L: L.Dense(2)),
    "discretisation": _discretization,
    "rescaling, resizing": sequential([(10, 8, 3)], lambda L: L.Rescaling(1 / 255, offset=-1), lambda L: L.Resizing(6, 6), lambda L: L.CenterCrop(4, 4), lambda L: L.Conv2D(2, 3)),
    "augmentation": sequential([(8, 8, 3)], lambda L: L.RandomFlip("horizontal"), lambda L: L.RandomRotation(0.2), lambda L: L.RandomZoom(0.1), lambda L: L.RandomTranslation(0.1, 0.1), lambda L: L.RandomContrast(0.2), lambda L: L.Conv2D(2, 3)),
    "noise": sequential([(8, 6)], lambda L: L.GaussianNoise(0.1), lambda L: L.GaussianDropout(0.1), lambda L: L.AlphaDropout(0.1), lambda L: L.SpatialDropout1D(0.2), lambda L: L.Dense(2)),
    "shapes": sequential([(6, 4)], lambda L: L.Reshape((4, 6)), lambda L: L.Permute((2, 1)), lambda L: L.Flatten(), lambda L: L.RepeatVector(3), lambda L: L.Masking(), lambda L: L.Dense(2)),
    "regularised": sequential([(6,)], lambda L: L.Dense(4, kernel_regularizer="l2", activity_regularizer="l1", kernel_constraint="max_norm", bias_initializer="ones"), lambda L: L.ActivityRegularization(0.1)),
    "mixed types": _mixed,
    "category encoding": sequential([(1,), {"dtype": "int32"}], lambda L: L.CategoryEncoding(5, output_mode="one_hot"), lambda L: L.Dense(2)),
    "names with slashes": _slashes,
    "masked": sequential([(6,), {"dtype": "int32"}], lambda L: L.Embedding(9, 4, mask_zero=True), lambda L: L.Bidirectional(L.LSTM(3, return_sequences=True)), lambda L: L.TimeDistributed(L.Dense(3)), lambda L: L.GRU(2, return_sequences=True), lambda L: L.GlobalAveragePooling1D()),
    "masking": sequential([(6, 3)], lambda L: L.Masking(0.0), lambda L: L.RNN(L.LSTMCell(3), return_sequences=True), lambda L: L.SimpleRNN(2)),
    "pooling": sequential([(9, 9, 3)], lambda L: L.AveragePooling2D(2, strides=1, padding="same"), lambda L: L.MaxPooling2D(3, padding="same"), lambda L: L.UpSampling2D((2, 3), interpolation="nearest"), lambda L: L.GlobalAveragePooling2D(keepdims=True)),
    "interpolation": sequential([(9, 7, 3)], lambda L: L.UpSampling2D(2, interpolation="bicubic"), lambda L: L.Resizing(11, 5, interpolation="nearest"), lambda L: L.Resizing(7, 7, interpolation="bicubic"), lambda L: L.Resizing(5, 5, crop_to_aspect_ratio=True)),
    "crops": sequential([(9, 7, 3)], lambda L: L.CenterCrop(6, 6), lambda L: L.CenterCrop(4, 3)),
    "activations": sequential([(6,)], *[partial(_activated, name) for name in ("elu", "selu", "gelu", "softplus", "softsign", "exponential", "tanh", "sigmoid", "swish", "softmax")]),
    "activation of a layer": sequential([(5, 4)], lambda L: L.Conv1D(4, 2, padding="causal", strides=2), lambda L: L.ReLU(6.0, negative_slope=0.1, threshold=0.2), lambda L: L.Softmax(axis=1)),
    "dot, normalised": lambda K: K.Model(*(lambda x, y, L: ([x, y], L.Dot(axes=(2, 2), normalize=True)([x, y])))(K.Input((3, 5)), K.Input((4, 5)), K.layers)),
    "merges": lambda K: K.Model(*(lambda x, y, L: ([x, y], L.Concatenate(axis=1)([L.Maximum()([x, y]), L.Minimum()([x, y]), L.Subtract()([x, y])])))(K.Input((3, 5)), K.Input((3, 5)), K.layers)),
    "category encodings": sequential([(4,), {"dtype": "int32"}], lambda L: L.CategoryEncoding(6, output_mode="multi_hot"), lambda L: L.Dense(2)),
    "embedding of numbers": sequential([(4,)], lambda L: L.ReLU(), lambda L: L.Embedding(9, 3)),
    "mixed types, normalised": sequential([(6, 6, 3)], lambda L: L.Conv2D(4, 3, dtype="mixed_float16"), lambda L: L.BatchNormalization(dtype="mixed_float16"), lambda L: L.GlobalAveragePooling2D(dtype="float32")),
    "channels first": sequential([(3, 8)], lambda L: L.Flatten(data_format="channels_first"), lambda L: L.Dense(2)),
    "group normalisation, each": sequential([(6, 8)], lambda L: L.GroupNormalization(-1), lambda L: L.UnitNormalization(axis=[1, 2])),
    "inverse normalisation": sequential([(3,)], lambda L: L.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0], invert=True)),
    "dilated separable": sequential([(12, 12, 3)], lambda L: L.SeparableConv2D(4, 3, dilation_rate=2), lambda L: L.DepthwiseConv2D(3, dilation_rate=2), lambda L: L.Conv2D(2, 3, dilation_rate=2, padding="same")),
}  # fmt: skip


def _randomise(model, rng):
    """Every weight another, none far from where it began: large models would compute no numbers at all."""
    values = []
    if any(type(layer).__name__ == "Normalization" for layer in model.layers):
        return  # adapted
    for weight in model.get_weights():
        made = weight * rng.uniform(0.8, 1.2, weight.shape) + rng.uniform(0, 0.1, weight.shape) * (
            weight.ndim < 2 or not weight.any()
        )
        values.append(np.asarray(made if weight.dtype.kind == "f" else weight, dtype=weight.dtype))
    model.set_weights(values)


def _inputs(model, rng):
    made = []
    for tensor in model.inputs:
        shape = (2, *(size or 3 for size in tensor.shape[1:]))
        name = tensor.dtype if isinstance(tensor.dtype, str) else tensor.dtype.name
        made.append(rng.integers(0, 5, shape).astype(name) if "int" in name else rng.normal(size=shape).astype(name))
    return made[0] if len(made) == 1 else made


def _outputs(model, inputs):
    found = model.predict(inputs, verbose=0)
    return [np.asarray(value) for value in (found if isinstance(found, list) else [found])]


def _equal(one, two):
    return len(one) == len(two) and all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in zip(one, two, strict=True)
    )


def _near(one, two):
    """Equal but for the order of sums; weights are random, so that outputs may be large."""
    scale = float(np.max(np.abs(one), initial=1.0, where=np.isfinite(one)))
    return np.allclose(one, two, 1e-3, (1e-3 if one.dtype == np.float16 else 1e-4) * scale, equal_nan=True)


def check(build, K, command, folder):
    """(is it as it should be, what to say) of one architecture as one Keras writes it."""
    for module in (keras, tf_keras):
        module.backend.clear_session()
    rng = np.random.default_rng(7)
    try:
        model = build(K)
    except Exception as error:
        return None, f"not of this Keras: {str(error).splitlines()[0][:60]}"
    if not getattr(model, "optimizer", None):
        _randomise(model, rng)
    source, target = folder / "model.h5", folder / "model.keras"
    for path in (source, target):
        path.unlink(missing_ok=True)
    model.save(source)
    inputs = _inputs(model, rng)
    original = _outputs(model, inputs)
    done = subprocess.run([*command, "convert", source, target], capture_output=True, text=True, check=False)
    if done.returncode:
        return False, f"refused: {done.stderr.splitlines()[0][:200]}"
    try:
        result = _outputs(keras.saving.load_model(target), inputs)
    except Exception as error:
        return False, f"does not load: {str(error)[:300]}"
    try:
        by_keras = _outputs(keras.saving.load_model(source, compile=False), inputs)
    except Exception as error:
        by_keras, why = None, f"{type(error).__name__}"
    near = len(original) == len(result) and all(map(_near, original, result))
    if by_keras is not None:
        if _equal(by_keras, result):
            return near, f"equal, bit by bit{'' if near else '; not near the model that was saved'}"
        why = "loads another model from"
    else:
        why = f"does not load ({why})"
    built = ""
    try:
        other = build(keras)
        other.set_weights(model.get_weights())
        same = _equal(_outputs(other, inputs), result)
        built = "equal to it built in Keras 3, bit by bit" if same else "DIFFERENT from it built in Keras 3"
        near = near and same
    except Exception as error:
        built = f"near the model that was saved; not built in Keras 3: {type(error).__name__}"
    return near, f"{built if near else 'NOT NEAR, ' + built}; Keras 3 {why} the HDF5 file"


def main():
    """Print the table; 1 when a result is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assaymark", default="assaymark")
    parser.add_argument("--only")
    parser.add_argument("--applications", action="store_true", help="those of keras.applications instead")
    arguments = parser.parse_args()
    bad = 0
    print(f"Keras {keras.__version__}, tf_keras {tf_keras.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        models = {name: application(name) for name in APPLICATIONS} if arguments.applications else MODELS
        for name, build in models.items():
            if arguments.only and name not in arguments.only.split("|"):
                continue
            for which, K in (("Keras 2", tf_keras), ("Keras 3", keras)):
                good, said = check(build, K, shlex.split(arguments.assaymark), Path(folder))
                bad += good is False
                print(f"| {name} | {which} | {said} |", flush=True)
    print(f"{bad} not as they should be")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
