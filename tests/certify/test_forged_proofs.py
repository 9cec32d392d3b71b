"""Certificates forged against one inequality or one hypothesis each: the checker names what is wrong.

Mutants of the checker that survived the other tests are killed here: each would have let one of these pass.
"""

import json
from fractions import Fraction

import mpmath
import pytest

from inphase.certify import checker

ANY = {"kind": "all-to-all", "weights": "any positive"}
L1 = {"theorem": "l1", "largest_gap": "2 pi", "box": {}}


def told(formula, leaf, coupling=ANY, verdict="proved", **ranges):
    """What the checker says of a certificate with one box, whose sentence fits its claim: "" if it is accepted."""
    parameters = {name: [[Fraction(v).numerator, Fraction(v).denominator]] * 2 for name, v in ranges.items()}
    model = {"formula": formula, "parameters": parameters, "coupling": coupling, "gain": "none"}
    claim = {"verdict": verdict, "statement": "", "model": model | {"frequencies": 0, "field": 0}}
    claim["statement"] = checker.statement(claim)
    box = {
        name: {"mid": [Fraction(v).numerator, 1 - Fraction(v).denominator.bit_length()], "rad": [0, 0]}
        for name, v in ranges.items()
    }
    data = {"schema": 1, "claim": claim, "leaves": [leaf | {"box": box}]}
    verified, words = checker.explain_text(json.dumps(data))
    return "" if verified else words


def circulant(n, *offsets):
    return {"kind": "circulant", "n": n, "offsets": list(offsets)}


def equal(n):
    return {"kind": "all-to-all", "weights": "equal", "n": n}


# ------------------------------------------------------------------------------------ what the formula is


@pytest.mark.parametrize(
    ("formula", "parity"),
    [
        ("sin(x)**2", "even"),
        ("sin(x)**3", "odd"),
        ("sin(x)**(-1)", "odd"),
        ("sin(x)**(-2)", "even"),
        ("cos(x)**3", "even"),
        ("sin(x)*sin(2*x)", "even"),
        ("sin(x)/cos(x)", "odd"),
        ("sin(x) - cos(x)", "none"),
        ("exp(sin(x))", "none"),
        ("cosh(sin(x))", "even"),
        ("tanh(sin(x))", "odd"),
        ("-x", "odd"),
    ],
)
def test_parity_by_structure(formula, parity):
    assert checker.Formula(formula, []).parity() == parity


@pytest.mark.parametrize(
    "formula", ["sin(x) + sin(x)**2/100", "sin(x) + 1/100", "sin(x)*cos(x/2)**2", "sin(x) + x/1000", "cos(x)"]
)
def test_what_is_not_odd_and_periodic_is_no_gradient(formula):
    assert told("sin(x)", L1) == ""
    assert "not odd and 2π-periodic" in told(formula, L1)


@pytest.mark.parametrize("name", checker.FUNCTIONS)
def test_functions_of_a_parameter_alone(name):
    value = checker.Formula(f"(3 + {name}(a))*sin(x)", ["a"]).derivatives(
        checker.I(0, 0), {"a": checker.number(2)}, 1
    )[1]
    with mpmath.workdps(50):
        exact = (3 + getattr(mpmath, name)(2)) * checker.ONE
        assert value.lo <= exact <= value.hi and value.hi - value.lo < checker.ONE >> 60


# ------------------------------------------------------------------------------------------- inequalities


@pytest.mark.parametrize(
    ("leaf", "a", "words"),
    [
        (L1, "0.125", ""),
        (L1, "0.5", "f'(π) < 0 is not verified"),
        (L1 | {"largest_gap": "3"}, "0", "the largest gap is pi or 2 pi"),
        ({"theorem": "two-neighbors", "kernel": "plain", "s": [3, 2]}, "0", "s must lie between π/2 and π"),
        ({"theorem": "two-neighbors", "kernel": "plain", "s": [22, 7]}, "0", "s must lie between π/2 and π"),
        ({"theorem": "two-neighbors", "kernel": "plain"}, "0", "no bound of two neighbors is given"),
    ],
)
def test_inequalities_of_two_harmonics(leaf, a, words):
    assert words in told("sin(x) + a*sin(2*x)", leaf, a=a) and bool(words) == bool(
        told("sin(x) + a*sin(2*x)", leaf, a=a)
    )


