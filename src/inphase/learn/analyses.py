"""What a trained network has learnt: who is coupled to whom, who is listened to, and where a node of given features ends.

- `graph_autocorrelation`, `variance_against_autocorrelation`, `autocorrelation_in_training`: C_x, and how V follows it;
- `fan_in_map`, `fan_in_peaks`: Σ_j K_ij as a function of the features of i;
- `phase_landscape`: the phase of a probe that listens to a settled network, as a function of its features;
- `sorted_by_class`, `block_coupling`, `block_control`: K by classes, and the control that knows the classes.

Source of the questions: Ricci et al., *KuraNet* (arXiv 2105.02838, 2021).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from inphase.coupling.graph import Dense, Matrix
from inphase.coupling.learnt import Learnt
from inphase.coupling.normalization import SMALLEST, Normalization
from inphase.coupling.pair_network import PairNetwork, feature_array
from inphase.errors import check_name, finite_array, finite_number, integer, phase_array
from inphase.learn import network as pairs
from inphase.learn import problems as tasks
from inphase.learn.evaluation import evaluate, nodes_of_graphs, start_phases, task_for, untrained, window_phases
from inphase.learn.problems import Nodes, Problem
from inphase.learn.training import Run, Start, Trained, precision
from inphase.provenance import version
from inphase.simulation import simulate

Floats = NDArray[np.float64]

RESAMPLES = 2000  # of a bootstrap
MOST_WHOLE = 100  # different whole numbers of a column that get a cell each
FEWEST = 30  # nodes of a cell that may be the peak
GRID = {1: 61, 2: 41}  # points along an axis of a landscape


# ------------------------------------------------------------------------------------------------------ C_x, and V against it


def graph_autocorrelation(K: ArrayLike, features: ArrayLike) -> float:
    """C_x = Σ_ij K_ij ⟨x_i − x̄, x_j − x̄⟩ / Σ_ij K_ij |x_i − x̄|²: how alike the features of coupled nodes are.

    For a symmetric K without negative entries it lies in [−1, 1]: 1 where only nodes with the same features are coupled, −1
    where x̄ lies midway between any two that are coupled. For a K with both signs it is the same quotient but no correlation:
    the divisor weighs nodes by Σ_j K_ij, which may be negative or nearly vanish, and C_x may be any number. Features of
    different units count by their variances.

    Parameters
    ----------
    K : array_like, shape (n, n)
    features : array_like, shape (n, m)
        x; x̄ is its mean over nodes.

    Raises
    ------
    ValueError, TypeError
        If shapes do not fit, a number is not finite, or the divisor is 0: all features the same, or the signs of K cancel.

    References
    ----------
    Brede, *Synchrony-optimized networks of non-identical Kuramoto oscillators*, Phys. Lett. A 372 (2008), for one feature.

    Examples
    --------
    >>> graph_autocorrelation([[0, 1, 0], [1, 0, 0], [0, 0, 1]], [[1.0], [1.0], [-2.0]])
    1.0
    """
    x = feature_array(features)
    matrix = finite_array("K", K, (len(x), len(x)))
    y = x - x.mean(axis=0)
    squares = (y**2).sum(axis=1)
    divisor, size = float(matrix.sum(axis=1) @ squares), float(np.abs(matrix).sum(axis=1) @ squares)
    if abs(divisor) <= 1e-12 * size:
        why = "the features must not all be the same" if size == 0 else "the signs of K must not cancel"
        raise ValueError(f"C_x is not defined: Σ K_ij |x_i − x̄|² is {divisor:.3g}; {why}")
    return float(((matrix @ y) * y).sum() / divisor)


def variance_against_autocorrelation(
    trained: Trained | Sequence[Trained | PairNetwork],
    *,
    problem: Problem | None = None,
    graphs: int | None = None,
    n: int | None = None,
    burn_in: int = 1000,
    window: int | None = None,
    seed: int = 0,
    split: str = "test",
    confidence: float = 0.95,
) -> xr.Dataset:
    """The circular variance V against C_x, with the straight line through it and its r².

    The points are graphs of fresh nodes for one network. For several networks (other starts, seeds or stages of a training; see
    `stages`), each is one point: its means over the same graphs.

    Parameters
    ----------
    trained : Trained, or a sequence of Trained or PairNetwork
    problem : Problem, optional
        Where the nodes come from; that of the training if not given. `PairNetwork`s need it, for its settings too.
    graphs : int, optional
        If not given, 50 for one network and 5 for each of several.
    n, burn_in, window, seed, split
        As in `inphase.learn.evaluate`.
    confidence : float
        Of the intervals, from a bootstrap over points (2000 resamples, percentiles). Stages of one training depend on each
        other, which it does not know.

    Returns
    -------
    xarray.Dataset
        `autocorrelation(network, graph)`, `variance(network, graph)`, and `slope`, `intercept`, `r_squared`, each with `_low`
        and `_high`. `attrs["over"]` names the points of the line: "graphs" or "networks".

    Raises
    ------
    ValueError, TypeError
        As `evaluate` and `graph_autocorrelation`; with fewer than 3 points, or all with the same C_x.

    Examples
    --------
    >>> from inphase.learn import train
    >>> found = train("case-1", nodes=10, samples=20, epochs=1, hidden=(4,), burn_in=5, window=5)
    >>> line = variance_against_autocorrelation(found, graphs=4, burn_in=20)
    >>> line.variance.shape, bool(line.r_squared_low <= line.r_squared <= line.r_squared_high)
    ((1, 4), True)
    """
    networks = [_as_trained(one, problem) for one in ([trained] if isinstance(trained, Trained) else trained)]
    over = "graphs" if len(networks) == 1 else "networks"
    count = (50 if over == "graphs" else 5) if graphs is None else integer("graphs", graphs, least=1)
    correlation, variance = [], []
    for one in networks:
        found: list[float] = []

        def all_pairs(network: PairNetwork, x: Any, rule: Normalization, found: list[float] = found) -> Learnt:
            coupling = Learnt(network, x, rule)
            found.append(graph_autocorrelation(coupling.array, x))
            return coupling

        options: dict[str, Any] = {"problem": problem, "burn_in": burn_in, "window": window, "seed": seed, "split": split}
        run = evaluate(one, n, graphs=count, coupling=all_pairs, **options)
        correlation.append(found)
        variance.append(run.variance.values)
    C, V = np.array(correlation), np.array(variance)
    line = _line(*((C[0], V[0]) if over == "graphs" else (C.mean(axis=1), V.mean(axis=1))), confidence)
    parts = {"autocorrelation": (("network", "graph"), C), "variance": (("network", "graph"), V)}
    about = {name: run.attrs[name] for name in ("problem", "n", "burn_in", "window", "seed", "split", "inphase_version")}
    return xr.Dataset(parts | line, attrs=about | {"over": over, "confidence": confidence})


def autocorrelation_in_training(
    problem: Problem | str, *, start: int = 0, seed: int = 0, confidence: float = 0.95, **changes: Any
) -> xr.Dataset:
    """C_x and V of every update of a training, of the update's own graph and coupling, with the line through them.

    These are the pairs of numbers that KuraNet's public code keeps while it trains (its figure in the paper has one point per
    record of that kind, as far as can be told). The training is that of `train` with the same seed, start by start.

    Parameters
    ----------
    problem : Problem or str
    start, seed : int
    confidence : float
        Of the intervals, from a bootstrap over blocks of about sqrt(updates) successive updates, which depend on each other.
    **changes
        Settings with other values.

    Returns
    -------
    xarray.Dataset
        `autocorrelation(update)`, `variance(update)`, and the line as in `variance_against_autocorrelation`.

    Examples
    --------
    >>> found = autocorrelation_in_training("case-1", nodes=10, samples=60, epochs=1, hidden=(4,), burn_in=5, window=5)
    >>> found.sizes["update"], found.attrs["over"]
    (6, 'updates')
    """
    task = (tasks.problem(problem) if isinstance(problem, str) else problem).replace(**changes)
    with precision(task.settings.dtype):
        run = _Followed(task, integer("seed", seed, least=0), integer("start", start, least=0), None)
        record = run.go(lambda report: None)
    if record.status == "interrupted":
        raise KeyboardInterrupt
    C, V = np.array(run.autocorrelations), np.array(record.variance)
    block = max(1, round(np.sqrt(len(C))))
    parts = {"autocorrelation": ("update", C), "variance": ("update", V)}
    about = {"problem": task.name, "n": task.settings.nodes, "seed": seed, "start": start, "status": record.status}
    about |= {"over": "updates", "confidence": confidence, "block": block, "inphase_version": version()}
    return xr.Dataset(parts | _line(C, V, confidence, block), attrs=about)


class _Followed(Run):
    """A start that notes C_x of each update, of the coupling that its loss was of."""

    def __init__(self, *args: Any) -> None:
        self.autocorrelations: list[float] = []
        super().__init__(*args)

    def one_update(self) -> tuple[Any, Any]:
        before = jax.tree.map(jnp.copy, self.state.parameters)  # an update takes the memory of what it changes
        found = super().one_update()
        n, batch = self.settings.nodes, (self.done - 1) % self.per_epoch
        x = self.nodes.features[self.order[batch * n : (batch + 1) * n]]
        K = _training_coupling(before, jnp.asarray(x, self.dtype), self.settings.activation, self.settings.rule)
        if np.isfinite(found[0]):  # others are left out of the training, and of its V
            self.autocorrelations.append(graph_autocorrelation(np.asarray(K, dtype=float), x))
        return found


@partial(jax.jit, static_argnums=(2, 3))
def _training_coupling(parameters: Any, x: Any, activation: str, rule: Normalization) -> Any:
    return pairs.strengths_and_lags(pairs.training_scores(parameters, x, activation)[0], rule)[0]


def stages(problem: Problem | str, every: int = 10, *, start: int = 0, seed: int = 0, **changes: Any) -> list[Trained]:
    """The networks of one training, from the first, untrained, on: one after each `every` updates, and the last.

    Parameters
    ----------
    problem : Problem or str
    every : int
        Updates.
    start, seed : int
        As in `train`, which goes through the same networks.
    **changes
        Settings with other values.

    Examples
    --------
    >>> small = {"nodes": 10, "samples": 60, "epochs": 1, "hidden": (4,), "burn_in": 5, "window": 5}
    >>> len(stages("case-1", 2, **small))
    4
    """
    task = (tasks.problem(problem) if isinstance(problem, str) else problem).replace(**changes)
    with precision(task.settings.dtype):
        watched = task.replace(validate_every=integer("every", every, least=1))
        run = Run(watched, integer("seed", seed, least=0), integer("start", start, least=0), None)
        found = [run.network()]
        if run.go(lambda report: found.append(run.network())).status == "interrupted":
            raise KeyboardInterrupt
    return [Trained(task, task.settings, [Start(number, network)], seed) for number, network in enumerate(found)]


def each_start(trained: Trained) -> list[Trained]:
    """The networks of a training's starts, each by itself, in order; after `Trained.load`, only the chosen one is known.

    Examples
    --------
    >>> from inphase.learn import train
    >>> len(each_start(train("case-1", starts=2, nodes=10, samples=20, epochs=1, hidden=(4,), burn_in=5, window=5)))
    2
    """
    own = {id(start.network): start for start in [*reversed(trained.starts), trained.chosen]}.values()
    return [replace(trained, starts=[start]) for start in sorted(own, key=lambda start: start.number)]


def _as_trained(given: Any, problem: Problem | None) -> Trained:
    if isinstance(given, Trained):
        return given
    if not isinstance(given, PairNetwork):
        raise TypeError(f"trained must be a Trained, or a sequence of Trained or PairNetwork; got {given!r:.60}")
    if problem is None:
        raise ValueError("problem must be given with a PairNetwork: it has the normalization and the steps")
    return Trained(problem, problem.settings, [Start(0, given, status="given")], 0)


def _line(x: Floats, y: Floats, confidence: float, block: int = 1) -> dict[str, float]:
    """Least squares y = slope x + intercept with r², and bootstrap percentiles (over blocks of successive points)."""
    if not 0 < finite_number("confidence", confidence) < 1:
        raise ValueError(f"confidence must be within (0, 1); got {confidence!r}")
    if len(x) < 3:
        raise ValueError(f"a line with its errors needs 3 points, graphs or networks; got {len(x)}")
    if np.ptp(x) <= 1e-12 * np.max(np.abs(x)):
        raise ValueError(f"C_x must differ from point to point; it is {x[0]:.6g} for all {len(x)}")
    rng = np.random.default_rng(0)
    starts = rng.integers(0, len(x) - block + 1, (RESAMPLES, -(-len(x) // block)))
    rows = (starts[:, :, None] + np.arange(block)).reshape(RESAMPLES, -1)[:, : len(x)]
    low, high = np.nanquantile(_least_squares(x[rows], y[rows]), [(1 - confidence) / 2, (1 + confidence) / 2], axis=1)
    found: dict[str, float] = {}
    for k, (name, value) in enumerate(zip(("slope", "intercept", "r_squared"), _least_squares(x, y))):
        found |= {name: float(value), f"{name}_low": float(low[k]), f"{name}_high": float(high[k])}
    return found


def _least_squares(x: Floats, y: Floats) -> Floats:
    """(slope, intercept, r²) along the last axis; NaN where all x are the same, r² = NaN where all y are."""
    dx, dy = x - x.mean(axis=-1, keepdims=True), y - y.mean(axis=-1, keepdims=True)
    xx, yy, xy = (dx**2).sum(axis=-1), (dy**2).sum(axis=-1), (dx * dy).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.where(xx > 0, xy / xx, np.nan)
        square = np.where((xx > 0) & (yy > 0), xy**2 / (xx * yy), np.nan)
    return np.array([slope, y.mean(axis=-1) - slope * x.mean(axis=-1), square])


# -------------------------------------------------------------------------------------------------------------------- fan-in


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
        Cells along a feature, between the least and the largest value; a feature of whole numbers has a cell for each.
    fewest : int
        Cells with fewer nodes are not candidates for the peak.
    seed : int
        Of the nodes, and of the bootstrap.
    split : "train", "validation" or "test"

    Returns
    -------
    xarray.Dataset
        By the cells' centers along each column: `fan_in`, `fan_out`, their standard errors `fan_in_error`, `fan_out_error`,
        and `count`; NaN in empty cells. Errors are from a bootstrap over graphs (2000 resamples): nodes of a graph share one
        normalization and depend on each other. `attrs` has the cell of the largest fan-in: `peak` (one number per column),
        `peak_error` (its standard deviation over resamples and width/sqrt(12) of a cell that is not one number, added in
        quadrature), `peak_fan_in`, `peak_fan_in_error`, and `peak_share`, the share
        of resamples with the peak in the same cell.

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
    names = task.columns[:2] if columns is None else ((columns,) if isinstance(columns, str) else tuple(columns))
    if not 1 <= len(names) <= 2:
        raise ValueError(f"columns must be one or two of {', '.join(task.columns)}; got {names!r}")
    which = [task.columns.index(check_name("columns", name, task.columns)) for name in names]
    count, least = integer("graphs", graphs, least=2), integer("fewest", fewest, least=1)
    x = nodes_of_graphs(task, trained.settings, split, count * size, seed).features
    centers, edges = zip(*(_cells(x[:, k], integer("bins", bins, least=1)) for k in which))
    shape = tuple(len(c) for c in centers)
    cells = [np.clip(np.searchsorted(e, x[:, k], side="right") - 1, 0, len(c) - 1) for k, c, e in zip(which, centers, edges)]
    cell = np.ravel_multi_index(cells, shape).reshape(count, size)
    sums = np.zeros((3, count, int(np.prod(shape))))  # of ones, fan-in and fan-out
    for g in range(count):
        K = Learnt(trained.network, x[g * size : (g + 1) * size], trained.settings.rule).array
        for total, values in zip(sums[:, g], (np.ones(size), K.sum(axis=1), K.sum(axis=0))):
            np.add.at(total, cell[g], values)
    weights = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    mean, again = _ratios(sums.sum(axis=1)), _ratios(np.einsum("bg,kgc->kbc", weights, sums))
    error = _deviation(again)
    known = sums[0].sum(axis=0)
    top, places = _peak(np.where(known >= least, mean[0], -np.inf), np.where(known >= least, again[0], -np.inf))
    if top is None:
        raise ValueError(f"no cell has {least} nodes: take more graphs, fewer bins, or a smaller fewest")
    at = [np.asarray(c)[index] for c, index in zip(centers, np.unravel_index(top, shape))]
    resampled = [np.asarray(c)[index] for c, index in zip(centers, np.unravel_index(places, shape))]
    named = {"fan_in": mean[0], "fan_out": mean[1], "fan_in_error": error[0], "fan_out_error": error[1], "count": known}
    attrs: dict[str, Any] = {
        "peak": [float(v) for v in at],
        "peak_error": [float(np.hypot(np.std(v), _spacing(c, x[:, k]))) for v, c, k in zip(resampled, centers, which)],
        "peak_fan_in": float(mean[0, top]),
        "peak_fan_in_error": float(error[0, top]),
        "peak_share": float(np.mean(places == top)),
        "fewest": least,
    }
    about = {"problem": task.name, "graphs": count, "n": size, "seed": seed, "split": split, "inphase_version": version()}
    data = {name: (names, values.reshape(shape)) for name, values in named.items()}
    found = xr.Dataset(data, coords=dict(zip(names, centers)), attrs=attrs | about)
    return found.assign(count=found["count"].astype(int))


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
        `peak(network, column)` with `peak_error`, `fan_in(network)` at the peak with `fan_in_error`, and `share(network)`, the
        share of resamples that have the peak in the same cell.

    Examples
    --------
    >>> from inphase.learn import problem, untrained
    >>> controls = [untrained(problem("case-3", hidden=(4,), nodes=50), seed) for seed in (0, 1)]
    >>> fan_in_peaks(controls, graphs=20, bins=4, fewest=10).peak.shape
    (2, 2)
    """
    maps = [fan_in_map(one, **options) for one in (each_start(trained) if isinstance(trained, Trained) else trained)]
    if not maps:
        raise ValueError("trained must have at least one network; got none")
    by = {"peak": "peak", "peak_error": "peak_error"}
    alone = {"fan_in": "peak_fan_in", "fan_in_error": "peak_fan_in_error", "share": "peak_share"}
    rows = {name: (("network", "column"), [m.attrs[key] for m in maps]) for name, key in by.items()}
    numbers = {name: ("network", [m.attrs[key] for m in maps]) for name, key in alone.items()}
    kept = {key: value for key, value in maps[0].attrs.items() if not key.startswith("peak")}
    return xr.Dataset(rows | numbers, coords={"column": list(map(str, maps[0].fan_in.dims))}, attrs=kept)


