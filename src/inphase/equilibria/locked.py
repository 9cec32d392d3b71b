"""The equations of states that turn as one body: dθ_i/dt = Ω for every i.

    F_i(φ, Ω) = (ω_i + b_i sin φ_i − (1/g_i) Σ_j K_ij f(φ_i − φ_j + Ω τ_ij)) / d_i − Ω = 0

In the frame that turns with Ω, what i hears of j is the phase of τ_ij ago, φ_j − Ω τ_ij. Where there is a
field no state can turn: Ω = 0, and delays are of no effect. Inertia and noise do not enter: equilibria are
those of the deterministic model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, sparse
from scipy.sparse.linalg import LinearOperator, splu

from inphase.checks import finite_number, finite_vector
from inphase.coupling.jacobian import DiagonalPlusLowRank, factors_of
from inphase.model import PhaseModel
from inphase.types import Vector

EPS = float(np.finfo(float).eps)
DENSE_JACOBIAN_BELOW = 300  # oscillators, for which a sparse Jacobian is not worth its overhead
LOW_RANK_FROM = 300  # oscillators in mean fields, for which a Jacobian held by factors is faster
RANK = 1e-11  # singular values below this share of the largest count as zero in a Newton step
LEAST_SQUARES_STEPS = 400  # of iterations where a Jacobian held by factors is singular


def locked_velocity(model: PhaseModel, phases: ArrayLike, frequency: float = 0.0) -> Vector:
    """dθ_i/dt of oscillators that have been turning with one frequency for long: φ_i + Ω t.

    Parameters
    ----------
    model : PhaseModel
        Its noise and inertia are left out.
    phases : array_like, shape (n,)
        φ, radians.
    frequency : float
        Ω, radians per unit of time; it matters only with delays.

    Returns
    -------
    ndarray, shape (n,)
        Radians per unit of time; a locked state has Ω everywhere.

    Raises
    ------
    ValueError, TypeError
        On bad input; with delays, for couplings whose terms are not pairs.

    Examples
    --------
    >>> import inphase as ip  # one oscillator that hears itself: Ω = ω − sin(Ω τ)
    >>> model = ip.PhaseModel(ip.kuramoto(), frequencies=1.0, delays=0.5)
    >>> locked_velocity(model, [0.0], 0.6).round(4)
    array([0.7045])
    """
    theta = finite_vector("phases", phases)
    return Locked(model, len(theta)).velocity(theta, finite_number("frequency", frequency))


class Locked:
    """F of a model of n oscillators, its derivatives, and Newton's step.

    Attributes
    ----------
    rotates : bool
        Whether a common turn of all phases changes nothing: then Ω is unknown, and one phase is free.
    late : bool
        Whether some pair that is joined has a delay.
    factored : bool
        Whether the Jacobian is taken as diagonal + low rank: O(n·rank) numbers, and no matrix of n columns.
    scale : float
        The size of the Jacobian (largest row sum of moduli) where forces are not small; rounding is relative
        to it.
    """

    def __init__(self, model: PhaseModel, n: int) -> None:
        model.check(np.zeros(n))
        model.check_fixed("equilibria and their stability")
        model.check_forces(n)
        if not model.g.smooth:
            raise ValueError(
                'equilibria need a gain of None or "softmax": the derivative of a callable gain is not known'
            )
        self.model, self.n = model, n
        self.rotates = not np.any(model.field)
        self.delayed = self.rotates and model.has_delays  # at rest, what was is what is
        self.late = False
        if model.has_delays:
            self._join_pairs()
            self.late = len(self._row) > 0
            self.delayed = self.delayed and self.late
        rank = rank_of(model, n)
        self.factored = n >= LOW_RANK_FROM and rank is not None and 4 * rank < n and not self.late
        generic = np.random.default_rng(n).uniform(0, 2 * np.pi, n)
        self.scale = max(row_sum(self.matrix(phases, 0.0)) for phases in (np.zeros(n), generic)) or 1.0

    def _join_pairs(self) -> None:
        joined = self.model.coupling.joined(self.n)
        self._row, self._column, self._strength, self._lag = joined
        delays = self.model.delays
        if sparse.issparse(delays) or delays.ndim == 2:
            found = delays[self._row, self._column]
            self._delay = np.asarray(
                found.toarray() if sparse.issparse(found) else found, dtype=float
            ).ravel()
        else:
            self._delay = np.broadcast_to(delays, self.n)[self._column]

    def velocity(self, phases: Vector, frequency: float) -> Vector:
        """dθ/dt, (n,)."""
        if not self.delayed:
            return np.asarray(self.model.flow(np.ascontiguousarray(phases), np.empty(self.n)))
        force, gain = self._pair_sums(self._gaps(phases, frequency))
        return np.asarray((self.model.frequencies - force / gain) / self.model.damping)

    def residual(self, phases: Vector, frequency: float) -> Vector:
        """F, (n,)."""
        return self.velocity(phases, frequency) - frequency

    def jacobian(self, phases: Vector, frequency: float) -> tuple[Any, Vector]:
        """(∂F/∂φ, ∂F/∂Ω): (n, n), an ndarray or a csr_array, and (n,)."""
        if not self.delayed:
            found = self.model.jacobian_at(phases)
            small = sparse.issparse(found) and self.n < DENSE_JACOBIAN_BELOW
            return found.toarray() if small else found, np.full(self.n, -1.0)
        row, column, weights, delays = self.linear_pairs(phases, frequency)
        off = sparse.csr_array((weights, (row, column)), shape=(self.n, self.n))
        total = off - sparse.diags_array(self._by_row(weights))
        dense = self.n < DENSE_JACOBIAN_BELOW or off.nnz > 0.2 * self.n**2
        return total.toarray() if dense else total.tocsr(), -self._by_row(weights * delays) - 1.0

    def matrix(self, phases: Vector, frequency: float) -> Any:
        """∂F/∂φ: a DiagonalPlusLowRank if `factored`, else as `jacobian` gives it."""
        if not self.factored:
            return self.jacobian(phases, frequency)[0]
        found = self.model.jacobian_low_rank(phases)
        return DiagonalPlusLowRank(found.diagonal, *found.low_rank())

    def linear_pairs(self, phases: Vector, frequency: float) -> tuple[Any, Any, Vector, Vector]:
        """(i, j, w, τ), one entry per pair, of the linearized model near a state.

        η_i' = (b_i cos φ_i/d_i) η_i − Σ_j w_ij (η_i(t) − η_j(t − τ_ij)).
        """
        gaps = self._gaps(phases, frequency)
        force, gain = self._pair_sums(gaps)
        slopes = [f.derivative()(gaps) for f in self._functions()]
        weights = slopes[0] / gain[self._row]
        if len(slopes) > 1:
            weights -= slopes[1] * (force / gain**2)[self._row]
        weights *= self._strength / np.broadcast_to(self.model.damping, self.n)[self._row]
        return self._row, self._column, weights, self._delay

    def _functions(self) -> list[Any]:
        return self.model.g.with_profile(self.model.interaction)

    def _gaps(self, phases: Vector, frequency: float) -> Vector:
        return np.asarray(phases[self._row] - phases[self._column] + frequency * self._delay + self._lag)

    def _pair_sums(self, gaps: Vector) -> tuple[Vector, Vector]:
        sums = [self._by_row(self._strength * f(gaps)) for f in self._functions()]
        return sums[0], sums[1] if len(sums) > 1 else np.ones(self.n)

    def _by_row(self, values: Vector) -> Vector:
        return np.asarray(np.bincount(self._row, weights=values, minlength=self.n), dtype=float)

    def bordered(self, phases: Vector, frequency: float) -> Any:
        """The derivative of (F, mean of φ) in (φ, Ω), (n + 1, n + 1), or ∂F/∂φ alone.

        Its border is scaled to the Jacobian. If `factored`, the border is folded in: ∂F/∂φ − scale · (the mean
        of), (n, n), is regular where the other is, and x with its mean a stands for φ = x − a, Ω = scale · a.
        """
        if self.factored:
            found, one = self.matrix(phases, frequency), np.ones(self.n)
            return found.plus(column=-self.scale / self.n * one, row=one) if self.rotates else found
        jacobian, column = self.jacobian(phases, frequency)
        if not self.rotates:
            return jacobian
        border = self.scale / np.sqrt(self.n)
        blocks = [[jacobian, border * column[:, None]], [np.full((1, self.n), border), np.zeros((1, 1))]]
        return sparse.block_array(blocks, format="csc") if sparse.issparse(jacobian) else np.block(blocks)

    def step(self, matrix: Any, residual: Vector) -> tuple[Vector, float]:
        """Newton's step (δφ, δΩ) from the bordered matrix; the shortest one where that is singular."""
        if self.factored:
            return self.parts(_factored_solve(matrix, -residual))
        right = np.append(-residual, 0.0) if self.rotates else -residual
        if sparse.issparse(matrix):
            found = _sparse_solve(matrix, right)
        else:
            found = linalg.lstsq(matrix, right, cond=RANK, lapack_driver="gelsy", check_finite=False)[0]
        return self.parts(found)

    def parts(self, unknowns: Vector) -> tuple[Vector, float]:
        """(δφ, δΩ) from the unknowns of the bordered matrix."""
        if not self.rotates:
            return unknowns, 0.0
        if self.factored:
            mean = float(np.mean(unknowns))
            return unknowns - mean, self.scale * mean
        return unknowns[: self.n], float(unknowns[-1]) * self.scale / np.sqrt(self.n)


