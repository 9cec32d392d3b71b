"""Experiments of papers, by name: `reproduce("fig1", "figures")` carries one out and writes what it found.

To add a figure, write a function that returns it and the numbers drawn (`synchronization.py`), and give it a
line in `EXPERIMENTS`; to add a longer experiment, a function of (folder, options) that returns its files
(`kuranet.py`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inphase.checks import integer
from inphase.files import OutputFolder, replace_file, write_text
from inphase.reproduce import synchronization
from inphase.reproduce.options import Options
from inphase.status import Status
from inphase.version import version

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "Experiment", "Options", "reproduce"]


@dataclass(frozen=True)
class Experiment:
    """One experiment of a paper.

    Parameters
    ----------
    name : str
        What `reproduce` calls it; the stem of its files.
    description : str
        One line.
    run : callable
        (name, description, folder, options) -> files by kind.
    """

    name: str
    description: str
    run: Callable[[str, str, Path, Options], dict[str, Path]]


def reproduce(
    name: str,
    out: str | os.PathLike[str],
    *,
    quick: bool = False,
    data: str | os.PathLike[str] | None = None,
    seed: int = 0,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Callable[[str], object] | None = None,
) -> dict[str, Path]:
    """Carry out an experiment of a paper and write what was found.

    Parameters
    ----------
    name : str
        A key of `EXPERIMENTS`.
    out : path
        The folder, made if need be. A long experiment that was killed goes on from what it has left there.
    quick : bool
        Of a long experiment, a trial of a few minutes; its figures are not those of the method.
    data : path, optional
        The folder of BSDS500, for images.
    seed : int
        Of long experiments.
    workers : int, optional
        Processes of long experiments; as many as processors if not given.
    overwrite : bool
        Write into a folder that holds other files than those of experiments.
    progress : callable, optional
        Called with lines of text.

    Returns
    -------
    dict
        The files. A figure: "png", "svg" and "json". A table: "html", "json" and "figures", the folder of its
        figures. Each is written beside and renamed.

    Raises
    ------
    ValueError
        If there is no experiment of that name, or it needs data that are not given.
    OSError
        If the folder cannot be written to or is not one of experiments, another process writes there, or data
        cannot be read.
    KeyboardInterrupt
        After Ctrl-C; what a long experiment has trained and measured stays.
    ImportError
        If it needs an extra that is not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sorted(path.name for path in reproduce("fig1", folder).values())
    ['fig1.json', 'fig1.png', 'fig1.svg']
    """
    if name not in EXPERIMENTS:
        raise ValueError(f"experiment must be one of {sorted(EXPERIMENTS)}; got {name!r}")
    processes = (os.cpu_count() or 1) if workers is None else integer("workers", workers, least=1)
    place = None if data is None else Path(data)
    experiment, names = EXPERIMENTS[name], (f"{name}.*", f"{name}-figures/*")
    folder = OutputFolder(out, "reproduce", names, overwrite=overwrite, shared=True)

    def begin(status: Status) -> None:
        folder.status, folder.about = status, {"experiment": name}
        folder.begin()

    options = Options(quick, place, integer("seed", seed, least=0), processes, progress, begin)
    with folder:
        return experiment.run(name, experiment.description, folder.path, options)


def _figure(
    draw: Callable[[], tuple[Figure, dict[str, Any]]], name: str, about: str, folder: Path, options: Options
) -> dict[str, Path]:
    from inphase.report.style import png, svg

    figure, numbers = draw()
    told = {"name": name, "description": about, "inphase_version": version(), "proof": False}
    options.begin(Status.FINISHED)
    return {
        "png": replace_file(folder / f"{name}.png", lambda path: path.write_bytes(png(figure))),
        "svg": replace_file(folder / f"{name}.svg", lambda path: path.write_bytes(svg(figure))),
        "json": write_text(folder / f"{name}.json", json.dumps(told | numbers, indent=1) + "\n"),
    }


def _kuranet(name: str, description: str, folder: Path, options: Options) -> dict[str, Path]:
    from inphase.reproduce.kuranet_job import carry_out

    return carry_out(name, description, folder, options)


EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            "fig1",
            "[PRY] attention at β = 2: f, f′ and the attraction range τ",
            partial(_figure, synchronization.attention_interaction),
        ),
        Experiment(
            "fig2",
            "[PRY] the synchronization ratio of attention against β",
            partial(_figure, synchronization.attention_ratio),
        ),
        Experiment(
            "lemmas",
            "[PRY] lemmas A.1 to C.6, verified in ball arithmetic",
            partial(_figure, synchronization.lemmas_table),
        ),
        Experiment(
            "kuranet-table1",
            "[KuraNet] global synchrony under disorder: Cases I, II, III, trained anew",
            _kuranet,
        ),
        Experiment(
            "kuranet-table2", "[KuraNet] clusters: Moons, Circles, Spirals, Gaussians, trained anew", _kuranet
        ),
        Experiment(
            "kuranet-images",
            "[KuraNet] nine images of BSDS500 (--data), trained anew and segmented",
            _kuranet,
        ),
    )
}
