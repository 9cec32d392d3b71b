"""Couplings on networks: against the double sum, against each other, their Jacobians, and bad input."""

import json

import networkx as nx
import numpy as np
import pytest
from scipy import sparse

import inphase as ip
import zoo
from inphase.coupling import Causal, Dense, Lattice, Ring, Sparse, summing
from inphase.coupling import sparse as networks
from inphase.kernels import graph as kernel
from test_model import central_differences, over, start

CASES = list(zoo.networks())


def double_sum(K, f, phases, sources):
    return (K * f(phases[:, None] - sources[None, :])).sum(axis=1)


def bound(K, f):
    """max|f| Σ_j |K_ij| in 1e-12."""
    return 1e-12 * (1e-30 + f.maximum * np.max(np.abs(K).sum(axis=1)))


# ------------------------------------------------------------------------------------------------ double sums


@over(CASES)
def test_velocity_is_the_double_sum(f, coupling, gain):
    for n in (9, 18):
        model, phases = zoo.model(f, coupling, gain, n), start(n)
        assert model.velocity(phases) == pytest.approx(
            zoo.velocity(model, phases), abs=1e-12 * zoo.scale(model, n), rel=0
        )


@over(CASES)
def test_leading_axes_are_replicas(f, coupling, gain):
    model, phases = zoo.model(f, coupling, gain, 9), start(54).reshape(2, 3, 9)
    together = model.velocity(phases)
    assert together.shape == (2, 3, 9)
    for i in np.ndindex(2, 3):
        assert np.array_equal(together[i], model.velocity(phases[i]))


@pytest.mark.parametrize("coupling", zoo.NETWORKS)
@pytest.mark.parametrize("way", ["chosen", "by modes", "by edges"])
def test_sums_of_delayed_phases_are_double_sums(coupling, way, monkeypatch):
    """Several functions at once, two replicas, sources that
    are not the phases, and results into arrays that are there.
    """
    n = 18
    K, phases = zoo.NETWORKS[coupling](n), start(2 * n).reshape(2, n)
    sources = start(2 * n, seed=1).reshape(2, n)
    for names in (
        ("kuramoto",),
        ("sakaguchi", "harmonics"),
        ("attention(25)", "with a mean", "odd harmonics"),
    ):
        functions = [zoo.interaction(name) for name in names]
        if way != "chosen":
            monkeypatch.setattr(summing, "PAIRS_UP_TO", 0 if way == "by modes" else 1000)
            forced = summing.plan(tuple(functions))._replace(by_edges=way == "by edges")
            monkeypatch.setattr(networks, "plan", lambda _, forced=forced: forced)
        for heard in (None, sources):
            found = K.forces(functions, phases, sources=heard)
            out = [np.full((2, n), np.nan) for _ in functions]
            K.forces(functions, phases, out=out, sources=heard)
            for f, sums, written in zip(functions, found, out):
                assert np.array_equal(sums, written)
                for replica in range(2):
                    exact = double_sum(
                        K.matrix(n), f, phases[replica], (phases if heard is None else heard)[replica]
                    )
                    assert sums[replica] == pytest.approx(exact, abs=bound(K.matrix(n), f), rel=0)
        monkeypatch.undo()


@pytest.mark.parametrize("f", ["kuramoto", "harmonics", "attention(2)", "attention(25)"])
@pytest.mark.parametrize("n", [511, 512, 513, 1300])
def test_large_networks_agree_with_their_dense_double_sum(f, n):
    f, phases, rng = zoo.interaction(f), start(n), np.random.default_rng(n)
    couplings = [
        Sparse(sparse.random_array((n, n), density=0.02, rng=rng) + sparse.diags_array(rng.normal(size=n))),
        Sparse(nx.star_graph(n - 1)),
        Dense(rng.normal(size=(n, n))),
        Ring(2),
        Ring(150, rng.normal(size=300)),
        Ring.from_kernel(lambda x: np.exp(np.cos(x - 0.5)), n),
        Causal(),
        Causal(rng.normal(size=n), normalized=False),
    ]
    for K in couplings:
        matrix = K.matrix(n)
        exact = double_sum(matrix, f, phases, phases)
        (found,) = K.forces([f], phases)
        assert found == pytest.approx(exact, abs=bound(matrix, f), rel=0), K


