"""Wasserstein distances between measures on the circle, and from k-fold symmetry."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from inphase.checks import finite_number, integer, phase_array
from inphase.observables.circle import EPS, TAU, FloatArray, Floats, gaps_between, shares, wrap


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
    a, b = phase_array(phases_a, "phases_a"), phase_array(phases_b, "phases_b")
    exponent = finite_number("p", p, least=1)
    w_a, w_b = shares(weights_a, a.shape[-1], "weights_a"), shares(weights_b, b.shape[-1], "weights_b")
    try:
        leading = np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
    except ValueError:
        raise ValueError(
            f"phases_a and phases_b must have leading axes that broadcast; got shapes {a.shape} and {b.shape}"
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
    theta = phase_array(phases)
    w = shares(weights, theta.shape[-1])
    return wasserstein(theta, theta + TAU / integer("k", k, least=1), 1, w, w)


def _atoms(theta: FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sorted positions in [0, 2 pi) and masses of a discrete measure, without its empty atoms."""
    theta, w = wrap(theta[w > 0]), w[w > 0]
    order = np.argsort(theta)
    return theta[order], w[order]


def _transport_1(x: FloatArray, w_x: FloatArray, y: FloatArray, w_y: FloatArray) -> float:
    """W_1: the integral of |F - G - alpha| over the circle, at alpha the median of F - G."""
    points = np.concatenate([x, y])
    order = np.argsort(points)
    difference = np.cumsum(np.concatenate([w_x, -w_y])[order])  # F - G after each point
    lengths = gaps_between(points[order])
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
    # Mass below the rounding of the distribution functions is nobody's; the p-th root would make it 1e-8 and
    # more.
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
