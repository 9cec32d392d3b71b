"""Can identical oscillators, coupled identically, be half in synchrony and half in disorder?

Kuramoto, Battogtokh, *Coexistence of coherence and incoherence in nonlocally coupled phase oscillators*
(2002); Abrams, Strogatz, *Chimera states for coupled oscillators* (2004): a ring with dθ(x)/dt = −∫ G(x − y)
sin(θ(x) − θ(y) + α) dy, G(x) = (1 + A cos x)/2π, A = 0.995, α = π/2 − 0.18. One arc locks, the other drifts:
each oscillator at a frequency of its own, which the paper's self-consistency equation tells.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import fsolve

import inphase as ip
from inphase.report import style
from inphase.report.network_figures import PHASE

A, BETA, N = 0.995, 0.18, 256
X = 2 * np.pi * np.arange(N) / N - np.pi


def main(folder: Path) -> dict[str, float]:
    """Run into the chimera, and compare the frequencies along the ring with the theory."""
    ring = ip.Ring.from_kernel(lambda x: (1 + A * np.cos(x)) / (2 * np.pi), N)
    model = ip.PhaseModel(ip.Interaction("sin(x + lag)", lag=np.pi / 2 - BETA), ring)
    hump = 6 * np.exp(-0.76 * X**2)  # disorder in the middle, order at the ends: the basin is small
    phases = hump * np.random.default_rng(1).uniform(-0.5, 0.5, N)
    run = ip.simulate(model, phases, times=[200, 400], tolerance=1e-5)
    speed = ip.observables.effective_frequencies(*run.phase.values, 200.0)
    locked = np.median(speed[np.abs(X) > 2.6])
    expected, own = theory()
    center = np.angle(np.sum((speed - locked) * np.exp(1j * X)))  # chance shifts the whole pattern a little
    expected = np.roll(expected, round(center / (2 * np.pi) * N))
    figure = draw(run.phase.values[-1], speed, expected)
    (folder / "chimera.png").write_bytes(style.png(figure, dpi=130))
    return {
        "frequency of the locked": locked,
        "theory": own,
        "share that drifts": np.mean(np.abs(speed - locked) > 0.01),
        "share in theory": np.mean(np.abs(expected - own) > 0.01),
        "rms error of the frequencies": np.sqrt(np.mean((speed - expected) ** 2)),
    }


def theory() -> tuple[np.ndarray, float]:
    """The frequency at each x, −Δ + sqrt(Δ² − R²) where Δ > R = |c + a cos x|, and −Δ where it is locked."""

    def residual(u: np.ndarray) -> list[float]:
        field, delta = u[0] + (u[1] + 1j * u[2]) * np.cos(X), u[3]
        h = np.exp(1j * BETA) * (delta - np.sqrt(delta**2 - np.abs(field) ** 2 + 0j)) / field.conj()
        c, a = np.mean(h) - u[0], A * np.mean(h * np.cos(X)) - u[1] - 1j * u[2]
        return [c.real, c.imag, a.real, a.imag]

    c, real, imag, delta = fsolve(residual, [0.6, -0.2, 0.0, 0.7])
    field = np.abs(c + (real + 1j * imag) * np.cos(X))
    return np.sqrt(np.maximum(0, delta**2 - field**2)) - delta, -delta


@style.styled
def draw(phases: np.ndarray, speed: np.ndarray, expected: np.ndarray) -> Figure:
    """Above the phases at the end, below the frequencies, both along the ring."""
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True)
    wrapped = np.angle(np.exp(1j * (phases - phases[0])))
    top.scatter(X, wrapped, c=wrapped, cmap=PHASE, s=12, lw=0.3, edgecolors=style.INK)
    top.set(ylabel="phase (rad)", ylim=(-np.pi, np.pi))
    style.angle_ticks(top.yaxis, -np.pi, np.pi)
    bottom.plot(X, expected, color=style.RED, label="theory")
    bottom.plot(X, speed, ".", color=style.BLUE, ms=4, label="measured")
    bottom.set(xlabel="place on the ring x (rad)", ylabel="frequency (rad/time)")
    style.angle_ticks(bottom.xaxis, -np.pi, np.pi)
    bottom.legend()
    return figure


if __name__ == "__main__":
    for name, value in main(Path(__file__).parent / "figures").items():
        print(f"{name:40}{value:.6g}")
