"""The field of n particles: one evaluation of dθ/dt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import Line, assert_close, benchmark, duration, fastest, interleaved, power, ratios

EPS = 1e-12  # finufft's


def setting(n: int, beta: float, kind: str = "von_mises") -> tuple[Any, np.ndarray, np.ndarray]:
    """(model, phases, their velocity); von Mises phases
    unless told, so that the field is of the order of max|f|.
    """
    import inphase as ip

    model = ip.PhaseModel(ip.attention(beta))
    options = {"concentration": 1.0} if kind == "von_mises" else {}
    phases = ip.initial.phases(kind, n, seed=0, **options)
    return model, phases, model.velocity(phases)


@benchmark("field-numpy")
def numpy_pairs(scale: float) -> list[Line]:
    n, beta = int(4096 * scale**0.25), 4.0
    model, phases, velocity = setting(n, beta)
    out = np.empty(n)

    def pairs() -> np.ndarray:
        x = phases[:, None] - phases[None, :]
        return -np.mean(np.sin(x) * np.exp(beta * (np.cos(x) - 1)), axis=1)

    close = assert_close("field", velocity, pairs(), 1e-13 * model.interaction.maximum)
    flow, checked, numpy = interleaved(
        7, lambda: model.flow(phases, out), lambda: model.velocity(phases), pairs
    )
    work = f"field, n = {n}, β = {beta:g}: faster than NumPy's pairwise sum"
    return [
        Line(
            work,
            ratios(numpy, flow),
            "×",
            (">=", 1000),
            f"{duration(flow)} against {duration(numpy)}; {close}",
        ),
        Line(
            f"{work} (`velocity`: checks, new array)", ratios(numpy, checked), "×", remark=duration(checked)
        ),
    ]


@benchmark("field-sincos")
def sincos(scale: float) -> list[Line]:
    """NumPy is quicker where |x| < π, so there are two lines: phases in [0, 2π) and in [−π, π)."""
    n, beta, lines = int(1e6 * scale), 4.0, []
    out, sine, cosine = np.empty((3, n))
    for kind in ("uniform", "von_mises"):
        model, phases, _ = setting(n, beta, kind)

        def field(model: Any = model, phases: np.ndarray = phases) -> None:
            model.flow(phases, out)

        def numpy_sincos(phases: np.ndarray = phases) -> None:
            np.sin(phases, out=sine)
            np.cos(phases, out=cosine)

        flow, numpy = interleaved(25, field, numpy_sincos)
        lines.append(
            Line(
                f"field, n = {power(n)}, β = {beta:g}: time, over that of np.sin and np.cos ({kind} phases)",
                ratios(flow, numpy),
                "",
                ("<=", 0.25),
                f"{duration(flow)} against {duration(numpy)}; all into arrays that are there",
            )
        )
    return lines


def finufft_fields(model: Any, phases: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
    """Ways to do the same job with finufft, plans made beforehand: moments (type 1), then the field (type 2).

    The points are set in each call, since phases move between evaluations.
    """
    import finufft

    modes = model.interaction.modes
    n, m = len(phases), len(modes) - 1
    weights, result = np.full(n, 1 / n, dtype=complex), np.empty(n, dtype=complex)
    moments, coefficients = np.empty(2 * m + 1, dtype=complex), np.zeros(2 * m + 1, dtype=complex)

    def two_plans(sort: int) -> Callable[[], np.ndarray]:
        first, second = (
            finufft.Plan(kind, (2 * m + 1,), eps=EPS, isign=1, spread_sort=sort) for kind in (1, 2)
        )

        def field() -> np.ndarray:
            first.setpts(phases)
            first.execute(weights, out=moments)
            coefficients[m:] = -modes * moments[m:].conj()
            second.setpts(phases)
            second.execute(coefficients, out=result)
            return result.real

        return field

    def one_plan(sort: int) -> Callable[[], np.ndarray]:  # the points set once; finufft >= 2.5
        plan = finufft.Plan(1, (2 * m + 1,), eps=EPS, isign=1, spread_sort=sort)
        # the adjoint of type 1 has the other sign in its exponent
        backwards = np.zeros(2 * m + 1, dtype=complex)

        def field() -> np.ndarray:
            plan.setpts(phases)
            plan.execute(weights, out=moments)
            backwards[: m + 1] = (-modes * moments[m:].conj())[::-1]
            plan.execute_adjoint(backwards, out=result)
            return result.real

        return field

    ways = {"two plans, unsorted": two_plans(0), "two plans": two_plans(2)}
    if hasattr(finufft.Plan, "execute_adjoint"):
        ways |= {"one plan and its adjoint, unsorted": one_plan(0), "one plan and its adjoint": one_plan(2)}
    return ways


def against_finufft(n: int, beta: float, target: float) -> list[Line]:
    model, phases, velocity = setting(n, beta)
    out, ways = np.empty(n), finufft_fields(model, phases)
    for name, way in ways.items():
        close = assert_close(f"finufft, {name}", velocity, way(), 10 * EPS * model.interaction.maximum)
    best = fastest(ways)
    flow, peer = interleaved(15, lambda: model.flow(phases, out), ways[best])
    return [
        Line(
            f"field, n = {power(n)}, β = {beta:g}: faster than finufft at {EPS:g}",
            ratios(peer, flow),
            "×",
            (">=", target),
            f"{duration(flow)} against {duration(peer)} ({best}, the fastest of {len(ways)} ways); {close}",
        )
    ]


@benchmark("field-finufft", peers=["finufft"])
def finufft_4(scale: float) -> list[Line]:
    return against_finufft(int(1e6 * scale), 4.0, 6)


@benchmark("field-finufft-100", peers=["finufft"])
def finufft_100(scale: float) -> list[Line]:
    return against_finufft(int(1e6 * scale), 100.0, 2)


def jax_fields(model: Any, n: int) -> dict[str, Callable[[Any], Any]]:
    """The same algorithm in JAX: powers of z = e^{iθ} for the moments, Horner's rule for the field."""
    import jax
    import jax.numpy as jnp

    modes = jnp.asarray(model.interaction.modes[1:])
    m = len(modes)

    def powers(z: Any) -> Any:
        def next_power(w: Any, _: None) -> Any:
            w = w * z
            return w, w.sum()

        return jax.lax.scan(next_power, jnp.full(z.shape, 1 / n + 0j), None, length=m)[1]

    def horner(z: Any, coefficients: Any) -> Any:
        start = jnp.zeros(z.shape, complex)
        return jax.lax.scan(lambda p, a: ((p + a) * z, None), start, coefficients[::-1])[0].real

    def turn(phases: Any) -> Any:
        return jax.lax.complex(jnp.cos(phases), jnp.sin(phases))

    @jax.jit
    def whole(phases: Any) -> Any:
        z = turn(phases)
        return horner(z, -modes * powers(z).conj())

    @jax.jit
    def blocks(phases: Any) -> Any:
        z = turn(phases).reshape(-1, n // 100)
        coefficients = -modes * jax.lax.map(powers, z).sum(axis=0).conj()
        return jax.lax.map(lambda block: horner(block, coefficients), z).reshape(-1)

    return {"arrays as a whole": whole, "blocks that fit a cache": blocks}


@benchmark("field-jax", peers=["jax"])
def jax_field(scale: float) -> list[Line]:
    import jax

    jax.config.update("jax_enable_x64", True)
    n, beta = int(1e6 * scale), 4.0
    model, phases, velocity = setting(n, beta)
    out, there = np.empty(n), jax.numpy.asarray(phases)
    fields = jax_fields(model, n)
    for name, field in fields.items():
        close = assert_close(f"JAX, {name}", velocity, field(there), 1e-13 * model.interaction.maximum)
    works = {name: (lambda f=field: f(there).block_until_ready()) for name, field in fields.items()}
    best = fastest(works)
    flow, *peers = interleaved(15, lambda: model.flow(phases, out), *works.values())
    work = f"field, n = {power(n)}, β = {beta:g}: faster than the same algorithm in JAX"
    return [
        Line(
            f"{work} ({name})",
            ratios(peer, flow),
            "×",
            (">=", 10) if name == best else None,
            f"{duration(flow)} against {duration(peer)}; {close}",
        )
        for name, peer in zip(works, peers)
    ]
