"""The theorems as objects: prover and checker know the same ones, and every list of them follows from the objects."""

import numpy as np

from inphase import certify
from inphase.certify import checker
from inphase.certify.crossings import CRITERIA
from inphase.certify.diagram import RANKED
from inphase.certify.stable import REFUTATIONS
from inphase.certify.theorems import THEOREMS


def test_prover_and_checker_know_the_same_theorems():
    assert {theorem.verified_as or name for name, theorem in THEOREMS.items()} == set(checker.PROVE)
    assert set(REFUTATIONS) == set(checker.REFUTE)
    graphs = checker.COUPLINGS - {"all-to-all", "rank-one"}
    for theorem in THEOREMS.values():
        is_all = (theorem.verified_as or theorem.name) in checker.ALL_TO_ALL
        assert set(theorem.couplings) <= ({"all-to-all", "rank-one"} if is_all else graphs)


def test_theorems_are_tried_in_the_order_of_their_cost():
    assert list(THEOREMS) == [
        "attention-count",
        "attention-three",
        "attention-l1-infinity",
        "degree",
        "two-phases",
        "l1",
        "l1-pi",
        "trigonometric",
        "trigonometric-pi",
        "two-neighbors",
        "two-neighbors-trigonometric",
        "cluster-count",
    ]
    costs = [theorem.cost for theorem in THEOREMS.values()]
    assert costs == sorted(costs)
    assert [name for name, theorem in THEOREMS.items() if theorem.dear] == list(THEOREMS)[-3:]
    assert all(name == theorem.name and theorem.source for name, theorem in THEOREMS.items())


def test_a_diagram_prefers_by_rank():
    ranks = [theorem.rank for theorem in RANKED]
    assert ranks == sorted(set(ranks)) and [theorem.name for theorem in RANKED] == [
        "l1-pi",
        "trigonometric-pi",
        "l1",
        "trigonometric",
        "two-neighbors",
        "two-neighbors-trigonometric",
        "cluster-count",
    ]


def test_each_crossing_of_a_figure_is_where_the_criterion_stops():
    for name, criterion in CRITERIA.items():
        at = criterion.crossing
        for beta, verdict in ((at + 1e-4, "proved"), (at - 1e-4, "undecided")):
            answer = certify.synchronization("attention", theorems=[name], refutation=False, beta=beta)
            assert answer.verdict == verdict, (name, beta)
            assert np.isfinite(answer.margin) and abs(answer.margin) < 0.01


def test_a_theorem_is_found_where_a_file_has_it(tmp_path, monkeypatch):
    from inphase.certify import theorems

    source = """
from inphase.certify.theorem import Attempt, Theorem

NEW = Theorem("new", "...", (), "nowhere", lambda box: Attempt(None, reason="no"), cost=1)
"""
    (tmp_path / "new_family.py").write_text(source)
    monkeypatch.setattr(theorems, "__path__", [*theorems.__path__, str(tmp_path)])
    found = theorems.collected()
    assert list(found)[-4:-3] == ["new"] and set(found) == {*THEOREMS, "new"}
