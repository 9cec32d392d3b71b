"""The command line: one thin verb for each public function.

Exit status: 0 done; 1 the answer is no (a check that fails); 2 bad input, with one line that says what to
change; 130 interrupted (what there is was written).
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inphase.config import Config
    from inphase.equilibria import Census
    from inphase.studies import Study

PARTS_HELP = {
    "frequencies": "natural frequencies",
    "field": "b of b sin θ",
    "delays": "delays of what is heard",
    "noise": "diffusion constants",
    "inertia": "m",
    "damping": "d",
}
PART_HELP = (
    "a number, a file (or file:column), a column of the graph, or a distribution such as 'uniform(1, 0.5)'"
)
SYSTEM_HELP = "a name (attention, kuramoto, sakaguchi, harmonics) or a TOML file; parameters follow as options: --beta 9"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit status."""
    parser = _parser()
    given = sys.argv[1:] if arguments is None else arguments
    options, rest = parser.parse_known_args(_joined(given, _known(parser)))
    if "verb" not in options or options.verb is None:
        parser.print_help()
        return 2
    try:
        if rest and not options.takes_parameters:
            raise ValueError(f"unknown argument {rest[0]!r}; see inphase {options.verb} --help")
        options.parameters = _parameters(rest)
        return int(options.run(options))
    except KeyboardInterrupt:
        print("inphase: interrupted", file=sys.stderr)
        return 130
    except MemoryError as error:
        print(
            f"inphase: not enough memory for a system of this size ({_one_line(error) or 'allocation failed'})",
            file=sys.stderr,
        )
        return 2
    except (ValueError, TypeError, OSError, ImportError, OverflowError) as error:
        print(f"inphase: {_one_line(error)}", file=sys.stderr)
        return 2


def _known(parser: argparse.ArgumentParser) -> set[str]:
    """Every option of every verb; what else begins with -- is a parameter of the system."""
    found: set[str] = set()
    for action in parser._actions:
        found.update(action.option_strings)
        for verb in action.choices.values() if isinstance(action, argparse._SubParsersAction) else ():
            found |= _known(verb)
    return found


def _joined(arguments: Sequence[str], known: set[str]) -> list[str]:
    """`--a 0 0.2` as `--a=0,0.2`, so that the numbers of
    parameters, whose names only the system knows, stay with them.
    """
    joined: list[str] = []
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word.startswith("--") and word.partition("=")[0] not in known:
            values = [word.partition("=")[2]] if "=" in word else []
            while words and (_is_number(words[0]) or (not values and not words[0].startswith("--"))):
                values.append(words.pop(0))
            word = f"{word.partition('=')[0]}={','.join(values)}" if values else word
        joined.append(word)
    return joined


def _is_number(word: str) -> bool:
    try:
        return all(float(Fraction(part) if "/" in part else part) is not None for part in word.split(","))
    except (ValueError, ZeroDivisionError):
        return False


