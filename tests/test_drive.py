"""Parts that depend on time: against independent integrations and exact solutions, at every door."""

import json

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import inphase as ip
from inphase.config import load
from inphase.description import Kept, equation, model_code
from inphase.simulation import pace

N = 6
RNG = np.random.default_rng(11)
OMEGA, START = RNG.normal(0, 0.5, N), RNG.uniform(0, 2 * np.pi, N)
SIN = ip.kuramoto()
GRID = np.linspace(0.0, 5.0, 11)
TABLE = np.cos(GRID[:, None] + np.arange(N))


def pull(theta):
    return -np.mean(np.sin(theta[:, None] - theta), axis=1)


def table(t, kind):
    from scipy.interpolate import make_interp_spline

    return make_interp_spline(GRID, TABLE, k=3 if kind == "cubic" else 1)(t)


DRIVES = {
    "frequencies": (
        ip.Drive(frequencies="a*sin(W*t + p)", a=0.7, W=2.0, p=np.arange(N)),
        lambda t, y: OMEGA + 0.7 * np.sin(2 * t + np.arange(N)) + pull(y),
    ),
    "coupling": (
        ip.Drive(coupling="1 + 1.5*cos(3*t)"),
        lambda t, y: OMEGA + (1 + 1.5 * np.cos(3 * t)) * pull(y),
    ),
    "force": (
        ip.Drive(force="0.8/(1 + t)", phase="1.2*t"),
        lambda t, y: OMEGA + 0.8 / (1 + t) * np.sin(1.2 * t - y) + pull(y),
    ),
    "cubic": (
        ip.Drive(frequencies=ip.Samples(GRID, TABLE, "cubic")),
        lambda t, y: OMEGA + table(t, "cubic") + pull(y),
    ),
    "linear": (
        ip.Drive(force=ip.Samples(GRID, TABLE), phase="t"),
        lambda t, y: OMEGA + table(t, "linear") * np.sin(t - y) + pull(y),
    ),
    "all": (
        ip.Drive(
            frequencies=0.1, coupling="exp(-t)", force=0.5, phase=ip.Samples(GRID, TABLE[:, 0], "cubic")
        ),
        lambda t, y: OMEGA + 0.1 + np.exp(-t) * pull(y) + 0.5 * np.sin(table(t, "cubic")[0] - y),
    ),
}


def model(drive=None, **parts):
    return ip.PhaseModel(SIN, frequencies=OMEGA, drive=drive, **parts)


def reference(velocity, state, times, stops=()):
    """An independent integration, begun anew at each of the stops, where the velocity has kinks."""
    found, here, ends = [np.array(state)], 0.0, sorted({*stops, *times[1:]})
    for end in ends:
        options = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-12}
        state, here = solve_ivp(velocity, (here, end), state, **options).y[:, -1], end
        found += [state] if end in times else []
    return np.array(found)


@pytest.mark.parametrize("name", DRIVES)
def test_adaptive_runs_against_an_independent_integrator(name):
    drive, velocity = DRIVES[name]
    times = np.array([0.0, 1.3, 3.7, 5.0])
    run = ip.simulate(model(drive), START, times=times, tolerance=1e-12)
    assert np.max(np.abs(run.phase.values - reference(velocity, START, times, GRID[1:]))) < 1e-9


@pytest.mark.parametrize("how", [{"tolerance": 1e-12}, {"step": 0.002, "method": "rk4"}])
def test_inertia_under_a_drive(how):
    mass = np.where(np.arange(N) % 2, 0.8, 0.0)  # every other one has none
    heavy = mass > 0
    drive, velocity = DRIVES["force"]

    def second(t, y):
        u, v = velocity(t, y[:N]) / 1.3, y[N:]
        slope = np.where(heavy, 0.0, u)
        slope[heavy] = v
        return np.concatenate([slope, 1.3 / 0.8 * (u[heavy] - v)])

    times = np.array([0.0, 0.6, 1.0])
    run = ip.simulate(model(drive, inertia=mass, damping=1.3), START, times=times, velocities=0.3, **how)
    known = reference(second, np.concatenate([START, np.full(heavy.sum(), 0.3)]), times)
    assert np.max(np.abs(run.phase.values - known[:, :N])) < 1e-9
    speeds = np.array([np.where(heavy, 0.0, velocity(t, y[:N]) / 1.3) for t, y in zip(times, known)])
    speeds[:, heavy] = known[:, N:]
    assert np.max(np.abs(run.velocity.values - speeds)) < 1e-9
    assert np.max(np.abs(run.end_velocity.values - speeds[-1])) < 1e-9


