"""Graphs: readers and generators against networkx, exact results and their laws; and what they refuse."""

import functools
import http.server
import re
import threading
import urllib.request
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import io, sparse, stats

import inphase as ip
from inphase import graphs

SHARED = Path(__file__).parents[2] / "shared" / "data" / "graphs"
quick = settings(max_examples=40, deadline=None, derandomize=True)
LEVEL = 1e-4  # of each goodness-of-fit test: chance that a right generator fails, for seeds never looked at

ALL = {
    "barabasi_albert": (60, {"m": 3}),
    "circulant": (20, {"offsets": [1, 5, 10]}),
    "complete": (7, {}),
    "erdos_renyi": (80, {"p": 0.1}),
    "lattice": (None, {"shape": (4, 5)}),
    "path": (6, {}),
    "random_geometric": (80, {"radius": 0.2}),
    "regular": (30, {"degree": 4}),
    "ring": (12, {"neighbors": 2}),
    "small_world": (60, {"neighbors": 3, "rewiring": 0.4}),
    "spatial": (70, {"kernel": "gaussian", "degrees": 5}),
    "star": (9, {}),
    "stochastic_block": (None, {"sizes": [20, 30], "probabilities": [[0.3, 0.05], [0.05, 0.2]]}),
}
SURE = {"circulant", "complete", "lattice", "path", "ring", "star"}


def pairs(graph):
    """Edges as a set of (smaller, larger)."""
    found = sparse.triu(graph.matrix).tocoo()
    return set(zip(found.row.tolist(), found.col.tolist()))


def by_definition(edges, n, directed):
    """K by the docstring of `Graph`, an edge at a time."""
    K = np.zeros((n, n))
    for u, v, w in edges:
        K[v, u] += w
        if not directed and u != v:
            K[u, v] += w
    return K


# --- the graph ---

edge_lists = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(
            st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), st.integers(-3, 3).filter(bool)),
            max_size=25,
        ),
        st.booleans(),
    )
)


@quick
@given(edge_lists)
def test_edges_mean_what_the_docstring_says(case):
    n, edges, directed = case
    K = by_definition(edges, n, directed)
    graph = graphs.from_edges(
        [e[:2] for e in edges], n=n, weights=[float(e[2]) for e in edges], directed=directed
    )
    np.testing.assert_array_equal(graph.matrix.toarray(), K)
    assert graph.matrix.nnz == np.count_nonzero(K)
    assert graph.directed == (not np.array_equal(K, K.T))
    np.testing.assert_array_equal(graph.degrees, np.count_nonzero(K, axis=1))
    np.testing.assert_array_equal(graph.strengths, K.sum(axis=1))
    np.testing.assert_array_equal(graph.laplacian().toarray(), np.diag(K.sum(axis=1)) - K)
    reference = graph.to_networkx()
    assert graph.edges == reference.number_of_edges() and reference.is_directed() == graph.directed
    back = graphs.from_networkx(reference)
    np.testing.assert_array_equal(back.matrix.toarray(), K)


@quick
@given(edge_lists)
def test_multigraphs_of_networkx_add_their_weights(case):
    n, edges, directed = case
    reference = nx.MultiDiGraph() if directed else nx.MultiGraph()
    reference.add_nodes_from(range(n))
    reference.add_weighted_edges_from(edges)
    np.testing.assert_array_equal(
        graphs.from_networkx(reference).matrix.toarray(), by_definition(edges, n, directed)
    )


@quick
@given(edge_lists)
def test_largest_component_is_that_of_networkx(case):
    n, edges, directed = case
    graph = graphs.from_edges([e[:2] for e in edges], n=n, directed=directed)
    largest = max(
        nx.connected_components(graph.to_networkx().to_undirected()), key=lambda c: (len(c), -min(c))
    )
    found = graph.with_columns(number=np.arange(n)).largest_component()
    assert list(found.labels) == sorted(largest)
    np.testing.assert_array_equal(found.nodes["number"], sorted(largest))
    np.testing.assert_array_equal(
        found.matrix.toarray(), graph.matrix.toarray()[np.ix_(sorted(largest), sorted(largest))]
    )


def test_normalizations():
    K = np.array([[0, 2.0, -4], [1, 0, 0], [0, 0, 0]])
    graph = graphs.Graph(K)
    expected = {
        "in-degree": [[0, 1, -2], [1, 0, 0], [0, 0, 0]],
        "strength": [[0, 1 / 3, -2 / 3], [1, 0, 0], [0, 0, 0]],
        "mean-degree": K,
        "n": K / 3,
    }
    for by, matrix in expected.items():
        np.testing.assert_allclose(graph.normalized(by).matrix.toarray(), matrix, rtol=1e-15)
    with pytest.raises(
        ValueError, match="by must be one of in-degree, strength, mean-degree, n; got 'degree'"
    ):
        graph.normalized("degree")


def test_columns_are_joined_by_label_or_order():
    graph = graphs.Graph(np.eye(3), labels=["7", "x", "3"])
    assert graph.with_columns(omega=[1, 2, 3]).nodes["omega"].tolist() == [1, 2, 3]
    joined = graph.with_columns(["x", 3.0, 7], omega=[1, 2, 3], field=[0.1, 0.2, 0.3])
    assert joined.nodes["omega"].tolist() == [3, 1, 2] and joined.nodes["field"].tolist() == [0.3, 0.1, 0.2]
    for by, message in {
        ("x", "7", "8"): "the node '3' is missing",
        ("x", "7", "3", "8"): "got 4 labels, with '8', which is no node",
        ("x", "7", "3", "3"): "got 4 labels, with a node twice",
    }.items():
        with pytest.raises(ValueError, match=message):
            graph.with_columns(by, omega=np.arange(float(len(by))))
    with pytest.raises(ValueError, match=r"column 'omega' must have shape \(3,\); got shape \(2,\)"):
        graph.with_columns(omega=[1, 2])
    with pytest.raises(ValueError, match="column 'omega' must be finite; got nan at index 1"):
        graph.with_columns(omega=[1, np.nan, 2])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"matrix": np.zeros((2, 3))}, r"matrix must have shape \(n, n\) with n >= 1; got shape \(2, 3\)"),
        ({"matrix": np.zeros((0, 0))}, "got shape"),
        ({"matrix": sparse.csr_array((0, 0))}, r"got shape \(0, 0\)"),
        ({"matrix": sparse.csr_array([[0, np.nan], [1, 0]])}, r"matrix must be finite; got nan at \(0, 1\)"),
        ({"matrix": np.eye(2), "labels": ["a"]}, "labels must be 2, one for each node; got 1"),
        (
            {"matrix": np.eye(2), "labels": ["a", "a"]},
            "labels must differ from each other; got 'a' more than once",
        ),
        ({"matrix": np.eye(2), "nodes": {"omega": [1.0]}}, r"column 'omega' must have shape \(2,\)"),
    ],
)
def test_bad_graphs_are_refused(parts, message):
    with pytest.raises(ValueError, match=message):
        graphs.Graph(**parts)


