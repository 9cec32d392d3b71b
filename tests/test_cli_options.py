"""Which verb takes which options, how values are written, and the exit status of what ends early."""

import inspect
import json
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import xarray as xr

import inphase as ip
from inphase import config, distributions, equilibria, graphs, initial, simulation
from inphase.certify import THEOREMS
from inphase.cli import main
from inphase.cli.verbs import VERBS
from inphase.interaction import CATALOG
from inphase.simulation.trajectory import METHODS
from inphase.status import Status

SYSTEM = "formula strength gain"
GRAPH = "graph directed weight columns kind duplicates normalized by"
PARTS = "frequencies field delays noise inertia damping"
START = "n seed initial phases"
RUN = "t-end tolerance step method max-steps out overwrite no-progress"
TAKES = {
    "study": f"json {SYSTEM} {GRAPH} {PARTS} {START} {RUN} proof-time",
    "simulate": f"json {SYSTEM} {GRAPH} {PARTS} {START} {RUN}",
    "coarsen": f"json {SYSTEM} frequencies {START} t-end tolerance max-steps out overwrite no-progress",
    "equilibria": f"json {SYSTEM} {GRAPH} frequencies field delays inertia damping n seed out overwrite no-progress"
    " starts all samples",
    "certify": "json formula n theorem no-refutation budget seconds save no-progress",
    "check": "json",
    "diagram": "json formula size workers out overwrite no-progress",
    "train": "json out overwrite resume no-progress",
    "reproduce": "json out overwrite quick data seed workers no-progress",
}
TAKES = {verb: {f"--{name}" for name in names.split()} for verb, names in TAKES.items()}
ALL = sorted(set().union(*TAKES.values()))


def told(capsys, *arguments):
    """The one line on standard error of a command that is refused."""
    assert main(list(arguments)) == 2
    printed = capsys.readouterr()
    assert not printed.out and printed.err.startswith("inphase: ") and printed.err.count("\n") == 1
    return printed.err.removeprefix("inphase: ").strip()


def helped(capsys, *arguments):
    """Standard output, its words one space apart."""
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--help"])
    assert end.value.code == 0
    return " ".join(capsys.readouterr().out.split())


# ------------------------------------------------------------------------------------------------ what is taken


@pytest.mark.parametrize("verb", TAKES)
def test_help_shows_what_the_verb_takes(verb, capsys):
    usage, _, rest = helped(capsys, verb).partition(VERBS[verb].about)
    assert {word.strip("[]") for word in usage.split() if word.startswith("[--")} == TAKES[verb]
    assert all(f" {option} " in rest for option in TAKES[verb]) and VERBS[verb].example in rest


@pytest.mark.parametrize(
    ("verb", "function"),
    [
        ("study", ip.study),
        ("simulate", ip.simulate),
        ("coarsen", ip.coarsen),
        ("equilibria", equilibria.find),
    ],
)
def test_numbers_of_a_run_are_those_of_its_function(verb, function):
    """But for `simulate`'s further arguments, which study hands on, and a search's own tolerance."""
    takes = set(inspect.signature(function).parameters) | ({"method"} if function is ip.study else set())
    for name in ("t_end", "tolerance", "step", "method"):
        offered = f"--{name.replace('_', '-')}" in TAKES[verb]
        assert offered == (name in takes - ({"tolerance"} if verb == "equilibria" else set()))


@pytest.mark.parametrize("part", PARTS.split())
def test_coarsen_refuses_in_a_file_what_it_offers_no_option_for(part, tmp_path, capsys):
    """All but equal frequencies."""
    path = tmp_path / "model.toml"
    path.write_text(f"[interaction]\nname = 'kuramoto'\n[model]\n{part} = 0.5\n[run]\nn = 4\n")
    arguments = ["coarsen", str(path), "--out", str(tmp_path / "out")]
    if f"--{part}" in TAKES["coarsen"]:
        assert main(arguments) == 0
    else:
        assert "coarsen needs" in told(capsys, *arguments)


