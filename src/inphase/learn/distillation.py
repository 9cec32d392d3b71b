"""`distill`: a readable coupling with few parameters, fitted to what a trained network says of pairs of nodes.

Two kinds. "symbolic": a sum of few terms from a library of functions of the pair (powers, |x_i|, sign, tanh, their products,
differences, Gaussians), by forward selection with replacement (Miller, *Subset Selection in Regression*, 2nd ed., 2002, 3.3).
"separable": Σ_r σ_r u_r(x_i) v_r(x_j), singular functions of the scores on a sample, kept as tables. Both give a path, from one
term to as many as are allowed; the number that is taken is the smallest whose error on held-out nodes is within one standard
error of the least (Breiman et al., *Classification and Regression Trees*, 1984, 3.4.3).

What is fitted is what the normalization leaves of the network:

===========  ================  =============================================================================================
kind         target            fitted, (i, j) a pair of different nodes
===========  ================  =============================================================================================
degree       "score"           s = log(K_ij/mean K), made symmetric as K is: what adds a constant changes nothing
degree       "coupling"        k = K_ij/mean K itself; where a fit is negative, K is 0
row-l2, -l1  "score"           s = the score over the root mean square of its row: a positive factor of a row changes nothing
none         "score"           s = the score, made symmetric as K is
===========  ================  =============================================================================================

Nodes, not pairs, are what is drawn: they are what is held out, and what the bootstrap draws again. Nothing of the network is
left in the result, and its files are JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import RBFInterpolator

from inphase.coupling.graph import Dense
from inphase.coupling.normalization import SMALLEST, Normalization
from inphase.coupling.pair_network import PairNetwork, feature_array
from inphase.errors import check_name, finite_array, integer
from inphase.files import write_text
from inphase.learn.evaluation import evaluate, mean_and_error, untrained
from inphase.learn.problems import Problem
from inphase.learn.training import Trained
from inphase.provenance import version

FORMAT = 1  # of the files
KINDS = ("symbolic", "separable")
TARGETS = ("score", "coupling")
FOLDS = 8
DRAWS = 200  # of the bootstrap
LEAST = 80  # nodes of a sample: a fold then has 5
EXACT = 1e-12  # of the variance: smaller errors are rounding
SAME = 1e-9  # 1 − |correlation| of two terms that are taken for one
SYMBOLS = {"frequency": "ω", "field": "b", "delay in steps": "τ"}

Floats = NDArray[np.float64]


# ------------------------------------------------------------------------------------------------------------------- terms


def _power(u: Any, p: float) -> Any:
    return u ** int(p)


NODE: dict[str, tuple[Callable[[Any, float], Any], Callable[[str, float], str]]] = {  # functions of one feature of a node
    "power": (_power, lambda a, p: a if p == 1 else f"{a}{_raised(p)}"),
    "abs": (lambda u, p: np.abs(u), lambda a, p: f"|{a}|"),
    "sign": (lambda u, p: np.sign(u), lambda a, p: f"sign({a})"),
    "tanh": (lambda u, p: np.tanh(u / p), lambda a, p: f"tanh({_over(a, p)})"),
}
PAIR: dict[str, tuple[Callable[[Any, Any, float], Any], Callable[[str, str, float], str]]] = {  # of one feature of two nodes
    "difference": (lambda u, v, p: (u - v) ** int(p), lambda a, b, p: f"({a} − {b}){'' if p == 1 else _raised(p)}"),
    "absolute difference": (lambda u, v, p: np.abs(u - v), lambda a, b, p: f"|{a} − {b}|"),
    "absolute sum": (lambda u, v, p: np.abs(u + v), lambda a, b, p: f"|{a} + {b}|"),
    "gaussian": (
        lambda u, v, p: np.exp(-((u - v) ** 2) / (2 * p**2)),
        lambda a, b, p: f"exp(−({a} − {b})²/(2·{p:g}²))",
    ),
    "tanh of product": (lambda u, v, p: np.tanh(u * v / p), lambda a, b, p: f"tanh({_over(f'{a} {b}', p)})"),
    "tanh of difference": (lambda u, v, p: np.tanh((u - v) / p), lambda a, b, p: f"tanh({_over(f'({a} − {b})', p)})"),
}


def _raised(p: float) -> str:
    return str(int(p)).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _over(text: str, p: float) -> str:
    return text if p == 1 else f"{text}/{p:g}"


@dataclass(frozen=True)
class Factor:
    """A function of one feature of a node: `function` is a name in `NODE`."""

    function: str
    column: int
    parameter: float = 1.0

    def values(self, x: Floats) -> Floats:
        """Of nodes (..., m): (...)."""
        return np.asarray(NODE[self.function][0](x[..., self.column], self.parameter), dtype=float)

    def text(self, names: Sequence[str], node: str) -> str:
        """As a formula, of node i or j."""
        return NODE[self.function][1](f"{names[self.column]}_{node}", self.parameter)


@dataclass(frozen=True)
class Term:
    """One function of a pair: a product g(x_i) h(x_j), either of which may be missing, or a function of one feature of both.

    Parameters
    ----------
    own, other : Factor, optional
        g and h.
    mirrored : bool
        Whether g(x_j) h(x_i) is added.
    pair : str, optional
        A name in `PAIR`, then with `column` and `parameter` and without g and h; or "distance" and "gaussian distance", of
        |x_i − x_j| over all features, each divided by its `scales`.
    """

    own: Factor | None = None
    other: Factor | None = None
    mirrored: bool = False
    pair: str | None = None
    column: int = 0
    parameter: float = 1.0
    scales: tuple[float, ...] = ()

    def values(self, x: Floats, y: Floats) -> Floats:
        """Of pairs (..., m), (..., m) that broadcast: (...)."""
        if self.scales:
            square = (((x - y) / np.array(self.scales)) ** 2).sum(axis=-1)
            return np.asarray(np.sqrt(square) if self.pair == "distance" else np.exp(-square / (2 * self.parameter**2)))
        if self.pair is not None:
            return np.asarray(PAIR[self.pair][0](x[..., self.column], y[..., self.column], self.parameter), dtype=float)
        found = self._product(x, y)
        return found + self._product(y, x) if self.mirrored else found

    def _product(self, x: Floats, y: Floats) -> Floats:
        one = 1.0 if self.own is None else self.own.values(x)
        return np.asarray(one * (1.0 if self.other is None else self.other.values(y)))

    def text(self, names: Sequence[str]) -> str:
        """As a formula."""
        if self.scales:
            return "d_ij" if self.pair == "distance" else f"exp(−d_ij²/(2·{self.parameter:g}²))"
        if self.pair is not None:
            name = names[self.column]
            return PAIR[self.pair][1](f"{name}_i", f"{name}_j", self.parameter)
        parts = [self._side(names, "i", "j")] + ([self._side(names, "j", "i")] if self.mirrored else [])
        return f"({' + '.join(parts)})" if self.mirrored else parts[0]

    def _side(self, names: Sequence[str], one: str, two: str) -> str:
        placed = ((self.own, one), (self.other, two))
        return " ".join(sorted((f.text(names, node) for f, node in placed if f), key=lambda text: text.split("_")[-1]))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Term:
        """The inverse of `dataclasses.asdict`; ValueError for a function that is not known."""
        parts = dict(data)
        for side in ("own", "other"):
            parts[side] = None if parts[side] is None else Factor(**parts[side])
            if parts[side] is not None:
                check_name("function", parts[side].function, tuple(NODE))
        if parts["pair"] is not None:
            check_name("pair", parts["pair"], (*PAIR, "distance", "gaussian distance"))
        return cls(**parts | {"scales": tuple(parts["scales"])})


def library(features: ArrayLike, symmetric: bool, degree: int | None = None) -> list[Term]:
    """The terms that `distill` chooses from, the simplest first.

    Parameters
    ----------
    features : array_like, shape (n, m)
        Where lengths come from: the standard deviation of a column, rounded, times 1/4, 1/2, 1, 2.
    symmetric : bool
        Only terms that do not change when i and j do.
    degree : int, optional
        Of monomials; 4 of one feature, 3 of two, 2 of more.

    Examples
    --------
    >>> [term.text(["ω"]) for term in library([[-1.0], [1.0]], True, 2)][:4]
    ['(ω_i + ω_j)', '(ω_i² + ω_j²)', '(|ω_i| + |ω_j|)', '(sign(ω_i) + sign(ω_j))']
    """
    x = feature_array(features)
    m = x.shape[1]
    highest = max(2, 5 - m) if degree is None else integer("degree", degree, least=1)
    lengths = [_rounded(value) for value in x.std(axis=0)]
    single = [[Factor("power", a, p) for p in range(1, highest + 1)] for a in range(m)]
    for a, column in enumerate(single):
        column += [Factor("abs", a), Factor("sign", a), *(Factor("tanh", a, _rounded(q * lengths[a])) for q in (0.25, 1))]
    everyone = [factor for column in single for factor in column]
    found = []
    for factor in everyone:
        found += [Term(factor, mirrored=True)] if symmetric else [Term(factor), Term(None, factor)]
    for one, g in enumerate(everyone):
        for h in everyone[one:] if symmetric else everyone:
            if sum(f.parameter if f.function == "power" else 1 for f in (g, h)) <= max(highest, 2):
                found.append(Term(g, h, symmetric and g != h))
    for a, length in enumerate(lengths):
        named: list[tuple[str, float]] = [("absolute difference", 1), ("difference", 2), ("absolute sum", 1)]
        named += [("gaussian", _rounded(q * length)) for q in (0.5, 1, 2)]
        named += [("tanh of product", _rounded(q * length**2)) for q in (0.25, 1)]
        if not symmetric:
            named += [("tanh of difference", _rounded(q * length)) for q in (0.25, 1)]
        found += [Term(pair=name, column=a, parameter=p) for name, p in named]
    if m > 1:
        scales = tuple(lengths)
        found += [Term(pair="distance", scales=scales)]
        found += [Term(pair="gaussian distance", parameter=q, scales=scales) for q in (0.25, 0.5, 1, 2)]
    return found


def _rounded(value: float) -> float:
    """To one digit; 1 for 0."""
    return float(f"{value:.0e}") if value > 0 else 1.0


# ------------------------------------------------------------------------------------------------------------------ models


@dataclass(frozen=True)
class Symbolic:
    """constant + Σ_r coefficient_r term_r(x_i, x_j)."""

    KIND: ClassVar[str] = "symbolic"
    terms: tuple[Term, ...]
    constant: float
    coefficients: tuple[float, ...]
    constant_error: float
    errors: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.terms)

    def values(self, x: Floats, y: Floats) -> Floats:
        """Of pairs (..., m), (..., m) that broadcast."""
        total = np.full(np.broadcast_shapes(x.shape[:-1], y.shape[:-1]), self.constant)
        for c, term in zip(self.coefficients, self.terms):
            total += c * term.values(x, y)
        return total

    def table(self, x: Floats, y: Floats) -> Floats:
        """Of all pairs, (n_x, n_y)."""
        return self.values(x[:, None], y[None])

    def texts(self, names: Sequence[str]) -> list[str]:
        """The terms as formulas."""
        return [term.text(names) for term in self.terms]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Symbolic:
        """The inverse of `to_dict`."""
        parts: dict[str, Any] = {name: tuple(map(float, data[name])) for name in ("coefficients", "errors")}
        parts |= {name: float(data[name]) for name in ("constant", "constant_error")}
        return cls(terms=tuple(map(Term.from_dict, data["terms"])), **parts)


@dataclass(frozen=True)
class Separable:
    """constant + Σ_r σ_r u_r(x_i) v_r(x_j): functions as tables on nodes, of mean square 1 there.

    Between nodes of the table a function of one feature is linear, and constant beyond; of several, it is a thin
    plate spline, each feature divided by its deviation.
    """

    KIND: ClassVar[str] = "separable"
    nodes: Floats  # (q, m), sorted where m = 1
    left: Floats  # (q, r), u
    right: Floats  # (q, r), v
    constant: float
    coefficients: tuple[float, ...]  # σ
    constant_error: float
    errors: tuple[float, ...]
    explained: tuple[float, ...]  # the share of each in the variance on the sample

    def __len__(self) -> int:
        return len(self.coefficients)

    @cached_property
    def _deviations(self) -> Floats:
        found = self.nodes.std(axis=0)
        return np.where(found > 0, found, 1.0)

    @cached_property
    def _interpolator(self) -> RBFInterpolator:
        both, nodes = np.hstack([self.left, self.right]), self.nodes / self._deviations
        flat = np.linalg.matrix_rank(nodes - nodes.mean(axis=0)) < nodes.shape[1]  # a plane is then not determined
        kernel, degree = ("linear", 0) if flat else ("thin_plate_spline", 1)
        return RBFInterpolator(nodes, both, kernel=kernel, degree=degree)

    def functions(self, x: Floats) -> tuple[Floats, Floats]:
        """u and v of nodes (..., m): two arrays (..., r)."""
        if self.nodes.shape[1] == 1:
            u, v = (np.empty((*x.shape[:-1], len(self))) for _ in range(2))
            for r in range(len(self)):
                u[..., r] = np.interp(x[..., 0], self.nodes[:, 0], self.left[:, r])
                v[..., r] = np.interp(x[..., 0], self.nodes[:, 0], self.right[:, r])
            return u, v
        if not len(self):
            return np.empty((*x.shape[:-1], 0)), np.empty((*x.shape[:-1], 0))
        both = self._interpolator((x / self._deviations).reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], -1)
        return both[..., : len(self)], both[..., len(self) :]

    def values(self, x: Floats, y: Floats) -> Floats:
        """Of pairs (..., m), (..., m) that broadcast."""
        return np.asarray(self.constant + (self.functions(x)[0] * self.coefficients * self.functions(y)[1]).sum(axis=-1))

    def table(self, x: Floats, y: Floats) -> Floats:
        """Of all pairs, (n_x, n_y)."""
        return np.asarray(self.constant + (self.functions(x)[0] * self.coefficients) @ self.functions(y)[1].T)

    def texts(self, names: Sequence[str]) -> list[str]:
        """The terms as formulas."""
        return [f"u{r}(x_i) v{r}(x_j)" for r in range(1, len(self) + 1)]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        parts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in parts.items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Separable:
        """The inverse of `to_dict`."""
        parts: dict[str, Any] = {name: finite_array(name, data[name]) for name in ("nodes", "left", "right")}
        parts |= {name: tuple(map(float, data[name])) for name in ("coefficients", "errors", "explained")}
        return cls(**parts | {name: float(data[name]) for name in ("constant", "constant_error")})

    def cut(self, k: int) -> Separable:
        """The same with its first k terms."""
        parts: dict[str, Any] = {name: getattr(self, name)[:, :k] for name in ("left", "right")}
        return replace(self, **parts | {name: getattr(self, name)[:k] for name in ("coefficients", "errors", "explained")})


MODELS: dict[str, type[Symbolic] | type[Separable]] = {model.KIND: model for model in (Symbolic, Separable)}


@dataclass(frozen=True, eq=False)
class Distilled:
    """A coupling with few parameters that stands for a trained network: a function of the features of a pair.

    Parameters
    ----------
    models : tuple of Symbolic or Separable
        With 0, 1, 2, ... terms.
    count : int
        How many terms are taken; `with_terms` takes others.
    target : "score" or "coupling"
        What the model is of: s, before the normalization, or K_ij/mean K.
    columns : tuple of str
        What the features are.
    normalization : Normalization
    path : xarray.Dataset
        Over `terms` = 0, 1, 2, ...: `cross_validated` and `cross_validated_error`, R² on the nodes of folds held out and its
        standard error over folds; `r_squared` and `r_squared_error`, on pairs of nodes that took no part at all, with the
        jackknife over nodes; `coupling_error`, |K − K_network|/|K_network| on these nodes, Frobenius norm.
    about : dict
        Problem, nodes, seed, versions.
    """

    models: tuple[Symbolic | Separable, ...]
    count: int
    target: str
    columns: tuple[str, ...]
    normalization: Normalization
    path: xr.Dataset
    about: dict[str, Any]

    @property
    def model(self) -> Any:
        """The one with `count` terms."""
        return self.models[self.count]

    @property
    def kind(self) -> str:
        """ "symbolic" or "separable"."""
        return self.models[0].KIND

    @property
    def names(self) -> list[str]:
        """The columns as symbols."""
        return [SYMBOLS.get(name, name) for name in self.columns]

    @property
    def coefficients(self) -> dict[str, float]:
        """Of each term by its formula, the constant first."""
        return dict(zip(["1", *self.model.texts(self.names)], [self.model.constant, *self.model.coefficients]))

    @property
    def errors(self) -> dict[str, float]:
        """Standard errors of the coefficients, the choice of terms taken as given.

        "symbolic": bootstrap over nodes. "separable": jackknife over folds of nodes.
        """
        return dict(zip(["1", *self.model.texts(self.names)], [self.model.constant_error, *self.model.errors]))

    @property
    def r_squared(self) -> float:
        """R² on pairs of nodes that took no part."""
        return float(self.path.r_squared[self.count])

    @property
    def r_squared_error(self) -> float:
        """Its standard error, by the jackknife over these nodes."""
        return float(self.path.r_squared_error[self.count])

    @property
    def formula(self) -> str:
        """s(x_i, x_j) = ..., coefficients rounded to their errors; a second line defines d_ij where it occurs."""
        left = "s_ij" if self.target == "score" else "K_ij/mean K"
        text = f"{left} ="
        for place, (term, value) in enumerate(self.coefficients.items()):
            number = _shown(abs(value), self.errors[term])
            sign = ("−" if value < 0 else "") if place == 0 else ("− " if value < 0 else "+ ")
            text += f" {sign}{number}" + ("" if term == "1" else f" {term}")
        scales = next((t.scales for t in getattr(self.model, "terms", ()) if t.scales), ())
        if scales:
            squares = (f"(({a}_i − {a}_j)/{q:g})²" for a, q in zip(self.names, scales))
            text += f"\nd_ij² = {' + '.join(squares)}"
        return text

    def with_terms(self, count: int) -> Distilled:
        """The same with another number of terms of the path.

        Raises
        ------
        ValueError
            If the path has no such number.
        """
        if integer("count", count, least=0) >= len(self.models):
            raise ValueError(f"count must be <= {len(self.models) - 1}, the terms of the path; got {count}")
        return replace(self, count=int(count))

    def __call__(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """What the formula says of pairs: x of who listens, y of who is heard.

        Parameters
        ----------
        x, y : array_like, shapes (..., m)
            That broadcast.

        Returns
        -------
        ndarray, shape (...)

        Raises
        ------
        ValueError
            If the features are not finite or not m.
        """
        here, there = finite_array("x", x), finite_array("y", y)
        for name, array in (("x", here), ("y", there)):
            if array.ndim < 1 or array.shape[-1] != len(self.columns):
                raise ValueError(f"{name} must have shape (..., {len(self.columns)}); got shape {array.shape}")
        return np.asarray(self.model.values(here, there))

    def scores(self, features: ArrayLike, others: ArrayLike | None = None) -> Floats:
        """What enters the normalization, for all pairs: (n_x, n_y)."""
        x = feature_array(features, len(self.columns))
        y = x if others is None else feature_array(others, len(self.columns))
        table = self.model.table(x, y)
        return np.asarray(np.log(np.maximum(table, SMALLEST)) if self.target == "coupling" else table)

    def coupling(self, features: ArrayLike, normalization: Normalization | None = None) -> Dense:
        """K of nodes with these features, (n, m), by the normalization of the training if none is given; memory O(n²)."""
        rule = self.normalization if normalization is None else normalization
        return Dense(rule.apply(self.scores(features)))

    def coupler(self, network: PairNetwork, features: Any, normalization: Normalization) -> Dense:
        """This coupling in the place of a network's: `evaluate(trained, coupling=distilled.coupler)`."""
        if network.features != len(self.columns):
            wanted = f"{len(self.columns)} features, {', '.join(self.columns)}"
            raise ValueError(f"the network must take {wanted}; got {network.features}")
        return self.coupling(features, normalization)

    def report(
        self,
        trained: Trained,
        sizes: Sequence[int] = (),
        terms: Sequence[int] | None = None,
        *,
        problem: Problem | None = None,
        **options: Any,
    ) -> xr.Dataset:
        """How many terms are needed to synchronize: the loss and V on fresh nodes against the number of terms.

        Parameters
        ----------
        trained : Trained
            The network that was distilled.
        sizes : sequence of int
            Nodes of a graph; the number in training if empty.
        terms : sequence of int, optional
            Numbers of terms; all of the path if not given.
        problem : Problem, optional
            Where the nodes come from; the one of training if not given.
        **options
            Of `evaluate`: graphs, burn_in, window, seed, split.

        Returns
        -------
        xarray.Dataset
            `loss` and `variance`, (size, terms), means over graphs, with `_error`, the standard error of the mean over graphs
            (NaN of one graph); the same of the network and of an untrained one, `network_variance` and so on, (size); and
            what `path` has. All are on the same nodes from the same phases.

        Raises
        ------
        TypeError, ValueError
            As `evaluate`, or if the path has no such number of terms.
        """
        task = problem or trained.problem
        if task is None:
            raise ValueError("problem must be given: the training was on nodes that have no name")
        steps = range(len(self.models)) if terms is None else terms
        chosen, counts = [self.with_terms(k) for k in steps], list(sizes) or [trained.settings.nodes]
        controls = {"network_": trained, "untrained_": untrained(replace(task, settings=trained.settings), trained.seed)}
        options |= {"problem": task}
        found: dict[str, list[Any]] = {}
        for n in counts:
            own = [_means(evaluate(trained, n, coupling=each.coupler, **options)) for each in chosen]
            others = {name: _means(evaluate(each, n, **options)) for name, each in controls.items()}
            for name in others["network_"]:
                found.setdefault(name, []).append([means[name] for means in own])
                for prefix, means in others.items():
                    found.setdefault(prefix + name, []).append(means[name])
        data = {name: (("size", "terms")[: np.ndim(rows)], rows) for name, rows in found.items()}
        kept = self.path.isel(terms=[each.count for each in chosen])
        return kept.assign(data).assign_coords(size=counts).assign_attrs(self.path.attrs | {"chosen": self.count})

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write all of it as JSON; OSError with the path and the reason."""
        names = [str(name) for name in self.path.data_vars]
        parts = {
            "format": FORMAT,
            "inphase_version": version(),
            "kind": self.kind,
            "count": self.count,
            "target": self.target,
            "columns": list(self.columns),
            "normalization": asdict(self.normalization),
            "formula": self.formula,
            "path": {name: self.path[name].values.tolist() for name in names},
            "about": self.about,
            "models": [model.to_dict() for model in self.models[-1 if self.kind == "separable" else 0 :]],
        }
        return write_text(Path(path), json.dumps(parts, ensure_ascii=False, indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Distilled:
        """The inverse of `save`.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is truncated, of a newer format, or no such file.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise OSError(f"cannot read {path}: {error.strerror}") from None
        except ValueError as error:
            raise ValueError(f"{path} is truncated, or no JSON: {error}") from None
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            given = data.get("format") if isinstance(data, dict) else None
            raise ValueError(f"{path} has the format {given!r}; this version reads {FORMAT}")
        try:
            models: Any = tuple(MODELS[data["kind"]].from_dict(model) for model in data["models"])
            if data["kind"] == "separable":  # of which the one with all terms is kept
                models = tuple(models[0].cut(k) for k in range(len(models[0]) + 1))
            rule, columns = Normalization(**data["normalization"]), tuple(map(str, data["columns"]))
            target, about = check_name("target", data["target"], TARGETS), dict(data["about"])
            made = cls(models, 0, target, columns, rule, _path(data["path"]), about)
            for model in models:
                model.table(*np.zeros((2, 1, len(columns))))
            if len(made.path.terms) != len(models):
                raise ValueError(f"its path has {len(made.path.terms)} numbers of terms, its models {len(models)}")
            return made.with_terms(data["count"])
        except KeyError as error:
            raise ValueError(f"{path} lacks or does not know {error.args[0]!r}") from None
        except (TypeError, ValueError, AttributeError, IndexError) as error:
            raise ValueError(f"{path} holds no distilled coupling: {error}") from None

    def __str__(self) -> str:
        about = f"R² = {self.r_squared:.4f} ± {self.r_squared_error:.0e} on {self.about['held_out']} nodes held out"
        return f"{self.formula}\n{about}"

    def __repr__(self) -> str:
        return f"Distilled({self.kind}, {self.count} terms, {self.target}, R² {self.r_squared:.4f})"


