"""The tables of KuraNet [R], trained anew: rows, settings, controls, and what is measured, as numbers.

A row is one problem, or the mean of several. Each problem is trained from several starts; the one with the
least validation loss is chosen and measured on

    data    fresh nodes, as many in a graph as in the paper (n = 100; images n = 1000), all pairs
    size    n = 10,000 nodes of the training set in one graph, by a low-rank operator with its error (images, whose networks
            need a high rank: all pairs)
    both    n = 10,000 fresh nodes, all pairs

from the paper's initial phases, over 50 steps after its burn-in of 1000. Beside them: the untrained network
of the same normalization and, where there are classes, blocks (positive within, negative between). Here all n
oscillators move; the paper's tests at n = 10,000 moved 500 random ones a step.

To add a row, give it a line in `TABLE_1` or `TABLE_2`; its settings are the public ones but for what it says.

[R]: Ricci, Jung, Zhang, Chalvidal, Soni, Serre, *KuraNet: Systems of coupled oscillators that learn to
synchronize* (2021), arXiv 2105.02838, whose figures are `Row.published`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from inphase.files import output_folder, write_text
from inphase.stored import read_json
from inphase.version import version

if TYPE_CHECKING:
    from inphase.learn import Problem
    from inphase.learn.training import Trained


class Found(NamedTuple):
    """What was trained on one problem: all starts, and the chosen one after its refinement."""

    starts: Trained
    chosen: Trained


LARGE = 10_000  # nodes of the paper's size test
CELLS = ("data", "size", "both")
Numbers = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Parameters
    ----------
    title : str
    problems : tuple of str
        Names of problems, or numbers of images; the row is their mean.
    published : tuple of three pairs of float
        The paper's (trained, untrained) for data, size and both.
    settings : dict
        What is not as in the public settings.
    refined : tuple of dict
        What is different when the chosen network is trained on, once for each.
    starts : int
    """

    title: str
    problems: tuple[str, ...]
    published: tuple[tuple[float, float], ...]
    settings: dict[str, Any] = field(default_factory=dict)
    refined: tuple[dict[str, Any], ...] = ()
    starts: int = 3


# Of the settings tried (docs/theory/learning.md): - With the burn-in of the test in training too, what is
# learnt is the state that is reached and not the way to it. - Two classes that agree are an exact stationary
# point (loss 1/2). Networks get away from it where phases start uniformly and the window begins with them, so
# that the gradient sees the way. Once the classes are apart, the chosen network is refined with a burn-in. -
# Pixels are many and few of them settle the classes. After rounds on 15,000 the loss in training is half of
# that on other pixels: the last round is on nearly all that train (40%). It is judged at n = 1000, since the
# best at n = 100 is not the best at large n.
GLOBAL = {
    "epochs": 10,
    "burn_in": 1000,
    "optimizer": "adam",
    "rate": 1e-3,
    "schedule": "cosine",
    "validation_graphs": 30,
}
CLUSTERS: dict[str, Any] = {"epochs": 10, "rate": 1e-3, "start": "uniform", "schedule": "cosine", "gain": 1.0}
SETTLED = {"epochs": 5, "burn_in": 100, "window": 50}
IMAGES = {
    "nodes": 100,
    "samples": 15_000,
    "epochs": 20,
    "rate": 3e-3,
    "start": "uniform",
    "schedule": "cosine",
    "gain": 1.0,
}
IMAGES |= {"burn_in": 0, "window": 200}
LATE = {"burn_in": 200, "window": 50}
LAST = {"epochs": 10, "samples": 60_000, "validation_graphs": 5, "validation_nodes": 1000}
SETTLED_IMAGES = (LATE | {"epochs": 40}, LATE | {"epochs": 20}, LATE | LAST)
GAUSSIANS = tuple(f"gmm-{k}" for k in range(2, 11))
# what a trial has less of in refinements too
AMOUNTS = {"samples", "epochs", "validation_graphs", "validation_nodes"}
PHOTOGRAPHS = ("90076", "118020", "124084", "189011", "229036", "247003", "296028", "317080", "361010")

