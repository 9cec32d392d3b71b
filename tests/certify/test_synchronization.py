"""The verdicts: what must be proved, refuted, left open, refused."""

import json
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from flint import arb
from scipy.sparse import csr_array

import inphase as ip
from inphase import certify
from inphase.certify import checker
from inphase.certify.networks import ring

EDGE = -2 / 3 + 1e-6


def verified(certificate) -> bool:
    return certificate.verify()


def test_attention_beyond_minus_two_thirds_in_one_certificate(tmp_path):
    proof = certify.synchronization("attention", beta=(EDGE, "inf"))
    assert proof.verdict == "proved" and proof.margin > 0
    assert certify.check(proof.save(tmp_path / "proof.json"))
    claim = json.loads(proof.to_json())["claim"]["model"]
    assert (
        claim["coupling"] == {"kind": "all-to-all", "weights": "any positive"}
        and claim["gain"] == "none or positive"
    )


@pytest.mark.parametrize(
    ("lo", "theorem"), [pytest.param("-0.2615619", "l1-pi", marks=pytest.mark.long), ("-0.19214", "l1")]
)
def test_the_l1_criterion_alone(lo, theorem):
    proof = certify.synchronization(
        "attention", theorems=[theorem, "attention-l1-infinity"], beta=(lo, "inf")
    )
    assert proof.verdict == "proved" and verified(proof)


@pytest.mark.parametrize(("lo", "theorem"), [("-0.261562", "l1-pi"), ("-0.19215", "l1")])
def test_the_l1_criterion_fails_beyond_its_crossing(lo, theorem):
    answer = certify.synchronization("attention", theorems=[theorem], refutation=False, beta=(lo, "-0.1"))
    assert answer.verdict == "undecided" and answer.margin < 0 and not verified(answer)


@pytest.mark.parametrize(
    ("lo", "theorem"),
    [pytest.param("-0.3389", "trigonometric-pi", marks=pytest.mark.long), ("-0.258", "trigonometric"),
     ("-0.3393", "two-neighbors"), ("-0.4028", "two-neighbors-trigonometric")],
)  # fmt: skip
def test_the_sharper_forms(lo, theorem):
    proof = certify.synchronization("attention", theorems=[theorem], beta=(lo, 0))
    assert proof.verdict == "proved" and verified(proof)


@pytest.mark.parametrize("beta", ["-0.7", -1, -5])
@pytest.mark.parametrize("n", [3, 6, 30])
def test_below_minus_two_thirds_is_refuted(beta, n):
    answer = certify.synchronization("attention", beta=beta, n=n)
    assert answer.verdict == "refuted" and verified(answer)


@pytest.mark.parametrize("n", [4, 5])
def test_other_n_just_below_minus_two_thirds_are_proved(n):
    proof = certify.synchronization("attention", beta="-0.68", n=n)
    assert proof.verdict == "proved" and verified(proof)


def test_at_minus_two_thirds():
    assert certify.synchronization("attention", beta="-2/3", n=7).verdict == "proved"
    assert certify.synchronization("attention", beta="-2/3", n=6).verdict == "undecided"
    assert certify.synchronization("attention", beta="-2/3").verdict == "undecided"


def test_a_half_line_is_refuted():
    answer = certify.synchronization("attention", beta=("-inf", -0.7), n=6)
    assert answer.verdict == "refuted" and verified(answer) and "(-inf" in answer.statement


def test_n_beyond_its_threshold_is_refuted():
    answer = certify.synchronization("attention", beta=-1.5, n=5)
    assert answer.verdict == "refuted" and verified(answer) and answer.leaves[0]["theorem"] == "stable-state"


@pytest.mark.parametrize("gain", [None, "softmax"])
@pytest.mark.parametrize("weights", [None, np.array([1.0, 2.0, 0.5])])
def test_models(gain, weights):
    model = ip.PhaseModel(ip.attention(4.0), ip.AllToAll(weights), gain=gain)
    proof = certify.synchronization(model)
    assert proof.verdict == "proved" and verified(proof) and f"gain {gain or 'none'}" in proof.statement


def test_rank_one_with_positive_factors():
    model = ip.PhaseModel(ip.kuramoto(), ip.RankOne(np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 0.1])))
    proof = certify.synchronization(model)
    assert proof.verdict == "proved" and verified(proof)
    mixed = ip.PhaseModel(ip.kuramoto(), ip.RankOne(np.array([1.0, -2.0, 3.0]), np.ones(3)))
    assert certify.synchronization(mixed).verdict == "undecided"


def test_a_gain_of_the_user_is_a_stated_assumption():
    model = ip.PhaseModel(ip.kuramoto(), gain=lambda phases: 2 + np.cos(phases))
    proof = certify.synchronization(model)
    assert proof.verdict == "proved" and "asserted" in proof.assumptions[0]


