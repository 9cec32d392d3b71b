"""C_x, fan-in, landscapes, blocks and controls, against sums pair by pair and closed forms."""

import dataclasses

import numpy as np
import pytest

import inphase as ip
from inphase.coupling.learnt.coupling import Learnt
from inphase.coupling.learnt.network import PairNetwork
from inphase.coupling.learnt.normalization import NORMALIZATIONS, Normalization

pytest.importorskip("jax")
learn = pytest.importorskip("inphase.learn", exc_type=ImportError)
analyses = pytest.importorskip("inphase.learn.analyses")

SMALL = {
    "nodes": 20,
    "samples": 60,
    "epochs": 2,
    "hidden": (6, 5),
    "burn_in": 5,
    "window": 4,
    "validation_graphs": 2,
}


def flat_network(features):
    """All scores 0, so that K is constant with "degree"."""
    one, zero = [np.ones(1)], [np.zeros(1)]
    return PairNetwork(
        np.zeros((features, 1)), np.zeros((features, 1)), [], one, zero, zero, one, np.zeros(1), "relu"
    )


def with_network(task, network):
    return learn.Trained(task, task.settings, [learn.Start(0, network)], 0)


# -------------------------------------------------------------------------------------------------------- C_x


def test_autocorrelation_pair_by_pair_and_at_its_bounds():
    rng = np.random.default_rng(0)
    K, x = rng.uniform(0, 1, (7, 7)), rng.normal(size=(7, 3))
    y = x - x.mean(axis=0)
    above = sum(K[i, j] * np.dot(y[i], y[j]) for i in range(7) for j in range(7))
    below = sum(K[i, j] * np.dot(y[i], y[i]) for i in range(7) for j in range(7))
    assert analyses.graph_autocorrelation(K, x) == pytest.approx(above / below, rel=1e-13)
    equal = np.repeat(rng.normal(size=(4, 2)), 3, axis=0)
    same = np.kron(np.eye(4), np.ones((3, 3)))
    assert analyses.graph_autocorrelation(same, equal) == pytest.approx(1, abs=1e-14)
    assert analyses.graph_autocorrelation(np.ones((7, 7)), x) == pytest.approx(0, abs=1e-14)
    assert analyses.graph_autocorrelation([[0, 1], [1, 0]], [[3.0], [-5.0]]) == pytest.approx(-1, abs=1e-15)


def test_autocorrelation_of_signed_couplings_and_bad_input():
    x = np.array([[-1.0], [0.0], [1.0]])
    K = np.array([[0.0, 0, -1], [0, 0, 0], [-1, 0, 0.5]])  # −Σ = 1.5, numerator 2.5: beyond 1
    assert analyses.graph_autocorrelation(K, x) == pytest.approx(2.5 / -1.5)
    with pytest.raises(ValueError, match="signs of K must not cancel"):
        analyses.graph_autocorrelation([[0, 1, -1], [1, 0, -1], [1, -1, 0]], x)
    with pytest.raises(ValueError, match="features must not all be the same"):
        analyses.graph_autocorrelation(np.ones((3, 3)), np.ones((3, 1)))
    with pytest.raises(ValueError, match=r"K must have shape \(3, 3\)"):
        analyses.graph_autocorrelation(np.ones((2, 2)), x)


def test_variance_against_autocorrelation_has_the_numbers_of_each_graph():
    control = learn.untrained(learn.problem("case-1", nodes=15, hidden=(5,)), 3)
    found = analyses.variance_against_autocorrelation(control, graphs=6, burn_in=30, window=5, seed=4)
    run = learn.evaluate(control, graphs=6, burn_in=30, window=5, seed=4)
    np.testing.assert_array_equal(found.variance.values[0], run.variance.values)
    x = control.problem.draw("test", 90, 4).features[15:30]
    assert float(found.autocorrelation[0, 1]) == analyses.graph_autocorrelation(control.coupling(x).array, x)
    C, V = found.autocorrelation.values[0], found.variance.values[0]
    assert float(found.r_squared) == pytest.approx(np.corrcoef(C, V)[0, 1] ** 2)
    assert [float(found.slope), float(found.intercept)] == pytest.approx(np.polyfit(C, V, 1))
    assert found.attrs["over"] == "graphs"


