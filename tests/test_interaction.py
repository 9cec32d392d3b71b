"""f in four arithmetics, its Fourier modes, and what is read off it, against independent facts."""

import math

import mpmath
import numpy as np
import pytest
from flint import arb, ctx

import inphase as ip
import zoo
from inphase import theory

ZOO = pytest.mark.parametrize("name", zoo.INTERACTIONS)
POINTS = [-7.3, -3.1, -1.0, -1e-3, 0.0, 1e-9, 0.25, 1.5, 3.14, 6.0]


def contains(ball, number):
    """Whether the ball holds the 50-digit number, itself known to 1e-45."""
    return (
        bool((ball - arb(mpmath.nstr(number, 55))).contains(0))
        or abs(float((ball - arb(str(number))).mid())) < 1e-45
    )


# ------------------------------------------------------------------------------------------- four arithmetics


@ZOO
def test_floats_agree_with_fifty_digits(name):
    f = zoo.interaction(name)
    x = np.array(POINTS)
    with mpmath.workdps(50):
        exact = np.array([float(zoo.exact(f, t)) for t in x])
    assert f(x) == pytest.approx(exact, abs=1e-14 * f.maximum, rel=0)
    assert f(x.reshape(2, 5)).shape == (2, 5) and f(1).shape == () and f([0, 1]).dtype == float


@ZOO
@pytest.mark.parametrize("bits", [53, 160])
def test_balls_contain_the_fifty_digit_value_and_are_narrow(name, bits, monkeypatch):
    f = zoo.interaction(name)
    monkeypatch.setattr(ctx, "prec", bits)
    with mpmath.workdps(50):
        for x in POINTS:
            ball = f.ball(arb(x))
            assert contains(ball, zoo.exact(f, x))
            assert float(ball.rad()) < 2.0 ** (-bits + 20) * f.maximum


@ZOO
def test_a_wide_ball_contains_the_values_of_all_its_points(name):
    f = zoo.interaction(name)
    ball = f.ball(arb("0.7", "0.05"))
    values = f(np.linspace(0.6501, 0.7499, 200))
    assert float(ball.lower()) <= values.min() and values.max() <= float(ball.upper())


@ZOO
def test_jets_are_the_derivatives(name, monkeypatch):
    f = zoo.interaction(name)
    monkeypatch.setattr(ctx, "prec", 160)
    slopes = [f.derivative(k) for k in range(6)]
    with mpmath.workdps(50):
        for x in (-2.0, 0.0, 0.3, 3.0):
            jet = f.jet(x, 5)
            assert len(jet) == 6
            for ball, slope in zip(jet, slopes):
                assert contains(ball, zoo.exact(slope, x))
                assert float(ball.rad()) < 1e-30 * slope.maximum


def test_a_jet_on_a_ball_encloses_the_derivatives_on_it():
    f = ip.attention(9.0)
    for k, ball in enumerate(f.jet(arb("0.4", "0.01"), 4)):
        values = f.derivative(k)(np.linspace(0.3901, 0.4099, 50))
        assert float(ball.lower()) <= values.min() and values.max() <= float(ball.upper())


def test_balls_of_parameters_replace_the_numbers():
    f = ip.attention(1.0)
    wide = f.ball(arb(1), beta=arb(2, 0.5))
    for beta in (1.5, 1.8, 2.5):
        assert wide.contains(ip.attention(beta).ball(arb(1)).mid())
    assert f.jet(arb(0), 1, beta=arb(7))[1].contains(1)


def test_tracing_by_jax_gives_values_and_derivatives():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    for name in zoo.INTERACTIONS:
        f = zoo.interaction(name)
        x = jax.numpy.array(POINTS)
        assert np.asarray(jax.jit(f.traced)(x)) == pytest.approx(f(np.array(POINTS)), abs=1e-13 * f.maximum)
        slope = jax.vmap(jax.grad(f.traced))(x)
        assert np.asarray(slope) == pytest.approx(
            f.derivative()(np.array(POINTS)), abs=1e-11 * f.derivative().maximum
        )
    over_beta = jax.grad(lambda beta: ip.attention(2.0).traced(1.0, beta=beta))(2.0)
    assert over_beta == pytest.approx((math.cos(1) - 1) * ip.attention(2.0)(1.0))


