"""The learnt coupling in NumPy: scores and normalizations
pair by pair, sums, both integrators, files and bad input.
"""

import copy
import dataclasses
import itertools
import json

import numpy as np
import pytest

import inphase as ip
import zoo
from inphase import equilibria
from inphase.coupling.dense import Dense
from inphase.coupling.learnt import coupling as learnt
from inphase.coupling.learnt import normalization, scores
from inphase.coupling.learnt.coupling import Learnt, load_network, save_network
from inphase.coupling.learnt.network import PairNetwork
from inphase.coupling.learnt.normalization import Normalization

PLAIN = {
    "leaky_relu": lambda z: z if z > 0 else 0.01 * z,
    "relu": lambda z: max(z, 0.0),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "tanh": np.tanh,
}


def network(features=2, hidden=(5, 4), activation="leaky_relu", seed=0):
    rng = np.random.default_rng(seed)

    def each(make):
        return [make(h) for h in hidden]

    return PairNetwork(
        rng.normal(size=(features, hidden[0])),
        rng.normal(size=(features, hidden[0])),
        [rng.normal(size=pair) for pair in itertools.pairwise(hidden)],
        each(lambda h: rng.uniform(0.5, 1.5, h)),
        each(lambda h: rng.normal(size=h)),
        each(lambda h: rng.normal(size=h)),
        each(lambda h: rng.uniform(0.5, 1.5, h)),
        rng.normal(size=hidden[-1]),
        activation,
    )


def score(net, x, y):
    """The network on one pair, as it is defined: linear, batch normalization, activation, ..., linear."""
    matrices = [np.concatenate([net.own, net.other]), *net.weights]
    h = np.concatenate([x, y])
    for k, matrix in enumerate(matrices):
        z = h @ matrix
        z = (z - net.means[k]) / np.sqrt(net.variances[k] + 1e-5) * net.scales[k] + net.shifts[k]
        h = np.array([PLAIN[net.activation](value) for value in z])
    return h @ net.out


def features(n, m=2, seed=1):
    return np.random.default_rng(seed).normal(size=(n, m))


