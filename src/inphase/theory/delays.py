"""One constant delay, identical oscillators: the frequencies at which they can be in synchrony."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inphase.checks import finite_number
from inphase.interaction import Interaction, checked, kuramoto


@dataclass(frozen=True)
class DelayFrequencies:
    """What `delay_frequencies` found, by ascending frequency.

    Attributes
    ----------
    frequencies : ndarray, shape (m,)
        Ω, radians per unit of time.
    slopes : ndarray, shape (m,)
        K f'(Ωτ + α).
    stable : ndarray of bool, shape (m,)
        Whether the state is linearly stable: where the slope is positive.
    """

    frequencies: NDArray[np.float64]
    slopes: NDArray[np.float64]
    stable: NDArray[np.bool_]


def delay_frequencies(
    omega: float, coupling: float, delay: float, interaction: Interaction | None = None, lag: float = 0.0
) -> DelayFrequencies:
    """All Ω = ω − K f(Ωτ + α): the synchronized states θ_i = Ω t of identical oscillators with a delay.

    For dθ_i/dt = ω − K Σ_j A_ij f(θ_i(t) − θ_j(t − τ)), rows of A with the sum 1. They are stable where
    f'(Ωτ) > 0 if A >= 0 is strongly connected. Two oscillators also have the states in antiphase, with `lag`
    α = π, stable where f'(Ωτ + π) > 0. All lie within ω ± K max|f|; for f = sin there are
    about 2 K τ/π of them.

    Parameters
    ----------
    omega : float
        ω, radians per unit of time.
    coupling : float
        K, any sign.
    delay : float
        τ >= 0.
    interaction : Interaction, optional
        f; sin by default.
    lag : float
        α, radians.

    Returns
    -------
    DelayFrequencies
        Each root to rounding: a few eps (|Ω| + |ω| + K max|f|). Two roots that have just met, within
        rounding, may count as none or two.

    Raises
    ------
    TypeError, ValueError
        If a number is not finite, or the delay negative.

    References
    ----------
    Schuster, Wagner, *Mutual entrainment of two limit cycle oscillators with time delayed coupling* (1989);
    Yeung, Strogatz, *Time delay in the Kuramoto model of coupled oscillators* (1999); Earl, Strogatz,
    *Synchronization in oscillator networks with delayed coupling: a stability criterion* (2003).

    Examples
    --------
    >>> found = delay_frequencies(omega=1.0, coupling=2.0, delay=3.0)
    >>> found.frequencies.round(6), found.stable
    (array([0.146893, 1.056639, 1.932679]), array([ True, False,  True]))
    """
    f = kuramoto() if interaction is None else checked(interaction)
    own, K = finite_number("omega", omega), finite_number("coupling", coupling)
    shift = finite_number("lag", lag)
    tau = finite_number("delay", delay, least=0)
    slope = f.derivative()

    def excess(Omega: NDArray[np.float64]) -> NDArray[np.float64]:
        return Omega - own + K * f(Omega * tau + shift)

    edges = _monotone_pieces(own, K, tau, shift, f)
    values = excess(edges)
    change = np.flatnonzero((values[:-1] < 0) != (values[1:] < 0))
    low, high, rising = edges[change], edges[change + 1], values[change] < 0
    for _ in range(200):  # bisection, all roots at once
        middle = (low + high) / 2
        left = (excess(middle) < 0) == rising
        low, high = np.where(left, middle, low), np.where(left, high, middle)
        if np.all((middle == low) & (middle == high) | (np.nextafter(low, high) >= high)):
            break
    found = np.where(np.abs(excess(low)) <= np.abs(excess(high)), low, high)
    slopes = K * slope(found * tau + shift)
    return DelayFrequencies(found, slopes, slopes > 0)


def _monotone_pieces(own: float, K: float, tau: float, shift: float, f: Interaction) -> NDArray[np.float64]:
    """Edges of intervals with Ω − ω + K f(Ωτ + α) monotone on each; all roots lie within the outermost."""
    reach = abs(K) * f.maximum * 1.02 + 1e-12 * (1 + abs(own))  # `maximum` is to 1e-2
    ends = np.array([own - reach, own + reach])
    x = f.roots(1, level=-1 / (K * tau)) if K * tau else np.empty(0)  # 1 + K τ f' = 0, in one turn
    if not len(x):
        return ends
    first, last = np.floor((ends * tau + shift) / (2 * np.pi))
    turns = 2 * np.pi * np.arange(first - 1, last + 2)
    inner = np.sort(((turns[:, None] + x - shift) / tau).ravel())
    return np.concatenate([ends[:1], inner[(inner > ends[0]) & (inner < ends[1])], ends[1:]])