def _cells(values: Floats, bins: int) -> tuple[Floats, Floats]:
    """(centers, edges) between the least and the largest value, or one cell for each whole number."""
    low, high = float(values.min()), float(values.max())
    if np.array_equal(values, np.rint(values)) and high - low < MOST_WHOLE:
        centers = np.arange(low, high + 1)
        return centers, np.append(centers - 0.5, high + 0.5)
    edges = np.linspace(low, high, bins + 1)
    return (edges[1:] + edges[:-1]) / 2, edges


def _spacing(centers: Floats, values: Floats) -> float:
    """The standard deviation of a value that may lie anywhere in a cell; 0 where a cell is one number."""
    low, high = float(values.min()), float(values.max())
    return 0.0 if np.array_equal(centers, np.arange(low, high + 1)) else (high - low) / len(centers) / float(np.sqrt(12))


def _ratios(sums: Floats) -> Floats:
    """Means of fan-in and fan-out, NaN where there is no node."""
    return np.asarray(np.where(sums[0] > 0, sums[1:] / np.maximum(sums[0], 1), np.nan))


def _deviation(values: Floats) -> Floats:
    """The standard deviation over resamples (the axis before the last), those with NaN left out; NaN where all are."""
    known = np.isfinite(values)
    counts = np.maximum(known.sum(axis=-2), 1)
    mean = np.where(known, values, 0).sum(axis=-2) / counts
    square = np.where(known, (values - mean[..., None, :]) ** 2, 0).sum(axis=-2) / counts
    return np.asarray(np.where(known.any(axis=-2), np.sqrt(square), np.nan))


