"""Hostile containers and disguises by class. Each must fail, or at least not pass."""

from __future__ import annotations

import functools
import io
import json
import struct
import tarfile
import zipfile
import zlib

import pytest
from tests.support.asm import NONE, STOP, call, make_zip, proto, safetensors, tensor, text, torch_zip, zip_entry

from assaymark.core.report import Report, ScanOutcome
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine

LIVE = proto(2) + call("os", "system", text("id")) + STOP
HARMLESS = proto(2) + NONE + STOP


def scan(data: bytes, name: str) -> Report:
    return examine(BytesView(data), name)


def rules(report: Report) -> set[str]:
    return {finding.rule for finding in report.findings}


def zip64(*values: tuple[int, int, int]) -> bytes:
    """Extra fields with size, packed size and header offset."""
    return b"".join(struct.pack("<HHQQQ", 1, 24, *fields) for fields in values)


def saturated(archive: bytes, extra: bytes) -> bytes:
    """``archive`` with its last member's sizes and offset in ``extra`` instead."""
    at, end = archive.rfind(b"PK\x01\x02"), archive.rfind(b"PK\x05\x06")
    full = b"\xff" * 4
    head = archive[at : at + 20] + full * 2 + archive[at + 28 : at + 30] + struct.pack("<H", len(extra))
    directory = head + archive[at + 32 : at + 42] + full + archive[at + 46 : end] + extra
    size = struct.unpack_from("<L", archive, end + 12)[0] + len(extra)
    return archive[:at] + directory + archive[end : end + 12] + struct.pack("<L", size) + archive[end + 16 :]


def entry(name: str = "a.txt", data: bytes = b"text", **changes: int | bytes) -> dict[str, int | bytes]:
    return zip_entry(name.encode(), data, **changes)


AMBIGUOUS: dict[str, bytes] = {
    "names that differ": make_zip([entry(local_name=b"evil.pkl")]),
    "names that differ in length": make_zip([entry(local_name=b"b.txt.pkl")]),
    "sizes that differ": make_zip([entry(local_size=3)]),
    "checksums that differ": make_zip([entry(local_crc=1)]),
    "flags that differ": make_zip([entry(flags=0x0800), entry("b.txt")]).replace(b"PK\x03\x04\x14\x00\x00\x08", b"PK\x03\x04\x14\x00\x00\x00", 1),
    "two members of one name": make_zip([entry(), entry(data=b"other")]),
    "two members of one name, with another separator": make_zip([entry("a/b"), entry("a\\b")]),
    "two members whose names differ in case": make_zip([entry("a/data/0"), entry("a/DATA/0")]),
    "a name cut by a NUL": make_zip([entry("a.txt\0.pkl")]),
    "an empty name": make_zip([entry("")]),
    "a prefix": make_zip([entry()], prefix=make_zip([entry("x")])),
    "a gap before the directory": make_zip([entry()], gap=LIVE),
    "a suffix": make_zip([entry()], tail=b"behind"),
    "a second end record in the comment": make_zip([entry()], comment=b"PK\x05\x06" + b"\0" * 18),
    "an archive behind an archive": make_zip([entry()]) + make_zip([entry("evil.txt")]),
    "overlapping members": make_zip([entry(), entry("b.txt", header=0)]),
    "a path that leads out": make_zip([entry("../evil")]),
    "a path that leads out on Windows": make_zip([entry("a\\..\\..\\evil")]),
    "an absolute path": make_zip([entry("/etc/passwd")]),
    "a drive": make_zip([entry("C:evil")]),
    "a symbolic link": make_zip([entry(external=0o120777 << 16, system=3)]),
    "a second name in an extra field": make_zip([entry(extra=struct.pack("<HH", 0x7075, 5) + b"\1\0\0\0\0")]),
    "a wide offset given twice": saturated(make_zip([entry()]), zip64((4, 4, 9), (4, 4, 0))),
    "a wide offset given twice, last one elsewhere": saturated(make_zip([entry()]), zip64((4, 4, 0), (4, 4, 9))),
    "a malformed extra field": make_zip([entry(extra=b"\x01\x00\xff\xff")]),
    "a descriptor that disagrees": make_zip([entry(flags=8, local_size=0, local_crc=0, descriptor=b"PK\x07\x08" + b"\1" * 12)]),
    "a member that is nowhere": make_zip([entry(), entry("b", header=1 << 20)]),
    "two sizes of a stored member": make_zip([entry(size=3, local_size=3)]),
    "parts": make_zip([entry()]).replace(b"PK\x05\x06\x00\x00", b"PK\x05\x06\x01\x00"),
}  # fmt: skip


