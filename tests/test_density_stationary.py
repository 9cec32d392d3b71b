"""Stationary densities against self-consistency in Bessel
functions, the equation in time, and the literature's transition.
"""

from functools import cache

import numpy as np
import pytest
from scipy import integrate, optimize, special

import inphase as ip
from inphase.density import bifurcations, evolve_density, stationary
from inphase.density.spectral import Continuity

# 2.44692
TRICRITICAL = optimize.brentq(
    lambda beta: special.iv(2, beta) / special.iv(1, beta) - 0.5, 2.0, 3.0, xtol=1e-15
)


@cache
def states(interaction, noise):
    return stationary(interaction, noise, points=512)


def nonuniform(found):
    return found.isel(state=found.period.values > 0)


# -------------------------------------------------------------------------------------------- classical model


@pytest.mark.parametrize(("K", "noise"), [(1.0, 0.49), (1.0, 0.3), (2.5, 0.2), (1.0, 0.01)])
def test_classical_model_is_self_consistent(K, noise):
    """f = K sin: one state below D = K/2, with r = I_1(K r/D)/I_0(K r/D) and the von Mises density."""
    found = stationary(K * ip.kuramoto(), noise)
    r = optimize.brentq(
        lambda r: special.ive(1, K * r / noise) / special.ive(0, K * r / noise) - r, 1e-3, 1, xtol=1e-15
    )
    state = nonuniform(found)
    assert state.sizes["state"] == 1 and state.stability.item() == "stable"
    assert state.order_parameter.item() == pytest.approx(r, abs=1e-12)
    exact = special.ive(found.harmonic.values, K * r / noise) / special.ive(0, K * r / noise)
    assert state.mode.values[0] == pytest.approx(exact, abs=1e-13)
    mises = np.exp(K * r / noise * (np.cos(found.angle.values) - 1)) / (
        2 * np.pi * special.ive(0, K * r / noise)
    )
    assert state.density.values[0] == pytest.approx(mises, abs=1e-12)


def test_above_the_critical_noise_there_is_only_the_uniform_state():
    found = stationary(ip.kuramoto(), 0.51, points=8)
    assert found.sizes["state"] == 1 and found.period.item() == 0 and found.stability.item() == "stable"
    assert found.growth_rate.values[0, :2] == pytest.approx(0.5 - 0.51, abs=1e-12)
    assert stationary(ip.kuramoto(), 0.5).stability.values.tolist() == ["undecided"]
    assert stationary(-1.0 * ip.kuramoto(), 0.01).sizes["state"] == 1


def test_a_pure_second_harmonic_is_the_classical_model_twice():
    one, two = stationary(ip.kuramoto(), 0.3), stationary(ip.harmonics(sin=[0.0, 1.0]), 0.15)
    assert nonuniform(two).period.values.tolist() == [2]
    assert two.mode.values[0, ::2] == pytest.approx(one.mode.values[0], abs=1e-13)
    assert not np.any(two.mode.values[0, 1::2])
    assert two.free_energy.values[0] == pytest.approx(one.free_energy.values[0] / 2, abs=1e-13)


# --------------------------------------------------------------------------------- all states, by other means

CASES = [
    (ip.attention(3.0), 0.066),
    (ip.attention(5.0), 0.02),
    (ip.attention(8.0), 0.004),
    (ip.harmonics(sin=[0.3, 1.0, 0.2]), 0.1),
    (ip.harmonics(sin=[1.0, -0.7, 0.4]), 0.2),
]


@pytest.mark.parametrize(("interaction", "noise"), CASES)
def test_states_do_not_move(interaction, noise):
    """The right side of the equation in time, which shares no code with the solver, vanishes."""
    found = states(interaction, noise)
    assert found.sizes["state"] >= 2
    for row in found.mode.values:
        count = 2 * len(row)
        c = np.zeros(count, dtype=complex)
        c[: len(row) - 1] = row[1:]
        assert np.max(abs(Continuity(interaction, None, noise, count, 1, 1e-10)(0.0, c))) < 1e-10
    assert np.max(found.residual.values) < 1e-12
    assert found.density.values.min() > -1e-12
    assert found.density.sum("angle").values * 2 * np.pi / found.sizes["angle"] == pytest.approx(1, abs=1e-12)
    assert np.all(np.diff(found.free_energy.values) >= 0)


