"""The answer that one run gives to "do they synchronize?", no sharper than its length and its steps' error allow.

How phases move against one another over the last half and the last quarter of a run decides, at any size: those
at rest moved by no more than the error that the steps may make; those that slipped lost a whole turn. What lies
between is not decided, and the answer says how long a run would have to be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inphase import observables
from inphase.interaction import Interaction
from inphase.model import PhaseModel
from inphase.status import Status

if TYPE_CHECKING:
    import xarray as xr

    from inphase.equilibria import Equilibrium

Array = NDArray[np.float64]
TURN = 2 * np.pi
LEAST_FRAMES = 5  # 0, 1/4, 1/2, 3/4 and all of a run
COARSE = 0.1  # radians of error of all steps, from which on being at rest or close shows nothing


@dataclass(frozen=True)
class Headline:
    """An answer.

    Attributes
    ----------
    outcome : str
        "synchronized" (one phase), "locked" (one frequency, other phases), "partly" (some share one frequency),
        "apart" (none do, or the clusters stay apart), "noisy" (noise: no yes or no), "driven"
        (likewise, where the equation changes in time), or "undecided".
    text : str
        The sentence.
    time_needed : float or None
        How long a run would probably have to be to decide, where this one was too short.
    """

    outcome: str
    text: str
    time_needed: float | None = None


@dataclass(frozen=True)
class Locking:
    """What theory knows of phase-locked states of oscillators with different frequencies, under f = K sin.

    Attributes
    ----------
    strength : float
        K, here.
    necessary, sufficient : float
        There is no locked state below the one, and there is one from the other on.
    """

    strength: float
    necessary: float
    sufficient: float


@dataclass(frozen=True)
class Late:
    """How the phases moved against one another late in a run.

    Attributes
    ----------
    end, half, quarter : float
        The time of the end, and how long the last half and the last quarter are.
    speeds : ndarray, shape (n,)
        Effective frequencies over the last half, radians per unit of time.
    motion, motion_before, motion_ever : float
        The largest motion of a phase against the median one in the last quarter, in the quarter before it, and
        between the start and any frame; radians.
    explained : float
        What the error of all steps and rounding can add up to, radians.
    arcs : ndarray, shape (3,)
        The least arc that holds all phases, at a half, at three quarters and at the end.
    moduli : ndarray, shape (2,)
        The mean of |R| over the third and the last quarter.
    """

    end: float
    half: float
    quarter: float
    speeds: Array
    motion: float
    motion_before: float
    motion_ever: float
    explained: float
    arcs: Array
    moduli: Array

    @property
    def resolution(self) -> float:
        """The difference of frequencies that makes one turn in the last half: smaller ones cannot be told."""
        return TURN / self.half

    @property
    def at_rest(self) -> bool:
        """Whether nothing moves any more that the steps' error does not explain."""
        return self.motion <= self.explained

    def time_to_rest(self) -> float | None:
        """When the motion should be within the steps' error, at the rate at which it falls; None if it does not."""
        if not 0 < self.motion < 0.8 * self.motion_before:
            return None
        return self.time_at(math.log(self.motion_before / self.motion) / self.quarter)

    def time_at(self, rate: float) -> float:
        """The same for a rate; half as long again as the run is the least advice, since rates are rough."""
        falls = math.log(max(self.motion / self.explained, 1.0))
        return max(self.end + 2 * falls / rate, 1.5 * self.end)


def late(model: PhaseModel, run: xr.Dataset) -> Late:
    """What the last half of a finished run shows; its frames must be equally spaced, five at least."""
    phases, time = run.phase.values, run.time.values
    half, most, last = (round((len(time) - 1) * share) for share in (0.5, 0.75, 1.0))

    def moved(to: int, since: int) -> float:
        turned = phases[to] - phases[since]
        return float(np.max(np.abs(turned - np.median(turned))))

    rounding = (
        4 * float(np.finfo(model.coupling.precision).eps) * max(TURN, float(np.max(np.abs(phases[last]))))
    )
    span = float(time[last] - time[half])
    moduli = run.order_parameter.values
    return Late(
        end=float(time[last]),
        half=span,
        quarter=float(time[last] - time[most]),
        speeds=observables.effective_frequencies(phases[half], phases[last], span),
        motion=moved(last, most),
        motion_before=moved(most, half),
        motion_ever=max(moved(frame, 0) for frame in range(1, last + 1)),
        explained=(float(run.attrs.get("tolerance", 0.0)) + rounding) * int(run.attrs["accepted_steps"]),
        arcs=np.asarray(observables.arc(phases[[half, most, last]])),
        moduli=np.array([np.mean(moduli[half:most]), np.mean(moduli[most:])]),
    )


