"""Distilled couplings: planted networks are found again,
errors and R² are honest, files, bad input, synchrony.
"""

import dataclasses
import json

import numpy as np
import pytest

import inphase as ip
from inphase.coupling.learnt.network import EPSILON, PairNetwork
from inphase.coupling.learnt.normalization import Normalization

pytest.importorskip("jax")
learn = pytest.importorskip("inphase.learn", exc_type=ImportError)
distillation = pytest.importorskip("inphase.learn.distillation")
distill, Distilled = distillation.distill, distillation.Distilled


def one_layer(own, other, out, activation="relu", shifts=None):
    """s = out · act(x own + y other + shifts), batch normalization taking no part."""
    own, other, out = (np.asarray(a, dtype=float) for a in (own, other, out))
    h = len(out)
    shifts = np.zeros(h) if shifts is None else np.asarray(shifts, dtype=float)
    return PairNetwork(
        own, other, [], [np.ones(h)], [shifts], [np.zeros(h)], [np.full(h, 1 - EPSILON)], out, activation
    )


def distance_network(c=-2.0):
    """s = c |x − y| of one feature."""
    return one_layer([[1, -1]], [[-1, 1]], [c, c])


def random_network(m=1, hidden=12, seed=3, activation="silu"):
    rng = np.random.default_rng(seed)
    own, other = rng.normal(size=(2, m, hidden))
    return one_layer(own, other, rng.normal(size=hidden), activation, rng.normal(size=hidden))


def trained(network, name="case-1", **changes):
    """A network as if it had been trained."""
    task = learn.problem(name, **changes)
    return learn.Trained(task, task.settings, [learn.Start(0, network)], 0)


def off_diagonal(matrix):
    return matrix[~np.eye(len(matrix), dtype=bool)]


# --------------------------------------------------------------------------------------------------- symbolic


def test_a_planted_distance_is_found():
    found = distill(trained(distance_network(-2.0)), terms=4, samples=100)
    assert found.count == 1
    assert list(found.coefficients) == ["1", "|ω_i − ω_j|"]
    assert found.coefficients["|ω_i − ω_j|"] == pytest.approx(-2, abs=1e-9)
    assert found.formula.endswith("− 2 |ω_i − ω_j|") or found.formula.endswith("− 2.00000 |ω_i − ω_j|")
    assert found.r_squared == pytest.approx(1, abs=1e-9)
    x = learn.problem("case-1").draw("test", 30).features
    K = trained(distance_network(-2.0)).coupling(x).matrix(30)
    assert np.allclose(found.coupling(x).matrix(30), K, rtol=1e-8, atol=0)  # the same normalization
    assert float(found.path.coupling_error[1]) < 1e-8 < float(found.path.coupling_error[0])


def test_several_planted_terms_of_two_features_one_way():
    # s = 1.5 |ω_i − ω_j| − 0.5 |b_j| + 0.8 b_i, not symmetric
    own = [[1, -1, 0, 0, 0, 0], [0, 0, 0, 0, 1, -1]]
    other = [[-1, 1, 0, 0, 0, 0], [0, 0, 1, -1, 0, 0]]
    network = one_layer(own, other, [1.5, 1.5, -0.5, -0.5, 0.8, -0.8])
    found = distill(trained(network, "case-2", normalization="none", symmetric=False), terms=5, samples=100)
    expected = {"1": 0.0, "|ω_i − ω_j|": 1.5, "|b_j|": -0.5, "b_i": 0.8}
    assert set(found.coefficients) == set(expected)
    for term, value in expected.items():
        assert found.coefficients[term] == pytest.approx(value, abs=1e-8), term
    assert found([0.5, 0.2], [-0.5, -0.4]) == pytest.approx(1.5 - 0.2 + 0.16, abs=1e-8)
    assert found.r_squared == pytest.approx(1, abs=1e-9)


def test_a_planted_formula_of_the_coupling_itself():
    # s = −2 |x − y|: exp(s) is no term, but a smooth function of the distance that a few terms fit
    scores = distill(trained(distance_network(-2.0)), terms=1, samples=100)
    strengths = distill(trained(distance_network(-2.0)), terms=6, samples=100, target="coupling")
    assert strengths.formula.startswith("K_ij/mean K = ")
    assert strengths.r_squared > 0.98
    x = learn.problem("case-1").draw("test", 40).features
    K, exact = strengths.coupling(x).matrix(40), scores.coupling(x).matrix(40)
    assert np.all(K >= 0) and K.sum() == pytest.approx(40)
    assert np.linalg.norm(K - exact) < 0.1 * np.linalg.norm(exact)


