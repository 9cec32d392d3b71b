"""Certified bounds that the criteria share: τ, f > 0 on (0, π), ∫ |f''' + c f'|_+ over half the circle."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from flint import arb

from inphase.certify.balls import PI_ABOVE, Enclosure


def attraction_range(f: Enclosure) -> float | None:
    """A double τ with f' < 0 on [τ, π], near the least one; None where f'(π) < 0 is not verified."""
    f.budget.at = "where f' < 0 up to π"
    right, step = PI_ABOVE, PI_ABOVE / 16
    while step > 1e-13:
        left = max(right - step, 0.0)
        if f.cell(left, right, 1, lambda d: d[1]) < 0:
            right = left
            if right <= 0:
                return None
        else:
            step /= 2
    return right if right < PI_ABOVE else None


def positive_inside(f: Enclosure, tau: float) -> bool:
    """Whether f > 0 on (0, π) is proved, given f' < 0 on [τ, π].

    Then h > 0 on [−1, 1] for f = sin x · h(cos x).
    """
    f.budget.at = "whether f > 0 on (0, π)"
    cells = [(0.0, tau)]
    while cells:
        lo, hi = cells.pop()
        if f.cell(lo, hi, 0, lambda d: d[0]) > 0 or (lo == 0 and f.cell(lo, hi, 1, lambda d: d[1]) > 0):
            continue
        if hi - lo < 1e-6:
            return False
        cells += [(lo, (lo + hi) / 2), ((lo + hi) / 2, hi)]
    return True


def positive_variation(f: Enclosure, slope_weight: int, target: Any) -> Any:
    """An upper bound, a ball, of ∫_0^π |f''' + slope_weight·f'|_+, refined until < `target` or no better.

    Where the integrand is positive it integrates exactly to a difference of f'' + slope_weight·f. A cell whose sign
    is open adds its width times the largest value there; such cells shrink onto the roots: their sum falls
    with their width squared.
    """

    def integrand(d: list[Any]) -> Any:
        return d[3] + slope_weight * d[1]

    def primitive(x: float) -> Any:
        d = f.at(x, 2)
        return d[2] + slope_weight * d[0]

    f.budget.at = "how much f'' rises"
    grid = [PI_ABOVE * i / 32 for i in range(33)]
    positive: list[tuple[float, float]] = []
    cells, before, total = list(pairwise(grid)), None, arb("inf")
    for _ in range(40):
        unsure, doubt = [], arb(0)
        for lo, hi in cells:
            value = f.cell(lo, hi, 3, integrand)
            if value >= 0:
                positive.append((lo, hi))
            elif not value <= 0:
                unsure.append((lo, hi))
                doubt += (arb(hi) - arb(lo)) * value.upper()
        positive.sort()
        stretches: list[list[float]] = []
        for lo, hi in positive:
            if stretches and stretches[-1][1] == lo:
                stretches[-1][1] = hi
            else:
                stretches.append([lo, hi])
        certain = sum((primitive(hi) - primitive(lo) for lo, hi in stretches), arb(0))
        total = (certain + doubt).upper()
        stalled = before is not None and doubt > 0.8 * before and len(unsure) > 48
        if total < target or stalled or doubt < 1e-12 * certain.abs_upper() or len(unsure) > 400:
            break
        before = doubt
        cells = [c for lo, hi in unsure for c in ((lo, (lo + hi) / 2), ((lo + hi) / 2, hi))]
    return total