@pytest.mark.parametrize("parts", [{"frequencies": [0.0, 1.0]}, {"field": 0.1}])
def test_models_that_are_no_gradient_flow_are_undecided(parts):
    answer = certify.synchronization(ip.PhaseModel(ip.kuramoto(), **parts))
    assert answer.verdict == "undecided"


def test_equal_frequencies_are_a_rotating_frame():
    assert certify.synchronization(ip.PhaseModel(ip.kuramoto(), frequencies=[2.0, 2.0])).verdict == "proved"


def test_general_formulas():
    assert certify.synchronization("sin(x) + a*sin(2*x)", a=(0, "0.2")).verdict == "proved"
    count = certify.synchronization("sin(x) + a*sin(2*x)", theorems=["cluster-count"], a=(0, "0.05"))
    assert count.verdict == "proved" and verified(count)
    apart = certify.synchronization("sin(x) + a*sin(2*x)", a=2)  # f'(π) > 0: the antipodal pair is stable
    assert apart.verdict == "refuted" and verified(apart)


def test_repulsion_is_never_proved():
    assert certify.synchronization("-sin(x)").verdict == "undecided"
    assert certify.synchronization("a*sin(x)", a=(-1, 1)).verdict == "undecided"


# ----------------------------------------------------------------------------------------------------- graphs


@pytest.mark.parametrize("n", [5, 6, 12, 101])
def test_rings_are_refuted_by_a_twisted_state(n):
    answer = certify.synchronization("sin(x)", graph=ring(n))
    assert answer.verdict == "refuted" and verified(answer) and answer.leaves[0]["theorem"] == "twisted-state"


def test_small_rings():
    assert certify.synchronization("sin(x)", graph=ring(4)).verdict == "undecided"  # degree 2 < 0.75 · 3
    assert certify.synchronization("sin(x)", graph=ring(3)).verdict == "proved"


def complete_minus(n, missing):
    a = np.ones((n, n)) - np.eye(n)
    for i, j in missing:
        a[i, j] = a[j, i] = 0
    return a


def test_a_complete_graph_minus_few_edges_is_proved_by_degree():
    proof = certify.synchronization(csr_array(complete_minus(12, [(0, 1), (0, 2), (3, 4)])))
    assert proof.verdict == "proved" and proof.theorems == ("degree",) and verified(proof)


def test_a_least_degree_of_exactly_three_quarters_is_left_open():
    answer = certify.synchronization(csr_array(complete_minus(9, [(0, 1), (0, 2)])))
    assert answer.verdict == "undecided" and "not above" in answer.statement


def test_a_graph_is_refuted_by_a_certified_state():
    a = complete_minus(3, [])  # a ring of nine, one chord: not circulant
    a = np.zeros((9, 9))
    for i in range(9):
        a[i, (i + 1) % 9] = a[(i + 1) % 9, i] = 1
    a[0, 2] = a[2, 0] = 1
    answer = certify.synchronization(a)
    assert answer.verdict == "refuted" and answer.leaves[0]["theorem"] == "stable-state" and verified(answer)


def test_edge_lists(tmp_path):
    path = tmp_path / "ring.edgelist"
    path.write_text("# a ring\n" + "".join(f"{i} {(i + 1) % 7}\n" for i in range(7)))
    assert certify.synchronization(path).verdict == "refuted"
    path.write_text("0 1\n1 2 5\n")
    with pytest.raises(ValueError, match="line 2"):
        certify.synchronization(path)


def test_directed_and_weighted_graphs_are_refused():
    a = complete_minus(4, [])
    a[0, 1] = 0
    with pytest.raises(ValueError, match="directed"):
        certify.synchronization(a)
    a = complete_minus(4, [])
    a[0, 1] = a[1, 0] = 2
    with pytest.raises(ValueError, match="weights"):
        certify.synchronization(a)


# -------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("subject", ["cos(x)", "sin(x) + 0.1*cos(x)", "exp(sin(x))"])
def test_an_interaction_that_is_not_odd_is_undecided(subject):
    answer = certify.synchronization(subject)
    assert answer.verdict == "undecided" and "odd" in answer.statement


def test_an_interaction_that_only_looks_periodic_is_undecided():
    answer = certify.synchronization("sin(x) + 1e-14*x")
    assert answer.verdict == "undecided" and "periodic" in answer.statement
    assert certify.synchronization("sin(x)*exp(1e-12*atan(x)**2)").verdict == "undecided"


def test_sakaguchi_is_undecided():
    assert certify.synchronization("sakaguchi", lag=0.1).verdict == "undecided"


