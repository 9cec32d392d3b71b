"""`stationary`: densities that stay under the noisy mean field, and whether small changes of them die out.

For odd f = Σ_k s_k sin kx, identical oscillators and noise D > 0, ∂_t ρ = ∂_x(ρ (f * ρ)) + D ∂_xx ρ is a
gradient flow, and its stationary densities are those without a flux:

    ρ(x) ∝ exp(u(x)),   u(x) = Σ_k (s_k/(k D)) r_k cos kx,   r_k = ∫ ρ cos kx dx      (even about x = 0)

a system of equations in the order parameters r_k alone. A density of period 2π/p solves the same system with
the amplitudes s_p/p, s_2p/(2p), ... (`SelfConsistency`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inphase import expression as ex
from inphase.checks import finite_number, integer
from inphase.density.spectral import density
from inphase.interaction import Interaction, checked
from inphase.kernels.threads import few_threads
from inphase.provenance import density_attributes

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]
RESOLVED = 1e-14  # modes of a density below this are rounding
ITERATIONS = 50  # of Newton's method
EQUATION = "0 = D rho'' + (rho (f * rho))'"
# its residual and its step: near the critical noise the residual alone is small all along
CONVERGED, SETTLED = 1e-12, 1e-9
# order parameter: its cube is rounding, so that the equations do not tell less from the uniform state
FAINTEST = 3e-5


class UnresolvedError(ValueError):
    """A density too narrow for the modes allowed."""


def odd_amplitudes(interaction: Interaction) -> Floats:
    """s_1, s_2, ... of f = Σ_k s_k sin kx; ValueError unless f is odd."""
    if not checked(interaction).odd:
        raise ValueError(
            f"interaction must be odd, f(−x) = −f(x), for states that are at rest; got {ex.quoted(interaction)} "
            "(others turn: evolve_density follows them)"
        )
    return -interaction.modes[1:].imag


@dataclass(frozen=True)
class SelfConsistency:
    """r = R(b r/D): the equations of stationary densities of period 2π/p, even about 0.

    `amplitudes` are b_j = s_pj/(pj), j = 1, 2, ..., and R(a) the moments ⟨cos jy⟩ of exp(Σ a_j cos jy),
    y = px.
    """

    amplitudes: Floats
    period: int
    max_modes: int

    @classmethod
    def of(cls, interaction: Interaction, period: int, max_modes: int) -> SelfConsistency:
        """The equations for one interaction."""
        s = odd_amplitudes(interaction)
        k = np.arange(period, len(s) + 1, period)
        return cls(s[k - 1] / k, period, max_modes)

    def moments(self, r: Floats, noise: float) -> tuple[Floats, float]:
        """⟨cos jy⟩, j = 0, 1, ..., up to rounding (2 len(r) at least), and ln ∫ e^u dy/2π."""
        a = self.amplitudes * r / noise
        n = 64
        while n < 8 * (len(a) + 1):
            n *= 2
        while True:
            spectrum = np.zeros(n // 2 + 1)
            spectrum[1 : len(a) + 1] = a * (n / 2)
            u = np.fft.irfft(spectrum, n)
            top = float(np.max(u))
            weight = np.exp(u - top)
            total = float(np.mean(weight))
            found = np.fft.rfft(weight).real / (n * total)
            if np.max(np.abs(found[n // 4 :])) < RESOLVED:
                return found, top + float(np.log(total))
            n *= 2
            if not np.isfinite(top) or n // 4 * self.period > self.max_modes:
                raise UnresolvedError(
                    f"the density at noise {noise:.4g} is too narrow for {self.max_modes} modes; raise max_modes or the noise"
                )

    def residual(self, r: Floats, noise: float) -> tuple[Floats, Floats]:
        """r − R(b r/D), and its derivatives with respect to r and (last column) D: (m,) and (m, m + 1)."""
        m = len(r)
        full, _ = self.moments(r, noise)
        j = np.arange(1, m + 1)
        covariance = 0.5 * (full[abs(j[:, None] - j)] + full[j[:, None] + j]) - np.outer(full[j], full[j])
        slopes = np.empty((m, m + 1))
        slopes[:, :m] = np.eye(m) - covariance * (self.amplitudes / noise)
        slopes[:, m] = covariance @ (self.amplitudes * r) / noise**2
        return r - full[j], slopes

    def solve(self, r: Floats, noise: float) -> Floats | None:
        """The solution by Newton's method with halved steps from r; None where it does not converge."""
        error, slopes = self.residual(r, noise)
        size = float(np.max(np.abs(error)))
        for _ in range(ITERATIONS):
            step = np.linalg.lstsq(slopes[:, :-1], error, rcond=None)[0]
            if size < CONVERGED and np.max(np.abs(step)) < SETTLED:
                return np.asarray(r - step)
            for part in 0.5 ** np.arange(8):
                trial = np.clip(r - part * step, -1.0, 1.0)
                error, slopes = self.residual(trial, noise)
                if (after := float(np.max(np.abs(error)))) < size:
                    break
            else:
                return None
            r, size = trial, after
        return None

    def modes(self, r: Floats, noise: float) -> Floats:
        """c_0, c_1, ..., c_N of the density, real, as far as they are not rounding."""
        full, _ = self.moments(r, noise)
        last = int(np.max(np.flatnonzero(np.abs(full) > RESOLVED)))
        found = np.zeros(last * self.period + 1)
        found[:: self.period] = full[: last + 1]
        return found

    def free_energy(self, r: Floats, noise: float) -> float:
        """D ∫ ρ ln(2πρ) dx − ½ Σ_k (s_k/k) r_k², which is 0 for the uniform density."""
        _, log_mean = self.moments(r, noise)
        return float(0.5 * np.sum(self.amplitudes * r**2) - noise * log_mean)


