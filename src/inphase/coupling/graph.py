"""K of a network: a matrix, kept dense or sparse.

The sums go by Fourier modes, where an edge costs a few products, or edge by edge with f itself, where f has
many modes or spans many decades (then relative accuracy is needed: see `mean_field`). A sum over modes is
exact to rounding relative to max|f| Σ_j |K_ij|.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from inphase.coupling.base import Coupling
from inphase.coupling.mean_field import PAIRS_FROM_CONTRAST, AllToAll
from inphase.errors import finite_array
from inphase.expression import FUNCTIONS, OPERATIONS, Tape
from inphase.interaction import Interaction
from inphase.kernels import graph, march, pairs, tape
from inphase.types import Phases, Square, Vector

MODES_PER_FUNCTION = 4  # that cost as much, at an edge, as one sine or exponential
# nodes of a dense matrix whose entries `march` takes; beyond, products of matrices are quicker
LISTS_UP_TO = 32
LISTED = 10_000  # entries that `to_dict` lists; of more, it gives a checksum

States = NDArray[np.float64]  # (replicas, n)


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
    """Whether f = sin x · h(cos x) with an h of one sign
    that spans many decades (and not just a zero of h).
    """
    if f.profile is None or f.contrast <= PAIRS_FROM_CONTRAST:
        return False
    values = f.profile(np.linspace(0, np.pi, 257))
    return bool(np.min(values) >= 0 or np.max(values) <= 0)


class Arrangement:
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
                "ij,fij->fi", matrix, pairs.differences(row, program, self.heard[replica])
            )
        return self.results()


def listed(edges: Any) -> list[march.Term]:
    """The entries of a sparse matrix for the kernel `march`."""
    entries = edges.tocoo()
    return [march.Links(entries.data, entries.row, entries.col)]


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


# ----------------------------------------------------------------------------------------------------- sparse


class Network(Coupling):
    """A coupling whose edges are listed: subclasses give `edges(n)`, canonical, as a csr_array."""

    _laid_out: tuple[int, graph.Rows] | None = None

    @abstractmethod
    def edges(self, n: int) -> sparse.csr_array:
        """K as a sparse matrix, (n, n)."""

    def _rows(self, n: int) -> graph.Rows:
        """The edges as the kernels take them; kept for the next call."""
        laid_out = self._laid_out  # read once: another thread may lay out another n meanwhile
        if laid_out is None or laid_out[0] != n:
            edges = self.edges(n)
            self._laid_out = laid_out = n, graph.sorted_rows(edges.indptr, edges.indices, edges.data)
        return laid_out[1]

    def sums(
        self,
        functions: Sequence[Interaction],
        phases: Phases,
        out: Sequence[Phases] | None = None,
        sources: Phases | None = None,
    ) -> list[Phases]:
        """[Σ_j K_ij f(θ_i − φ_j) for f in functions], by modes or edge by edge."""
        arranged, planned = Arrangement(functions, phases, out, sources), plan(tuple(functions))
        here, heard, totals = arranged.here, arranged.heard, arranged.totals
        rows = self._rows(phases.shape[-1])
        if planned.by_edges:
            graph.edges(here, heard, rows, planned.program, totals)
        else:
            graph.modes(here, heard, rows, planned.m, planned.real, planned.imaginary, totals)
        return arranged.results()

    def jacobians(self, slopes: Sequence[Interaction], phases: Vector) -> list[Any]:
        """For each slope f', the matrix ∂(Σ_j K_ij f(θ_i − θ_j))/∂θ_l
        as a csr_array, (n, n), from f' at the edges.
        """
        n = len(phases)
        edges, program = self.edges(n), plan(tuple(slopes)).program
        row = np.repeat(np.arange(n), np.diff(edges.indptr))
        values, found = np.empty((len(slopes), edges.nnz)), []
        tape.run(
            program.code, program.constants, program.outputs, phases[row] - phases[edges.indices], values
        )
        values *= np.where(row == edges.indices, 0.0, -edges.data)  # a self-loop's difference does not change
        for off in values:
            matrix = sparse.csr_array((off, edges.indices, edges.indptr), shape=(n, n))
            found.append((matrix - sparse.diags_array(np.bincount(row, off, n).astype(float))).tocsr())
        return found

    def lists(self, n: int) -> list[march.Term]:
        """The edges."""
        return listed(self.edges(n))

    def matrix(self, n: int) -> Square:
        """K as a dense matrix, (n, n)."""
        self.check_size(n)
        return np.asarray(self.edges(n).toarray())


class Sparse(Network):
    """K as a sparse matrix: K[i, j] is how strongly i listens to j.

    Entries given twice add up; entries of 0 are dropped. Self-loops are kept: they contribute K_ii
    f(θ_i − φ_i), which is 0 for odd f without delays. Nodes without edges feel nothing.

    Parameters
    ----------
    matrix : scipy.sparse matrix or array, array_like, `inphase.graphs.Graph`, or networkx graph
        Shape (n, n), n >= 1; any signs. A networkx graph goes through `inphase.graphs.from_networkx`: weights
        are the edges' ``weight`` (1 if there is none), and a directed edge u -> v means that v listens to u.
    symmetric : bool
        A promise that K_ij = K_ji, which is checked.

    Raises
    ------
    ValueError
        If the matrix is not square, is empty or holds NaN or infinity, or is not symmetric where that was
        promised.
    TypeError
        If the entries are not real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from inphase import PhaseModel, kuramoto
    >>> from inphase.coupling import Sparse
    >>> path = Sparse([[0, 1, 0], [1, 0, 1], [0, 1, 0]], symmetric=True)
    >>> PhaseModel(kuramoto(), path).velocity([0.0, 0.5, 0.5]).round(4)
    array([ 0.4794, -0.4794,  0.    ])
    """

    def __init__(self, matrix: Any, symmetric: bool = False) -> None:
        self.csr = _canonical(matrix)
        if symmetric and not self.symmetric:
            different = (self.csr - self.csr.T).tocsr()
            different.eliminate_zeros()
            different.sort_indices()
            i = int(np.flatnonzero(np.diff(different.indptr))[0])
            j = int(different.indices[different.indptr[i]])
            raise ValueError(_not_symmetric(i, j, self.csr[i, j], self.csr[j, i]))

    @property
    def size(self) -> int | None:
        """The number of nodes."""
        return int(self.csr.shape[0])

    @cached_property
    def positive(self) -> bool:
        """Whether no weight is negative and every node listens to some node."""
        return bool(np.all(self.csr.data > 0) and np.all(np.diff(self.csr.indptr) > 0))

    @cached_property
    def symmetric(self) -> bool:
        """Whether K_ij = K_ji."""
        return not (self.csr != self.csr.T).nnz

    def edges(self, n: int) -> sparse.csr_array:
        """K as a sparse matrix, (n, n)."""
        self.check_size(n)
        return self.csr

    def to_dict(self) -> dict[str, Any]:
        """Kind and entries (a checksum of more than 10,000), for provenance."""
        return {"kind": type(self).__name__} | listing(self.csr)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(n = {self.size}, {self.csr.nnz} entries)"


def _canonical(given: Any) -> Any:
    """A csr_array of float64 without duplicates and zeros, columns ascending."""
    if hasattr(given, "is_directed"):
        from inphase.graphs import from_networkx

        given = from_networkx(given)
    inner = getattr(given, "matrix", given)
    if not sparse.issparse(inner):
        return sparse.csr_array(_square(finite_array("matrix", inner)))
    values = finite_array("matrix's entries", inner.tocoo().data)
    coordinates = inner.tocoo()
    places = coordinates.coords if hasattr(coordinates, "coords") else (coordinates.row, coordinates.col)
    csr = sparse.coo_array((values, places), shape=_square(coordinates).shape).tocsr()
    csr.sum_duplicates()
    csr.eliminate_zeros()
    return csr


def _square(matrix: Any) -> Any:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.shape[0]:
        raise ValueError(f"matrix must have shape (n, n) with n >= 1; got shape {matrix.shape}")
    return matrix


def _not_symmetric(i: int, j: int, one: float, other: float) -> str:
    return f"matrix must be symmetric, as promised; got K[{i}, {j}] = {one:g} and K[{j}, {i}] = {other:g}"


# ------------------------------------------------------------------------------------------------------ dense


class Product(Coupling):
    """A coupling whose sums over j are a product with K: subclasses give `product` and `_totals`.

    Where f spans many decades and n <= 256, sums go pair by pair.
    """

    @property
    @abstractmethod
    def _totals(self) -> Vector:
        """Σ_j K_ij, (n,)."""

    @abstractmethod
    def product(self, waves: NDArray[np.float64]) -> NDArray[np.float64]:
        """Σ_j K_ij waves[..., j, :], float64, of waves (replicas, n, columns)."""

    def sums(
        self,
        functions: Sequence[Interaction],
        phases: Phases,
        out: Sequence[Phases] | None = None,
        sources: Phases | None = None,
    ) -> list[Phases]:
        """[Σ_j K_ij f(θ_i − φ_j) for f in functions], by modes or pair by pair."""
        arranged, planned = Arrangement(functions, phases, out, sources), plan(tuple(functions))
        here, heard = arranged.here, arranged.heard
        if AllToAll().uses_pairs(functions, here.shape[1]):
            return arranged.pair_by_pair(self.matrix(here.shape[1]), planned.program)
        # replicas of which the waves are held at once
        step = max(1, graph.TABLE // (2 * planned.m * here.shape[1]))
        for low in range(0, len(here), step):
            part = slice(low, low + step)
            waves = graph.waves(heard[part], planned.m)
            own = waves if heard is here else graph.waves(here[part], planned.m)
            sums = self.product(waves)
            graph.combine(own, sums, self._totals, planned.real, planned.imaginary, arranged.totals[part])
        return arranged.results()


class Matrix(Product):
    """A product with a matrix that is kept: subclasses give
    `array`, (n, n) or, where only some are heard, (n, heard).
    """

    array: NDArray[Any]

    @property
    def size(self) -> int | None:
        """The number of oscillators."""
        return len(self.array)

    @cached_property
    def _totals(self) -> Vector:
        return np.asarray(self.array.sum(axis=1, dtype=float))

    @cached_property
    def positive(self) -> bool:
        """Whether no weight is negative and every row has a positive one."""
        return bool(np.all(self.array >= 0) and np.all(self._totals > 0))

    def mean_strength(self, n: int) -> float:
        """Σ_j |K_ij|, averaged over i."""
        self.check_size(n)
        return float(np.mean([np.abs(row).sum(dtype=float) for row in self.array]))


class Dense(Matrix):
    """K as a dense matrix: K[i, j] is how strongly i listens to j.

    All harmonics are one matrix product, O(n²·m). Where f spans many decades and n <= 256, the sum goes pair
    by pair.

    Parameters
    ----------
    matrix : array_like, shape (n, n)
        n >= 1; any signs. The diagonal contributes K_ii f(θ_i − φ_i), which is 0 for odd f without delays.
    symmetric : bool
        A promise that K_ij = K_ji, which is checked.

    Raises
    ------
    ValueError
        If the matrix is not square, is empty or holds NaN or infinity, or is not symmetric where that was
        promised.
    TypeError
        If the entries are not real numbers.

    Examples
    --------
    >>> from inphase.coupling import Dense
    >>> Dense([[0, 1], [2, 0]], symmetric=True)
    Traceback (most recent call last):
    ValueError: matrix must be symmetric, as promised; got K[0, 1] = 1 and K[1, 0] = 2
    """

    def __init__(self, matrix: ArrayLike, symmetric: bool = False) -> None:
        self.array: Square = np.ascontiguousarray(_square(finite_array("matrix", matrix)))
        if symmetric and not self.symmetric:
            i, j = (int(k) for k in np.argwhere(self.array != self.array.T)[0])
            raise ValueError(_not_symmetric(i, j, self.array[i, j], self.array[j, i]))

    @cached_property
    def symmetric(self) -> bool:
        """Whether K_ij = K_ji."""
        return bool(np.array_equal(self.array, self.array.T))

    def product(self, waves: NDArray[np.float64]) -> NDArray[np.float64]:
        """K @ waves."""
        return np.asarray(np.matmul(self.array, waves))

    def lists(self, n: int) -> list[march.Term] | None:
        """The entries that are not 0; None where they are many: matrix products are then quicker."""
        return listed(self.edges(n)) if n <= LISTS_UP_TO else None

    def matrix(self, n: int) -> Square:
        """K, (n, n)."""
        self.check_size(n)
        return self.array.copy()

    def to_dict(self) -> dict[str, Any]:
        """Kind and entries (a checksum of more than 10,000), for provenance."""
        if self.array.size <= LISTED:
            return {"kind": "Dense", "matrix": self.array.tolist()}
        return {"kind": "Dense", "n": len(self.array), "sha256": hashlib.sha256(self.array.data).hexdigest()}

    def __repr__(self) -> str:
        return f"Dense(n = {self.size})"
