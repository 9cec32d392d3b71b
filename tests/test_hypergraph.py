"""Triads: brute force, finite differences, xgi, threads
and replicas, the known bistability, and bad input.
"""

import itertools
import json

import numpy as np
import pytest
from scipy import sparse

import inphase as ip
from inphase.coupling.hypergraph import AllTriads, Hypergraph
from inphase.coupling.sparse import Sparse
from inphase.kernels import triads as kernel

FORMS = ["2j-k-i", "j+k-2i"]
INTERACTIONS = {
    "kuramoto": ip.kuramoto(),
    "harmonics": ip.harmonics(sin=[1.0, 0.5, -0.2], cos=[0.2, 0.0, -0.1]),
    "with a mean": ip.Interaction("0.3 + sin(x - b)", b=0.5),
    "attention": ip.attention(4.0),
}
both_forms = pytest.mark.parametrize("form", FORMS)
every_f = pytest.mark.parametrize("f", INTERACTIONS.values(), ids=INTERACTIONS)


def argument(form, i, j, k):
    return i + k - 2 * j if form == "2j-k-i" else 2 * i - j - k


def brute_force(triads, weights, form, directed, f, own, heard):
    """The definition, one sine at a time: (n,)."""
    total = np.zeros(len(own))
    for triad, w in zip(triads, weights):
        if directed:
            terms = [tuple(triad)]
        elif form == "2j-k-i":
            terms = list(itertools.permutations(triad))
        else:
            terms = [(i, *(node for node in triad if node != i)) for i in triad]
        for i, j, k in terms:
            total[i] += w * f(argument(form, own[i], heard[j], heard[k]))
    return total


def random_triads(n, count, seed=0):
    rng = np.random.default_rng(seed)
    return np.array([rng.choice(n, 3, replace=False) for _ in range(count)]), rng.normal(size=count)


def start(*shape, seed=1):
    return np.random.default_rng(seed).uniform(-10, 10, shape)


# ------------------------------------------------------------------------------------------------ brute force


@both_forms
@every_f
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("delayed", [False, True])
def test_sums_over_triads_are_the_definition(form, f, directed, delayed):
    triads, weights = random_triads(12, 40)
    coupling = Hypergraph(triads, form, weights, n=13, directed=directed)  # node 12 is isolated
    phases, sources = start(2, 13), start(2, 13, seed=2) if delayed else None
    found = coupling.forces([f, 2 * f], phases, sources=sources)
    heard = phases if sources is None else sources
    for row in range(2):
        expected = brute_force(triads, weights, form, directed, f, phases[row], heard[row])
        assert found[0][row] == pytest.approx(expected, abs=1e-12 * f.maximum * np.abs(weights).sum(), rel=0)
        assert found[0][row, 12] == 0
    assert found[1] == pytest.approx(2 * found[0], abs=1e-11)


@both_forms
@every_f
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("delayed", [False, True])
def test_sums_over_all_triads_are_the_double_sum_over_all_pairs(form, f, weighted, delayed):
    n = 7
    c = np.cos(np.arange(n)) if weighted else np.full(n, 1 / n)
    phases, sources = start(2, n), start(2, n, seed=2) if delayed else None
    found = AllTriads(form, c if weighted else None).forces([f], phases, sources=sources)[0]
    heard = phases if sources is None else sources
    x = argument(form, phases[:, :, None, None], heard[:, None, :, None], heard[:, None, None, :])
    expected = np.einsum("rijk,j,k->ri", f(x), c, c)
    assert found == pytest.approx(expected, abs=1e-12 * f.maximum * np.abs(c).sum() ** 2, rel=0)


@both_forms
def test_all_triads_are_every_hyperedge_and_the_terms_that_meet_a_node_twice(form):
    n, f, phases = 6, INTERACTIONS["harmonics"], start(6)
    triads = np.array(list(itertools.combinations(range(n), 3)))
    weight = (1 if form == "2j-k-i" else 2) / n**2
    by_edges = Hypergraph(triads, form, weight).forces([f], phases)[0]
    repeated = np.zeros(n)
    for i, j, k in itertools.product(range(n), repeat=3):
        if len({i, j, k}) < 3:
            repeated[i] += f(argument(form, phases[i], phases[j], phases[k])) / n**2
    assert by_edges + repeated == pytest.approx(AllTriads(form).forces([f], phases)[0], abs=1e-13)


