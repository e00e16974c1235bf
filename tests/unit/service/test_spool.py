"""A spool is collected once, from who may write to it, and never into more than attempts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.cli import Team

from assaymark.core.attempt import Attempt, AttemptKind, attempt_statement
from assaymark.core.decision import Outcome, Scope
from assaymark.core.errors import UnavailableError
from assaymark.core.statement import APPROVAL, make_statement
from assaymark.core.subject import Subject
from assaymark.enforce.record import Recorder
from assaymark.keys.signers import load_signer
from assaymark.policy.predicates import approval_predicate
from assaymark.service import spool as service
from assaymark.service.publish import sign_statement
from assaymark.service.spool import collect_spool
from assaymark.service.workspace import open_workspace
from assaymark.store.spool import Spool

T = 4_000_000_000  # after every entry
SUBJECT = Subject("model", "sha256:" + "5" * 64)


class Point:
    """An enforcement point with a key, and the workspace that collects from it."""

    def __init__(self, team: Team, folder: Path, **limits: int) -> None:
        self.workspace = open_workspace(team.workspace)
        self.signer = self.workspace.signer(None, name="service")
        self.spool = Spool(folder, **limits)
        self.recorder = Recorder(self.spool, lambda payload: sign_statement(payload, [self.signer]).data)

    def kind(self, number: int = 0, **changes: str) -> AttemptKind:
        origin = changes.pop("origin", self.workspace.config.origin)
        subject = Subject(f"model {number}", f"sha256:{number:064x}")
        return AttemptKind(
            subject, "production", "refuse", Outcome.DENY, ("approvals",), "run", "gpu", origin=origin, **changes
        )

    def attempt(self, number: int = 0, now: int = T, **changes: str) -> None:
        self.recorder.record(self.kind(number, **changes), now)

    def put(self, data: bytes, number: int = 0) -> str:
        self.spool.folder.mkdir(exist_ok=True)
        name = f"{number:020d}-{number:016x}.dsse.json"
        (self.spool.folder / name).write_bytes(data)
        return name

    def collect(self):
        return collect_spool(self.workspace, self.spool, lambda: T)

    def size(self) -> int:
        return self.workspace.log.checkpoint()[1].size


@pytest.fixture
def point(team: Team, tmp_path: Path) -> Point:
    return Point(team, tmp_path / "spool")


def test_what_was_recorded_is_logged_and_then_gone(point: Point) -> None:
    for number in (0, 1, 0, 0):
        point.attempt(number)
    before = point.size()
    done = point.collect()
    assert (done.attempts, done.new, done.known, done.refused) == (2, 2, 0, ())
    assert point.size() == before + 2
    assert point.spool.names() == []
    point.attempt(0, T + 60)
    assert point.collect().attempts == 3, "two that waited for their minute, and the new one"
    assert point.recorder.notes == []


def test_a_crash_between_logging_and_removing_logs_nothing_twice(
    point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    point.attempt()
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "remove", lambda *_: (_ for _ in ()).throw(UnavailableError("store-io", "power cut")))
        with pytest.raises(UnavailableError):
            point.collect()
    size = point.size()
    done = point.collect()
    assert (done.new, done.known) == (0, 1)
    assert point.size() == size
    assert point.spool.names() == []


def test_a_log_that_cannot_be_written_leaves_the_spool(point: Point, monkeypatch: pytest.MonkeyPatch) -> None:
    point.attempt()
    full = UnavailableError("disk-full", "no space left")
    monkeypatch.setattr(service, "publish", lambda *_: (_ for _ in ()).throw(full))
    with pytest.raises(UnavailableError):
        point.collect()
    assert len(point.spool.names()) == 1


def test_a_spool_is_no_way_around_attest(point: Point, team: Team) -> None:
    alice = load_signer(team.key("alice"))
    approval = approval_predicate(Scope("default", "production"), after_entry=0, origin=point.workspace.config.origin)
    point.put(sign_statement(make_statement((SUBJECT,), APPROVAL, approval).payload, [alice]).data)
    before = point.size()
    ((_, why),) = point.collect().refused
    assert "no attempt" in why
    assert point.size() == before


def test_records_of_strangers_and_of_other_logs_are_refused(point: Point, tmp_path: Path) -> None:
    from assaymark.keys.file import generate

    generate(tmp_path / "mallory.key", None)
    mallory = load_signer(f"file:{tmp_path / 'mallory.key'}")
    statement = attempt_statement(Attempt(point.kind(), 1, T, T, "ab" * 16))
    forged = sign_statement(statement.payload, [mallory]).data
    elsewhere = attempt_statement(Attempt(point.kind(origin="another.log/1"), 1, T, T, "ab" * 16))
    good = sign_statement(attempt_statement(Attempt(point.kind(), 4, T, T, "cd" * 16)).payload, [point.signer]).data
    names = [
        point.put(forged, 1),
        point.put(sign_statement(elsewhere.payload, [point.signer]).data, 2),
        point.put(good.replace(b'"payload":"ey', b'"payload":"ez'), 3),
        point.put(b"", 4),
        point.put(b"[" * 70_000, 5),
        point.put(os.urandom(200), 6),
    ]
    kept = point.put(good, 7)
    before = point.size()
    done = point.collect()
    assert [name for name, _ in done.refused] == names
    assert (done.attempts, done.new) == (4, 1)
    assert point.size() == before + 1
    refused = point.spool.folder / "refused"
    assert sorted(file.name for file in refused.iterdir()) == sorted([*names, *(f"{name}.reason" for name in names)])
    assert "attempt-signer" in (refused / f"{names[0]}.reason").read_text()
    assert "attempt-origin" in (refused / f"{names[1]}.reason").read_text()
    assert not (point.spool.folder / kept).exists()
    assert point.collect().refused == ()


def test_links_folders_and_pipes_in_a_spool_are_not_followed(point: Point, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not to be read or moved")
    point.spool.folder.mkdir()
    names = [f"{number:020d}-{number:016x}.dsse.json" for number in range(3)]
    (point.spool.folder / names[0]).symlink_to(secret)
    (point.spool.folder / names[1]).mkdir()
    os.mkfifo(point.spool.folder / names[2])
    done = point.collect()
    assert [name for name, _ in done.refused] == names
    assert secret.read_text() == "not to be read or moved"


def test_a_folder_of_somebody_else_keeps_its_files(point: Point) -> None:
    point.spool.folder.mkdir()
    for name in ("thesis.txt", "x.dsse.json", "0" * 20 + ".dsse.json", "a\nb", ".tmp-1234"):
        (point.spool.folder / name).write_text("years of work")
    done = point.collect()
    assert (done.attempts, done.refused) == (0, ())
    assert len(list(point.spool.folder.iterdir())) == 5


def test_a_full_spool_counts_and_says_so_and_loses_nothing(team: Team, tmp_path: Path) -> None:
    point = Point(team, tmp_path / "spool", max_files=2)
    for number in range(5):
        point.attempt(number)
    assert len(point.spool.names()) == 2
    assert "is full" in point.recorder.notes[-1]
    assert "3 attempts" in point.recorder.notes[-1]
    assert point.collect().attempts == 2
    point.attempt(0, T + 61)
    assert point.collect().attempts == 2, "two of those that waited, for two places"
    point.attempt(0, T + 122)
    assert point.collect().attempts == 2, "the third, and the two of number 0"


def test_damaged_tallies_are_said_and_counting_goes_on(point: Point) -> None:
    point.attempt()
    point.spool.write_tallies(b"{}")
    point.attempt(1)
    assert any("is lost" in note for note in point.recorder.notes)
    assert point.collect().attempts == 2


def test_names_that_cannot_be_signed_are_said(point: Point) -> None:
    point.recorder.record(AttemptKind(Subject("\udcff", SUBJECT.digest), "production", "start", Outcome.PERMIT), T)
    point.recorder.record(AttemptKind(SUBJECT, "x" * 300, "start", Outcome.PERMIT), T)
    assert len(point.recorder.notes) == 2
    assert all("not recorded" in note for note in point.recorder.notes)
    assert point.collect().attempts == 0
