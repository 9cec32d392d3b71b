"""Order parameters, clusters and arcs, winding numbers and frequencies; symmetry of a density."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import finite_number, integer, phase_array
from inphase.observables.circle import (
    EPS,
    TAU,
    Bools,
    Complexes,
    FloatArray,
    Floats,
    Ints,
    gaps_between,
    shares,
    wrap,
)

# --- order parameters
# -------------------------------------------------------------------------------------------------


def order_parameter(phases: ArrayLike, harmonic: int = 1, weights: ArrayLike | None = None) -> Complexes:
    """Daido order parameter of the given harmonic, ``R_k = sum_j w_j exp(i k theta_j)``.

    ``abs(R_1)`` is Kuramoto's r: 1 when all phases agree, 0 for a splay state.

    Parameters
    ----------
    phases : array_like, shape (..., n)
        Phases in radians.
    harmonic : int
        k, of either sign; k = 0 gives 1.
    weights : array_like, shape (n,), optional
        Nonnegative masses, normalized inside; equal by default.

    Returns
    -------
    complex, shape (...,)

    Raises
    ------
    TypeError
        If `harmonic` is not an integer, or an array is not real.
    ValueError
        If an array has a wrong shape or holds NaN or infinity, or a weight is negative.

    References
    ----------
    H. Daido, Prog. Theor. Phys. 88 (1992) 1213.

    Examples
    --------
    >>> from inphase.observables import order_parameter
    >>> triangle = np.array([0, 2, 4]) * np.pi / 3
    >>> [round(float(abs(order_parameter(triangle, k))), 12) for k in (1, 2, 3)]
    [0.0, 0.0, 1.0]
    """
    theta = phase_array(phases)
    k = integer("harmonic", harmonic)
    result: Complexes = np.exp(1j * k * theta) @ shares(weights, theta.shape[-1])
    return result


def circular_variance(phases: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Circular variance ``1 - |R_1|``, in [0, 1], with relative accuracy near synchrony too.

    It is summed as ``2 sum_j w_j sin^2((theta_j - arg R_1) / 2)``, which does not cancel when the phases are
    close.

    Parameters
    ----------
    phases : array_like, shape (..., n)
        Phases in radians.
    weights : array_like, shape (n,), optional
        Nonnegative masses, normalized inside; equal by default.

    Returns
    -------
    float, shape (...,)
        0 when all phases agree; half the variance (in rad^2) when they nearly do.

    Raises
    ------
    TypeError, ValueError
        As `order_parameter`.

    References
    ----------
    K. V. Mardia, P. E. Jupp, Directional Statistics, Wiley (2000), section 2.3.

    Examples
    --------
    >>> from inphase.observables import circular_variance
    >>> round(float(circular_variance([0.0, np.pi])), 12), round(float(circular_variance([-1e-6, 1e-6])), 24)
    (1.0, 5e-13)
    """
    theta = phase_array(phases)
    w = shares(weights, theta.shape[-1])
    mean = np.angle(np.exp(1j * theta) @ w)
    result: Floats = 2 * np.sin((theta - np.asarray(mean)[..., None]) / 2) ** 2 @ w
    return np.minimum(result, 1.0)


def density_periodicity(density: ArrayLike, k: int) -> Floats:
    """Share of a density's variance held by Fourier modes that are not multiples of k.

    With ``rho_m`` the Fourier coefficients on the grid,
    ``sum_{m != 0, k does not divide m} |rho_m|^2 / sum_{m != 0} |rho_m|^2``.

    Parameters
    ----------
    density : array_like, shape (..., N)
        Samples on the uniform grid ``2 pi j / N``; the scale is free.
    k : int
        Order of the rotation, >= 1; the grid must resolve mode k, so N >= 2 k.

    Returns
    -------
    float, shape (...,)
        In [0, 1]: 0 for a 2 pi / k-periodic density, 1 for one without any mode that is a multiple of k. A
        density that is uniform to rounding gives 0.

    Raises
    ------
    TypeError, ValueError
        If `density` is not finite, real and of shape (..., N) with N >= 2 k, or `k` is not an integer >= 1.

    Examples
    --------
    >>> from inphase.observables import density_periodicity
    >>> x = 2 * np.pi * np.arange(64) / 64
    >>> round(float(density_periodicity(1 + 0.3 * np.cos(3 * x) + 0.1 * np.sin(x), 3)), 12)
    0.1
    """
    rho = phase_array(density, "density")
    order, size = integer("k", k, least=1), rho.shape[-1]
    if size < 2 * order:
        raise ValueError(
            f"density must have at least 2 k = {2 * order} samples, to resolve mode k = {order}; got {size}"
        )
    peak = np.abs(rho).max(axis=-1, keepdims=True)
    power = np.abs(np.fft.rfft(rho / np.where(peak > 0, peak, 1.0), norm="forward")) ** 2
    modes = np.arange(power.shape[-1])
    power *= np.where(2 * modes == size, 1, 2)  # each mode stands for -m too, save the Nyquist mode
    total = power[..., 1:].sum(axis=-1)
    rest = power[..., modes % order != 0].sum(axis=-1)
    uniform = total <= (16 * EPS) ** 2
    result: Floats = np.where(uniform, 0.0, rest / np.where(uniform, 1.0, total))[()]
    return result


