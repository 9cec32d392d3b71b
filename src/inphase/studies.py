"""`study`, the main job: what is proved, what the spectrum says and what a run shows, for one system."""

from __future__ import annotations

import json
import os
import time as clock
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase import initial, observables, theory
from inphase.checks import finite_number
from inphase.description import FILE as PARTS_FILE
from inphase.evidence import certificate, summary
from inphase.files import OutputFolder, write_arrays, write_dataset, write_text
from inphase.model import PhaseModel, longest_delay
from inphase.report.words import values
from inphase.simulation import coarsen, simulate
from inphase.simulation.coarsening import coarsening_obstacle
from inphase.status import Status, worst

if TYPE_CHECKING:
    import xarray as xr

    from inphase.certify import Certificate
    from inphase.graphs import Graph

Array = NDArray[np.float64]
MOST_WATCHED = 10  # times the usual time of a run, where a graph relaxes slowly
RELAXED_UP_TO = 6000  # oscillators whose slowest mode is looked for
KEPT = 24_000_000  # bytes of phases in trajectory.nc
FILES = ("report.html", "study.json", "trajectory.nc", "tree.nc", "proof.json", PARTS_FILE)
ROUNDING = 1e-14  # of k times f's largest Fourier mode: mode k does not grow if no faster, as for f = cos x
PROOF_TIME = 60.0  # seconds that the report waits for a proof, unless it is told otherwise


