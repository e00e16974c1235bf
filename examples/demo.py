"""The main job, on real input: from a trained model to a decision that anyone can check, and back.

Usage: python examples/demo.py [--model PATH] [--out FOLDER]

Every step runs the installed ``assaymark`` command, as a user would; what it prints is shown. Without --model a
classifier is trained on the digits data that scikit-learn bundles, and the training is recorded.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
ASSAYMARK = Path(sys.executable).with_name("assaymark")
MARKER = "assaymark-demo"  # a file that says that the folder is ours to replace
DATA = "digits-data"


@dataclass
class Story:
    """What happened, for the summary at the end."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def add(self, what: str, outcome: str) -> None:
        """Keep one line."""
        self.lines.append((what, outcome))


class Payload:
    """A harmless stand-in for an attack: unpickling an instance creates a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.target), "w")


def bold(text: str) -> str:
    """Bold on a terminal."""
    return f"\x1b[1m{text}\x1b[0m" if COLOUR else text


def heading(number: int, text: str) -> None:
    """Begin a step."""
    print(f"\n{bold(f'{number}. {text}')}")


def fail(message: str) -> NoReturn:
    """End with what went otherwise than it must."""
    sys.exit(f"\nThe demonstration did not go as it must: {message}")


def run(
    *words: str | Path,
    expect: tuple[int, ...],
    env: dict[str, str] | None = None,
    wrap: tuple[str, ...] = (),
    cwd: Path | None = None,
    show: bool = True,
) -> dict[str, object]:
    """Run one command, show it and what it says, and return its JSON."""
    command = [str(word) for word in words]
    end = command.index("--") if "--" in command else len(command)  # what follows is another program's
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch) / "result.json"
        done = subprocess.run(
            [*wrap, str(ASSAYMARK), *command[:end], "--output", f"json={result}", *command[end:]],
            capture_output=True,
            text=True,
            env=env,
            cwd=cwd,
            check=False,
        )
        document = json.loads(result.read_text()) if result.exists() else {}
    if show or done.returncode not in expect:
        print(f"   $ assaymark {shlex.join(shorten(word) for word in command)}")
        print(textwrap.indent((done.stdout + done.stderr).rstrip(), "     "))
    if done.returncode not in expect:
        fail(f"exit code {done.returncode}, expected {' or '.join(map(str, expect))}")
    return document


def shorten(word: str) -> str:
    """A path relative to here, when that is shorter."""
    if not Path(word).is_absolute():
        return word
    relative = os.path.relpath(word)
    return relative if len(relative) < len(word) else word


def no_network() -> tuple[str, ...]:
    """A prefix that runs a command without any network, where the kernel lets this user do that."""
    for prefix in (("unshare", "--net"), ("unshare", "--user", "--map-root-user", "--net")):
        if (
            shutil.which("unshare")
            and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
        ):
            return prefix
    return ()


def flip_byte(file: Path) -> int:
    """Flip one bit in the middle of a file; returns the byte's offset."""
    offset = file.stat().st_size // 2
    with file.open("r+b") as stream:
        stream.seek(offset)
        byte = stream.read(1)[0]
        stream.seek(offset)
        stream.write(bytes([byte ^ 1]))
    return offset


def copy_model(model: Path, target: Path) -> Path:
    """A copy of a file or folder under the same name."""
    place = target / model.name
    if model.is_dir():
        shutil.copytree(model, place)
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy2(model, place)
    return place


def largest_file(model: Path) -> Path:
    """The biggest file of a model: the weights, most likely."""
    return (
        model
        if model.is_file()
        else max((f for f in model.rglob("*") if f.is_file()), key=lambda f: f.stat().st_size)
    )


