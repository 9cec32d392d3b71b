"""A density on the circle as its Fourier coefficients, and their continuity equation at a fixed resolution.

c_k = ∫ ρ(x) e^{−ikx} dx, so ρ(x) = (1/2π) Σ_k c_k e^{ikx} with c_0 = 1 (mass) and c_{−k} the conjugate of
c_k. |c_k| is the modulus of the order parameter of harmonic k. A density of period 2π/p has only the modes p,
2p, ...; it keeps that period, and here it keeps it exactly, because only those modes are carried: an array c
holds c_p, c_2p, ..., c_Np.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inphase.checks import finite_array, unmasked
from inphase.interaction import Interaction

Complexes = NDArray[np.complex128]
# modes of a sampled density below this are taken as zero: they would grow like any perturbation
ROUNDING = 1e-14


@dataclass(frozen=True)
class Measure:
    """A density of period 2π/p: `coefficients` c_p, c_2p, ... and `period`, the integer p."""

    coefficients: Complexes
    period: int


def measure(initial: Any, largest: int, tolerance: float) -> Measure:
    """The user's initial density (callable, samples or coefficients), checked and normalized to mass 1."""
    if callable(initial):
        c = _from_callable(initial, 2 * largest, tolerance)
    elif np.iscomplexobj(initial):
        c = _from_coefficients(initial)
    else:
        c = _from_samples(finite_array("initial", initial))
    count = int(np.max(np.flatnonzero(c), initial=0))
    values = density(c[1 : count + 1], 8 * max(count, 16))
    worst = int(np.argmin(values))
    if values[worst] < -max(tolerance, 1e-12) * np.max(values):
        raise ValueError(
            f"initial must be nonnegative; its Fourier series is {values[worst]:.3g} at the angle "
            f"{-np.pi + 2 * np.pi * worst / len(values):.4g}: it is negative there, or samples too few to resolve it"
        )
    present = np.flatnonzero(c[1:]) + 1
    period = int(np.gcd.reduce(present)) if len(present) else 1
    return Measure(c[period : count + 1 : period].copy(), period)


def _from_callable(initial: Callable[[NDArray[np.float64]], Any], size: int, tolerance: float) -> Complexes:
    angles = -np.pi + 2 * np.pi * np.arange(size) / size
    c = _from_samples(finite_array("initial(angle)", initial(angles), angles.shape), "initial(angle)")
    tail = float(np.max(np.abs(c[3 * size // 8 :])))
    if tail > tolerance:
        raise ValueError(
            f"initial is not smooth enough for {size // 2} modes: the highest are {tail:.1e}, above the tolerance "
            f"{tolerance:g}; smooth it, or raise tolerance or max_modes"
        )
    c[np.abs(c) <= ROUNDING] = 0
    return c


def _from_samples(values: NDArray[np.float64], name: str = "initial") -> Complexes:
    """Coefficients of the trigonometric interpolant of samples at the angles −π + 2π i/n."""
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(f"{name} must be one-dimensional, samples over the circle; got shape {values.shape}")
    worst = int(np.argmin(values))
    if values[worst] < -1e-12 * np.max(np.abs(values)):
        raise ValueError(f"{name} must be nonnegative; got {values[worst]:.3g} at index {worst}")
    c = np.fft.rfft(values)
    if c[0].real <= 0:
        raise ValueError(f"{name} must have a positive mass; it is zero everywhere")
    c = c / c[0].real * (-1.0) ** np.arange(len(c))  # the samples start at −π
    if len(values) % 2 == 0 and len(c) > 1:
        c[-1] = c[-1].real / 2  # the mode n/2 is shared with −n/2
    c[np.abs(c) <= ROUNDING] = 0
    return np.asarray(c)


def _from_coefficients(initial: Any) -> Complexes:
    unmasked("initial", initial)
    c = np.asarray(initial, dtype=complex)
    if c.ndim != 1 or len(c) == 0:
        raise ValueError(
            f"initial must be one-dimensional, the coefficients c_0, c_1, ...; got shape {c.shape}"
        )
    finite_array("initial", c.real)
    finite_array("initial", c.imag)
    if c[0].real <= 0 or c[0].imag != 0:
        raise ValueError(f"initial must have a positive mass: its coefficient c_0 is {c[0]}")
    return np.asarray(c / c[0].real)


def density(c: Complexes, points: int, period: int = 1) -> NDArray[np.float64]:
    """ρ at the angles −π + 2π i/points, shape (points,), from c_p, c_2p, ..., however many."""
    highest = len(c) * period
    stride = -(-(2 * highest + 1) // points)
    spectrum = np.zeros(stride * points // 2 + 1, dtype=complex)
    spectrum[0] = 1.0
    harmonics = period * np.arange(1, len(c) + 1)
    spectrum[harmonics] = c * (-1.0) ** harmonics
    size = stride * points
    return np.asarray(np.fft.irfft(spectrum, size)[::stride] * (size / (2 * np.pi)))


class Continuity:
    """(t, c) ↦ dc/dt of ∂_t ρ = ∂_x(ρ (f * ρ)/g) + D ∂_xx ρ, modes p, 2p, ...; a mean of f is left out.

    The product is formed on a grid fine enough that no mode carried is aliased: exactly with g = 1; with
    g = h * ρ, up to the decay of the quotient's spectrum. Where g falls below `floor` times its maximum, it
    is held there: there is no mass within the range of h around such a point but of that order, and rounding
    must not divide by zero. Costs three or four FFTs.
    """

    def __init__(
        self,
        interaction: Interaction,
        h: Interaction | None,
        noise: float,
        count: int,
        period: int,
        floor: float,
    ) -> None:
        """Prepare the coefficients of f and h, and the grid."""
        from scipy.fft import next_fast_len

        self.harmonics = period * np.arange(1, count + 1)
        self.force = _half_modes(interaction, self.harmonics)
        self.weight = None if h is None else _half_modes(h, self.harmonics)
        self.mean_weight = 1.0 if h is None else float(h.modes[0].real)
        self.floor = floor
        self.diffusion = noise * self.harmonics.astype(float) ** 2
        shortest = int(np.max(np.flatnonzero(self.force), initial=0)) + 1 if h is None else count
        self.size = int(next_fast_len(2 * count + shortest + 1, real=True))

    def __call__(self, t: float, c: Complexes) -> Complexes:
        """dc/dt, shape (count,)."""
        velocity = -self._on_grid(0.0, self.force * c)
        if self.weight is not None:
            g = self._on_grid(self.mean_weight, self.weight * c)
            velocity /= np.maximum(g, self.floor * np.max(g))
        from scipy.fft import rfft

        flux = rfft(self._on_grid(1.0, c) * velocity)[1 : len(c) + 1] / self.size
        return np.asarray(-1j * self.harmonics * flux - self.diffusion * c)

    def _on_grid(self, mean: float, c: Complexes) -> NDArray[np.float64]:
        from scipy.fft import irfft

        spectrum = np.zeros(self.size // 2 + 1, dtype=complex)
        spectrum[0], spectrum[1 : len(c) + 1] = mean, c
        return np.asarray(irfft(spectrum, self.size) * self.size)


def _half_modes(interaction: Interaction, harmonics: NDArray[np.int64]) -> Complexes:
    """The coefficients F_k/2 of e^{ikx} in f(x) = Re Σ F_k e^{ikx}, at the harmonics given."""
    F = interaction.modes
    found = np.zeros(len(harmonics), dtype=complex)
    inside = harmonics < len(F)
    found[inside] = F[harmonics[inside]] / 2
    return found
