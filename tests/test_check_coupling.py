"""Every coupling × every verb: none is refused that the documents promise."""

import numpy as np
import pytest

import inphase as ip
from inphase.coupling.learnt import LearntLowRank, Normalization, PairNetwork
from inphase.testing import CHECKS, check_coupling

RNG = np.random.default_rng(3)
SQUARE = np.round(RNG.uniform(-0.5, 1.0, (6, 6)), 4)
TALL = np.round(RNG.normal(size=(6, 2)), 4)
TRIADS = [(0, 1, 2), (2, 3, 4), (5, 0, 3)]


def network(lags=False):
    rng = np.random.default_rng(0)
    one = [np.ones(3)]
    out = rng.normal(size=(3, 2)) if lags else rng.normal(size=3)
    return PairNetwork(rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), [], one, one, one, one, out, "silu")


FEATURES = RNG.normal(size=(6, 2))

COUPLINGS = {
    "all-to-all": lambda: ip.AllToAll(),
    "weights": lambda: ip.AllToAll(np.arange(1.0, 7.0) / 21),
    "rank one": lambda: ip.RankOne(np.linspace(0.5, 1.5, 6), np.linspace(1, 0.2, 6) / 6),
    "low rank": lambda: ip.LowRank(TALL, TALL[::-1].copy()),
    "dense": lambda: ip.Dense(SQUARE),
    "symmetric": lambda: ip.Dense(SQUARE + SQUARE.T),
    "sparse": lambda: ip.Sparse(SQUARE * (np.abs(SQUARE) > 0.4)),
    "graph": lambda: ip.Sparse(ip.graphs.ring(6)),
    "ring": lambda: ip.Ring(2, [1.0, 0.5, 0.3, 0.2]),
    "nonlocal ring": lambda: ip.Ring.from_kernel(lambda x: (1 + 0.9 * np.cos(x)) / (2 * np.pi), 6),
    "lattice": lambda: ip.Lattice((2, 3), periodic=(False, True), weights=(1.0, 0.5)),
    "causal": lambda: ip.Causal(),
    "causal, signed": lambda: ip.Causal(np.cos(np.arange(6.0)), normalized=False),
    "lagged": lambda: ip.Lagged(SQUARE, np.round(RNG.uniform(-1, 1, (6, 6)), 4)),
    "lagged by 0": lambda: ip.Lagged(SQUARE, 0.0),
    "lagged, single": lambda: ip.Lagged(SQUARE, 0.3, "float32"),
    "learnt": lambda: ip.Learnt(network(), FEATURES, "row-l1"),
    "learnt lags": lambda: ip.Learnt(network(lags=True), FEATURES, "degree"),
    "hypergraph": lambda: ip.Hypergraph(TRIADS),
    "hypergraph, product": lambda: ip.Hypergraph(TRIADS, "j+k-2i", weights=[0.5, 1.0, -0.3]),
    "hypergraph, directed": lambda: ip.Hypergraph(TRIADS, directed=True),
    "all triads": lambda: ip.AllTriads(),
    "all triads, product": lambda: ip.AllTriads("j+k-2i", np.arange(1.0, 7.0) / 21),
    "pairs and triads": lambda: 0.5 * ip.Sparse(ip.graphs.ring(6)) + ip.AllTriads(),
    "lags and pairs": lambda: 0.5 * ip.Lagged(SQUARE, 0.4) + ip.Dense(SQUARE),
    "mean fields": lambda: 2 * ip.AllToAll() - 0.5 * ip.RankOne(np.arange(6.0), np.ones(6) / 6),
    "equal fields": lambda: 2 * ip.AllToAll() + ip.AllToAll(np.arange(1.0, 7.0) / 21),
    "scaled": lambda: -0.5 * ip.Ring(1),
}


@pytest.mark.parametrize("name", COUPLINGS)
def test_every_verb_on_every_coupling(name):
    coupling = COUPLINGS[name]()
    made = set(check_coupling(coupling, 6))
    known = coupling.facts(6)
    left = {
        "pairs": not known.pairs,
        "delays of pairs": not known.pairs,
        "low rank": not known.factors,
        "softmax": not coupling.positive,
        "coarsen": not known.common,
        "toml": name.startswith("learnt"),
    }
    assert set(CHECKS) - made == {verb for verb, out in left.items() if out}


