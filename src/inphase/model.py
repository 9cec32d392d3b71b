"""PhaseModel: the one equation, with its parts chosen.

dθ_i/dt = ω_i + b_i sin θ_i − (1/g_i(θ)) Σ_j K_ij f(θ_i(t) − θ_j(t − τ_ij)) + sqrt(2 D_i) ξ_i(t)

What depends on time stands in its `drive`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from inphase.checks import finite_array, phase_array
from inphase.coupling import AllToAll, Coupling
from inphase.coupling.jacobian import DiagonalPlusLowRank, LowRankJacobian, factored_jacobian
from inphase.coupling.sparse import coupling_of
from inphase.distributions import Distribution
from inphase.drive import Drive
from inphase.gain import Gain, Given
from inphase.interaction import Interaction, checked
from inphase.types import Matrices, PerState, Phases, Square, Vector


@dataclass(frozen=True, eq=False)
class PhaseModel:
    """Coupled phase oscillators on the circle.

    dθ_i/dt = ω_i + b_i sin θ_i − (1/g_i(θ)) Σ_j K_ij f(θ_i(t) − θ_j(t − τ_ij)) + sqrt(2 D_i) ξ_i(t) + sqrt(2 C) ξ(t)

    with m_i d²θ_i/dt² + d_i dθ_i/dt on the left where there is inertia.

    Parameters
    ----------
    interaction : Interaction
        f; attraction at short distance is f'(0) > 0.
    coupling : Coupling, graph or matrix
        K; `AllToAll()` (K_ij = 1/n) by default. A graph (`inphase.graphs.Graph`, networkx) or a scipy.sparse
        matrix is taken as `Sparse`, an array (n, n) as `Dense`: K_ij is the weight, undivided, of i listening
        to j, and an undirected edge is both entries. ``k * Sparse(graph)`` has a strength besides.
    gain : None, "softmax" or callable
        g. None: 1. "softmax": g_i = Σ_j K_ij h(cos(θ_i − θ_j)) for f = sin x · h(cos x), which for
        `attention` is the normalization of self-attention (the common factor e^β cancels). A callable maps
        phases (..., n) to positive numbers (..., n).
    frequencies, field : float or array_like, shape (n,)
        ω and b, radians per unit of time. These, and all parts of shape (n,), may be the name of a column of
        the graph that the coupling was made from.
    delays : float or array_like, shape (n,) or (n, n), or a scipy.sparse matrix
        τ >= 0, units of time: one number, τ_j of the oscillator that is heard, or τ_ij of the pair (i hears j
        as it was τ_ij ago). A sparse matrix gives the delays of the pairs that are joined; other pairs have
        none.
    noise : float or array_like, shape (n,)
        D >= 0, the diffusion constant of each oscillator's own white noise, radians² per unit of time.
    common_noise : float
        C >= 0, the same of the noise that all oscillators share.
    inertia : float or array_like, shape (n,)
        m >= 0; 0 (first order) where not given. Oscillators with and without inertia mix.
    damping : float or array_like, shape (n,)
        d > 0; 1 where not given.
    drive : inphase.Drive, optional
        What depends on time: frequencies ν(t), a factor κ(t) of the coupling, a field F sin(ψ(t) − θ_i).

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
    Kuramoto network, adjacency matrix A                  ``PhaseModel(kuramoto(), k * Sparse(A), frequencies=omega)``
    decoder (each token hears the earlier ones)           ``PhaseModel(attention(beta), Causal(), gain="softmax")``
    swing equation of a power grid                        ``PhaseModel(kuramoto(), Sparse(B), frequencies=power, inertia=m)``
    KuraNet                                               ``PhaseModel(kuramoto(), Dense(K), frequencies=, field=, delays=)``
    forced Kuramoto                                       ``PhaseModel(f, frequencies=w, drive=Drive(force=F, phase="2*t"))``
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
    coupling: Any = dataclasses.field(default_factory=AllToAll)  # a Coupling, once it is made
    gain: Given = None
    frequencies: Any = 0.0
    field: Any = 0.0
    delays: Any = 0.0
    noise: Any = 0.0
    common_noise: Any = 0.0
    inertia: Any = 0.0
    damping: Any = 1.0
    drive: Drive | None = None

    def __post_init__(self) -> None:
        checked(self.interaction)
        object.__setattr__(self, "coupling", coupling_of(self.coupling))
        if self.drive is not None and not isinstance(self.drive, Drive):
            raise TypeError(
                f'drive must be an ip.Drive, such as ip.Drive(coupling="cos(t)"); got {self.drive!r:.80}'
            )
        for name in PARTS:
            if isinstance(getattr(self, name), str):
                object.__setattr__(self, name, _column(name, getattr(self, name), self.coupling))
        self._simplify()
        object.__setattr__(self, "delays", _delays(self.delays))
        for name in PARTS:
            values = self.delays if name == "delays" else _per_oscillator(name, getattr(self, name))
            (values.data if sparse.issparse(values) else values).flags.writeable = False
            object.__setattr__(self, name, values)
            if values.ndim and self.coupling.size not in (None, values.shape[0]):
                raise ValueError(
                    f"{name} has shape {values.shape}, but {self.coupling!r} is for {self.coupling.size} oscillators"
                )
        if (
            self.drive is not None
            and self.drive.size is not None
            and self.coupling.size not in (None, self.drive.size)
        ):
            raise ValueError(
                f"drive is for {self.drive.size} oscillators, but {self.coupling!r} is for {self.coupling.size}"
            )
        if self.coupling.adaptation is not None and (self.g.kind != "one" or self.has_delays):
            raise ValueError(
                f"a coupling that adapts, {self.coupling!r}, takes no gain and no delays beside it"
            )
        if self.g.kind == "softmax":
            self.interaction.gain_profile("softmax")
            if not self.coupling.positive:
                raise ValueError(
                    f'gain="softmax" needs positive sums Σ_j K_ij h; with {self.coupling!r} they can vanish'
                )

    def _simplify(self) -> None:
        """`factor * K` with one K: the factor goes to f, so that what is known of K stays known."""
        factor, term = self.coupling.factored()
        if term is self.coupling or self.g.kind == "function":
            return
        if self.g.kind == "one":
            object.__setattr__(self, "interaction", factor * self.interaction)
        elif factor <= 0:  # a positive factor cancels from numerator and gain
            return
        object.__setattr__(self, "coupling", term)

    @cached_property
    def g(self) -> Gain:
        """The gain, which can say what it is."""
        return Gain.of(self.gain)

    def replace(self, **parts: Any) -> PhaseModel:
        """The same model with other parts."""
        return dataclasses.replace(self, **parts)

    @property
    def size(self) -> int | None:
        """The number of oscillators that the parts fix; None if any will do."""
        sizes = [getattr(self, name).shape[0] for name in PARTS if getattr(self, name).ndim]
        sizes += [self.drive.size] if self.drive is not None and self.drive.size is not None else []
        own: int | None = self.coupling.size
        return sizes[0] if sizes else own

    @property
    def is_autonomous(self) -> bool:
        """Whether dθ/dt is a function of the present phases alone: and of nothing that varies."""
        return not (self.has_delays or self.has_noise or self.has_inertia or self.varies)

    @property
    def varies(self) -> str:
        """What changes the equation in time: "a drive", "an adaptive coupling", or both; "" where nothing does."""
        there = {"a drive": self.drive, "an adaptive coupling": self.coupling.adaptation}
        return " and ".join(name for name, part in there.items() if part is not None)

    def check_fixed(self, what: str) -> None:
        """ValueError where the equation changes in time, as `what` does not allow."""
        if self.varies:
            part = self.drive if self.drive is not None else self.coupling
            raise ValueError(
                f"{what}: the equation must not change in time, and this model has {self.varies}, {part!r}: simulate "
                "takes it, and model.replace(...) makes one without"
            )

    @property
    def has_delays(self) -> bool:
        """Whether a delay is positive."""
        return bool(
            self.delays.nnz and self.delays.max() > 0 if sparse.issparse(self.delays) else np.any(self.delays)
        )

    @property
    def has_noise(self) -> bool:
        """Whether there is noise, of each oscillator or common."""
        return bool(np.any(self.noise) or np.any(self.common_noise))

    @property
    def has_inertia(self) -> bool:
        """Whether an oscillator has inertia."""
        return bool(np.any(self.inertia))

    @property
    def is_gradient(self) -> bool:
        """Whether this is a gradient ascent (in a suitable metric): see `gradient_obstacles`."""
        return not self.gradient_obstacles()

    def gradient_obstacles(self) -> list[str]:
        """What keeps the flow from being a gradient flow that is known here; nothing where it is one.

        Needed are f odd, identical oscillators without field, delays, noise and inertia, and K_ij = c_j >= 0 for
        all i (with any positive gain), or K_ij = K_ji (without gain).
        """
        found = [] if self.interaction.odd else ["f is not odd"]
        if np.ptp(self.frequencies) != 0:
            found.append("the frequencies differ")
        if np.any(self.field):
            found.append("there is a field")
        parts = {"delays": self.has_delays, "noise": self.has_noise, "inertia": self.has_inertia}
        parts[self.varies] = bool(self.varies)
        found += [
            f"there {'is' if name != 'delays' else 'are'} {name}" for name, there in parts.items() if there
        ]
        common = self.coupling.common_weights(self.size or 1)
        if common is not None:
            return found + (["a weight is negative"] if np.min(common) < 0 else [])
        if not self.coupling.pairwise:
            found.append("the terms are not pairs")
        elif self.coupling.has_lags:
            found.append("there are phase lags")
        elif self.g.kind != "one":
            found.append("with a gain, K_ij must be the same for all i")
        elif not self.coupling.symmetric:
            found.append("K is not symmetric, nor the same for all who listen")
        return found

    def check(self, phases: ArrayLike) -> Phases:
        """Phases as a float64 array (..., n) that fits this model; ValueError or TypeError otherwise."""
        array = phase_array(phases)
        n = array.shape[-1]
        self.coupling.check_size(n)
        for name in PARTS:
            values = getattr(self, name)
            if values.ndim and values.shape[0] != n:
                raise ValueError(f"{name} has shape {values.shape}, but phases have n = {n} oscillators")
        if self.drive is not None and self.drive.size not in (None, n):
            raise ValueError(
                f"drive is for {self.drive.size} oscillators, but phases have n = {n} oscillators"
            )
        return array

    def check_forces(self, n: int) -> None:
        """ValueError where the forces on one of n oscillators can be larger than sums of their squares can hold."""
        most = 1.0 if self.g.kind == "softmax" else self.coupling.largest_strength(n)
        if most is None:
            return
        with np.errstate(over="ignore"):
            force = most * self.interaction.maximum / float(np.min(self.damping))
        if not force <= LARGEST_FORCE:
            raise ValueError(
                f"weights, f and 1/damping must give rates of at most {LARGEST_FORCE:g}; got {force:g}: measure times "
                "in another unit"
            )

    # ----------------------------------------------------------------------------------------------- velocity

    @cached_property
    def _active(self) -> tuple[bool, bool, bool]:
        """Whether there are frequencies, a field, and a damping other than 1."""
        return bool(np.any(self.frequencies)), bool(np.any(self.field)), bool(np.any(self.damping != 1))

    @cached_property
    def pull(self) -> Interaction:
        """−f."""
        return -self.interaction

    @cached_property
    def _slopes(self) -> list[Interaction]:
        return [f.derivative() for f in self.g.with_profile(self.interaction)]

    def velocity(self, phases: ArrayLike, time: ArrayLike | None = None) -> Phases:
        """dθ/dt without noise and delays: the right side of the equation, divided by the damping d.

        With inertia it is the velocity to which the oscillators relax: (m/d) d²θ/dt² = velocity − dθ/dt.

        Parameters
        ----------
        phases : array_like, shape (..., n)
            Radians.
        time : float or array_like, shape (...), optional
            Needed with a drive, and with nothing else. (Of a coupling that adapts, it is the velocity at time 0.)

        Returns
        -------
        ndarray, shape (..., n)
            Radians per unit of time.
        """
        array = self.check(phases)
        if time is None and self.drive is not None:
            raise ValueError(
                f"velocity(phases, time=...) needs the time: the model has the drive {self.drive!r}"
            )
        found = self.flow(
            array, np.empty(array.shape), time=0.0 if time is None else finite_array("time", time)
        )
        if self.g.function is not None and not np.all(np.isfinite(found)):
            self.g.check(array)
        return found

    def flow(
        self, phases: Phases, out: Phases, sources: Phases | None = None, time: ArrayLike = 0.0
    ) -> Phases:
        """`velocity` of phases that are known to be good, into `out` (float64, C order, the same shape).

        `sources`, shaped like `phases`, are the phases that are heard: those of some time ago. `time` is one
        number, or of the shape that comes before the oscillators'. NaN where a
        callable gain is not positive: an integrator then tries a shorter step.
        """
        if self.g.kind == "softmax":
            pull, gain = self.coupling.forces([self.pull, self.interaction.profile], phases, sources=sources)
            np.divide(pull, gain, out=out)
        else:
            self.coupling.forces([self.pull], phases, out=[out], sources=sources)
            if self.g.function is not None:
                gain = np.asarray(self.g.function(phases), dtype=float)
                out /= np.where(gain > 0, gain, np.nan)
        if self.drive is not None:
            self.drive(time, phases, out)
        turns, field, damped = self._active
        if field:
            out += self.field * np.sin(phases)
        if turns:
            out += self.frequencies
        if damped:
            out /= self.damping
        return out

    # ----------------------------------------------------------------------------------------------- Jacobian

    def jacobian(self, phases: ArrayLike) -> Matrices:
        """∂(dθ_i/dt)/∂θ_j as a dense matrix: the derivative of `velocity`.

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
        self.check_fixed("the Jacobian")
        flat = array.reshape(-1, array.shape[-1])
        return np.stack([self._dense_jacobian(row) for row in flat]).reshape(*array.shape, array.shape[-1])

    def _dense_jacobian(self, row: Vector) -> Square:
        found = self.jacobian_at(row)
        return np.asarray(found.toarray() if sparse.issparse(found) else found)

    def jacobian_at(self, row: Vector) -> Any:
        """`jacobian` of good phases (n,): an ndarray, or a csr_array where the coupling is sparse."""
        total: Any = 0
        for factor, matrix in zip(self._gain_factors(row), self.coupling.jacobians(self._slopes, row)):
            plain = self.g.kind == "one" and not np.any(self.damping != 1)
            total = total - (matrix if plain else sparse.diags_array(factor) @ matrix)
        if np.any(self.field):
            total = total + sparse.diags_array(self.field * np.cos(row) / self.damping)
        return total if sparse.issparse(total) else np.asarray(total)

    def _gain_factors(self, row: Vector) -> list[Vector]:
        """α_s of J_ij = Σ_s α_s(i) K_ij f_s'(θ_i − θ_j), j ≠ i.

        1/gd for f, and −N/g²d for the gain, N = Σ_j K_ij f.
        """
        if not self.g.smooth:
            raise ValueError(
                "the Jacobian of a model with a callable gain is not known; use None or 'softmax'"
            )
        if self.g.kind == "one":
            return [np.ones_like(row) / self.damping]
        force, gain = self.coupling.forces([self.interaction, self.interaction.profile], row)
        return [1 / gain / self.damping, -(force / gain) / gain / self.damping]

    def jacobian_low_rank(self, phases: ArrayLike) -> LowRankJacobian | DiagonalPlusLowRank:
        """The Jacobian as diagonal + low rank, where K is given by factors: mean fields and their sums.

        O(n·m) to hold, multiply and solve for one mean field, O(n·m·r) for K of rank r.

        Parameters
        ----------
        phases : array_like, shape (n,)

        Returns
        -------
        LowRankJacobian or DiagonalPlusLowRank
            With `dense()`, `low_rank()`, `rank`, `@` and `solver(shift)`.

        Raises
        ------
        ValueError
            For other couplings and for a callable gain.
        """
        row = self.check(phases)
        self.check_fixed("the Jacobian")
        if row.ndim != 1:
            raise ValueError(f"jacobian_low_rank needs phases of shape (n,); got {row.shape}")
        if not self.coupling.facts(len(row)).factors:
            raise ValueError(
                "jacobian_low_rank needs a coupling of mean fields or of low rank (AllToAll, RankOne, LowRank and "
                f"their sums); got {self.coupling!r}"
            )
        factors = self._gain_factors(row)
        sums = self.coupling.forces(self._slopes, row)
        diagonal = self.field * np.cos(row) / self.damping - sum(a * s for a, s in zip(factors, sums))
        modes = [f.modes for f in self._slopes]
        return factored_jacobian(self.coupling.terms(len(row)), row, diagonal, factors, modes)

    # ------------------------------------------------------------------------------------------------- energy

    def energy(self, phases: ArrayLike) -> PerState:
        """½ Σ_ij c_i c_j U(θ_i − θ_j) with U = −∫ f, which rises along the flow.

        It is 0 in sync and, where f attracts, less elsewhere. The flow is its gradient ascent in the metric
        of weights c_i g_i (Polyanskiy, Rigollet, Yao 2025, Section 2). On a graph it is
        ½ Σ_ij K_ij U(θ_i − θ_j), and the flow its gradient.

        Parameters
        ----------
        phases : array_like, shape (..., n)

        Returns
        -------
        ndarray, shape (...)

        Raises
        ------
        ValueError
            If the model is not a gradient flow; the message says which condition fails.
        """
        array = self.check(phases)
        obstacles = self.gradient_obstacles()
        if obstacles:
            raise ValueError(f"energy needs a gradient flow, but {'; '.join(obstacles)}")
        from inphase.kernels import fourier

        flat = np.ascontiguousarray(array).reshape(-1, array.shape[-1])
        common = self.coupling.common_weights(flat.shape[1])
        if common is None:
            joined = self.coupling.joined(flat.shape[1])
            gaps = flat[:, joined.rows] - flat[:, joined.columns]
            total = 0.5 * self.interaction.potential(gaps) @ joined.weights
            return np.asarray(total.reshape(array.shape[:-1]))
        modes = self.interaction.modes
        k = np.arange(1, len(modes))
        moments = fourier.moments(flat, common, len(modes) - 1)
        amplitude = -modes[1:].imag / k  # U(x) = Σ_k amplitude_k (cos kx − 1), for f = −Σ Im F_k sin kx
        total = 0.5 * ((np.abs(moments[:, 1:]) ** 2 - np.abs(moments[:, :1]) ** 2) @ amplitude)
        return np.asarray(total.reshape(array.shape[:-1]))

    def to_dict(self) -> dict[str, Any]:
        """The parts, for provenance: what `attrs["model"]` of a result holds as JSON."""
        parts: dict[str, Any] = {
            "interaction": self.interaction.to_dict(),
            "coupling": self.coupling.to_dict(),
        }
        parts["gain"] = self.gain if self.gain is None or isinstance(self.gain, str) else repr(self.gain)
        for name in PARTS:
            values = getattr(self, name)
            if sparse.issparse(values):
                parts[name] = sparse_to_dict(values)
            elif name in ("frequencies", "field") or np.any(values != DEFAULTS.get(name, 0.0)):
                parts[name] = values.tolist()
        return parts | ({} if self.drive is None else {"drive": self.drive.to_dict()})


def longest_delay(model: PhaseModel) -> float:
    """max τ."""
    values = model.delays.data if sparse.issparse(model.delays) else model.delays
    return float(np.max(values)) if values.size else 0.0


PARTS = ("frequencies", "field", "delays", "noise", "common_noise", "inertia", "damping")
DEFAULTS = {"damping": 1.0}  # the others: 0
LARGEST_FORCE = 1e150  # on an oscillator, so that squares of forces and of slopes are numbers


def _per_oscillator(name: str, given: Any) -> Any:
    """A part as a float64 array of shape () or (n,), with its sign checked."""
    if isinstance(given, Distribution):
        raise TypeError(
            f"{name} must be numbers; take them from the distribution: {given!r}.draw(n, seed) or .quantiles(n)"
        )
    values = finite_array(name, given)
    if values.ndim > 1 or not values.size or (values.ndim and name == "common_noise"):
        allowed = "a number" if name == "common_noise" else "a number or have shape (n,)"
        raise ValueError(f"{name} must be {allowed}; got shape {values.shape}")
    least = {"noise": 0.0, "common_noise": 0.0, "inertia": 0.0}.get(name, -np.inf)
    if np.min(values) < least or (name == "damping" and np.min(values) <= 0):
        raise ValueError(
            f"{name} must be {'positive' if name == 'damping' else '>= 0'}; got {np.min(values):g}"
        )
    return values


def _column(part: str, name: str, coupling: Coupling) -> Vector:
    """The column of that name of the graph that a coupling was made from."""
    if name in coupling.nodes and part != "common_noise":
        return coupling.nodes[name]
    known = ", ".join(map(repr, coupling.nodes))
    has = f"its graph has the columns {known}" if known else "it was made from no graph that has columns"
    raise ValueError(
        f"{part} = {name!r} is no column of {coupling!r}: {has}; give numbers, or a graph with_columns(...)"
    )


def _delays(given: Any) -> Any:
    """τ as an array of shape (), (n,) or (n, n), or as a csr_array."""
    if sparse.issparse(given):
        matrix = sparse.csr_array(given, dtype=float, copy=True)
        finite_array("delays", matrix.data)
        values, smallest = matrix, float(matrix.data.min()) if matrix.nnz else 0.0
    else:
        values = finite_array("delays", given)
        smallest = float(np.min(values)) if values.size else 0.0
    if values.ndim > 2 or not values.shape == values.shape[:1] * values.ndim or 0 in values.shape:
        raise ValueError(f"delays must be a number or have shape (n,) or (n, n); got shape {values.shape}")
    if smallest < 0:
        raise ValueError(f"delays must be >= 0; got {smallest:g}")
    return values


def sparse_to_dict(matrix: Any) -> dict[str, Any]:
    """A sparse matrix as (row, column, value) lists, for provenance."""
    coordinates = matrix.tocoo()
    return {"shape": list(matrix.shape), "row": coordinates.row.tolist(), "column": coordinates.col.tolist(),
            "value": coordinates.data.tolist()}  # fmt: skip
