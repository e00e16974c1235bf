"""`assaymark run`: a program lives as long as the decision on its model, and not a process of it longer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.cli import Team, cli, make_model, make_team
from tests.support.launched import SHORT_POLICY, alive, eventually, launched, ran, spooled

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc who is alive")

# A program that leaves a daemon: another session, its parent gone, deaf to SIGTERM.
DAEMON = "(setsid sh -c 'trap \"\" TERM HUP; echo $$ > daemon; while :; do sleep 1; done' &) ; sleep 60"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """An admitted model in one workspace, and one in another whose decisions last four seconds: made once, copied."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        team = make_team(folder)
        model = make_model(folder)
        team.admit(model)
        policy = folder / "brief.toml"
        policy.write_text(SHORT_POLICY)
        made = cli("init", "--workspace", folder / "brief", "--policy", policy, "--format", "json")
        brief = Team(folder, folder / "brief", made.json["root"])
        assert brief.run("submit", model, "--to", "brief").code == 0
    return folder, team.root, brief.root


@pytest.fixture
def admitted(made: tuple[Path, str, str], tmp_path: Path, model: Path) -> Team:
    folder, root, _ = made
    shutil.copytree(folder / "workspace", tmp_path / "workspace")
    shutil.copy(folder / "model.dossier", tmp_path)
    return Team(tmp_path, tmp_path / "workspace", root)


@pytest.fixture
def brief(made: tuple[Path, str, str], tmp_path: Path, model: Path) -> Team:
    folder, _, root = made
    shutil.copytree(folder / "brief", tmp_path / "brief")
    return Team(tmp_path, tmp_path / "brief", root)


def base(team: Team, model: Path, environment: str = "production") -> tuple[object, ...]:
    return model, "--for", environment, "--workspace", team.workspace


def offline(team: Team, model: Path, dossier: Path, environment: str = "production") -> tuple[object, ...]:
    return model, "--for", environment, "--dossier", dossier, "--root", team.root


def test_the_program_gets_a_private_copy_its_words_and_both_ends_of_its_pipe(admitted: Team, model: Path) -> None:
    script = (
        "import os, pathlib, sys; place = pathlib.Path(os.environ['ASSAYMARK_MODEL']);"
        "assert sys.argv[1:] == [f'--at={place}', '', '--'], sys.argv;"
        "print(sys.stdin.read(), os.environ['ASSAYMARK_ENVIRONMENT'], os.environ['ASSAYMARK_MODEL_DIGEST']);"
        "print(os.environ['ASSAYMARK_VALID_UNTIL'], oct(place.stat().st_mode), place);"
        "print(*sorted((f.name, oct(f.stat().st_mode)) for f in place.iterdir()));"
        "sys.exit(7)"
    )
    program = (sys.executable, "-c", script, "--at={model}", "", "--")
    done = ran(*base(admitted, model), "--", *program, input_text="to the program")
    assert done.returncode == 7, done
    digest = cli("digest", model, "--format", "json").json["subject"]
    said, place, files = done.stdout.splitlines()
    assert said == f"to the program production {digest}"
    assert "0o40500" in place
    assert "('.notes', '0o100400')" in files
    assert done.stderr == "", "nothing is to be said of a program that ran"
    assert not Path(place.split()[-1]).exists(), "the copy is gone"


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 41", 41), ("kill -TERM $$", 143), ("kill -9 $$", 137)]
)
def test_the_exit_code_is_the_programs(admitted: Team, model: Path, script: str, code: int) -> None:
    assert ran(*base(admitted, model), "--", "sh", "-c", script).returncode == code


def test_a_refused_model_starts_nothing_and_says_what_is_missing(team: Team, model: Path, tmp_path: Path) -> None:
    team.run("submit", model, "--to", "production")
    answer = tmp_path / "answer.json"
    done = ran(*base(team, model), "--output", f"json={answer}", "--", "touch", tmp_path / "started")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "DENY" in done.stderr
    assert f"assaymark attest approval {model} --for production" in done.stderr
    assert not (tmp_path / "started").exists()
    document = json.loads(answer.read_text())
    assert (document["action"], document["exit_code"], document["verdict"]["outcome"]) == ("refused", 1, "DENY")
    (record,) = spooled(tmp_path / "state" / "assaymark" / "spool")
    assert (record["action"], record["outcome"], record["requirements"]) == ("refuse", "DENY", ["approvals"])


