"""Branches of equilibria in a parameter: pseudo-arclength continuation with folds, branch and Hopf points.

A point is X = (θ, Ω, p). It solves u(θ; p) − Ω = 0, u the model's velocity, with the mean of θ held where a
rotation is free; with a field Ω = 0 and nothing is free. One equation is missing to fix X: the branch is a
curve.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from inphase.checks import finite_array, finite_number, integer
from inphase.equilibria.locked import Locked
from inphase.equilibria.stability import Spectrum, spectrum_at
from inphase.kernels.threads import few_threads
from inphase.model import PhaseModel
from inphase.observables import order_parameter
from inphase.provenance import attributes
from inphase.status import Status

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
Family = Callable[[float], PhaseModel]

DENSE_SOLVE_UP_TO = 500  # oscillators; beyond, equations are solved by sparse LU
LEADING = 12  # eigenvalues, where a spectrum is not computed whole
SMALLEST_STEP = 1e-8
NEWTON_STEPS = 12
RESIDUAL = 1e-11  # of the velocities' scale: the accuracy of a point
MERGE = 1e-6  # arclength within which crossings are one special point
STILL = 1e-10  # of dp/ds, in units of the range: a branch of equilibria at one p
SHARP_TURN = 0.9  # the least cosine of the angle between neighboring tangents


def continue_equilibrium(
    family: Family,
    phases: ArrayLike,
    parameter: float,
    *,
    between: tuple[float, float],
    step: float = 0.05,
    max_points: int = 500,
) -> xr.Dataset:
    """Follow an equilibrium, stationary or phase-locked, in one parameter, both ways and around folds.

    Parameters
    ----------
    family : callable
        parameter -> PhaseModel, smooth over `between`, without a callable gain; noise is left out.
    phases : array_like, shape (n,)
        Radians, near an equilibrium at `parameter`; Newton's method starts there.
    parameter : float
        p at the start.
    between : (float, float)
        The range of p; a branch ends where it leaves it.
    step : float
        The longest step, in arclength: the root mean square of phases (radians) and of p in units of the
        range.
    max_points : int
        Points in each direction.

    Returns
    -------
    xarray.Dataset
        Along the branch, `parameter(point)`, `phase(point, oscillator)`, `frequency(point)` (Ω),
        `order_parameter(point)` (|R|), `arclength(point)` from the start, `growth_rate(point)` and
        `oscillation(point)`, the real part and the modulus of the imaginary part of the leading eigenvalue
        off the rotation, `unstable_dimension(point)` (-1 where unknown) and `stable(point)`
        (where surely so). The special points: `special_kind(special)` ("fold", "branch point" or "hopf"),
        `special_parameter`, `special_phase(special, oscillator)`, `special_frequency`, `special_multiplicity`
        (eigenvalues that cross) and `special_after`, the point that it follows. `attrs["ends"]` says why each
        end is one: "range", "closed", "max_points" or "step underflow"; see `inphase.status.Status`.

    Raises
    ------
    ValueError, TypeError
        On bad input, or if there is no equilibrium near the start.

    Notes
    -----
    A fold is where dp/ds changes sign; a branch point where real eigenvalues cross zero (or the determinant
    of the equations bordered by the tangent changes sign) without one; a Hopf point where a complex pair
    crosses. Crossings within one step that undo each other are not seen: shorten `step`. Large sparse models
    and those with delays have 12 leading eigenvalues, by `stability`.

    References
    ----------
    Keller, *Numerical solution of bifurcation and nonlinear eigenvalue problems* (1977).
    Allgower, Georg, *Introduction to Numerical Continuation Methods* (2003).

    Examples
    --------
    Two oscillators lock down to K = |ω_1 − ω_2|, where the locked state meets its unstable partner.

    >>> import inphase as ip
    >>> family = lambda K: ip.PhaseModel(K * ip.kuramoto(), frequencies=[-0.5, 0.5])
    >>> branch = continue_equilibrium(family, [0.0, 0.5], 2.0, between=(0.5, 3.0))
    >>> branch.special_kind.values[0], round(float(branch.special_parameter[0]), 9)
    (np.str_('fold'), 1.0)
    """
    curve = _Curve(family, phases, finite_number("parameter", parameter), _range(between, parameter))
    options = (_longest(step), integer("max_points", max_points, least=1))
    with few_threads(curve.n):
        start = curve.start(curve.model(curve.first).check(phases))
        tangent = curve.tangent(start, curve.along_parameter())
        ahead = _trace(curve, start, tangent, *options)
        closed = ahead.end is Status.CLOSED
        behind = (
            _Trace([ahead.points[0]], [], Status.CLOSED)
            if closed
            else _trace(curve, start, -tangent, *options)
        )
        return _dataset(curve, behind, ahead)


def switch_branch(
    family: Family,
    branch: xr.Dataset,
    special: int,
    *,
    direction: ArrayLike | None = None,
    amplitude: float = 0.02,
    step: float = 0.05,
    max_points: int = 500,
) -> xr.Dataset:
    """Follow the other branch from a branch point.

    The first point solves the equations at the distance `amplitude` from the branch point along `direction`,
    at a right angle to the branch; continuation goes away from there. The opposite sign of `amplitude` gives
    the other side.

    Parameters
    ----------
    family : callable
        The family that `branch` was made with.
    branch : xarray.Dataset
        From `continue_equilibrium` or `switch_branch`.
    special : int
        Which of its special points.
    direction : array_like, shape (n,), optional
        Phases' direction of the new branch; the null vector of the equations if not given. Where several
        eigenvalues cross at once, as symmetry makes them do, any vector of their space is tried, and a
        symmetric one may have to be given.
    amplitude : float
        Root mean square of the phases, radians; of either sign.
    step, max_points
        As in `continue_equilibrium`.

    Returns
    -------
    xarray.Dataset
        As of `continue_equilibrium`, from the first point of the new branch on.

    Raises
    ------
    ValueError
        If that special point is not a branch point, or no other branch is found there.

    Examples
    --------
    Two oscillators with f = sin x + a sin 2x: at a = −1/2 the synchronized pair parts by ±x with cos
    x = −1/(2a).

    >>> import numpy as np, inphase as ip
    >>> family = lambda a: ip.PhaseModel(ip.harmonics(sin=[1.0, a]))
    >>> sync = continue_equilibrium(family, [0.0, 0.0], 0.0, between=(-1.0, 0.0))
    >>> parted = switch_branch(family, sync, 0)
    >>> gap, a = np.ptp(parted.phase.values, axis=1), parted.parameter.values
    >>> bool(np.max(np.abs(np.cos(gap) + 1 / (2 * a))) < 1e-9)
    True
    """
    special = integer("special", special, least=0)
    if special >= branch.sizes["special"]:
        raise ValueError(
            f"special must be below {branch.sizes['special']}, the number of special points; got {special}"
        )
    kind = str(branch.special_kind.values[special])
    if kind != "branch point":
        raise ValueError(f"special must be a branch point; number {special} is a {kind}")
    amplitude = finite_number("amplitude", amplitude)
    parameter, phases = float(branch.special_parameter[special]), branch.special_phase.values[special]
    low, high = branch.attrs["between"]
    curve = _Curve(family, phases, parameter, (float(low), float(high)))
    origin = curve.pack(phases, float(branch.special_frequency[special]), parameter)
    after = int(branch.special_after[special])
    ends = [branch.phase.values[k] for k in (after, after + 1)]
    old = curve.pack(ends[1] - ends[0], 0.0, float(np.diff(branch.parameter.values[after : after + 2])[0]))
    options = (_longest(step), integer("max_points", max_points, least=1))
    with few_threads(curve.n):
        kick = curve.other_direction(origin, old, direction) * math.copysign(1.0, amplitude)
        found, steps = curve.correct(origin + abs(amplitude) * kick, kick, origin, abs(amplitude))
        if steps is None or not curve.low <= found[-1] <= curve.high:
            away = f"no other branch at the distance {amplitude:g} from special point {special}"
            raise ValueError(f"{away}; try another amplitude")
        ahead = _trace(curve, found, curve.tangent(found, kick), *options)
        return _dataset(curve, _Trace([ahead.points[0]], [], Status.BRANCH_POINT), ahead)


def _range(between: tuple[float, float], parameter: float) -> tuple[float, float]:
    low, high = (float(x) for x in finite_array("between", between, (2,)))
    if not low < high or not low <= parameter <= high:
        raise ValueError(
            f"between must be (low, high) with low <= parameter <= high; got {between} and {parameter:g}"
        )
    return low, high


def _longest(step: float) -> float:
    return finite_number("step", step, positive=True)


# ---------------------------------------------------------------------------------------------- the equations


class _Curve:
    """The equations of X = (θ, Ω, p), or (θ, p) where a field forbids rotation."""

    def __init__(
        self, family: Family, phases: ArrayLike, parameter: float, between: tuple[float, float]
    ) -> None:
        if not callable(family):
            raise TypeError(f"family must be a function parameter -> PhaseModel; got {family!r}")
        self.family, self.first, (self.low, self.high) = family, parameter, between
        self.span = self.high - self.low
        self.n, self._systems, self._slope = 0, dict[float, Locked](), (np.empty(0), np.empty(0))
        row = self.model(parameter).check(phases)
        if row.ndim != 1:
            raise ValueError(f"phases must have shape (n,); got {row.shape}")
        self.n, self.mean = len(row), float(np.mean(row))
        self.turns = all(self.system(p).rotates for p in (parameter, self.low, self.high))
        self.size = self.n + self.turns + 1
        self.dense = self.n <= DENSE_SOLVE_UP_TO
        self.weights = np.zeros(self.size)  # of the inner product; Ω follows from the rest
        self.weights[: self.n], self.weights[-1] = 1 / self.n, 1 / self.span**2

    def model(self, p: float) -> PhaseModel:
        """The family's model at p."""
        model = self.family(p)
        if not isinstance(model, PhaseModel):
            raise TypeError(f"family must return a PhaseModel; got {model!r} at {p:g}")
        return model

    def system(self, p: float) -> Locked:
        """The equations at p (the nearest of the range); the last ones are kept."""
        p = min(max(float(p), self.low), self.high)
        if p not in self._systems:
            if len(self._systems) > 8:
                self._systems.clear()
            self._systems[p] = Locked(self.model(p), self.n)
        return self._systems[p]

    def parts(self, x: Array) -> tuple[Locked, Array, float]:
        """The equations at X, θ and Ω."""
        return self.system(x[-1]), np.ascontiguousarray(x[: self.n]), float(x[self.n]) if self.turns else 0.0

    def pack(self, phases: Array, frequency: float, p: float) -> Array:
        """X from its parts."""
        return np.concatenate([phases, [frequency, p] if self.turns else [p]])

    def along_parameter(self) -> Array:
        """The direction of growing p."""
        direction = np.zeros(self.size)
        direction[-1] = self.span
        return direction

    def dot(self, one: Array, other: Array) -> float:
        """The inner product of arclength."""
        return float(one @ (self.weights * other))

    def residual(self, x: Array) -> Array:
        """The equations, (size − 1,)."""
        system, phases, frequency = self.parts(x)
        found = system.residual(phases, frequency)
        return np.append(found, np.mean(phases) - self.mean) if self.turns else found

    def parameter_slope(self, x: Array) -> Array:
        """∂(equations)/∂p, by a difference of second order inside the range.

        The error is about 1e-10 of the slope's scale.
        """
        if np.array_equal(x, self._slope[0]):
            return self._slope[1]
        h = np.finfo(float).eps ** (1 / 3) * max(self.span, abs(x[-1])) / 4
        p = float(np.clip(x[-1], self.low, self.high))
        offsets, weights = np.array([-1.0, 0.0, 1.0]), np.array([-0.5, 0.0, 0.5])
        if p - h < self.low:
            offsets, weights = np.array([0.0, 1.0, 2.0]), np.array([-1.5, 2.0, -0.5])
        elif p + h > self.high:
            offsets, weights = np.array([-2.0, -1.0, 0.0]), np.array([0.5, -2.0, 1.5])
        values = [w * self._velocity_at(p + h * offset, x) for offset, w in zip(offsets, weights) if w]
        found = np.append(sum(values) / h, 0.0) if self.turns else np.asarray(sum(values) / h)
        self._slope = (x.copy(), found)
        return found

    def _velocity_at(self, p: float, x: Array) -> Array:
        """The velocity of the phases of X at another parameter."""
        system, phases, frequency = self.parts(x)
        if system.delayed:
            return self.system(p).velocity(phases, frequency)
        return self.model(p).flow(phases, np.empty(self.n))

    def bordered(self, x: Array, row: Array, slope: Array | None = None) -> Any:
        """The Jacobian of the equations with one more row (of the weighted inner product): (size, size).

        `slope` is ∂(equations)/∂p where it is known well enough.
        """
        system, phases, frequency = self.parts(x)
        jacobian, turning = system.jacobian(phases, frequency)
        slope = self.parameter_slope(x) if slope is None else slope
        border = row * self.weights
        if self.dense:
            matrix = np.zeros((self.size, self.size))
            matrix[: self.n, : self.n] = jacobian.toarray() if sparse.issparse(jacobian) else jacobian
            if self.turns:
                matrix[: self.n, self.n], matrix[self.n, : self.n] = turning, 1 / self.n
            matrix[:-1, -1], matrix[-1] = slope, border
            return matrix
        last, end = sparse.coo_array(border[None]), sparse.coo_array(slope[: self.n, None])
        if not self.turns:
            return sparse.vstack([sparse.hstack([sparse.coo_array(jacobian), end]), last]).tocsc()
        top = sparse.hstack([sparse.coo_array(jacobian), sparse.coo_array(turning[:, None]), end])
        gauge = sparse.coo_array(np.append(np.full(self.n, 1 / self.n), [0.0, 0.0])[None])
        return sparse.vstack([top, gauge, last]).tocsc()

    def solve(self, matrix: Any, right: Array) -> Array:
        """matrix⁻¹ right; LinAlgError where singular."""
        if self.dense:
            return np.asarray(np.linalg.solve(matrix, right))
        return np.asarray(_sparse_lu(matrix).solve(right))

    def tangent(self, x: Array, ahead: Array) -> Array:
        """The unit tangent at a point, on the side of `ahead`."""
        right = np.zeros(self.size)
        right[-1] = 1.0
        found = self.solve(self.bordered(x, ahead), right)
        found /= math.sqrt(self.dot(found, found))
        return found if self.dot(found, ahead) >= 0 else -found

    def determinant(self, x: Array, tangent: Array) -> tuple[float, float]:
        """Sign and log of the determinant of the equations bordered by the tangent."""
        matrix = self.bordered(x, tangent)
        if self.dense:
            sign, log = np.linalg.slogdet(matrix)
            return float(sign), float(log)
        return _sparse_determinant(matrix)

    def correct(self, x: Array, row: Array, origin: Array, distance: float) -> tuple[Array, int | None]:
        """Newton's method on the equations with ⟨row, X − origin⟩ = distance; (X, steps), or None."""
        x, slope = x.copy(), np.empty(0)
        for count in range(NEWTON_STEPS):
            if count % 4 == 0:  # it changes little, and the answer does not depend on it
                slope = self.parameter_slope(x)
            right = np.append(self.residual(x), self.dot(row, x - origin) - distance)
            size = np.max(np.abs(right))
            if count and size <= 1e-14 * self._scale(x):
                return x, count
            try:
                move = self.solve(self.bordered(x, row, slope), right)
            except np.linalg.LinAlgError:
                return x, None
            x -= move
            if not np.all(np.isfinite(x)) or np.max(np.abs(move[: self.n])) > 1e3:
                return x, None
            if np.max(np.abs(move)) <= 1e-12 * (1 + np.max(np.abs(x))):
                break
        good = float(np.max(np.abs(self.residual(x)))) <= RESIDUAL * self._scale(x)
        return x, count + 1 if good else None

    def _scale(self, x: Array) -> float:
        """The size of the terms of the equations."""
        system = self.system(x[-1])
        return float(
            system.scale + np.max(np.abs(system.model.frequencies)) + np.max(np.abs(system.model.field))
        )

    def start(self, phases: Array) -> Array:
        """The equilibrium near `phases` at the first parameter; ValueError where there is none."""
        velocity = self.system(self.first).velocity(phases, 0.0)
        x = self.pack(phases, float(np.mean(velocity)) if self.turns else 0.0, self.first)
        found, steps = self.correct(x, self.along_parameter(), x, 0.0)
        if steps is None:
            raise ValueError(
                f"phases must be near an equilibrium at parameter = {self.first:g}; Newton's method did not converge "
                f"from there (largest |dθ/dt − Ω| = {np.max(np.abs(self.residual(x)[: self.n])):.3g})"
            )
        return found

    def spectrum(self, x: Array) -> Spectrum:
        """Of the linearization off the rotation."""
        return spectrum_at(*self.parts(x), LEADING)

    def other_direction(self, x: Array, old: Array, direction: ArrayLike | None) -> Array:
        """A unit vector in the null space of the equations, at a right angle to the branch `old`."""
        if direction is not None:
            given = finite_array("direction", direction, (self.n,))
            found = self.pack(given - (np.mean(given) if self.turns else 0.0), 0.0, 0.0)
        else:
            scaled = np.sqrt(np.where(self.weights > 0, self.weights, 1.0))
            matrix = self.bordered(x, old)
            full = matrix if self.dense else matrix.toarray()
            found = np.linalg.svd(full / scaled)[2][-1] / scaled
        found = found - old * (self.dot(found, old) / max(self.dot(old, old), 1e-300))
        size = math.sqrt(self.dot(found, found))
        if not size > 1e-12:
            raise ValueError("direction must not be along the branch itself, nor a rotation")
        return np.asarray(found / size)


