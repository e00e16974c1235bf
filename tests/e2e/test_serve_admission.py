"""The admission webhook as a process: TLS, limits, a team's log behind it, and a containment that bites."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.cli import Team, cli, make_model, make_team
from tests.support.launched import command, environment, eventually, spooled
from tests.support.webhook import OTHER, UID, Webhook, make_certificates, pod, review, serving

pytest.importorskip("uvicorn", reason="the extra serve is not installed")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals of a POSIX server")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Team, str]:
    """A workspace with an admitted model, made once; and the model's digest."""
    folder = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        team = make_team(folder)
        model = make_model(folder)
        team.admit(model)
        digest = cli("digest", model, "--format", "json").json["subject"]
    return team, digest


def words(team: Team, *more: object) -> tuple[object, ...]:
    return ("--for", "production", "--workspace", team.workspace, *more)


def test_a_permitted_model_is_let_in_and_others_are_told_what_is_missing(
    made: tuple[Team, str], tmp_path: Path
) -> None:
    team, digest = made
    spool = tmp_path / "spool"
    with serving(
        tmp_path, *words(team, "--spool", spool, "--point", "cluster-1", "--namespace", "lab=dev")
    ) as webhook:
        good = webhook.ask(review(pod({"assaymark.dev/model": digest})))
        assert good["allowed"] is True, good
        assert good["auditAnnotations"]["outcome"] == "PERMIT"
        bad = webhook.ask(review(pod({"assaymark.dev/model": f"{digest}, {OTHER}"})))
        assert bad["allowed"] is False
        assert bad["status"]["code"] == 403
        assert OTHER in bad["status"]["message"]
        assert digest not in bad["status"]["message"], "only what is refused is named"
        assert "assaymark submit" in bad["status"]["message"], bad
        lab = webhook.ask(review(pod({"assaymark.dev/model": digest}), namespace="lab"))
        assert lab["auditAnnotations"]["environment"] == "dev"
        assert webhook.ask(review(pod()))["allowed"] is True
        webhook.ask(review(pod({"assaymark.dev/model": digest}), dryRun=True, namespace="lab"))
        code, _ = webhook.end()
    assert code == 0
    records = spooled(spool)
    assert {(r["action"], r["outcome"], r["environment"]) for r in records} >= {
        ("start", "PERMIT", "production"), ("refuse", "DENY", "production"),
    }  # fmt: skip
    assert all(r["point"] == {"kind": "admission", "name": "cluster-1"} for r in records)
    assert sum(int(str(r["count"])) for r in records if r["environment"] == "dev") == 1, "a dry run is no attempt"


def test_a_containment_bites_within_the_refresh(made: tuple[Team, str], tmp_path: Path) -> None:
    shutil.copytree(made[0].workspace, tmp_path / "workspace")
    team = Team(made[0].folder, tmp_path / "workspace", made[0].root)
    model = make_model(tmp_path)
    question = review(pod({"assaymark.dev/model": made[1]}))
    with serving(tmp_path, *words(team)) as webhook:
        assert webhook.ask(question)["allowed"] is True
        assert team.run("contain", model, "--for", "production", "--reason", "reads 4 as 9").code == 0
        contained = time.monotonic()
        eventually(lambda: not webhook.ask(question)["allowed"], 5)
        assert time.monotonic() - contained < 2.5
        answer = webhook.ask(question)
        assert "reads 4 as 9" in answer["status"]["message"]
        # Who pulls it back must be able to: an update that starts nothing is let through.
        scaled = {"spec": {"replicas": 3, "template": pod({"assaymark.dev/model": made[1]})}}
        update = review({"spec": {**scaled["spec"], "replicas": 0}}, operation="UPDATE", oldObject=scaled)
        assert webhook.ask(update)["allowed"] is True


def test_a_log_that_cannot_be_read_lets_nothing_in(made: tuple[Team, str], tmp_path: Path) -> None:
    shutil.copytree(made[0].workspace, tmp_path / "workspace")
    team = Team(made[0].folder, tmp_path / "workspace", made[0].root)
    question = review(pod({"assaymark.dev/model": made[1]}))
    with serving(tmp_path, *words(team)) as webhook:
        assert webhook.ask(question)["allowed"] is True
        for file in (team.workspace / "log").glob("log.sqlite*"):
            file.write_bytes(b"no log" * 1000)
        eventually(lambda: webhook.get("/readyz") == 503, 10)
        answer = webhook.ask(question)
        assert answer["allowed"] is False
        assert "INDETERMINATE" in answer["status"]["message"]
        assert webhook.get("/healthz") == 200
        code, err = webhook.end()
    assert code == 0
    assert "no model is let in" in err


