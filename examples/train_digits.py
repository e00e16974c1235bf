"""Train a real classifier on handwritten digits, and write it as safetensors.

Usage: python examples/train_digits.py DATA MODEL

DATA is a folder as examples/digits_data.py writes it. The folder MODEL gets ``model.safetensors`` (weights and
bias of a multinomial logistic regression), ``config.json`` (what a server needs to use them: labels, image size,
normalisation, rejection threshold) and ``README.md``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

SEED = 20260501
PIXEL_MAX = 16.0


def train(data: Path, folder: Path) -> float:
    """Write the model into ``folder``; returns its accuracy on held-out images."""
    table = np.loadtxt(data / "digits.csv", delimiter=",")
    scaled, labels = table[:, :-1] / PIXEL_MAX, table[:, -1].astype(int)
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
    if len(sys.argv) != 3:  # noqa: PLR2004
        sys.exit(__doc__)
    print(f"{train(Path(sys.argv[1]), Path(sys.argv[2])):.1%} of held-out digits right")
