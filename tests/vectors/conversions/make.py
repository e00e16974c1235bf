"""Writes the real files of this folder with the libraries themselves. See README.md for the versions.

Each holds the same values: whoever reads one back knows what must come out.
"""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np

HERE = Path(__file__).parent
COMPRESSIONS = ("zlib", "gzip", "bz2", "lzma", "xz", "lz4")


def main() -> None:
    values = {"w": np.arange(6, dtype="<f4").reshape(2, 3), "f": np.asfortranarray(np.arange(6.0).reshape(2, 3))}
    for name in COMPRESSIONS:
        joblib.dump(values, HERE / f"arrays-{name}.joblib", compress=(name, 3))


if __name__ == "__main__":
    main()
