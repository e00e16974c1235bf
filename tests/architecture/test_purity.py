"""What keeps a decision replayable and a parser fuzzable: the lower floors compute and do nothing else.

Reads the source of src/assaymark as a syntax tree. Each rule is a function from a module to what offends in it, and is
shown to fail on a small module that does.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "assaymark"

PURE = ("core", "formats", "tlog", "policy", "trust", "scanning")

# Clocks, chance, the environment, files, sockets, processes, threads; and what runs code out of data.
IMPURE_MODULES = frozenset(
    [
        "os",
        "time",
        "random",
        "secrets",
        "uuid",
        "socket",
        "ssl",
        "select",
        "selectors",
        "subprocess",
        "signal",
        "threading",
        "_thread",
        "multiprocessing",
        "asyncio",
        "concurrent",
        "queue",
        "sched",
        "io",
        "tempfile",
        "shutil",
        "glob",
        "fileinput",
        "mmap",
        "fcntl",
        "resource",
        "sqlite3",
        "dbm",
        "logging",
        "locale",
        "getpass",
        "platform",
        "ctypes",
        "http",
        "urllib",
        "ftplib",
        "smtplib",
        "socketserver",
        "webbrowser",
        "atexit",
        "gc",
        "site",
        "zipfile",
        "tarfile",
        "gzip",
        "bz2",
        "lzma",
        "pathlib",
        "posix",
        "sys",
        "torch",
        "numpy",
    ]
)
# They compute on bytes, and are kept out of all other modules because they also open files.
PURE_ALL_THE_SAME = {"formats/compressed.py": {"bz2", "lzma", "sys"}, "formats/sevenzip.py": {"bz2", "lzma"}}
CODE_FROM_DATA = frozenset(["pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"])
PROCESS_POOLS = frozenset(("multiprocessing",))
IMPURE_CALLS = frozenset(
    ["open", "print", "input", "breakpoint", "exec", "eval", "compile", "__import__", "exit", "quit"]
)
CODE_CALLS = frozenset(("exec", "eval", "__import__", "execfile"))
CLOCKS = frozenset(("now", "utcnow", "today"))
FILE_METHODS = frozenset(
    [
        "read_text",
        "read_bytes",
        "write_text",
        "write_bytes",
        "mkdir",
        "rmdir",
        "unlink",
        "touch",
        "iterdir",
        "rglob",
        "is_file",
        "is_dir",
        "lstat",
        "resolve",
        "readlink",
        "symlink_to",
        "hardlink_to",
        "expanduser",
        "samefile",
    ]
)

# Where a blind ``except`` may stand, and why it is right there. What is raised again needs no entry.
BORDERS = {
    (
        "enforce/admission.py",
        "Exception",
    ): "the ASGI application: no stack trace in an answer, and 500 lets nothing in",
    ("enforce/answers.py", "Exception"): "a question in a worker thread: whatever went wrong is no answer",
    ("enforce/record.py", "Exception"): "a background task: who is let in does not hang on its records",
    ("enforce/guard.py", "BaseException"): "nothing may unwind from the forked guard into the launcher's code",
    ("enforce/watch.py", "Exception"): "a watching thread hands it to the launcher's, which stops the program",
    ("recording/keeper.py", "BaseException"): "nothing may unwind from the forked keeper into the recorder's code",
    ("sandbox/pool.py", "BaseException"): "a feeder thread carries it to the caller's thread, which raises it",
    (
        "sandbox/worker.py",
        "Exception",
    ): "a scanner that fails loses its file, which counts as skipped, and not the others",
    ("sandbox/worker.py", "BaseException"): "nothing may unwind from a forked child into the zygote's loop",
    ("store/intake.py", "BaseException"): "a copying thread hands it to the caller's thread, which raises it",
    ("ui/cli/main.py", "Exception"): "the command line: no stack trace reaches a user, and the exit code is 4",
}
PRINTS = ("ui/",)
ATTESTATION_MAKERS = {
    "trust/verify.py": "the signatures and the place in the log were verified",
    "policy/cases.py": "a supposition of `policy test`: decided about in memory, never signed, logged or shown as a decision",
}
LONG, LONGEST = 400, 600


@dataclass(frozen=True)
class Module:
    """``path`` from src/assaymark."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return parsed(self.text)

    @property
    def package(self) -> str:
        return self.path.split("/")[0]

    @property
    def pure(self) -> bool:
        return self.package in PURE


