"""Formulas of 10,000 terms, and formulas that are deep or shared: a result in seconds, or one sentence."""

import copy
import math
import pickle
import re
import time
from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import inphase as ip
import zoo
from inphase import expression as ex
from inphase.certify.theorems.counting import majorant
from inphase.config import load
from inphase.description import interaction_code
from inphase.expression.arithmetic import Arrays, Balls
from inphase.kernels import tape
from inphase.report import html, words

TERMS = 1500  # more than Python's recursion has frames
K = np.arange(1, TERMS + 1)
AMPLITUDES = np.round(1 / K**2, 12)
MOST = np.arange(1, 10_001)
POINTS = np.array([-2.0, -1e-3, 0.0, 0.3, 3.0])

# a sum of sines as users write it: from the left, from the right, as text, and by the catalog, in pairs
SHAPES = {
    "from the left": lambda: ip.Interaction(
        lambda x, m: sum(float(a) * m.sin(int(k) * x) for k, a in zip(K, AMPLITUDES))
    ),
    "from the right": lambda: ip.Interaction(from_the_right),
    "text": lambda: ip.Interaction(" + ".join(f"{a:.12f}*sin({k}*x)" for k, a in zip(K, AMPLITUDES))),
    "catalog": lambda: ip.harmonics(sin=AMPLITUDES.tolist()),
}


def from_the_right(x, m):
    found = 0
    for k, a in zip(K[::-1], AMPLITUDES[::-1]):
        found = float(a) * m.sin(int(k) * x) + found
    return found


def exact(x, order=0):
    """Σ a_k sin(kx) and its derivatives, as an array of sines."""
    angles = np.multiply.outer(np.asarray(x), K) + order * np.pi / 2
    return np.sin(angles) @ (AMPLITUDES * K.astype(float) ** order)


@pytest.fixture(scope="module", params=SHAPES)
def long(request):
    return SHAPES[request.param]()


# ---------------------------------------------------------------------------------------------- many terms


def test_a_long_sum_has_its_values_in_every_arithmetic(long):
    assert long(POINTS) == pytest.approx(exact(POINTS), abs=1e-11)
    out = np.empty((2, POINTS.size))
    program = long.tape(long.derivative())
    tape.run(program.code, program.constants, program.outputs, POINTS, out)
    assert out[0] == pytest.approx(exact(POINTS), abs=1e-11)
    assert out[1] == pytest.approx(exact(POINTS, 1), abs=1e-8)
    value, slope = long.jet(arb(0.3), 1)
    assert abs(float(value.mid()) - exact(0.3)) < 1e-11 and abs(float(slope.mid()) - exact(0.3, 1)) < 1e-8


def test_a_long_sum_prints_and_reads_back_as_the_same_tree(long):
    text = ex.text(long.expression)
    assert ex.parse(text, list(long.parameters)) is long.expression
    again = ip.Interaction.from_dict(long.to_dict())
    assert again.expression is long.expression and again.parameters == long.parameters
    assert long.latex().count(r"\sin") == repr(long).count("sin(") == TERMS


def test_a_long_sum_is_copied_and_pickled_as_the_same_tree(long):
    for same in (copy.copy(long), copy.deepcopy(long), pickle.loads(pickle.dumps(long))):
        assert same.expression is long.expression and hash(same.expression) == hash(long.expression)


def test_what_a_long_sum_is(long):
    f = long.expression
    assert long.parity == "odd" and long.odd and ex.periodic(f) and not ex.free(f) and ex.slope(f) is None
    assert ex.parameters(f) == set(long.parameters)
    assert long.sine_strength is None and long.profile is not None
    inside = np.array([0.5, 1.5])
    assert long.profile(inside) * np.sin(inside) == pytest.approx(exact(inside), abs=1e-9)
    assert not ex.parameters(ex.fill(f, long.parameters))
    assert -long.modes[1:].imag == pytest.approx(AMPLITUDES, abs=1e-14)
    assert np.max(np.abs(long.modes.real)) < 1e-14 and len(long.modes) == TERMS + 1
    bound = float(majorant(f, arb("0.001"), {k: arb(v) for k, v in long.parameters.items()}).mid())
    assert bound == pytest.approx(np.sum(AMPLITUDES * np.cosh(K * 1e-3)), rel=1e-9)


