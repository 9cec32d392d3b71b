"""The phase at which a probe of given features ends that listens to a settled network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from inphase.checks import check_name, finite_array, integer
from inphase.coupling.dense import Matrix
from inphase.coupling.learnt.coupling import Learnt
from inphase.coupling.learnt.network import PairNetwork, feature_array
from inphase.coupling.learnt.normalization import Normalization, as_normalization
from inphase.learn.analyses.fan_in import MOST_WHOLE
from inphase.learn.evaluation import nodes_of_graphs, start_phases, task_for, window_phases
from inphase.learn.problems import Nodes, Problem
from inphase.learn.training import Trained
from inphase.version import version

Floats = NDArray[np.float64]
GRID = {1: 61, 2: 41}  # points along an axis of a landscape


class Probes(Matrix):
    """K of n oscillators and of more that listen to them without being heard.

    Parameters
    ----------
    rows : array_like, shape (n + p, n)
        How each of all listens to each of the first n.

    Examples
    --------
    >>> Probes([[0, 1], [1, 0], [2, 3]]).matrix(3)
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
        return {"kind": "Probes", "n": len(self.array), "heard": self.array.shape[1]}


def probe_coupling(
    network: PairNetwork,
    features: ArrayLike,
    probes: ArrayLike,
    normalization: Normalization | str = "degree",
) -> Floats:
    """K of probes that listen to a network: K_pj = K_μ(y_p, x_j), normalized as the network's own pairs are.

    The norms are the network's, in which probes do not take part: one norm of all is that of its own n²
    pairs; norms of rows are that of the probe's row and, for the mirrored half of a symmetric K, those of the
    network's rows. So a probe with the features of node i listens exactly as i does.

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
    rule = as_normalization(normalization)
    x, y = feature_array(features, network.features), feature_array(probes, network.features)
    hears, by = network.scores(y, x), rule.scale(network.scores(x))
    found = rule.scaled(hears, *(rule.scale(hears) if rule.recipe.by_row else by))
    if not rule.symmetric:
        return found
    return np.asarray(0.5 * (found + rule.scaled(network.scores(x, y), *by).T))


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
    """The phase at which a probe of given features ends that hears a trained network, unheard by it.

    A probe starts as a node does, and follows the nodes' equation with the ω and b that belong to its
    features and K as in `probe_coupling`. Its own delay acts through K alone: nobody hears it, and it does
    not hear itself (a node does, with weight K_ii, where it has a delay).

    Parameters
    ----------
    trained : Trained
    axes : mapping of str to array_like, optional
        The grid: one or two of the problem's columns with their values. If not given: the first two columns,
        or the only one, over the range of the nodes.
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
        The class whose mean phase is 0. If not given: class 0 where there are classes (whose phases spread
        over the circle, so that there is no mean field), else the mean field of all nodes.
    seed, split
        As in `inphase.learn.evaluate`.

    Returns
    -------
    xarray.Dataset
        Along graph and the axes: `phase`, the mean over the window of the phase relative to the reference, in
        [−π, π]; `coherence`, |⟨e^{iφ}⟩| over the window, 1 where it stands still; `drift`, radians per unit
        of time, relative to the reference; `locked`, whether it advanced by less than half a turn over the
        window (a drift below π/window is not seen). Of the network: `node_features(graph, node, column)`,
        `node_phase(graph, node)`, `node_label(graph, node)`, and `order_parameter(graph)`, the reference's
        |R|, averaged over the window.

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
    size = settings.nodes if n is None else integer("n", n, least=2)
    count = integer("graphs", graphs, least=1)
    last, steps = integer("burn_in", burn_in, least=0), integer("window", window, least=2)
    drawn = nodes_of_graphs(task, settings, split, count * size, seed)
    _check_place(task, drawn)
    grid = _grid(task, drawn, axes)
    probes = task.at(_probe_features(task, drawn, grid, held or {}))
    if reference is None and task.classes:
        reference = 0
    readings = []
    for g in range(count):
        part = drawn.take(slice(g * size, (g + 1) * size))
        chosen = _reference_nodes(part, reference, g)
        # the nodes start as in `evaluate`
        start = start_phases(settings, size + len(probes.features), seed, g)
        phases = _with_probes(trained, part, probes, start, last, steps)
        readings.append(_read(phases, size, chosen, settings.step))
    about = {"problem": task.name, "n": size, "step": settings.step, "burn_in": last, "window": steps}
    about |= {"seed": seed, "split": split, "inphase_version": version()}
    about["reference"] = "mean field" if reference is None else f"class {reference}"
    return _dataset(readings, grid, drawn, task.columns).assign_attrs(about)


