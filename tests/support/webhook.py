"""``assaymark serve admission`` as a process of its own, its certificates, and the reviews that it is asked."""

from __future__ import annotations

import datetime as dt
import http.client
import ipaddress
import json
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.support.launched import LONG_SECONDS, command, environment, eventually

UID = "705ab4f5-6393-11e8-b7cc-42010a800002"
DIGEST = "sha256:" + "0123456789abcdef" * 4
OTHER = "sha256:" + "fedcba9876543210" * 4


def make_certificates(folder: Path, name: str = "localhost") -> Path:
    """An authority ``ca.crt`` and below it ``tls.crt``/``tls.key`` of a server and ``client.crt``/``client.key``."""
    folder.mkdir(exist_ok=True)
    now = dt.datetime.now(dt.UTC)

    def issue(subject: str, issuer: x509.Name | None, signer: ec.EllipticCurvePrivateKey | None, *, ca: bool) -> Any:
        key = ec.generate_private_key(ec.SECP256R1())
        who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        names = [x509.DNSName(subject), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        authority = (signer or key).public_key()
        made = (
            x509.CertificateBuilder()
            .subject_name(who)
            .issuer_name(issuer or who)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), critical=False)
            .sign(signer or key, hashes.SHA256())
        )
        return key, made

    ca_key, ca = issue(f"{name} authority", None, None, ca=True)
    (folder / "ca.crt").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    for file, subject in (("tls", name), ("client", "api-server")):
        key, certificate = issue(subject, ca.subject, ca_key, ca=False)
        (folder / f"{file}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / f"{file}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    return folder


def pod(annotations: dict[str, str] | None = None, **container: Any) -> dict[str, Any]:
    """A pod with one container."""
    metadata: dict[str, Any] = {"name": "digits", "namespace": "models"}
    if annotations is not None:
        metadata["annotations"] = annotations
    image = "registry.example/server@sha256:" + "ab" * 32
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [{"name": "server", "image": image, **container}]},
    }


def review(
    item: dict[str, Any] | None,
    *,
    operation: str = "CREATE",
    resource: str = "pods",
    group: str = "",
    version: str = "v1",
    kind: str = "Pod",
    **more: Any,
) -> dict[str, Any]:
    """An AdmissionReview in the form of the Kubernetes documentation."""
    request: dict[str, Any] = {
        "uid": UID,
        "kind": {"group": group, "version": version, "kind": kind},
        "resource": {"group": group, "version": version, "resource": resource},
        "requestKind": {"group": group, "version": version, "kind": kind},
        "requestResource": {"group": group, "version": version, "resource": resource},
        "name": "digits",
        "namespace": "models",
        "operation": operation,
        "userInfo": {"username": "ada", "uid": "014fbff9a07c", "groups": ["system:authenticated"]},
        "object": item,
        "oldObject": None,
        "dryRun": False,
        "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
        **more,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


@dataclass
class Webhook:
    """A webhook that runs."""

    process: subprocess.Popen[str]
    port: int
    tls: Path

    def context(self, *, client: bool = False, **limits: ssl.TLSVersion) -> ssl.SSLContext:
        """A client's side of TLS, with a certificate of its own when asked for."""
        context = ssl.create_default_context(cafile=str(self.tls / "ca.crt"))
        if client:
            context.load_cert_chain(self.tls / "client.crt", self.tls / "client.key")
        for name, value in limits.items():
            setattr(context, name, value)
        return context

    def connect(self, *, client: bool = False) -> http.client.HTTPSConnection:
        """A connection."""
        return http.client.HTTPSConnection(
            "localhost", self.port, context=self.context(client=client), timeout=LONG_SECONDS
        )

    def get(self, path: str) -> int:
        """The status of a page."""
        connection = self.connect()
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status

    def post(
        self, body: bytes, *, client: bool = False, path: str = "/validate?timeout=5s", **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """Status and answer."""
        connection = self.connect(client=client)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        assert b"Traceback" not in data
        return answer.status, json.loads(data)

    def ask(self, document: dict[str, Any]) -> dict[str, Any]:
        """The response to a review."""
        status, answer = self.post(json.dumps(document).encode())
        assert status == 200, answer
        assert answer["response"]["uid"] == document["request"]["uid"]
        assert (answer["apiVersion"], answer["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
        found = answer["response"]
        assert isinstance(found, dict)
        return found

    def end(self) -> tuple[int, str]:
        """Ask it to end; exit code and stderr."""
        self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=LONG_SECONDS)
        assert "Traceback" not in err, err
        return self.process.returncode, err


@contextmanager
def serving(folder: Path, *words: object, ready: bool = True, **more: str) -> Iterator[Webhook]:
    """Serve on a free port with certificates below ``folder``."""
    tls = folder / "tls"
    if not tls.exists():
        make_certificates(tls)
    files = ("--tls-cert", tls / "tls.crt", "--tls-key", tls / "tls.key")
    process = subprocess.Popen(
        command("serve", "admission", "--listen", "127.0.0.1:0", *files, "--format", "json", *words),
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            line = process.stdout.readline()
            assert line, process.communicate()
            text += line
            if line == "}\n":
                break
        webhook = Webhook(process, int(json.loads(text)["url"].rpartition(":")[2]), tls)
        if ready:
            eventually(lambda: webhook.get("/readyz") == 200)
        yield webhook
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
