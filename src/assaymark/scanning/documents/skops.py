"""Judges ``schema.json`` of a skops file as its loader walks it: each node's type, and what it would import.

Follows ``skops/io/_audit.py`` and ``_general.py``. What skops asks a person to trust is decided here by default deny,
since a person who passes on what ``get_untrusted_types`` lists has decided nothing; and node types have been confused
before.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.scanning.documents import skops_names as known
from assaymark.scanning.notes import shown
from assaymark.scanning.pickle.dangerous import is_dangerous
from assaymark.scanning.pickle.permits import allowed_name

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

_CLASS: Final = re.compile(r"_?[A-Z]\w*")
_MODULE: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_NUMPY_TYPE: Final = re.compile(
    r"ndarray|matrix|dtype|[a-z]+\d+|bool_?|str_|bytes_|void|object_|[A-Z]\w*|intc|intp|longlong|ulonglong|longdouble"
)


def is_node(item: dict[str, Any]) -> bool:
    """Whether a value of JSON is a node of skops."""
    return isinstance(item.get("__loader__"), str) and "__class__" in item


def judge_node(content: Content, item: dict[str, Any]) -> None:
    """Note what loading one node would import and call; its children are nodes of their own."""
    loader, name, module = item["__loader__"], item.get("__class__"), item.get("__module__")
    if not isinstance(name, str) or not isinstance(module, str) or not _MODULE.fullmatch(module):
        _note(content, "skops-unknown", f"a node {shown(loader)} without a class and module")
    elif loader not in known.LOADERS:
        _note(content, "skops-unknown", f"the node type {shown(loader)} is not one of skops")
    elif loader == "MethodNode":
        _method(content, item, module, name)
    elif loader == "OperatorFuncNode":
        _operator(content, module, name)
    elif _is_dangerous(module, name) and (module, name) not in known.STANDARD:
        _note(content, "skops-dangerous", f"{loader} imports {shown(f'{module}.{name}')}, which is known to run code")
    elif loader == "FunctionNode":
        if not _is_function(module, name):
            _note(
                content, "skops-unknown", f"names the function {shown(f'{module}.{name}')}, which nobody has reviewed"
            )
    elif not _is_class(module, name):
        _note(content, "skops-unknown", f"{loader} constructs {shown(f'{module}.{name}')}, which nobody has reviewed")


def _note(content: Content, rule: str, message: str) -> None:
    content.notes.finding(rule, message, member=content.member)


def _is_dangerous(module: str, name: str) -> bool:
    root, _, rest = f"{module}.{name}".partition(".")
    return is_dangerous(module, name) or is_dangerous(root, rest)


def _method(content: Content, item: dict[str, Any], module: str, name: str) -> None:
    inner = item.get("content")
    function = inner.get("func") if isinstance(inner, dict) else None
    target = inner.get("obj") if isinstance(inner, dict) else None
    owner = (target.get("__module__"), target.get("__class__")) if isinstance(target, dict) else (None, None)
    what = f"{module}.{name}.{function}"
    if (
        owner != (module, name)
        or not isinstance(function, str)
        or function.startswith("_")
        or _is_dangerous(module, name)
    ):
        message = f"MethodNode says {shown(what)}, and takes the method of {shown('.'.join(map(str, owner)))}"
        _note(content, "skops-dangerous", message)
    else:
        _note(content, "skops-unknown", f"takes the method {shown(what)}, which nobody has reviewed")


def _operator(content: Content, module: str, name: str) -> None:
    if module != "operator" or name not in ("itemgetter", "attrgetter"):
        what = shown(f"{module}.{name}")
        _note(content, "skops-dangerous", f"OperatorFuncNode calls {what} with arguments of the file")


def _is_function(module: str, name: str) -> bool:
    if module.startswith("numpy"):
        return name in known.NUMPY_FUNCTIONS
    if module.startswith("scipy.special"):
        return name in known.SCIPY_FUNCTIONS
    parts = f"{module}.{name}".split(".")
    inside = any(module == package or module.startswith(f"{package}.") for package in known.FUNCTIONS)
    return inside and known.NOT_OURS.isdisjoint(parts) and not name.startswith("__")


def _is_class(module: str, name: str) -> bool:
    if module == "builtins":
        return name in known.BUILTINS
    if (module, name) in known.STANDARD or allowed_name(module, name):
        return True
    if not known.NOT_OURS.isdisjoint(f"{module}.{name}".split(".")):
        return False
    if module.partition(".")[0] == "numpy":
        return _NUMPY_TYPE.fullmatch(name) is not None
    if module.startswith("scipy.sparse") and re.fullmatch(r"[a-z]{3}_(?:matrix|array)", name):
        return True
    packages = (*known.PACKAGES, *known.BOOSTERS)
    inside = any(module == package or module.startswith(f"{package}.") for package in packages)
    return inside and _CLASS.fullmatch(name) is not None
