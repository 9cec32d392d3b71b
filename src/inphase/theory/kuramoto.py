"""The classical Kuramoto model, with its own sign: dθ_i/dt = ω_i + (K/n) Σ_j sin(θ_j − θ_i), which is f = K sin."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.errors import finite_array, finite_number, finite_vector

Distribution = str | Callable[[float], float]


def ott_antonsen(
    times: ArrayLike, coupling: float, width: float, initial: complex, center: float = 0.0
) -> NDArray[np.complex128]:
    """Order parameter z(t) = r e^{iψ} of infinitely many Kuramoto oscillators with Lorentzian frequencies.

    On the Ott-Antonsen manifold, for dθ_i/dt = ω_i + (K/n) Σ_j sin(θ_j − θ_i), z' = (i ω_0 − Δ) z + (K/2) z (1 − |z|²).
    So u = r² is logistic, u' = a u − K u² with a = K − 2Δ: u(t) = u_0 e^{at}/(1 + K u_0 (e^{at} − 1)/a), and ψ' = ω_0.

    Parameters
    ----------
    times : array, any shape
        t >= 0.
    coupling : float
        K, any sign.
    width : float
        Δ >= 0, the half width at half maximum of g(ω) = (Δ/π)/(Δ² + (ω − ω_0)²); 0 for identical oscillators.
    initial : complex
        z(0), of modulus <= 1; the phases at time 0 have the density of the Poisson kernel of z(0) (wrapped Cauchy).
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


# for width 1: g(0), and a ↦ ∫ cos²φ g(a sin φ) dφ over the locked oscillators, |φ| < π/2
_NAMED: dict[str, tuple[float, Callable[[float], float]]] = {
    "lorentzian": (1 / math.pi, _lorentzian_locking),
    "normal": (1 / math.sqrt(2 * math.pi), _normal_locking),
    "uniform": (1 / 2, _uniform_locking),
}


def _frequencies(distribution: Distribution) -> tuple[float, Callable[[float], float]]:
    """g(0) and the locking integral a ↦ ∫ cos²φ g(a sin φ) dφ of a distribution of width 1."""
    if isinstance(distribution, str):
        if distribution not in _NAMED:
            raise ValueError(f"distribution must be one of {sorted(_NAMED)} or a density; got {distribution!r}")
        return _NAMED[distribution]
    if not callable(distribution):
        raise TypeError(f"distribution must be one of {sorted(_NAMED)} or a density; got {distribution!r}")
    peak = finite_number("distribution(0)", distribution(0.0), positive=True)
    scale = 1 / (2 * peak)  # the half width of the uniform density with this peak

    def integral(over: Callable[[float], float], to: float, corner: float) -> float:
        """∫ over angles from 0, in pieces that see the peak of g, at the scale given as an angle."""
        from scipy.integrate import quad

        edges = [0.0, *(corner * 4.0**p for p in range(-1, 9) if corner * 4.0**p < to), to]
        pieces = [quad(over, *edge, epsabs=1e-14, epsrel=1e-12, limit=200)[0] for edge in itertools.pairwise(edges)]
        return float(sum(pieces))

    _check_density(distribution, peak, scale, integral)

    def locking(a: float) -> float:
        corner = math.asin(scale / a) if a > scale else math.pi
        return 2 * integral(lambda u: math.cos(u) ** 2 * distribution(a * math.sin(u)), math.pi / 2, corner)

    return peak, locking


def _check_density(g: Callable[[float], float], peak: float, scale: float, integral: Callable[..., float]) -> None:
    """Mass 1, even, and falling on both sides of 0; ValueError otherwise."""
    omega = scale * np.tan(np.linspace(0, 1.56, 300))
    right = finite_array("distribution", [g(float(w)) for w in omega])
    left = finite_array("distribution", [g(-float(w)) for w in omega])
    if np.any(right < 0):
        raise ValueError(f"distribution must be a density; got {right.min():.3g} < 0")
    if np.any(np.abs(right - left) > 1e-8 * peak):
        raise ValueError("distribution must be even; give the density of the frequencies relative to their mean")
    if np.any(np.diff(right) > 1e-8 * peak):
        raise ValueError("distribution must be unimodal, with its maximum at 0")
    mass = 2 * integral(lambda u: g(scale * math.tan(u)) * scale / math.cos(u) ** 2, math.pi / 2 * (1 - 1e-12), 0.5)
    if abs(mass - 1) > 1e-6:
        raise ValueError(f"distribution must have mass 1; its integral is {mass:.8g}")


