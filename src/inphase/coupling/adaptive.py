"""Couplings whose weights follow the phases: every edge has an equation of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from inphase.checks import finite_array, finite_number
from inphase.coupling.base import Adaptation
from inphase.coupling.sparse import Network, Sparse
from inphase.coupling.words import Keep, Words
from inphase.interaction import Interaction, checked

Array = NDArray[np.float64]


class Adaptive(Network):
    """Weights that adapt: i feels Σ_j a_ij K_ij f(θ_i − θ_j), and dK_ij/dt = ε (h(θ_i − θ_j) − K_ij).

    The graph's weights a_ij stay (1/n, say), the K_ij of its edges are part of the state that `simulate` integrates;
    a run holds them as `weight(time, edge)` and `end_weight(edge)`. What needs an equation that stays the same
    (equilibria, spectra, `coarsen`) refuses a model with such a coupling, and `certify` does not decide it;
    `PhaseModel.velocity` is that at the initial weights. Gains and delays are not offered beside it, nor sums with
    other couplings.

    Parameters
    ----------
    graph : anything that `Sparse` takes
        a; its edges, by rows i and then columns j, are those of `edge`.
    h : Interaction
        What K_ij tends to. Hebbian for h(x) = cos x (equal phases strengthen their edge).
    rate : float
        ε > 0, per unit of time.
    initial : float or array_like, shape (edges,) or (n, n)
        K_ij at time 0; of a matrix, the entries at the edges.

    Raises
    ------
    ValueError, TypeError
        On bad input.

    References
    ----------
    P. Seliger, S. C. Young, L. S. Tsimring, *Plasticity and learning in a network of coupled phase oscillators*,
    Phys. Rev. E 65 (2002) 041906. R. Berner, J. Fialkowski, D. Kasatkin, V. Nekorkin, S. Yanchuk, E. Schöll,
    *Hierarchical frequency clusters in adaptive networks of phase oscillators*, Chaos 29 (2019) 103134, whose
    dκ_ij/dt = −ε (κ_ij + sin(θ_i − θ_j + β)) is h(x) = −sin(x + β); R. Berner, S. Yanchuk, E. Schöll, *What
    adaptive neuronal networks teach us about power grids*, Phys. Rev. E 103 (2021) 042315.

    Examples
    --------
    >>> import numpy as np, inphase as ip
    >>> hebbian = ip.Adaptive((1 - np.eye(3)) / 3, ip.Interaction("cos(x)"), rate=0.1, initial=0.0)
    >>> run = ip.simulate(ip.PhaseModel(ip.kuramoto(), hebbian), [0.0, 1.0, 1.5], t_end=200.0)
    >>> run.end_weight.values.round(6), round(float(run.order_parameter[-1]), 6)
    (array([1., 1., 1., 1., 1., 1.]), 1.0)
    """

    def __init__(self, graph: Any, h: Interaction, rate: float, initial: Any = 0.0) -> None:
        self.graph, self.h = Sparse(graph), checked(h)
        self.rate = finite_number("rate", rate, positive=True)
        entries = self.graph.csr.tocoo()
        n, count = entries.shape[0], entries.nnz
        given = initial.toarray() if sparse.issparse(initial) else finite_array("initial", initial)
        if given.shape not in ((), (count,), (n, n)):
            raise ValueError(
                f"initial must be a number or have shape ({count},) or ({n}, {n}); got shape {given.shape}"
            )
        values = given[entries.row, entries.col] if given.ndim == 2 else np.broadcast_to(given, count)
        self.initial = np.array(values, dtype=float)
        rows, columns = entries.row.astype(np.int64), entries.col.astype(np.int64)
        self._adaptation = Adaptation(rows, columns, entries.data, self.initial, self.h, self.rate)

    @property
    def adaptation(self) -> Adaptation:  # type: ignore[override]  # of the base: None
        """The equations of the weights."""
        return self._adaptation

    @property
    def size(self) -> int | None:
        """The number of nodes."""
        return self.graph.size

    @property
    def positive(self) -> bool:
        """False: the weights may take any sign."""
        return False

    def edges(self, n: int) -> sparse.csr_array:
        """a_ij K_ij at time 0, (n, n), with explicit zeros."""
        found = self.graph.edges(n).copy()
        found.data = found.data * self.initial
        return found

    def largest_strength(self, n: int) -> float | None:
        """With weights as large as they are or may become: |K_ij| stays below the larger of |K_ij(0)| and max|h|."""
        most = np.abs(self._adaptation.weights) * np.maximum(np.abs(self.initial), self.h.maximum)
        return float(np.max(np.bincount(self._adaptation.rows, most, n), initial=0.0))

    def mean_strength(self, n: int) -> float:
        """As `largest_strength`, on average."""
        most = np.abs(self._adaptation.weights) * np.maximum(np.abs(self.initial), self.h.maximum)
        return float(np.sum(most)) / n

    def equation(self, delay: int | None = None, mark: str = "", form: Any = None) -> Words:
        """The sum, with the graph's weights and those that adapt."""
        return Words(
            r"\sum_{j=1}^{n}\ a_{ij}\,K_{ij}(t)\,f(\theta_i - \theta_j)", "Σ_j a_ij K_ij(t) f(θ_i − θ_j)"
        )

    def source(self) -> Words:
        """The equation of the weights."""
        return Words(
            rf"\dfrac{{dK_{{ij}}}}{{dt}} = {self.rate:g}\,(h(\theta_i - \theta_j) - K_{{ij}}),\quad h(x) = {self.h.latex()}",
            f"dK_ij/dt = {self.rate:g} (h(θ_i − θ_j) − K_ij), h(x) = {repr(self.h)[12:-1]}",
        )

    def code(self, keep: Keep) -> str:
        """ip.Adaptive of a sparse matrix."""
        data = self.h.to_dict()
        numbers = "".join(f", {name}={value!r}" for name, value in data["parameters"].items())
        rule = f"ip.Interaction({data['formula']!r}{numbers})"
        graph, initial = self.graph.matrix_code(keep), keep("initial", self.initial)
        return f"ip.Adaptive({graph}, {rule}, rate={self.rate!r}, initial={initial})"

    def tables(self) -> list[dict[str, Any]]:
        """ValueError: TOML files have no adaptive couplings."""
        raise ValueError("TOML files have no adaptive couplings: make the model in Python")

    def to_dict(self) -> dict[str, Any]:
        """Kind, entries of the graph, rule, rate and initial weights, for provenance."""
        graph = {key: value for key, value in self.graph.to_dict().items() if key != "kind"}
        own = {"h": self.h.to_dict(), "rate": self.rate, "initial": self.initial.tolist()}
        return {"kind": "Adaptive", "graph": graph} | own

    def __repr__(self) -> str:
        return f"Adaptive(n = {self.size}, {len(self.initial)} edges, rate = {self.rate:g})"
