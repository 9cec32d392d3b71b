"""Checks at the door: bad input is refused with its name, its value and what was expected."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def finite_number(name: str, value: Any, *, positive: bool = False) -> float:
    """`value` as a finite float; TypeError or ValueError otherwise."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number; got {value!r}") from None
    if not math.isfinite(number) or (positive and number <= 0):
        raise ValueError(f"{name} must be a {'positive, ' if positive else ''}finite number; got {value!r}")
    return number


def finite_array(name: str, value: Any, shape: tuple[int, ...] | None = None) -> NDArray[np.float64]:
    """`value` as a new float64 array without NaN or infinity, of the shape given; TypeError or ValueError otherwise."""
    try:
        if np.iscomplexobj(value):
            raise TypeError
        array = np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be an array of numbers; got {type(value).__name__} {value!r:.60}") from None
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}; got {array.shape}")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        where = tuple(int(i) for i in bad[0])
        raise ValueError(f"{name} must be finite; got {array[where]} at index {where if len(where) != 1 else where[0]}")
    return array


def phase_array(phases: Any) -> NDArray[np.float64]:
    """Phases, shape (..., n) with n >= 1, finite."""
    array = finite_array("phases", phases)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise ValueError(f"phases must have shape (..., n) with n >= 1; got shape {array.shape}")
    return array
