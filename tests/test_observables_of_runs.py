"""Observables of runs against direct sums, one frame and one pair at a time."""

import numpy as np
import pytest

import inphase as ip
from inphase import observables as ob

N, GROUPS = 8, np.array(["b", "a", "b", "c", "a", "c", "c", "b"])
GRAPH = ip.graphs.erdos_renyi(N, 0.4, seed=3)
MODEL = ip.PhaseModel(0.5 * ip.kuramoto(), ip.Sparse(GRAPH), frequencies=np.linspace(-1.0, 1.0, N))
STARTS = np.random.default_rng(0).uniform(-np.pi, np.pi, (3, N))
RUN = ip.simulate(MODEL, STARTS, t_end=20.0)
ONE = ip.simulate(MODEL, STARTS[0], t_end=20.0)
PHASE = RUN.phase.values  # (time, replica, oscillator)


def test_order_parameters_of_groups():
    found = ob.group_order_parameter(RUN, GROUPS)
    assert found.dims == ("time", "replica", "group") and found.group.values.tolist() == ["a", "b", "c"]
    for k, name in enumerate("abc"):
        direct = np.abs(np.exp(1j * PHASE[..., name == GROUPS]).mean(axis=-1))
        assert found.values[..., k] == pytest.approx(direct, abs=1e-14)
    whole = ob.group_order_parameter(ONE.phase, np.zeros(N, dtype=int))
    assert whole.values[:, 0] == pytest.approx(ONE.order_parameter.values, abs=1e-14)


def test_local_order_parameters():
    weights = GRAPH.matrix.toarray()
    weights[0] = 0.0  # hears nobody
    signed = weights * np.where(np.arange(N) % 2, -1.0, 2.0)
    for coupling in (signed, ip.Sparse(signed), ip.Dense(signed)):
        found = ob.local_order_parameter(RUN, coupling)
        assert found.dims == ("time", "replica", "oscillator") and np.all(np.isnan(found.values[..., 0]))
        for i in np.flatnonzero(np.abs(signed).sum(axis=1)):
            direct = np.abs(np.exp(1j * PHASE) @ np.abs(signed[i])) / np.abs(signed[i]).sum()
            assert found.values[..., i] == pytest.approx(direct, abs=1e-14)
    ring = ob.local_order_parameter(ONE, radius=2)
    for i in range(N):
        near = np.arange(i - 2, i + 3) % N
        assert ring.values[:, i] == pytest.approx(
            np.abs(np.exp(1j * PHASE[:, 0, near]).mean(axis=-1)), abs=1e-14
        )


def test_frequencies():
    exact = MODEL.velocity(PHASE)
    step = float(RUN.time[1])
    assert ob.instantaneous_frequency(RUN).values[1:-1] == pytest.approx(exact[1:-1], abs=2 * step**2)
    heavy = ip.simulate(MODEL.replace(inertia=1.0), STARTS[0], t_end=5.0)
    assert np.array_equal(ob.instantaneous_frequency(heavy).values, heavy.velocity.values)
    found = ob.effective_frequency(RUN, begin=5.0, end=15.0)
    first, last = np.flatnonzero((RUN.time.values >= 5.0) & (RUN.time.values <= 15.0))[[0, -1]]
    direct = (PHASE[last] - PHASE[first]) / (RUN.time.values[last] - RUN.time.values[first])
    assert found.dims == ("replica", "oscillator") and found.values == pytest.approx(direct, abs=1e-13)


def test_matrices_of_pairs():
    locking, connected = ob.phase_locking_value(RUN), ob.functional_connectivity(RUN)
    assert locking.dims == connected.dims == ("replica", "oscillator", "heard")
    for r in range(3):
        waves, signal = np.exp(1j * PHASE[:, r]), np.sin(PHASE[:, r])
        direct = np.abs(np.einsum("ti,tj->ij", waves, waves.conj())) / len(waves)
        assert locking.values[r] == pytest.approx(direct, abs=1e-13)
        assert connected.values[r] == pytest.approx(np.corrcoef(signal.T), abs=1e-12)
    still = ip.simulate(ip.PhaseModel(0 * ip.kuramoto(), frequencies=[0.0, 1.0]), [1.0, 0.0], t_end=10.0)
    assert np.isnan(ob.functional_connectivity(still).values[0]).all()


def test_how_coherence_changes():
    by_group = ob.group_order_parameter(RUN, GROUPS).values
    assert ob.metastability(RUN).values == pytest.approx(np.abs(np.exp(1j * PHASE).mean(axis=-1)).std(axis=0))
    assert ob.metastability(RUN, GROUPS).values == pytest.approx(by_group.std(axis=0))
    assert ob.chimera_index(RUN, GROUPS).values == pytest.approx(by_group.var(axis=-1, ddof=1).mean(axis=0))


def test_frames_beyond_the_end_of_a_replica_give_no_number():
    cut = RUN.copy(deep=True)
    cut.phase[-3:, 1] = np.nan
    for found in (ob.metastability(cut), ob.chimera_index(cut, GROUPS), ob.phase_locking_value(cut)):
        numbers = np.isnan(found.values.reshape(3, -1)).all(axis=1)
        assert numbers.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: ob.group_order_parameter(RUN, [0, 1]),
            "groups must name the group of each of 8 oscillators",
        ),
        (lambda: ob.group_order_parameter(STARTS, GROUPS), "run must be a Dataset of simulate"),
        (lambda: ob.local_order_parameter(RUN), "give either a coupling or the radius"),
        (lambda: ob.local_order_parameter(RUN, radius=4), "radius must be below n/2"),
        (lambda: ob.local_order_parameter(RUN, np.eye(3)), "coupling must be of 8 oscillators"),
        (lambda: ob.effective_frequency(RUN, begin=19.99), "two frames from begin to end"),
        (lambda: ob.metastability(RUN.isel(time=slice(1))), "at least 2 frames"),
        (lambda: ob.chimera_index(RUN, np.zeros(N)), "two groups or more"),
    ],
)
def test_what_does_not_fit(call, words):
    with pytest.raises(ValueError, match=words):
        call()
