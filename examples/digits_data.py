"""Write the digits data that scikit-learn bundles as a data set of files.

Usage: python examples/digits_data.py FOLDER

The folder gets ``digits.csv`` (one image of 8 by 8 pixels a line, its label last) and ``README.md``. Nothing is
fetched.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sklearn.datasets import load_digits

SOURCE = "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits"


def write(folder: Path) -> int:
    """Write the data set into ``folder``; returns how many images there are."""
    images, labels = load_digits(return_X_y=True)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "digits.csv").open("w", encoding="ascii") as stream:
        for pixels, label in zip(images, labels, strict=True):
            stream.write(",".join(str(int(value)) for value in (*pixels, label)) + "\n")
    (folder / "README.md").write_text(
        f"# Handwritten digits\n\n{len(labels)} images of 8 by 8 pixels, 0 to 16 each; the label is last.\n"
        f"\nFrom {SOURCE}, as scikit-learn bundles it.\n"
    )
    return len(labels)


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004
        sys.exit(__doc__)
    print(write(Path(sys.argv[1])))
