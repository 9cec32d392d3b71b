"""How often does a ring of identical oscillators synchronize, and what does it do otherwise?

Wiley, Strogatz, Girvan, *The size of the sync basin* (2006):
dθ_i/dt = sin(θ_{i+1} − θ_i) + sin(θ_{i−1} − θ_i). Phases wind around the ring q times; such a twisted state
is stable for |q| < n/4, and the shares of random starts that end in it fall like exp(−k q²). Groisman, De
Vita, Fernández Bonder, Zhang, *The size of the sync basin resolved* (2025) say why.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import inphase as ip
from inphase.report import style

N, SAMPLES = 80, 250


def main(folder: Path) -> dict[str, float]:
    """Count where random starts end, and look for the largest twist that is stable."""
    model = ip.PhaseModel(ip.kuramoto(), ip.Ring(1))
    found = ip.equilibria.basins(model, N, samples=SAMPLES, seed=0)
    q, share = found.winding_number.values, found.fraction.values
    width = np.sqrt(np.sum(share * q**2))
    figure = draw(found, width)
    (folder / "twisted_states.png").write_bytes(style.png(figure, dpi=130))

    twists = [ip.initial.phases("twisted", N, winding=k) for k in range(N // 2)]
    growth = [ip.equilibria.stability(model, twist).eigenvalues.real.max() for twist in twists]
    inside = (found.low <= gauss(q, width)) & (gauss(q, width) <= found.high)
    return {
        "states found": found.sizes["state"],
        "share that synchronizes": float(share[q == 0].sum()),
        "standard deviation of q": width,
        "standard deviation of q / sqrt(n)": width / np.sqrt(N),
        "share of intervals that hold the Gaussian": float(inside.mean()),
        "largest stable q": max(k for k, rate in enumerate(growth) if rate < -1e-9),
    }


def gauss(q: np.ndarray, width: float) -> np.ndarray:
    """The normal density."""
    return np.exp(-0.5 * (q / width) ** 2) / (width * np.sqrt(2 * np.pi))


@style.styled
def draw(found, width: float) -> Figure:
    """The shares with their confidence intervals, and the Gaussian of the same variance."""
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.subplots()
    q, share = found.winding_number.values, found.fraction.values
    axes.bar(q, share, color=style.BLUE, alpha=0.8, width=0.7, label="share of random starts")
    axes.vlines(q, found.low, found.high, color=style.INK, lw=1.1, label="95% interval")
    smooth = np.linspace(-8, 8, 300)
    axes.plot(smooth, gauss(smooth, width), color=style.RED, label=f"Gaussian, σ = {width:.2f}")
    axes.set(xlabel="winding number q", ylabel="share", xlim=(-8, 8))
    axes.legend()
    return figure


if __name__ == "__main__":
    for name, value in main(Path(__file__).parent / "figures").items():
        print(f"{name:40}{value:.6g}")
