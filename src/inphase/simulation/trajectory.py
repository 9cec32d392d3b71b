"""`simulate`: trajectories at requested times."""

from __future__ import annotations

import time as clock
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import check_name, error_bound, finite_number, integer
from inphase.methods import DORMAND_PRINCE, RUNGE_KUTTA, WITH_DELAYS, WITH_NOISE, Method
from inphase.model import PhaseModel
from inphase.progress import progress_bar
from inphase.provenance import attributes
from inphase.simulation.delayed import delayed
from inphase.simulation.events import Condition, as_conditions, holds, name_of
from inphase.simulation.explicit import DormandPrince
from inphase.simulation.fixed import FixedStep
from inphase.simulation.growth import GrowthLimit
from inphase.simulation.motion import Motion
from inphase.simulation.multirate import TITLE, Multirate, Spread, chosen, mean_fields, obstacles
from inphase.simulation.past import Past
from inphase.simulation.recording import Recorder, output_times
from inphase.status import Status

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
METHODS: dict[str, Method] = {"dormand-prince": DORMAND_PRINCE} | RUNGE_KUTTA
ADAPTIVE = ("dormand-prince", "multirate")
NAMES = (*METHODS, "multirate")


def simulate(
    model: PhaseModel,
    phases: ArrayLike,
    t_end: float | None = None,
    *,
    times: ArrayLike | None = None,
    tolerance: float = 1e-8,
    method: str | None = None,
    step: float | None = None,
    seed: int = 0,
    replicas: Sequence[int] | None = None,
    velocities: ArrayLike | None = None,
    history: Past = None,
    stop: Condition | str | Sequence[Condition | str] | None = None,
    max_steps: int = 1_000_000,
    progress: bool = False,
) -> xr.Dataset:
    """Integrate the model from time 0, by adaptive explicit steps or, with noise or `step`, constant ones.

    The former are Dormand and Prince's pair 5(4), with delays the method of steps, or each oscillator's own.

    Parameters
    ----------
    model : PhaseModel
    phases : array_like, shape (n,) or (replicas, n)
        Initial phases, radians. Every replica has its own step sizes.
    t_end : float, optional
        Final time; phases are kept at up to 201 equally spaced times (fewer where they fill more than 64 MB).
    times : array_like, shape (T,), optional
        The times to keep instead, ascending and non-negative; the run ends at the last.
    tolerance : float
        Bound, 1e-15 to 0.1, on the local error per adaptive step ("multirate": each oscillator's own), radians.
    method : "dormand-prince", "multirate", "heun", "euler", "midpoint" or "rk4", optional
        If not given, "heun" with noise or `step`, else "dormand-prince", or "multirate" for mean fields where few
        |ω − median| exceed 100 rates of the coupling. With noise, "euler" is Euler-Maruyama (strong order 1), "heun"
        stochastic Heun (weak order 2); delays are whole constant steps. "rk4" and "midpoint" take neither.
    step : float, optional
        Constant step, for the methods that do not adapt it; times to keep are rounded to whole steps.
    seed : int
        Of the noise. The same seed gives the same numbers on any number of threads.
    replicas : sequence of int, optional
        The replicas' numbers, 0, 1, ... if not given: replica r has the same noise in whichever group it runs.
    velocities : array_like, shape (n,) or like `phases`, optional
        Initial dθ/dt of oscillators with inertia; 0 if not given.
    history : "uncoupled", "constant", callable or (times, phases), optional
        Phases before time 0, for delays; by default θ_i(0) + ω_i t, as if the coupling were switched on at 0.
        A callable maps t <= 0 to phases (n,) or (replicas, n); times (T,), ascending to 0, and phases (T, n)
        are interpolated by a cubic spline.
    stop : "synchronized", callable or a sequence of them, optional
        Conditions `(time, phases (n,)) -> bool`, checked after each step and located within it (adaptive
        steps); the first that holds ends a replica's run. See `inphase.simulation.synchronized`.
    max_steps : int
        Trial steps per replica, on the average over them, after which the run ends with what it has.
    progress : bool
        Show a bar with the remaining time.

    Returns
    -------
    xarray.Dataset
        `phase(time, [replica,] oscillator)`, radians, not wrapped; with inertia `velocity` of the same shape;
        `order_parameter(time, [replica])`, |R|. Per replica, `end_time`, `end_phase` (and `end_velocity`), from
        which another run can go on (with delays, that also needs the past); and `stopped_by` ("" where no
        condition held). A replica that stopped keeps its last phases in the frames that follow.
        `attrs["status"]`, an `inphase.status.Status`: "finished", "stopped", "interrupted", "max_steps", "step
        underflow" or "not finite"; in these four the last frame is at the latest `end_time`, NaN after one's own.

    Raises
    ------
    ValueError, TypeError
        On bad input, before anything is integrated.

    Examples
    --------
    >>> import inphase as ip
    >>> model = ip.PhaseModel(ip.kuramoto())
    >>> run = ip.simulate(model, [0.0, 1.0, 2.5], t_end=30.0)
    >>> run.attrs["status"], bool(run.order_parameter[-1] > 0.999999)
    ('finished', True)
    >>> ip.simulate(model.replace(noise=0.1), [0.0, 1.0], t_end=30.0, step=0.01, seed=1).attrs["method"]
    'stochastic Heun'
    """
    run = Simulation(
        model, phases, t_end, times=times, tolerance=tolerance, method=method, step=step, seed=seed,
        replicas=replicas, velocities=velocities, history=history, stop=stop, max_steps=max_steps, progress=progress,
    )  # fmt: skip
    try:
        status = run.go()
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    return run.dataset(status)


