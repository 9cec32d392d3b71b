"""The continuity equation against exact solutions, linear theory, and many particles."""

import numpy as np
import pytest

from inphase import theory
from inphase.density import evolve_density
from inphase.interaction import Interaction, attention, kuramoto, sakaguchi


def coefficients(run):
    return (run.mode_real + 1j * run.mode_imag).values


def poisson(r, at=0.0):
    return lambda x: (1 - r * r) / (1 - 2 * r * np.cos(x - at) + r * r)


# -------------------------------------------------------------------------------------------- exact solutions


@pytest.mark.parametrize("tolerance", [1e-6, 1e-8, 1e-11])
def test_ott_antonsen_manifold_until_the_resolution_ends(tolerance):
    """f = sin: the Poisson kernel stays one, c_k = r^k e^{−ikψ} with r' = r (1 − r²)/2."""
    run = evolve_density(kuramoto(), poisson(0.3, at=0.5), t_end=20.0, tolerance=tolerance, max_modes=512)
    assert run.attrs["status"] == "unresolved"
    assert "concentrates beyond 512 modes" in run.attrs["message"]
    assert run.time[-1] == run.attrs["stopped_at"] < 20
    assert np.all(run.time.values[:-1] == np.linspace(0, 20, 101)[: run.sizes["time"] - 1])
    r = abs(theory.ott_antonsen(run.time.values, coupling=1.0, width=0.0, initial=0.3))
    assert r[-1] ** 384 > tolerance / 100  # it did not stop long before the end of its resolution
    exact = (r[:, None] * np.exp(-0.5j)) ** run.harmonic.values
    assert np.max(abs(coefficients(run) - exact)) < 5 * tolerance
    values = np.array([poisson(s, at=0.5)(run.angle.values) for s in r]) / (2 * np.pi)
    assert np.max(abs(run.density.values - values)[r < 0.8]) < 100 * tolerance


def test_a_frequency_and_a_mean_of_f_turn_the_density():
    times = np.linspace(0, 2, 5)
    still = evolve_density(kuramoto(), poisson(0.3), times)
    turned = evolve_density(Interaction("sin(x) + 0.3"), poisson(0.3), times, frequency=1.1)
    spin = np.exp(-1j * 0.8 * times[:, None] * still.harmonic.values)
    assert coefficients(turned) == pytest.approx(coefficients(still) * spin, abs=1e-8)


def test_diffusion_alone():
    run = evolve_density(
        1e-12 * kuramoto(), lambda x: 1 + 0.5 * np.cos(2 * x) + 0.2 * np.sin(x), [0.0, 1.5], noise=0.4
    )
    assert coefficients(run)[1, 1:3] == pytest.approx([-0.1j * np.exp(-0.6), 0.25 * np.exp(-2.4)], abs=1e-8)


def test_noise_settles_on_the_self_consistent_state():
    """ρ ∝ exp((r/D) cos x) with r its own order parameter; a narrow start sheds its modes on the way."""
    from scipy.special import ive

    run = evolve_density(kuramoto(), lambda x: np.exp(200 * (np.cos(x) - 1)), [60.0], noise=0.2)
    r = run.mode_real[0, 1].item()
    assert run.attrs["status"] == "finished" and run.attrs["modes"] == 32
    assert r == pytest.approx(ive(1, r / 0.2) / ive(0, r / 0.2), abs=1e-7)
    assert r > 0.6


# ---------------------------------------------------------------------------------------------- linear theory


@pytest.mark.parametrize(
    ("interaction", "gain", "noise"),
    [
        (attention(5), None, 0.0),
        (attention(5), "softmax", 0.01),
        (sakaguchi(0.7), None, 0.0),
        (Interaction("sin(x + 0.4) + 0.3*cos(2*x - 1) + 0.7"), None, 0.02),
    ],
)
def test_early_growth_is_the_linear_rate(interaction, gain, noise):
    start = [1.0, *(1e-6 * np.exp(1j * np.arange(5)))]
    run = evolve_density(interaction, np.array(start), [0.0, 0.5], gain=gain, noise=noise, tolerance=1e-13)
    c = coefficients(run)[:, 1:6]
    rates = np.log(c[1] / c[0]) / 0.5
    assert rates == pytest.approx(theory.growth_rates(interaction, gain, noise, modes=5), abs=1e-5)