def test_complex_weights_and_positions_out_of_range_are_refused():
    with pytest.raises(TypeError, match="matrix must hold real numbers; got complex128"):
        graphs.Graph(sparse.csr_array([[1j]]))
    for keep in ([0, 3], [-1], [1, 1], []):
        with pytest.raises(ValueError, match="keep must be"):
            graphs.path(3).subgraph(keep)


def test_the_matrix_given_is_not_changed():
    # a duplicate that cancels
    given_matrix = sparse.csr_array(([1.0, -1.0, 2.0], [1, 1, 0], [0, 2, 3]), shape=(2, 2))
    graph = graphs.Graph(given_matrix)
    assert graph.matrix.nnz == 1 and given_matrix.nnz == 3
    assert repr(graph) == "Graph(2 nodes, 1 directed edges)"


@pytest.mark.parametrize(
    ("edges", "options", "message"),
    [
        ([(0, 5)], {"n": 3}, r"edges must join nodes from 0 to 2; got \[0, 5\] at index 0"),
        ([(0, -1)], {}, r"got \[0, -1\] at index 0"),
        ([], {}, "edges must have shape"),
        ([(0, 1, 2)], {}, "edges must have shape"),
        ([(0, 1)], {"weights": [np.nan]}, "weights must be finite; got nan at index 0"),
        ([(0, 1)], {"weights": [1.0, 2.0]}, "weights must have shape"),
    ],
)
def test_bad_edges_are_refused(edges, options, message):
    with pytest.raises(ValueError, match=message):
        graphs.from_edges(edges, **options)


def test_bad_networkx_graphs_are_refused():
    with pytest.raises(ValueError, match="graph must have nodes"):
        graphs.from_networkx(nx.Graph())
    with pytest.raises(TypeError, match="graph must be a networkx graph; got list"):
        graphs.from_networkx([(0, 1)])
    for bad in (np.nan, "2", None):
        with pytest.raises(ValueError, match=r"edge \('a', 'b'\): weight must be a finite number"):
            graphs.from_networkx(nx.Graph([("a", "b", {"weight": bad})]))


def test_tables_of_pandas():
    table = pd.DataFrame({"u": ["b", "a", "b"], "v": ["a", "a", "c"], "w": [2.0, 1.0, -3.0]})
    nodes = pd.DataFrame({"omega": [0.1, 0.2, 0.3, 0.4], "kind": list("pqrs")}, index=list("abcd"))
    graph = graphs.from_pandas(table, "u", "v", "w", nodes, directed=True)
    assert graph.labels == ("a", "b", "c", "d") and list(graph.nodes) == ["omega"]
    np.testing.assert_array_equal(
        graph.matrix.toarray(), by_definition([(1, 0, 2), (0, 0, 1), (1, 2, -3)], 4, True)
    )
    assert graphs.from_pandas(table, "u", "v").labels == ("b", "a", "c")
    assert graphs.from_pandas(pd.DataFrame({"source": [9, 2], "target": [2, 4]})).labels == (2, 4, 9)
    with pytest.raises(ValueError, match="frame must have the column 'source'; got u, v, w"):
        graphs.from_pandas(table)
    with pytest.raises(ValueError, match="got 'c' in row 2 of frame"):
        graphs.from_pandas(table, "u", "v", nodes=nodes.loc[["a", "b"]])
    with pytest.raises(ValueError, match=r"got \('a', nan\) in row 0"):
        graphs.from_pandas(pd.DataFrame({"source": ["a"], "target": [np.nan]}))
    with pytest.raises(ValueError, match="must be finite; got nan at index 0"):
        graphs.from_pandas(table.assign(w=np.nan), "u", "v", "w")
    with pytest.raises(ValueError, match="frame must have at least one edge"):
        graphs.from_pandas(table[:0], "u", "v")


# --- readers ---


def example(kind):
    """A graph of networkx with weights, columns and labels."""
    reference = kind(nx.gnp_random_graph(12, 0.3, seed=3, directed=True))
    rng = np.random.default_rng(0)
    for u, v in list(reference.edges()):
        reference[u][v]["weight"] = float(rng.normal())
    for node in reference:
        reference.nodes[node].update(omega=float(rng.normal()), bus=int(rng.integers(9)), kind="load")
    return nx.relabel_nodes(reference, {i: f'node "{i}" & more' for i in range(12)})


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph])
@pytest.mark.parametrize("suffix", ["gml", "graphml"])
def test_files_of_networkx_are_read_back(tmp_path, kind, suffix):
    reference = example(kind)
    file = tmp_path / f"example.{suffix}"
    getattr(nx, f"write_{suffix}")(reference, file)
    graph = graphs.read(file)
    assert (
        graph.name == "example"
        and list(graph.labels) == list(reference)
        and set(graph.nodes) == {"omega", "bus"}
    )
    np.testing.assert_array_equal(graph.matrix.toarray(), nx.to_numpy_array(reference).T)
    assert graph.directed == (kind is nx.DiGraph)
    for column in ("omega", "bus"):
        np.testing.assert_array_equal(
            graph.nodes[column], [reference.nodes[label][column] for label in reference]
        )
    np.testing.assert_array_equal(graphs.from_networkx(reference).matrix.toarray(), graph.matrix.toarray())
    assert graphs.read(file, weight="weight").matrix.nnz == graph.matrix.nnz
    both = graphs.read(file, directed=False).matrix.toarray()
    one = nx.to_numpy_array(reference)
    np.testing.assert_allclose(both, one + one.T if kind is nx.DiGraph else one, atol=1e-15)
    with pytest.raises(ValueError, match=r"line \d+: the edge has no 'capacity'"):
        graphs.read(file, weight="capacity")
    with pytest.raises(ValueError, match="must hold n = 13 nodes; got 12"):
        graphs.read(file, n=13)


@pytest.mark.parametrize("suffix", ["gml", "graphml"])
def test_multigraphs_are_read_back(tmp_path, suffix):
    reference = nx.MultiDiGraph()
    reference.add_weighted_edges_from([("a", "b", 1.0), ("a", "b", 2.5), ("b", "b", 4.0), ("b", "a", -1.0)])
    getattr(nx, f"write_{suffix}")(reference, tmp_path / f"multi.{suffix}")
    found = graphs.read(tmp_path / f"multi.{suffix}").matrix.toarray()
    np.testing.assert_array_equal(found, [[0, -1], [3.5, 4]])


