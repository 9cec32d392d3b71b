"""K ≈ L Rᵀ, a matrix of low rank held by its factors: sums over n oscillators in O(n·r·m), memory O(n·r).

Σ_j K_ij e^{ikφ_j} = L (Rᵀ e^{ikφ}): two thin products per harmonic, never n² numbers.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import qr

from inphase.checks import finite_array
from inphase.coupling.dense import Product
from inphase.coupling.summing import LISTED
from inphase.coupling.words import Keep
from inphase.kernels.terms import Factors, Term
from inphase.types import Square

Factor = NDArray[Any]  # (n, r); float64 in a coupling
ENTRIES = 4_000_000  # of K that are held at once where all are looked at
TALL = 20  # rows for each column, from which a basis is made by Gram matrices
NOISE = 1e-6  # relative, of singular values in single precision
ROUNDING = 1e-12  # relative to |K|: what may be asymmetric


class LowRank(Product):
    """K = L Rᵀ: K_ij = Σ_k left_ik · right_jk.

    Parameters
    ----------
    left : array_like, shape (n, r)
        How i listens; any sign.
    right : array_like, shape (n, r)
        How j is heard; any sign.

    Raises
    ------
    ValueError
        If the factors are not of one shape (n, r) with n, r >= 1, or hold NaN or infinity.
    TypeError
        If they do not hold real numbers.

    Examples
    --------
    >>> from inphase.coupling.factorized import LowRank
    >>> LowRank([[1, 0], [0, 1]], [[2, 1], [1, 2]]).matrix(2)
    array([[2., 1.],
           [1., 2.]])
    """

    def __init__(self, left: ArrayLike, right: ArrayLike) -> None:
        self.left: Factor = np.ascontiguousarray(finite_array("left", left))
        self.right: Factor = np.ascontiguousarray(finite_array("right", right))
        if self.left.ndim != 2 or not self.left.size:
            raise ValueError(f"left must have shape (n, r) with n, r >= 1; got shape {self.left.shape}")
        if self.right.shape != self.left.shape:
            raise ValueError(
                f"left and right must have the same shape; got {self.left.shape} and {self.right.shape}"
            )

    @property
    def size(self) -> int | None:
        """The number of oscillators."""
        return len(self.left)

    @property
    def rank(self) -> int:
        """r, the number of columns of a factor; the rank of K at most."""
        return int(self.left.shape[1])

    @cached_property
    def _totals(self) -> NDArray[np.float64]:
        """Σ_j K_ij."""
        return np.asarray(self.left @ self.right.sum(axis=0))

    def _blocks(self) -> Any:
        """K, some rows at a time."""
        step = max(1, ENTRIES // len(self.left))
        return (self.left[low : low + step] @ self.right.T for low in range(0, len(self.left), step))

    @cached_property
    def positive(self) -> bool:
        """Whether all entries are >= 0 and each row has one above 0: looked up in all, O(n² r), once."""
        return bool(np.all(self._totals > 0) and all(np.min(block) >= 0 for block in self._blocks()))

    @cached_property
    def symmetric(self) -> bool:
        """Whether K = Kᵀ up to rounding, 1e-12 |K|."""
        triangle: Any = np.linalg.qr(np.hstack([self.left, self.right]), mode="r")
        product = triangle[:, : self.rank] @ triangle[:, self.rank :].T
        return bool(np.linalg.norm(product - product.T) <= ROUNDING * np.linalg.norm(product))

    def matrix(self, n: int) -> Square:
        """K as a dense matrix, (n, n)."""
        self.check_size(n)
        return np.asarray(self.left @ self.right.T)

    def terms(self, n: int) -> list[Term]:
        """The factors."""
        self.check_size(n)
        return [Factors(self.left, self.right)]

    def code(self, keep: Keep) -> str:
        """ip.LowRank of its factors."""
        return f"ip.LowRank({keep('left', self.left)}, {keep('right', self.right)})"

    def product(self, waves: NDArray[np.float64]) -> NDArray[np.float64]:
        """L (Rᵀ waves)."""
        return np.asarray(np.matmul(self.left, np.matmul(self.right.T, waves)))

    def tables(self) -> list[dict[str, Any]]:
        """The factors."""
        if 2 * self.left.size > LISTED:
            return super().tables()
        return [{"kind": "low-rank", "left": self.left.tolist(), "right": self.right.tolist()}]

    def to_dict(self) -> dict[str, Any]:
        """Kind and factors (a checksum of more than 10,000 numbers), for provenance."""
        if 2 * self.left.size <= LISTED:
            return {"kind": "LowRank", "left": self.left.tolist(), "right": self.right.tolist()}
        digest = hashlib.sha256(self.left.data)
        digest.update(self.right.data)
        return {"kind": "LowRank", "n": len(self.left), "rank": self.rank, "sha256": digest.hexdigest()}

    def __repr__(self) -> str:
        return f"LowRank(n = {self.size}, rank {self.rank})"


def compressed(left: Factor, right: Factor, tolerance: float = 0.0) -> tuple[Factor, Factor]:
    """Factors of L Rᵀ with as few columns as keep it to `tolerance` · |L Rᵀ| in the Frobenius norm, O(n r²).

    By the singular values of the product of the triangles of two QR factorizations; one column stays.

    Parameters
    ----------
    left, right : ndarray, shape (n, r)
    tolerance : float

    Returns
    -------
    (left, right) : ndarrays, shape (n, q), q <= r
    """
    (Q, A), (P, B) = basis(left), basis(right)
    U, values, V = np.linalg.svd(A.astype(float) @ B.T, full_matrices=False)
    q, root = _kept(values, tolerance), np.sqrt(values)
    return Q @ (U[:, :q] * root[:q]).astype(Q.dtype), P @ (V[:q].T * root[:q]).astype(P.dtype)


def symmetric_part(left: Factor, right: Factor, tolerance: float = 0.0) -> tuple[Factor, Factor]:
    """Factors of (L Rᵀ + R Lᵀ)/2, compressed as `compressed` does and still symmetric.

    By the eigenvalues λ of the small matrix in the basis of [L, R]: right = left · sign λ.

    Parameters
    ----------
    left, right : ndarray, shape (n, r)
    tolerance : float

    Returns
    -------
    (left, right) : ndarrays, shape (n, q), q <= 2 r
    """
    Q, A = basis(np.hstack([left, right]))
    r = left.shape[1]
    half = A[:, :r].astype(float) @ A[:, r:].T / 2
    values, vectors = np.linalg.eigh(half + half.T)
    order = np.argsort(-np.abs(values), kind="stable")
    chosen = order[: _kept(np.abs(values[order]), tolerance)]
    found = Q @ (vectors[:, chosen] * np.sqrt(np.abs(values[chosen]))).astype(Q.dtype)
    return found, found * np.where(values[chosen] < 0, -1.0, 1.0).astype(Q.dtype)


def basis(matrix: Any) -> Any:
    """(Q, A) with orthonormal columns Q and Q A = matrix, (n, r), in its own precision.

    Of tall matrices in single precision by Gram matrices in double precision, twice, as in Cholesky QR
    (Yamamoto et al., *Roundoff error analysis of the CholeskyQR2 algorithm*, ETNA 44, 2015): half the time.
    Directions below 1e-6 of the largest singular value, which single precision does not hold, are left out.
    """
    if matrix.dtype != np.float32 or len(matrix) < TALL * matrix.shape[1]:
        return qr(matrix, mode="economic", check_finite=False)
    values, vectors = np.linalg.eigh(_gram(matrix))
    if not values[-1] > 0:
        return qr(matrix, mode="economic", check_finite=False)
    kept = values > NOISE**2 * values[-1]
    roots, vectors = np.sqrt(values[kept]), vectors[:, kept]
    Q = matrix @ (vectors / roots).astype(np.float32)
    values, turns = np.linalg.eigh(_gram(Q))  # near 1
    A = (turns * np.sqrt(values)) @ turns.T @ (roots[:, None] * vectors.T)
    return Q @ ((turns / np.sqrt(values)) @ turns.T).astype(np.float32), A.astype(np.float32)


def _gram(matrix: Any) -> NDArray[np.float64]:
    """matrixᵀ matrix in double precision, some rows at a time."""
    found, step = np.zeros((matrix.shape[1],) * 2), max(1, ENTRIES // matrix.shape[1])
    for low in range(0, len(matrix), step):
        rows = matrix[low : low + step].astype(float)
        found += rows.T @ rows
    return found


def _kept(values: NDArray[np.float64], tolerance: float) -> int:
    """How many of the descending values must stay so that the others' norm is <= tolerance · that of all."""
    tails = np.sqrt(np.cumsum(values[::-1] ** 2)[::-1])
    least = max(tolerance, np.finfo(float).eps) * tails[0]
    return max(1, int(np.count_nonzero(tails > least)))