TABLE_1 = (
    Row("Case I", ("case-1",), ((0.0667, 0.7412), (0.0681, 0.9172), (0.0682, 0.9144)), GLOBAL, starts=5),
    Row("Case II", ("case-2",), ((0.1527, 0.7370), (0.1823, 0.8969), (0.1890, 0.9378)), GLOBAL, starts=5),
    Row("Case III", ("case-3",), ((0.3800, 0.8920), (0.7026, 0.9707), (0.6855, 0.9753)), GLOBAL, starts=5),
)
TABLE_2 = (
    Row("Moons", ("moons",), ((0.0154, 0.5), (0.0012, 0.5), (0.0011, 0.5)), CLUSTERS, (SETTLED,)),
    Row(
        "Circles",
        ("circles",),
        ((0.0257, 0.5), (0.0015, 0.5), (0.0021, 0.5)),
        CLUSTERS | {"gain": 0.5},
        (SETTLED,),
        5,
    ),
    Row("Spirals", ("spirals",), ((0.0182, 0.5), (0.0096, 0.5), (0.0094, 0.5)), CLUSTERS, (SETTLED,), 6),
    Row(
        "GMMk, k = 2..10",
        GAUSSIANS,
        ((0.0144, 0.4904), (0.0069, 0.5424), (0.0073, 0.5711)),
        CLUSTERS,
        (SETTLED,),
    ),
)
NINE_IMAGES = (
    Row(
        "Images",
        PHOTOGRAPHS,
        ((0.0376, 0.7464), (0.0088, 0.8363), (0.0093, 0.8360)),
        IMAGES,
        SETTLED_IMAGES,
        2,
    ),
)


@dataclass(frozen=True)
class Extent:
    """How much is done: everything, or a trial of a minute or two whose figures mean nothing.

    Parameters
    ----------
    large : int
        Nodes of the cells size and both.
    graphs : int
        Of the cell data in table 1, where V has a heavy tail; a quarter of them for classes, 3 for images.
    burn_in : int
        Steps before the 50 that are measured.
    changes : dict
        Settings of all trainings.
    problems : int
        Of those of a row, how many.
    starts : int, optional
        At most.
    """

    large: int = LARGE
    graphs: int = 100
    burn_in: int = 1000
    changes: dict[str, Any] = field(default_factory=dict)
    problems: int = 9
    starts: int | None = None


FULL = Extent()
QUICK = Extent(
    1000,
    5,
    200,
    {"samples": 2000, "epochs": 6, "hidden": (32, 32), "validation_graphs": 5, "validation_nodes": None},
    2,
    2,
)


def table(
    rows: Sequence[Row],
    folder: str | os.PathLike[str],
    *,
    extent: Extent = FULL,
    data: str | os.PathLike[str] | None = None,
    seed: int = 0,
    workers: int = 2,
    progress: Callable[[str], object] | None = None,
) -> tuple[Numbers, dict[str, Found]]:
    """Train and measure the rows of a table.

    Parameters
    ----------
    rows : sequence of Row
    folder : path
        Trainings (PROBLEM/start-000.npz, ...) and measurements (PROBLEM/measured.json) go there; what a run
        that was killed has left there is not done again.
    extent : Extent
    data : path, optional
        The folder of BSDS500, for images.
    seed : int
    workers : int
        Processes that train.
    progress : callable, optional
        Called with a line of text.

    Returns
    -------
    tuple
        (numbers, JSON-ready; what was trained, by problem)
    """
    numbers, everything = [], {}
    for row in rows:
        found = []
        for name in row.problems[: extent.problems]:
            task = _problem(name, data, **row.settings | extent.changes)
            place, began = output_folder(Path(folder) / name), time.perf_counter()
            everything[name] = _train(task, row, extent, place, seed, workers)
            found.append(_kept(place / "measured.json", *everything[name], extent, seed))
            if progress is not None:
                cells = ", ".join(
                    f"{cell} {found[-1]['cells'][cell]['trained']['value']:.4f}" for cell in CELLS
                )
                progress(f"{name}: {cells} ({time.perf_counter() - began:.0f} s)")
        numbers.append(_of_row(row, found))
    about = {
        "quick": extent is not FULL,
        "extent": asdict(extent),
        "seed": seed,
        "inphase_version": version(),
    }
    return about | {"rows": numbers}, everything


def _problem(name: str, data: str | os.PathLike[str] | None, **changes: Any) -> Problem:
    from inphase.learn import problem
    from inphase.learn.images import bsds_image
    from inphase.learn.problems import from_image

    if name not in PHOTOGRAPHS:
        return problem(name, **changes)
    if data is None:
        raise ValueError("images need --data, the folder of BSDS500 with images/ and groundTruth/ in it")
    image = bsds_image(data, name)
    return from_image(image.pixels, image.labels, name=name, **changes)