def test_low_rank_of_a_learnt_coupling():
    found = {
        "error": 1e-3,
        "standard_error": 1e-4,
        "worst_row": 0.0,
        "scale_error": 0.0,
        "rows": 6,
        "pairs": 36,
    }
    coupling = LearntLowRank(TALL, TALL, Normalization("row-l1"), 1e-3, found)
    assert "low rank" in check_coupling(coupling, 6)


class Wrong(ip.Dense):
    """Sums that are not those of its terms."""

    def forces(self, functions, phases, out=None, sources=None):
        return [1.001 * values for values in super().forces(functions, phases, out, sources)]


class Deaf(ip.Dense):
    """It hears the present where it should hear the past."""

    def forces(self, functions, phases, out=None, sources=None):
        return super().forces(functions, phases, out)


class Symmetric(ip.Dense):
    """A claim that does not hold."""

    symmetric = True


def test_a_coupling_that_does_not_keep_its_word_is_found():
    with pytest.raises(AssertionError, match=r"field: .*differs by"):
        check_coupling(Wrong(SQUARE))
    with pytest.raises(AssertionError, match=r"delays: .*differs by"):
        check_coupling(Deaf(SQUARE), verbs=["delays"])
    with pytest.raises(AssertionError, match=r"energy: .*differs by"):
        check_coupling(Symmetric(SQUARE), verbs=["energy"])


class Halved(ip.Coupling):
    """A user's coupling, by the abstract methods alone: everybody hears the next one at half strength."""

    size = 5
    positive = True

    def matrix(self, n):
        return 0.5 * np.roll(np.eye(5), 1, axis=1)

    def forces(self, functions, phases, out=None, sources=None):
        heard = np.roll(phases if sources is None else sources, -1, axis=-1)
        found = [0.5 * f(phases - heard) for f in functions]
        if out is None:
            return found
        for target, values in zip(out, found):
            target[...] = values
        return list(out)

    def to_dict(self):
        return {"kind": "Halved"}


def test_a_users_coupling():
    made = check_coupling(Halved(), verbs=[verb for verb in CHECKS if verb not in ("study", "toml")])
    assert {"field", "delays of pairs", "jacobian", "softmax", "equilibria", "lyapunov"} <= set(made)


def test_the_former_name_of_forces_warns_and_works():
    phases = RNG.uniform(0, 6, 6)
    with pytest.warns(DeprecationWarning, match="now called forces"):
        assert np.array_equal(
            ip.Dense(SQUARE).sums([ip.kuramoto()], phases), ip.Dense(SQUARE).forces([ip.kuramoto()], phases)
        )
    with pytest.warns(DeprecationWarning, match="now called forces"):

        class Former(ip.Coupling):
            size, positive = 5, True
            matrix, sums, to_dict = Halved.matrix, Halved.forces, Halved.to_dict

    check_coupling(Former(), verbs=["field"])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["x"], TypeError, "coupling must be a Coupling"),
        ([ip.AllToAll(), None, "bogus"], ValueError, "verbs must be one of field, pairs"),
        ([ip.AllToAll(), 0], ValueError, "n must be an integer >= 1"),
        ([ip.Dense(SQUARE), 3], ValueError, "3 oscillators, but the coupling Dense is for 6"),
    ],
)
def test_nonsense_is_refused_at_the_door(arguments, error, message):
    with pytest.raises(error, match=message):
        check_coupling(*arguments)


def test_a_number_of_oscillators_is_found():
    assert check_coupling(ip.Ring(5), verbs="field") == ["field"]


@pytest.mark.parametrize(
    "coupling",
    [
        ip.Sparse(np.zeros((3, 3))),
        ip.RankOne([2.0], [-1.0]),
        -2 * ip.Lagged(SQUARE, 0.1, "float32") + ip.AllTriads(),
    ],
    ids=repr,
)
def test_couplings_at_the_edge(coupling):
    verbs = [verb for verb in CHECKS if verb not in ("study", "lyapunov")]
    assert "field" in check_coupling(coupling, verbs=verbs)


def test_a_former_subclass_may_call_the_former_method_of_its_base():
    with pytest.warns(DeprecationWarning, match="now called forces"):

        class Doubled(ip.Dense):
            def sums(self, *arguments, **options):
                return [2 * values for values in super().sums(*arguments, **options)]

    phases = np.arange(6.0)
    with pytest.warns(DeprecationWarning, match="now called forces"):
        found = Doubled(SQUARE).forces([ip.kuramoto()], phases)[0]
    assert np.allclose(found, 2 * ip.Dense(SQUARE).forces([ip.kuramoto()], phases)[0])
