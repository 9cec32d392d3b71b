"""f = k sin x with k > 0 is sin x in other units of time: the degree theorem holds for it, and for nothing near it."""

import json
import random

import numpy as np
import pytest

import inphase as ip
from inphase import certify
from inphase.certify import check, checker, ring

DENSE = np.ones((6, 6)) - np.eye(6)
DENSE[0, 1] = DENSE[1, 0] = 0

SCALED = {
    "2 * kuramoto": (2 * ip.kuramoto(), {}),
    "0.3 * kuramoto": (0.3 * ip.kuramoto(), {}),
    "minus minus": (-1 * (-ip.kuramoto()), {}),
    "text": (ip.Interaction("2*sin(x)"), {}),
    "a third": ("sin(x)/3", {}),
    "a sum": ("sin(x) + pi*sin(x) - sin(x)/3", {}),
    "turned": ("-2*sin(-x)", {}),
    "a parameter": (ip.Interaction("a*sin(x)", a=2.0), {}),
    "a range": ("a*sin(x)", {"a": (0.5, 2)}),
    "a rational": ("a*sin(x)", {"a": "1/3"}),
    "two ranges": ("(a - b)*exp(b)*sin(x)", {"a": (2, 3), "b": (0, 1)}),
    "harmonics": (ip.harmonics(sin=[1.0]), {}),
    "harmonics with zeros": (ip.harmonics(sin=[1.0, 0.0, 0.0]), {}),
}
OTHER = {
    "minus": (-ip.kuramoto(), {}),
    "zero": ("0*sin(x)", {}),
    "a zero": ("a*sin(x)", {"a": 0}),
    "to zero": ("a*sin(x)", {"a": (0, 1)}),
    "across zero": ("a*sin(x)", {"a": (-1, 1)}),
    "minus a": (ip.harmonics(sin=[-1.0]), {}),
    "sin 2x": ("sin(2*x)", {}),
    "a hair of sin 2x": ("sin(x) + 1e-30*sin(2*x)", {}),
    "a parameter's hair": (ip.harmonics(sin=[1.0, 1e-300]), {}),
    "a range with 0": ("sin(x) + b*sin(2*x)", {"b": (0, 0.01)}),
    "attention": (ip.attention(1e-12), {}),
    "sakaguchi": (ip.sakaguchi(1e-12), {}),
    "to infinity": ("a*sin(x)", {"a": (1, "inf")}),
}


@pytest.mark.parametrize("name", SCALED)
def test_a_positive_multiple_of_the_sine_is_proved(name, tmp_path):
    f, ranges = SCALED[name]
    proof = certify.synchronization(f, graph=DENSE, **ranges)
    assert proof.verdict == "proved" and proof.theorems == ("degree",)
    assert check(proof.save(tmp_path / "proof.json"))


@pytest.mark.parametrize("name", OTHER)
def test_nothing_else_is(name):
    f, ranges = OTHER[name]
    assert certify.synchronization(f, graph=DENSE, **ranges).verdict != "proved"


@pytest.mark.parametrize("name", SCALED)
def test_the_degrees_still_decide(name):
    f, ranges = SCALED[name]
    assert certify.synchronization(f, graph=ring(4), refutation=False, **ranges).verdict == "undecided"


@pytest.mark.parametrize("factor", [2, 0.1, 1e-3])
def test_a_factor_of_the_coupling_is_one_of_the_interaction(factor):
    sparse = ip.Sparse(DENSE)
    for model in (
        ip.PhaseModel(ip.kuramoto(), factor * sparse),
        ip.PhaseModel(ip.kuramoto(), ip.Sparse(factor * DENSE)),
        ip.PhaseModel(factor * ip.kuramoto(), factor * sparse),
        ip.PhaseModel(-ip.kuramoto(), -factor * sparse),
    ):
        proof = certify.synchronization(model)
        assert proof.verdict == "proved" and proof.verify()
    for model in (
        ip.PhaseModel(ip.kuramoto(), -factor * sparse),
        ip.PhaseModel(-ip.kuramoto(), factor * sparse),
    ):
        assert certify.synchronization(model).verdict == "undecided"


# ------------------------------------------------------------------------------- the checker, against a forger


def box_of(lo, hi):
    """A range of rationals with the denominator 1, or from 1 to infinity, as a leaf has it."""
    if hi == "inf":
        return {"inverse": True, "mid": [1, -1], "rad": [1, -1]}
    return {"mid": [lo[0] + hi[0], -1], "rad": [hi[0] - lo[0], -1]}


def forged(tmp_path, formula, ranges, leaf_box=None):
    """A certificate that the triangle synchronizes by the degree theorem, with the sentence of its claim."""
    rest = {"coupling": ring(3), "gain": "none", "frequencies": 0, "field": 0}
    model = {"formula": formula, "parameters": ranges, **rest}
    claim = {"verdict": "proved", "statement": "", "model": model}
    claim["statement"] = checker.statement(claim)
    box = {name: box_of(*pair) for name, pair in ranges.items()}
    leaf = {"theorem": "degree", "box": box if leaf_box is None else leaf_box}
    path = tmp_path / "forged.json"
    path.write_text(json.dumps({"schema": 1, "claim": claim, "leaves": [leaf]}))
    return path


def whole(lo, hi):
    return [[lo, 1], [hi, 1]]


