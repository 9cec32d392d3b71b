"""Weights that are part of the state: the sums of an adaptive coupling, and the velocities of its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from inphase.coupling import Coupling
from inphase.coupling.base import Adaptation
from inphase.interaction import Interaction

Array = NDArray[np.float64]


class Adapting(Coupling):
    """The edges of an adaptive coupling, with the weights that they have now: `weights` (replicas, edges)."""

    positive = False
    weights: Array

    def __init__(self, adaptation: Adaptation, n: int) -> None:
        self.equations, self._n = adaptation, n
        places = (adaptation.rows, np.arange(len(adaptation.rows)))
        self._add = sparse.csr_array((adaptation.weights, places), shape=(n, len(adaptation.rows)))
        self._gaps = np.empty((0, 0))

    @property
    def size(self) -> int:
        """The number of nodes."""
        return self._n

    def forces(
        self,
        functions: Sequence[Interaction],
        phases: Array,
        out: Sequence[Array] | None = None,
        sources: Array | None = None,
    ) -> list[Array]:
        """Σ_j a_ij K_ij f(θ_i − θ_j) of phases (replicas, n), with weights of each replica."""
        self._gaps = np.take(phases, self.equations.rows, axis=1) - np.take(
            phases, self.equations.columns, axis=1
        )
        found = [np.ascontiguousarray((self._add @ (f(self._gaps) * self.weights).T).T) for f in functions]
        for given, values in zip(out or (), found):
            given[...] = values
        return found if out is None else list(out)

    def change(self, out: Array) -> None:
        """ε (h(θ_i − θ_j) − K_ij), (replicas, edges), at the phases and weights of the last `forces`."""
        np.subtract(self.equations.rule(self._gaps), self.weights, out=out)
        out *= self.equations.rate

    def matrix(self, n: int) -> Array:
        """a_ij K_ij of the first replica, (n, n)."""
        return np.asarray((self._add @ sparse.diags_array(self.weights[0])).toarray())

    def to_dict(self) -> dict[str, Any]:
        """Its kind alone: a run's provenance is its model's."""
        return {"kind": type(self).__name__}