@pytest.mark.parametrize("verb", TAKES)
def test_an_option_of_other_verbs_is_refused_with_their_names(verb, capsys):
    for option in set(ALL) - TAKES[verb]:
        others = [other for other in TAKES if option in TAKES[other]]
        first, last = ", ".join(others[:-1]), others[-1]
        whose = f"{first} and {last} do" if first else f"{last} does"
        assert told(capsys, verb, "kuramoto", option, "1") == f"{verb} takes no {option}; {whose}"
        assert told(capsys, verb, f"{option}=1", "kuramoto") == f"{verb} takes no {option}; {whose}"


def test_faults_of_options_are_one_line(capsys):
    for arguments in (
        ["study", "kuramoto", "--n", "five"],
        ["check"],
        ["stduy"],
        ["study", "--gain", "hard"],
    ):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        printed = capsys.readouterr()
        assert end.value.code == 2 and not printed.out
        assert printed.err.startswith("inphase: ") and printed.err.count("\n") == 1
        assert printed.err.endswith("--help\n")


def test_options_that_contradict_each_other(tmp_path, capsys):
    (tmp_path / "start.csv").write_text("0.1\n0.2\n")
    start = ["--initial", "splay", "--phases", str(tmp_path / "start.csv")]
    assert "leave one out" in told(capsys, "simulate", "kuramoto", "--t-end", "1", *start)
    few = ["equilibria", "kuramoto", "--n", "3", "--out", str(tmp_path / "none")]
    assert "--all and --samples are two questions" in told(capsys, *few, "--all", "--samples", "5")
    assert "leave --starts out" in told(capsys, *few, "--all", "--starts", "5")
    assert "--samples must be >= 0; got -1" in told(capsys, *few, "--samples", "-1")
    assert "--samples needs a model without delays" in told(capsys, *few, "--samples", "5", "--inertia", "1")
    assert not (tmp_path / "none").exists()


# ---------------------------------------------------------------------------------------- help from the catalogs


def test_help_lists_the_catalogs(capsys):
    text = helped(capsys, "study")
    kinds = {name for name in (*distributions.DISTRIBUTIONS, *initial.KINDS) if name != "file"}
    for name in kinds | {*CATALOG, *graphs.GENERATORS, *graphs.DATASETS, *METHODS}:
        assert name in text.replace("- ", "-"), name  # where a line breaks
    assert "attention(beta)" in text and "lorentzian(center, width)" in text
    assert "twisted(winding, noise)" in text and "small_world(neighbors, rewiring)" in text
    text = helped(capsys, "certify")
    assert all(name in text.replace("- ", "-") for name in THEOREMS)


def test_the_command_line_imports_nothing_before_a_verb_runs():
    code = (
        "import sys\nfrom inphase.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "main(['check', '--seed', '1', 'proof.json'])\n"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'numba', 'scipy', 'pydantic', 'rich', 'jax')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("usage: inphase")
    assert (
        done.stderr
        == "inphase: check takes no --seed; study, simulate, coarsen, equilibria and reproduce do\n"
    )


# --------------------------------------------------------------------------------------------- names and values


def described(monkeypatch, *arguments):
    """The configuration that `simulate` would run."""
    seen = []
    monkeypatch.setattr(config.Config, "build_with_graph", lambda self: seen.append(self) or sys.exit())
    with pytest.raises(SystemExit):
        main(["simulate", "kuramoto", "--n", "6", "--t-end", "1", *arguments])
    return seen[0]


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("lorentzian(1, 0.5)", distributions.lorentzian(1.0, 0.5)),
        ("lorentzian(center=1, width=0.5)", distributions.lorentzian(1.0, 0.5)),
        (" lorentzian( 1/2 , width = 1e-1 ) ", distributions.lorentzian(0.5, 0.1)),
        ("bimodal(0, 0.5, 3)", distributions.bimodal(0.0, 0.5, 3.0)),
        (
            "bimodal(separation=3, component=lorentzian)",
            distributions.bimodal(separation=3, component="lorentzian"),
        ),
        ("point(2)", distributions.point(2.0)),
        ("normal()", distributions.normal()),
    ],
)
@pytest.mark.parametrize("part", ["frequencies", "field"])
def test_distributions_take_places_and_names(written, made, part, monkeypatch):
    table = getattr(described(monkeypatch, f"--{part}", written).model, part)
    assert np.array_equal(table.build(50, 3, None), made.draw(50, 3))


