"""What one reads off phases: order parameters, clusters, arcs, distances between measures, winding, frequencies.

Every function takes phases in radians, float64, shape (..., n), wrapped or not, and works over the last axis; a bare
(n,) input gives a NumPy scalar. Weights (n,) are nonnegative masses of the oscillators, normalized inside.
Wherever only the point on the circle matters, rounding is about 1e-15 rad for phases of order one.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Clusters",
    "arc",
    "circular_variance",
    "clusters",
    "count_clusters",
    "density_periodicity",
    "effective_frequencies",
    "gaps",
    "order_parameter",
    "periodicity",
    "synchronized",
    "wasserstein",
    "winding_number",
]

TAU = 2 * np.pi
EPS = np.finfo(np.float64).eps

FloatArray: TypeAlias = NDArray[np.float64]
Floats: TypeAlias = np.float64 | NDArray[np.float64]  # (...,): a scalar when there is no leading axis
Ints: TypeAlias = np.int64 | NDArray[np.int64]
Bools: TypeAlias = np.bool_ | NDArray[np.bool_]
Complexes: TypeAlias = np.complex128 | NDArray[np.complex128]


# --- order parameters -------------------------------------------------------------------------------------------------


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
    theta = _phases(phases)
    k = _integer("harmonic", harmonic)
    w = _weights(weights, theta.shape[-1])
    result: Complexes = np.exp(1j * k * theta) @ w
    return result


def circular_variance(phases: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Circular variance ``1 - |R_1|``, in [0, 1], with relative accuracy near synchrony too.

    It is summed as ``2 sum_j w_j sin^2((theta_j - arg R_1) / 2)``, which does not cancel when the phases are close.

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
    theta = _phases(phases)
    w = _weights(weights, theta.shape[-1])
    mean = np.angle(order_parameter(theta, 1, w))
    result: Floats = 2 * np.sin((theta - np.asarray(mean)[..., None]) / 2) ** 2 @ w
    return np.minimum(result, 1.0)


# --- gaps, arcs and clusters ------------------------------------------------------------------------------------------


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
    return _gaps(np.sort(_wrap(_phases(phases)), axis=-1))


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

    Stronger than ``count_clusters(phases, tolerance) == 1``, where a long chain of close neighbors is one cluster.

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
    limit = _number("tolerance", tolerance, least=0)
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
        Nonnegative masses, normalized inside; equal by default. The position of a cluster without mass is the plain
        circular mean.

    Returns
    -------
    Clusters
        The position of a cluster that closes round the whole circle may be arbitrary, as its circular mean is.

    Raises
    ------
    TypeError, ValueError
        If `phases` or `weights` is not a finite real array of shape (n,), a weight is negative, or `tolerance` < 0.

    Examples
    --------
    >>> from inphase.observables import clusters
    >>> found = clusters([3.0, 6.283, 0.001, 3.0], tolerance=0.01)
    >>> found.masses, found.labels
    (array([0.5, 0.5]), array([1, 0, 0, 1]))
    """
    theta = _phases(phases)
    if theta.ndim != 1:
        raise ValueError(f"phases has shape {theta.shape}; expected (n,): clusters takes one state at a time")
    limit = _number("tolerance", tolerance, least=0)
    w = _weights(weights, theta.size)

    wrapped = _wrap(theta)
    order = np.argsort(wrapped, kind="stable")
    after = _gaps(wrapped[order]) > limit  # a break after each sorted phase
    count = max(1, int(after.sum()))
    labels = np.empty(theta.size, dtype=np.int64)
    labels[order] = (np.cumsum(after) - after) % count  # modulo: the last group may go on across angle 0

    masses = _sum_by(labels, w)
    pull = np.where(masses[labels] > 0, w, 1.0)
    positions = _wrap(np.arctan2(_sum_by(labels, pull * np.sin(theta)), _sum_by(labels, pull * np.cos(theta))))

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
    limit = _number("tolerance", tolerance, least=0)
    breaks = np.sum(gaps(phases) > limit, axis=-1, dtype=np.int64)
    result: Ints = np.maximum(breaks, np.int64(1))
    return result