@pytest.fixture(scope="module")
def webhook(made: tuple[Team, str], tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = tmp_path_factory.mktemp("webhook")
    with serving(folder, *words(made[0], "--spool", folder / "spool"), XDG_STATE_HOME=str(folder / "state")) as found:
        yield found


@contextmanager
def secured(webhook: Webhook, context: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection(("127.0.0.1", webhook.port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        yield secure


def test_tls_below_1_3_is_refused(webhook: Webhook) -> None:
    old = webhook.context(maximum_version=ssl.TLSVersion.TLSv1_2)
    with pytest.raises((ssl.SSLError, ConnectionError)), secured(webhook, old):
        pass
    with secured(webhook, webhook.context()) as secure:
        assert secure.version() == "TLSv1.3"
    with socket.create_connection(("127.0.0.1", webhook.port)) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        plain.settimeout(5)
        assert b"200" not in plain.recv(100), "no answer without TLS"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b"\xff", {}, 400),
        (b'{"apiVersion":"admission.k8s.io/v1","apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}', {}, 400),
        (b"[" * 100, {}, 400),
        (json.dumps(review(pod())).encode().replace(b"k8s.io/v1", b"k8s.io/v1beta1"), {}, 400),
        (json.dumps(review(pod())).encode(), {"Content-Type": "text/plain"}, 415),
        (b" " * (7 * 1024 * 1024 + 1), {}, 413),
    ],
    ids=["empty", "cut", "list", "latin", "twice", "deep", "beta", "type", "huge"],
)  # fmt: skip
def test_what_is_no_review_is_an_error_and_never_a_yes(
    webhook: Webhook, body: bytes, headers: dict[str, str], status: int
) -> None:
    try:
        code, answer = webhook.post(body, **headers)
    except (ssl.SSLError, ConnectionError):
        assert status == 413  # closed before all was sent
        return
    assert code == status, answer
    assert "response" not in answer


def test_other_paths_and_methods_answer_nothing(webhook: Webhook) -> None:
    assert webhook.get("/validate") == 405
    assert webhook.get("/") == 404
    assert webhook.post(b"{}", path="/healthz")[0] == 404


def test_a_body_in_pieces_and_a_large_one_are_read(made: tuple[Team, str], webhook: Webhook) -> None:
    big = review(pod({"assaymark.dev/model": made[1], "note": "x" * 2_000_000}))
    assert webhook.ask(big)["allowed"] is True
    connection = webhook.connect()
    connection.request(
        "POST",
        "/validate",
        iter([json.dumps(big).encode()[:70], json.dumps(big).encode()[70:]]),
        {"Content-Type": "application/json"},
        encode_chunked=True,
    )
    assert json.loads(connection.getresponse().read())["response"]["allowed"] is True
    connection.close()


def test_slow_clients_are_let_go(webhook: Webhook) -> None:
    def ends_after(start: bytes) -> tuple[float, bytes]:
        with secured(webhook, webhook.context()) as secure:
            secure.sendall(start)
            secure.settimeout(20)
            began, got = time.monotonic(), b""
            try:
                while part := secure.recv(4096):
                    got += part
            except (ConnectionError, ssl.SSLError):
                pass
            return time.monotonic() - began, got

    starts = [
        b"POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        b"POST /validate HT",
        b"",
        b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 40_000,
    ]
    with ThreadPoolExecutor(4) as pool:
        (body, said), (head, _), (nothing, _), (long, _) = pool.map(ends_after, starts)
    assert b"408" in said
    assert body < 5
    assert head < 10
    assert nothing < 10
    assert long < 4, "a head without end is not waited for"


def test_many_at_once_are_answered_alike(made: tuple[Team, str], webhook: Webhook) -> None:
    _, digest = made

    def ask(i: int) -> bool:
        named = digest if i % 2 else "sha256:" + f"{i % 8:064x}"
        uid = f"{UID}-{i}"
        return bool(webhook.ask(review(pod({"assaymark.dev/model": named}), uid=uid))["allowed"])

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(80))) == [bool(i % 2) for i in range(80)]


