"""Losses, gradients through the network, statistics, training, checkpoints and evaluation."""

import itertools
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

import inphase as ip
from inphase.coupling.learnt.coupling import Learnt, save_arrays
from inphase.coupling.learnt.normalization import NORMALIZATIONS, Normalization

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
learn = pytest.importorskip("inphase.learn", exc_type=ImportError)
losses, training, pairs, parallel = learn.losses, learn.training, learn.network, learn.parallel

SMALL = {
    "nodes": 12,
    "samples": 36,
    "epochs": 2,
    "hidden": (6, 5),
    "burn_in": 5,
    "window": 4,
    "validation_graphs": 2,
}


# ----------------------------------------------------------------------------------------------------- losses


def plain_cluster_loss(phases, labels, k):
    """The formula as it stands, in complex numbers."""
    total = 0.0
    for row in phases:
        means = [np.exp(1j * row[labels == c]).mean() for c in range(k)]
        V = np.mean([1 - abs(m) for m in means])
        S = sum(
            abs(sum((m / abs(m)) ** g for m in means)) ** 2 / (2 * g * g * k) for g in range(1, k // 2 + 1)
        )
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


@pytest.mark.parametrize(
    ("groups", "value"), [((5,), 0.7576), ((4, 1), 0.3697), ((3, 2), 0.1758), ((1, 1, 1, 1, 1), 0.0)]
)
def test_the_minima_of_five_clusters(groups, value):
    """Global sync, 4 + 1 and 3 + 2 antipodal clusters, and the splay state of KuraNet's GMM5."""
    places = np.repeat(2 * np.pi * np.arange(len(groups)) / len(groups), groups)
    phases, nodes = np.repeat(places, 3)[None], SimpleNamespace(labels=np.repeat(np.arange(5), 3))
    assert float(losses.cluster_loss(5)(phases, nodes)) == pytest.approx(value, abs=5e-5)


def test_a_class_that_is_absent_is_left_out():
    labels = np.array([0, 0, 2, 2, -1])  # class 1 has no node here, and the last node no class
    phases = np.array([[0.0, 0.0, np.pi, np.pi, 1.0]])
    loss = losses.cluster_loss(3)
    value, slope = jax.jit(jax.value_and_grad(lambda theta: loss(theta, SimpleNamespace(labels=labels))))(
        phases
    )
    assert float(value) == pytest.approx(0, abs=1e-6) and np.all(np.isfinite(slope))


def test_target_losses_by_their_formulas():
    """Against NumPy, on phases that drift: frequencies from
    the ends of the window, order parameters at each time.
    """
    rng = np.random.default_rng(0)
    speeds, labels = rng.normal(1, 0.3, 40), np.arange(40) % 3
    phases = rng.uniform(0, 6, 40) + 0.2 * np.arange(25)[:, None] * speeds
    nodes = SimpleNamespace(labels=labels)
    R = [np.abs(np.exp(1j * phases[:, labels == c]).mean(axis=1)) for c in range(3)]
    whole = np.abs(np.exp(1j * phases).mean(axis=1))
    off = (1 - whole).mean() + ((speeds.mean() - 0.7) ** 2 + speeds.var()) / 0.25
    apart = np.mean((1 - R[2]) / 2 + np.maximum(0, R[0] - 0.05) / 0.95 / 2)
    with jax.enable_x64(True):
        found = [
            losses.TargetFrequency(0.7, width=0.5).fitted(0, 0.2)(phases, nodes),
            losses.TargetOrder(0.4)(phases, nodes),
            losses.Chimera(2, 0, 0.05)(phases, nodes),
        ]
    assert np.allclose(found, [off, np.mean((whole - 0.4) ** 2), apart], rtol=1e-12)


def test_effective_neighbors():
    rng = np.random.default_rng(1)
    K = rng.normal(size=(8, 8)) * 10.0 ** rng.integers(-9, 9, (8, 1))
    others = [np.abs(np.delete(row, i)) for i, row in enumerate(K)]
    wanted = np.mean([row.sum() ** 2 / (row**2).sum() for row in others])
    with jax.enable_x64(True):
        assert float(losses.effective_neighbors(K)) == pytest.approx(wanted, rel=1e-12)
        assert float(losses.effective_neighbors(np.kron(np.eye(2), np.ones((4, 4))))) == pytest.approx(
            3, rel=1e-14
        )
    assert float(
        losses.effective_neighbors(np.float32(1e-25) * np.ones((4, 4), np.float32))
    ) == pytest.approx(3, rel=1e-6)
    slope = jax.grad(losses.effective_neighbors)(jnp.zeros((3, 3)))
    assert float(losses.effective_neighbors(np.zeros((3, 3)))) == 0 and np.all(np.isfinite(slope))


TARGETS = (losses.TargetFrequency(0.5), losses.TargetOrder(0.3), losses.Chimera(2, 1, 0.1))


@pytest.mark.parametrize("loss", [*TARGETS, losses.cluster_loss(3)], ids=lambda loss: loss.name)
def test_losses_with_parameters_are_values(loss):
    """Equal where their parameters are, also through JSON, settings and pickle; and so compiled once."""
    again = losses.from_dict(json.loads(json.dumps(loss.to_dict())))
    assert again == loss and hash(again) == hash(loss) and pickle.loads(pickle.dumps(loss)) == loss
    settings = learn.Settings(loss=loss.to_dict())
    assert (
        settings.loss == loss
        and learn.Settings.from_dict(json.loads(json.dumps(settings.to_dict()))).loss == loss
    )
    one, other = (learn.problem("gmm-3", loss=given) for given in (loss, again))
    assert training.task_of(one) == training.task_of(other)


def test_slopes_where_the_mean_vanishes():
    two = np.array([[0.0, np.pi]])
    assert np.all(np.isfinite(jax.grad(losses.circular_variance)(jnp.asarray(two))))


# -------------------------------------------------------------------------------------------------- gradients


def task(loss, normalization, lags, **changes):
    given = {
        "nodes": 6,
        "samples": 6,
        "hidden": (4, 3),
        "burn_in": 0,
        "window": 5,
        "step": 0.3,
        "dtype": "float64",
    }
    given |= {
        "activation": "tanh",
        "loss": loss,
        "normalization": normalization,
        "degree": 2.0,
        "start": "uniform",
    }
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
    """(gradient · d, central difference of fourth order
    along d) for random directions d of every parameter.
    """
    loss = jax.jit(lambda p: training.loss_of(p, nodes, phases, made)[0])
    gradient = jax.jit(jax.grad(lambda p: training.loss_of(p, nodes, phases, made)[0]))(parameters)
    leaves, shape = jax.tree.flatten(parameters)
    slopes, rng, step = jax.tree.leaves(gradient), np.random.default_rng(0), 1e-3
    for k, leaf in enumerate(leaves):
        d = rng.normal(size=np.shape(leaf))
        d /= np.linalg.norm(d)

        def at(by, k=k, d=d):
            return float(
                loss(
                    jax.tree.unflatten(
                        shape, [x + by * step * d if i == k else x for i, x in enumerate(leaves)]
                    )
                )
            )

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


@pytest.mark.parametrize(
    ("loss", "normalization", "changes"),
    [
        (TARGETS[0], "degree", {"symmetric": False, "sparsity": 0.7}),
        (TARGETS[1], "row-l2", {"sparsity": 0.7}),
        pytest.param(TARGETS[2], "row-l1", {}, marks=pytest.mark.long),
        pytest.param("cluster", "none", {"sparsity": 0.7}, marks=pytest.mark.long),
    ],
)
def test_gradients_of_targets_and_sparsity(loss, normalization, changes):
    with jax.enable_x64(True):
        made, nodes, phases = task(loss, normalization, 3, **changes)
        parameters, _ = pairs.initial(2, (4, 3), np.random.default_rng(1), dtype=np.float64)
        slopes = []
        for found, expected in directional(made, nodes, phases, parameters):
            assert found == pytest.approx(expected, rel=1e-6, abs=1e-8)
            slopes.append(found)
        assert np.max(np.abs(slopes)) > 1e-4


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


# ---------------------------------------------------------------------------------------------------- network


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
    for k, matrix in enumerate(
        [np.concatenate([parameters["own"], parameters["other"]]), *parameters["weights"]]
    ):
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
        statistics = {
            "means": [rng.normal(size=h) for h in (7, 5)],
            "variances": [rng.uniform(0.5, 2, h) for h in (7, 5)],
        }
        x = rng.normal(size=(9, 2))
        scores = jax.jit(lambda p, s: pairs.scores(p, s, x, activation))(parameters, statistics)
        for kind, symmetric in itertools.product(NORMALIZATIONS, (True, False)):
            rule = Normalization(kind, symmetric, 1.5, trained_size=4)
            traced = pairs.normalized(scores, rule)
            plain = Learnt(pairs.as_network(parameters, statistics, activation), x, rule).matrix(9)
            assert np.allclose(traced, plain, rtol=1e-11, atol=1e-13)
    network = pairs.as_network(parameters, statistics, activation)
    for one, other in zip(
        jax.tree.leaves(pairs.as_parameters(network, float)), jax.tree.leaves((parameters, statistics))
    ):
        assert np.array_equal(one, other)


def test_running_statistics():
    old = {"means": [np.array([1.0])], "variances": [np.array([2.0])]}
    new = {"means": [np.array([3.0])], "variances": [np.array([4.0])]}
    found = pairs.follow(old, new, pairs=5)
    assert found["means"][0] == pytest.approx(1.2) and found["variances"][0] == pytest.approx(
        0.9 * 2 + 0.1 * 4 * 5 / 4
    )


# --------------------------------------------------------------------------------------------------- training


@pytest.fixture(scope="module")
def found():
    return learn.train("case-1", starts=2, seed=3, **SMALL)


def same(one, other):
    arrays = zip(one.network.arrays().values(), other.network.arrays().values())
    return (
        one.loss == other.loss and one.judged == other.judged and all(np.array_equal(a, b) for a, b in arrays)
    )


def test_training_lowers_the_loss():
    given = {"nodes": 20, "samples": 400, "epochs": 3, "hidden": (16, 16), "optimizer": "adam", "rate": 0.01}
    task = learn.problem("case-1", burn_in=60, window=20, validation_graphs=4, **given)
    trained = learn.train(task, seed=1)
    before, after = (
        learn.evaluate(t, graphs=4, burn_in=200) for t in (learn.untrained(task, seed=1), trained)
    )
    assert float(after.loss.mean()) < 0.5 * float(before.loss.mean())
    assert np.allclose(after.loss, after.variance, rtol=1e-12)  # V is the loss here


LEARNS = {
    "hidden": (16, 16),
    "optimizer": "adam",
    "rate": 0.01,
    "burn_in": 60,
    "window": 20,
    "validation_graphs": 4,
}


def neighbors(trained):
    nodes = trained.problem.draw("test", 20)
    return float(losses.effective_neighbors(trained.coupling(nodes.features).matrix(20)))


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "weight", "changes"),
    [
        ("case-1", 0.3, {"epochs": 6, "degree": 2.0}),
        ("moons", 0.3, {"epochs": 10, "step": 5.0, "burn_in": 0, "window": 60}),
    ],
)
def test_sparsity_leaves_fewer_neighbors_at_a_like_loss(name, weight, changes):
    given = {"nodes": 20, "samples": 400} | LEARNS | changes
    plain, sparse = (learn.train(name, seed=1, sparsity=weight * on, **given) for on in (0, 1))
    one, other = (float(learn.evaluate(t, graphs=4, burn_in=200).loss.mean()) for t in (plain, sparse))
    few, many = neighbors(sparse), neighbors(plain)
    assert few < 0.7 * many and other < one + 0.1, (few, many, one, other)
    assert sparse.chosen.best > other - 0.1 and sparse.settings.sparsity == weight


