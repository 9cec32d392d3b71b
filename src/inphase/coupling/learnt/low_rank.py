"""A learnt coupling at large n: K ≈ L Rᵀ from a few of its rows and columns, with its error on rows held out.

K_μ is smooth in few variables, so that its rank is low. A small random block M_ST of the matrix M of
scores (of their exponentials where K is made of these) tells the rank and, by QR with column pivoting,
which columns J and rows I span the others. With orthonormal bases Q, P of M[:, J] and M[I, :]ᵀ the core
is the least-squares fit to the block,

    M ≈ Q X Pᵀ,   X = argmin |Q_S X P_Tᵀ − M_ST|,

a CUR decomposition whose core is sketched (Wang, Zhang, Zhang, *Towards more efficient SPSD matrix
approximation and CUR matrix decomposition*, JMLR 17, 2016). Normalizations act on the factors: the sums
of rows are L (Rᵀ1), their squared 2-norms diag(L (RᵀR) Lᵀ), other norms are taken of the entries, by
blocks. The network is evaluated on O(n r) pairs. Of many nodes some are tried first: they tell the size
of the block and its target, so that all are seldom factorized twice. Where the tolerance is 1e-4 or more,
evaluation and factorization are in single precision; the coupling's factors are held in double precision,
and in single precision for sums over few harmonics.
"""

from __future__ import annotations

import warnings
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import qr

from inphase.checks import finite_number, integer
from inphase.coupling.base import Coupling
from inphase.coupling.factorized import ENTRIES, Factor, LowRank, basis, compressed, symmetric_part
from inphase.coupling.learnt.coupling import Learnt
from inphase.coupling.learnt.network import PairNetwork, feature_array
from inphase.coupling.learnt.normalization import SMALLEST, Normalization, Recipe, as_normalization
from inphase.coupling.words import Words
from inphase.kernels.product import THIN, thin_product
from inphase.kernels.threads import few_threads

TOLERANCE = 3e-3
EXACT_UP_TO = 4000  # nodes of which all pairs are taken
SAMPLE = 400  # rows and columns of the first block
LARGEST = 3200  # of the last
ROUNDS = 5
PILOT = 8000  # nodes that are tried first, where there are PILOTED or more
PILOTED = 32_000
KEPT = 60_000_000  # entries of a factor: 0.24 GB in single precision
SHIFTING = 32  # scores of a row that tell how large its exponentials are
HELD_OUT = 1_000_000  # pairs, about, of the rows that are held out
SINGLE_FROM = 1e-4  # tolerance from which the network is evaluated in single precision

Floats = NDArray[np.float64]


