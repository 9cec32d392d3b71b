"""All equilibria of small Kuramoto networks: counts that are
published or follow by hand, and other ways to find them.
"""

import itertools
import math

import mpmath
import numpy as np
import pytest

import inphase as ip
from inphase.coupling.base import Coupling
from inphase.equilibria.polynomial import _blocks, all_equilibria, complex_solutions


class Matrix(Coupling):
    """K as it stands, by a double sum: independent of the library's kernels."""

    def __init__(self, matrix):
        self.K = np.array(matrix, dtype=float)

    size = property(lambda self: len(self.K))
    positive = False

    def forces(self, functions, phases, out=None, sources=None):
        heard = phases if sources is None else sources
        found = [(self.K * f(phases[..., :, None] - heard[..., None, :])).sum(axis=-1) for f in functions]
        for k, values in enumerate(found if out is not None else []):
            out[k][...] = values
        return found if out is None else list(out)

    def matrix(self, n):
        return self.K

    def to_dict(self):
        return {"kind": "Matrix"}


def cycle(n, weights=None):
    K, i = np.zeros((n, n)), np.arange(n)
    K[i, (i + 1) % n] = K[(i + 1) % n, i] = 1.0 if weights is None else weights
    return K


def network(K, frequencies=0.0, **parts):
    return ip.PhaseModel(ip.kuramoto(), Matrix(K), frequencies=frequencies, **parts)


@pytest.mark.parametrize(
    "f", [ip.harmonics(sin=[1.0, 0.0]), ip.sakaguchi(0.0), ip.Interaction("a*sin(x)", a=1.0)]
)
def test_whatever_is_k_sin_x_by_its_structure_is_taken(f):
    frequencies = [-0.1, 0.0, 0.1]
    found = all_equilibria(ip.PhaseModel(f, Matrix(cycle(3)), frequencies=frequencies))
    same = all_equilibria(network(cycle(3), frequencies))
    assert found.complete and found.count == same.count > 1
    for one, other in zip(found.equilibria, same.equilibria):
        assert one.phases == pytest.approx(other.phases, abs=1e-12)


def identical_on_a_cycle(n):
    """By hand: every edge has sin(difference) = s, so differences
    are δ or π − δ, |δ| < π/2, and they add up to 2πk.
    """
    count = 0
    for obtuse in range(n + 1):
        if 2 * obtuse == n:
            assert (obtuse % 2) == 1  # else there are continua
            continue
        deltas = [(2 * k - obtuse) * math.pi / (n - 2 * obtuse) for k in range(-n, n + 1)]
        count += math.comb(n, obtuse) * sum(abs(delta) < math.pi / 2 - 1e-9 for delta in deltas)
    return count


# ----------------------------------------------------------------------------------------------------- counts


