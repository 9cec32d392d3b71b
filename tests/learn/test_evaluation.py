"""`evaluate`: all pairs or low rank, every method of training,
and the fast sums over pairs that large networks need.
"""

import numpy as np
import pytest

import inphase as ip
from inphase.coupling.learnt.network import PairNetwork
from inphase.coupling.learnt.scores import PAIRS, pair_scores
from inphase.kernels.product import thin_product
from inphase.simulation.fixed import FixedStep

learn = pytest.importorskip("inphase.learn", exc_type=ImportError)

SHORT = {"nodes": 20, "samples": 40, "epochs": 1, "hidden": (12, 9), "burn_in": 5, "window": 5}


def spread(name, strength=8.0, seed=0, **changes):
    """An untrained network whose scores differ by a few units, as trained ones do."""
    found = learn.untrained(learn.problem(name, **(SHORT | changes)), seed)
    arrays = found.network.arrays()
    network = PairNetwork.from_arrays(arrays | {"out": strength * arrays["out"]}, found.settings.activation)
    found.starts[0].network = network
    return found


# ---------------------------------------------------------------------------------------- all pairs, low rank


@pytest.mark.parametrize("name", ["case-1", "gmm-3"])
def test_low_rank_against_all_pairs(name):
    found = spread(name)
    options = {"graphs": 2, "burn_in": 20, "window": 5}
    exact, low = (learn.evaluate(found, 400, pairs=pairs, **options) for pairs in ("all", "low-rank"))
    assert exact.attrs["pairs"] == "all" and "rank" not in exact.attrs
    about = low.attrs
    assert about["pairs"] == "low-rank" and about["tolerance_reached"] == 1 and 1 <= about["rank"] < 200
    assert (
        0 < about["coupling_error"] <= 3e-3 and 0 < about["coupling_standard_error"] < about["coupling_error"]
    )
    assert np.allclose(low.variance, exact.variance, atol=5e-3) and not np.array_equal(
        low.variance, exact.variance
    )
    assert np.ptp(exact.variance.values) > 0 and np.allclose(low.loss, exact.loss, atol=5e-3)


@pytest.mark.filterwarnings("ignore:the coupling's error")  # so few nodes are no case for low rank
def test_which_pairs_are_taken(monkeypatch, tmp_path):
    found = spread("case-1")
    options = {"graphs": 1, "burn_in": 2, "window": 2}
    monkeypatch.setattr(learn.evaluation, "EXACT_UP_TO", 30)
    small, large = (learn.evaluate(found, n, **options) for n in (30, 31))
    assert (small.attrs["pairs"], large.attrs["pairs"]) == ("all", "low-rank")
    assert learn.evaluate(found, 31, pairs="all", **options).attrs["pairs"] == "all"
    assert learn.evaluate(found, 30, pairs="low-rank", **options).attrs["pairs"] == "low-rank"
    large.to_netcdf(tmp_path / "large.nc", engine="h5netcdf")  # attributes are of kinds that files keep
    given = learn.evaluate(found, 31, coupling=lambda *_: ip.AllToAll(), **options)
    assert given.attrs["pairs"] == "given"
    given = learn.evaluate(found, 31, coupling=learn.factorize, **options)
    assert given.attrs == large.attrs and np.array_equal(given.final_phase, large.final_phase)


def test_phase_lags_take_all_pairs(monkeypatch):
    found = spread("case-1")
    arrays = found.network.arrays()
    lagged = np.stack([arrays["out"], np.zeros_like(arrays["out"])], axis=1)
    found.starts[0].network = PairNetwork.from_arrays(arrays | {"out": lagged}, found.settings.activation)
    monkeypatch.setattr(learn.evaluation, "EXACT_UP_TO", 10)
    plain = learn.evaluate(spread("case-1"), graphs=1, burn_in=5, pairs="all")
    turned = learn.evaluate(found, graphs=1, burn_in=5)
    assert turned.attrs["pairs"] == "all" and np.allclose(turned.final_phase, plain.final_phase, atol=1e-12)
    with pytest.raises(ValueError, match="phase lags have no low-rank operator"):
        learn.evaluate(found, graphs=1, pairs="low-rank")


def test_phases_after_steps(monkeypatch):
    """As one step after the other; a run that was interrupted is none."""
    task = learn.problem("case-1", nodes=6, step=0.3)
    model = task.draw("test", 6).model(ip.Dense(np.ones((6, 6))), task.settings)
    phases_after = learn.evaluation.phases_after
    for method in ("euler", "rk4"):
        settings, rows = task.settings.replace(method=method), [np.arange(6.0)]
        for _ in range(5):
            rows.append(phases_after(model, rows[-1], settings, [1])[0])
        assert np.allclose(
            phases_after(model, rows[0], settings, [0, 2, 5]), np.array(rows)[[0, 2, 5]], rtol=1e-12
        )
        assert np.min(np.abs(rows[2] - rows[5])) > 1e-3

    def interrupted(self, *given):
        raise KeyboardInterrupt

    monkeypatch.setattr(FixedStep, "advance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        phases_after(model, rows[0], task.settings, [5])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pairs": "some"}, "pairs must be one of auto, all, low-rank; got 'some'"),
        ({"pairs": "all", "coupling": learn.factorize}, "give either pairs or coupling; got pairs = 'all'"),
        ({"n": 5, "pairs": "low-rank"}, "at least 10 nodes"),
        ({"burn_in": -1}, "burn_in must be an integer >= 0"),
        (
            {"problem": learn.problem("case-2")},
            "features must have 1 columns, as the network was trained with; got 2",
        ),
        ({"split": "all"}, "split must be one of"),
    ],
)
def test_bad_arguments(given, said):
    with pytest.raises(ValueError, match=said):
        learn.evaluate(spread("case-1"), **given)