def _peak(values: Floats, resampled: Floats) -> tuple[int | None, Any]:
    """The place of the largest value, None where all are −∞, and its places in the resamples."""
    top = int(np.argmax(values))
    places = np.argmax(np.where(np.isnan(resampled), -np.inf, resampled), axis=1)
    return (None if values[top] == -np.inf else top), places


# ----------------------------------------------------------------------------------------------------------- phase landscape


class Listeners(Matrix):
    """K of n oscillators and of more that listen to them without being heard.

    Parameters
    ----------
    rows : array_like, shape (n + p, n)
        How each of all listens to each of the first n.

    Examples
    --------
    >>> Listeners([[0, 1], [1, 0], [2, 3]]).matrix(3)
    array([[0., 1., 0.],
           [1., 0., 0.],
           [2., 3., 0.]])
    """

    def __init__(self, rows: ArrayLike) -> None:
        self.array = np.ascontiguousarray(finite_array("rows", rows))
        if self.array.ndim != 2 or not 1 <= self.array.shape[1] <= len(self.array):
            raise ValueError(f"rows must have shape (n + p, n) with n >= 1; got shape {self.array.shape}")

    def product(self, waves: Floats) -> Floats:
        """K @ waves."""
        return np.asarray(np.matmul(self.array, waves[..., : self.array.shape[1], :]))

    def matrix(self, n: int) -> Floats:
        """K, (n + p, n + p): nobody hears the last p."""
        self.check_size(n)
        return np.pad(self.array, ((0, 0), (0, n - self.array.shape[1])))

    def to_dict(self) -> dict[str, Any]:
        """Kind and sizes, for provenance."""
        return {"kind": "Listeners", "n": len(self.array), "heard": self.array.shape[1]}


