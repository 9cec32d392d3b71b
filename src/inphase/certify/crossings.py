"""Where a criterion's ratio crosses 1 along a parameter, two-sided, as narrowly as asked, by isolated roots.

ratio = (what the theorem asks to be larger)/(∫|f''' + c f'|_+). The integral is exact through differences of
f'' + c f at the roots of f''' + c f', whose number on (0, π) is proved.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

from flint import arb

from inphase.certify.balls import Enclosure, interval, point, precision, roots
from inphase.certify.budget import BOXES, Budget
from inphase.certify.theorem import Criterion
from inphase.certify.theorems import THEOREMS
from inphase.interaction import Interaction

CRITERIA = {name: theorem.criterion for name, theorem in THEOREMS.items() if theorem.criterion is not None}


def crossing(
    interaction: Interaction,
    parameter: str,
    bracket: tuple[float, float],
    criterion: str,
    digits: int = 25,
    *,
    budget: int = BOXES,
    seconds: float | None = None,
) -> tuple[Fraction, Fraction]:
    """An interval of width below 10^-digits in which the criterion's ratio passes 1.

    Parameters
    ----------
    interaction : Interaction
        f, odd with f > 0 on (0, π) where the criterion needs it; "two-neighbors" takes s* = τ
        (attention with β <= 0).
    parameter : str
        The parameter that varies; its values at the two ends of `bracket` must give ratios on either side of
        1.
    criterion : str
        One of `CRITERIA`.
    digits : int
        Decimal digits of the enclosure.
    budget : int
        As in `synchronization`.
    seconds : float, optional
        A time limit.

    Raises
    ------
    ValueError
        If the criterion is unknown, or no change of sign is proved.
    RuntimeError
        If the work or the time is spent.

    Examples
    --------
    >>> from inphase.interaction import attention
    >>> lo, hi = crossing(attention(-0.2), "beta", (-0.3, -0.2), "l1-pi")
    >>> float(lo), hi - lo < Fraction(1, 10**25)
    (-0.26156190535950813, True)
    """
    if criterion not in CRITERIA:
        raise ValueError(f"unknown criterion {criterion!r}; known: {', '.join(CRITERIA)}")
    known, second, purse = CRITERIA[criterion], interaction.derivative(2), Budget(budget, seconds)
    primitive = second + interaction if known.slope_weight else second
    with precision(64 + 8 * digits):

        def excess(value: Fraction) -> Any:
            box = {parameter: point(value)}
            return _ratio(Enclosure(interaction, box, purse), Enclosure(primitive, box, purse), known) - 1

        a, b = Fraction(bracket[0]), Fraction(bracket[1])
        low, high = excess(a), excess(b)
        if not (low < 0 < high or high < 0 < low):
            raise ValueError(
                f"the ratio of {criterion} is not seen to cross 1 between {bracket[0]} and {bracket[1]}"
            )
        rising, goal = bool(low < 0), Fraction(1, 10**digits)
        guess, step = _secant(excess, a, b), goal / 4
        left, right = excess(guess - step), excess(guess + step)
        if (left < 0 < right) if rising else (right < 0 < left):
            return guess - step, guess + step
        while b - a >= goal:
            middle = _short((a + b) / 2, 4 * digits + 32)
            value = excess(middle)
            if not (value < 0 or value > 0):
                raise ValueError(f"the sign of the ratio − 1 is open at {float(middle)!r}: raise digits")
            if (value < 0) == rising:
                a = middle
            else:
                b = middle
        return a, b


def _short(q: Fraction, bits: int) -> Fraction:
    return Fraction(round(q * 2**bits), 2**bits)


def _secant(excess: Callable[[Fraction], Any], a: Fraction, b: Fraction) -> Fraction:
    """A good guess of the root, in rationals of a fixed size; no proof."""

    def value(q: Fraction) -> Fraction:
        mantissa, exponent = excess(q).mid().man_exp()
        return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)

    fa, fb = value(a), value(b)
    for _ in range(60):
        if fb == fa:
            break
        a, fa, b = b, fb, _short(b - fb * (b - a) / (fb - fa), 400)
        fb = value(b)
        if abs(b - a) < Fraction(1, 2**120):
            break
    return b


def refine(g: Enclosure, order: int, lo: float, hi: float) -> Any:
    """The one simple root of g^(order) in [lo, hi], to the working precision, by interval Newton steps."""
    x = interval(Fraction(lo), Fraction(hi))
    for _ in range(60):
        middle = x.mid()
        step = middle - g.on(middle, order)[order] / g.on(x, order + 1)[order + 1]
        if not step.is_finite():
            raise ValueError("interval Newton fails: the root is not simple to this precision")
        smaller = step.intersection(x)
        if not smaller.rad() < 0.75 * x.rad():
            return smaller
        x = smaller
    return x


def _ratio(fe: Enclosure, ge: Enclosure, criterion: Criterion) -> Any:
    """A ball around the ratio at one value of the parameters, of f and the primitive of the integrand."""
    falls, turns = roots(fe, 1, width=1e-3), roots(ge, 1, width=1e-3)
    if falls is None or turns is None or len(falls) != 1:
        raise ValueError("the roots of f' or of the integrand are not isolated")
    tau = refine(fe, 1, *falls[0])
    heights = [ge.on(arb(0), 0)[0]]
    heights += [_sharp(ge, refine(ge, 1, *cell)) for cell in turns]
    heights.append(ge.on(arb.pi(), 0)[0])
    rises = sum((_positive(after - before) for before, after in pairwise(heights)), arb(0))
    return criterion.ratio(tau, fe.on(arb(0), 1)[1], 2 * rises)


def _sharp(g: Enclosure, x: Any) -> Any:
    """g at a root of g', by the mean value: the width squares."""
    return g.on(x.mid(), 0)[0] + g.on(x, 1)[1] * (x - x.mid())


def _positive(value: Any) -> Any:
    if value > 0 or value < 0:
        return value if value > 0 else arb(0)
    return value.nonnegative_part()
