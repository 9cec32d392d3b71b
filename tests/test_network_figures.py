"""The figures of networks show the numbers they are given."""

import time as clock
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.sparse import csgraph

import inphase as ip
from inphase.report import network_figures as figures


def by_gid(figure, gid):
    (found,) = [artist for artist in figure.findobj() if artist.get_gid() == gid]
    return found


def test_raster_figure_draws_wrapped_phases_in_the_order_given():
    run = ip.simulate(
        ip.PhaseModel(ip.kuramoto(), frequencies=[5.0, -5.0, 0.0]), [0.0, 1.0, 2.0], times=[0.0, 1.0, 3.0]
    )
    mesh = by_gid(figures.raster_figure(run, order=[2, 0, 1]), "raster")
    expected = np.angle(np.exp(1j * run.phase.values[:, [2, 0, 1]])).T
    np.testing.assert_allclose(np.asarray(mesh.get_array()).reshape(3, 3), expected, atol=1e-12)
    with pytest.raises(ValueError, match="raster_figure draws one run"):
        figures.raster_figure(run.isel(time=[0]))


def test_graph_figure_puts_colored_nodes_at_their_places():
    graph = ip.graphs.Graph([[0, 1, 0], [1, 0, 1], [0, 1, 0]], {"x": [0.0, 1.0, 2.0], "y": [0.0, 1.0, 0.0]})
    nodes = by_gid(figures.graph_figure(graph, [0.0, 4.0, 2 * np.pi]), "nodes")
    np.testing.assert_array_equal(nodes.get_offsets(), [[0, 0], [1, 1], [2, 0]])
    np.testing.assert_allclose(nodes.get_array(), [0.0, 4.0 - 2 * np.pi, 0.0], atol=1e-12)
    with pytest.raises(ValueError, match=r"values must have shape \(3,\)"):
        figures.graph_figure(graph, [0.0])
    with pytest.raises(ValueError, match="kind must be"):
        figures.graph_figure(graph, [0.0, 1.0, 2.0], kind="speed")


def test_a_few_runaways_do_not_take_the_colors_of_all_others():
    speeds = np.append(np.linspace(-0.1, 0.1, 95), [50.0, -40.0, 3.0, 2.0, 1.0])
    graph = ip.graphs.ring(100)
    norm = by_gid(figures.graph_figure(graph, speeds, kind="frequency"), "nodes").norm
    assert 0.05 < norm.vmax < 0.2
    assert norm.vmax - np.median(speeds) == pytest.approx(np.median(speeds) - norm.vmin)
    # one alone differs
    assert by_gid(figures.graph_figure(graph, np.eye(100)[0], kind="frequency"), "nodes").norm.vmax == 1
    # none does
    assert by_gid(figures.graph_figure(graph, np.ones(100), kind="frequency"), "nodes").norm.vmax == 2


def test_layout_keeps_distances_along_a_path():
    places = figures.layout(ip.graphs.path(30))
    along = np.linalg.norm(places - places[0], axis=1)
    # up to the jitter, 0.004 of the width
    np.testing.assert_allclose(along / along[-1], np.arange(30) / 29, atol=0.03)


def test_transition_figure_shows_points_and_theory():
    theory = np.linspace(0, 2, 5), np.linspace(0, 1, 5)
    figure = figures.transition_figure(
        [0.5, 1.5], [0.1, 0.8], [0.01, 0.02], theory=theory, critical=1.0, labels=("a", "b")
    )
    line = by_gid(figure, "theory")
    np.testing.assert_array_equal(line.get_data(), theory)
    (axes,) = figure.axes
    (points,) = [one for one in axes.containers if one.get_label() == "measured"]
    np.testing.assert_array_equal(points.lines[0].get_data(), [[0.5, 1.5], [0.1, 0.8]])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("a", "b")


def test_basin_figure_shows_shares_and_intervals():
    data = {"fraction": ("state", [0.7, 0.3]), "low": ("state", [0.6, 0.2]), "high": ("state", [0.8, 0.4])}
    figure = figures.basin_figure(xr.Dataset(data, coords={"name": ("state", ["synchronized", "twisted"])}))
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [0.7, 0.3]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["synchronized", "twisted"]
    np.testing.assert_array_equal(
        np.array(axes.collections[0].get_segments())[:, :, 0], [[0.6, 0.8], [0.2, 0.4]]
    )


def test_coordinates_that_say_nothing_of_the_graph_are_not_used():
    rng = np.random.default_rng(1)
    grid = ip.graphs.lattice((20, 20), periodic=False)
    assert figures.placed_by_coordinates(grid) and not figures.placed_by_coordinates(ip.graphs.ring(100))
    np.testing.assert_array_equal(figures.layout(grid), np.column_stack([grid.nodes["x"], grid.nodes["y"]]))
    strewn = ip.graphs.Graph(grid.matrix, {"x": rng.uniform(-1, 1, 400), "y": rng.uniform(-1, 1, 400)})
    assert not figures.placed_by_coordinates(strewn)
    places, (i, j) = figures.layout(strewn), grid.matrix.nonzero()
    random = np.mean(np.linalg.norm(places - places[rng.permutation(400)], axis=1))
    assert np.mean(np.linalg.norm(places[i] - places[j], axis=1)) < 0.2 * random


