"""What is known of one system, as sentences with their numbers: proof, theory, spectrum and experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inphase import observables, theory
from inphase.model import PhaseModel
from inphase.status import Status
from inphase.version import version

if TYPE_CHECKING:
    import xarray as xr

    from inphase.certify import Certificate
    from inphase.equilibria import Equilibrium

Array = NDArray[np.float64]
FLOATS = " (floating point: not a proof)"
CERTIFIED_UP_TO = 2000  # oscillators that do not all hear the same sum: certified in seconds
BOUNDED_UP_TO = 1500  # such oscillators whose critical coupling is bracketed in seconds
POLISHED_UP_TO = 6000  # oscillators of a run whose end is polished to an equilibrium
SYNCHRONIZED_WITHIN = 1e-3  # radians: the arc within which a run's end counts as one cluster


def summary(
    model: PhaseModel,
    first: Array,
    run: xr.Dataset,
    tree: xr.Dataset | None,
    rates: Array | None,
    proof: Certificate | None,
) -> dict[str, Any]:
    """Question, answer, evidence, numbers and versions: see `studies.Study.summary`."""
    numbers = _numbers(model, first, run, tree)
    looked, end = _end_state(model, run)
    evidence = [] if proof is None else [_proof_says(proof)]
    evidence += [*_theory_says(model, len(first)), *_spectrum_says(model, len(first), rates)]
    evidence += _end_says(end) if looked else []
    evidence += _experiment_says(model, run, tree, numbers)
    answer = _answer(model, run, tree, numbers, locked=end is not None and bool(end.stable))
    if proof is not None and len(first) > 1:
        known = {
            "proved": "Proved: almost every start synchronizes.",
            "refuted": "Proved: not from every start.",
        }
        answer = f"{known[proof.verdict]} {answer}" if proof.verdict in known else answer
    return {
        "question": "Do they synchronize?",
        "answer": answer,
        "evidence": evidence,
        "numbers": numbers,
        "versions": {"inphase": version(), "numpy": np.__version__},
    }


def _numbers(model: PhaseModel, first: Array, run: xr.Dataset, tree: xr.Dataset | None) -> dict[str, Any]:
    end = run.end_phase.values
    numbers: dict[str, Any] = {
        "n": len(first),
        "t_end": float(run.end_time),
        "order_parameter_at_start": float(run.order_parameter[0]),
        "order_parameter_at_end": float(abs(observables.order_parameter(end))),
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
            {"time": float(t), "clusters": int(k)}
            for t, k in zip(tree.time.values[late], tree.clusters.values[late])
        ]
    return numbers


def _evidence(kind: str, statement: str, value: float | None = None) -> dict[str, Any]:
    return {"kind": kind, "statement": statement, "value": value, "proof": False}


def certificate(model: PhaseModel, n: int, seconds: float) -> Certificate | None:
    """What `certify` finds in so many seconds; None where a model is too large for that, or not its subject."""
    from inphase.certify import synchronization

    known = model.coupling.facts(n)
    small = known.common or n <= CERTIFIED_UP_TO
    if not (model.is_gradient and model.g.smooth and n >= 2 and small):
        return None
    try:
        return synchronization(
            model, n=n if known.equal else None, budget=2000, seconds=seconds, refutation=n <= 500
        )
    except ValueError:
        return None


def _proof_says(proof: Certificate) -> dict[str, Any]:
    margin = proof.margin if np.isfinite(proof.margin) else None
    by = f" (theorems: {', '.join(proof.theorems)}; verify with `inphase check`)" if proof.theorems else ""
    text = f"{proof.verdict}: {proof.statement}{by}"
    return _evidence("proof", text, margin) | {"proof": proof.verdict != "undecided"}


def _theory_says(model: PhaseModel, n: int) -> list[dict[str, Any]]:
    if not model.is_autonomous or np.any(model.field) or not model.g.smooth or np.any(model.damping != 1):
        return []
    common = model.coupling.common_weights(n)
    if common is not None and np.any(common) and model.is_gradient:
        return _criterion_says(model)
    f = model.interaction
    strength = f.sine_strength
    if strength is None or strength <= 0 or model.g.kind != "one" or np.ptp(model.frequencies) == 0:
        return []
    if common is not None and np.ptp(common) == 0:
        strength *= float(np.sum(common))
        needed = theory.locking_coupling(model.frequencies)
        text = f"a phase-locked state exists where the coupling is at least {needed:.6g}; here it is {strength:.6g}"
        return [_evidence("theory", text + FLOATS, needed)]
    return _bounds_say(model, strength, n) if n <= BOUNDED_UP_TO else []


def _criterion_says(model: PhaseModel) -> list[dict[str, Any]]:
    """The L1 criterion of gradient flows in which all hear one and the same sum, K_ij = c_j."""
    f, found = model.interaction, []
    slope = float(f.derivative()(0.0))
    if slope <= 0:
        text = f"f'(0) = {slope:.4g}: near phases do not attract, so the synchronized state is not stable"
        return [_evidence("theory", text, slope)]
    positive = f.profile is not None and bool(np.min(f.profile(np.linspace(0, np.pi, 1025))) > 0)
    for gap, name in ([(np.pi, "π")] if positive else []) + [(2 * np.pi, "2π")]:
        ratio = f.synchronization_ratio(gap)
        says = "synchronizes from almost every start" if ratio >= 1 else "the criterion does not decide"
        text = f"L1 criterion of Polyanskiy, Rigollet and Yao with M = {name}: ratio {ratio:.6f}, {says}"
        found.append(_evidence("theory", text + FLOATS, ratio))
    return found


def _bounds_say(model: PhaseModel, strength: float, n: int) -> list[dict[str, Any]]:
    """Bounds on the coupling from which a network locks; none unless K is symmetric, >= 0 and connected."""
    try:
        bounds = theory.critical_coupling_bounds(model.coupling.edges(n), model.frequencies)
    except ValueError:
        return []
    text = (
        f"phase locking on this graph needs a strength of at least {bounds.necessary:.6g}, and {bounds.sufficient:.6g} "
        f"suffices (estimate {bounds.estimate:.6g}); here it is {strength:.6g}"
    )
    return [_evidence("theory", text + FLOATS, bounds.necessary)]


def _spectrum_says(model: PhaseModel, n: int, rates: Array | None) -> list[dict[str, Any]]:
    found = []
    if rates is not None:
        best, count = int(np.argmax(rates)) + 1, int(np.sum(rates > 1e-12 * np.max(np.abs(rates))))
        if count:
            text = f"uniform state: {count} growing mode(s), the fastest is k = {best} with rate {rates[best - 1]:.6g}"
            found.append(_evidence("spectrum", text, float(rates[best - 1])))
        else:
            found.append(_evidence("spectrum", "uniform state: no mode grows", float(np.max(rates))))
    common = model.coupling.common_weights(n)
    alike = common is not None and np.any(common) and model.is_gradient and model.g.smooth
    if common is not None and alike and not np.any(model.damping != 1):
        f, *profile = model.g.with_profile(model.interaction)
        over = float(profile[0](0.0)) if profile else 1.0
        rate = -float(f.derivative()(0.0)) / over * (1.0 if profile else float(np.sum(common)))
        word = "stable" if rate < 0 else "unstable"
        found.append(
            _evidence("spectrum", f"synchronized state: {word}, all transverse rates equal {rate:.6g}", rate)
        )
    return found


def _end_state(model: PhaseModel, run: xr.Dataset) -> tuple[bool, Equilibrium | None]:
    """Whether a phase-locked state was looked for near the run's end, and the one that was found."""
    from inphase.equilibria.nearest import nearest

    end = run.phase.values[-1] if run.sizes["time"] else np.zeros(0)
    if len(end) < 2 or len(end) > POLISHED_UP_TO or model.has_noise or not model.g.smooth:
        return False, None
    if model.coupling.facts(len(end)).common and model.is_gradient:
        return False, None  # `_spectrum_says` and the criterion speak of these
    return True, nearest(model, end)


