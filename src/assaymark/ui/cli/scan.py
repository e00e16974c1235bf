"""``assaymark scan``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import add_with, completes_files
from assaymark.ui.cli.output import FORMATS, NO, NO_ANSWER, YES, Result, emit, note

if TYPE_CHECKING:
    import argparse

    from assaymark.core.opinion import Opinion
    from assaymark.scanning.config import ScanConfig
    from assaymark.service.convert import Fixed
    from assaymark.ui.report.scan_results import ScanResult, ScanResults
    from assaymark.ui.report.style import Style

EXAMPLES = """\
  assaymark scan model.pt
  assaymark scan models/ --format json --output sarif=scan.sarif --output html=scan.html
  assaymark scan model/ --fail-on medium
  assaymark scan hf://openai-community/gpt2       # reads ranges of it, and downloads nothing
  assaymark scan s3://models/bert/model.pt
  assaymark scan models/ --fix                   # model.safetensors beside an unsafe model.pt, .keras beside .h5
  assaymark scan model/ --config scan.toml       # classes of your own, findings that were looked at
  assaymark scan model.pt --with picklescan,modelscan    # their opinions beside ours
  assaymark scan model.pt --with all --agree 2
  curl -s https://example.com/model.pt | assaymark scan -

exit code: 0 all clean, 1 a finding at or above --fail-on, 3 something was not examined (1 wins over 3).
What others say changes it with --agree alone: 1 when too many of them object, 3 when too few have an answer.
A scanner that was asked for and is not there is no answer: 3.
"""
_LARGE: Final = 1_000  # files in one report
_LEVELS: Final = ("low", "medium", "high", "critical")
_STDIN: Final = "-"


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``scan``."""
    completes_files(
        parser.add_argument(
            "paths",
            metavar="PATH",
            nargs="+",
            help="a file or folder; - for a file on standard input; an address (https://, hf://, s3://)",
        )
    )
    parser.add_argument(
        "--fail-on", choices=_LEVELS, default="high", help="the severity from which a finding fails (default: high)"
    )
    completes_files(
        parser.add_argument(
            "--config", metavar="FILE", help="what to ignore and which classes to allow, with owner, reason and end"
        )
    )
    add_with(parser)
    parser.add_argument(
        "--agree", type=int, metavar="N", help="how many of the scanners after --with must say that it is clean"
    )
    parser.add_argument(
        "--fix",
        action="store_true",
        help="write each file that fails in a safe format beside it, without executing it; nothing is overwritten",
    )
    parser.set_defaults(run=run, formats=(*FORMATS, "sarif", "github", "html"))
    parser.add_argument(
        "--no-cache",
        action="store_true",
        help="examine every file anew, also one whose report took long and was kept",
    )
    add_examples(parser, EXAMPLES)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Scan each path; nothing is signed or logged."""
    from assaymark.core.report import ScanOutcome, Severity
    from assaymark.scanning.config import ScanConfig
    from assaymark.ui.report.scan_results import ScanResults
    from assaymark.ui.report.scans import github_annotations, scan_document, scan_page

    names = _scanners(args)
    config, allow = ScanConfig(), frozenset[str]()
    if args.config is not None:
        from assaymark.service.scan_config import load_scan_config
        from assaymark.ui.cli.clock import now

        loaded = load_scan_config(Path(args.config), now())
        config, allow = loaded.config, loaded.allow
        for line in loaded.notes:
            note(line)
    found = _scan(args.paths, config, allow, names, cached=not args.no_cache)
    results = ScanResults(found, Severity[args.fail_on.upper()], args.agree)
    outcomes = results.outcomes | results.agreement
    code = NO if ScanOutcome.FAIL in outcomes else NO_ANSWER if ScanOutcome.INCOMPLETE in outcomes else YES
    large = sum(len(item.report.examined) + len(item.report.inert) for item in results.reports) > _LARGE
    more = {
        "sarif": lambda: _sarif(results),
        "github": lambda: github_annotations(results),
        "html": lambda: scan_page(results),
    }
    document = scan_document(results)
    fixes = _fix(results) if args.fix else []
    if args.fix:
        from assaymark.ui.report.conversions import fix_document

        document["fixes"] = [fix_document(item) for item in fixes]
    result = Result(code, document, lambda style: _text(results, fixes, style), more, large)
    return emit(result, args.format, outputs)


def _scanners(args: argparse.Namespace) -> tuple[str, ...]:
    """The scanners to ask too.

    Raises:
        UsageError: ``scanner-unknown``, ``opinion-agree`` or ``opinion-remote``.
    """
    if not args.scanners and args.agree is None:
        return ()
    from assaymark.core.errors import UsageError
    from assaymark.service.scan import is_remote
    from assaymark.service.scanner_places import scanner_names

    names = scanner_names(args.scanners)
    if args.agree is not None and not 1 <= args.agree <= len(names):
        raise UsageError(
            "opinion-agree",
            f"--agree {args.agree} of {len(names)} scanners",
            remedy="--agree is from 1 to the number of scanners after --with",
        )
    remote = next((path for path in args.paths if is_remote(path)), None)
    if remote is not None:
        raise UsageError(
            "opinion-remote",
            "other scanners read whole files, and ranges of this one are read where it lies",
            source=remote,
            remedy="download it first, or leave --with out",
        )
    return names


def _text(results: ScanResults, fixes: list[Fixed], style: Style) -> str:
    from assaymark.ui.report.text import scan_text

    said = scan_text(results, style)
    if not fixes:
        return said
    from assaymark.ui.report.conversions import fix_text

    return "\n".join([said.rstrip("\n"), "", *(fix_text(item, style) for item in fixes)])


def _fix(results: ScanResults) -> list[Fixed]:
    """Convert each file on this machine that has a finding at or above the threshold."""
    from assaymark.service.convert import fix_files
    from assaymark.service.scan import is_remote
    from assaymark.ui.cli.progress import Progress

    places: dict[Path, None] = {}
    for item in results.reports:
        if item.path == _STDIN or is_remote(item.path):
            continue
        top = Path(item.path)
        for finding in item.report.findings:
            if finding.severity >= results.threshold:
                for location in finding.locations:
                    places[top / location.path if top.is_dir() else top] = None
    with Progress("converting") as progress:
        return list(fix_files(places, progress.update))


def _scan(
    paths: list[str], config: ScanConfig, allow: frozenset[str], names: tuple[str, ...], *, cached: bool
) -> tuple[ScanResult, ...]:
    from assaymark.core.errors import InputError, UnavailableError
    from assaymark.sandbox.pool import Sandbox
    from assaymark.scanning.config import apply_ignores
    from assaymark.service.scan import from_stdin, is_remote, scan_remote, scan_with, unread
    from assaymark.store.scan_cache import ScanCache, cache_folder, scanner_identity
    from assaymark.ui.cli.progress import Progress
    from assaymark.ui.report.scan_results import ScanResult

    found = []
    cache = ScanCache(cache_folder(), scanner_identity, allow) if cached else None
    with Sandbox(batch=True, allow=allow) as sandbox, Progress("scanning", "files") as progress, ExitStack() as stack:
        for path in paths:
            try:
                if is_remote(path):
                    report = scan_remote(sandbox, path, progress.update)
                else:
                    place = stack.enter_context(from_stdin()) if path == _STDIN else Path(path)
                    report = scan_with(sandbox, place, progress.update, cache)
            except (InputError, UnavailableError) as error:
                if len(paths) == 1:
                    raise
                found.append(ScanResult(path, unread(path, error), unsigned=is_remote(path)))
                continue
            opinions: tuple[Opinion, ...] = ()
            if names:
                from assaymark.service.opinions import opinions_at

                with Progress("asking", "scanners") as asking:
                    opinions = opinions_at(place, names, report.inert, asking.update)
            report, ignored = apply_ignores(report, config)
            found.append(ScanResult(path, report, ignored, unsigned=is_remote(path), opinions=opinions))
    return tuple(found)


def _sarif(results: ScanResults) -> str:
    import json

    from assaymark.ui.report.sarif import sarif_document

    return json.dumps(sarif_document(results), indent=2) + "\n"