@pytest.mark.parametrize("coupling", ["dense, positive", "sparse, positive", "ring", "lattice", "causal"])
def test_sums_of_a_wide_interaction_are_relatively_accurate(coupling):
    """Two clusters on opposite sides: f is 1e-40 and less,
    and so is the softmax gain of who listens across only.
    """
    f, K = ip.attention(50.0), zoo.NETWORKS[coupling](9)
    phases = np.where(np.arange(9) % 2, 0.0, 2.8) + 1e-3 * np.arange(9)
    for g in (f, f.profile):
        terms = K.matrix(9) * g(phases[:, None] - phases[None, :])
        (found,) = K.forces([g], phases)
        assert np.all(np.abs(found - terms.sum(axis=1)) <= 1e-12 * np.abs(terms).sum(axis=1))


def test_many_edges_go_by_modes_unless_modes_are_many_or_f_spans_decades():
    """The choice is one of cost, except for f = sin x · h with a positive h that almost vanishes."""
    ways = {name: summing.plan((zoo.interaction(name),)).by_edges for name in zoo.INTERACTIONS}
    assert not any(
        ways[name]
        for name in ("kuramoto", "sakaguchi", "harmonics", "odd harmonics", "with a mean", "attention(0)")
    )
    assert ways["attention(25)"] and ways["attention(100)"] and ways["rational"]
    assert summing.plan((ip.Interaction("sin(x)*(1 + cos(x))**6"),)).by_edges
    assert not summing.plan((ip.harmonics(sin=[1.0, 1.0, 1.0, 1.0]),)).by_edges


def test_one_matrix_in_every_form_gives_one_field():
    n, rng = 40, np.random.default_rng(0)
    rows, columns, phases = rng.normal(size=n), rng.normal(size=n), start(n)
    for name in ("kuramoto", "harmonics", "attention(2)", "with a mean"):
        f = zoo.interaction(name)
        for reference in (ip.RankOne(rows, columns), ip.AllToAll(), ip.AllToAll(columns**2)):
            K = reference.matrix(n)
            (expected,) = reference.forces([f], phases)
            for form in (Dense(K), Sparse(K), Sparse(sparse.coo_matrix(K)), Sparse(sparse.csc_array(K))):
                assert form.forces([f], phases)[0] == pytest.approx(expected, abs=bound(K, f), rel=0)


@pytest.mark.parametrize("coupling", zoo.NETWORKS)
def test_couplings_that_are_added_give_the_sum_of_their_fields(coupling):
    phases, f = start(9), zoo.interaction("harmonics")
    both = 0.5 * zoo.NETWORKS[coupling](9) - Dense(np.eye(9))
    exact = double_sum(0.5 * zoo.NETWORKS[coupling](9).matrix(9) - np.eye(9), f, phases, phases)
    assert both.forces([f], phases)[0] == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("name", ["kuramoto", "harmonics", "attention(2)"])
def test_the_number_of_threads_changes_no_bit(name, threads):
    n, f, rng = 30_000, zoo.interaction(name), np.random.default_rng(1)
    places = rng.integers(0, n, (2, 300_000))
    couplings = [
        Sparse(sparse.coo_array((rng.normal(size=300_000), (places[0], places[1])), shape=(n, n))),
        Ring(4),
        Causal(),
        Ring.from_kernel(lambda x: 1 + np.cos(x), n),
    ]
    phases = start(n)
    for K in couplings:
        found = []
        for count in (1, 2):
            threads(count)
            found.append(K.forces([f], phases)[0])
        assert np.array_equal(*found), K


def test_the_grouping_of_replicas_changes_no_bit():
    n, f = 600, zoo.interaction("harmonics")
    phases = start(50 * n).reshape(50, n)  # more than are handled at once
    for K in (
        Sparse(nx.random_regular_graph(4, n, seed=1)),
        Dense(np.cos(np.arange(n * n)).reshape(n, n)),
        Ring(140),
    ):
        together = K.forces([f], phases)[0]
        for some in (slice(0, 1), slice(3, 10), slice(49, 50)):
            assert np.array_equal(together[some], K.forces([f], phases[some])[0]), K