def _means(found: xr.Dataset) -> dict[str, float]:
    """The means over graphs and their standard errors."""
    means = {}
    for name in ("loss", "variance"):
        means[name], error = mean_and_error(found[name].values)
        means[f"{name}_error"] = float("nan") if error is None else error
    return means


def _shown(value: float, error: float) -> str:
    """To the second digit of the error, with at least 2 and at most 6 digits."""
    if value == 0:
        return "0"
    first = int(np.floor(np.log10(value)))
    last = int(np.floor(np.log10(error))) - 1 if error > 0 else first - 5
    digits = min(max(first - last + 1, 2), 6)
    return f"{value:.{digits}g}"


def _path(rows: dict[str, Any]) -> xr.Dataset:
    """What was measured, over the number of terms from 0 on."""
    data = {str(name): ("terms", finite_array(str(name), values)) for name, values in rows.items()}
    return xr.Dataset(data).assign_coords(terms=np.arange(len(next(iter(data.values()))[1])))


# ----------------------------------------------------------------------------------------------------------------- distill


def distill(
    trained: Trained,
    terms: int = 8,
    kind: str = "symbolic",
    *,
    target: str = "score",
    samples: int = 300,
    features: ArrayLike | None = None,
    degree: int | None = None,
    seed: int = 0,
) -> Distilled:
    """A readable coupling with few parameters from a trained network.

    Parameters
    ----------
    trained : Trained
        What `inphase.learn.train` returns.
    terms : int
        At most; the one-standard-error rule takes as many of them as are needed, `Distilled.with_terms` any number.
    kind : "symbolic" or "separable"
        A sum of terms of `library`, or of products of tabulated functions of the two nodes.
    target : "score" or "coupling"
        The scores, or K/mean K itself (with "degree" only), where a formula of K reads better than one of log K.
    samples : int
        Nodes; half of them are held out for `r_squared`, the others make the fit and its folds.
    features : array_like, shape (samples, m), optional
        The nodes; drawn from the problem's training nodes if not given.
    degree : int, optional
        Of monomials; see `library`.
    seed : int
        Of nodes, folds and the bootstrap.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, features are not finite or not as many as the network takes, there are fewer than 80
        nodes, or the network says the same of all pairs.

    Examples
    --------
    >>> from inphase.learn import problem, untrained
    >>> found = distill(untrained(problem("case-1", hidden=(4,))), terms=3, samples=80)
    >>> found.kind, found.count <= 3, found([0.5], [-0.5]).shape
    ('symbolic', True, ())
    """
    if not isinstance(trained, Trained):
        raise TypeError(f"trained must be a Trained, as inphase.learn.train returns; got {trained!r:.60}")
    if trained.network.has_lags:
        raise ValueError("trained must have no phase lags: only strengths are distilled")
    most = integer("terms", terms, least=1)
    check_name("kind", kind, KINDS)
    check_name("target", target, TARGETS)
    rule, network = trained.settings.rule, trained.network
    if target == "coupling" and rule.kind != "degree":
        raise ValueError(f"target must be 'score' with the normalization {rule.kind!r}; got 'coupling', which is for 'degree'")
    rng = np.random.default_rng([integer("seed", seed, least=0), 7])
    x = rng.permutation(_nodes(trained, samples, features, seed))
    columns = trained.problem.columns if trained.problem is not None else ()
    if len(columns) != x.shape[1]:
        columns = tuple(f"x{a + 1}" for a in range(x.shape[1]))
    whole = _target(network.scores(x), rule, target)
    if np.ptp(whole) <= 1e-10 * max(1.0, float(np.abs(whole).max())):
        raise ValueError(f"the network must tell pairs apart; it gives all pairs of {len(x)} nodes the same score")
    held = len(x) // 2
    fit, out = slice(held, None), slice(0, held)
    symmetric = rule.symmetric and rule.kind in ("degree", "none")
    sample = _Sample(x[fit], whole[fit, fit], symmetric, target if rule.kind == "degree" else None)
    finder: Any = _Symbols(sample, library(x[fit], symmetric, degree), rng) if kind == "symbolic" else _Functions(sample)
    models, mean, error = finder.path(most)
    rows = {"cross_validated": 1 - mean / sample.variance, "cross_validated_error": error / sample.variance}
    about = {
        "problem": None if trained.problem is None else trained.problem.name,
        "nodes": len(x) - held,
        "held_out": held,
        "folds": FOLDS,
        "seed": int(seed),
        "network": {"hidden": list(network.hidden), "activation": network.activation},
    }
    least = int(np.argmin(mean))
    count = int(np.flatnonzero(mean <= mean[least] + error[least])[0])
    made = Distilled(tuple(models), count, target, tuple(columns), rule, _path(rows), about)
    return replace(made, path=_path(rows | _held_out(made, network, x[out], whole[out, out])))


