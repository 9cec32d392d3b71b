"""What an integrator moves: the phases, or with inertia the phases and their velocities side by side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import finite_array
from inphase.model import PhaseModel
from inphase.simulation.listening import listening
from inphase.state_space import StateSpace

Array = NDArray[np.float64]


class Motion:
    """d(state)/dt of a model without noise, for states (replicas, size) of its `StateSpace`.

    Attributes
    ----------
    space : StateSpace
    heard, delays : ndarray, shape (m,), or None without delays
        See `listening`.
    free_velocity : ndarray, shape (n,)
        ω/d, at which an oscillator turns that hears nothing.
    """

    _flow: Callable[[Array, Array, Array | None, ArrayLike], Array]
    heard: NDArray[np.int64] | None
    delays: Array | None

    def __init__(self, model: PhaseModel, n: int) -> None:
        self.model, self.n, self.second_order = model, n, model.has_inertia
        self.space = StateSpace(model, n)
        self.free_velocity = np.broadcast_to(model.frequencies / model.damping, n)
        self._flow, self.heard, self.delays = (
            listening(model, n) if model.has_delays else (model.flow, None, None)
        )
        self._drift = np.empty((0, n))

    def start(self, phases: Array, velocities: ArrayLike | None) -> Array:
        """The state at time 0; `velocities` (n,) or like
        `phases`, for oscillators with inertia, 0 if not given.
        """
        if not self.second_order:
            if velocities is not None:
                raise ValueError(
                    "velocities are for models with inertia; without it the phases decide the velocity"
                )
            return phases
        given = finite_array("velocities", 0.0 if velocities is None else velocities)
        if given.shape not in ((), phases.shape[-1:], phases.shape):
            raise ValueError(
                f"velocities must have the shape of phases, {phases.shape}; got shape {given.shape}"
            )
        return self.space.state(phases, given)

    def phases(self, state: Array) -> Array:
        """θ, (replicas, n), of a state; C order."""
        return np.ascontiguousarray(state[:, : self.n])

    def __call__(
        self, state: Array, out: Array, sources: Array | None = None, time: ArrayLike = 0.0
    ) -> Array:
        """d(state)/dt into `out`; with delays, `sources`
        (replicas, m) are the phases of `heard`, `delays` ago. A drive asks for the `time`, () or (replicas,).
        """
        if not self.second_order:
            return self._flow(state, out, sources, time)
        if len(self._drift) != len(state):
            self._drift = np.empty((len(state), self.n))
        drift = self._flow(self.phases(state), self._drift, sources, time)
        return self.space.derivative(drift, state[:, self.n :], out)

    def velocities(self, states: Array, time: ArrayLike) -> Array:
        """θ', (..., n), of states (..., size) at times that broadcast to (...), for the record."""
        return self.space.all_velocities(states, known=self.heard is None, time=time)
