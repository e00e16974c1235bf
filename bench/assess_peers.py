"""What cloudsplaining, parliament and checkov say of the escalations and traps of iam-vulnerable, and at which cost.

A peer has a case right when what it reports as escalation is about a principal or policy of that case, or when it
reports none where there is none. The reading is generous: of parliament its community auditors count, and changing of
permissions as escalation; of checkov a policy counts for the file that it stands in.
"""

from __future__ import annotations

import json
import resource
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PEERS = Path(__file__).parents[1] / ".venv-assess" / "bin"
_ESCALATES = ("PRIVILEGE_ESCALATION", "PERMISSIONS_MANAGEMENT_ACTIONS")
_CHECK = "CKV_AWS_286"  # IAM policies do not allow privilege escalation


def _cloudsplaining(place: Path, _: str) -> Iterator[str]:
    """Who has a policy that it finds to escalate."""
    answer: dict[str, Any] = json.loads(next(place.glob("iam-results-*.json")).read_text())
    for policies in ("inline_policies", "customer_managed_policies", "aws_managed_policies"):
        for policy in answer[policies].values():
            if policy["PrivilegeEscalation"]["findings"]:
                yield from (name for kind in ("users", "roles") for name in policy["AttachedTo"][kind])


def _parliament(_: Path, out: str) -> Iterator[str]:
    for line in out.splitlines():
        if line.startswith("{"):
            said = json.loads(line)
            if said["issue"] in _ESCALATES:
                yield str(said["location"]["filepath"]).rpartition("/")[2]


def _checkov(_: Path, out: str) -> Iterator[str]:
    answer = json.loads(out)
    for report in answer if isinstance(answer, list) else [answer]:
        for check in report["results"]["failed_checks"]:
            if check["check_id"] == _CHECK:
                yield Path(check["file_path"]).stem


def ask_peers(folder: Path, details: str) -> Iterator[tuple[str, set[str] | None, float]]:
    """Each peer's name, the names that it reports (None when it is not installed), and the CPU seconds it took."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        export = place / "account.json"
        export.write_text(details)
        asked: dict[str, tuple[list[str], Callable[[Path, str], Iterator[str]]]] = {
            "cloudsplaining": (
                ["scan", "--input-file", str(export), "--output", name, "--skip-open-report"],
                _cloudsplaining,
            ),
            "parliament": (
                ["--auth-details-file", str(export), "--json", "--include-community-auditors"],
                _parliament,
            ),
            "checkov": (
                ["-d", str(folder), "--quiet", "--compact", "--framework", "terraform", "-o", "json"],
                _checkov,
            ),
        }
        for peer, (arguments, read) in asked.items():
            if not (PEERS / peer).exists():
                yield peer, None, 0.0
                continue
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run(
                [str(PEERS / peer), *arguments], capture_output=True, text=True, check=False, cwd=place
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            yield peer, set(read(place, done.stdout)), took
