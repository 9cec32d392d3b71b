"""Arithmetic on the circle that the observables share."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import finite_array

TAU = 2 * np.pi
EPS = np.finfo(np.float64).eps

FloatArray: TypeAlias = NDArray[np.float64]
Floats: TypeAlias = np.float64 | NDArray[np.float64]  # (...,): a scalar when there is no leading axis
Ints: TypeAlias = np.int64 | NDArray[np.int64]
Bools: TypeAlias = np.bool_ | NDArray[np.bool_]
Complexes: TypeAlias = np.complex128 | NDArray[np.complex128]


def wrap(theta: FloatArray) -> FloatArray:
    """Representative in [0, 2 pi); np.mod alone gives 2 pi itself for tiny negative angles."""
    wrapped = np.mod(theta, TAU)
    return np.where(wrapped < TAU, wrapped, 0.0)


def gaps_between(ordered: FloatArray) -> FloatArray:
    """Gaps after each of the phases (..., n), which are sorted in [0, 2 pi)."""
    closing = TAU - (ordered[..., -1:] - ordered[..., :1])
    return np.concatenate([np.diff(ordered, axis=-1), closing], axis=-1)


def shares(weights: ArrayLike | None, n: int, name: str = "weights") -> FloatArray:
    """Weights (n,), nonnegative and not all 0, scaled to the sum 1; equal ones for None."""
    if weights is None:
        return np.full(n, 1 / n)
    w = finite_array(name, weights, (n,))
    if w.min() < 0 or w.max() == 0:
        raise ValueError(
            f"{name} must be non-negative, not all zero; got {w.min()} at index {int(w.argmin())}"
        )
    scaled = w / w.max()  # first, so that the sum cannot overflow
    normalized: FloatArray = scaled / scaled.sum()
    return normalized
