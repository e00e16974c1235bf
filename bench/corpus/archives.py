"""Archives within archives, members that land elsewhere, native code."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.asm import make_zip, zip_entry

from bench.corpus.gadgets import INNER
from bench.corpus.loaded import npy, tarred, zipped
from bench.corpus.sample import MARKER, Sample, single

if TYPE_CHECKING:
    from collections.abc import Iterator


def sevenzip(members: dict[str, bytes], filters: object = None) -> bytes:
    """What py7zr writes."""
    import py7zr

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.7z"
        with py7zr.SevenZipFile(path, "w", filters=filters) as archive:
            for name, data in members.items():
                archive.writestr(data, name)
        return path.read_bytes()


def _nested() -> Iterator[Sample]:
    import py7zr

    inner = {"model.pkl": INNER}
    for name, data in {
        "zip.zip": zipped(inner),
        "deflated.zip": zipped(inner, zipfile.ZIP_DEFLATED),
        "bzip2.zip": zipped(inner, zipfile.ZIP_BZIP2),
        "lzma.zip": zipped(inner, zipfile.ZIP_LZMA),
        "tar.tar": tarred(inner),
        "tar.tar.gz": gzip.compress(tarred(inner)),
        "tar.tar.bz2": bz2.compress(tarred(inner)),
        "tar.tar.xz": lzma.compress(tarred(inner)),
        "zip-in-zip.zip": zipped({"a.zip": zipped(inner)}),
        "zip-in-tar-in-gz.tgz": gzip.compress(tarred({"a.zip": zipped(inner)})),
        "gz-in-gz.gz": gzip.compress(gzip.compress(INNER)),
        "xz-in-bz2-in-gz.gz": gzip.compress(bz2.compress(lzma.compress(INNER))),
        "zlib.bin": zlib.compress(INNER),
        "no-name": gzip.compress(tarred({"x": INNER})),
        "picture.zip": zipped({"picture.png": INNER, "README.md": b"hello"}),
        "seven.7z": sevenzip(inner),
        "seven-bzip2.7z": sevenzip(inner, [{"id": py7zr.FILTER_BZIP2}]),
        "seven-lzma.7z": sevenzip(inner, [{"id": py7zr.FILTER_LZMA}]),
        "seven-copy.7z": sevenzip(inner, [{"id": py7zr.FILTER_COPY}]),
        "seven-delta.7z": sevenzip(inner, [{"id": py7zr.FILTER_DELTA}, {"id": py7zr.FILTER_LZMA2, "preset": 3}]),
        "seven-deflate.7z": sevenzip(inner, [{"id": py7zr.FILTER_DEFLATE}]),
        "zip-tar-gz-7z.7z": sevenzip({"a.tgz": gzip.compress(tarred({"b.zip": zipped(inner)}))}),
        "renamed-7z.pkl": sevenzip(inner),
    }.items():
        yield single("nested", name, data, "unpack")
    numpy_array = npy(INNER)
    yield single("nested", "array-in-tar.tar", tarred({"a.npy": numpy_array}), "", "unpacked, then numpy.load")


def _elsewhere() -> Iterator[Sample]:
    evil = tarred({f"../../{MARKER}": b"x"})
    yield single("archive-path", "dots.tar", evil, "untar")
    yield single("archive-path", "dots.tar.gz", gzip.compress(evil), "untar")
    yield single("archive-path", "dots.nemo", evil, "untar", "a NeMo model is a tar archive")
    yield single("archive-path", "absolute.tar", tarred({"/tmp/../tmp/corpus-absolute": b"x"}), "")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        link = tarfile.TarInfo("out")
        link.type, link.linkname = tarfile.SYMTYPE, "../.."
        archive.addfile(link)
        info = tarfile.TarInfo(f"out/{MARKER}")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    yield single("archive-path", "symlink.tar", buffer.getvalue(), "untar")
    yield single("archive-path", "symlink.nemo", gzip.compress(buffer.getvalue()), "untar")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("harmless.txt")
        info.size, info.pax_headers = 1, {"path": f"../../{MARKER}"}
        archive.addfile(info, io.BytesIO(b"x"))
    yield single("archive-path", "pax-path.tar", buffer.getvalue(), "untar")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo("./" * 60 + f"../../{MARKER}")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    yield single("archive-path", "gnu-long-name.tar", buffer.getvalue(), "untar")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        link = tarfile.TarInfo("secret-copy")
        link.type, link.linkname = tarfile.LNKTYPE, "../../secret.txt"
        archive.addfile(link)
    yield single("archive-path", "hard-link.tar", buffer.getvalue(), "", "a hard link to a file outside")
    yield single(
        "archive-path",
        "dots.zip",
        make_zip([zip_entry(b"../../" + MARKER.encode(), b"x")]),
        "",
        "zipfile strips the dots; other readers do not",
    )
    yield single(
        "archive-path",
        "link.zip",
        make_zip([zip_entry(b"weights", b"/etc/passwd", external=0o120777 << 16, system=3)]),
        "",
    )
    yield single("archive-path", "dots.7z", _seven_dots(), "", "py7zr refuses; 7-Zip before 25.00 did not")
    yield single("archive-path", "device.tar", tarred({"weights": b""}, weights=tarfile.CHRTYPE), "")


def _seven_dots() -> bytes:
    """A 7z archive whose member climbs: the header is stored unpacked, so a name can be exchanged."""
    import py7zr

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.7z"
        with py7zr.SevenZipFile(path, "w", filters=[{"id": py7zr.FILTER_COPY}]) as archive:
            archive.set_encoded_header_mode(False)
            archive.writestr(b"x", "aabbb/x")
        data = bytearray(path.read_bytes())
    at = data.index("aabbb/x".encode("utf-16-le"))
    data[at : at + 14] = "../../x".encode("utf-16-le")
    offset, size = struct.unpack_from("<QQ", data, 12)
    header = bytes(data[32 + offset : 32 + offset + size])
    struct.pack_into("<I", data, 28, zlib.crc32(header))
    struct.pack_into("<I", data, 8, zlib.crc32(bytes(data[12:32])))
    return bytes(data)


def _native() -> Iterator[Sample]:
    elf = (
        b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    )
    elf += struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 200, 200, 4096) + bytes(80)
    yield single("native", "library.so", elf, "", "the linker runs its initialisers")
    yield single("native", "weights.bin", elf, "")
    yield single("native", "plugin.zip", zipped({"op.so": elf}), "")
    pe = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<HH", 0x8664, 0) + bytes(100)
    yield single("native", "library.dll", pe, "")
    macho = struct.pack("<IIIIIIII", 0xFEEDFACF, 0x01000007, 3, 6, 0, 0, 0, 0)
    yield single("native", "library.dylib", macho, "")
    llamafile = (
        b"MZqFpD='\n"
        + b"\n" * 40
        + b"#'\"\n"
        + b'o=$(command -v "$0")\n'
        + bytes(200)
        + zipped({"model.gguf": b"GGUF" + bytes(100)})
    )
    yield single("native", "model.llamafile", llamafile, "", "a program and a model in one")
    yield single("native", "wasm.wasm", b"\0asm\x01\0\0\0", "")


def samples() -> list[Sample]:
    """All of them."""
    return [*_nested(), *_elsewhere(), *_native()]
