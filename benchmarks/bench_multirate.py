"""Heavy tails: each oscillator its own step, against the plain integrator, whose step follows the fastest."""

from __future__ import annotations

import numpy as np

from benchmarks import Line, assert_close, benchmark, duration, power, seconds

STRENGTH = 4.0


def compared(n: int, t_end: float, tolerance: float, target: float, share: float) -> list[Line]:
    """`share` is the time over which the rate of the plain integrator's steps is taken, less what is fixed."""
    import inphase as ip

    omega = np.tan(np.pi * ((np.arange(n) + 0.5) / n - 0.5))
    phases = np.random.default_rng(0).permutation(np.linspace(-0.5, 0.5, n))
    model = ip.PhaseModel(STRENGTH * ip.kuramoto(), frequencies=omega)
    ends: dict[tuple[str, float], np.ndarray] = {}
    steps: dict[str, int] = {}

    def run(method: str, until: float) -> None:
        found = ip.simulate(model, phases, times=[until], tolerance=tolerance, method=method, max_steps=10**8)
        assert found.attrs["status"] == "finished", found.attrs["status"]
        ends[method, until], steps[method] = found.end_phase.values, found.attrs["accepted_steps"]

    run("multirate", share)  # compilation
    run("dormand-prince", share / 10)
    values, ours = [], []
    for _ in range(3):
        ours.append(seconds(lambda: run("multirate", t_end)))
        count = steps["multirate"]
        fixed = seconds(lambda: run("dormand-prince", share / 10))
        plain = (seconds(lambda: run("dormand-prince", share)) - fixed) * t_end / (0.9 * share)
        values.append(plain / ours[-1])
    run("multirate", share)
    agree = assert_close("phases", ends["multirate", share], ends["dormand-prince", share], 1000 * tolerance)
    work = f"Lorentzian quantiles, n = {power(n)}, K = 4, t = {t_end:g}, tolerance {tolerance:g}: plain over multirate"
    remark = (
        f"{duration(ours)} for {count} steps, against {duration([v * o for v, o in zip(values, ours)])} (from "
        f"{steps['dormand-prince']} steps to t = {share}); {agree} there"
    )
    return [Line(work, values, "", (">=", target), remark)]


@benchmark("multirate-large")
def large(scale: float) -> list[Line]:
    return compared(max(1000, int(50_000 * scale)), 8.0, 1e-6, 100.0, 0.02)


@benchmark("multirate-small")
def small(scale: float) -> list[Line]:
    return compared(max(500, int(2000 * scale)), 50.0 * max(scale, 0.1), 1e-8, 40.0, 0.5)