def test_empty_stacks_of_replicas_and_networks_without_edges():
    for K in (Sparse(np.zeros((4, 4))), Dense(np.zeros((4, 4))), Sparse(sparse.csr_array((4, 4)))):
        assert not K.positive and K.symmetric
        assert np.array_equal(K.forces([zoo.interaction("with a mean")], start(4))[0], np.zeros(4))
        assert K.forces([ip.attention(25.0)], np.empty((0, 4)))[0].shape == (0, 4)
        assert np.array_equal(ip.PhaseModel(ip.kuramoto(), K).jacobian(start(4)), np.zeros((4, 4)))
    assert Causal().forces([ip.kuramoto()], np.empty((0, 4)))[0].shape == (0, 4)


# --------------------------------------------------------------------------------------------------- Jacobian


@over([case for case in CASES if case[2] != "callable"])
def test_jacobian_is_the_derivative_of_the_velocity(f, coupling, gain):
    model, phases = zoo.model(f, coupling, gain, 9, field=0.3), start(9)
    J = model.jacobian(phases)
    assert pytest.approx(central_differences(model, phases), abs=1e-9 * (1 + np.max(np.abs(J)))) == J


@pytest.mark.parametrize("coupling", ["sparse", "ring", "nonlocal ring", "lattice"])
def test_jacobians_of_networks_are_sparse_and_agree_with_the_dense_ones(coupling):
    K, phases, slope = zoo.NETWORKS[coupling](18), start(18), ip.sakaguchi(0.4).derivative()
    (found,), (dense,) = K.jacobians([slope], phases), Dense(K.matrix(18)).jacobians([slope], phases)
    assert isinstance(found, sparse.csr_array) and found.nnz <= K.edges(18).nnz + 18
    assert found.toarray() == pytest.approx(dense, abs=1e-13)
    assert np.max(np.abs(found.sum(axis=1))) < 1e-13


def test_energy_on_a_graph_has_the_velocity_as_its_gradient():
    model, phases = ip.PhaseModel(ip.attention(2.0), Lattice((3, 4))), start(12)
    h, gradient = 1e-4, np.zeros(12)
    for k, a in ((1, 2 / 3), (2, -1 / 12)):
        shifts = k * h * np.eye(12)
        gradient += a * (model.energy(phases + shifts) - model.energy(phases - shifts)) / h
    assert model.is_gradient
    assert gradient == pytest.approx(model.velocity(phases), abs=1e-9)


# --------------------------------------------------------------------------------------------- what K is like


def test_sparse_adds_duplicates_keeps_loops_and_drops_zeros():
    K = Sparse(
        sparse.coo_array(
            ([1.0, 2.0, 5.0, 0.0, 1.0, -1.0], ([0, 0, 1, 2, 2, 2], [1, 1, 1, 0, 1, 1])), shape=(3, 3)
        )
    )
    assert K.matrix(3).tolist() == [[0, 3, 0], [0, 5, 0], [0, 0, 0]]
    assert K.edges(3).nnz == 2
    f = zoo.interaction("with a mean")
    assert K.forces([f], np.array([1.0, 0.5, 2.0]))[0] == pytest.approx(
        [3 * f(0.5), 5 * f(0.0), 0.0], abs=1e-14
    )


def test_sparse_leaves_the_matrix_it_was_given_alone():
    given = sparse.csr_array(([2.0, 0.0, 1.0], [1, 0, 0], [0, 2, 3]), shape=(2, 2))
    kept = given.copy()
    K = Sparse(given)
    given.data[:] = 7.0
    assert K.matrix(2).tolist() == [[0, 2], [1, 0]]
    assert kept.nnz == given.nnz == 3


def test_an_arrow_of_a_networkx_graph_is_heard_at_its_tip():
    """As `inphase.graphs.Graph` has it: u -> v means that v listens to u."""
    K = Sparse(nx.DiGraph([(0, 1), (0, 2)]))
    assert K.matrix(3).tolist() == [[0, 0, 0], [1, 0, 0], [1, 0, 0]]
    weighted = nx.Graph()
    weighted.add_edge("a", "b", weight=2.5)
    assert Sparse(weighted, symmetric=True).matrix(2).tolist() == [[0, 2.5], [2.5, 0]]


