"""``Stored``: what programs load from stores and run: from the name of a bucket to the call that unpickles.

An abstract run of each function, statement by statement, in which an expression stands for the texts that it may be,
with what a program is told when it starts (variables, options of its command) left open in them, or for what lies in
a store. Calls of functions of the input are entered, a few deep. A file that one function downloads is what another
one loads, where both spell its path alike. What passes through a call that is not known to hand it on is lost: what
is not seen is not claimed.

This is one file because the run of a function is one walk over all kinds of statements and expressions.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.loads import Given, Load, Store, Words
from assaymark.assess.source import flow_names as names
from assaymark.assess.source.addresses import plain, split
from assaymark.assess.source.loads import called_name, executes, torch_release
from assaymark.assess.source.modules import keyword, text_of
from assaymark.assess.source.options import defaults_of, option_of, options_of
from assaymark.assess.source.stored_calls import Call, brought, copied, paths, puts, taken
from assaymark.assess.source.stored_values import NOTHING, Text, Thing, added, kept, texts, things
from assaymark.core.limits import SOURCE_MAX_DEPTH, SOURCE_MAX_STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.assess.estate.source import Requirement
    from assaymark.assess.source.modules import Function, Module, Project
    from assaymark.assess.source.stored_values import Atom, Value

_ENVIRON: Final = frozenset(("os.environ", "environ"))
_GETS_VARIABLE: Final = frozenset(("os.getenv", "os.environ.get", "os.environ.setdefault", "decouple.config"))
_PASSES: Final = frozenset(  # calls that hand on what they get, beside those that convert
    (
        *("decompress", "GzipFile", "TextIOWrapper", "BufferedReader", "BytesIO", "ZipFile", "memoryview", "Path"),
        *("PurePath", "PosixPath", "abspath", "expanduser", "realpath", "fspath", "normpath", "str", "expandvars"),
        *("Unpickler", "TarFile", "tarfile", "read", "glob", "sorted", "list", "url_to_fs"),
    )
)
_METHODS: Final = frozenset(  # of a text or path that give it, or nearly
    (
        *("strip", "rstrip", "lstrip", "lower", "as_posix", "resolve", "absolute", "expanduser", "read_bytes"),
        *("read", "open", "get", "readall", "getvalue", "decode", "encode", "iterdir", "glob"),
    )
)
_SETTINGS: Final = ("BaseSettings", "Settings")
_CODE: Final = frozenset(("eval", "exec", "builtins.exec", "builtins.eval", "runpy.run_path", "exec_module"))
_INTERPRETERS: Final = re.compile(r"(?:\S*/)?(?:python[\d.]*|bash|sh|zsh|source|\.|Rscript|node|perl)")
_SHELLS: Final = frozenset(("os.system", "os.popen", "subprocess.getoutput"))


class Stored:
    """What the programs of a project run of what lies in stores."""

    def __init__(self, project: Project, requirements: Iterable[Requirement]) -> None:
        self.project = project
        self.torch = torch_release(requirements)
        self.files: dict[Words, Value] = {}  # what was put at a path
        self.loads: dict[tuple[object, ...], Load] = {}
        self.trackings: set[Text] = set()  # of MLflow, that the source names
        self.fields: dict[tuple[str, str], dict[str, Value]] = {}
        self.entered: set[int] = set()
        self.steps = 0
        self._seen: dict[tuple[int, frozenset[tuple[str, Value]]], Value] = {}
        self._globals: dict[str, dict[str, Value]] = {}
        self._options: dict[tuple[str, str], Given] = {}

    def option(self, module: Module, name: str) -> Given:
        """The option that an attribute of parsed arguments is."""
        if (module.path, name) not in self._options:
            self._options[module.path, name] = options_of(self.project, module, name)
        return self._options[module.path, name]

    def loads_anything(self, module: Module) -> bool:
        """Whether some call of a module runs what it is given."""
        return any(runs(self, module, call) is not None for call, _ in module.calls)

    def collect(self, modules: Iterable[Module]) -> list[str]:
        """Follows them all, twice: what one puts away another one loads. The paths of those that are too long."""
        long = []
        for again in (False, True):
            self.loads.clear()
            self._seen.clear()
            self._globals.clear()
            for module in modules:
                self.steps = 0
                try:
                    self._module(module, again=again)
                except RecursionError:
                    long.append(module.path)
                long += [module.path] if self.steps > SOURCE_MAX_STEPS else []
        return sorted(set(long))

    def _module(self, module: Module, *, again: bool) -> None:
        """The module's own lines, and each function that nobody of the input calls."""
        self.globals(module)
        for function in module.all_functions:
            if not again or id(function) not in self.entered:
                self._alone(module, function)

    def _alone(self, module: Module, function: Function) -> None:
        """A function as if somebody called it; one that the input calls is run as it is called."""
        given: dict[str, Value] = {
            name: frozenset((Text((one,), module.because(function)),))
            for name, one in option_of(module, function).items()
        }
        for name, node in defaults_of(function):
            given.setdefault(name, _Walk(self, module, None, {}, 0).value(node))
        self.enter(module, function, given, 0)

    def globals(self, module: Module) -> dict[str, Value]:
        """What the module's own lines bind."""
        found = self._globals.get(module.path)
        if found is None:
            found = self._globals[module.path] = {}
            _Walk(self, module, None, found, 0).block(module.tree.body)
            for owner in module.classes.values():
                self._class(module, owner)
        return found

    def _class(self, module: Module, owner: ast.ClassDef) -> None:
        """The fields that a class has from the start; those of settings are told by the environment."""
        fields = self.fields.setdefault((module.path, owner.name), {})
        told = any(base.rpartition(".")[2] in _SETTINGS for base in self.project.bases(module, owner))
        run = _Walk(self, module, None, fields, 0)
        for line in owner.body:
            if told and isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                default = module.constant(line.value) if line.value is not None else None
                one = Given("variable", line.target.id.upper(), default if isinstance(default, str) else None)
                fields[line.target.id] = frozenset((Text((one,), module.because(line)),))
            elif isinstance(line, (ast.Assign, ast.AnnAssign)):
                run.statement(line)

    def enter(self, module: Module, function: Function, given: dict[str, Value], depth: int) -> Value:
        """Runs a function; what it returns."""
        key = (id(function), frozenset(given.items()))
        if key in self._seen:
            return self._seen[key]
        self._seen[key] = NOTHING
        env = dict(given)
        owner = module.owner.get(id(function))
        place = (module.path, owner.name) if owner is not None else None
        for name, value in self.fields.get(place, {}).items() if place else ():
            env[f"self.{name}"] = env[f"cls.{name}"] = value
        run = _Walk(self, module, function, env, depth)
        run.block(function.body)
        if place:
            fields = self.fields.setdefault(place, {})
            for name, value in run.env.items():
                if name.startswith("self.") and "." not in name[5:]:
                    fields[name[5:]] = fields.get(name[5:], NOTHING) | value
        self._seen[key] = run.returned
        return run.returned

    def at(self, value: Value) -> Value:
        """A value, and what was put at the paths among it."""
        found = set(value)
        for text in texts(value):
            for path, stored in self.files.items():
                if _below(text.words, path):
                    found |= stored
        return frozenset(found)


