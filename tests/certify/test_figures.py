"""The figures of the theory: crossings, thresholds, lemmas, diagrams."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from inphase import certify
from inphase.certify import figures
from inphase.certify.balls import Enclosure, interval, precision
from inphase.certify.lemmas import pattern, q
from inphase.certify.stable import certified
from inphase.certify.theorems.attention import scaled_product
from inphase.interaction import attention

CROSSINGS = [
    ("l1-pi", (-0.3, -0.2), "-0.261561905359508151022551617413"),
    ("l1", (-0.25, -0.1), "-0.192143494159787209358522596058"),
    ("trigonometric-pi", (-0.36, -0.30), "-0.338985926"),
    ("trigonometric", (-0.3, -0.2), "-0.258067297"),
    ("two-neighbors", (-0.36, -0.30), "-0.33932"),
    ("two-neighbors-trigonometric", (-0.45, -0.38), "-0.40289"),
]


@pytest.mark.parametrize(("criterion", "bracket", "expected"), CROSSINGS)
def test_crossings(criterion, bracket, expected):
    lo, hi = certify.crossing(attention(-0.2), "beta", bracket, criterion)
    assert 0 < hi - lo <= Fraction(1, 10**25)
    digits = len(expected.partition(".")[2])
    assert abs((lo + hi) / 2 - Fraction(expected)) < Fraction(1, 10 ** min(digits - 1, 24)) + (hi - lo)


def test_crossings_that_are_not_there():
    with pytest.raises(ValueError, match="not seen to cross"):
        certify.crossing(attention(0.5), "beta", (0.1, 0.5), "l1")
    with pytest.raises(ValueError, match="unknown criterion"):
        certify.crossing(attention(0.5), "beta", (0.1, 0.5), "l2")


KNOWN = {  # from a float search over isosceles states
    4: 2.212428, 5: 1.442905, 7: 1.716912442, 8: 1.222296783, 10: 1.442905, 11: 1.118969913, 20: 0.981925009,
    31: 1.033214814, 38: 0.885502326, 40: 0.981925009,
}  # fmt: skip


def same_state(threshold):
    """The state at the upper end, certified again in balls of another radius."""
    n, masses = threshold.n, [Fraction(m, threshold.n) for m in threshold.sizes]
    with precision(256):
        beta = interval(-threshold.hi, -threshold.hi)
        box = Enclosure(attention(-1.0), {"beta": beta})
        return (
            n
            and certified(
                box, [masses] * 3, masses, list(threshold.sizes), threshold.angles, radius=Fraction(1, 2**80)
            )
            is not None
        )


@pytest.mark.parametrize("n", [4, 5, 7, 8, 10, 11, 20])
def test_thresholds(n):
    found = certify.thresholds(n)[0]
    assert 0 < found.hi - found.lo <= Fraction(1, 10**9)
    assert found.lo - Fraction(1, 10**6) <= Fraction(KNOWN[n]) <= found.hi + Fraction(1, 10**6)
    assert sum(found.sizes) == n and same_state(found)


@pytest.mark.long
def test_all_thresholds_to_a_hundred():
    found = certify.thresholds(range(3, 101))
    assert all(t.hi - t.lo <= Fraction(1, 10**9) and sum(t.sizes) == t.n for t in found)
    assert all(abs(float(t.hi) - KNOWN[t.n]) < 1e-6 for t in found if t.n in KNOWN)
    assert all(t.lo == Fraction(2, 3) for t in found if t.n % 3 == 0)
    same_rest = [t for t in found if t.n % 3 == 2]
    assert all(b.hi < a.lo for a, b in pairwise(same_rest))


def test_thresholds_divisible_by_three_and_bad_input():
    assert certify.thresholds(9)[0].lo == certify.thresholds(9)[0].hi == Fraction(2, 3)
    for bad in (2, 2.5, True):
        with pytest.raises((ValueError, TypeError)):
            certify.thresholds(bad)


NAMES = [
    "A.1",
    "A.2",
    "A.3",
    "A.4",
    "A.5",
    "A.6",
    "A.7",
    "B.1",
    "B.3",
    "B.4",
    "C.1",
    "C.3",
    "C.4",
    "C.5",
    "C.6",
]


def test_lemmas():
    found = certify.lemmas()
    assert [lemma.name for lemma in found] == NAMES
    assert all(lemma.verified for lemma in found)


def test_a_pattern_that_is_not_there_is_not_verified():
    three = ("-", "rises", "+", "falls", "-")
    assert pattern(lambda z: 1 - 4 * z * z, lambda z: -8 * z, -1.0, 1.0, three)
    assert not pattern(lambda z: 1 + 4 * z * z, lambda z: 8 * z, -1.0, 1.0, three)
    assert not pattern(lambda z: z * (1 - 4 * z * z), lambda z: 1 - 12 * z * z, -1.0, 1.0, three)


def test_diagram(tmp_path):
    found = certify.diagram(
        "sin(x) + a*sin(2*x) + b*sin(3*x)", size=(5, 3), a=(0.1, 0.8), b=(0, 0.15), depth=2
    )
    assert len(found.cells) == 15 and found.count("proved") > 0 and found.count("refuted") > 0
    assert found.table().count("\n") == 16
    found.figure(tmp_path / "diagram.png")
    assert (tmp_path / "diagram.png").stat().st_size > 1000
    for cell in found.cells:  # each verdict again, as a certificate of the whole cell or at its middle
        middle = {name: (lo + hi) / 2 for name, (lo, hi) in cell.ranges.items()}
        if cell.verdict != "undecided":
            answer = certify.synchronization("sin(x) + a*sin(2*x) + b*sin(3*x)", **middle)
            assert answer.verdict == cell.verdict and answer.verify()


def test_a_diagram_by_two_processes_is_the_same():
    one, two = (
        certify.diagram(
            "sin(x) + a*sin(2*x) + b*sin(3*x)", size=2, a=(0, 0.5), b=(0, 0.1), depth=0, workers=w
        )
        for w in (1, 2)
    )
    assert one == two


def test_figures_are_drawn(tmp_path):
    figures.ratios(tmp_path / "ratios.png", points=9)
    figures.against_n(certify.thresholds([4, 5, 7, 8]), tmp_path / "thresholds.png")
    assert all((tmp_path / name).stat().st_size > 5000 for name in ("ratios.png", "thresholds.png"))


def test_diagram_needs_two_ranges():
    with pytest.raises(ValueError, match="exactly two"):
        certify.diagram("sin(x) + a*sin(2*x)", a=(0, 1))


@pytest.mark.parametrize("n", [4, 5, 7, 8, 20])
def test_the_upper_end_is_a_certificate(n):
    certificate = certify.thresholds(n)[0].certificate()
    assert certificate.verify() and f"{n} oscillators" in certificate.statement


@pytest.mark.parametrize("u", [0.02, 0.2, 0.5, 0.9])
def test_the_scaled_form_is_the_interaction(u):
    f = attention(1 / u)
    truth = f.attraction_range * f.positive_variation / 2
    with precision(96):
        bound = float(scaled_product(Fraction(u), Fraction(u)))
    assert truth - 1e-9 <= bound < 2
    z = np.linspace(0.01, min(9.9, 1.99 / u), 200)
    x = np.arccos(1 - u * z)
    assert np.all(np.sign(f.derivative(3)(x)) == np.sign([float(q(v, u)) for v in z]))
