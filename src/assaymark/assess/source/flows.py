"""``Flows``: what a client sends, what a model answers and what is secret, followed to logs, files and code.

An abstract run of each function, statement by statement: a variable holds the labels of what it may be made of. Calls
of functions of the input are entered, a few deep; redaction ends a flow, and so does what keeps no content (a
length, a comparison, a number). A call of something that the input does not hold passes on what it gets only when its
name says that it converts: what is unknown is not reported as known.

This is one file because the run of a function is one walk over all kinds of statements and expressions.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import Flow
from assaymark.assess.source import flow_names as names
from assaymark.assess.source.loads import executes
from assaymark.assess.source.modules import argument, keyword, of_lambda, text_of
from assaymark.assess.source.request_bodies import TYPED, body_parameters
from assaymark.assess.source.served_models import seeds
from assaymark.core.limits import SOURCE_MAX_DEPTH, SOURCE_MAX_STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.assess.source.modules import Function, Module, Project
    from assaymark.core.graph import Because

_Labels = frozenset[tuple[str, "Because"]]
_NONE: Final[_Labels] = frozenset()
_REQUEST: Final = "request"
_GLOBAL_REQUESTS: Final = frozenset(("flask.request", "quart.request", "bottle.request", "flask.globals.request"))
_FILTERS: Final = frozenset(("addFilter", "configure", "setFormatter"))
_NAMES_PARTS: Final = frozenset(("Flask", "Quart", *TYPED, "Sanic", "Bottle"))
_REQUEST_TYPES: Final = frozenset(("Request", "HttpRequest", "WebSocket", "HTTPConnection"))
_FILES: Final = frozenset(  # components of Gradio whose values are files that it has put away itself
    f"gradio.{name}" for name in ("File", "UploadButton", "Image", "Audio", "Video", "Model3D", "MultimodalTextbox")
)


class Flows:
    """The flows of a project. ``handlers``: functions that a framework calls, with its name and the route's path.

    ``torch``: the oldest release of PyTorch that the requirements let in, as ``torch_release`` has it.
    """

    def __init__(
        self, project: Project, handlers: dict[int, tuple[str, str]], torch: tuple[int, int] | None = None
    ) -> None:
        self.torch = torch
        self.project = project
        self.handlers = handlers
        self.found: dict[tuple[str, str, Because], Flow] = {}
        self.steps = 0
        self._seen: dict[tuple[int, frozenset[tuple[str, str]]], _Labels] = {}
        self._filtered = {module.path: _filters(module) for module in project.modules}

    def collect(self, module: Module) -> None:
        """Follows what enters the functions of a module, and what its own lines do."""
        self.steps = 0
        for function in module.all_functions:
            self.enter(module, function, self._seeds(module, function), 0)
        _Run(self, module, None, {}, 0).block(module.tree.body)

    def filtered(self, module: Module) -> bool:
        """Whether logs of this module, or of all, pass a filter that redacts."""
        return self._filtered[module.path]

    def _seeds(self, module: Module, function: Function) -> dict[str, _Labels]:
        place = module.because(function)
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        found: dict[str, _Labels] = {}
        framework, path = self.handlers.get(id(function), ("", ""))
        for one in every:
            kind = module.dotted(one.annotation).rpartition(".")[2] if one.annotation is not None else ""
            if kind in _REQUEST_TYPES or (not kind and one.arg in ("request", "req")):
                found[one.arg] = frozenset(((_REQUEST, place),))
        found |= self._sent(module, function, framework)
        if framework in _NAMES_PARTS:
            for one in every:
                typed = module.dotted(one.annotation) if one.annotation is not None else ""
                label = _of_path(path, one.arg, framework)
                if label and one.arg not in found and typed in ("", "str"):
                    found[one.arg] = frozenset(((label, place),))
        if of_lambda(function):
            found[every[0].arg] = frozenset((("body", place),))
        return found

    def _sent(self, module: Module, function: Function, framework: str) -> dict[str, _Labels]:
        """The parameters that a framework fills with what is sent."""
        place = module.because(function)
        found: dict[str, _Labels] = {}
        if framework in TYPED:
            for name, annotation in body_parameters(self.project, module, function, ("POST",)):
                upload = annotation is not None and "Upload" in ast.unparse(annotation)
                found[name] = frozenset((("upload" if upload else "body", place),))
        elif framework in ("BentoML", "Gradio"):
            files = framework == "Gradio" and any(module.dotted(call.func) in _FILES for call, _ in module.calls)
            for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs):
                if one.arg not in ("self", "ctx", "context") and module.dotted(one.annotation) not in names.NUMBERS:
                    found[one.arg] = frozenset((("upload" if files else "body", place),))
        for name, label in seeds(self.project, module, function):
            found[name] = frozenset(((label, place),))
        return found

    def enter(self, module: Module, function: Function, given: dict[str, _Labels], depth: int) -> _Labels:
        """Runs a function; what it returns."""
        key = (id(function), frozenset((name, label) for name, labels in given.items() for label, _ in labels))
        if key in self._seen:
            return self._seen[key]
        self._seen[key] = _NONE
        run = _Run(self, module, function, dict(given), depth)
        run.block(function.body)
        self._seen[key] = run.returned
        return run.returned

    def report(self, labels: _Labels, sink: str, call: str, where: str, place: Because) -> None:
        """Notes what of ``labels`` matters at a sink."""
        for label, origin in sorted(labels):
            if label in names.MATTERS[sink]:
                bare = label.removesuffix(names.PLAIN)
                key = (bare, sink, place)
                self.found.setdefault(key, Flow(bare, sink, call, where, place, origin))


class _Run:
    """One run of one function."""

    def __init__(
        self, flows: Flows, module: Module, function: Function | None, given: dict[str, _Labels], depth: int
    ) -> None:
        self.flows = flows
        self.module = module
        self.function = function
        self.env = given
        self.depth = depth
        self.returned: _Labels = _NONE

    # statements

    def block(self, lines: Iterable[ast.stmt]) -> None:
        for line in lines:
            self.flows.steps += 1
            if self.flows.steps > SOURCE_MAX_STEPS:
                return
            self.statement(line)

    def statement(self, node: ast.stmt) -> None:  # noqa: C901, PLR0912 - one case for each kind of statement
        match node:
            case ast.Assign(targets=targets, value=value):
                labels = self.value(value)
                for target in targets:
                    self.bind(target, labels)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self.bind(target, self.value(value))
            case ast.AugAssign(target=target, value=value):
                self.bind(target, self.value(target) | self.value(value))
            case ast.Return(value=value) if value is not None:
                self.returned |= self.value(value)
            case ast.For(target=target, iter=iterated) | ast.AsyncFor(target=target, iter=iterated):
                self.bind(target, self.value(iterated))
                self.block(node.body)
                self.block([*node.body, *node.orelse])
            case ast.With(items=items) | ast.AsyncWith(items=items):
                for item in items:
                    labels = self.value(item.context_expr)
                    if item.optional_vars is not None:
                        self.bind(item.optional_vars, labels)
                self.block(node.body)
            case ast.If(test=test, body=body, orelse=orelse):
                self.value(test)
                self.branches(body, orelse)
            case ast.While(test=test, body=body, orelse=orelse):
                self.value(test)
                self.block([*body, *body, *orelse])
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                before = dict(self.env)
                self.block([*body, *orelse])
                self.join(before)
                self.branches([], *(handler.body for handler in handlers))
                self.block(final)
            case ast.Match(subject=subject, cases=cases):
                self.value(subject)
                self.branches(*(case.body for case in cases))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                pass  # entered by itself
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.value(child)

    def branches(self, *bodies: list[ast.stmt]) -> None:
        """What any of them may leave."""
        before = dict(self.env)
        after: dict[str, _Labels] = {}
        for body in bodies:
            self.env = dict(before)
            self.block(body)
            for name, labels in self.env.items():
                after[name] = after.get(name, _NONE) | labels
        self.env = after

    def join(self, other: dict[str, _Labels]) -> None:
        """As after one of two: a body may stop anywhere."""
        for name, labels in other.items():
            self.env[name] = self.env.get(name, _NONE) | labels

    def bind(self, target: ast.expr, labels: _Labels) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            for one in target.elts:
                self.bind(one, labels)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, labels)
        elif isinstance(target, ast.Subscript):
            name = ast.unparse(target.value)
            redacted = text_of(target.slice) and not labels and name in self.env
            if not redacted:
                self.env[name] = self.env.get(name, _NONE) | labels
        elif isinstance(target, (ast.Name, ast.Attribute)):
            self.env[ast.unparse(target)] = labels

    # expressions

    def value(self, node: ast.expr | None) -> _Labels:  # noqa: C901, PLR0912 - one case for each kind of expression
        self.flows.steps += 1
        if self.flows.steps > SOURCE_MAX_STEPS:
            return _NONE
        match node:
            case ast.Constant(value=str()):
                return self.env.get(ast.unparse(node), _NONE)  # a file that was fetched under that name
            case None | ast.Constant() | ast.Lambda():
                return _NONE
            case ast.Compare(left=left, comparators=rest):
                for one in (left, *rest):
                    self.value(one)
                return _NONE
            case ast.Name(id=name):
                return self.name(node, name)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Subscript(value=value, slice=index):
                if ast.unparse(node) in self.env:
                    return self.env[ast.unparse(node)]
                return self.part(node, self.value(value), text_of(index), self.module.dotted(value))
            case ast.Call():
                return self.call(node)
            case ast.Await(value=value) | ast.Starred(value=value) | ast.FormattedValue(value=value):
                return self.value(value)
            case ast.NamedExpr(target=target, value=value):
                labels = self.value(value)
                self.bind(target, labels)
                return labels
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.value(test)
                return self.value(body) | self.value(orelse)
            case ast.DictComp(key=key, value=value, generators=generators):
                self.generators(generators)
                return self.value(key) | self.value(value)
            case ast.ListComp(elt=elt) | ast.SetComp(elt=elt) | ast.GeneratorExp(elt=elt):
                self.generators(node.generators)
                return self.value(elt)
        found = _NONE
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                found |= self.value(child)
        return found

    def generators(self, generators: list[ast.comprehension]) -> None:
        for one in generators:
            self.bind(one.target, self.value(one.iter))

    def name(self, node: ast.Name, name: str) -> _Labels:
        if name in self.env:
            return self.env[name]
        if self.module.names.get(name) in _GLOBAL_REQUESTS:
            return frozenset(((_REQUEST, self.module.because(node)),))
        if names.SECRET_NAME.search(name) and name not in self.module.functions:
            return frozenset((("secret", self.module.because(node)),))
        return _NONE

    def attribute(self, node: ast.Attribute) -> _Labels:
        whole = ast.unparse(node)
        if whole in self.env:
            return self.env[whole]
        if self.module.dotted(node) in _GLOBAL_REQUESTS or whole == "self.request":
            return frozenset(((_REQUEST, self.module.because(node)),))
        if self.module.dotted(node) == "streamlit.query_params":
            return frozenset((("query", self.module.because(node)),))
        if whole == "self.rfile":
            return frozenset((("body", self.module.because(node)),))
        found = self.part(node, self.value(node.value), node.attr, "")
        if not found and names.SECRET_NAME.search(node.attr):
            return frozenset((("secret", self.module.because(node)),))
        return found

    def part(self, node: ast.expr, whole: _Labels, name: str, holder: str) -> _Labels:
        """What a field, an attribute or an entry of something has."""
        if holder == "os.environ" and names.SECRET_NAME.search(name.lower()):
            return frozenset((("secret", self.module.because(node)),))
        found: set[tuple[str, Because]] = set()
        for label, origin in whole:
            if label == _REQUEST:
                kind = names.OF_REQUEST.get(name)
                if kind:
                    found.add((kind, self.module.because(node)))
            elif label == "headers":
                secret = not name or names.HEADER.search(name) or name in ("raw", "items", "values")
                found.add((label if secret else f"{label}{names.PLAIN}", origin))
            elif label == "upload" and name == "name" and self.module.imports("gradio"):
                found.add((label, origin))  # where Gradio put the file, which nobody else names
            elif label == "secret" and names.COUNTS.search(name):
                pass  # how many tokens a model was given is no secret of the client that asked it
            elif label in ("body", "query", "upload") and names.PLAIN_FIELD.search(name):
                found.add((label if names.PERSONAL.search(name) else f"{label}{names.PLAIN}", origin))
            else:
                found.add((label, origin))
        return frozenset(found)

    # calls

    def call(self, node: ast.Call) -> _Labels:
        given = [self.value(one) for one in node.args]
        named = {item.arg or "**": self.value(item.value) for item in node.keywords}
        every = frozenset().union(*given, *named.values())
        called = self.module.dotted(node.func)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        last = method or called.rpartition(".")[2]
        self.sinks(node, called, method, given, every)
        holder = self.value(node.func.value) if isinstance(node.func, ast.Attribute) else _NONE
        owner = self.module.owner.get(id(self.function)) if self.function is not None else None
        known = self.flows.project.function(self.module, node.func, owner)
        if names.REDACTS.search(last) and (known is None or not _idle(known[1])):
            return _NONE
        if known is not None and self.depth < SOURCE_MAX_DEPTH:
            return self.enter(known, node, given, named)
        if method in names.STORED and every:
            return self.stored(node, method, every)
        source = self.source(node, called, method, holder)
        if source is not None:
            return source
        if last in names.CLEAN:
            return _NONE
        if names.PREDICTS.search(last):
            return frozenset((("prediction", self.module.because(node)),)) if every or holder else _NONE
        if method in ("get", "pop", "setdefault", "getlist", "__getitem__") and holder:
            return self.part(node, holder, text_of(node.args[0]) if node.args else "", "")
        if method and names.ACTS.search(method) and holder:
            return _NONE
        if method and holder:
            stored = holder | (every if method in names.KEEPS else _NONE)
            return frozenset(one for one in stored if one[0] != _REQUEST)
        if method in names.KEEPS and every and isinstance(node.func, ast.Attribute):
            base = ast.unparse(node.func.value)
            self.env[base] = self.env.get(base, _NONE) | every
        if names.MAKES.search(last) and self.flows.project.class_of(self.module, node.func) is None:
            return frozenset(one for one in every if one[0] != "secret")  # a client that signs in shows nothing of it
        return every if names.CONVERTS.search(last) or (last[:1].isupper() and every) else _NONE

    def stored(self, node: ast.Call, method: str, named: _Labels) -> _Labels:
        """What a store has under a name: whoever chooses the name chooses what it is; where it is put, too."""
        sent = [origin for label, origin in named if label.removesuffix(names.PLAIN) in names.CHOOSES]
        chosen = frozenset(("stored", origin) for origin in sent)
        places = [*node.args, *(item.value for item in node.keywords)] if method.startswith("download_") else []
        for one in places:
            if isinstance(one, (ast.Constant, ast.Name, ast.JoinedStr)) and ast.unparse(one) not in self.env:
                self.env[ast.unparse(one)] = chosen
        return chosen

    def enter(
        self, known: tuple[Module, Function], node: ast.Call, given: list[_Labels], named: dict[str, _Labels]
    ) -> _Labels:
        module, function = known
        parameters = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
        if parameters[:1] in (["self"], ["cls"]):
            parameters = parameters[1:]
        taken = {name: labels for name, labels in zip(parameters, given, strict=False) if labels}
        taken |= {name: labels for name, labels in named.items() if labels and name != "**"}
        if not taken and not any(labels for labels in given):
            taken = {}
        del node
        return self.flows.enter(module, function, taken, self.depth + 1)

    def source(self, node: ast.Call, called: str, method: str, holder: _Labels) -> _Labels | None:
        """What a call brings in by itself; None when it is no source."""
        place = self.module.because(node)
        if called in ("os.getenv", "os.environ.get"):
            name = text_of(node.args[0]).lower() if node.args else ""
            return frozenset((("secret", place),)) if names.SECRET_NAME.search(name) else _NONE
        if names.FETCHES.match(called):
            return frozenset((("fetched", place),))
        if called.startswith("streamlit.") and called.rpartition(".")[2] in names.STREAMLIT:
            return frozenset(((names.STREAMLIT[called.rpartition(".")[2]], place),))
        if any(label == _REQUEST for label, _ in holder):
            kind = names.OF_REQUEST.get(method)
            return frozenset(((kind, place),)) if kind else _NONE
        return None

    def sinks(self, node: ast.Call, called: str, method: str, given: list[_Labels], every: _Labels) -> None:
        """Whether a call is where something should not arrive."""
        if not every:
            return
        first = given[0] if given else every
        where = self.function.name if self.function is not None else "the module"
        place = self.module.because(node)
        sink = self.sink(node, called, method)
        if not sink or (sink == "path" and self.function is not None and _confined(self.function)):
            return
        if sink in ("log", "print"):
            labels = every
            if sink == "log" and self.flows.filtered(self.module):
                return
        elif sink == "file":
            labels = every if method == "writerow" or called.endswith("dump") else first
        else:
            labels = first
        name = called or method
        if sink == "log" and method in ("debug", "trace"):
            name = f"{name} (debug)"
        self.flows.report(labels, sink, name, where, place)

    def sink(self, node: ast.Call, called: str, method: str) -> str:  # noqa: C901 - a table of sinks
        if method in names.LOG_METHODS and self.logger(node):
            return "log"
        if called in names.LOG_CALLS or (
            called.startswith(("mlflow.log_", "wandb.log")) and called != "mlflow.log_metric"
        ):
            return "log"
        if method in ("set_attribute", "set_tag", "set_context", "add_event") and not called.startswith("mlflow."):
            return "log"
        if called in ("print", "pprint.pprint", "rich.print", "sys.stdout.write", "sys.stderr.write"):
            return "print"
        if called in ("eval", "exec", "builtins.eval", "builtins.exec"):
            return "code"
        if called in (
            "os.system",
            "os.popen",
            "commands.getoutput",
            "subprocess.getoutput",
            "asyncio.create_subprocess_shell",
        ):
            return "command"
        if (
            called.startswith("subprocess.")
            and isinstance(keyword(node, "shell"), ast.Constant)
            and _true(keyword(node, "shell"))
        ):
            return "command"
        if called in names.LOADERS or executes(self.module, node, self.flows.torch) is not None:
            return "loader"
        if called in (
            "open",
            "flask.send_file",
            "io.open",
            "fastapi.responses.FileResponse",
            "starlette.responses.FileResponse",
        ):
            return "path"
        if called in ("flask.render_template_string", "jinja2.Template") or called.endswith("from_string"):
            return "template"
        if (
            method in ("execute", "executescript", "executemany", "raw")
            and node.args
            and not isinstance(node.args[0], ast.Constant)
        ):
            return "query"
        if method in ("write", "writelines", "writerow", "write_text") or called in ("json.dump", "csv.writer"):
            return "file" if self.kept(node, called, method) else ""
        return ""

    def logger(self, node: ast.Call) -> bool:
        """Whether the method is one of a logger."""
        function = node.func
        if not isinstance(function, ast.Attribute):
            return False
        called = self.module.meaning(function.value)
        if called in ("logging", "loguru.logger", "structlog"):
            return True
        if called.startswith(("logging.getLogger", "structlog.get", "structlog.stdlib.get", "loguru.")):
            return True
        return bool(names.LOGGER.search(ast.unparse(function.value)))

    def kept(self, node: ast.Call, called: str, method: str) -> bool:
        """Whether what is written to is a file that stays: opened to append, or called a log."""
        target = (
            argument(node, 1, "fp")
            if called == "json.dump"
            else (node.func.value if isinstance(node.func, ast.Attribute) else None)
        )
        if method == "write_text":
            return target is not None and bool(names.LOG_FILE.search(ast.unparse(target)))
        if isinstance(target, ast.Name) and target.id in self.module.values:
            target = self.module.values[target.id]
        for _ in range(3):  # csv.writer(f), f
            if (
                isinstance(target, ast.Call)
                and self.module.dotted(target.func).endswith(("writer", "DictWriter"))
                and target.args
            ):
                inner = target.args[0]
                target = self.module.values.get(inner.id) if isinstance(inner, ast.Name) else inner
        if not isinstance(target, ast.Call) or not self.module.dotted(target.func).endswith("open"):
            return False
        mode = text_of(argument(target, 1, "mode")) or text_of(
            target.args[0] if target.args and ".open" in ast.unparse(target.func) else None
        )
        return "a" in mode or bool(names.LOG_FILE.search(ast.unparse(target.args[0] if target.args else target)))


def _of_path(path: str, name: str, framework: str) -> str:
    """What a parameter of a handler is: of the path, which may hold slashes or not, or of the query in FastAPI."""
    match = re.search(rf"<(?:(\w+)(?:\([^)]*\))?:)?{re.escape(name)}>|\{{{re.escape(name)}(?::(\w+))?\}}", path)
    if match is None:
        return "query" if framework in TYPED else ""
    kind = match[1] or match[2] or "str"
    return {"path": "query", "str": "part", "string": "part"}.get(kind, "")


def _confined(function: Function) -> bool:
    """Whether a function looks at which folder a path is in: ``path.resolve().is_relative_to(base)``."""
    calls = (node for line in function.body for node in ast.walk(line) if isinstance(node, ast.Call))
    return any(isinstance(one.func, ast.Attribute) and one.func.attr in names.CONFINES for one in calls)


def _true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _idle(function: Function) -> bool:
    """Whether a function gives back what it got: ``def redact(x): return x``."""
    lines = [
        line for line in function.body if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
    ]
    return all(
        isinstance(line, ast.Pass)
        or (isinstance(line, ast.Return) and isinstance(line.value, (ast.Name, type(None))))
        for line in lines
    )


def _filters(module: Module) -> bool:
    """Whether a module puts a filter that redacts before its logs."""
    for call, _ in module.calls:
        if not (isinstance(call.func, ast.Attribute) and call.func.attr in _FILTERS):
            continue
        given = (*call.args, *(item.value for item in call.keywords))
        if any(names.REDACTS.search(ast.unparse(one)) for one in given):
            return True
    return False