def _sparse_lu(matrix: Any) -> Any:
    from scipy.sparse.linalg import splu

    try:
        return splu(matrix)
    except RuntimeError as error:
        raise np.linalg.LinAlgError(str(error)) from None


def _sparse_determinant(matrix: Any) -> tuple[float, float]:
    factored = _sparse_lu(matrix)
    diagonal = factored.U.diagonal()
    sign = float(np.prod(np.sign(diagonal))) * _parity(factored.perm_r) * _parity(factored.perm_c)
    return sign, float(np.sum(np.log(np.abs(diagonal))))


def _parity(permutation: NDArray[np.int32]) -> float:
    """The sign of a permutation, from its cycles."""
    left, sign = np.ones(len(permutation), dtype=bool), 1.0
    for start in range(len(permutation)):
        length, k = 0, start
        while left[k]:
            left[k], length, k = False, length + 1, int(permutation[k])
        if length and length % 2 == 0:
            sign = -sign
    return sign


# --------------------------------------------------------------------------------------------------- the walk


@dataclass(frozen=True)
class _Point:
    """A point of the branch with what is known there."""

    x: Array
    tangent: Array
    spectrum: Spectrum
    determinant: tuple[float, float]
    arclength: float

    @property
    def unstable(self) -> int:
        known = self.spectrum.unstable
        return int(np.sum(self.spectrum.eigenvalues.real > 0)) if known is None else known


