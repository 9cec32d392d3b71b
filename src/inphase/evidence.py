"""What is known of one system, as sentences with their numbers: proof, theory, spectrum and experiment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inphase import observables, theory
from inphase.coupling.parts import closed_parts, heard_by, isolated
from inphase.headline import LEAST_FRAMES, Headline, Locking, headline, late, late_numbers
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
SYNCHRONIZED_WITHIN = 1e-3  # radians: the arc within which a run's end counts as one cluster


def summary(
    model: PhaseModel,
    first: Array,
    run: xr.Dataset,
    tree: xr.Dataset | None,
    rates: Array | None,
    proof: Certificate | None,
    names: Sequence[Any] | None = None,
) -> dict[str, Any]:
    """Question, answer, evidence, numbers and versions: see `studies.Study.summary`; `names` are the nodes'."""
    numbers = _numbers(model, first, run, tree)
    looked, end = _end_state(model, run)
    locking = known_locking(model, len(first))
    evidence = [] if proof is None else [_proof_says(proof)]
    evidence += [*_theory_says(model, len(first), locking), *_spectrum_says(model, len(first), rates)]
    evidence += _end_says(end) if looked else []
    evidence += _experiment_says(model, run, tree, numbers)
    found = headline(model, run, tree, locking, looked, end)
    if found.time_needed is not None:
        numbers["time_needed_to_tell"] = found.time_needed
    return {
        "question": "Do they synchronize?",
        "answer": apart(model, len(first), names) + _answer(found, proof, len(first)),
        "outcome": found.outcome,
        "evidence": evidence,
        "numbers": numbers,
        "versions": {"inphase": version(), "numpy": np.__version__},
    }


def apart(model: PhaseModel, n: int, names: Sequence[Any] | None = None) -> str:
    """A sentence on the parts that hear nobody outside, where there are two or more, and on isolated nodes; or "".

    That almost no start synchronizes is said where Theorem 12 (docs/theory/states.md) holds: parts turn freely.
    """
    ours = type(model.coupling).__module__.startswith("inphase.")  # sums of a subclass are its own
    heard = heard_by(model.coupling, n) if ours and n >= 2 else None
    if heard is None or len(parts := closed_parts(heard)) < 2:
        return ""
    alone = isolated(heard)
    lone = set(alone.tolist())
    several = [part for part in parts if int(part[0]) not in lone or len(part) > 1]
    words = [_some(part, names) for part in several[:3]]
    words += [f"{len(several) - 3} more"] if len(several) > 3 else []
    if len(alone):
        words.append(f"isolated: {_some(alone, names)}")
    turns = model.is_autonomous and not (np.any(model.field) or model.varies) and model.g.kind == "one"
    end = "almost no start brings all to one phase" if turns else "what follows is of all taken together"
    return f"{len(parts)} parts of the network hear nobody outside them ({'; '.join(words)}): {end}. "


def _some(nodes: NDArray[Any], names: Sequence[Any] | None) -> str:
    """The first nodes of some, by name, and how many more there are."""
    shown = ", ".join(str(k if names is None else names[k]) for k in nodes[:5].tolist())
    return shown + (f" and {len(nodes) - 5} more" if len(nodes) > 5 else "")


def _answer(found: Headline, proof: Certificate | None, n: int) -> str:
    """The run's answer, after what is proved of all starts."""
    known = {"proved": "Proved: almost every start synchronizes.", "refuted": "Proved: not from every start."}
    if proof is None or proof.verdict not in known or n < 2:
        return found.text
    text = found.text
    if proof.verdict == "proved":
        text = text.replace("(metastable or stable)", "(metastable)")
    return f"{known[proof.verdict]} {text}"


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
    restless = model.has_noise or bool(model.varies)
    if Status(run.attrs["status"]).complete and run.sizes["time"] >= LEAST_FRAMES and not restless:
        numbers |= late_numbers(late(model, run))
    if model.is_gradient and len(run.time) > 1:
        energy = model.energy(run.phase.values)
        numbers["energy_at_end"] = float(energy[-1])
        numbers["largest_fall_of_energy"] = float(max(0.0, np.max(energy[:-1] - energy[1:])))
    if tree is not None:
        numbers["coarsening_status"] = tree.attrs["status"]
        numbers["coarsening_time_reached"] = float(tree.attrs["time_reached"])
        numbers["clusters_left"] = int(tree.attrs["clusters_left"])
        last = tree.clusters.values < 10
        numbers["last_mergers"] = [
            {"time": float(t), "clusters": int(k)}
            for t, k in zip(tree.time.values[last], tree.clusters.values[last])
        ]
    return numbers


