"""`train`: a network found by gradient descent through the dynamics, from several starts.

An update is by one graph of n nodes: scores of all n² pairs, K, burn-in without gradient, a window with it,
the loss, one step of the optimizer (SGD or Adam, the gradient clipped by its global norm). Everything random
comes from the seed, the start and the number of the epoch or update, so a killed run goes on from its
checkpoint with the numbers it would have had.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time as clock
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from dataclasses import replace as dataclass_replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from numpy.typing import ArrayLike, NDArray

from inphase.checks import integer
from inphase.coupling.learnt.coupling import Learnt, load_arrays, load_network, save_arrays, save_network
from inphase.coupling.learnt.network import PairNetwork
from inphase.files import locked, output_folder
from inphase.learn import dynamics, parallel
from inphase.learn import losses as loss_functions
from inphase.learn import network as pairs
from inphase.learn import problems as tasks
from inphase.learn.problems import Nodes, Problem
from inphase.learn.settings import KURAMOTO, Settings
from inphase.status import Status
from inphase.stored import reading

Floats = NDArray[np.float64]


# ------------------------------------------------------------------------------------------------- one update


class Task(NamedTuple):
    """What a compiled update depends on besides its arrays:
    hashable. Settings that do not enter are at a fixed value.
    """

    settings: Settings
    loss: loss_functions.Loss
    scheme: dynamics.Scheme
    updates: int  # over which the rate falls; 0 where it does not


class State(NamedTuple):
    """What an update changes."""

    parameters: Any
    statistics: Any
    optimizer: Any


def task_of(problem: Problem) -> Task:
    """The task of a problem; ValueError where its loss or method does not fit it."""
    settings = problem.settings
    scheme = dynamics.scheme(settings.interaction, settings.step, settings.method, problem.longest)
    nothing = {"interaction": KURAMOTO, "samples": settings.nodes, "epochs": 1, "validation_graphs": 1}
    nothing |= dict.fromkeys(("validation_nodes", "validate_every", "patience"))
    loss = loss_functions.named(settings.loss, problem.classes, settings.step)
    updates = 0 if settings.schedule == "constant" else settings.epochs * (settings.samples // settings.nodes)
    return Task(settings.replace(**nothing), loss, scheme, updates)


@contextlib.contextmanager
def precision(dtype: str) -> Iterator[None]:
    """JAX with float64 where that is wanted."""
    with jax.enable_x64(dtype == "float64"):
        yield


def optimizer_of(task: Task) -> Any:
    """The optimizer of optax that the settings name."""
    settings = task.settings
    rate = optax.cosine_decay_schedule(settings.rate, task.updates) if task.updates else settings.rate
    rule = (
        optax.adam(rate)
        if settings.optimizer == "adam"
        else optax.sgd(rate, momentum=settings.momentum or None)
    )
    return optax.chain(optax.clip_by_global_norm(settings.clip), rule)


def _window(K: Any, nodes: Nodes, phases: Any, task: Task) -> Any:
    """The phases of the window, (window, n), with the gradient of its own steps alone."""
    settings, scheme = task.settings, task.scheme
    parts = dynamics.Parts(nodes.frequencies, nodes.field, nodes.delay_steps)
    past = dynamics.history(phases, parts, scheme)
    if settings.burn_in:
        past = lax.stop_gradient(
            dynamics.advance(lax.stop_gradient(K), past, parts, scheme, settings.burn_in)
        )
    return dynamics.trajectory(K, past, parts, scheme, settings.window)


def _objective(K: Any, window: Any, nodes: Nodes, task: Task) -> Any:
    """The loss and, where it is wanted, the price of neighbors."""
    loss, price = task.loss(window, nodes), task.settings.sparsity
    return loss + price * loss_functions.effective_neighbors(K) / (len(K) - 1) if price else loss


def loss_of(parameters: Any, nodes: Nodes, phases: Any, task: Task) -> tuple[Any, tuple[Any, Any]]:
    """(loss, (V, the statistics of the pairs)) of one graph in training."""
    scores, found = pairs.training_scores(parameters, nodes.features, task.settings.activation)
    K, lags = pairs.strengths_and_lags(scores, task.settings.rule)
    window = _window(dynamics.joined(K, lags, task.scheme), nodes, phases, task)
    return _objective(K, window, nodes, task), (loss_functions.circular_variance(window), found)


@partial(jax.jit, static_argnums=3, donate_argnums=0)
def update(state: State, nodes: Nodes, phases: Any, task: Task) -> tuple[State, Any, Any]:
    """(state, loss, V) after an update by one graph; where its
    gradient is not finite, the state is as before, the loss NaN.
    """
    slope = jax.value_and_grad(loss_of, has_aux=True)
    (loss, (variance, found)), gradient = slope(state.parameters, nodes, phases, task)
    change, optimizer = optimizer_of(task).update(gradient, state.optimizer, state.parameters)
    statistics = pairs.follow(state.statistics, found, len(nodes.features) ** 2)
    new = State(optax.apply_updates(state.parameters, change), statistics, optimizer)
    usable = jnp.isfinite(loss) & jnp.isfinite(
        sum(jnp.sum(part * part) for part in jax.tree.leaves(gradient))
    )
    kept = jax.tree.map(lambda after, before: jnp.where(usable, after, before), new, state)
    return kept, jnp.where(usable, loss, jnp.nan), variance


@partial(jax.jit, static_argnums=4)
def judge(parameters: Any, statistics: Any, graphs: Nodes, phases: Any, task: Task) -> tuple[Any, Any]:
    """(loss, V), means over graphs (G, n, ...) from phases (G, n), with the running statistics."""

    def one(graph: tuple[Nodes, Any]) -> tuple[Any, Any]:
        nodes, start = graph
        scores = pairs.scores(parameters, statistics, nodes.features, task.settings.activation)
        K, lags = pairs.strengths_and_lags(scores, task.settings.rule)
        window = _window(dynamics.joined(K, lags, task.scheme), nodes, start, task)
        return _objective(K, window, nodes, task), loss_functions.circular_variance(window)

    losses, variances = lax.map(one, (graphs, phases))
    return losses.mean(), variances.mean()


def initial_phases(start: str, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """θ(0) by name: "zero", "normal" (mean π, deviation 1) or "uniform"; radians."""
    if start == "zero":
        return np.zeros(shape)
    return rng.normal(np.pi, 1.0, shape) if start == "normal" else rng.uniform(0, 2 * np.pi, shape)


def typed(nodes: Nodes, dtype: Any) -> Nodes:
    """Nodes in the precision of a training."""
    features, frequencies, b = (np.asarray(a, dtype) for a in nodes[:3])
    return Nodes(features, frequencies, b, nodes.delay_steps.astype(np.int32), nodes.labels.astype(np.int32))


# ---------------------------------------------------------------------------------------------- what is found


@dataclass
class Start:
    """One start of a training.

    Attributes
    ----------
    number : int
        0, 1, ...; with the seed it decides every random number.
    network : PairNetwork
        The best by validation.
    loss, variance : list of float
        Of each update, on its graph, in training. The loss is with the penalty where `Settings.sparsity` is
        not 0.
    judged : list of (int, float, float)
        (update, loss, V) on the validation graphs; the loss as above. Update 0 is the network that was given
        as `initial`.
    status : str
        "finished", "stopped early", "interrupted" or "not finite"; a `Status`, whose `advice` says what to do.
    seconds : float
        Wall time, over all parts of an interrupted run.
    skipped : int
        Updates that were left out because their loss or gradient was not finite. A start all of whose updates
        since the last judgment were ends as "not finite".
    """

    number: int
    network: PairNetwork
    loss: list[float] = field(default_factory=list)
    variance: list[float] = field(default_factory=list)
    judged: list[tuple[int, float, float]] = field(default_factory=list)
    status: Status = Status.FINISHED
    seconds: float = 0.0
    skipped: int = 0

    def __post_init__(self) -> None:
        self.status = Status(self.status)  # files have the text

    @property
    def best(self) -> float:
        """The least loss on the validation graphs; inf without one."""
        return min((row[1] for row in self.judged), default=float("inf"))

    def to_dict(self) -> dict[str, Any]:
        """All but the network, as JSON."""
        names = ("number", "loss", "variance", "judged", "status", "seconds", "skipped")
        return {name: getattr(self, name) for name in names}


@dataclass
class Trained:
    """What `train` found.

    Attributes
    ----------
    problem : Problem or None
        With the settings that were used. None after `load`, where the problem has no name.
    settings : Settings
    starts : list of Start
    chosen : Start
        The one with the least validation loss.
    seed : int
    """

    problem: Problem | None
    settings: Settings
    starts: list[Start]
    seed: int

    @property
    def chosen(self) -> Start:
        """The start with the least loss on the validation graphs."""
        return min(self.starts, key=lambda start: start.best)

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended one of its starts."""
        return any(start.status == Status.INTERRUPTED for start in self.starts)

    @property
    def network(self) -> PairNetwork:
        """The network of the chosen start."""
        return self.chosen.network

    def coupling(self, features: ArrayLike, precision: str = "float64") -> Learnt:
        """The trained network as a coupling of nodes with these features, (n, m), in float64 or float32."""
        return Learnt(self.network, features, self.settings.rule, precision)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the chosen network with the settings, and the course of all starts, as one NPZ file."""
        about = {
            "problem": None if self.problem is None else self.problem.name,
            "given_nodes": self.problem is not None and bool(self.problem.limits),
            "settings": self.settings.to_dict(),
            "seed": self.seed,
            "chosen": self.chosen.number,
            "starts": [start.to_dict() for start in self.starts],
        }
        return save_network(path, self.network, self.settings.rule, **about)

    @classmethod
    def load(cls, path: str | os.PathLike[str], problem: Problem | None = None) -> Trained:
        """The inverse of `save`; only the chosen start has a network of its own.

        Raises
        ------
        OSError, ValueError
            As `inphase.coupling.learnt.load_network`.
        """
        network, _, about = load_network(path)
        with reading(path, "is a network without the course of its training: {}"):
            stored = about["settings"]["loss"]
            known = isinstance(stored, dict) or stored in loss_functions.BY_NAME_ALONE
            loss = None if known else _unknown_loss
            settings = Settings.from_dict(
                about["settings"], loss if known or problem is None else problem.settings.loss
            )
            rows = [_start(network, row) for row in about["starts"]]
            chosen, seed, name = int(about["chosen"]), about["seed"], about["problem"]
            first = [row.number for row in rows].index(chosen)
        if problem is None and name is not None and not about.get("given_nodes", False):
            with contextlib.suppress(ValueError):
                problem = tasks.problem(name)
        if problem is not None:
            problem = dataclass_replace(problem, settings=settings)
        return cls(problem, settings, [rows[first], *rows[:first], *rows[first + 1 :]], seed)


def _start(network: PairNetwork, row: dict[str, Any]) -> Start:
    """A start as files have it."""
    found = Start(network=network, **row)
    found.judged = [(int(at), float(loss), float(v)) for at, loss, v in found.judged]
    return found


def _unknown_loss(phases: Any, nodes: Any) -> Any:
    raise ValueError(
        "the loss was a function, which files do not keep: Trained.load(path, problem) takes it from the problem"
    )


# ------------------------------------------------------------------------------------------------------ train


def train(
    problem: Problem | str,
    *,
    starts: int = 1,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    progress: bool = False,
    watch: Callable[[dict[str, Any]], object] | None = None,
    workers: int | None = 1,
    initial: PairNetwork | None = None,
    **changes: Any,
) -> Trained:
    """Train a network from several starts, and choose one by its loss on validation graphs.

    Parameters
    ----------
    problem : Problem or str
        A name of `inphase.learn.problem`, or what `from_arrays` and `from_image` make.
    starts : int
        Different initial networks. Training falls into local minima: several are part of the method.
    seed : int
    folder : path, optional
        Where checkpoints go, at each judgment. A run that was killed goes on from them, with the same result.
    progress : bool
        Write loss, V and the remaining time to standard error, at each judgment.
    watch : callable, optional
        Called at each judgment with {"start", "update", "updates", "loss", "variance", "validation",
        "validation_variance", "seconds_left"}: loss and V in training since the last one, and on the
        validation graphs.
    workers : int, optional
        Starts at the same time, each in a process of its own; None: as many as there are starts and cores.
        The numbers are the same, bit for bit on one machine. With 1 they go one after the other in this
        process. A script that wants more trains under `if __name__ == "__main__":`, since each process
        imports it.
    initial : PairNetwork, optional
        Where all starts begin, instead of at random: a trained network, to go on with other settings. It is
        judged, too, so that the chosen one is not worse than it on the validation graphs.
    **changes
        Settings with other values; see `Settings`.

    Returns
    -------
    Trained
        After Ctrl-C with the starts that had begun, some of them "interrupted".

    Raises
    ------
    TypeError, ValueError
        If a setting is unknown or does not fit, the folder holds another training, or the loss is a function
        that cannot be pickled and workers > 1, or one without a name of its own (a lambda) and there is a
        folder: checkpoints know it by name.
    OSError
        If the folder cannot be written to, another process trains there (BlockingIOError), or a process was
        killed (ChildProcessError).

    References
    ----------
    Ricci et al., *KuraNet: Systems of coupled oscillators that learn to synchronize*, arXiv 2105.02838
    (2021).

    Examples
    --------
    >>> found = train("case-1", nodes=10, samples=20, epochs=1, hidden=(4,), burn_in=5, window=5)
    >>> found.chosen.status, len(found.chosen.loss)
    ('finished', 2)
    """
    task = tasks.problem(problem) if isinstance(problem, str) else problem
    if not isinstance(task, Problem):
        raise TypeError(f"problem must be a Problem or the name of one; got {task!r:.60}")
    task = task.replace(**changes)
    starts, seed = integer("starts", starts, least=1), integer("seed", seed, least=0)
    wanted = parallel.cores() if workers is None else integer("workers", workers, least=1)
    target = None if folder is None else output_folder(folder)
    common = _common(task, seed, target, initial)
    tell = _Progress(starts, progress, watch)
    with contextlib.nullcontext() if target is None else locked(target):
        trained = Trained(task, task.settings, _all_starts(common, starts, min(wanted, starts), tell), seed)
        if target is not None:
            trained.save(target / "trained.npz")
    return trained


def _all_starts(
    common: _Common, starts: int, workers: int, tell: Callable[[dict[str, Any]], object]
) -> list[Start]:
    """What became of the starts, one after another or in processes; after Ctrl-C of those that had begun."""
    if workers > 1:
        results, _ = parallel.each(_one_start, common, starts, workers, lambda _, report: tell(report))
        found = [results[number] for number in sorted(results)]
    else:
        found = []
        while len(found) < starts and (not found or found[-1].status != Status.INTERRUPTED):
            found.append(_one_start(common, len(found), tell))
    if not found:  # Ctrl-C before a process had begun
        raise KeyboardInterrupt
    return found


class _Common(NamedTuple):
    """What all starts share: a problem without its functions, which need not be fit for another process."""

    problem: Problem
    train: Nodes
    validation: Nodes
    seed: int
    folder: Path | None
    initial: PairNetwork | None


def _common(problem: Problem, seed: int, folder: Path | None, initial: PairNetwork | None) -> _Common:
    settings = problem.settings
    if initial is not None:
        _check_initial(initial, problem)
    task_of(problem)  # raises where loss or method do not fit
    known = isinstance(settings.loss, (str, loss_functions.NamedLoss))
    if folder is not None and not known and getattr(settings.loss, "__name__", "<lambda>") == "<lambda>":
        raise ValueError(
            f"loss must have a name where a folder keeps checkpoints: make it a def; got {settings.loss!r:.60}"
        )
    bare = Problem(problem.name, problem.columns, _no_more, settings, problem.classes, problem.longest)
    return _Common(bare, *_drawn(problem, seed), seed, folder, initial)


def _check_initial(network: PairNetwork, problem: Problem) -> None:
    settings = problem.settings
    if not isinstance(network, PairNetwork):
        raise TypeError(f"initial must be a PairNetwork; got {network!r:.60}")
    about = (network.features, network.hidden, network.activation, network.has_lags)
    wanted = (len(problem.columns), settings.hidden, settings.activation, settings.phase_lags)
    for name, has, want in zip(("features", "hidden layers", "activation", "phase lags"), about, wanted):
        if has != want:
            raise ValueError(
                f"initial must have {name} {want!r}, as the problem and its settings say; got {has!r}"
            )


def _no_more(split: str, count: int, rng: np.random.Generator) -> Nodes:
    raise AssertionError("the nodes were drawn before the starts")


def _drawn(problem: Problem, seed: int) -> tuple[Nodes, Nodes]:
    """The nodes to train and to validate."""
    settings = problem.settings
    graphs = problem.graphs("validation", settings.validation_graphs, settings.judged_nodes)
    validation = problem.draw("validation", graphs * settings.judged_nodes, seed)
    return problem.draw("train", settings.samples, seed), validation


def _one_start(
    common: _Common,
    number: int,
    tell: Callable[[dict[str, Any]], object],
    stopped: Callable[[], bool] = lambda: False,
) -> Start:
    with precision(common.problem.settings.dtype):
        drawn = (common.train, common.validation)
        run = Run(common.problem, common.seed, number, common.folder, drawn, common.initial)
        tell(
            {
                "start": number,
                "updates": run.updates,
                "resumed": run.resumed,
                "ended": run.record.status != Status.INTERRUPTED,
            }
        )
        try:
            return run.go(tell, stopped)
        except KeyboardInterrupt:  # `train` returns what the start has, and says so
            run.record.status = Status.INTERRUPTED
            return run.record


class _Progress:
    """Told the judgments of all starts: adds the remaining time, and passes them on."""

    def __init__(self, starts: int, shown: bool, watch: Callable[[dict[str, Any]], object] | None) -> None:
        self.starts, self.shown, self.watch, self.began = starts, shown, watch, clock.perf_counter()
        self.reached: dict[int, int] = {}
        self.skipped: dict[int, int] = {}  # updates that an earlier run has done

    def __call__(self, report: dict[str, Any]) -> None:
        number, updates, ended = report["start"], report["updates"], report.pop("ended")
        if "resumed" in report:  # the first word of a start
            self.reached[number] = self.skipped[number] = updates if ended else report["resumed"]
            return
        self.reached[number] = updates if ended else report["update"]
        done = sum(self.reached.values()) - sum(self.skipped.values())
        left = self.starts * updates - sum(self.reached.values())
        report["seconds_left"] = (clock.perf_counter() - self.began) * left / max(done, 1)
        if self.shown:
            print(_line(report, self.starts), file=sys.stderr, flush=True)
        if self.watch is not None:
            self.watch(report)


def _line(report: dict[str, Any], starts: int) -> str:
    return (
        f"start {report['start'] + 1}/{starts}, update {report['update']}/{report['updates']}: loss {report['loss']:.4f}, "
        f"V {report['variance']:.4f}, validation {report['validation']:.4f} (V {report['validation_variance']:.4f}), "
        f"{report['seconds_left']:.0f} s left"
    )


class Run:
    """One start: from its initial network, or from its checkpoint, to its end."""

    def __init__(
        self,
        problem: Problem,
        seed: int,
        number: int,
        folder: Path | None,
        drawn: tuple[Nodes, Nodes] | None = None,
        initial: PairNetwork | None = None,
    ) -> None:
        self.initial = initial
        self.problem, self.settings, self.seed, self.number = problem, problem.settings, seed, number
        settings = self.settings
        self.task, self.dtype = task_of(problem), np.dtype(settings.dtype)
        self.path = None if folder is None else folder / f"start-{number:03d}.npz"
        self.nodes, validation = drawn or _drawn(problem, seed)
        self.per_epoch = settings.samples // settings.nodes
        self.updates = settings.epochs * self.per_epoch
        self.every = settings.validate_every or self.per_epoch
        width = self.nodes.features.shape[1]
        # the bits that the nodes of split `number` begin with, on another scale
        rng = np.random.default_rng([seed, number, 0])
        if initial is not None:
            first = pairs.as_parameters(initial, self.dtype)
        else:
            how = (settings.initialization, settings.gain, self.dtype, settings.phase_lags)
            first = pairs.initial(width, settings.hidden, rng, *how)
        self.state = jax.tree.map(jnp.asarray, State(*first, optimizer_of(self.task).init(first[0])))
        self.done, self.resumed, self.record = 0, 0, Start(number, self.network(), status=Status.INTERRUPTED)
        self._prepare_validation(validation)
        if self.path is not None and self.path.exists():
            self._resume(self.path)

    def network(self) -> PairNetwork:
        """As it is now."""
        return pairs.as_network(self.state.parameters, self.state.statistics, self.settings.activation)

    def _prepare_validation(self, nodes: Nodes) -> None:
        settings, n = self.settings, self.settings.judged_nodes
        self.validation, graphs, drawn = nodes, len(nodes.features) // n, typed(nodes, self.dtype)
        self.graphs = Nodes(*(jnp.asarray(part.reshape(graphs, n, *part.shape[1:])) for part in drawn))
        rng = np.random.default_rng([self.seed, 0, 4])  # not [seed, 1], from which the nodes are drawn
        self.graph_phases = jnp.asarray(initial_phases(settings.start, (graphs, n), rng).astype(self.dtype))

    def go(
        self, tell: Callable[[dict[str, Any]], object], stopped: Callable[[], bool] = lambda: False
    ) -> Start:
        """Update until the end, a judgment that says to stop, or `stopped()`; KeyboardInterrupt after Ctrl-C."""
        record, before = self.record, clock.perf_counter() - self.record.seconds
        recent: list[tuple[Any, Any]] = []
        if self.initial is not None and not self.done:  # a network that is trained on can be the best
            first = self._judgment()
            record.judged = [(0, *first)] if np.isfinite(first[0]) else []
        while record.status == Status.INTERRUPTED and not stopped():
            recent.append(self.one_update())
            if self.done % self.every and self.done < self.updates:
                continue
            rows = np.array(recent, dtype=float)
            usable, recent = np.isfinite(rows[:, 0]), []
            record.skipped += int(np.sum(~usable))
            rows = rows[usable] if np.any(usable) else np.full((1, 2), np.nan)
            record.loss += rows[:, 0].tolist()
            record.variance += rows[:, 1].tolist()
            judged = self._judgment()
            record.status = self._judge(*judged)
            record.seconds = clock.perf_counter() - before
            self._save()
            tell(self._report(rows, *judged))
        return record

    def _report(self, rows: Any, loss: float, variance: float) -> dict[str, Any]:
        """What `tell` is told; rows (updates, 2) are the losses and V since the last judgment."""
        return {
            "start": self.number,
            "update": self.done,
            "updates": self.updates,
            "loss": float(rows[:, 0].mean()),
            "variance": float(rows[:, 1].mean()),
            "validation": loss,
            "validation_variance": variance,
            "ended": self.record.status != Status.INTERRUPTED,
        }

    def one_update(self) -> tuple[Any, Any]:
        """(loss, V) of the next update."""
        epoch, batch = divmod(self.done, self.per_epoch)
        if batch == 0 or not hasattr(self, "order"):
            self.order = np.random.default_rng([self.seed, self.number, 1, epoch]).permutation(
                len(self.nodes.features)
            )
        n = self.settings.nodes
        graph = typed(self.nodes.take(self.order[batch * n : (batch + 1) * n]), self.dtype)
        rng = np.random.default_rng([self.seed, self.number, 2, self.done])
        phases = initial_phases(self.settings.start, (n,), rng).astype(self.dtype)
        self.state, loss, variance = update(self.state, graph, phases, self.task)
        self.done += 1
        return loss, variance

    def _judgment(self) -> tuple[float, float]:
        """(loss, V) on the validation graphs, as it is now."""
        loss, variance = judge(
            self.state.parameters, self.state.statistics, self.graphs, self.graph_phases, self.task
        )
        return float(loss), float(variance)

    def _judge(self, loss: float, variance: float) -> Status:
        """Note a judgment, keep the network if it is the best, and say how things stand."""
        record = self.record
        if not np.isfinite(loss) or not np.isfinite(record.loss[-1]):
            return Status.NOT_FINITE
        if loss < record.best:
            record.network = self.network()
        record.judged.append((self.done, loss, variance))
        since = len(record.judged) - 1 - int(np.argmin([row[1] for row in record.judged]))
        if self.done >= self.updates:
            return Status.FINISHED
        return (
            Status.STOPPED_EARLY
            if self.settings.patience is not None and since >= self.settings.patience
            else Status.INTERRUPTED
        )

    # -------------------------------------------------------------------------------------------- checkpoints

    def _about(self) -> dict[str, Any]:
        """What a checkpoint must have been made with to serve."""
        nodes = {"nodes_sha256": _digest(self.nodes), "validation_sha256": _digest(self.validation)}
        nodes["problem"] = self.problem.name
        initial = None if self.initial is None else self.initial.sha256
        return self.settings.to_dict() | nodes | {"seed": self.seed, "initial_sha256": initial}

    def _save(self) -> None:
        if self.path is None:
            return
        leaves = {f"state.{k}": np.asarray(leaf) for k, leaf in enumerate(jax.tree.leaves(self.state))}
        best = {f"best.{name}": array for name, array in self.record.network.arrays().items()}
        about = {"training": self._about(), "done": self.done, "record": self.record.to_dict()}
        save_arrays(self.path, leaves | best, about)

    def _resume(self, path: Path) -> None:
        arrays, about = load_arrays(path)
        with reading(path, "is no checkpoint of this version: {}"):
            self._take(path, arrays, about)

    def _take(self, path: Path, arrays: dict[str, Any], about: dict[str, Any]) -> None:
        """Go on from what a checkpoint holds."""
        wanted, stored = self._about(), about.get("training", {})
        before = Settings().to_dict() | {
            "initial_sha256": None,
            "validation_sha256": wanted["validation_sha256"],
        }
        for name, value in wanted.items():
            was = stored.get(name, before.get(name))  # what an older file lacks had its default
            if was != value:
                raise ValueError(f"{path} is of another training: {name} was {was!r:.80}, now {value!r:.80}")
        leaves, shape = jax.tree.flatten(self.state)
        kept = [jnp.asarray(arrays[f"state.{k}"]) for k in range(len(leaves))]
        for k, (leaf, old) in enumerate(zip(kept, leaves)):
            if (leaf.shape, leaf.dtype) != (jnp.shape(old), jnp.result_type(old)):
                raise ValueError(f"state.{k} has the shape {leaf.shape}, {leaf.dtype}")
        best = {name[5:]: array for name, array in arrays.items() if name.startswith("best.")}
        network = PairNetwork.from_arrays(best, self.settings.activation)
        record, done = _start(network, about["record"]), integer("done", about["done"], least=0)
        self.state, self.record = jax.tree.unflatten(shape, kept), record
        self.done = self.resumed = done


def _digest(nodes: Nodes) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in nodes)).hexdigest()