def test_several_networks_are_one_point_each():
    task = learn.problem("case-1", nodes=12, hidden=(5,))
    networks = [learn.untrained(task, seed) for seed in range(4)]
    found = analyses.variance_against_autocorrelation(networks, graphs=2, burn_in=20, window=5)
    assert found.attrs["over"] == "networks" and found.variance.shape == (4, 2)
    C, V = found.autocorrelation.mean("graph"), found.variance.mean("graph")
    assert float(found.r_squared) == pytest.approx(np.corrcoef(C, V)[0, 1] ** 2)
    bare = [one.network for one in networks]
    again = analyses.variance_against_autocorrelation(bare, problem=task, graphs=2, burn_in=20, window=5)
    np.testing.assert_array_equal(again.variance, found.variance)
    with pytest.raises(ValueError, match="problem must be given"):
        analyses.variance_against_autocorrelation(bare)
    with pytest.raises(TypeError, match="trained must be"):
        analyses.variance_against_autocorrelation([3.0])
    with pytest.raises(ValueError, match="needs 3 points"):
        analyses.variance_against_autocorrelation(networks[:2], graphs=1, burn_in=5, window=5)
    with pytest.raises(ValueError, match="C_x must differ"):
        analyses.variance_against_autocorrelation(networks[:1] * 3, graphs=1, burn_in=5, window=5)


def test_the_intervals_of_a_line_hold_what_they_promise():
    rng, hits = np.random.default_rng(1), 0
    for _ in range(60):
        x = rng.normal(size=60)
        line = analyses.autocorrelation.fitted_line(x, 2 * x + 1 + rng.normal(size=60), 0.9)
        hits += line["slope_low"] < 2 < line["slope_high"]
    assert 45 <= hits <= 59  # 54 are expected, 2.3 the deviation
    exact = analyses.autocorrelation.fitted_line(np.arange(9.0), 3 * np.arange(9.0) - 2, 0.95)
    assert [exact[name] for name in ("slope", "intercept", "r_squared_low")] == pytest.approx([3, -2, 1])


def test_course_of_a_training_is_that_of_train():
    task = learn.problem("case-2", **SMALL)
    record = learn.train(task, starts=2, seed=5).starts[1]
    found = analyses.autocorrelation_in_training(task, start=1, seed=5)
    np.testing.assert_array_equal(found.variance.values, record.variance)
    course = analyses.stages(task, 4, start=1, seed=5)  # after 0, 4 and 6 updates
    assert len(course) == 3
    last = learn.train(task.replace(epochs=2), starts=2, seed=5).starts[1]
    if last.judged[-1][1] == last.best:  # then the last is the one that is kept
        np.testing.assert_array_equal(course[-1].network.own, last.network.own)
    np.testing.assert_array_equal(
        course[0].network.own, analyses.stages(task, 6, start=1, seed=5)[0].network.own
    )
    # C_x of the first update, by batch statistics, from the first network
    order = np.random.default_rng([5, 1, 1, 0]).permutation(60)[:20]
    x = task.draw("train", 60, 5).features[order]
    first = course[0].network
    z = (x @ first.own)[:, None, :] + (x @ first.other)[None]
    for layer in range(2):
        mean, variance = z.mean(axis=(0, 1)), z.var(axis=(0, 1))
        z = first.scales[layer] * (z - mean) / np.sqrt(variance + 1e-5) + first.shifts[layer]
        z = np.where(z > 0, z, 0.01 * z)
        z = z @ first.weights[0] if layer == 0 else z @ first.out
    K = Normalization("degree").apply(z.copy())
    # float32
    assert float(found.autocorrelation[0]) == pytest.approx(analyses.graph_autocorrelation(K, x), abs=1e-4)


# ----------------------------------------------------------------------------------------------------- fan-in