def test_where_a_fit_of_the_coupling_is_negative_nothing_is_coupled():
    found = distill(trained(distance_network(-9.0)), terms=1, samples=100, target="coupling")
    x = np.linspace(-1, 1, 40)[:, None]
    fitted = found(x[:, None], x[None])
    assert fitted.min() < 0
    K = found.coupling(x).matrix(40)
    assert np.all(K[fitted < 0] < 1e-9 * K.max()) and np.all(K >= 0)


def test_rows_are_fitted_up_to_a_positive_factor():
    scores = np.random.default_rng(0).normal(size=(20, 20))
    factors = np.random.default_rng(1).uniform(0.1, 5, (20, 1))
    for kind in ("row-l2", "row-l1"):
        rule = Normalization(kind)
        one, other = (distillation.fitting.target_of(s, rule, "score") for s in (scores, factors * scores))
        assert np.allclose(one, other, rtol=1e-12) and np.allclose(np.sign(one), np.sign(scores))
        assert np.allclose(rule.apply(one.copy()), rule.apply(scores.copy()), rtol=1e-12)
    for kind in ("degree", "none"):
        rule = Normalization(kind)
        made = rule.apply(distillation.fitting.target_of(scores, rule, "score"))
        assert np.allclose(made, rule.apply(scores.copy()), rtol=1e-12)
    made = distillation.fitting.target_of(scores, Normalization("degree"), "coupling")
    assert off_diagonal(made).mean() == pytest.approx(1)


