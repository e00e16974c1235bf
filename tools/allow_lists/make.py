"""Makes ``allow/*.json`` out of the reviews and what probes of several releases recorded: ``python make.py PROBES``.

A class is listed as plain (``new ()``, ``build attributes``) when each release that has it makes it with
``object.__new__``, and everything that unpickling calls on it comes from somewhere that the review accepts. What else
is listed stands in the review by name, with its uses.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

from probe import names_of

HERE = Path(__file__).parent
ALLOW = HERE.parents[1] / "src" / "assaymark" / "scanning" / "pickle" / "allow"
_ALWAYS = {
    "__new__": {"builtins.object", "typing.Generic", "typing.Protocol"},
    "__reduce__": {"builtins.object"},
    "__reduce_ex__": {"builtins.object"},
    "__getattribute__": {f"builtins.{name}" for name in ("object", "tuple", "dict", "list")},
    "__setattr__": None,  # BUILD goes past it where there are no slots
}
_METACLASSES = {"builtins.type", "abc.ABCMeta"}
_CONTAINERS = {"dict": "items", "list": "append"}


def plain_uses(seen: dict[str, Any], accept: dict[str, Any]) -> list[str] | str:
    """The uses of a class that had ``seen`` features, or why it is not listed."""

    def accepted(what: str, who: str, *always: str) -> bool:
        return not who or who in always or any(re.fullmatch(pattern, who) for pattern in accept.get(what, []))

    if seen["exception"]:
        return "an exception"
    if not accepted("metaclass", seen["metaclass"], *_METACLASSES, "enum.EnumType", "enum.EnumMeta"):
        return f"made by {seen['metaclass']}"
    if seen["enum"]:
        return ["call (int|text|float|bool|tuple)"]
    if seen["extension"]:
        return "not written in Python"
    for name in (
        "__setstate__",
        "__getattr__",
        "__del__",
        "__getinitargs__",
        "__reduce__",
        "__reduce_ex__",
        "__getattribute__",
    ):
        who = seen[name]
        if not accepted(name, who, *_ALWAYS.get(name, ())):
            return f"{name} of {who}"
    if seen["fields"] is not None:
        return [f"new ({', '.join(['data'] * seen['fields'])})"]
    builtin = seen["builtin"]
    if builtin and builtin not in _CONTAINERS:
        return f"a {builtin}"
    if not accepted("__new__", seen["__new__"], *_ALWAYS["__new__"], "builtins.dict", "builtins.list"):
        return f"__new__ of {seen['__new__']}"
    build = "build slots" if seen["slots"] and not builtin else "build attributes"
    for who, names in accept.get("barred", {}).items():
        if who in seen["bases"]:
            build += "".join(f" !{name}" for name in names)
    for who, instead in accept.get("build", {}).items():
        if who in seen["bases"]:
            build = instead
    uses = ["new ()", build]
    if builtin:
        for method in ("__setitem__",) if builtin == "dict" else ("append", "extend"):
            if not accepted(method, seen[method], "builtins.dict", "builtins.list", "collections.OrderedDict"):
                return f"{method} of {seen[method]}"
        uses.append(_CONTAINERS[builtin])
    return uses


def make(review: dict[str, Any], probes: list[dict[str, Any]], report: list[str]) -> dict[str, Any]:
    """The document of one library."""
    order = [probe["version"] for probe in probes]
    entries: dict[str, dict[str, Any]] = {}

    def enter(name: str, uses: list[str], versions: list[str], kind: str = "") -> None:
        entries.setdefault(name, {"uses": uses, "kind": kind, "versions": [v for v in order if v in versions]})

    for group in review.get("group", []):
        for name in names_of(group["names"]):
            versions = [probe["version"] for probe in probes if name in probe["exists"]]
            if versions or group.get("unprobed"):
                enter(name, group["uses"], versions or order, group.get("kind", ""))
            else:
                report.append(f"{review['library']}: {name} exists nowhere")
    wanted = review.get("classes", {})
    only = wanted.get("only", "")
    names = sorted({name for probe in probes for name in probe["classes"]})
    for name in names:
        dotted = name.replace(":", ".")
        if any(re.search(pattern, dotted) for pattern in wanted.get("not", [])):
            continue
        if any(name.partition(":")[0] in probe.get("failed", ()) for probe in probes):
            report.append(f"{review['library']}: {dotted} left out: its module cannot be imported in every release")
            continue
        with_it = [probe for probe in probes if name in probe["classes"]]
        if only and not any(set(probe["classes"][name]["bases"]) & set(only) for probe in with_it):
            continue
        results = [plain_uses(probe["classes"][name], wanted) for probe in with_it]
        why = next((result for result in results if isinstance(result, str)), "")
        if why or any(result != results[0] for result in results):
            if name not in entries:
                report.append(f"{review['library']}: {dotted} left out: {why or 'uses differ'}")
            continue
        uses = list(results[0])
        if name.split(":")[1] in wanted.get("value", []) or dotted in wanted.get("value", []):
            uses.insert(0, "import")
        enter(name, uses, [probe["version"] for probe in with_it])
    for number, group in enumerate(review.get("collect", [])):
        for name in sorted({name for probe in probes for name in probe["collected"][str(number)]}):
            if any(
                re.search(pattern, name.replace(":", "."))
                for pattern in [*wanted.get("not", []), *group.get("not", [])]
            ):
                continue
            enter(
                name,
                group["uses"],
                [p["version"] for p in probes if name in p["collected"][str(number)]],
                group.get("kind", ""),
            )
    return {
        "library": review["library"],
        "distributions": review["distributions"],
        "versions": order,
        "left_out": review.get("left_out", []),
        "groups": grouped(entries, order),
    }


def grouped(entries: dict[str, dict[str, Any]], order: list[str]) -> list[dict[str, Any]]:
    """Entries of equal uses, kind and versions in one group, in the order of the first name of each."""
    groups: dict[tuple[object, ...], dict[str, list[str]]] = {}
    for name, entry in entries.items():
        key = (tuple(entry["uses"]), entry["kind"], tuple(entry["versions"]))
        module, _, qualified = name.partition(":")
        groups.setdefault(key, defaultdict(list))[module].append(qualified)
    made = []
    for (uses, kind, versions), modules in groups.items():
        group: dict[str, Any] = {"uses": list(uses)}
        if kind:
            group["kind"] = kind
        group["versions"] = span(list(versions), order)
        group["names"] = {module: sorted(set(names)) for module, names in sorted(modules.items())}
        made.append(group)
    return made


def span(versions: list[str], order: list[str]) -> str | list[str]:
    """``first-last`` when none between is missing, else the list."""
    if versions == order[order.index(versions[0]) : order.index(versions[-1]) + 1]:
        return versions[0] if len(versions) == 1 else f"{versions[0]}-{versions[-1]}"
    return versions


def write(document: dict[str, Any], path: Path) -> None:
    """One group a line."""
    head = {key: value for key, value in document.items() if key != "groups"}
    lines = [json.dumps(group, ensure_ascii=False, separators=(",", ":")) for group in document["groups"]]
    text = json.dumps(head, ensure_ascii=False, indent=1)[:-2] + ',\n "groups": [\n' + ",\n".join(lines) + "\n]}\n"
    path.write_text(text)


def version_key(version: str) -> list[int]:
    """For sorting."""
    return [int(part) for part in re.findall(r"\d+", version)]


def main() -> None:
    """Write every file for which there are probes."""
    folder = Path(sys.argv[1])
    for path in sorted((HERE / "reviewed").glob("*.toml")):
        probes = [json.loads(found.read_text()) for found in folder.glob(f"{path.stem}-*.json")]
        probes = list({probe["version"]: probe for probe in probes}.values())
        probes.sort(key=lambda probe: version_key(probe["version"]))
        report: list[str] = []
        document = make(tomllib.loads(path.read_text()), probes, report)
        write(document, ALLOW / f"{path.stem}.json")
        (folder / f"{path.stem}.report").write_text("\n".join(report) + "\n")
        count = sum(len(names) for group in document["groups"] for names in group["names"].values())
        print(
            f"{path.stem}: {len(probes)} releases, {count} names in {len(document['groups'])} groups, {len(report)} left out"
        )


if __name__ == "__main__":
    main()