class LearntLowRank(LowRank):
    """A learnt coupling by its factors, and its distance from all pairs, measured on rows held out.

    Attributes
    ----------
    left, right : ndarray, shape (n, r)
        K = left rightᵀ.
    error, standard_error : float
        |K − L Rᵀ|/|K| in the Frobenius norm, from the rows held out, and its standard error from their
        spread.
    worst_row : float
        The largest relative error, in the 2-norm, of a row held out.
    scale_error : float
        Of the normalization. One norm of all: relative, of the sum of its powers; it comes on top of `error`.
        Norms of rows: root mean square, relative; it is part of `error`.
    rows : int
        How many rows were held out.
    tolerance : float
        What was asked for.
    reached : bool
        Whether `error` is within it.
    pairs : int
        On how many pairs the network was evaluated.
    """

    def __init__(
        self,
        left: Factor,
        right: Factor,
        normalization: Normalization,
        tolerance: float,
        found: dict[str, Any],
    ):
        super().__init__(left, right)
        self.normalization, self.tolerance = normalization, tolerance
        self.error: float = found["error"]
        self.standard_error: float = found["standard_error"]
        self.worst_row: float = found["worst_row"]
        self.scale_error: float = found["scale_error"]
        self.rows: int = found["rows"]
        self.pairs: int = found["pairs"]
        self.reached = self.error <= tolerance

    @cached_property
    def _single(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """L and Rᵀ as `thin_product` takes them."""
        return self.left.astype(np.float32), np.ascontiguousarray(self.right.T, dtype=np.float32)

    @property
    def precision(self) -> str:  # type: ignore[override]  # that of `product` for few harmonics
        """Single where the tolerance asks for no more."""
        return "float64" if self.tolerance < SINGLE_FROM else "float32"

    def product(self, waves: NDArray[np.float64]) -> NDArray[np.float64]:
        """L (Rᵀ waves).

        Of few columns in single precision, in half the time, where the tolerance asks for no more.
        """
        if self.precision == "float64" or waves.shape[-1] > THIN:
            return super().product(waves)
        left, right = self._single
        return np.stack([thin_product(left, thin_product(right, wave)) for wave in waves])

    def source(self) -> Words:
        """K as a function of features, nearly."""
        return Words(r"K_{ij} \approx K_\mu(x_i, x_j)", "K_ij ≈ K_μ(x_i, x_j)")

    def about(self) -> list[tuple[str, str]]:
        """Its rank, and the error of K that was measured."""
        return [
            ("coupling", "Learnt: a network on the features x of two nodes gives their K, here by factors"),
            ("rank", str(self.rank)),
            (
                "relative error of K",
                f"{self.error:.2g} ± {self.standard_error:.1g}, on {self.rows} rows held out",
            ),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Kind, factors and errors, for provenance."""
        names = (
            "tolerance",
            "reached",
            "error",
            "standard_error",
            "worst_row",
            "scale_error",
            "rows",
            "pairs",
        )
        return super().to_dict() | {"kind": "LearntLowRank"} | {name: getattr(self, name) for name in names}

    def __repr__(self) -> str:
        return f"LearntLowRank(n = {self.size}, rank {self.rank}, error {self.error:.1e} ± {self.standard_error:.0e})"


def automatic(
    network: PairNetwork,
    features: ArrayLike,
    normalization: str | Normalization = "degree",
    tolerance: float = TOLERANCE,
    exact_up_to: int = EXACT_UP_TO,
    seed: int = 0,
) -> Coupling:
    """The coupling of a network on features (n, m): all pairs up to `exact_up_to` nodes, of low rank beyond.

    Raises TypeError, ValueError as `factorize`, and warns if the tolerance was not reached.

    Examples
    --------
    >>> import numpy as np
    >>> from inphase.learn import problem, untrained
    >>> network = untrained(problem("case-1", hidden=(8,))).network
    >>> automatic(network, np.linspace(-1, 1, 600)[:, None], "degree", exact_up_to=500).size
    600
    """
    x = feature_array(features, network.features)
    if len(x) <= integer("exact_up_to", exact_up_to, least=0):
        return Learnt(network, x, normalization)
    found = factorize(network, x, normalization, tolerance, seed=seed)
    if not found.reached:
        message = (
            f"the coupling's error is {found.error:.1e} ± {found.standard_error:.0e} with rank {found.rank}"
        )
        warnings.warn(f"{message}; tolerance = {found.tolerance:g} was not reached", stacklevel=3)
    return found


def factorize(
    network: PairNetwork,
    features: ArrayLike,
    normalization: str | Normalization = "degree",
    tolerance: float = TOLERANCE,
    *,
    max_rank: int | None = None,
    seed: int = 0,
) -> LearntLowRank:
    """K ≈ L Rᵀ to a tolerance, the rank chosen for it, the error measured on random rows that took no part.

    Parameters
    ----------
    network : PairNetwork
    features : array_like, shape (n, m)
        n >= 10.
    normalization : str or Normalization
        As `Learnt` takes it. Norms other than the 2-norm and the sum of exponentials cost O(n² r), without
        the network.
    tolerance : float
        |K − L Rᵀ|/|K| in the Frobenius norm; below 1e-4 the network is evaluated in double precision.
    max_rank : int, optional
        Columns (and rows) of M that are taken at most; n/4 if not given, and 6e7 entries at most.
    seed : int
        Of the rows and columns that are tried, and of those held out.

    Returns
    -------
    LearntLowRank
        With `reached` False where the tolerance was not reached; it is then the last attempt.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, features are not as many as the network takes, or K cannot be normalized.

    Examples
    --------
    >>> import numpy as np
    >>> from inphase.learn import problem, untrained
    >>> network = untrained(problem("case-1", hidden=(8,))).network
    >>> found = factorize(network, np.linspace(-1, 1, 500)[:, None], "degree", 1e-2)
    >>> found.reached, found.rank < 10
    (True, True)
    """
    x = feature_array(features, network.features)
    n, rule = len(x), as_normalization(normalization)
    if network.has_lags:
        raise ValueError(
            "network must have scores only: its phase lags have no low-rank operator; take all pairs"
        )
    if n < 10:
        raise ValueError(
            f"features must be of at least 10 nodes, of fewer all pairs are little work; got {n}"
        )
    tolerance = finite_number("tolerance", tolerance, positive=True)
    most = max(
        1, min(n // 4, KEPT // n) if max_rank is None else min(n, integer("max_rank", max_rank, least=1))
    )
    rng, plan, pairs = np.random.default_rng(integer("seed", seed, least=0)), (0.6 * tolerance, SAMPLE), 0
    with few_threads(0):  # small matrices, for which BLAS's threads would wait for one another
        if n >= PILOTED:  # some of the nodes tell what all of them will need
            few = x[np.sort(rng.choice(n, PILOT, replace=False))]
            *_, pairs, plan = _attempts(
                _Entries(network, few, rule, tolerance), rng, 0.8 * tolerance, plan, most
            )
        attempt, measured, more, _ = _attempts(
            _Entries(network, x, rule, tolerance), rng, tolerance, plan, most
        )
    return LearntLowRank(attempt.left, attempt.right, rule, tolerance, measured | {"pairs": pairs + more})


def _attempts(
    entries: _Entries, rng: np.random.Generator, tolerance: float, plan: tuple[float, int], most: int
) -> tuple[_Attempt, dict[str, Any], int, tuple[float, int]]:
    """(the last attempt, its errors, pairs taken by all, its plan); each attempt asks for more.

    A plan is (what may be left of the first block, relative; rows of that block).
    """
    (target, size), n = plan, len(entries.x)
    for last in range(ROUNDS - 1, -1, -1):
        attempt = _Attempt(entries, rng, target, size, most)
        measured = attempt.measured()
        finished = (
            measured["error"] <= tolerance or attempt.columns >= most or attempt.size >= n - attempt.held
        )
        if finished or last == 0:
            break
        target *= max(0.2, 0.8 * tolerance / measured["error"])
        size = max(attempt.size, min(2 * attempt.size, LARGEST, 4 * most))
    return attempt, measured, entries.pairs, (target, attempt.size)


class _Entries:
    """M by blocks: the weights of the normalization, exponentials relative to a shift; counts the pairs."""

    def __init__(self, network: PairNetwork, x: Floats, rule: Normalization, tolerance: float) -> None:
        self.network, self.x, self.rule, self.pairs = network, x, rule, 0
        self.dtype = np.float32 if tolerance >= SINGLE_FROM else np.float64
        self.shift: Any = None  # of all: the first block's largest score
        if rule.recipe.exponential and rule.recipe.by_row:  # of each row: the largest of some of its scores
            some = x[np.linspace(0, len(x) - 1, min(len(x), SHIFTING)).astype(int)]
            self.shift = network.scores(x, some, dtype=self.dtype).max(axis=1, keepdims=True)
            self.pairs += len(x) * len(some)

    def block(self, rows: Any, columns: Any) -> Any:
        """M of these rows and columns, in the network's precision."""
        here, there = self.x[rows], self.x[columns]
        self.pairs += len(here) * len(there)
        values = self.network.scores(here, there, dtype=self.dtype)
        if self.shift is None:
            self.shift = np.max(values)
        return self.rule.recipe.weights(values, self.shift[rows] if np.ndim(self.shift) else self.shift)


class _Attempt:
    """One factorization: its own random block and rows held out; `left` and `right` are those of K."""

    def __init__(
        self, entries: _Entries, rng: np.random.Generator, target: float, size: int, most: int
    ) -> None:
        self.entries, self.rule, self.recipe = entries, entries.rule, entries.rule.recipe
        n = len(entries.x)
        self.target, order = target, rng.permutation(n)
        self.held = int(np.clip(HELD_OUT // n, min(16, n // 5), min(128, n // 5)))
        self.out, others = order[: self.held], order[self.held :]
        I, J, block, S, T = self._choose(others, rng, size, most)  # noqa: E741
        self.columns, self.size = len(J), len(S)
        left, right = self._cross(I, J, block, S, T)
        self._normalize(left, right)

    def _choose(self, others: Any, rng: np.random.Generator, size: int, most: int) -> Any:
        """Rows I and columns J of M that span the others to the target, and the block M_ST that told.

        It is four times larger.
        """
        T_order = rng.permutation(others)
        while True:
            S, T = others[:size], T_order[:size]
            block = self.entries.block(S, T).astype(float)
            weighted = block * self._weights(block)[:, None]
            J, I = (self._pivots(matrix) for matrix in (weighted, weighted.T))  # noqa: E741
            if max(len(I), len(J)) <= len(S) // 4 or len(S) >= min(len(others), LARGEST, 4 * most):
                return S[I[:most]], T[J[:most]], block, S, T
            size *= 2

    def _weights(self, block: Floats) -> Floats:
        """What a row counts for: as much as the others where each will be divided by its norm."""
        norms = np.linalg.norm(block, axis=1)
        return 1 / np.maximum(norms, SMALLEST) if self.recipe.by_row else np.ones(len(block))

    def _pivots(self, matrix: Floats) -> Any:
        """The columns that QR with pivoting takes until the rest is below the target, and some more."""
        triangle, order = qr(matrix, mode="r", pivoting=True)[:2]
        squares = np.cumsum((triangle**2).sum(axis=1)[::-1])[::-1]
        count = int(np.count_nonzero(squares > (self.target**2) * squares[0]))
        return order[: count + count // 10 + 3]

    def _cross(self, I: Any, J: Any, block: Floats, S: Any, T: Any) -> tuple[Factor, Factor]:  # noqa: E741
        """Factors of M: bases of its columns J and rows I, and the core that fits the block best."""
        everyone = slice(None)
        Q = basis(self.entries.block(everyone, J))[0]
        P = basis(self.entries.block(I, everyone).T)[0]
        weights, tiny = self._weights(block)[:, None], 10 * np.finfo(self.entries.dtype).eps
        core = (
            np.linalg.pinv(Q[S] * weights, rcond=tiny)
            @ (block * weights)
            @ np.linalg.pinv(P[T], rcond=tiny).T
        )
        return Q @ core.astype(Q.dtype), P

    def _normalize(self, left: Factor, right: Factor) -> None:
        """K's factors from M's, in place; `scales` is what row i of M was divided by."""
        n, rule, recipe = len(left), self.rule, self.recipe
        norms = np.ones(n) if recipe.normed == "nothing" else _norms(left, right, recipe, self.entries.dtype)
        self.powers = norms**recipe.power
        if recipe.by_all:
            mean = float(np.mean(self.powers))
            if not mean > 0:
                raise ValueError(f"the norm of all weights must be positive; its factors give {n * mean:g}")
            norms = np.full(n, recipe.root(mean))
        self.scales = (norms if recipe.by_all else np.maximum(norms, SMALLEST)) * rule.divisor(n)
        left /= self.scales[:, None].astype(left.dtype)
        left, right = compressed(left, right, self.target / 2)
        self.left, self.right = (
            symmetric_part(left, right, self.target / 2) if rule.symmetric else (left, right)
        )

    def measured(self) -> dict[str, Any]:
        """The errors on the rows that were held out."""
        out, everyone, n = self.out, slice(None), len(self.entries.x)
        exact = self.entries.block(out, everyone).astype(float)
        norms = np.linalg.norm(exact, self.recipe.power, axis=1)
        scales = self.scales.copy()
        if self.recipe.by_row:
            scales[out] = np.maximum(norms, SMALLEST) * self.rule.divisor(n)
        exact /= scales[out, None]
        if self.rule.symmetric:
            exact += (self.entries.block(everyone, out) / scales[:, None]).T
            exact /= 2
        found = (self.left[out] @ self.right.T).astype(float)
        missed, size = ((found - exact) ** 2).sum(axis=1), (exact**2).sum(axis=1)
        ratio = missed.sum() / max(size.sum(), SMALLEST**2)
        spread = np.std(missed - ratio * size, ddof=1) / np.sqrt(len(out)) / max(size.mean(), SMALLEST**2)
        error = float(np.sqrt(ratio))
        return {
            "error": error,
            "standard_error": float(spread / (2 * error)) if error else 0.0,
            "worst_row": float(np.sqrt(np.max(missed / np.maximum(size, SMALLEST**2)))),
            "scale_error": self._scale_error(norms**self.recipe.power, scales),
            "rows": len(out),
        }

    def _scale_error(self, powers: Floats, scales: Floats) -> float:
        """How far the normalization is off: of the sum that is the norm of all, or of the rows' norms."""
        if self.recipe.by_all:
            return float(abs(np.mean(powers - self.powers[self.out]) / np.mean(self.powers)))
        return float(np.sqrt(np.mean((self.scales[self.out] / scales[self.out] - 1) ** 2)))


def _norms(left: Factor, right: Factor, recipe: Recipe, dtype: Any) -> Floats:
    """The norm of each row of L Rᵀ, in closed form where there is one."""
    if recipe.exponential and recipe.power == 1:
        return np.asarray(left @ right.sum(axis=0, dtype=float))
    if recipe.power == 2:
        return np.asarray(
            np.sqrt(np.maximum(((left @ (right.T @ right)) * left).sum(axis=1), 0.0)), dtype=float
        )
    step, thin = max(1, ENTRIES // len(left)), right.T.astype(dtype)
    starts = range(0, len(left), step)
    rows = (np.abs(left[low : low + step].astype(dtype) @ thin) for low in starts)
    parts = [(row**recipe.power).sum(axis=1, dtype=float) for row in rows]
    return np.asarray(recipe.root(np.concatenate(parts)))
