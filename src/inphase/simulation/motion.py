"""What an integrator moves: the phases, or with inertia the phases and their velocities side by side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import finite_array
from inphase.model import PhaseModel
from inphase.simulation.adapting import Adapting
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
    adapting : Adapting or None
        Weights that follow θ and v in the state, (edges,), where the coupling has such.
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
        adaptation = model.coupling.adaptation
        self.adapting = None if adaptation is None else Adapting(adaptation, n)
        if self.adapting is not None:
            self._flow = model.replace(coupling=self.adapting).flow
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
            return self._with_weights(phases)
        given = finite_array("velocities", 0.0 if velocities is None else velocities)
        if given.shape not in ((), phases.shape[-1:], phases.shape):
            raise ValueError(
                f"velocities must have the shape of phases, {phases.shape}; got shape {given.shape}"
            )
        return self._with_weights(self.space.state(phases, given))

    def _with_weights(self, state: Array) -> Array:
        if self.adapting is None:
            return state
        initial = self.adapting.equations.initial
        return np.concatenate([state, np.broadcast_to(initial, (len(state), len(initial)))], axis=1)

    def weights(self, states: Array) -> Array:
        """K, (..., edges), of states; none where the coupling does not adapt."""
        return states[..., self.space.size :]

    def phases(self, state: Array) -> Array:
        """θ, (replicas, n), of a state; C order."""
        return np.ascontiguousarray(state[:, : self.n])

    def __call__(
        self, state: Array, out: Array, sources: Array | None = None, time: ArrayLike = 0.0
    ) -> Array:
        """d(state)/dt into `out`; with delays, `sources`
        (replicas, m) are the phases of `heard`, `delays` ago. A drive asks for the `time`, () or (replicas,).
        """
        if not self.second_order and self.adapting is None:
            return self._flow(state, out, sources, time)
        if self.adapting is not None:
            self.adapting.weights = self.weights(state)
        if len(self._drift) != len(state):
            self._drift = np.empty((len(state), self.n))
        drift = self._flow(self.phases(state), self._drift, sources, time)
        own = slice(0, self.space.size)
        self.space.derivative(drift, state[:, self.n : self.space.size], out[:, own])
        if self.adapting is not None:
            self.adapting.change(self.weights(out))
        return out

    def velocities(self, states: Array, time: ArrayLike) -> Array:
        """θ', (..., n), of states (..., size) at times that broadcast to (...), for the record."""
        if self.adapting is not None:
            flat = states.reshape(-1, states.shape[-1])
            times = np.broadcast_to(time, states.shape[:-1]).ravel()
            return self(flat, np.empty_like(flat), None, times)[:, : self.n].reshape(
                *states.shape[:-1], self.n
            )
        return self.space.all_velocities(states, known=self.heard is None, time=time)
