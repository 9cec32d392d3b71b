"""The equilibrium that a given state is near to."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from inphase.checks import error_bound, finite_number, finite_vector
from inphase.equilibria.locked import LOW_RANK_FROM, Locked, rank_of
from inphase.equilibria.search import DistinctStates, solve
from inphase.equilibria.states import Equilibrium, distance, in_gauge
from inphase.kernels.threads import few_threads
from inphase.model import PhaseModel

FACTORS_UP_TO = 3e8  # n · rank² of a Jacobian diagonal + low rank, whose spectrum then takes seconds
ONE_WAY_UP_TO = 3e7  # the same where f is not odd or there is a gain: the Jacobian is not symmetric
LISTED_UP_TO, DENSE_UP_TO = 6000, 2000  # oscillators on a graph, and joined by a matrix


def nearest(
    model: PhaseModel,
    phases: ArrayLike,
    within: float = 0.1,
    *,
    frequency: float | None = None,
    tolerance: float = 1e-12,
) -> Equilibrium | None:
    """The phase-locked or stationary state next to the given phases, as from a run's end, by Newton's method.

    Parameters
    ----------
    model : PhaseModel
    phases : array_like, shape (n,)
        Radians.
    within : float
        The largest distance of a phase from the state's, up to rotation, radians.
    frequency : float, optional
        About how fast the state turns, radians per unit of time: with delays there may be many, and the search
        starts from here; if not given, from the speed without delays.
    tolerance : float
        As for `find`.

    Returns
    -------
    Equilibrium or None
        None where no state was found, or it is further away than `within`.

    Raises
    ------
    ValueError, TypeError
        On bad input, and for a callable gain.

    Examples
    --------
    >>> import inphase as ip
    >>> state = nearest(ip.PhaseModel(2 * ip.kuramoto(), frequencies=[-0.5, 0.5]), [0.0, 0.5])
    >>> state.stable, bool(abs(state.phases[1] - np.arcsin(0.5)) < 1e-12)
    (True, True)
    """
    start = finite_vector("phases", phases)
    model.check(start)
    reach = finite_number("within", within, positive=True)
    system = Locked(model, len(start))
    guess = None if frequency is None else finite_number("frequency", frequency)
    limit = error_bound("tolerance", tolerance) * max(1.0, system.scale)
    distinct = DistinctStates(system, ())
    with few_threads(len(start)):
        root = solve(system, start, guess, limit=limit)
        if root is None:
            return None
        distinct.enter(*root)
    state = distinct.states[0]
    gap = distance(in_gauge(start, system.rotates)[None], state.phases, system.rotates)
    return state if float(np.min(gap)) <= reach else None


def can_polish(model: PhaseModel, n: int) -> bool:
    """Whether `nearest` and `stability` answer for n oscillators in seconds, so that one need not think of the cost.

    Parameters
    ----------
    model : PhaseModel
    n : int

    Returns
    -------
    bool
        True for mean fields and couplings of low rank (all-to-all, rank one, by factors, and their sums) with
        n · rank² up to 3·10⁸ (3·10⁷ where f is not odd or with a gain), rank being twice the modes of f times
        the columns of the factors; for graphs up to 6000 oscillators; and for others up to 2000. False with
        noise, a drive, adaptive weights or a callable gain, where they do not apply.

    Examples
    --------
    >>> import inphase as ip
    >>> can_polish(ip.PhaseModel(ip.kuramoto()), 100_000)
    True
    """
    if n < 2 or model.has_noise or model.varies or not model.g.smooth:
        return False
    rank = rank_of(model, n)
    plain = not (model.has_delays or model.has_inertia)
    if rank is not None and plain and n >= LOW_RANK_FROM and 4 * rank < n:
        symmetric = model.interaction.odd and model.g.kind == "one"
        return n * rank**2 <= (FACTORS_UP_TO if symmetric else ONE_WAY_UP_TO)
    return n <= (LISTED_UP_TO if model.coupling.facts(n).listed else DENSE_UP_TO)
