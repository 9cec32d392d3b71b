"""`simulate` against SciPy, closed forms and itself: replicas, dense output, stops, interruptions, files."""

import math
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import solve_ivp

import inphase as ip
import zoo
from inphase.simulation import clusters_at_most, synchronized

TWO = ip.PhaseModel(ip.kuramoto())


def start(n, seed=0):
    return np.random.default_rng(seed).uniform(0, 2 * np.pi, n)


def reference(model, phases, times):
    run = solve_ivp(
        lambda t, y: zoo.velocity(model, y), (0, times[-1]), phases, "DOP853", times, rtol=1e-12, atol=1e-12
    )
    return run.y.T


def half_angle(t, d):
    """The distance of two oscillators of f = sin: tan(d(t)/2) = tan(d(0)/2) e^{−t}."""
    return 2 * np.arctan(np.tan(d / 2) * np.exp(-np.asarray(t)))


# --------------------------------------------------------------------------------------------------- accuracy


@pytest.mark.parametrize(
    ("f", "coupling", "gain"),
    [
        pytest.param(*case, id=", ".join(case))
        for case in zoo.combinations()
        if case[1:] in (("weights", "no gain"), ("rank one", "softmax"))
        or case in (("kuramoto", "signed", "callable"), ("harmonics", "some zero", "callable"))
    ],
)
def test_trajectories_agree_with_scipy(f, coupling, gain):
    model = zoo.model(f, coupling, gain, 5, frequencies=[0.0, 0.1, -0.1, 0.2, 0.3], field=0.2)
    times = np.array([0.0, 0.3, 1.0, 2.5])
    run = ip.simulate(model, start(5), times=times, tolerance=1e-11)
    assert run.attrs["status"] == "finished"
    exact = reference(model, start(5), times)
    assert run.phase.values == pytest.approx(exact, abs=2e-8 if "100" in f or "25" in f else 2e-9)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8, 1e-10])
def test_the_error_follows_the_tolerance(tolerance):
    model = ip.PhaseModel(ip.attention(4.0))
    run = ip.simulate(model, start(10), times=[5.0], tolerance=tolerance)
    exact = ip.simulate(model, start(10), times=[5.0], tolerance=1e-13)
    assert np.max(np.abs(run.phase.values - exact.phase.values)) < 100 * tolerance


def test_dense_output_between_steps_is_of_order_four():
    """At a coarse tolerance the output points inside a step are as good as the step is."""
    times = np.linspace(0, 6, 601)
    errors = []
    for tolerance in (1e-4, 1e-8):
        run = ip.simulate(TWO, [0.0, 3.0], times=times, tolerance=tolerance)
        distance = run.phase.values[:, 1] - run.phase.values[:, 0]
        errors.append(np.max(np.abs(distance - half_angle(times, 3.0))))
        assert run.attrs["accepted_steps"] < 150
    assert errors[0] < 3e-3 and errors[1] < 3e-7


def test_output_does_not_depend_on_which_times_are_asked_for():
    model, phases = ip.PhaseModel(ip.attention(2.0)), start(6)
    few = ip.simulate(model, phases, times=[1.0, 4.0])
    many = ip.simulate(model, phases, times=np.linspace(0, 4, 41))
    assert np.array_equal(few.phase.sel(time=4.0), many.phase.sel(time=4.0))
    assert few.phase.sel(time=1.0).values == pytest.approx(many.phase.sel(time=1.0).values, abs=1e-15)
    assert np.array_equal(many.phase.values[0], phases)


def test_two_oscillators_follow_the_closed_form():
    run = ip.simulate(TWO, [0.2, 2.9], t_end=20.0, tolerance=1e-11)
    distance = run.phase.values[:, 1] - run.phase.values[:, 0]
    assert distance == pytest.approx(half_angle(run.time.values, 2.7), abs=1e-9)


