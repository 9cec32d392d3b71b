"""Files as other tools and hurried people write them: the right reading, what is said of it, and what is refused.

Each file of data/doors has once been read as something else without a word.
"""

import bz2
import gzip
import json
import warnings
from pathlib import Path

import h5py
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import io, sparse

import inphase as ip
from inphase import checks, config, graphs
from inphase.cli import main
from inphase.graphs import join, read

DOORS = Path(__file__).parent / "data" / "doors"


def written(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return path


def weights(graph):
    """{(listener, source): K}, by labels."""
    found = graph.matrix.tocoo()
    labels = graph.labels
    return {(labels[i], labels[j]): k for i, j, k in zip(found.row, found.col, found.data.tolist())}


def both(edges):
    """The entries of undirected edges {(a, b): weight}."""
    return {pair: w for (a, b), w in edges.items() for pair in ((a, b), (b, a))}


# ------------------------------------------------------------------------------------------- the small files

RIGHT = {  # name of the file: entries of K, and words that the source must say
    "gephi_directed.csv": ({("b", "a"): 2, ("c", "b"): 1}, "directed, weights from Weight"),
    "decimal_commas.csv": (both({("a", "b"): 1.5, ("b", "c"): 2.5}), "weights from the third column"),
    "konect_asym.txt": ({(2, 1): 5, (3, 2): 7}, "KONECT edge list, directed"),
    "years_not_weights.csv": (both({(0, 1): 1, (1, 2): 1}), "weights 1, nodes ascending; not used: year"),
    "both_directions.txt": (both({(3466, 937): 1, (937, 5233): 1}), "in both directions and is read once"),
    "capital_weight.graphml": (both({("a", "b"): 2.5}), "weights from Weight"),
    "names_igraph.graphml": (both({("Thal", "V1"): 1}), "weights 1"),
    "defaults.graphml": (both({("a", "b"): 1.5, ("b", "c"): 2}), "weights from weight"),
    "blank_number.graphml": (both({("a", "b"): 1}), "weights 1"),
    "networkx_default.edgelist": (
        both({(0, 1): 1, (1, 2): 1}),
        "edge list of networkx, undirected, weights 1",
    ),
    "edges_by_name.csv": (both({("c", "a"): 1, ("a", "b"): 1}), "nodes in order of appearance"),
    "triangle_with_gaps.edges": (both({(5, 6): 1, (6, 7): 1, (7, 5): 1}), "nodes ascending"),
    "one_odd_name.csv": (
        both({("3", "2"): 1, ("2", "1"): 1, ("1", "0"): 1, ("0", "4"): 1, ("4", "03"): 1}),
        "nodes in order of appearance; '03' is no whole number",
    ),
}
REFUSED = {
    "nodes_not_edges.csv": (
        "line 1: a header must have the names source and target",
        "columns=(source, target)",
    ),
    "nodes_gephi.csv": ("line 1: a header must have the names source and target", "got Id, Label, omega"),
    "strength_header.csv": (
        "line 1: the header names no weight; columns of numbers: strength",
        "weight='strength'",
    ),
    "matrix_3x3.txt": ("3 lines of 3 numbers look like a matrix", 'kind="matrix"'),
    "two_sizes.mtx": ("line 2: expected the sizes as whole numbers, rows columns entries; got '3 2'",),
    "nan_after_comment.mtx": ("line 5: weight must be a finite number; got 'nan'",),
}


@pytest.mark.parametrize("name", RIGHT)
def test_small_files_are_read_as_they_are_meant(name):
    entries, words = RIGHT[name]
    graph = read(DOORS / name)
    assert weights(graph) == entries
    assert str(graph.source).startswith(f"{name}: ") and words in str(graph.source)


@pytest.mark.parametrize("name", REFUSED)
def test_small_files_that_are_doubtful_are_refused(name):
    with pytest.raises(ValueError) as caught:
        read(DOORS / name)
    for words in (str(DOORS / name), *REFUSED[name]):
        assert words in str(caught.value)


def test_remedies_that_messages_name_work():
    assert read(DOORS / "strength_header.csv", weight="strength").strengths.tolist() == [5, 12, 7]
    assert read(DOORS / "strength_header.csv", weight=1).strengths.tolist() == [1, 2, 1]
    assert read(DOORS / "matrix_3x3.txt", kind="matrix").matrix.toarray().tolist() == [
        [0, 1, 0],
        [1, 0, 1],
        [0, 1, 0],
    ]
    twice = read(DOORS / "both_directions.txt", duplicates="sum")
    assert set(twice.matrix.data) == {2.0} and "2 repeated edges were added up" in str(twice.source)
    assert set(read(DOORS / "both_directions.txt", directed=True).matrix.data) == {1.0}


# ------------------------------------------------------------------------------------------------ edge lists


@pytest.mark.parametrize(
    "header",
    ["Source,Target", "from,to", "u,v", "src,dst", "node_1,node_2", "FromNodeId,ToNodeId", "from_bus,to_bus"],
)
@pytest.mark.parametrize("comment", ["", "# "])
def test_headers_name_source_and_target_in_many_words(tmp_path, header, comment):
    graph = read(written(tmp_path, "a.csv", f"{comment}{header},weight\na,b,2\nb,c,3\n"), directed=True)
    assert weights(graph) == {("b", "a"): 2, ("c", "b"): 3}


@pytest.mark.parametrize("header", ["Id,Label", "name,node", "label,value", "edge,weight"])
def test_other_headers_are_no_edge_between_nodes_that_nobody_has(tmp_path, header):
    path = written(tmp_path, "a.csv", f"{header}\na,b\nb,c\n")
    with pytest.raises(ValueError, match="line 1: a header must have the names source and target"):
        read(path)
    assert weights(read(path, columns=header.split(","))) == both({("a", "b"): 1, ("b", "c"): 1})


def test_columns_are_chosen_by_name_or_number(tmp_path):
    path = written(tmp_path, "a.csv", "w,here,there\n2,a,b\n3,b,c\n")
    entries = {("b", "a"): 2, ("c", "b"): 3}
    assert weights(read(path, columns=("here", "there"), weight="w", directed=True)) == entries
    assert weights(read(path, columns=(1, 2), weight="w", directed=True)) == entries
    with pytest.raises(ValueError, match=r"columns of numbers: w. Give weight='w'"):
        read(path, columns=("here", "there"))
    with pytest.raises(ValueError, match="columns must be two of w, here, there; got 'nowhere'"):
        read(path, columns=("here", "nowhere"))
    with pytest.raises(ValueError, match="columns are for edge lists"):
        read(DOORS / "two_graphs.graphml", columns=("a", "b"))


def test_mixed_types_of_edges_are_refused_with_the_line(tmp_path):
    path = written(tmp_path, "a.csv", "Source,Target,Type\na,b,Directed\nb,c,Undirected\n")
    with pytest.raises(ValueError, match="line 3: directed and undirected edges cannot be mixed"):
        read(path)
    text = "Source,Target,Type\na,b,undirected\nb,c,Undirected\n"
    assert not read(written(tmp_path, "b.csv", text)).directed
    kinds = read(written(tmp_path, "c.csv", "source,target,type\na,b,excitatory\nb,c,inhibitory\n"))
    assert not kinds.directed and "not used: type" in str(kinds.source)


@pytest.mark.parametrize(
    "text", ["0 1 0 0\n1 0 1 0\n0 1 0 1\n0 0 1 0\n", "0,.5,1\n.5,0,1\n1,1,0\n", "0 1 0\n0 0 1\n1 0 0\n"]
)
def test_matrices_as_text_are_no_edges(tmp_path, text):
    path = written(tmp_path, "a.txt", text)
    with pytest.raises(ValueError, match='look like a matrix, not like edges; kind="matrix" reads it'):
        read(path)
    expected = np.loadtxt(path, delimiter="," if "," in text else None)
    np.testing.assert_array_equal(read(path, kind="matrix").matrix.toarray(), expected)


def test_a_triangle_with_weights_is_no_matrix(tmp_path):
    graph = read(written(tmp_path, "a.txt", "0 1 1\n1 2 5\n2 0 3\n"))
    assert weights(graph) == both({(0, 1): 1, (1, 2): 5, (2, 0): 3})


def test_konect_says_how_its_edges_are_meant(tmp_path):
    bipartite = read(written(tmp_path, "out.txt", "% bip posweighted\n% 3 2 2\n1 1 2\n1 2 3\n2 2 1\n"))
    pairs = {("left 1", "right 1"): 2, ("left 1", "right 2"): 3, ("left 2", "right 2"): 1}
    assert weights(bipartite) == both(pairs)
    assert bipartite.nodes["side"].tolist() == [0, 0, 1, 1] and "bipartite" in str(bipartite.source)
    times = read(written(tmp_path, "out2.txt", "% sym weighted\n1 2 0.5 1082040961\n2 3 1 1082040962\n"))
    assert weights(times) == both({(1, 2): 0.5, (2, 3): 1}) and "not used: column 3" in str(times.source)


def test_edges_in_both_directions_count_twice_only_where_they_differ(tmp_path):
    assert weights(read(written(tmp_path, "a.txt", "a b 2\nb a 2\nb c 3\nc b 3\n"))) == both(
        {("a", "b"): 2, ("b", "c"): 3}
    )
    unequal = read(written(tmp_path, "b.txt", "a b 2\nb a 1\nb c 3\nc b 3\n"))
    assert weights(unequal) == both({("a", "b"): 3, ("b", "c"): 6}) and "2 repeated edges" in str(
        unequal.source
    )
    some = read(written(tmp_path, "c.txt", "a b\nb a\nb c\n"))
    assert weights(some) == both({("a", "b"): 2, ("b", "c"): 1}) and "1 repeated edge was added up" in str(
        some.source
    )
    loops = read(written(tmp_path, "d.txt", "a b\nb a\na a\n"))
    assert weights(loops) == both({("a", "b"): 1}) | {("a", "a"): 1}
    gml = "graph [ node [ id 0 ] node [ id 1 ] edge [ source 0 target 1 ] edge [ source 1 target 0 ] ]"
    assert weights(read(written(tmp_path, "e.gml", gml))) == both({(0, 1): 1})


def test_both_triangles_of_a_symmetric_matrix_are_read_once(tmp_path):
    text = "%%MatrixMarket matrix coordinate real symmetric\n3 3 5\n1 2 2\n2 1 2\n2 3 5\n3 2 5\n1 1 7\n"
    graph = read(written(tmp_path, "a.mtx", text))
    assert graph.matrix.toarray().tolist() == [[7, 2, 0], [2, 0, 5], [0, 5, 0]]
    assert "both triangles" in str(graph.source)
    summed = read(tmp_path / "a.mtx", duplicates="sum").matrix.toarray()
    np.testing.assert_array_equal(summed, io.mmread(tmp_path / "a.mtx").toarray())
    matrix = sparse.random_array((20, 20), density=0.2, rng=0)
    io.mmwrite(tmp_path / "b.mtx", matrix + matrix.T, symmetry="symmetric", precision=17)
    np.testing.assert_array_equal(read(tmp_path / "b.mtx").matrix.toarray(), (matrix + matrix.T).toarray())


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.mtx", "%%MatrixMarket matrix coordinate real general\n1 2 1.0\n", "line 2: expected the sizes"),
        ("a.mtx", "%%MatrixMarket matrix coordinate real general\n% x\n", "line 3: expected the sizes"),
        ("a.mtx", "%%MatrixMarket matrix coordinate real general\n3 3 3\n1 2 1\n2 3 1\n", "line 4: Truncated file: it ends"),
        ("a.mtx", "%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n", "line 5: Truncated file: it ends after 3"),
        ("a.txt", "a b # note\nb c # note\n", "line 1: a comment must stand in a line of its own"),
        ("a.txt", "0 1 {'weight': 'x'}\n", "line 1: weight must be a finite number; got 'x'"),
        ("a.txt", "0 1 {}\n1 2\n", "line 2: expected source, target and {...}"),
        ("a.csv", "a,b,c\n1,2,3\n", "line 1: a header must have the names source and target"),
    ],
)  # fmt: skip
def test_what_is_at_fault_is_named(tmp_path, name, text, words):
    path = written(tmp_path, name, text)
    with pytest.raises(ValueError) as caught:
        read(path)
    assert f"{path}, {words}" in str(caught.value)


