"""Experiments of papers, by name: `reproduce("fig1", "figures")` draws one and writes its numbers beside it.

To add an experiment, write a function that returns a figure and the numbers drawn (JSON-ready), and give it an entry in
`EXPERIMENTS`.

[PRY]: Polyanskiy, Rigollet, Yao, *Synchronization of mean-field models on the circle* (2025), arXiv 2507.22857.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inphase.files import output_folder, replace_file, write_text
from inphase.interaction import attention
from inphase.provenance import version

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "Experiment", "reproduce"]


@dataclass(frozen=True)
class Experiment:
    """One experiment of a paper.

    Parameters
    ----------
    name : str
        What `reproduce` calls it; the stem of its files.
    description : str
        One line.
    draw : callable
        () -> (figure, numbers): the figure, and what it draws as a JSON-ready dict.
    """

    name: str
    description: str
    draw: Callable[[], tuple[Figure, dict[str, Any]]]


def reproduce(name: str, out: str | os.PathLike[str]) -> dict[str, Path]:
    """Draw an experiment of a paper and write the figure and its numbers.

    Parameters
    ----------
    name : str
        A key of `EXPERIMENTS`.
    out : path
        The folder, made if need be.

    Returns
    -------
    dict
        "png", "svg" and "json": the files, NAME.png, NAME.svg and NAME.json. Each is written beside and renamed.

    Raises
    ------
    ValueError
        If there is no experiment of that name.
    OSError
        If the folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sorted(path.name for path in reproduce("fig1", folder).values())
    ['fig1.json', 'fig1.png', 'fig1.svg']
    """
    if name not in EXPERIMENTS:
        raise ValueError(f"experiment must be one of {sorted(EXPERIMENTS)}; got {name!r}")
    folder = output_folder(out)
    from inphase.report.style import png, svg

    experiment = EXPERIMENTS[name]
    figure, numbers = experiment.draw()
    about = {"name": name, "description": experiment.description, "inphase_version": version(), "proof": False}
    return {
        "png": replace_file(folder / f"{name}.png", lambda path: path.write_bytes(png(figure))),
        "svg": replace_file(folder / f"{name}.svg", lambda path: path.write_bytes(svg(figure))),
        "json": write_text(folder / f"{name}.json", json.dumps(about | numbers, indent=1) + "\n"),
    }


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

    return float(brentq(lambda beta: attention(beta).synchronization_ratio(largest_gap) - 1, -0.5, 0.0, xtol=1e-14))


def attention_ratio() -> tuple[Figure, dict[str, Any]]:
    """[PRY], second figure: the synchronization ratio of attention against β, where it crosses 1, and its limit.

    4 (1 + τ/M) f'(0)/(τ ∫|f'''|_+) for M = π and M = 2π; the crossings lie at β = −0.2616 and −0.1921, the limit β → ∞ is
    1.1396 for both. Drawn from the paper's statements; its own picture was not at hand.
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
    """[PRY], appendices A to C: each lemma verified in ball arithmetic over its whole range, or its failure, as a table."""
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

    from inphase.certify import lemmas

    found = lemmas()
    rows = [[lemma.name, lemma.range, "verified" if lemma.verified else "FAILED", lemma.how] for lemma in found]
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


EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        Experiment("fig1", "[PRY] attention at β = 2: f, f′ and the attraction range τ", attention_interaction),
        Experiment("fig2", "[PRY] the synchronization ratio of attention against β", attention_ratio),
        Experiment("lemmas", "[PRY] lemmas A.1 to C.6, verified in ball arithmetic", lemmas_table),
    )
}