def test_a_triad_that_is_listed_twice_counts_twice_and_no_triads_give_zero():
    phases, f = start(4), ip.kuramoto()
    twice, double = Hypergraph([(0, 1, 2)] * 2, n=4), Hypergraph([(2, 1, 0)], weights=2.0, n=4)
    assert twice.forces([f], phases)[0] == pytest.approx(double.forces([f], phases)[0], abs=1e-15)
    assert np.array_equal(Hypergraph([], n=4).forces([f], phases)[0], np.zeros(4))


def test_sums_go_into_the_arrays_given():
    triads, weights = random_triads(9, 20)
    for coupling in (Hypergraph(triads, weights=weights, n=9), AllTriads()):
        phases, out = start(3, 9), [np.full((3, 9), np.nan)]
        assert np.array_equal(coupling.forces([ip.kuramoto()], phases, out)[0], out[0])
        assert np.array_equal(out[0], coupling.forces([ip.kuramoto()], np.asfortranarray(phases))[0])


# -------------------------------------------------------------------------------------------------- Jacobians


@both_forms
@every_f
@pytest.mark.parametrize("kind", ["undirected", "directed", "all", "all, weighted"])
def test_jacobians_are_the_finite_differences(form, f, kind):
    n = 8
    triads, weights = random_triads(n, 15)
    if kind.startswith("all"):
        coupling = AllTriads(form, np.sin(1.0 + np.arange(n)) if "weighted" in kind else None)
    else:
        coupling = Hypergraph(triads, form, weights, n=n, directed=kind == "directed")
    phases, h = start(n), 1e-6
    ahead, behind = (coupling.forces([f], phases + s * h * np.eye(n))[0] for s in (1, -1))
    expected = ((ahead - behind) / (2 * h)).T
    slope = f.derivative()
    for found in coupling.jacobians([slope, 2 * slope], phases)[:1]:
        assert sparse.issparse(found) == (not kind.startswith("all"))
        dense = found.toarray() if sparse.issparse(found) else found
        assert dense == pytest.approx(expected, abs=1e-7 * slope.maximum * (1 + np.abs(weights).sum()), rel=0)
        assert dense.sum(axis=1) == pytest.approx(0, abs=1e-11)  # a common rotation changes nothing


@both_forms
def test_jacobian_of_all_triads_is_exact_to_rounding(form):
    n, slope = 5, INTERACTIONS["attention"].derivative()
    phases, c = start(n), np.array([0.5, -0.2, 0.3, 0.1, 0.7])
    expected = np.zeros((n, n))
    factors = (1, -2, 1) if form == "2j-k-i" else (2, -1, -1)
    for i, j, k in itertools.product(range(n), repeat=3):
        value = c[j] * c[k] * slope(argument(form, phases[i], phases[j], phases[k]))
        for node, factor in zip((i, j, k), factors):
            expected[i, node] += factor * value
    assert AllTriads(form, c).jacobians([slope], phases)[0] == pytest.approx(expected, abs=1e-12)


def test_both_forms_together_are_a_gradient_and_neither_is_alone():
    triads, _ = random_triads(7, 10)
    slope, phases = ip.harmonics(sin=[1.0, 0.3]).derivative(), start(7)

    def asymmetry(coupling):
        jacobian = coupling.jacobians([slope], phases)[0]
        return abs(jacobian - jacobian.T).max()

    first, second = (Hypergraph(triads, form, n=7) for form in FORMS)
    assert asymmetry(first + 2 * second) < 1e-14
    for coupling in (first, second):
        assert asymmetry(coupling) > 0.1
        assert not coupling.symmetric and not ip.PhaseModel(ip.kuramoto(), coupling).is_gradient