@pytest.mark.parametrize(("n", "count"), [(3, 6), (5, 30), (6, 60)])
def test_cycles_of_identical_oscillators(n, count):
    """The complex bound n·binomial(n − 1, ⌊(n − 1)/2⌋) (Chen, Davis, Mehta 2018) is reached by real ones."""
    census = all_equilibria(network(cycle(n)))
    assert census.complete and census.degree == 0
    assert (
        census.count == count == identical_on_a_cycle(n) == n * math.comb(n - 1, (n - 1) // 2) == census.bound
    )
    twisted = [state for state in census.stable if np.ptp(np.cos(np.diff(state.phases))) < 1e-12]
    # exactly the q-twisted ones, |q| < n/4
    assert len(twisted) == len(census.stable) == 2 * ((n - 1) // 4) + 1


def test_three_oscillators_reach_the_bound():
    """Two and three nodes: all complex solutions can be real (Baillieul, Byrnes 1982), 2 and 6 of them."""
    for n, count in ((2, 2), (3, 6)):
        census = all_equilibria(ip.PhaseModel(ip.kuramoto(), frequencies=0.02 * np.arange(n)))
        assert (census.count, census.bound, census.complete) == (count, math.comb(2 * n - 2, n - 1), True)


def test_four_nodes_with_sixteen():
    """20 complex solutions, of which at most 16 are real by the
    conjecture of Molzahn, Niemerg, Mehta, Hauenstein (2016).
    """
    K = np.zeros((4, 4))
    K[np.triu_indices(4, 1)] = [-0.86, -0.37, -0.67, -0.97, -1.26, 1.41]
    census = all_equilibria(network(K + K.T, [-0.017, 0.008, 0.002, 0.006]))
    assert (census.count, census.bound, census.complete, census.degree) == (16, 20, True, 0)


@pytest.mark.parametrize("seed", range(4))
def test_trees(seed):
    """Flows on a tree are fixed by the frequencies: two angles per edge where they fit, none otherwise."""
    rng = np.random.default_rng(seed)
    n = 5
    K, parents = np.zeros((n, n)), [int(rng.integers(i)) for i in range(1, n)]
    for i, parent in enumerate(parents, 1):
        K[i, parent] = K[parent, i] = rng.uniform(0.5, 2.0) * rng.choice([-1, 1])
    frequencies = 0.15 * rng.normal(size=n)
    census = all_equilibria(network(K, frequencies))
    below = [{i} for i in range(n)]
    for i, parent in reversed(list(enumerate(parents, 1))):
        below[parent] |= below[i]
    flows = [
        sum(frequencies[j] - frequencies.mean() for j in below[i]) / K[i, parent]
        for i, parent in enumerate(parents, 1)
    ]
    expected = 2 ** (n - 1) if all(abs(flow) < 1 for flow in flows) else 0
    assert census.complete and census.count == expected and census.bound == 2 ** (n - 1)
    sines = np.array(
        [[np.sin(s.phases[i] - s.phases[p]) for i, p in enumerate(parents, 1)] for s in census.equilibria]
    )
    assert sines == pytest.approx(np.tile(flows, (expected, 1)), abs=1e-13) if expected else not len(sines)


def test_one_oscillator_with_a_field():
    for frequency, count in ((0.5, 2), (1.5, 0)):
        census = all_equilibria(ip.PhaseModel(ip.kuramoto(), frequencies=frequency, field=-1.0), 1)
        assert (census.count, census.complete, census.bound) == (count, True, 2)
        assert sorted(np.sin([s.phases[0] for s in census.equilibria])) == pytest.approx([0.5] * count)


def test_one_free_oscillator():
    census = all_equilibria(ip.PhaseModel(ip.kuramoto(), frequencies=0.5), 1)
    assert (census.count, census.complete) == (1, True)
    assert census.equilibria[0].frequency == pytest.approx(0.5, abs=1e-15)


# ------------------------------------------------------------------------------------------------- other ways


def zoo():
    rng = np.random.default_rng(3)
    yield "weighted", network((A := rng.uniform(0.2, 1.0, (4, 4))) + A.T, 0.2 * rng.normal(size=4))
    yield "signed", network((A := rng.normal(size=(4, 4))) + A.T, 0.1 * rng.normal(size=4))
    yield "asymmetric", network(rng.normal(size=(4, 4)), 0.1 * rng.normal(size=4))
    yield (
        "one way",
        network(np.tril(rng.uniform(0.5, 1, (4, 4)), -1) + 0.3 * np.eye(4, k=1), 0.05 * rng.normal(size=4)),
    )
    yield "field", network(rng.normal(size=(3, 3)), 0.1 * rng.normal(size=3), field=[0.3, 0.0, -0.5])
    yield (
        "damped",
        network(
            (A := rng.uniform(0.2, 1.0, (4, 4))) + A.T, 0.1 * rng.normal(size=4), damping=[1.0, 2.0, 0.5, 3.0]
        ),
    )
    yield (
        "swing",
        network(cycle(4, [1.0, 2.0, 3.0, 1.5]), [0.1, -0.1, 0.05, 0.0], inertia=[1.0, 0.0, 2.0, 1.0]),
    )


def newton(model, starts, steps=40):
    """Roots (θ, Ω) by Newton's method on the equations as
    they stand, from many starts at once; (roots, n + 1).
    """
    K, d, n = model.coupling.K, np.broadcast_to(model.damping, len(model.coupling.K)), len(model.coupling.K)
    pinned = bool(np.any(model.field))
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.uniform(-np.pi, np.pi, (starts, n)), np.zeros(starts)])
    for _ in range(steps):
        gaps = x[:, :n, None] - x[:, None, :n]
        value = np.column_stack([np.zeros((starts, n)), x[:, n] if pinned else x[:, 0]])
        value[:, :n] = (
            model.frequencies - (K * np.sin(gaps)).sum(axis=2) - d * x[:, n:] + model.field * np.sin(x[:, :n])
        )
        slope = np.zeros((starts, n + 1, n + 1))
        slope[:, :n, :n] = K * np.cos(gaps)
        i = np.arange(n)
        slope[:, i, i] -= slope[:, :n, :n].sum(axis=2) - model.field * np.cos(x[:, :n])
        slope[:, :n, n], slope[:, n, n if pinned else 0] = -d, 1.0
        x -= np.linalg.solve(slope, value[..., None])[..., 0]
    x[:, :n] = np.remainder(x[:, :n] + 1e-6, 2 * np.pi) - 1e-6
    good = np.max(np.abs(value), axis=1) < 1e-13
    return x[good][np.unique(np.round(x[good], 6), axis=0, return_index=True)[1]]