def rates(interaction: Interaction, modes: Floats, noise: float, count: int) -> tuple[Floats, float]:
    """The largest `count` growth rates of a stationary density's perturbations but rotation, and their error.

    With e = ∂_x(√ρ φ) the linearized equation is symmetric, so that rates are real and well conditioned
    however narrow the density is: ∂_t φ = S φ,

        S = D (∂_xx + u''/2 − (u')²/4) + Σ_k k s_k (|√ρ cos kx⟩⟨√ρ cos kx| + |√ρ sin kx⟩⟨√ρ sin kx|),

    in the orthonormal sines and cosines. φ = 1/√ρ (no change of ρ) and φ = √ρ (rotation) have the rate 0.
    """
    s = odd_amplitudes(interaction)
    uniform = len(modes) == 1
    k = np.arange(1, len(s) + 1)
    r = np.zeros(len(s))
    known = min(len(s), len(modes) - 1)
    r[:known] = modes[1 : known + 1]
    size = max(24, 2 * count, len(modes) + 8, len(s) + 8)
    x = np.arange(4 * size) * (np.pi / (2 * size))
    a = s * r / (k * noise)
    u = np.cos(np.outer(x, k)) @ a
    root = np.exp(0.5 * (u - np.max(u)))
    root /= np.sqrt(np.mean(root**2) * 2 * np.pi)
    potential = -0.5 * (np.cos(np.outer(x, k)) @ (k**2 * a)) - 0.25 * (np.sin(np.outer(x, k)) @ (k * a)) ** 2
    root_modes, potential_modes = np.fft.rfft(root).real / len(x), np.fft.rfft(potential).real / len(x)
    found: list[Floats] = []
    # φ even: ρ changes oddly; and the reverse
    for sign, degree in ((1, np.arange(size)), (-1, np.arange(1, size))):
        weight = np.where(degree == 0, np.sqrt(0.5), 1.0)
        differences, sums = abs(degree[:, None] - degree), degree[:, None] + degree
        matrix = (
            noise * np.outer(weight, weight) * (potential_modes[differences] + sign * potential_modes[sums])
        )
        drives = root_modes[abs(degree[:, None] - k)] + sign * root_modes[degree[:, None] + k]
        drives *= np.sqrt(np.pi) * weight[:, None]
        matrix += (drives * (k * s)) @ drives.T - np.diag(noise * degree.astype(float) ** 2)
        values = np.linalg.eigvalsh(matrix)
        if sign == 1:
            values = np.delete(values, np.argsort(np.abs(values))[: 1 if uniform else 2])
        found.append(values)
    scale = noise * size**2 + float(np.max(np.abs(k * s)))
    return np.sort(np.concatenate(found))[::-1][:count], 1e-14 * scale


