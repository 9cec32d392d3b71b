"""The options that verbs share: each is described once, here, and a verb names those that it takes.

Help that lists a catalog is a function, called when help is asked for: catalogs take long to import.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inphase.cli.grammar import usages, without_file

Words = str | Callable[[], str]
LONGEST = 1000  # characters of a message


@dataclass(frozen=True)
class Verb:
    """A verb of the command line, called like its file.

    Parameters
    ----------
    about, example : str
        What it does, and a command that does it.
    options : callable
        Gives a `Parser` the options of the verb.
    run : callable
        Does what the parsed options ask and returns the exit status.
    parameters : bool
        Whether parameters of the system, whose names only the system knows, may follow: `--beta 9`.
    """

    about: str
    example: str
    options: Callable[[Parser], None]
    run: Callable[[argparse.Namespace], int]
    parameters: bool = True


class Parser(argparse.ArgumentParser):
    """A parser whose faults are one line, and whose help may be written when it is asked for."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.flags = {"--help"}  # the options, as they are typed
        self._later: list[tuple[argparse.Action, Callable[[], str]]] = []

    def option(self, *flags: str, words: Words, **how: Any) -> None:
        """`add_argument`, with help that is text or a function that returns it."""
        action = self.add_argument(*flags, help="" if callable(words) else words, **how)
        self.flags.update(action.option_strings)
        if callable(words):
            self._later.append((action, words))

    def format_help(self) -> str:
        """The help, with what the catalogs hold."""
        for action, words in self._later:
            action.help = words().replace("%", "%%")
        return super().format_help()

    def error(self, message: str) -> Any:
        """End with status 2 and one line."""
        self.exit(2, f"inphase: {cut(' '.join(message.split()))}; see {self.prog} --help\n")


def cut(text: str) -> str:
    """A text of the length of a message: what was given may be long."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 20]} ... {text[-15:]}"


def _systems() -> str:
    from inphase.interaction import CATALOG

    names = ", ".join(usages(CATALOG))
    return f"a name ({names}) or a TOML file; parameters follow as options: --beta 9"


def _graphs() -> str:
    from inphase.graphs import DATASETS, GENERATORS

    kinds = ", ".join(usages(GENERATORS, given=("n", "seed")))
    return (
        f"a file (GML, GraphML, MTX, NPZ, CSV), a data set ({', '.join(DATASETS)}) or a generator: {kinds}; "
        "default: all-to-all"
    )


def _numbers() -> str:
    from inphase.distributions import DISTRIBUTIONS

    kinds = ", ".join(usages(without_file(DISTRIBUTIONS)))
    return (
        "natural frequencies: a number, a file (or file:column), a column of the graph, or a distribution, "
        f"such as 'uniform(1, 0.5)' or 'normal(width=0.5)': {kinds}"
    )


def _initial() -> str:
    from inphase.initial import KINDS

    kinds = usages(without_file(KINDS), given=("n", "rng"))
    return f"initial condition (default: uniform), such as 'twisted(winding=2)': {', '.join(kinds)}"


def _methods() -> str:
    from inphase.simulation.trajectory import NAMES

    return ", ".join(NAMES)


OPTIONS: dict[str, dict[str, Any]] = {
    "system": {"nargs": "?", "words": _systems},
    "formula": {"words": 'f as an expression, for instance "sin(x) + a*sin(2*x)"'},
    "strength": {"type": float, "words": "multiplies f (negative: repulsive)"},
    "gain": {"choices": ["softmax"], "words": "normalization"},
    "graph": {"metavar": "GRAPH", "words": _graphs},
    "directed": {
        "action": "store_true",
        "words": "the edges of the graph's file are directed: v listens to u",
    },
    "weight": {
        "metavar": "COLUMN",
        "words": "the column of the graph's file with its weights, or a number for all",
    },
    "columns": {
        "nargs": 2,
        "metavar": ("SOURCE", "TARGET"),
        "words": "the columns of an edge list, by name or number from 0 on",
    },
    "kind": {"words": "the format of the graph's file, where the suffix does not tell: matrix, edges, ..."},
    "duplicates": {"words": "sum: an edge that stands there in both directions counts twice"},
    "by": {
        "metavar": "COLUMN",
        "words": "the column of tables of numbers that names the nodes (default: id, node, label, name), or row",
    },
    "normalized": {"metavar": "BY", "words": "in-degree, strength, mean-degree or n"},
    "frequencies": {"metavar": "NUMBERS", "words": _numbers},
    "field": {"metavar": "NUMBERS", "words": "b of b sin θ, written like --frequencies"},
    "delays": {"metavar": "NUMBERS", "words": "delays of what is heard, likewise"},
    "noise": {"metavar": "NUMBERS", "words": "diffusion constants, likewise"},
    "inertia": {"metavar": "NUMBERS", "words": "m, likewise"},
    "damping": {"metavar": "NUMBERS", "words": "d, likewise"},
    "n": {"type": int, "words": "number of oscillators"},
    "seed": {"type": int, "words": "seed of the initial phases, and of what else is random (default: 0)"},
    "initial": {"metavar": "NAME", "words": _initial},
    "phases": {"metavar": "FILE", "words": "initial phases: CSV, NPY or NetCDF"},
    "t-end": {"type": float, "words": "final time"},
    "tolerance": {"type": float, "words": "local error per step, radians"},
    "step": {"type": float, "words": "constant step, which noise needs"},
    "method": {"words": _methods},
    "max-steps": {
        "type": int,
        "words": "steps after which a run ends early (default: 1000000; coarsen: 20000)",
    },
    "out": {"words": "output folder (default: results), which belongs to one verb"},
    "overwrite": {
        "action": "store_true",
        "words": "write into a folder that holds other files: another verb's go, others stay unless names are the same",
    },
    "proof-time": {
        "type": float,
        "metavar": "SECONDS",
        "words": "how long a proof is looked for, after the report is written (default: 60; 0: not)",
    },
    "no-progress": {"action": "store_true", "words": "no progress bars"},
}
SYSTEM = ("system", "formula", "strength", "gain")
OF_GRAPH = ("directed", "weight", "columns", "kind", "duplicates", "normalized")
GRAPH = ("graph", *OF_GRAPH, "by")
PARTS = ("frequencies", "field", "delays", "noise", "inertia", "damping")
START = ("n", "seed", "initial", "phases")


def take(parser: Parser, *names: str, **words: Words) -> None:
    """Give a parser the shared options of these names, some with other words of help than usual."""
    for name in names:
        flag = name if name == "system" else f"--{name}"
        parser.option(flag, **OPTIONS[name] | ({"words": words[name]} if name in words else {}))