@dataclass(frozen=True)
class _Special:
    kind: str
    x: Array
    multiplicity: int
    after: int


@dataclass(frozen=True)
class _Trace:
    """The points of a walk in one direction, its special points, and why it ended."""

    points: list[_Point]
    specials: list[_Special]
    end: Status


def _trace(curve: _Curve, start: Array, tangent: Array, longest: float, max_points: int) -> _Trace:
    def known(x: Array, tangent: Array, arclength: float) -> _Point:
        return _Point(x, tangent, curve.spectrum(x), curve.determinant(x, tangent), arclength)

    points, specials, step = [known(start, tangent, 0.0)], [], longest / 4
    end: Status | None = None
    while end is None:
        here = points[-1]
        x, steps, at_end = _advance(curve, here, step)
        new = None if steps is None else _tangent_or_none(curve, x, here.tangent)
        if (
            new is None
            or curve.dot(new, here.tangent) < SHARP_TURN
            or curve.dot(x - here.x, x - here.x) > (2 * step) ** 2
        ):
            step /= 2
            if step < SMALLEST_STEP:
                end = Status.RANGE if _at_border(curve, here) else Status.STEP_UNDERFLOW
            continue
        points.append(known(x, new, here.arclength + math.sqrt(curve.dot(x - here.x, x - here.x))))
        specials += _specials_between(curve, here, points[-1], len(points) - 2)
        step = min(longest, step * (1.5 if steps is not None and steps <= 4 else 0.7))
        if at_end:
            end = Status.RANGE
        elif len(points) > 3 and _closes(curve, points):
            end = Status.CLOSED
        elif len(points) > max_points:
            end = Status.MAX_POINTS
    return _Trace(points, specials, end)


