"""The derivative of a formula, by the chain rule, as a formula."""

from __future__ import annotations

from inphase.expression.tree import FUNCTIONS, ONE, ZERO, Expression, constant, power


def derivative(expression: Expression) -> Expression:
    """d/dx, by the chain rule."""
    values: dict[int, Expression] = {}

    def d(node: Expression) -> Expression:
        if id(node) not in values:
            values[id(node)] = compute(node)
        return values[id(node)]

    def compute(node: Expression) -> Expression:
        match node.kind, node.arguments:
            case "x", _:
                return ONE
            case "pi" | "constant" | "parameter", _:
                return ZERO
            case "+", (a, b):
                return d(a) + d(b)
            case "-", (a, b):
                return d(a) - d(b)
            case "*", (a, b):
                return d(a) * b + a * d(b)
            case "/", (a, b):
                return d(a) / b if d(b) is ZERO else (d(a) - node * d(b)) / b
            case "**", (a,):
                return constant(node.value) * power(a, node.value - 1) * d(a)
            case name, (a,):
                return ZERO if d(a) is ZERO else FUNCTIONS[name].derivative(a) * d(a)
        raise AssertionError(node.kind)

    return d(expression)
