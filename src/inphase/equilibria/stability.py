"""Is an equilibrium stable? The spectrum of the linearized model, off the rotation, each with its error.

Four ways: all eigenvalues of a dense matrix; the leading ones of a large sparse matrix, by shift and invert
(Lanczos where it is symmetric, Arnoldi otherwise), and of many oscillators in mean fields, where the matrix is
diagonal + low rank (`secular`, `rightmost`); and, with delays, those of the infinitesimal generator, by
collocation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, sparse
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs, eigsh, splu

from inphase.checks import finite_number, finite_vector, integer
from inphase.coupling.jacobian import ROWS, largest
from inphase.equilibria.locked import EPS, Locked, row_sum
from inphase.equilibria.rightmost import count_right_of, rightmost
from inphase.equilibria.secular import Symmetric
from inphase.kernels.threads import few_threads
from inphase.model import PhaseModel
from inphase.state_space import StateSpace
from inphase.types import Vector

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
WHOLE_SPECTRUM_UP_TO = 2000  # rows of a sparse matrix whose whole spectrum is computed
WHOLE_LOW_RANK_UP_TO = 1000  # oscillators in mean fields whose whole spectrum is computed
LARGEST_DENSE_SPECTRUM = 6000  # rows of a dense matrix
DEGREE = 24  # of the polynomials in the past that delays call for


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues of the linearized model off the rotation.

    Parameters
    ----------
    eigenvalues : ndarray of complex, shape (m,)
        Per unit of time, by descending real part.
    errors : ndarray, shape (m,)
        Estimates of how far each may be off: rounding, times the condition number of the eigenvalue where the
        matrix is not symmetric; the residual of iterations; and the error of the phases.
    unstable : int or None
        The number of eigenvalues above 0 by more than their error; None if not all of these were found.
    method : str
        How they were computed.
    complete : bool
        Whether these are all eigenvalues, and not the leading ones of more.
    counted : int or None
        The number of eigenvalues whose real part is within the leading one's error of 0, where all of these were
        counted though not computed.

    Examples
    --------
    >>> import inphase as ip
    >>> spectrum = stability(ip.PhaseModel(ip.kuramoto()), [0.0, 0.0, 0.0])
    >>> spectrum.stable, spectrum.unstable, spectrum.method
    (True, 0, 'dense, symmetric')
    """

    eigenvalues: Complex
    errors: Array
    unstable: int | None
    method: str
    complete: bool = True
    counted: int | None = None

    @property
    def stable(self) -> bool | None:
        """True, False, or None where the leading eigenvalue is within its error of 0, or unknown."""
        if self.unstable:
            return False
        if self.unstable is None:
            return False if len(self.errors) and self.eigenvalues[0].real > self.errors[0] else None
        return True if np.all(self.eigenvalues.real < -self.errors) else None

    @property
    def neutral(self) -> int:
        """The number of eigenvalues whose real part is within its error of 0; among the leading ones, if not counted."""
        if self.counted is not None:
            return self.counted
        return int(np.count_nonzero(np.abs(self.eigenvalues.real) <= self.errors))


