"""A power grid, its AC power flow, and the swing equation of its machines.

Per unit of the base power; angles in radians. Indices are those of buses in service, in the order of the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from inphase.checks import finite_array, finite_number
from inphase.coupling import Dense, Lagged
from inphase.interaction import kuramoto
from inphase.model import PhaseModel

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
ISOLATED, REFERENCE, REGULATED = 4, 3, 2  # types of buses; 1 is a load's
STEPS = 40  # of Newton's method
MISMATCH = 1e-11  # per unit, of powers, relative to the largest


@dataclass(frozen=True, eq=False)
class PowerFlow:
    """The solution of the power flow equations.

    Parameters
    ----------
    voltages : ndarray of complex, shape (buses,)
        Per unit.
    powers : ndarray of complex, shape (buses,)
        P + jQ that enters the grid at each bus, per unit: generation less load.
    """

    voltages: Complex
    powers: Complex


@dataclass(frozen=True, eq=False)
class PowerGrid:
    """Buses, branches, loads and generators of a grid of alternating current.

    Parameters
    ----------
    buses : tuple of str
        Their names: the numbers of the file.
    kinds : ndarray of int, shape (buses,)
        1: power is given, 2: voltage and real power (a generator), 3: voltage and angle (the reference).
    loads, shunts : ndarray of complex, shape (buses,)
        P + jQ that is taken, and admittance to ground; per unit.
    machines : ndarray of int
        The buses that have generators in service. Generators at one bus are one machine.
    generation : ndarray, shape (machines,)
        Real power, per unit.
    ends : ndarray of int, shape (branches, 2)
    branches : ndarray of complex, shape (branches, 4)
        Y_ff, Y_ft, Y_tf, Y_tt of each branch, with its transformer's ratio and shift; per unit.
    voltages : ndarray of complex, shape (buses,)
        Those of the file, per unit: magnitudes that generators hold, and the start of the power flow.
    base_mva : float
    frequency : float or None
        Hz; None where the file has none.
    source : str
        Where it is from.

    Examples
    --------
    >>> import numpy as np
    >>> machine = dict(buses=("1", "2"), kinds=np.array([3, 2]), loads=np.zeros(2), shunts=np.zeros(2, complex))
    >>> line = dict(ends=np.array([[0, 1]]), branches=np.array([[-2j, 2j, 2j, -2j]]))  # x = 0.5
    >>> grid = PowerGrid(**machine, **line, machines=np.array([0, 1]), generation=np.array([0.0, 1.0]),
    ...                  voltages=np.ones(2, complex), base_mva=100.0, frequency=50.0, source="by hand")
    >>> np.angle(grid.flow.voltages).round(6) + 0.0  # sin δ / 0.5 = 1
    array([0.      , 0.523599])
    >>> model = grid.swing(inertia=[5.0, 4.0], reactance=0.1, damping=2.0)
    >>> bool(abs(model.velocity(grid.rotor_angles(0.1))).max() < 1e-9)
    True
    """

    buses: tuple[str, ...]
    kinds: NDArray[np.int64]
    loads: Complex
    shunts: Complex
    machines: NDArray[np.int64]
    generation: Array
    ends: NDArray[np.int64]
    branches: Complex
    voltages: Complex
    base_mva: float
    frequency: float | None
    source: str

    def __repr__(self) -> str:
        hertz = "no frequency" if self.frequency is None else f"{self.frequency:g} Hz"
        return (
            f"PowerGrid({self.source}: {len(self.buses)} buses, {len(self.ends)} branches, "
            f"{len(self.machines)} machines, base {self.base_mva:g} MVA, {hertz})"
        )

    @property
    def machine_names(self) -> tuple[str, ...]:
        """The buses of the machines: the oscillators of `swing`, in their order."""
        return tuple(self.buses[k] for k in self.machines)

    def admittance(self, without: Sequence[tuple[Any, Any]] = ()) -> Any:
        """Ybus, a csr_array of complex (buses, buses), per unit; branches between the given pairs of buses left out."""
        keep = np.ones(len(self.ends), dtype=bool)
        for pair in without:
            here, there = (self.bus(name) for name in pair)
            between = np.all(np.sort(self.ends, axis=1) == sorted((here, there)), axis=1)
            if not np.any(between):
                raise ValueError(
                    f"without: there is no branch in service between the buses {pair[0]} and {pair[1]}"
                )
            keep &= ~between
        (f, t), parts, n = self.ends[keep].T, self.branches[keep].T, len(self.buses)
        rows, columns = np.concatenate([f, f, t, t]), np.concatenate([f, t, f, t])
        found = sparse.coo_array((parts.ravel(), (rows, columns)), shape=(n, n)).tocsr()
        return (found + sparse.diags_array(self.shunts)).tocsr()

    def bus(self, name: Any) -> int:
        """The index of a bus by its name; ValueError otherwise."""
        if str(name) not in self.buses:
            raise ValueError(
                f"there is no bus {name} in {self.source}; buses are {', '.join(self.buses):.80}"
            )
        return self.buses.index(str(name))

    @cached_property
    def flow(self) -> PowerFlow:
        """The AC power flow by Newton's method, to rounding; limits of reactive power are not enforced.

        Raises
        ------
        ValueError
            If it does not converge.
        """
        Y, n = self.admittance().tocsc(), len(self.buses)
        wanted = -self.loads.astype(complex)
        wanted[self.machines] += self.generation
        free, open_ = np.flatnonzero(self.kinds != REFERENCE), np.flatnonzero(self.kinds < REGULATED)
        size, angle = np.abs(self.voltages), np.angle(self.voltages)
        for _ in range(STEPS):
            V = size * np.exp(1j * angle)
            current = Y @ V
            powers = V * np.conj(current)
            gap = powers - wanted
            off = np.concatenate([gap.real[free], gap.imag[open_]])
            if not np.all(np.isfinite(off)):
                break
            if np.max(np.abs(off), initial=0.0) <= MISMATCH * max(1.0, float(np.max(np.abs(wanted)))):
                return PowerFlow(V, powers)
            turned, unit = sparse.diags_array(V), sparse.diags_array(V / size)
            by_angle = (1j * turned @ (sparse.diags_array(current) - Y @ turned).conj()).tocsr()
            by_size = (turned @ (Y @ unit).conj() + sparse.diags_array(current.conj()) @ unit).tocsr()
            top = [by_angle[free][:, free].real, by_size[free][:, open_].real]
            bottom = [by_angle[open_][:, free].imag, by_size[open_][:, open_].imag]
            try:
                step = splu(sparse.block_array([top, bottom], format="csc")).solve(-off)
            except RuntimeError:
                break
            angle[free] += step[: len(free)]
            size[open_] += step[len(free) :]
        raise ValueError(
            f"the power flow of {self.source} does not converge from the voltages given ({n} buses): is the grid in one "
            "piece, and can it carry its loads?"
        )

    def internal_voltages(self, reactance: ArrayLike | Mapping[Any, float]) -> Complex:
        """The machines' voltages E behind their transient reactances x'd, (machines,), per unit."""
        x = self._per_machine("reactance", reactance)
        V = self.flow.voltages[self.machines]
        power = self.flow.powers[self.machines] + self.loads[self.machines]
        return np.asarray(V + 1j * x * np.conj(power / V))

    def rotor_angles(self, reactance: ArrayLike | Mapping[Any, float]) -> Array:
        """The angles of `internal_voltages`, radians: the state of `swing` at rest."""
        return np.angle(self.internal_voltages(reactance))

    def swing(
        self,
        inertia: ArrayLike | Mapping[Any, float],
        reactance: ArrayLike | Mapping[Any, float],
        damping: ArrayLike | Mapping[Any, float] = 1.0,
        *,
        frequency: float | None = None,
        short: Any = None,
        without: Sequence[tuple[Any, Any]] = (),
    ) -> PhaseModel:
        """The swing equation of the machines, all buses eliminated (the classical model).

            (2 H_i/ω_0) δ_i'' + (D_i/ω_0) δ_i' = P_i − E_i² G_ii − Σ_j E_i E_j |Y_ij| sin(δ_i − δ_j + α_ij)

        with Y = G + jB the admittances between the internal voltages E_i, loads being constant admittances,
        α_ij = atan2(G_ij, B_ij) and ω_0 = 2π·frequency. Time is in seconds, δ' in radians per second off ω_0.
        E, P and the loads are those of the power flow of the whole grid, also with `short` and `without`.

        Parameters
        ----------
        inertia : array_like or mapping
            H, seconds, on the base power of the grid: for each machine in the order of `machine_names`, one for all,
            or by the bus's name.
        reactance : array_like or mapping
            x'd, per unit of the base power, likewise; positive.
        damping : array_like or mapping
            D, per unit of power over per unit of speed, likewise; positive.
        frequency : float, optional
            Hz, where the file has none, or another one.
        short : bus, optional
            One that is short-circuited to ground (a three-phase fault).
        without : sequence of (bus, bus)
            Branches that are out.

        Returns
        -------
        PhaseModel
            Its state at rest is `rotor_angles`.

        Raises
        ------
        ValueError, TypeError
            On bad input, or where the power flow does not converge.
        """
        hertz = self.frequency if frequency is None else frequency
        if hertz is None:
            raise ValueError(
                f"{self.source} names no frequency: give frequency=50.0 or frequency=60.0, in Hz"
            )
        omega = 2 * np.pi * finite_number("frequency", hertz, positive=True)
        H, D = self._per_machine("inertia", inertia), self._per_machine("damping", damping)
        x, E = self._per_machine("reactance", reactance), self.internal_voltages(reactance)
        Y = self._reduced(x, None if short is None else self.bus(short), without)
        size = np.abs(E)
        strength = size[:, None] * size * np.abs(Y)
        lags = np.arctan2(Y.real, Y.imag)
        np.fill_diagonal(strength, 0.0)
        np.fill_diagonal(lags, 0.0)
        plain = not np.any(lags[strength > 0])
        power = self.flow.powers[self.machines].real + self.loads[self.machines].real
        return PhaseModel(
            kuramoto(),
            Dense(strength) if plain else Lagged(strength, lags),
            frequencies=power - size**2 * Y.diagonal().real,
            inertia=2 * H / omega,
            damping=D / omega,
        )

    def _reduced(self, x: Array, short: int | None, without: Sequence[tuple[Any, Any]]) -> Complex:
        """The admittances between internal voltages, (machines, machines)."""
        link = 1 / (1j * x)
        grounded = np.conj(self.loads).astype(complex) / np.abs(self.flow.voltages) ** 2
        np.add.at(grounded, self.machines, link)
        matrix = (self.admittance(without) + sparse.diags_array(grounded)).tocsc()
        keep = np.arange(len(self.buses)) != (-1 if short is None else short)
        into = np.zeros((len(self.buses), len(x)), dtype=complex)
        into[self.machines, np.arange(len(x))] = link
        volts = np.zeros_like(into)  # of the buses, by 1 at each machine; 0 where there is a short circuit
        volts[keep] = splu(matrix[keep][:, keep]).solve(into[keep])
        return np.asarray(np.diag(link) - link[:, None] * volts[self.machines])

    def _per_machine(self, name: str, given: ArrayLike | Mapping[Any, float]) -> Array:
        """Positive numbers for the machines, (machines,)."""
        names = self.machine_names
        if isinstance(given, Mapping):
            by_name = {str(key): value for key, value in given.items()}
            if set(by_name) != set(names):
                odd = sorted(set(by_name) ^ set(names))
                raise ValueError(
                    f"{name} must have one number for each machine, {', '.join(names)}; differs: {', '.join(odd)}"
                )
            given = [by_name[key] for key in names]
        values = finite_array(name, given)
        if values.shape not in ((), (len(names),)):
            raise ValueError(
                f"{name} must be a number or have shape ({len(names)},), one for each machine; got {values.shape}"
            )
        if not np.all(values > 0):
            raise ValueError(f"{name} must be positive; got {float(np.min(values))!r}")
        return np.broadcast_to(values, len(names)).astype(float)


def from_tables(
    source: str,
    base_mva: float,
    frequency: float | None,
    bus: Array,
    gen: Array,
    branch: Array,
    names: Sequence[str] | None = None,
    charging: Complex | None = None,
    asymmetry: Complex | None = None,
) -> PowerGrid:
    """A grid from the three tables of MATPOWER's format.

    `charging` is g + jb of branches at both ends, (branches, 2), where it is more than the column's b; `asymmetry` what
    the impedance seen from the far end has more.
    """
    number = _numbers(source, bus[:, 0])
    live = bus[:, 1] != ISOLATED
    index = {int(row): k for k, row in enumerate(np.flatnonzero(live))}
    place = {value: index.get(row) for value, row in number.items()}
    labels = [str(value) for value in number] if names is None else list(names)
    on = gen[gen[:, 7] > 0]
    at, used = _places(source, "gen", on[:, 0], place)
    machines, inverse = np.unique(at, return_inverse=True)
    kinds, V = bus[live, 1].astype(np.int64), bus[live, 7] * np.exp(1j * np.radians(bus[live, 8]))
    kinds[np.setdiff1d(np.flatnonzero(kinds == REGULATED), machines)] = 1
    _check_kinds(source, kinds, machines)
    held = [k for k, where in enumerate(at) if kinds[where] >= REGULATED]
    for k in held:
        V[at[k]] *= on[used][k, 5] / abs(V[at[k]])
    loads = (bus[live, 2] + 1j * bus[live, 3]) / base_mva
    np.subtract.at(loads, at, [0j if k in held else 1j * on[used][k, 2] / base_mva for k in range(len(at))])
    running = branch[:, 10] > 0
    (f, f_live), (t, t_live) = (_places(source, "branch", branch[:, c], place, True) for c in (0, 1))
    running &= f_live & t_live
    parts = _branches(source, branch, charging, asymmetry, running)
    return PowerGrid(
        buses=tuple(label for label, there in zip(labels, live) if there),
        kinds=kinds,
        loads=loads,
        shunts=(bus[live, 4] + 1j * bus[live, 5]) / base_mva,
        machines=machines,
        generation=np.bincount(inverse, on[used, 1] / base_mva, len(machines)).astype(float),
        ends=np.stack([f, t], axis=1)[running],
        branches=parts,
        voltages=V,
        base_mva=base_mva,
        frequency=None if frequency is None else finite_number("frequency", frequency, positive=True),
        source=source,
    )


def _numbers(source: str, column: Array) -> dict[int, int]:
    found: dict[int, int] = {}
    for row, value in enumerate(column):
        if value != np.rint(value) or int(value) in found:
            raise ValueError(
                f"{source}: row {row + 1} of bus: numbers of buses must be whole, each once; got {value:g}"
            )
        found[int(value)] = row
    return found


def _places(
    source: str, table: str, column: Array, place: Mapping[int, int | None], every: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The buses in service that a column names, and which rows have one; with `every`, 0 for those that have none."""
    for row, value in enumerate(column):
        if value not in place:
            raise ValueError(f"{source}: row {row + 1} of {table}: there is no bus {value:g}")
    there = np.array([place[int(value)] is not None for value in column], dtype=bool)
    found = np.array([place[int(value)] or 0 for value in column], dtype=np.int64)
    return (found if every else found[there]), there


