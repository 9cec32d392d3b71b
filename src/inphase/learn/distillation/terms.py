"""The library of terms: functions of a pair of nodes, as numbers and as formulas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import check_name, integer
from inphase.coupling.learnt.network import feature_array

Floats = NDArray[np.float64]


def _power(u: Any, p: float) -> Any:
    return u ** int(p)


# functions of one feature of a node
NODE: dict[str, tuple[Callable[[Any, float], Any], Callable[[str, float], str]]] = {
    "power": (_power, lambda a, p: a if p == 1 else f"{a}{_raised(p)}"),
    "abs": (lambda u, p: np.abs(u), lambda a, p: f"|{a}|"),
    "sign": (lambda u, p: np.sign(u), lambda a, p: f"sign({a})"),
    "tanh": (lambda u, p: np.tanh(u / p), lambda a, p: f"tanh({_over(a, p)})"),
}
# of one feature of two nodes
PAIR: dict[str, tuple[Callable[[Any, Any, float], Any], Callable[[str, str, float], str]]] = {
    "difference": (
        lambda u, v, p: (u - v) ** int(p),
        lambda a, b, p: f"({a} − {b}){'' if p == 1 else _raised(p)}",
    ),
    "absolute difference": (lambda u, v, p: np.abs(u - v), lambda a, b, p: f"|{a} − {b}|"),
    "absolute sum": (lambda u, v, p: np.abs(u + v), lambda a, b, p: f"|{a} + {b}|"),
    "gaussian": (
        lambda u, v, p: np.exp(-((u - v) ** 2) / (2 * p**2)),
        lambda a, b, p: f"exp(−({a} − {b})²/(2·{p:g}²))",
    ),
    "tanh of product": (lambda u, v, p: np.tanh(u * v / p), lambda a, b, p: f"tanh({_over(f'{a} {b}', p)})"),
    "tanh of difference": (
        lambda u, v, p: np.tanh((u - v) / p),
        lambda a, b, p: f"tanh({_over(f'({a} − {b})', p)})",
    ),
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
    """One function of a pair: g(x_i), h(x_j), their product, or a function of one feature of both.

    Parameters
    ----------
    own, other : Factor, optional
        g and h.
    mirrored : bool
        Whether g(x_j) h(x_i) is added.
    pair : str, optional
        A name in `PAIR`, then with `column` and `parameter` and without g and h; or "distance" and "gaussian
        distance", of |x_i − x_j| over all features, each divided by its `scales`.
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
            return np.asarray(
                np.sqrt(square) if self.pair == "distance" else np.exp(-square / (2 * self.parameter**2))
            )
        if self.pair is not None:
            return np.asarray(
                PAIR[self.pair][0](x[..., self.column], y[..., self.column], self.parameter), dtype=float
            )
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
        return " ".join(
            sorted((f.text(names, node) for f, node in placed if f), key=lambda text: text.split("_")[-1])
        )

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
        column += [
            Factor("abs", a),
            Factor("sign", a),
            *(Factor("tanh", a, _rounded(q * lengths[a])) for q in (0.25, 1)),
        ]
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
