"""How much can one node be pushed? Single-node basin stability and survivability, from one locked state.

The phase and the velocity of one oscillator are drawn anew, the others stay where the state has them.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import finite_number, finite_vector, integer
from inphase.equilibria.basins import NEAR, confidence_level, decay_time, deterministic, settle
from inphase.equilibria.locked import Locked
from inphase.equilibria.nearest import nearest
from inphase.equilibria.search import DistinctStates
from inphase.equilibria.states import Equilibrium
from inphase.kernels.threads import few_threads
from inphase.model import PhaseModel
from inphase.provenance import attributes
from inphase.status import Status

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
Outcomes = NDArray[np.int64]  # 1: as asked; 0: not; −1: undecided


def node_basins(
    model: PhaseModel,
    phases: ArrayLike,
    velocities: float | None = None,
    *,
    nodes: Sequence[int] | None = None,
    samples: int = 100,
    seed: int = 0,
    t_end: float | None = None,
    confidence: float = 0.95,
) -> xr.Dataset:
    """Single-node basin stability: how often the state comes back after one node's phase and velocity are drawn anew.

    Parameters
    ----------
    model : PhaseModel
        Without delays and noise.
    phases : array_like, shape (n,)
        A stable locked state, radians, to within 0.1.
    velocities : float, optional
        Largest deviation of the node's velocity from the state's, radians per unit of time; needed for nodes
        with inertia, those without have none.
    nodes : sequence of int, optional
        Which nodes; all if not given.
    samples : int
        Draws for each node: phases uniform on the circle, velocities uniform from −`velocities` to `velocities`.
    seed : int
        Draw r of node i follows from (seed, i, r) alone.
    t_end : float, optional
        Units of time after which a draw that is not near a stable state is undecided; 40 over the slowest decay
        rate of the state if not given.
    confidence : float
        Of the intervals, in (0, 1).

    Returns
    -------
    xarray.Dataset
        Over `oscillator`: `count` of draws that come back (a node that turned around meanwhile is back, too),
        `fraction`, `low` and `high` (Wilson's interval for each node by itself), and `undecided`, the draws that
        came to rest nowhere until `t_end`: a machine that runs out of step is one.

    Raises
    ------
    ValueError, TypeError
        On bad input, and where the phases are not a stable state's.

    References
    ----------
    P. J. Menck, J. Heitzig, J. Kurths, H. J. Schellnhuber, *How dead ends undermine power grid stability*,
    Nature Communications 5 (2014) 3969.

    Examples
    --------
    >>> import inphase as ip  # without inertia every phase of a single node leads back
    >>> model = ip.PhaseModel(2 * ip.kuramoto(), frequencies=[-0.5, 0.5])
    >>> node_basins(model, [0.0, 0.5], samples=20).fraction.values
    array([1., 1.])
    """

    def returned(system: Locked, state: Equilibrium, starts: Array, speeds: Array | None) -> Outcomes:
        distinct = DistinctStates(system, ())
        distinct.enter(state.phases, state.frequency)
        found, _ = settle(system, distinct, starts, speeds, decay_time(state, t_end))
        return np.where(found < 0, -1, found == 0)

    about = {} if t_end is None else {"t_end": t_end}
    return _by_node(
        "node_basins", model, phases, velocities, returned, nodes, samples, seed, confidence, about
    )


def survivability(
    model: PhaseModel,
    phases: ArrayLike,
    bound: float,
    t_end: float,
    *,
    velocities: float | None = None,
    nodes: Sequence[int] | None = None,
    samples: int = 100,
    seed: int = 0,
    confidence: float = 0.95,
) -> xr.Dataset:
    """Single-node survivability: how often all velocities stay within a bound after one node was pushed.

    Parameters
    ----------
    model, phases, nodes, samples, seed, confidence
        As for `node_basins`; the model has inertia.
    bound : float
        How far each velocity may be from the state's, radians per unit of time (2π·0.5 for 0.5 Hz).
    t_end : float
        How long they must stay within it. It is looked at the end of each step of the integrator.
    velocities : float, optional
        Largest deviation of the node's first velocity; `bound` if not given.

    Returns
    -------
    xarray.Dataset
        Over `oscillator`: `count` of draws that survive, `fraction`, `low`, `high` (Wilson's interval for each
        node by itself), and `undecided`, of runs that could not be finished.

    Raises
    ------
    ValueError, TypeError
        On bad input, and where the phases are not a stable state's.

    References
    ----------
    F. Hellmann, P. Schultz, C. Grabow, J. Heitzig, J. Kurths, *Survivability of deterministic dynamical systems*,
    Scientific Reports 6 (2016) 29654.

    Examples
    --------
    >>> import inphase as ip
    >>> model = ip.PhaseModel(ip.kuramoto(), ip.Sparse([[0, 1], [1, 0]]), frequencies=[-0.5, 0.5], inertia=1.0, damping=0.1)
    >>> found = survivability(model, [0.0, 0.5], bound=4.0, t_end=20.0, velocities=1.0, samples=20)
    >>> found.fraction.values
    array([0.6, 0.6])
    """
    from inphase.simulation import faster_than, simulated

    if not model.has_inertia:
        raise ValueError("survivability asks for velocities: the model needs inertia")
    most, end = finite_number("bound", bound, positive=True), finite_number("t_end", t_end, positive=True)

    def survived(system: Locked, state: Equilibrium, starts: Array, speeds: Array | None) -> Outcomes:
        watch = faster_than(most, state.frequency)
        run = simulated(model, starts, times=[end], velocities=speeds, tolerance=1e-6, stop=watch)
        if run.attrs["status"] not in (Status.FINISHED, Status.STOPPED):
            return np.full(len(starts), -1)
        return np.asarray(run.stopped_by.values == "").astype(np.int64)

    widest = most if velocities is None else velocities
    about = {"bound": most, "t_end": end}
    return _by_node("survivability", model, phases, widest, survived, nodes, samples, seed, confidence, about)


def stable_state(model: PhaseModel, phases: ArrayLike) -> tuple[Locked, Equilibrium]:
    """The system and its stable locked state next to these phases; ValueError where there is none."""
    start = finite_vector("phases", phases)
    state = nearest(model, start, NEAR)
    if state is None or not state.stable:
        what = "there is none" if state is None else "the one there is not stable"
        raise ValueError(
            f"phases must be those of a stable locked state, to within {NEAR} radians, but {what}: "
            "inphase.equilibria.find lists the states"
        )
    return Locked(model, len(start)), state


def _by_node(
    what: str,
    model: PhaseModel,
    phases: ArrayLike,
    velocities: float | None,
    outcome: Callable[[Locked, Equilibrium, Array, Array | None], Outcomes],
    nodes: Sequence[int] | None,
    samples: int,
    seed: int,
    confidence: float,
    about: dict[str, float],
) -> xr.Dataset:
    """The shares of draws with outcome 1, node by node."""
    begin = clock.perf_counter()
    deterministic(what, model)
    system, state = stable_state(model, phases)
    count, level = integer("samples", samples, least=1), confidence_level(confidence)
    integer("seed", seed, least=0)
    chosen = range(system.n) if nodes is None else nodes
    chosen = [integer("nodes", node, least=0, most=system.n - 1) for node in chosen]
    if velocities is None and model.has_inertia:
        raise ValueError(f"{what} needs velocities, the largest deviation of a node's velocity, such as 10.0")
    widest = finite_number("velocities", velocities or 0.0, least=0)
    found = []
    with few_threads(system.n):
        for node in chosen:
            starts, speeds = _pushed(state, node, count, widest, seed)
            found.append(outcome(system, state, starts, speeds if model.has_inertia else None))
    data = _shares(np.array(found), np.array(chosen), level)
    about = about | ({"velocities": widest} if model.has_inertia else {})
    data.attrs = attributes(model, samples=count, seed=seed, confidence=level, interval="Wilson", **about,
                            wall_time_seconds=round(clock.perf_counter() - begin, 4))  # fmt: skip
    return data


def _pushed(state: Equilibrium, node: int, count: int, widest: float, seed: int) -> tuple[Array, Array]:
    """Starts (count, n), with one node's phase and velocity drawn."""
    starts = np.tile(state.phases, (count, 1))
    speeds = np.full(starts.shape, state.frequency)
    for r in range(count):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(node, r)))
        starts[r, node] += rng.uniform(-np.pi, np.pi)
        speeds[r, node] += rng.uniform(-widest, widest)
    return starts, speeds


def _shares(outcomes: Outcomes, nodes: NDArray[np.int64], level: float) -> xr.Dataset:
    import xarray as xr
    from scipy.stats import binomtest

    samples, counts = outcomes.shape[1], np.sum(outcomes == 1, axis=1)
    intervals = [binomtest(int(c), samples).proportion_ci(level, method="wilson") for c in counts]
    return xr.Dataset(
        {
            "count": ("oscillator", counts),
            "fraction": ("oscillator", counts / samples),
            "low": ("oscillator", [i.low for i in intervals]),
            "high": ("oscillator", [i.high for i in intervals]),
            "undecided": ("oscillator", np.sum(outcomes < 0, axis=1)),
        },
        coords={"oscillator": nodes},
    )