def _tangent_or_none(curve: _Curve, x: Array, ahead: Array) -> Array | None:
    try:
        return curve.tangent(x, ahead)
    except np.linalg.LinAlgError:
        return None


def _advance(curve: _Curve, here: _Point, step: float) -> tuple[Array, int | None, bool]:
    """One trial step: the point, Newton's steps (None: failed), and whether it is on the range's border."""
    guess = here.x + step * here.tangent
    steps: int | None = None
    if curve.low <= guess[-1] <= curve.high:
        guess, steps = curve.correct(guess, here.tangent, here.x, step)
        if steps is None or curve.low <= guess[-1] <= curve.high:
            return guess, steps, False
    if _at_border(curve, here):
        return guess, None, True
    border = curve.high if guess[-1] > curve.high else curve.low
    share = (border - here.x[-1]) / (guess[-1] - here.x[-1])
    guess = here.x + share * (guess - here.x)
    guess[-1] = border
    found, steps = curve.correct(guess, curve.along_parameter(), guess, 0.0)
    found[-1] = border
    return found, steps, True


def _at_border(curve: _Curve, here: _Point) -> bool:
    """Whether a point lies on the border of the range and heads out of it."""
    slack = 1e-12 * curve.span
    rising = here.tangent[-1] > 0
    return bool(
        (rising and here.x[-1] >= curve.high - slack) or (not rising and here.x[-1] <= curve.low + slack)
    )


