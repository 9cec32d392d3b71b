"""What the integrator adds to the field: time per step of a large run."""

from __future__ import annotations

import numpy as np

from benchmarks import Line, benchmark, duration, interleaved, power, ratios

# field evaluations per trial step of Dormand and Prince; the seventh stage is the next step's first
STAGES = 6


def overhead(n: int, beta: float, short: float, long: float, rounds: int) -> list[Line]:
    import inphase as ip

    model = ip.PhaseModel(ip.attention(beta))
    phases = ip.initial.phases("von_mises", n, seed=0, concentration=1.0)
    out, steps = np.empty(n), {}

    def run(t_end: float) -> None:
        attrs = ip.simulate(model, phases, times=[t_end]).attrs
        assert attrs["status"] == "finished", attrs["status"]
        steps[t_end] = attrs["accepted_steps"], attrs["rejected_steps"]

    field, few, many = interleaved(
        rounds, lambda: model.flow(phases, out), lambda: run(short), lambda: run(long)
    )
    accepted, rejected = (b - a for a, b in zip(steps[short], steps[long]))
    assert accepted >= 30 or n < 1e6, f"only {accepted} steps between t = {short} and {long}"
    per_trial = [(b - a) / (accepted + rejected) for a, b in zip(few, many)]
    work = f"simulate, n = {power(n)}, β = {beta:g}: time per trial step, over {STAGES} × field"
    remark = (
        f"{duration(per_trial)} per trial step, {duration(field)} per field; {accepted} steps accepted and {rejected} "
        f"rejected between t = {short:g} and {long:g}"
    )
    return [Line(work, ratios(per_trial, [STAGES * t for t in field]), "", ("<=", 1.3), remark)]


@benchmark("simulate-4")
def simulate_4(scale: float) -> list[Line]:
    return overhead(int(1e6 * scale), 4.0, 4.0, 16.0, 7)


@benchmark("simulate-16")
def simulate_16(scale: float) -> list[Line]:
    return overhead(int(1e6 * scale), 16.0, 10.0, 40.0, 7)
