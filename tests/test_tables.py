"""One rule for tables: what one door takes, every door takes, and what one refuses, all refuse with its line."""

import json
from pathlib import Path

import numpy as np
import pytest

from inphase import config, distributions, graphs, initial, tables
from inphase.cli import main
from inphase.coupling.catalog import named

OMEGA = [-1.5, 0.25, 0.75]
TABLES = {  # all have the columns node = 0, 1, 2; next = 1, 2, 0; omega
    "commas": "node,next,omega\n0,1,-1.5\n1,2,0.25\n2,0,0.75\n",
    "decimal commas": "node;next;omega\n0;1;-1,5\n1;2;0,25\n2;0;0,75\n",
    "semicolons and points": "node;next;omega\n0;1;-1.5\n1;2;0.25\n2;0;0.75\n",
    "tabs": "node\tnext\tomega\n0\t1\t-1.5\n1\t2\t0.25\n2\t0\t0.75\n",
    "spaces": "node next   omega\n0  1 -1.5\n 1 2 0.25\n2 0 0.75 \n",
    "tabs or spaces": "node\tnext\tomega\n0\t1 -1.5\n1 2 0.25\n2  0\t0.75\n",
    "spaces after commas": "node, next, omega\n0, 1, -1.5\n1, 2, 0.25\n2, 0, 0.75\n",
    "comments": "# ω; rad/s, measured\n% twice\n\nnode,next,omega\n0,1,-1.5\n# a node\n1,2,0.25\n \n2,0,0.75\n",
    "quotes": '"node","next","omega"\n"0","1","-1.5"\n"1","2", "0.25"\n"2","0","0.75"\n',
    "quotes and spaces": 'node next "omega"\n0 1 "-1.5"\n1 2 0.25\n2 "0"   0.75\n',
    "texts": 'node,next,omega,name\n0,1,-1.5,"a, b; c"\n1,2,0.25,"two\nlines"\n2,0,0.75,""\n',
    "exponents": "node,next,omega\n0,1,-15e-1\n1,2,+.25\n2,0,7.5E-1\n",
    "byte order mark": "\ufeffnode,next,omega\r\n0,1,-1.5\r\n1,2,0.25\r\n2,0,0.75\r\n",
    "missing elsewhere": "node,next,omega,mass\n0,1,-1.5,\n1,2,0.25,1\n2,0,0.75,nan\n",
    "number in the header": "node,next,2020,omega\n0,1,5,-1.5\n1,2,5,0.25\n2,0,5,0.75\n",
}
BAD = {  # (text, line, words)
    "a word": ("node,next,omega\n0,1,-1.5\n1,2,fast\n", 3, "must be a finite number; got 'fast'"),
    "missing": ("node,next,omega\n0,1,-1.5\n1,2,\n", 3, "must be a finite number; got ''"),
    "not finite": ("# x\nnode,next,omega\n0,1,-1.5\n1,2,inf\n", 4, "must be a finite number; got 'inf'"),
    "two marks": ("node;next;omega\n0;1;-1,5\n1;2;0.25\n", 3, "got '0.25', with a decimal comma as others"),
    "thousands": ("node;next;omega\n0;1;1.234,5\n1;2;0,25\n", 2, "must be a finite number; got '1.234,5'"),
    "decimal commas after tabs": ("node\tnext\tomega\n0\t1\t-1,5\n", 2, "read where semicolons set"),
    "decimal commas after spaces": (
        "0 1 -1,5\n1 2 0,25\n",
        2,
        "numbers with decimal commas must be set apart",
    ),
    "too few": (
        "node next omega\n0 1 -1.5\n1 2\n",
        3,
        "expected 3 fields, as in the first line, set apart by w",
    ),
    "too many": ("node,next,omega\n0,1,-1.5\n1,2,0,25\n", 3, "first line, set apart by commas (a text that"),
    "two separators": ("node;next;omega\n0;1;-1.5\n1,2,0.25\n", 3, "set apart by semicolons"),
    "open quote": (
        'node,next,omega\n0,1,-1.5\n"1,2,0.25\n2,0,0.75\n',
        3,
        "unexpected end of data; got '\"1,2",
    ),
    "Latin 1": ("node,next,omega\n0,1,-1.5\n1,2,0.25 \xe9\n", 3, "must be UTF-8 text; got 0xe9"),
}
OF_VALUES = ("a word", "missing", "not finite", "two marks", "thousands", "decimal commas after tabs")


def frequencies(path):
    return distributions.from_file(path, "omega").values


def phases(path):
    return initial.phases("file", 3, path=path, column="omega")


def features(path):
    network = Path(__file__).with_name("before") / "coupling.npz"
    return named("learnt", file=str(network), features=str(path), columns=["omega"]).features[:, 0]


