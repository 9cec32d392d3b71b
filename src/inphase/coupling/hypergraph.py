"""Triads: three oscillators in one term, on a hypergraph or all-to-all.

Two forms are in use, here for f = sin with the model's minus (dθ_i/dt = ω_i − the sum):

    "2j-k-i"    f(θ_i + θ_k − 2θ_j)    sin(2θ_j − θ_k − θ_i)    Tanaka, Aoyagi (2011); Skardal, Arenas (2020)
    "j+k-2i"    f(2θ_i − θ_j − θ_k)    sin(θ_j + θ_k − 2θ_i)    Lucas, Cencetti, Battiston (2020)

The first is not symmetric in j and k, so that a triad {i, j, k} pulls i by two terms, one for each order; in
the second they are one and the same term, which counts once.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from os import PathLike
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from inphase.checks import LARGEST, boolean, finite_array, finite_vector, integer, unmasked
from inphase.coupling.base import Coupling
from inphase.coupling.words import Keep, Words, numbered, of_f, over, phase
from inphase.graphs.json_files import read_hif
from inphase.graphs.source import counted
from inphase.interaction import Interaction
from inphase.kernels import fourier, triads
from inphase.kernels.terms import ORDERED, PRODUCT, Field, Term, Triangles
from inphase.tables import existing
from inphase.types import Phases, Vector

FORMS = {"2j-k-i": (1.0, -2.0, 1.0), "j+k-2i": (2.0, -1.0, -1.0)}  # f's argument: factors of θ_i, θ_j, θ_k
PERMUTATIONS = {"2j-k-i": [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)],
                "j+k-2i": [(0, 1, 2), (1, 0, 2), (2, 0, 1)]}  # fmt: skip

Integers = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]


class Triadic(Coupling):
    """What couplings of three bodies have in common: their terms are not pairs."""

    form: str
    pairwise = False

    def _set_form(self, form: str) -> None:
        if not isinstance(form, str) or form not in FORMS:
            raise ValueError(f"form must be one of {', '.join(map(repr, FORMS))}; got {form!r}")
        self.form = form

    @property
    def positive(self) -> bool:
        """False: a softmax gain is for pairs."""
        return False

    @property
    def symmetric(self) -> bool:
        """False: neither form is a gradient flow by itself.

        For odd f and undirected triads t, ``Hypergraph(t, "2j-k-i") + 2 * Hypergraph(t, "j+k-2i")`` is one:
        that of Σ w U(2θ_i − θ_j − θ_k) over the triads and their members i, where U' = −f.
        """
        return False

    def matrix(self, n: int) -> NoReturn:
        """ValueError: there is no K_ij."""
        raise ValueError(f"the terms of {type(self).__name__} are not pairs: it has no matrix K_ij")


class Hypergraph(Triadic):
    """Triads of oscillators: Σ w f(θ_i + θ_k − 2θ_j) or Σ w f(2θ_i − θ_j − θ_k) over the triads that i is in.

    With ``"2j-k-i"``, a triad {i, j, k} of weight w gives i the two terms w f(θ_i + θ_k − 2θ_j) + w
    f(θ_i + θ_j − 2θ_k); with ``"j+k-2i"`` the one term w f(2θ_i − θ_j − θ_k). So where a paper sums over all
    j and k with a symmetric tensor B_ijk, w is B_ijk for the first form and 2 B_ijk for the second (B_ijk
    where the paper divides by 2!). ``k3 * Hypergraph(H)`` is the triadic part of
    ``xgi.simulate_kuramoto(H, k2, k3)``.

    The cost is O((n + triads)·m) for f with m harmonics, to rounding relative to max|f| Σ|w|. A triad that is
    listed twice counts twice; a node without triads feels nothing.

    Parameters
    ----------
    triads : array_like of int, shape (edges, 3), or xgi.Hypergraph or xgi.SimplicialComplex
        Three different nodes each, numbered from 0. Of an xgi object, the edges of three nodes, nodes
        numbered in the order of its `nodes`; other edges are left out, with a warning that counts them, and
        attributes are not read. Edges of more than three nodes are not in this library: docs/limits.md has the
        ways around.
    form : "2j-k-i" or "j+k-2i"
    weights : float or array_like, shape (edges,)
        w of each triad, any sign; by default the ``weight`` of an xgi object's edges, and 1 where they have none.
    n : int, optional
        The number of oscillators; by default the largest node + 1, or the number of nodes of an xgi object.
    directed : bool
        If true, only the first node of each triad (i, j, k) listens, to the one term with this j and this k.

    Raises
    ------
    TypeError, ValueError
        If a triad does not hold three different nodes from 0 to n − 1, or a weight is not finite.

    References
    ----------
    Tanaka, Aoyagi, *Multistable attractors in a network of phase oscillators with three-body interactions*
    (2011). Skardal, Arenas, *Higher order interactions in complex networks of phase oscillators promote
    abrupt synchronization switching* (2020). Lucas, Cencetti, Battiston, *Multiorder Laplacian for
    synchronization in higher-order networks* (2020).

    Examples
    --------
    >>> import inphase as ip
    >>> triangle = Hypergraph([(0, 1, 2)], weights=0.5)
    >>> triangle.forces([ip.kuramoto()], np.array([0.0, 0.0, 1.0]))[0].round(4)
    array([-0.0339, -0.0339,  0.8415])
    >>> ip.PhaseModel(ip.kuramoto(), 0.1 * ip.AllToAll() + triangle).size
    3
    """

    triads: Integers
    weights: Floats

    def __init__(
        self,
        triads: Any,
        form: str = "2j-k-i",
        weights: ArrayLike | None = None,
        n: int | None = None,
        *,
        directed: bool = False,
    ) -> None:
        self._set_form(form)
        self.directed = boolean("directed", directed)
        if hasattr(triads, "edges") and hasattr(triads, "nodes"):
            triads, n, known = _from_xgi(triads, n)
            weights = known if weights is None else weights
        self.triads = _triads(triads)
        if n is None and not len(self.triads):
            raise ValueError("n, the number of oscillators, must be given where there are no triads")
        self._size = int(self.triads.max()) + 1 if n is None else integer("n", n, least=1, most=LARGEST)
        _check_nodes(self.triads, self._size)
        values = finite_array("weights", 1.0 if weights is None else weights)
        if values.ndim and values.shape != (len(self.triads),):
            raise ValueError(
                f"weights must be a number or have shape ({len(self.triads)},), one per triad; got {values.shape}"
            )
        self.weights = np.array(np.broadcast_to(values, len(self.triads)))
        self._kind = triads_kind(self.form, self.directed)
        self._starts, self._partners, self._ordered, self._totals = self._by_listener()

    @classmethod
    def read(cls, path: str | PathLike[str], form: str = "2j-k-i") -> Hypergraph:
        """The triads of a file in HIF, the interchange format of hypergraphs, nodes in the order of the file.

        A triad's weight is that of its edge, or 1; what is left out (edges of other sizes, weights of incidences and
        of nodes) is told by a warning.

        Raises
        ------
        FileNotFoundError, ValueError, TypeError
            If there is no such file, or it is damaged, directed, or has no triads.
        """
        file = existing(path)
        found = read_hif(file)
        triads = [k for k, members in enumerate(found.members) if len(members) == 3]
        others = len(found.members) - len(triads)
        left_out = [
            *([f"{counted(others, 'edge', 'left out')}, not of three nodes"] if others else []),
            *found.notes,
        ]
        if left_out:
            warnings.warn(f"{file}: {'; '.join(left_out)}", stacklevel=2)
        members, weights = [found.members[k] for k in triads], [found.weights[k] for k in triads]
        try:
            return cls(members, form, weights, n=len(found.nodes))
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None

    @property
    def size(self) -> int:
        """The number of oscillators."""
        return self._size

    def _by_listener(self) -> tuple[Integers, Integers, Floats, Floats]:
        """By node that listens: starts (n + 1,), the other two (·, 2), weights, and Σ of weights."""
        turns = [(0, 1, 2)] if self.directed else PERMUTATIONS["j+k-2i"]
        rows = np.concatenate([self.triads[:, turn] for turn in turns])
        order = np.argsort(rows[:, 0], kind="stable")
        rows, weights = rows[order], np.tile(self.weights, len(turns))[order]
        starts = np.searchsorted(rows[:, 0], np.arange(self._size + 1))
        totals = np.bincount(rows[:, 0], weights, minlength=self._size).astype(float)
        terms = 2 if self._kind == triads.BOTH else 1
        return starts, np.ascontiguousarray(rows[:, 1:], dtype=np.uint32), weights, terms * totals

    def forces(
        self,
        functions: Sequence[Interaction],
        phases: Phases,
        out: Sequence[Phases] | None = None,
        sources: Phases | None = None,
    ) -> list[Phases]:
        """The sum of f over each node's triads, for f in functions, (..., n); into `out` if given.

        θ_i is of `phases`, θ_j and θ_k of `sources`, where given.
        """
        flat = np.ascontiguousarray(phases).reshape(-1, phases.shape[-1])
        heard = None if sources is None else np.ascontiguousarray(sources).reshape(flat.shape)
        totals = [np.empty(phases.shape) for _ in functions] if out is None else list(out)
        for f, total in zip(functions, totals):
            triads.sums(flat, heard, f.modes, self._starts, self._partners, self._ordered, self._totals, self._kind,
                        total.reshape(flat.shape))  # fmt: skip
        return totals

    def terms(self, n: int) -> list[Term]:
        """The triads."""
        self.check_size(n)
        kind = PRODUCT if self._kind == triads.PRODUCT else ORDERED
        return [Triangles(self.weights, self.triads, kind, self.directed)]

    def equation(
        self, delay: int | None = None, mark: str = "", form: Callable[[Words], Words] = of_f
    ) -> Words:
        """The sum over the triads of i: over both orders of j and k where the form tells them apart."""
        once = self._kind == triads.PRODUCT and not self.directed  # both orders are one and the same term
        which = Words(r"\sum_{j<k}\ ", "Σ_{j<k} ") if once else over("jk")
        return which + numbered("w", "ijk", mark) + form(triadic(self.form, delay))

    def code(self, keep: Keep) -> str:
        """ip.Hypergraph of its triads and weights."""
        numbers = (
            f"{keep('triads', self.triads)}, {self.form!r}, {keep('weights', self.weights)}, n={self.size}"
        )
        return f"ip.Hypergraph({numbers}{', directed=True' if self.directed else ''})"

    @cached_property
    def _jacobian_pattern(self) -> tuple[Integers, Floats, Integers, Integers, Integers]:
        """Terms (T, 3) as (i, j, k) and their weights.

        Of the Jacobian, indptr, indices, and where each derivative goes.
        """
        turns = [(0, 1, 2)] if self.directed else PERMUTATIONS[self.form]
        terms = np.concatenate([self.triads[:, turn] for turn in turns])
        keys = (terms[:, :1].astype(np.int64) * self._size + terms).T.ravel()
        places, where = np.unique(keys, return_inverse=True)
        starts = np.searchsorted(places, np.arange(self._size + 1, dtype=np.int64) * self._size)
        return terms, np.tile(self.weights, len(turns)), starts, places % self._size, where

    def jacobians(self, slopes: Sequence[Interaction], phases: Vector) -> list[Any]:
        """For each slope f', the derivative of the sums by θ_l, (n, n), as a csr_array."""
        terms, weights, starts, columns, where = self._jacobian_pattern
        factors, found = FORMS[self.form], []
        arguments = phases[terms] @ np.array(factors)
        for slope in slopes:
            values = weights * slope(arguments)
            data = np.bincount(
                where, np.concatenate([factor * values for factor in factors]), minlength=len(columns)
            )
            found.append(sparse.csr_array((data, columns, starts), shape=(self._size, self._size)))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Kind and numbers, for provenance."""
        return {
            "kind": "Hypergraph",
            "n": self._size,
            "form": self.form,
            "directed": self.directed,
            "triads": self.triads.tolist(),
            "weights": self.weights.tolist(),
        }

    def __repr__(self) -> str:
        directed = ", directed" if self.directed else ""
        return f'Hypergraph(n = {self._size}, {len(self.triads)} triads, "{self.form}"{directed})'


class AllTriads(Triadic):
    """Everyone in triads with everyone, in O(n·m).

    Σ_jk c_j c_k f(θ_i + θ_k − 2θ_j) or Σ_jk c_j c_k f(2θ_i − θ_j − θ_k).

    j and k run over all n² ordered pairs, j = k and i itself among them: with the moments
    M_h = Σ_j c_j e^{ihθ_j}, the sums are Re Σ_h F_h e^{ihθ_i} conj(M_2h) M_h and
    Re Σ_h F_h e^{2ihθ_i} conj(M_h)². For f = sin and ``"2j-k-i"`` the pull is Im(Z_2 conj(Z_1) e^{−iθ_i})
    with the order parameters Z_1 and Z_2 (Skardal, Arenas 2020).

    Parameters
    ----------
    form : "2j-k-i" or "j+k-2i"
    weights : array_like, shape (n,), optional
        c_j, any sign; 1/n if not given.

    Raises
    ------
    ValueError
        If the weights are empty or not finite, or the form is unknown.

    Examples
    --------
    >>> import inphase as ip
    >>> phases = np.array([0.0, 1.0, 2.5])
    >>> pull = AllTriads().forces([-ip.kuramoto()], phases)[0]
    >>> once, twice = ip.order_parameter(phases), ip.order_parameter(phases, harmonic=2)
    >>> np.allclose(pull, (twice * once.conj() * np.exp(-1j * phases)).imag, rtol=0, atol=1e-15)
    True
    """

    weights: Vector | None

    def __init__(self, form: str = "2j-k-i", weights: ArrayLike | None = None) -> None:
        self._set_form(form)
        self.weights = None if weights is None else finite_vector("weights", weights)

    @property
    def size(self) -> int | None:
        """The number of oscillators; None where all weights are equal."""
        return None if self.weights is None else len(self.weights)

    def _weights(self, n: int) -> Vector:
        """c_j as an array of shape (n,), or (1,) where all are equal."""
        return np.array([1.0 / n]) if self.weights is None else self.weights

    def _coefficients(
        self, modes: NDArray[np.complex128], moments: NDArray[np.complex128]
    ) -> NDArray[np.complex128]:
        """a_h of the sums Re Σ_h a_h e^{ihθ_i}: (replicas, ·), from the moments (replicas, 2 m + 1)."""
        m = len(modes) - 1
        if self.form == "2j-k-i":
            return np.asarray(modes * moments[:, : 2 * m + 1 : 2].conj() * moments[:, : m + 1])
        found = np.zeros((len(moments), 2 * m + 1), dtype=complex)
        found[:, ::2] = modes * moments[:, : m + 1].conj() ** 2
        return found

    def forces(
        self,
        functions: Sequence[Interaction],
        phases: Phases,
        out: Sequence[Phases] | None = None,
        sources: Phases | None = None,
    ) -> list[Phases]:
        """The sum of f over all j and k, for f in functions, like `phases`, (..., n); into `out` if given.

        θ_i is of `phases`, θ_j and θ_k of `sources`, where given.
        """
        flat = np.ascontiguousarray(phases).reshape(-1, phases.shape[-1])
        heard = flat if sources is None else np.ascontiguousarray(sources).reshape(flat.shape)
        totals = [np.empty(phases.shape) for _ in functions] if out is None else list(out)
        m = max(len(f.modes) for f in functions) - 1
        moments = fourier.moments(heard, self._weights(flat.shape[1]), 2 * m if self.form == "2j-k-i" else m)
        for f, total in zip(functions, totals):
            fourier.evaluate(flat, self._coefficients(f.modes, moments), total.reshape(flat.shape))
        return totals

    def terms(self, n: int) -> list[Term]:
        """The one mean field."""
        self.check_size(n)
        kind = ORDERED if self.form == "2j-k-i" else PRODUCT
        return [Field(np.ones(n), np.broadcast_to(self._weights(n), n), kind)]

    def equation(
        self, delay: int | None = None, mark: str = "", form: Callable[[Words], Words] = of_f
    ) -> Words:
        """The sum over all j and k."""
        if self.weights is None:
            weight = Words(r"\dfrac{1}{n^2}\,", "(1/n²) ") + over("jk")
        else:
            weight = over("jk") + numbered("c", "j", mark) + numbered("c", "k", mark)
        return weight + form(triadic(self.form, delay))

    def code(self, keep: Keep) -> str:
        """ip.AllTriads of its weights."""
        weights = "" if self.weights is None else f", {keep('weights', self.weights)}"
        return f"ip.AllTriads({self.form!r}{weights})"

    def jacobians(self, slopes: Sequence[Interaction], phases: Vector) -> list[Any]:
        """For each slope f', the derivative of the sums by θ_l, as a dense array (n, n)."""
        n, m, found = len(phases), max(len(f.modes) for f in slopes) - 1, []
        weights = self._weights(n)
        flat = np.ascontiguousarray(phases).reshape(1, n)
        moments = fourier.moments(flat, weights, 2 * m)
        turns = np.exp(1j * np.outer(phases, np.arange(2 * m + 1)))  # e^{ihθ}, (n, 2 m + 1)
        own = FORMS[self.form][0] * np.array(self.forces(slopes, phases))
        for slope, diagonal in zip(slopes, own):
            k = len(slope.modes)
            if self.form == "2j-k-i":  # −2 from l = j, +1 from l = k
                left = turns[:, :k] * slope.modes
                right = (
                    turns[:, :k] * moments[0, : 2 * k - 1 : 2].conj()
                    - 2 * turns[:, : 2 * k - 1 : 2].conj() * moments[0, :k]
                )
            else:
                left = turns[:, : 2 * k - 1 : 2] * slope.modes
                right = -2 * turns[:, :k].conj() * moments[0, :k].conj()
            matrix = np.ascontiguousarray((left @ right.T).real) * weights
            matrix[np.diag_indices(n)] += diagonal
            found.append(matrix)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Kind and numbers, for provenance."""
        numbers = {} if self.weights is None else {"weights": self.weights.tolist()}
        return {"kind": "AllTriads", "form": self.form} | numbers

    def __repr__(self) -> str:
        return f'AllTriads("{self.form}"{"" if self.size is None else f", n = {self.size}"})'


def triadic(form: str, delay: int | None) -> Words:
    """f's argument."""
    own, j, k = phase("i", delay, own=True), phase("j", delay), phase("k", delay)
    if form == "2j-k-i":
        return own + Words(" + ", " + ") + k + Words(" - 2\\,", " − 2") + j
    return Words(r"2\,", "2") + own + Words(" - ", " − ") + j + Words(" - ", " − ") + k