@pytest.mark.parametrize("strength", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("difference", [0.3, 0.9])
def test_two_kuramoto_oscillators_lock_at_the_arcsine(strength, difference):
    """d' = Δω − K sin d."""
    model = ip.PhaseModel(strength * ip.kuramoto(), frequencies=[0.0, difference])
    run = ip.simulate(model, [0.0, 0.1], t_end=100.0, tolerance=1e-11)
    d = run.phase.values[:, 1] - run.phase.values[:, 0]
    assert d[-1] == pytest.approx(math.asin(difference / strength), abs=1e-9)
    mean = run.phase.values.mean(axis=1)
    assert mean == pytest.approx(0.05 + difference / 2 * run.time.values, abs=1e-8)


def test_two_kuramoto_oscillators_drift_with_the_period_of_adler():
    """Unlocked, d' = Δω − sin d gains 2π in 2π/sqrt(Δω² − 1)."""
    model = ip.PhaseModel(ip.kuramoto(), frequencies=[0.0, 1.25])
    period = 2 * np.pi / math.sqrt(1.25**2 - 1)
    run = ip.simulate(model, [0.0, 0.0], times=period * np.arange(4), tolerance=1e-12)
    d = run.phase.values[:, 1] - run.phase.values[:, 0]
    assert d == pytest.approx(2 * np.pi * np.arange(4), abs=1e-8)  # never wrapped


def test_a_field_alone_has_a_closed_form():
    model = ip.PhaseModel(ip.kuramoto(), ip.AllToAll([1e-300, 0.0, 0.0]), field=-1.0)
    run = ip.simulate(model, [0.5, 1.0, 3.0], t_end=8.0, tolerance=1e-12)
    assert run.phase.values[-1] == pytest.approx(half_angle(8.0, np.array([0.5, 1.0, 3.0])), abs=1e-10)


# ------------------------------------------------------------------------------------------------ the dataset


def test_the_dataset_has_named_dimensions_units_and_provenance():
    run = ip.simulate(ip.PhaseModel(ip.attention(2.0)), start(4), t_end=3.0)
    assert run.phase.dims == ("time", "oscillator") and run.phase.attrs["units"] == "rad"
    assert run.sizes == {"time": 201, "oscillator": 4}
    assert run.time.values == pytest.approx(np.linspace(0, 3, 201)) and run.time.values[-1] == 3.0
    assert run.order_parameter.values == pytest.approx(np.abs(np.exp(1j * run.phase.values).mean(axis=1)))
    assert float(run.end_time) == 3.0 and str(run.stopped_by.values) == ""
    assert {"model", "tolerance", "inphase_version", "wall_time_seconds", "status", "method"} <= set(
        run.attrs
    )
    assert '"beta": 2.0' in run.attrs["model"]


@pytest.mark.parametrize("shape", [(4,), (3, 4), (1, 4), (1,), (2, 1)])
@pytest.mark.parametrize("stop", [None, lambda t, p: t > 0.5])
def test_the_dataset_is_written_to_netcdf_and_read_back_equal(tmp_path, shape, stop):
    run = ip.simulate(TWO, start(int(np.prod(shape))).reshape(shape), t_end=1.0, stop=stop)
    run.to_netcdf(tmp_path / "run.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "run.nc", engine="h5netcdf") as read:
        xr.testing.assert_equal(run, read.load())
        assert {key: read.attrs[key] for key in run.attrs} == run.attrs
    assert run.sizes["oscillator"] == shape[-1]


def test_initial_phases_are_left_alone_and_kept():
    phases = start(5)
    kept = phases.copy()
    run = ip.simulate(TWO, phases, t_end=2.0)
    assert np.array_equal(phases, kept) and np.array_equal(run.phase.values[0], kept)
    run.phase.values[0] = 0
    assert np.array_equal(phases, kept)


def test_long_outputs_are_thinned_to_64_megabytes():
    run = ip.simulate(ip.PhaseModel(ip.kuramoto()), np.zeros(1_000_000), t_end=1e-3)
    assert run.sizes["time"] == 8 and run.phase.nbytes <= 64_000_000


# --------------------------------------------------------------------------------------------------- replicas


@pytest.mark.parametrize("gain", [None, "softmax"])
def test_replicas_are_single_runs(gain):
    model = ip.PhaseModel(ip.attention(3.0), gain=gain)
    phases = np.array([start(7, seed) for seed in range(6)])
    phases[2] = phases[2, 0] + 1e-3 * np.arange(7)  # one that is quick to finish
    together = ip.simulate(model, phases, t_end=15.0)
    assert together.phase.dims == ("time", "replica", "oscillator")
    for r, row in enumerate(phases):
        alone = ip.simulate(model, row, t_end=15.0)
        assert np.array_equal(together.phase.values[:, r], alone.phase.values)


def test_replicas_that_stop_are_single_runs_that_stop():
    model = ip.PhaseModel(ip.attention(1.0))
    phases = np.array([start(4, seed) for seed in range(8)])
    together = ip.simulate(model, phases, t_end=200.0, stop="synchronized")
    assert together.attrs["status"] == "stopped" and set(together.stopped_by.values) == {"synchronized"}
    for r, row in enumerate(phases):
        alone = ip.simulate(model, row, t_end=200.0, stop="synchronized")
        assert float(together.end_time[r]) == float(alone.end_time) == float(alone.time[-1])
        assert np.array_equal(together.phase.values[-1, r], alone.phase.values[-1])
        held = together.phase.values[together.time.values > float(together.end_time[r]), r]
        assert np.array_equal(held, np.broadcast_to(alone.phase.values[-1], held.shape))


def test_a_replica_that_stops_at_once_leaves_the_others_alone():
    phases = np.array([[0.0, 1e-5], [0.0, 2.0], [0.0, 2.0]])
    run = ip.simulate(TWO, phases, t_end=3.0, stop="synchronized")
    assert run.attrs["status"] == "stopped"
    assert run.end_time.values.tolist() == [0.0, 3.0, 3.0] and run.stopped_by.values.tolist() == [
        "synchronized",
        "",
        "",
    ]
    assert np.array_equal(run.phase.values[:, 0], np.broadcast_to(phases[0], (201, 2)))
    distance = run.phase.values[:, 1, 1] - run.phase.values[:, 1, 0]
    assert distance == pytest.approx(half_angle(run.time.values, 2.0), abs=1e-6)


def test_the_same_numbers_with_one_and_two_threads(threads):
    model, phases = ip.PhaseModel(ip.attention(4.0), gain="softmax"), start(120_000).reshape(2, 60_000)
    runs = []
    for count in (1, 2):
        threads(count)
        runs.append(ip.simulate(model, phases, times=[0.25, 0.5]).phase.values)
    assert np.array_equal(*runs)


def test_the_same_run_gives_the_same_numbers():
    model = ip.PhaseModel(ip.attention(4.0))
    assert np.array_equal(
        ip.simulate(model, start(9), t_end=5.0).phase.values,
        ip.simulate(model, start(9), t_end=5.0).phase.values,
    )


# ------------------------------------------------------------------------------------------------------ stops


@pytest.mark.parametrize("threshold", [2.0, 0.5, 1e-3])
def test_a_stop_is_located_within_its_step(threshold):
    def close(time, phases):
        return phases[1] - phases[0] <= threshold

    run = ip.simulate(TWO, [0.0, 3.0], t_end=50.0, tolerance=1e-12, stop=close)
    exact = math.log(math.tan(1.5) / math.tan(threshold / 2))
    assert run.attrs["status"] == "stopped" and str(run.stopped_by.values) == "close"
    assert float(run.end_time) == pytest.approx(exact, abs=1e-8) and float(run.time[-1]) == float(
        run.end_time
    )
    assert np.diff(run.phase.values[-1]) == pytest.approx(threshold, abs=1e-10)
    assert np.all(np.diff(run.time.values) > 0) and run.attrs["status"] == "stopped"


def test_synchronized_and_cluster_conditions_turn_true_when_they_say():
    run = ip.simulate(TWO, [0.0, 3.0], t_end=50.0, tolerance=1e-12, stop=synchronized(1e-2))
    assert np.ptp(run.phase.values[-1]) == pytest.approx(1e-2, abs=1e-9)
    run = ip.simulate(
        ip.PhaseModel(ip.attention(9.0)), [0.0, 0.3, 2.0, 2.2, 4.5], t_end=1e4, stop=clusters_at_most(3, 1e-3)
    )
    assert str(run.stopped_by.values) == "clusters<=3"
    gaps = np.diff(np.sort(run.phase.values[-1]))
    assert sorted(gaps < 1e-3 * (1 + 1e-6)) == [False, False, True, True]
    assert max(gaps[gaps < 0.1]) == pytest.approx(1e-3, rel=1e-4)


def test_synchronized_looks_across_the_cut():
    assert synchronized(1e-3)(0.0, np.array([2 * np.pi - 1e-4, 1e-4, -2e-4]))
    assert not synchronized(1e-3)(0.0, np.array([2 * np.pi - 1e-3, 1e-3]))


def test_a_run_that_is_synchronized_at_once_stops_at_zero():
    run = ip.simulate(TWO, [1.0, 1.0], t_end=9.0, stop=["synchronized", clusters_at_most(1)])
    assert run.attrs["status"] == "stopped" and float(run.end_time) == 0 and run.time.values.tolist() == [0.0]
    assert run.phase.values.tolist() == [[1.0, 1.0]]
    run = ip.simulate(TWO, [1.0, 1.0], times=[4.0, 5.0], stop="synchronized")
    assert run.time.values.tolist() == [0.0]


def test_the_first_condition_that_holds_ends_the_run():
    late, early = (lambda t, p: t > 4.0), (lambda t, p: t > 1.0)
    late.__name__, early.__name__ = "late", "early"
    run = ip.simulate(TWO, [0.0, 3.0], t_end=9.0, stop=[late, early], tolerance=1e-12)
    assert str(run.stopped_by.values) == "early" and float(run.end_time) == pytest.approx(1.0, abs=1e-9)


def test_a_condition_that_never_holds_does_not_stop():
    run = ip.simulate(TWO, [0.0, 3.0], t_end=1.0, stop=lambda t, p: False)
    assert run.attrs["status"] == "finished" and float(run.end_time) == 1.0


# ----------------------------------------------------------------------------------------------- interruption


def test_ctrl_c_returns_what_there_is():
    def interrupt(time, phases):
        if time > 5.0:
            raise KeyboardInterrupt
        return False

    run = ip.simulate(TWO, [0.0, 3.0], t_end=10.0, stop=interrupt)
    assert run.attrs["status"] == "interrupted"
    assert float(run.time[-1]) + 0.05 > 5.0 and float(run.time[-1]) < 9
    assert np.isfinite(run.phase.values).all()
    distance = run.phase.values[:, 1] - run.phase.values[:, 0]
    assert distance == pytest.approx(half_angle(run.time.values, 3.0), abs=1e-6)


@pytest.mark.parametrize("options", [{}, {"step": 0.01, "method": "rk4"}], ids=["adaptive", "constant steps"])
def test_an_interrupted_run_of_replicas_keeps_what_each_has_reached(options):
    model, phases = ip.PhaseModel(ip.kuramoto(), frequencies=np.arange(5.0)), start(15).reshape(3, 5)
    phases[1] *= 1e-3
    calls = []

    def interrupt(time, phases):
        calls.append(time)
        if len(calls) > 400:
            raise KeyboardInterrupt
        return bool(time > 0.2 and np.ptp(phases) < 1.5)  # the second one stops early

    run = ip.simulate(model, phases, t_end=20.0, stop=interrupt, **options)
    whole = ip.simulate(model, phases, t_end=20.0, **options)
    end, time, stopped = run.end_time.values, run.time.values, run.stopped_by.values != ""
    assert run.attrs["status"] == "interrupted" and stopped.tolist() == [False, True, False]
    assert 0 < time[-1] <= end.max() and 0.2 <= end[1] < end.min(where=~stopped, initial=9.0)
    reached = time[:, None] <= end
    assert reached.any(axis=1).all() and time[-1] == end.max()
    assert np.array_equal(time[:-1], whole.time[whole.time < end.max()])
    assert np.array_equal(np.isfinite(run.phase).all("oscillator"), reached | stopped)
    assert np.array_equal(np.isfinite(run.order_parameter), reached | stopped)
    assert np.array_equal(
        run.phase.values[:-1][reached[:-1]], whole.phase.values[: len(time) - 1][reached[:-1]]
    )
    assert np.array_equal(run.phase.values[-1][reached[-1]], run.end_phase.values[reached[-1]])
    assert np.all(run.phase.values[:, stopped][~reached[:, 1]] == run.end_phase.values[stopped])
    for r in range(3):
        alone = ip.simulate(model, phases[r], times=[end[r]], **options)
        assert np.allclose(alone.phase.values[0], run.end_phase.values[r], rtol=0, atol=1e-7)


def test_replicas_that_are_cut_off_at_different_times_say_so():
    """The second has five times the steps of the first per unit of time, and max_steps counts both."""
    model = ip.PhaseModel(ip.kuramoto(), inertia=[0.0, 1.0], frequencies=[0.0, 1.0])
    run = ip.simulate(
        model,
        [[0.0, 0.0], [0.0, 1.0]],
        times=np.linspace(0, 50, 501),
        velocities=[[0, 1.0], [0, 300.0]],
        max_steps=100,
    )
    assert run.attrs["status"] == "max_steps" and float(run.end_time[1]) < float(run.end_time[0])
    reached = run.time.values[:, None] <= run.end_time.values
    for name in ("phase", "velocity"):
        assert np.array_equal(np.isfinite(run[name]).all("oscillator"), reached)
    assert run.end_velocity.shape == (2, 2) and np.isfinite(run.end_velocity).all()
    assert 0 < len(run.time) == int(np.sum(reached[:, 0])) > int(np.sum(reached[:, 1]))


def test_the_end_of_a_finished_run_is_its_last_frame():
    model = ip.PhaseModel(ip.kuramoto(), frequencies=np.arange(5.0))
    for options in ({}, {"step": 0.1}):
        run = ip.simulate(model, start(10).reshape(2, 5), t_end=2.0, **options)
        assert np.array_equal(run.end_phase, run.phase[-1]) and np.all(run.end_time == 2.0)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT between processes")
def test_a_real_sigint_returns_a_dataset(tmp_path):
    script = textwrap.dedent(
        """
        import os, signal, threading
        import numpy as np
        import inphase as ip

        model = ip.PhaseModel(ip.attention(2.0), frequencies=np.linspace(-50, 50, 64))
        ip.simulate(model, np.zeros(64), t_end=0.01)
        threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT)).start()
        run = ip.simulate(model, np.linspace(0, 6, 64), t_end=1e6, times=None)
        print(run.attrs["status"], np.isfinite(run.phase.values).all(), run.sizes["time"] >= 1)
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["interrupted", "True", "True"], done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT between processes")
@pytest.mark.parametrize("route", ["adaptive", "constant steps", "march"])
def test_a_real_sigint_loses_nothing_between_two_frames(route):
    """20,000 oscillators and two frames: Ctrl-C in between leaves the state that was reached."""
    script = textwrap.dedent(
        f"""
        import os, signal, threading
        import numpy as np
        import inphase as ip

        route = {route!r}
        n = 40 if route == "march" else 20_000
        coupling = ip.Ring(2) if route == "march" else ip.AllToAll()
        model = ip.PhaseModel(ip.kuramoto(), coupling, frequencies=np.linspace(-1, 1, n))
        how = {{}} if route == "adaptive" else {{"step": 0.002, "method": "rk4"}}
        first = np.linspace(0, 6, n)
        ip.simulate(model, first, times=[0.0, 0.01], **how)
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        run = ip.simulate(model, first, times=[0.0, 1e6], max_steps=10**9, **how)
        end = float(run.end_time)
        again = ip.simulate(model, first, times=[end], max_steps=10**9, **how)
        error = np.max(np.abs(again.phase.values[0] - run.end_phase.values))
        print(run.attrs["status"], run.sizes["time"], 0 < end < 1e6, error < 1e-5, np.array_equal(run.phase[0], first))
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["interrupted", "2", "True", "True", "True"], done.stderr + done.stdout


def test_max_steps_ends_the_run_with_what_it_has():
    run = ip.simulate(TWO, [0.0, 3.0], t_end=1e3, max_steps=20)
    assert (
        run.attrs["status"] == "max_steps" and run.attrs["accepted_steps"] + run.attrs["rejected_steps"] == 20
    )
    assert 1 <= run.sizes["time"] < 201 and float(run.time[-1]) <= float(run.end_time) < 1e3


def test_a_tolerance_below_rounding_ends_with_a_status():
    model = ip.PhaseModel(ip.kuramoto(), frequencies=[1.0, 3.0])
    run = ip.simulate(model, [0.0, 3.0], t_end=10.0, tolerance=1e-15, max_steps=500)
    assert run.attrs["status"] in ("max_steps", "step underflow") and run.sizes["time"] >= 1


# ---------------------------------------------------------------------------------------------- what one sees


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_the_repulsive_flow_spreads_out(n):
    run = ip.simulate(ip.PhaseModel(-ip.kuramoto()), start(n, n), t_end=200.0)
    assert float(run.order_parameter[-1]) < 1e-6


def test_the_repulsive_flow_of_three_ends_in_the_triangle():
    for beta in (0.0, 1.0):
        run = ip.simulate(ip.PhaseModel(-ip.attention(beta)), [0.0, 0.3, 1.0], t_end=2000.0)
        phases = np.sort(np.mod(run.phase.values[-1], 2 * np.pi))
        gaps = np.append(np.diff(phases), phases[0] + 2 * np.pi - phases[-1])
        assert gaps == pytest.approx(np.full(3, 2 * np.pi / 3), abs=1e-6)


@pytest.mark.parametrize("beta", [0.0, 0.2, 1.0, 2.0])
@pytest.mark.parametrize("gain", [None, "softmax"])
def test_every_start_synchronizes_where_beta_is_not_negative(beta, gain):
    phases = np.array([start(8, seed) for seed in range(40)])
    run = ip.simulate(ip.PhaseModel(ip.attention(beta), gain=gain), phases, t_end=2e4, stop="synchronized")
    assert set(run.stopped_by.values) == {"synchronized"}


def test_one_oscillator_moves_with_its_frequency():
    run = ip.simulate(ip.PhaseModel(ip.attention(3.0), gain="softmax", frequencies=0.5), [1.0], t_end=4.0)
    assert run.phase.values[:, 0] == pytest.approx(1 + 0.5 * run.time.values, abs=1e-13)
    run = ip.simulate(TWO, [1.0], t_end=4.0, stop="synchronized")
    assert float(run.end_time) == 0.0  # trivially


def test_a_state_at_rest_stays():
    run = ip.simulate(TWO, np.full(5, 0.3), t_end=1e6)
    assert run.phase.values == pytest.approx(np.full((201, 5), 0.3), abs=1e-15 * 1e6)
    assert np.ptp(run.phase.values[-1]) == 0 and run.attrs["accepted_steps"] < 30


# -------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either t_end or times"),
        ({"t_end": 1.0, "times": [1.0]}, "either t_end or times"),
        ({"t_end": 0.0}, "t_end must be a positive"),
        ({"t_end": -1.0}, "t_end must be a positive"),
        ({"t_end": np.nan}, "t_end must be a positive"),
        ({"t_end": np.inf}, "t_end must be a positive"),
        ({"t_end": "soon"}, "t_end must be a number"),
        ({"times": []}, "times must be ascending"),
        ({"times": [1.0, 0.5]}, "times must be ascending"),
        ({"times": [1.0, 1.0]}, "times must be ascending"),
        ({"times": [-1.0, 1.0]}, "times must be ascending"),
        ({"times": [[1.0, 2.0]]}, "times must be ascending"),
        ({"times": 3.0}, "times must be ascending"),
        ({"times": [0.0, np.nan]}, "times must be finite"),
        ({"times": [0.0, np.inf]}, "times must be finite"),
        ({"times": "now"}, "times must be an array"),
        ({"t_end": 1.0, "tolerance": 0.0}, "tolerance must be a positive"),
        ({"t_end": 1.0, "tolerance": -1e-9}, "tolerance must be a positive"),
        ({"t_end": 1.0, "tolerance": np.nan}, "tolerance must be a positive"),
        ({"t_end": 1.0, "tolerance": "fine"}, "tolerance must be a number"),
        ({"t_end": 1.0, "stop": "sync"}, "stop must be .*'sync'"),
        ({"t_end": 1.0, "stop": [3]}, "stop must be .*3"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message, as_a_user):
    with pytest.raises((TypeError, ValueError), match=message):
        ip.simulate(TWO, [0.0, 1.0], **arguments)


@pytest.mark.parametrize(
    ("phases", "message"),
    [
        ([0.0, np.nan], "phases must be finite"),
        (0.0, "phases must have shape"),
        ([], "phases must have shape"),
        (np.zeros((2, 2, 2)), "phases must have shape"),
        ("abc", "phases must be an array of real numbers"),
    ],
)
def test_bad_phases_are_refused_by_name(phases, message, as_a_user):
    with pytest.raises((TypeError, ValueError), match=message):
        ip.simulate(TWO, phases, t_end=1.0)


def test_what_a_condition_raises_is_not_swallowed():
    def broken(time, phases):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        ip.simulate(TWO, [0.0, 1.0], t_end=1.0, stop=broken)
