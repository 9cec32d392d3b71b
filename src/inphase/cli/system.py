"""The system and the run that the options of a verb describe."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inphase.cli import grammar
from inphase.cli.options import OF_GRAPH, PARTS

if TYPE_CHECKING:
    from inphase.config import Config

OF_RUN = ("n", "seed", "t_end", "tolerance", "step", "method", "max_steps", "proof_time", "out")


def config(options: argparse.Namespace) -> Config:
    """The system and run that the arguments describe; arguments win over the file's [run]."""
    from inphase.config import checked_config, load

    if options.system is not None and options.system.endswith(".toml"):
        _check_alone(options)
        found = load(options.system)
    else:
        found = checked_config(_described(options), "command line")
    changed = {key: given for key in OF_RUN if (given := _given(options, key)) is not None}
    return found.with_run("command line", **changed, **_initial(options))


def _given(options: argparse.Namespace, name: str) -> Any:
    """What was given, or None: also where the verb has no such option."""
    return getattr(options, name, None)


def _check_alone(options: argparse.Namespace) -> None:
    """ValueError where a file and options describe the system."""
    others = ("parameters", "formula", "gain", "graph", *OF_GRAPH, "by", *PARTS)
    if any(_given(options, name) for name in others) or _given(options, "strength") is not None:
        raise ValueError(f"{options.system} describes the system; parameters cannot be given beside it")


def _check_one(options: argparse.Namespace, files: str) -> None:
    """ValueError unless there is a name or a file, or else a formula."""
    from inphase.interaction import CATALOG

    if (options.system is None) == (options.formula is None):
        raise ValueError(f"name one system: {', '.join(CATALOG)}, {files}, or --formula")


def _described(options: argparse.Namespace) -> dict[str, Any]:
    """The tables of a configuration that describe the system."""
    from inphase.interaction import CATALOG

    _check_one(options, "a .toml file")
    interaction = {
        "name": options.system,
        "formula": options.formula,
        "parameters": grammar.numbers(options.parameters, CATALOG.get(options.system)),
        "strength": options.strength,
    }
    parts = {
        name: _part(name, given, options) for name in PARTS if (given := _given(options, name)) is not None
    }
    return {
        "interaction": {key: given for key, given in interaction.items() if given is not None},
        "model": ({"gain": options.gain} if options.gain else {}) | parts,
    } | _coupling(options)


def _coupling(options: argparse.Namespace) -> dict[str, Any]:
    """The table of the coupling, where there is a graph."""
    about = {key: given for key in OF_GRAPH if (given := _given(options, key))}
    if "weight" in about:
        about["weight"] = _number_or_name(about["weight"])
    if "kind" in about:
        about["file_kind"] = about.pop("kind")
    text = _given(options, "graph")
    if text is None:
        if about:
            raise ValueError(
                "--directed, --weight and --normalized are for a --graph, and so are --columns, --kind and --duplicates"
            )
        return {}
    from inphase.graphs import DATASETS, GENERATORS

    generated = text.partition("(")[0] in GENERATORS or text.endswith(")")
    if Path(text).is_file() or text in DATASETS or not generated:
        return {"coupling": {"kind": "graph", "file": text} | about}
    name, values = _named("graph", text, GENERATORS, given=("n", "seed"))
    return {"coupling": {"kind": "graph", "generator": name, "options": values} | about}


def _number_or_name(text: str) -> float | str:
    """A number for all edges, or the name of a column."""
    try:
        return float(grammar.number(text))
    except ValueError:
        return text


def _part(part: str, given: str, options: argparse.Namespace) -> Any:
    """A part of the model for the configuration: a number, a file, a distribution or a column's name."""
    try:
        return grammar.number(given)
    except ValueError:
        pass
    file, colon, column = given.rpartition(":")
    by = {} if _given(options, "by") is None else {"by": options.by}
    if colon and Path(file).is_file():
        return {"file": file, "column": column} | by
    if Path(given).is_file():
        return {"file": given} | by
    from inphase.distributions import DISTRIBUTIONS

    kinds = grammar.without_file(DISTRIBUTIONS)
    if "(" not in given:  # a column of the graph, though its name may be that of a distribution
        if given in kinds and _given(options, "graph") is None:
            usage = grammar.usages({given: kinds[given]})[0]
            raise ValueError(
                f'--{part}: write {usage}, for instance "{grammar.example(given, kinds[given])}"'
            )
        return given
    name, values = _named(part, given, kinds)
    return {"distribution": name, **values}


def _named(
    option: str, text: str, kinds: grammar.Kinds, given: Sequence[str] = ()
) -> tuple[str, dict[str, Any]]:
    """The name before the brackets and the values in them; what is said of bad ones names the option."""
    try:
        found = grammar.call(text)
        return found.name, grammar.bound(found, kinds, given)
    except (ValueError, TypeError) as error:
        raise ValueError(f"--{option}: {error}") from None


def _initial(options: argparse.Namespace) -> dict[str, Any]:
    """The keys of [run] for the initial phases."""
    from inphase import initial

    text, file = _given(options, "initial"), _given(options, "phases")
    if text is not None and file is not None:
        raise ValueError("--initial and --phases both say where to start; leave one out")
    if file is not None:
        return {"phases": initial.from_file(file)}
    if text is None:
        return {}
    name, values = _named("initial", text, grammar.without_file(initial.KINDS), given=("n", "rng"))
    return {"initial": name, "options": values, "phases": None}


def start(described: Config, size: int | None) -> Any:
    """The initial phases of a run; `size` is the model's."""
    from inphase import initial

    run = described.run
    if run.phases is not None:
        return run.phases
    n = run.n if run.n is not None else (size or 1000)
    return initial.phases(run.initial, n, run.seed, **run.options)


def subject(options: argparse.Namespace) -> Any:
    """What `certify` and `diagram` are about: a formula, a name of the catalog, a model, or a graph's file."""
    _check_one(options, "a .toml file, a file of edges")
    if options.formula is not None:
        return options.formula
    if options.system.endswith(".toml"):
        from inphase.config import load

        return load(options.system).build()
    return options.system