@pytest.mark.parametrize(
    ("written", "options"),
    [
        ("von_mises(1, 2.5)", {"mean": 1, "concentration": 2.5}),
        ("von_mises(concentration=2.5)", {"concentration": 2.5}),
        ("twisted(2)", {"winding": 2}),
        ("twisted(winding=-2, noise=0)", {"winding": -2, "noise": 0}),
        ("clusters([2, 1], spread=0.25)", {"masses": [2, 1], "spread": 0.25}),
        ("splay", {}),
        ("splay()", {}),
    ],
)
def test_initial_conditions_take_places_and_names(written, options, monkeypatch, tmp_path, capsys):
    run = described(monkeypatch, "--initial", written).run
    assert (run.initial, run.options) == (written.split("(")[0], options)
    monkeypatch.undo()
    arguments = ["--n", "6", "--seed", "2", "--t-end", "1e-9", "--initial", written, "--out", str(tmp_path)]
    assert main(["simulate", "kuramoto", *arguments]) == 0
    with xr.open_dataset(tmp_path / "trajectory.nc", engine="h5netcdf") as data:
        wanted = initial.phases(run.initial, 6, 2, **options)
        np.testing.assert_array_equal(data.phase.values[0], wanted)


def test_an_initial_condition_wins_over_that_of_the_file(tmp_path, capsys):
    for start in ('initial = "clusters"\noptions = {masses = [3, 3]}', "phases = [0, 0, 0, 0, 0, 0]"):
        (tmp_path / "model.toml").write_text(
            f"[interaction]\nname = 'kuramoto'\n[run]\nn = 6\nt_end = 1e-9\n{start}\n"
        )
        arguments = ["simulate", str(tmp_path / "model.toml"), "--out", str(tmp_path / "out")]
        assert main([*arguments, "--initial", "twisted(2)"]) == 0
        with xr.open_dataset(tmp_path / "out" / "trajectory.nc", engine="h5netcdf") as data:
            np.testing.assert_array_equal(data.phase.values[0], initial.twisted(6, winding=2))


@pytest.mark.parametrize(
    ("option", "written", "says"),
    [
        ("frequencies", "normal(0, 1", "'normal(0, 1' must end with its closing bracket"),
        ("frequencies", "normal(0, 1))", "must be numbers, set apart by commas; got '1)'"),
        ("frequencies", "normal(0; 1)", "must be numbers, set apart by commas; got '0; 1'"),
        ("frequencies", "normal(0,, 1)", "must be numbers, set apart by commas; got ''"),
        ("frequencies", "normal(wide=1)", "'normal' has no option 'wide'; it takes center, width"),
        ("frequencies", "normal(0, 1, 2)", "normal takes center, width; got 3 values in 'normal(0, 1, 2)'"),
        ("frequencies", "point(0, 1)", "point takes center; got 2 values"),
        ("frequencies", "normal(0, center=1)", "'center' is given twice"),
        ("frequencies", "normal(width=1, width=2)", "'width' is given twice"),
        ("frequencies", "normal(width=1, 0)", "'0' in 'normal(width=1, 0)' must come before"),
        ("frequencies", "normal(0, nan)", "the numbers in 'normal(0, nan)' must be finite; got nan"),
        ("frequencies", "normal(0, inf)", "must be finite; got inf"),
        ("frequencies", "normal(0, 1/0)", "must be numbers, set apart by commas; got '1/0'"),
        ("frequencies", "gauss(0, 1)", "'gauss' is none of bimodal(center, width, separation, component)"),
        ("frequencies", "lorentzian", 'write lorentzian(center, width), for instance "lorentzian(0, 0.5)"'),
        ("noise", "point", 'write point(center), for instance "point(0)"'),
        ("field", "bimodal", 'for instance "bimodal(0, 0.5, 4)"'),
        ("initial", "von_mises(kappa=2)", "'von_mises' has no option 'kappa'; it takes mean, concentration"),
        ("initial", "von_mises(0, 1", "must end with its closing bracket"),
        ("initial", "von_mises(0, nan)", "must be finite; got nan"),
        ("initial", "splay(2)", "splay takes no values; got 1 values in 'splay(2)'"),
        ("initial", "vonmises", "'vonmises' is none of uniform, von_mises(mean, concentration), twisted"),
        ("initial", "file", "'file' is none of"),
        ("graph", "regular", "'regular' needs the option 'degree'"),
        ("graph", "ring(2", "'ring(2' must end with its closing bracket"),
        ("graph", "wheel(2)", "'wheel' is none of barabasi_albert(m)"),
    ],
)
def test_bad_values_are_told_with_their_option(option, written, says, tmp_path, capsys):
    arguments = ["simulate", "kuramoto", "--n", "5", "--t-end", "1", "--step", "0.1", "--out", str(tmp_path)]
    line = told(capsys, *arguments, f"--{option}", written)
    assert line.startswith(f"--{option}: ") and says in line


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("normal(0, -1)", "width must be a positive, finite number; got -1"),
        ("normal(zero)", "center must be a number; got 'zero'"),
        ("nan", "frequencies"),
    ],
)
def test_what_a_function_refuses(written, says, tmp_path, capsys):
    arguments = ["simulate", "kuramoto", "--n", "5", "--t-end", "1", "--out", str(tmp_path)]
    assert says in told(capsys, *arguments, "--frequencies", written)
    assert "winding must be an integer; got 1.5" in told(capsys, *arguments, "--initial", "twisted(1.5)")


