"""Says what a release has by its sources alone: ``python probe_source.py PROBE VERSION WHEEL > probes/torch-VERSION.json``.

For releases too large to install. Each name that PROBE (of an installed release) has is looked for in the wheel's
Python files; what unpickling calls on a class is taken from PROBE where the class and its methods of those names are
the same in number. Names of C++ are taken over: only an installed release can tell.
"""

from __future__ import annotations

import ast
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

WATCHED = {"__new__", "__setstate__", "__reduce__", "__reduce_ex__", "__getattr__", "__del__", "__getinitargs__"}


def defined(text: str) -> dict[str, set[str]]:
    """Top-level classes and functions with the watched methods that they define."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            methods = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
            found[node.name] = methods & WATCHED
            found.update({f"{node.name}.{method}": set() for method in methods})
        elif isinstance(node, ast.FunctionDef):
            found.setdefault(node.name, set())
    return found


def main() -> None:
    """Print the record."""
    base: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    archive = zipfile.ZipFile(sys.argv[3])
    files = set(archive.namelist())
    known: dict[str, dict[str, set[str]] | None] = {}

    def has(entry: str) -> bool:
        module, _, name = entry.partition(":")
        if module not in known:
            stem = module.replace(".", "/")
            path = next((path for path in (f"{stem}.py", f"{stem}/__init__.py") if path in files), None)
            known[module] = defined(archive.read(path).decode()) if path else None
        names = known[module]
        return (
            names is None or name in names or module in ("torch", "torch.storage", "torch._C", "torch.nn.functional")
        )

    def same(entry: str, features: dict[str, Any]) -> bool:
        module, _, name = entry.partition(":")
        names = known[module]
        if names is None or name not in names:
            return False
        own = {method for method in WATCHED if features[method] == f"{module}.{name}"}
        return names[name] <= own

    classes = {entry: features for entry, features in base["classes"].items() if has(entry) and same(entry, features)}
    collected = {key: [entry for entry in entries if has(entry)] for key, entries in base["collected"].items()}
    json.dump(
        {
            "version": sys.argv[2],
            "classes": classes,
            "collected": collected,
            "failed": [],
            "exists": [e for e in base["exists"] if has(e)],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