def headline(
    model: PhaseModel,
    run: xr.Dataset,
    tree: xr.Dataset | None,
    locking: Locking | None,
    looked: bool,
    state: Equilibrium | None,
) -> Headline:
    """The answer of one run.

    Parameters
    ----------
    model : PhaseModel
    run : xarray.Dataset
        From `simulate`, one start, equally spaced frames from 0 on.
    tree : xarray.Dataset or None
        From `coarsen`, of the same start.
    locking : Locking or None
        What theory knows.
    looked : bool
        Whether a phase-locked state was looked for next to the run's end.
    state : Equilibrium or None
        The one that was found.

    Returns
    -------
    Headline
    """
    n, status = run.sizes["oscillator"], Status(run.attrs["status"])
    if n == 1:
        return Headline("synchronized", "Trivially: a single oscillator is synchronized with itself.")
    if status is Status.INTERRUPTED:
        return Headline("undecided", f"Interrupted at t = {float(run.end_time):.4g}: no answer.")
    if not status.complete:
        text = f"No answer: the run ended at t = {float(run.end_time):.4g} ({status.text})."
        return Headline("undecided", text)
    if tree is not None:
        return _of_tree(n, tree)
    if model.has_noise:
        text = f"With noise, in this run: |R| averages {average(run)} over the second half, for the {n} oscillators."
        return Headline("noisy", text)
    if model.varies:
        text = f"Under {model.varies}, in this run: |R| averages {average(run)} over the second half, for the {n} oscillators."
        return Headline("driven", text)
    if run.sizes["time"] < LEAST_FRAMES or not float(run.time[-1]) > 0:
        return Headline("undecided", "No answer: a run of no length shows nothing.")
    seen = late(model, run)
    return (
        _in_phase(model, n, seen, state)
        or _at_rest(model, n, run, seen, locking, looked, state)
        or _moving(model, n, run, seen, locking, state)
    )


def _of_tree(n: int, tree: xr.Dataset) -> Headline:
    left, reached = int(tree.attrs["clusters_left"]), float(tree.attrs["time_reached"])
    if left == 1:
        when = float(tree.time[-1]) if tree.sizes["event"] else 0.0
        return Headline(
            "synchronized", f"Yes, in this run: the {n} oscillators became one cluster at t = {when:.4g}."
        )
    state = {"finished": "metastable or stable", "stationary": "at an equilibrium"}
    how = state.get(str(tree.attrs["status"]), "unfinished")
    return Headline("apart", f"Not by t = {reached:.4g}, in this run: {left} clusters are left ({how}).")


def _in_phase(model: PhaseModel, n: int, seen: Late, state: Equilibrium | None) -> Headline | None:
    """Yes, where oscillators that may stay equal can only come closer, are equal, or come closer all the time."""
    kept = _stays_equal(model, n)
    if not (kept or identical(model)):
        return None
    arc, who = float(seen.arcs[-1]), f"the {n} oscillators"
    reach = contraction_range(model, n)
    if arc < reach - seen.explained:
        text = f"Yes, in this run: {who} are within {arc:.2g} rad at t = {seen.end:.4g}"
        if arc > seen.explained:
            text += f", an arc that can only shrink (as any below {reach:.3g} rad)"
        return Headline("synchronized", text + ".")
    started = seen.motion_ever > seen.explained
    if not started or seen.explained > COARSE or (state is not None and state.stable is False):
        return None
    falls = bool(np.all(seen.arcs[1:] <= seen.arcs[:-1] / 4)) and kept
    if arc <= seen.explained or falls:
        how = "" if arc <= seen.explained else ", less and less"
        text = f"Yes, in this run: {who} are within {arc:.2g} rad at t = {seen.end:.4g}{how}."
        return Headline("synchronized", text)
    return None


def identical(model: PhaseModel) -> bool:
    """Whether oscillators differ in no number of their own; what they hear may differ."""
    parts = (model.frequencies, model.field, model.inertia, model.damping)
    return all(np.ptp(part) == 0 for part in parts)


def _stays_equal(model: PhaseModel, n: int) -> bool:
    """Whether equal phases stay equal: not under unequal ω/d, nor where f(0) is not 0 and row sums differ."""
    if model.has_delays or np.ptp(model.field / model.damping) > 0:
        return False  # with delays it depends on the common frequency
    speeds = model.velocity(np.zeros(n))
    size = max(model.coupling.mean_strength(n), float(np.max(np.abs(speeds))))
    return bool(np.ptp(speeds) <= 100 * float(np.finfo(model.coupling.precision).eps) * size)


