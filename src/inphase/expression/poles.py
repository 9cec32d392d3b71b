"""Where on the circle a formula is not finite, and which part of it is to blame: found in floats, no proof."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from inphase.expression.arithmetic import Arrays
from inphase.expression.structure import free
from inphase.expression.tree import Expression, apply, evaluate

Array = NDArray[np.float64]

GRID = 4096  # points of the circle, 0, π/2 and π among them
ROUNDS = 60  # of bisection
ZERO = 1e-8  # of the values beside it: a divisor that is as small, at its least, is 0
NEAR = np.array([1e-3, 1e-4, 1e-5])  # distances from there at which the formula is looked at
JUMP = 1e-3  # of the formula's usual size: by how much a pole makes it change between the last two
WHAT = {
    "/": "divides by 0",
    "**": "divides by 0",
    "tan": "has a pole",
    "log": "takes the logarithm of what is not positive",
    "sqrt": "takes the root of what is negative",
}


def pole(expression: Expression, parameters: Mapping[str, float]) -> tuple[float, Expression, str] | None:
    """x in (−π, π] at which the formula is not finite, or beside it; the part that makes it so, and what it does.

    None where no such x is seen: also where a divisor vanishes and the formula is bounded all the same.

    Examples
    --------
    >>> from inphase.expression.parsing import parse
    >>> pole(parse("sin(x) + 1/(a + cos(x))", ["a"]), {"a": 1.0})
    (3.141592653589793, 1/(a + cos(x)), 'divides by 0')
    >>> pole(parse("sin(2*x)/cos(x)", []), {}) is None
    True
    """

    def values(node: Expression) -> Callable[[Array], Array]:
        return lambda x: np.asarray(evaluate(node, x, Arrays(np), parameters) + np.zeros_like(x))

    with np.errstate(all="ignore"):
        for part, divisor in _critical(expression):
            zeros = _zeros(values(divisor))
            found = zeros[_diverges(values(expression), zeros)]
            if len(found):
                x = float(found[0])
                return (x if x > -np.pi else np.pi), part, WHAT[part.kind]
    return None


def _critical(expression: Expression) -> Iterator[tuple[Expression, Expression]]:
    """Parts that are infinite or undefined where another expression vanishes, with that; inner parts first."""
    seen: set[Expression] = set()
    todo = [(expression, False)]
    while todo:
        node, ready = todo.pop()
        if ready:
            divisor = _divisor(node)
            if divisor is not None and not free(divisor):
                yield node, divisor
        elif node not in seen:
            seen.add(node)
            todo += [(node, True), *((child, False) for child in node.arguments)]


def _divisor(node: Expression) -> Expression | None:
    match node.kind:
        case "/":
            return node.arguments[1]
        case "**" if node.value < 0:
            return node.arguments[0]
        case "tan":
            return apply("cos", node.arguments[0])
        case "log" | "sqrt":
            return node.arguments[0]
    return None


def _zeros(value: Callable[[Array], Array]) -> Array:
    """Where a function on the circle touches 0 or changes its sign, (zeros,)."""
    width = 2 * np.pi / GRID
    grid: Array = np.asarray(-np.pi + width * np.arange(GRID), dtype=float)
    values = value(grid)
    size, following = np.abs(values), np.roll(values, -1)
    beside = np.fmax(np.roll(size, 1), np.roll(size, -1))
    low = grid[size < 0.5 * beside]  # one of the two points next to where it touches, at the least
    bound = ZERO * beside[size < 0.5 * beside]
    touches, least = low, np.abs(value(low))
    low, high = low - width, low + width
    for _ in range(ROUNDS if len(low) else 0):  # thirds of what brackets a minimum
        third = (high - low) / 3
        left = np.abs(value(low + third)) <= np.abs(value(high - third))
        low, high = np.where(left, low, low + third), np.where(left, high - third, high)
    better = np.abs(value(low)) < least
    touches, least = np.where(better, low, touches), np.where(better, np.abs(value(low)), least)
    change = values * following < 0
    low, high, sign = grid[change], grid[change] + width, np.sign(values[change])
    for _ in range(ROUNDS if len(low) else 0):
        middle = (low + high) / 2
        left = np.sign(value(middle)) == sign
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    crosses = high[np.abs(value(high)) <= np.fmax(size, np.abs(following))[change]]  # no pole of its own
    return np.concatenate([touches[least <= bound], crosses])


def _diverges(value: Callable[[Array], Array], x: Array) -> NDArray[np.bool_]:
    """Whether a function is undefined beside x, or changes ever faster towards it, as powers and logarithms do."""
    usual = np.median(np.nan_to_num(np.abs(value(np.linspace(-np.pi, np.pi, 64))), posinf=0.0))
    values = value(x[:, None, None] + np.multiply.outer([1.0, -1.0], NEAR))
    first, last = np.moveaxis(np.abs(np.diff(values)), -1, 0)
    fast = (last > 0.5 * first) & (last > JUMP * usual)
    return np.asarray(np.any(fast, axis=1) | ~np.all(np.isfinite(values), axis=(1, 2)))
