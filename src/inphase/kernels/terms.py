"""What a coupling does to the phases, spelled as sums: the grammar that every engine reads.

A coupling is a sum of terms. Each is one of five shapes of arrays, here for f acting with the model's minus:

    Links      Σ_j K_ij f(θ_i − θ_j)                 the pairs that are joined, listed
    AllPairs   Σ_j K_ij f(θ_i − θ_j + α_ij)          a matrix, with a lag for each pair if need be
    Factors    Σ_j (L Rᵀ)_ij f(θ_i − θ_j)            a matrix of low rank
    Field      r_i Σ_j c_j f(θ_i − θ_j)              one mean field, also of triads: r_i Σ_jk c_j c_k f(·)
    Triangles  Σ w f(·)                              triads, listed
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

PAIRS, ORDERED, PRODUCT = 0, 1, 2  # arguments: θ_i − θ_j, θ_i + θ_k − 2θ_j, 2θ_i − θ_j − θ_k
SAMPLED = 512  # rows of a matrix of low rank over which its strength is averaged
ENTRIES = 4_000_000  # of such a matrix that are held at once

Array = np.ndarray[Any, Any]


class Links(NamedTuple):
    """Σ_j K_ij f(θ_i − θ_j) for a sparse K: entries in any order."""

    weights: Array  # (entries,)
    rows: Array  # (entries,), i
    columns: Array  # (entries,), j

    @property
    def pairwise(self) -> bool:
        """True: its terms are pairs."""
        return True

    def scaled(self, factor: float) -> Links:
        """The same with K times a factor."""
        return self._replace(weights=factor * self.weights)

    def strength(self, n: int) -> float:
        """Σ_j |K_ij|, averaged over the n listeners."""
        return float(np.sum(np.abs(self.weights))) / n

    def most(self, n: int) -> float:
        """The largest Σ_j |K_ij|."""
        return float(np.max(np.bincount(self.rows, np.abs(self.weights), minlength=n)))


class AllPairs(NamedTuple):
    """Σ_j K_ij f(θ_i − θ_j + α_ij) for a dense K."""

    weights: Array  # (n, n), K
    lags: Array | None = None  # (n, n), α, radians

    @property
    def pairwise(self) -> bool:
        """True: its terms are pairs."""
        return True

    def scaled(self, factor: float) -> AllPairs:
        """The same with K times a factor."""
        return self._replace(weights=factor * self.weights)

    def strength(self, n: int) -> float:
        """Σ_j |K_ij|, averaged over the n listeners."""
        return float(np.mean([np.abs(row).sum(dtype=float) for row in self.weights]))

    def most(self, n: int) -> float:
        """The largest Σ_j |K_ij|."""
        return float(np.max([np.abs(row).sum(dtype=float) for row in self.weights]))


class Factors(NamedTuple):
    """Σ_j (L Rᵀ)_ij f(θ_i − θ_j)."""

    left: Array  # (n, r)
    right: Array  # (n, r)

    @property
    def pairwise(self) -> bool:
        """True: its terms are pairs."""
        return True

    def scaled(self, factor: float) -> Factors:
        """The same with K times a factor."""
        return self._replace(left=factor * self.left)

    def strength(self, n: int) -> float:
        """Σ_j |K_ij|, averaged over the n listeners; over 512 evenly spaced ones of more."""
        rows = np.linspace(0, n - 1, min(n, SAMPLED)).astype(int)
        step = max(1, ENTRIES // n)
        parts = (
            np.abs(self.left[rows[low : low + step]] @ self.right.T).sum()
            for low in range(0, len(rows), step)
        )
        return float(sum(parts)) / len(rows)

    def most(self, n: int) -> float:
        """A bound on Σ_j |K_ij|: that of the factors' moduli."""
        return float(np.max(np.abs(self.left) @ np.sum(np.abs(self.right), axis=0)))


class Field(NamedTuple):
    """r_i Σ_j c_j f(θ_i − θ_j), or r_i Σ_jk c_j c_k f of one of the other two arguments."""

    weights: Array  # (n,), r
    columns: Array  # (n,), c
    kind: int = PAIRS

    @property
    def pairwise(self) -> bool:
        """Whether its terms are pairs."""
        return self.kind == PAIRS

    def scaled(self, factor: float) -> Field:
        """The same with r times a factor."""
        return self._replace(weights=factor * self.weights)

    def strength(self, n: int) -> float:
        """The moduli of the weights that a listener feels, averaged over the n listeners."""
        heard = float(np.sum(np.abs(self.columns)))
        return float(np.mean(np.abs(self.weights))) * (heard if self.pairwise else heard**2)

    def most(self, n: int) -> float:
        """The moduli of the weights that a listener feels, at the most."""
        heard = float(np.sum(np.abs(self.columns)))
        return float(np.max(np.abs(self.weights))) * (heard if self.pairwise else heard**2)


class Triangles(NamedTuple):
    """Σ w f over triads, in one of the two forms; undirected ones pull each of their three nodes."""

    weights: Array  # (triads,)
    nodes: Array  # (triads, 3)
    kind: int  # ORDERED (undirected: with j and k exchanged too) or PRODUCT
    directed: bool = False  # whether only the first node listens, to the one term with this j and this k

    @property
    def pairwise(self) -> bool:
        """False: its terms are triads."""
        return False

    def scaled(self, factor: float) -> Triangles:
        """The same with w times a factor."""
        return self._replace(weights=factor * self.weights)

    def strength(self, n: int) -> float:
        """The moduli of the weights that a listener feels, averaged over the n listeners."""
        terms = 1 if self.directed else 3 * (2 if self.kind == ORDERED else 1)
        return terms * float(np.sum(np.abs(self.weights))) / n

    def most(self, n: int) -> float:
        """The moduli of the weights that a listener feels, at the most."""
        if not len(self.weights):
            return 0.0
        listens = self.nodes[:, :1] if self.directed else self.nodes
        each = np.repeat(np.abs(self.weights), listens.shape[1])
        terms = 1 if self.directed or self.kind != ORDERED else 2
        return terms * float(np.max(np.bincount(listens.ravel(), each, minlength=n)))


Term = Links | AllPairs | Factors | Field | Triangles
