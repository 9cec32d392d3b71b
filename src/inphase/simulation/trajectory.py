"""`simulate`: trajectories at requested times."""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.errors import finite_number, integer, time_array
from inphase.kernels import steps
from inphase.model import PhaseModel
from inphase.observables import order_parameter
from inphase.progress import progress_bar
from inphase.provenance import attributes
from inphase.simulation.events import Condition, as_conditions, name_of
from inphase.simulation.explicit import DormandPrince

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
DEFAULT_OUTPUT = 64_000_000  # bytes of phases that a run keeps when no times are asked for


def simulate(
    model: PhaseModel,
    phases: ArrayLike,
    t_end: float | None = None,
    *,
    times: ArrayLike | None = None,
    tolerance: float = 1e-8,
    stop: Condition | str | Sequence[Condition | str] | None = None,
    max_steps: int = 1_000_000,
    progress: bool = False,
) -> xr.Dataset:
    """Integrate the model from time 0 with adaptive explicit steps (Dormand-Prince 5(4), dense output of order 4).

    Parameters
    ----------
    model : PhaseModel
    phases : array_like, shape (n,) or (replicas, n)
        Initial phases, radians. Every replica has its own step sizes.
    t_end : float, optional
        Final time; phases are kept at up to 201 equally spaced times (fewer where they would fill more than 64 MB).
    times : array_like, shape (T,), optional
        The times to keep instead, ascending and non-negative; the run ends at the last one.
    tolerance : float
        Bound on the local error of each phase per step, radians.
    stop : "synchronized", callable or a sequence of them, optional
        Conditions `(time, phases (n,)) -> bool`, checked after each step and located within it; the first that holds
        ends a replica's run. See `inphase.simulation.synchronized` and `clusters_at_most`.
    max_steps : int
        Trial steps per replica, on the average over them, after which the run ends with what it has.
    progress : bool
        Show a bar with the remaining time.

    Returns
    -------
    xarray.Dataset
        `phase(time, [replica,] oscillator)`, radians, not wrapped; `order_parameter(time, [replica])`, |R|; and, per
        replica, `end_time` and `stopped_by` ("" where no condition held). A replica that stopped keeps its last phases.
        `attrs["status"]` is "finished", "stopped", "interrupted" (Ctrl-C), "max_steps" or "step underflow"; in the last
        three cases the times that not every replica reached are left out.

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
    start = clock.perf_counter()
    initial = model.check(phases)
    if initial.ndim > 2 or not initial.size:
        raise ValueError(f"phases must have shape (n,) or (replicas, n); got {initial.shape}")
    flat = initial.reshape(-1, initial.shape[-1])
    recorder = _Recorder(_times(t_end, times, flat.size), flat)
    status, run = _integrate(
        model,
        flat,
        recorder,
        finite_number("tolerance", tolerance, positive=True),
        as_conditions(stop),
        integer("max_steps", max_steps, least=1),
        progress,
    )
    data = recorder.dataset(status, initial.shape)
    data.attrs = attributes(
        model,
        status=status,
        method="Dormand-Prince 5(4)",
        tolerance=tolerance,
        accepted_steps=run.accepted_steps,
        rejected_steps=run.rejected_steps,
        wall_time_seconds=round(clock.perf_counter() - start, 4),
    )
    return data


def _times(t_end: float | None, times: ArrayLike | None, size: int) -> Array:
    if (t_end is None) == (times is None):
        raise ValueError("give either t_end or times")
    if times is None:
        end = finite_number("t_end", t_end, positive=True)
        return np.linspace(0.0, end, int(np.clip(DEFAULT_OUTPUT // (8 * size), 2, 201)))
    return time_array(times)


class _Recorder:
    """What is kept of a run: phases (T, replicas, n) filled up to `due[replica]`."""

    def __init__(self, times: Array, initial: Array) -> None:
        replicas = len(initial)
        self.times, self.phases = times, np.empty((len(times), *initial.shape))
        self.due = np.zeros(replicas, dtype=np.int64)
        if times[0] == 0.0:
            self.phases[0], self.due[:] = initial, 1
        self.end_time = np.zeros(replicas)
        self.stopped_by = [""] * replicas
        self.last: dict[int, Array] = {}

    def stop(self, row: int, time: float, name: str, phases: Array) -> None:
        self.end_time[row], self.stopped_by[row], self.last[row] = time, name, phases
        self.due[row] = np.searchsorted(self.times, time, side="right")

    def dataset(self, status: str, shape: tuple[int, ...]) -> xr.Dataset:
        """What is kept of a run from phases of `shape`, (n,) or (replicas, n)."""
        import xarray as xr

        kept = self._close(status)
        dims = ("time", "replica", "oscillator") if len(shape) == 2 else ("time", "oscillator")
        out = self.phases[:kept].reshape(kept, *shape)
        modulus = np.abs(order_parameter(out)) if kept else out[..., 0]
        stopped_by = np.array(self.stopped_by, dtype=object).reshape(shape[:-1]).astype(str)
        return xr.Dataset(
            {
                "phase": (dims, out, {"units": "rad", "long_name": "phase"}),
                "order_parameter": (dims[:-1], modulus, {"long_name": "|R|"}),
                "end_time": (dims[1:-1], self.end_time.reshape(shape[:-1])),
                "stopped_by": (dims[1:-1], stopped_by),
            },
            coords={"time": ("time", self.times[:kept], {"long_name": "time"})},
        )

    def _close(self, status: str) -> int:
        """Fill what follows a stop; the number of times that every replica has reached."""
        if status == "stopped" and len(self.due) == 1:
            self._cut_at_stop(int(self.due[0]))
            return len(self.times)
        kept = len(self.times)
        if status not in ("finished", "stopped"):
            kept = min((int(due) for due, name in zip(self.due, self.stopped_by) if not name), default=kept)
        for row, last in self.last.items():
            self.phases[self.due[row] :, row] = last
        return kept

    def _cut_at_stop(self, kept: int) -> None:
        """A single run ends with the moment at which it stopped."""
        last, end = self.last[0], self.end_time[0]
        if kept and self.times[kept - 1] == end:
            kept -= 1
        self.times = np.append(self.times[:kept], end)
        self.phases = np.concatenate([self.phases[:kept], last[None, None]])


def _integrate(
    model: PhaseModel,
    initial: Array,
    recorder: _Recorder,
    tolerance: float,
    conditions: list[Condition],
    max_steps: int,
    progress: bool,
) -> tuple[str, DormandPrince]:
    times = recorder.times
    rows = np.arange(len(initial))
    for row, phases in enumerate(initial):
        name = next((name_of(c) for c in conditions if c(0.0, phases)), None)
        if name is not None:
            recorder.stop(row, 0.0, name, phases)
    # A run of zero length still has its first velocity computed; everything after happens in the loop.
    run = DormandPrince(model.flow, initial, max(times[-1], 1e-300), tolerance)
    run.time[[row for row in rows if recorder.stopped_by[row]]] = run.t_end
    status, due = "finished", recorder.due.copy()
    try:
        with progress_bar("simulate", run.t_end, progress) as update:
            while np.any(run.running):
                if run.accepted_steps + run.rejected_steps >= max_steps * len(initial):
                    status = "max_steps"
                    break
                run.advance()
                steps.interpolate(
                    run.before, run.stages, run.interpolant, run.time_before, run.taken, run.accepted, times, due, rows,
                    recorder.phases,
                )  # fmt: skip
                arrived = run.accepted & ~run.running
                due[arrived] = len(times)  # the last time is the step's end, exactly
                recorder.phases[-1, rows[arrived]] = run.phases[arrived]
                recorder.due[rows[run.accepted]] = due[run.accepted]
                recorder.end_time[rows[run.accepted]] = run.time[run.accepted]
                if conditions:
                    _check_conditions(run, conditions, recorder, rows)
                if np.any(run.running & ~(run.step > 4 * np.finfo(float).eps * run.time)):
                    status = "step underflow"
                    break
                run.next_stage()
                update(float(np.min(run.time)))
                if np.count_nonzero(run.running) <= 0.75 * len(rows) and np.any(run.running):
                    live = run.running
                    run.keep(live)
                    rows, due = rows[live], due[live]
    except KeyboardInterrupt:
        status = "interrupted"
    if status == "finished" and any(recorder.stopped_by):
        status = "stopped"
    return status, run


def _check_conditions(run: DormandPrince, conditions: list[Condition], recorder: _Recorder, rows: NDArray[np.int64]) -> None:
    """Stop the replicas for which a condition has turned true within their last step, at the moment it did."""
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
                recorder.stop(int(rows[r]), begin + high * taken, name_of(condition), run.state_within(r, high))
                run.time[r] = run.t_end
                break