@pytest.mark.parametrize("build", ["text", pytest.param("catalog", marks=pytest.mark.long)])
def test_a_thousand_oscillators_with_ten_thousand_harmonics(build):
    amplitudes = np.round(1 / MOST**2, 12)
    began = time.process_time()
    if build == "text":
        f = ip.Interaction(" + ".join(f"{a:.12f}*sin({k}*x)" for k, a in zip(MOST, amplitudes)))
    else:
        f = ip.harmonics(sin=amplitudes.tolist())
    assert len(repr(f)) > 200_000
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, 1000)
    model = ip.PhaseModel(f)
    found = model.velocity(phases)[:5]
    run = ip.simulate(model, phases, t_end=0.02)
    assert time.process_time() - began < 30  # seconds, not minutes
    moments = np.array([np.mean(np.exp(-1j * k * phases)) for k in MOST])
    waves = np.exp(1j * np.multiply.outer(phases[:5], MOST)) * moments
    assert found == pytest.approx(-(waves.imag @ amplitudes), abs=1e-11)
    assert run.phase.values[-1, :5] == pytest.approx(phases[:5] + 0.02 * found, abs=1e-3)


def test_a_long_sum_goes_through_files_and_code(tmp_path):
    f = ip.harmonics(sin=AMPLITUDES.tolist(), cos=[0.0, 0.5])
    assert eval(interaction_code(f), {"ip": ip}).expression is f.expression
    formula = SHAPES["text"]()
    file = tmp_path / "long.toml"
    file.write_text(f'[interaction]\nformula = "{formula.name}"\n[run]\nn = 5\n', encoding="utf-8")
    assert load(file).build().interaction.expression is formula.expression
    run = ip.simulate(ip.PhaseModel(formula), np.arange(3.0), t_end=0.001)
    run.to_netcdf(tmp_path / "run.nc", engine="h5netcdf")


def test_interactions_can_be_summed_one_by_one():
    parts = [ip.harmonics(sin=[0.0] * 4 + [1.0 + i]) for i in range(3)]
    with pytest.raises(ValueError, match="different values"):
        parts[0] + parts[1]
    total = ip.kuramoto()
    began = time.process_time()
    for k in K[1:]:
        total = total + ip.Interaction(f"{AMPLITUDES[k - 1]:.12f}*sin({k}*x)")
    assert time.process_time() - began < 10
    assert total(POINTS) == pytest.approx(exact(POINTS), abs=1e-11)
    assert (-total).modes.imag[1:] == pytest.approx(AMPLITUDES, abs=1e-14)


def test_a_long_formula_is_not_drawn_but_cut():
    f = SHAPES["catalog"]()
    shown = html.formula_image(f"f(x) = {words.formula(f)}", repr(f))
    assert "s1*sin(x)" in shown and shown.endswith(" …</code></p>") and len(shown) < 3000
    assert "svg" in html.formula_image(words.formula(ip.kuramoto()), "f")


def test_many_roots_are_found_at_once():
    f = ip.Interaction("sin(1500*x) + 0*sin(x)", name="many")
    began = time.process_time()
    assert f.roots() == pytest.approx(np.pi * np.arange(-1500, 1500) / 1500, abs=2e-15)
    assert f.positive_variation == pytest.approx(2 * 1500 * 1500**2, rel=1e-6)
    assert ip.harmonics(sin=(1 / K[:300] ** 2).tolist()).positive_variation == pytest.approx(1435.64787511642)
    assert time.process_time() - began < 10  # hours, where each root is found by itself


# ----------------------------------------------------------------------------------- deep, shared, large numbers


def test_deep_formulas_are_read():
    assert ex.parse("(" * 10_000 + "x" + ")" * 10_000, []) is ex.X
    assert ex.parse("-" * 9000 + "x", []) is ex.X and ex.parse("-" * 9001 + "x", []) is -ex.X
    deep = ex.parse("sin(" * 5000 + "x" + ")" * 5000, [])
    assert ex.text(deep) == "sin(" * 5000 + "x" + ")" * 5000
    assert ex.parity(deep) == "odd" and ex.periodic(deep) and pickle.loads(pickle.dumps(deep)) is deep
    product = ex.parse("*".join(["cos(x)"] * 6000), [])
    assert ex.evaluate(product, np.array(0.01), Arrays(np), {}) == pytest.approx(math.cos(0.01) ** 6000)
    assert ex.parse("x**2**2", []) is ex.X**4 and ex.parse("-x**-2**2", []) is -(ex.X**-4)