def simulated(model: PhaseModel, phases: ArrayLike, t_end: float | None = None, **options: Any) -> xr.Dataset:
    """`simulate` within another function of the library: Ctrl-C remains a KeyboardInterrupt.

    Raises
    ------
    KeyboardInterrupt
        For the public function that calls to answer.
    ValueError, TypeError
        As `simulate`.
    """
    run = Simulation(model, phases, t_end, **options)
    return run.dataset(run.go())


class Simulation:
    """What `simulate` does, in three parts: checks (the arguments are its own), `go`, and `dataset`."""

    def __init__(
        self,
        model: PhaseModel,
        phases: ArrayLike,
        t_end: float | None = None,
        *,
        times: ArrayLike | None = None,
        tolerance: float = 1e-8,
        method: str | None = None,
        step: float | None = None,
        seed: int = 0,
        replicas: Sequence[int] | None = None,
        velocities: ArrayLike | None = None,
        history: Past = None,
        stop: Condition | str | Sequence[Condition | str] | None = None,
        max_steps: int = 1_000_000,
        progress: bool = False,
    ) -> None:
        self.began = clock.perf_counter()
        initial = model.check(phases)
        if initial.ndim > 2 or not initial.size:
            raise ValueError(f"phases must have shape (n,) or (replicas, n); got {initial.shape}")
        flat = initial.reshape(-1, initial.shape[-1])
        model.check_forces(flat.shape[1])
        model.g.check(flat)
        self.model, self.shape, self.method = model, initial.shape, _method(model, method, step)
        self.numbers = _numbers(replicas, len(flat))
        if history is not None and not model.has_delays:
            raise ValueError("history is for models with delays; this one hears the present alone")
        self.motion = Motion(model, flat.shape[1])
        state = self.motion.start(flat, velocities)
        kept = output_times(t_end, times, state.size)
        tolerance = error_bound("tolerance", tolerance)
        self.conditions, self.most = as_conditions(stop), integer("max_steps", max_steps, least=1)
        self.progress = progress
        self.run: DormandPrince | FixedStep | Multirate
        self.spread = chosen(model, self.motion.n, tolerance) if method is None and step is None else None
        if self.spread is not None or self.method == "multirate":
            self.method, self.run = "multirate", _multirate(model, state, kept, tolerance)
        elif self.method == "dormand-prince":
            self.run = _adaptive(self.motion, state, kept[-1], tolerance, history)
        else:
            h = finite_number("step", step, positive=True)
            if h > kept[-1] * (1 + 1e-12) and kept[-1] > 0:
                raise ValueError(f"step must be at most the final time, {kept[-1]:g}; got {h:g}")
            kept, word = np.unique(np.rint(kept / h)) * h, _word("seed", seed)
            self.run = FixedStep(self.motion, state, h, RUNGE_KUTTA[self.method], word, self.numbers, history)
        self.start, self.recorder = state, Recorder(kept, state)

    def go(self) -> Status:
        """Integrate up to the last time; how it ended. KeyboardInterrupt after Ctrl-C."""
        _stop_at_start(self.motion.n, self.start, self.conditions, self.recorder)
        with progress_bar("simulate", self.recorder.times[-1], self.progress) as update:
            if isinstance(self.run, FixedStep):
                status = _march(self.motion.n, self.run, self.recorder, self.conditions, self.most, update)
            else:
                status = _integrate(
                    self.motion.n, self.run, self.recorder, self.conditions, self.most, update
                )
        return Status.STOPPED if status is Status.FINISHED and any(self.recorder.stopped_by) else status

    def dataset(self, status: Status) -> xr.Dataset:
        """What there is of the run."""
        data = self.recorder.dataset(status, self.shape, self.motion, self.numbers)
        run = self.run
        about: dict[str, Any]
        if isinstance(run, FixedStep):
            made = run.steps * len(self.numbers)
            about = {"step": run.step, "seed": run.seed, "accepted_steps": made, "rejected_steps": 0}
        else:
            about = {"tolerance": run.tolerance, "accepted_steps": run.accepted_steps}
            about["rejected_steps"] = run.rejected_steps
            if isinstance(run, Multirate):
                about["measured_error"] = run.largest_error
        data.attrs = attributes(
            self.model,
            status=status.value,
            method=_title(self.method, self.model, self.spread),
            **about,
            wall_time_seconds=round(clock.perf_counter() - self.began, 4),
        )
        return data


