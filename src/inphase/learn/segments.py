"""From phases to segments by k-means on the circle; best Dice; k-means on features as the control."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.cluster.vq import kmeans2

from inphase.checks import finite_array, integer, phase_array

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
GROUPS = 360  # of neighboring phases that the exact search keeps together, where there are more phases
PASSES = 300  # of Lloyd's, at most
STEPS = 10  # of SciPy's between two looks at whether labels still change


def circular_kmeans(phases: ArrayLike, k: int) -> Labels:
    """The k arcs that lie closest around their mean phases: the least Σ_i (1 − cos(θ_i − μ_{l(i)})).

    For up to 360 phases the result is the exact minimum, by dynamic programming over all arcs: an arc of c
    phases costs c − |Σ e^{iθ}|, and every optimal cluster is an arc. More phases are first gathered in
    360 groups of neighbors (1° wide), the minimum is exact among arcs of whole groups, and Lloyd's iteration
    goes on from there on the phases themselves.

    Parameters
    ----------
    phases : array_like, shape (...)
        Radians; an image of phases, say.
    k : int

    Returns
    -------
    ndarray of int, of the shape of `phases`
        0..k−1, in the order of the mean phases from 0 to 2π. Fewer labels where there are fewer different
        phases.

    Raises
    ------
    ValueError, TypeError
        If phases are not finite or none, or k is below 1.

    Examples
    --------
    >>> circular_kmeans([6.2, 0.1, 3.0, 3.2, 0.0], 2)
    array([0, 0, 1, 1, 0])
    """
    theta = phase_array(phases)
    count = integer("k", k, least=1)
    wave = np.exp(1j * theta.ravel())
    group = _groups(np.mod(theta.ravel(), 2 * np.pi))
    labels = _best_arcs(group, wave, count)[group]
    if len(wave) > GROUPS:
        labels = _lloyd(wave, labels)
    means = np.bincount(labels, wave.real) + 1j * np.bincount(labels, wave.imag)
    present = np.unique(labels)
    order = present[np.argsort(np.mod(np.angle(means[present]), 2 * np.pi), kind="stable")]
    number = np.zeros(int(present[-1]) + 1, dtype=np.int64)
    number[order] = np.arange(len(order))
    return number[labels].reshape(theta.shape)


def _groups(theta: Floats) -> Labels:
    """A number for each phase, ascending on the circle, gapless: one per different phase, or 360 bins."""
    if len(theta) > GROUPS:
        theta = np.floor(theta * GROUPS / (2 * np.pi))
    return np.unique(theta, return_inverse=True)[1].astype(np.int64)


def _best_arcs(group: Labels, wave: Any, k: int) -> Labels:
    """The arc of each group, from the start s on, by the least costs D_c[s, l].

    D_c[s, l] = min_i D_{c−1}[s, i] + cost of the arc of groups s+i .. s+l−1.
    """
    size = int(group.max()) + 1
    k = min(k, size)
    weights = np.bincount(group).astype(float)
    sums = np.bincount(group, wave.real) + 1j * np.bincount(group, wave.imag)
    up_to, moment = (np.concatenate([[0], np.cumsum(np.tile(a, 3))]) for a in (weights, sums))
    first, length = np.arange(2 * size)[:, None], np.arange(size + 1)
    # (start, length)
    cost = up_to[first + length] - up_to[first] - np.abs(moment[first + length] - moment[first])
    best, previous = cost[:size].copy(), []
    for _ in range(k - 1):
        found, source = best.copy(), np.tile(length, (size, 1))  # an arc of nothing costs nothing
        for i in range(size):
            tried = best[:, i, None] + cost[i : i + size, : size + 1 - i]
            better = tried < found[:, i:]
            np.copyto(found[:, i:], tried, where=better)
            np.copyto(source[:, i:], i, where=better)
        best = found
        previous.append(source)
    start, end = int(np.argmin(best[:, size])), size
    arcs = np.zeros(size, dtype=np.int64)
    for number, source in enumerate(reversed(previous), 1):
        low = int(source[start, end])
        arcs[np.arange(start + low, start + end) % size] = number
        end = low
    return arcs


def _lloyd(wave: Any, labels: Labels) -> Labels:
    """Each phase to the nearest mean phase, until nothing changes; no step makes the cost larger."""
    for _ in range(PASSES):
        means = np.bincount(labels, wave.real) + 1j * np.bincount(labels, wave.imag)
        directions = means / np.maximum(np.abs(means), np.finfo(float).tiny)
        moved = np.argmax(np.real(wave[:, None] * directions.conj()), axis=1)
        if np.array_equal(moved, labels):
            break
        labels = moved
    return labels


# ------------------------------------------------------------------------------------------------------- Dice


def best_dice(segments: ArrayLike, others: ArrayLike) -> float:
    """The mean over `segments` of the best Dice coefficient 2|A ∩ B|/(|A| + |B|) in `others`.

    It is not symmetric.
    """
    counts = _overlaps(segments, others)
    dice = 2 * counts / (counts.sum(axis=1, keepdims=True) + counts.sum(axis=0))
    return float(np.mean(dice.max(axis=1)))


def symmetric_best_dice(segments: ArrayLike, others: ArrayLike) -> float:
    """The smaller of `best_dice` one way and the other: 1 where both agree up to the segments' names.

    Parameters
    ----------
    segments, others : array_like of int, of one shape
        The segment of each pixel. Pixels where one of them is negative belong to no segment and are left out.

    Returns
    -------
    float
        In (0, 1].

    Raises
    ------
    ValueError, TypeError
        If shapes differ, values are not whole numbers, or no pixel is left.

    References
    ----------
    Scharr et al., *Leaf segmentation in plant phenotyping: a collation study*, Machine Vision and
    Applications 27 (2016).

    Examples
    --------
    >>> symmetric_best_dice([0, 0, 1, 1], [1, 1, 0, 0])
    1.0
    >>> round(symmetric_best_dice([0, 0, 0, 0], [0, 0, 1, 1]), 4)  # min(2/3, (2/3 + 2/3)/2)
    0.6667
    """
    return min(best_dice(segments, others), best_dice(others, segments))


def _overlaps(segments: ArrayLike, others: ArrayLike) -> NDArray[np.float64]:
    """|A ∩ B| of all pairs of segments that there are."""
    one, other = np.asarray(segments), np.asarray(others)
    for name, values in (("segments", one), ("others", other)):
        if values.dtype.kind not in "biu":
            raise TypeError(f"{name} must be whole numbers; got {values.dtype}")
    if one.shape != other.shape:
        raise ValueError(f"segments and others must have the same shape; got {one.shape} and {other.shape}")
    known = (one >= 0) & (other >= 0)
    if not np.any(known):
        raise ValueError("segments and others must have a pixel that is in a segment of both; got none")
    rows, columns = (np.unique(values[known], return_inverse=True)[1] for values in (one, other))
    counts = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(counts, (rows, columns), 1.0)
    return counts


# ---------------------------------------------------------------------------------------------------- control


def kmeans(features: ArrayLike, k: int, *, restarts: int = 10, seed: int = 0) -> Labels:
    """k-means of the features, the control: SciPy's Lloyd iteration, k-means++ starts, the best of several.

    Parameters
    ----------
    features : array_like, shape (n, m)
        Of pixels: colors, or colors and places.
    k : int
    restarts : int
    seed : int

    Returns
    -------
    ndarray of int, shape (n,)
        0..k−1; fewer labels where there are fewer different nodes.

    Raises
    ------
    ValueError, TypeError
        If the features are not finite or not of that shape, or k is not within 1..n.

    References
    ----------
    Arthur, Vassilvitskii, *k-means++: the advantages of careful seeding*, SODA (2007).

    Examples
    --------
    >>> found = kmeans([[0.0], [0.1], [5.0]], 2)
    >>> bool(found[0] == found[1] != found[2])
    True
    """
    x = finite_array("features", features)
    if x.ndim != 2 or not x.size:
        raise ValueError(f"features must have shape (n, m) with n, m >= 1; got shape {x.shape}")
    if integer("k", k, least=1) > len(x):
        raise ValueError(f"k must be <= {len(x)}, the number of nodes; got {k}")
    rng = np.random.default_rng(integer("seed", seed, least=0))
    k = min(k, len(np.unique(x, axis=0)))  # further centers would be no different nodes
    runs = [_one_start(x, k, rng) for _ in range(integer("restarts", restarts, least=1))]
    return min(runs, key=lambda run: run[0])[1]


def _one_start(x: Floats, k: int, rng: np.random.Generator) -> tuple[float, Labels]:
    """(the sum of squares, labels) of one start, gone on with until no label changes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="One of the clusters is empty")  # it stays where it was
        centers, labels = kmeans2(x, k, iter=STEPS, minit="++", seed=rng)
        for _ in range(PASSES // STEPS - 1):
            centers, moved = kmeans2(x, centers, iter=STEPS, minit="matrix")
            if np.array_equal(moved, labels):
                break
            labels = moved
    return float(((x - centers[labels]) ** 2).sum()), labels.astype(np.int64)
