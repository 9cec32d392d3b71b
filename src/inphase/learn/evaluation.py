"""`evaluate`: what a trained network does on fresh nodes, at the size of training and at others, with all pairs.

The dynamics are the model's own, integrated by `inphase.simulate` on `PhaseModel`; nothing of training takes part but the
numbers of the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import xarray as xr

from inphase.coupling.base import Coupling
from inphase.coupling.learnt import Learnt
from inphase.coupling.normalization import Normalization
from inphase.coupling.pair_network import PairNetwork
from inphase.errors import integer
from inphase.learn import network as pairs
from inphase.learn.problems import Nodes, Problem
from inphase.learn.training import Start, Trained, initial_phases, precision, task_of
from inphase.provenance import version
from inphase.simulation import simulate

Coupler = Callable[[PairNetwork, Any, Normalization], Coupling]
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
    coupling: Coupler | None = None,
) -> xr.Dataset:
    """The loss and the circular variance V of a trained network on graphs of fresh nodes.

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
        Steps before the window, and in it; the training's own window if not given. Steps and method are the training's.
    seed : int
        Of nodes and initial phases.
    split : "train", "validation" or "test"
    coupling : callable, optional
        (network, features, normalization) -> Coupling; `Learnt`, with all pairs, if not given. A low-rank operator goes here.

    Returns
    -------
    xarray.Dataset
        `loss(graph)` and `variance(graph)`, means over the window, and `final_phase(graph, oscillator)`, radians.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or a run is not finite.

    Examples
    --------
    >>> from inphase.learn import train
    >>> found = train("case-1", nodes=10, samples=20, epochs=1, hidden=(4,), burn_in=5, window=5)
    >>> evaluate(found, graphs=2, burn_in=20).variance.shape
    (2,)
    """
    task = problem or trained.problem
    if task is None:
        raise ValueError("problem must be given: the training was on nodes that have no name")
    settings = trained.settings
    size = settings.nodes if n is None else integer("n", n, least=2)
    usual = task.graphs(split, 10 if size <= 1000 else 1, size)
    count = usual if graphs is None else integer("graphs", graphs, least=1)
    steps = settings.window if window is None else integer("window", window, least=1)
    last = integer("burn_in", burn_in, least=0)
    make = coupling or _all_pairs
    nodes = task.draw(split, count * size, seed)
    found = []
    for number in range(count):
        part = nodes.take(slice(number * size, (number + 1) * size))
        rng = np.random.default_rng([seed, number, 3])
        phases = initial_phases(settings.start, (size,), rng)
        made = make(trained.network, part.features, settings.rule)
        found.append(_phases(trained, part, made, phases, last, steps))
    return _dataset(trained, task, nodes, np.stack(found), {"burn_in": last, "window": steps, "seed": seed, "split": split})


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
    first = pairs.initial(width, settings.hidden, np.random.default_rng([seed, 0, 0]), settings.initialization, settings.gain)
    network = pairs.as_network(*first, settings.activation)
    return Trained(problem, settings, [Start(0, network, status="untrained")], seed)


def _all_pairs(network: PairNetwork, features: Any, normalization: Normalization) -> Coupling:
    return Learnt(network, features, normalization, "float64" if len(features) < SINGLE_FROM else "float32")


def _phases(trained: Trained, nodes: Nodes, coupling: Coupling, phases: Any, burn_in: int, window: int) -> Any:
    """The phases of the window, (window, n), by the library's own integrator."""
    settings = trained.settings
    if settings.method not in ("euler", "heun"):
        raise ValueError(f"evaluate takes steps of method 'euler' or 'heun'; the training had {settings.method!r}")
    model = nodes.model(coupling, settings)
    times = settings.step * np.arange(burn_in + 1, burn_in + window + 1)
    steps = burn_in + window + 1
    run = simulate(model, phases, times=times, method=settings.method, step=settings.step, max_steps=steps)
    if run.attrs["status"] == "interrupted":
        raise KeyboardInterrupt
    if run.attrs["status"] != "finished":
        raise ValueError(f"the run of {len(phases)} nodes ended as {run.attrs['status']!r} at t = {float(run.end_time):g}")
    return run.phase.values


def _dataset(trained: Trained, problem: Problem, nodes: Nodes, phases: Any, about: dict[str, Any]) -> xr.Dataset:
    graphs, _, n = phases.shape
    loss = jax.jit(task_of(replace(problem, settings=trained.settings)).loss)
    order = np.abs(np.exp(1j * phases).mean(axis=-1))
    with precision("float64"):
        values = [float(loss(phases[g], nodes.take(slice(g * n, (g + 1) * n)))) for g in range(graphs)]
    return xr.Dataset(
        {
            "loss": ("graph", values),
            "variance": ("graph", 1 - order.mean(axis=1)),
            "final_phase": (("graph", "oscillator"), phases[:, -1], {"units": "rad"}),
        },
        attrs=about | {"problem": problem.name, "n": n, "step": trained.settings.step, "inphase_version": version()},
    )
