"""Branches of equilibria against what is known in closed
form: folds, branch points, Hopf points, new branches.
"""

import numpy as np
import pytest

import inphase as ip
from inphase import theory
from inphase.coupling import Dense, Sparse
from inphase.equilibria.continuation import continue_equilibrium, switch_branch


def kuramoto_family(frequencies):
    return lambda K: ip.PhaseModel(K * ip.kuramoto(), frequencies=frequencies)


def specials(branch):
    return list(zip(branch.special_kind.values.tolist(), branch.special_parameter.values.tolist()))


def ring(n, neighbors, kind=Sparse):
    K = np.zeros((n, n))
    for d in range(1, neighbors + 1):
        for i in range(n):
            K[i, (i + d) % n] = K[i, (i - d) % n] = 1.0
    return kind(K)


def is_on_branch(family, branch, tolerance=1e-11):
    """Every point solves the equations, by the model's own velocity."""
    for p, phases, frequency in zip(branch.parameter.values, branch.phase.values, branch.frequency.values):
        assert np.max(np.abs(family(float(p)).velocity(phases) - frequency)) < tolerance


# ------------------------------------------------------------------------------------------------------ folds


@pytest.mark.parametrize("n", [2, 5, 10, 50])
def test_locking_ends_in_a_fold_at_the_locking_coupling(n):
    frequencies = np.random.default_rng(n).normal(size=n)
    critical = theory.locking_coupling(frequencies)
    if n == 2:
        assert critical == pytest.approx(abs(frequencies[1] - frequencies[0]), rel=1e-12)
    family = kuramoto_family(frequencies)
    start = np.arcsin((frequencies - frequencies.mean()) / (3 * critical))
    branch = continue_equilibrium(
        family, start, 3 * critical, between=(0.2 * critical, 4 * critical), step=0.1
    )
    (kind, parameter), *others = specials(branch)
    assert kind == "fold" and not others
    assert parameter == pytest.approx(critical, abs=1e-10)
    assert branch.parameter.values.min() >= critical - 1e-10
    # the branch begins where it is unstable
    beyond = np.arange(branch.sizes["point"]) > int(branch.special_after[0])
    assert np.array_equal(branch.stable.values, beyond)
    assert np.array_equal(branch.unstable_dimension.values, np.where(beyond, 0, 1))
    assert branch.order_parameter[-1] > branch.order_parameter[0]
    assert branch.attrs["ends"] == ["range", "range"]
    assert sorted(branch.parameter.values[[0, -1]]) == pytest.approx([4 * critical] * 2)
    is_on_branch(family, branch)


def test_growth_rate_vanishes_like_a_square_root_at_a_fold():
    """Two oscillators: growth rate ∓sqrt(K² − Δω²)."""
    branch = continue_equilibrium(kuramoto_family([-0.5, 0.5]), [0.0, 0.3], 1.5, between=(0.5, 3.0), step=0.1)
    exact = np.sqrt(np.maximum(branch.parameter.values**2 - 1, 0))
    assert np.abs(branch.growth_rate.values) == pytest.approx(exact, abs=1e-7)


def test_one_oscillator_in_a_field_runs_round_a_closed_branch():
    """p + sin θ = 0: a closed curve with folds at p = ±1."""
    branch = continue_equilibrium(
        lambda p: ip.PhaseModel(ip.kuramoto(), frequencies=p, field=1.0),
        [0.1],
        0.0,
        between=(-2.0, 2.0),
        step=0.15,
    )
    assert branch.attrs["ends"] == ["closed", "closed"]
    assert sorted(specials(branch)) == [
        ("fold", pytest.approx(-1.0, abs=1e-12)),
        ("fold", pytest.approx(1.0, abs=1e-12)),
    ]
    assert np.sin(branch.phase.values[:, 0]) == pytest.approx(-branch.parameter.values, abs=1e-12)
    assert np.ptp(branch.phase.values) > 2 * np.pi * 0.98
    assert np.all(branch.frequency.values == 0)


def test_delays_fold_where_the_frequency_equation_does():
    """Two in-phase oscillators: Ω = ω − K sin(Ωτ) has folds where 1 + Kτ cos(Ωτ) = 0."""
    omega, tau = 1.0, 3.0
    coupling = Dense([[0.0, 1.0], [1.0, 0.0]])

    def family(K):
        return ip.PhaseModel(K * ip.kuramoto(), coupling, frequencies=omega, delays=tau)

    branch = continue_equilibrium(family, [0.0, 0.0], 0.2, between=(0.1, 3.0))
    K, frequency = branch.parameter.values, branch.frequency.values
    assert frequency == pytest.approx(omega - K * np.sin(frequency * tau), abs=1e-11)
    folds = branch.special_kind.values == "fold"
    at, turning = branch.special_parameter.values[folds], branch.special_frequency.values[folds]
    assert np.count_nonzero(folds) >= 1 or np.all(1 + K * tau * np.cos(frequency * tau) > 0)
    assert 1 + at * tau * np.cos(turning * tau) == pytest.approx(0.0, abs=1e-6)


