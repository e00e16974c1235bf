"""Condenses AWS's managed policies into src/assaymark/assess/aws/data/managed.json: names and statements, no more.

Usage: python tools/aws_actions/managed.py FOLDER DATE

FOLDER has ``aws/managedpolicies/*.json`` of a checkout of iam-dataset (MIT), which has the policies as AWS publishes them, DATE is
its day. Policies for service-linked roles cannot be attached by anyone and are left out; Sid is left out; statements that allow the
same on the same are one. A policy of the present table that FOLDER lacks stays as it is, and is named: some files there are too large for
copies of the repository to hold.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

TARGET = Path(__file__).parents[2] / "src/assaymark/assess/aws/data/managed.json"


def condensed(statements: object) -> list[dict[str, object]]:
    """The statements without their names, a list of one as the one."""
    found: list[dict[str, object]] = []
    for statement in statements if isinstance(statements, list) else [statements]:
        kept = {key: value for key, value in statement.items() if key != "Sid"}
        for key in ("Action", "NotAction", "Resource", "NotResource"):
            if isinstance(kept.get(key), list):
                kept[key] = sorted(set(kept[key]))
                if len(kept[key]) == 1:
                    kept[key] = kept[key][0]
        if kept not in found:
            found.append(kept)
    return found


def main(folder: str, date: str) -> None:
    """Writes the table, and says what stayed and its size."""
    table: dict[str, object] = {}
    names = set()
    for path in sorted((Path(folder) / "aws/managedpolicies").glob("*.json")):
        policy = json.loads(path.read_bytes())
        names.add(policy["name"])
        if "/aws-service-role/" not in (policy.get("arn") or ""):
            table[policy["name"]] = condensed(policy["document"]["Statement"])
    for name, statements in json.loads(TARGET.read_bytes())["policies"].items():
        if name not in names:
            print("stays", name)
            table[name] = statements
    source = f"AWS managed policies, by way of iam-dataset (MIT) of {date}"
    lines = ",\n".join(
        f"{json.dumps(name)}:{json.dumps(value, separators=(',', ':'))}" for name, value in sorted(table.items())
    )
    TARGET.write_text(f'{{"source":{json.dumps(source)},"policies":{{\n{lines}\n}}}}\n')
    print(len(table), TARGET.stat().st_size)


if __name__ == "__main__":
    main(*sys.argv[1:])
