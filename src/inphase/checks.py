"""Checks at the door: bad input is refused with its name, its value and what was expected.

Real numbers only: booleans, text and complex numbers are a TypeError, NaN and infinity a ValueError.
"""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = 100_000_000  # nodes; up to here the number of a pair is exact in float64, as random graphs need


def integer(name: str, value: Any, least: int | None = None, most: int | None = None) -> int:
    """`value` as an int, from `least` to `most`; floats are refused, even whole ones."""
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an integer; got {value!r}")
    number = operator.index(value)
    if least is not None and number < least:
        raise ValueError(f"{name} must be an integer >= {least}; got {value!r}")
    if most is not None and number > most:
        raise ValueError(f"{name} must be at most {most:,}; got {value!r:.40}")
    return number


def boolean(name: str, value: Any) -> bool:
    """`value` as a bool; a text or a number is none."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be true or false; got {value!r}")
    return bool(value)


def checked_options(
    what: str,
    function: Callable[..., Any],
    options: Mapping[str, Any],
    given: Sequence[str] = (),
    word: str = "option",
) -> None:
    """Refuse options that `function` does not take, or a missing one: a TypeError that lists the known ones.

    `given` are parameters of the function that are not the user's to choose.
    """
    parameters = inspect.signature(function).parameters
    accepted = [key for key in parameters if key not in given]
    for key in options:
        if key not in accepted:
            raise TypeError(f"{what} has no {word} {key!r}; it takes {', '.join(accepted) or 'none'}")
    for key in accepted:
        if key not in options and parameters[key].default is inspect.Parameter.empty:
            raise TypeError(f"{what} needs the {word} {key!r}")


def finite_number(name: str, value: Any, *, positive: bool = False, least: float | None = None) -> float:
    """`value` as a finite float, above 0 if `positive`, at least `least`."""
    unmasked(name, value)
    try:
        array = np.asarray(value)
        if array.ndim or array.dtype.kind in "bcSU":
            raise TypeError
        number = float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number; got {value!r}") from None
    if not math.isfinite(number) or (positive and number <= 0):
        raise ValueError(f"{name} must be a {'positive, ' if positive else ''}finite number; got {value!r}")
    if least is not None and number < least:
        raise ValueError(f"{name} must be >= {least:g}; got {value!r}")
    return number


def error_bound(name: str, value: Any) -> float:
    """`value` as a bound on errors, radians or radians per unit of time: from 1e-15 to 0.1."""
    number = finite_number(name, value, positive=True)
    if not 1e-15 <= number <= 0.1:
        remedy = "take 1e-12 or more" if number < 1e-15 else "take 1e-3 or less"
        raise ValueError(
            f"{name} must lie between 1e-15, which is rounding, and 0.1, beyond which nothing is right; "
            f"got {value!r}: {remedy}"
        )
    return number


def finite_array(name: str, value: Any, shape: tuple[int, ...] | None = None) -> NDArray[np.float64]:
    """`value` as a new float64 array without NaN or infinity, of the shape given."""
    unmasked(name, value)
    try:
        found = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must be an array of real numbers; got rows of different lengths") from None
    if found.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be an array of real numbers; got {value!r:.60} ({found.dtype})")
    with np.errstate(over="ignore", invalid="ignore"):  # what is no number, or too large, is refused below
        array = np.array(found, dtype=float)
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}; got shape {array.shape}")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        where = tuple(int(i) for i in bad[0])
        raise ValueError(
            f"{name} must be finite; got {array[where]} at index {where if len(where) != 1 else where[0]}"
        )
    return array


def matrix_array(name: str, value: Any) -> NDArray[np.float64]:
    """As `finite_array`, of a matrix K: true and false, as of an adjacency matrix, are 1 and 0."""
    if getattr(getattr(value, "dtype", None), "kind", "") == "b":
        unmasked(name, value)
        value = np.asarray(value, dtype=float)
    return finite_array(name, value)


def unmasked(name: str, value: Any) -> None:
    """ValueError for a masked array in which something is masked: what lies under the mask would count."""
    given = value if isinstance(value, list | tuple) else (value,)
    for part in given:
        if isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part):
            where = tuple(int(i) for i in np.argwhere(np.ma.getmaskarray(part))[0])
            raise ValueError(
                f"{name} must have no masked entries; got {np.count_nonzero(np.ma.getmaskarray(part))}, the first at index "
                f"{where if len(where) != 1 else where[0]}: fill or leave out what is missing"
            )


def finite_vector(name: str, value: Any) -> NDArray[np.float64]:
    """As `finite_array`, of shape (n,) with n >= 1."""
    array = finite_array(name, value)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{name} must have shape (n,) with n >= 1; got shape {array.shape}")
    return array


def phase_array(phases: Any, name: str = "phases") -> NDArray[np.float64]:
    """As `finite_array`, of shape (..., n) with n >= 1."""
    array = finite_array(name, phases)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise ValueError(f"{name} must have shape (..., n) with n >= 1; got shape {array.shape}")
    return array


def output_times(t_end: Any, times: Any, frames: int) -> NDArray[np.float64]:
    """Output times, shape (T,): `times`, or `frames` equally spaced ones from 0 to `t_end`."""
    if (t_end is None) == (times is None):
        raise ValueError("give either t_end or times")
    if times is None:
        return np.linspace(0.0, finite_number("t_end", t_end, positive=True), frames)
    return time_array(times)


def time_array(times: Any) -> NDArray[np.float64]:
    """Output times, shape (T,) with T >= 1: ascending, from 0 on."""
    array = finite_array("times", times)
    if array.ndim != 1 or not len(array) or array[0] < 0 or np.any(np.diff(array) <= 0):
        shown = array if array.size < 6 else f"shape {array.shape}"
        raise ValueError(f"times must be ascending and non-negative, of shape (T,) with T >= 1; got {shown}")
    return array


def check_name(name: str, value: Any, known: Sequence[str]) -> str:
    """`value` itself; ValueError that lists what is known otherwise."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}")
    return value
