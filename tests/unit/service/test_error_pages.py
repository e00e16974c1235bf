"""Every error code that the source can raise has a row in docs/spec/errors.md, and every row a code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from assaymark.core.errors import UsageError
from assaymark.service.explain import explain, known_ids

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src" / "assaymark"
TABLE = (ROOT / "docs" / "spec" / "errors.md").read_text()

ERRORS = {"UsageError", "InputError", "VerificationError", "UnavailableError", "InternalError"}
# Calls that hand a code on to one of the above, and reasons, whose requirement a reader looks up as they do a code.
HELPERS = {"_refused", "refused", "decode_base64", "parse_decimal", "Reason"}
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
WORD = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def name_of(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def texts(node: ast.expr) -> list[str]:
    """The literals that an expression may come to be."""
    if isinstance(node, ast.IfExp):
        return texts(node.body) + texts(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def codes_in(source: str) -> set[str]:
    """Codes of one module: literals handed to an error or helper, or to a variable that is."""
    tree = ast.parse(source)
    codes: set[str] = set()
    for function in ast.walk(tree):
        if not isinstance(function, ast.Call) or name_of(function.func) not in ERRORS | HELPERS:
            continue
        raised = name_of(function.func) in ERRORS
        for i, argument in enumerate([*function.args, *(word.value for word in function.keywords)]):
            form = WORD if raised and i == 0 else CODE
            if not raised or i == 0:
                codes.update(text for text in texts(argument) if form.fullmatch(text))
            if raised and i == 0 and isinstance(argument, ast.Name):
                codes |= assigned(tree, argument.id)
    return codes


def assigned(tree: ast.AST, variable: str) -> set[str]:
    values = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and any(name_of(target) == variable for target in node.targets)
    ]
    return {text for value in values for text in texts(value) if WORD.fullmatch(text)}


def all_codes() -> set[str]:
    return set().union(*(codes_in(path.read_text()) for path in SOURCE.rglob("*.py")))


def rows() -> dict[str, tuple[str, str]]:
    return {code: (what, do) for code, what, do in ROW.findall(TABLE)}


def test_codes_are_found_wherever_they_are_written():
    found = codes_in(
        'raise InputError("a-b", "not-a-code")\n'
        'raise errors.UnavailableError("memory", "x")\n'
        'raise _refused("c-d", "x")\n'
        'decode_base64(text, "e-f", "line 2")\n'
        'raise UsageError("g-h" if late else "i-j", "x", remedy="k-l")\n'
        'code = "m-n" if full else "o-p"\n'
        'raise UnavailableError(code, "x")\n'
        'print("q-r")\n'
    )
    assert found == {"a-b", "memory", "c-d", "e-f", "g-h", "i-j", "m-n", "o-p"}


def test_every_computed_code_is_resolved():
    """An error whose code is a parameter is reached through a helper of the list, so that no code is overlooked."""
    unresolved = []
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                if name_of(call.func) not in ERRORS or not call.args or texts(call.args[0]):
                    continue
                code = call.args[0]
                known = isinstance(code, ast.Name) and (assigned(function, code.id) or function.name in HELPERS)
                if not known:
                    unresolved.append(f"{path.name}:{call.lineno} {function.name}")
    assert not unresolved


def test_every_code_has_a_row():
    assert sorted(all_codes() - set(rows())) == []


def test_every_row_has_a_code():
    assert sorted(set(rows()) - all_codes()) == []


def test_rows_are_whole_and_each_is_there_once():
    written = [line for line in TABLE.splitlines() if line.startswith("| `")]
    assert len(written) == len(rows())
    for code, (what, do) in rows().items():
        assert what.endswith("."), code
        assert do.endswith("."), code
        assert re.fullmatch(r"[A-Z`].*", what), code


@pytest.mark.parametrize("code", sorted(rows()))
def test_explain_finds_each_code(code):
    what, do = rows()[code]
    page = explain(code)
    assert page.kind == "error"
    assert what in page.text
    assert do in page.text
    assert code in known_ids()


def test_an_error_and_a_predicate_of_one_name_are_both_explained():
    page = explain("policy-statement")
    assert "# policy-statement" in page.text
    assert "# Predicate: policy" in page.text


def test_an_unknown_code_names_the_nearest():
    with pytest.raises(UsageError) as caught:
        explain("log-dammaged")
    assert "log-damaged" in caught.value.remedy
