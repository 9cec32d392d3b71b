"""Who hears whom, and how late: the velocity of a model with delays as a function of what is heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from inphase.coupling import Coupling
from inphase.coupling.base import Pairs
from inphase.interaction import Interaction
from inphase.kernels import history as ring
from inphase.model import PhaseModel

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Velocity = Callable[[Array, Array, Array | None, ArrayLike], Array]

EDGES_PER_JOB = 4096


def listening(model: PhaseModel, n: int) -> tuple[Velocity, Indices, Array]:
    """velocity(phases, out, sources, time), heard (m,) and delays (m,): source e is the phase of heard[e],
    delays[e] ago.

    Sources are the oscillators for delays of shape () or (n,), and the pairs that are joined for delays of
    pairs.
    """
    if model.delays.ndim < 2:
        return model.flow, np.arange(n), np.array(np.broadcast_to(model.delays, n))
    try:
        joined = model.coupling.joined(n)
    except ValueError as error:
        raise ValueError(
            f"delays per pair need a coupling of pairs, and {model.coupling!r} is not: {error}"
        ) from None
    pairs = _Pairs(joined, n, model.coupling.positive)
    instant = model.replace(coupling=pairs, delays=0.0)
    receivers, senders = joined.rows, np.asarray(joined.columns, dtype=np.int64)

    def velocity(phases: Array, out: Array, sources: Array | None, time: ArrayLike) -> Array:
        assert sources is not None
        pairs.heard = sources
        return instant.flow(phases, out, time=time)

    return velocity, senders, np.asarray(model.delays[receivers, senders], dtype=float).ravel()


class _Pairs(Coupling):
    """Pairs of which each hears a phase of its own, `heard` (replicas, pairs): f(θ_i − heard_e + α_e)."""

    heard: Array

    def __init__(self, joined: Pairs, n: int, positive: bool) -> None:
        self._joined, self._n, self._positive = joined, n, positive
        self._starts = np.searchsorted(joined.rows, np.arange(n + 1)).astype(np.int64)
        self._lags = joined.lags if np.any(joined.lags) else None
        jobs = np.unique(
            np.searchsorted(self._starts, np.arange(0, len(joined.rows), EDGES_PER_JOB), side="right") - 1
        )
        self._chunks = np.unique(np.concatenate([[0], jobs, [n]])).astype(np.int64)

    @property
    def size(self) -> int:
        return self._n

    @property
    def positive(self) -> bool:
        return self._positive

    def forces(
        self,
        functions: Sequence[Interaction],
        phases: Array,
        out: Sequence[Array] | None = None,
        sources: Array | None = None,
    ) -> list[Array]:
        program = functions[0].tape(*functions[1:])
        heard = self.heard if self._lags is None else self.heard - self._lags
        weights = self._joined.weights
        found = list(ring.pair_sums(program, self._starts, weights, self._chunks, phases, heard))
        for given, values in zip(out or (), found):
            given[...] = values
        return found if out is None else list(out)

    def matrix(self, n: int) -> Array:
        entries = (self._joined.weights, (self._joined.rows, self._joined.columns))
        return np.asarray(sparse.coo_array(entries, shape=(n, n)).toarray())

    def to_dict(self) -> dict[str, Any]:
        return {"kind": type(self).__name__}
