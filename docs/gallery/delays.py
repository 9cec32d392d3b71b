"""Which frequency do identical oscillators agree on, when they hear each other late?

Yeung, Strogatz, *Time delay in the Kuramoto model of coupled oscillators* (1999); Earl, Strogatz,
*Synchronization in oscillator networks with delayed coupling: a stability criterion* (2003):
dθ_i/dt = ω + (K/n) Σ_j sin(θ_j(t − τ) − θ_i(t)) has the states θ_i = Ωt with Ω = ω − K sin Ωτ, stable where
cos Ωτ > 0. For longer delays there are several, and the history chooses.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import inphase as ip
from inphase.report import style

OMEGA, K, N = 1.0, 2.0, 8


def main(folder: Path) -> dict[str, float]:
    """Start from histories that turn at different speeds,
    and compare the final frequencies with the theory.
    """
    phases = 0.3 * np.random.default_rng(0).normal(size=N)
    points, off, several = [], 0.0, {}
    for delay in (0.5, 1.0, 1.5, 2.0, 3.0, 4.0):
        model = ip.PhaseModel(K * ip.kuramoto(), frequencies=np.full(N, OMEGA), delays=delay)
        theory = ip.theory.delay_frequencies(OMEGA, K, delay)
        stable, reached = theory.frequencies[theory.stable], set()
        for speed in (-0.5, 0.25, 1.0, 1.75, 2.5):
            run = ip.simulate(
                model,
                phases,
                times=[40, 60],
                history=lambda t, speed=speed: phases + speed * t,
                tolerance=1e-6,
            )
            measured = float(ip.observables.effective_frequencies(*run.phase.values, 20.0).mean())
            nearest = int(np.argmin(np.abs(stable - measured)))
            off = max(off, abs(stable[nearest] - measured))
            reached.add(nearest)
            points.append((delay, measured))
        several[delay] = len(reached)
    figure = draw(np.array(points))
    (folder / "delays.png").write_bytes(style.png(figure, dpi=130))
    return {
        "largest error of a frequency": off,
        "frequencies reached at τ = 0.5": several[0.5],
        "frequencies reached at τ = 3": several[3.0],
    }


@style.styled
def draw(points: np.ndarray) -> Figure:
    """Ω against τ."""
    figure = Figure(figsize=(6, 3.8), layout="constrained")
    axes = figure.subplots()
    Omega, delay = np.meshgrid(np.linspace(OMEGA - 1.05 * K, OMEGA + 1.05 * K, 600), np.linspace(0, 4.3, 600))
    gap = Omega - OMEGA + K * np.sin(Omega * delay)
    for stable, look in ((True, "solid"), (False, (0, (4, 3)))):
        part = np.where((np.cos(Omega * delay) > 0) == stable, gap, np.nan)
        axes.contour(delay, Omega, part, levels=[0], colors=style.RED, linestyles=[look], linewidths=1.6)
        axes.plot([], [], color=style.RED, ls=look, label="theory, " + ("stable" if stable else "unstable"))
    axes.plot(*points.T, "o", color=style.BLUE, ms=4.5, label="measured, five histories")
    axes.set(xlabel="delay τ", ylabel="common frequency Ω")
    axes.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    for name, value in main(Path(__file__).parent / "figures").items():
        print(f"{name:40}{value:.6g}")
