"""Distributions against mpmath, quadrature and order statistics; files; refusals."""

import itertools
from functools import partial

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest

from inphase import distributions as d

CASES = {
    "normal": d.normal(0.7, 0.3),
    "lorentzian": d.lorentzian(-2.0, 0.5),
    "uniform": d.uniform(1.0, 2.0),
    "two normals": d.bimodal(0.5, 0.4, 3.0),
    "one hump of two": d.bimodal(0.0, 1.0, 1.0),
    "two lorentzians": d.bimodal(-1.0, 0.25, 4.0, component="lorentzian"),
}


def exact_density(name, x):
    x, w = mpmath.mpf(x), mpmath.mpf(1)
    one = {
        "normal": lambda x, c, w: mpmath.npdf(x, c, w),
        "lorentzian": lambda x, c, w: w / mpmath.pi / (w**2 + (x - c) ** 2),
        "uniform": lambda x, c, w: 1 / (2 * w) if abs(x - c) <= w else mpmath.mpf(0),
    }
    case = CASES[name]
    c, w = mpmath.mpf(case.center), mpmath.mpf(case.width)
    if name in one:
        return one[name](x, c, w)
    half, peak = mpmath.mpf(case.options["separation"]) / 2, one[case.options["component"]]
    return (peak(x, c - half, w) + peak(x, c + half, w)) / 2


def exact_cdf(name, x):
    one = {
        "normal": mpmath.ncdf,
        "lorentzian": lambda y: mpmath.atan2(1, -y) / mpmath.pi,
        "uniform": lambda y: min(max((1 + y) / 2, 0), 1),
    }
    case = CASES[name]
    y = (mpmath.mpf(float(x)) - mpmath.mpf(case.center)) / mpmath.mpf(case.width)
    if name in one:
        return one[name](y)
    half = mpmath.mpf(case.options["separation"]) / 2 / mpmath.mpf(case.width)
    peak = one[case.options["component"]]
    return (peak(y - half) + peak(y + half)) / 2


@pytest.mark.parametrize("name", CASES)
def test_density_and_cdf_to_thirty_digits(name):
    case = CASES[name]
    x = case.center + case.width * np.array([-50.0, -9.0, -1.3, -0.4, 0.0, 0.3, 1.1, 7.0])
    with mpmath.workdps(30):
        density = [float(exact_density(name, v)) for v in x]
        cdf = [float(exact_cdf(name, v)) for v in x]
    assert case.density(x) == pytest.approx(density, rel=1e-12, abs=1e-300)  # near e^{−x²/2}, eps x² of error
    assert case.cdf(x[1:]) == pytest.approx(cdf[1:], rel=1e-12, abs=1e-300)
    assert case.density(x.reshape(2, 4)).shape == (2, 4)
    assert np.all(np.diff(case.cdf(np.sort(x))) >= 0)


@pytest.mark.parametrize("name", CASES)
def test_quantiles_invert_the_distribution(name):
    """The error of x, from the exact cdf at x and the slope there: 1e-12 of |x − center| + width."""
    case = CASES[name]
    p = np.array([1e-9, 1e-4, 0.01, 0.2, 0.24999, 0.25, 0.4, 0.47, 0.6, 0.75, 0.9, 0.9999])
    x = case.quantile(p)
    with mpmath.workdps(30):
        for value, probability in zip(x, p):
            error = float(
                (exact_cdf(name, value) - mpmath.mpf(float(probability))) / exact_density(name, value)
            )
            assert abs(error) <= 1e-12 * (abs(value - case.center) + case.width)
    assert case.quantile(0.5) == case.center