@pytest.mark.parametrize(("interaction", "noise"), CASES)
def test_growth_rates_are_those_of_the_equation_in_time(interaction, noise):
    """Against the Jacobian of the pseudo-spectral equation by
    central differences: the rotation's 0 is the only one more.
    """
    found = states(interaction, noise)
    for i, row in enumerate(found.mode.values):
        count = max(24, found.sizes["harmonic"] + 8)
        equation = Continuity(interaction, None, noise, count, 1, 1e-10)
        c = np.zeros(count, dtype=complex)
        c[: len(row) - 1] = row[1:]
        blocks = []
        for direction in (1.0, 1j):
            h = 1e-4 * direction * np.eye(count)  # the equation is quadratic: central differences are exact
            moved = np.array([(equation(0.0, c + e) - equation(0.0, c - e)) / 2e-4 for e in h])
            blocks.append((moved / direction).real.T)
        values = np.sort(np.concatenate([np.linalg.eigvals(block).real for block in blocks]))[::-1]
        if found.period.values[i]:
            values = np.delete(values, np.argmin(abs(values)))
        assert found.growth_rate.values[i, :4] == pytest.approx(values[:4], abs=1e-8)


@pytest.mark.parametrize(("interaction", "noise"), CASES)
def test_free_energy_by_quadrature(interaction, noise):
    """D ∫ ρ ln(2πρ) − ½ ∫∫ W(x − y) ρ ρ with W = −∫ f, up to its mean."""
    found = nonuniform(states(interaction, noise))
    x, w = found.angle.values, 2 * np.pi / 512
    W = interaction.potential(x[:, None] - x)
    W -= np.mean(W)
    for rho, energy in zip(found.density.values, found.free_energy.values):
        rho = np.maximum(rho, 1e-300)
        direct = noise * w * np.sum(rho * np.log(2 * np.pi * rho)) - 0.5 * w * w * rho @ W @ rho
        assert energy == pytest.approx(direct, abs=1e-11)


def test_peaks_of_period_one_two_and_three():
    found = states(*CASES[2])
    assert {1, 2, 3} <= set(found.period.values)
    for p in (2, 3):
        row = found.mode.values[list(found.period.values).index(p)]
        assert row[p] > 0.5 and not np.any(row[np.arange(len(row)) % p != 0])
    assert found.period.values[0] == 1 and found.stability.values[0] == "stable"


def settled(interaction, noise, start, time):
    run = evolve_density(interaction, start, [time], noise=noise, tolerance=1e-9, points=8)
    assert run.attrs["status"] == "finished"
    return run.mode_real.values[0]


@pytest.mark.parametrize(
    ("interaction", "noise", "time"),
    [
        (ip.harmonics(sin=[1.0, 0.6]), 0.2, 20.0),
        pytest.param(ip.harmonics(sin=[1.0, 1.6]), 0.52, 100.0, marks=pytest.mark.long),
        pytest.param(ip.attention(3.0), 0.06, 800.0, marks=pytest.mark.long),
        pytest.param(ip.attention(3.0), 0.066, 6000.0, marks=pytest.mark.long),
    ],
)
def test_the_equation_in_time_settles_on_the_stable_states(interaction, noise, time):
    """From a peak to the clustered state; where the uniform
    one is stable too, to it from a weak modulation.
    """
    found = stationary(interaction, noise, starts=0)
    stable = found.isel(state=found.stability.values == "stable")
    clustered = nonuniform(stable).mode.values
    assert len(clustered) == 1
    slowest = nonuniform(stable).growth_rate.values[0, 0]
    end = settled(interaction, noise, lambda x: np.exp(3 * np.cos(x)), time)
    count = min(len(end), clustered.shape[1])
    assert end[:count] == pytest.approx(clustered[0, :count], abs=np.exp(slowest * time) + 1e-8)
    if 0 in stable.period:
        assert abs(settled(interaction, noise, lambda x: 1 + 0.05 * np.cos(x), time)[1:]).max() < 0.01


# ----------------------------------------------------------------------------------------------- bifurcations


def test_bifurcations_are_where_the_growth_rates_vanish():
    f = ip.harmonics(sin=[1.0, 0.6, -0.3, 0.8])
    points = bifurcations(f, modes=4, lowest_noise=0.49).points
    assert [point.mode for point in points] == [1, 2, 4]
    for point in points:
        assert ip.theory.growth_rates(f, noise=point.noise, modes=4)[point.mode - 1] == pytest.approx(
            0, abs=1e-14
        )