def _check_kinds(source: str, kinds: NDArray[np.int64], machines: NDArray[np.int64]) -> None:
    if not set(kinds.tolist()) <= {1, REGULATED, REFERENCE}:
        raise ValueError(f"{source}: types of buses must be 1, 2, 3 or 4; got {sorted(set(kinds.tolist()))}")
    references = np.flatnonzero(kinds == REFERENCE)
    if len(references) != 1 or references[0] not in machines:
        raise ValueError(
            f"{source}: one bus must be the reference (type 3), with a generator in service; got {len(references)}"
        )


def _branches(
    source: str,
    branch: Array,
    charging: Complex | None,
    asymmetry: Complex | None,
    running: NDArray[np.bool_],
) -> Complex:
    """Y_ff, Y_ft, Y_tf, Y_tt of the branches in service: a π behind an ideal transformer at the `from` end."""
    impedance = branch[:, 2] + 1j * branch[:, 3]
    short = np.flatnonzero(running & (impedance == 0))
    if len(short):
        raise ValueError(f"{source}: row {short[0] + 1} of branch has no impedance: merge its two buses")
    near = impedance[running]
    far = near if asymmetry is None else near + asymmetry[running]
    sides = np.stack([1j * branch[:, 4]] * 2, axis=1) if charging is None else charging
    ratio = np.where(branch[running, 8] == 0, 1.0, branch[running, 8]) * np.exp(
        1j * np.radians(branch[running, 9])
    )
    here, there = 1 / near, 1 / far
    return np.stack([(here + sides[running, 0] / 2) / np.abs(ratio) ** 2, -here / np.conj(ratio), -there / ratio,
                     there + sides[running, 1] / 2], axis=1)  # fmt: skip
