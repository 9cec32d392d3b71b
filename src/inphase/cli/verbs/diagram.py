"""`inphase diagram`."""

from __future__ import annotations

import argparse
from typing import Any

from inphase.cli import grammar, output, system
from inphase.cli.options import Parser, Verb, take


def _options(parser: Parser) -> None:
    take(parser, "system", "formula", "no-progress",
         system="a name of the catalog", formula="f as an expression with two parameters")  # fmt: skip
    parser.option("--size", type=int, default=50, words="cells along each parameter (default: 50)")
    parser.option("--workers", type=int, default=1, words="processes (default: 1)")
    parser.option("--out", default="results", words="output folder (default: results)")


def _run(options: argparse.Namespace) -> int:
    from inphase.certify import diagram
    from inphase.files import output_folder, replace_file, write_text
    from inphase.progress import progress_bar

    folder, subject = output_folder(options.out), system.subject(options)
    with progress_bar("diagram", 1.0, output.shows_progress(options)) as update:
        found = diagram(
            subject,
            size=options.size,
            workers=options.workers,
            progress=lambda done, words: update(done),
            **grammar.ranges(options.parameters),
        )
    told: dict[str, Any] = {name: found.count(name) for name in ("proved", "refuted", "undecided")}
    told |= {
        "table": str(write_text(folder / "diagram.csv", found.table())),
        "figure": str(replace_file(folder / "diagram.png", found.figure)),
    }
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
