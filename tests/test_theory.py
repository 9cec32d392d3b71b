"""Closed forms against independent facts: Bessel functions, 30-digit quadrature, ODEs, known transitions."""

import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import ive

from inphase import theory
from inphase.interaction import Interaction, attention, harmonics, kuramoto, sakaguchi

# ------------------------------------------------------------------------------------------------------- growth rates


@pytest.mark.parametrize("beta", [-4.0, 0.5, 5.0, 40.0])
def test_attention_growth_rates_are_bessel_functions(beta):
    k = np.arange(1, 12)
    exact = k**2 * ive(k, beta) * np.exp(abs(beta) - beta) / beta
    f = attention(beta)
    assert theory.growth_rates(f, modes=11) == pytest.approx(exact, abs=1e-14 * 11 * f.maximum)
    mean = ive(0, beta) * np.exp(abs(beta) - beta)
    assert theory.growth_rates(f, gain="softmax", modes=11) == pytest.approx(exact / mean, abs=1e-12)


def test_fastest_mode():
    assert theory.fastest_mode(attention(5)) == 3
    assert theory.fastest_mode(attention(5), gain="softmax") == 3
    assert theory.fastest_mode(attention(5), noise=0.02) == 2
    assert theory.fastest_mode(kuramoto()) == 1
    assert theory.fastest_mode(-kuramoto()) == 0
    assert theory.fastest_mode(harmonics(cos=[1.0])) == 0  # every mode is neutral


