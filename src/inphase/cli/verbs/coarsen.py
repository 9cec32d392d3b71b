"""`inphase coarsen`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from inphase.cli import output, system
from inphase.cli.options import START, SYSTEM, Parser, Verb, take


def _options(parser: Parser) -> None:
    take(parser, *SYSTEM, "frequencies", *START, "t-end", "tolerance", "max-steps", "out", "overwrite",
         "no-progress",
         frequencies="equal natural frequencies: clusters are seen in the frame that turns with them")  # fmt: skip


def _run(options: argparse.Namespace) -> int:
    from inphase.files import OutputFolder, write_dataset
    from inphase.simulation import coarsen

    described = system.config(options)
    model, graph = described.build_with_graph()
    phases = system.start(described, model.size)
    out = described.run.out or "results"
    # the tolerance and the steps of [run] are those of `simulate`
    names = ("tolerance", "max_steps")
    how = {name: value for name in names if (value := getattr(options, name)) is not None}
    t_end = described.run.t_end or 1e14
    with OutputFolder(out, "coarsen", ["tree.nc"], overwrite=options.overwrite) as folder:
        tree = coarsen(model, phases, t_end, progress=output.shows_progress(options), **how)
        folder.status, folder.about = tree.attrs["status"], {"model": json.loads(tree.attrs["model"])}
        path = write_dataset(folder.file("tree.nc"), tree)
    late = tree.clusters.values < 10
    mergers = list(zip(tree.time.values[late].tolist(), tree.clusters.values[late].tolist()))
    numbers: dict[str, Any] = {
        "status": tree.attrs["status"],
        "n": int(tree.sizes["oscillator"]),
        "time_reached": float(tree.attrs["time_reached"]),
        "clusters_left": int(tree.attrs["clusters_left"]),
        "last_mergers": mergers,
        "file": str(path),
    } | output.how_read(graph)
    if options.json:
        output.print_json(numbers)
    else:
        told = ", ".join(f"{left} at t = {time:.4g}" for time, left in mergers)
        output.print_pairs(numbers | {"last_mergers": told or "none"}, 16)
    return output.exit_status([tree.attrs["status"]], out)


VERB = Verb(
    "Follow the merging of clusters over many decades of time and write tree.nc.",
    "inphase coarsen attention --beta 36 --n 64 --t-end 1e14 --out results/",
    _options,
    _run,
)