def test_a_column_may_be_called_like_a_distribution(tmp_path, capsys):
    nodes = "".join(f"node [ id {k} normal {k / 10} ]\n" for k in range(3))
    (tmp_path / "graph.gml").write_text(
        f"graph [\n{nodes}edge [ source 0 target 1 ]\nedge [ source 1 target 2 ]\n]"
    )
    arguments = ["--graph", str(tmp_path / "graph.gml"), "--frequencies", "normal", "--t-end", "1"]
    assert main(["simulate", "kuramoto", *arguments, "--out", str(tmp_path / "out")]) == 0
    with xr.open_dataset(tmp_path / "out" / "trajectory.nc", engine="h5netcdf") as run:
        assert json.loads(run.attrs["model"])["frequencies"] == [0.0, 0.1, 0.2]


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("ring", graphs.ring(8)),
        ("ring(neighbors=2)", graphs.ring(8, 2)),
        ("small_world(2, 0.3)", graphs.small_world(8, 2, 0.3, seed=5)),
        ("lattice([4, 2], periodic=false)", graphs.lattice([4, 2], periodic=False)),
        (
            "stochastic_block([4, 4], [[1, 0], [0, 1]])",
            graphs.stochastic_block([4, 4], [[1, 0], [0, 1]], seed=5),
        ),
    ],
)
def test_generators_of_graphs(written, made, monkeypatch):
    found = described(monkeypatch, "--n", "8", "--seed", "5", "--graph", written, "--normalized", "n")
    monkeypatch.undo()
    _, graph = found.build_with_graph()
    assert (abs(graph.matrix - made.normalized("n").matrix) > 0).nnz == 0


def test_lists_are_read_from_the_signature(monkeypatch):
    """One number for a parameter that takes several is a list of one."""
    seen = {}

    def steps(heights: "list[float]", slopes: "Sequence[float]" = (), lag: float = 0.0):
        seen.update(heights=heights, slopes=slopes, lag=lag)
        return ip.kuramoto()

    monkeypatch.setitem(CATALOG, "steps", steps)
    main(["simulate", "steps", "--heights", "1", "2", "--slopes", "3", "--lag", "1/2", "--n", "2"])
    assert seen == {"heights": [1.0, 2.0], "slopes": [3.0], "lag": 0.5}


# ----------------------------------------------------------------------------------------------- how a run ended