def _below(words: Words, path: Words) -> bool:
    """Whether a path is another one, or below it."""
    if words == path:
        return True
    last = path[-1]
    if words[: len(path) - 1] != path[:-1] or len(words) < len(path):
        return False
    other = words[len(path) - 1]
    if isinstance(last, str) and isinstance(other, str):
        return other.startswith(f"{last.rstrip('/')}/")
    rest = words[len(path)] if len(words) > len(path) else ""
    return other == last and isinstance(rest, str) and rest.startswith("/")


class _Walk:
    """One run of one function, or of a module's own lines."""

    def __init__(
        self, stored: Stored, module: Module, function: Function | None, env: dict[str, Value], depth: int
    ) -> None:
        self.stored = stored
        self.module = module
        self.function = function
        self.env = env
        self.depth = depth
        self.returned: Value = NOTHING
        self._within = 0  # branches that may not run

    def block(self, lines: Iterable[ast.stmt]) -> None:
        for line in lines:
            self.stored.steps += 1
            if self.stored.steps <= SOURCE_MAX_STEPS:
                self.statement(line)

    def statement(self, node: ast.stmt) -> None:  # noqa: C901, PLR0912 - one case for each kind of statement
        match node:
            case ast.Assign(targets=targets, value=value):
                found = self.value(value)
                for target in targets:
                    self.bind(target, found)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self.bind(target, self.value(value))
            case ast.AugAssign(target=target, value=value):
                self.bind(target, added(self.value(target), self.value(value), self.module.because(node)))
            case ast.Return(value=value) if value is not None:
                self.returned |= self.value(value)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                for item in items:
                    found = self.value(item.context_expr)
                    if item.optional_vars is not None:
                        self.bind(item.optional_vars, found)
                self.block(node.body)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                pass  # entered by itself
            case ast.For(target=target, iter=iterated) | ast.AsyncFor(target=target, iter=iterated):
                self.bind(target, self.value(iterated))
                self._branches(node.body, node.orelse)
            case ast.If(test=test) | ast.While(test=test):
                self.value(test)
                self._branches(node.body, node.orelse)
            case ast.Try():
                self.block(node.body)
                self._branches(*(one.body for one in node.handlers), node.orelse)
                self.block(node.finalbody)
            case ast.Match(subject=subject, cases=cases):
                self.value(subject)
                self._branches(*(one.body for one in cases))
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.value(child)

    def _branches(self, *bodies: list[ast.stmt]) -> None:
        self._within += 1
        for body in bodies:
            self.block(body)
        self._within -= 1

    def bind(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            for one in target.elts:
                self.bind(one, value)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)
        elif isinstance(target, (ast.Name, ast.Attribute, ast.Subscript)):
            name = ast.unparse(target)
            self.env[name] = self.env.get(name, NOTHING) | value if self._within else value

    # expressions

    def value(self, node: ast.expr | None) -> Value:  # noqa: C901, PLR0912 - one case for each kind of expression
        self.stored.steps += 1
        if self.stored.steps > SOURCE_MAX_STEPS:
            return NOTHING
        match node:
            case None | ast.Lambda():
                return NOTHING
            case ast.Constant(value=text):
                return frozenset((Text((text,), self.module.because(node)),)) if isinstance(text, str) else NOTHING
            case ast.JoinedStr(values=values):
                found: Value = frozenset((Text(("",), self.module.because(node)),))
                for one in values:
                    found = added(found, self.value(one), self.module.because(node))
                return found
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return added(self.value(left), self.value(right), self.module.because(node))
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return added(self.value(left), self.value(right), self.module.because(node), "/")
            case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=right):
                parts = right.elts if isinstance(right, ast.Tuple) else [right]
                return self.filled(node, text.split("%s"), parts)
            case ast.Name() | ast.Attribute():
                return self.name(node)
            case ast.Subscript(value=value, slice=index):
                return self.part(node, value, index)
            case ast.Call():
                return self.call(node)
            case ast.Await(value=value) | ast.Starred(value=value) | ast.FormattedValue(value=value):
                return self.value(value)
            case ast.NamedExpr(target=target, value=value):
                found = self.value(value)
                self.bind(target, found)
                return found
            case ast.Compare() | ast.UnaryOp():
                return NOTHING
            case ast.ListComp(elt=elt, generators=generators) | ast.GeneratorExp(elt=elt, generators=generators):
                for each in generators:
                    self.bind(each.target, self.value(each.iter))
                return self.value(elt)
        children = (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
        return NOTHING.union(*(self.value(child) for child in children))

    def filled(self, node: ast.expr, pieces: list[str], parts: list[ast.expr]) -> Value:
        """A text with values in its gaps."""
        place = self.module.because(node)
        found: Value = frozenset((Text((pieces[0],), place),))
        for piece, part in zip(pieces[1:], parts, strict=False):
            found = added(found, self.value(part), place)
            found = added(found, frozenset((Text((piece,), place),)), place)
        return found

    def name(self, node: ast.Name | ast.Attribute) -> Value:
        whole = ast.unparse(node)
        if whole in self.env:
            return self.env[whole]
        own = self.stored.globals(self.module)
        if whole in own and self.env is not own:
            return own[whole]
        if self.module.dotted(node) == "sys.argv":
            return frozenset((Thing("options", "", self.module.because(node)),))
        where, rest = self.stored.project.where(self.module, node)
        if where is not self.module:
            elsewhere = self.stored.globals(where)
            if rest in elsewhere:
                return elsewhere[rest]
        owner, _, field = rest.rpartition(".")
        if owner and field and field in self.stored.fields.get((where.path, owner), {}):
            return self.stored.fields[where.path, owner][field]
        return self.field(node, self.value(node.value), node.attr) if isinstance(node, ast.Attribute) else NOTHING

    def field(self, node: ast.expr, holder: Value, name: str) -> Value:
        """An attribute or entry of something."""
        found: set[Atom] = set(kept(holder))
        for one in things(holder, "options", "instance"):
            if one.kind == "instance":
                found |= self.stored.fields.get((one.platform, plain(one.name)), {}).get(name, NOTHING)
            elif name:
                given = self.stored.option(self.module, name)
                found.add(Text((given,), self.module.because(node)))
        return frozenset(found)

    def part(self, node: ast.Subscript, value: ast.expr, index: ast.expr) -> Value:
        whole = ast.unparse(node)
        if whole in self.env:
            return self.env[whole]
        place = self.module.because(node)
        dotted = self.module.dotted(value)
        if dotted in _ENVIRON:
            name = self.module.constant(index)
            return frozenset((Text((Given("variable", name),), place),)) if isinstance(name, str) else NOTHING
        if dotted == "sys.argv":
            number = self.module.constant(index)
            known = isinstance(number, int) and number > 0
            return frozenset((Text((Given("place", str(number)),), place),)) if known else NOTHING
        holder = self.value(value)
        if isinstance(index, ast.Slice):
            return holder
        return self.field(node, holder, text_of(index)) or frozenset(texts(holder))

    # calls

    def call(self, node: ast.Call) -> Value:
        holder = self.value(node.func.value) if isinstance(node.func, ast.Attribute) else NOTHING
        given = [self.stored.at(self.value(one)) for one in node.args]
        named = {item.arg or "**": self.stored.at(self.value(item.value)) for item in node.keywords}
        call = Call(self.module, node, holder, given, named)
        self.sinks(call)
        self.puts(call)
        own = self.own(call)
        if own is not None:
            return own
        variable = self.variable(call)
        if variable is not None:
            return variable
        found = brought(call)
        if found is not None:
            return found
        return self.converted(call)

    def own(self, call: Call) -> Value | None:
        """What a function, method or class of the input gives; None for what is none."""
        node, project = call.node, self.stored.project
        owner = self.module.owner.get(id(self.function)) if self.function is not None else None
        known = project.function(self.module, node.func, owner)
        if known is None:
            for one in things(call.holder, "instance"):
                module = next((each for each in project.modules if each.path == one.platform), None)
                made = module.classes.get(plain(one.name)) if module is not None else None
                if module is not None and made is not None:
                    known = project.methods_of(module, made).get(call.method, known)
        made_of = project.class_of(self.module, node.func) if known is None else None
        if made_of is not None:
            self.make(call, *made_of)
            return frozenset((Thing("instance", made_of[0].path, call.place, (made_of[1].name,)),))
        if known is None or self.depth >= SOURCE_MAX_DEPTH:
            return None
        return self.entered(call, *known)

    def make(self, call: Call, module: Module, owner: ast.ClassDef) -> None:
        """Fills the fields of an object that is made."""
        self.stored.globals(module)
        start = self.stored.project.methods_of(module, owner).get("__init__")
        fields = self.stored.fields.setdefault((module.path, owner.name), {})
        if start is None:
            for name, value in call.named.items():
                fields[name] = fields.get(name, NOTHING) | value
        elif self.depth < SOURCE_MAX_DEPTH:
            self.entered(call, *start)

    def entered(self, call: Call, module: Module, function: Function) -> Value:
        self.stored.entered.add(id(function))
        self.stored.globals(module)
        parameters = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
        if parameters[:1] in (["self"], ["cls"]):
            parameters = parameters[1:]
        taken_ = {name: value for name, value in zip(parameters, call.given, strict=False) if value}
        taken_ |= {name: value for name, value in call.named.items() if value and name != "**"}
        for name, default in defaults_of(function):
            if name not in taken_ and name not in call.named and name not in parameters[: len(call.given)]:
                taken_[name] = _Walk(self.stored, module, None, {}, self.depth).value(default)
        return self.stored.enter(module, function, taken_, self.depth + 1)

    def variable(self, call: Call) -> Value | None:
        """A variable of the environment, and the options of the command."""
        name, place = call.name, call.place
        if name in _GETS_VARIABLE:
            key = self.module.constant(call.node.args[0]) if call.node.args else None
            second = keyword(call.node, "default") or (call.node.args[1] if len(call.node.args) > 1 else None)
            default = next((one.words[0] for one in texts(self.value(second)) if len(one.words) == 1), None)
            return frozenset((Text((Given("variable", key, default),), place),)) if isinstance(key, str) else NOTHING
        last = name.rpartition(".")[2]
        if last in ("parse_args", "parse_known_args", "getResolvedOptions", "parse_args_into_dataclasses"):
            return frozenset((Thing("options", "", place),))
        if last in ("vars", "asdict") and things(call.every(), "options", "instance"):
            return frozenset(things(call.every(), "options", "instance"))
        if last == "set_tracking_uri" and self.module.imports("mlflow"):
            self.stored.trackings |= set(texts(call.at(0, "uri")))
            return NOTHING
        return None

    def converted(self, call: Call) -> Value:
        """What is left of texts and of what lies in stores."""
        node, method = call.node, call.method
        last = method or call.name.rpartition(".")[2]
        every = call.every()
        if method == "format" and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Constant):
            return self.filled(node, _gaps(node.func.value.value), node.args or [k.value for k in node.keywords])
        if last == "join" and call.name.endswith("path.join") and call.given:
            found = call.given[0]
            for one in call.given[1:]:
                found = added(found, one, call.place, "/")
            return self.stored.at(found)
        if method == "joinpath":
            return added(call.holder, every, call.place, "/")
        if last in ("Path", "PurePath", "PosixPath") and len(call.given) > 1:
            return added(call.given[0], call.given[1], call.place, "/")
        if method and (kept(call.holder) or things(call.holder, "options", "instance")):
            if method == "get" and things(call.holder, "options"):
                return self.field(node, call.holder, text_of(node.args[0]) if node.args else "")
            return frozenset(kept(call.holder))
        if method in _METHODS and call.holder:
            return call.holder
        if last in names.CLEAN:
            return NOTHING
        return every if last in _PASSES or names.CONVERTS.search(last) else NOTHING

    def puts(self, call: Call) -> None:
        """Notes where a call puts what lies in a store."""
        for where, what in puts(call):
            self.put(where, what, self.value(where))
        if call.name.startswith("subprocess.") or call.name in _SHELLS:
            first = call.node.args[0] if call.node.args else None
            if isinstance(first, (ast.List, ast.Tuple)):
                words = [next((text.words for text in texts(self.value(one))), (None,)) for one in first.elts]
            else:
                words = split(next((text.words for text in texts(self.value(first))), ()))
            found = copied(words, call.place)
            if found is not None:
                self.stored.files[found[0]] = self.stored.files.get(found[0], NOTHING) | {found[1]}

    def commanded(self, call: Call) -> Value:
        """What a command is, or is a program of: a path that another program gets is not run."""
        first = call.node.args[0] if call.node.args else keyword(call.node, "args")
        if isinstance(first, (ast.List, ast.Tuple)):
            values = [self.stored.at(self.value(one)) for one in first.elts]
            said = [next((plain(text.words) for text in texts(value)), "") for value in values]
            interprets = bool(said) and _INTERPRETERS.fullmatch(said[0]) is not None
            return NOTHING.union(*(values if interprets else values[:1]))
        value = self.value(first)
        if not any(True for _ in texts(value)):
            return value  # the command itself lies there
        found: set[Atom] = set()
        for text in texts(value):
            parts = split(text.words)
            if parts and _INTERPRETERS.fullmatch(plain(parts[0])):
                found |= set(kept(value))
                found |= {one for part in parts[1:] for one in self.stored.at(frozenset((Text(part, text.origin),)))}
        return frozenset(found)

    def put(self, where: ast.expr, what: Value, paths: Value) -> None:
        for text in texts(paths):
            if None not in text.words:
                self.stored.files[text.words] = self.stored.files.get(text.words, NOTHING) | what
        while isinstance(where, ast.Call) and where.args:
            where = where.args[0]
        root = where.value if isinstance(where, ast.Attribute) else where
        for one in (where, root):
            if isinstance(one, (ast.Name, ast.Attribute)):
                name = ast.unparse(one)
                self.env[name] = self.env.get(name, NOTHING) | what

    def sinks(self, call: Call) -> None:
        """Notes what of a store a call runs."""
        decides = runs(self.stored, self.module, call.node)
        if decides is None:
            return
        given = self.stored.at(self.commanded(call) if is_command(call.name) else taken(call))
        places = [(one.store, one.origin) for one in kept(given)]
        if not places and not is_command(call.name):
            places = [(Store("path", one.words), one.origin) for one in paths(call, given)]
        for store, origin in places:
            key = (store, origin, call.place, call.name)
            name = called_name(self.module, call.node.func)
            self.stored.loads.setdefault(key, Load(store, name, call.place, origin, decides))


def is_command(name: str) -> bool:
    """Whether a call starts a program."""
    return name in _SHELLS or name.startswith("subprocess.")


def runs(stored: Stored, module: Module, node: ast.Call) -> tuple[str, ...] | None:
    """What decides whether a call runs what it is given; None where it does not."""
    decides = executes(module, node, stored.torch)
    if decides is not None:
        return decides
    name = module.dotted(node.func)
    if name in _CODE or name.endswith(".spec_from_file_location"):
        return ()
    return () if is_command(name) else None


def _gaps(text: object) -> list[str]:
    """The parts of a format between its gaps."""
    return re.split(r"\{[^{}]*\}", text) if isinstance(text, str) else [""]
