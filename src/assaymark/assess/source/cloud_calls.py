"""Calls of AWS's client library in code: which method of which service's client, with which texts.

A client is what ``boto3.client("s3")``, ``session.client("s3")`` or a resource made so gives, wherever a name of the
input stands for it. One that is handed on (as an argument, from a function, in a container) may be asked anything by
whoever gets it, and is said so: operation ``*``. Source: boto3's documentation, guides "Clients" and "Resources".
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import CloudCall
from assaymark.assess.source.modules import argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.source.modules import Module, Project

_LIBRARIES: Final = ("boto3", "aioboto3", "aiobotocore")
_MAKER: Final = re.compile(
    r"(?:boto3|aioboto3)\.(?:client|resource)|"
    r"(?:(?:aio)?boto3\.(?:session\.)?Session|aiobotocore\.session\.\w+|(?:aio)?boto3\.DEFAULT_SESSION|\w*[sS]ession\w*)(?:\(\))?"
    r"\.(?:client|resource|create_client)"
)
_HOPS: Final = 6
_ATTRIBUTES: Final = ("objects", "buckets", "object_versions", "exceptions", "meta")  # of a client, no methods
# The parts of a resource object that are named when it is made: boto3's resources as parameters of the client.
_PARTS: Final = {
    "Bucket": ("Bucket",),
    "Object": ("Bucket", "Key"),
    "ObjectSummary": ("Bucket", "Key"),
    "Table": ("TableName",),
    "Queue": ("QueueUrl",),
    "Topic": ("TopicArn",),
}
# The parameters of methods that take them by place.
_PLACES: Final = {
    "upload_file": ("", "Bucket", "Key"),
    "upload_fileobj": ("", "Bucket", "Key"),
    "download_file": ("Bucket", "Key"),
    "download_fileobj": ("Bucket", "Key"),
    "copy": ("CopySource", "Bucket", "Key"),
}
_ON_BUCKET: Final = {
    "upload_file": ("", "Key"),
    "upload_fileobj": ("", "Key"),
    "download_file": ("Key",),
    "download_fileobj": ("Key",),
    "copy": ("CopySource", "Key"),
}
_DEPTH: Final = 8  # of a text that is put together


class Client:
    """A client or resource object: its service, and the parameters that its making fixed."""

    def __init__(self, service: str, kind: str = "", parameters: dict[str, str] | None = None) -> None:
        self.service = service
        self.kind = kind
        self.parameters = parameters or {}


def cloud_calls(module: Module, project: Project) -> Iterator[CloudCall]:
    """The calls of a module, in the order in which they are written."""
    if not module.imports(*_LIBRARIES) and not any(
        _from_input(module, project, name) for name in module.names.values()
    ):
        return
    finder = Finder(module, project)
    followed: set[int] = set()
    calls = []
    for call, _ in module.calls:
        function = call.func
        if not isinstance(function, ast.Attribute):
            continue
        client = finder.client(function.value)
        if client is None:
            continue
        followed.add(id(function.value))
        found = _call(finder, client, call, function.attr)
        if found is not None:
            calls.append(CloudCall(client.service, *found, module.because(call)))
    yield from calls
    for node in finder.handed_on(followed):
        client = finder.client(node)
        if client is not None:
            yield CloudCall(client.service, "*", {}, module.because(node))


def _from_input(module: Module, project: Project, name: str) -> bool:
    """Whether an imported name is a value of a module of the input that imports the library."""
    where, rest = project.resolve(module, name)
    return where is not module and rest in where.values and where.imports(*_LIBRARIES)


def _call(finder: Finder, client: Client, call: ast.Call, method: str) -> tuple[str, dict[str, str]] | None:
    """The operation and its parameters; None for what asks nothing of the service."""
    if method in _PARTS or method in ("get_waiter", "can_paginate", "close", "exceptions", "meta"):
        return None
    given = dict(client.parameters)
    if method == "get_paginator":
        return finder.text(argument(call, 0, "operation_name")), given | finder.paginated(call)
    if method == "generate_presigned_url":
        params = argument(call, 1, "Params")
        pairs = zip(params.keys, params.values, strict=True) if isinstance(params, ast.Dict) else ()
        given |= {str(key.value): finder.text(value) for key, value in pairs if isinstance(key, ast.Constant)}
        return finder.text(argument(call, 0, "ClientMethod")), given
    given |= _by_place(finder, client, call, method)
    given |= {item.arg: finder.text(item.value) for item in call.keywords if item.arg is not None}
    if client.kind.endswith("s"):
        return f"list_{client.kind}", given
    return (f"{client.kind.lower()}.{method}" if client.kind in ("Object", "Bucket") else method), given


def _by_place(finder: Finder, client: Client, call: ast.Call, method: str) -> dict[str, str]:
    """The parameters that a method takes by place."""
    if client.kind == "Object":
        return {}
    names = (_ON_BUCKET if client.kind == "Bucket" else _PLACES).get(method, ())
    found = {name: argument(call, index, name) for index, name in enumerate(names) if name}
    return {name: finder.text(value) for name, value in found.items() if value is not None}


class Finder:
    """What expressions of a module stand for."""

    def __init__(self, module: Module, project: Project) -> None:
        self.module = module
        self.project = project
        self._parents = {id(child): node for node in ast.walk(module.tree) for child in ast.iter_child_nodes(node)}
        self._stores = Counter(
            ast.unparse(node)
            for node in ast.walk(module.tree)
            if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store)
        )
        self._ambiguous: set[tuple[int, str]] = set()
        self._assigned = self._assignments()

    def _assignments(self) -> dict[tuple[int, str], ast.expr]:
        """Function (its id) and name to what the function assigns it; 0 for the module."""
        found: dict[tuple[int, str], ast.expr] = {}
        for node in ast.walk(self.module.tree):
            targets: list[ast.expr] = []
            value: ast.expr | None = None
            if isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
                targets, value = [node.target], node.value
            elif isinstance(node, ast.withitem) and node.optional_vars is not None:
                targets, value = [node.optional_vars], node.context_expr
            for target in targets:
                if value is not None and isinstance(target, ast.Name):
                    key = (self._function_of(node), target.id)
                    known = found.setdefault(key, value)
                    if known is not value and key not in self._ambiguous and ast.dump(known) != ast.dump(value):
                        self._ambiguous.add(key)
        return found

    def _function_of(self, node: ast.AST) -> int:
        """The id of the function around a node, 0 for none."""
        around = self._around(node)
        return id(around) if around is not None else 0

    def _around(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
        while (above := self._parents.get(id(node))) is not None:
            if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                return above
            node = above
        return None

    def _scope(self, node: ast.Name) -> int | None:
        """The function, or 0, whose assignment a name means; None for an argument, and for one that means several."""
        around = self._around(node)
        while around is not None:
            given = around.args
            if any(one.arg == node.id for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)):
                return None
            if (id(around), node.id) in self._assigned:
                break
            around = self._around(around)
        key = (id(around) if around is not None else 0, node.id)
        return None if key in self._ambiguous else key[0]

    def _value(self, node: ast.expr) -> tuple[Module, ast.expr] | None:
        """What a name or attribute was assigned: in its function, its module, or where it is imported from."""
        name = ast.unparse(node)
        if isinstance(node, ast.Name):
            scope = self._scope(node)
            if scope is None:
                return None
            if (scope, name) in self._assigned:
                return self.module, self._assigned[scope, name]
        elif name in self.module.values:
            return self.module, self.module.values[name]
        where, rest = self.project.where(self.module, node)
        if where is not self.module and rest in where.values:
            return where, where.values[rest]
        return None

    def client(self, node: ast.AST | None, hops: int = _HOPS) -> Client | None:
        """The client that an expression stands for."""
        if not hops or node is None:
            return None
        if isinstance(node, (ast.Await,)):
            return self.client(node.value, hops - 1)
        if isinstance(node, ast.Call):
            return self._made(self.module, node, hops)
        if isinstance(node, ast.Attribute) and node.attr in _ATTRIBUTES[:3]:
            holder = self.client(node.value, hops - 1)
            return Client(holder.service, node.attr, holder.parameters) if holder is not None else None
        if isinstance(node, (ast.Name, ast.Attribute)):
            found = self._value(node)
            if found is None or found[1] is node:
                return None
            where, value = found
            if where is not self.module:
                return self._made(where, value, hops) if isinstance(value, ast.Call) else None
            return self.client(value, hops - 1)
        return None

    def _made(self, where: Module, node: ast.Call, hops: int) -> Client | None:
        function = node.func
        if not isinstance(function, ast.Attribute):
            return self._maker(where, node)
        if function.attr in _PARTS and where is self.module:
            holder = self.client(function.value, hops - 1)
            if holder is None:
                return None
            given = dict(holder.parameters)
            names = _PARTS[function.attr]
            if function.attr == "Object" and holder.kind == "Bucket":
                names = ("Key",)
            for index, name in enumerate(names):
                value = argument(node, index, name)
                given[name] = self.text(value) if value is not None else "*"
            kind = "Object" if function.attr == "ObjectSummary" else function.attr
            return Client(holder.service, kind, given)
        return self._maker(where, node)

    def _maker(self, where: Module, node: ast.Call) -> Client | None:
        name = where.meaning(node.func)
        if not _MAKER.fullmatch(name) or not where.imports(*_LIBRARIES):
            return None
        service = where.constant(argument(node, 0, "service_name"))
        return Client(service if isinstance(service, str) else "*")

    def handed_on(self, followed: set[int]) -> Iterator[ast.expr]:
        """The expressions that stand for a client and are used otherwise than by a call of a method on them."""
        for node in ast.walk(self.module.tree):
            if not isinstance(node, (ast.Name, ast.Attribute, ast.Call)) or id(node) in followed:
                continue
            if isinstance(node, (ast.Name, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
                continue
            above = self._parents.get(id(node))
            kept = isinstance(above, (ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.withitem, ast.Expr, ast.Await))
            if isinstance(above, ast.For) and above.iter is node:
                continue
            if isinstance(above, ast.Attribute):
                call = self._parents.get(id(above))
                if above.attr in _ATTRIBUTES or (isinstance(call, ast.Call) and call.func is above):
                    continue
            if not kept or self._lost(above):
                yield node

    def _lost(self, above: ast.AST | None) -> bool:
        """Whether what is assigned goes where it is not followed: ``clients["s3"] = …``, or one name for several."""
        targets = above.targets if isinstance(above, ast.Assign) else []
        scope = self._function_of(above) if above is not None else 0
        return any(
            (scope, one.id) in self._ambiguous if isinstance(one, ast.Name) else not isinstance(one, ast.Attribute)
            for one in targets
        )

    def paginated(self, call: ast.Call) -> dict[str, str]:
        """The parameters of ``get_paginator(…).paginate(…)`` where it is called on the spot or by a name."""
        above = self._parents.get(id(call))
        pages = [self._parents.get(id(above))] if isinstance(above, ast.Attribute) else []
        if isinstance(above, ast.Assign) and isinstance(above.targets[0], ast.Name):
            name = above.targets[0].id
            pages = [
                one
                for one, _ in self.module.calls
                if isinstance(one.func, ast.Attribute)
                and one.func.attr == "paginate"
                and isinstance(one.func.value, ast.Name)
                and one.func.value.id == name
            ]
        found: dict[str, str] = {}
        for page in pages:
            for item in page.keywords if isinstance(page, ast.Call) else ():
                if item.arg is not None:
                    found[item.arg] = self.text(item.value) if item.arg not in found else "*"
        return found

    def text(self, node: ast.AST | None, depth: int = _DEPTH) -> str:
        """The text of an expression, ``*`` for each part that the source does not spell out."""
        if not depth or node is None:
            return "*"
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.JoinedStr(values=values):
                return _joined(self.text(one, depth - 1) for one in values)
            case ast.FormattedValue(value=value):
                return self.text(value, depth - 1)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _joined((self.text(left, depth - 1), self.text(right, depth - 1)))
            case ast.Dict():  # CopySource
                parts = {
                    key.value: self.text(value, depth - 1)
                    for key, value in zip(node.keys, node.values, strict=True)
                    if isinstance(key, ast.Constant)
                }
                return f"{parts['Bucket']}/{parts.get('Key', '*')}" if "Bucket" in parts else "*"
            case ast.Name() | ast.Attribute():
                found = self._value(node)
                if found is None or self._stores[ast.unparse(node)] > 1:
                    return "*"
                where, value = found
                if where is self.module and value is not node:
                    return self.text(value, depth - 1)
                return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else "*"
        return "*"


def _joined(parts: Iterator[str] | tuple[str, ...]) -> str:
    return re.sub(r"\*{2,}", "*", "".join(parts))
