"""Many small systems at once: 1000 replicas against diffrax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import Line, assert_close, benchmark, duration, fastest, interleaved, ratios

BETA, T_END, TOLERANCE = 1.0, 20.0, 1e-6


def vector_fields(modes: np.ndarray) -> dict[str, Callable[..., Any]]:
    """dθ/dt of one replica in JAX: as one would write it, and by Fourier modes in two ways."""
    import jax
    import jax.numpy as jnp

    amplitudes, k = jnp.asarray(modes[1:]), jnp.arange(1, len(modes))

    def pairs(t: Any, y: Any, args: Any) -> Any:
        x = y[:, None] - y[None, :]
        return -jnp.mean(jnp.sin(x) * jnp.exp(BETA * (jnp.cos(x) - 1)), axis=1)

    def matrix(t: Any, y: Any, args: Any) -> Any:
        waves = jnp.exp(1j * k[:, None] * y[None, :])
        return -jnp.real((amplitudes * waves.mean(axis=1).conj()) @ waves)

    def powers(t: Any, y: Any, args: Any) -> Any:
        z = jax.lax.complex(jnp.cos(y), jnp.sin(y))
        one, zero = jnp.ones(y.shape, complex), jnp.zeros(y.shape, complex)
        _, moments = jax.lax.scan(lambda w, _: (w * z, (w * z).mean()), one, None, length=len(amplitudes))
        coefficients = -amplitudes * moments.conj()
        return jax.lax.scan(lambda p, a: ((p + a) * z, None), zero, coefficients[::-1])[0].real

    return {"pairwise sum": pairs, "modes, as a matrix": matrix, "modes, by powers": powers}


def solve(field: Callable[..., Any]) -> Callable[[Any], Any]:
    """phases (replicas, n) -> phases at T_END, by diffrax's Tsit5, jitted over all replicas."""
    import diffrax
    import jax

    controller = diffrax.PIDController(rtol=TOLERANCE, atol=TOLERANCE)
    term, solver, saveat = diffrax.ODETerm(field), diffrax.Tsit5(), diffrax.SaveAt(t1=True)

    def one(y: Any) -> Any:
        run = diffrax.diffeqsolve(
            term, solver, 0.0, T_END, None, y, saveat=saveat, stepsize_controller=controller
        )
        return run.ys[0]

    return jax.jit(jax.vmap(one))


@benchmark("replicas", peers=["jax", "diffrax"])
def replicas(scale: float) -> list[Line]:
    import jax

    import inphase as ip

    jax.config.update("jax_enable_x64", True)
    count, n = int(1000 * scale), 64
    model = ip.PhaseModel(ip.attention(BETA))
    phases = ip.initial.phases("uniform", n, seed=0, replicas=count)

    def ours() -> np.ndarray:
        return ip.simulate(model, phases, times=[T_END], tolerance=TOLERANCE).phase.values[0]

    there = jax.numpy.asarray(phases)
    runs = {name: solve(field) for name, field in vector_fields(model.interaction.modes).items()}
    works = {name: (lambda run=run: run(there).block_until_ready()) for name, run in runs.items()}
    answer = ours()
    close = {name: assert_close(f"diffrax, {name}", answer, work(), 1e-4) for name, work in works.items()}
    best = fastest({name: work for name, work in works.items() if name.startswith("modes")}, rounds=2)
    works = {name: works[name] for name in ("pairwise sum", best)}
    mine, *peers = interleaved(3, ours, *works.values())
    work = f"{count} replicas of n = {n}, T = {T_END:g}, β = {BETA:g}, rtol {TOLERANCE:g}: faster than diffrax Tsit5"
    return [
        Line(
            f"{work} ({name})",
            ratios(peer, mine),
            "×",
            (">=", 20) if name == "pairwise sum" else None,
            f"{duration(mine)} against {duration(peer)}; {close[name]}",
        )
        for name, peer in zip(works, peers)
    ]
