"""Reports of slow scans are kept by content, name and scanner, and never believed when they are malformed."""

from __future__ import annotations

from pathlib import Path

import pytest

from assaymark.core.report import Confidence, Examined, Finding, Location, Report, Severity
from assaymark.store.scan_cache import ScanCache, cache_folder, scanner_identity

REPORT = Report(
    (Finding("zip-ambiguous", Severity.HIGH, Confidence.HIGH, "two names", (Location("sub/m.zip", 3),)),),
    (Examined("sub/m.zip", "zip"),),
    (),
    (),
    ("files",),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "m.zip"
    path.write_bytes(b"content")
    return path


def cache(tmp_path: Path, scanner: str = "1", allow: tuple[str, ...] = ()) -> ScanCache:
    return ScanCache(tmp_path / "cache", lambda: scanner, allow)


def test_a_report_comes_back_under_the_path_that_is_asked_for(tmp_path: Path, file: Path) -> None:
    cache(tmp_path).keep("sub/m.zip", file, 7, REPORT, 1.0)
    found = cache(tmp_path).find("other/m.zip", file, 7)
    assert found is not None
    assert found.findings[0].locations[0].path == "other/m.zip"
    assert found.examined == (Examined("other/m.zip", "zip"),)
    assert found.confinement == ("files",)


def test_another_content_name_scanner_or_permission_is_another_report(tmp_path: Path, file: Path) -> None:
    cache(tmp_path).keep("m.zip", file, 7, REPORT, 1.0)
    assert cache(tmp_path).find("n.zip", file, 7) is None
    assert cache(tmp_path, "2").find("m.zip", file, 7) is None
    assert cache(tmp_path, allow=("a.B",)).find("m.zip", file, 7) is None
    file.write_bytes(b"CONTENT")
    assert cache(tmp_path).find("m.zip", file, 7) is None
    assert cache(tmp_path).find("m.zip", file, 8) is None
    assert cache(tmp_path).find("m.zip", tmp_path / "none", 7) is None


def test_what_is_quick_to_make_is_not_kept(tmp_path: Path, file: Path) -> None:
    cache(tmp_path).keep("m.zip", file, 7, REPORT, 0.1)
    cache(tmp_path).keep("m.zip", file, 10**10, REPORT, 5.0)  # hashing takes longer
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", b'{"outcome": "pass"}'])
def test_a_malformed_entry_is_no_report(tmp_path: Path, file: Path, text: bytes) -> None:
    cache(tmp_path).keep("m.zip", file, 7, REPORT, 1.0)
    (entry,) = (tmp_path / "cache").iterdir()
    entry.write_bytes(text)
    assert cache(tmp_path).find("m.zip", file, 7) is None


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path, file: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder would be")
    cache(tmp_path).keep("m.zip", file, 7, REPORT, 1.0)
    assert cache(tmp_path).find("m.zip", file, 7) is None


def test_the_folder_and_the_scanner_have_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "assaymark" / "scans"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder().name == "scans"
    assert len(scanner_identity()) == 64