# ---------------------------------------------------------------------------------------------------- methods


@pytest.mark.parametrize("name", ["case-2", "gmm-3"])
@pytest.mark.parametrize("method", ["euler", "heun", "midpoint", "rk4"])
def test_the_steps_of_training(name, method):
    """Against the traced dynamics of training in double precision, step by step."""
    from inphase.learn import dynamics
    from inphase.learn.training import initial_phases, precision

    found = spread(name, method=method, step=0.3)
    settings, window = found.settings, 6
    data = learn.evaluate(found, graphs=1, burn_in=4, window=window, seed=3)
    nodes = found.problem.draw("test", 20, 3)
    K = found.coupling(nodes.features).matrix(20)
    start = initial_phases(settings.start, (20,), np.random.default_rng([3, 0, 3]))
    with precision("float64"):
        scheme = dynamics.scheme(settings.interaction, settings.step, method)
        parts = dynamics.Parts(nodes.frequencies, nodes.field, nodes.delay_steps)
        phases = np.array(dynamics.trajectory(K, start[None], parts, scheme, 4 + window))
    assert np.allclose(np.exp(1j * data.final_phase[0]), np.exp(1j * phases[-1]), rtol=0, atol=1e-10)
    V = 1 - np.abs(np.exp(1j * phases[4:]).mean(axis=1)).mean()
    assert float(data.variance[0]) == pytest.approx(V, abs=1e-11) and np.ptp(phases[:, 0]) > 1e-3


@pytest.mark.parametrize("method", ["midpoint", "rk4"])
def test_delays_need_steps_that_lie_on_steps(method):
    found = learn.untrained(learn.problem("case-3", **SHORT | {"method": method}))
    with pytest.raises(ValueError, match=f"with delays, method must be one of euler, heun; got '{method}'"):
        learn.evaluate(found, graphs=1)


# -------------------------------------------------------------------------------------------------- fast sums


def direct(own, other, deeper, out, act):
    """Pair by pair."""
    found = np.empty((len(own), len(other), *out.shape[1:]))
    for i, j in np.ndindex(len(own), len(other)):
        h = act(own[i] + other[j])
        for W, d in deeper:
            h = act(h @ W + d)
        found[i, j] = h @ out
    return found


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (2, PAIRS + 5), (40, 30)])
@pytest.mark.parametrize("outputs", [(), (2,)])
@pytest.mark.parametrize("activation", ["slope", "relu", "tanh"])
def test_scores_of_pairs(shape, outputs, activation):
    rng = np.random.default_rng(1)
    own, other = rng.normal(size=(shape[0], 6)), rng.normal(size=(shape[1], 6))
    deeper = [(rng.normal(size=(6, 5)), rng.normal(size=5)), (rng.normal(size=(5, 4)), rng.normal(size=4))]
    out = rng.normal(size=(4, *outputs))
    act = {
        "slope": lambda z: np.where(z > 0, z, 0.2 * z),
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
    }[activation]
    given = {"slope": 0.2, "relu": 0.0, "tanh": lambda z, spare: np.tanh(z, out=z)}[activation]
    found = pair_scores(own, other, deeper, out, given)
    assert np.allclose(found, direct(own, other, deeper, out, act), rtol=1e-12, atol=1e-12)
    single = pair_scores(
        *(a.astype(np.float32) for a in (own, other)),
        [(W.astype(np.float32), d.astype(np.float32)) for W, d in deeper],
        out.astype(np.float32),
        given,
    )
    assert single.dtype == np.float32 and np.allclose(single, found, atol=1e-4)


def test_threads_change_no_score(monkeypatch):
    """As many pairs as more than one thread shares; and the parts of the result are all there."""
    from inphase.coupling.learnt import scores as module

    rng = np.random.default_rng(2)
    own, other = rng.normal(size=(330, 5)), rng.normal(size=(700, 5))
    deeper, out = [(rng.normal(size=(5, 5)), rng.normal(size=5))], rng.normal(size=5)
    runs = []
    for workers in (1, 3):
        monkeypatch.setattr(module.numba, "get_num_threads", lambda workers=workers: workers)
        runs.append(pair_scores(own, other, deeper, out, 0.01))
    assert own.shape[0] * other.shape[0] > module.THREADS_FROM and np.array_equal(*runs)
    some = pair_scores(own[300:], other[:50], deeper, out, 0.01)
    assert np.allclose(runs[0][300:, :50], some, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("columns", [2, 4])
def test_thin_products(columns):
    rng = np.random.default_rng(3)
    for rows, n in ((1, 3), (7, 1500), (300, 2050)):
        matrix, waves = rng.normal(size=(rows, n)).astype(np.float32), rng.normal(size=(n, columns))
        exact = matrix.astype(float) @ waves.astype(np.float32).astype(float)
        found = thin_product(matrix, waves)
        assert found.dtype == float
        assert np.all(np.abs(found - exact) <= 1e-6 * (np.abs(matrix) @ np.abs(waves)))