def system(path, coupling):
    """ω of a TOML file beside the table."""
    file = path.with_name("system.toml")
    part = f'{{ file = "{path.name}", column = "omega" }}'
    file.write_text(f'[interaction]\nname = "kuramoto"\n{coupling}[model]\nfrequencies = {part}\n')
    return config.load(file).build().frequencies


def model(path):
    return system(path, "")


def nodes(path):
    """Joined to a graph, whose file names its nodes in another order."""
    path.with_name("edges.gml").write_text(
        "graph [ node [ id 2 ] node [ id 0 ] node [ id 1 ] edge [ source 0 target 1 ] ]"
    )
    return system(path, '[coupling]\nkind = "graph"\nfile = "edges.gml"\n')[[1, 2, 0]]


def columns(path):
    return graphs.read_columns(path)["omega"]


def edges(path):
    """K[next, node] = omega."""
    named = path.with_suffix(".edges")
    named.write_bytes(path.read_bytes().replace(b"node", b"source").replace(b"next", b"target"))
    return graphs.read(named, weight="omega", directed=True, n=3).matrix.toarray()[[1, 2, 0], [0, 1, 2]]


def labels(path):
    return np.take(OMEGA, tables.read_labels(path, "node"))


DOORS = [frequencies, phases, features, model, nodes, columns, edges, labels]
OF_TEXTS = (columns, labels)  # of columns that may hold texts


def cases(names, left_out):
    pairs = [(name, door) for name in names for door in DOORS if not left_out(name, door)]
    return pytest.mark.parametrize(("name", "door"), pairs, ids=[f"{n}-{d.__name__}" for n, d in pairs])


@cases(TABLES, lambda name, door: name == "missing elsewhere" and door is columns)  # which reads all
def test_every_door_takes_every_table(tmp_path, name, door):
    path = tmp_path / "table.csv"
    path.write_text(TABLES[name], encoding="utf-8", newline="")
    assert door(path).tolist() == OMEGA


@cases(BAD, lambda name, door: name in OF_VALUES and door in OF_TEXTS)
def test_every_door_names_the_line_that_does_not_fit(tmp_path, name, door):
    text, line, words = BAD[name]
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ValueError) as caught:
        door(path)
    assert f"{path.with_suffix('')}." in str(caught.value)
    assert f", line {line}: " in str(caught.value) and words in str(caught.value)


@pytest.mark.parametrize("text", ["0;1;-1,5\n1;2;0,25\n2;0;0,75\n", "0 1 -1.5\n1 2 .25\n2 0 .75\n"])
def test_tables_without_a_header(tmp_path, text):
    path = tmp_path / "table.txt"
    path.write_text(text)
    assert distributions.from_file(path, 2).values.tolist() == OMEGA
    assert distributions.from_file(path, "2").values.tolist() == OMEGA  # as the command line gives it
    assert initial.from_file(path, column=2).tolist() == OMEGA
    assert tables.read_columns(path, [2, 0]).tolist() == [[-1.5, 0], [0.25, 1], [0.75, 2]]
    assert tables.read_labels(path, 1).tolist() == [1, 2, 0]
    K = graphs.read(path, directed=True).matrix.toarray()
    assert K[[1, 2, 0], [0, 1, 2]].tolist() == OMEGA


@pytest.mark.parametrize(
    ("text", "column", "values"),
    [
        ("1,2\n3,4\n", "1", [2, 4]),  # the second column, though a field of the first line is 1
        ("theta (rad)\n1\n2\n", None, [1, 2]),
        ("node,2020\n0,1.5\n1,2.5\n", "2020", [1.5, 2.5]),
        ('"omega, rad/s"\n1\n2\n', None, [1, 2]),
    ],
)
def test_what_is_a_header(tmp_path, text, column, values):
    path = tmp_path / "table.csv"
    path.write_text(text)
    assert tables.read_column(path, column).tolist() == values


def test_a_name_with_an_underscore_is_no_number(tmp_path):
    """Python reads 1_5 as 15."""
    path = tmp_path / "table.csv"
    path.write_text("node,omega\n1_1,0.5\n1_2,1_5\n")
    assert tables.read_labels(path, "node").tolist() == ["1_1", "1_2"]
    with pytest.raises(ValueError, match=r"line 3: omega must be a finite number; got '1_5'"):
        tables.read_column(path, "omega")


