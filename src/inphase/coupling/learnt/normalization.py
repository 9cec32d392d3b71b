"""How the scores of pairs become a coupling matrix K: kinds as records, which each engine interprets.

A new kind is one line of `NORMALIZATIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inphase.checks import check_name, finite_number, integer

Array = NDArray[Any]
SMALLEST = 1e-12  # the least norm that is divided by
WEIGHTS = ("score", "exp")
NORMED = ("all", "row", "nothing")


@dataclass(frozen=True)
class Recipe:
    """One kind of normalization: K_ij = d w_ij / (N_i t(n)), before K is made symmetric.

    Parameters
    ----------
    weight : "score" or "exp"
        w_ij: the score, or its exponential. The latter needs a norm, in which a constant in the scores cancels.
    normed : "all", "row" or "nothing"
        What N_i is the norm of: all weights, counted per row, N = (Σ_kl |w_kl|^p / n)^(1/p); those of row i,
        N_i = (Σ_l |w_il|^p)^(1/p); or N = 1.
    power : int or float
        p >= 1.
    per_node : bool
        Whether K is divided by n, too: t(n) = n, else 1. Sums over a row of unit p-norm grow as n^(1 − 1/p)
        only, so that n oscillators would be slower than the n_0 of a training were; where n_0 is known, rows
        have t(n) = n (n_0/n)^(1/p), which takes that back.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown, p is below 1, or exponentials have no norm.

    Examples
    --------
    >>> NORMALIZATIONS["row-l2"]
    Recipe(weight='score', normed='row', power=2, per_node=True)
    """

    weight: str
    normed: str
    power: float = 1
    per_node: bool = False

    def __post_init__(self) -> None:
        check_name("weight", self.weight, WEIGHTS)
        check_name("normed", self.normed, NORMED)
        finite_number("power", self.power, least=1.0)
        if self.exponential and self.normed == "nothing":
            raise ValueError("normed must be 'all' or 'row' where the weight is 'exp'; got 'nothing'")

    @property
    def exponential(self) -> bool:
        """Whether weights are exponentials, of which only ratios matter."""
        return self.weight == "exp"

    @property
    def by_row(self) -> bool:
        """Whether each row has a norm of its own, so that a factor of a row changes nothing."""
        return self.normed == "row"

    @property
    def by_all(self) -> bool:
        """Whether all weights have one norm, so that a common factor changes nothing."""
        return self.normed == "all"

    def root(self, sums: Any, sqrt: Callable[[Any], Any] = np.sqrt) -> Any:
        """The p-th root, of numbers or of an engine's arrays with its own square root."""
        if self.power == 1:
            return sums
        return sqrt(sums) if self.power == 2 else sums ** (1 / self.power)

    def weights(self, scores: Array, shift: Any) -> Array:
        """w, (n_x, n_y), relative to e^shift where they are exponentials; in place."""
        if self.exponential:
            scores -= shift
            np.exp(scores, out=scores)
        return scores


NORMALIZATIONS: dict[str, Recipe] = {
    # d n exp(s_ij) / Σ_kl exp(s_kl): positive, of mean in-degree d; public settings of KuraNet, arXiv 2105.02838
    "degree": Recipe("exp", "all"),
    # d s_ij / (n sqrt(Σ_l s_il²)): a row has the norm d/n; KuraNet's settings, too
    "row-l2": Recipe("score", "row", 2, per_node=True),
    # d s_ij / Σ_l |s_il|: the absolute in-degree is d; the text of KuraNet's paper
    "row-l1": Recipe("score", "row"),
    # d s_ij / n
    "none": Recipe("score", "nothing", per_node=True),
}