def test_fan_in_of_cells_are_means_over_their_nodes():
    control = learn.untrained(learn.problem("case-2", nodes=25, hidden=(5,), symmetric=False), 1)
    found = analyses.fan_in_map(control, ("field", "frequency"), graphs=8, bins=3, fewest=5, seed=2)
    assert found.fan_in.dims == ("field", "frequency") and int(found["count"].sum()) == 200
    x = control.problem.draw("test", 200, 2).features
    K = [control.coupling(x[25 * g : 25 * g + 25]).array for g in range(8)]
    rows, columns = (np.concatenate([k.sum(axis=axis) for k in K]) for axis in (1, 0))
    edges = [np.linspace(x[:, c].min(), x[:, c].max(), 4) for c in (1, 0)]
    inside = (x[:, 1] >= edges[0][1]) & (x[:, 1] < edges[0][2]) & (x[:, 0] >= edges[1][2])
    assert int(found["count"][1, 2]) == np.count_nonzero(inside)
    assert float(found.fan_in[1, 2]) == pytest.approx(rows[inside].mean())
    assert float(found.fan_out[1, 2]) == pytest.approx(columns[inside].mean())
    assert not np.allclose(found.fan_in, found.fan_out)
    best = np.unravel_index(np.argmax(found.fan_in.values), (3, 3))
    assert found.attrs["peak"] == pytest.approx(
        [found["field"].values[best[0]], found["frequency"].values[best[1]]]
    )


def test_fan_in_of_a_symmetric_coupling_is_its_fan_out_and_errors_are_those_of_graphs():
    control = learn.untrained(learn.problem("case-1", nodes=30, hidden=(6,)), 0)
    found = analyses.fan_in_map(control, graphs=40, bins=4)
    np.testing.assert_allclose(found.fan_in, found.fan_out, rtol=1e-12)
    # the same map from other graphs, many times: its scatter is the error that one map claims
    others = [analyses.fan_in_map(control, graphs=40, bins=4, seed=s).fan_in.values for s in range(1, 13)]
    ratio = np.std(others, axis=0, ddof=1) / found.fan_in_error.values
    assert 0.5 < np.sqrt(np.mean(ratio**2)) < 1.8


def test_whole_numbers_have_a_cell_each_and_a_known_peak_is_found():
    task = learn.problem("case-3", nodes=50)
    one, zero = [np.ones(1)], [np.zeros(1)]
    hat = PairNetwork(
        np.array([[-1.0], [0.3]]),
        np.zeros((2, 1)),
        [],
        one,
        zero,
        [np.array([1.5])],
        one,
        np.array([0.5]),
        "tanh",
    )
    found = analyses.fan_in_map(with_network(task, hat), graphs=60, bins=4, fewest=20)
    delays = found["delay in steps"].values
    np.testing.assert_array_equal(delays, np.arange(delays[0], delays[-1] + 1))
    centers, known = found.frequency.values, found["count"].values >= 20
    wanted = np.where(known, 0.3 * delays - centers[:, None], -np.inf)  # what the network's score grows with
    assert found.attrs["peak"][0] == pytest.approx(centers[0])
    assert found.attrs["peak"][1] >= delays[np.argmax(wanted.max(axis=0))] - 3
    assert found.attrs["peak_error"][0] >= (centers[1] - centers[0]) / np.sqrt(12) * 0.999
    with pytest.raises(ValueError, match="no cell has 100000 nodes"):
        analyses.fan_in_map(with_network(task, hat), graphs=2, fewest=100000)
    with pytest.raises(ValueError, match="columns must be one of frequency, delay in steps"):
        analyses.fan_in_map(with_network(task, hat), "field")


def test_fan_in_peaks_of_all_starts():
    trained = learn.train("case-2", starts=2, **SMALL)
    found = analyses.fan_in_peaks(trained, graphs=10, bins=3, fewest=5)
    assert found.peak.shape == (2, 2) and list(found.column.values) == ["frequency", "field"]
    alone = analyses.fan_in_map(analyses.each_start(trained)[1], graphs=10, bins=3, fewest=5)
    assert found.peak.values[1].tolist() == alone.attrs["peak"]


def test_a_loaded_training_has_one_network(tmp_path):
    trained = learn.train("case-2", starts=3, **SMALL)
    assert [one.chosen.number for one in analyses.each_start(trained)] == [0, 1, 2]
    loaded = learn.Trained.load(trained.save(tmp_path / "t.npz"))
    assert [one.chosen.number for one in analyses.each_start(loaded)] == [trained.chosen.number]