@pytest.mark.parametrize(
    ("subject", "ranges", "words"),
    [
        ("abs(x)", {}, "analytic"),
        ("attention", {"beta": (1, 0)}, "empty"),
        ("attention", {"beta": float("nan")}, "NaN"),
        ("attention", {"beta": (0, float("nan"))}, "NaN"),
        ("attention", {"beta": (0, 1, 2)}, "pair"),
        ("attention", {"beta": "one"}, "numbers"),
        ("attention", {"gamma": 1}, "gamma|beta"),
        ("sin(x)", {"a": 1}, "unknown parameter"),
    ],
)
def test_bad_ranges_are_refused(subject, ranges, words):
    with pytest.raises(ValueError, match=words):
        certify.synchronization(subject, **ranges)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="at least 2"):
        certify.synchronization("sin(x)", n=1)
    with pytest.raises(ValueError, match="unknown theorem"):
        certify.synchronization("sin(x)", theorems=["magic"])
    with pytest.raises(TypeError):
        certify.synchronization(7)


def test_a_false_proof_is_not_produced_or_accepted():
    proof = certify.synchronization("attention", beta=(-0.66, 0), n=3)
    for theorem in certify.THEOREMS:
        assert (
            certify.synchronization("attention", theorems=[theorem], beta=-0.7, n=3, refutation=False).verdict
            == "undecided"
        )
    data = json.loads(proof.to_json())
    data["claim"]["model"]["parameters"]["beta"] = [[-7, 10], [-7, 10]]
    data["claim"]["statement"] = checker.statement(data["claim"])
    low = Fraction(-0.7)
    for theorem in checker.PROVE:
        for gap in ("pi", "2 pi"):
            box = {"beta": {"mid": [low.numerator, -(low.denominator.bit_length() - 1)], "rad": [1, -50]}}
            leaf = {"theorem": theorem, "box": box, "largest_gap": gap, "kernel": "trigonometric", "s": None}
            leaf |= {"a": [1, 2], "strip": [5, 2], "samples": 128}
            with pytest.raises((checker.Rejected, KeyError, TypeError)):
                checker.verify(data | {"leaves": [leaf]})


def test_interaction_and_margin_are_reported():
    answer = certify.synchronization("attention", beta=-0.7, n=4)
    assert answer.verdict == "undecided" and "Neither" in answer.statement and answer.margin < 0
    assert arb(1) > 0


def test_a_softmax_gain_must_be_positive():
    # h = 1 + 2a cos x changes sign for |a| > 1/2, and with it the gain
    model = ip.PhaseModel(ip.Interaction("sin(x) + a*sin(2*x)", a=0.25), gain="softmax")
    assert certify.synchronization(model).verdict == "proved"
    parts = {"coupling": ip.AllToAll(), "gain": "softmax", "frequencies": 0.0, "field": 0.0}
    model = SimpleNamespace(interaction=ip.Interaction("sin(x) + a*sin(2*x)", a=2.0), **parts)
    assert certify.synchronization(model).verdict == "undecided"


@pytest.mark.parametrize(
    "formula", ["sin(x)*sqrt(2 + cos(x))", "sin(x)*log(3 + cos(x)) + atan(sin(x))*tanh(cos(x) + 2)"]
)
def test_other_analytic_formulas(formula):
    proof = certify.synchronization(formula)
    assert proof.verdict == "proved" and verified(proof)


@pytest.mark.parametrize("formula", ["sin(x)*sqrt(1 + cos(x))", "sin(x)*sqrt(cos(x)**2)"])
def test_formulas_that_are_not_analytic_everywhere_are_not_proved(formula):
    # sin x |cos x| has a stable state where it is smooth
    assert certify.synchronization(formula).verdict != "proved"


def test_a_range_with_a_refuted_part_is_refuted_there():
    answer = certify.synchronization("sin(x)*exp(beta*(cos(x)-1)) + c*sin(2*x)", beta=(0.5, 1), c=(0, 0.1))
    assert answer.verdict == "refuted" and verified(answer)


@pytest.mark.parametrize("lo", ["-2/3", pytest.param("-0.69", marks=pytest.mark.long)])
def test_a_half_line_for_five(lo):
    proof = certify.synchronization("attention", beta=(lo, "inf"), n=5)
    assert proof.verdict == "proved" and verified(proof)


# -------------------------------------------------------------------------------------- graphs beside a model


def test_a_graph_does_not_replace_the_coupling_of_a_model():
    f, square = ip.kuramoto(), complete_minus(5, [])
    assert certify.synchronization(ip.PhaseModel(f), graph=square).verdict == "proved"
    assert certify.synchronization(ip.PhaseModel(f, frequencies=np.ones(5)), graph=square).verdict == "proved"
    for coupling in (
        ip.coupling.Sparse(square),
        ip.AllToAll(np.ones(5)),
        ip.coupling.Causal(),
        ip.coupling.Ring(1),
    ):
        with pytest.raises(ValueError, match="coupling of its own"):
            certify.synchronization(ip.PhaseModel(f, coupling), graph=ring(5))
    with pytest.raises(ValueError, match="model's 4 oscillators; got 5"):
        certify.synchronization(ip.PhaseModel(f, frequencies=np.ones(4)), graph=square)
    with pytest.raises(ValueError, match="subject is a graph itself"):
        certify.synchronization(square, graph=square)


