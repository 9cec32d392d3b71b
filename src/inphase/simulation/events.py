"""Conditions that stop a simulation: functions of (time, phases (n,)) that turn true."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from inphase import observables

Condition = Callable[[float, NDArray[np.float64]], bool]


def synchronized(tolerance: float = 1e-3) -> Condition:
    """All phases within an arc of `tolerance` radians, less
    than π; O(n), where `observables.synchronized` sorts.
    """

    def condition(time: float, phases: NDArray[np.float64]) -> bool:
        offsets = np.angle(np.exp(1j * (phases - phases[0])))
        return bool(np.ptp(offsets) <= tolerance)

    condition.__name__ = "synchronized"
    return condition


def clusters_at_most(k: int, tolerance: float = 1e-3) -> Condition:
    """At most k clusters, where neighbors within `tolerance` radians are in one cluster."""

    def condition(time: float, phases: NDArray[np.float64]) -> bool:
        return bool(observables.count_clusters(phases, tolerance) <= k)

    condition.__name__ = f"clusters<={k}"
    return condition


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