# ------------------------------------------------------------------------------------------------ derivatives


@pytest.mark.parametrize("beta", [-2.0, 0.0, 0.3, 1.0, 9.0, 100.0])
def test_third_derivative_of_attention_is_the_papers_polynomial(beta):
    """[PRY], Appendix A: f''' = p(cos x) e^{β (cos x − 1)}."""
    x = np.linspace(-np.pi, np.pi, 101)
    z = np.cos(x)
    p = -(
        z + 3 * beta * z**2 - 4 * beta * (1 - z**2) - 6 * beta**2 * z * (1 - z**2) + beta**3 * (1 - z**2) ** 2
    )
    third = ip.attention(beta).derivative(3)
    assert third(x) == pytest.approx(p * np.exp(beta * (z - 1)), abs=1e-13 * third.maximum)
    with mpmath.workdps(50):
        for t in (0.1, 1.0, 3.0):
            z = mpmath.cos(t)
            p = -(z + 3 * beta * z**2 - (1 - z**2) * (4 * beta + 6 * beta**2 * z - beta**3 * (1 - z**2)))
            assert contains(ip.attention(beta).jet(t, 3)[3], p * mpmath.exp(beta * (z - 1)))


def test_derivative_zero_is_the_interaction_itself_and_negative_orders_are_refused():
    f = ip.attention(2.0)
    assert f.derivative(0).expression is f.expression
    assert f.derivative(2).expression is f.derivative().derivative().expression
    with pytest.raises(ValueError, match="order"):
        f.derivative(-1)


# ------------------------------------------------------------------------------------------------------ modes


@ZOO
def test_modes_reproduce_the_interaction_to_rounding(name):
    f = zoo.interaction(name)
    x = np.random.default_rng(0).uniform(-np.pi, np.pi, 400)
    series = (np.exp(1j * np.outer(x, np.arange(len(f.modes)))) @ f.modes).real
    assert np.max(np.abs(series - f(x))) <= (1e-14 + f.truncation) * f.maximum
    assert f.truncation < 1e-12


@ZOO
def test_maximum_is_the_largest_value(name):
    f = zoo.interaction(name)
    values = np.abs(f(np.linspace(-np.pi, np.pi, 20_001)))
    assert f.maximum == pytest.approx(values.max(), rel=1e-2)


@pytest.mark.parametrize("beta", [-30.0, -0.5, 0.5, 4.0, 25.0, 100.0, 1e3, 1e5])
def test_modes_of_attention_are_bessel_functions(beta):
    from scipy.special import ive

    f = ip.attention(beta)
    k = np.arange(1, len(f.modes))
    exact = 2 * k * ive(k, beta) * np.exp(abs(beta) - beta) / beta
    assert -f.modes[1:].imag == pytest.approx(exact, abs=3e-15 * f.maximum, rel=0)
    assert abs(f.modes.real).max() < 1e-15 * f.maximum


@pytest.mark.parametrize("beta", [4.0, 25.0, 100.0, 1e4, 1e5])
def test_the_number_of_modes_is_of_the_order_of_the_root_of_beta(beta):
    f = ip.attention(beta)
    assert math.sqrt(30 * beta) < len(f.modes) < 20 + 2 * math.sqrt(70 * beta)


