"""Networks from files: TOML, the command line, the report, and what is said of bad input."""

import json
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import inphase as ip
from inphase import config
from inphase.cli import main

GML = """graph [
  node [ id 0 omega 0.4 x 0.0 y 0.0 ]
  node [ id 1 omega -0.1 x 1.0 y 0.0 ]
  node [ id 2 omega -0.3 x 0.5 y 1.0 ]
  edge [ source 0 target 1 ]
  edge [ source 1 target 2 ]
  edge [ source 0 target 2 ]
]
"""


@pytest.fixture
def triangle(tmp_path):
    path = tmp_path / "triangle.gml"
    path.write_text(GML)
    return path


def toml(tmp_path, text):
    path = tmp_path / "system.toml"
    path.write_text(text)
    return path


def test_study_of_a_graph_file_with_its_own_frequencies(tmp_path, triangle, capsys):
    out = tmp_path / "results"
    arguments = [
        "kuramoto",
        "--graph",
        str(triangle),
        "--frequencies",
        "omega",
        "--seed",
        "1",
        "--out",
        str(out),
        "--json",
    ]
    assert main(["study", *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    says = {item["kind"]: item["statement"] for item in found["evidence"]}
    bounds = ip.theory.critical_coupling_bounds(np.ones((3, 3)) - np.eye(3), [0.4, -0.1, -0.3])
    assert f"at least {bounds.necessary:.6g}" in says["theory"] and "not a proof" in says["theory"]
    assert "ends near a stable phase-locked state" in says["spectrum"]
    assert found["answer"].startswith(
        "They lock, in this run: the frequencies of the 3 oscillators differ by no more than the steps' error"
    )
    page = (out / "report.html").read_text()
    assert all(
        title in page
        for title in ("Every oscillator in time", "colored by phase", "colored by effective frequency")
    )
    with xr.open_dataset(out / "trajectory.nc", engine="h5netcdf") as run:
        model = ip.PhaseModel(
            ip.kuramoto(), ip.Sparse(ip.graphs.read(triangle)), frequencies=[0.4, -0.1, -0.3]
        )
        velocity = model.velocity(run.phase.values[-1])
        assert np.ptp(velocity) < 1e-6 and run.sizes["oscillator"] == 3


@pytest.mark.parametrize(
    ("coupling", "expected"),
    [
        ('kind = "ring"\nneighbors = 2', lambda: ip.Ring(2)),
        ('kind = "lattice"\nshape = [3, 4]', lambda: ip.Lattice((3, 4))),
        ('kind = "causal"', lambda: ip.Causal()),
        ('kind = "dense"\nmatrix = MATRIX', lambda: ip.Dense(np.arange(144.0).reshape(12, 12) / 144)),
        (
            'kind = "rank-one"\nrows = ROW\ncolumns = ROW',
            lambda: ip.RankOne(np.arange(12.0), np.arange(12.0)),
        ),
        ('kind = "all-triads"\nstrength = 0.5', lambda: 0.5 * ip.AllTriads()),
        (
            'kind = "hypergraph"\nn = 12\ntriads = [[0, 1, 2], [2, 5, 11]]',
            lambda: ip.Hypergraph([[0, 1, 2], [2, 5, 11]], n=12),
        ),
        (
            'kind = "graph"\ngenerator = "circulant"\noptions = {offsets = [1, 3]}\nnormalized = "in-degree"',
            lambda: ip.Sparse(ip.graphs.circulant(12, [1, 3]).normalized("in-degree")),
        ),
    ],
)
def test_every_kind_of_coupling_has_a_name_in_toml(tmp_path, coupling, expected):
    coupling = coupling.replace("MATRIX", str((np.arange(144.0).reshape(12, 12) / 144).tolist()))
    coupling = coupling.replace("ROW", str(np.arange(12.0).tolist()))
    path = toml(tmp_path, f'[interaction]\nname = "kuramoto"\n[coupling]\n{coupling}\n[run]\nn = 12\n')
    phases = ip.initial.phases("uniform", 12, seed=0)
    found = config.load(path).build().velocity(phases)
    np.testing.assert_allclose(
        found, ip.PhaseModel(ip.kuramoto(), expected()).velocity(phases), rtol=0, atol=1e-14
    )
    assert np.max(np.abs(found)) > 1e-3


def test_tables_of_couplings_add_up(tmp_path):
    path = toml(
        tmp_path,
        '[interaction]\nname = "kuramoto"\n[[coupling]]\nstrength = 0.5\n[[coupling]]\nkind = "all-triads"\nstrength = 2.0\n',
    )
    phases = ip.initial.phases("uniform", 9, seed=0)
    expected = ip.PhaseModel(ip.kuramoto(), 0.5 * ip.AllToAll() + 2 * ip.AllTriads()).velocity(phases)
    np.testing.assert_allclose(config.load(path).build().velocity(phases), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("header", ["node,omega", "omega"])
def test_numbers_of_nodes_are_joined_by_name_or_taken_in_order(tmp_path, header):
    (tmp_path / "edges.csv").write_text("source,target,weight\na,b,2.0\nb,c,3.0\n")
    rows = {"node,omega": ["c,0.3", "a,0.1", "b,0.2"], "omega": ["0.1", "0.2", "0.3"]}[header]
    (tmp_path / "omega.csv").write_text("\n".join([header, *rows]) + "\n")
    text = f"""[interaction]
name = "kuramoto"
[coupling]
kind = "graph"
file = "{tmp_path / "edges.csv"}"
weight = "weight"
directed = true
[model]
frequencies = {{ file = "{tmp_path / "omega.csv"}" }}
"""
    model, graph = config.load(toml(tmp_path, text)).build_with_graph()
    assert graph.labels == ("a", "b", "c") and model.frequencies.tolist() == [0.1, 0.2, 0.3]
    # b listens to a, and c to b
    assert model.coupling.matrix(3).tolist() == [[0, 0, 0], [2.0, 0, 0], [0, 3.0, 0]]


def test_parts_from_distributions_are_independent_and_seeded(tmp_path):
    text = (
        '[interaction]\nname = "kuramoto"\n[model]\n'
        'frequencies = {distribution = "uniform"}\nfield = {distribution = "uniform"}\n'
        'inertia = {distribution = "uniform", center = 2.0, sampling = "quantiles"}\n[run]\nn = 400\nseed = SEED\n'
    )
    first, again, other = (
        config.load(toml(tmp_path, text.replace("SEED", s))).build() for s in ("1", "1", "2")
    )
    assert np.array_equal(first.frequencies, again.frequencies) and not np.array_equal(
        first.frequencies, other.frequencies
    )
    assert abs(np.corrcoef(first.frequencies, first.field)[0, 1]) < 4 / np.sqrt(400)
    np.testing.assert_allclose(np.sort(first.inertia), ip.distributions.uniform(2.0).quantiles(400))
    # not in order along the nodes
    assert abs(np.corrcoef(first.inertia, np.arange(400))[0, 1]) < 4 / np.sqrt(400)


def test_simulate_with_noise_from_the_command_line(tmp_path, capsys):
    arguments = [
        "kuramoto",
        "--strength",
        "2",
        "--n",
        "60",
        "--noise",
        "0.3",
        "--step",
        "0.05",
        "--t-end",
        "4",
        "--seed",
        "3",
    ]
    assert (
        main(["simulate", *arguments, "--frequencies", "normal(0, 0.2)", "--out", str(tmp_path), "--json"])
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "finished" and found["accepted_steps"] == 80
    with xr.open_dataset(tmp_path / "trajectory.nc", engine="h5netcdf") as run:
        assert run.attrs["method"] == "stochastic Heun" and json.loads(run.attrs["model"])["noise"] == 0.3


def test_equilibria_from_the_command_line(tmp_path, capsys):
    assert (
        main(["equilibria", "kuramoto", "--n", "3", "--samples", "60", "--out", str(tmp_path), "--json"]) == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert [(s["name"], s["stable"], s["index"]) for s in found["states"]] == [
        ("synchronized", True, 0), ("antipodal (2+1)", False, 1), ("splay", False, 2),
    ]  # fmt: skip
    assert found["basins"]["synchronized"][0] == 1.0 and 0.9 < found["basins"]["synchronized"][1] < 1
    assert (tmp_path / "basins.png").stat().st_size > 5000
    assert main(["equilibria", "kuramoto", "--n", "3", "--all", "--out", str(tmp_path), "--json"]) == 0
    census = json.loads(capsys.readouterr().out)
    assert (census["count"], census["complete"], census["stable"]) == (6, True, 1)


@pytest.mark.parametrize(
    ("replace", "message"),
    [
        (('kind = "graph"', 'kind = "grph"'), "kind must be one of"),
        (('"small_world"', '"small_wrld"'), "got 'small_wrld'"),
        (("neighbors = 3", "neighbours = 3"), "has no option 'neighbours'; it takes neighbors, rewiring"),
        (("noise = 0.05", "noise = -0.05"), "noise must be >= 0; got -0.05"),
        (("noise = 0.05", "noise = true"), "model.noise: must be a number"),
        (("noise = 0.05", "delays = [0.1, -0.2]"), "delays must be >= 0; got -0.2"),
        (("noise = 0.05", "inertia = [1.0, 2.0]"), "is for 60"),
        (("noise = 0.05", 'field = "power"'), "the graph has no column 'power'"),
        (("noise = 0.05", "field = {width = 1.0}"), "give either distribution or file"),
        (('"normal"', '"gauss"'), "got 'gauss'"),
        (("width = 0.5", "wide = 0.5"), "'normal' has no option 'wide'; it takes center, width"),
        (("step = 0.05", ""), "needs a constant step"),
        (("step = 0.05", 'step = 0.05\nhistory = "constant"'), "history is for models with delays"),
        (("strength = 2.0", "strength = nan"), "factor must be a finite number"),
        (("strength = 2.0", 'file = "missing.gml"'), "takes either file or generator"),
        (('generator = "small_world"', 'file = "missing.gml"'), "options and seed are for a generator"),
        (
            (
                'generator = "small_world"\noptions = { neighbors = 3, rewiring = 0.1 }',
                'file = "missing.gml"',
            ),
            "missing.gml",
        ),
        (("strength = 2.0", "strength = 2.0\nweights = 1"), "unknown key 'weights'; known: file, generator"),
    ],
)
def test_bad_files_are_one_line_and_status_2(tmp_path, capsys, replace, message):
    good = """[interaction]
name = "kuramoto"
[coupling]
kind = "graph"
generator = "small_world"
options = { neighbors = 3, rewiring = 0.1 }
strength = 2.0
[model]
frequencies = { distribution = "normal", width = 0.5 }
noise = 0.05
[run]
n = 60
t_end = 0.5
step = 0.05
"""
    assert main(["simulate", str(toml(tmp_path, good)), "--out", str(tmp_path / "out"), "--json"]) == 0
    capsys.readouterr()
    assert replace[0] in good
    assert (
        main(["simulate", str(toml(tmp_path, good.replace(*replace))), "--out", str(tmp_path / "out")]) == 2
    )
    printed = capsys.readouterr()
    assert message in printed.err and printed.err.count("\n") == 1 and not printed.out


def test_a_malformed_line_of_a_graph_is_named(tmp_path, triangle):
    triangle.write_text(GML.replace("target 2 ]\n]", "target two ]\n]"))
    done = subprocess.run(
        [sys.executable, "-m", "inphase", "study", "kuramoto", "--graph", str(triangle), "--out", str(tmp_path)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "triangle.gml" in done.stderr and "line 7" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--directed"], "--directed, --weight and --normalized are for a --graph"),
        (["--frequencies", "normal(0, 1, 2, 3)"], "normal takes center, width; got 4 values"),
        (["--frequencies", "normal(0, 1, 2)"], "normal takes center, width; got 3 values"),
        (["--frequencies", "omega.csv"], "the graph has no column 'omega.csv'"),
        (["--n", "100000000000"], "not enough memory"),
        (["--noise", "1", "--step", "0.1", "--seed", "99999999999999999999999999"], "below 2^63"),
    ],
)
def test_bad_commands_are_one_line_and_status_2(tmp_path, capsys, arguments, message):
    n = [] if "--n" in arguments else ["--n", "5"]
    assert main(["simulate", "kuramoto", *n, "--t-end", "1", "--out", str(tmp_path), *arguments]) == 2
    printed = capsys.readouterr()
    assert message in printed.err and printed.err.count("\n") == 1 and not printed.out


def test_weights_and_columns_from_the_command_line(tmp_path, capsys):
    (tmp_path / "edges.csv").write_text("source,target,w\na,b,2.0\nb,c,3.0\n")
    (tmp_path / "omega.csv").write_text("node,omega,other\nc,0.3,1\na,0.1,1\nb,0.2,1\n")
    arguments = ["--graph", str(tmp_path / "edges.csv"), "--weight", "w", "--directed", "--t-end", "1"]
    arguments += [
        "--frequencies",
        f"{tmp_path / 'omega.csv'}:omega",
        "--out",
        str(tmp_path / "out"),
        "--json",
    ]
    assert main(["simulate", "kuramoto", *arguments]) == 0
    with xr.open_dataset(tmp_path / "out" / "trajectory.nc", engine="h5netcdf") as run:
        model = json.loads(run.attrs["model"])
    assert model["frequencies"] == [0.1, 0.2, 0.3]
    capsys.readouterr()
