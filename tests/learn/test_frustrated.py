"""Learnt couplings with phase lags: the second output in both
engines, gradients, files, and what lags can do that K cannot.
"""

import json

import numpy as np
import pytest

import inphase as ip
import zoo
from inphase.coupling.catalog import named
from inphase.coupling.lagged import Lagged
from inphase.coupling.learnt.coupling import Learnt, load_network, save_network
from inphase.coupling.learnt.network import PairNetwork
from inphase.coupling.learnt.normalization import Normalization

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
optax = pytest.importorskip("optax")
learn = pytest.importorskip("inphase.learn", exc_type=ImportError)
dynamics, losses, pairs, problems = learn.dynamics, learn.losses, learn.network, learn.problems


@pytest.fixture
def double():
    with jax.enable_x64(True):
        yield


def parameters(features=2, hidden=(6, 5), seed=0):
    """Of a network with lags that are not 0, and with statistics that are not neutral."""
    rng = np.random.default_rng(seed)
    found, statistics = pairs.initial(features, hidden, rng, dtype=np.float64, lags=True)
    found["out"] = rng.normal(size=found["out"].shape)
    found["shifts"] = [rng.normal(size=h) for h in hidden]
    means, variances = [rng.normal(size=h) for h in hidden], [rng.uniform(0.5, 1.5, h) for h in hidden]
    return found, statistics | {"means": means, "variances": variances}


def network(**how):
    return pairs.as_network(*parameters(**how), "leaky_relu")


def one_output(net, column):
    """The network of one of the two outputs alone."""
    names = ("own", "other", "weights", "scales", "shifts", "means", "variances")
    return PairNetwork(
        *(getattr(net, name) for name in names), out=net.out[:, column], activation=net.activation
    )


def nodes_features(n, m=2, seed=1):
    return np.random.default_rng(seed).normal(size=(n, m))


# ------------------------------------------------------------------------------------------------ the network


def test_two_outputs_are_two_networks():
    net, x, y = network(), nodes_features(7), nodes_features(5, seed=2)
    assert net.has_lags and not one_output(net, 0).has_lags
    expected = np.stack([one_output(net, column).scores(x, y) for column in (0, 1)])
    assert np.allclose(net.scores_and_lags(x, y), expected, rtol=1e-13, atol=1e-14)
    assert np.allclose(net.scores(x, y), expected[0], rtol=1e-13, atol=1e-14)
    again = PairNetwork.from_arrays(net.arrays(), net.activation)
    assert np.array_equal(again.scores_and_lags(x), net.scores_and_lags(x))
    with pytest.raises(ValueError, match=r"no phase lags: its out has shape \(5,\), not \(5, 2\)"):
        one_output(net, 0).scores_and_lags(x)
    with pytest.raises(ValueError, match=r"out must have shape \(5, 2\); got shape \(5, 3\)"):
        PairNetwork.from_arrays(net.arrays() | {"out": np.ones((5, 3))}, net.activation)


@pytest.mark.parametrize("n", [7, pytest.param(210, id="more pairs than are taken together")])
def test_both_outputs_in_jax(n, double):
    numbers, x = parameters(), nodes_features(n)
    net = pairs.as_network(*numbers, "leaky_relu")
    found = pairs.scores(*numbers, x, "leaky_relu")
    assert found.shape == (n, n, 2)
    assert np.allclose(np.moveaxis(found, -1, 0), net.scores_and_lags(x), rtol=1e-11, atol=1e-12)
    trained, statistics = pairs.training_scores(numbers[0], x, "leaky_relu")
    for column in (0, 1):
        alone = numbers[0] | {"out": numbers[0]["out"][:, column]}
        values, expected = pairs.training_scores(alone, x, "leaky_relu")
        assert np.allclose(trained[..., column], values, rtol=1e-11, atol=1e-12)
        assert all(np.allclose(a, b) for a, b in zip(jax.tree.leaves(statistics), jax.tree.leaves(expected)))
    again = pairs.as_parameters(net, np.float64)
    assert all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(again), jax.tree.leaves(numbers)))


def test_a_network_with_lags_begins_as_the_one_without():
    plain, _ = pairs.initial(3, (6, 5), np.random.default_rng(4))
    found, _ = pairs.initial(3, (6, 5), np.random.default_rng(4), lags=True)
    assert found["out"].dtype == np.float32 and np.array_equal(found["out"][:, 0], plain["out"])
    assert not np.any(found["out"][:, 1])
    assert all(np.array_equal(found[name], plain[name]) for name in ("own", "other"))


def test_without_lags_nothing_is_added():
    K = np.ones((3, 3))
    strengths, lags = pairs.strengths_and_lags(jnp.asarray(K), Normalization())
    assert lags is None and dynamics.joined(strengths, None, dynamics.scheme(ip.kuramoto(), 0.1)) is strengths


