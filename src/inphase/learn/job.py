"""The job of `inphase train`: a training from a TOML file, what it does on fresh nodes, and its files.

coupling.npz    the chosen network; `[coupling] kind = "learnt"` and `Learnt.load` read it
training.json   all starts, which one was chosen, its evaluation and that of the untrained control, where it comes from
nodes.csv       a graph of fresh nodes, and model.toml, the model on it: `inphase study model.toml`
checkpoints/    one file per start, from which a killed run goes on, and trained.npz, what `inphase.learn.Trained.load` reads
"""

from __future__ import annotations

import csv
import io
import json
import os
from typing import Any

import numpy as np

from inphase.configuration import toml
from inphase.coupling.learnt.coupling import save_network
from inphase.files import OutputFolder, write_text
from inphase.learn.configuration import Configuration
from inphase.learn.evaluation import evaluate, mean_and_error, untrained
from inphase.learn.problems import Nodes, Problem
from inphase.learn.settings import Settings
from inphase.learn.training import Start, Trained, train
from inphase.status import Status, worst
from inphase.version import version

FILES = ("coupling.npz", "training.json", "nodes.csv", "model.toml")


def carry_out(
    configuration: Configuration,
    out: str | os.PathLike[str] | None = None,
    *,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Train, choose, evaluate on fresh nodes, and write the files.

    Parameters
    ----------
    configuration : Configuration
    out : path, optional
        The folder; the configuration's if not given. Checkpoints of the same training in it are gone on from.
    resume : bool
        Refuse to begin anew: there must be checkpoints.
    overwrite : bool
        Write into a folder that holds other files than an earlier training's.
    progress : bool
        Loss, V and the remaining time on standard error.

    Returns
    -------
    dict
        As in training.json, whose "status" is the worst of the starts'; only {"status": "interrupted",
        "folder"} after Ctrl-C, when checkpoints are all there is.

    Raises
    ------
    OSError, ValueError, TypeError
        If input is bad, the folder holds another training or what is not a training's, another process
        writes there, or no start stayed finite.
    """
    run, task = configuration.run, configuration.build()
    graph_sizes = [task.settings.nodes, *run.evaluate_n]
    _check_sizes(task, graph_sizes, run.evaluate_graphs)
    folder = OutputFolder(run.out if out is None else out, "train", FILES, overwrite=overwrite)
    try:
        with folder:
            folder.about = {"problem": task.name, "seed": run.seed}
            checkpoints = folder.path / "checkpoints"
            if resume and not list(checkpoints.glob("start-*.npz")):
                raise ValueError(f"--resume: there is no checkpoint in {checkpoints}; leave it out to begin")
            trained = train(
                task,
                starts=run.starts,
                seed=run.seed,
                folder=checkpoints,
                progress=progress,
                workers=run.workers,
            )
            return _concluded(trained, configuration, graph_sizes, folder)
    except KeyboardInterrupt:
        return {"status": Status.INTERRUPTED.value, "folder": str(folder.path)}


def _concluded(
    trained: Trained, configuration: Configuration, sizes: list[int], folder: OutputFolder
) -> dict[str, Any]:
    """What is found of a training that has ended, written to its folder."""
    if trained.interrupted:
        raise KeyboardInterrupt
    if not np.isfinite(trained.chosen.best):
        rate = trained.settings.rate
        raise ValueError(f"no start stayed finite: take a smaller rate than {rate:g} or a smaller clip")
    found = _findings(trained, configuration, sizes)
    files = _write(folder, trained, configuration)
    training = folder.file("training.json")
    found |= {"files": files | {"training": str(training)}}
    write_text(training, json.dumps(found, indent=1, ensure_ascii=False))
    folder.status = found["status"]
    return found


def _check_sizes(task: Problem, sizes: list[int], graphs: int | None) -> None:
    """Before hours of training: whether there are as many fresh nodes."""
    limit = task.limits.get("test")
    if limit is not None and max(sizes) > limit:
        raise ValueError(
            f"evaluate_n must be <= {limit}, the nodes that {task.name} leaves to test; got {max(sizes)}"
        )
    if limit is not None and graphs is not None and graphs * max(sizes) > limit:
        wanted = f"{task.name} leaves {limit} nodes to test, and the largest graph has {max(sizes)}"
        raise ValueError(f"evaluate_graphs must be <= {limit // max(sizes)}: {wanted}; got {graphs}")


# --------------------------------------------------------------------------------------------------- findings


def _findings(trained: Trained, configuration: Configuration, sizes: list[int]) -> dict[str, Any]:
    run, chosen = configuration.run, trained.chosen
    assert trained.problem is not None
    starts = [_of_start(start, trained, configuration) for start in trained.starts]
    judged = [start["validation_loss"] for start in starts if start["validation_loss"] is not None]
    tested = [start["test"]["loss"] for start in starts if start["test"] is not None]
    control = untrained(trained.problem, run.seed)
    return {
        "status": worst(start.status for start in trained.starts).value,
        "problem": trained.problem.name,
        "columns": list(trained.problem.columns),
        "chosen": chosen.number,
        "validation_loss": {"best": min(judged), "median": float(np.median(judged))},
        "test_loss": {
            "chosen": starts[chosen.number]["test"]["loss"],
            "median": float(np.median(tested)),
            "best": min(tested),
        },
        "starts": starts,
        "evaluation": [_measured(trained, n, configuration) for n in sizes],
        "control": [_measured(control, n, configuration) for n in sizes],
        "seed": run.seed,
        "settings": trained.settings.to_dict(),
        "configuration": configuration.model_dump(exclude_unset=True),
        "versions": _versions(),
    }


def _of_start(start: Start, trained: Trained, configuration: Configuration) -> dict[str, Any]:
    """One start: how it went, and its network at the size of training; null where it was not finite."""
    best = min(start.judged, key=lambda row: row[1], default=None)
    alone = Trained(trained.problem, trained.settings, [start], trained.seed)
    return {
        "number": start.number,
        "status": start.status.value,
        "updates": len(start.loss),
        "seconds": round(start.seconds, 3),
        "best_update": None if best is None else best[0],
        "validation_loss": None if best is None else best[1],
        "validation_variance": None if best is None else best[2],
        "test": None if best is None else _measured(alone, trained.settings.nodes, configuration),
    }


def _measured(trained: Trained, n: int, configuration: Configuration) -> dict[str, Any]:
    """Loss and V on fresh graphs of n nodes, with all pairs or of low rank, as `evaluate` chooses."""
    run = configuration.run
    data = evaluate(trained, n, graphs=run.evaluate_graphs, burn_in=run.evaluate_burn_in, seed=run.seed)
    count = data.sizes["graph"]
    found: dict[str, Any] = {"n": n, "graphs": count, "pairs": data.attrs["pairs"]}
    for name in ("loss", "variance"):
        found[name], found[f"{name}_standard_error"] = mean_and_error(data[name].values)
    if found["pairs"] == "low-rank":
        names = ("rank", "coupling_error", "coupling_standard_error", "coupling_scale_error")
        found |= {name: data.attrs[name] for name in names} | {
            "tolerance_reached": bool(data.attrs["tolerance_reached"])
        }
    return found


def _versions() -> dict[str, str]:
    import platform

    import jax
    import optax

    return {
        "inphase": version(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "jax": jax.__version__,
        "optax": optax.__version__,
    }


# ------------------------------------------------------------------------------------------------------ files


def _write(folder: OutputFolder, trained: Trained, configuration: Configuration) -> dict[str, str]:
    task, settings = trained.problem, trained.settings
    assert task is not None
    coupling = save_network(
        folder.file("coupling.npz"),
        trained.network,
        settings.rule,
        problem=task.name,
        columns=list(task.columns),
        settings=settings.to_dict(),
        seed=trained.seed,
        start=trained.chosen.number,
        validation_loss=trained.chosen.best,
    )
    nodes = task.draw("test", settings.nodes, trained.seed)
    text, parts = _table(task, nodes, settings.step)
    table = write_text(folder.file("nodes.csv"), text)
    model = write_text(folder.file("model.toml"), _model(settings, parts, configuration))
    return {"coupling": str(coupling), "nodes": str(table), "model": str(model)}


def _table(task: Problem, nodes: Nodes, step: float) -> tuple[str, dict[str, str]]:
    """Nodes as CSV, and the columns of the parts of the model in it."""
    columns: dict[str, Any] = dict(zip(task.columns, nodes.features.T))
    own = {"frequencies": nodes.frequencies, "field": nodes.field, "delays": nodes.delay_steps * step}
    parts = {}
    for part, values in own.items():
        if np.any(values):
            # a feature may have that name
            parts[part] = part + "_" * sum(name.rstrip("_") == part for name in columns)
            columns[parts[part]] = values
    if task.classes:
        columns["label" + "_" * sum(name.rstrip("_") == "label" for name in columns)] = nodes.labels
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(values.tolist() for values in columns.values())))
    return text.getvalue(), parts


def _model(settings: Settings, parts: dict[str, str], configuration: Configuration) -> str:
    """The model of nodes.csv for `inphase study` and `inphase simulate`, in the evaluation's steps."""
    interaction = configuration.problem.interaction
    data = {
        "interaction": {"name": "kuramoto"} if interaction is None else interaction.given(),
        "coupling": {"kind": "learnt", "file": "coupling.npz", "features": "nodes.csv"},
        "model": {part: {"file": "nodes.csv", "column": column} for part, column in parts.items()},
        "run": {
            "n": settings.nodes,
            "t_end": settings.step * (configuration.run.evaluate_burn_in + settings.window),
            "step": settings.step,
            "method": settings.method,
        },
    }
    return toml(data, "The learnt coupling on the fresh nodes of nodes.csv.")