@pytest.mark.parametrize(
    ("name", "model"), list(zoo()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_newton_from_many_starts_finds_the_same(name, model):
    census = all_equilibria(model)
    assert census.complete and census.degree == 0 and census.count <= census.bound
    roots = newton(model, 4000)
    assert len(roots) == census.count
    for root in roots:
        gaps = [
            np.max(np.abs(np.exp(1j * root[:-1]) - np.exp(1j * state.phases))) for state in census.equilibria
        ]
        assert min(gaps) < 1e-10
        assert census.equilibria[int(np.argmin(gaps))].frequency == pytest.approx(root[-1], abs=1e-12)
    for state, degree in zip(census.equilibria, census.degrees):
        assert degree == (-1) ** state.index and state.residual < 1e-12


def test_all_to_all_by_its_own_equation():
    """R e^{iψ} closes the all-to-all equations: sin(θ_i − ψ) = (ω_i − Ω)/R,
    so each branch is a root of one function of R.
    """
    frequencies = np.array([-0.13, -0.02, 0.04, 0.11])
    count = 0
    R = np.linspace(np.max(np.abs(frequencies)), 1.0, 400_001)[1:-1]
    sines = frequencies[:, None] / R
    cosines = np.sqrt(1 - sines**2)
    for signs in itertools.product([1, -1], repeat=4):
        value = np.mean(np.array(signs)[:, None] * cosines, axis=0) - R
        count += int(np.count_nonzero(np.sign(value[1:]) != np.sign(value[:-1])))
    census = all_equilibria(ip.PhaseModel(ip.kuramoto(), frequencies=frequencies))
    assert census.complete and census.count == count


def test_radii_enclose():
    """Against Newton's method in 40 digits."""
    frequencies = [-0.1, 0.03, 0.1, -0.02]
    census = all_equilibria(ip.PhaseModel(ip.kuramoto(), frequencies=frequencies))
    omega = [mpmath.mpf(w) for w in frequencies]
    mean = sum(omega) / 4

    def equations(*free):
        theta = [mpmath.mpf(0), *free]
        return [omega[i] - mean - sum(mpmath.sin(theta[i] - t) for t in theta) / 4 for i in (1, 2, 3)]

    with mpmath.workdps(40):
        for state, radius in zip(census.equilibria, census.radii):
            exact = mpmath.findroot(equations, [mpmath.mpf(x) for x in state.phases[1:]], tol=1e-60)
            assert max(abs(x - y) for x, y in zip(exact, state.phases[1:])) <= radius < 1e-13


# ---------------------------------------------------------------------------------------------------- honesty


def test_continua_stay_undecided():
    """Four identical oscillators: balanced states form curves, all-to-all and on the cycle."""
    for model in (network(np.ones((4, 4))), network(cycle(4))):
        census = all_equilibria(model, max_boxes=20_000)
        assert not census.complete and len(census.undecided) > 0
        assert "at least" in str(census)
    # of the unknown phases, θ_0 = 0; two opposite pairs, for both graphs
    balanced = np.array([np.pi, 0.7, 0.7 - np.pi])
    for model in (network(np.ones((4, 4))), network(cycle(4)[[0, 2, 1, 3]][:, [0, 2, 1, 3]])):
        assert np.max(np.abs(model.velocity(np.append(0.0, balanced)))) < 1e-15
        low, high = np.moveaxis(all_equilibria(model, max_boxes=20_000).undecided, 1, 0)
        assert np.any(np.all((low <= balanced) & (balanced <= high), axis=1))


def test_a_double_root_stays_undecided():
    """Two oscillators at the very edge of locking, ω_2 − ω_1 = K (exact in doubles)."""
    census = all_equilibria(ip.PhaseModel(ip.kuramoto(), frequencies=[0.0, 1.0]))
    assert not census.complete and census.count == 0
    middle = census.undecided.mean(axis=1)[:, 0]
    assert np.max(np.abs(middle - np.pi / 2)) < 1e-5
    assert all_equilibria(ip.PhaseModel(ip.kuramoto(), frequencies=[0.0, 1 + 1e-9])).complete
    near = all_equilibria(ip.PhaseModel(ip.kuramoto(), frequencies=[0.0, 1 - 1e-9]))
    assert (near.count, near.complete) == (2, True)


def test_max_boxes_ends_the_search():
    census = all_equilibria(network(cycle(5)), max_boxes=500)
    assert not census.complete and census.boxes <= 500
    assert census.undecided.shape[1:] == (2, 4)


def test_an_unfinished_search_says_how_much_is_undecided():
    census = all_equilibria(network(cycle(5)), max_boxes=1)
    assert str(census) == (
        "no equilibrium proved; a share of 1 of phase space is undecided (2 boxes): equilibria there are not isolated, or "
        "nearly so, or max_boxes was too small"
    )


def test_bound_of_long_paths_and_random_graphs():
    """A path of 3000 nodes is 2999 blocks; networkx knows the blocks of any graph."""
    assert complex_solutions([(k, k + 1) for k in range(2999)]) == 2**2999
    networkx = pytest.importorskip("networkx")
    for seed in range(30):
        graph = networkx.gnm_random_graph(14, 15, seed=seed)
        expected = {
            frozenset(frozenset(edge) for edge in block)
            for block in networkx.biconnected_component_edges(graph)
        }
        found = _blocks(list(graph.edges))
        assert {frozenset(frozenset(edge) for edge in block) for block in found} == expected and len(
            found
        ) == len(expected)
    for edges, error in (([(0.5, 1)], TypeError), ([("a", "b")], TypeError), ([(0, 1, 2)], ValueError)):
        with pytest.raises(error, match="edges must be"):
            complex_solutions(edges)


def test_bound_of_graphs():
    edge, triangle = [(0, 1)], [(0, 1), (1, 2), (2, 0)]
    assert complex_solutions([]) == 1
    assert complex_solutions(edge) == 2
    assert complex_solutions(triangle) == 6
    bow = [*triangle, (2, 3), (3, 4), (4, 2)]
    assert complex_solutions(bow) == 36
    assert complex_solutions([*bow, (4, 5)]) == 72
    assert complex_solutions(list(itertools.combinations(range(4), 2))) == 20
    two = np.zeros((5, 5))
    for i, j in bow:
        two[i, j] = two[j, i] = 1.0
    assert all_equilibria(network(two)).count == 36  # triangles that share a node do not see each other


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (ip.PhaseModel(ip.kuramoto()), {}, "n must be given"),
        (ip.PhaseModel(ip.sakaguchi(0.3)), {"n": 3}, "f = k sin x"),
        (ip.PhaseModel(ip.harmonics(sin=[1.0, 0.1])), {"n": 3}, "f = k sin x"),
        (ip.PhaseModel(ip.kuramoto(), gain="softmax"), {"n": 3}, "without gain"),
        (ip.PhaseModel(ip.kuramoto(), delays=0.1), {"n": 3}, "delays"),
        (ip.PhaseModel(ip.kuramoto(), noise=0.1), {"n": 3}, "noise"),
        (
            network(np.diag([0.0, 0, 0]) + np.diag([1.0, 0], 1) + np.diag([1.0, 0], -1)),
            {},
            "falls into 2 pieces",
        ),
        (
            ip.PhaseModel(ip.kuramoto()),
            {"n": 9},
            "n must be at most 8 for all equilibria, .*; got 9; `find` searches",
        ),
        (ip.PhaseModel(ip.kuramoto()), {"n": 2, "max_boxes": 0}, "max_boxes"),
        (ip.PhaseModel(ip.kuramoto()), {"n": 2, "resolution": -1.0}, "resolution"),
    ],
)
def test_refuses(model, options, message):
    with pytest.raises(ValueError, match=message):
        all_equilibria(model, **options)
