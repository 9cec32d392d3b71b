"""The command line: one thin verb for each public function, in `verbs/`.

Exit status: 0 done; 1 the answer is no (a check that fails); 2 bad input, with one line that says what to
change; 3 a run ended before its end, what there is was written; 130 interrupted by Ctrl-C, and 143 by
SIGTERM, likewise.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from inphase.cli.grammar import joined, parameters
from inphase.cli.options import Parser, cut
from inphase.cli.verbs import VERBS
from inphase.signals import heeded
from inphase.status import Status

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit status; SIGTERM is answered as Ctrl-C is."""
    with heeded() as came:
        try:
            options = parsed(sys.argv[1:] if arguments is None else arguments)
            status = 2 if options.verb is None else VERBS[options.verb].run(options)
        except KeyboardInterrupt:
            status = _interrupted()
        except Exception as error:
            # what fails after a signal fails of it: libraries in C make an error of their own of the interruption
            status = _interrupted() if came else _refused(error)
    terminated = status == Status.INTERRUPTED.exit_code and signal.SIGTERM in came
    return 128 + signal.SIGTERM if terminated else status


def _interrupted() -> int:
    print("inphase: interrupted", file=sys.stderr)
    return Status.INTERRUPTED.exit_code


def _refused(error: Exception) -> int:
    """One line for what is foreseen; anything else is raised again."""
    if isinstance(error, MemoryError):
        reason = f"not enough memory for a system of this size ({_one_line(error) or 'allocation failed'})"
    elif isinstance(error, ValueError | TypeError | OSError | ImportError | OverflowError):
        reason = _one_line(error)
    else:
        raise error
    print(f"inphase: {reason}", file=sys.stderr)
    return 2


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The verb, its options and the system's parameters; without a verb, the help is printed.

    Raises
    ------
    ValueError
        If the verb does not take an option, or a parameter has no value.
    """
    parser = Parser(prog="inphase", description="Do coupled phase oscillators synchronize?")
    takes = _add_verbs(parser)
    options, rest = parser.parse_known_args(joined(arguments, set().union(*takes.values())))
    if options.verb is None:
        parser.print_help()
    else:
        _refuse(options.verb, rest, takes)
        options.parameters = parameters(rest)
    return options


def _add_verbs(parser: Parser) -> dict[str, set[str]]:
    """Give the parser its verbs; the options of each."""
    parser.add_argument("--version", action=_Version)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    takes: dict[str, set[str]] = {}
    for name, verb in VERBS.items():
        added = verbs.add_parser(
            name, help=verb.about, description=verb.about, epilog=f"example: {verb.example}"
        )
        added.option("--json", action="store_true", words="print one JSON object and nothing else")
        verb.options(added)
        takes[name] = added.flags
    return takes


def _refuse(verb: str, rest: Sequence[str], takes: Mapping[str, set[str]]) -> None:
    """ValueError for an option that only other verbs take, and for parameters where there is no system."""
    for word in rest:
        option = word.partition("=")[0]
        others = [name for name, flags in takes.items() if option in flags]
        if others:
            names = " and ".join(filter(None, (", ".join(others[:-1]), others[-1])))
            raise ValueError(f"{verb} takes no {option}; {names} {'does' if len(others) == 1 else 'do'}")
    if rest and not VERBS[verb].parameters:
        raise ValueError(f"unknown argument {rest[0]!r}; see inphase {verb} --help")


def _one_line(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError) and error.filename and error.strerror:
        return f"no such file: {error.filename}"
    return cut(" ".join(str(error).split()))


class _Version(argparse.Action):
    """--version, without importing anything before it is asked for."""

    def __init__(self, option_strings: list[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version")

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from inphase.version import version

        print(f"inphase {version()}")
        parser.exit()
