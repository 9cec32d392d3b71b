"""The classical Kuramoto model, f = K sin, with its own sign: dθ_i/dt = ω_i + (K/n) Σ_j sin(θ_j − θ_i)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase import distributions
from inphase.checks import finite_array, finite_number, finite_vector
from inphase.distributions import Distribution

Density = Distribution | str | Callable[[float], float]


def ott_antonsen(
    times: ArrayLike, coupling: float, width: float, initial: complex, center: float = 0.0
) -> NDArray[np.complex128]:
    """Order parameter z(t) = r e^{iψ} of infinitely many Kuramoto oscillators with Lorentzian frequencies.

    On the Ott-Antonsen manifold, for dθ_i/dt = ω_i + (K/n) Σ_j sin(θ_j − θ_i), z' = (i ω_0 − Δ) z +
    (K/2) z (1 − |z|²). So u = r² is logistic, u' = a u − K u² with a = K − 2Δ:
    u(t) = u_0 e^{at}/(1 + K u_0 (e^{at} − 1)/a), and ψ' = ω_0.

    Parameters
    ----------
    times : array, any shape
        t >= 0.
    coupling : float
        K, any sign.
    width : float
        Δ >= 0, the half width at half maximum of g(ω) = (Δ/π)/(Δ² + (ω − ω_0)²); 0 for identical oscillators.
    initial : complex
        z(0), of modulus <= 1; the phases at time 0 have the density of the Poisson kernel of z(0)
        (wrapped Cauchy).
    center : float
        ω_0.

    Returns
    -------
    array of complex, the shape of times
        z(t); its modulus is r(t).

    Raises
    ------
    TypeError, ValueError
        If an argument is not a finite number, a time or the width is negative, or |z(0)| > 1.

    References
    ----------
    Ott, Antonsen, *Low dimensional behavior of large systems of globally coupled oscillators* (2008).

    Examples
    --------
    >>> abs(ott_antonsen([0.0, 1.0, 100.0], coupling=4.0, width=0.5, initial=0.1)).round(6)
    array([0.1     , 0.400139, 0.866025])
    """
    from scipy.special import exprel  # (e^x − 1)/x, 1 at 0

    t = finite_array("times", times)
    if np.any(t < 0):
        raise ValueError(f"times must be >= 0; got {t[t < 0].flat[0]}")
    K, delta, omega = (
        finite_number("coupling", coupling),
        finite_number("width", width, least=0),
        finite_number("center", center),
    )
    try:
        start = complex(initial)
    except (TypeError, ValueError):
        raise TypeError(f"initial must be a complex number; got {initial!r}") from None
    if not abs(start) <= 1 + 1e-12:
        raise ValueError(f"initial must be an order parameter, |z| <= 1; got {initial!r}")
    square, at = abs(start) ** 2, (K - 2 * delta) * t
    decay = np.exp(-np.abs(at))  # numerator and denominator divided by e^{at} where it is large
    growing = 1 / (decay + K * square * t * exprel(-np.maximum(at, 0)))
    fading = decay / (1 + K * square * t * exprel(np.minimum(at, 0)))
    return np.asarray(start * np.sqrt(np.where(at > 0, growing, fading)) * np.exp(1j * omega * t))


def _lorentzian_locking(a: float) -> float:
    return 1 / (1 + math.sqrt(1 + a * a))


def _normal_locking(a: float) -> float:
    from scipy.special import i0e, i1e

    return float(math.sqrt(math.pi / 8) * (i0e(a * a / 4) + i1e(a * a / 4)))


def _uniform_locking(a: float) -> float:
    s = math.asin(min(1.0, 1 / a)) if a > 0 else math.pi / 2
    return (s + math.sin(s) * math.cos(s)) / 2


# for width 1: a ↦ ∫ cos²φ g(a sin φ) dφ over the locked oscillators, |φ| < π/2
_LOCKING: dict[str, Callable[[float], float]] = {
    "lorentzian": _lorentzian_locking,
    "normal": _normal_locking,
    "uniform": _uniform_locking,
}


def _distribution(distribution: Distribution | str) -> Distribution:
    """The distribution itself, or the one of width 1 that a name stands for."""
    if isinstance(distribution, Distribution):
        return distribution
    if distribution not in _LOCKING:
        raise ValueError(
            f"distribution must be one of {sorted(_LOCKING)}, a Distribution or a density; got {distribution!r}"
        )
    return distributions.named(distribution)


def _frequencies(distribution: Density, width: float) -> tuple[float, float, Callable[[float], float]]:
    """The unit of frequency, and in that unit g(0) and the locking integral a ↦ ∫ cos²φ g(a sin φ) dφ."""
    unit = finite_number("width", width, positive=True)
    if isinstance(distribution, Distribution) and unit != 1:
        raise ValueError(
            f"width must be left out where distribution has its own, {distribution!r}; got {width!r}"
        )
    if isinstance(distribution, Distribution | str):
        found = _distribution(distribution)
        peak = float(found.density(found.center)) * found.width
        if found.name in _LOCKING:
            return unit * found.width, peak, _LOCKING[found.name]
        center, unit = found.center, found.width
        return unit, *_relative(lambda w: float(found.density(center + unit * w)) * unit)
    if not callable(distribution):
        raise TypeError(
            f"distribution must be one of {sorted(_LOCKING)}, a Distribution or a density; got {distribution!r}"
        )
    return unit, *_relative(distribution)


def _relative(distribution: Callable[[float], float]) -> tuple[float, Callable[[float], float]]:
    """g(0) and the locking integral of a density, by quadrature."""
    peak = finite_number("distribution(0)", distribution(0.0), positive=True)
    scale = 1 / (2 * peak)  # the half width of the uniform density with this peak

    def integral(over: Callable[[float], float], to: float, corner: float) -> float:
        """∫ over angles from 0, in pieces that see the peak of g, at the scale given as an angle."""
        from scipy.integrate import quad

        edges = [0.0, *(corner * 4.0**p for p in range(-1, 9) if corner * 4.0**p < to), to]
        pieces = [
            quad(over, *edge, epsabs=1e-14, epsrel=1e-12, limit=200)[0] for edge in itertools.pairwise(edges)
        ]
        return float(sum(pieces))

    _check_density(distribution, peak, scale, integral)

    def locking(a: float) -> float:
        corner = math.asin(scale / a) if a > scale else math.pi
        return 2 * integral(lambda u: math.cos(u) ** 2 * distribution(a * math.sin(u)), math.pi / 2, corner)

    return peak, locking


def _check_density(
    g: Callable[[float], float], peak: float, scale: float, integral: Callable[..., float]
) -> None:
    """Mass 1, even, and falling on both sides of 0; ValueError otherwise."""
    omega = scale * np.tan(np.linspace(0, 1.56, 300))
    right = finite_array("distribution", [g(float(w)) for w in omega])
    left = finite_array("distribution", [g(-float(w)) for w in omega])
    if np.any(right < 0):
        raise ValueError(f"distribution must be a density; got {right.min():.3g} < 0")
    if np.any(np.abs(right - left) > 1e-8 * peak):
        raise ValueError(
            "distribution must be even; give the density of the frequencies relative to their mean"
        )
    if np.any(np.diff(right) > 1e-8 * peak):
        raise ValueError(
            "distribution must be unimodal, with its maximum at its center; see incoherence_threshold for others"
        )
    mass = 2 * integral(
        lambda u: g(scale * math.tan(u)) * scale / math.cos(u) ** 2, math.pi / 2 * (1 - 1e-12), 0.5
    )
    if abs(mass - 1) > 1e-6:
        raise ValueError(f"distribution must have mass 1; its integral is {mass:.8g}")


def critical_coupling(distribution: Density = "lorentzian", width: float = 1.0) -> float:
    """K_c = 2/(π g(0)), where synchronization sets in for dθ_i/dt = ω_i + (K/n) Σ_j sin(θ_j − θ_i).

    Parameters
    ----------
    distribution : Distribution, "lorentzian", "normal", "uniform", or callable
        The density g of the natural frequencies relative to their center: unimodal and even. A callable ω ↦
        g(ω) takes one float and has mass 1.
    width : float
        Half width at half maximum (lorentzian), standard deviation (normal), half width of the interval
        (uniform); for a callable, the unit of its ω: the density is g(ω/width)/width. A `Distribution` has
        its own.

    Returns
    -------
    float
        K_c: 2Δ, sqrt(8/π) σ and 4γ/π for the named ones.

    Raises
    ------
    TypeError, ValueError
        If the distribution is unknown, or the density negative, not finite, not even, not unimodal, or not of
        mass 1.

    References
    ----------
    Kuramoto, *Chemical Oscillations, Waves, and Turbulence* (1984).

    Examples
    --------
    >>> critical_coupling("lorentzian", width=0.5)
    1.0
    """
    unit, peak, _ = _frequencies(distribution, width)
    return 2 * unit / (math.pi * peak)


def incoherence_threshold(distribution: Distribution | str = "lorentzian", width: float = 1.0) -> float:
    """The least K at which incoherence is linearly unstable, for any density: also with several maxima.

    A small z ~ e^{λt} grows with 1 = (K/2) ∫ g(ω)/(λ − iω) dω. At the threshold λ = iν + 0, so

        PV ∫ g(ω)/(ω − ν) dω = 0 and K = 2/(π g(ν)),

    and the threshold is the least such K over all ν. For one maximum, ν is the center and K = K_c of
    `critical_coupling`. For two Lorentzians at ±ω_0 of width Δ it is 4Δ where ω_0 > Δ
    (two groups appear, at ±ν), else 2 (Δ² + ω_0²)/Δ. Synchrony may exist below it, beside incoherence
    (hysteresis).

    Parameters
    ----------
    distribution : Distribution or str
        Even about its center, with a density.
    width : float
        For a name, as in `critical_coupling`.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If the distribution is unknown or has no density (`point`, `from_file`).

    References
    ----------
    Strogatz, Mirollo, *Stability of incoherence in a population of coupled oscillators* (1991); Martens,
    Barreto, Strogatz, Ott, So, Antonsen, *Exact results for the Kuramoto model with a bimodal frequency
    distribution* (2009).

    Examples
    --------
    >>> from inphase.distributions import bimodal
    >>> round(incoherence_threshold(bimodal(width=0.5, separation=3.0, component="lorentzian")), 12)
    2.0
    >>> round(incoherence_threshold("normal"), 12) == round(critical_coupling("normal"), 12)
    True
    """
    from scipy.optimize import brentq

    if not isinstance(distribution, Distribution | str):
        raise TypeError(
            f"distribution must be a Distribution or one of {sorted(_LOCKING)}; got {distribution!r}"
        )
    unit = finite_number("width", width, positive=True)
    if isinstance(distribution, Distribution) and unit != 1:
        raise ValueError(
            f"width must be left out where distribution has its own, {distribution!r}; got {width!r}"
        )
    found = _distribution(distribution)

    center, size = found.center, found.width
    found.density(center)  # refuses values without a density

    def slope(s: Any) -> Any:
        """The principal value at center + s, over s: zeros are the ν beside the center, always one itself."""
        return found.principal_value(center + s) / s

    # beyond reach of the peaks it is −1/s; zeros are sought on all scales around the center and around a peak
    half = float(found.options.get("separation", 0.0)) / 2
    scales = np.geomspace(1e-4 * size, 10 * (size + half), 400)
    grid = np.unique(np.abs(np.concatenate([scales, half + scales, half - scales])))
    values = slope(grid[1:])
    change = 1 + np.flatnonzero((values[:-1] > 0) != (values[1:] > 0))
    zeros = [0.0, *(brentq(slope, grid[k], grid[k + 1], rtol=1e-14) for k in change)]
    return 2 * unit / (math.pi * float(np.max(found.density(center + np.array(zeros)))))


def order_parameter(
    coupling: ArrayLike, distribution: Density = "lorentzian", width: float = 1.0
) -> NDArray[np.float64]:
    """Stationary order parameter r(K) of infinitely many Kuramoto oscillators: 0 up to K_c, positive above.

    The oscillators with |ω| < K r lock, and r > 0 solves 1 = K ∫ cos²φ g(K r sin φ) dφ over |φ| < π/2. For
    the lorentzian, r = sqrt(1 − 2Δ/K); for the uniform distribution of half width γ, r jumps from 0 to π/4 at
    K_c = 4γ/π.

    Parameters
    ----------
    coupling : array, any shape
        K.
    distribution, width
        As in `critical_coupling`.

    Returns
    -------
    array, the shape of coupling
        r(K) in [0, 1).

    Raises
    ------
    TypeError, ValueError
        As `critical_coupling`, and if a coupling is not finite.

    References
    ----------
    Kuramoto, *Chemical Oscillations, Waves, and Turbulence* (1984); Pazó, *Thermodynamic limit of the
    first-order phase transition in the Kuramoto model* (2005).

    Examples
    --------
    >>> order_parameter([0.5, 4.0], "lorentzian", width=0.5).round(6)
    array([0.      , 0.866025])
    """
    unit, peak, locking = _frequencies(distribution, width)
    K = finite_array("coupling", coupling) / unit
    return np.array([_locked(k, peak, locking) for k in K.flat]).reshape(K.shape)


def _locked(K: float, peak: float, locking: Callable[[float], float]) -> float:
    """r for width 1: the root a = K r of the falling function locking(a) − 1/K, over K."""
    from scipy.optimize import brentq

    if math.pi * peak * K <= 2 or K * locking(0.0) <= 1:
        return 0.0
    if K * locking(K) >= 1:  # r = 1 to rounding
        return 1.0
    return float(brentq(lambda a: K * locking(a) - 1, 0.0, K, xtol=1e-16 * K, rtol=1e-15)) / K


def locking_coupling(frequencies: ArrayLike) -> float:
    """The least K with a phase-locked state of dθ_i/dt = ω_i + (K/n) Σ_j sin(θ_j − θ_i); exact for finite n.

    With Ω_i = ω_i − mean(ω), K = n u / Σ_i sqrt(1 − (Ω_i/u)²), where u in [max|Ω|, 2 max|Ω|] solves
    2 Σ sqrt(1 − (Ω_i/u)²) = Σ 1/sqrt(1 − (Ω_i/u)²).

    Parameters
    ----------
    frequencies : array_like, shape (n,)
        ω, radians per unit of time.

    Returns
    -------
    float
        0 for equal frequencies.

    Raises
    ------
    ValueError, TypeError
        If the frequencies are not finite numbers of shape (n,).

    References
    ----------
    Verwoerd, Mason, *Global phase-locking in finite populations of phase-coupled oscillators*, SIAM J. Appl.
    Dyn. Syst. 7 (2008).

    Examples
    --------
    >>> round(locking_coupling([-1.0, 1.0]), 12)  # two oscillators: K = |ω_1 − ω_2|
    2.0
    """
    return _locking(finite_vector("frequencies", frequencies))[0]


def _locking(omega: NDArray[np.float64]) -> tuple[float, float]:
    """The least K with a locked state, and there u = K r."""
    from scipy.optimize import brentq

    deviation = omega - np.mean(omega)
    widest = float(np.max(np.abs(deviation)))
    if widest <= 1e-15 * float(np.max(np.abs(omega))):
        return 0.0, 0.0

    def balance(u: float) -> float:
        root = np.sqrt(np.maximum(1 - (deviation / u) ** 2, 1e-300))
        return float(np.sum(2 * root - 1 / root))

    u = float(brentq(balance, widest * (1 + 1e-15), 2 * widest, xtol=1e-15 * widest))
    return u / float(np.mean(np.sqrt(np.maximum(1 - (deviation / u) ** 2, 0.0)))), u


def incoherent_fluctuations(
    coupling: float, distribution: Distribution | str = "lorentzian", width: float = 1.0
) -> float:
    """lim n ⟨r²⟩ over time and random samples of n frequencies, in incoherence: r is about sqrt(this/n).

    Every oscillator turns on its own and is amplified by the medium of the others: ∫ g(ν) dν/|ε(ν)|², where
    ε(ν) = 1 − (K/2)(π g(ν) + i PV ∫ g(ω)/(ω − ν) dω) vanishes at the threshold. Lorentzian: 1/(1 − K/K_c).

    Parameters
    ----------
    coupling : float
        K, any sign, below `incoherence_threshold`.
    distribution, width
        As in `incoherence_threshold`.

    Returns
    -------
    float
        1 for K = 0. To 1e-8; finite n add O(1/n), and more within n^{−2/5} or so of the threshold.

    Raises
    ------
    TypeError, ValueError
        As `incoherence_threshold`, and if K is not below it.

    References
    ----------
    Daido, *Intrinsic fluctuations and a phase transition in a class of large populations of interacting
    oscillators* (1990); Hildebrand, Buice, Chow, *Kinetic theory of coupled oscillators* (2007).

    Examples
    --------
    >>> round(incoherent_fluctuations(1.0, "lorentzian"), 8)
    2.0
    """
    from scipy.integrate import quad

    K, threshold = finite_number("coupling", coupling), incoherence_threshold(distribution, width)
    if threshold <= K:
        raise ValueError(
            f"coupling must be below the threshold of incoherence, {threshold:.6g}; got {coupling!r}"
        )
    found = _distribution(distribution)
    half = K / 2 / width

    def gain(p: float) -> float:
        x = found.quantile(p)
        return float(
            1 / ((1 - half * math.pi * found.density(x)) ** 2 + (half * found.principal_value(x)) ** 2)
        )

    # p runs over the probability below the center
    return 2 * float(quad(gain, 0, 0.5, epsabs=1e-10, epsrel=1e-9, limit=400)[0])


def order_parameter_finite(coupling: ArrayLike, frequencies: ArrayLike) -> NDArray[np.float64]:
    """Order parameter r(K) of a steady mean field on the oscillators given: their own self-consistency.

    The mean field turns at Ω. Oscillators with |ω_i − Ω| <= a = K r lock at sin φ_i = x_i = (ω_i − Ω)/a; the
    others drift, and pull on its phase alone:

        r = (1/n) Σ_locked sqrt(1 − x_i²),   0 = Σ_locked x_i + Σ_drifting (x_i − sgn x_i sqrt(x_i² − 1)).

    The largest r is returned, or 0 where that is below n^{−1/2}, the size of the fluctuations that are left
    out: see `incoherent_fluctuations`. Where all lock it is exact (Ω is the mean of ω).

    Parameters
    ----------
    coupling : array, any shape
        K.
    frequencies : array_like, shape (n,)
        ω, radians per unit of time.

    Returns
    -------
    array, the shape of coupling
        r(K) in [0, 1]; 0 for K <= 0.

    Raises
    ------
    TypeError, ValueError
        If a number is not finite or the shape of frequencies is not (n,).

    References
    ----------
    Kuramoto, *Chemical Oscillations, Waves, and Turbulence* (1984); Pazó, *Thermodynamic limit of the
    first-order phase transition in the Kuramoto model* (2005).

    Examples
    --------
    >>> from inphase.distributions import lorentzian
    >>> order_parameter_finite([1.5, 4.0], lorentzian(width=0.5).quantiles(10_000)).round(3)  # sqrt(1 − 1/K) for n → ∞
    array([0.577, 0.866])
    """
    omega, K = finite_vector("frequencies", frequencies), finite_array("coupling", coupling)
    locking = _locking(omega)
    found = [_all_lock(k, omega, locking[1]) if k >= locking[0] else _some_lock(k, omega) for k in K.flat]
    return np.where(K > 0, np.array(found).reshape(K.shape), 0.0)


def _steady(a: float, omega: NDArray[np.float64], start: float) -> tuple[float, float]:
    """Ω for a = K r, and the mean of sqrt(1 − x²) over locked oscillators.

    The pull on the phase falls through 0 at the Ω that is found: the next one from `start` in the pull's
    direction.
    """
    from scipy.optimize import brentq

    def pull(Omega: float) -> float:
        x = (omega - Omega) / a
        drifting = np.maximum(np.abs(x), 1.0)
        return float(np.mean(x / (drifting * (drifting + np.sqrt((drifting - 1) * (drifting + 1))))))

    Omega, step = start, a * pull(start)
    while abs(step) > 1e-15 * (a + abs(Omega)):
        if pull(Omega + step) * step <= 0:
            Omega = float(brentq(pull, Omega, Omega + step, xtol=1e-15 * (a + abs(Omega)), rtol=1e-15))
            break
        Omega, step = Omega + step, 2 * step
    return Omega, float(np.mean(np.sqrt(np.maximum(1 - ((omega - Omega) / a) ** 2, 0.0))))


def _all_lock(K: float, omega: NDArray[np.float64], least: float) -> float:
    """r where all can lock, by the larger root u = K r of K · mean sqrt(1 − (Ω_i/u)²) = u.

    They meet at u = `least`, on the margin of locking; the excess of the left side falls from there on.
    """
    from scipy.optimize import brentq

    deviation = omega - np.mean(omega)

    def excess(u: float) -> float:
        return K * float(np.mean(np.sqrt(np.maximum(1 - (deviation / u) ** 2, 0.0)))) - u

    if K <= 0 or least == 0:
        return 1.0
    if excess(least) <= 0:  # on the margin, to rounding
        return least / K
    return float(brentq(excess, least, K * (1 + 1e-15), xtol=1e-16 * K, rtol=1e-15)) / K


def _some_lock(K: float, omega: NDArray[np.float64]) -> float:
    """r where some drift: the largest fixed point of a ← K r(a), from a = K down.

    r(a) rises steeply where one more oscillator locks, and is concave between. So neither a step a ← K r(a)
    nor, from the right and as far as the next such a, a step of Newton's method goes past the largest fixed
    point.
    """
    a, before, frame = K, K, float(np.median(omega))
    while a > K / math.sqrt(len(omega)):
        frame, locked = _steady(a, omega, frame)
        excess = K * locked - a
        if excess > 0:  # past it after all, as the frame moves with a
            return _above(a, before, K, omega, frame)
        if -excess <= 4e-16 * K:
            return a / K
        distance = np.abs(omega - frame)
        edge = float(np.max(distance, initial=0.0, where=distance < a * (1 - 1e-13)))
        slope = K * _slope(a, omega, frame) - 1
        newton = a - excess / slope if slope < 0 else -math.inf  # no root where it rises to the right
        before, a = a, min(a + excess, max(newton, edge))
    return 0.0


def _above(low: float, high: float, K: float, omega: NDArray[np.float64], frame: float) -> float:
    """r at a fixed point above a = `low`, where K r > a, on the branch of frames from `low`, `frame` on.

    The branch is followed in short steps: over a long one, the nearest frame can be on another branch.
    """
    from scipy.optimize import brentq

    def excess(a: float) -> float:
        return K * _steady(a, omega, frame)[1] - a

    step = max((high - low) / 16, 1e-15 * K)
    while excess(low + step) > 0:
        low += step
        frame = _steady(low, omega, frame)[0]
    if excess(low) <= 0:  # a root, to rounding
        return low / K
    return float(brentq(excess, low, low + step, xtol=1e-15 * K, rtol=1e-14)) / K


def _slope(a: float, omega: NDArray[np.float64], frame: float) -> float:
    """dr/da along the frames Ω(a) in which nothing pulls, for `_steady`."""
    x = (omega - frame) / a
    locked, size = np.abs(x) < 1 - 1e-13, np.abs(x)
    root = np.sqrt(np.where(locked, (1 - size) * (1 + size), 1.0))
    drift = np.sqrt(np.maximum((size - 1) * (size + 1), 1e-26))
    pulls = np.where(locked, 1.0, 1 - np.maximum(size, 1.0) / drift)  # how the pull on each changes with x
    stiffness = float(np.mean(pulls))
    turn = -float(np.mean(x * pulls)) / stiffness if stiffness else 0.0  # dΩ/da
    return float(np.mean(np.where(locked, x * (x + turn) / root, 0.0))) / a