@pytest.mark.parametrize(
    ("leaf", "words"),
    [
        (L1, "the L1 inequality is not verified"),
        (L1 | {"largest_gap": "pi"}, "the L1 inequality is not verified"),
        ({"theorem": "trigonometric", "largest_gap": "2 pi"}, "the trigonometric-kernel inequality"),
        ({"theorem": "two-neighbors", "kernel": "plain", "s": [5, 2]}, "the two-neighbor inequality"),
        ({"theorem": "two-neighbors", "kernel": "trigonometric", "s": [5, 2]}, "the two-neighbor inequality"),
        ({"theorem": "two-neighbors", "kernel": "plain", "s": [8, 5]}, "the two-neighbor bound"),
    ],
)
def test_a_third_harmonic_is_too_much(leaf, words):
    assert words in told("sin(x) + a*sin(3*x)", leaf, a="1/4")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"samples": 127}, "samples must be an even integer"),
        ({"samples": 2048}, "samples must be an even integer"),
        ({"samples": 16}, "too few samples"),
        ({"strip": [-5, 2]}, "the strip must be positive"),
        ({"strip": [3, 2], "samples": 64}, "13 clusters are not excluded"),
        ({"s": [3, 2]}, "s must lie between π/2 and π"),
        ({"s": [8, 5]}, "the two-neighbor bound is not verified"),
        ({"a": [1, 100]}, "the two-neighbor bound is not verified"),
        ({"a": [-1, 2]}, "a must be positive"),
    ],
)
def test_the_count_of_clusters(change, words):
    honest = {
        "theorem": "cluster-count",
        "s": [4510746871882705, 2251799813685248],
        "a": [4553574548110211, 9007199254740992],
        "strip": [5, 2],
        "samples": 128,
    }
    found = told("sin(x)*exp(b*(cos(x) - 1))", honest | change, b="-1/2")
    assert words in found and bool(words) == bool(found)


@pytest.mark.parametrize(
    ("beta", "n", "words"),
    [("-11/16", 5, ""), ("-11/16", 6, "three equal clusters exist"), ("-7/8", 5, "not excluded")],
)
def test_three_clusters_of_attention(beta, n, words):
    found = told("sin(x)*exp(b*(cos(x) - 1))", {"theorem": "attention-three"}, equal(n), b=beta)
    assert words in found and bool(words) == bool(found)


# ------------------------------------------------------------------------------------------------- networks


@pytest.mark.parametrize(
    ("coupling", "words"),
    [
        (circulant(10, 1, 2, 3, 4), ""),  # degree 8 > 0.75 · 9
        (circulant(9, 1, 2, 3), "the degrees are too small"),  # degree 6 = 0.75 · 8
        (circulant(8, 1, 2, 3, 4), "offsets lie in"),  # the offset n/2 would be counted twice
        (circulant(9, 1, 2, 4, 4), "offsets repeat"),
        ({"kind": "graph", "n": 3, "edges": [[0, 1], [1, 2], [0, 2]]}, ""),
        ({"kind": "graph", "n": 3, "edges": [[0, 1], [1, 2], [2, 0]]}, "edges are i < j < n"),
        ({"kind": "graph", "n": 3, "edges": [[0, 1], [1, 2], [1, 2]]}, "edges repeat"),
        ({"kind": "graph", "n": 3, "edges": [[0, 1], [1, 2], [0, 3]]}, "edges are i < j < n"),
        ({"kind": "graph", "n": 3, "edges": [[0, 1], [1, 2]]}, "the degrees are too small"),
        (equal(5), "the claim has no graph"),
    ],
)
def test_degrees(coupling, words):
    found = told("sin(x)", {"theorem": "degree"}, coupling)
    assert words in found and bool(words) == bool(found)


def test_repulsion_proves_nothing():
    assert "k > 0 is not verified" in told("-sin(x)", {"theorem": "degree"}, circulant(10, 1, 2, 3, 4))
    assert told("2*sin(x)", {"theorem": "degree"}, circulant(10, 1, 2, 3, 4)) == ""


@pytest.mark.parametrize(
    ("coupling", "winding", "words"),
    [
        (circulant(9, 1), 1, ""),
        (circulant(9, 1), -2, ""),
        (circulant(12, 2), 1, "the graph is not connected"),
        (circulant(15, 3, 6), 1, "the graph is not connected"),
        (circulant(9, 1), 0, "must not be a multiple of n"),
        (circulant(9, 1), 18, "must not be a multiple of n"),
        (circulant(9, 1), True, "must not be a multiple of n"),
        (circulant(9, 1), 3, "mode 1 is not stable"),
        (circulant(12, 1, 2), 1, ""),
        (circulant(12, 1, 2, 3, 4, 5), 1, "mode 1 is not stable"),
    ],
)
def test_twisted_states(coupling, winding, words):
    found = told("sin(x)", {"theorem": "twisted-state", "winding": winding}, coupling, "refuted")
    assert words in found and bool(words) == bool(found)


