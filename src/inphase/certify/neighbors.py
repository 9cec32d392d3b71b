"""How far two neighbors of a cluster can be: s with d_r + d_l <= 2s, and a with sin²(d_r/2) sin²(d_l/2) <= a.

Both are over the pairs with g(d_r) + g(d_l) >= 0, g = f'/f, d_r, d_l in (0, π); f > 0 on (0, π) is given. A
float search guesses the bound, a branch and bound in balls proves it. Proof of the lemma:
docs/theory/criteria.md, Lemma 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from inphase.certify.balls import PI_ABOVE, Enclosure, interval
from inphase.certify.theorem import Box

Outside = Callable[[float, float, float, float], bool]


def pairs_fall(f: Enclosure, tau: float, outside: Outside, budget: int = 2_000) -> bool:
    """Whether g(x) + g(y) < 0 for all 0 < x <= y < π, x <= τ but where `outside(x_lo, x_hi, y_lo, y_hi)`.

    The form is f'(x) f(y) + f(x) f'(y) < 0, which at y = π reads f(x) f'(π) < 0. For x, y > τ nothing is to
    prove (f' < 0).
    """
    f.budget.at = "how far two neighbors can be"
    stack = [(0.0, tau, 0.0, PI_ABOVE)]
    while stack:
        a, b, c, d = stack.pop()
        f.budget.spend(4)
        if d < a or outside(a, b, c, d):
            continue
        budget -= 1
        fx, gx = f.cell(a, b, 0, lambda e: e[0]), f.cell(a, b, 1, lambda e: e[1])
        fy, gy = f.cell(c, d, 0, lambda e: e[0]), f.cell(c, d, 1, lambda e: e[1])
        if gx * fy.nonnegative_part() + fx.nonnegative_part() * gy < 0:
            continue
        if budget < 0 or b - a + d - c < 1e-7:
            return False
        if b - a > d - c:
            stack += [(a, (a + b) / 2, c, d), ((a + b) / 2, b, c, d)]
        else:
            stack += [(a, b, c, (c + d) / 2), (a, b, (c + d) / 2, d)]
    return True


def _guess(box: Box) -> tuple[float, float]:
    """(s, a) in floats at the middle of the box."""
    f = box.family.interaction
    values = {
        k: float((lo + hi) / 2)
        for k, (lo, hi) in box.ranges.items()
        if not (math.isinf(lo) or math.isinf(hi))
    }
    f = f.with_parameters(**values)
    x = np.linspace(0, np.pi, 1202)[1:-1]
    g = f.derivative()(x) / f(x)
    ok = g[:, None] + g[None, :] >= 0
    s = float(np.max(np.where(ok, x[:, None] + x[None, :], 0.0))) / 2
    q = np.sin(x / 2) ** 2
    return s + 0.002, float(np.max(np.where(ok, q[:, None] * q[None, :], 0.0))) + 0.002


def neighbor_bound(box: Box) -> tuple[float | None, float | None]:
    """(s, the certificate's hint): τ for attention with β <= 0, else by branch and bound."""
    beta = box.family.attention
    if beta is not None and box.ranges[beta][1] <= 0:
        return box.tau, None
    s = box.once("s", lambda: sum_bound(box))
    return s, s


def sum_bound(box: Box) -> float | None:
    """A certified s, or None."""
    assert box.tau is not None
    guess = max(_guess(box)[0], math.pi / 2)
    for slack in (0.004, 0.03):
        s = max(guess + slack, math.pi / 2 + 0.01)
        twice = 2 * interval(s, s)
        if s < math.pi and pairs_fall(
            box.f,
            box.tau,
            lambda a, b, c, d, twice=twice: bool(interval(b, b) + d < twice),  # type: ignore[misc]
        ):
            return s
    return None


def product_bound(box: Box) -> float | None:
    """A certified a, or None."""
    assert box.tau is not None
    guess = _guess(box)[1]
    for slack in (0.004, 0.03):
        a = max(guess + slack, 0.26)
        root = interval(a, a).sqrt()

        def outside(lo: float, hi: float, low: float, high: float, root: Any = root) -> bool:
            return bool(_sine_half(hi) * _sine_half(high) < root)

        if a < 1 and pairs_fall(box.f, box.tau, outside):
            return a
    return None


def _sine_half(x: float) -> Any:
    return (interval(x, x) / 2).sin() if x < math.pi else interval(1, 1)
