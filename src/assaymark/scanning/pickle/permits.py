"""The reviewed table of what a pickle may import, and what it may do with each: everything else is refused.

The table is data: one file a library in ``allow/``, which says by which releases it was made and what was left out.
``shapes`` is the language of its uses; checks that no shape can say are code here, by name. The files are read when
this module is imported, because whoever judges hostile bytes may open nothing later; a use is parsed when a name of
its group is first met.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from assaymark.formats.pickle.values import Global, Instance, Value, describe
from assaymark.scanning.pickle import (
    booster_checks,
    joblib_permits,
    numpy_permits,
    pandas_checks,
    python_checks,
    scipy_checks,
    torch_permits,
)
from assaymark.scanning.pickle.permit import Permit
from assaymark.scanning.pickle.refusal import Refused
from assaymark.scanning.pickle.shapes import make_permit

__all__ = ["LIBRARIES", "PERMITS", "Library", "Permit", "allowed_name"]

_FILES: Final = (
    "python",
    "numpy",
    "scipy",
    "scikit_learn",
    "joblib",
    "pandas",
    "xgboost",
    "lightgbm",
    "catboost",
    "torch",
    "tokenizers",
    "transformers",
)


@dataclass(frozen=True, slots=True)
class Library:
    """One file: the name of the library, the releases it was made from, and how many names it lists."""

    name: str
    versions: tuple[str, ...]
    names: int


@dataclass(frozen=True, slots=True)
class _Group:
    """Names of equal uses."""

    uses: list[str]
    kind: str


class _Table(Mapping[tuple[str, str], Permit]):
    """(module, qualified name) to its permit, which is made when it is first asked for."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], _Group] = {}
        self._made: dict[tuple[str, str], Permit] = {}

    def add(self, document: dict[str, Any]) -> Library:
        """List what one file says."""
        before = len(self._groups)
        for entry in document["groups"]:
            group = _Group(entry["uses"], entry.get("kind", ""))
            for module, names in entry["names"].items():
                for name in names:
                    self._groups[module, name] = group
        return Library(document["library"], tuple(document["versions"]), len(self._groups) - before)

    def __getitem__(self, key: tuple[str, str]) -> Permit:
        made = self._made.get(key)
        if made is None:
            group = self._groups[key]
            dotted = f"{key[0]}.{key[1]}"
            made = self._made[key] = make_permit(group.kind or dotted, group.uses, _CHECKS, dotted)
        return made

    def __contains__(self, key: object) -> bool:
        return key in self._groups

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)


def _attribute(arguments: tuple[Value, ...]) -> Value:
    """``getattr(Class, "name")`` of protocols 0 to 3, where ``Class.name`` is itself listed."""
    match arguments:
        case (Global() as owner, str() as name) if owner.permit is not None:
            permit = PERMITS.get((owner.module, f"{owner.name}.{name}"))
            if permit is not None:
                dotted = f"{owner.name}.{name}"
                return Global(owner.module, dotted, f"{owner.raw}.{name}", owner.offset, owner.opcode, permit=permit)
            raise Refused(f"for {name[:80]!r} of {owner.dotted}")
        case (Instance(kind=kind), str() as name) if scipy_checks.has_method(kind, name):
            return Instance("bound method")
    raise Refused(f"of {describe(arguments[0]) if arguments else 'nothing'}")


_CHECKS: Final[dict[str, Callable[..., Value]]] = {
    **python_checks.CHECKS,
    "python.getattr": _attribute,
    **numpy_permits.CHECKS,
    **booster_checks.CHECKS,
    **pandas_checks.CHECKS,
    **scipy_checks.CHECKS,
    **torch_permits.CHECKS,
    "joblib.wrapper": joblib_permits.wrapper,
    "joblib.wrapper_state": joblib_permits.wrapper_build,
}


def _load() -> tuple[_Table, tuple[Library, ...]]:
    """Read the files through the loader of this module, which works from a folder, a wheel and a zip archive alike."""
    loader: Any = __spec__.loader  # type: ignore[name-defined]  # a module that is imported has one
    folder = __file__.removesuffix("permits.py") + "allow/"
    table = _Table()
    libraries = [table.add(json.loads(loader.get_data(f"{folder}{name}.json"))) for name in _FILES]
    return table, tuple(libraries)


_loaded: Final = _load()
PERMITS: Final[Mapping[tuple[str, str], Permit]] = _loaded[0]
LIBRARIES: Final = _loaded[1]


def allowed_name(module: str, name: str) -> bool:
    """Whether the lists permit any use of ``module.name``. Formats that name types without a use ask this."""
    return (module, name) in PERMITS
