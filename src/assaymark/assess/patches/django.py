"""Patches of views of Django: only who has signed in is answered, by the framework's own decorators and permissions.

They are written where settings of the input have ``django.contrib.auth``, without which nobody could sign in.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from assaymark.assess.patch import Patch, Place
from assaymark.assess.patches.tree import Function, Parsed, function_at, indent_at, inserted_imports, spliced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.inputs import Inputs

_TITLE: Final = "answer who has signed in"
_AUTH: Final = re.compile(rb"""^[ \t]{0,20}["']django\.contrib\.auth["']""", re.MULTILINE)
_MIDDLEWARE: Final = b"django.contrib.auth.middleware.AuthenticationMiddleware"
_LOGIN: Final = "from django.contrib.auth.decorators import login_required"
_METHOD: Final = "from django.utils.decorators import method_decorator"
_PERMISSION: Final = "from rest_framework.permissions import IsAuthenticated"
_CLASSES: Final = "from rest_framework.decorators import permission_classes"
_OPEN: Final = frozenset(("AllowAny", "IsAuthenticatedOrReadOnly", "DjangoModelPermissionsOrAnonReadOnly"))
_REST: Final = re.compile(r"(?:API|Model|ReadOnly|Generic)?\w*(?:APIView|ViewSet)$")


def signed_in(place: Place, file: Parsed) -> Iterator[Patch]:
    """What keeps others out of the view that the finding names."""
    if not place.inputs.once(_has_users):
        return
    found = function_at(place)
    owner = found[1] if found is not None else _class_at(place, file)
    if owner is not None:
        yield from _of_class(place, file, owner)
    elif found is not None:
        yield from _of_function(place, file, found[0])


def _has_users(inputs: Inputs) -> bool:
    """Whether settings have users and sign-in."""
    return any(_AUTH.search(file.data) and _MIDDLEWARE in file.data for file in inputs.named(".py"))


def _class_at(place: Place, file: Parsed) -> ast.ClassDef | None:
    return next(
        (node for node in file.tree.body if isinstance(node, ast.ClassDef) and node.lineno == place.line), None
    )


def _of_function(place: Place, file: Parsed, function: Function) -> Iterator[Patch]:
    names = {_called(one): one for one in function.decorator_list}
    indent = indent_at(place, function.lineno)
    first = min((one.lineno for one in function.decorator_list), default=function.lineno)
    if "api_view" in names:
        said = names.get("permission_classes")
        if said is not None:
            yield from _instead(place, file, said.args[0] if isinstance(said, ast.Call) and said.args else None)
            return
        line = (names["api_view"].end_lineno or first) + 1
        text = f"{indent}@permission_classes([IsAuthenticated])"
        yield from _with(place, file, Patch(_TITLE, place.path, line, 0, (text,), safe=False), _CLASSES, _PERMISSION)
        return
    if "csrf_exempt" in names or isinstance(function, ast.AsyncFunctionDef):
        return  # for machines, which do not sign in on a page; and older releases do not await what they wrap
    text = f"{indent}@login_required"
    yield from _with(place, file, Patch(_TITLE, place.path, first, 0, (text,), safe=False), _LOGIN)


def _of_class(place: Place, file: Parsed, owner: ast.ClassDef) -> Iterator[Patch]:
    values = {
        target.id: line.value
        for line in owner.body
        if isinstance(line, ast.Assign)
        for target in line.targets
        if isinstance(target, ast.Name)
    }
    without = values.get("authentication_classes")
    if isinstance(without, (ast.List, ast.Tuple)) and not without.elts:
        return
    bases = [ast.unparse(one).rpartition(".")[2] for one in owner.bases]
    if "permission_classes" in values:
        yield from _instead(place, file, values["permission_classes"])
    elif any(_REST.fullmatch(base) for base in bases):
        line = _body_of(owner)
        if line <= owner.lineno:
            return
        text = f"{indent_at(place, owner.body[0].lineno)}permission_classes = [IsAuthenticated]"
        yield from _with(place, file, Patch(_TITLE, place.path, line, 0, (text,), safe=False), _PERMISSION)
    elif any(base.endswith("View") for base in bases) and not _awaits(owner):
        first = min((one.lineno for one in owner.decorator_list), default=owner.lineno)
        text = f'{indent_at(place, owner.lineno)}@method_decorator(login_required, name="dispatch")'
        yield from _with(place, file, Patch(_TITLE, place.path, first, 0, (text,), safe=False), _LOGIN, _METHOD)


def _awaits(owner: ast.ClassDef) -> bool:
    return any(isinstance(one, ast.AsyncFunctionDef) for one in owner.body)


def _body_of(owner: ast.ClassDef) -> int:
    """The line of the first statement behind the docstring."""
    first = owner.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return (first.end_lineno or first.lineno) + 1 if first.lineno > owner.lineno else 0
    decorators: list[ast.expr] = getattr(first, "decorator_list", [])
    return min((first.lineno, *(one.lineno for one in decorators)))


def _instead(place: Place, file: Parsed, said: ast.expr | None) -> Iterator[Patch]:
    """Permission classes that refuse strangers, in place of those that let all in."""
    if isinstance(said, (ast.List, ast.Tuple)) and all(_called(one) in _OPEN for one in said.elts):
        yield from _with(place, file, spliced(place, [(said, "[IsAuthenticated]")], _TITLE), _PERMISSION)


def _called(node: ast.expr) -> str:
    inner = node.func if isinstance(node, ast.Call) else node
    return inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", "")


def _with(place: Place, file: Parsed, patch: Patch, *imports: str) -> Iterator[Patch]:
    """A patch, and each import that it needs and the file does not have."""
    where = inserted_imports(place, ())
    if where is None or where[0] > patch.line:
        return
    missing = [one for one in imports if one.rpartition(" ")[2] not in _from(file, where[0])]
    yield patch
    for one in missing:
        yield Patch(one, place.path, where[0], 0, (one,), safe=False, beside=True)


@lru_cache(maxsize=16)
def _from(file: Parsed, line: int) -> frozenset[str]:
    """The names that imports above a line bring from modules."""
    return frozenset(
        alias.name
        for node in file.tree.body
        if isinstance(node, ast.ImportFrom) and node.lineno < line
        for alias in node.names
        if alias.asname is None
    )
