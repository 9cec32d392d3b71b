"""`coarsen`: metastability to the end, by implicit steps and merging.

Under an all-to-all flow equal phases stay equal, so particles that have met move as one particle of their
joint mass. Merging particles within δ of each other at their center of mass changes the forces on others by
O(δ²).
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import error_bound, finite_number, integer
from inphase.coupling import AllToAll
from inphase.coupling.summing import PAIRS_UP_TO
from inphase.families import Family
from inphase.kernels import clusters, merging
from inphase.model import PhaseModel
from inphase.progress import progress_bar
from inphase.provenance import attributes
from inphase.signals import held
from inphase.simulation.stiff import A_TABLE, C_TABLE, GAMMA, ORDER, rodas5p
from inphase.status import Status, worst

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
PATHS_UP_TO = 64  # clusters: from here on, where each of them was is kept
ORDERED_UP_TO = 64  # clusters: from here on, no step lets three of them merge at once
LONGEST = 0.4  # γ h times the fastest growth rate: beyond it an L-stable method would damp what should grow


def coarsen(
    model: PhaseModel | Family,
    phases: ArrayLike,
    t_end: float,
    *,
    tolerance: float = 1e-9,
    merge_distance: float = 1e-6,
    max_steps: int = 20_000,
    progress: bool = False,
) -> xr.Dataset:
    """The merger tree: which clusters meet when, over any number of decades of time.

    Integrates with `rodas5p`; its linear systems are diagonal + low rank for many particles and dense for
    few. Particles closer than `merge_distance` become one, of their joint mass, at their center of mass:
    exact for this flow up to O(merge_distance²). Time is summed with compensation, so short steps count
    however long the run already is.

    Parameters
    ----------
    model : PhaseModel or Family
        With `AllToAll` coupling, no gain or "softmax", equal frequencies (dropped: the tree lives in the
        frame that rotates with them) and no field.
    phases : array_like, shape (n,) or (replicas, n)
        Radians.
    t_end : float
        For instance 1e14; the run ends earlier when one cluster is left.
    tolerance : float
        Local error of each phase per step, radians, from 1e-15 to 0.1.
    merge_distance : float
        Radians; larger than `tolerance`.
    max_steps : int
        Steps, after which the run ends with what it has.
    progress : bool
        Show a bar (over decades of time).

    Returns
    -------
    xarray.Dataset
        Per merger, in order of time: `time(event)`, when the distance fell below `merge_distance`;
        `clusters(event)`, how many are left after it; `merged(event, side)`, the names of the two (0..n−1:
        oscillators; n + e: made by event e); `joined_position`, `joined_mass(event, side)`; `position`,
        `mass(event)` of the new cluster. At the end: `final_position`, `final_mass(cluster)`, and
        `final_cluster(oscillator)`, the cluster that each oscillator is in. Once at most 64 clusters are
        left, `path_time`, `path_cluster` (its name) and `path_position(sample)` say where they were, whenever
        one has moved by 0.02 radians. Positions are radians in [0, 2π). `attrs["status"]` is "synchronized"
        (one cluster), "finished" (t_end), "stationary" (an equilibrium, to rounding: stable or not),
        "interrupted", "max_steps" or "step underflow"; `attrs["time_reached"]` and `attrs["clusters_left"]`
        say how far it came. Of replicas, or of a family's models, all these have a first axis `replica`, `status`,
        `time_reached`, `clusters_left` and `steps` too; where one has fewer events, samples or clusters than
        another, times and positions are NaN and whole numbers −1.

    Raises
    ------
    ValueError, TypeError
        For models whose equal phases do not stay equal, and bad numbers.

    Examples
    --------
    >>> import inphase as ip
    >>> tree = ip.coarsen(ip.PhaseModel(ip.attention(beta=9.0)), [0.0, 0.1, 2.0, 4.0], t_end=1e14)
    >>> tree.clusters.values, tree.attrs["status"]
    (array([3, 2, 1]), 'synchronized')
    """
    how: dict[str, Any] = {"tolerance": tolerance, "merge_distance": merge_distance, "max_steps": max_steps}
    if isinstance(model, Family) or np.ndim(phases) == 2:
        return _of_replicas(model, phases, t_end, progress, how)
    return _of_one(model, phases, t_end, progress, **how)


def _of_one(
    model: PhaseModel,
    phases: ArrayLike,
    t_end: float,
    progress: bool,
    tolerance: float,
    merge_distance: float,
    max_steps: int,
) -> xr.Dataset:
    """The tree of one model and start."""
    start = clock.perf_counter()
    initial = _checked(model, phases)
    t_end = finite_number("t_end", t_end, positive=True)
    tolerance = error_bound("tolerance", tolerance)
    merge_distance = finite_number("merge_distance", merge_distance, positive=True)
    if not tolerance < merge_distance < 0.1:
        raise ValueError(
            f"merge_distance must lie between tolerance ({tolerance:g}) and 0.1; got {merge_distance:g}"
        )
    masses = np.array(model.coupling.common_weights(len(initial)))
    tree = _Tree(initial, masses, merge_distance)
    most = integer("max_steps", max_steps, least=1)
    try:
        status = _run(model, tree, t_end, tolerance, most, progress)
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    return tree.dataset(
        attributes(
            model,
            status=status.value,
            method="Rodas5P and merging",
            tolerance=tolerance,
            merge_distance=merge_distance,
            steps=tree.steps,
            time_reached=tree.time,
            clusters_left=len(tree.positions),
            wall_time_seconds=round(clock.perf_counter() - start, 4),
        )
    )


def _of_replicas(
    models: PhaseModel | Family, phases: ArrayLike, t_end: float, progress: bool, how: dict[str, Any]
) -> xr.Dataset:
    """The trees of all replicas, one after another, laid side by side; after Ctrl-C those that there are."""
    import xarray as xr

    starts = models.rows(phases) if isinstance(models, Family) else models.check(phases)
    if not len(starts):
        raise ValueError("phases must have shape (n,) or (replicas, n); got no replica")
    trees: list[xr.Dataset] = []
    with progress_bar("coarsen", len(starts), progress) as update:
        for row, start in enumerate(starts):
            one = models[row] if isinstance(models, Family) else models
            trees.append(coarsen(one, start, t_end, **how))
            update(row + 1)
            if trees[-1].attrs["status"] == Status.INTERRUPTED:
                break
    own = {
        name: [tree.attrs[name] for tree in trees]
        for name in ("status", "time_reached", "clusters_left", "steps")
    }
    sizes = {dim: max(tree.sizes[dim] for tree in trees) for dim in ("event", "sample", "cluster")}
    data = xr.concat([_padded(tree, sizes) for tree in trees], "replica", combine_attrs="drop_conflicts")
    data = data.assign({name: ("replica", values) for name, values in own.items()})
    data.attrs |= {"status": worst(own["status"]), "steps": sum(own["steps"])}
    data.attrs["wall_time_seconds"] = round(sum(tree.attrs["wall_time_seconds"] for tree in trees), 4)
    data = data.assign_coords(replica=np.arange(len(trees)))
    return models.named(data) if isinstance(models, Family) else data


def _padded(tree: xr.Dataset, sizes: dict[str, int]) -> xr.Dataset:
    """The tree with as many events, samples and clusters as others have."""
    more = {dim: (0, size - tree.sizes[dim]) for dim, size in sizes.items()}
    fill = {name: -1 if values.dtype.kind == "i" else np.nan for name, values in tree.data_vars.items()}
    return tree.pad(more, constant_values=fill)


def _checked(model: PhaseModel, phases: ArrayLike) -> Array:
    """Phases (n,) of a model that is followed."""
    initial = model.check(phases)
    if initial.ndim != 1:
        raise ValueError(f"phases must have shape (n,) or (replicas, n); got {initial.shape}")
    obstacle = coarsening_obstacle(model, len(initial))
    if obstacle is not None:
        raise ValueError(f"coarsen needs {obstacle}")
    return initial


def coarsening_obstacle(model: PhaseModel, n: int) -> str | None:
    """Why `coarsen` does not follow a model of n oscillators; None where it does.

    Equal phases must stay equal, and what is near must attract.
    """
    masses = model.coupling.common_weights(n)
    slope = float(model.interaction.derivative()(0.0))
    if masses is None or np.min(masses) < 0 or not np.any(masses):
        return (
            "all-to-all coupling, such as AllToAll, with weights >= 0, not all 0 (equal phases must stay equal); "
            f"got {model.coupling!r}"
        )
    if not model.g.smooth:
        return 'gain=None or "softmax": the Jacobian of a callable gain is not known'
    if np.ptp(model.frequencies) or np.any(model.field):
        return "equal frequencies and no field: equal phases must stay equal"
    if model.varies:
        return f"a model whose equation does not change in time; this one has {model.varies}"
    if not model.is_autonomous or np.any(model.damping != 1):
        return "a model without delays, noise, inertia and damping"
    if model.g.kind == "softmax" and np.any(masses == 0):
        return 'positive weights with gain="softmax"'
    if slope <= 0:
        return f"attraction at short distance, f'(0) > 0; got f'(0) = {slope:g}: nothing merges"
    return None


class _Tree:
    """Clusters in ascending order on a cut circle, and the mergers so far."""

    def __init__(self, phases: Array, masses: Array, distance: float) -> None:
        self.n, self.distance = len(phases), distance
        wrapped = np.mod(phases, 2 * np.pi)
        self.order = np.argsort(wrapped, kind="stable")
        self.nodes = self.order.astype(np.int64)
        self.positions, self.masses = wrapped[self.order], masses[self.order]
        self._time, self._carry = 0.0, 0.0
        self.rows: list[tuple[Array, NDArray[np.int64], Array, Array]] = []
        self.events = self.steps = 0
        self.paths: list[tuple[float, NDArray[np.int64], Array]] = []
        self._cut()
        self.merge(None, 0.0)
        self.keep_path()

    @property
    def time(self) -> float:
        return self._time + self._carry

    def add_time(self, step: float) -> None:
        """time += step, keeping what rounding would lose."""
        total = self._time + step
        carried = total - self._time
        self._carry += (self._time - (total - carried)) + (step - carried)
        self._time = total

    def advance(self, end: Array, step: float, crossing: Callable[[NDArray[np.int64]], Array]) -> bool:
        """Go to the end of a step; whether clusters have merged or stand in another order."""
        self.positions = end
        self.add_time(step)
        changed = self.merge(crossing, step) or self.recut()
        self.keep_path()
        return changed

    def _cut(self) -> None:
        """Start the order behind the largest gap, so that no merger crosses the cut."""
        if len(self.positions) > 1:
            behind = np.append(np.diff(self.positions), self.positions[0] + 2 * np.pi - self.positions[-1])
            first = (int(np.argmax(behind)) + 1) % len(behind)
            if first:
                self.positions = np.concatenate([self.positions[first:], self.positions[:first] + 2 * np.pi])
                self.masses, self.nodes = np.roll(self.masses, -first), np.roll(self.nodes, -first)

    def recut(self) -> bool:
        """Move the cut if two clusters are coming together across it."""
        n, before = len(self.positions), self.nodes
        if n > 1 and 2 * (self.positions[0] + 2 * np.pi - self.positions[-1]) < float(
            np.max(np.diff(self.positions))
        ):
            self._cut()
        return self.nodes is not before

    def crowded(self, positions: Array) -> bool:
        """Whether three or more clusters would merge into one at once."""
        close = np.diff(positions) <= self.distance
        return bool(np.any(close[1:] & close[:-1]))

    def merge(self, crossing: Callable[[NDArray[np.int64]], Array] | None, step: float) -> bool:
        """Merge what is close now; crossing(i) is when, within
        the step just made, the gaps i closed (as fractions).
        """
        if len(self.positions) < 2:
            return False
        label = merging.groups(np.maximum.accumulate(self.positions), self.distance)
        joining = np.flatnonzero(label[1:] == label[:-1])
        if not len(joining):
            return False
        fraction = np.ones(len(joining)) if crossing is None else crossing(joining)
        by_time = np.argsort(fraction, kind="stable")
        joining, fraction = joining[by_time], fraction[by_time]
        merged = np.empty((len(joining), 2), dtype=np.int64)
        positions, masses = np.empty((2, len(joining), 2))
        node, position, mass = merging.join(
            joining, self.nodes, self.positions, self.masses, self.n + self.events, merged, positions, masses
        )
        self.rows.append(((self._time - step * (1 - fraction)) + self._carry, merged, positions, masses))
        self.events += len(joining)
        kept = np.append(True, label[1:] != label[:-1])
        self.nodes, self.positions, self.masses = node[kept], position[kept], mass[kept]
        self._cut()
        return True

    def keep_path(self) -> None:
        """Keep where the clusters are, if they are few and one has moved (or merged) since the last time."""
        if len(self.positions) > PATHS_UP_TO:
            return
        last = self.paths[-1][2] if self.paths else np.empty(0)
        if len(last) == len(self.positions) and np.max(np.abs(self.positions - last)) < 0.02:
            return
        self.paths.append((self.time, self.nodes.copy(), self.positions.copy()))

    def dataset(self, attrs: dict[str, Any]) -> xr.Dataset:
        import xarray as xr

        nowhere = (np.empty(0), np.empty(0, dtype=np.int64), np.empty(0))
        kept = [(np.full(len(nodes), time), nodes, positions) for time, nodes, positions in self.paths]
        path_time, path_cluster, path_position = (np.concatenate(part) for part in zip(*(kept or [nowhere])))
        empty = (np.empty(0), np.empty((0, 2), dtype=np.int64), np.empty((0, 2)), np.empty((0, 2)))
        time, merged, positions, masses = (np.concatenate(part) for part in zip(*(self.rows or [empty])))
        time = np.maximum.accumulate(time) if len(time) else time
        mass = masses.sum(axis=1)
        share = np.divide(masses[:, 1], mass, out=np.full(len(mass), 0.5), where=mass > 0)
        position = positions[:, 0] + (positions[:, 1] - positions[:, 0]) * share
        rad, wrap = {"units": "rad"}, 2 * np.pi
        data = xr.Dataset(
            {
                "time": ("event", time, {"long_name": "time of the merger"}),
                "clusters": ("event", self.n - 1 - np.arange(len(time)), {"long_name": "clusters left"}),
                "merged": (("event", "side"), merged),
                "joined_position": (("event", "side"), np.mod(positions, wrap), rad),
                "joined_mass": (("event", "side"), masses),
                "position": ("event", np.mod(position, wrap), rad),
                "mass": ("event", mass),
                "path_time": ("sample", path_time),
                "path_cluster": ("sample", path_cluster),
                "path_position": ("sample", np.mod(path_position, wrap), rad),
                "final_position": ("cluster", np.mod(self.positions, wrap), rad),
                "final_mass": ("cluster", self.masses),
                "final_cluster": ("oscillator", self._final_clusters(merged)),
            }
        )
        data.attrs = attrs
        return data

    def _final_clusters(self, merged: NDArray[np.int64]) -> NDArray[np.int64]:
        owner = np.full(self.n + len(merged), -1, dtype=np.int64)
        owner[self.nodes] = np.arange(len(self.nodes))
        for event in range(len(merged) - 1, -1, -1):
            owner[merged[event]] = owner[self.n + event]
        return owner[: self.n]


def _run(
    model: PhaseModel, tree: _Tree, t_end: float, tolerance: float, max_steps: int, progress: bool
) -> Status:
    model = model.replace(frequencies=0.0)
    memory = np.empty(len(A_TABLE) * len(tree.masses))
    system = _system(model, tree.masses, memory)
    speed = system.velocity(tree.positions)
    step = min(0.1 / max(float(np.max(np.abs(speed))), 1 / t_end), t_end)
    modes = model.interaction.modes
    fastest = float(np.sum(np.arange(len(modes)) * np.abs(modes)) * np.sum(tree.masses))  # bounds every rate
    shortest, underflow = 1e-3 / fastest, 1e-13 * min(t_end, 1 / fastest)
    steps = 0
    try:
        with progress_bar("coarsen", np.log10(1 + t_end), progress) as update:
            while len(tree.positions) > 1 and tree.time < t_end:
                if steps >= max_steps:
                    return Status.MAX_STEPS
                if step < underflow:
                    return Status.STEP_UNDERFLOW
                steps += 1
                step = min(step, t_end - tree.time)
                trial = system.step(tree.positions, speed, step)
                if trial is None:
                    step *= 0.5
                    continue
                end, error = trial
                ratio = float(np.max(np.abs(error))) / tolerance
                if not ratio <= 1.0:  # NaN too
                    if np.all(np.abs(speed) <= system.rounding(tree.positions)):
                        return Status.STATIONARY
                    step *= max(0.2, 0.9 * ratio ** (-1 / ORDER)) if np.isfinite(ratio) else 0.1
                    continue
                if len(end) <= ORDERED_UP_TO and step > shortest and tree.crowded(end):
                    step *= 0.5  # find out who meets whom first
                    continue
                before, before_speed = tree.positions, speed
                speed = system.velocity(end)
                crossing = _Crossing(before, before_speed, end, speed, step, tree.distance)
                with held():  # Ctrl-C finds the tree before the step or after it
                    changed = tree.advance(end, step, crossing)
                if changed:
                    system = _system(model, tree.masses, memory)
                    speed = system.velocity(tree.positions)
                step *= min(6.0, 0.9 * max(ratio, 1e-10) ** (-1 / ORDER))
                update(float(np.log10(1 + tree.time)))
    finally:
        tree.steps = steps  # after Ctrl-C, too
    return Status.SYNCHRONIZED if len(tree.positions) == 1 else Status.FINISHED


class _Many:
    """Steps of many clusters: sums by Fourier modes, linear systems of diagonal + low rank."""

    def __init__(self, model: PhaseModel, masses: Array, memory: Array) -> None:
        self.model = model.replace(coupling=AllToAll(masses))
        self.stages = memory[: len(A_TABLE) * len(masses)].reshape(len(A_TABLE), 1, len(masses))
        modes = model.interaction.modes
        # slope >= |f'|
        slope, self.mass = float(np.sum(np.arange(len(modes)) * np.abs(modes))), float(np.sum(masses))
        self.bound = 2 * slope * self.mass if model.g.kind == "one" else np.inf  # on all growth rates

    def velocity(self, positions: Array) -> Array:
        return self.model.flow(positions, np.empty(positions.shape))

    def rounding(self, positions: Array) -> float:
        """The speed below which rounding is all there is."""
        f = self.model.interaction
        return float(4 * np.finfo(float).eps * (f.maximum + 2 * np.pi * f.derivative().maximum) * self.mass)

    def step(self, positions: Array, speed: Array, h: float) -> tuple[Array, Array] | None:
        """(end, error); None where the step is too long for the fastest growth."""
        shift, jacobian = 1 / (GAMMA * h), self.model.jacobian_low_rank(positions)
        if self.bound > LONGEST * shift and jacobian.growth_exceeds(LONGEST * shift):
            return None
        return rodas5p(self.velocity, jacobian.solver(shift), positions, speed, h, self.stages)


class _Few:
    """Steps of few clusters: pairwise sums (relative accuracy) and dense linear algebra, in one kernel."""

    def __init__(self, model: PhaseModel, masses: Array) -> None:
        f, *with_gain = model.g.with_profile(model.interaction)
        values, slopes = f.tape(*with_gain), f.derivative().tape(*(g.derivative() for g in with_gain))
        self.values = (values.code, values.constants, values.outputs)
        self.slopes = (slopes.code, slopes.constants, slopes.outputs)
        self.masses = masses
        self.least_gain = np.maximum(masses * float(with_gain[0](0.0)), 1e-300) if with_gain else 1.0

    def velocity(self, positions: Array) -> Array:
        return np.asarray(clusters.velocity(self.values, self.masses, positions))

    def rounding(self, positions: Array) -> Array:
        """The speeds below which rounding is all there is
        (without the gain, which is at least its own term's mass).
        """
        return (
            np.asarray(clusters.rounding(self.values, self.slopes, self.masses, positions)) / self.least_gain
        )

    def step(self, positions: Array, speed: Array, h: float) -> tuple[Array, Array] | None:
        """(end, error); None where the step is too long for the fastest growth."""
        stable, end, error = clusters.step(
            self.values, self.slopes, self.masses, positions, speed, h, A_TABLE, C_TABLE, GAMMA, LONGEST
        )
        return (end, error) if stable else None


def _system(model: PhaseModel, masses: Array, memory: Array) -> _Many | _Few:
    narrow = len(masses) <= min(2 * len(model.interaction.modes), 2048)  # then low rank would not be low
    return _Few(model, masses) if len(masses) <= PAIRS_UP_TO or narrow else _Many(model, masses, memory)


class _Crossing:
    """When, as a fraction of the step, gaps fell below the
    distance: Hermite interpolation of their logarithms.
    """

    def __init__(
        self, before: Array, before_speed: Array, end: Array, end_speed: Array, step: float, distance: float
    ):
        self.before, self.before_speed, self.end, self.end_speed = before, before_speed, end, end_speed
        self.step, self.distance = step, distance

    def __call__(self, left: NDArray[np.int64]) -> Array:
        g0, g1 = self.before[left + 1] - self.before[left], self.end[left + 1] - self.end[left]
        s0 = (self.before_speed[left + 1] - self.before_speed[left]) * self.step
        s1 = (self.end_speed[left + 1] - self.end_speed[left]) * self.step
        low = 1e-3 * self.distance  # below it, the end of the step says nothing about the way there
        resolved = g1 > low
        g0, g1 = np.maximum(g0, 1e-300), np.maximum(g1, low)
        level, y0, y1 = np.log(self.distance), np.log(g0), np.log(g1)
        d0, d1 = s0 / g0, np.where(resolved, s1 / g1, y1 - y0)
        a, b = np.zeros_like(g0), np.ones_like(g0)
        for _ in range(30):
            t = 0.5 * (a + b)
            value = y0 + t * (d0 + t * ((3 * (y1 - y0) - 2 * d0 - d1) + t * (d0 + d1 - 2 * (y1 - y0))))
            a, b = np.where(value > level, t, a), np.where(value > level, b, t)
        return np.where(y0 <= level, 1.0, b)
