"""Many constant steps in one call: the same run as step by
step, whatever the coupling, the threads and the grouping.
"""

import time

import numpy as np
import pytest

import inphase as ip
from inphase.kernels import march
from inphase.simulation import fixed
from zoo import COUPLINGS, NETWORKS, interaction

N, H, STEPS = 9, 0.02, 100
RNG = np.random.default_rng(4)
TRIADS = [(0, 1, 2), (0, 1, 2), (2, 3, 5), (4, 6, 7), (7, 5, 0), (1, 7, 3)]
SIGNED = [1.0, -0.5, 0.7, 2.0, -1.0, 0.3]
MIXED = {
    "triads, 2j-k-i": lambda n: ip.Hypergraph(TRIADS, "2j-k-i", SIGNED, n=n),
    "triads, j+k-2i": lambda n: ip.Hypergraph(TRIADS, "j+k-2i", SIGNED, n=n),
    "all triads, 2j-k-i": lambda n: ip.AllTriads("2j-k-i"),
    "all triads, j+k-2i": lambda n: ip.AllTriads("j+k-2i", np.linspace(-0.2, 0.5, n)),
    "sum": lambda n: 0.5 * ip.AllToAll() - 1.5 * NETWORKS["sparse"](n) + 2 * ip.Ring(1) + 0.3 * MIXED["triads, j+k-2i"](n)
    - ip.Hypergraph(TRIADS, n=n) + ip.AllTriads(),
}  # fmt: skip
KINDS = COUPLINGS | {name: make for name, make in NETWORKS.items() if "causal" not in name} | MIXED
FUNCTIONS = ["kuramoto", "sakaguchi", "harmonics", "with a mean", "odd harmonics"]


def model(kind, f="harmonics", n=N, **parts):
    numbers = {
        "frequencies": np.sin(np.arange(n)),
        "field": np.cos(3.0 * np.arange(n)),
        "damping": 1.0 + np.arange(n) % 3,
    }
    return ip.PhaseModel(interaction(f), KINDS[kind](n), **(numbers | parts))


def start(replicas=3, n=N):
    return np.random.default_rng(1).uniform(-4, 4, (replicas, n))


def step_by_step(model, phases, method, steps=STEPS, h=H):
    """The method as it stands in the books, on `model.velocity`: shape (steps + 1, replicas, n)."""
    path = [phases]
    for _ in range(steps):
        slope = model.velocity(path[-1])
        if method == "heun":
            slope = (slope + model.velocity(path[-1] + h * slope)) / 2
        if method == "midpoint":
            slope = model.velocity(path[-1] + h / 2 * slope)
        if method == "rk4":
            second = model.velocity(path[-1] + h / 2 * slope)
            third = model.velocity(path[-1] + h / 2 * second)
            slope = (slope + 2 * second + 2 * third + model.velocity(path[-1] + h * third)) / 6
        path.append(path[-1] + h * slope)
    return np.array(path)


def calls(monkeypatch):
    """The numbers of steps with which the kernel is called."""
    counts, kernel = [], march.march
    monkeypatch.setattr(
        march, "march", lambda phases, steps, *rest: [counts.append(steps), kernel(phases, steps, *rest)]
    )
    return counts


