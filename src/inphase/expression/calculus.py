"""The derivative of a formula, by the chain rule, as a formula."""

from __future__ import annotations

from inphase.expression.tree import FUNCTIONS, ONE, ZERO, Expression, constant, fold, power


def derivative(expression: Expression) -> Expression:
    """d/dx, by the chain rule."""
    return fold(expression, _chain_rule)


def _chain_rule(node: Expression, inner: list[Expression]) -> Expression:
    """The derivative of a node by the derivatives of its arguments."""
    match node.kind, node.arguments, inner:
        case "x", _, _:
            return ONE
        case "pi" | "constant" | "parameter", _, _:
            return ZERO
        case "+", _, (da, db):
            return da + db
        case "-", _, (da, db):
            return da - db
        case "*", (a, b), (da, db):
            return da * b + a * db
        case "/", (_, b), (da, db):
            return da / b if db is ZERO else (da - node * db) / b
        case "**", (a,), (da,):
            return constant(node.value) * power(a, node.value - 1) * da
        case name, (a,), (da,):
            return ZERO if da is ZERO else FUNCTIONS[name].derivative(a) * da
    raise AssertionError(node.kind)