def test_model_with_pairs_and_triads_has_the_jacobian_of_its_velocity():
    triads, weights = random_triads(6, 8)
    coupling = 0.7 * ip.AllToAll() + Hypergraph(triads, weights=weights, n=6) - 0.3 * AllTriads("j+k-2i")
    model, phases, h = ip.PhaseModel(ip.sakaguchi(0.3), coupling, frequencies=np.arange(6.0)), start(6), 1e-6
    differences = (model.velocity(phases + h * np.eye(6)) - model.velocity(phases - h * np.eye(6))).T / (
        2 * h
    )
    assert model.jacobian(phases) == pytest.approx(differences, abs=1e-7)


# ---------------------------------------------------------------------------------- replicas, threads, layout


@both_forms
@every_f
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("delayed", [False, True])
def test_replicas_in_any_grouping_give_the_same_bits(form, f, directed, delayed):
    triads, weights = random_triads(30, 60)
    coupling = Hypergraph(triads, form, weights, n=30, directed=directed)
    phases = start(2 * kernel.LANES + 3, 30)
    sources = start(2 * kernel.LANES + 3, 30, seed=2) if delayed else None
    together = coupling.forces([f], phases, sources=sources)[0]
    for rows in (slice(0, 1), slice(5, 7), slice(3, 3 + kernel.LANES), slice(1, 2 * kernel.LANES)):
        alone = coupling.forces([f], phases[rows], sources=sources if sources is None else sources[rows])[0]
        assert np.array_equal(together[rows], alone)


@both_forms
@pytest.mark.parametrize(("n", "replicas"), [(3000, 1), (3000, 5), (50, 400), (5000, 20)])
def test_one_and_two_threads_give_the_same_bits(form, n, replicas, threads, monkeypatch):
    monkeypatch.setattr("inphase.kernels.threads.THREADS_FROM", 0)
    rng = np.random.default_rng(0)
    triads = np.sort(rng.integers(0, n, (2 * n, 3)), axis=1)
    triads = triads[(np.diff(triads, axis=1) > 0).all(axis=1)]
    coupling, f = Hypergraph(triads, form, n=n), INTERACTIONS["harmonics"]
    phases, sources = start(replicas, n), start(replicas, n, seed=2)
    found = []
    for count in (1, 2):
        threads(count)
        found.append([coupling.forces([f], phases)[0], coupling.forces([f], phases, sources=sources)[0]])
    assert np.array_equal(found[0], found[1])


# -------------------------------------------------------------------------------------------------------- xgi


def euler(model, phases, steps, dt):
    path = [np.asarray(phases, dtype=float)]
    for _ in range(steps - 1):
        path.append(path[-1] + dt * model.velocity(path[-1]))
    return np.array(path)


@pytest.mark.filterwarnings("ignore:This method is much slower")
def test_trajectory_of_the_example_of_xgi():
    xgi = pytest.importorskip("xgi")
    n, steps = 50, 150
    hypergraph = xgi.random_hypergraph(n, [0.05, 0.001], seed=3)
    links = np.zeros((n, n))
    for i, j in hypergraph.edges.filterby("size", 2).members():
        links[i, j] = links[j, i] = 1
    omega, theta = 2 * np.ones(n), np.linspace(0, 2 * np.pi, n)
    theirs, _ = xgi.simulate_kuramoto(hypergraph, k2=2, k3=3, omega=omega, theta=theta, timesteps=steps)
    triads = Hypergraph(hypergraph)
    assert len(triads.triads) == len(hypergraph.edges.filterby("size", 3)) > 5
    model = ip.PhaseModel(ip.kuramoto(), 2.0 * Sparse(links) + 3.0 * triads, frequencies=omega)
    ours = euler(model, theta, steps, 0.002)
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_simplicial_complexes_of_xgi_and_the_order_of_their_nodes():
    xgi = pytest.importorskip("xgi")
    complex_ = xgi.SimplicialComplex([["d", "a", "c"], ["a", "b"], ["b", "c", "d"]])
    coupling = Hypergraph(complex_)
    names = list(complex_.nodes)
    expected = {frozenset("acd"), frozenset("bcd")}
    assert {frozenset(names[node] for node in triad) for triad in coupling.triads} == expected
    theta = start(4)
    theirs, _ = xgi.simulate_kuramoto(
        complex_, k2=0, k3=0.7, omega=np.zeros(4), theta=theta, timesteps=2, dt=1.0
    )
    assert theta - 0.7 * coupling.forces([ip.kuramoto()], theta)[0] == pytest.approx(theirs[1], abs=1e-13)