def test_sparse_takes_what_has_a_matrix():
    from inphase.graphs import Graph

    graph = Graph([[0, 0, 2], [1, 0, 0], [0, 0, 0]])
    assert np.array_equal(Sparse(graph).matrix(3), graph.matrix.toarray())


def test_ring_and_lattice_are_the_graphs_of_that_name():
    assert np.array_equal(Ring(3).matrix(12), nx.to_numpy_array(nx.circulant_graph(12, [1, 2, 3])))
    for shape, periodic in (
        ((4, 5), True),
        ((4, 5), False),
        ((3, 4, 5), True),
        ((6,), True),
        ((4, 3), (False, True)),
    ):
        graph = nx.grid_graph(
            dim=shape[::-1], periodic=periodic[::-1] if isinstance(periodic, tuple) else periodic
        )
        expected = nx.to_numpy_array(graph, nodelist=list(np.ndindex(shape)) if len(shape) > 1 else None)
        assert np.array_equal(Lattice(shape, periodic).matrix(int(np.prod(shape))), expected)


def test_ring_kernels_are_riemann_sums():
    def kernel(x):
        return np.exp(np.sin(x)) * (1 + x / 10)

    for n in (1, 2, 7, 8):
        x = 2 * np.pi * np.arange(n) / n
        apart = (x[:, None] - x[None, :] + np.pi) % (2 * np.pi) - np.pi
        apart = np.where(np.isclose(apart, -np.pi), np.pi, apart)
        assert Ring.from_kernel(kernel, n).matrix(n) == pytest.approx(
            2 * np.pi / n * kernel(apart), abs=1e-13
        )


def test_causal_is_the_mean_over_those_before():
    assert Causal().matrix(3) == pytest.approx(
        np.array([[1, 0, 0], [1 / 2, 1 / 2, 0], [1 / 3, 1 / 3, 1 / 3]])
    )
    assert Causal([1, 0, 3]).matrix(3).tolist() == [[1, 0, 0], [1, 0, 0], [0.25, 0, 0.75]]
    assert Causal([0, 2], normalized=False).matrix(2).tolist() == [[0, 0], [0, 2]]
    alike = [
        ip.PhaseModel(ip.attention(3.0), K, gain="softmax").velocity(start(6))
        for K in (Causal(), Causal(np.full(6, 0.1)))
    ]
    assert alike[0] == pytest.approx(alike[1], abs=1e-13)
    assert abs(alike[0][0]) < 1e-15


@pytest.mark.parametrize("coupling", zoo.NETWORKS)
def test_what_a_coupling_says_of_itself_is_true_of_its_matrix(coupling):
    K = zoo.NETWORKS[coupling](9)
    matrix = K.matrix(9)
    assert K.symmetric == np.array_equal(matrix, matrix.T)
    assert K.positive == bool(np.all(matrix >= 0) and np.all(matrix.sum(axis=1) > 0))
    assert K.mean_strength(9) == pytest.approx(np.mean(np.abs(matrix).sum(axis=1)))
    assert np.array_equal(K.edges(9).toarray(), matrix)
    assert json.loads(json.dumps(K.to_dict()))["kind"] == type(K).__name__
    assert type(K).__name__ in repr(K)


def test_rings_and_lattices_are_rebuilt_from_what_they_say():
    for K in (
        Ring(2, [1, 0, 0.5, -2]),
        Ring(3),
        Lattice((3, 4), (True, False), (1, 2)),
        Causal([1, 2], normalized=False),
    ):
        numbers = K.to_dict()
        again = {"Ring": Ring, "Lattice": Lattice, "Causal": Causal}[numbers.pop("kind")](**numbers)
        n = K.size or 9
        assert np.array_equal(again.matrix(n), K.matrix(n))