def adler(t, detuning, force):
    """x' = detuning − force sin x from x(0) = 0, detuning > force: tan(x/2) in closed form, unwrapped."""
    s = np.sqrt(detuning**2 - force**2)
    at = s * t / 2 + np.arctan(-force / s)
    return 2 * (np.arctan((force + s * np.tan(at)) / detuning) + np.pi * np.round(at / np.pi))


def test_a_forced_oscillator_slips_as_adler_says():
    one = ip.PhaseModel(SIN, frequencies=2.5, drive=ip.Drive(force=0.8, phase="1.5*t"))
    times = np.linspace(0.0, 15.0, 31)
    run = ip.simulate(one, [0.0], times=times, tolerance=1e-12)
    assert np.max(np.abs(run.phase.values[:, 0] - 1.5 * times - adler(times, 1.0, 0.8))) < 1e-9


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("heun", 2), ("midpoint", 2), ("rk4", 4)])
def test_constant_steps_keep_their_order(method, order):
    drive = ip.Drive(coupling="1 + cos(3*t)", frequencies="a*sin(2*t + p)", a=0.7, p=np.arange(N))
    known = reference(
        lambda t, y: OMEGA + 0.7 * np.sin(2 * t + np.arange(N)) + (1 + np.cos(3 * t)) * pull(y),
        START,
        [0.0, 2.0],
    )[-1]
    errors = [
        np.max(np.abs(ip.simulate(model(drive), START, 2.0, step=h, method=method).end_phase.values - known))
        for h in (0.02, 0.01)
    ]
    assert abs(np.log2(errors[0] / errors[1]) - order) < 0.15


def delayed_reference(drive_of, tau, end, ahead=lambda t: START + OMEGA * t):
    """All-to-all with one delay, interval by interval, each from the dense output of the one before."""
    before, state = ahead, START
    for k in range(round(end / tau)):
        heard = before
        found = solve_ivp(
            lambda t, y, heard=heard: (
                OMEGA + drive_of(t) - np.mean(np.sin(y[:, None] - heard(t - tau)), axis=1)
            ),
            (k * tau, (k + 1) * tau),
            state,
            method="DOP853",
            rtol=1e-12,
            atol=1e-12,
            dense_output=True,
        )
        before, state = found.sol, found.y[:, -1]
    return state


@pytest.mark.parametrize("pairs", [False, True])
def test_delays_under_a_drive(pairs):
    known = delayed_reference(lambda t: 0.7 * np.sin(5 * t), 0.5, 1.5)
    late = model(ip.Drive(frequencies="0.7*sin(5*t)"), delays=np.full((N, N), 0.5) if pairs else 0.5)
    assert np.max(np.abs(ip.simulate(late, START, 1.5, tolerance=1e-12).end_phase.values - known)) < 1e-9
    errors = [
        np.max(np.abs(ip.simulate(late, START, 1.5, step=h).end_phase.values - known)) for h in (0.02, 0.01)
    ]
    assert abs(np.log2(errors[0] / errors[1]) - 2) < 0.15


@pytest.mark.parametrize(("method", "nodes"), [("euler", [0.0]), ("heun", [0.0, 1.0])])
def test_noise_is_the_same_under_a_drive(method, nodes):
    """Without coupling the drive adds its own quadrature, and nothing else."""
    noisy = ip.PhaseModel(0 * SIN, noise=0.3)
    runs = [
        ip.simulate(m, START, times=[0.0, 1.0], step=0.05, method=method, seed=3)
        for m in (noisy, noisy.replace(drive=ip.Drive(frequencies="t**2")))
    ]
    sums = 0.05 * np.mean([np.sum((0.05 * (np.arange(20) + c)) ** 2) for c in nodes])
    assert np.allclose(runs[1].end_phase - runs[0].end_phase, sums, rtol=0, atol=1e-13)


