"""Manifests and statements in any but their one form are refused, with the place."""

from __future__ import annotations

import json

import pytest

from assaymark.core.canonical import canonical_json
from assaymark.core.errors import InputError
from assaymark.core.statement import Signature, make_envelope, parse_envelope, parse_statement
from assaymark.core.subject import FileEntry, compare_manifests, make_manifest, parse_manifest

DIGEST = "0" * 64
ENTRY = {"path": "a", "sha256": DIGEST, "size": 1}


def manifest(**changes: object) -> bytes:
    return canonical_json({"files": [ENTRY], "format": "assaymark:manifest/v1", "kind": "folder", **changes})


def test_the_form_is_read_back() -> None:
    assert parse_manifest(manifest()).to_bytes() == manifest()
    assert parse_manifest(manifest(configurations=[ENTRY])).size == 2


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (manifest(format="assaymark:manifest/v2"), "manifest-form"),
        (manifest(more=1), "manifest-form"),
        (manifest(kind="disk"), "manifest-form"),
        (manifest(files="a"), "manifest-form"),
        (manifest(files=[]), "manifest-empty"),
        (manifest(files=[{"path": "a"}]), "manifest-form"),
        (manifest(files=[{**ENTRY, "path": 1}]), "manifest-path"),
        (manifest(files=[{**ENTRY, "sha256": "x"}]), "manifest-form"),
        (manifest(files=[{**ENTRY, "size": -1}]), "manifest-size"),
        (manifest(files=[{**ENTRY, "size": True}]), "manifest-size"),
        (manifest(files=[{**ENTRY, "path": "../a"}]), "manifest-path"),
        (manifest(files=[{**ENTRY, "path": "/a"}]), "manifest-path"),
        (manifest(files=[{**ENTRY, "path": "a//b"}]), "manifest-path"),
        (manifest(files=[{**ENTRY, "path": "a\0b"}]), "manifest-path"),
        (manifest(files=[{**ENTRY, "path": "b"}, ENTRY]), "manifest-order"),
        (manifest(files=[ENTRY, ENTRY]), "manifest-order"),
        (manifest(kind="file", files=[ENTRY, {**ENTRY, "path": "b"}]), "manifest-form"),
        (manifest() + b"\n", "manifest-canonical"),
        (json.dumps(json.loads(manifest())).encode(), "manifest-canonical"),
    ],
)
def test_every_other_form_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_manifest(data)
    assert refused.value.code == code


def test_a_name_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        make_manifest("folder", [FileEntry("caf\udce9", 1, "sha256:" + DIGEST)])
    assert refused.value.code == "manifest-path"


def test_a_file_that_became_a_folder_is_a_difference() -> None:
    entry = FileEntry("a", 1, "sha256:" + DIGEST)
    differences = compare_manifests(make_manifest("file", [entry]), make_manifest("folder", [entry]))
    assert [(item.path, item.what) for item in differences] == [(".", "is a folder, was a file")]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"payload": "", "payloadType": "t"}, "envelope-form"),
        ({"payload": "", "payloadType": "", "signatures": [{"sig": ""}]}, "envelope-form"),
        ({"payload": "", "payloadType": "é", "signatures": [{"sig": ""}]}, "envelope-form"),
        ({"payload": "", "payloadType": "t", "signatures": []}, "envelope-signatures"),
        ({"payload": "", "payloadType": "t", "signatures": [{"sig": ""}] * 65}, "envelope-signatures"),
        ({"payload": "", "payloadType": "t", "signatures": [1]}, "envelope-form"),
        ({"payload": "", "payloadType": "t", "signatures": [{"sig": "", "keyid": 1}]}, "envelope-form"),
        ({"payload": "+_==", "payloadType": "t", "signatures": [{"sig": ""}]}, "envelope-base64"),
        ({"payload": "a", "payloadType": "t", "signatures": [{"sig": ""}]}, "envelope-base64"),
    ],
)
def test_malformed_envelopes(document: dict, code: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_envelope(json.dumps(document).encode())
    assert refused.value.code == code


def test_both_alphabets_of_dsse_are_read() -> None:
    document = {"payload": "-_-_", "payloadType": "t", "signatures": [{"sig": "+/+/"}]}
    envelope = parse_envelope(json.dumps(document).encode())
    assert envelope.payload == envelope.signatures[0].value


def test_signatures_have_one_order() -> None:
    one, two = Signature("b", b"1"), Signature("a", b"2")
    assert make_envelope("t", b"p", (one, two)).data == make_envelope("t", b"p", (two, one)).data


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "statement-type"),
        ({"predicateType": "no uri"}, "statement-predicate"),
        ({"predicateType": 1}, "statement-predicate"),
        ({"predicate": []}, "statement-predicate"),
        ({"subject": []}, "statement-subject"),
        ({"subject": [{"digest": {"sha1": "0"}}]}, "statement-subject"),
        ({"subject": [{"digest": {"sha256": "0"}}]}, "statement-subject"),
        ({"subject": [{"digest": {"sha256": DIGEST}, "name": 1}]}, "statement-subject"),
        ({"subject": [{"digest": {"sha256": DIGEST}, "annotations": 1}]}, "statement-subject"),
        ({"predicate": {"x": 1.5}}, "json-float"),
        ({"predicate": {"é": 1}}, "json-key"),
        ({"predicate": {"x": 2**53}}, "json-integer"),
    ],
)
def test_malformed_statements(changes: dict, code: str) -> None:
    good = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "assaymark:scan/v1",
        "predicate": {},
        "subject": [{"name": "a", "digest": {"sha256": DIGEST}}],
    }
    assert parse_statement(json.dumps(good).encode()).subjects[0].kind == "model"
    with pytest.raises(InputError) as refused:
        parse_statement(json.dumps({**good, **changes}).encode())
    assert refused.value.code == code
