"""Families: each row has, to the last bit, the numbers that its model has alone."""

import numpy as np
import pytest

import inphase as ip

RNG = np.random.default_rng(3)
N, ROWS = 12, 6
OMEGA = RNG.normal(0, 0.5, (ROWS, N))
STARTS = RNG.uniform(-np.pi, np.pi, (ROWS, N))
K = np.array([0.5, -1.0, 2.0, 2.0, 0.0, 3.0])
SIN = ip.PhaseModel(ip.kuramoto())
GRAPH = ip.Sparse(ip.graphs.erdos_renyi(N, 0.4, seed=2))
FAMILIES = {
    "K and frequencies": ip.family(SIN, K=K, frequencies=OMEGA),
    "one frequency of a row": ip.family(SIN, frequencies=OMEGA[:, 0]),
    "damping and field": ip.family(
        SIN.replace(frequencies=OMEGA[0]), damping=np.linspace(1, 2, ROWS), field=OMEGA
    ),
    "beta": ip.family(ip.PhaseModel(ip.attention(1.0), frequencies=OMEGA[1]), beta=np.linspace(0.1, 1, ROWS)),
    "beta, K": ip.family(ip.PhaseModel(ip.attention(1.0), GRAPH), beta=[0, 0.5, 0.5, 0.8, 0.9, 1], K=K),
    "lag": ip.family(
        ip.PhaseModel(ip.sakaguchi(0.1), GRAPH, frequencies=OMEGA[2]), lag=np.linspace(-0.3, 0.4, ROWS)
    ),
    "graph": ip.family(ip.PhaseModel(ip.kuramoto(), GRAPH), K=K, frequencies=OMEGA),
    "softmax": ip.family(ip.PhaseModel(ip.attention(2.0), gain="softmax"), beta=[1, 2, 3, 4, 5, 6]),
    "inertia": ip.family(SIN.replace(inertia=1.0), K=K, frequencies=OMEGA),
    "delays": ip.family(SIN, delays=np.linspace(0, 0.5, ROWS), K=K),
}
TOGETHER = ("K and frequencies", "one frequency of a row", "damping and field", "lag", "graph")


@pytest.mark.parametrize("name", FAMILIES)
def test_rows_are_single_runs_to_the_bit(name):
    models, times = FAMILIES[name], [0.0, 1.5, 4.0]
    run = ip.simulate(models, STARTS, times=times)
    assert (
        dict(run.sizes) == {"time": 3, "replica": ROWS, "oscillator": N} and run.attrs["status"] == "finished"
    )
    for row, model in enumerate(models):
        alone = ip.simulate(model, STARTS[row], times=times)
        assert np.array_equal(alone.phase.values, run.phase.values[:, row])
        assert alone.order_parameter.values == pytest.approx(run.order_parameter.values[:, row], abs=1e-15)
    part = ip.simulate(models[1:4], STARTS[1:4], times=times)
    assert np.array_equal(part.phase.values, run.phase.values[:, 1:4])
    for key, values in models.numbers.items():
        assert np.array_equal(run[key].values, values)


def test_rows_with_noise_and_constant_steps_are_single_runs_with_their_number():
    for models in (
        ip.family(SIN, noise=np.linspace(0.1, 0.3, ROWS), K=K),
        ip.family(SIN.replace(common_noise=0.1), K=K),
    ):
        run = ip.simulate(models, STARTS, t_end=1.0, step=0.05, seed=4, replicas=range(10, 10 + ROWS))
        for row, model in enumerate(models):
            alone = ip.simulate(
                model, STARTS[row : row + 1], t_end=1.0, step=0.05, seed=4, replicas=[10 + row]
            )
            assert np.array_equal(alone.phase.values[:, 0], run.phase.values[:, row])
        assert run.replica.values.tolist() == list(range(10, 16))
        assert run.attrs["accepted_steps"] == 20 * ROWS
    models = FAMILIES["K and frequencies"]
    run = ip.simulate(models, STARTS, t_end=1.0, step=0.1, method="rk4")
    alone = ip.simulate(models[5], STARTS[5], t_end=1.0, step=0.1, method="rk4")
    assert np.array_equal(alone.phase.values, run.phase.values[:, 5])