def test_a_client_certificate_is_demanded_for_reviews_and_not_for_probes(
    made: tuple[Team, str], tmp_path: Path
) -> None:
    question = json.dumps(review(pod({"assaymark.dev/model": made[1]}))).encode()
    stranger = make_certificates(tmp_path / "stranger")
    tls = make_certificates(tmp_path / "tls")
    with serving(tmp_path, *words(made[0], "--client-ca", tls / "ca.crt")) as webhook:
        assert webhook.get("/readyz") == 200
        assert webhook.post(question)[0] == 403
        status, answer = webhook.post(question, client=True)
        assert (status, answer["response"]["allowed"]) == (200, True)
        for name in ("client.crt", "client.key"):
            shutil.copy(stranger / name, tls / name)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            webhook.post(question, client=True)


def test_a_renewed_certificate_is_served_without_a_restart(made: tuple[Team, str], tmp_path: Path) -> None:
    with serving(tmp_path, *words(made[0])) as webhook:
        before = ssl.get_server_certificate(("127.0.0.1", webhook.port))
        kept = webhook.connect()
        kept.request("GET", "/healthz")
        kept.getresponse().read()
        new = make_certificates(tmp_path / "new")
        shutil.copy(new / "tls.crt", tmp_path / "tls" / "tls.crt")  # the key is not there yet
        time.sleep(1.3)
        assert ssl.get_server_certificate(("127.0.0.1", webhook.port)) == before
        shutil.copy(new / "tls.key", tmp_path / "tls" / "tls.key")
        shutil.copy(new / "ca.crt", tmp_path / "tls" / "ca.crt")
        eventually(lambda: ssl.get_server_certificate(("127.0.0.1", webhook.port)) != before, 10)
        assert webhook.get("/healthz") == 200
        kept.request("GET", "/healthz")
        assert kept.getresponse().status == 200, "a connection that is open goes on"
        kept.close()
        code, err = webhook.end()
    assert code == 0
    assert "the certificate was renewed" in err


def test_an_environment_that_the_policy_lacks_is_said_at_the_start(made: tuple[Team, str], tmp_path: Path) -> None:
    team, digest = made
    with serving(tmp_path, *words(team, "--namespace", "lab=devel", "--spool", tmp_path / "spool")) as webhook:
        asked = webhook.ask(review(pod({"assaymark.dev/model": digest}), namespace="lab"))
        assert asked["allowed"] is False
        _, err = webhook.end()
    assert "no environment 'devel'" in err
    assert "dev, production" in err
    assert "no environment 'production'" not in err


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("--listen", "8443"), "listen-form"),
        (("--listen", "127.0.0.1:99999"), "listen-form"),
        (("--namespace", "lab"), "namespace-form"),
        (("--namespace", "a=dev", "--namespace", "a=dev"), "namespace-form"),
        (("--for", "Production"), "name-form"),
        (("--point", "Über"), "name-form"),
        (("--tls-cert", "missing.crt"), "tls-files"),
        (("--client-ca", "missing.crt"), "tls-files"),
        (("--refresh", "0s"), "duration-form"),
        (("--root", "sha256:" + "0" * 64), "root-pin"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_served_is_said_first(
    made: tuple[Team, str], tmp_path: Path, change: tuple[str, ...], code: str
) -> None:
    tls = make_certificates(tmp_path / "tls")
    files = ("--tls-cert", tls / "tls.crt", "--tls-key", tls / "tls.key")
    done = cli("serve", "admission", *words(made[0]), *files, "--listen", "127.0.0.1:0", *change)
    assert done.code in (1, 2, 3)
    assert f"[{code}]" in done.err


def test_without_the_extra_it_says_what_to_install(made: tuple[Team, str], tmp_path: Path) -> None:
    import subprocess

    tls = make_certificates(tmp_path / "tls")
    (tmp_path / "lack" / "uvicorn").mkdir(parents=True)
    (tmp_path / "lack" / "uvicorn" / "__init__.py").write_text("raise ImportError\n")
    whole = environment()
    whole["PYTHONPATH"] = f"{tmp_path / 'lack'}:{whole['PYTHONPATH']}"
    files = ("--tls-cert", tls / "tls.crt", "--tls-key", tls / "tls.key", "--listen", "127.0.0.1:0")
    done = subprocess.run(
        command("serve", "admission", *words(made[0]), *files),
        env=whole, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 2
    assert "pip install 'assaymark[serve]'" in done.stderr