@dataclass
class Study:
    """The evidence on one system, and where it was written.

    Attributes
    ----------
    model, initial, seed, title
        What was studied: PhaseModel, phases (n,), int, str.
    graph : inphase.graphs.Graph or None
        Of the coupling, where one was given.
    run : xarray.Dataset
        The trajectory, from `simulate`.
    tree : xarray.Dataset or None
        The mergers, from `coarsen`, where equal phases stay equal, f attracts, and the run came to its end.
    growth : dict
        `mode`, `predicted`, `measured`, `standard_error` (lists): growth rates of the uniform state's Fourier
        modes.
    summary : dict
        JSON-ready: `question`, `answer`, `evidence` (each with `kind`, `statement`, `value`, `proof`),
        `numbers`, `versions`.
    chosen : dict
        The arguments of `study` that change the run, and were chosen beside model, n, seed and phases.
    files : dict
        Name -> path of what was written.
    """

    model: PhaseModel
    initial: Array
    seed: int
    title: str
    graph: Graph | None
    run: xr.Dataset
    tree: xr.Dataset | None
    growth: dict[str, list[Any]]
    summary: dict[str, Any]
    chosen: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def statuses(self) -> list[str]:
        """How the run, the tree and, after Ctrl-C, the search for a proof ended: see `inphase.status.Status`."""
        parts = [self.run] + ([] if self.tree is None else [self.tree])
        proof = self.summary.get("numbers", {}).get("proof_status")
        return [str(part.attrs["status"]) for part in parts] + [proof] * (proof == Status.INTERRUPTED)

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it."""
        return Status.INTERRUPTED in self.statuses


def study(
    model: PhaseModel,
    n: int | None = None,
    seed: int = 0,
    out: str | os.PathLike[str] | None = None,
    *,
    phases: ArrayLike | None = None,
    start: str = "uniform",
    options: dict[str, Any] | None = None,
    t_end: float | None = None,
    tolerance: float = 1e-8,
    step: float | None = None,
    graph: Graph | None = None,
    proof_time: float = PROOF_TIME,
    overwrite: bool = False,
    progress: bool = False,
    **how: Any,
) -> Study:
    """Does this system synchronize? Proof, spectrum and experiment, and a report.

    Parameters
    ----------
    model : PhaseModel
    n : int, optional
        Number of oscillators; the model's own, or 1000.
    seed : int
        Of the initial condition.
    out : path, optional
        A folder for report.html, study.json, trajectory.nc, tree.nc, proof.json, parts.npz and manifest.json, of
        which those of an earlier study go; nothing is written without it.
    phases : array_like, shape (n,), optional
        Initial phases; else drawn by the name `start` with `options` (see `inphase.initial`).
    t_end : float, optional
        End of the trajectory; if not given, long enough for clusters to form where the uniform state is
        unstable, else a multiple of the slowest time scale.
    tolerance : float
        Local error of `simulate`, radians per step.
    step : float, optional
        Constant step instead; with noise, a fiftieth of the coupling's time scale if not given.
    graph : inphase.graphs.Graph, optional
        The graph of the coupling, whose columns `x` and `y` place its nodes in the report's drawing.
    proof_time : float
        Seconds after which no proof is looked for any more; 0: none is. The report is written before, and
        once more with what was found.
    overwrite : bool
        Write into a folder that holds other files than an earlier study's.
    progress : bool
        Show bars.
    **how
        Further arguments of `simulate`: method, velocities, history.

    Returns
    -------
    Study
        After Ctrl-C in the run, the tree or the search for a proof, with what there is, and `interrupted`.

    Raises
    ------
    ValueError, TypeError
        On bad input, before anything runs.
    OSError
        If the folder is not a study's own, another process writes there, or a file cannot be written; what
        was written before stays.

    Examples
    --------
    >>> import inphase as ip
    >>> result = ip.study(ip.PhaseModel(ip.attention(beta=2.0)), n=50)
    >>> result.summary["numbers"]["clusters_at_end"]
    1
    """
    began, seconds = clock.perf_counter(), finite_number("proof_time", proof_time, least=0.0)
    given = {"t_end": t_end, "step": step, **how} | ({} if tolerance == 1e-8 else {"tolerance": tolerance})
    given |= {} if seconds == PROOF_TIME else {"proof_time": seconds}
    if phases is None:
        phases = initial.phases(start, n if n is not None else (model.size or 1000), seed, **(options or {}))
    first = _one_start(model, phases)
    n = len(first)
    rates = _predicted_rates(model, n)
    end = _time_to_watch(model, rates, n) if t_end is None else t_end
    if step is None and model.has_noise:
        step = 0.02 * _time_scale(model, n)
    how |= {"tolerance": tolerance, "step": step, "seed": seed, "progress": progress}
    chosen = {name: value for name, value in given.items() if value is not None}
    with nullcontext() if out is None else OutputFolder(out, "study", FILES, overwrite=overwrite) as folder:
        run, tree, files = _experiment(model, first, end, folder, **how)
        title, growth = _title(model, n), _growth(run, rates)
        result = Study(model, first, seed, title, graph, run, tree, growth, {}, chosen, files)
        _conclude(result, rates, seconds, began, folder)
    return result


def _conclude(
    result: Study, rates: Array | None, seconds: float, began: float, folder: OutputFolder | None
) -> None:
    """The summary and the report: at first without a proof, where one is looked for, and then with it."""
    model, first = result.model, result.initial
    drawn: list[str] = []  # the figures, which a proof does not change

    def tell(proof: Certificate | None, status: str) -> None:
        if proof is not None or not result.summary:
            names = None if result.graph is None else result.graph.labels
            result.summary = summary(model, first, result.run, result.tree, rates, proof, names)
        result.summary["numbers"]["proof_status"] = status
        result.summary["numbers"]["wall_time_seconds"] = round(clock.perf_counter() - began, 2)
        if folder is not None:
            if proof is not None and proof.verdict != "undecided":
                result.files["proof"] = str(proof.save(folder.file("proof.json")))
            _write(result, folder, drawn)
            folder.status = worst(result.statuses)

    if result.interrupted or seconds == 0:
        return tell(None, "not sought")
    if folder is not None:
        tell(None, "pending")
    try:
        proof = certificate(model, len(first), seconds)
    except KeyboardInterrupt:
        return tell(None, Status.INTERRUPTED.value)
    return tell(proof, "not sought" if proof is None else proof.verdict)


def _one_start(model: PhaseModel, phases: ArrayLike) -> Array:
    """Initial phases as the model takes them; ValueError unless of shape (n,)."""
    first = model.check(phases)
    if first.ndim != 1:
        raise ValueError(f"phases must have shape (n,); got {first.shape}")
    return first


def _experiment(
    model: PhaseModel, first: Array, end: float, folder: OutputFolder | None, **how: Any
) -> tuple[xr.Dataset, xr.Dataset | None, dict[str, str]]:
    """The trajectory and, where it coarsens, the mergers, each written as soon as it is there; and the files."""
    files: dict[str, str] = {}
    run = simulate(model, first, times=_frames(end, len(first)), **how)
    if folder is not None:
        folder.about = {"model": json.loads(run.attrs["model"]), "n": len(first), "seed": how["seed"]}
        files["trajectory"] = str(write_dataset(folder.file("trajectory.nc"), run))
    merges = model.is_gradient and coarsening_obstacle(model, len(first)) is None
    if run.attrs["status"] != Status.FINISHED or not merges:
        return run, None, files
    tree = coarsen(model, first, t_end=1e14, progress=how["progress"])
    if folder is not None:
        files["tree"] = str(write_dataset(folder.file("tree.nc"), tree))
    return run, tree, files


def _frames(end: float, n: int) -> Array:
    """Output times from 0 to `end`, as many as fit into trajectory.nc; quarters of the run are among them."""
    return np.linspace(0.0, end, 1 + 4 * int(np.clip(KEPT // (32 * n), 1, 50)))


def _write(result: Study, folder: OutputFolder, drawn: list[str]) -> None:
    """study.json and the report; `drawn` has its figures, or takes them."""
    from inphase.report.page import again, page, plates  # Matplotlib loads only where something is drawn

    about = {"title": result.title, "seed": result.seed, "model": folder.about["model"]}
    if result.graph is not None and result.graph.source is not None:
        about["graph"] = str(result.graph.source)
    data = json.dumps(about | result.summary | {"growth": result.growth}, indent=1, ensure_ascii=False)
    result.files["study"] = str(write_text(folder.file("study.json"), data))
    arrays = again(result)[1].arrays
    if arrays:
        result.files["parts"] = str(write_arrays(folder.file(PARTS_FILE), arrays))
    if not drawn:
        drawn.append(plates(result))
    result.files["report"] = str(write_text(folder.file("report.html"), page(result, drawn[0])))


def _title(model: PhaseModel, n: int) -> str:
    f = model.interaction
    parts = [f.name, values(f), model.g.name or "", f"n = {n}"]
    return ", ".join(part for part in parts if part)


def _predicted_rates(model: PhaseModel, n: int) -> Array | None:
    """Growth rates of the uniform state's modes; None where the theory does not apply."""
    if not model.is_autonomous or np.any(model.damping != 1):
        return None
    alike = np.ptp(model.frequencies) == 0 and not np.any(model.field) and model.g.smooth
    common = model.coupling.common_weights(n)
    if not alike or common is None or np.ptp(common) > 0:
        return None
    scale = 1.0 if model.g.kind == "softmax" else float(np.sum(common))
    rates = np.real(theory.growth_rates(model.interaction, gain=model.g.name))
    error = ROUNDING * np.arange(1, len(rates) + 1) * np.max(np.abs(model.interaction.modes))
    return scale * np.where((rates > 0) & (rates <= error), 0.0, rates)