PULSE = {"A": 1 / np.sqrt(np.pi) / 1e-3, "w": 1e-3}


@pytest.mark.parametrize("center", [0.3, 333.3, 500.0, 999.0])
@pytest.mark.parametrize("delays", [0.0, 2.0])
def test_no_step_jumps_over_a_short_pulse(center, delays):
    """A pulse of width 1e-3 in a run of 1000 turns a lone oscillator by its integral, 1."""
    lone = ip.PhaseModel(0 * SIN, delays=delays)
    drive = ip.Drive(frequencies="A*exp(-((t - c)/w)**2)", c=center, **PULSE)
    run = ip.simulate(lone.replace(drive=drive), [0.0], 1000.0)
    assert abs(float(run.end_phase[0]) - 1) < 1e-6
    assert run.attrs["accepted_steps"] < 700


def test_a_pulse_is_missed_without_the_bound(monkeypatch):
    """What the bound is for: the estimate of the error does not see what lies between the stages."""
    monkeypatch.setattr(pace.Pace, "__call__", lambda self, time, step: step)
    drive = ip.Drive(frequencies="A*exp(-((t - c)/w)**2)", c=333.3, **PULSE)
    run = ip.simulate(ip.PhaseModel(0 * SIN, drive=drive), [0.0], 1000.0)
    assert float(run.end_phase[0]) == 0.0


@pytest.mark.parametrize(
    ("drive", "turned"),
    [
        (ip.Drive(frequencies="(1 + tanh((t - 500)/w))*(1 - tanh((t - 500.1)/w))", w=1e-3), 0.4),
        (ip.Drive(frequencies=ip.Samples([0, 500, 500.0005, 500.001, 1000], [0, 0, 2000, 0, 0])), 1.0),
        (ip.Drive(force="A*exp(-((t - 700)/w)**2)", phase="1e3*t", **PULSE), None),
        (ip.Drive(frequencies="A*exp(-((t - c)/w)**2)", c=np.linspace(50, 950, 5), **PULSE), 1.0),
    ],
    ids=["steep", "table", "burst", "in turn"],
)
def test_pulses_of_many_kinds_are_seen(drive, turned):
    n = drive.size or 1
    run = ip.simulate(ip.PhaseModel(0 * SIN, drive=drive), np.zeros(n), 1000.0)
    if turned is None:  # ∫ A exp(−(t/w)²) sin(Ω(t + 700) − θ) dt, to be integrated near the pulse alone
        turned = reference(
            lambda t, y: PULSE["A"] * np.exp(-((t / 1e-3 - 10) ** 2)) * np.sin(1e3 * (t + 699.99) - y),
            [0.0],
            [0.0, 0.02],
        )[-1]
    assert np.max(np.abs(run.end_phase.values - turned)) < 1e-6


def test_a_coupling_that_is_switched_on_leaves_the_unstable_state():
    """K(t) is 0 for long: the steps that were long by then do not jump over what grows."""
    start = np.array([0.0, np.pi - 1e-6])
    drive = ip.Drive(coupling="(1 + tanh(t - 200))/2")
    run = ip.simulate(
        ip.PhaseModel(20 * SIN, drive=drive), start, times=[0.0, 190.0, 200.0, 210.0], tolerance=1e-6
    )
    known = reference(
        lambda t, y: -10 * (1 + np.tanh(t - 10)) * np.sin(y), [start[1]], [0.0, 5.0, 10.0, 20.0]
    )[:, 0]  # the difference, from t = 190
    assert np.allclose(np.diff(run.phase.values[2:]).ravel(), known[2:], rtol=0, atol=1e-3)