def _method(model: PhaseModel, method: str | None, step: float | None) -> str:
    if method is None:
        method = "heun" if model.has_noise or step is not None else "dormand-prince"
    check_name("method", method, NAMES)
    if method in ADAPTIVE:
        if model.has_noise:
            raise ValueError(f'noise needs constant steps: method must be "heun" or "euler"; got "{method}"')
        if step is not None:
            constant = ", ".join(RUNGE_KUTTA)
            raise ValueError(f'step is for the methods {constant}; "{method}" takes a tolerance')
        return method
    if model.has_noise and method not in WITH_NOISE:
        raise ValueError(
            f"with noise, method must be one of {', '.join(WITH_NOISE)}; got {method!r}, whose order "
            "does not hold for white noise"
        )
    if model.has_delays and method not in WITH_DELAYS:
        raise ValueError(
            f"with delays, method must be one of dormand-prince, {', '.join(WITH_DELAYS)}; got {method!r}, "
            "whose stages lie between steps"
        )
    if step is None:
        raise ValueError(f"the method {method!r} needs a constant step, for instance step=0.01")
    return method


def _title(method: str, model: PhaseModel, spread: Spread | None) -> str:
    """What a result calls the method, and why it was chosen where that was not the user's word."""
    if method == "multirate":
        return TITLE if spread is None else f"{TITLE}; chosen, as {spread}"
    return METHODS[method].with_noise if model.has_noise else METHODS[method].title


def _multirate(model: PhaseModel, state: Array, kept: Array, tolerance: float) -> Multirate:
    found = obstacles(model, state.shape[1])
    if found:
        raise ValueError(f'"multirate" is for mean fields alone: leave out {", ".join(found)}, or the method')
    return Multirate(mean_fields(model, state.shape[1]), state, kept, tolerance)


def _adaptive(motion: Motion, state: Array, end: float, tolerance: float, history: Past) -> DormandPrince:
    end = max(end, 1e-300)  # a run of zero length still has its first velocity computed
    if not motion.model.has_delays:
        return DormandPrince(motion, state, end, tolerance, GrowthLimit(motion, len(state)))
    return delayed(motion, state, end, tolerance, history)


def _word(name: str, value: Any) -> int:
    """An integer from 0 up to the largest that the random numbers take."""
    number = integer(name, value, least=0)
    if number > np.iinfo(np.int64).max:
        raise ValueError(f"{name} must be below 2^63; got {value!r}")
    return number


def _numbers(replicas: Sequence[int] | None, count: int) -> NDArray[np.int64]:
    if replicas is None:
        return np.arange(count, dtype=np.int64)
    if isinstance(replicas, (int, np.integer)):
        raise TypeError(
            f"replicas must be a sequence of integers, such as range({replicas}); got {replicas!r}"
        )
    found = np.array([_word("replicas", r) for r in replicas], dtype=np.int64)
    if len(found) != count:
        raise ValueError(f"replicas must name each of the {count} rows of phases; got {len(found)} numbers")
    return found


