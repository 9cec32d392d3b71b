"""A model and a run described in TOML; unknown keys and wrong values are refused with the name of the key.

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

[run]
n = 1000
seed = 0
initial = "uniform"           # options = { ... } for the initial condition; phases = [...] instead of both
t_end = 50.0
step = 0.01                   # constant steps, which noise needs; method = "heun" or "euler"
out = "results"
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from inphase import distributions, graphs
from inphase.checks import checked_options
from inphase.coupling import Coupling, Sparse
from inphase.coupling.catalog import named
from inphase.interaction import CATALOG, Interaction
from inphase.model import PARTS, PhaseModel


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class InteractionSection(_Section):
    """f: a name of the catalog or a formula, with parameters."""

    name: str | None = None
    formula: str | None = None
    parameters: dict[str, float | list[float]] = Field(default_factory=dict)
    strength: float = 1.0

    @model_validator(mode="after")
    def _one_of(self) -> InteractionSection:
        if (self.name is None) == (self.formula is None):
            raise ValueError("give either name or formula")
        return self

    def build(self) -> Interaction:
        """The interaction."""
        if self.formula is not None:
            lists = [key for key, value in self.parameters.items() if isinstance(value, list)]
            if lists:
                raise ValueError(f"the parameter {lists[0]!r} of a formula must be a number")
            found = Interaction(self.formula, **self.parameters)  # type: ignore[arg-type]
        else:
            found = from_catalog(str(self.name), self.parameters)
        return found if self.strength == 1.0 else self.strength * found


class CouplingSection(BaseModel):
    """K: a kind of `inphase.coupling.catalog` with its options, or a graph."""

    model_config = ConfigDict(extra="allow")
    kind: str = "all-to-all"
    strength: float = 1.0

    def build(self, n: int | None, seed: int) -> tuple[Coupling, graphs.Graph | None]:
        """The coupling, and its graph where it has one."""
        options, graph = dict(self.model_extra or {}), None
        if self.kind == "graph":
            graph = validated(GraphTable, options, "coupling").build(n, seed)
        found: Coupling = named(self.kind, **options) if graph is None else Sparse(graph)
        return (found if self.strength == 1.0 else self.strength * found), graph


class GraphTable(_Section):
    """A graph: of a file, of a generator, or a data set."""

    file: str | None = None
    generator: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    seed: int | None = None
    weight: str | None = None
    directed: bool | None = None
    normalized: str | None = None
    largest_component: bool = False

    def build(self, n: int | None, seed: int) -> graphs.Graph:
        """The graph; a random one from its own seed, or the run's."""
        if (self.file is None) == (self.generator is None):
            raise ValueError('a coupling of kind = "graph" takes either file or generator')
        if self.generator is not None:
            if self.weight is not None or self.directed is not None:
                raise ValueError("weight and directed are for a file; a generator takes options")
            found = graphs.generate(
                self.generator, n, seed if self.seed is None else self.seed, **self.options
            )
        elif self.options or self.seed is not None:
            raise ValueError(
                "options and seed are for a generator; a file takes weight, directed, normalized and largest_component"
            )
        elif self.file in graphs.DATASETS:
            found = graphs.dataset(str(self.file))
        else:
            found = graphs.read(str(self.file), weight=self.weight, directed=self.directed)
        found = found.largest_component() if self.largest_component else found
        return found if self.normalized is None else found.normalized(self.normalized)


class PartTable(BaseModel):
    """Numbers of the oscillators: of a distribution, or a column of a file.

    A file with a column `node`, `id` or `label` is joined to the graph by it; others are in the order of the
    nodes.
    """

    model_config = ConfigDict(extra="allow")
    distribution: str | None = None
    sampling: Literal["random", "quantiles"] = "random"
    seed: int | None = None
    file: str | None = None
    column: str | None = None

    @model_validator(mode="after")
    def _one_of(self) -> PartTable:
        if (self.distribution is None) == (self.file is None):
            raise ValueError("give either distribution or file")
        if self.file is not None and (self.model_extra or self.seed is not None):
            raise ValueError(f"a file takes column alone; got {', '.join(self.model_extra or {'seed': 0})}")
        return self

    def build(self, n: int, seed: int, graph: graphs.Graph | None) -> NDArray[np.float64]:
        """Shape (n,); quantiles in random order."""
        if self.file is not None:
            return _column(self.file, self.column, graph)
        found = distributions.named(str(self.distribution), **(self.model_extra or {}))
        seed = seed if self.seed is None else self.seed
        if self.sampling == "random":
            return found.draw(n, seed)
        # ascending along the nodes would be a pattern
        return np.random.default_rng(seed).permutation(found.quantiles(n))


def _column(file: str, column: str | None, graph: graphs.Graph | None) -> NDArray[np.float64]:
    try:
        table = graphs.read_columns(file) if graph is not None and not file.endswith(".npy") else {}
    except ValueError:  # no header: the numbers alone
        table = {}
    key = next((name for name in ("node", "id", "label") if name in table), None)
    if graph is None or key is None:
        return distributions.from_file(file, column).values
    others = [name for name in table if name != key]
    name = column if column is not None or len(others) != 1 else others[0]
    if name not in others:
        raise ValueError(f"{file}: column must be one of {', '.join(others)}; got {column!r}")
    return np.asarray(graph.with_columns(table[key], **{str(name): table[str(name)]}).nodes[str(name)])


