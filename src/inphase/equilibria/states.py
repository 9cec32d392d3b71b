"""What an equilibrium is, when two are the same, and what a state is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase import observables
from inphase.checks import finite_number, finite_vector
from inphase.types import Vector

TAU = 2 * np.pi
CURVATURE = 0.04  # a site is coherent below: 1% of 4, the largest |e^{iθ_{k−1}} − 2 e^{iθ_k} + e^{iθ_{k+1}}|
SIZES_NAMED = 20  # sizes of clusters in a name, at most
CHIMERA_FROM = 30  # oscillators: a smooth wave on fewer bends more than that
CHIMERA_SHARE = 0.1  # of the ring, at least, in the longest coherent stretch, and in all that is not coherent


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """A state that turns as one body: dθ_i/dt = Ω for every i.

    Parameters
    ----------
    phases : ndarray, shape (n,)
        Radians in [−π, π). Without a field they are turned such that phases[0] = 0.
    frequency : float
        Ω, radians per unit of time; 0 for a state at rest.
    residual : float
        max_i |dθ_i/dt − Ω|.
    eigenvalues : ndarray of complex, shape (m,)
        Of the linearized model, off the rotation, by descending real part: all of them if `complete`, else the
        leading ones (sparse models of more than 2000 rows, more than 1000 oscillators in mean fields, and
        delays). `stable`, `index` and `neutral` speak of all eigenvalues either way, where they are known.
    eigenvalue_error : float
        Bound (an estimate, from residuals and condition numbers) on the error of the leading eigenvalue; NaN
        without one.
    stable : bool or None
        Whether all real parts are negative; None where the leading one is within its error of 0, or unknown.
    index : int or None
        The number of unstable directions: eigenvalues whose real part is above 0 by more than its error; None
        if unknown.
    neutral : int
        The number of eigenvalues within their error of 0: the dimension of a family of equilibria, or a
        bifurcation.
    name : str
        See `classify`.
    order_parameter : float
        |Σ_j e^{iθ_j}|/n.
    complete : bool
        Whether `eigenvalues` holds all.

    Examples
    --------
    >>> import inphase as ip
    >>> from inphase.equilibria import find
    >>> state = find(ip.PhaseModel(ip.kuramoto()), 3)[0]
    >>> state.name, state.stable, state.eigenvalues.real.round(6)
    ('synchronized', True, array([-1., -1.]))
    """

    phases: Vector
    frequency: float
    residual: float
    eigenvalues: NDArray[np.complex128]
    eigenvalue_error: float
    stable: bool | None
    index: int | None
    neutral: int
    name: str
    order_parameter: float
    complete: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Numbers and lists, for JSON; eigenvalues as [real, imaginary], None for an unknown error."""
        data = {key: getattr(self, key) for key in self.__dataclass_fields__}
        data["eigenvalue_error"] = None if np.isnan(self.eigenvalue_error) else self.eigenvalue_error
        data["phases"] = self.phases.tolist()
        data["eigenvalues"] = [[value.real, value.imag] for value in self.eigenvalues.tolist()]
        return data


def wrapped(phases: Any) -> Any:
    """Phases in [−π, π)."""
    return (phases + np.pi) % TAU - np.pi


def in_gauge(phases: Vector, rotates: bool) -> Vector:
    """Wrapped and, if the model does not see a common turn, turned such that the first phase is 0."""
    return np.asarray(wrapped(phases - phases[0] if rotates else phases))


def distance(states: NDArray[np.float64], state: Vector, rotates: bool = True) -> NDArray[np.float64]:
    """max_i |θ_i − φ_i| on the circle, for rows of `states` (..., n); up to a turn if `rotates`."""
    difference = states - state
    if rotates:
        difference = difference - np.angle(np.exp(1j * difference).mean(axis=-1, keepdims=True))
    return np.asarray(np.max(np.abs(wrapped(difference)), axis=-1))