def test_those_that_fit_go_together(monkeypatch):
    from inphase.simulation import trajectory

    def alone(*arguments):
        raise AssertionError("one row after another")

    monkeypatch.setattr(trajectory, "_row_by_row", alone)
    for name in TOGETHER:
        ip.simulate(FAMILIES[name], STARTS[0], t_end=0.5)
    with pytest.raises(AssertionError, match="one row"):
        ip.simulate(FAMILIES["softmax"], STARTS[0], t_end=0.5)


def test_a_family_is_a_sequence_of_models():
    models = FAMILIES["beta, K"]
    assert len(models) == len(list(models)) == ROWS
    assert models[-1].interaction.parameters == {"beta": 1.0} and models[1].interaction(0.3) < 0
    assert models[0].velocity(STARTS[0]) == pytest.approx(
        ip.PhaseModel(0.5 * ip.attention(0.0), GRAPH).velocity(STARTS[0])
    )
    assert repr(models) == "Family(6 models that differ in beta, K)"
    with pytest.raises(IndexError):
        models[ROWS]


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"strength": [1.0]}, "numbers of a family must be among K, frequencies, .*; got 'strength'"),
        ({"K": [1.0, 2.0], "noise": [0.1]}, "one entry for each row; got 2 of K, 1 of noise"),
        ({"K": 1.0}, "needs numbers that differ"),
        ({"K": np.ones((2, 3))}, r"K must have shape \(rows,\); got shape \(2, 3\)"),
        ({"K": [1.0, np.nan]}, "K must be finite; got nan at index 1"),
        ({"noise": [0.1, -0.2]}, r"row 1 of the family \(noise\): noise must be"),
        ({"damping": [1.0, 0.0]}, r"row 1 of the family \(damping\): damping must be"),
        ({"K": []}, "the numbers must have one entry for each row"),
    ],
)
def test_numbers_that_are_none(numbers, words):
    with pytest.raises(ValueError, match=words):
        ip.family(SIN, **numbers)


def test_phases_that_do_not_fit():
    models = FAMILIES["graph"]
    with pytest.raises(
        ValueError, match=r"phases must have shape \(n,\) or \(6, n\), as many rows as models"
    ):
        ip.simulate(models, STARTS[:2], t_end=1.0)
    with pytest.raises(ValueError, match=r"frequencies has shape \(6, 12\), but phases have n = 5"):
        ip.simulate(FAMILIES["K and frequencies"], np.zeros(5), t_end=1.0)


def test_trees_of_replicas_are_those_of_single_runs():
    models = ip.family(ip.PhaseModel(ip.attention(1.0)), beta=[1.0, 9.0, 20.0, 0.5, 2.0, 4.0])
    trees = ip.coarsen(models, STARTS, t_end=1e3)
    assert trees.beta.values.tolist() == [1.0, 9.0, 20.0, 0.5, 2.0, 4.0] and trees.sizes["replica"] == ROWS
    for row, model in enumerate(models):
        tree = ip.coarsen(model, STARTS[row], t_end=1e3)
        mine = trees.isel(replica=row)
        assert str(mine.status.item()) == tree.attrs["status"] and mine.steps.item() == tree.attrs["steps"]
        for name, values in tree.data_vars.items():
            found = mine[name].values[tuple(slice(size) for size in values.shape)]
            assert np.array_equal(found, values.values), name
        events = tree.sizes["event"]
        assert np.all(np.isnan(mine.time.values[events:])) and np.all(mine.clusters.values[events:] == -1)
    assert len(set(trees.clusters_left.values.tolist())) > 1
    same = ip.coarsen(ip.PhaseModel(ip.attention(9.0)), STARTS[:2], t_end=1e3)
    assert np.array_equal(same.time.values[1, : np.isfinite(trees.time.values[1]).sum()],
                          trees.time.values[1][np.isfinite(trees.time.values[1])])  # fmt: skip


def test_a_family_goes_on():
    models = FAMILIES["K and frequencies"]
    first = ip.simulate(models, STARTS, t_end=2.0, tolerance=1e-12)
    second = ip.simulate(models, first, t_end=5.0)
    whole = ip.simulate(models, STARTS, times=[5.0], tolerance=1e-12)
    assert second.end_phase.values == pytest.approx(whole.end_phase.values, abs=1e-9)
    with pytest.raises(ValueError, match="a replica for each of 3 models"):
        ip.simulate(models[:3], first, t_end=5.0)
    models = FAMILIES["softmax"]
    with pytest.raises(ValueError, match="row by row cannot go on"):
        ip.simulate(models, ip.simulate(models, STARTS, t_end=0.5), t_end=1.0)
