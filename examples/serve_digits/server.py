"""A small model server: one ONNX model over HTTP. It knows nothing of Assaymark but where its model lies.

Usage: python server.py [--model FOLDER] [--host 127.0.0.1] [--port 8080]      (default model: $ASSAYMARK_MODEL)

    GET  /healthz   {"status": "ok", "model": "sha256:...", "environment": "serving"}
    POST /predict   {"pixels": [64 numbers from 0 to 16]}  ->  {"label": 4, "scores": {"0": 0.001, ...}}

``label`` is null when no class is likely enough. The line that says where it listens goes to stdout.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
import threading
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

PIXELS = 64
PIXEL_MAX = 16
MAX_BODY_BYTES = 64 * 1024
SOCKET_SECONDS = 10.0


class Model:
    """The network and its settings, read once."""

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(folder / "digits.onnx"), options, providers=["CPUExecutionProvider"]
        )
        config = json.loads((folder / "config.json").read_text())
        self._labels = [int(label) for label in config["labels"]]
        self._least = float(config["reject_below_probability"])

    def predict(self, pixels: list[float]) -> dict[str, Any]:
        """The most likely digit with all scores; no digit when none is likely enough."""
        (scores,) = self._session.run(None, {"pixels": np.array([pixels], dtype=np.float32)})[0]
        best = int(np.argmax(scores))
        return {
            "label": self._labels[best] if scores[best] >= self._least else None,
            "scores": {str(label): round(float(score), 6) for label, score in zip(self._labels, scores, strict=True)},
        }


def read_pixels(body: bytes) -> list[float]:
    """The pixels of a request.

    Raises:
        ValueError: it is not what /predict takes; the message says why.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    pixels = document.get("pixels") if isinstance(document, dict) else None
    if not isinstance(pixels, list) or len(pixels) != PIXELS:
        raise ValueError(f"pixels is a list of {PIXELS} numbers")
    for pixel in pixels:
        if isinstance(pixel, bool) or not isinstance(pixel, (int, float)):
            raise ValueError("a pixel is a number")
        if not (math.isfinite(pixel) and 0 <= pixel <= PIXEL_MAX):
            raise ValueError(f"a pixel is from 0 to {PIXEL_MAX}")
    return pixels


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    timeout = SOCKET_SECONDS

    def __init__(self, model: Model, *args: Any) -> None:
        self._model = model
        super().__init__(*args)

    def do_GET(self) -> None:
        """Answer /healthz."""
        if self.path != "/healthz":
            self._answer(HTTPStatus.NOT_FOUND, {"error": "there are /healthz and /predict"})
            return
        names = {"model": "ASSAYMARK_MODEL_DIGEST", "environment": "ASSAYMARK_ENVIRONMENT"}
        known = {key: os.environ.get(name) for key, name in names.items()}
        self._answer(HTTPStatus.OK, {"status": "ok", **known})

    def do_POST(self) -> None:
        """Answer /predict."""
        length = self.headers.get("Content-Length", "")
        if self.path != "/predict":
            self._answer(HTTPStatus.NOT_FOUND, {"error": "there are /healthz and /predict"})
        elif not (length.isascii() and length.isdecimal()) or int(length) > MAX_BODY_BYTES:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": f"give up to {MAX_BODY_BYTES} bytes"})
        else:
            try:
                pixels = read_pixels(self.rfile.read(int(length)))
            except ValueError as error:
                self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)}, read=True)
            else:
                self._answer(HTTPStatus.OK, self._model.predict(pixels), read=True)

    def _answer(self, status: HTTPStatus, document: dict[str, Any], *, read: bool = False) -> None:
        body = json.dumps(document).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.command == "POST" and not read:  # the body was left unread, so the connection cannot go on
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Say nothing: requests may hold personal data."""


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description="Serve the digits model.")
    parser.add_argument("--model", type=Path, default=os.environ.get("ASSAYMARK_MODEL"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    args = parser.parse_args()
    if args.model is None:
        parser.error("name a model with --model, or start this under `assaymark run`")
    model = Model(Path(args.model))
    with ThreadingHTTPServer((args.host, args.port), partial(Handler, model)) as server:
        server.daemon_threads = True

        def stop(_number: int, _frame: object) -> None:
            threading.Thread(target=server.shutdown).start()  # it waits for serve_forever, which this interrupts

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        print(f"listening on http://{args.host}:{server.server_port}", flush=True)
        server.serve_forever(poll_interval=0.1)
    sys.exit(0)


if __name__ == "__main__":
    main()
