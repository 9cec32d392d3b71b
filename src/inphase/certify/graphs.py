"""Criteria for networks: the degree theorem for f = sin; two oscillators.

A criterion whose exact statement could not be read in its source is not used here.
"""

from __future__ import annotations

import math

from inphase.certify.graph import connected, edges_of_coupling
from inphase.certify.theorem import Attempt, Box, Theorem


def _degree(box: Box) -> Attempt:
    if box.family.formula != "sin(x)":
        return Attempt(None, reason="f is not sin x")
    n, edges = edges_of_coupling(box.family.coupling)
    degrees = [0] * n
    for i, j in edges:
        degrees[i] += 1
        degrees[j] += 1
    margin = min(degrees) / (0.75 * (n - 1)) - 1
    if connected(n, edges) and 4 * min(degrees) > 3 * (n - 1):
        return Attempt(box.leaf("degree"), margin)
    return Attempt(
        None, margin, f"the least degree is {min(degrees)}, not above 0.75 (n − 1) = {0.75 * (n - 1):g}"
    )


def _two(box: Box) -> Attempt:
    if box.family.coupling.get("n") != 2:
        return Attempt(None, reason="n is not 2")
    if box.finite and box.attracts and box.tau is not None and box.positive:
        return Attempt(box.leaf("two-phases"), math.inf)
    return Attempt(None, reason="f > 0 on (0, π) and f'(π) < 0 are not proved")


DEGREE = Theorem(
    "degree",
    "A connected graph whose degrees are all above 0.75 (n − 1) synchronizes from almost every start (f = sin).",
    ("f = sin x", "undirected, simple, connected, equal weights", "identical oscillators"),
    "Kassabov, Strogatz, Townsend, Sufficiently dense Kuramoto networks are globally synchronizing, Chaos 31 (2021)",
    _degree,
    couplings=("graph", "circulant"),
)
TWO_PHASES = Theorem(
    "two-phases",
    "Two oscillators with f > 0 on (0, π) and f'(π) < 0 synchronize from almost every start: only the antipodal pair competes.",
    ("n = 2", "f > 0 on (0, π)", "f'(π) < 0"),
    "docs/theory/criteria.md",
    _two,
    couplings=("all-to-all",),
)
