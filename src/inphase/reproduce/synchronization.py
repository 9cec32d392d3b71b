"""Figures and lemmas of [PRY], functions () -> (figure, numbers): what the figure draws, JSON-ready.

[PRY]: Polyanskiy, Rigollet, Yao, *Synchronization of mean-field models on the circle* (2025),
arXiv 2507.22857.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from inphase.interaction import attention

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def attention_interaction() -> tuple[Figure, dict[str, Any]]:
    """[PRY], first figure: f and f' for attention at β = 2, with τ(2) = 0.6749.

    Drawn from the paper's statements; its own picture was not at hand.
    """
    from inphase.report.figures import interaction_figure

    f = attention(2.0)
    x = np.linspace(-np.pi, np.pi, 201)
    numbers = {
        "beta": 2.0,
        "attraction_range": f.attraction_range,
        "x": x.tolist(),
        "f": f(x).tolist(),
        "derivative": f.derivative()(x).tolist(),
    }
    return interaction_figure(f), numbers


def _crossing(largest_gap: float) -> float:
    """The negative β at which the ratio of attention is 1, for M = `largest_gap`; floats, to about 1e-12."""
    from scipy.optimize import brentq

    return float(
        brentq(lambda beta: attention(beta).synchronization_ratio(largest_gap) - 1, -0.5, 0.0, xtol=1e-14)
    )


def attention_ratio() -> tuple[Figure, dict[str, Any]]:
    """[PRY], second figure: attention's synchronization ratio against β, where it crosses 1, and its limit.

    4 (1 + τ/M) f'(0)/(τ ∫|f'''|_+) for M = π and M = 2π; the crossings lie at β = −0.2616 and −0.1921, the
    limit β → ∞ is 1.1396 for both. Drawn from the paper's statements; its own picture was not at hand.
    """
    from inphase.report.figures import attention_ratio_figure, ratio_curves
    from inphase.theory import attention_ratio_limit

    beta = np.concatenate([np.linspace(-1, 1, 201), np.linspace(1, 20, 96)[1:]])
    curves = ratio_curves(attention(1.0), "beta", beta)
    crossings = {"pi": _crossing(np.pi), "two_pi": _crossing(2 * np.pi)}
    limit = attention_ratio_limit()
    numbers = {
        "beta": beta.tolist(),
        "ratio": {"pi": curves["pi"].tolist(), "two_pi": curves["two_pi"].tolist()},
        "crossings": crossings,
        "limit": limit,
    }
    return attention_ratio_figure(curves, crossings, limit), numbers


def lemmas_table() -> tuple[Figure, dict[str, Any]]:
    """[PRY], appendices A to C: each lemma verified in balls on its whole range, or its failure; a table."""
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

    from inphase.certify import lemmas

    found = lemmas()
    rows = [
        [lemma.name, lemma.range, "verified" if lemma.verified else "FAILED", lemma.how] for lemma in found
    ]
    figure = Figure(figsize=(10, 0.28 * (len(rows) + 1)))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    table = axes.table(
        rows, colLabels=["lemma", "range", "verdict", "how"], cellLoc="left", colLoc="left",
        bbox=Bbox.from_bounds(0.01, 0.01, 0.98, 0.98),
        colWidths=[0.06, 0.14, 0.09, 0.71], edges="horizontal",
    )  # fmt: skip
    table.auto_set_font_size(False)
    table.set_fontsize(9)
    numbers = {
        "proof": all(lemma.verified for lemma in found),
        "lemmas": [
            {
                "name": lemma.name,
                "range": lemma.range,
                "statement": lemma.statement,
                "verified": lemma.verified,
                "how": lemma.how,
            }
            for lemma in found
        ],
    }
    return figure, numbers
