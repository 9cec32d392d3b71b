"""A model and a run in TOML; unknown keys and wrong values are refused by name.

Paths are relative to the file.

[interaction]
name = "attention"            # or: formula = "sin(x) + a*sin(2*x)"
parameters = { beta = 9.0 }
strength = 1.0                # multiplies f; negative: repulsive

[coupling]
kind = "all-to-all"           # or rank-one, dense, ring, lattice, ...: any of coupling.catalog.KINDS, with its options
strength = 1.0                # multiplies K
# kind = "graph"              # with file = "grid.gml", or generator = "small_world" and options = { neighbors = 4 }
# [[coupling]]                # several tables of this kind add up

[model]
gain = "softmax"
frequencies = { distribution = "normal", width = 0.5 }   # or a number, a list, a column of the graph, { file = "omega.csv" }
noise = 0.1                   # field, delays, common_noise, inertia, damping likewise

[drive]                       # what depends on time: formulas in t, numbers, or tables of times
frequencies = "a*sin(W*t)"    # coupling, force, phase likewise
coupling = { file = "pulse.csv", kind = "cubic" }   # or { times = [...], values = [...] }
parameters = { a = 0.3, W = 2.0 }                   # numbers, or a list of one for each oscillator

[run]
n = 1000
seed = 0
initial = "uniform"           # options = { ... } for the initial condition; phases = [...] instead of both
t_end = 50.0
step = 0.01                   # constant steps, which noise needs; method = "heun" or "euler"
proof_time = 60.0             # seconds for which study looks for a proof, after its report is written
out = "results"
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, model_validator

from inphase import configuration, distributions, graphs
from inphase.checks import error_bound
from inphase.configuration import (
    FilePath,
    InteractionSection,
    Options,
    Section,
    Vector,
    resolved,
    unmixed,
    validated,
)
from inphase.coupling import Coupling, Sparse
from inphase.coupling.catalog import named
from inphase.drive import PARTS as DRIVEN
from inphase.drive import Drive, Samples
from inphase.graphs.node_tables import by_row, joined
from inphase.model import PARTS, PhaseModel
from inphase.tables import Name, read_table

OF_FILE = (
    "weight",
    "directed",
    "columns",
    "file_kind",
    "duplicates",
)  # options of `graphs.read`, of which kind is here the coupling's
PATHS = ("file", "features", "matrix", "lags")  # options of couplings that may name a file


class CouplingSection(Section):
    """K: a kind of `inphase.coupling.catalog` with its options, or a graph."""

    model_config = ConfigDict(extra="allow")
    kind: str = "all-to-all"
    strength: float = 1.0

    @model_validator(mode="after")
    def _paths(self, info: ValidationInfo) -> CouplingSection:
        for key, value in unmixed(self.model_extra or {}).items():
            if key in PATHS and isinstance(value, str) and value not in graphs.DATASETS:
                setattr(self, key, resolved(value, info))
        return self

    def build(self, n: int | None, seed: int) -> tuple[Coupling, graphs.Graph | None]:
        """The coupling, and its graph where it has one."""
        options, graph = dict(self.model_extra or {}), None
        if self.kind == "graph":
            graph = validated(GraphTable, options, "coupling").build(n, seed)
        found: Coupling = named(self.kind, **options) if graph is None else Sparse(graph)
        return (found if self.strength == 1.0 else self.strength * found), graph


class GraphTable(Section):
    """A graph: of a file, of a generator, or a data set."""

    file: str | None = None
    generator: str | None = None
    options: Options = Field(default_factory=dict)
    seed: int | None = None
    weight: str | float | None = None
    directed: bool | None = None
    columns: list[Name] | None = None
    file_kind: str | None = None
    duplicates: str | None = None
    normalized: str | None = None
    largest_component: bool = False

    def build(self, n: int | None, seed: int) -> graphs.Graph:
        """The graph; a random one from its own seed, or the run's."""
        if (self.file is None) == (self.generator is None):
            raise ValueError('a coupling of kind = "graph" takes either file or generator')
        if self.generator is not None:
            if self._of_file():
                raise ValueError(f"{', '.join(self._of_file())} are for a file; a generator takes options")
            found = graphs.generate(
                self.generator, n, seed if self.seed is None else self.seed, **self.options
            )
        elif self.options or self.seed is not None:
            raise ValueError(
                f"options and seed are for a generator; a file takes {', '.join(OF_FILE)}, normalized and largest_component"
            )
        elif self.file in graphs.DATASETS:
            found = graphs.dataset(str(self.file))
        else:
            found = graphs.read(
                str(self.file),
                **{name.removeprefix("file_"): given for name, given in self._of_file().items()},
            )
        found = found.largest_component() if self.largest_component else found
        return found if self.normalized is None else found.normalized(self.normalized)

    def _of_file(self) -> dict[str, Any]:
        """The options of `graphs.read` that are given."""
        return {name: given for name in OF_FILE if (given := getattr(self, name)) is not None}


