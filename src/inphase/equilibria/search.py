"""Which equilibria are there? Newton's method from many starts, and each state listed once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, sparse
from scipy.sparse.linalg import splu

from inphase import initial, observables
from inphase.checks import error_bound, finite_array, integer
from inphase.coupling.jacobian import DiagonalPlusLowRank, factors_of
from inphase.equilibria.locked import EPS, Locked
from inphase.equilibria.stability import spectrum_at
from inphase.equilibria.states import Equilibrium, classify, distance, in_gauge
from inphase.kernels.threads import few_threads
from inphase.model import PhaseModel
from inphase.progress import progress_bar
from inphase.signals import held
from inphase.status import Status
from inphase.types import Vector

SAME = 1e-6  # radians between two roots of Newton's method that count as one
# The largest winding number, and the largest smaller cluster, among the starts that a symmetry suggests.
NAMED = 25
NAMED_LARGE = 5  # the same on more than PERMUTATIONS_UP_TO oscillators, where each spectrum takes long
TRIALS = 150  # steps of the search from one start
PERMUTATIONS_UP_TO = 400  # oscillators, for states that are compared modulo relabelling


@dataclass(frozen=True, eq=False)
class Landscape(Sequence[Equilibrium]):
    """The equilibria that a search found: a sequence of them, stable ones first, then by index.

    Parameters
    ----------
    equilibria : tuple of Equilibrium
    hits : tuple of int
        How many starts ended in each (or in a state that is the same but for relabelling).
    failed : int
        Starts that ended nowhere.
    relabelling : str
        Which relabellings of oscillators were taken as the same: "all", "shifts and reflections" or "none".
    interrupted : bool
        Whether Ctrl-C ended the search before its last start.

    Notes
    -----
    Nothing says that the list is complete; states with few hits suggest that it is not. (For f = sin on small
    graphs, the polynomial method gives all of them.) Of a continuous family of equilibria one state is
    listed, with `neutral` > 0.
    """

    equilibria: tuple[Equilibrium, ...]
    hits: tuple[int, ...]
    failed: int
    relabelling: str
    interrupted: bool = False

    def __getitem__(self, item: Any) -> Any:
        return self.equilibria[item]

    def __len__(self) -> int:
        return len(self.equilibria)

    def __iter__(self) -> Iterator[Equilibrium]:
        return iter(self.equilibria)

    @property
    def status(self) -> Status:
        """ "finished", or "interrupted" after Ctrl-C."""
        return Status.INTERRUPTED if self.interrupted else Status.FINISHED

    @property
    def stable(self) -> tuple[Equilibrium, ...]:
        """Those that are surely stable."""
        return tuple(state for state in self.equilibria if state.stable)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        states = [state.to_dict() | {"hits": hits} for state, hits in zip(self.equilibria, self.hits)]
        ended = {"failed": self.failed, "interrupted": self.interrupted}
        return {"equilibria": states, "relabelling": self.relabelling} | ended


def find(
    model: PhaseModel,
    n: int | None = None,
    *,
    starts: int = 100,
    seed: int = 0,
    tolerance: float = 1e-12,
    guesses: ArrayLike | None = None,
    relabel: bool = True,
    progress: bool = False,
) -> Landscape:
    """Search for the stationary and phase-locked states of a model.

    Parameters
    ----------
    model : PhaseModel
        Its noise is left out; inertia matters for stability alone; with delays, Ω is solved for together with
        the phases.
    n : int, optional
        Number of oscillators, where the model does not fix it.
    starts : int
        Random starts, uniform on the circle. Of every two, one is first carried along by the flow for a short
        while (without delays and inertia), which leads to stable states. Besides, the search starts from
        synchrony and from `guesses`; from twisted states where K_ij is a function of i − j, and from splay
        and two-cluster states where all K_ij are equal, for identical oscillators: there symmetry makes them
        states. With delays each of those has several frequencies.
    seed : int
    tolerance : float
        On the residual max \\|dθ_i/dt − Ω\\|, in units of the Jacobian's size where that is above 1;
        from 1e-15 to 0.1.
    guesses : array_like, shape (n,) or (m, n), optional
        More starts.
    relabel : bool
        Whether states count as the same that differ by a relabelling under which the model does not change:
        any for identical oscillators joined all-to-all, shifts and reflections of the indices on a ring (any
        coupling K_ij that is a function of i − j). Other automorphisms of graphs are not sought.
    progress : bool
        Whether a progress bar is shown, on standard error.

    Returns
    -------
    Landscape
        A sequence of `Equilibrium`. Ctrl-C ends the search: what was found is returned, with `interrupted`
        True.

    Raises
    ------
    ValueError, TypeError
        On bad input, and for a callable gain.

    Examples
    --------
    >>> import inphase as ip
    >>> states = find(ip.PhaseModel(ip.kuramoto()), 3)
    >>> [(state.name, state.index) for state in states]
    [('synchronized', 0), ('antipodal (2+1)', 1), ('splay', 2)]
    """
    size = size_of(model, n)
    system = Locked(model, size)
    limit = error_bound("tolerance", tolerance) * max(1.0, system.scale)
    count, seed = integer("starts", starts, least=0), integer("seed", seed, least=0)
    given = _guesses(guesses, size)
    distinct = DistinctStates(system, ("all", "shifts and reflections") if relabel else ())
    failed, interrupted = 0, False
    with few_threads(size):
        try:
            begin = _starts(system, count, seed, given)
            with progress_bar("find", len(begin), progress) as update:
                for done, (phases, frequency) in enumerate(begin, start=1):
                    root = solve(system, phases, frequency, limit=limit)
                    if root is None:
                        failed += 1
                    else:
                        distinct.enter(*root)
                    update(done)
        except KeyboardInterrupt:
            interrupted = True
    order = sorted(range(len(distinct.states)), key=lambda k: _rank(distinct.states[k]))
    states, hits = tuple(distinct.states[k] for k in order), tuple(distinct.hits[k] for k in order)
    return Landscape(states, hits, failed, distinct.symmetry, interrupted)


def size_of(model: PhaseModel, n: int | None) -> int:
    """The number of oscillators: the model's, or `n`."""
    if not isinstance(model, PhaseModel):
        raise TypeError(f"model must be a PhaseModel; got {model!r}")
    if n is None and model.size is None:
        raise ValueError("n must be given: the model does not fix the number of oscillators")
    size = model.size if n is None else integer("n", n, least=1)
    if model.size not in (None, size):
        raise ValueError(f"n must be {model.size}, the number of oscillators of the model; got {n}")
    return int(size)  # type: ignore[arg-type]


