"""`bifurcations`: where noise takes the uniform state's stability, and the branches that begin there.

The amplitude A = c_k of mode k near the uniform state of dθ_i = −(1/n) Σ_j f(θ_i − θ_j) dt + sqrt(2 D) dW_i,
f = Σ s_k sin kx, drives c_2k, which follows it:

    dc_k/dt = (k s_k/2 − k² D) c_k − (k/2)(s_k − s_2k) conj(c_k) c_2k + ...,
    dc_2k/dt = (k s_2k − 4k² D) c_2k + k s_k c_k² + ...   =>   c_2k = s_k A²/(2 s_k − s_2k) at D_k = s_k/(2k),

    dA/dt = (k s_k/2 − k² D) A + g |A|² A,    g = −(k/2) s_k (s_k − s_2k)/(2 s_k − s_2k).

With g < 0 the new state grows continuously from zero below D_k; with g > 0 it begins above D_k, unstable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inphase.checks import finite_number, integer
from inphase.density.stationary import SelfConsistency, UnresolvedError, odd_amplitudes, rates
from inphase.interaction import Interaction
from inphase.kernels.threads import few_threads

Floats = NDArray[np.float64]
# arclengths of a step, in order parameters and noise over its critical value
FIRST, LONGEST, SHORTEST = 1e-3, 0.05, 1e-7
MOST_POINTS = 2000


@dataclass(frozen=True)
class Bifurcation:
    """Where mode `mode` of the uniform state becomes unstable as noise falls.

    `noise` is D_k = s_k/(2k); `coefficient` is g of dA/dt = λ A + g |A|² A; `kind` is "continuous"
    (supercritical, g < 0), "discontinuous" (subcritical, g > 0) or "degenerate" (g = 0 to rounding, or modes
    k and 2k critical together: NaN).
    """

    mode: int
    noise: float
    coefficient: float
    kind: str


@dataclass(frozen=True, eq=False)
class Branch:
    """Stationary states along a curve in noise that starts at the uniform state, its folds among the points.

    `mode` is k where the branch begins, so that states have the period 2π/k; `noise` (points,); `modes`
    (points, harmonics), c_0, c_1, ... of each, real; `growth_rate` (points,), the largest of any small
    perturbation off the rotation; `free_energy` (points,), above the uniform state's; `folds`, the noise
    where the branch turns back; `equal`, the noise where it passes the uniform state's free energy; `end`,
    why it ends: "lowest noise", "unresolved" (it needs more modes), "no convergence" (as where several modes
    are critical at one noise) or "too long".
    """

    mode: int
    noise: Floats
    modes: Floats
    growth_rate: Floats
    free_energy: Floats
    folds: tuple[float, ...]
    equal: tuple[float, ...]
    end: str

    @property
    def order_parameter(self) -> Floats:
        """|c_k|, (points,)."""
        return np.asarray(np.abs(self.modes[:, self.mode]))

    @cached_property
    def stable(self) -> tuple[tuple[float, float], ...]:
        """Ranges of noise (low, high) of stable stretches; ends at folds, else to the step's accuracy."""
        found = []
        negative = self.growth_rate < 0
        negative[np.isin(self.noise, self.folds)] = negative[0] = False  # zero, to rounding
        edges = np.flatnonzero(np.diff(np.concatenate([[False], negative, [False]]).astype(int)))
        for first, last in edges.reshape(-1, 2).tolist():
            ends = [*self.noise[first:last], self._crossing(first - 1), self._crossing(last - 1)]
            found.append((float(min(ends)), float(max(ends))))
        return tuple(found)

    def _crossing(self, i: int) -> float:
        """The noise where the growth rate passes zero between points i, i + 1; the last point's at an end."""
        if i < 0 or i + 1 >= len(self.noise):
            return float(self.noise[max(i, 0)])
        for end in (i, i + 1):
            if end == 0 or self.noise[end] in self.folds:
                return float(self.noise[end])
        one, other = self.growth_rate[i : i + 2]
        return float(self.noise[i] + (self.noise[i + 1] - self.noise[i]) * one / (one - other))