def test_other_objects_of_xgi_are_refused(as_a_user):
    xgi = pytest.importorskip("xgi")
    with pytest.raises(TypeError, match=r"an xgi.Hypergraph or an xgi.SimplicialComplex; got .*DiHypergraph"):
        Hypergraph(xgi.DiHypergraph([({0, 1}, {2})]))
    with pytest.raises(
        ValueError, match="n must be the number of nodes of the hypergraph, 3, or left out; got 5"
    ):
        Hypergraph(xgi.Hypergraph([[0, 1, 2]]), n=5)


# ---------------------------------------------------------------------------------------------------- physics


def lorentzian(n):
    """Quantiles of the Lorentzian of width 1."""
    return np.tan(np.pi * ((np.arange(n) + 0.5) / n - 0.5))


def branches(k1, k3):
    """|R| of the two synchronized states, unstable and stable, from 0 = −r + (r/2)(k1 + k3 r²)(1 − r²)."""
    roots = np.roots([-k3, k3 - k1, k1 - 2])  # in r²
    return np.sqrt(np.sort(roots.real))


def test_order_parameter_of_pairs_and_triads_follows_ott_and_antonsen():
    """Skardal, Arenas (2020), Eq. (9): dr/dt = −r + (r/2)(K1 + K3 r²)(1 − r²)
    for Lorentzian frequencies of width 1.
    """
    from scipy.integrate import solve_ivp

    n, k1, k3 = 10_000, 1.0, 10.0
    coupling = k1 * ip.AllToAll() + k3 * AllTriads()
    model = ip.PhaseModel(ip.kuramoto(), coupling, frequencies=lorentzian(n))
    # the farthest 0.6% would only cost steps
    model = model.replace(frequencies=np.clip(model.frequencies, -100, 100))
    rng = np.random.default_rng(0)
    for r0 in (0.25, 0.6):  # the Poisson kernel of Ott and Antonsen's manifold, independent of the frequency
        u = rng.permutation((np.arange(n) + 0.5) / n)
        phases = 2 * np.arctan((1 - r0) / (1 + r0) * np.tan(np.pi * (u - 0.5)))
        times = np.linspace(0, 4, 21)
        r = ip.simulate(model, phases, times=times, tolerance=1e-5).order_parameter.values
        theory = solve_ivp(
            lambda t, r: -r + r / 2 * (k1 + k3 * r**2) * (1 - r**2), (0, 4), [r0], t_eval=times, rtol=1e-9
        )
        assert r == pytest.approx(theory.y[0], abs=5 / np.sqrt(n))
    low, high = branches(k1, k3)
    assert 0.25 < low < 0.6 < high and r[-1] == pytest.approx(high, abs=5 / np.sqrt(n))


def test_other_form_alone_has_the_moment_of_ott_and_antonsen():
    """On the same manifold Z_h = r^h, so that the pull of "j+k-2i" is r² sin(−2θ)."""
    n, r = 100_000, 0.6
    theta = 2 * np.arctan((1 - r) / (1 + r) * np.tan(np.pi * ((np.arange(n) + 0.5) / n - 0.5)))
    first, second = (AllTriads(form).forces([ip.kuramoto()], theta)[0] for form in FORMS)
    assert first == pytest.approx(r**3 * np.sin(theta), abs=1e-9)
    assert second == pytest.approx(r**2 * np.sin(2 * theta), abs=1e-9)


# ----------------------------------------------------------------------------------- what they say, bad input


