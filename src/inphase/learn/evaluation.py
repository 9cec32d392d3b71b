"""`evaluate`: what a trained network does on fresh nodes, at the size of training and at others.

The dynamics are those of `PhaseModel`, with all pairs or, of many nodes, a low-rank operator whose error is
measured; nothing of training takes part but the numbers of the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from inphase.checks import check_name, integer
from inphase.coupling.base import Coupling
from inphase.coupling.learnt.coupling import Learnt
from inphase.coupling.learnt.low_rank import EXACT_UP_TO, TOLERANCE, LearntLowRank, automatic
from inphase.coupling.learnt.network import PairNetwork
from inphase.coupling.learnt.normalization import Normalization
from inphase.learn import network as networks
from inphase.learn.losses import Loss
from inphase.learn.problems import Nodes, Problem
from inphase.learn.settings import Settings
from inphase.learn.training import Start, Trained, initial_phases, precision, task_of
from inphase.model import PhaseModel
from inphase.simulation import simulated
from inphase.status import Status
from inphase.version import version

Coupler = Callable[[PairNetwork, Any, Normalization], Coupling]
PAIRS = ("auto", "all", "low-rank")
SINGLE_FROM = 2000  # nodes: K in single precision, so that it fills 0.4 GB at n = 10,000


def evaluate(
    trained: Trained,
    n: int | None = None,
    *,
    problem: Problem | None = None,
    graphs: int | None = None,
    burn_in: int = 1000,
    window: int | None = None,
    seed: int = 0,
    split: str = "test",
    pairs: str = "auto",
    coupling: Coupler | None = None,
) -> xr.Dataset:
    """The loss and the circular variance V of a trained network on graphs of fresh nodes.

    Step and method are the training's, integrated by `inphase.simulate`.

    Parameters
    ----------
    trained : Trained
    n : int, optional
        Nodes of a graph; the number in training if not given.
    problem : Problem, optional
        Where the nodes come from; the one of training if not given.
    graphs : int, optional
        How many; if not given, 10 up to 1000 nodes and 1 beyond, as far as the nodes go round.
    burn_in, window : int
        Steps before the window, and in it; the training's own window if not given.
    seed : int
        Of nodes and initial phases.
    split : "train", "validation" or "test"
    pairs : "auto", "all" or "low-rank"
        "all": K of all pairs, from 2000 nodes on in single precision (0.4 GB at n = 10,000). "low-rank": K ≈
        L Rᵀ by `factorize`, with its error. "auto": all up to 4000 nodes and where the network gives phase
        lags, low rank beyond.
    coupling : callable, optional
        (network, features, normalization) -> Coupling, which takes the place of the network's.

    Returns
    -------
    xarray.Dataset
        `loss(graph)` and `variance(graph)`, means over the window, and `final_phase(graph, oscillator)`,
        radians. The attribute `pairs` says which it was: "all", "low-rank", or "given" for a `coupling` of
        another kind. With "low-rank", of the graph where it is worst: `rank`; `coupling_error` and
        `coupling_standard_error`, the error |K − L Rᵀ|/|K| in the Frobenius norm, measured on rows held out;
        `coupling_scale_error`, that of the normalization; and whether the tolerance was reached, 1 or 0
        (`tolerance_reached`).

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or a run is not finite.

    Warns
    -----
    UserWarning
        If a low-rank operator did not reach its tolerance.

    Examples
    --------
    >>> from inphase.learn import train
    >>> found = train("case-1", nodes=10, samples=20, epochs=1, hidden=(4,), burn_in=5, window=5)
    >>> data = evaluate(found, graphs=2, burn_in=20)
    >>> data.variance.shape, data.attrs["pairs"]
    ((2,), 'all')
    """
    task, settings = task_for(trained, problem), trained.settings
    loss = jax.jit(task_of(replace(task, settings=settings)).loss)
    coupler = _coupler(pairs, coupling)
    size = settings.nodes if n is None else integer("n", n, least=2)
    usual = task.graphs(split, 10 if size <= 1000 else 1, size)
    count = usual if graphs is None else integer("graphs", graphs, least=1)
    steps = settings.window if window is None else integer("window", window, least=1)
    last = integer("burn_in", burn_in, least=0)
    nodes = nodes_of_graphs(task, settings, split, count * size, seed)
    found: list[Any] = []
    couplings: list[dict[str, Any]] = []
    for number in range(count):
        part = nodes.take(slice(number * size, (number + 1) * size))
        phases = start_phases(settings, size, seed, number)
        made = coupler(trained.network, part.features, settings.rule)
        couplings.append(_kind(made, given=coupling is not None))
        found.append(window_phases(trained, part, made, phases, last, steps))
        del made  # K of the next graph may take as much memory again
    about = {"burn_in": last, "window": steps, "seed": seed, "split": split}
    worst = max(couplings, key=lambda one: float(one.get("coupling_error", 0.0)))
    return _dataset(
        loss, nodes, np.stack(found), about | worst | {"problem": task.name, "step": settings.step}
    )


def _coupler(pairs: str, given: Coupler | None) -> Coupler:
    """What makes the coupling of a graph: the user's function, or the one that `pairs` names."""
    check_name("pairs", pairs, PAIRS)
    if given is not None and pairs != "auto":
        raise ValueError(f"give either pairs or coupling; got pairs = {pairs!r} and a coupling")
    return given or _COUPLERS[pairs]