def rank_of(model: PhaseModel, n: int) -> int | None:
    """The rank by which the Jacobian of n oscillators differs from a diagonal, where K is given by factors."""
    if not model.coupling.facts(n).factors:
        return None
    modes = max(len(f.modes) for f in model.g.with_profile(model.interaction)) - 1
    return 2 * modes * sum(int(factors_of(term).left.shape[1]) for term in model.coupling.terms(n))


def row_sum(matrix: Any) -> float:
    """The largest sum of moduli over a row."""
    if isinstance(matrix, DiagonalPlusLowRank):
        return matrix.largest_row_sum()
    return float(np.max(np.asarray(abs(matrix).sum(axis=1))))


def _sparse_solve(matrix: Any, right: Vector) -> Vector:
    """By LU; where that breaks down, by least squares with iterations."""
    try:
        found = splu(matrix.tocsc()).solve(right)
    except RuntimeError:  # exactly singular
        found = np.full_like(right, np.nan)
    return found if _sound(found) else _least_squares(matrix, right, 4 * len(right))


def _factored_solve(matrix: DiagonalPlusLowRank, right: Vector) -> Vector:
    """By elimination; where that breaks down, by least squares with iterations."""
    try:
        found = matrix.inverse()(right)
    except np.linalg.LinAlgError:
        found = np.full_like(right, np.nan)
    if _sound(found):
        return np.asarray(found)
    turned = matrix.T
    operator = LinearOperator(
        (len(right), len(right)),
        matvec=lambda v: matrix @ v.ravel(),
        rmatvec=lambda v: turned @ v.ravel(),
        dtype=float,
    )
    return _least_squares(operator, right, LEAST_SQUARES_STEPS)


def _sound(found: Vector) -> bool:
    return bool(np.all(np.isfinite(found)) and np.max(np.abs(found)) < 1e3)


def _least_squares(matrix: Any, right: Vector, steps: int) -> Vector:
    from scipy.sparse.linalg import lsmr

    return np.asarray(lsmr(matrix, right, atol=1e-14, btol=1e-14, maxiter=steps)[0])
