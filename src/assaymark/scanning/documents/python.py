"""Scanner of Python source and notebooks: reported as code, and what in it starts processes or runs what it computes.

The syntax tree is read, never run. Names are followed through imports, aliases, constant ``__import__`` and
``getattr``; a name that is computed on a dangerous module is a finding itself. A judgement of source code is never
complete: the finding ``python-code`` says so on every file.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import CODE_MAX_BYTES, CODE_MAX_FINDINGS
from assaymark.formats.text import json_value, read_text
from assaymark.scanning.documents import code_names as known
from assaymark.scanning.documents.scripts import judge_script
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

_ROOTS: Final = frozenset(
    ("os", "builtins", "__builtins__", "subprocess", "sys", "importlib", "ctypes", "pickle", "socket")
)
_STARTS: Final = frozenset(("system", "popen", "Popen", "check_output", "execv", "spawn"))
_WRITES: Final = re.compile(r"[wax+]")
_CODING: Final = re.compile(rb"(?:[^\n]*\n)?[ \t\f]*#[^\n]*?coding[:=][ \t]*([-\w.]+)")  # PEP 263
_MAGIC: Final = re.compile(r"^\s*(?:[!%]|\?)", re.MULTILINE)


def scan_python(content: Content) -> None:
    """A Python file."""
    try:
        text = read_text(content.view)
    except InputError as error:
        _finding(content, f"named as Python source, and not text: {error.message}", None)
        return
    coding = _CODING.match(text)
    if coding is not None and coding[1].lower() not in (b"utf-8", b"utf8", b"ascii", b"us-ascii"):
        _finding(
            content,
            f"source in the encoding {shown(coding[1].decode())}: Python reads another text than people",
            None,
        )
    content.notes.finding("python-code", "Python source: whoever imports it runs it", member=content.member)
    if _judge(content, text.decode().removeprefix("\ufeff"), ""):
        content.notes.saw("python", content.member)


def scan_bytecode(content: Content) -> None:
    """Compiled Python: not read, and run by whoever imports it."""
    _finding(content, "compiled Python, which hides what it does and is run by whoever imports it", None)


def scan_notebook(content: Content) -> None:
    """The code cells of a Jupyter notebook."""
    try:
        value = json_value(read_text(content.view))
    except InputError as error:
        _finding(content, f"a notebook that is no strict JSON: {shown(error.message)}", None)
        return
    judge_notebook(content, value)
    content.notes.saw("notebook", content.member)


def judge_notebook(content: Content, value: Any) -> None:
    """Note what the code cells of a notebook's JSON do."""
    content.notes.finding("python-code", "a notebook: whoever runs its cells runs its code", member=content.member)
    cells = value.get("cells") if isinstance(value, dict) else None
    for number, cell in enumerate(cells if isinstance(cells, list) else (), 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source")
        text = "".join(part for part in source if isinstance(part, str)) if isinstance(source, list) else source
        if not isinstance(text, str):
            continue
        if text.lstrip().startswith("%%") or _MAGIC.search(text):
            judge_script(content, text, f"cell {number}")
            if text.lstrip().startswith("%%"):
                continue
            text = _MAGIC.sub("pass #", text)
        _judge(content, text, f"cell {number}", strict=False)


def _finding(content: Content, message: str, line: int | None) -> None:
    content.notes.finding("python-dangerous-code", message, member=content.member, line=line)


def _judge(content: Content, text: str, where: str, *, strict: bool = True) -> bool:
    place = f"{where}: " if where else ""
    if len(text) > CODE_MAX_BYTES:
        _finding(content, f"{place}{len(text)} characters of source, more than is read", None)
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        visitor = _Visitor(content, place)
        visitor.imports(tree)
        visitor.visit(tree)
        visitor.conclude()
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if strict:
            _finding(content, f"{place}Python source that cannot be parsed: {type(error).__name__}", None)
        return False
    return True


class _Visitor(ast.NodeVisitor):
    def __init__(self, content: Content, place: str) -> None:
        self._content = content
        self._place = place
        self._names: dict[str, str] = {}
        self._functions = 0
        self._secrets = False
        self._network: ast.AST | None = None
        self._said: set[tuple[int, str]] = set()

    def imports(self, tree: ast.AST) -> None:
        """What each imported or assigned name stands for, wherever that is."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self._names[alias.asname or alias.name.split(".")[0]] = (
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    if alias.name == "*":
                        self._star(node)
                    else:
                        self._names[alias.asname or alias.name] = name = f"{node.module}.{alias.name}"
                        if name.startswith("os.") and known.is_dangerous_name(name):
                            self._found(node, f"imports {name}")
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                meant = self._dotted(node.value)
                if meant is not None and meant.split(".")[0] in _ROOTS:
                    self._names[node.targets[0].id] = meant

    def conclude(self) -> None:
        """What is dangerous together only."""
        if self._secrets and self._network is not None:
            self._found(self._network, "reads all of the environment and reaches for the network")

    def _star(self, node: ast.ImportFrom) -> None:
        if known.is_dangerous_name(f"{node.module}.x") or node.module in ("os", "builtins"):
            self._found(node, f"imports everything of {node.module}")

    def _found(self, node: ast.AST, what: str) -> None:
        line = getattr(node, "lineno", 1)
        if (line, what) in self._said or len(self._said) >= CODE_MAX_FINDINGS:
            return
        self._said.add((line, what))
        _finding(self._content, f"{self._place}line {line}: {shown(what)}", None if self._place else line)

    # -- names

    def _dotted(self, node: ast.AST) -> str | None:
        """The dotted name that an expression stands for, as far as imports tell."""
        match node:
            case ast.Name(id=name):
                return self._names.get(name) or (f"builtins.{name}" if name in known.SPECIAL else f"?{name}")
            case ast.Attribute(value=value, attr=attribute):
                inner = self._dotted(value)
                return f"{inner}.{attribute}" if inner is not None else None
            case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
                called = self._dotted(function)
                imports = called in ("builtins.__import__", "importlib.import_module")
                return name if imports or (called or "").endswith(".importlib.import_module") else None
            case ast.Call(func=ast.Name(id="getattr"), args=[target, ast.Constant(value=str(name)), *_]):
                inner = self._dotted(target)
                return f"{inner}.{name}" if inner is not None else None
            case ast.Subscript(value=value, slice=ast.Constant(value=str(name))):
                inner = self._dotted(value)
                if inner == "sys.modules":
                    return name
                if inner is not None and inner.endswith(".__dict__"):
                    return f"{inner.removesuffix('.__dict__')}.{name}"
                return f"{inner}.{name}" if inner == "__builtins__" else None
        return None

    def _check(self, node: ast.AST) -> bool:
        """Note a dangerous name; whether it was one."""
        name = self._dotted(node)
        if name is None:
            return False
        name = name.replace("__builtins__.", "builtins.")
        if known.is_dangerous_name(name) and name != "sys.modules":
            self._found(node, f"reaches for {name}")
            return True
        if name in known.NETWORK:
            self._network = self._network or node
        if not self._functions and name in known.NETWORK | known.FILES:
            self._found(node, f"reaches for {name} while it is imported")
        return False

    def visit_Name(self, node: ast.Name) -> None:
        """A name that is read."""
        if isinstance(node.ctx, ast.Load):
            if node.id in ("__builtins__", "__loader__"):
                self._found(node, f"reaches for {node.id}")
            self._check(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """An attribute, by its dotted name."""
        if node.attr in known.ATTRIBUTES:
            self._found(node, f"reaches for {node.attr}")
        if not self._check(node):
            self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """``sys.modules["os"]`` and the like."""
        if not self._check(node):
            if self._dotted(node.value) == "sys.modules" and not isinstance(node.slice, (ast.Constant, ast.Name)):
                self._found(node, "takes a module by a computed name")
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """A text that names a secret, or a place where programs start."""
        if isinstance(node.value, str) and len(node.value) < 1000 and known.SECRETS.search(node.value):  # noqa: PLR2004
            self._found(node, f"names {node.value[:80]!r}")

    def visit_Expr(self, node: ast.Expr) -> None:
        """A text by itself is documentation."""
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    # -- calls

    def visit_Call(self, node: ast.Call) -> None:
        """A call, and its arguments."""
        name = self._dotted(node.func) or ""
        if self._check(node):
            return
        self._reached(node, name)
        if name in ("os.environ.items", "os.environ.copy", "os.environ.values"):
            self._secrets = True
        self._secrets = self._secrets or any(self._dotted(argument) == "os.environ" for argument in node.args)
        if name == "torch.load" and _keyword(node, "weights_only") is False:
            self._found(node, "calls torch.load with weights_only=False, which unpickles")
        elif name in ("numpy.load", "np.load") and _keyword(node, "allow_pickle") is True:
            self._found(node, "calls numpy.load with allow_pickle=True, which unpickles")
        elif name in ("yaml.load", "yaml.unsafe_load", "yaml.full_load", "yaml.load_all"):
            self._yaml(node, name)
        elif name == "?getattr" and len(node.args) > 1 and not isinstance(node.args[1], ast.Constant):
            target = self._dotted(node.args[0])
            if target is not None and target.split(".")[0] in _ROOTS:
                self._found(node, f"takes a computed attribute of {target}")
        elif name == "importlib.import_module" and node.args and isinstance(node.args[0], (ast.BinOp, ast.Call)):
            if not _relative(node.args[0]):
                self._found(node, "imports a module whose name it puts together")
        elif not self._functions:
            self._at_import(node, name)
        if name == "urllib.request.urlopen" and (_keyword(node, "data") is not None or len(node.args) > 1):
            self._found(node, "sends data to the network")
        self.generic_visit(node)

    def _at_import(self, node: ast.Call, name: str) -> None:
        if isinstance(node.func, ast.Attribute) and node.func.attr in known.FILE_METHODS:
            self._found(node, f"changes files by {node.func.attr} while it is imported")
        elif name == "?open" and _writes(node):
            self._found(node, "writes a file while it is imported")

    def _reached(self, node: ast.Call, name: str) -> None:
        """What is called without its name: all of a module, or a method of what a call gives."""
        if name == "?vars" and node.args and (self._dotted(node.args[0]) or "").split(".")[0] in _ROOTS:
            self._found(node, f"takes all of {self._dotted(node.args[0])}")
        elif not name and isinstance(node.func, ast.Attribute) and node.func.attr in _STARTS and node.args:
            self._found(node, f"calls {node.func.attr} of what a call gives")

    def _yaml(self, node: ast.Call, name: str) -> None:
        loader = _keyword_node(node, "Loader") or (node.args[1] if len(node.args) > 1 else None)
        said = self._dotted(loader) if loader is not None else None
        if name == "yaml.unsafe_load" or said in ("yaml.Loader", "yaml.UnsafeLoader", "yaml.CLoader"):
            self._found(node, f"calls {name}, which constructs any Python object")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """A function's body does not run at import; its decorators and defaults do."""
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """As a function."""
        self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, node.args):
            self.visit(part)
        self._functions += 1
        for statement in node.body:
            self.visit(statement)
        self._functions -= 1

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """As a function."""
        self._functions += 1
        self.generic_visit(node)
        self._functions -= 1

    def visit_If(self, node: ast.If) -> None:
        """What stands under ``if __name__ == "__main__"`` does not run at import."""
        if ast.unparse(node.test) not in ("__name__ == '__main__'", "'__main__' == __name__"):
            self.generic_visit(node)
            return
        self._functions += 1
        for statement in node.body:
            self.visit(statement)
        self._functions -= 1
        for statement in node.orelse:
            self.visit(statement)


def _keyword_node(node: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in node.keywords if keyword.arg == name), None)


def _keyword(node: ast.Call, name: str) -> object:
    value = _keyword_node(node, name)
    return value.value if isinstance(value, ast.Constant) else value


def _relative(node: ast.expr) -> bool:
    """``"." + name`` and ``f".{name}"`` stay within the package."""
    return (
        isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant) and str(node.left.value).startswith(".")
    )


def _writes(node: ast.Call) -> bool:
    mode = _keyword(node, "mode") or (
        node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], ast.Constant) else ""
    )
    return isinstance(mode, str) and _WRITES.search(mode) is not None