def _nodes(trained: Trained, samples: int, features: ArrayLike | None, seed: int) -> Floats:
    """The sample: given, or drawn from the training nodes; without doubles."""
    if features is None:
        task = trained.problem
        if task is None:
            raise ValueError("features must be given: the training was on nodes that have no name")
        count = min(integer("samples", samples, least=LEAST), task.limits.get("train", samples))
        x = feature_array(task.draw("train", count, seed).features, trained.network.features)
    else:
        x = feature_array(features, trained.network.features)
    x = np.unique(x, axis=0)
    if len(x) < LEAST:
        raise ValueError(f"features must be of at least {LEAST} different nodes; got {len(x)}")
    return x


def _target(scores: Floats, rule: Normalization, target: str) -> Floats:
    """What is fitted, (n, n): the scores without what the normalization takes away; K/mean K for "coupling"."""
    both = rule.symmetric
    if rule.kind == "degree":
        s = np.logaddexp(scores, scores.T) - np.log(2) if both else scores.copy()
        off = ~np.eye(len(s), dtype=bool)
        highest = s.max()
        s -= highest + np.log(np.exp(s - highest).mean(where=off))
        return np.asarray(np.exp(s) if target == "coupling" else s)
    if rule.kind == "none":
        return np.asarray((scores + scores.T) / 2 if both else scores)
    return np.asarray(scores / np.maximum(np.sqrt((scores**2).mean(axis=1, keepdims=True)), SMALLEST))


