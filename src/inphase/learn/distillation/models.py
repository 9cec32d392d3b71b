"""What a path is made of: sums of terms, and sums of products of tabulated functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from inphase.checks import finite_array
from inphase.learn.distillation.terms import Term

Floats = NDArray[np.float64]


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

    Between nodes of the table a function of one feature is linear, and constant beyond; of several, it is a
    thin plate spline, each feature divided by its deviation.
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
        # a plane is then not determined
        flat = np.linalg.matrix_rank(nodes - nodes.mean(axis=0)) < nodes.shape[1]
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
        return np.asarray(
            self.constant + (self.functions(x)[0] * self.coefficients * self.functions(y)[1]).sum(axis=-1)
        )

    def table(self, x: Floats, y: Floats) -> Floats:
        """Of all pairs, (n_x, n_y)."""
        return np.asarray(self.constant + (self.functions(x)[0] * self.coefficients) @ self.functions(y)[1].T)

    def texts(self, names: Sequence[str]) -> list[str]:
        """The terms as formulas."""
        return [f"u{r}(x_i) v{r}(x_j)" for r in range(1, len(self) + 1)]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        parts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in parts.items()
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Separable:
        """The inverse of `to_dict`."""
        parts: dict[str, Any] = {name: finite_array(name, data[name]) for name in ("nodes", "left", "right")}
        parts |= {name: tuple(map(float, data[name])) for name in ("coefficients", "errors", "explained")}
        return cls(**parts | {name: float(data[name]) for name in ("constant", "constant_error")})

    def cut(self, k: int) -> Separable:
        """The same with its first k terms."""
        parts: dict[str, Any] = {name: getattr(self, name)[:, :k] for name in ("left", "right")}
        return replace(
            self,
            **parts | {name: getattr(self, name)[:k] for name in ("coefficients", "errors", "explained")},
        )


MODELS: dict[str, type[Symbolic] | type[Separable]] = {model.KIND: model for model in (Symbolic, Separable)}