# --- distances between measures on the circle -------------------------------------------------------------------------


def wasserstein(
    phases_a: ArrayLike,
    phases_b: ArrayLike,
    p: float = 1,
    weights_a: ArrayLike | None = None,
    weights_b: ArrayLike | None = None,
) -> Floats:
    """Wasserstein-p distance between two sets of weighted phases, on the circle of circumference 2 pi.

    With F, G the distribution functions, on the line cut open at angle 0,

        ``W_1   = min_alpha int_0^{2 pi} |F(x) - G(x) - alpha| dx``            (alpha: a weighted median),
        ``W_p^p = min_alpha int_0^1 |F^{-1}(u) - G^{-1}(u - alpha)|^p du``     (convex in alpha: bisection).

    Both are exact up to rounding of the phases and of the weights. Cost: O(N log N), times about 60 if p > 1,
    with N = n + m.

    Parameters
    ----------
    phases_a : array_like, shape (..., n)
        Phases in radians; leading axes of the two broadcast.
    phases_b : array_like, shape (..., m)
        Phases in radians.
    p : float
        Exponent, 1 <= p < infinity.
    weights_a, weights_b : array_like, shapes (n,) and (m,), optional
        Nonnegative masses, normalized inside; equal by default.

    Returns
    -------
    float, shape (...,)
        Angle in radians, in [0, pi].

    Raises
    ------
    TypeError, ValueError
        If `p` < 1, an array is not finite, real and of the shape above, or a weight is negative.

    References
    ----------
    J. Delon, J. Salomon, A. Sobolevski, SIAM J. Appl. Math. 70 (2010) 2239. C. A. Cabrelli, U. M. Molter,
    J. Comput. Appl. Math. 57 (1995) 345 (p = 1).

    Examples
    --------
    >>> from inphase.observables import wasserstein
    >>> round(float(wasserstein([0.1], [2 * np.pi - 0.2])), 12)
    0.3
    >>> round(float(wasserstein([0.0, 0.0], [0.0, 2.0], p=2)) ** 2, 12)
    2.0
    """
    a, b = _phases(phases_a, "phases_a"), _phases(phases_b, "phases_b")
    exponent = _number("p", p, least=1)
    w_a, w_b = _weights(weights_a, a.shape[-1], "weights_a"), _weights(weights_b, b.shape[-1], "weights_b")
    try:
        leading = np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
    except ValueError:
        raise ValueError(
            f"phases_a and phases_b have shapes {a.shape} and {b.shape}; expected leading axes that broadcast"
        ) from None
    a = np.broadcast_to(a, leading + a.shape[-1:])
    b = np.broadcast_to(b, leading + b.shape[-1:])
    distance = np.empty(leading)
    for i in np.ndindex(leading):
        left, right = _atoms(a[i], w_a), _atoms(b[i], w_b)
        distance[i] = _transport_1(*left, *right) if exponent == 1 else _transport_p(*left, *right, exponent)
    result: Floats = distance[()]
    return result