def classify(phases: ArrayLike, *, ring: bool = False, tolerance: float = 1e-6) -> str:
    """The name of a state.

    Parameters
    ----------
    phases : array_like, shape (n,)
        Radians.
    ring : bool
        Whether the oscillators stand on a ring in the order of their indices: only then are there twisted and
        chimera-like states.
    tolerance : float
        Radians; how far a phase may be from where the name puts it.

    Returns
    -------
    str
        The first that fits of

        - "synchronized": all phases equal;
        - "q-twisted" (ring): θ_i = 2π q i/n + c, 0 < \\|q\\| <= n/2; q has a sign, such as in "-1-twisted";
        - "antipodal (a+b)": two clusters of a and b oscillators at distance π;
        - "splay": n >= 3 phases equally spaced in some order, so that Z_k = Σ_j e^{ikθ_j}/n = 0 for
          0 < k < n;
        - "k clusters (a+b+...)": k <= max(2, n/2) clusters, sizes descending, the 20 largest of more;
        - "balanced": Z_1 = 0, as in the incoherent state;
        - "cohesive": all phases within less than a quarter of the circle, so that no two differ by π/2 or
          more, as in locked
          states of unequal oscillators under strong coupling; with f = sin and positive weights such a state
          is stable (on a connected graph without directions);
        - "half circle": all phases within less than a half of the circle; such a state may be stable or not;
        - "chimera-like" (ring of 30 or more): sites are coherent where
          \\|e^{iθ_{k−1}} − 2 e^{iθ_k} + e^{iθ_{k+1}}\\| < 0.04, 1% of its largest value; the longest coherent
          stretch and the incoherent rest each hold at least a tenth of the ring;
        - "other".

    Raises
    ------
    ValueError, TypeError
        On bad input.

    References
    ----------
    D. A. Wiley, S. H. Strogatz, M. Girvan, Chaos 16 (2006) 015103 (twisted states). F. P. Kemeth, S. W.
    Haugland, L. Schmidt, I. G. Kevrekidis, K. Krischer, *A classification scheme for chimera states*, Chaos
    26 (2016) 094815 (local curvature). F. Dörfler, F. Bullo, *Synchronization in complex networks of phase
    oscillators: a survey*, Automatica 50 (2014) 1539 (cohesive states).

    Examples
    --------
    >>> import numpy as np
    >>> classify([0.0, 0.0, np.pi]), classify([0.0, 2.0, 0.0, 2.0, 2.0])
    ('antipodal (2+1)', '2 clusters (3+2)')
    >>> twisted = 2 * np.pi * 2 * np.arange(9) / 9
    >>> classify(twisted, ring=True), classify(twisted)
    ('2-twisted', 'splay')
    """
    theta = finite_vector("phases", phases)
    limit = finite_number("tolerance", tolerance, positive=True)
    if bool(observables.synchronized(theta, 2 * limit)):
        return "synchronized"
    if ring and (winding := _twist(theta, limit)):
        return f"{winding}-twisted"
    return _clusters(theta, limit) or _spread(theta, limit, ring)


def _twist(theta: Vector, limit: float) -> int:
    """The winding number of a twisted state; 0 of another."""
    steps = wrapped(np.roll(theta, -1) - theta)
    n = len(theta)
    winding = round(float(np.angle(np.mean(np.exp(1j * steps)))) * n / TAU)
    if winding == -n / 2:
        winding = n // 2
    return winding if distance(TAU * winding * np.arange(n) / n, theta) <= limit else 0


def _clusters(theta: Vector, limit: float) -> str:
    """The name of a state of few clusters; empty for another."""
    n = len(theta)
    found = observables.clusters(theta, 2 * limit)
    count = len(found.masses)
    if n < 2 or count > max(2, n // 2) or count == n > 2:
        return ""
    if np.max(np.abs(wrapped(theta - found.positions[found.labels]))) > 2 * limit:
        return ""  # a chain of neighbors, as among very many oscillators, is no cluster
    sizes = _listed(sorted(np.bincount(found.labels).tolist(), reverse=True))
    if count == 2 and abs(abs(wrapped(found.positions[1] - found.positions[0])) - np.pi) <= 2 * limit:
        return f"antipodal ({sizes})"
    return f"{count} clusters ({sizes})"


def _listed(sizes: list[int]) -> str:
    """The sizes with plus signs; of many, the largest."""
    return "+".join(map(str, sizes[:SIZES_NAMED])) + ("+..." if len(sizes) > SIZES_NAMED else "")


def _spread(theta: Vector, limit: float, ring: bool) -> str:
    n = len(theta)
    if n >= 3 and float(distance(TAU * np.arange(n) / n, np.sort(theta % TAU))) <= 2 * limit:
        return "splay"
    if float(np.abs(observables.order_parameter(theta))) <= limit:
        return "balanced"
    arc = float(observables.arc(theta))
    if arc < np.pi:
        return "cohesive" if arc < np.pi / 2 else "half circle"
    return "chimera-like" if ring and _is_chimera(theta) else "other"


def _is_chimera(theta: Vector) -> bool:
    n = len(theta)
    if n < CHIMERA_FROM:
        return False
    wave = np.exp(1j * theta)
    rough = np.greater_equal(np.abs(np.roll(wave, 1) - 2 * wave + np.roll(wave, -1)), CURVATURE)
    if not np.any(rough):
        return False
    breaks = np.flatnonzero(rough)
    longest = int(np.max(np.diff(np.append(breaks, breaks[0] + n)))) - 1
    return longest >= CHIMERA_SHARE * n and len(breaks) >= CHIMERA_SHARE * n