@pytest.mark.parametrize("place", [-2.7, -0.6, 0.0, 0.35, 1.7])
@pytest.mark.parametrize("name", CASES)
def test_principal_value(name, place):
    """By quadrature with the weight 1/(y − x) near x, and of g(y)/(y − x) elsewhere."""
    case = CASES[name]
    x, edges = case.center + case.width * place, case.center + case.width * np.array([-1.0, 1.0])
    near = 0.9 * np.min(np.abs(edges - x))  # the uniform density has its jumps at the edges
    total = quad(lambda y: float(case.density(y)), x - near, x + near, weight="cauchy", wvar=x, epsabs=1e-11)[
        0
    ]
    marks = [*edges, *(case.center + np.array([-1, 1]) * case.options.get("separation", 0) / 2)]
    for low, high in ((-np.inf, x - near), (x + near, np.inf)):
        cuts = [low, *sorted({v + s for v in marks for s in (-2, 0, 2) if low < v + s < high}), high]
        for a, b in itertools.pairwise(cuts):
            total += quad(lambda y: float(case.density(y)) / (y - x), a, b, epsabs=1e-11, limit=200)[0]
    assert case.principal_value(x) == pytest.approx(total, abs=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_samples(name):
    case = CASES[name]
    x = case.quantiles(1001)
    assert np.all(np.diff(x) > 0) and x[500] == case.center
    assert case.cdf(x) == pytest.approx((np.arange(1001) + 0.5) / 1001, rel=1e-12)
    assert x - case.center == pytest.approx(case.center - x[::-1], rel=1e-9)
    random = case.draw(4000, seed=3)
    assert np.all(random == case.draw(4000, seed=3)) and np.any(random != case.draw(4000, seed=4))
    assert kstest(random, case.cdf).pvalue > 1e-3
    again = d.named(**case.to_dict())
    assert np.all(again.quantiles(7) == case.quantiles(7)) and repr(again) == repr(case)


def test_widths_are_what_they_are_called():
    assert d.lorentzian(1, 0.5).density(1.5) == pytest.approx(d.lorentzian(1, 0.5).density(1.0) / 2)
    assert np.std(d.normal(1, 0.5).quantiles(10**5)) == pytest.approx(0.5, rel=1e-3)
    assert np.ptp(d.uniform(1, 0.5).quantiles(10**5)) == pytest.approx(1.0, rel=1e-4)
    peaks = d.bimodal(1.0, 0.1, 2.0)
    assert np.mean(peaks.quantiles(1000)[500:]) == pytest.approx(2.0, abs=1e-6)
    assert d.bimodal(separation=0.0).quantile(0.1) == pytest.approx(d.normal().quantile(0.1), abs=1e-15)
    assert d.bimodal(width=0.01, separation=4.0).quantile(0.5) == 0  # where the density is 0 to rounding


def test_point_and_order_statistics(tmp_path):
    assert np.all(d.point(2.5).draw(3, seed=0) == 2.5) and d.point(2.5).cdf([2.4, 2.5]).tolist() == [0, 1]
    values = np.random.default_rng(0).normal(size=37)
    np.save(tmp_path / "omega.npy", values)
    found = d.from_file(tmp_path / "omega.npy")
    assert np.all(found.values == values) and np.all(found.quantiles(37) == np.sort(values))
    assert np.all(found.quantile([0.01, 1 / 37 + 1e-9, 0.99]) == np.sort(values)[[0, 1, 36]])
    # a value is missed with probability 37 e^{−500/37} ~ 5e-5
    assert set(found.draw(500, seed=1)) == set(values)
    assert found.center == pytest.approx(values.mean()) and found.width == pytest.approx(values.std())
    assert np.all(d.named(**found.to_dict()).values == values)
    for distribution in (found, d.point()):
        with pytest.raises(ValueError, match="no density"):
            distribution.density(0.0)


@pytest.mark.parametrize(
    ("text", "column", "values"),
    [
        ("1\n2.5\n\n# note\n-3e-1\n", None, [1, 2.5, -0.3]),
        ("omega\n1\n2\n", None, [1, 2]),
        ("node,omega\na,1\nb,2\n", "omega", [1, 2]),
        ('node,omega\n"a, b",1\n', 1, [1]),
        ("0 1.5\n1 2.5\n", 1, [1.5, 2.5]),
        ("x\ty\n0\t1.5\n", "y", [1.5]),
        ("\ufeffx; y\n0; 1.5\n", "x", [0]),
    ],
)
def test_text_files(tmp_path, text, column, values):
    file = tmp_path / "nodes.txt"
    file.write_text(text, encoding="utf-8")
    assert d.from_file(file, column).values.tolist() == values


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("node,omega\n0,1\n1,two\n", "omega", "line 3: omega must be a finite number; got 'two'"),
        ("node,omega\n0,1\n\n1\n", "omega", "line 4: expected 2 fields, .* set apart by commas .*; got '1'"),
        ("1\n2\nnan\n", None, "line 3: column 0 must be a finite number; got 'nan'"),
        ("node,omega\n0,1\n", None, "column must be chosen.*node, omega"),
        ("node,omega\n0,1\n", "power", "one of node, omega .*; got 'power'"),
        ("1 2\n3 4\n", 2, "one of 0 to 1 .*; got 2"),
        ("omega\n", None, "holds no values"),
        ("", None, "holds no values"),
    ],
)
def test_bad_text_files(tmp_path, text, column, message):
    file = tmp_path / "nodes.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        d.from_file(file, column)


def test_refusals(tmp_path):
    (tmp_path / "latin.csv").write_bytes(b"\xe9\xff\n1\n")
    with pytest.raises(ValueError, match="line 1: the file must be UTF-8 text"):
        d.from_file(tmp_path / "latin.csv")
    for call, message in [
        (lambda: d.normal(width=0), "width must be a positive, finite number"),
        (lambda: d.lorentzian(center=np.nan), "center"),
        (lambda: d.bimodal(separation=-1), "separation must be >= 0"),
        (lambda: d.bimodal(component="uniform"), "component must be one of normal, lorentzian"),
        (lambda: d.normal().quantile([0.5, 1.0]), "p must be between 0 and 1; got 1"),
        (lambda: d.normal().quantiles(0), "n must be an integer >= 1"),
        (lambda: d.normal().draw(3, seed=-1), "seed must be an integer >= 0"),
        (lambda: d.normal().density([0.0, np.inf]), "x must be finite"),
        (lambda: d.named("cauchy"), "name must be one of bimodal, file, lorentzian"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="'normal' has no option 'sigma'; it takes center, width"):
        d.named("normal", sigma=1.0)
    with pytest.raises(TypeError, match="'file' needs the option 'path'"):
        d.named("file")
    with pytest.raises(FileNotFoundError, match=r"nothing\.csv"):
        d.from_file(tmp_path / "nothing.csv")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("width", [1e-5, 1.0, 3.0])
@pytest.mark.parametrize(
    "make", [d.normal, d.lorentzian, d.uniform, d.bimodal, partial(d.bimodal, component="lorentzian")]
)
def test_far_out_all_is_finite(make, width):
    found, far = make(width=width), np.array([1e160, 1e200, 1e308, -1e308, 1.7e308])
    for function in (found.density, found.cdf, found.principal_value):
        assert np.all(np.isfinite(function(far)))
    assert np.all(np.isfinite(found.quantile([5e-324, 1e-310, 1e-300, 1 - 2**-53])))
    assert float(d.lorentzian().principal_value(1e200)) == pytest.approx(-1e-200)
    assert float(d.lorentzian().quantile(1e-300)) == pytest.approx(-1e300 / np.pi)
