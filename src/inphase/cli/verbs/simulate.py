"""`inphase simulate`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from inphase.cli import output, system
from inphase.cli.options import GRAPH, PARTS, START, SYSTEM, Parser, Verb, take


def _options(parser: Parser) -> None:
    take(parser, *SYSTEM, *GRAPH, *PARTS, *START)
    take(parser, "t-end", "tolerance", "step", "method", "max-steps", "out", "overwrite", "no-progress")


def _run(options: argparse.Namespace) -> int:
    from inphase.files import OutputFolder, write_dataset
    from inphase.observables import order_parameter
    from inphase.simulation import simulate

    described = system.config(options)
    model, graph = described.build_with_graph()
    phases, wanted = system.start(described, model.size), described.run
    if wanted.t_end is None:
        raise ValueError("simulate needs the final time: --t-end 50")
    names = ("tolerance", "step", "method", "seed", "max_steps", "velocities", "history")
    how = {name: value for name in names if (value := getattr(wanted, name)) is not None}
    out = wanted.out or "results"
    with OutputFolder(out, "simulate", ["trajectory.nc"], overwrite=options.overwrite) as folder:
        run = simulate(model, phases, wanted.t_end, progress=output.shows_progress(options), **how)
        folder.status, folder.about = run.attrs["status"], {"model": json.loads(run.attrs["model"])}
        path = write_dataset(folder.file("trajectory.nc"), run)
    numbers: dict[str, Any] = {
        "status": run.attrs["status"],
        "n": int(run.sizes["oscillator"]),
        "t_end": float(run.end_time),
        "order_parameter": float(abs(order_parameter(run.end_phase.values))),
        "accepted_steps": int(run.attrs["accepted_steps"]),
        "file": str(path),
    } | output.how_read(graph)
    if options.json:
        output.print_json(numbers)
    else:
        output.print_pairs(numbers, 16)
    return output.exit_status([run.attrs["status"]], out)


VERB = Verb(
    "Integrate a system and write trajectory.nc.",
    "inphase simulate attention --beta 2 --n 1000 --t-end 50 --out results/",
    _options,
    _run,
)
