"""The contract of a coupling."""

from __future__ import annotations

import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from inphase.checks import finite_number
from inphase.coupling.words import Keep, Words, difference, numbered, of_f, over
from inphase.interaction import Interaction
from inphase.kernels import tape
from inphase.kernels.terms import AllPairs, Factors, Field, Links, Term
from inphase.types import Phases, Square, Vector

MATRIX_UP_TO = 2000  # oscillators, for which a matrix of all pairs is made only to look at it
Indices = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Facts:
    """What is known of a coupling.

    Attributes
    ----------
    pairs
        Whether its terms are pairs, K_ij f(θ_i − θ_j + α_ij).
    lags
        Whether there are phase lags α_ij.
    common
        Whether K_ij = c_j for every i: all hear one and the same sum.
    equal
        Whether all K_ij are equal.
    field
        Whether all hear mean fields, of pairs or of triads: an oscillator's place does not matter.
    factors
        Whether K is given by factors of low rank: mean fields of pairs and their sums.
    listed
        Whether the pairs that are joined are listed: a network.
    """

    pairs: bool = False
    lags: bool = False
    common: bool = False
    equal: bool = False
    field: bool = False
    factors: bool = False
    listed: bool = False


class Pairs(NamedTuple):
    """The pairs that are joined, by rows: Σ_j K_ij f(θ_i − θ_j + α_ij)."""

    rows: Indices  # (pairs,), i, ascending
    columns: Indices  # (pairs,), j
    weights: Vector  # (pairs,), K_ij
    lags: Vector  # (pairs,), α_ij, radians


class Adaptation(NamedTuple):
    """Edges whose weights are part of the state: a_ij K_ij f(θ_i − θ_j) and dK_ij/dt = ε (h(θ_i − θ_j) − K_ij)."""

    rows: Indices  # (edges,), i, ascending
    columns: Indices  # (edges,), j
    weights: Vector  # (edges,), a_ij
    initial: Vector  # (edges,), K_ij at time 0
    rule: Interaction  # h
    rate: float  # ε