def test_a_key_that_cannot_be_used_is_not_called_missing(admitted: Team, model: Path) -> None:
    admitted.workspace.joinpath("keys", "service.key").chmod(0o644)
    done = ran(*base(admitted, model), "--", "true")
    assert done.returncode == 0
    assert "attempts are not recorded, for the workspace's key cannot be used" in done.stderr
    assert "chmod 600" in done.stderr


def test_it_works_without_workspace_network_or_memory(admitted: Team, model: Path, tmp_path: Path) -> None:
    shutil.rmtree(admitted.workspace)
    wrap = ["unshare", "--net"] if subprocess.run(["unshare", "--net", "true"], check=False).returncode == 0 else []
    words = ["run", *offline(admitted, model, tmp_path / "model.dossier"), "--", "cat", "{model}/README.md"]
    done = subprocess.run(
        [*wrap, sys.executable, "-m", "assaymark", *map(str, words)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2] / "src"), "HOME": str(tmp_path / "home")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, (model / "README.md").read_text()), done
    assert "attempts are not recorded" in done.stderr


def test_a_byte_that_changes_in_the_copy_stops_the_program(admitted: Team, model: Path, tmp_path: Path) -> None:
    answer = tmp_path / "answer.json"
    with launched(tmp_path / "run", *base(admitted, model), "--output", f"json={answer}") as run:
        program = run.pid("pid")
        weights = Path(run.text("model")) / "model.safetensors"
        times = weights.stat()
        weights.chmod(0o600)
        data = bytearray(weights.read_bytes())
        data[-1] ^= 1
        weights.write_bytes(data)
        os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))
        weights.chmod(0o400)
        began = time.monotonic()
        code, _, err = run.end()
        assert time.monotonic() - began < 20  # the bench measures; here a busy machine must not fail
    assert code == 1
    assert "copy-changed" in err
    assert "model.safetensors" in err
    assert not alive(program)
    document = json.loads(answer.read_text())
    assert document["action"] == "stopped"
    assert document["reasons"][0]["requirement"] == "copy-changed"
    started, stopped = spooled(tmp_path / "state" / "assaymark" / "spool")
    assert (started["action"], started["outcome"]) == ("start", "PERMIT")
    assert (stopped["action"], stopped["outcome"], stopped["requirements"]) == ("stop", "DENY", ["copy-changed"])


def test_a_file_added_to_the_copy_stops_the_program(admitted: Team, model: Path, tmp_path: Path) -> None:
    with launched(tmp_path / "run", *base(admitted, model)) as run:
        place = Path(run.text("model"))
        place.chmod(0o700)
        (place / "sitecustomize.py").write_text("print('loaded')")
        code, _, err = run.end()
    assert code == 1
    assert "copy-changed" in err


def test_a_source_that_changes_stops_the_program_and_one_written_anew_does_not(
    admitted: Team, model: Path, tmp_path: Path
) -> None:
    with launched(tmp_path / "run", *base(admitted, model)) as run:
        program = run.pid("pid")
        (model / "config.json").write_bytes((model / "config.json").read_bytes())
        os.utime(model / "model.safetensors")
        time.sleep(1.2)
        assert alive(program)
        (model / "config.json").write_text('{"threshold": 6, "labels": ["a", "b"]}\n')
        code, _, err = run.end()
    assert code == 1
    assert "source-changed" in err
    assert "config.json" in err


def test_a_source_is_ignored_when_that_is_asked_for(admitted: Team, model: Path, tmp_path: Path) -> None:
    with launched(tmp_path / "run", *base(admitted, model), "--ignore-source", program="sleep 2; exit 9") as run:
        run.pid("pid")
        shutil.rmtree(model)
        assert run.end()[0] == 9


def test_a_contained_model_stops(admitted: Team, model: Path, tmp_path: Path) -> None:
    with launched(tmp_path / "run", *base(admitted, model), program=DAEMON) as run:
        program, daemon = run.pid("pid"), run.pid("daemon")
        assert admitted.run("contain", model, "--for", "production", "--reason", "drift").code == 0
        began = time.monotonic()
        code, _, err = run.end()
        assert time.monotonic() - began < 20  # the bench measures; here a busy machine must not fail
    assert code == 1
    assert "containment" in err
    assert "drift" in err
    assert not alive(program)
    assert not alive(daemon), "deaf to SIGTERM, in a session of its own, and dead all the same"


