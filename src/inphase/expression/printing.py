"""A formula as LaTeX."""

from __future__ import annotations

from inphase.expression.spelling import rank_of
from inphase.expression.tree import FUNCTIONS, Expression, X

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

    def inner(child: Expression, rank: int) -> str:
        shown = latex(child)
        return (
            rf"\left({shown}\right)"
            if rank_of(child) < rank or (rank == 5 and child.kind == "exp")
            else shown
        )

    def factor(child: Expression) -> str:
        """A factor that is not the first: what begins with a minus is put in parentheses."""
        shown = inner(child, 2)
        return rf"\left({shown}\right)" if shown.startswith("-") else shown

    match node.kind, node.arguments:
        case "x", _:
            return "x"
        case "pi", _:
            return r"\pi"
        case "constant", _:
            q = node.value
            if q.denominator == 1:
                return str(q.numerator)
            short = f"{float(q):.6g}"
            return (
                short
                if q.denominator > 1000
                else rf"{'-' if q < 0 else ''}\frac{{{abs(q.numerator)}}}{{{q.denominator}}}"
            )
        case "parameter", _:
            return f"\\{node.value}" if node.value in _GREEK else str(node.value)
        case "*", (a, b) if a.kind == "constant" and a.value == -1:
            return f"-{factor(b)}"
        case "*", (a, b):
            return rf"{inner(a, 2)}\,{factor(b)}"
        case "/", (a, b):
            return rf"\frac{{{latex(a)}}}{{{latex(b)}}}"
        case "+" | "-" as operator, (a, b):
            return f"{latex(a)} {operator} {factor(b)}"
        case "**", (a,):
            if a.kind in FUNCTIONS and a.kind not in ("exp", "sqrt") and node.value > 0:
                return rf"{FUNCTIONS[a.kind].latex}^{{{node.value}}}{_argument(a.arguments[0])}"
            shown = rf"\left({latex(a)}\right)" if a.kind in FUNCTIONS else inner(a, 5)
            return f"{shown}^{{{node.value}}}"
        case "exp", (a,):
            return f"e^{{{latex(a)}}}"
        case "sqrt", (a,):
            return rf"\sqrt{{{latex(a)}}}"
        case name, (a,):
            return f"{FUNCTIONS[name].latex}{_argument(a)}"
    raise AssertionError(node.kind)


def _argument(node: Expression) -> str:
    return " x" if node is X else rf"\left({latex(node)}\right)"