# -------------------------------------------------------------------------------------------------- landscape


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("kind", NORMALIZATIONS)
def test_a_probe_with_the_features_of_a_node_listens_as_it_does(kind, symmetric):
    network = learn.untrained(learn.problem("case-2", hidden=(5, 4)), 2).network
    x, rule = np.random.default_rng(3).normal(size=(9, 2)), Normalization(kind, symmetric, 1.7, 4)
    K = Learnt(network, x, rule).array
    np.testing.assert_allclose(analyses.probe_coupling(network, x, x[[4, 1]], rule), K[[4, 1]], rtol=1e-12)


def test_listeners_do_not_act_back():
    rng = np.random.default_rng(0)
    K, hears = rng.normal(size=(5, 5)), rng.normal(size=(3, 5))
    coupling = analyses.Probes(np.concatenate([K, hears]))
    whole = ip.coupling.Dense(coupling.matrix(8))
    theta = rng.uniform(-3, 3, 8)
    f = [ip.kuramoto(), ip.kuramoto().derivative()]
    for one, other in zip(coupling.forces(f, theta), whole.forces(f, theta)):
        np.testing.assert_allclose(one, other, atol=1e-13)
    np.testing.assert_allclose(
        coupling.forces(f[:1], theta)[0][:5], ip.coupling.Dense(K).forces(f[:1], theta[:5])[0], atol=1e-13
    )
    with pytest.raises(ValueError, match="rows must have shape"):
        analyses.Probes(np.ones((2, 3)))


def test_landscape_of_a_constant_coupling_is_the_arcsine():
    """Kuramoto's solution: sin(φ) = (ω − Ω)/(K R) where
    |ω − Ω| <= K R, and the drift sqrt((ω − Ω)² − K²R²) beyond.
    """
    task = learn.problem("case-1", nodes=40, degree=3.0, burn_in=5, window=5)
    omega = np.array([-4.5, -2.0, -0.5, 0.0, 1.0, 2.5, 4.0])
    found = analyses.phase_landscape(
        with_network(task, flat_network(1)), {"frequency": omega}, graphs=2, burn_in=600, seed=1
    )
    for g in range(2):
        Omega = task.draw("test", 80, 1).frequencies[40 * g : 40 * g + 40].mean()
        KR = 3.0 * float(found.order_parameter[g])
        locked = np.abs(omega - Omega) < KR
        assert found.locked.values[g].tolist() == locked.tolist()
        np.testing.assert_allclose(found.phase[g, locked], np.arcsin((omega[locked] - Omega) / KR), atol=1e-6)
        np.testing.assert_allclose(found.drift[g, locked], 0, atol=1e-9)
        beyond = omega[~locked] - Omega
        adler = np.sign(beyond) * np.sqrt(beyond**2 - KR**2)
        # Euler's steps of 0.1, and part of a turn
        np.testing.assert_allclose(found.drift[g, ~locked], adler, rtol=0.2)


def test_a_probe_ends_where_the_node_does_with_fields():
    task = learn.problem("case-2", nodes=30, degree=6.0)
    control = learn.untrained(task, 1)
    nodes = task.draw("test", 30, 0)
    axes = {"frequency": nodes.features[:3, 0], "field": nodes.features[:3, 1]}
    found = analyses.phase_landscape(control, axes, burn_in=1500, window=200)
    assert bool(found.locked.all()) and found.phase.shape == (1, 3, 3)
    np.testing.assert_allclose(np.diagonal(found.phase.values[0]), found.node_phase.values[0, :3], atol=1e-6)
    assert np.ptp(found.phase.values) > 0.01


def test_delays_of_probes_act_through_the_coupling_alone():
    task = learn.problem("case-3", nodes=10, degree=4.0)
    found = analyses.phase_landscape(
        with_network(task, flat_network(2)),
        {"delay in steps": [0, 7, 30]},
        held={"frequency": 3.0},
        burn_in=200,
        window=50,
    )
    # K is constant
    np.testing.assert_array_equal(found.phase.values[0], np.repeat(found.phase.values[0, 0], 3))


def test_landscape_of_clusters_is_relative_to_a_class():
    task = learn.problem("gmm-2", nodes=20)
    control = learn.untrained(task, 0)
    found = analyses.phase_landscape(control, {"x": [-10.0, 10.0], "y": [0.0]}, burn_in=300, window=100)
    assert found.attrs["reference"] == "class 0" and found.phase.shape == (1, 2, 1)
    own = found.node_phase.values[0][found.node_label.values[0] == 0]
    assert abs(np.angle(np.exp(1j * own).mean())) < 1e-6
    with pytest.raises(ValueError, match="reference must be a class"):
        analyses.phase_landscape(control, {"x": [0.0]}, reference=7, burn_in=5, window=5)