def test_growth_rates_are_eigenvalues_of_the_equation_on_a_grid():
    """f neither odd nor of mean zero, with noise: the linear operator of the density, as a matrix."""
    f = Interaction("sin(x + 0.4) + 0.3*cos(2*x - 1) + 0.7")
    n, D = 32, 0.05
    x = 2 * np.pi * np.arange(n) / n
    F = np.exp(1j * np.outer(x, np.arange(-n // 2 + 1, n // 2)))
    differentiate = (F * (1j * np.arange(-n // 2 + 1, n // 2))) @ F.conj().T / n
    convolve = f(x[:, None] - x) * (2 * np.pi / n)
    uniform = np.full(n, 1 / (2 * np.pi))

    def right_side(rho):
        return differentiate @ (rho * (convolve @ rho)) + D * differentiate @ (differentiate @ rho)

    rates = theory.growth_rates(f, noise=D, modes=6)
    for k, rate in enumerate(rates, 1):
        wave = 1e-6 * np.exp(1j * k * x)
        slope = (right_side(uniform + wave) - right_side(uniform - wave)) / 2
        assert slope == pytest.approx(rate * wave, abs=1e-18 + 1e-9 * abs(rate) * 1e-6)
    assert np.iscomplexobj(rates)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"noise": -1.0}, "noise must be >= 0"),
        ({"noise": np.nan}, "noise"),
        ({"modes": 0}, "modes must be an integer >= 1"),
        ({"gain": "hardmax"}, "gain must be"),
    ],
)
def test_growth_rates_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        theory.growth_rates(kuramoto(), **arguments)


def test_softmax_needs_the_gradient_kind():
    with pytest.raises(ValueError, match="softmax"):
        theory.growth_rates(sakaguchi(0.1), gain="softmax")
    with pytest.raises(TypeError, match="Interaction"):
        theory.growth_rates(np.sin)


def test_attention_ratio_limit():
    assert theory.attention_ratio_limit() == pytest.approx(1.13959076640311291, rel=1e-15)
    # the error of finite β is O(1/β); the last factor leaves 1 + τ/M with τ ~ 1/sqrt(β) out
    ratios = [attention(beta).synchronization_ratio(largest_gap=1e300) for beta in (500.0, 1000.0)]
    assert 2 * ratios[1] - ratios[0] == pytest.approx(theory.attention_ratio_limit(), rel=1e-6)


# -------------------------------------------------------------------------------------------------- classical Kuramoto


@pytest.mark.parametrize(
    ("coupling", "width", "modulus"), [(4, 0.5, 0.1), (1, 0.5, 0.3), (0.3, 0.5, 0.9), (-2, 0.1, 1.0), (2, 0, 0.01)]
)
def test_ott_antonsen_solves_its_equation(coupling, width, modulus):
    start, center, times = modulus * np.exp(0.4j), 0.7, np.linspace(0, 10, 21)
    z = theory.ott_antonsen(times, coupling, width, start, center)

    def right_side(t, z):
        return (1j * center - width) * z + coupling / 2 * z * (1 - abs(z) ** 2)

    exact = solve_ivp(right_side, (0, 10), [start], "DOP853", t_eval=times, rtol=1e-12, atol=1e-14).y[0]
    assert z == pytest.approx(exact, abs=1e-11)


def test_ott_antonsen_limits_and_refusals():
    assert abs(theory.ott_antonsen(1e6, 4, 0.5, 1e-3)) == pytest.approx(np.sqrt(3) / 2)
    assert theory.ott_antonsen(1e6, 0.5, 0.5, 0.9) == 0
    assert theory.ott_antonsen([[1.0, 2.0]], 1, 1, 0.5).shape == (1, 2)
    for bad in ({"times": -1}, {"width": -1}, {"initial": 1.5}, {"initial": np.nan}, {"coupling": np.inf}):
        with pytest.raises(ValueError):
            theory.ott_antonsen(**({"times": 1, "coupling": 1, "width": 1, "initial": 0.5} | bad))


DENSITIES = {
    "lorentzian": lambda w: 1 / np.pi / (1 + w * w),
    "normal": lambda w: np.exp(-w * w / 2) / np.sqrt(2 * np.pi),
    "uniform": lambda w: 0.5 * (abs(w) <= 1),
}


def test_critical_coupling():
    assert theory.critical_coupling("lorentzian", 0.7) == pytest.approx(1.4, rel=1e-15)
    assert theory.critical_coupling("normal", 2.0) == pytest.approx(2 * np.sqrt(8 / np.pi), rel=1e-15)
    assert theory.critical_coupling("uniform", 3.0) == pytest.approx(12 / np.pi, rel=1e-15)
    for name, density in DENSITIES.items():
        assert theory.critical_coupling(density, 0.3) == pytest.approx(theory.critical_coupling(name, 0.3), rel=1e-14)


@pytest.mark.parametrize("name", DENSITIES)
def test_order_parameter_of_a_density_agrees_with_the_closed_integral(name):
    K = theory.critical_coupling(name, 2.0) * np.array([[-1, 0.5, 0.999], [1.001, 1.1, 1.5], [3, 100, 1e6]])
    r = theory.order_parameter(K, name, 2.0)
    assert r.shape == K.shape and np.all(r[0] == 0) and np.all(r[1:] > 0) and np.all(r <= 1)
    assert theory.order_parameter(K, DENSITIES[name], 2.0) == pytest.approx(r, abs=1e-11)


def test_order_parameter_lorentzian_closed_form():
    K = np.array([1.0001, 1.1, 2, 50])
    assert theory.order_parameter(K, "lorentzian", 0.5) == pytest.approx(np.sqrt(1 - 1 / K), rel=1e-11)


def test_order_parameter_uniform_jumps():
    critical = 4 * 0.3 / np.pi
    r = theory.order_parameter(critical * np.array([1 - 1e-12, 1 + 1e-12]), "uniform", 0.3)
    assert r[0] == 0
    assert r[1] == pytest.approx(np.pi / 4, abs=1e-7)


@pytest.mark.parametrize(
    ("density", "message"),
    [
        (lambda w: 2 * DENSITIES["normal"](w), "mass 1"),
        (lambda w: DENSITIES["normal"](w - 0.1), "even"),
        (lambda w: (DENSITIES["normal"](w - 2) + DENSITIES["normal"](w + 2)) / 2, "unimodal"),
        (lambda w: -1.0, "distribution"),
        (lambda w: np.nan, "distribution"),
        ("cauchy", "must be one of"),
    ],
)
def test_frequency_densities_are_checked(density, message):
    with pytest.raises(ValueError, match=message):
        theory.critical_coupling(density)
    with pytest.raises(ValueError, match="width"):
        theory.order_parameter(1.0, "normal", 0.0)
    with pytest.raises(TypeError, match="distribution"):
        theory.order_parameter(1.0, 3)


# -------------------------------------------------------------------------------------------------------- two clusters


@pytest.mark.parametrize(
    ("beta", "start", "end"), [(36, 2.5, 0.01), (36, 2.5, 1e-6), (36, 3.1415, 1e-9), (100, 3.0, 0.1), (-3, 3.0, 1e-3)]
)
def test_two_cluster_merging_time_to_thirty_digits(beta, start, end):
    with mpmath.workdps(30):
        cuts = [v for v in [*(10.0**-p for p in range(9, 0, -1)), *np.arange(0.2, 3.1, 0.1)] if end < v < start]
        edges = [mpmath.mpf(v) for v in [end, *cuts, start]]
        exact = mpmath.quad(lambda x: mpmath.exp(beta * (1 - mpmath.cos(x))) / mpmath.sin(x), edges)
        assert abs(theory.two_cluster_merging_time(attention(beta), start, end) / exact - 1) < 2e-13
        hidden = Interaction("exp(b*(cos(x) - 1))*cos(x)*tan(x)", b=beta)
        assert hidden.profile is None  # so f itself is integrated, not h
        assert abs(theory.two_cluster_merging_time(hidden, start, end) / exact - 1) < 1e-10


def test_two_cluster_merging_time_closed_forms():
    sine = np.log(np.tan(1.0) / np.tan(0.05))
    assert theory.two_cluster_merging_time(kuramoto(), 2.0, 0.1) == pytest.approx(sine, rel=1e-14)
    # the even part of f cancels between the two clusters: sin(x + a) − sin a acts as cos a · sin x
    assert theory.two_cluster_merging_time(sakaguchi(0.3), 2.0, 0.1) == pytest.approx(sine / np.cos(0.3), rel=1e-13)
    # softmax: (1 + h)/(2 h) = 1/2 + 1/(2h)
    f = attention(4)
    half = (sine + theory.two_cluster_merging_time(f, 2.0, 0.1)) / 2
    assert theory.two_cluster_merging_time(f, 2.0, 0.1, gain="softmax") == pytest.approx(half, rel=1e-13)
    assert theory.two_cluster_merging_time(f, 1.0, 1.0) == 0


def test_two_clusters_that_never_merge():
    assert theory.two_cluster_merging_time(-kuramoto(), 2.0, 1.0) == np.inf
    assert theory.two_cluster_merging_time(harmonics(sin=[1, -1]), 2.0, 1.0) == np.inf  # f(π/3) = 0
    assert np.isfinite(theory.two_cluster_merging_time(harmonics(sin=[1, -1]), 2.0, 1.05))
    for start, end in [(1.0, 2.0), (1.0, 0.0), (np.pi, 1.0), (np.nan, 1.0)]:
        with pytest.raises(ValueError):
            theory.two_cluster_merging_time(kuramoto(), start, end)