def test_positions_become_columns(tmp_path):
    reference = nx.random_geometric_graph(15, 0.4, seed=1)
    nx.write_gml(reference, tmp_path / "geometric.gml")
    expected = np.array([reference.nodes[i]["pos"] for i in range(15)])
    for graph in (graphs.read(tmp_path / "geometric.gml"), graphs.from_networkx(reference)):
        np.testing.assert_array_equal(np.stack([graph.nodes["x"], graph.nodes["y"]], axis=1), expected)
    (tmp_path / "drawn.gml").write_text(
        "graph [ node [ id 3 graphics [ x 1.5 y -2 w 9 ] ] node [ id 1 graphics [ x 0 y 1 w 9 ] ] edge [ source 3 target 1 ] ]"
    )
    drawn = graphs.read(tmp_path / "drawn.gml")
    assert drawn.labels == (3, 1) and {k: v.tolist() for k, v in drawn.nodes.items()} == {
        "x": [1.5, 0],
        "y": [-2, 1],
    }


def test_defaults_of_graphml_hold_where_nothing_else_is_said(tmp_path):
    (tmp_path / "g.graphml").write_text(
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
        '<key id="d0" for="node" attr.name="omega" attr.type="double"><default>2.5</default></key>'
        '<key id="d1" for="edge" attr.name="weight" attr.type="double"><default>3</default></key>'
        '<graph edgedefault="directed"><node id="a"/><node id="b"><data key="d0">1</data></node>'
        '<edge source="a" target="b"/><edge source="b" target="a"><data key="d1">7</data></edge></graph></graphml>'
    )
    graph = graphs.read(tmp_path / "g.graphml")
    assert graph.nodes["omega"].tolist() == [2.5, 1] and graph.matrix.toarray().tolist() == [[0, 7], [3, 0]]


