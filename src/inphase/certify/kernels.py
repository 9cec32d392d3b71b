"""The criteria that weigh the gaps of a stable state: parabola (L1) and trigonometric kernel, one gap or two
neighbors.

Proofs: docs/theory/criteria.md, Theorems 1-3.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from flint import arb

from inphase.certify.neighbors import neighbor_bound
from inphase.certify.theorem import Attempt, Box, Theorem
from inphase.certify.variation import rise

PRY = "Polyanskiy, Rigollet, Yao, Synchronization of mean-field models on the circle (2025)"
GRADIENT = ("f is odd, 2π-periodic and analytic", "f'(0) > 0", "identical oscillators, no field, positive gain",
            "all-to-all with positive weights, or rank one with positive factors")  # fmt: skip


def _decide(box: Box, extra: int, target: Any, name: str, **data: Any) -> Attempt:
    """Whether ∫_0^π |f''' + extra f'|_+ < target."""
    if not target > 0:
        return Attempt(None, -1.0, "the target is not positive")
    goal = target.lower()
    total = rise(box.f, extra, goal * (1 - arb(2) ** -40))  # a hair to spare, for the checker's own rounding
    margin = (
        float((goal / total - 1).lower())
        if total.is_finite() and total > 0
        else (float("inf") if total <= 0 else -1.0)
    )
    if total < goal:
        return Attempt(box.leaf(name, **data), margin)
    return Attempt(None, margin, f"the inequality fails or is open, by the relative margin {margin:.3g}")


def _ready(box: Box) -> str:
    if not box.finite:
        return "needs a finite box"
    if not box.attracts:
        return "f'(0) > 0 is not proved"
    return "" if box.tau is not None else "f' < 0 near π is not proved"


def _single_gap(extra: int, name: str, gap: str) -> Any:
    def attempt(box: Box) -> Attempt:
        problem = _ready(box)
        if problem:
            return Attempt(None, reason=problem)
        if gap == "pi" and not box.positive:
            return Attempt(None, reason="f > 0 on (0, π) is not proved")
        tau, largest = arb(box.tau), arb.pi() * (1 if gap == "pi" else 2)
        if extra:
            target = ((tau / 4).cot() + (1 if gap == "pi" else 0)) * box.slope / 2
        else:
            target = 2 * (1 + tau / largest) * box.slope / tau
        return _decide(box, extra, target, name, largest_gap=gap)

    return attempt


def _two_neighbors(kernel: str) -> Any:
    def attempt(box: Box) -> Attempt:
        problem = _ready(box)
        if problem:
            return Attempt(None, reason=problem)
        if not box.positive:
            return Attempt(None, reason="f > 0 on (0, π) is not proved")
        s, hint = neighbor_bound(box)
        if s is None:
            return Attempt(None, reason="no bound of two neighbors is proved")
        bound = arb(s)
        target = (bound / 4).cot() * box.slope if kernel == "trigonometric" else 4 * box.slope / bound
        return _decide(
            box, int(kernel == "trigonometric"), target, "two-neighbors", kernel=kernel, s=_ratio(hint)
        )

    return attempt


def _ratio(hint: float | None) -> list[int] | None:
    return None if hint is None else list(Fraction(hint).as_integer_ratio())


L1 = Theorem(
    "l1",
    "If f' < 0 outside [−τ, τ] and τ ∫|f'''|_+ < 4 (1 + τ/2π) f'(0), almost every start synchronizes.",
    GRADIENT,
    f"{PRY}, Theorem 2.1",
    _single_gap(0, "l1", "2 pi"),
)
L1_PI = Theorem(
    "l1-pi",
    "If f > 0 on (0, π), f' < 0 outside [−τ, τ] and τ ∫|f'''|_+ < 4 (1 + τ/π) f'(0), almost every start synchronizes.",
    (*GRADIENT, "f > 0 on (0, π)"),
    f"{PRY}, Corollary 3.3",
    _single_gap(0, "l1", "pi"),
)
TRIGONOMETRIC = Theorem(
    "trigonometric",
    "If f' < 0 outside [−τ, τ] and ∫|f''' + f'|_+ < cot(τ/4) f'(0), almost every start synchronizes.",
    GRADIENT,
    "docs/theory/criteria.md, Theorem 2",
    _single_gap(1, "trigonometric", "2 pi"),
)
TRIGONOMETRIC_PI = Theorem(
    "trigonometric-pi",
    "If f > 0 on (0, π), f' < 0 outside [−τ, τ] and ∫|f''' + f'|_+ < (cot(τ/4) + 1) f'(0), almost every start synchronizes.",
    (*GRADIENT, "f > 0 on (0, π)"),
    "docs/theory/criteria.md, Theorem 2",
    _single_gap(1, "trigonometric", "pi"),
)
TWO_NEIGHBORS = Theorem(
    "two-neighbors",
    "If f > 0 on (0, π) and s ∫|f'''|_+ < 8 f'(0), almost every start synchronizes (2s bounds two neighboring gaps).",
    (*GRADIENT, "f > 0 on (0, π)"),
    "docs/theory/criteria.md, Theorem 3",
    _two_neighbors("parabola"),
)
TWO_NEIGHBORS_TRIGONOMETRIC = Theorem(
    "two-neighbors-trigonometric",
    "If f > 0 on (0, π) and ∫|f''' + f'|_+ < 2 cot(s/4) f'(0), almost every start synchronizes.",
    (*GRADIENT, "f > 0 on (0, π)"),
    "docs/theory/criteria.md, Theorem 3",
    _two_neighbors("trigonometric"),
)
