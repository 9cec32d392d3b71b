"""What the structure of a formula proves, exactly: odd, 2π-periodic, attention's."""

from __future__ import annotations

from fractions import Fraction

from inphase import expression as ex


def slope(node: ex.Expression) -> Fraction | None:
    """The rational k of k·x + (free of x), else None."""
    if node is ex.X:
        return Fraction(1)
    if free(node):
        return Fraction(0)
    if node.kind in ("+", "-"):
        a, b = (slope(child) for child in node.arguments)
        return None if a is None or b is None else (a + b if node.kind == "+" else a - b)
    if node.kind == "*" and node.arguments[0].kind == "constant":
        inner = slope(node.arguments[1])
        return None if inner is None else Fraction(node.arguments[0].value) * inner
    return None


def free(node: ex.Expression) -> bool:
    """Whether x does not occur."""
    return node is not ex.X and all(free(child) for child in node.arguments)


def periodic(node: ex.Expression) -> bool:
    """Whether x stands only inside sin, cos, tan of k·x + constant with an integer k: then f is 2π-periodic,
    exactly.

    Examples
    --------
    >>> from inphase.interaction import Interaction
    >>> periodic(Interaction("sin(x)*exp(cos(2*x))").expression)
    True
    """
    if node is ex.X:
        return False
    if node.kind in ("sin", "cos", "tan"):
        k = slope(node.arguments[0])
        if k is not None:
            return k.denominator == 1
    return all(periodic(child) for child in node.arguments)


def attention_parameter(node: ex.Expression) -> str | None:
    """The name of β if the formula is attention's, sin
    x · e^{β (cos x − 1)} or sin x · e^{β cos x}; else None.
    """
    names = parameters(node)
    if len(names) != 1:
        return None
    name = names.pop()
    known = (f"sin(x)*exp({name}*(cos(x) - 1))", f"sin(x)*exp({name}*cos(x))")
    return name if any(node is ex.parse(text, [name]) for text in known) else None


def parameters(node: ex.Expression) -> set[str]:
    """The names of the parameters that occur."""
    if node.kind == "parameter":
        return {node.value}
    return {name for child in node.arguments for name in parameters(child)}