@pytest.mark.parametrize("activation", PLAIN)
@pytest.mark.parametrize("hidden", [(6,), (5, 4), (3, 5, 4)])
def test_scores_pair_by_pair(activation, hidden, monkeypatch):
    net, x, y = network(3, hidden, activation), features(7, 3), features(5, 3, seed=2)
    expected = np.array([[score(net, a, b) for b in y] for a in x])
    monkeypatch.setattr(scores, "PAIRS", 3)
    blocked = net.scores(x, y)
    monkeypatch.undo()
    assert np.allclose(net.scores(x, y), expected, rtol=1e-12, atol=1e-12)
    assert np.allclose(blocked, expected, rtol=1e-12, atol=1e-12)
    assert np.allclose(net.scores(x, y, dtype=np.float32), expected, rtol=1e-4, atol=1e-4)
    assert net.scores(x, y, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize("kind", ["degree", "row-l2", "row-l1", "none"])
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("trained_size", [None, 4])
def test_normalizations_by_their_definition(kind, symmetric, trained_size):
    n, degree = 9, 1.5
    scores = np.random.default_rng(3).normal(size=(n, n))
    expected = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            s = scores[i, j]
            time = np.sqrt(n / (trained_size or n))  # a row's sums grow as sqrt(n): the rescaled time
            expected[i, j] = {
                "degree": n * np.exp(s) / np.exp(scores).sum(),
                "row-l2": s / np.sqrt((scores[i] ** 2).sum()) / n * time,
                "row-l1": s / np.abs(scores[i]).sum(),
                "none": s / n,
            }[kind] * degree
    if symmetric:
        expected = (expected + expected.T) / 2
    found = Normalization(kind, symmetric, degree, trained_size).apply(scores.copy())
    assert np.allclose(found, expected, rtol=1e-13, atol=0)


def test_what_normalizations_keep_fixed():
    scores = np.random.default_rng(4).normal(size=(30, 30)) * 5
    degree = Normalization("degree").apply(scores.copy())
    assert degree.min() > 0 and degree.sum() == pytest.approx(30, rel=1e-13)
    assert np.array_equal(degree, degree.T)
    assert np.allclose(
        np.abs(Normalization("row-l1", symmetric=False).apply(scores.copy())).sum(axis=1), 1, rtol=1e-13
    )
    shifted = Normalization("degree").apply(scores + 1e4)  # a softmax: no overflow, and a constant cancels
    assert np.allclose(shifted, degree, rtol=1e-10)


def test_symmetrized_across_blocks():
    matrix = np.random.default_rng(5).normal(size=(1100, 1100))
    expected = (matrix + matrix.T) / 2
    assert np.array_equal(normalization.symmetrized(matrix), expected)


# ---------------------------------------------------------------------------------------------- as a coupling


@pytest.mark.parametrize(
    "name", ["kuramoto", "sakaguchi", "harmonics", "with a mean", "even", "attention(25)"]
)
@pytest.mark.parametrize("kind", ["degree", "row-l2"])
def test_velocity_against_the_double_sum(name, kind):
    n, rng = 9, np.random.default_rng(6)
    coupling = Learnt(network(), features(n), kind)
    parts = {"frequencies": rng.normal(size=n), "field": rng.normal(size=n)}
    model, phases = ip.PhaseModel(zoo.interaction(name), coupling, **parts), rng.uniform(-9, 9, n)
    assert np.max(np.abs(model.velocity(phases) - zoo.velocity(model, phases))) < 1e-12 * (
        1 + zoo.scale(model, n)
    )
    step = 1e-6 * np.eye(n)
    slopes = (model.velocity(phases + step) - model.velocity(phases - step)).T / 2e-6
    assert np.allclose(model.jacobian(phases), slopes, atol=1e-7 * (1 + zoo.scale(model, n)))


def test_sums_as_dense_with_sources_and_replicas():
    n, rng = 12, np.random.default_rng(7)
    coupling = Learnt(network(), features(n), Normalization("row-l2", symmetric=False))
    dense, f = Dense(coupling.matrix(n)), [zoo.interaction("harmonics"), zoo.interaction("with a mean")]
    phases, sources = rng.uniform(0, 6, (2, 3, n))
    assert np.allclose(
        coupling.forces(f, phases, sources=sources),
        dense.forces(f, phases, sources=sources),
        rtol=1e-13,
        atol=1e-14,
    )
    single = Learnt(network(), features(n), Normalization("row-l2", symmetric=False), precision="float32")
    assert single.array.dtype == np.float32
    assert np.allclose(single.forces(f, phases), dense.forces(f, phases), atol=1e-5)
    assert coupling.mean_strength(n) == pytest.approx(dense.mean_strength(n), rel=1e-13)


def test_signs_and_symmetry():
    n = 10
    positive, signed = (Learnt(network(), features(n), kind) for kind in ("degree", "row-l1"))
    assert positive.positive and not signed.positive
    assert positive.symmetric and not Learnt(network(), features(n), Normalization("degree", False)).symmetric
    assert ip.PhaseModel(ip.attention(2.0), positive, gain="softmax").velocity(np.zeros(n)) == pytest.approx(
        np.zeros(n)
    )


@pytest.mark.long
def test_simulate_equilibria_and_sums_of_couplings():
    n = 8
    coupling = Learnt(network(), features(n), "degree")
    model = ip.PhaseModel(ip.kuramoto(), coupling, frequencies=0.1 * features(n)[:, 0])
    plain = model.replace(coupling=Dense(coupling.matrix(n)))
    start = np.linspace(0, 1, n)
    mine, other = (ip.simulate(m, start, t_end=20.0).phase.values for m in (model, plain))
    assert np.allclose(mine, other, atol=1e-9)
    states = equilibria.find(model, n, starts=5)
    assert len(states) and all(np.ptp(model.velocity(state.phases)) < 1e-9 for state in states)
    both = 0.5 * coupling + ip.AllToAll()
    assert np.allclose(both.matrix(n), 0.5 * coupling.matrix(n) + 1 / n)


# ------------------------------------------------------------------------------------------------------ files


def test_save_and_load(tmp_path):
    x = features(6)
    before = Learnt(network(), x, Normalization("row-l2", trained_size=3))
    path = before.save(tmp_path / "net.npz", seed=5)
    after = Learnt.load(path, x)
    assert np.array_equal(before.matrix(6), after.matrix(6))
    assert after.normalization == before.normalization
    _, _, about = load_network(path)
    assert about["seed"] == 5 and about["inphase_version"] == ip.__version__
    assert before.to_dict() == after.to_dict() and json.dumps(before.to_dict())
    with pytest.raises(
        ValueError, match="features must have 2 columns, as the network was trained with; got 3"
    ):
        Learnt.load(path, features(6, 3))


@pytest.mark.parametrize("kept", [0, 10, 0.3, 0.7, 0.99])
def test_a_truncated_file(tmp_path, kept):
    path = save_network(tmp_path / "net.npz", network(), Normalization())
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(ValueError, match=r"net\.npz is truncated, or no file of inphase"):
        load_network(path)


def test_files_that_are_something_else(tmp_path):
    with pytest.raises(OSError, match=r"missing\.npz"):
        load_network(tmp_path / "missing.npz")
    path = tmp_path / "net.npz"
    np.savez(path, a=np.ones(3))
    with pytest.raises(ValueError, match="no file of inphase"):
        load_network(path)
    path.write_text("{}")
    with pytest.raises(ValueError, match="no file of inphase"):
        load_network(path)
    np.savez(path, about=np.array({"a": 1}, dtype=object))  # a pickle
    with pytest.raises(ValueError, match="no file of inphase"):
        load_network(path)
    arrays = network().arrays()
    about = {"format": 1, "activation": "relu", "normalization": {"kind": "degree"}}
    for change, message in (
        (lambda a, b: a.pop("weights.0"), "'weights.0' is missing"),
        (lambda a, b: a.__setitem__("own", a["own"][:, :2]), "must have shape"),
        (lambda a, b: a["out"].__setitem__(0, np.nan), "out must be finite"),
        (lambda a, b: b.update(format=7), "has the format 7"),
        (lambda a, b: b.pop("activation"), "lacks 'activation'"),
        (lambda a, b: b["normalization"].update(kind="row-l7"), "normalization must be one of"),
    ):
        numbers, text = copy.deepcopy(arrays), copy.deepcopy(about)
        change(numbers, text)
        learnt.save_arrays(path, numbers, text)
        with pytest.raises(ValueError, match=message):
            load_network(path)


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = save_network(tmp_path / "net.npz", network(), Normalization())
    content = path.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(learnt.np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        save_network(path, network(seed=1), Normalization())
    assert path.read_bytes() == content and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: Learnt(network(), [[0.0, np.nan]]),
            ValueError,
            r"features must be finite; got nan at index \(0, 1\)",
        ),
        (lambda: Learnt(network(), np.zeros((3, 1))), ValueError, "features must have 2 columns"),
        (lambda: Learnt(network(), np.zeros(3)), ValueError, r"features must have shape \(n, m\)"),
        (lambda: Learnt(network(), np.zeros((0, 2))), ValueError, r"features must have shape \(n, m\)"),
        (
            lambda: Learnt(network(), features(3), "softmax"),
            ValueError,
            "normalization must be one of degree, row-l2",
        ),
        (lambda: Learnt(network(), features(3), precision="half"), ValueError, "precision must be one of"),
        (lambda: Learnt("net.npz", features(3)), TypeError, "network must be a PairNetwork"),
        (lambda: network(activation="swish"), ValueError, "activation must be one of leaky_relu"),
        (lambda: Normalization(degree=0.0), ValueError, "degree must be a positive"),
        (lambda: Normalization(symmetric="yes"), TypeError, "symmetric must be True or False"),
        (lambda: Learnt(network(), features(3)).matrix(4), ValueError, "phases have 4 oscillators"),
        (
            lambda: ip.PhaseModel(ip.kuramoto(), Learnt(network(), features(3)), field=[1.0, 2.0]),
            ValueError,
            "for 3",
        ),
    ],
)
def test_bad_input(make, error, message, as_a_user):
    with pytest.raises(error, match=message):
        make()


def test_variances_are_not_negative():
    net = network()
    net.variances[0][1] = -0.5
    with pytest.raises(ValueError, match=r"variances must be >= 0; got -0\.5"):
        dataclasses.replace(net)
