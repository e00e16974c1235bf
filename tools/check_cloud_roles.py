"""Holds the tables of Azure's and Google Cloud's own roles against what the platforms publish; rewrites them on request.

Usage: PYTHONPATH=src python tools/check_cloud_roles.py FOLDER [--write AS_OF]

FOLDER has a checkout of iam-dataset (MIT): ``azure/built-in-roles-raw.json``, what ``az role definition list`` writes,
and ``gcp/roles/*.json``, what ``gcloud iam roles describe`` does. Compared is what the product asks: all texts of the
packages that have the form of an action or permission. Said are roles that the tables lack, actions that they wrongly
lack (an answer "no" that is not so) or wrongly grant, and what is asked that no role of the platform names. The exit
code is 1 when something differs. ``--write`` puts the facts into the tables first: names, ids, patterns that fit what
is asked, conditions; no descriptions.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import pkgutil
import re
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1] / "src/assaymark/assess"
AZURE = re.compile(r"(?:data:)?[A-Za-z]+(?:\.[A-Za-z]+)+(?:/[A-Za-z]+)+/(?:read|write|delete|action)", re.IGNORECASE)
GOOGLE = re.compile(r"[a-z]+\.[A-Za-z]+\.[A-Za-z]+")
LISTS = ("actions", "notActions", "dataActions", "notDataActions")
NOWHERE = ("Microsoft.Assaymark/probe/write",)  # what only a role that allows everything allows


def texts(value: object, seen: set[int]) -> Iterator[str]:
    """All texts in a value of a module: of tables, of dataclasses, of what functions are compiled from."""
    if isinstance(value, str):
        yield value
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    inner: list[object] = []
    if isinstance(value, dict):
        inner = [*value, *value.values()]
    elif isinstance(value, (list, tuple, set, frozenset)):
        inner = list(value)
    elif isinstance(value, types.FunctionType):
        inner = [value.__code__]
    elif isinstance(value, types.CodeType):
        inner = list(value.co_consts)
    elif isinstance(value, type):
        inner = list(vars(value).values())
    elif dataclasses.is_dataclass(value):
        inner = [getattr(value, field.name) for field in dataclasses.fields(value)]
    for one in inner:
        yield from texts(one, seen)


def asked(package: str, form: re.Pattern[str]) -> list[str]:
    """What a package asks: its texts of a form."""
    found: dict[str, str] = {}
    seen: set[int] = set()
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        for value in list(vars(importlib.import_module(module.name)).values()):
            ours = getattr(value, "__module__", package).startswith(package)
            if isinstance(value, types.ModuleType) or not ours:
                continue
            for text in texts(value, seen):
                if form.fullmatch(text):
                    found.setdefault(text.lower(), text)
    return sorted(found.values())


def fits(pattern: str, action: str) -> bool:
    """Whether a pattern of Azure fits an action; a star between slashes may stand for nothing.

    So AzureML Data Scientist is kept from ``computes/write`` by ``computes/*/write``, as its page says that it is.
    """
    wild = ".*".join(re.escape(part) for part in pattern.lower().split("*")).replace("/.*/", "/(?:.*/)?")
    return re.fullmatch(wild, action.lower()) is not None


def allows(permission: dict, action: str) -> bool:
    """Whether an entry of a role definition allows an action, its condition aside."""
    name = action.removeprefix("data:")
    wanted, left = ("dataActions", "notDataActions") if name != action else ("actions", "notActions")
    return any(fits(one, name) for one in permission[wanted]) and not any(fits(one, name) for one in permission[left])


def azure_table(real: list[dict], wanted: list[str]) -> dict:
    """Roles by name: id, and the entries that allow something asked, with the patterns that decide it."""
    names = {False: [one for one in wanted if not one.startswith("data:")]}
    names[True] = [one.removeprefix("data:") for one in wanted if one.startswith("data:")]
    roles = {}
    for role in sorted(real, key=lambda one: one["roleName"].lower()):
        entries = []
        for permission in role["permissions"]:
            if not any(allows(permission, one) for one in wanted):
                continue
            entry = {
                key: kept
                for key in LISTS
                if (
                    kept := sorted(
                        {
                            one
                            for one in permission[key]
                            if any(fits(one, name) for name in names["Data" in key or "data" in key])
                        }
                    )
                )
            }
            if permission.get("condition"):
                entry["condition"] = permission["condition"]
            entries.append(entry)
        roles[role["roleName"]] = {"id": role["name"].lower()} | ({"permissions": entries} if entries else {})
    return roles


