"""Writes the real files of this folder with the libraries themselves. See README.md for the versions.

Each holds the same values: whoever reads one back knows what must come out.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import h5py
import joblib
import numpy as np
import torch

HERE = Path(__file__).parent
COMPRESSIONS = ("zlib", "gzip", "bz2", "lzma", "xz", "lz4")


def main() -> None:
    values = {"w": np.arange(6, dtype="<f4").reshape(2, 3), "f": np.asfortranarray(np.arange(6.0).reshape(2, 3))}
    for name in COMPRESSIONS:
        joblib.dump(values, HERE / f"arrays-{name}.joblib", compress=(name, 3))
    for protocol in range(6):
        with (HERE / f"tensor-protocol{protocol}.pkl").open("wb") as file:
            pickle.dump({"w": torch.arange(6, dtype=torch.float32).reshape(2, 3)}, file, protocol=protocol)
    for version in ("earliest", "latest"):
        with h5py.File(HERE / f"chunks-{version}.h5", "w", libver=version) as file:
            write_chunks(file)
    with h5py.File(HERE / "scaled.h5", "w") as file:
        file.create_dataset("s", data=np.arange(20, dtype="<i4"), chunks=(10,), scaleoffset=0)


def write_chunks(file: h5py.File) -> None:
    """Whole and partial chunks, each filter that h5py writes by itself, chunks that were never written."""
    counted = np.arange(35, dtype="<f4").reshape(5, 7)
    for name, words in {
        "plain": {},
        "gzip": {"compression": "gzip"},
        "all": {"compression": "gzip", "shuffle": True, "fletcher32": True},
        "lzf": {"compression": "lzf"},
    }.items():
        file.create_dataset(name, data=counted, chunks=(2, 3), **words)
    file.create_dataset("big", data=counted.astype(">i2"), chunks=(5, 7), compression="gzip")
    file.create_dataset("endless", data=counted, chunks=(2, 3), maxshape=(None, None), fletcher32=True)
    file.create_dataset("runs", data=np.tile(np.arange(5, dtype="u1"), 40), chunks=(100,), compression="lzf")
    holes = file.create_dataset("holes", (4, 4), chunks=(2, 2), dtype="<f4", fillvalue=2.5)
    holes[3, 3] = 1
    paged = file.create_dataset("paged", (1500,), chunks=(1,), dtype="u1")
    paged[1200] = 1


if __name__ == "__main__":
    main()
