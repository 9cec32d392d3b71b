"""The least |β| at which n equal oscillators (attention, β < 0) have a stable three-cluster state, enclosed.

Write b = −β and x, y, z for the arcs between three clusters, x + y + z = 2π. Stationarity gives the masses,
in proportion to f of the opposite arcs; the Hessian is a triangle with conductances g(x), g(y), g(z),
g = cot + b sin, so the state is stable where their second symmetric function e2 = 1 + C b + S b² is past its
larger root b₊(x, y). The least b for given masses lies on b = b₊(x, y) (docs/theory/attention.md, Theorem 5),
so a best-first branch and bound over two arcs, with the masses confined to multiples of 1/n, encloses it.
Above it, one stable state is certified (`stable.py`).
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb, arb_mat

from inphase.certify.balls import Enclosure, interval, lower, point, precision, upper
from inphase.certify.budget import BOXES, Budget
from inphase.certify.certificate import Certificate, claim_of
from inphase.certify.family import Family
from inphase.certify.stable import STABLE_STATE, certified
from inphase.certify.theorem import Box
from inphase.interaction import attention

WIDTH = Fraction(1, 10**9)
STATE_RADIUS = Fraction(1, 2**60)
MANY = 10**6  # splits that are not looked at one by one


@dataclass(frozen=True)
class Threshold:
    """For n equal weights: no three-cluster state is stable for |β| < lo; a certified one is at |β| = hi.

    `sizes` and `angles` go around the circle, the first cluster at 0; `boxes` were needed for the lower end.
    """

    n: int
    lo: Fraction
    hi: Fraction
    sizes: tuple[int, int, int]
    angles: tuple[Fraction, ...]
    boxes: int = 0

    def certificate(self) -> Certificate:
        """The upper end as a certificate: at β = −hi the state is stationary and stable.

        Raises
        ------
        ValueError
            For n divisible by 3, where three equal clusters are stable for every |β| above 2/3, none at 2/3.
        """
        if not self.angles:
            raise ValueError(f"n = {self.n} is divisible by 3: nothing to certify at 2/3 itself")
        coupling = {"kind": "all-to-all", "weights": "equal", "n": self.n}
        known = Family(attention(-float(self.hi)), {"beta": (-self.hi, -self.hi)}, coupling)
        leaf = Box(known, known.ranges).leaf(
            STABLE_STATE,
            angles=[list(t.as_integer_ratio()) for t in self.angles],
            radius=list(STATE_RADIUS.as_integer_ratio()),
            sizes=list(self.sizes),
        )
        claim = claim_of(known, "refuted", dict(known.ranges))
        return Certificate("refuted", claim["statement"], 0.0, claim, [leaf], (STABLE_STATE,))


def thresholds(
    n: int | Sequence[int], *, budget: int = BOXES, seconds: float | None = None
) -> list[Threshold]:
    """Enclosures, of width at most 1e-9, of the least |β| with a stable three-cluster state, for each n >= 3.

    For n divisible by 3 it is 2/3 exactly: three equal clusters are stable for every |β| > 2/3
    (`angles` are then empty).

    Parameters
    ----------
    n : int or sequence of int
    budget : int
        For each n, as in `synchronization`.
    seconds : float, optional
        A time limit for all of them.

    Raises
    ------
    ValueError
        If an n is not an integer of at least 3.
    RuntimeError
        If an enclosure is not reached within the work or the time; the message names the n and the bound so far.

    Examples
    --------
    >>> five = thresholds(5)[0]
    >>> sorted(five.sizes), round(float(five.hi), 6), five.hi - five.lo <= WIDTH
    ([1, 2, 2], 1.442905, True)
    """
    counts = [n] if isinstance(n, int) else list(n)
    for k in counts:
        if isinstance(k, bool) or not isinstance(k, int) or k < 3:
            raise ValueError(f"n must be an integer of at least 3; got {k!r}")
    whole = Budget(budget, seconds)
    with precision(96):
        return [_threshold(k, whole.afresh()) for k in counts]


def _threshold(n: int, budget: Budget) -> Threshold:
    if n % 3 == 0:
        third = n // 3
        return Threshold(n, Fraction(2, 3), Fraction(2, 3), (third, third, third), ())
    lo, x, y, sizes, boxes = _lowest(n, budget)
    step = Fraction(1, 2**34)
    for _ in range(3):
        hi = _up(lo + step)
        angles = certified_above(hi, x, y, sizes, budget)
        if angles is not None and hi - lo <= WIDTH:
            return Threshold(n, lo, hi, sizes, angles, boxes)
        step *= 3
    raise RuntimeError(
        f"no stable state of sizes {sizes} is certified just above |β| = {float(lo)!r} for n = {n}"
    )


def _up(q: Fraction) -> Fraction:
    return Fraction(math.ceil(q * 2**60), 2**60)


# ---------------------------------------------------------------------------------------------- the lower end


def stability_bound(x: Any, y: Any, z: Any) -> Any:
    """b₊: the larger root of e2 = 1 + C b + S b².

    C = Σ (cot x sin y + cot y sin x) and S = Σ sin x sin y, over the pairs.
    """
    (sx, cx), (sy, cy), (sz, cz) = ((t.sin(), t.cos()) for t in (x, y, z))
    s = sx * sy + sy * sz + sz * sx
    c = (cx / sx) * (sy + sz) + (cy / sy) * (sx + sz) + (cz / sz) * (sx + sy)
    return (-c + (c * c - 4 * s).nonnegative_part().sqrt()) / (2 * s)


def _masses(x: Any, y: Any, z: Any, b: Any) -> list[Any]:
    """The masses opposite x, y, z: f/(sum), through ratios, which keeps them in [0, 1]."""
    logs = [t.sin().log() - b * t.cos() for t in (x, y, z)]
    return [
        1 / sum(((other - own).exp() for k, other in enumerate(logs) if k != i), arb(1))
        for i, own in enumerate(logs)
    ]


def _splits(n: int, masses: list[Any], budget: Budget) -> list[tuple[int, int, int]]:
    """The splits of n into three parts that enclosures of the masses allow, but the one into thirds."""
    ranges = [
        range(max(1, math.ceil(lower(n * m))), min(n - 2, math.floor(upper(n * m))) + 1)
        if m.is_finite()
        else range(1, n - 1)
        for m in masses
    ]
    many = len(ranges[0]) * len(ranges[1])
    if many > MANY:
        return [(0, 1, 2)]  # nothing is excluded yet, nor are two parts known to be equal
    budget.spend(many // 4)
    return [
        (i, j, n - i - j)
        for i in ranges[0]
        for j in ranges[1]
        if n - i - j in ranges[2] and not (3 * i == n and 3 * j == n)
    ]


def _third_derivative(t: Any, b: Any) -> Any:
    """f'''/e^{−b cos x} for f = sin x · e^{−b cos x}.

    −(c − 3bc² + 4b(1 − c²) − 6b²c(1 − c²) − b³(1 − c²)²), c = cos x.
    """
    c = t.cos()
    w = t.sin() ** 2
    return -(c - 3 * b * c * c + 4 * b * w - 6 * b * b * c * w - b**3 * w * w)


def _lowest(n: int, budget: Budget) -> tuple[Fraction, float, float, tuple[int, int, int], int]:
    """(a lower bound of b near the least, its arcs, masses, number of boxes): best first, arcs x <= y <= z.

    On x = y or y = z with equal masses the map from arcs to masses folds into a cusp. There f''' < 0 between
    the two arcs makes unequal arcs unstable (the trapezoidal rule: f'(x) + f'(y) = (y − x)² f'''(ξ)/6 < 0),
    which leaves the line itself.
    """
    counter, used = itertools.count(), 0
    queue: list[Any] = []
    budget.at = f"n = {n}, no stable state of three clusters below |β| = 2/3"

    def push(kind: str, box: tuple[float, float, float, float]) -> None:
        a, b, c, d = box
        x, y = interval(a, b), interval(c, d)
        if kind == "xy":
            y = x
        z = 2 * arb.pi() - x - y
        if kind == "yz":  # y is z's equal: x free, y = z = π − x/2
            y = z = arb.pi() - x / 2
        if x > y or y > z or z > 3.0:
            return
        z = z.intersection(interval(1.1, 3.0))
        b_plus = stability_bound(x, y, z)
        if not b_plus.is_finite():
            heapq.heappush(queue, (Fraction(2, 3), next(counter), kind, box, [(0, 0, 0)], Fraction(10)))
            return
        bound = max(lower(b_plus), Fraction(2, 3))
        if bound > 3:
            return
        splits = _splits(n, _masses(x, y, z, b_plus), budget)
        if not splits:
            return
        if kind == "plane":
            b_range = interval(bound, max(upper(b_plus), bound))
            for pair, hull in (((0, 1), x.union(y)), ((1, 2), y.union(z))):
                if all(s[pair[0]] == s[pair[1]] for s in splits) and _third_derivative(hull, b_range) < 0:
                    return
        heapq.heappush(queue, (bound, next(counter), kind, box, splits, upper(b_plus) - bound))

    # b <= 3 bounds the arcs of a stable state: each pair sums to at most 2τ(3) < 5.17, so x > 1.1,
    # and g(z) >= −g(y) > −3.51, so z < 3
    third = 2 * math.pi / 3 + 1e-9
    push("plane", (1.1, third, 1.1, 2.6))
    push("xy", (1.1, third, 0.0, 0.0))
    push("yz", (1.1, third, 0.0, 0.0))
    while queue and used < 40_000:
        bound, _, kind, (a, b, c, d), splits, width = heapq.heappop(queue)
        used += 1
        budget.at = f"n = {n}, no stable state of three clusters below |β| = {float(bound):.9g}"
        budget.spend(200)
        if width < Fraction(1, 2**40) or max(b - a, d - c) < 1e-14:
            x = (a + b) / 2
            y = {"plane": (c + d) / 2, "xy": x, "yz": math.pi - x / 2}[kind]
            return bound, x, y, splits[0], used
        if b - a >= d - c:
            m = (a + b) / 2
            push(kind, (a, m, c, d))
            push(kind, (m, b, c, d))
        else:
            m = (c + d) / 2
            push(kind, (a, b, c, m))
            push(kind, (a, b, m, d))
    raise RuntimeError(f"the branch and bound did not finish ({budget.at})")


# ---------------------------------------------------------------------------------------------- the upper end


def certified_above(
    b: Fraction, x: float, y: float, sizes: tuple[int, int, int], budget: Budget | None = None
) -> tuple[Fraction, ...] | None:
    """Angles opposite x, y, z in a certified stable state at |β| = b near those arcs; None if none."""
    with precision(256):
        # clusters 0, 1, 2 opposite x, y, z: the arc between 0 and 1 is z, between 1 and 2 is x
        z = 2 * math.pi - x - y
        start = (0.0, z, z + x)
        n = sum(sizes)
        masses = [Fraction(s, n) for s in sizes]
        f = attention(-1.0)
        enclosure = Enclosure(f, {"beta": -point(b)}, budget)
        for angles in _newton_starts(start, masses, enclosure):
            found = certified(enclosure, [masses] * 3, masses, list(sizes), angles, radius=STATE_RADIUS)
            if found is not None:
                return angles
    return None


def _newton_starts(start: tuple[float, ...], masses: list[Fraction], f: Any) -> list[tuple[Fraction, ...]]:
    """Stationary states by Newton from points around `start`, along the Hessian's softest direction."""
    found = []
    import numpy as np

    w = np.array([float(m) for m in masses])
    slope = np.array([[float(f.on(arb(a - c), 1)[1].mid()) for c in start] for a in start]) * w
    np.fill_diagonal(slope, 0)
    jacobian = np.diag(slope.sum(axis=1)) - slope
    soft = np.linalg.svd(jacobian[1:, 1:])[2][-1]
    for size in (0.0, 1e-5, -1e-5, 3e-5, -3e-5, 1e-4, -1e-4, 1e-6, -1e-6, 1e-3, -1e-3):
        angles = _newton(
            [point(Fraction(t)) for t in (start[1] + size * soft[0], start[2] + size * soft[1])], masses, f
        )
        if angles is not None:
            found.append(angles)
    return found


def _newton(angles: list[Any], masses: list[Fraction], f: Any) -> tuple[Fraction, ...] | None:
    w = [point(m) for m in masses]
    here = [arb(0), *angles]
    for _ in range(60):
        pairs = [[f.on((here[k] - here[j]).mid(), 1) for j in range(3)] for k in range(3)]
        force = arb_mat(
            [[sum((w[j] * pairs[k][j][0] for j in range(3) if j != k), arb(0)).mid()] for k in (1, 2)]
        )
        bonds = [[(w[j] * pairs[k][j][1]).mid() for j in range(3)] for k in range(3)]
        jacobian = arb_mat(
            [
                [
                    (sum((bonds[k][m] for m in range(3) if m != k), arb(0)) if k == j else -bonds[k][j]).mid()
                    for j in (1, 2)
                ]
                for k in (1, 2)
            ]
        )
        try:
            move = jacobian.solve(force)
        except ZeroDivisionError:
            return None
        if not (move[0, 0].is_finite() and abs(move[0, 0].mid()) < 1 and abs(move[1, 0].mid()) < 1):
            return None
        here = [arb(0), (here[1] - move[0, 0]).mid(), (here[2] - move[1, 0]).mid()]
        if abs(move[0, 0].mid()) < arb(2) ** -150 and abs(move[1, 0].mid()) < arb(2) ** -150:
            break
    scale = 2**160
    exact = [Fraction(0)]
    for t in here[1:]:
        mantissa, exponent = t.mid().man_exp()
        exact.append(Fraction(round(Fraction(int(mantissa)) * Fraction(2) ** int(exponent) * scale), scale))
    return tuple(exact) if all(0 < t < Fraction(7) for t in exact[1:]) else None