def task_for(trained: Trained, problem: Problem | None = None) -> Problem:
    """The problem that is given, or that of the training; ValueError where there is neither."""
    task = problem or trained.problem
    if task is None:
        raise ValueError("problem must be given: the training was on nodes that have no name")
    return task


def nodes_of_graphs(task: Problem, settings: Settings, split: str, count: int, seed: int) -> Nodes:
    """The nodes of all graphs of an evaluation, one after the
    other; of "train" those of the training, if there are as many.
    """
    samples = settings.samples if split == "train" and count <= settings.samples else count
    return task.draw(split, samples, seed).take(slice(count))


def start_phases(settings: Settings, n: int, seed: int, graph: int) -> Any:
    """θ(0) of a graph of an evaluation, (n,)."""
    return initial_phases(settings.start, (n,), np.random.default_rng([seed, graph, 3]))


def mean_and_error(values: Any) -> tuple[float, float | None]:
    """The mean over graphs and its standard error; None where there is one graph."""
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return float(np.mean(values)), error


def coupling_for(
    trained: Trained,
    features: ArrayLike,
    tolerance: float = TOLERANCE,
    exact_up_to: int = EXACT_UP_TO,
    seed: int = 0,
) -> Coupling:
    """The coupling of a trained network on features: all pairs up to `exact_up_to` nodes, of low rank beyond.

    Parameters
    ----------
    trained : Trained
        What `inphase.learn.train` returns.
    features : array_like, shape (n, m)
    tolerance : float
        |K − L Rᵀ|/|K|, Frobenius.
    exact_up_to : int
        Nodes.
    seed : int
        Of the rows and columns that are tried.

    Raises
    ------
    TypeError, ValueError
        As `factorize`.

    Warns
    -----
    UserWarning
        If the tolerance was not reached; the coupling says how far it is.

    Examples
    --------
    >>> import numpy as np
    >>> from inphase.learn import problem, untrained
    >>> control = untrained(problem("case-1", hidden=(8,)))
    >>> coupling_for(control, np.linspace(-1, 1, 50)[:, None])
    Learnt(n = 50, 1 features, degree)
    """
    return automatic(trained.network, features, trained.settings.rule, tolerance, exact_up_to, seed)


