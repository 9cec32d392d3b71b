"""How a run goes on: what its Dataset holds of the end, read back; and `join`, which makes one run of two."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inphase.checks import finite_array

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
MOST_PAST = 512_000_000  # bytes of what is heard that a run keeps
REMEDY = "take the whole time in one run"


class Pieces(NamedTuple):
    """The past of one replica: Σ_p coefficients[k, :, p] x^p, x from 0 to 1 within start[k] + [0, length[k]]."""

    start: Array
    length: Array
    coefficients: Array

    def until(self, time: float) -> Pieces:
        """What lies before a time, at which the last piece is cut."""
        count = int(np.searchsorted(self.start, time, side="left"))
        start, length, coefficients = (part[:count].copy() for part in self)
        share = min((time - start[-1]) / length[-1], 1.0)
        if share < 1.0:
            length[-1] = time - start[-1]
            coefficients[-1] *= share ** np.arange(coefficients.shape[-1])
        return Pieces(start, length, coefficients)


class GoingOn:
    """A run of `simulate` that goes on.

    Attributes
    ----------
    phases : ndarray, shape (n,) or (replicas, n)
    velocities : ndarray like `phases`, or None without inertia
    time : ndarray, shape (replicas,)
        Where each replica is.
    replicas : list of int, or None
    method : str
        Its title, as results have it.
    """

    def __init__(self, run: xr.Dataset) -> None:
        needed = [name for name in ("end_phase", "end_time") if name not in run]
        if needed or "method" not in run.attrs:
            raise ValueError(
                "only a Dataset of simulate, or one opened from its file, can go on; this one lacks "
                f"{', '.join(needed) or 'its attributes'}: pass phases, such as those of the last frame"
            )
        self._run = run
        self.phases = finite_array("end_phase", run.end_phase.values)
        self.velocities = np.nan_to_num(run.end_velocity.values) if "end_velocity" in run else None
        self.time = np.atleast_1d(finite_array("end_time", run.end_time.values))
        self.replicas = np.atleast_1d(run.replica.values).tolist() if "replica" in run.coords else None
        self.method = str(run.attrs["method"])

    def attribute(self, name: str, given: Any = None) -> Any:
        """What is given, or else what the run had."""
        found = self._run.attrs.get(name)
        return (
            given if given is not None or found is None else found.item() if hasattr(found, "item") else found
        )

    def steps(self, step: float) -> int:
        """The constant steps that it took: the counter of its noise."""
        if np.ptp(self.time):
            raise ValueError(
                f"with constant steps, all replicas must be at the same time; they are at {self.time.min():g} to "
                f"{self.time.max():g}: go on with those of one time, run.isel(replica=[...])"
            )
        return round(float(self.time[0]) / step)

    def frames(self, count: int) -> Array:
        """The phases of the last `count` constant steps, (count, replicas, n), for delays."""
        found = self._past("past_phase", "step")
        if len(found) < count:
            raise ValueError(
                f"the run holds the phases of its last {len(found)} steps, and the delays need {count}: {REMEDY}"
            )
        return found.reshape(len(found), -1, self.phases.shape[-1])[len(found) - count :]

    def pieces(self, longest: float) -> list[Pieces]:
        """The past of each replica, for delays of up to `longest`."""
        coefficients, replicas = self._past("past_coefficient", "tolerance"), len(self.time)
        pieces, width, terms = coefficients.shape[-3:]
        whole = coefficients.reshape(replicas, pieces, width, terms)
        start = self._run["past_start"].values.reshape(replicas, pieces)
        length = self._run["past_length"].values.reshape(replicas, pieces)
        found = []
        for r in range(replicas):
            known = length[r] > 0
            found.append(Pieces(start[r, known], length[r, known], whole[r, known]))
            if found[-1].start[0] > self.time[r] - longest * (1 - 1e-12):
                held = self.time[r] - found[-1].start[0]
                raise ValueError(
                    f"the run holds its last {held:g}, and the delays need {longest:g}: {REMEDY}"
                )
        return found

    def _past(self, name: str, how: str) -> Array:
        if name not in self._run:
            raise ValueError(
                f"with delays, a run goes on from its past, {name}, which this one does not hold "
                f"(it had no delays, or the past took more than {MOST_PAST // 10**6} MB): {REMEDY}"
            )
        if how not in self._run.attrs:
            raise ValueError(f"{name} belongs to a run with {how}, which its attributes lack")
        return np.asarray(self._run[name].values, dtype=float)


def past_variables(dims: tuple[str, ...], shape: tuple[int, ...], pasts: list[Pieces]) -> dict[str, Any]:
    """Variables of the past of adaptive steps; fewer pieces of a replica than of others are filled with zeros."""
    most = max(len(one.start) for one in pasts)
    start, length = np.zeros((2, len(pasts), most))
    coefficients = np.zeros((len(pasts), most, *pasts[0].coefficients.shape[1:]))
    for r, one in enumerate(pasts):
        count = len(one.start)
        start[r, :count], length[r, :count], coefficients[r, :count] = one
    width = coefficients.shape[2:]
    return {
        "past_start": ((*dims, "piece"), start.reshape(*shape, most)),
        "past_length": ((*dims, "piece"), length.reshape(*shape, most)),
        "past_coefficient": (
            (*dims, "piece", "state", "power"),
            coefficients.reshape(*shape, most, *width),
        ),
    }


def join(first: xr.Dataset, *more: xr.Dataset) -> xr.Dataset:
    """One run of several, each of which goes on from the one before: its clock, velocities, delays' past and noise.

    A run that goes on keeps its method, step, seed and replicas' numbers, and holds the frames after those of the
    first. With constant steps both have the bits of one run, with adaptive ones they agree to the tolerance.

    Parameters
    ----------
    first, *more : xarray.Dataset
        Of `simulate`: ``second = ip.simulate(model, first, t_end=...)``, and so on.

    Returns
    -------
    xarray.Dataset
        What has a time, one after another; the end and the attributes are those of the last (steps and wall time
        are summed), so that it can go on, too.

    Raises
    ------
    ValueError
        If a run does not go on from the one before.

    Examples
    --------
    >>> import inphase as ip
    >>> model = ip.PhaseModel(ip.kuramoto(), noise=0.1)
    >>> first = ip.simulate(model, [0.0, 1.0], t_end=1.0, step=0.01, seed=1)
    >>> second = ip.simulate(model, first, t_end=2.0)
    >>> whole = ip.simulate(model, [0.0, 1.0], t_end=2.0, step=0.01, seed=1)
    >>> bool((join(first, second).phase[-1] == whole.phase[-1]).all())
    True
    """
    import xarray as xr

    parts = [first, *more]
    for before, after in pairwise(parts):
        ended, begun = float(np.max(before.end_time)), after.attrs.get("continued_at")
        if begun is None or float(begun) != ended:
            raise ValueError(
                f"a run must go on from the one before, which ended at {ended:g}; this one "
                f"{'began anew' if begun is None else f'goes on from {float(begun):g}'}"
            )
    timed = [name for name in parts[-1].data_vars if "time" in parts[-1][name].dims]
    found = xr.concat([part[timed] for part in parts], "time").merge(parts[-1].drop_dims("time"))
    found.attrs = dict(parts[-1].attrs)
    found.attrs.pop("continued_at", None)
    if "continued_at" in first.attrs:
        found.attrs["continued_at"] = first.attrs["continued_at"]
    for name in ("accepted_steps", "rejected_steps", "wall_time_seconds"):
        found.attrs[name] = sum(part.attrs[name] for part in parts)
    return found
