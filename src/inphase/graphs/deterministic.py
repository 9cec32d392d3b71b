"""Graphs without chance, weights 1: circulants and rings, complete graphs, stars, paths and lattices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import integer
from inphase.graphs.building import assemble
from inphase.graphs.graph import Column, Graph


def undirected(
    n: int, i: NDArray[Any], j: NDArray[Any], name: str, columns: dict[str, Column] | None = None
) -> Graph:
    """The graph with the pairs (i, j), each given once, as edges of weight 1."""
    return assemble(i, j, np.ones(len(i)), n, False, columns, name=name)


def circulant(n: int, offsets: ArrayLike) -> Graph:
    """Nodes on a circle, each joined to those at the given distances along it.

    Parameters
    ----------
    n : int
        Number of nodes, >= 2.
    offsets : array_like of int, shape (k,)
        Distances modulo n, none of them 0; d and n − d are the same.

    Raises
    ------
    ValueError, TypeError
        If n < 2, or an offset is no integer or a multiple of n.

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.circulant(8, [1, 4]).degrees
    array([3, 3, 3, 3, 3, 3, 3, 3])
    """
    n, given = integer("n", n, least=2), np.atleast_1d(np.asarray(offsets))
    if given.ndim != 1 or not given.size or given.dtype.kind not in "iu":
        raise TypeError(f"offsets must be integers, shape (k,) with k >= 1; got {offsets!r:.60}")
    distances = np.unique(np.minimum(given % n, -given % n))
    if distances[0] == 0:
        raise ValueError(f"offsets must not be multiples of n = {n}; got {given[given % n == 0][0]}")
    i, d = (part.ravel() for part in np.meshgrid(np.arange(n), distances, indexing="ij"))
    once = (2 * d < n) | (i < n // 2)  # a diameter joins two nodes, both of which would list it
    return undirected(n, i[once], (i[once] + d[once]) % n, "circulant")


def ring(n: int, neighbors: int = 1) -> Graph:
    """Nodes on a circle, each joined to its nearest ones.

    Parameters
    ----------
    n : int
        Number of nodes, >= 2.
    neighbors : int
        Number of neighbors on either side, from 1 to n/2.

    Raises
    ------
    ValueError, TypeError
        If a number is out of range.

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.ring(5)
    Graph('ring', 5 nodes, 5 undirected edges)
    """
    graph = circulant(n, np.arange(1, either_side(n, neighbors) + 1))
    return Graph(graph.matrix, name="ring")


def either_side(n: int, neighbors: int) -> int:
    """`neighbors` on either side of a node of a ring, checked."""
    n, neighbors = integer("n", n, least=2), integer("neighbors", neighbors, least=1)
    if neighbors > n // 2:
        raise ValueError(f"neighbors on either side must be at most n/2 = {n // 2}; got {neighbors}")
    return neighbors


def complete(n: int) -> Graph:
    """Every node joined to every other.

    Parameters
    ----------
    n : int
        Number of nodes, >= 1. Memory is O(n²): the coupling `AllToAll` needs none.

    Raises
    ------
    ValueError, TypeError
        If n is not an integer >= 1.

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.complete(5)
    Graph('complete', 5 nodes, 10 undirected edges)
    """
    n = integer("n", n, least=1)
    return undirected(n, *np.triu_indices(n, 1), name="complete")


def star(n: int) -> Graph:
    """Node 0, the hub, joined to every other.

    Parameters
    ----------
    n : int
        Number of nodes with the hub, >= 1.

    Raises
    ------
    ValueError, TypeError
        If n is not an integer >= 1.

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.star(4).degrees
    array([3, 1, 1, 1])
    """
    n = integer("n", n, least=1)
    return undirected(n, np.zeros(n - 1, dtype=np.int64), np.arange(1, n), "star")


def path(n: int) -> Graph:
    """Nodes in a row, each joined to the next.

    Parameters
    ----------
    n : int
        Number of nodes, >= 1.

    Raises
    ------
    ValueError, TypeError
        If n is not an integer >= 1.

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.path(4).degrees
    array([1, 2, 2, 1])
    """
    n = integer("n", n, least=1)
    return undirected(n, np.arange(n - 1), np.arange(1, n), "path")


def lattice(shape: Sequence[int] | int, periodic: bool | Sequence[bool] = True) -> Graph:
    """A box of a (hyper)cubic lattice, each node joined to its nearest ones along the axes.

    Parameters
    ----------
    shape : int or sequence of int
        Number of nodes along each axis, >= 1. Node numbers run in C order, the last axis fastest.
    periodic : bool or sequence of bool
        Whether the two ends of an axis are joined, for all axes or for each; such an axis has at least 3
        nodes.

    Returns
    -------
    Graph
        With the columns ``x``, ``y``, ``z``, positions along the axes, for up to three axes.

    Raises
    ------
    ValueError, TypeError
        If a length is not an integer >= 1, or that of a periodic axis is below 3.

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.lattice((3, 4), periodic=False)
    Graph('lattice', 12 nodes, 17 undirected edges, columns x, y)
    """
    lengths = [shape] if isinstance(shape, (int, np.integer)) else list(shape)
    lengths = [integer("shape", length, least=1) for length in lengths]
    if not lengths:
        raise ValueError("shape must have at least one axis; got none")
    closed = [bool(c) for c in np.atleast_1d(np.asarray(periodic))]
    closed = closed * len(lengths) if len(closed) == 1 else closed
    if len(closed) != len(lengths):
        raise ValueError(
            f"periodic must be one value or one for each of the {len(lengths)} axes; got {len(closed)}"
        )
    for axis, length in enumerate(lengths):
        if closed[axis] and length < 3:
            raise ValueError(f"a periodic axis needs at least 3 nodes; got shape[{axis}] = {length}")
    numbers = np.arange(np.prod(lengths)).reshape(lengths)
    pairs = []
    for axis in range(len(lengths)):
        row = np.moveaxis(numbers, axis, 0)
        pairs.append((row[:-1].ravel(), row[1:].ravel()))
        if closed[axis]:
            pairs.append((row[-1].ravel(), row[0].ravel()))
    i, j = (np.concatenate(part) for part in zip(*pairs))
    positions = np.indices(lengths).reshape(len(lengths), -1).astype(float)
    return undirected(
        numbers.size, i, j, "lattice", dict(zip("xyz", positions)) if len(lengths) <= 3 else None
    )