@pytest.mark.parametrize(
    ("a", "n", "count", "words"),
    [
        (2, 4, 2, ""),
        (2, 5, 2, "the count must divide n"),
        (2, 4, 1, "the count must divide n"),
        (2, 4, True, "the count must divide n"),
        ("1/4", 4, 2, "mode 1 is not stable"),
        (2, 6, 3, "not stable"),
    ],
)
def test_equal_clusters(a, n, count, words):
    leaf = {"theorem": "equal-clusters", "count": count}
    found = told("sin(x) + a*sin(2*x)", leaf, equal(n), "refuted", a=a)
    assert words in found and bool(words) == bool(found)


def necklace(inside, between, size=4, classes=5):
    """Classes in a ring, each node joined to `between` nodes of either neighbor class and `inside` of its own."""
    near = {0: inside, 1: between, classes - 1: between}
    degrees = [[near.get((a - b) % classes, 0) for b in range(classes)] for a in range(classes)]
    return {"kind": "equitable", "sizes": [size] * classes, "degrees": degrees}


def state(angles, radius=(1, 2**40), **more):
    with mpmath.workdps(40):
        turns = [int(mpmath.nint(mpmath.mpf(angle) * 2**60)) for angle in angles]
    return {
        "theorem": "stable-state",
        "angles": [[turn, 2**60] for turn in turns],
        "radius": list(radius),
        **more,
    }


def pentagon(shift=0):
    return [0] + [2 * mpmath.pi * k / 5 + shift for k in range(1, 5)]


@pytest.mark.parametrize(
    ("coupling", "words"),
    [
        (necklace(0, 4), ""),
        (necklace(3, 4), ""),
        (necklace(4, 4), "a degree exceeds its class"),
        (necklace(0, 5), "a degree exceeds its class"),
        (necklace(1, 4, size=5), "no regular graph of this size and degree"),
        (necklace(0, 1), "not verified to be definite"),  # perhaps five rings apart
        (necklace(0, 0), ""),
        (necklace(0, 4) | {"sizes": [4, 4, 4, 4, 3]}, "edges between two classes must agree"),
        (necklace(0, 4) | {"sizes": [4, 4, 4, 4, 0]}, "a square of degrees"),
    ],
)
def test_classes_of_a_necklace(coupling, words):
    with mpmath.workdps(40):
        found = told("sin(x)", state(pentagon()), coupling, "refuted")
    if coupling == necklace(0, 0):  # no edges at all: nothing holds the classes
        assert found
        return
    assert words in found and bool(words) == bool(found)


RING = [[i, i + 1] for i in range(4)] + [[0, 4]]


@pytest.mark.parametrize(
    ("angles", "edges", "radius", "words"),
    [
        (pentagon(), RING, (1, 2**40), ""),
        (pentagon(0.01), RING, (1, 2**40), "the Krawczyk step does not contract"),
        (pentagon(), RING, (0, 1), "the radius must be positive"),
        (pentagon(), RING, (2, 1), ""),
        ([0, 0, 0, 0, 0], RING, (1, 2**40), "the state may be synchronized"),
        (pentagon(), [*RING[:3]], (1, 2**40), "the graph is not connected"),
        (pentagon(), [[1, 2], [1, 3], [1, 4], [2, 3], [3, 4]], (1, 2**40), "the graph is not connected"),
        (pentagon(), [[0, 2], [0, 3], [0, 4], [2, 3], [3, 4]], (1, 2**40), "the graph is not connected"),
        (pentagon()[:4], RING, (1, 2**40), "one angle for each"),
        (
            [0, mpmath.pi, 0, mpmath.pi],
            [[0, 1], [1, 2], [2, 3], [0, 3]],
            (1, 2**40),
            "not verified to be definite",
        ),
    ],
)
def test_stable_states_of_a_graph(angles, edges, radius, words):
    graph = {"kind": "graph", "n": 4 if len(edges) == 4 else 5, "edges": sorted(edges)}
    found = told("sin(x)", state(angles, radius), graph, "refuted")
    if radius == (2, 1):
        assert found  # whatever stops it
        return
    assert words in found and bool(words) == bool(found)


