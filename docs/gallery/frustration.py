"""How much does a phase lag hinder synchrony, and which frequency do frustrated oscillators agree on?

Sakaguchi, Kuramoto, *A soluble active rotator model showing phase transitions via mutual entrainment* (1986):
dθ_i/dt = ω_i + (K/n) Σ_j sin(θ_j − θ_i − α), here with Lorentzian ω of width Δ. By Ott and Antonsen (2008),
r² = 1 − 2Δ/(K cos α) and Ω = −(K/2)(1 + r²) sin α: the lag slows everyone down until, at cos α = 2Δ/K, order
is gone.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import inphase as ip
from inphase.report import style

K, WIDTH, N = 1.0, 0.1, 200


def main(folder: Path) -> dict[str, float]:
    """Measure r and Ω for lags from 0 to π/2, and return how far they are from the theory."""
    omega = ip.distributions.lorentzian(width=WIDTH).quantiles(N)
    phases = ip.initial.phases("von_mises", N, seed=0, concentration=4.0)
    last = np.arccos(2 * WIDTH / K)
    lags = np.append(np.linspace(0, 0.96 * last, 8), [1.1 * last])
    order, frequency = [], []
    for lag in lags:
        model = ip.PhaseModel(K * ip.Interaction("sin(x + lag)", lag=lag), frequencies=omega)
        run = ip.simulate(model, phases, times=np.linspace(30, 60, 61), tolerance=1e-5)
        z = ip.order_parameter(run.phase.values)
        order.append(np.mean(np.abs(z)))
        frequency.append(np.polyfit(run.time.values, np.unwrap(np.angle(z)), 1)[0])
    figure = draw(lags, order, frequency, last)
    (folder / "frustration.png").write_bytes(style.png(figure, dpi=130))
    r, Omega = theory(lags)
    below = lags < last
    return {
        "lag at which synchrony dies": last,
        "largest error of r": np.max(np.abs(order - r)[below]),
        "largest error of the frequency": np.max(np.abs(frequency - Omega)[below]),
        "largest r beyond": np.max(np.array(order)[~below]),
    }


def theory(lag: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """r and Ω of the stable state."""
    square = np.maximum(0, 1 - 2 * WIDTH / (K * np.cos(lag)))
    return np.sqrt(square), -K / 2 * (1 + square) * np.sin(lag)


@style.styled
def draw(lags, order, frequency, last) -> Figure:
    """Measured over theory: r on the left, Ω on the right."""
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    smooth = np.linspace(0, last, 400)
    for axes, curve, points, label in zip(
        figure.subplots(1, 2), theory(smooth), (order, frequency), ("order parameter r", "common frequency Ω")
    ):
        axes.plot(smooth, curve, color=style.RED, label="theory")
        keep = lags <= (np.pi if points is order else last)
        axes.plot(lags[keep], np.array(points)[keep], "o", color=style.BLUE, ms=4.5, label="measured")
        axes.axvline(last, color=style.GRAY, lw=0.8, ls=(0, (4, 3)))
        axes.set(xlabel="phase lag α (rad)", ylabel=label)
    axes.legend()
    return figure


if __name__ == "__main__":
    for name, value in main(Path(__file__).parent / "figures").items():
        print(f"{name:40}{value:.6g}")
