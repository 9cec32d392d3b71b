"""Which coupling makes different oscillators synchronize, and can one read it off a network that learnt it?

Case I of KuraNet (Ricci et al., 2021): ω uniform on [−1, 1], positive K_ij = K(ω_i, ω_j) of mean in-degree 1.
A small network is trained, and the one term that says most of its K is taken: K ∝ (ω_i − ω_j)². For this K
and n → ∞ the locked state solves ω = A(ω) sin θ + B(ω) cos θ with A = 3/2 (⟨cos θ⟩ ω² + ⟨ω² cos θ⟩) and B = 3
⟨ω sin θ⟩ ω: three numbers that the phases make (docs/theory/learning.md). θ(ω) bends back: the fastest
oscillators are not the furthest ahead.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import root

import inphase as ip
from inphase import learn
from inphase.report import style

SETTINGS = {
    "nodes": 50,
    "samples": 5000,
    "epochs": 3,
    "hidden": (16, 16),
    "burn_in": 200,
    "window": 20,
    "validation_graphs": 5,
}
RATES = {"optimizer": "adam", "rate": 0.01, "schedule": "cosine"}


def main(folder: Path) -> dict[str, float]:
    """Train, distill to one term, and compare V and the locked phases with the square and with its theory."""
    trained = learn.train("case-1", **SETTINGS, **RATES)
    term = learn.distill(trained, terms=1, target="coupling", samples=160).with_terms(1)
    couplings = {
        "network": None,
        "one term": term.coupler,
        "square": lambda network, x, rule: ip.Dense(rule.apply(np.log((x - x.T) ** 2 + 1e-12))),
        "uniform": lambda network, x, rule: ip.Dense(rule.apply(np.zeros((len(x), len(x))))),
    }
    runs = {name: learn.evaluate(trained, 100, graphs=10, coupling=K) for name, K in couplings.items()}
    variance = {name: float(run.variance.mean()) for name, run in runs.items()}

    state = locked_state()
    even = ip.distributions.uniform().quantiles(200)[:, None]
    square = couplings["square"](None, even, trained.settings.rule)
    model = ip.PhaseModel(ip.kuramoto(), square, frequencies=even[:, 0])
    rest = ip.simulate(model, np.zeros(200), t_end=60.0, tolerance=1e-9).phase.values[-1]

    figure = draw(trained, term, runs, state)
    (folder / "distilled_coupling.png").write_bytes(style.png(figure, dpi=130))
    return {f"V, {name}": value for name, value in variance.items()} | {
        "V, square: standard error": float(runs["square"].variance.std(ddof=1)) / np.sqrt(10),
        "V, square: theory": 1 - state[0],
        "V, square: n = 200, even ω": 1 - abs(np.exp(1j * rest).mean()),
        "square: largest error of a phase": np.max(np.abs(rest - rest.mean() - phase(even[:, 0], state))),
        "R² of the one term": term.r_squared,
        "the term is the square": float("(ω_i − ω_j)²" in term.coefficients),
    }


def phase(omega: np.ndarray, state: np.ndarray) -> np.ndarray:
    """θ(ω) of the locked state of K ∝ (ω_i − ω_j)² with means ⟨cos θ⟩, ⟨ω sin θ⟩, ⟨ω² cos θ⟩."""
    A, B = 1.5 * (state[0] * omega**2 + state[2]), 3 * state[1] * omega
    return np.arcsin(np.clip(omega / np.hypot(A, B), -1, 1)) - np.arctan2(B, A)


def locked_state() -> np.ndarray:
    """The three means, each of which is what the phases make it."""
    omega, weight = np.polynomial.legendre.leggauss(60)

    def gap(state: np.ndarray) -> np.ndarray:
        theta = phase(omega, state)
        return (
            weight / 2 @ np.stack([np.cos(theta), omega * np.sin(theta), omega**2 * np.cos(theta)], axis=1)
            - state
        )

    return root(gap, [1.0, 0.0, 1 / 3], tol=1e-13).x


@style.styled
def draw(trained, term, runs, state) -> Figure:
    """K of some oscillators over its formula; the locked phases over their theory."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    grid = np.linspace(-1, 1, 201)[:, None]
    K = learn.Learnt(trained.network, grid, trained.settings.rule).array
    K = K / K.mean()
    for row, color in ((20, style.BLUE), (100, style.INK), (180, style.RED)):
        first = row == 20
        left.plot(grid, K[row], color=color, label="network" if first else None)
        one = np.maximum(term(grid[row], grid), 0)
        left.plot(grid, one, color=color, ls=(0, (4, 3)), label="one term" if first else None)
        square = 1.5 * (grid - grid[row]) ** 2
        left.plot(grid, square, color=color, lw=0.8, ls=":", label="3/2 (ω_i − ω_j)²" if first else None)
        left.annotate(f"ω_i = {grid[row, 0]:g}", (grid[row, 0], -0.3), color=color, ha="center", va="center")
    left.set(xlabel="ω_j", ylabel="K_ij / mean K", ylim=(-0.55, None))
    left.legend(loc="upper center")
    for name, color in (("network", style.BLUE), ("square", style.RED)):
        omega = trained.problem.draw("test", 1000, 0).frequencies.reshape(10, 100)
        theta = runs[name].final_phase.values
        middle = np.angle(np.exp(1j * theta).mean(axis=1))[:, None]
        turned = np.angle(np.exp(1j * (theta - middle)))
        label = f"{name}: V = {float(runs[name].variance.mean()):.3f}"
        right.plot(omega.ravel(), turned.ravel(), ".", ms=2.5, color=color, alpha=0.5, label=label)
    right.plot(
        grid,
        phase(grid, state),
        color=style.INK,
        lw=1.2,
        label=f"theory of the square: V = {1 - state[0]:.3f}",
    )
    right.set(xlabel="ω", ylabel="phase of the locked state (rad)")
    right.legend(loc="upper left", markerscale=4)
    return figure


if __name__ == "__main__":
    for name, value in main(Path(__file__).parent / "figures").items():
        print(f"{name:40}{value:.6g}")
