"""Graphs from edges at hand: arrays, networkx graphs, pandas tables, and the records of file readers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from inphase.checks import LARGEST, finite_array, integer, unmasked
from inphase.graphs.graph import Column, Graph
from inphase.graphs.source import LISTED, Source, counted, named

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

Attributes = Mapping[str, Any]
NO_WEIGHTS = frozenset(
    (
        "id",
        "key",
        "label",
        "type",
        "source",
        "target",
        "year",
        "date",
        "time",
        "timestamp",
        "timeset",
        "interval",
        "index",
        "number",
    )
)  # of numbers beside an edge, which are never meant as its weight
WEIGHT_NAMES = ("weight", "value")  # what files call the weight of an edge; "value" is GML's custom


class Node(NamedTuple):
    """A node of a file: how edges refer to it, its label if its attributes do not tell, its attributes."""

    key: Hashable
    label: Hashable
    attributes: Attributes


class Edge(NamedTuple):
    """An edge of a file, and where it stands there."""

    source: Hashable
    target: Hashable
    attributes: Attributes
    place: Any


@dataclass(frozen=True)
class Wanted:
    """What `read` is asked for; see there."""

    weight: str | float | None = None
    directed: bool | None = None
    n: int | None = None
    columns: tuple[str | int, str | int] | None = None
    duplicates: str | None = None
    kind: str | None = None


@dataclass
class Found:
    """What the text of a file says, before it is a graph: edges by the numbers of their nodes, and notes.

    Attributes
    ----------
    sources, targets, weights : array_like, shape (m,)
    n : int
        The number of nodes.
    format, weight, order : str
        As in `Source`.
    directed : bool
        What the file says of its edges.
    labels, columns, lacking
        Of the nodes, as in `Graph` and `Source`.
    notes : list of str
        What is to be said of how the file was read.
    """

    sources: Any
    targets: Any
    weights: Any
    n: int
    format: str
    weight: str
    order: str = LISTED
    directed: bool = False
    labels: Sequence[Hashable] = ()
    columns: dict[str, Column] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def graph(self, file: Path, wanted: Wanted) -> Graph:
        """The graph of the edges, once each, and how it was read."""
        directed = self.directed if wanted.directed is None else wanted.directed
        u, v = np.asarray(self.sources, dtype=np.int32), np.asarray(self.targets, dtype=np.int32)
        weights, notes = np.asarray(self.weights, dtype=float), list(self.notes)
        if wanted.directed is not None and wanted.directed != self.directed and self.directed:
            notes.append("the file says directed")
        if not directed and wanted.duplicates is None:
            kept = _in_both_directions(u, v, weights, self.n)
            if kept is not None:
                u, v, weights = u[kept], v[kept], weights[kept]
                notes.append(
                    'every edge stands there in both directions and is read once (duplicates="sum" adds them up)'
                )
        zeros = int(np.count_nonzero(weights == 0))
        if zeros:
            notes.append(f"{counted(zeros, 'edge', 'dropped')}, of weight 0")
            warn_of_zeros(zeros, str(file))
        graph = assemble(u, v, weights, self.n, directed, self.columns, self.labels, file.stem)
        merged = len(u) - zeros - _edge_count(graph.matrix, directed)
        if merged > 0:
            notes.append(f"{counted(merged, 'repeated edge', 'added up')}")
        source = Source(file.name, self.format, directed, self.weight, self.order, tuple(notes), self.lacking)
        return replace(graph, source=source)


def _edge_count(matrix: Any, directed: bool) -> int:
    """How many different edges a matrix has."""
    return int(matrix.nnz if directed else (matrix.nnz + np.count_nonzero(matrix.diagonal())) // 2)


def _in_both_directions(u: Any, v: Any, weights: Any, n: int) -> Any:
    """Positions of the edges from a smaller to a larger node, and loops, if each also goes back with equal weight; or None."""
    up, down = np.flatnonzero(u < v), np.flatnonzero(u > v)
    if len(up) != len(down) or not len(up):
        return None
    ahead, back = u[up].astype(np.int64) * n + v[up], v[down].astype(np.int64) * n + u[down]
    first, second = np.argsort(ahead), np.argsort(back)
    ahead = ahead[first]
    if not np.array_equal(ahead, back[second]) or np.any(ahead[1:] == ahead[:-1]):
        return None
    if not np.array_equal(weights[up[first]], weights[down[second]]):
        return None
    return np.flatnonzero(u <= v)


def warn_of_zeros(zeros: int, what: str) -> None:
    """UserWarning for edges that are dropped, as their weights are 0."""
    warnings.warn(f"{what}: {counted(zeros, 'edge', 'dropped')}, as a weight of 0 is no edge", stacklevel=2)


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
    unmasked("edges", edges)
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
        The edge attribute with the weights. An edge without it has the default of the GraphML file that
        networkx read, or else the weight 1; edges of weight 0 are dropped, with a warning.

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
    defaults = graph.graph.get("node_default", {}), graph.graph.get("edge_default", {})  # of GraphML files
    nodes = [Node(label, label, {**defaults[0], **known}) for label, known in graph.nodes(data=True)]
    edges = [Edge(u, v, {**defaults[1], **known}, (u, v)) for u, v, known in graph.edges(data=True)]
    if not nodes:
        raise ValueError("graph must have nodes; got an empty graph")
    weights = [edge_number(edge.attributes.get(weight, 1.0), weight, edge, _pair) for edge in edges]
    position = {node.key: i for i, node in enumerate(nodes)}
    sources, targets = [position[edge.source] for edge in edges], [position[edge.target] for edge in edges]
    zeros = weights.count(0.0)
    if zeros:
        warn_of_zeros(zeros, "the networkx graph")
    labels, name = [node.label for node in nodes], str(graph.graph.get("name", ""))
    columns, _ = numeric_columns(nodes)
    return assemble(sources, targets, weights, len(nodes), graph.is_directed(), columns, labels, name)


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
    wanted: Wanted,
    where: Callable[[Any], str],
    format: str,
    directed: bool,
) -> Found:
    """What the records of a file say; ValueError that says `where` an edge names an unknown node, or has no weight."""
    position = {node.key: i for i, node in enumerate(nodes)}
    for edge in edges:
        for end, key in (("source", edge.source), ("target", edge.target)):
            if key not in position:
                raise ValueError(
                    f"{where(edge.place)}: the {end} of the edge is {key!r:.80}, which is no node"
                )
    notes: list[str] = []
    labels = _labels(nodes, notes)
    weights, weight = edge_weights(edges, wanted.weight, where, notes)
    sources, targets = [position[edge.source] for edge in edges], [position[edge.target] for edge in edges]
    columns, lacking = numeric_columns(nodes)
    return Found(
        sources,
        targets,
        weights,
        len(nodes),
        format,
        weight,
        LISTED,
        directed,
        labels,
        columns,
        lacking,
        notes,
    )


def _labels(nodes: Sequence[Node], notes: list[str]) -> list[Hashable]:
    """The labels of the nodes, or their ids where they have none, or not each its own."""
    labels = _called(nodes)
    places: dict[Hashable, int] = {}
    for label in labels:
        places[label] = places.get(label, 0) + 1
    twice = next((label for label, times in places.items() if times > 1), None)
    if len(places) < len(labels):  # labels are free text; keys are not
        warnings.warn(
            f"two nodes have the label {twice!r:.80}; nodes are labeled by their ids instead", stacklevel=5
        )
        notes.append("labels are the ids, as two nodes have one label")
        return [node.key for node in nodes]
    return labels


def _called(nodes: Sequence[Node]) -> list[Hashable]:
    """What a file calls its nodes: by labels, where some have one, or by names, where all have; else by ids."""
    for word, share in (("label", 1), ("name", len(nodes))):
        found = [node.label if node.label is not None else _spelled(node.attributes, word) for node in nodes]
        if sum(label is not None for label in found) >= share:
            return [node.key if label is None else label for node, label in zip(nodes, found)]
    return [node.key for node in nodes]


def _spelled(attributes: Attributes, word: str) -> Hashable:
    """The attribute of this name, in letters of any size; None where it is none, or blank."""
    found = next((value for key, value in attributes.items() if str(key).casefold() == word), None)
    known = isinstance(found, str | Real) and str(found).strip()
    return found if known else None


def edge_weights(
    edges: Sequence[Edge], weight: str | float | None, where: Callable[[Any], str], notes: list[str]
) -> tuple[list[float], str]:
    """Weights of a file's edges and where they are from; ValueError that says `where` one is missing or no finite number.

    The letters of a name may be large or small. Without `weight`, an edge has its ``weight``, else its ``value``,
    else 1; where no edge has either, and there are other numbers, a warning names them.
    """
    if isinstance(weight, float):
        return [weight] * len(edges), f"weights {weight:g}"
    wanted = WEIGHT_NAMES if weight is None else (weight,)
    spelled = sorted({key for edge in edges for key in edge.attributes}, key=str)
    keys = [key for name in wanted for key in spelled if key == name]
    keys += [
        key
        for name in wanted
        for key in spelled
        if str(key).casefold() == name.casefold() and key not in keys
    ]
    found, without = [], 0
    for edge in edges:
        value = None
        for name in keys:
            value = edge.attributes.get(name)
            if value is not None:
                plain = type(value) is float and math.isfinite(value)  # nearly always
                found.append(value if plain else edge_number(value, name, edge, where))
                break
        if value is None:
            if weight is not None:
                raise ValueError(f"{where(edge.place)}: the edge has no {weight!r}")
            without += 1
            found.append(1.0)
    if without and keys:
        notes.append(f"{counted(without, 'edge')} without {' or '.join(keys)} read as 1")
    others = [] if keys else _numbers_of(edges)
    if others:
        which = named(others)
        notes.append(f"not used: {which}")
        warnings.warn(
            f"{where(edges[0].place)}: all weights are 1; the edges have the numbers {which}: give weight={others[0]!r:.80}, "
            f"or weight=1 for no weights",
            stacklevel=5,
        )
    return found, f"weights from {' or '.join(keys)}" if keys else "weights 1"


def _numbers_of(edges: Sequence[Edge]) -> list[str]:
    """Names of what is a number at every edge and may be a weight."""
    names = (
        []
        if not edges
        else [str(key) for key, value in edges[0].attributes.items() if _is_finite_number(value)]
    )
    names = [name for name in names if name.casefold() not in NO_WEIGHTS]
    return [name for name in names if all(_is_finite_number(edge.attributes.get(name)) for edge in edges)]


def edge_number(value: Any, name: str, edge: Edge, where: Callable[[Any], str]) -> float:
    """The weight of an edge as a finite float; ValueError that says `where` it is not."""
    if not _is_finite_number(value):
        raise ValueError(f"{where(edge.place)}: {name} must be a finite number; got {value!r:.80}")
    return float(value)


def numeric_columns(nodes: Sequence[Node]) -> tuple[dict[str, Column], dict[str, str]]:
    """The attributes that are finite numbers at every node, and why others are none; `pos` gives x, y (and z)."""
    tables = [_flat(node.attributes) for node in nodes]
    columns, lacking = {}, {}
    for key in dict.fromkeys(key for table in tables for key in table):
        bad = next((i for i, table in enumerate(tables) if not _is_finite_number(table.get(key))), None)
        if bad is None:  # mostly, the first tell that it is none
            columns[str(key)] = np.array([table[key] for table in tables], dtype=float)
        else:
            value = f"has {tables[bad][key]!r:.40}, no number" if key in tables[bad] else "has none"
            lacking[str(key)] = f"the node {nodes[bad].key!r:.40} {value}"
    return columns, lacking


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
