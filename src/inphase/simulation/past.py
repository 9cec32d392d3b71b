"""The phases before time 0, which delays hear at first: as
the user gives them, and as polynomials for the integrator.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import finite_array
from inphase.kernels.history import TERMS

Array = NDArray[np.float64]
Past = str | Callable[[float], ArrayLike] | tuple[ArrayLike, ArrayLike] | None

MOST_PIECES = 1024  # polynomials that stand for a given history


def polynomials(
    history: Past, phases: Array, frequencies: Array, longest: float, tolerance: float
) -> tuple[Array, Array]:
    """What `DelayedDormandPrince` takes: a given history as polynomials of degree 4 or less."""
    reach = longest or 1.0
    if history is None or isinstance(history, str):
        if history not in (None, "uncoupled", "constant"):
            raise ValueError(
                f'history must be "uncoupled", "constant", a function of t or (times, phases); got {history!r}'
            )
        turned = (
            np.zeros_like(phases)
            if history == "constant"
            else np.broadcast_to(frequencies * reach, phases.shape)
        )
        coefficients = np.zeros((len(phases), 1, phases.shape[1], TERMS))
        coefficients[:, 0, :, 0], coefficients[:, 0, :, 1] = phases - turned, turned
        return np.array([-reach]), coefficients
    if callable(history):
        starts, coefficients = _fitted(history, phases, reach, tolerance)
    elif isinstance(history, tuple | list) and len(history) == 2:
        starts, coefficients = _spline(*history, phases, longest, reach)
    else:
        raise TypeError(
            f'history must be "uncoupled", "constant", a function of t or (times, phases); got {history!r:.80}'
        )
    gap = coefficients[:, -1].sum(axis=-1) - phases
    largest = float(np.max(np.abs(np.remainder(gap + np.pi, 2 * np.pi) - np.pi)))
    if largest > 1e-6:
        raise ValueError(
            f"history must be the initial phases at t = 0; it is {largest:.3g} radians away from them"
        )
    return starts, coefficients


def _shaped(name: str, values: ArrayLike, phases: Array) -> Array:
    found = finite_array(name, values)
    if found.shape not in (phases.shape, phases.shape[1:]):
        replicas, n = phases.shape
        allowed = f"({n},)" if replicas == 1 else f"({n},) or ({replicas}, {n})"
        raise ValueError(f"{name} must have shape {allowed}; got shape {found.shape}")
    return np.broadcast_to(found, phases.shape)


_NODES = np.linspace(0.0, 1.0, TERMS)
_FIT = np.linalg.inv(np.vander(_NODES, increasing=True))
_BETWEEN = np.vander(_NODES[:-1] + 0.125, TERMS, increasing=True)


def _fitted(
    history: Callable[[float], ArrayLike], phases: Array, reach: float, tolerance: float
) -> tuple[Array, Array]:
    """A function of time in pieces that are halved until a
    polynomial of degree 4 is a tenth of the tolerance off, or less.
    """

    def sample(times: Array) -> Array:
        return np.stack([_shaped(f"history({t:.6g})", history(float(t)), phases) for t in times])

    found: list[tuple[float, Array]] = []
    waiting = [(-reach, 0.0, sample(-reach + reach * _NODES))]
    while waiting:
        begin, end, values = waiting.pop()
        between = sample(begin + (end - begin) * (_NODES[:-1] + 0.125))
        coefficients = np.tensordot(_FIT, values, 1)
        off = np.max(np.abs(np.tensordot(_BETWEEN, coefficients, 1) - between))
        if off <= max(0.1 * tolerance, 1e-14 * float(np.max(np.abs(values)))) or end - begin < 1e-9 * reach:
            found.append((begin, np.moveaxis(coefficients, 0, -1)))
            continue
        if len(found) + len(waiting) > MOST_PIECES:
            raise ValueError(
                f"history must be piecewise smooth: more than {MOST_PIECES} polynomials do not follow it"
            )
        both, middle = np.empty((9, *phases.shape)), 0.5 * (begin + end)
        both[::2], both[1::2] = values, between
        waiting += [(middle, end, both[4:]), (begin, middle, both[:5])]
    return np.array([begin for begin, _ in found]), np.stack([c for _, c in found], axis=1)


def _spline(
    times: ArrayLike, values: ArrayLike, phases: Array, longest: float, reach: float
) -> tuple[Array, Array]:
    """Arrays of phases, joined by a cubic spline."""
    from scipy.interpolate import CubicSpline

    given, found = finite_array("history times", times), finite_array("history phases", values)
    if given.ndim != 1 or len(given) < 2 or np.any(np.diff(given) <= 0) or given[-1] != 0.0:
        shown = given if given.size < 6 else f"{given.flat[0]:g}, ..., {given.flat[-1]:g}"
        raise ValueError(
            f"history times must be ascending and end at 0, of shape (T,) with T >= 2; got {shown}"
        )
    if given[0] > -longest * (1 - 1e-12):
        raise ValueError(f"history must reach back to -max τ = {-longest:g}; it begins at {given[0]:g}")
    alone, together = (len(given), phases.shape[1]), (len(given), *phases.shape)
    if found.shape not in (alone, together):
        raise ValueError(
            f"history phases must have shape {alone}, or {together} with replicas; got shape {found.shape}"
        )
    spline = CubicSpline(given, found.reshape(len(given), -1, phases.shape[1]))
    needed = max(0, int(np.searchsorted(given, -reach, side="right")) - 1)
    width = np.diff(given)[needed:]
    powers = spline.c[::-1, needed:] * (width ** np.arange(4)[:, None])[:, :, None, None]
    coefficients = np.zeros((len(phases), len(width), phases.shape[1], TERMS))
    coefficients[..., :4] = powers.transpose(2, 1, 3, 0)
    return given[needed:-1], coefficients
