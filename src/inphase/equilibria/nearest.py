"""The equilibrium that a given state is near to."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from inphase.checks import finite_number, finite_vector
from inphase.equilibria.locked import Locked
from inphase.equilibria.search import DistinctStates, solve
from inphase.equilibria.states import Equilibrium, distance, in_gauge
from inphase.kernels.threads import few_threads
from inphase.model import PhaseModel


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
    limit = finite_number("tolerance", tolerance, positive=True) * max(1.0, system.scale)
    distinct = DistinctStates(system, ())
    with few_threads(len(start)):
        root = solve(system, start, guess, limit=limit)
        if root is None:
            return None
        distinct.enter(*root)
    state = distinct.states[0]
    gap = distance(in_gauge(start, system.rotates)[None], state.phases, system.rotates)
    return state if float(np.min(gap)) <= reach else None
