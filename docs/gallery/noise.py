"""How much noise does synchrony stand, and does it end gradually or at once?

Identical oscillators, dθ_i = −(1/n) Σ_j f(θ_i − θ_j) dt + sqrt(2D) dW_i. For f = sin x, r = I₁(r/D)/I₀(r/D),
which falls to 0 at D = 1/2: Bertini, Giacomin, Pakdaman, *Dynamical aspects of mean field plane rotators and
the Kuramoto model* (2010). For self-attention, β = 6, the second harmonic is strong, and the branch of
ordered states folds back: between two values of D both states are stable, and a system stays in the one where
it began.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.special import ive

import inphase as ip
from inphase.report import style

N = 1000


def main(folder: Path) -> dict[str, float]:
    """Measure r(D) for both, and compare with the stationary densities for n → ∞."""
    sine, attention = ip.kuramoto(), ip.attention(6.0)
    weak = np.array([0.1, 0.2, 0.3, 0.4, 0.46, 0.6])
    gradual = np.array([order(sine, D, "synchronized", t_end=50.0, step=0.1) for D in weak])
    found = ip.density.bifurcations(attention, modes=1, lowest_noise=0.01)
    branch, (low, high) = found.branches[0], found.bistable[0]
    strong = np.array([0.019, 0.0285, 0.04])  # the second one is between low and high
    kept, begun = (
        np.array([order(attention, D, start, t_end=1200.0, step=0.4) for D in strong])
        for start in ("synchronized", "uniform")
    )
    figure = draw((weak, gradual), (strong, kept, begun), branch)
    (folder / "noise.png").write_bytes(style.png(figure, dpi=130))

    ordered = slice(None, np.argmax(branch.noise), -1)  # the branch beyond its fold
    theory = np.interp(strong[:2], branch.noise[ordered], branch.order_parameter[ordered])
    below = weak <= 0.4
    return {
        "sin x: largest error of r, D <= 0.4": np.max(
            np.abs(gradual - ive(1, gradual / weak) / ive(0, gradual / weak))[below]
        ),
        "attention: D where disorder loses stability": low,
        "attention: D where order ends": high,
        "attention: largest error of r from synchrony": np.max(np.abs(kept[:2] - theory)),
        "attention: r between, begun in synchrony": kept[1],
        "attention: r between, begun in disorder": begun[1],
        "attention: r below, begun in disorder": begun[0],
        "attention: r beyond, begun in synchrony": kept[2],
    }


def order(f: ip.Interaction, noise: float, start: str, t_end: float, step: float) -> float:
    """|r| averaged over the last third of a run."""
    phases = ip.initial.phases(start, N)
    run = ip.simulate(
        ip.PhaseModel(f, noise=noise), phases, times=np.linspace(2 * t_end / 3, t_end, 41), step=step, seed=1
    )
    return float(run.order_parameter.mean())


@style.styled
def draw(sine: tuple, attention: tuple, branch: ip.density.Branch) -> Figure:
    """Both transitions, theory as lines."""
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    u = np.linspace(1e-3, 30, 2000)  # r/D
    r = ive(1, u) / ive(0, u)
    left.plot([*(r / u)[::-1], 0.8], [*r[::-1], 0], color=style.RED, label="theory")
    left.plot(*sine, "o", color=style.BLUE, ms=4.5, label="measured")
    left.set(xlabel="noise D", ylabel="order parameter r", title="f = sin x", xlim=(0.05, 0.75))
    fold = int(np.argmax(branch.noise))
    right.plot(branch.noise[fold:], branch.order_parameter[fold:], color=style.RED)
    right.plot(
        branch.noise[: fold + 1],
        branch.order_parameter[: fold + 1],
        color=style.RED,
        ls=(0, (4, 3)),
        label="unstable",
    )
    right.plot([branch.noise[0], 0.043], [0, 0], color=style.RED)
    points, kept, begun = attention
    right.plot(points, kept, "o", color=style.BLUE, ms=4.5, label="begun in synchrony")
    right.plot(points, begun, "s", color=style.INK, ms=5.5, mfc="none", label="begun in disorder")
    right.set(xlabel="noise D", title="self-attention, β = 6", xlim=(0.01, 0.043))
    left.legend()
    right.legend(loc="center left")
    return figure


if __name__ == "__main__":
    for name, value in main(Path(__file__).parent / "figures").items():
        print(f"{name:48}{value:.6g}")