def _end_says(state: Equilibrium | None) -> list[dict[str, Any]]:
    if state is None:
        return [_evidence("spectrum", "the run does not end near a phase-locked state")]
    word = {True: "stable", False: "unstable", None: "of undecided stability"}[state.stable]
    turns = state.frequency if abs(state.frequency) > 1e-12 else 0.0
    kind = "stable phase-locked state" if state.stable else "phase-locked state"
    text = f"the run ends near a {kind} ({state.name}, {word}), frequency {turns:.6g}"
    leading = float(state.eigenvalues[0].real) if len(state.eigenvalues) else None
    if leading is not None:
        text += f", leading transverse rate {leading:.4g} (error {state.eigenvalue_error:.1g})"
    return [_evidence("spectrum", text + FLOATS, leading)]


def _experiment_says(
    model: PhaseModel, run: xr.Dataset, tree: xr.Dataset | None, numbers: dict[str, Any]
) -> list[dict[str, Any]]:
    attrs = run.attrs
    how = (
        f"local error {attrs['tolerance']:g} rad"
        if "tolerance" in attrs
        else f"constant steps of {attrs['step']:.4g}"
    )
    text = (
        f"simulation to t = {numbers['t_end']:.4g} ({attrs['accepted_steps']} steps of {attrs['method']}, {how}): "
        f"|R| from {numbers['order_parameter_at_start']:.4f} to "
        f"{numbers['order_parameter_at_end']:.6f}"
    )
    if np.ptp(model.frequencies) == 0 and not model.has_noise:
        text += f", {numbers['clusters_at_end']} cluster(s) within {SYNCHRONIZED_WITHIN:g} rad"
    found = [_evidence("experiment", text, numbers["order_parameter_at_end"])]
    if "largest_fall_of_energy" in numbers:
        fall = numbers["largest_fall_of_energy"]
        found.append(
            _evidence(
                "experiment", f"largest fall of the energy between frames: {fall:.2g} (it must rise)", fall
            )
        )
    if tree is not None:
        left, reached = tree.attrs["clusters_left"], float(tree.attrs["time_reached"])
        text = f"coarsening: {left} cluster(s) left at t = {reached:.4g} (status: {tree.attrs['status']})"
        found.append(_evidence("experiment", text, float(left)))
    return found


