"""dθ_i/dt = −(1/(n g_i)) Σ_j f(θ_i − θ_j) + sqrt(2 D) ξ_i, any f: growth rates, two clusters."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inphase.checks import finite_number, integer
from inphase.interaction import Interaction, checked

# ------------------------------------------------------------------------------------------ the uniform state


def growth_rates(
    interaction: Interaction, gain: str | None = None, noise: float = 0.0, modes: int | None = None
) -> NDArray[np.float64] | NDArray[np.complex128]:
    """Growth rate of each Fourier mode of the uniform density, k = 1, 2, ...

    A small perturbation c_k e^{ikx} of ρ = 1/2π grows like e^{λ_k t}. With f(x) = Re Σ F_k e^{ikx}, the
    continuity equation ∂_t ρ = ∂_x(ρ (f*ρ)/g) + D ∂_xx ρ, linearized, gives

        λ_k = i k (F_k/2 + F_0)/g − D k²,

    which for odd f = Σ b_k sin kx is k b_k/(2 g) − D k². Else the mode also travels, at the speed −Im λ_k/k.

    Parameters
    ----------
    interaction : Interaction
        f.
    gain : None or "softmax"
        g = 1, or g(x) = ∫ h(cos(x − y)) ρ(y) dy for f = sin x · h(cos x), whose value here is the mean of h.
    noise : float
        D >= 0, in radians² per time.
    modes : int, optional
        How many modes to return; all those of f by default (higher ones have F_k = 0 to rounding).

    Returns
    -------
    array, shape (modes,)
        λ_1, λ_2, ..., per time; real for odd f, complex otherwise. Error: rounding relative to k max|f|.

    Raises
    ------
    TypeError, ValueError
        If noise is negative, modes is not an integer >= 1, or the gain is unknown or does not suit f.

    References
    ----------
    Strogatz, Mirollo, *Stability of incoherence in a population of coupled oscillators* (1991).

    Examples
    --------
    >>> from inphase.interaction import attention, kuramoto
    >>> growth_rates(kuramoto(), noise=0.1, modes=3).tolist()
    [0.4, -0.4, -0.9]
    >>> growth_rates(attention(beta=5), modes=4).round(4)  # k² I_k(β) e^{−β}/β
    array([0.0328, 0.0944, 0.1253, 0.1101])
    """
    D, h = finite_number("noise", noise, least=0), checked(interaction).gain_profile(gain)
    F = interaction.modes
    count = len(F) - 1 if modes is None else integer("modes", modes, least=1)
    k = np.arange(1, count + 1)
    padded = np.zeros(count, dtype=complex)
    padded[: len(F) - 1] = F[1 : count + 1]
    mean = 1.0 if h is None else float(h.modes[0].real)
    if interaction.odd:
        return np.asarray(-k * padded.imag / (2 * mean) - D * k**2)
    return np.asarray(1j * k * (padded / 2 + F[0].real) / mean - D * k**2)


def fastest_mode(interaction: Interaction, gain: str | None = None, noise: float = 0.0) -> int:
    """The mode k of the uniform state that grows fastest, or 0 where none grows.

    It is the number of clusters that a nearly uniform start forms first.

    Parameters
    ----------
    interaction, gain, noise
        As in `growth_rates`.

    Returns
    -------
    int
        argmax_k Re λ_k; 0 if every Re λ_k is <= 0 (to rounding).

    Raises
    ------
    TypeError, ValueError
        As `growth_rates`.

    Examples
    --------
    >>> from inphase.interaction import attention
    >>> fastest_mode(attention(beta=5)), fastest_mode(-attention(beta=5))
    (3, 0)
    """
    rates = np.real(growth_rates(interaction, gain, noise))
    k = int(np.argmax(rates)) + 1
    return k if rates[k - 1] > 1e-13 * k * interaction.maximum else 0


def attention_ratio_limit() -> float:
    """The limit β → ∞ of 4 f'(0)/(τ ∫|f'''|_+) for attention, 1.139590766...: the L1 criterion holds there.

    In y = sqrt(β) x, sqrt(β) f tends to φ(y) = y e^{−y²/2}, τ to 1, and ∫|φ'''|_+ is the rise of
    φ'' = (y³ − 3y) e^{−y²/2} between the zeros y² = 3 ∓ sqrt 6 of φ''', on both sides of 0.

    References
    ----------
    Polyanskiy, Rigollet, Yao, *Synchronization of mean-field models on the circle* (2025), Theorem 2.1.

    Examples
    --------
    >>> round(attention_ratio_limit(), 12)
    1.139590766403
    """
    low, high = math.sqrt(3 - math.sqrt(6)), math.sqrt(3 + math.sqrt(6))

    def second(y: float) -> float:
        return (y**3 - 3 * y) * math.exp(-(y**2) / 2)

    return 4 / (2 * (second(high) - second(low)))


# ----------------------------------------------------------------------------------------------- two clusters


def two_cluster_merging_time(
    interaction: Interaction, start: float, end: float, gain: str | None = None
) -> float:
    """Time in which two clusters of equal mass come from distance `start` to distance `end`.

    Their distance obeys d' = −f(d) (its odd part, where f is not odd), so the time is ∫_end^start dx/f(x).
    With gain="softmax", g = (h(1) + h(cos d))/2 for both clusters, and the integrand is multiplied by it.

    Parameters
    ----------
    interaction : Interaction
        f.
    start, end : float
        Distances in radians, 0 < end <= start < π.
    gain : None or "softmax"
        As in `growth_rates`.

    Returns
    -------
    float
        The time, with a relative error below 1e-12 plus that of f itself (about eps·β for attention), also
        where 1/f spans many decades; inf where the clusters never come that close (f <= 0 in between) or
        where f underflows.

    Raises
    ------
    TypeError, ValueError
        If the distances are not in that order, or the gain is unknown or does not suit f.

    Examples
    --------
    >>> from inphase.interaction import attention
    >>> f"{two_cluster_merging_time(attention(beta=36), 2.5, 0.01):.9e}"
    '1.010632959e+27'
    """
    h = checked(interaction).gain_profile(gain)
    high, low = finite_number("start", start), finite_number("end", end)
    if not 0 < low <= high < math.pi:
        raise ValueError(f"distances must obey 0 < end <= start < π; got start={start!r}, end={end!r}")
    profile = interaction.profile

    def integrand(u: NDArray[np.float64]) -> NDArray[np.float64]:
        """dt/du in u = log tan(x/2), dx = sin x du, where f(x) = sin x · h(cos x) leaves 1/h."""
        x = 2 * np.arctan(np.exp(u))
        pull = profile(x) if profile is not None else (interaction(x) - interaction(-x)) / (2 * np.sin(x))
        weight = 1.0 if h is None else (h(0.0) + h(x)) / 2
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(np.where(pull > 0, weight / np.maximum(pull, 0.0), np.inf))

    return _positive_integral(integrand, math.log(math.tan(low / 2)), math.log(math.tan(high / 2)))


def _positive_integral(
    integrand: Callable[[NDArray[np.float64]], NDArray[np.float64]], low: float, high: float
) -> float:
    """∫ of a positive function to 1e-12 relative, by Gauss panels halved until right; inf if it diverges.

    Judging every panel by its own value keeps relative accuracy over any number of decades.
    """
    nodes, weights = np.polynomial.legendre.leggauss(16)

    def panels(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        half = (b - a) / 2
        with np.errstate(over="ignore"):
            return np.asarray(half * (integrand((a + half)[:, None] + half[:, None] * nodes) @ weights))

    edges = np.linspace(low, high, 65)
    a, b = edges[:-1], edges[1:]
    coarse, found = panels(a, b), 0.0
    for _ in range(50):
        middle = (a + b) / 2
        left, right = panels(a, middle), panels(middle, b)
        fine = left + right
        if not np.all(np.isfinite(fine)):
            return math.inf
        total = found + float(np.sum(fine))
        error = np.abs(fine - coarse)
        done = (error <= 1e-12 * fine) | (error <= 1e-15 * total)
        found += float(np.sum(fine[done]))
        if np.all(done):
            return found
        more = ~done
        a, middle, b = a[more], middle[more], b[more]
        a, b = np.concatenate([a, middle]), np.concatenate([middle, b])
        coarse = np.concatenate([left[more], right[more]])
    return math.inf
