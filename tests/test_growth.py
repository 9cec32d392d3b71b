"""Steps beside unstable states: against exact solutions, extended precision, small constant steps, and J's spectrum."""

import numpy as np
import pytest

import inphase as ip
from inphase.simulation.explicit import DormandPrince
from inphase.simulation.growth import GrowthLimit, ritz_values
from inphase.simulation.motion import Motion

SIN = ip.kuramoto()


@pytest.mark.parametrize("turning", [0.0, 3.0])
@pytest.mark.parametrize("strength", [1.0, 8.0])
@pytest.mark.parametrize("off", [1e-15, 1e-14, 1e-13, 1e-11, 1e-9, 1e-8, 1e-7, 1e-6])
def test_two_oscillators_leave_the_antipodal_state_as_the_exact_solution_does(off, strength, turning):
    """tan((θ_2 − θ_1)/2) falls like e^(−Kt); θ near π is rounded by 4e-16 a step, twice that when it turns."""
    start = [0.0, np.pi - off]
    model = ip.PhaseModel(strength * SIN, frequencies=turning)
    run = ip.simulate(model, start, t_end=40.0 / strength)
    exact = 2 * np.arctan(np.exp(np.log(np.tan(start[1] / 2)) - strength * run.time.values))
    apart = (run.phase[:, 1] - run.phase[:, 0]).values
    late = np.log(np.tan(exact / 2) / np.tan(np.clip(apart, 1e-9, None) / 2))[exact > 1e-5]
    assert np.max(np.abs(late)) < 0.03 + (30 if turning else 3) * 4.4e-16 / off  # in units of 1/K


def by_longdouble(start, t_end, steps):
    """Runge-Kutta in 64 binary digits, with all couplings 1/n."""
    y, h = np.array(start, dtype=np.longdouble), np.longdouble(t_end) / steps

    def v(y):
        s, c = np.sin(y), np.cos(y)
        return c * np.mean(s) - s * np.mean(c)

    for _ in range(steps):
        a = v(y)
        b = v(y + h / 2 * a)
        c = v(y + h / 2 * b)
        y = y + h / 6 * (a + 2 * b + 2 * c + v(y + h * c))
    return y.astype(float)


@pytest.mark.parametrize("off", [1e-13, 1e-11, 1e-9, 1e-7])
def test_five_oscillators_leave_the_splay_state_on_time(off):
    start = 2 * np.pi * np.arange(5) / 5
    start[1:3] += [off, -2 * off]
    t_end = 2 * np.log(0.3 / off)  # it grows like e^(t/2)
    run = ip.simulate(ip.PhaseModel(SIN), start, times=[t_end])
    exact = by_longdouble(start, t_end, 4000)
    left = np.abs(exact - start).max()
    assert left > 0.05
    assert run.phase.values[0] == pytest.approx(exact, abs=left * (0.05 + 4e-15 / off))


TWO = [0.0, np.pi - 1e-10, np.pi]
TRIADS = [(0, 1, 2), (1, 2, 3), (2, 3, 0)]
BESIDE = {
    "softmax": (ip.PhaseModel(ip.attention(0.3), gain="softmax"), TWO),
    "callable gain": (ip.PhaseModel(SIN, gain=lambda y: 1.5 + np.cos(y - y[..., :1]) ** 2), TWO),
    "inertia": (ip.PhaseModel(SIN, inertia=[2.0, 0.0, 1.0]), TWO),
    "rank one": (ip.PhaseModel(SIN, ip.RankOne([1.0, 2.0, 3.0], [0.2, 0.3, 0.1])), TWO),
    "low rank": (ip.PhaseModel(SIN, ip.LowRank(np.ones((3, 2)), [[0.2, 0.3], [0.1, 0.1], [0.3, 0.1]])), TWO),
    "repulsive": (ip.PhaseModel(-SIN, frequencies=0.3), [1.0, 1.0 + 1e-10, 1.0 - 2e-10]),
    "ring": (ip.PhaseModel(SIN, ip.Ring(1)), np.pi * np.arange(20.0) + 1e-10 * np.sin(np.arange(20.0))),
    "hypergraph": (
        ip.PhaseModel(SIN, ip.Hypergraph(TRIADS, "j+k-2i", weights=-1.0)), [0.0, 1e-10, 0.0, -1e-10],
    ),
    "field": (ip.PhaseModel(SIN, field=-1.0), [np.pi - 1e-10, np.pi, np.pi]),
}  # fmt: skip