def written(place: Path, head: dict, tables: dict[str, object]) -> None:
    """Writes a table with an entry a line."""
    lines = [f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}," for key, value in head.items()]
    for key, table in tables.items():
        items = table.items() if isinstance(table, dict) else [(None, one) for one in table]
        rows = [
            (f"{json.dumps(name)}:" if name is not None else "") + json.dumps(value, separators=(",", ":"))
            for name, value in items
        ]
        opens, closes = ("{", "}") if isinstance(table, dict) else ("[", "]")
        lines.append(f"{json.dumps(key)}:{opens}\n" + ",\n".join(rows) + f"\n{closes},")
    text = "\n".join(lines).rstrip(",")
    place.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")
    print(place.name, place.stat().st_size, "bytes")


def check_azure(folder: Path, as_of: str | None) -> int:
    """How much differs on Azure."""
    real = json.loads((folder / "azure/built-in-roles-raw.json").read_bytes())
    wanted = asked("assaymark.assess.azure", AZURE)
    if as_of:
        head = {
            "source": "Azure built-in roles, by way of iam-dataset (MIT): what decides the actions asked",
            "as_of": as_of,
        }
        written(ROOT / "azure/data/roles.json", head, {"asked": wanted, "roles": azure_table(real, wanted)})
    from assaymark.assess.azure.roles import Roles
    from assaymark.assess.azure.roles import allows as product_allows

    roles, count = Roles({}), 0
    for role in real:
        known = roles.get(role["name"].lower())
        if known is None or roles.get(role["roleName"].lower()) != known:
            count += told("azure", "missing", role["roleName"], role["name"])
            continue
        for action in wanted:
            name, data = action.removeprefix("data:"), action.startswith("data:")
            theirs = {one.get("condition") or None for one in role["permissions"] if allows(one, action)}
            ours = {one.condition for one in known.permissions if product_allows(one, name, data=data)}
            if theirs != ours:
                count += told("azure", "lacks" if theirs else "grants", role["roleName"], action)
    names = {one for role in real for entry in role["permissions"] for key in LISTS for one in entry[key]}
    for action in wanted:
        if action not in NOWHERE and not any(
            "*" not in one and fits(one, action.removeprefix("data:")) for one in names
        ):
            print("azure: no role names", action, "by itself")
    return count


def check_google(folder: Path, as_of: str | None) -> int:
    """How much differs on Google Cloud."""
    real = {}
    for path in sorted((folder / "gcp/roles").glob("*.json")):
        value = json.loads(path.read_bytes())
        real[value["name"]] = frozenset(
            one.replace(".googleapis.com/", ".") for one in value.get("includedPermissions") or ()
        )
    every = frozenset().union(*real.values())
    services = {one.partition(".")[0] for one in every}
    words = [one for one in asked("assaymark.assess.gcp", GOOGLE) if one.partition(".")[0] in services]
    wanted = [one for one in words if not one.endswith(".googleapis.com")]
    if as_of:
        head = {
            "source": "Google Cloud predefined roles, by way of iam-dataset (MIT): the permissions asked",
            "as_of": as_of,
        }
        held = {name: sorted(real[name] & set(wanted)) for name in sorted(real)}
        rows = {name: found for name, found in held.items() if found}
        nothing = [name for name, found in held.items() if not found]
        written(ROOT / "gcp/data/roles.json", head, {"asked": wanted, "roles": rows, "nothing": nothing})
    from assaymark.assess.gcp.roles import Roles
    from assaymark.core.graph import State

    roles, count = Roles({}), 0
    for name, permissions in real.items():
        if not roles.known(name):
            count += told("gcp", "missing", name, "")
            continue
        for permission in wanted:
            state = roles.has(name, permission)
            if (state is State.YES) != (permission in permissions) or state is State.UNKNOWN:
                count += told("gcp", "lacks" if permission in permissions else "grants", name, permission)
    for permission in wanted:
        if permission not in every:
            print("gcp: no role holds", permission)
    return count


def told(cloud: str, what: str, role: str, action: str) -> int:
    """Says one difference, and is one."""
    print(f"{cloud}: {what}", role, action)
    return 1


def main(arguments: list[str]) -> int:
    """Compares; what is said goes to standard output."""
    as_of = arguments[arguments.index("--write") + 1] if "--write" in arguments else None
    folder = Path(arguments[0])
    return 1 if check_azure(folder, as_of) + check_google(folder, as_of) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
