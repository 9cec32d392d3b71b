"""`inphase certify`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inphase.cli import grammar, output, system
from inphase.cli.options import Parser, Verb, take

if TYPE_CHECKING:
    from inphase.certify import Certificate
    from inphase.graphs import Graph


def _options(parser: Parser) -> None:
    take(parser, "system", "formula", "n", "no-progress",
         system="a name, a TOML file, or a file of edges; ranges follow: --beta 0 inf",
         formula='f as an expression, for instance "sin(x) + a*sin(2*x)" --a 0 0.2',
         n="this number of oscillators, of equal weights (default: any, any weights)")  # fmt: skip
    parser.option("--theorem", action="append", words=_theorems)
    parser.option("--no-refutation", action="store_true", words="do not look for a stable state")
    parser.option(
        "--budget", type=int, words="the largest number of boxes, and the work of so many (default: 20000)"
    )
    parser.option(
        "--seconds", type=float, words="a time limit, after which the answer is undecided (default: none)"
    )
    parser.option("--save", metavar="FILE", words="write the certificate")


def _theorems() -> str:
    from inphase.certify import THEOREMS

    return f"try only this theorem (may be repeated): {', '.join(THEOREMS)}"


def _run(options: argparse.Namespace) -> int:
    from inphase.certify import synchronization
    from inphase.progress import progress_bar

    subject, graph = _subject(options)
    read = output.how_read(graph)
    limits = {"seconds": options.seconds} | ({} if options.budget is None else {"budget": options.budget})
    with progress_bar("certify", 1.0, output.shows_progress(options)) as update:
        proof = synchronization(
            subject,
            n=options.n,
            graph=graph,
            theorems=options.theorem,
            refutation=not options.no_refutation,
            progress=lambda done, words: update(done),
            **limits,
            **grammar.ranges(options.parameters),
        )
    if options.save is not None:
        proof.save(options.save)
    if options.json:
        output.print_json(_shown(proof) | ({"file": options.save} if options.save else {}) | read)
    else:
        _print(proof, options.save, read)
    return 0


def _subject(options: argparse.Namespace) -> tuple[Any, Graph | None]:
    """What is asked about, and its graph where it is the file of one."""
    from inphase.expression import quoted
    from inphase.graphs import read
    from inphase.interaction import CATALOG

    subject = system.subject(options)
    if options.formula is not None or not isinstance(subject, str) or subject in CATALOG:
        return subject, None
    if not Path(subject).exists():
        raise ValueError(
            f"{quoted(subject)} is neither a name ({', '.join(CATALOG)}) nor a file of edges; or give --formula"
        )
    return "kuramoto", read(subject)


def _shown(proof: Certificate) -> dict[str, Any]:
    return {
        "verdict": proof.verdict,
        "statement": proof.statement,
        "margin": proof.margin,
        "theorems": list(proof.theorems),
        "assumptions": list(proof.assumptions),
        "seconds": round(proof.seconds, 3),
    }


def _print(proof: Certificate, saved: str | None, read: dict[str, str]) -> None:
    print(f"{proof.verdict}: {proof.statement}")
    print(
        f"  by {', '.join(proof.theorems) or 'no theorem'}, margin {proof.margin:.3g}, {proof.seconds:.2f} s"
    )
    for assumption in proof.assumptions:
        print(f"  assuming {assumption}")
    for line in read.values():
        print(f"  {line}")
    if saved:
        print(f"  written to {saved}; verify with: inphase check {saved}")


VERB = Verb(
    "Prove, or refute, that almost every start synchronizes, for ranges of parameters.",
    "inphase certify attention --beta=-0.666 inf --save proof.json",
    _options,
    _run,
)