def probe_coupling(
    network: PairNetwork, features: ArrayLike, probes: ArrayLike, normalization: Normalization | str = "degree"
) -> Floats:
    """K of probes that listen to a network: K_pj = K_μ(y_p, x_j), normalized as the network's own pairs are.

    The divisors are the network's, in which probes do not take part: for "degree" the sum over its own n² pairs; for the row
    norms that of the probe's row and, for the mirrored half of a symmetric K, those of the network's rows. So a probe with the
    features of node i listens exactly as i does.

    Parameters
    ----------
    network : PairNetwork
    features : array_like, shape (n, m)
        x, of the network's nodes.
    probes : array_like, shape (p, m)
        y.
    normalization : str or Normalization

    Returns
    -------
    ndarray, shape (p, n)

    Examples
    --------
    >>> from inphase.learn import problem, untrained
    >>> network, x = untrained(problem("case-1", hidden=(4,))).network, np.linspace(-1, 1, 5)[:, None]
    >>> bool(np.allclose(probe_coupling(network, x, x[:2]), Learnt(network, x).matrix(5)[:2]))
    True
    """
    rule = normalization if isinstance(normalization, Normalization) else Normalization(normalization)
    x, y = feature_array(features, network.features), feature_array(probes, network.features)
    own, hears = network.scores(x), network.scores(y, x)
    n, divisor = len(x), rule.divisor(len(x))
    heard = network.scores(x, y).T if rule.symmetric else None  # s(x_j, y_p), (p, n)
    if rule.kind == "degree":
        top = float(own.max())
        factor = n / (divisor * float(np.exp(own - top).sum()))
        found = factor * np.exp(hears - top)
        return found if heard is None else 0.5 * (found + factor * np.exp(heard - top))
    order = {"row-l2": 2, "row-l1": 1}.get(rule.kind)

    def norms(rows: Floats) -> Floats:
        return np.ones(len(rows)) if order is None else np.maximum(np.linalg.norm(rows, order, axis=1), SMALLEST)

    found = hears / (norms(hears)[:, None] * divisor)
    return found if heard is None else 0.5 * (found + heard / (norms(own) * divisor))


