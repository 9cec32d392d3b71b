"""A bus of a real power grid is cut off by a fault: does its generator fall back into step once the fault is
cleared?

The swing equation, m_i θ_i'' + d θ_i' = P_i − Σ_j B_ij sin(θ_i − θ_j), on the New England test case of 39
buses (case39 of pandapower: B from its admittances and voltages, P from its injections), loads as small
motors, lines without losses: Filatrella, Nielsen, Pedersen, *Analysis of a power grid using a Kuramoto-like
model* (2008); the generators' inertias H: Athay, Podmore, Virmani, *A practical method for the direct
analysis of transient stability* (1979). Cleared early, the generator swings and returns; cleared late, it has
slipped by whole turns against the others.
"""

from pathlib import Path

import numpy as np
import pandapower as pp
from matplotlib.figure import Figure

import inphase as ip
from inphase.report import style

# s, of 100 MVA
H = {29: 42.0, 30: 30.3, 31: 35.8, 32: 28.6, 33: 26.0, 34: 34.8, 35: 26.4, 36: 24.3, 37: 34.5, 38: 500.0}
LOAD_H, DAMPING, FAULTY = 5.0, 0.1, 37
CLEARED = 0.2, 0.6  # s after the fault


def main(folder: Path) -> dict[str, float]:
    """Clear the fault early, and late."""
    model, angles, coupling = grid()
    # the same state, found sooner
    rest = ip.simulate(model.replace(damping=1.0), angles, t_end=30.0).phase.values[-1]
    cut = coupling.copy()
    cut[FAULTY, :] = cut[:, FAULTY] = 0.0
    runs = []
    for cleared in CLEARED:
        fault = ip.simulate(model.replace(coupling=ip.Sparse(cut)), rest, t_end=cleared, tolerance=1e-6)
        phases, speed = fault.phase.values[-1], fault.velocity.values[-1]
        runs.append(
            ip.simulate(model, phases, times=np.linspace(0, 20, 801), velocities=speed, tolerance=1e-6)
        )
    figure = draw(runs)
    (folder / "swing_equation.png").write_bytes(style.png(figure, dpi=130))

    gone = [(run.phase.values[-1] - rest) / (2 * np.pi) for run in runs]
    turns = [abs(phase[FAULTY] - np.median(phase)) for phase in gone]
    apart = rest - angles
    return {
        "largest residual at rest (per unit)": np.max(np.abs(DAMPING * model.velocity(rest))),
        "rms angle off the AC power flow (degrees)": np.degrees(np.std(apart)),
        "slowest rate of return (1/s)": ip.equilibria.stability(model, rest).eigenvalues.real.max(),
        "turns slipped, cleared early": turns[0],
        "turns slipped, cleared late": turns[1],
        "last deviation, cleared early (rad/s)": np.max(np.abs(runs[0].velocity.values[-1])),
        "last deviation, cleared late (rad/s)": np.max(np.abs(runs[1].velocity.values[-1])),
    }


def grid() -> tuple[ip.PhaseModel, np.ndarray, np.ndarray]:
    """The model, the angles of the AC power flow, and B."""
    net = pp.networks.case39()
    pp.runpp(net, numba=False)
    volts, angles = net.res_bus.vm_pu.to_numpy(), np.radians(net.res_bus.va_degree.to_numpy())
    coupling = net._ppc["internal"]["Ybus"].toarray().imag * np.outer(volts, volts)
    np.fill_diagonal(coupling, 0.0)
    power = -net.res_bus.p_mw.to_numpy() / 100  # injected, per unit; what the lines lost is spread evenly
    inertia = np.array([2 * H.get(bus, LOAD_H) / (2 * np.pi * 60) for bus in range(39)])
    parts = {"frequencies": power - power.mean(), "inertia": inertia, "damping": DAMPING}
    return ip.PhaseModel(ip.kuramoto(), ip.Sparse(coupling), **parts), angles, coupling


@style.styled
def draw(runs: list) -> Figure:
    """The generators' frequencies after the fault."""
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    for axes, run, cleared in zip(figure.subplots(1, 2), runs, CLEARED):
        for bus in H:
            at_fault = bus == FAULTY
            axes.plot(run.time, run.velocity.values[:, bus] / (2 * np.pi), color=style.RED if at_fault else style.BLUE,
                      lw=1.4 if at_fault else 0.6, zorder=2 + at_fault)  # fmt: skip
        axes.set(xlabel="time since clearing (s)", title=f"cleared after {cleared:g} s", xlim=(0, 12))
    figure.axes[0].set_ylabel("frequency off 60 Hz (Hz)")
    return figure


if __name__ == "__main__":
    for name, value in main(Path(__file__).parent / "figures").items():
        print(f"{name:48}{value:.6g}")
