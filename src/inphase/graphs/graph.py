"""The graph: a sparse matrix of weights, with names and columns of numbers for its nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from inphase.checks import finite_array, matrix_array
from inphase.graphs.source import Source

if TYPE_CHECKING:
    import networkx as nx

Column = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Graph:
    """Nodes and weighted edges, kept as the matrix K of a coupling: K[i, j] is how strongly i listens to j.

    A directed edge u -> v means that v listens to u (influence runs along the arrow), so it is the entry K[v,
    u]. An undirected edge is both entries. Edges given twice add their weights; weights may be negative;
    edges of weight 0 are dropped. Self-loops are kept, as one entry (they contribute f(0), which is 0 for odd
    f), and so are isolated nodes.

    Parameters
    ----------
    matrix : sparse array or array_like, shape (n, n)
        K, any of SciPy's sparse formats or dense; kept as a `scipy.sparse.csr_array` of float64.
    nodes : dict of str to array_like, shape (n,)
        Numbers of the nodes by name, such as natural frequencies or positions (``x``, ``y``, ``z``).
    labels : sequence, length n
        Names of the nodes, each different; ``range(n)`` if not given.
    name : str
        What the graph is called in figures and reports.
    source : Source, optional
        How it was read, where it is from a file.

    Raises
    ------
    ValueError, TypeError
        If the matrix is not square, has no rows or is not finite, or a column or the labels do not fit it.

    Examples
    --------
    >>> from inphase.graphs import Graph
    >>> graph = Graph([[0, 0, 2], [1, 0, 0], [0, 0, 0]], labels=["a", "b", "c"], name="chain")
    >>> graph
    Graph('chain', 3 nodes, 2 directed edges)
    >>> graph.degrees  # a listens to c, and b to a
    array([1, 1, 0])
    """

    matrix: Any
    nodes: dict[str, Column] = field(default_factory=dict)
    labels: Sequence[Hashable] = ()
    name: str = ""
    source: Source | None = None

    def __post_init__(self) -> None:
        matrix = _square(self.matrix)
        n = matrix.shape[0]
        labels = self.labels if isinstance(self.labels, range) else tuple(self.labels)
        labels = labels or range(n)
        if len(labels) != n:
            raise ValueError(f"labels must be {n}, one for each node; got {len(labels)}")
        if not isinstance(labels, range) and len(set(labels)) != n:
            twice = next(label for label, times in Counter(labels).items() if times > 1)
            raise ValueError(f"labels must differ from each other; got {twice!r} more than once")
        columns = {key: finite_array(f"column {key!r}", values, (n,)) for key, values in self.nodes.items()}
        for key, value in {"matrix": matrix, "labels": labels, "nodes": columns}.items():
            object.__setattr__(self, key, value)

    @property
    def n(self) -> int:
        """Number of nodes."""
        return int(self.matrix.shape[0])

    @cached_property
    def directed(self) -> bool:
        """Whether K differs from its transpose."""
        return bool((self.matrix != self.matrix.T).nnz)

    @property
    def edges(self) -> int:
        """Number of edges: entries of K if directed, else pairs of nodes (and self-loops)."""
        entries, loops = self.matrix.nnz, np.count_nonzero(self.matrix.diagonal())
        return int(entries if self.directed else (entries + loops) // 2)

    @property
    def degrees(self) -> NDArray[np.int64]:
        """How many nodes each one listens to (its in-degree), (n,), unweighted; a self-loop is one."""
        return np.asarray(np.diff(self.matrix.indptr), dtype=np.int64)

    @property
    def strengths(self) -> Column:
        """Σ_j K_ij, how strongly each node listens in all, shape (n,)."""
        return np.asarray(self.matrix.sum(axis=1), dtype=float)

    def subgraph(self, keep: ArrayLike) -> Graph:
        """The graph of some of the nodes, in the order given.

        Parameters
        ----------
        keep : array_like of int, shape (k,)
            Positions (not labels) of the nodes, each at most once.

        Raises
        ------
        ValueError
            If a position is out of range or given twice.

        Examples
        --------
        >>> from inphase import graphs
        >>> graphs.path(4).subgraph([1, 2]).matrix.toarray()
        array([[0., 1.],
               [1., 0.]])
        """
        index = np.asarray(keep)
        if index.ndim != 1 or index.dtype.kind not in "iu" or not index.size:
            raise ValueError(f"keep must be positions of nodes, shape (k,) with k >= 1; got {keep!r:.60}")
        if index.min() < 0 or index.max() >= self.n or len(np.unique(index)) != len(index):
            raise ValueError(f"keep must be different positions from 0 to {self.n - 1}; got {keep!r:.60}")
        columns = {key: values[index] for key, values in self.nodes.items()}
        labels, source = tuple(self.labels[i] for i in index), self.source
        if source is not None and len(index) < self.n:
            source = source.and_note(f"{len(index)} of {self.n} nodes kept")
        return Graph(self.matrix[index][:, index], columns, labels, self.name, source)

    def largest_component(self) -> Graph:
        """The largest part that hangs together without directions (the first one, if several are).

        Examples
        --------
        >>> from inphase import graphs
        >>> graphs.from_edges([(0, 1), (2, 3), (3, 4)], n=6).largest_component().labels
        (2, 3, 4)
        """
        _, part = sparse.csgraph.connected_components(self.matrix, directed=True, connection="weak")
        return self.subgraph(np.flatnonzero(part == np.argmax(np.bincount(part))))

    def laplacian(self) -> Any:
        """L = diag(Σ_j K_ij) − K as a `scipy.sparse.csr_array`: small phases follow dθ/dt = −f'(0) L θ.

        Examples
        --------
        >>> from inphase import graphs
        >>> graphs.path(3).laplacian().toarray()
        array([[ 1., -1.,  0.],
               [-1.,  2., -1.],
               [ 0., -1.,  1.]])
        """
        return (sparse.diags_array(self.strengths) - self.matrix).tocsr()

    def normalized(self, by: str) -> Graph:
        """The graph with its weights divided as the literature does.

        Parameters
        ----------
        by : {"in-degree", "strength", "mean-degree", "n"}
            K_ij / degree_i; K_ij / Σ_j |K_ij|; K_ij / (mean degree); K_ij / n. Rows without entries stay
            empty.

        Raises
        ------
        ValueError
            If `by` is none of these.

        Examples
        --------
        >>> from inphase import graphs
        >>> graphs.star(3).normalized("in-degree").matrix.toarray()
        array([[0. , 0.5, 0.5],
               [1. , 0. , 0. ],
               [1. , 0. , 0. ]])
        """
        rules: dict[str, Callable[[], Any]] = {
            "in-degree": lambda: self.degrees,
            "strength": lambda: abs(self.matrix).sum(axis=1),
            "mean-degree": lambda: np.full(self.n, np.mean(self.degrees)),
            "n": lambda: np.full(self.n, self.n),
        }
        if by not in rules:
            raise ValueError(f"by must be one of {', '.join(rules)}; got {by!r}")
        divisors: Column = np.array(rules[by](), dtype=np.float64)
        divisors[divisors == 0] = 1.0
        matrix = sparse.diags_array(1.0 / divisors) @ self.matrix
        return replace(self, matrix=matrix)

    def with_columns(self, by: Sequence[Any] | NDArray[Any] | None = None, /, **columns: ArrayLike) -> Graph:
        """The graph with more (or newer) columns of numbers for its nodes.

        Parameters
        ----------
        by : sequence, length n, optional
            The label of the node that each entry belongs to; without it, entries are in the order of the
            nodes. The number 12 and the text "12" name the same node, as tables and graph files differ in
            this.
        **columns : array_like, shape (n,)
            Finite numbers.

        Raises
        ------
        ValueError
            If a label is unknown, missing or given twice, or a column has the wrong length or NaN.

        Examples
        --------
        >>> from inphase import graphs
        >>> graph = graphs.path(3).with_columns([2, 0, 1], omega=[0.2, 0.0, 0.1])
        >>> graph.nodes["omega"]
        array([0. , 0.1, 0.2])
        """
        order = slice(None) if by is None else self.rows_of(by)
        added = {
            key: finite_array(f"column {key!r}", values, (self.n,))[order] for key, values in columns.items()
        }
        return replace(self, nodes=self.nodes | added)

    def has_labels(self, names: Sequence[Any] | NDArray[Any]) -> bool:
        """Whether every node is among the names, as `with_columns` compares them."""
        return {*map(_plain, self.labels)} <= {*map(_plain, names)}

    def rows_of(self, by: Sequence[Any] | NDArray[Any]) -> NDArray[np.int64]:
        """Where in `by` each node stands, (n,); ValueError as in `with_columns`."""
        rows = {_plain(label): row for row, label in enumerate(by)}
        names = [_plain(label) for label in self.labels]
        missing = next((label for label, name in zip(self.labels, names) if name not in rows), None)
        if missing is not None:
            raise ValueError(f"by must name every node; the node {missing!r} is missing")
        if len(by) != self.n:
            known = set(names)
            stranger = next((label for label in by if _plain(label) not in known), None)
            what = "a node twice" if stranger is None else f"{stranger!r}, which is no node"
            raise ValueError(
                f"by must name each of the {self.n} nodes once; got {len(by)} labels, with {what}"
            )
        return np.array([rows[name] for name in names])

    def to_networkx(self) -> nx.Graph[Any]:
        """A `networkx.DiGraph`, or `Graph` if undirected, with ``weight`` on edges, columns on nodes.

        Raises
        ------
        ImportError
            If networkx is not installed.

        Examples
        --------
        >>> from inphase import graphs
        >>> graphs.from_edges([(0, 1)], directed=True).to_networkx().edges
        OutEdgeView([(0, 1)])
        """
        try:
            import networkx as nx
        except ImportError:
            raise ImportError('to_networkx needs networkx: pip install "inphase[graphs]"') from None
        graph: nx.Graph[Any] = nx.DiGraph(name=self.name) if self.directed else nx.Graph(name=self.name)
        for i, label in enumerate(self.labels):
            graph.add_node(label, **{key: float(values[i]) for key, values in self.nodes.items()})
        entries = self.matrix.tocoo()
        for v, u, weight in zip(entries.row.tolist(), entries.col.tolist(), entries.data.tolist()):
            graph.add_edge(self.labels[u], self.labels[v], weight=weight)
        return graph

    def __repr__(self) -> str:
        kind = "directed" if self.directed else "undirected"
        columns = [f"columns {', '.join(self.nodes)}"] if self.nodes else []
        name = [repr(self.name)] if self.name else []
        return f"Graph({', '.join([*name, f'{self.n} nodes', f'{self.edges} {kind} edges', *columns])})"


def _square(value: Any) -> Any:
    """`value` as a canonical csr_array of float64."""
    found = value if sparse.issparse(value) else matrix_array("matrix", value)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or not found.shape[0]:
        raise ValueError(f"matrix must have shape (n, n) with n >= 1; got shape {found.shape}")
    if found.dtype.kind not in "biuf":
        raise TypeError(f"matrix must hold real numbers; got {found.dtype}")
    matrix = sparse.csr_array(found, dtype=float, copy=True)
    matrix.sum_duplicates()
    bad = np.flatnonzero(~np.isfinite(matrix.data))
    if len(bad):
        entries = matrix.tocoo()
        raise ValueError(
            f"matrix must be finite; got {matrix.data[bad[0]]} at ({entries.row[bad[0]]}, {entries.col[bad[0]]})"
        )
    matrix.eliminate_zeros()
    return matrix


def _plain(label: Any) -> str:
    """A label as text, whole numbers without a point."""
    if isinstance(label, (float, np.floating)) and float(label).is_integer():
        return str(int(label))
    return str(label)