def test_a_first_line_that_may_be_a_header_or_not_is_refused(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("node,2020\n0,1.5\n1,2.5\n")
    with pytest.raises(
        ValueError, match=r"table\.csv, line 1: the line must be a header without numbers, or"
    ):
        tables.read_column(path, 1)
    path.write_text("x,x\n0,1.5\n")
    with pytest.raises(ValueError, match=r"column must be one of x, x in .*; got 'x'"):
        tables.read_column(path, "x")


@pytest.mark.parametrize("header", ["Id,Label,omega", "Label,Id,omega", "node,name,omega"])
def test_nodes_are_joined_by_the_column_that_names_them(tmp_path, header):
    """Gephi writes Id and Label; a fault in the table is told, and not taken for a table of another kind."""
    (tmp_path / "edges.csv").write_text("source,target\nc,a\na,b\n")
    path, file = tmp_path / "nodes.csv", tmp_path / "system.toml"
    text = f"{header}\na,Alpha,10\nb,Beta,20\nc,Gamma,30\n"
    file.write_text(
        '[interaction]\nname = "kuramoto"\n[coupling]\nkind = "graph"\nfile = "edges.csv"\n'
        '[model]\nfrequencies = { file = "nodes.csv", column = "omega" }\n'
    )
    path.write_text(text)
    model, graph = config.load(file).build_with_graph()
    assert dict(zip(graph.labels, model.frequencies.tolist())) == {"a": 10, "b": 20, "c": 30}
    for old, new, says in (
        ("20", "x", r"nodes\.csv, line 3: omega must be a finite number; got 'x'"),
        ("b,Beta", "d,Delta", "the node 'b' is missing"),
        ("omega", "power", "column must be one of .*, power in .*; got 'omega'"),
    ):
        path.write_text(text.replace(old, new))
        with pytest.raises(ValueError, match=says):
            config.load(file).build()


def test_arrays_by_every_door(tmp_path):
    import xarray as xr

    both = np.stack([[7.0, 8.0, 9.0], OMEGA], axis=1)
    np.save(tmp_path / "a.npy", both)
    np.savez(tmp_path / "a.npz", omega=OMEGA, other=both)
    xr.Dataset({"omega": ("oscillator", OMEGA), "phase": (("time", "oscillator"), both.T)}).to_netcdf(
        tmp_path / "a.nc", engine="h5netcdf"
    )
    for name, column in (
        ("a.npy", 1),
        ("a.npy", "1"),
        ("a.npz", "omega"),
        ("a.nc", "omega"),
        ("a.nc", "phase"),
    ):
        path = tmp_path / name
        assert distributions.from_file(path, column).values.tolist() == OMEGA
        assert initial.from_file(path, column=column).tolist() == OMEGA
        assert tables.read_columns(path, [column, column]).T.tolist() == [OMEGA, OMEGA]
    for name, column, says in (
        ("a.npy", 2, r"of shape \(3, 2\); got 2"),
        ("a.npy", None, r"column must be chosen: .* has shape \(3, 2\)"),
        ("a.npz", "o", "must have the array 'o'; it has omega, other"),
        ("a.npz", None, "column must be chosen: .* has the arrays omega, other"),
        ("a.nc", "o", "must have the array 'o'; it has omega, phase"),
    ):
        with pytest.raises(ValueError, match=says):
            distributions.from_file(tmp_path / name, column)
    assert initial.from_file(tmp_path / "a.nc").tolist() == OMEGA  # its phase, at the last time
    (tmp_path / "start.csv").write_text("node,phase\n0,-1.5\n1,0.25\n2,0.75\n")
    assert initial.from_file(tmp_path / "start.csv").tolist() == OMEGA
    (tmp_path / "b.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:300])
    with pytest.raises(ValueError, match=r"b\.npz is truncated, or no NPZ file"):
        tables.read_columns(tmp_path / "b.npz", ["omega"])


def test_decimal_commas_by_the_command_line(tmp_path, capsys):
    (tmp_path / "omega.csv").write_text("node;omega\n0;-1,5\n1;0,25\n2;0,75\n")
    (tmp_path / "edges.csv").write_text("0;1;1,5\n1;2;2,5\n")
    import xarray as xr

    for graph in ([], ["--graph", str(tmp_path / "edges.csv")]):
        arguments = [*graph, "--frequencies", f"{tmp_path / 'omega.csv'}:omega", "--t-end", "1"]
        size = [] if graph else ["--n", "3"]
        assert (
            main(["simulate", "kuramoto", *size, *arguments, "--out", str(tmp_path / "out"), "--json"]) == 0
        )
        capsys.readouterr()
        with xr.open_dataset(tmp_path / "out" / "trajectory.nc", engine="h5netcdf") as run:
            found = json.loads(run.attrs["model"])
        assert found["frequencies"] == OMEGA
    assert found["coupling"]["value"] == [1.5, 1.5, 2.5, 2.5]