@pytest.mark.parametrize("a", [0.5, 0.9, 0.99])
def test_truncation_is_honest_where_modes_decay_slowly(a):
    """sin x/(1 + a² − 2a cos x) = Σ a^{k−1} sin kx."""
    f = ip.Interaction("sin(x)/(1 + a**2 - 2*a*cos(x))", a=a)
    k = np.arange(1, len(f.modes))
    exact = a ** (k - 1.0)
    assert -f.modes[1:].imag == pytest.approx(exact, abs=4e-15 * f.maximum, rel=0)
    cut = a ** len(k) / (1 - a) / f.maximum
    assert cut <= 2 * f.truncation + 1e-14
    assert len(k) < 40 / -math.log(a)


def test_trigonometric_polynomials_have_exactly_their_own_modes():
    f = ip.harmonics(sin=[1.0, 0.0, 0.25], cos=[0.5])
    assert f.modes == pytest.approx(np.array([0, 0.5 - 1j, 0, -0.25j]), abs=1e-15)


@pytest.mark.parametrize("formula", ["sin(x)/(cos(x) - 0.3)", "tan(x)", "1/(1 - cos(x - 1))*sin(x)"])
def test_modes_of_a_function_with_a_pole_are_refused(formula):
    with pytest.raises(ValueError, match=r"does not decay|not finite"):
        _ = ip.Interaction(formula).modes


# -------------------------------------------------------------------------------------------------- potential


@ZOO
def test_potential_is_minus_the_integral(name):
    f = zoo.interaction(name)
    if abs(f.modes[0]) > 1e-13:
        with pytest.raises(ValueError, match="mean"):
            f.potential(1.0)
        return
    with mpmath.workdps(25):
        for x in (-2.0, 1e-4, 9.0):
            pieces = mpmath.linspace(0, x, 8)
            exact = float(-mpmath.quad(lambda t: zoo.exact(f, t), pieces))
            assert f.potential(x) == pytest.approx(exact, abs=3e-14 * f.maximum, rel=0)
    assert f.potential(0.0) == 0 and f.potential(np.zeros((2, 3))).shape == (2, 3)
    assert f.potential(2 * np.pi) == pytest.approx(0, abs=1e-13 * f.maximum)


def test_potential_of_attention_is_the_paper_one():
    x = np.linspace(-4, 4, 33)
    beta = 3.0
    exact = (np.exp(beta * (np.cos(x) - 1)) - 1) / beta
    assert ip.attention(beta).potential(x) == pytest.approx(exact, abs=1e-15)


# -------------------------------------------------------------------------- range of attraction, L1 criterion


@pytest.mark.parametrize("beta", [-0.9, -0.3, 1e-3, 0.5, 2.0, 9.0, 100.0, 1e4, 1e5])
def test_attraction_range_of_attention_is_closed(beta):
    closed = math.acos((math.sqrt(1 + 4 * beta**2) - 1) / (2 * beta))
    assert ip.attention(beta).attraction_range == pytest.approx(closed, rel=1e-13)


def test_attraction_range_at_two_is_06749():
    assert round(ip.attention(2.0).attraction_range, 4) == 0.6749


def test_attraction_range_of_simple_interactions():
    assert ip.kuramoto().attraction_range == pytest.approx(np.pi / 2, abs=1e-15)
    assert (-ip.kuramoto()).attraction_range == pytest.approx(np.pi)  # attracts at distance π only
    assert ip.sakaguchi(0.4).attraction_range == pytest.approx(np.pi / 2 + 0.4, abs=1e-14)
    assert ip.attention(-3.0).attraction_range == pytest.approx(
        math.acos((math.sqrt(37) - 1) / -6), abs=1e-13
    )


@pytest.mark.parametrize(
    "name", ["kuramoto", "attention(-0.5)", "attention(2)", "attention(25)", "odd harmonics"]
)
def test_positive_variation_is_the_integral_of_the_positive_part(name):
    third = zoo.interaction(name).derivative(3)
    x = np.linspace(-np.pi, np.pi, 200_001)[:-1]
    integral = np.maximum(third(x), 0).mean() * 2 * np.pi
    assert zoo.interaction(name).positive_variation == pytest.approx(integral, rel=1e-8)


