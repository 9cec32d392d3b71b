"""Eigenvalues of symmetric matrices of the form diagonal + low rank: counted exactly, and the leading ones.

Sylvester's law of inertia, applied to both ways of eliminating one block of

    [ D − σ   V ]
    [  Vᵀ    −ε ]

gives the number of eigenvalues of D + V ε Vᵀ above σ from the signs of D − σ and those of a matrix as small as the
rank. The entries of D next to σ are not eliminated but stay in the small matrix, so nothing is divided by a small
number. The eigenvalues of the small matrix fall as σ grows: each eigenvalue of the large one is the root of one
of them. Nothing can be missed, whatever the clusters.

Golub, *Some modified matrix eigenvalue problems*, SIAM Review 15 (1973); Bunch, Nielsen, Sorensen, *Rank-one
modification of the symmetric eigenproblem*, Numerische Mathematik 31 (1978), for the deflation of equal entries.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.optimize import brentq

from inphase.coupling.jacobian import PIVOTS, SMALL, DiagonalPlusLowRank, largest
from inphase.types import Vector

Array = NDArray[np.float64]
EPS = float(np.finfo(float).eps)
ASYMMETRY = 1e-12  # of the low-rank part, up to which a matrix counts as symmetric
EQUAL = 4 * EPS  # of the largest modulus: diagonal entries closer than that are one


class Symmetric:
    """diag(d) + V ε Vᵀ, ε = ±1, with the same eigenvalues as a matrix that is symmetric in some metric.

    Parameters
    ----------
    diagonal : ndarray, shape (n,)
    factors : ndarray, shape (n, q)
        V.
    signs : ndarray, shape (q,)
        ε.
    error : float
        How far the eigenvalues may be off for what was left out: asymmetry, and the distance of entries that
        were taken as equal.
    """

    def __init__(self, diagonal: Vector, factors: Array, signs: Vector, error: float = 0.0) -> None:
        self.signs, self.error = signs, error
        self.size = float(np.max(np.abs(diagonal), initial=0.0) + np.sum(factors**2, axis=0).max(initial=0.0))
        self.error += EQUAL * self.size
        self.diagonal, self.factors, self.apart = _coupled(diagonal, factors, EQUAL * self.size or 1.0)

    @classmethod
    def of(cls, matrix: DiagonalPlusLowRank, turn: Vector) -> Symmetric | None:
        """The symmetric form of a matrix on the quotient by its null vector `turn`; None where there is none.

        Tried are the metric 1 and that in which the rows of both factors are equally long: the one of rank-one
        couplings and of dampings. The null vector's eigenvalue 0 is moved far to the left, where it is last.
        """
        lengths = [np.linalg.norm(part, axis=1) for part in (matrix.right, matrix.left)]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = lengths[0] / lengths[1]
        metrics = [np.ones(len(turn))] + ([ratio] if np.all(np.isfinite(ratio)) and np.all(ratio > 0) else [])
        for metric in metrics:
            root = np.sqrt(metric)
            basis, both = linalg.qr(
                np.hstack([root[:, None] * matrix.left, matrix.right / root[:, None]]),
                mode="economic",
                check_finite=False,
            )
            inner = both[:, : matrix.rank] @ both[:, matrix.rank :].T
            skew = float(np.linalg.norm(inner - inner.T)) / 2
            if skew > ASYMMETRY * np.linalg.norm(inner):
                continue
            values, vectors = np.linalg.eigh((inner + inner.T) / 2)
            kept = np.abs(values) > EPS * np.max(np.abs(values), initial=0.0)
            factors, signs = basis @ (vectors[:, kept] * np.sqrt(np.abs(values[kept]))), np.sign(values[kept])
            if np.any(turn):
                null = root * turn / np.linalg.norm(root * turn)
                far = 4 * (np.max(np.abs(matrix.diagonal)) + np.max(np.abs(values), initial=0.0)) or 1.0
                factors, signs = np.column_stack([factors, np.sqrt(far) * null]), np.append(signs, -1.0)
            return cls(matrix.diagonal, factors, signs, skew)
        return None

    def above(self, value: float) -> int:
        """How many eigenvalues are above a value, which should not be one."""
        gap = self.diagonal - value
        apart = int(np.count_nonzero(self.apart > value))
        near = largest(-np.abs(gap), PIVOTS + len(self.signs))
        near = near[np.abs(gap[near]) <= SMALL * self.size]
        small = self._small(value, near)
        inside = int(np.count_nonzero(np.linalg.eigvalsh(small) > 0))
        beyond = int(np.count_nonzero(np.delete(gap, near) > 0))
        return apart + beyond + inside - int(np.count_nonzero(self.signs < 0))

    def leading(self, count: int) -> Array:
        """The `count` largest eigenvalues, descending."""
        if not len(self.diagonal):
            return np.sort(self.apart)[::-1][:count]
        n, negative = len(self.diagonal), int(np.count_nonzero(self.signs < 0))
        wanted = min(count, n)
        order = np.sort(self.diagonal)[::-1]
        norms = [float(np.sum(self.factors[:, self.signs == sign] ** 2)) for sign in (1.0, -1.0)]
        # interlacing: the k-th is at least the (k + negative)-th entry
        low = order[wanted + negative - 1] if wanted + negative <= n else order[-1] - norms[1]
        low, high = low - EQUAL * self.size, order[0] + norms[0] + EQUAL * self.size
        top = largest(self.diagonal, wanted + negative + len(self.signs) + 8)

        def small_eigenvalue(value: float, k: int) -> float:
            return float(np.linalg.eigvalsh(self._small(value, top))[-(negative + k)])

        found = []
        for k in range(1, wanted + 1):
            if small_eigenvalue(low, k) <= 0:
                found += [low] * (wanted - k + 1)
                break
            if small_eigenvalue(high, k) < 0:
                high = float(
                    brentq(small_eigenvalue, low, high, args=(k,), xtol=EPS * self.size, rtol=4 * EPS)
                )
            found.append(high)
        return np.sort(np.concatenate([found, self.apart]))[::-1][:count]

    def _small(self, value: float, kept: NDArray[np.int64]) -> Array:
        """What is left of the matrix above when all of D but the entries `kept` is eliminated."""
        k = len(kept)
        gap = self.diagonal - value
        corner = np.zeros((k + len(self.signs), k + len(self.signs)))
        corner[np.arange(k), np.arange(k)] = gap[kept]
        corner[:k, k:], corner[k:, :k] = self.factors[kept], self.factors[kept].T
        gap[kept] = np.inf
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = 1 / gap
        if np.all(weights <= 0):  # a product with its own transpose is half the work
            scaled = np.sqrt(-weights)[:, None] * self.factors
            corner[k:, k:] = scaled.T @ scaled - np.diag(self.signs)
        else:
            corner[k:, k:] = -np.diag(self.signs) - self.factors.T @ (weights[:, None] * self.factors)
        return corner


def _coupled(diagonal: Vector, factors: Array, within: float) -> tuple[Vector, Array, Vector]:
    """(d, V, eigenvalues apart): of equal diagonal entries, a rotation leaves q that V reaches; the others are apart."""
    rank = factors.shape[1]
    group, size = np.unique(np.round(diagonal / within), return_inverse=True, return_counts=True)[1:]
    if not np.any(size > rank):
        return diagonal, factors, np.empty(0)
    order, ends = np.argsort(group, kind="stable"), np.cumsum(size)
    alone = np.concatenate(
        [order[e - s : e] for s, e in zip(size, ends) if s <= rank] or [np.empty(0, dtype=int)]
    )
    values, parts, apart = [diagonal[alone]], [factors[alone]], []
    for s, e in zip(size[size > rank], ends[size > rank]):
        same = order[e - s : e]
        mean = float(np.mean(diagonal[same]))
        values.append(np.full(rank, mean))
        parts.append(np.asarray(linalg.qr(factors[same], mode="r", check_finite=False)[0])[:rank])
        apart.append(np.full(s - rank, mean))
    return np.concatenate(values), np.concatenate(parts), np.concatenate(apart)
