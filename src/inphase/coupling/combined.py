"""Couplings that add up: pairs and triads, layers of a multiplex, attraction here and repulsion there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from inphase.coupling.base import Coupling
from inphase.errors import finite_number
from inphase.interaction import Interaction
from inphase.kernels import march
from inphase.types import Phases, Square, Vector


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