def stability(model: PhaseModel, phases: ArrayLike, frequency: float = 0.0, *, leading: int = 6) -> Spectrum:
    """The spectrum of the model at an equilibrium.

    Parameters
    ----------
    model : PhaseModel
        With inertia, the second-order problem m λ² + d λ = d J is solved; noise is left out.
    phases : array_like, shape (n,)
        An equilibrium, radians, as exact as can be: what is left of its residual is taken as the error of the
        phases.
    frequency : float
        Ω, with which a model with delays turns.
    leading : int
        How many eigenvalues are computed where the matrix is sparse with more than 2000 rows, where it is that of
        more than 1000 oscillators in mean fields, or where there are delays.

    Returns
    -------
    Spectrum
        Without the eigenvalue 0 of a common turn of all phases (where there is no field). Empty, and
        undecided, for models with delays and inertia, for those with delays and more than 285 oscillators,
        and for dense ones of more than 6000. `complete` says whether these are all; of mean fields, where K is
        given by factors, `unstable` is exact though only the leading ones are computed, in O(n · rank²).

    Raises
    ------
    ValueError, TypeError
        On bad input, and for a callable gain.

    References
    ----------
    D. Breda, S. Maset, R. Vermiglio, *Pseudospectral differencing methods for characteristic roots of delay
    differential equations*, SIAM J. Sci. Comput. 27 (2005) 482 (delays).

    Examples
    --------
    >>> import numpy as np, inphase as ip
    >>> spectrum = stability(ip.PhaseModel(ip.kuramoto()), [0.0, 0.0, np.pi])
    >>> spectrum.eigenvalues.real.round(6), spectrum.stable
    (array([ 1.      , -0.333333]), False)
    """
    theta = finite_vector("phases", phases)
    system, omega = Locked(model, len(theta)), finite_number("frequency", frequency)
    count = integer("leading", leading, least=1)
    with few_threads(len(theta)):
        return spectrum_at(system, theta, omega, count)


def spectrum_at(system: Locked, phases: Vector, frequency: float, leading: int = 6) -> Spectrum:
    """`stability` of phases that are known to be good."""
    doubt = _doubt(system, phases, frequency)
    if system.late:
        return _delayed(system, phases, frequency, leading, doubt)
    if system.factored and len(phases) > WHOLE_LOW_RANK_UP_TO:
        if system.model.has_inertia:
            return _unknown(f"inertia and {len(phases)} oscillators in mean fields")
        return _low_rank(system, phases, frequency, leading, doubt)
    jacobian = system.jacobian(phases, frequency)[0]
    matrix, turn = _linearization(system, jacobian)
    rounding = 8 * EPS * max(system.scale, row_sum(matrix))
    symmetric = not system.model.has_inertia and abs(matrix - matrix.T).max() <= 8 * EPS * system.scale
    if len(turn) > (WHOLE_SPECTRUM_UP_TO if sparse.issparse(matrix) else LARGEST_DENSE_SPECTRUM):
        if not sparse.issparse(matrix):
            return _unknown(f"a dense matrix of {len(turn)} rows is too large")
        return _symmetric_sparse(matrix, turn, leading, rounding + doubt) if symmetric else _general_sparse(
            matrix, turn, leading, rounding + doubt)  # fmt: skip
    full = np.asarray(matrix.toarray() if sparse.issparse(matrix) else matrix)
    return _dense(_off(full, turn), rounding * np.sqrt(len(turn)) + doubt, bool(symmetric))


def _doubt(system: Locked, phases: Vector, frequency: float) -> float:
    """The Jacobian's error from that of the phases: four times what Newton's next step would change."""
    step, change = system.step(system.bordered(phases, frequency), system.residual(phases, frequency))
    here, there = (system.matrix(p, f) for p, f in ((phases, frequency), (phases + step, frequency + change)))
    if system.factored:
        rows = largest(np.abs(step), ROWS)
        return 4 * row_sum(there.rows(rows) - here.rows(rows))
    return 4 * row_sum(there - here)


def _unknown(why: str) -> Spectrum:
    return Spectrum(np.empty(0, dtype=complex), np.empty(0), None, f"undecided: {why}", complete=False)


def _spectrum(
    values: Any,
    errors: Any,
    method: str,
    unstable: int | None,
    complete: bool = True,
    counted: int | None = None,
) -> Spectrum:
    order = np.argsort(-np.real(values), kind="stable")
    values, errors = np.asarray(values, dtype=complex)[order], np.asarray(errors, dtype=float)[order]
    return Spectrum(values, errors, unstable, method, complete, counted)


