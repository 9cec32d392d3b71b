"""Couplings of low rank: against dense sums, and learnt
ones against all pairs, with the error that they report.
"""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import inphase as ip
import zoo
from inphase.coupling.dense import Dense
from inphase.coupling.factorized import LowRank, basis, compressed, symmetric_part
from inphase.coupling.learnt import low_rank
from inphase.coupling.learnt.coupling import Learnt
from inphase.coupling.learnt.low_rank import automatic, factorize
from inphase.coupling.learnt.network import PairNetwork
from inphase.coupling.learnt.normalization import NORMALIZATIONS, Normalization


def factors(n, r, seed=0):
    return np.random.default_rng(seed).normal(size=(2, n, r))


def network(m=2, activation="leaky_relu", hidden=16, strength=2.0, seed=0):
    """A random network whose scores differ by a few units, as trained ones do."""
    rng = np.random.default_rng(seed)
    own, other = rng.normal(size=(2, m, hidden)) / np.sqrt(m)
    deeper = rng.normal(size=(hidden, hidden)) / np.sqrt(hidden)
    ones, shifts = [np.ones(hidden)] * 2, [rng.normal(size=hidden) * 0.5 for _ in range(2)]
    out = strength * rng.normal(size=hidden) / np.sqrt(hidden)
    return PairNetwork(own, other, [deeper], ones, shifts, [np.zeros(hidden)] * 2, ones, out, activation)


def features(n, m=2, seed=1):
    return np.random.default_rng(seed).uniform(-1, 1, (n, m))


# ----------------------------------------------------------------------------------------------- the coupling


@pytest.mark.parametrize(
    "name", ["kuramoto", "sakaguchi", "harmonics", "with a mean", "even", "attention(25)"]
)
@pytest.mark.parametrize("n", [9, 300])
def test_sums_as_those_of_the_matrix(name, n):
    left, right = factors(n, 3)
    f, rng = zoo.interaction(name), np.random.default_rng(2)
    phases, sources = rng.uniform(-9, 9, (2, 2, n))
    dense = Dense(left @ right.T)
    for heard in (None, sources):
        found = LowRank(left, right).forces([f, f.derivative(1)], phases, sources=heard)
        expected = dense.forces([f, f.derivative(1)], phases, sources=heard)
        for one, other, g in zip(found, expected, (f, f.derivative(1))):
            assert np.allclose(
                one, other, rtol=0, atol=1e-13 * n * max(1.0, float(np.abs(g.modes).sum())) * 9
            )
    out = [np.empty((2, n))]
    assert LowRank(left, right).forces([f], phases, out=out)[0] is out[0]
    assert np.array_equal(out[0], LowRank(left, right).forces([f], phases)[0])


@pytest.mark.parametrize("name", ["sakaguchi", "with a mean"])
def test_a_double_sum_and_the_jacobian(name):
    left, right = factors(6, 2)
    model = ip.PhaseModel(zoo.interaction(name), LowRank(left, right))
    theta = np.random.default_rng(3).uniform(0, 6, 6)
    assert np.max(np.abs(model.velocity(theta) - zoo.velocity(model, theta))) < 1e-12
    dense = ip.PhaseModel(zoo.interaction(name), Dense(left @ right.T))
    assert np.allclose(model.jacobian(theta), dense.jacobian(theta), atol=1e-13)


