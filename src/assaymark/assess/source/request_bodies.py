"""What a handler reads of a request, and whether anything bounds its size."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.source.modules import Function, Module, Project

NINJA: Final = "Django Ninja"
TYPED: Final = ("FastAPI", NINJA)  # which fill a handler's parameters by their types
_BODY: Final = frozenset(
    (
        *(
            "json",
            "get_json",
            "get_body",
            "data",
            "get_data",
            "form",
            "files",
            "values",
            "body",
            "stream",
            "post",
            "read",
            "text",
        ),
        *("POST", "FILES", "forms", "rfile", "receive_text", "receive_json", "receive_bytes", "multipart", "media"),
    )
)
_REQUESTS: Final = frozenset(("request", "req", "websocket", "ws"))
_MODELS: Final = frozenset(
    (
        "pydantic.BaseModel",
        "pydantic.main.BaseModel",
        "sqlmodel.SQLModel",
        "pydantic.RootModel",
        "ninja.Schema",
        "ninja.ModelSchema",
    )
)
_GIVEN: Final = frozenset(
    (
        *("fastapi.Body", "fastapi.Form", "fastapi.File", "fastapi.UploadFile", "fastapi.param_functions.Body"),
        *("ninja.Body", "ninja.Form", "ninja.File", "ninja.UploadedFile", "ninja.files.UploadedFile"),
        *("ninja.PatchDict", "ninja.BodyEx", "ninja.FormEx", "ninja.FileEx"),
    )
)
_BOUNDS: Final = frozenset(("max_length", "le", "lt", "max_items", "max_digits", "pattern", "regex"))
_SIZED: Final = re.compile(
    r"content[-_]length|max_(?:body|size|length|bytes|len|content|upload|file|items|batch|chars|tokens?_in)\w*|MAX_\w+"
    r"|\b413\b|REQUEST_ENTITY_TOO_LARGE|CONTENT_TOO_LARGE|too_large|size_limit",
    re.IGNORECASE,
)
_BOUNDED: Final = frozenset(
    (
        *(
            "int",
            "float",
            "bool",
            "date",
            "datetime",
            "time",
            "UUID",
            "UUID4",
            "Decimal",
            "None",
            "Literal",
            "timedelta",
        ),
        *("PositiveInt", "NegativeInt", "NonNegativeInt", "PositiveFloat", "NonNegativeFloat", "conint", "confloat"),
        *("EmailStr", "HttpUrl", "AnyUrl", "IPvAnyAddress", "StrictInt", "StrictFloat", "StrictBool"),
    )
)
_HOLDS: Final = frozenset(("Optional", "Union", "Annotated", "Final", "ClassVar"))
_FRAMEWORK_LIMITS: Final = frozenset(
    ("aiohttp", "Django", "BentoML", "Tornado", "Sanic", "Azure Functions")
)  # bound what they read by default


def reads_body(
    project: Project, module: Module, function: Function, framework: str, methods: tuple[str, ...]
) -> bool:
    """Whether a handler gets what a client sends, beside the path and its parameters."""
    if framework in ("BentoML", "Gradio"):
        return True
    if framework in TYPED and any(True for _ in body_parameters(project, module, function, methods)):
        return True
    for node in _nodes(function):
        if isinstance(node, ast.Attribute) and node.attr in _BODY:
            base = node.value
            name = base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else ""
            if name in _REQUESTS or (name == "self" and node.attr == "rfile"):
                return True
        if isinstance(node, ast.Attribute) and node.attr in ("get_argument", "get_body_argument", "get_json"):
            return True
    return False


def body_parameters(
    project: Project, module: Module, function: Function, methods: tuple[str, ...]
) -> Iterator[tuple[str, ast.expr | None]]:
    """The parameters that FastAPI fills from the body, with their types."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    defaults: dict[str, ast.expr | None] = {}
    positional = [*arguments.posonlyargs, *arguments.args]
    for one, value in zip(reversed(positional), reversed(arguments.defaults), strict=False):
        defaults[one.arg] = value
    for one, standing in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        defaults[one.arg] = standing
    for one in every:
        default = defaults.get(one.arg)
        kind = module.dotted(default.func) if isinstance(default, ast.Call) else ""
        typed = one.annotation is not None and not kind and _is_body(project, module, one.annotation, methods)
        if kind in _GIVEN or typed:
            yield one.arg, one.annotation