def _closes(curve: _Curve, points: list[_Point]) -> bool:
    """Whether the last step passed the first point again, up to whole turns of phases."""
    first, before, last = points[0], points[-2], points[-1]
    change = (last.x - first.x)[: curve.n]
    turns = 2 * math.pi * np.round((change - change[0] if curve.turns else change) / (2 * math.pi))
    target = first.x.copy()
    target[: curve.n] += turns - np.mean(turns) if curve.turns else turns
    length = curve.dot(last.x - before.x, before.tangent)
    along = curve.dot(target - before.x, before.tangent)
    off = target - before.x - along * before.tangent
    return bool(
        0 <= along <= length
        and curve.dot(off, off) <= (0.1 * length) ** 2
        and curve.dot(first.tangent, last.tangent) > 0
    )


# --------------------------------------------------------------------------------------------- special points


def _specials_between(curve: _Curve, one: _Point, two: _Point, after: int) -> list[_Special]:
    """What happens between two neighboring points."""
    length = curve.dot(two.x - one.x, one.tangent)
    leaving = two.tangent / curve.dot(two.tangent, one.tangent)

    def at(s: float) -> Array:
        """The point at the arclength s beyond `one`, measured along its tangent; from Hermite's cubic."""
        u = s / length
        cubic = one.x + (two.x - one.x) * (u * u * (3 - 2 * u))
        cubic += length * u * (1 - u) * ((1 - u) * one.tangent - u * leaving)
        return curve.correct(cubic, one.tangent, one.x, s)[0]

    slopes = one.tangent[-1] / curve.span, two.tangent[-1] / curve.span
    turns = slopes[0] * slopes[1] < 0 and min(map(abs, slopes)) > STILL
    odd = one.determinant[0] * two.determinant[0] < 0
    places: list[float] = []
    if turns:
        places.append(_root(lambda s: float(curve.tangent(at(s), one.tangent)[-1]), length))
    low, high = sorted((one.unstable, two.unstable))
    for rank in range(low, min(high, len(one.spectrum.eigenvalues), len(two.spectrum.eigenvalues))):
        place = _root(lambda s, rank=rank: float(curve.spectrum(at(s)).eigenvalues[rank].real), length)  # type: ignore[misc]
        if all(abs(place - other) > MERGE for other in places):
            places.append(place)
    if odd and not places:

        def scaled(s: float) -> float:
            x = at(s)
            sign, log = curve.determinant(x, curve.tangent(x, one.tangent))
            return sign * math.exp(min(log - one.determinant[1], 300.0))

        places.append(_root(scaled, length))
    found = []
    for k, place in enumerate(places):
        x = at(place)
        values = curve.spectrum(x).eigenvalues
        scale = max(float(np.max(np.abs(one.spectrum.eigenvalues))), 1e-300) if len(values) else 1.0
        crossing = values[
            np.abs(values.real) < max(1e-6 * scale, 10 * np.min(np.abs(values.real), initial=np.inf))
        ]
        if turns and k == 0 and not odd:
            kind = "fold"
        elif len(crossing) and np.min(np.abs(crossing.imag)) > 1e-5 * scale:
            kind = "hopf"
        else:
            kind = "branch point"
        found.append((place, _Special(kind, x, max(1, len(crossing)), after)))
    return [special for _, special in sorted(found, key=lambda pair: pair[0])]


