"""Networks in parts that hear nobody outside: refuted, whatever else they are; others never by this theorem."""

import copy
import itertools

import numpy as np
import pytest
from scipy import sparse

import inphase as ip
from inphase import certify
from inphase.certify import checker
from inphase.coupling.parts import closed_parts, hearing, isolated

TRIANGLE = np.ones((3, 3)) - np.eye(3)
TWO = np.kron(np.eye(2), TRIANGLE)
TWO_ROOTS = np.array([[0, 0, 0], [1, 0, 2], [0, 0, 0]])  # 1 hears 0 and 2
ONE_ROOT = np.array([[0, 0, 0], [1, 0, 0], [1, 0, 0]])


def theorem(found):
    return found.verdict, found.theorems


REFUTED = {
    "two triangles": (TWO, [[0, 1, 2], [3, 4, 5]]),
    "a node without links": (np.pad(TRIANGLE, (0, 1)), [[0, 1, 2], [3]]),
    "nobody hears anybody": (np.zeros((3, 3)), [[0], [1], [2]]),
    "two roots": (TWO_ROOTS, [[0], [2]]),
    "a self-loop": (np.eye(2), [[0], [1]]),
    "other weights": (TWO * np.arange(1.0, 7.0), [[0, 1, 2], [3, 4, 5]]),
}


@pytest.mark.parametrize("name", REFUTED)
def test_two_parts_are_refuted_with_the_parts(name):
    matrix, parts = REFUTED[name]
    for subject in (
        matrix,
        ip.PhaseModel(ip.kuramoto(), ip.Sparse(matrix)),
        ip.PhaseModel(ip.kuramoto(), ip.Dense(matrix)),
    ):
        found = certify.synchronization(subject)
        assert theorem(found) == ("refuted", ("parts",)) and found.verify()
        assert found.claim["model"]["coupling"]["parts"] == parts
        assert (
            found.statement.startswith("Almost no start synchronizes")
            and "; ".join(map(str, parts)) in found.statement
        )


def test_any_interaction_at_one_number_of_each_range():
    for subject, ranges in (
        ("sin(x) + a*sin(2*x)", {"a": (0, "1/3")}),
        ("-sin(x) + cos(2*x)", {}),
        ("attention", {"beta": (-1, 2)}),
    ):
        found = certify.synchronization(subject, graph=TWO, **ranges)
        assert theorem(found) == ("refuted", ("parts",)) and found.verify()
        assert ranges == {} or next(iter(ranges)) in found.statement
    found = certify.synchronization("attention", graph=TWO, beta=(1, "inf"))
    assert theorem(found) == ("refuted", ("parts",)) and "beta = 2.0" in found.statement  # at one point of it
    softmax = ip.PhaseModel(ip.attention(2.0), ip.Sparse(TWO), gain="softmax")
    assert certify.synchronization(softmax).verdict == "undecided"  # such a gain can vanish


def of(coupling=None, **parts):
    return ip.PhaseModel(ip.kuramoto(), ip.Sparse(TWO) if coupling is None else coupling, **parts)


OPEN = {
    "a gain of all phases": of(gain=lambda t: 2 + np.cos(t - np.roll(t, 1, -1))),
    "a field": of(field=0.5),
    "common noise": of(common_noise=0.1),
    "different frequencies": of(frequencies=np.arange(6.0)),
    "one root": of(ip.Sparse(ONE_ROOT)),
    "one root, by factors": of(ip.RankOne([1, 1], [1, 0])),
    "causal": of(ip.Causal(), frequencies=np.zeros(4)),
}  # fmt: skip


@pytest.mark.parametrize("name", OPEN)
def test_what_may_synchronize_is_not_refuted(name):
    found = certify.synchronization(OPEN[name])
    assert found.verdict == "undecided" and "cannot synchronize" not in found.statement


def test_a_field_brings_parts_together_that_do_not_hear_each_other():
    run = ip.simulate(OPEN["a field"], ip.initial.phases("uniform", n=6, seed=1), t_end=60.0)
    assert abs(ip.order_parameter(run.phase.values[-1])) == pytest.approx(1.0, abs=1e-9)


def test_closed_parts_by_their_definition():
    """Against all subsets: the least closed sets, on random directed graphs."""
    rng = np.random.default_rng(3)
    for _ in range(60):
        heard = (rng.random((5, 5)) < 0.25) & ~np.eye(5, dtype=bool)
        closed = [
            set(nodes) for size in range(1, 6) for nodes in itertools.combinations(range(5), size)
            if not heard[np.ix_(nodes, [j for j in range(5) if j not in nodes])].any()
        ]  # fmt: skip
        least = [s for s in closed if not any(other < s for other in closed)]
        links = ip.Sparse(heard.astype(float)).edges(5)
        assert [set(part.tolist()) for part in closed_parts(links)] == sorted(least, key=min)
        refuted = (
            certify.synchronization(heard.astype(float)).verdict == "refuted" if len(least) > 1 else False
        )
        assert refuted == (len(least) > 1)
        alone = [i for i in range(5) if not heard[i].any() and not heard[:, i].any()]
        assert isolated(links).tolist() == alone