def stationary(
    interaction: Interaction,
    noise: float,
    *,
    periods: int = 3,
    starts: int = 16,
    seed: int = 0,
    leading: int = 6,
    max_modes: int = 1024,
    points: int = 256,
) -> xr.Dataset:
    """Find the stationary densities of identical noisy oscillators under odd f, with stability and energy.

        0 = D ρ'' + (ρ (f * ρ))',    f(x) = Σ_k s_k sin kx

    is solved for densities with a mirror axis (put at x = 0), by Newton's method in the order parameters from
    one, two and three peaks of many widths and weights. What is found exists, to rounding; what is not found
    may exist all the same.

    Parameters
    ----------
    interaction : Interaction
        f, odd.
    noise : float
        D > 0, in radians² per time.
    periods : int
        States of period 2π, 2π/2, ..., 2π/periods are looked for.
    starts : int
        Starting densities per period that are drawn at random, beside 25 fixed ones.
    seed : int
        Of the random starts.
    leading : int
        How many growth rates to keep per state.
    max_modes : int
        Most Fourier modes of a density, at least 32.
    points : int
        Number of output angles.

    Returns
    -------
    xarray.Dataset
        One row per state, modulo rotation, by rising free energy; the uniform state is always among them.
        ``density(state, angle)``, per radian; ``mode(state, harmonic)``, c_k = ∫ ρ cos kx dx (real);
        ``order_parameter(state)``, |c_1|; ``period(state)``, the p of 2π/p (0 for the uniform state);
        ``free_energy(state)``, D ∫ ρ ln(2πρ) − ½ Σ (s_k/k) c_k²; ``growth_rate(state, rank)``, of small
        perturbations of any symmetry, the rotation left out, per time; ``stability(state)``, "stable",
        "unstable" or "undecided" (a rate of rounding size); ``residual(state)``, max |c_k − ⟨cos kx⟩| of the
        equations; attrs with provenance.

    Raises
    ------
    TypeError, ValueError
        If f is not odd, noise is not positive, another argument is out of its range, or a state is not
        resolved.

    References
    ----------
    Sakaguchi, *Cooperative phenomena in coupled oscillator systems under external fields* (1988), for sin x;
    Carrillo, Gvalani, Pavliotis, Schlichting, *Long-time behaviour and phase transitions for the
    McKean-Vlasov equation on the torus* (2020).

    Examples
    --------
    >>> from inphase.interaction import kuramoto
    >>> found = stationary(kuramoto(), noise=0.3)  # r = I_1(r/D)/I_0(r/D)
    >>> found.order_parameter.values.round(4).tolist(), found.stability.values.tolist()
    ([0.7731, 0.0], ['stable', 'unstable'])
    """
    began = time.perf_counter()
    odd_amplitudes(interaction)
    D, most = finite_number("noise", noise, positive=True), integer("max_modes", max_modes, 32)
    largest, kept = integer("periods", periods, 1), integer("leading", leading, 1)
    angles = integer("points", points, 1)
    rng = np.random.default_rng(integer("seed", seed, 0))
    count = integer("starts", starts, 0)
    states = [_State(0, np.ones(1), 0.0, 0.0)]
    with few_threads(0):  # as many rows as the density has modes: small, as a rule
        for period in range(1, largest + 1):
            system = SelfConsistency.of(interaction, period, most)
            # else the free energy is convex, and the uniform state its only minimum
            if np.any(system.amplitudes > 0):
                for start in _starts(len(system.amplitudes), count, rng):
                    _collect(states, system, start, D)
        states.sort(key=lambda state: state.energy)
        found = _dataset(states, [rates(interaction, state.modes, D, kept) for state in states], angles)
    how = {"noise": D, "periods": largest, "starts": count, "seed": seed, "max_modes": most}
    return found.assign_attrs(density_attributes(interaction, EQUATION, began, **how))


@dataclass(frozen=True)
class _State:
    """A stationary density: period (0: uniform), modes c_0, c_1, ..., free energy and residual."""

    period: int
    modes: Floats
    energy: float
    residual: float


