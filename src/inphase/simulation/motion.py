"""What an integrator moves: the phases, or with inertia the phases and their velocities side by side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import finite_array
from inphase.model import PhaseModel
from inphase.simulation.listening import listening

Array = NDArray[np.float64]


class Motion:
    """d(state)/dt of a model without noise; state (replicas, n), or (replicas, 2n) = [θ, θ'] where there is
    inertia.

    θ' = velocity(θ) in first order; (m/d) θ'' = velocity(θ) − θ' with inertia. Oscillators without inertia
    among others with it stay first order: their half of θ' rests at zero while integrating.

    Attributes
    ----------
    heard, delays : ndarray, shape (m,), or None without delays
        See `listening`.
    free_velocity : ndarray, shape (n,)
        ω/d, at which an oscillator turns that hears nothing.
    """

    _flow: Callable[[Array, Array, Array | None], Array]
    heard: NDArray[np.int64] | None
    delays: Array | None

    def __init__(self, model: PhaseModel, n: int) -> None:
        self.model, self.n, self.second_order = model, n, model.has_inertia
        self.free_velocity = np.broadcast_to(model.frequencies / model.damping, n)
        self._flow, self.heard, self.delays = (
            listening(model, n) if model.has_delays else (model.flow, None, None)
        )
        self.heavy = np.broadcast_to(model.inertia > 0, n)
        with np.errstate(divide="ignore"):
            self.rate = np.where(self.heavy, np.broadcast_to(model.damping / model.inertia, n), 0.0)
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
        return np.concatenate(
            [phases, np.where(self.heavy, np.broadcast_to(given, phases.shape), 0.0)], axis=1
        )

    def phases(self, state: Array) -> Array:
        """θ, (replicas, n), of a state; C order."""
        return np.ascontiguousarray(state[:, : self.n])

    def __call__(self, state: Array, out: Array, sources: Array | None = None) -> Array:
        """d(state)/dt into `out`; with delays, `sources`
        (replicas, m) are the phases of `heard`, `delays` ago.
        """
        if not self.second_order:
            return self._flow(state, out, sources)
        if len(self._drift) != len(state):
            self._drift = np.empty((len(state), self.n))
        phases, speeds = self.phases(state), state[:, self.n :]
        drift = self._flow(phases, self._drift, sources)
        out[:, : self.n] = np.where(self.heavy, speeds, drift)
        np.subtract(drift, speeds, out=out[:, self.n :])
        out[:, self.n :] *= self.rate
        return out

    def velocities(self, states: Array) -> Array:
        """θ' of states (..., 2n) for the record: the kept ones, and velocity(θ) of oscillators without
        inertia.

        With delays, the latter is not known from the state: NaN.
        """
        kept = states[..., self.n :].copy()
        if self.heard is not None:
            kept[..., ~self.heavy] = np.nan
        elif not np.all(self.heavy):
            flat = np.ascontiguousarray(states[..., : self.n]).reshape(-1, self.n)
            drift = self.model.flow(flat, np.empty_like(flat)).reshape(kept.shape)
            kept[..., ~self.heavy] = drift[..., ~self.heavy]
        return kept