def test_replicas_keep_their_own_time():
    drive, _ = DRIVES["force"]
    starts = np.stack([START, START + 1, START[::-1]])
    together = ip.simulate(model(drive), starts, 8.0)
    for row, start in enumerate(starts):
        assert np.array_equal(
            together.phase.values[:, row], ip.simulate(model(drive), start, 8.0).phase.values
        )


def test_velocity_takes_times():
    drive, velocity = DRIVES["coupling"]
    times = np.array([0.0, 0.7])
    found = model(drive).velocity(np.stack([START, START]), time=times)
    assert np.allclose(found, [velocity(t, START) for t in times], rtol=0, atol=1e-14)


# ----------------------------------------------------------------------------------------------------- doors

FORCED = ip.PhaseModel(SIN, drive=ip.Drive(force=0.5, phase="t"))
REFUSING = {
    "jacobian": lambda: FORCED.jacobian(START),
    "low rank": lambda: FORCED.jacobian_low_rank(START),
    "energy": lambda: FORCED.energy(START),
    "find": lambda: ip.equilibria.find(FORCED, N),
    "all": lambda: ip.equilibria.all_equilibria(FORCED, 3),
    "basins": lambda: ip.equilibria.basins(FORCED, N),
    "stability": lambda: ip.equilibria.stability(FORCED, START),
    "nearest": lambda: ip.equilibria.nearest(FORCED, START),
    "continue": lambda: ip.equilibria.continue_equilibrium(lambda p: FORCED, START, 0.5, between=(0.0, 1.0)),
    "lyapunov": lambda: ip.equilibria.lyapunov_exponents(FORCED, START, t_end=10.0),
    "coarsen": lambda: ip.coarsen(FORCED, START, t_end=10.0),
    "velocity": lambda: FORCED.velocity(START),
}


@pytest.mark.parametrize("name", REFUSING)
def test_what_assumes_a_fixed_equation_refuses_a_drive_by_name(name):
    with pytest.raises(ValueError, match=r"drive"):
        REFUSING[name]()


def test_certify_does_not_decide_under_a_drive():
    found = ip.certify.synchronization(ip.PhaseModel(SIN, drive=ip.Drive(coupling="cos(t)")))
    assert found.verdict == "undecided" and "drive" in found.statement
    assert not FORCED.is_autonomous and not FORCED.is_gradient and not ip.equilibria.can_polish(FORCED, 10)


WRONG = [
    (lambda: ip.Drive(), ValueError, "needs one of frequencies, coupling, force, phase"),
    (lambda: ip.Drive(phase="t"), ValueError, "give force"),
    (lambda: ip.Drive(force="sin(x)"), ValueError, "known: t, pi"),
    (lambda: ip.Drive(force="abs(t)"), ValueError, "what is given in t"),
    (lambda: ip.Drive(force="t", b=1), ValueError, "parameter 'b'"),
    (lambda: ip.Drive(force="t", t=1), ValueError, "cannot be called 't'"),
    (lambda: ip.Drive(force=[1.0, 2.0]), ValueError, "name the numbers"),
    (lambda: ip.Drive(force=np.sin), TypeError, "formula in t"),
    (lambda: ip.Drive(force="a + b", a=[1, 2], b=[1, 2, 3]), ValueError, "one number of oscillators"),
    (lambda: ip.Samples([0, 0], [1, 2]), ValueError, "ascending"),
    (lambda: ip.Samples([0, 1], [1, 2, 3]), ValueError, r"shape \(2,\)"),
    (lambda: ip.Samples([0, 1], [1, 2], "spline"), ValueError, "linear, cubic"),
    (lambda: ip.PhaseModel(SIN, drive="sin(t)"), TypeError, "drive"),
    (lambda: ip.PhaseModel(SIN, ip.Dense(np.ones((3, 3))), drive=ip.Drive(force="a", a=[1, 2])), ValueError, "drive"),
    (lambda: ip.simulate(model(ip.Drive(force="a", a=[1, 2])), START, 1.0), ValueError, "drive"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "error", "words"), WRONG)