def _held_out(made: Distilled, network: PairNetwork, x: Floats, whole: Floats) -> dict[str, Any]:
    """R² with its error, and the error of K, on nodes that took no part, for each number of terms."""
    n = len(x)
    off = ~np.eye(n, dtype=bool)
    total = np.where(off, (whole - whole.mean(where=off)) ** 2, 0)
    K = made.normalization.apply(network.scores(x))
    found: dict[str, list[float]] = {"r_squared": [], "r_squared_error": [], "coupling_error": []}
    for count, model in enumerate(made.models):
        wrong = np.where(off, (model.table(x, x) - whole) ** 2, 0)
        without = [m.sum() - m.sum(axis=0) - m.sum(axis=1) for m in (wrong, total)]
        values = 1 - without[0] / without[1]
        found["r_squared"].append(float(1 - wrong.sum() / total.sum()))
        found["r_squared_error"].append(float(np.sqrt((n - 1) * values.var())))
        found["coupling_error"].append(float(np.linalg.norm(made.with_terms(count).coupling(x).array - K) / np.linalg.norm(K)))
    return found


class _Sample:
    """Nodes and what is fitted on their pairs, in folds."""

    def __init__(self, x: Floats, values: Floats, symmetric: bool, relative: str | None) -> None:
        self.x, self.values, self.symmetric, self.relative = x, values, symmetric, relative
        self.off = ~np.eye(len(x), dtype=bool)
        self.variance = float(values.var(where=self.off))
        self.folds = np.array_split(np.arange(len(x)), FOLDS)

    def scaled(self, fit: Floats, weights: Floats) -> Floats:
        """Coefficients, the constant first, as they are where mean K is that of the pairs with these weights, (n, n)."""
        if self.relative is None:
            return fit
        K = np.exp(self.values) if self.relative == "score" else self.values
        mean = float((weights * K)[self.off].sum() / weights[self.off].sum())
        return fit / mean if self.relative == "coupling" else np.append(fit[0] - np.log(mean), fit[1:])

    def judged(self, errors: Any) -> tuple[Floats, Floats]:
        """Mean squared errors (folds, terms) -> their means, none below what rounding leaves, and standard errors."""
        table = np.maximum(np.array(errors), EXACT * self.variance)
        return table.mean(axis=0), table.std(axis=0, ddof=1) / np.sqrt(FOLDS)


