"""`simulate`: trajectories at requested times."""

from __future__ import annotations

import time as clock
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import check_name, error_bound, finite_number, integer
from inphase.families import Family
from inphase.methods import DORMAND_PRINCE, RUNGE_KUTTA, WITH_DELAYS, WITH_NOISE, Method
from inphase.model import PhaseModel
from inphase.progress import progress_bar
from inphase.provenance import attributes
from inphase.saving import PART, written
from inphase.simulation.delayed import DelayedDormandPrince, delayed
from inphase.simulation.events import Condition, Watched, as_conditions
from inphase.simulation.explicit import DormandPrince
from inphase.simulation.fixed import FixedStep
from inphase.simulation.growth import GrowthLimit
from inphase.simulation.motion import Motion
from inphase.simulation.multirate import TITLE, Multirate, Spread, chosen, mean_fields, obstacles
from inphase.simulation.pace import Pace
from inphase.simulation.past import Past
from inphase.simulation.recording import Recorder, output_times
from inphase.simulation.resuming import MOST_PAST, GoingOn, past_variables
from inphase.simulation.small import SmallSystems, small_systems
from inphase.status import Status, worst

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
METHODS: dict[str, Method] = {"dormand-prince": DORMAND_PRINCE} | RUNGE_KUTTA
METHOD_NAMES = {
    title: name for name, one in METHODS.items() for title in (one.title, one.with_noise) if title
}
ADAPTIVE = ("dormand-prince", "multirate")
NAMES = (*METHODS, "multirate")