def _is_body(
    project: Project, module: Module, annotation: ast.expr, methods: tuple[str, ...], depth: int = 4
) -> bool:
    alias = _alias(project, module, annotation)
    if alias is not None and depth:
        return _is_body(project, alias[0], alias[1], methods, depth - 1)
    if isinstance(annotation, ast.Subscript):
        inner = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        outer = module.dotted(annotation.value).rpartition(".")[2]
        if outer in ("dict", "Dict", "Mapping") or module.dotted(annotation.value) in _GIVEN:
            return True
        if module.dotted(annotation.value).startswith("ninja."):
            return False
        if outer == "Annotated":
            calls = [module.dotted(one.func) for one in inner[1:] if isinstance(one, ast.Call)]
            if any(call in _GIVEN for call in calls):
                return True
            if any(
                call.rpartition(".")[2] in ("Depends", "Security", "Header", "Query", "Path", "Cookie")
                for call in calls
            ):
                return False
        return any(_is_body(project, module, one, methods, depth) for one in inner[:1])
    if isinstance(annotation, ast.BinOp):
        return _is_body(project, module, annotation.left, methods, depth)
    name = module.dotted(annotation)
    if name in _GIVEN or name in ("dict", "typing.Dict"):
        return True
    known = project.class_of(module, annotation)
    if known is not None:
        bases = set(project.bases(*known))
        return bool(bases & _MODELS) or any(base.endswith(("BaseModel", "Model", "Schema")) for base in bases)
    # A class of a library or of a module that is not in the input, in a handler of requests that have bodies.
    last = name.rpartition(".")[2]
    strange = last[:1].isupper() and not name.startswith(
        ("fastapi", "starlette", "typing", "datetime", "enum", "django.http")
    )
    return strange and last not in _BOUNDED and bool({"POST", "PUT", "PATCH"} & set(methods))


def _alias(project: Project, module: Module, annotation: ast.expr) -> tuple[Module, ast.expr] | None:
    """What a name of a type stands for, in whichever module: ``Caller = Annotated[str, Depends(caller)]``."""
    if not isinstance(annotation, (ast.Name, ast.Attribute)):
        return None
    where, rest = project.where(module, annotation)
    meant = where.values.get(rest)
    return (where, meant) if isinstance(meant, (ast.Subscript, ast.BinOp, ast.Name, ast.Attribute)) else None


def limited(project: Project, module: Module, function: Function, framework: str) -> bool:
    """Whether the framework, the handler, or the types of what it takes bound what a client may send."""
    if framework in _FRAMEWORK_LIMITS:
        return True
    if framework == NINJA:  # Django bounds what it reads, files aside (DATA_UPLOAD_MAX_MEMORY_SIZE)
        files = body_parameters(project, module, function, ("POST",))
        if not any(one is not None and "UploadedFile" in ast.unparse(one) for _, one in files):
            return True
    text = ast.unparse(ast.Module(list(function.body), []))
    if _SIZED.search(text) or any(_measures(node) for node in _nodes(function)):
        return True
    if framework == "FastAPI":
        taken = list(body_parameters(project, module, function, ("POST",)))
        return bool(taken) and all(
            annotation is not None and bounded(project, module, annotation) for _, annotation in taken
        )
    return False


def _measures(node: ast.AST) -> bool:
    """``len(x) > n`` in a condition, or a schema that bounds what is validated."""
    if isinstance(node, (ast.If, ast.Assert)):
        return any(
            isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "len"
            for test in ast.walk(node.test)
            if isinstance(test, ast.Compare)
            and any(isinstance(op, (ast.Gt, ast.GtE, ast.Lt, ast.LtE)) for op in test.ops)
            for one in ast.walk(test)
        )
    return False