def phase_landscape(
    trained: Trained,
    axes: Mapping[str, ArrayLike] | None = None,
    *,
    held: Mapping[str, float] | None = None,
    problem: Problem | None = None,
    n: int | None = None,
    graphs: int = 1,
    burn_in: int = 1000,
    window: int = 1000,
    reference: int | None = None,
    seed: int = 0,
    split: str = "test",
) -> xr.Dataset:
    """The phase at which a probe of given features ends that listens to a trained network and is not heard by it.

    A probe starts as a node does, and follows the nodes' equation with the ω and b that belong to its features and K as in
    `probe_coupling`. Its own delay acts through K alone: nobody hears it, and it does not hear itself (a node does, with weight
    K_ii, where it has a delay).

    Parameters
    ----------
    trained : Trained
    axes : mapping of str to array_like, optional
        The grid: one or two of the problem's columns with their values. If not given: the first two columns, or the only one,
        over the range of the nodes.
    held : mapping of str to float, optional
        The other columns; the nodes' medians where not given.
    problem : Problem, optional
        Where the nodes come from; that of the training if not given.
    n : int, optional
        Nodes of the network; as in training if not given.
    graphs : int
        Networks of fresh nodes, each with a landscape of its own.
    burn_in, window : int
        Steps before the window and in it.
    reference : int, optional
        The class whose mean phase is 0. If not given: class 0 where there are classes (whose phases spread over the circle, so
        that there is no mean field), else the mean field of all nodes.
    seed, split
        As in `inphase.learn.evaluate`.

    Returns
    -------
    xarray.Dataset
        Along graph and the axes: `phase`, the mean over the window of the phase relative to the reference, in [−π, π];
        `coherence`, |⟨e^{iφ}⟩| over the window, 1 where it stands still; `drift`, radians per unit of time, relative to the
        reference; `locked`, whether it advanced by less than half a turn over the window (a drift below π/window is not seen).
        Of the network: `node_features(graph, node, column)`, `node_phase(graph, node)`, `node_label(graph, node)`, and
        `order_parameter(graph)`, the reference's |R|, averaged over the window.

    Raises
    ------
    ValueError, TypeError
        If a column is unknown, `Problem.at` does not give the drawn nodes' ω, b and τ back, or a run fails.

    Examples
    --------
    >>> from inphase.learn import problem, untrained
    >>> control = untrained(problem("case-1", hidden=(4,), nodes=20, degree=3.0))
    >>> found = phase_landscape(control, {"frequency": [-1.0, 0.0, 1.0, 9.0]}, burn_in=300, window=300)
    >>> found.locked.values.tolist()
    [[True, True, True, False]]
    """
    task, settings = task_for(trained, problem), trained.settings
    if trained.network.has_lags:
        raise ValueError("trained must have no phase lags: a probe's are not defined yet")
    size, count = settings.nodes if n is None else integer("n", n, least=2), integer("graphs", graphs, least=1)
    last, steps = integer("burn_in", burn_in, least=0), integer("window", window, least=2)
    drawn = nodes_of_graphs(task, settings, split, count * size, seed)
    _check_place(task, drawn)
    grid = _grid(task, drawn, axes)
    probes = task.at(_probe_features(task, drawn, grid, held or {}))
    shape = tuple(len(values) for values in grid.values())
    silent = probes._replace(delay_steps=np.zeros_like(probes.delay_steps))
    if reference is None and task.classes:
        reference = 0
    results: dict[str, list[Any]] = {name: [] for name in ("phase", "coherence", "drift", "locked", "own", "order")}
    for g in range(count):
        part = drawn.take(slice(g * size, (g + 1) * size))
        rows = [
            Learnt(trained.network, part.features, settings.rule).array,
            probe_coupling(trained.network, part.features, probes.features, settings.rule),
        ]
        both = Nodes(*(np.concatenate([own, more]) for own, more in zip(part, silent)))
        start = start_phases(settings, size + len(probes.features), seed, g)  # the nodes start as in `evaluate`
        phases = window_phases(trained, both, Listeners(np.concatenate(rows)), start, last, steps)
        chosen = slice(0, size) if reference is None else np.flatnonzero(part.labels == reference)
        if not np.size(phases[0, :size][chosen]):
            raise ValueError(f"reference must be a class with nodes in every graph; graph {g} has none of {reference!r}")
        field = np.exp(1j * phases[:, :size][:, chosen]).mean(axis=1)
        relative = phases - np.unwrap(np.angle(field))[:, None]
        wave = np.exp(1j * relative).mean(axis=0)
        advance = (relative[-1] - relative[0])[size:]
        values = (np.angle(wave[size:]), np.abs(wave[size:]), advance / ((steps - 1) * settings.step), np.abs(advance) < np.pi)
        for name, value in zip(("phase", "coherence", "drift", "locked"), values):
            results[name].append(value.reshape(shape))
        results["own"].append(np.angle(wave[:size]))
        results["order"].append(float(np.abs(field).mean()))
    names = ("graph", *grid)
    data: dict[str, Any] = {name: (names, np.array(results[name])) for name in ("phase", "coherence", "drift", "locked")}
    data["node_features"] = (("graph", "node", "column"), drawn.features.reshape(count, size, -1))
    data["node_phase"] = (("graph", "node"), np.array(results["own"]))
    data["node_label"] = (("graph", "node"), drawn.labels.reshape(count, size))
    data["order_parameter"] = ("graph", results["order"])
    about: dict[str, Any] = {"problem": task.name, "n": size, "step": settings.step, "burn_in": last, "window": steps}
    about |= {"seed": seed, "split": split, "inphase_version": version()}
    about["reference"] = "mean field" if reference is None else f"class {reference}"
    found = xr.Dataset(data, coords={**grid, "column": list(task.columns)}, attrs=about)
    for name, unit in (("phase", "rad"), ("drift", "rad/time"), ("node_phase", "rad")):
        found[name].attrs["units"] = unit
    return found