def _linearization(system: Locked, jacobian: Any) -> tuple[Any, Vector]:
    """The matrix of the linearized model's first-order form, and its null vector, of unit length, or zeros."""
    space = StateSpace(system.model, system.n)
    turn = np.zeros(space.size)
    if system.rotates:
        turn[: system.n] = 1 / np.sqrt(system.n)
    return space.linearization(jacobian), turn


# ------------------------------------------------------------------------------------------------------ dense


def _off(matrix: Array, turn: Vector) -> Array:
    """The matrix on the quotient by its null vector: reflect that onto the first axis, and leave it out."""
    if not np.any(turn):
        return matrix
    normal = turn.copy()
    normal[0] += np.copysign(1.0, turn[0])
    normal /= np.linalg.norm(normal)
    half = matrix - 2 * np.outer(matrix @ normal, normal)
    return np.asarray((half - 2 * np.outer(normal, normal @ half))[1:, 1:])


def _dense(matrix: Array, error: float, symmetric: bool) -> Spectrum:
    if not len(matrix):
        return Spectrum(np.empty(0, dtype=complex), np.empty(0), 0, "dense")
    if symmetric:
        values = linalg.eigvalsh(0.5 * (matrix + matrix.T))
        errors, method = np.full(len(values), error), "dense, symmetric"
    else:
        values, left, right = linalg.eig(matrix, left=True, right=True)
        overlap = np.abs(np.sum(left.conj() * right, axis=0))
        errors, method = error / np.maximum(overlap, EPS), "dense"
    return _spectrum(values, errors, method, int(np.count_nonzero(values.real > errors)))


# ------------------------------------------------------------------------------------------------ mean fields


def _low_rank(system: Locked, phases: Vector, frequency: float, leading: int, doubt: float) -> Spectrum:
    """Of a matrix diagonal + low rank: the leading eigenvalues, and how many are above 0 and next to it."""
    matrix = system.matrix(phases, frequency)
    turn = np.full(system.n, 1 / np.sqrt(system.n) if system.rotates else 0.0)
    error = 8 * EPS * np.sqrt(system.n) * max(system.scale, row_sum(matrix)) + doubt
    form = Symmetric.of(matrix, turn)
    if form is not None:
        error += form.error
        leaders, above = form.leading(leading), form.above(error)
        near = form.above(-error) - above
        method = "secular equation, symmetric: the leading eigenvalues; all are counted"
        return _spectrum(leaders, np.full(len(leaders), error), method, above, complete=False, counted=near)
    if system.rotates:
        one = np.ones(system.n)
        matrix = matrix.plus(column=-4 * system.scale / system.n * one, row=one)
    try:
        values, errors = rightmost(matrix, leading, error)
    except np.linalg.LinAlgError:
        return _unknown("the matrix has too many equal rows")
    if not len(values):
        return _unknown("Arnoldi did not converge")
    beyond = count_right_of(matrix, float(values[0].real + 2 * errors[0] + 1e-7 * system.scale), errors[0])
    unstable = count_right_of(matrix, float(errors[0]), float(errors[0]))
    sure = "the rightmost" if beyond == 0 else "not surely all of the rightmost"
    return _spectrum(values, errors, f"Arnoldi and the argument principle: {sure}", unstable, complete=False)


# ---------------------------------------------------------------------------------------------- large, sparse


def _project(turn: Vector, vector: Any) -> Any:
    return vector - turn * (turn @ vector)


def _inverse(solve: Any, turn: Vector) -> LinearOperator:
    """(M − σ)⁻¹ on the quotient by the rotation: z = P (M − σ)⁻¹ P y, since M turn = 0."""
    size = len(turn)
    return LinearOperator(
        (size, size), matvec=lambda y: _project(turn, solve(_project(turn, y.ravel()))), dtype=float
    )


