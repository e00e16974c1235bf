"""``convert`` of files whose tensors do not lie in them as they are: compressed, in chunks, escaped."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import pickle
import struct
import zlib
from pathlib import Path

import pytest
from tests.support.asm import MARK, STOP, TUPLE, call, glob, number, proto, safetensors, text
from tests.support.cli import ask, cli

from assaymark.core.view import BytesView
from assaymark.formats.safetensors import read_safetensors

CONVERSIONS = Path(__file__).parents[1] / "vectors" / "conversions"
MODELS = Path(__file__).parents[1] / "vectors" / "models"


def tensors_of(file: Path) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """What a written file holds."""
    data = file.read_bytes()
    return {t.name: (t.dtype, t.shape, data[t.start : t.end]) for t in read_safetensors(BytesView(data)).tensors}


@pytest.mark.parametrize("method", ["zlib", "gzip", "bz2", "lzma", "xz", "lz4"])
def test_compressed_files_of_joblib(tmp_path, method):
    source, out = CONVERSIONS / f"arrays-{method}.joblib", tmp_path / "arrays.safetensors"
    done = ask("convert", source, out)
    assert done.code == 0, done
    (said,) = done.json["conversions"]
    assert said["tensors"] == said["compared"] == 2
    assert said["unpacked"] > source.stat().st_size
    assert said["source"]["digest"] == cli("digest", source).out.split()[0]
    assert tensors_of(out) == {
        "w": ("F32", (2, 3), struct.pack("<6f", *range(6))),
        "f": ("F64", (2, 3), struct.pack("<6d", *range(6))),
    }
    assert [path.name for path in tmp_path.iterdir()] == ["arrays.safetensors"]


def test_a_compressed_torch_file_is_converted_as_what_it_unpacks_to(tmp_path):
    (tmp_path / "model.pt.gz").write_bytes(gzip.compress((MODELS / "state-dict.pt").read_bytes()))
    plain, packed = tmp_path / "plain.safetensors", tmp_path / "packed.safetensors"
    assert cli("convert", MODELS / "state-dict.pt", plain).code == 0
    done = cli("convert", tmp_path / "model.pt.gz", packed)
    assert done.code == 0, done
    assert "were unpacked from it" in done.out
    assert packed.read_bytes() == plain.read_bytes()


def test_a_compressed_pickle_of_objects_is_converted_only_when_it_passes_a_scan(tmp_path):
    source = tmp_path / "bad.joblib"
    source.write_bytes(zlib.compress(proto(4) + call("os", "system", text("echo")) + STOP))
    refused = ask("convert", source, tmp_path / "bad.safetensors")
    assert refused.code == 3
    assert refused.json["error"]["code"] == "convert-unsafe"
    assert [path.name for path in tmp_path.iterdir()] == ["bad.joblib"]


PLAIN = safetensors({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}, b"x")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (zlib.compress(bytes(80 << 20)), "compressed-bomb"),
        (bz2.compress(PLAIN)[:-9], "compressed-data"),
        (zlib.compress(PLAIN) + b"more", "compressed-data"),
        (lzma.compress(lzma.compress(PLAIN)), "convert-unknown"),
        (gzip.compress(b"just text"), "convert-unknown"),
    ],
    ids=["bomb", "cut short", "bytes behind", "twice", "text"],
)
def test_what_does_not_unpack_to_a_model_is_refused_and_leaves_nothing(tmp_path, data, code):
    source = tmp_path / "model.bin"
    source.write_bytes(data)
    done = ask("convert", source, tmp_path / "model.safetensors")
    assert done.code == 3
    assert done.json["error"]["code"] == code
    assert [path.name for path in tmp_path.iterdir()] == ["model.bin"]


def test_the_parent_of_the_statement_is_the_file_as_it_was_given(team, tmp_path):
    source, out = CONVERSIONS / "arrays-zlib.joblib", tmp_path / "arrays.safetensors"
    done = team.ask("convert", source, out, "--to", "production")
    assert done.json["verdict"]["outcome"] == "DENY"  # nobody has approved it yet
    parent = cli("digest", source).out.split()[0]
    assert parent in team.ask("lineage", "show", out).out
    assert json.loads(done.out)["conversions"][0]["source"]["digest"] == parent


COUNTED = struct.pack("<35f", *range(35))


@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_arrays_of_hdf5_in_chunks(tmp_path, version):
    out = tmp_path / "chunks.safetensors"
    done = ask("convert", CONVERSIONS / f"chunks-{version}.h5", out)
    assert done.code == 0, done
    (said,) = done.json["conversions"]
    held = tensors_of(out)
    assert said["compared"] == len(held) == 9
    for name in ("plain", "gzip", "all", "lzf", "endless"):
        assert held[name] == ("F32", (5, 7), COUNTED), name
    assert held["big"] == ("I16", (5, 7), struct.pack("<35h", *range(35)))
    assert held["runs"] == ("U8", (200,), bytes(range(5)) * 40)
    assert held["holes"] == ("F32", (4, 4), struct.pack("<16f", *[2.5] * 15, 1))
    assert held["paged"] == ("U8", (1500,), bytes(1200) + b"\1" + bytes(299))


def test_a_filter_that_is_not_known_is_named(tmp_path):
    done = ask("convert", CONVERSIONS / "scaled.h5", tmp_path / "x.safetensors")
    assert done.code == 3
    assert done.json["error"]["code"] == "convert-unsupported"
    assert "scaleoffset" in done.json["error"]["message"]


@pytest.mark.parametrize(("name", "code"), [("gzip", "hdf5-data"), ("all", "hdf5-data")])
def test_a_chunk_that_is_damaged_is_refused_and_leaves_nothing(tmp_path, name, code):
    data = bytearray((CONVERSIONS / "chunks-earliest.h5").read_bytes())
    at = data.index(b"\x78\x5e") if b"\x78\x5e" in data else data.index(b"\x78\x01")
    data[at + 3] ^= 0xFF
    source = tmp_path / f"{name}.h5"
    source.write_bytes(data)
    done = ask("convert", source, tmp_path / "x.safetensors")
    assert done.code == 3
    assert done.json["error"]["code"] == code
    assert "byte" in done.out
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


def array_of(raw: bytes) -> bytes:
    """Opcodes of an array of 64-bit floats whose elements ``raw`` pushes, as NumPy writes it below protocol 5."""
    shell = call(
        "numpy.core.multiarray", "_reconstruct", glob("numpy", "ndarray"), MARK + number(0) + TUPLE, b"U\x01b"
    )
    kind = call("numpy", "dtype", text("f8"), number(0), number(1))
    kind += MARK + number(3) + text("<") + b"NNN" + number(-1) + number(-1) + number(0) + TUPLE + b"b"
    return shell + MARK + number(1) + MARK + number(20_000) + TUPLE + kind + number(0) + raw + TUPLE + b"b"


FLOATS = struct.pack("<20000d", *(i / 7 for i in range(20_000)))


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_large_arrays_of_old_protocols(tmp_path, protocol):
    """Python's own pickler writes the bytes, as text; NumPy's frame around them is by hand."""
    raw = pickle.dumps(FLOATS, protocol)
    body = raw[2:-1] if protocol == 2 else raw[:-1]
    source, out = tmp_path / "array.pkl", tmp_path / "array.safetensors"
    source.write_bytes(proto(2) + array_of(body) + STOP)
    assert cli("scan", source).code == 0
    done = ask("convert", source, out)
    assert done.code == 0, done
    assert done.json["conversions"][0]["unpacked"] == len(FLOATS)
    assert tensors_of(out) == {"tensor": ("F64", (20_000,), FLOATS)}


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_large_bytes_of_old_protocols_that_are_not_as_many_as_due(tmp_path, protocol):
    raw = pickle.dumps(FLOATS[:-8], protocol)
    source = tmp_path / "array.pkl"
    source.write_bytes(proto(2) + array_of(raw[2:-1] if protocol == 2 else raw[:-1]) + STOP)
    done = ask("convert", source, tmp_path / "array.safetensors")
    assert done.code == 3
    assert done.json["error"]["code"] == "convert-array"


def test_text_that_is_no_bytes_is_refused(tmp_path):
    source = tmp_path / "array.pkl"
    encoded = call("_codecs", "encode", text("\u20ac" * 70_000), text("latin1"))
    source.write_bytes(proto(2) + array_of(encoded) + STOP)
    done = ask("convert", source, tmp_path / "array.safetensors")
    assert done.code == 3
    assert done.json["error"]["code"] == "convert-array"


@pytest.mark.parametrize("protocol", range(6))
def test_a_tensor_of_torch_in_a_plain_pickle_of_any_protocol(tmp_path, protocol):
    source, out = CONVERSIONS / f"tensor-protocol{protocol}.pkl", tmp_path / "tensor.safetensors"
    assert cli("scan", source).code == 0
    done = cli("convert", source, out)
    assert done.code == 0, done
    assert tensors_of(out) == {"w": ("F32", (2, 3), struct.pack("<6f", *range(6)))}


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_long_bytes_are_compared_and_named(tmp_path, protocol):
    source, out = tmp_path / "model.pkl", tmp_path / "model.safetensors"
    model = bytearray(range(256)) * 300
    source.write_bytes(pickle.dumps({"handle": model, "note": b"short"}, protocol))
    done = cli("convert", source, out)
    assert done.code == 0, done
    assert "all equal: 76800 bytes of handle" in done.out
    assert tensors_of(out) == {"handle": ("U8", (76_800,), bytes(model))}
    assert b'{\\"tensor\\":\\"handle\\",\\"as\\":\\"bytearray\\"}' in out.read_bytes()


def test_nothing_compared_is_never_said_as_a_success(tmp_path):
    source = tmp_path / "settings.pkl"
    source.write_bytes(pickle.dumps({"epoch": 3}))
    done = cli("convert", source, tmp_path / "settings.safetensors")
    assert done.code == 0, done
    assert "nothing was compared" in done.out
    assert "0 of 0" not in done.out