@pytest.mark.parametrize(
    ("formula", "ranges"),
    [
        ("sin(x)", {}),
        ("3/7*sin(x)", {}),
        ("-(-sin(x))", {}),
        ("-sin(-x)", {}),
        ("a*sin(x)", {"a": whole(1, 2)}),
        ("sin(x)/a", {"a": whole(1, 2)}),
        ("(a - b)*sin(x)", {"a": whole(2, 3), "b": whole(0, 1)}),
        ("sin(x) + b*sin(2*x)", {"b": whole(0, 0)}),
        ("sin(x) + (a - 1)*exp(cos(x))", {"a": whole(1, 1)}),
    ],
)
def test_what_the_checker_accepts(tmp_path, formula, ranges):
    assert check(forged(tmp_path, formula, ranges))


@pytest.mark.parametrize(
    ("formula", "ranges"),
    [
        ("-sin(x)", {}),
        ("sin(-x)", {}),
        ("0*sin(x)", {}),
        ("sin(x) - sin(x)", {}),
        ("sin(x) - 2*sin(x)", {}),
        ("sin(2*x)", {}),
        ("sin(x/2)", {}),
        ("sin(x)**2", {}),
        ("sin(x)*sin(x)", {}),
        ("sin(x)*cos(x)", {}),
        ("sin(x)/cos(x)", {}),
        ("1/sin(x)", {}),
        ("sin(x + 1/10**30)", {}),
        ("sin(x) + 1/10**30", {}),
        ("sin(x) + 1/10**30*sin(2*x)", {}),
        ("sin(x) + 1/10**30*cos(x)", {}),
        ("sin(x)*(1 + 1/10**30*cos(x))", {}),
        ("sin(x) + 0*x", {}),
        ("sin(x) + 0*tan(x)", {}),
        ("sin(x) + 0/sin(x)", {}),
        ("sin(x) + 0*log(cos(x))", {}),
        ("1e-3*sin(x)", {}),
        ("True*sin(x)", {}),
        ("sin(x) + (pi - pi)*sin(2*x)", {}),
        ("(sqrt(2) - 2)*sin(x)", {}),
        ("log(1)*sin(x)", {}),
        ("1/0*sin(x)", {}),
        ("sin(sin(x))", {}),
        ("cos(x)", {}),
        ("sinh(x)", {}),
        ("tan(x)", {}),
        ("a*sin(x)", {"a": whole(0, 1)}),
        ("a*sin(x)", {"a": whole(-1, 1)}),
        ("a*sin(x)", {"a": whole(-2, -1)}),
        ("a*sin(x)", {"a": whole(0, 0)}),
        ("a*sin(x)", {"a": [[1, 1], "inf"]}),
        ("a*a*sin(x)", {"a": whole(-1, 1)}),
        ("sin(x)/a", {"a": whole(-1, 1)}),
        ("log(a)*sin(x)", {"a": whole(0, 2)}),
        ("(a - b)*sin(x)", {"a": whole(0, 1), "b": whole(0, 1)}),
        ("sin(x) + b*sin(2*x)", {"b": whole(0, 1)}),
        ("sin(x) + (a - a)*sin(2*x)", {"a": whole(0, 1)}),
    ],
)
def test_what_the_checker_rejects(tmp_path, formula, ranges):
    assert not check(forged(tmp_path, formula, ranges))


@pytest.mark.parametrize("whole_range", [whole(0, 1), whole(-1, 1), [[1, 1], "inf"]])
def test_a_part_of_the_range_is_not_the_whole(tmp_path, whole_range):
    part = {"a": {"mid": [1, 0], "rad": [0, 0]}}
    assert not check(forged(tmp_path, "a*sin(x)", {"a": whole_range}, part))


def test_tiny_numbers_are_not_taken_for_zero(tmp_path):
    tiny = {"mid": [1, -900], "rad": [0, 0]}
    path = forged(tmp_path, "sin(x) + b*sin(2*x)", {"b": [[1, 2**900], [1, 2**900]]}, {"b": tiny})
    assert not check(path)
    square = forged(tmp_path, "sin(x) + b*b*sin(2*x)", {"b": [[1, 2**900], [1, 2**900]]}, {"b": tiny})
    assert not check(square)


def grown(rng, depth):
    """A random formula of pieces that are sines, nearly sines, and numbers."""
    leaves = ["sin(x)", "sin(-x)", "sin(2*x)", "cos(x)", "x", "2", "0", "1/3", "a", "(a - 2)", "pi", "exp(a)"]
    if depth == 0:
        return rng.choice(leaves[:4] + leaves[:2] * 4 + leaves[5:] * 2)
    one, other = grown(rng, depth - 1), grown(rng, depth - 1)
    shape = rng.choice(["({} + {})", "({} - {})", "({})*({})", "({})*({})", "({})/({})", "-({})"])
    return shape.format(one, other)


def test_a_factor_of_the_sine_is_one(tmp_path):
    rng, x, seen = random.Random(5), np.linspace(-3, 7, 41), 0
    for _ in range(4000):
        source = grown(rng, rng.choice([1, 2, 3]))
        formula = checker.Formula(source, ["a"])
        try:
            k = formula.sine_factor({"a": checker.number(2)})
        except checker.Rejected:
            continue
        seen += 1
        names = {"sin": np.sin, "cos": np.cos, "exp": np.exp, "pi": np.pi, "a": 2.0, "x": x}
        values = eval(source, {"__builtins__": {}}, names) + np.zeros_like(x)
        low, high = k.lo / checker.ONE, k.hi / checker.ONE
        assert high - low < 1e-12 * (1 + abs(high))
        assert values == pytest.approx((low + high) / 2 * np.sin(x), rel=1e-9, abs=1e-9), source
    assert seen > 300
