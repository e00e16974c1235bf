"""What submit, decide and verify share: one object out, whatever happens, and its exit code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.core.decision import DEFAULT_TENANT, Outcome, Scope
from assaymark.core.errors import InputError, UnavailableError, VerificationError
from assaymark.core.subject import Subject
from assaymark.service.verdict import Verdict, refused
from assaymark.ui.cli.output import NO, NO_ANSWER, YES, Result, emit
from assaymark.ui.cli.remedies import complete
from assaymark.ui.report.documents import verdict_document
from assaymark.ui.report.text import verdict_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

EXIT: Final = {Outcome.PERMIT: YES, Outcome.DENY: NO, Outcome.INDETERMINATE: NO_ANSWER}


def answer(args: argparse.Namespace, outputs: list[tuple[str, Path]], question: Callable[[], Verdict]) -> int:
    """Ask, and write the verdict. What was refused is DENY; what could not be read or reached is no answer."""
    subject = Subject(Path(args.path).name or str(args.path), "")
    scope = Scope(DEFAULT_TENANT, args.environment or "")
    try:
        verdict = question()
    except VerificationError as error:
        verdict = refused(error, Outcome.DENY, subject, scope)
    except (InputError, UnavailableError) as error:
        verdict = refused(error, Outcome.INDETERMINATE, subject, scope)
    return emit_verdict(args, outputs, verdict)


def emit_verdict(args: argparse.Namespace, outputs: list[tuple[str, Path]], verdict: Verdict) -> int:
    """Write a verdict in the formats asked for."""
    verdict = replace(verdict, reasons=complete(verdict.reasons, verdict.subject.name, args))
    result = Result(EXIT[verdict.outcome], verdict_document(verdict), lambda style: verdict_text(verdict, style))
    return emit(result, args.format, outputs)
