"""Files of SQLite's that are taken away under a process: nothing is acknowledged that nobody else can see."""

import shutil

import pytest
from tests.support.logs import NOW, ORIGIN, SIGNER, make_log, make_test_envelope

from assaymark.core.errors import UnavailableError
from assaymark.store.log_store import LogStore

OTHER = """
import sys
from pathlib import Path
from tests.support.logs import NOW, SIGNER, LogStore, make_test_envelope
log = LogStore.open(Path(sys.argv[1]))
print(log.append([make_test_envelope(int(number)) for number in sys.argv[2:]], NOW, SIGNER))
print(len(log.check(SIGNER.verifier)), "problems")
"""


def _said_by(process):
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    return out


VICTIM = """
import sys
from pathlib import Path
from assaymark.core.errors import UnavailableError
from tests.support.logs import NOW, SIGNER, LogStore, make_test_envelope
folder = Path(sys.argv[1])
log = LogStore.open(folder)
log.append([make_test_envelope(3)], NOW, SIGNER)
for end in sys.argv[2:]:
    (folder / f"log.sqlite{end}").unlink()
for number in (50, 51):
    try:
        print("acknowledged", log.append([make_test_envelope(number)], NOW, SIGNER))
    except UnavailableError as error:
        print(error.code)
log.close()
"""


@pytest.mark.parametrize("ends", [("-wal",), ("-shm",), ("-wal", "-shm")])
def test_a_log_whose_shared_files_are_removed_is_not_written_to(tmp_path, run_script, ends):
    folder = tmp_path / "log"
    make_log(folder, 3, "sqlite").close()
    assert _said_by(run_script(VICTIM, folder, *ends)) == "log-torn\nlog-torn\n"
    first = 3 if "-wal" in ends else 4  # what was in the removed file is gone; nothing else is
    assert f"[{first}, {first + 1}]\n0 problems" in _said_by(run_script(OTHER, folder, 100, 101))
    assert f"[{first}]\n0 problems" in _said_by(run_script(OTHER, folder, 100))


def test_a_reader_does_not_answer_from_files_that_have_no_name(tmp_path, run_script):
    """A webhook would go on to see the log as it was before a containment."""
    folder = tmp_path / "log"
    make_log(folder, 3, "sqlite").close()
    writer = LogStore.open(folder)
    writer.append([make_test_envelope(3)], NOW, SIGNER)
    reader = LogStore.open(folder, read_only=True)
    assert reader.checkpoint()[1].size == 4
    (folder / "log.sqlite-shm").unlink()
    assert "[4]" in _said_by(run_script(OTHER, folder, 100))
    with pytest.raises(UnavailableError) as caught:
        reader.checkpoint()
    assert caught.value.code == "log-torn"
    with pytest.raises(UnavailableError):
        LogStore.open(folder, read_only=True).checkpoint()  # this process still has the old one mapped


def test_another_log_in_its_place_is_read(tmp_path):
    make_log(tmp_path / "log", 3, "sqlite").close()
    make_log(tmp_path / "other", 5, "sqlite").close()
    log = LogStore.open(tmp_path / "log")
    assert log.checkpoint()[1].size == 3
    log.close()
    (tmp_path / "other" / "log.sqlite").rename(tmp_path / "log" / "log.sqlite")
    assert log.checkpoint()[1].size == 5
    assert log.checkpoint()[1].origin == ORIGIN


def test_a_log_that_is_copied_over_the_file_is_read(tmp_path, run_script):
    """So does who brings a newer copy, and a containment with it, to a machine that others write for."""
    folder, other = tmp_path / "log", tmp_path / "other"
    make_log(folder, 3, "sqlite").close()
    shutil.copytree(folder, other)
    assert "[3]" in _said_by(run_script(OTHER, other, 100))
    log = LogStore.open(folder)
    assert log.checkpoint()[1].size == 3
    shutil.copyfile(other / "log.sqlite", folder / "log.sqlite")
    assert log.checkpoint()[1].size == 4
    assert log.check(SIGNER.verifier) == []