def test_a_target_frequency_is_reached_on_fresh_nodes():
    """ω ~ U[−1, 1] has the mean 0; a coupling that is not symmetric makes the nodes run together at 0.5."""
    given = {"nodes": 20, "samples": 400, "epochs": 8, "degree": 3.0, "symmetric": False} | LEARNS
    trained = learn.train("case-1", seed=1, loss=learn.losses.TargetFrequency(0.5, width=0.3), **given)
    task, n = trained.problem, 20
    nodes = task.draw("test", n, 5)
    model = nodes.model(trained.coupling(nodes.features), trained.settings)
    run = ip.simulate(model, np.zeros(n), times=[40.0, 60.0], method="euler", step=0.1).phase.values
    speeds = (run[1] - run[0]) / 20
    assert abs(nodes.frequencies.mean()) < 0.2 and np.ptp(speeds) < 1e-3
    assert abs(speeds.mean() - 0.5) < 0.1, speeds.mean()
    assert float(learn.evaluate(trained, graphs=2, burn_in=400).loss.mean()) < 0.3


@pytest.mark.long
def test_a_target_order_is_reached_on_fresh_nodes():
    given = {"nodes": 20, "samples": 400, "epochs": 10} | LEARNS
    trained = learn.train("case-1", seed=1, loss={"name": "target-order", "r": 0.6}, **given)
    found = learn.evaluate(trained, graphs=5, burn_in=200)
    control = learn.evaluate(learn.untrained(trained.problem), graphs=5, burn_in=200)
    assert float(found.loss.mean()) < 0.05 and float(found.loss.mean()) < 0.5 * float(control.loss.mean())
    assert abs(1 - float(found.variance.mean()) - 0.6) < 0.15


