"""Losses, gradients through the network, statistics, training, checkpoints and evaluation."""

import itertools
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

import inphase as ip
from inphase.coupling.learnt import Learnt
from inphase.coupling.normalization import NORMALIZATIONS, Normalization

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
learn = pytest.importorskip("inphase.learn", exc_type=ImportError)
losses, training, pairs = learn.losses, learn.training, learn.network

SMALL = {"nodes": 12, "samples": 36, "epochs": 2, "hidden": (6, 5), "burn_in": 5, "window": 4, "validation_graphs": 2}


# ------------------------------------------------------------------------------------------------------------------ losses


def plain_cluster_loss(phases, labels, k):
    """The formula as it stands, in complex numbers."""
    total = 0.0
    for row in phases:
        means = [np.exp(1j * row[labels == c]).mean() for c in range(k)]
        V = np.mean([1 - abs(m) for m in means])
        S = sum(abs(sum((m / abs(m)) ** g for m in means)) ** 2 / (2 * g * g * k) for g in range(1, k // 2 + 1))
        total += (V + S) / (1 + sum(k / (2 * g * g) for g in range(1, k // 2 + 1)))
    return total / len(phases)


@pytest.mark.parametrize("k", [2, 3, 5, 10])
def test_losses_by_their_formulas(k):
    rng = np.random.default_rng(k)
    phases, labels = rng.uniform(-9, 9, (3, 60)), np.arange(60) % k
    with jax.enable_x64(True):
        nodes = SimpleNamespace(labels=labels)
        found = jax.jit(lambda theta: losses.cluster_loss(k)(theta, nodes))(phases)
        assert float(found) == pytest.approx(plain_cluster_loss(phases, labels, k), rel=1e-12)
        V = np.mean(1 - np.abs(np.exp(1j * phases).mean(axis=1)))
        assert float(losses.circular_variance(phases)) == pytest.approx(V, rel=1e-12)


@pytest.mark.parametrize(("groups", "value"), [((5,), 0.7576), ((4, 1), 0.3697), ((3, 2), 0.1758), ((1, 1, 1, 1, 1), 0.0)])
def test_the_minima_of_five_clusters(groups, value):
    """Global sync, 4 + 1 and 3 + 2 antipodal clusters, and the splay state of KuraNet's GMM5."""
    places = np.repeat(2 * np.pi * np.arange(len(groups)) / len(groups), groups)
    phases, nodes = np.repeat(places, 3)[None], SimpleNamespace(labels=np.repeat(np.arange(5), 3))
    assert float(losses.cluster_loss(5)(phases, nodes)) == pytest.approx(value, abs=5e-5)


def test_a_class_that_is_absent_is_left_out():
    labels = np.array([0, 0, 2, 2, -1])  # class 1 has no node here, and the last node no class
    phases = np.array([[0.0, 0.0, np.pi, np.pi, 1.0]])
    loss = losses.cluster_loss(3)
    value, slope = jax.jit(jax.value_and_grad(lambda theta: loss(theta, SimpleNamespace(labels=labels))))(phases)
    assert float(value) == pytest.approx(0, abs=1e-6) and np.all(np.isfinite(slope))


def test_slopes_where_the_mean_vanishes():
    two = np.array([[0.0, np.pi]])
    assert np.all(np.isfinite(jax.grad(losses.circular_variance)(jnp.asarray(two))))


# --------------------------------------------------------------------------------------------------------------- gradients


def task(loss, normalization, lags, **changes):
    given = {"nodes": 6, "samples": 6, "hidden": (4, 3), "burn_in": 0, "window": 5, "step": 0.3, "dtype": "float64"}
    given |= {"activation": "tanh", "loss": loss, "normalization": normalization, "degree": 2.0, "start": "uniform"}
    rng = np.random.default_rng(5)
    nodes = learn.Nodes(
        rng.normal(size=(6, 2)),
        rng.normal(size=6),
        rng.normal(size=6),
        rng.integers(0, lags + 1, 6).astype(np.int32),
        (np.arange(6) % 3).astype(np.int32),
    )
    problem = learn.Problem("made", ("x", "y"), lambda *_: nodes, learn.Settings(**given | changes), 3, lags)
    return training.task_of(problem), nodes, rng.uniform(0, 6, 6)


def directional(made, nodes, phases, parameters):
    """(gradient · d, central difference of fourth order along d) for random directions d of every parameter."""
    loss = jax.jit(lambda p: training.loss_of(p, nodes, phases, made)[0])
    gradient = jax.jit(jax.grad(lambda p: training.loss_of(p, nodes, phases, made)[0]))(parameters)
    leaves, shape = jax.tree.flatten(parameters)
    slopes, rng, step = jax.tree.leaves(gradient), np.random.default_rng(0), 1e-3
    for k, leaf in enumerate(leaves):
        d = rng.normal(size=np.shape(leaf))
        d /= np.linalg.norm(d)

        def at(by, k=k, d=d):
            return float(loss(jax.tree.unflatten(shape, [x + by * step * d if i == k else x for i, x in enumerate(leaves)])))

        yield float(np.sum(slopes[k] * d)), (at(-2) - 8 * at(-1) + 8 * at(1) - at(2)) / (12 * step)


@pytest.mark.parametrize(
    ("loss", "normalization", "lags"),
    [
        pytest.param(*case, marks=[] if k in (3, 8) else pytest.mark.long)
        for k, case in enumerate(itertools.product(("circular-variance", "cluster"), NORMALIZATIONS, (0, 3)))
    ],
)
def test_gradients_against_finite_differences(loss, normalization, lags):
    with jax.enable_x64(True):
        made, nodes, phases = task(loss, normalization, lags)
        parameters, _ = pairs.initial(2, (4, 3), np.random.default_rng(1), dtype=np.float64)
        for found, expected in directional(made, nodes, phases, parameters):
            assert found == pytest.approx(expected, rel=1e-6, abs=1e-8)


@pytest.mark.long
def test_no_gradient_from_the_burn_in():
    """With it, the gradient is that of the window alone, from where the burn-in ended."""
    with jax.enable_x64(True):
        made, nodes, phases = task("circular-variance", "degree", 0, burn_in=7)
        after, _, _ = task("circular-variance", "degree", 0)
        parameters, _ = pairs.initial(2, (4, 3), np.random.default_rng(1), dtype=np.float64)
        scores, _ = pairs.training_scores(parameters, nodes.features, "tanh")
        K = pairs.normalized(scores, made.settings.rule)
        model = nodes.model(ip.coupling.Dense(K), made.settings)
        moved = ip.simulate(model, phases, times=[2.1], method="euler", step=0.3).phase.values[-1]
        one, other = (
            jax.jit(jax.grad(lambda p, t=t, s=s: training.loss_of(p, nodes, s, t)[0]))(parameters)
            for t, s in ((made, phases), (after, moved))
        )
        for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other)):
            assert np.allclose(a, b, rtol=1e-8, atol=1e-12)


# ----------------------------------------------------------------------------------------------------------------- network


def test_statistics_are_those_of_all_pairs(monkeypatch):
    """Against the network layer by layer on the list of all n² pairs; and the same in parts as at once."""
    x = np.random.default_rng(2).normal(size=(12, 3))
    with jax.enable_x64(True):
        parameters, _ = pairs.initial(3, (6, 5, 4), np.random.default_rng(3), dtype=np.float64)

        def cubes(p):
            scores, moments = pairs.training_scores(p, x, "leaky_relu")
            return jnp.sum(scores**3), (scores, moments)

        gradient, (found, statistics) = jax.jit(jax.grad(cubes, has_aux=True))(parameters)
        monkeypatch.setattr(pairs, "PAIRS", 50)
        again, (parts, same) = jax.jit(lambda p: jax.grad(cubes, has_aux=True)(p))(parameters)
    h = np.array([np.concatenate([a, b]) for a in x for b in x])
    for k, matrix in enumerate([np.concatenate([parameters["own"], parameters["other"]]), *parameters["weights"]]):
        z = h @ matrix
        assert np.allclose(statistics["means"][k], z.mean(axis=0), atol=1e-13)
        assert np.allclose(statistics["variances"][k], z.var(axis=0), atol=1e-13)
        z = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5)
        h = np.where(z > 0, z, 0.01 * z)
    assert np.allclose(found, (h @ parameters["out"]).reshape(12, 12), atol=1e-12)
    assert np.allclose(parts, found, atol=1e-12)
    for one, other in zip(jax.tree.leaves((statistics, gradient)), jax.tree.leaves((same, again))):
        assert np.allclose(one, other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("activation", list(pairs.ACTIVATIONS))
def test_both_engines_compute_one_coupling(activation):
    rng = np.random.default_rng(4)
    with jax.enable_x64(True):
        parameters, statistics = pairs.initial(2, (7, 5), rng, dtype=np.float64)
        statistics = {"means": [rng.normal(size=h) for h in (7, 5)], "variances": [rng.uniform(0.5, 2, h) for h in (7, 5)]}
        x = rng.normal(size=(9, 2))
        scores = jax.jit(lambda p, s: pairs.scores(p, s, x, activation))(parameters, statistics)
        for kind, symmetric in itertools.product(NORMALIZATIONS, (True, False)):
            rule = Normalization(kind, symmetric, 1.5, trained_size=4)
            traced = pairs.normalized(scores, rule)
            plain = Learnt(pairs.as_network(parameters, statistics, activation), x, rule).matrix(9)
            assert np.allclose(traced, plain, rtol=1e-11, atol=1e-13)
    network = pairs.as_network(parameters, statistics, activation)
    for one, other in zip(jax.tree.leaves(pairs.as_parameters(network, float)), jax.tree.leaves((parameters, statistics))):
        assert np.array_equal(one, other)


def test_running_statistics():
    old = {"means": [np.array([1.0])], "variances": [np.array([2.0])]}
    new = {"means": [np.array([3.0])], "variances": [np.array([4.0])]}
    found = pairs.follow(old, new, pairs=5)
    assert found["means"][0] == pytest.approx(1.2) and found["variances"][0] == pytest.approx(0.9 * 2 + 0.1 * 4 * 5 / 4)


# ---------------------------------------------------------------------------------------------------------------- training


@pytest.fixture(scope="module")
def found():
    return learn.train("case-1", starts=2, seed=3, **SMALL)


def same(one, other):
    arrays = zip(one.network.arrays().values(), other.network.arrays().values())
    return one.loss == other.loss and one.judged == other.judged and all(np.array_equal(a, b) for a, b in arrays)


def test_training_lowers_the_loss():
    given = {"nodes": 20, "samples": 400, "epochs": 3, "hidden": (16, 16), "optimizer": "adam", "rate": 0.01}
    task = learn.problem("case-1", burn_in=60, window=20, validation_graphs=4, **given)
    trained = learn.train(task, seed=1)
    before, after = (learn.evaluate(t, graphs=4, burn_in=200) for t in (learn.untrained(task, seed=1), trained))
    assert float(after.loss.mean()) < 0.5 * float(before.loss.mean())
    assert np.allclose(after.loss, after.variance, rtol=1e-12)  # V is the loss here


def test_seeds(found):
    again = learn.train("case-1", starts=2, seed=3, **SMALL)
    assert all(same(a, b) for a, b in zip(found.starts, again.starts))
    assert not same(*found.starts)
    assert not same(found.starts[0], learn.train("case-1", seed=4, **SMALL).starts[0])
    assert found.chosen.best == min(start.best for start in found.starts)
    assert [len(s.loss) for s in found.starts] == [6, 6] and [row[0] for row in found.chosen.judged] == [3, 6]


def test_a_trained_coupling_in_both_engines(found):
    """`evaluate` goes by `simulate`; the traced steps with the same coupling find the same phases: 100 + 50 of them."""
    nodes = learn.problem("case-3").draw("test", 12)
    settings = learn.problem("case-3").settings
    network = learn.train("case-3", **SMALL).network
    coupling = Learnt(network, nodes.features, settings.rule)
    with jax.enable_x64(True):
        made = training.task_of(learn.problem("case-3"))
        window = training._window(jnp.asarray(coupling.matrix(12)), nodes, jnp.zeros(12), made)
    times = 0.1 * np.arange(101, 151)
    model = nodes.model(coupling, settings)
    run = ip.simulate(model, np.zeros(12), times=times, method="euler", step=0.1)
    assert model.has_delays and window.shape == (50, 12)
    assert np.max(np.abs(np.asarray(window) - run.phase.values)) < 1e-9


def test_evaluation(found):
    given = learn.evaluate(found, n=15, graphs=2, burn_in=30, window=5, seed=2)
    nodes = found.problem.draw("test", 30, 2).take(slice(15, 30))
    model = nodes.model(found.coupling(nodes.features), found.settings)
    phases = ip.simulate(model, np.zeros(15), times=0.1 * np.arange(31, 36), method="euler", step=0.1).phase.values
    assert float(given.variance[1]) == pytest.approx(np.mean(1 - np.abs(np.exp(1j * phases).mean(axis=1))), rel=1e-12)
    assert np.allclose(given.final_phase[1], phases[-1], atol=1e-12)
    other = learn.evaluate(found, n=15, graphs=1, burn_in=30, window=5, coupling=lambda net, x, rule: ip.AllToAll())
    assert 0 < float(other.variance[0]) < 1 and float(other.variance[0]) != float(given.variance[0])


def test_single_precision_at_large_sizes(found, monkeypatch):
    """What n = 10,000 does, at n = 60."""
    double = learn.evaluate(found, n=60, graphs=1, burn_in=50)
    monkeypatch.setattr("inphase.learn.evaluation.SINGLE_FROM", 10)
    single = learn.evaluate(found, n=60, graphs=1, burn_in=50)
    assert 0 < abs(float(single.variance[0] - double.variance[0])) < 1e-4


def test_save_and_load(found, tmp_path):
    path = found.save(tmp_path / "trained.npz")
    loaded = learn.Trained.load(path)
    assert loaded.problem.name == "case-1" and loaded.settings.to_dict() == found.settings.to_dict()
    assert same(loaded.chosen, found.chosen) and len(loaded.starts) == 2
    assert np.array_equal(learn.evaluate(loaded, burn_in=5).loss, learn.evaluate(found, burn_in=5).loss)
    nodes = found.problem.draw("test", 12)
    assert np.array_equal(Learnt.load(path, nodes.features).matrix(12), found.coupling(nodes.features).matrix(12))


@pytest.mark.long
def test_the_users_loss_and_interaction():
    def spread(phases, nodes):
        return jnp.mean((phases[-1] - nodes.features[:, 0]) ** 2)

    trained = learn.train("case-1", loss=spread, interaction=ip.sakaguchi(0.3), method="heun", **SMALL)
    assert np.all(np.isfinite(trained.chosen.loss)) and trained.chosen.loss != trained.chosen.variance
    assert learn.evaluate(trained, burn_in=5).loss.shape == (10,)


# -------------------------------------------------------------------------------------------------- checkpoints and endings

SCRIPT = """
import sys
from inphase import learn
learn.train("case-3", starts=2, seed=3, folder=sys.argv[1], validate_every=2, epochs=100, **{given})
"""


def test_resume_after_a_kill(tmp_path):
    """A process killed in the middle of its second start goes on with the numbers it would have had."""
    given = {name: value for name, value in SMALL.items() if name != "epochs"}
    code = SCRIPT.format(given=given)
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=os.environ | {"JAX_PLATFORMS": "cpu"})
    deadline = time.monotonic() + 120
    while not (tmp_path / "start-001.npz").exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL and not (tmp_path / "trained.npz").exists()
    reports = []
    again = learn.train(
        "case-3", starts=2, seed=3, folder=tmp_path, validate_every=2, epochs=100, watch=reports.append, **given
    )
    assert reports[0]["start"] == 1 and reports[0]["update"] > 2  # it did go on, and not from the start
    whole = learn.train("case-3", starts=2, seed=3, validate_every=2, epochs=100, **given)
    assert [s.status for s in again.starts] == ["finished", "finished"]
    assert all(same(a, b) for a, b in zip(again.starts, whole.starts))


def test_interrupt_and_go_on(tmp_path, found):
    def stop(report):
        raise KeyboardInterrupt

    first = learn.train("case-1", starts=2, seed=3, folder=tmp_path, watch=stop, **SMALL)
    assert [s.status for s in first.starts] == ["interrupted"] and len(first.starts[0].loss) == 3
    again = learn.train("case-1", starts=2, seed=3, folder=tmp_path, **SMALL)
    assert all(same(a, b) for a, b in zip(again.starts, found.starts))


def test_checkpoints_of_another_training_and_truncated_ones(tmp_path):
    learn.train("case-1", seed=3, folder=tmp_path, **SMALL)
    with pytest.raises(ValueError, match=r"is of another training: rate was 0\.0005, now 0\.01"):
        learn.train("case-1", seed=3, folder=tmp_path, rate=0.01, **SMALL)
    path = tmp_path / "start-000.npz"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"start-000\.npz is truncated"):
        learn.train("case-1", seed=3, folder=tmp_path, **SMALL)
    assert path.read_bytes() == content[: len(content) // 2] and (tmp_path / "trained.npz").exists()


@pytest.mark.long
def test_early_stopping_and_losses_that_are_not_finite():
    given = SMALL | {"epochs": 30, "rate": 1e-30}  # nothing changes but the statistics
    stopped = learn.train("case-1", patience=2, loss=lambda phases, nodes: phases.sum() * 0 + 1.0, **given).chosen
    assert stopped.status == "stopped early" and len(stopped.judged) == 3
    broken = learn.train("case-1", loss=lambda phases, nodes: jnp.log(-1 - phases.sum() ** 2), **SMALL)
    assert broken.chosen.status == "not finite" and broken.chosen.best == np.inf


def test_progress(capsys):
    learn.train("case-1", progress=True, **SMALL)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and lines[0].startswith("start 1/1, update 3/6: loss 0.") and lines[1].endswith("0 s left")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: learn.train("case-4"), ValueError, "problem must be one of case-1"),
        (lambda: learn.train(3), TypeError, "problem must be a Problem or the name of one"),
        (lambda: learn.train("case-1", rat=0.1), TypeError, "unknown setting 'rat'; it must be one of nodes, samples"),
        (lambda: learn.train("case-1", rate=-1), ValueError, "rate must be a positive, finite number; got -1"),
        (lambda: learn.train("case-1", samples=50), ValueError, "samples must be >= nodes = 100; got 50"),
        (lambda: learn.train("case-1", starts=0), ValueError, "starts must be an integer >= 1; got 0"),
        (lambda: learn.train("case-1", loss="cluster"), ValueError, "needs labels of at least 2 classes; got 0"),
        (lambda: learn.train("case-3", method="rk4"), ValueError, "with delays, method must be one of euler, heun"),
        (lambda: learn.train("case-1", hidden=()), ValueError, "hidden must name the size of at least one layer"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_without_jax(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("inphase.learn")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ImportError, match=r"^learning needs JAX: pip install 'inphase\[learn\]'$"):
        __import__("inphase.learn")


def test_losses_of_phases_that_are_not_finite_are_not_finite():
    phases = np.array([[0.0, np.nan, 1.0]])
    assert np.isnan(float(learn.circular_variance(phases)))