def contraction_range(model: PhaseModel, n: int) -> float:
    """The arc below which identical oscillators come together for certain; 0 where this is not known.

    While all phases lie in an arc so short that f rises between any two, its ends move inward, if weights are
    >= 0 and everyone hears everyone over some path (L. Moreau, Stability of multiagent systems with
    time-dependent communication links, IEEE TAC 50 (2005) 169).
    """
    f, known = model.interaction, model.coupling.facts(n)
    simple = model.is_autonomous and f.odd and known.pairs and not known.lags
    if not simple or np.any(model.field) or not model.g.smooth or float(f.derivative()(0.0)) <= 0:
        return 0.0
    common = model.coupling.common_weights(n)
    if common is not None:
        joined = bool(np.min(common) > 0)
    else:
        joined = not known.factors and _joined(model, n)
    return _first_turn(f) if joined else 0.0


def _joined(model: PhaseModel, n: int) -> bool:
    from scipy.sparse.csgraph import connected_components

    edges = model.coupling.edges(n)
    positive = edges.nnz > 0 and bool(edges.data.min() >= 0)
    return positive and int(connected_components(edges, connection="strong", return_labels=False)) == 1


def _first_turn(f: Interaction) -> float:
    """The least x > 0 with f'(x) = 0, for odd f that attracts: up to there f rises, so it is positive."""
    turns = f.roots(1)
    return float(np.min(turns[turns > 0]))


def _at_rest(
    model: PhaseModel,
    n: int,
    run: xr.Dataset,
    seen: Late,
    locking: Locking | None,
    looked: bool,
    state: Equilibrium | None,
) -> Headline | None:
    """The phases no longer move against one another: locked, unless they never moved, or no such state exists."""
    if not seen.at_rest:
        return None
    who, modulus = f"the {n} oscillators", f"|R| = {float(run.order_parameter[-1]):.4f}"
    if seen.explained > COARSE:
        text = (
            f"No answer: over {run.attrs['accepted_steps']} steps the error allowed may add up to "
            f"{seen.explained:.2g} rad; take a smaller tolerance."
        )
        return Headline("undecided", text)
    if locking is not None and locking.strength < locking.necessary:
        needed = max(4 * seen.end, _time_to_pass(model, locking))
        text = (
            f"No answer: {who} seem at rest at t = {seen.end:.4g}, but no phase-locked state exists (coupling "
            f"{locking.strength:.6g}, theory: {locking.necessary:.6g} is needed): {_longer(needed)}"
        )
        return Headline("undecided", text, needed)
    if looked and state is None:  # as next to a fold that has just lost its states: they pass, slowly
        text = (
            f"No answer: {who} seem at rest at t = {seen.end:.4g}, {modulus}, but no phase-locked state was found "
            "there: take a smaller tolerance, or a longer run."
        )
        return Headline("undecided", text)
    if state is not None and state.stable is False:
        text = (
            f"Not in this run: {who} came to rest next to an unstable state ({state.name}), {modulus}; other "
            "starts leave it."
        )
        return Headline("undecided", text)
    if seen.motion_ever <= seen.explained:
        text = f"{who.capitalize()} stay where they started, {modulus}: a run from there shows no more."
        return Headline("undecided", text)
    if identical(model):
        text = f"Not in this run: {who} came to rest apart, within {seen.arcs[-1]:.2g} rad, {modulus} at t = {seen.end:.4g}."
        return Headline("locked", text)
    text = (
        f"They lock, in this run: the frequencies of {who} differ by no more than the steps' error, "
        f"{max(seen.motion, seen.explained) / seen.quarter:.1g} rad/time, at t = {seen.end:.4g}; |R| averages {average(run)}."
    )
    return Headline("locked", text)


