"""Noise: many oscillators for many steps."""

from __future__ import annotations

import numpy as np

from benchmarks import Line, benchmark, power, seconds


@benchmark("noise")
def noise(scale: float) -> list[Line]:
    import inphase as ip

    n, steps, strength, D = int(1e5 * scale), int(1e4 * scale), 2.0, 0.5
    model = ip.PhaseModel(
        strength * ip.kuramoto(), noise=D, frequencies=ip.distributions.normal(0, 0.1).draw(n, 0)
    )
    start = ip.initial.phases("uniform", n, seed=0)
    lines = []
    for method, target in (("euler", ("<=", 60.0)), ("heun", None)):
        ip.simulate(model, start, t_end=0.02, step=0.01, method=method)  # compiles
        runs: list[object] = []

        def run(method=method, runs=runs):
            runs.append(ip.simulate(model, start, times=[0.01 * steps], step=0.01, method=method, seed=1))

        times = [seconds(run) for _ in range(2)]
        last = runs[-1]
        assert last.attrs["status"] == "finished" and np.isfinite(last.phase.values).all()
        work = f"noisy all-to-all, n = {power(n)}, {power(steps)} steps, {last.attrs['method']}"
        remark = f"{1e9 * min(times) / (n * steps):.2f} ns per oscillator and step"
        lines.append(Line(work, times, "s", target, remark))
    return lines
