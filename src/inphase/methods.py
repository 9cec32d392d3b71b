"""Explicit Runge-Kutta methods as data: the coefficients that every loop over steps reads.

For dy/dt = v(y) and a step h,

    k_s = v(y + h Σ_{r<s} a_sr k_r),   y(t + h) ≈ y + h Σ_s b_s k_s

The loops are `simulation/fixed.py` and `simulation/explicit.py` (NumPy), `kernels/march.py` (Numba, which is
handed the arrays) and `learn/dynamics.py` (JAX). Coefficients of Euler's and Heun's methods are powers of
two, so the order in which a loop multiplies by them changes no bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Method:
    """A method of s stages.

    Parameters
    ----------
    title : str
        What a result calls it.
    order : int
        p: the error of a run is O(h^p).
    a : ndarray, shape (s, s)
        Zero on and above the diagonal.
    b : ndarray, shape (s,)
    with_noise : str
        What it is called with white noise added to each step; "" where it has no such form.

    Examples
    --------
    >>> RUNGE_KUTTA["rk4"].nodes.tolist(), RUNGE_KUTTA["rk4"].whole_steps
    ([0.0, 0.5, 0.5, 1.0], False)
    """

    title: str
    order: int
    a: Array
    b: Array
    with_noise: str = ""

    @property
    def stages(self) -> int:
        """How often a step evaluates v."""
        return len(self.b)

    @cached_property
    def nodes(self) -> Array:
        """c, (s,): stage k_s lies at t + c_s h."""
        return np.array([float(np.sum(row[:s])) for s, row in enumerate(self.a)])

    @property
    def whole_steps(self) -> bool:
        """Whether all stages lie at t or t + h, so that what was heard whole steps ago is known."""
        return bool(np.all(np.isin(self.nodes, (0.0, 1.0))))


@dataclass(frozen=True, eq=False)
class Pair(Method):
    """A method whose last stage is the first of the next step, with an error and an interpolant.

    Parameters
    ----------
    error : ndarray, shape (s,)
        h Σ_s error_s k_s: the difference to the embedded method.
    interpolant : ndarray, shape (s, 4)
        y(t + θ h) ≈ y + h Σ_s k_s Σ_p interpolant_sp θ^(p+1).
    """

    error: Array = field(kw_only=True)
    interpolant: Array = field(kw_only=True)


def weighted(coefficients: Sequence[float] | Array, slopes: Sequence[Any]) -> Any:
    """Σ_s coefficients_s slopes_s without the terms that are zero, of arrays of NumPy or JAX.

    Examples
    --------
    >>> weighted(RUNGE_KUTTA["heun"].b, [2.0, 4.0])
    3.0
    """
    terms = [k if c == 1 else float(c) * k for c, k in zip(coefficients, slopes) if c]
    return sum(terms[1:], terms[0])


def _lower(*rows: Sequence[float]) -> Array:
    table = np.zeros((len(rows), len(rows)))
    for s, row in enumerate(rows):
        table[s, : len(row)] = row
    return _fixed(table)


def _fixed(values: Any) -> Array:
    found = np.array(values, dtype=float)
    found.flags.writeable = False
    return found


RUNGE_KUTTA = {
    "euler": Method("Euler", 1, _lower([]), _fixed([1.0]), with_noise="Euler-Maruyama"),
    "heun": Method("Heun", 2, _lower([], [1.0]), _fixed([1 / 2, 1 / 2]), with_noise="stochastic Heun"),
    "midpoint": Method("explicit midpoint", 2, _lower([], [1 / 2]), _fixed([0.0, 1.0])),
    "rk4": Method(
        "Runge-Kutta 4",
        4,
        _lower([], [1 / 2], [0.0, 1 / 2], [0.0, 0.0, 1.0]),
        _fixed([1 / 6, 1 / 3, 1 / 3, 1 / 6]),
    ),
}  # of constant steps, by the name that `simulate` and a training take
WITH_NOISE = tuple(name for name, method in RUNGE_KUTTA.items() if method.with_noise)
WITH_DELAYS = tuple(name for name, method in RUNGE_KUTTA.items() if method.whole_steps)

_WEIGHTS = [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84]
# Dormand, Prince (1980); the interpolant is Shampine's (1986).
DORMAND_PRINCE = Pair(
    "Dormand-Prince 5(4)",
    5,
    _lower(
        [],
        [1 / 5],
        [3 / 40, 9 / 40],
        [44 / 45, -56 / 15, 32 / 9],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
        _WEIGHTS,
    ),
    _fixed([*_WEIGHTS, 0]),
    error=_fixed([-71 / 57600, 0, 71 / 16695, -71 / 1920, 17253 / 339200, -22 / 525, 1 / 40]),
    interpolant=_fixed([
        [1, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432],
        [0, 0, 0, 0],
        [0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799],
        [0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072],
        [0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632],
        [0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844],
        [0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423],
    ]),
)  # fmt: skip