def _train(task: Problem, row: Row, extent: Extent, place: Path, seed: int, workers: int) -> Found:
    from inphase.learn import train

    starts = min(row.starts, extent.starts or row.starts)
    trained = train(task, starts=starts, seed=seed, folder=place, workers=workers)
    chosen = replace(trained, starts=[trained.chosen])
    for number, changes in enumerate(row.refined, 1):
        if trained.interrupted or chosen.interrupted:
            break
        further = task.replace(
            **changes | {key: extent.changes[key] for key in extent.changes.keys() & AMOUNTS}
        )
        folder = place / f"start-{trained.chosen.number:03d}-refined-{number}"
        chosen = train(further, seed=seed, folder=folder, initial=chosen.network)
    if trained.interrupted or chosen.interrupted:
        raise KeyboardInterrupt
    return Found(trained, chosen)


# ----------------------------------------------------------------------------------------------- measurements


def _kept(path: Path, trained: Trained, chosen: Trained, extent: Extent, seed: int) -> Numbers:
    """The measurements in the file, of this training and extent; else they are made, and written."""
    about = {
        "settings": trained.settings.to_dict(),
        "refined": chosen.settings.to_dict(),
        "starts": len(trained.starts),
    }
    about |= {"network_sha256": chosen.network.sha256, "counts": _counts(chosen, extent)}
    about |= {
        "seed": seed,
        "version": version(),
        "large": extent.large,
        "graphs": extent.graphs,
        "burn_in": extent.burn_in,
    }
    about = json.loads(json.dumps(about))
    if path.exists():
        kept = read_json(path)
        if isinstance(kept, dict) and kept.get("about") == about:
            return kept
    found = {"about": about} | _measured(trained, chosen, extent, seed)
    write_text(path, json.dumps(found, indent=1, ensure_ascii=False))
    return found


def _measured(trained: Trained, best: Trained, extent: Extent, seed: int) -> Numbers:
    task = trained.problem
    assert task is not None
    control = untrained_of(trained, seed)
    starts = []
    for start in trained.starts:
        alone = replace(trained, starts=[start])
        test = _cell(alone, "data", extent, seed)
        about = {
            "number": start.number,
            "status": start.status,
            "seconds": start.seconds,
            "updates": len(start.loss),
        }
        starts.append(about | {"validation": start.best if np.isfinite(start.best) else None, "test": test})
    cells: Numbers = {}
    for cell in CELLS:
        cells[cell] = {
            "trained": _cell(best, cell, extent, seed),
            "untrained": _cell(control, cell, extent, seed, pairs=None if cell == "data" else "low-rank"),
        }
    found = {"problem": task.name, "starts": starts, "chosen": trained.chosen.number, "cells": cells}
    found["refined_seconds"] = None if best.chosen in trained.starts else best.chosen.seconds
    return found | ({"controls": _controls(best, extent, seed)} if task.classes else {})


def untrained_of(trained: Trained, seed: int) -> Trained:
    """The initial network of its training, as a control."""
    from inphase.learn import untrained

    assert trained.problem is not None
    return untrained(trained.problem, seed)


def _cell(trained: Trained, cell: str, extent: Extent, seed: int, pairs: str | None = None) -> Numbers:
    """Mean loss over graphs of a cell, with its standard error over them, and how K was taken."""
    from inphase.learn.evaluation import evaluate, mean_and_error

    task = trained.problem
    assert task is not None
    n, graphs = _counts(trained, extent) if cell == "data" else (extent.large, 1)
    split = "train" if cell == "size" else "test"
    data = evaluate(
        _from_the_papers_phases(trained),
        n,
        graphs=task.graphs(split, graphs, n),
        burn_in=extent.burn_in,
        window=50,
        seed=seed,
        split=split,
        pairs=pairs or ("low-rank" if cell == "size" and task.name not in PHOTOGRAPHS else "all"),
    )
    mean, error = mean_and_error(data.loss.values)
    names = ("pairs", "rank", "coupling_error", "coupling_standard_error", "tolerance_reached")
    about = {name: _plain(data.attrs[name]) for name in names if name in data.attrs}
    return {"value": mean, "standard_error": error, "n": n, "values": data.loss.values.tolist()} | about


