"""The figures of learnt couplings show the numbers they are given; none needs JAX."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from inphase.report import learning_figures as figures
from inphase.report import style


def by_gid(figure, gid):
    (found,) = [artist for artist in figure.findobj() if artist.get_gid() == gid]
    return found


def texts(figure):
    return " ".join(t.get_text() for t in figure.findobj() if hasattr(t, "get_text"))


def line_data(over, C, V, dims):
    numbers = {"slope": 2.0, "intercept": 0.1, "r_squared": 0.81, "r_squared_low": 0.7, "r_squared_high": 0.9}
    return xr.Dataset(
        {"autocorrelation": (dims, C), "variance": (dims, V)} | numbers,
        attrs={"over": over, "confidence": 0.95},
    )


def test_autocorrelation_figure_has_points_line_and_r_squared():
    rng = np.random.default_rng(0)
    C, V = rng.uniform(-0.5, 0, (2, 1, 9))
    graphs = line_data("graphs", C, V, ("network", "graph"))
    figure = figures.autocorrelation_figure(graphs)
    np.testing.assert_array_equal(by_gid(figure, "points").get_data(), [C[0], V[0]])
    x, y = by_gid(figure, "line").get_data()
    np.testing.assert_allclose(y, 2 * x + 0.1)
    assert "r² = 0.81  [0.70, 0.90], 95 %" in texts(figure)
    updates = line_data("updates", C[0], V[0], "update")
    networks = line_data("networks", C.reshape(3, 3), V.reshape(3, 3), ("network", "graph"))
    both = figures.autocorrelation_figure({"Case I": updates, "Case II": networks})
    assert "Case I " in texts(both) and len(style.svg(both)) > 1000
    dots = [one for one in both.findobj() if one.get_gid() == "points"]
    np.testing.assert_array_equal(dots[0].get_offsets(), np.column_stack([C[0], V[0]]))


def fan_in_data(shape, names, **more):
    rng = np.random.default_rng(1)
    data = {
        name: (names, rng.uniform(0.5, 1.5, shape))
        for name in ("fan_in", "fan_out", "fan_in_error", "fan_out_error")
    }
    data["count"] = (names, np.arange(np.prod(shape)).reshape(shape))
    coords = {name: np.arange(float(k)) for name, k in zip(names, shape)}
    attrs = {
        "peak": [1.0, 2.0][: len(shape)],
        "peak_error": [0.25, 0.0][: len(shape)],
        "fewest": 2,
        "graphs": 7,
        "n": 50,
    }
    return xr.Dataset(data, coords=coords, attrs=attrs | {"peak_fan_in": 1.4, "peak_fan_in_error": 0.0123})


def test_fan_in_figures_show_means_errors_and_peak():
    found = fan_in_data((6,), ("frequency",))
    figure = figures.fan_in_figure(found)
    (bars,) = [one for one in figure.axes[0].containers if one.lines[0].get_gid() == "fan_in"]
    np.testing.assert_array_equal(bars.lines[0].get_data(), [np.arange(2.0, 6), found.fan_in.values[2:]])
    assert "peak 1.400 ± 0.012 at 1.00 ± 0.25" in texts(figure) and "ω (rad/time)" in texts(figure)
    found = fan_in_data((4, 3), ("frequency", "delay in steps"))
    figure = figures.fan_in_figure(found)
    shown = np.ma.filled(by_gid(figure, "map").get_array().astype(float), np.nan).reshape(3, 4)
    np.testing.assert_array_equal(shown, np.where(found["count"] >= 2, found.fan_in, np.nan).T)
    assert "(1.00 ± 0.25, 2)" in texts(figure) and "blank: fewer than 2 nodes" in texts(figure)


def landscape(axes, graphs, label, reference="mean field"):
    rng = np.random.default_rng(2)
    names, shape = ("graph", *axes), (graphs, *(len(v) for v in axes.values()))
    data = {"phase": (names, rng.uniform(-1, 1, shape)), "drift": (names, rng.normal(size=shape))}
    data["locked"] = (names, rng.uniform(size=shape) > 0.3)
    data |= {"node_features": (("graph", "node", "column"), rng.normal(size=(graphs, 8, 2)))}
    data |= {"node_phase": (("graph", "node"), rng.uniform(-3, 3, (graphs, 8)))}
    data |= {"node_label": (("graph", "node"), np.full((graphs, 8), label))}
    attrs = {"reference": reference, "window": 100, "step": 0.1}
    return xr.Dataset(data, coords=axes | {"column": ["x", "y"]}, attrs=attrs)


def test_landscape_along_one_feature():
    found = landscape({"x": np.linspace(-1, 1, 9)}, 1, -1)
    found["locked"][0, :2] = False
    figure = figures.landscape_figure(found)
    expected = np.where(found.locked[0], found.phase[0], np.nan)
    np.testing.assert_allclose(by_gid(figure, "phase").get_ydata(), expected)
    np.testing.assert_allclose(by_gid(figure, "drift").get_ydata(), found.drift[0])
    assert "probe drifts" in texts(figure)
    several = landscape({"x": np.linspace(-1, 1, 9)}, 3, -1)
    several["locked"][:] = True
    mean = np.angle(np.exp(1j * several.phase.values).sum(axis=0))
    np.testing.assert_allclose(by_gid(figures.landscape_figure(several), "phase").get_ydata(), mean)


def test_landscape_over_two_features():
    found = landscape({"x": np.linspace(-1, 1, 5), "y": np.linspace(0, 3, 4)}, 2, 1, "class 0")
    figure = figures.landscape_figure(found)
    shown = np.ma.filled(by_gid(figure, "map").get_array().astype(float), np.nan).reshape(4, 5)
    np.testing.assert_allclose(shown, np.where(found.locked[0], found.phase[0], np.nan).T)
    np.testing.assert_allclose(by_gid(figure, "nodes_1").get_array(), found.node_phase[0])
    assert "relative to class 0" in texts(figure) and len(style.png(figure, 50)) > 1000


def test_couplings_share_one_scale():
    def one(scale):
        matrix = scale * np.where(np.eye(2, dtype=bool).repeat(3, 0).repeat(3, 1), 1.0, -1.0)
        means = scale * np.array([[1.0, -1], [-1, 1]])
        return SimpleNamespace(matrix=matrix, boundaries=[0, 3, 6], means=means, errors=0.01 * np.abs(means))

    figure = figures.coupling_figure({"trained": one(1.0), "untrained": one(0.25)})
    first, second = by_gid(figure, "matrix_trained"), by_gid(figure, "matrix_untrained")
    assert first.norm is second.norm and (first.norm.vmin, first.norm.vmax) == (-1, 1)
    np.testing.assert_array_equal(second.get_array(), one(0.25).matrix)
    assert "within 0.25\nbetween −0.2500 ± 0.0025" in texts(figure)  # of one block, its own error
    with pytest.raises(ValueError, match="at least one matrix"):
        figures.coupling_figure({})


def test_training_figure_marks_the_chosen_start():
    starts = [
        SimpleNamespace(number=k, loss=[0.9, 0.5 - k / 10], judged=[(1, 0.8, 0), (2, 0.4 - k / 10, 0)])
        for k in range(3)
    ]
    figure = figures.training_figure(SimpleNamespace(starts=starts, chosen=starts[2]))
    np.testing.assert_array_equal(by_gid(figure, "loss_1").get_data(), [[1, 2], [0.9, 0.4]])
    np.testing.assert_array_equal(by_gid(figure, "kept").get_data(), [[2], [0.2]])
    assert by_gid(figure, "validation_2").get_color() != by_gid(figure, "validation_0").get_color()
    entries = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert entries.count("validation, other starts") == 1
    with pytest.raises(ValueError, match="at least one update"):
        figures.training_figure(SimpleNamespace(starts=[SimpleNamespace(loss=[])], chosen=None))


def test_circle_figure_has_a_circle_for_each_class():
    phases, labels = np.array([0.0, 0.1, 3.0, 3.1]), np.array([0, 0, 1, 1])
    figure = figures.circle_figure({"trained": phases, "block": phases + 1}, labels)
    dots = [one for one in figure.findobj() if one.get_gid() == "class_1"]
    x, y = dots[0].get_data()
    np.testing.assert_allclose(np.angle(x + 1j * y), [3.0, 3.1])
    assert len(dots) == 2 and len(np.unique(np.hypot(x, y).round(9))) == 1
    with pytest.raises(ValueError, match="one shape"):
        figures.circle_figure(phases, labels[:2])


def test_segments_take_the_colors_of_those_they_overlap():
    truth = np.array([[0, 0, 1], [0, 2, 1]])
    found = np.array([[2, 2, 0], [2, 3, 0]])
    np.testing.assert_array_equal(figures.matched(found, truth), truth)
    np.testing.assert_array_equal(figures.matched([[0, 1, 2]], [[0, 0, -1]]), [[0, 1, 2]])
    phases = np.array([[0.0, 4.0, 1.0], [np.nan, 2.0, -1.0]])
    figure = figures.segments_figure(np.full((2, 3, 3), 255.0), truth, phases, found, 0.875)
    shown = np.ma.filled(by_gid(figure, "phases").get_array(), np.nan)
    np.testing.assert_allclose(shown, np.angle(np.exp(1j * phases)))
    np.testing.assert_array_equal(by_gid(figure, "found").get_array(), figure.axes[1].images[0].get_array())
    assert "Dice 0.875" in texts(figure)
    with pytest.raises(ValueError, match=r"phases must have the image's shape \(2, 3\)"):
        figures.segments_figure(np.zeros((2, 3)), truth, phases[:1], found)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.123456, 0.0123, "0.123 ± 0.012"),
        (-2, 0, "−2"),
        (31.4, 2.2, "31.4 ± 2.2"),
        (-0.00234, 1.2e-5, "(−2.340 ± 0.012)·$10^{−3}$"),
    ],
)
def test_numbers_have_two_digits_of_their_error(value, error, text):
    assert figures._measured(value, error) == text