@dataclass(frozen=True, eq=False)
class Bifurcations:
    """What noise does to the uniform state: `points` by falling noise, and a branch from each."""

    points: tuple[Bifurcation, ...]
    branches: tuple[Branch, ...]

    @property
    def critical_noise(self) -> float:
        """The noise above which the uniform state is linearly stable; 0 if it always is."""
        return max((point.noise for point in self.points), default=0.0)

    @property
    def bistable(self) -> tuple[tuple[float, float], ...]:
        """Ranges of noise (low, high) where the uniform state and a state of some branch are both stable."""
        low = self.critical_noise
        ranges = [
            (max(a, low), b) for branch in self.branches for a, b in branch.stable if b > low * (1 + 1e-9)
        ]
        return tuple(sorted(ranges))

    @property
    def transition_noise(self) -> float:
        """The noise above which no state of the branches has a lower free energy than the uniform one."""
        return max([self.critical_noise, *(noise for branch in self.branches for noise in branch.equal)])


def bifurcations(
    interaction: Interaction, *, modes: int = 3, lowest_noise: float | None = None, max_modes: int = 512
) -> Bifurcations:
    """Find where and how the uniform state of noisy oscillators loses stability, and follow the branches.

    Each branch is followed by steps of arclength in (order parameters, noise), so through folds too. Branches
    that begin at other branches are not looked for; `stationary` may find their states.

    Parameters
    ----------
    interaction : Interaction
        f, odd: f(x) = Σ_k s_k sin kx.
    modes : int
        Modes k = 1, ..., modes of the uniform state are examined; those with s_k > 0 have a bifurcation.
    lowest_noise : float, optional
        Where branches end, in radians² per time; a tenth of the largest critical noise if not given.
    max_modes : int
        Most Fourier modes of a density, at least 32; a branch ends where it needs more.

    Returns
    -------
    Bifurcations
        With `points` (`Bifurcation`: mode, noise, coefficient, kind), `branches` (`Branch`: noise, modes,
        growth_rate, free_energy, folds, ...), `critical_noise`, `bistable` and `transition_noise`. Noise at
        bifurcations, folds and equal free energies is accurate to about 1e-10 of itself.

    Raises
    ------
    TypeError, ValueError
        If f is not odd, or an argument is out of its range.

    References
    ----------
    Mun, Rosenzweig (arXiv 2604.16288), and for spheres of any dimension, *Phase transitions for the noisy
    transformer model in arbitrary dimension* (arXiv 2606.05140): for attention the first transition is
    continuous up to I_2(β)/I_1(β) = 1/2, that is s_2 = s_1. Chayes, Panferov, *The McKean-Vlasov equation in
    finite volume* (2010).

    Examples
    --------
    >>> from inphase.interaction import attention
    >>> for beta in (2.2, 3.0):
    ...     found = bifurcations(attention(beta), modes=1)
    ...     print(found.points[0].kind, f"{found.critical_noise:.6f}", [f"{fold:.6f}" for fold in found.branches[0].folds])
    continuous 0.096404 []
    discontinuous 0.065609 ['0.066360']
    """
    s, highest = odd_amplitudes(interaction), integer("modes", modes, 1)
    most = integer("max_modes", max_modes, 32)
    padded = np.zeros(2 * highest)
    padded[: len(s)] = s[: 2 * highest]
    negligible = 1e-14 * float(np.max(np.abs(s)))  # rounding of f's modes
    points = [_bifurcation(k, padded) for k in range(1, highest + 1) if padded[k - 1] > negligible]
    points.sort(key=lambda point: -point.noise)
    lowest = 0.1 * points[0].noise if lowest_noise is None and points else lowest_noise
    if lowest_noise is not None:
        lowest = finite_number("lowest_noise", lowest_noise, positive=True)
    with few_threads(0):  # as many rows as the density has modes: small, as a rule
        branches = [
            _Path(interaction, point, SelfConsistency.of(interaction, point.mode, most)).follow(
                float(lowest or 0.0)
            )
            for point in points
            if point.noise > float(lowest or 0.0)
        ]
    return Bifurcations(tuple(points), tuple(branches))


def _bifurcation(k: int, s: Floats) -> Bifurcation:
    """The normal form of mode k, from the amplitudes s_1, ..., s_2k at least."""
    one, two = float(s[k - 1]), float(s[2 * k - 1])
    denominator = 2 * one - two
    g = -0.5 * k * one * (one - two) / denominator if abs(denominator) > 1e-12 * one else float("nan")
    kind = "degenerate" if not abs(g) > 1e-12 * k * one else "continuous" if g < 0 else "discontinuous"
    return Bifurcation(k, one / (2 * k), g, kind)