def _reference_nodes(part: Nodes, reference: int | None, graph: int) -> slice | NDArray[np.int64]:
    """The nodes of a graph whose mean phase is 0: of a class, or all."""
    if reference is None:
        return slice(0, len(part.labels))
    chosen = np.flatnonzero(part.labels == reference)
    if not len(chosen):
        raise ValueError(
            f"reference must be a class with nodes in every graph; graph {graph} has none of {reference!r}"
        )
    return chosen


def _with_probes(
    trained: Trained, part: Nodes, probes: Nodes, start: Any, burn_in: int, window: int
) -> Floats:
    """The phases of the window, (window, n + p), of one graph's nodes and of the probes that listen to them."""
    network, rule = trained.network, trained.settings.rule
    own = Learnt(network, part.features, rule).array
    heard = probe_coupling(network, part.features, probes.features, rule)
    silent = probes._replace(delay_steps=np.zeros_like(probes.delay_steps))  # their own delay is in K alone
    both = Nodes(*(np.concatenate(pair) for pair in zip(part, silent)))
    coupling = Probes(np.concatenate([own, heard]))
    return np.asarray(window_phases(trained, both, coupling, start, burn_in, window))


class _Reading(NamedTuple):
    """What one graph's window says of the probes, (p,), of its nodes, (n,), and of the reference."""

    phase: Floats
    coherence: Floats
    drift: Floats
    locked: NDArray[np.bool_]
    node_phase: Floats
    order_parameter: float


def _read(phases: Floats, n: int, chosen: slice | NDArray[np.int64], step: float) -> _Reading:
    """Phases (window, n + p) relative to the mean phase of the chosen nodes."""
    field = np.exp(1j * phases[:, chosen]).mean(axis=1)
    relative = phases - np.unwrap(np.angle(field))[:, None]
    wave = np.exp(1j * relative).mean(axis=0)
    advance = (relative[-1] - relative[0])[n:]
    return _Reading(
        phase=np.angle(wave[n:]),
        coherence=np.abs(wave[n:]),
        drift=advance / ((len(phases) - 1) * step),
        locked=np.abs(advance) < np.pi,
        node_phase=np.angle(wave[:n]),
        order_parameter=float(np.abs(field).mean()),
    )


def _dataset(
    readings: Sequence[_Reading], grid: Mapping[str, Floats], drawn: Nodes, columns: Sequence[str]
) -> xr.Dataset:
    """The landscapes along graph and axes, beside what the networks are and do."""
    count, shape = len(readings), tuple(len(values) for values in grid.values())
    phase, coherence, drift, locked, node_phase, order = (np.array(part) for part in zip(*readings))
    of_probes = {"phase": phase, "coherence": coherence, "drift": drift, "locked": locked}
    data: dict[str, Any] = {
        name: (("graph", *grid), values.reshape(count, *shape)) for name, values in of_probes.items()
    }
    data["node_features"] = (("graph", "node", "column"), drawn.features.reshape(*node_phase.shape, -1))
    data["node_phase"] = (("graph", "node"), node_phase)
    data["node_label"] = (("graph", "node"), drawn.labels.reshape(node_phase.shape))
    data["order_parameter"] = ("graph", order)
    found = xr.Dataset(data, coords={**grid, "column": list(columns)})
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
        raise ValueError(
            f"axes must name one or two of {', '.join(task.columns)}; got {names if axes else axes!r}"
        )
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


def _probe_features(
    task: Problem, drawn: Nodes, grid: Mapping[str, Floats], held: Mapping[str, float]
) -> Floats:
    """All points of the grid, (p, m), the last axis running fastest."""
    for name in held:
        check_name(
            "held",
            name,
            tuple(c for c in task.columns if c not in grid) or ("nothing: all columns are axes",),
        )
    middle = np.quantile(drawn.features, 0.5, axis=0, method="nearest")
    mesh = dict(zip(grid, np.meshgrid(*grid.values(), indexing="ij")))
    shape = next(iter(mesh.values())).shape
    columns = [
        mesh.get(name, np.full(shape, float(held.get(name, middle[k]))))
        for k, name in enumerate(task.columns)
    ]
    return np.stack([column.ravel() for column in columns], axis=1)