def test_a_formula_nested_500_deep_is_an_interaction_like_others():
    f = ip.Interaction("sin(" * 500 + "x" + ")" * 500)
    x = expected = np.array([0.5, -2.0])
    for _ in range(500):
        expected = np.sin(expected)
    assert f(x) == pytest.approx(expected, abs=1e-15)
    step = 1e-6
    assert f.derivative()(x) == pytest.approx((f(x + step) - f(x - step)) / (2 * step), abs=1e-8)
    assert ip.PhaseModel(f).velocity(x) == pytest.approx(-(f(x[:, None] - x[None]).mean(axis=1)), abs=1e-14)
    with pytest.raises(ValueError, match="more than 2,000,000 characters"):
        f.derivative(3).to_dict()


def test_a_shared_formula_has_a_value_and_no_end_of_text():
    def doubled(x, m):
        y = m.sin(x)
        for _ in range(60):
            y = y * y / 2 + y / 4
        return y

    with pytest.raises(ValueError, match="more than 2,000,000 characters"):
        ip.Interaction(doubled)
    f = ip.Interaction(doubled, name="doubled")
    assert f.parity == "none" and ex.periodic(f.expression) and not ex.parameters(f.expression)
    assert len(pickle.dumps(f)) < 20_000 and pickle.loads(pickle.dumps(f)).expression is f.expression
    assert ex.spectrum(f.expression, {}) is None
    assert majorant(ex.parse("sin(x)", []) + f.expression, arb("0.1"), {}) > 1
    twice = ex.X
    for _ in range(100):
        twice = twice + twice
    assert ex.slope(twice) == 2**100
    many = ex.apply("sin", ex.X)
    for _ in range(60):
        many = many + many
    assert ex.spectrum(many, {}) == {1: -1j * 2.0**60}
    with pytest.raises(ValueError, match="more than 2,000,000 characters"):
        ip.PhaseModel(f)


@pytest.mark.parametrize(
    "source",
    [
        "1e300*" * 5000 + "x",
        "x*1e-300" * 1 + "/1e300" * 5000,
        "+".join(f"1/{3 * k + 1}" for k in range(40_000)),
        "x" * 2_000_001,
        "9" * 5000 + "*x",
        "sin(" * 5000 + "x" + ")" * 4999,
        "(" * 5000 + "x" + ")" * 5001,
        "x+" * 50_000,
    ],
    ids=lambda source: source[:12],
)
def test_what_is_too_large_is_refused_in_a_sentence_and_at_once(source):
    began = time.process_time()
    with pytest.raises(ValueError, match=r"bits|characters|out of range|not closed|unexpected|is missing"):
        ex.parse(source, [])
    assert time.process_time() - began < 5


def test_a_large_exponent_is_refused_where_it_is_recorded():
    with pytest.raises(ValueError, match="exponent"):
        ex.record(lambda x, m: m.sin(x) ** 10**30, [])


def test_a_harmonic_of_any_number_ends():
    assert ip.Interaction("sin(2000*x)").profile is not None
    assert ip.Interaction("sin(10000*x)").modes[-1] == pytest.approx(-1j, abs=1e-12)
    assert ex.profile(ex.parse("sin(100000000*x)", [])) is None
    with pytest.raises(ValueError, match="500,000 modes"):
        _ = ip.Interaction("sin(3000000*x) + sin(x)").modes
    named = ip.Interaction("s1*sin(x) + s900000000*cos(x)", name="harmonics", s1=1.0, s900000000=2.0)
    assert interaction_code(named).startswith("ip.Interaction(")


# ------------------------------------------------------------------------------------------ as in the recursion


