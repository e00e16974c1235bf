"""Whether a formula of questions is so for values of its variables, by another way than solvers go."""

from __future__ import annotations

import re

from assaymark.solve.formula import And, Flag, Joined, Like, LikeArn, Not, Or, Within, plainly


def fits(pattern: str, text: str) -> bool:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(plainly(c)) for c in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def is_so(formula, model) -> bool:
    match formula:
        case Flag(name):
            return bool(model.get(name, False))
        case Like(name, pattern, plain):
            text = str(model.get(name, ""))
            return text == pattern if plain else fits(pattern, text)
        case LikeArn(name, pattern):
            own = str(model.get(name, "")).split(":", 5)
            return len(own) == 6 and all(map(fits, pattern.split(":", 5), own))
        case Joined(name, parts, more):
            text = str(model.get(name, ""))
            whole = "".join(one if isinstance(one, str) else str(model.get(one.name, "")) for one in parts)
            return text.startswith(whole) if more else text == whole
        case Within(name, least, most):
            value = int(model.get(name, 0))
            return (least is None or value >= least) and (most is None or value <= most)
        case Not(of):
            return not is_so(of, model)
        case And(parts):
            return all(is_so(part, model) for part in parts)
        case Or(parts):
            return any(is_so(part, model) for part in parts)
    raise AssertionError(formula)
