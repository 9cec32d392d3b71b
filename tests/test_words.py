"""The words that people use: graphs as couplings, columns as frequencies, one call for the critical coupling."""

import numpy as np
import pytest
from scipy import sparse

import inphase as ip
from inphase import graphs, theory

PHASES = np.array([0.0, 0.7, 2.0, -1.0])
ONE_WAY = np.array([[0, 2.0, 0, 0], [0, 0, 0, 1], [0.5, 0, 0, 0], [0, 0, -1, 0]])


def by_hand(matrix, phases):
    return np.sum(matrix * np.sin(phases[None, :] - phases[:, None]), axis=1)


@pytest.mark.parametrize("matrix", [ONE_WAY, ONE_WAY + ONE_WAY.T, (ONE_WAY + ONE_WAY.T) != 0])
@pytest.mark.parametrize(
    "kind", [np.asarray, np.ndarray.tolist, sparse.csr_array, sparse.coo_matrix, graphs.Graph]
)
def test_graphs_and_matrices_are_couplings(kind, matrix):
    if kind is not np.asarray:
        matrix = matrix.astype(float)
    model = ip.PhaseModel(ip.kuramoto(), kind(matrix))
    assert model.velocity(PHASES) == pytest.approx(by_hand(matrix, PHASES), abs=1e-14)


@pytest.mark.parametrize("directed", [False, True])
def test_networkx_graphs_are_couplings(directed):
    nx = pytest.importorskip("networkx")
    graph = nx.DiGraph() if directed else nx.Graph()
    graph.add_nodes_from(range(4))
    graph.add_edge(0, 1, weight=2.5)
    graph.add_edge(1, 3)
    expected = np.zeros((4, 4))
    expected[1, 0], expected[3, 1] = 2.5, 1.0  # the head listens to the tail
    expected = expected if directed else expected + expected.T
    nx.set_node_attributes(graph, {i: 0.1 * i for i in range(4)}, "omega")
    model = ip.PhaseModel(ip.kuramoto(), graph, frequencies="omega")
    assert model.velocity(PHASES) == pytest.approx(0.1 * np.arange(4) + by_hand(expected, PHASES), abs=1e-14)


@pytest.mark.parametrize("given", ["ring", 3, np.ones((2, 3)), np.ones(3), None])
def test_what_is_no_coupling_is_refused(given):
    with pytest.raises((TypeError, ValueError), match=r"coupling must be|matrix must"):
        ip.PhaseModel(ip.kuramoto(), given)


def test_columns_of_the_graph():
    graph = graphs.path(4).with_columns(omega=np.arange(4.0), heavy=[1, 2, 3, 4])
    for coupling in (graph, ip.Sparse(graph), 2 * ip.Sparse(graph), ip.Sparse(graph) + 0.1 * ip.AllToAll()):
        model = ip.PhaseModel(ip.kuramoto(), coupling, frequencies="omega", inertia="heavy")
        assert model.frequencies.tolist() == [0, 1, 2, 3] and model.inertia.tolist() == [1, 2, 3, 4]
    with pytest.raises(ValueError, match=r"'weight' is no column .* 'omega', 'heavy'"):
        ip.PhaseModel(ip.kuramoto(), graph, frequencies="weight")
    with pytest.raises(ValueError, match="made from no graph"):
        ip.PhaseModel(ip.kuramoto(), graph.matrix, frequencies="omega")
    with pytest.raises(ValueError, match="made from no graph"):
        ip.PhaseModel(ip.kuramoto(), frequencies="normal")


@pytest.mark.parametrize(
    ("function", "instead"),
    [(np.sin, 'Interaction("sin(x)")'), (np.arctan, 'Interaction("atan(x)")'), (np.heaviside, "m.sin")],
)
def test_functions_of_numpy_are_refused_with_what_to_write(function, instead):
    with pytest.raises(TypeError) as error:
        ip.Interaction(function)
    assert instead in str(error.value)