class PartTable(Section):
    """Numbers of the oscillators: of a distribution, or a column of a file.

    A file is joined to the graph by the column that names its nodes; see `inphase.graphs.join`.
    """

    model_config = ConfigDict(extra="allow")
    distribution: str | None = None
    sampling: Literal["random", "quantiles"] = "random"
    seed: int | None = None
    file: FilePath | None = None
    column: Name | None = None
    by: Name | None = None

    @model_validator(mode="after")
    def _one_of(self) -> PartTable:
        if (self.distribution is None) == (self.file is None):
            raise ValueError("give either distribution or file")
        if self.file is not None and (self.model_extra or self.seed is not None):
            raise ValueError(
                f"a file takes column alone, and by; got {', '.join(self.model_extra or {'seed': 0})}"
            )
        return self

    def build(
        self, n: int, seed: int, graph: graphs.Graph | None, notes: list[str] | None = None
    ) -> NDArray[np.float64]:
        """Shape (n,); quantiles in random order. `notes` takes how a table was joined to the graph."""
        if self.file is not None:
            if graph is None:
                return by_row(self.file, self.column)
            _, values, note = joined(graph, self.file, self.column, self.by)
            if notes is not None:
                notes.append(note)
            return values
        found = distributions.named(str(self.distribution), **(self.model_extra or {}))
        seed = seed if self.seed is None else self.seed
        if self.sampling == "random":
            return found.draw(n, seed)
        # ascending along the nodes would be a pattern
        return np.random.default_rng(seed).permutation(found.quantiles(n))


Part = Annotated[
    float | list[float] | str | PartTable,
    Field(
        description="a number, a list of numbers, a column of the graph, or a table with distribution or file"
    ),
]


class ModelSection(Section):
    """The other parts of the equation."""

    gain: Literal["softmax"] | None = None
    frequencies: Part = 0.0
    field: Part = 0.0
    delays: float | list[float] | list[list[float]] | str | PartTable = Field(
        default=0.0, description="a number, a list or rows of numbers, a column of the graph, or a table"
    )
    noise: Part = 0.0
    common_noise: float = 0.0
    inertia: Part = 0.0
    damping: Part = 1.0


class SamplesTable(Section):
    """A table of times: of a file, whose first column they are, or given."""

    file: FilePath | None = None
    column: Name | None = None
    times: list[float] | None = None
    values: list[float] | list[list[float]] | None = None
    kind: Literal["linear", "cubic"] = "linear"

    @model_validator(mode="after")
    def _one_of(self) -> SamplesTable:
        if (self.file is None) == (self.times is None) or (self.times is None) != (self.values is None):
            raise ValueError("give either file, or times and values")
        if self.file is None and self.column is not None:
            raise ValueError("column is for a file")
        return self

    def build(self) -> Samples:
        """The interpolated values; of a file with many columns beside the times, one for each oscillator."""
        if self.file is None:
            return Samples(np.asarray(self.times), np.asarray(self.values), self.kind)
        table = read_table(self.file).headed([] if self.column is None else [self.column])
        count = len(table.rows[0])
        if count < 2:
            raise ValueError(f"{self.file}: a table of times needs two columns, times and values; it has one")
        columns = range(1, count) if self.column is None else [table.position(self.column)]
        values = np.stack([table.numbers(k) for k in columns], axis=1)
        return Samples(table.numbers(0), values[:, 0] if values.shape[1] == 1 else values, self.kind)


InTime = Annotated[
    float | str | SamplesTable | None,
    Field(description="a number, a formula in t, or a table with file, or times and values"),
]


