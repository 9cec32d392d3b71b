"""The contract of a coupling."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from inphase.interaction import Interaction
from inphase.kernels import march, pairs
from inphase.types import Phases, Square, Vector

if TYPE_CHECKING:
    from inphase.coupling.combined import Combined


class Coupling(ABC):
    """K[i, j]: how strongly oscillator i listens to j.

    To add a kind of coupling, write one file here with a subclass that has the two properties and three
    methods marked abstract, and name it in `catalog.py`; the model, every integrator, `equilibria` and TOML
    files then work with it. A kind whose Jacobian is sparse, or whose terms are not pairs, also gives
    `jacobians`.

    Couplings add and scale: ``0.5 * Sparse(K) + Hypergraph(triangles)`` is a coupling.
    """

    @property
    @abstractmethod
    def size(self) -> int | None:
        """The number of oscillators that the stored numbers fix; None if any number will do."""

    @property
    @abstractmethod
    def positive(self) -> bool:
        """Whether Σ_j K_ij h(θ_i − θ_j) > 0 for every i and
        every h > 0, so that a softmax gain cannot vanish.
        """

    @abstractmethod
    def sums(
        self,
        functions: Sequence[Interaction],
        phases: Phases,
        out: Sequence[Phases] | None = None,
        sources: Phases | None = None,
    ) -> list[Phases]:
        """[Σ_j K_ij f(θ_i − φ_j) for f in functions], each like `phases`, (..., n); into `out` (C order) if
        given.

        φ are the `sources`, shaped like `phases` (what j sent some time ago); without them, φ = θ.
        """

    @abstractmethod
    def matrix(self, n: int) -> Square:
        """K as a dense matrix, (n, n); ValueError where the terms are not pairs."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Kind and numbers, for provenance."""

    def edges(self, n: int) -> sparse.csr_array:
        """K as a sparse matrix, (n, n), with the pairs that are joined."""
        return sparse.csr_array(self.matrix(n))

    def lists(self, n: int) -> list[march.Term] | None:
        """The terms, listed for the kernel that takes many
        steps of few oscillators; None: each step calls `sums`.
        """
        return None

    def mean_strength(self, n: int) -> float:
        """Σ_j |K_ij|, averaged over i: how strongly an oscillator listens in all; it sets the time scale."""
        return float(np.mean(abs(self.edges(n)).sum(axis=1)))

    def jacobians(self, slopes: Sequence[Interaction], phases: Vector) -> list[Any]:
        """For each slope f', the matrix ∂(Σ_j K_ij f(θ_i − θ_j))/∂θ_l,
        (n, n): an ndarray, or a csr_array if K is sparse.
        """
        matrix, found = self.matrix(len(phases)), []
        for values in pairs.differences(phases, slopes[0].tape(*slopes[1:])):
            off = -matrix * values
            np.fill_diagonal(off, 0.0)
            np.fill_diagonal(off, -off.sum(axis=1))
            found.append(off)
        return found

    @property
    def symmetric(self) -> bool:
        """Whether K_ij = K_ji: with f odd, the flow is then a gradient flow."""
        if self.size is None:
            return False
        edges = self.edges(self.size)
        return bool(abs(edges - edges.T).max() == 0) if edges.nnz else True

    def check_size(self, n: int) -> None:
        """Raise ValueError unless this coupling can join n oscillators."""
        if self.size is not None and self.size != n:
            raise ValueError(
                f"phases have {n} oscillators, but the coupling {type(self).__name__} is for {self.size}"
            )

    def __add__(self, other: Coupling) -> Combined:
        from inphase.coupling.combined import Combined

        return Combined([(1.0, self), (1.0, other)]) if isinstance(other, Coupling) else NotImplemented

    def __mul__(self, factor: float) -> Combined:
        from inphase.coupling.combined import Combined

        return Combined([(factor, self)])

    __rmul__ = __mul__

    def __sub__(self, other: Coupling) -> Combined:
        return self + (-1.0) * other if isinstance(other, Coupling) else NotImplemented

    def __neg__(self) -> Combined:
        return (-1.0) * self
