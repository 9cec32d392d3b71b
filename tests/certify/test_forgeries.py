"""Forgeries and misreadings that were once accepted, or once issued."""

import contextlib
import json

import numpy as np
import pytest
from scipy.sparse import csr_array

import inphase as ip
from inphase.certify import check, checker, synchronization


def forged(tmp_path, model, leaf, verdict="proved", text=None):
    """A certificate file with the sentence that its claim has."""
    whole = {
        "coupling": {"kind": "all-to-all", "weights": "any positive"},
        "gain": "none",
        "frequencies": 0,
        "field": 0,
    }
    claim = {"verdict": verdict, "statement": "", "model": whole | model}
    with contextlib.suppress(checker.Rejected, TypeError):
        claim["statement"] = checker.statement(claim)
    path = tmp_path / "forged.json"
    data = {"schema": 1, "claim": claim, "leaves": [leaf], "information": {}}
    path.write_text(json.dumps(data) if text is None else text(data))
    return path


ATTENTION = {"formula": "sin(x)*exp(beta*(cos(x) - 1))", "parameters": {"beta": [[-5, 1], [-5, 1]]}}


@pytest.mark.parametrize(
    "s", [[12566370614359173, 10**15], [126, 10], [12567, 1000], [4, 1], [-1, 1], [1, 1]]
)
@pytest.mark.parametrize("kernel", ["trigonometric", "constant"])
def test_a_bound_of_two_neighbors_beyond_pi_proves_nothing(tmp_path, s, kernel):
    leaf = {
        "theorem": "two-neighbors",
        "kernel": kernel,
        "s": s,
        "box": {"beta": {"mid": [-5, 0], "rad": [0, 0]}},
    }
    assert not check(forged(tmp_path, ATTENTION, leaf))


@pytest.mark.parametrize("name", ["𝑎", "𝑥", "ｐｉ", "None", "sin", "x", "pi", "lambda", "a b", ""])
def test_parameters_have_plain_names(tmp_path, name):
    box = {"a": {"mid": [0, 0], "rad": [0, 0]}, name: {"mid": [0, 0], "rad": [5, 0]}}
    model = {
        "formula": f"sin(x) + {name}*sin(2*x)",
        "parameters": {"a": [[0, 1], [0, 1]], name: [[-5, 1], [5, 1]]},
    }
    assert not check(forged(tmp_path, model, {"theorem": "l1", "largest_gap": "2 pi", "box": box}))


L1 = {"theorem": "l1", "largest_gap": "2 pi", "box": {}}


def test_the_plain_claim_is_accepted(tmp_path):
    assert check(forged(tmp_path, {"formula": "sin(x)", "parameters": {}}, L1))


@pytest.mark.parametrize("formula", ["sin(x) # + 3*cos(x)", "sin(x)\n", "sin(\\\nx)", "sin(ｘ)", "sin(x)\t"])
def test_formulas_have_no_room_for_comments(tmp_path, formula):
    assert not check(forged(tmp_path, {"formula": formula, "parameters": {}}, L1))


@pytest.mark.parametrize(
    "n", ["any number of oscillators on every graph; likewise 5", -3, 0, 1, True, 2.0, [3], None, 10**30]
)
def test_numbers_of_oscillators_are_integers(tmp_path, n):
    coupling = {"kind": "all-to-all", "weights": "any positive", "n": n}
    assert not check(forged(tmp_path, {"formula": "sin(x)", "parameters": {}, "coupling": coupling}, L1))


def test_a_key_that_is_repeated_is_refused(tmp_path):
    def twice(data):
        return json.dumps(data).replace('"claim":', '"claim": {}, "claim":', 1)

    assert not check(forged(tmp_path, {"formula": "sin(x)", "parameters": {}}, L1, text=twice))


@pytest.mark.parametrize("ends", [["inf", "inf"], ["-inf", "-inf"]])
def test_ranges_at_infinity_are_empty(tmp_path, ends):
    leaf = {
        "theorem": "attention-l1-infinity",
        "box": {"beta": {"inverse": True, "mid": [1, -1], "rad": [1, -1]}},
    }
    assert not check(forged(tmp_path, ATTENTION | {"parameters": {"beta": ends}}, leaf))


def test_huge_numbers_do_not_stop_the_checker(tmp_path):
    assert not check(forged(tmp_path, {"formula": f"sin({10**45}*x)", "parameters": {}}, L1))


@pytest.mark.parametrize("weights", [[2, 1, 1, 2], [10, 1, 1], [3, 1, 1, 1], [1, 2, 4], [1, 2, 3]])
@pytest.mark.parametrize("beta", [-0.7, -0.68])
def test_models_with_weights_of_their_own_are_not_taken_for_equal_ones(weights, beta):
    model = ip.PhaseModel(ip.attention(beta), ip.AllToAll(weights))
    for n in (None, len(weights)):
        assert synchronization(model, n=n).verdict == "undecided"
    with pytest.raises(ValueError, match="contradicts"):
        synchronization(model, n=7)


def test_a_model_of_five_is_not_refuted_by_three():
    model = ip.PhaseModel(ip.attention(-0.68), frequencies=np.zeros(5))
    assert synchronization(model).verdict == "proved"
    with pytest.raises(ValueError, match="contradicts"):
        synchronization(model, n=9)


def test_entries_of_a_matrix_that_repeat_are_one_edge():
    rows = [i for i in range(5) for d in (1, 4)] * 2
    columns = [(i + d) % 5 for i in range(5) for d in (1, 4)] * 2
    order = np.lexsort((columns, rows))
    pointer = np.concatenate([[0], np.cumsum(np.bincount(rows))])
    twice = csr_array((np.ones(20), np.array(columns)[order], pointer), shape=(5, 5))
    assert synchronization(twice).verdict != "proved"


@pytest.mark.parametrize(
    "graph",
    [
        {"kind": "circulant", "n": 7, "offsets": [1, 1, 1]},
        {"kind": "graph", "n": 5, "edges": [[0, 1], [0, 1], [1, 2], [2, 3], [3, 4], [4, 0]] * 4},
        {"kind": "graph", "n": 3, "edges": [[0, 0], [1, 1], [2, 2], [0, 1], [1, 2]]},
        {"kind": "all-to-all", "weights": "negative"},
    ],
)
def test_no_verdict_leaves_without_the_checker(graph):
    with contextlib.suppress(ValueError, KeyError):
        assert synchronization("sin(x)", graph=graph).verdict == "undecided"


@pytest.mark.parametrize("name", ["pi", "x", "sin", "𝑎"])
def test_interactions_refuse_names_that_formulas_use(name):
    with pytest.raises(ValueError, match="cannot be called"):
        ip.Interaction(lambda x, m, **p: m.sin(x) * p[name], **{name: 1.0})