@pytest.mark.long
def test_a_chimera_is_reached_on_fresh_nodes():
    """Two classes that one feature tells apart, with
    frequencies of one law: one locks, the other does not.
    """
    rng = np.random.default_rng(0)
    labels, omega = np.arange(1000) % 2, rng.uniform(-0.5, 0.5, 1000)
    features = np.stack([2.0 * labels - 1, omega], axis=1)
    given = {
        "nodes": 40,
        "samples": 300,
        "epochs": 30,
        "degree": 2.0,
        "start": "uniform",
        "normalization": "degree",
    }
    task = learn.from_arrays(
        features, labels, frequencies=omega, loss="chimera", step=0.1, **LEARNS | given | {"burn_in": 100}
    )
    found = learn.evaluate(learn.train(task, seed=1), graphs=5, burn_in=300)
    control = learn.evaluate(learn.untrained(task), graphs=5, burn_in=300)
    assert float(found.loss.mean()) < 0.1 and float(control.loss.mean()) > 0.2


def test_seeds(found):
    again = learn.train("case-1", starts=2, seed=3, **SMALL)
    assert all(same(a, b) for a, b in zip(found.starts, again.starts))
    assert not same(*found.starts)
    assert not same(found.starts[0], learn.train("case-1", seed=4, **SMALL).starts[0])
    assert found.chosen.best == min(start.best for start in found.starts)
    assert [len(s.loss) for s in found.starts] == [6, 6] and [row[0] for row in found.chosen.judged] == [3, 6]


