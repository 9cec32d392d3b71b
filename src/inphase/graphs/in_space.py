"""Random graphs in space: nodes uniform in the unit cube, joined by their distance. All weights are 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.spatial import cKDTree

from inphase.checks import finite_array, finite_number, integer
from inphase.graphs.deterministic import undirected
from inphase.graphs.graph import Column, Graph
from inphase.graphs.random_graphs import generator

Kernel = Callable[[Column], ArrayLike]
PAIRS = 20_000_000  # that `spatial` weighs at most: half a gigabyte

KERNELS: dict[str, Kernel] = {  # of distance / scale
    "exponential": lambda d: np.exp(-d),
    "gaussian": lambda d: np.exp(-0.5 * d**2),
}


def random_geometric(
    n: int, radius: float, dimension: int = 2, periodic: bool = False, seed: int = 0
) -> Graph:
    """Nodes uniform in the unit cube, joined where they are at most a radius apart.

    Parameters
    ----------
    n : int
        Number of nodes, >= 1.
    radius : float
        Positive; below 1/2 if periodic.
    dimension : int
        1, 2 or 3.
    periodic : bool
        Whether opposite sides of the cube are joined.
    seed : int

    Returns
    -------
    Graph
        With the columns ``x``, ``y``, ``z`` (up to the dimension).

    Raises
    ------
    ValueError, TypeError
        If a number is out of range.

    Notes
    -----
    M. Penrose, Random Geometric Graphs (Oxford, 2003). Away from the sides, the mean degree is (n − 1) times
    the volume of the ball.

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.random_geometric(200, 0.1, seed=1)
    Graph('random_geometric', 200 nodes, 544 undirected edges, columns x, y)
    """
    points = generator(seed).random((integer("n", n, least=1), _dimension(dimension)))
    i, j = _pairs(points, _radius("radius", radius, periodic), periodic)
    return undirected(len(points), i, j, "random_geometric", dict(zip("xyz", points.T)))


def spatial(
    n: int,
    kernel: str | Kernel = "exponential",
    degrees: ArrayLike = 6.0,
    scale: float = 0.1,
    reach: float | None = None,
    dimension: int = 2,
    periodic: bool = True,
    seed: int = 0,
) -> Graph:
    """Nodes uniform in the unit cube, joined with a probability that falls with their distance.

    The nodes i and j are joined with the probability p_ij = min(1, c κ_i κ_j k(|x_i − x_j| / scale)),
    independently.

    Parameters
    ----------
    n : int
        Number of nodes, >= 2.
    kernel : {"exponential", "gaussian"} or callable
        k: exp(−r), exp(−r²/2), or a function of arrays of r with finite values >= 0.
    degrees : float or array_like, shape (n,)
        κ, expected degrees, >= 0. c is chosen such that, at the positions drawn, their mean is met exactly;
        single ones are met up to the density around a node, and as long as its p_ij stay below 1.
    scale : float
        Positive length.
    reach : float, optional
        Distance from which on k counts as 0. With it the work is O(pairs within reach), without it O(n²).
    dimension : int
        1, 2 or 3.
    periodic : bool
        Whether opposite sides of the cube are joined; `reach` must then be below 1/2.
    seed : int

    Returns
    -------
    Graph
        With the columns ``x``, ``y``, ``z`` (up to the dimension).

    Raises
    ------
    ValueError, TypeError
        If a number is out of range, the degrees cannot be met, or there are too many pairs
        (then give `reach`).

    Notes
    -----
    With the exponential kernel and one degree for all: B. M. Waxman, IEEE J. Sel. Areas Commun. 6, 1617
    (1988). With degrees and without space: F. Chung and L. Lu, Ann. Comb. 6, 125 (2002).

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.spatial(1000, "gaussian", degrees=8, scale=0.05, reach=0.3, seed=1).degrees.mean().round(1)
    np.float64(8.0)
    """
    n, rng = integer("n", n, least=2), generator(seed)
    k, scale = _kernel(kernel), finite_number("scale", scale, positive=True)
    wanted = finite_array("degrees", degrees)
    if wanted.shape not in ((), (n,)) or np.any(wanted < 0):
        raise ValueError(f"degrees must be >= 0, a number or of shape ({n},); got {degrees!r:.60}")
    wanted = np.broadcast_to(wanted, n)
    points = rng.random((n, _dimension(dimension)))
    i, j = _all_pairs(n) if reach is None else _pairs(points, _radius("reach", reach, periodic), periodic, n)
    values = np.asarray(k(_distances(points, i, j, periodic) / scale), dtype=float)
    if values.shape != i.shape or not np.all(np.isfinite(values)) or np.any(values < 0):
        raise ValueError(
            f"kernel must map distances of shape (m,) to finite values >= 0 of that shape; got {values!r:.80}"
        )
    probabilities = _scaled(wanted[i] * wanted[j] * values, float(np.sum(wanted)) / 2)
    joined = rng.random(len(i)) < probabilities
    return undirected(n, i[joined], j[joined], "spatial", dict(zip("xyz", points.T)))


def _dimension(dimension: int) -> int:
    if integer("dimension", dimension, least=1) > 3:
        raise ValueError(f"dimension must be 1, 2 or 3; got {dimension}")
    return dimension


def _radius(name: str, value: float, periodic: bool) -> float:
    radius = finite_number(name, value, positive=True)
    if periodic and radius >= 0.5:
        raise ValueError(f"{name} must be below 1/2 in a periodic cube; got {value!r}")
    return radius


def _kernel(kernel: str | Kernel) -> Kernel:
    if callable(kernel):
        return kernel
    if kernel not in KERNELS:
        raise ValueError(f"kernel must be one of {', '.join(KERNELS)} or a function of r; got {kernel!r}")
    return KERNELS[kernel]


def _pairs(
    points: Column, radius: float, periodic: bool, limit: int | None = None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Pairs of points at most `radius` apart, in a fixed order."""
    tree = cKDTree(points, boxsize=1.0 if periodic else None)
    if limit is not None:
        _check_pairs(int(tree.count_neighbors(tree, radius) - len(points)) // 2, "a smaller reach")
    found = tree.query_pairs(radius, output_type="ndarray")
    i, j = found[np.lexsort((found[:, 1], found[:, 0]))].T
    return i, j


def _all_pairs(n: int) -> tuple[NDArray[Any], NDArray[Any]]:
    _check_pairs(n * (n - 1) // 2, "reach, a distance from which on the kernel counts as 0")
    return np.triu_indices(n, 1)


def _check_pairs(count: int, remedy: str) -> None:
    if count > PAIRS:
        raise ValueError(f"spatial weighs at most {PAIRS} pairs of nodes; got {count}: give {remedy}")


def _distances(points: Column, i: NDArray[Any], j: NDArray[Any], periodic: bool) -> Column:
    gaps = np.abs(points[i] - points[j])
    if periodic:
        gaps = np.minimum(gaps, 1 - gaps)
    squares: Column = np.sum(gaps**2, axis=1)
    return np.sqrt(squares)


def _scaled(weights: Column, total: float) -> Column:
    """min(1, c weights) with the c for which they sum to `total`."""
    positive = weights[weights > 0]
    if total > len(positive):
        raise ValueError(
            f"degrees must need no more edges than the kernel allows, {len(positive)}; got {total:g}"
        )
    if not total:
        return np.zeros_like(weights)
    low = total / float(np.sum(positive))  # exact where no probability is cut at 1
    if low * np.max(positive) > 1:
        high = 1 / float(np.min(positive))  # all pairs
        excess = lambda log_c: float(np.sum(np.minimum(1.0, np.exp(log_c) * positive))) - total  # noqa: E731
        low = float(np.exp(brentq(excess, np.log(low) - 1e-9, np.log(high) + 1e-9, xtol=1e-13)))
    return np.minimum(1.0, low * weights)
