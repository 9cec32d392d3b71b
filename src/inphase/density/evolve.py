"""`evolve_density`: the continuity equation in time, with
as many Fourier modes as the density needs at each moment.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import finite_number, integer, output_times
from inphase.density.spectral import Complexes, Continuity, Measure, density, measure
from inphase.interaction import Interaction, checked
from inphase.provenance import density_attributes
from inphase.status import Status

if TYPE_CHECKING:
    import xarray as xr

FEWEST = 32  # modes carried at least
FRAMES = 101  # output times, where only the last is given

EQUATION = "d_t rho + d_x(rho v) = D d_xx rho, v = omega - (f * rho)/g"


@dataclass
class _Run:
    """What a run has produced: rows (time, coefficients) at the output times, and how it ended.

    `last` is where it is; both change at once, whenever Ctrl-C comes.
    """

    last: tuple[float, Complexes]
    modes: int
    rows: list[tuple[float, Complexes]] = field(default_factory=list)
    status: Status = Status.FINISHED
    message: str = "reached the last time"
    steps: int = 0

    @property
    def stopped_at(self) -> float:
        return self.last[0]

    def ending(self) -> dict[str, Any]:
        """How it ended, as attributes."""
        shown = {"status": self.status.value, "message": self.message, "stopped_at": self.stopped_at}
        return shown | {"modes": self.modes, "steps": self.steps}

    def end(self, status: Status, message: str) -> None:
        """Before the last output time: what is reached is kept."""
        self.status, self.message = status, message
        if not self.rows or self.rows[-1][0] < self.stopped_at:
            self.rows.append(self.last)


def evolve_density(
    interaction: Interaction,
    initial: Any,
    times: ArrayLike | None = None,
    *,
    t_end: float | None = None,
    gain: str | None = None,
    frequency: float = 0.0,
    noise: float = 0.0,
    tolerance: float = 1e-8,
    max_modes: int = 4096,
    points: int = 256,
) -> xr.Dataset:
    """Evolve a density of oscillators under the mean-field equation, for as long as Fourier modes resolve it.

        ∂_t ρ + ∂_x(ρ v) = D ∂_xx ρ,    v(x) = ω − (1/g(x)) ∫ f(x − y) ρ(y) dy

    is the limit of many particles with K_ij = 1/n and smooth initial phases. It is integrated as a
    pseudo-spectral, dealiased system for c_k = ∫ ρ e^{−ikx} dx by the explicit Runge-Kutta method of order 8
    (DOP853). When the highest quarter of the modes exceeds `tolerance`, the step is undone and their number
    doubled. A density that concentrates needs ever more: at `max_modes` the run stops and keeps what it has.

    Parameters
    ----------
    interaction : Interaction
        f.
    initial : callable, array of float, or array of complex
        ρ(x) >= 0 at time 0, not necessarily normalized. A callable takes an array of angles in [−π, π); real
        numbers are samples at the angles −π + 2π i/n (their trigonometric interpolant is the density);
        complex numbers are c_0, c_1, ... of ρ(x) = (1/2π) Σ c_k e^{ikx}, c_{−k} the conjugate of c_k.
    times, t_end
        Output times, increasing from 0 on; or the last of 101 equally spaced ones. Give one of the two.
    gain : None or "softmax"
        g = 1, or g(x) = ∫ h(cos(x − y)) ρ(y) dy for f(x) = sin x · h(cos x) with h > 0 (self-attention).
    frequency : float
        ω, the same for all, in radians per time. It turns the density, exactly.
    noise : float
        D >= 0, in radians² per time. The steps shorten like 1/(D k²) in the highest mode k.
    tolerance : float
        Absolute accuracy aimed at for each c_k, in [1e−13, 1e−2].
    max_modes : int
        Most Fourier modes carried, at least 32. A start of period 2π/p carries only multiples of p.
    points : int
        Number of output angles.

    Returns
    -------
    xarray.Dataset
        ``density(time, angle)``, per radian; ``mode_real`` and ``mode_imag`` ``(time, harmonic)``, the parts
        of c_k, k = 0, 1, ...; attrs ``status`` ("finished", "unresolved", "failed" or "interrupted"),
        ``stopped_at``, ``message``, ``modes`` (carried at the end), ``period`` (p), and provenance. A run
        that stopped early has the requested times up to ``stopped_at``, and that time as its last.

    Raises
    ------
    TypeError, ValueError
        If initial is NaN, negative, without mass or unresolved, or another argument is out of its range.

    Notes
    -----
    Modes of a callable or of samples below 1e−14 are taken as zero. A run's error grows with the instability
    of the solution: rounding of 1e−16 in a mode with growth rate λ is 1e−16 e^{λt}.

    References
    ----------
    Strogatz, Mirollo, *Stability of incoherence in a population of coupled oscillators* (1991).

    Examples
    --------
    >>> import numpy as np
    >>> from inphase.interaction import kuramoto
    >>> run = evolve_density(kuramoto(), lambda x: 1 + 0.2 * np.cos(x), t_end=20.0, max_modes=256)
    >>> run.attrs["status"], run.attrs["modes"], run.sizes["angle"]
    ('unresolved', 256, 256)
    >>> print(run.attrs["message"])  # doctest: +ELLIPSIS
    the density concentrates beyond 256 modes at time 6...: the result up to there is kept; raise max_modes or ...
    """
    began = time.perf_counter()
    h = checked(interaction).gain_profile(gain)
    omega, D = finite_number("frequency", frequency), finite_number("noise", noise, least=0.0)
    tol, most = _accuracy(tolerance), integer("max_modes", max_modes, FEWEST)
    outputs, angles = output_times(t_end, times, FRAMES), integer("points", points, 1)
    start = measure(initial, most, tol)
    flow = partial(Continuity, interaction, h, D, period=start.period, floor=tol)
    run = _followed(flow, start, outputs, tol, _fewest(interaction, start.period, most), most)
    turn = omega - (float(interaction.modes[0].real) if h is None else 0.0)
    found = _dataset(run, start.period, turn, angles)
    how = {"gain": gain or "none", "frequency": omega, "noise": D, "tolerance": tol, "max_modes": most}
    how |= run.ending() | {"period": start.period}
    return found.assign_attrs(density_attributes(interaction, EQUATION, began, **how))


def _accuracy(tolerance: Any) -> float:
    """The tolerance, in the range that double precision and the tail of a spectrum leave."""
    found = finite_number("tolerance", tolerance, least=1e-13)
    if found > 1e-2:
        raise ValueError(f"tolerance must be in [1e-13, 1e-2]; got {tolerance!r}")
    return found


def _followed(
    flow: Any, start: Measure, outputs: NDArray[np.float64], tol: float, fewest: int, most: int
) -> _Run:
    """The run to the last output time, or to where it ended before."""
    first = _resolved(start, tol, fewest, most)
    run = _Run((0.0, first), len(first))
    try:
        _integrate(run, flow, outputs, tol, fewest, most)
    except KeyboardInterrupt:
        message = f"interrupted at time {run.stopped_at:.6g}: the result so far is kept"
        run.end(Status.INTERRUPTED, message)
    return run


def _integrate(
    run: _Run, flow: Any, outputs: NDArray[np.float64], tol: float, fewest: int, most: int
) -> None:
    """Step, watch the tail of the spectrum, double or halve the modes, and collect the output."""
    from scipy.integrate import DOP853

    def begin(c: Complexes) -> Any:
        run.last, run.modes = (run.stopped_at, c), len(c)
        return DOP853(flow(len(c)), run.stopped_at, c, outputs[-1], rtol=max(tol / 10, 3e-14), atol=tol / 100)

    pending, now = list(outputs), run.last[1]
    if pending[0] == 0:
        run.rows.append((pending.pop(0), now))
    stepper = begin(now)
    while pending:
        trouble = stepper.step()
        if stepper.status == "failed":
            message = f"the step size underflowed at time {run.stopped_at:.6g}: {trouble}"
            return run.end(Status.FAILED, message)
        if _tail(stepper.y) > tol:
            if len(now) == most:
                return run.end(Status.UNRESOLVED, _concentrates(most, run.stopped_at))
            now = _resize(now, min(2 * len(now), most))
            stepper = begin(now)
            continue
        run.steps += 1
        if pending[0] <= stepper.t:
            between = stepper.dense_output()
            while pending and pending[0] <= stepper.t:
                run.rows.append((pending[0], between(pending.pop(0))))
        now = stepper.y
        run.last = float(stepper.t), now
        if len(now) >= 2 * fewest and np.max(np.abs(now[len(now) // 4 :])) < tol / 10:
            now = _resize(now, len(now) // 2)
            stepper = begin(now)


def _concentrates(most: int, t: float) -> str:
    return (
        f"the density concentrates beyond {most} modes at time {t:.6g}: the result up to there is kept; "
        "raise max_modes or tolerance to go further, or follow particles"
    )


def _tail(c: Complexes) -> float:
    """The largest of the highest quarter of the modes."""
    return float(np.max(np.abs(c[3 * len(c) // 4 :])))


def _resize(c: Complexes, count: int) -> Complexes:
    return np.concatenate([c[:count], np.zeros(max(0, count - len(c)))])


def _fewest(interaction: Interaction, period: int, most: int) -> int:
    """The least number of modes: a perturbation of a mode
    that grows must not be cut off while it is small.
    """
    rates = -np.arange(len(interaction.modes)) * interaction.modes.imag
    growing = np.flatnonzero(rates > 0.01 * np.max(np.abs(rates)))
    return min(most, max(FEWEST, 2 * int(np.max(growing, initial=0)) // period))


def _resolved(start: Measure, tol: float, fewest: int, most: int) -> Complexes:
    """The initial coefficients in as few modes as resolve them; ValueError beyond `most`."""
    c, count = start.coefficients, fewest
    while count < most and np.any(np.abs(c[count // 2 :]) > tol / 10):
        count = min(2 * count, most)
    c = _resize(c, count) if np.all(np.abs(c[count:]) <= tol) else c
    if len(c) > most or _tail(c) > tol:
        raise ValueError(
            f"initial is not resolved by max_modes={most}; raise it (or tolerance), or smooth initial"
        )
    return c


def _dataset(run: _Run, period: int, spin: float, points: int) -> xr.Dataset:
    import xarray as xr

    at = np.array([t for t, _ in run.rows])
    harmonics = np.arange(period * max(len(c) for _, c in run.rows) + 1)
    modes = np.zeros((len(at), len(harmonics)), dtype=complex)
    modes[:, 0] = 1.0
    for row, (_, c) in zip(modes, run.rows):
        row[period : period * len(c) + 1 : period] = c
    modes *= np.exp(-1j * spin * at[:, None] * harmonics)
    highest = [period * len(c) for _, c in run.rows]
    values = np.array([density(row[1 : top + 1], points) for row, top in zip(modes, highest)])
    found = xr.Dataset(
        {
            "density": (("time", "angle"), values, {"long_name": "density of oscillators", "units": "1/rad"}),
            "mode_real": (
                ("time", "harmonic"),
                modes.real,
                {"long_name": "real part of c_k = ∫ ρ exp(-ikx) dx"},
            ),
            "mode_imag": (
                ("time", "harmonic"),
                modes.imag,
                {"long_name": "imaginary part of c_k = ∫ ρ exp(-ikx) dx"},
            ),
        },
        coords={
            "time": ("time", at, {"long_name": "time"}),
            "angle": (
                "angle",
                -np.pi + 2 * np.pi * np.arange(points) / points,
                {"units": "rad", "long_name": "angle"},
            ),
            "harmonic": ("harmonic", harmonics, {"long_name": "k"}),
        },
    )
    return found