def _check_place(task: Problem, drawn: Nodes) -> None:
    made = task.at(drawn.features)
    for name in ("frequencies", "field", "delay_steps"):
        if not np.allclose(getattr(made, name), getattr(drawn, name), rtol=1e-9, atol=1e-12):
            raise ValueError(
                f"the problem's place must give the {name} that belong to features; it does not for the nodes of {task.name}, "
                f"whose columns are {', '.join(task.columns)}"
            )


def _grid(task: Problem, drawn: Nodes, axes: Mapping[str, ArrayLike] | None) -> dict[str, Floats]:
    names = list(task.columns[:2] if axes is None else axes)
    if not 1 <= len(names) <= 2 or (axes is None and len(task.columns) > 2):
        raise ValueError(f"axes must name one or two of {', '.join(task.columns)}; got {names if axes else axes!r}")
    for name in names:
        check_name("axes", name, task.columns)
    if axes is not None:
        grid = {name: finite_array(f"axes[{name!r}]", values) for name, values in axes.items()}
        for name, values in grid.items():
            if values.ndim != 1 or not len(values):
                raise ValueError(f"axes[{name!r}] must have shape (k,) with k >= 1; got shape {values.shape}")
        return grid
    return {name: _range(drawn.features[:, k], GRID[len(names)]) for k, name in enumerate(names)}