class _Symbols:
    """The path of symbolic models, from the moments of all terms by pairs of folds: no table of pairs by terms is held."""

    def __init__(self, sample: _Sample, terms: Sequence[Term], rng: np.random.Generator) -> None:
        self.sample, x, n = sample, sample.x, len(sample.x)
        drawn = rng.integers(0, n, (DRAWS, n))
        self.times = np.array([np.bincount(row, minlength=n) for row in drawn], dtype=float)  # that a node is drawn
        pairs = rng.integers(0, n, (2, 2000))
        trial = np.stack([term.values(x[pairs[0]], x[pairs[1]]) for term in terms])
        self.means, spread = trial.mean(axis=1), trial.std(axis=1)
        self.spreads, self.terms = np.where(spread > 0, spread, 1.0), list(terms)
        self.moments = np.array([[self._block(a, b) for b in sample.folds] for a in sample.folds])
        kept = self._different()
        self.terms = [terms[k] for k in kept]
        self.means, self.spreads = self.means[kept], self.spreads[kept]
        rows = [0, *(k + 1 for k in kept), len(terms) + 1]
        self.moments = self.moments[..., rows, :][..., rows]

    def _columns(self, terms: Sequence[int], rows: Any, columns: Any) -> Floats:
        """1, the terms in standard units, and what is fitted, (terms + 2, pairs), the node's own pair left out."""
        x, y, use = self.sample.x[rows][:, None], self.sample.x[columns][None], self.sample.off[np.ix_(rows, columns)]
        shape = use.shape
        table = [np.ones(shape)]
        table += [(np.broadcast_to(self.terms[k].values(x, y), shape) - self.means[k]) / self.spreads[k] for k in terms]
        return np.array([part[use] for part in (*table, self.sample.values[np.ix_(rows, columns)])])

    def _block(self, rows: Any, columns: Any) -> Floats:
        table = self._columns(range(len(self.terms)), rows, columns)
        return np.asarray(table @ table.T)

    def _different(self) -> list[int]:
        """The terms that are not constant on the sample, nor a multiple of an earlier one plus a constant."""
        C = _centered(self.moments.sum(axis=(0, 1)))[:-1, :-1]
        size = np.sqrt(np.maximum(np.diag(C), 0))
        alive = size > 1e-6 * size.max()
        correlation = np.abs(C) / np.where(alive, size, 1.0) / np.where(alive, size, 1.0)[:, None]
        kept: list[int] = []
        for k in np.flatnonzero(alive):
            if not kept or correlation[k, kept].max() < 1 - SAME:
                kept.append(int(k))
        return kept

    def path(self, most: int) -> tuple[list[Symbolic], Floats, Floats]:
        """(models with 0, 1, ... terms, their errors on folds held out, standard errors of these)."""
        everything = self.moments.sum(axis=(0, 1))
        sets, errors = _selections(everything, most), []
        for fold in range(FOLDS):
            others = [k for k in range(FOLDS) if k != fold]
            training, test = self.moments[np.ix_(others, others)].sum(axis=(0, 1)), self.moments[fold, fold]
            own = _selections(training, len(sets) - 1)
            own += [own[-1]] * (len(sets) - len(own))
            errors.append([_error(test, chosen, _coefficients(training, chosen)) for chosen in own])
        return [self._model(chosen, everything) for chosen in sets], *self.sample.judged(errors)

    def _model(self, chosen: list[int], moments: Floats) -> Symbolic:
        """The fit on all nodes, with errors by drawing nodes again."""
        n, q = len(self.sample.x), len(chosen) + 2
        everyone = np.arange(n)
        table = self._columns(chosen, everyone, everyone)
        upper = np.triu_indices(q)
        products = table[upper[0]] * table[upper[1]]
        fits, drawn = [], np.empty((q, q))
        for some in np.array_split(self.times, DRAWS // 20):
            weights = some[:, :, None] * some[:, None]  # of pairs
            for weight, sums in zip(weights, weights[:, self.sample.off] @ products.T):
                drawn[upper] = drawn.T[upper] = sums
                fit = self._raw(_coefficients(drawn, list(range(len(chosen)))), chosen)
                fits.append(self.sample.scaled(fit, weight))
        error, best = np.std(fits, axis=0, ddof=1), self._raw(_coefficients(moments, chosen), chosen)
        listed = tuple(map(float, best[1:])), float(error[0]), tuple(map(float, error[1:]))
        return Symbolic(tuple(self.terms[k] for k in chosen), float(best[0]), *listed)

    def _raw(self, scaled: Floats, chosen: list[int]) -> Floats:
        """Coefficients, the constant first, of terms in their own units."""
        raw = scaled.copy()
        raw[1:] /= self.spreads[chosen]
        raw[0] -= float(raw[1:] @ self.means[chosen])
        return raw


def _centered(moments: Floats) -> Floats:
    """Covariances, times the number of pairs, from moments with 1 in the first place."""
    return np.asarray(moments[1:, 1:] - np.outer(moments[1:, 0], moments[0, 1:]) / moments[0, 0])


def _coefficients(moments: Floats, chosen: list[int]) -> Floats:
    """Least squares, the constant first."""
    rows = [0, *(k + 1 for k in chosen)]
    return np.asarray(np.linalg.lstsq(moments[np.ix_(rows, rows)], moments[rows, -1], rcond=1e-13)[0])


def _error(moments: Floats, chosen: list[int], coefficients: Floats) -> float:
    """The mean squared error of a fit on the pairs of other moments."""
    rows = [0, *(k + 1 for k in chosen), -1]
    v = np.append(coefficients, -1.0)
    return float(v @ moments[np.ix_(rows, rows)] @ v / moments[0, 0])


def _gains(C: Floats, chosen: list[int]) -> Floats:
    """How much of the sum of squares each term would explain beside those chosen; −1 where it is nothing new."""
    y, own = C[:-1, -1], np.diag(C)[:-1]
    if chosen:
        solved = np.linalg.lstsq(C[np.ix_(chosen, chosen)], C[chosen], rcond=1e-13)[0]
        y = y - C[:-1, chosen] @ solved[:, -1]
        left = own - np.einsum("ks,sk->k", C[:-1, chosen], solved[:, :-1])
    else:
        left = own
    new = left > SAME * own
    found = np.where(new, y**2 / np.where(new, left, 1.0), -1.0)
    found[chosen] = -1.0
    return np.asarray(found)


def _selections(moments: Floats, most: int) -> list[list[int]]:
    """The terms chosen, none, one, two, ...: each time the best is added, and others replaced as long as it helps."""
    C = _centered(moments)
    sets: list[list[int]] = [[]]
    while len(sets) <= most and len(sets[-1]) < len(C) - 1:
        chosen = list(sets[-1])
        gains = _gains(C, chosen)
        if gains.max() <= EXACT * C[-1, -1]:
            break
        chosen.append(_first(gains))
        for _ in range(10):
            before = list(chosen)
            for place in range(len(chosen)):
                rest = chosen[:place] + chosen[place + 1 :]
                gains = _gains(C, rest)
                best = _first(gains)
                if gains[best] > gains[chosen[place]] + EXACT * C[-1, -1]:
                    chosen[place] = best
            if chosen == before:
                break
        sets.append(chosen)
    return sets


def _first(gains: Floats) -> int:
    """The simplest of those that are as good as the best."""
    return int(np.flatnonzero(gains >= gains.max() * (1 - 1e-9))[0])


class _Functions:
    """The path of separable models, by the singular functions of the sample's matrix."""

    def __init__(self, sample: _Sample) -> None:
        self.sample = sample

    def path(self, most: int) -> tuple[list[Separable], Floats, Floats]:
        """(models with 0, 1, ... terms, their errors on folds held out, standard errors of these)."""
        x, n = self.sample.x, len(self.sample.x)
        most = min(most, n - max(map(len, self.sample.folds)) - 1)
        parts, errors, fits = [], [], []
        for fold in self.sample.folds:
            parts.append(self._model(np.setdiff1d(np.arange(n), fold), most))
            off, whole = self.sample.off[np.ix_(fold, fold)], self.sample.values[np.ix_(fold, fold)]
            tables = [parts[-1].cut(k).table(x[fold], x[fold]) for k in range(most + 1)]
            others = (~np.isin(np.arange(n), fold)).astype(float)
            fit = np.array([parts[-1].constant, *np.abs(parts[-1].coefficients)])  # signs may change places
            fits.append(self.sample.scaled(fit, np.outer(others, others)))
            errors.append([float(((table - whole)[off] ** 2).mean()) for table in tables])
        error = np.sqrt(FOLDS - 1) * np.std(fits, axis=0)
        full = replace(self._model(np.arange(n), most), constant_error=float(error[0]), errors=tuple(map(float, error[1:])))
        return [full.cut(k) for k in range(most + 1)], *self.sample.judged(errors)

    def _model(self, rows: Any, most: int) -> Separable:
        """Singular functions of the matrix of some nodes; of a symmetric one, eigenfunctions, σ with the eigenvalue's sign."""
        order = rows[np.lexsort(self.sample.x[rows].T[::-1])]
        n, whole = len(order), self.sample.values[np.ix_(order, order)]
        constant = float(whole.mean())
        if self.sample.symmetric:
            values, U = np.linalg.eigh(whole - constant)
            by = np.argsort(-np.abs(values), kind="stable")[:most]
            sigma, U = values[by], U[:, by]
            U = U * np.where(U[np.abs(U).argmax(axis=0), np.arange(len(by))] < 0, -1, 1)
            V = U
        else:
            U, sigma, Vt = np.linalg.svd(whole - constant)
            U, sigma, V = U[:, :most], sigma[:most], Vt[:most].T
            signs = np.where(U[np.abs(U).argmax(axis=0), np.arange(len(sigma))] < 0, -1, 1)
            U, V = U * signs, V * signs
        share = tuple(map(float, sigma**2 / ((whole - constant) ** 2).sum()))
        nothing = (0.0,) * len(sigma)
        scaled = tuple(map(float, sigma / n))
        return Separable(self.sample.x[order], U * np.sqrt(n), V * np.sqrt(n), constant, scaled, 0.0, nothing, share)