def test_a_decision_that_ends_unrenewed_stops_the_program(brief: Team, model: Path, tmp_path: Path) -> None:
    dossier = tmp_path / "brief.dossier"
    assert brief.run("decide", model, "--for", "brief", "--dossier", dossier).code == 0
    with launched(tmp_path / "run", *offline(brief, model, dossier, "brief")) as run:
        program = run.pid("pid")
        began = time.monotonic()
        code, _, err = run.end()
        assert time.monotonic() - began < 6, "four of validity, and two to stop"
    assert code == 3
    assert "validity" in err
    assert "was not renewed" in err
    assert not alive(program)


def test_a_dossier_put_in_its_place_renews_the_decision(brief: Team, model: Path, tmp_path: Path) -> None:
    dossier, answer = tmp_path / "brief.dossier", tmp_path / "answer.json"
    assert brief.run("decide", model, "--for", "brief", "--dossier", dossier).code == 0
    with launched(
        tmp_path / "run",
        *offline(brief, model, dossier, "brief"),
        "--output",
        f"json={answer}",
        program="sleep 6; exit 5",
    ) as run:
        run.pid("pid")
        for _ in range(4):
            time.sleep(1.5)
            assert brief.run("decide", model, "--for", "brief", "--dossier", dossier).code == 0
        assert run.end()[0] == 5
    assert json.loads(answer.read_text())["renewals"] >= 2


def test_a_log_renews_the_decision_and_one_that_is_away_lasts_as_long_as_the_last(
    brief: Team, model: Path, tmp_path: Path
) -> None:
    with launched(tmp_path / "run", *base(brief, model, "brief")) as run:
        program = run.pid("pid")
        time.sleep(5)
        assert alive(program), "renewed from the log, long before the interval is over"
        brief.workspace.rename(tmp_path / "away")
        time.sleep(0.6)
        assert alive(program), "no answer is no no"
        code, _, err = run.end()
    assert code == 3
    assert "no answer, so the last decision stands" in err


def test_a_log_that_is_set_back_stops_the_program(admitted: Team, model: Path, tmp_path: Path) -> None:
    shutil.copytree(admitted.workspace, tmp_path / "earlier")
    other = make_model(tmp_path, "other", seed=3)
    admitted.run("submit", other, "--to", "dev")
    with launched(tmp_path / "run", *base(admitted, model), "--interval", "1s") as run:
        run.pid("pid")
        admitted.workspace.rename(tmp_path / "later")
        (tmp_path / "earlier").rename(admitted.workspace)
        code, _, err = run.end()
    assert code == 1
    assert "log-rollback" in err


def test_nothing_outlives_a_killed_launcher(admitted: Team, model: Path, tmp_path: Path) -> None:
    with launched(tmp_path / "run", *base(admitted, model), program=DAEMON) as run:
        program, daemon = run.pid("pid"), run.pid("daemon")
        copy = Path(run.text("model"))
        run.process.kill()
        eventually(lambda: not alive(program) and not alive(daemon), 5)
        eventually(lambda: not copy.exists(), 5)


def test_nothing_outlives_a_killed_guard(admitted: Team, model: Path, tmp_path: Path) -> None:
    with launched(tmp_path / "run", *base(admitted, model), program=DAEMON) as run:
        program, daemon = run.pid("pid"), run.pid("daemon")
        guard = int(Path(f"/proc/{program}/stat").read_text().rpartition(")")[2].split()[1])
        assert guard != run.process.pid
        os.kill(guard, signal.SIGKILL)
        code, _, err = run.end(10)
    assert code == 3
    assert "run-guard" in err
    assert not alive(program)
    assert not alive(daemon)


def test_a_launcher_that_is_kept_from_running_keeps_no_ended_decision_alive(
    brief: Team, model: Path, tmp_path: Path
) -> None:
    dossier = tmp_path / "brief.dossier"
    assert brief.run("decide", model, "--for", "brief", "--dossier", dossier).code == 0
    with launched(tmp_path / "run", *offline(brief, model, dossier, "brief")) as run:
        program = run.pid("pid")
        run.process.send_signal(signal.SIGSTOP)
        eventually(lambda: not alive(program), 5)
        run.process.send_signal(signal.SIGCONT)
        assert run.end()[0] == 3