def _range(values: Floats, points: int) -> Floats:
    low, high = float(values.min()), float(values.max())
    whole = np.array_equal(values, np.rint(values)) and high - low < MOST_WHOLE
    return np.arange(low, high + 1) if whole else np.linspace(low, high, points)


def _probe_features(task: Problem, drawn: Nodes, grid: Mapping[str, Floats], held: Mapping[str, float]) -> Floats:
    """All points of the grid, (p, m), the last axis running fastest."""
    for name in held:
        check_name("held", name, tuple(c for c in task.columns if c not in grid) or ("nothing: all columns are axes",))
    middle = np.quantile(drawn.features, 0.5, axis=0, method="nearest")
    mesh = dict(zip(grid, np.meshgrid(*grid.values(), indexing="ij")))
    shape = next(iter(mesh.values())).shape
    columns = [mesh.get(name, np.full(shape, float(held.get(name, middle[k])))) for k, name in enumerate(task.columns)]
    return np.stack([column.ravel() for column in columns], axis=1)


# ------------------------------------------------------------------------------------------------------------- K by classes


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
        Of the entries of each block without the diagonal of K, with the jackknife's standard errors (which leave out a node
        at a time: entries that share a node depend on each other). NaN where a block is too small.
    """

    matrix: Floats
    order: NDArray[np.int64]
    boundaries: NDArray[np.int64]
    means: Floats
    errors: Floats


def sorted_by_class(K: ArrayLike, labels: ArrayLike) -> SortedCoupling:
    """K with the nodes of a class side by side, and the means of its blocks; nodes of no class (−1) are left out.

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
    """The two halves of the cluster loss: the mean circular variance within classes, and how far from splayed they are.

    Parameters
    ----------
    phases : array_like, shape (..., n)
    labels : array_like of int, shape (n,)

    Returns
    -------
    within : ndarray, shape (...)
        mean_l V_l, in [0, 1]; 0 where each class is in sync.
    splay : ndarray, shape (...)
        S/S_max (see `inphase.learn.cluster_loss`), in [0, 1]: 0 where the classes' mean phases are spread evenly, 1 where they
        agree. The loss is (within + S_max splay)/(1 + S_max), S_max = (k/2) Σ_{g ≤ k/2} 1/g².

    Examples
    --------
    >>> within, splay = cluster_terms([0.0, 0.0, np.pi, np.pi], [0, 0, 1, 1])
    >>> round(float(within), 9), round(float(splay), 9)
    (0.0, 0.0)
    """
    theta, given = phase_array(phases), _class_labels(labels)
    if theta.shape[-1] != len(given):
        raise ValueError(f"labels must have shape ({theta.shape[-1]},), one for each phase; got {given.shape}")
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
    """A trained network beside its two controls, the block coupling and an untrained network, on the same graphs.

    The block coupling has the largest |K| of the trained one, graph by graph, and is integrated with adaptive steps to the same
    time: it is stronger, and steps made for the trained coupling may be too long for it.

    Parameters
    ----------
    trained : Trained
        Of a problem with classes.
    n, problem, graphs, burn_in, window, seed, split
        As in `inphase.learn.evaluate`.

    Returns
    -------
    xarray.Dataset
        `loss`, `within` and `splay` (see `cluster_terms`) of the last phases, by coupling ("trained", "block", "untrained") and
        graph; `strength(graph)`; `final_phase(coupling, graph, oscillator)`; `label(graph, oscillator)`.

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
    options: dict[str, Any] = {"graphs": graphs, "burn_in": burn_in, "window": window, "seed": seed, "split": split}
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
    blocks = []
    for g in range(count):
        part = nodes.take(slice(g * size, (g + 1) * size))
        model = part.model(block_coupling(labels[g], strength[g]), settings)
        final = simulate(model, start_phases(settings, size, seed, g), times=[end])
        if final.attrs["status"] != "finished":
            raise ValueError(f"the run of the block coupling on graph {g} ended as {final.attrs['status']!r}")
        blocks.append(final.phase.values[-1])
    phases = np.stack([run.final_phase.values, np.stack(blocks), beside.final_phase.values])
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
    return xr.Dataset(data, coords={"coupling": ["trained", "block", "untrained"]}, attrs=run.attrs | {"time": end})


# ------------------------------------------------------------------------------------------------------------------- at hand


def _class_labels(labels: ArrayLike) -> NDArray[np.int64]:
    given = np.asarray(labels)
    if given.dtype.kind not in "iu":
        raise TypeError(f"labels must be whole numbers; got {given.dtype} ({labels!r:.40})")
    if given.ndim != 1 or not given.size or np.max(given) < 0:
        raise ValueError(f"labels must have shape (n,) and name a class; got {labels!r:.40}")
    return given.astype(np.int64)
