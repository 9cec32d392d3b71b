"""The figures of mean-field studies: each function takes what it draws and returns a matplotlib `Figure`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from inphase import expression as ex
from inphase.interaction import Interaction
from inphase.report.branches import branches, curve, drawn_share
from inphase.report.style import (
    BLUE,
    DENSITY,
    GRAY,
    INK,
    LINES_UP_TO,
    NOT_A_PROOF,
    PALE,
    RED,
    angle_ticks,
    fitted_title,
    styled,
)
from inphase.report.words import formula, symbol, values

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

# ------------------------------------------------------------------------------------------------ interaction


@styled
def interaction_figure(interaction: Interaction) -> Figure:
    """f and f' on [−π, π], with the attraction range τ shaded.

    Parameters
    ----------
    interaction : Interaction
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    slope = interaction.derivative()
    near = np.pi * np.geomspace(1e-4, 1, 500)  # narrow interactions live close to 0
    x = np.unique(np.concatenate([-near, np.linspace(-np.pi, np.pi, 1001), near]))
    upper.plot(x, interaction(x), color=BLUE, gid="f")
    lower.plot(x, slope(x), color=RED, gid="slope")
    attracts = float(slope(0.0)) > 0
    tau = interaction.attraction_range
    for axes in (upper, lower):
        axes.axhline(0, color=GRAY, lw=0.6, zorder=0)
        axes.margins(y=0.12)
        if attracts:
            axes.axvspan(-tau, tau, color=PALE, lw=0, zorder=-2, gid="range")
            if tau < np.pi:
                for side in (-tau, tau):
                    axes.axvline(side, color=GRAY, lw=0.9, ls=(0, (4, 3)), zorder=-1, gid="tau")
    upper.set(ylabel="f(x)", xlim=(-np.pi, np.pi))
    lower.set(ylabel="f′(x)", xlabel="phase difference x (rad)")
    angle_ticks(lower.xaxis, -np.pi, np.pi)
    note = f"f′ < 0 beyond τ = {tau:.4f}" if tau < np.pi else "f′ is not negative at π: τ = π"
    if not attracts:
        note = "f′(0) ≤ 0: no attraction at short distance"
    upper.set_title(note, loc="right", fontsize=9, color=GRAY)
    with_values = f",  {values(interaction)}" if interaction.parameters else ""
    math = f"$f(x) = {formula(interaction)}$"
    fitted_title(
        figure, [math + with_values, math, f"f: {interaction.name}{with_values}", f"f: {interaction.name}"]
    )
    return figure


# -------------------------------------------------------------------------------------- synchronization ratio


def ratio_curves(interaction: Interaction, parameter: str, at: ArrayLike) -> dict[str, Array]:
    """The synchronization ratio for values of a parameter.

    Parameters
    ----------
    interaction : Interaction
    parameter : str
        One of its parameters.
    at : array_like, shape (p,)
        Values of the parameter.

    Returns
    -------
    dict
        "parameter", and "two_pi" and "pi", the ratio for the largest gap M = 2π and M = π, each of shape
        (p,). NaN where the interaction is bad or not odd; for M = π also where f is not sin x · h(cos x) with
        h > 0. Floats, not proofs.
    """
    points = np.asarray(at, dtype=float)
    found = np.full((2, len(points)), np.nan)
    for i, value in enumerate(points):
        try:
            found[:, i] = ratios(interaction.with_parameters(**{parameter: float(value)}))
        except (ValueError, ArithmeticError):
            continue
    return {"parameter": points, "two_pi": found[0], "pi": found[1]}


def ratios(interaction: Interaction) -> tuple[float, float]:
    """The synchronization ratio for M = 2π and M = π, in floats.

    NaN where f is not odd, or has no h > 0 for M = π.
    """
    with np.errstate(all="ignore"):
        _ = interaction.modes  # ValueError where f is not analytic on the circle
        if not interaction.odd:
            return np.nan, np.nan
        profile = interaction.profile
        positive = profile is not None and bool(np.min(profile(np.linspace(0, np.pi, 257))) > 0)
        ratio = interaction.synchronization_ratio
        return ratio(2 * np.pi), ratio(np.pi) if positive else np.nan


