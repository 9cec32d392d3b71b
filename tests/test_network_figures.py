"""The figures of networks show the numbers they are given."""

import numpy as np
import pytest
import xarray as xr

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