def test_what_a_program_leaves_in_the_background_ends_with_it(admitted: Team, model: Path, tmp_path: Path) -> None:
    program = DAEMON.replace("sleep 60", "while [ ! -e daemon ]; do sleep 0.05; done; exit 4")
    with launched(tmp_path / "run", *base(admitted, model), program=program) as run:
        daemon = run.pid("daemon")
        assert run.end()[0] == 4
        assert not alive(daemon)


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "USR1", "USR2"])
def test_signals_reach_the_program(admitted: Team, model: Path, tmp_path: Path, name: str) -> None:
    script = f"trap 'echo got > got; exit 12' {name}; touch ready; while :; do sleep 0.05; done"
    with launched(tmp_path / "run", *base(admitted, model), program=script) as run:
        run.pid("pid")
        eventually((tmp_path / "run" / "ready").exists)
        run.process.send_signal(getattr(signal, f"SIG{name}"))
        assert run.end()[0] == 12
    assert (tmp_path / "run" / "got").exists()


def test_children_of_whoever_became_the_launcher_are_left_alone(admitted: Team, model: Path, tmp_path: Path) -> None:
    words = " ".join(map(str, base(admitted, model)))
    script = f"sleep 30 & echo $! > before; exec {sys.executable} -m assaymark run {words} -- true"
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, stdout=subprocess.DEVNULL, timeout=20, check=False,
                          env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")})  # fmt: skip
    assert done.returncode == 0
    before = int((tmp_path / "before").read_text())
    assert alive(before)
    os.kill(before, signal.SIGKILL)


def test_what_was_attempted_is_logged_once(admitted: Team, model: Path, tmp_path: Path) -> None:
    assert ran(*base(admitted, model), "--", "true").returncode == 0
    assert ran(*base(admitted, model, "elsewhere"), "--", "true").returncode == 1
    first, second = admitted.ask("log", "collect"), admitted.ask("log", "collect")
    assert (first.code, first.json["attempts"], first.json["new"]) == (0, 3, 3), first
    assert second.json["attempts"] == 0
    shown = admitted.run("log", "show").out
    assert "start in production by run" in shown
    assert "refuse in elsewhere by run" in shown
    assert "DENY (environment)" in shown
    assert admitted.run("log", "check").code == 0
    assert admitted.run("verify", model, "--for", "production").code == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--", "no-such-program-anywhere"], "command-missing"),
        ([], "run-usage"),
        (["--interval", "soon", "--", "true"], "duration-form"),
        (["--point", "Not A Name", "--", "true"], "name-form"),
        (["--into", "/nonexistent/folder"], "into-missing"),
        (["--", "/dev/null"], "command-missing"),
    ],
)
def test_what_cannot_be_done_is_said(admitted: Team, model: Path, words: list[str], code: str) -> None:
    done = ran(*base(admitted, model), *words)
    assert done.returncode == 2, "what was typed is wrong: that is no answer about the model"
    assert code in done.stderr