@pytest.mark.parametrize("method", ["euler", "heun", "midpoint", "rk4"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_the_method_step_by_step(kind, method, monkeypatch):
    counts = calls(monkeypatch)
    for f in FUNCTIONS if kind in ("sparse", "weights", *MIXED) else ["kuramoto", "harmonics"]:
        system = model(kind, f)
        times = np.array([0.0, 0.3, 0.32, 1.0, 2.0])
        run = ip.simulate(system, start(), times=times, step=H, method=method)
        expected = step_by_step(system, start(), method)[np.rint(times / H).astype(int)]
        np.testing.assert_allclose(run.phase.values, expected, rtol=0, atol=1e-12, err_msg=f)
        assert run.attrs["status"] == "finished" and run.attrs["accepted_steps"] == 3 * STEPS
    assert counts[:4] == [15, 1, 34, 50]


@pytest.mark.parametrize("f", ["kuramoto", "sakaguchi"])
def test_a_step_follows_the_double_and_triple_sums(f):
    """One Euler step against the sums as they are defined, term by term."""
    f, K, theta, n = interaction(f), NETWORKS["sparse"](N).matrix(N), start(1)[0], N
    expected = np.array([sum(K[i, j] * f(theta[i] - theta[j]) for j in range(n)) for i in range(n)])
    for (i, j, k), w in zip(TRIADS, SIGNED):
        for a, b, c in [(i, j, k), (i, k, j), (j, i, k), (j, k, i), (k, i, j), (k, j, i)]:
            expected[a] += 3 * w * f(theta[a] + theta[c] - 2 * theta[b])
            expected[a] += 0.5 * 0.2 * w * f(2 * theta[a] - theta[b] - theta[c])
    coupling = ip.Sparse(K) + 3 * ip.Hypergraph(TRIADS, weights=SIGNED, n=n)
    coupling += 0.2 * ip.Hypergraph(TRIADS, "j+k-2i", SIGNED, n=n)
    run = ip.simulate(ip.PhaseModel(f, coupling), theta, times=[1.0], step=1.0, method="euler")
    np.testing.assert_allclose(run.phase.values[0], theta - expected, rtol=0, atol=1e-13)


def test_what_fits():
    ring = ip.Ring(1)
    base = ip.PhaseModel(ip.kuramoto(), ring)
    assert fixed.plan(base, 50) is not None
    others = {"delays": 0.1, "noise": 0.1, "common_noise": 0.1, "inertia": 1.0, "gain": np.ones_like}
    for name, value in others.items():
        assert fixed.plan(base.replace(**{name: value}), 50) is None
    assert fixed.plan(ip.PhaseModel(ip.kuramoto(), gain="softmax"), 50) is None
    assert fixed.plan(base.replace(interaction=ip.attention(25.0)), 50) is None
    assert fixed.plan(base.replace(coupling=ip.Causal()), 50) is None
    assert fixed.plan(base.replace(coupling=0.5 * ring + ip.Causal()), 50) is None
    assert fixed.plan(base.replace(coupling=ip.Hypergraph(TRIADS, n=50, directed=True)), 50) is None
    assert fixed.plan(base, 100_000) is None


@pytest.mark.parametrize("f", ["kuramoto", "harmonics"])
@pytest.mark.parametrize("method", ["euler", "heun", "rk4"])
def test_threads_and_grouping_do_not_change_a_bit(f, method, threads):
    system, phases = model("sum", f, n=12, damping=1.0), start(20, 12)
    phases[3, 2], phases[7, 5] = 3e6, -2e7  # beyond the fast sines
    threads(1)
    one = ip.simulate(system, phases, t_end=60.0, step=0.02, method=method).phase.values
    threads(2)
    two = ip.simulate(system, phases, t_end=60.0, step=0.02, method=method).phase.values
    halves = [
        ip.simulate(system, part, t_end=60.0, step=0.02, method=method).phase.values
        for part in (phases[:7], phases[7:])
    ]
    alone = ip.simulate(system, phases[4], t_end=60.0, step=0.02, method=method).phase.values
    assert np.array_equal(one, two)
    assert np.array_equal(one, np.concatenate(halves, axis=1))
    assert np.array_equal(one[:, 4], alone)


def test_two_kuramoto_oscillators_follow_the_closed_form():
    """tan(d/2) = tan(d_0/2) e^{−2t} for K_12 = K_21 = 1; Heun's error is of order h²."""
    system, times = ip.PhaseModel(ip.kuramoto(), ip.Sparse([[0, 1], [1, 0]])), np.linspace(0, 2, 5)
    errors = []
    for h in (0.01, 0.005):
        phase = ip.simulate(system, [0.0, 3.0], times=times, step=h).phase.values
        errors.append(
            np.max(np.abs(phase[:, 1] - phase[:, 0] - 2 * np.arctan(np.tan(1.5) * np.exp(-2 * times))))
        )
    assert errors[0] < 2e-4 and 3.6 < errors[0] / errors[1] < 4.4


def test_a_condition_is_looked_at_after_every_step():
    system, seen = model("sparse", "kuramoto"), []

    def third(time, phases):
        seen.append(time)
        return len(seen) == 8

    run = ip.simulate(system, start(1)[0], t_end=2.0, step=H, method="euler", stop=third)
    assert np.allclose(seen, H * np.arange(8), rtol=0, atol=1e-15)
    assert run.attrs["status"] == "stopped" and float(run.end_time) == 7 * H
    np.testing.assert_allclose(
        run.phase[-1], step_by_step(system, start(1), "euler", 7)[-1, 0], rtol=0, atol=1e-13
    )


def test_max_steps_ends_the_run_between_outputs():
    run = ip.simulate(model("ring"), start(), times=[0.0, 0.5, 2.0], step=H, max_steps=30)
    assert run.attrs["status"] == "max_steps" and run.attrs["accepted_steps"] == 3 * 30
    assert np.array_equal(run.time[:2], [0.0, 0.5]) and np.allclose(run.end_time, 30 * H, rtol=1e-15)
    assert np.all(run.time[2:] == run.end_time) and np.array_equal(run.phase[2], run.end_phase)
    np.testing.assert_allclose(
        run.end_phase, step_by_step(model("ring"), start(), "heun", 30)[-1], atol=1e-12
    )


def test_what_is_not_finite_ends_the_run():
    run = ip.simulate(
        model("ring", frequencies=1e308), start(), times=[0.0, 0.5, 2.0, 3.0], step=1.0, method="euler"
    )
    assert (
        run.attrs["status"] == "not finite" and np.isfinite(run.phase.values).all() and run.sizes["time"] == 1
    )
    assert np.isfinite(run.end_phase).all() and np.all(run.end_time < 3.0)


def test_a_long_way_to_the_next_output_is_cut_into_short_calls(monkeypatch):
    """Ctrl-C waits for the call under way: a tenth of a
    second at the most; here the third call is interrupted.
    """
    counts, lasting, kernel = [], [], march.march

    def interrupted(phases, steps, *rest):
        if len(counts) == 2:
            raise KeyboardInterrupt
        begin = time.thread_time()
        kernel(phases, steps, *rest)
        lasting.append(time.thread_time() - begin)
        counts.append(steps)

    monkeypatch.setattr(march, "march", interrupted)
    system, phases = model("sparse", "harmonics", n=45), start(4, 45)
    ip.simulate(system, phases, times=[0.0, 5.0], step=0.01)  # compiled
    counts.clear()
    lasting.clear()
    run = ip.simulate(system, phases, times=[0.0, 1e4], step=0.01)
    assert (
        run.attrs["status"] == "interrupted" and run.attrs["accepted_steps"] == 4 * sum(counts) < 4 * 10_000
    )
    assert max(lasting) < 0.3  # on a loaded machine, too
    assert np.array_equal(run.time, [0.0, float(run.end_time[0])])
