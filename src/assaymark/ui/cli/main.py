"""The entry point: finds the verb, loads only its module, and is the border where errors become words.

Exit codes, the same in every format: 0 yes, 1 no, 2 usage, 3 no answer, 4 our bug.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Final, Never

from assaymark import __version__
from assaymark.core.errors import (
    AssaymarkError,
    InputError,
    InternalError,
    UnavailableError,
    UsageError,
    VerificationError,
)
from assaymark.core.part import Part, load_part
from assaymark.ui.cli.options import add_format
from assaymark.ui.cli.output import BUG, FORMATS, NO, NO_ANSWER, USAGE, note, open_streams, parse_output, write_utf8
from assaymark.ui.report.style import printable, style_for

if TYPE_CHECKING:
    from collections.abc import Sequence

VERBS: Final = (
    Part(
        "init",
        "verb",
        "make a workspace: keys, trust root, log and starter policy",
        (),
        "assaymark.ui.cli.init:configure",
    ),
    Part(
        "inventory",
        "verb",
        "every model in a folder, with its standing; adopt what is in service",
        (),
        "assaymark.ui.cli.inventory:configure",
    ),
    Part("scan", "verb", "look into model files without executing them", (), "assaymark.ui.cli.scan:configure"),
    Part(
        "scanners",
        "verb",
        "other scanners that may be asked beside ours, and their installation",
        (),
        "assaymark.ui.cli.scanners:configure",
    ),
    Part(
        "convert",
        "verb",
        "write a model in a safe format without executing it",
        (),
        "assaymark.ui.cli.convert:configure",
    ),
    Part(
        "assess",
        "verb",
        "an architecture's files: one graph, attack paths, findings, fixes",
        (),
        "assaymark.ui.cli.assess:configure",
    ),
    Part(
        "submit",
        "verb",
        "bring a model in: copy, hash, scan, sign, log, decide",
        (),
        "assaymark.ui.cli.submit:configure",
    ),
    Part(
        "record",
        "verb",
        "run a program and log what its outputs were made from",
        (),
        "assaymark.ui.cli.record:configure",
    ),
    Part(
        "attest",
        "verb",
        "sign a statement about a model, such as an approval",
        (),
        "assaymark.ui.cli.attest:configure",
    ),
    Part(
        "decide",
        "verb",
        "decide whether a model may run, and log the decision",
        (),
        "assaymark.ui.cli.decide:configure",
    ),
    Part(
        "verify",
        "verb",
        "check a model against the log or a dossier; writes nothing",
        (),
        "assaymark.ui.cli.verify:configure",
    ),
    Part(
        "contain",
        "verb",
        "pull a model back, or lift that with new evidence",
        (),
        "assaymark.ui.cli.contain:configure",
    ),
    Part("lineage", "verb", "draw what a model was made from", (), "assaymark.ui.cli.lineage:configure"),
    Part(
        "impact",
        "verb",
        "which models and decisions rest on a data set, a base model, a distribution or a key",
        (),
        "assaymark.ui.cli.impact:configure",
    ),
    Part(
        "run",
        "verb",
        "run a program on a verified copy for as long as it may",
        (),
        "assaymark.ui.cli.run:configure",
    ),
    Part(
        "serve",
        "verb",
        "answer others: the admission webhook of a Kubernetes cluster",
        ("serve",),
        "assaymark.ui.cli.serve:configure",
    ),
    Part("digest", "verb", "print the content digest of a file or folder", (), "assaymark.ui.cli.digest:configure"),
    Part("log", "verb", "show, prove, check and export the log", (), "assaymark.ui.cli.log:configure"),
    Part("policy", "verb", "show, check, explain and set the policy", (), "assaymark.ui.cli.policy:configure"),
    Part("keys", "verb", "make keys and enrol people", (), "assaymark.ui.cli.keys:configure"),
    Part(
        "explain", "verb", "what a rule, an error code or a log entry means", (), "assaymark.ui.cli.explain:configure"
    ),
    Part(
        "completion", "verb", "print a completion script for your shell", (), "assaymark.ui.cli.completion:configure"
    ),
)
STARTS_A_PROGRAM: Final = frozenset({"record", "run"})
EPILOG: Final = """\
a first round:
  assaymark init
  assaymark submit model/ --to production
  assaymark keys generate alice && assaymark keys add alice --role approver    # and so for bob: two approve
  assaymark attest approval model/ --for production --key file:alice.key
  assaymark attest approval model/ --for production --key file:bob.key
  assaymark decide model/ --for production --dossier model.dossier
  assaymark verify model/ --for production --dossier model.dossier --root sha256:...