def _root(function: Callable[[float], float], length: float) -> float:
    """Where a function changes sign on [0, length]; an end where rounding hides the change."""
    from scipy.optimize import brentq

    try:
        return float(brentq(function, 0.0, length, xtol=1e-11, rtol=1e-14, maxiter=80))
    except ValueError:
        return 0.0 if abs(function(0.0)) < abs(function(length)) else length


# ------------------------------------------------------------------------------------------------- the record


def _dataset(curve: _Curve, behind: _Trace, ahead: _Trace) -> xr.Dataset:
    """Both walks as one branch, from the far end of `behind` to that of `ahead`."""
    import xarray as xr

    back = len(behind.points) - 1
    points = behind.points[:0:-1] + ahead.points
    specials = [_Special(s.kind, s.x, s.multiplicity, back - 1 - s.after) for s in reversed(behind.specials)]
    specials += [_Special(s.kind, s.x, s.multiplicity, back + s.after) for s in ahead.specials]
    x = np.array([point.x for point in points])
    special = np.array([s.x for s in specials]).reshape(-1, curve.size)
    lead = np.array([np.append(point.spectrum.eigenvalues, np.nan)[0] for point in points])
    unstable = np.array([-1 if p.spectrum.unstable is None else p.spectrum.unstable for p in points])
    arclength = np.array([-p.arclength for p in behind.points[:0:-1]] + [p.arclength for p in ahead.points])
    per_time = {"units": "1/time"}
    return xr.Dataset(
        {
            "parameter": ("point", x[:, -1]),
            "phase": (("point", "oscillator"), x[:, : curve.n], {"units": "rad"}),
            "frequency": (
                "point",
                _frequency(curve, x),
                {"long_name": "common frequency", "units": "rad/time"},
            ),
            "order_parameter": ("point", np.abs(order_parameter(x[:, : curve.n])), {"long_name": "|R|"}),
            "arclength": ("point", arclength),
            "growth_rate": (
                "point",
                lead.real,
                {"long_name": "real part of the leading eigenvalue", **per_time},
            ),
            "oscillation": (
                "point",
                np.abs(lead.imag),
                {"long_name": "imaginary part of the leading eigenvalue", **per_time},
            ),
            "unstable_dimension": ("point", unstable),
            "stable": ("point", np.array([bool(point.spectrum.stable) for point in points])),
            "special_kind": ("special", np.array([s.kind for s in specials], dtype=str)),
            "special_parameter": ("special", special[:, -1]),
            "special_phase": (("special", "oscillator"), special[:, : curve.n], {"units": "rad"}),
            "special_frequency": ("special", _frequency(curve, special)),
            "special_multiplicity": ("special", np.array([s.multiplicity for s in specials], dtype=np.int64)),
            "special_after": ("special", np.array([s.after for s in specials], dtype=np.int64)),
        },
        attrs=attributes(
            curve.model(curve.first),
            method="pseudo-arclength continuation",
            start=curve.first,
            between=[curve.low, curve.high],
            ends=[behind.end.value, ahead.end.value],
        ),
    )


def _frequency(curve: _Curve, x: Array) -> Array:
    return x[:, curve.n] if curve.turns else np.zeros(len(x))
