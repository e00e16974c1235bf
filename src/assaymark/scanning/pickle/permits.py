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
from assaymark.scanning.pickle.sparse import sparse

__all__ = ["PACKAGES", "PERMITS", "Library", "Permit", "allowed_name", "libraries"]

# Each file, and the packages whose names it lists; every name of a package is in one file, so that a file is parsed
# when the first of its names is met. What is in no package of a library is the standard library's.
_FILES: Final[dict[str, tuple[str, ...]]] = {
    "python": (),
    "numpy": ("numpy",),
    "scipy": ("scipy",),
    "scikit_learn": ("sklearn", "_loss"),
    "joblib": ("joblib",),
    "pandas": ("pandas", "pytz", "dateutil"),
    "xgboost": ("xgboost",),
    "lightgbm": ("lightgbm",),
    "catboost": ("catboost",),
    "torch": ("torch",),
    "tokenizers": ("tokenizers",),
    "transformers": ("transformers", "accelerate"),
}
PACKAGES: Final = frozenset(package for packages in _FILES.values() for package in packages)


@dataclass(frozen=True, slots=True)
class Library:
    """One file: the library, the releases it was made from, what was left out and why, how many names it lists."""

    name: str
    versions: tuple[str, ...]
    left_out: tuple[str, ...]
    names: int


@dataclass(frozen=True, slots=True)
class _Group:
    """Names of equal uses."""

    uses: list[str]
    kind: str


class _Table(Mapping[tuple[str, str], Permit]):
    """(module, qualified name) to its permit. A file is parsed, and a permit made, when it is first asked for."""

    def __init__(self, texts: dict[str, bytes]) -> None:
        self._texts = texts
        self._file_of = {package: file for file, packages in _FILES.items() for package in packages}
        self._groups: dict[tuple[str, str], _Group] = {}
        self._made: dict[tuple[str, str], Permit] = {}
        self._libraries: dict[str, Library] = {}

    def library(self, file: str) -> Library:
        """Parse one file, once."""
        known = self._libraries.get(file)
        if known is not None:
            return known
        document = json.loads(self._texts.pop(file))
        before = len(self._groups)
        for entry in document["groups"]:
            group = _Group(entry["uses"], entry.get("kind", ""))
            for module, names in entry["names"].items():
                for name in names:
                    self._groups[module, name] = group
        names_listed = len(self._groups) - before
        made = Library(document["library"], tuple(document["versions"]), tuple(document["left_out"]), names_listed)
        self._libraries[file] = made
        return made

    def _group(self, key: tuple[str, str]) -> _Group | None:
        self.library(self._file_of.get(key[0].split(".", 1)[0], "python"))
        return self._groups.get(key)

    def __getitem__(self, key: tuple[str, str]) -> Permit:
        made = self._made.get(key)
        if made is None:
            group = self._group(key)
            if group is None:
                raise KeyError(key)
            dotted = f"{key[0]}.{key[1]}"
            made = self._made[key] = make_permit(group.kind or dotted, group.uses, _CHECKS, dotted)
        return made

    def __contains__(self, key: object) -> bool:
        match key:
            case (str() as module, str() as name):
                return self._group((module, name)) is not None
        return False

    def __iter__(self) -> Iterator[tuple[str, str]]:
        self.all()
        return iter(self._groups)

    def __len__(self) -> int:
        self.all()
        return len(self._groups)

    def all(self) -> tuple[Library, ...]:
        """Every file."""
        return tuple(self.library(file) for file in _FILES)


def _attribute(arguments: tuple[Value, ...]) -> Value:
    """``getattr(Class, "name")`` of protocols 0 to 3, where ``Class.name`` is itself listed."""
    match arguments:
        case (Global() as owner, str() as name) if owner.permit is not None:
            permit = PERMITS.get((owner.module, f"{owner.name}.{name}"))
            if permit is not None:
                dotted = f"{owner.name}.{name}"
                raw = f"{owner.raw}.{name}"
                return Global(
                    owner.module, dotted, raw, owner.offset, owner.opcode, permit=permit, value=permit.value
                )
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
    "torch.sparse": sparse,
    "joblib.wrapper": joblib_permits.wrapper,
    "joblib.wrapper_state": joblib_permits.wrapper_build,
}


def _read() -> dict[str, bytes]:
    """The files, through the loader of this module, which works from a folder, a wheel and a zip archive alike."""
    loader: Any = __spec__.loader  # a module that is imported has one
    folder = __file__.removesuffix("permits.py") + "allow/"
    return {file: loader.get_data(f"{folder}{file}.json") for file in _FILES}


_TABLE: Final = _Table(_read())
PERMITS: Final[Mapping[tuple[str, str], Permit]] = _TABLE


def libraries() -> tuple[Library, ...]:
    """What the lists are, for documents and tests."""
    return _TABLE.all()


def allowed_name(module: str, name: str) -> bool:
    """Whether the lists permit any use of ``module.name``. Formats that name types without a use ask this."""
    return (module, name) in PERMITS