def _time_to_watch(model: PhaseModel, rates: Array | None, n: int) -> float:
    """Long enough for noise of size n^(−1/2) in the fastest mode to become clusters, and these to tighten."""
    if rates is not None and np.max(rates) > 0:
        return float((0.5 * np.log(n) + 12.0) / np.max(rates))
    slowest = 60.0 * _time_scale(model, n) * float(np.max(model.damping))
    turns = 20.0 / float(np.std(model.frequencies)) if np.ptp(model.frequencies) > 0 else 0.0
    coasting = 20.0 * float(np.max(model.inertia / model.damping))
    if model.coupling.adaptation is not None:
        coasting = max(coasting, 20.0 / model.coupling.adaptation.rate)
    others = max(slowest, coasting, 20.0 * longest_delay(model))
    shortest = max(others, min(turns, MOST_WATCHED * others))
    watched = float(np.clip(25.0 * _relaxation(model, n), shortest, MOST_WATCHED * shortest))
    return watched if model.drive is None else min(watched, model.drive.end)


def _relaxation(model: PhaseModel, n: int) -> float:
    """The time in which a network's slowest mode near synchrony falls by e, for equal ω; 0 where unknown."""
    from inphase.equilibria import stability

    known = n <= RELAXED_UP_TO and model.is_autonomous and model.g.smooth
    if not known or not model.coupling.facts(n).listed:
        return 0.0
    leading = stability(model.replace(frequencies=0.0, field=0.0), np.zeros(n)).eigenvalues
    return float(-1.0 / leading[0].real) if len(leading) and leading[0].real < 0 else 0.0


def _time_scale(model: PhaseModel, n: int) -> float:
    """1/(the largest Fourier mode of f · the mean strength with which one listens; 1 under a gain)."""
    size = float(np.max(np.abs(model.interaction.modes[1:])))
    return 1.0 / max(size * (model.coupling.mean_strength(n) if model.g.kind == "one" else 1.0), 1e-12)


def _growth(run: xr.Dataset, rates: Array | None) -> dict[str, list[Any]]:
    """Predicted growth rates beside slopes of log |R_k| fitted to the linear part of the run.

    That part ends for all modes when the first reaches 0.1. Measured are the modes that grow
    at least 0.8 times as fast as the fastest: slower ones are soon driven by products of the others.
    """
    if rates is None:
        return {"mode": [], "predicted": [], "measured": [], "standard_error": []}
    growing = np.flatnonzero(rates > 0)
    last = int(np.clip(growing[-1] + 2 if len(growing) else 4, 4, 12))
    shown = np.arange(1, min(last, len(rates)) + 1)
    sizes = [np.abs(observables.order_parameter(run.phase.values, harmonic=int(k))) for k in shown]
    large = np.flatnonzero(np.max(sizes, axis=0) > 0.1)
    stop = int(large[0]) if len(large) else len(run.time)
    fits = [
        _slope(run.time.values[:stop], size[:stop])
        if rate > 0.8 * np.max(rates) and np.max(rates) > 0
        else None
        for rate, size in zip(rates[shown - 1], sizes)
    ]
    return {
        "mode": shown.tolist(),
        "predicted": [float(r) for r in rates[shown - 1]],
        "measured": [None if fit is None else fit[0] for fit in fits],
        "standard_error": [None if fit is None else fit[1] for fit in fits],
    }


def _slope(time: Array, size: Array) -> tuple[float, float] | None:
    """Least-squares slope of log size and its standard error (of the fit); None for fewer than 5 frames."""
    if len(time) < 5:
        return None
    (slope, _), covariance = np.polyfit(time, np.log(size), 1, cov=True)
    return float(slope), float(np.sqrt(covariance[0, 0]))
