"""`critical_coupling`: the strength at which the locked state that synchrony leads to is lost.

In ε = 1/K the equations are ε ω_i − Σ_j K_ij f(θ_i − θ_j) = ε Ω: at ε = 0 synchrony solves them, and the branch from
there is followed until it folds, or loses its stability otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from inphase import theory
from inphase.checks import finite_number
from inphase.coupling.parts import closed_parts, heard_by
from inphase.equilibria.continuation import continue_equilibrium
from inphase.interaction import kuramoto
from inphase.model import PhaseModel
from inphase.status import Status
from inphase.types import Vector

POINTS = (40, 200, 1000)  # of a branch: more are taken where fewer do not reach its end
BOUNDED_UP_TO = 1500  # oscillators whose bounds are computed in seconds
ROUNDING = 1e-12  # relative: of a fold, whose parameter is stationary along the branch


@dataclass(frozen=True)
class CriticalCoupling:
    """The strength K from which on a stable phase-locked state exists, followed from strong coupling.

    Attributes
    ----------
    value, error : float
        K, the factor of the coupling as it was given, and how far two branches of different steps disagree about
        it, with rounding: an estimate in floating point, not a proof.
    kind : str
        What ends the state: "fold" (it meets an unstable one and both vanish), "branch point" or "hopf" (it goes on,
        unstable), or "none" (equal frequencies: K = 0).
    phases : ndarray, shape (n,)
        The state at K, radians, of mean 0.
    bounds : (float, float) or None
        Values of K below which there is no locked state, and from which on there is one for certain, from
        `inphase.theory.critical_coupling_bounds`; None where that does not apply.
    found : str
        How, in a sentence.
    """

    value: float
    error: float
    kind: str
    phases: Vector = field(repr=False)
    bounds: tuple[float, float] | None
    found: str

    def __float__(self) -> float:
        return self.value


def critical_coupling(
    subject: Any, frequencies: ArrayLike | str | None = None, *, step: float = 0.05
) -> CriticalCoupling:
    """The strength K at which dθ_i/dt = ω_i − K Σ_j K_ij f(θ_i − θ_j) locks: bracketed, then found.

    The state is the one that synchrony becomes as K falls from infinity. It is followed in 1/K to where it ends,
    as a rule in a fold. Other locked states (twisted ones on rings) may live below it.

    Parameters
    ----------
    subject : PhaseModel, graph or matrix
        A model, whose coupling K multiplies (so that it locks as it is where the value is at most 1); or what
        `PhaseModel` takes as a coupling, for f = sin.
    frequencies : array_like, shape (n,), or str, optional
        ω, radians per unit of time, or a column of the graph; the model's own if not given.
    step : float
        The longest step along the branch, as for `continue_equilibrium`.

    Returns
    -------
    CriticalCoupling
        ``float`` of it is the value.

    Raises
    ------
    ValueError, TypeError
        If the network has two parts that hear nobody outside (each has a value of its own), synchrony is not stable
        at strong coupling, or the model has a field, delays, noise or a gain.

    Examples
    --------
    >>> found = critical_coupling([[0, 1], [1, 0]], [-0.5, 0.5])  # two oscillators: 2 K = |ω_1 − ω_2|
    >>> round(found.value, 10), found.kind, found.error < 1e-9
    (0.5, 'fold', True)
    """
    model = subject if isinstance(subject, PhaseModel) else PhaseModel(kuramoto(), subject)
    model = model if frequencies is None else model.replace(frequencies=frequencies)
    omega = _checked(model)
    n, spread = len(omega), float(np.ptp(omega))
    if spread == 0:
        return CriticalCoupling(
            0.0, 0.0, "none", np.zeros(n), (0.0, 0.0), "equal frequencies: synchrony at any K > 0"
        )
    bounds = _bounds(model, n)
    strongest = 2 * float(model.coupling.largest_strength(n) or 0.0) * model.interaction.maximum
    reach = strongest / spread if bounds is None or bounds[0] == 0 else min(strongest / spread, 1 / bounds[0])
    unit = omega * reach  # so that p = ε/reach runs from 0 to 1
    one, kind, phases, points = _end(model, unit, finite_number("step", step))
    other = _end(model, unit, 1.6 * step)[0]
    value = 1 / (one * reach)
    error = value * (abs(one - other) / one + ROUNDING)
    how = (
        f"synchrony followed from K = ∞ over {points} points to its {kind} at K = {value:.10g} ± {error:.1g}"
        + ("" if bounds is None else f", between the bounds {bounds[0]:.6g} and {bounds[1]:.6g}")
    )
    return CriticalCoupling(value, error, kind, phases, bounds, how)


def _checked(model: PhaseModel) -> Vector:
    """ω − mean(ω), (n,); ValueError where there is no one K to be found."""
    n = model.size
    if n is None or n < 2:
        raise ValueError("critical_coupling needs frequencies of shape (n,), of two oscillators at least")
    if not model.is_autonomous or np.any(model.field) or np.any(model.damping != 1) or model.g.kind != "one":
        raise ValueError(
            "critical_coupling is for first-order models without field, delays, noise, damping and gain; "
            "take those away with model.replace(...), or follow the state with continue_equilibrium"
        )
    heard = heard_by(model.coupling, n)
    parts = [] if heard is None else closed_parts(heard)
    if len(parts) > 1:
        raise ValueError(
            f"{len(parts)} parts hear nobody outside them (sizes {', '.join(str(len(p)) for p in parts[:8])}): each has "
            "a critical coupling of its own; take graph.largest_component() or graph.subgraph(...)"
        )
    if not float(model.interaction.derivative()(0.0)) > 0:
        raise ValueError(
            f"f'(0) must be positive, so that synchrony is stable at strong coupling; f = {model.interaction!r}"
        )
    omega = np.broadcast_to(model.frequencies, (n,)).astype(float)
    return np.asarray(omega - np.mean(omega))


def _bounds(model: PhaseModel, n: int) -> tuple[float, float] | None:
    """The proved bounds, where theory has them: f = k sin on a symmetric graph of weights >= 0."""
    k = model.interaction.sine_strength
    if k is None or n > BOUNDED_UP_TO or not model.coupling.pairwise or model.coupling.has_lags:
        return None
    try:
        found = theory.critical_coupling_bounds(model.coupling.edges(n), model.frequencies)
    except ValueError:  # directed, or with negative weights
        return None
    return found.necessary / k, found.sufficient / k


def _end(model: PhaseModel, unit: Vector, step: float) -> tuple[float, str, Vector, int]:
    """Where the branch from synchrony ends, in p: (p, what ends it, the phases there, points taken)."""

    def family(p: float) -> PhaseModel:
        return model.replace(frequencies=p * unit)

    for most in POINTS:
        branch = continue_equilibrium(
            family, np.zeros(len(unit)), 0.0, between=(-1e-3, 1.02), step=step, max_points=most
        )
        here = int(np.argmin(np.abs(branch.parameter.values)))
        if branch.unstable_dimension.values[here] > 0:
            raise ValueError("synchrony is not stable at strong coupling: there is no state to follow")
        ahead = np.flatnonzero(branch.special_parameter.values > 0)
        if len(ahead):
            first = min(ahead, key=lambda k: abs(int(branch.special_after[k]) - here))
            phases = branch.special_phase.values[first]
            points = abs(int(branch.special_after[first]) - here) + 1
            return (
                float(branch.special_parameter[first]),
                str(branch.special_kind.values[first]),
                phases,
                points,
            )
        if Status.MAX_POINTS not in branch.attrs["ends"]:
            break
    raise ValueError(
        f"the branch from synchrony was lost before a fold ({branch.attrs['ends']}); take a smaller step"
    )
