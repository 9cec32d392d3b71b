"""Pairs and triads on a hypergraph, per Euler step, against xgi on the example of its documentation."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from benchmarks import Line, assert_close, benchmark, duration, interleaved, ratios

DT, K2, K3 = 0.002, 2, 3


def setting(n: int) -> tuple[Any, Any, np.ndarray]:
    """(hypergraph, the same as a model, phases): links with
    probability 0.05, triangles with 0.001, as in the example.
    """
    import xgi

    import inphase as ip
    from inphase.coupling.sparse import Sparse

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # xgi's remark that another generator is faster
        hypergraph = xgi.random_hypergraph(n, [0.05, 0.001], seed=1)
    links = np.zeros((n, n))
    for i, j in hypergraph.edges.filterby("size", 2).members():
        links[i, j] = links[j, i] = 1
    model = ip.PhaseModel(ip.kuramoto(), K2 * Sparse(links) + K3 * ip.Hypergraph(hypergraph), frequencies=2.0)
    return hypergraph, model, np.linspace(0, 2 * np.pi, n)


@benchmark("hypergraph-xgi", peers=["xgi"])
def hypergraph_xgi(scale: float) -> list[Line]:
    import xgi

    import inphase as ip

    lines, steps, replicas = [], 100, max(64, int(1024 * scale))
    many_steps = max(1000, int(100_000 * scale))
    for n in (50, 100):
        hypergraph, model, phases = setting(n)
        omega = np.full(n, 2.0)
        many = phases + np.linspace(0, 1, replicas)[:, None] * np.sin(np.arange(n))

        def theirs(
            hypergraph: Any = hypergraph, omega: np.ndarray = omega, phases: np.ndarray = phases
        ) -> np.ndarray:
            return xgi.simulate_kuramoto(
                hypergraph, K2, K3, omega=omega, theta=phases, timesteps=steps + 1, dt=DT
            )[0]

        def run(phases: np.ndarray, steps: int, every: int, model: Any = model) -> np.ndarray:
            times = np.arange(0, steps + 1, every) * DT
            return ip.simulate(model, phases, times=times, step=DT, method="euler").phase.values

        def one(phases: np.ndarray = phases, run: Any = run) -> np.ndarray:
            return run(phases, many_steps, many_steps // 10)

        def ensemble(many: np.ndarray = many, run: Any = run) -> np.ndarray:
            return run(many, steps, steps)

        def alike(phases: np.ndarray = phases, run: Any = run) -> np.ndarray:
            return run(phases, steps, 1)

        close = assert_close("trajectory", alike(), theirs(), 1e-11)
        assert_close("first replica", ensemble()[-1, 0], theirs()[-1], 1e-11)
        times = interleaved(9, theirs, one, ensemble, alike)
        peer, single, each, kept = (
            [t / count for t in taken]
            for taken, count in zip(times, (steps, many_steps, steps * replicas, steps))
        )
        count = f"{len(hypergraph.edges.filterby('size', 2))} links, {len(hypergraph.edges.filterby('size', 3))} triangles"
        work = f"hypergraph, n = {n} ({count}): an Euler step of `simulate` faster than xgi's"
        against = f"against {duration(peer)}"
        lines += [
            Line(f"{work}, {replicas} replicas together", ratios(peer, each), "×", (">=", 1000) if n == 50 else None,
                 f"{duration(each)} per replica {against}; {close}"),
            Line(f"{work}, one replica, {many_steps} steps", ratios(peer, single), "×", None, f"{duration(single)} {against}"),
            Line(f"{work}, one replica, {steps} steps, all kept", ratios(peer, kept), "×", None, f"{duration(kept)} {against}"),
        ]  # fmt: skip
    return lines