def test_a_signed_score_by_rows():
    network = one_layer([[0, 0], [0, 0]], [[1, -1], [0, 0]], [3.0, -3.0])  # s = 3 ω_j
    found = distill(trained(network, "case-2", normalization="row-l2"), terms=3, samples=100)
    assert list(found.coefficients) == ["1", "ω_j"] and found.coefficients["ω_j"] > 0
    x = learn.problem("case-2").draw("test", 30).features
    expected = Normalization("row-l2", trained_size=100).apply(network.scores(x))
    assert np.allclose(found.coupling(x).matrix(30), expected, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize(("kind", "target"), [("none", "score"), ("degree", "score"), ("degree", "coupling")])
def test_standard_errors_are_those_of_other_samples(kind, target):
    """Of a fit that is not exact, the spread over independent samples of nodes is what the bootstrap says."""
    network = random_network()
    library = [distillation.Term(pair="absolute difference"), distillation.Term(pair="absolute sum")]
    values, errors = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        x = rng.uniform(-1, 1, (48, 1))
        fitted = distillation.fitting.target_of(0.5 * network.scores(x), Normalization(kind), target)
        sample = distillation.paths.Sample(x, fitted, True, target if kind == "degree" else None)
        model = distillation.paths.Symbols(sample, library, rng).path(2)[0][2]
        ordered = np.argsort([term.pair for term in model.terms])
        values.append([model.constant, *np.array(model.coefficients)[ordered]])
        errors.append([model.constant_error, *np.array(model.errors)[ordered]])
    ratio = np.mean(errors, axis=0) / np.std(values, axis=0, ddof=1)
    assert np.all((ratio > 0.6) & (ratio < 1.6)), ratio


@pytest.mark.parametrize("kind", ["symbolic", "separable"])
def test_r_squared_holds_on_fresh_nodes(kind):
    network = random_network(2)
    rule = Normalization("degree")
    found = distill(trained(network, "case-2"), terms=3, kind=kind, samples=160)
    x = learn.problem("case-2").draw("test", 300).features
    s = distillation.fitting.target_of(network.scores(x), rule, "score")
    wrong = off_diagonal(found.scores(x) - s)
    fresh = 1 - wrong.var() / off_diagonal(s).var()  # the mean of K on these nodes is another constant
    assert 0.3 < found.r_squared < 1
    assert abs(fresh - found.r_squared) < 4 * found.r_squared_error
    assert found.r_squared_error < 0.1


def test_more_terms_fit_better_and_one_standard_error_takes_the_fewest():
    found = distill(trained(random_network()), terms=5, samples=120)
    path = found.path
    assert list(path.terms.values) == list(range(len(found.models)))
    assert [len(model) for model in found.models] == list(range(len(found.models)))
    cross = path.cross_validated.values
    best = int(np.argmax(cross))
    within = np.flatnonzero(cross >= cross[best] - path.cross_validated_error.values[best])
    assert found.count == within[0]
    assert cross[1] > cross[0] and cross[found.count] > 0.9
    other = found.with_terms(1)
    assert other.count == 1 and len(other.coefficients) == 2 == len(other.errors) and found.count != 1


def test_the_library():
    x = np.random.default_rng(0).uniform(-1, 1, (9, 2))
    y = np.random.default_rng(1).uniform(-1, 1, (9, 2))
    symmetric = distillation.library(x, True)
    for term in symmetric:
        assert np.allclose(term.values(x, y), term.values(y, x), atol=1e-14), term
        assert distillation.Term.from_dict(json.loads(json.dumps(dataclasses.asdict(term)))) == term
    for terms in (symmetric, distillation.library(x, False)):
        texts = [term.text(["a", "b"]) for term in terms]
        assert len(set(texts)) == len(texts)
    assert {"(a_i − a_j)²", "|a_i| |a_j|", "(a_i b_j + b_i a_j)", "d_ij"} <= {
        term.text(["a", "b"]) for term in symmetric
    }


def test_a_formula_is_what_it_says():
    """Every term's text, read as arithmetic, gives its values."""
    from math import exp, tanh

    def value(text, u, v):
        for old, new in {"−": "-", "²": "**2", "³": "**3", "⁴": "**4", "·": "*"}.items():
            text = text.replace(old, new)
        for name in ("u_i", "u_j"):
            text = text.replace(f"|{name}|", f"abs({name})")
        for inner in ("u_i - u_j", "u_i + u_j"):
            text = text.replace(f"|{inner}|", f"abs({inner})")
        parts = text.replace(" + ", "+").replace(" - ", "-").replace(" ", "*")
        return eval(parts, {"exp": exp, "tanh": tanh, "sign": np.sign, "abs": abs, "u_i": u, "u_j": v})

    x = np.array([[-0.7], [0.4], [0.9]])
    for term in distillation.library(x, True) + distillation.library(x, False):
        for u, v in [(-0.7, 0.4), (0.4, 0.9)]:
            found = float(term.values(np.array([u]), np.array([v])))
            assert found == pytest.approx(value(term.text(["u"]), u, v), abs=1e-12), term.text(["u"])


# -------------------------------------------------------------------------------------------------- separable


def test_a_separable_network():
    """s = |x| + |y|: a constant and the eigenvalues ± the deviation of |x|, which is uniform on [0, 1]."""
    network = one_layer([[1, -1, 0, 0]], [[0, 0, 1, -1]], [1.0, 1, 1, 1])
    found = distill(trained(network, normalization="none"), terms=4, kind="separable", samples=300)
    first = found.with_terms(2).model
    assert np.allclose(np.abs(first.coefficients), 1 / np.sqrt(12), rtol=0, atol=4 * max(first.errors) + 1e-3)
    assert first.coefficients[0] * first.coefficients[1] < 0
    assert found.with_terms(2).r_squared > 0.999 > found.with_terms(1).r_squared
    assert np.allclose(first.explained, 0.5, atol=0.02)
    assert found.coefficients["1"] == pytest.approx(1, abs=4 * found.errors["1"])
    x = np.linspace(-0.9, 0.9, 7)[:, None]
    assert np.allclose(found.scores(x), np.abs(x) + np.abs(x.T), atol=0.05)
    u, v = first.functions(first.nodes)
    assert np.allclose((u**2).mean(axis=0), 1) and np.allclose(np.abs(u), np.abs(v))


def test_a_separable_network_of_two_features_one_way():
    network = random_network(2)
    found = distill(
        trained(network, "case-2", normalization="row-l2", symmetric=False),
        terms=8,
        kind="separable",
        samples=200,
    )
    x = learn.problem("case-2").draw("test", 40).features
    K = Normalization("row-l2", False, trained_size=100).apply(network.scores(x))
    assert np.linalg.norm(found.coupling(x).matrix(40) - K) < 0.1 * np.linalg.norm(K)
    errors = found.path.coupling_error.values
    assert errors[-1] < 0.2 * errors[1]
    assert sum(found.models[-1].explained) == pytest.approx(1, abs=0.01)
    pairs = found(x[:, None], x[None])
    assert np.allclose(pairs, found.scores(x), atol=1e-10)


# ---------------------------------------------------------------------------------------- files and bad input


@pytest.mark.parametrize("kind", ["symbolic", "separable"])
def test_files(kind, tmp_path):
    found = distill(trained(random_network(2), "case-2"), terms=3, kind=kind, samples=80)
    path = found.save(tmp_path / "k.json")
    again = Distilled.load(path)
    x = learn.problem("case-2").draw("test", 20).features
    for k in range(4):
        one, other = found.with_terms(k), again.with_terms(k)
        assert np.array_equal(one.scores(x), other.scores(x)) and one.formula == other.formula
    assert again.count == found.count and str(again) == str(found) and again.path.identical(found.path)
    assert again.normalization == found.normalization and again.about == found.about
    text = path.read_text(encoding="utf-8")
    assert json.loads(text)["formula"] == found.formula

    def refused(changed, message):
        other = tmp_path / "other.json"
        other.write_text(changed, encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            Distilled.load(other)

    refused(text[: len(text) // 2], "other.json is truncated")
    refused("[]", "format None")
    refused(json.dumps(json.loads(text) | {"format": 99}), "format 99")
    refused(
        json.dumps({k: v for k, v in json.loads(text).items() if k != "columns"}),
        "lacks or does not know 'columns'",
    )
    refused(json.dumps(json.loads(text) | {"kind": "pickled"}), "'pickled'")
    refused(json.dumps(json.loads(text) | {"count": 9}), "count must be <= 3")
    refused(json.dumps(json.loads(text) | {"columns": ["x"]}), "holds no distilled coupling")
    with pytest.raises(OSError, match=r"cannot read .*nowhere.json"):
        Distilled.load(tmp_path / "nowhere.json")


def test_bad_input():
    good = trained(random_network())
    for options, error, message in [
        ({"terms": 0}, ValueError, "terms must be an integer >= 1; got 0"),
        ({"terms": 2.5}, TypeError, "terms must be an integer"),
        ({"kind": "neural"}, ValueError, "kind must be one of symbolic, separable; got 'neural'"),
        ({"target": "phase"}, ValueError, "target must be one of score, coupling; got 'phase'"),
        ({"samples": 10}, ValueError, "samples must be an integer >= 80; got 10"),
        ({"seed": -1}, ValueError, "seed must be an integer >= 0"),
        ({"features": np.full((50, 1), np.nan)}, ValueError, "features must be finite; got nan"),
        ({"features": np.zeros((50, 3))}, ValueError, "features must have 1 columns"),
        ({"features": np.zeros((50, 1))}, ValueError, "at least 80 different nodes; got 1"),
    ]:
        with pytest.raises(error, match=message):
            distill(good, **options)
    with pytest.raises(TypeError, match="trained must be a Trained"):
        distill(good.network)
    with pytest.raises(ValueError, match="the same score"):
        distill(trained(distance_network(0.0)), samples=80)
    with pytest.raises(ValueError, match="target must be 'score' with the normalization 'row-l2'"):
        distill(trained(random_network(), normalization="row-l2"), target="coupling")
    nameless = learn.Trained(None, good.settings, good.starts, 0)
    with pytest.raises(ValueError, match="features must be given"):
        distill(nameless)
    x = np.random.default_rng(0).uniform(-1, 1, (80, 1))
    found = distill(nameless, terms=1, features=x).with_terms(1)
    assert "x1_i" in found.formula
    with pytest.raises(ValueError, match=r"y must have shape \(..., 1\)"):
        found([0.5], [0.5, 0.2])
    with pytest.raises(ValueError, match="x must be finite"):
        found([np.nan], [0.5])
    with pytest.raises(ValueError, match="features must have 1 columns"):
        found.coupling(np.zeros((4, 2)))
    with pytest.raises(ValueError, match="count must be <= 1"):
        found.with_terms(2)
    with pytest.raises(ValueError, match="the network must take 1 features, x1; got 2"):
        found.coupler(random_network(2), np.zeros((4, 2)), found.normalization)
    with pytest.raises(ValueError, match="problem must be given"):
        found.report(nameless)


# -------------------------------------------------------------------------------------------------- synchrony


def test_a_planted_coupling_is_simulated_as_the_networks():
    case = trained(distance_network(2.0), nodes=20)
    found = distill(case, terms=2, samples=100)
    options = {"graphs": 2, "burn_in": 50, "window": 5}
    one, other = learn.evaluate(case, coupling=found.coupler, **options), learn.evaluate(case, **options)
    assert np.allclose(one.final_phase, other.final_phase, rtol=0, atol=1e-6)
    nodes = case.problem.draw("test", 20)
    run = ip.simulate(nodes.model(found.coupling(nodes.features), case.settings), np.zeros(20), t_end=1.0)
    assert run.attrs["status"] == "finished"


def test_few_terms_of_a_trained_network_synchronize():
    """Case I, quickly trained: two terms of K synchronize fresh
    nodes about as well as the network; a constant does not.
    """
    case = learn.train(
        "case-1",
        nodes=50,
        samples=2500,
        epochs=2,
        hidden=(16, 16),
        optimizer="adam",
        rate=0.01,
        window=30,
        burn_in=60,
    )
    found = distill(case, terms=3, target="coupling", samples=120)
    table = found.report(case, terms=[0, 2], graphs=4, burn_in=200, window=20)
    network, control = float(table.network_variance[0]), float(table.untrained_variance[0])
    none, few = table.variance[0].values
    assert few < network + 0.05 < 0.5 * min(none, control)
    assert table.variance.dims == ("size", "terms") and list(table.terms.values) == [0, 2]
    assert np.all(table.variance_error > 0) and float(table.r_squared[1]) > 0.8
