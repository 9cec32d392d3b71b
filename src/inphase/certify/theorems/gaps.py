"""The criteria that weigh a stable state's gaps, one or two: by parabola (L1) and by trigonometric kernel.

Proofs: docs/theory/criteria.md, Theorems 1-3.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from flint import arb

from inphase.certify.neighbors import neighbor_bound
from inphase.certify.theorem import GRADIENT, PRY, Attempt, Box, Criterion, Theorem
from inphase.certify.variation import positive_variation

INSIDE = "f > 0 on (0, π)"


def _decide(box: Box, criterion: Criterion, reach: Any, **hints: Any) -> Attempt:
    """Whether the ratio is above 1: the rise over half the circle is below what it would be at 1."""
    target = criterion.ratio(reach, box.slope, arb(2))
    if not target > 0:
        return Attempt(None, -1.0, "the target is not positive")
    goal = target.lower()
    enough = goal * (1 - arb(2) ** -40)  # a hair to spare, for the checker's own rounding
    total = positive_variation(box.f, criterion.slope_weight, enough)
    margin = (
        float((goal / total - 1).lower())
        if total.is_finite() and total > 0
        else (float("inf") if total <= 0 else -1.0)
    )
    if total < goal:
        return Attempt(hints, margin)
    return Attempt(None, margin, f"the inequality fails or is open, by the relative margin {margin:.3g}")


def _problem(box: Box, inside: bool) -> str:
    if not box.finite:
        return "needs a finite box"
    if not box.attracts:
        return "f'(0) > 0 is not proved"
    if box.tau is None:
        return "f' < 0 near π is not proved"
    return "f > 0 on (0, π) is not proved" if inside and not box.positive else ""


def _single_gap(criterion: Criterion, gap: str) -> Callable[[Box], Attempt]:
    def attempt(box: Box) -> Attempt:
        problem = _problem(box, inside=gap == "pi")
        if problem:
            return Attempt(None, reason=problem)
        return _decide(box, criterion, arb(box.tau), largest_gap=gap)

    return attempt


def _two_neighbors(criterion: Criterion, kernel: str) -> Callable[[Box], Attempt]:
    def attempt(box: Box) -> Attempt:
        problem = _problem(box, inside=True)
        if problem:
            return Attempt(None, reason=problem)
        s, hint = neighbor_bound(box)
        if s is None:
            return Attempt(None, reason="no bound of two neighbors is proved")
        pair = None if hint is None else list(Fraction(hint).as_integer_ratio())
        return _decide(box, criterion, arb(s), kernel=kernel, s=pair)

    return attempt


def _parabola(turns: int) -> Callable[[Any, Any, Any], Any]:
    """The ratio of the L1 criterion where no gap is larger than π times `turns`."""
    return lambda tau, slope, whole: 4 * (1 + tau / (arb.pi() * turns)) * slope / (tau * whole)


def _cotangent(more: int) -> Callable[[Any, Any, Any], Any]:
    """The ratio of the trigonometric criterion, `more` = cot(M/4) for gaps of at most M."""
    return lambda tau, slope, whole: ((tau / 4).cot() + more) * slope / whole


L1_RATIO = Criterion(_parabola(2), 0, -0.192143494)
L1 = Theorem(
    "l1",
    "If f' < 0 outside [−τ, τ] and τ ∫|f'''|_+ < 4 (1 + τ/2π) f'(0), almost every start synchronizes.",
    GRADIENT,
    f"{PRY}, Theorem 2.1",
    _single_gap(L1_RATIO, "2 pi"),
    cost=1,
    rank=2,
    criterion=L1_RATIO,
)
L1_PI_RATIO = Criterion(_parabola(1), 0, -0.261561905)
L1_PI = Theorem(
    "l1-pi",
    "If f > 0 on (0, π), f' < 0 outside [−τ, τ] and τ ∫|f'''|_+ < 4 (1 + τ/π) f'(0), almost every start synchronizes.",
    (*GRADIENT, INSIDE),
    f"{PRY}, Corollary 3.3",
    _single_gap(L1_PI_RATIO, "pi"),
    cost=1,
    verified_as="l1",
    rank=0,
    criterion=L1_PI_RATIO,
)
TRIGONOMETRIC_RATIO = Criterion(_cotangent(0), 1, -0.258067297)
TRIGONOMETRIC = Theorem(
    "trigonometric",
    "If f' < 0 outside [−τ, τ] and ∫|f''' + f'|_+ < cot(τ/4) f'(0), almost every start synchronizes.",
    GRADIENT,
    "docs/theory/criteria.md, Theorem 2",
    _single_gap(TRIGONOMETRIC_RATIO, "2 pi"),
    cost=1,
    rank=3,
    criterion=TRIGONOMETRIC_RATIO,
)
TRIGONOMETRIC_PI_RATIO = Criterion(_cotangent(1), 1, -0.338985926)
TRIGONOMETRIC_PI = Theorem(
    "trigonometric-pi",
    "If f > 0 on (0, π), f' < 0 outside [−τ, τ] and ∫|f''' + f'|_+ < (cot(τ/4) + 1) f'(0), almost every start synchronizes.",
    (*GRADIENT, INSIDE),
    "docs/theory/criteria.md, Theorem 2",
    _single_gap(TRIGONOMETRIC_PI_RATIO, "pi"),
    cost=1,
    verified_as="trigonometric",
    rank=1,
    criterion=TRIGONOMETRIC_PI_RATIO,
)
NEIGHBORS_RATIO = Criterion(lambda s, slope, whole: 8 * slope / (s * whole), 0, -0.339319741, neighbors=True)
TWO_NEIGHBORS = Theorem(
    "two-neighbors",
    "If f > 0 on (0, π) and s ∫|f'''|_+ < 8 f'(0), almost every start synchronizes (2s bounds two neighboring gaps).",
    (*GRADIENT, INSIDE),
    "docs/theory/criteria.md, Theorem 3",
    _two_neighbors(NEIGHBORS_RATIO, "parabola"),
    cost=2,
    rank=4,
    criterion=NEIGHBORS_RATIO,
)
NEIGHBORS_TRIGONOMETRIC_RATIO = Criterion(
    lambda s, slope, whole: 2 * (s / 4).cot() * slope / whole, 1, -0.402890040, neighbors=True
)
TWO_NEIGHBORS_TRIGONOMETRIC = Theorem(
    "two-neighbors-trigonometric",
    "If f > 0 on (0, π) and ∫|f''' + f'|_+ < 2 cot(s/4) f'(0), almost every start synchronizes.",
    (*GRADIENT, INSIDE),
    "docs/theory/criteria.md, Theorem 3",
    _two_neighbors(NEIGHBORS_TRIGONOMETRIC_RATIO, "trigonometric"),
    cost=2,
    verified_as="two-neighbors",
    rank=5,
    criterion=NEIGHBORS_TRIGONOMETRIC_RATIO,
)
