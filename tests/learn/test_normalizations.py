"""A normalization is one record: with a new one all engines work, and say the same."""

import numpy as np
import pytest

from inphase.coupling.learnt import Learnt, Normalization, PairNetwork, factorize
from inphase.coupling.learnt.normalization import NORMALIZATIONS, Recipe

NEW = {
    "row-l3": Recipe("score", "row", 3),
    "row-l3, per node": Recipe("score", "row", 3, per_node=True),
    "row-l1.5": Recipe("score", "row", 1.5),
    "softmax": Recipe("exp", "row"),
    "exp, row-l2": Recipe("exp", "row", 2, per_node=True),
    "exp, all-l2": Recipe("exp", "all", 2),
    "all-l1": Recipe("score", "all", per_node=True),
    "all-l3": Recipe("score", "all", 3),
}
every = pytest.mark.parametrize("kind", [*NORMALIZATIONS, *NEW])
new = pytest.mark.parametrize("kind", NEW)
each = pytest.mark.parametrize("symmetric", [True, False])
N_0, DEGREE = 4, 1.7


@pytest.fixture(autouse=True)
def records(monkeypatch):
    for kind, recipe in NEW.items():
        monkeypatch.setitem(NORMALIZATIONS, kind, recipe)


def network(m=2, hidden=16, strength=2.0):
    rng = np.random.default_rng(0)
    own, other = rng.normal(size=(2, m, hidden)) / np.sqrt(m)
    ones, nothing, shift = [np.ones(hidden)], [np.zeros(hidden)], [rng.normal(size=hidden) * 0.5]
    return PairNetwork(
        own, other, [], ones, shift, nothing, ones, strength * rng.normal(size=hidden) / np.sqrt(hidden)
    )


def features(n, seed=1):
    return np.random.default_rng(seed).uniform(-1, 1, (n, 2))


def by_definition(scores, kind, symmetric):
    """Entry by entry, without shifts."""
    recipe, n = NORMALIZATIONS[kind], len(scores)
    p = recipe.power
    w = np.exp(scores) if recipe.weight == "exp" else scores
    rows = np.array([sum(abs(value) ** p for value in row) ** (1 / p) for row in w])
    norms = {"row": rows, "all": np.full(n, np.mean(rows**p) ** (1 / p)), "nothing": np.ones(n)}[
        recipe.normed
    ]
    time = n * (N_0 / n) ** (1 / p) if recipe.normed == "row" else n
    K = DEGREE * w / norms[:, None] / (time if recipe.per_node else 1.0)
    return (K + K.T) / 2 if symmetric else K


@every
@each
def test_by_definition_in_both_engines(kind, symmetric):
    jax = pytest.importorskip("jax")
    from inphase.learn.network import normalized

    scores = np.random.default_rng(3).normal(size=(9, 9)) * 2
    rule = Normalization(kind, symmetric, DEGREE, N_0)
    expected = by_definition(scores, kind, symmetric)
    assert np.allclose(rule.apply(scores.copy()), expected, rtol=1e-13, atol=0)
    single = rule.apply(scores.astype(np.float32))
    assert single.dtype == np.float32 and np.allclose(single, expected, rtol=1e-5, atol=1e-6)
    with jax.enable_x64(True):
        assert np.allclose(normalized(jax.numpy.asarray(scores), rule), expected, rtol=1e-12, atol=0)


@every
def test_gradients_against_finite_differences(kind):
    jax = pytest.importorskip("jax")
    from inphase.learn.network import normalized

    rng = np.random.default_rng(5)
    scores, direction, weights = rng.normal(size=(3, 6, 6))
    rule, eps = Normalization(kind, True, DEGREE, N_0), 1e-5
    up, down = (rule.apply(scores + sign * eps * direction) for sign in (1, -1))
    with jax.enable_x64(True):
        gradient = jax.grad(lambda s: (weights * normalized(s, rule)).sum())(scores)
        along = float((gradient * direction).sum())
    slope = float((weights * (up - down)).sum() / (2 * eps))
    assert along == pytest.approx(slope, rel=1e-6, abs=1e-9)


@every
def test_a_row_of_zeros_has_a_gradient_in_single_precision(kind):
    jax = pytest.importorskip("jax")
    from inphase.learn.network import normalized

    scores = np.random.default_rng(6).normal(size=(5, 5)).astype(np.float32)
    scores[2] = 0
    gradient = jax.grad(lambda s: (normalized(s, Normalization(kind)) ** 2).sum())(scores)
    assert np.all(np.isfinite(gradient))


@every
def test_scores_of_zero_give_the_same_in_both_engines(kind):
    """Where all scores are 0, weights that are scores give K = 0, exponentials the uniform K."""
    jax = pytest.importorskip("jax")
    from inphase.learn.network import normalized

    rule = Normalization(kind, True, DEGREE)
    K, traced = rule.apply(np.zeros((4, 4))), normalized(jax.numpy.zeros((4, 4)), rule)
    assert np.allclose(K, traced, rtol=1e-5, atol=0) and np.ptp(K) == 0
    assert (K[0, 0] > 0) == (NORMALIZATIONS[kind].weight == "exp")


