"""`certify` reads every graph's file as the other verbs do, and never takes a directed or weighted one for another."""

import json

import numpy as np
import pytest
from scipy.io import mmwrite
from scipy.sparse import coo_array, csr_array, save_npz

from inphase import certify, graphs
from inphase.cli import main

TRIANGLE = {
    "plain.edges": "0 1\n1 2\n2 0\n",
    "numbered from 5.edges": "5 6\n6 7\n7 5\n",
    "numbered from 1.txt": "1 2\n2 3\n3 1\n",
    "named.txt": "a b\nb c\nc a\n",
    "comments.edgelist": "% of KONECT\n# and of others\n3 9\n9 30\n30 3\n",
    "header.csv": "source,target\n0,1\n1,2\n2,0\n",
    "weights.tsv": "0\t1\t2.5\n1\t2\t2.5\n2\t0\t2.5\n",
    "both ways.edges": "0 1\n1 0\n1 2\n2 1\n0 2\n2 0\n",
    "labels.gml": 'graph [ node [ id 5 label "a" ] node [ id 6 label "b" ] node [ id 7 label "c" ] '
    "edge [ source 5 target 6 ] edge [ source 6 target 7 ] edge [ source 7 target 5 ] ]",
}


def run(capsys, *arguments):
    status = main(["certify", *map(str, arguments), "--json"])
    out, err = capsys.readouterr()
    return status, (json.loads(out) if status == 0 else err)


@pytest.mark.parametrize("name", TRIANGLE)
def test_a_triangle_is_proved_from_every_file(name, tmp_path, capsys):
    path, saved = tmp_path / name, tmp_path / "proof.json"
    path.write_text(TRIANGLE[name])
    assert graphs.read(path).n == 3
    status, found = run(capsys, path, "--save", saved)
    assert status == 0 and found["verdict"] == "proved" and found["theorems"] == ["degree"]
    assert "3 oscillators" in found["statement"] and certify.check(saved)
    assert certify.synchronization(path).verdict == "proved"
    assert certify.synchronization("2*sin(x)", graph=str(path)).verdict == "proved"


@pytest.mark.parametrize("suffix", [".mtx", ".npz", ".graphml"])
def test_matrices_and_markup(suffix, tmp_path, capsys):
    path, complete = tmp_path / f"complete{suffix}", graphs.complete(5)
    if suffix == ".mtx":
        mmwrite(path, complete.matrix.tocoo())
    elif suffix == ".npz":
        save_npz(path, csr_array(complete.matrix))
    else:
        import networkx as nx

        nx.write_graphml(complete.to_networkx(), path)
    assert run(capsys, path)[1]["verdict"] == "proved"


REFUSED = {
    "weights.edges": ("0 1 1\n1 2 2\n2 0 1\n", "equal positive weights"),
    "negative.edges": ("0 1 -1\n1 2 -1\n2 0 -1\n", "equal positive weights"),
    "twice.edges": ("0 1\n1 0\n1 2\n2 0\n", "equal positive weights"),
    "loop.edges": ("0 1\n1 2\n2 0\n0 0\n", "zero diagonal"),
    "directed.gml": (
        "graph [ directed 1 node [ id 0 ] node [ id 1 ] node [ id 2 ] "
        "edge [ source 0 target 1 ] edge [ source 1 target 2 ] edge [ source 2 target 0 ] ]",
        "directed",
    ),
    "ragged.edges": ("0 1\n1 2 3\n", "line 2"),
    "empty.edges": ("", "edges"),
    "suffix.dat": ("0 1\n", "must end in"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_theorem_is_for_is_refused_in_words(name, tmp_path, capsys):
    text, words = REFUSED[name]
    path = tmp_path / name
    path.write_text(text)
    status, found = run(capsys, path)
    assert status == 2 and words in found
    with pytest.raises(ValueError, match=words):
        certify.synchronization(path)


def test_a_directed_matrix_is_refused(tmp_path, capsys):
    path = tmp_path / "cycle.mtx"
    mmwrite(path, coo_array(np.roll(np.eye(5), 1, axis=1)))
    status, found = run(capsys, path)
    assert status == 2 and "directed" in found


def test_a_directed_file_with_both_directions_is_undirected(tmp_path, capsys):
    edges = [(i, j) for i in range(4) for j in range(4) if i != j]
    path = tmp_path / "both.gml"
    nodes = " ".join(f"node [ id {i} ]" for i in range(4))
    path.write_text(
        f"graph [ directed 1 {nodes} {' '.join(f'edge [ source {i} target {j} ]' for i, j in edges)} ]"
    )
    assert graphs.read(path).edges == 6
    assert run(capsys, path)[1]["verdict"] == "proved"


def test_a_node_without_edges_refutes(tmp_path, capsys):
    matrix = np.zeros((4, 4))
    matrix[:3, :3] = 1 - np.eye(3)
    path = tmp_path / "lonely.mtx"
    mmwrite(path, coo_array(matrix))
    status, found = run(capsys, path)
    assert status == 0 and found["verdict"] == "refuted" and "2 parts" in found["statement"]
    assert "[0, 1, 2]; [3]" in found["statement"]


def test_the_reader_of_edge_lists_is_an_alias_that_warns(tmp_path):
    path = tmp_path / "triangle.edges"
    path.write_text("5 6\n6 7\n7 5\n")
    with pytest.warns(DeprecationWarning, match=r"graphs\.read"):
        assert certify.read_edge_list(path) == (3, [(0, 1), (0, 2), (1, 2)])