@dataclass(frozen=True)
class Normalization:
    """From scores s_ij of all n² pairs to K.

    K_ij = d w_ij / (N_i t(n)) by the `Recipe` of its kind in `NORMALIZATIONS`, and then (K + Kᵀ)/2.

    Parameters
    ----------
    kind : str
        A name of `NORMALIZATIONS`.
    symmetric : bool
        Whether K becomes (K + Kᵀ)/2 at the end.
    degree : float
        d > 0.
    trained_size : int, optional
        n_0, from which t(n) has its unit of time in kinds that divide rows by n, too;
        sqrt(n_0 n) for "row-l2".

    Examples
    --------
    >>> import numpy as np
    >>> Normalization("row-l1", symmetric=False).apply(np.array([[1.0, -3.0], [0.0, 2.0]]))
    array([[ 0.25, -0.75],
           [ 0.  ,  1.  ]])
    """

    kind: str = "degree"
    symmetric: bool = True
    degree: float = 1.0
    trained_size: int | None = None

    def __post_init__(self) -> None:
        check_name("normalization", self.kind, tuple(NORMALIZATIONS))
        if not isinstance(self.symmetric, (bool, np.bool_)):
            raise TypeError(f"symmetric must be True or False; got {self.symmetric!r}")
        object.__setattr__(self, "degree", finite_number("degree", self.degree, positive=True))
        if self.trained_size is not None:
            object.__setattr__(self, "trained_size", integer("trained_size", self.trained_size, least=1))

    @property
    def recipe(self) -> Recipe:
        """What its kind takes of a score and divides by."""
        return NORMALIZATIONS[self.kind]

    @property
    def keeps_time(self) -> bool:
        """Whether K at another size depends on n_0."""
        return self.trained_size is not None and self.recipe.per_node and self.recipe.by_row

    def divisor(self, n: int) -> float:
        """t(n)/d, by which K is divided beside the norm."""
        recipe, time = self.recipe, 1.0
        if recipe.per_node:
            time = recipe.root((self.trained_size or n) * n ** (recipe.power - 1)) if recipe.by_row else n
        return float(time / self.degree)

    def scale(self, scores: Array) -> tuple[Any, Any]:
        """What `scaled` needs of the scores (m, n) that have the norms.

        The shift of exponentials, and one factor of all weights, or a divisor of each row, (m, 1).
        """
        recipe, n = self.recipe, scores.shape[1]
        shift = scores.max(axis=None if recipe.by_all else 1, keepdims=not recipe.by_all)
        shifts = np.broadcast_to(shift, (len(scores), 1))
        rows = (recipe.weights(row.copy(), top) for row, top in zip(scores, shifts))
        if recipe.by_all:
            sums = sum(float((np.abs(row) ** recipe.power).sum(dtype=float)) for row in rows)
            return shift, float(recipe.root(n) / (self.divisor(n) * max(recipe.root(sums), SMALLEST)))
        if not recipe.by_row:
            return shift, self.divisor(n)
        norms = np.array([[np.linalg.norm(row, recipe.power)] for row in rows])
        return shift, np.maximum(norms, SMALLEST) * self.divisor(n)

    def scaled(self, scores: Array, shift: Any, scale: Any) -> Array:
        """K before it is made symmetric, from scores of any pairs by such a `scale`; in place."""
        weights = self.recipe.weights(scores, shift)
        if self.recipe.by_all:
            weights *= scale
        else:
            weights /= scale
        return weights

    def apply(self, scores: Array) -> Array:
        """K from scores (n, n), which are overwritten and returned, so that no second matrix is held."""
        K = self.scaled(scores, *self.scale(scores))
        return symmetrized(K) if self.symmetric else K


def symmetrized(matrix: Array) -> Array:
    """(K + Kᵀ)/2, in place, by blocks."""
    starts = range(0, len(matrix), 512)
    for low in starts:
        for left in range(0, low + 1, 512):
            one = matrix[low : low + 512, left : left + 512]
            other = matrix[left : left + 512, low : low + 512]
            mean = (one + other.T) * 0.5
            one[...], other[...] = mean, mean.T
    return matrix


def as_normalization(given: str | Normalization) -> Normalization:
    """A normalization by name, or itself."""
    return given if isinstance(given, Normalization) else Normalization(given)