@every
@each
def test_low_rank_against_all_pairs(kind, symmetric):
    n, net, rule = 900, network(), Normalization(kind, symmetric, DEGREE, N_0)
    exact = Learnt(net, features(n), rule).array
    found = factorize(net, features(n), rule, 2e-2, seed=3)
    true = np.linalg.norm(found.left @ found.right.T - exact) / np.linalg.norm(exact)
    slack = found.scale_error if rule.recipe.by_all else 0.0
    assert found.reached and found.rank < 100 and true < 3e-2
    assert abs(true - found.error) <= 4 * found.standard_error + slack


@pytest.mark.parametrize("kind", ["softmax", "exp, row-l2"])
def test_rows_of_very_different_exponentials_have_norms_of_their_own(kind):
    """Scores of some nodes are below those of others by 200, beyond what exponentials of single precision span."""
    net, x = network(strength=1.0), features(600)
    steep = PairNetwork(
        np.hstack([net.own, [[100.0], [0.0]]]),
        np.hstack([net.other, [[0.0], [0.0]]]),
        [],
        *([np.append(part[0], last)] for part, last in zip((net.scales, net.shifts), (1.0, 200.0))),
        [np.zeros(17)],
        [np.ones(17)],
        np.append(net.out, 1.0),
    )
    rule = Normalization(kind, False)
    assert np.ptp(steep.scores(x).max(axis=1)) > 150
    exact, found = Learnt(steep, x, rule).array, factorize(steep, x, rule, 1e-2)
    rows = np.linalg.norm(found.left @ found.right.T - exact, axis=1) / np.linalg.norm(exact, axis=1)
    assert found.reached and rows.max() < 5e-2


@new
@each
def test_a_probe_with_the_features_of_a_node_listens_as_it_does(kind, symmetric):
    landscape = pytest.importorskip("inphase.learn.analyses.landscape", exc_type=ImportError)
    net, x, rule = network(), features(9), Normalization(kind, symmetric, DEGREE, N_0)
    K = Learnt(net, x, rule).array
    found = landscape.probe_coupling(net, x, x[[4, 1]], rule)
    assert np.allclose(found, K[[4, 1]], rtol=1e-12, atol=0)


@every
def test_what_is_distilled_gives_the_same_coupling(kind):
    """Factors of rows, or constants where weights are exponentials, change nothing in what is fitted, nor in K."""
    fitting = pytest.importorskip("inphase.learn.distillation.fitting", exc_type=ImportError)
    rng = np.random.default_rng(7)
    scores, rule = rng.normal(size=(20, 20)), Normalization(kind, symmetric=False)
    recipe = rule.recipe
    free = rng.uniform(0.2, 3, (20, 1)) if recipe.by_row else 1.5 if recipe.exponential else 1.0
    changed = scores + free if recipe.exponential else scores * free
    one, other = (fitting.target_of(s, rule, "score") for s in (scores, changed))
    assert np.allclose(one, other, rtol=1e-9, atol=1e-12)
    assert np.allclose(rule.apply(one.copy()), rule.apply(scores.copy()), rtol=1e-11)


def test_settings_files_and_pages_know_a_new_name(tmp_path):
    learn = pytest.importorskip("inphase.learn", exc_type=ImportError)
    from inphase.coupling.learnt import load_network, save_network

    task = learn.problem(
        "case-2", normalization="row-l3, per node", nodes=30, samples=90, epochs=1, hidden=(4,)
    )
    found = learn.train(task)
    assert found.settings.rule.recipe is NEW["row-l3, per node"]
    assert (
        load_network(save_network(tmp_path / "n.npz", found.network, found.settings.rule))[1].trained_size
        == 30
    )
    with pytest.raises(ValueError, match=r"normalization must be one of degree, .*row-l3"):
        Normalization("row-l4")
    with pytest.raises(ValueError, match="got 'coupling', which is for 'degree', 'exp, all-l2'"):
        learn.distill(found, target="coupling")
    for kind, words in (("row-l3", "degree 1.7"), ("row-l3, per node", "degree 1.7, time as at n = 4")):
        facts = dict(Learnt(network(), features(5), Normalization(kind, False, DEGREE, N_0)).about())
        assert facts["normalization"] == f"{kind}, {words}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("tanh", "row"), "weight must be one of score, exp"),
        (("score", "column"), "normed must be one of all, row, nothing"),
        (("score", "row", 0.5), "power must be >= 1"),
        (("exp", "nothing"), "normed must be 'all' or 'row' where the weight is 'exp'"),
    ],
)
def test_bad_records(given, said):
    with pytest.raises(ValueError, match=said):
        Recipe(*given)
