"""What is read around a run: code, distributions, machine."""

import hashlib
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from assaymark.core.canonical import canonical_json
from assaymark.recording import code as code_module
from assaymark.recording import hardware
from assaymark.recording.code import Code, read_code
from assaymark.recording.distributions import Installed, listed_files, read_installed


def git(folder, *words):
    who = ("-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path):
    place = tmp_path / "repository"
    (place / "src").mkdir(parents=True)
    (place / "train.py").write_text("print(1)\n")
    git(place, "init", "--quiet")
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", "first")
    return place


def test_a_clean_revision(repository):
    found = read_code(repository / "src")
    assert isinstance(found, Code)
    assert found.revision == git(repository, "rev-parse", "HEAD").strip()
    assert found.top == repository.resolve()
    assert (found.dirty, found.changed, found.untracked, found.diff) == (False, 0, 0, "")


def test_a_changed_revision_has_the_digest_of_the_difference(repository):
    (repository / "train.py").write_text("print(2)\n")
    (repository / "new\nname").write_text("x")
    found = read_code(repository)
    assert isinstance(found, Code)
    assert (found.changed, found.untracked) == (1, 1)
    diff = subprocess.run(["git", "diff", "HEAD", "--binary"], cwd=repository, capture_output=True, check=True).stdout
    assert found.diff == "sha256:" + hashlib.sha256(diff).hexdigest()


def test_what_the_repository_configures_is_not_executed(repository, tmp_path):
    mark = tmp_path / "ran"
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch '{mark}'\n")
    hook.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external", "diff.x.textconv"):
        git(repository, "config", name, str(hook))
    (repository / ".gitattributes").write_text("*.py diff=x\n")
    (repository / "train.py").write_text("print(2)\n")
    assert isinstance(read_code(repository), Code)
    assert not mark.exists()


def test_why_there_is_no_revision(tmp_path, monkeypatch):
    assert "no git repository" in read_code(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_code(tmp_path) == "git is not installed"

    def slow(*words, **options):
        raise subprocess.TimeoutExpired(words, 1)

    monkeypatch.setattr(code_module.subprocess, "run", slow)
    assert "did not answer" in read_code(tmp_path)


def test_the_distributions_of_an_interpreter_are_those_that_it_says():
    found = read_installed([sys.executable], {})
    assert isinstance(found, Installed)
    names = {package.name for package in found.packages}
    assert {"pkg:pypi/pytest", "pkg:pypi/cryptography"} <= names
    pytest_package = next(package for package in found.packages if package.name == "pkg:pypi/pytest")
    assert pytest_package.version == metadata.version("pytest")
    listing = next(file for file in metadata.files("pytest") if file.name == "RECORD").locate()
    assert pytest_package.digest == "sha256:" + hashlib.sha256(Path(listing).read_bytes()).hexdigest()
    assert str(Path(pytest.__file__).resolve()) in found.files
    assert found.version == ".".join(map(str, sys.version_info[:3]))


def test_distributions_that_isolation_hides_are_found_too(tmp_path):
    place = tmp_path / "extra" / "Odd_Name-1.0+cpu.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: Odd_Name\nVersion: 1.0+cpu\n")
    (tmp_path / "extra" / "broken.dist-info").mkdir()
    found = read_installed([sys.executable], {"PYTHONPATH": str(tmp_path / "extra")})
    assert isinstance(found, Installed)
    odd = next(package for package in found.packages if package.name == "pkg:pypi/odd-name")
    assert (odd.version, odd.digest) == ("1.0%2Bcpu", "")
    assert found.unnamed >= 1


def test_nothing_in_the_current_folder_is_imported_when_an_interpreter_is_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "json.py").write_text("open('ran', 'w')\n")
    assert isinstance(read_installed([sys.executable], {}), Installed)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("text", ["exit 3", "echo nonsense", "echo '{}'", "true", "echo '{\"distributions\": 5}'"])
def test_an_interpreter_that_does_not_say_is_said(tmp_path, text):
    file = tmp_path / "python3"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    assert isinstance(read_installed([str(file)], {}), str)
    assert "could not be asked" in read_installed([str(tmp_path / "nowhere")], {})


def test_the_files_of_a_listing():
    listing = b'a/__init__.py,sha256=x,1\n"with, comma.py",,\n../../../bin/tool,,\n/etc/absolute,,\n\n'
    assert listed_files("/env/lib/python3/site-packages", listing) == {
        "/env/lib/python3/site-packages/a/__init__.py",
        "/env/lib/python3/site-packages/with, comma.py",
        "/env/bin/tool",
        "/etc/absolute",
    }


def test_the_machine_is_described_in_values_that_can_be_signed():
    found = hardware.read_hardware()
    canonical_json(found)
    assert found["cores"] >= 1
    assert found["memory"] > 1 << 20
    assert found["kernel"].split()[0] == "Linux" or sys.platform != "linux"


def test_accelerators_are_read_from_the_driver_or_its_tool(tmp_path, monkeypatch):
    card = tmp_path / "gpus" / "0000:01:00.0"
    card.mkdir(parents=True)
    (card / "information").write_text("Model: \t\t NVIDIA H200\nIRQ: 5\n")
    monkeypatch.setattr(hardware, "_NVIDIA", tmp_path / "gpus")
    assert hardware.read_hardware()["gpus"] == ["NVIDIA H200"]
    monkeypatch.setattr(hardware, "_NVIDIA", tmp_path / "none")
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA L4'\necho 'NVIDIA L4'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert hardware.read_hardware()["gpus"] == ["NVIDIA L4", "NVIDIA L4"]
