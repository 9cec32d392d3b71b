"""Rodas5P: a linearly implicit (Rosenbrock) method of order 5 with an embedded one of order 4, L-stable, 8
stages.

Coefficients: G. Steinebach, *Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks within
the Julia Differential Equations package*, BIT Numerical Mathematics 63 (2023), in the transformed variables
that need no products with the Jacobian: (1/(γh) − J) u_i = v(y + Σ_j A_ij u_j) + Σ_j C_ij u_j / h.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inphase.kernels.steps import combine
from inphase.types import Vector

Array = NDArray[np.float64]
ORDER = 5
GAMMA = 0.21193756319429014
_A6 = [-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946]
A: list[list[float]] = [
    [],
    [3.0],
    [2.849394379747939, 0.45842242204463923],
    [-6.954028509809101, 2.489845061869568, -10.358996098473584],
    [2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641],
    _A6,
    [*_A6, 1.0],
    [*_A6, 1.0, 1.0],
]
C: list[list[float]] = [
    [],
    [-14.155112264123755],
    [-17.97296035885952, -2.859693295451294],
    [147.12150275711716, -1.41221402718213, 71.68940251302358],
    [165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306],
    [24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471],
    [30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623, -28.087943162872662],
    [
        37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002,
        -54.66780262877968, -9.48861652309627,
    ],
]  # fmt: skip


def _table(rows: list[list[float]]) -> Array:
    return np.array([row + [0.0] * (len(rows) - len(row)) for row in rows])


A_TABLE, C_TABLE = _table(A), _table(C)
_ONE = np.ones(1)


def rodas5p(
    velocity: Callable[[Vector], Vector],
    solve: Callable[[Vector], Vector],
    start: Vector,
    speed: Vector,
    step: float,
    stages: Array,
) -> tuple[Vector, Vector]:
    """One step of dy/dt = v(y).

    Parameters
    ----------
    velocity : callable
        v, (n,) -> (n,), a new array.
    solve : callable
        r -> (1/(γ step) − J)⁻¹ r, with J the Jacobian at `start`.
    start, speed : ndarray, shape (n,)
        y and v(y).
    step : float
    stages : ndarray, shape (8, 1, n)
        Memory to work in; the error is a view of it.

    Returns
    -------
    (end, error) : ndarrays, shape (n,)
        The state after the step and the estimate of its local error.
    """
    end = np.empty((1, len(start)))
    stages[0, 0] = solve(speed)
    for s in range(1, len(A)):
        combine(start[None], stages, A_TABLE[s, :s], _ONE, end)
        right = velocity(end[0])[None]
        combine(right, stages, C_TABLE[s, :s] / step, _ONE, right)
        stages[s, 0] = solve(right[0])
    return end[0] + stages[-1, 0], stages[-1, 0]
