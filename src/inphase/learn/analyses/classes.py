"""K by classes, and the controls that know the classes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from inphase.checks import finite_array, finite_number, phase_array
from inphase.coupling.dense import Dense
from inphase.coupling.learnt.coupling import Learnt
from inphase.coupling.learnt.network import PairNetwork
from inphase.coupling.learnt.normalization import Normalization
from inphase.learn.evaluation import evaluate, nodes_of_graphs, start_phases, task_for, untrained
from inphase.learn.problems import Problem
from inphase.learn.training import Trained
from inphase.model import PhaseModel
from inphase.simulation import simulated
from inphase.status import Status

Floats = NDArray[np.float64]


class SortedCoupling(NamedTuple):
    """K with its nodes sorted by class, and its blocks.

    Attributes
    ----------
    matrix : ndarray, shape (n, n)
    order : ndarray of int, shape (n,)
        The node of each row.
    boundaries : ndarray of int, shape (k + 1,)
        Class c has the rows boundaries[c] .. boundaries[c + 1] − 1.
    means, errors : ndarray, shape (k, k)
        Of the entries of each block without the diagonal of K, with the jackknife's standard errors (which
        leave out a node at a time: entries that share a node depend on each other). NaN where a block is too
        small.
    """

    matrix: Floats
    order: NDArray[np.int64]
    boundaries: NDArray[np.int64]
    means: Floats
    errors: Floats


def sorted_by_class(K: ArrayLike, labels: ArrayLike) -> SortedCoupling:
    """K with each class's nodes side by side, and the means of its blocks; nodes of no class (−1) left out.

    Parameters
    ----------
    K : array_like, shape (n, n)
    labels : array_like of int, shape (n,)
        0..k−1, or −1.

    Examples
    --------
    >>> found = sorted_by_class([[0, -1, 2], [-1, 0, -3], [2, -3, 0]], [0, 1, 0])
    >>> found.order, found.boundaries, found.means
    (array([0, 2, 1]), array([0, 2, 3]), array([[ 2., -2.],
           [-2., nan]]))
    """
    given = _class_labels(labels)
    matrix = finite_array("K", K, (len(given), len(given)))
    order = np.argsort(given, kind="stable")[np.count_nonzero(given < 0) :]
    k = int(given.max()) + 1
    boundaries = np.concatenate([[0], np.cumsum(np.bincount(given[order], minlength=k))])
    found = matrix[np.ix_(order, order)]
    blocks = [[_block(found, boundaries, a, b) for b in range(k)] for a in range(k)]
    means, errors = np.moveaxis(np.array(blocks, dtype=float), -1, 0)
    return SortedCoupling(found, order, boundaries, means, errors)


def _block(matrix: Floats, boundaries: Any, a: int, b: int) -> tuple[float, float]:
    """(mean, standard error) of a block, by the jackknife over the nodes of both sides."""
    part = matrix[boundaries[a] : boundaries[a + 1], boundaries[b] : boundaries[b + 1]].copy()
    p, q = part.shape
    if a == b:
        np.fill_diagonal(part, 0.0)
        pairs_in = p * (p - 1)
        mean = part.sum() / pairs_in if pairs_in else np.nan
        if p < 3:
            return mean, np.nan
        without = (part.sum() - part.sum(axis=0) - part.sum(axis=1)) / ((p - 1) * (p - 2))
        return mean, float(np.sqrt((p - 1) / p * ((without - without.mean()) ** 2).sum()))
    mean = part.mean() if part.size else np.nan
    if p < 2 or q < 2:
        return mean, np.nan
    square = 0.0
    for sums, size, other in ((part.sum(axis=1), p, q), (part.sum(axis=0), q, p)):
        without = (part.sum() - sums) / ((size - 1) * other)
        square += (size - 1) / size * float(((without - without.mean()) ** 2).sum())
    return mean, float(np.sqrt(square))


def block_coupling(labels: ArrayLike, strength: float) -> Dense:
    """The control that knows the classes: K_ij = strength within a class, −strength between classes.

    Nodes of no class (−1) are coupled to nobody.

    Parameters
    ----------
    labels : array_like of int, shape (n,)
    strength : float
        Above 0; the largest |K| of a trained coupling, say.

    Examples
    --------
    >>> block_coupling([0, 0, 1], 0.5).matrix(3)
    array([[ 0.5,  0.5, -0.5],
           [ 0.5,  0.5, -0.5],
           [-0.5, -0.5,  0.5]])
    """
    given, size = _class_labels(labels), finite_number("strength", strength, positive=True)
    known = given >= 0
    signs = np.where(given[:, None] == given, 1.0, -1.0) * (known[:, None] & known)
    return Dense(size * signs, symmetric=True)


def cluster_terms(phases: ArrayLike, labels: ArrayLike) -> tuple[Floats, Floats]:
    """The cluster loss's halves: mean circular variance within classes, and how far from splayed they are.

    Parameters
    ----------
    phases : array_like, shape (..., n)
    labels : array_like of int, shape (n,)

    Returns
    -------
    within : ndarray, shape (...)
        mean_l V_l, in [0, 1]; 0 where each class is in sync.
    splay : ndarray, shape (...)
        S/S_max (see `inphase.learn.cluster_loss`), in [0, 1]: 0 where the classes' mean phases are spread
        evenly, 1 where they agree. The loss is (within + S_max splay)/(1 + S_max),
        S_max = (k/2) Σ_{g ≤ k/2} 1/g².

    Examples
    --------
    >>> within, splay = cluster_terms([0.0, 0.0, np.pi, np.pi], [0, 0, 1, 1])
    >>> round(float(within), 9), round(float(splay), 9)
    (0.0, 0.0)
    """
    theta, given = phase_array(phases), _class_labels(labels)
    if theta.shape[-1] != len(given):
        raise ValueError(
            f"labels must have shape ({theta.shape[-1]},), one for each phase; got {given.shape}"
        )
    present = np.unique(given[given >= 0])
    means = np.stack([np.exp(1j * theta[..., given == c]).mean(axis=-1) for c in present], axis=-1)
    g = np.arange(1, len(present) // 2 + 1)
    moments = np.abs(np.exp(1j * g[:, None] * np.angle(means)[..., None, :]).mean(axis=-1)) ** 2
    return 1 - np.abs(means).mean(axis=-1), (moments / g**2).sum(axis=-1) / max(float((1 / g**2).sum()), 1.0)


def block_control(
    trained: Trained,
    n: int | None = None,
    *,
    problem: Problem | None = None,
    graphs: int | None = None,
    burn_in: int = 1000,
    window: int | None = None,
    seed: int = 0,
    split: str = "test",
) -> xr.Dataset:
    """A trained network beside its controls, block coupling and untrained network, on the same graphs.

    The block coupling has the largest |K| of the trained one, graph by graph, and is integrated with adaptive
    steps to the same time: it is stronger, and steps made for the trained coupling may be too long for it.

    Parameters
    ----------
    trained : Trained
        Of a problem with classes.
    n, problem, graphs, burn_in, window, seed, split
        As in `inphase.learn.evaluate`.

    Returns
    -------
    xarray.Dataset
        `loss`, `within` and `splay` (see `cluster_terms`) of the last phases, by coupling ("trained",
        "block", "untrained") and graph; `strength(graph)`; `final_phase(coupling, graph, oscillator)`;
        `label(graph, oscillator)`.

    Raises
    ------
    ValueError, TypeError
        If there are no classes, or as `evaluate`.

    Examples
    --------
    >>> from inphase.learn import train
    >>> small = {"nodes": 12, "samples": 24, "epochs": 1, "hidden": (4,), "window": 5}
    >>> block_control(train("moons", **small), graphs=1, burn_in=20).splay.sizes["coupling"]
    3
    """
    task = task_for(trained, problem)
    if task.classes < 2:
        raise ValueError(f"problem must have at least 2 classes; {task.name} has {task.classes}")
    settings = trained.settings
    options: dict[str, Any] = {
        "graphs": graphs,
        "burn_in": burn_in,
        "window": window,
        "seed": seed,
        "split": split,
    }
    strength: list[float] = []

    def noted(network: PairNetwork, x: Any, rule: Normalization) -> Learnt:
        coupling = Learnt(network, x, rule)
        strength.append(float(np.abs(coupling.array).max()))
        return coupling

    run = evaluate(trained, n, problem=task, coupling=noted, **options)
    beside = evaluate(untrained(replace(task, settings=settings), seed), n, problem=task, **options)
    count, size = run.final_phase.shape
    nodes = nodes_of_graphs(task, settings, split, count * size, seed)
    labels = nodes.labels.reshape(count, size)
    end = settings.step * (run.attrs["burn_in"] + run.attrs["window"])
    blocks = np.empty((count, size))
    for g in range(count):
        part = nodes.take(slice(g * size, (g + 1) * size))
        model = part.model(block_coupling(labels[g], strength[g]), settings)
        blocks[g] = _phases_at(end, model, start_phases(settings, size, seed, g), g)
    phases = np.stack([run.final_phase.values, blocks, beside.final_phase.values])
    terms = np.array([[cluster_terms(row, labels[g]) for g, row in enumerate(rows)] for rows in phases])
    k = np.array([len(np.unique(row[row >= 0])) for row in labels])
    largest = np.array([c / 2 * sum(1 / g**2 for g in range(1, c // 2 + 1)) for c in k])
    within, splay = np.moveaxis(terms, -1, 0)
    by = ("coupling", "graph")
    data = {
        "loss": (by, (within + largest * splay) / (1 + largest)),
        "within": (by, within),
        "splay": (by, splay),
        "strength": ("graph", strength),
        "final_phase": ((*by, "oscillator"), phases, {"units": "rad"}),
        "label": (("graph", "oscillator"), labels),
    }
    return xr.Dataset(
        data, coords={"coupling": ["trained", "block", "untrained"]}, attrs=run.attrs | {"time": end}
    )


def _phases_at(end: float, model: PhaseModel, start: ArrayLike, graph: int) -> Floats:
    """The phases (n,) to which adaptive steps lead under the block coupling of one graph."""
    run = simulated(model, start, times=[end])
    if run.attrs["status"] != Status.FINISHED:
        raise ValueError(f"the run of the block coupling on graph {graph} ended as {run.attrs['status']!r}")
    return np.asarray(run.phase.values[-1])


def _class_labels(labels: ArrayLike) -> NDArray[np.int64]:
    given = np.asarray(labels)
    if given.dtype.kind not in "iu":
        raise TypeError(f"labels must be whole numbers; got {given.dtype} ({labels!r:.40})")
    if given.ndim != 1 or not given.size or np.max(given) < 0:
        raise ValueError(f"labels must have shape (n,) and name a class; got {labels!r:.40}")
    return given.astype(np.int64)
