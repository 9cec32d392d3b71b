"""The traced dynamics against the library's own engine, and their gradients against finite differences."""

import numpy as np
import pytest

import inphase as ip
import zoo
from inphase.coupling.dense import Dense

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
dynamics = pytest.importorskip("inphase.learn", exc_type=ImportError).dynamics

INTERACTIONS = ["kuramoto", "sakaguchi", "harmonics", "with a mean", "even", "attention(2)"]


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def system(n, seed=0, lags=0):
    rng = np.random.default_rng(seed)
    K = rng.normal(size=(n, n)) / n
    parts = dynamics.Parts(
        rng.normal(size=n), rng.normal(size=n), rng.integers(0, lags + 1, n).astype(np.int32)
    )
    return K, parts, rng.uniform(-7, 7, n)


def model(name, K, parts, step):
    given = {"delays": parts.delay_steps * step} if np.any(parts.delay_steps) else {}
    return ip.PhaseModel(
        zoo.interaction(name), Dense(K), frequencies=parts.frequencies, field=parts.field, **given
    )


@pytest.mark.parametrize("name", INTERACTIONS)
def test_velocity_against_the_model(name):
    K, parts, phases = system(11)
    scheme = dynamics.scheme(zoo.interaction(name), 0.1)
    found = dynamics.velocity(K, phases[None], parts, scheme)
    assert np.max(np.abs(found - model(name, K, parts, 0.1).velocity(phases))) < 1e-10


@pytest.mark.parametrize(
    ("name", "method", "lags"),
    [
        ("kuramoto", "euler", 0),
        ("with a mean", "heun", 0),
        ("sakaguchi", "euler", 5),
        ("harmonics", "heun", 5),
    ],
)
def test_steps_against_simulate(name, method, lags):
    """The same method, steps and history on both sides, so they agree to rounding."""
    K, parts, phases = system(8, lags=lags)
    h, count = 0.05, 60
    scheme = dynamics.scheme(zoo.interaction(name), h, method, lags)
    past = dynamics.history(jnp.asarray(phases), parts, scheme)
    found = dynamics.trajectory(K, past, parts, scheme, count)
    times = h * np.arange(1, count + 1)
    expected = ip.simulate(model(name, K, parts, h), phases, times=times, method=method, step=h).phase.values
    assert found.shape == expected.shape == (count, 8)
    assert np.max(np.abs(found - expected)) < 1e-10
    half = dynamics.advance(K, past, parts, scheme, 25)
    assert np.max(np.abs(half[-1] - expected[24])) < 1e-10


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2), ("rk4", 4)])
def test_orders_of_convergence(method, order):
    K, parts, phases = system(5)
    exact = ip.simulate(model("kuramoto", K, parts, 0), phases, times=[2.0], tolerance=1e-13).phase.values[-1]
    errors = []
    for count in (40, 80):
        scheme = dynamics.scheme(ip.kuramoto(), 2.0 / count, method)
        past = dynamics.history(jnp.asarray(phases), parts, scheme)
        errors.append(np.max(np.abs(dynamics.advance(K, past, parts, scheme, count)[-1] - exact)))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.25)


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
    ("name", "method", "lags", "count"),
    [
        ("kuramoto", "euler", 0, 7),
        ("kuramoto", "euler", 3, 7),
        ("with a mean", "heun", 2, 6),
        pytest.param("harmonics", "midpoint", 0, 5, marks=pytest.mark.long),
        pytest.param("sakaguchi", "rk4", 0, 4, marks=pytest.mark.long),
    ],
)
def test_gradients_against_finite_differences(name, method, lags, count):
    n = 4
    K, parts, phases = system(n, seed=1, lags=lags)
    scheme = dynamics.scheme(zoo.interaction(name), 0.2, method, lags)
    past = np.array(dynamics.history(jnp.asarray(phases), parts, scheme))
    weights = np.random.default_rng(2).normal(size=(count, n))

    @jax.jit
    def loss(K, past, frequencies, field):
        own = dynamics.Parts(frequencies, field, parts.delay_steps)
        return jnp.sum(weights * jnp.sin(dynamics.trajectory(K, past, own, scheme, count)))

    at = (K, past, parts.frequencies, parts.field)
    found = jax.grad(loss, argnums=(0, 1, 2, 3))(*at)
    for k, gradient in enumerate(found):
        expected = numerical(lambda x: loss(*at[:k], x, *at[k + 1 :]), at[k])  # noqa: B023
        assert np.max(np.abs(gradient - expected)) < 1e-6 * (1 + np.max(np.abs(expected)))


@pytest.mark.parametrize(
    ("count", "lags"),
    [(130, 9), *(pytest.param(*case, marks=pytest.mark.long) for case in ((130, 0), (67, 0), (67, 9)))],
)
def test_segments_of_a_long_window(count, lags):
    """Against JAX's own derivative of the steps, which goes without segments; delays reach across them."""
    K, parts, phases = system(5, seed=3, lags=lags)
    scheme = dynamics.scheme(ip.kuramoto(), 0.05, "euler", lags)
    past = dynamics.history(jnp.asarray(phases), parts, scheme)

    def ours(K, past):
        return jnp.sum(dynamics.trajectory(K, past, parts, scheme, count) ** 2)

    def plain(K, past):
        def body(now, _):
            theta, heard = now[-1], now[lags - parts.delay_steps, jnp.arange(5)]
            slope = parts.frequencies + parts.field * jnp.sin(theta)
            slope += (K * jnp.sin(heard - theta[:, None])).sum(axis=1)
            then = jnp.concatenate([now[1:], (theta + 0.05 * slope)[None]])
            return then, then[-1]

        return jnp.sum(jax.lax.scan(body, past, None, length=count)[1] ** 2)

    for one, other in zip(*(jax.jit(jax.grad(loss, (0, 1)))(K, past) for loss in (ours, plain))):
        assert np.max(np.abs(one - other)) < 1e-10 * np.max(np.abs(other))


def test_memory_of_the_gradient():
    """O(T n + n²): a backward sweep that kept a matrix at every step would need 512 MB here."""
    n, count = 400, 400
    K, parts, phases = system(n)
    scheme = dynamics.scheme(ip.kuramoto(), 0.1)
    past = dynamics.history(jnp.asarray(phases), parts, scheme)
    gradient = jax.jit(jax.grad(lambda K: jnp.sum(dynamics.trajectory(K, past, parts, scheme, count) ** 2)))
    used = gradient.lower(K).compile().memory_analysis().temp_size_in_bytes
    assert used < 8 * (12 * count * n + 4 * n * n)


def test_methods_that_delays_rule_out():
    with pytest.raises(ValueError, match="with delays, method must be one of euler, heun; got 'rk4'"):
        dynamics.scheme(ip.kuramoto(), 0.1, "rk4", longest=3)
    with pytest.raises(ValueError, match="method must be one of euler, heun, midpoint, rk4; got 'rk5'"):
        dynamics.scheme(ip.kuramoto(), 0.1, "rk5")