# --- gaps, arcs and clusters
# ------------------------------------------------------------------------------------------


def gaps(phases: ArrayLike) -> FloatArray:
    """Gaps between neighbors on the circle, counterclockwise from the phase nearest above 0.

    Parameters
    ----------
    phases : array_like, shape (..., n)
        Phases in radians.

    Returns
    -------
    ndarray, shape (..., n)
        Nonnegative angles in radians that sum to 2 pi; the last one closes the circle. n = 1 gives [2 pi].

    Raises
    ------
    TypeError, ValueError
        If `phases` is not a finite real array of shape (..., n) with n >= 1.

    Examples
    --------
    >>> from inphase.observables import gaps
    >>> gaps([np.pi, 0.0, np.pi / 2]) / np.pi
    array([0.5, 0.5, 1. ])
    """
    return gaps_between(np.sort(wrap(phase_array(phases)), axis=-1))


def arc(phases: ArrayLike) -> Floats:
    """Length of the shortest arc that contains all phases: 2 pi minus the largest gap.

    Parameters
    ----------
    phases : array_like, shape (..., n)
        Phases in radians.

    Returns
    -------
    float, shape (...,)
        Angle in radians, in [0, 2 pi).

    Raises
    ------
    TypeError, ValueError
        As `gaps`.

    Examples
    --------
    >>> from inphase.observables import arc
    >>> round(float(arc([0.1, -0.1, 0.0])), 12)
    0.2
    """
    between = gaps(phases)
    # The other gaps are summed, since 2 pi - max would lose a short arc to cancellation.
    np.put_along_axis(between, np.argmax(between, axis=-1)[..., None], 0.0, axis=-1)
    result: Floats = between.sum(axis=-1)
    return result


def synchronized(phases: ArrayLike, tolerance: float = 1e-6) -> Bools:
    """Whether all phases lie within one arc of length at most `tolerance`.

    Stronger than ``count_clusters(phases, tolerance) == 1``, where a long chain of close neighbors is one
    cluster.

    Parameters
    ----------
    phases : array_like, shape (..., n)
        Phases in radians.
    tolerance : float
        Arc length in radians, >= 0.

    Returns
    -------
    bool, shape (...,)
        True for n = 1.

    Raises
    ------
    TypeError, ValueError
        As `gaps`; also if `tolerance` is not a finite number >= 0.

    Examples
    --------
    >>> from inphase.observables import synchronized
    >>> synchronized([[0.0, 2 * np.pi, 1e-8], [0.0, 0.0, np.pi]])
    array([ True, False])
    """
    limit = finite_number("tolerance", tolerance, least=0)
    result: Bools = np.less_equal(arc(phases), limit)
    return result


@dataclass(frozen=True, eq=False)
class Clusters:
    """Clusters of phases on the circle, in increasing order of position; made by `clusters`.

    Attributes
    ----------
    positions : ndarray, shape (K,)
        Circular mean of each cluster, radians in [0, 2 pi).
    masses : ndarray, shape (K,)
        Share of the weight in each cluster; they sum to 1.
    labels : ndarray of int, shape (n,)
        Index in 0..K-1 of the cluster of each oscillator.

    Examples
    --------
    >>> from inphase.observables import Clusters, clusters
    >>> isinstance(clusters([0.0, 1.0]), Clusters)
    True
    """

    positions: FloatArray
    masses: FloatArray
    labels: NDArray[np.int64]