def test_provenance_of_large_matrices_is_a_checksum():
    one, other = np.ones((101, 101)), np.ones((101, 101))
    other[3, 4] = 2.0
    for kind in (Dense, Sparse):
        assert kind(one).to_dict() == kind(one.copy()).to_dict()
        assert kind(one).to_dict()["sha256"] != kind(other).to_dict()["sha256"]
    assert Sparse([[0, 2], [0, 0]]).to_dict() == {
        "kind": "Sparse",
        "n": 2,
        "row": [0],
        "column": [1],
        "value": [2.0],
    }


def test_rows_are_reordered_within_their_blocks_only():
    rng = np.random.default_rng(2)
    matrix = sparse.random_array((1200, 1200), density=0.01, rng=rng, format="csr")
    rows = kernel.sorted_rows(matrix.indptr, matrix.indices, matrix.data)
    assert np.array_equal(np.sort(rows.order), np.arange(1200))
    assert np.array_equal(rows.order // kernel.BLOCK, np.arange(1200) // kernel.BLOCK)
    assert rows.totals == pytest.approx(matrix.sum(axis=1))
    assert kernel.sorted_rows(matrix.indptr, matrix.indices, np.full(matrix.nnz, 2.0)).weights.tolist() == [
        2.0
    ]
    for r in (0, 17, 600, 1199):
        place, i = slice(int(rows.starts[r]), int(rows.starts[r + 1])), int(rows.order[r])
        assert np.array_equal(rows.columns[place], matrix.indices[matrix.indptr[i] : matrix.indptr[i + 1]])
        assert np.array_equal(rows.weights[place], matrix.data[matrix.indptr[i] : matrix.indptr[i + 1]])


# -------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("kind", [Dense, Sparse])
@pytest.mark.parametrize(
    ("matrix", "options", "message"),
    [
        ([[0, 1], [2, 0]], {"symmetric": True}, r"symmetric.*K\[0, 1\] = 1 and K\[1, 0\] = 2"),
        (
            [[0, 1, 0], [1, 0, 3], [0, 0, 0]],
            {"symmetric": True},
            r"symmetric.*K\[1, 2\] = 3 and K\[2, 1\] = 0",
        ),
        ([[0, np.nan], [1, 0]], {}, r"matrix must be finite; got nan at index \(0, 1\)"),
        ([[0, np.inf], [1, 0]], {}, "matrix must be finite; got inf"),
        (np.empty((0, 0)), {}, r"matrix must have shape \(n, n\) with n >= 1; got shape \(0, 0\)"),
        (np.ones((2, 3)), {}, r"matrix must have shape.*\(2, 3\)"),
        ([1.0, 2.0], {}, "matrix must have shape"),
        ([[1.0, 2.0], [3.0]], {}, "rows of different lengths"),
        ([["a", "b"], ["c", "d"]], {}, "matrix must be an array of real numbers"),
        ("abc", {}, "matrix must be an array of real numbers"),
        ([[1j, 0], [0, 0]], {}, "matrix must be an array of real numbers"),
    ],
)
def test_bad_matrices_are_refused_by_name(kind, matrix, options, message, as_a_user):
    with pytest.raises((TypeError, ValueError), match=message):
        kind(matrix, **options)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (sparse.csr_array(np.array([[0, np.nan], [0, 0]])), "entries must be finite; got nan"),
        (sparse.csr_array((2, 3)), r"shape \(n, n\).*\(2, 3\)"),
        (sparse.csr_array(np.array([[0, 1j], [0, 0]])), "real numbers"),
        (nx.Graph(), "empty graph"),
        (np.nan, "matrix must be finite"),
        (None, "matrix must be an array of real numbers"),
    ],
)
def test_bad_graphs_are_refused_by_name(matrix, message, as_a_user):
    with pytest.raises((TypeError, ValueError), match=message):
        Sparse(matrix)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Ring(0), "neighbors must be an integer >= 1; got 0"),
        (lambda: Ring(1.5), "neighbors must be an integer"),
        (lambda: Ring(2, [1.0, 2.0, 3.0]), r"weights must have shape \(2,\) or \(4,\); got shape \(3,\)"),
        (lambda: Ring(1, [np.nan]), "weights must be finite"),
        (lambda: Ring.from_kernel(np.cos, 0), "n must be an integer >= 1"),
        (lambda: Ring.from_kernel(lambda x: 1.0, 5), r"kernel's values must have shape \(5,\)"),
        (lambda: Ring.from_kernel(lambda x: np.full(5, np.nan), 5), "kernel's values must be finite"),
        (lambda: Lattice((3, 0)), r"shape\[1\] must be an integer >= 1; got 0"),
        (lambda: Lattice(()), "shape must have at least one axis"),
        (lambda: Lattice((3, 2)), r"at least 3 nodes; got shape\[1\] = 2"),
        (
            lambda: Lattice((3, 3), periodic=[True]),
            "periodic must be one value or one for each of the 2 axes; got 1",
        ),
        (lambda: Lattice((3, 3), weights=[1.0, np.inf]), "weights must be a finite number"),
        (lambda: Causal([1.0, -1.0]), "weights must be >= 0 to be normalized; got -1 at index 1"),
        (lambda: Causal([0.0, 1.0]), "weights must begin with a positive one"),
        (lambda: Causal([]), "weights must have shape"),
        (lambda: Causal([1.0, np.nan]), "weights must be finite"),
    ],
)
def test_bad_arrangements_are_refused_by_name(build, message, as_a_user):
    with pytest.raises((TypeError, ValueError), match=message):
        build()


