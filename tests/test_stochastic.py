"""Constant steps and noise: orders of convergence, exact
laws, and numbers that depend on nothing but their keys.
"""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import i0e, i1e

import inphase as ip
from inphase.kernels import random


def wiener(steps_per_path, seed, replicas, n, step):
    """The increments that `simulate` draws, (steps, replicas, n)."""
    rows = np.arange(replicas)
    return np.sqrt(step) * np.stack(
        [random.normals(seed, rows, k, np.empty((replicas, n))) for k in range(steps_per_path)],
    )


def euler_maruyama(model, start, increments, step):
    """Euler-Maruyama on given increments of Brownian motion."""
    state = start.copy()
    for dw in increments:
        state = state + step * model.velocity(state) + np.sqrt(2 * model.noise) * dw
    return state


def heun(model, start, increments, step):
    state = start.copy()
    for dw in increments:
        kick = np.sqrt(2 * model.noise) * dw
        slope = model.velocity(state)
        state = state + step / 2 * (slope + model.velocity(state + step * slope + kick)) + kick
    return state


@pytest.mark.parametrize(("method", "plain"), [("euler", euler_maruyama), ("heun", heun)])
def test_a_run_is_the_method_on_its_own_increments(method, plain):
    model = ip.PhaseModel(
        ip.attention(2.0), gain="softmax", noise=np.array([0.1, 0.0, 0.4]), frequencies=[0.1, 0.2, 0.3]
    )
    start = ip.initial.phases("uniform", 3, seed=1, replicas=5)
    run = ip.simulate(model, start, t_end=1.0, step=0.05, method=method, seed=7)
    expected = plain(model, start, wiener(20, 7, 5, 3, 0.05), 0.05)
    np.testing.assert_allclose(run.phase[-1], expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("plain", [euler_maruyama, heun])
def test_strong_order_one(plain):
    """Errors on one and the same Brownian path, from steps that double: order 1 in the mean of |error|."""
    replicas, fine, t_end = 200, 512, 1.0
    model = ip.PhaseModel(ip.kuramoto(), noise=0.3, frequencies=[-1.0, 0.0, 1.0], field=[0.5, 1.0, -1.0])
    start = ip.initial.phases("uniform", 3, seed=2, replicas=replicas)
    increments = wiener(fine, 3, replicas, 3, t_end / fine)

    def end(steps):
        grouped = increments.reshape(steps, fine // steps, replicas, 3).sum(axis=1)
        return plain(model, start, grouped, t_end / steps)

    reference = heun(model, start, increments, t_end / fine)
    steps = np.array([8, 16, 32, 64])
    errors = [np.mean(np.abs(end(int(s)) - reference)) for s in steps]
    order = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert 0.9 < order < (1.15 if plain is euler_maruyama else 2.1)


@pytest.mark.parametrize(("method", "low", "high"), [("euler", 0.8, 1.25), ("heun", 1.7, 2.4)])
def test_weak_order(method, low, high):
    """θ' = −sin θ + noise: <cos θ(2)> against the Fokker-Planck
    equation; the bias falls like the step, or its square.
    """
    D, replicas, t = 0.5, 1_000_000, 2.0
    model = ip.PhaseModel(0.0 * ip.kuramoto(), ip.AllToAll(), field=-1.0, noise=D)
    exact = fokker_planck_cosine(D, t)
    bias, error = [], []
    for k, step in enumerate((1.0, 0.5)):
        start = np.full((1, replicas), 1.0)  # without coupling, oscillators are replicas of one another
        run = ip.simulate(model, start, times=[t], step=step, method=method, seed=10 + k)
        values = np.cos(run.phase.values.ravel())
        bias.append(values.mean() - exact)
        error.append(values.std() / np.sqrt(replicas))
    assert abs(bias[1]) > 5 * error[1]  # the bias is seen above the noise
    order = np.log2(abs(bias[0] / bias[1]))
    spread = np.hypot(error[0] / bias[0], error[1] / bias[1]) / np.log(2)
    assert low - 3 * spread < order < high + 3 * spread


def fokker_planck_cosine(D, t):
    """<cos θ(t)> of θ' = −sin θ + sqrt(2D) ξ from θ = 1, by the equation for <e^{ikθ}>, k <= 40."""
    from scipy.linalg import expm

    k = np.arange(-40, 41)
    matrix = np.diag(-D * k.astype(complex) ** 2)
    # d/dt <e^{ikθ}> = −(k/2) (<e^{i(k+1)θ}> − <e^{i(k−1)θ}>) − D k² <e^{ikθ}>
    matrix += np.diag(-k[:-1] / 2, 1) + np.diag(k[1:] / 2, -1)
    moments = expm(matrix * t) @ np.exp(1j * k)
    return moments[41].real


def test_free_diffusion_has_its_law():
    D, t = 0.3, 2.0
    model = ip.PhaseModel(0.0 * ip.kuramoto(), noise=D, common_noise=0.1)
    run = ip.simulate(model, np.zeros((50, 400)), times=[t], step=0.5, method="euler", seed=5)
    phases = run.phase.values[0]
    own = phases - phases.mean(axis=1, keepdims=True)
    variance, samples = own.var() * 400 / 399, own.size
    assert abs(variance - 2 * D * t) < 4 * 2 * D * t * np.sqrt(2 / samples)
    shared = phases.mean(axis=1)
    expected = 2 * 0.1 * t + 2 * D * t / 400
    assert abs(np.mean(shared**2) - expected) < 4 * expected * np.sqrt(2 / 50)


@pytest.mark.parametrize("K", [1.5, 3.0])
def test_stationary_order_parameter_of_the_noisy_classical_model(K):
    """r = I_1(K r/D)/I_0(K r/D) (Sakaguchi 1988), within the finite-size error and the step's."""
    D, n = 0.5, 4000
    r = brentq(lambda r: r - i1e(K * r / D) / i0e(K * r / D), 1e-3, 1.0)
    model = ip.PhaseModel(K * ip.kuramoto(), noise=D)
    run = ip.simulate(model, np.zeros(n), times=np.arange(10.0, 60.0, 0.5), step=0.02, seed=11)
    blocks = run.order_parameter.values.reshape(10, -1).mean(axis=1)
    error = blocks.std(ddof=1) / np.sqrt(10)
    assert error < 0.005
    assert abs(blocks.mean() - r) < 4 * error + 5e-4


def test_numbers_do_not_depend_on_threads_or_groups(threads):
    model = ip.PhaseModel(ip.kuramoto(), noise=0.2, common_noise=0.05)
    start = ip.initial.phases("uniform", 90_001, seed=4, replicas=3)
    options = {"t_end": 0.05, "step": 0.01, "seed": 9}
    threads(1)
    alone = ip.simulate(model, start, **options).phase
    threads(2)
    together = ip.simulate(model, start, **options).phase
    assert np.array_equal(alone, together)
    last = ip.simulate(model, start[[2, 0]], replicas=[2, 0], **options).phase
    assert np.array_equal(last.sel(replica=[0, 2]), together.sel(replica=[0, 2]))
    other = ip.simulate(model, start, t_end=0.05, step=0.01, seed=10).phase
    assert not np.array_equal(other[-1], together[-1])


def test_delays_in_whole_steps_are_kuranets_update():
    """θ(k+1) = θ(k) + h (ω + Σ_j K_ij sin(θ_j(k − s_j) − θ_i(k))), by a plain loop."""
    rng = np.random.default_rng(0)
    n, h, steps = 6, 0.1, 40
    rows, columns = rng.normal(size=(2, n))
    omega, lag = rng.uniform(2, 4, n), rng.integers(0, 8, n)
    model = ip.PhaseModel(ip.kuramoto(), ip.RankOne(rows, columns), frequencies=omega, delays=lag * h)
    start = rng.uniform(0, 2 * np.pi, (2, n))
    run = ip.simulate(model, start, t_end=h * steps, step=h, method="euler", history="constant")
    past = [start] * 9
    for _ in range(steps):
        heard = np.stack([past[-1 - lag[j]][:, j] for j in range(n)], axis=1)
        pull = np.einsum("i,j,rij->ri", rows, columns, np.sin(heard[:, None, :] - past[-1][:, :, None]))
        past.append(past[-1] + h * (omega + pull))
    np.testing.assert_allclose(run.phase[-1], past[-1], rtol=0, atol=1e-12)


def test_heun_is_of_second_order_with_delays():
    """θ' = ω − sin(θ(t) − θ(t − τ)), identical oscillators with
    history ωt: against Dormand-Prince's limit at small steps.
    """
    model = ip.PhaseModel(ip.kuramoto(), frequencies=[1.0, 1.3], delays=[0.5, 1.0])
    ends = [
        ip.simulate(model, [0.0, 1.0], times=[4.0], step=h, method="heun").phase.values[0]
        for h in (0.05, 0.025, 0.0125)
    ]
    ratio = np.abs(ends[0] - ends[1]) / np.abs(ends[1] - ends[2])
    assert np.all((ratio > 3.0) & (ratio < 5.5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs a constant step"),
        ({"method": "dormand-prince"}, "noise needs constant steps"),
        ({"method": "milstein", "step": 0.1}, "method must be one of"),
        ({"step": -0.1}, "step must be a positive"),
        ({"step": 0.1, "seed": -1}, "seed must be an integer >= 0"),
        ({"step": 0.1, "seed": 2**63}, "seed must be below 2\\^63"),
        ({"step": 3.0}, "step must be at most the final time, 1; got 3"),
        ({"step": 0.1, "replicas": [0, 1]}, "replicas must name each"),
        ({"step": 0.1, "velocities": 0.0}, "velocities are for models with inertia"),
    ],
)
def test_bad_input(options, message):
    model = ip.PhaseModel(ip.kuramoto(), noise=0.1)
    with pytest.raises(ValueError, match=message):
        ip.simulate(model, [0.0, 1.0], t_end=1.0, **options)


def test_negative_parts_are_refused():
    for name in ("noise", "common_noise", "inertia", "delays"):
        with pytest.raises(ValueError, match=f"{name} must be >= 0; got -0.1"):
            ip.PhaseModel(ip.kuramoto(), **{name: -0.1})
    with pytest.raises(ValueError, match="damping must be positive; got 0"):
        ip.PhaseModel(ip.kuramoto(), damping=0.0)
