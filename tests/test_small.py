"""Small systems in compiled code: the same steps as replica by replica, to the last bit whoever runs beside."""

import numba as nb
import numpy as np
import pytest

import inphase as ip
from inphase.simulation import small
from inphase.simulation.explicit import DormandPrince
from inphase.simulation.growth import GrowthLimit
from inphase.simulation.motion import Motion

RNG = np.random.default_rng(5)
SPREAD = RNG.normal(0, 0.5, 30)
GRAPH = ip.graphs.erdos_renyi(30, 0.2, seed=1)
MODELS = {
    "all to all": ip.PhaseModel(2 * ip.kuramoto(), frequencies=SPREAD),
    "repulsive": ip.PhaseModel(-ip.kuramoto(), frequencies=SPREAD),
    "two harmonics": ip.PhaseModel(ip.harmonics([1.0, 0.5], [0.2, 0.0]), frequencies=SPREAD, damping=2.0),
    "graph": ip.PhaseModel(0.3 * ip.kuramoto(), ip.Sparse(GRAPH), frequencies=SPREAD),
    "signed graph": ip.PhaseModel(
        ip.kuramoto(), ip.Sparse(GRAPH.matrix * RNG.choice([-0.3, 0.3], 30)), field=0.1
    ),
    "lag": ip.PhaseModel(ip.sakaguchi(0.4), ip.Sparse(GRAPH), frequencies=0.1 * SPREAD),
    "triangles": ip.PhaseModel(
        ip.kuramoto(), ip.Hypergraph([(0, 1, 2), (3, 4, 29), (5, 6, 7)]), frequencies=SPREAD
    ),
}
STARTS = RNG.uniform(-np.pi, np.pi, (7, 30))


@pytest.mark.parametrize("name", MODELS)
def test_steps_are_those_of_replicas_that_step_together(name):
    model, times = MODELS[name], np.linspace(0.0, 30.0, 7)
    run = ip.simulate(model, STARTS, times=times)
    motion = Motion(model, 30)
    whole = DormandPrince(motion, STARTS, 30.0, 1e-8, GrowthLimit(motion, len(STARTS)))
    while np.any(whole.running):
        whole.advance()
        whole.next_stage()
    assert run.end_phase.values == pytest.approx(whole.phases, abs=1e-7)
    # a look at growth that finds nothing is left out where nothing can grow
    assert run.attrs["accepted_steps"] == pytest.approx(whole.accepted_steps, rel=0.02)
    fine = ip.simulate(model, STARTS, times=times, tolerance=1e-12)
    assert run.phase.values == pytest.approx(
        fine.phase.values, abs=3e-5 if name in ("repulsive", "signed graph") else 1e-6
    )


@pytest.mark.parametrize("name", MODELS)
def test_a_row_goes_the_same_way_in_any_group(name):
    model, times = MODELS[name], np.linspace(0.0, 20.0, 11)
    whole = ip.simulate(model, STARTS, times=times)
    for rows in ([0], [6], [3, 1, 5], [2, 4]):
        part = ip.simulate(model, STARTS[rows], times=times)
        assert np.array_equal(part.phase.values, whole.phase.values[:, rows])
    stopped = ip.simulate(model, STARTS, times=times, stop=lambda time, phases: False)
    assert np.array_equal(stopped.phase.values, whole.phase.values)
    assert stopped.attrs["accepted_steps"] == whole.attrs["accepted_steps"]


def test_the_numbers_do_not_depend_on_threads_nor_on_how_often_a_call_returns(monkeypatch):
    model, times = MODELS["all to all"], np.linspace(0.0, 20.0, 11)
    starts = RNG.uniform(-np.pi, np.pi, (200, 30))
    whole = ip.simulate(model, starts, times=times)
    before = nb.get_num_threads()
    try:
        nb.set_num_threads(1)
        serial = ip.simulate(model, starts, times=times)
    finally:
        nb.set_num_threads(before)
    monkeypatch.setattr(small, "AT_ONCE", 1)
    short = ip.simulate(model, starts, times=times)
    assert np.array_equal(serial.phase.values, whole.phase.values)
    assert np.array_equal(short.phase.values, whole.phase.values)


def test_conditions_end_rows_at_their_moment():
    model = MODELS["all to all"].replace(frequencies=0.0)

    def near(time, phases):
        return bool(abs(ip.order_parameter(phases)) > 0.99)

    run = ip.simulate(model, STARTS, t_end=30.0, stop=near, tolerance=1e-11)
    assert run.attrs["status"] == "stopped" and set(run.stopped_by.values) == {"near"}
    assert np.abs(ip.order_parameter(run.end_phase.values)) == pytest.approx(0.99, abs=1e-8)
    assert np.ptp(run.end_time.values) > 0.1
    ahead = run.time.values[:, None] > run.end_time.values
    held = np.where(ahead[..., None], run.end_phase.values, run.phase.values)
    assert np.array_equal(run.phase.values, held)


def test_runs_that_end_early_say_where():
    model = MODELS["all to all"]
    run = ip.simulate(model, STARTS, t_end=30.0, max_steps=20)
    assert run.attrs["status"] == "max_steps" and np.all(run.end_time < 30.0)
    assert run.attrs["accepted_steps"] + run.attrs["rejected_steps"] == 20 * len(STARTS)


def test_nothing_grows_where_all_attract():
    """Within the spread `calm`, no eigenvalue has a positive real part: so no look is needed."""
    for name in ("all to all", "two harmonics", "graph", "lag"):
        model = MODELS[name]
        system = small.small_systems(model, STARTS, 1.0, 1e-8)
        calm = float(system._own.calm[0])
        assert 0.1 < calm <= np.pi
        for _ in range(50):
            phases = RNG.uniform(0, calm, 30)
            rates = np.linalg.eigvals(model.jacobian(phases)).real
            assert rates.max() < 1e-12
    for name in ("repulsive", "signed graph", "triangles"):
        assert small.small_systems(MODELS[name], STARTS, 1.0, 1e-8)._own.calm[0] == 0.0


def test_what_does_not_fit_is_integrated_otherwise():
    assert small.small_systems(MODELS["graph"], STARTS, 1.0, 1e-8) is not None
    for other in (
        MODELS["graph"].replace(inertia=1.0),
        MODELS["graph"].replace(delays=0.1),
        ip.PhaseModel(ip.attention(2.0), gain="softmax"),
        ip.PhaseModel(ip.attention(40.0)),  # whose forces between far clusters need relative accuracy
        ip.PhaseModel(ip.kuramoto(), ip.Lagged(np.ones((30, 30)), 0.1)),
    ):
        assert small.small_systems(other, STARTS, 1.0, 1e-8) is None
