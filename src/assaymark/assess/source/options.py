"""What commands tell programs: options of argparse, click, Typer and Glue, and the defaults of parameters.

Sources: Python's documentation of argparse (``add_argument``: ``dest``, positional arguments); Click, "Options";
Typer, "CLI Options".
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.loads import Given
from assaymark.assess.source.modules import keyword, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.source.modules import Function, Module, Project

_COMMANDS: Final = frozenset(("command", "callback", "group"))
_TYPER: Final = frozenset(("Option", "Argument"))


def options_of(project: Project, module: Module, name: str) -> Given:
    """The option that an attribute of the parsed arguments is: as the module, else any other, adds it."""
    modules = [module, *(one for one in project.modules if one is not module)]
    for one in modules:
        places = 0
        for call, _ in one.calls:
            if not (isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"):
                continue
            spelled = [text_of(arg) for arg in call.args if text_of(arg)]
            places += bool(spelled) and not spelled[0].startswith("-")
            if name in _destinations(call, spelled):
                default = one.constant(keyword(call, "default"))
                text = default if isinstance(default, str) else _variable(keyword(call, "default"), one)
                if spelled and not spelled[0].startswith("-"):
                    return Given("place", str(places), text)
                return Given("option", " ".join(sorted(spelled, key=len, reverse=True)), text)
    return Given("option", f"--{name.replace('_', '-')} --{name}")


def _destinations(call: ast.Call, spelled: list[str]) -> set[str]:
    """What the value of an option is called afterwards."""
    given = text_of(keyword(call, "dest"))
    if given:
        return {given}
    long = [one for one in spelled if one.startswith("--")]
    return {one.lstrip("-").replace("-", "_") for one in (long[:1] or spelled[:1])}


def _variable(node: ast.expr | None, module: Module) -> Given | None:
    """``default=os.environ["X"]``: the variable, which counts where no option is given."""
    if isinstance(node, ast.Subscript) and module.dotted(node.value) == "os.environ":
        return Given("variable", text_of(node.slice)) if text_of(node.slice) else None
    if isinstance(node, ast.Call) and module.dotted(node.func) in ("os.getenv", "os.environ.get") and node.args:
        default = text_of(node.args[1]) if len(node.args) > 1 else None
        return Given("variable", text_of(node.args[0]), default or None) if text_of(node.args[0]) else None
    return None


def option_of(module: Module, function: Function) -> dict[str, Given]:
    """The parameters of a function that a command tells it (Click, Typer)."""
    found: dict[str, Given] = {}
    commanded = False
    for decorator in function.decorator_list:
        node = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = module.dotted(node).rpartition(".")[2] or (node.attr if isinstance(node, ast.Attribute) else "")
        commanded |= name in _COMMANDS
        if isinstance(decorator, ast.Call) and name in ("option", "argument"):
            spelled = [text_of(one) for one in decorator.args if text_of(one)]
            default = module.constant(keyword(decorator, "default"))
            text = default if isinstance(default, str) else None
            for parameter in _destinations(decorator, spelled):
                told = Given("option", " ".join(sorted(spelled, key=len, reverse=True)), text)
                found[parameter] = _with_variable(decorator, told)
    if commanded and not found:
        for parameter, default in _parameters(function):
            call = default if isinstance(default, ast.Call) else None
            typer = call is not None and module.dotted(call.func).rpartition(".")[2] in _TYPER
            first = next(iter(call.args), None) if call is not None and typer else default
            said = module.constant(first)
            text = said if isinstance(said, str) else None
            told = Given("option", f"--{parameter.replace('_', '-')}", text)
            found[parameter] = _with_variable(call, told) if call is not None and typer else told
    return found


def _with_variable(call: ast.Call, told: Given) -> Given:
    """An option that the environment tells where the command does not."""
    name = text_of(keyword(call, "envvar"))
    variable = Given("variable", name, told.default)
    return Given(told.kind, told.name, variable) if name else told


def _parameters(function: Function) -> Iterator[tuple[str, ast.expr | None]]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args]
    missing = len(every) - len(arguments.defaults)
    for index, one in enumerate(every):
        yield one.arg, arguments.defaults[index - missing] if index >= missing else None
    for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield one.arg, default


def defaults_of(function: Function) -> Iterator[tuple[str, ast.expr]]:
    """The parameters of a function that have a default, with it."""
    for name, default in _parameters(function):
        if default is not None and name not in ("self", "cls"):
            yield name, default
