"""At which coupling do different oscillators begin to synchronize?

Kuramoto, *Chemical Oscillations, Waves, and Turbulence* (1984): dθ_i/dt = ω_i + (K/n) Σ_j sin(θ_j − θ_i), ω
normal of width 1. Below K_c = sqrt(8/π) everyone turns alone; above it a group locks, and r grows like the
theory for n → ∞ says.
"""

from pathlib import Path

import numpy as np

import inphase as ip
from inphase.report import network_figures, style


def main(folder: Path) -> dict[str, float]:
    """Measure r(K), draw it over the theory, and return how far apart they are."""
    n = 1000
    distribution = ip.distributions.normal()
    omega = distribution.quantiles(n)  # no luck of the draw: the sample is as even as can be
    phases = ip.initial.phases("uniform", n, seed=0)
    couplings = np.array([0.4, 0.8, 1.2, 1.4, 1.5, 1.6, 1.7, 1.8, 2.0, 2.2, 2.5, 2.8, 3.2])
    measured = []
    for K in couplings:
        model = ip.PhaseModel(K * ip.kuramoto(), frequencies=omega)
        run = ip.simulate(model, phases, times=np.linspace(30, 60, 31), tolerance=1e-5)
        measured.append(float(run.order_parameter.mean()))

    critical = ip.theory.critical_coupling(distribution)
    smooth = np.linspace(couplings[0], couplings[-1], 400)
    theory = smooth, ip.theory.order_parameter(smooth, distribution)
    figure = network_figures.transition_figure(couplings, measured, theory=theory, critical=critical)
    (folder / "kuramoto_transition.png").write_bytes(style.png(figure, dpi=130))

    off = np.abs(measured - ip.theory.order_parameter(couplings, distribution))
    return {
        "critical coupling": critical,
        "largest r for K <= 1.2": max(r for K, r in zip(couplings, measured) if K <= 1.2),
        "largest error for K >= 1.8": float(np.max(off[couplings >= 1.8])),
    }


if __name__ == "__main__":
    for name, value in main(Path(__file__).parent / "figures").items():
        print(f"{name:40}{value:.6g}")
