"""Phase locking on a graph: bounds on the critical coupling, and the modes' growth rates around synchrony."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import finite_number, finite_vector, matrix_array
from inphase.interaction import Interaction, checked

Floats = NDArray[np.float64]
Indices = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class CouplingBounds:
    """What `critical_coupling_bounds` found: values of K.

    Attributes
    ----------
    necessary : float
        Below it there is no phase-locked state: the largest of the necessary conditions.
    sufficient : float
        From it on there is a stable phase-locked state with all neighbors within π/2: the least of the
        sufficient ones.
    estimate : float
        ‖Bᵀ L⁺ ω‖_∞: exact on trees, no bound in general, and on other graphs often far off, by 20% and more on
        either side (22 to 38% above on six graphs tried): `inphase.critical_coupling` finds the value.
    conditions : dict
        Each necessary and sufficient condition's own K, by name.
    """

    necessary: float
    sufficient: float
    estimate: float
    conditions: dict[str, float]


def critical_coupling_bounds(matrix: Any, frequencies: ArrayLike) -> CouplingBounds:
    """Bounds on the coupling K from which dθ_i/dt = ω_i − K Σ_j A_ij sin(θ_i − θ_j) has a phase-locked state.

    With the mean of ω taken off, L the Laplacian of A, B the incidence matrix (node, edge) and a_e the weight
    of an edge:

    necessary (proved)
        "degree": max_i |ω_i|/Σ_j A_ij. "cut": max over all sets S of nodes of |Σ_{i in S} ω_i| / (weight of
        the edges that leave S), the sum of the equations over S; by max-flow min-cut it is the least K for
        which a flow with |F_e| <= K a_e carries ω, a linear program. Exact on trees.
    sufficient (proved in docs/theory/networks.md), for a stable state with all |φ_e| <= π/2, φ = Bᵀθ
        "algebraic": ‖(ω_i − ω_j)_{i<j}‖_2/λ_2(L). "energy": sqrt(max_e R_e · ωᵀ L⁺ ω), R_e the resistance of
        an edge; never above "algebraic". "cutset": ‖Bᵀ L⁺ ω‖_∞/g(‖P‖_∞), P = Bᵀ L⁺ B diag(a),
        g(x) = (γ + sin γ)/2 − x (γ − sin γ)/2 at cos γ = (x − 1)/(x + 1). "cutset, sharper": the same with
        sin φ = s φ + (rest) for the best s and the largest value of the rest.

    Parameters
    ----------
    matrix : array_like or scipy.sparse matrix, shape (n, n)
        A: symmetric, non-negative, connected. Self-loops have no effect.
    frequencies : array_like, shape (n,)
        ω, radians per unit of time.

    Returns
    -------
    CouplingBounds
        Errors are those of a dense inverse and a linear program (1e-7 relative): floats, not proofs.

    Raises
    ------
    TypeError, ValueError
        If the matrix is not as said, or the sizes differ.

    References
    ----------
    Dörfler, Chertkov, Bullo, *Synchronization in complex oscillator networks and smart grids* (2013);
    Dörfler, Bullo, *Synchronization in complex networks of phase oscillators: a survey* (2014); Jafarpour,
    Bullo, *Synchronization of Kuramoto oscillators via cutset projections* (2019).

    Examples
    --------
    >>> path = [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    >>> bounds = critical_coupling_bounds(path, [1.0, 0.5, -1.5])
    >>> round(bounds.necessary, 6), round(bounds.sufficient, 6), round(bounds.estimate, 6)
    (1.5, 1.5, 1.5)
    """
    A = _symmetric(matrix)
    omega = finite_vector("frequencies", frequencies)
    n = len(omega)
    if A.shape[0] != n:
        raise ValueError(f"frequencies must have shape ({A.shape[0]},), as the matrix; got {omega.shape}")
    omega = omega - np.mean(omega)
    degree = np.asarray(A.sum(axis=1)).ravel()
    if n == 1 or not np.any(omega):
        return CouplingBounds(0.0, 0.0, 0.0, {})
    from scipy.sparse import triu
    from scipy.sparse.linalg import eigsh

    edges = triu(A, k=1).tocoo()
    i, j, a = edges.row, edges.col, edges.data
    # L⁺: 1/n fills the constant mode in
    inverse = np.linalg.inv(np.diag(degree) - A.toarray() + 1 / n) - 1 / n
    start = np.random.default_rng(0).normal(size=n)  # the same each time
    slowest = float(eigsh(inverse, k=1, which="LA", v0=start, return_eigenvectors=False)[0])  # 1/λ_2
    potential = inverse @ omega
    resistance = inverse[i, i] + inverse[j, j] - 2 * inverse[i, j]
    estimate, norm = float(np.max(np.abs(potential[i] - potential[j]))), _projection_norm(inverse, i, j, a)
    necessary = {"degree": float(np.max(np.abs(omega) / degree)), "cut": _cut(i, j, a, omega)}
    sufficient = {
        "algebraic": math.sqrt(n) * float(np.linalg.norm(omega)) * slowest,
        "energy": math.sqrt(float(np.max(resistance)) * float(omega @ potential)),
        "cutset": estimate / _cutset_factor(norm),
        "cutset, sharper": estimate / _sharper_cutset_factor(norm),
    }
    found = necessary | sufficient
    return CouplingBounds(max(necessary.values()), min(sufficient.values()), estimate, found)


def _symmetric(matrix: Any) -> Any:
    """A as a CSR matrix without diagonal: symmetric, non-negative and connected; ValueError otherwise."""
    A = _square(matrix)
    A.setdiag(0.0)
    A.eliminate_zeros()
    from scipy.sparse.csgraph import connected_components

    if A.nnz and A.data.min() < 0:
        raise ValueError(f"matrix must be non-negative; got {A.data.min():g}")
    if A.nnz and abs(A - A.T).max() > 1e-12 * A.data.max():
        raise ValueError("matrix must be symmetric")
    count, _ = connected_components(A, directed=False)
    if count > 1:
        raise ValueError(f"matrix must be connected; got {count} components")
    return A


def _square(matrix: Any) -> Any:
    """A copy as a CSR array of floats, (n, n), n >= 1."""
    from scipy.sparse import csr_array, issparse

    if issparse(matrix):
        A = csr_array(matrix, dtype=float, copy=True)
        A.sum_duplicates()
        matrix_array("matrix", A.data)
    else:
        A = csr_array(np.atleast_2d(matrix_array("matrix", matrix)))
    if A.shape[0] != A.shape[1] or not A.shape[0]:
        raise ValueError(f"matrix must have shape (n, n) with n >= 1; got shape {A.shape}")
    return A


def _cut(i: Indices, j: Indices, a: Floats, omega: Floats) -> float:
    """The least K for which a flow F with |F_e| <= K a_e has the divergence ω."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, csc_array, eye_array, hstack, vstack

    m, n, unit = len(a), len(omega), float(np.max(np.abs(omega)))
    sign = np.concatenate([np.ones(m), -np.ones(m)])
    incidence = coo_array((sign, (np.concatenate([i, j]), np.tile(np.arange(m), 2))), shape=(n, m))
    weights = csc_array(-a[:, None])
    found = linprog(
        np.append(np.zeros(m), 1.0),
        A_ub=vstack([hstack([eye_array(m), weights]), hstack([-eye_array(m), weights])]),
        b_ub=np.zeros(2 * m),
        A_eq=hstack([incidence, csc_array((n, 1))]),
        b_eq=omega / unit,
        bounds=[(None, None)] * m + [(0, None)],
        method="highs",
    )
    if found.status:
        raise RuntimeError(f"the linear program of the cuts failed: {found.message}")
    return float(found.fun) * unit


def _projection_norm(inverse: Floats, i: Indices, j: Indices, a: Floats) -> float:
    """‖P‖_∞ = max_e Σ_e' |P_ee'|, P_ee' = (b_eᵀ L⁺ b_e') a_e', in blocks of rows."""
    largest = 0.0
    for block in np.array_split(np.arange(len(a)), 1 + len(a) // 256):
        rows = inverse[i[block]] - inverse[j[block]]
        largest = max(largest, float(np.max(np.abs(rows[:, i] - rows[:, j]) @ a)))
    return max(largest, 1.0)  # P is a projection: 1 at least


def _cutset_factor(x: float) -> float:
    gamma = math.acos((x - 1) / (x + 1))
    return (gamma + math.sin(gamma)) / 2 - x * (gamma - math.sin(gamma)) / 2


def _sharper_cutset_factor(x: float) -> float:
    """max of s γ − x ρ over γ <= π/2 and s, with |sin φ − s φ| <= ρ for |φ| <= γ.

    For s = cos t the rest peaks at t, where it is ρ = sin t − t cos t, and is −ρ at γ if s γ − sin γ = ρ. Any
    t gives a valid factor, so the search need not be exact.
    """
    from scipy.optimize import brentq, minimize_scalar

    def factor(t: float) -> float:
        s, rest = math.cos(t), math.sin(t) - t * math.cos(t)
        if s * math.pi / 2 - 1 <= rest:  # as far as π/2, the rest does not fall to −ρ
            return s * math.pi / 2 - x * rest
        gamma = brentq(lambda y: s * y - math.sin(y) - rest, t, math.pi / 2)
        return float(s * gamma - x * rest)

    best = minimize_scalar(
        lambda t: -factor(t), bounds=(0.0, math.pi / 2), method="bounded", options={"xatol": 1e-10}
    )
    return max(_cutset_factor(x), -float(best.fun))


def master_stability(
    interaction: Interaction, matrix: Any, delay: float = 0.0, frequency: float = 0.0
) -> NDArray[np.complex128]:
    """Growth rates of the modes around synchrony, θ_i = Ω t, of identical oscillators on a network.

    For dθ_i/dt = ω − Σ_j A_ij f(θ_i(t) − θ_j(t − τ)) where every row of A sums to d, Ω = ω − d f(Ωτ). A mode
    is an eigenvector of A, with eigenvalue μ; its fastest rate is the rightmost root of

        λ = −c (d − μ e^{−λτ}), c = f'(Ωτ),   λ = −c d + W_0(c μ τ e^{c d τ})/τ.

    For A >= 0 and strongly connected, synchrony is stable if c > 0 and unstable if c < 0
    (docs/theory/networks.md): for c > 0 all rates but that of the rotation (μ = d, λ = 0) have negative real
    parts. Without delay, λ = −f'(0) times the eigenvalues of the Laplacian, and rows may differ in their sum
    if f(0) = 0.

    Parameters
    ----------
    interaction : Interaction
        f, its strength included.
    matrix : array_like or scipy.sparse matrix, shape (n, n)
        A[i, j]: how strongly i listens to j; any sign, directed or not.
    delay : float
        τ >= 0.
    frequency : float
        Ω, from `delay_frequencies`.

    Returns
    -------
    array of complex, shape (n,)
        Per unit of time, by falling real part.

    Raises
    ------
    TypeError, ValueError
        If the rows of A do not have one sum where that is needed, or an argument is out of range.

    References
    ----------
    Pecora, Carroll, *Master stability functions for synchronized coupled systems* (1998); Earl, Strogatz,
    *Synchronization in oscillator networks with delayed coupling: a stability criterion* (2003).

    Examples
    --------
    >>> from inphase.interaction import kuramoto
    >>> ring = [[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]]
    >>> master_stability(kuramoto(), ring).real.round(6) + 0
    array([ 0., -2., -2., -4.])
    >>> master_stability(kuramoto(), ring, delay=1.0, frequency=0.0).real.round(6) + 0
    array([ 0.      , -0.328114, -2.      , -2.      ])
    """
    A, f = _square(matrix).toarray(), checked(interaction)
    tau, Omega = finite_number("delay", delay, least=0), finite_number("frequency", frequency)
    sums, c = A.sum(axis=1), float(f.derivative()(Omega * tau))
    uneven = float(np.ptp(sums)) > 1e-9 * max(1e-300, float(np.max(np.abs(A).sum(axis=1))))
    if uneven and (tau > 0 or abs(float(f(0.0))) > 1e-13 * f.maximum):
        raise ValueError(
            f"the rows of matrix must have one sum for synchrony; got {sums.min():g} to {sums.max():g}"
        )
    symmetric = np.array_equal(A, A.T)
    rates: NDArray[np.complex128]
    if tau == 0:
        laplacian = np.diag(sums) - A
        spectrum = np.linalg.eigvalsh(laplacian) if symmetric else np.linalg.eigvals(laplacian)
        rates = -c * spectrum.astype(np.complex128)
    else:
        eigenvalues = np.linalg.eigvalsh(A) if symmetric else np.linalg.eigvals(A)
        rates = _rightmost(c * float(np.mean(sums)), c * eigenvalues, tau)
    return rates[np.argsort(-rates.real, kind="stable")]


def _rightmost(decay: float, back: NDArray[Any], tau: float) -> NDArray[np.complex128]:
    """The rightmost root of λ = −decay + back e^{−λτ}: −decay + W_0(e^y)/τ, e^y = back τ e^{decay τ}.

    W_0 is the rightmost branch of the Lambert function everywhere. `wrightomega(y)` is W_0(e^y) too, but on
    its cut (Im y = π, Re y < −1), and does not overflow.
    """
    from scipy.special import lambertw, wrightomega

    upper = back.real + 1j * np.abs(back.imag)  # W_0 of a conjugate is the conjugate; above the cut of W_0
    gone = back == 0  # no feedback: the mode just decays
    y = np.log(np.where(gone, 1, upper * tau)) + decay * tau
    large = y.real > 100
    branch = np.where(large, wrightomega(y), lambertw(np.exp(np.where(large, 0, y))))
    found = np.where(gone, -decay, -decay + branch / tau)
    return np.asarray(np.where(back.imag < 0, found.conj(), found))