def _draw_ratio_curves(axes: Axes, curves: Mapping[str, Array]) -> None:
    for key, color, style, label in (
        ("pi", BLUE, "-", "M = π"),
        ("two_pi", RED, (0, (5, 2)), "M = 2π"),
    ):
        if np.any(np.isfinite(curves[key])):
            axes.plot(curves["parameter"], curves[key], color=color, ls=style, label=label, gid=key)
    axes.axhline(1, color=INK, lw=0.8, zorder=1, gid="one")
    axes.set(ylabel="synchronization ratio")


@styled
def ratio_figure(interaction: Interaction, parameter: str | None = None) -> Figure:
    """The synchronization ratio around a parameter's value; at 1 or above, the L1 criterion proves sync.

    4 (1 + τ/M) f'(0)/(τ ∫|f'''|_+), for M = 2π (always allowed) and M = π (for f = sin x · h(cos x), h > 0).
    Where f has no parameter, the two numbers as bars.

    Parameters
    ----------
    interaction : Interaction
        Odd: the criterion is about gradient flows.
    parameter : str, optional
        The first one by default.

    Raises
    ------
    ValueError
        If f is not odd, or has no parameter of that name.
    """
    if not interaction.odd:
        raise ValueError(
            f"the L1 criterion needs an odd interaction; {ex.shortened(interaction.name)} is not"
        )
    if parameter is not None and parameter not in interaction.parameters:
        raise ValueError(f"parameter must be one of {sorted(interaction.parameters)}; got {parameter!r}")
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.add_subplot()
    if interaction.parameters:
        _ratio_around(axes, interaction, parameter or next(iter(interaction.parameters)))
    else:
        _ratio_bars(axes, interaction)
    axes.set_title(NOT_A_PROOF, loc="right", fontsize=8.5, color=GRAY, style="italic")
    return figure


def _ratio_around(axes: Axes, interaction: Interaction, parameter: str) -> None:
    now = interaction.parameters[parameter]
    low, high = min(-1.0, 1.5 * now), max(2.0, 1.5 * now)
    curves = _curves_around(interaction, parameter, now, low, high)
    low, high = curves["parameter"][[0, -1]]
    _draw_ratio_curves(axes, curves)
    here = int(np.searchsorted(curves["parameter"], now))
    axes.axvline(now, color=GRAY, lw=0.9, ls=(0, (1, 2)), zorder=0, gid="now")
    for key, color in (("pi", BLUE), ("two_pi", RED)):
        if np.isfinite(curves[key][here]):
            axes.plot(
                now, curves[key][here], "o", color=color, ms=6, mec="white", mew=1, zorder=5, gid=f"now_{key}"
            )
    top = np.nanmax([*curves["pi"], *curves["two_pi"], 1.0])
    axes.set(xlim=(low, high), ylim=(0, 1.18 * top), xlabel=symbol(parameter))
    axes.fill_between([low, high], 1, 1.18 * top, color=PALE, lw=0, zorder=-2)
    axes.annotate(
        f"{symbol(parameter)} = {now:.4g}".replace("-", "−"),
        (now, 1.18 * top), xytext=(4, -4), textcoords="offset points", ha="left", va="top", color=INK,
    )  # fmt: skip
    others = {name: value for name, value in interaction.parameters.items() if name != parameter}
    held = ", ".join(f"{symbol(name)} = {value:.4g}" for name, value in others.items())
    if len(held) > 60:
        held = "other parameters held"
    axes.set_title(held, loc="left", fontsize=9)
    axes.legend(loc="lower right", title=None)
    if not np.nanmax([*curves["pi"], *curves["two_pi"], 0.0]) > 0:
        axes.text(
            0.5,
            0.4,
            "0 throughout: f′(0) ≤ 0, no attraction at short distance",
            ha="center",
            transform=axes.transAxes,
        )


