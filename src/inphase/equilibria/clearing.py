"""How long may a fault last? The critical clearing time of a model that is another one meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import finite_number, integer
from inphase.equilibria.basins import decay_time, deterministic, longest_time, settle
from inphase.equilibria.locked import Locked
from inphase.equilibria.search import DistinctStates
from inphase.equilibria.single_nodes import stable_state
from inphase.equilibria.states import Equilibrium, wrapped
from inphase.kernels.threads import few_threads
from inphase.model import PhaseModel

Array = NDArray[np.float64]
TOLERANCE = 1e-10  # of the runs under the fault and after it


@dataclass(frozen=True, eq=False)
class ClearingTime:
    """The longest fault after which the oscillators come back, between two durations that were tried.

    Parameters
    ----------
    low, high : float
        After `low` (and each shorter duration that was tried) they come back, after `high` they do not; `high` is
        inf where they come back after the longest that was tried, and `low` is −inf where already a
        fault of no duration keeps them away.
    phases, velocities : ndarray, shape (n,)
        When the fault of duration `low` ends, radians and radians per unit of time.

    Examples
    --------
    >>> import numpy as np
    >>> ClearingTime(0.2, 0.3, np.zeros(1), np.zeros(1))
    ClearingTime(0.25 ± 0.05)
    """

    low: float
    high: float
    phases: Array
    velocities: Array

    @property
    def time(self) -> float:
        """The middle of the two; the known one where the other is infinite."""
        if not np.isfinite(self.high):
            return self.low
        return 0.5 * (self.low + self.high) if np.isfinite(self.low) else self.high

    @property
    def error(self) -> float:
        """Half their difference."""
        return 0.5 * (self.high - self.low)

    def __repr__(self) -> str:
        if np.isinf(self.high):
            return f"ClearingTime(longer than {self.low:.10g})"
        return (
            f"ClearingTime({self.time:.10g} ± {self.error:.2g})"
            if np.isfinite(self.low)
            else "ClearingTime(none)"
        )


def critical_clearing_time(
    model: PhaseModel,
    fault: PhaseModel,
    phases: ArrayLike,
    *,
    longest: float,
    cleared: PhaseModel | None = None,
    tolerance: float = 1e-6,
    trials: int = 16,
    t_end: float | None = None,
) -> ClearingTime:
    """The longest time for which a fault may last so that the oscillators then come back into step.

    The state of `model` is handed to `fault`, after a time t to `cleared`, and comes back if it comes to rest at the
    stable state of `cleared` next to it *without a turn*: an oscillator that has turned once against the others has
    lost step, even where it comes to rest there.

    Parameters
    ----------
    model : PhaseModel
        Before the fault; with inertia, without delays and noise.
    fault : PhaseModel
        Meanwhile: a line removed (``model.replace(coupling=...)``) or a power changed
        (``model.replace(frequencies=...)``).
    phases : array_like, shape (n,)
        A stable locked state of `model`, radians, to within 0.1.
    longest : float
        The longest duration that is tried, units of time.
    cleared : PhaseModel, optional
        After the fault; `model` if not given.
    tolerance : float
        Of the duration: the search ends once `low` and `high` are closer, units of time.
    trials : int
        Durations that are tried at once, equally spaced from 0 to `longest`, then between the last that leads back
        and the first that does not. An island of durations narrower than `longest`/`trials` can be missed.
    t_end : float, optional
        How long after the fault a run is given up, as for `node_basins`; what is not back then counts as lost.

    Returns
    -------
    ClearingTime

    Raises
    ------
    ValueError, TypeError
        On bad input, and where `model`, or `cleared`, has no stable state near.

    References
    ----------
    P. Kundur, *Power System Stability and Control* (1994), section 13.1 (the equal-area criterion).

    Examples
    --------
    >>> import numpy as np, inphase as ip
    >>> bus = ip.PhaseModel(ip.kuramoto(), frequencies=0.5, field=-1.0, inertia=1.0, damping=0.2)
    >>> found = critical_clearing_time(bus, bus.replace(field=0.0), [np.pi / 6], longest=4.0, tolerance=0.01)
    >>> abs(found.time - 2.254117) <= found.error
    True
    """
    after = model if cleared is None else cleared
    for what, part in (("model", model), ("fault", fault), ("cleared", after)):
        deterministic(f"critical_clearing_time ({what})", part)
        if not np.array_equal(part.inertia > 0, model.inertia > 0) or not model.has_inertia:
            raise ValueError(
                f"model, fault and cleared must have inertia at the same oscillators; {what} differs"
            )
    last, close = (
        finite_number("longest", longest, positive=True),
        finite_number("tolerance", tolerance, positive=True),
    )
    count = integer("trials", trials, least=2)
    before = stable_state(model, phases)[1]
    system, target = stable_state(after, before.phases) if after is model else _target(after, before)
    end = decay_time(target, t_end)
    with few_threads(system.n):
        low, high, state = -np.inf, np.inf, (before.phases, np.full(system.n, before.frequency))
        times = np.linspace(0.0, last, count)
        while True:
            starts, speeds = _under(fault, before, times)
            back = _back(system, before, target, starts, speeds, end)
            first = int(np.argmin(back)) if not np.all(back) else len(back)
            if first > 0:
                low, state = float(times[first - 1]), (starts[first - 1], speeds[first - 1])
            high = float(times[first]) if first < len(back) else high
            if not (np.isfinite(low) and np.isfinite(high)) or high - low <= max(close, 1e-13 * last):
                return ClearingTime(low, high, *state)
            times = np.linspace(low, high, count + 2)[1:-1]


def _target(after: PhaseModel, before: Equilibrium) -> tuple[Locked, Equilibrium]:
    """The stable state into which those phases go after a fault of no duration."""
    from inphase.simulation import simulated

    system = Locked(after, len(before.phases))
    run = simulated(
        after, before.phases, times=[longest_time(system, None)], velocities=before.frequency, tolerance=1e-6
    )
    return stable_state(after, run.end_phase.values)


def _under(fault: PhaseModel, before: Equilibrium, times: Array) -> tuple[Array, Array]:
    """Phases and velocities when the fault has lasted for these times, (times, n)."""
    from inphase.simulation import simulated

    speeds = np.full(len(before.phases), before.frequency)
    run = simulated(fault, before.phases, times=times, velocities=speeds, tolerance=TOLERANCE)
    return run.phase.values, run.velocity.values


def _back(
    system: Locked, before: Equilibrium, target: Equilibrium, starts: Array, speeds: Array, end: float
) -> NDArray[np.bool_]:
    """Whether each comes to rest at the target, not a turn away from it."""
    distinct = DistinctStates(system, ())
    distinct.enter(target.phases, target.frequency)
    apart = target.phases - before.phases
    center = before.phases + wrapped(apart - apart[0] if system.rotates else apart)
    turned = _Apart(center, system.rotates, 2 * np.pi)
    found, last = settle(system, distinct, starts, speeds, end, tolerance=TOLERANCE, stop=turned)
    return np.asarray(
        [k == 0 and not _Apart(center, system.rotates, np.pi)(0.0, row) for k, row in zip(found, last)]
    )


@dataclass(frozen=True, eq=False)
class _Apart:
    """Whether an oscillator is further than `angle` from its place, against the others where all may turn."""

    center: Array
    rotates: bool
    angle: float
    __name__ = "out of step"

    def __call__(self, time: float, phases: Array) -> bool:
        moved = phases - self.center
        return bool((np.ptp(moved) if self.rotates else np.max(np.abs(moved))) > self.angle)