def clusters(phases: ArrayLike, tolerance: float = 1e-6, weights: ArrayLike | None = None) -> Clusters:
    """Group phases by single linkage on the circle: neighbors at most `tolerance` apart share a cluster.

    Parameters
    ----------
    phases : array_like, shape (n,)
        Phases in radians.
    tolerance : float
        Largest gap inside a cluster, in radians, >= 0.
    weights : array_like, shape (n,), optional
        Nonnegative masses, normalized inside; equal by default. The position of a cluster without mass is the
        plain circular mean.

    Returns
    -------
    Clusters
        The position of a cluster that closes round the whole circle may be arbitrary, as its circular mean
        is.

    Raises
    ------
    TypeError, ValueError
        If `phases` or `weights` is not a finite real array of shape (n,), a weight is negative, or
        `tolerance` < 0.

    Examples
    --------
    >>> from inphase.observables import clusters
    >>> found = clusters([3.0, 6.283, 0.001, 3.0], tolerance=0.01)
    >>> found.masses, found.labels
    (array([0.5, 0.5]), array([1, 0, 0, 1]))
    """
    theta = phase_array(phases)
    if theta.ndim != 1:
        raise ValueError(f"phases must have shape (n,), one state at a time; got shape {theta.shape}")
    limit = finite_number("tolerance", tolerance, least=0)
    w = shares(weights, theta.size)

    wrapped = wrap(theta)
    order = np.argsort(wrapped, kind="stable")
    after = gaps_between(wrapped[order]) > limit  # a break after each sorted phase
    count = max(1, int(after.sum()))
    labels = np.empty(theta.size, dtype=np.int64)
    labels[order] = (np.cumsum(after) - after) % count  # modulo: the last group may go on across angle 0

    masses = _sum_by(labels, w)
    pull = np.where(masses[labels] > 0, w, 1.0)
    positions = wrap(np.arctan2(_sum_by(labels, pull * np.sin(theta)), _sum_by(labels, pull * np.cos(theta))))

    by_position = np.argsort(positions)
    return Clusters(positions[by_position], masses[by_position], np.argsort(by_position)[labels])


def count_clusters(phases: ArrayLike, tolerance: float = 1e-6) -> Ints:
    """Count the clusters that `clusters` finds, for many states at once.

    Parameters
    ----------
    phases : array_like, shape (..., n)
        Phases in radians.
    tolerance : float
        Largest gap inside a cluster, in radians, >= 0.

    Returns
    -------
    int, shape (...,)

    Raises
    ------
    TypeError, ValueError
        As `gaps`; also if `tolerance` is not a finite number >= 0.

    Examples
    --------
    >>> from inphase.observables import count_clusters
    >>> count_clusters([[0.0, 1.0, 2.0], [0.0, 1.0, 1.0], [5.0, 5.0, 5.0]])
    array([3, 2, 1])
    """
    limit = finite_number("tolerance", tolerance, least=0)
    breaks = np.sum(gaps(phases) > limit, axis=-1, dtype=np.int64)
    result: Ints = np.maximum(breaks, np.int64(1))
    return result


def _sum_by(labels: NDArray[np.int64], values: FloatArray) -> FloatArray:
    sums: FloatArray = np.bincount(labels, weights=values).astype(np.float64)
    return sums


# --- rings and rotation
# -----------------------------------------------------------------------------------------------


def winding_number(phases: ArrayLike) -> Ints:
    """Count the turns that phases make once round a ring of oscillators, in index order.

    Each step ``theta_{i+1} - theta_i`` (the last one back to oscillator 0) is taken in (-pi, pi]; their sum
    is 2 pi times the winding number. The q-twisted state has winding number q if 2 |q| < n. A step of pi is
    ambiguous.

    Parameters
    ----------
    phases : array_like, shape (..., n)
        Phases in radians.

    Returns
    -------
    int, shape (...,)

    Raises
    ------
    TypeError, ValueError
        As `gaps`.

    References
    ----------
    D. A. Wiley, S. H. Strogatz, M. Girvan, Chaos 16 (2006) 015103.

    Examples
    --------
    >>> from inphase.observables import winding_number
    >>> int(winding_number(2 * np.pi * 3 * np.arange(20) / 20))
    3
    """
    theta = phase_array(phases)
    steps = np.roll(theta, -1, axis=-1) - theta
    # The bare steps sum to zero, so only the turns taken off by wrapping count: an integer without rounding.
    turns: Ints = -np.ceil(steps / TAU - 0.5).sum(axis=-1)
    return turns.astype(np.int64)


def effective_frequencies(phases_start: ArrayLike, phases_end: ArrayLike, duration: float) -> FloatArray:
    """Mean angular velocity of each oscillator, ``(theta(t + T) - theta(t)) / T``.

    Parameters
    ----------
    phases_start, phases_end : array_like, shape (..., n)
        Phases in radians, not wrapped between the two times.
    duration : float
        T > 0, in units of time.

    Returns
    -------
    ndarray, shape (..., n)
        Radians per time.

    Raises
    ------
    TypeError, ValueError
        If the two shapes differ, an entry is not finite and real, or `duration` is not a finite number > 0.

    Examples
    --------
    >>> from inphase.observables import effective_frequencies
    >>> effective_frequencies([0.0, 1.0], [20.0, 1.0], duration=10.0)
    array([2., 0.])
    """
    start, end = phase_array(phases_start, "phases_start"), phase_array(phases_end, "phases_end")
    if start.shape != end.shape:
        raise ValueError(
            f"phases_start and phases_end must have the same shape; got {start.shape} and {end.shape}"
        )
    return (end - start) / finite_number("duration", duration, positive=True)