def _starts(size: int, count: int, rng: np.random.Generator) -> list[Floats]:
    """Order parameters of wrapped normal peaks: one, two opposite ones, and one with two beside it."""
    j = np.arange(1, size + 1)
    found = []
    for width in (2.0, 1.5, 1.0, 0.5, 0.2):
        peak = np.exp(-0.5 * (width * j) ** 2)
        found += [peak * (w + (1 - w) * np.cos(j * np.pi)) for w in (1.0, 0.9, 0.75, 0.6, 0.5)]
    for _ in range(count):
        width, w, at = rng.uniform(0.1, 1.5), rng.uniform(0, 1), rng.uniform(0, np.pi)
        found.append(np.exp(-0.5 * (width * j) ** 2) * (w + (1 - w) * np.cos(j * at)))
    return found


def _collect(states: list[_State], system: SelfConsistency, start: Floats, noise: float) -> None:
    """Add what Newton's method finds anew from the start, and from twenty rounds of r ↦ R(b r/D) on."""
    drifted = start
    for _ in range(20):
        drifted = system.moments(drifted, noise)[0][1 : len(start) + 1]
    for begin in (start, drifted):
        r = system.solve(begin, noise)
        if r is None or np.max(np.abs(r)) < FAINTEST:
            continue
        modes = _turned(system.modes(r, noise))
        if all(_distance(modes, other.modes) > 1e-7 for other in states):
            period = int(np.gcd.reduce(np.flatnonzero(np.abs(modes) > 1e-9)))
            modes[np.arange(len(modes)) % period != 0] = 0.0
            residual = float(np.max(np.abs(system.residual(r, noise)[0])))
            states.append(_State(period, modes, system.free_energy(r, noise), residual))


def _turned(modes: Floats) -> Floats:
    """The same density, with the end of its mirror axis at 0 that makes its largest odd mode positive."""
    present = np.flatnonzero(np.abs(modes) > 1e-9)
    index = np.arange(len(modes)) // int(np.gcd.reduce(present))
    odd = np.where(index % 2 == 1, modes, 0.0)
    return modes * (-1.0) ** index if odd[np.argmax(np.abs(odd))] < 0 else modes


def _distance(one: Floats, other: Floats) -> float:
    gap = np.zeros(max(len(one), len(other)))
    gap[: len(one)] += one
    gap[: len(other)] -= other
    return float(np.max(np.abs(gap)))


def _dataset(states: list[_State], spectra: list[tuple[Floats, float]], points: int) -> xr.Dataset:
    import xarray as xr

    modes = np.zeros((len(states), max(len(state.modes) for state in states)))
    for row, state in zip(modes, states):
        row[: len(state.modes)] = state.modes
    values = np.array([density(row[1:].astype(complex), points) for row in modes])
    growth = np.array([spectrum for spectrum, _ in spectra])
    stability = [
        "undecided" if abs(spectrum[0]) <= error else "stable" if spectrum[0] < 0 else "unstable"
        for spectrum, error in spectra
    ]
    order = np.abs(modes[:, 1]) if modes.shape[1] > 1 else np.zeros(len(modes))
    return xr.Dataset(
        {
            "density": (
                ("state", "angle"),
                values,
                {"long_name": "density of oscillators", "units": "1/rad"},
            ),
            "mode": (("state", "harmonic"), modes, {"long_name": "c_k = ∫ ρ cos(kx) dx"}),
            "order_parameter": ("state", order, {"long_name": "|c_1|"}),
            "period": (
                "state",
                [state.period for state in states],
                {"long_name": "p of the period 2π/p; 0: uniform"},
            ),
            "free_energy": (
                "state",
                [state.energy for state in states],
                {"long_name": "free energy above the uniform state's"},
            ),
            "growth_rate": (
                ("state", "rank"),
                growth,
                {"long_name": "growth rate off the rotation", "units": "1/time"},
            ),
            "stability": ("state", stability),
            "residual": ("state", [state.residual for state in states]),
        },
        coords={
            "angle": (
                "angle",
                -np.pi + 2 * np.pi * np.arange(points) / points,
                {"units": "rad", "long_name": "angle"},
            ),
            "harmonic": ("harmonic", np.arange(modes.shape[1]), {"long_name": "k"}),
        },
    )
