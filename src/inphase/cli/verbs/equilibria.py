"""`inphase equilibria`."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from inphase.cli import output, system
from inphase.cli.options import GRAPH, SYSTEM, Parser, Verb, take
from inphase.status import Status

if TYPE_CHECKING:
    import xarray as xr

    from inphase.equilibria import Census, Landscape
    from inphase.files import OutputFolder
    from inphase.model import PhaseModel

FILES = ("equilibria.json", "basins.nc", "basins.png")
HEADER = ("state", "stable", "unstable directions", "frequency", "leading rate", "hits")


def _options(parser: Parser) -> None:
    take(parser, *SYSTEM, *GRAPH, "frequencies", "field", "delays", "inertia", "damping", "n", "seed", "out",
         "overwrite", "no-progress", seed="seed of the random starts")  # fmt: skip
    parser.option("--starts", type=int, words="random starts of the search (default: 100)")
    parser.option("--all", action="store_true", words="all of them, with proof: f = sin on a small graph")
    parser.option(
        "--samples", type=int, default=0, words="runs from random phases, for the basins (default: 0)"
    )


def _run(options: argparse.Namespace) -> int:
    from inphase import equilibria
    from inphase.files import OutputFolder
    from inphase.provenance import model_text

    described = system.config(options)
    (model, graph), run = described.build_with_graph(), described.run
    read = output.how_read(graph)
    n = run.n if run.n is not None else model.size
    if n is None:
        raise ValueError("equilibria needs the number of oscillators: --n 5")
    _check(options, model)
    out = run.out or "results"
    if model.has_noise:
        print("inphase: noise is left out: these are states of the model without it", file=sys.stderr)
    with OutputFolder(out, "equilibria", FILES, overwrite=options.overwrite) as folder:
        folder.about = {"model": json.loads(model_text(model)), "n": n}
        if options.all:
            census = equilibria.all_equilibria(model, n)
            return _census(census, folder, options.json, read)
        starts = {} if options.starts is None else {"starts": options.starts}
        found = equilibria.find(model, n, seed=run.seed, progress=output.shows_progress(options), **starts)
        files, basins = {"equilibria": _write_states(found.to_dict(), folder)}, None
        if options.samples and not found.interrupted:
            basins = equilibria.basins(model, n, samples=options.samples, seed=run.seed)
            files |= _write_basins(basins, folder)
        folder.status = found.status
    shares = {} if basins is None else _shares(basins)
    if options.json:
        states = _states(found)
        output.print_json({"states": states, "failed": found.failed, "basins": shares, "files": files} | read)
    else:
        _print(found, shares, files, read)
    return output.exit_status([found.status], out)


def _check(options: argparse.Namespace, model: PhaseModel) -> None:
    """What would be refused only after the search."""
    if options.all and options.samples:
        raise ValueError("--all and --samples are two questions; ask one at a time")
    if options.all and options.starts is not None:
        raise ValueError("--all finds every state without random starts; leave --starts out")
    if options.samples < 0:
        raise ValueError(f"--samples must be >= 0; got {options.samples}")
    if options.samples and not model.is_autonomous:
        raise ValueError(
            "--samples needs a model without delays, noise and inertia; leave one or the other out"
        )


def _write_states(states: Any, folder: OutputFolder) -> str:
    from inphase.files import write_text

    return str(write_text(folder.file("equilibria.json"), json.dumps(states, indent=1)))


def _write_basins(basins: xr.Dataset, folder: OutputFolder) -> dict[str, str]:
    from inphase.files import replace_file, write_dataset
    from inphase.report.network_figures import basin_figure
    from inphase.report.style import png

    picture = png(basin_figure(basins))
    return {
        "basins": str(write_dataset(folder.file("basins.nc"), basins)),
        "figure": str(replace_file(folder.file("basins.png"), lambda path: path.write_bytes(picture))),
    }


def _census(census: Census, folder: OutputFolder, as_json: bool, read: dict[str, str]) -> int:
    numbers: dict[str, Any] = {
        "count": census.count,
        "complete": census.complete,
        "stable": len(census.stable),
        "undecided_boxes": len(census.undecided),
        "bound": census.bound,
    }
    path = _write_states(numbers | {"equilibria": [state.to_dict() for state in census.equilibria]}, folder)
    folder.status = Status.FINISHED
    if as_json:
        output.print_json(numbers | {"file": path} | read)
    else:
        print("\n".join([str(census), path, *read.values()]))
    return 0


def _shares(basins: xr.Dataset) -> dict[str, list[float]]:
    """By the name of a state: the share of starts, and the ends of its interval."""
    columns = (basins[key].values.tolist() for key in ("fraction", "low", "high"))
    return {str(name): list(numbers) for name, *numbers in zip(basins.name.values, *columns)}


def _states(found: Landscape) -> list[dict[str, Any]]:
    """What is printed of each state."""
    return [
        {
            "name": state.name,
            "stable": state.stable,
            "index": state.index,
            "frequency": state.frequency,
            "hits": hits,
            "residual": state.residual,
            "leading_rate": float(state.eigenvalues[0].real) if len(state.eigenvalues) else None,
            "error": state.eigenvalue_error,
        }
        for state, hits in zip(found, found.hits)
    ]


def _print(
    found: Landscape, shares: dict[str, list[float]], files: dict[str, str], read: dict[str, str]
) -> None:
    from rich.table import Table

    console, states = output.console(), _states(found)
    table = Table(*HEADER, box=None, header_style="bold")
    for state in states:
        table.add_row(*_row(state))
    console.print(table)
    console.print(
        f"{len(states)} states; {found.failed} starts led to none. A search from many starts may miss states."
    )
    for name, (share, low, high) in shares.items():
        console.print(f"{name:>24}  {100 * share:.1f}% of starts ({100 * low:.1f}% to {100 * high:.1f}%)")
    output.print_files(console, files | read)


def _row(state: dict[str, Any]) -> list[str]:
    stable = {True: "yes", False: "no", None: "undecided"}[state["stable"]]
    index = "unknown" if state["index"] is None else str(state["index"])
    frequency = state["frequency"] if abs(state["frequency"]) > 1e-13 else 0.0
    rate = "" if state["leading_rate"] is None else f"{state['leading_rate']:.6g}"
    return [state["name"], stable, index, f"{frequency:.6g}", rate, str(state["hits"])]


VERB = Verb(
    "Find stationary and phase-locked states, their stability and their basins.",
    "inphase equilibria kuramoto --n 5 --samples 500 --out results/",
    _options,
    _run,
)