# ----------------------------------------------------------------------------------------------- the coupling


@pytest.mark.parametrize("kind", ["degree", "row-l2"])
@pytest.mark.parametrize("name", ["kuramoto", "harmonics", "attention(25)"])
def test_learnt_is_lagged(name, kind):
    n, rng, net, f = 9, np.random.default_rng(6), network(), zoo.interaction(name)
    coupling = Learnt(net, nodes_features(n), kind)
    K = Learnt(one_output(net, 0), nodes_features(n), kind).matrix(n)
    alpha = one_output(net, 1).scores(nodes_features(n))
    model, phases = ip.PhaseModel(f, coupling, frequencies=rng.normal(size=n)), rng.uniform(-9, 9, n)
    expected = model.frequencies - (K * f(phases[:, None] - phases + alpha)).sum(axis=1)
    assert np.allclose(coupling.array, K, rtol=1e-13) and np.allclose(coupling.lags, alpha, rtol=1e-12)
    assert np.max(np.abs(model.velocity(phases) - expected)) < 1e-12 * (
        1 + f.maximum * np.abs(K).sum(axis=1).max()
    )
    plain = ip.PhaseModel(f, Lagged(K, alpha), frequencies=model.frequencies)
    assert np.allclose(model.jacobian(phases), plain.jacobian(phases), atol=1e-11)
    single = Learnt(net, nodes_features(n), kind, "float32")
    assert single.array.dtype == single.lags.dtype == np.float32
    assert np.allclose(single.forces([f], phases), coupling.forces([f], phases), atol=1e-5)


def test_nothing_is_claimed_of_a_learnt_matrix_alone():
    """K is symmetric and positive; with lags that makes no gradient flow."""
    coupling = Learnt(network(), nodes_features(5), "degree")
    model = ip.PhaseModel(ip.kuramoto(), coupling)
    assert coupling.positive and np.array_equal(coupling.array, coupling.array.T)
    assert not coupling.symmetric and not model.is_gradient
    for claim in (coupling.matrix, coupling.edges):
        with pytest.raises(ValueError, match="phase lags"):
            claim(5)
    answer = ip.certify.synchronization(model)
    assert answer.verdict == "undecided" and "no theorem here is for the coupling Learnt" in answer.statement


def test_files(tmp_path):
    x, net = nodes_features(6), network()
    before = Learnt(net, x, Normalization("row-l2", trained_size=3))
    path = before.save(tmp_path / "net.npz", seed=5)
    after = Learnt.load(path, x)
    assert np.array_equal(before.array, after.array) and np.array_equal(before.lags, after.lags)
    assert before.to_dict() == after.to_dict() and json.loads(json.dumps(before.to_dict()))["lags"] is True
    assert "phase lags" in repr(before)
    by_name = named("learnt", file=str(path), features=x)
    assert np.array_equal(by_name.lags, before.lags)
    # as files were before there were lags
    old = save_network(tmp_path / "old.npz", one_output(net, 0), Normalization())
    loaded = Learnt(load_network(old)[0], x)
    assert loaded.lags is None and "lags" not in loaded.to_dict()
    other = net.arrays() | {"out": net.out * [1, -1]}
    changed = Learnt(PairNetwork.from_arrays(other, net.activation), x, before.normalization)
    assert changed.to_dict()["network_sha256"] != before.to_dict()["network_sha256"]


# ----------------------------------------------------------------------------------------------- the dynamics


def system(n, seed=0, delays=0):
    rng = np.random.default_rng(seed)
    K, alpha = rng.normal(size=(n, n)) / n, rng.uniform(-4, 4, (n, n))
    parts = dynamics.Parts(
        rng.normal(size=n), rng.normal(size=n), rng.integers(0, delays + 1, n).astype(np.int32)
    )
    return K, alpha, parts, rng.uniform(-7, 7, n)


def model(name, K, alpha, parts, step):
    given = {"delays": parts.delay_steps * step} if np.any(parts.delay_steps) else {}
    return ip.PhaseModel(
        zoo.interaction(name), Lagged(K, alpha), frequencies=parts.frequencies, field=parts.field, **given
    )


@pytest.mark.parametrize(
    "name", ["kuramoto", "sakaguchi", "harmonics", "with a mean", "even", "attention(2)"]
)
def test_velocity_against_the_model(name, double):
    K, alpha, parts, phases = system(11)
    scheme = dynamics.scheme(zoo.interaction(name), 0.1)
    found = dynamics.velocity(dynamics.joined(K, alpha, scheme), phases[None], parts, scheme)
    assert np.max(np.abs(found - model(name, K, alpha, parts, 0.1).velocity(phases))) < 1e-10