def _rank(state: Equilibrium) -> tuple[float, ...]:
    index = len(state.phases) if state.index is None else state.index
    return ({True: 0.0, None: 1.0, False: 2.0}[state.stable], index, -state.order_parameter, state.frequency)


# ----------------------------------------------------------------------------------------------------- starts


def _guesses(guesses: ArrayLike | None, n: int) -> list[Vector]:
    if guesses is None:
        return []
    given = np.atleast_2d(finite_array("guesses", guesses))
    if given.ndim != 2 or given.shape[1] != n:
        raise ValueError(f"guesses must have shape ({n},) or (m, {n}); got shape {np.shape(guesses)}")
    return list(given)


def _named(system: Locked) -> list[Vector]:
    """Synchrony, and states by symmetry: twisted ones on a ring, two clusters and splay of all alike."""
    n = system.n
    most = min(n // 2, NAMED if n <= PERMUTATIONS_UP_TO else NAMED_LARGE)
    found = [initial.synchronized(n)] + ([] if system.rotates else [initial.synchronized(n, mean=np.pi)])
    symmetry = _symmetry(system.model, n)
    if symmetry != "none":
        found += [initial.twisted(n, winding=q) for k in range(1, most + 1) for q in (k, -k) if 2 * q != -n]
    if symmetry == "all":
        found += [initial.clusters(n, masses=[n - k, k], positions=[0.0, np.pi]) for k in range(1, most + 1)]
    return found


def _starts(
    system: Locked, count: int, seed: int, guesses: list[Vector]
) -> list[tuple[Vector, float | None]]:
    """Phases, and a frequency where there are delays."""
    n, named = system.n, [*guesses, *_named(system)]
    drawn = initial.phases("uniform", n, seed=seed, replicas=count) if count else np.empty((0, n))
    carried = drawn.copy()
    if count:
        carried[::2] = _carried(system, drawn[::2])
    if not system.delayed:
        return [(phases, None) for phases in [*named, *carried]]
    frequencies = _frequencies(system)
    choice = np.random.default_rng(seed).choice(frequencies, count)
    return [(phases, float(w)) for phases in named for w in frequencies] + list(
        zip(carried, map(float, choice))
    )


def _frequencies(system: Locked) -> Vector:
    """Where Ω of a delayed model can be: branches are about π/τ apart, within the reach of the coupling."""
    model = system.model
    center, reach = float(np.mean(model.frequencies / model.damping)), system.scale
    count = 3 + int(3 * reach * float(model.delays.max()) / np.pi)
    return center + reach * np.linspace(-1, 1, min(count, 60))


def _carried(system: Locked, phases: NDArray[np.float64]) -> NDArray[np.float64]:
    """The phases after the flow, without noise, inertia and delays, has had time to choose."""
    from inphase.simulation import simulated

    still = system.model.replace(noise=0.0, common_noise=0.0, inertia=0.0, delays=0.0)
    run = simulated(still, phases, times=[40 / system.scale], tolerance=1e-5, max_steps=2000)
    return np.asarray(run.phase.values[-1]) if run.attrs["status"] == Status.FINISHED else phases


# ------------------------------------------------------------------------------------------------------ roots


def solve(
    system: Locked, phases: Vector, frequency: float | None = None, *, limit: float
) -> tuple[Vector, float] | None:
    """(φ, Ω) with a residual within `limit`, near a start; or None.

    Levenberg and Marquardt's steps, then Newton's.
    """
    omega = 0.0
    if system.rotates:
        omega = float(np.mean(system.velocity(phases, 0.0))) if frequency is None else frequency
    phases, omega = _descend(system, np.array(phases, dtype=float), omega)
    return polish(system, phases, omega, limit)


def _descend(system: Locked, phases: Vector, omega: float) -> tuple[Vector, float]:
    """Steps (AᵀA + μ) δ = −AᵀF, with μ in proportion to |F| and to how badly the last step went."""
    residual, trust = system.residual(phases, omega), 1.0
    cost, matrix, normal = float(residual @ residual), None, None
    for _ in range(TRIALS):
        if cost <= (1e-7 * system.scale) ** 2 or trust > 1e10:
            break
        if matrix is None:
            matrix = system.bordered(phases, omega)
            if not system.factored:
                matrix = matrix[: system.n]  # the damping does what the gauge is for
            gradient, normal = matrix.T @ residual, matrix.T @ matrix
            if np.linalg.norm(gradient) <= 1e-6 * system.scale * np.sqrt(cost):
                break  # a local minimum of |F| that is no root
        step = _damped(normal, -gradient, trust * system.scale * np.sqrt(cost))
        move, change = system.parts(step)
        trial, trial_omega = phases + move, omega + change
        next_residual = system.residual(trial, trial_omega)
        next_cost = float(next_residual @ next_residual)
        expected = cost - float(np.sum((residual + matrix @ step) ** 2))
        gain = (cost - next_cost) / max(expected, 1e-300)
        if gain > 1e-3:
            phases, omega, residual, cost, matrix = trial, trial_omega, next_residual, next_cost, None
        trust = min(max(trust * (0.2 if gain > 0.75 else 4.0 if gain < 0.25 else 1.0), 1e-12), 1e12)
    return phases, omega


def _damped(normal: Any, right: Vector, damping: float) -> Vector:
    """(AᵀA + μ) δ = right."""
    if isinstance(normal, DiagonalPlusLowRank):
        try:
            return np.asarray(normal.plus(damping).inverse()(right))
        except np.linalg.LinAlgError:
            return np.zeros_like(right)  # no gain, which raises the damping
    if sparse.issparse(normal):
        damped = sparse.csc_array(normal + sparse.diags_array(np.full(len(right), damping)))
        options = {"SymmetricMode": True}  # it is positive definite: no pivoting, and an order made for that
        return np.asarray(
            splu(damped, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options).solve(right)
        )
    damped = normal.copy()
    damped[np.diag_indices(len(right))] += damping
    try:
        return np.asarray(
            linalg.cho_solve(linalg.cho_factor(damped, check_finite=False), right, check_finite=False)
        )
    except linalg.LinAlgError:  # to rounding, it is not positive
        return np.asarray(np.linalg.solve(damped, right))


def polish(system: Locked, phases: Vector, omega: float, limit: float) -> tuple[Vector, float] | None:
    """(φ, Ω) by Newton's steps, down to rounding; None where the residual stays above `limit`."""
    residual = system.residual(phases, omega)
    size = float(np.max(np.abs(residual)))
    if not size <= 1e-2 * system.scale:
        return None
    for _ in range(60):
        if size <= 2 * EPS * system.scale:
            break
        step, change = system.step(system.bordered(phases, omega), residual)
        trial, trial_omega = phases + step, omega + change
        trial_residual = system.residual(trial, trial_omega)
        trial_size = float(np.max(np.abs(trial_residual)))
        if not trial_size < 0.9 * size:
            break
        phases, omega, residual, size = trial, trial_omega, trial_residual, trial_size
    return (phases, omega) if size <= limit else None


# ------------------------------------------------------------------------------------------- one of each kind


class DistinctStates:
    """Equilibria, each entered once: modulo rotation and, for the symmetries that are named, relabelling.

    Attributes
    ----------
    symmetry : str
        Which relabellings are the same.
    ring : bool
        Whether the oscillators stand on a ring.
    states : list of Equilibrium
    hits : list of int
        How often each was entered.
    """

    def __init__(self, system: Locked, relabelled: Sequence[str]) -> None:
        self.system, found = system, _symmetry(system.model, system.n)
        self.symmetry = found if found in relabelled else "none"
        self.ring = found == "shifts and reflections"
        self.states: list[Equilibrium] = []
        self.hits: list[int] = []

    def enter(self, phases: Vector, frequency: float) -> int:
        """Count a root; the number of its state."""
        found, state = self.match(phases, frequency), None
        if found is None:
            state = self.describe(in_gauge(phases, self.system.rotates), frequency)
            found = self._same_family(state)
        known = len(self.states) if found is None else found
        with held():  # Ctrl-C finds a root entered or not
            if found is None and state is not None:
                self.states.append(state)
                self.hits.append(0)
            # a family is shown by a point where it does not branch
            elif state is not None and state.neutral < self.states[known].neutral:
                self.states[known] = state
            self.hits[known] += 1
        return known

    def match(self, phases: Vector, frequency: float | None = None, within: float = SAME) -> int | None:
        """The number of the state that these phases are, or None."""
        wave = np.abs(observables.order_parameter(phases))
        for k, state in enumerate(self.states):
            if frequency is not None and abs(state.frequency - frequency) > within * self.system.scale:
                continue
            if abs(state.order_parameter - wave) > 2 * within:
                continue
            copies = self._copies(phases)
            reference = np.sort(state.phases) if self.symmetry == "all" else state.phases
            if np.min(distance(copies, reference, self.system.rotates)) <= within:
                return k
        return None

    def _copies(self, phases: Vector) -> NDArray[np.float64]:
        """The relabelled states to compare with, (copies, n)."""
        n = len(phases)
        if self.symmetry == "none" or n > PERMUTATIONS_UP_TO:
            return phases[None]
        shifts = (np.arange(n)[:, None] + np.arange(n)) % n
        if self.symmetry == "all":
            return np.asarray(np.sort(phases % (2 * np.pi))[shifts])
        return np.asarray(np.concatenate([phases[shifts], phases[::-1][shifts]]))

    def describe(self, phases: Vector, frequency: float) -> Equilibrium:
        """A root with its spectrum and its name."""
        spectrum = spectrum_at(self.system, phases, frequency)
        return Equilibrium(
            phases=phases,
            frequency=frequency,
            residual=float(np.max(np.abs(self.system.residual(phases, frequency)))),
            eigenvalues=spectrum.eigenvalues,
            eigenvalue_error=float(spectrum.errors[0]) if len(spectrum.errors) else float("nan"),
            stable=spectrum.stable,
            index=spectrum.unstable,
            neutral=spectrum.neutral,
            name=classify(phases, ring=self.ring),
            order_parameter=float(np.abs(observables.order_parameter(phases))),
            complete=spectrum.complete,
        )

    def _same_family(self, state: Equilibrium) -> int | None:
        """Of equilibria that are not isolated: name, Ω and index, which do not change along a family.

        The balanced states are one family, along which the index can change.
        """
        if not state.neutral:
            return None
        for k, known in enumerate(self.states):
            alike = known.neutral and known.name == state.name
            if state.name != "balanced":
                alike = alike and (known.neutral, known.index) == (state.neutral, state.index)
            turns = abs(known.frequency - state.frequency) <= SAME * self.system.scale
            if alike and turns and abs(known.order_parameter - state.order_parameter) <= SAME:
                return k
        return None


def _symmetry(model: PhaseModel, n: int) -> str:
    """Under which relabellings the model does not change: "all", "shifts and reflections" or "none"."""
    parts = (model.frequencies, model.field, model.inertia, model.damping)
    if any(np.ptp(part) != 0 for part in parts) or sparse.issparse(model.delays) or np.ptp(model.delays) != 0:
        return "none"
    if n > PERMUTATIONS_UP_TO and model.coupling.facts(n).factors:
        return _symmetry_by_factors(model, n)
    try:
        edges = model.coupling.edges(n).tocoo()
    except ValueError:  # the terms are not pairs
        return "none"
    offsets = (edges.col - edges.row) % n
    first = np.zeros(n)
    np.add.at(first, offsets, edges.data / n)
    around = np.allclose(
        edges.data, first[offsets], rtol=1e-12, atol=0
    ) and edges.nnz == n * np.count_nonzero(first)
    if not around:
        return "none"
    return _around(first)


def _around(first: Vector) -> str:
    """The same, where K_ij is a function of i − j, from the first row of K."""
    if len(first) < 3 or np.ptp(first[1:]) <= 1e-12 * np.max(np.abs(first)):
        return "all"
    mirrored = np.allclose(first[1:], first[1:][::-1], rtol=1e-12, atol=1e-15 * np.max(np.abs(first)))
    return "shifts and reflections" if mirrored else "none"


def _symmetry_by_factors(model: PhaseModel, n: int) -> str:
    """The same for K = L Rᵀ, without its n² numbers: K_{i+1, j+1} = K_ij to 1e-12 of |K|."""
    if model.coupling.facts(n).equal:
        return "all"
    terms = [factors_of(term) for term in model.coupling.terms(n)]
    left, right = (np.hstack([np.asarray(pair[k], dtype=float) for pair in terms]) for k in (0, 1))
    turned = np.hstack([left, np.roll(left, 1, axis=0)]), np.hstack([right, -np.roll(right, 1, axis=0)])
    (_, one), (_, other), (_, low), (_, high) = (np.linalg.qr(part) for part in (*turned, left, right))
    if np.linalg.norm(one @ other.T) > 1e-12 * np.linalg.norm(low @ high.T):
        return "none"
    return _around(right @ left[0])