def test_landscapes_of_nodes_whose_parts_are_not_features_ask_for_them():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 1))
    task = learn.from_arrays(x, frequencies=2 * x[:, 0], nodes=20, degree=4.0)
    control = learn.untrained(task)
    with pytest.raises(ValueError, match="does not say which frequency"):
        analyses.phase_landscape(control, {"x1": [0.0]})

    def place(features, factor=2):
        zero = np.zeros(len(features))
        return learn.Nodes(
            features, factor * features[:, 0], zero, zero.astype(np.int32), zero.astype(np.int32) - 1
        )

    wrong = dataclasses.replace(task, place=lambda features: place(features, 3))
    with pytest.raises(ValueError, match="place must give the frequencies"):
        analyses.phase_landscape(control, {"x1": [0.0]}, problem=wrong)
    task = dataclasses.replace(task, place=place)
    short = {"burn_in": 200, "window": 20}
    found = analyses.phase_landscape(with_network(task, flat_network(1)), {"x1": [-0.3, 0.3]}, **short)
    KR = 4.0 * float(found.order_parameter[0])
    assert float(np.diff(np.sin(found.phase.values[0]))[0]) == pytest.approx(1.2 / KR, rel=1e-3)
    for axes, held, words in (
        ({"x9": [0.0]}, None, "axes must be one of x1"),
        ({"x1": 0.0}, None, "must have shape"),
        ({"x1": [0.0]}, {"x1": 1.0}, "held must be one of nothing"),
    ):
        with pytest.raises(ValueError, match=words):
            analyses.phase_landscape(control, axes, held=held, problem=task)


@pytest.mark.parametrize("split", learn.problems.SPLITS)
def test_analyses_are_of_the_nodes_of_evaluate(split):
    """Fewer training nodes than were drawn for training: the first of those, in all analyses."""
    control = learn.untrained(learn.problem("gmm-3", nodes=12, samples=60, hidden=(4,)), 1)
    options = {"graphs": 2, "burn_in": 20, "window": 1, "seed": 3, "split": split}
    wanted = learn.evaluate(control, **options)
    found = analyses.block_control(control, **options)
    np.testing.assert_allclose(found.loss.sel(coupling="trained").values, wanted.loss.values, atol=1e-6)
    seen = analyses.phase_landscape(
        control, {"x": [0.0]}, graphs=2, burn_in=20, window=2, seed=3, split=split
    )
    np.testing.assert_array_equal(seen.node_label.values, found.label.values)
    if split == "train":
        first = control.problem.draw("train", 60, 3)
        np.testing.assert_array_equal(seen.node_features.values.reshape(24, 2), first.features[:24])


# ----------------------------------------------------------------------------------------------------- blocks


def test_sorted_by_class_and_its_blocks():
    rng = np.random.default_rng(0)
    labels, K = np.array([1, 0, 2, -1, 0, 1, 1, 0]), rng.normal(size=(8, 8))
    found = analyses.sorted_by_class(K, labels)
    np.testing.assert_array_equal(labels[found.order], [0, 0, 0, 1, 1, 1, 2])
    np.testing.assert_array_equal(found.boundaries, [0, 3, 6, 7])
    np.testing.assert_array_equal(found.matrix, K[np.ix_(found.order, found.order)])
    pairs = [K[i, j] for i in range(8) for j in range(8) if labels[i] == labels[j] == 1 and i != j]
    assert found.means[1, 1] == pytest.approx(np.mean(pairs))
    assert found.means[0, 1] == pytest.approx(K[np.ix_(labels == 0, labels == 1)].mean())
    assert np.isnan(found.errors[2, 2]) and np.isnan(found.means[2, 2])
    with pytest.raises(TypeError, match="labels must be whole numbers"):
        analyses.sorted_by_class(K, labels / 2)
    with pytest.raises(ValueError, match=r"K must have shape \(8, 8\)"):
        analyses.sorted_by_class(K[:3], labels)