def test_properties():
    left, right = factors(40, 3)
    coupling = LowRank(left, right)
    assert (coupling.size, coupling.rank, coupling.symmetric, coupling.positive) == (40, 3, False, False)
    assert np.allclose(coupling.matrix(40), left @ right.T, atol=1e-15)
    assert coupling.mean_strength(40) == pytest.approx(np.abs(left @ right.T).sum() / 40, rel=1e-13)
    assert LowRank(left, left).symmetric and LowRank(np.abs(left), np.abs(right)).positive
    assert coupling.to_dict()["left"] == left.tolist()
    many = LowRank(*factors(3000, 2))
    assert many.to_dict().keys() == {"kind", "n", "rank", "sha256"}
    assert many.to_dict() != LowRank(*factors(3000, 2, seed=1)).to_dict()
    exact = np.abs(many.left @ many.right.T).sum(axis=1)
    assert many.mean_strength(3000) == pytest.approx(exact.mean(), abs=4 * exact.std() / np.sqrt(512))
    with pytest.raises(ValueError, match="is for 40"):
        coupling.matrix(41)


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        ([1.0, 2.0], [1.0, 2.0], r"left must have shape \(n, r\)"),
        (np.ones((3, 2)), np.ones((3, 1)), r"the same shape; got \(3, 2\) and \(3, 1\)"),
        ([[np.nan]], [[1.0]], "left must be finite"),
        (np.ones((0, 2)), np.ones((0, 2)), "n, r >= 1"),
    ],
)
def test_bad_factors(left, right, said, as_a_user):
    with pytest.raises(ValueError, match=said):
        LowRank(left, right)


@pytest.mark.parametrize("tolerance", [0.0, 1e-3, 0.1])
def test_compressed_is_as_short_as_the_singular_values_allow(tolerance):
    left, right = factors(50, 12)
    left *= 10.0 ** -np.arange(12)
    for shorten, exact in (
        (compressed, left @ right.T),
        (symmetric_part, (left @ right.T + right @ left.T) / 2),
    ):
        one, other = shorten(left, right, tolerance)
        values = np.linalg.svd(exact, compute_uv=False)
        size, miss = np.linalg.norm(exact), np.linalg.norm(one @ other.T - exact)
        assert miss <= tolerance * size + 1e-14 * size
        tails = [np.linalg.norm(values[q:]) for q in range(51)]
        if tolerance:
            assert one.shape[1] == next(q for q in range(51) if tails[q] <= tolerance * size)
            assert miss == pytest.approx(tails[one.shape[1]], rel=1e-6)
    assert LowRank(one, other).symmetric


# ---------------------------------------------------------------------------------- learnt, against all pairs


def compare(found, exact):
    """(relative Frobenius error, largest relative error of a row) of the factors."""
    miss = found.left @ found.right.T - exact
    rows = np.linalg.norm(miss, axis=1) / np.linalg.norm(exact, axis=1)
    return np.linalg.norm(miss) / np.linalg.norm(exact), float(rows.max())


@pytest.mark.parametrize("kind", NORMALIZATIONS)
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("activation", ["leaky_relu", "silu", "tanh"])
def test_against_all_pairs(kind, symmetric, activation):
    n, net, rule = 1500, network(activation=activation), Normalization(kind, symmetric, 1.5, 100)
    exact = Learnt(net, features(n), rule).array
    found = factorize(net, features(n), rule, 2e-2, seed=3)
    true, worst = compare(found, exact)
    assert found.reached and found.error <= 2e-2 and found.rank < 100
    slack = found.scale_error if rule.recipe.by_all else 0.0
    assert abs(true - found.error) <= 4 * found.standard_error + slack
    assert 0 < found.standard_error < 0.5 * found.error
    assert found.worst_row <= worst * (1 + 1e-2) + slack and worst < 10 * found.worst_row
    assert found.symmetric == symmetric
    assert found.pairs < n * n


def test_the_error_is_honest_over_seeds():
    """Of 16 factorizations nearly all report an error within
    2 standard errors of the true one, some below, some above.
    """
    net, n = network(), 3000
    x = features(n)
    exact = Learnt(net, x, "row-l2").array
    found = [factorize(net, x, "row-l2", 5e-2, seed=seed) for seed in range(16)]
    z = np.array([(one.error - compare(one, exact)[0]) / one.standard_error for one in found])
    assert np.mean(np.abs(z) < 2) > 0.8 and np.any(z > 0) and np.any(z < 0)


