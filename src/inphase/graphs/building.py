"""Graphs from edges at hand: arrays, networkx graphs, pandas tables, and the records of file readers."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from inphase.checks import LARGEST, finite_array, integer
from inphase.graphs.graph import Column, Graph

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

Attributes = Mapping[str, Any]
WEIGHT_NAMES = ("weight", "value")  # what files call the weight of an edge; "value" is GML's custom


class Node(NamedTuple):
    """A node of a file: how edges refer to it, its label, its attributes."""

    key: Hashable
    label: Hashable
    attributes: Attributes


class Edge(NamedTuple):
    """An edge of a file, and where it stands there."""

    source: Hashable
    target: Hashable
    attributes: Attributes
    place: Any


def from_edges(
    edges: ArrayLike, n: int | None = None, weights: ArrayLike | None = None, directed: bool = False
) -> Graph:
    """A graph from pairs of node numbers.

    Parameters
    ----------
    edges : array_like of int, shape (m, 2)
        Source and target of each edge, from 0 on. See `Graph` for the direction, multi-edges and self-loops.
    n : int, optional
        Number of nodes; the largest number in `edges` plus 1 by default.
    weights : array_like, shape (m,), optional
        Finite; 1 by default.
    directed : bool
        Whether an edge is one entry of K, K[target, source], or both.

    Raises
    ------
    ValueError, TypeError
        If there is neither an edge nor `n`, a node number is no integer from 0 to n − 1, or a weight is not
        finite.

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.from_edges([(0, 1), (1, 2)], weights=[1.0, 0.5], directed=True).matrix.toarray()
    array([[0. , 0. , 0. ],
           [1. , 0. , 0. ],
           [0. , 0.5, 0. ]])
    """
    pairs = np.asarray(edges)
    if not pairs.size and n is not None:
        pairs = np.empty((0, 2), dtype=np.int64)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or (not len(pairs) and n is None):
        raise ValueError(
            f"edges must have shape (m, 2), with m >= 1 unless n is given; got shape {pairs.shape}"
        )
    if pairs.dtype.kind not in "iu":
        raise TypeError(f"edges must hold integers; got {pairs.dtype}")
    count = int(pairs.max()) + 1 if n is None else integer("n", n, least=1)
    if pairs.size and (pairs.min() < 0 or pairs.max() >= count):
        wrong = int(np.argmax(np.any((pairs < 0) | (pairs >= count), axis=1)))
        raise ValueError(
            f"edges must join nodes from 0 to {count - 1}; got {pairs[wrong].tolist()} at index {wrong}"
        )
    values = np.ones(len(pairs)) if weights is None else finite_array("weights", weights, (len(pairs),))
    return assemble(pairs[:, 0], pairs[:, 1], values, count, directed)


def from_networkx(graph: nx.Graph[Any], weight: str = "weight") -> Graph:
    """A graph from a networkx graph of any of its four kinds.

    Parameters
    ----------
    graph : networkx.Graph, DiGraph, MultiGraph or MultiDiGraph
    weight : str
        The edge attribute with the weights. An edge without it has the weight 1.

    Returns
    -------
    Graph
        Its labels are the nodes of `graph`; attributes that are finite numbers at every node are its columns,
        and ``pos`` (pairs or triples) gives the columns ``x``, ``y`` (and ``z``).

    Raises
    ------
    ValueError, TypeError
        If there is no node, or a weight is not a finite number.

    Examples
    --------
    >>> import networkx as nx
    >>> from inphase import graphs
    >>> graphs.from_networkx(nx.karate_club_graph())
    Graph("Zachary's Karate Club", 34 nodes, 78 undirected edges)
    """
    if not all(hasattr(graph, method) for method in ("nodes", "edges", "is_directed")):
        raise TypeError(f"graph must be a networkx graph; got {type(graph).__name__}")
    nodes = [Node(label, label, attributes) for label, attributes in graph.nodes(data=True)]
    edges = [Edge(u, v, attributes, (u, v)) for u, v, attributes in graph.edges(data=True)]
    if not nodes:
        raise ValueError("graph must have nodes; got an empty graph")
    values = [edge_number(edge.attributes.get(weight, 1.0), weight, edge, _pair) for edge in edges]
    return from_records(nodes, edges, values, graph.is_directed(), str(graph.graph.get("name", "")), _pair)


def from_pandas(
    frame: pd.DataFrame,
    source: str = "source",
    target: str = "target",
    weight: str | None = None,
    nodes: pd.DataFrame | None = None,
    directed: bool = False,
) -> Graph:
    """A graph from a table of edges.

    Parameters
    ----------
    frame : pandas.DataFrame
        One edge a row.
    source, target : str
        Columns with the labels of the nodes.
    weight : str, optional
        Column with the weights; 1 by default.
    nodes : pandas.DataFrame, optional
        One node a row, in the order wanted: its index holds the labels, its columns of numbers become the
        graph's. Without it, the nodes are those of the edges, sorted if they are numbers, else in the order
        they appear.
    directed : bool
        Whether an edge is one entry of K or both; see `Graph`.

    Raises
    ------
    ValueError, TypeError
        If a column is missing, there is no edge, a label is missing or not in `nodes`, or a number is not
        finite.

    Examples
    --------
    >>> import pandas as pd
    >>> from inphase import graphs
    >>> table = pd.DataFrame({"source": ["a", "a"], "target": ["b", "c"], "strength": [1.0, 2.0]})
    >>> graphs.from_pandas(table, weight="strength").strengths
    array([3., 1., 2.])
    """
    for column in [source, target] + ([] if weight is None else [weight]):
        if column not in frame.columns:
            raise ValueError(
                f"frame must have the column {column!r}; got {', '.join(map(str, frame.columns))}"
            )
    if not len(frame):
        raise ValueError("frame must have at least one edge; got no rows")
    ends = [frame[source].tolist(), frame[target].tolist()]
    for row, pair in enumerate(zip(*ends)):
        if any(label is None or label != label for label in pair):
            raise ValueError(f"frame must name both nodes of each edge; got {pair} in row {row}")
    labels = ordered(ends[0] + ends[1]) if nodes is None else nodes.index.tolist()
    position = {label: i for i, label in enumerate(labels)}
    for row, pair in enumerate(zip(*ends)):
        for label in pair:
            if label not in position:
                raise ValueError(
                    f"nodes must hold every node of the edges; got {label!r} in row {row} of frame"
                )
    weights = (
        np.ones(len(frame))
        if weight is None
        else finite_array(f"frame[{weight!r}]", frame[weight].to_numpy())
    )
    sources, targets = ([position[label] for label in end] for end in ends)
    columns = (
        {} if nodes is None else {str(k): v.to_numpy() for k, v in nodes.items() if v.dtype.kind in "iuf"}
    )
    return assemble(sources, targets, weights, len(labels), directed, columns, labels)


def assemble(
    sources: Sequence[int] | NDArray[Any],
    targets: Sequence[int] | NDArray[Any],
    weights: Sequence[float] | Column,
    n: int,
    directed: bool,
    columns: dict[str, Column] | None = None,
    labels: Sequence[Hashable] = (),
    name: str = "",
) -> Graph:
    """The graph with K[target, source] = weight, checked, and its mirror image unless directed."""
    if n > LARGEST:
        raise ValueError(f"n must be at most {LARGEST}; got {n}")
    rows, cols = np.asarray(targets, dtype=np.int32), np.asarray(sources, dtype=np.int32)
    values = np.asarray(weights, dtype=float)
    if not directed:
        mirrored = rows != cols
        rows, cols = np.concatenate([rows, cols[mirrored]]), np.concatenate([cols, rows[mirrored]])
        values = np.concatenate([values, values[mirrored]])
    return Graph(sparse.coo_array((values, (rows, cols)), shape=(n, n)), columns or {}, labels, name)


def from_records(
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    weights: Sequence[float],
    directed: bool,
    name: str,
    where: Callable[[Any], str],
) -> Graph:
    """The graph of a file's records; ValueError that says `where` an edge names an unknown node."""
    position = {node.key: i for i, node in enumerate(nodes)}
    for edge in edges:
        for end, key in (("source", edge.source), ("target", edge.target)):
            if key not in position:
                raise ValueError(
                    f"{where(edge.place)}: the {end} of the edge is {key!r:.80}, which is no node"
                )
    labels = [node.label for node in nodes]
    if len(set(labels)) < len(labels):  # labels are free text in GML; keys are not
        twice = next(label for label, times in Counter(labels).items() if times > 1)
        warnings.warn(
            f"{name}: two nodes have the label {twice!r:.80}; nodes are labeled by their ids instead",
            stacklevel=4,
        )
        labels = [node.key for node in nodes]
    sources, targets = [position[edge.source] for edge in edges], [position[edge.target] for edge in edges]
    return assemble(sources, targets, weights, len(nodes), directed, numeric_columns(nodes), labels, name)


