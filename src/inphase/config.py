"""A model and a run described in TOML; unknown keys and wrong values are refused with the name of the key.

[interaction]
name = "attention"            # or: formula = "sin(x) + a*sin(2*x)"
parameters = { beta = 9.0 }
strength = 1.0                # multiplies f; negative: repulsive

[coupling]
kind = "all-to-all"           # weights = [...]; or kind = "rank-one" with rows and columns

[model]
gain = "softmax"              # frequencies, field: numbers or arrays

[run]
n = 1000
seed = 0
initial = "uniform"           # options = { ... } for the initial condition; phases = [...] instead of both
t_end = 50.0
out = "results"
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from inphase.coupling import AllToAll, Coupling, RankOne
from inphase.interaction import CATALOG, Interaction
from inphase.model import PhaseModel


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


class CouplingSection(_Section):
    """K."""

    kind: Literal["all-to-all", "rank-one"] = "all-to-all"
    weights: list[float] | None = None
    rows: list[float] | None = None
    columns: list[float] | None = None

    def build(self) -> Coupling:
        """The coupling."""
        if self.kind == "rank-one":
            if self.rows is None or self.columns is None or self.weights is not None:
                raise ValueError('kind = "rank-one" takes rows and columns')
            return RankOne(self.rows, self.columns)
        if self.rows is not None or self.columns is not None:
            raise ValueError('kind = "all-to-all" takes weights, not rows or columns')
        return AllToAll(self.weights)


class ModelSection(_Section):
    """The other parts of the equation."""

    gain: Literal["softmax"] | None = None
    frequencies: float | list[float] = 0.0
    field: float | list[float] = 0.0


class RunSection(_Section):
    """Initial condition and run."""

    n: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0)
    initial: str = "uniform"
    options: dict[str, Any] = Field(default_factory=dict)
    phases: list[float] | None = None
    t_end: float | None = Field(default=None, gt=0)
    tolerance: float = Field(default=1e-8, gt=0)
    out: str | None = None


class Config(_Section):
    """A whole file."""

    interaction: InteractionSection
    coupling: CouplingSection = CouplingSection()
    model: ModelSection = ModelSection()
    run: RunSection = RunSection()

    def build(self) -> PhaseModel:
        """The model."""
        return PhaseModel(
            self.interaction.build(),
            self.coupling.build(),
            gain=self.model.gain,
            frequencies=np.asarray(self.model.frequencies, dtype=float),
            field=np.asarray(self.model.field, dtype=float),
        )


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
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        faults = []
        for fault in error.errors():
            key = ".".join(str(part) for part in fault["loc"]) or "file"
            if fault["type"] == "extra_forbidden":
                section = Config.model_fields if len(fault["loc"]) == 1 else _fields(str(fault["loc"][0]))
                faults.append(f"unknown key {key!r}; known: {', '.join(section)}")
            else:
                faults.append(f"{key}: {fault['msg']}; got {fault.get('input')!r:.60}")
        raise ValueError(f"{source}: " + "; ".join(faults)) from None


def _fields(section: str) -> list[str]:
    annotation = Config.model_fields[section].annotation
    assert annotation is not None
    return list(annotation.model_fields)


def from_catalog(name: str, parameters: dict[str, Any]) -> Interaction:
    """An interaction by its name; ValueError that lists the names, TypeError that lists its parameters."""
    import inspect

    if name not in CATALOG:
        raise ValueError(f"unknown interaction {name!r}; known: {', '.join(CATALOG)} (or give a formula)")
    wanted = inspect.signature(CATALOG[name]).parameters
    for key in parameters:
        if key not in wanted:
            raise TypeError(f"{name} has no parameter {key!r}; it takes {', '.join(wanted) or 'none'}")
    for key, parameter in wanted.items():
        if parameter.default is parameter.empty and key not in parameters:
            raise TypeError(f"{name} needs the parameter {key!r}, for instance --{key} 1.0")
    return CATALOG[name](**parameters)
