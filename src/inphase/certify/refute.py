"""Refutation: stable states that are not synchronized, looked for from the cheapest, certified in balls.

Three equal clusters; twisted states; cluster states from equally spaced and random starts; gradient flow on a
graph.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from inphase.certify.balls import is_dyadic, outward
from inphase.certify.budget import Budget
from inphase.certify.family import End, Family
from inphase.certify.networks import common_divisor, edges_of_coupling
from inphase.certify.stable import (
    EQUAL_CLUSTERS,
    PARTS,
    RADIUS,
    STABLE_STATE,
    TWISTED_STATE,
    certified,
    settle,
)
from inphase.certify.theorem import Box

Ranges = dict[str, tuple[End, End]]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """A certified stable state: its leaf, parameters and coupling, and the least pivot of its Hessian."""

    leaf: dict[str, Any]
    ranges: Ranges
    coupling: dict[str, Any]
    margin: float


def refutation(
    known: Family, where: Mapping[str, tuple[End, End]], seed: int = 0, budget: Budget | None = None
) -> Found | None:
    """A certified stable state at a point, or over the whole range in closed form; None if none is found.

    Raises
    ------
    Spent
        If the budget ends first.
    """
    point = {k: _at(known.ranges[k], pair) for k, pair in where.items()}
    if known.coupling["kind"] == "rank-one" or not known.refutable:
        return None
    box = Box(known, point, budget)
    with np.errstate(all="ignore"):  # candidates are floats; only what is certified in balls counts
        return _found(known, box, seed)


def apart(known: Family) -> Found:
    """Two parts or more that hear nobody outside: no state is needed, as each part turns by itself (Theorem 12).

    At one point of each range: over the whole, f might not be finite.
    """
    whole = {name: _at(pair, pair) for name, pair in known.ranges.items()}
    box = {name: outward(Fraction(lo), Fraction(hi)) for name, (lo, hi) in whole.items()}
    return Found(Box(known, box).leaf(PARTS), whole, known.coupling, math.inf)


def _found(known: Family, box: Box, seed: int) -> Found | None:
    kind = known.coupling["kind"]
    if not (box.attracts and box.gain_is_positive):
        return None
    if kind == "circulant":
        return _twisted(known, box) or _on_graph(known, box, seed)
    if kind == "graph":
        return _on_graph(known, box, seed)
    if kind == "equitable":
        return _on_classes(known, box, seed)
    return _half_line(known) or equal_clusters(known, box) or _clusters(known, box, seed)


def _at(claimed: tuple[End, End], failed: tuple[End, End]) -> tuple[End, End]:
    """Where to refute: the claimed number in a dyadic box around it, or a dyadic one in the box that failed."""
    if claimed[0] == claimed[1]:
        return outward(Fraction(claimed[0]), Fraction(claimed[1]))
    lo, hi = failed
    if math.isinf(lo) or math.isinf(hi):
        at: End = Fraction(0) if math.isinf(lo) and math.isinf(hi) else (hi - 1 if math.isinf(lo) else lo + 1)
    else:
        at = (lo + hi) / 2
    return at, at


def _claimed(known: Family, box: Box) -> Ranges:
    """The parameters that a state in `box` refutes: the claimed number where there is one."""
    return {
        k: known.ranges[k] if known.ranges[k][0] == known.ranges[k][1] else pair
        for k, pair in box.ranges.items()
    }


def equal_clusters(known: Family, box: Box, counts: range = range(2, 9)) -> Found | None:
    """k equal clusters at 2πj/k, k a divisor of n, over whole boxes.

    They are stationary by symmetry, and stable if every mode is.
    """
    n = known.coupling.get("n")
    for k in counts:
        if n is not None and n % k:
            continue
        size = n or k
        bonds = [box.f.on(2 * arb.pi() * j / k, 1)[1] for j in range(1, k)]
        waves = [[1 - (2 * arb.pi() * (j * m % k) / k).cos() for j in range(1, k)] for m in range(1, k)]
        sums = [sum((b * w for b, w in zip(bonds, row)), arb(0)) for row in waves]
        if size > k:
            sums.append(sum(bonds, box.slope))
        if all(v > 0 for v in sums):
            coupling = {"kind": "all-to-all", "weights": "equal", "n": size}
            least = min(float(v.lower()) for v in sums)
            return Found(box.leaf(EQUAL_CLUSTERS, count=k), _claimed(known, box), coupling, least)
    return None


def _half_line(known: Family) -> Found | None:
    """Attention on a whole range below −2/3 (closed, with dyadic ends), n divisible by 3.

    f'(2π/3) ∝ −1/2 − 3β/4 > 0.
    """
    beta, n = known.attention, known.coupling.get("n", 3)
    if beta is None or n % 3:
        return None
    lo, hi = known.ranges[beta]
    dyadic = all(math.isinf(v) or is_dyadic(Fraction(v)) for v in (lo, hi))
    if not (math.isinf(lo) and hi < Fraction(-2, 3) and dyadic):
        return None
    leaf = Box(known, known.ranges).leaf(EQUAL_CLUSTERS, count=3)
    return Found(
        leaf, dict(known.ranges), {"kind": "all-to-all", "weights": "equal", "n": n}, -0.5 - 0.75 * float(hi)
    )


def _twisted(known: Family, box: Box) -> Found | None:
    """θ_j = 2πqj/n on a circulant graph, bonds all attracting or every mode stable."""
    n, offsets = known.coupling["n"], known.coupling["offsets"]
    if common_divisor(n, offsets) != 1:
        return None
    slope = known.interaction.with_parameters(**_numbers(box)).derivative()
    d = np.array(offsets)
    for q in range(1, min(n // 2, 2000) + 1):
        box.f.budget.spend(100 + len(d))
        bonds = slope(2 * np.pi * q * d / n)
        if not np.all(bonds > 0):
            if n > 20_000:
                continue
            box.f.budget.spend(n)
            line = np.zeros(n)
            line[d] = bonds  # Σ_d bond (1 − cos(2πkd/n)) for k = 1..n/2
            if np.min(np.sum(bonds) - np.fft.rfft(line).real[1:]) <= 1e-9:
                continue
        balls = [box.f.on(2 * arb.pi() * (q * k % n) / n, 1)[1] for k in offsets]
        if all(b > 0 for b in balls):
            rows = [[arb(1)] * len(offsets)]
        else:
            box.f.budget.spend(n * len(offsets))
            rows = [
                [1 - (2 * arb.pi() * (k * m % n) / n).cos() for k in offsets] for m in range(1, n // 2 + 1)
            ]
        sums = [sum((b * w for b, w in zip(balls, row)), arb(0)) for row in rows]
        if all(s > 0 for s in sums):
            least = min(float(s.lower()) for s in sums)
            return Found(box.leaf(TWISTED_STATE, winding=q), _claimed(known, box), known.coupling, least)
    return None


def _numbers(box: Box) -> dict[str, float]:
    return {k: float(lo) for k, (lo, _) in box.ranges.items()}


def _on_graph(known: Family, box: Box, seed: int, starts: int = 40) -> Found | None:
    if known.coupling["n"] > 150:
        return None
    n, edges = edges_of_coupling(known.coupling)
    weights = np.zeros((n, n))
    for i, j in edges:
        weights[i, j] = weights[j, i] = 1.0
    f, rng = known.interaction.with_parameters(**_numbers(box)), np.random.default_rng(seed)
    table = [[Fraction(int(v)) for v in row] for row in weights]
    for k in range(starts):
        spiral = 2 * np.pi * np.arange(n) * (1 + k // 2) / n
        start = spiral if k % 2 == 0 and k < 12 else rng.uniform(0, 2 * np.pi, n)
        angles = settle(f, weights, start, box.f.budget)
        if angles is None or _spread(angles) < 1e-3:
            continue
        least = certified(box.f, table, [Fraction(1)] * n, [1] * n, angles.tolist())
        if least is not None:
            return Found(_state(box, angles), _claimed(known, box), known.coupling, least)
    return None


def _on_classes(known: Family, box: Box, seed: int, starts: int = 60) -> Found | None:
    """A state that is constant on the classes of an equitable partition."""
    sizes, degrees = known.coupling["sizes"], known.coupling["degrees"]
    k = len(sizes)
    weights = np.array(degrees, dtype=float) / max(max(row) for row in degrees)
    np.fill_diagonal(weights, 0)
    f, rng = known.interaction.with_parameters(**_numbers(box)), np.random.default_rng(seed)
    table = [[Fraction(d) for d in row] for row in degrees]
    for trial in range(starts):
        start = 2 * np.pi * np.arange(k) / k if trial == 0 else rng.uniform(0, 2 * np.pi, k)
        angles = settle(f, weights, start, box.f.budget)
        if angles is None or _spread(angles) < 1e-3:
            continue
        least = certified(box.f, table, [Fraction(m) for m in sizes], sizes, angles.tolist(), degrees=degrees)
        if least is not None:
            return Found(_state(box, angles), _claimed(known, box), known.coupling, least)
    return None


def _spread(angles: Floats) -> float:
    return float(1 - abs(np.mean(np.exp(1j * angles))))


def _state(box: Box, angles: Floats, **data: Any) -> dict[str, Any]:
    exact = [list(Fraction(float(t)).as_integer_ratio()) for t in angles]
    return box.leaf(STABLE_STATE, angles=exact, radius=list(RADIUS.as_integer_ratio()), **data)


def _clusters(known: Family, box: Box, seed: int) -> Found | None:
    n = known.coupling.get("n")
    f, rng = known.interaction.with_parameters(**_numbers(box)), np.random.default_rng(seed)
    tried: set[tuple[int, ...]] = set()
    for sizes, start in _candidates(n, f, rng):
        total = sum(sizes)
        box.f.budget.spend(100 + total // 50)
        masses = np.array(sizes) / total
        weights = np.tile(masses, (len(sizes), 1))
        angles = settle(f, weights, start, box.f.budget)
        if angles is None:
            continue
        merged, places = _merge(sizes, angles)
        key = (*merged, *np.round(places * 1e6).astype(int).tolist())
        if len(merged) < 2 or key in tried:
            continue
        tried.add(key)
        exact = [Fraction(m, total) for m in merged]
        least = certified(box.f, [exact for _ in merged], exact, merged, places.tolist())
        if least is not None:
            coupling = {"kind": "all-to-all", "weights": "equal", "n": total}
            return Found(_state(box, places, sizes=list(merged)), _claimed(known, box), coupling, least)
    return None


def _merge(sizes: tuple[int, ...], angles: Floats) -> tuple[tuple[int, ...], Floats]:
    """Clusters that came together, as one."""
    order = np.argsort(angles)
    groups: list[list[int]] = []
    for i in order:
        if groups and angles[i] - angles[groups[-1][-1]] < 1e-6:
            groups[-1].append(int(i))
        else:
            groups.append([int(i)])
    if len(groups) > 1 and angles[groups[0][0]] + 2 * np.pi - angles[groups[-1][-1]] < 1e-6:
        groups[0] = groups.pop() + groups[0]
    merged = tuple(sum(sizes[i] for i in group) for group in groups)
    places = np.array([angles[group[-1]] for group in groups])
    places = np.mod(places - places[0], 2 * np.pi)
    return merged, places


def _thirds(n: int) -> Iterator[tuple[int, int, int]]:
    """The splits p <= q <= r of n into three parts, those of nearly equal parts first."""
    for spread in range(n - 2):  # r − p
        for p in range(max(1, -(-(n - 2 * spread) // 3)), (n - spread) // 3 + 1):
            yield p, n - 2 * p - spread, p + spread


def _candidates(n: int | None, f: Any, rng: np.random.Generator) -> Iterator[tuple[tuple[int, ...], Floats]]:
    """Sizes of clusters and starting angles."""
    for count in range(2, 9):
        if n is None or n % count == 0:
            size = 1 if n is None else n // count
            yield (size,) * count, 2 * np.pi * np.arange(count) / count
    if n is None:
        for total in range(4, 9):
            yield from (((1,) * total, rng.uniform(0, 2 * np.pi, total)) for _ in range(4))
        return
    for split in itertools.islice(_thirds(n), 400):
        yield split, 2 * np.pi * np.arange(3) / 3
    for _ in range(60):
        if n <= 40:
            yield (1,) * n, rng.uniform(0, 2 * np.pi, n)
        count = int(rng.integers(4, min(n, 9) + 1)) if n >= 4 else n
        cuts = np.sort(rng.choice(np.arange(1, n), count - 1, replace=False))
        sizes = tuple(int(v) for v in np.diff(np.concatenate([[0], cuts, [n]])))
        yield sizes, rng.uniform(0, 2 * np.pi, count)
