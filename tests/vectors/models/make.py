"""Writes the real model files of this folder with the libraries themselves. See README.md for the versions."""

from __future__ import annotations

import collections
import pickle
import sys
import warnings
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch

HERE = Path(__file__).parent


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x)


def main() -> None:
    warnings.simplefilter("ignore")
    torch.manual_seed(1)
    dtypes = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32, torch.int16)
    dtypes += (torch.int8, torch.uint8, torch.bool, torch.complex64)
    state = collections.OrderedDict((str(d).removeprefix("torch."), torch.ones(2, 3).to(d)) for d in dtypes)
    state["view"] = state["float32"].t()
    state["empty"] = torch.zeros(0, 4)
    state["scalar"] = torch.tensor(3.5)
    torch.save(state, HERE / "dtypes.pt")
    torch.save(
        {"float8": torch.ones(4).to(torch.float8_e4m3fn), "uint16": torch.ones(2, dtype=torch.uint16)},
        HERE / "newer-dtypes.pt",
    )
    torch.save(Net().state_dict(), HERE / "state-dict.pt")
    torch.save(Net().state_dict(), HERE / "state-dict-legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(Net().state_dict(), HERE / "state-dict-protocol4.pt", pickle_protocol=4)
    net = Net()
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    checkpoint = {
        "epoch": 3,
        "model": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "loss": 0.5,
        "classes": ["a", "b"],
    }
    torch.save(checkpoint, HERE / "checkpoint.pt")
    torch.save(
        {
            "p": torch.nn.Parameter(torch.ones(3)),
            "size": torch.Size((1, 2)),
            "device": torch.device("cpu"),
            "dtype": torch.float16,
            "set": {1, 2},
            "bytes": b"abc",
            "complex": 1j,
        },
        HERE / "parameter.pt",
    )
    torch.save(torch.quantize_per_tensor(torch.ones(4), 0.1, 10, torch.qint8), HERE / "quantised.pt")
    torch.save(torch.eye(3).to_sparse(), HERE / "sparse.pt")
    torch.save(
        torch.quantize_per_channel(torch.ones(2, 2), torch.ones(2), torch.zeros(2), 0, torch.qint8),
        HERE / "quantised-per-channel.pt",
    )
    torch.save(Net(), HERE / "whole-module.pt")
    torch.save(Net(), HERE / "whole-module-legacy.pt", _use_new_zipfile_serialization=False)
    torch.jit.script(Net()).save(str(HERE / "torchscript.pt"))
    arrays = {
        "f": np.arange(6.0).reshape(2, 3),
        "i": np.arange(4, dtype=">i2"),
        "s": np.array(["ab", "c"]),
        "b": np.array([b"x"]),
        "o": np.array([1, "two", None], dtype=object),
        "scalar": np.float64(1.5),
        "fortran": np.asfortranarray(np.ones((2, 2))),
        "dtype": np.dtype("f4"),
        "bool": np.array([True]),
    }
    for protocol in range(6):
        (HERE / f"arrays-protocol{protocol}.pkl").write_bytes(pickle.dumps(arrays, protocol))
        plain = {
            "a": [
                1,
                2.5,
                None,
                True,
                "text",
                b"bytes",
                bytearray(b"ba"),
                (1, 2),
                {3},
                frozenset((4,)),
                1 << 80,
                -5,
                1j,
                range(3),
                slice(1, 2),
            ]
        }
        (HERE / f"plain-protocol{protocol}.pkl").write_bytes(pickle.dumps(plain, protocol))
    (HERE / "structured.pkl").write_bytes(pickle.dumps(np.zeros(2, dtype=[("x", "f4"), ("y", "i4")])))
    (HERE / "datetime.pkl").write_bytes(pickle.dumps(np.array(["2024-01-01"], dtype="M8[D]")))
    np.save(HERE / "array.npy", np.arange(3))
    np.savez(HERE / "arrays.npz", a=np.arange(3))
    safetensors.numpy.save_file(
        {"w": np.ones((2, 3), np.float32), "b": np.zeros(3, np.int64)}, HERE / "weights.safetensors", {"format": "np"}
    )
    print(sys.version.split()[0], torch.__version__, np.__version__, safetensors.__version__)  # noqa: T201 - for the README


if __name__ == "__main__":
    main()