def test_triads_are_no_pairs():
    for coupling in (Hypergraph([(0, 1, 2)]), AllTriads()):
        for ask in (coupling.matrix, coupling.edges, (2 * coupling).matrix, (2 * coupling).edges):
            with pytest.raises(ValueError, match=r"are not pairs: it has no matrix K_ij"):
                ask(3)
        assert not coupling.positive
        with pytest.raises(ValueError, match="needs positive sums"):
            ip.PhaseModel(ip.attention(1.0), coupling, gain="softmax")


def test_size_repr_and_numbers_for_provenance():
    coupling = Hypergraph([(0, 1, 4), (3, 2, 1)], "j+k-2i", [1.0, -2.0], directed=True)
    assert coupling.size == 5 and repr(coupling) == 'Hypergraph(n = 5, 2 triads, "j+k-2i", directed)'
    data = json.loads(json.dumps(coupling.to_dict()))
    assert data.pop("kind") == "Hypergraph"
    again, phases = Hypergraph(**data), start(5)
    assert np.array_equal(
        again.forces([ip.kuramoto()], phases)[0], coupling.forces([ip.kuramoto()], phases)[0]
    )
    assert AllTriads().size is None and AllTriads(weights=[1.0, 2.0]).size == 2
    assert AllTriads("j+k-2i", [1.0, 2.0]).to_dict() == {
        "kind": "AllTriads",
        "form": "j+k-2i",
        "weights": [1.0, 2.0],
    }
    assert (
        repr(AllTriads()) == 'AllTriads("2j-k-i")'
        and repr(AllTriads(weights=[1, 2])) == 'AllTriads("2j-k-i", n = 2)'
    )
    with pytest.raises(ValueError, match="the coupling Hypergraph is for 5"):
        ip.PhaseModel(ip.kuramoto(), coupling).velocity(np.zeros(4))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"triads": [(0, 1)]}, ValueError, r"triads must have shape \(edges, 3\); got shape \(1, 2\)"),
        ({"triads": [(0, 1, 2), (0, 1)]}, ValueError, "three nodes each; got rows of different lengths"),
        (
            {"triads": [(0.0, 1.0, 2.0)]},
            TypeError,
            r"triads must be integers, the numbers of nodes; got .*float64",
        ),
        (
            {"triads": [(0, 1, 2), (1, 2, 1)]},
            ValueError,
            r"three different nodes; got \[1, 2, 1\] at index 1",
        ),
        ({"triads": [(0, 1, -2)]}, ValueError, r"nodes from 0 to n - 1 = 1; got \[0, 1, -2\] at index 0"),
        (
            {"triads": [(0, 1, 5)], "n": 5},
            ValueError,
            r"nodes from 0 to n - 1 = 4; got \[0, 1, 5\] at index 0",
        ),
        ({"triads": []}, ValueError, "n, the number of oscillators, must be given where there are no triads"),
        ({"triads": [], "n": 0}, ValueError, "n must be an integer >= 1; got 0"),
        (
            {"triads": [(0, 1, 2)], "weights": [1.0, 2.0]},
            ValueError,
            r"must be .* shape \(1,\), one per triad; got \(2,\)",
        ),
        (
            {"triads": [(0, 1, 2)], "weights": [np.nan]},
            ValueError,
            "weights must be finite; got nan at index 0",
        ),
        (
            {"triads": [(0, 1, 2)], "form": "i+j"},
            ValueError,
            "form must be one of '2j-k-i', 'j\\+k-2i'; got 'i\\+j'",
        ),
    ],
)
def test_bad_hypergraphs_are_refused(arguments, error, message, as_a_user):
    with pytest.raises(error, match=message):
        Hypergraph(**arguments)


def test_bad_all_triads_are_refused(as_a_user):
    with pytest.raises(ValueError, match="form must be one of"):
        AllTriads("sin")
    with pytest.raises(ValueError, match=r"weights must have shape \(n,\) with n >= 1; got shape \(0,\)"):
        AllTriads(weights=np.empty(0))
    with pytest.raises(ValueError, match="weights must be finite; got inf at index 1"):
        AllTriads(weights=[1.0, np.inf])