@pytest.mark.parametrize("name", AMBIGUOUS)
@pytest.mark.parametrize("file", ["model.pt", "data.zip"])
def test_what_two_readers_read_differently_is_a_finding(name: str, file: str) -> None:
    report = scan(AMBIGUOUS[name], file)
    assert report.outcome() is ScanOutcome.FAIL
    assert "zip-ambiguous" in rules(report), report


def test_a_wide_offset_given_once_is_clear() -> None:
    assert scan(saturated(make_zip([entry()]), zip64((4, 4, 0))), "data.zip").outcome() is ScanOutcome.PASS


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def deflated(name: str, data: bytes, **changes: int | bytes) -> dict[str, int | bytes]:
    packed = deflate(data)
    return entry(
        name,
        packed,
        method=8,
        size=len(data),
        local_size=len(data),
        packed=len(packed),
        crc=zlib.crc32(data),
        local_crc=zlib.crc32(data),
        **changes,
    )


HIDDEN: dict[str, tuple[bytes, str]] = {
    "a pickle in a zip": (make_zip([entry("innocent.bin", LIVE)]), "x.zip"),
    "a compressed pickle in a zip": (make_zip([deflated("innocent.txt", LIVE)]), "x.zip"),
    "a zip in a zip": (make_zip([entry("a.zip", make_zip([entry("b", LIVE)]))]), "x.zip"),
    "a pickle beside torch's members": (torch_zip(HARMLESS, {}, {"archive/extra/notes.txt": LIVE}), "x.pt"),
    "a pickle in place of an unreferenced storage": (torch_zip(HARMLESS, {"0": LIVE}), "x.pt"),
    "a live data.pkl": (torch_zip(LIVE), "x.pt"),
    "a live constants.pkl": (torch_zip(HARMLESS, {}, {"archive/constants.pkl": LIVE}), "x.pt"),
    "a torch zip under another name": (torch_zip(LIVE), "readme.md"),
    "a pickle named safetensors": (LIVE, "model.safetensors"),
    "a pickle named PNG": (LIVE, "logo.png"),
    "a text pickle in a README": (b"cos\nsystem\n(S'id'\ntR.", "README.md"),
    "a text pickle without STOP": (b"cos\nsystem\n(S'id'\ntR", "README"),
    "a text pickle in JSON's place": (b"(lp0\ncos\nsystem\np1\n.", "config.json"),
}  # fmt: skip


@pytest.mark.parametrize("name", HIDDEN)
def test_a_hidden_pickle_is_found(name: str) -> None:
    data, file = HIDDEN[name]
    report = scan(data, file)
    assert report.outcome() is ScanOutcome.FAIL
    assert "pickle-dangerous-global" in rules(report)


def test_the_member_is_named() -> None:
    (finding,) = scan(make_zip([entry("a.zip", make_zip([entry("b", LIVE)]))]), "x.zip").findings
    assert finding.locations[0].member == "a.zip!b"
    assert finding.locations[0].offset == 2


def zip_tail(data: bytes) -> bytes:
    """``data`` with an archive behind it whose offsets are right, as Python's zipfile opens it."""
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("evil.pkl", LIVE)
    return buffer.getvalue()


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + struct.pack(">I", 13)
    + b"IHDR"
    + b"\0" * 17
    + struct.pack(">I", 0)
    + b"IEND"
    + b"\xaeB`\x82"
)


@pytest.mark.parametrize(
    ("front", "name"),
    [
        (safetensors({}), "m.safetensors"),
        (HARMLESS, "m.pkl"),
        (PNG, "logo.png"),
        (b"# A model card\n", "README.md"),
        (b"\0\1\2\3unknown", "m.xyz"),
    ],
)
def test_a_zip_behind_something_else_is_a_polyglot(front: bytes, name: str) -> None:
    data = zip_tail(front)
    assert zipfile.is_zipfile(io.BytesIO(data))
    report = scan(data, name)
    assert report.outcome() is ScanOutcome.FAIL
    assert "file-polyglot" in rules(report)