@pytest.mark.parametrize("name", BESIDE)
def test_any_model_leaves_an_unstable_state_as_by_small_steps(name):
    model, start = BESIDE[name]
    times = np.linspace(0.0, 60.0, 301)
    small = ip.simulate(model, start, times=times, method="rk4", step=0.1).phase.values
    left = np.ptp(small - small[0], axis=1) if name != "field" else np.abs(small - small[0]).max(axis=1)
    until = int(np.argmax(left > 0.1))
    assert until > 20  # it does leave, late
    end = ip.simulate(model, start, times=[times[until]]).phase.values[0]
    assert end == pytest.approx(small[until], abs=0.01)


@pytest.mark.parametrize("delay", [0.5, 2.0])
def test_an_instability_that_delays_make_is_seen(delay):
    """Rows of K sum to zero, so that nothing grows at once; later λ = μ e^(−λτ), μ = ±i sqrt(3)."""
    from scipy.special import lambertw

    growth = lambertw(1j * np.sqrt(3) * delay).real / delay
    model = ip.PhaseModel(SIN, ip.Dense([[0, 1, -1], [-1, 0, 1], [1, -1, 0]]), delays=delay)
    t_end = np.log(1e10) / growth
    run = ip.simulate(model, [0.0, 1e-13, -2e-13], times=np.linspace(0.4, 1, 61) * t_end, history="constant")
    size = np.log(np.ptp(run.phase.values, axis=1))
    small = size < np.log(1e-2)
    assert np.polyfit(run.time.values[small], size[small], 1)[0] == pytest.approx(growth, rel=0.01)


def test_delays_leave_an_unstable_state():
    model = ip.PhaseModel(SIN, delays=0.1)
    run = ip.simulate(model, [0.0, np.pi - 1e-12], t_end=60.0, history="constant")
    assert float(run.order_parameter[-1]) > 0.999


ORDINARY = {
    "all-to-all": (ip.PhaseModel(SIN), 40, 1e-8),
    "loosely": (ip.PhaseModel(3 * SIN, frequencies=np.linspace(-1, 1, 40)), 40, 1e-3),
    "softmax": (ip.PhaseModel(ip.attention(9.0), gain="softmax"), 40, 1e-8),
    "repulsive": (ip.PhaseModel(-SIN), 12, 1e-8),
    "ring": (ip.PhaseModel(SIN, ip.Ring(2), frequencies=0.1), 12, 1e-8),
    "inertia": (ip.PhaseModel(SIN, frequencies=np.linspace(-0.2, 0.2, 10), inertia=2.0), 10, 1e-8),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_runs_keep_their_steps(name):
    model, n, tolerance = ORDINARY[name]
    motion = Motion(model, n)
    state = motion.start(np.random.default_rng(1).uniform(-np.pi, np.pi, (3, n)), None)
    runs = [DormandPrince(motion, state, 80.0, tolerance, limit) for limit in (None, GrowthLimit(motion, 3))]
    for run in runs:
        while run.running.any():
            run.advance()
            run.next_stage()
    plain, limited = runs
    assert np.array_equal(plain.phases, limited.phases)
    assert (plain.accepted_steps, plain.rejected_steps) == (limited.accepted_steps, limited.rejected_steps)


@pytest.mark.parametrize("formula", ["sin(x)*sqrt(cos(x)**2)", "sin(x)*sqrt(1 + cos(x))"])
def test_an_interaction_without_a_fourier_series_is_followed(formula):
    run = ip.simulate(ip.PhaseModel(ip.Interaction(formula)), [0.0, 0.1, 0.3], t_end=60.0)
    assert run.attrs["status"] == "finished" and float(run.order_parameter[-1]) > 0.999999


@pytest.mark.parametrize("n", [3, 12, 60])
def test_ritz_values_are_the_outer_eigenvalues(n):
    rng = np.random.default_rng(n)
    model = ip.PhaseModel(ip.attention(1.0), ip.Dense(rng.normal(size=(n, n)) / np.sqrt(n)), field=0.5)
    phases = rng.uniform(-np.pi, np.pi, (2, n))
    found = ritz_values(lambda y: model.flow(y, np.empty_like(y)), phases)
    for values, row in zip(found, phases):
        exact = np.linalg.eigvals(model.jacobian(row))
        within = 1e-5 if n <= 12 else 0.1 * np.ptp(exact.real)
        assert np.max(values.real) == pytest.approx(np.max(exact.real), abs=within)
        assert np.max(np.abs(values)) == pytest.approx(np.max(np.abs(exact)), abs=within)