def test_edge_lists_of_networkx_keep_their_weights(tmp_path):
    reference = nx.gnp_random_graph(9, 0.4, seed=2, directed=True)
    for k, (u, v) in enumerate(reference.edges):
        reference[u][v]["weight"] = k / 2 + 1
    nx.write_edgelist(reference, tmp_path / "a.edgelist")
    graph = read(tmp_path / "a.edgelist", directed=True)
    assert weights(graph) == {(v, u): w for u, v, w in reference.edges(data="weight")}


# --------------------------------------------------------------------------------------------- GML and GraphML


def test_the_first_of_two_graphs_is_read_with_a_warning(tmp_path):
    with pytest.warns(UserWarning, match="holds 2 graphs, of which the first is read"):
        assert weights(read(DOORS / "two_graphs.graphml")) == both({("a", "b"): 1})
    one = "graph [ node [ id 0 ] node [ id 1 ] edge [ source 0 target 1 ] ]\n"
    with pytest.warns(UserWarning, match="holds 2 graphs"):
        assert read(written(tmp_path, "a.gml", one + one.replace("id 1", "id 5"))).labels == (0, 1)


YED = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:y="http://www.yworks.com/xml/graphml">
<key for="node" id="d6" yfiles.type="nodegraphics"/><key for="edge" id="d9" attr.name="weight" attr.type="double"/>
<graph edgedefault="undirected" id="G">
<node id="n0" yfiles.foldertype="group"><data key="d6"><y:ShapeNode><y:NodeLabel>Group</y:NodeLabel></y:ShapeNode></data>
<graph edgedefault="undirected" id="n0:"><node id="n0::n0"><data key="d6"><y:ShapeNode>
<y:NodeLabel alignment="center">Thalamus<y:LabelModel/></y:NodeLabel></y:ShapeNode></data></node></graph></node>
<node id="n1"><data key="d6"><y:ShapeNode><y:NodeLabel>Cortex</y:NodeLabel></y:ShapeNode></data></node>
<edge id="e0" source="n0::n0" target="n1"><data key="d9">2.0</data></edge></graph></graphml>"""


def test_groups_of_yed_are_no_nodes_and_its_labels_are_names(tmp_path):
    graph = read(written(tmp_path, "yed.graphml", YED))
    assert weights(graph) == both({("Thalamus", "Cortex"): 2})
    assert "1 group was left out" in str(graph.source)
    with pytest.raises(ValueError, match="line 8: the edge joins 'n0', which is a group"):
        read(written(tmp_path, "bad.graphml", YED.replace('source="n0::n0"', 'source="n0"')))


def test_names_in_gml_are_labels(tmp_path):
    text = 'graph [ node [ id 0 name "V1" ] node [ id 1 name "V2" ] edge [ source 0 target 1 Weight 3 ] ]'
    assert weights(read(written(tmp_path, "a.gml", text))) == both({("V1", "V2"): 3})
    assert read(written(tmp_path, "b.gml", text.replace(' name "V2"', ""))).labels == (0, 1)


def test_value_counts_where_weight_is_missing(tmp_path):
    edges = (
        "edge [ source 0 target 1 weight 2 ] edge [ source 1 target 2 value 3 ] edge [ source 2 target 0 ]"
    )
    graph = read(written(tmp_path, "a.gml", f"graph [ node [ id 0 ] node [ id 1 ] node [ id 2 ] {edges} ]"))
    assert weights(graph) == both({(0, 1): 2, (1, 2): 3, (2, 0): 1})
    assert "1 edge without weight or value read as 1" in str(graph.source)


def test_numbers_of_edges_that_are_no_weight_are_never_passed_over_in_silence(tmp_path):
    text = "graph [ node [ id 0 ] node [ id 1 ] edge [ source 0 target 1 capacity 3.5 ] ]"
    path = written(tmp_path, "a.gml", text)
    with pytest.warns(UserWarning, match="all weights are 1; the edges have the numbers capacity"):
        assert weights(read(path)) == both({(0, 1): 1})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert weights(read(path, weight="capacity")) == both({(0, 1): 3.5})
        assert weights(read(path, weight=1)) == both({(0, 1): 1})


def test_defaults_hold_through_networkx():
    graph = graphs.from_networkx(nx.read_graphml(DOORS / "defaults.graphml"))
    assert weights(graph) == both({("a", "b"): 1.5, ("b", "c"): 2}) and graph.nodes["omega"].tolist() == [
        0.25,
        1,
        0.25,
    ]


def test_whole_numbers_with_a_point_are_whole(tmp_path):
    text = (DOORS / "blank_number.graphml").read_text().replace("double", "int")
    graph = read(written(tmp_path, "a.graphml", text.replace("> <", ">3.0<")))
    assert graph.nodes["omega"].tolist() == [3, 1]
    with pytest.raises(ValueError, match=r"line 1: omega must be of the type int; got '3.5'"):
        read(written(tmp_path, "b.graphml", text.replace("> <", ">3.5<")))


def test_edges_of_weight_zero_are_dropped_with_a_warning(tmp_path):
    reference = nx.Graph([("a", "b", {"weight": 0.0}), ("b", "c", {"weight": 2.0})])
    with pytest.warns(UserWarning, match="the networkx graph: 1 edge was dropped"):
        assert weights(graphs.from_networkx(reference)) == both({("b", "c"): 2})
    with pytest.warns(UserWarning, match=r"a\.csv: 2 edges were dropped"):
        graph = read(written(tmp_path, "a.csv", "a,b,0\nb,c,2\nc,d,-0.0\n"))
    assert graph.n == 4 and "2 edges were dropped, of weight 0" in str(graph.source)


def test_transformers_of_pandapower_are_dropped_with_a_warning():
    topology = pytest.importorskip("pandapower.topology")
    networks = pytest.importorskip("pandapower.networks")
    reference = topology.create_nxgraph(networks.example_simple(), include_impedances=False)
    zeros = sum(data["weight"] == 0 for *_, data in reference.edges(data=True))
    assert zeros > 0
    with pytest.warns(UserWarning, match=f"the networkx graph: {zeros} edges? w"):
        graph = graphs.from_networkx(reference)
    assert graph.n == len(reference)


# ---------------------------------------------------------------------------------------------- node tables


def test_gephis_node_table_is_joined_by_its_ids(tmp_path, capsys):
    graph = join(read(DOORS / "edges_by_name.csv"), DOORS / "nodes_gephi.csv")
    assert dict(zip(graph.labels, graph.nodes["omega"])) == {"a": 10, "b": 20, "c": 30}
    assert "omega of nodes_gephi.csv joined by Id" in str(graph.source)
    words = ["simulate", "kuramoto", "--graph", str(DOORS / "edges_by_name.csv"), "--t-end", "0.1"]
    words += ["--frequencies", f"{DOORS / 'nodes_gephi.csv'}:omega", "--out", str(tmp_path / "out")]
    assert main(words) == 0
    assert "frequencies: omega of nodes_gephi.csv joined by Id" in capsys.readouterr().out


@pytest.mark.parametrize("key", ["id", "ID", "Node", "label", "Name", "bus"])
def test_names_are_found_under_any_of_their_names(tmp_path, key):
    table = written(tmp_path, "nodes.csv", f"omega,{key}\n10,a\n20,b\n30,c\n")
    assert join(read(DOORS / "edges_by_name.csv"), table, "omega").nodes["omega"].tolist() == [30, 10, 20]


def test_tables_that_fit_no_node_are_refused_unless_rows_are_asked_for(tmp_path):
    graph = read(DOORS / "edges_by_name.csv")
    strangers = written(tmp_path, "a.csv", "id,omega\nx,10\ny,20\nz,30\n")
    with pytest.raises(
        ValueError, match=r"a\.csv: by must name every node; the node 'c' is missing.* by='row'"
    ):
        join(graph, strangers)
    assert join(graph, strangers, by="row").nodes["omega"].tolist() == [10, 20, 30]
    nameless = written(tmp_path, "b.csv", "omega\n10\n20\n30\n")
    with pytest.raises(ValueError, match=r"must name the nodes, in a column id, since .* edges name them"):
        join(graph, nameless)
    assert join(graph, nameless, by="row").nodes["omega"].tolist() == [10, 20, 30]
    np.save(tmp_path / "c.npy", [10.0, 20, 30])
    with pytest.raises(ValueError, match="must name the nodes"):
        join(graph, tmp_path / "c.npy")
    plain = read(DOORS / "triangle_with_gaps.edges")
    assert join(plain, nameless).nodes["omega"].tolist() == [10, 20, 30]
    with pytest.raises(ValueError, match="the column bus may name the nodes: by='bus' joins by it"):
        join(plain, written(tmp_path, "d.csv", "bus,omega\n7,10\n5,20\n6,30\n"), "omega")


def test_a_column_that_one_node_lacks_is_named_with_the_node(tmp_path):
    for name, words in {
        "one_node_without_omega.gml": "the node 1 has none",
        "blank_number.graphml": "the node 'a' has ''",
    }.items():
        graph = read(DOORS / name)
        assert "omega" not in graph.nodes and words in graph.source.lacking["omega"]
        found = config.checked_config(
            {
                "interaction": {"name": "kuramoto"},
                "coupling": {"kind": "graph", "file": str(DOORS / name)},
                "model": {"frequencies": "omega"},
            },
            "test",
        )
        with pytest.raises(ValueError, match=f"the graph has no column 'omega': {words}"):
            found.build()


def test_decimal_commas_of_node_tables(tmp_path):
    graph = join(graphs.path(3), DOORS / "omega_decimal_commas.csv")
    assert graph.nodes["omega"].tolist() == [-1.5, 0.25, 0.75]


def test_how_a_graph_was_read_stays_with_it_and_is_printed(tmp_path, capsys):
    graph = read(DOORS / "gephi_directed.csv")
    for kept in (graph.normalized("n"), graph.with_columns(omega=[1, 2, 3]), graph.subgraph([2, 1, 0])):
        assert kept.source == graph.source
    assert "2 of 3 nodes kept" in str(graph.subgraph([0, 1]).source)
    assert dict(ip.Sparse(graph).about())["graph"] == str(graph.source)
    line = str(read(DOORS / "triangle_with_gaps.edges").source)
    file = ["--graph", str(DOORS / "triangle_with_gaps.edges")]
    for words in (
        ["study", "kuramoto", *file, "--t-end", "1", "--proof-time", "0", "--out", str(tmp_path / "study")],
        ["equilibria", "kuramoto", *file, "--starts", "2", "--out", str(tmp_path / "equilibria")],
        ["certify", file[1]],
    ):
        assert main(words) == 0
        assert line in " ".join(capsys.readouterr().out.split())
    assert line in (tmp_path / "study" / "report.html").read_text(encoding="utf-8")


def test_options_of_the_command_line_decide(tmp_path, capsys):
    run = ["simulate", "kuramoto", "--t-end", "0.1", "--json", "--out", str(tmp_path / "out"), "--graph"]
    assert main([*run, str(DOORS / "strength_header.csv"), "--weight", "1"]) == 0
    assert "weights 1," in capsys.readouterr().out
    assert main([*run, str(DOORS / "nodes_not_edges.csv"), "--columns", "Id", "Label"]) == 0
    assert main([*run, str(DOORS / "matrix_3x3.txt"), "--kind", "matrix"]) == 0
    table = written(tmp_path, "nodes.csv", "omega\n1\n2\n3\n")
    words = [*run, str(DOORS / "edges_by_name.csv"), "--frequencies", str(table)]
    capsys.readouterr()
    assert main(words) == 2 and "by='row'" in capsys.readouterr().err
    assert main([*words, "--by", "row"]) == 0


# ------------------------------------------------------------------------------------------- arrays and matrices

HIDDEN = np.ma.masked_array([0.0, 99.0, 0.0], mask=[False, True, False])


@pytest.mark.parametrize(
    "call",
    [
        lambda: ip.PhaseModel(ip.kuramoto(), ip.AllToAll(), frequencies=HIDDEN),
        lambda: ip.PhaseModel(ip.kuramoto(), ip.AllToAll(), delays=HIDDEN),
        lambda: ip.PhaseModel(ip.kuramoto(), ip.AllToAll()).velocity(HIDDEN),
        lambda: ip.simulate(ip.PhaseModel(ip.kuramoto(), ip.AllToAll()), HIDDEN, 1.0),
        lambda: ip.study(ip.PhaseModel(ip.kuramoto(), ip.AllToAll()), phases=HIDDEN),
        lambda: ip.order_parameter(HIDDEN),
        lambda: ip.order_parameter([HIDDEN, HIDDEN]),
        lambda: ip.Dense(np.ma.masked_array(np.ones((2, 2)), mask=np.eye(2))),
        lambda: ip.Dense(np.ma.masked_array(np.ones((2, 2), dtype=bool), mask=np.eye(2))),
        lambda: ip.Sparse(np.ma.masked_array(np.ones((2, 2)), mask=np.eye(2))),
        lambda: ip.AllToAll(HIDDEN),
        lambda: ip.Hypergraph(np.ma.masked_array([[0, 1, 2]], mask=[[0, 0, 1]])),
        lambda: graphs.Graph(np.ma.masked_array(np.ones((2, 2)), mask=np.eye(2))),
        lambda: graphs.from_edges(np.ma.masked_array([[0, 1], [1, 2]], mask=[[0, 0], [0, 1]])),
        lambda: graphs.from_edges([[0, 1], [1, 2], [2, 0]], weights=HIDDEN),
        lambda: graphs.path(3).with_columns(omega=HIDDEN),
        lambda: ip.certify.synchronization(np.ma.masked_array(np.ones((3, 3)) - np.eye(3), mask=np.eye(3))),
        lambda: checks.finite_number("x", np.ma.masked),
    ],
)
def test_masked_entries_are_refused(call):
    with pytest.raises(ValueError, match="must have no masked entries"):
        call()


def test_a_mask_that_hides_nothing_is_none():
    shown = np.ma.masked_array([0.5, 1.0, 0.0], mask=False)
    assert ip.PhaseModel(ip.kuramoto(), ip.AllToAll(), frequencies=shown).frequencies.tolist() == [0.5, 1, 0]


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.csr_matrix, sparse.coo_array])
@pytest.mark.parametrize(
    "door",
    [
        lambda a: graphs.Graph(a).matrix.toarray().tolist(),
        lambda a: ip.Sparse(a).matrix(3).tolist(),
        lambda a: ip.Dense(a if isinstance(a, np.ndarray) else a.toarray()).matrix(3).tolist(),
        lambda a: ip.Lagged(a if isinstance(a, np.ndarray) else a.toarray(), 0.1).array.tolist(),
        lambda a: ip.certify.synchronization(a).verdict,
        lambda a: ip.theory.critical_coupling_bounds(a, [-1.0, 0.5, 0.5]),
        lambda a: ip.theory.master_stability(ip.kuramoto(), a).tolist(),
    ],
)
def test_adjacency_matrices_may_be_true_and_false(form, door):
    adjacency = ~np.eye(3, dtype=bool)
    assert door(form(adjacency)) == door(form(adjacency.astype(float)))


def test_weights_of_xgi_count():
    xgi = pytest.importorskip("xgi")
    hypergraph = xgi.Hypergraph()
    hypergraph.add_edge([0, 1, 2], weight=2.5)
    hypergraph.add_edge([1, 2, 3])
    hypergraph.add_edge([0, 3], weight=9.0)
    assert ip.Hypergraph(hypergraph).weights.tolist() == [2.5, 1.0]
    assert ip.Hypergraph(hypergraph, weights=1.0).weights.tolist() == [1.0, 1.0]


# ------------------------------------------------------------------------------------------------- more formats


def test_dense_matrices_are_read_from_all_that_hold_them(tmp_path):
    K = np.array([[0, 1.5, 0], [2, 0, 0.25], [0, -1, 0]])
    np.save(tmp_path / "a.npy", K)
    io.savemat(tmp_path / "b.mat", {"C": K, "names": np.array(["x", "y", "z"]), "row": np.arange(3.0)})
    with h5py.File(tmp_path / "c.mat", "w") as opened:  # version 7.3 is HDF5, columns first
        opened["C"] = K.T
    np.savetxt(tmp_path / "d.txt", K)
    pd.DataFrame(K, index=list("xyz"), columns=list("xyz")).to_csv(tmp_path / "e.csv")
    pd.DataFrame(K, columns=list("xyz")).to_csv(tmp_path / "f.csv", index=False)
    np.savez(tmp_path / "g.npz", weights=K, centres=np.ones((3, 2)))
    for name in ("a.npy", "b.mat", "c.mat", "d.txt", "e.csv", "f.csv", "g.npz"):
        graph = read(tmp_path / name, kind=None if name[-3:] in ("npy", "mat") else "matrix")
        np.testing.assert_array_equal(graph.matrix.toarray(), K)
        assert list(graph.labels) == (list("xyz") if name.endswith("csv") else [0, 1, 2])
        assert "dense matrix" in str(graph.source)
    io.savemat(tmp_path / "two.mat", {"A": K, "B": 2 * K})
    assert read(tmp_path / "two.mat", weight="B").matrix[0, 1] == 3
    with pytest.raises(
        ValueError, match="must hold one square matrix of numbers; it has A, B: weight= chooses one"
    ):
        read(tmp_path / "two.mat")
    np.save(tmp_path / "h.npy", K[:2])
    with pytest.raises(ValueError, match="must hold one square matrix of numbers; it has none"):
        read(tmp_path / "h.npy")
    with pytest.raises(ValueError, match="rows and columns must have the same names"):
        read(written(tmp_path, "i.csv", ",x,y\ny,0,1\nx,1,0\n"), kind="matrix")


@pytest.mark.parametrize("module", [gzip, bz2])
def test_compressed_files_are_read_and_named(tmp_path, module):
    suffix = {gzip: "gz", bz2: "bz2"}[module]
    path = tmp_path / f"gephi_directed.csv.{suffix}"
    path.write_bytes(module.compress((DOORS / "gephi_directed.csv").read_bytes()))
    graph = read(path)
    assert weights(graph) == {("b", "a"): 2, ("c", "b"): 1} and str(graph.source).startswith(
        f"{path.name}: edge list"
    )
    path.write_bytes(module.compress(b"a,b,1\nb,c\n"))
    with pytest.raises(ValueError, match=f"{path}, line 2: expected 3 fields"):
        read(path)
    path.write_bytes(module.compress(b"a,b,1\nb,c,0\n"))
    with pytest.warns(UserWarning, match=f"{path}: 1 edge was dropped"):
        read(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=f"{path} is truncated, or not compressed as {suffix}"):
        read(path)


def test_downloads_of_konect_are_known_by_their_names(tmp_path):
    path = written(tmp_path, "out.moreno_x", (DOORS / "konect_asym.txt").read_text())
    assert weights(read(path)) == {(2, 1): 5, (3, 2): 7}


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph, nx.MultiDiGraph])
@pytest.mark.parametrize("key", ["edges", "links"])
def test_node_link_data_of_networkx(tmp_path, kind, key):
    reference = kind(nx.gnp_random_graph(8, 0.4, seed=1, directed=True))
    for k, (u, v) in enumerate(list(reference.edges())):
        reference.add_edge(u, v, weight=k + 0.5)
    nx.set_node_attributes(reference, {i: i / 4 for i in range(8)}, "omega")
    data = nx.node_link_data(reference, edges=key)
    graph = read(written(tmp_path, "a.json", json.dumps(data)))
    expected = graphs.from_networkx(reference)
    np.testing.assert_array_equal(graph.matrix.toarray(), expected.matrix.toarray())
    assert (
        graph.labels == expected.labels and graph.nodes["omega"].tolist() == expected.nodes["omega"].tolist()
    )


def test_faults_of_json_are_named(tmp_path):
    nodes = [{"id": 0}, {"id": 1}]
    for found, words in [
        ({"nodes": nodes, "links": [{"source": 0, "target": 5}]}, "links[0]: the target of the edge is 5"),
        ({"nodes": nodes, "links": [{"source": 0}]}, "links[0]: target must be a number or a text; got None"),
        (
            {"nodes": nodes, "links": [{"source": 0, "target": 1, "weight": "x"}]},
            "links[0]: weight must be a finite",
        ),
        ({"nodes": [{"id": 0}, {"id": 0}], "links": []}, "nodes must have different ids"),
        ({"nodes": [5], "links": []}, "nodes[0]: expected an object; got 5"),
        ([1], "must hold an object with nodes and links"),
    ]:
        path = written(tmp_path, "a.json", json.dumps(found))
        with pytest.raises(ValueError) as caught:
            read(path)
        assert str(path) in str(caught.value) and words in str(caught.value)


def test_hypergraphs_of_hif(tmp_path):
    with pytest.warns(UserWarning, match="not used: weights of incidences; not used: weights of nodes"):
        found = ip.Hypergraph.read(DOORS / "hypergraph.hif.json")
    assert found.triads.tolist() == [[0, 1, 2]] and found.weights.tolist() == [2.5] and found.size == 3
    with pytest.raises(ValueError, match=r"edge 0 has 3: Hypergraph\.read reads triads"):
        read(DOORS / "hypergraph.hif.json")
    xgi = pytest.importorskip("xgi")
    reference = xgi.fast_random_hypergraph(9, [0.2, 0.1], seed=4)
    xgi.write_hif(reference, tmp_path / "a.json")
    with pytest.warns(UserWarning, match=f"{len(reference.edges.filterby('size', 2))} edges were left out"):
        mine = ip.Hypergraph.read(tmp_path / "a.json")
    theirs = reference.edges.filterby("size", 3).members()
    assert {*map(frozenset, mine.triads.tolist())} == {*map(frozenset, theirs)} and len(mine.triads) > 3
    xgi.write_hif(xgi.Hypergraph([[0, 1], [1, 2]]), tmp_path / "b.json")
    assert weights(read(tmp_path / "b.json")) == both({(0, 1): 1, (1, 2): 1})


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph])
def test_files_of_pajek_are_what_networkx_reads(tmp_path, kind):
    reference = kind(nx.gnp_random_graph(9, 0.4, seed=6, directed=True))
    for k, (u, v) in enumerate(list(reference.edges())):
        reference[u][v]["weight"] = k / 4 + 0.5
    nx.write_pajek(nx.relabel_nodes(reference, lambda i: f"node {i}"), tmp_path / "a.net")
    theirs = nx.read_pajek(tmp_path / "a.net")
    graph = read(tmp_path / "a.net")
    np.testing.assert_array_equal(graph.matrix.toarray(), nx.to_numpy_array(theirs, nodelist=graph.labels).T)
    assert graph.directed == (kind is nx.DiGraph) and "Pajek" in str(graph.source)


def test_other_files_of_pajek(tmp_path):
    vertices = '1 "a b" 0.1 0.2 0.5\n2 c 0.5 0.5 0.5\n3 d 0 1 0.5\n'
    text = (
        f"*Network x\n% note\n*Vertices 3\n{vertices}*Arcslist\n1 2 3\n*Partition y\n*Vertices 3\n1\n2\n2\n"
    )
    graph = read(written(tmp_path, "a.net", text))
    assert weights(graph) == {("c", "a b"): 1, ("d", "a b"): 1} and graph.nodes["y"].tolist() == [0.2, 0.5, 1]
    assert "not used: *Partition" in str(graph.source)
    assert weights(read(written(tmp_path, "b.net", "*vertices 3\n*edges\n1 3 2\n"))) == both({(1, 3): 2})
    for bad, words in {
        "*vertices 3\n*edges\n1 2\n*arcs\n2 3\n": "line 5: arcs and edges cannot be mixed",
        "*vertices 3\n*edges\n1 4\n": "line 3: a vertex must be a number from 1 to 3; got '4'",
        "*vertices 2\n*edges\n1 2\n*vertices 2\n": "line 4: a file must hold one network",
        "*vertices many\n": "line 1: expected *Vertices and their number; got 'many'",
        "*vertices 2\n*edges\n1 2 x\n": "line 3: weight must be a finite number; got 'x'",
        "1 2\n": "line 1: expected *Vertices",
        "*vertices 2\n*edges\n1\n": "line 3: expected two vertices",
    }.items():
        with pytest.raises(ValueError) as caught:
            read(written(tmp_path, "c.net", bad))
        assert f"c.net, {words}" in str(caught.value)