def _answer(
    model: PhaseModel, run: xr.Dataset, tree: xr.Dataset | None, numbers: dict[str, Any], locked: bool
) -> str:
    n = numbers["n"]
    who = f"the {n} oscillators" if n > 1 else "a single oscillator"
    if n == 1:
        return "Trivially: a single oscillator is synchronized with itself."
    status = Status(run.attrs["status"])
    if status is Status.INTERRUPTED:
        return f"Interrupted at t = {float(run.end_time):.4g}: no answer."
    if not status.complete:
        return f"No answer: the run ended at t = {float(run.end_time):.4g} ({status.text})."
    if tree is not None:
        left, reached = tree.attrs["clusters_left"], float(tree.attrs["time_reached"])
        if left == 1:
            return f"Yes, in this run: {who} became one cluster at t = {float(tree.time[-1]):.4g}."
        state = {"finished": "metastable or stable", "stationary": "at an equilibrium"}.get(
            tree.attrs["status"], "unfinished"
        )
        return f"Not by t = {reached:.4g}, in this run: {left} clusters are left ({state})."
    if numbers["arc_at_end"] <= SYNCHRONIZED_WITHIN:
        return f"Yes, in this run: {who} are within {numbers['arc_at_end']:.2g} rad at t = {numbers['t_end']:.4g}."
    if model.has_noise:
        return f"With noise, in this run: |R| averages {_average(run)} over the second half, for {who}."
    if locked:
        return f"They lock, in this run: {who} end near a stable phase-locked state; |R| averages {_average(run)}."
    if np.ptp(model.frequencies) > 0:
        return f"{_speeds_say(model, run, who)} |R| averages {_average(run)} over the second half."
    return f"Not in this run: |R| = {numbers['order_parameter_at_end']:.4f} at t = {numbers['t_end']:.4g}."


def _average(run: xr.Dataset) -> str:
    """The mean of |R| over the second half, with its standard error from the means of eight blocks."""
    values = run.order_parameter.values[len(run.time) // 2 :]
    if len(values) < 16:
        return f"{float(values.mean()):.4f}"
    means = np.array([block.mean() for block in np.array_split(values, 8)])
    return f"{float(values.mean()):.4f} ± {float(means.std(ddof=1)) / np.sqrt(8):.1g}"


def _speeds_say(model: PhaseModel, run: xr.Dataset, who: str) -> str:
    """How many share one frequency over the last quarter of a run, and how far the others are from it."""
    first = 3 * len(run.time) // 4
    span = float(run.time[-1] - run.time[first])
    if span <= 0:
        return "Not in this run."
    speeds = observables.effective_frequencies(run.phase.values[first], run.phase.values[-1], span)
    away, spread = np.abs(speeds - np.median(speeds)), float(np.std(model.frequencies))
    share = float(np.mean(away < 0.01 * spread))
    return (
        f"{'Partly' if share > 1 / len(away) else 'Not'}, in this run: {100 * share:.1f}% of {who} share one frequency (to 1% "
        f"of the spread of ω), and others differ from it by up to {float(np.max(away)):.2g} rad/time (ω by {spread:.2g})."
    )
