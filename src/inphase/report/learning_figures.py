"""Figures of learnt couplings: training, C_x against V, fan-in, phase landscapes, K by classes, segments.

As in `figures`, each function takes what it draws (mostly what `inphase.learn.analyses` returns) and gives a
matplotlib `Figure`. Nothing here needs JAX.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import ListedColormap, Normalize, TwoSlopeNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from inphase.report.network_figures import DEVIATION, PHASE, phase_bar, wrapped
from inphase.report.style import BLUE, DENSITY, GRAY, INK, PALE, RED, angle_ticks, styled

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

# Okabe and Ito's palette (without black), told apart by every reader, and the same colors lighter for more
# classes than seven.
_SEVEN = ["#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#8C7A00"]
CLASSES = [*_SEVEN, *(tuple(0.55 * np.array(to_rgb(c)) + 0.45) for c in _SEVEN)]
MARKERS = "osD^vP*"
LOGARITHMIC_FROM = 20.0  # ratio of losses that a linear axis does not show
UNITS = {
    "frequency": "natural frequency ω (rad/time)",
    "field": "field b (rad/time)",
    "delay in steps": "delay τ (steps)",
}


def class_color(number: int) -> Any:
    """The color of class 0, 1, ...; fourteen of them, then again."""
    return CLASSES[number % len(CLASSES)]


def _axis_label(name: Any) -> str:
    return UNITS.get(str(name), str(name))


def _measured(value: float, error: float) -> str:
    """ "1.234 ± 0.056": two digits of the error, and the value as far as they go."""
    if not error > 1e-9 * abs(value):
        return f"{value:.4g}".replace("-", "−")
    digits = max(0, 1 - int(np.floor(np.log10(error))))
    if digits > 4:
        power = int(np.floor(np.log10(max(abs(value), error))))
        inner = _measured(value / 10.0**power, error / 10.0**power)
        return f"({inner})·$10^{{{power}}}$".replace("^{-", "^{−")
    return f"{value:.{digits}f} ± {error:.{digits}f}".replace("-", "−")


# --------------------------------------------------------------------------------------------------- training


@styled
def training_figure(trained: Any) -> Figure:
    """The course of all starts: each update's loss (thin), validation loss (marks), and which was chosen.

    Parameters
    ----------
    trained : inphase.learn.Trained
        Or anything with `starts` and `chosen`, whose `loss` and `judged` are those of `inphase.learn.Start`.

    Raises
    ------
    ValueError
        If no start has been updated.
    """
    starts = [start for start in trained.starts if start.loss]
    if not starts:
        raise ValueError("trained must have a start with at least one update; its starts have none")
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    chosen = trained.chosen
    seen = np.concatenate([np.asarray(start.loss, dtype=float) for start in starts])
    seen = np.append(seen, [row[1] for start in starts for row in start.judged])
    seen = seen[np.isfinite(seen) & (seen > 0)]
    for start in sorted(starts, key=lambda start: start is chosen):  # the chosen one on top
        best = start is chosen
        color, name = (RED, "chosen") if best else (class_color(0), "other starts")
        layer, thick = (4, 1.8) if best else (2, 1.0)
        axes.plot(
            np.arange(1, len(start.loss) + 1),
            start.loss,
            color=color,
            lw=0.5,
            alpha=0.35,
            zorder=layer - 1,
            gid=f"loss_{start.number}",
        )
        if start.judged:
            at, value = np.array(start.judged, dtype=float)[:, :2].T
            axes.plot(
                at, value, "o-", color=color, ms=3 if best else 2, lw=thick, zorder=layer, label=f"validation, {name}",
                gid=f"validation_{start.number}",
            )  # fmt: skip
    if chosen.judged:
        at, value = min(chosen.judged, key=lambda row: row[1])[:2]
        axes.plot(
            at,
            value,
            "*",
            color=RED,
            mec="white",
            mew=0.8,
            ms=14,
            zorder=6,
            label=f"kept: {max(value, 0.0):.4f} at {at}",
            gid="kept",
        )
    axes.plot([], [], color=GRAY, lw=0.6, label="each update, training")
    if len(seen) and seen.max() > LOGARITHMIC_FROM * seen.min():
        axes.set(yscale="log", ylim=(0.7 * seen.min(), min(1.5, 1.4 * seen.max())))
    else:
        axes.set_ylim(0, 1.05 * float(seen.max()) if len(seen) else 1)
    axes.set(xlabel="update", ylabel="loss", xlim=(0, 1.02 * max(len(start.loss) for start in starts)))
    handles, names = axes.get_legend_handles_labels()
    axes.legend(*zip(*dict(zip(names, zip(handles, names))).values()))  # each name once
    return figure


# ---------------------------------------------------------------------------------------------- V against C_x


@styled
def autocorrelation_figure(found: xr.Dataset | Mapping[str, xr.Dataset]) -> Figure:
    """The circular variance against the graph-induced autocorrelation C_x, with the line and its r².

    Parameters
    ----------
    found : xarray.Dataset, or a mapping of names to several
        From `inphase.learn.analyses.variance_against_autocorrelation` or `autocorrelation_in_training`.
        Points are graphs, means over the graphs of a network with standard errors, or updates, colored by
        their number.
    """
    panels: Mapping[str, Any] = (
        found if isinstance(found, Mapping) and not hasattr(found, "data_vars") else {"": found}
    )
    figure = Figure(
        figsize=(min(4.6 * len(panels) if len(panels) > 1 else 5.4, 13.5), 4.0), layout="constrained"
    )
    for axes, (name, data) in zip(
        np.atleast_1d(figure.subplots(1, len(panels), squeeze=False)[0]), panels.items()
    ):
        _draw_autocorrelation(figure, axes, data)
        if name:
            axes.set_title(name, loc="left", fontsize=10)
        if axes.get_subplotspec().is_first_col():
            axes.set_ylabel("circular variance V")
    return figure


def _draw_autocorrelation(figure: Figure, axes: Any, data: Any) -> None:
    x, y, over = data.autocorrelation, data.variance, data.attrs["over"]
    if over == "updates":
        number = np.arange(1, x.size + 1)
        drawn = axes.scatter(x, y, c=number, cmap="viridis", s=11, lw=0, alpha=0.85, zorder=3, gid="points")
        bar = figure.colorbar(drawn, ax=axes, pad=0.015, aspect=22, label="update")
        bar.outline.set_linewidth(0)
    elif over == "networks":
        errors = [
            v.std("graph", ddof=1).values / np.sqrt(v.sizes["graph"]) if v.sizes["graph"] > 1 else None
            for v in (x, y)
        ]
        axes.errorbar(
            x.mean("graph"), y.mean("graph"), errors[1], errors[0],
            fmt="o", color=BLUE, ms=4, lw=0.8, capsize=1.5, zorder=3, gid="points",
        )  # fmt: skip
    else:
        axes.plot(
            x.values.ravel(),
            y.values.ravel(),
            "o",
            color=BLUE,
            ms=4,
            mew=0,
            alpha=0.7,
            zorder=3,
            gid="points",
        )
    ends = np.array([float(x.min()), float(x.max())])
    if over == "networks":
        ends = np.array([float(x.mean("graph").min()), float(x.mean("graph").max())])
    axes.plot(ends, float(data.slope) * ends + float(data.intercept), color=RED, lw=1.8, zorder=4, gid="line")
    level = round(100 * data.attrs["confidence"])
    text = f"r² = {float(data.r_squared):.2f}  [{float(data.r_squared_low):.2f}, {float(data.r_squared_high):.2f}], {level} %"
    axes.set_title(text, loc="right", fontsize=9, color=INK)
    axes.set_xlabel("graph-induced autocorrelation $C_x$")
    axes.xaxis.set_major_locator(MaxNLocator(6))


# ----------------------------------------------------------------------------------------------------- fan-in


@styled
def fan_in_figure(found: xr.Dataset, fewest: int | None = None) -> Figure:
    """The mean fan-in over one feature, with standard errors, or as a map over two, with its peak.

    Parameters
    ----------
    found : xarray.Dataset
        From `inphase.learn.analyses.fan_in_map`.
    fewest : int, optional
        Cells with fewer nodes are left blank; as in the search for the peak if not given.
    """
    names = found.fan_in.dims
    least = found.attrs["fewest"] if fewest is None else fewest
    peak, error = found.attrs["peak"], found.attrs["peak_error"]
    known = found["count"].values >= least
    figure = Figure(figsize=(6.2, 4.2), layout="constrained")
    if len(names) == 1:
        axes, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3.4, 1])
        at = found[names[0]].values
        same = np.allclose(found.fan_in, found.fan_out, rtol=1e-9, equal_nan=True)
        curves = [("fan_in", BLUE, "o-", "fan-in Σ_j K_ij" + (" = fan-out" if same else ""))]
        curves += [] if same else [("fan_out", RED, "s--", "fan-out Σ_j K_ji")]
        for name, color, look, label in curves:
            axes.errorbar(
                at[known], found[name].values[known], found[f"{name}_error"].values[known],
                fmt=look, color=color, ms=3.5, lw=1.2, capsize=2, label=label, gid=name,
            )  # fmt: skip
        axes.axvline(peak[0], color=GRAY, lw=0.9, ls=(0, (4, 3)), zorder=0, gid="peak")
        axes.set(ylabel="mean of a node (1/time)")
        axes.set_ylim(bottom=min(0.0, float(np.nanmin(found.fan_in))))
        axes.legend()
        lower.bar(at, found["count"], width=0.9 * _width(at), color="#A9CCE3", lw=0, gid="count")
        lower.set(ylabel="nodes", xlabel=_axis_label(names[0]))
    else:
        axes = figure.subplots()
        x, y = (found[name].values for name in names)
        shown = np.where(known, found.fan_in.values, np.nan).T
        mesh = axes.pcolormesh(_edges(x), _edges(y), shown, cmap="viridis", rasterized=True, gid="map")
        bar = figure.colorbar(mesh, ax=axes, pad=0.015, aspect=20, label="mean fan-in Σ_j K_ij (1/time)")
        bar.outline.set_linewidth(0)
        rim: dict[str, Any] = {"color": "white", "lw": 2.6, "capsize": 4, "capthick": 2.6, "zorder": 4}
        axes.errorbar(peak[0], peak[1], error[1], error[0], fmt="none", **rim)
        axes.errorbar(
            peak[0], peak[1], error[1], error[0],
            fmt="o", color=RED, mec="white", mew=1, ms=7, lw=1.3, capsize=3, zorder=5, gid="peak",
        )  # fmt: skip
        axes.set(xlabel=_axis_label(names[0]), ylabel=_axis_label(names[1]), facecolor=PALE)
        axes.set(xlim=_edges(x)[[0, -1]], ylim=_edges(y)[[0, -1]])
    place = ", ".join(_measured(p, e) for p, e in zip(peak, error))
    place = f"({place})" if len(peak) > 1 else place
    about = f"peak {_measured(found.attrs['peak_fan_in'], found.attrs['peak_fan_in_error'])} at {place}"
    blank = f"; blank: fewer than {least} nodes" if not np.all(known) else ""
    axes.set_title(
        f"{about}\n{found.attrs['graphs']} graphs of {found.attrs['n']}{blank}",
        loc="left",
        fontsize=9,
        color=INK,
    )
    return figure


def _width(at: Array) -> float:
    return float(np.min(np.diff(at))) if len(at) > 1 else 1.0


def _edges(at: Array) -> Array:
    """Borders of cells around their centers."""
    if len(at) == 1:
        return np.array([at[0] - 0.5, at[0] + 0.5])
    middle = (at[1:] + at[:-1]) / 2
    return np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])


# -------------------------------------------------------------------------------------------- phase landscape


@styled
def landscape_figure(found: xr.Dataset) -> Figure:
    """The phase of a probe by its features, and where it does not lock; the network's nodes as dots.

    Along one feature: the phase with its standard error over graphs, and below it the drift. Over two: the
    phase in the first graph as color (`found.isel(graph=[g])` for another), hatched where the probe does not
    lock.

    Parameters
    ----------
    found : xarray.Dataset
        From `inphase.learn.analyses.phase_landscape`.
    """
    names = [str(name) for name in found.phase.dims if name != "graph"]
    return _landscape_curve(found, names[0]) if len(names) == 1 else _landscape_map(found, names)


def _landscape_curve(found: Any, name: str) -> Figure:
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.6, 1])
    at, count = found[name].values, found.sizes["graph"]
    locked = found.locked.values
    wave = np.where(locked, np.exp(1j * found.phase.values), np.nan)
    some = locked.any(axis=0)
    total = np.nansum(wave, axis=0)
    mean = np.where(some, np.angle(total), np.nan)
    counts = np.maximum(locked.sum(axis=0), 1)
    off = np.where(locked, wrapped(found.phase.values - np.nan_to_num(mean)), 0.0)
    error = np.sqrt((off**2).sum(axis=0) / np.maximum(counts - 1, 1) / counts)
    column = list(found.column.values).index(name)
    x, y = found.node_features.values[..., column].ravel(), found.node_phase.values.ravel()
    upper.plot(
        x, y, "o", color=GRAY, ms=2.4, mew=0, alpha=0.5, label="nodes of the network", zorder=2, gid="nodes"
    )
    label = "probe, locked" + (f": mean of {count} graphs ± standard error" if count > 1 else "")
    upper.plot(at, mean, color=BLUE, lw=1.8, label=label, zorder=3, gid="phase")
    if count > 1:
        upper.fill_between(
            at, mean - error, mean + error, color=BLUE, alpha=0.25, lw=0, zorder=1, gid="error"
        )
    share = locked.mean(axis=0)
    for axes in (upper, lower):
        axes.fill_between(
            at,
            0,
            1,
            where=share < 0.5,
            step="mid",
            transform=axes.get_xaxis_transform(),
            color=PALE,
            lw=0,
            zorder=-2,
        )
        axes.axhline(0, color=GRAY, lw=0.6, zorder=0)
    drift = found.drift.values
    lower.plot(at, drift.mean(axis=0), "o-", color=RED, ms=2.5, lw=1.2, gid="drift")
    if count > 1:
        half = drift.std(axis=0, ddof=1) / np.sqrt(count)
        lower.fill_between(
            at, drift.mean(axis=0) - half, drift.mean(axis=0) + half, color=RED, alpha=0.25, lw=0
        )
    unseen = np.pi / (found.attrs["window"] * found.attrs["step"])
    if np.max(np.abs(drift)) < unseen:  # rounding errors are no drift
        lower.set_ylim(-unseen, unseen)
    upper.set(ylabel=f"phase relative to\n{found.attrs['reference']} (rad)")
    reach = float(np.nanmax(np.abs(np.append(np.nan_to_num(mean), 0.4))))
    reach = np.pi if reach > 2 else min(np.pi, 1.25 * reach)
    upper.set_ylim(-reach, reach)
    angle_ticks(upper.yaxis, -reach, reach)
    lower.set(ylabel="drift\n(rad/time)", xlabel=_axis_label(name))
    if np.any(share < 0.5):
        handles, texts = upper.get_legend_handles_labels()
        upper.legend([*handles, Patch(color=PALE)], [*texts, "probe drifts"], loc="best")
    else:
        upper.legend(loc="best")
    upper.margins(x=0.01)
    figure.align_ylabels([upper, lower])
    return figure


def _landscape_map(found: Any, names: list[str]) -> Figure:
    figure = Figure(figsize=(6.2, 4.8), layout="constrained")
    axes = figure.subplots()
    nodes = found.isel(graph=0)
    x, y = (found[name].values for name in names)
    locked = nodes.locked.transpose(*names).values.T
    colors = np.where(locked, wrapped(nodes.phase.transpose(*names).values.T), np.nan)
    norm = Normalize(-np.pi, np.pi)
    mesh = axes.pcolormesh(_edges(x), _edges(y), colors, rasterized=True, gid="map", cmap=PHASE, norm=norm)
    if not np.all(locked):
        missing = np.ma.masked_array(np.zeros_like(colors), mask=locked)
        axes.pcolor(
            _edges(x),
            _edges(y),
            missing,
            cmap=ListedColormap([PALE]),
            hatch="////",
            ec="#B8C4CE",
            lw=0,
            gid="drifts",
        )
        axes.legend(
            [Patch(fc=PALE, ec="#B8C4CE", hatch="////", lw=0)],
            ["drifts"],
            loc="upper right",
            frameon=True,
            framealpha=0.9,
        )
    columns = [list(found.column.values).index(name) for name in names]
    places, phases = nodes.node_features.values[:, columns], nodes.node_phase.values
    labels = nodes.node_label.values
    for number, label in enumerate(np.unique(labels)):
        rows = labels == label
        axes.scatter(
            places[rows, 0], places[rows, 1], c=phases[rows], s=20, marker=MARKERS[number % len(MARKERS)], lw=0.7,
            edgecolors="white", zorder=3, gid=f"nodes_{label}", cmap=PHASE, norm=norm,
        )  # fmt: skip
    axes.set(xlabel=_axis_label(names[0]), ylabel=_axis_label(names[1]))
    axes.set(xlim=_edges(x)[[0, -1]], ylim=_edges(y)[[0, -1]])
    reference = str(found.attrs["reference"])
    beside = f"relative to {'the ' if reference == 'mean field' else ''}{reference}"
    axes.set_title(f"probe (area) and nodes (dots), {beside}", loc="left", fontsize=9, color=INK)
    phase_bar(figure, axes, mesh)
    return figure


# ----------------------------------------------------------------------------------------------- K by classes


@styled
def coupling_figure(couplings: Any) -> Figure:
    """Coupling matrices sorted by class, side by side on one scale, with bars of the classes' colors.

    Parameters
    ----------
    couplings : SortedCoupling, or a mapping of names to several
        From `inphase.learn.analyses.sorted_by_class`: "trained", "block" and "untrained", say. Under each
        matrix stand the means of the entries within a class and between classes, with standard errors over
        blocks.
    """
    panels: dict[str, Any] = dict(couplings) if isinstance(couplings, Mapping) else {"": couplings}
    if not panels:
        raise ValueError("couplings must have at least one matrix; got none")
    figure = Figure(figsize=(min(3.9 * len(panels) + 0.9, 13.5), 4.4), layout="constrained")
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    reach = max(float(np.quantile(np.abs(one.matrix), 0.995)) for one in panels.values()) or 1.0
    signed = any(np.min(one.matrix) < 0 for one in panels.values())
    norm = TwoSlopeNorm(0, -reach, reach) if signed else Normalize(0, reach)
    look: dict[str, Any] = {
        "cmap": DEVIATION if signed else DENSITY,
        "norm": norm,
        "interpolation": "nearest",
        "rasterized": True,
    }
    beyond = any(np.max(np.abs(one.matrix)) > reach * (1 + 1e-9) for one in panels.values())
    for axes, (name, one) in zip(row, panels.items()):
        drawn = axes.imshow(one.matrix, gid=f"matrix_{name}", **look)
        n, edges = len(one.matrix), np.asarray(one.boundaries)
        strip = 0.035 * n
        for c, (low, high) in enumerate(pairwise(edges)):
            box: dict[str, Any] = {"color": class_color(c), "lw": 0, "clip_on": False}
            axes.add_patch(Rectangle((low - 0.5, -0.5 - 1.5 * strip), high - low, strip, **box))
            axes.add_patch(Rectangle((-0.5 - 1.5 * strip, low - 0.5), strip, high - low, **box))
        for edge in edges[1:-1]:
            axes.axhline(edge - 0.5, color="white", lw=0.6)
            axes.axvline(edge - 0.5, color="white", lw=0.6)
        axes.set(xlim=(-0.5 - 1.6 * strip, n - 0.5), ylim=(n - 0.5, -0.5 - 1.6 * strip), xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel(_block_words(one.means, one.errors), fontsize=8.5, color=INK)
    ends = ("both" if signed else "max") if beyond else "neither"
    bar = figure.colorbar(
        drawn, ax=list(row), pad=0.015, aspect=20, shrink=0.85, extend=ends, label="K (1/time)"
    )
    bar.outline.set_linewidth(0)
    bar.ax.ticklabel_format(axis="y", scilimits=(-2, 3))
    row[0].set_ylabel("node i, sorted by class")
    return figure


def _block_words(means: Array, errors: Array) -> str:
    """The mean within a class and between classes, with standard errors over blocks, or of the one.

    Of mirrored blocks, one counts.
    """
    inside = np.eye(len(means), dtype=bool)
    others = np.triu(~inside) if np.allclose(means, means.T, equal_nan=True) else ~inside
    parts = []
    for word, chosen in (("within", inside), ("between", others)):
        chosen = chosen & np.isfinite(means)
        values = means[chosen]
        if len(values):
            error = float(
                np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else errors[chosen][0]
            )
            parts.append(f"{word} {_measured(float(np.mean(values)), error)}")
    return "mean K " + "\n".join(parts)


# -------------------------------------------------------------------------------------------- phases by class


@styled
def circle_figure(phases: ArrayLike | Mapping[str, ArrayLike], labels: ArrayLike | None = None) -> Figure:
    """Phases by class, each on a circle of its own; arrows are the classes' mean fields, of length |R|.

    Parameters
    ----------
    phases : array_like, shape (n,), or a mapping of names to several
        Radians.
    labels : array_like of int, shape (n,), optional
        0..k−1, −1: none. One class if not given.

    Raises
    ------
    ValueError
        If shapes do not fit.
    """
    panels = dict(phases) if isinstance(phases, Mapping) else {"": phases}
    figure = Figure(figsize=(min(3.6 * len(panels), 13.5), 3.9), layout="constrained")
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (name, values) in zip(row, panels.items()):
        theta = np.asarray(values, dtype=float)
        given = np.zeros(theta.shape, dtype=int) if labels is None else np.asarray(labels)
        if theta.ndim != 1 or given.shape != theta.shape:
            raise ValueError(
                f"phases and labels must have one shape (n,); got {theta.shape} and {given.shape}"
            )
        _draw_circle(axes, theta, given)
        axes.set_title(name, fontsize=10)
    k = int(np.max(given)) + 1
    if k > 1:
        marks = [Patch(color=class_color(c)) for c in range(k)]
        figure.legend(marks, [f"class {c}" for c in range(k)], loc="outside lower center", ncols=min(k, 7))
    return figure


def _draw_circle(axes: Any, theta: Array, labels: Any) -> None:
    around = np.linspace(0, 2 * np.pi, 361)
    axes.plot(np.cos(around), np.sin(around), color=GRAY, lw=0.7, zorder=0)
    present = np.unique(labels)
    step = min(0.085, 0.5 / max(len(present), 1))
    for place, label in enumerate(present):
        own, radius = theta[labels == label], 1.07 + step * place
        color = class_color(int(label)) if label >= 0 else GRAY
        axes.plot(
            radius * np.cos(own),
            radius * np.sin(own),
            "o",
            color=color,
            ms=4.2,
            mew=0,
            alpha=0.45,
            zorder=2,
            gid=f"class_{label}",
        )
        field = np.exp(1j * own).mean()
        if label >= 0:
            arrow = {
                "arrowstyle": "-|>,head_width=0.25,head_length=0.5",
                "color": color,
                "lw": 1.8,
                "shrinkA": 0,
                "shrinkB": 0,
            }
            axes.annotate("", (field.real, field.imag), (0, 0), arrowprops=arrow, zorder=3)
    reach = 1.07 + step * len(present)
    for angle, text in ((0, "0"), (np.pi / 2, "π/2"), (np.pi, "π"), (-np.pi / 2, "−π/2")):
        axes.text(
            (reach + 0.1) * np.cos(angle),
            (reach + 0.1) * np.sin(angle),
            text,
            ha="center",
            va="center",
            color=GRAY,
        )
    axes.set(xlim=(-reach - 0.22, reach + 0.22), ylim=(-reach - 0.22, reach + 0.22), aspect="equal")
    axes.set_axis_off()


# --------------------------------------------------------------------------------------------------- segments


@styled
def segments_figure(
    image: ArrayLike, truth: ArrayLike, phases: ArrayLike, found: ArrayLike, dice: float | None = None
) -> Figure:
    """An image, its true segments, the phases of its pixels as color, and the segments that were found.

    Found segments have the colors of the true ones that they overlap most, each color once.

    Parameters
    ----------
    image : array_like, shape (height, width, 3) or (height, width)
        0..255.
    truth, found : array_like of int, shape (height, width)
        Segments 0..k−1; −1, none, is gray.
    phases : array_like, shape (height, width)
        Radians; NaN where a pixel has none.
    dice : float, optional
        `inphase.learn.symmetric_best_dice` of the segments found, for the title.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    pixels = np.asarray(image, dtype=float)
    one, other, theta = np.asarray(truth), np.asarray(found), np.asarray(phases, dtype=float)
    for name, values in (("truth", one), ("phases", theta), ("found", other)):
        if values.shape != pixels.shape[:2]:
            raise ValueError(
                f"{name} must have the image's shape {pixels.shape[:2]}; got shape {values.shape}"
            )
    height, width = theta.shape
    side = 3.1
    figure = Figure(
        figsize=(4 * side + 0.7, side * min(max(height / width, 0.5), 1.5) + 0.5), layout="constrained"
    )
    row = figure.subplots(1, 4)
    row[0].imshow(np.clip(pixels / 255, 0, 1), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    row[1].imshow(_label_colors(one), interpolation="nearest")
    drawn = row[2].imshow(
        wrapped(theta), cmap=PHASE, vmin=-np.pi, vmax=np.pi, interpolation="nearest", gid="phases"
    )
    row[2].set_facecolor(PALE)
    row[3].imshow(_label_colors(matched(other, one)), interpolation="nearest", gid="found")
    titles = (
        "image",
        "segments, truth",
        "phases",
        "segments, found" + ("" if dice is None else f": Dice {dice:.3f}"),
    )
    for axes, title in zip(row, titles):
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        axes.set_title(title, fontsize=10)
    phase_bar(figure, row[3], drawn)
    return figure


def matched(labels: Any, others: Any) -> NDArray[np.int64]:
    """`labels` named one to one after the `others` they overlap most; the rest are numbered anew, −1 stays.

    Examples
    --------
    >>> matched(np.array([1, 1, 0, -1]), np.array([0, 0, 1, 1]))
    array([ 0,  0,  1, -1])
    """
    given, wanted = np.asarray(labels), np.asarray(others)
    result = np.full(given.shape, -1, dtype=np.int64)
    k, m = max(int(given.max()) + 1, 0), max(int(wanted.max()) + 1, 0)
    counts = np.zeros((k, m))
    both = (given >= 0) & (wanted >= 0)
    np.add.at(counts, (given[both], wanted[both]), 1.0)
    rows, columns = linear_sum_assignment(-counts) if counts.size else (np.array([], int), np.array([], int))
    names = dict(zip(rows.tolist(), columns.tolist()))
    fresh = iter(range(m, m + k))
    for label in range(k):
        result[given == label] = names[label] if label in names else next(fresh)
    return result


def _label_colors(labels: Any) -> Array:
    """Segments as colors, (height, width, 3)."""
    table = np.array(
        [to_rgb(class_color(c)) for c in range(max(int(labels.max()) + 1, 1))] + [to_rgb("#D0D0D0")]
    )
    return np.asarray(table[np.where(labels >= 0, labels, -1)])
