"""Dormand and Prince's pair of orders 5 and 4, for many replicas at once, each with its own step size.

An integrator knows `velocity(phases, out)` on arrays (replicas, n) and nothing of models. A step's error is
its largest local error over the oscillators, in radians: phases have no other scale, so the tolerance is
absolute.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inphase.kernels import steps
from inphase.methods import DORMAND_PRINCE
from inphase.simulation.growth import GrowthLimit
from inphase.simulation.pace import Pace

Array = NDArray[np.float64]
Velocity = Callable[..., Array]

SAFETY, SHRINK, GROW = 0.9, 0.2, 6.0
NODES = (*DORMAND_PRINCE.nodes[:5].tolist(), 1.0, 1.0)  # the end of the step, to the last bit


class DormandPrince:
    """The state of an integration from time 0: `time`, `phases`, `step` of each replica, moved on by
    `advance`.

    Parameters
    ----------
    velocity : callable
        velocity(phases, out) -> out, both (replicas, n); with a `pace`, velocity(phases, out, time=time), (replicas,).
    phases : ndarray, shape (replicas, n)
    t_end : float
        The last step of each replica ends there exactly.
    tolerance : float
        Local error per step, radians.
    limit : GrowthLimit, optional
        Keeps steps from jumping over instabilities.
    pace : Pace, optional
        Of a velocity that depends on time: keeps steps from jumping over what drives it.
    begin : ndarray, shape (replicas,), optional
        The times at which a run that goes on is; 0 if not given.
    """

    def __init__(
        self,
        velocity: Velocity,
        phases: Array,
        t_end: float,
        tolerance: float,
        limit: GrowthLimit | None = None,
        pace: Pace | None = None,
        begin: Array | None = None,
    ) -> None:
        self.interpolant, self._limit, self._pace = DORMAND_PRINCE.interpolant, limit, pace
        self._velocity, self.t_end, self.tolerance = velocity, t_end, tolerance
        replicas = len(phases)
        self.phases = np.ascontiguousarray(phases, dtype=float).copy()
        self.before, self._trial = np.empty_like(self.phases), np.empty_like(self.phases)
        self.stages = np.empty((DORMAND_PRINCE.stages, *self.phases.shape))
        self.time = np.zeros(replicas) if begin is None else begin.copy()
        self.time_before = self.time
        self._slope(self.phases, self.stages[0], self.time)
        speed = np.max(np.abs(self.stages[0]), axis=1)
        # A step that moves nobody by more than tolerance^(1/5)/4 radians; the controller takes it from there.
        guess = 0.25 * tolerance**0.2 / np.maximum(speed, 1e-300)
        self.step = np.minimum(guess, t_end)
        self.taken = np.zeros(replicas)
        self.accepted = np.zeros(replicas, dtype=bool)
        self.accepted_steps = self.rejected_steps = 0

    @property
    def running(self) -> NDArray[np.bool_]:
        """The replicas that have not reached t_end."""
        return np.asarray(self.time < self.t_end)

    def advance(self) -> None:
        """One trial step of every replica: `accepted` says whose
        succeeded; `before`, `stages`, `taken` are its record.
        """
        remaining = self.t_end - self.time
        h = self._limited(np.where(self.running, np.minimum(self.step, remaining), 0.0))
        for s in range(1, DORMAND_PRINCE.stages):
            steps.combine(self.phases, self.stages, DORMAND_PRINCE.a[s, :s], h, self._trial)
            self._slope(self._trial, self.stages[s], self.time, h, s)
        error = steps.error(self.stages, DORMAND_PRINCE.error, h) / self.tolerance
        self.accepted = (error <= 1.0) & self.running
        with np.errstate(divide="ignore"):
            factor = np.clip(SAFETY * error**-0.2, SHRINK, GROW)
        self._finish(
            h, np.where(self.accepted & (h < self.step), self.step, h * factor), np.full_like(h, self.t_end)
        )

    def _slope(self, phases: Array, out: Array, time: Array, h: Array | float = 0.0, stage: int = 0) -> Array:
        """The velocity at a stage of steps of length h from `time`."""
        if self._pace is None:
            return self._velocity(phases, out)
        return self._velocity(phases, out, time=time + NODES[stage] * h)

    def _limited(self, h: Array) -> Array:
        """Steps of that length, or as long as what grows and what is driven allow."""
        h = h if self._limit is None else self._limit(h, self.phases, self._nearby)
        return h if self._pace is None else self._pace(self.time, h)

    def _nearby(self, rows: NDArray[np.intp]) -> Callable[[Array], Array]:
        """The velocity of those replicas at states (rows, size) near theirs."""
        return lambda states: self._slope(states, np.empty_like(states), self.time[rows])

    def _finish(self, h: Array, following: Array, target: Array) -> None:
        """Book a trial step of length h: the next step sizes,
        times (`target` where h reaches it), counts and states.
        """
        self.step = np.where(self.running, following, self.step)
        self.time_before, self.taken = self.time, h
        arrived = self.accepted & (h >= target - self.time)
        self.time = np.where(arrived, target, np.where(self.accepted, self.time + h, self.time))
        count = int(np.count_nonzero(self.accepted))
        self.accepted_steps += count
        self.rejected_steps += int(np.count_nonzero(self.time_before < self.t_end)) - count
        if np.all(self.accepted):
            self.before, self.phases, self._trial = self.phases, self._trial, self.before
        else:
            self.before[...] = self.phases
            self.phases[self.accepted] = self._trial[self.accepted]

    def fill(self, due: NDArray[np.int64], rows: NDArray[np.int64], times: Array, out: Array) -> None:
        """out[k, rows[r]] for the times[k] that replica r's accepted step has passed; due[r] moves on."""
        steps.interpolate(
            self.before, self.stages, self.interpolant, self.time_before, self.taken, self.accepted, times, due, rows,
            out,
        )  # fmt: skip

    def next_stage(self) -> None:
        """The last stage of an accepted step is the first of the
        next; called when the step's record is no longer needed.
        """
        if np.all(self.accepted):
            self.stages[0] = self.stages[-1]
        else:
            self.stages[0][self.accepted] = self.stages[-1][self.accepted]

    def state_within(self, replica: int, theta: float) -> Array:
        """Phases (n,) of one replica at the fraction theta of its last accepted step."""
        powers = theta ** np.arange(1, self.interpolant.shape[1] + 1)
        return np.asarray(
            self.before[replica]
            + self.taken[replica] * ((self.interpolant @ powers) @ self.stages[:, replica])
        )

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Drop the other replicas."""
        for name in ("phases", "before", "_trial", "time", "time_before", "step", "taken", "accepted"):
            setattr(self, name, np.ascontiguousarray(getattr(self, name)[rows]))
        self.stages = np.ascontiguousarray(self.stages[:, rows])
        if self._limit is not None:
            self._limit.keep(rows)
