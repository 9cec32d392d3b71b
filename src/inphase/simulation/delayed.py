"""Delays: the method of steps with Dormand and Prince's pair, which reads the past from its own dense output.

    y'(t) = v(y(t), s(t)),   s_e(t) = y_{j(e)}(t − τ_e)

with constant τ_e >= 0; e goes over the oscillators (delays per sender) or over the pairs that are joined
(delays per pair).

- Order. The pair is of order 5 and its interpolant has a local error O(h^5), so the method is of order 5
  (Bellen and Zennaro,
  *Numerical Methods for Delay Differential Equations*, Oxford 2003, Section 6: min(p, q + 1) with p = 5 and
  q = 4).
- Memory. What is older than max τ is dropped: at most twice (steps or pieces of the given history within max
  τ, and three
  more) × 40 bytes × oscillators, and 16 bytes for each delay, per replica. (The bound is that of the replica
  with most steps.)
- Delays shorter than a step. What is heard then belongs to the step itself: it is first extrapolated from the
  step before, and
  the step is repeated with its own dense output until that settles, so short delays do not force short steps.
- Kinks. θ' jumps at t = 0, θ'' at τ, θ''' at τ + τ', and so on. Steps end exactly on the sums of up to four
  delays (beyond,
  the jumps are too smooth for the method to see), level by level, as long as there are at most 100 of them.
  With more distinct delays, and for kinks within a given history, that is left to the control of the error,
  which shortens the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from inphase.kernels import history as ring
from inphase.kernels import steps
from inphase.methods import DORMAND_PRINCE
from inphase.simulation.explicit import GROW, SAFETY, SHRINK, DormandPrince
from inphase.simulation.growth import GrowthLimit
from inphase.simulation.motion import Motion
from inphase.simulation.pace import Pace
from inphase.simulation.past import Past, polynomials
from inphase.simulation.resuming import GoingOn, Pieces

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]
Velocity = Callable[..., Array]

SWEEPS = 6  # of a step that hears itself, before a shorter one is tried
SETTLED = 0.1  # of the tolerance: the error of these sweeps that is let pass
# up to so many times the shortest delay, steps that do not hear themselves are cheaper than sweeps
WORTH = 3.0
MOST_KINKS = 100


def delayed(
    motion: Motion,
    state: Array,
    t_end: float,
    tolerance: float,
    history: Past = None,
    pace: Pace | None = None,
    going_on: GoingOn | None = None,
) -> DelayedDormandPrince:
    """The integration of a model with delays from a state at t = 0, to be moved on by `advance`.

    Parameters
    ----------
    motion : Motion
    state : ndarray, shape (replicas, size)
    t_end, tolerance : float
        As for `DormandPrince`.
    history
        The phases before t = 0, back to −max τ: as for `simulate`.
    pace : Pace, optional
        As for `DormandPrince`.
    going_on : GoingOn, optional
        A run that goes on, with its past, instead of a history.

    Raises
    ------
    ValueError, TypeError
        If the history is too short, of another shape, or is not the phases at t = 0 (up to whole turns and
        1e-6 radians); if delays per pair are given for a coupling whose terms are not pairs.

    Examples
    --------
    >>> import numpy as np, inphase as ip
    >>> model = ip.PhaseModel(0.5 * ip.kuramoto(), ip.AllToAll(), frequencies=1.0, delays=0.25)
    >>> run = delayed(Motion(model, 2), np.array([[0.0, 1.0]]), t_end=30.0, tolerance=1e-9)
    >>> while run.running.any():
    ...     run.advance()
    ...     speed = run.stages[6]
    ...     run.next_stage()
    >>> bool(np.allclose(speed, 1 - 0.5 * np.sin(0.25 * speed)))  # Ω = ω − K sin(Ωτ)
    True
    """
    heard, delays = motion.heard, motion.delays
    if heard is None or delays is None:
        heard, delays = np.arange(motion.n), np.zeros(motion.n)
    longest = float(np.max(delays, initial=0.0))
    if going_on is not None:
        return DelayedDormandPrince(
            motion, state, t_end, tolerance, heard=heard, delays=delays,
            past=_History.resumed(going_on.pieces(longest), longest, len(delays)),
            limit=GrowthLimit(motion, len(state), t_end), pace=pace, begin=going_on.time,
        )  # fmt: skip
    starts, coefficients = polynomials(
        history, motion.phases(state), motion.free_velocity, longest, tolerance
    )
    unheard = np.zeros_like(coefficients[:, :, motion.space.heavy])  # nobody hears a velocity
    coefficients = np.concatenate([coefficients, unheard], axis=2)
    past = starts, coefficients
    limit = GrowthLimit(motion, len(state), t_end)
    return DelayedDormandPrince(
        motion, state, t_end, tolerance, heard=heard, delays=delays, past=past, limit=limit, pace=pace
    )


class DelayedDormandPrince(DormandPrince):
    """`DormandPrince` for a velocity that also depends on what is heard: y_{heard[e]}(t − delays[e]),
    e = 0..m−1.

    Parameters
    ----------
    velocity : callable
        velocity(phases, out, sources) -> out, with phases and out (replicas, n) and sources (replicas, m); with a
        `pace` also time=(replicas,).
    phases, t_end, tolerance
        As for `DormandPrince`.
    heard : ndarray of int64, shape (m,)
    delays : ndarray, shape (m,)
        Not negative.
    past : (starts, coefficients), arrays of shape (P,) and (replicas, P, n, 5); or _History
        The time before 0 in P pieces: from starts[k] to starts[k + 1] (the last one to 0), y is
        Σ_p coefficients[:, k, :, p] x^p with x from 0 to 1. They reach back to the longest delay.
        Of a run that goes on, the history that it had.
    limit, begin
        As for `DormandPrince`.
    """

    def __init__(
        self,
        velocity: Velocity,
        phases: Array,
        t_end: float,
        tolerance: float,
        *,
        heard: Indices,
        delays: Array,
        past: tuple[Array, Array] | _History,
        limit: GrowthLimit | None = None,
        pace: Pace | None = None,
        begin: Array | None = None,
    ) -> None:
        self._velocity_heard, self._heard, self._delays = velocity, heard, delays
        self._shortest = float(np.min(delays, where=delays > 0, initial=np.inf))
        self._targets = np.append(kinks(delays, t_end), t_end)
        if isinstance(past, tuple):
            longest = float(np.max(delays, initial=0.0))
            past = _History(*past, longest=longest, replicas=len(phases), sources=len(delays))
        self._past, self._left = past, dict[int, Pieces]()
        self._names = np.arange(len(phases))
        self._sources = np.empty((len(phases), len(delays)))
        rows, now = np.arange(len(phases)), np.zeros(len(phases)) if begin is None else begin
        super().__init__(
            lambda y, out, **_: self._evaluate(rows, now, np.zeros(len(now), bool), y, out),
            phases, t_end, tolerance, limit, pace, begin,
        )  # fmt: skip

    @property
    def kept_bytes(self) -> int:
        """The memory that the past takes."""
        return self._past.coefficients.nbytes

    def advance(self) -> None:
        """One trial step of every replica: `accepted` says whose
        succeeded; `before`, `stages`, `taken` are its record.
        """
        following = np.searchsorted(self._targets, self.time, side="right")
        target = self._targets[np.minimum(following, len(self._targets) - 1)]
        remaining = target - self.time
        # no sliver of a step is left over
        h = np.where(remaining <= self.step * (1 + 1e-6), remaining, self.step)
        h = np.where((h > self._shortest) & (h <= WORTH * self._shortest), self._shortest, h)
        h = self._limited(np.where(self.running, h, 0.0))
        settled, quickly = self._sweeps(h)
        error = steps.error(self.stages, DORMAND_PRINCE.error, h) / self.tolerance
        self.accepted = (error <= 1.0) & settled & self.running
        with np.errstate(divide="ignore"):
            factor = np.clip(SAFETY * error**-0.2, SHRINK, np.where(quickly, GROW, 1.0))
        factor[~settled] = np.minimum(factor[~settled], 0.5)
        # A step that was cut, to end on a kink or so as not to hear itself, says little of what a longer one
        # may be.
        self._finish(
            h,
            np.where(self.accepted & (h < self.step), np.maximum(self.step, h * factor), h * factor),
            target,
        )
        # One step more than what is heard is kept: a run may end within its last step.
        self._past.accept(self.accepted, self.time_before)

    def keep(self, rows: Mask) -> None:
        """Drop the other replicas."""
        for q in np.flatnonzero(~rows).tolist():
            self._left[int(self._names[q])] = self._past.pieces(q)
        self._names = self._names[rows]
        super().keep(rows)
        self._past.keep(rows)
        self._sources = np.empty((len(self.phases), len(self._delays)))

    def pasts(self) -> list[Pieces]:
        """The past of each replica, those dropped among them."""
        here = {int(name): self._past.pieces(q) for q, name in enumerate(self._names)}
        return [found for _, found in sorted((self._left | here).items())]

    def _nearby(self, rows: Indices) -> Callable[[Array], Array]:
        """As if what is heard were moved along at once: a step that is longer than the delays hears itself."""
        here, sources = self.phases[rows], np.empty((len(rows), len(self._delays)))
        time = self.time[rows]
        self._past.look(rows, self._heard, self._delays, time, np.zeros(len(rows), bool), here, sources)

        def velocity(states: Array) -> Array:
            heard = sources + (states - here)[:, self._heard]
            return self._hear(states, np.empty_like(states), heard, time)

        return velocity

    def _sweeps(self, h: Array) -> tuple[Mask, Mask]:
        """All stages of the step, again and again where it hears
        itself; whether they settled, and before the last sweep.
        """
        rows, inside = np.flatnonzero(self.running), h > self._shortest
        self._past.begin(self.time, h)
        self._predict(rows[inside[rows]], h)
        change = self._sweep(rows, h, inside)
        again = inside[rows] & ~(change <= SETTLED * self.tolerance)
        rows, change = rows[again], change[again]
        settled, quickly = np.ones(len(h), dtype=bool), np.ones(len(h), dtype=bool)
        for sweep in range(2, SWEEPS + 1):
            if not len(rows):
                break
            quickly[rows] = sweep < SWEEPS
            before, change = change, self._sweep(rows, h, inside)
            # Changes shrink by a ratio, so the ones to come add up to a geometric series.
            # infinite where a callable gain was not positive
            with np.errstate(invalid="ignore", over="ignore"):
                again = ~(change * change <= SETTLED * self.tolerance * (before - change))
            rows, change = rows[again], change[again]
        settled[rows] = False
        return settled, quickly

    def _predict(self, rows: Indices, h: Array) -> None:
        first = rows[self.time[rows] == 0.0]  # nothing but the velocity is known of the time after 0
        later = rows[self.time[rows] > 0.0]
        slots = self._past.last[first] & (self._past.slots - 1)
        coefficients = self._past.coefficients
        coefficients[first, slots] = 0.0
        coefficients[first, slots, :, 0] = self.phases[first]
        coefficients[first, slots, :, 1] = h[first, None] * self.stages[0, first]
        if len(later):
            ring.predict(h, later, self._past.last, self._past.length, coefficients)

    def _sweep(self, rows: Indices, h: Array, inside: Mask) -> Array:
        """The stages of these replicas; by how much their dense output changed, (rows,)."""
        if not len(rows):
            return np.empty(0)
        whole = len(rows) == len(self.phases)
        phases = self.phases if whole else self.phases[rows]
        stages = self.stages if whole else self.stages.take(rows, axis=1)
        trial = self._trial if whole else np.empty_like(phases)
        time, step, inside = self.time[rows], h[rows], inside[rows]
        for s, node in enumerate(DORMAND_PRINCE.nodes[1:], start=1):
            steps.combine(phases, stages, DORMAND_PRINCE.a[s, :s], step, trial)
            c = node if s < 6 else 1.0  # the end of the step, to the last bit
            self._evaluate(rows, time + c * step, inside, trial, stages[s])
        if not whole:
            self.stages[1:, rows], self._trial[rows] = stages[1:], trial
        return self._past.record(self.phases, self.stages, self.interpolant, h, rows)

    def _evaluate(self, rows: Indices, time: Array, inside: Mask, phases: Array, out: Array) -> Array:
        sources = self._sources[: len(rows)]
        self._past.look(rows, self._heard, self._delays, time, inside, phases, sources)
        return self._hear(phases, out, sources, time)

    def _hear(self, phases: Array, out: Array, sources: Array, time: Array) -> Array:
        if self._pace is None:
            return self._velocity_heard(phases, out, sources)
        return self._velocity_heard(phases, out, sources, time=time)


class _History:
    """Steps of each replica as polynomials, in a ring that grows to what the longest delay needs."""

    def __init__(
        self, starts: Array, coefficients: Array, *, longest: float, replicas: int, sources: int
    ) -> None:
        pieces, n = coefficients.shape[1:3]
        self.longest, self.slots = longest, _power_of_two(pieces + 2)
        self.coefficients = np.empty((replicas, self.slots, n, ring.TERMS))
        self.start, self.length = np.zeros((2, replicas, self.slots))
        self.coefficients[:, :pieces] = coefficients
        self.start[:, :pieces], self.length[:, :pieces] = starts, np.diff(starts, append=0.0)
        self.first = np.zeros(replicas, dtype=np.int64)
        self.last = np.full(replicas, pieces, dtype=np.int64)
        self.found = np.zeros((replicas, sources), dtype=np.int64)

    @classmethod
    def resumed(cls, given: Sequence[Pieces], longest: float, sources: int) -> _History:
        """That of a run that goes on, from the pieces of each replica."""
        most, n = max(len(one.start) for one in given), given[0].coefficients.shape[1]
        blank = np.zeros((len(given), most, n, ring.TERMS))
        found = cls(np.zeros(most), blank, longest=longest, replicas=len(given), sources=sources)
        for r, one in enumerate(given):
            count = len(one.start)
            found.start[r, :count], found.length[r, :count] = one.start, one.length
            found.coefficients[r, :count], found.last[r] = one.coefficients, count
        return found

    def pieces(self, r: int) -> Pieces:
        """The past of one replica, oldest first."""
        slots = np.arange(self.first[r], self.last[r]) & (self.slots - 1)
        return Pieces(self.start[r, slots], self.length[r, slots], self.coefficients[r, slots])

    def begin(self, time: Array, step: Array) -> None:
        """The step that is being taken."""
        rows, slots = np.arange(len(time)), self.last & (self.slots - 1)
        self.start[rows, slots], self.length[rows, slots] = time, step

    def look(
        self,
        rows: Indices,
        heard: Indices,
        delays: Array,
        time: Array,
        inside: Mask,
        phases: Array,
        out: Array,
    ) -> None:
        """What is heard at `time`; the step that is being taken is read only where `inside`."""
        until = self.last.copy()
        until[rows] -= ~inside
        ring.look(
            self.coefficients,
            self.start,
            self.length,
            self.first,
            until,
            self.found,
            rows,
            heard,
            delays,
            time,
            phases,
            out,
        )

    def record(self, phases: Array, stages: Array, weights: Array, step: Array, rows: Indices) -> Array:
        """The polynomials of the step that is being taken; by how much they changed, (rows,)."""
        return np.asarray(ring.record(phases, stages, weights, step, rows, self.last, self.coefficients))

    def accept(self, accepted: Mask, time: Array) -> None:
        """The step that was being taken is past; what is too old goes."""
        self.last += accepted
        ring.drop(self.start, self.first, self.last, np.where(accepted, time - self.longest, -np.inf))
        if np.max(self.last - self.first) >= self.slots:
            self._grow()

    def _grow(self) -> None:
        slots = 2 * self.slots
        coefficients = np.empty((len(self.first), slots, *self.coefficients.shape[2:]))
        start, length = np.zeros((2, len(self.first), slots))
        for r in range(len(self.first)):
            k = np.arange(self.first[r], self.last[r])
            old, new = k & (self.slots - 1), k & (slots - 1)
            for a, b in zip(old, new):  # one by one: a copy of all of them may be large
                coefficients[r, b] = self.coefficients[r, a]
            start[r, new], length[r, new] = self.start[r, old], self.length[r, old]
        self.coefficients, self.start, self.length, self.slots = coefficients, start, length, slots

    def keep(self, rows: Mask) -> None:
        for name in ("coefficients", "start", "length", "first", "last", "found"):
            setattr(self, name, np.ascontiguousarray(getattr(self, name)[rows]))


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()


def kinks(delays: Array, t_end: float) -> Array:
    """The sums of up to four delays within (0, t_end),
    ascending: level by level, as long as there are at most 100.
    """
    distinct = np.unique(delays[(delays > 0) & (delays < t_end)])
    found, level = np.empty(0), np.zeros(1)
    for _ in range(4 if len(distinct) <= MOST_KINKS else 0):
        level = _apart(np.add.outer(level, distinct).ravel())
        level = level[level < t_end]
        together = _apart(np.concatenate([found, level]))
        if len(together) > MOST_KINKS:
            break
        found = together
    return found


def _apart(values: Array) -> Array:
    """Ascending, without those that differ by rounding only."""
    values = np.unique(values)
    return values[np.diff(values, prepend=-np.inf) > 1e-13 * values]
