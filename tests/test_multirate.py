"""Heavy tails: each oscillator its own step, against the plain integrator and against theory."""

import os
import subprocess
import sys
import warnings
from functools import cache

import numpy as np
import pytest

import inphase as ip

K = 4.0
TIMES = [0.0, 0.1, 0.35]


def quantiles(n):
    return (np.arange(n) + 0.5) / n


def lorentzian(n):
    return np.tan(np.pi * (quantiles(n) - 0.5))


def student(n):
    """Student's t with 1.5 degrees, drawn."""
    return np.random.default_rng(2).standard_t(1.5, n)


def bimodal(n):
    """Two narrow peaks far apart: all are fast, half of them in each direction, from where each step starts."""
    return np.random.default_rng(3).normal(0, 0.3, n) + np.where(np.arange(n) % 2, 15.0, -15.0)


def normal(n):
    return np.random.default_rng(4).normal(0, 1, n)


def start(n):
    return np.random.default_rng(0).permutation(np.linspace(-0.5, 0.5, n))


def mean_field(omega):
    return ip.PhaseModel(K * ip.kuramoto(), frequencies=omega)


def exact(model, phases, times):
    return ip.simulate(model, phases, times=times, tolerance=1e-10, method="dormand-prince")


@cache
def plain(draw, n):
    return exact(mean_field(draw(n)), start(n), TIMES)


def close(run, other, factor=3.0):
    """Errors at the end add up to no more than what a step was found to have, times the steps."""
    assert run.attrs["status"] == other.attrs["status"] == "finished"
    away = np.max(np.abs(run.phase.values - other.phase.values))
    steps = run.attrs["accepted_steps"] + 1
    bound = factor * steps * max(run.attrs["measured_error"], 0.1 * run.attrs["tolerance"])
    assert away <= bound + 1e-10 * other.attrs["accepted_steps"], (away, bound)
    return away


@pytest.mark.parametrize("draw", [normal, lorentzian, student, bimodal])
@pytest.mark.parametrize("n", [500, pytest.param(2000, marks=pytest.mark.long)])
@pytest.mark.parametrize("tolerance", [1e-5, pytest.param(1e-8, marks=pytest.mark.long)])
def test_phases_are_those_of_the_plain_integrator(draw, n, tolerance):
    run = ip.simulate(mean_field(draw(n)), start(n), times=TIMES, tolerance=tolerance, method="multirate")
    away = close(run, plain(draw, n))
    assert away <= 100 * tolerance  # the fastest oscillators have hundreds of intervals


def heavy(n):
    """Frequencies about 3, of which a few are far off."""
    omega = 3 + np.random.default_rng(5).normal(0, 0.5, n)
    omega[:6] = 3 + np.array([-300.0, 400.0, 60.0, -41.0, 17.0, -9.0])
    return omega