def critical_coupling(distribution: Distribution = "lorentzian", width: float = 1.0) -> float:
    """K_c = 2/(π g(0)), where synchronization sets in for dθ_i/dt = ω_i + (K/n) Σ_j sin(θ_j − θ_i).

    Parameters
    ----------
    distribution : "lorentzian", "normal", "uniform", or callable
        The density g of the natural frequencies relative to their mean: unimodal and even. A callable ω ↦ g(ω) takes
        one float and has mass 1.
    width : float
        Half width at half maximum (lorentzian), standard deviation (normal), half width of the interval (uniform); for
        a callable, the unit of its ω: the density is g(ω/width)/width.

    Returns
    -------
    float
        K_c: 2Δ, sqrt(8/π) σ and 4γ/π for the named ones.

    Raises
    ------
    TypeError, ValueError
        If the distribution is unknown, or the density negative, not finite, not even, not unimodal, or not of mass 1.

    References
    ----------
    Kuramoto, *Chemical Oscillations, Waves, and Turbulence* (1984).

    Examples
    --------
    >>> critical_coupling("lorentzian", width=0.5)
    1.0
    """
    peak, _ = _frequencies(distribution)
    return 2 * finite_number("width", width, positive=True) / (math.pi * peak)


def order_parameter(coupling: ArrayLike, distribution: Distribution = "lorentzian", width: float = 1.0) -> NDArray[np.float64]:
    """Stationary order parameter r(K) of infinitely many Kuramoto oscillators: 0 up to K_c, positive above.

    The oscillators with |ω| < K r lock, and r > 0 solves 1 = K ∫ cos²φ g(K r sin φ) dφ over |φ| < π/2. For the
    lorentzian, r = sqrt(1 − 2Δ/K); for the uniform distribution of half width γ, r jumps from 0 to π/4 at K_c = 4γ/π.

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
    Kuramoto, *Chemical Oscillations, Waves, and Turbulence* (1984); Pazó, *Thermodynamic limit of the first-order phase
    transition in the Kuramoto model* (2005).

    Examples
    --------
    >>> order_parameter([0.5, 4.0], "lorentzian", width=0.5).round(6)
    array([0.      , 0.866025])
    """
    peak, locking = _frequencies(distribution)
    unit = finite_number("width", width, positive=True)
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
    """The least K for which dθ_i/dt = ω_i + (K/n) Σ_j sin(θ_j − θ_i) has a phase-locked state; exact for finite n.

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
    Verwoerd, Mason, *Global phase-locking in finite populations of phase-coupled oscillators*, SIAM J. Appl. Dyn. Syst. 7
    (2008).

    Examples
    --------
    >>> round(locking_coupling([-1.0, 1.0]), 12)  # two oscillators: K = |ω_1 − ω_2|
    2.0
    """
    omega = finite_vector("frequencies", frequencies)
    deviation = omega - np.mean(omega)
    widest = float(np.max(np.abs(deviation)))
    if widest <= 1e-15 * float(np.max(np.abs(omega))):
        return 0.0

    def balance(u: float) -> float:
        root = np.sqrt(np.maximum(1 - (deviation / u) ** 2, 1e-300))
        return float(np.sum(2 * root - 1 / root))

    from scipy.optimize import brentq

    u = brentq(balance, widest * (1 + 1e-15), 2 * widest, xtol=1e-15 * widest)
    return float(len(omega) * u / np.sum(np.sqrt(np.maximum(1 - (deviation / u) ** 2, 0.0))))
