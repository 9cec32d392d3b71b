"""A network of medium size, against JiTCODE, which compiles the equations to C."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np

from benchmarks import Line, assert_close, benchmark, interleaved, ratios

OURS = """
import time; begin = time.perf_counter()
import numpy as np, inphase as ip
data = np.load({path!r})
model = ip.PhaseModel(ip.kuramoto(), ip.Dense(data["K"]), frequencies=data["omega"])
run = ip.simulate(model, data["start"], times=[{t_end}], tolerance={tolerance})
print(time.perf_counter() - begin)
"""


@benchmark("network", peers=["jitcode"])
def network(scale: float) -> list[Line]:
    import tempfile

    from jitcode import jitcode, y
    from symengine import sin

    import inphase as ip

    n, density, t_end = max(int(200 * scale), 10), 0.2, 100.0
    rng = np.random.default_rng(0)
    K = (rng.random((n, n)) < density) * (1.0 / (density * n))
    np.fill_diagonal(K, 0.0)
    omega, start = rng.normal(0, 0.3, n), rng.uniform(0, 2 * np.pi, n)
    model = ip.PhaseModel(ip.kuramoto(), ip.Dense(K), frequencies=omega)
    exact = ip.simulate(model, start, times=[t_end], tolerance=1e-12).phase.values[0]

    def theirs_of(tolerance: float) -> tuple[object, float]:
        begin = time.perf_counter()
        equations = [
            omega[i] + sum(K[i, j] * sin(y(j) - y(i)) for j in np.flatnonzero(K[i])) for i in range(n)
        ]
        system = jitcode(equations, verbose=False)
        system.set_integrator("dopri5", rtol=tolerance, atol=tolerance, nsteps=10**6)
        return system, begin

    theirs, begin = theirs_of(1e-6)
    found: dict[str, np.ndarray] = {}

    def run_theirs() -> None:
        theirs.set_initial_value(start, 0.0)  # type: ignore[attr-defined]
        found["theirs"] = theirs.integrate(t_end)  # type: ignore[attr-defined]

    run_theirs()
    whole = time.perf_counter() - begin
    error = float(np.max(np.abs(found["theirs"] - exact)))
    # Our tolerance is on the local error in radians; the one of these that is at least as accurate at the
    # end.
    tolerance = next(
        t for t in (1e-5, 3e-6, 1e-6, 3e-7, 1e-7, 1e-8)
        if np.max(np.abs(ip.simulate(model, start, times=[t_end], tolerance=t).phase.values[0] - exact)) <= error
    )  # fmt: skip

    def run_ours() -> None:
        found["ours"] = ip.simulate(model, start, times=[t_end], tolerance=tolerance).phase.values[0]

    ours, others = interleaved(9, run_ours, run_theirs)
    remark = (
        assert_close("network", found["ours"], exact, error) + f"; errors at the end at most {error:.1g} rad"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/network.npz"
        np.savez(path, K=K, omega=omega, start=start)
        script = OURS.format(path=path, t_end=t_end, tolerance=tolerance)
        fresh = [float(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)
                 for _ in range(3)]  # fmt: skip
    work = f"network, n = {n}, density {density:g}, T = {t_end:g}"
    return [
        Line(f"{work}: import and run in a new process, faster than JiTCODE's compilation and run",
             [whole / t for t in fresh], "×", (">=", 1.0), f"ours {min(fresh):.2f} s, theirs {whole:.1f} s"),
        Line(f"{work}: the run alone, faster than JiTCODE's compiled run (dopri5)", ratios(others, ours), "×", (">=", 1.0),
             remark),
    ]  # fmt: skip