class Coupling(ABC):
    """K[i, j]: how strongly oscillator i listens to j.

    To add a kind of coupling, write one file here with a subclass that has the two properties and three
    methods marked abstract, and name it in `catalog.py`; the model, every integrator, `equilibria` and TOML
    files then work with it. A kind whose Jacobian is sparse also gives `jacobians`; one whose terms are not
    pairs gives `terms` and `jacobians`; `code` lets reports repeat it. `inphase.testing.check_coupling` tries
    all that it promises.

    Couplings add and scale: ``0.5 * Sparse(K) + Hypergraph(triangles)`` is a coupling.
    """

    nodes: Mapping[str, Vector] = MappingProxyType({})  # the columns of the graph that it was made from
    pairwise = True  # whether its terms are pairs, K_ij f(θ_i − θ_j + α_ij)
    precision = "float64"  # of the arithmetic of its sums; "float32" where a kind takes less
    adaptation: Adaptation | None = None  # the equations of its weights, where they have such

    @property
    @abstractmethod
    def size(self) -> int | None:
        """The number of oscillators that the stored numbers fix; None if any number will do."""

    @property
    @abstractmethod
    def positive(self) -> bool:
        """Whether Σ_j K_ij h(θ_i − θ_j) > 0 for every i and h > 0, so that a softmax gain cannot vanish."""

    @property
    def has_lags(self) -> bool:
        """Whether some pair has a phase lag α_ij."""
        return False

    @abstractmethod
    def forces(
        self,
        functions: Sequence[Interaction],
        phases: Phases,
        out: Sequence[Phases] | None = None,
        sources: Phases | None = None,
    ) -> list[Phases]:
        """[Σ_j K_ij f(θ_i − φ_j) for f in functions], each (..., n); into `out` (C order) if given.

        φ are the `sources`, shaped like `phases` (what j sent some time ago); without them, φ = θ.
        """

    @abstractmethod
    def matrix(self, n: int) -> Square:
        """K as a dense matrix, (n, n); ValueError where the terms are not pairs."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Kind and numbers, for provenance."""

    sums: Callable[..., list[Phases]]  # the former name of `forces`

    def __init_subclass__(cls) -> None:
        """A subclass that was written with `sums` still works, also where it calls that of its base."""
        if "sums" in cls.__dict__ and "forces" not in cls.__dict__:
            warnings.warn(f"{cls.__name__}.sums is now called forces", DeprecationWarning, stacklevel=2)
            cls.forces = cls.__dict__["sums"]  # type: ignore[method-assign]
        elif "forces" in cls.__dict__:
            cls.sums = _former(cls.__dict__["forces"])

    def edges(self, n: int) -> sparse.csr_array:
        """K as a sparse matrix, (n, n), with the pairs that are joined."""
        return sparse.csr_array(self.matrix(n))

    def terms(self, n: int) -> list[Term]:
        """What the coupling does to n oscillators, spelled as sums (`inphase.kernels.terms`).

        For engines and for the questions below; all pairs of `matrix` where a kind says nothing else.
        """
        return [AllPairs(self.matrix(n))]

    def spelled(self, n: int) -> list[Term] | None:
        """`terms`, or None where a kind has neither terms nor a matrix."""
        try:
            return self.terms(n)
        except ValueError:
            return None

    def mean_strength(self, n: int) -> float:
        """The moduli of all weights that an oscillator feels, on average: it sets the time scale."""
        return sum(term.strength(n) for term in self.terms(n))

    def largest_strength(self, n: int) -> float | None:
        """A bound on the moduli of all weights that an oscillator feels, added; None where it would cost a matrix.

        It bounds rates, and is infinite where the weights' sum is no number any more. A kind that has no terms
        of its own and many oscillators says it itself, or not.
        """
        if type(self).terms is Coupling.terms and n > MATRIX_UP_TO:
            return None
        terms = self.spelled(n)
        with np.errstate(over="ignore"):
            return None if terms is None else sum(term.most(n) for term in terms)

    def common_weights(self, n: int) -> Vector | None:
        """c_j, (n,), where K_ij = c_j for every i, so that all hear one and the same sum; None otherwise."""
        return None

    def facts(self, n: int) -> Facts:
        """What is known of the coupling of n oscillators, so that nobody asks for its class."""
        terms, common = self.spelled(n), self.common_weights(n)
        if terms is None:
            return Facts()
        return Facts(
            pairs=all(term.pairwise for term in terms),
            lags=self.has_lags,
            common=common is not None,
            equal=common is not None and bool(np.ptp(common) == 0),
            field=all(isinstance(term, Field) for term in terms),
            factors=all(term.pairwise and isinstance(term, Field | Factors) for term in terms),
            listed=all(isinstance(term, Links) for term in terms),
        )

    def joined(self, n: int) -> Pairs:
        """The pairs that are joined, with their lags; ValueError where the terms are not pairs."""
        if not self.has_lags:
            edges = sparse.csr_array(self.edges(n), copy=True)
            edges.sum_duplicates()
            rows = np.repeat(np.arange(n), np.diff(edges.indptr))
            return Pairs(rows, edges.indices.astype(np.int64), edges.data.astype(float), np.zeros(edges.nnz))
        parts = [_entries(term, n, self) for term in self.terms(n)]
        rows, columns, weights, lags = (np.concatenate(part) for part in zip(*parts))
        order = np.lexsort((columns, rows))
        return Pairs(rows[order], columns[order], weights[order], lags[order])

    def factored(self) -> tuple[float, Coupling]:
        """A factor and the coupling that it multiplies: (1, itself), unless it is one coupling, scaled."""
        return 1.0, self

    def equation(
        self, delay: int | None = None, mark: str = "", form: Callable[[Words], Words] = of_f
    ) -> Words:
        """How the sum reads, as LaTeX and as text.

        Parameters
        ----------
        delay : None, 0, 1 or 2
            The number of dimensions of the delays; None where there are none.
        mark : str
            The number of this coupling among several, which tells their matrices apart.
        form : callable
            What is summed, as a function of the argument's words: f by default.
        """
        return over("j") + numbered("K", "ij", mark) + form(difference(delay, self.has_lags))

    def code(self, keep: Keep) -> str:
        """A Python expression, with `ip` for inphase, that makes this coupling; long arrays are handed to `keep`."""
        raise ValueError(f"{type(self).__name__} does not say how it is made: give it a method code(keep)")

    def tables(self) -> list[dict[str, Any]]:
        """The [[coupling]] tables of a TOML file that make it again: one, or one for each part of a sum.

        Raises
        ------
        ValueError
            If it holds so many numbers that only their checksum is kept: they belong in a file.
        """
        options = self.to_dict()
        if any("sha256" in name for name in options):
            raise ValueError(
                f"{self!r} holds too much for a TOML file: keep its numbers in a file of their own"
            )
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", str(options.pop("kind"))).lower()
        return [{"kind": kind} | options]

    def source(self) -> Words | None:
        """Where K comes from, as an equation; None where it is given by its numbers."""
        return None

    def about(self) -> list[tuple[str, str]]:
        """Rows (what, value) of a report's table."""
        return [("coupling", repr(self))]

    def jacobians(self, slopes: Sequence[Interaction], phases: Vector) -> list[Any]:
        """For each slope f', the matrix ∂(Σ_j K_ij f(θ_i − θ_j))/∂θ_l, (n, n); csr_array if K is sparse."""
        matrix, found = self.matrix(len(phases)), []
        for values in tape.differences(phases, slopes[0].tape(*slopes[1:])):
            off = -matrix * values
            np.fill_diagonal(off, 0.0)
            np.fill_diagonal(off, -off.sum(axis=1))
            found.append(off)
        return found

    @property
    def symmetric(self) -> bool:
        """Whether K_ij = K_ji: with f odd, the flow is then a gradient flow."""
        if self.size is None:
            return False
        try:
            edges = self.edges(self.size)
        except ValueError:  # the terms are not pairs
            return False
        return bool(abs(edges - edges.T).max() == 0) if edges.nnz else True

    def check_size(self, n: int) -> None:
        """Raise ValueError unless this coupling can join n oscillators."""
        if self.size is not None and self.size != n:
            raise ValueError(
                f"phases have {n} oscillators, but the coupling {type(self).__name__} is for {self.size}"
            )

    def __add__(self, other: Coupling) -> Combined:
        return Combined([(1.0, self), (1.0, other)]) if isinstance(other, Coupling) else NotImplemented

    def __mul__(self, factor: float) -> Combined:
        return Combined([(factor, self)])

    __rmul__ = __mul__

    def __sub__(self, other: Coupling) -> Combined:
        return self + (-1.0) * other if isinstance(other, Coupling) else NotImplemented

    def __neg__(self) -> Combined:
        return (-1.0) * self