def test_the_sum_of_all_entries():
    net, x = network(strength=16.0), features(1200)
    exact = np.exp(net.scores(x))
    assert exact.max() > 20 * exact.mean()
    found = factorize(net, x, Normalization("degree", symmetric=False), 1e-2)
    # after compression
    assert found.left.sum(axis=0) @ found.right.sum(axis=0) == pytest.approx(1200, rel=2e-3)
    assert compare(found, exact * 1200 / exact.sum())[0] <= 1.2e-2


def test_double_precision_below_1e_4():
    net, x = network(activation="silu"), features(700)
    found = factorize(net, x, "degree", 1e-7)
    assert found.reached
    assert compare(found, Learnt(net, x, "degree").array)[0] < 2e-7


def test_what_is_not_reached_is_said():
    net, x = network(5), features(600, 5)
    found = factorize(net, x, "row-l2", 1e-4, max_rank=5)
    true, _ = compare(found, Learnt(net, x, "row-l2").array)
    assert not found.reached and found.rank <= 2 * 5 and found.error > 1e-4
    assert abs(true - found.error) <= 4 * found.standard_error
    with pytest.warns(UserWarning, match=r"tolerance = 1e-05 was not reached"):
        automatic(net, x[:200], "row-l2", 1e-5, exact_up_to=100)


def test_the_same_seed_gives_the_same_factors():
    net, x = network(), features(500)
    one, other, third = (factorize(net, x, "degree", seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(one.left, other.left) and one.to_dict() == other.to_dict()
    assert not np.array_equal(one.left, third.left)
    assert one.to_dict()["error"] == one.error and one.to_dict()["kind"] == "LearntLowRank"


def test_all_pairs_up_to_a_size():
    learn = pytest.importorskip("inphase.learn", exc_type=ImportError)
    trained = SimpleNamespace(
        network=network(), settings=SimpleNamespace(rule=Normalization("row-l2", True, 1.0, 100))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small, large = (learn.coupling_for(trained, features(n), 0.1, exact_up_to=300) for n in (300, 301))
    assert isinstance(small, Learnt) and isinstance(large, LowRank)
    exact = Learnt(trained.network, features(301), trained.settings.rule).array
    assert compare(large, exact)[0] < 0.11  # the divisor at another size than the training's, too


@pytest.mark.parametrize(("kind", "noise"), [("degree", 1.0), ("row-l2", 0.0)])
def test_circular_variance_after_a_simulation(kind, noise):
    n, net = 2000, network(1, strength=1.0)
    x = features(n, 1)
    omega, start = noise * x[:, 0], np.random.default_rng(7).normal(np.pi, 1, n)
    rule, times = Normalization(kind, True, 1.0 if kind == "degree" else 20.0), np.linspace(2, 20, 10)
    runs = []
    for coupling in (Learnt(net, x, rule, "float32"), factorize(net, x, rule)):
        model = ip.PhaseModel(ip.kuramoto(), coupling, frequencies=omega)
        runs.append(ip.simulate(model, start, times=times, method="euler", step=0.1).phase.values)
    V = [1 - np.abs(np.exp(1j * phases).mean(axis=1)) for phases in runs]
    assert np.ptp(V[0]) > 0.05  # something happens
    assert np.max(np.abs(V[0] - V[1])) < 1e-3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"features": features(9)}, "at least 10 nodes"),
        ({"features": features(50, 3)}, "must have 2 columns"),
        ({"tolerance": 0.0}, "tolerance must be a positive"),
        ({"max_rank": 0}, "max_rank must be an integer >= 1"),
        ({"normalization": "softmax"}, "normalization must be one of"),
        ({"features": np.full((50, 2), np.nan)}, "features must be finite"),
    ],
)
def test_bad_arguments(given, said):
    with pytest.raises(ValueError, match=said):
        factorize(**{"network": network(), "features": features(50)} | given)


