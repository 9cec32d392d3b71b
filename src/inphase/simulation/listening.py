"""Who hears whom, and how late: the velocity of a model with delays as a function of what is heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from inphase.coupling import Coupling
from inphase.interaction import Interaction
from inphase.kernels import history as ring
from inphase.model import PhaseModel

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Velocity = Callable[[Array, Array, Array | None], Array]

EDGES_PER_JOB = 4096


def listening(model: PhaseModel, n: int) -> tuple[Velocity, Indices, Array]:
    """velocity(phases, out, sources), heard (m,) and delays (m,): source e is the phase of heard[e],
    delays[e] ago.

    Sources are the oscillators for delays of shape () or (n,), and the pairs that are joined for delays of
    pairs.
    """
    if model.delays.ndim < 2:
        return model.flow, np.arange(n), np.array(np.broadcast_to(model.delays, n))
    try:
        edges = model.coupling.edges(n)
    except ValueError as error:
        raise ValueError(
            f"delays per pair need a coupling of pairs, and {model.coupling!r} is not: {error}"
        ) from None
    edges = sparse.csr_array(edges, copy=True)
    edges.sum_duplicates()
    pairs = _Pairs(edges, model.coupling.positive)
    instant = model.replace(coupling=pairs, delays=0.0)
    receivers = np.repeat(np.arange(n), np.diff(edges.indptr))
    senders = edges.indices.astype(np.int64)

    def velocity(phases: Array, out: Array, sources: Array | None) -> Array:
        assert sources is not None
        pairs.heard = sources
        return instant.flow(phases, out)

    return velocity, senders, np.asarray(model.delays[receivers, senders], dtype=float).ravel()


class _Pairs(Coupling):
    """A sparse K whose every pair hears a phase of its own, `heard` (replicas, pairs): f(θ_i − heard_e)."""

    heard: Array

    def __init__(self, edges: sparse.csr_array, positive: bool) -> None:
        self._edges, self._positive = edges, positive
        self._starts = edges.indptr.astype(np.int64)
        self._weights = edges.data.astype(float)
        jobs = np.unique(
            np.searchsorted(self._starts, np.arange(0, edges.nnz, EDGES_PER_JOB), side="right") - 1
        )
        self._chunks = np.unique(np.concatenate([[0], jobs, [edges.shape[0]]])).astype(np.int64)

    @property
    def size(self) -> int:
        return int(self._edges.shape[0])

    @property
    def positive(self) -> bool:
        return self._positive

    def sums(
        self,
        functions: Sequence[Interaction],
        phases: Array,
        out: Sequence[Array] | None = None,
        sources: Array | None = None,
    ) -> list[Array]:
        program = functions[0].tape(*functions[1:])
        found = list(ring.pair_sums(program, self._starts, self._weights, self._chunks, phases, self.heard))
        for given, values in zip(out or (), found):
            given[...] = values
        return found if out is None else list(out)

    def matrix(self, n: int) -> Array:
        return np.asarray(self._edges.toarray())

    def to_dict(self) -> dict[str, Any]:
        return {"kind": type(self).__name__}
