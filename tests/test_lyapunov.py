"""Lyapunov exponents against eigenvalues, divergences,
conserved quantities and two neighboring trajectories.
"""

import numpy as np
import pytest

import inphase as ip
from inphase.coupling import Dense, Sparse
from inphase.equilibria.lyapunov import lyapunov_exponents
from inphase.state_space import StateSpace


def test_at_an_equilibrium_they_are_the_eigenvalues():
    """Locked oscillators on a directed network, complex
    eigenvalues included; the rotation's zero among them.
    """
    rng = np.random.default_rng(2)
    K = rng.uniform(0.2, 1.0, (5, 5))
    model = ip.PhaseModel(ip.sakaguchi(0.2), Dense(K), frequencies=0.1 * rng.normal(size=5))
    locked = ip.simulate(model, np.zeros(5), t_end=60.0).phase.values[-1]
    exact = np.sort(np.linalg.eigvals(model.jacobian(locked)).real)[::-1]
    found = lyapunov_exponents(model, locked, t_end=30.0, transient=8.0, tolerance=1e-6)
    assert found.exponent.values == pytest.approx(exact, abs=0.1)  # a complex pair converges like 1/t
    assert found.exponent.values[[0, 1, 4]] == pytest.approx(exact[[0, 1, 4]], abs=5e-2)
    assert np.min(np.abs(found.exponent.values)) < 1e-6
    assert float(found.exponent.sum()) == pytest.approx(float(np.trace(model.jacobian(locked))), abs=1e-5)


def test_with_inertia_at_an_equilibrium():
    """Two with inertia, one without: eigenvalues of the
    second-order problem, and the trace −Σ d/m + ∂u_1/∂θ_1.
    """
    model = ip.PhaseModel(
        ip.kuramoto(), Dense([[0, 1.0, 0.5], [1.0, 0, 1.0], [0.5, 1.0, 0]]), frequencies=[0.2, 0.1, -0.3],
        inertia=[2.0, 0.0, 1.0], damping=[0.5, 1.0, 0.7],
    )  # fmt: skip
    from inphase.equilibria import find

    state = find(model, starts=5).stable[0]
    found = lyapunov_exponents(model, state.phases, t_end=80.0, transient=20.0, tolerance=1e-6)
    exact = np.sort(np.append(state.eigenvalues.real, 0.0))[::-1]
    assert found.sizes["rank"] == 5
    assert found.exponent.values == pytest.approx(exact, abs=3e-2)
    assert float(found.exponent.sum()) == pytest.approx(
        -0.5 / 2 - 0.7 + model.jacobian(state.phases)[1, 1], abs=1e-5
    )


@pytest.mark.parametrize(
    "model",
    [
        ip.PhaseModel(1.2 * ip.kuramoto(), frequencies=np.linspace(-1, 1, 4)),
        ip.PhaseModel(ip.attention(2.0), gain="softmax", frequencies=np.linspace(-1, 1, 5)),
        ip.PhaseModel(ip.harmonics(sin=[1.0], cos=[0.3, 0.5]), frequencies=np.linspace(-1, 1, 4), field=0.3),
        ip.PhaseModel(
            ip.kuramoto(),
            Sparse(np.roll(np.eye(5), 1, axis=0)),
            frequencies=np.arange(5.0),
            inertia=[1, 0, 1, 0, 2.0],
        ),
    ],
    ids=["kuramoto", "softmax", "field", "inertia"],
)
def test_they_add_up_to_the_mean_divergence(model):
    found = lyapunov_exponents(
        model, np.arange(model.size, dtype=float), t_end=30.0, transient=2.0, interval=0.2, tolerance=1e-6
    )
    assert float(found.exponent.sum()) == pytest.approx(float(found.divergence), abs=0.05)


def test_watanabe_strogatz():
    """Identical sinusoidal oscillators have n − 3 constants of motion (Watanabe, Strogatz 1994); neutrally at
    balance.

    A repulsive all-to-all coupling settles to R = 0: n − 3 neutral directions and the rotation, and R itself
    decays.
    """
    n = 7
    found = lyapunov_exponents(
        ip.PhaseModel(-ip.kuramoto()),
        np.random.default_rng(1).uniform(0, 6.28, n),
        t_end=60.0,
        transient=40.0,
        tolerance=1e-6,
    )
    values = found.exponent.values
    assert np.abs(values[: n - 2]) == pytest.approx(0.0, abs=2e-2)
    assert np.all(values[n - 2 :] < -0.1)
    assert values[n - 2 :].sum() == pytest.approx(-1.0, abs=5e-3)  # the trace of −K cos(θ_i − θ_j)/n at R = 0