@pytest.mark.long
@pytest.mark.parametrize("name", ["case-1", "gmm-5"])
def test_ten_thousand_nodes_against_all_pairs(name):
    """A trained network at n = 10,000: the error, the field and V after 300 steps."""
    from inphase.learn import evaluate, problem, train

    found = train(problem(name, samples=2000, epochs=2))
    n, rule = 10_000, found.settings.rule
    nodes = problem(name).draw("test", n)
    exact = Learnt(found.network, nodes.features, rule, "float32")
    low = factorize(found.network, nodes.features, rule)
    squares, misses = 0.0, 0.0
    for first in range(0, n, 500):
        rows = exact.array[first : first + 500].astype(float)
        squares += float((rows**2).sum())
        misses += float(((low.left[first : first + 500] @ low.right.T - rows) ** 2).sum())
    assert low.reached
    assert abs(np.sqrt(misses / squares) - low.error) <= 4 * low.standard_error + low.scale_error
    phases = np.random.default_rng(0).normal(np.pi, 1, n)
    fields = [ip.PhaseModel(ip.kuramoto(), c).velocity(phases) for c in (exact, low)]
    assert np.linalg.norm(fields[0] - fields[1]) < 1e-2 * np.linalg.norm(fields[0])
    runs = [
        evaluate(found, n, graphs=1, burn_in=250, window=50, coupling=lambda *_, c=c: c) for c in (exact, low)
    ]
    assert abs(float(runs[0].variance[0]) - float(runs[1].variance[0])) < 1e-3


# ---------------------------------------------------------------------------------------------- large numbers


def test_bases_of_tall_matrices_in_single_precision():
    """By Gram matrices: orthonormal, and the matrix, also
    where its columns are nearly dependent, or all 0.
    """
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(3000, 40)) * 10.0 ** -np.linspace(0, 9, 40) @ rng.normal(size=(40, 40))
    for given in (matrix, 1e-20 * matrix, matrix[:, :3], 0 * matrix):
        Q, A = basis(given.astype(np.float32))
        assert Q.dtype == A.dtype == np.float32 and Q.shape[1] == len(A) <= given.shape[1]
        assert np.max(np.abs(Q.T @ Q - np.eye(Q.shape[1]))) < 1e-5
        assert np.linalg.norm(Q @ A - given) <= 3e-6 * np.linalg.norm(given)


def test_some_nodes_are_tried_first(monkeypatch):
    """Where there are many: the error of all is within the tolerance, and all are factorized once."""
    monkeypatch.setattr(low_rank, "PILOT", 500)
    monkeypatch.setattr(low_rank, "PILOTED", 2000)
    tried = []
    original = low_rank._Attempt.__init__

    def noted(self, entries, *rest):
        tried.append(len(entries.x))
        original(self, entries, *rest)

    monkeypatch.setattr(low_rank._Attempt, "__init__", noted)
    net, x = network(), features(2400)
    found = factorize(net, x, "degree", 1e-2)
    exact = Learnt(net, x, "degree").matrix(2400)
    assert found.reached and tried.count(2400) == 1 and set(tried) == {500, 2400}
    assert np.linalg.norm(found.matrix(2400) - exact) < 1.5e-2 * np.linalg.norm(exact)


def test_sums_in_single_precision_are_those_of_the_factors():
    net, x, phases = network(), features(600), np.random.default_rng(1).uniform(0, 6, (2, 600))
    found = factorize(net, x, "row-l2", 1e-2)
    size = float(np.max(np.abs(found.left) @ np.abs(found.right).sum(axis=0)))
    # the last by double precision
    for f in (ip.kuramoto(), ip.Interaction("sin(x) + 0.3*sin(2*x) - 0.2*sin(3*x)")):
        fast, exact = found.forces([f], phases)[0], LowRank(found.left, found.right).forces([f], phases)[0]
        assert np.max(np.abs(fast - exact)) < 1e-6 * size
