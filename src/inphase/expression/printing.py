"""A formula as LaTeX."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from inphase.expression.spelling import LONGEST, rank_of, written
from inphase.expression.tree import FUNCTIONS, Expression, X, constant

_GREEK = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "omega",
    "phi",
    "rho",
    "sigma",
    "tau",
]


def latex(node: Expression) -> str:
    """As LaTeX, without dollar signs."""
    return written(node, _parts, longest=8 * LONGEST)  # of any formula that has a text


def _in_brackets(node: Expression) -> list[Any]:
    return [r"\left(", node, r"\right)"]


def _inner(child: Expression, rank: int) -> list[Any]:
    loose = rank_of(child) < rank or (rank == 5 and child.kind == "exp")
    return _in_brackets(child) if loose else [child]


def _factor(child: Expression) -> list[Any]:
    """A factor that is not the first: what begins with a minus is put in parentheses."""
    return _in_brackets(child) if _begins_with_minus(child) else _inner(child, 2)


def _begins_with_minus(node: Expression) -> bool:
    while node.kind in ("+", "-") or (node.kind == "*" and rank_of(node.arguments[0]) >= 2):
        node = node.arguments[0]
    if node.kind == "*":  # its first factor is a sum or a negative number: in parentheses, but for −1
        return node.arguments[0] is constant(-1)
    return node.kind == "constant" and node.value < 0


def _parts(node: Expression) -> list[Any]:
    match node.kind, node.arguments:
        case "x", _:
            return ["x"]
        case "pi", _:
            return [r"\pi"]
        case "constant", _:
            return [_number(node.value)]
        case "parameter", _:
            return [f"\\{node.value}" if node.value in _GREEK else str(node.value)]
        case "*", (a, b) if a.kind == "constant" and a.value == -1:
            return ["-", *_factor(b)]
        case "*", (a, b):
            return [*_inner(a, 2), r"\,", *_factor(b)]
        case "/", (a, b):
            return [r"\frac{", a, "}{", b, "}"]
        case "+" | "-" as operator, (a, b):
            return [a, f" {operator} ", *_factor(b)]
        case "**", (a,):
            if a.kind in FUNCTIONS and a.kind not in ("exp", "sqrt") and node.value > 0:
                return [rf"{FUNCTIONS[a.kind].latex}^{{{node.value}}}", *_argument(a.arguments[0])]
            return [*(_in_brackets(a) if a.kind in FUNCTIONS else _inner(a, 5)), f"^{{{node.value}}}"]
        case "exp", (a,):
            return ["e^{", a, "}"]
        case "sqrt", (a,):
            return [r"\sqrt{", a, "}"]
        case name, (a,):
            return [FUNCTIONS[name].latex, *_argument(a)]
    raise AssertionError(node.kind)


def _number(q: Fraction) -> str:
    if q.denominator == 1:
        return str(q.numerator)
    if q.denominator > 1000:
        return f"{float(q):.6g}"
    return rf"{'-' if q < 0 else ''}\frac{{{abs(q.numerator)}}}{{{q.denominator}}}"


def _argument(node: Expression) -> list[Any]:
    return [" x"] if node is X else _in_brackets(node)