def _curves_around(
    interaction: Interaction, parameter: str, now: float, low: float, high: float, piece: int = 8
) -> dict[str, Array]:
    """`ratio_curves` outward from `now`, as far as the interaction is good (a bad one is slow to tell)."""
    window = np.linspace(low, high, 121)
    near = window[np.abs(window) < 0.25 * (high - low)]
    points = np.union1d(window, (near[:-1] + near[1:]) / 2)
    parts = [ratio_curves(interaction, parameter, [now])]
    for side in (points[points < now][::-1], points[points > now]):
        for i in range(0, len(side), piece):
            part = ratio_curves(interaction, parameter, side[i : i + piece])
            if not np.any(np.isfinite(part["two_pi"])):
                break
            parts.append(part)
    order = np.argsort(np.concatenate([part["parameter"] for part in parts]))
    return {key: np.concatenate([part[key] for part in parts])[order] for key in parts[0]}


def _ratio_bars(axes: Axes, interaction: Interaction) -> None:
    two_pi, pi = ratios(interaction)
    bars = [("M = 2π", two_pi, RED), ("M = π", pi, BLUE)]
    bars = [bar for bar in bars if np.isfinite(bar[1])]
    top = 1.25 * max(1.0, *(value for _, value, _ in bars))
    for i, (_, value, color) in enumerate(bars):
        axes.barh(i, value, height=0.5, color=color, alpha=0.85, gid="bar")
        axes.text(value + 0.01 * top, i, f"{value:.4f}", va="center")
    axes.axvspan(1, top, color=PALE, lw=0, zorder=-2)
    axes.axvline(1, color=INK, lw=0.8, gid="one")
    axes.set_yticks(range(len(bars)), [name for name, _, _ in bars])
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel="synchronization ratio", xlim=(0, top), ylim=(-0.7, len(bars) - 0.3))


