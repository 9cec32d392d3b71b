"""`inphase study`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from inphase.cli import output, system
from inphase.cli.options import GRAPH, PARTS, START, SYSTEM, Parser, Verb, take

if TYPE_CHECKING:
    from inphase.studies import Study


def _options(parser: Parser) -> None:
    take(parser, *SYSTEM, *GRAPH, *PARTS, *START)
    take(
        parser,
        "t-end",
        "tolerance",
        "step",
        "method",
        "max-steps",
        "proof-time",
        "out",
        "overwrite",
        "no-progress",
    )


def _run(options: argparse.Namespace) -> int:
    from inphase.studies import study

    described = system.config(options)
    run, (model, graph) = described.run, described.build_with_graph()
    names = ("method", "max_steps", "velocities", "history")
    how = {name: value for name in names if (value := getattr(run, name)) is not None}
    folder = run.out or "results"
    result = study(
        model,
        run.n,
        run.seed,
        folder,
        phases=run.phases,
        start=run.initial,
        options=run.options,
        t_end=run.t_end,
        tolerance=run.tolerance,
        step=run.step,
        graph=graph,
        proof_time=run.proof_time,
        overwrite=options.overwrite,
        progress=output.shows_progress(options),
        **how,
    )
    if options.json:
        output.print_json({"title": result.title, **result.summary, "files": result.files})
    else:
        _print(result)
    return output.exit_status(result.statuses, folder)


def _print(result: Study) -> None:
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    console = output.console()
    answer = Text(f"{result.summary['question']}  ", style="bold").append(
        result.summary["answer"], style="not bold"
    )
    console.print(Panel(answer, title=result.title, title_align="left"))
    table = Table(box=None, show_header=False, padding=(0, 1))
    for item in result.summary["evidence"]:
        table.add_row(Text(item["kind"], style="bold cyan"), Text(item["statement"]))
    console.print(table)
    output.print_files(console, result.files | output.how_read(result.graph))


VERB = Verb(
    "Proof, spectrum and experiment on one system, and a report.",
    "inphase study attention --beta 9 --n 100000 --seed 0 --out results/",
    _options,
    _run,
)
