"""Inertia: the swing equation against scipy, mixed first and second order, and exact solutions."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import inphase as ip


def swing(model, n):
    """The swing equation as it stands, for scipy: y = [θ, θ']."""
    m, d, K = np.broadcast_to(model.inertia, n), np.broadcast_to(model.damping, n), model.coupling.matrix(n)

    def rate(t, y):
        theta, speed = y[:n], y[n:]
        torque = model.frequencies + model.field * np.sin(theta)
        torque = torque - (K * model.interaction(theta[:, None] - theta[None, :])).sum(axis=1)
        return np.concatenate([speed, (torque - d * speed) / m])

    return rate


def test_swing_equation_against_scipy():
    rng = np.random.default_rng(3)
    n = 8
    weights = rng.uniform(0.5, 2, (n, n)) * (rng.random((n, n)) < 0.6)
    weights = np.triu(weights, 1) + np.triu(weights, 1).T
    power = rng.normal(size=n)
    model = ip.PhaseModel(
        ip.kuramoto(), ip.Dense(weights), frequencies=power - power.mean(), field=0.2,
        inertia=rng.uniform(0.5, 2, n), damping=rng.uniform(0.2, 1, n),
    )  # fmt: skip
    start, speed = rng.uniform(-1, 1, (2, n))
    times = np.linspace(0, 20, 41)
    run = ip.simulate(model, start, times=times, velocities=speed, tolerance=1e-12)
    reference = solve_ivp(
        swing(model, n), (0, 20), np.concatenate([start, speed]), "DOP853", times, rtol=3e-14, atol=1e-14
    ).y.T
    assert np.max(np.abs(run.phase.values - reference[:, :n])) < 1e-9
    assert np.max(np.abs(run.velocity.values - reference[:, n:])) < 1e-9


def test_a_free_rotor_relaxes_exponentially():
    """m θ'' + d θ' = ω: θ' = ω/d + (v − ω/d) e^{−dt/m}."""
    model = ip.PhaseModel(0.0 * ip.kuramoto(), frequencies=2.0, inertia=3.0, damping=0.5)
    run = ip.simulate(
        model, [[0.0], [1.0]], times=[0.0, 1.0, 10.0], velocities=[[1.0], [-2.0]], tolerance=1e-12
    )
    decay = np.exp(-0.5 / 3 * run.time.values)[:, None]
    expected = 4.0 + (np.array([1.0, -2.0]) - 4.0) * decay
    np.testing.assert_allclose(run.velocity.values[..., 0], expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(
        run.phase.values[..., 0],
        np.array([0.0, 1.0])
        + 4.0 * run.time.values[:, None]
        + (np.array([1.0, -2.0]) - 4.0) * 6.0 * (1 - decay),
        rtol=0,
        atol=1e-9,
    )


def test_first_and_second_order_mix():
    """A load without inertia among machines: the limit of small inertia, and its velocity the equation's."""
    parts = {"frequencies": [0.5, -0.2, -0.3], "damping": [0.4, 1.0, 2.0]}
    start = [0.1, 0.9, -0.5]
    mixed = ip.PhaseModel(ip.kuramoto(), ip.AllToAll([1, 1, 1]), inertia=[1.0, 0.0, 0.0], **parts)
    run = ip.simulate(mixed, start, times=[0.0, 2.0, 5.0], tolerance=1e-10)
    distance = []
    for m in (0.02, 0.01):
        near = ip.simulate(mixed.replace(inertia=[1.0, m, m]), start, times=[0.0, 2.0, 5.0], tolerance=1e-8)
        distance.append(np.max(np.abs(run.phase - near.phase).values))
    assert 1.7 < distance[0] / distance[1] < 2.3  # of first order in the small inertia
    assert distance[1] < 0.01
    for k in range(3):
        np.testing.assert_allclose(
            run.velocity[k, 1:], mixed.velocity(run.phase[k].values)[1:], rtol=0, atol=1e-14
        )


def test_damping_alone_rescales_each_clock():
    model = ip.PhaseModel(ip.kuramoto(), frequencies=[1.0, 2.0], damping=[2.0, 4.0])
    rate = ip.PhaseModel(ip.kuramoto(), frequencies=[1.0, 2.0]).velocity([0.3, 1.0])
    np.testing.assert_allclose(model.velocity([0.3, 1.0]), rate / [2.0, 4.0], rtol=1e-15)
    step = 1e-6
    numeric = np.stack(
        [
            (
                model.velocity(np.array([0.3, 1.0]) + step * e)
                - model.velocity(np.array([0.3, 1.0]) - step * e)
            )
            / (2 * step)
            for e in np.eye(2)
        ],
        axis=1,
    )
    np.testing.assert_allclose(model.jacobian([0.3, 1.0]), numeric, atol=1e-9)


def test_noise_on_inertia_has_the_equilibrium_of_langevin():
    """m v' = −d v + sqrt(2D) ξ: the stationary variance of v is D/(m d)."""
    m, d, D = 2.0, 0.5, 0.4
    model = ip.PhaseModel(0.0 * ip.kuramoto(), inertia=m, damping=d, noise=D)
    run = ip.simulate(model, np.zeros(20_000), times=[40.0], step=0.05, seed=1)
    variance, expected = float(run.velocity[0].var()), D / (m * d)
    assert abs(variance - expected) < 4 * expected * np.sqrt(2 / 20_000)


@pytest.mark.parametrize("velocities", [[1.0], [[1.0, 2.0]], "fast"])
def test_bad_velocities(velocities, as_a_user):
    model = ip.PhaseModel(ip.kuramoto(), inertia=1.0)
    with pytest.raises((ValueError, TypeError), match="velocities must"):
        ip.simulate(model, [0.0, 1.0, 2.0], t_end=1.0, velocities=velocities)
