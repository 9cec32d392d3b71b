"""Families: many small systems with numbers of their own, against a loop and against diffrax; one small run."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import Line, assert_close, benchmark, duration, interleaved, ratios

N, T_END, TOLERANCE = 100, 50.0, 1e-6


def in_diffrax(K: np.ndarray, omega: np.ndarray, phases: np.ndarray) -> Any:
    """() -> the phases at T_END of all rows, by Tsit5 and the mean field, jitted."""
    import diffrax
    import jax
    import jax.numpy as jnp

    controller = diffrax.PIDController(rtol=TOLERANCE, atol=TOLERANCE)
    solver, saveat = diffrax.Tsit5(), diffrax.SaveAt(t1=True)

    def field(t: Any, y: Any, args: Any) -> Any:
        k, w = args
        s, c = jnp.sin(y), jnp.cos(y)
        return w + k * (c * s.mean() - s * c.mean())

    def one(y: Any, k: Any, w: Any) -> Any:
        term = diffrax.ODETerm(field)
        run = diffrax.diffeqsolve(
            term, solver, 0.0, T_END, None, y, (k, w), saveat=saveat, stepsize_controller=controller
        )
        return run.ys[0]

    work, given = jax.jit(jax.vmap(one)), tuple(jnp.asarray(part) for part in (phases, K, omega))
    return lambda: np.asarray(work(*given))


@benchmark("families", peers=["jax", "diffrax"])
def families(scale: float) -> list[Line]:
    import jax

    import inphase as ip

    jax.config.update("jax_enable_x64", True)
    rows, few = int(10_000 * scale), 100
    rng = np.random.default_rng(0)
    K, omega = np.tile(np.linspace(0.5, 3.0, 10), rows // 10), rng.normal(0, 0.5, (rows, N))
    phases = rng.uniform(-np.pi, np.pi, (rows, N))
    models = ip.family(ip.PhaseModel(ip.kuramoto()), K=K, frequencies=omega)

    def together() -> np.ndarray:
        return ip.simulate(models, phases, times=[T_END], tolerance=TOLERANCE).phase.values[0]

    def loop() -> np.ndarray:
        given = (ip.PhaseModel(float(K[k]) * ip.kuramoto(), frequencies=omega[k]) for k in range(few))
        return np.array(
            [
                ip.simulate(model, phases[k], times=[T_END], tolerance=TOLERANCE).phase.values[0]
                for k, model in enumerate(given)
            ]
        )

    peer = in_diffrax(K, omega, phases)
    assert np.array_equal(together()[:few], loop())
    locked = K > 2.5  # below, some rows are chaotic, and no two integrators agree on them for long
    close = assert_close("diffrax", together()[locked], peer()[locked], 1e-2)
    mine, alone, theirs = interleaved(3, together, loop, peer)
    small = ip.PhaseModel(ip.kuramoto(), frequencies=omega[0, :10])
    (one,) = interleaved(15, lambda: ip.simulate(small, phases[0, :10], t_end=10.0))
    work = f"{rows} rows (K, ω) of n = {N}, T = {T_END:g}, tolerance {TOLERANCE:g}"
    loops = [rows / few * value for value in alone]
    return [
        Line(f"{work}: faster than a loop over simulate", ratios(loops, mine), "×", None, f"{duration(mine)}"),
        Line(
            f"{work}: faster than diffrax Tsit5", ratios(theirs, mine), "×", (">=", 3),
            f"{duration(mine)} against {duration(theirs)}; {close}",
        ),
        Line("simulate, n = 10, T = 10, all in", [1e3 * value for value in one], "ms", ("<=", 3), ""),
    ]  # fmt: skip
