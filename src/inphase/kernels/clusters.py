"""Few clusters of unequal mass: velocity and Rosenbrock step, compiled, pairwise (of relative accuracy).

    v_i = −N_i/G_i,   N_i = Σ_j m_j f(x_i − x_j),   G_i = Σ_j m_j h(x_i − x_j)  (or 1)

`values` and `slopes` are programs (code, constants, outputs) whose results are (f[, h]) and (f'[, h']).
"""

from __future__ import annotations

import numba as nb
import numpy as np

from inphase.kernels.tape import run


@nb.njit(cache=True)
def _pairs(program, x):
    """(results, n, n) at x_i − x_j."""
    n = x.size
    gaps = np.empty(n * n)
    for i in range(n):
        for j in range(n):
            gaps[i * n + j] = x[i] - x[j]
    out = np.empty((program[2].size, n * n))
    run(program[0], program[1], program[2], gaps, out)
    return out.reshape(-1, n, n)


@nb.njit(cache=True)
def _sums(program, masses, x):
    """(results, n): Σ_j m_j of the program's results at x_i − x_j."""
    n = x.size
    pairs = _pairs(program, x)
    out = np.zeros((pairs.shape[0], n))
    for s in range(pairs.shape[0]):
        for i in range(n):
            total = 0.0
            for j in range(n):
                total += masses[j] * pairs[s, i, j]
            out[s, i] = total
    return out


@nb.njit(cache=True)
def velocity(values, masses, x):
    """v (n,)."""
    sums = _sums(values, masses, x)
    return -sums[0] / sums[1] if sums.shape[0] > 1 else -sums[0]


@nb.njit(cache=True)
def rounding(values, slopes, masses, x):
    """The size (n,) below which rounding (of sums, and of positions within 2π) is all there is of N."""
    forces, changes = np.abs(_pairs(values, x)[0]), np.abs(_pairs(slopes, x)[0])
    np.fill_diagonal(changes, 0.0)  # a cluster's distance to itself is exact
    return 4 * np.finfo(np.float64).eps * ((forces + 2 * np.pi * changes) @ masses)


@nb.njit(cache=True)
def jacobian(values, slopes, masses, x):
    """∂v_i/∂x_j (n, n)."""
    n = x.size
    pairs = _pairs(slopes, x)
    sums = _sums(values, masses, x)
    out = np.empty((n, n))
    for i in range(n):
        diagonal = 0.0
        for j in range(n):
            entry = masses[j] * pairs[0, i, j]
            if sums.shape[0] > 1:
                entry = entry / sums[1, i] - masses[j] * pairs[1, i, j] * sums[0, i] / sums[1, i] ** 2
            out[i, j] = entry
            if j != i:
                diagonal -= entry
        out[i, i] = diagonal
    return out


@nb.njit(cache=True)
def _growth_exceeds(matrix, metric, rate):
    """Whether some mode may grow faster than `rate`: by a norm, or the symmetric part in the metric.

    Gradient flows are symmetric in the metric of masses times gains, up to terms of the size of the speed;
    then the answer is exact, and elsewhere it errs on the side of shorter steps.
    """
    n = len(matrix)
    norm = 0.0
    for i in range(n):
        norm = max(norm, np.sum(np.abs(matrix[i])))
    if norm <= rate:
        return False
    root = np.sqrt(np.maximum(metric, 1e-12 * np.sum(metric)))
    lower = np.zeros((n, n))  # Cholesky's factor of rate · I − (symmetric part), if there is one
    for i in range(n):
        for j in range(i + 1):
            entry = -0.5 * (matrix[i, j] * root[i] / root[j] + matrix[j, i] * root[j] / root[i])
            total = entry + rate if i == j else entry
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            if i == j:
                if total <= 0.0:
                    return True
                lower[i, i] = np.sqrt(total)
            else:
                lower[i, j] = total / lower[j, j]
    return False


@nb.njit(cache=True)
def _factor(matrix, pivots):
    """LU with partial pivoting, in place."""
    n = len(matrix)
    for k in range(n):
        p = k
        for i in range(k + 1, n):
            if abs(matrix[i, k]) > abs(matrix[p, k]):
                p = i
        pivots[k] = p
        if p != k:
            for j in range(n):
                matrix[k, j], matrix[p, j] = matrix[p, j], matrix[k, j]
        for i in range(k + 1, n):
            factor = matrix[i, k] / matrix[k, k]
            matrix[i, k] = factor
            if factor != 0.0:
                for j in range(k + 1, n):
                    matrix[i, j] -= factor * matrix[k, j]


@nb.njit(cache=True)
def _solve(matrix, pivots, right):
    """Solve with the factors, in place."""
    n = len(matrix)
    for k in range(n):
        right[k], right[pivots[k]] = right[pivots[k]], right[k]
    for i in range(n):
        total = right[i]
        for j in range(i):
            total -= matrix[i, j] * right[j]
        right[i] = total
    for i in range(n - 1, -1, -1):
        total = right[i]
        for j in range(i + 1, n):
            total -= matrix[i, j] * right[j]
        right[i] = total / matrix[i, i]


@nb.njit(cache=True, error_model="numpy")
def step(values, slopes, masses, x, speed, h, a, c, gamma, limit):
    """(stable, end, error) of one Rosenbrock step.

    It is not stable where γ h times the fastest growth rate exceeds `limit`.
    """
    n, stages = x.size, len(a)
    matrix = jacobian(values, slopes, masses, x)
    shift = 1.0 / (gamma * h)
    sums = _sums(values, masses, x)
    if _growth_exceeds(matrix, masses * sums[1] if sums.shape[0] > 1 else masses, limit * shift):
        return False, x, x
    matrix = -matrix
    for i in range(n):
        matrix[i, i] += shift
    pivots = np.empty(n, dtype=np.int64)
    _factor(matrix, pivots)
    u = np.empty((stages, n))
    end = x
    for s in range(stages):
        if s == 0:
            u[0] = speed
        else:
            end = x.copy()
            for q in range(s):
                end += a[s, q] * u[q]
            u[s] = velocity(values, masses, end)
            for q in range(s):
                u[s] += (c[s, q] / h) * u[q]
        _solve(matrix, pivots, u[s])
    return True, end + u[stages - 1], u[stages - 1]
