"""cvc5: formulas as its terms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from assaymark.solve.formula import And, Flag, Like, Not, Or, Within

if TYPE_CHECKING:
    from assaymark.solve.formula import Formula, Value

_PIECES = re.compile(r"([*?])")


def check(formula: Formula, seconds: int) -> tuple[str, str, dict[str, Value]]:
    """Version, ``sat``, ``unsat`` or ``unknown``, and values of variables."""
    import cvc5

    builder = _Builder(cvc5)
    solver = cvc5.Solver(builder.terms)
    solver.setOption("produce-models", "true")
    solver.setOption("strings-exp", "true")
    solver.setOption("seed", "1")
    solver.setOption("tlimit-per", str(seconds * 1000))
    solver.setLogic("QF_SLIA")
    solver.assertFormula(builder.term(formula))
    result = solver.checkSat()
    answer = "sat" if result.isSat() else "unsat" if result.isUnsat() else "unknown"
    model: dict[str, Value] = {}
    if answer == "sat":
        for name, term in builder.named.items():
            value = solver.getValue(term)
            if value.isStringValue():
                model[name] = str(value.getStringValue())
            elif value.isIntegerValue():
                model[name] = int(value.getIntegerValue())
            else:
                model[name] = bool(value.getBooleanValue())
    return str(cvc5.__version__), answer, model


class _Builder:
    def __init__(self, cvc5: Any) -> None:
        self._kinds = cvc5.Kind
        self.terms = cvc5.TermManager()
        self.named: dict[str, Any] = {}

    def _named(self, name: str, sort: Any) -> Any:
        if name not in self.named:
            self.named[name] = self.terms.mkConst(sort, name)
        return self.named[name]

    def term(self, formula: Formula) -> Any:
        kinds, terms = self._kinds, self.terms
        match formula:
            case Flag(name):
                return self._named(name, terms.getBooleanSort())
            case Like(name, pattern, plain):
                text = self._named(name, terms.getStringSort())
                if plain:
                    return terms.mkTerm(kinds.EQUAL, text, terms.mkString(pattern))
                return terms.mkTerm(kinds.STRING_IN_REGEXP, text, self._pattern(pattern))
            case Within(name, least, most):
                number = self._named(name, terms.getIntegerSort())
                parts = []
                if least is not None:
                    parts.append(terms.mkTerm(kinds.GEQ, number, terms.mkInteger(str(least))))
                if most is not None:
                    parts.append(terms.mkTerm(kinds.LEQ, number, terms.mkInteger(str(most))))
                return self._joined(kinds.AND, parts, empty=True)
            case Not(of):
                return terms.mkTerm(kinds.NOT, self.term(of))
            case And(parts_):
                return self._joined(kinds.AND, [self.term(part) for part in parts_], empty=True)
            case Or(parts_):
                return self._joined(kinds.OR, [self.term(part) for part in parts_], empty=False)

    def _joined(self, kind: Any, parts: list[Any], *, empty: bool) -> Any:
        if len(parts) > 1:
            return self.terms.mkTerm(kind, *parts)
        return parts[0] if parts else self.terms.mkBoolean(empty)

    def _pattern(self, pattern: str) -> Any:
        kinds, terms = self._kinds, self.terms
        one = terms.mkTerm(kinds.REGEXP_ALLCHAR)
        parts = [
            terms.mkTerm(kinds.REGEXP_STAR, one)
            if piece == "*"
            else one
            if piece == "?"
            else terms.mkTerm(kinds.STRING_TO_REGEXP, terms.mkString(piece))
            for piece in _PIECES.split(pattern)
            if piece
        ]
        if len(parts) > 1:
            return terms.mkTerm(kinds.REGEXP_CONCAT, *parts)
        return parts[0] if parts else terms.mkTerm(kinds.STRING_TO_REGEXP, terms.mkString(""))
