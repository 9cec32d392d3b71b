"""Networks: one evaluation of dθ/dt, against NumPy's
sines at the edges and one product with the same matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import Line, assert_close, benchmark, duration, interleaved, power, ratios


def network(n: int, edges: int, weighted: bool) -> tuple[Any, np.ndarray]:
    """(random matrix, csr, with weights in [0.5, 1] or 1; uniform phases)."""
    from scipy import sparse

    rng = np.random.default_rng(0)
    places = rng.integers(0, n, (2, edges))
    matrix = sparse.coo_array((rng.uniform(0.5, 1.0, edges), (places[0], places[1])), shape=(n, n)).tocsr()
    matrix.sum_duplicates()
    if not weighted:
        matrix.data[:] = 1.0
    return matrix, rng.uniform(-np.pi, np.pi, n)


def sines_at_edges(matrix: Any, phases: np.ndarray) -> Callable[[], np.ndarray]:
    """The field in NumPy: one sine per edge."""
    n = len(phases)
    rows, columns, weights = np.repeat(np.arange(n), np.diff(matrix.indptr)), matrix.indices, matrix.data
    if np.ptp(weights) == 0:
        return lambda: np.bincount(rows, np.sin(phases[columns] - phases[rows]), n)
    return lambda: np.bincount(rows, weights * np.sin(phases[columns] - phases[rows]), n)


def large_field(n: int, edges: int, weighted: bool) -> list[Line]:
    import inphase as ip
    from inphase.coupling import Sparse

    matrix, phases = network(n, edges, weighted)
    model, out = ip.PhaseModel(ip.kuramoto(), Sparse(matrix)), np.empty(n)
    numpy_field = sines_at_edges(matrix, phases)
    close = assert_close("field", model.velocity(phases), numpy_field(), 1e-12 * matrix.sum(axis=1).max())
    flow, numpy, product = interleaved(
        15, lambda: model.flow(phases, out), numpy_field, lambda: matrix @ phases
    )
    work = f"sparse field, f = sin, n = {power(n)}, {power(edges)} {'weighted ' * weighted}edges"
    times = [f"{duration(flow)} against {duration(peer)}" for peer in (numpy, product)]
    return [
        Line(
            f"{work}: faster than NumPy's sines at the edges",
            ratios(numpy, flow),
            "×",
            (">=", 20),
            f"{times[0]}; {close}",
        ),
        Line(
            f"{work}: time, over SciPy's matrix times vector (one thread)",
            ratios(flow, product),
            "",
            ("<=", 4),
            times[1],
        ),
    ]


@benchmark("graph-field")
def graph_field(scale: float) -> list[Line]:
    n, edges = int(1e5 * scale), int(1e6 * scale)
    return large_field(n, edges, weighted=False) + large_field(n, edges, weighted=True)


@benchmark("graph-field-small")
def small_graph_field(scale: float) -> list[Line]:
    """What a call costs where there is little to do: n = 200, every fifth pair joined."""
    import inphase as ip
    from inphase.coupling import Dense, Sparse

    n = 200
    matrix, phases = network(n, n * n // 5, weighted=True)
    f, out, lines, numpy_field = -ip.kuramoto(), [np.empty(n)], [], sines_at_edges(matrix, phases)
    for coupling in (Sparse(matrix), Dense(matrix.toarray())):
        close = assert_close(
            "field", coupling.forces([f], phases)[0], numpy_field(), 1e-12 * matrix.sum(axis=1).max()
        )
        ours, numpy = interleaved(
            15, lambda coupling=coupling: coupling.forces([f], phases, out), numpy_field
        )
        work = f"field of {type(coupling).__name__}, f = sin, n = {n}, density 0.2: faster than NumPy's sines at the edges"
        lines.append(
            Line(
                work, ratios(numpy, ours), "×", remark=f"{duration(ours)} against {duration(numpy)}; {close}"
            )
        )
    return lines
