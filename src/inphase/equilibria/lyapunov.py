"""Lyapunov exponents: how fast neighboring trajectories part, by the tangent equations and QR."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import error_bound, finite_number, integer
from inphase.kernels.threads import few_threads
from inphase.model import PhaseModel
from inphase.provenance import attributes
from inphase.simulation.explicit import DormandPrince
from inphase.state_space import StateSpace

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
BATCHES = 20  # of the exponents' averages, for their standard errors


def lyapunov_exponents(
    model: PhaseModel,
    phases: ArrayLike,
    *,
    count: int | None = None,
    t_end: float,
    transient: float = 0.0,
    interval: float | None = None,
    tolerance: float = 1e-7,
    seed: int = 0,
) -> xr.Dataset:
    """The largest Lyapunov exponents along a trajectory, with their standard errors.

    The state y and an orthonormal frame Q obey y' = F(y), Q' = (∂F/∂y) Q; after each interval Q is
    orthonormalized anew, Q R = Q, and λ_k is the mean of log |R_kk| per unit of time. With inertia,
    y = (θ, v), starting at rest.

    Parameters
    ----------
    model : PhaseModel
        Without delays, noise and callable gain.
    phases : array_like, shape (n,)
        Initial phases, radians.
    count : int, optional
        How many exponents, from the largest; all (n, plus one for each oscillator with inertia) if not given.
    t_end : float
        Time over which the exponents are averaged, after the transient.
    transient : float
        Time before that, in which the trajectory settles and the frame turns to the fastest directions.
    interval : float, optional
        Time between orthonormalizations; 2/‖∂F/∂y‖ at the start if not given, so that a frame never shrinks
        by more than a few digits.
    tolerance : float
        Bound on the local error of each phase, and of each component of the frame, per step; from 1e-15 to 0.1.
    seed : int
        Of the first frame.

    Returns
    -------
    xarray.Dataset
        `exponent(rank)`, descending up to their errors, per unit of time; `standard_error(rank)`, by 20 batch
        means; `divergence`, the mean trace of ∂F/∂y, which the sum of all exponents equals;
        `phase(oscillator)`, the last phases.

    Raises
    ------
    ValueError, TypeError
        On bad input, and for models whose Jacobian is not known.
    RuntimeError
        If the step underflows.

    Notes
    -----
    An exponent whose average converges like 1/t (a zero exponent of regular motion) has a bias of that order
    beside the standard error, which measures fluctuations.

    References
    ----------
    Benettin, Galgani, Giorgilli, Strelcyn, *Lyapunov characteristic exponents for smooth dynamical systems
    and for Hamiltonian systems; a method for computing all of them* (1980). Shimada, Nagashima, *A numerical
    approach to ergodic problem of dissipative dynamical systems* (1979).

    Examples
    --------
    >>> import inphase as ip
    >>> found = lyapunov_exponents(ip.PhaseModel(ip.kuramoto()), [0.0, 1e-9, 2e-9], t_end=40.0, transient=10.0)
    >>> (found.exponent.values + 0.0).round(6) + 0.0
    array([ 0., -1., -1.])
    """
    row = _checked(model, phases)
    space = StateSpace(model, len(row))
    count = space.size if count is None else integer("count", count, least=1)
    if count > space.size:
        raise ValueError(f"count must be at most {space.size}, the dimension of the state; got {count}")
    t_end = finite_number("t_end", t_end, positive=True)
    transient = finite_number("transient", transient, least=0)
    tolerance = error_bound("tolerance", tolerance)
    rng = np.random.default_rng(integer("seed", seed, least=0))
    frame = np.linalg.qr(rng.normal(size=(space.size, count)))[0]
    interval = _interval(interval, space, space.state(row), t_end)
    walk, rows = _Walk(space, space.state(row), frame, tolerance), int(np.ceil(t_end / interval))
    growth, divergence = np.empty((rows, count)), np.empty(rows + 1)
    with few_threads(space.size):
        for _ in range(int(np.ceil(transient / interval))):
            walk.advance(interval)
        divergence[0] = space.divergence(walk.state)
        for k in range(rows):
            growth[k], divergence[k + 1] = walk.advance(interval), space.divergence(walk.state)
    mean = float(np.mean((divergence[1:] + divergence[:-1]) / 2))
    return _dataset(walk, growth / interval, mean, interval, tolerance, seed)


def _interval(given: float | None, space: StateSpace, state: Array, t_end: float) -> float:
    """The time between orthonormalizations that was asked for, or in which a frame shrinks by a few digits."""
    if given is None:
        return min(2 / max(_norm(space, state), 1e-300), t_end / BATCHES)
    found = finite_number("interval", given, positive=True)
    if found > t_end / BATCHES:
        raise ValueError(f"interval must be at most t_end/{BATCHES}; got {found:g} with t_end = {t_end:g}")
    return found


def _checked(model: PhaseModel, phases: ArrayLike) -> Array:
    """Phases (n,) of a model whose Jacobian is known."""
    row = model.check(phases)
    if row.ndim != 1:
        raise ValueError(f"phases must have shape (n,); got {row.shape}")
    model.check_fixed("lyapunov_exponents")
    if model.has_delays or model.has_noise:
        raise ValueError(
            "a model with delays or noise has no Jacobian of its phases; got one; use model.replace(...)"
        )
    if not model.g.smooth:
        raise ValueError("the Jacobian of a model with a callable gain is not known; use None or 'softmax'")
    return row


def _norm(space: StateSpace, state: Array) -> float:
    """The largest of ‖(∂F/∂y) u‖ over a few random unit vectors,
    times a safety factor: enough to choose an interval.
    """
    probe = np.random.default_rng(0).normal(size=(space.size, 4))
    probe /= np.linalg.norm(probe, axis=0)
    return 2 * float(np.max(np.linalg.norm(space.tangent(state, probe), axis=0)))


class _Walk:
    """A state (size,) with its frame (size, k), integrated together."""

    def __init__(self, space: StateSpace, state: Array, frame: Array, tolerance: float) -> None:
        self.space, self.state, self.frame, self.tolerance = space, state, frame, tolerance
        self.step = np.inf

    def _velocity(self, joint: Array, out: Array) -> Array:
        state, frame = joint[0, : self.space.size], joint[0, self.space.size :].reshape(self.frame.shape)
        out[0, : self.space.size] = self.space.velocity(state)
        out[0, self.space.size :] = self.space.tangent(state, frame).ravel()
        return out

    def advance(self, interval: float) -> Array:
        """Move on by `interval` and orthonormalize; log |R_kk|, (k,)."""
        joint = np.concatenate([self.state, self.frame.ravel()])[None]
        run = DormandPrince(self._velocity, joint, interval, self.tolerance)
        if np.isfinite(self.step):
            run.step[:] = min(self.step, interval)
        while run.running[0]:
            run.advance()
            if run.step[0] <= 4 * np.finfo(float).eps * run.time[0]:
                raise RuntimeError(
                    f"step underflow within an interval of length {interval:g}; the field is not smooth there"
                )
            run.next_stage()
            # the last step of an interval is cut short and says little about the next one
            self.step = (
                float(run.step[0])
                if np.isinf(self.step) or run.running[0]
                else max(self.step, float(run.step[0]))
            )
        self.state = run.phases[0, : self.space.size].copy()
        frame, triangle = np.linalg.qr(run.phases[0, self.space.size :].reshape(self.frame.shape))
        self.frame = frame
        return np.asarray(np.log(np.abs(np.diagonal(triangle))))


def _dataset(
    walk: _Walk, rates: Array, divergence: float, interval: float, tolerance: float, seed: int
) -> xr.Dataset:
    import xarray as xr

    batches = np.array([part.mean(axis=0) for part in np.array_split(rates, BATCHES)])
    error = batches.std(axis=0, ddof=1) / np.sqrt(BATCHES)
    mean = rates.mean(axis=0)
    return xr.Dataset(
        {
            "exponent": ("rank", mean, {"long_name": "Lyapunov exponent", "units": "1/time"}),
            "standard_error": (
                "rank",
                error,
                {"long_name": "standard error by batch means", "units": "1/time"},
            ),
            "divergence": ((), divergence, {"long_name": "mean divergence of the flow", "units": "1/time"}),
            "phase": ("oscillator", walk.state[: walk.space.n], {"long_name": "last phases", "units": "rad"}),
        },
        coords={"rank": np.arange(1, len(mean) + 1)},
        attrs=attributes(
            walk.space.model,
            method="tangent equations with QR (Benettin et al. 1980)",
            t_end=interval * len(rates),
            interval=interval,
            tolerance=tolerance,
            seed=seed,
        ),
    )
