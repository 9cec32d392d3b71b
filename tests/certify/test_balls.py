"""Balls contain the truth: against 50-digit references; roots are isolated and counted."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from flint import arb

from inphase.certify.balls import Enclosure, exact, interval, outward, point, precision, roots
from inphase.certify.variation import attraction_range, positive_inside, positive_variation
from inphase.interaction import Interaction, attention, kuramoto


def reference(beta: float, x: float, order: int) -> mpmath.mpf:
    """f, f', f'', f''' of attention in 50 digits, from formulas written by hand."""
    b, c, s = mpmath.mpf(beta), mpmath.cos(mpmath.mpf(x)), mpmath.sin(mpmath.mpf(x))
    e = mpmath.exp(b * (c - 1))
    return {
        0: s * e,
        1: (c - b * s**2) * e,
        2: (-s - 3 * b * s * c + b**2 * s**3) * e,
        3: -(c + 3 * b * c**2 - 4 * b * s**2 - 6 * b**2 * c * s**2 + b**3 * s**4) * e,
    }[order]


def contains(ball: arb, value: mpmath.mpf) -> bool:
    low, high = exact(ball.lower()), exact(ball.upper())
    return (
        mpmath.mpf(low.numerator) / low.denominator <= value <= mpmath.mpf(high.numerator) / high.denominator
    )


def sample(count: int) -> None:
    rng, mpmath.mp.dps = np.random.default_rng(3), 50
    for _ in range(count // 4):
        beta, x = rng.uniform(-6, 12), rng.uniform(-3.2, 3.2)
        width, spread = 10.0 ** rng.uniform(-12, 0), 10.0 ** rng.uniform(-12, 0)
        box = {"beta": interval(beta - spread, beta + spread)}
        cell = Enclosure(attention(0.0), box)
        lo, hi = x - width, x + width
        t, b = rng.uniform(lo, hi), rng.uniform(beta - spread, beta + spread)
        for order in range(4):
            assert contains(cell.cell(lo, hi, order, lambda d, k=order: d[k]), reference(b, t, order))


def test_balls_contain_the_value():
    sample(2_000)


@pytest.mark.long
def test_balls_contain_the_value_a_hundred_thousand_times():
    sample(100_000)


def test_intervals_contain_their_ends():
    rng = np.random.default_rng(0)
    for lo, hi in np.sort(rng.uniform(-2, 2, (500, 2)), axis=1):
        ball = interval(float(lo), float(hi))
        assert exact(ball.lower()) <= Fraction(float(lo)) and Fraction(float(hi)) <= exact(ball.upper())
    low, high = outward(Fraction(-2, 3), Fraction(1, 3))
    assert low < Fraction(-2, 3) < low + Fraction(1, 2**79) and Fraction(1, 3) < high
    assert point(Fraction(1, 3)).contains(arb(1) / 3)


def test_precision_is_put_back():
    from flint import ctx

    before, inside = ctx.prec, []
    with pytest.raises(ZeroDivisionError), precision(300):
        inside.append(ctx.prec) or 1 / 0
    assert ctx.prec == before and inside == [300]


@pytest.mark.parametrize(("beta", "count"), [(0.5, 2), (5.0, 2), (0.2, 1), (-0.2, 1), (-0.4, 2)])
def test_roots_of_the_third_derivative_are_counted(beta, count):
    found = roots(Enclosure(attention(beta), {}), 3)
    assert found is not None and len(found) == count
    f = attention(beta).derivative(3)
    assert all(f(a) * f(b) < 0 for a, b in found)


def test_a_double_root_is_not_counted():
    assert roots(Enclosure(Interaction("sin(x)*(1 - cos(x - 1))", name="double"), {}), 0, 0.5, 2.0) is None


def test_a_root_at_an_end_is_left_open():
    for f in (kuramoto(), -kuramoto()):
        assert roots(Enclosure(f, {}), 0, 0.0, 3.0) is None
        assert len(roots(Enclosure(f, {}), 0, -0.5, 3.0)) == 1


def test_shared_bounds():
    f = Enclosure(kuramoto(), {})
    tau = attraction_range(f)
    assert np.pi / 2 < tau < np.pi / 2 + 1e-10
    assert positive_inside(f, tau)
    total = positive_variation(f, 0, arb("1.0000001"))
    assert 1 <= float(total) < 1.0000001
    assert float(positive_variation(f, 1, arb("1e-4"))) < 1e-4  # f''' + f' = 0 for sin
    g = Enclosure(Interaction("sin(x) + 0.9*sin(2*x)"), {})
    assert attraction_range(g) is None  # f'(π) > 0
