"""All equilibria of a small Kuramoto network, by a search of the whole torus that proves none is missed.

With f = k sin x the equilibria solve polynomial equations in cos θ_i and sin θ_i, so that generically there
are finitely many. Their differences y_p = θ_l − θ_r over the joined pairs enter as G(θ) = a − A sin(Lθ),
y = Lθ. The torus is cut into boxes. A box is dropped where a bound on G excludes a root, and closed where
Krawczyk's test proves that exactly one root lies in a neighborhood that contains it; else it shrinks or is
cut in two. The tests run on many boxes at once in floats with a margin far above rounding; each root found is
then proved once more, and enclosed, in ball arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from inphase import expression as ex
from inphase.ball_context import BallContext
from inphase.checks import finite_number, integer
from inphase.equilibria.locked import Locked
from inphase.equilibria.search import DistinctStates, size_of
from inphase.equilibria.states import Equilibrium, wrapped
from inphase.kernels.threads import few_threads
from inphase.model import PhaseModel

Array = NDArray[np.float64]
LARGEST = 8  # oscillators
MARGIN = 1e-13  # of the size of the terms: three orders above the rounding of the float tests
CHUNK = 8192  # boxes at a time
INFLATED = 1.3  # half widths of the neighborhood in which a root is unique, against those of the box
CIRCLE = math.pi * (1 + 1e-12)  # half width of the first box: the whole circle and a hair
PROOF_BITS = 160


@dataclass(frozen=True, eq=False)
class Census:
    """All equilibria, up to rotation, of a Kuramoto network: what `all_equilibria` returns.

    Parameters
    ----------
    equilibria : tuple of Equilibrium
        In the order of their phases; each is proved to exist.
    radii : ndarray, shape (count,)
        Every phase of the true equilibrium is proved to lie within this distance (radians).
    degrees : ndarray of int, shape (count,)
        Sign of det(−∂F/∂θ) off the rotation: 1 for sinks and saddles with an even number of unstable
        directions.
    complete : bool
        Whether it is proved that there are no others.
    undecided : ndarray, shape (boxes, 2, unknowns)
        Lower and upper ends of the boxes of unknown phases that could not be decided; empty where complete.
    bound : int
        An upper bound on the number of isolated complex solutions, hence on `count` where all are isolated.
    boxes : int
        Boxes looked at.

    Examples
    --------
    >>> import inphase as ip
    >>> census = all_equilibria(ip.PhaseModel(ip.kuramoto()), 3)
    >>> census.count, census.complete, census.bound, [state.name for state in census.stable]
    (6, True, 6, ['synchronized'])
    """

    equilibria: tuple[Equilibrium, ...]
    radii: Array
    degrees: NDArray[np.int64]
    complete: bool
    undecided: Array = field(repr=False)
    bound: int
    boxes: int

    @property
    def count(self) -> int:
        """The number of equilibria; of all of them where `complete`."""
        return len(self.equilibria)

    @property
    def stable(self) -> tuple[Equilibrium, ...]:
        """Those that are surely stable."""
        return tuple(state for state in self.equilibria if state.stable)

    @property
    def degree(self) -> int:
        """Σ degrees: where `complete`, the Euler characteristic of the space of unknown phases.

        So Poincaré and Hopf; it is 0, of a torus, but 1, of a point, for one oscillator without a field,
        which has no unknown phase.
        """
        return int(np.sum(self.degrees))

    def __str__(self) -> str:
        if self.complete:
            return f"{self.count} equilibria, {len(self.stable)} of them stable; proved: there are no others"
        known = "no equilibrium proved"
        if self.count:
            known = f"at least {self.count} equilibria, {len(self.stable)} of them stable"
        share = float(np.sum(np.prod((self.undecided[:, 1] - self.undecided[:, 0]) / (2 * math.pi), axis=1)))
        return (
            f"{known}; a share of {share:.2g} of phase space is undecided ({len(self.undecided):,} boxes): "
            "equilibria there are not isolated, or nearly so, or max_boxes was too small"
        )


def all_equilibria(
    model: PhaseModel, n: int | None = None, *, max_boxes: int = 1_000_000, resolution: float = 1e-6
) -> Census:
    """All stationary or phase-locked states of a small network with f = k sin x, proved to be all.

    0 = ω_i + b_i sin θ_i − k Σ_j K_ij sin(θ_i − θ_j) − d_i Ω, with Ω free (and the first phase 0) where there
    is no field, else Ω = 0.

    Parameters
    ----------
    model : PhaseModel
        f = k sin x, any K (also asymmetric), without gain, delays and noise; inertia does not move
        equilibria.
    n : int, optional
        Oscillators, where the model does not fix them; at most 8. The work grows exponentially: 2 to 5 take
        seconds.
    max_boxes : int
        Boxes after which the search ends with what it has.
    resolution : float
        Half width, radians, below which a box that is not decided is given up: degenerate equilibria and
        continua of equilibria stay `undecided`.

    Returns
    -------
    Census
        The equilibria with radii, whether they are all, and what stayed undecided.

    Raises
    ------
    ValueError
        If f is not k sin x, the model has a gain, delays or noise, n is not known or above 8, or the graph
        falls into pieces that turn freely.

    Notes
    -----
    The polynomial equations have at most `complex_solutions` isolated complex solutions, binomial(2(n − 1),
    n − 1) on a complete graph. The proof that boxes are empty takes the sines of NumPy to be right to 1e-13.

    References
    ----------
    Baillieul, Byrnes, *Geometric critical point analysis of lossless power system models* (1982).
    Krawczyk, *Newton-Algorithmen zur Bestimmung von Nullstellen mit Fehlerschranken* (1969).

    Examples
    --------
    >>> import inphase as ip
    >>> print(all_equilibria(ip.PhaseModel(ip.kuramoto()), 3))
    6 equilibria, 1 of them stable; proved: there are no others
    """
    size = size_of(model, n)
    if size > LARGEST:
        raise ValueError(f"n must be at most {LARGEST} for all equilibria, whose proof takes exponentially long; got {size}; "
                         "`find` searches larger networks, without a proof")  # fmt: skip
    system = _System(model, size)
    max_boxes = integer("max_boxes", max_boxes, least=1)
    search = _Search(system, max_boxes, finite_number("resolution", resolution, positive=True))
    with few_threads(size):
        search.run()
        return _census(model, system, search)


class _System:
    """G(θ) = a − A sin(Lθ), (equations,), of the last, unknown phases (m,); the last m equations are square.

    Without a field, G is F less its part along the damping, so that Ω is gone; the equations are then
    dependent, and a redundant one still helps to exclude.
    """

    def __init__(self, model: PhaseModel, n: int) -> None:
        strength = model.interaction.sine_strength
        if strength is None:
            raise ValueError(
                f"all_equilibria is for f = k sin x, as `k * kuramoto()`; got {ex.quoted(model.interaction)}"
            )
        model.check_fixed("all_equilibria")
        if model.gain is not None or model.has_delays or model.has_noise:
            raise ValueError("all_equilibria is for models without gain, delays and noise")
        K = strength * model.coupling.matrix(n)
        field = np.broadcast_to(model.field, n)
        self.n, self.turns, self.damping = n, not np.any(field), np.array(np.broadcast_to(model.damping, n))
        self.frequencies = np.array(np.broadcast_to(model.frequencies, n))
        rows, columns = np.nonzero(np.triu((K != 0) | (K.T != 0), 1))
        if self.turns:
            _check_joined(n, rows, columns)
        pinned = np.flatnonzero(field)
        pairs = len(rows) + len(pinned)
        force, lattice = np.zeros((n, pairs)), np.zeros((pairs, n))
        p = np.arange(len(rows))
        force[rows, p], force[columns, p] = K[rows, columns], -K[columns, rows]
        lattice[p, rows], lattice[p, columns] = 1.0, -1.0
        p = len(rows) + np.arange(len(pinned))
        force[pinned, p], lattice[p, pinned] = -field[pinned], 1.0
        self.force = force
        self.m = n - 1 if self.turns else n
        self.first = n - self.m
        self.lattice = lattice[:, self.first :]
        self.constant, self.matrix = self._without_rotation()
        self.terms = np.abs(self.constant) + np.abs(self.matrix).sum(axis=1)
        self.slack = MARGIN * self.terms + 1e-300
        # ∂G_e/∂θ_k = −Σ_p cos(y_p) products[p, e, k]
        self.products = np.einsum("ep,pk->pek", self.matrix, self.lattice).reshape(pairs, n * self.m)
        ends = np.concatenate(
            [np.stack([rows, columns], axis=1), np.stack([np.full(len(pinned), n), pinned], axis=1)]
        )
        self.bound = complex_solutions(ends.tolist())

    def _without_rotation(self) -> tuple[Array, Array]:
        if not self.turns:
            return self.frequencies, self.force
        share = self.damping / self.damping.sum()
        total = self.force.sum(axis=0)
        matrix = self.force - np.outer(
            share, np.where(np.abs(total) > 1e-14 * np.abs(self.force).sum(axis=0), total, 0.0)
        )
        return self.frequencies - share * self.frequencies.sum(), matrix

    def slope(self, cosines: Array) -> Array:
        """∂G/∂θ from cos y: (boxes, equations, m)."""
        return np.asarray(-(cosines @ self.products).reshape(len(cosines), -1, self.m))


def _check_joined(n: int, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> None:
    graph = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(n, n))
    pieces = int(sparse.csgraph.connected_components(graph, directed=False)[0])
    if pieces > 1:
        raise ValueError(
            f"the graph falls into {pieces} pieces, which turn freely: equilibria are not isolated; give one piece"
        )


def _ball_sine(y: Array, rho: Array) -> tuple[Array, Array]:
    """Bounds of sin over [y − ρ, y + ρ]."""
    below, above = np.sin(y - rho), np.sin(y + rho)
    low, high = np.minimum(below, above), np.maximum(below, above)
    turns = 2 * math.pi
    crest = np.floor((y + rho - math.pi / 2) / turns + 1e-12) >= np.ceil(
        (y - rho - math.pi / 2) / turns - 1e-12
    )
    trough = np.floor((y + rho + math.pi / 2) / turns + 1e-12) >= np.ceil(
        (y - rho + math.pi / 2) / turns - 1e-12
    )
    return np.where(trough, -1.0, low), np.where(crest, 1.0, high)


class _Search:
    """The boxes that are left, as centers and half widths (boxes, m), and the roots that were proved."""

    def __init__(self, system: _System, max_boxes: int, resolution: float) -> None:
        self.system, self.max_boxes, self.resolution = system, max_boxes, resolution
        self.center, self.half = np.zeros((1, system.m)), np.full((1, system.m), CIRCLE)
        self.roots: list[Array] = []
        self.radii: list[float] = []
        self.given_up: list[tuple[Array, Array]] = []
        self.looked_at = 0

    def run(self) -> None:
        """Until every box is decided or given up."""
        if self.system.m == 0:  # one oscillator that turns freely: one state
            self.roots, self.radii, self.center = [np.zeros(0)], [0.0], self.center[:0]
        while len(self.center):
            if self.looked_at + len(self.center) > self.max_boxes:
                self.given_up.append((self.center, self.half))
                break
            self.looked_at += len(self.center)
            parts = [
                self._step(self.center[k : k + CHUNK], self.half[k : k + CHUNK])
                for k in range(0, len(self.center), CHUNK)
            ]
            self.center, self.half = (np.concatenate([part[k] for part in parts]) for k in range(2))

    def _step(self, center: Array, half: Array) -> tuple[Array, Array]:
        """Decide, shrink or cut boxes; what is left of them."""
        keep = self._possible(center, half)
        center, half = center[keep], half[keep]
        if not len(center):
            return center, half
        center, half, shrunk = self._newton(center, half)
        small = np.max(half, axis=1) < self.resolution
        if np.any(small):
            self.given_up.append((center[small], half[small]))
            center, half, shrunk = center[~small], half[~small], shrunk[~small]
        first, second = _cut(center[~shrunk], half[~shrunk])
        return np.concatenate([center[shrunk], first[0], second[0]]), np.concatenate(
            [half[shrunk], first[1], second[1]]
        )

    def _possible(self, center: Array, half: Array) -> NDArray[np.bool_]:
        """Where neither the range of the sines nor the linear bound on G excludes a root."""
        s = self.system
        y, rho = center @ s.lattice.T, half @ np.abs(s.lattice).T
        sine, cosine = np.sin(y), np.cos(y)
        low, high = _ball_sine(y, rho)
        middle, spread = (low + high) / 2, (high - low) / 2
        weights = np.abs(s.matrix).T
        coarse = np.abs(s.constant - middle @ s.matrix.T) <= spread @ weights + s.slack
        curved = 0.5 * rho**2 * np.minimum(1.0, np.abs(sine) + rho)
        linear = np.einsum("bek,bk->be", np.abs(s.slope(cosine)), half)
        fine = np.abs(s.constant - sine @ s.matrix.T) <= linear + curved @ weights + s.slack
        return np.asarray(np.all(coarse & fine, axis=1))

    def _newton(self, center: Array, half: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Krawczyk's test: boxes with a proved root go, others shrink; whether they did by much."""
        s, m, first = self.system, self.system.m, self.system.first
        y = center @ s.lattice.T
        sine, cosine = np.sin(y), np.cos(y)
        value = (s.constant - sine @ s.matrix.T)[:, first:]
        slope = s.slope(cosine)[:, first:]
        # any matrix near the inverse serves: the perturbation only keeps exactly singular slopes invertible
        inverse = np.linalg.inv(slope + 1e-11 * s.terms.max() * np.eye(m))
        size = np.abs(inverse)
        defect = np.abs(np.eye(m) - inverse @ slope) + 1e-13 * size @ np.abs(slope)
        newton = -np.einsum("bkl,bl->bk", inverse, value)
        rounding = np.einsum("bkl,l->bk", size, s.slack[first:])
        weights, lattice = np.abs(s.matrix[first:]).T, np.abs(s.lattice)

        wide = INFLATED * half
        rho = wide @ lattice.T
        variation = rho * np.minimum(1.0, np.abs(sine) + rho)  # of cos over the neighborhood
        change = np.einsum(
            "bp,pek->bek", variation, np.abs(s.products).reshape(-1, len(s.terms), m)[:, first:]
        )
        contraction = np.einsum("bkl,bl->bk", defect + size @ change, wide)
        proved = np.all(np.abs(newton) + contraction + rounding < 0.999 * wide, axis=1)

        rho = half @ lattice.T
        curved = 0.5 * rho**2 * np.minimum(1.0, np.abs(sine) + rho)
        reach = (
            np.einsum("bkl,bl->bk", size, curved @ weights) + np.einsum("bkl,bl->bk", defect, half) + rounding
        )
        low, high = np.maximum(-half, newton - reach), np.minimum(half, newton + reach)
        possible = np.all(low <= high, axis=1)
        for b in np.flatnonzero(proved & possible):
            proved[b] = self._record(center[b], wide[b], newton[b])
        left = possible & ~proved
        low, high, old = low[left], high[left], half[left]
        # not so small that rounding, or `resolution`, keeps the next test from proving the root
        new_half = np.minimum(old, np.maximum((high - low) / 2 * (1 + 1e-14), 8 * self.resolution))
        shrunk = np.prod(new_half / old, axis=1) < 0.4
        return center[left] + (low + high) / 2, new_half, np.asarray(shrunk)

    def _record(self, center: Array, wide: Array, newton: Array) -> bool:
        """Refine and enclose the one root near `center`, unless known; False where the proof fails."""
        root = center + newton
        for _ in range(4):
            root = root - np.linalg.solve(*_value_and_slope(self.system, root))
        if not np.all(np.abs(root - center) < wide - 1e-9):
            return False
        root = wrapped(root)
        for known in self.roots:
            if np.max(np.abs(wrapped(root - known))) < 5e-10:
                return True  # the known one lies in this neighborhood, and is the only one there
        found = _enclose(self.system, root)
        if found is None or found > 1e-10:
            return False
        self.roots.append(root)
        self.radii.append(found)
        return True