def edge_weights(edges: Sequence[Edge], weight: str | None, where: Callable[[Any], str]) -> list[float]:
    """Weights of a file's edges; ValueError that says `where` one is missing or no finite number."""
    name = weight or next(
        (w for w in WEIGHT_NAMES if any(w in edge.attributes for edge in edges)), WEIGHT_NAMES[0]
    )
    for edge in edges:
        if weight is not None and weight not in edge.attributes:
            raise ValueError(f"{where(edge.place)}: the edge has no {weight!r}")
    return [edge_number(edge.attributes.get(name, 1.0), name, edge, where) for edge in edges]


def edge_number(value: Any, name: str, edge: Edge, where: Callable[[Any], str]) -> float:
    """The weight of an edge as a finite float; ValueError that says `where` it is not."""
    if not _is_finite_number(value):
        raise ValueError(f"{where(edge.place)}: {name} must be a finite number; got {value!r:.80}")
    return float(value)


def numeric_columns(nodes: Sequence[Node]) -> dict[str, Column]:
    """The attributes that are finite numbers at every node; `pos`, a pair or triple, gives x, y (and z)."""
    tables = [_flat(node.attributes) for node in nodes]
    columns = {}
    for key in tables[0]:
        if all(
            _is_finite_number(table.get(key)) for table in tables
        ):  # mostly, the first tell that it is none
            columns[str(key)] = np.array([table[key] for table in tables], dtype=float)
    return columns


def ordered(labels: Sequence[Any]) -> list[Any]:
    """Each label once: sorted if all are numbers, else in the order of appearance."""
    found = list(dict.fromkeys(labels))
    return sorted(found) if all(isinstance(label, Real) for label in found) else found


def _is_finite_number(value: Any) -> bool:
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer beyond the largest float
        return False


def _flat(attributes: Attributes) -> dict[str, Any]:
    position = attributes.get("pos")
    if position is None or isinstance(position, (str, Real)) or not 1 <= len(position) <= 3:
        return dict(attributes)
    return dict(attributes) | dict(zip("xyz", position))


def _pair(place: Any) -> str:
    return f"edge {place}"
