"""Does synchrony on a real network look as it does all-to-all?

The power grid of the western United States (4,941 nodes) and the neurons of the worm C. elegans
(297, directed): Watts, Strogatz, *Collective dynamics of 'small-world' networks* (1998); dθ_i/dt = ω_i + K
Σ_j A_ij sin(θ_j − θ_i) with normal ω. The worm's neurons are few steps apart: as they lock, r grows. The grid
is wide like a country: neighbors lock, and regions agree on frequencies of their own, while r stays near 0.
Set INPHASE_DATA to a folder with the files, or they are downloaded once.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import inphase as ip
from inphase.report import network_figures, style

COUPLINGS = {"c_elegans_neural": (0.01, 0.03, 0.1, 0.2, 0.3), "us_power_grid": (0.25, 0.5, 1.0, 2.0, 4.0)}


def main(folder: Path) -> dict[str, float]:
    """Measure order and locking on both graphs; draw the grid, where the regions can be seen."""
    sweeps = {}
    for name, couplings in COUPLINGS.items():
        graph = ip.graphs.dataset(name)
        results = [measure(graph, K) for K in couplings]
        sweeps[name] = np.array([found[:2] for found in results]).T
    speed = results[3][2]  # of the grid at K = 2
    figure = network_figures.graph_figure(graph, speed, kind="frequency")
    (folder / "real_graphs.png").write_bytes(style.png(figure, dpi=130))
    (folder / "real_graphs_sweep.png").write_bytes(style.png(draw(sweeps), dpi=130))
    (worm_order, worm_locked), (order, locked) = sweeps.values()
    return {
        "worm, K = 0.3: share of locked pairs": worm_locked[-1],
        "worm, K = 0.3: r": worm_order[-1],
        "grid, K = 2: share of locked pairs": locked[3],
        "grid, K = 2: r": order[3],
        "grid, K = 2: spread of the frequencies": np.std(speed),
        "grid, K = 0.25: share of locked pairs": locked[0],
    }


def measure(graph: ip.graphs.Graph, K: float) -> tuple[float, float, np.ndarray]:
    """r, the share of joined pairs with one frequency to 0.01, and all frequencies."""
    omega = ip.distributions.normal().draw(graph.n, seed=1)
    model = ip.PhaseModel(ip.kuramoto(), K * ip.Sparse(graph.matrix), frequencies=omega)
    run = ip.simulate(
        model, ip.initial.phases("uniform", graph.n, seed=0), times=np.linspace(20, 50, 7), tolerance=1e-4
    )
    speed = ip.observables.effective_frequencies(run.phase.values[0], run.phase.values[-1], 30.0)
    pairs = graph.matrix.tocoo()
    locked = np.abs(speed[pairs.row] - speed[pairs.col]) < 0.01
    return float(run.order_parameter.mean()), float(np.mean(locked)), speed


@style.styled
def draw(sweeps: dict[str, np.ndarray]) -> Figure:
    """Order and locking against the coupling."""
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    titles = "C. elegans, 297 neurons", "power grid, 4,941 nodes"
    for axes, title, (name, (order, locked)) in zip(
        figure.subplots(1, 2, sharey=True), titles, sweeps.items()
    ):
        axes.semilogx(
            COUPLINGS[name], locked, "o-", color=style.BLUE, label="share of joined pairs that are locked"
        )
        axes.semilogx(COUPLINGS[name], order, "s-", color=style.RED, label="order parameter r")
        axes.set(xlabel="coupling K", title=title, ylim=(0, 1.02))
        axes.set_xticks(COUPLINGS[name], [f"{K:g}" for K in COUPLINGS[name]])
        axes.set_xticks([], minor=True)
    figure.axes[0].legend(loc="upper left")
    return figure


if __name__ == "__main__":
    for name, value in main(Path(__file__).parent / "figures").items():
        print(f"{name:48}{value:.6g}")
