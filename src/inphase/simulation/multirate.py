"""Oscillators of very different speeds in a mean field: each takes steps of its own length.

The ordinary integrator's step follows the fastest oscillator. Here an oscillator that turns at speed |ω_i − median|
is on a level l with intervals H/2^l, in which it turns by at most `TURN` radians; how the levels hear one another is
said in `kernels/multirate.py`. The error is measured: a step is now and then taken as two halves too, with which each
oscillator's own error is compared with the tolerance for as many intervals as it has, and H follows.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inphase.coupling.jacobian import factors_of
from inphase.coupling.summing import uses_pairs
from inphase.kernels import multirate as kernels
from inphase.kernels.terms import Factors
from inphase.model import PhaseModel
from inphase.simulation.growth import rate_bound

Array = NDArray[np.float64]

TITLE = "multirate: each oscillator its own step"
TURN = 2.0  # radians by which an oscillator turns at most in an interval of its own
FAST = 100.0  # |ω − median| over the coupling's rate, from which a step is not what the coupling asks for
FEW = 20.0  # the largest of |ω − median| over their mean, from which those that set the step are few
MODES = 32  # r m, mean fields times harmonics, up to which a level can tell the others its own
LONGEST = 1.0  # H times the largest force: Picard's iteration converges
LOOK = 16  # steps from one measurement of the error to the next
EASY = 0.1  # of the tolerance: H is doubled
SURE = 4.0  # growth of the last number of the series, from which the error is measured anew
WAIT = 4  # measurements after a step that was refused, before H is doubled again
CLOSE = 0.3  # of the tolerance, to which iterations converge
FINEST = 1e-10  # the tolerance to which this is chosen without being asked


class MeanFields(NamedTuple):
    """A model as the kernel takes it: dθ/dt in the frame that turns with the median frequency."""

    system: kernels.System
    frame: float
    order: NDArray[np.int64]  # (n,), the oscillators by their speed
    largest: float  # force


def obstacles(model: PhaseModel, n: int) -> list[str]:
    """What keeps a model from being integrated so; nothing where it can be."""
    parts = {
        "noise": model.has_noise, "delays": model.has_delays, "inertia": model.has_inertia,
        "a field": bool(np.any(model.field)), "a gain": model.g.kind != "one",
    }  # fmt: skip
    found = [name for name, there in parts.items() if there] + ([model.varies] if model.varies else [])
    if not model.coupling.facts(n).factors:
        return [*found, "a coupling that is no sum of few mean fields"]
    if not found and uses_pairs([model.interaction], n):
        found.append("an interaction of many decades, whose sums are taken pair by pair")
    elif (
        not found and (count := _factors(model, n).left.shape[1] * (len(model.interaction.modes) - 1)) > MODES
    ):
        found.append(f"{count} mean fields, more than {MODES}")
    return found


def _factors(model: PhaseModel, n: int) -> Factors:
    parts = [factors_of(term) for term in model.coupling.terms(n)]
    return Factors(np.hstack([part.left for part in parts]), np.hstack([part.right for part in parts]))


def mean_fields(model: PhaseModel, n: int) -> MeanFields:
    """The mean fields of a model without `obstacles`."""
    damping = np.broadcast_to(model.damping, n)
    left, right = _factors(model, n)
    left = left / damping[:, None]
    modes = model.interaction.modes
    omega = np.broadcast_to(model.frequencies, n) / damping - modes[0].real * (left @ right.sum(axis=0))
    frame = float(np.median(omega))
    order = np.argsort(np.abs(omega - frame), kind="stable")
    by_speed, heard = (np.ascontiguousarray(array[order].T, dtype=float) for array in (left, right))
    pull = -modes[1:]
    system = kernels.System(omega[order] - frame, by_speed, heard, pull.real.copy(), pull.imag.copy())
    steepest = float(np.abs(pull) @ np.arange(1, len(modes)))
    return MeanFields(
        system, frame, order, float(np.max(np.abs(left) @ np.abs(right).sum(axis=0))) * steepest
    )


class _Levels:
    """Who is on which level of steps up to `longest`, and the memory of the kernel."""

    def __init__(self, fields: MeanFields, longest: float) -> None:
        system = self._system = fields.system
        speed = np.abs(system.omega)
        self.levels = np.maximum(0, np.ceil(np.log2(np.maximum(speed * (longest / TURN), 0.5)))).astype(
            np.int64
        )
        top = int(self.levels[-1])
        self._layout = kernels.layout(np.searchsorted(self.levels, np.arange(top + 2)))
        r, m = len(system.left), len(system.real)
        parts, intervals, jobs = 2 * r * m, 2 ** (top + 1), len(self._layout.levels)
        own, fast, slow, felt, new = np.zeros((5, intervals, parts, kernels.P))
        N, S = np.zeros((2, intervals, 2 * (2 * m + 1) * r * r, kernels.P))
        self.errors = np.zeros(jobs)
        products = np.cumsum(system.right[:, None] * system.left[None], axis=2)
        equal = np.zeros((top + 1, r, r))
        for level, count in enumerate(np.searchsorted(self.levels, np.arange(top + 1), side="right")):
            equal[level] = products[:, :, count - 1] if count else 0.0
        theta, partial = np.empty(self._layout.bases[-1]), np.empty((self._layout.sums[-1], parts, kernels.P))
        self._state = (own, fast, slow, felt, new, N, S, equal, theta, partial, self.errors)
        self._strongest = float(np.max(np.sum(np.abs(system.left), axis=0)))
        self._last = 0.0  # the step that was just taken, to be continued by one of the same length

    def step(self, start: Array, end: Array, h: float, tolerance: float, ahead: bool) -> bool:
        """A step of length h from `start` into `end`, (n,); whether it converged."""
        ahead = ahead and abs(h - self._last) <= 1e-9 * h
        converged, _ = kernels.step(kernels.P * len(start))(
            start, end, tuple(self._layout), tuple(self._system), self._state, h, self._strongest,
            CLOSE * tolerance, ahead,
        )  # fmt: skip
        self._last = h if converged else 0.0
        return bool(converged) and bool(np.isfinite(end).all())


@dataclass
class _Course:
    """What is known of one replica's errors."""

    since: int = LOOK  # steps since the error was measured
    tail: float = math.inf  # the last number of the series then
    wait: int = 0  # measurements before H may be doubled


