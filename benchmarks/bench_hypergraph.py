"""Pairs and triads on a hypergraph, per Euler step, against xgi on the example of its documentation."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from benchmarks import Line, assert_close, benchmark, duration, interleaved, ratios

DT, K2, K3 = 0.002, 2, 3


def setting(n: int) -> tuple[Any, Any, np.ndarray]:
    """(hypergraph, the same as a model, phases): links with probability 0.05, triangles with 0.001, as in the example."""
    import xgi

    import inphase as ip
    from inphase.coupling.graph import Sparse

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # xgi's remark that another generator is faster
        hypergraph = xgi.random_hypergraph(n, [0.05, 0.001], seed=1)
    links = np.zeros((n, n))
    for i, j in hypergraph.edges.filterby("size", 2).members():
        links[i, j] = links[j, i] = 1
    model = ip.PhaseModel(ip.kuramoto(), K2 * Sparse(links) + K3 * ip.Hypergraph(hypergraph), frequencies=2.0)
    return hypergraph, model, np.linspace(0, 2 * np.pi, n)


def euler(model: Any, phases: np.ndarray, steps: int) -> np.ndarray:
    """What xgi does: `steps` − 1 steps, every state kept."""
    path, speed = np.empty((steps, *phases.shape)), np.empty(phases.shape)
    path[0] = phases
    for k in range(steps - 1):
        model.flow(path[k], speed)
        np.multiply(speed, DT, out=path[k + 1])
        path[k + 1] += path[k]
    return path


@benchmark("hypergraph-xgi", peers=["xgi"])
def hypergraph_xgi(scale: float) -> list[Line]:
    import xgi

    lines, steps, replicas = [], 101, max(64, int(1024 * scale))
    for n in (50, 100):
        hypergraph, model, phases = setting(n)
        omega = np.full(n, 2.0)
        many = phases + np.linspace(0, 1, replicas)[:, None] * np.sin(np.arange(n))

        def theirs(hypergraph: Any = hypergraph, omega: np.ndarray = omega, phases: np.ndarray = phases) -> np.ndarray:
            return xgi.simulate_kuramoto(hypergraph, K2, K3, omega=omega, theta=phases, timesteps=steps, dt=DT)[0]

        def one(model: Any = model, phases: np.ndarray = phases) -> np.ndarray:
            return euler(model, phases, steps)

        def ensemble(model: Any = model, many: np.ndarray = many) -> np.ndarray:
            return euler(model, many, steps)

        close = assert_close("trajectory", one(), theirs(), 1e-11)
        assert_close("first replica", ensemble()[:, 0], theirs(), 1e-11)
        runs, alone, together = interleaved(9, theirs, one, ensemble)
        peer, single = ([t / (steps - 1) for t in times] for times in (runs, alone))
        each = [t / (steps - 1) / replicas for t in together]
        count = f"{len(hypergraph.edges.filterby('size', 2))} links, {len(hypergraph.edges.filterby('size', 3))} triangles"
        work = f"hypergraph, n = {n} ({count}): an Euler step faster than xgi's"
        lines += [
            Line(f"{work}, {replicas} replicas together", ratios(peer, each), "×", (">=", 1000) if n == 50 else None,
                 f"{duration(each)} per replica against {duration(peer)}; {close}"),
            Line(f"{work}, one replica alone, steps in Python", ratios(peer, single), "×", None,
                 f"{duration(single)} against {duration(peer)}"),
        ]  # fmt: skip
    return lines
