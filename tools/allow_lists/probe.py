"""Says what one installed release of a library has: ``python probe.py reviewed/LIBRARY.toml > probes/LIBRARY-VERSION.json``.

Runs in the environment of that release. For each class of the packages that the review names it records who defines
what unpickling calls: ``__new__``, ``__setstate__``, ``__getattr__``, ``__del__`` and the like. ``make.py`` decides
with that and the review; nothing is decided here.
"""

from __future__ import annotations

import contextlib
import enum
import importlib
import importlib.metadata
import importlib.util
import io
import json
import pkgutil
import re
import sys
import tomllib
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WATCHED = (
    "__new__", "__setstate__", "__reduce__", "__reduce_ex__", "__getattr__", "__getattribute__", "__del__",
    "__getinitargs__", "__setitem__", "append", "extend", "__setattr__",
)  # fmt: skip


# Modules that are there and cannot be imported: what their classes do is not known, so none of them may be listed.
FAILED: set[str] = set()


def modules_of(package: str, exclude: list[str]) -> Iterator[types.ModuleType]:
    """The package and all modules below it that can be imported, but those whose name one of ``exclude`` matches."""
    try:
        root = importlib.import_module(package)
    except (Exception, SystemExit):
        with contextlib.suppress(ModuleNotFoundError):  # of a parent
            if importlib.util.find_spec(package) is not None:
                FAILED.add(package)
        return
    yield root
    for info in pkgutil.iter_modules(getattr(root, "__path__", []), package + "."):
        if any(re.match(pattern, info.name) for pattern in exclude) or re.search(
            r"\.(tests?|conftest|setup)\b", info.name
        ):
            continue
        yield from modules_of(info.name, exclude)


def owner(cls: type, name: str) -> str:
    """Where ``cls`` has its attribute from, as module.Class; empty when it has none."""
    for base in cls.__mro__:
        if name in vars(base):
            return f"{base.__module__}.{base.__qualname__}"
    return ""


def features(cls: type) -> dict[str, Any]:
    """What unpickling an instance of ``cls`` depends on."""
    builtin = next(
        (base.__name__ for base in cls.__mro__ if base.__module__ == "builtins" and base is not object), ""
    )
    return {
        **{name: owner(cls, name) for name in WATCHED},
        "builtin": builtin,
        "exception": issubclass(cls, BaseException),
        "enum": issubclass(cls, enum.Enum),
        "fields": len(cls._fields) if issubclass(cls, tuple) and hasattr(cls, "_fields") else None,
        "extension": not bool(cls.__flags__ & (1 << 9)) or "__pyx_vtable__" in vars(cls) or not _in_python(cls),
        "slots": any(bool(vars(base).get("__slots__")) for base in cls.__mro__ if base is not object),
        "metaclass": f"{type(cls).__module__}.{type(cls).__qualname__}",
        "bases": [f"{base.__module__}.{base.__qualname__}" for base in cls.__mro__],
    }


def _in_python(cls: type) -> bool:
    """Made by a class statement: it has a module with a source file."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", "") or ""
    return file.endswith(".py")


def kind_of(value: object) -> str:
    """One of ufunc, class, function, builtin, other."""
    if type(value).__name__ in ("ufunc", "_ArrayFunctionDispatcher", "fused_cython_function", "MultiUFunc"):
        return "ufunc" if "ufunc" in type(value).__name__.lower() else "function"
    if isinstance(value, type):
        return "class"
    if isinstance(value, types.FunctionType):
        return "function"
    if callable(value) and type(value).__name__ in ("builtin_function_or_method", "cython_function_or_method"):
        return "builtin"
    return "other"


def exists(module: str, name: str) -> bool:
    """Whether ``module.name`` can be imported here."""
    try:
        value: Any = importlib.import_module(module)
        for part in name.split("."):
            value = getattr(value, part)
    except Exception:
        return False
    return True


def probe(review: dict[str, Any]) -> dict[str, Any]:
    """The record of the installed release."""
    classes: dict[str, dict[str, Any]] = {}
    collected: dict[str, list[str]] = {}
    wanted = review.get("classes", {})
    exclude = wanted.get("exclude", [])
    for package in wanted.get("packages", []):
        for module in modules_of(package, exclude):
            for value in list(vars(module).values()):
                if isinstance(value, type) and value.__module__ == module.__name__ and "<" not in value.__qualname__:
                    with contextlib.suppress(Exception):
                        classes[f"{module.__name__}:{value.__qualname__}"] = features(value)
    for number, group in enumerate(review.get("collect", [])):
        found = collected.setdefault(str(number), [])
        for package in group["modules"]:
            for module in (
                modules_of(package, [*exclude, *group.get("exclude", [])])
                if group.get("deep")
                else modules_of(package, [".*"])
            ):
                for name, value in list(vars(module).items()):
                    if kind_of(value) in group["types"] and re.fullmatch(group.get("names", r"[a-zA-Z]\w*"), name):
                        own = getattr(value, "__module__", None) in (module.__name__, None)
                        if (own or group.get("foreign")) and getattr(value, "__name__", name) == name:
                            found.append(f"{module.__name__}:{name}")
    listed = [entry for group in review.get("group", []) for entry in names_of(group["names"])]
    return {
        "version": importlib.metadata.version(review["distributions"][0]).partition("+")[0]
        if review["distributions"]
        else f"{sys.version_info.major}.{sys.version_info.minor}",
        "classes": classes,
        "collected": {key: sorted(set(value)) for key, value in collected.items()},
        "failed": sorted(FAILED),
        "exists": sorted(entry for entry in listed if exists(*entry.split(":"))),
    }


def names_of(lines: list[str]) -> list[str]:
    """``"module: a b"`` as ``["module:a", "module:b"]``."""
    return [
        f"{module}:{name}" for module, _, names in (line.partition(": ") for line in lines) for name in names.split()
    ]


def main() -> None:
    """Print the record of the library whose review is named."""
    warnings.simplefilter("ignore")
    review = tomllib.loads(Path(sys.argv[1]).read_text())
    with contextlib.redirect_stdout(io.StringIO()):
        record = probe(review)
    json.dump(record, sys.stdout)


if __name__ == "__main__":
    main()
