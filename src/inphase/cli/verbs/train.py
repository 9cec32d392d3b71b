"""`inphase train`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from inphase.cli import output
from inphase.cli.options import Parser, Verb, take
from inphase.status import Status

STARTS = ("start", "ended", "updates", "seconds", "validation loss", "test loss")
FRESH = ("fresh nodes", "graphs", "pairs", "loss", "V", "untrained loss")


def _options(parser: Parser) -> None:
    parser.option("file", words="the training, in TOML: inphase.learn.configuration lists its keys")
    take(parser, "out", "overwrite", "no-progress",
         out="output folder (default: the file's, or results); a stopped training there goes on",
         **{"no-progress": "no lines of progress"})  # fmt: skip
    parser.option("--resume", action="store_true", words="refuse to begin anew where there is no checkpoint")


def _run(options: argparse.Namespace) -> int:
    from inphase.learn.configuration import load
    from inphase.learn.job import carry_out

    found = carry_out(
        load(options.file),
        options.out,
        resume=options.resume,
        overwrite=options.overwrite,
        progress=not options.no_progress,
    )
    if options.json:
        output.print_json(found)
    elif found["status"] != Status.INTERRUPTED:
        _print(found)
    if found["status"] == Status.INTERRUPTED:
        print(
            f"inphase: interrupted; the same command goes on from the checkpoints in {found['folder']}",
            file=sys.stderr,
        )
        return Status.INTERRUPTED.exit_code
    return output.exit_status([found["status"]], Path(found["files"]["training"]).parent)


def _print(found: dict[str, Any]) -> None:
    from rich.table import Table

    console = output.console()
    starts = Table(*STARTS, box=None, header_style="bold")
    for start in found["starts"]:
        starts.add_row(*_start_row(start, start["number"] == found["chosen"]))
    console.print(starts)
    test = found["test_loss"]
    console.print(
        f"test loss: chosen {test['chosen']:.4f}, median {test['median']:.4f}, best {test['best']:.4f}\n"
    )
    fresh = Table(*FRESH, box=None, header_style="bold")
    for row, control in zip(found["evaluation"], found["control"]):
        fresh.add_row(*_fresh_row(row, control))
    console.print(fresh)
    output.print_files(console, found["files"])


def _start_row(start: dict[str, Any], chosen: bool) -> list[str]:
    losses = (start["validation_loss"], start["test"] and start["test"]["loss"])
    return [
        f"{start['number']}{' (chosen)' if chosen else ''}",
        start["status"],
        str(start["updates"]),
        f"{start['seconds']:.1f}",
        *("" if loss is None else f"{loss:.4f}" for loss in losses),
    ]


def _fresh_row(row: dict[str, Any], control: dict[str, Any]) -> list[str]:
    low_rank = row["pairs"] != "all"
    pairs = f"rank {row['rank']}, error {row['coupling_error']:.1e}" if low_rank else "all"
    numbers = (row["loss"], row["variance"], control["loss"])
    return [str(row["n"]), str(row["graphs"]), pairs, *(f"{value:.4f}" for value in numbers)]


VERB = Verb(
    "Learn a coupling, as a TOML file describes it, and try it on fresh nodes.",
    "inphase train kuranet.toml --out results/",
    _options,
    _run,
    parameters=False,
)
