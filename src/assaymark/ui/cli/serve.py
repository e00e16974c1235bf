"""``assaymark serve admission``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import add_action, add_environment, add_key, add_workspace, completes_files

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

EXAMPLES: Final = """\
  assaymark serve admission --for production --tls-cert tls.crt --tls-key tls.key
  assaymark serve admission --for production --namespace staging=staging --namespace lab=dev --require-model \\
      --workspace /workspace --tls-cert /tls/tls.crt --tls-key /tls/tls.key --client-ca /tls/clients.crt

It serves until SIGTERM: POST /validate (AdmissionReview v1), GET /healthz, GET /readyz. Manifests are in deploy/.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``serve``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    admission = add_action(
        actions, "admission", "answer a Kubernetes API server whether the models that an object names may run", run
    )
    add_environment(admission)
    admission.add_argument(
        "--namespace",
        action="append",
        default=[],
        metavar="NS=ENV",
        help="the environment of one namespace, in place of --for; repeatable",
    )
    add_workspace(admission)
    admission.add_argument("--root", metavar="DIGEST", help="the root digest that you pinned")
    for flag, text in (
        ("--tls-cert", "the certificate chain, PEM; read again when it changes"),
        ("--tls-key", "its private key, PEM, without a passphrase"),
    ):
        completes_files(admission.add_argument(flag, metavar="FILE", required=True, help=text))
    completes_files(
        admission.add_argument(
            "--client-ca", metavar="FILE", help="answer only to client certificates that this authority issued"
        )
    )
    admission.add_argument(
        "--listen", metavar="HOST:PORT", default="0.0.0.0:8443", help="where (default: 0.0.0.0:8443)"
    )
    admission.add_argument("--require-model", action="store_true", help="refuse a pod that names no model")
    admission.add_argument(
        "--refresh", metavar="TIME", default="1s", help="how often the log is looked at (default: 1s)"
    )
    completes_files(
        admission.add_argument(
            "--spool",
            metavar="DIR",
            help="where attempts wait for `log collect` (default: $XDG_STATE_HOME/assaymark/spool)",
        )
    )
    admission.add_argument("--point", metavar="NAME", help="the cluster's name in attempts (default: the host's)")
    add_key(admission, "key that signs attempts (default: the workspace's service key)")
    add_examples(admission, EXAMPLES)
    add_examples(parser, EXAMPLES)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Serve until a signal."""
    from assaymark.ui.cli.webhook import serve_admission

    return serve_admission(args, outputs)