exit codes: 0 yes, 1 no, 2 usage, 3 no answer (never a yes), 4 a bug of ours
"""
_EXIT: Final[tuple[tuple[type[AssaymarkError], int], ...]] = (
    (UsageError, USAGE),
    (InputError, NO_ANSWER),
    (VerificationError, NO),
    (UnavailableError, NO_ANSWER),
    (InternalError, BUG),
)


class Parser(argparse.ArgumentParser):
    """argparse, whose errors say where help is."""

    def error(self, message: str) -> Never:
        """Print what is wrong and exit with 2."""
        self.exit(USAGE, f"error: {printable(message)}\nhelp: `{self.prog} --help`\n")


def build_parser(load: str | None = None, *, everything: bool = False) -> argparse.ArgumentParser:
    """The parser; only the verb ``load`` is imported, or all of them with ``everything`` (for completion)."""
    parser = Parser(
        prog="assaymark",
        description="Decides whether a machine-learning model may run, and shows anyone the proof.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--workspace", dest="workspace_before_verb", metavar="W", help=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"assaymark {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser, title="verbs")
    for part in VERBS:
        child = verbs.add_parser(
            part.id,
            help=part.summary,
            description=part.summary[0].upper() + part.summary[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if everything or part.id == load:
            load_part(part)(child)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    arguments, command = split_command(list(sys.argv[1:] if argv is None else argv))
    open_streams()
    write_utf8(sys.stdout, sys.stderr)
    try:
        args = build_parser(_verb(arguments)).parse_args(arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else USAGE
    if args.workspace_before_verb and not getattr(args, "workspace", None):
        args.workspace = args.workspace_before_verb
    args.command = command
    form = getattr(args, "format", "text")
    try:
        refuse_empty(arguments)
        outputs = [parse_output(text, getattr(args, "formats", FORMATS)) for text in getattr(args, "output", [])]
        return int(args.run(args, outputs))
    except AssaymarkError as error:
        return report_error(error, form)
    except KeyboardInterrupt:
        note("interrupted; nothing was acknowledged that is not in the log")
        return NO_ANSWER
    except BrokenPipeError:
        # The reader went away; keep the interpreter from complaining when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_ANSWER
    except MemoryError:
        return report_error(UnavailableError("memory", "out of memory", remedy="free some and try again"), form)
    except RecursionError:
        return report_error(InputError("nesting", "an input is nested too deeply"), form)
    except OSError as error:
        return report_error(
            UnavailableError(
                "os", error.strerror or "the operating system refused", source=str(error.filename or "")
            ),
            form,
        )
    except Exception as error:  # noqa: BLE001 - the border: a bug of ours must not show a stack trace
        return report_error(_bug(error), form)


def split_command(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Our own words, and those of the program that a verb starts: all after ``--``, whatever they look like."""
    if _verb(arguments) not in STARTS_A_PROGRAM or "--" not in arguments:
        return arguments, []
    place = arguments.index("--")
    return arguments[:place], arguments[place + 1 :]


def refuse_empty(arguments: Sequence[str]) -> None:
    """An empty word is a variable that nobody set: as a path it would be the current folder, as a flag no flag.

    Raises:
        UsageError: ``argument-empty``.
    """
    for before, word in zip(("", *arguments), arguments, strict=False):
        if not word or (word.startswith("--") and word.endswith("=")):
            place = word.rstrip("=") or (f"what follows {before}" if before else "the first word")
            raise UsageError(
                "argument-empty",
                f"{place} is empty",
                remedy="is a variable of your script not set? leave out what you do not want to say",
            )


def _verb(arguments: list[str]) -> str | None:
    """The first word that is neither a flag nor the value of ``--workspace``."""
    words = iter(arguments)
    for word in words:
        if word == "--workspace":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None


def _bug(error: Exception) -> InternalError:
    if os.environ.get("ASSAYMARK_DEBUG"):
        import traceback

        traceback.print_exception(error)
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {place.tb_frame.f_globals.get('__name__')}:{place.tb_lineno}" if place is not None else ""
    return InternalError(
        "internal",
        f"{type(error).__name__}{where}",
        remedy="this is a bug of ours: report it with what you ran; ASSAYMARK_DEBUG=1 shows where it happened",
    )


def report_error(error: AssaymarkError, form: str) -> int:
    """Say what happened, to which input and what to do next; returns the exit code."""
    style = style_for(sys.stderr)
    note_lines = [f"{style('error', 'red', 'bold')}[{error.code}]: {printable(str(error))}"]
    if error.remedy:
        note_lines.append(f"{style('do', 'bold')}: {printable(error.remedy)}")
    sys.stderr.write("\n".join(note_lines) + "\n")
    if form == "json":
        import json

        document = {"error": error_document(error)}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return exit_code(error)


def exit_code(error: AssaymarkError) -> int:
    """The exit code of an error, by who must act."""
    return next(code for kind, code in _EXIT if isinstance(error, kind))


def error_document(error: AssaymarkError) -> dict[str, str]:
    """An error as scripts see it."""
    return {
        "code": error.code,
        "message": error.message,
        "input": error.source,
        "position": error.position,
        "remedy": error.remedy,
    }


def add_examples(parser: argparse.ArgumentParser, examples: str) -> None:
    """Examples below a verb's help, and the options that every verb has."""
    parser.epilog = "examples:\n" + examples.rstrip("\n")
    if not any("--workspace" in action.option_strings for action in parser._actions):  # noqa: SLF001 - no public way
        parser.add_argument("--workspace", metavar="W", help="taken everywhere; this command needs none")
    add_format(parser)


if __name__ == "__main__":
    sys.exit(main())