@pytest.mark.parametrize(("name", "method", "delays"), [("kuramoto", "euler", 5), ("with a mean", "heun", 3)])
def test_steps_against_simulate(name, method, delays, double):
    K, alpha, parts, phases = system(8, delays=delays)
    h, count = 0.05, 40
    scheme = dynamics.scheme(zoo.interaction(name), h, method, delays)
    past = dynamics.history(jnp.asarray(phases), parts, scheme)
    found = dynamics.trajectory(dynamics.joined(K, alpha, scheme), past, parts, scheme, count)
    run = ip.simulate(
        model(name, K, alpha, parts, h), phases, times=h * np.arange(1, count + 1), method=method, step=h
    )
    assert np.max(np.abs(found - run.phase.values)) < 1e-10


def numerical(function, x, step=1e-5):
    """The gradient by central differences of fourth order, of every entry."""
    x, found = np.array(x, dtype=float), np.empty(np.shape(x))
    for index in np.ndindex(x.shape):
        values = []
        for by in (-2, -1, 1, 2):
            moved = x.copy()
            moved[index] += by * step
            values.append(float(function(moved)))
        found[index] = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)
    return found


@pytest.mark.parametrize(
    ("name", "method", "delays"),
    [
        ("kuramoto", "euler", 3),
        ("with a mean", "heun", 2),
        pytest.param("harmonics", "rk4", 0, marks=pytest.mark.long),
    ],
)
def test_gradients_against_finite_differences(name, method, delays, double):
    n, count = 4, 6
    K, alpha, parts, phases = system(n, seed=1, delays=delays)
    scheme = dynamics.scheme(zoo.interaction(name), 0.2, method, delays)
    past = np.array(dynamics.history(jnp.asarray(phases), parts, scheme))
    weights = np.random.default_rng(2).normal(size=(count, n))

    @jax.jit
    def loss(K, alpha, past, frequencies):
        coupling = dynamics.joined(K, alpha, scheme)
        own = dynamics.Parts(frequencies, parts.field, parts.delay_steps)
        return jnp.sum(weights * jnp.sin(dynamics.trajectory(coupling, past, own, scheme, count)))

    at = (K, alpha, past, parts.frequencies)
    for k, gradient in enumerate(jax.grad(loss, argnums=(0, 1, 2, 3))(*at)):
        expected = numerical(lambda x: loss(*at[:k], x, *at[k + 1 :]), at[k])  # noqa: B023
        assert np.max(np.abs(gradient - expected)) < 1e-6 * (1 + np.max(np.abs(expected)))


@pytest.mark.parametrize("kind", ["degree", pytest.param("row-l2", marks=pytest.mark.long)])
def test_gradients_of_the_network(kind, double):
    """Of all its numbers, through scores, lags, normalization and steps."""
    n, x = 4, nodes_features(4)
    numbers, parts = parameters(hidden=(3, 3))[0], system(n)[2]
    scheme = dynamics.scheme(ip.kuramoto(), 0.2)
    past = dynamics.history(jnp.asarray(system(n)[3]), parts, scheme)

    @jax.jit
    def loss(numbers):
        scores, _ = pairs.training_scores(numbers, x, "tanh")
        coupling = dynamics.joined(*pairs.strengths_and_lags(scores, Normalization(kind)), scheme)
        return losses.circular_variance(dynamics.trajectory(coupling, past, parts, scheme, 5))

    found = jax.grad(loss)(numbers)
    assert np.max(np.abs(found["out"][:, 1])) > 1e-4
    for name in ("out", "own"):
        expected = numerical(lambda x: loss(numbers | {name: x}), numbers[name], 1e-4)  # noqa: B023
        assert np.max(np.abs(found[name] - expected)) < 1e-6 * (1 + np.max(np.abs(expected)))


def test_segments_of_a_long_window(double):
    """Against JAX's own derivative of the steps, which goes without segments; delays reach across them."""
    n, count, delays = 5, 130, 9
    K, alpha, parts, phases = system(n, seed=3, delays=delays)
    scheme = dynamics.scheme(ip.kuramoto(), 0.05, "euler", delays)
    past = dynamics.history(jnp.asarray(phases), parts, scheme)

    def ours(K, alpha):
        return jnp.sum(
            dynamics.trajectory(dynamics.joined(K, alpha, scheme), past, parts, scheme, count) ** 2
        )

    def plain(K, alpha):
        def body(now, _):
            theta, heard = now[-1], now[delays - parts.delay_steps, jnp.arange(n)]
            slope = parts.frequencies + parts.field * jnp.sin(theta)
            slope -= (K * jnp.sin(theta[:, None] - heard + alpha)).sum(axis=1)
            then = jnp.concatenate([now[1:], (theta + 0.05 * slope)[None]])
            return then, then[-1]

        return jnp.sum(jax.lax.scan(body, past, None, length=count)[1] ** 2)

    for one, other in zip(*(jax.jit(jax.grad(loss, (0, 1)))(K, alpha) for loss in (ours, plain))):
        assert np.max(np.abs(one - other)) < 1e-10 * np.max(np.abs(other))


