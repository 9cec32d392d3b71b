"""What do interactions of three do to the onset of synchrony?

Skardal, Arenas, *Higher order interactions in complex networks of phase oscillators promote abrupt
synchronization switching* (2020): dθ_i/dt = ω_i + (K₁/n) Σ_j sin(θ_j − θ_i) + (K₂/n²) Σ_jk
sin(2θ_j − θ_k − θ_i), Lorentzian ω of width Δ. On the Ott-Antonsen manifold r = 0 or 2Δ/(1 − r²) = K₁ + K₂
r². For K₂ > 2Δ the curve bends back: synchrony appears abruptly at K₁ = 2Δ and survives down to K₁ = 2
sqrt(2Δ K₂) − K₂, where both are stable in between.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import inphase as ip
from inphase.report import style

WIDTH, K2, N = 0.1, 0.8, 200


def main(folder: Path) -> dict[str, float]:
    """Raise K₁ and lower it again, each run starting where the last one ended; compare with the curve."""
    omega = ip.distributions.lorentzian(width=WIDTH).quantiles(N)
    up = np.array([-0.08, 0.02, 0.06, 0.1, 0.27, 0.32])
    phases, order = ip.initial.phases("quantiles", N)[np.random.default_rng(0).permutation(N)], []
    for K1 in [*up, *up[::-1]]:
        model = ip.PhaseModel(ip.kuramoto(), K1 * ip.AllToAll() + K2 * ip.AllTriads(), frequencies=omega)
        run = ip.simulate(model, phases, times=np.linspace(60, 90, 31), tolerance=1e-5)
        phases = run.phase.values[-1]
        order.append(float(run.order_parameter.mean()))
    forward, backward = np.array(order[: len(up)]), np.array(order[len(up) :])[::-1]
    figure = draw(up, forward, backward)
    (folder / "triadic_bistability.png").write_bytes(style.png(figure, dpi=130))

    fold = 2 * np.sqrt(2 * WIDTH * K2) - K2
    r = np.sqrt(np.linspace(1 - np.sqrt(2 * WIDTH / K2), 0.9999, 10_000))  # the upper branch
    upper = np.interp(up, curve(r), r)
    return {
        "K₁ at which r = 0 becomes unstable": 2 * WIDTH,
        "K₁ at which order ends": fold,
        "largest forward r for K₁ <= 0.1": np.max(forward[up <= 0.1]),
        "largest error of the ordered state": np.max(np.abs(backward - upper)[up > 0.01]),
        "r after lowering K₁ below the fold": backward[0],
    }


def curve(r: np.ndarray) -> np.ndarray:
    """K₁ at which r is stationary."""
    return 2 * WIDTH / (1 - r**2) - K2 * r**2


@style.styled
def draw(coupling, forward, backward) -> Figure:
    """Both sweeps over the curve, its unstable part dashed."""
    figure = Figure(figsize=(6, 3.8), layout="constrained")
    axes = figure.subplots()
    turn = np.sqrt(1 - np.sqrt(2 * WIDTH / K2))
    low, high = np.linspace(0, turn, 200), np.linspace(turn, 0.94, 200)
    axes.plot(curve(high), high, color=style.RED, label="theory")
    axes.plot(curve(low), low, color=style.RED, ls=(0, (4, 3)), label="theory, unstable")
    axes.plot([coupling[0] - 0.03, 2 * WIDTH], [0, 0], color=style.RED)
    axes.plot(coupling, forward, ">", color=style.BLUE, ms=6, label="K₁ rising")
    axes.plot(coupling, backward, "<", color=style.INK, ms=6, mfc="none", label="K₁ falling")
    axes.set(
        xlabel="pair coupling K₁",
        ylabel="order parameter r",
        xlim=(coupling[0] - 0.03, coupling[-1] + 0.02),
        ylim=(-0.03, 1),
    )
    axes.legend(loc="center right")
    return figure


if __name__ == "__main__":
    for name, value in main(Path(__file__).parent / "figures").items():
        print(f"{name:40}{value:.6g}")