def test_bad_drives_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize("how", [{}, {"step": 0.1}])
def test_runs_beyond_a_table_or_through_a_pole_are_refused(how):
    driven = ip.PhaseModel(SIN, drive=ip.Drive(coupling=ip.Samples([0.0, 1.0], [1.0, 2.0])))
    assert ip.simulate(driven, START, 1.0, **how).attrs["status"] == "finished"
    with pytest.raises(ValueError, match="known from t = 0 to 1, and the run goes from 0 to 2"):
        ip.simulate(driven, START, 2.0, **how)
    with pytest.raises(ValueError, match=r"1/\(t - 5\), is not finite at t = 5"):
        ip.simulate(ip.PhaseModel(SIN, drive=ip.Drive(force="1/(t - 5)")), START, 10.0, **how)


# ----------------------------------------------------------------------------------------------------- words


def test_the_equation_says_what_is_driven():
    drive = ip.Drive(frequencies="a*sin(t)", coupling="exp(-t)", force=0.5, phase="2*t", a=np.arange(N))
    assert equation(model(drive)).text == (
        "dθ_i/dt = ω_i + ν_i(t) + F(t) sin(ψ(t) − θ_i) − κ(t) (1/n) Σ_j f(θ_i − θ_j)"
    )
    assert [part.text for part in drive.equations()] == [
        "ν_i(t) = a*sin(t)",
        "κ(t) = exp(-t)",
        "F(t) = 1/2",
        "ψ(t) = 2*t",
    ]


@pytest.mark.parametrize("name", DRIVES)
def test_code_and_provenance_make_the_same_run(name):
    driven, kept = model(DRIVES[name][0]), Kept()
    again = eval(model_code(driven, kept), {"ip": ip, "parts": kept.arrays})
    run, other = (ip.simulate(m, START, 5.0) for m in (driven, again))
    assert np.array_equal(run.phase, other.phase)
    data = json.loads(run.attrs["model"])["drive"]
    third = ip.simulate(model(ip.Drive.from_dict(data)), START, 5.0)
    assert np.array_equal(run.phase, third.phase)


TOML = """
[interaction]
name = "kuramoto"
[coupling]
kind = "ring"
neighbors = 1
[model]
frequencies = 0.3
[drive]
frequencies = "a*sin(W*t)"
coupling = { file = "pulse.csv", kind = "cubic" }
force = { times = [0.0, 5.0, 40.0], values = [0.0, 1.0, 0.0] }
phase = "1.2*t"
parameters = { a = [0.3, 0.2, 0.1], W = 2.0 }
[run]
n = 3
t_end = 2.0
"""


def test_a_drive_in_toml_and_in_a_study(tmp_path):
    (tmp_path / "pulse.csv").write_text("time;kappa\n0;1\n10,5;2\n40;1\n")
    (tmp_path / "system.toml").write_text(TOML)
    found = load(tmp_path / "system.toml").with_run("here", seed=1).build()
    known = ip.Drive(
        frequencies="a*sin(W*t)",
        coupling=ip.Samples([0, 10.5, 40], [1, 2, 1], "cubic"),
        force=ip.Samples([0, 5, 40], [0, 1, 0]),
        phase="1.2*t",
        a=[0.3, 0.2, 0.1],
        W=2.0,
    )
    assert found.drive.to_dict() == known.to_dict()
    study = ip.study(found, out=tmp_path / "out", proof_time=0)
    assert study.summary["outcome"] == "driven" and float(study.run.end_time) <= 40.0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "κ(t)" in page and "drive=ip.Drive(" in page


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("force = [1.0]", "drive.force: must be a number, a formula in t, or a table"),
        (
            "forces = 1.0",
            "unknown key 'drive.forces'; known: frequencies, coupling, force, phase, parameters",
        ),
        ("force = { times = [0.0, 1.0] }", "give either file, or times and values"),
    ],
)
def test_faults_of_toml_drives_name_the_key(tmp_path, line, words):
    file = tmp_path / "system.toml"
    file.write_text(f'[interaction]\nname = "kuramoto"\n[drive]\n{line}\n')
    with pytest.raises(ValueError) as error:
        load(file)
    assert words in str(error.value)