def test_clusters_that_come_apart():
    """Two halves at distance π are held together by the second harmonic, and unequal parts must hold n."""
    leaf = state([0, mpmath.pi], sizes=[2, 2])
    assert told("sin(x) + a*sin(2*x)", leaf, equal(4), "refuted", a=2) == ""
    assert "must hold n oscillators" in told("sin(x) + a*sin(2*x)", leaf, equal(5), "refuted", a=2)
    loose = "sin(x) - a*sin(2*x)/8 + sin(3*x)/2"
    assert told(loose, leaf, equal(4), "refuted", a=2)


def test_a_pair_of_two_is_not_three():
    assert told("sin(x)", {"theorem": "two-phases"}, equal(2)) == ""
    assert "this is for n = 2" in told("sin(x)", {"theorem": "two-phases"}, equal(3))


@pytest.mark.parametrize("a", ["5/4", "3/2"])
def test_a_pair_that_repels_in_between_is_not_proved(a):
    """f falls below 0 around π/2 alone: no part of (0, π) may be left out."""
    found = told("sin(x) + a*sin(3*x)", {"theorem": "two-phases"}, equal(2), a=a)
    assert "f > 0 on (0, π) is not verified" in found


@pytest.mark.parametrize(("n", "words"), [(10**7, ""), (10**7 + 1, "from 2 to 10^7"), (1, "from 2 to 10^7")])
def test_the_number_of_oscillators(n, words):
    found = told("sin(x)", L1, equal(n))
    assert words in found and bool(words) == bool(found)


# ------------------------------------------------------------------------- parts of the checker, on their own


@pytest.mark.parametrize("left", [0.1, 0.5, 0.8, 1.1, 1.4, 1.55])
@pytest.mark.parametrize("right", [0.1, 0.5, 1.1, 1.5, 2.0, 2.6, 3.0])
def test_a_pair_that_does_not_fall_is_seen_wherever_it_lies(left, right):
    """For f = sin, f'(x) f(y) + f(x) f'(y) = sin(x + y): one small square of the domain is left inside."""
    checker.allow(10**9)
    f, size = checker.Formula("sin(x)", []), 1 / 64
    a, b, c, d = (checker.number(Fraction(value)).lo for v in (left, right) for value in (v - size, v + size))

    def outside(x, y):
        return x.hi < a or b < x.lo or y.hi < c or d < y.lo

    tau = checker.decreasing_from(f, {})
    falls = left + right - 2 * size > mpmath.pi
    skipped = right + size < left - size  # only x <= y counts
    if falls or skipped:
        checker.pairs_fall(f, {}, tau, outside)
    else:
        with pytest.raises(checker.Rejected, match="the two-neighbor bound is not verified"):
            checker.pairs_fall(f, {}, tau, outside)


@pytest.mark.parametrize("small", ["1/10**30", "1/10**60", "1/10**300"])
def test_a_bound_off_the_real_line_of_a_quotient_holds_or_is_refused(small):
    checker.allow(10**9)
    found = None
    try:
        found = checker.Formula(f"sin(x)/({small})", []).majorant(checker.number(1), {})
    except checker.Rejected:
        assert small != "1/10**30"
    if found is not None:
        with mpmath.workdps(400):
            truth = mpmath.cosh(1) * mpmath.mpf(10) ** int(small[len("1/10**") :])
            assert mpmath.mpf(found.hi) / mpmath.mpf(2) ** checker.P >= truth


def test_cells_where_the_root_may_vanish_count_in_full():
    """Toward z = 2/u the bound of dG/dz has no finite value: a box in u that leaves such a cell open is refused."""

    def box(lo, hi):
        ends = [1 / Fraction(hi), 1 / Fraction(lo)]
        parameters = {"b": [[end.numerator, end.denominator] for end in ends]}
        model = {"formula": "sin(x)*exp(b*(cos(x) - 1))", "parameters": parameters, "coupling": ANY}
        model |= {"gain": "none", "frequencies": 0, "field": 0}
        claim = {"verdict": "proved", "statement": "", "model": model}
        claim["statement"] = checker.statement(claim)
        middle, radius = (Fraction(hi) + Fraction(lo)) / 2, (Fraction(hi) - Fraction(lo)) / 2
        dyadic = {
            k: [q.numerator, 1 - q.denominator.bit_length()] for k, q in (("mid", middle), ("rad", radius))
        }
        leaf = {"theorem": "attention-l1-infinity", "box": {"b": {"inverse": True} | dyadic}}
        return checker.explain_text(json.dumps({"schema": 1, "claim": claim, "leaves": [leaf]}))

    assert box("7/16", "29/64")[0]
    assert box("5/16", "21/64") == (False, "the L1 inequality at large β is not verified")
