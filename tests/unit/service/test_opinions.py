"""Second scanners are found, asked and understood; whatever goes wrong with one is no pass. The programs are fakes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.support.fake_scanners import FAKES, fake

from assaymark.core.errors import UnavailableError, UsageError
from assaymark.core.opinion import Opinion, OpinionOutcome
from assaymark.service import opinions as opinions_module
from assaymark.service import scanner_install
from assaymark.service.opinions import ask_scanners, opinions_at, require_scanners
from assaymark.service.scanner_places import find_scanner, scanner_names

PASS, FAIL, INCOMPLETE = OpinionOutcome.PASS, OpinionOutcome.FAIL, OpinionOutcome.INCOMPLETE
ALL = tuple(FAKES)
PEERS = Path(__file__).parents[3] / ".venv-bench" / "bin"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def installed(data: Path) -> Path:
    for name in ALL:
        fake(data, name)
    return data


def model(folder: Path, *names: str) -> Path:
    place = folder / "model"
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(b"content")
    return place


def outcomes(found: tuple[Opinion, ...]) -> dict[str, OpinionOutcome]:
    return {one.scanner: one.outcome for one in found}


def test_each_says_pass_on_what_it_understands(installed: Path, tmp_path: Path) -> None:
    found = opinions_at(model(tmp_path, "good.pkl", "sub/fine.pkl"), ALL)
    assert outcomes(found) == dict.fromkeys(ALL, PASS), found
    assert {one.version for one in found} == {"9.9.9"}
    assert all({"output", "time"} <= set(one.confinement) for one in found)


def test_they_disagree_and_each_names_what_it_objects_to(installed: Path, tmp_path: Path) -> None:
    found = opinions_at(model(tmp_path, "sub/bad.pkl", "odd.pkl"), ALL)
    assert outcomes(found) == dict.fromkeys(ALL, FAIL)
    for one in found:
        places = {finding.place.split(" ")[0] for finding in one.findings}
        assert places == ({"odd.pkl", "sub/bad.pkl"} if one.scanner == "fickling" else {"sub/bad.pkl"}), one
    (only,) = opinions_at(model(tmp_path / "o", "odd.pkl"), ("fickling",))
    assert only.outcome is FAIL
    assert outcomes(opinions_at(tmp_path / "o" / "model", ("picklescan", "modelscan"))) == {
        "picklescan": PASS,
        "modelscan": PASS,
    }


def test_one_that_skips_a_file_is_incomplete_unless_the_file_is_inert(installed: Path, tmp_path: Path) -> None:
    place = model(tmp_path, "good.pkl", "README.md")
    found = opinions_at(place, ALL)
    assert outcomes(found) == dict.fromkeys(ALL, INCOMPLETE)
    assert all("README.md" in one.detail for one in found)
    assert outcomes(opinions_at(place, ALL, inert=("README.md",))) == dict.fromkeys(ALL, PASS)


def test_what_is_inert_to_us_is_shown_to_them_all_the_same(installed: Path, tmp_path: Path) -> None:
    found = opinions_at(model(tmp_path, "good.pkl", "bad.md"), ALL, inert=("bad.md",))
    assert outcomes(found)["picklescan"] is FAIL
    assert outcomes(found)["modelaudit"] is FAIL


def test_a_model_of_which_nothing_must_be_looked_at_is_no_pass(installed: Path, tmp_path: Path) -> None:
    found = opinions_at(model(tmp_path, "README.md"), ALL, inert=("README.md",))
    assert outcomes(found) == dict.fromkeys(ALL, INCOMPLETE)


@pytest.mark.parametrize(
    ("body", "outcome", "detail"),
    [
        ("print('all is well')", INCOMPLETE, "no summary"),
        ("raise SystemExit(0)", INCOMPLETE, "no summary"),
        ("raise RuntimeError", INCOMPLETE, "no summary"),
        ("import signal; os.kill(os.getpid(), signal.SIGSEGV)", INCOMPLETE, "SIGSEGV"),
        ("import time; time.sleep(60)", INCOMPLETE, "longer than"),
        ("raise SystemExit(126)", OpinionOutcome.ERROR, "could not be started"),
    ],
)
def test_one_that_crashes_hangs_or_prints_something_else_is_no_pass(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: str,
    outcome: OpinionOutcome,
    detail: str,
) -> None:
    monkeypatch.setattr(opinions_module, "OPINION_SECONDS", 3)
    fake(data, "picklescan", body)
    (one,) = opinions_at(model(tmp_path, "good.pkl"), ("picklescan",))
    assert one.outcome is outcome
    assert detail in one.detail
    assert one.signed_outcome is INCOMPLETE


def test_a_report_that_is_a_link_or_a_pipe_is_none(data: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text('{"issues": [], "errors": [], "summary": {"scanned": {"scanned_files": ["good.pkl"]}}}')
    for body in (f"os.symlink({str(secret)!r}, after('-o'))", "os.mkfifo(after('-o'))", "os.mkdir(after('-o'))"):
        fake(data, "modelscan", body)
        (one,) = opinions_at(model(tmp_path, "good.pkl"), ("modelscan",))
        assert one.outcome is INCOMPLETE, one
        assert "wrote no report" in one.detail


def test_the_model_is_as_it_was(data: Path, tmp_path: Path) -> None:
    place = model(tmp_path, "good.pkl")
    before = (place / "good.pkl").stat()
    body = "\ntry:\n  open(after('-p'), 'a').write('x')\nexcept OSError: pass\n" + FAKES["picklescan"]
    fake(data, "picklescan", body)
    opinions_at(place, ("picklescan",))
    after = (place / "good.pkl").stat()
    assert (place / "good.pkl").read_bytes() == b"content"
    assert (before.st_mtime_ns, before.st_ctime_ns, before.st_nlink) == (
        after.st_mtime_ns,
        after.st_ctime_ns,
        after.st_nlink,
    )


def test_many_files_are_not_asked_about_one_by_one(installed: Path, tmp_path: Path) -> None:
    place = model(tmp_path, *(f"{number}.pkl" for number in range(201)))
    found = opinions_at(place, ("picklescan", "modelscan"))
    assert outcomes(found) == {"picklescan": INCOMPLETE, "modelscan": PASS}


def test_one_that_is_not_installed_is_absent(data: Path, tmp_path: Path) -> None:
    (one,) = opinions_at(model(tmp_path, "good.pkl"), ("fickling",))
    assert one.outcome is OpinionOutcome.ABSENT
    with pytest.raises(UsageError) as caught:
        require_scanners(["fickling"])
    assert caught.value.code == "scanner-absent"
    assert "scanners install fickling" in caught.value.remedy


def test_a_variable_names_a_scanner_elsewhere(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = fake(tmp_path / "elsewhere", "picklescan", version="1.2.3")
    monkeypatch.setenv("ASSAYMARK_SCANNER_PICKLESCAN", str(elsewhere))
    place = find_scanner("picklescan")
    assert place is not None
    assert (place.executable, place.version) == (elsewhere, "1.2.3")
    monkeypatch.setenv("ASSAYMARK_SCANNER_PICKLESCAN", str(tmp_path / "nothing"))
    with pytest.raises(UsageError) as caught:
        find_scanner("picklescan")
    assert caught.value.code == "scanner-path"


def test_names_are_checked(data: Path) -> None:
    assert scanner_names(["picklescan,modelscan", "picklescan"]) == ("picklescan", "modelscan")
    assert scanner_names(["all"]) == ALL
    with pytest.raises(UsageError) as caught:
        scanner_names(["pickelscan"])
    assert "picklescan" in caught.value.remedy


def test_files_that_would_leave_the_model_are_not_laid_out(installed: Path, tmp_path: Path) -> None:
    (one,) = ask_scanners(["picklescan"], [("../x.pkl", model(tmp_path, "good.pkl") / "good.pkl")])
    assert one.outcome is OpinionOutcome.ERROR


def test_nobody_is_shown_what_a_link_leads_to_outside(installed: Path, tmp_path: Path) -> None:
    place = model(tmp_path, "good.pkl")
    (tmp_path / "outside-bad.pkl").write_bytes(b"private")
    (place / "link-bad.pkl").symlink_to(tmp_path / "outside-bad.pkl")
    (one,) = opinions_at(place, ("picklescan",))
    assert one.outcome is INCOMPLETE
    assert not one.findings
    assert one.signed_outcome is INCOMPLETE


def test_an_installation_counts_once_the_scanner_has_passed_a_harmless_file(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def installs(body: str | None) -> None:
        monkeypatch.setattr(scanner_install, "_run", lambda _command: fake(data, "fickling", body))

    installs("import no_such_module")
    with pytest.raises(UnavailableError) as caught:
        scanner_install.install_scanner("fickling")
    assert "no_such_module" in caught.value.message
    assert find_scanner("fickling") is None
    installs(None)
    assert scanner_install.install_scanner("fickling").version == "9.9.9"


def test_what_was_installed_stays_when_a_new_installation_fails(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = fake(data, "picklescan")

    def fails(command: list[str]) -> None:
        raise UnavailableError("scanner-install", "no index")

    monkeypatch.setattr(scanner_install, "_run", fails)
    with pytest.raises(UnavailableError):
        scanner_install.install_scanner("picklescan")
    assert program.is_file()
    assert not list(program.parents[2].glob(".*"))


@pytest.mark.parametrize("name", ALL)
def test_the_real_one_where_it_is_installed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    real = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), str(PEERS))))
    if real is None:
        pytest.skip(f"no {name} on the path, nor among the peers of the bench")
    monkeypatch.setenv(f"ASSAYMARK_SCANNER_{name.upper()}", real)
    place = tmp_path / "model"
    place.mkdir()
    (place / "good.pkl").write_bytes(pickle.dumps({"a": [1, 2]}))
    assert outcomes(opinions_at(place, (name,))) == {name: PASS}
    (place / "bad.pkl").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    assert outcomes(opinions_at(place, (name,))) == {name: FAIL}


def test_an_entry_that_has_no_place_in_a_model_is_its_own_affair(installed: Path, tmp_path: Path) -> None:
    place = model(tmp_path, "good.pkl")
    (place / "out").symlink_to("/etc/hostname")
    found = opinions_at(place, ALL)
    assert outcomes(found) == dict.fromkeys(ALL, INCOMPLETE)
    assert all(one.detail.startswith("it was not shown out: ") for one in found), found
    (place / "bad.pkl").write_bytes(b"content")
    found = opinions_at(place, ALL)
    assert outcomes(found) == dict.fromkeys(ALL, FAIL)
    assert all("out: " in one.detail for one in found)


def test_a_file_that_cannot_be_laid_out_is_its_own_affair(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = model(tmp_path, "good.pkl", "fine.pkl")
    copy, link = shutil.copyfile, Path.symlink_to

    def refuse_copy(source: Path, target: Path) -> object:
        if target.name == "fine.pkl":
            raise PermissionError(13, "Permission denied")
        return copy(source, target)

    def refuse_link(target: Path, source: Path) -> None:
        if target.name == "fine.pkl":
            raise PermissionError(13, "Permission denied")
        link(target, source)

    monkeypatch.setattr(opinions_module.shutil, "copyfile", refuse_copy)
    monkeypatch.setattr(Path, "symlink_to", refuse_link)
    found = opinions_at(place, ALL)
    assert outcomes(found) == dict.fromkeys(ALL, INCOMPLETE)
    assert all("fine.pkl: it could not be laid out" in one.detail for one in found), found


def test_one_file_on_which_it_does_not_start_is_its_own_affair(data: Path, tmp_path: Path) -> None:
    fake(data, "fickling", "if 'odd' in words[-1]: sys.exit(126)\n" + FAKES["fickling"])
    (one,) = opinions_at(model(tmp_path, "good.pkl", "odd.pkl", "sub/fine.pkl"), ("fickling",))
    assert one.outcome is INCOMPLETE
    assert "odd.pkl: " in one.detail
    fake(data, "fickling", "sys.exit(126)")
    (one,) = opinions_at(tmp_path / "model", ("fickling",))
    assert one.outcome is OpinionOutcome.ERROR
