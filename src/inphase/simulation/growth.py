"""Steps that do not jump over an instability.

Next to an unstable state everything is slow, so that errors are small however long the step: by the estimate of
an explicit pair, the step may be forty times as long as what it passes over takes to grow by e. For y' = λ y the
estimate bounds the error of Dormand and Prince's pair up to h λ = 1.8, and beyond falls short of it (at 5 forty
times, at 20 ten thousand times). So where the step is longer than that against the fastest rate there may be, the
largest growth rate is looked up, and bounds it. A stable state bounds no step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import lambertw

from inphase.interaction import Interaction
from inphase.model import PhaseModel
from inphase.simulation.motion import Motion

Array = NDArray[np.float64]
Spectra = NDArray[np.complex128]
Rows = NDArray[np.intp]

LONGEST = 1.8  # h times the fastest growth rate
VECTORS = 12  # of the Krylov space in which the growth rate is sought
NUDGE = 1e-6  # radians, over which velocities are compared
MOVED = 0.1  # of the phase difference over which f' changes: as long, what was looked up is good
SOON = 64  # steps of about the same length, from one look at a state that moves to the next
MARGIN = 4.0  # between the rates at the start and those that there may be, where no bound is known
AT_ONCE = 4_000_000  # numbers that the search holds


class GrowthLimit:
    """The longest steps of replicas that follow what grows.

    Parameters
    ----------
    motion : Motion
    replicas : int
    """

    def __init__(self, motion: Motion, replicas: int) -> None:
        model, self._n = motion.model, motion.n
        bound = rate_bound(model, motion.n)
        self._bound, self._known = (
            np.full(replicas, bound or 0.0),
            bound is not None and model.g.kind == "one",
        )
        self._near = MOVED * _largest(model.interaction, 1) / _largest(model.interaction, 2)
        self._at = np.full((replicas, motion.n), np.nan)  # the phases at the last look
        self._rate, self._step = np.zeros((2, replicas))  # what it found, and the step that was wanted
        self._calls = 0
        delays = np.empty(0) if motion.delays is None else motion.delays[motion.delays > 0]
        self._delays = {float(pick(delays)) for pick in (np.min, np.max) if len(delays)}

    def __call__(
        self, step: Array, states: Array, nearby: Callable[[Rows], Callable[[Array], Array]]
    ) -> Array:
        """Steps (replicas,) from these states, cut where they are too long.

        nearby(rows) is the velocity of those replicas at states (rows, size) near theirs.
        """
        if not self._known:
            rates = self._look(np.arange(len(states)), states, nearby, np.abs)
            self._bound, self._known = np.maximum(self._bound, MARGIN * rates), True
        self._calls += 1
        doubtful = step * self._bound > LONGEST
        if not np.any(doubtful):
            return step
        due = (step > 2 * self._step) | (step * self._rate > LONGEST) | (self._calls % SOON == 0)
        rows = np.flatnonzero(doubtful & due)
        moved = np.ptp(states[rows, : self._n] - self._at[rows], axis=1) > self._near
        fresh = rows[moved | (self._step[rows] == 0)]
        if len(fresh):
            self._rate[fresh] = self._look(fresh, states, nearby, self._growth)
            self._at[fresh] = states[fresh, : self._n]
        self._step[rows] = step[rows]
        return np.where(doubtful, np.minimum(step, LONGEST / np.maximum(self._rate, 1e-300)), step)

    def _growth(self, values: Spectra) -> Array:
        """Growth rates from eigenvalues μ of what acts at once: those of λ = μ e^(−λτ) too, where it acts later."""
        rates = values.real
        for delay in self._delays:
            rates = np.maximum(rates, lambertw(values * delay).real / delay)
        return rates

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Drop the other replicas."""
        for name in ("_at", "_rate", "_step", "_bound"):
            setattr(self, name, getattr(self, name)[rows])

    def _look(
        self,
        rows: Rows,
        states: Array,
        nearby: Callable[[Rows], Callable[[Array], Array]],
        part: Callable[[Spectra], Array],
    ) -> Array:
        """The largest of that part of the eigenvalues of d(velocity)/d(state), (rows,)."""
        together = max(1, AT_ONCE // (VECTORS * states.shape[1]))
        pieces = [rows[low : low + together] for low in range(0, len(rows), together)]
        found = [np.max(part(ritz_values(nearby(piece), states[piece])), axis=1) for piece in pieces]
        return np.concatenate(found)


def ritz_values(velocity: Callable[[Array], Array], states: Array) -> Spectra:
    """The outermost eigenvalues of the Jacobian at states (rows, size), complex (rows, up to 12), by Arnoldi's method.

    Products with the Jacobian are differences of velocities, so nothing need be known of the model. All
    eigenvalues for states of up to 12 numbers; beyond, the largest to some percent of the spectrum's width.
    """
    rows, size = states.shape
    m = min(VECTORS, size)
    basis, H = np.zeros((rows, m + 1, size)), np.zeros((rows, m + 1, m))
    first = np.random.default_rng(0).normal(size=size)
    basis[:, 0] = first / np.linalg.norm(first)
    here = velocity(states)
    for k in range(m):
        nudge = NUDGE / np.maximum(np.max(np.abs(basis[:, k]), axis=1, keepdims=True), 1e-300)
        new = (velocity(states + nudge * basis[:, k]) - here) / nudge
        largest, known = np.linalg.norm(new, axis=1), basis[:, : k + 1]
        for _ in range(2):  # once more for what rounding left
            along = known @ new[:, :, None]
            new -= (known.swapaxes(1, 2) @ along)[:, :, 0]
            H[:, : k + 1, k] += along[:, :, 0]
        left = np.linalg.norm(new, axis=1)
        left[left <= 1e-7 * largest] = 0.0  # the space is whole: what is left is rounding
        H[:, k + 1, k] = left
        np.divide(new, left[:, None], out=basis[:, k + 1], where=left[:, None] > 0)
    square = H[:, :m]
    square[~np.isfinite(square).all(axis=(1, 2))] = 0.0  # beside a gain that ends, nothing is known
    return np.asarray(np.linalg.eigvals(square), dtype=complex)


@lru_cache(maxsize=64)
def _largest(f: Interaction, order: int) -> float:
    """max of that derivative's modulus, on a grid: f need not have a Fourier series that decays."""
    near = 3.0 * 0.7 ** np.arange(40)  # where interactions are narrowest
    with np.errstate(all="ignore"):
        values = np.abs(f.derivative(order)(np.concatenate([np.linspace(-np.pi, np.pi, 1024), near])))
    return float(np.max(values, where=np.isfinite(values), initial=1e-300))


def rate_bound(model: PhaseModel, n: int) -> float | None:
    """A bound on the rates at which small differences grow, or with a gain their size; None where nothing is known.

    With inertia, m λ² + d λ = d μ where μ is the rate without, so λ <= μ and λ <= sqrt(μ d/m).
    """
    if model.g.kind == "softmax":  # means of sines, whatever K and f are
        strength, slope = 1.0, 1.0
    else:
        most, slope = model.coupling.largest_strength(n), _largest(model.interaction, 1)
        if most is None:
            return None
        strength = most
    # the moduli of a term's derivatives by all phases, added, in units of f': 1 + 1, or 1 + 2 + 1
    steepness = (2 if model.coupling.pairwise else 4) * slope
    forces = steepness * strength + np.abs(model.field)
    rates = np.broadcast_to(forces / model.damping, n)
    if model.has_inertia:
        inertia = np.broadcast_to(model.inertia, n)
        heavy = inertia > 0
        ratio = np.broadcast_to(model.damping, n)[heavy] / inertia[heavy]
        rates = rates.copy()
        rates[heavy] = np.minimum(rates[heavy], np.sqrt(rates[heavy] * ratio))
    return float(np.max(rates))