# ---------------------------------------------------------------------------------------------- branch points


def test_twisted_state_loses_stability_mode_by_mode():
    """θ_i = δi, δ = 2πq/n, neighbors d = 1, 2, f = sin x + a
    sin 2x: λ_k = −2 Σ_d f'(dδ)(1 − cos(2πkd/n)) = λ_{n−k}.
    """
    n, q, low, high = 13, 2, -0.2, 0.5
    delta, k = 2 * np.pi * q / n, np.arange(1, n)
    coupling, d = ring(n, 2, Dense), np.array([1, 2])[:, None]
    weight = 1 - np.cos(2 * np.pi * k * d / n)

    def rates(a):
        return -2 * np.sum((np.cos(d * delta) + 2 * a * np.cos(2 * d * delta)) * weight, axis=0)

    branch = continue_equilibrium(
        lambda a: ip.PhaseModel(ip.harmonics(sin=[1.0, a]), coupling),
        delta * np.arange(n),
        0.0,
        between=(low, high),
        step=0.1,
    )
    for a, rate, unstable in zip(
        branch.parameter.values, branch.growth_rate.values, branch.unstable_dimension.values
    ):
        assert rate == pytest.approx(np.max(rates(a)), abs=1e-11)
        assert unstable == np.count_nonzero(rates(a) > 1e-9)
    critical = -np.sum(np.cos(d * delta) * weight, axis=0) / (
        2 * np.sum(np.cos(2 * d * delta) * weight, axis=0)
    )
    expected = np.unique(np.round(critical[(critical > low) & (critical < high)], 9))
    assert len(expected) >= 2
    assert branch.special_parameter.values == pytest.approx(expected, abs=1e-9)
    assert set(branch.special_kind.values) == {"branch point"}
    assert np.all(branch.special_multiplicity.values == 2)


def test_a_pitchfork_and_both_its_branches():
    """Two oscillators, f = sin x + a sin 2x: at a = −1/2 the pair parts, cos(difference) = −1/(2a)."""

    def family(a):
        return ip.PhaseModel(ip.harmonics(sin=[1.0, a]))

    sync = continue_equilibrium(family, [0.0, 0.0], 0.0, between=(-1.0, 0.5))
    assert specials(sync) == [("branch point", pytest.approx(-0.5, abs=1e-9))]
    gaps = []
    for amplitude in (0.02, -0.02):
        parted = switch_branch(family, sync, 0, amplitude=amplitude)
        gap, a = parted.phase.values[:, 1] - parted.phase.values[:, 0], parted.parameter.values
        assert np.cos(gap) == pytest.approx(-1 / (2 * a), abs=1e-10)
        assert np.all(parted.stable.values) and parted.attrs["ends"] == ["branch point", "range"]
        assert a[-1] == -1.0 and np.all(np.diff(a) < 0)
        gaps.append(gap[-1])
    assert gaps[0] == pytest.approx(-gaps[1]) and abs(gaps[0]) == pytest.approx(np.pi / 3)


def test_following_the_parted_branch_back_through_its_branch_point():
    """dp/ds changes sign there as at a fold, but it is none."""

    def family(a):
        return ip.PhaseModel(ip.harmonics(sin=[1.0, a]))

    branch = continue_equilibrium(family, [-0.5, 0.5], -1 / (2 * np.cos(1.0)), between=(-1.0, 0.0), step=0.03)
    kinds = set(branch.special_kind.values.tolist())
    assert kinds == {"branch point"}
    assert branch.special_parameter.values == pytest.approx(-0.5, abs=1e-6)
    gaps = np.diff(branch.phase.values, axis=1)[:, 0]
    assert gaps.min() < -0.9 < 0.9 < gaps.max()


def test_all_eigenvalues_cross_at_once():
    """All-to-all with a phase lag: n − 1 eigenvalues −cos(lag)."""
    n = 5
    branch = continue_equilibrium(
        lambda lag: ip.PhaseModel(ip.sakaguchi(lag)), np.zeros(n), 0.0, between=(0.0, 2.0)
    )
    assert specials(branch) == [("branch point", pytest.approx(np.pi / 2, abs=1e-9))]
    assert branch.special_multiplicity.values.tolist() == [n - 1]
    assert branch.growth_rate.values == pytest.approx(-np.cos(branch.parameter.values), abs=1e-12)


# ------------------------------------------------------------------------------------------------------- Hopf


