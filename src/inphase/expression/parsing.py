"""Expressions read from text: Python's grammar, walked; nothing is ever executed."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from fractions import Fraction

from inphase.expression.spelling import quoted
from inphase.expression.tree import (
    FUNCTIONS,
    PI,
    Expression,
    X,
    add,
    apply,
    constant,
    divide,
    multiply,
    parameter,
    power,
    subtract,
)


def parse(source: str, names: Sequence[str]) -> Expression:
    """Read an expression in x, the parameters `names`, pi and the elementary functions; decimals are exact.

    The text is read by Python's grammar and walked; nothing is executed, and whatever is not arithmetic is
    refused.
    """
    if len(source) > 200_000:
        raise ValueError(f"the expression has {len(source)} characters; at most 200,000 are read")
    try:
        body = ast.parse(source.strip().replace("^", "**"), mode="eval").body
        return _from_syntax(body, source, names)
    except (SyntaxError, RecursionError, MemoryError, OverflowError) as error:
        raise ValueError(f"cannot read the expression {quoted(source)}: {error}") from None


_OPERATORS: dict[type[ast.operator], Callable[[Expression, Expression], Expression]] = {
    ast.Add: add,
    ast.Sub: subtract,
    ast.Mult: multiply,
    ast.Div: divide,
    ast.Pow: power,
}


def _from_syntax(node: ast.expr, source: str, names: Sequence[str]) -> Expression:
    def walk(child: ast.expr) -> Expression:
        return _from_syntax(child, source, names)

    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            digits = ast.get_source_segment(source.strip().replace("^", "**"), node) or repr(number)
            if (
                (isinstance(number, float) and not math.isfinite(number))
                or len(digits) > 1000
                or abs(int(digits.lower().partition("e")[2] or 0)) > 300
            ):
                raise ValueError(f"the number {digits[:40]} in the expression is out of range")
            return constant(Fraction(digits.replace("_", "")))
        case ast.Name(id="x"):
            return X
        case ast.Name(id="pi"):
            return PI
        case ast.Name(id=name) if name in names:
            return parameter(name)
        case ast.Name(id=name):
            known = ", ".join(["x", "pi", *names])
            raise ValueError(
                f"unknown name {quoted(name)} in the expression {quoted(source)}; known: {known} and {', '.join(FUNCTIONS)}"
            )
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -walk(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return walk(operand)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            a, b = walk(left), walk(right)
            if isinstance(operator, ast.Pow) and b.kind == "constant" and abs(b.value) > 1000:
                raise ValueError(f"the exponent {b.value} in {quoted(source)} is larger than 1000")
            return _OPERATORS[type(operator)](a, b)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return apply(name, walk(argument))
        case ast.Call(func=ast.Name(id=name)):
            if name in ("abs", "sign"):
                raise ValueError(
                    f"{name} is not analytic: an interaction must be an analytic formula; got {quoted(source)}"
                )
            raise ValueError(
                f"unknown function {quoted(name)} in {quoted(source)}; known, of one argument: {', '.join(FUNCTIONS)}"
            )
    raise ValueError(
        f"{quoted(ast.unparse(node))} is not arithmetic: the expression {quoted(source)} is refused"
    )