LEGAL = {
    "weights": lambda a: ip.coupling.Dense(
        np.where(np.arange(6) == 1, 2, 1) * a * np.where(np.arange(6) == 1, 2, 1)[:, None]
    ),
    "equal positive weights": lambda a: ip.coupling.Sparse(-a) + 0 * ip.coupling.Sparse(a),
    "diagonal": lambda a: ip.coupling.Dense(a + np.eye(6)),
    "diagonal ": lambda a: ip.coupling.Ring.from_kernel(lambda x: 1 + 0 * x, 6),
    "directed": lambda a: ip.coupling.Sparse(np.triu(a)),
    "weights ": lambda a: ip.coupling.Ring(2, weights=[1, 0.5]),
}


@pytest.mark.parametrize("obstacle", LEGAL)
def test_models_that_no_graph_criterion_is_for_are_undecided(obstacle):
    coupling = LEGAL[obstacle](complete_minus(6, []))
    answer = certify.synchronization(ip.PhaseModel(ip.kuramoto(), coupling), n=6)
    named = (
        obstacle.strip() in answer.statement
        or "no theorem here is for the coupling Combined" in answer.statement
    )
    assert answer.verdict == "undecided" and named


def test_negative_weights_are_never_proved():
    negative = ip.PhaseModel(ip.kuramoto(), ip.coupling.Sparse(-complete_minus(6, [])))
    answer = certify.synchronization(negative)
    assert answer.verdict == "undecided" and "equal positive weights" in answer.statement


def test_graphs_and_lattices_are_graphs():
    graph = ip.graphs.complete(6)
    assert certify.synchronization(graph).verdict == "proved"
    assert certify.synchronization("sin(x)", graph=graph).verdict == "proved"
    lattice = ip.PhaseModel(ip.kuramoto(), ip.coupling.Lattice((3, 3)))
    answer = certify.synchronization(lattice, refutation=False)
    assert "no theorem here is for" not in answer.statement and "degree" in answer.statement


def test_large_sparse_graphs_stay_sparse():
    n = 60_000  # 26 GiB as a dense matrix
    model = ip.PhaseModel(ip.kuramoto(), ip.coupling.Sparse(ip.graphs.ring(n).matrix))
    answer = certify.synchronization(model, refutation=False)
    assert answer.verdict == "undecided" and "the least degree is 2" in answer.statement


@pytest.mark.parametrize(
    "graph",
    [{}, {"kind": "graph"}, {"kind": "circulant", "n": 5}, {"kind": 3}, {"kind": "circulant", "n": 5, "offsets": [3]},
     {"kind": "circulant", "n": 5, "offsets": 2}, {"kind": "graph", "n": 3, "edges": [[1, 0]]},
     {"kind": "graph", "n": 3, "edges": [0, 1]},
     {"kind": "all-to-all", "weights": "equal", "n": 3}, {"kind": "equitable", "sizes": 2, "degrees": 3}],
)  # fmt: skip
def test_malformed_graphs_are_refused(graph):
    with pytest.raises(ValueError, match=r"graph|offsets|edges"):
        certify.synchronization("sin(x)", graph=graph)


def test_one_oscillator_is_refused_in_one_way():
    f = ip.kuramoto()
    ones = [
        *(
            ip.PhaseModel(f, K)
            for K in (ip.AllToAll([1.0]), ip.RankOne([1.0], [1.0]), ip.coupling.Sparse([[0.0]]))
        ),
        ip.PhaseModel(f, frequencies=[1.0]),
        np.zeros((1, 1)),
        ip.graphs.Graph([[0.0]]),
    ]
    for subject in ones:
        with pytest.raises(ValueError, match="n must be an integer of at least 2; got 1"):
            certify.synchronization(subject)


def test_other_subjects_are_refused_clearly():
    with pytest.raises(ValueError, match=r"n must be given: the coupling Ring"):
        certify.synchronization(ip.PhaseModel(ip.kuramoto(), ip.coupling.Ring(1)))
    assert (
        certify.synchronization(ip.PhaseModel(ip.kuramoto(), ip.coupling.Ring(1)), n=5).verdict == "refuted"
    )
    for matrix in (1j * complete_minus(3, []), csr_array(1j * complete_minus(3, []))):
        with pytest.raises(TypeError, match="real numbers"):
            certify.synchronization(matrix)