def _former(forces: Callable[..., list[Phases]]) -> Callable[..., list[Phases]]:
    """`forces` of one class under its former name, which warns."""

    def sums(self: Coupling, *arguments: Any, **options: Any) -> list[Phases]:
        warnings.warn("Coupling.sums is now called forces", DeprecationWarning, stacklevel=2)
        return forces(self, *arguments, **options)

    return sums


def _entries(term: Term, n: int, coupling: Coupling) -> Pairs:
    """One term's pairs."""
    if isinstance(term, Links):
        return Pairs(term.rows, term.columns, term.weights, np.zeros(len(term.rows)))
    if isinstance(term, AllPairs):
        rows, columns = np.nonzero(term.weights)
        lags = np.zeros(len(rows)) if term.lags is None else term.lags[rows, columns].astype(float)
        return Pairs(rows, columns, term.weights[rows, columns].astype(float), lags)
    if isinstance(term, Factors):
        return _entries(AllPairs(term.left @ term.right.T), n, coupling)
    if isinstance(term, Field) and term.pairwise:
        return _entries(AllPairs(np.outer(term.weights, term.columns)), n, coupling)
    raise ValueError(f"the terms of {coupling!r} are not pairs")


class Combined(Coupling):
    """Σ_s factor_s · K_s, which is what ``a * K + b * L`` makes.

    Parameters
    ----------
    parts : sequence of (float, Coupling)

    Raises
    ------
    ValueError
        If the terms are for different numbers of oscillators, or a factor is not finite.

    Examples
    --------
    >>> from inphase import AllToAll, RankOne
    >>> (2 * AllToAll() - RankOne([1, 1], [1, 0])).matrix(2)
    array([[0., 1.],
           [0., 1.]])
    """

    parts: list[tuple[float, Coupling]]

    def __init__(self, parts: Sequence[tuple[float, Coupling]]) -> None:
        flat: list[tuple[float, Coupling]] = []
        for factor, term in parts:
            number = finite_number("factor", factor)
            inner = term.parts if isinstance(term, Combined) else [(1.0, term)]
            flat += [(number * weight, part) for weight, part in inner]
        self.parts = flat
        self.nodes = {name: values for _, term in reversed(flat) for name, values in term.nodes.items()}
        sizes = {term.size for _, term in flat if term.size is not None}
        if len(sizes) > 1:
            raise ValueError(f"couplings that are added must join the same oscillators; got {sorted(sizes)}")
        self._size = sizes.pop() if sizes else None
        adapting = [part for _, part in flat if part.adaptation is not None]
        if adapting and len(flat) > 1:
            raise ValueError(
                f"a coupling that adapts cannot be added to others; got {adapting[0]!r} in a sum"
            )

    @property
    def adaptation(self) -> Adaptation | None:  # type: ignore[override]  # that of its part
        """That of its only part."""
        return self.parts[0][1].adaptation

    @property
    def size(self) -> int | None:
        """The number of oscillators; None if any will do."""
        return self._size

    @property
    def positive(self) -> bool:
        """Whether every factor and every term is positive."""
        return all(factor > 0 and term.positive for factor, term in self.parts)

    @property
    def pairwise(self) -> bool:  # type: ignore[override]  # that of its parts
        """Whether all parts' terms are pairs."""
        return all(part.pairwise for _, part in self.parts)

    @property
    def precision(self) -> str:  # type: ignore[override]  # that of its parts
        """Single where a part's is."""
        return "float32" if any(part.precision == "float32" for _, part in self.parts) else "float64"

    @property
    def has_lags(self) -> bool:
        """Whether a part has phase lags."""
        return any(part.has_lags for _, part in self.parts)

    @property
    def symmetric(self) -> bool:
        """Whether every term is symmetric."""
        return all(term.symmetric for _, term in self.parts)

    def forces(
        self,
        functions: Sequence[Interaction],
        phases: Phases,
        out: Sequence[Phases] | None = None,
        sources: Phases | None = None,
    ) -> list[Phases]:
        """Each term's sums, scaled and added."""
        totals = [np.zeros(phases.shape) for _ in functions] if out is None else list(out)
        for k, (factor, term) in enumerate(self.parts):
            for total, part in zip(totals, term.forces(functions, phases, sources=sources)):
                if k == 0:
                    np.multiply(part, factor, out=total)
                else:
                    part *= factor
                    total += part
        return totals

    def matrix(self, n: int) -> Square:
        """K as a dense matrix, (n, n)."""
        return np.asarray(sum(factor * term.matrix(n) for factor, term in self.parts))

    def edges(self, n: int) -> Any:
        """K as a sparse matrix."""
        return sum(
            (factor * term.edges(n) for factor, term in self.parts[1:]),
            self.parts[0][0] * self.parts[0][1].edges(n),
        )

    def terms(self, n: int) -> list[Term]:
        """The parts' terms, scaled."""
        return [term.scaled(factor) for factor, part in self.parts for term in part.terms(n)]

    def mean_strength(self, n: int) -> float:
        """The parts' strengths, added."""
        return sum(abs(factor) * part.mean_strength(n) for factor, part in self.parts)

    def largest_strength(self, n: int) -> float | None:
        """The parts' bounds, added."""
        found = [(factor, part.largest_strength(n)) for factor, part in self.parts]
        known = [abs(factor) * most for factor, most in found if most is not None]
        return sum(known) if len(known) == len(found) else None

    def common_weights(self, n: int) -> Vector | None:
        """The parts' weights, added, where each part has such."""
        found = [(factor, part.common_weights(n)) for factor, part in self.parts]
        if any(weights is None for _, weights in found):
            return None
        return np.asarray(sum(factor * weights for factor, weights in found if weights is not None))

    def facts(self, n: int) -> Facts:
        """What holds for all parts; whether all hear the same is known of the sum."""
        known, common = [part.facts(n) for _, part in self.parts], self.common_weights(n)
        return Facts(
            pairs=all(part.pairs for part in known),
            lags=self.has_lags,
            common=common is not None,
            equal=common is not None and bool(np.ptp(common) == 0),
            field=all(part.field for part in known),
            factors=all(part.factors for part in known),
            listed=all(part.listed for part in known),
        )

    def factored(self) -> tuple[float, Coupling]:
        """The factor and the coupling of a single part."""
        return self.parts[0] if len(self.parts) == 1 else (1.0, self)

    def equation(
        self, delay: int | None = None, mark: str = "", form: Callable[[Words], Words] = of_f
    ) -> Words:
        """The parts, with their factors and signs, in brackets."""
        found = Words("", "")
        for k, (factor, part) in enumerate(self.parts):
            sign = ("-", "−") if factor < 0 else ("+", "+")
            before = (
                Words(f" {sign[0]} ", f" {sign[1]} ") if k else Words(*sign) if factor < 0 else Words("", "")
            )
            size = "" if abs(factor) == 1 else f"{abs(factor):.6g}"
            number = Words(rf"{size}\,", f"{size} ") if size else Words("", "")
            found += before + number + part.equation(delay, str(k + 1) if len(self.parts) > 1 else mark, form)
        alone = len(self.parts) == 1 and self.parts[0][0] >= 0
        return found if alone else Words(r"\left(", "(") + found + Words(r"\right)", ")")

    def code(self, keep: Keep) -> str:
        """The parts, scaled and added."""
        numbered = [lambda name, array, k=k: keep(f"{name}_{k + 1}", array) for k in range(len(self.parts))]
        return " + ".join(
            f"{factor!r} * {part.code(own)}" for (factor, part), own in zip(self.parts, numbered)
        )

    def tables(self) -> list[dict[str, Any]]:
        """The parts' tables, with their strengths."""
        return [table | {"strength": factor} for factor, part in self.parts for table in part.tables()]

    def source(self) -> Words | None:
        """The first part's that has one."""
        return next((found for _, part in self.parts if (found := part.source()) is not None), None)

    def about(self) -> list[tuple[str, str]]:
        """The parts' rows."""
        rows = [("coupling", repr(self))]
        return rows + [row for _, part in self.parts for row in part.about()[1:]]

    def jacobians(self, slopes: Sequence[Interaction], phases: Vector) -> list[Any]:
        """Each term's Jacobians, scaled and added."""
        parts = [
            [factor * matrix for matrix in term.jacobians(slopes, phases)] for factor, term in self.parts
        ]
        return [sum(matrices[1:], matrices[0]) for matrices in zip(*parts)]

    def to_dict(self) -> dict[str, Any]:
        """Kind and terms, for provenance."""
        return {
            "kind": "Combined",
            "terms": [{"factor": factor, **term.to_dict()} for factor, term in self.parts],
        }

    def __repr__(self) -> str:
        return " + ".join(
            repr(term) if factor == 1 else f"{factor:g}*{term!r}" for factor, term in self.parts
        )
