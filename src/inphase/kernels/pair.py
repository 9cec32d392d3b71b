"""Dormand and Prince's pair for many small systems, each through all of its steps in one call.

A step of a hundred oscillators takes some microseconds, as much as one line of Python. So rows (replicas, or models
of one structure that differ in numbers) take their steps in one loop each, with their own step sizes, and write the
frames that are asked for. A row goes the same way, to the last bit, whichever rows run beside it and on however many
threads: nothing is shared.

Kernels take plain tuples: Numba's cache on disk holds the types of arguments, and could not be read any more by a
version in which a named one is called otherwise.

The rules for steps are those of `simulation/explicit.py` and `simulation/growth.py`. The largest growth rate, where it
has to be looked up, is not found here: the row waits, with `LOOK`.
"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np

from inphase.kernels.march import Plan, ahead, cost, velocity
from inphase.kernels.threads import threaded

RUNNING, DONE, LOOK, UNDERFLOW, TOO_MANY = range(5)  # why a row waits
TIME, STEP, BOUND, RATE, WANTED, BEGIN, TAKEN = range(7)  # columns of `numbers`
TRIALS, ACCEPTED, DUE, STATE, LAST = range(
    5
)  # columns of `counts`; LAST: whether the last trial was accepted

_FAST = {"cache": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}


class Rows(NamedTuple):
    """Where the rows are, and the record of their last accepted steps."""

    phases: np.ndarray  # (rows, n)
    before: np.ndarray  # (rows, n)
    slopes: np.ndarray  # (rows, 7, n)
    seen: np.ndarray  # (rows, n), the phases at which a growth rate was looked up
    numbers: np.ndarray  # (rows, 7)
    counts: np.ndarray  # (rows, 5)


class Rules(NamedTuple):
    """What all rows obey."""

    t_end: float
    tolerance: float  # local error per step, radians
    most: int  # trial steps of a row
    at_once: int  # trial steps of a row in this call
    longest: float  # h times a growth rate
    soon: int  # trial steps from one look to the next
    safety: float
    shrink: float
    grow: float


class Tableau(NamedTuple):
    """The method."""

    a: np.ndarray  # (7, 7)
    error: np.ndarray  # (7,)
    interpolant: np.ndarray  # (7, 4)


class Own(NamedTuple):
    """What plans of one structure have of their own, with a first axis of 1, or of all rows."""

    modes: np.ndarray  # (k, m + 1)
    even: np.ndarray
    odd: np.ndarray
    drift: np.ndarray  # (k, n)
    field: np.ndarray
    rate: np.ndarray
    calm: np.ndarray  # (k,), the spread of phases within which nothing can grow; 0 where none is known
    near: (
        np.ndarray
    )  # (k,), radians by which phase differences may move before a growth rate is looked up again


@nb.njit(inline="always", **_FAST)
def _plan(own, common, row):
    modes, even, odd, drift, field, rate, _, _ = own
    k = row if drift.shape[0] > 1 else 0
    return (modes[k], even[k], odd[k], drift[k], field[k], rate[k], *common)


@nb.njit(**_FAST)
def _spread(phases):
    low, high = phases[0], phases[0]
    for x in phases:
        low, high = min(low, x), max(high, x)
    return high - low


@nb.njit(**_FAST)
def _limited(h, phases, seen, numbers, trials, calm, near, longest, soon):
    """(h, or as long as what grows allows; whether the growth rate has to be looked up first)."""
    if not h * numbers[BOUND] > longest:
        return h, False
    wanted, rate = numbers[WANTED], numbers[RATE]
    if h > 2 * wanted or h * rate > longest or trials % soon == 0:
        fresh = wanted == 0.0
        if not fresh:
            low, high = np.inf, -np.inf
            for i in range(phases.size):
                low, high = min(low, phases[i] - seen[i]), max(high, phases[i] - seen[i])
            fresh = high - low > near
        numbers[WANTED] = h
        if fresh:
            seen[:] = phases
            if not _spread(phases) < calm:
                return h, True
            numbers[RATE] = 0.0
    return min(h, longest / max(numbers[RATE], 1e-300)), False


@nb.njit(**_FAST)
def _frames(before, slopes, weights, begin, h, times, due, out, row):
    """Write the frames within an accepted step; the first one that lies beyond it."""
    n = before.size
    while due < times.size and times[due] <= begin + h:
        theta = (times[due] - begin) / h
        frame = out[due, row]
        frame[:] = 0.0
        for s in range(weights.shape[0]):
            w = 0.0
            for p in range(weights.shape[1] - 1, -1, -1):
                w = (w + weights[s, p]) * theta
            if w != 0.0:
                for i in range(n):
                    frame[i] += w * slopes[s, i]
        for i in range(n):
            frame[i] = before[i] + h * frame[i]
        due += 1
    return due


@nb.njit(**_FAST)
def _error(slopes, weights, h, total):
    """max |h Σ_s weights_s slopes_s|; infinite where anything is not finite."""
    total[:] = 0.0
    for s in range(weights.size):
        if weights[s] != 0.0:
            for i in range(total.size):
                total[i] += weights[s] * slopes[s, i]
    largest, good = 0.0, 0
    for i in range(total.size):
        largest = max(largest, abs(total[i]))
        good += total[i] - total[i] == 0.0
    return h * largest if good == total.size else np.inf


@nb.njit(**_FAST)
def _one(all_rows, row, plan, calm, near, tableau, rules, times, out):
    """The steps of one row; why it waits."""
    phases, before, slopes, seen, numbers, counts = (
        all_rows[0][row], all_rows[1][row], all_rows[2][row], all_rows[3][row], all_rows[4][row], all_rows[5][row],
    )  # fmt: skip
    (t_end, tolerance, most, at_once, longest, soon, safety, shrink, grow), (a, weights, interpolant) = (
        rules,
        tableau,
    )
    n, last = phases.size, weights.size - 1
    work, x = np.empty((4, n)), np.empty(n)
    for _ in range(at_once):
        time = numbers[TIME]
        if not time < t_end:
            return DONE
        if counts[TRIALS] >= most:
            return TOO_MANY
        if counts[TRIALS] == 0:
            velocity(phases, work, slopes[0], plan)
        elif counts[LAST]:
            slopes[0] = slopes[last]
        h = min(numbers[STEP], t_end - time)
        h, look = _limited(h, phases, seen, numbers, counts[TRIALS] + 1, calm, near, longest, soon)
        if look:
            return LOOK
        for s in range(1, last + 1):
            ahead(phases, slopes, a[s, :s], h, x)
            velocity(x, work, slopes[s], plan)
        error = _error(slopes, weights, h, work[0]) / tolerance
        factor = grow if error == 0.0 else min(max(safety * error**-0.2, shrink), grow)
        accepted = error <= 1.0
        if not (accepted and h < numbers[STEP]):
            numbers[STEP] = h * factor
        counts[TRIALS] += 1
        counts[LAST] = accepted
        if accepted:
            before[:], phases[:] = phases, x
            numbers[BEGIN], numbers[TAKEN] = time, h
            counts[ACCEPTED] += 1
            counts[DUE] = _frames(before, slopes, interpolant, time, h, times, counts[DUE], out, row)
            if h >= t_end - time:
                numbers[TIME], counts[DUE] = t_end, times.size
                out[times.size - 1, row] = x  # the last time is the step's end, exactly
                return DONE
            numbers[TIME] = time + h
        if not numbers[STEP] > 4 * 2.220446049250313e-16 * numbers[TIME]:
            return UNDERFLOW
    return RUNNING


def _all(which, rows, own, common, tableau, rules, times, out):
    for k in nb.prange(which.size):
        row = which[k]
        calm, near = own[6], own[7]
        m = row if calm.size > 1 else 0
        plan = _plan(own, common, row)
        rows[5][row, STATE] = _one(rows, row, plan, calm[m], near[m], tableau, rules, times, out)


def _velocities(which, states, own, common, out):
    for k in nb.prange(which.size):
        velocity(states[k], np.empty((4, states.shape[1])), out[k], _plan(own, common, which[k]))


_kernel = threaded(_all)
_velocity_kernel = threaded(_velocities)


def advance(which, rows, own, common, tableau, rules, times, out):
    """Move those of the `Rows` on, in place, each by up to `rules.at_once` trial steps."""
    work = which.size * rules.at_once * 7 * cost(Plan(*(part[0] for part in own[:6]), *common))
    _kernel(work if which.size > 1 else 0)(
        which, tuple(rows), tuple(own), common, tuple(tableau), tuple(rules), times, out
    )


def velocities(which, states, own, common):
    """dθ/dt, (k, n), at states (k, n) of those rows."""
    out = np.empty_like(states)
    _velocity_kernel(0)(which, states, tuple(own), common, out)
    return out