def bounded(project: Project, module: Module, annotation: ast.expr, depth: int = 4) -> bool:
    """Whether values of a type have a bounded size."""
    if isinstance(annotation, ast.Constant):
        return annotation.value is None
    alias = _alias(project, module, annotation)
    if alias is not None and depth:
        return bounded(project, alias[0], alias[1], depth - 1)
    if isinstance(annotation, ast.BinOp):
        return all(bounded(project, module, one, depth) for one in (annotation.left, annotation.right))
    if isinstance(annotation, ast.Call):
        return bool({item.arg for item in annotation.keywords} & _BOUNDS)
    if isinstance(annotation, ast.Subscript):
        outer = module.dotted(annotation.value).rpartition(".")[2]
        inner = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        if outer == "Annotated":
            return bounded(project, module, inner[0], depth) or any(_bounds(one) for one in inner[1:])
        if outer == "Literal":
            return True
        return outer in _HOLDS and all(bounded(project, module, one, depth) for one in inner)
    name = module.dotted(annotation).rpartition(".")[2]
    if name in _BOUNDED:
        return True
    known = project.class_of(module, annotation)
    if known is None or not depth:
        return False
    where, owner = known
    if any(base.rpartition(".")[2] in ("Enum", "StrEnum", "IntEnum") for base in project.bases(where, owner)):
        return True
    made = [(where, owner), *_inherited(project, where, owner)]
    fields = {
        ast.unparse(line.target): (place, one, line)
        for place, one in reversed(made)
        for line in one.body
        if isinstance(line, ast.AnnAssign) and not _constant_of_class(line)
    }
    configured = any(re.search(r"max_anystr_length|str_max_length", ast.unparse(one)) for _, one in made)
    return bool(fields) and (configured or all(_field(project, *one, depth - 1) for one in fields.values()))


def _inherited(
    project: Project, module: Module, owner: ast.ClassDef, depth: int = 4
) -> Iterator[tuple[Module, ast.ClassDef]]:
    """The classes of the input that a class gets fields from, nearest first."""
    for base in owner.bases:
        known = project.class_of(module, base)
        if known is not None and known[1] is not owner and depth:
            yield known
            yield from _inherited(project, *known, depth - 1)


def _constant_of_class(line: ast.AnnAssign) -> bool:
    return "ClassVar" in ast.unparse(line.annotation)


def _field(project: Project, module: Module, owner: ast.ClassDef, line: ast.AnnAssign, depth: int) -> bool:
    if line.value is not None and _bounds(line.value):
        return True
    name = line.target.id if isinstance(line.target, ast.Name) else ""
    for method in module.methods.get(owner.name, {}).values():  # a validator of the field that measures it
        if any(name in ast.unparse(one) for one in method.decorator_list if "valid" in ast.unparse(one)):
            return any(isinstance(node, ast.Name) and node.id == "len" for node in ast.walk(method))
    return bounded(project, module, line.annotation, depth)


def _bounds(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and bool({item.arg for item in node.keywords} & _BOUNDS)


def inert(function: Function, methods: tuple[str, ...]) -> bool:
    """Whether a handler answers the same to all: it takes nothing and calls next to nothing."""
    if set(methods) - {"GET", "HEAD", "OPTIONS"}:
        return False
    arguments = [
        one.arg for one in (*function.args.args, *function.args.kwonlyargs) if one.arg not in ("self", "request")
    ]
    if arguments:
        return False
    calls = [node for node in _nodes(function) if isinstance(node, ast.Call)]
    uses = [node for node in _nodes(function) if isinstance(node, ast.Name) and node.id in _REQUESTS]
    return not uses and all(_plain(call) for call in calls)


def _plain(call: ast.Call) -> bool:
    name = ast.unparse(call.func).rpartition(".")[2]
    return name in (
        "jsonify",
        "render_template",
        "JSONResponse",
        "Response",
        "HTMLResponse",
        "dict",
        "str",
        "info",
        "FileResponse",
        "PlainTextResponse",
        "RedirectResponse",
        "redirect",
        "url_for",
        "debug",
        "json_response",
    )


def _nodes(function: Function) -> Iterator[ast.AST]:
    for line in function.body:
        yield from ast.walk(line)
