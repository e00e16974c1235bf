"""``assaymark serve admission``, put together: workspace, answers, application, TLS and records of attempts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from assaymark.api import state_folder
from assaymark.core.decision import Outcome, Reason
from assaymark.core.errors import AssaymarkError, InputError, UnavailableError, UsageError, VerificationError
from assaymark.core.names import is_name
from assaymark.enforce.admission import AdmissionApp, Setting
from assaymark.enforce.answers import Answer, Answers
from assaymark.enforce.https import open_socket, serve_https
from assaymark.enforce.record import RecordingThread
from assaymark.enforce.ruling import Ruling
from assaymark.enforce.tls import RenewedTls, TlsFiles
from assaymark.service.asking import Asker
from assaymark.service.policy import current_policy
from assaymark.service.workspace import open_workspace
from assaymark.store.recall import Recall
from assaymark.ui.cli.clock import now
from assaymark.ui.cli.launch import point_name, recorder_for
from assaymark.ui.cli.options import duration, find_workspace, pinned_root
from assaymark.ui.cli.output import YES, Result, emit, note
from assaymark.ui.report.style import printable

if TYPE_CHECKING:
    import argparse
    import socket
    from collections.abc import Callable

    from assaymark.core.attempt import AttemptKind
    from assaymark.service.workspace import Workspace
    from assaymark.ui.report.style import Style


def serve_admission(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Serve until SIGTERM or SIGINT; the result is written when questions are taken.

    Raises:
        UsageError, UnavailableError: it cannot be done as asked; said before anything is served.
    """
    namespaces = environments(args.namespace, args.environment)
    refresh = duration("--refresh", args.refresh)
    workspace = open_workspace(find_workspace(args))
    root = pinned_root(args)
    if root is not None:
        workspace.hold_to(root)
    tls = RenewedTls(
        TlsFiles(Path(args.tls_cert), Path(args.tls_key), Path(args.client_ca) if args.client_ca else None)
    )
    setting = Setting(
        args.environment,
        namespaces,
        args.require_model,
        args.client_ca is not None,
        point_name(args.point),
        workspace.config.tenant,
        workspace.config.origin,
    )
    _warn_of_unknown(workspace, (args.environment, *namespaces.values()))
    answers = Answers(asking(workspace), lambda: workspace.log.checkpoint()[0], refresh=refresh, note=note)
    recorder = recorder_for(args, workspace)
    thread = None if recorder is None else RecordingThread(recorder, now, note)
    record: Callable[[AttemptKind], None] = (lambda _: None) if thread is None else thread.record
    listening = open_socket(args.listen)
    result = _result(setting, listening, workspace)
    try:
        serve_https(
            AdmissionApp(answers, setting, record, note),
            listening,
            tls,
            lambda: _announce(result, args.format, outputs),
            note,
        )
    finally:
        listening.close()
        if thread is not None:
            thread.stop()
    return YES


def _warn_of_unknown(workspace: Workspace, environments: tuple[str, ...]) -> None:
    """Say which environments the policy does not have: all is refused there, and a typing error looks the same.

    A log that cannot be read yet is no reason not to serve, and is said by who looks at it.
    """
    try:
        policy = current_policy(workspace).policy
    except AssaymarkError:
        return
    for name in dict.fromkeys(environments):
        if policy.environment(name) is None:
            there = ", ".join(item.name for item in policy.environments)
            note(f"note: the policy has no environment {name!r}, so every model is refused there; it has {there}")


def _announce(result: Result, form: str, outputs: list[tuple[str, Path]]) -> None:
    emit(result, form, outputs)


def environments(words: list[str], default: str) -> dict[str, str]:
    """The environments of ``--namespace NS=ENV``.

    Raises:
        UsageError: ``namespace-form`` or ``name-form``.
    """
    found: dict[str, str] = {}
    for word in words:
        namespace, equals, environment = word.partition("=")
        if not equals or not is_name(namespace) or namespace in found:
            raise UsageError(
                "namespace-form", f"{word!r} is not NS=ENV with a namespace of its own", remedy="such as lab=dev"
            )
        found[namespace] = environment
    for environment in (default, *found.values()):
        if not is_name(environment):
            raise UsageError("name-form", f"{environment!r} is not a name", remedy="1 to 64 of a-z 0-9 . _ -")
    return found


def asking(workspace: Workspace) -> Callable[[str, str], Answer]:
    """What decides about a digest for an environment, from what the log holds now; writes nothing to it."""
    asker = Asker(workspace, Recall(state_folder()))

    def ask(digest: str, environment: str) -> Answer:
        try:
            decision, name = asker.decide(digest, environment, now())
        except VerificationError as error:
            return Answer(_refused(error, Outcome.DENY))
        except (InputError, UnavailableError, UsageError) as error:
            return Answer(_refused(error, Outcome.INDETERMINATE))
        permitted = decision.outcome is Outcome.PERMIT
        return Answer(Ruling(decision.outcome, decision.reasons, decision.valid_until if permitted else 0), name)

    return ask


def _refused(error: Any, outcome: Outcome) -> Ruling:
    return Ruling(outcome, (Reason(error.code, outcome, str(error), error.remedy),))


def _result(setting: Setting, listening: socket.socket, workspace: Workspace) -> Result:
    host, port = listening.getsockname()[:2]
    url = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    document = {
        "schema": "assaymark:serve/v1",
        "url": url,
        "environment": setting.environment,
        "namespaces": dict(setting.namespaces),
        "require_model": setting.require_model,
        "client_certificates": setting.client_certificate,
        "root": workspace.config.root,
        "point": setting.point,
    }

    def text(style: Style) -> str:
        lines = [f"{style('serving', 'bold')}  {url}/validate for {printable(setting.environment)}"]
        lines += [f"  {printable(namespace)}: {printable(env)}" for namespace, env in setting.namespaces.items()]
        return "\n".join(lines)

    return Result(YES, document, text)
