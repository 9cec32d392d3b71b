"""The Kuramoto transition: simulation against what is exact
for infinitely many oscillators; at n = 10^5 in the long tests.
"""

import numpy as np
import pytest

import inphase as ip

SIZES = [10_000, pytest.param(100_000, marks=pytest.mark.long)]


@pytest.mark.parametrize("n", SIZES)
def test_lorentzian_frequencies_follow_ott_and_antonsen(n):
    """r(t) from r(0) = 0.1, on both sides of K_c = 1, within five times the finite-size error n^(−1/2).

    Frequencies are cut at 50, where 0.6% of them lie beyond: these never lock, and their sum averages out
    within 0.1.
    """
    omega = np.clip(ip.distributions.lorentzian(width=0.5).draw(n, seed=0), -50, 50)
    start = np.random.default_rng(1).permutation(poisson_kernel(0.1, n))
    times = np.linspace(0, 16, 33)
    for K in (0.6, 2.0):
        model = ip.PhaseModel(K * ip.kuramoto(), frequencies=omega)
        run = ip.simulate(model, start, times=times, tolerance=1e-5)
        assert run.attrs["status"] == "finished"
        exact = np.abs(ip.theory.ott_antonsen(times, coupling=K, width=0.5, initial=0.1))
        assert np.max(np.abs(run.order_parameter.values - exact)) < 5 / np.sqrt(n)
    assert exact[-1] > 0.7


def poisson_kernel(r, n):
    """n quantiles of the density (1 − r²)/(2π (1 − 2 r cos θ + r²)), whose order parameter is r."""
    u = (np.arange(n) + 0.5) / n - 0.5
    return 2 * np.arctan((1 - r) / (1 + r) * np.tan(np.pi * u))


@pytest.fixture(scope="module", params=SIZES)
def branch(request):
    """(K, r) of the synchronized branch for normal
    frequencies of width 1, simulated from r near its value.
    """
    critical = ip.theory.critical_coupling("normal")
    omega = ip.distributions.normal().quantiles(request.param)
    phases, found = np.zeros(request.param), []
    for K in critical * np.array([1.3, 1.2, 1.1]):  # downwards, each from where the last one ended
        model = ip.PhaseModel(K * ip.kuramoto(), frequencies=omega)
        run = ip.simulate(model, phases, times=np.linspace(0, 60, 61), tolerance=1e-5)
        phases = run.phase.values[-1]
        found.append((K, float(run.order_parameter[40:].mean()), float(run.order_parameter[40:].std())))
    return np.array(found)


def test_order_parameter_of_normal_frequencies(branch):
    K, r, spread = branch.T
    exact = ip.theory.order_parameter(K, "normal")
    assert np.all(spread < 0.02 * r)  # it has settled
    assert np.max(np.abs(r / exact - 1)) < 0.02


def test_critical_coupling_of_normal_frequencies(branch):
    """1/K is an analytic function of (K r)²: the parabola through the three points, extrapolated to r = 0."""
    K, r, _ = branch.T
    intercept = np.linalg.solve(np.vander((K * r) ** 2, increasing=True), 1 / K)[0]
    assert abs(1 / intercept / ip.theory.critical_coupling("normal") - 1) < 0.02


@pytest.mark.long
def test_nothing_synchronizes_below_the_critical_coupling():
    """Random phases and frequencies at K = 0.8 K_c: n <r²>
    is theory's, of order one, within a factor of statistics.
    """
    K, replicas, n = 0.8 * ip.theory.critical_coupling("normal"), 40, 500
    squares = []
    for k in range(replicas):
        omega = ip.distributions.normal().draw(n, seed=k)
        model = ip.PhaseModel(K * ip.kuramoto(), frequencies=omega)
        run = ip.simulate(
            model, ip.initial.phases("uniform", n, seed=k), times=np.linspace(20, 60, 9), tolerance=1e-4
        )
        squares.append(n * np.mean(run.order_parameter.values**2))
    expected = ip.theory.incoherent_fluctuations(K, "normal")
    error = np.std(squares, ddof=1) / np.sqrt(replicas)
    assert error < 0.2 * expected
    assert abs(np.mean(squares) - expected) < 4 * error + 0.05 * expected
