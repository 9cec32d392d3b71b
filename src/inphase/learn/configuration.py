"""A training in TOML; unknown keys and wrong values are refused by name; paths are relative to the file.

[problem]
name = "case-1"               # case-2, case-3, moons, circles, spirals, gmm-2, gmm-3, ...; or your own nodes:
# file = "nodes.csv"          # one row a node: CSV or other text, NPY, or NPZ with arrays instead of columns
# features = ["x", "y"]       # its columns, by name or number; NPZ and NPY have defaults: the array `features`, all columns
# frequencies = "omega"       # the column of ω; likewise field (b), delay_steps (τ, whole)
# labels = "class"            # 0, 1, ..., -1 for none; or texts
# image = "photo.png"         # or the pixels of an image: PNG, JPEG, TIFF, NPY, CSV, or "skimage:coins"
# mask = "segments.png"       # with the segment of each: PNG, TIFF, NPY, CSV; or a .mat file of BSDS
# annotator = 0               # of BSDS; and groups = [[1, 2], [3]], which segments are one
interaction = { name = "sakaguchi", parameters = { lag = 0.2 } }   # f; or formula = "..."; strength = -1.0; default: sin

[network]
hidden = [128, 128]           # sizes of the hidden layers
activation = "leaky_relu"     # relu, silu, tanh
initialization = "fan-in"     # xavier, with its gain
gain = 1.0
normalization = "degree"      # row-l2, row-l1, none
symmetric = true
degree = 1.0                  # of the normalization
phase_lags = false            # whether the network gives lags α_ij too: K_ij f(θ_i − θ_j + α_ij)

[training]
nodes = 100                   # of a graph; every update is by one graph
samples = 10000               # nodes drawn for training
epochs = 10                   # times over them
burn_in = 100                 # steps without gradient
window = 50                   # steps with it
step = 0.1
method = "euler"              # heun
start = "zero"                # normal, uniform: the initial phases
loss = "circular-variance"    # cluster, chimera; { name = "target-order", r = 0.5 }, { name = "target-frequency", omega = 1.0 }
sparsity = 0.0                # weight of the effective number of neighbors, a share of all, that is added to the loss
optimizer = "sgd"             # adam
rate = 5e-4
schedule = "constant"         # cosine: the rate falls to 0 over the training
momentum = 0.0                # of sgd
clip = 1.0                    # the largest norm of a gradient
validation_graphs = 10
validation_nodes = 100        # of these graphs; default: nodes
validate_every = 100          # updates between judgments, at which checkpoints are written; default: an epoch
patience = 5                  # judgments without a better one that end a start; default: no end
dtype = "float32"             # float64

[run]
starts = 5                    # networks, of which the best on validation graphs is chosen
workers = 2                   # how many are trained at the same time; default: as many as there are starts and cores
seed = 0
out = "results"
evaluate_n = [1000, 10000]    # sizes, besides that of training, at which the chosen network is tried on fresh nodes
evaluate_graphs = 10          # graphs at each; default: 10 up to 1000 nodes, 1 beyond
evaluate_burn_in = 1000       # steps before the window of the evaluation

Only [problem] must be there; what is left out is as the problem has it, see `inphase.learn.Settings`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from inphase import configuration
from inphase.configuration import FilePath, InteractionSection, Section, resolved, validated
from inphase.learn.problems import Problem, from_arrays, problem
from inphase.tables import read_column, read_columns, read_labels

OF_FILES = ("features", "frequencies", "field", "delay_steps", "labels")
OF_IMAGES = ("mask", "annotator", "groups")


def _image(path: str, info: ValidationInfo) -> str:
    from inphase.learn.images import SAMPLE

    return path if path.startswith(SAMPLE) else resolved(path, info)


class ProblemSection(Section):
    """What is learnt."""

    name: str | None = None
    file: FilePath | None = None
    features: list[str | int] | None = None
    frequencies: str | int | None = None
    field: str | int | None = None
    delay_steps: str | int | None = None
    labels: str | int | None = None
    image: Annotated[str, AfterValidator(_image)] | None = None
    mask: FilePath | None = None
    annotator: int | None = None
    groups: list[list[int]] | None = None
    interaction: InteractionSection | None = None

    @model_validator(mode="after")
    def _one_of(self) -> ProblemSection:
        if sum(source is not None for source in (self.name, self.file, self.image)) != 1:
            raise ValueError("give one of name, file and image")
        for source, keys in (("file", OF_FILES), ("image", OF_IMAGES)):
            if getattr(self, source) is None and (
                stray := [key for key in keys if getattr(self, key) is not None]
            ):
                raise ValueError(f"{stray[0]} belongs to {source}, which is not given")
        return self

    def build(self, seed: int, **changes: Any) -> Problem:
        """The problem with these settings."""
        if self.interaction is not None:
            try:
                changes["interaction"] = self.interaction.build()
            except (TypeError, ValueError) as error:
                raise type(error)(f"problem.interaction: {error}") from None
        if self.name is not None:
            return problem(self.name, **changes)
        if self.image is not None:
            from inphase.learn.images import load_image

            return load_image(self.image, self.mask, annotator=self.annotator, groups=self.groups).problem(
                seed, **changes
            )
        return self._of_file(str(self.file), seed, changes)

    def _of_file(self, file: str, seed: int, changes: dict[str, Any]) -> Problem:
        named = (
            self.features if self.features and all(isinstance(name, str) for name in self.features) else None
        )
        features = read_columns(file, self.features)
        columns = tuple(map(str, named)) if named and len(named) == features.shape[1] else None
        parts: dict[str, Any] = {
            key: read_column(file, name) for key in OF_FILES[1:4] if (name := getattr(self, key)) is not None
        }
        if "delay_steps" in parts:
            parts["delay_steps"] = _whole(file, parts["delay_steps"])
        if self.labels is not None:
            parts["labels"] = read_labels(file, self.labels)
        return from_arrays(features, name=Path(file).stem, columns=columns, seed=seed, **parts, **changes)


def _whole(file: str, values: Any) -> Any:
    bad = np.flatnonzero((values != np.round(values)) | (np.abs(values) >= 2.0**63))
    if len(bad):
        given = f"{values[bad[0]]:g} for node {bad[0]} (from 0)"
        raise ValueError(f"delay_steps of {file} must be whole numbers; got {given}")
    return values.astype(np.int64)


class NetworkSection(Section):
    """K_μ and its normalization."""

    hidden: list[int] | None = None
    activation: str | None = None
    initialization: str | None = None
    gain: float | None = None
    normalization: str | None = None
    symmetric: bool | None = None
    degree: float | None = None
    phase_lags: bool | None = None


class TrainingSection(Section):
    """How it is trained."""

    nodes: int | None = None
    samples: int | None = None
    epochs: int | None = None
    burn_in: int | None = None
    window: int | None = None
    step: float | None = None
    method: Literal["euler", "heun"] | None = None  # what `evaluate` can do too
    start: str | None = None
    loss: Any = None  # a name, or a table of name and parameters, which the settings check
    sparsity: float | None = None
    optimizer: str | None = None
    rate: float | None = None
    schedule: str | None = None
    momentum: float | None = None
    clip: float | None = None
    validation_graphs: int | None = None
    validation_nodes: int | None = None
    validate_every: int | None = None
    patience: int | None = None
    dtype: str | None = None


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, int) else value


class RunSection(Section):
    """Starts, seed, and what is tried at the end."""

    starts: int = Field(default=1, ge=1)
    workers: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0)
    out: FilePath = "results"
    evaluate_n: Annotated[list[Annotated[int, Field(ge=2)]], BeforeValidator(_listed)] = Field(
        default_factory=list
    )
    evaluate_graphs: int | None = Field(default=None, ge=1)
    evaluate_burn_in: int = Field(default=1000, ge=0)


class Configuration(Section):
    """A whole file."""

    problem: ProblemSection
    network: NetworkSection = NetworkSection()
    training: TrainingSection = TrainingSection()
    run: RunSection = RunSection()

    def build(self) -> Problem:
        """The problem, with the settings of its training.

        Raises
        ------
        OSError, ValueError, TypeError
            If a file cannot be read, or a value does not fit, with its name.
        """
        return self.problem.build(self.run.seed, **self.network.given(), **self.training.given())


def load(path: str | os.PathLike[str]) -> Configuration:
    """Read and check a TOML file.

    Raises
    ------
    OSError, ValueError
        With the file, the key, the value and what was expected.
    """
    return configuration.load(Configuration, path)


def checked_configuration(data: dict[str, Any], source: str) -> Configuration:
    """A `Configuration` from nested dictionaries; ValueError that names every fault.

    Examples
    --------
    >>> checked_configuration({"problem": {"name": "case-1"}, "training": {"nodes": 20}}, "example").build().settings.nodes
    20
    >>> checked_configuration({"problem": {"name": "case-1"}, "training": {"rat": 0.1}}, "example")
    Traceback (most recent call last):
    ValueError: example: unknown key 'training.rat'; known: nodes, samples, epochs, ...
    """
    return validated(Configuration, data, source)
