"""A formula as text that `parse` reads back exactly: what an expression shows of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MOST = 60  # characters of a formula in a message
LONGEST = 2_000_000  # characters of a formula, written or read
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


def written(node: Any, parts: Callable[[Any], list[Any]], longest: int = LONGEST) -> str:
    """A formula from the `parts` of each node: strings, and nodes to be written in their turn.

    Raises ValueError where it becomes too long: powers of shared parts may have few nodes and no end of text.
    """
    found: list[str] = []
    length, stack = 0, [node]
    while stack:
        part = stack.pop()
        if not isinstance(part, str):
            stack.extend(reversed(parts(part)))
            continue
        found.append(part)
        length += len(part)
        if length > longest:
            raise ValueError(f"the formula has more than {longest:,} characters when it is written out")
    return "".join(found)


def text(node: Any) -> str:
    """As text that `parse` reads back exactly."""
    return written(node, _parts)


def _parts(node: Any) -> list[Any]:
    def inner(child: Any, rank: int) -> list[Any]:
        return ["(", child, ")"] if rank_of(child) < rank else [child]

    match node.kind, node.arguments:
        case "x" | "pi", _:
            return [str(node.kind)]
        case "constant" | "parameter", _:
            return [str(node.value)]
        case "*", (a, b) if a.kind == "constant" and a.value == -1:
            return ["-", *inner(b, 3)]
        case "+" | "-" as operator, (a, b):
            return [a, f" {operator} ", *inner(b, 2)]
        case "*" | "/" as operator, (a, b):
            return [*inner(a, 2), operator, *inner(b, 3)]
        case "**", (a,):
            return [*inner(a, 5), f"**{node.value if node.value > 0 else f'({node.value})'}"]
        case name, (a,):
            return [f"{name}(", a, ")"]
    raise AssertionError(node.kind)