def test_uniform_stays_uniform():
    run = evolve_density(attention(9), np.ones(10), [0.0, 100.0], points=8)
    assert run.density.values == pytest.approx(1 / (2 * np.pi), abs=1e-15)


@pytest.mark.parametrize("gain", [None, "softmax"])
def test_a_periodic_start_stays_periodic_though_unstable(gain):
    run = evolve_density(
        attention(9), lambda x: 1 + 0.1 * np.cos(3 * x), t_end=40.0, gain=gain, max_modes=256, points=240
    )
    assert run.attrs["period"] == 3
    outside = run.harmonic.values % 3 != 0
    assert np.all(coefficients(run)[:, outside] == 0)
    assert run.density.values[:, :160] == pytest.approx(run.density.values[:, 80:], rel=1e-9)
    assert run.density.values.max() > 1  # long after the nonlinear stage began


# ---------------------------------------------------------------------------- mass, sign, accuracy, particles


def test_mass_and_sign_are_kept():
    run = evolve_density(
        attention(16), lambda x: np.exp(np.cos(x)), t_end=6.0, gain="softmax", max_modes=1024, points=4096
    )
    mass = run.density.sum("angle") * (2 * np.pi / run.sizes["angle"])
    assert np.max(abs(mass - 1)).item() < 1e-13
    assert run.density.min().item() > -1e-6


@pytest.mark.parametrize(("beta", "gain"), [(9, "softmax"), (36, "softmax"), (36, None)])
def test_tolerance_is_kept(beta, gain):
    def start(x):
        return np.exp(np.cos(x - 1) + 0.3 * np.cos(5 * x))

    runs = [evolve_density(attention(beta), start, [3.0], gain=gain, tolerance=tol) for tol in (1e-6, 1e-11)]
    coarse, fine = (coefficients(run)[0] for run in runs)
    assert np.max(abs(coarse - fine[: len(coarse)])) < 5e-6


def particles(interaction, phases, t_end, gain, steps):
    """Positions at t_end, by Runge-Kutta 4 and the direct sum written in moments."""
    F = interaction.modes
    H = interaction.profile.modes if gain else None

    def field(modes, theta):
        k = np.arange(len(modes))[:, None]
        moments = np.exp(-1j * k * theta).mean(axis=1, keepdims=True)
        return np.sum(modes[:, None] * moments * np.exp(1j * k * theta), axis=0).real

    def velocity(theta):
        return -field(F, theta) / (field(H, theta) if gain else 1.0)

    h = t_end / steps
    for _ in range(steps):
        a = velocity(phases)
        b = velocity(phases + h / 2 * a)
        c = velocity(phases + h / 2 * b)
        d = velocity(phases + h * c)
        phases = phases + h / 6 * (a + 2 * b + 2 * c + d)
    return phases


def wasserstein(run, phases):
    """W_1 on the circle between the density at the last time and particles: ∫ |F − G − median|."""
    edges = np.linspace(-np.pi, np.pi, 20001)
    c, k = coefficients(run)[-1, 1:], run.harmonic.values[1:]
    keep = abs(c) > 1e-10
    waves = np.exp(1j * np.outer(edges, k[keep])) - np.exp(-1j * np.pi * k[keep])
    continuous = (edges + np.pi + 2 * (waves @ (c[keep] / (1j * k[keep]))).real) / (2 * np.pi)
    wrapped = np.sort(np.mod(phases + np.pi, 2 * np.pi) - np.pi)
    gap = continuous - np.searchsorted(wrapped, edges, side="right") / len(phases)
    return np.mean(abs(gap - np.median(gap))) * 2 * np.pi


@pytest.mark.parametrize(
    ("interaction", "gain"), [(attention(5), "softmax"), (attention(9), None), (sakaguchi(0.5), None)]
)
def test_many_particles_follow_the_density(interaction, gain):
    """Quantiles of the start are within O(1/n) of it, and stay so."""

    def start(x):
        return 1 + 0.5 * np.cos(x - 0.3) + 0.3 * np.sin(3 * x)

    fine = np.linspace(-np.pi, np.pi, 40001)
    cumulative = fine + 0.5 * np.sin(fine - 0.3) - 0.1 * np.cos(3 * fine)
    cumulative = (cumulative - cumulative[0]) / (2 * np.pi)
    run = evolve_density(interaction, start, [3.0], gain=gain)
    assert run.attrs["status"] == "finished"
    distances = []
    for n in (250, 1000):
        phases = np.interp((np.arange(n) + 0.5) / n, cumulative, fine)
        distances.append(wasserstein(run, particles(interaction, phases, 3.0, gain, steps=60)))
    assert distances[1] < 3 / 1000
    assert distances[1] < distances[0] / 3