def ended(status, tmp_path, capsys, *arguments):
    """What a run printed that came to `status`: one JSON object, and on standard error one line or none."""
    assert main([*arguments, "--out", str(tmp_path), "--json"]) == status
    printed = capsys.readouterr()
    assert printed.err.count("\n") == (status != 0) and printed.out.count("\n") == 1
    return json.loads(printed.out), printed.err


def test_a_run_that_ends_early_has_status_3(tmp_path, capsys, monkeypatch):
    few = ["simulate", "kuramoto", "--n", "5", "--t-end", "2000"]
    found, line = ended(3, tmp_path, capsys, *few, "--frequencies", "1e308", "--step", "1")
    assert found["status"] == "not finite"
    assert line == (
        f"inphase: the run ended early ({Status.NOT_FINITE.text}); what there is was written to {tmp_path}\n"
    )
    with xr.open_dataset(found["file"], engine="h5netcdf") as run:
        assert 0 < run.sizes["time"] < 201 and np.all(np.isfinite(run.phase))
    assert ended(0, tmp_path, capsys, *few)[0]["status"] == "finished"
    monkeypatch.setattr(simulation, "simulate", partial(simulation.simulate, max_steps=30))
    assert ended(3, tmp_path, capsys, *few)[0]["status"] == "max_steps"
    monkeypatch.setattr("inphase.studies.simulate", partial(ip.simulate, max_steps=30))
    found, line = ended(3, tmp_path / "study", capsys, "study", *few[1:])
    assert "max_steps" in line and (tmp_path / "study" / "report.html").exists()


def test_coarsening_that_ends_early_has_status_3(tmp_path, capsys, monkeypatch):
    few = ["coarsen", "attention", "--beta", "9", "--n", "32"]
    assert ended(0, tmp_path, capsys, *few, "--t-end", "2")[0]["status"] == "finished"
    assert ended(0, tmp_path, capsys, *few)[0]["status"] == "synchronized"
    monkeypatch.setattr(simulation, "coarsen", partial(simulation.coarsen, max_steps=5))
    found, line = ended(3, tmp_path, capsys, *few)
    assert (
        found["status"] == "max_steps"
        and f"({Status.MAX_STEPS.text}); what there is was written to {tmp_path}" in line
    )


def test_interrupted_runs_have_status_130(tmp_path, capsys, monkeypatch):
    def interrupt(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(simulation, "simulate", partial(simulation.simulate, stop=interrupt))
    few = ["simulate", "kuramoto", "--n", "5", "--t-end", "20"]
    capsys.readouterr()
    assert main([*few, "--out", str(tmp_path), "--json"]) == 130
    assert capsys.readouterr().err.startswith("inphase: interrupted")


def test_an_interrupted_search_for_equilibria_does_not_go_on_to_basins(tmp_path, capsys, monkeypatch):
    found = equilibria.find(ip.PhaseModel(ip.kuramoto()), 3, starts=4)
    cut = type(found)(found.equilibria, found.hits, 0, found.relabelling, interrupted=True)
    monkeypatch.setattr(equilibria, "find", lambda *_, **__: cut)
    monkeypatch.setattr(equilibria, "basins", lambda *_, **__: pytest.fail("went on"))
    told_of, line = ended(130, tmp_path, capsys, "equilibria", "kuramoto", "--n", "3", "--samples", "9")
    assert [state["name"] for state in told_of["states"]][:1] == ["synchronized"]
    assert line == f"inphase: interrupted; what there is was written to {tmp_path}\n"


def test_json_holds_no_nan(tmp_path, capsys, monkeypatch):
    """The error of a state's leading rate may not be known, and NaN is no JSON."""
    found = equilibria.find(ip.PhaseModel(ip.kuramoto()), 3, starts=4)
    state = found[0].__class__(**{**found[0].__dict__, "eigenvalue_error": float("nan")})
    cut = type(found)((state,), (1,), 0, found.relabelling)
    monkeypatch.setattr(equilibria, "find", lambda *_, **__: cut)
    printed, _ = ended(0, tmp_path, capsys, "equilibria", "kuramoto", "--n", "3")
    assert printed["states"][0]["error"] is None