def fresh_folder(folder: Path) -> None:
    """An empty folder; one that an earlier demonstration left is replaced."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).exists():
            sys.exit(f"{folder} holds something else; name another with --out")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text("Made by examples/demo.py, which replaces this folder at its next run.\n")


def check_model(given: Path, out: Path) -> None:
    """Refuse, before anything is replaced, a model that is not there or that shares a folder with what is made."""
    if not given.exists():
        sys.exit(f"there is no {given}; nothing was changed")
    model = given.resolve()
    if out == model or out in model.parents or model in out.parents:
        sys.exit(
            f"{given} and {shorten(str(out))}, which this demonstration replaces, share a folder; nothing was"
            " changed\ncopy the model to a folder of its own, or name another with examples/demo.py --out FOLDER"
        )


def main() -> None:
    """Tell the whole story."""
    parser = argparse.ArgumentParser(description="The main job of Assaymark on real input.")
    parser.add_argument("--model", type=Path, help="a model of yours: file or folder (default: train one)")
    parser.add_argument(
        "--out", type=Path, default=Path("out/demo"), help="where everything goes (default: out/demo)"
    )
    args = parser.parse_args()
    out = args.out.resolve()
    if args.model is not None:
        check_model(args.model, out)
    fresh_folder(out)
    os.environ["ASSAYMARK_WORKSPACE"] = str(out / "workspace")
    os.environ.pop("ASSAYMARK_PASSPHRASE_FILE", None)
    story = Story()

    print(bold("Assaymark: a model goes in, a decision that anyone can check comes out."))
    print(
        "This is a demonstration on one machine: all keys lie side by side in one folder,\n"
        "which no real team would do."
    )

    heading(1, "Make a workspace: keys, trust root, log and a starter policy")
    root = str(run("init", expect=(0,))["root"])
    (out / "root.txt").write_text(root + "\n")
    story.add("made a workspace with a signed policy", "root pinned")
    model = train_recorded(out, story) if args.model is None else args.model.resolve()
    if args.model is not None:
        heading(2, f"Take the model at {args.model}")
    if not admit(model, out, story):
        return
    check_offline(model, out, story)
    tamper(model, out, story)
    refuse_pickle(out, story)
    why = "reads 4 as 9 since Tuesday" if args.model is None else "for the demonstration: as if it misbehaved"
    contain(model, why, story, data=out / DATA if args.model is None else None)
    summary(out, story)


def train_recorded(out: Path, story: Story) -> Path:
    """Step 2: a data set as files, and a training that is recorded while it runs."""
    heading(2, "Describe a data set, and train a real classifier on it under `record`, which sees what goes into it")
    from digits_data import SOURCE, write

    data, model = out / DATA, out / "digits"
    count = write(data)
    run("attest", "dataset", data, "--source", SOURCE, expect=(0,))
    trainer = Path(__file__).with_name("train_digits.py")
    program = (sys.executable, trainer, data, model)
    told = run("record", "--data", data, "--output", model, "--", *program, expect=(0,))
    if told.get("action") != "recorded":
        fail("the training was not recorded")
    right = re.search(r"([\d.]+%) right", (model / "README.md").read_text())
    story.add(f"trained a classifier on {count:,} images, recorded", f"{right[1] if right else '?'} accurate")
    return model


def admit(model: Path, out: Path, story: Story) -> bool:
    """Steps 3 and 4: a submission, two approvals, a PERMIT. False when the model is not clean."""
    heading(3, "Submit the model to production: copied, hashed, scanned, logged; and not yet admitted")
    answer = run("submit", model, "--to", "production", expect=(1, 3))
    scan = answer.get("scan")
    if not isinstance(scan, dict):
        sys.exit("\n   This could not be read as a model, so nothing about it was logged; the reason stands above.")
    if scan["outcome"] != "pass":
        print(
            "\n   The scan is not clean, so no approval would admit this model to production. What it found\n"
            "   stands above; `assaymark explain RULE` says what each rule means. The refusal is in the log."
        )
        print(f"\n   workspace  {shorten(str(out / 'workspace'))}")
        return False
    story.add("submitted it to production", "DENY: two approvals are missing")

    heading(4, "Two people, neither of them the submitter, approve this very digest")
    for name in ("alice", "bob"):
        key = out / f"{name}.key"
        run("keys", "generate", name, "--out", key, expect=(0,), show=False)
        run("keys", "add", name, "--role", "approver", "--public", key.with_suffix(".pub"), expect=(0,))
        run("attest", "approval", model, "--for", "production", "--key", f"file:{key}", expect=(0,))
    answer = run("decide", model, "--for", "production", "--dossier", out / "model.dossier", expect=(0,))
    receipt = answer["receipt"]
    if not isinstance(receipt, dict):
        fail("a PERMIT without a receipt")
    (out / "decision.tlog-proof").write_text(receipt["proof"])
    story.add("alice and bob approved it", f"PERMIT, entry {receipt['index']} of the log")
    return True


def check_offline(model: Path, out: Path, story: Story) -> None:
    """Step 5: an auditor with the files, the dossier and the pinned root, and nothing else."""
    wrap = no_network()
    how = "in a network namespace with no network" if wrap else "which opens no connection"
    heading(5, f"Somebody else checks it, and what it was made from: no workspace, an empty home, {how}")
    root = (out / "root.txt").read_text().strip()
    with tempfile.TemporaryDirectory() as elsewhere:
        place = Path(elsewhere)
        theirs = copy_model(model, place)
        shutil.copy2(out / "model.dossier", place)
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": elsewhere, "LANG": "C.UTF-8"}
        run(
            "verify",
            theirs.name,
            "--for",
            "production",
            "--dossier",
            "model.dossier",
            "--root",
            root,
            "--lineage",
            expect=(0,),
            env=environment,
            wrap=wrap,
            cwd=place,
        )
    story.add("verified from the dossier alone", "PERMIT, with no workspace" + (" and no network" if wrap else ""))


def tamper(model: Path, out: Path, story: Story) -> None:
    """Step 6: one bit, in a copy."""
    heading(6, "Flip one bit in a copy of the model")
    copy = copy_model(model, out / "tampered")
    file = largest_file(copy)
    offset = flip_byte(file)
    print(f"   one bit of byte {offset} of {file.name} is another now")
    root = (out / "root.txt").read_text().strip()
    answer = run(
        "verify", copy, "--for", "production", "--dossier", out / "model.dossier", "--root", root, expect=(1,)
    )
    paths = [item["path"] for item in answer["differences"]] if isinstance(answer["differences"], list) else []
    if not any(file.name in path for path in paths):
        fail(f"the refusal names {paths}, not {file.name}")
    story.add("flipped one bit", f"DENY: {paths[0]} changed")


def refuse_pickle(out: Path, story: Story) -> None:
    """Step 7: a model that would run code when it is loaded."""
    heading(7, "Submit a pickle with a live payload (harmless: loading it would create a file)")
    target = out / "the-payload-ran"
    evil = out / "evil"
    evil.mkdir()
    weights = {"layer.weight": [0.25, -1.5, 3.0], "hook": Payload(target)}
    (evil / "model.pkl").write_bytes(pickle.dumps(weights, protocol=4))
    answer = run("submit", evil, "--to", "production", expect=(1,))
    if target.exists():
        fail("the payload ran")
    print(f"\n   {target.name} was not created: the bytes were read by a machine that executes nothing.")
    scan = answer["scan"]
    if not isinstance(scan, dict) or not scan["findings"]:
        fail("no finding")
    location = scan["findings"][0]["locations"][0]
    story.add("submitted a live pickle", f"DENY: opcode at byte {location['offset']}, and nothing ran")


def contain(model: Path, why: str, story: Story, data: Path | None) -> None:
    """Step 8: ask what rests on the same data, and pull the admitted model back."""
    heading(8, "Contain the admitted model: when one misbehaves, it is pulled back")
    run("verify", model, "--for", "production", expect=(0,), show=False)
    if data is not None:
        found = run("impact", data, expect=(0,))["subjects"]  # what else may have learnt the same
        story.add("asked what rests on its data set", f"{len(found) if isinstance(found, list) else '?'} model")
    run("contain", model, "--for", "production", "--reason", why, expect=(0,))
    answer = run("verify", model, "--for", "production", expect=(1,))
    reasons = answer["reasons"]
    if not isinstance(reasons, list) or not any(item["requirement"] == "containment" for item in reasons):
        fail("the refusal does not speak of the containment")
    run("log", "check", expect=(0,))
    story.add("contained it", "DENY, since when and why")


def summary(out: Path, story: Story) -> None:
    """What happened, and where it lies."""
    width = max(len(what) for what, _ in story.lines)
    print(f"\n{bold('What happened')}")
    for what, outcome in story.lines:
        print(f"   {what:<{width}}   {outcome}")
    print(f"\n{bold('Where it lies')}")
    for name, what in (
        ("workspace", "the workspace: log, blobs, keys, policy"),
        ("model.dossier", "the decision with all it rests on"),
        ("decision.tlog-proof", "its receipt, in C2SP form"),
        ("root.txt", "the root digest that a verifier pins"),
    ):
        print(f"   {shorten(str(out / name)):<34} {what}")
    print("\nNothing above has to be believed: `assaymark log show`, `assaymark log check`, `assaymark explain ID`")
    print(f"with ASSAYMARK_WORKSPACE={shorten(str(out / 'workspace'))} show every step of it.")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
