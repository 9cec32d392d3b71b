"""Small systems, each through all of its steps in compiled code: replicas, or models that differ in numbers.

The steps are those of `explicit.py` under the rules of `growth.py`. Where a growth rate has to be looked up, a row
waits until those that run beside it wait or are done, and all are looked up together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inphase.families import Family
from inphase.interaction import Interaction
from inphase.kernels import march, pair
from inphase.methods import DORMAND_PRINCE
from inphase.model import PhaseModel
from inphase.simulation.explicit import GROW, SAFETY, SHRINK
from inphase.simulation.fixed import plan
from inphase.simulation.growth import LONGEST, SOON, free_rates, largest_slope, near, rate_bound, ritz_values
from inphase.simulation.recording import Recorder
from inphase.status import Status

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

AT_ONCE = 20_000_000  # inner iterations of one call: it returns soon enough for Ctrl-C
TABLEAU = pair.Tableau(DORMAND_PRINCE.a, DORMAND_PRINCE.error, DORMAND_PRINCE.interpolant)


class SmallSystems:
    """Integrations from time 0 of models of one structure.

    Parameters
    ----------
    layout : Layout
    phases : ndarray, shape (rows, n)
    t_end : float
    tolerance : float
        Local error per step, radians.
    begin : ndarray, shape (rows,), optional
        The times at which a run that goes on is; 0 if not given.
    """

    def __init__(
        self, layout: Layout, phases: Array, t_end: float, tolerance: float, begin: Array | None = None
    ) -> None:
        rows, n = phases.shape
        self.tolerance, self.t_end = tolerance, t_end
        self._own, self._common, self._cost = layout.own, layout.common, layout.cost
        self.accepted = np.zeros(rows, dtype=bool)
        self.phases, self._which = np.array(phases, dtype=float), np.arange(rows)
        slopes, seen = np.empty((rows, DORMAND_PRINCE.stages, n)), np.full((rows, n), np.nan)
        self._numbers, self._counts = np.zeros((rows, 7)), np.zeros((rows, 5), dtype=np.int64)
        self._rows = pair.Rows(self.phases, self.phases.copy(), slopes, seen, self._numbers, self._counts)
        self._numbers[:, pair.TIME] = 0.0 if begin is None else begin
        self._numbers[:, pair.BOUND] = layout.bounds
        speed = np.max(np.abs(self._velocity(self._which)(self.phases)), axis=1)
        # a step that moves nobody by more than tolerance^(1/5)/4 radians; the controller takes it from there
        self._numbers[:, pair.STEP] = np.minimum(0.25 * tolerance**0.2 / np.maximum(speed, 1e-300), t_end)

    @property
    def time(self) -> Array:
        """Of each row, (rows,)."""
        return self._numbers[:, pair.TIME]

    @property
    def time_before(self) -> Array:
        """At which the last accepted step of each row began, (rows,)."""
        return self._numbers[:, pair.BEGIN]

    @property
    def taken(self) -> Array:
        """The length of that step, (rows,)."""
        return self._numbers[:, pair.TAKEN]

    @property
    def accepted_steps(self) -> int:
        """Of all rows."""
        return int(self._counts[:, pair.ACCEPTED].sum())

    @property
    def rejected_steps(self) -> int:
        """Of all rows."""
        return int(self._counts[:, pair.TRIALS].sum()) - self.accepted_steps

    def advance(self, trials: int, most: int, recorder: Recorder) -> Status | None:
        """Up to that many trial steps of each row that runs, `most` in its life; how they ended, if they did."""
        counts, numbers = self._counts, self._numbers
        which = self._which[self.time[self._which] < self.t_end]  # others have stopped
        self.accepted[:] = False
        if not len(which):
            return Status.FINISHED
        at_once = max(1, min(trials, AT_ONCE // (DORMAND_PRINCE.stages * self._cost * len(which))))
        rules = pair.Rules(self.t_end, self.tolerance, most, at_once, LONGEST, SOON, SAFETY, SHRINK, GROW)
        pair.advance(
            which, self._rows, self._own, self._common, TABLEAU, rules, recorder.times, recorder.states
        )
        recorder.reach(which, numbers[which, pair.TIME], self.phases[which], counts[which, pair.DUE])
        state = counts[which, pair.STATE]
        self.accepted[which] = (counts[which, pair.LAST] == 1) & (state != pair.LOOK)
        if np.any(state == pair.UNDERFLOW):
            return Status.STEP_UNDERFLOW
        self._look(which[state == pair.LOOK])
        self._which = which[(state == pair.LOOK) | (state == pair.RUNNING)]
        if len(self._which):
            return None
        running = self.time < self.t_end  # those that have had all of their steps
        return Status.MAX_STEPS if np.any(running) else Status.FINISHED

    def state_within(self, row: int, theta: float) -> Array:
        """Phases (n,) of one row at the fraction theta of its last accepted step."""
        powers = theta ** np.arange(1, DORMAND_PRINCE.interpolant.shape[1] + 1)
        slopes = (DORMAND_PRINCE.interpolant @ powers) @ self._rows.slopes[row]
        return np.asarray(self._rows.before[row] + self.taken[row] * slopes)

    def _look(self, rows: Rows) -> None:
        """Give these rows the largest growth rate at their states."""
        if len(rows):
            values = ritz_values(self._velocity(rows), self.phases[rows])
            self._numbers[rows, pair.RATE] = np.max(values.real, axis=1)

    def _velocity(self, rows: Rows) -> Callable[[Array], Array]:
        return lambda states: pair.velocities(rows, np.ascontiguousarray(states), self._own, self._common)


class Layout(NamedTuple):
    """A model, or a family of models, as compiled code takes it."""

    own: pair.Own
    common: tuple[Any, ...]
    bounds: Array  # (k,), on the rates at which small differences grow
    cost: int


def small_systems(
    models: PhaseModel | Family,
    phases: Array,
    t_end: float,
    tolerance: float,
    begin: Array | None = None,
) -> SmallSystems | None:
    """The rows as compiled code takes them, or None: see `simulation.fixed.plan`."""
    n = phases.shape[1]
    layout = _of_one(models, n) if isinstance(models, PhaseModel) else _of_family(models, n)
    return None if layout is None else SmallSystems(layout, phases, t_end, tolerance, begin)


def _of_one(model: PhaseModel, n: int) -> Layout | None:
    found, bound = plan(model, n), None
    if found is not None:
        bound = rate_bound(model, n)
    if found is None or bound is None:
        return None
    known = np.array([[_calm(model, found)], [near(model.interaction)]])
    own = pair.Own(*(part[None] for part in found[:6]), *known)
    return Layout(own, tuple(found)[6:], np.array([bound]), march.cost(found))


def _of_family(models: Family, n: int) -> Layout | None:
    """Rows that have f in common share its modes; the other numbers are laid side by side."""
    if any(name in models.numbers for name in ("noise", "common_noise", "delays", "inertia")):
        return None
    functions, which = _distinct([models.interaction(row) for row in range(len(models))])
    bare = [models.base.replace(interaction=f, frequencies=0.0) for f in functions]
    strength, plans = models.base.coupling.largest_strength(n), [plan(model, n) for model in bare]
    found = [one for one in plans if one is not None]
    if strength is None or len(found) < len(plans):
        return None
    longest = max(len(one.odd) for one in found)
    modes, even, odd = (
        np.array([np.pad(part, (0, longest - len(part))) for part in parts])[which]
        for parts in zip(*((one.modes, one.even, one.odd) for one in found))
    )
    frequencies, field, damping = (_numbers(models, name, n) for name in ("frequencies", "field", "damping"))
    if any(np.any(one.drift) for one in found):  # in the order in which they are added for one
        full = (plan(models[row], n) for row in range(len(models)))
        drift = np.array([one.drift for one in full if one is not None])
    else:
        drift = frequencies + 0.0
    slopes = np.array([largest_slope(f, 1) for f in functions])[which]
    rates = free_rates(models.base, slopes[:, None], strength, field, damping)
    calm = np.array([_calm(model, one) for model, one in zip(bare, found)])[which]
    calm[np.any(field != 0, axis=1)] = 0.0
    close = np.array([near(f) for f in functions])[which]
    own = pair.Own(modes, even, odd, drift, field, 1 / damping, calm, close)
    return Layout(own, tuple(found[0])[6:], rates.max(axis=1), max(march.cost(one) for one in found))


def _distinct(functions: list[Interaction]) -> tuple[list[Interaction], Rows]:
    """The objects that differ, and which of them each row has."""
    places = {id(f): f for f in functions}
    numbers = {key: k for k, key in enumerate(places)}
    return list(places.values()), np.array([numbers[id(f)] for f in functions])


def _numbers(models: Family, name: str, n: int) -> Array:
    """A part of all rows, (rows, n)."""
    values = models.numbers.get(name, getattr(models.base, name))
    column = values[:, None] if name in models.numbers and values.ndim == 1 else values
    return np.array(np.broadcast_to(column, (len(models), n)))


def _calm(model: PhaseModel, found: march.Plan) -> float:
    """The spread of phases below which no small difference grows: f' >= 0 there, and by Gershgorin's discs no
    eigenvalue has a positive real part, where all weights are positive and nothing else acts.
    """
    alone = not (len(found.ordered) or len(found.product) or np.any(found.field) or np.any(found.kinds))
    if not alone or any(np.any(part < 0) for part in (found.link_weights, found.rows, found.columns)):
        return 0.0
    f = model.interaction
    return float(np.min(np.abs(f.roots(1)), initial=np.pi)) if f.derivative()(0.0) > 0 else 0.0
