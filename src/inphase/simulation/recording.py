"""What is kept of a run: states at the requested times, and how each replica ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase import checks
from inphase.observables import order_parameter
from inphase.simulation.motion import Motion
from inphase.status import Status

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
DEFAULT_OUTPUT = 64_000_000  # bytes of phases that a run keeps when no times are asked for


def output_times(t_end: float | None, times: ArrayLike | None, size: int, begin: float = 0.0) -> Array:
    """The times to keep; equally spaced where only the last
    one is given, as many as states of `size` phases allow. Of a run that goes on, those after `begin`.
    """
    frames = int(np.clip(DEFAULT_OUTPUT // (8 * size), 2, 201))
    found = checks.output_times(t_end, times, frames)
    if not begin:
        return found
    first = found[-1] if t_end is not None else found[0]
    if first <= begin:
        name = "t_end" if t_end is not None else "times"
        raise ValueError(
            f"{name} must lie after {begin:g}, where the run ended (its clock goes on); got {first:g}"
        )
    return found if t_end is None else np.linspace(begin, first, frames)[1:]


class _Ends(NamedTuple):
    """Where the replicas are: times (replicas,), states (replicas, size), and frames that lie behind them."""

    time: Array
    state: Array
    due: NDArray[np.int64]


class Recorder:
    """States (T, replicas, size) at the requested times, filled up to `due[replica]`; and the last ones.

    Ctrl-C may come between any two lines. So `reach` fills a copy of what is known of the replicas, which
    then takes the place of the other at once, and a frame counts from there on.
    """

    def __init__(self, times: Array, initial: Array, begin: Array | None = None) -> None:
        replicas = len(initial)
        begin = np.zeros(replicas) if begin is None else begin
        self.times, self.states = times, np.empty((len(times), *initial.shape))
        known = int(times[0] == 0.0 and not np.any(begin))
        self.states[:known] = initial
        self.stopped_by = [""] * replicas
        ends = (_Ends(begin.copy(), initial.copy(), np.full(replicas, known)) for _ in range(2))
        self._ends, self._spare = ends

    @property
    def end_time(self) -> Array:
        """Where each replica is, (replicas,)."""
        return self._ends.time

    @property
    def due(self) -> NDArray[np.int64]:
        """The first frame that each replica has not reached, (replicas,)."""
        return self._ends.due

    def reach(self, rows: NDArray[np.int64], time: ArrayLike, states: Array, due: ArrayLike) -> None:
        """The replicas `rows`, ascending, are at these times and states; their frames before `due` are filled."""
        here, new = self._ends, self._spare
        whole = len(rows) == len(here.time)
        for before, after, values in zip(here, new, (time, states, due)):
            if not whole:
                np.copyto(after, before)
            after[... if whole else rows] = values
        self._ends = new
        self._spare = here

    def stop(self, found: Sequence[tuple[int, float, str, Array]]) -> None:
        """Replicas end: (row, time, what held, state) of each, by ascending rows."""
        if not found:
            return
        rows, names = np.array([row for row, *_ in found]), [name for _, _, name, _ in found]
        times, states = np.array([time for _, time, *_ in found]), np.array([state for *_, state in found])
        self.reach(rows, times, states, np.searchsorted(self.times, times, side="right"))
        for row, name in zip(rows, names):
            self.stopped_by[row] = name

    def dataset(
        self, status: Status, shape: tuple[int, ...], motion: Motion, replicas: NDArray[np.int64]
    ) -> xr.Dataset:
        """What is kept of a run from phases of `shape`, (n,) or (replicas, n)."""
        import xarray as xr

        times, states, lost = self._frames(status)
        kept, n, end = len(times), motion.n, self._ends
        dims = ("time", "replica", "oscillator") if len(shape) == 2 else ("time", "oscillator")
        speeds = motion.velocities(states, times[:, None]) if motion.second_order else states[..., n:]
        phases, weights = states[..., :n], motion.weights(states)
        modulus = np.abs(order_parameter(phases)) if kept else phases[..., 0]
        for values in (phases, modulus, speeds, weights):
            values[lost] = np.nan
        stopped_by = np.array(self.stopped_by, dtype=object).reshape(shape[:-1]).astype(str)
        about = {"units": "rad", "long_name": "phase"}
        found = xr.Dataset(
            {
                "phase": (dims, phases.reshape(kept, *shape), about),
                "order_parameter": (dims[:-1], modulus.reshape(kept, *shape[:-1]), {"long_name": "|R|"}),
                "end_time": (dims[1:-1], end.time.reshape(shape[:-1])),
                "end_phase": (dims[1:], end.state[:, :n].reshape(shape), about),
                "stopped_by": (dims[1:-1], stopped_by),
            },
            coords={"time": ("time", times, {"long_name": "time"})},
        )
        if motion.second_order:
            about = {"units": "rad per unit of time", "long_name": "velocity"}
            found["velocity"] = (dims, speeds.reshape(kept, *shape), about)
            found["end_velocity"] = (dims[1:], motion.velocities(end.state, end.time).reshape(shape), about)
        if motion.adapting is not None:
            edges, about = (*dims[:-1], "edge"), {"long_name": "weight K_ij of an edge"}
            count = weights.shape[-1]
            found["weight"] = (edges, weights.reshape(kept, *shape[:-1], count), about)
            found["end_weight"] = (edges[1:], motion.weights(end.state).reshape(*shape[:-1], count), about)
            ends = {"listener": motion.adapting.equations.rows, "heard": motion.adapting.equations.columns}
            found = found.assign_coords({name: ("edge", nodes) for name, nodes in ends.items()})
        return found.assign_coords(replica=replicas) if len(shape) == 2 else found

    def _frames(self, status: Status) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Times (T,), states (T, replicas, size), and which of them lie ahead of their replica, (T, replicas).

        A run that ended early ends with the moment at which it did. What follows the last state of a replica is
        filled with it, for good where it stopped.
        """
        end, times, states = self._ends, self.times, self.states
        dues, last = end.due, float(np.max(end.time))
        if not status.complete or (status == Status.STOPPED and len(dues) == 1):
            kept = int(np.max(dues))  # frames before the moment at which it ended, which is one, too
            kept -= bool(kept and times[kept - 1] >= last)
            times, states = np.append(times[:kept], last), np.concatenate([states[:kept], end.state[None]])
            dues = np.where(end.time == last, kept + 1, np.minimum(dues, kept))
        for row, due in enumerate(dues):
            states[due:, row] = end.state[row]
        ahead = np.arange(len(times))[:, None] >= dues
        return times, states, ahead & np.array([not name for name in self.stopped_by])