def test_a_trained_coupling_in_both_engines(found):
    """`evaluate` goes by `simulate`; the traced steps with
    the same coupling find the same phases: 100 + 50 of them.
    """
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
    phases = ip.simulate(
        model, np.zeros(15), times=0.1 * np.arange(31, 36), method="euler", step=0.1
    ).phase.values
    assert float(given.variance[1]) == pytest.approx(
        np.mean(1 - np.abs(np.exp(1j * phases).mean(axis=1))), rel=1e-12
    )
    assert np.allclose(given.final_phase[1], phases[-1], atol=1e-12)
    other = learn.evaluate(
        found, n=15, graphs=1, burn_in=30, window=5, coupling=lambda net, x, rule: ip.AllToAll()
    )
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
    assert np.array_equal(
        Learnt.load(path, nodes.features).matrix(12), found.coupling(nodes.features).matrix(12)
    )


@pytest.mark.long
def test_the_users_loss_and_interaction():
    def spread(phases, nodes):
        return jnp.mean((phases[-1] - nodes.features[:, 0]) ** 2)

    trained = learn.train("case-1", loss=spread, interaction=ip.sakaguchi(0.3), method="heun", **SMALL)
    assert np.all(np.isfinite(trained.chosen.loss)) and trained.chosen.loss != trained.chosen.variance
    assert learn.evaluate(trained, burn_in=5).loss.shape == (10,)


# ------------------------------------------------------------------------------------ checkpoints and endings

SCRIPT = """
import sys
from inphase import learn
learn.train("gmm-3", starts=2, workers=2, seed=3, folder=sys.argv[1], progress=True, **{given})
"""
LONG = {name: value for name, value in SMALL.items() if name != "epochs"} | {
    "validate_every": 2,
    "epochs": 100,
}


def begun(folder, given):
    """A training by two processes in a process group of its own, both with a checkpoint."""
    code, environment = SCRIPT.format(given=given), os.environ | {"JAX_PLATFORMS": "cpu"}
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    while not all((folder / f"start-00{k}.npz").exists() for k in range(2)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


def alone_again(process):
    """Whether no process of the group is left, after some seconds at most."""
    for _ in range(1000):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="module")