class _Path:
    """Pseudo-arclength continuation of r = R(b r/D) in x = (r, D/D_k) from the uniform state."""

    def __init__(self, interaction: Interaction, start: Bifurcation, system: SelfConsistency) -> None:
        self.interaction, self.start, self.system = interaction, start, system
        self.states: list[Floats] = []
        self.folds: list[float] = []
        self.equal: list[float] = []

    def noise(self, x: Floats) -> float:
        return float(x[-1]) * self.start.noise

    def energy(self, x: Floats) -> float:
        return self.system.free_energy(x[:-1], self.noise(x))

    def correct(self, x: Floats, tangent: Floats, length: float) -> tuple[Floats, Floats] | None:
        """The state at arclength `length` beyond x, and the tangent there; None without convergence."""
        point = x + length * tangent
        slopes, error, moved = np.empty((len(x), len(x))), np.empty(len(x)), np.inf
        slopes[-1] = tangent
        for _ in range(11):
            if point[-1] <= 0:
                return None
            error[:-1], slopes[:-1] = self.system.residual(point[:-1], self.noise(point))
            slopes[:-1, -1] *= self.start.noise
            error[-1] = tangent @ (point - x) - length
            if moved < 1e-11:
                turned = np.linalg.solve(slopes, np.eye(len(x))[-1])
                return point, turned / np.linalg.norm(turned)
            step = np.linalg.solve(slopes, error)
            point, moved = point - step, float(np.max(np.abs(step)))
        return None

    def follow(self, lowest: float) -> Branch:
        """Step until the noise is `lowest` or the density is too narrow."""
        x, tangent = np.zeros(len(self.system.amplitudes) + 1), np.zeros(len(self.system.amplitudes) + 1)
        length = FIRST
        x[-1], tangent[0] = 1.0, 1.0
        self.states.append(x)
        end = "too long"
        while len(self.states) < MOST_POINTS:
            try:
                found = self.correct(x, tangent, length)
            except UnresolvedError:
                end, found = "unresolved", None
            if found is None or found[1] @ tangent < 0.95:
                length /= 2
                if length < SHORTEST:
                    end = end if found is None and end == "unresolved" else "no convergence"
                    break
                continue
            self._record_passages(x, tangent, found, length)
            if self.noise(found[0]) <= lowest:
                self.states.append(self._locate(lambda y, _: self.noise(y) - lowest, x, tangent, length))
                end = "lowest noise"
                break
            (x, tangent), end = found, "too long"
            self.states.append(x)
            length = min(1.5 * length, LONGEST)
        return self._branch(end)

    def _record_passages(
        self, x: Floats, tangent: Floats, found: tuple[Floats, Floats], length: float
    ) -> None:
        """Note a fold (the tangent turns in noise) and equal free energies within a step."""
        first = len(self.states) == 1
        if not first and tangent[-1] * found[1][-1] < 0:
            fold = self._locate(lambda _, t: float(t[-1]), x, tangent, length)
            self.states.append(fold)
            self.folds.append(self.noise(fold))
        if not first and self.energy(x) * self.energy(found[0]) < 0:
            self.equal.append(self.noise(self._locate(lambda y, _: self.energy(y), x, tangent, length)))

    def _locate(
        self, function: Callable[[Floats, Floats], float], x: Floats, tangent: Floats, length: float
    ) -> Floats:
        """The state within the step where the function of (state, tangent) changes sign."""
        from scipy.optimize import brentq

        def at(part: float) -> tuple[Floats, Floats]:
            found = self.correct(x, tangent, part)
            assert found is not None  # the whole step has converged
            return found

        return at(brentq(lambda part: function(*at(part)), 0.0, length, xtol=1e-14))[0]

    def _branch(self, end: str) -> Branch:
        noise = [self.noise(x) for x in self.states]
        rows = [self.system.modes(x[:-1], D) for x, D in zip(self.states, noise)]
        modes = np.zeros((len(rows), max(len(row) for row in rows)))
        for row, found in zip(modes, rows):
            row[: len(found)] = found
        growth = [float(rates(self.interaction, row, D, 1)[0][0]) for row, D in zip(rows, noise)]
        energies = [self.energy(x) for x in self.states]
        return Branch(
            self.start.mode,
            np.array(noise),
            modes,
            np.array(growth),
            np.array(energies),
            tuple(self.folds),
            tuple(self.equal),
            end,
        )