@pytest.mark.parametrize(("size", "offset"), [(7, 5), (0, 0), (0xFFFFFFFF, 0xFFFFFFFF)])
def test_a_zip64_behind_something_else_whose_plain_end_record_lies(size: int, offset: int) -> None:
    archive = make_zip([entry("a.pkl", LIVE)])
    at = archive.rfind(b"PK\x05\x06")
    _, _, _, _, entries, real_size, real_offset, _ = struct.unpack("<4s4H2LH", archive[at:])
    wide = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, real_size, real_offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, entries, entries, size, offset, 0)
    data = weights(archive[:at] + wide + locator + end)
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["a.pkl"]
    assert "file-polyglot" in rules(scan(data, "m.safetensors"))


def test_a_zip_behind_something_else_whose_comment_is_as_long_as_zipfile_looks() -> None:
    archive = make_zip([entry("a.pkl", LIVE)])[:-2] + b"\xff\xff" + b"c" * 65_536
    data = weights(archive)
    if not zipfile.is_zipfile(io.BytesIO(data)):
        pytest.skip("this Python looks one byte less far")
    assert "file-polyglot" in rules(scan(data, "m.safetensors"))


def weights(data: bytes) -> bytes:
    return safetensors({"a": {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}}, data)


def tar_header(front: bytes) -> bytes:
    """A header without magic, as seventh edition Unix wrote it, whose name is ``front``."""
    block = bytearray(512)
    block[: len(front)] = front
    for start, length in ((100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (329, 8), (337, 8)):
        block[start : start + length] = b"0" * (length - 1) + b"\0"
    block[148:157] = b" " * 8 + b"0"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def torch_tar() -> bytes:
    """torch's oldest format, which ``torch.load`` still tries first, without its first header."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in ("storages", "tensors", "pickle"):
            member = tarfile.TarInfo(name)
            member.size = len(LIVE)
            archive.addfile(member, io.BytesIO(LIVE))
    return body.getvalue()


def a_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@functools.cache
def tar_disguises() -> dict[str, bytes]:
    rest = torch_tar()
    signature = b"\x89PNG\r\n\x1a\n" + a_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    text_length = 512 + len(rest) - len(signature) - 8
    return {
        "model.pkl": tar_header(b"\x80\x02B" + struct.pack("<I", 505 + len(rest))) + rest + STOP,
        "logo.png": tar_header(signature + struct.pack(">I", text_length) + b"tEXt") + rest + b"\0" * 4 + a_chunk(b"IDAT", zlib.compress(b"\0" * 4)) + a_chunk(b"IEND", b""),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["model.pkl", "logo.png"])
@pytest.mark.parametrize("shown", [None, "no-extension"])
def test_a_tar_that_is_something_else_too(name: str, shown: str | None) -> None:
    data = tar_disguises()[name]
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        assert "storages" in archive.getnames()
    report = scan(data, shown or name)
    assert report.outcome() is ScanOutcome.FAIL
    assert "file-polyglot" in rules(report)


def test_a_tar_header_of_text_alone_is_not_inert() -> None:
    # Digits for NUL, and pax records where a name must be exact: a whole tar archive can be printable text.
    block = bytearray(b"0" * 512)
    block[148:156] = b" " * 8
    block[148:156] = b"%08o" % sum(block)
    with tarfile.open(fileobj=io.BytesIO(bytes(block)), mode="r:") as archive:
        assert archive.getnames()
    assert scan(bytes(block), "notes.txt").outcome() is not ScanOutcome.PASS


@pytest.mark.parametrize("place", [512, 4096])
def test_an_hdf5_file_behind_a_user_block(place: int) -> None:
    front = weights(b"\0" * 8192)
    data = front[:place] + b"\x89HDF\r\n\x1a\n" + front[place + 8 :]
    report = scan(data, "weights")
    assert report.outcome() is ScanOutcome.FAIL
    assert "file-polyglot" in rules(report)


def test_a_picture_that_is_a_pickle_too() -> None:
    # GIF: "G" reads eight bytes as a number, "IF89a..." is inside; what follows runs.
    gif = b"GIF89a" + b"\0\0\0" + call("os", "system", text("id")) + STOP
    report = scan(gif, "logo.gif")
    assert report.outcome() is ScanOutcome.FAIL
    assert {"file-polyglot", "pickle-dangerous-global"} <= rules(report)


def test_safetensors_that_is_a_pickle_too() -> None:
    # The header length's bytes are PROTO 2 and a BINFLOAT that swallows the rest and the brace.
    length = int.from_bytes(b"\x80\x02G\x00\x00\x00\x00\x00", "little")
    header = b'{"__metadata__":{"a":"' + b"b" * 20
    body = header + b'"}}'
    data = struct.pack("<Q", length) + body + b" " * (length - len(body))
    report = scan(data[:11] + call("os", "system", text("id")) + data[11:], "m.safetensors")
    assert report.outcome() is ScanOutcome.FAIL
    assert "file-polyglot" in rules(report)


ARRAY_FILE = b"\x93NUMPY\x01\x00"


def test_a_storage_that_is_a_numpy_file_too() -> None:
    data = torch_zip(proto(2) + tensor() + STOP, {"0": ARRAY_FILE.ljust(16)})
    report = scan(data, "arrays.npz")
    assert report.outcome() is ScanOutcome.FAIL
    assert rules(report) == {"file-polyglot"}


def test_a_storage_whose_name_another_loader_would_open() -> None:
    pickle = proto(2) + tensor(key="0.pkl", storage="ByteStorage", elements=len(LIVE)) + STOP
    report = scan(torch_zip(pickle, {"0.pkl": LIVE}), "m.pt")
    assert report.outcome() is ScanOutcome.FAIL
    assert "pickle-dangerous-global" in rules(report)


def test_a_compressed_storage_is_looked_at() -> None:
    members = [entry("a/data.pkl", proto(2) + tensor() + STOP), deflated("a/data/0", ARRAY_FILE.ljust(16))]
    assert scan(make_zip(members), "m.pt").outcome() is not ScanOutcome.PASS


def test_a_storage_that_is_named_with_two_types() -> None:
    # torch keeps the type that it met first, so the second tensor would reach beyond the data.
    pickle = proto(2) + tensor() + tensor(storage="ByteStorage", elements=16, size=(16,)) + STOP
    report = scan(torch_zip(pickle, {"0": b"\0" * 16}), "m.pt")
    assert report.outcome() is ScanOutcome.FAIL
    assert rules(report) == {"torch-storage-size"}


@pytest.mark.parametrize("opcode", [b"V", b"S", b"I", b"P"])
def test_safetensors_that_is_a_pickle_behind_a_long_line(opcode: bytes) -> None:
    # The low byte of the header's length opens a line that ends in the tensor's data, megabytes on.
    data = b"\0" * (3 << 20) + b"\n" + LIVE[2:]
    header = json.dumps({"a": {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}}).encode()
    header = header.ljust(len(header) + (opcode[0] - len(header)) % 256)
    report = scan(safetensors(None, data, raw=header), "m.safetensors")
    assert report.outcome() is ScanOutcome.FAIL
    assert "file-polyglot" in rules(report)


def tensors(**items: dict[str, object]) -> dict[str, object]:
    return dict(items)


def one(dtype: str = "F32", shape: tuple[int, ...] = (2,), start: int = 0, end: int = 8) -> dict[str, object]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


MALFORMED: dict[str, bytes] = {
    "bytes after the last tensor": safetensors(tensors(a=one()), b"\0" * 9),
    "a second file behind": safetensors(tensors(a=one()), b"\0" * 8 + LIVE),
    "a pickle behind an empty header": safetensors({}, LIVE),
    "cut off": safetensors(tensors(a=one()), b"\0" * 7),
    "overlapping tensors": safetensors(tensors(a=one(), b=one(start=4, end=12)), b"\0" * 12),
    "one tensor twice": safetensors(tensors(a=one(), b=one()), b"\0" * 8),
    "a hole": safetensors(tensors(a=one(), b=one(start=9, end=17)), b"\0" * 17),
    "a hole at the start": safetensors(tensors(a=one(start=1, end=9)), b"\0" * 9),
    "duplicate keys": safetensors(None, b"\0" * 8, raw=b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
    "duplicate fields": safetensors(None, b"\0" * 8, raw=b'{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
    "a size that is not the shape's": safetensors(tensors(a=one(shape=(3,))), b"\0" * 8),
    "a shape that overflows": safetensors(tensors(a=one(shape=(1 << 40, 1 << 40, 0))), b"\0" * 8),
    "offsets in the wrong order": safetensors(tensors(a=one(start=8, end=0)), b"\0" * 8),
    "negative offsets": safetensors(tensors(a=one(start=-8, end=0)), b""),
    "fractions": safetensors(None, b"\0" * 8, raw=b'{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}'),
    "an unknown dtype": safetensors(tensors(a=one("F33")), b"\0" * 8),
    "a dtype that is no text": safetensors(tensors(a={"dtype": ["F32"], "shape": [2], "data_offsets": [0, 8]}), b"\0" * 8),
    "an unknown field": safetensors(tensors(a=one() | {"x": 1}), b"\0" * 8),
    "a missing field": safetensors(tensors(a={"dtype": "F32", "shape": [2]}), b""),
    "metadata that are no texts": safetensors({"__metadata__": {"a": 1}}),
    "metadata that are no object": safetensors({"__metadata__": "x"}),
    "bytes behind the header's brace": safetensors(None, b"", raw=b"{}\0\0"),
    "NaN": safetensors(None, b"", raw=b'{"__metadata__": NaN}'),
    "deep nesting": safetensors(None, b"", raw=b'{"a":' * 70 + b"1" + b"}" * 70),
    "half a byte": safetensors(tensors(a=one("F4", (3,), 0, 2)), b"\0" * 2),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_safetensors_fail(name: str) -> None:
    report = scan(MALFORMED[name], "m.safetensors")
    assert report.outcome() is ScanOutcome.FAIL
    assert "safetensors-malformed" in rules(report)


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return buffer.getvalue()


SKIPPED: dict[str, tuple[bytes, str]] = {
    "text that promises a pickle": (b"hello", "m.pkl"),
    "text that promises torch": (b"hello", "m.bin"),
    "an empty file that promises a model": (b"", "m.pt"),
    "safetensors that are none": (b"\xff" * 20, "m.safetensors"),
    "gzip": (b"\x1f\x8b\x08", "m.txt"),
    "compressed joblib": (b"\x78\x9c" + b"\0" * 9, "m.joblib"),
    "NumPy": (b"\x93NUMPY\1\0", "a.npy"),
    "a Windows program": (b"MZ\x90\0", "x.txt"),
    "a pickle in the data of Stable-Baselines3": (b'{"policy_class": {":type:": "x", ":serialized:": "gASVAA=="}}', "data"),
    "joblib's oldest container": (b"ZF0x1a               x^text", "notes.txt"),
    "broken JSON": (b"{", "config.json"),
    "binary": (b"\0\1\2\3", "unknown"),
    "control characters": (b"hello\x1b[31m", "README.md"),
    "text in another encoding": ("h\u00e9".encode("latin-1"), "README.md"),
    "a picture with something behind it": (PNG + b"behind", "logo.png"),
    "a picture that is cut off": (PNG[:-4], "logo.png"),
    "a JPEG with something behind it": (b"\xff\xd8\xff\xda\x00\x02\1\2\xff\xd9behind", "a.jpg"),
    "a WebP with something behind it": (b"RIFF" + struct.pack("<I", 4) + b"WEBPbehind", "a.webp"),
    "an encrypted member": (make_zip([entry(flags=1)]), "x.zip"),
    "an unknown compression": (make_zip([entry(method=12)]), "x.zip"),
    "a member that does not inflate": (make_zip([entry(method=8, local_size=4)]), "x.zip"),
    "a member with another checksum": (make_zip([deflated("a", b"hello") | {"crc": 1, "local_crc": 1}]), "x.zip"),
    "a member that inflates to less": (make_zip([deflated("a", b"hello") | {"size": 6, "local_size": 6}]), "x.zip"),
    "a zip that is cut off": (make_zip([entry()])[:-10], "x.zip"),
    "a directory that is malformed": (make_zip([entry()]).replace(b"PK\x01\x02", b"PK\x01\x00"), "x.zip"),
    "ten zips in each other": (functools.reduce(lambda inner, _: make_zip([entry("z", inner)]), range(10), b"hello"), "x.zip"),
}  # fmt: skip


# What a loader would run, or two readers read differently, in documents: each is refused.
REFUSED = {
    "HDF5": (b"\x89HDF\r\n\x1a\n", "m.h5"),
    "HDF5 under another name": (b"\x89HDF\r\n\x1a\n", "README"),
    "remote code": (b'{"auto_map": {"AutoModel": "modeling.Net"}}', "config.json"),
    "trusted remote code": (b'{"a": [{"trust_remote_code": true}]}', "config.json"),
    "a Hydra target": (b'{"model": {"_target_": "os.system"}}', "config.json"),
    "a Hydra target in YAML": (b"model:\n  _target_: os.system\n", "config.yaml"),
    "a Hydra target in a flow of YAML": (b"model: {_target_: os.system, command: id}\n", "config.yaml"),
    "a Hydra target in a list of YAML": (b"models:\n  - _target_: os.system\n", "config.yaml"),
    "a Hydra target spelt with escapes": (b'model:\n  "_t\\x61rget_": os.system\n', "config.yaml"),
    "a Python object by a tag with escapes": (b"!!%70ython/object/apply:os.system ['id']\n", "config.yml"),
    "a Python object by a tag written out": (b"!<tag:yaml.org,2002:python/object/apply:os.system> ['id']\n", "config.yml"),
    "a Python object by a tag written out with escapes": (b"!<tag:yaml.org,2002:%70ython/object/apply:os.system> ['id']\n", "config"),
    "a Python object by a shorthand": (b"%TAG !p! tag:yaml.org,2002:pyth\n---\n!p!on/object/apply:os.system ['id']\n", "config.yml"),
    "a SpeechBrain object": (b"model: !new:os.system\n  command: id\n", "hyperparams.yaml"),
    "a Python object in YAML": (b"!!python/object/apply:os.system ['id']\n", "config.yml"),
    "a Keras layer": (b'{"class_name": "Lambda", "config": {}}', "config.json"),
    "skops": (b'{"__class__": "f", "__loader__": "FunctionNode"}', "schema.json"),
    "JSON that is none": (b'{"a": 1, "a": 2}', "config.json"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_document_that_makes_its_loader_act_is_refused(name: str) -> None:
    data, file = REFUSED[name]
    assert scan(data, file).outcome() is ScanOutcome.FAIL


@pytest.mark.parametrize("name", SKIPPED)
def test_what_is_not_understood_is_no_answer(name: str) -> None:
    data, file = SKIPPED[name]
    report = scan(data, file)
    assert report.outcome() is ScanOutcome.INCOMPLETE, report
    assert report.inert == ()
    assert report.skipped[0].reason


def test_a_bomb_is_not_inflated() -> None:
    for changes in ({"size": 1 << 40, "local_size": 0xFFFFFFFF}, {"size": 1 << 30, "local_size": 1 << 30}):
        size = min(changes["size"], 0xFFFFFFFE)
        data = make_zip([deflated("bomb", b"\0" * 1000) | {"size": size, "local_size": size}])
        report = scan(data, "x.zip")
        assert "scan-resource" in rules(report)
        assert report.outcome() is ScanOutcome.INCOMPLETE


def test_a_member_that_says_less_than_it_inflates_to() -> None:
    report = scan(make_zip([deflated("bomb", b"\0" * 100_000) | {"size": 10, "local_size": 10}]), "x.zip")
    assert "scan-resource" in rules(report)


def test_storages_that_are_missing_short_or_long() -> None:
    pickle = proto(2) + tensor(elements=4) + STOP
    for storages in ({}, {"0": b"\0" * 15}, {"0": b"\0" * 17}):
        report = scan(torch_zip(pickle, storages), "m.pt")
        assert "torch-storage-size" in rules(report)
    assert scan(torch_zip(pickle, {"0": b"\0" * 16}), "m.pt").outcome() is ScanOutcome.PASS


def test_a_legacy_file_whose_storages_do_not_fit() -> None:
    from pathlib import Path

    legacy = (Path(__file__).parents[1] / "vectors" / "models" / "state-dict-legacy.pt").read_bytes()
    assert scan(legacy, "m.pt").outcome() is ScanOutcome.PASS
    assert scan(legacy[:-1], "m.pt").outcome() is ScanOutcome.FAIL
    assert scan(legacy + LIVE, "m.pt").outcome() is not ScanOutcome.PASS


def test_members_of_what_real_tools_write_pass() -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.writestr("folder/", b"")
            archive.writestr("folder/notes.txt", b"hello " * 100)
            archive.writestr("ünïcode.txt", b"hello")
            with archive.open("big.txt", "w", force_zip64=True) as member:
                member.write(b"zip64")
            archive.comment = b"a comment"
        assert scan(buffer.getvalue(), "x.zip").outcome() is ScanOutcome.PASS


class _Pipe(io.RawIOBase):
    """A sink that cannot seek, for which zipfile writes data descriptors."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.data += bytes(data)  # type: ignore[call-overload]
        return len(bytes(data))  # type: ignore[call-overload]


def test_streamed_archives_pass() -> None:
    sink = _Pipe()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        archive.writestr("a.txt", b"hello")
        archive.writestr("b.txt", b"hello")
    assert b"PK\x07\x08" in sink.data
    assert scan(sink.data, "x.zip").outcome() is ScanOutcome.PASS
