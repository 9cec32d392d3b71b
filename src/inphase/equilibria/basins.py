"""How large are the basins? Uniform starts, carried by the flow to where they come to rest."""

from __future__ import annotations

import time as clock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inphase import initial, observables
from inphase.checks import finite_number, integer
from inphase.equilibria.locked import Locked
from inphase.equilibria.search import DistinctStates, polish, size_of
from inphase.equilibria.states import distance
from inphase.kernels.threads import few_threads
from inphase.model import PhaseModel
from inphase.provenance import attributes
from inphase.status import Status

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
NEAR = 0.1  # radians from a stable state, within which a run is looked at
SLOW = 1e-2  # of the Jacobian's size: the speed, off the rotation, below which it is looked at
# The first round, in units of 1/(the Jacobian's size); each is 1.6 times as long as the one before.
ROUND = 10.0
LONGEST = 20_000.0  # the default of t_end, in the same units


def basins(
    model: PhaseModel,
    n: int | None = None,
    samples: int = 1000,
    seed: int = 0,
    *,
    t_end: float | None = None,
    replicas_at_once: int | None = None,
    confidence: float = 0.95,
) -> xr.Dataset:
    """Estimate the share of uniform initial phases that each stable state attracts.

    Parameters
    ----------
    model : PhaseModel
        Without delays, noise and inertia.
    n : int, optional
        Number of oscillators, where the model does not fix it.
    samples : int
        Number of starts. Start r is drawn from (seed, r) alone.
    seed : int
    t_end : float, optional
        Units of time after which a start that is not near a stable state is undecided; 20,000 over the size
        of the Jacobian by default.
    replicas_at_once : int, optional
        How many are simulated together; as many as have 2^22 phases by default. It does not change the
        result.
    confidence : float
        Of the intervals, in (0, 1).

    Returns
    -------
    xarray.Dataset
        Over `state`, most frequent first: `count`, `fraction`, `low` and `high` (Clopper and Pearson's exact
        interval at the given confidence, for each state by itself), and the coordinates `name`,
        `winding_number` (in the order of indices), `order_parameter` and `frequency`;
        `phases(state, oscillator)`. States are the same if they agree up to rotation and, for identical
        oscillators joined all-to-all, up to relabelling; on a ring, q and −q are two states. Starts that came
        to no decision are the last state, "undecided", if there are any. A start counts for a stable state
        once it is slow and within 0.1 radians of it.

    Raises
    ------
    ValueError, TypeError
        On bad input.

    References
    ----------
    D. A. Wiley, S. H. Strogatz, M. Girvan, *The size of the sync basin*, Chaos 16 (2006) 015103.

    Examples
    --------
    >>> import inphase as ip
    >>> f = ip.harmonics(sin=[1.0, 2.0])  # two oscillators: in phase if they start closer than arccos(−1/4)
    >>> found = basins(ip.PhaseModel(f), 2, samples=200)
    >>> found.name.values.tolist(), bool(found.low[0] < np.arccos(-0.25) / np.pi < found.high[0])
    (['synchronized', 'antipodal (1+1)'], True)
    """
    begin = clock.perf_counter()
    size, count = size_of(model, n), integer("samples", samples, least=1)
    model.check_fixed("basins")
    if not model.is_autonomous:
        raise ValueError("basins needs a model without delays, noise and inertia")
    level = finite_number("confidence", confidence, positive=True)
    if level >= 1:
        raise ValueError(f"confidence must be below 1; got {level:g}")
    together = (
        max(1, 2**22 // size)
        if replicas_at_once is None
        else integer("replicas_at_once", replicas_at_once, least=1)
    )
    system = Locked(model, size)
    end = LONGEST / system.scale if t_end is None else finite_number("t_end", t_end, positive=True)
    starts = initial.phases("uniform", size, seed=integer("seed", seed, least=0), replicas=count)
    distinct = DistinctStates(system, ("all",))
    with few_threads(size):
        found = [_settle(system, distinct, starts[k : k + together], end) for k in range(0, count, together)]
    data = _table(distinct, np.concatenate(found), level)
    data.attrs = attributes(model, samples=count, seed=seed, t_end=end, confidence=level, interval="Clopper-Pearson",
                            wall_time_seconds=round(clock.perf_counter() - begin, 4))  # fmt: skip
    return data


def _settle(system: Locked, distinct: DistinctStates, phases: Array, end: float) -> NDArray[np.int64]:
    """The state of the distinct that each row ends in, or −1."""
    from inphase.simulation import simulated

    found = np.full(len(phases), -1)
    rows, phases, time, span = np.arange(len(phases)), phases.copy(), 0.0, ROUND / system.scale
    while len(rows) and time < end:
        run = simulated(system.model, phases, times=[min(span, end - time)], tolerance=1e-6)
        if run.attrs["status"] != Status.FINISHED:
            break
        phases, time, span = run.phase.values[-1], time + span, 1.6 * span
        speed = system.model.velocity(phases)
        if system.rotates:
            speed = speed - speed.mean(axis=1, keepdims=True)
        for k in np.flatnonzero(np.max(np.abs(speed), axis=1) <= SLOW * system.scale):
            found[rows[k]] = _state_near(system, distinct, phases[k])
        live = found[rows] < 0
        rows, phases = rows[live], phases[live]
    return found


def _state_near(system: Locked, distinct: DistinctStates, phases: Array) -> int:
    """The stable state within NEAR of these phases, known or new; −1 if there is none."""
    known = distinct.match(phases, within=NEAR)
    if known is None:
        omega = float(np.mean(system.velocity(phases, 0.0))) if system.rotates else 0.0
        step = system.step(system.bordered(phases, omega), system.residual(phases, omega))[0]
        root = (
            polish(system, phases, omega, 1e-10 * max(1.0, system.scale))
            if np.max(np.abs(step)) <= NEAR
            else None
        )
        if root is None or distance(phases, root[0], system.rotates) > NEAR:
            return -1
        known = distinct.enter(*root)
    return known if distinct.states[known].stable else -1


def _table(distinct: DistinctStates, found: NDArray[np.int64], level: float) -> xr.Dataset:
    import xarray as xr
    from scipy.stats import binomtest

    numbers, counts = np.unique(found, return_counts=True)
    order = sorted(range(len(numbers)), key=lambda k: (numbers[k] < 0, -counts[k], numbers[k]))
    numbers, counts = numbers[order], counts[order]
    states = [distinct.states[k] if k >= 0 else None for k in numbers]
    intervals = [binomtest(int(c), len(found)).proportion_ci(level, method="exact") for c in counts]
    nowhere = np.full(distinct.system.n, np.nan)
    phases = np.array([nowhere if s is None else s.phases for s in states])
    return xr.Dataset(
        {
            "count": ("state", counts),
            "fraction": ("state", counts / len(found)),
            "low": ("state", [i.low for i in intervals]),
            "high": ("state", [i.high for i in intervals]),
            "phases": (("state", "oscillator"), phases, {"units": "rad"}),
        },
        coords={
            "name": ("state", ["undecided" if s is None else s.name for s in states]),
            "winding_number": (
                "state",
                [np.nan if s is None else float(observables.winding_number(s.phases)) for s in states],
            ),
            "order_parameter": ("state", [np.nan if s is None else s.order_parameter for s in states]),
            "frequency": ("state", [np.nan if s is None else s.frequency for s in states]),
        },
    )