def _symmetric_sparse(matrix: Any, turn: Vector, leading: int, error: float) -> Spectrum:
    """Lanczos with shift and invert, the shift shown to be above the spectrum: all pivots of σ − M > 0."""
    size, top = len(turn), row_sum(matrix)
    shift = max(1e-4 * top, 4 * error)
    while True:
        factors = _shifted(matrix, shift)
        if _negative_pivots(factors) == 0 or shift > 2 * top:
            break
        shift *= 4
    count = min(leading, size - 2)
    start = _project(turn, np.random.default_rng(0).standard_normal(size))
    try:
        inverses, vectors = eigsh(_inverse(factors.solve, turn), count, which="LA", v0=start, tol=1e-12)
    except ArpackNoConvergence as partial:
        inverses, vectors = partial.eigenvalues, partial.eigenvectors
    if not len(inverses):
        return _unknown("Lanczos did not converge")
    values = shift - 1 / inverses
    errors = error + np.linalg.norm(
        matrix @ vectors - turn[:, None] * (turn @ (matrix @ vectors)) - values * vectors, axis=0
    )
    above = int(np.count_nonzero(values > errors))
    if above == len(values):  # more may follow: count the pivots of the other sign
        above = _negative_pivots(_shifted(matrix, float(np.max(errors)) + 1e-9 * top))
    return _spectrum(values, errors, f"Lanczos, shifted to {shift:.3g} and inverted", above, complete=False)


def _shifted(matrix: Any, shift: float) -> Any:
    """Factors of σ − M without row exchanges: its eigenvalues have the signs of the pivots (Sylvester)."""
    positive = sparse.csc_array(sparse.diags_array(np.full(matrix.shape[0], shift)) - matrix)
    return splu(positive, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})


def _negative_pivots(factors: Any) -> int:
    return int(np.count_nonzero(factors.U.diagonal() < 0))


def _general_sparse(matrix: Any, turn: Vector, leading: int, error: float) -> Spectrum:
    """Arnoldi for the rightmost eigenvalues, then again with shift and invert just right of them."""
    size, top = len(turn), row_sum(matrix)
    count = min(leading, size - 3)
    start = _project(turn, np.random.default_rng(0).standard_normal(size))
    quotient = LinearOperator((size, size), matvec=lambda y: _project(turn, matrix @ y.ravel()), dtype=float)
    try:
        first = eigs(
            quotient,
            count,
            which="LR",
            v0=start,
            tol=1e-4,
            maxiter=20 * size // count,
            return_eigenvectors=False,
        )
    except ArpackNoConvergence as partial:
        first = partial.eigenvalues
    shift = max(float(np.max(first.real, initial=0.0)), 0.0) + 1e-4 * top
    factors = splu(sparse.csc_array(matrix - sparse.diags_array(np.full(size, shift))))
    try:
        inverses, vectors = eigs(_inverse(factors.solve, turn), count, which="LM", v0=start, tol=1e-12)
    except ArpackNoConvergence as partial:
        inverses, vectors = partial.eigenvalues, partial.eigenvectors
    if not len(inverses):
        return _unknown("Arnoldi did not converge")
    values = shift + 1 / inverses
    found = np.array([_condition_and_residual(matrix, turn, value, v) for value, v in zip(values, vectors.T)])
    errors = found[:, 0] * (error + found[:, 1])
    above = int(np.count_nonzero(values.real > errors))
    method = f"Arnoldi, shifted to {shift:.3g} and inverted: the eigenvalues next to it, not surely all of the rightmost"
    return _spectrum(values, errors, method, None if above == len(values) else above, complete=False)


def _condition_and_residual(matrix: Any, turn: Vector, value: complex, right: Complex) -> tuple[float, float]:
    """1/|cos| of the angle of left and right eigenvectors, and |M v − λ v|.

    The left one is by inverse iteration.
    """
    image = matrix @ right
    residual = float(np.linalg.norm(_project(turn, image) - value * right))
    near = value + 1e-9 * max(abs(value), 1e-6 * row_sum(matrix)) * (1 + 1j)
    factors = splu(sparse.csc_array(matrix.astype(complex) - sparse.diags_array(np.full(len(right), near))))
    left = _project(turn, right)
    for _ in range(3):
        left = factors.solve(_project(turn, left), trans="H")
        left = _project(turn, left)
        left /= np.linalg.norm(left)
    overlap = abs(np.vdot(left, right)) / np.linalg.norm(right)
    return 1 / max(float(overlap), EPS), residual


