"""Conditions that stop a simulation: functions of (time, phases (n,)) that turn true.

One that names a third argument is also given the velocities dθ/dt (n,).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inphase import observables
from inphase.checks import finite_number, integer
from inphase.simulation.motion import Motion

Condition = Callable[..., bool]  # (time, phases) or (time, phases, velocities)


@dataclass(frozen=True, repr=False)
class _Synchronized:
    tolerance: float
    __name__ = "synchronized"

    def __call__(self, time: float, phases: NDArray[np.float64]) -> bool:
        offsets = np.angle(np.exp(1j * (phases - phases[0])))
        return bool(np.ptp(offsets) <= self.tolerance)

    def __repr__(self) -> str:
        return f"synchronized({self.tolerance!r})"


@dataclass(frozen=True, repr=False)
class _ClustersAtMost:
    k: int
    tolerance: float

    @property
    def __name__(self) -> str:  # what a run's `stopped_by` says
        return f"clusters<={self.k}"

    def __call__(self, time: float, phases: NDArray[np.float64]) -> bool:
        return bool(observables.count_clusters(phases, self.tolerance) <= self.k)

    def __repr__(self) -> str:
        return f"clusters_at_most({self.k}, {self.tolerance!r})"


@dataclass(frozen=True, repr=False)
class _FasterThan:
    bound: float
    frequency: float
    __name__ = "faster than"

    def __call__(self, time: float, phases: NDArray[np.float64], velocities: NDArray[np.float64]) -> bool:
        return bool(np.max(np.abs(velocities - self.frequency)) > self.bound)

    def __repr__(self) -> str:
        return f"faster_than({self.bound!r}, {self.frequency!r})"


def faster_than(bound: float, frequency: float = 0.0) -> Condition:
    """Some oscillator's velocity is off `frequency` by more than `bound`, radians per unit of time.

    Raises
    ------
    ValueError, TypeError
        If the bound is not a positive number, or the frequency no number.

    Examples
    --------
    >>> import inphase as ip
    >>> rotor = ip.PhaseModel(ip.kuramoto(), frequencies=[1.0], inertia=1.0)  # v = 1 − exp(−t)
    >>> run = ip.simulate(rotor, [0.0], t_end=5.0, stop=faster_than(0.5))
    >>> run.attrs["status"], run.end_time.round(6).item()
    ('stopped', 0.693147)
    """
    return _FasterThan(finite_number("bound", bound, positive=True), finite_number("frequency", frequency))


def synchronized(tolerance: float = 1e-3) -> Condition:
    """All phases within an arc of `tolerance` radians, less than π.

    O(n), where `observables.synchronized` sorts. It can be pickled, as what a process is handed must be.

    Raises
    ------
    ValueError, TypeError
        If the tolerance is not a number from 0 to π.

    Examples
    --------
    >>> synchronized(0.1), synchronized(0.1)(0.0, np.array([0.0, 6.25]))
    (synchronized(0.1), True)
    """
    return _Synchronized(_arc(tolerance))


def clusters_at_most(k: int, tolerance: float = 1e-3) -> Condition:
    """At most k clusters, where neighbors within `tolerance` radians are in one cluster.

    Raises
    ------
    ValueError, TypeError
        If k is not an integer >= 1, or the tolerance not a number from 0 to π.

    Examples
    --------
    >>> clusters_at_most(2)(0.0, np.array([0.0, 6.2831, 3.0]))
    True
    """
    return _ClustersAtMost(integer("k", k, least=1), _arc(tolerance))


def _arc(tolerance: float) -> float:
    """A width in radians below π; ValueError or TypeError otherwise."""
    arc = finite_number("tolerance", tolerance, least=0)
    if arc >= math.pi:
        raise ValueError(f"tolerance must be less than π, half the circle; got {tolerance!r}")
    return arc


def sees_velocities(condition: Condition) -> bool:
    """Whether a condition has a third argument without a default, by whatever name."""
    try:
        parameters = inspect.signature(condition).parameters.values()
    except (TypeError, ValueError):  # of builtins that do not say
        return False
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in places and p.default is inspect.Parameter.empty for p in parameters) == 3


class Watched:
    """A condition as a function of (time, state), for the states of a `Motion`."""

    def __init__(self, condition: Condition, motion: Motion) -> None:
        self.condition, self.motion, self.n = condition, motion, motion.n
        self.__name__ = str(getattr(condition, "__name__", type(condition).__name__))
        self.third = sees_velocities(condition)
        if self.third and len(motion.space.light) and (motion.model.has_delays or motion.model.has_noise):
            raise ValueError(
                f"the condition {self.__name__} of stop asks for velocities, but with delays or noise those of "
                f"oscillators without inertia, such as {motion.space.light[0]}, are not known: take (time, phases)"
            )

    def __call__(self, time: float, state: NDArray[np.float64]) -> bool:
        """Whether it holds; TypeError where it answers anything but yes or no."""
        more = (self.motion.velocities(state, np.asarray(time)),) if self.third else ()
        answer: Any = self.condition(time, state[: self.n], *more)
        if isinstance(answer, bool | np.bool_):
            return bool(answer)
        if getattr(answer, "shape", None) == () and answer.dtype == bool:
            return bool(answer)
        raise TypeError(
            f"a condition of stop must return True or False; {self.__name__} returned {answer!r:.60}: write a "
            "comparison, such as lambda time, phases: time > 5 (a function whose zero ends the run is not meant)"
        )


def as_conditions(stop: Condition | str | Sequence[Condition | str] | None, motion: Motion) -> list[Watched]:
    """What `simulate(stop=...)` accepts, as functions of (time, state)."""
    if stop is None:
        return []
    if callable(stop) or isinstance(stop, str):
        stop = [stop]
    found = []
    for item in stop:
        if item == "synchronized":
            item = synchronized()
        if not callable(item):
            raise TypeError(
                'stop must be "synchronized" or a function of (time, phases), or of (time, phases, velocities), '
                f"that returns a bool; got {item!r}"
            )
        found.append(Watched(item, motion))
    return found