def couplings(n):
    rng = np.random.default_rng(6)
    left = rng.normal(size=(n, 3))
    blocks = np.zeros((n, 2))
    blocks[: n // 2, 0], blocks[n // 2 :, 1] = 1, 1
    return {
        "weighted": ip.AllToAll(rng.uniform(0, 2 / n, n)),
        "rank one": ip.RankOne(rng.uniform(0.5, 2, n), rng.normal(0.5, 1, n) / n),
        "low rank": ip.LowRank(left, rng.normal(size=(n, 3)) / n),
        "two groups": ip.LowRank(blocks @ np.array([[1.2, 0.4], [0.4, 1.2]]), blocks / (n / 2)),
        "sum": 0.7 * ip.AllToAll() + 0.5 * ip.RankOne(rng.uniform(0, 1, n), np.full(n, 1 / n)),
    }


@pytest.mark.parametrize("name", couplings(8))
def test_couplings_of_few_mean_fields(name):
    n, times = 60, [0.02, 0.12]
    f = ip.harmonics(sin=[1.0, 0.4], cos=[0.3, -0.2])
    model = ip.PhaseModel(f, couplings(n)[name], frequencies=heavy(n), damping=np.linspace(0.8, 1.2, n))
    run = ip.simulate(model, start(n), times=times, tolerance=1e-8, method="multirate")
    assert close(run, exact(model, start(n), times)) < 1e-6


def ott_antonsen(r, t, width=1.0):
    """|R|(t) of infinitely many: r' = −Δ r + K r (1 − r²)/2, in closed form (u = r²)."""
    grows, limit = K - 2 * width, 1 - 2 * width / K
    factor = np.exp(grows * t)
    return np.sqrt(limit * r**2 * factor / (limit + r**2 * (factor - 1)))


@pytest.mark.parametrize(("n", "t_end"), [(10_000, 1.0), pytest.param(100_000, 4.0, marks=pytest.mark.long)])
def test_the_order_parameter_is_ott_and_antonsens_uncut(n, t_end):
    r = 0.3  # phases have the Poisson kernel's density, whatever the frequency
    golden = (np.arange(n) * (np.sqrt(5) - 1) / 2 + 0.25) % 1
    phases = 2 * np.arctan((1 - r) / (1 + r) * np.tan(np.pi * (golden - 0.5)))
    run = ip.simulate(mean_field(lorentzian(n)), phases, times=np.linspace(0, t_end, 9), tolerance=1e-6)
    assert run.attrs["method"].startswith("multirate")
    theory = ott_antonsen(r, run.time.values)
    assert np.max(np.abs(run.order_parameter.values - theory)) < 0.2 / np.sqrt(n)  # of so many oscillators
    assert np.ptp(theory) > 0.2


def test_it_is_chosen_for_heavy_tails_alone_and_says_so():
    run = ip.simulate(mean_field(lorentzian(2000)), start(2000), times=[0.01])
    assert run.attrs["method"].startswith("multirate") and "1273" in run.attrs["method"]
    for draw in (normal, bimodal):
        plain = ip.simulate(mean_field(draw(2000)), start(2000), times=[0.01])
        assert plain.attrs["method"] == "Dormand-Prince 5(4)"
    named = ip.simulate(mean_field(lorentzian(2000)), start(2000), times=[0.01], method="dormand-prince")
    assert named.attrs["method"] == "Dormand-Prince 5(4)"


def test_replicas_are_what_they_are_alone():
    model, phases = mean_field(lorentzian(2000)), np.stack([start(2000), 2 * start(2000), 3 * start(2000)])
    both = ip.simulate(model, phases, times=[0.1, 0.33], tolerance=1e-6)
    for row in range(3):
        one = ip.simulate(model, phases[row], times=[0.1, 0.33], tolerance=1e-6)
        assert np.array_equal(both.phase[:, row], one.phase)


def test_conditions_stop_it_where_they_stop_the_plain_integrator():
    model = mean_field(lorentzian(2000))

    def together(time, phases):
        return abs(np.exp(1j * phases).mean()) < 0.83

    runs = [
        ip.simulate(model, start(2000), times=[1.0], stop=together, method=method, tolerance=1e-8)
        for method in (None, "dormand-prince")
    ]
    assert [run.attrs["status"] for run in runs] == ["stopped", "stopped"]
    one, other = (float(run.end_time) for run in runs)
    assert 0.01 < one < 0.9 and abs(one - other) < 1e-6
    assert np.max(np.abs(runs[0].end_phase - runs[1].end_phase)[900:1100]) < 1e-6


def test_a_run_that_ends_early_says_so():
    run = ip.simulate(mean_field(lorentzian(2000)), start(2000), times=[0.0, 0.5, 50.0], max_steps=4)
    assert run.attrs["status"] == "max_steps"
    assert run.attrs["accepted_steps"] + run.attrs["rejected_steps"] == 4
    assert 0 < float(run.end_time) < 3 and np.isfinite(run.end_phase).all()


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ({"field": 0.1}, "a field"),
        ({"inertia": 1.0}, "inertia"),
        ({"delays": 0.1}, "delays"),
        ({"coupling": ip.Ring(1)}, "no sum of few mean fields"),
        ({"coupling": ip.Causal()}, "no sum of few mean fields"),
        ({"gain": lambda phases: np.ones(phases.shape)}, "a gain"),
        ({"interaction": ip.attention(300.0)}, "decades|more than"),
    ],
)
def test_other_models_are_refused(parts, word):
    model = mean_field(np.linspace(-1, 1, 20)).replace(**parts)
    with pytest.raises(ValueError, match=word):
        ip.simulate(model, start(20), t_end=1.0, method="multirate")
    with pytest.raises(ValueError, match="takes a tolerance"):
        ip.simulate(mean_field(0.0), start(20), t_end=1.0, method="multirate", step=0.1)


def test_where_it_cannot_be_a_warning_names_who_sets_the_step():
    omega = np.zeros(40)
    omega[[7, 23]] = 5000, -3000
    model = ip.PhaseModel(ip.kuramoto(), ip.Dense(np.eye(40)[::-1]), frequencies=omega)
    with pytest.warns(UserWarning, match=r"7 \(ω = 5000\), 23 \(ω = -3000\).*clip") as seen:
        ip.simulate(model, start(40), t_end=0.001)
    assert len(seen) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ip.simulate(model, start(40), t_end=0.001, method="dormand-prince")
        ip.simulate(model.replace(frequencies=omega / 100), start(40), t_end=0.001)


SCRIPT = """
import numba, numpy as np, inphase as ip
n = 32_000
model = ip.PhaseModel(4 * ip.kuramoto(), frequencies=np.tan(np.pi * ((np.arange(n) + 0.5) / n - 0.5)))
phases = np.random.default_rng(0).uniform(-1, 1, n)
found = []
for threads in (1, 2):
    numba.set_num_threads(threads)
    found.append(ip.simulate(model, phases, times=[0.01], tolerance=1e-4).end_phase.values)
assert np.array_equal(*found) and np.any(found[0] != phases)
print("the same bits")
"""


@pytest.mark.long
def test_the_bits_do_not_depend_on_the_threads():
    own = {"NUMBA_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=os.environ | own, capture_output=True, text=True, timeout=240
    )
    assert (done.returncode, done.stdout.strip()) == (0, "the same bits"), done.stderr[-2000:]
