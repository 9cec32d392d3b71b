"""Adaptive couplings: against a direct integration of the n + m equations, and at every door."""

import json

import numpy as np
import pytest
from scipy import sparse
from scipy.integrate import solve_ivp

import inphase as ip
from inphase.description import Kept, equation, model_code

N, RATE = 7, 0.2
RNG = np.random.default_rng(3)
GRAPH = np.where(RNG.random((N, N)) < 0.6, RNG.uniform(0.1, 0.4, (N, N)), 0.0)  # with self-loops
LISTENER, HEARD = np.nonzero(GRAPH)
FIRST = RNG.normal(size=len(LISTENER))
OMEGA, START = RNG.normal(0, 0.3, N), RNG.uniform(0, 2 * np.pi, N)
RULE = ip.Interaction("-sin(x + b)", b=0.4)
LAG = 0.3
F = ip.Interaction("sin(x + a)", a=LAG)
TIMES = np.array([0.0, 1.5, 4.0, 8.0])


def coupling(initial=FIRST):
    return ip.Adaptive(GRAPH, RULE, rate=RATE, initial=initial)


def model(**parts):
    return ip.PhaseModel(F, coupling(), frequencies=OMEGA, **parts)


def slopes(theta, weights, factor=1.0):
    gaps = theta[LISTENER] - theta[HEARD]
    sums = np.bincount(LISTENER, GRAPH[LISTENER, HEARD] * weights * np.sin(gaps + LAG), N)
    return OMEGA - factor * sums, RATE * (-np.sin(gaps + 0.4) - weights)


def reference(velocity, state):
    found = solve_ivp(velocity, (0, TIMES[-1]), state, method="DOP853", rtol=1e-12, atol=1e-12, t_eval=TIMES)
    return found.y.T


KNOWN = reference(lambda t, y: np.concatenate(slopes(y[:N], y[N:])), np.concatenate([START, FIRST]))


def apart(run, known):
    phases, weights = known[:, :N], known[:, -len(FIRST) :]
    return max(np.max(np.abs(run.phase - phases)), np.max(np.abs(run.weight - weights)))


def test_field_and_weights_against_the_direct_integration():
    run = ip.simulate(model(), START, times=TIMES, tolerance=1e-12)
    assert apart(run, KNOWN) < 1e-9
    assert np.array_equal(run.end_weight, run.weight[-1]) and np.array_equal(run.weight[0], FIRST)
    assert np.array_equal(run.listener, LISTENER) and np.array_equal(run.heard, HEARD)


def test_constant_steps_keep_their_order():
    errors = [
        apart(ip.simulate(model(), START, times=TIMES, step=h, method="rk4"), KNOWN) for h in (0.1, 0.05)
    ]
    assert abs(np.log2(errors[0] / errors[1]) - 4) < 0.3


def test_inertia_and_a_drive_beside_it():
    mass = np.where(np.arange(N) % 2, 0.8, 0.0)
    heavy = mass > 0

    def velocity(t, y):
        drift, change = slopes(y[:N], y[N + heavy.sum() :], factor=1 + np.cos(2 * t))
        speeds = y[N : N + heavy.sum()]
        turned = drift.copy()
        turned[heavy] = speeds
        return np.concatenate([turned, (drift[heavy] - speeds) / 0.8, change])

    known = reference(velocity, np.concatenate([START, np.full(heavy.sum(), 0.2), FIRST]))
    driven = model(inertia=mass, drive=ip.Drive(coupling="1 + cos(2*t)"))
    run = ip.simulate(driven, START, times=TIMES, velocities=0.2, tolerance=1e-12)
    assert apart(run, known) < 1e-9
    light = np.array([velocity(t, y)[:N] for t, y in zip(TIMES, known)])
    assert np.max(np.abs(run.velocity - light)) < 1e-9


def test_replicas_have_weights_of_their_own():
    starts = np.stack([START, START + RNG.normal(size=N)])
    together = ip.simulate(model(), starts, times=TIMES)
    for row, start in enumerate(starts):
        alone = ip.simulate(model(), start, times=TIMES)
        assert np.allclose(together.weight[:, row], alone.weight, rtol=0, atol=1e-12)
        assert np.allclose(together.phase[:, row], alone.phase, rtol=0, atol=1e-12)


def test_noise_does_not_touch_the_weights():
    """Phases that do not hear each other: K follows them by its own equation, step by step."""
    lone = ip.PhaseModel(0 * F, coupling(), noise=0.2)
    run = ip.simulate(lone, START, times=0.1 * np.arange(6), step=0.1, method="euler", seed=2)
    plain = ip.simulate(
        ip.PhaseModel(0 * F, noise=0.2), START, times=0.1 * np.arange(6), step=0.1, method="euler", seed=2
    )
    assert np.array_equal(run.phase, plain.phase)
    weights = FIRST
    for k, theta in enumerate(plain.phase.values[:-1]):
        weights = weights + 0.1 * slopes(theta, weights)[1]
        assert np.allclose(run.weight[k + 1], weights, rtol=0, atol=1e-14)