# ----------------------------------------------------------------------------------------------------- delays


def _delayed(system: Locked, phases: Vector, frequency: float, leading: int, doubt: float) -> Spectrum:
    """`Locked.linear_pairs`: the past as a polynomial at Chebyshev points, d/dt as a matrix."""
    n = system.n
    if system.model.has_inertia:
        return _unknown("delays and inertia")
    degree = min(DEGREE, WHOLE_SPECTRUM_UP_TO // n - 1)
    if degree < 6:
        return _unknown(f"delays and {n} oscillators")
    row, column, weights, delays = system.linear_pairs(phases, frequency)
    pinned = system.model.field * np.cos(phases) / system.model.damping
    diagonal = np.bincount(row, weights=weights, minlength=n) - pinned
    longest = float(np.max(delays))
    points, derivative = _chebyshev(degree)
    generator: Array = np.kron(derivative * (2 / longest), np.eye(n)).astype(float)
    generator[:n] = 0.0
    generator[:n, :n] = -np.diag(diagonal)
    basis = _lagrange(points, 1 - 2 * delays / longest)  # (pairs, points): the value a delay ago
    for k in range(degree + 1):
        np.add.at(generator, (row, k * n + column), weights * basis[:, k])
    turn = np.full(len(generator), 1 / np.sqrt(len(generator)) if system.rotates else 0.0)
    values = linalg.eigvals(_off(generator, turn))
    values = values[np.argsort(-values.real, kind="stable")][:leading]

    def characteristic(value: complex) -> tuple[Complex, Complex]:
        wave = weights * np.exp(-value * delays)
        matrix, slope = np.diag(value + diagonal).astype(complex), np.eye(n, dtype=complex)
        np.subtract.at(matrix, (row, column), wave)
        np.add.at(slope, (row, column), wave * delays)
        return matrix, slope

    error = 8 * EPS * system.scale * np.sqrt(n) + doubt
    errors = [_root_error(*characteristic(value), error) for value in values]
    method = f"collocation of the past, degree {degree}: approximate, not surely all of the rightmost"
    above = int(np.count_nonzero(values.real > errors))
    return _spectrum(
        values, errors, method, None if above == len(values) and len(values) else above, complete=False
    )


def _root_error(matrix: Complex, slope: Complex, error: float) -> float:
    """How far the nearest root of det Δ(λ) = 0 is, to first order.

    (σ + error)/|u* Δ' v| for the least singular value σ.
    """
    left, sizes, right = np.linalg.svd(matrix)
    return float((sizes[-1] + error) / max(abs(left[:, -1].conj() @ slope @ right[-1].conj()), EPS))


def _chebyshev(degree: int) -> tuple[Array, Array]:
    """Points from 1 down to −1, and the matrix that differentiates there."""
    points = np.cos(np.pi * np.arange(degree + 1) / degree)
    weights = _barycentric(degree)
    gaps = points[:, None] - points + np.eye(degree + 1)
    matrix = weights / weights[:, None] / gaps
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return points, matrix


def _barycentric(degree: int) -> Array:
    weights = np.where(np.arange(degree + 1) % 2, -1.0, 1.0)
    weights[[0, -1]] *= 0.5
    return weights


def _lagrange(points: Array, where: Array) -> Array:
    """The Lagrange polynomials of the points, at `where`: (len(where), len(points))."""
    gaps = where[:, None] - points
    exact = np.abs(gaps) < 1e-14
    terms = _barycentric(len(points) - 1) / np.where(exact, 1.0, gaps)
    found: Array = terms / terms.sum(axis=1, keepdims=True)
    hit = exact.any(axis=1)
    found[hit] = exact[hit]
    return found