@pytest.mark.parametrize("coupling", ["dense", "sparse", "nonlocal ring", "lattice", "causal, weights"])
def test_phases_of_another_number_are_refused(coupling):
    K = zoo.NETWORKS[coupling](9)
    with pytest.raises(
        ValueError, match=f"phases have 8 oscillators, but the coupling {type(K).__name__} is for 9"
    ):
        ip.PhaseModel(ip.kuramoto(), K).velocity(start(8))
    for method in (K.matrix, K.edges):
        with pytest.raises(ValueError, match="8 oscillators"):
            method(8)


def test_small_rings_are_refused():
    with pytest.raises(
        ValueError, match=r"phases have 4 oscillators, but Ring\(2 neighbors on each side\) needs more than 4"
    ):
        ip.PhaseModel(ip.kuramoto(), Ring(2)).velocity(start(4))


@pytest.mark.parametrize("coupling", ["dense", "sparse", "lopsided ring", "causal, signed"])
def test_softmax_needs_positive_sums(coupling):
    with pytest.raises(ValueError, match="positive sums"):
        ip.PhaseModel(ip.attention(1.0), zoo.NETWORKS[coupling](9), gain="softmax")


@pytest.mark.parametrize(
    ("weights", "equal"), [(None, True), ([2.0, 2.0, 2.0], True), ([1.0, 2.0], False), ([1.0, 1.5], False)]
)
def test_weights_are_symmetric_where_all_are_equal(weights, equal):
    coupling = ip.AllToAll(weights)
    matrix = coupling.matrix(len(weights or [0, 0]))
    assert coupling.symmetric == equal == bool(np.array_equal(matrix, matrix.T))


def test_symmetry_is_said_where_it_is_known():
    class Everybody(ip.Coupling):
        """Of any size, and without terms: nothing says that K is symmetric."""

        size, positive = None, True

        def matrix(self, n):
            return np.ones((n, n))

        def forces(self, functions, phases, out=None, sources=None):
            raise NotImplementedError

        def to_dict(self):
            return {}

    assert not Everybody().symmetric
    assert ip.AllToAll().symmetric and ip.AllToAll([0.5, 0.5]).symmetric
    assert not ip.AllToAll([0.5, 1.5]).symmetric


def test_factors_are_written_as_factors():
    left, right = np.array([[1.0], [2.0]]), np.array([[0.5], [-1.0]])
    coupling = ip.LowRank(left, right)
    (table,) = coupling.tables()
    assert table == {"kind": "low-rank", "left": left.tolist(), "right": right.tolist()}
    assert coupling.to_dict() == table | {"kind": "LowRank"}
    assert set(ip.LowRank(np.ones((6000, 1)), np.ones((6000, 1))).to_dict()) == {
        "kind",
        "n",
        "rank",
        "sha256",
    }
