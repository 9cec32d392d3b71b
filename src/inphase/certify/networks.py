"""Networks as certificates write them: of graphs, their files and matrices, checked (undirected, simple, or apart)."""

from __future__ import annotations

import math
import warnings
from collections import deque
from os import PathLike
from typing import Any

import numpy as np
from scipy import sparse

from inphase.checks import integer, matrix_array
from inphase.coupling.parts import closed_parts
from inphase.graphs import Graph, read

Edges = list[tuple[int, int]]
APART = "apart"  # the kind of a network with two parts or more that hear nobody outside


def is_graph(subject: Any) -> bool:
    """Whether this is a graph: an adjacency matrix, dense or sparse, a `Graph`, or a path to its file."""
    matrix = isinstance(subject, np.ndarray) and subject.ndim == 2
    return matrix or sparse.issparse(subject) or isinstance(subject, Graph | PathLike)


def read_edge_list(path: str | PathLike[str]) -> tuple[int, Edges]:
    """(n, edges) of a graph's file; deprecated, as `inphase.graphs.read` gives the graph itself."""
    warnings.warn(
        "certify.read_edge_list reads what inphase.graphs.read reads: use that; synchronization takes its graph",
        DeprecationWarning,
        stacklevel=2,
    )
    return edges_of(read(path).matrix)


def edges_of(matrix: Any) -> tuple[int, Edges]:
    """(n, edges) of a symmetric 0/1 adjacency matrix, up to one common positive factor.

    Raises
    ------
    ValueError
        If the matrix is not square, not symmetric (a directed graph), has weights that differ, or a diagonal.
    TypeError
        If its entries are not real numbers.
    """
    a = _entries(matrix)
    if (a != a.T).nnz:
        raise ValueError("the graph is directed: its adjacency matrix must be symmetric")
    a = sparse.coo_array(a)
    if a.nnz and (np.any(a.data != a.data[0]) or a.data[0] <= 0):
        raise ValueError(
            "the graph criteria are for equal positive weights on the edges; the adjacency matrix has others"
        )
    if np.any(a.row == a.col):
        raise ValueError("the adjacency matrix must have a zero diagonal")
    upper = a.row < a.col
    return a.shape[0], sorted(zip(a.row[upper].tolist(), a.col[upper].tolist()))


def _entries(matrix: Any) -> sparse.csr_array:
    """An adjacency matrix of two nodes or more as a canonical csr_array; ValueError or TypeError otherwise."""
    if sparse.issparse(matrix):
        matrix_array("the adjacency matrix", matrix.tocoo().data)
        a = sparse.csr_array(matrix.tocoo().astype(float))  # whose duplicates add up as numbers, not as bytes
    else:
        dense = matrix_array("the adjacency matrix", matrix)
        a = sparse.csr_array(np.atleast_2d(dense))
    a.sum_duplicates()
    a.eliminate_zeros()
    if a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise ValueError(f"an adjacency matrix must be square; got shape {a.shape}")
    several(a.shape[0])
    return a


def _apart(heard: Any) -> dict[str, Any] | None:
    """A network with two parts or more that hear nobody outside, whatever its weights; None if there is one."""
    parts = closed_parts(heard)
    if len(parts) < 2:
        return None
    links = sparse.coo_array(heard)
    edges = sorted([i, j] for i, j in zip(links.row.tolist(), links.col.tolist()) if i != j)
    return {"kind": APART, "n": links.shape[0], "edges": edges, "parts": [part.tolist() for part in parts]}


def _joining(n: int, edges: Edges) -> sparse.csr_array:
    """The matrix of an undirected graph."""
    i, j = np.array(edges, dtype=int).reshape(-1, 2).T
    return sparse.coo_array((np.ones(2 * len(i)), (np.r_[i, j], np.r_[j, i])), shape=(n, n)).tocsr()


def graph_coupling(graph: Any) -> dict[str, Any]:
    """A graph as a certificate writes it: a circulant one by its offsets, any connected one by its edges.

    One in parts that hear nobody outside is written as such, whatever its directions, weights and self-loops.
    """
    if isinstance(graph, dict):
        return _checked(graph)
    if isinstance(graph, (str, PathLike)):
        graph = read(graph)
    matrix = _entries(graph.matrix if isinstance(graph, Graph) else graph)
    if (apart := _apart(matrix)) is not None:
        return apart
    n, edges = edges_of(matrix)
    offsets = sorted({min(j - i, n - j + i) for i, j in edges})
    if n >= 3 and len(edges) == n * len(offsets) and all(2 * d < n for d in offsets):
        return {"kind": "circulant", "n": n, "offsets": offsets}
    return {"kind": "graph", "n": n, "edges": [list(e) for e in edges]}


