"""Constant steps of explicit Runge-Kutta methods; Euler's and Heun's also with white noise (Euler-Maruyama,
stochastic Heun) and delays in whole steps.

The noise is additive, so that Itô and Stratonovich agree and Euler-Maruyama converges strongly with order 1;
Heun has weak order 2 (Kloeden, Platen, *Numerical Solution of Stochastic Differential Equations*, 1992). A
delay counts as a whole number of steps, rounded, which is how KuraNet states its delays.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from inphase.coupling.summing import PAIRS_FROM_CONTRAST
from inphase.kernels import march, random
from inphase.methods import Method
from inphase.model import PhaseModel
from inphase.simulation.motion import Motion
from inphase.simulation.past import Past, polynomials
from inphase.simulation.resuming import GoingOn

Array = NDArray[np.float64]

NODES, HARMONICS = 1024, 8  # the most of a model that the kernel `march` takes
# Inner iterations of one velocity, at the most: about 10 µs, as long as the calls from Python that are saved.
COST = 8_000
ROUNDED = 0.01  # of a delay: the most by which whole steps may change it without a warning
AT_ONCE = 20_000_000  # inner iterations of one call: it returns soon enough for Ctrl-C


def plan(model: PhaseModel, n: int) -> march.Plan | None:
    """The model as the kernel that takes many steps in one call takes it; None where it does not fit.

    It fits if it is of first order, without delays, noise, drive and gain, if f has few harmonics and does not need
    relative accuracy (see `mean_field`), if the coupling lists its terms, and if a step is so short that
    calls would cost as much. The number of replicas does not count: a replica goes the same way, to the last
    bit, in whichever group it runs.
    """
    f = model.pull
    plain = model.g.kind == "one" and not (
        model.has_inertia or model.has_delays or model.has_noise or model.varies
    )
    if not plain or n > NODES or len(f.modes) > HARMONICS + 1 or f.contrast > PAIRS_FROM_CONTRAST:
        return None
    spelled = model.coupling.spelled(n)
    terms = None if spelled is None else march.listed(spelled)
    if terms is None:
        return None
    numbers = (np.array(np.broadcast_to(part, n)) for part in (model.frequencies, model.field, model.damping))
    found = march.plan(terms, f.modes, *numbers)
    return found if march.cost(found) <= COST else None


class FixedStep:
    """The state of an integration from time 0, moved on by `advance`.

    Parameters
    ----------
    motion : Motion
    state : ndarray, shape (replicas, size)
    step : float
        h, units of time.
    method : Method
        With noise one that has a form for it, with delays one whose stages lie on whole steps.
    seed : int
    replicas : ndarray of int, shape (replicas,)
        The random numbers of a replica go by its number here, the seed, the step and the oscillator, and by
        nothing else.
    history
        As for `simulate`.
    going_on : GoingOn, optional
        A run that goes on: the clock, the counter of the noise and what is heard go on with it.
    """

    def __init__(
        self,
        motion: Motion,
        state: Array,
        step: float,
        method: Method,
        seed: int,
        replicas: NDArray[np.int64],
        history: Past,
        going_on: GoingOn | None = None,
    ) -> None:
        self.motion, self.step, self.method, self.seed = motion, step, method, seed
        self.replicas = replicas
        self.state = state.copy()
        self.begun = self.steps = 0 if going_on is None else going_on.steps(step)
        used = [[(s, float(w)) for s, w in enumerate(weights) if w] for weights in (*method.a, method.b)]
        self._fractions = method.nodes.tolist()
        self._rows, self._weights, self._nodes = used[:-1], used[-1], [round(c) for c in method.nodes]
        self._slopes, self._trial = np.empty((method.stages, *state.shape)), np.empty_like(state)
        self._kick = np.zeros_like(state)
        model, n = motion.model, motion.n
        self._drawn = np.zeros((len(state), n))
        by = np.where(model.inertia > 0, model.inertia, model.damping)  # what a force is divided by
        self._own = np.atleast_1d(np.sqrt(2 * model.noise * step) / by)
        self._common = np.broadcast_to(np.sqrt(2 * model.common_noise * step) / by, n)
        self._noisy, self._plan = model.has_noise, plan(model, n)
        if self._plan is not None:
            self._together = max(1, AT_ONCE // (march.cost(self._plan) * method.stages * len(state)))
        self._past = (
            _Memory(motion, self.state, step, history, self.steps, going_on) if model.has_delays else None
        )

    def past(self, k: int) -> Array | None:
        """The phases (steps, replicas, n) that step k and later ones hear, up to those of k; None without delays."""
        return None if self._past is None else self._past.last(k)

    @property
    def time(self) -> float:
        """Now."""
        return self.steps * self.step

    def advance(self, most: int = 1) -> None:
        """One step; where the model fits the kernel that takes
        many, up to `most`, a tenth of a second's work at the most.
        """
        if self._plan is None:
            self._step()
            return
        count = min(most, self._together)
        march.march(self.state, count, self.step, self.method.a, self.method.b, self._plan)
        self.steps += count

    def _step(self) -> None:
        if self._noisy:
            self._draw()
        for stage, weights in enumerate(self._rows):
            at = self._ahead(weights) if stage else self.state
            time = (self.steps + self._fractions[stage]) * self.step
            if self._past is None:
                self.motion(at, self._slopes[stage], None, time)
                continue
            k = self.steps + self._nodes[stage]
            if stage:
                self._past.push(k, at)
            self.motion(at, self._slopes[stage], self._past.sources(k), time)
        self._trial, self.state = self.state, self._ahead(self._weights)
        self.steps += 1
        if self._past:
            self._past.push(self.steps, self.state)

    def _ahead(self, weights: list[tuple[int, float]]) -> Array:
        """The state moved on by h Σ_s weight_s slope_s and by the noise, in memory that the next call takes."""
        (first, weight), *others = weights
        alone = self.step if not others else 1.0  # a pass over the state less
        np.multiply(self._slopes[first], weight * alone, out=self._trial)
        for s, weight in others:
            self._trial += weight * self._slopes[s]
        if others:
            self._trial *= self.step
        self._trial += self.state
        if self._noisy:
            self._trial += self._kick
        return self._trial

    def _draw(self) -> None:
        """The step's increments of noise, on θ of oscillators without inertia and on θ' of the others."""
        motion, n = self.motion, self.motion.n
        if np.any(self._own):
            random.normals(self.seed, self.replicas, self.steps, self._drawn)
            self._drawn *= self._own
        if np.any(self._common):
            shared = random.normals(
                self.seed, self.replicas, self.steps, np.empty((len(self.state), 1)), random.COMMON
            )
            shares = shared * self._common
            self._drawn = self._drawn + shares if np.any(self._own) else shares
        if motion.second_order or motion.adapting is not None:
            heavy = motion.space.heavy
            self._kick[:, :n], self._kick[:, n : motion.space.size] = self._drawn, self._drawn[:, heavy]
            self._kick[:, heavy] = 0.0
        else:
            self._kick = self._drawn


class _Memory:
    """Phases of the last steps, back to the longest delay: (steps, replicas, n), a ring."""

    def __init__(
        self, motion: Motion, state: Array, step: float, history: Past, now: int, going_on: GoingOn | None
    ) -> None:
        assert motion.heard is not None and motion.delays is not None
        self._motion, self._heard = motion, motion.heard
        self._lag = np.rint(motion.delays / step).astype(np.int64)
        _warn_of_rounding(motion.delays, step)
        longest = int(np.max(self._lag, initial=0))
        self._ring, self._longest = np.empty((longest + 2, len(state), motion.n)), longest
        if going_on is not None:
            for k, phases in enumerate(going_on.frames(longest + 1), start=now - longest):
                self._ring[k % len(self._ring)] = phases
            return
        pieces = polynomials(
            history,
            motion.phases(state),
            motion.free_velocity,
            float(np.max(motion.delays, initial=0.0)),
            1e-12,
        )
        for k in range(1, longest + 1):
            self._ring[-k % len(self._ring)] = value_at(pieces, -k * step)
        self.push(0, state)

    def last(self, k: int) -> Array:
        """The phases of the steps up to k that are heard from there on, oldest first."""
        return self._ring[np.arange(k - self._longest, k + 1) % len(self._ring)]

    def push(self, k: int, state: Array) -> None:
        """Keep the state of step k."""
        self._ring[k % len(self._ring)] = state[:, : self._motion.n]

    def sources(self, k: int) -> Array:
        """What is heard at step k, (replicas, m)."""
        return np.ascontiguousarray(self._ring[(k - self._lag) % len(self._ring), :, self._heard].T)


def _warn_of_rounding(delays: Array, step: float) -> None:
    """A warning where a delay is another by more than 1% in whole steps, with a step that would serve."""
    delays = np.unique(delays[delays > 0])

    def off(h: float) -> Array:
        return np.asarray(np.abs(np.rint(delays / h) * h / delays - 1))

    if not len(delays) or np.max(off(step)) <= ROUNDED:
        return
    surely = int(np.ceil(0.5 * step / (ROUNDED * delays[0])))  # parts of the step: every delay is 50 of them
    parts = next((k for k in range(2, min(surely, 100)) if np.max(off(step / k)) <= ROUNDED), surely)
    worst = delays[np.argmax(off(step))]
    warnings.warn(
        f"the delay {worst:g} acts as {np.rint(worst / step) * step:g}, a whole number of steps of {step:g}: "
        f"step={step / parts:.6g} would serve",
        stacklevel=2,
    )


def value_at(pieces: tuple[Array, Array], time: float) -> Array:
    """The phases (replicas, n) at a time before 0, from
    `past.polynomials`; half a step before them, by the first.
    """
    starts, coefficients = pieces
    k = max(0, int(np.searchsorted(starts, time, side="right")) - 1)
    end = starts[k + 1] if k + 1 < len(starts) else 0.0
    x = (time - starts[k]) / (end - starts[k])
    return np.asarray(coefficients[:, k] @ x ** np.arange(coefficients.shape[-1]))
