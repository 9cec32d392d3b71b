"""The one first-order form of a model, with inertia or without, which is integrated, linearized and followed.

    θ_i' = u_i(θ)                                   where m_i = 0
    θ_i' = v_i,   v_i' = (d_i/m_i) (u_i(θ) − v_i)   where m_i > 0

with u the model's `velocity`. A state is y = (θ, v): all phases, then the velocities of the oscillators with
inertia alone, since those of the others follow from the phases.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from inphase.model import PhaseModel

Array = NDArray[np.float64]
LOW_RANK_FROM = 64  # oscillators in mean fields: below, the dense Jacobian is faster


class StateSpace:
    """dy/dt = F(y), y = (θ, v) of shape (..., size).

    Parameters
    ----------
    model : PhaseModel
        Its noise and delays do not enter here: who integrates them adds them.
    n : int
        Oscillators.

    Attributes
    ----------
    heavy, light : ndarray of int
        The oscillators with inertia, whose velocities are part of the state, and the others.
    rate : ndarray, shape (heavy,)
        d/m of the former.
    size : int
        n + the number of the former.

    Examples
    --------
    >>> import inphase as ip
    >>> space = StateSpace(ip.PhaseModel(ip.kuramoto(), frequencies=[0.0, 1.0], inertia=[0.0, 2.0]), 2)
    >>> space.velocity(space.state([0.0, 0.0], 0.3)).round(9) + 0.0
    array([0.  , 0.3 , 0.35])
    """

    def __init__(self, model: PhaseModel, n: int) -> None:
        self.model, self.n = model, n
        inertia = np.broadcast_to(model.inertia, n)
        self.heavy, self.light = np.flatnonzero(inertia > 0), np.flatnonzero(inertia == 0)
        self.rate = np.broadcast_to(model.damping, n)[self.heavy] / inertia[self.heavy]
        self.size = n + len(self.heavy)

    def state(self, phases: ArrayLike, velocities: ArrayLike = 0.0) -> Array:
        """(θ, v), (..., size), from phases (..., n) and velocities that broadcast to them."""
        theta = np.asarray(phases, dtype=float)
        return np.concatenate([theta, np.broadcast_to(velocities, theta.shape)[..., self.heavy]], axis=-1)

    def derivative(self, drift: Array, speeds: Array, out: Array | None = None) -> Array:
        """dy/dt, (..., size), from u(θ), (..., n), and v, (..., heavy).

        It is linear: from derivatives of u and v it makes those of F.
        """
        found = np.empty((*drift.shape[:-1], self.size)) if out is None else out
        found[..., : self.n] = drift
        found[..., self.heavy] = speeds
        np.subtract(drift[..., self.heavy], speeds, out=found[..., self.n :])
        found[..., self.n :] *= self.rate
        return found

    def velocity(self, state: Array) -> Array:
        """F of a state (size,)."""
        self.model.check_fixed("dy/dt = F(y)")
        drift = self.model.flow(state[: self.n], np.empty(self.n))
        return self.derivative(drift, state[self.n :]) if len(self.heavy) else drift

    def tangent(self, state: Array, vectors: Array) -> Array:
        """(∂F/∂y) · vectors, for a state (size,) and vectors (size, k)."""
        drift = _product(self.model, state[: self.n], vectors[: self.n])
        return self.derivative(drift.T, vectors[self.n :].T).T if len(self.heavy) else drift

    def linearization(self, jacobian: Any) -> Any:
        """∂F/∂y, (size, size), from ∂u/∂θ, (n, n): an ndarray or a csr_array as that is."""
        if not len(self.heavy):
            return jacobian
        count = len(self.heavy)
        if not sparse.issparse(jacobian):
            drift = np.concatenate([jacobian, np.zeros((self.n, count))], axis=1)
            return np.ascontiguousarray(self.derivative(drift.T, np.eye(self.size, count, -self.n)).T)
        unit, rates = np.ones(count), sparse.diags_array(self.rate)
        pick = sparse.csr_array((unit, (self.heavy, np.arange(count))), shape=(self.n, count))
        kept = sparse.diags_array(np.isin(np.arange(self.n), self.light).astype(float))
        blocks = [[kept @ jacobian, pick], [rates @ (pick.T @ jacobian), -rates]]
        return sparse.block_array(blocks, format="csr")

    def divergence(self, state: Array) -> float:
        """The trace of ∂F/∂y: the rate at which volumes of states grow."""
        diagonal = np.asarray(self.model.jacobian_at(state[: self.n]).diagonal())
        return float(np.sum(diagonal[self.light]) - np.sum(self.rate))

    def all_velocities(self, states: Array, known: bool, time: ArrayLike = 0.0) -> Array:
        """θ' of all oscillators, (..., n), of states (..., size).

        Those of oscillators without inertia are u(θ) at `time`, which broadcasts to (...); NaN where that is not
        `known`, as with delays.
        """
        phases = np.ascontiguousarray(states[..., : self.n])
        found = np.full(phases.shape, np.nan)
        if known and len(self.light):
            flat = phases.reshape(-1, self.n)
            times = np.broadcast_to(time, phases.shape[:-1]).ravel()
            found = self.model.flow(flat, np.empty_like(flat), time=times).reshape(phases.shape)
        found[..., self.heavy] = states[..., self.n :]
        return found


def _product(model: PhaseModel, phases: Array, vectors: Array) -> Array:
    """The model's Jacobian times vectors (n, k), without a dense matrix where there is a better way."""
    if len(phases) >= LOW_RANK_FROM and model.coupling.facts(len(phases)).factors:
        jacobian = model.jacobian_low_rank(phases)
        if 2 * jacobian.rank < len(phases):
            left, right = jacobian.low_rank()
            return np.asarray(jacobian.diagonal[:, None] * vectors + left @ (right.T @ vectors))
    return np.asarray(model.jacobian_at(phases) @ vectors)