class Multirate:
    """The state of an integration from time 0: `time`, `phases`, `step` of each replica, moved on by `advance`.

    The ordinary integrator's face (`explicit.py`), for which steps end at the times to keep.

    Parameters
    ----------
    fields : MeanFields
    phases : ndarray, shape (replicas, n)
    times : ndarray, shape (T,)
        Ascending; the last step of each replica ends at the last.
    tolerance : float
        Error of a phase per interval of its own, radians.
    """

    def __init__(self, fields: MeanFields, phases: Array, times: Array, tolerance: float) -> None:
        self._fields, self._times, self.tolerance = fields, times, tolerance
        replicas = len(phases)
        self.t_end = max(float(times[-1]), 1e-300)
        self.phases = np.ascontiguousarray(phases, dtype=float).copy()
        self.before = self.phases.copy()
        self.time, self.time_before, self.taken = np.zeros((3, replicas))
        self.step = np.full(replicas, min(LONGEST / max(fields.largest, 1e-300), self.t_end))
        self.accepted = np.zeros(replicas, dtype=bool)
        self.accepted_steps = self.rejected_steps = 0
        self.largest_error = 0.0  # that was measured, radians, of a step that was taken
        self._levels: dict[tuple[int, int], _Levels] = {}
        self._courses = [_Course() for _ in range(replicas)]
        self._numbers = list(range(replicas))

    @property
    def running(self) -> NDArray[np.bool_]:
        """The replicas that have not reached t_end."""
        return np.asarray(self.time < self.t_end)

    def advance(self) -> None:
        """One trial step of every replica that runs."""
        self.accepted = np.zeros(len(self.time), dtype=bool)
        self.time_before, self.taken = self.time.copy(), np.zeros(len(self.time))
        for row in np.flatnonzero(self.running):
            self._try(int(row))
        self.accepted_steps += int(np.count_nonzero(self.accepted))
        self.rejected_steps += int(np.count_nonzero((self.time_before < self.t_end) & ~self.accepted))

    def _try(self, row: int) -> None:
        time = float(self.time[row])
        target = float(self._times[np.searchsorted(self._times, time, side="right")])
        pieces = max(1, math.ceil((target - time) / float(self.step[row]) * (1 - 1e-9)))
        h = (target - time) / pieces
        end = self._measured(row, h)
        if end is None:
            self.step[row] = h / 2
            return
        self.before[row] = self.phases[row]
        self.phases[row] = end
        self.time[row] = target if pieces == 1 else time + h
        self.taken[row], self.accepted[row] = h, True

    def _measured(self, row: int, h: float) -> Array | None:
        """The phases after a step, None where it is too long; what is known of the errors is brought up to date."""
        course, number = self._courses[row], self._numbers[row]
        levels = self._levels_of(number, h)
        end, turns = self._step(levels, self.phases[row], h, ahead=course.since < LOOK)
        if end is None:
            course.since, course.wait = LOOK, WAIT
            return None
        tail = float(np.max(levels.errors))
        course.since += 1
        if course.since <= LOOK and tail <= SURE * course.tail:
            return self._turned(end, turns, h)
        halves = self._levels_of(number, h / 2)
        middle, back = self._step(halves, self.phases[row], h / 2, ahead=False)
        if middle is None:
            return None
        half = self._turned(middle, back, h / 2)
        last, back = self._step(halves, half, h / 2, ahead=True)
        if last is None:
            return None
        fine = self._turned(last, back, h / 2)
        # twice the difference: what projections leave falls as slowly as H²
        away = 2 * np.abs(fine - self._turned(end, turns, h))[self._fields.order]
        ratio = float(np.max(away / 2.0**levels.levels)) / self.tolerance
        if not ratio <= 1:
            course.since, course.wait = LOOK, WAIT
            return None
        self.largest_error = max(self.largest_error, float(np.max(away)))
        course.since, course.tail, course.wait = 0, tail, max(0, course.wait - 1)
        room = LONGEST / max(self._fields.largest, 1e-300) / h
        if ratio < EASY and course.wait == 0 and room >= 1.5 and h >= 0.75 * self.step[row]:
            self.step[row], course.since = h * min(2.0, room), LOOK
        return fine

    def _step(self, levels: _Levels, phases: Array, h: float, ahead: bool) -> tuple[Array | None, Array]:
        """The phases after h in the order of speed and in the turning frame, less whole turns, which come with them."""
        start = phases[self._fields.order]
        turns = 2 * np.pi * np.rint(start / (2 * np.pi))
        end = np.empty_like(start)
        return (end if levels.step(start - turns, end, h, self.tolerance, ahead) else None), turns

    def _turned(self, end: Array, turns: Array, h: float) -> Array:
        found = np.empty_like(end)
        found[self._fields.order] = end + (turns + self._fields.frame * h)
        return found

    def _levels_of(self, number: int, h: float) -> _Levels:
        """The levels for steps of about that length, of one replica."""
        half_octave = math.ceil(2 * math.log2(h) - 1e-6)
        key = (number, half_octave)
        if key not in self._levels:
            for other in [k for k in self._levels if k[0] == number and abs(k[1] - half_octave) > 4]:
                del self._levels[other]
            self._levels[key] = _Levels(self._fields, 2.0 ** (half_octave / 2))
        return self._levels[key]

    def fill(self, due: NDArray[np.int64], rows: NDArray[np.int64], times: Array, out: Array) -> None:
        """out[k, rows[r]] for the times[k] that replica r has reached; due[r] moves on."""
        for row in np.flatnonzero(self.accepted):
            while due[row] < len(times) and times[due[row]] <= self.time[row]:
                out[due[row], rows[row]] = self.phases[row]
                due[row] += 1

    def next_stage(self) -> None:
        """Nothing is kept of a step."""

    def state_within(self, replica: int, theta: float) -> Array:
        """Phases (n,) of one replica at the fraction theta of its last accepted step, which is taken anew."""
        h = theta * float(self.taken[replica])
        if h == 0:
            return np.array(self.before[replica])
        end, turns = self._step(
            self._levels_of(self._numbers[replica], h), self.before[replica], h, ahead=False
        )
        return np.array(self.phases[replica]) if end is None else self._turned(end, turns, h)

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Drop the other replicas."""
        for name in ("phases", "before", "time", "time_before", "step", "taken", "accepted"):
            setattr(self, name, np.ascontiguousarray(getattr(self, name)[rows]))
        self._courses = [course for course, kept in zip(self._courses, rows) if kept]
        self._numbers = [number for number, kept in zip(self._numbers, rows) if kept]


class Spread(NamedTuple):
    """How far the frequencies lie apart."""

    fastest: NDArray[np.int64]  # the few oscillators that set the step
    speed: float  # the largest |ω_i − median|/d_i
    rate: float  # at which the coupling acts

    def __str__(self) -> str:
        return (
            f"|ω - median| is up to {self.speed:.4g}, {self.speed / self.rate:.3g} times the coupling's rate"
        )


def spread_of(model: PhaseModel, n: int) -> Spread | None:
    """What is to be said of a model whose step few fast oscillators set; None where they do not."""
    if np.ndim(model.frequencies) == 0:
        return None
    omega = np.broadcast_to(model.frequencies / model.damping, n)
    speeds, rate = np.abs(omega - np.median(omega)), rate_bound(model, n)
    speed = float(np.max(speeds))
    if rate is None or not 0 < FAST * rate < speed or speed < FEW * float(np.mean(speeds)):
        return None
    few = np.argsort(-speeds, kind="stable")[:5]
    return Spread(few[speeds[few] > FAST * rate], speed, rate)


def chosen(model: PhaseModel, n: int, tolerance: float) -> Spread | None:
    """Why `simulate` takes these steps without being asked; None where it does not.

    Where they cannot be taken, a warning names the oscillators that set the step, and the remedy.
    """
    spread = spread_of(model, n)
    if spread is None:
        return None
    found = obstacles(model, n)
    if not found:
        return spread if tolerance >= FINEST else None
    if not (model.has_inertia or model.has_noise):
        names = ", ".join(f"{i} (ω = {model.frequencies[i]:.4g})" for i in spread.fastest)
        warnings.warn(
            f"the step is set by few oscillators, among them {names}: {spread}; steps of each its own cannot be taken "
            f"with {', '.join(found)}: clip these frequencies (their oscillators average out), or raise the tolerance",
            stacklevel=4,
        )
    return None