@pytest.mark.parametrize("form", ["space", "tab", "comma", "semicolon", "header", "quoted"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt", ".edges", ".edgelist"])
def test_edge_lists_of_all_forms(tmp_path, form, suffix):
    edges = [("b", "a", 2.0), ("a", "c", -0.5), ("b", "a", 1.0), ("c", "c", 4.0)]
    mark = {"space": "  ", "tab": "\t", "semicolon": " ; "}.get(form, ",")
    lines = ["# a comment", "", *(mark.join(map(str, edge)) for edge in edges), "% another"]
    if form == "header":
        lines = ["weight, Target ,Source,note", *(f"{w},{v},{u},7" for u, v, w in edges)]
    if form == "quoted":
        lines = [f'"{u}", "{v}",{w}' if k else f'"{u}","{v}",{w}' for k, (u, v, w) in enumerate(edges)]
        lines = [line.replace('", "', '","') for line in lines]
    (tmp_path / f"list{suffix}").write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    for directed in (False, True):
        graph = graphs.read(tmp_path / f"list{suffix}", directed=directed)
        expected = by_definition([("bac".index(u), "bac".index(v), w) for u, v, w in edges], 3, directed)
        np.testing.assert_array_equal(graph.matrix.toarray(), expected)
        assert graph.labels == ("b", "a", "c")


def test_edge_lists_of_numbers(tmp_path):
    file = tmp_path / "numbers.edges"
    file.write_text("7 2\n2 4\n")
    assert graphs.read(file).labels == (2, 4, 7)
    assert pairs(graphs.read(file)) == {(0, 1), (0, 2)}
    full = graphs.read(file, n=9)
    assert full.labels == range(9) and pairs(full) == {(2, 7), (2, 4)}
    with pytest.raises(ValueError, match="line 1: nodes must be whole numbers from 0 to 6; got '7'"):
        graphs.read(file, n=7)
    named = tmp_path / "named.csv"
    named.write_text("from,to,Weight\n1,2,0.25\n")
    assert graphs.read(named).strengths.tolist() == [0.25, 0.25]
    named.write_text("from,to,capacity\n1,2,0.5\n")
    assert graphs.read(named, weight="capacity").strengths.tolist() == [0.5, 0.5]
    assert graphs.read(named, weight=1).strengths.tolist() == [1, 1]
    with pytest.raises(
        ValueError, match=r"names no weight; columns of numbers: capacity. Give weight='capacity'"
    ):
        graphs.read(named)
    with pytest.raises(
        ValueError, match=r"line 1: the header must have the column 'w'; got from, to, capacity"
    ):
        graphs.read(named, weight="w")


def test_edge_lists_of_networkx_are_read_back(tmp_path):
    reference = nx.convert_node_labels_to_integers(example(nx.DiGraph))
    nx.write_weighted_edgelist(reference, tmp_path / "g.edgelist")
    found = graphs.read(tmp_path / "g.edgelist", directed=True, n=12)
    np.testing.assert_array_equal(found.matrix.toarray(), nx.to_numpy_array(reference, nodelist=range(12)).T)


def test_matrices_are_read_as_they_are(tmp_path):
    K = sparse.random_array((9, 9), density=0.3, rng=1).tocsr()
    io.mmwrite(tmp_path / "a.mtx", K, precision=17)
    sparse.save_npz(tmp_path / "a.npz", K.tocsc())
    io.mmwrite(tmp_path / "pattern.mtx", (K + K.T).tocoo(), field="pattern", symmetry="symmetric")
    for name in ("a.mtx", "a.npz"):
        graph = graphs.read(tmp_path / name)
        np.testing.assert_array_equal(graph.matrix.toarray(), K.toarray())
        with pytest.raises(ValueError, match=r"must hold a symmetric matrix if directed=False; got"):
            graphs.read(tmp_path / name, directed=False)
        with pytest.raises(ValueError, match="weight must be left out for a matrix"):
            graphs.read(tmp_path / name, weight="w")
    pattern = graphs.read(tmp_path / "pattern.mtx", directed=False)
    np.testing.assert_array_equal(pattern.matrix.toarray(), ((K + K.T) != 0).toarray())


GML = "graph [\n  directed 0\n  node [\n    id 0\n  ]\n  node [\n    id 1\n  ]\n  edge [\n    source 0\n    target 1\n  ]\n]\n"
GRAPHML = (
    '<?xml version="1.0"?>\n<graphml>\n<key id="w" for="edge" attr.name="weight" attr.type="double"/>\n'
    '<graph edgedefault="undirected">\n<node id="a"/>\n<node id="b"/>\n'
    '<edge source="a" target="b">\n<data key="w">1.5</data>\n</edge>\n</graph>\n</graphml>\n'
)
MTX = "%%MatrixMarket matrix coordinate real general\n2 2 2\n1 2 1.0\n2 1 3.0\n"
MALFORMED = {  # name: (content, change, line, words)
    "few.csv": ("a,b,1\nb,c,2\n", ("b,c,2", "b,c"), 2, "expected 3 fields"),
    "many.txt": ("# x\n\na b\nb c\n", ("b c", "b c 1"), 4, "expected 2 fields"),
    "weight.csv": ("a,b,1\nb,c,2\n", ("c,2", "c,two"), 2, "weight must be a finite number; got 'two'"),
    "nan.tsv": ("a\tb\t1\nb\tc\t2\n", ("c\t2", "c\tnan"), 2, "weight must be a finite number; got 'nan'"),
    "unnamed.csv": ("a,b,1\nb,c,2\n", ("b,c,2", ",c,2"), 2, "source and target must be named"),
    "header.csv": (
        "source,target\n1,2\n2,3\n",
        ("source", "start"),
        1,
        "a header must have the names source and target",
    ),
    "wide.edges": ("a b 1\n", ("a b 1", "a b 1 2"), 1, "expected source, target"),
    "quote.csv": ('a,b\n"c",d\n', ('"c"', '"c'), 2, "unexpected end of data"),
    "text.edgelist": ("a b\nc d\n", ("c d", "c \xe9"), 2, "must be UTF-8 text"),
    "key.gml": (GML, ("target 1", "targt 1"), 9, "edge must have one target"),
    "value.gml": (GML, ("target 1", "target x"), 11, "target must be a number, a quoted text or"),
    "end.gml": (GML, ("  ]\n]", "  ]\n"), 14, "the file ends, but the [ of line 1 is not closed"),
    "name.gml": (GML, ("source 0", "source 0 1"), 10, "expected the name of an entry; got '1'"),
    "quote.gml": (GML, ("id 1", 'label "x'), 7, "does not end"),
    "unknown.gml": (GML, ("target 1", "target 5"), 9, "the target of the edge is 5, which is no node"),
    "twice.gml": (GML, ("id 1", "id 0"), 6, "nodes must have different ids; 0 is also in line 3"),
    "weight.gml": (GML, ("target 1", "target 1 value NAN"), 9, "value must be a finite number; got nan"),
    "huge.gml": (
        GML,
        ("target 1", f"target 1 value 1{400 * '0'}"),
        9,
        "value must be a finite number; got 1000",
    ),
    "words.gml": (GML, ("target 1", 'target 1 weight "2"'), 9, "weight must be a finite number; got '2'"),
    "tag.graphml": (GRAPHML, ("</edge>", "</edg>"), 9, "not well-formed XML"),
    "end.graphml": (GRAPHML, ('target="b"', ""), 7, "<edge> must have the attribute 'target'"),
    "unknown.graphml": (
        GRAPHML,
        ('target="b"', 'target="c"'),
        7,
        "the target of the edge is 'c', which is no node",
    ),
    "type.graphml": (GRAPHML, ("1.5", "much"), 8, "weight must be of the type double; got 'much'"),
    "nan.graphml": (GRAPHML, ("1.5", "NaN"), 7, "weight must be a finite number; got nan"),
    "key.graphml": (GRAPHML, ('data key="w"', 'data key="v"'), 8, "the key 'v' is not declared"),
    "twice.graphml": (GRAPHML, ('<node id="b"', '<node id="a"'), 6, "nodes must have different ids"),
    "hyper.graphml": (GRAPHML, ('<node id="b"/>', "<hyperedge/>"), 6, "hyperedges are not read"),
    "mixed.graphml": (GRAPHML, ('target="b"', 'target="b" directed="true"'), 7, "cannot be mixed"),
    "value.mtx": (MTX, ("2 1 3.0", "2 1 x"), 4, "Invalid floating-point value"),
    "index.mtx": (MTX, ("2 1 3.0", "2 9 3.0"), 4, "a column must be from 1 to 2; got 9"),
    "nan.mtx": (MTX, ("2 1 3.0", "2 1 nan"), 4, "weight must be a finite number; got 'nan'"),
    "comment.mtx": (
        MTX.replace("\n2 2 2", "\n% missing entries are nan\n2 2 2"),
        ("2 1 3.0", "2 1 nan"),
        5,
        "weight must be a finite number; got 'nan'",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_line_is_named(tmp_path, name):
    content, (old, new), line, words = MALFORMED[name]
    assert content.count(old) == 1
    file = tmp_path / name
    file.write_text(content, encoding="latin-1")
    assert graphs.read(file).matrix.nnz > 0  # the change alone is at fault
    file.write_text(content.replace(old, new), encoding="latin-1")
    with pytest.raises(ValueError) as caught:
        graphs.read(file)
    assert str(caught.value).startswith(f"{file}, line {line}: ") and words in str(caught.value)


COORDINATES = "%%MatrixMarket matrix coordinate real general\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "must hold a graph with edges; got none"),
        ("a.csv", "source,target\n", "must hold a graph with edges; got none"),
        ("a.csv", "a,b,0\n", "must hold a graph with edges; got none"),
        ("a.gml", "", r"must hold a graph \[...\]; got nothing"),
        ("a.gml", 9999 * "graph [", "brackets are nested too deeply"),
        ("a.gml", "graph [ ]", "must hold a graph with nodes; got none"),
        ("a.gml", "graph [ node [ id 0 ] ]", "must hold a graph with edges; got none"),
        (
            "a.graphml",
            '<graphml><graph edgedefault="directed"/></graphml>',
            "must hold a graph with nodes; got none",
        ),
        ("a.graphml", "", "line 1: not well-formed XML"),
        ("a.mtx", "", "line 1: Not a Matrix Market file"),
        (
            "a.mtx",
            "%%MatrixMarket matrix coordinate real general\n2 3 1\n1 1 1\n",
            r"must have shape \(n, n\)",
        ),
        ("a.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 1\n", "Truncated file"),
        ("a.npz", "no archive", "must hold a sparse matrix saved by scipy.sparse.save_npz"),
        ("a.npz", "", "must hold a sparse matrix saved by scipy.sparse.save_npz; got another file"),
        ("a.mtx", f"{COORDINATES}{10**12} {10**12} 1\n1 1 1\n", "the header must fit the file"),
        ("a.mtx", f"{COORDINATES}3 3 {10**12}\n1 1 1\n", f"got 3 rows, 3 columns and {10**12}"),
        (
            "a.graphml",
            '<?xml version="1.0" encoding="nonsense"?><graphml/>',
            "line 1: the encoding must be a known one",
        ),
        (
            "a.graphml",
            '<graphml>\n<graph edgedefault="directed">\n<node id="a"/>\n',
            "the <graph> of line 2 is not closed",
        ),
        ("a.graphml", "<graphml>\n<gra", "the <graphml> of line 1 is not closed"),
        (
            "a.graphml",
            '<!DOCTYPE x [\n<!ENTITY a "b">]><graphml>&a;</graphml>',
            "line 2: entities cannot be .*; got 'a'",
        ),
        (
            "a.dot",
            "graph {}",
            "path must end in one of .gml, .graphml, .mtx, .npz, .csv, .tsv, .txt, .edges, .edgelist, .*, .npy, .mat; got",
        ),
    ],
)
def test_files_without_a_graph_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        graphs.read(tmp_path / name)


def test_arrays_and_indices_that_are_no_matrix_are_refused_without_advice_on_pickle(tmp_path):
    file = tmp_path / "a.npz"
    for array in (np.eye(3), np.array([{}], dtype=object)):
        np.save(tmp_path / "a.npy", array)
        (tmp_path / "a.npy").replace(file)
        with pytest.raises(ValueError, match=r"save_npz; got another file, or a damaged one$"):
            graphs.read(file)
    matrix = sparse.csr_array(np.ones((3, 3)))
    matrix.indices[4] = 7
    sparse.save_npz(file, matrix)
    with pytest.raises(ValueError, match="save_npz; got indices that do not fit it"):
        graphs.read(file)


def test_too_many_nodes_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("0,1\n")
    for call in (
        lambda: graphs.read(tmp_path / "a.csv", n=10**12),
        lambda: graphs.from_edges([(0, 1)], n=10**12),
    ):
        with pytest.raises(ValueError, match="n must be at most 100000000; got 1000000000000"):
            call()


def test_nodes_of_the_same_label_are_called_by_their_ids_with_a_warning(tmp_path):
    nodes = "".join(f'node [ id {k} label "{label}" ]\n' for k, label in ((3, "a"), (5, "b"), (8, "a")))
    (tmp_path / "a.gml").write_text(f"graph [\n{nodes}edge [ source 3 target 5 ]\n]")
    with pytest.warns(UserWarning, match="two nodes have the label 'a'"):
        assert graphs.read(tmp_path / "a.gml").labels == (3, 5, 8)


def test_missing_files_are_refused(tmp_path):
    for reader in (graphs.read, graphs.read_columns):
        with pytest.raises(
            FileNotFoundError, match=r"path must be a file; got .*none.csv', where there is none"
        ):
            reader(tmp_path / "none.csv")


def test_columns_are_read_and_malformed_ones_refused(tmp_path):
    file = tmp_path / "nodes.csv"
    file.write_text("# units: rad/s\nnode,omega,kind\nb,1e-3,load\na,-2,generator\n")
    table = graphs.read_columns(file)
    assert table["omega"].tolist() == [0.001, -2] and table["kind"].tolist() == ["load", "generator"]
    graph = graphs.Graph(np.eye(2), labels=["a", "b"]).with_columns(table["node"], omega=table["omega"])
    assert graph.nodes["omega"].tolist() == [-2, 0.001]
    for content, message in {
        "omega\n1\nx\n": "line 3: omega must be a finite number; got 'x'",
        "omega\n1\ninf\n": "line 3: omega must be a finite number; got 'inf'",
        "omega,b\n1,2\n3\n": "line 3: expected 2 fields",
        "a,a\n1,2\n": "line 1: names of columns must be different",
        "1,2\n3,4\n": "line 1: a header with the names of columns must come first",
        "omega\n": "must hold a header and at least one row; got 1 lines",
    }.items():
        file.write_text(content)
        with pytest.raises(ValueError, match=message):
            graphs.read_columns(file)


def test_what_is_canonical_is_not_made_so_again(monkeypatch):
    """A coupling takes the matrix of a graph as it is, and keeps a copy of its own."""
    rng = np.random.default_rng(0)
    graph = graphs.from_edges(rng.integers(0, 50, (300, 2)), weights=rng.normal(size=300), directed=True)
    dense, phases = graph.matrix.toarray(), rng.uniform(0, 6, 50)
    wanted = ip.PhaseModel(ip.kuramoto(), ip.Dense(dense)).velocity(phases)

    def again(*_, **__):
        raise AssertionError("sorted, summed or converted again")

    for name in ("sum_duplicates", "sort_indices", "tocoo", "eliminate_zeros"):
        monkeypatch.setattr(sparse.csr_array, name, again)
    model = ip.PhaseModel(ip.kuramoto(), ip.Sparse(graph))
    graph.matrix.data[:] = 0.0
    np.testing.assert_allclose(model.velocity(phases), wanted, rtol=0, atol=1e-13)


# --- generators: what all have in common ---


def test_all_generators_are_tested_here():
    assert set(ALL) == set(graphs.GENERATORS)


@pytest.mark.parametrize("name", ALL)
def test_generators_give_simple_undirected_graphs_that_the_seed_decides(name):
    n, options = ALL[name]
    for seed in (0, 1, 17):
        graph = graphs.generate(name, n, seed=seed, **options)
        assert graph.name == name and not graph.directed and not graph.matrix.diagonal().any()
        assert set(graph.matrix.data) == {1.0} and graph.n == (n or np.sum(options.get("sizes", 20)))
        again = graphs.generate(name, n, seed=seed, **options)
        assert pairs(graph) == pairs(again)
        assert all(np.array_equal(again.nodes[key], values) for key, values in graph.nodes.items())
    assert (pairs(graph) == pairs(graphs.generate(name, n, seed=0, **options))) == (name in SURE)


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (
            ValueError,
            {"name": "erdos"},
            "name must be one of barabasi_albert, circulant, complete, .*; got 'erdos'",
        ),
        (
            TypeError,
            {"name": "ring", "n": 5, "neighbours": 2},
            "'ring' has no option 'neighbours'; it takes neighbors",
        ),
        (TypeError, {"name": "star", "n": 5, "m": 2}, "'star' has no option 'm'; it takes none"),
        (TypeError, {"name": "regular", "n": 5}, "'regular' needs the option 'degree'"),
        (TypeError, {"name": "star"}, "'star' needs n"),
        (ValueError, {"name": "lattice", "n": 5, "shape": (3, 3)}, "n must be 9, .*; got 5"),
        (ValueError, {"name": "star", "n": 5, "seed": -1}, "seed must be an integer >= 0; got -1"),
        (ValueError, {"name": "star", "n": 0}, "n must be an integer >= 1; got 0"),
        (TypeError, {"name": "star", "n": 5.0}, "n must be an integer; got 5.0"),
        (ValueError, {"name": "ring", "n": 5, "neighbors": 3}, "at most n/2 = 2; got 3"),
        (
            ValueError,
            {"name": "circulant", "n": 5, "offsets": [1, 10]},
            "must not be multiples of n = 5; got 10",
        ),
        (TypeError, {"name": "circulant", "n": 5, "offsets": [1.5]}, "offsets must be integers"),
        (
            ValueError,
            {"name": "erdos_renyi", "n": 5},
            "give either p or mean_degree; got p=None, mean_degree=None",
        ),
        (ValueError, {"name": "erdos_renyi", "n": 5, "p": 1.5}, "p must be at most 1; got 1.5"),
        (
            ValueError,
            {"name": "erdos_renyi", "n": 5, "mean_degree": 5},
            "mean_degree must be at most n - 1 = 4; got 5",
        ),
        (ValueError, {"name": "erdos_renyi", "n": 5, "p": float("nan")}, "p must be a finite number"),
        (ValueError, {"name": "small_world", "n": 5, "rewiring": -0.1}, "rewiring must be >= 0; got -0.1"),
        (ValueError, {"name": "barabasi_albert", "n": 5, "m": 5}, "n must be larger than m = 5; got 5"),
        (ValueError, {"name": "regular", "n": 5, "degree": 3}, r"n \* degree even; got 3"),
        (ValueError, {"name": "regular", "n": 4, "degree": 4}, "degree must be below n = 4"),
        (ValueError, {"name": "random_geometric", "n": 5, "radius": 0.0}, "radius must be a positive"),
        (
            ValueError,
            {"name": "random_geometric", "n": 5, "radius": 0.5, "periodic": True},
            "radius must be below 1/2",
        ),
        (
            ValueError,
            {"name": "random_geometric", "n": 5, "radius": 0.1, "dimension": 4},
            "dimension must be 1, 2 or 3; got 4",
        ),
        (
            ValueError,
            {"name": "spatial", "n": 5, "kernel": "box"},
            "kernel must be one of exponential, gaussian or a function",
        ),
        (
            ValueError,
            {"name": "spatial", "n": 5, "degrees": [1, 2]},
            r"degrees must be >= 0, a number or of shape \(5,\)",
        ),
        (
            ValueError,
            {"name": "spatial", "n": 5, "degrees": 5},
            "no more edges than the kernel allows, 10; got 12.5",
        ),
        (ValueError, {"name": "spatial", "n": 9, "kernel": lambda r: -r}, "kernel must map distances"),
        (ValueError, {"name": "spatial", "n": 10_000}, "give reach"),
        (
            ValueError,
            {"name": "lattice", "shape": (3, 4), "periodic": [True] * 3},
            "periodic must be one value or",
        ),
        (ValueError, {"name": "lattice", "shape": ()}, "shape must have at least one axis"),
        (
            ValueError,
            {"name": "stochastic_block", "sizes": [2, 2], "probabilities": [[1, 0.5], [0.2, 1]]},
            "probabilities must be symmetric and from 0 to 1",
        ),
    ],
)
def test_bad_parameters_are_refused(error, call, message):
    with pytest.raises(error, match=message):
        graphs.generate(**call)