def whole():
    return learn.train("gmm-3", starts=2, seed=3, **LONG)


def test_resume_after_a_kill(tmp_path, whole):
    """Killed in the middle of both starts; its processes end
    too, and the same call goes on, here without processes.
    """
    process = begun(tmp_path, LONG)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL and not (tmp_path / "trained.npz").exists()
    assert alone_again(process)
    process.stderr.close()
    reports = []
    again = learn.train("gmm-3", starts=2, seed=3, folder=tmp_path, watch=reports.append, **LONG)
    assert reports[0]["update"] > 2  # it did go on, and not from the start
    assert [s.status for s in again.starts] == ["finished", "finished"]
    assert all(same(a, b) for a, b in zip(again.starts, whole.starts))
    assert not list(tmp_path.glob(".*"))  # nothing half written


@pytest.mark.long
def test_interrupt_with_workers(tmp_path, whole):
    """Ctrl-C as a terminal sends it, to all processes: all
    end, checkpoints stay, and processes go on from them.
    """
    process = begun(tmp_path, LONG)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0 and alone_again(process)
    assert "Traceback" not in told and told.startswith("start ")
    stopped = learn.Trained.load(tmp_path / "trained.npz")
    assert [s.status for s in stopped.starts] == ["interrupted", "interrupted"]
    again = learn.train("gmm-3", starts=2, seed=3, folder=tmp_path, workers=2, **LONG)
    assert all(same(a, b) for a, b in zip(again.starts, whole.starts))


@pytest.mark.long
@pytest.mark.parametrize("name", ["case-1", "gmm-3"])
def test_workers_find_the_same_numbers(name):
    reports = []
    given = {"starts": 3, "seed": 3, **SMALL}
    one, many = learn.train(name, **given), learn.train(name, workers=2, watch=reports.append, **given)
    assert len(many.starts) == 3 and all(same(a, b) for a, b in zip(one.starts, many.starts))
    assert many.chosen.number == one.chosen.number
    assert sorted((r["start"], r["update"]) for r in reports) == [(k, at) for k in range(3) for at in (3, 6)]
    judged = {(r["start"], r["update"]): (r["validation"], r["validation_variance"]) for r in reports}
    assert all(judged[k, at] == (loss, v) for k in range(3) for at, loss, v in many.starts[k].judged)
    assert reports[-1]["seconds_left"] == 0


def test_workers_that_fail():
    with pytest.raises(
        TypeError, match=r"workers > 1 needs what can be pickled: a loss must be .* or take workers = 1"
    ):
        learn.train("case-1", starts=2, workers=2, loss=lambda phases, nodes: phases.sum(), **SMALL)
    before = len(multiprocessing.active_children())
    with pytest.raises(FloatingPointError, match="not to be had") as raised:
        parallel.each(work_that_fails, None, 3, 2, lambda *_: None)
    assert "work_that_fails" in raised.value.__notes__[0]
    with pytest.raises(
        ChildProcessError, match="the process of start 0 ended with the exit code 7 and without an answer"
    ):
        parallel.each(work_that_dies, None, 1, 1, lambda *_: None)
    assert len(multiprocessing.active_children()) == before


def work_that_fails(common, number, tell, stopped):
    raise FloatingPointError("not to be had")


