"""`inphase check`."""

from __future__ import annotations

import argparse
from pathlib import Path

from inphase.cli import output
from inphase.cli.options import Parser, Verb


def _options(parser: Parser) -> None:
    parser.option("file", words="the certificate")


def _run(options: argparse.Namespace) -> int:
    from inphase.certify import checker

    if not Path(options.file).is_file():
        raise ValueError(f"no such file: {options.file}")
    accepted, reason = checker.explain(options.file)
    if options.json:
        output.print_json({"accepted": accepted, "reason": reason})
    else:
        print(f"{'accepted' if accepted else 'rejected'}: {reason}")
    return 0 if accepted else 1


VERB = Verb(
    "Verify a certificate with the independent checker; exit status 1 if it is rejected.",
    "inphase check proof.json",
    _options,
    _run,
    parameters=False,
)