def test_a_float_is_no_ball():
    flint = pytest.importorskip("flint")
    with pytest.raises(TypeError, match=r"f\.ball\(flint\.arb\(0\.5\)\), or f\(0\.5\)"):
        ip.kuramoto().ball(0.5)
    assert ip.kuramoto().ball(flint.arb(0.5)).contains(flint.arb(0.5).sin().mid())


def test_a_hypergraph_says_what_it_leaves_out():
    xgi = pytest.importorskip("xgi")
    H = xgi.Hypergraph([[0, 1, 2], [1, 2], [0, 3], [0, 1, 2, 3], [2]])
    with pytest.warns(UserWarning, match=r"takes the 1 edges .* leaves out 2 of 2 nodes, 1 of 4 nodes"):
        coupling = ip.Hypergraph(H)
    assert coupling.triads.tolist() == [[0, 1, 2]] and coupling.size == 4


# ------------------------------------------------------------------------------------------- the critical coupling


def test_two_oscillators_exactly():
    found = ip.critical_coupling([[0, 1], [1, 0]], [-0.5, 0.5])
    assert found.value == pytest.approx(0.5, abs=found.error) and found.error < 1e-11 and found.kind == "fold"


@pytest.mark.long
def test_trees_exactly():
    graph = graphs.path(4).with_columns(omega=[1.0, 0.5, -1.5, 0.0])
    found = ip.critical_coupling(graph, "omega")
    assert found.value == pytest.approx(1.5, abs=1e-9) and found.bounds == pytest.approx((1.5, 1.5))


@pytest.mark.parametrize("n", [5, pytest.param(30, marks=pytest.mark.long)])
def test_all_to_all_as_verwoerd_and_mason(n):
    omega = np.random.default_rng(n).normal(size=n)
    found = ip.critical_coupling(ip.PhaseModel(2 * ip.kuramoto(), frequencies=omega))
    assert 2 * found.value == pytest.approx(theory.locking_coupling(omega), rel=1e-11)


def locks(matrix, omega, K):
    """Whether a run from synchrony comes to rest, by plain steps of Euler's: nothing of the library."""
    theta = np.zeros(len(omega))
    for _ in range(40_000):
        speed = omega + K * by_hand(matrix, theta)
        theta += 0.02 / K * speed
        if np.ptp(speed) < 1e-7:
            return True
        if np.ptp(theta) > 2 * np.pi:
            return False
    return False


@pytest.mark.parametrize("one_way", [False, pytest.param(True, marks=pytest.mark.long)])
def test_graphs_by_bisection(one_way):
    rng = np.random.default_rng(5)
    matrix = graphs.erdos_renyi(8, 0.5, seed=3).largest_component().matrix.toarray()
    if one_way:
        matrix = matrix * rng.uniform(0.3, 1.0, matrix.shape)
    omega = rng.normal(size=len(matrix))
    omega -= omega.mean()
    found = ip.critical_coupling(matrix, omega)
    assert locks(matrix, omega, found.value * 1.001) and not locks(matrix, omega, found.value * 0.999)
    if not one_way:
        assert found.bounds[0] <= found.value <= found.bounds[1]
        estimate = theory.critical_coupling_bounds(matrix, omega).estimate
        assert estimate > 1.05 * found.value  # "estimate" is none of the fold


def test_where_there_is_no_one_value():
    apart = np.kron(np.eye(2), [[0, 1], [1, 0]])
    with pytest.raises(ValueError, match="2 parts hear nobody outside"):
        ip.critical_coupling(apart, [0, 1, 2, 3])
    with pytest.raises(ValueError, match="field"):
        ip.critical_coupling(ip.PhaseModel(ip.kuramoto(), field=1.0, frequencies=[0, 1.0]))
    with pytest.raises(ValueError, match=r"f'\(0\) must be positive"):
        ip.critical_coupling(ip.PhaseModel(-1 * ip.kuramoto(), frequencies=[0, 1.0]))
    assert float(ip.critical_coupling([[0, 1], [1, 0]], [1, 1])) == 0.0
