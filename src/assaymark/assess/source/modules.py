"""``Project``: the Python modules of the input, their syntax trees, and what a name in one of them means.

Nothing is imported or run: names are resolved by the imports and assignments that are written.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import defaultdict
from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.core.errors import InputError
from assaymark.core.limits import CODE_MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from assaymark.assess.files import SourceFile
    from assaymark.core.graph import Because

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_BARE_EXCEPT: Final = re.compile(
    r"(?m)^([ \t]{0,80}except\*?[ \t]{1,8})([\w.][\w. \t]{0,200}(?:,[\w. \t]{1,200}){1,40})(:)"
)
_SHALLOW: Final = 60  # levels that any walk over a tree can go down
_HOPS: Final = 5  # of names that stand for names


class Module:
    """One file, or the cells of one notebook. ``names``: what imports bind; ``values``: what assignments bind.

    ``imported``: dotted names of what it imports, modules or what may be in them.
    ``lines`` gives the line of the file for a line of the source, where the two differ.
    """

    def __init__(self, file: SourceFile, tree: ast.Module, lines: Sequence[int] = ()) -> None:
        self.file = file
        self.path = file.path
        self.tree = tree
        self.lines = lines
        parts = file.path.removesuffix(".py").split("/")
        self.package = parts[:-1]
        self.dotted_name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        self.names: dict[str, str] = {}
        self.imported: set[str] = set()
        self.values: dict[str, ast.expr] = {}
        self.functions: dict[str, Function] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        self.methods: dict[str, dict[str, Function]] = {}
        self.owner: dict[int, ast.ClassDef] = {}
        self.calls: list[tuple[ast.Call, Function | None]] = []
        self.all_functions: list[Function] = []
        self.assigns: list[ast.Assign] = []
        self.depth = 0
        self._visit(tree, None, None, 0)

    def _visit(self, node: ast.AST, function: Function | None, owner: ast.ClassDef | None, depth: int) -> None:
        self.depth = max(self.depth, depth)
        for child in ast.iter_child_nodes(node):
            inner, holder = function, owner
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.all_functions.append(child)
                if owner is not None and isinstance(node, ast.ClassDef):
                    self.methods[owner.name][child.name] = child
                    self.owner[id(child)] = owner
                else:
                    self.functions.setdefault(child.name, child)
                inner = child
            elif isinstance(child, ast.ClassDef):
                self.classes.setdefault(child.name, child)
                self.methods.setdefault(child.name, {})
                holder = child
            elif isinstance(child, ast.Call):
                self.calls.append((child, function))
            elif isinstance(child, (ast.Import, ast.ImportFrom)):
                self._import(child)
            elif isinstance(child, (ast.Assign, ast.AnnAssign)):
                self._assign(child)
                if isinstance(child, ast.Assign):
                    self.assigns.append(child)
            elif isinstance(child, (ast.withitem,)) and isinstance(child.optional_vars, ast.Name):
                self.values.setdefault(child.optional_vars.id, child.context_expr)
            self._visit(child, inner, holder, depth + 1)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.imported.add(alias.name)
                first = alias.name.split(".")[0]
                self.names[alias.asname or first] = alias.name if alias.asname else first
            return
        base = node.module or ""
        if node.level:
            up = self.package[: len(self.package) - node.level + 1]
            base = ".".join([*up, *([node.module] if node.module else [])])
        for alias in node.names:
            whole = f"{base}.{alias.name}" if base else alias.name
            self.names[alias.asname or alias.name] = whole
            self.imported |= {base, whole} - {""}

    def _assign(self, node: ast.Assign | ast.AnnAssign) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if node.value is not None and isinstance(target, (ast.Name, ast.Attribute)):
                self.values.setdefault(ast.unparse(target), node.value)

    def because(self, node: ast.AST) -> Because:
        """Where a node is written."""
        line = getattr(node, "lineno", 1)
        return self.file.because(self.lines[line - 1] if 0 < line <= len(self.lines) else line)

    def dotted(self, node: ast.AST | None) -> str:
        """The dotted name that an expression stands for, imports resolved; empty for what has none.

        What a call gives has the name of what is called and ``()``.
        """
        match node:
            case ast.Name(id=name):
                return self.names.get(name, name)
            case ast.Attribute(value=value, attr=attribute):
                inner = self.dotted(value)
                return f"{inner}.{attribute}" if inner else ""
            case ast.Call(func=function):
                inner = self.dotted(function)
                return f"{inner}()" if inner else ""
            case ast.Await(value=value):
                return self.dotted(value)
        return ""

    def meaning(self, node: ast.AST | None) -> str:
        """As ``dotted``, with variables replaced by what was assigned to them: ``app`` is ``flask.Flask()``."""
        return self._meaning(node, _HOPS)

    def _meaning(self, node: ast.AST | None, hops: int) -> str:
        if isinstance(node, (ast.Name, ast.Attribute)):
            name = ast.unparse(node)
            value = self.values.get(name)
            if value is not None and hops and value is not node and name not in self.names:
                return self._meaning(value, hops - 1)
            if isinstance(node, ast.Attribute):
                inner = self._meaning(node.value, hops)
                return f"{inner}.{node.attr}" if inner else ""
        return self.dotted(node)

    def constant(self, node: ast.AST | None) -> object:
        """The value of a constant expression or of a variable that is assigned one; None for what is not known."""
        for _ in range(_HOPS):
            if isinstance(node, ast.Constant):
                return node.value
            if not isinstance(node, ast.Name) or node.id not in self.values:
                return None
            node = self.values[node.id]
        return None

    def imports(self, *packages: str) -> bool:
        """Whether one of these top packages is imported."""
        wanted = set(packages)
        return any(name.split(".")[0] in wanted for name in self.names.values())


class Project:
    """All modules, found by their dotted names as any folder of the path may be the root of imports."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.modules = list(modules)
        self._by_name: defaultdict[str, list[Module]] = defaultdict(list)
        for module in self.modules:
            parts = module.dotted_name.split(".")
            for index in range(len(parts)):
                self._by_name[".".join(parts[index:])].append(module)

    def module(self, name: str, asking: Module) -> Module | None:
        """The module of this dotted name that lies nearest to the one that asks."""
        found = self._by_name.get(name)
        if not found:
            return None
        return max(found, key=lambda one: (_common(one.path, asking.path), one.path))

    def resolve(self, module: Module, name: str) -> tuple[Module, str]:
        """The module in which a dotted name is defined, and its name there; the asking one when it is its own."""
        for _ in range(_HOPS):
            parts = name.split(".")
            for index in range(len(parts) - 1, 0, -1):
                found = self.module(".".join(parts[:index]), module)
                if found is not None and (found is not module or parts[0] not in module.values):
                    rest = ".".join(parts[index:])
                    again = found.names.get(parts[index])
                    if again is None or parts[index] in found.functions or parts[index] in found.classes:
                        return found, rest
                    module, name = found, ".".join([again, *parts[index + 1 :]])
                    break
            else:
                return module, name
        return module, name

    def where(self, module: Module, node: ast.AST) -> tuple[Module, str]:
        """As ``resolve`` for what an expression names; a variable is one, whatever modules are called so."""
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        name = module.dotted(node)
        if isinstance(root, ast.Name) and root.id in module.values and root.id not in module.names:
            return module, name
        return self.resolve(module, name)

    def function(
        self, module: Module, node: ast.AST, owner: ast.ClassDef | None = None
    ) -> tuple[Module, Function] | None:
        """The function of the input that an expression names, methods of ``self`` included."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            return self.methods_of(module, owner).get(node.attr) if owner is not None else None
        where, rest = self.where(module, node)
        if not rest:
            return None
        if rest in where.functions:
            return where, where.functions[rest]
        first, _, last = rest.partition(".")
        if last in where.methods.get(first, {}):
            return where, where.methods[first][last]
        return self._of_object(where, rest)

    def _of_object(self, module: Module, name: str) -> tuple[Module, Function] | None:
        """A method of an object that is made once: ``service.predict`` with ``service = Service()``."""
        holder, _, method = name.rpartition(".")
        value = module.values.get(holder)
        if isinstance(value, ast.Call) and method:
            found = self.class_of(module, value.func)
            if found is not None:
                return self.methods_of(*found).get(method)
        return None

    def class_of(self, module: Module, node: ast.AST) -> tuple[Module, ast.ClassDef] | None:
        """The class of the input that an expression names."""
        where, rest = self.where(module, node)
        if not rest:
            return None
        found = where.classes.get(rest)
        return (where, found) if found is not None else None

    def methods_of(
        self, module: Module, owner: ast.ClassDef, hops: int = _HOPS
    ) -> dict[str, tuple[Module, Function]]:
        """The methods of a class, those of its bases in the input included."""
        found: dict[str, tuple[Module, Function]] = {}
        for base in owner.bases:
            known = self.class_of(module, base)
            if known is not None and hops and known[1] is not owner:
                found |= self.methods_of(known[0], known[1], hops - 1)
        found |= {name: (module, one) for name, one in module.methods.get(owner.name, {}).items()}
        return found

    def bases(self, module: Module, owner: ast.ClassDef, hops: int = _HOPS) -> Iterator[str]:
        """The dotted names of all bases, of bases in the input too."""
        for base in owner.bases:
            yield module.dotted(base)
            known = self.class_of(module, base)
            if known is not None and hops and known[1] is not owner:
                yield from self.bases(known[0], known[1], hops - 1)


def _common(one: str, other: str) -> int:
    count = 0
    for left, right in zip(one.split("/"), other.split("/"), strict=False):
        if left != right:
            break
        count += 1
    return count


def parse_module(file: SourceFile, text: str, lines: Sequence[int] = ()) -> Module:
    """The module of a source text.

    Raises:
        InputError: ``python-syntax`` with the line, ``python-limit``.
    """
    if len(text) > CODE_MAX_BYTES:
        raise InputError("python-limit", f"more than {CODE_MAX_BYTES} characters of source")
    try:
        module = Module(file, _tree(text), lines)
        if module.depth > _SHALLOW:
            ast.unparse(module.tree)  # needs more of the stack for a level than anything that walks it
    except SyntaxError as error:
        raise InputError(
            "python-syntax", f"no Python 3 source: {error.msg}", position=f"line {error.lineno or 1}"
        ) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise InputError("python-limit", f"source that cannot be parsed: {type(error).__name__}") from None
    return module


def _tree(text: str) -> ast.Module:
    """The tree; what Python 3.14 may write without parentheses (PEP 758) gets them, where that makes it readable."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except SyntaxError:
            newer = _BARE_EXCEPT.sub(r"\1(\2)\3", text)
            if newer == text:
                raise
            return ast.parse(newer)


def of_lambda(function: Function) -> bool:
    """Whether a function has the parameters of a handler of AWS Lambda, by the names that all give them."""
    names = [one.arg.strip("_") for one in (*function.args.posonlyargs, *function.args.args)][:2]
    return len(names) > 1 and names[0] in ("event", "evt") and names[1] in ("", "context", "ctx")


def keyword(node: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword argument; None when it is not given."""
    return next((item.value for item in node.keywords if item.arg == name), None)


def argument(node: ast.Call, index: int, name: str) -> ast.expr | None:
    """An argument by its place or its name."""
    found = keyword(node, name)
    if found is None and index < len(node.args) and not any(isinstance(one, ast.Starred) for one in node.args):
        found = node.args[index]
    return found


def text_of(node: ast.AST | None) -> str:
    """The text of a constant, empty for what is none."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def texts_of(node: ast.AST | None) -> list[str]:
    """The texts of a list, tuple or set of constants."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return [text_of(item) for item in node.elts if text_of(item)]
    return [text_of(node)] if text_of(node) else []