def test_runs_go_on_from_their_weights():
    whole = ip.simulate(model(), START, times=[0.0, 4.0, 8.0], tolerance=1e-12)
    first = ip.simulate(model(), START, 4.0, tolerance=1e-12)
    then = model().replace(coupling=coupling(first.end_weight.values))
    second = ip.simulate(then, first.end_phase.values, 4.0, tolerance=1e-12)
    assert np.max(np.abs(second.end_weight - whole.end_weight)) < 1e-10


def test_initial_weights_by_edge_and_by_matrix():
    square = np.zeros((N, N))
    square[LISTENER, HEARD] = FIRST
    for given in (square, sparse.csr_array(square)):
        assert np.array_equal(coupling(given).initial, FIRST)
    assert np.all(coupling(0.5).initial == 0.5)


def test_words_code_and_provenance():
    kept = Kept()
    again = eval(model_code(model(), kept), {"ip": ip, "sparse": sparse, "parts": kept.arrays})
    run, other = (ip.simulate(m, START, 2.0) for m in (model(), again))
    assert np.array_equal(run.weight, other.weight)
    assert equation(model()).text == "dθ_i/dt = ω_i − Σ_j a_ij K_ij(t) f(θ_i − θ_j)"
    assert coupling().source().text.startswith("dK_ij/dt = 0.2 (h(θ_i − θ_j) − K_ij), h(x) = ")
    assert json.loads(run.attrs["model"])["coupling"]["rate"] == RATE
    with pytest.raises(ValueError, match="TOML"):
        coupling().tables()


REFUSING = {
    "jacobian": lambda: model().jacobian(START),
    "find": lambda: ip.equilibria.find(model(), N),
    "basins": lambda: ip.equilibria.basins(model(), N),
    "stability": lambda: ip.equilibria.stability(model(), START),
    "lyapunov": lambda: ip.equilibria.lyapunov_exponents(model(), START, t_end=10.0),
    "energy": lambda: ip.PhaseModel(ip.kuramoto(), coupling()).energy(START),
    "gain": lambda: model(gain=lambda phases: np.ones_like(phases)),
    "delays": lambda: model(delays=0.5),
    "sum": lambda: coupling() + ip.AllToAll(),
}


@pytest.mark.parametrize("name", REFUSING)
def test_what_assumes_a_fixed_equation_refuses_it_by_name(name):
    with pytest.raises(ValueError, match=r"adapt|Adaptive"):
        REFUSING[name]()


def test_certify_does_not_decide_and_study_runs():
    even = ip.PhaseModel(ip.kuramoto(), ip.Adaptive((1 - np.eye(4)) / 4, ip.Interaction("cos(x)"), 0.1, 1.0))
    found = ip.certify.synchronization(even)
    assert found.verdict == "undecided" and "adaptive coupling" in found.statement
    with pytest.raises(ValueError, match="coarsen needs"):
        ip.coarsen(even, np.zeros(4), t_end=1.0)
    assert ip.study(even, t_end=5.0, proof_time=1.0).summary["outcome"] == "driven"


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: ip.Adaptive(GRAPH, RULE, rate=0.0), ValueError, "rate"),
        (
            lambda: ip.Adaptive(GRAPH, RULE, rate=0.1, initial=[1.0, 2.0]),
            ValueError,
            "initial must be a number",
        ),
        (lambda: ip.Adaptive(np.ones((2, 3)), RULE, rate=0.1), ValueError, r"shape \(n, n\)"),
    ],
)
def test_bad_input_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_run_of_adaptive_weights_does_not_go_on_in_silence():
    graph, h = (1 - np.eye(3)) / 3, ip.Interaction("cos(x)")
    first = ip.PhaseModel(ip.kuramoto(), ip.Adaptive(graph, h, rate=0.1, initial=0.5))
    run = ip.simulate(first, [0.0, 0.5, 1.0], t_end=2.0, tolerance=1e-12)
    with pytest.raises(ValueError, match=r"initial=run\.end_weight\.values"):
        ip.simulate(first, run, t_end=4.0)
    then = ip.PhaseModel(ip.kuramoto(), ip.Adaptive(graph, h, rate=0.1, initial=run.end_weight.values))
    after = ip.simulate(then, run.end_phase.values, t_end=2.0, tolerance=1e-12)
    whole = ip.simulate(first, [0.0, 0.5, 1.0], t_end=4.0, tolerance=1e-12)
    assert after.end_phase.values == pytest.approx(whole.end_phase.values, abs=1e-9)
