"""A formula as text that `parse` reads back exactly: what an expression shows of itself."""

from __future__ import annotations

from typing import Any

MOST = 60  # characters of a formula in a message
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}


def shortened(formula: Any) -> str:
    """A formula, or a text that quotes one, as messages show it: cut with … where it is long.

    Examples
    --------
    >>> shortened("sin(x) + " * 40), len(shortened("x" * 1000))
    ('sin(x) + sin(x) + sin(x) + sin(x) + sin(x) + sin(x) + sin(x…', 60)
    """
    shown = str(formula)
    return shown if len(shown) <= MOST else f"{shown[: MOST - 1]}…"


def quoted(given: Any) -> str:
    """What a user gave, as Python writes it, shortened."""
    return shortened(repr(given))


def rank_of(node: Any) -> int:
    """How tightly a node holds together: what is below its place is put in parentheses."""
    if node.kind == "constant" and (node.value < 0 or node.value.denominator != 1):
        return 1 if node.value < 0 else 2
    return _PRECEDENCE.get(node.kind, 5)


def text(node: Any) -> str:
    """As text that `parse` reads back exactly."""

    def inner(child: Any, rank: int) -> str:
        return f"({text(child)})" if rank_of(child) < rank else text(child)

    match node.kind, node.arguments:
        case "x" | "pi", _:
            return str(node.kind)
        case "constant", _:
            return str(node.value)
        case "parameter", _:
            return str(node.value)
        case "*", (a, b) if a.kind == "constant" and a.value == -1:
            return f"-{inner(b, 3)}"
        case "+" | "-" | "*" | "/" as operator, (a, b):
            rank = _PRECEDENCE[operator]
            return (
                f"{inner(a, rank)}{operator}{inner(b, rank + 1)}"
                if rank > 1
                else f"{inner(a, 1)} {operator} {inner(b, 2)}"
            )
        case "**", (a,):
            return f"{inner(a, 5)}**{node.value if node.value > 0 else f'({node.value})'}"
        case name, (a,):
            return f"{name}({text(a)})"
    raise AssertionError(node.kind)