def _one_line(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError) and error.filename and error.strerror:
        return f"no such file: {error.filename}"
    return " ".join(str(error).split())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="inphase", description="Do coupled phase oscillators synchronize?")
    parser.add_argument("--version", action=_Version)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")

    def verb(
        name: str, run: Callable[[Any], int], about: str, example: str, system: bool = True
    ) -> argparse.ArgumentParser:
        added = verbs.add_parser(
            name,
            help=about,
            description=about,
            epilog=f"example: {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        added.set_defaults(run=run, takes_parameters=system)
        added.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
        if system:
            added.add_argument("system", nargs="?", help=SYSTEM_HELP)
            added.add_argument("--formula", help='f as an expression, for instance "sin(x) + a*sin(2*x)"')
            added.add_argument("--strength", type=float, help="multiplies f (negative: repulsive)")
            added.add_argument("--gain", choices=["softmax"], help="normalization")
            added.add_argument(
                "--graph",
                metavar="GRAPH",
                help="file (GML, GraphML, MTX, NPZ, CSV) or data set; default: all-to-all",
            )
            added.add_argument(
                "--directed",
                action="store_true",
                help="the edges of the graph's file are directed: v listens to u",
            )
            added.add_argument(
                "--weight", metavar="COLUMN", help="the column of the graph's file with its weights"
            )
            added.add_argument("--normalized", metavar="BY", help="in-degree, strength, mean-degree or n")
            for part, what in PARTS_HELP.items():
                added.add_argument(f"--{part}", help=f"{what}: {PART_HELP}")
            added.add_argument("--n", type=int, help="number of oscillators")
            added.add_argument("--seed", type=int, help="seed of the initial phases")
            added.add_argument(
                "--initial", metavar="NAME", help="uniform (default), von_mises, twisted, splay, ..."
            )
            added.add_argument("--phases", metavar="FILE", help="initial phases: CSV, NPY or NetCDF")
            added.add_argument("--t-end", type=float, dest="t_end", help="final time")
            added.add_argument("--tolerance", type=float, help="local error per step, radians")
            added.add_argument("--step", type=float, help="constant step, which noise needs")
            added.add_argument("--method", help="dormand-prince, heun or euler")
            added.add_argument("--out", help="output folder")
            added.add_argument("--no-progress", action="store_true", help="no progress bars")
        return added

    verb("study", _study, "Proof, spectrum and experiment on one system, and a report.",
         "inphase study attention --beta 9 --n 100000 --seed 0 --out results/")  # fmt: skip
    verb("simulate", _simulate, "Integrate a system and write trajectory.nc.",
         "inphase simulate attention --beta 2 --n 1000 --t-end 50 --out results/")  # fmt: skip
    verb("coarsen", _coarsen, "Follow the merging of clusters over many decades of time and write tree.nc.",
         "inphase coarsen attention --beta 36 --n 64 --t-end 1e14 --out results/")  # fmt: skip
    equilibria = verb("equilibria", _equilibria, "Find stationary and phase-locked states, their stability and their basins.",
                      "inphase equilibria kuramoto --n 5 --samples 500 --out results/")  # fmt: skip
    equilibria.add_argument(
        "--starts", type=int, default=100, help="random starts of the search (default: 100)"
    )
    equilibria.add_argument(
        "--all", action="store_true", help="all of them, with proof: f = sin on a graph of up to 6"
    )
    equilibria.add_argument(
        "--samples", type=int, default=0, help="runs from random phases, for the basins (default: 0)"
    )
    certify = verb("certify", _certify, "Prove, or refute, that almost every start synchronizes, for ranges of parameters.",
                   "inphase certify attention --beta=-0.666 inf --save proof.json", system=False)  # fmt: skip
    certify.set_defaults(takes_parameters=True)
    certify.add_argument(
        "system", nargs="?", help="a name, a TOML file, or a file of edges; ranges follow: --beta 0 inf"
    )
    certify.add_argument("--formula", help='f as an expression, for instance "sin(x) + a*sin(2*x)" --a 0 0.2')
    certify.add_argument(
        "--n", type=int, help="this number of oscillators, of equal weights (default: any, any weights)"
    )
    certify.add_argument("--theorem", action="append", help="try only this theorem (may be repeated)")
    certify.add_argument("--no-refutation", action="store_true", help="do not look for a stable state")
    certify.add_argument("--save", metavar="FILE", help="write the certificate")
    certify.add_argument("--no-progress", action="store_true", help="no progress bar")
    check = verb("check", _check, "Verify a certificate with the independent checker; exit status 1 if it is rejected.",
                 "inphase check proof.json", system=False)  # fmt: skip
    check.add_argument("file", help="the certificate")
    diagram = verb("diagram", _diagram, "Map a two-parameter family into proved, refuted and undecided cells.",
                   'inphase diagram --formula "sin(x) + a*sin(2*x) + b*sin(3*x)" --a 0 0.6 --b -0.3 0.3 --out results/',
                   system=False)  # fmt: skip
    diagram.set_defaults(takes_parameters=True)
    diagram.add_argument("system", nargs="?", help="a name of the catalog")
    diagram.add_argument("--formula", help="f as an expression with two parameters")
    diagram.add_argument("--size", type=int, default=50, help="cells along each parameter (default: 50)")
    diagram.add_argument("--workers", type=int, default=1, help="processes (default: 1)")
    diagram.add_argument("--out", default="results", help="output folder (default: results)")
    diagram.add_argument("--no-progress", action="store_true", help="no progress bar")
    training = verb("train", _train, "Learn a coupling, as a TOML file describes it, and try it on fresh nodes.",
                    "inphase train kuranet.toml --out results/", system=False)  # fmt: skip
    training.add_argument("file", help="the training, in TOML: inphase.learn.configuration lists its keys")
    training.add_argument(
        "--out", help="output folder (default: the file's, or results); a stopped training there goes on"
    )
    training.add_argument(
        "--resume", action="store_true", help="refuse to begin anew where there is no checkpoint"
    )
    training.add_argument("--no-progress", action="store_true", help="no lines of progress")
    reproduce = verb("reproduce", _reproduce, "Redo a figure or a table of a paper.",
                     "inphase reproduce kuranet-table1 --quick --out results/", system=False)  # fmt: skip
    reproduce.add_argument("name", nargs="?", help="which; without it, the list")
    reproduce.add_argument(
        "--out", default="results", help="output folder (default: results); a stopped run there goes on"
    )
    reproduce.add_argument(
        "--quick", action="store_true", help="a trial of minutes, whose figures are not the method's"
    )
    reproduce.add_argument("--data", help="the folder of BSDS500, for images")
    reproduce.add_argument("--seed", type=int, default=0, help="of trainings (default: 0)")
    reproduce.add_argument("--workers", type=int, help="processes that train (default: one per processor)")
    reproduce.add_argument("--no-progress", action="store_true", help="no lines of progress")
    return parser


class _Version(argparse.Action):
    """--version, without importing anything before it is asked for."""

    def __init__(self, option_strings: list[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version")

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from inphase.provenance import version

        print(f"inphase {version()}")
        parser.exit()


def _parameters(rest: Sequence[str]) -> dict[str, list[str]]:
    """`--beta=9 --sin=1,0.5` as {"beta": ["9"], "sin":
    ["1", "0.5"]}; the numbers stay text, which is exact.
    """
    found: dict[str, list[str]] = {}
    for word in rest:
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not name:
            raise ValueError(f"unexpected argument {word!r}; parameters are given as --name value")
        if not equals:
            raise ValueError(f"the parameter --{name} needs a value")
        if not _is_number(value):
            raise ValueError(f"--{name} is neither an option nor a parameter with a number; got {value!r}")
        found[name] = value.split(",")
    return found


def _numbers(texts: dict[str, list[str]]) -> dict[str, Any]:
    """Parameters as floats; lists for `harmonics`."""
    found: dict[str, Any] = {}
    for name, words in texts.items():
        values = [float(Fraction(word) if "/" in word else word) for word in words]
        found[name] = values if len(values) > 1 or name in ("sin", "cos") else values[0]
    return found


def _config(options: Any) -> Config:
    """The system and run that the arguments describe; arguments win over the file's [run]."""
    from inphase.config import checked_config, load

    parts = {name: given for name in PARTS_HELP if (given := getattr(options, name)) is not None}
    if options.system is not None and options.system.endswith(".toml"):
        config = load(options.system)
        of_graph = options.graph or options.directed or options.weight or options.normalized
        described = (
            options.parameters,
            options.formula,
            options.gain,
            options.strength is not None,
            of_graph,
            parts,
        )
        if any(described):
            raise ValueError(f"{options.system} describes the system; parameters cannot be given beside it")
    else:
        if (options.system is None) == (options.formula is None):
            raise ValueError(
                "name one system: attention, kuramoto, sakaguchi, harmonics, a .toml file, or --formula"
            )
        interaction = {
            "name": options.system,
            "formula": options.formula,
            "parameters": _numbers(options.parameters),
        }
        data: dict[str, Any] = {"interaction": {k: v for k, v in interaction.items() if v is not None}}
        if options.strength is not None:
            data["interaction"]["strength"] = options.strength
        data["model"] = {"gain": options.gain} if options.gain else {}
        data["model"] |= {name: _part(given) for name, given in parts.items()}
        if options.graph is not None:
            data["coupling"] = {
                "kind": "graph",
                "file": options.graph,
                "weight": options.weight,
                "normalized": options.normalized,
            }
            data["coupling"] |= {"directed": True} if options.directed else {}
        elif options.directed or options.weight or options.normalized:
            raise ValueError("--directed, --weight and --normalized are for a --graph")
        config = checked_config(data, "command line")
    run = {
        key: getattr(options, key)
        for key in ("n", "seed", "initial", "t_end", "tolerance", "step", "method", "out")
    }
    changed = {key: value for key, value in run.items() if value is not None}
    if options.phases is not None:
        from inphase.initial import from_file

        changed["phases"] = from_file(options.phases)
    return config.with_run("command line", **changed)


def _part(given: str) -> Any:
    """A part of the model as the configuration writes it: a
    number, a file's numbers, a distribution or a column's name.
    """
    try:
        return float(given)
    except ValueError:
        pass
    file, colon, column = given.rpartition(":")
    if colon and Path(file).is_file():
        return {"file": file, "column": column}
    if Path(given).is_file():
        return {"file": given}
    name, bracket, inside = given.partition("(")
    if not bracket:
        return given
    if not inside.endswith(")") or not _is_number(inside[:-1].replace(" ", "")):
        raise ValueError(f"a distribution is written like normal(0, 0.5); got {given!r}")
    numbers, names = [float(word) for word in inside[:-1].split(",")], ("center", "width", "separation")
    if len(numbers) > len(names):
        raise ValueError(f"a distribution takes center, width and, if bimodal, separation; got {given!r}")
    return {"distribution": name, **dict(zip(names, numbers))}


def _start(config: Config, size: int | None) -> Any:
    """The initial phases of a run; `size` is the model's."""
    from inphase import initial

    if config.run.phases is not None:
        return config.run.phases
    n = config.run.n if config.run.n is not None else (size or 1000)
    return initial.phases(config.run.initial, n, config.run.seed, **config.run.options)


def _progress(options: Any) -> bool:
    return not options.no_progress and not options.json and sys.stderr.isatty()


# -------------------------------------------------------------------------------------------------- the verbs


def _study(options: Any) -> int:
    from inphase.studies import study

    config = _config(options)
    run = config.run
    model, graph = config.build_with_graph()
    how = {
        name: value
        for name in ("method", "velocities", "history")
        if (value := getattr(run, name)) is not None
    }
    result = study(
        model,
        run.n,
        run.seed,
        run.out or "results",
        phases=run.phases,
        start=run.initial,
        options=run.options,
        t_end=run.t_end,
        tolerance=run.tolerance,
        step=run.step,
        graph=graph,
        progress=_progress(options),
        **how,
    )
    if options.json:
        print(
            json.dumps({"title": result.title, **result.summary, "files": result.files}, ensure_ascii=False)
        )
    else:
        _print_study(result)
    return 130 if result.interrupted else 0


def _print_study(result: Study) -> None:
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    console = Console(width=min(Console().width, 110))
    answer = Text(f"{result.summary['question']}  ", style="bold").append(
        result.summary["answer"], style="not bold"
    )
    console.print(Panel(answer, title=result.title, title_align="left"))
    table = Table(box=None, show_header=False, padding=(0, 1))
    for item in result.summary["evidence"]:
        table.add_row(Text(item["kind"], style="bold cyan"), Text(item["statement"]))
    console.print(table)
    for name, path in result.files.items():
        console.print(Text(f"{name:>10}  {path}", style="dim"), soft_wrap=True)


def _simulate(options: Any) -> int:
    from inphase.files import output_folder, write_dataset
    from inphase.simulation import simulate

    config = _config(options)
    model = config.build()
    phases, wanted = _start(config, model.size), config.run
    if wanted.t_end is None:
        raise ValueError("simulate needs the final time: --t-end 50")
    folder = output_folder(wanted.out or "results")
    how = {
        name: getattr(wanted, name)
        for name in ("tolerance", "step", "method", "seed", "velocities", "history")
    }
    run = simulate(model, phases, wanted.t_end, progress=_progress(options), **how)
    path = write_dataset(folder / "trajectory.nc", run)
    numbers = {
        "status": run.attrs["status"],
        "n": int(run.sizes["oscillator"]),
        "t_end": float(run.time[-1]) if len(run.time) else 0.0,
        "order_parameter": float(run.order_parameter[-1]) if len(run.time) else None,
        "accepted_steps": int(run.attrs["accepted_steps"]),
        "file": str(path),
    }
    return _report(numbers, options.json)


def _coarsen(options: Any) -> int:
    from inphase.files import output_folder, write_dataset
    from inphase.simulation import coarsen

    config = _config(options)
    model = config.build()
    phases = _start(config, model.size)
    folder = output_folder(config.run.out or "results")
    accuracy = {} if options.tolerance is None else {"tolerance": options.tolerance}
    tree = coarsen(model, phases, config.run.t_end or 1e14, progress=_progress(options), **accuracy)
    path = write_dataset(folder / "tree.nc", tree)
    late = tree.clusters.values < 10
    numbers = {
        "status": tree.attrs["status"],
        "n": int(tree.sizes["oscillator"]),
        "time_reached": float(tree.attrs["time_reached"]),
        "clusters_left": int(tree.attrs["clusters_left"]),
        "last_mergers": [
            [float(t), int(k)] for t, k in zip(tree.time.values[late], tree.clusters.values[late])
        ],
        "file": str(path),
    }
    return _report(numbers, options.json)


def _equilibria(options: Any) -> int:
    from inphase import equilibria
    from inphase.files import output_folder, replace_file, write_dataset, write_text

    config = _config(options)
    model, run = config.build(), config.run
    n = run.n if run.n is not None else model.size
    if n is None:
        raise ValueError("equilibria needs the number of oscillators: --n 5")
    folder = output_folder(run.out or "results")
    if model.has_noise:
        print("inphase: noise is left out: these are states of the model without it", file=sys.stderr)
    if options.all and options.samples:
        raise ValueError("--all and --samples are two questions; ask one at a time")
    if options.all:
        return _census(equilibria.all_equilibria(model, n), folder, options.json)
    found = equilibria.find(model, n, starts=options.starts, seed=run.seed, progress=_progress(options))
    files = {"equilibria": str(write_text(folder / "equilibria.json", json.dumps(found.to_dict(), indent=1)))}
    shares: dict[str, list[float]] = {}
    if options.samples:
        from inphase.report.network_figures import basin_figure
        from inphase.report.style import png

        basins = equilibria.basins(model, n, samples=options.samples, seed=run.seed)
        figure = basin_figure(basins)
        files["basins"] = str(write_dataset(folder / "basins.nc", basins))
        files["figure"] = str(replace_file(folder / "basins.png", lambda path: path.write_bytes(png(figure))))
        columns = (basins[key].values.tolist() for key in ("fraction", "low", "high"))
        shares = {str(name): list(numbers) for name, *numbers in zip(basins.name.values, *columns)}
    states = [
        {"name": s.name, "stable": s.stable, "index": s.index, "frequency": s.frequency, "hits": hits, "residual": s.residual,
         "leading_rate": float(s.eigenvalues[0].real) if len(s.eigenvalues) else None, "error": _finite(s.eigenvalue_error)}
        for s, hits in zip(found, found.hits)
    ]  # fmt: skip
    if options.json:
        print(
            json.dumps(
                {"states": states, "failed": found.failed, "basins": shares, "files": files},
                ensure_ascii=False,
            )
        )
    else:
        _print_equilibria(states, found.failed, shares, files)
    return 130 if found.interrupted else 0


def _finite(value: float) -> float | None:
    """What JSON can hold: NaN becomes null."""
    return value if math.isfinite(value) else None


def _census(census: Census, folder: Path, as_json: bool) -> int:
    from inphase.files import write_text

    numbers: dict[str, Any] = {
        "count": census.count,
        "complete": census.complete,
        "stable": len(census.stable),
        "undecided_boxes": len(census.undecided),
        "bound": census.bound,
    }
    states = [state.to_dict() for state in census.equilibria]
    path = write_text(folder / "equilibria.json", json.dumps(numbers | {"equilibria": states}, indent=1))
    print(json.dumps(numbers | {"file": str(path)}) if as_json else f"{census}\n{path}")
    return 0


def _print_equilibria(
    states: list[dict[str, Any]], failed: int, shares: dict[str, list[float]], files: dict[str, str]
) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=min(Console().width, 110))
    table = Table(
        "state",
        "stable",
        "unstable directions",
        "frequency",
        "leading rate",
        "hits",
        box=None,
        header_style="bold",
    )
    words = {True: "yes", False: "no", None: "undecided"}
    for s in states:
        rate = "" if s["leading_rate"] is None else f"{s['leading_rate']:.6g}"
        index = "unknown" if s["index"] is None else str(s["index"])
        table.add_row(
            s["name"],
            words[s["stable"]],
            index,
            f"{s['frequency'] if abs(s['frequency']) > 1e-13 else 0.0:.6g}",
            rate,
            str(s["hits"]),
        )
    console.print(table)
    console.print(
        f"{len(states)} states; {failed} starts led to none. A search from many starts may miss states."
    )
    for name, (share, low, high) in shares.items():
        console.print(f"{name:>24}  {100 * share:.1f}% of starts ({100 * low:.1f}% to {100 * high:.1f}%)")
    for name, path in files.items():
        console.print(f"{name:>10}  {path}", style="dim", soft_wrap=True)


def _report(numbers: dict[str, Any], as_json: bool) -> int:
    if as_json:
        print(json.dumps(numbers))
    else:
        for key, value in numbers.items():
            if key == "last_mergers":
                value = ", ".join(f"{k} at t = {t:.4g}" for t, k in value) or "none"
            print(f"{key.replace('_', ' '):>16}  {value}")
    return 130 if numbers["status"] == "interrupted" else 0


def _train(options: Any) -> int:
    from inphase.learn.configuration import load
    from inphase.learn.job import carry_out

    found = carry_out(
        load(options.file), options.out, resume=options.resume, progress=not options.no_progress
    )
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
    elif found["status"] == "finished":
        _print_training(found)
    if found["status"] == "interrupted":
        print(
            f"inphase: interrupted; the same command goes on from the checkpoints in {found['folder']}",
            file=sys.stderr,
        )
        return 130
    return 0


def _print_training(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=min(Console().width, 110))
    starts = Table(
        "start", "ended", "updates", "seconds", "validation loss", "test loss", box=None, header_style="bold"
    )
    for start in found["starts"]:
        losses = (start["validation_loss"], start["test"] and start["test"]["loss"])
        mark = " (chosen)" if start["number"] == found["chosen"] else ""
        numbers = ["" if loss is None else f"{loss:.4f}" for loss in losses]
        starts.add_row(
            f"{start['number']}{mark}",
            start["status"],
            str(start["updates"]),
            f"{start['seconds']:.1f}",
            *numbers,
        )
    console.print(starts)
    test = found["test_loss"]
    console.print(
        f"test loss: chosen {test['chosen']:.4f}, median {test['median']:.4f}, best {test['best']:.4f}\n"
    )
    fresh = Table(
        "fresh nodes", "graphs", "pairs", "loss", "V", "untrained loss", box=None, header_style="bold"
    )
    for row, control in zip(found["evaluation"], found["control"]):
        pairs = (
            row["pairs"]
            if row["pairs"] == "all"
            else f"rank {row['rank']}, error {row['coupling_error']:.1e}"
        )
        numbers = [f"{value:.4f}" for value in (row["loss"], row["variance"], control["loss"])]
        fresh.add_row(str(row["n"]), str(row["graphs"]), pairs, *numbers)
    console.print(fresh)
    for name, path in found["files"].items():
        console.print(f"{name:>10}  {path}", style="dim", soft_wrap=True)


def _reproduce(options: Any) -> int:
    from inphase.reproduce import EXPERIMENTS, reproduce

    if options.name is None:
        listing = {name: entry.description for name, entry in EXPERIMENTS.items()}
        print(
            json.dumps(listing)
            if options.json
            else "\n".join(f"{name:>14}  {about}" for name, about in listing.items())
        )
        return 0
    files = reproduce(
        options.name,
        Path(options.out),
        quick=options.quick,
        data=options.data,
        seed=options.seed,
        workers=options.workers,
        progress=None
        if options.no_progress or options.json
        else lambda line: print(line, file=sys.stderr, flush=True),
    )
    paths = [str(path) for path in files.values()]
    print(json.dumps({"name": options.name, "files": paths}) if options.json else "\n".join(paths))
    return 0


def _ranges(texts: dict[str, list[str]]) -> dict[str, Any]:
    """Parameters as exact ranges: one number, or two."""
    for name, words in texts.items():
        if len(words) > 2:
            raise ValueError(f"--{name} takes one number or a range of two; got {' '.join(words)}")
    return {name: words[0] if len(words) == 1 else (words[0], words[1]) for name, words in texts.items()}


def _subject(options: Any) -> Any:
    """What `certify` and `diagram` are about: a formula,
    a name of the catalog, a model, or a graph's file.
    """
    if (options.system is None) == (options.formula is None):
        raise ValueError(
            "name one system: attention, kuramoto, ..., a .toml file, a file of edges, or --formula"
        )
    if options.formula is not None:
        return options.formula
    if options.system.endswith(".toml"):
        from inphase.config import load

        return load(options.system).build()
    return options.system


def _certify(options: Any) -> int:
    from inphase.certify import synchronization
    from inphase.interaction import CATALOG
    from inphase.progress import progress_bar

    subject, graph = _subject(options), None
    if options.formula is None and isinstance(subject, str) and subject not in CATALOG:
        if not Path(subject).exists():
            raise ValueError(
                f"{subject!r} is neither a name ({', '.join(CATALOG)}) nor a file of edges; or give --formula"
            )
        subject, graph = "kuramoto", subject
    with progress_bar("certify", 1.0, _progress(options)) as update:
        proof = synchronization(
            subject,
            n=options.n,
            graph=graph,
            theorems=options.theorem,
            refutation=not options.no_refutation,
            progress=lambda done, words: update(done),
            **_ranges(options.parameters),
        )
    if options.save is not None:
        proof.save(options.save)
    if options.json:
        shown = {
            "verdict": proof.verdict,
            "statement": proof.statement,
            "margin": proof.to_dict()["information"]["margin"],
        }
        shown |= {
            "theorems": list(proof.theorems),
            "assumptions": list(proof.assumptions),
            "seconds": round(proof.seconds, 3),
        }
        print(json.dumps(shown | ({"file": options.save} if options.save else {}), ensure_ascii=False))
    else:
        print(f"{proof.verdict}: {proof.statement}")
        print(
            f"  by {', '.join(proof.theorems) or 'no theorem'}, margin {proof.margin:.3g}, {proof.seconds:.2f} s"
        )
        for assumption in proof.assumptions:
            print(f"  assuming {assumption}")
        if options.save:
            print(f"  written to {options.save}; verify with: inphase check {options.save}")
    return 0


def _check(options: Any) -> int:
    from inphase.certify import checker

    if not Path(options.file).is_file():
        raise ValueError(f"no such file: {options.file}")
    accepted, reason = checker.explain(options.file)
    if options.json:
        print(json.dumps({"accepted": accepted, "reason": reason}, ensure_ascii=False))
    else:
        print(f"{'accepted' if accepted else 'rejected'}: {reason}")
    return 0 if accepted else 1


def _diagram(options: Any) -> int:
    from inphase.certify import diagram
    from inphase.files import output_folder, replace_file, write_text
    from inphase.progress import progress_bar

    folder, subject = output_folder(options.out), _subject(options)
    with progress_bar("diagram", 1.0, _progress(options)) as update:
        found = diagram(
            subject,
            size=options.size,
            workers=options.workers,
            progress=lambda done, words: update(done),
            **_ranges(options.parameters),
        )
    files = {
        "table": str(write_text(folder / "diagram.csv", found.table())),
        "figure": str(replace_file(folder / "diagram.png", found.figure)),
    }
    counts = {verdict: found.count(verdict) for verdict in ("proved", "refuted", "undecided")}
    print(
        json.dumps(counts | files)
        if options.json
        else "\n".join(f"{k:>10}  {v}" for k, v in (counts | files).items())
    )
    return 0
