"""Distributions of natural frequencies, fields, noises or delays: by name, sampled by quantiles or at random.

A new continuous distribution is a `Standard` (center 0, width 1) and a function in `DISTRIBUTIONS`; its
density, quantiles and principal value then serve sampling, the transition curves of `theory` and the
threshold of incoherence alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import checked_options, finite_array, finite_number, integer
from inphase.tables import read_column

__all__ = [
    "DISTRIBUTIONS",
    "Distribution",
    "Sample",
    "Standard",
    "bimodal",
    "from_file",
    "lorentzian",
    "named",
    "normal",
    "point",
    "uniform",
]

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

FARTHEST = float(np.finfo(float).max)


@dataclass(frozen=True)
class Standard:
    """A density of center 0 and width 1, even.

    Its four functions take and give arrays: g, its cdf (accurate for x <= 0), the inverse of that for
    p <= 1/2, and PV ∫ g(y)/(y − x) dy.
    """

    density: Function
    cdf: Function
    lower_quantile: Function
    principal_value: Function


@dataclass(frozen=True, eq=False, repr=False)
class Distribution:
    """An even density about its center; made by `normal`, `lorentzian`, `uniform`, `bimodal` or `named`.

    Parameters
    ----------
    name : str
        The key in `DISTRIBUTIONS`.
    center, width : float
        The density is g((x − center)/width)/width, with g of `standard`.
    standard : Standard
        The density for center 0 and width 1.
    options : dict
        What the maker was given besides center and width.

    Examples
    --------
    >>> distribution = lorentzian(center=1.0, width=0.5)
    >>> distribution.quantiles(4).round(4)
    array([-0.2071,  0.7929,  1.2071,  2.2071])
    >>> round(float(distribution.density(1.0)), 4), float(distribution.cdf(1.5))
    (0.6366, 0.75)
    """

    name: str
    center: float
    width: float
    standard: Standard
    options: dict[str, Any] = field(default_factory=dict)

    def _scaled(self, x: ArrayLike) -> Floats:
        with np.errstate(over="ignore"):
            return np.clip((finite_array("x", x) - self.center) / self.width, -FARTHEST, FARTHEST)

    def density(self, x: ArrayLike) -> Floats:
        """g(x), the shape of x; per unit of x."""
        return np.asarray(self.standard.density(self._scaled(x)) / self.width)

    def cdf(self, x: ArrayLike) -> Floats:
        """The probability of (−∞, x], the shape of x; to rounding relative to it."""
        scaled = self._scaled(x)
        lower = self.standard.cdf(-np.abs(scaled))
        return np.asarray(np.where(scaled < 0, lower, 1 - lower))

    def principal_value(self, x: ArrayLike) -> Floats:
        """PV ∫ g(y)/(y − x) dy, the shape of x: minus π times the Hilbert transform of the density.

        Infinite at the edges of the uniform density, where it diverges logarithmically.
        """
        return np.asarray(self.standard.principal_value(self._scaled(x)) / self.width)

    def quantile(self, p: ArrayLike) -> Floats:
        """The x with cdf(x) = p, the shape of p; error at most 1e-12 relative to |x − center| + width.

        Finite: heavy tails are cut where floats end, at about 1e308 widths.

        Raises ValueError unless 0 < p < 1.
        """
        return self._quantile(_probabilities(p))

    def _quantile(self, p: Floats) -> Floats:
        lower = self.standard.lower_quantile(np.minimum(p, 1 - p))
        scaled = np.where(p == 0.5, 0.0, np.where(p < 0.5, lower, -lower))
        with np.errstate(over="ignore"):
            return np.clip(self.center + self.width * scaled, -FARTHEST, FARTHEST)

    def quantiles(self, n: int) -> Floats:
        """n values without randomness, ascending: the quantiles of (i − 1/2)/n, i = 1..n.

        So a transition is seen with the finite-size noise of the dynamics, without that of the sample. On a
        network, mind that they are sorted: `numpy.random.Generator.permutation` gives them to the nodes at
        random.

        Parameters
        ----------
        n : int
            At least 1.

        Returns
        -------
        ndarray, shape (n,)

        References
        ----------
        Pazó, *Thermodynamic limit of the first-order phase transition in the Kuramoto model* (2005), for the
        uniform density.

        Examples
        --------
        >>> uniform(width=1.0).quantiles(4)
        array([-0.75, -0.25,  0.25,  0.75])
        """
        count = integer("n", n, least=1)
        return self._quantile((np.arange(count) + 0.5) / count)

    def draw(self, n: int, seed: int = 0) -> Floats:
        """n independent values: quantiles of uniform random numbers, one stream for all distributions.

        Parameters
        ----------
        n : int
            At least 1.
        seed : int
            Nonnegative; the same seed gives the same values.

        Returns
        -------
        ndarray, shape (n,)

        Examples
        --------
        >>> bool(np.all(2 * normal().draw(3, seed=1) == normal(width=2).draw(3, seed=1)))
        True
        """
        rng = np.random.default_rng(integer("seed", seed, least=0))
        return self._quantile(np.clip(rng.random(integer("n", n, least=1)), 2.0**-54, 1 - 2.0**-53))

    def to_dict(self) -> dict[str, Any]:
        """Name and numbers, for provenance; `named(**d.to_dict())` makes the same again."""
        return {"name": self.name, "center": self.center, "width": self.width} | self.options

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self.to_dict().items() if k != 'name')})"


@dataclass(frozen=True, eq=False, repr=False)
class Sample(Distribution):
    """Given values, each of probability 1/n. Make one with `point` or `from_file`.

    Attributes
    ----------
    values : ndarray, shape (n,)
        As given, in their order: row i of a file for oscillator i.
    center, width : float
        Their mean and standard deviation.
    """

    values: Floats = field(kw_only=True)
    standard: Standard = field(init=False, repr=False, default=None)  # type: ignore[assignment]  # there is no density

    def density(self, x: ArrayLike) -> Floats:
        """ValueError: values have no density."""
        raise ValueError(f"{self!r} is a set of values: it has no density")

    def principal_value(self, x: ArrayLike) -> Floats:
        """ValueError: values have no density."""
        return self.density(x)

    def cdf(self, x: ArrayLike) -> Floats:
        """The share of values <= x, the shape of x."""
        points = finite_array("x", x)
        return np.asarray(np.searchsorted(np.sort(self.values), points, side="right") / len(self.values))

    def _quantile(self, p: Floats) -> Floats:
        """The order statistic: the least value whose cdf is at least p."""
        index = np.ceil(p * len(self.values)).astype(np.intp) - 1
        return np.asarray(np.sort(self.values)[index])

    def to_dict(self) -> dict[str, Any]:
        """What made it, for provenance."""
        return {"name": self.name} | self.options


def _probabilities(p: ArrayLike) -> Floats:
    found = finite_array("p", p)
    if np.any((found <= 0) | (found >= 1)):
        raise ValueError(f"p must be between 0 and 1; got {found[(found <= 0) | (found >= 1)].flat[0]:g}")
    return found


# -------------------------------------------------------------------------------------------- standard shapes


def _standard_normal() -> Standard:
    from scipy.special import dawsn, ndtr, ndtri

    return Standard(
        lambda x: np.exp(-np.square(np.minimum(np.abs(x), 40.0)) / 2) / math.sqrt(2 * math.pi),
        ndtr,
        ndtri,
        lambda x: -math.sqrt(2) * dawsn(x / math.sqrt(2)),
    )


def _lorentzian_quantile(p: Floats) -> Floats:
    """tan(π(p − 1/2)), without cancellation at small p."""
    tail = np.maximum(p, 4e-309)  # so that sums of two values stay below the largest float
    return np.asarray(
        np.where(p < 0.25, -1 / np.tan(math.pi * np.minimum(tail, 0.25)), -np.tan(math.pi * (0.5 - p)))
    )


def _standard_lorentzian() -> Standard:
    return Standard(
        lambda x: (1 / np.hypot(1, x)) ** 2 / math.pi,
        lambda x: np.arctan2(1.0, -x) / math.pi,
        _lorentzian_quantile,
        lambda x: -(x / np.hypot(1, x)) / np.hypot(1, x),
    )


def _uniform_principal_value(x: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray((np.log(np.abs(1 - x)) - np.log(np.abs(1 + x))) / 2)


def _standard_uniform() -> Standard:
    return Standard(
        lambda x: np.where(np.abs(x) <= 1, 0.5, 0.0),
        lambda x: np.clip((1 + x) / 2, 0.0, 1.0),
        lambda p: 2 * p - 1,
        _uniform_principal_value,
    )


def _two_peaks(peak: Standard, half: float) -> Standard:
    """½ g(x − half) + ½ g(x + half)."""

    def both(function: Function) -> Function:
        return lambda x: np.asarray((function(x - half) + function(x + half)) / 2)

    def whole_cdf(x: Floats) -> Floats:
        lower = peak.cdf(-np.abs(x))
        return np.asarray(np.where(x < 0, lower, 1 - lower))

    cdf = both(whole_cdf)

    def lower_quantile(p: Floats) -> Floats:
        """By bisection, for p <= 1/2: between the left peak's quantile and the right one's, or the center."""
        middle = peak.lower_quantile(p)
        low, high = middle - half, np.minimum(middle + half, 0.0)
        while True:
            x = (low + high) / 2
            if np.all((x == low) | (x == high)):
                return np.asarray(x)
            below = cdf(x) < p
            low, high = np.where(below, x, low), np.where(below, high, x)

    return Standard(both(peak.density), cdf, lower_quantile, both(peak.principal_value))


# ----------------------------------------------------------------------------------------------- the registry


def _made(name: str, center: float, width: float, standard: Standard, **options: Any) -> Distribution:
    return Distribution(
        name, finite_number("center", center), finite_number("width", width, positive=True), standard, options
    )


def normal(center: float = 0.0, width: float = 1.0) -> Distribution:
    """The normal distribution; `width` is its standard deviation.

    Examples
    --------
    >>> normal(width=2.0).quantiles(3).round(4)
    array([-1.9348,  0.    ,  1.9348])
    """
    return _made("normal", center, width, _standard_normal())


def lorentzian(center: float = 0.0, width: float = 1.0) -> Distribution:
    """The Lorentzian (Cauchy) distribution; `width` is its half width at half maximum.

    Examples
    --------
    >>> lorentzian(width=0.5).quantile([0.25, 0.75])
    array([-0.5,  0.5])
    """
    return _made("lorentzian", center, width, _standard_lorentzian())


def uniform(center: float = 0.0, width: float = 1.0) -> Distribution:
    """The uniform distribution on [center − width, center + width].

    Examples
    --------
    >>> uniform(center=3.0, width=2.0).quantiles(2)
    array([2., 4.])
    """
    return _made("uniform", center, width, _standard_uniform())


_PEAKS = {"normal": _standard_normal, "lorentzian": _standard_lorentzian}


def bimodal(
    center: float = 0.0, width: float = 1.0, separation: float = 4.0, component: str = "normal"
) -> Distribution:
    """Two peaks of equal weight at center ± separation/2.

    Parameters
    ----------
    center : float
    width : float
        That of each peak: standard deviation (normal), half width at half maximum (lorentzian).
    separation : float
        The distance of the peaks, >= 0. The density has one maximum for separation <= 2 width (normal),
        or <= 2 width/sqrt(3) (lorentzian).
    component : "normal" or "lorentzian"

    References
    ----------
    Martens, Barreto, Strogatz, Ott, So, Antonsen, *Exact results for the Kuramoto model with a bimodal
    frequency distribution* (2009).

    Examples
    --------
    >>> bimodal(width=0.1, separation=2.0).quantiles(4).round(4)
    array([-1.0674, -0.9326,  0.9326,  1.0674])
    """
    if component not in _PEAKS:
        raise ValueError(f"component must be one of {', '.join(_PEAKS)}; got {component!r}")
    apart = finite_number("separation", separation, least=0)
    half = apart / 2 / finite_number("width", width, positive=True)
    return _made(
        "bimodal", center, width, _two_peaks(_PEAKS[component](), half), separation=apart, component=component
    )


def point(center: float = 0.0) -> Sample:
    """One value for all.

    Examples
    --------
    >>> point(2.0).quantiles(3)
    array([2., 2., 2.])
    """
    value = finite_number("center", center)
    return Sample("point", value, 0.0, {"center": value}, values=np.array([value]))


def from_file(path: str | PathLike[str], column: int | str | None = None) -> Sample:
    """One column of a file, as it is; `quantiles(n)` are order statistics, `draw` is with replacement.

    Parameters
    ----------
    path : path-like
        Text, NPY, NPZ or NetCDF, as `inphase.tables` reads them.
    column : int or str, optional
        A number from 0 on, or a name; may be left out where there is one column only.

    Returns
    -------
    Sample
        `values` are in the order of the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError, TypeError
        If the column does not exist or must be chosen, a line cannot be read (with its number), or an array
        is not of finite real numbers.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "nodes.csv").write_text("node,omega\\n0,0.5\\n1,-1.5\\n2,1.0\\n")
    ...     found = from_file(pathlib.Path(folder, "nodes.csv"), column="omega")
    >>> found.values, found.quantiles(3)
    (array([ 0.5, -1.5,  1. ]), array([-1.5,  0.5,  1. ]))
    """
    values = read_column(path, column)
    options = {"path": str(path)} | ({} if column is None else {"column": column})
    return Sample("file", float(np.mean(values)), float(np.std(values)), options, values=values)


DISTRIBUTIONS: dict[str, Callable[..., Distribution]] = {
    "bimodal": bimodal,
    "file": from_file,
    "lorentzian": lorentzian,
    "normal": normal,
    "point": point,
    "uniform": uniform,
}


def named(name: str, **options: Any) -> Distribution:
    """The distribution called `name`, for instance from a configuration file.

    Parameters
    ----------
    name : str
        A key of `DISTRIBUTIONS`.
    **options
        The parameters of its function.

    Raises
    ------
    ValueError
        If the name is unknown, or a value is out of range.
    TypeError
        If an option is unknown, missing or of the wrong type.

    Examples
    --------
    >>> named("normal", width=0.5)
    normal(center=0.0, width=0.5)
    """
    if name not in DISTRIBUTIONS:
        raise ValueError(f"name must be one of {', '.join(DISTRIBUTIONS)}; got {name!r}")
    checked_options(repr(name), DISTRIBUTIONS[name], options)
    return DISTRIBUTIONS[name](**options)
