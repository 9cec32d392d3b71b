"""The cluster-count criterion for a general f: no K >= max(3, 2π/s) clusters can be stable, so all are one.

    a 4^{K−1} Σ_{k>=K} |F_k| C(k+K−1, 2K−1) < f'(0)  for every such K.

F_k by the trapezoidal rule with its aliasing error and Cauchy tails |F_k| <= 2 M e^{−kρ}, M >= |f| on |Im x|
<= ρ. Large K follow from sinh(ρ/2) > 1, so f must be analytic in a strip wider than
2 ln(1 + sqrt 2) = 1.7627. Proof: docs/theory/criteria.md, Theorem 6.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from flint import arb

from inphase import expression as ex
from inphase.certify.balls import Enclosure, lower, point
from inphase.certify.neighbors import neighbor_bound, product_bound, sum_bound
from inphase.certify.theorem import GRADIENT, Attempt, Box, Theorem
from inphase.expression.arithmetic import Balls

SAMPLES = 128
STRIPS = (Fraction(5, 2), Fraction(2), Fraction(3), Fraction(4))


def majorant(node: ex.Expression, rho: Any, box: dict[str, Any]) -> Any:
    """A bound of |node(x + iy)|, |y| <= ρ, x real; None where the formula is not seen to be entire."""

    def turns(part: ex.Expression) -> Fraction | None:
        return ex.slope(part.arguments[0]) if part.kind in ("sin", "cos") else None

    def bound(part: ex.Expression, inner: list[Any]) -> Any:
        if ex.free(part):
            return ex.evaluate(part, None, Balls(), box).abs_upper()
        if (k := turns(part)) is not None:
            return (point(abs(k)) * rho).cosh()
        if None in inner or not inner:
            return None
        if part.kind in ("+", "-"):
            return inner[0] + inner[1]
        if part.kind == "*":
            return inner[0] * inner[1]
        if part.kind == "**" and part.value > 0:
            return inner[0] ** part.value
        if part.kind in ("exp", "sinh", "cosh"):
            return inner[0].exp()
        return None

    return ex.fold(node, bound, leaf=lambda part: ex.free(part) or turns(part) is not None)


def modes(f: Enclosure, size: int, top: Any, decay: Any) -> list[Any]:
    """Upper bounds of |F_k|, k < size/2, f = Σ F_k sin kx, from `size` samples.

    The others are at most top·decay^k.
    """
    half = size // 2
    f.budget.at = "the modes of f"
    f.budget.spend(half * half)  # half a microsecond for each product of balls below
    values = [f.on(arb.pi() * 2 * j / size, 0)[0] for j in range(half)]
    sines = [(arb.pi() * 2 * j / size).sin() for j in range(size)]
    alias = 2 * top * decay ** (size - half) / (1 - decay ** (size - half))
    return [
        (4 * sum((values[j] * sines[(j * k) % size] for j in range(1, half)), arb(0)) / size).abs_upper()
        + alias
        for k in range(half)
    ]


def _attempt(box: Box) -> Attempt:
    if not (box.finite and box.attracts and box.tau is not None and box.positive):
        return Attempt(None, reason="needs f'(0) > 0 and f > 0 on (0, π)")
    balls = {k: arb(v) for k, v in box.family.interaction.parameters.items()} | box.f.box
    tops = [majorant(box.family.interaction.expression, point(rho), balls) for rho in STRIPS]
    if tops[0] is None:
        return Attempt(None, reason="f is not seen to be analytic in a strip wider than 1.7627")
    s = _bound(box)
    a = product_bound(box) if s is not None else None
    if s is None or a is None:
        return Attempt(None, reason="no bound of two neighbors is proved")
    margin = -math.inf
    for rho, top in zip(STRIPS, tops):
        found = _excluded(box, arb(s), arb(a), point(rho), 2 * top)
        margin = max(margin, found)
        if found > 0:
            hints = {
                "s": _pair(Fraction(s)),
                "a": _pair(Fraction(a)),
                "strip": _pair(rho),
                "samples": SAMPLES,
            }
            return Attempt(hints, found)
    return Attempt(None, margin, "a count of clusters is not excluded")


def _bound(box: Box) -> float | None:
    s, hint = neighbor_bound(box)
    # the closed form: a certificate's general theorem wants a bound above π/2, verified
    if s is not None and hint is None:
        return sum_bound(box)
    return s


def _pair(q: Fraction) -> list[int]:
    return [q.numerator, q.denominator]


def _excluded(box: Box, s: Any, a: Any, rho: Any, top: Any) -> float:
    """The least relative margin over all counts K, at most 0 if one is open."""
    decay, half, sinh = (-rho).exp(), SAMPLES // 2, (rho / 2).sinh()
    known = modes(box.f, SAMPLES, top, decay)
    margin = math.inf
    for count in range(max(3, math.ceil(lower(2 * arb.pi() / s))), half // 2):
        if sinh > 1 and a * top / 4 / sinh ** (2 * count) < box.slope:
            return margin
        head = sum((known[k] * math.comb(k + count - 1, 2 * count - 1) for k in range(count, half)), arb(0))
        q = decay * (half + count) / (half - count + 1)
        if not q < 1:
            return -1.0
        tail = top * decay**half * math.comb(half + count - 1, 2 * count - 1) / (1 - q)
        ratio = (a * (head + tail) * arb(4) ** (count - 1) / box.slope).upper()
        margin = min(margin, float((1 / ratio - 1).lower()) if ratio > 0 else math.inf)
        if not margin > 0:
            return margin
    return -1.0


CLUSTER_COUNT = Theorem(
    "cluster-count",
    "If a 4^{K−1} Σ_{k>=K} |F_k| C(k+K−1, 2K−1) < f'(0) for every K >= max(3, 2π/s), almost every start synchronizes.",
    (*GRADIENT, "f > 0 on (0, π)", "f analytic in |Im x| <= ρ with ρ > 2 ln(1 + sqrt 2)"),
    "docs/theory/criteria.md, Theorem 6",
    _attempt,
    cost=3,
    rank=6,
)
