"""K of a network, kept sparse: the sums cost O(edges·m) by Fourier modes, or go edge by edge with f itself."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from inphase.checks import matrix_array
from inphase.coupling.base import Coupling
from inphase.coupling.dense import Dense
from inphase.coupling.summing import Layout, listing, not_symmetric, plan, square
from inphase.coupling.words import Keep
from inphase.interaction import Interaction
from inphase.kernels import graph, tape
from inphase.kernels.terms import Links, Term
from inphase.types import Phases, Square, Vector

if TYPE_CHECKING:
    from inphase.graphs import Graph


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

    def forces(
        self,
        functions: Sequence[Interaction],
        phases: Phases,
        out: Sequence[Phases] | None = None,
        sources: Phases | None = None,
    ) -> list[Phases]:
        """[Σ_j K_ij f(θ_i − φ_j) for f in functions], by modes or edge by edge."""
        arranged, planned = Layout(functions, phases, out, sources), plan(tuple(functions))
        here, heard, totals = arranged.here, arranged.heard, arranged.totals
        rows = self._rows(phases.shape[-1])
        if planned.by_edges:
            graph.edges(here, heard, rows, planned.program, totals)
        else:
            graph.modes(here, heard, rows, planned.m, planned.real, planned.imaginary, totals)
        return arranged.results()

    def jacobians(self, slopes: Sequence[Interaction], phases: Vector) -> list[Any]:
        """∂(Σ_j K_ij f(θ_i − θ_j))/∂θ_l for each slope f', a csr_array (n, n), from f' at the edges."""
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

    def terms(self, n: int) -> list[Term]:
        """The edges, listed."""
        entries = self.edges(n).tocoo()
        return [Links(entries.data, entries.row, entries.col)]

    def matrix(self, n: int) -> Square:
        """K as a dense matrix, (n, n)."""
        self.check_size(n)
        return np.asarray(self.edges(n).toarray())


class Sparse(Network):
    """K as a sparse matrix: K[i, j] is how strongly i listens to j.

    Entries given twice add up; entries of 0 are dropped. Self-loops are kept: they contribute
    K_ii f(θ_i − φ_i), which is 0 for odd f without delays. Nodes without edges feel nothing.

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
        graph = _graph(matrix)
        self.csr = _canonical(matrix if graph is None else graph)
        self.nodes = {} if graph is None else graph.nodes
        self.how_read = str(getattr(graph, "source", None) or "")  # of a graph from a file
        if symmetric and not self.symmetric:
            different = (self.csr - self.csr.T).tocsr()
            different.eliminate_zeros()
            different.sort_indices()
            i = int(np.flatnonzero(np.diff(different.indptr))[0])
            j = int(different.indices[different.indptr[i]])
            raise ValueError(not_symmetric(i, j, self.csr[i, j], self.csr[j, i]))

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

    def about(self) -> list[tuple[str, str]]:
        """The coupling, and how its graph was read."""
        return super().about() + ([("graph", self.how_read)] if self.how_read else [])

    def code(self, keep: Keep) -> str:
        """ip.Sparse of a sparse matrix."""
        return f"ip.Sparse({self.matrix_code(keep)})"

    def matrix_code(self, keep: Keep) -> str:
        """The sparse matrix alone."""
        entries = self.csr.tocoo()
        values = keep("values", entries.data)
        places = f"{keep('rows', entries.row)}, {keep('columns', entries.col)}"
        return f"sparse.coo_array(({values}, ({places})), shape=({self.size}, {self.size}))"

    def to_dict(self) -> dict[str, Any]:
        """Kind and entries (a checksum of more than 10,000), for provenance."""
        return {"kind": type(self).__name__} | listing(self.csr)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(n = {self.size}, {self.csr.nnz} entries)"


def coupling_of(given: Any) -> Coupling:
    """A coupling as it is; `Sparse` of a graph or a sparse matrix; `Dense` of an array or rows of numbers.

    K_ij is the matrix's entry or the edge's weight, undivided: i listens to j, and an undirected edge is both
    entries.

    Raises
    ------
    TypeError, ValueError
        If it is none of these, or no square matrix of finite numbers.

    Examples
    --------
    >>> coupling_of([[0, 1], [1, 0]])
    Dense(n = 2)
    """
    if isinstance(given, Coupling):
        return given
    if sparse.issparse(given) or _graph(given) is not None:
        return Sparse(given)
    if isinstance(given, np.ndarray | list | tuple):
        array = np.asarray(given)
        return Dense(array.astype(float) if array.dtype == bool else array)
    raise TypeError(
        "coupling must be a Coupling, such as ip.AllToAll(), a graph (of inphase.graphs or networkx) or a square "
        f"matrix (NumPy or SciPy); got {given!r:.100}"
    )


def _graph(given: Any) -> Graph | None:
    """A graph, also of networkx; None where it is none."""
    from inphase.graphs import Graph, from_networkx

    if hasattr(given, "is_directed"):
        given = from_networkx(given)
    return given if isinstance(given, Graph) else None


def _canonical(given: Any) -> Any:
    """A csr_array of float64 without duplicates and zeros, columns ascending, of its own."""
    from inphase.graphs import Graph

    if isinstance(given, Graph):
        return given.matrix.copy()  # which is canonical
    inner = getattr(given, "matrix", given)
    if not sparse.issparse(inner):
        return sparse.csr_array(square(matrix_array("matrix", inner)))
    values = matrix_array("matrix's entries", inner.tocoo().data)
    coordinates = inner.tocoo()
    places = coordinates.coords if hasattr(coordinates, "coords") else (coordinates.row, coordinates.col)
    csr = sparse.coo_array((values, places), shape=square(coordinates).shape).tocsr()
    csr.sum_duplicates()
    csr.eliminate_zeros()
    return csr