@cache
def parsed(text: str) -> ast.Module:
    return ast.parse(text)


MODULES = [Module(str(file.relative_to(SOURCE)), file.read_text()) for file in sorted(SOURCE.rglob("*.py"))]


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """Dotted names that are imported, with the names out of a module: ``from a import b`` is ``a.b``."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, "." * node.level + f"{node.module or ''}.{alias.name}") for alias in node.names)


def calls(module: Module) -> Iterator[tuple[int, str, ast.Call]]:
    """Dotted names that are called: ``a.b.c(...)`` is ``a.b.c``; what is called of a result begins with a dot."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield node.lineno, dotted(node.func), node


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def top(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def impure_imports(module: Module) -> list[str]:
    if not module.pure:
        return []
    banned = (IMPURE_MODULES | CODE_FROM_DATA) - type_only(module) - PURE_ALL_THE_SAME.get(module.path, set())
    return [f"{line}: import {name}" for line, name in imports(module) if top(name) in banned]


def type_only(module: Module) -> frozenset[str]:
    """Modules that are imported for annotations alone, which are never evaluated."""
    blocks = [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and dotted(node.test).endswith("TYPE_CHECKING")
    ]
    inside = {
        top(name)
        for block in blocks
        for _, name in imports(Module(module.path, "\n".join(map(ast.unparse, block.body))))
    }
    everywhere = [top(name) for _, name in imports(module)]
    return frozenset(name for name in inside if everywhere.count(name) == 1)


def impure_calls(module: Module) -> list[str]:
    if not module.pure:
        return []
    found = []
    for line, name, _ in calls(module):
        last = name.rsplit(".", 1)[-1]
        method = "." in name
        if (
            (not method and name in IMPURE_CALLS)
            or name in ("builtins.open", "builtins.exec", "builtins.eval", "codecs.open", "datetime.date.today")
            or (method and last in FILE_METHODS | {"open"})
            or (method and last in CLOCKS and any(word in name for word in ("datetime", "date.")))
        ):
            found.append(f"{line}: {name}()")
    return found


def imported_by_name(module: Module) -> list[str]:
    """Modules named by text are loaded in one place, from a table of ours."""
    if module.path == "core/part.py" or not module.pure:
        return []
    return [
        f"{line}: import {name}" for line, name in imports(module) if top(name) in ("importlib", "runpy", "pkgutil")
    ]


def core_imports(module: Module) -> list[str]:
    if module.package != "core":
        return []
    allowed = sys.stdlib_module_names
    return [
        f"{line}: import {name}"
        for line, name in imports(module)
        if top(name) not in allowed and not name.startswith("assaymark.core.")
    ]


def code_from_data(module: Module) -> list[str]:
    found = [f"{line}: import {name}" for line, name in imports(module) if top(name) in CODE_FROM_DATA]
    return found + [
        f"{line}: {name}()" for line, name, _ in calls(module) if name.removeprefix("builtins.") in CODE_CALLS
    ]


def process_pools(module: Module) -> list[str]:
    """They send pickles between processes."""
    found = [
        f"{line}: import {name}"
        for line, name in imports(module)
        if top(name) in PROCESS_POOLS
        or name.startswith(("concurrent.futures.process", "concurrent.futures.ProcessPool"))
    ]
    return found + [f"{line}: {name}()" for line, name, _ in calls(module) if name.endswith("ProcessPoolExecutor")]


def shells(module: Module) -> list[str]:
    return [
        f"{line}: {name}(...)"
        for line, name, call in calls(module)
        if name in ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput")
        or any(
            word.arg == "shell" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
            for word in call.keywords
            if "subprocess" in name
            or name.rsplit(".", 1)[-1] in ("run", "Popen", "call", "check_call", "check_output")
        )
    ]


def blind_excepts(module: Module) -> list[str]:
    return [
        f"{node.lineno}: except {name}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and not raises_again(node)
        for name in caught(node)
        if name in ("Exception", "BaseException") and (module.path, name) not in BORDERS
    ]


def caught(handler: ast.ExceptHandler) -> list[str]:
    """The names of what a handler catches; a bare one catches everything."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return ["BaseException" if kind is None else dotted(kind) for kind in kinds]


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether the handler ends in ``raise`` of the same error, with no way around it."""
    last = handler.body[-1]
    if any(
        isinstance(node, (ast.Return, ast.Continue, ast.Break)) for item in handler.body for node in ast.walk(item)
    ):
        return False
    return isinstance(last, ast.Raise) and (
        last.exc is None or (handler.name is not None and dotted(last.exc) == handler.name)
    )


def prints(module: Module) -> list[str]:
    if module.path.startswith(PRINTS):
        return []
    streams = ("sys.stdout", "sys.__stdout__")
    found = [f"{line}: print()" for line, name, _ in calls(module) if name == "print"]
    found += [f"{line}: {name}" for line, name in imports(module) if name in streams]
    uses = (node for node in ast.walk(module.tree) if isinstance(node, ast.Attribute))
    return found + [f"{node.lineno}: {dotted(node)}" for node in uses if dotted(node) in streams]


def attestations(module: Module) -> list[str]:
    """A signature was verified, or there is no attestation: no copy with other fields either."""
    if module.path in ATTESTATION_MAKERS:
        return []
    return [
        f"{line}: {name}(...)"
        for line, name, call in calls(module)
        if name.rsplit(".", 1)[-1] == "Attestation"
        or (
            name in ("replace", "dataclasses.replace", "copy.replace")
            and "attestation" in "".join(map(ast.unparse, call.args[:1])).lower()
        )
    ]


def long_files(module: Module) -> list[str]:
    lines = module.text.count("\n")
    if lines > LONGEST:
        return [f"{lines} lines, above {LONGEST}"]
    header = (ast.get_docstring(module.tree) or "") + "\n".join(
        line for line in module.text.splitlines()[:20] if line.startswith("#")
    )
    if lines > LONG and not any(
        word in header.lower() for word in ("one file because", "long because", "lines because")
    ):
        return [f"{lines} lines, and the header does not say why (`This is one file because ...`)"]
    return []


RULES: list[Callable[[Module], list[str]]] = [
    impure_imports,
    impure_calls,
    imported_by_name,
    core_imports,
    code_from_data,
    process_pools,
    shells,
    blind_excepts,
    prints,
    attestations,
    long_files,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_source_keeps_the_rule(rule):
    assert [f"{module.path}:{offence}" for module in MODULES for offence in rule(module)] == []


def test_all_packages_are_read():
    assert {module.package for module in MODULES} >= {*PURE, "store", "keys", "sandbox", "service", "enforce", "ui"}


def test_no_border_is_left_over():
    """An entry whose handler is gone would excuse the next one."""
    there = {
        (module.path, name)
        for module in MODULES
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler)
        for name in caught(node)
    }
    assert set(BORDERS) <= there


OFFENDERS = [
    *((impure_imports, "core/x.py", f"import {name}") for name in sorted(IMPURE_MODULES | CODE_FROM_DATA)),
    (impure_imports, "scanning/x.py", "from concurrent.futures import ThreadPoolExecutor"),
    (impure_imports, "policy/deep/x.py", "def f():\n    from os import environ"),
    (impure_imports, "trust/x.py", "import os.path as p"),
    (impure_imports, "tlog/x.py", "if TYPE_CHECKING:\n    import time\ndef f():\n    import time"),
    (impure_calls, "core/x.py", "open('f')"),
    (impure_calls, "core/x.py", "print('x')"),
    (impure_calls, "core/x.py", "eval(text)"),
    (impure_calls, "core/x.py", "exec(text)"),
    (impure_calls, "core/x.py", "compile(text, '', 'exec')"),
    (impure_calls, "core/x.py", "__import__('os')"),
    (impure_calls, "core/x.py", "exit(1)"),
    (impure_calls, "core/x.py", "codecs.open('f')"),
    (impure_calls, "formats/x.py", "path.open('rb')"),
    (impure_calls, "formats/x.py", "path.read_bytes()"),
    (impure_calls, "formats/x.py", "(folder / name).write_text('x')"),
    (impure_calls, "policy/x.py", "datetime.now(UTC)"),
    (impure_calls, "policy/x.py", "datetime.datetime.utcnow()"),
    (impure_calls, "policy/x.py", "date.today()"),
    (imported_by_name, "scanning/x.py", "from importlib import import_module"),
    (imported_by_name, "core/x.py", "import importlib"),
    (imported_by_name, "core/x.py", "import runpy"),
    (core_imports, "core/x.py", "import cryptography"),
    (core_imports, "core/x.py", "def f():\n    from assaymark.policy.decide import decide"),
    (core_imports, "core/x.py", "from .. import trust"),
    (code_from_data, "ui/x.py", "import pickle"),
    (code_from_data, "store/x.py", "from marshal import loads"),
    (code_from_data, "service/x.py", "eval(text)"),
    (code_from_data, "service/x.py", "builtins.exec(text)"),
    (process_pools, "store/x.py", "import multiprocessing.pool"),
    (process_pools, "store/x.py", "from concurrent.futures import ProcessPoolExecutor"),
    (process_pools, "store/x.py", "concurrent.futures.ProcessPoolExecutor()"),
    (shells, "store/x.py", "subprocess.run(words, shell=True)"),
    (shells, "store/x.py", "run(words, shell=asked)"),
    (shells, "store/x.py", "os.system('x')"),
    (blind_excepts, "store/x.py", "try:\n    f()\nexcept Exception:\n    pass"),
    (blind_excepts, "store/x.py", "try:\n    f()\nexcept:\n    pass"),
    (blind_excepts, "store/x.py", "try:\n    f()\nexcept (ValueError, BaseException) as error:\n    log(error)"),
    (blind_excepts, "store/x.py", "try:\n    f()\nexcept BaseException:\n    if g():\n        return\n    raise"),
    (blind_excepts, "store/x.py", "try:\n    f()\nexcept Exception as error:\n    raise Other from error"),
    (blind_excepts, "ui/cli/main.py", "try:\n    f()\nexcept BaseException:\n    pass"),
    (prints, "store/x.py", "print('x')"),
    (prints, "service/x.py", "sys.stdout.write('x')"),
    (prints, "service/x.py", "from sys import stdout"),
    (attestations, "policy/x.py", "Attestation(statement)"),
    (attestations, "policy/x.py", "core.attestation.Attestation(statement)"),
    (attestations, "policy/x.py", "replace(attestation, signers=())"),
    (long_files, "store/x.py", '"""Short."""\n' + "x = 1\n" * 401),
    (long_files, "store/x.py", '"""This is one file because it is a table."""\n' + "x = 1\n" * 601),
]


@pytest.mark.parametrize(("rule", "path", "text"), OFFENDERS)
def test_an_offender_is_caught(rule, path, text):
    assert rule(Module(path, text))


INNOCENTS = [
    (impure_imports, "store/x.py", "import os"),
    (impure_imports, "core/x.py", "import json\nfrom datetime import UTC, datetime"),
    (impure_imports, "core/x.py", "if TYPE_CHECKING:\n    from pathlib import Path"),
    (impure_calls, "core/x.py", "datetime.fromtimestamp(seconds, UTC)\nre.compile('x')\nview.read(0, 1)"),
    (imported_by_name, "core/part.py", "from importlib import import_module"),
    (core_imports, "core/x.py", "from assaymark.core.errors import InputError"),
    (process_pools, "store/x.py", "from concurrent.futures import ThreadPoolExecutor"),
    (shells, "store/x.py", "subprocess.run(words, shell=False)"),
    (shells, "ui/x.py", "shtab.complete(parser, shell=args.shell)"),
    (blind_excepts, "store/x.py", "try:\n    f()\nexcept BaseException:\n    g()\n    raise"),
    (blind_excepts, "store/x.py", "try:\n    f()\nexcept OSError:\n    pass"),
    (prints, "ui/x.py", "print('x')"),
    (attestations, "trust/verify.py", "Attestation(statement)"),
    (long_files, "store/x.py", '"""A table. This is one file because it is one."""\n' + "x = 1\n" * 500),
]


@pytest.mark.parametrize(("rule", "path", "text"), INNOCENTS)
def test_what_is_allowed_passes(rule, path, text):
    assert rule(Module(path, text)) == []