def test_hopf_on_a_directed_ring():
    """K = cycle + p · reversed cycle: λ = −(1 + p)(1 − cos 120°) ± i (1 − p) sin 120°."""
    forward = np.roll(np.eye(3), 1, axis=1)
    branch = continue_equilibrium(
        lambda p: ip.PhaseModel(ip.kuramoto(), Dense(forward + p * forward.T)),
        np.zeros(3),
        0.0,
        between=(-2.0, 1.0),
    )
    assert specials(branch) == [("hopf", pytest.approx(-1.0, abs=1e-9))]
    assert branch.special_multiplicity.values.tolist() == [2]
    p = branch.parameter.values
    assert branch.growth_rate.values == pytest.approx(-1.5 * (1 + p), abs=1e-12)
    assert branch.oscillation.values == pytest.approx((1 - p) * np.sqrt(0.75), abs=1e-12)


# ----------------------------------------------------------------------------------------------- other models


def test_swing_equation_folds_where_the_first_order_model_does():
    coupling, power = Dense([[0.0, 1.0, 0.5], [1.0, 0.0, 1.0], [0.5, 1.0, 0.0]]), np.array([0.4, -0.7, 0.3])
    found = []
    for parts in ({}, {"inertia": [1.0, 2.0, 0.5], "damping": [0.3, 0.1, 0.2]}):
        branch = continue_equilibrium(
            lambda K, parts=parts: ip.PhaseModel(K * ip.kuramoto(), coupling, frequencies=power, **parts),
            np.zeros(3), 3.0, between=(0.1, 4.0), step=0.2,
        )  # fmt: skip
        assert "fold" in branch.special_kind.values
        found.append(float(branch.special_parameter.values[branch.special_kind.values == "fold"][0]))
        assert branch.frequency.values == pytest.approx(0.0, abs=1e-12)
    assert found[0] == pytest.approx(found[1], abs=1e-10)


def test_sparse_solves_agree_with_dense_ones(monkeypatch):
    from inphase.equilibria import continuation

    frequencies, coupling = np.linspace(-0.5, 0.5, 8), ring(8, 2)

    def family(K):
        return ip.PhaseModel(K * ip.kuramoto(), coupling, frequencies=frequencies)

    dense = continue_equilibrium(family, np.zeros(8), 2.0, between=(0.05, 3.0), step=0.2)
    monkeypatch.setattr(continuation, "DENSE_SOLVE_UP_TO", 1)
    thin = continue_equilibrium(family, np.zeros(8), 2.0, between=(0.05, 3.0), step=0.2)
    assert dense.sizes["special"] >= 1
    assert specials(thin) == [(kind, pytest.approx(p, abs=1e-9)) for kind, p in specials(dense)]
    assert thin.phase.values[-1] == pytest.approx(dense.phase.values[-1], abs=1e-9)


def test_round_trip(tmp_path):
    import xarray as xr

    branch = continue_equilibrium(kuramoto_family([-0.5, 0.5]), [0.0, 0.3], 1.5, between=(0.5, 3.0), step=0.1)
    branch.to_netcdf(tmp_path / "branch.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "branch.nc", engine="h5netcdf") as read:
        assert np.array_equal(read.phase.values, branch.phase.values)
        assert read.special_kind.values.tolist() == ["fold"]


# --------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"phases": [[0.0, 0.0]]}, "shape"),
        ({"phases": [0.0, np.nan]}, "finite"),
        ({"parameter": 5.0}, "between"),
        ({"between": (3.0, 1.0)}, "between"),
        ({"step": 0.0}, "step"),
        ({"max_points": 0}, "max_points"),
        ({"parameter": 0.6}, "near an equilibrium"),
        ({"family": lambda K: ip.PhaseModel(ip.kuramoto(), gain=lambda x: 1 + 0 * x)}, "callable gain"),
    ],
)
def test_refuses(arguments, message):
    options = {
        "family": kuramoto_family([-0.5, 0.5]),
        "phases": [0.0, 0.5],
        "parameter": 2.0,
        "between": (0.5, 3.0),
    }
    options |= arguments
    with pytest.raises(ValueError, match=message):
        continue_equilibrium(
            options.pop("family"), options.pop("phases"), options.pop("parameter"), **options
        )


def test_refuses_families_of_something_else():
    with pytest.raises(TypeError, match="family must return a PhaseModel"):
        continue_equilibrium(lambda p: p, [0.0], 1.0, between=(0.0, 2.0))
    with pytest.raises(TypeError, match="family must be a function"):
        continue_equilibrium(3.0, [0.0], 1.0, between=(0.0, 2.0))


def test_switching_needs_a_branch_point():
    family = kuramoto_family([-0.5, 0.5])
    branch = continue_equilibrium(family, [0.0, 0.3], 1.5, between=(0.5, 3.0), step=0.1)
    with pytest.raises(ValueError, match="is a fold"):
        switch_branch(family, branch, 0)
    with pytest.raises(ValueError, match="below 1"):
        switch_branch(family, branch, 1)
