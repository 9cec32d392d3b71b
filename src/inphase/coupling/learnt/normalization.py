"""How the scores of pairs become a coupling matrix K."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inphase.checks import check_name, finite_number, integer

Array = NDArray[Any]
SMALLEST = 1e-12  # the least norm that a row is divided by
NORMALIZATIONS = ("degree", "row-l2", "row-l1", "none")


@dataclass(frozen=True)
class Normalization:
    """From scores s_ij of all n² pairs to K.

    ========  ===================================================  ====================================================
    kind      K_ij before it is made symmetric                      what it keeps fixed
    ========  ===================================================  ====================================================
    degree    d n exp(s_ij) / Σ_kl exp(s_kl)                        positive; the mean in-degree is d
    row-l2    d s_ij / (n sqrt(Σ_l s_il²))                          the norm of a row; d/n is the drift's divisor
    row-l1    d s_ij / Σ_l |s_il|                                   the absolute in-degree d
    none      d s_ij / n                                            nothing
    ========  ===================================================  ====================================================

    Parameters
    ----------
    kind : str
    symmetric : bool
        Whether K becomes (K + Kᵀ)/2 at the end.
    degree : float
        d > 0.
    trained_size : int, optional
        n_0: for "row-l2" the divisor at another size n is sqrt(n_0 n), which is time rescaled by sqrt(n/n_0):
        the sums over a row of unit norm grow as sqrt(n) only, and n oscillators would be slower than n_0
        were. No other kind needs it.

    References
    ----------
    "degree" and "row-l2": the public settings of KuraNet (arXiv 2105.02838). "row-l1": the paper's text.

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
        check_name("normalization", self.kind, NORMALIZATIONS)
        if not isinstance(self.symmetric, (bool, np.bool_)):
            raise TypeError(f"symmetric must be True or False; got {self.symmetric!r}")
        object.__setattr__(self, "degree", finite_number("degree", self.degree, positive=True))
        if self.trained_size is not None:
            object.__setattr__(self, "trained_size", integer("trained_size", self.trained_size, least=1))

    def divisor(self, n: int) -> float:
        """What K is divided by besides the norm: n or sqrt(n_0 n)
        for "row-l2", n for "none", 1 for the others; over d.
        """
        by = {"row-l2": np.sqrt((self.trained_size or n) * n), "none": n}.get(self.kind, 1.0)
        return float(by / self.degree)

    def apply(self, scores: Array) -> Array:
        """K from scores (n, n), in place (so that no second
        matrix is held); scores are overwritten and returned.
        """
        n = len(scores)
        if self.kind == "degree":
            scores -= scores.max()
            np.exp(scores, out=scores)
            scores *= n / (self.divisor(n) * sum(float(row.sum(dtype=float)) for row in scores))
        else:
            powers = {"row-l2": 2, "row-l1": 1}
            for row in scores:
                norm = np.linalg.norm(row, powers[self.kind]) if self.kind in powers else 1.0
                row /= max(norm, SMALLEST) * self.divisor(n)
        return symmetrized(scores) if self.symmetric else scores


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


def as_normalization(given: str | Normalization, symmetric: bool = True) -> Normalization:
    """A normalization by name, or itself."""
    return given if isinstance(given, Normalization) else Normalization(given, symmetric)
