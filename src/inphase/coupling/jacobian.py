"""The Jacobian of a rank-one coupling: diagonal + low rank, held by its moments.

J_ij = d_i δ_ij + c_j Re Σ_k A_k(i) e^{ik(θ_i − θ_j)},   A_k(i) = Σ_s α_s(i) ik F_sk,   k = 1..m,

with one term s for f and one for the gain. Multiplying and solving cost O(n·m + m³): the inner products of
Woodbury's formula are moments of order up to 2m, so no matrix of n rows is ever formed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inphase.kernels import fourier
from inphase.kernels.terms import Factors, Field, Term
from inphase.types import Square, Vector

PIVOTS = 48  # small diagonal entries that an elimination leaves to the small matrix
SMALL = 1e-3  # of the largest: such diagonal entries are small
VANISHING = 1e-9  # of the largest: entries by which nothing is divided
ROWS = 8  # of a large matrix that are looked up where its largest is sought


@dataclass(frozen=True)
class LowRankJacobian:
    """diag(d) + c_j Re Σ_k A_k(i) e^{ik(θ_i − θ_j)}.

    Parameters
    ----------
    phases, diagonal, weights : arrays, shape (n,)
        θ, d and c.
    factors : sequence of arrays, shape (n,) or (1,)
        α_s(i).
    modes : sequence of complex arrays, shape (m + 1,)
        ik F_sk, k = 0..m (the first entry is zero: a derivative has no mean).
    """

    phases: Vector
    diagonal: Vector
    weights: Vector
    factors: Sequence[Vector]
    modes: Sequence[NDArray[np.complex128]]

    @property
    def rank(self) -> int:
        """2m: the rank of the second part (at most)."""
        return 2 * (max(len(modes) for modes in self.modes) - 1)

    def low_rank(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(left, right), both (n, 2m): the second part is left @ right.T."""
        k = np.arange(1, self.rank // 2 + 1)
        wave = np.exp(1j * np.outer(self.phases, k))
        left = np.zeros(wave.shape, dtype=complex)
        for factor, modes in zip(self.factors, self.modes):
            left[:, : len(modes) - 1] += factor[:, None] * modes[1:] * wave[:, : len(modes) - 1]
        right = self.weights[:, None] * wave
        return np.hstack([left.real, left.imag]), np.hstack([right.real, right.imag])

    def dense(self) -> Square:
        """The matrix, (n, n)."""
        left, right = self.low_rank()
        return np.diag(self.diagonal) + left @ right.T

    def __matmul__(self, vector: Vector) -> Vector:
        return self.diagonal * vector + self._spread(self._project(vector * self.weights))

    def growth_exceeds(self, rate: float) -> bool:
        """Whether a mode grows faster than `rate`: exact where J is symmetric in some metric (gradient flows)."""
        if float(np.max(self.diagonal)) >= rate:
            return True
        system = self._inner_system(1.0 / (rate - self.diagonal))
        return bool(np.min(np.linalg.eigvals(system).real) <= 0)

    def solver(self, shift: float) -> Callable[[Vector], Vector]:
        """right side -> u of (shift · I − J) u = right side; `shift` must exceed the whole diagonal.

        Raises
        ------
        np.linalg.LinAlgError
            If it does not.
        """
        from scipy.linalg import lu_factor, lu_solve

        inverse = 1.0 / _above(shift, self.diagonal)
        factored = lu_factor(self._inner_system(inverse), check_finite=False)
        m = self.rank // 2

        def solve(right: Vector) -> Vector:
            y = self._project(right * inverse * self.weights)
            solved = lu_solve(factored, np.concatenate([y.real, y.imag]), check_finite=False)
            return (right + self._spread(solved[:m] + 1j * solved[m:])) * inverse

        return solve

    def _inner_system(self, inverse: Vector) -> NDArray[np.float64]:
        """Woodbury's small matrix, real (2m, 2m), for the diagonal 1/inverse.

        Y_l = Σ_j c_j e^{−ilθ_j} u_j obeys Y_l = y_l + ½ Σ_k (a_k T_{k−l} Y_k + conj(a_k) T_{−k−l} conj(Y_k)),
        where T_p are moments with the weights α c · inverse.
        """
        m = self.rank // 2
        k = np.arange(1, m + 1)
        difference = k[None, :] - k[:, None]
        holomorphic, conjugate = np.zeros((2, m, m), dtype=complex)
        for factor, modes in zip(self.factors, self.modes):
            moments = fourier.moments(self.phases[None], self.weights * inverse * factor, 2 * m)[0]
            a = np.zeros(m, dtype=complex)
            a[: len(modes) - 1] = modes[1:]
            toeplitz = np.where(
                difference >= 0, moments[np.abs(difference)], moments[np.abs(difference)].conj()
            )
            hankel = moments[k[None, :] + k[:, None]].conj()
            holomorphic += 0.5 * toeplitz * a
            conjugate += 0.5 * hankel * a.conj()
        plus, minus = holomorphic + conjugate, holomorphic - conjugate
        return np.asarray(np.eye(2 * m) - np.block([[plus.real, -minus.imag], [plus.imag, minus.real]]))

    def _project(self, values: Vector) -> NDArray[np.complex128]:
        """Σ_j values_j e^{−ilθ_j}, l = 1..m."""
        return np.asarray(fourier.moments(self.phases[None], values, self.rank // 2)[0, 1:].conj())

    def _spread(self, projections: NDArray[np.complex128]) -> Vector:
        """Re Σ_k A_k(i) e^{ikθ_i} Y_k."""
        total = np.zeros_like(self.phases)
        for factor, modes in zip(self.factors, self.modes):
            coefficients = np.zeros((1, len(modes)), dtype=complex)
            coefficients[0, 1:] = modes[1:] * projections[: len(modes) - 1]
            term = np.empty((1, len(total)))
            fourier.evaluate(self.phases[None], coefficients, term)
            total += factor * term[0]
        return total


@dataclass(frozen=True)
class DiagonalPlusLowRank:
    """diag(d) + left @ right.T, for couplings of several mean fields, and for linear algebra of any low rank.

    Parameters
    ----------
    diagonal : ndarray, shape (n,)
        Complex where the matrix is shifted by a complex number.
    left, right : ndarray, shape (n, q)
    """

    diagonal: NDArray[Any]
    left: NDArray[np.float64]
    right: NDArray[np.float64]

    @property
    def rank(self) -> int:
        """q: the rank of the second part (at most)."""
        return int(self.left.shape[1])

    @property
    def T(self) -> DiagonalPlusLowRank:
        """The transpose."""
        return DiagonalPlusLowRank(self.diagonal, self.right, self.left)

    def low_rank(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(left, right)."""
        return self.left, self.right

    def dense(self) -> Square:
        """The matrix, (n, n)."""
        return np.diag(self.diagonal) + self.left @ self.right.T

    def __matmul__(self, other: Any) -> Any:
        """With a vector (n,), or with another matrix of this kind, which gives one of the ranks' sum."""
        if not isinstance(other, DiagonalPlusLowRank):
            return self.diagonal * other + self.left @ (self.right.T @ other)
        first = self.diagonal[:, None] * other.left + self.left @ (self.right.T @ other.left)
        return DiagonalPlusLowRank(
            self.diagonal * other.diagonal,
            np.hstack([first, self.left]),
            np.hstack([other.right, other.diagonal[:, None] * self.right]),
        )

    def plus(
        self, shift: Any = 0.0, column: Vector | None = None, row: Vector | None = None
    ) -> DiagonalPlusLowRank:
        """shift · I more, and column · rowᵀ where these are given."""
        if column is None or row is None:
            return DiagonalPlusLowRank(self.diagonal + shift, self.left, self.right)
        left, right = np.column_stack([self.left, column]), np.column_stack([self.right, row])
        return DiagonalPlusLowRank(self.diagonal + shift, left, right)

    def rows(self, which: NDArray[np.int64]) -> NDArray[np.float64]:
        """Some rows of the matrix, (rows, n)."""
        found = self.left[which] @ self.right.T
        found[np.arange(len(which)), which] += self.diagonal[which]
        return np.asarray(found)

    def largest_row_sum(self) -> float:
        """The largest sum of moduli over a row, among the rows for which the parts allow the largest."""
        bound = np.abs(self.diagonal) + np.abs(self.left) @ np.abs(self.right).sum(axis=0)
        return float(np.max(np.abs(self.rows(largest(bound, ROWS))).sum(axis=1)))

    def inverse(self) -> Callable[[Any], Any]:
        """right side -> solution of (diag(d) + left @ right.T) u = right side, O(n q² + q³) once and O(n q) each.

        Block elimination: the unknowns with a small diagonal entry, where Woodbury's formula would divide by
        it, stay in a small system together with right.T @ u. The solution is refined once.

        Raises
        ------
        np.linalg.LinAlgError
            If more than 48 diagonal entries vanish, or the small system is singular.
        """
        from scipy.linalg import get_lapack_funcs

        small = small_entries(self.diagonal)
        k = len(small)
        divisor = self.diagonal.copy()
        divisor[small] = np.inf
        spread = self.left / divisor[:, None]
        corner = np.eye(k + self.rank, dtype=spread.dtype)
        corner[np.arange(k), np.arange(k)] = self.diagonal[small]
        corner[:k, k:] = self.left[small]
        corner[k:, :k] = -self.right[small].T
        corner[k:, k:] += self.right.T @ spread
        factor, substitute = get_lapack_funcs(("getrf", "getrs"), (corner,))
        lower, pivots, zero = factor(corner)
        if zero:
            raise np.linalg.LinAlgError("the matrix is singular")

        def once(right: Any) -> Any:
            first = right / divisor
            inner = substitute(lower, pivots, np.concatenate([right[small], self.right.T @ first]))[0]
            found = first - spread @ inner[k:]
            found[small] = inner[:k]
            return found

        def solve(right: Any) -> Any:
            found = once(right)
            return found + once(right - self @ found)

        return solve

    def growth_exceeds(self, rate: float) -> bool:
        """Whether a mode grows faster than `rate`: exact where J is symmetric in some metric."""
        if float(np.max(self.diagonal)) >= rate:
            return True
        small = np.eye(self.rank) - self.right.T @ (self.left / (rate - self.diagonal)[:, None])
        return bool(np.min(np.linalg.eigvals(small).real) <= 0)

    def solver(self, shift: float) -> Callable[[Vector], Vector]:
        """right side -> solution of (shift · I − J) u = right side, by Woodbury's formula.

        Raises
        ------
        np.linalg.LinAlgError
            If the shift does not exceed the diagonal everywhere.
        """
        from scipy.linalg import lu_factor, lu_solve

        inverse = 1.0 / _above(shift, self.diagonal)
        spread = inverse[:, None] * self.left
        factored = lu_factor(np.eye(self.rank) - self.right.T @ spread, check_finite=False)

        def solve(right: Vector) -> Vector:
            first = inverse * right
            return np.asarray(first + spread @ lu_solve(factored, self.right.T @ first, check_finite=False))

        return solve


def factors_of(term: Term) -> Factors:
    """A mean field of pairs, or a matrix of low rank, by its factors."""
    assert isinstance(term, Field | Factors)
    return term if isinstance(term, Factors) else Factors(term.weights[:, None], term.columns[:, None])


def largest(values: Any, count: int) -> NDArray[np.int64]:
    """The places of the largest values, `count` at most, in no order."""
    if len(values) <= count:
        return np.arange(len(values))
    return np.argpartition(values, len(values) - count)[len(values) - count :]


def small_entries(diagonal: Any, scale: float = 0.0) -> NDArray[np.int64]:
    """The places of entries that are small beside the largest (or `scale`), 48 at most.

    Raises
    ------
    np.linalg.LinAlgError
        If more vanish.
    """
    size = np.abs(diagonal)
    scale = max(scale, float(np.max(size)))
    found = largest(-size, PIVOTS + 1)
    found = found[size[found] <= SMALL * scale]
    if len(found) > PIVOTS:
        last = int(np.argmax(size[found]))
        if size[found[last]] <= VANISHING * scale:
            raise np.linalg.LinAlgError(f"more than {PIVOTS} entries of the diagonal vanish")
        found = np.delete(found, last)
    return np.asarray(found)


def _above(shift: float, diagonal: Vector) -> Vector:
    """shift − diagonal, where that is positive everywhere."""
    found = shift - diagonal
    if np.min(found) <= 0:
        raise np.linalg.LinAlgError(
            f"the shift {shift:g} is below the diagonal's maximum {np.max(diagonal):g}"
        )
    return np.asarray(found)


def factored_jacobian(
    terms: Sequence[Term],
    phases: Vector,
    diagonal: Vector,
    factors: Sequence[Vector],
    modes: Sequence[NDArray[np.complex128]],
) -> LowRankJacobian | DiagonalPlusLowRank:
    """The Jacobian of mean fields and matrices of low rank, Σ_s α_s(i) K_ij f_s'(θ_i − θ_j) + d_i δ_ij.

    Parameters
    ----------
    terms : sequence of Field and Factors
        What K is.
    phases, diagonal : ndarray, shape (n,)
    factors : sequence of arrays, shape (n,) or (1,)
        α_s(i).
    modes : sequence of complex arrays, shape (m + 1,)
        ik F_sk, k = 0..m.
    """
    if len(terms) == 1 and isinstance(terms[0], Field):
        rows, columns, _ = terms[0]
        return LowRankJacobian(phases, diagonal, np.array(columns), [a * rows for a in factors], modes)
    lefts, rights = [], []
    for term in terms:
        one = factors_of(term)
        for listens, heard in zip(one.left.T, one.right.T):
            part = LowRankJacobian(phases, diagonal, heard, [a * listens for a in factors], modes).low_rank()
            lefts.append(part[0])
            rights.append(part[1])
    return DiagonalPlusLowRank(diagonal, np.hstack(lefts), np.hstack(rights))