def simulate(
    model: PhaseModel | Family,
    phases: ArrayLike | xr.Dataset,
    t_end: float | None = None,
    *,
    times: ArrayLike | None = None,
    tolerance: float | None = None,
    method: str | None = None,
    step: float | None = None,
    seed: int | None = None,
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
    model : PhaseModel or Family
        With an `inphase.family`, each of its models is a replica, and has the numbers that it has alone.
    phases : array_like, shape (n,) or (replicas, n); or a Dataset of `simulate`
        Initial phases, radians. Every replica has its own step sizes. A Dataset, or one opened from its file,
        goes on from its end (see `join`); from `run.phase[-1]` a run begins anew, with the same noise if the seed is.
    t_end : float, optional
        Final time, by the clock; phases are kept at up to 201 equally spaced times (fewer where they fill more than 64 MB).
    times : array_like, shape (T,), optional
        The times to keep instead, ascending and non-negative; the run ends at the last.
    tolerance : float
        Bound, 1e-15 to 0.1, on the local error per adaptive step ("multirate": each oscillator's own), radians; 1e-8 if
        not given.
    method : "dormand-prince", "multirate", "heun", "euler", "midpoint" or "rk4", optional
        If not given, "heun" with noise or `step`, else "dormand-prince", or "multirate" for mean fields where few
        |ω − median| exceed 100 rates of the coupling. With noise, "euler" is Euler-Maruyama (strong order 1), "heun"
        stochastic Heun (weak order 2); delays are whole constant steps. "rk4" and "midpoint" take neither.
    step : float, optional
        Constant step; shortened so that whole steps end at the last time (to 1e-6 steps); other times are rounded.
    seed : int
        Of the noise, 0 if not given. The same seed gives the same numbers on any number of threads.
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
        steps); the first that holds ends a replica's run. A third argument is given dθ/dt (n,): `faster_than`.
    max_steps : int
        Trial steps per replica after which the run ends with what it has.
    progress : bool
        Show a bar with the remaining time.

    Returns
    -------
    xarray.Dataset
        `phase(time, [replica,] oscillator)`, radians, not wrapped; with inertia `velocity` of the same shape;
        `order_parameter(time, [replica])`, |R|. Per replica, `end_time`, `end_phase` (and `end_velocity`), from
        which the run can go on (with delays, also from its `past_...`); and `stopped_by` ("" where no
        condition held). A replica that stopped keeps its last phases in the frames that follow. What differs within
        a family is there by its name, (replica,) or (replica, oscillator).
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
    """
    options: dict[str, Any] = {
        "times": times, "tolerance": tolerance, "method": method, "step": step, "seed": seed, "replicas": replicas,
        "velocities": velocities, "history": history, "stop": stop, "max_steps": max_steps, "progress": progress,
    }  # fmt: skip
    if isinstance(model, Family):
        return _of_family(model, phases, t_end, options)
    return _whatever_ends_it(Simulation(model, phases, t_end, **options))


def _whatever_ends_it(run: Simulation) -> xr.Dataset:
    """The run as far as it comes."""
    try:
        status = run.go()
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    return run.dataset(status)


def _of_family(models: Family, phases: ArrayLike, t_end: float | None, options: dict[str, Any]) -> xr.Dataset:
    """All rows together where compiled code takes them, else one after another."""
    given: Any = phases
    rows: Any = given if hasattr(given, "data_vars") else models.rows(given)
    if rows is given and rows.sizes.get("replica") != len(models):
        raise ValueError(
            f"the run that goes on must have a replica for each of {len(models)} models; got {rows.sizes}"
        )
    try:
        run = Simulation(models.base, rows, t_end, family=models, **options)
    except _RowByRow:
        if rows is given:
            raise ValueError(
                "a family that is integrated row by row cannot go on: simulate its models one by one"
            ) from None
        data = _row_by_row(models, rows, t_end, options)
    else:
        data = _whatever_ends_it(run)
    data = _without(data, PART)  # the base alone is no model of these rows
    data.attrs.pop("model_code", None)
    data.attrs["model_not_written"] = (
        f"a family of {len(models)} models: save(models[row], path) writes one of them"
    )
    return models.named(data)


class _RowByRow(Exception):
    """What compiled code does not take."""


def _row_by_row(models: Family, phases: Array, t_end: float | None, options: dict[str, Any]) -> xr.Dataset:
    import xarray as xr

    numbers = _numbers(options["replicas"], len(phases))
    given = options["velocities"]
    velocities = None if given is None else np.broadcast_to(np.asarray(given, dtype=float), phases.shape)
    runs = []
    for row, number in enumerate(numbers.tolist()):
        own = {"replicas": [number], "velocities": None if velocities is None else velocities[row : row + 1]}
        runs.append(simulate(models[row], phases[row : row + 1], t_end, **(options | own)))
        if runs[-1].attrs["status"] == Status.INTERRUPTED:
            break
    plain = [_without(run, PART, "past_") for run in runs]  # which may differ in size
    data: xr.Dataset = xr.concat(
        plain, "replica", data_vars="all", join="outer", combine_attrs="drop_conflicts"
    )
    data.attrs["status"] = worst([run.attrs["status"] for run in runs])
    for name in ("accepted_steps", "rejected_steps"):
        data.attrs[name] = sum(run.attrs[name] for run in runs)
    data.attrs["wall_time_seconds"] = round(sum(run.attrs["wall_time_seconds"] for run in runs), 4)
    data.attrs["model"] = attributes(models.base)["model"]
    return data


def _without(run: xr.Dataset, *prefixes: str) -> xr.Dataset:
    """The run without the variables whose names begin so."""
    return run.drop_vars([name for name in run.variables if str(name).startswith(prefixes)])


def simulated(
    model: PhaseModel, phases: ArrayLike | xr.Dataset, t_end: float | None = None, **options: Any
) -> xr.Dataset:
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
        phases: ArrayLike | xr.Dataset,
        t_end: float | None = None,
        *,
        times: ArrayLike | None = None,
        tolerance: float | None = None,
        method: str | None = None,
        step: float | None = None,
        seed: int | None = None,
        replicas: Sequence[int] | None = None,
        velocities: ArrayLike | None = None,
        history: Past = None,
        stop: Condition | str | Sequence[Condition | str] | None = None,
        max_steps: int = 1_000_000,
        progress: bool = False,
        family: Family | None = None,
    ) -> None:
        self.began = clock.perf_counter()
        self.going_on = going_on = _going_on(phases, velocities, history, replicas, method, step)
        if going_on is not None:
            if model.coupling.adaptation is not None:
                raise ValueError(
                    "a run of an adaptive coupling does not go on: make ip.Adaptive(..., initial=run.end_weight.values) and "
                    "begin anew from run.end_phase"
                )
            phases, velocities, replicas = going_on.phases, going_on.velocities, going_on.replicas
            method, step = METHOD_NAMES[going_on.method], going_on.attribute("step")
            seed, tolerance = going_on.attribute("seed", seed), going_on.attribute("tolerance", tolerance)
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
        begin = None if going_on is None else going_on.time
        kept = output_times(t_end, times, state.size, 0.0 if begin is None else float(np.max(begin)))
        tolerance = error_bound("tolerance", 1e-8 if tolerance is None else tolerance)
        self.conditions, self.most = (
            as_conditions(stop, self.motion),
            integer("max_steps", max_steps, least=1),
        )
        if family is not None and any(condition.third for condition in self.conditions):
            raise _RowByRow  # velocities are those of one model
        self.progress = progress
        self.run: DormandPrince | FixedStep | SmallSystems | Multirate
        alone = method is None and step is None and family is None and going_on is None
        self.spread = chosen(model, self.motion.n, tolerance) if alone else None
        if self.spread is not None or (self.method == "multirate" and family is None):
            self.method, self.run = "multirate", _multirate(model, state, kept, tolerance)
        elif self.method == "dormand-prince":
            end = max(kept[-1], 1e-300)  # a run of zero length still has its first velocity computed
            small = small_systems(family or model, state, end, tolerance, begin)
            if family is not None and small is None:
                raise _RowByRow
            self.run = small or _adaptive(self.motion, state, end, tolerance, history, going_on)
        elif family is not None:
            raise _RowByRow
        else:
            h, whole = fitted(step, kept, going_on)
            kept, word = np.asarray(whole * h, dtype=float), _word("seed", 0 if seed is None else seed)
            if model.drive is not None:
                model.drive.check(0.0 if begin is None else float(np.min(begin)), kept[-1])
            self.run = FixedStep(
                self.motion, state, h, RUNGE_KUTTA[self.method], word, self.numbers, history, going_on
            )
        self.start, self.recorder = state, Recorder(kept, state, begin)

    def go(self) -> Status:
        """Integrate up to the last time; how it ended. KeyboardInterrupt after Ctrl-C."""
        if self.conditions:
            _stop_at_start(self.start, self.conditions, self.recorder)
        with progress_bar("simulate", self.recorder.times[-1], self.progress) as update:
            if isinstance(self.run, FixedStep):
                status = _march(self.run, self.recorder, self.conditions, self.most, update)
            elif isinstance(self.run, SmallSystems):
                status = _advance_small(self.run, self.recorder, self.conditions, self.most, update)
            else:
                status = _integrate(self.run, self.recorder, self.conditions, self.most, update)
        return Status.STOPPED if status is Status.FINISHED and any(self.recorder.stopped_by) else status

    def dataset(self, status: Status) -> xr.Dataset:
        """What there is of the run."""
        data = self.recorder.dataset(status, self.shape, self.motion, self.numbers)
        run = self.run
        about: dict[str, Any]
        if isinstance(run, FixedStep):
            made = (run.steps - run.begun) * len(self.numbers)
            about = {"step": run.step, "seed": run.seed, "accepted_steps": made, "rejected_steps": 0}
        else:
            about = {"tolerance": run.tolerance, "accepted_steps": run.accepted_steps}
            about["rejected_steps"] = run.rejected_steps
            if isinstance(run, Multirate):
                about["measured_error"] = run.largest_error
        if self.going_on is not None:
            about["continued_at"] = float(np.max(self.going_on.time))
        try:
            about["model_code"], parts = written(self.model)
        except ValueError as error:
            about["model_not_written"], parts = str(error), {}
        data = data.assign(self._past() | parts)
        data.attrs = attributes(
            self.model,
            status=status.value,
            method=_title(self.method, self.model, self.spread),
            **about,
            wall_time_seconds=round(clock.perf_counter() - self.began, 4),
        )
        return data

    def _past(self) -> dict[str, Any]:
        """What is heard from the end on, for a run that goes on; nothing where it is too much."""
        if not self.model.has_delays:
            return {}
        dims, shape = ("replica",) * (len(self.shape) - 1), self.shape[:-1]
        ends = self.recorder.end_time
        if isinstance(self.run, DelayedDormandPrince):
            pasts = [past.until(time) for past, time in zip(self.run.pasts(), ends) if time > 0]
            enough = len(pasts) == len(ends) and sum(past.coefficients.nbytes for past in pasts) <= MOST_PAST
            return past_variables(dims, shape, pasts) if enough else {}
        assert isinstance(self.run, FixedStep)
        frames = None if np.ptp(ends) else self.run.past(round(ends[0] / self.run.step))
        if frames is None or frames.nbytes > MOST_PAST:
            return {}
        return {"past_phase": (("past", *dims, "oscillator"), frames.reshape(len(frames), *self.shape))}


def fitted(step: Any, kept: Array, going_on: GoingOn | None = None) -> tuple[float, NDArray[np.int64]]:
    """The constant step that ends at the last of the times to keep, and these in whole steps.

    It is at most `step`, and that step itself to the bit where the last time is a multiple, to 1e-6 steps.
    """
    h = finite_number("step", step, positive=True)
    if h > kept[-1] * (1 + 1e-12) and kept[-1] > 0:
        raise ValueError(f"step must be at most the final time, {kept[-1]:g}; got {h:g}")
    count = kept[-1] / h
    if abs(count - np.rint(count)) > 1e-6:
        if going_on is not None:
            raise ValueError(
                f"the run goes on by its step {h:g}: the last time must be a multiple, such as "
                f"{np.rint(count) * h:.12g}; got {kept[-1]:g}"
            )
        h = float(kept[-1] / np.ceil(count))
    whole = np.unique(np.rint(kept / h)).astype(np.int64)
    begun = -1 if going_on is None else going_on.steps(h)
    if whole[-1] <= begun:
        raise ValueError(
            f"the last time must lie a step of {h:g} or more after the end of the run; got {kept[-1]:g}"
        )
    return h, whole[whole > begun]


def _going_on(
    given: Any, velocities: Any, history: Any, replicas: Any, method: Any, step: Any
) -> GoingOn | None:
    """The run that goes on where a Dataset is given instead of phases."""
    if not hasattr(given, "data_vars"):
        return None
    found = GoingOn(given)
    for name, value in {"velocities": velocities, "history": history, "replicas": replicas}.items():
        if value is not None:
            raise ValueError(f"{name} are those of the run that goes on; pass its last phases to begin anew")
    if found.method not in METHOD_NAMES:
        raise ValueError(f"the run that goes on has an unknown method {found.method!r}")
    for name, value, had in (
        ("method", method, METHOD_NAMES[found.method]), ("step", step, found.attribute("step"))
    ):  # fmt: skip
        if value is not None and value != had:
            raise ValueError(
                f"{name} is that of the run that goes on, {had}, by which noise and delays are counted; got {value!r}: "
                "leave it out, or pass the last phases with another seed to begin anew"
            )
    return found


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


def _adaptive(
    motion: Motion, state: Array, end: float, tolerance: float, history: Past, going_on: GoingOn | None
) -> DormandPrince:
    begin, drive = None if going_on is None else going_on.time, motion.model.drive
    pace = None
    if drive is not None:
        first = 0.0 if begin is None else float(np.min(begin))
        drive.check(first, end)
        pace = Pace(drive, motion, first, end, tolerance)
    if not motion.model.has_delays:
        limit = GrowthLimit(motion, len(state), end)
        return DormandPrince(motion, state, end, tolerance, limit, pace, begin)
    return delayed(motion, state, end, tolerance, history, pace, going_on)


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
    run: DormandPrince | Multirate,
    recorder: Recorder,
    conditions: list[Watched],
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
            _check_conditions(run, conditions, recorder, rows)
        if np.any(run.running & ~(run.step > 4 * np.finfo(float).eps * run.time)):
            return Status.STEP_UNDERFLOW
        run.next_stage()
        update(float(np.min(run.time)))
        if np.count_nonzero(run.running) <= 0.75 * len(rows) and np.any(run.running):
            live = run.running
            run.keep(live)
            rows, due = rows[live], due[live]
    return Status.FINISHED


def _advance_small(
    run: SmallSystems,
    recorder: Recorder,
    conditions: list[Watched],
    max_steps: int,
    update: Callable[[float], None],
) -> Status:
    """Adaptive steps of all rows up to the last time, in compiled code."""
    rows = np.arange(len(recorder.due))
    run.time[[row for row in rows if recorder.stopped_by[row]]] = run.t_end
    status = None
    while status is None:
        status = run.advance(1 if conditions else max_steps, max_steps, recorder)
        if conditions:
            _check_conditions(run, conditions, recorder, rows)
        update(float(np.min(run.time)))
    return status


def _stop_at_start(states: Array, conditions: list[Watched], recorder: Recorder) -> None:
    times = recorder.end_time.tolist()
    held = [(row, _held(conditions, times[row], state)) for row, state in enumerate(states)]
    recorder.stop([(row, times[row], name, states[row]) for row, name in held if name is not None])


def _held(conditions: list[Watched], time: float, state: Array) -> str | None:
    """The name of the first condition that holds."""
    return next((condition.__name__ for condition in conditions if condition(time, state)), None)


def _march(
    run: FixedStep,
    recorder: Recorder,
    conditions: list[Watched],
    max_steps: int,
    update: Callable[[float], None],
) -> Status:
    """Constant steps of all replicas up to the last time."""
    ends = [round(time / run.step) for time in recorder.times]
    rows = np.array([row for row, name in enumerate(recorder.stopped_by) if not name], dtype=np.int64)
    max_steps += run.begun
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
            held = [_held(conditions, run.time, state) for state in states]
            ended = zip(rows.tolist(), held, states)
            recorder.stop([(row, run.time, name, state) for row, name, state in ended if name is not None])
            rows = rows[[name is None for name in held]]
        update(run.time)
    return Status.FINISHED


def _check_conditions(
    run: DormandPrince | SmallSystems | Multirate,
    conditions: list[Watched],
    recorder: Recorder,
    rows: NDArray[np.int64],
) -> None:
    """Stop the replicas for which a condition has turned
    true within their last step, at the moment it did.
    """
    stopped = []
    for r in map(int, np.flatnonzero(run.accepted)):
        for condition in conditions:
            if condition(float(run.time[r]), run.phases[r]):
                low, high = 0.0, 1.0
                begin, taken = float(run.time_before[r]), float(run.taken[r])
                for _ in range(40):
                    middle = 0.5 * (low + high)
                    if condition(begin + middle * taken, run.state_within(r, middle)):
                        high = middle
                    else:
                        low = middle
                state = run.state_within(r, high)
                stopped.append((int(rows[r]), begin + high * taken, condition.__name__, state))
                run.time[r] = run.t_end
                break
    recorder.stop(stopped)
