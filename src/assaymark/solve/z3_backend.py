"""z3: formulas as its terms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from assaymark.solve.formula import And, Flag, Like, Not, Or, Within

if TYPE_CHECKING:
    from assaymark.solve.formula import Formula, Value

_ESCAPE = re.compile(r"\\u\{([0-9a-fA-F]+)\}")
_PIECES = re.compile(r"([*?])")


def check(formula: Formula, seconds: int) -> tuple[str, str, dict[str, Value]]:
    """Version, ``sat``, ``unsat`` or ``unknown``, and values of variables."""
    import z3

    terms: dict[str, Any] = {}
    solver = z3.Solver()
    solver.set("timeout", seconds * 1000)
    solver.set("random_seed", 1)
    solver.add(_term(z3, formula, terms))
    answer = str(solver.check())
    model: dict[str, Value] = {}
    if answer == "sat":
        values = solver.model()
        for name, term in terms.items():
            value = values.eval(term, model_completion=True)
            if z3.is_string_value(value):
                model[name] = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), value.as_string())
            elif z3.is_int_value(value):
                model[name] = value.as_long()
            else:
                model[name] = z3.is_true(value)
    return z3.get_version_string(), answer, model


def _term(z3: Any, formula: Formula, terms: dict[str, Any]) -> Any:
    match formula:
        case Flag(name):
            return terms.setdefault(name, z3.Bool(name))
        case Like(name, pattern, plain):
            text = terms.setdefault(name, z3.String(name))
            return text == z3.StringVal(pattern) if plain else z3.InRe(text, _pattern(z3, pattern))
        case Within(name, least, most):
            number = terms.setdefault(name, z3.Int(name))
            bounds = [number >= least] if least is not None else []
            return z3.And(*bounds, *([number <= most] if most is not None else []))
        case Not(of):
            return z3.Not(_term(z3, of, terms))
        case And(parts):
            return z3.And(*(_term(z3, part, terms) for part in parts))
        case Or(parts):
            return z3.Or(*(_term(z3, part, terms) for part in parts))


def _pattern(z3: Any, pattern: str) -> Any:
    one = z3.AllChar(z3.ReSort(z3.StringSort()))
    parts = [
        z3.Star(one) if piece == "*" else one if piece == "?" else z3.Re(z3.StringVal(piece))
        for piece in _PIECES.split(pattern)
        if piece
    ]
    return z3.Concat(*parts) if len(parts) > 1 else parts[0] if parts else z3.Re(z3.StringVal(""))
