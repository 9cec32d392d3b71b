"""Random graphs, weights 1: Erdős-Rényi, blocks, small worlds, preferential attachment, random regular.

Each draws from `numpy.random.default_rng(seed)`: the same seed gives the same graph.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import LARGEST, finite_array, finite_number, integer
from inphase.graphs.building import assemble
from inphase.graphs.deterministic import either_side, undirected
from inphase.graphs.graph import Graph

Numbers = NDArray[np.int64]
ROUNDS = 100  # of redrawing what fell on a loop or an edge there is


def generator(seed: int) -> np.random.Generator:
    """The source of randomness that a seed names."""
    return np.random.default_rng(integer("seed", seed, least=0))


def erdos_renyi(
    n: int, p: float | None = None, mean_degree: float | None = None, directed: bool = False, seed: int = 0
) -> Graph:
    """Every pair of nodes joined with the same probability, independently; O(edges).

    Parameters
    ----------
    n : int
        Number of nodes, >= 1.
    p : float
        Probability, from 0 to 1.
    mean_degree : float
        Instead of `p`: p (n − 1).
    directed : bool
        Whether the two directions of a pair are drawn independently.
    seed : int

    Raises
    ------
    ValueError, TypeError
        If both or none of `p` and `mean_degree` are given, or a number is out of range.

    Notes
    -----
    G(n, p) of E. N. Gilbert, Ann. Math. Stat. 30, 1141 (1959). The number of edges is drawn first, from its
    binomial law.

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.erdos_renyi(1000, mean_degree=10, seed=1).degrees.mean().round(1)
    np.float64(9.9)
    """
    n, rng = _size(n), generator(seed)
    if (p is None) == (mean_degree is None):
        raise ValueError(f"give either p or mean_degree; got p={p}, mean_degree={mean_degree}")
    if mean_degree is not None:
        p = finite_number("mean_degree", mean_degree, least=0.0) / max(n - 1, 1)
        if p > 1:
            raise ValueError(f"mean_degree must be at most n - 1 = {n - 1}; got {mean_degree}")
    probability = _probability("p", p)
    if directed:
        pair = _chosen(rng, n * (n - 1), probability)
        source, target = pair // max(n - 1, 1), pair % max(n - 1, 1)
        target += target >= source
        return assemble(source, target, np.ones(len(pair)), n, True, name="erdos_renyi")
    return undirected(n, *_triangle(_chosen(rng, n * (n - 1) // 2, probability)), name="erdos_renyi")


def _size(n: int) -> int:
    n = integer("n", n, least=1)
    if n > LARGEST:
        raise ValueError(f"n must be at most {LARGEST}; got {n}")
    return n


def _probability(name: str, value: Any) -> float:
    number = finite_number(name, value, least=0.0)
    if number > 1:
        raise ValueError(f"{name} must be at most 1; got {value!r}")
    return number


def _chosen(rng: np.random.Generator, count: int, p: float) -> Numbers:
    """Which of `count` things happen, each with probability p; O(chosen)."""
    return (
        rng.choice(count, rng.binomial(count, p), replace=False, shuffle=False)
        if count
        else np.empty(0, dtype=np.int64)
    )


def _triangle(pair: Numbers) -> tuple[Numbers, Numbers]:
    """Row and column (column < row) of entries below the diagonal, counted row by row."""
    row = ((1 + np.sqrt(1.0 + 8.0 * pair)) / 2).astype(np.int64)
    row -= row * (row - 1) // 2 > pair
    row += row * (row + 1) // 2 <= pair
    return row, pair - row * (row - 1) // 2


def stochastic_block(sizes: ArrayLike, probabilities: ArrayLike, seed: int = 0) -> Graph:
    """Nodes in blocks; pairs joined independently, with a probability that their two blocks decide.

    Parameters
    ----------
    sizes : array_like of int, shape (blocks,)
        Number of nodes of each block, >= 1. Nodes are numbered block by block.
    probabilities : array_like, shape (blocks, blocks)
        Symmetric, from 0 to 1.
    seed : int

    Returns
    -------
    Graph
        With the column ``block``.

    Raises
    ------
    ValueError, TypeError
        If a number is out of range, or the probabilities are not symmetric or do not fit the sizes.

    Notes
    -----
    P. W. Holland, K. B. Laskey and S. Leinhardt, Social Networks 5, 109 (1983).

    Examples
    --------
    >>> from inphase import graphs
    >>> graph = graphs.stochastic_block([3, 2], [[1, 0], [0, 1]])
    >>> graph.degrees, graph.nodes["block"]
    (array([2, 2, 2, 1, 1]), array([0., 0., 0., 1., 1.]))
    """
    counts = [integer("sizes", size, least=1) for size in np.atleast_1d(np.asarray(sizes))]
    n, blocks, rng = _size(sum(counts)), len(counts), generator(seed)
    table = finite_array("probabilities", probabilities, (blocks, blocks))
    if np.any(table < 0) or np.any(table > 1) or np.any(table != table.T):
        raise ValueError(f"probabilities must be symmetric and from 0 to 1; got {table.tolist()!r:.200}")
    first = np.concatenate([[0], np.cumsum(counts)])
    pairs = []
    for a in range(blocks):
        i, j = _triangle(_chosen(rng, counts[a] * (counts[a] - 1) // 2, table[a, a]))
        pairs.append((first[a] + i, first[a] + j))
        for b in range(a):
            pair = _chosen(rng, counts[a] * counts[b], table[a, b])
            pairs.append((first[a] + pair // counts[b], first[b] + pair % counts[b]))
    i, j = (np.concatenate(part) for part in zip(*pairs))
    return undirected(
        n, i, j, "stochastic_block", {"block": np.repeat(np.arange(blocks, dtype=float), counts)}
    )


def small_world(n: int, neighbors: int = 1, rewiring: float = 0.1, seed: int = 0) -> Graph:
    """A ring whose edges have one end moved to a random node with some probability; O(edges).

    Parameters
    ----------
    n : int
        Number of nodes, >= 2.
    neighbors : int
        Number of neighbors on either side before rewiring, from 1 to n/2 (half of Watts and Strogatz's k).
    rewiring : float
        Probability, from 0 to 1.
    seed : int

    Raises
    ------
    ValueError, TypeError
        If a number is out of range.

    Notes
    -----
    D. J. Watts and S. H. Strogatz, Nature 393, 440 (1998). All ends are moved at once, not lap by lap; those
    that fall on their own node or on an edge are drawn again. An edge that finds no free place in 100 draws
    stays: only in a nearly complete graph.

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.small_world(1000, neighbors=3, rewiring=0.1, seed=1)
    Graph('small_world', 1000 nodes, 3000 undirected edges)
    """
    n, reach, rng = _size(n), either_side(n, neighbors), generator(seed)
    i = np.tile(np.arange(n), reach)
    d = np.repeat(np.arange(1, reach + 1), n)
    once = (2 * d < n) | (i < n // 2)
    i, j = i[once], (i + d)[once] % n
    pending = np.flatnonzero(rng.random(len(i)) < _probability("rewiring", rewiring))
    for _ in range(ROUNDS):
        if not len(pending):
            break
        ends = rng.integers(n, size=len(pending))
        free = _free(_keys(i[pending], ends, n), np.sort(_keys(i, j, n))) & (ends != i[pending])
        j[pending[free]] = ends[free]
        pending = pending[~free]
    return undirected(n, i, j, "small_world")


def _keys(i: Numbers, j: Numbers, n: int) -> Numbers:
    """One number for each unordered pair."""
    return np.minimum(i, j) * n + np.maximum(i, j)


def _free(keys: Numbers, taken: Numbers) -> NDArray[np.bool_]:
    """Which keys are not among those `taken` (ascending) and are the first of their kind."""
    first = np.zeros(len(keys), dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    if not len(taken):
        return first
    place = np.minimum(np.searchsorted(taken, keys), len(taken) - 1)
    free: NDArray[np.bool_] = first & (taken[place] != keys)
    return free


def barabasi_albert(n: int, m: int, seed: int = 0) -> Graph:
    """Growth by preferential attachment: each new node joins m others, chosen in proportion to their degrees.

    Parameters
    ----------
    n : int
        Number of nodes, > m.
    m : int
        Edges of a new node, >= 1.
    seed : int

    Raises
    ------
    ValueError, TypeError
        If a number is out of range.

    Notes
    -----
    A.-L. Barabási and R. Albert, Science 286, 509 (1999); the first nodes are a star of m + 1, as in
    networkx, so that there are m (n − m) edges. The m targets differ: those chosen twice are drawn again.

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.barabasi_albert(1000, 2, seed=1)
    Graph('barabasi_albert', 1000 nodes, 1996 undirected edges)
    """
    n, m, rng = _size(n), integer("m", m, least=1), generator(seed)
    if n <= m:
        raise ValueError(f"n must be larger than m = {m}; got {n}")
    ends = np.empty((n - m, m, 2), dtype=np.int64)  # a node stands here once for each of its edges
    ends[0, :, 0], ends[0, :, 1] = m, np.arange(m)
    flat, uniform = ends.ravel(), _Stream(rng, block=min(2 * n * m, 1 << 16))
    for new in range(1, n - m):
        targets: set[int] = set()
        while len(targets) < m:
            targets.add(int(flat[int(uniform() * 2 * m * new)]))
        ends[new, :, 0], ends[new, :, 1] = new + m, sorted(targets)
    return undirected(n, ends[..., 0].ravel(), ends[..., 1].ravel(), "barabasi_albert")


class _Stream:
    """Uniform numbers one by one, drawn in blocks."""

    def __init__(self, rng: np.random.Generator, block: int) -> None:
        self.rng, self.block = rng, block
        self.left: list[float] = []

    def __call__(self) -> float:
        if not self.left:
            self.left = self.rng.random(self.block).tolist()
        return self.left.pop()


def regular(n: int, degree: int, seed: int = 0) -> Graph:
    """A random graph in which all nodes have the same degree.

    Parameters
    ----------
    n : int
        Number of nodes, >= 1; n · degree must be even.
    degree : int
        From 0 to n − 1.
    seed : int

    Raises
    ------
    ValueError, TypeError
        If a number is out of range, or n · degree is odd.

    Notes
    -----
    Ends of edges are joined at random. If that gives a loop or a second edge, all are joined anew where this
    succeeds soon (n · degree <= 10⁴, degree <= 4), so that all graphs are equally likely; else only the ends
    at fault are, and graphs are only nearly so (a similar procedure, edge by edge, is uniform in the limit of
    many nodes: A. Steger and N. C. Wormald, Comb. Probab. Comput. 8, 377 (1999)). From degree n/2 on, the
    complement is drawn.

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.regular(6, 3, seed=1).degrees
    array([3, 3, 3, 3, 3, 3])
    """
    n, degree, rng = _size(n), integer("degree", degree, least=0), generator(seed)
    if degree >= n or n * degree % 2:
        raise ValueError(f"degree must be below n = {n}, and n * degree even; got {degree}")
    dense = 2 * degree >= n
    keys = None
    while keys is None:
        keys = _pairing(rng, n, n - 1 - degree if dense else degree)
    if dense:
        i, j = np.triu_indices(n, 1)
        keys = np.setdiff1d(_keys(i, j, n), keys)
    return undirected(n, keys // n, keys % n, "regular")


def _pairing(rng: np.random.Generator, n: int, degree: int) -> Numbers | None:
    """Keys of the edges; None for another try."""
    ends, keys, idle = np.repeat(np.arange(n), degree), np.empty(0, dtype=np.int64), 0
    exact = degree <= 4 and len(ends) <= 10_000
    while len(ends):
        i, j = rng.permutation(ends).reshape(2, -1)
        found = _keys(i, j, n)
        free = _free(found, keys) & (i != j)
        if exact and not np.all(free):
            return None
        keys = np.sort(np.concatenate([keys, found[free]]))
        ends = np.concatenate([i[~free], j[~free]])
        idle = 0 if np.any(free) else idle + 1
        if idle == ROUNDS:
            return None
    return keys