# --- generators without chance, against networkx ---


def same(graph, reference):
    order = sorted(reference)
    np.testing.assert_array_equal(graph.matrix.toarray(), nx.to_numpy_array(reference, nodelist=order))


@quick
@given(st.integers(2, 14), st.data())
def test_circulants_and_rings_are_those_of_networkx(n, data):
    offsets = data.draw(st.lists(st.integers(1, n - 1), min_size=1, max_size=4))
    same(graphs.circulant(n, offsets), nx.circulant_graph(n, offsets))
    neighbors = data.draw(st.integers(1, n // 2))
    same(graphs.ring(n, neighbors), nx.circulant_graph(n, range(1, neighbors + 1)))
    same(graphs.small_world(n, neighbors, 0.0), nx.circulant_graph(n, range(1, neighbors + 1)))


@quick
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.booleans())
def test_lattices_are_those_of_networkx(shape, periodic):
    closed = [periodic and length > 2 for length in shape]
    reference = nx.empty_graph(1)
    # grid_graph's own sides of length 1 and 2 have loops, so build it by products
    for k, length in enumerate(shape):
        side = nx.cycle_graph(length) if closed[k] else nx.path_graph(length)
        reference = side if k == 0 else nx.cartesian_product(reference, side)
    order = sorted(reference, key=str) if len(shape) == 1 else list(reference)
    graph = graphs.lattice(shape, closed)
    if all(closed) or not periodic:
        same(graphs.lattice(shape, periodic), nx.from_numpy_array(graph.matrix.toarray()))
    else:
        with pytest.raises(
            ValueError, match=r"a periodic axis needs at least 3 nodes; got shape\[\d\] = [12]"
        ):
            graphs.lattice(shape)
    np.testing.assert_array_equal(graph.matrix.toarray(), nx.to_numpy_array(reference, nodelist=order))
    if len(shape) <= 3:
        position = np.stack([graph.nodes[axis] for axis in "xyz"[: len(shape)]], axis=1).astype(int)
        np.testing.assert_array_equal(np.ravel_multi_index(tuple(position.T), shape), np.arange(graph.n))


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_stars_paths_and_complete_graphs_are_those_of_networkx(n):
    same(graphs.star(n), nx.star_graph(n - 1))
    same(graphs.path(n), nx.path_graph(n))
    same(graphs.complete(n), nx.complete_graph(n))


# --- random generators, against their laws ---


def test_erdos_renyi_draws_all_graphs_of_three_nodes_as_often_as_it_should():
    p, draws = 0.3, 2000
    for directed, cells in ((False, 3), (True, 6)):
        found = Counter(
            tuple(graphs.erdos_renyi(3, p=p, directed=directed, seed=s).matrix.toarray().ravel().tolist())
            for s in range(draws)
        )
        factor = 1 if directed else 2
        seen = [found[key] for key in found]
        expected = [
            draws * p ** (sum(key) / factor) * (1 - p) ** (cells - sum(key) / factor) for key in found
        ]
        assert len(found) == 2**cells
        assert stats.chisquare(seen, expected).pvalue > LEVEL


def test_erdos_renyi_has_binomial_degrees_also_for_many_nodes():
    graph = graphs.erdos_renyi(20_000, mean_degree=4.0, seed=5)
    table = np.bincount(np.minimum(graph.degrees, 12), minlength=13)
    law = stats.binom(19_999, 4.0 / 19_999)
    expected = 20_000 * np.append(law.pmf(np.arange(12)), law.sf(11))
    assert stats.chisquare(table, expected, ddof=1).pvalue > LEVEL
    halves = np.array(sorted(pairs(graph)))  # the node numbers of edges have no preference
    assert stats.kstest(np.concatenate([halves[:, 0], halves[:, 1]]) / 20_000, "uniform").pvalue > LEVEL
    assert graphs.erdos_renyi(6, p=1.0).edges == 15 and graphs.erdos_renyi(6, p=0.0).edges == 0
    assert graphs.erdos_renyi(6, p=1.0, directed=True).edges == 15 and graphs.erdos_renyi(1, p=0.5).n == 1


@pytest.mark.parametrize("n", [10, 12_345, 100_000_000])
def test_the_number_of_a_pair_is_turned_into_the_pair_exactly(n):
    from inphase.graphs.random_graphs import _triangle

    last = n * (n - 1) // 2 - 1
    rows = np.unique(np.concatenate([np.arange(1, 10), np.arange(max(n - 50, 1), n)]))
    begins = rows * (rows - 1) // 2
    for numbers, column in ((begins, 0 * rows), (begins + rows - 1, rows - 1)):
        row, found = _triangle(numbers[numbers <= last])
        np.testing.assert_array_equal(row, rows[numbers <= last])
        np.testing.assert_array_equal(found, column[numbers <= last])


def test_blocks_are_joined_as_often_as_they_should():
    sizes, table = [300, 200, 1], np.array([[0.05, 0.01, 0], [0.01, 0.1, 1], [0, 1, 0.5]])
    graph = graphs.stochastic_block(sizes, table, seed=3)
    block = graph.nodes["block"].astype(int)
    assert np.bincount(block).tolist() == sizes
    K = graph.matrix.toarray()
    for a in range(3):
        for b in range(a + 1):
            count = K[np.ix_(block == a, block == b)].sum() / (2 if a == b else 1)
            cells = sizes[a] * (sizes[a] - 1) // 2 if a == b else sizes[a] * sizes[b]
            if cells:
                assert stats.binomtest(int(count), cells, table[a, b]).pvalue > LEVEL


def test_small_worlds_move_the_share_of_edges_they_should():
    n, k, rewiring = 4000, 3, 0.2
    graph = graphs.small_world(n, k, rewiring, seed=2)
    assert graph.edges == n * k
    kept = len(pairs(graph) & pairs(graphs.ring(n, k)))
    assert stats.binomtest(n * k - kept, n * k, rewiring).pvalue > LEVEL
    moved = np.array(sorted(pairs(graph) - pairs(graphs.ring(n, k))))
    # two uniform ends
    assert stats.kstest((moved[:, 1] - moved[:, 0]) / n, stats.triang(0).cdf).pvalue > LEVEL
    assert graph.degrees.min() >= k  # a node keeps its end of its own k edges
    # Watts and Strogatz: C(p) / C(0) ≈ (1 − p)³, as nearly all triangles are those of the ring whose edges
    # all stayed.
    clustering = nx.transitivity(graph.to_networkx()) / nx.transitivity(graphs.ring(n, k).to_networkx())
    assert abs(clustering - 0.8**3) < 0.05


def test_nearly_complete_small_worlds_stay_simple():
    for n, k in ((7, 3), (6, 3), (8, 3)):
        graph = graphs.small_world(n, k, 1.0, seed=1)
        assert graph.edges == graphs.ring(n, k).edges and not graph.matrix.diagonal().any()


def test_preferential_attachment_has_its_exact_law_on_few_nodes():
    # m = 1, n = 4: node 2 joins an end of the edge 0-1; node 3 then joins the middle of that path with
    # probability 1/2.
    draws = 2000
    stars = sum(graphs.barabasi_albert(4, 1, seed=s).degrees.max() == 3 for s in range(draws))
    assert stats.binomtest(int(stars), draws, 0.5).pvalue > LEVEL


def test_preferential_attachment_has_the_degrees_of_the_literature():
    n, m = 30_000, 3
    graph = graphs.barabasi_albert(n, m, seed=4)
    assert graph.edges == m * (n - m) and graph.degrees[m + 1 :].min() == m
    assert nx.is_connected(graph.to_networkx())
    for k in (3, 4, 5, 6, 8, 10):  # P(k) = 2 m (m + 1) / (k (k + 1) (k + 2)); Bollobás et al. 2001
        p = 2 * m * (m + 1) / (k * (k + 1) * (k + 2))
        assert abs(np.mean(graph.degrees == k) - p) < 5 * np.sqrt(p / n) + 2 * m / n * 10


@pytest.mark.parametrize(
    ("n", "degree"), [(1, 0), (2, 1), (5, 4), (6, 3), (8, 5), (9, 4), (50, 7), (50, 45), (1001, 10)]
)
def test_regular_graphs_are_regular(n, degree):
    for seed in range(5):
        graph = graphs.regular(n, degree, seed=seed)
        assert (
            np.all(graph.degrees == degree)
            and not graph.matrix.diagonal().any()
            and set(graph.matrix.data) <= {1.0}
        )


def test_regular_graphs_are_uniform_where_that_can_be_counted():
    # Six labeled nodes have 60 hexagons and 10 pairs of triangles.
    draws = 1050
    found = Counter(frozenset(pairs(graphs.regular(6, 2, seed=s))) for s in range(draws))
    assert len(found) == 70 and stats.chisquare(list(found.values())).pvalue > LEVEL
    complements = Counter(frozenset(pairs(graphs.regular(6, 3, seed=s))) for s in range(draws))
    assert len(complements) == 70 and stats.chisquare(list(complements.values())).pvalue > LEVEL
    count = sum(
        sum(nx.triangles(graphs.regular(3000, 5, seed=s).to_networkx()).values()) // 3 for s in range(10)
    )
    # (degree − 1)³ / 6 triangles in the mean, for many nodes; Bollobás 2001
    law = stats.poisson(10 * 4**3 / 6)
    assert min(law.cdf(count), law.sf(count - 1)) > LEVEL


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_random_geometric_graphs_join_just_what_is_near(dimension, periodic):
    graph = graphs.random_geometric(150, 0.2, dimension, periodic, seed=8)
    points = np.stack([graph.nodes[axis] for axis in "xyz"[:dimension]], axis=1)
    assert list(graph.nodes) == list("xyz"[:dimension])
    gaps = np.abs(points[:, None] - points[None])
    if periodic:
        gaps = np.minimum(gaps, 1 - gaps)
    near = (np.linalg.norm(gaps, axis=-1) <= 0.2) & ~np.eye(150, dtype=bool)
    np.testing.assert_array_equal(graph.matrix.toarray(), near)
    assert stats.kstest(points.ravel(), "uniform").pvalue > LEVEL


def test_geometric_degrees_have_the_mean_of_a_ball():
    n, radius = 40_000, 0.02
    mean = (n - 1) * np.pi * radius**2
    graph = graphs.random_geometric(n, radius, periodic=True, seed=1)
    # pairs are uncorrelated: binomial variance
    assert abs(graph.edges - n * mean / 2) < 4.5 * np.sqrt(n * mean / 2)


def test_spatial_graphs_join_by_kernel_and_degree():
    n, scale = 1500, 0.05
    wanted = np.where(np.arange(n) % 3 == 0, 12.0, 4.0)
    graph = graphs.spatial(n, "exponential", wanted, scale, seed=6)
    points = np.stack([graph.nodes["x"], graph.nodes["y"]], axis=1)
    gaps = np.abs(points[:, None] - points[None])
    r = np.linalg.norm(np.minimum(gaps, 1 - gaps), axis=-1)[np.triu_indices(n, 1)]
    i, j = np.triu_indices(n, 1)
    weights = wanted[i] * wanted[j] * np.exp(-r / scale)
    low, high = 0.0, 1e6
    for _ in range(200):
        c = (low + high) / 2
        low, high = (low, c) if np.minimum(1, c * weights).sum() > wanted.sum() / 2 else (c, high)
    p = np.minimum(1, c * weights)
    joined = graph.matrix.toarray()[i, j]
    assert abs(joined.sum() - wanted.sum() / 2) < 4.5 * np.sqrt((p * (1 - p)).sum())
    for part in (r < scale, (r > scale) & (r < 3 * scale), r > 3 * scale, wanted[i] * wanted[j] == 144):
        assert abs(joined[part].sum() - p[part].sum()) < 4.5 * np.sqrt((p[part] * (1 - p[part])).sum())


def test_spatial_graphs_within_reach():
    def box(r):
        return (r <= 1.0).astype(float)

    graph = graphs.spatial(800, box, degrees=3, scale=0.1, reach=0.3, periodic=False, seed=2)
    points = np.stack([graph.nodes["x"], graph.nodes["y"]], axis=1)
    found = np.array(sorted(pairs(graph)))
    assert np.linalg.norm(points[found[:, 0]] - points[found[:, 1]], axis=1).max() <= 0.1
    assert abs(graph.edges - 1200) < 4.5 * np.sqrt(1200)
    near = graphs.random_geometric(800, 0.1, seed=2)
    everything = graphs.spatial(
        800, box, degrees=2 * near.edges / 800, scale=0.1, reach=0.3, periodic=False, seed=2
    )
    assert pairs(everything) == pairs(near)  # p = 1 for all pairs the kernel allows
    with pytest.raises(ValueError, match="no more edges than the kernel allows"):
        graphs.spatial(800, box, degrees=100, scale=0.1, reach=0.3, periodic=False)
    assert graphs.spatial(50, degrees=0.0).edges == 0


@pytest.mark.long
def test_a_million_nodes():
    n = 1_000_000
    assert abs(graphs.erdos_renyi(n, mean_degree=10, seed=1).edges - 5e6) < 4.5 * np.sqrt(5e6)
    assert graphs.small_world(n, 5, 0.1, seed=1).edges == 5 * n
    assert np.all(graphs.regular(n, 6, seed=1).degrees == 6)
    assert graphs.barabasi_albert(n, 2, seed=1).edges == 2 * (n - 2)
    assert graphs.random_geometric(n, 0.0015, seed=1).n == n


# --- data sets ---


def shared(name):
    file = SHARED / f"{name}.gml"
    if not file.is_file():
        pytest.skip(f"the data file {file.name} is not here")
    return file


def test_the_power_grid(monkeypatch):
    file = shared("us_power_grid")
    monkeypatch.setenv("INPHASE_DATA", str(file.parent))
    graph = graphs.dataset("us_power_grid")
    assert (graph.n, graph.edges, graph.directed, graph.largest_component().n) == (4941, 6594, False, 4941)
    assert (
        list(graph.labels) == [str(k) for k in range(4941)]
        and set(graph.matrix.data) == {1.0}
        and not graph.nodes
    )
    lines = re.findall(r"source (\d+)\s+target (\d+)", file.read_text())
    assert len(lines) == 6594 and pairs(graph) == {tuple(sorted((int(u), int(v)))) for u, v in lines}
    assert abs(nx.average_clustering(graph.to_networkx()) - 0.080) < 5e-4  # Watts and Strogatz 1998, table 1


def test_the_worm(monkeypatch):
    file = shared("c_elegans_neural")
    monkeypatch.setenv("INPHASE_DATA", str(file.parent))
    graph = graphs.dataset("c_elegans_neural")
    reference = nx.read_gml(file)
    expected = np.zeros((297, 297))
    position = {label: i for i, label in enumerate(reference)}
    for u, v, data in reference.edges(data=True):
        expected[position[v], position[u]] += data["value"]
    np.testing.assert_array_equal(graph.matrix.toarray(), expected)
    assert (graph.n, graph.edges, graph.directed, graph.name) == (297, 2345, True, "c_elegans_neural")


@pytest.fixture
def page(tmp_path):
    """A web page with the worm's archive on it, and its address."""
    with zipfile.ZipFile(tmp_path / "worm.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(shared("c_elegans_neural"), "celegansneural.gml")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("celegansneural.gml", "graph [ ]")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def address(monkeypatch, tmp_path):
    """Set where the worm comes from, with an empty cache."""
    monkeypatch.setenv("INPHASE_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(
        urllib.request, "_opener", urllib.request.build_opener(urllib.request.ProxyHandler({}))
    )
    source = graphs.DATASETS["c_elegans_neural"]
    return lambda url: monkeypatch.setitem(graphs.DATASETS, "c_elegans_neural", replace(source, url=url))


def test_data_are_downloaded_once_and_checked(tmp_path, page, address):
    address(f"{page}/worm.zip")
    assert graphs.dataset("c_elegans_neural").edges == 2345
    assert (tmp_path / "cache" / "c_elegans_neural.gml").read_bytes() == shared(
        "c_elegans_neural"
    ).read_bytes()
    address(f"{page}/nothing.zip")
    assert graphs.dataset("c_elegans_neural").edges == 2345
    (tmp_path / "cache" / "c_elegans_neural.gml").write_text(GML)
    with pytest.raises(
        ValueError, match=r"c_elegans_neural.gml must hold the known celegansneural.gml, SHA-256 4b91.*; got"
    ):
        graphs.dataset("c_elegans_neural")


def test_a_wrong_download_is_not_kept(tmp_path, page, address):
    address(f"{page}/other.zip")
    with pytest.raises(ValueError, match=r"other.zip must hold the known celegansneural.gml"):
        graphs.dataset("c_elegans_neural")
    address(f"{page}/nothing.zip")
    with pytest.raises(OSError, match=r"nothing.zip cannot be downloaded \(HTTP Error 404"):
        graphs.dataset("c_elegans_neural")
    assert not (tmp_path / "cache").exists()


def test_offline_the_message_says_where_to_put_the_file(tmp_path, address):
    address("http://127.0.0.1:9/celegansneural.zip")  # the discard port: nobody answers
    with pytest.raises(OSError) as caught:
        graphs.dataset("c_elegans_neural")
    assert "http://127.0.0.1:9/celegansneural.zip cannot be downloaded" in str(caught.value)
    assert f"put its celegansneural.gml at {tmp_path / 'cache' / 'c_elegans_neural.gml'}" in str(caught.value)
    with pytest.raises(ValueError, match="name must be one of us_power_grid, c_elegans_neural; got 'karate'"):
        graphs.dataset("karate")