def periodicity(phases: ArrayLike, k: int, weights: ArrayLike | None = None) -> Floats:
    """Distance from k-fold symmetry: ``W_1`` between the measure and itself rotated by ``2 pi / k``.

    Parameters
    ----------
    phases : array_like, shape (..., n)
        Phases in radians.
    k : int
        Order of the rotation, >= 1.
    weights : array_like, shape (n,), optional
        Nonnegative masses, normalized inside; equal by default.

    Returns
    -------
    float, shape (...,)
        Angle in radians, in [0, 2 pi / k]; 0 (to rounding) if and only if the measure is 2 pi / k-periodic.

    Raises
    ------
    TypeError, ValueError
        As `wasserstein`; also if `k` is not an integer >= 1.

    Examples
    --------
    >>> from inphase.observables import periodicity
    >>> square = np.array([0.0, 1.0, 2.0, 3.0]) * np.pi / 2
    >>> [round(float(periodicity(square, k)), 6) for k in (2, 3, 4)]
    [0.0, 0.523599, 0.0]
    """
    theta = _phases(phases)
    w = _weights(weights, theta.shape[-1])
    return wasserstein(theta, theta + TAU / _integer("k", k, least=1), 1, w, w)


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
        In [0, 1]: 0 for a 2 pi / k-periodic density, 1 for one without any mode that is a multiple of k. A density that
        is uniform to rounding gives 0.

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
    rho = _phases(density, "density")
    order, size = _integer("k", k, least=1), rho.shape[-1]
    if size < 2 * order:
        raise ValueError(f"density has {size} samples; expected at least 2 k = {2 * order} to resolve mode k = {order}")
    peak = np.abs(rho).max(axis=-1, keepdims=True)
    power = np.abs(np.fft.rfft(rho / np.where(peak > 0, peak, 1.0), norm="forward")) ** 2
    modes = np.arange(power.shape[-1])
    power *= np.where(2 * modes == size, 1, 2)  # each mode stands for -m too, save the Nyquist mode
    total = power[..., 1:].sum(axis=-1)
    rest = power[..., modes % order != 0].sum(axis=-1)
    uniform = total <= (16 * EPS) ** 2
    result: Floats = np.where(uniform, 0.0, rest / np.where(uniform, 1.0, total))[()]
    return result


# --- rings and rotation -----------------------------------------------------------------------------------------------


def winding_number(phases: ArrayLike) -> Ints:
    """Count the turns that phases make once round a ring of oscillators, in index order.

    Each step ``theta_{i+1} - theta_i`` (the last one back to oscillator 0) is taken in (-pi, pi]; their sum is 2 pi
    times the winding number. The q-twisted state has winding number q if 2 |q| < n. A step of pi is ambiguous.

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
    theta = _phases(phases)
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
    start, end = _phases(phases_start, "phases_start"), _phases(phases_end, "phases_end")
    if start.shape != end.shape:
        raise ValueError(f"phases_start has shape {start.shape} and phases_end {end.shape}; expected the same shape")
    span = _number("duration", duration, least=0)
    if span == 0:
        raise ValueError("duration is 0; expected a number > 0")
    return (end - start) / span


# --- arithmetic on the circle -----------------------------------------------------------------------------------------


def _wrap(theta: FloatArray) -> FloatArray:
    """Representative in [0, 2 pi); np.mod alone gives 2 pi itself for tiny negative angles."""
    wrapped = np.mod(theta, TAU)
    return np.where(wrapped < TAU, wrapped, 0.0)


def _gaps(ordered: FloatArray) -> FloatArray:
    """Gaps after each of the phases (..., n), which are sorted in [0, 2 pi)."""
    closing = TAU - (ordered[..., -1:] - ordered[..., :1])
    return np.concatenate([np.diff(ordered, axis=-1), closing], axis=-1)


def _sum_by(labels: NDArray[np.int64], values: FloatArray) -> FloatArray:
    sums: FloatArray = np.bincount(labels, weights=values).astype(np.float64)
    return sums


def _atoms(theta: FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sorted positions in [0, 2 pi) and masses of a discrete measure, without its empty atoms."""
    theta, w = _wrap(theta[w > 0]), w[w > 0]
    order = np.argsort(theta)
    return theta[order], w[order]


def _transport_1(x: FloatArray, w_x: FloatArray, y: FloatArray, w_y: FloatArray) -> float:
    """W_1: the integral of |F - G - alpha| over the circle, at alpha the median of F - G."""
    points = np.concatenate([x, y])
    order = np.argsort(points)
    difference = np.cumsum(np.concatenate([w_x, -w_y])[order])  # F - G after each point
    lengths = _gaps(points[order])
    by_value = np.argsort(difference)
    reached = np.cumsum(lengths[by_value])
    median = difference[by_value[np.searchsorted(reached, reached[-1] / 2)]]
    return float(lengths @ np.abs(difference - median))


