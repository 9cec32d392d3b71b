"""K of regular arrangements: rings, near or nonlocal, and lattices."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from inphase.checks import LARGEST, boolean, finite_array, finite_number, finite_vector, integer
from inphase.coupling.sparse import Network, Sparse
from inphase.coupling.summing import Layout, plan, uses_pairs
from inphase.coupling.words import Keep
from inphase.interaction import Interaction
from inphase.kernels import graph
from inphase.types import Phases, Vector

Weights = float | Sequence[float] | Vector

FFT_FROM = 64  # neighbors, on both sides together, from which Fourier transforms are quicker


class Ring(Network):
    """K_{i, i+d} = w_d on a ring (indices modulo n): each oscillator listens to `neighbors` on each side.

    The sums go by neighbors, O(n·neighbors·m), or with many neighbors by fast Fourier transforms,
    O(n log n·m).

    Parameters
    ----------
    neighbors : int
        On each side, >= 1. Any number n > 2·neighbors of oscillators will do.
    weights : array_like, shape (neighbors,) or (2·neighbors,), optional
        w by distance, the nearest first, alike on both sides; or first those of i+1, i+2, ... and then those
        of i−1, i−2, .... 1 if not given (not divided by their number), as in the theory of twisted states.

    Raises
    ------
    ValueError, TypeError
        If there is no neighbor, or the weights do not fit or are not finite.

    References
    ----------
    Wiley, Strogatz, Girvan, *The size of the sync basin* (2006).

    Examples
    --------
    >>> from inphase.coupling import Ring
    >>> Ring(1, weights=[2, 0.5]).matrix(4)
    array([[0. , 2. , 0. , 0.5],
           [0.5, 0. , 2. , 0. ],
           [0. , 0.5, 0. , 2. ],
           [2. , 0. , 0.5, 0. ]])
    """

    def __init__(self, neighbors: int, weights: ArrayLike | None = None) -> None:
        self.neighbors = integer("neighbors", neighbors, least=1)
        given = np.ones(self.neighbors) if weights is None else finite_array("weights", weights)
        if given.shape not in ((self.neighbors,), (2 * self.neighbors,)):
            raise ValueError(
                f"weights must have shape ({neighbors},) or ({2 * neighbors},); got shape {given.shape}"
            )
        distance = np.arange(1, self.neighbors + 1)
        self._set(np.concatenate([distance, -distance]), np.resize(given, 2 * self.neighbors), None)

    @classmethod
    def from_kernel(cls, kernel: Callable[[Vector], ArrayLike], n: int) -> Ring:
        """A nonlocal ring: K_ij = (2π/n) G(x_i − x_j), which tends to ∫ G(x − x') ... dx' as n grows.

        Parameters
        ----------
        kernel : callable
            G, a function of distances in radians, signed, in (−π, π]: array (n,) -> array (n,).
        n : int
            Oscillators, at x_i = 2π i/n. The diagonal, K_ii = (2π/n) G(0), belongs to the sum.

        Raises
        ------
        ValueError, TypeError
            If n < 1, or the kernel does not return n finite numbers.

        References
        ----------
        Abrams, Strogatz, *Chimera states for coupled oscillators* (2004): G(x) = (1 + A cos x)/(2π).

        Examples
        --------
        >>> import numpy as np
        >>> from inphase.coupling import Ring
        >>> Ring.from_kernel(lambda x: (1 + 0.5 * np.cos(x)) / (2 * np.pi), 4).matrix(4)[0]
        array([0.375, 0.25 , 0.125, 0.25 ])
        """
        n = integer("n", n, least=1, most=LARGEST)
        ahead = np.arange(n)
        behind = (-ahead) % n  # x_i − x_{i+d} = −2πd/n
        x = 2 * np.pi * np.where(2 * behind > n, behind - n, behind) / n
        ring = cls.__new__(cls)
        ring.neighbors = n // 2
        ring._set(ahead, (2 * np.pi / n) * finite_array("kernel's values", kernel(x), (n,)), n)
        return ring

    @classmethod
    def circulant(cls, weights: ArrayLike) -> Ring:
        """A ring of n oscillators by all its weights: K_{i,i+d} = w_d, indices modulo n.

        Parameters
        ----------
        weights : array_like, shape (n,)
            w_d for d = 0..n − 1, any signs; w_0 is the diagonal.

        Raises
        ------
        ValueError, TypeError
            If the weights are empty or not finite.

        Examples
        --------
        >>> from inphase.coupling import Ring
        >>> Ring.circulant([0, 1, 0, 0]).matrix(4)[0]
        array([0., 1., 0., 0.])
        """
        circle = finite_vector("weights", weights)
        ring = cls.__new__(cls)
        ring.neighbors = len(circle) // 2
        ring._set(np.arange(len(circle)), circle, len(circle))
        return ring

    def _set(self, offsets: Any, weights: Vector, n: int | None) -> None:
        joined = weights != 0
        self._offsets, self._weights, self._n = offsets[joined], weights[joined], n
        self._built: tuple[int, Any] | None = None

    @property
    def size(self) -> int | None:
        """The number of oscillators of a kernel; else None."""
        return self._n

    @property
    def positive(self) -> bool:
        """Whether no weight is negative and one is positive."""
        return bool(np.all(self._weights > 0) and len(self._weights))

    @property
    def symmetric(self) -> bool:
        """Whether both sides have the same weights."""
        n = self._n or 2 * self.neighbors + 1
        circle = self._circle(n)
        return bool(np.array_equal(circle[1:], circle[:0:-1]))

    def check_size(self, n: int) -> None:
        """Raise ValueError unless n oscillators fit."""
        super().check_size(n)
        if self._n is None and n <= 2 * self.neighbors:
            raise ValueError(
                f"phases have {n} oscillators, but {self!r} needs more than {2 * self.neighbors}"
            )

    def _circle(self, n: int) -> Vector:
        """w_d for d = 0..n − 1, (n,)."""
        circle = np.zeros(n)
        circle[self._offsets % n] = self._weights
        return circle

    def edges(self, n: int) -> sparse.csr_array:
        """K as a sparse matrix, (n, n)."""
        if self._built is None or self._built[0] != n:
            self.check_size(n)
            columns = (np.arange(n)[:, None] + self._offsets) % n
            order = np.argsort(columns, axis=1)
            starts = np.arange(n + 1) * len(self._offsets)
            values = self._weights[order].ravel()
            columns = np.take_along_axis(columns, order, axis=1).ravel()
            self._built = n, sparse.csr_array((values, columns, starts), shape=(n, n))
        return self._built[1]

    def forces(
        self,
        functions: Sequence[Interaction],
        phases: Phases,
        out: Sequence[Phases] | None = None,
        sources: Phases | None = None,
    ) -> list[Phases]:
        """[Σ_j K_ij f(θ_i − φ_j) for f in functions], by neighbors or by Fourier transforms."""
        n = phases.shape[-1]
        self.check_size(n)
        if len(self._offsets) < FFT_FROM or uses_pairs(functions, n):
            return super().forces(functions, phases, out, sources)
        return self._convolve(functions, phases, out, sources)

    def _convolve(
        self, functions: Sequence[Interaction], phases: Phases, out: Any, sources: Any
    ) -> list[Phases]:
        from scipy import fft

        arranged, planned = Layout(functions, phases, out, sources), plan(tuple(functions))
        n, circle = phases.shape[-1], self._circle(phases.shape[-1])
        response, totals = np.conj(fft.fft(circle))[:, None], np.full(n, circle.sum())
        for replica, row in enumerate(arranged.heard):
            waves = graph.waves(row[None], planned.m)
            own = waves if sources is None else graph.waves(arranged.here[replica : replica + 1], planned.m)
            spread = fft.ifft(fft.fft(waves[0].view(complex), axis=0) * response, axis=0)
            sums = np.ascontiguousarray(spread).view(float)[None]
            graph.combine(
                own, sums, totals, planned.real, planned.imaginary, arranged.totals[replica : replica + 1]
            )
        return arranged.results()

    def code(self, keep: Keep) -> str:
        """ip.Ring of its neighbors and weights, or of all weights around the ring."""
        if self._n is not None:
            return f"ip.Ring.circulant({keep('weights', self._circle(self._n))})"
        ahead, behind = np.split(self._circle(2 * self.neighbors + 1)[1:], 2)
        return f"ip.Ring({self.neighbors}, {keep('weights', np.concatenate([ahead, behind[::-1]]))})"

    def tables(self) -> list[dict[str, Any]]:
        """A ring of neighbors, or of all weights."""
        if self._n is None:
            return super().tables()
        return [{"kind": "circulant", "weights": self._circle(self._n).tolist()}]

    def to_dict(self) -> dict[str, Any]:
        """Kind and numbers, for provenance: a kernel as its weights w_d, d = 0..n − 1."""
        if self._n is not None:
            return {"kind": "Ring", "n": self._n, "kernel": self._circle(self._n).tolist()}
        ahead, behind = np.split(self._circle(2 * self.neighbors + 1)[1:], 2)
        return {
            "kind": "Ring",
            "neighbors": self.neighbors,
            "weights": [*ahead.tolist(), *behind[::-1].tolist()],
        }

    def __repr__(self) -> str:
        return (
            f"Ring({self.neighbors} neighbors on each side)"
            if self._n is None
            else f"Ring(n = {self._n}, nonlocal)"
        )


class Lattice(Sparse):
    """Nearest neighbors on a grid of any dimension, with phases in C order (the last index runs fastest).

    Parameters
    ----------
    shape : sequence of int
        Nodes along each axis.
    periodic : bool or sequence of bool
        Whether an axis closes; it then needs at least 3 nodes.
    weights : float or array_like, shape (len(shape),)
        K_ij of neighbors, for each axis; any signs.

    Raises
    ------
    ValueError, TypeError
        If an axis is too short, or the arguments do not fit each other.

    Examples
    --------
    >>> from inphase.coupling import Lattice
    >>> Lattice((2, 2), periodic=False, weights=[1, 3]).matrix(4)
    array([[0., 3., 1., 0.],
           [3., 0., 0., 1.],
           [1., 0., 0., 3.],
           [0., 1., 3., 0.]])
    """

    def __init__(
        self, shape: Sequence[int], periodic: bool | Sequence[bool] = True, weights: Weights = 1.0
    ) -> None:
        axes = tuple(shape) if isinstance(shape, (Sequence, np.ndarray)) else (shape,)
        self.shape = tuple(integer(f"shape[{k}]", length, least=1) for k, length in enumerate(axes))
        if not self.shape:
            raise ValueError("shape must have at least one axis; got ()")
        entries = 2 * len(self.shape) * math.prod(self.shape)
        integer(
            "the number of entries of K, twice the axes times the product of shape,", entries, most=LARGEST
        )
        self.periodic = self._per_axis("periodic", periodic, lambda value: boolean("periodic", value))
        self.weights = self._per_axis("weights", weights, lambda value: finite_number("weights", value))
        grid = np.arange(math.prod(self.shape)).reshape(self.shape)
        ends = []
        for axis, (length, closed) in enumerate(zip(self.shape, self.periodic)):
            if closed and length < 3:
                raise ValueError(f"a periodic axis needs at least 3 nodes; got shape[{axis}] = {length}")
            one = np.moveaxis(grid, axis, 0)
            ends.append((one if closed else one[:-1]).ravel())
            ends.append((np.roll(one, -1, axis=0) if closed else one[1:]).ravel())
        rows, columns = np.concatenate(ends[::2]), np.concatenate(ends[1::2])
        values = np.repeat(self.weights, [len(part) for part in ends[::2]])
        half = sparse.coo_array((values, (rows, columns)), shape=(grid.size, grid.size))
        super().__init__(half + half.T)

    def _per_axis(self, name: str, given: Any, one: Callable[[Any], Any]) -> tuple[Any, ...]:
        """A value for each axis."""
        values = [given] * len(self.shape) if np.ndim(given) == 0 else list(given)
        if len(values) != len(self.shape):
            raise ValueError(
                f"{name} must be one value or one for each of the {len(self.shape)} axes; got {len(values)}"
            )
        return tuple(one(value) for value in values)

    def code(self, keep: Keep) -> str:
        """ip.Lattice of its shape."""
        return f"ip.Lattice({self.shape}, periodic={list(self.periodic)}, weights={list(self.weights)})"

    def to_dict(self) -> dict[str, Any]:
        """Kind and numbers, for provenance."""
        return {
            "kind": "Lattice",
            "shape": [*self.shape],
            "periodic": [*self.periodic],
            "weights": [*self.weights],
        }

    def __repr__(self) -> str:
        return f"Lattice({self.shape})"
