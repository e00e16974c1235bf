"""`assaymark record` on real programs: what is claimed is what happened, and otherwise nothing is claimed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from tests.support.cli import Team, ask, cli, make_model, make_team, safetensors_bytes
from tests.support.launched import alive, eventually

SOURCE = Path(__file__).parents[2] / "src"
OBSERVED = sys.platform == "linux"
WRITE = "mkdir -p model && printf x > model/weights"


@dataclass
class Place:
    """A folder with a workspace, a data set and a program's outputs."""

    folder: Path
    team: Team

    def start(self, *words: object, **options: Any) -> subprocess.Popen[str]:
        env = {**os.environ, "PYTHONPATH": str(SOURCE), "ASSAYMARK_WORKSPACE": str(self.team.workspace)}
        return subprocess.Popen(
            [sys.executable, "-m", "assaymark", "record", *map(os.fspath, map(_word, words))],
            cwd=self.folder,
            env=env | options.pop("env", {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def record(self, *words: object, code: int = 0, **options: Any) -> str:
        """Record; returns what is said."""
        process = self.start(*words, **options)
        out, err = process.communicate(timeout=60)
        assert process.returncode == code, out + err
        assert "Traceback" not in err
        return out + err

    def predicate(self, *words: object, **options: Any) -> dict[str, Any]:
        """Record; returns what was signed."""
        self.record("--statement", "statement.json", *words, **options)
        import base64

        envelope = json.loads((self.folder / "statement.json").read_text())
        statement = json.loads(base64.b64decode(envelope["payload"]))
        assert isinstance(statement["predicate"], dict)
        return statement["predicate"]

    def size(self) -> int:
        """How many entries the log has."""
        return int(self.team.ask("log", "show").json["tree_size"])

    def write(self, name: str, text: str) -> Path:
        """A file in the folder."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file


def _word(word: object) -> str | os.PathLike[str]:
    return word if isinstance(word, (str, os.PathLike)) else str(word)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Team:
    """A workspace that the tests of this file share: each looks at how it grows."""
    return make_team(tmp_path_factory.mktemp("team"))


@pytest.fixture
def place(made: Team, tmp_path: Path) -> Place:
    place = Place(tmp_path / "work", made)
    place.write("data/a.csv", "1,2\n")
    place.write("data/b.csv", "3,4\n")
    return place


def dependencies(predicate: dict[str, Any]) -> list[dict[str, Any]]:
    found = predicate["buildDefinition"]["resolvedDependencies"]
    assert isinstance(found, list)
    return found


def named(predicate: dict[str, Any], how: str) -> dict[str, str]:
    return {
        item["name"]: item["digest"]["sha256"]
        for item in dependencies(predicate)
        if item.get("annotations", {}).get("how") == how
    }


def check_schema(predicate: dict[str, Any]) -> None:
    schema = json.loads((SOURCE.parent / "docs/spec/schemas/provenance.v1.schema.json").read_text())
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(predicate)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_training_is_recorded_with_all_that_went_into_it(place: Place) -> None:
    script = place.write(
        "train.py",
        "import os, sys\nprint(open('data/a.csv').read(), open('settings.txt').read(), sep='', end='')\n"
        "print(sys.stdin.read())\nos.mkdir('model')\nopen('model/weights', 'w').write('x')\n",
    )
    settings = place.write("settings.txt", "deep\n")
    for words in (
        ("init", "-q"),
        ("add", "train.py"),
        ("-c", "user.name=n", "-c", "user.email=n@x", "commit", "-qm", "x"),
    ):
        subprocess.run(["git", *words], cwd=place.folder, check=True, capture_output=True)
    process = place.start(
        "--data", "data", "--output", "model", "--output", "json=result.json", "--env", "SEED",
        "--", sys.executable, "train.py", "--api-key=hunter2",
        stdin=subprocess.PIPE, env={"SEED": "7", "HOME_OF_SECRETS": "x"},
    )  # fmt: skip
    out, err = process.communicate("from stdin", timeout=60)
    assert process.returncode == 0, err
    assert out == "1,2\ndeep\nfrom stdin\n", "the streams are the program's own"
    assert "Recorded" in err
    told = json.loads((place.folder / "result.json").read_text())
    digest = ask("digest", place.folder / "model").json["subject"]
    assert told["outputs"] == [{"name": "model", "digest": digest}]
    predicate = told["predicate"]
    data = ask("digest", place.folder / "data").json["subject"]
    declared = named(predicate, "declared")
    assert declared == {"data": data.removeprefix("sha256:"), "train.py": sha256(script)}
    if OBSERVED:
        observed = named(predicate, "observed")
        assert observed["settings.txt"] == sha256(settings)
        assert not {"train.py", "data/a.csv", "model/weights"} & set(observed)
        assert predicate["assaymark"]["declaredNotOpened"] == []
    uris = {item["uri"].partition("@")[0] for item in dependencies(predicate) if "uri" in item}
    assert "pkg:pypi/pytest" in uris
    parameters = predicate["buildDefinition"]["externalParameters"]
    assert parameters["command"][1:] == ["train.py", "--api-key=[redacted]"]
    assert parameters["environment"]["SEED"] == "7"
    assert not {"HOME_OF_SECRETS", "HOME", "PATH"} & set(parameters["environment"])
    check_schema(predicate)
    ours = predicate["assaymark"]
    assert (ours["slsaBuildLevel"], ours["redacted"]) == (1, 1)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=place.folder, capture_output=True, text=True, check=True)
    assert ours["code"]["revision"] == head.stdout.strip()
    assert ours["code"]["dirty"], "untracked files are there"
    assert predicate["runDetails"]["metadata"]["startedOn"] <= predicate["runDetails"]["metadata"]["finishedOn"]
    # And the lineage holds, since the data set was described along with it.
    shown = place.team.ask("verify", place.folder / "model", "--lineage")
    assert shown.code == 0, shown
    assert [item["kind"] for item in shown.json["lineage"]["ancestors"]] == ["model", "dataset"]
    assert any(item["name"] == "model" for item in place.team.ask("impact", place.folder / "data").json["subjects"])


def test_what_the_data_set_is_stays_unsaid_when_asked(place: Place) -> None:
    place.write("data/c.csv", "not described\n")
    said = place.record("--data", "data", "--output", "model", "--no-describe", "--", "sh", "-c", WRITE)
    assert "lineage ends there as missing" in said
    found = place.team.ask("verify", place.folder / "model", "--lineage")
    assert found.code == 1
    assert "missing" in found.json["reasons"][0]["message"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("echo more >> data/a.csv", "a.csv was changed"),
        ("cp data/a.csv t; echo 9 > data/a.csv; cat t > data/a.csv", "holds the same bytes again"),
        ("touch -d @1000000000 data/a.csv", "a.csv"),
        ("mv data/a.csv t; printf '1,2\\n' > data/a.csv; mv t data/a.csv", "a.csv"),
        ("mv data/a.csv data/z.csv; mv data/z.csv data/a.csv", "a.csv"),
        ("echo > data/new; rm data/new", "added to, removed from or renamed in"),
        ("rm data/a.csv", "a.csv was removed"),
        ("echo > data/new", "new was added"),
        ("rm -r data", "cannot be read any more"),
        ("mv data d; cp -r d data", "data"),
    ],
)
def test_an_input_that_changes_fails_the_record_even_when_it_is_put_back(
    place: Place, change: str, said: str
) -> None:
    size = place.size()
    told = place.record("--data", "data", "--output", "model", "--", "sh", "-c", f"{change}; {WRITE}", code=1)
    assert "record-input-changed" in told
    assert said in told
    assert "nothing is claimed" in told
    assert place.size() == size


@pytest.mark.parametrize("named", ["current", "above/data", "current/../current"])
def test_a_link_to_an_input_that_is_turned_elsewhere_and_back_fails_the_record(place: Place, named: str) -> None:
    place.write("other/a.csv", "poison\n")
    (place.folder / "current").symlink_to("data")
    (place.folder / "above").symlink_to(".")
    link = named.split("/", maxsplit=1)[0]
    turned = f"ln -sfn other current; ln -sfn ../work above; cat {named}/a.csv; ln -sfn data current; ln -sfn . above"
    told = place.record("--data", named, "--output", "model", "--", "sh", "-c", f"{turned}; {WRITE}", code=1)
    assert "record-input-changed" in told
    assert f"{link} was changed" in told


def test_an_input_that_somebody_else_changes_meanwhile(place: Place) -> None:
    process = place.start("--data", "data", "--output", "model", "--", "sh", "-c", f"{WRITE}; touch ready; sleep 1")
    eventually((place.folder / "ready").exists)
    file = place.folder / "data" / "b.csv"
    before = file.stat()
    file.write_text("5,6\n")
    file.write_text("3,4\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "b.csv" in err


@pytest.mark.parametrize(
    ("before", "command", "code"),
    [
        ("", "true", "record-output-missing"),
        ("mkdir model; echo x > model/weights", "true", "record-output-untouched"),
        ("mkdir model; echo x > model/old", WRITE, "record-output-untouched"),
        ("mkdir old; echo x > old/weights", "mv old model", "record-output-untouched"),
        ("mkdir old; echo x > old/weights", "ln -s old model", "record-output-untouched"),
        ("mkdir old; echo x > old/weights", "mkdir model; ln -s ../old model/more; echo > model/new", "link-leaves"),
        ("", "ln -s data/a.csv model", "record-output-untouched"),
        ("", "mkdir model", "manifest-empty"),
        ("", "cp -r data model", "record-output-input"),
        ("", "mkdir model; ln -s /etc/passwd model/weights", "link-leaves"),
        ("", "mkdir model; mkfifo model/weights", "file-kind"),
    ],
)
def test_an_output_that_the_program_did_not_write_is_not_claimed(
    place: Place, before: str, command: str, code: str
) -> None:
    subprocess.run(["sh", "-c", before], cwd=place.folder, check=True)
    size = place.size()
    expected = 1 if code.startswith("record-") else 3
    assert code in place.record("--data", "data", "--output", "model", "--", "sh", "-c", command, code=expected)
    assert place.size() == size


def test_an_output_that_is_written_over_is_claimed(place: Place) -> None:
    place.write("model/weights", "old")
    place.record("--output", "model", "--", "sh", "-c", "printf new > model/weights")


@pytest.mark.parametrize(
    "flags",
    [
        ("--data", "data", "--output", "data/model"),
        ("--data", "data", "--output", "."),
        ("--input", "data/a.csv", "--output", "data/a.csv"),
        ("--input", "link", "--output", "data/model"),
        ("--output", "model", "--output", "model/weights"),
    ],
)
def test_outputs_and_inputs_lie_apart(place: Place, flags: tuple[str, ...]) -> None:
    (place.folder / "link").symlink_to("data")
    said = place.record(*flags, "--", "touch", "started", code=2)
    assert "record-overlap" in said
    assert not (place.folder / "started").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--output", "model"), "record-usage"),
        (("--", "true"), "record-usage"),
        (("--output", "model", "--", "no-such-program"), "command-missing"),
        (("--output", "model", "--", "./data/a.csv"), "command-"),
        (("--data", "nowhere", "--output", "model", "--", "touch", "started"), "path-missing"),
        (("--key", "file:nowhere", "--output", "model", "--", "touch", "started"), "key-"),
        (("--output", "model", "--statement", "no/where", "--", "touch", "started"), "path-missing"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_starts(place: Place, words: tuple[str, ...], code: str) -> None:
    size = place.size()
    (place.folder / "data" / "a.csv").chmod(0o755)
    assert code in place.record(*words, code=2)
    assert not (place.folder / "started").exists()
    assert place.size() == size


def test_a_stranger_does_not_record(place: Place, tmp_path: Path) -> None:
    assert cli("keys", "generate", "eve", "--out", tmp_path / "eve.key").code == 0
    said = place.record("--key", f"file:{tmp_path / 'eve.key'}", "--output", "m", "--", "touch", "started", code=2)
    assert "key-unknown" in said
    assert not (place.folder / "started").exists()


def test_who_is_no_builder_is_told_so(place: Place) -> None:
    said = place.record("--key", place.team.key("alice"), "--output", "model", "--", "sh", "-c", WRITE)
    assert "alice does not hold role builder" in said


def test_a_program_that_fails_claims_nothing_and_its_code_is_ours(place: Place) -> None:
    size = place.size()
    said = place.record("--output", "model", "--", "sh", "-c", f"{WRITE}; exit 7", code=7)
    assert "nothing is claimed" in said
    assert place.size() == size


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_program_and_nothing_is_claimed(place: Place, number: int) -> None:
    size = place.size()
    process = place.start(
        "--output", "model", "--", "sh", "-c", f"{WRITE}; touch ready; exec sleep 60", process_group=0
    )
    eventually((place.folder / "ready").exists)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, out + err
    assert "nothing is claimed" in err
    assert place.size() == size


def test_a_program_outlives_us_and_nobody_claims_anything(place: Place) -> None:
    size = place.size()
    script = "import os,time\nopen('pid','w').write(str(os.getpid()))\nos.rename('pid','ready')\n"
    script += "time.sleep(1)\nopen('/etc/hostname').read()\nopen('late','w').write('x')\n"
    place.write("train.py", script)
    process = place.start("--output", "model", "--", sys.executable, "train.py")
    eventually((place.folder / "ready").exists)
    process.kill()
    process.wait()
    pid = int((place.folder / "ready").read_text())
    assert alive(pid)
    eventually((place.folder / "late").exists)
    eventually(lambda: not alive(pid))
    assert place.size() == size
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()


def test_a_keeper_that_is_killed_is_no_answer_and_nothing_hangs(place: Place) -> None:
    place.write(
        "train.py", "import os,time\nopen('ready','w').write(str(os.getppid()))\ntime.sleep(1)\nopen('data/a.csv')\n"
    )
    size = place.size()
    process = place.start("--output", "model", "--", sys.executable, "train.py")
    eventually(lambda: (place.folder / "ready").exists() and (place.folder / "ready").read_text())
    os.kill(int((place.folder / "ready").read_text()), signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "record-keeper" in err
    assert place.size() == size


def test_what_goes_on_in_the_background_fails_the_record(place: Place) -> None:
    command = f"{WRITE}; (sleep 4; cat data/a.csv > late) & "
    said = place.record("--output", "model", "--", "sh", "-c", command.replace("&", ">/dev/null 2>&1 &", 1), code=1)
    assert "record-left" in said
    eventually((place.folder / "late").exists)
    assert (place.folder / "late").read_text() == "1,2\n", "it can still open files"


@pytest.mark.skipif(not OBSERVED, reason="files are observed on Linux")
def test_threads_and_children_are_observed(place: Place) -> None:
    for name in ("thread.txt", "child.txt", "grandchild.txt", "folder/relative.txt", "folder/at.txt", "mapped.txt"):
        place.write(name, name)
    place.write(
        "train.py",
        "import os, subprocess, threading, multiprocessing, mmap\n"
        "def reader(name): open(name).read()\n"
        "if __name__ == '__main__':\n"
        "    thread = threading.Thread(target=reader, args=('thread.txt',)); thread.start(); thread.join()\n"
        "    child = multiprocessing.get_context('fork').Process(target=reader, args=('child.txt',))\n"
        "    child.start(); child.join()\n"
        "    subprocess.run(['sh', '-c', 'cat grandchild.txt'], check=True)\n"
        "    folder = os.open('folder', os.O_RDONLY | os.O_DIRECTORY)\n"
        "    os.close(os.open('at.txt', os.O_RDONLY, dir_fd=folder))\n"
        "    mmap.mmap(os.open('mapped.txt', os.O_RDWR), 0, prot=mmap.PROT_READ)\n"
        "    os.chdir('folder'); reader('relative.txt'); os.chdir('..')\n"
        "    open('scratch', 'w').write('x'); reader('scratch'); os.remove('scratch')\n"
        "    open('made', 'w').write('x'); reader('made')\n"
        "    os.mkdir('model'); open('model/weights', 'w').write('x')\n",
    )  # fmt: skip
    predicate = place.predicate("--data", "data", "--output", "model", "--", sys.executable, "train.py")
    observed = named(predicate, "observed")
    for name in ("thread.txt", "child.txt", "grandchild.txt", "folder/relative.txt", "folder/at.txt", "mapped.txt"):
        assert observed[name] == sha256(place.folder / name)
    assert not {"scratch", "made", "model/weights"} & set(observed)
    assert any(name.endswith("/cat") for name in observed), "what is executed is observed too"
    ours = predicate["assaymark"]
    assert ours["declaredNotOpened"] == ["data"]
    assert ours["observation"]["how"] == "seccomp"
    assert ours["observation"]["changedSinceStart"] >= 1
    assert ours["observation"]["installed"] > 10


REOPEN = """
import os
there = os.open("aside.txt", os.O_PATH)
open(f"/proc/self/fd/{there}").read()
os.close(there)
there = os.open("named.txt", os.O_PATH)
open(f"/proc/{os.getpid()}/fd/{there}").read()
os.mkdir("model")
open("model/weights", "w").write("x")
"""


def test_a_file_that_is_opened_through_a_descriptor_is_the_programs_own(place: Place) -> None:
    place.write("aside.txt", "a")
    place.write("named.txt", "b")
    place.write("stream.txt", "c")
    place.write("ours.txt", "d")
    place.write("train.py", REOPEN)
    command = "cat /dev/stdin < stream.txt; cat /dev/fd/0 < stream.txt; exec python3 train.py"
    with (place.folder / "ours.txt").open() as ours:
        found = place.predicate("--output", "model", "--", "sh", "-c", command, stdin=ours)
    assert {"aside.txt", "named.txt", "stream.txt"} <= set(named(found, "observed"))
    assert "ours.txt" not in named(found, "observed"), "what the recorder has open is not what the program read"


def test_what_is_not_observed_is_said(place: Place) -> None:
    predicate = place.predicate("--no-observe", "--data", "data", "--output", "model", "--", "sh", "-c", WRITE)
    check_schema(predicate)
    assert predicate["assaymark"]["observation"] == {"how": "none", "why": "not asked for (--no-observe)"}
    assert "declaredNotOpened" not in predicate["assaymark"], "nobody looked"
    assert predicate["assaymark"]["distributions"] == {"absent": "the command names no Python interpreter"}
    assert "absent" in predicate["assaymark"]["code"]
    assert "workingDirectory" not in predicate["buildDefinition"]["externalParameters"]


@pytest.mark.skipif(not OBSERVED, reason="files are observed on Linux")
def test_a_record_within_a_record_says_that_it_saw_nothing(place: Place) -> None:
    inner = [sys.executable, "-m", "assaymark", "record", "--output", "model", "--statement", "statement.json", "--"]
    place.record("--output", "outer", "--", *inner, "sh", "-c", f"{WRITE}; printf y > outer")
    import base64

    envelope = json.loads((place.folder / "statement.json").read_text())
    observation = json.loads(base64.b64decode(envelope["payload"]))["predicate"]["assaymark"]["observation"]
    assert observation["how"] == "none"
    assert "refused the filter" in observation["why"]


@pytest.mark.skipif(not OBSERVED, reason="files are observed on Linux")
def test_hostile_file_names_are_recorded_and_shown_harmlessly(place: Place) -> None:
    names = ["new\nline", "bidi\u202egnp.exe", os.fsdecode(b"not-utf-8-\xff"), "\x1b[31mred", "-rf"]
    for name in names:
        place.write(name, "x")
    predicate = place.predicate("--output", "model", "--", "sh", "-c", f"cat -- ./* 2>/dev/null; {WRITE}")
    observed = named(predicate, "observed")
    assert {"new\nline", "bidi\u202egnp.exe", "not-utf-8-\\xff", "\x1b[31mred", "-rf"} <= set(observed)
    (place.folder / "bidi\u202emodel").mkdir()
    said = place.record(
        "--input", "bidi\u202egnp.exe", "--output", "\x1b[31mout", "--", "sh", "-c", "printf x > '\x1b[31mout'"
    )
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "manifest-path" in place.record("--input", names[2], "--output", "o", "--", "touch", "started", code=3)
    assert not (place.folder / "started").exists()


def test_inputs_are_what_the_log_knows_them_by(place: Place) -> None:
    place.write("words.txt", "a b c\n")
    base = make_model(place.folder, "base", seed=3)
    assert place.team.run("submit", base, "--to", "dev").code == 0
    assert place.team.run("attest", "dataset", place.folder / "words.txt").code == 0
    place.write("other.txt", "d\n")
    flags = ("--input", "words.txt", "--input", "base", "--input", "other.txt", "--input", "data")
    predicate = place.predicate(*flags, "--output", "model", "--operation", "fine-tune", "--", "sh", "-c", WRITE)
    kinds = {
        item["name"]: item["annotations"]["kind"]
        for item in dependencies(predicate)
        if item.get("annotations", {}).get("how") == "declared"
    }
    assert kinds == {"words.txt": "dataset", "base": "model", "other.txt": "file", "data": "dataset"}
    assert predicate["buildDefinition"]["externalParameters"]["operation"] == "fine-tune"


def test_what_the_log_does_not_take_is_not_lost(tmp_path: Path) -> None:
    place = Place(tmp_path / "work", make_team(tmp_path))
    place.folder.mkdir()
    away = f"mv '{place.team.workspace}/log' '{tmp_path}/away'; {WRITE}"
    process = place.start("--output", "model", "--statement", "kept.json", "--", "sh", "-c", away)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (2, 3), err
    assert json.loads((place.folder / "kept.json").read_text())["payloadType"] == "application/vnd.in-toto+json"


POLICY = """\
format = "assaymark:policy/v1"

[environments.recorded]
lineage = "verified"

[[environments.recorded.require]]
id = "provenance"
summary = "its training was recorded"
predicate = "https://slsa.dev/provenance/v1"
roles = ["builder"]
where = [{ field = "buildDefinition.buildType", equals = "assaymark:record/v1" }]
"""


def test_a_policy_can_demand_a_record(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    place = Place(tmp_path / "work", make_team(tmp_path, "--policy", policy))
    place.write("data/a.csv", "1\n")
    by_hand = make_model(place.folder, "by-hand", seed=1)
    denied = place.team.ask("submit", by_hand, "--to", "recorded")
    assert denied.code == 1
    reason = next(item for item in denied.json["reasons"] if item["requirement"] == "provenance")
    assert reason["remedy"].startswith("assaymark record ")
    assert "by-hand" in reason["remedy"]
    attested = place.team.run("attest", "derivation", by_hand, "--parent", make_model(tmp_path, "base"))
    assert attested.code == 0
    assert place.team.run("decide", by_hand, "--for", "recorded").code == 1, "a person's word is no record"
    place.write("weights", "").write_bytes(safetensors_bytes(9))
    command = "mkdir model && cat weights > model/model.safetensors"
    place.record("--data", "data", "--output", "model", "--", "sh", "-c", command)
    admitted = place.team.ask("submit", place.folder / "model", "--to", "recorded")
    assert admitted.code == 0, admitted
    place.record(
        "--key", place.team.key("alice"), "--output", "other", "--", "sh", "-c", "cat weights data/* > other"
    )
    assert place.team.run("submit", place.folder / "other", "--to", "recorded").code == 1, "alice is no builder"
