"""The figures of networks: rasters, graphs colored by their nodes, transition curves and basins.

As in `figures`, each function takes what it draws and returns a matplotlib `Figure`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse import csgraph

from inphase.report.style import BLUE, GRAY, INK, RED, angle_ticks, styled

if TYPE_CHECKING:
    import xarray as xr

    from inphase.graphs import Graph

Array = NDArray[np.float64]
PIVOTS = 60  # nodes whose distances to all others place a graph's nodes
HOPS = 3_000_000  # such distances, for which fewer pivots are taken, but not fewer than FEWEST
FEWEST = 8
NODES_DRAWN, EDGES_DRAWN = 10_000, 20_000  # at most: of more, a random sample
ROWS_DRAWN = 2000  # oscillators of a raster, at most
AS_IMAGE_FROM = 1500  # nodes or edges: these become an image within the figure, whose size no longer grows
CROWDED_FROM = 3000  # edges, beyond which they are drawn fainter and fainter
SMALL = 50  # nodes, up to which a graph is readable wherever its nodes stand
SHORT = 0.5  # of the mean distance of random pairs: edges are shorter where coordinates are a layout
RIMS_UP_TO = 1000  # nodes that get a dark rim; on more, smaller ones it would hide the color
WITHIN_COLORS = 0.9  # of the nodes: a few runaways must not take the colors of all others

# A phase is a color of this wheel: neither end nor middle stands out, and lightness tells opposite phases
# apart.
PHASE = LinearSegmentedColormap.from_list(
    "phase", ["#2f2a6b", "#2b6ca3", "#7fb9c4", "#e8e2cf", "#e0a06a", "#b8443b", "#6b2250", "#2f2a6b"]
)
DEVIATION = LinearSegmentedColormap.from_list("deviation", [BLUE, "#9dbfd9", "#e6e6e6", "#e9b48a", RED])


@styled
def raster_figure(run: xr.Dataset, order: ArrayLike | None = None) -> Figure:
    """The phase of every oscillator in time, as color.

    Parameters
    ----------
    run : xarray.Dataset
        From `inphase.simulate`: one run, without replicas.
    order : array_like of int, shape (n,), optional
        The oscillators from bottom to top; as they are numbered if not given.

    Raises
    ------
    ValueError
        If the run has replicas, or kept fewer than two times.
    """
    if set(run.phase.dims) != {"time", "oscillator"} or run.sizes["time"] < 2:
        raise ValueError(
            f"raster_figure draws one run, phase(time, oscillator), of two times or more; got {dict(run.sizes)}"
        )
    time, phase = run.time.values, run.phase.transpose("time", "oscillator").values
    rows = np.arange(phase.shape[1]) if order is None else np.asarray(order)
    rows = rows[:: raster_step(len(rows))]
    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axes = figure.subplots()
    edges = np.concatenate([[time[0]], (time[1:] + time[:-1]) / 2, [time[-1]]])
    colors = wrapped(phase[:, rows]).T
    bottoms = np.linspace(0, phase.shape[1], len(rows) + 1)
    mesh = axes.pcolormesh(
        edges, bottoms, colors, cmap=PHASE, vmin=-np.pi, vmax=np.pi, rasterized=True, gid="raster"
    )
    axes.set(xlabel="time", ylabel="oscillator" if order is None else "oscillator, in the order given")
    phase_bar(figure, axes, mesh)
    return figure


def raster_step(n: int) -> int:
    """Of every so many of n oscillators, `raster_figure` draws one."""
    return -(-n // ROWS_DRAWN)


def wrapped(phases: Array) -> Array:
    """Phases in [−π, π), which the colors span."""
    return np.asarray(np.remainder(phases + np.pi, 2 * np.pi) - np.pi)


def phase_bar(figure: Figure, axes: Any, drawn: Any) -> None:
    """The bar of the colors of phases, beside `axes`."""
    bar = figure.colorbar(drawn, ax=axes, pad=0.015, aspect=18, label="phase (rad)")
    bar.outline.set_linewidth(0)
    angle_ticks(bar.ax.yaxis, -np.pi, np.pi)


@styled
def graph_figure(graph: Graph, values: ArrayLike, kind: str = "phase", places: Array | None = None) -> Figure:
    """A graph with its nodes colored by phase, or by effective frequency.

    Nodes stand where the graph's columns `x` and `y` put them, if `placed_by_coordinates`, else where
    `layout` does. Of more than 10,000 nodes and 20,000 edges a random sample is drawn, and what is many is an
    image within the figure: its size does not grow with the graph's.

    Parameters
    ----------
    graph : inphase.graphs.Graph
    values : array_like, shape (n,)
        Phases in radians, or frequencies in radians per unit of time.
    kind : "phase" or "frequency"
    places : ndarray, shape (n, 2), optional
        What `layout` gave, where it is known.

    Raises
    ------
    ValueError
        If the values do not fit the graph, or the kind is unknown.
    """
    shown = np.asarray(values, dtype=float)
    if shown.shape != (graph.n,):
        raise ValueError(f"values must have shape ({graph.n},), one for each node; got shape {shown.shape}")
    if kind not in ("phase", "frequency"):
        raise ValueError(f'kind must be "phase" or "frequency"; got {kind!r}')
    places = layout(graph) if places is None else places
    nodes, pairs, total = drawn_parts(graph)
    figure = Figure(figsize=(7, 5.6), layout="constrained")
    axes = figure.subplots()
    crowd = np.sqrt(max(total, 1)) * max(1.0, total / CROWDED_FROM) ** 0.5
    edges = LineCollection(
        list(places[pairs]),
        colors=GRAY,
        linewidths=0.5,
        alpha=float(np.clip(40 / crowd, 0.05, 0.9)),
        zorder=1,
        gid="edges",
        rasterized=len(pairs) > AS_IMAGE_FROM,
    )
    axes.add_collection(edges)
    size = float(np.clip(6000 / graph.n, 5, 90))
    if kind == "phase":
        look: dict[str, Any] = {"c": wrapped(shown[nodes]), "cmap": PHASE, "norm": Normalize(-np.pi, np.pi)}
    else:
        middle, off = float(np.median(shown)), np.abs(shown - np.median(shown))
        reach = float(np.quantile(off, WITHIN_COLORS)) or float(np.max(off)) or 1.0
        look = {"c": shown[nodes], "cmap": DEVIATION, "norm": Normalize(middle - reach, middle + reach)}
    rim = 0.3 if graph.n <= RIMS_UP_TO else 0.0
    many = len(nodes) > AS_IMAGE_FROM
    x, y = places[nodes].T
    drawn = axes.scatter(x, y, s=size, lw=rim, edgecolors=INK, zorder=2, gid="nodes", rasterized=many, **look)
    if kind == "phase":
        phase_bar(figure, axes, drawn)
    else:
        beyond = "both" if np.max(off) > reach else "neither"
        bar = figure.colorbar(
            drawn, ax=axes, pad=0.015, aspect=18, extend=beyond, label="effective frequency (rad/time)"
        )
        bar.outline.set_linewidth(0)
    axes.set_aspect("equal")
    axes.set_axis_off()
    return figure


def placed_by_coordinates(graph: Graph) -> bool:
    """Whether figures put the nodes where the graph's columns `x` and `y` say.

    Not on a graph of more than 50 nodes whose edges are on average longer than half the distance of random
    pairs: then the coordinates say nothing of the graph, such as the random square that a program writes
    before it has made a layout.
    """
    if not {"x", "y"} <= set(graph.nodes):
        return False
    if graph.n <= SMALL:
        return True
    places, pairs = np.column_stack([graph.nodes["x"], graph.nodes["y"]]), graph.matrix.tocoo()
    length = (
        float(np.mean(np.linalg.norm(places[pairs.row] - places[pairs.col], axis=1))) if pairs.nnz else 0.0
    )
    one, other = np.random.default_rng(0).integers(graph.n, size=(2, 20_000))
    return length < SHORT * float(np.mean(np.linalg.norm(places[one] - places[other], axis=1)))


def layout(graph: Graph) -> Array:
    """The nodes' places, (n, 2): columns `x`, `y` if `placed_by_coordinates`, else by distance along edges.

    The latter is pivot multidimensional scaling: Brandes, Pich, *Eigensolver methods for progressive
    multidimensional scaling of large data* (2006).
    """
    if placed_by_coordinates(graph):
        return np.column_stack([graph.nodes["x"], graph.nodes["y"]])
    adjacency = graph.matrix + graph.matrix.T
    count = min(PIVOTS, graph.n, max(FEWEST, HOPS // graph.n))
    ways, far, pivot = np.empty((graph.n, count)), np.full(graph.n, np.inf), int(np.argmax(graph.degrees))
    for k in range(count):
        ways[:, k] = hops(adjacency, pivot)
        np.minimum(far, ways[:, k], out=far)
        pivot = int(np.argmax(np.where(np.isfinite(far), far, -1)))
    apart = 2.0 + float(np.max(ways[np.isfinite(ways)]))  # other components stand aside
    squares = np.where(np.isfinite(ways), ways, apart) ** 2
    centered = squares - squares.mean(axis=0) - squares.mean(axis=1, keepdims=True) + squares.mean()
    u, s, _ = np.linalg.svd(centered, full_matrices=False)
    places = np.zeros((graph.n, 2))
    count = min(2, u.shape[1])
    places[:, :count] = u[:, :count] * s[:count]
    # nodes with the same distances would lie on one another
    jitter = np.random.default_rng(0).normal(size=places.shape)
    return np.asarray(places + 0.004 * np.ptp(places) * jitter)


def hops(adjacency: Any, source: int) -> Array:
    """The number of edges between a node and each other, (n,); inf where there is no way."""
    order, before = csgraph.breadth_first_order(adjacency, source, return_predecessors=True)
    before[before < 0] = source
    count = np.zeros(len(before))
    count[order[1:]] = 1
    while np.any(before != source):  # each round doubles the part of the way that is counted
        count += count[before]
        before = before[before]
    reached = np.zeros(len(count), dtype=bool)
    reached[order] = True
    return np.where(reached, count, np.inf)


def drawn_parts(graph: Graph) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """The nodes and the edges that `graph_figure` draws, (nodes,) and (edges, 2), and how many edges there are."""
    rng = np.random.default_rng(0)
    pairs = sparse.triu(graph.matrix + graph.matrix.T, 1).tocoo()
    nodes, edges = (
        np.arange(size) if size <= most else np.sort(rng.choice(size, most, replace=False))
        for size, most in ((graph.n, NODES_DRAWN), (pairs.nnz, EDGES_DRAWN))
    )
    return nodes, np.stack([pairs.row[edges], pairs.col[edges]], axis=1), pairs.nnz


@styled
def transition_figure(
    coupling: ArrayLike,
    measured: ArrayLike,
    error: ArrayLike | None = None,
    theory: tuple[ArrayLike, ArrayLike] | None = None,
    critical: float | None = None,
    labels: tuple[str, str] = ("coupling K", "order parameter r"),
) -> Figure:
    """A measured transition with its errors, and the theory over it.

    Parameters
    ----------
    coupling, measured : array_like, shape (m,)
    error : array_like, shape (m,), optional
        Standard errors.
    theory : (array_like, array_like), optional
        Abscissas and values of the curve.
    critical : float, optional
        Where a vertical line goes.
    labels : (str, str)
        Of the axes.
    """
    figure = Figure(figsize=(6, 3.8), layout="constrained")
    axes = figure.subplots()
    if critical is not None:
        axes.axvline(critical, color=GRAY, lw=0.8, ls=(0, (4, 3)), label="critical coupling")
    if theory is not None:
        axes.plot(*map(np.asarray, theory), color=RED, label="theory", gid="theory", zorder=2)
    axes.errorbar(
        coupling,
        measured,
        error,
        fmt="o",
        color=BLUE,
        ms=4.5,
        lw=1,
        capsize=2,
        label="measured",
        zorder=3,
        gid="measured",
    )
    axes.set(xlabel=labels[0], ylabel=labels[1])
    axes.set_ylim(bottom=min(0.0, float(np.min(measured))))
    axes.legend()
    return figure


@styled
def basin_figure(basins: xr.Dataset) -> Figure:
    """The share of starts that end in each state, with its confidence interval.

    Parameters
    ----------
    basins : xarray.Dataset
        From `inphase.equilibria.basins`: fraction(state), low(state), high(state), name(state).
    """
    names = [str(name) for name in basins.name.values]
    share, low, high = (basins[key].values for key in ("fraction", "low", "high"))
    figure = Figure(figsize=(6.4, max(1.8, 0.32 * len(names) + 0.9)), layout="constrained")
    axes = figure.subplots()
    y = np.arange(len(names))[::-1]
    axes.barh(y, share, color=BLUE, alpha=0.8, height=0.65, gid="basins")
    axes.hlines(y, low, high, color=INK, lw=1.1)
    axes.set(xlabel="share of starts", xlim=(0, min(1.0, 1.08 * float(np.max(high)))))
    axes.set_yticks(y, names)
    axes.tick_params(axis="y", length=0)
    return figure