def _evidence(kind: str, statement: str, value: float | None = None) -> dict[str, Any]:
    return {"kind": kind, "statement": statement, "value": value, "proof": False}


def certificate(model: PhaseModel, n: int, seconds: float) -> Certificate | None:
    """What `certify` finds in so many seconds; None where a model is too large for that, or not its subject."""
    from inphase.certify import synchronization

    known = model.coupling.facts(n)
    small = known.common or n <= CERTIFIED_UP_TO
    parted = small and bool(apart(model, n))  # which need no gradient flow, and are refuted at once
    if not ((model.is_gradient or parted) and model.g.smooth and n >= 2 and small):
        return None
    try:
        return synchronization(
            model,
            n=n if known.equal else None,
            budget=2000,
            seconds=seconds,
            refutation=n <= 500 or parted,
        )
    except ValueError:
        return None


def _proof_says(proof: Certificate) -> dict[str, Any]:
    margin = proof.margin if np.isfinite(proof.margin) else None
    by = f" (theorems: {', '.join(proof.theorems)}; verify with `inphase check`)" if proof.theorems else ""
    text = f"{proof.verdict}: {proof.statement}{by}"
    return _evidence("proof", text, margin) | {"proof": proof.verdict != "undecided"}


def _theory_says(model: PhaseModel, n: int, locking: Locking | None) -> list[dict[str, Any]]:
    common = model.coupling.common_weights(n)
    alike = common is not None and np.any(common) and model.is_gradient and not np.any(model.damping != 1)
    if alike and model.g.smooth:
        return _criterion_says(model)
    if locking is None:
        return []
    if locking.necessary == locking.sufficient:
        text = f"a phase-locked state exists where the coupling is at least {locking.necessary:.6g}"
    else:
        text = (
            f"phase locking on this graph needs a strength of at least {locking.necessary:.6g}, and "
            f"{locking.sufficient:.6g} suffices"
        )
    return [_evidence("theory", f"{text}; here it is {locking.strength:.6g}{FLOATS}", locking.necessary)]


def known_locking(model: PhaseModel, n: int) -> Locking | None:
    """What theory knows of locked states: for f = K sin, unequal ω, one strength for all or a graph of positive weights."""
    f, simple = (
        model.interaction,
        model.is_autonomous and not np.any(model.field) and np.all(model.damping == 1),
    )
    strength = f.sine_strength
    if (
        not simple
        or strength is None
        or strength <= 0
        or model.g.kind != "one"
        or np.ptp(model.frequencies) == 0
    ):
        return None
    common = model.coupling.common_weights(n)
    if common is not None and np.ptp(common) == 0:
        needed = theory.locking_coupling(model.frequencies)
        return Locking(strength * float(np.sum(common)), needed, needed)
    if n > BOUNDED_UP_TO:
        return None
    try:
        bounds = theory.critical_coupling_bounds(model.coupling.edges(n), model.frequencies)
    except ValueError:  # K must be symmetric, >= 0 and connected
        return None
    return Locking(strength, bounds.necessary, bounds.sufficient)


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
    from inphase.equilibria import can_polish, nearest

    end = run.phase.values[-1] if run.sizes["time"] else np.zeros(0)
    if len(end) < 2 or model.has_noise or not model.g.smooth or not can_polish(model, len(end)):
        return False, None
    if model.coupling.facts(len(end)).common and model.is_gradient:
        return False, None  # `_spectrum_says` and the criterion speak of these
    if not model.has_delays or len(run.time) < 2:
        return True, nearest(model, end)
    span = float(
        run.time[-1] - run.time[-2]
    )  # delays allow many states of the same phases: see which one turns so
    speed = float(np.median(end - run.phase.values[-2])) / span if span > 0 else 0.0
    state = nearest(model, end, frequency=speed)
    return True, state if state is not None and abs(state.frequency - speed) * span < 0.1 else None


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
