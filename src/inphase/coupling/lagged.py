"""Couplings with a phase lag α_ij for every pair: frustration, Σ_j K_ij f(θ_i − θ_j + α_ij).

By harmonics, f(x) = Re Σ_k F_k e^{ikx}, the sums need the complex matrices K_ij e^{−ikα_ij}: two real
matrices and four products for each harmonic. Where the harmonics are many, or f spans many decades, sums go
pair by pair with f itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import check_name, finite_array, matrix_array
from inphase.coupling.dense import Matrix
from inphase.coupling.summing import LISTED, Layout, plan, uses_pairs
from inphase.coupling.words import Keep
from inphase.expression import Tape
from inphase.interaction import Interaction
from inphase.kernels import tape
from inphase.kernels.terms import AllPairs, Term
from inphase.types import Phases, Square, Vector

Floats = NDArray[np.float64]
PRECISIONS = ("float64", "float32")
# numbers in the matrices of all harmonics; where f has several and they are more, sums go pair by pair
HELD = 1 << 26
PAIRS = 1 << 18  # whose differences are held at once


class Lagged(Matrix):
    """K_ij and a phase lag α_ij: oscillator i feels Σ_j K_ij f(θ_i − θ_j + α_ij).

    With f = sin and one α for all this is the model of Sakaguchi and Kuramoto; `inphase.sakaguchi(α)` differs
    from it only by the frame, in which −sin α Σ_j K_ij is taken away. With sources φ (delays) the terms are
    K_ij f(θ_i − φ_j + α_ij): the lag α_ij = −Ω τ_j undoes a delay τ_j in a state that turns at Ω.

    With lags there is no plain matrix K that stands for the coupling: `matrix` and `edges` raise ValueError
    unless all lags are 0, so that nothing which reads only K (bounds of theory, certificates, energies)
    speaks of it.

    Parameters
    ----------
    matrix : array_like, shape (n, n)
        K: how strongly i listens to j; n >= 1, any signs. The diagonal contributes K_ii f(θ_i − φ_i + α_ii),
        which is not 0.
    lags : array_like, shape (n, n), (n, 1), (1, n), or a number
        α, radians; one for each pair, for each who listens, for each who is heard, or for all.
    precision : "float64" or "float32"
        Of the matrices that are multiplied. Single precision takes half the memory and half the time.

    Raises
    ------
    ValueError
        If K is not square, is empty, the shape of the lags does not fit, or a number is not finite.
    TypeError
        If the entries are not real numbers.

    References
    ----------
    Sakaguchi, Kuramoto, *A soluble active rotater model showing phase transitions via mutual entrainment*
    (1986), for one α.

    Examples
    --------
    >>> from inphase import PhaseModel, kuramoto
    >>> coupling = Lagged([[0, 1], [1, 0]], [[0, 0.5], [-0.5, 0]])  # at rest where θ_0 − θ_1 = −0.5
    >>> PhaseModel(kuramoto(), coupling).velocity([0.0, 0.0]).round(4)
    array([-0.4794,  0.4794])
    """

    def __init__(self, matrix: ArrayLike, lags: ArrayLike, precision: str = "float64") -> None:
        self.precision = check_name("precision", precision, PRECISIONS)
        K = matrix_array("matrix", matrix)
        if K.ndim != 2 or K.shape[0] != K.shape[1] or not len(K):
            raise ValueError(f"matrix must have shape (n, n) with n >= 1; got shape {K.shape}")
        n, alpha = len(K), finite_array("lags", lags)
        if alpha.shape not in ((), (n, n), (n, 1), (1, n)):
            raise ValueError(
                f"lags must be a number or have shape ({n}, {n}), ({n}, 1) or (1, {n}); got shape {alpha.shape}"
            )
        self.array: NDArray[Any] = np.ascontiguousarray(K, dtype=precision)
        self.lags: NDArray[Any] = np.ascontiguousarray(
            np.broadcast_to(alpha, K.shape).astype(precision, copy=False)
        )
        self._turned: list[tuple[NDArray[Any], NDArray[Any]]] = []

    @cached_property
    def plain(self) -> bool:
        """Whether all lags are 0."""
        return not np.any(self.lags)

    @property
    def has_lags(self) -> bool:
        """Whether some lag is not 0."""
        return not self.plain

    def terms(self, n: int) -> list[Term]:
        """All pairs, with their lags."""
        self.check_size(n)
        return [AllPairs(self.array, None if self.plain else self.lags)]

    def code(self, keep: Keep) -> str:
        """ip.Lagged of strengths and lags."""
        numbers = f"{keep('matrix', self.array)}, {keep('lags', self.lags)}"
        return f"ip.Lagged({numbers}, {self.precision!r})"

    @cached_property
    def symmetric(self) -> bool:
        """Whether K_ij = K_ji and all lags are 0: no other case is seen to be a gradient flow."""
        return self.plain and bool(np.array_equal(self.array, self.array.T))

    # --------------------------------------------------------------------------------------------------- sums

    def forces(
        self,
        functions: Sequence[Interaction],
        phases: Phases,
        out: Sequence[Phases] | None = None,
        sources: Phases | None = None,
    ) -> list[Phases]:
        """[Σ_j K_ij f(θ_i − φ_j + α_ij) for f in functions], by harmonics or pair by pair."""
        planned, n = plan(tuple(functions)), phases.shape[-1]
        many = planned.m > 1 and 2 * planned.m * n**2 > HELD
        if not (planned.by_edges or many or uses_pairs(functions, n)):
            return super().forces(functions, phases, out, sources)
        arranged = Layout(functions, phases, out, sources)
        for total, here, heard in zip(arranged.totals, arranged.here, arranged.heard):
            self._pair_by_pair(total, here, heard, planned.program)
        return arranged.results()

    def _pair_by_pair(self, total: Floats, here: Floats, heard: Floats, program: Tape) -> None:
        """Into total (functions, n), with f itself: relative accuracy."""
        step = max(1, PAIRS // len(here))
        for low in range(0, len(here), step):
            rows = slice(low, low + step)
            values = self._values(here[rows], heard, self.lags[rows], program)
            np.einsum("ij,fij->fi", self.array[rows], values, out=total[:, rows])

    @staticmethod
    def _values(here: Floats, heard: Floats, lags: NDArray[Any], program: Tape) -> Floats:
        """The tape's results at θ_i − φ_j + α_ij, (results, rows, n)."""
        gaps = here[:, None] - heard[None, :]
        gaps += lags
        values = np.empty((program.outputs.size, gaps.size))
        tape.run(program.code, program.constants, program.outputs, gaps.ravel(), values)
        return values.reshape(-1, *gaps.shape)

    def product(self, waves: Floats) -> Floats:
        """Σ_j K_ij e^{−ikα_ij} z_jk of waves (replicas, n, 2 m), which hold Re z_jk and Im z_jk in turns."""
        found = np.empty(waves.shape)
        held = waves.astype(self.array.dtype, copy=False)
        for k, (cosines, sines) in enumerate(self._harmonics(waves.shape[-1] // 2)):
            wave = held[..., 2 * k : 2 * k + 2]
            along, across = np.matmul(cosines, wave), np.matmul(sines, wave)
            found[..., 2 * k] = along[..., 0] + across[..., 1]
            found[..., 2 * k + 1] = along[..., 1] - across[..., 0]
        return found

    def _harmonics(self, m: int) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """[(K cos kα, K sin kα) for k = 1..m], kept for the next call."""
        known = self._turned
        if len(known) < m:
            more = [k * self.lags for k in range(len(known) + 1, m + 1)]
            self._turned = known = known + [
                (self.array * np.cos(turn), self.array * np.sin(turn)) for turn in more
            ]
        return known[:m]

    def jacobians(self, slopes: Sequence[Interaction], phases: Vector) -> list[Any]:
        """For each slope f', the matrix ∂(Σ_j K_ij f(θ_i − θ_j + α_ij))/∂θ_l, (n, n)."""
        found = []
        for values in self._values(phases, phases, self.lags, slopes[0].tape(*slopes[1:])):
            off = -self.array * values
            np.fill_diagonal(off, 0.0)  # a self-loop's difference does not change
            np.fill_diagonal(off, -off.sum(axis=1))
            found.append(off)
        return found

    # ------------------------------------------------------------------------------------------------ numbers

    def matrix(self, n: int) -> Square:
        """K, (n, n), where all lags are 0; ValueError otherwise."""
        self.check_size(n)
        if not self.plain:
            raise ValueError(
                "a coupling with phase lags has no plain matrix K_ij; its .array is K, its .lags are α"
            )
        return np.array(self.array, dtype=float)

    def to_dict(self) -> dict[str, Any]:
        """Kind and entries (a checksum of more than 10,000), for provenance."""
        if self.array.size <= LISTED:
            found: dict[str, Any] = {
                "kind": "Lagged",
                "matrix": self.array.tolist(),
                "lags": self.lags.tolist(),
            }
        else:
            digest = hashlib.sha256(self.array.data)
            digest.update(self.lags.data)
            found = {"kind": "Lagged", "n": len(self.array), "sha256": digest.hexdigest()}
        return found | {"precision": self.precision}

    def __repr__(self) -> str:
        return f"Lagged(n = {self.size}, lags within {np.min(self.lags):.3g} and {np.max(self.lags):.3g})"