@pytest.mark.parametrize(
    ("largest_gap", "beta"), [(math.pi, -0.261561905359508151), (2 * math.pi, -0.192143494159787209)]
)
def test_the_ratio_is_one_where_the_paper_has_it(largest_gap, beta):
    from scipy.optimize import brentq

    def excess(b):
        return ip.attention(b).synchronization_ratio(largest_gap) - 1

    assert brentq(excess, -0.32, -0.15, xtol=1e-15, rtol=1e-15) == pytest.approx(beta, abs=1e-13)
    assert excess(beta + 1e-6) > 0 > excess(beta - 1e-6)


def test_the_ratio_tends_to_its_limit_like_one_over_beta():
    limit = theory.attention_ratio_limit()
    assert limit == pytest.approx(1.139590766403113, abs=1e-14)

    def excess(beta):
        f = ip.attention(beta)
        return 4 / (f.attraction_range * f.positive_variation) - limit

    assert abs(excess(1e4)) < 1e-3
    assert excess(1e4) / excess(1e5) == pytest.approx(10, rel=1e-3)


def test_the_ratio_exceeds_one_for_every_attention_with_positive_beta():
    ratios = [
        ip.attention(b).synchronization_ratio() for b in (0.0, 0.1, 1 / 3, 0.5, 0.75, 1.0, 2.0, 5.0, 1e2, 1e4)
    ]
    assert min(ratios) > 1


def test_the_ratio_is_zero_without_attraction_and_does_not_depend_on_scale():
    assert (-ip.kuramoto()).synchronization_ratio() == 0
    f = ip.attention(3.0)
    assert (1e-6 * f).synchronization_ratio() == pytest.approx(f.synchronization_ratio(), rel=1e-12)


# ---------------------------------------------------------------------------------------- catalog and algebra


def test_sakaguchi_vanishes_in_sync_and_is_kuramoto_without_lag():
    for lag in (-1.2, -0.1, 0.0, 0.4, 1.5):
        assert ip.sakaguchi(lag)(0.0) == 0.0
    x = np.linspace(-3, 3, 9)
    assert ip.sakaguchi(0.0)(x) == pytest.approx(np.sin(x), abs=1e-16)
    assert ip.sakaguchi(0.0).odd and not ip.sakaguchi(0.4).odd


def test_what_an_interaction_is_follows_from_its_formula_with_its_numbers():
    assert ip.sakaguchi(0.0).sine_strength == 1.0 and ip.sakaguchi(1e-12).sine_strength is None
    assert ip.harmonics(sin=[0.3, 0.0], cos=[0.0]).sine_strength == 0.3
    assert ip.harmonics(sin=[0.3, 1e-300]).sine_strength is None
    assert (0.1 * ip.Interaction("a*sin(x)*b", a=0.1, b=0.3)).sine_strength == 0.1 * (0.1 * 0.3)
    assert ip.harmonics(sin=[0.3, 0.1], cos=[0.0]).odd and not ip.harmonics(sin=[0.3], cos=[0.1]).odd
    assert ip.harmonics(sin=[0.3], cos=[0.0]).parity == "none"  # whatever the numbers
    assert ip.Interaction("sin(x + a) + sin(x - a)", a=0.3).odd  # to rounding: the structure shows nothing


def test_attention_at_zero_is_kuramoto():
    x = np.linspace(-9, 9, 50)
    assert np.array_equal(ip.attention(0.0)(x), ip.kuramoto()(x))


def test_harmonics_are_their_sum():
    f = ip.harmonics(sin=[1.0, 0.5], cos=[0.25, 0.0, -1.0])
    x = np.linspace(-4, 4, 31)
    exact = np.sin(x) + 0.5 * np.sin(2 * x) + 0.25 * np.cos(x) - np.cos(3 * x)
    assert f(x) == pytest.approx(exact, abs=1e-15)
    with pytest.raises(ValueError, match="amplitude"):
        ip.harmonics()


