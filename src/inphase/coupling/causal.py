"""K of a decoder: each oscillator listens to itself and to those before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from inphase.checks import boolean, finite_vector
from inphase.coupling.base import Coupling, Facts
from inphase.coupling.summing import Layout, plan, uses_pairs
from inphase.coupling.words import Keep, Words, difference, numbered, of_f
from inphase.interaction import Interaction
from inphase.kernels import causal
from inphase.types import Phases, Square, Vector


class Causal(Coupling):
    """K_ij = c_j / Σ_{l<=i} c_l for j <= i, else 0: the weighted mean over those up to i, i included.

    The sums cost O(n·m) by running moments, exact to rounding relative to max|f| Σ_j |K_ij|; pair by pair
    where `AllToAll` takes them so. With the gain ``"softmax"`` the normalization cancels.

    Parameters
    ----------
    weights : array_like, shape (n,), optional
        c_j; 1 if not given, so that oscillator i = 1, 2, ... listens with K_ij = 1/i.
    normalized : bool
        Whether to divide by Σ_{l<=i} c_l; then the weights must be non-negative, and the first positive. If
        not, K_ij = c_j, of any sign.

    Raises
    ------
    ValueError, TypeError
        If the weights are not finite, or cannot be normalized.

    References
    ----------
    Karagodin, Polyanskiy, Rigollet, *Clustering in causal attention masking* (2024).

    Examples
    --------
    >>> from inphase.coupling import Causal
    >>> Causal().matrix(2)
    array([[1. , 0. ],
           [0.5, 0.5]])
    """

    def __init__(self, weights: ArrayLike | None = None, normalized: bool = True) -> None:
        self.columns = None if weights is None else finite_vector("weights", weights)
        self.normalized = boolean("normalized", normalized)
        if self.columns is not None and normalized:
            worst = int(np.argmin(self.columns))
            if self.columns[worst] < 0:
                raise ValueError(
                    f"weights must be >= 0 to be normalized; got {self.columns[worst]:g} at index {worst}"
                )
            if self.columns[0] == 0:
                raise ValueError("weights must begin with a positive one to be normalized; got 0 at index 0")

    @property
    def size(self) -> int | None:
        """The number of oscillators; None where all weights are 1."""
        return None if self.columns is None else len(self.columns)

    @property
    def positive(self) -> bool:
        """Whether no weight is negative and the first is positive."""
        return self.columns is None or bool(np.all(self.columns >= 0) and self.columns[0] > 0)

    @property
    def symmetric(self) -> bool:
        """No: the first never listens."""
        return False

    def _weights(self, n: int) -> Vector:
        return np.ones(n) if self.columns is None else self.columns

    def matrix(self, n: int) -> Square:
        """K as a dense matrix, (n, n)."""
        self.check_size(n)
        matrix = np.tril(np.broadcast_to(self._weights(n), (n, n)))
        return matrix / matrix.sum(axis=1, keepdims=True) if self.normalized else matrix

    def mean_strength(self, n: int) -> float:
        """1, or Σ_{j<=i} |c_j| averaged over i."""
        return 1.0 if self.normalized else float(np.mean(np.cumsum(np.abs(self._weights(n)))))

    def largest_strength(self, n: int) -> float:
        """1, or Σ_j |c_j|, which the last one feels."""
        return 1.0 if self.normalized else float(np.sum(np.abs(self._weights(n))))

    def facts(self, n: int) -> Facts:
        """Pairs, which need no matrix to be known."""
        return Facts(pairs=True)

    def equation(
        self, delay: int | None = None, mark: str = "", form: Callable[[Words], Words] = of_f
    ) -> Words:
        """The sum over those that came before."""
        early = Words(r"\sum_{j \leq i}\ ", "Σ_{j<=i} ")
        if self.columns is None and self.normalized:
            return Words(r"\dfrac{1}{i}\,", "(1/i) ") + early + form(difference(delay))
        return early + numbered("K", "ij", mark) + form(difference(delay))

    def code(self, keep: Keep) -> str:
        """ip.Causal of its weights."""
        weights = "" if self.columns is None else keep("weights", self.columns)
        options = [weights] if weights else []
        return f"ip.Causal({', '.join(options + ([] if self.normalized else ['normalized=False']))})"

    def forces(
        self,
        functions: Sequence[Interaction],
        phases: Phases,
        out: Sequence[Phases] | None = None,
        sources: Phases | None = None,
    ) -> list[Phases]:
        """[Σ_j K_ij f(θ_i − φ_j) for f in functions], by running moments or pair by pair."""
        n = phases.shape[-1]
        self.check_size(n)
        arranged, planned = Layout(functions, phases, out, sources), plan(tuple(functions))
        if uses_pairs(functions, n):
            return arranged.pair_by_pair(self.matrix(n), planned.program)
        weights, totals = self._weights(n), arranged.totals
        causal.running(
            arranged.here, arranged.heard, weights, planned.m, planned.real, planned.imaginary, totals
        )
        if self.normalized:
            totals /= np.cumsum(weights)
        return arranged.results()

    def to_dict(self) -> dict[str, Any]:
        """Kind and numbers, for provenance."""
        weights = {} if self.columns is None else {"weights": self.columns.tolist()}
        return {"kind": "Causal", "normalized": self.normalized} | weights

    def __repr__(self) -> str:
        return f"Causal({'' if self.size is None else f'n = {self.size}'})"