def test_errors_of_blocks_count_that_entries_share_nodes():
    """K_ij = a_i + a_j: the error of a mean is that of 2ā, far above that of independent entries."""
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1], 12)
    means, errors = [], []
    for _ in range(300):
        a = rng.normal(size=24)
        found = analyses.sorted_by_class(a[:, None] + a, labels)
        means.append(found.means), errors.append(found.errors)
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(errors), axis=0)), np.std(means, axis=0), rtol=0.2)
    assert np.std(means, axis=0)[0, 0] == pytest.approx(2 / np.sqrt(12), rel=0.2)


def test_cluster_terms_make_up_the_loss():
    rng = np.random.default_rng(0)
    for k in (2, 3, 5, 8):
        phases, labels = rng.uniform(-9, 9, (4, 40)), np.arange(40) % k
        within, splay = analyses.cluster_terms(phases, labels)
        largest = k / 2 * sum(1 / g**2 for g in range(1, k // 2 + 1))
        loss = learn.cluster_loss(k)(phases, type("N", (), {"labels": labels}))
        assert float(loss) == pytest.approx(np.mean((within + largest * splay) / (1 + largest)), rel=1e-5)
    within, splay = analyses.cluster_terms(np.zeros(6), [0, 0, 1, 1, 2, 2])
    assert (float(within), float(splay)) == pytest.approx((0, 1))


def settled_blocks(k, seed, each=8):
    labels = np.repeat(np.arange(k), each)
    coupling = analyses.block_coupling(labels, 0.05)
    assert coupling.symmetric and np.abs(coupling.array).max() == 0.05
    start = np.random.default_rng(seed).normal(np.pi, 1.0, k * each)
    run = ip.simulate(ip.PhaseModel(ip.kuramoto(), coupling), start, times=[400.0])
    return analyses.cluster_terms(run.phase.values[-1], labels)


@pytest.mark.parametrize("k", [2, 3, 4, 6])
def test_block_coupling_synchronizes_clusters_and_splays_no_more_than_three(k):
    """Repulsion of equal clusters takes the first moment to 0:
    that is the splay state of 2 and 3 clusters, not of 4 and 6.
    """
    terms = np.array([settled_blocks(k, seed) for seed in range(3)])
    assert np.max(terms[:, 0]) < 1e-9
    if k <= 3:
        assert np.max(terms[:, 1]) < 1e-9
    else:
        assert np.median(terms[:, 1]) > 0.02


def test_block_control_beside_trained_and_untrained():
    task = learn.problem("gmm-3", nodes=15, samples=30, epochs=1, hidden=(5,))
    control = learn.untrained(task, 4)
    found = analyses.block_control(control, graphs=2, burn_in=60, window=5, seed=3)
    assert list(found.coupling.values) == ["trained", "block", "untrained"]
    run = learn.evaluate(control, graphs=2, burn_in=60, window=5, seed=3)
    np.testing.assert_array_equal(found.final_phase.sel(coupling="trained"), run.final_phase)
    within, splay = analyses.cluster_terms(run.final_phase.values[1], found.label.values[1])
    assert float(found.within[0, 1]) == float(within) and float(found.splay[0, 1]) == float(splay)
    x = task.draw("test", 30, 3).features[15:]
    assert float(found.strength[1]) == np.abs(control.coupling(x).array).max()
    assert float(found.within.sel(coupling="block").max()) < 1e-6
    with pytest.raises(ValueError, match="at least 2 classes; case-1 has 0"):
        analyses.block_control(learn.untrained(learn.problem("case-1", hidden=(4,))))
    with pytest.raises(ValueError, match="strength must be a positive"):
        analyses.block_coupling([0, 1], -1.0)


def test_block_coupling_serves_evaluate_and_leaves_out_nodes_of_no_class():
    task = learn.problem("moons", nodes=10, hidden=(4,))
    labels = task.draw("test", 10, 0).labels
    found = learn.evaluate(
        learn.untrained(task),
        graphs=1,
        burn_in=300,
        coupling=lambda network, x, rule: analyses.block_coupling(labels, 0.005),
    )
    assert float(found.loss[0]) < 1e-3
    assert not np.any(analyses.block_coupling([0, -1, 1], 1.0).array[1])
