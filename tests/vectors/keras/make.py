"""Writes the models of this folder with Keras itself, in an environment with keras 3, tf_keras and TensorFlow.

Usage: python tests/vectors/keras/make.py

``NAME-2.h5`` is written by Keras 2, ``NAME-3.h5`` and ``NAME.keras`` by Keras 3 of the same model and weights.
"""

# K is a Keras, L its layers.
# ruff: noqa: N803, N806
import json
import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import h5py
import keras
import numpy as np
import tf_keras

HERE = Path(__file__).parent


def convolutions(K):
    L = K.layers
    return K.Sequential(
        [
            K.Input((8, 8, 2), name="image"),
            L.Conv2D(3, 3, padding="same", use_bias=False, name="first"),
            L.BatchNormalization(name="norm"),
            L.ReLU(6.0, name="relu"),
            L.DepthwiseConv2D(2, name="depthwise"),
            L.SeparableConv2D(2, 2, name="separable"),
            L.Conv2DTranspose(2, 2, strides=2, name="up"),
            L.PReLU(shared_axes=[1, 2], name="prelu"),
            L.LeakyReLU(0.25, name="leaky"),
            L.GlobalAveragePooling2D(name="pool"),
            L.Dense(2, activation="softmax", kernel_regularizer="l2", name="out"),
        ],
        name="convolutions",
    )


def graph(K):
    L = K.layers
    base = K.Sequential(
        [
            K.Input((4,), name="base_input"),
            L.Dense(4, name="frozen"),
            L.BatchNormalization(name="frozen_norm"),
            L.Dense(4, name="warm"),
            L.BatchNormalization(name="warm_norm"),
        ],
        name="base",
    )
    base.layers[0].trainable = False
    base.layers[1].trainable = False
    one, two = K.Input((4,), name="one"), K.Input((4,), name="two")
    late, early, shared = L.Dense(4, name="late"), L.Dense(4, name="early"), L.Dense(4, name="shared")
    a = early(base(one))
    b = late(shared(a))
    c = L.Add(name="add")([b, shared(base(two)), L.Dense(4, name="skip")(one)])
    return K.Model([one, two], [L.Dense(2, name="left")(c), L.Dense(3, name="right")(b)], name="graph")


def sequences(K):
    L = K.layers
    words, state = K.Input((5,), dtype="int32", name="words"), K.Input((3,), name="state")
    x = L.Embedding(7, 4, name="embedding")(words)
    x = L.MultiHeadAttention(2, 2, name="attention")(x, x)
    x = L.LayerNormalization(name="norm")(x)
    x = L.Bidirectional(L.LSTM(2, return_sequences=True, name="lstm"), name="both")(x)
    x = L.RNN([L.LSTMCell(3, name="one"), L.GRUCell(2, name="two")], return_sequences=True, name="stack")(x)
    x = L.TimeDistributed(L.Dense(3, name="step"), name="steps")(x)
    x = L.GRU(3, name="gru")(x, initial_state=state)
    return K.Model([words, state], L.Dense(2, name="out")(x), name="sequences")


def copy_weights(one, two):
    """The weights of ``one`` into ``two``, layer by layer: Keras 2 counts those of a model otherwise."""
    for layer in two.layers:
        other = one.get_layer(layer.name)
        if hasattr(layer, "layers"):
            copy_weights(other, layer)
        else:
            flags = layer.trainable, other.trainable
            layer.trainable = other.trainable = True
            layer.set_weights(other.get_weights())
            layer.trainable, other.trainable = flags


def as_in_2018(source, target):
    """The model of ``source`` in the form of Keras 2.2: a list of layers, the input in the first, names of one length."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        layers = json.loads(old.attrs["model_config"])["config"]["layers"]
        layers[1]["config"]["batch_input_shape"] = layers[0]["config"]["batch_input_shape"]
        for layer in layers:
            for key, value in layer["config"].items():
                if isinstance(value, dict):
                    layer["config"][key] = {"class_name": value["class_name"], "config": value["config"]}
        new.attrs["model_config"] = np.bytes_(json.dumps({"class_name": "Sequential", "config": layers[1:]}))
        new.attrs["keras_version"] = np.bytes_("2.2.2")
        weights = new.create_group("model_weights")
        names = [name for name in old["model_weights"].attrs["layer_names"] if name != layers[0]["config"]["name"]]
        weights.attrs["layer_names"] = [name.encode() for name in names]
        for name in names:
            group, before = weights.create_group(name), old["model_weights"][name]
            listed = list(before.attrs["weight_names"])
            for i, one in enumerate(listed):  # a long list is split
                group.attrs[f"weight_names{i}"] = [one.encode()]
                group[one] = before[one][()]
            if not listed:
                group.attrs["weight_names"] = np.array([], "S1")


def main():
    rng = np.random.default_rng(1)
    for build in (convolutions, graph, sequences):
        second, third = build(tf_keras), build(keras)
        second.set_weights([np.round(np.abs(rng.normal(0.5, 0.3, w.shape)), 3) for w in second.get_weights()])
        if build is convolutions:
            for model in (second, third):
                model.compile("adam", "categorical_crossentropy")
            second.fit(rng.normal(size=(4, 8, 8, 2)), np.eye(2)[[0, 1, 0, 1]], verbose=0)
        copy_weights(second, third)
        name = build.__name__
        second.save(HERE / f"{name}-2.h5")
        third.save(HERE / f"{name}-3.h5")
        third.save(HERE / f"{name}.keras")
        if build is convolutions:
            as_in_2018(HERE / f"{name}-2.h5", HERE / f"{name}-2018.h5")
    packed(HERE / "graph-2.h5", HERE / "packed" / "graph-2.h5")


def packed(source, target):
    """The same file with its arrays in chunks behind gzip, as ``h5repack -f GZIP=9`` writes them."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:

        def take(name, item):
            if isinstance(item, h5py.Dataset):
                made = new.create_dataset(
                    name, data=item[()], **({"compression": 9, "chunks": True} if item.shape else {})
                )
            else:
                made = new.require_group(name)
            made.attrs.update(item.attrs)

        new.attrs.update(old.attrs)
        old.visititems(take)


if __name__ == "__main__":
    main()