def work_that_dies(common, number, tell, stopped):
    os._exit(7)


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
    with np.load(path) as stored:  # a checkpoint from before a setting was: it had what is now the default
        arrays = dict(stored)
    about = json.loads(str(arrays.pop("about")))
    del about["training"]["sparsity"]
    save_arrays(path, arrays, about)
    learn.train("case-1", seed=3, folder=tmp_path, **SMALL)
    with pytest.raises(ValueError, match=r"is of another training: sparsity was 0\.0, now 0\.1"):
        learn.train("case-1", seed=3, folder=tmp_path, sparsity=0.1, **SMALL)
    for changes, words in (
        ({"state.0": np.ones(7)}, "state.0 has the shape"),
        ({"best.own": np.ones((2, 2, 2))}, "own must have shape"),
        ({"record": []}, "is no checkpoint of this version"),
        ({"record": {"judged": [[1]]}}, "is no checkpoint of this version"),
        ({"done": "x"}, "done must be an integer"),
        ({"training": []}, "is no checkpoint of this version"),
    ):
        texts = {name: change for name, change in changes.items() if name in about}
        save_arrays(path, arrays | {n: c for n, c in changes.items() if n not in texts}, about | texts)
        with pytest.raises(ValueError, match=words) as caught:
            learn.train("case-1", seed=3, folder=tmp_path, **SMALL)
        assert "start-000.npz" in str(caught.value)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"start-000\.npz is truncated"):
        learn.train("case-1", seed=3, folder=tmp_path, **SMALL)
    assert path.read_bytes() == content[: len(content) // 2] and (tmp_path / "trained.npz").exists()


@pytest.mark.long
def test_early_stopping_and_losses_that_are_not_finite():
    given = SMALL | {"epochs": 30, "rate": 1e-30}  # nothing changes but the statistics
    stopped = learn.train(
        "case-1", patience=2, loss=lambda phases, nodes: phases.sum() * 0 + 1.0, **given
    ).chosen
    assert stopped.status == "stopped early" and len(stopped.judged) == 3
    broken = learn.train("case-1", loss=lambda phases, nodes: jnp.log(-1 - phases.sum() ** 2), **SMALL)
    assert broken.chosen.status == "not finite" and broken.chosen.best == np.inf


def test_progress(capsys):
    learn.train("case-1", progress=True, **SMALL)
    lines = capsys.readouterr().err.splitlines()
    assert (
        len(lines) == 2
        and lines[0].startswith("start 1/1, update 3/6: loss 0.")
        and lines[1].endswith("0 s left")
    )
    assert "validation 0." in lines[0] and "(V 0." in lines[0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: learn.train("case-4"), ValueError, "problem must be one of case-1"),
        (lambda: learn.train(3), TypeError, "problem must be a Problem or the name of one"),
        (
            lambda: learn.train("case-1", rat=0.1),
            TypeError,
            "unknown setting 'rat'; it must be one of nodes, samples",
        ),
        (
            lambda: learn.train("case-1", rate=-1),
            ValueError,
            "rate must be a positive, finite number; got -1",
        ),
        (lambda: learn.train("case-1", samples=50), ValueError, "samples must be >= nodes = 100; got 50"),
        (lambda: learn.train("case-1", starts=0), ValueError, "starts must be an integer >= 1; got 0"),
        (lambda: learn.train("case-1", workers=0), ValueError, "workers must be an integer >= 1; got 0"),
        (lambda: learn.train("case-1", sparsity=-1), ValueError, "sparsity must be >= 0; got -1"),
        (
            lambda: learn.train("case-1", loss="order"),
            ValueError,
            "loss must be one of circular-variance, cluster, target-fre",
        ),
        (
            lambda: learn.train("case-1", loss={"name": "V"}),
            ValueError,
            "loss must be one of cluster, target-frequency",
        ),
        (
            lambda: learn.train("case-1", loss="target-order"),
            TypeError,
            "the loss 'target-order' needs the parameter 'r'",
        ),
        (
            lambda: learn.train("case-1", loss={"name": "target-order", "R": 1}),
            TypeError,
            "has no parameter 'R'; it takes r",
        ),
        (lambda: losses.TargetOrder(1.5), ValueError, "r must be <= 1; got 1.5"),
        (lambda: losses.TargetFrequency("fast"), TypeError, "omega must be a number; got 'fast'"),
        (lambda: losses.TargetFrequency(1.0)(np.zeros((3, 2)), None), ValueError, "needs the step"),
        (
            lambda: learn.train("case-1", loss=losses.TargetFrequency(1.0), window=1),
            ValueError,
            "window of at least 2 steps; got 1",
        ),
        (
            lambda: losses.Chimera(1, 1),
            ValueError,
            "coherent and incoherent must be two classes; got 1 for both",
        ),
        (
            lambda: learn.train("moons", loss=losses.Chimera(0, 2)),
            ValueError,
            "labels of classes 0 and 2; the problem has 2",
        ),
        (
            lambda: learn.train("case-1", loss="cluster"),
            ValueError,
            "needs labels of at least 2 classes; got 0",
        ),
        (
            lambda: learn.train("case-3", method="rk4"),
            ValueError,
            "with delays, method must be one of euler, heun",
        ),
        (
            lambda: learn.train("case-1", hidden=()),
            ValueError,
            "hidden must name the size of at least one layer",
        ),
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
