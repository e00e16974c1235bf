"""Whatever container a pickle hides in, it is found; ordinary containers pass."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from pathlib import Path

import joblib
import numpy as np
import pytest
from backports import zstd
from tests.support.asm import STOP, call, make_zip, proto, text, zip_entry
from tests.support.examples_containers import link, tar

from assaymark.core.report import Report, ScanOutcome
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine

ARCHIVES = Path(__file__).parents[2] / "vectors" / "archives"
LIVE = proto(2) + call("builtins", "exec", text("print()")) + STOP
HARMLESS = proto(2) + b"}" + text("epoch") + b"K\x03s" + STOP


def scan(data: bytes, name: str = "model.pkl") -> Report:
    return examine(BytesView(data), name)


def saved(array: np.ndarray, **more: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **more)
    return buffer.getvalue()


WRAPPERS = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zlib": zlib.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zstd": zstd.compress,
    "tar": lambda data: tar(("data.pkl", data)),
    "tar.gz": lambda data: gzip.compress(tar(("a/b.pkl", data)), mtime=0),
    "zip in zip in tar": lambda data: tar(
        ("m.zip", make_zip([zip_entry(b"n.zip", make_zip([zip_entry(b"o", data)]))]))
    ),
    "joblib's oldest form": lambda data: b"ZF0x" + b"1a".ljust(17) + zlib.compress(data),
    "an array of objects": lambda data: saved(np.array([None], dtype=object)).split(b"\n")[0] + b"\n" + data,
}


@pytest.mark.parametrize("name", ["model.pkl", "model", "weights.bin", "notes.txt", "model.tgz"])
@pytest.mark.parametrize("kind", WRAPPERS)
def test_a_pickle_in_a_container(kind: str, name: str) -> None:
    assert scan(WRAPPERS[kind](LIVE), name).outcome() is ScanOutcome.FAIL


@pytest.mark.parametrize("kind", WRAPPERS)
def test_a_harmless_pickle_in_a_container(kind: str) -> None:
    report = scan(WRAPPERS[kind](HARMLESS), "model")
    assert report.outcome() is ScanOutcome.PASS, report


@pytest.mark.parametrize("compress", [("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)])
def test_compressed_files_of_joblib(compress: tuple[str, int]) -> None:
    buffer = io.BytesIO()
    joblib.dump({"weights": np.arange(1000.0), "names": ["a", "b"]}, buffer, compress=compress)
    report = scan(buffer.getvalue(), "model.joblib")
    assert report.outcome() is ScanOutcome.PASS, report


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype="f4").reshape(2, 3),
        np.array(["a", "bc"]),
        np.array([b"a"]),
        np.zeros(2, dtype=[("x", "f8"), ("y", "i4", (2,))]),
        np.zeros(2, dtype=np.dtype({"names": ["a", "b"], "formats": ["u1", "f8"]}, align=True)),
        np.array(["2026-01-01"], dtype="M8[D]"),
        np.array([True]),
        np.array(1.5),
        np.zeros((0, 5)),
        np.array([1, "a", None], dtype=object),
    ],
    ids=lambda array: str(array.dtype),
)
def test_arrays_of_numpy_pass(array: np.ndarray) -> None:
    report = scan(saved(array), "a.npy")
    assert report.outcome() is ScanOutcome.PASS, report
    several = scan(saved(np.arange(3)) + saved(array), "a.npy")
    assert several.outcome() is ScanOutcome.PASS, several


def test_an_array_that_is_not_clean() -> None:
    data = saved(np.arange(3))
    assert scan(data + b"behind", "a.npy").outcome() is ScanOutcome.FAIL
    assert scan(data[:-1], "a.npy").outcome() is ScanOutcome.INCOMPLETE
    for old, new in [(b"(3,)", b"(-3)"), (b"<i8", b"<q9"), (b"descr", b"dezcr"), (b"False", b"fails"), (b"{", b"(")]:
        assert scan(data.replace(old, new), "a.npy").outcome() is ScanOutcome.INCOMPLETE
    assert scan(data[:6] + b"\x09" + data[7:], "a.npy").outcome() is ScanOutcome.INCOMPLETE
    assert scan(data[:8] + b"\xff\xff" + data[10:], "a.npy").outcome() is ScanOutcome.INCOMPLETE


def rules(report: Report) -> set[str]:
    return {finding.rule for finding in report.findings}


@pytest.mark.parametrize(
    "member",
    [
        ("/etc/start.sh", b""),
        ("../up.txt", b""),
        ("a/../../up.txt", b""),
        ("C:\\windows\\x.txt", b""),
        link("a", "/etc/passwd"),
        link("a", "../up"),
        link("a/b", "x/../../../up"),
    ],
)
def test_members_that_reach_out_of_their_folder(member: tuple[str, bytes] | tarfile.TarInfo) -> None:
    report = scan(tar(member), "x.tar")
    assert report.outcome() is ScanOutcome.FAIL
    assert "archive-unsafe-path" in rules(report)


def test_links_and_folders_within_an_archive_are_ordinary() -> None:
    data = tar(("a/weights.txt", b"text"), link("a/latest.txt", "weights.txt"), link("a/b/c", "../weights.txt"))
    assert scan(data, "x.tar").outcome() is ScanOutcome.PASS
    device = tarfile.TarInfo("null")
    device.type = tarfile.CHRTYPE
    assert "archive-unsafe-path" in rules(scan(tar(device), "x.tar"))


@pytest.mark.parametrize("name", ["lzma2", "copy", "x86"])
def test_a_7z_archive_passes_and_its_pickles_are_judged(name: str) -> None:
    data = (ARCHIVES / f"{name}.7z").read_bytes()
    report = scan(data, "x.7z")
    assert report.outcome() is ScanOutcome.PASS, report
    assert {"pickle", "7z"} <= {item.format for item in report.examined}
    assert "trailing-data" in rules(scan(data + b"x", "x.7z"))


def test_an_encrypted_archive_is_no_answer() -> None:
    report = scan((ARCHIVES / "encrypted.7z").read_bytes(), "x.7z")
    assert report.outcome() is ScanOutcome.INCOMPLETE
    assert "encryption" in report.skipped[0].reason


def test_a_bomb_is_a_finding_and_no_answer() -> None:
    for data in (bz2.compress(bytes(100 << 20)), gzip.compress(gzip.compress(bytes(80 << 20), mtime=0), mtime=0)):
        report = scan(data, "x.gz")
        assert report.outcome() is ScanOutcome.INCOMPLETE
        assert rules(report) == {"scan-resource"}
    cut = scan(gzip.compress(b"text", mtime=0)[:-3], "x.gz")
    assert cut.outcome() is ScanOutcome.INCOMPLETE


PE = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0"


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02" + bytes(20),
        PE,
        b"\xcf\xfa\xed\xfe" + bytes(20),
        b"\xca\xfe\xba\xbe\0\0\0\x41",
        b"MZqFpD='\n" + bytes(99),
    ],
)
@pytest.mark.parametrize("name", ["libop.so", "model", "model.bin", "README.md"])
def test_programs_are_refused_whatever_their_name(data: bytes, name: str) -> None:
    report = scan(data, name)
    assert report.outcome() is ScanOutcome.FAIL
    assert "native-code" in rules(report)


def test_two_letters_do_not_make_a_program() -> None:
    assert scan(b"MZ is how a word list may begin\n", "words.txt").outcome() is ScanOutcome.PASS


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize(("data", "outcome"), [(LIVE, ScanOutcome.FAIL), (HARMLESS * 50, ScanOutcome.PASS)])
def test_members_of_zip_archives_by_every_method_of_pythons_zipfile(
    method: int, data: bytes, outcome: ScanOutcome
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("m.pkl", data)
    report = scan(buffer.getvalue(), "m.zip")
    assert report.outcome() is outcome, report
