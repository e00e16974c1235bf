"""z3: formulas as its terms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from assaymark.solve.formula import SEGMENTS, And, Flag, Joined, Like, LikeArn, Not, Or, Within, plainly

if TYPE_CHECKING:
    from assaymark.solve.formula import Formula, Value

_ESCAPE = re.compile(r"\\u\{([0-9a-fA-F]+)\}")
_PIECES = re.compile(r"([*?])")
_LAST = 0x2FFFF  # of the characters that texts of solvers have


def check(formula: Formula, seconds: int) -> tuple[str, str, dict[str, Value]]:
    """Version, ``sat``, ``unsat`` or ``unknown``, and values of variables."""
    import z3

    terms: dict[str, Any] = {}
    solver = z3.Solver()
    solver.set("timeout", seconds * 1000)
    solver.set("random_seed", 1)
    solver.add(_term(z3, formula, terms, {}))
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


def _term(z3: Any, formula: Formula, terms: dict[str, Any], known: dict[object, Any]) -> Any:
    """``known``: terms of formulas that were met before, by identity, of facts by themselves."""
    key: object = id(formula) if isinstance(formula, (Not, And, Or)) else formula
    if key not in known:
        known[key] = _made(z3, formula, terms, known)
    return known[key]


def _made(z3: Any, formula: Formula, terms: dict[str, Any], known: dict[object, Any]) -> Any:
    match formula:
        case Flag(name):
            return terms.setdefault(name, z3.Bool(name))
        case Like(name, pattern, plain):
            text = terms.setdefault(name, z3.String(name))
            return text == z3.StringVal(pattern) if plain else _like(z3, text, pattern)
        case LikeArn(name, pattern):
            return z3.InRe(terms.setdefault(name, z3.String(name)), _arn(z3, pattern))
        case Joined(name, parts_, more):
            text = terms.setdefault(name, z3.String(name))
            whole = z3.StringVal("")
            for one in parts_:
                piece = z3.StringVal(one) if isinstance(one, str) else terms.setdefault(one.name, z3.String(one.name))
                whole = z3.Concat(whole, piece)
            return z3.PrefixOf(whole, text) if more else text == whole
        case Within(name, least, most):
            number = terms[name] if name in terms else terms.setdefault(name, z3.Int(name))
            if least is not None and least == most:
                return number == least
            bounds = [number >= least] if least is not None else []
            return z3.And(*bounds, *([number <= most] if most is not None else []))
        case Not(of):
            return z3.Not(_term(z3, of, terms, known))
        case And(parts):
            return z3.And(*(_term(z3, part, terms, known) for part in parts))
        case Or(parts):
            return z3.Or(*(_term(z3, part, terms, known) for part in parts))


def _like(z3: Any, text: Any, pattern: str) -> Any:
    """Beginnings and ends are asked about as such, which is faster than as regular expressions."""
    inner = pattern.removesuffix("*")
    if "*" not in inner and "?" not in inner and inner != pattern:
        return z3.PrefixOf(z3.StringVal(plainly(inner)), text)
    return z3.InRe(text, _pattern(z3, pattern))


def _pattern(z3: Any, pattern: str) -> Any:
    parts = _pieces(z3, pattern, z3.AllChar(z3.ReSort(z3.StringSort())))
    return z3.Concat(*parts) if len(parts) > 1 else parts[0] if parts else z3.Re(z3.StringVal(""))


def _arn(z3: Any, pattern: str) -> Any:
    within = z3.Union(z3.Range(chr(0), "9"), z3.Range(";", chr(_LAST)))
    anything = z3.AllChar(z3.ReSort(z3.StringSort()))
    segments = pattern.split(":", SEGMENTS - 1)
    parts = []
    for index, segment in enumerate(segments):
        parts += [z3.Re(z3.StringVal(":"))] if index else []
        parts += _pieces(z3, segment, anything if index == SEGMENTS - 1 else within)
    return z3.Concat(*parts)


def _pieces(z3: Any, pattern: str, one: Any) -> list[Any]:
    return [
        z3.Star(one) if piece == "*" else one if piece == "?" else z3.Re(z3.StringVal(plainly(piece)))
        for piece in _PIECES.split(pattern)
        if piece
    ]
