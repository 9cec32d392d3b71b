"""Conditions that stop a simulation: functions of (time, phases (n,)) that turn true."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inphase import observables
from inphase.checks import finite_number, integer

Condition = Callable[[float, NDArray[np.float64]], bool]


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
    def __name__(self) -> str:  # what `name_of` reads
        return f"clusters<={self.k}"

    def __call__(self, time: float, phases: NDArray[np.float64]) -> bool:
        return bool(observables.count_clusters(phases, self.tolerance) <= self.k)

    def __repr__(self) -> str:
        return f"clusters_at_most({self.k}, {self.tolerance!r})"


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


def holds(condition: Condition, time: float, phases: NDArray[np.float64]) -> bool:
    """Whether a condition holds; TypeError where it answers anything but yes or no."""
    answer: Any = condition(time, phases)
    if isinstance(answer, bool | np.bool_):
        return bool(answer)
    if getattr(answer, "shape", None) == () and answer.dtype == bool:
        return bool(answer)
    raise TypeError(
        f"a condition of stop must return True or False; {name_of(condition)} returned {answer!r:.60}: write a "
        "comparison, such as lambda time, phases: time > 5 (a function whose zero ends the run is not meant)"
    )


def name_of(condition: Condition) -> str:
    """What a run's `stopped_by` calls it."""
    return str(getattr(condition, "__name__", type(condition).__name__))


def as_conditions(stop: Condition | str | Sequence[Condition | str] | None) -> list[Condition]:
    """What `simulate(stop=...)` accepts, as functions."""
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
                f'stop must be "synchronized" or a function of (time, phases) that returns a bool; got {item!r}'
            )
        found.append(item)
    return found
