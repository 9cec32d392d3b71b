"""Steps that do not jump over what a drive does between their stages.

Adaptive steps look at a drive at seven moments only, and a pulse between two of them does not exist for the
estimate of the error. So a step may be no longer than the drive is smooth: where it is given by a formula s(t), its
Taylor coefficients are enclosed in ball arithmetic over whole stretches of time, and a step of length h has

    h · max|s^(5)|/5! · (h/2)^5 <= tolerance,

by which s is a polynomial of degree 4 but for what is within the tolerance, and such polynomials the pair integrates
exactly. Stretches are found as the run goes on: long where nothing happens, short around a pulse. Where a table is
interpolated, steps end on its times.
"""

from __future__ import annotations

import math
from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from inphase.drive import Drive, Formula
from inphase.simulation.motion import Motion

Array = NDArray[np.float64]

ORDER = 5  # of the Taylor coefficient that bounds a step
COARSE = 4.0  # times the step that it allows: how long a stretch may be, so that its bound is close
AHEAD = 32  # stretches that one step looks for
SHORTEST = 1e-12  # of the time: no shorter stretch is looked at


class Pace:
    """The longest steps that a drive allows.

    Parameters
    ----------
    drive : Drive
    motion : Motion
        Of the model that is driven.
    begin, end : float
        Of the run.
    tolerance : float
        Local error per step, radians.
    """

    def __init__(self, drive: Drive, motion: Motion, begin: float, end: float, tolerance: float) -> None:
        self._end, self._tolerance = float(end), float(tolerance)
        self._terms = _weighted(drive, motion)
        self._knots = drive.knots
        # stretches of time: where each starts, how long steps may be there, and where the last one ends
        self._starts: list[float] = []
        self._longest: list[float] = []
        self._covered = float(begin)

    def __call__(self, time: Array, step: Array) -> Array:
        """Steps (replicas,) from these times, cut where they are too long."""
        return np.array(
            [self._limited(*pair) if pair[1] > 0 else 0.0 for pair in zip(time.tolist(), step.tolist())]
        )

    def _limited(self, time: float, step: float) -> float:
        k = int(np.searchsorted(self._knots, time * (1 + SHORTEST), side="right"))
        if k < len(self._knots):
            step = min(step, float(self._knots[k]) - time)
        if not self._terms:
            return step
        while not self._starts or (self._covered <= time and self._covered < self._end):
            self._stretch()
        here = bisect_right(self._starts, time) - 1
        step = min(step, self._longest[here])
        for k in range(here + 1, here + AHEAD):
            if k == len(self._starts) and self._covered < min(time + step, self._end):
                self._stretch()
            if k == len(self._starts) or self._starts[k] >= time + step:
                return step
            # it ends where the stretch begins, or is as short as steps have to be there
            step = min(step, max(self._starts[k] - time, self._longest[k]))
        return min(step, self._starts[k] - time)

    def _stretch(self) -> None:
        """Look at the stretch that follows those that are known."""
        start, left = self._covered, max(self._end - self._covered, 1e-300)
        before = start - self._starts[-1] if self._starts else left
        width = min(8 * before, COARSE * self._longest[-1] if self._longest else left, left)
        least = SHORTEST * max(abs(start), width)
        while True:
            allowed = self._allowed(start, start + width)
            if width <= max(COARSE * allowed, least):
                break
            width = max(width / 4, min(COARSE * allowed, width / 1.5), least)
        self._starts.append(start)
        self._longest.append(max(allowed, least))
        self._covered = self._end if width == left else start + width

    def _allowed(self, low: float, high: float) -> float:
        """The longest step where the formulas are as smooth as they are from `low` to `high`; or, where some are not
        smooth enough for the stretch, less than it wants.
        """
        wanted = (high - low) / COARSE
        enough, size = self._tolerance * 2**ORDER / wanted ** (ORDER + 1), 0.0
        for weight, part in self._terms:
            share = enough / (weight * len(self._terms))
            found = part.coefficient(low, high, ORDER, share)
            if found > share:
                return float(wanted * min(0.999, (share / found) ** (1 / (ORDER + 1))))
            size += weight * found
        return float(wanted * (enough / size) ** (1 / (ORDER + 1))) if size > 0 else math.inf


def _weighted(drive: Drive, motion: Motion) -> list[tuple[float, Formula]]:
    """The drive's formulas with what they are multiplied by at the most on their way into d(state)/dt."""
    model, heavy = motion.model, motion.space.heavy
    divisors = np.broadcast_to(model.damping, motion.n).copy()
    divisors[heavy] = np.minimum(divisors, np.broadcast_to(model.inertia, motion.n))[heavy]
    strength = (model.coupling.largest_strength(motion.n) or 1.0) if model.g.kind == "one" else 1.0
    inward = 1 / float(np.min(divisors))
    pulls = {"coupling": strength * model.interaction.maximum}
    return [(inward * most * pulls.get(name, 1.0), part) for name, most, part in drive.smooth_terms]
