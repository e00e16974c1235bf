"""Train a real classifier on the digits data that scikit-learn bundles, and write it as safetensors.

Usage: python examples/train_digits.py FOLDER

The folder gets ``model.safetensors`` (weights and bias of a multinomial logistic regression), ``config.json``
(what a server needs to use them: labels, image size, normalisation, rejection threshold) and ``README.md``.
Nothing is fetched: the 1,797 images of 8 by 8 pixels come with the library.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

SEED = 20260501
PIXEL_MAX = 16.0


def train(folder: Path) -> float:
    """Write the model into ``folder``; returns its accuracy on held-out images."""
    images, labels = load_digits(return_X_y=True)
    scaled = images / PIXEL_MAX
    train_x, test_x, train_y, test_y = train_test_split(
        scaled, labels, test_size=0.25, random_state=SEED, stratify=labels
    )
    model = LogisticRegression(max_iter=2000, C=0.3).fit(train_x, train_y)
    accuracy = float(model.score(test_x, test_y))

    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {"weight": model.coef_.astype(np.float32), "bias": model.intercept_.astype(np.float32)},
        folder / "model.safetensors",
        metadata={"format": "np", "task": "digit classification"},
    )
    config = {
        "architecture": "multinomial logistic regression",
        "image_size": [8, 8],
        "labels": [int(label) for label in model.classes_],
        "preprocessing": {"divide_by": int(PIXEL_MAX)},
        "reject_below_probability": 0.5,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "README.md").write_text(
        "# Digits\n\nReads one handwritten digit in an image of 8 by 8 pixels.\n\n"
        f"Trained on {len(train_y)} images, {accuracy:.1%} right on {len(test_y)} others.\n"
    )
    return accuracy


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004
        sys.exit(__doc__)
    print(f"{train(Path(sys.argv[1])):.4f}")