Number = Annotated[float, Field(strict=True)]  # not a boolean
Part = Number | list[Number] | str | PartTable


class ModelSection(_Section):
    """The other parts of the equation."""

    gain: Literal["softmax"] | None = None
    frequencies: Part = 0.0
    field: Part = 0.0
    delays: Number | list[Number] | list[list[Number]] | str | PartTable = 0.0
    noise: Part = 0.0
    common_noise: Number = 0.0
    inertia: Part = 0.0
    damping: Part = 1.0


class RunSection(_Section):
    """Initial condition and run."""

    n: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0)
    initial: str = "uniform"
    options: dict[str, Any] = Field(default_factory=dict)
    phases: list[float] | None = None
    t_end: float | None = Field(default=None, gt=0)
    tolerance: float = Field(default=1e-8, gt=0)
    step: float | None = Field(default=None, gt=0)
    method: str | None = None
    velocities: float | list[float] | None = None
    history: str | None = None
    out: str | None = None


class Config(_Section):
    """A whole file."""

    interaction: InteractionSection
    coupling: CouplingSection | list[CouplingSection] = CouplingSection()
    model: ModelSection = ModelSection()
    run: RunSection = RunSection()

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
        parts = {name: self._part(k, name, size, graph) for k, name in enumerate(PARTS)}
        return PhaseModel(self.interaction.build(), coupling, gain=self.model.gain, **parts), graph

    def _listed(self) -> int | None:
        """The length of the first list among the parts."""
        return next(
            (len(part) for name in PARTS if isinstance(part := getattr(self.model, name), list)), None
        )

    def _part(self, k: int, name: str, n: int, graph: graphs.Graph | None) -> Any:
        part = getattr(self.model, name)
        if isinstance(part, PartTable):
            seeds = np.random.SeedSequence((self.run.seed, k))  # a part's own, so that parts are independent
            return part.build(n, int(seeds.generate_state(1)[0]), graph)
        if not isinstance(part, str):
            return np.asarray(part, dtype=float)
        columns = {} if graph is None else graph.nodes
        if part not in columns:
            raise ValueError(
                f"{name}: the graph has no column {part!r}; it has {', '.join(columns) or 'none'}"
            )
        return columns[part]


def load(path: str | os.PathLike[str]) -> Config:
    """Read and check a TOML file.

    Raises
    ------
    FileNotFoundError, ValueError
        With the file, the key, the value and what was expected.
    """
    try:
        with Path(path).open("rb") as file:
            data = tomllib.load(file)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from None
    return checked_config(data, str(path))


def checked_config(data: dict[str, Any], source: str) -> Config:
    """A `Config` from nested dictionaries; ValueError with one line per fault."""
    return validated(Config, data, source)


Section = TypeVar("Section", bound=BaseModel)


def validated(section: type[Section], data: dict[str, Any], source: str) -> Section:
    """A section from nested dictionaries; ValueError with one
    line per fault, unknown keys with those that are known.
    """
    try:
        return section.model_validate(data)
    except ValidationError as error:
        faults = []
        for fault in _without_alternatives(error.errors()):
            key = ".".join(str(part) for part in fault["loc"]) or "file"
            if fault["type"] == "extra_forbidden":
                known = (
                    section.model_fields if len(fault["loc"]) == 1 else _fields(section, str(fault["loc"][0]))
                )
                faults.append(f"unknown key {key!r}; known: {', '.join(known)}")
            else:
                faults.append(
                    f"{key}: {fault['msg'].removeprefix('Value error, ')}; got {fault.get('input')!r:.60}"
                )
        raise ValueError(f"{source}: " + "; ".join(faults)) from None


def _without_alternatives(faults: list[Any]) -> list[Any]:
    """One fault for a part of the model that is none of
    what it may be; pydantic names one for each alternative.
    """
    kept: dict[Any, Any] = {}
    for fault in faults:
        part = fault["loc"][:1] == ("model",) and len(fault["loc"]) > 2
        if not part:
            kept[fault["loc"]] = fault
        # a table with a fault inside
        elif "PartTable" in str(fault["loc"]) and not fault["type"].startswith("model_"):
            kept[fault["loc"][:2]] = fault | {"loc": fault["loc"][:2]}
        else:
            what = "must be a number, a list of numbers, a column of the graph, or a table with distribution or file"
            kept.setdefault(fault["loc"][:2], fault | {"loc": fault["loc"][:2], "msg": what})
    return list(kept.values())


def _fields(section: type[BaseModel], part: str) -> list[str]:
    annotation = section.model_fields[part].annotation
    return list(getattr(annotation, "model_fields", {}))


def from_catalog(name: str, parameters: dict[str, Any]) -> Interaction:
    """An interaction by its name; ValueError that lists the names, TypeError that lists its parameters."""
    if name not in CATALOG:
        raise ValueError(f"unknown interaction {name!r}; known: {', '.join(CATALOG)} (or give a formula)")
    checked_options(name, CATALOG[name], parameters, word="parameter")
    return CATALOG[name](**parameters)