def by_recursion(node, x, parameters):
    """What `evaluate` was: the value of a node by those of its arguments."""
    a = [by_recursion(argument, x, parameters) for argument in node.arguments]
    match node.kind:
        case "x":
            return x
        case "pi":
            return np.pi
        case "constant":
            return float(node.value)
        case "parameter":
            return parameters[node.value]
        case "+" | "-" | "*" | "/":
            return {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[node.kind](*a)
        case "**":
            return Arrays.power(a[0], node.value)
        case name:
            return getattr(Arrays(np), name)(a[0])


def finished(node, found):
    """The nodes in the order in which a recursion ends with them."""
    for argument in node.arguments:
        finished(argument, found)
    if node not in found:
        found.append(node)
    return found


@pytest.mark.parametrize("name", zoo.INTERACTIONS)
def test_values_and_tapes_are_those_of_a_recursion_to_the_bit(name):
    f = zoo.interaction(name)
    x = np.random.default_rng(0).uniform(-7, 7, 100)
    for g in (f, f.derivative(), f.derivative(2)):
        assert np.array_equal(g(x), by_recursion(g.expression, x, g.parameters) + np.zeros(100))
        assert ex.ordered(g.expression) == finished(g.expression, [])
    both = finished(f.derivative().expression, finished(f.expression, []))
    kinds = [kind if kind not in ("pi", "parameter") else "constant" for kind in (node.kind for node in both)]
    assert [ex.OPERATIONS[line[0]] for line in f.tape(f.derivative()).code] == kinds


@pytest.mark.parametrize("name", zoo.INTERACTIONS)
def test_the_spectrum_of_a_formula_is_its_fourier_series(name):
    f = zoo.interaction(name)
    found = ex.spectrum(f.expression, f.parameters)
    sums = {"kuramoto", "repulsive", "sakaguchi", "odd harmonics", "harmonics", "expression", "with a mean"}
    assert (found is not None) == (name in sums)
    if found is not None:
        x = np.linspace(-3, 3, 20)
        series = sum((mode * np.exp(1j * k * x)).real for k, mode in found.items())
        assert series == pytest.approx(f(x), abs=1e-15 * 4)


def test_the_spectrum_adds_what_stands_in_several_places():
    f = ex.parse("a*(sin(-3*x + a)/2 - cos(3*x)*2) - (sin(-3*x + a)/2 + 1) + sin(a + x - x)", ["a"])
    found = ex.spectrum(f, {"a": 0.7})
    x = np.linspace(-3, 3, 20)
    series = sum((mode * np.exp(1j * k * x)).real for k, mode in found.items())
    assert set(found) == {0, 3} and series == pytest.approx(ex.evaluate(f, x, Arrays(np), {"a": 0.7}))
    for other in ("sin(x)**2", "sin(x)*sin(x)", "sin(x/2)", "sin(x) + x", "exp(sin(x))", "1/cos(x)"):
        assert ex.spectrum(ex.parse(other, []), {}) is None


# -------------------------------------------------------------------------------------- reading, as Python does

atoms = st.integers(0, 9).map(str)
arithmetic = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", " + ", " - ", " * ", " / "]), inner).map(
            "".join
        ),
        st.tuples(st.sampled_from(["-", "+", "- "]), inner).map("".join),
        inner.map(lambda text: f"({text})"),
        st.tuples(inner, st.sampled_from(["**", " ** ", "**-", "**+"]), st.sampled_from("0123")).map("".join),
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(arithmetic)
def test_arithmetic_is_read_by_pythons_rules(text):
    assume(text.count("**") <= 2)
    try:
        expected = eval(re.sub(r"(\d+)", r"Fraction(\1)", text), {"Fraction": Fraction})
    except ZeroDivisionError:
        with pytest.raises((ValueError, ZeroDivisionError)):
            ex.parse(text, [])
        return
    assume(isinstance(expected, Fraction))  # a power of a fraction is a float
    try:
        found = ex.parse(text, []).value
    except (ValueError, TypeError) as error:
        refused = re.search("too large|larger than 1000|integer exponents", str(error))
        assume(not refused)
        raise
    assert found == expected


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("2x", "unexpected '2x' at character 1"),
        ("sin(x) + 0x10", "unexpected '0x10' at character 10"),
        ("1__0", "unexpected '1__0'"),
        ("sin x", "unknown name 'sin'"),
        ("x (x)", "unexpected 'x' at character 1|unknown function 'x'"),
        ("2 (x)", r"unexpected '\(' at character 3"),
        ("sin(x))", r"unexpected '\)' at character 7"),
        ("(x", "a bracket is not closed"),
        ("x*", "it ends where a value is missing"),
        ("x $ 2", r"unexpected '\$' at character 3"),
        ("sin()", r"unexpected '\)' at character 5"),
    ],
)
def test_a_refusal_says_where(source, told):
    with pytest.raises(ValueError, match=told):
        ex.parse(source, [])


def test_balls_of_a_long_formula_are_balls():
    f = SHAPES["catalog"]()
    ball = ex.evaluate(f.expression, arb("0.7"), Balls(), {k: arb(v) for k, v in f.parameters.items()})
    assert abs(float(ball.mid()) - exact(0.7)) < 1e-11 and float(ball.rad()) < 1e-9
