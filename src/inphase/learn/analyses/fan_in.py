"""The mean fan-in of a node as a function of its features."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from inphase.checks import check_name, integer
from inphase.coupling.learnt.coupling import Learnt
from inphase.learn.analyses.autocorrelation import RESAMPLES
from inphase.learn.analyses.course import each_start
from inphase.learn.evaluation import nodes_of_graphs, task_for
from inphase.learn.problems import Problem
from inphase.learn.training import Trained
from inphase.version import version

Floats = NDArray[np.float64]
MOST_WHOLE = 100  # different whole numbers of a column that get a cell each
FEWEST = 30  # nodes of a cell that may be the peak


def fan_in_map(
    trained: Trained,
    columns: str | Sequence[str] | None = None,
    *,
    problem: Problem | None = None,
    graphs: int = 100,
    n: int | None = None,
    bins: int = 20,
    fewest: int = FEWEST,
    seed: int = 0,
    split: str = "test",
) -> xr.Dataset:
    """The mean fan-in Σ_j K_ij and fan-out Σ_j K_ji of a node as a function of one or two of its features.

    Parameters
    ----------
    trained : Trained
    columns : str or sequence of str, optional
        One or two of the problem's columns; if not given, the first two, or the only one.
    problem : Problem, optional
        Where the nodes come from; that of the training if not given.
    graphs, n : int
        Graphs of fresh nodes, at least 2, and the nodes of each (as in training if not given).
    bins : int
        Cells along a feature, between the least and the largest value; a feature of whole numbers has a cell
        for each.
    fewest : int
        Cells with fewer nodes are not candidates for the peak.
    seed : int
        Of the nodes, and of the bootstrap.
    split : "train", "validation" or "test"

    Returns
    -------
    xarray.Dataset
        By the cells' centers along each column: `fan_in`, `fan_out`, their standard errors `fan_in_error`,
        `fan_out_error`, and `count`; NaN in empty cells. Errors are from a bootstrap over graphs
        (2000 resamples): nodes of a graph share one normalization and depend on each other. `attrs` has the
        cell of the largest fan-in: `peak` (one number per column), `peak_error` (its standard deviation over
        resamples and width/sqrt(12) of a cell that is not one number, added in quadrature), `peak_fan_in`,
        `peak_fan_in_error`, and `peak_share`, the share of resamples with the peak in the same cell.

    Raises
    ------
    ValueError, TypeError
        If a column is unknown, or no cell has as many nodes as `fewest`.

    Examples
    --------
    >>> from inphase.learn import problem, untrained
    >>> found = fan_in_map(untrained(problem("case-1", hidden=(4,), nodes=20)), graphs=10, bins=5)
    >>> found.fan_in.dims, int(found["count"].sum()), round(float((found.fan_in * found["count"]).sum() / 200), 6)
    (('frequency',), 200, 1.0)
    """
    task, size = task_for(trained, problem), trained.settings.nodes if n is None else integer("n", n, least=1)
    names = _mapped(task, columns)
    count, least = integer("graphs", graphs, least=2), integer("fewest", fewest, least=1)
    x = nodes_of_graphs(task, trained.settings, split, count * size, seed).features
    values = [x[:, task.columns.index(name)] for name in names]
    centers, edges = zip(*(_cells(column, integer("bins", bins, least=1)) for column in values))
    shape = tuple(len(c) for c in centers)
    places = [_places(column, e) for column, e in zip(values, edges)]
    cell = np.ravel_multi_index(places, shape).reshape(count, size)
    sums = _sums(trained, x.reshape(count, size, -1), cell, int(np.prod(shape)))
    weights = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    mean, again = _ratios(sums.sum(axis=1)), _ratios(np.einsum("bg,kgc->kbc", weights, sums))
    error = _deviation(again)
    known = sums[0].sum(axis=0)
    eligible = known >= least
    if not np.any(eligible):
        raise ValueError(f"no cell has {least} nodes: take more graphs, fewer bins, or a smaller fewest")
    top, tops = (_peak(np.where(eligible, means, -np.inf)) for means in (mean[0], again[0]))
    spacings = [_spacing(c, column) for c, column in zip(centers, values)]
    attrs = _peak_attributes(top, tops, centers, spacings) | {
        "peak_fan_in": float(mean[0, top]),
        "peak_fan_in_error": float(error[0, top]),
    }
    attrs |= {"fewest": least, "problem": task.name, "graphs": count, "n": size, "seed": seed, "split": split}
    of_cells = dict(zip(("fan_in", "fan_out", "fan_in_error", "fan_out_error"), (*mean, *error)))
    of_cells["count"] = known.astype(int)
    data = {name: (names, of_cell.reshape(shape)) for name, of_cell in of_cells.items()}
    coords = dict(zip(names, centers))
    return xr.Dataset(data, coords=coords, attrs=attrs | {"inphase_version": version()})


def fan_in_peaks(trained: Trained | Iterable[Trained], **options: Any) -> xr.Dataset:
    """Where the mean fan-in is largest, network by network.

    Parameters
    ----------
    trained : Trained or several
        Of one `Trained`, all starts.
    **options
        Of `fan_in_map`.

    Returns
    -------
    xarray.Dataset
        `peak(network, column)` with `peak_error`, `fan_in(network)` at the peak with `fan_in_error`, and
        `share(network)`, the share of resamples that have the peak in the same cell.

    Examples
    --------
    >>> from inphase.learn import problem, untrained
    >>> controls = [untrained(problem("case-3", hidden=(4,), nodes=50), seed) for seed in (0, 1)]
    >>> fan_in_peaks(controls, graphs=20, bins=4, fewest=10).peak.shape
    (2, 2)
    """
    maps = [
        fan_in_map(one, **options)
        for one in (each_start(trained) if isinstance(trained, Trained) else trained)
    ]
    if not maps:
        raise ValueError("trained must have at least one network; got none")
    by = {"peak": "peak", "peak_error": "peak_error"}
    alone = {"fan_in": "peak_fan_in", "fan_in_error": "peak_fan_in_error", "share": "peak_share"}
    rows = {name: (("network", "column"), [m.attrs[key] for m in maps]) for name, key in by.items()}
    numbers = {name: ("network", [m.attrs[key] for m in maps]) for name, key in alone.items()}
    kept = {key: value for key, value in maps[0].attrs.items() if not key.startswith("peak")}
    return xr.Dataset(rows | numbers, coords={"column": list(map(str, maps[0].fan_in.dims))}, attrs=kept)


def _mapped(task: Problem, columns: str | Sequence[str] | None) -> tuple[str, ...]:
    """The names of the one or two columns of a map."""
    if columns is None:
        return tuple(task.columns[:2])
    names = (columns,) if isinstance(columns, str) else tuple(columns)
    if not 1 <= len(names) <= 2:
        raise ValueError(f"columns must be one or two of {', '.join(task.columns)}; got {names!r}")
    return tuple(check_name("columns", name, task.columns) for name in names)


def _sums(trained: Trained, features: Floats, cell: Any, cells: int) -> Floats:
    """Nodes, fan-in and fan-out, (3, graphs, cells), summed over each cell of each graph."""
    sums = np.zeros((3, len(features), cells))
    for g, x in enumerate(features):
        K = Learnt(trained.network, x, trained.settings.rule).array
        for total, values in zip(sums[:, g], (np.ones(len(x)), K.sum(axis=1), K.sum(axis=0))):
            np.add.at(total, cell[g], values)
    return sums


def _cells(values: Floats, bins: int) -> tuple[Floats, Floats]:
    """(centers, edges) between the least and the largest value, or one cell for each whole number."""
    low, high = float(values.min()), float(values.max())
    if np.array_equal(values, np.rint(values)) and high - low < MOST_WHOLE:
        centers = np.arange(low, high + 1)
        return centers, np.append(centers - 0.5, high + 0.5)
    edges = np.linspace(low, high, bins + 1)
    return (edges[1:] + edges[:-1]) / 2, edges


def _places(values: Floats, edges: Floats) -> Any:
    """The cell of each value."""
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)


def _spacing(centers: Floats, values: Floats) -> float:
    """The standard deviation of a value that may lie anywhere in a cell; 0 where a cell is one number."""
    low, high = float(values.min()), float(values.max())
    return (
        0.0
        if np.array_equal(centers, np.arange(low, high + 1))
        else (high - low) / len(centers) / float(np.sqrt(12))
    )


def _ratios(sums: Floats) -> Floats:
    """Means of fan-in and fan-out, NaN where there is no node."""
    return np.asarray(np.where(sums[0] > 0, sums[1:] / np.maximum(sums[0], 1), np.nan))


def _deviation(values: Floats) -> Floats:
    """The standard deviation over resamples (the last axis but one), without NaN; NaN where all are."""
    known = np.isfinite(values)
    counts = np.maximum(known.sum(axis=-2), 1)
    mean = np.where(known, values, 0).sum(axis=-2) / counts
    square = np.where(known, (values - mean[..., None, :]) ** 2, 0).sum(axis=-2) / counts
    return np.asarray(np.where(known.any(axis=-2), np.sqrt(square), np.nan))


def _peak(values: Floats) -> Any:
    """The places of the largest values along the last axis, NaN left out."""
    return np.argmax(np.where(np.isnan(values), -np.inf, values), axis=-1)


def _peak_attributes(
    top: Any, tops: Any, centers: Sequence[Floats], spacings: Sequence[float]
) -> dict[str, Any]:
    """Where the peak is, with its error, and how many resamples have it in the same cell."""
    shape = tuple(len(c) for c in centers)
    at = [float(c[index]) for c, index in zip(centers, np.unravel_index(top, shape))]
    resampled = [c[index] for c, index in zip(centers, np.unravel_index(tops, shape))]
    return {
        "peak": at,
        "peak_error": [float(np.hypot(np.std(v), width)) for v, width in zip(resampled, spacings)],
        "peak_share": float(np.mean(tops == top)),
    }
