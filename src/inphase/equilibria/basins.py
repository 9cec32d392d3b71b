"""How large are the basins? Uniform starts, carried by the flow to where they come to rest.

`settle` carries them; single nodes (`single_nodes.py`) and faults (`clearing.py`) are asked the same way.
"""

from __future__ import annotations

import time as clock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inphase import initial, observables
from inphase.checks import finite_number, integer
from inphase.equilibria.locked import Locked
from inphase.equilibria.search import DistinctStates, polish, size_of
from inphase.equilibria.states import Equilibrium, distance
from inphase.kernels.threads import few_threads
from inphase.model import PhaseModel
from inphase.provenance import attributes
from inphase.state_space import StateSpace
from inphase.status import Status

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
NEAR = 0.1  # radians from a stable state, within which a run is looked at
SLOW = 1e-2  # of the Jacobian's size: the speed, off the rotation, below which it is looked at
DECAY = (
    40.0  # over the slowest rate of decay, d/m or a stable state's: the time by which a swing has died down
)
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
    velocities: float = 0.0,
) -> xr.Dataset:
    """Estimate the share of uniform initial phases that each stable state attracts.

    With inertia, velocities are uniform from −`velocities` to `velocities`.

    Parameters
    ----------
    model : PhaseModel
        Without delays and noise.
    n : int, optional
        Number of oscillators, where the model does not fix it.
    samples : int
        Number of starts. Start r is drawn from (seed, r) alone.
    seed : int
    t_end : float, optional
        Units of time after which a start that is not near a stable state is undecided; 20,000 over the size
        of the Jacobian by default, and with inertia at least 40 m/d.
    replicas_at_once : int, optional
        How many are simulated together; as many as have 2^22 phases by default. It does not change the
        result.
    confidence : float
        Of the intervals, in (0, 1).
    velocities : float
        Largest |θ'| of the starts, for oscillators with inertia; radians per unit of time.

    Returns
    -------
    xarray.Dataset
        Over `state`, most frequent first: `count`, `fraction`, `low` and `high` (Clopper and Pearson's exact
        interval at the given confidence, for each state by itself), and the coordinates `name`,
        `winding_number` (in the order of indices), `order_parameter` and `frequency`;
        `phases(state, oscillator)`. States are the same if they agree up to rotation and, for identical
        oscillators joined all-to-all, up to relabelling; on a ring, q and −q are two states. Starts that came
        to no decision are the last state, "undecided", if there are any (a machine that runs on, out of step, is
        one). A start counts for a stable state once it is slow and within 0.1 radians of it.

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
    deterministic("basins", model)
    level, widest = confidence_level(confidence), finite_number("velocities", velocities, least=0)
    if widest and not model.has_inertia:
        raise ValueError(
            f"velocities are for models with inertia; this one has none, so leave out {widest:g}"
        )
    together = (
        max(1, 2**22 // size)
        if replicas_at_once is None
        else integer("replicas_at_once", replicas_at_once, least=1)
    )
    system = Locked(model, size)
    end = longest_time(system, t_end)
    starts = initial.phases("uniform", size, seed=integer("seed", seed, least=0), replicas=count)
    speeds = uniform_velocities(starts.shape, widest, seed) if model.has_inertia else None
    distinct = DistinctStates(system, () if np.ptp(model.inertia) or np.ptp(model.damping) else ("all",))
    with few_threads(size):
        found = _in_groups(system, distinct, starts, speeds, end, together)
    data = _table(distinct, found, level)
    data.attrs = attributes(model, samples=count, seed=seed, t_end=end, confidence=level, interval="Clopper-Pearson",
                            wall_time_seconds=round(clock.perf_counter() - begin, 4))  # fmt: skip
    return data


def deterministic(what: str, model: PhaseModel) -> None:
    """ValueError where delays or noise keep a state from being an end."""
    if model.has_delays or model.has_noise:
        raise ValueError(f"{what} needs a model without delays and noise")


def confidence_level(value: float) -> float:
    """A confidence in (0, 1); ValueError otherwise."""
    level = finite_number("confidence", value, positive=True)
    if level >= 1:
        raise ValueError(f"confidence must be below 1; got {level:g}")
    return level


def longest_time(system: Locked, t_end: float | None) -> float:
    """`t_end`, or after how long a run is given up."""
    if t_end is not None:
        return finite_number("t_end", t_end, positive=True)
    space = StateSpace(system.model, system.n)
    return max(LONGEST / system.scale, DECAY / float(np.min(space.rate, initial=np.inf)))


def decay_time(state: Equilibrium, t_end: float | None) -> float:
    """`t_end`, or the time in which what leads to a stable state has surely died down."""
    if t_end is not None:
        return finite_number("t_end", t_end, positive=True)
    return DECAY / float(-np.max(state.eigenvalues.real, initial=-np.inf))


def uniform_velocities(shape: tuple[int, ...], widest: float, seed: int) -> Array:
    """Velocities from −widest to widest; row r is drawn from (seed, r), and not from what its phases are."""
    keys = [np.random.SeedSequence(seed, spawn_key=(r, 1)) for r in range(shape[0])]
    return np.array([np.random.default_rng(key).uniform(-widest, widest, shape[1:]) for key in keys])


def _in_groups(
    system: Locked, distinct: DistinctStates, starts: Array, speeds: Array | None, end: float, together: int
) -> NDArray[np.int64]:
    """`settle` of so many starts at a time."""
    found = []
    for k in range(0, len(starts), together):
        rows = slice(k, k + together)
        found.append(settle(system, distinct, starts[rows], None if speeds is None else speeds[rows], end)[0])
    return np.concatenate(found)


def settle(
    system: Locked,
    distinct: DistinctStates,
    phases: Array,
    velocities: Array | None,
    end: float,
    **options: Any,
) -> tuple[NDArray[np.int64], Array]:
    """The state of the distinct that each row ends in, or −1, and its last phases, not wrapped.

    Options are those of `simulate`; a row that one of its conditions stops ends nowhere.
    """
    from inphase.simulation import simulated

    options.setdefault("tolerance", 1e-6)

    space = StateSpace(system.model, system.n)
    swing = np.sqrt(
        np.max(space.rate, initial=0.0) * system.scale
    )  # about the fastest swing, radians per time
    found, last = np.full(len(phases), -1), phases.copy()
    rows, time, span = np.arange(len(phases)), 0.0, max(ROUND / system.scale, ROUND / swing if swing else 0.0)
    while len(rows) and time < end:
        given = options if velocities is None else options | {"velocities": velocities}
        run = simulated(system.model, last[rows], times=[min(span, end - time)], **given)
        if run.attrs["status"] not in (Status.FINISHED, Status.STOPPED):
            break
        last[rows], time, span = run.phase.values[-1], time + span, 1.6 * span
        speed = system.model.velocity(last[rows])
        slow = _spread(speed, system.rotates) <= SLOW * system.scale
        if velocities is not None:
            velocities = run.velocity.values[-1]
            slow &= _spread((velocities - speed)[:, space.heavy], False) <= NEAR * swing
        for k in np.flatnonzero(slow):
            found[rows[k]] = _state_near(system, distinct, last[rows[k]])
        live = (found[rows] < 0) & (run.stopped_by.values == "")
        rows = rows[live]
        velocities = None if velocities is None else velocities[live]
    return found, last


def _spread(speed: Array, rotates: bool) -> Array:
    """The largest |θ'| of each row, off the common turn."""
    return np.asarray(np.max(np.abs(speed - speed.mean(axis=1, keepdims=True) if rotates else speed), axis=1))


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