@pytest.mark.parametrize("sin", [[1.0], [1.0, 0.6], [1.0, -0.5, 0.3], [0.2, 1.0, 0.0, 0.4]])
def test_cubic_coefficient_of_the_branch(sin):
    """Near D_k, k² (D_k − D) = −g |A|² along the branch, to the next order."""
    found = bifurcations(ip.harmonics(sin=sin), modes=1 if sin[0] == 1 else 2)
    for point, branch in zip(found.points, found.branches):
        small = slice(1, 4)
        slope = point.mode**2 * (point.noise - branch.noise[small]) / branch.order_parameter[small] ** 2
        assert slope == pytest.approx(-point.coefficient, rel=1e-3)


def test_noisy_attention_turns_discontinuous_where_the_literature_says():
    """I_2(β)/I_1(β) = 1/2, by the cubic coefficient of the general code."""
    assert abs(TRICRITICAL - 2.44692) < 5e-6

    def coefficient(beta):
        return bifurcations(ip.attention(beta), modes=1, lowest_noise=1.0).points[0].coefficient

    assert optimize.brentq(coefficient, 2.0, 3.0, xtol=1e-13) == pytest.approx(TRICRITICAL, abs=1e-9)
    for beta in (1.0, 2.2, 2.6, 4.0):
        expected = special.ive(1, beta) / beta  # the papers' K_# = β/(2 I_1(β)) in our units
        assert bifurcations(ip.attention(beta), modes=1, lowest_noise=1.0).critical_noise == pytest.approx(
            expected, rel=1e-13
        )


def test_folds_on_both_sides_of_the_tricritical_point():
    below, above = (bifurcations(ip.attention(beta), modes=1) for beta in (2.2, 3.0))
    assert below.points[0].kind == "continuous" and above.points[0].kind == "discontinuous"
    assert (
        below.branches[0].folds == ()
        and below.bistable == ()
        and below.transition_noise == below.critical_noise
    )
    (fold,) = above.branches[0].folds
    assert above.bistable == ((above.critical_noise, fold),)
    assert above.critical_noise < above.transition_noise < fold
    for factor, states in ((0.999 * above.critical_noise / fold, "su"), (0.9999, "ssu"), (1.0001, "s")):
        stability = stationary(ip.attention(3.0), factor * fold, periods=1, starts=0).stability.values
        assert sorted(word[0] for word in stability) == list(states)
    for beta in (TRICRITICAL - 0.02, TRICRITICAL + 0.02):
        assert len(bifurcations(ip.attention(beta), modes=1).branches[0].folds) == (beta > TRICRITICAL)


def test_fold_and_equal_free_energy_by_quadrature():
    """f = sin x + 1.6 sin 2x: the largest D on the curve where
    both moments agree, by adaptive quadrature and maximization.
    """

    def moment(k, a1, a2):
        def weight(x):
            return np.exp(a1 * (np.cos(x) - 1) + a2 * (np.cos(2 * x) - 1))

        above = integrate.quad(lambda x: np.cos(k * x) * weight(x), 0, np.pi, epsabs=0, epsrel=1e-12)[0]
        return above / integrate.quad(weight, 0, np.pi, epsabs=0, epsrel=1e-12)[0]

    def state(a1):
        def gap(a2):
            return moment(1, a1, a2) / a1 - 0.8 * moment(2, a1, a2) / a2

        a2 = optimize.brentq(gap, 1e-4, 5.0, xtol=1e-14)
        return moment(1, a1, a2) / a1, a2

    found = bifurcations(ip.harmonics(sin=[1.0, 1.6]), modes=1)
    branch = found.branches[0]
    best = optimize.minimize_scalar(
        lambda a1: -state(a1)[0], bounds=(0.3, 3.0), method="bounded", options={"xatol": 1e-7}
    )
    assert branch.folds[0] == pytest.approx(-best.fun, rel=1e-11)

    def energy(a1):
        D, a2 = state(a1)
        r = np.array([moment(1, a1, a2), moment(2, a1, a2)])
        mean = (
            integrate.quad(lambda x: np.exp(a1 * np.cos(x) + a2 * np.cos(2 * x)), 0, np.pi, epsrel=1e-12)[0]
            / np.pi
        )
        return 0.5 * (r[0] ** 2 + 0.8 * r[1] ** 2) - D * np.log(mean)

    equal = state(optimize.brentq(energy, best.x, 5.0, xtol=1e-12))[0]
    assert branch.equal == (pytest.approx(equal, rel=1e-10),)
    assert found.transition_noise == branch.equal[0]


