"""``setup_remarks``: what installing a package from its source would run."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import Remark
from assaymark.assess.source.commands import moving
from assaymark.assess.source.modules import keyword, parse_module, texts_of
from assaymark.core.errors import InputError
from assaymark.core.report import Confidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.files import SourceFile
    from assaymark.assess.source.modules import Module

_EXECUTES: Final = re.compile(
    r"^(?:os\.(?:system|popen|exec\w*|spawn\w*)|subprocess\.\w+|urllib\.request\.\w+|requests\.\w+|httpx\.\w+|socket\.\w+|"
    r"exec|eval|builtins\.exec|builtins\.eval|base64\.b64decode|ctypes\.\w+|pty\.spawn)$"
)


def setup_remarks(file: SourceFile) -> Iterator[Remark]:
    """What an installation from source would run."""
    try:
        module = parse_module(file, file.text())
    except InputError:
        return  # said where all modules are read
    for call, function in module.calls:
        name = module.dotted(call.func)
        if name in ("setuptools.setup", "distutils.core.setup", "setup"):
            hooks = keyword(call, "cmdclass")
            if isinstance(hooks, ast.Dict):
                for key, value in zip(hooks.keys, hooks.values, strict=True):
                    owner = module.classes.get(value.id) if isinstance(value, ast.Name) else None
                    does = _does(module, owner) if owner is not None else ""
                    if does:
                        message = f"installing the package runs {does} ({ast.unparse(value)})"
                        yield Remark("deps-install-code", ast.unparse(value), message, (module.because(value),))
                    del key
            for text in texts_of(module.values.get("install_requires") or keyword(call, "install_requires")):
                if "git+" in text or "://" in text:
                    yield from moving(
                        text.partition("@")[2].strip() or text, module.because(call), text.split("@")[0].strip()
                    )
        elif function is None and _EXECUTES.match(name) and not _reads_version(call):
            message = f"building or installing the package runs {name}"
            yield Remark("deps-install-code", name, message, (module.because(call),), None, Confidence.MEDIUM)


def _does(module: Module, owner: ast.ClassDef) -> str:
    for node in ast.walk(owner):
        if isinstance(node, ast.Call) and _EXECUTES.match(module.dotted(node.func)):
            return module.dotted(node.func)
    return ""


def _reads_version(call: ast.Call) -> bool:
    """``exec(open("version.py").read())`` and ``git describe``, which many packages do."""
    text = ast.unparse(call)
    return "version" in text.lower() or "git" in text or "about" in text.lower()