def test_a_narrow_interaction_is_resolved():
    f = ip.attention(1e5)
    x = np.linspace(-0.05, 0.05, 1001)
    series = (np.exp(1j * np.outer(x, np.arange(len(f.modes)))) @ f.modes).real
    assert np.max(np.abs(series - f(x))) < 1e-16 * 1e5 * f.maximum  # the formula's own rounding, in cos x − 1
    assert f.maximum == pytest.approx(math.exp(-0.5) / math.sqrt(1e5), rel=1e-2)
    assert f.attraction_range == pytest.approx(1 / math.sqrt(1e5), rel=1e-4)


def test_algebra_of_interactions():
    f, g = ip.attention(2.0), ip.harmonics(sin=[0.0, 1.0])
    x = np.linspace(-3, 3, 20)
    assert (f + g)(x) == pytest.approx(f(x) + g(x))
    assert (f - g)(x) == pytest.approx(f(x) - g(x))
    assert (2.5 * f)(x) == pytest.approx(2.5 * f(x)) and (f * 2.5)(x) == pytest.approx(2.5 * f(x))
    assert np.array_equal((-f)(x), -f(x))
    assert f.with_parameters(beta=3.0)(1.0) == ip.attention(3.0)(1.0)
    with pytest.raises(ValueError, match="beta"):
        f + ip.attention(3.0)
    with pytest.raises(TypeError, match="gamma"):
        f.with_parameters(gamma=3.0)
    with pytest.raises(TypeError):
        f + 1
    with pytest.raises(TypeError, match="factor"):
        f * "a"


@ZOO
def test_an_interaction_survives_its_dictionary(name):
    import json

    f = zoo.interaction(name)
    g = ip.Interaction.from_dict(json.loads(json.dumps(f.to_dict())))
    assert g.expression is f.expression and g.parameters == f.parameters and g.name == f.name


@ZOO
def test_the_profile_is_the_interaction_over_sine(name):
    f = zoo.interaction(name)
    if f.profile is not None:
        x = np.linspace(0.1, 3, 30)
        assert f.profile(x) * np.sin(x) == pytest.approx(f(x), rel=1e-13, abs=1e-15 * f.maximum)


def test_which_interactions_are_odd():
    odd = {name for name in zoo.INTERACTIONS if zoo.interaction(name).odd}
    assert odd == set(zoo.INTERACTIONS) - {"sakaguchi", "harmonics", "with a mean", "even"}


def test_contrast_is_the_ratio_of_far_and_near():
    assert ip.kuramoto().contrast == 1
    assert ip.attention(25.0).contrast == pytest.approx(math.exp(50), rel=1e-12)
    assert ip.attention(-4.0).contrast == pytest.approx(math.exp(8), rel=1e-12)
    assert ip.sakaguchi(0.3).contrast == 1


# -------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "formula", ["x", "sin(x/2)", "sin(1.001*x)", "x*sin(x)", "exp(-x**2)", "sin(x) + x/1000", "tanh(x)"]
)
def test_what_is_not_periodic_is_refused(formula):
    with pytest.raises(ValueError, match="not 2π-periodic"):
        ip.Interaction(formula)


@pytest.mark.parametrize(
    "formula", ["1/sin(x)", "log(cos(x) - 2)", "sqrt(sin(x))", "log(1 - cos(x))", "sin(x)/x"]
)
def test_what_is_not_finite_is_refused(formula):
    with pytest.raises(ValueError, match="not finite"):
        ip.Interaction(formula)


def test_what_overflows_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        ip.attention(-1e4)


