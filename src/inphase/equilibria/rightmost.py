"""The rightmost eigenvalues of matrices diagonal + low rank that are not symmetric, and how many are right of a line.

The eigenvalues of D + L Rᵀ are where Δ(λ) = det(I − Rᵀ (λ − D)⁻¹ L) vanishes, a determinant as small as the rank;
it has poles at entries of D and tends to 1 far away. By the argument principle, the turns of Δ along the line
Re λ = σ give the number of eigenvalues right of it, as in Nyquist's criterion. Where they are is found by Arnoldi's
method with shift and invert, each refined by inverse iteration from both sides, which also gives its condition.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, LinearOperator, eigs

from inphase.coupling.jacobian import DiagonalPlusLowRank
from inphase.types import Vector

Complex = NDArray[np.complex128]
EPS = float(np.finfo(float).eps)
KRYLOV = 40  # vectors of a restart, at least
RESTARTS = 8  # of the search for eigenvalues far right of the diagonal
TURN = 0.7  # radians: the largest turn of the determinant between two points of the line
POINTS = 800  # of the line, at most


def count_right_of(matrix: DiagonalPlusLowRank, line: float, resolution: float) -> int | None:
    """How many eigenvalues have a real part above `line`; None where the turns of the determinant are not resolved.

    Parameters
    ----------
    matrix : DiagonalPlusLowRank
    line : float
        Should not go through an eigenvalue or an entry of the diagonal.
    resolution : float
        Per unit of time: eigenvalues nearer to the line than a thousandth of it count as on it.
    """
    gap = line - matrix.diagonal
    nearest = float(np.min(np.abs(gap)))
    reach = (
        float(np.max(np.abs(gap)))
        + float(np.sum(np.abs(matrix.left) ** 2) * np.sum(np.abs(matrix.right) ** 2)) ** 0.5
    )
    if nearest == 0:
        return None

    def direction(height: float) -> complex:
        weight = 1 / (gap**2 + height**2)
        real = matrix.right.T @ ((gap * weight)[:, None] * matrix.left)
        imaginary = matrix.right.T @ ((height * weight)[:, None] * matrix.left)
        return complex(np.linalg.slogdet(np.eye(matrix.rank) - real + 1j * imaginary)[0])

    heights = [0.0, *np.geomspace(max(1e-2 * min(nearest, resolution), 1e-300), 1e3 * reach, 40)]
    points = [(height, direction(height)) for height in heights][::-1]
    before, total, used = points.pop(), 0.0, len(points)
    while points:
        turn = float(np.angle(points[-1][1] / before[1])) if before[1] and points[-1][1] else np.inf
        if abs(turn) <= TURN:
            total, before = total + turn, points.pop()
            continue
        low, high = before[0], points[-1][0]
        used += 1
        if used > POINTS or high - low <= 1e-3 * resolution:
            return None
        middle = np.sqrt(low * high) if low > 0 else high / 16
        points.append((middle, direction(middle)))
    turns = -(total - float(np.angle(before[1]))) / np.pi
    return int(np.count_nonzero(gap < 0)) + round(turns) if abs(turns - round(turns)) < 0.05 else None


def rightmost(matrix: DiagonalPlusLowRank, count: int, error: float) -> tuple[Complex, Vector]:
    """Eigenvalues from the right, `count` or fewer, and how far each may be off; not surely all of the rightmost.

    Parameters
    ----------
    matrix : DiagonalPlusLowRank
        Real.
    count : int
    error : float
        Of the matrix, in its norm.
    """
    n, order = len(matrix.diagonal), np.sort(matrix.diagonal)[::-1]
    start = np.random.default_rng(0).standard_normal(n)
    options = {"k": min(count, n - 3), "v0": start, "ncv": min(n - 1, max(KRYLOV, 4 * count))}
    plain = LinearOperator((n, n), matvec=lambda v: matrix @ v.ravel(), dtype=float)
    outer = _arnoldi(plain, which="LR", maxiter=RESTARTS, tol=1e-8, **options)
    spacing = max(order[0] - order[min(20, n - 1)], 1e-10 * (np.max(np.abs(order)) + 1e-300))
    shift = order[0] + spacing
    solve = matrix.plus(-shift).inverse()
    inverse = LinearOperator((n, n), matvec=lambda v: solve(v.ravel()), dtype=float)
    inner = _arnoldi(inverse, which="LM", tol=1e-12, maxiter=4 * KRYLOV, **options)
    found = [(complex(value), vector) for value, vector in outer]
    found += [(complex(shift + 1 / value), vector) for value, vector in inner]
    size = matrix.largest_row_sum()
    found = sorted((one for one in found if one[0].imag >= 0), key=lambda one: -one[0].real)[: 2 * count]
    values: list[complex] = []
    errors: list[float] = []
    for guess, vector in found:
        value, residual, condition = _refined(matrix, guess, vector, size)
        if all(abs(value - known) > 1e-9 * size for known in values):
            pair = [value] if abs(value.imag) <= 1e-9 * size else [value, value.conjugate()]
            values, errors = values + pair, errors + [condition * (error + residual)] * len(pair)
    chosen = np.argsort(-np.real(values), kind="stable")[:count]
    return np.array(values, dtype=complex)[chosen], np.array(errors)[chosen]


def _arnoldi(operator: LinearOperator, **options: Any) -> list[tuple[complex, Complex]]:
    """What has converged."""
    try:
        values, vectors = eigs(operator, **options)
    except ArpackNoConvergence as partial:
        values, vectors = partial.eigenvalues, partial.eigenvectors
    except ArpackError:
        return []
    return list(zip(values, vectors.T))


def _refined(
    matrix: DiagonalPlusLowRank, value: complex, right: Complex, size: float
) -> tuple[complex, float, float]:
    """An eigenvalue after inverse iteration from the right and the left, its residual and its condition number."""
    near = value + 1e-9 * max(abs(value), 1e-6 * size) * (1 + 1j)
    shifted = matrix.plus(-near)
    forward, backward = shifted.inverse(), shifted.T.inverse()
    left = np.conj(right)
    for _ in range(3):
        right, left = forward(right), backward(left)
        right, left = right / np.linalg.norm(right), left / np.linalg.norm(left)
    overlap = complex(left @ right)
    image = matrix @ right
    value = complex(left @ image) / overlap if abs(overlap) > EPS else value
    return value, float(np.linalg.norm(image - value * right)), 1 / max(abs(overlap), EPS)