def test_triads_and_sums_are_heard():
    n = 5
    triads = ip.Hypergraph([(0, 1, 2)], n=n) + ip.Sparse(np.eye(n, k=1)[:, :] * (np.arange(n) == 3)[:, None])
    parts = closed_parts(hearing(triads.terms(n), n))
    assert [part.tolist() for part in parts] == [[0, 1, 2], [4]]
    assert hearing(ip.AllToAll().terms(n), n) is None


FORGED = {
    "an edge out of a part": lambda c: c["edges"].append([0, 3]),
    "one part": lambda c: c["parts"].pop(),
    "the same part twice": lambda c: c["parts"].__setitem__(1, c["parts"][0]),
    "an empty part": lambda c: c["parts"].__setitem__(1, []),
    "a stranger": lambda c: c["parts"].__setitem__(1, [6]),
    "true for 1": lambda c: c["parts"].__setitem__(0, [0, True, 2]),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_parts_are_not_verified(name):
    data = copy.deepcopy(certify.synchronization(TWO).to_dict())
    FORGED[name](data["claim"]["model"]["coupling"])
    data["claim"]["statement"] = checker.statement(data["claim"])
    with pytest.raises(checker.Rejected):
        checker.verify(data)


@pytest.mark.parametrize("change", [{"gain": "none or positive"}, {"field": 1}, {"formula": "x"}])
def test_other_models_are_not_verified(change):
    data = copy.deepcopy(certify.synchronization(TWO).to_dict())
    data["claim"]["model"] |= change
    data["claim"]["statement"] = checker.statement(data["claim"])
    with pytest.raises(checker.Rejected):
        checker.verify(data)


def test_a_study_names_parts_and_isolated_nodes_first():
    graph = ip.graphs.Graph(np.pad(TWO, (0, 1)), labels=list("abcdefg"))
    model = ip.PhaseModel(ip.kuramoto(), ip.Sparse(graph))
    answer = ip.study(model, graph=graph, t_end=1.0).summary["answer"]
    assert answer.startswith(
        "3 parts of the network hear nobody outside them (a, b, c; d, e, f; isolated: g): almost no"
    )
    assert "Proved: not from every start" in answer
    whole = ip.study(ip.PhaseModel(ip.kuramoto(), ip.Sparse(TRIANGLE)), t_end=1.0, proof_time=0).summary[
        "answer"
    ]
    assert "parts" not in whole


NOT_SMOOTH = ["1/(a + cos(x))", "log(a + cos(x))", "sin(x)/sqrt(sin(x)**2 + a - 1)"]


@pytest.mark.parametrize("formula", NOT_SMOOTH)
def test_an_interaction_that_is_not_finite_is_refuted_at_none_of_its_numbers(formula):
    """At a = 1 each of them is singular, or has a kink; at a = 3 none."""
    data = certify.synchronization(formula, graph=TWO, a=3).to_dict()
    checker.verify(data)
    data["claim"]["model"]["parameters"]["a"] = [[1, 1], [1, 1]]
    data["leaves"][0]["box"]["a"]["mid"] = [1, 0]
    data["claim"]["statement"] = checker.statement(data["claim"])
    with pytest.raises(checker.Rejected, match="finite and smooth"):
        checker.verify(data)


@pytest.mark.parametrize(
    "formula", ["y*sin(x)", "foo(sin(x))", "tan(x)", "sqrt(-1)", "sin(x)/0", "None", "log(cos(x))"]
)
def test_what_is_no_interaction_is_not_verified(formula):
    data = certify.synchronization("sin(x)", graph=TWO).to_dict()
    data["claim"]["model"]["formula"] = formula
    data["claim"]["statement"] = checker.statement(data["claim"])
    with pytest.raises(checker.Rejected):
        checker.verify(data)


def test_gains_may_vanish_and_join_parts():
    for graph in (np.zeros((3, 3)), -TWO):
        model = ip.PhaseModel(ip.attention(2.0), gain="softmax")
        assert certify.synchronization(model, graph=graph).verdict == "undecided"


def test_entries_that_are_given_twice_add_up_as_numbers():
    places = (np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    pair = sparse.coo_array((np.full(4, 128, dtype=np.uint8), places), shape=(2, 2))
    assert certify.synchronization(pair).verdict == "proved"


def test_edges_are_different_pairs():
    data = certify.synchronization("sin(x)", graph=TWO).to_dict()
    edges = data["claim"]["model"]["coupling"]["edges"]
    for other in ({}, "", [*edges, edges[0]]):
        data["claim"]["model"]["coupling"]["edges"] = other
        data["claim"]["statement"] = checker.statement(data["claim"])
        with pytest.raises(checker.Rejected):
            checker.verify(data)