class DriveSection(Section):
    """What depends on time."""

    frequencies: InTime = None
    coupling: InTime = None
    force: InTime = None
    phase: InTime = None
    parameters: dict[
        str, Annotated[float | list[float], Field(description="a number or a list of numbers")]
    ] = Field(default_factory=dict)

    def build(self) -> Drive:
        """The drive."""
        given = {name: part for name in DRIVEN if (part := getattr(self, name)) is not None}
        parts: dict[str, Any] = {
            name: part.build() if isinstance(part, SamplesTable) else part for name, part in given.items()
        }
        return Drive(**parts, **self.parameters)


class RunSection(Section):
    """Initial condition and run."""

    n: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0)
    initial: str = "uniform"
    options: Options = Field(default_factory=dict)
    phases: Vector | None = None
    t_end: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    tolerance: Annotated[float, Field(gt=0), AfterValidator(partial(error_bound, "tolerance"))] = 1e-8
    step: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    method: str | None = None
    max_steps: int | None = Field(default=None, ge=1)
    velocities: float | list[float] | None = None
    history: str | None = None
    proof_time: float = Field(default=60.0, ge=0)
    out: FilePath | None = None

    @model_validator(mode="after")
    def _paths(self, info: ValidationInfo) -> RunSection:
        if self.initial == "file" and isinstance(self.options.get("path"), str):
            self.options = self.options | {"path": resolved(self.options["path"], info)}
        return self


class Config(Section):
    """A whole file."""

    interaction: InteractionSection
    coupling: CouplingSection | list[CouplingSection] = CouplingSection()
    model: ModelSection = ModelSection()
    drive: DriveSection | None = None
    run: RunSection = RunSection()

    def with_run(self, source: str, **changes: Any) -> Config:
        """The same with other values in [run], checked like those of a file; `phases` may be an array, (n,).

        Raises
        ------
        ValueError
            With `source`, the key, the value and what was expected.
        """
        parts = {name: getattr(self, name) for name in ("interaction", "coupling", "model", "drive")}
        return validated(Config, parts | {"run": self.run.given() | changes}, source)

    def build(self) -> PhaseModel:
        """The model."""
        return self.build_with_graph()[0]

    def build_with_graph(self) -> tuple[PhaseModel, graphs.Graph | None]:
        """The model, and the graph of its coupling where it has one."""
        tables = self.coupling if isinstance(self.coupling, list) else [self.coupling]
        if not tables:
            raise ValueError("coupling: give at least one table")
        n = self.run.n if self.run.phases is None else len(self.run.phases)
        built = [table.build(n, self.run.seed) for table in tables]
        coupling = sum((part for part, _ in built[1:]), built[0][0])
        graph = next((graph for _, graph in built if graph is not None), None)
        size = coupling.size or n or self._listed() or 1000
        notes: list[str] = []
        parts = {name: self._part(k, name, size, graph, notes) for k, name in enumerate(PARTS)}
        if graph is not None and graph.source is not None:
            for note in notes:
                graph = replace(graph, source=graph.source.and_note(note))
        drive = None if self.drive is None else self.drive.build()
        return PhaseModel(
            self.interaction.build(), coupling, gain=self.model.gain, drive=drive, **parts
        ), graph

    def _listed(self) -> int | None:
        """The length of the first list among the parts."""
        return next(
            (len(part) for name in PARTS if isinstance(part := getattr(self.model, name), list)), None
        )

    def _part(self, k: int, name: str, n: int, graph: graphs.Graph | None, notes: list[str]) -> Any:
        part = getattr(self.model, name)
        if isinstance(part, PartTable):
            seeds = np.random.SeedSequence((self.run.seed, k))  # a part's own, so that parts are independent
            found: list[str] = []
            values = part.build(n, int(seeds.generate_state(1)[0]), graph, found)
            notes.extend(f"{name}: {note}" for note in found)
            return values
        if not isinstance(part, str):
            return np.asarray(part, dtype=float)
        columns = {} if graph is None else graph.nodes
        if part not in columns:
            source = None if graph is None else graph.source
            why = "" if source is None or part not in source.lacking else f": {source.lacking[part]}"
            raise ValueError(
                f"{name}: the graph has no column {part!r}{why}; it has {', '.join(columns) or 'none'}"
            )
        return columns[part]


def load(path: str | os.PathLike[str]) -> Config:
    """Read and check a TOML file.

    Raises
    ------
    FileNotFoundError, ValueError
        With the file, the key, the value and what was expected.
    """
    return configuration.load(Config, path)


def checked_config(data: dict[str, Any], source: str) -> Config:
    """A `Config` from nested dictionaries; ValueError with one line per fault."""
    return validated(Config, data, source)
