"""Train a small neural network on the digits data that scikit-learn bundles, and write it as ONNX.

Usage: python examples/serve_digits/train.py FOLDER

The folder gets ``digits.onnx`` (64 pixels in, 10 probabilities out), ``config.json`` (labels, and below which
probability the server says that it does not know) and ``README.md``. Nothing is fetched.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

SEED = 20260501
PIXEL_MAX = 16.0
HIDDEN = 32
OPSET = 17


def train(folder: Path) -> float:
    """Write the model into ``folder``; returns its accuracy on held-out images."""
    images, labels = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=0.25, random_state=SEED, stratify=labels
    )
    network = MLPClassifier((HIDDEN,), max_iter=600, alpha=0.01, random_state=SEED)
    network.fit(train_x / PIXEL_MAX, train_y)
    accuracy = float(network.score(test_x / PIXEL_MAX, test_y))

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "digits.onnx").write_bytes(as_onnx(network).SerializeToString(deterministic=True))
    config = {"labels": [int(label) for label in network.classes_], "reject_below_probability": 0.5}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "README.md").write_text(
        "# Digits\n\nReads one handwritten digit in an image of 8 by 8 pixels of 0 to 16.\n\n"
        f"Trained on {len(train_y)} images, {accuracy:.1%} right on {len(test_y)} others.\n"
    )
    return accuracy


def as_onnx(network: MLPClassifier) -> onnx.ModelProto:
    """The network as a graph: divide, multiply-add, rectify, multiply-add, softmax."""
    weights = {f"weight{i}": array for i, array in enumerate(network.coefs_)}
    biases = {f"bias{i}": array for i, array in enumerate(network.intercepts_)}
    values = weights | biases | {"pixel_max": np.array(PIXEL_MAX)}
    graph = helper.make_graph(
        [
            helper.make_node("Div", ["pixels", "pixel_max"], ["scaled"]),
            helper.make_node("Gemm", ["scaled", "weight0", "bias0"], ["hidden"]),
            helper.make_node("Relu", ["hidden"], ["rectified"]),
            helper.make_node("Gemm", ["rectified", "weight1", "bias1"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "digits",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [None, 64])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 10])],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004
        sys.exit(__doc__)
    print(f"{train(Path(sys.argv[1])):.4f}")
