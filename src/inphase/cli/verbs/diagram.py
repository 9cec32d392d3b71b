"""`inphase diagram`."""

from __future__ import annotations

import argparse
from typing import Any

from inphase.cli import grammar, output, system
from inphase.cli.options import Parser, Verb, take
from inphase.status import Status

FILES = ("diagram.csv", "diagram.png")


def _options(parser: Parser) -> None:
    take(parser, "system", "formula", "no-progress",
         system="a name of the catalog", formula="f as an expression with two parameters")  # fmt: skip
    parser.option("--size", type=int, default=50, words="cells along each parameter (default: 50)")
    parser.option("--workers", type=int, default=1, words="processes (default: 1)")
    take(parser, "out", "overwrite")


def _run(options: argparse.Namespace) -> int:
    from inphase.certify import diagram
    from inphase.files import OutputFolder, replace_file, write_text
    from inphase.progress import progress_bar

    subject = system.subject(options)
    with (
        OutputFolder(
            "results" if options.out is None else options.out, "diagram", FILES, overwrite=options.overwrite
        ) as folder,
        progress_bar("diagram", 1.0, output.shows_progress(options)) as update,
    ):
        found = diagram(
            subject,
            size=options.size,
            workers=options.workers,
            progress=lambda done, words: update(done),
            **grammar.ranges(options.parameters),
        )
        folder.about = {"formula": found.formula, "parameters": list(found.names)}
        files = {
            "table": str(write_text(folder.file("diagram.csv"), found.table())),
            "figure": str(replace_file(folder.file("diagram.png"), found.figure)),
        }
        folder.status = Status.FINISHED
    counts = {name: found.count(name) for name in ("proved", "refuted", "undecided")}
    told: dict[str, Any] = counts | files
    if options.json:
        output.print_json(told)
    else:
        output.print_pairs(told, 10)
    return 0


VERB = Verb(
    "Map a two-parameter family into proved, refuted and undecided cells.",
    'inphase diagram --formula "sin(x) + a*sin(2*x) + b*sin(3*x)" --a 0 0.6 --b -0.3 0.3 --out results/',
    _options,
    _run,
)