@pytest.mark.parametrize("interaction", [ip.attention(3.0), ip.harmonics(sin=[0.3, 1.0, 0.2]), ip.kuramoto()])
def test_branches_consist_of_states_that_stationary_finds(interaction):
    for branch in bifurcations(interaction, modes=2).branches:
        i = len(branch.noise) // 2
        found = stationary(interaction, branch.noise[i], starts=0)
        width = max(found.sizes["harmonic"], branch.modes.shape[1])
        modes = np.pad(found.mode.values, ((0, 0), (0, width - found.sizes["harmonic"])))
        own = np.pad(branch.modes[i], (0, width - branch.modes.shape[1]))
        nearest = np.argmin(np.max(abs(abs(modes) - abs(own)), axis=1))
        assert np.max(abs(abs(modes[nearest]) - abs(own))) < 1e-8
        assert branch.free_energy[i] == pytest.approx(found.free_energy.values[nearest], abs=1e-10)
        assert branch.growth_rate[i] == pytest.approx(found.growth_rate.values[nearest, 0], abs=1e-8)


def test_the_growth_rate_vanishes_at_a_fold_and_changes_sign():
    branch = bifurcations(ip.attention(3.0), modes=1).branches[0]
    at = list(branch.noise).index(branch.folds[0])
    assert abs(branch.growth_rate[at]) < 1e-8
    assert np.all(branch.growth_rate[1:at] > 0) and np.all(branch.growth_rate[at + 1 :] < 0)
    assert np.all(np.diff(branch.noise[: at + 1]) > 0) and np.all(np.diff(branch.noise[at:]) < 0)


def test_a_degenerate_point_is_called_so():
    assert (
        bifurcations(ip.harmonics(sin=[1.0, 1.0]), modes=1, lowest_noise=1.0).points[0].kind == "degenerate"
    )
    both = bifurcations(ip.harmonics(sin=[1.0, 2.0]), modes=1, lowest_noise=1.0).points[0]
    assert both.kind == "degenerate" and np.isnan(both.coefficient)


def test_nothing_attracts():
    found = bifurcations(-1.0 * ip.kuramoto())
    assert (
        found.points == found.branches == found.bistable == ()
        and found.critical_noise == found.transition_noise == 0
    )


def test_a_branch_ends_where_modes_do_not_suffice():
    branch = bifurcations(ip.kuramoto(), lowest_noise=1e-4, max_modes=64).branches[0]
    assert branch.end == "unresolved" and branch.modes.shape[1] <= 65
    assert bifurcations(ip.kuramoto(), lowest_noise=0.2).branches[0].noise[-1] == pytest.approx(
        0.2, abs=1e-12
    )


# --------------------------------------------------------------------------------------------------- the door


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"noise": 0.0}, "noise must be a positive"),
        ({"noise": -1.0}, "noise must be a positive"),
        ({"noise": np.nan}, "noise must be a positive"),
        ({"periods": 0}, "periods must be an integer >= 1"),
        ({"starts": -1}, "starts must be an integer >= 0"),
        ({"leading": 0}, "leading must be an integer >= 1"),
        ({"points": 0}, "points must be an integer >= 1"),
        ({"max_modes": 8}, "max_modes must be an integer >= 32"),
        ({"noise": 1e-5, "max_modes": 64}, "too narrow for 64 modes; raise max_modes or the noise"),
        ({"interaction": ip.sakaguchi(0.3)}, "interaction must be odd"),
    ],
)
def test_bad_input_of_stationary(as_a_user, arguments, named):
    with pytest.raises(ValueError, match=named):
        stationary(**{"interaction": ip.kuramoto(), "noise": 0.3} | arguments)


def test_bad_input_of_bifurcations(as_a_user):
    with pytest.raises(ValueError, match="interaction must be odd"):
        bifurcations(ip.harmonics(sin=[1.0], cos=[0.1]))
    with pytest.raises(ValueError, match="lowest_noise must be a positive"):
        bifurcations(ip.kuramoto(), lowest_noise=0.0)
    with pytest.raises(TypeError, match="interaction must be an Interaction"):
        bifurcations("sin(x)")
    with pytest.raises(TypeError, match="gain"):
        stationary(ip.attention(2.0), 0.1, gain="softmax")