def _counts(trained: Trained, extent: Extent) -> tuple[int, int]:
    """(nodes, graphs) of the cell data."""
    task = trained.problem
    assert task is not None
    n = _nodes_of(task)
    return n, 3 if n == 1000 else max(2, extent.graphs // (4 if task.classes else 1))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _nodes_of(task: Problem) -> int:
    """The nodes of a graph in the paper's training."""
    return 1000 if task.name in PHOTOGRAPHS else 100


def _from_the_papers_phases(trained: Trained) -> Trained:
    assert trained.problem is not None
    return replace(trained, settings=trained.settings.replace(start=papers_start(trained.problem)))


def papers_start(task: Problem) -> str:
    """The paper's initial phases: 0, or normal around π for classes."""
    return "normal" if task.classes else "zero"


def _controls(trained: Trained, extent: Extent, seed: int) -> Numbers:
    """Trained, blocks, untrained on the same graphs: loss, a class's mean V, how far from splayed."""
    from inphase.learn.analyses import block_control

    task = trained.problem
    assert task is not None
    data = block_control(_from_the_papers_phases(trained), 100, graphs=5, burn_in=extent.burn_in, seed=seed)
    return {
        str(name): {part: float(data[part].sel(coupling=name).mean()) for part in ("loss", "within", "splay")}
        for name in data.coupling.values
    }


def _mean(parts: Sequence[Numbers]) -> Numbers:
    """Of several problems, graph by graph: they have one seed, and so the same initial phases."""
    from inphase.learn.evaluation import mean_and_error

    mean, error = mean_and_error(np.mean([part["values"] for part in parts], axis=0))
    return {"value": mean, "standard_error": error}


def _of_row(row: Row, found: Sequence[Numbers]) -> Numbers:
    """The means over a row's problems beside the paper's figures; errors are over graphs of these means."""
    cells: Numbers = {}
    for cell, published in zip(CELLS, row.published):
        kinds = {}
        for kind, reference in zip(("trained", "untrained"), published):
            parts = [one["cells"][cell][kind] for one in found]
            kinds[kind] = (parts[0] if len(parts) == 1 else _mean(parts)) | {"published": reference}
        cells[cell] = kinds
    return {"title": row.title, "cells": cells, "problems": list(found)}


# ----------------------------------------------------------------------------------------------------- images


def segmented(
    trained: Trained,
    data: str | os.PathLike[str],
    *,
    steps: int = 300,
    frames: int = 40,
    tolerance: float = 1e-2,
    seed: int = 0,
) -> tuple[Numbers, dict[str, Any]]:
    """The whole image under its network: segments by k-means on the circle, and their Dice coefficients.

    Parameters
    ----------
    trained : Trained
        On an image of BSDS500.
    data : path
        Its folder.
    steps, frames : int
        From phases around π; how many are kept.
    tolerance : float
        Of the low-rank K.
    seed : int
        Of phases and k-means.

    Returns
    -------
    tuple
        (numbers; image, truth, found, phases (frames, h, w) and times for figures)
    """
    from inphase.coupling.learnt.low_rank import factorize
    from inphase.learn.evaluation import phases_after
    from inphase.learn.images import bsds_image
    from inphase.learn.losses import cluster_loss
    from inphase.learn.segments import circular_kmeans, kmeans, symmetric_best_dice
    from inphase.learn.training import initial_phases

    task, settings = trained.problem, trained.settings
    assert task is not None
    began = time.perf_counter()
    image = bsds_image(data, task.name)
    nodes = task.at(image.features)
    coupling = factorize(trained.network, image.features, settings.rule, tolerance, seed=seed)
    built = time.perf_counter()
    first = initial_phases(papers_start(task), (len(image.features),), np.random.default_rng(seed))
    kept = np.unique(np.linspace(0, steps, frames).round().astype(int))
    phases, truth = phases_after(nodes.model(coupling, settings), first, settings, kept), image.labels.ravel()
    done = time.perf_counter()
    known = truth >= 0
    found = circular_kmeans(phases[-1], image.classes)
    control = kmeans(image.features, image.classes, seed=seed)
    loss = float(cluster_loss(image.classes)(phases[-1:], nodes._replace(labels=truth)))
    numbers = {
        "pixels": len(truth),
        "classes": image.classes,
        "dice": symmetric_best_dice(found[known], truth[known]),
        "pixels_dice": symmetric_best_dice(control[known], truth[known]),
        "loss": loss,
        "rank": coupling.rank,
        "coupling_error": coupling.error,
        "coupling_standard_error": coupling.standard_error,
        "build_seconds": built - began,
        "steps": steps,
        "steps_seconds": done - built,
    }
    shape = image.shape
    picture = {
        "image": np.asarray(image.pixels).round().astype(np.uint8),
        "truth": image.labels,
        "found": found.reshape(shape),
        "phases": phases.reshape(-1, *shape),
        "times": settings.step * kept,
    }
    return numbers, picture
