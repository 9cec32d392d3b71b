"""K as a dense matrix, and what all couplings share whose sums are products with a matrix."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import matrix_array
from inphase.coupling.base import Coupling
from inphase.coupling.summing import LISTED, Layout, not_symmetric, plan, square, uses_pairs
from inphase.coupling.words import Keep
from inphase.interaction import Interaction
from inphase.kernels import graph
from inphase.kernels.terms import AllPairs, Term
from inphase.types import Phases, Square, Vector


class Product(Coupling):
    """A coupling whose sums over j are a product with K: subclasses give `product` and `_totals`.

    Where f spans many decades and n <= 256, sums go pair by pair.
    """

    @property
    @abstractmethod
    def _totals(self) -> Vector:
        """Σ_j K_ij, (n,)."""

    @abstractmethod
    def product(self, waves: NDArray[np.float64]) -> NDArray[np.float64]:
        """Σ_j K_ij waves[..., j, :], float64, of waves (replicas, n, columns)."""

    def forces(
        self,
        functions: Sequence[Interaction],
        phases: Phases,
        out: Sequence[Phases] | None = None,
        sources: Phases | None = None,
    ) -> list[Phases]:
        """[Σ_j K_ij f(θ_i − φ_j) for f in functions], by modes or pair by pair."""
        arranged, planned = Layout(functions, phases, out, sources), plan(tuple(functions))
        here, heard = arranged.here, arranged.heard
        if uses_pairs(functions, here.shape[1]):
            return arranged.pair_by_pair(self.matrix(here.shape[1]), planned.program)
        # replicas of which the waves are held at once
        step = max(1, graph.TABLE // (2 * planned.m * here.shape[1]))
        for low in range(0, len(here), step):
            part = slice(low, low + step)
            waves = graph.waves(heard[part], planned.m)
            own = waves if heard is here else graph.waves(here[part], planned.m)
            sums = self.product(waves)
            graph.combine(own, sums, self._totals, planned.real, planned.imaginary, arranged.totals[part])
        return arranged.results()


class Matrix(Product):
    """A product with a matrix that is kept: `array`, (n, n) or, where only some are heard, (n, heard)."""

    array: NDArray[Any]

    @property
    def size(self) -> int | None:
        """The number of oscillators."""
        return len(self.array)

    @cached_property
    def _totals(self) -> Vector:
        return np.asarray(self.array.sum(axis=1, dtype=float))

    @cached_property
    def positive(self) -> bool:
        """Whether no weight is negative and every row has a positive one."""
        return bool(np.all(self.array >= 0) and np.all(self._totals > 0))

    def terms(self, n: int) -> list[Term]:
        """All pairs."""
        self.check_size(n)
        return [AllPairs(self.array)]


class Dense(Matrix):
    """K as a dense matrix: K[i, j] is how strongly i listens to j.

    All harmonics are one matrix product, O(n²·m). Where f spans many decades and n <= 256, the sum goes pair
    by pair.

    Parameters
    ----------
    matrix : array_like, shape (n, n)
        n >= 1; any signs. The diagonal contributes K_ii f(θ_i − φ_i), which is 0 for odd f without delays.
    symmetric : bool
        A promise that K_ij = K_ji, which is checked.

    Raises
    ------
    ValueError
        If the matrix is not square, is empty or holds NaN or infinity, or is not symmetric where that was
        promised.
    TypeError
        If the entries are not real numbers.

    Examples
    --------
    >>> from inphase.coupling import Dense
    >>> Dense([[0, 1], [2, 0]], symmetric=True)
    Traceback (most recent call last):
    ValueError: matrix must be symmetric, as promised; got K[0, 1] = 1 and K[1, 0] = 2
    """

    def __init__(self, matrix: ArrayLike, symmetric: bool = False) -> None:
        self.array: Square = np.ascontiguousarray(square(matrix_array("matrix", matrix)))
        if symmetric and not self.symmetric:
            i, j = (int(k) for k in np.argwhere(self.array != self.array.T)[0])
            raise ValueError(not_symmetric(i, j, self.array[i, j], self.array[j, i]))

    @cached_property
    def symmetric(self) -> bool:
        """Whether K_ij = K_ji."""
        return bool(np.array_equal(self.array, self.array.T))

    def product(self, waves: NDArray[np.float64]) -> NDArray[np.float64]:
        """K @ waves."""
        return np.asarray(np.matmul(self.array, waves))

    def code(self, keep: Keep) -> str:
        """ip.Dense of the matrix."""
        return f"ip.Dense({keep('matrix', self.array)})"

    def matrix(self, n: int) -> Square:
        """K, (n, n)."""
        self.check_size(n)
        return self.array.copy()

    def to_dict(self) -> dict[str, Any]:
        """Kind and entries (a checksum of more than 10,000), for provenance."""
        if self.array.size <= LISTED:
            return {"kind": "Dense", "matrix": self.array.tolist()}
        return {"kind": "Dense", "n": len(self.array), "sha256": hashlib.sha256(self.array.data).hexdigest()}

    def __repr__(self) -> str:
        return f"Dense(n = {self.size})"