def several(n: int) -> int:
    """n; ValueError unless it is an integer of at least 2."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 2:
        raise ValueError(f"n must be an integer of at least 2; got {n!r}")
    return int(n)


_PARTS = {"circulant": {"n", "offsets"}, "graph": {"n", "edges"}, "equitable": {"sizes", "degrees"}}


def _checked(graph: dict[str, Any]) -> dict[str, Any]:
    """A graph as certificates write it, checked, from `ring`, `equitable` or by hand; else ValueError."""
    kind = graph.get("kind")
    if not isinstance(kind, str) or set(graph) - {"kind"} != _PARTS.get(kind):
        shapes = ", ".join(
            f'{{"kind": "{name}", {", ".join(sorted(parts))}}}' for name, parts in _PARTS.items()
        )
        raise ValueError(
            f"graph must be one of {shapes}, such as ring(5), if it is a dict; got {graph!r:.80}"
        )
    try:
        if kind == "equitable":
            return equitable(graph["sizes"], graph["degrees"])
        n = several(graph["n"])
        if kind == "circulant":
            offsets = [integer("an offset", d, least=1) for d in graph["offsets"]]
            if not offsets or len(set(offsets)) < len(offsets) or 2 * max(offsets) >= n:
                raise ValueError(
                    f"offsets must be different integers from 1 to below n/2; got {graph['offsets']!r:.60}"
                )
            coupling = {"kind": kind, "n": n, "offsets": offsets}
            return _apart(_joining(*edges_of_coupling(coupling))) or coupling
        edges = [(integer("a node", i, least=0), integer("a node", j, least=0)) for i, j in graph["edges"]]
    except TypeError as error:
        raise ValueError(f"graph must have lists of integers; got {graph!r:.80} ({error})") from None
    if len(set(edges)) < len(edges) or not all(i < j < n for i, j in edges):
        raise ValueError(f"edges must be different pairs i < j < n; got {graph['edges']!r:.60}")
    return _apart(_joining(n, edges)) or {"kind": kind, "n": n, "edges": [list(e) for e in edges]}


def ring(n: int, reach: int = 1) -> dict[str, Any]:
    """n oscillators on a circle, each coupled to its `reach` nearest neighbors on either side."""
    if n < 3 or not reach >= 1 or 2 * reach >= n:
        raise ValueError(f"a ring needs n >= 3 and 1 <= reach < n/2; got n = {n}, reach = {reach}")
    return {"kind": "circulant", "n": int(n), "offsets": list(range(1, reach + 1))}


def edges_of_coupling(coupling: dict[str, Any]) -> tuple[int, Edges]:
    """(n, edges) of a certificate's graph."""
    if coupling["kind"] == "circulant":
        n = coupling["n"]
        return n, [(min(i, (i + d) % n), max(i, (i + d) % n)) for d in coupling["offsets"] for i in range(n)]
    return coupling["n"], [(i, j) for i, j in coupling["edges"]]


def connected(n: int, edges: Edges) -> bool:
    """Whether every node is reached from node 0."""
    near: list[list[int]] = [[] for _ in range(n)]
    for i, j in edges:
        near[i].append(j)
        near[j].append(i)
    seen, queue = {0}, deque([0])
    while queue:
        for j in near[queue.popleft()]:
            if j not in seen:
                seen.add(j)
                queue.append(j)
    return len(seen) == n


def common_divisor(n: int, offsets: list[int]) -> int:
    """gcd(n, offsets): a circulant graph is connected if it is 1."""
    return math.gcd(n, *offsets)


def equitable(sizes: list[int], degrees: list[list[int]]) -> dict[str, Any]:
    """Every graph whose nodes fall into classes so that each node of class a has degrees[a][b] neighbors in
    class b; as `graph` of `synchronization`, for a proof or refutation of them all.

    Parameters
    ----------
    sizes : list of int, length k
        Nodes of each class.
    degrees : list of k lists of k int

    Raises
    ------
    ValueError
        If no graph has these degrees.

    Examples
    --------
    >>> equitable([2, 3], [[0, 3], [2, 0]])["degrees"]  # every node of the two with every one of the three
    [[0, 3], [2, 0]]
    """
    k = len(sizes)
    if k < 2 or min(sizes) < 1 or len(degrees) != k or any(len(row) != k for row in degrees):
        raise ValueError(
            f"an equitable partition needs at least two classes and a square of degrees; got {sizes}, {degrees}"
        )
    for a in range(k):
        for b in range(k):
            if sizes[a] * degrees[a][b] != sizes[b] * degrees[b][a]:
                raise ValueError(f"classes {a} and {b} disagree on the number of edges between them")
            if not 0 <= degrees[a][b] <= sizes[b] - (a == b) or (a == b and sizes[a] * degrees[a][a] % 2):
                raise ValueError(
                    f"degrees[{a}][{b}] = {degrees[a][b]} is not possible for classes of {sizes[a]} and {sizes[b]}"
                )
    return {
        "kind": "equitable",
        "sizes": [int(m) for m in sizes],
        "degrees": [[int(d) for d in row] for row in degrees],
    }
