"""A batch of training against the public code of KuraNet, and the memory that training takes.

The public code (https://github.com/serre-lab/KuraNet, Apache 2.0) is no package: the variable KURANET names a
clone of it. A batch is what it is there: one graph of 100 nodes, scores of all pairs, the steps with and
without gradient, the loss, the backward sweep, clipping, one step of the optimizer. Theirs is
`optimize_connectivity_net`, called with the settings of a section of experiments.cfg; ours is `update` on the
same graphs. The gradients are compared first, with the same weights.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import os
import resource
import sys
import warnings
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import Line, assert_close, benchmark, duration, interleaved, ratios

PEERS = ["jax", "optax"]  # `inphase.learn` needs them
PUBLIC = ["torch", "torchdiffeq", "matplotlib"]  # the public code needs them
NUMBERS = {
    "burn_in": "burn_in_steps",
    "window": "gd_steps",
    "step": "alpha",
    "rate": "lr",
    "clip": "max_grad_norm",
}


class Public:
    """Its modules, and the arguments of a section of
    experiments.cfg by name, for graphs of n nodes on the processor.
    """

    def __init__(self, folder: str, section: str, n: int, **changes: Any) -> None:
        config = ConfigParser(allow_no_value=True)
        if not config.read(Path(folder) / "experiments.cfg"):
            raise OSError(
                f"KURANET must be the path of a clone of github.com/serre-lab/KuraNet; got {folder!r}"
            )
        if folder not in sys.path:
            sys.path.insert(0, folder)
        self.models, self.utils, self.train = map(importlib.import_module, ("models", "utils", "train"))
        self.section = config[section]
        of_cfg = {name: _value(text) for name, text in self.section.items()}
        known = inspect.signature(self.train.optimize_connectivity_net).parameters
        given = (
            of_cfg
            | {"num_units": n, "batch_size": n, "num_epochs": 1, "verbose": 0, "device": "cpu"}
            | changes
        )
        self.arguments = {name: value for name, value in given.items() if name in known}

    def batches(self, nodes: list[Any]) -> list[Any]:
        """Graphs as its loaders give them: for each kind of
        feature a tensor (n, columns), and the labels (n,).
        """
        import torch

        def pair(columns: Any, labels: Any) -> tuple[Any, Any]:
            return torch.as_tensor(
                np.reshape(columns, (len(labels), -1)), dtype=torch.float32
            ), torch.as_tensor(labels).long()

        if self.arguments["model_type"] == "xy":
            return [{"x": pair(graph.features, graph.labels)} for graph in nodes]
        parts = (("h", "field"), ("omega", "frequencies"), ("tau", "delay_steps"))
        return [{name: pair(getattr(graph, part), graph.labels) for name, part in parts} for graph in nodes]

    def learn(self, batches: list[Any]) -> Any:
        """A training on these graphs, without the evaluation at the end of an epoch."""
        loaders = {name: [batch[name] for batch in batches] for name in batches[0]}
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the mean over no graph of the evaluation
            return self.train.optimize_connectivity_net(
                train_dls=loaders, test_dls=dict.fromkeys(loaders, ()), **self.arguments
            )

    def gradient(self, batch: Any) -> tuple[Any, Any, float, dict[str, Any]]:
        """(network, θ(0), loss, gradient) of a new network on a graph, by the gradient of its steps.

        A grid of g points, the first of which is the state to start from, makes g − 1 steps: the loss is over
        these.
        """
        import torch

        named = dict(self.arguments)
        make = self.models.KuraNet_full if named["model_type"] == "full" else self.models.KuraNet_xy
        known = inspect.signature(self.models.KuraNet.__init__).parameters
        torch.manual_seed(0)
        network = make(**{name: value for name, value in named.items() if name in known} | {"adjoint": False})
        network.set_batch_size(named["batch_size"])
        torch.manual_seed(1)
        start = np.zeros(named["num_units"])
        if named["initial_phase"] == "normal":
            # what `run` draws after the same seed
            start = torch.normal(np.pi, 1, (named["num_units"],)).numpy()
        torch.manual_seed(1)
        x = {name: part[0] for name, part in batch.items()}
        labels = {name: part[1] for name, part in batch.items()}
        k = int(named["num_classes"])
        masks = self.utils.make_masks(labels, k, "cpu") if k else None
        loss = getattr(self.utils, named["loss_type"])(
            network.run(x)[1 - int(named["gd_steps"]) :], masks=masks
        )
        loss.backward()
        return network, start, float(loss.detach()), _as_ours(network, "grad")


def _value(text: str) -> Any:
    """True, False, a number, or the text itself."""
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return {"True": True, "False": False}.get(text, text)


def _as_ours(network: Any, what: str) -> dict[str, Any]:
    """Its weights ("data") or their gradient ("grad") by
    our names; its biases but the norms' have no effect.
    """

    def array(layer: int, name: str = "weight") -> Any:
        return np.asarray(getattr(getattr(network.layers[layer], name), what).numpy(), np.float32).T.copy()

    first = array(0)
    m = len(first) // 2
    return {
        "own": first[:m],
        "other": first[m:],
        "weights": [array(3)],
        "scales": [array(1), array(4)],
        "shifts": [array(1, "bias"), array(4, "bias")],
        "out": array(6)[:, 0],
    }


def same_gradient(public: Public, task: Any, graph: Any) -> str:
    """Raise unless loss and gradient agree for the same weights, start and number of steps."""
    import jax

    from inphase.learn.training import loss_of, task_of

    network, start, theirs, gradient = public.gradient(public.batches([graph])[0])
    settings = task.settings
    steps = task_of(task.replace(burn_in=max(settings.burn_in - 1, 0), window=settings.window - 1))
    arguments = (_as_ours(network, "data"), graph, np.float32(start), steps)
    (ours, _), slope = jax.jit(jax.value_and_grad(loss_of, has_aux=True), static_argnums=3)(*arguments)
    assert_close("loss", ours, theirs, 1e-4)
    left, right = (
        np.concatenate([np.ravel(part) for part in jax.tree.leaves(tree)]) for tree in (slope, gradient)
    )
    longest = np.linalg.norm(right)
    return f"the gradient of its steps {assert_close('gradient', left / longest, right / longest, 1e-3)} of its length"


def line(
    work: str, name: str, section: str, *, adjoint: bool, count: int, rounds: int, target: Any, scale: float
) -> Line:
    """`count` graphs of a problem, in the public code and in ours."""
    import jax
    import jax.numpy as jnp

    from inphase.learn import network as pairs
    from inphase.learn import problem
    from inphase.learn import training as ours

    n = max(40, int(100 * scale))
    work = f"training batch, {work}, n = {n}"
    task = problem(name, nodes=n)
    settings = task.settings
    drawn = ours.typed(task.draw("train", count * n), np.float32)
    graphs = [drawn.take(slice(k * n, (k + 1) * n)) for k in range(count)]
    if settings.loss != "cluster":  # it has the field and the delays among the features also where they are 0
        graphs = [
            g._replace(features=np.stack([g.field, g.frequencies, np.float32(g.delay_steps)], axis=1))
            for g in graphs
        ]
    rng = np.random.default_rng(0)
    first = pairs.initial(
        graphs[0].features.shape[1], settings.hidden, rng, settings.initialization, settings.gain
    )
    state = jax.tree.map(
        jnp.asarray, ours.State(*first, ours.optimizer_of(ours.task_of(task)).init(first[0]))
    )
    compiled = ours.task_of(task)

    def update() -> None:
        nonlocal state
        for graph in graphs:
            phases = np.float32(ours.initial_phases(settings.start, (n,), rng))
            state, loss, _ = ours.update(state, graph, phases, compiled)
            float(loss)

    folder = os.environ.get("KURANET")
    if not folder:
        (alone,) = interleaved(rounds, update)
        reason = "not compared: KURANET must be the path of a clone of github.com/serre-lab/KuraNet"
        return Line(f"{work}: ours alone", [1e3 * t / count for t in alone], "ms", None, reason)
    public = Public(folder, section, n, adjoint=adjoint, num_classes=task.classes)
    for mine, its in NUMBERS.items():
        if getattr(settings, mine) != public.arguments[its]:
            raise AssertionError(
                f"{mine} is {getattr(settings, mine)}, and {its} of [{section}] {public.arguments[its]}"
            )
    close = same_gradient(public, task, graphs[0])
    batches = public.batches(graphs)
    theirs, mine_ = interleaved(rounds, lambda: public.learn(batches), update)
    both = f"{duration([t / count for t in mine_])} against {duration([t / count for t in theirs])} a batch"
    return Line(
        work, ratios(theirs, mine_), "×", target, f"{both}; {close}; [{section}] of its experiments.cfg"
    )


@benchmark("kuranet-case-1", peers=PEERS + PUBLIC)
def kuranet_case_1(scale: float) -> list[Line]:
    count = max(1, int(5 * scale))
    return [
        line(
            "Case I", "case-1", "DEFAULT", adjoint=False, count=count, rounds=7, target=(">=", 3), scale=scale
        )
    ]


@benchmark("kuranet-clusters", peers=PEERS + PUBLIC)
def kuranet_clusters(scale: float) -> list[Line]:
    return [
        line(
            "GMM9, its adjoint",
            "gmm-9",
            "GMM9",
            adjoint=True,
            count=1,
            rounds=3,
            target=(">=", 40),
            scale=scale,
        ),
        line("GMM9, no adjoint", "gmm-9", "GMM9", adjoint=False, count=5, rounds=7, target=None, scale=scale),
    ]


@benchmark("learnt-memory", peers=PEERS)
def learnt_memory(scale: float) -> list[Line]:
    """A training with the settings of images, a few updates
    and a judgment; every benchmark has its own process.
    """
    from inphase.learn import LabeledImage, train

    n = max(100, int(1000 * scale))
    height, width = 2 * int(np.sqrt(n)), 6 * int(np.sqrt(n))
    labels = (np.arange(height)[:, None] > 0.4 * height) * 2 + (np.arange(width) > 0.6 * width)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 200, (4, 3))[labels] + rng.integers(0, 50, (height, width, 3))
    found = train(LabeledImage(pixels, labels).problem(nodes=n, samples=3 * n, epochs=1))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # kB on Linux
    loss = found.chosen.loss
    if len(loss) != 3 or not np.all(np.isfinite(loss)):
        raise AssertionError(f"3 updates were to be made, with finite losses; got {loss}")
    remark = f"the whole process, with JAX; {len(loss)} updates and a judgment, settings of images"
    return [Line(f"training, n = {n}: peak memory", [peak], "GB", ("<=", 2), remark)]