def triads_kind(form: str, directed: bool) -> int:
    """Which of the kernel's sums it is."""
    if form == "j+k-2i":
        return triads.PRODUCT
    return triads.ORDERED if directed else triads.BOTH


def _from_xgi(hypergraph: Any, n: int | None) -> tuple[Any, int, list[Any]]:
    """The edges of three nodes of an xgi.Hypergraph or SimplicialComplex, its number of nodes, and the edges' weights."""
    if not hasattr(hypergraph.edges, "filterby") or hasattr(hypergraph.edges, "tail"):
        raise TypeError(
            f"triads must be an array, an xgi.Hypergraph or an xgi.SimplicialComplex; got {type(hypergraph)}"
        )
    number = {node: k for k, node in enumerate(hypergraph.nodes)}
    if n is not None and n != len(number):
        raise ValueError(
            f"n must be the number of nodes of the hypergraph, {len(number)}, or left out; got {n!r}"
        )
    edges = hypergraph.edges.filterby("size", 3)
    found = [sorted(number[node] for node in edge) for edge in edges.members()]
    known = edges.attrs.asdict()
    sizes = Counter(map(len, hypergraph.edges.members()))
    left = [
        f"{count} of {size} node{'s' * (size != 1)}"
        for size, count in sorted(sizes.items())
        if size not in (1, 3)
    ]
    if left:
        remedy = " (pairs: add ip.Sparse of them)" if 2 in sizes else ""
        larger = " (larger ones: split them into triads, or reduce them to pairs)" if max(sizes) > 3 else ""
        warnings.warn(
            f"Hypergraph takes the {sizes[3]} edges of three nodes and leaves out {', '.join(left)}{remedy}{larger}",
            stacklevel=3,
        )
    return found, len(number), [known[edge].get("weight", 1.0) for edge in edges]


def _triads(given: Any) -> Integers:
    """Triads as an integer array (edges, 3)."""
    unmasked("triads", given)
    try:
        array = np.asarray(given)
    except ValueError:
        raise ValueError("triads must have three nodes each; got rows of different lengths") from None
    if not array.size:
        return np.empty((0, 3), dtype=np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"triads must be integers, the numbers of nodes; got {given!r:.60} ({array.dtype})")
    if array.ndim != 2 or array.shape[1] != 3:
        raise ValueError(f"triads must have shape (edges, 3); got shape {array.shape}")
    return np.array(array, dtype=np.int64)


def _check_nodes(array: Integers, n: int) -> None:
    outside = np.flatnonzero(((array < 0) | (array >= n)).any(axis=1))
    if len(outside):
        raise ValueError(
            f"triads must hold nodes from 0 to n - 1 = {n - 1}; got {array[outside[0]].tolist()} at index {outside[0]}"
        )
    same = (array[:, 0] == array[:, 1]) | (array[:, 1] == array[:, 2]) | (array[:, 0] == array[:, 2])
    if np.any(same):
        worst = int(np.argmax(same))
        raise ValueError(
            f"triads must hold three different nodes; got {array[worst].tolist()} at index {worst}"
        )