@styled
def attention_ratio_figure(
    curves: Mapping[str, Array], crossings: Mapping[str, float], limit: float
) -> Figure:
    """The synchronization ratio of attention against β, with its crossings of 1 and its limit for large β.

    Parameters
    ----------
    curves : mapping
        From `ratio_curves`.
    crossings : mapping
        "pi" and "two_pi": the β at which the ratio is 1.
    limit : float
        The limit β → ∞, of both.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    whole, near = figure.subplots(1, 2, sharey=True, width_ratios=[1.15, 1])
    beta = curves["parameter"]
    top = 1.1 * float(np.nanmax(curves["pi"]))
    for axes in (whole, near):
        _draw_ratio_curves(axes, curves)
        axes.axhspan(1, top, color=PALE, lw=0, zorder=-2)
        axes.set(xlabel="β", ylim=(0, top))
    whole.set_xlim(beta[0], beta[-1])
    whole.axhline(limit, color=GRAY, lw=0.9, ls=(0, (1, 2)), zorder=1, gid="limit")
    whole.annotate(
        f"limit {limit:.5f}",
        (beta[-1], limit),
        xytext=(0, -4),
        textcoords="offset points",
        ha="right",
        va="top",
        color=GRAY,
    )
    whole.legend(loc="lower right")
    near.set(xlim=(-0.45, 0.15), ylabel="")
    near.xaxis.set_major_locator(FixedLocator([-0.4, -0.2, 0.0]))
    for key, color, side, offset in (("pi", BLUE, "right", (-9, 6)), ("two_pi", RED, "left", (9, -7))):
        near.plot(
            crossings[key], 1, "o", color=color, ms=6, mec="white", mew=1, zorder=5, gid=f"crossing_{key}"
        )
        near.annotate(
            f"{crossings[key]:.6f}".replace("-", "−"), (crossings[key], 1), xytext=offset, textcoords="offset points",
            ha=side, va="bottom" if side == "right" else "top", color=color,
        )  # fmt: skip
    near.set_title(NOT_A_PROOF, loc="right", fontsize=8.5, color=GRAY, style="italic")
    return figure


# ------------------------------------------------------------------------------------------------- experiment


def wrapped_line(time: Array, phase: Array) -> tuple[Array, Array]:
    """A phase, not wrapped, as a line on [−π, π) that leaves at one edge and enters at the other.

    Parameters
    ----------
    time, phase : ndarray, shape (T,)

    Returns
    -------
    time, phase : ndarray
        With NaN between the pieces.
    """
    turn = np.floor((phase + np.pi) / (2 * np.pi))
    wrapped = phase - 2 * np.pi * turn
    jump = np.flatnonzero(np.diff(turn) != 0)
    if not len(jump):
        return time, wrapped
    up = np.sign(turn[jump + 1] - turn[jump])
    edge = np.pi * up
    border = edge + 2 * np.pi * turn[jump]  # where the turn is left
    share = np.clip((border - phase[jump]) / (phase[jump + 1] - phase[jump]), 0, 1)
    crossing = time[jump] + share * (time[jump + 1] - time[jump])
    at = np.repeat(jump + 1, 3)
    gap = np.full(len(jump), np.nan)
    return (
        np.insert(time, at, np.column_stack([crossing, crossing, crossing]).ravel()),
        np.insert(wrapped, at, np.column_stack([edge, gap, -edge]).ravel()),
    )


def _density(phase: Array, bins: int) -> Array:
    """Density of phases (T, n) relative to the uniform one, (T, bins) from −π."""
    rows = []
    for row in phase:
        index = np.floor((row + np.pi) * (bins / (2 * np.pi))).astype(np.int64) % bins
        rows.append(np.bincount(index, minlength=bins) * (bins / len(row)))
    return np.array(rows)


@styled
def trajectory_figure(run: xr.Dataset) -> Figure:
    """Phases in time, lines for few oscillators and their density for many, over the order parameter |R|.

    Parameters
    ----------
    run : xarray.Dataset
        From `inphase.simulate`: one run, without replicas.

    Raises
    ------
    ValueError
        If the run has replicas, or kept no time.
    """
    if set(run.phase.dims) != {"time", "oscillator"}:
        raise ValueError(f"trajectory_figure draws one run: phase(time, oscillator); got {run.phase.dims}")
    if run.sizes["time"] == 0:
        raise ValueError("the run kept no time: nothing to draw")
    time, phase = run.time.values, run.phase.transpose("time", "oscillator").values
    figure = Figure(figsize=(7, 4.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.6, 1])
    if phase.shape[1] <= LINES_UP_TO:
        _draw_lines(upper, time, phase)
    else:
        _draw_density(figure, upper, time, phase)
    upper.set(ylim=(-np.pi, np.pi), ylabel="phase (rad)")
    angle_ticks(upper.yaxis, -np.pi, np.pi)
    marker = "o" if len(time) < 3 else None
    lower.plot(time, run.order_parameter.values, color=BLUE, gid="order", clip_on=False, marker=marker)
    lower.set(xlabel="time", ylabel="|R|", ylim=(0, 1), yticks=[0, 0.5, 1])
    if time[-1] > time[0]:
        lower.set_xlim(time[0], time[-1])
    figure.align_ylabels([upper, lower])
    return figure


def _draw_lines(axes: Axes, time: Array, phase: Array) -> None:
    n = phase.shape[1]
    pieces = []
    for j in range(n):
        t, x = wrapped_line(time, phase[:, j])
        breaks = np.flatnonzero(np.isnan(x))
        for part_t, part_x in zip(np.split(t, breaks), np.split(x, breaks)):
            keep = np.isfinite(part_x)
            pieces.append(np.column_stack([part_t[keep], part_x[keep]]))
    width = 1.2 if n <= 20 else 0.8
    lines = LineCollection(
        pieces, colors=BLUE, linewidths=width, alpha=float(np.clip(12 / n, 0.45, 0.9)), gid="phases"
    )
    axes.add_collection(lines)


def _draw_density(figure: Figure, axes: Axes, time: Array, phase: Array) -> None:
    bins = int(np.clip(phase.shape[1] // 80, 120, 360))
    density = _density(phase, bins)
    edges = np.concatenate([[time[0]], (time[1:] + time[:-1]) / 2, [time[-1]]])
    if len(time) == 1:
        edges = np.array([time[0], time[0] + 1])
    top = max(float(np.max(density)), 10.0)
    mesh = axes.pcolormesh(
        edges,
        np.linspace(-np.pi, np.pi, bins + 1),
        np.maximum(density.T, 0.3),
        cmap=DENSITY,
        norm=LogNorm(0.3, top),
        rasterized=True,
        gid="density",
    )
    bar = figure.colorbar(mesh, ax=axes, pad=0.015, aspect=18, label="density (uniform = 1)")
    bar.outline.set_linewidth(0)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    bar.ax.yaxis.set_minor_formatter(NullFormatter())


@styled
def phase_circle_figure(run: xr.Dataset) -> Figure:
    """The phases on the circle at a run's start and end: points for few, a rose of their density for many.

    Parameters
    ----------
    run : xarray.Dataset
        From `inphase.simulate`: one run, without replicas.
    """
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    time, phase = run.time.values, run.phase.transpose("time", "oscillator").values
    for place, i in enumerate((0, -1)):
        axes = figure.add_subplot(1, 2, place + 1)
        R = complex(np.mean(np.exp(1j * phase[i])))
        around = np.linspace(0, 2 * np.pi, 361)
        axes.plot(np.cos(around), np.sin(around), color=GRAY, lw=0.7)
        if phase.shape[1] <= LINES_UP_TO:
            axes.plot(
                np.cos(phase[i]), np.sin(phase[i]), "o", color=BLUE, ms=5, alpha=0.6, mew=0, clip_on=False
            )
        else:
            bins = 120
            share = _density(phase[i : i + 1 or None], bins)[0]
            radius = 1 + 0.35 * np.log1p(share) / np.log1p(max(float(np.max(share)), 1.0))
            angle = -np.pi + 2 * np.pi * (np.repeat(np.arange(bins), 2) + np.tile([0, 1], bins)) / bins
            outer = np.repeat(radius, 2)
            ring = np.concatenate([[*zip(outer * np.cos(angle), outer * np.sin(angle))],
                                   [*zip(np.cos(angle[::-1]), np.sin(angle[::-1]))]])  # fmt: skip
            axes.fill(ring[:, 0], ring[:, 1], color=BLUE, alpha=0.75, lw=0)
        axes.annotate(
            "",
            (R.real, R.imag),
            (0, 0),
            arrowprops={"arrowstyle": "-|>", "color": RED, "lw": 1.4, "shrinkA": 0},
        )
        axes.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), aspect="equal")
        axes.set_title(f"time {time[i]:.4g},  |R| = {abs(R):.4g}")
        axes.set_axis_off()
    return figure


# ------------------------------------------------------------------------------------------------ merger tree


def _count_steps(tree: xr.Dataset) -> tuple[Array, Array]:
    """Number of clusters after each moment, (time, clusters), without the steps that no eye can see."""
    time = np.concatenate([[0.0], tree.time.values])
    count = np.concatenate([[tree.sizes["oscillator"]], tree.clusters.values]).astype(float)
    level = np.floor(np.log(count) * 150)
    seen = np.append(np.diff(level) != 0, True) | (count <= 150)
    seen[0] = True
    return time[seen], count[seen]


@styled
def tree_figure(tree: xr.Dataset, initial: ArrayLike | None = None) -> Figure:
    """The merger tree and the number of clusters on a logarithmic time axis.

    Parameters
    ----------
    tree : xarray.Dataset
        From `inphase.coarsen`.
    initial : array_like, shape (n,), optional
        The phases at time 0, from which the oscillators' lines start.

    Notes
    -----
    A line is a cluster, from its birth until it merges, wider the heavier it is. Once few clusters are left
    their ways are known; before that, positions at mergers are joined by lines straight in time. For many
    oscillators, clusters with less than 1 % of the mass are not drawn, and the title says so.
    """
    drawn, share = branches(tree, initial), drawn_share(tree)
    figure = Figure(figsize=(7, 4.8), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.4, 1])
    left, right = _time_window(tree, [float(b.time[0]) for b in drawn if b.time[0] > 0])
    lines, widths = [], []
    low, high = (np.inf, -np.inf) if drawn else (0.0, 2 * np.pi)  # early on, none may be heavy enough
    for branch in drawn:
        time, position = curve(branch, left)
        if branch.ends == "left":
            time, position = np.append(time, max(right, time[-1])), np.append(position, position[-1])
        lines.append(np.column_stack([time, position]))
        widths.append(0.6 + 5.0 * float(np.sqrt(branch.mass)))
        low, high = min(low, float(np.min(position))), max(high, float(np.max(position)))
    upper.add_collection(
        LineCollection(lines, colors=BLUE, linewidths=widths, alpha=0.9, capstyle="round", gid="clusters")
    )
    long = (right / left) ** 0.03  # the first mergers of many clusters crowd; their lines show them
    ends = [
        (b.time[-1], b.position[-1])
        for b in drawn
        if b.ends == "merged" and b.time[-1] > long * max(b.time[0], left)
    ]
    upper.plot(*np.array(ends).reshape(-1, 2).T, "o", color=INK, ms=2.6, mew=0, zorder=3, gid="mergers")
    middle, half = (low + high) / 2, max((high - low) / 2 * 1.06, 0.8)
    upper.set(xscale="log", xlim=(left, right), ylim=(middle - half, middle + half), ylabel="position (rad)")
    angle_ticks(upper.yaxis, middle - half, middle + half)
    upper.set_title(
        f"clusters with at least {100 * share:g} % of the mass; width grows with mass"
        if share
        else "every cluster; width grows with mass",
        loc="left", fontsize=9, color=GRAY,
    )  # fmt: skip
    time, count = _count_steps(tree)
    lower.step(
        np.append(np.maximum(time, left), right),
        np.append(count, count[-1]),
        where="post",
        color=RED,
        gid="count",
    )
    visible = count[np.searchsorted(time, left, side="right") - 1 :]
    lower.set(yscale="log", xlabel="time", ylabel="clusters", ylim=(0.8, 1.3 * max(float(visible[0]), 2.0)))
    lower.yaxis.set_major_formatter(FuncFormatter(_count_label))
    lower.yaxis.set_minor_formatter(NullFormatter())
    short = right / left < 200
    lower.xaxis.set_major_locator(LogLocator(numticks=12, subs=(1, 2, 5) if short else (1,)))
    if short:
        lower.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    lower.xaxis.set_minor_formatter(NullFormatter())
    figure.align_ylabels([upper, lower])
    return figure


def _count_label(value: float, _: int) -> str:
    return f"{value:g}" if value < 1e4 else f"$10^{{{round(np.log10(value))}}}$"


def _time_window(tree: xr.Dataset, births: list[float]) -> tuple[float, float]:
    """Where the time axis begins (before the first event worth seeing) and ends, both positive."""
    events = tree.time.values[tree.time.values > 0]
    end = float(tree.attrs["time_reached"])
    if drawn_share(tree) == 0 and len(events):
        first = float(events[0])
    else:
        first = min(births, default=min(1.0, end / 100))
    first = first if first > 0 else 1.0
    last = max(end, first)
    if tree.attrs["status"] == "synchronized":
        last *= (last / first) ** 0.06 * 2
    return first / 2, max(last, 4 * first)


# ----------------------------------------------------------------------------------------------- growth rates


@styled
def growth_figure(growth: Mapping[str, Sequence[float | None]]) -> Figure:
    """Growth rates of the modes of the uniform state: predicted as bars, measured as points with error bars.

    Parameters
    ----------
    growth : mapping
        Lists "mode", "predicted", "measured" and "standard_error" (per time); measured and its error may be
        None.
    """
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.add_subplot()
    mode = np.array(growth["mode"], dtype=int)
    predicted, measured, error = (
        np.array([np.nan if v is None else v for v in growth.get(key) or [None] * len(mode)], dtype=float)
        for key in ("predicted", "measured", "standard_error")
    )
    axes.axhline(0, color=GRAY, lw=0.7)
    axes.bar(
        mode,
        predicted,
        width=0.62,
        color="#A9CCE3",
        edgecolor=BLUE,
        lw=0.9,
        label="predicted",
        gid="predicted",
    )
    seen = np.isfinite(measured)
    if np.any(seen):
        axes.errorbar(
            mode[seen], measured[seen], yerr=np.nan_to_num(error[seen]),
            fmt="o", color=RED, ms=4.5, lw=1.2, capsize=3, label="measured ± standard error", gid="measured",
        )  # fmt: skip
    axes.set(xlabel="mode k of the density", ylabel="growth rate (1/time)")
    if len(mode):
        spare = max(0.0, (5 - len(mode)) / 2)  # few bars stay narrow
        axes.set_xlim(mode[0] - 0.7 - spare, mode[-1] + 0.7 + spare)
    axes.xaxis.set_major_locator(
        FixedLocator(mode.tolist()) if len(mode) <= 16 else MaxNLocator(integer=True)
    )
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0.2)
    return figure