def test_many_edges_are_faint():
    alphas = []
    for n in (1000, 3000, 12_000, 100_000):
        collection = by_gid(figures.graph_figure(ip.graphs.ring(n), np.zeros(n)), "edges")
        alphas.append(collection.get_alpha())
    assert alphas[0] == 0.9 and alphas[1] == pytest.approx(40 / np.sqrt(3000))
    assert alphas[2] == pytest.approx(alphas[1] / 4) and alphas[3] == 0.05


def test_the_same_phase_has_the_same_color():
    figure = figures.graph_figure(
        ip.graphs.path(4), [-np.pi / 2, 3 * np.pi / 2, np.pi / 2, -np.pi / 2 + 1e-12]
    )
    nodes = by_gid(figure, "nodes")
    nodes.update_scalarmappable()
    first, second, opposite, near = nodes.get_facecolors()
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, near)
    assert np.max(np.abs(first - opposite)) > 0.2


def size_of_report(n, degree, folder):
    """Bytes of a study's report of a random graph, its text, and the graph."""
    graph = ip.graphs.erdos_renyi(n, degree / n, seed=1)
    omega = np.random.default_rng(0).normal(0, 1, n)
    model = ip.PhaseModel(ip.kuramoto(), 0.2 * ip.Sparse(graph), frequencies=omega)
    result = ip.study(model, graph=graph, t_end=0.5, tolerance=1e-3, out=folder)
    text = Path(result.files["report"]).read_text(encoding="utf-8")
    assert "The graph, colored by effective frequency" in text and "Every oscillator in time" in text
    return len(text.encode()), text, graph


def test_the_report_of_a_large_graph_is_small_and_says_what_is_drawn(tmp_path):
    size, text, graph = size_of_report(20_000, 20, tmp_path)
    edges = graph.matrix.nnz // 2
    assert edges > 190_000 and size < 1_200_000
    share = f"{20_000 / edges * 100:.6g}% of the {edges} edges"
    assert text.count(f"Drawn are 50% of the 20000 nodes and {share}, chosen at random.") == 2
    assert "One of every 10 is drawn (10%)." in text


@pytest.mark.long
def test_the_report_of_100_000_nodes_and_a_million_edges_is_no_larger(tmp_path):
    size, text, graph = size_of_report(100_000, 22, tmp_path)
    assert graph.matrix.nnz > 2_100_000 and size < 1_200_000
    assert text.count("Drawn are 10% of the 100000 nodes") == 2


@pytest.mark.parametrize(("n", "degree"), [(200, 100), (1400, 2), (3000, 4)])
def test_figures_of_middling_graphs_are_small_too(n, degree):
    """Where nodes and edges are drawn as such, there are few of them; everything is drawn, and nothing said of shares."""
    from inphase.report.style import svg

    graph = ip.graphs.erdos_renyi(n, degree / n, seed=1)
    nodes, pairs, total = figures.drawn_parts(graph)
    assert len(nodes) == n and len(pairs) == total == graph.matrix.nnz // 2
    assert len(svg(figures.graph_figure(graph, np.random.default_rng(0).uniform(0, 6, n)))) < 600_000


def test_a_sample_is_of_the_graphs_own_edges_and_of_different_nodes():
    graph = ip.graphs.erdos_renyi(12_000, 6 / 12_000, seed=2)
    nodes, pairs, total = figures.drawn_parts(graph)
    assert len(np.unique(nodes)) == 10_000 and len(pairs) == 20_000 < total
    assert np.all(graph.matrix[pairs[:, 0], pairs[:, 1]] != 0) and len(np.unique(pairs, axis=0)) == 20_000
    places = np.random.default_rng(1).random((12_000, 2))
    speeds = np.arange(12_000.0)
    drawn = figures.graph_figure(graph, speeds, "frequency", places)
    np.testing.assert_array_equal(by_gid(drawn, "nodes").get_offsets(), places[nodes])
    np.testing.assert_array_equal(by_gid(drawn, "nodes").get_array(), speeds[nodes])
    np.testing.assert_array_equal(by_gid(drawn, "edges").get_segments()[7], places[pairs[7]])
    assert by_gid(drawn, "nodes").get_rasterized() and by_gid(drawn, "edges").get_rasterized()


def test_layouts_of_100_000_nodes_take_seconds_and_keep_distances():
    graph = ip.graphs.ring(100_000)
    begin = clock.perf_counter()
    places = figures.layout(graph)
    assert clock.perf_counter() - begin < 40  # 2 s; by Dijkstra's method it was minutes
    around = np.unwrap(np.arctan2(*(places - places.mean(axis=0)).T))
    assert abs(abs(around[-1] - around[0]) - 2 * np.pi) < 0.3


def test_hops_are_shortest_ways_and_infinite_between_components():
    graph = ip.graphs.erdos_renyi(300, 1.5 / 300, seed=3)
    adjacency = graph.matrix + graph.matrix.T
    exact = csgraph.shortest_path(adjacency, unweighted=True, directed=False, indices=17)
    assert np.isinf(exact).any() and exact[np.isfinite(exact)].max() > 10
    line = ip.graphs.path(500)
    np.testing.assert_array_equal(figures.hops(adjacency, 17), exact)
    np.testing.assert_array_equal(figures.hops(line.matrix, 3), np.abs(np.arange(500) - 3))
