"""PhaseModel: the one equation, with its parts chosen.

dθ_i/dt = ω_i + b_i sin θ_i − (1/g_i(θ)) Σ_j K_ij f(θ_i − θ_j)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from inphase.coupling import AllToAll, Coupling, RankOne
from inphase.coupling.low_rank import LowRankJacobian
from inphase.errors import finite_array, phase_array
from inphase.interaction import Interaction, checked
from inphase.types import Matrices, PerState, Phases, Square, Vector

Gain = str | Callable[[Phases], ArrayLike] | None


@dataclass(frozen=True, eq=False)
class PhaseModel:
    """Coupled phase oscillators on the circle.

    dθ_i/dt = ω_i + b_i sin θ_i − (1/g_i(θ)) Σ_j K_ij f(θ_i − θ_j)

    Parameters
    ----------
    interaction : Interaction
        f; attraction at short distance is f'(0) > 0.
    coupling : Coupling
        K; `AllToAll()` (K_ij = 1/n) by default.
    gain : None, "softmax" or callable
        g. None: 1. "softmax": g_i = Σ_j K_ij h(cos(θ_i − θ_j)) for f = sin x · h(cos x), which for `attention` is the
        normalization of self-attention (the common factor e^β cancels). A callable maps phases (..., n) to positive
        numbers (..., n).
    frequencies, field : float or array_like, shape (n,)
        ω and b, radians per unit of time.

    Notes
    -----
    The systems of the literature are choices of these parts, for f = `attention(beta)`:

    ====================================================  ==========================================================
    (S1) mean field, any f                                ``PhaseModel(f)``
    (S2)/(T1) self-attention, unnormalized                ``PhaseModel(attention(beta))``
    (T2) self-attention, normalized                       ``PhaseModel(attention(beta), gain="softmax")``
    (S3) positive weights                                 ``PhaseModel(f, AllToAll(weights))``
    (S4) weights and a positive gain                      ``PhaseModel(f, AllToAll(weights), gain=...)``
    classical Kuramoto, strength k                        ``PhaseModel(k * kuramoto(), frequencies=omega)``
    ====================================================  ==========================================================

    Raises
    ------
    TypeError, ValueError
        With the name of the part, its value and what was expected.

    Examples
    --------
    >>> import numpy as np, inphase as ip
    >>> model = ip.PhaseModel(ip.attention(beta=4.0), gain="softmax")
    >>> model.velocity(np.array([0.0, 1.0])).round(4)
    array([ 0.1154, -0.1154])
    """

    interaction: Interaction
    coupling: Coupling = dataclasses.field(default_factory=AllToAll)
    gain: Gain = None
    frequencies: Any = 0.0
    field: Any = 0.0

    def __post_init__(self) -> None:
        checked(self.interaction)
        if not isinstance(self.coupling, Coupling):
            raise TypeError(f"coupling must be a Coupling, such as ip.AllToAll(); got {self.coupling!r}")
        for name in ("frequencies", "field"):
            values = finite_array(name, getattr(self, name))
            if values.ndim > 1 or not values.size:
                raise ValueError(f"{name} must be a number or have shape (n,); got shape {values.shape}")
            object.__setattr__(self, name, values)
            if values.ndim:
                self.coupling.check_size(len(values))
        if self.gain == "softmax":
            self.interaction.gain_profile("softmax")
            if not self.coupling.positive:
                raise ValueError(f'gain="softmax" needs positive sums Σ_j K_ij h; with {self.coupling!r} they can vanish')
        elif self.gain is not None and not callable(self.gain):
            raise ValueError(f'gain must be None, "softmax" or a function of the phases; got {self.gain!r}')

    def replace(self, **parts: Any) -> PhaseModel:
        """The same model with other parts."""
        return dataclasses.replace(self, **parts)

    @property
    def size(self) -> int | None:
        """The number of oscillators that the parts fix; None if any will do."""
        sizes = [len(a) for a in (self.frequencies, self.field) if a.ndim]
        return sizes[0] if sizes else self.coupling.size

    @property
    def is_gradient(self) -> bool:
        """Whether this is a gradient ascent (in a suitable metric): f odd, identical oscillators, all-to-all.

        With `gain="softmax"` or a positive callable too.
        """
        still = not np.any(self.field) and np.ptp(self.frequencies) == 0
        return bool(still and isinstance(self.coupling, AllToAll) and self.interaction.odd)

    def check(self, phases: ArrayLike) -> Phases:
        """Phases as a float64 array (..., n) that fits this model; ValueError or TypeError otherwise."""
        array = phase_array(phases)
        n = array.shape[-1]
        self.coupling.check_size(n)
        for name in ("frequencies", "field"):
            values = getattr(self, name)
            if values.ndim and len(values) != n:
                raise ValueError(f"{name} has shape ({len(values)},), but phases have n = {n} oscillators")
        return array

    # ----------------------------------------------------------------------------------------------------------- velocity

    @cached_property
    def _pull(self) -> Interaction:
        return -self.interaction

    @cached_property
    def _slopes(self) -> list[Interaction]:
        functions = [self.interaction] + ([self.interaction.profile] if self.gain == "softmax" else [])
        return [f.derivative() for f in functions if f is not None]

    def velocity(self, phases: ArrayLike) -> Phases:
        """dθ/dt.

        Parameters
        ----------
        phases : array_like, shape (..., n)
            Radians.

        Returns
        -------
        ndarray, shape (..., n)
            Radians per unit of time.
        """
        array = self.check(phases)
        found = self.flow(array, np.empty(array.shape))
        if callable(self.gain) and not np.all(np.isfinite(found)):
            raise ValueError(f"gain must be positive everywhere; the function returned {np.min(self.gain(array)):g}")
        return found

    def flow(self, phases: Phases, out: Phases) -> Phases:
        """`velocity` of phases that are known to be good, into `out` (float64, C order, the same shape).

        NaN where a callable gain is not positive: an integrator then tries a shorter step.
        """
        if self.gain == "softmax":
            pull, gain = self.coupling.sums([self._pull, self.interaction.profile], phases)  # type: ignore[list-item]
            np.divide(pull, gain, out=out)
        else:
            self.coupling.sums([self._pull], phases, out=[out])
            if callable(self.gain):
                gain = np.asarray(self.gain(phases), dtype=float)
                out /= np.where(gain > 0, gain, np.nan)
        if np.any(self.field):
            out += self.field * np.sin(phases)
        if np.any(self.frequencies):
            out += self.frequencies
        return out

    # ----------------------------------------------------------------------------------------------------------- Jacobian

    def jacobian(self, phases: ArrayLike) -> Matrices:
        """∂(dθ_i/dt)/∂θ_j as a dense matrix.

        Parameters
        ----------
        phases : array_like, shape (..., n)

        Returns
        -------
        ndarray, shape (..., n, n)
            Per unit of time.

        Raises
        ------
        ValueError
            With a callable gain, whose derivative is unknown.
        """
        array = self.check(phases)
        flat = array.reshape(-1, array.shape[-1])
        return np.stack([self._dense_jacobian(row) for row in flat]).reshape(*array.shape, array.shape[-1])

    def _dense_jacobian(self, row: Vector) -> Square:
        from inphase.kernels import pairs

        factors = self._gain_factors(row)
        matrix = self.coupling.matrix(len(row))
        total = np.zeros((len(row), len(row)))
        for factor, slopes in zip(factors, pairs.differences(row, self._slopes[0].tape(*self._slopes[1:]))):
            total += factor[:, None] * matrix * slopes
        np.fill_diagonal(total, 0.0)
        np.fill_diagonal(total, self.field * np.cos(row) - total.sum(axis=1))
        return total

    def _gain_factors(self, row: Vector) -> list[Vector]:
        """α_s of J_ij = Σ_s α_s(i) K_ij f_s'(θ_i − θ_j), j ≠ i: 1/g for f, and −N/g² for the gain, N = Σ_j K_ij f."""
        if callable(self.gain):
            raise ValueError("the Jacobian of a model with a callable gain is not known; use None or 'softmax'")
        if self.gain is None:
            return [np.ones_like(row)]
        force, gain = self.coupling.sums([self.interaction, self.interaction.profile], row)  # type: ignore[list-item]
        return [1 / gain, -force / gain**2]

    def jacobian_low_rank(self, phases: ArrayLike) -> LowRankJacobian:
        """The Jacobian of an all-to-all or rank-one model as diagonal + low rank: O(n·m) to hold, multiply and solve.

        Parameters
        ----------
        phases : array_like, shape (n,)

        Returns
        -------
        LowRankJacobian
            With `dense()`, `low_rank()`, `@` and `solver(shift)`.

        Raises
        ------
        ValueError
            For other couplings and for a callable gain.
        """
        row = self.check(phases)
        if not isinstance(self.coupling, RankOne) or row.ndim != 1:
            raise ValueError("jacobian_low_rank needs an all-to-all or rank-one coupling and phases of shape (n,)")
        n, rows = len(row), self.coupling.rows
        factors = [a if rows is None else a * rows for a in self._gain_factors(row)]
        sums = RankOne(np.ones(n), np.broadcast_to(self.coupling.weights(n), n)).sums(self._slopes, row)
        diagonal = self.field * np.cos(row) - sum(a * s for a, s in zip(factors, sums))
        weights = np.array(np.broadcast_to(self.coupling.weights(n), n))
        return LowRankJacobian(row, diagonal, weights, factors, [f.modes for f in self._slopes])

    # ------------------------------------------------------------------------------------------------------------- energy

    def energy(self, phases: ArrayLike) -> PerState:
        """½ Σ_ij c_i c_j U(θ_i − θ_j), U = −∫ f: it rises along the flow (0 in sync, less elsewhere where f attracts).

        The flow is its gradient ascent in the metric of weights c_i g_i (Polyanskiy, Rigollet, Yao 2025, Section 2).

        Parameters
        ----------
        phases : array_like, shape (..., n)

        Returns
        -------
        ndarray, shape (...)

        Raises
        ------
        ValueError
            If the model is not a gradient flow: f odd, all-to-all, identical oscillators.
        """
        array = self.check(phases)
        if not self.is_gradient:
            raise ValueError("energy needs a gradient flow: f odd, AllToAll coupling, equal frequencies, no field")
        from inphase.kernels import fourier

        assert isinstance(self.coupling, AllToAll)
        flat = np.ascontiguousarray(array).reshape(-1, array.shape[-1])
        modes = self.interaction.modes
        k = np.arange(1, len(modes))
        moments = fourier.moments(flat, self.coupling.weights(flat.shape[1]), len(modes) - 1)
        amplitude = -modes[1:].imag / k  # U(x) = Σ_k amplitude_k (cos kx − 1), for f = −Σ Im F_k sin kx
        total = 0.5 * ((np.abs(moments[:, 1:]) ** 2 - np.abs(moments[:, :1]) ** 2) @ amplitude)
        return np.asarray(total.reshape(array.shape[:-1]))

    def to_dict(self) -> dict[str, Any]:
        """The parts, for provenance: what `attrs["model"]` of a result holds as JSON."""
        parts: dict[str, Any] = {"interaction": self.interaction.to_dict(), "coupling": self.coupling.to_dict()}
        parts["gain"] = self.gain if self.gain is None or isinstance(self.gain, str) else repr(self.gain)
        for name in ("frequencies", "field"):
            parts[name] = getattr(self, name).tolist()
        return parts