# --------------------------------------------------------------------------------------------------- the door


def test_samples_coefficients_and_callable_agree():
    def start(x):
        return 3 + np.cos(x) + 0.5 * np.sin(2 * x)

    grid = -np.pi + 2 * np.pi * np.arange(16) / 16
    runs = [
        evolve_density(attention(2), initial, [0.0, 1.0])
        for initial in (start, start(grid), list(start(grid)), np.array([6, 1, -0.5j]))
    ]
    for run in runs[1:]:
        assert run.density.values == pytest.approx(runs[0].density.values, abs=1e-13)
    assert runs[0].density[0].values == pytest.approx(start(runs[0].angle.values) / (6 * np.pi), abs=1e-14)


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        (lambda x: 1 + 2 * np.cos(x), "nonnegative"),
        (lambda x: np.where(x > 0, np.nan, 1.0), "finite"),
        (lambda x: np.where(x > 0, 1.0, 0.0), "not smooth enough"),
        (lambda x: 0 * x, "positive mass"),
        (lambda x: 1.0, "shape"),
        ([1.0, np.nan], "finite"),
        ([1.0, -1.0], "nonnegative"),
        ([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0], "nonnegative"),
        (np.ones((2, 3)), "one-dimensional"),
        (np.array([1, 0.9, 0.9j]), "nonnegative"),
        (np.array([0, 1j]), "positive mass"),
        (np.array([1, np.nan * 1j]), "finite"),
        (poisson(0.99), "max_modes|not smooth enough"),
    ],
)
def test_bad_starts_are_refused(initial, message):
    with pytest.raises(ValueError, match=message):
        evolve_density(kuramoto(), initial, t_end=1.0, max_modes=256)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t_end": None}, "either t_end or times"),
        ({"times": [1.0]}, "either t_end or times"),
        ({"t_end": -1.0}, "t_end"),
        ({"t_end": None, "times": [1.0, 0.5]}, "ascending"),
        ({"t_end": None, "times": [-1.0, 0.5]}, "ascending"),
        ({"noise": -0.1}, "noise"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"tolerance": 1.0}, "tolerance"),
        ({"max_modes": 4}, "max_modes"),
        ({"points": 0}, "points"),
        ({"gain": "hard"}, "gain"),
        ({"frequency": np.inf}, "frequency"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        evolve_density(kuramoto(), np.ones(4), **({"t_end": 1.0} | arguments))


def test_the_result_saves_and_tells_where_it_came_from(tmp_path):
    import xarray as xr

    run = evolve_density(attention(2.5), poisson(0.4), t_end=1.0, points=32)
    run.to_netcdf(tmp_path / "density.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "density.nc", engine="h5netcdf") as back:
        assert back.density.values == pytest.approx(run.density.values)
        assert back.attrs["status"] == "finished" and "2.5" in back.attrs["interaction"]
        assert back.attrs["wall_time_seconds"] >= 0


def test_an_interrupted_run_keeps_what_it_has(monkeypatch):
    from inphase.density import spectral

    equation = spectral.Continuity.__call__

    def interrupted(self, t, c):
        if t > 1.5:
            raise KeyboardInterrupt
        return equation(self, t, c)

    monkeypatch.setattr(spectral.Continuity, "__call__", interrupted)
    run = evolve_density(attention(5), poisson(0.6), t_end=20.0, gain="softmax")
    assert run.attrs["status"] == "interrupted"
    assert 0 < run.time[-1] == run.attrs["stopped_at"] < 1.5
    assert np.all(np.isfinite(run.density))


def test_growing_modes_are_carried_from_the_start():
    """At β = 2500 modes up to about 150 grow; 32 would be enough for this start, but not for its future."""
    run = evolve_density(attention(2500), lambda x: 1 + 0.01 * np.cos(x), [0.1])
    assert run.attrs["modes"] >= 256