def _moving(
    model: PhaseModel, n: int, run: xr.Dataset, seen: Late, locking: Locking | None, state: Equilibrium | None
) -> Headline:
    """Some slip, or all still move too little to tell."""
    natural = np.broadcast_to(model.frequencies / model.damping, n)
    group = _largest_group(seen.speeds, seen.resolution)
    if len(group) == n:
        return _none_slipped(n, run, seen, state)
    change = float(abs(seen.moduli[1] - seen.moduli[0]))
    if change > max(0.05, 4 * _block_error(run)):
        needed = 2 * seen.end
        text = (
            f"No answer: |R| still changes, by {change:.2g} over the last quarters before t = {seen.end:.4g}: "
            f"{_longer(needed)}"
        )
        return Headline("undecided", text, needed)
    fastest = float(np.max(np.abs(seen.speeds - np.median(seen.speeds))))
    by = f"by up to {fastest:.2g} rad/time (ω by {float(np.std(natural)):.2g})"
    equal, apart = np.ptp(natural) == 0, float(np.ptp(natural[group]))
    unmoved = len(_largest_group(natural, seen.resolution))
    core = len(_largest_group(seen.speeds[group], seen.resolution / 4))
    shared = len(group) > 1 and (equal or apart > 2 * seen.resolution)
    chance = 2 * core <= len(group)  # they fill the window, as those do that drift one by one
    if shared and chance and len(group) > n // 2:
        needed = 4 * seen.end
        text = (
            f"No answer: {len(group)} of the {n} oscillators lost no turn over the last half before t = "
            f"{seen.end:.4g}, but share no frequency either: {_longer(needed)}"
        )
        return Headline("undecided", text, needed)
    if shared and not chance:
        outcome = "partly"
        text = (
            f"Partly, in this run: {100 * len(group) / n:.4g}% of the {n} oscillators share one frequency (to "
            f"{seen.resolution:.2g} rad/time, a turn over its last half), and others slip against them, {by}."
        )
    elif not equal and unmoved > max(1, n // 2):
        width = _half_width(natural)
        time = 8 * TURN / width if width > 0 else None  # those with one and the same ω never lose a turn
        text = (
            f"No answer: at t = {seen.end:.4g}, {unmoved} of the {n} oscillators would have lost no turn over the last "
            f"half even without coupling: {'no run is long enough to tell.' if time is None else _longer(time)}"
        )
        return Headline("undecided", text, time)
    else:
        outcome = "apart"
        text = f"Not in this run: the {n} oscillators slip against one another over its last half, {by}."
    if locking is not None and locking.strength >= locking.sufficient:
        text += " A phase-locked state exists here (theory): a longer run, or another start, may reach it."
    return Headline(outcome, f"{text} |R| averages {average(run)} over the second half.")


def _none_slipped(n: int, run: xr.Dataset, seen: Late, state: Equilibrium | None) -> Headline:
    needed = seen.time_to_rest()
    if needed is None and state is not None and state.stable and len(state.eigenvalues):
        needed = seen.time_at(-float(state.eigenvalues[0].real))
    settles = needed is not None
    if needed is None:
        needed = min(max(2.2 * TURN * seen.quarter / seen.motion, 2 * seen.end), 100 * seen.end)
    text = (
        f"No answer yet: at t = {seen.end:.4g} the {n} oscillators {'settle' if settles else 'do not slip'}, but moved "
        f"against one another by up to {seen.motion:.2g} rad over the last quarter (the steps' error explains "
        f"{seen.explained:.1g}); |R| = {float(run.order_parameter[-1]):.4f}: {_longer(needed)}"
    )
    return Headline("undecided", text, needed)


def _longer(time: float) -> str:
    """The advice to run on, to two digits upward."""
    digits = 10 ** (math.floor(math.log10(time)) - 1) if 0 < time < math.inf else 1.0
    return f"run to t = {math.ceil(time / digits) * digits:.2g} or longer to tell."


def _time_to_pass(model: PhaseModel, locking: Locking) -> float:
    """How long a run must be to show the slips just below locking: two periods of two oscillators."""
    missing = 1 - (locking.strength / locking.necessary) ** 2
    return 2 * 2 * TURN / (float(np.ptp(model.frequencies)) * math.sqrt(missing))


def _largest_group(speeds: Array, width: float) -> NDArray[np.int64]:
    """The most oscillators whose speeds lie within one window of this width, by their numbers."""
    order = np.argsort(speeds, kind="stable")
    ordered = speeds[order]
    ends = np.searchsorted(ordered, ordered + width, side="right")
    first = int(np.argmax(ends - np.arange(len(ordered))))
    return order[first : ends[first]]


def _half_width(natural: Array) -> float:
    """The width of the shortest window that holds more than half."""
    ordered, most = np.sort(natural), len(natural) // 2
    return float(np.min(ordered[most:] - ordered[: len(ordered) - most]))


def _block_error(run: xr.Dataset) -> float:
    """The standard error of the mean of |R| over a quarter, from eight blocks of the last half."""
    values = run.order_parameter.values[run.sizes["time"] // 2 :]
    if len(values) < 16:
        return 0.0
    means = np.array([block.mean() for block in np.array_split(values, 8)])
    return float(means.std(ddof=1)) / 2


def average(run: xr.Dataset) -> str:
    """The mean of |R| over the second half, with its standard error from the means of eight blocks."""
    values = run.order_parameter.values[len(run.time) // 2 :]
    if len(values) < 16:
        return f"{float(values.mean()):.4f}"
    means = np.array([block.mean() for block in np.array_split(values, 8)])
    return f"{float(values.mean()):.4f} ± {float(means.std(ddof=1)) / np.sqrt(8):.1g}"


def late_numbers(seen: Late) -> dict[str, Any]:
    """What the answer rests on, for study.json and the report."""
    return {
        "frequency_resolution": seen.resolution,
        "motion_in_last_quarter": seen.motion,
        "motion_explained_by_steps": seen.explained,
    }
