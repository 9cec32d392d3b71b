"""The degree theorem: dense enough networks, f = k sin x.

A criterion whose exact statement could not be read in its source is not used here.
"""

from __future__ import annotations

from inphase.certify.networks import connected, edges_of_coupling
from inphase.certify.theorem import Attempt, Box, Theorem


def _degree(box: Box) -> Attempt:
    if box.family.sine_factor is None:
        return Attempt(None, reason="f is not k sin x")
    if not box.family.finite:
        return Attempt(None, reason="needs finite ranges")
    if not box.sine_factor > 0:
        return Attempt(None, reason="f is k sin x, and k > 0 is not proved")
    n, edges = edges_of_coupling(box.family.coupling)
    degrees = [0] * n
    for i, j in edges:
        degrees[i] += 1
        degrees[j] += 1
    margin = min(degrees) / (0.75 * (n - 1)) - 1
    if connected(n, edges) and 4 * min(degrees) > 3 * (n - 1):
        return Attempt({}, margin)
    return Attempt(
        None, margin, f"the least degree is {min(degrees)}, not above 0.75 (n − 1) = {0.75 * (n - 1):g}"
    )


DEGREE = Theorem(
    "degree",
    "A connected graph whose degrees are all above 0.75 (n − 1) synchronizes from almost every start (f = k sin x, k > 0).",
    ("f = k sin x, k > 0", "undirected, simple, connected, equal weights", "identical oscillators"),
    "Kassabov, Strogatz, Townsend, Sufficiently dense Kuramoto networks are globally synchronizing, Chaos 31 (2021)",
    _degree,
    cost=0,
    couplings=("graph", "circulant"),
)
