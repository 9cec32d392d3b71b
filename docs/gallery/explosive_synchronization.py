"""When does a network synchronize all at once?

Gómez-Gardeñes, Gómez, Arenas, Moreno, *Explosive synchronization transitions in scale-free networks* (2011):
on a graph of Barabási and Albert with ω_i = k_i, the degree, dθ_i/dt = k_i + λ Σ_j A_ij sin(θ_j − θ_i).
Raising λ, r jumps; lowering it, order lasts longer: hysteresis. The same frequencies, dealt to the nodes at
random, give the usual smooth rise.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import inphase as ip
from inphase.report import style

LAMBDAS = np.array([0.4, 0.8, 1.2, 1.4, 1.6, 1.8])


def main(folder: Path) -> dict[str, float]:
    """Sweep λ up and down, with matched and with shuffled frequencies."""
    graph = ip.graphs.barabasi_albert(150, 3, seed=0)
    degrees = np.asarray(graph.matrix.sum(axis=1)).ravel()
    shuffled = np.random.default_rng(0).permutation(degrees)
    sweeps = {name: sweep(graph, omega) for name, omega in (("matched", degrees), ("shuffled", shuffled))}
    figure = draw(sweeps)
    (folder / "explosive_synchronization.png").write_bytes(style.png(figure, dpi=130))
    (up, down), (smooth_up, smooth_down) = sweeps["matched"], sweeps["shuffled"]
    return {
        "first λ with order, rising": LAMBDAS[1:][np.argmax(np.diff(up))],
        "last λ with order, falling": LAMBDAS[1:][np.argmax(np.diff(down))],
        "largest step of r, matched": np.max(np.diff(up)),
        "largest step of r, shuffled": np.max(np.diff(smooth_up)),
        "largest gap, matched": np.max(down - up),
        "largest gap, shuffled": np.max(smooth_down - smooth_up),
    }


def sweep(graph: ip.graphs.Graph, omega: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """r for rising and for falling λ; each run starts where the last one ended."""
    phases, order = ip.initial.phases("uniform", graph.n, seed=0), []
    for strength in [*LAMBDAS, *LAMBDAS[::-1]]:
        model = ip.PhaseModel(ip.kuramoto(), strength * ip.Sparse(graph.matrix), frequencies=omega)
        run = ip.simulate(model, phases, times=np.linspace(10, 20, 41), tolerance=1e-4)
        phases = run.phase.values[-1]
        order.append(float(run.order_parameter.mean()))
    return np.array(order[: len(LAMBDAS)]), np.array(order[len(LAMBDAS) :])[::-1]


@style.styled
def draw(sweeps: dict[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """r against λ, both ways."""
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    titles = {"matched": "ω = degree", "shuffled": "the same ω, shuffled"}
    for axes, (name, (up, down)) in zip(figure.subplots(1, 2, sharey=True), sweeps.items()):
        axes.plot(LAMBDAS, up, ">-", color=style.BLUE, ms=6, label="λ rising")
        axes.plot(LAMBDAS, down, "<-", color=style.RED, ms=6, mfc="none", label="λ falling")
        axes.set(xlabel="coupling λ", title=titles[name], ylim=(0, 1))
    figure.axes[0].set_ylabel("order parameter r")
    figure.axes[0].legend()
    return figure


if __name__ == "__main__":
    for name, value in main(Path(__file__).parent / "figures").items():
        print(f"{name:40}{value:.6g}")