def test_memory_of_the_gradient(double):
    """O(T n + n²), as without lags: a backward sweep that
    kept a matrix at every step would need 512 MB here.
    """
    n, count = 400, 400
    K, alpha, parts, phases = system(n)
    scheme = dynamics.scheme(ip.kuramoto(), 0.1)
    past = dynamics.history(jnp.asarray(phases), parts, scheme)

    def loss(K, alpha):
        return jnp.sum(
            dynamics.trajectory(dynamics.joined(K, alpha, scheme), past, parts, scheme, count) ** 2
        )

    used = jax.jit(jax.grad(loss, (0, 1))).lower(K, alpha).compile().memory_analysis().temp_size_in_bytes
    assert used < 8 * (12 * count * n + 12 * n * n)


# ------------------------------------------------------------------------------------------- what lags can do

N, UPDATES, BURN_IN, WINDOW, RULE = 25, 60, 100, 20, Normalization("degree")


def trained(lags):
    """(network, mean V on validation graphs) of Case III after a few updates by graphs of N nodes."""
    problem = problems.problem("case-3")
    scheme = dynamics.scheme(problem.settings.interaction, problem.settings.step, "euler", problem.longest)
    train, validation = (
        problem.draw(split, N * count, 0) for split, count in (("train", UPDATES), ("validation", 5))
    )
    numbers, statistics = pairs.initial(2, (16, 16), np.random.default_rng(0), lags=lags)
    optimizer = optax.chain(optax.clip_by_global_norm(5.0), optax.adam(3e-2))

    def variance(scores, nodes):
        coupling = dynamics.joined(*pairs.strengths_and_lags(scores, RULE), scheme)
        parts = dynamics.Parts(nodes.frequencies, nodes.field, nodes.delay_steps)
        past = dynamics.history(jnp.zeros(N, jnp.float32), parts, scheme)
        past = jax.lax.stop_gradient(
            dynamics.advance(jax.lax.stop_gradient(coupling), past, parts, scheme, BURN_IN)
        )
        return losses.circular_variance(dynamics.trajectory(coupling, past, parts, scheme, WINDOW))

    def loss(numbers, nodes):
        scores, found = pairs.training_scores(numbers, nodes.features, "leaky_relu")
        return variance(scores, nodes), found

    @jax.jit
    def update(numbers, statistics, state, nodes):
        gradient, found = jax.grad(loss, has_aux=True)(numbers, nodes)
        change, state = optimizer.update(gradient, state, numbers)
        return optax.apply_updates(numbers, change), pairs.follow(statistics, found, N * N), state

    @jax.jit
    def judge(numbers, statistics, nodes):
        return variance(pairs.scores(numbers, statistics, nodes.features, "leaky_relu"), nodes)

    def graph(nodes, k):
        part = nodes.take(slice(k * N, (k + 1) * N))
        return part._replace(
            **{name: np.float32(getattr(part, name)) for name in ("features", "frequencies", "field")}
        )

    state = optimizer.init(numbers)
    for k in range(UPDATES):
        numbers, statistics, state = update(numbers, statistics, state, graph(train, k))
    judged = [float(judge(numbers, statistics, graph(validation, k))) for k in range(5)]
    return pairs.as_network(numbers, statistics, "leaky_relu"), judged, validation


@pytest.mark.long
def test_lags_undo_delays_where_strengths_alone_do_not():
    """Case III, ω ~ U[2, 4] and delays: equal numbers of
    updates and the same first network, with and without lags.
    """
    (_, plain, _), (network, lagged, validation) = trained(False), trained(True)
    assert np.mean(lagged) < np.mean(plain) - 0.1
    nodes = validation.take(slice(0, N))
    problem = problems.problem("case-3")
    coupling = Learnt(network, nodes.features, RULE)
    times = problem.settings.step * np.arange(BURN_IN + 1, BURN_IN + WINDOW + 1)
    run = ip.simulate(
        nodes.model(coupling, problem.settings),
        np.zeros(N),
        times=times,
        method="euler",
        step=problem.settings.step,
    )
    variance = 1 - np.abs(np.exp(1j * run.phase.values).mean(axis=1)).mean()
    assert variance == pytest.approx(lagged[0], abs=2e-3)  # training is in single precision
