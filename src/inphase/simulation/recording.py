"""What is kept of a run: states at the requested times, and how each replica ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase import checks
from inphase.observables import order_parameter
from inphase.simulation.motion import Motion

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
DEFAULT_OUTPUT = 64_000_000  # bytes of phases that a run keeps when no times are asked for


def output_times(t_end: float | None, times: ArrayLike | None, size: int) -> Array:
    """The times to keep; equally spaced where only the last
    one is given, as many as states of `size` phases allow.
    """
    return checks.output_times(t_end, times, int(np.clip(DEFAULT_OUTPUT // (8 * size), 2, 201)))


class Recorder:
    """States (T, replicas, width) filled up to `due[replica]`."""

    def __init__(self, times: Array, initial: Array) -> None:
        replicas = len(initial)
        self.times, self.states = times, np.empty((len(times), *initial.shape))
        self.due = np.zeros(replicas, dtype=np.int64)
        if times[0] == 0.0:
            self.states[0], self.due[:] = initial, 1
        self.end_time = np.zeros(replicas)
        self.stopped_by = [""] * replicas
        self.last: dict[int, Array] = {}

    def stop(self, row: int, time: float, name: str, state: Array) -> None:
        """Replica `row` ends here."""
        self.end_time[row], self.stopped_by[row], self.last[row] = time, name, state
        self.due[row] = np.searchsorted(self.times, time, side="right")

    def dataset(
        self, status: str, shape: tuple[int, ...], motion: Motion, replicas: NDArray[np.int64]
    ) -> xr.Dataset:
        """What is kept of a run from phases of `shape`, (n,) or (replicas, n)."""
        import xarray as xr

        kept = self._close(status)
        dims = ("time", "replica", "oscillator") if len(shape) == 2 else ("time", "oscillator")
        states = self.states[:kept]
        phases = states[..., : motion.n].reshape(kept, *shape)
        modulus = np.abs(order_parameter(phases)) if kept else phases[..., 0]
        stopped_by = np.array(self.stopped_by, dtype=object).reshape(shape[:-1]).astype(str)
        found = xr.Dataset(
            {
                "phase": (dims, phases, {"units": "rad", "long_name": "phase"}),
                "order_parameter": (dims[:-1], modulus, {"long_name": "|R|"}),
                "end_time": (dims[1:-1], self.end_time.reshape(shape[:-1])),
                "stopped_by": (dims[1:-1], stopped_by),
            },
            coords={"time": ("time", self.times[:kept], {"long_name": "time"})},
        )
        if motion.second_order:
            speeds = motion.velocities(states).reshape(kept, *shape)
            found["velocity"] = (dims, speeds, {"units": "rad per unit of time", "long_name": "velocity"})
        return found.assign_coords(replica=replicas) if len(shape) == 2 else found

    def _close(self, status: str) -> int:
        """Fill what follows a stop; the number of times that every replica has reached."""
        if status == "stopped" and len(self.due) == 1:
            self._cut_at_stop(int(self.due[0]))
            return len(self.times)
        kept = len(self.times)
        if status not in ("finished", "stopped"):
            kept = min((int(due) for due, name in zip(self.due, self.stopped_by) if not name), default=kept)
        for row, last in self.last.items():
            self.states[self.due[row] :, row] = last
        return kept

    def _cut_at_stop(self, kept: int) -> None:
        """A single run ends with the moment at which it stopped."""
        last, end = self.last[0], self.end_time[0]
        if kept and self.times[kept - 1] == end:
            kept -= 1
        self.times = np.append(self.times[:kept], end)
        self.states = np.concatenate([self.states[:kept], last[None, None]])
