"""Charts that are packed: their texts, and what is refused of hostile archives."""

from __future__ import annotations

import gzip

import pytest
from tests.support.packed import archive

from assaymark.core import limits
from assaymark.core.errors import InputError
from assaymark.formats.helm import packed
from assaymark.formats.helm.packed import is_packed, unpacked


def test_texts_come_by_path_and_packed_charts_within_are_unpacked() -> None:
    inner = archive({"sub/Chart.yaml": b"name: sub\n"})
    found = unpacked(archive({"db/Chart.yaml": b"name: db\n", "db/charts/sub-1.tgz": inner, "db/x.bin": b"\xff\xfe"}))
    assert found == {"db/Chart.yaml": "name: db\n", "db/charts/sub/Chart.yaml": "name: sub\n"}


def test_what_leads_out_is_left_out() -> None:
    files = {"../x": b"a", "/etc/y": b"b", "db/../../z": b"c", "top": b"d", "db/./ok": b"e"}
    assert unpacked(archive(files, {"db/link": "/etc/passwd"})) == {"db/ok": "e"}


def test_hostile_archives_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError):
        unpacked(gzip.compress(bytes(limits.HELM_MAX_PACKED_BYTES + 1024)))
    with pytest.raises(InputError):
        unpacked(b"no archive")
    monkeypatch.setattr(packed, "HELM_MAX_PACKED_FILES", 3)
    with pytest.raises(InputError, match="more than 3 files"):
        unpacked(archive({f"a/{number}": b"" for number in range(4)}))
    data = archive({"a/Chart.yaml": b""})
    for _ in range(limits.HELM_MAX_DEPTH + 1):
        data = archive({"a/charts/a-1.tgz": data})
    with pytest.raises(InputError, match="too deep"):
        unpacked(data)


def test_only_archives_in_charts_are_packed_charts() -> None:
    assert is_packed("web/charts/db-1.0.tgz")
    assert not is_packed("web/files/db-1.0.tgz")
