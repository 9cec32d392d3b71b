"""Attention in closed form: cluster counts for −2/3 < β <= 0 and a fixed n below; L1 up to β = ∞ in u = 1/β.

Proofs: docs/theory/attention.md, Theorems 4 and 5; docs/theory/criteria.md, Theorem 1 and the remark on large
β.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

from flint import arb

from inphase.certify.balls import interval
from inphase.certify.budget import Budget
from inphase.certify.theorem import GRADIENT, PRY, Attempt, Box, Leaf, Theorem, dyadic

TWO_THIRDS = Fraction(2, 3)


def _count(box: Box) -> Attempt:
    beta = box.family.attention
    if beta is None:
        return Attempt(None, reason="f is not attention's")
    lo, hi = box.ranges[beta]
    if not (lo > -TWO_THIRDS and hi <= 0):
        return Attempt(None, reason="needs −2/3 < β <= 0")
    b = interval(TWO_THIRDS, TWO_THIRDS)
    four = (2 * b) ** 3 * (2 * b).exp() / 6 / (arb(16) / 9)  # K = 4 at b = 2/3, where it is largest
    if not four < 1:
        return Attempt(None, reason="four clusters at b = 2/3")
    return Attempt({}, float((1 / four - 1).lower()))


def sine_half_to_fourth(b: Any) -> Any:
    """sin⁴(τ/2) for f = sin x · e^{−b cos x}, b > 0: ((1 + c)/2)², c = (sqrt(1 + 4b²) − 1)/(2b)."""
    c = 2 * b / ((1 + 4 * b * b).sqrt() + 1)
    return ((1 + c) / 2) ** 2


def four_clusters(b: Any) -> Any:
    """(2b)³ e^{2b} sin⁴(τ/2)/3!: below 1, no state with four or more clusters is stable (b < 1)."""
    return (2 * b) ** 3 * (2 * b).exp() / 6 * sine_half_to_fourth(b)


def _three(box: Box) -> Attempt:
    beta, coupling = box.family.attention, box.family.coupling
    if beta is None or coupling.get("weights") != "equal" or not box.finite:
        return Attempt(None, reason="needs attention with n equal weights")
    n, (lo, hi) = coupling["n"], box.ranges[beta]
    if not (lo > -1 and hi < 0):
        return Attempt(None, reason="needs −1 < β < 0")
    four = four_clusters(-box.family.box(box.ranges)[beta])
    if not four < 1:
        return Attempt(None, float((1 / four - 1).lower()), "four or more clusters are not excluded")
    margin = float((1 / four - 1).lower())
    if n == 2 or (lo >= -TWO_THIRDS and n % 3) or lo > -TWO_THIRDS:
        return Attempt({}, margin)
    if n % 3 == 0:
        return Attempt(None, reason="n is divisible by 3: three equal clusters are stationary")
    if box.tau is None:
        return Attempt(None, reason="τ is not found")
    tau = arb(box.tau)
    short, long = 2 * arb.pi() - 2 * tau, 4 * tau - 2 * arb.pi()
    if not (short > 0 and long < arb.pi()):
        return Attempt(None, reason="the arcs are not bounded")
    lo_arc, hi_arc = float(short.lower()) - 1e-15, float(long.upper()) + 1e-15
    edges = [lo_arc + (hi_arc - lo_arc) * i / 64 for i in range(65)]
    values = [box.f.cell(a, c, 0, lambda d: d[0]) for a, c in pairwise(edges)]
    smallest, largest = min(v.lower() for v in values), max(v.upper() for v in values)
    least = Fraction(-(-n // 3), n // 3) if n > 3 else Fraction(2)
    ratio = interval(least, least) * smallest / largest
    if smallest > 0 and ratio > 1:
        return Attempt({}, min(margin, float((ratio - 1).lower())))
    return Attempt(None, float((ratio - 1).lower()), "three unequal clusters are not excluded")


def _infinity(box: Box) -> Attempt:
    beta = box.family.attention
    if beta is None:
        return Attempt(None, reason="f is not attention's")
    lo, hi = box.ranges[beta]
    if lo < 1:
        return Attempt(None, reason="needs β >= 1")
    u_lo, u_hi = (Fraction(0) if math.isinf(hi) else 1 / Fraction(hi)), 1 / Fraction(lo)
    product = scaled_product(u_lo, u_hi, box.f.budget)
    if not product < 2:
        return Attempt(
            None,
            float((2 / product - 1).lower()) if product.is_finite() else -1.0,
            "the inequality at large β is open",
        )
    return Attempt({"box": _inverse_box(beta, u_lo, u_hi)}, float((2 / product - 1).lower()))


def _inverse_box(beta: str, u_lo: Fraction, u_hi: Fraction) -> dict[str, Any]:
    return {beta: {"inverse": True, "mid": dyadic((u_lo + u_hi) / 2), "rad": dyadic((u_hi - u_lo) / 2)}}


def inverse_leaf(beta: str, u_lo: Fraction, u_hi: Fraction) -> Leaf:
    """The leaf of a box given in u = 1/β."""
    return {"theorem": ATTENTION_INFINITY.name, "box": _inverse_box(beta, u_lo, u_hi)}


def scaled_product(u_lo: Fraction, u_hi: Fraction, budget: Budget | None = None) -> Any:
    """An upper bound of τ sqrt(β) · (rise of G over z), for 1/β in [u_lo, u_hi].

    G = f''/sqrt(β), z = β (1 − cos x).

    G = sqrt(R) e^{−z} N with R = z (2 − uz), N = 2z − 3 − u + 3uz − uz²; dG/dz = e^{−z} Q/sqrt(R) and Q < 0
    for z >= 10.
    """
    budget = budget or Budget()
    budget.at = "the rise of f'' at large β"
    u = interval(u_lo, u_hi)
    root = 2 / (u + 2 + (u * u + 4).sqrt())  # z at τ
    s = (root * u / 2).nonnegative_part()
    total, term, coefficient = arb(1), arb(1), Fraction(1)
    for k in range(1, 60):  # asin(√s)/√s; the tail is below s^59/(1 − s) < 2 s^59 for s < 1/2
        coefficient *= Fraction(2 * k - 1, 2 * k)
        term *= s
        total += term * interval(coefficient, coefficient) / (2 * k + 1)
    tau = (2 * root).sqrt() * (total + interval(0, 2) * term.abs_upper())

    def parts(z: Any) -> tuple[Any, Any, Any]:
        n = 2 * z - 3 - u + 3 * u * z - u * z * z
        r = z * (2 - u * z)
        return n, r, (1 - u * z) * n + r * (2 + 3 * u - 2 * u * z - n)

    def primitive(x: float) -> Any:
        n, r, _ = parts(arb(x))
        return r.sqrt() * (-arb(x)).exp() * n

    stop = min(10.0, math.nextafter(float(2 / u_lo), math.inf)) if u_lo else 10.0
    positive: list[tuple[float, float]] = []
    cells = [(stop * i / 40, stop * (i + 1) / 40) for i in range(40)]
    best, before = arb("inf"), None
    for _ in range(12):
        budget.spend(20 * len(cells))
        unsure, doubt = [], arb(0)
        for lo, hi in cells:
            _, r, q = parts(interval(lo, hi))
            if q >= 0:
                positive.append((lo, hi))
            elif not q <= 0:
                unsure.append((lo, hi))
                doubt += (arb(hi) - arb(lo)) * ((-arb(lo)).exp() * q.upper() / r.sqrt()).abs_upper()
        positive.sort()
        joined = all(p[1] == q[0] for p, q in pairwise(positive))
        if positive and joined and doubt.is_finite():
            bound = (tau * (primitive(positive[-1][1]) - primitive(positive[0][0]) + doubt)).upper()
            if bound < best:
                best = bound
            if best < 2:
                return best
        if before is not None and len(unsure) > 24 and not doubt < 0.8 * before:
            return best  # the box of u is too wide: cells do not help
        before = doubt
        cells = [c for lo, hi in unsure for c in ((lo, (lo + hi) / 2), ((lo + hi) / 2, hi))]
    return best


ATTENTION_COUNT = Theorem(
    "attention-count",
    "For −2/3 < β <= 0 every point with (C1), (C2) is synchronized: almost every start synchronizes, any n, any weights.",
    (*GRADIENT, "f = sin x · e^{β cos x}", "−2/3 < β <= 0"),
    "docs/theory/attention.md, Theorem 4",
    _count,
    cost=0,
)
ATTENTION_THREE = Theorem(
    "attention-three",
    "For n equal weights and β just below −2/3: four or more clusters and three unequal clusters excluded.",
    (*GRADIENT, "f = sin x · e^{β cos x}", "n equal weights"),
    "docs/theory/attention.md, Theorem 5",
    _three,
    cost=0,
    couplings=("all-to-all",),
)
ATTENTION_INFINITY = Theorem(
    "attention-l1-infinity",
    "The L1 criterion for attention with β >= 1, uniformly up to β = ∞.",
    (*GRADIENT, "f = sin x · e^{β (cos x − 1)}", "β >= 1"),
    f"{PRY}, Theorem 2.1 and Appendix A; docs/theory/criteria.md",
    _infinity,
    cost=0,
)