def _integrate(
    n: int,
    run: DormandPrince | Multirate,
    recorder: Recorder,
    conditions: list[Condition],
    max_steps: int,
    update: Callable[[float], None],
) -> Status:
    """Adaptive steps of all replicas up to the last time."""
    times, due = recorder.times, recorder.due.copy()
    rows = np.arange(len(due))
    run.time[[row for row in rows if recorder.stopped_by[row]]] = run.t_end
    while np.any(run.running):
        if run.accepted_steps + run.rejected_steps >= max_steps * len(recorder.due):
            return Status.MAX_STEPS
        run.advance()
        run.fill(due, rows, times, recorder.states)
        arrived = run.accepted & ~run.running
        due[arrived] = len(times)  # the last time is the step's end, exactly
        recorder.states[-1, rows[arrived]] = run.phases[arrived]
        moved = slice(None) if np.all(run.accepted) else run.accepted
        recorder.reach(rows[moved], run.time[moved], run.phases[moved], due[moved])
        if conditions:
            _check_conditions(n, run, conditions, recorder, rows)
        if np.any(run.running & ~(run.step > 4 * np.finfo(float).eps * run.time)):
            return Status.STEP_UNDERFLOW
        run.next_stage()
        update(float(np.min(run.time)))
        if np.count_nonzero(run.running) <= 0.75 * len(rows) and np.any(run.running):
            live = run.running
            run.keep(live)
            rows, due = rows[live], due[live]
    return Status.FINISHED


def _stop_at_start(n: int, states: Array, conditions: list[Condition], recorder: Recorder) -> None:
    held = [(row, _held(conditions, 0.0, state[:n])) for row, state in enumerate(states)]
    recorder.stop([(row, 0.0, name, states[row]) for row, name in held if name is not None])


def _held(conditions: list[Condition], time: float, phases: Array) -> str | None:
    """The name of the first condition that holds."""
    return next((name_of(condition) for condition in conditions if holds(condition, time, phases)), None)


def _march(
    n: int,
    run: FixedStep,
    recorder: Recorder,
    conditions: list[Condition],
    max_steps: int,
    update: Callable[[float], None],
) -> Status:
    """Constant steps of all replicas up to the last time."""
    ends = [round(time / run.step) for time in recorder.times]
    rows = np.array([row for row, name in enumerate(recorder.stopped_by) if not name], dtype=np.int64)
    while run.steps < ends[-1] and len(rows):
        if run.steps >= max_steps:
            return Status.MAX_STEPS
        due = bisect_right(ends, run.steps)
        run.advance(1 if conditions else min(ends[due], max_steps) - run.steps)
        states = run.state if len(rows) == len(run.state) else run.state[rows]
        if not np.isfinite(states).all():
            return Status.NOT_FINITE
        if run.steps == ends[due]:
            recorder.states[due, rows] = states
            due += 1
        recorder.reach(rows, run.time, states, due)
        if conditions:
            held = [_held(conditions, run.time, state[:n]) for state in states]
            ended = zip(rows.tolist(), held, states)
            recorder.stop([(row, run.time, name, state) for row, name, state in ended if name is not None])
            rows = rows[[name is None for name in held]]
        update(run.time)
    return Status.FINISHED


def _check_conditions(
    n: int,
    run: DormandPrince | Multirate,
    conditions: list[Condition],
    recorder: Recorder,
    rows: NDArray[np.int64],
) -> None:
    """Stop the replicas for which a condition has turned
    true within their last step, at the moment it did.
    """
    stopped = []
    for r in map(int, np.flatnonzero(run.accepted)):
        for condition in conditions:
            if holds(condition, float(run.time[r]), run.phases[r, :n]):
                low, high = 0.0, 1.0
                begin, taken = float(run.time_before[r]), float(run.taken[r])
                for _ in range(40):
                    middle = 0.5 * (low + high)
                    if holds(condition, begin + middle * taken, run.state_within(r, middle)[:n]):
                        high = middle
                    else:
                        low = middle
                state = run.state_within(r, high)
                stopped.append((int(rows[r]), begin + high * taken, name_of(condition), state))
                run.time[r] = run.t_end
                break
    recorder.stop(stopped)
