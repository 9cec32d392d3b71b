"""How Σ_j K_ij f(θ_i − φ_j) is taken: by Fourier modes, or with f itself, pair by pair or edge by edge.

By modes an edge costs a few products, and the result is exact to rounding relative to max|f| Σ_j |K_ij|. Where f
has many modes, or spans many decades (between far clusters of a metastable state), f itself is taken, which keeps
relative accuracy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inphase.expression import FUNCTIONS, OPERATIONS, Tape
from inphase.interaction import Interaction
from inphase.kernels import tape
from inphase.types import Phases, Square

PAIRS_UP_TO = 256  # particles
PAIRS_FROM_CONTRAST = 1e4  # max|h|/min|h|; below, modes lose at most four digits between far clusters
MODES_PER_FUNCTION = 4  # that cost as much, at an edge, as one sine or exponential
LISTED = 10_000  # entries that `to_dict` lists; of more, it gives a checksum

States = NDArray[np.float64]  # (replicas, n)


def uses_pairs(functions: Sequence[Interaction], n: int) -> bool:
    """Whether sums over n oscillators are taken pair by pair."""
    return n <= PAIRS_UP_TO and any(f.contrast > PAIRS_FROM_CONTRAST for f in functions)


class Plan(NamedTuple):
    """Functions as the kernels take them."""

    m: int  # harmonics
    real: NDArray[np.float64]  # (functions, 4 q + 1), F_0..F_m and zeros
    imaginary: NDArray[np.float64]
    program: Tape
    by_edges: bool  # whether a sparse sum is taken edge by edge


@lru_cache(maxsize=64)
def plan(functions: tuple[Interaction, ...]) -> Plan:
    """The plan of some functions, kept for the next call."""
    m = max(len(f.modes) for f in functions) - 1
    real, imaginary = np.zeros((2, len(functions), 4 * ((m + 3) // 4) + 1))
    for k, f in enumerate(functions):
        real[k, : len(f.modes)], imaginary[k, : len(f.modes)] = f.modes.real, f.modes.imag
    program = functions[0].tape(*functions[1:])
    elementary = int(np.count_nonzero(program.code[:, 0] >= len(OPERATIONS) - len(FUNCTIONS)))
    by_edges = m > MODES_PER_FUNCTION * max(1, elementary) or any(_is_wide(f) for f in functions)
    return Plan(m, real, imaginary, program, by_edges)


def _is_wide(f: Interaction) -> bool:
    """Whether f = sin x · h(cos x), h of one sign and over many decades (not just with a zero)."""
    if f.profile is None or f.contrast <= PAIRS_FROM_CONTRAST:
        return False
    values = f.profile(np.linspace(0, np.pi, 257))
    return bool(np.min(values) >= 0 or np.max(values) <= 0)


class Layout:
    """Phases, sources and results as the kernels take them: (replicas, n), and (replicas, functions, n)."""

    def __init__(
        self, functions: Sequence[Interaction], phases: Phases, out: Any, sources: Phases | None
    ) -> None:
        self.shape, self.out = phases.shape, out
        self.here: States = np.ascontiguousarray(phases).reshape(-1, phases.shape[-1])
        self.heard = self.here if sources is None else np.ascontiguousarray(sources).reshape(self.here.shape)
        replicas, n = self.here.shape
        direct = out is not None and len(functions) == 1
        self.totals = out[0].reshape(replicas, 1, n) if direct else np.empty((replicas, len(functions), n))
        self.direct = direct

    def results(self) -> list[Phases]:
        """The totals, one array per function, in `out` if it was given."""
        if self.direct:
            return [self.out[0]]
        found = [self.totals[:, k].reshape(self.shape) for k in range(self.totals.shape[1])]
        if self.out is None:
            return found
        for target, values in zip(self.out, found):
            target[...] = values
        return list(self.out)

    def pair_by_pair(self, matrix: Square, program: Tape) -> list[Phases]:
        """Σ_j K_ij f(θ_i − φ_j) with a dense K: relative accuracy, for few oscillators."""
        for replica, row in enumerate(self.here):
            self.totals[replica] = np.einsum(
                "ij,fij->fi", matrix, tape.differences(row, program, self.heard[replica])
            )
        return self.results()


def listing(matrix: Any) -> dict[str, Any]:
    """Rows, columns and values of a sparse matrix for provenance; a checksum of them where they are many."""
    entries = matrix.tocoo()
    parts = {
        "row": entries.row.astype(np.int64),
        "column": entries.col.astype(np.int64),
        "value": entries.data,
    }
    if entries.nnz <= LISTED:
        return {"n": matrix.shape[0]} | {name: values.tolist() for name, values in parts.items()}
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(values).tobytes() for values in parts.values()))
    return {"n": matrix.shape[0], "edges": int(entries.nnz), "sha256": digest.hexdigest()}


def square(matrix: Any) -> Any:
    """The matrix itself; ValueError unless it has shape (n, n) with n >= 1."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.shape[0]:
        raise ValueError(f"matrix must have shape (n, n) with n >= 1; got shape {matrix.shape}")
    return matrix


def not_symmetric(i: int, j: int, one: float, other: float) -> str:
    """What is said of a matrix that was promised to be symmetric."""
    return f"matrix must be symmetric, as promised; got K[{i}, {j}] = {one:g} and K[{j}, {i}] = {other:g}"
