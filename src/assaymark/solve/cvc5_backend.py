"""cvc5: formulas as its terms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from assaymark.solve.formula import SEGMENTS, And, Flag, Joined, Like, LikeArn, Not, Or, Within, plainly

if TYPE_CHECKING:
    from assaymark.solve.formula import Formula, Value

_PIECES = re.compile(r"([*?])")
_LAST = r"\u{2ffff}"  # of the characters that texts of solvers have


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
        self._known: dict[object, Any] = {}  # terms of formulas by identity, of facts by themselves

    def _named(self, name: str, sort: Any) -> Any:
        if name not in self.named:
            self.named[name] = self.terms.mkConst(sort, name)
        return self.named[name]

    def term(self, formula: Formula) -> Any:
        key: object = id(formula) if isinstance(formula, (Not, And, Or)) else formula
        if key not in self._known:
            self._known[key] = self._made(formula)
        return self._known[key]

    def _made(self, formula: Formula) -> Any:
        kinds, terms = self._kinds, self.terms
        match formula:
            case Flag(name):
                return self._named(name, terms.getBooleanSort())
            case Like(name, pattern, plain):
                text = self._named(name, terms.getStringSort())
                if plain:
                    return terms.mkTerm(kinds.EQUAL, text, terms.mkString(pattern))
                return terms.mkTerm(kinds.STRING_IN_REGEXP, text, self._pattern(pattern))
            case LikeArn(name, pattern):
                text = self._named(name, terms.getStringSort())
                return terms.mkTerm(kinds.STRING_IN_REGEXP, text, self._arn(pattern))
            case Joined():
                return self._text(formula)
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

    def _text(self, formula: Joined) -> Any:
        kinds, terms = self._kinds, self.terms
        whole = terms.mkString("")
        for one in formula.parts:
            piece = terms.mkString(one) if isinstance(one, str) else self._named(one.name, whole.getSort())
            whole = terms.mkTerm(kinds.STRING_CONCAT, whole, piece)
        text = self._named(formula.name, whole.getSort())
        return terms.mkTerm(kinds.STRING_PREFIX if formula.more else kinds.EQUAL, whole, text)

    def _joined(self, kind: Any, parts: list[Any], *, empty: bool) -> Any:
        if len(parts) > 1:
            return self.terms.mkTerm(kind, *parts)
        return parts[0] if parts else self.terms.mkBoolean(empty)

    def _pattern(self, pattern: str) -> Any:
        parts = self._pieces(pattern, self.terms.mkTerm(self._kinds.REGEXP_ALLCHAR))
        if len(parts) > 1:
            return self.terms.mkTerm(self._kinds.REGEXP_CONCAT, *parts)
        return parts[0] if parts else self._exactly("")

    def _arn(self, pattern: str) -> Any:
        kinds, terms = self._kinds, self.terms
        first, last = terms.mkString("\\u{0}", useEscSequences=True), terms.mkString(_LAST, useEscSequences=True)
        below = terms.mkTerm(kinds.REGEXP_RANGE, first, terms.mkString("9"))
        above = terms.mkTerm(kinds.REGEXP_RANGE, terms.mkString(";"), last)
        within = terms.mkTerm(kinds.REGEXP_UNION, below, above)
        parts = []
        for index, segment in enumerate(pattern.split(":", SEGMENTS - 1)):
            parts += [self._exactly(":")] if index else []
            parts += self._pieces(segment, terms.mkTerm(kinds.REGEXP_ALLCHAR) if index == SEGMENTS - 1 else within)
        return terms.mkTerm(kinds.REGEXP_CONCAT, *parts)

    def _pieces(self, pattern: str, one: Any) -> list[Any]:
        return [
            self.terms.mkTerm(self._kinds.REGEXP_STAR, one)
            if piece == "*"
            else one
            if piece == "?"
            else self._exactly(plainly(piece))
            for piece in _PIECES.split(pattern)
            if piece
        ]

    def _exactly(self, text: str) -> Any:
        return self.terms.mkTerm(self._kinds.STRING_TO_REGEXP, self.terms.mkString(text))
