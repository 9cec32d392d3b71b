"""`study`, the main job: what can be proved, what the spectrum says and what a simulation shows, for one system."""

from __future__ import annotations

import json
import os
import time as clock
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase import initial, observables, theory
from inphase.coupling import AllToAll
from inphase.files import output_folder, write_dataset, write_text
from inphase.model import PhaseModel
from inphase.provenance import version
from inphase.report.words import values
from inphase.simulation import coarsen, simulate

if TYPE_CHECKING:
    import xarray as xr

    from inphase.certify import Certificate

Array = NDArray[np.float64]
SYNCHRONIZED_WITHIN = 1e-3  # radians: the arc within which a run's end counts as one cluster
KEPT = 24_000_000  # bytes of phases in trajectory.nc


@dataclass
class Study:
    """The evidence on one system, and where it was written.

    Attributes
    ----------
    model, initial, seed, title
        What was studied: PhaseModel, phases (n,), int, str.
    run : xarray.Dataset
        The trajectory, from `simulate`.
    tree : xarray.Dataset or None
        The mergers, from `coarsen`, where equal phases stay equal and f attracts.
    growth : dict
        `mode`, `predicted`, `measured`, `standard_error` (lists): growth rates of the uniform state's Fourier modes.
    summary : dict
        JSON-ready: `question`, `answer`, `evidence` (each with `kind`, `statement`, `value`, `proof`), `numbers`, `versions`.
    files : dict
        Name -> path of what was written.
    """

    model: PhaseModel
    initial: Array
    seed: int
    title: str
    run: xr.Dataset
    tree: xr.Dataset | None
    growth: dict[str, list[Any]]
    summary: dict[str, Any]
    files: dict[str, str] = field(default_factory=dict)

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it."""
        parts = [self.run] + ([] if self.tree is None else [self.tree])
        return any(part.attrs["status"] == "interrupted" for part in parts)


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
    progress: bool = False,
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
        A folder for report.html, study.json, trajectory.nc, tree.nc and proof.json; nothing is written without it.
    phases : array_like, shape (n,), optional
        Initial phases; else drawn by the name `start` with `options` (see `inphase.initial`).
    t_end : float, optional
        End of the trajectory; by default a multiple of the slowest time scale of the uniform state's growth.
    tolerance : float
        Local error of `simulate`, radians per step.
    progress : bool
        Show bars.

    Returns
    -------
    Study

    Raises
    ------
    ValueError, TypeError
        On bad input, before anything runs.
    OSError
        If the folder or a file cannot be written; what was written before stays.

    Examples
    --------
    >>> import inphase as ip
    >>> result = ip.study(ip.PhaseModel(ip.attention(beta=2.0)), n=50)
    >>> result.summary["numbers"]["clusters_at_end"]
    1
    """
    began = clock.perf_counter()
    folder = None if out is None else output_folder(out)
    if phases is None:
        n = n if n is not None else (model.size or 1000)
        first = initial.phases(start, n, seed, **(options or {}))
    else:
        first = np.asarray(phases, dtype=float)
    first = model.check(first)
    if first.ndim != 1:
        raise ValueError(f"phases must have shape (n,); got {first.shape}")
    rates = _predicted_rates(model, len(first))
    end = _time_to_watch(model, rates, len(first)) if t_end is None else t_end
    frames = int(np.clip(KEPT // (8 * len(first)), 2, 201))
    files: dict[str, str] = {}
    run = simulate(model, first, times=np.linspace(0.0, end, frames), tolerance=tolerance, progress=progress)
    if folder is not None:
        files["trajectory"] = str(write_dataset(folder / "trajectory.nc", run))
    tree = None
    if run.attrs["status"] == "finished" and _coarsens(model):
        tree = coarsen(model, first, t_end=1e14, progress=progress)
        if folder is not None:
            files["tree"] = str(write_dataset(folder / "tree.nc", tree))
    growth = _growth(run, rates)
    proof = _certificate(model, len(first))
    if folder is not None and proof is not None and proof.verdict != "undecided":
        files["proof"] = str(proof.save(folder / "proof.json"))
    summary = _summary(model, first, run, tree, rates, proof)
    summary["numbers"]["wall_time_seconds"] = round(clock.perf_counter() - began, 2)
    result = Study(model, first, seed, _title(model, len(first)), run, tree, growth, summary, files)
    if folder is not None:
        _write(result, folder)
    return result


def _write(result: Study, folder: Path) -> None:
    from inphase.report import page  # Matplotlib loads only where something is drawn

    data = {"title": result.title, "seed": result.seed, "model": json.loads(result.run.attrs["model"]), **result.summary}
    data["growth"] = result.growth
    result.files["study"] = str(write_text(folder / "study.json", json.dumps(data, indent=1, ensure_ascii=False)))
    result.files["report"] = str(write_text(folder / "report.html", page(result)))


def _title(model: PhaseModel, n: int) -> str:
    f = model.interaction
    parts = [f.name, values(f), "softmax" if model.gain == "softmax" else "", f"n = {n}"]
    return ", ".join(part for part in parts if part)


def _coarsens(model: PhaseModel) -> bool:
    """Whether equal phases stay equal, the flow is a gradient flow, and near phases attract."""
    attracts = float(model.interaction.derivative()(0.0)) > 0
    return model.is_gradient and attracts and not callable(model.gain)


def _predicted_rates(model: PhaseModel, n: int) -> Array | None:
    """Growth rates of the uniform state's modes; None where the theory does not apply."""
    alike = np.ptp(model.frequencies) == 0 and not np.any(model.field) and not callable(model.gain)
    if not alike or not isinstance(model.coupling, AllToAll):
        return None
    weights = np.broadcast_to(model.coupling.weights(n), n)
    if np.ptp(weights) > 0:
        return None
    scale = 1.0 if model.gain == "softmax" else float(np.sum(weights))
    return scale * np.real(theory.growth_rates(model.interaction, gain=None if callable(model.gain) else model.gain))


def _time_to_watch(model: PhaseModel, rates: Array | None, n: int) -> float:
    """Long enough for noise of size n^(−1/2) in the fastest mode to become clusters, and these to tighten."""
    if rates is not None and np.max(rates) > 0:
        return float((0.5 * np.log(n) + 12.0) / np.max(rates))
    scale = max(float(np.max(np.abs(model.interaction.modes[1:]))), 1e-12)
    return float(60.0 / scale)


def _growth(run: xr.Dataset, rates: Array | None) -> dict[str, list[Any]]:
    """Predicted growth rates beside slopes of log |R_k| fitted to the linear part of the run.

    That part ends for all modes when the first reaches 0.1. Measured are the modes that grow at least 0.8 times as fast as
    the fastest: slower ones are soon driven by products of the others.
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
        _slope(run.time.values[:stop], size[:stop]) if rate > 0.8 * np.max(rates) and np.max(rates) > 0 else None
        for rate, size in zip(rates[shown - 1], sizes)
    ]
    return {
        "mode": shown.tolist(),
        "predicted": [float(r) for r in rates[shown - 1]],
        "measured": [None if fit is None else fit[0] for fit in fits],
        "standard_error": [None if fit is None else fit[1] for fit in fits],
    }


def _slope(time: Array, size: Array) -> tuple[float, float] | None:
    """Least-squares slope of log size and its standard error (of the fit alone); None for fewer than five frames."""
    if len(time) < 5:
        return None
    (slope, _), covariance = np.polyfit(time, np.log(size), 1, cov=True)
    return float(slope), float(np.sqrt(covariance[0, 0]))


# ------------------------------------------------------------------------------------------------------------- the summary


def _summary(
    model: PhaseModel,
    first: Array,
    run: xr.Dataset,
    tree: xr.Dataset | None,
    rates: Array | None,
    proof: Certificate | None,
) -> dict[str, Any]:
    numbers = _numbers(model, first, run, tree)
    evidence = [] if proof is None else [_proof_says(proof)]
    evidence += [*_theory_says(model), *_spectrum_says(model, rates), *_experiment_says(model, run, tree, numbers)]
    answer = _answer(model, run, tree, numbers)
    if proof is not None and len(first) > 1:
        known = {"proved": "Proved: almost every start synchronizes.", "refuted": "Proved: not from every start."}
        answer = f"{known[proof.verdict]} {answer}" if proof.verdict in known else answer
    return {
        "question": "Do they synchronize?",
        "answer": answer,
        "evidence": evidence,
        "numbers": numbers,
        "versions": {"inphase": version(), "numpy": np.__version__},
    }


def _numbers(model: PhaseModel, first: Array, run: xr.Dataset, tree: xr.Dataset | None) -> dict[str, Any]:
    end = run.phase.values[-1]
    numbers: dict[str, Any] = {
        "n": len(first),
        "t_end": float(run.time[-1]),
        "order_parameter_at_start": float(run.order_parameter[0]),
        "order_parameter_at_end": float(run.order_parameter[-1]),
        "arc_at_end": float(observables.arc(end)),
        "clusters_at_end": int(observables.count_clusters(end, SYNCHRONIZED_WITHIN)),
        "clusters_within": SYNCHRONIZED_WITHIN,
        "simulation_status": run.attrs["status"],
    }
    if model.is_gradient and len(run.time) > 1:
        energy = model.energy(run.phase.values)
        numbers["energy_at_end"] = float(energy[-1])
        numbers["largest_fall_of_energy"] = float(max(0.0, np.max(energy[:-1] - energy[1:])))
    if tree is not None:
        numbers["coarsening_status"] = tree.attrs["status"]
        numbers["coarsening_time_reached"] = float(tree.attrs["time_reached"])
        numbers["clusters_left"] = int(tree.attrs["clusters_left"])
        late = tree.clusters.values < 10
        numbers["last_mergers"] = [
            {"time": float(t), "clusters": int(k)} for t, k in zip(tree.time.values[late], tree.clusters.values[late])
        ]
    return numbers


def _evidence(kind: str, statement: str, value: float | None = None) -> dict[str, Any]:
    return {"kind": kind, "statement": statement, "value": value, "proof": False}


def _certificate(model: PhaseModel, n: int) -> Certificate | None:
    """What `certify` finds in a few seconds; None where its theorems do not speak of such a model."""
    from inphase.certify import synchronization

    if not model.is_gradient or callable(model.gain) or n < 2:
        return None
    equal = isinstance(model.coupling, AllToAll) and model.coupling.columns is None
    try:
        return synchronization(model, n=n if equal else None, budget=2000, refutation=n <= 500)
    except ValueError:
        return None


def _proof_says(proof: Certificate) -> dict[str, Any]:
    margin = proof.margin if np.isfinite(proof.margin) else None
    by = f" (theorems: {', '.join(proof.theorems)}; verify with `inphase check`)" if proof.theorems else ""
    text = f"{proof.verdict}: {proof.statement}{by}"
    return _evidence("proof", text, margin) | {"proof": proof.verdict != "undecided"}


def _theory_says(model: PhaseModel) -> list[dict[str, Any]]:
    f, found = model.interaction, []
    if model.is_gradient:
        slope = float(f.derivative()(0.0))
        if slope <= 0:
            text = f"f'(0) = {slope:.4g}: near phases do not attract, so the synchronized state is not stable"
            return [_evidence("theory", text, slope)]
        positive = f.profile is not None and bool(np.min(f.profile(np.linspace(0, np.pi, 1025))) > 0)
        for gap, name in ([(np.pi, "π")] if positive else []) + [(2 * np.pi, "2π")]:
            ratio = f.synchronization_ratio(gap)
            says = "synchronizes from almost every start" if ratio >= 1 else "the criterion does not decide"
            text = f"L1 criterion of Polyanskiy, Rigollet and Yao with M = {name}: ratio {ratio:.6f}, {says}"
            found.append(_evidence("theory", text + " (floating point: not a proof)", ratio))
        return found
    if f.odd and f.name.endswith("kuramoto") and np.ptp(model.frequencies) > 0 and _equal_weights(model):
        strength = float(f.derivative()(0.0))
        needed = theory.locking_coupling(np.broadcast_to(model.frequencies, model.frequencies.shape))
        text = f"a phase-locked state exists where the coupling is at least {needed:.6g}; here it is {strength:.6g}"
        found.append(_evidence("theory", text + " (floating point: not a proof)", needed))
    return found


def _equal_weights(model: PhaseModel) -> bool:
    return isinstance(model.coupling, AllToAll) and model.coupling.columns is None and not np.any(model.field)


def _spectrum_says(model: PhaseModel, rates: Array | None) -> list[dict[str, Any]]:
    found = []
    if rates is not None:
        best, count = int(np.argmax(rates)) + 1, int(np.sum(rates > 1e-12 * np.max(np.abs(rates))))
        if count:
            text = f"uniform state: {count} growing mode(s), the fastest is k = {best} with rate {rates[best - 1]:.6g}"
            found.append(_evidence("spectrum", text, float(rates[best - 1])))
        else:
            found.append(_evidence("spectrum", "uniform state: no mode grows", float(np.max(rates))))
    if model.is_gradient and not callable(model.gain):
        slope = float(model.interaction.derivative()(0.0))
        pull = -slope / (float(model.interaction.profile(0.0)) if model.gain and model.interaction.profile else 1.0)
        weights = model.coupling.weights(1) if isinstance(model.coupling, AllToAll) else np.ones(1)
        rate = pull * (float(np.sum(weights)) if model.gain is None else 1.0)
        word = "stable" if rate < 0 else "unstable"
        found.append(_evidence("spectrum", f"synchronized state: {word}, all transverse rates equal {rate:.6g}", rate))
    return found


def _experiment_says(
    model: PhaseModel, run: xr.Dataset, tree: xr.Dataset | None, numbers: dict[str, Any]
) -> list[dict[str, Any]]:
    text = (
        f"simulation to t = {numbers['t_end']:.4g} ({run.attrs['accepted_steps']} steps, local error "
        f"{run.attrs['tolerance']:g} rad): |R| from {numbers['order_parameter_at_start']:.4f} to "
        f"{numbers['order_parameter_at_end']:.6f}, {numbers['clusters_at_end']} cluster(s) within {SYNCHRONIZED_WITHIN:g} rad"
    )
    found = [_evidence("experiment", text, numbers["order_parameter_at_end"])]
    if "largest_fall_of_energy" in numbers:
        fall = numbers["largest_fall_of_energy"]
        found.append(_evidence("experiment", f"largest fall of the energy between frames: {fall:.2g} (it must rise)", fall))
    if tree is not None:
        left, reached = tree.attrs["clusters_left"], float(tree.attrs["time_reached"])
        text = f"coarsening: {left} cluster(s) left at t = {reached:.4g} (status: {tree.attrs['status']})"
        found.append(_evidence("experiment", text, float(left)))
    return found


def _answer(model: PhaseModel, run: xr.Dataset, tree: xr.Dataset | None, numbers: dict[str, Any]) -> str:
    n = numbers["n"]
    who = f"the {n} oscillators" if n > 1 else "a single oscillator"
    if n == 1:
        return "Trivially: a single oscillator is synchronized with itself."
    if run.attrs["status"] == "interrupted":
        return f"Interrupted at t = {float(run.time[-1]) if len(run.time) else 0.0:.4g}: no answer."
    if tree is not None:
        left, reached = tree.attrs["clusters_left"], float(tree.attrs["time_reached"])
        if left == 1:
            return f"Yes, in this run: {who} became one cluster at t = {float(tree.time[-1]):.4g}."
        state = {"finished": "metastable or stable", "stationary": "at an equilibrium"}.get(tree.attrs["status"], "unfinished")
        return f"Not by t = {reached:.4g}, in this run: {left} clusters are left ({state})."
    if numbers["arc_at_end"] <= SYNCHRONIZED_WITHIN:
        return f"Yes, in this run: {who} are within {numbers['arc_at_end']:.2g} rad at t = {numbers['t_end']:.4g}."
    if np.ptp(model.frequencies) > 0:
        half = len(run.time) // 2
        speeds = observables.effective_frequencies(
            run.phase.values[half], run.phase.values[-1], float(run.time[-1] - run.time[half])
        )
        locked = float(np.mean(np.abs(speeds - np.median(speeds)) < 2 * np.pi / float(run.time[-1] - run.time[half])))
        mean = float(run.order_parameter[half:].mean())
        return (
            f"Partly, in this run: |R| averages {mean:.4f} over the second half, and {100 * locked:.1f}% of {who} "
            "share one frequency (to one turn)."
        )
    return f"Not in this run: |R| = {numbers['order_parameter_at_end']:.4f} at t = {numbers['t_end']:.4g}."