def test_a_program_that_the_system_does_not_start(admitted: Team, model: Path, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF but not really")
    program.chmod(0o755)
    done = ran(*base(admitted, model), "--", program)
    assert done.returncode == 2
    assert "command-failed" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_a_full_disk_starts_nothing_and_leaves_nothing(admitted: Team, model: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=False).returncode != 0:
        pytest.skip("no mounting here")
    try:
        (model / "large.bin").write_bytes(b"x" * 200_000)
        done = ran(*base(admitted, model), "--", "touch", tmp_path / "started", TMPDIR=str(disk))
        assert done.returncode == 3
        assert "disk-full" in done.stderr
        assert list(disk.iterdir()) == []
        assert not (tmp_path / "started").exists()
        (model / "large.bin").unlink()
        done = ran(
            *base(admitted, model), "--spool", disk / "spool", "--", "true", XDG_STATE_HOME=str(disk / "state")
        )
        assert done.returncode == 0, "where attempts cannot be written the program still runs or stops as decided"
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_clock_that_is_set_back_stops_the_program(admitted: Team, model: Path, tmp_path: Path) -> None:
    clock = (
        "import os, sys, time; real = time.time;"
        "time.time = lambda: real() - (3600 if os.path.exists('set-back') else 0);"
        "from assaymark.ui.cli.main import main; sys.exit(main())"
    )
    words = ["run", *map(str, base(admitted, model)), "--", "sh", "-c", "echo $$ > pid; sleep 60"]
    process = subprocess.Popen([sys.executable, "-c", clock, *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")})  # fmt: skip
    eventually((tmp_path / "pid").exists)
    (tmp_path / "set-back").touch()
    _, err = process.communicate(timeout=10)
    assert process.returncode == 3
    assert "clock" in err
    assert "went back by 3600 s" in err


def test_an_init_container_places_a_copy_and_a_refused_one_leaves_the_last(
    admitted: Team, model: Path, tmp_path: Path
) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    done = ran(*base(admitted, model), "--into", volume, "--format", "json")
    assert done.returncode == 0, done
    document = json.loads(done.stdout)
    assert (document["action"], document["model"]) == ("placed", str(volume / "model"))
    digest = cli("digest", volume / "model", "--format", "json").json["subject"]
    assert digest == document["verdict"]["subject"]
    (model / "README.md").write_text("# Changed\n")
    refused = ran(*base(admitted, model), "--into", volume)
    assert refused.returncode == 1
    assert "README.md" in refused.stdout
    assert cli("digest", volume / "model", "--format", "json").json["subject"] == digest
    assert sorted(file.name for file in volume.iterdir()) == [".assaymark", "model"]


def test_a_program_on_a_placed_copy_is_stopped_when_that_is_written_to(
    admitted: Team, model: Path, tmp_path: Path
) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    with launched(tmp_path / "run", *base(admitted, model), "--into", volume) as run:
        run.pid("pid")
        file = volume / "model" / "config.json"
        file.chmod(0o644)
        file.write_text("{}")
        code, _, err = run.end()
    assert code == 1
    assert "copy-changed" in err


def test_runs_at_once_have_copies_of_their_own(admitted: Team, model: Path, tmp_path: Path) -> None:
    folders = [tmp_path / f"run{i}" for i in range(3)]
    with (
        launched(folders[0], *base(admitted, model)) as first,
        launched(folders[1], *base(admitted, model)) as second,
        launched(folders[2], *base(admitted, model)) as third,
    ):
        copies = {run.text("model") for run in (first, second, third)}
        assert len(copies) == 3
        third.process.kill()
        first.process.send_signal(signal.SIGTERM)
        assert first.end()[0] == 143
        assert alive(second.pid("pid"))
        second.process.send_signal(signal.SIGTERM)
        assert second.end()[0] == 143


def test_what_the_caller_opened_for_the_program_reaches_it(admitted: Team, model: Path, tmp_path: Path) -> None:
    (tmp_path / "opened").write_text("through descriptor 3")
    words = " ".join(map(str, base(admitted, model)))
    script = f"exec {sys.executable} -m assaymark run {words} -- sh -c 'cat <&3; ls /proc/self/fd | wc -l' 3<opened"
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")})  # fmt: skip
    assert done.stdout.startswith("through descriptor 3"), done
    assert int(done.stdout.removeprefix("through descriptor 3")) == 5, "0 to 3, and the folder that is listed"


def test_a_program_at_a_terminal_gets_its_keys(admitted: Team, model: Path, tmp_path: Path) -> None:
    """Ctrl-C reaches the program once, from the terminal; and it may read what is typed."""
    import pty
    import select

    script = "trap 'echo interrupted; exit 21' INT; read line; echo got $line; while :; do sleep 0.05; done"
    words = ["run", *map(str, base(admitted, model)), "--", "sh", "-c", script]
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["PYTHONPATH"] = str(Path(__file__).parents[2] / "src")
        os.execv(sys.executable, [sys.executable, "-m", "assaymark", *words])  # noqa: S606
    said = b""

    def hears(word: bytes) -> bool:
        nonlocal said
        if select.select([terminal], [], [], 0.1)[0]:
            said += os.read(terminal, 1024)
        return word in said

    os.write(terminal, b"hello\n")
    eventually(lambda: hears(b"got hello"))
    os.write(terminal, b"\x03")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 21, said
