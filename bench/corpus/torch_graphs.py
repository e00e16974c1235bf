"""TorchScript, torch.export and torch.package archives that reach files or run code."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.asm import STOP, proto

from bench.corpus.gadgets import EXEC
from bench.corpus.sample import CODE, MARKER, Sample, single

if TYPE_CHECKING:
    from collections.abc import Iterator


def samples() -> list[Sample]:
    """All of them."""
    return list(_samples())


def _rewritten(data: bytes, change: dict[str, bytes]) -> bytes:
    """The archive with members whose names end so replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            body = old.read(info)
            for end, instead in change.items():
                if info.filename.endswith(end):
                    body = instead
            new.writestr(zipfile.ZipInfo(info.filename), body)
    return out.getvalue()


def _samples() -> Iterator[Sample]:
    import torch
    from torch.package import PackageExporter

    class Saves(torch.nn.Module):
        def forward(self) -> torch.Tensor:
            found = torch.zeros(1)
            torch.save(found, MARKER_NAME)
            return found

    MARKER_NAME = MARKER
    buffer = io.BytesIO()
    try:
        torch.jit.save(torch.jit.script(Saves()), buffer)
        yield single("torch-script", "saves.pt", buffer.getvalue(), "torch-script", "aten::save writes a file")
    except (RuntimeError, OSError):
        pass
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.pt"
        scripted = torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2))
        torch.jit.save(scripted, str(path))
        yield single(
            "torch-script",
            "data.pt",
            _rewritten(path.read_bytes(), {"/constants.pkl": proto(2) + EXEC + STOP}),
            "",
            "C++ reads it; Python readers of the member run it",
        )
        exported = Path(folder) / "net.pt2"
        torch.export.save(torch.export.export(torch.nn.Linear(2, 2), (torch.ones(1, 2),)), exported)
        evil = io.BytesIO()
        from bench.corpus.loaded import Runs

        torch.save(Runs(), evil)
        names = zipfile.ZipFile(exported).namelist()
        samples_of = [name for name in names if "sample_inputs" in name]
        for name in samples_of[:1]:
            yield single(
                "torch-export",
                "sample-inputs.pt2",
                _rewritten(exported.read_bytes(), {name: evil.getvalue()}),
                "torch-export",
            )
        config = "data/weights/model_weights_config.json"
        described = [name for name in names if name.endswith(config)]
        if described:
            text = zipfile.ZipFile(exported).read(described[0]).replace(b'"use_pickle": false', b'"use_pickle": true')
            change = {
                config: text,
                "data/weights/weight_0": evil.getvalue(),
                "data/weights/weight_1": evil.getvalue(),
            }
            yield single(
                "torch-export", "pickled-weights.pt2", _rewritten(exported.read_bytes(), change), "torch-export"
            )
        package = Path(folder) / "package.pt"
        source = Path(folder) / "evil_module.py"
        source.write_text("import os\n" + CODE + "\nclass Model:\n    pass\n")
        with PackageExporter(str(package)) as exporter:
            exporter.extern("os")
            exporter.save_source_string("evil_module", source.read_text())
            exporter.save_binary("model", "model.pkl", b"cevil_module\nModel\n)R.")
        yield single("torch-package", "package.pt", package.read_bytes(), "torch-package")
