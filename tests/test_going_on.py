"""A run that goes on is one run: to the bit with constant steps and noise, to 1e-9 with adaptive ones."""

import numpy as np
import pytest
import xarray as xr

import inphase as ip

PHASES = np.array([0.0, 1.0, 2.5, 4.0])
PLAIN = ip.PhaseModel(0.8 * ip.kuramoto(), frequencies=[0.3, -0.1, 0.7, 1.0])
HEAVY = PLAIN.replace(inertia=[1.0, 0.0, 2.0, 0.5])
DELAYED = PLAIN.replace(delays=[0.3, 0.5, 0.0, 1.1])
TIMES = np.linspace(0, 6, 25)


def halves(model, phases, tmp_path=None, **options):
    first = ip.simulate(model, phases, times=TIMES[:11], **options)
    if tmp_path is not None:
        first.to_netcdf(tmp_path / "run.nc")
        first = xr.load_dataset(tmp_path / "run.nc")
    return first, ip.simulate(model, first, times=TIMES[11:])


LATE = DELAYED.replace(inertia=1.0)
RUNS = [
    (model, method, noise)
    for noise in (0.0, 0.2)
    for model in (PLAIN, HEAVY, DELAYED, LATE)
    for method in ("euler", "heun", "midpoint", "rk4")
    if method in ("euler", "heun") or not (noise or model.has_delays)  # the others take neither
]


@pytest.mark.parametrize(("model", "method", "noise"), RUNS)
def test_constant_steps_to_the_bit(model, method, noise, tmp_path):
    model = model.replace(noise=noise, common_noise=noise / 3)
    phases = np.stack([PHASES, PHASES[::-1]])
    how = {"step": 0.05, "method": method, "seed": 5, "replicas": [7, 3]}
    first, second = halves(model, phases, tmp_path, **how)
    one, two = ip.simulate(model, phases, times=TIMES, **how), ip.join(first, second)
    for name in set(one.data_vars) - {"stopped_by"}:
        assert np.array_equal(one[name], two[name], equal_nan=True), name
    assert np.array_equal(one.time, two.time) and one.attrs["accepted_steps"] == two.attrs["accepted_steps"]
    assert np.array_equal(xr.concat([first.phase, second.phase], "time"), one.phase)


@pytest.mark.parametrize("model", [PLAIN, HEAVY, DELAYED, DELAYED.replace(inertia=[1.0, 0.0, 2.0, 0.5])])
def test_adaptive_steps_to_the_tolerance(model, tmp_path):
    phases = np.stack([PHASES, PHASES[::-1], 0.1 * PHASES])
    first, second = halves(model, phases, tmp_path, tolerance=1e-12)
    one, two = ip.simulate(model, phases, times=TIMES, tolerance=1e-12), ip.join(first, second)
    assert np.max(np.abs(one.phase - two.phase)) < 1e-9
    assert np.max(np.abs(one.end_phase - two.end_phase)) < 1e-9


@pytest.mark.parametrize("model", [PLAIN, DELAYED])
@pytest.mark.parametrize("how", [{"tolerance": 1e-12}, {"step": 0.05}])
def test_what_ended_early_goes_on(model, how):
    stop = {"stop": lambda time, phases: phases[3] > 5.0}
    for early in ({"max_steps": 30}, stop):
        first = ip.simulate(model, PHASES, t_end=6.0, **how, **early)
        assert first.attrs["status"] in ("max_steps", "stopped") and float(first.end_time) < 6
        second = ip.simulate(model, first, t_end=6.0)
        one = ip.simulate(model, PHASES, t_end=6.0, **how)
        assert np.max(np.abs(second.end_phase - one.end_phase)) < (1e-9 if "tolerance" in how else 1e-300)


def test_adaptive_replicas_that_stopped_at_times_of_their_own():
    phases = np.stack([PHASES, PHASES + 0.3, PHASES - 0.5, PHASES + 0.9, PHASES - 0.9])
    first = ip.simulate(DELAYED, phases, t_end=9.0, tolerance=1e-12, stop=lambda time, x: x[3] > 5.0)
    assert len(np.unique(first.end_time)) == 5
    second = ip.simulate(DELAYED, first, t_end=12.0)
    one = ip.simulate(DELAYED, phases, t_end=12.0, tolerance=1e-12)
    assert np.max(np.abs(second.end_phase - one.end_phase)) < 1e-9


def test_the_noise_of_the_second_part_is_another():
    model = PLAIN.replace(noise=0.5)
    phases = np.zeros((1, 4))
    first = ip.simulate(model, phases, t_end=20.0, step=0.1, seed=3)
    second = ip.simulate(model, first, t_end=40.0)
    steps = [np.diff(run.phase.values[:, 0], axis=0).ravel() for run in (first, second)]
    assert abs(np.corrcoef(steps[0][-700:], steps[1][-700:])[0, 1]) < 0.15


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"t_end": 2.0}, "must lie after 2.5"),
        ({"t_end": 4.0, "step": 0.02}, "step is that of the run"),
        ({"t_end": 4.0, "method": "euler"}, "method is that of the run"),
        ({"t_end": 4.03}, "multiple, such as 4.05"),
        ({"t_end": 4.0, "velocities": 1.0}, "velocities are those of the run"),
    ],
)
def test_refusals(options, words):
    first = ip.simulate(PLAIN, PHASES, t_end=2.5, step=0.05)
    with pytest.raises(ValueError, match=words):
        ip.simulate(PLAIN, first, **options)


def test_what_cannot_go_on_says_why():
    with pytest.raises(ValueError, match="only a Dataset of simulate"):
        ip.simulate(
            PLAIN.replace(frequencies=0), ip.coarsen(ip.PhaseModel(ip.kuramoto()), PHASES, 1.0), t_end=2
        )
    for how in ({"step": 0.05}, {}):
        first = ip.simulate(PLAIN, PHASES, t_end=2.5, **how)
        with pytest.raises(ValueError, match="does not hold"):
            ip.simulate(DELAYED, first, t_end=4.0)
        first = ip.simulate(DELAYED, PHASES, t_end=2.5, **how)
        with pytest.raises(ValueError, match="the delays need"):
            ip.simulate(DELAYED.replace(delays=9.0), first, t_end=4.0)
    stopped = ip.simulate(PLAIN, [PHASES, PHASES + 1], t_end=9, step=0.05, stop=lambda t, x: x[3] > 5.5)
    with pytest.raises(ValueError, match="isel"):
        ip.simulate(PLAIN, stopped, t_end=12.0)
    assert ip.simulate(PLAIN, stopped.isel(replica=[1]), t_end=12.0).end_time == 12
    with pytest.raises(ValueError, match="began anew"):
        ip.join(first, first)


def test_steps_are_fitted_to_the_end():
    run = ip.simulate(PLAIN, PHASES, t_end=1.0, step=0.6)
    assert run.attrs["step"] == 0.5 and run.time[-1] == run.end_time == 1.0
    assert ip.simulate(PLAIN, PHASES, t_end=1.0, step=0.1).attrs["step"] == 0.1


@pytest.mark.parametrize(("delay", "serves"), [(0.25, 0.05), (0.04, 0.02)])
def test_delays_that_are_rounded_warn(delay, serves):
    with pytest.warns(UserWarning, match=rf"delay {delay:g} acts as .*step={serves:g} "):
        ip.simulate(PLAIN.replace(delays=delay), PHASES, t_end=1.0, step=0.1)
