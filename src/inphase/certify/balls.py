"""Ball arithmetic: enclosures of f, f', f'', ... over cells of x and boxes of parameters, with exact ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from fractions import Fraction
from typing import Any

from flint import arb, ctx, fmpq

from inphase.ball_context import BallContext
from inphase.certify.budget import Budget, weight
from inphase.interaction import Interaction

Range = tuple[Fraction, Fraction]


def precision(bits: int) -> AbstractContextManager[None]:
    """Work with `bits` bits inside the block; other threads wait: share boxes by processes."""
    return BallContext(bits)


def point(q: Fraction | int) -> Any:
    """A rational number as a ball."""
    q = Fraction(q)
    return arb(fmpq(q.numerator, q.denominator))


def interval(lo: Fraction | float | int, hi: Fraction | float | int) -> Any:
    """A ball that contains [lo, hi], the least to rounding."""
    if isinstance(lo, float) and isinstance(hi, float):
        return arb(lo) if lo == hi else arb(lo).union(arb(hi))
    lo, hi = Fraction(lo), Fraction(hi)
    middle = point((lo + hi) / 2)
    return middle if lo == hi else arb(middle, (point(hi - lo) / 2).upper())


def exact(ball: Any) -> Fraction:
    """An exact ball's value as a rational."""
    mantissa, exponent = ball.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def lower(ball: Any) -> Fraction:
    """The exact lower end of a finite ball."""
    return exact(ball.lower())


def upper(ball: Any) -> Fraction:
    """The exact upper end of a finite ball."""
    return exact(ball.upper())


def is_dyadic(q: Fraction) -> bool:
    """Whether the denominator is a power of two."""
    return q.denominator & (q.denominator - 1) == 0


def outward(lo: Fraction, hi: Fraction, bits: int = 80) -> Range:
    """[lo, hi] with dyadic ends, moved outward by less than 2^-bits where they were not."""
    scale = 1 << bits
    return (
        lo if is_dyadic(lo) else Fraction(math.floor(lo * scale), scale),
        hi if is_dyadic(hi) else Fraction(math.ceil(hi * scale), scale),
    )


# the double after the double below π: cells run over [0, PI_ABOVE], a hair beyond π
PI_ABOVE = 3.1415926535897936


class Enclosure:
    """f and its derivatives on cells [lo, hi] of x (doubles), for every parameter in a box.

    Parameters
    ----------
    interaction : Interaction
        f.
    box : mapping of str to arb
        The parameters that are boxes; the others are the interaction's own numbers, exactly.
    budget : Budget, optional
        From which every series is paid; by default one of its own.
    """

    def __init__(
        self, interaction: Interaction, box: Mapping[str, Any], budget: Budget | None = None
    ) -> None:
        self.interaction, self.box, self.budget = interaction, dict(box), budget or Budget()
        self._weight = weight(interaction.expression)
        self._known: dict[tuple[float, float, int], list[Any]] = {}

    def on(self, x: Any, order: int) -> list[Any]:
        """[f, ..., f^(order)] on a ball, paid for; not finite where the formula divides by what may be 0."""
        self.budget.spend(self._weight * (order + 1) * (1 + ctx.prec // 1024))
        try:
            return self.interaction.jet(x, order, **self.box)
        except (ValueError, ZeroDivisionError):  # a quotient of series whose denominator's ball holds 0
            return [arb("nan")] * (order + 1)

    def jet(self, lo: float, hi: float, order: int) -> list[Any]:
        """[f, ..., f^(order)] over the cell, as balls (not finite where f is not seen to be analytic)."""
        key = (lo, hi, order)
        if key not in self._known:
            self._known[key] = self.on(interval(lo, hi), order)
        return self._known[key]

    def at(self, x: float, order: int) -> list[Any]:
        """The derivatives at one double."""
        return self.jet(x, x, order)

    def cell(self, lo: float, hi: float, order: int, combine: Callable[[list[Any]], Any]) -> Any:
        """`combine` (linear up to `order`) over the cell: directly and by the mean value, intersected."""
        wide = self.jet(lo, hi, order + 1)
        direct = combine(wide)
        if lo == hi:
            return direct
        middle = (lo + hi) / 2
        offset = interval(lo, hi) - arb(middle)
        better = combine(self.jet(middle, middle, order + 1)) + combine(wide[1:]) * offset
        if not (direct.is_finite() and better.is_finite()):
            return arb("nan")
        return direct.intersection(better)


def derivative_sign(enclosure: Enclosure, order: int, lo: float, hi: float) -> int:
    """1 or −1 where f^(order) has that sign on the whole cell, 0 where it is open."""
    value = enclosure.cell(lo, hi, order, lambda d: d[order])
    return 1 if value > 0 else -1 if value < 0 else 0


def roots(
    enclosure: Enclosure, order: int, lo: float = 0.0, hi: float = PI_ABOVE, width: float = 1e-6
) -> list[tuple[float, float]] | None:
    """The roots of f^(order) in [lo, hi]: cells with exactly one each, no root elsewhere; None if not proved.

    A root is counted where f^(order) has opposite signs at the ends of a cell on which f^(order+1) has one
    sign; the cells between have one sign. Simple roots only: a double root leaves the count open.

    Examples
    --------
    >>> from inphase.interaction import kuramoto
    >>> len(roots(Enclosure(kuramoto(), {}), 1, 0.0, 3.0))
    1
    """
    found, cells = [], [(lo + (hi - lo) * i / 32, lo + (hi - lo) * (i + 1) / 32) for i in reversed(range(32))]
    while cells:
        a, b = cells.pop()
        if derivative_sign(enclosure, order, a, b):
            continue
        if derivative_sign(enclosure, order + 1, a, b):
            left, right = enclosure.at(a, order)[order], enclosure.at(b, order)[order]
            if (left > 0 and right > 0) or (left < 0 and right < 0):
                continue
            if (left > 0 and right < 0) or (left < 0 and right > 0):
                if b - a <= width:
                    found.append((a, b))
                    continue
                cut = a + (b - a) * 0.49990234375  # an exact root at the middle would leave both ends open
                cells += [(cut, b), (a, cut)]
                continue
        if b - a < 1e-12:
            return None
        cut = a + (b - a) * 0.49990234375
        cells += [(cut, b), (a, cut)]
    return found
