"""The file of a SQLite log: whatever the bytes, a check names problems, and reading raises ``InputError`` at most."""

import tempfile
from pathlib import Path

from tests.support.logs import SIGNER, make_log

from assaymark.core.errors import InputError, UnavailableError
from assaymark.store.log_store import LogStore


def _seed(count):
    with tempfile.TemporaryDirectory() as name:
        make_log(Path(name) / "log", count, "sqlite").close()
        return (Path(name) / "log" / "log.sqlite").read_bytes()


SEEDS = [b"", b"SQLite format 3\x00", _seed(0), _seed(3)]


def fuzz(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "log.sqlite").write_bytes(data)
        log = LogStore.open(folder, read_only=True)
        try:
            problems = log.check(SIGNER.verifier)
            try:
                size = log.checkpoint()[1].size
                for index in range(min(size, 5)):
                    log.entry(index)
                    log.receipt(index)
            except UnavailableError as error:
                # A length of zero or a mode that SQLite cannot have here: it says so, and no answer is made up.
                if error.code not in ("store-read-only", "store-io", "store-unreadable"):
                    raise
            except InputError:
                if not problems:
                    raise AssertionError("a check that finds nothing, and an entry that cannot be read") from None
        finally:
            log.close()
