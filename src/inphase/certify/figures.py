"""Figures of the theory: ratios of the criteria along β, thresholds of three clusters against n^(−1/2)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from flint import arb

from inphase.certify.crossings import CRITERIA
from inphase.certify.thresholds import Threshold
from inphase.interaction import attention


def _canvas() -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    canvas = Figure(figsize=(6.4, 4.4), layout="constrained")
    return canvas, canvas.add_subplot()


def ratios(path: str | os.PathLike[str], lo: float = -0.6, hi: float = 0.2, points: int = 161) -> None:
    """Draw the criteria's ratios for attention along β, in floats, with the crossings; above 1 it proves."""
    canvas, axes = _canvas()
    betas = np.linspace(lo, hi, points)
    curves: dict[str, list[float]] = {name: [] for name in CRITERIA}
    for beta in betas:
        f = attention(float(beta))
        tau, slope = f.attraction_range, float(f.derivative()(0.0))
        steps = np.diff((f.derivative(2) + f)(np.linspace(-np.pi, np.pi, 20_001)))
        # the second is 0 at β = 0
        rises = (f.positive_variation, max(float(np.sum(steps[steps > 0])), 1e-9))
        for name, criterion in CRITERIA.items():
            value = float(criterion.ratio(arb(tau), arb(slope), arb(rises[criterion.slope_weight])))
            curves[name].append(value if beta <= 0 or not criterion.neighbors else np.nan)
    for name, curve in curves.items():
        (line,) = axes.plot(betas, np.minimum(curve, 6), label=f"{name}: {CRITERIA[name].crossing:.6f}")
        axes.plot(CRITERIA[name].crossing, 1, "o", color=line.get_color(), markersize=4)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.axvspan(-2 / 3, 0, alpha=0.08, color="green", label="cluster count: −2/3")
    axes.set(
        xlabel="β",
        ylabel="ratio (at least 1: synchronizes)",
        xlim=(-0.68, hi),
        ylim=(0, 3),
        title="Criteria for attention",
    )
    axes.legend(fontsize="small")
    canvas.savefig(path, dpi=150)


def against_n(found: Sequence[Threshold], path: str | os.PathLike[str]) -> None:
    """Draw thresholds |β|_n − 2/3 against n^(−1/2), by n mod 3."""
    canvas, axes = _canvas()
    for rest, marker in ((1, "o"), (2, "s")):
        chosen = [t for t in found if t.n % 3 == rest]
        axes.plot(
            [t.n**-0.5 for t in chosen],
            [float(t.hi) - 2 / 3 for t in chosen],
            marker,
            markersize=4,
            label=f"n = {rest} mod 3",
        )
    axes.set(
        xlabel="n^(−1/2)",
        ylabel="|β|_n − 2/3",
        xlim=(0, None),
        ylim=(0, None),
        title="Stable three-cluster states",
    )
    axes.legend()
    canvas.savefig(path, dpi=150)