def _cut(center: Array, half: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Two halves of each box, across its longest side."""
    rows, side = np.arange(len(center)), np.argmax(half, axis=1)
    new = half.copy()
    new[rows, side] *= 0.5 * (1 + 1e-12)
    shift = np.zeros_like(center)
    shift[rows, side] = 0.5 * half[rows, side]
    return (center - shift, new), (center + shift, new)


def _value_and_slope(system: _System, phases: Array) -> tuple[Array, Array]:
    """(∂G/∂θ, G) of the square part, at phases (m,)."""
    y = system.lattice @ phases
    first = system.first
    return system.slope(np.cos(y)[None])[0, first:], (system.constant - system.matrix @ np.sin(y))[first:]


def _enclose(system: _System, root: Array) -> float | None:
    """A radius around `root` that holds an equilibrium, unique within 2e-9 of `root`; None if not proved.

    Krawczyk's operator in balls, on F itself: ∂F/∂θ at the root and over the neighborhood.
    """
    from flint import arb, arb_mat

    with BallContext(PROOF_BITS):
        slope = _value_and_slope(system, root)[0]
        inverse = arb_mat(np.linalg.inv(slope).tolist())
        point = arb_mat([[arb(float(x))] for x in root])
        radius = 2e-9
        hull = arb_mat([[arb(float(x), radius)] for x in root])
        identity = arb_mat(
            system.m, system.m, [int(i == j) for i in range(system.m) for j in range(system.m)]
        )
        defect = identity - inverse * _ball_slope(system, hull)
        image = point - inverse * _ball_value(system, point) + defect * (hull - point)
        if not all(hull[k, 0].contains_interior(image[k, 0]) for k in range(system.m)):
            return None
        newton = -(inverse * _ball_value(system, point))
        for _ in range(3):  # the image of the hull is a better hull
            image = newton + defect * (hull - point)
            hull = point + image
        return max(float(image[k, 0].abs_upper()) for k in range(system.m)) * (1 + 1e-15)


def _balls(system: _System) -> tuple[Any, Any, Any]:
    """a, A and L of the square equations as exact balls, from the doubles of the model."""
    from flint import arb, arb_mat

    force = arb_mat(system.force.tolist())
    constant = arb_mat([[float(w)] for w in system.frequencies])
    if system.turns:
        total = sum((arb(float(d)) for d in system.damping), arb(0))
        n = system.n
        off = [[arb(int(i == j)) - arb(float(system.damping[i])) / total for j in range(n)] for i in range(n)]
        projection = arb_mat(off)
        force, constant = projection * force, projection * constant
    square = range(system.first, system.n)
    rows = arb_mat([[force[i, p] for p in range(force.ncols())] for i in square])
    return arb_mat([[constant[i, 0]] for i in square]), rows, arb_mat(system.lattice.tolist())


def _ball_value(system: _System, phases: Any) -> Any:
    from flint import arb_mat

    constant, force, lattice = _balls(system)
    y = lattice * phases
    return constant - force * arb_mat([[y[p, 0].sin()] for p in range(y.nrows())])


def _ball_slope(system: _System, phases: Any) -> Any:
    from flint import arb_mat

    _, force, lattice = _balls(system)
    y = lattice * phases
    scaled = arb_mat([[y[p, 0].cos() * lattice[p, k] for k in range(system.m)] for p in range(y.nrows())])
    return -(force * scaled)


def _census(model: PhaseModel, system: _System, search: _Search) -> Census:
    m = system.m
    order = sorted(range(len(search.roots)), key=lambda k: tuple(np.round(search.roots[k], 9)))
    distinct = DistinctStates(Locked(model, system.n), ())
    states = [_described(distinct, system, search.roots[k]) for k in order]
    degrees = [np.linalg.slogdet(-_value_and_slope(system, search.roots[k])[0])[0] if m else 1 for k in order]
    boxes = [np.stack([c - h, c + h], axis=1) for c, h in search.given_up]
    undecided = np.concatenate(boxes) if boxes else np.zeros((0, 2, m))
    return Census(
        equilibria=tuple(states),
        radii=np.array([search.radii[k] for k in order]) + 1e-15,  # phases were wrapped
        degrees=np.array(degrees, dtype=np.int64),
        complete=not len(undecided),
        undecided=undecided,
        bound=system.bound,
        boxes=search.looked_at,
    )


def _described(distinct: DistinctStates, system: _System, root: Array) -> Equilibrium:
    phases = wrapped(np.concatenate([np.zeros(system.first), root]))
    velocity = distinct.system.velocity(phases, 0.0)
    return distinct.describe(
        phases, float(np.average(velocity, weights=system.damping)) if system.turns else 0.0
    )


# ------------------------------------------------------------------------------------------ complex solutions


def complex_solutions(edges: Sequence[tuple[int, int]]) -> int:
    """An upper bound on the number of isolated complex equilibria of f = sin on a graph of any K and ω.

    The product over the graph's blocks (pieces without a cut vertex) of 2 for an edge, k·binomial(k − 1,
    ⌊(k − 1)/2⌋) for a cycle of k nodes, and binomial(2(k − 1), k − 1) otherwise: reached by generic weights,
    but for the last on graphs that are not complete.

    Parameters
    ----------
    edges : sequence of (int, int)
        Each pair once. A field joins its oscillators to one more node.

    Returns
    -------
    int

    Raises
    ------
    TypeError, ValueError
        If edges are not pairs of integers.

    References
    ----------
    Baillieul, Byrnes, *Geometric critical point analysis of lossless power system models* (1982): complete
    graphs. Chen, Davis, Mehta, *Counting equilibria of the Kuramoto model using birationally invariant
    intersection index* (2018): trees and cycles.

    Examples
    --------
    >>> complex_solutions([(0, 1), (1, 2)]), complex_solutions([(0, 1), (1, 2), (2, 0)])
    (4, 6)
    """
    bound = 1
    pairs = [tuple(edge) for edge in edges]
    for pair in pairs:
        if len(pair) != 2:
            raise ValueError(f"edges must be pairs of nodes; got {pair}")
    for block in _blocks([(integer("edges", i), integer("edges", j)) for i, j in pairs]):
        k = len({node for edge in block for node in edge})
        is_cycle = len(block) == k
        bound *= (
            2 if k == 2 else k * math.comb(k - 1, (k - 1) // 2) if is_cycle else math.comb(2 * (k - 1), k - 1)
        )
    return bound


def _blocks(edges: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """The edges of each biconnected component (Hopcroft, Tarjan 1973)."""
    neighbors: dict[int, list[int]] = {}
    for i, j in edges:
        neighbors.setdefault(i, []).append(j)
        neighbors.setdefault(j, []).append(i)
    depth: dict[int, int] = {}
    least: dict[int, int] = {}  # depth that the subtree of a node reaches by one edge back
    stack: list[tuple[int, int]] = []
    blocks: list[list[tuple[int, int]]] = []
    for root in neighbors:
        if root in depth:
            continue
        depth[root] = least[root] = 0
        # from the root down: the node, what is left to see, edges before it
        path = [(root, iter(neighbors[root]), 0)]
        while path:
            node, left, start = path[-1]
            parent = path[-2][0] if len(path) > 1 else None
            for other in left:
                if other not in depth:
                    depth[other] = least[other] = depth[node] + 1
                    path.append((other, iter(neighbors[other]), len(stack)))
                    stack.append((node, other))
                    break
                if other != parent and depth[other] < depth[node]:
                    stack.append((node, other))
                    least[node] = min(least[node], depth[other])
            else:
                path.pop()
                if parent is not None:
                    if least[node] >= depth[parent]:
                        blocks.append(stack[start:])
                        del stack[start:]
                    least[parent] = min(least[parent], least[node])
    return blocks
