"""Condenses AWS's managed policies into src/assaymark/assess/aws/data/managed.json: names and statements, no more.

Usage: python tools/aws_actions/managed.py VERSION DATE   (with moto of that version installed, and its date)

moto carries the policies as AWS publishes them. Policies for service-linked roles cannot be attached by anyone and are
left out; Sid is left out; statements that allow the same on the same are one.
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


def main(version: str, date: str) -> None:
    """Writes the table."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    policies = json.loads(aws_managed_policies_data)
    table = {
        name: condensed(policy["Document"]["Statement"])
        for name, policy in sorted(policies.items())
        if policy.get("Path") != "/aws-service-role/"
    }
    source = f"AWS managed policies as of moto {version} ({date})"
    lines = ",\n".join(
        f"{json.dumps(name)}:{json.dumps(value, separators=(',', ':'))}" for name, value in table.items()
    )
    TARGET.write_text(f'{{"source":{json.dumps(source)},"policies":{{\n{lines}\n}}}}\n')
    print(len(table), TARGET.stat().st_size)


if __name__ == "__main__":
    main(*sys.argv[1:])