def _transport_p(x: FloatArray, w_x: FloatArray, y: FloatArray, w_y: FloatArray, p: float) -> float:
    """W_p: the cost of the monotone plan with shift alpha is convex and piecewise linear in alpha."""
    cdf_x, cdf_y = _cumulative(w_x), _cumulative(w_y)
    y_next = np.append(y[1:], y[0] + TAU)

    def slope(alpha: float) -> float:
        """Sign of the right derivative: each jump of G hands mass over from y_{j+1} to y_j."""
        at = _quantile(cdf_y + alpha, x, cdf_x)
        before, after = np.abs(at - y_next), np.abs(at - y)
        scale = max(before.max(), after.max())  # so that a large p does not overflow
        return float(np.sum((after / scale) ** p - (before / scale) ** p))

    low, high = -1.0, 1.0  # beyond, all mass moves one way, by more than a turn
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)

    cuts: FloatArray = np.sort(np.concatenate([[0.0], cdf_x, np.mod(cdf_y + high, 1.0)]))
    # Mass below the rounding of the distribution functions is nobody's; the p-th root would make it 1e-8 and more.
    keep = np.diff(cuts) > 4 * EPS * np.sqrt(cuts.size)
    mass, middles = np.diff(cuts)[keep], (cuts[1:] + cuts[:-1])[keep] / 2
    distance = np.abs(_quantile(middles, x, cdf_x) - _quantile(middles - high, y, cdf_y))
    scale = distance.max()
    return float(scale * np.sum(mass * (distance / scale) ** p) ** (1 / p)) if scale > 0 else 0.0


def _cumulative(w: FloatArray) -> FloatArray:
    """Distribution function after each atom; the last value is 1 exactly."""
    total = np.cumsum(w, dtype=np.longdouble)
    cdf: FloatArray = (total / total[-1]).astype(np.float64)
    return cdf


def _quantile(u: FloatArray, x: FloatArray, cdf: FloatArray) -> FloatArray:
    """Inverse distribution function, right-continuous, extended by F^{-1}(u + 1) = F^{-1}(u) + 2 pi."""
    turns = np.floor(u)
    atom = np.minimum(np.searchsorted(cdf, u - turns, side="right"), x.size - 1)
    angles: FloatArray = x[atom] + TAU * turns
    return angles


# --- checks at the door -----------------------------------------------------------------------------------------------


def _real(value: ArrayLike, name: str) -> FloatArray:
    """Finite real array as float64."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} is ragged; expected a rectangular array of real numbers") from None
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {array.dtype}; expected real numbers")
    numbers: FloatArray = array.astype(np.float64)
    if not np.isfinite(numbers).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(numbers))[0])
        raise ValueError(f"{name} has {numbers[where]} at index {where}; expected finite numbers")
    return numbers


def _phases(value: ArrayLike, name: str = "phases") -> FloatArray:
    array = _real(value, name)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise ValueError(f"{name} has shape {array.shape}; expected (..., n) with n >= 1")
    return array


def _weights(value: ArrayLike | None, n: int, name: str = "weights") -> FloatArray:
    """Weights (n,) that sum to 1."""
    if value is None:
        return np.full(n, 1 / n)
    w = _real(value, name)
    if w.shape != (n,):
        raise ValueError(f"{name} has shape {w.shape}; expected ({n},), one for each phase")
    if w.min() < 0:
        raise ValueError(f"{name} has {w.min()} at index {int(w.argmin())}; expected nonnegative numbers")
    if w.max() == 0:
        raise ValueError(f"{name} are all 0; expected a positive sum")
    scaled = w / w.max()  # first, so that the sum cannot overflow
    normalized: FloatArray = scaled / scaled.sum()
    return normalized


def _integer(name: str, value: int, least: int | None = None) -> int:
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} is {value!r}; expected an integer")
    number = operator.index(value)
    if least is not None and number < least:
        raise ValueError(f"{name} is {number}; expected an integer >= {least}")
    return number


def _number(name: str, value: float, least: float) -> float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} is {value!r}; expected a real number")
    if not (np.isfinite(value) and value >= least):
        raise ValueError(f"{name} is {value!r}; expected a finite number >= {least}")
    return float(value)
