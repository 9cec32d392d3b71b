"""K of rank one: every oscillator feels the same mean field, up to a factor of its own.

Σ_j r_i c_j f(θ_i − θ_j) costs O(n·m) by Fourier modes. That is exact to rounding relative to max|f|; where f
spans many decades and particles are few (clusters in a metastable state), the sum is taken pair by pair
instead, which keeps relative accuracy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from inphase.checks import finite_vector
from inphase.coupling.base import Coupling
from inphase.coupling.summing import uses_pairs
from inphase.coupling.words import Keep, Words, difference, numbered, of_f, over
from inphase.interaction import Interaction
from inphase.kernels import fourier, tape
from inphase.kernels.terms import Field, Term
from inphase.types import Phases, Square, Vector


class RankOne(Coupling):
    """K_ij = rows_i · columns_j.

    Parameters
    ----------
    rows : array_like, shape (n,)
        How strongly i listens; any sign.
    columns : array_like, shape (n,)
        How strongly j is heard; any sign.

    Raises
    ------
    ValueError
        If the arrays differ in length, are empty, or hold NaN or infinity.

    Examples
    --------
    >>> RankOne([1, 2], [0.5, 0.25]).matrix(2)
    array([[0.5 , 0.25],
           [1.  , 0.5 ]])
    """

    rows: Vector | None
    columns: Vector | None

    def __init__(self, rows: ArrayLike, columns: ArrayLike) -> None:
        self.rows, self.columns = finite_vector("rows", rows), finite_vector("columns", columns)
        if len(self.rows) != len(self.columns):
            raise ValueError(
                f"rows and columns must have the same length; got {len(self.rows)} and {len(self.columns)}"
            )

    @property
    def size(self) -> int | None:
        """The number of oscillators; None where all weights are equal."""
        return None if self.columns is None else len(self.columns)

    @property
    def positive(self) -> bool:
        """Whether all rows are positive, and the columns non-negative and not all zero."""
        columns = self.columns is None or bool(np.all(self.columns >= 0) and np.any(self.columns))
        return columns and (self.rows is None or bool(np.all(self.rows > 0)))

    def weights(self, n: int) -> Vector:
        """c_j as an array of shape (n,), or (1,) where all are equal."""
        return np.array([1.0 / n]) if self.columns is None else self.columns

    def matrix(self, n: int) -> Square:
        """K as a dense matrix, (n, n)."""
        self.check_size(n)
        return np.outer(np.ones(n) if self.rows is None else self.rows, np.broadcast_to(self.weights(n), n))

    def terms(self, n: int) -> list[Term]:
        """The one mean field."""
        self.check_size(n)
        rows = np.ones(n) if self.rows is None else self.rows
        return [Field(rows, np.broadcast_to(self.weights(n), n))]

    def common_weights(self, n: int) -> Vector | None:
        """c_j, (n,), of `AllToAll`; r c_j where all rows are r."""
        self.check_size(n)
        weights = np.broadcast_to(self.weights(n), n)
        if self.rows is None:
            return weights
        return self.rows[0] * weights if np.ptp(self.rows) == 0 else None

    def equation(
        self, delay: int | None = None, mark: str = "", form: Callable[[Words], Words] = of_f
    ) -> Words:
        """One mean field, with a factor for each who listens."""
        pull = form(difference(delay))
        if self.rows is not None:
            return numbered("r", "i", mark) + over("j") + numbered("c", "j", mark) + pull
        if self.columns is not None:
            return over("j") + numbered("c", "j", mark) + pull
        return Words(r"\dfrac{1}{n}\,", "(1/n) ") + over("j") + pull

    def code(self, keep: Keep) -> str:
        """ip.RankOne of its factors, or ip.AllToAll of its weights."""
        if self.rows is None:
            return f"ip.AllToAll({'' if self.columns is None else keep('weights', self.columns)})"
        assert self.columns is not None
        return f"ip.RankOne({keep('rows', self.rows)}, {keep('columns', self.columns)})"

    @property
    def symmetric(self) -> bool:
        """Whether rows and columns are proportional."""
        if self.rows is None or self.columns is None:
            return False
        largest = int(np.argmax(np.abs(self.columns)))
        return np.array_equal(self.rows * self.columns[largest], self.columns * self.rows[largest])

    def forces(
        self,
        functions: Sequence[Interaction],
        phases: Phases,
        out: Sequence[Phases] | None = None,
        sources: Phases | None = None,
    ) -> list[Phases]:
        """[Σ_j K_ij f(θ_i − φ_j) for f in functions], each of the phases' shape; into `out` if given."""
        flat = np.ascontiguousarray(phases).reshape(-1, phases.shape[-1])
        heard = flat if sources is None else np.ascontiguousarray(sources).reshape(flat.shape)
        totals = [
            np.empty(flat.shape) if out is None else out[k].reshape(flat.shape) for k in range(len(functions))
        ]
        weights = self.weights(flat.shape[1])
        if uses_pairs(functions, flat.shape[1]):
            program, column = functions[0].tape(*functions[1:]), np.broadcast_to(weights, flat.shape[1])
            for replica, row in enumerate(flat):
                for total, values in zip(totals, tape.differences(row, program, heard[replica])):
                    total[replica] = values @ column
        else:
            m = max(len(f.modes) for f in functions) - 1
            moments = fourier.moments(heard, weights, m).conj()
            for f, total in zip(functions, totals):
                fourier.evaluate(flat, f.modes * moments[:, : len(f.modes)], total)
        if self.rows is not None:
            for total in totals:
                total *= self.rows
        return [total.reshape(phases.shape) for total in totals]

    def to_dict(self) -> dict[str, Any]:
        """Kind and numbers, for provenance."""
        numbers = {"rows": self.rows, "columns": self.columns}
        return {"kind": type(self).__name__} | {k: v.tolist() for k, v in numbers.items() if v is not None}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'n = ' + str(self.size) if self.size else ''})"


class AllToAll(RankOne):
    """K_ij = c_j: everyone hears everyone, j with the weight c_j.

    Parameters
    ----------
    weights : array_like, shape (n,), optional
        Non-negative c_j, not all zero; 1/n if not given. (The papers' unnormalized systems have c_j = 1: a change of time.)

    Examples
    --------
    >>> AllToAll().matrix(2)
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """

    def __init__(self, weights: ArrayLike | None = None) -> None:
        self.rows, self.columns = None, None if weights is None else finite_vector("weights", weights)
        if self.columns is not None and (np.any(self.columns < 0) or not np.any(self.columns)):
            worst = int(np.argmin(self.columns))
            raise ValueError(
                f"weights must be non-negative, not all zero; got {self.columns[worst]:g} at index {worst}"
            )

    def tables(self) -> list[dict[str, Any]]:
        """Its weights by their name."""
        weights = {} if self.columns is None else {"weights": self.columns.tolist()}
        return [{"kind": "all-to-all"} | weights]

    @property
    def symmetric(self) -> bool:
        """Whether all weights are equal; the flow is a gradient flow for any (`PhaseModel.is_gradient`)."""
        return self.columns is None or bool(np.ptp(self.columns) == 0)