@pytest.mark.parametrize(("n", "K"), [(4, 1.2), pytest.param(10, 1.1, marks=pytest.mark.long)])
def test_phase_chaos(n, K):
    """Four and more oscillators with evenly spaced
    frequencies are chaotic (Popovych, Maistrenko, Tass 2005).
    """
    model = ip.PhaseModel(K * ip.kuramoto(), frequencies=np.linspace(-1, 1, n))
    found = lyapunov_exponents(
        model,
        np.random.default_rng(0).uniform(0, 6.28, n),
        count=1,
        t_end=400.0,
        transient=100.0,
        tolerance=1e-5,
    )
    assert float(found.exponent[0]) > 4 * float(found.standard_error[0]) > 0


@pytest.mark.long
def test_three_oscillators_are_not_chaotic():
    """Off the rotation they are a flow on a torus of dimension two."""
    model = ip.PhaseModel(0.8 * ip.kuramoto(), frequencies=[-1.0, 0.1, 1.0])
    found = lyapunov_exponents(model, [0.0, 1.0, 3.0], count=1, t_end=200.0, transient=50.0, tolerance=1e-5)
    assert abs(float(found.exponent[0])) < 1.5e-2


@pytest.mark.long
def test_two_neighboring_trajectories_part_at_the_first_exponent():
    """Another method: a copy at the distance 1e-6, pulled
    back after each unit of time, integrated by `simulate`.
    """
    model = ip.PhaseModel(1.1 * ip.kuramoto(), frequencies=np.linspace(-1, 1, 10))
    one = lyapunov_exponents(model, np.arange(10.0), count=1, t_end=300.0, transient=50.0, tolerance=1e-5)
    phases = one.phase.values
    other, grown = phases + 1e-6 * np.random.default_rng(0).normal(size=10), []
    for _ in range(130):
        before = np.linalg.norm(other - phases)
        phases, other = ip.simulate(
            model, np.stack([phases, other]), times=[3.0], tolerance=1e-10
        ).phase.values[-1]
        size = np.linalg.norm(other - phases)
        grown.append(np.log(size / before) / 3.0)
        other = phases + (other - phases) * (1e-6 / size)
    batches = [np.mean(part) for part in np.array_split(grown[10:], 19)]
    error = np.hypot(np.std(batches, ddof=1) / np.sqrt(19), float(one.standard_error[0]))
    assert np.mean(batches) > 2 * error
    assert np.mean(batches) == pytest.approx(float(one.exponent[0]), abs=4 * error)


def test_the_low_rank_product_is_the_jacobian():
    rng = np.random.default_rng(0)
    model = ip.PhaseModel(ip.attention(1.5), gain="softmax", frequencies=rng.normal(size=80), field=0.2)
    state, vectors = rng.uniform(0, 6.28, 80), rng.normal(size=(80, 3))
    space = StateSpace(model, 80)
    assert space.tangent(state, vectors) == pytest.approx(model.jacobian(state) @ vectors, abs=1e-12)
    assert space.divergence(state) == pytest.approx(np.trace(model.jacobian(state)), abs=1e-11)


def test_the_state_space_derivative_by_differences():
    rng = np.random.default_rng(0)
    model = ip.PhaseModel(
        ip.sakaguchi(0.3), Dense(rng.normal(size=(4, 4))), frequencies=rng.normal(size=4),
        inertia=[1.0, 0.0, 0.5, 2.0], damping=[0.2, 1.5, 0.4, 1.0], field=0.3,
    )  # fmt: skip
    space = StateSpace(model, 4)
    state, h = rng.normal(size=space.size), 1e-6
    columns = [
        (space.velocity(state + h * e) - space.velocity(state - h * e)) / (2 * h) for e in np.eye(space.size)
    ]
    assert space.tangent(state, np.eye(space.size)) == pytest.approx(np.array(columns).T, abs=1e-8)
    assert space.divergence(state) == pytest.approx(
        sum(column[k] for k, column in enumerate(columns)), abs=1e-8
    )


def test_same_seed_same_numbers():
    model = ip.PhaseModel(ip.kuramoto(), frequencies=np.linspace(-1, 1, 5))
    one, two, other = (lyapunov_exponents(model, np.arange(5.0), t_end=10.0, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.exponent, two.exponent) and not np.array_equal(one.exponent, other.exponent)


@pytest.mark.parametrize(
    ("parts", "arguments", "message"),
    [
        ({"delays": 0.1}, {}, "delays or noise"),
        ({"noise": 0.1}, {}, "delays or noise"),
        ({"gain": lambda x: 1 + 0 * x}, {}, "callable gain"),
        ({}, {"count": 0}, "count"),
        ({}, {"count": 4}, "at most 3"),
        ({}, {"t_end": -1.0}, "t_end"),
        ({}, {"transient": -1.0}, "transient"),
        ({}, {"interval": 10.0}, "interval"),
        ({}, {"phases": [[0.0, 1.0, 2.0]]}, "shape"),
    ],
)
def test_refuses(parts, arguments, message):
    options = {"phases": [0.0, 1.0, 2.0], "t_end": 20.0} | arguments
    with pytest.raises(ValueError, match=message):
        lyapunov_exponents(ip.PhaseModel(ip.kuramoto(), **parts), options.pop("phases"), **options)
