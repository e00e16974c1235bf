"""One file of each class of the adversarial corpus that needs no heavy library, through the confined child.

The whole corpus is made, shown to execute and scanned by ``make bench BENCH=corpus_table``. What is here is read in
the process that users have: what it may not open or import any more when hostile bytes come, it does not have.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import pickle
import zipfile
import zlib
from pathlib import Path

import pytest
from bench.corpus import documents, gadgets, streams
from bench.corpus.classes import CLASSES
from bench.corpus.loaded import npy, tarred, zipped
from bench.corpus.sample import Sample
from tests.support.asm import STOP, proto, torch_zip
from tests.support.cli import cli as run

ARCHIVES = Path(__file__).parents[1] / "vectors" / "archives"
INNER = gadgets.INNER


def _first_of_each(samples: list[Sample]) -> dict[str, Sample]:
    found: dict[str, Sample] = {}
    for sample in samples:
        found.setdefault(sample.evasion, sample)
    return found


BY_HAND = {
    "joblib-compressed/model.pkl.xz": lzma.compress(INNER),
    "nested/three.gz": gzip.compress(bz2.compress(zlib.compress(INNER))),
    "nested/tar.tgz": gzip.compress(tarred({"a.zip": zipped({"b.pkl": INNER})})),
    "numpy/objects.npy": npy(INNER),
    "numpy/member.npz": zipped({"weights": npy(INNER)}),
    "numpy/bzip2.npz": zipped({"a.npy": npy(INNER)}, zipfile.ZIP_BZIP2),
    "numpy/lzma.npz": zipped({"a.npy": npy(INNER)}, zipfile.ZIP_LZMA),
    "torch-zip/model.pt": torch_zip(proto(2) + gadgets.EXEC + STOP),
    "hdf5-external/behind.h5": b"x" * 512 + b"\x89HDF\r\n\x1a\n" + bytes(600),
    "config-target/policy.json": json.dumps({"policy": {":serialized:": base64.b64encode(INNER).decode()}}).encode(),
}


def _corpus() -> list[Sample]:
    of_code = [s for s in documents.samples() if not s.links and s.evasion not in ("two-readings", "skops")]
    found = list(_first_of_each([*gadgets.samples(), *streams.samples(), *of_code]).values())
    found.extend(Sample(*name.split("/"), {name.split("/")[1]: data}) for name, data in BY_HAND.items())
    return found


def test_every_class_is_refused(tmp_path: Path) -> None:
    samples = _corpus()
    assert {sample.evasion for sample in samples} <= CLASSES.keys()
    folders = []
    for number, sample in enumerate(samples):
        folder = tmp_path / f"{number}-{sample.evasion}"
        for name, data in sample.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        folders.append(folder)
    done = run("scan", "--no-cache", "--format", "json", *map(str, folders))
    reports = json.loads(done.out)["reports"]
    assert {report["path"]: report["outcome"] for report in reports} == {str(folder): "fail" for folder in folders}


@pytest.mark.parametrize("name", ["bzip2", "copy", "deflate", "delta", "lzma", "lzma2", "x86"])
def test_7z_archives_are_read_in_the_confined_child(name: str, tmp_path: Path) -> None:
    done = run("scan", "--no-cache", str(ARCHIVES / f"{name}.7z"))
    assert "0 skipped" in done.out, done.out


def test_ordinary_files_of_the_same_kinds_pass(tmp_path: Path) -> None:
    plain = pickle.dumps({"a": [1, 2.5, "x"]})
    for name, data in {
        "plain.pkl": plain,
        "plain.pkl.xz": lzma.compress(plain),
        "bzip2.zip": zipped({"a.pkl": plain}, zipfile.ZIP_BZIP2),
        "lzma.zip": zipped({"a.pkl": plain}, zipfile.ZIP_LZMA),
        "numbers.npz": zipped({"a.npy": npy(bytes(8), descr="'<f8'")}, zipfile.ZIP_LZMA),
        "policy.json": json.dumps({":serialized:": base64.b64encode(plain).decode()}).encode(),
        "template.jinja": b"{% for m in messages %}{{ m['content'] | trim }}{% endfor %}",
    }.items():
        (tmp_path / name).write_bytes(data)
    assert run("scan", "--no-cache", str(tmp_path)).out.startswith("PASS")
