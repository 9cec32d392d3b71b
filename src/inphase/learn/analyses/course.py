"""A training gone through again: its networks one by one, and C_x and V of every update."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from inphase.checks import integer
from inphase.coupling.learnt.normalization import Normalization
from inphase.learn import network as pairs
from inphase.learn import problems as tasks
from inphase.learn.analyses.autocorrelation import fitted_line, graph_autocorrelation
from inphase.learn.problems import Problem
from inphase.learn.training import Run, Start, Trained, precision
from inphase.version import version


def autocorrelation_in_training(
    problem: Problem | str, *, start: int = 0, seed: int = 0, confidence: float = 0.95, **changes: Any
) -> xr.Dataset:
    """C_x and V of each update of a training, of its own graph and coupling, with the line through them.

    These are the pairs of numbers that KuraNet's public code keeps while it trains (its figure in the paper
    has one point per record of that kind, as far as can be told). The training is that of `train` with the
    same seed, start by start.

    Parameters
    ----------
    problem : Problem or str
    start, seed : int
    confidence : float
        Of the intervals, from a bootstrap over blocks of about sqrt(updates) successive updates, which depend
        on each other.
    **changes
        Settings with other values.

    Returns
    -------
    xarray.Dataset
        `autocorrelation(update)`, `variance(update)`, and the line as in `variance_against_autocorrelation`.

    Examples
    --------
    >>> found = autocorrelation_in_training("case-1", nodes=10, samples=60, epochs=1, hidden=(4,), burn_in=5, window=5)
    >>> found.sizes["update"], found.attrs["over"]
    (6, 'updates')
    """
    task = (tasks.problem(problem) if isinstance(problem, str) else problem).replace(**changes)
    with precision(task.settings.dtype):
        run = _Followed(task, integer("seed", seed, least=0), integer("start", start, least=0), None)
        record = run.go(lambda report: None)
    C, V = np.array(run.autocorrelations), np.array(record.variance)
    V = V[np.isfinite(V)]  # NaN stands for updates that were all left out
    block = max(1, round(np.sqrt(len(C))))
    parts = {"autocorrelation": ("update", C), "variance": ("update", V)}
    about = {
        "problem": task.name,
        "n": task.settings.nodes,
        "seed": seed,
        "start": start,
        "status": record.status.value,
    }
    about |= {"over": "updates", "confidence": confidence, "block": block, "inphase_version": version()}
    return xr.Dataset(parts | fitted_line(C, V, confidence, block), attrs=about)


class _Followed(Run):
    """A start that notes C_x of each update, of the coupling that its loss was of."""

    def __init__(self, *args: Any) -> None:
        self.autocorrelations: list[float] = []
        super().__init__(*args)

    def one_update(self) -> tuple[Any, Any]:
        # an update takes the memory of what it changes
        before = jax.tree.map(jnp.copy, self.state.parameters)
        found = super().one_update()
        n, batch = self.settings.nodes, (self.done - 1) % self.per_epoch
        x = self.nodes.features[self.order[batch * n : (batch + 1) * n]]
        K = _training_coupling(
            before, jnp.asarray(x, self.dtype), self.settings.activation, self.settings.rule
        )
        if np.isfinite(found[0]):  # others are left out of the training, and of its V
            self.autocorrelations.append(graph_autocorrelation(np.asarray(K, dtype=float), x))
        return found


@partial(jax.jit, static_argnums=(2, 3))
def _training_coupling(parameters: Any, x: Any, activation: str, rule: Normalization) -> Any:
    return pairs.strengths_and_lags(pairs.training_scores(parameters, x, activation)[0], rule)[0]


def stages(
    problem: Problem | str, every: int = 10, *, start: int = 0, seed: int = 0, **changes: Any
) -> list[Trained]:
    """The networks of one training: untrained, after each `every` updates, and the last.

    Parameters
    ----------
    problem : Problem or str
    every : int
        Updates.
    start, seed : int
        As in `train`, which goes through the same networks.
    **changes
        Settings with other values.

    Examples
    --------
    >>> small = {"nodes": 10, "samples": 60, "epochs": 1, "hidden": (4,), "burn_in": 5, "window": 5}
    >>> len(stages("case-1", 2, **small))
    4
    """
    task = (tasks.problem(problem) if isinstance(problem, str) else problem).replace(**changes)
    with precision(task.settings.dtype):
        watched = task.replace(validate_every=integer("every", every, least=1))
        run = Run(watched, integer("seed", seed, least=0), integer("start", start, least=0), None)
        found = [run.network()]
        run.go(lambda report: found.append(run.network()))
    return [
        Trained(task, task.settings, [Start(number, network)], seed) for number, network in enumerate(found)
    ]


def each_start(trained: Trained) -> list[Trained]:
    """The networks of a training's starts, each by itself, in order; after `Trained.load`, the chosen one.

    Examples
    --------
    >>> from inphase.learn import train
    >>> len(each_start(train("case-1", starts=2, nodes=10, samples=20, epochs=1, hidden=(4,), burn_in=5, window=5)))
    2
    """
    own = {id(start.network): start for start in [*reversed(trained.starts), trained.chosen]}.values()
    return [replace(trained, starts=[start]) for start in sorted(own, key=lambda start: start.number)]
