"""The degree theorem: dense enough networks, f = k sin x.

A criterion whose exact statement could not be read in its source is not used here.
"""

from __future__ import annotations

from typing import Any

from inphase.certify.networks import common_divisor, connected, edges_of_coupling
from inphase.certify.theorem import Attempt, Box, Theorem


def _degree(box: Box) -> Attempt:
    if box.family.sine_factor is None:
        return Attempt(None, reason="f is not k sin x")
    if not box.family.finite:
        return Attempt(None, reason="needs finite ranges")
    if not box.sine_factor > 0:
        return Attempt(None, reason="f is k sin x, and k > 0 is not proved")
    n, least, whole = _least_degree(box.family.coupling)
    margin = least / (0.75 * (n - 1)) - 1
    if whole and 4 * least > 3 * (n - 1):
        return Attempt({}, margin)
    return Attempt(None, margin, f"the least degree is {least}, not above 0.75 (n − 1) = {0.75 * (n - 1):g}")


def _least_degree(coupling: dict[str, Any]) -> tuple[int, int, bool]:
    """(n, the least degree, whether it is connected) of a graph; a circulant one is not written out."""
    if coupling["kind"] == "circulant":
        n, offsets = coupling["n"], coupling["offsets"]
        return n, 2 * len(offsets), common_divisor(n, offsets) == 1
    n, edges = edges_of_coupling(coupling)
    degrees = [0] * n
    for i, j in edges:
        degrees[i] += 1
        degrees[j] += 1
    return n, min(degrees), connected(n, edges)


DEGREE = Theorem(
    "degree",
    "A connected graph whose degrees are all above 0.75 (n − 1) synchronizes from almost every start (f = k sin x, k > 0).",
    ("f = k sin x, k > 0", "undirected, simple, connected, equal weights", "identical oscillators"),
    "Kassabov, Strogatz, Townsend, Sufficiently dense Kuramoto networks are globally synchronizing, Chaos 31 (2021)",
    _degree,
    cost=0,
    couplings=("graph", "circulant"),
)
