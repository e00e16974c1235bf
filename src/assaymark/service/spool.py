"""Log the attempts that enforcement points have spooled: checked, in batches, removed only when they are logged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.attempt import parse_attempt
from assaymark.core.errors import InputError, VerificationError
from assaymark.core.statement import ATTEMPT, IN_TOTO_PAYLOAD_TYPE, parse_envelope, parse_statement
from assaymark.service.publish import publish
from assaymark.trust.signatures import verified_signers

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.statement import Envelope
    from assaymark.service.workspace import Workspace
    from assaymark.store.spool import Spool
    from assaymark.trust.document import Root

BATCH: Final = 256  # one flush of the log for so many records


@dataclass(frozen=True, slots=True)
class Collected:
    """What became of a spool: attempts counted in logged records, new records, records known before, and refusals.

    ``refused`` names each record that was moved to ``refused/``, and why.
    """

    attempts: int
    new: int
    known: int
    refused: tuple[tuple[str, str], ...]


def collect_spool(
    workspace: Workspace,
    spool: Spool,
    clock: Callable[[], int],
    on_progress: Callable[[int, int], None] | None = None,
) -> Collected:
    """Log every record of a spool that is an attempt, signed by a principal of the root, and for no other log.

    It may be stopped and run again at any point: a record is removed after it is durably logged, and the log takes
    the same bytes once.

    Raises:
        UnavailableError: the log or the spool cannot be written; what was logged so far stays so.
        AssaymarkError: as the workspace and its log raise.
    """
    root = workspace.trust().root
    names = spool.names()
    attempts = new = known = 0
    refused: list[tuple[str, str]] = []
    for start in range(0, len(names), BATCH):
        batch: list[tuple[str, Envelope]] = []
        for name in names[start : start + BATCH]:
            try:
                envelope, count = _checked(spool.read(name), root, workspace.config.origin)
            except (InputError, VerificationError) as error:
                refused.append((name, str(error)))
                spool.refuse(name, f"{error.code}: {error}")
            else:
                batch.append((name, envelope))
                attempts += count
        before = sum(workspace.log.find(envelope.digest) is not None for _, envelope in batch)
        if batch:
            publish(workspace, [envelope for _, envelope in batch], clock())
        known += before
        new += len(batch) - before
        spool.remove([name for name, _ in batch])
        if on_progress is not None:
            on_progress(min(start + BATCH, len(names)), len(names))
    return Collected(attempts, new, known, tuple(refused))


def _checked(data: bytes, root: Root, origin: str) -> tuple[Envelope, int]:
    """The envelope of a record and how many attempts it counts.

    Steps:
        1. it is a statement in an envelope, of an attempt and of nothing else: a spool is no way around `attest`;
        2. it names this log, or none;
        3. a principal of the root signed it.
    """
    # 1
    envelope = parse_envelope(data)
    if envelope.payload_type != IN_TOTO_PAYLOAD_TYPE:
        raise InputError("envelope-type", f"payload type {envelope.payload_type!r} is no statement")
    statement = parse_statement(envelope.payload)
    if statement.predicate_type != ATTEMPT:
        raise InputError("attempt-form", f"a statement of type {statement.predicate_type} is no attempt")
    attempt = parse_attempt(statement)
    # 2
    if attempt.kind.origin not in ("", origin) or attempt.kind.tenant not in ("", root.tenant):
        raise VerificationError("attempt-origin", f"the attempt is for log {attempt.kind.origin!r}, not for this one")
    # 3
    if not verified_signers(envelope, root):
        raise VerificationError("attempt-signer", "nobody in the trust root signed the attempt")
    return envelope, attempt.count
