"""The contract of a coupling."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from inphase.checks import finite_number
from inphase.interaction import Interaction
from inphase.kernels import march, pairs
from inphase.types import Phases, Square, Vector


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
        return Combined([(1.0, self), (1.0, other)]) if isinstance(other, Coupling) else NotImplemented

    def __mul__(self, factor: float) -> Combined:
        return Combined([(factor, self)])

    __rmul__ = __mul__

    def __sub__(self, other: Coupling) -> Combined:
        return self + (-1.0) * other if isinstance(other, Coupling) else NotImplemented

    def __neg__(self) -> Combined:
        return (-1.0) * self


class Combined(Coupling):
    """Σ_s factor_s · K_s, which is what ``a * K + b * L`` makes.

    Parameters
    ----------
    terms : sequence of (float, Coupling)

    Raises
    ------
    ValueError
        If the terms are for different numbers of oscillators, or a factor is not finite.

    Examples
    --------
    >>> from inphase import AllToAll, RankOne
    >>> (2 * AllToAll() - RankOne([1, 1], [1, 0])).matrix(2)
    array([[0., 1.],
           [0., 1.]])
    """

    terms: list[tuple[float, Coupling]]

    def __init__(self, terms: Sequence[tuple[float, Coupling]]) -> None:
        flat: list[tuple[float, Coupling]] = []
        for factor, term in terms:
            number = finite_number("factor", factor)
            inner = term.terms if isinstance(term, Combined) else [(1.0, term)]
            flat += [(number * weight, part) for weight, part in inner]
        self.terms = flat
        sizes = {term.size for _, term in flat if term.size is not None}
        if len(sizes) > 1:
            raise ValueError(f"couplings that are added must join the same oscillators; got {sorted(sizes)}")
        self._size = sizes.pop() if sizes else None

    @property
    def size(self) -> int | None:
        """The number of oscillators; None if any will do."""
        return self._size

    @property
    def positive(self) -> bool:
        """Whether every factor and every term is positive."""
        return all(factor > 0 and term.positive for factor, term in self.terms)

    @property
    def symmetric(self) -> bool:
        """Whether every term is symmetric."""
        return all(term.symmetric for _, term in self.terms)

    def sums(
        self,
        functions: Sequence[Interaction],
        phases: Phases,
        out: Sequence[Phases] | None = None,
        sources: Phases | None = None,
    ) -> list[Phases]:
        """Each term's sums, scaled and added."""
        totals = [np.zeros(phases.shape) for _ in functions] if out is None else list(out)
        for k, (factor, term) in enumerate(self.terms):
            for total, part in zip(totals, term.sums(functions, phases, sources=sources)):
                if k == 0:
                    np.multiply(part, factor, out=total)
                else:
                    part *= factor
                    total += part
        return totals

    def matrix(self, n: int) -> Square:
        """K as a dense matrix, (n, n)."""
        return np.asarray(sum(factor * term.matrix(n) for factor, term in self.terms))

    def edges(self, n: int) -> Any:
        """K as a sparse matrix."""
        return sum(
            (factor * term.edges(n) for factor, term in self.terms[1:]),
            self.terms[0][0] * self.terms[0][1].edges(n),
        )

    def lists(self, n: int) -> list[march.Term] | None:
        """Each term's lists, scaled."""
        found: list[march.Term] = []
        for factor, term in self.terms:
            part = term.lists(n)
            if part is None:
                return None
            found += [one._replace(weights=factor * one.weights) for one in part]
        return found

    def mean_strength(self, n: int) -> float:
        """The terms' strengths, added."""
        return sum(abs(factor) * term.mean_strength(n) for factor, term in self.terms)

    def jacobians(self, slopes: Sequence[Interaction], phases: Vector) -> list[Any]:
        """Each term's Jacobians, scaled and added."""
        parts = [
            [factor * matrix for matrix in term.jacobians(slopes, phases)] for factor, term in self.terms
        ]
        return [sum(matrices[1:], matrices[0]) for matrices in zip(*parts)]

    def to_dict(self) -> dict[str, Any]:
        """Kind and terms, for provenance."""
        return {
            "kind": "Combined",
            "terms": [{"factor": factor, **term.to_dict()} for factor, term in self.terms],
        }

    def __repr__(self) -> str:
        return " + ".join(
            repr(term) if factor == 1 else f"{factor:g}*{term!r}" for factor, term in self.terms
        )