@pytest.mark.parametrize("value", ["abc", None, math.nan, math.inf, -math.inf, [1.0, 2.0], {}, 1j, "nan"])
def test_a_bad_parameter_is_refused_by_its_name(value, as_a_user):
    with pytest.raises((TypeError, ValueError), match="beta must be a"):
        ip.attention(value)
    with pytest.raises((TypeError, ValueError), match="lag must be a"):
        ip.sakaguchi(value)
    with pytest.raises((TypeError, ValueError), match="s2 must be a"):
        ip.harmonics(sin=[1.0, value])
    with pytest.raises((TypeError, ValueError), match="a must be a"):
        ip.Interaction("sin(x) + a", a=value)
    with pytest.raises((TypeError, ValueError), match="beta must be a"):
        ip.attention(1.0).with_parameters(beta=value)


@pytest.mark.parametrize("formula", [None, 3, ["sin(x)"], np.sin(1.0)])
def test_a_formula_is_a_function_or_text(formula, as_a_user):
    with pytest.raises(TypeError, match="formula must be"):
        ip.Interaction(formula)


def test_an_unknown_name_or_code_in_an_expression_is_refused():
    with pytest.raises(ValueError, match="unknown name 'b'"):
        ip.Interaction("sin(x) + b", a=1.0)
    with pytest.raises(ValueError, match="not arithmetic"):
        ip.Interaction("().__class__.__bases__")


def test_a_gain_profile_is_given_only_where_it_is_positive():
    assert ip.attention(2.0).gain_profile(None) is None
    assert ip.attention(2.0).gain_profile("softmax")(1.0) == pytest.approx(math.exp(2 * (math.cos(1) - 1)))
    for f in (ip.sakaguchi(0.1), -ip.kuramoto(), ip.harmonics(sin=[0.0, 1.0])):
        with pytest.raises(ValueError, match="h > 0"):
            f.gain_profile("softmax")
    with pytest.raises(ValueError, match="'hard'"):
        ip.attention(2.0).gain_profile("hard")


# ----------------------------------------------------------------------------------------- the types of tests


def test_the_run_time_types_are_on():
    """A violation is caught by the import hook of conftest.py; an int for a float is none."""
    with pytest.raises(TypeError, match="Type-check error"):
        ip.kuramoto().derivative("one")
    with pytest.raises(TypeError, match="Type-check error"):
        ip.kuramoto().synchronization_ratio(largest_gap="wide")
    assert ip.attention(2).parameters == {"beta": 2.0}


@pytest.mark.parametrize(
    ("b", "place"), [(20_000.0, 1.425), (5_000.0, -2.6), (20_000.0, np.pi), (800.0, 0.7)]
)
def test_modes_see_narrow_features_away_from_zero(b, place):
    f = ip.Interaction("sin(x) + 2*exp(b*(cos(x - place) - 1))", b=b, place=place)
    assert len(f.modes) > 2 * np.sqrt(b)
    points = np.random.default_rng(0).uniform(0, 2 * np.pi, 200)
    points[:20] = place + np.linspace(-0.02, 0.02, 20)
    series = (np.exp(1j * np.outer(points, np.arange(len(f.modes)))) @ f.modes).real
    assert series == pytest.approx(f(points), abs=1e-11)


@pytest.mark.parametrize("level", [0.0, 0.3, -0.3, 0.999999])
@pytest.mark.parametrize("order", [0, 1])
def test_roots_of_sin_at_a_level(level, order):
    shift = order * np.pi / 2
    exact = np.array([np.arcsin(level), np.pi - np.arcsin(level)]) - shift
    found = ip.kuramoto().roots(order, level)
    assert np.sort(np.mod(found + 1, 2 * np.pi)) == pytest.approx(
        np.sort(np.mod(exact + 1, 2 * np.pi)), abs=1e-9
    )
    assert not len(ip.kuramoto().roots(order, 1.001))


def test_roots_refuse():
    with pytest.raises(ValueError, match="level must be a finite number"):
        ip.kuramoto().roots(level=np.nan)
    with pytest.raises(ValueError, match="order must be an integer >= 0"):
        ip.kuramoto().roots(-1)
