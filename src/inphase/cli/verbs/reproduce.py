"""`inphase reproduce`."""

from __future__ import annotations

import argparse
import sys

from inphase.cli import output
from inphase.cli.options import Parser, Verb, take


def _options(parser: Parser) -> None:
    parser.option("name", nargs="?", words="which; without it, the list")
    parser.option(
        "--out", default="results", words="output folder (default: results); a stopped run there goes on"
    )
    take(parser, "overwrite")
    parser.option(
        "--quick", action="store_true", words="a trial of minutes, whose figures are not the method's"
    )
    parser.option("--data", words="the folder of BSDS500, for images")
    parser.option("--seed", type=int, default=0, words="of trainings (default: 0)")
    parser.option("--workers", type=int, words="processes that train (default: one per processor)")
    take(parser, "no-progress", **{"no-progress": "no lines of progress"})


def _run(options: argparse.Namespace) -> int:
    from inphase.files import manifest
    from inphase.reproduce import reproduce

    if options.name is None:
        return _list(options.json)
    silent = options.no_progress or options.json
    files = reproduce(
        options.name,
        options.out,
        quick=options.quick,
        data=options.data,
        seed=options.seed,
        workers=options.workers,
        overwrite=options.overwrite,
        progress=None if silent else lambda line: print(line, file=sys.stderr, flush=True),
    )
    paths = [str(path) for path in files.values()]
    if options.json:
        output.print_json({"name": options.name, "files": paths})
    else:
        print("\n".join(paths))
    told = manifest(options.out)
    return output.exit_status([] if told is None else [told["status"]], options.out)


def _list(as_json: bool) -> int:
    from inphase.reproduce import EXPERIMENTS

    listing = {name: entry.description for name, entry in EXPERIMENTS.items()}
    if as_json:
        output.print_json(listing)
    else:
        output.print_pairs(listing, 14)
    return 0


VERB = Verb(
    "Redo a figure or a table of a paper.",
    "inphase reproduce kuranet-table1 --quick --out results/",
    _options,
    _run,
    parameters=False,
)
