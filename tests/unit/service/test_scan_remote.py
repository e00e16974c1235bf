"""Files behind HTTP, in a hub and in S3 are scanned by reading ranges of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest
from tests.support.asm import STOP, call, proto, safetensors, tensor, text, torch_zip
from tests.support.cli import cli

from assaymark.core.limits import REMOTE_BLOCK_BYTES
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine

LIVE = torch_zip(proto(2) + call("builtins", "exec", text("print()")) + STOP)
LARGE = torch_zip(proto(2) + tensor(size=(5_000_000,), elements=5_000_000) + STOP, {"0": bytes(20_000_000)})
TENSORS = safetensors({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"\0" * 8)


class Files(BaseHTTPRequestHandler):
    """Serves ``server.files``; ``server.ways`` say how it misbehaves; ``server.sent`` counts bytes."""

    def log_message(self, *_: object) -> None: ...

    def do_HEAD(self) -> None:
        self._serve(body=False)

    def do_GET(self) -> None:
        self._serve(body=True)

    def _serve(self, *, body: bool) -> None:
        server = self.server
        path = unquote(urlsplit(self.path).path)
        server.seen.append((path, dict(self.headers)))
        if path in server.redirects:
            self.send_response(302)
            self.send_header("Location", server.redirects[path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = server.files.get(path)
        if path == "/bucket" and "list-type=2" in self.path:
            data = server.files["/listing"]
        if data is None:
            self.send_error(404)
            return
        wanted = self.headers.get("Range")
        tag = '"2"' if "changes" in server.ways and len(server.seen) > 1 else '"1"'
        if self.headers.get("If-Match") not in (None, tag):
            self.send_error(412)
            return
        status, first, last = 200, 0, len(data) - 1
        if wanted and "no ranges" not in server.ways:
            first, last = (int(n) for n in wanted.removeprefix("bytes=").split("-"))
            last = min(last, len(data) - 1)
            status = 206
        part = data[first : last + 1]
        if "short" in server.ways and len(server.seen) > 1:
            part = part[:-1]
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("ETag", tag)
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if body:
            server.sent += len(part)
            self.wfile.write(part)


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as made:
        made.files, made.redirects, made.seen, made.ways, made.sent = {}, {}, [], set(), 0
        made.url = f"http://127.0.0.1:{made.server_port}"
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def scan(*words: object):
    return cli("scan", *words, "--format", "json")


def test_a_large_model_is_scanned_by_reading_a_little(server: ThreadingHTTPServer) -> None:
    server.files["/m/large.pt"] = LARGE
    ran = scan(f"{server.url}/m/large.pt")
    assert ran.code == 0, ran
    (report,) = ran.json["reports"]
    assert report["unsigned"] is True
    assert {item["path"] for item in report["examined"]} == {"large.pt"}
    assert server.sent < 20 * REMOTE_BLOCK_BYTES
    assert "no digest names" in cli("scan", f"{server.url}/m/large.pt").out


def test_the_findings_are_those_of_the_whole_file(server: ThreadingHTTPServer) -> None:
    server.files["/live.pt"] = LIVE
    ran = scan(f"{server.url}/live.pt")
    assert ran.code == 1
    (report,) = ran.json["reports"]
    whole = examine(BytesView(LIVE), "live.pt")
    assert [item["message"] for item in report["findings"]] == [item.message for item in whole.findings]
    assert report["unconfined"] == []


def test_redirects_are_followed_and_a_token_stays_at_home(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_TOKEN", "secret")
    elsewhere = f"http://localhost:{server.server_port}"
    server.files["/api/models/acme/net/revision/main"] = (
        b'{"sha": "c0ffee", "siblings": [{"rfilename": "model.safetensors"}, {"rfilename": "sub/live.pt"}]}'
    )
    server.files["/cdn/1"], server.files["/cdn/2"] = TENSORS, LIVE
    server.redirects["/acme/net/resolve/c0ffee/model.safetensors"] = f"{elsewhere}/cdn/1"
    server.redirects["/acme/net/resolve/c0ffee/sub/live.pt"] = "/cdn/2"
    ran = scan("hf://acme/net")
    assert ran.code == 1
    (report,) = ran.json["reports"]
    assert {item["path"] for item in report["examined"]} == {"model.safetensors", "sub/live.pt"}
    for path, headers in server.seen:
        assert headers.get("Authorization") == (None if path == "/cdn/1" else "Bearer secret"), path
    assert scan("hf://acme/net/model.safetensors").code == 0
    assert scan("hf://acme/net@main/sub").code == 1
    assert scan("hf://acme/net/none").code == 2
    assert scan("hf://acme").code == 2
    assert scan("hf://acme/other").code == 3


@pytest.mark.parametrize(("way", "code"), [("no ranges", 3), ("changes", 3), ("short", 3)])
def test_a_server_that_does_not_do_as_it_should_gives_no_answer(
    server: ThreadingHTTPServer, way: str, code: int
) -> None:
    server.files["/m.pt"] = LARGE
    server.ways.add(way)
    ran = scan(f"{server.url}/m.pt")
    assert ran.code == code
    if way != "no ranges":
        assert any("not all of it could be read" in item["reason"] for item in ran.json["reports"][0]["skipped"])


def test_addresses_that_are_none(server: ThreadingHTTPServer) -> None:
    assert scan("http://example.com/m.pt").code == 2
    assert scan(f"{server.url}/none.pt").code == 3
    server.redirects["/loop"] = "/loop"
    assert scan(f"{server.url}/loop").code == 3
    assert scan("http://127.0.0.1:9/m.pt").code == 3


def test_what_would_have_to_be_fetched_has_a_limit(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assaymark.sandbox.remote.REMOTE_MAX_BYTES", REMOTE_BLOCK_BYTES)
    server.files["/m.pt"] = LARGE
    ran = scan(f"{server.url}/m.pt")
    assert ran.code == 3
    assert "would have to be fetched" in ran.json["reports"][0]["skipped"][-1]["reason"]


@pytest.mark.parametrize("listing", [b"[]", b"{", b'{"siblings": 1, "sha": "x"}'])
def test_a_list_that_is_malformed(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch, listing: bytes
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    server.files["/api/models/acme/net/revision/main"] = listing
    assert scan("hf://acme/net").json["error"]["code"] == "remote-list"


LISTING = b"""<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<Name>bucket</Name><Prefix>m/</Prefix><KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>
<Contents><Key>m/live.pt</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"1"</ETag><Size>%d</Size></Contents>
</ListBucketResult>"""


def test_objects_in_s3(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("obstore")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    server.files |= {"/bucket/m/large.pt": LARGE, "/bucket/m/live.pt": LIVE, "/listing": LISTING % len(LIVE)}
    ran = scan("s3://bucket/m/large.pt")
    assert ran.code == 0, ran
    assert server.sent < 20 * REMOTE_BLOCK_BYTES
    folder = scan("s3://bucket/m/")
    assert folder.code == 1, folder
    assert folder.json["reports"][0]["findings"][0]["locations"][0]["path"] == "live.pt"
    assert scan("s3://bucket/none.pt").code == 3
    assert scan("s3:///none.pt").code == 2