def untrained(problem: Problem, seed: int = 0) -> Trained:
    """The control: the initial network of a training, with neutral statistics and the same normalization.

    Parameters
    ----------
    problem : Problem
    seed : int

    Examples
    --------
    >>> from inphase.learn import problem
    >>> untrained(problem("case-1", hidden=(4,))).network.hidden
    (4,)
    """
    settings = problem.settings
    width = problem.draw("train", 1, seed).features.shape[1]
    rng = np.random.default_rng([seed, 0, 0])
    how = (settings.initialization, settings.gain, np.dtype(settings.dtype))
    first = networks.initial(width, settings.hidden, rng, *how, lags=settings.phase_lags)
    network = networks.as_network(*first, settings.activation)
    return Trained(problem, settings, [Start(0, network, status=Status.UNTRAINED)], seed)


# --------------------------------------------------------------------------------------------------- coupling


def _all(network: PairNetwork, features: Any, normalization: Normalization) -> Coupling:
    return Learnt(network, features, normalization, "float64" if len(features) < SINGLE_FROM else "float32")


def _low_rank(network: PairNetwork, features: Any, normalization: Normalization) -> Coupling:
    return automatic(network, features, normalization, exact_up_to=0)


def _auto(network: PairNetwork, features: Any, normalization: Normalization) -> Coupling:
    exact = len(features) <= EXACT_UP_TO or network.has_lags
    return (_all if exact else _low_rank)(network, features, normalization)


_COUPLERS: dict[str, Coupler] = {"auto": _auto, "all": _all, "low-rank": _low_rank}


def _kind(coupling: Coupling, given: bool) -> dict[str, Any]:
    """What the attributes say of a coupling."""
    if not isinstance(coupling, LearntLowRank):
        return {"pairs": "given" if given and not isinstance(coupling, Learnt) else "all"}
    return {
        "pairs": "low-rank",
        "rank": coupling.rank,
        "coupling_error": coupling.error,
        "coupling_standard_error": coupling.standard_error,
        "coupling_scale_error": coupling.scale_error,
        "tolerance_reached": int(coupling.reached),
    }


# ------------------------------------------------------------------------------------------------------- runs


def window_phases(
    trained: Trained, nodes: Nodes, coupling: Coupling, phases: Any, burn_in: int, window: int
) -> Any:
    """The phases of the window, (window, n), from θ(0), (n,)."""
    steps = np.arange(burn_in + 1, burn_in + window + 1)
    return phases_after(nodes.model(coupling, trained.settings), phases, trained.settings, steps)


def phases_after(model: PhaseModel, phases: Any, settings: Settings, steps: Any) -> Any:
    """θ after so many steps of the training's method, (len(steps), n).

    Parameters
    ----------
    model : PhaseModel
    phases : array_like, shape (n,)
        θ(0), radians.
    settings : Settings
        For h and the method.
    steps : sequence of int
        Ascending, >= 0.

    Raises
    ------
    ValueError
        If the phases do not stay finite, or the run ends early.
    KeyboardInterrupt
        After Ctrl-C.
    """
    times, most = settings.step * np.asarray(steps), int(steps[-1]) + 1
    run = simulated(model, phases, times=times, method=settings.method, step=settings.step, max_steps=most)
    if run.attrs["status"] != Status.FINISHED:
        raise ValueError(
            f"the run of {len(phases)} nodes ended as {run.attrs['status']!r} at t = {float(run.end_time):g}"
        )
    return run.phase.values


def _dataset(loss: Loss, nodes: Nodes, phases: Any, about: dict[str, Any]) -> xr.Dataset:
    graphs, _, n = phases.shape
    order = np.abs(np.exp(1j * phases).mean(axis=-1))
    with precision("float64"):
        values = [float(loss(phases[g], nodes.take(slice(g * n, (g + 1) * n)))) for g in range(graphs)]
    return xr.Dataset(
        {
            "loss": ("graph", values),
            "variance": ("graph", 1 - order.mean(axis=1)),
            "final_phase": (("graph", "oscillator"), phases[:, -1], {"units": "rad"}),
        },
        attrs=about | {"n": n, "inphase_version": version()},
    )
