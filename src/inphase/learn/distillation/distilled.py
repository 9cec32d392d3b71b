"""`Distilled`: the readable coupling, its path, its report and its file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from inphase.checks import check_name, finite_array, integer
from inphase.coupling.dense import Dense
from inphase.coupling.learnt.network import PairNetwork, feature_array
from inphase.coupling.learnt.normalization import SMALLEST, Normalization
from inphase.files import write_text
from inphase.learn.distillation.models import MODELS, Separable, Symbolic
from inphase.learn.evaluation import evaluate, mean_and_error, task_for, untrained
from inphase.learn.problems import Problem
from inphase.learn.training import Trained
from inphase.stored import read_json, reading
from inphase.version import version

Floats = NDArray[np.float64]
FORMAT = 1  # of the files
TARGETS = ("score", "coupling")
SYMBOLS = {"frequency": "ω", "field": "b", "delay in steps": "τ"}


@dataclass(frozen=True, eq=False)
class Distilled:
    """A coupling with few parameters that stands for a trained network: a function of the features of a pair.

    Parameters
    ----------
    models : tuple of Symbolic or Separable
        With 0, 1, 2, ... terms.
    count : int
        How many terms are taken; `with_terms` takes others.
    target : "score" or "coupling"
        What the model is of: s, before the normalization, or K_ij/mean K.
    columns : tuple of str
        What the features are.
    normalization : Normalization
    path : xarray.Dataset
        Over `terms` = 0, 1, 2, ...: `cross_validated` and `cross_validated_error`, R² on the nodes of folds
        held out and its standard error over folds; `r_squared` and `r_squared_error`, on pairs of nodes that
        took no part at all, with the jackknife over nodes; `coupling_error`, |K − K_network|/|K_network| on
        these nodes, Frobenius norm.
    about : dict
        Problem, nodes, seed, versions.
    """

    models: tuple[Symbolic | Separable, ...]
    count: int
    target: str
    columns: tuple[str, ...]
    normalization: Normalization
    path: xr.Dataset
    about: dict[str, Any]

    @property
    def model(self) -> Any:
        """The one with `count` terms."""
        return self.models[self.count]

    @property
    def kind(self) -> str:
        """ "symbolic" or "separable"."""
        return self.models[0].KIND

    @property
    def names(self) -> list[str]:
        """The columns as symbols."""
        return [SYMBOLS.get(name, name) for name in self.columns]

    @property
    def coefficients(self) -> dict[str, float]:
        """Of each term by its formula, the constant first."""
        return dict(
            zip(["1", *self.model.texts(self.names)], [self.model.constant, *self.model.coefficients])
        )

    @property
    def errors(self) -> dict[str, float]:
        """Standard errors of the coefficients, the choice of terms taken as given.

        "symbolic": bootstrap over nodes. "separable": jackknife over folds of nodes.
        """
        return dict(
            zip(["1", *self.model.texts(self.names)], [self.model.constant_error, *self.model.errors])
        )

    @property
    def r_squared(self) -> float:
        """R² on pairs of nodes that took no part."""
        return float(self.path.r_squared[self.count])

    @property
    def r_squared_error(self) -> float:
        """Its standard error, by the jackknife over these nodes."""
        return float(self.path.r_squared_error[self.count])

    @property
    def formula(self) -> str:
        """s(x_i, x_j) = ..., coefficients rounded to their errors; a second line defines any d_ij."""
        left = "s_ij" if self.target == "score" else "K_ij/mean K"
        text = f"{left} ="
        for place, (term, value) in enumerate(self.coefficients.items()):
            number = _shown(abs(value), self.errors[term])
            sign = ("−" if value < 0 else "") if place == 0 else ("− " if value < 0 else "+ ")
            text += f" {sign}{number}" + ("" if term == "1" else f" {term}")
        scales = next((t.scales for t in getattr(self.model, "terms", ()) if t.scales), ())
        if scales:
            squares = (f"(({a}_i − {a}_j)/{q:g})²" for a, q in zip(self.names, scales))
            text += f"\nd_ij² = {' + '.join(squares)}"
        return text

    def with_terms(self, count: int) -> Distilled:
        """The same with another number of terms of the path.

        Raises
        ------
        ValueError
            If the path has no such number.
        """
        if integer("count", count, least=0) >= len(self.models):
            raise ValueError(f"count must be <= {len(self.models) - 1}, the terms of the path; got {count}")
        return replace(self, count=int(count))

    def __call__(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """What the formula says of pairs: x of who listens, y of who is heard.

        Parameters
        ----------
        x, y : array_like, shapes (..., m)
            That broadcast.

        Returns
        -------
        ndarray, shape (...)

        Raises
        ------
        ValueError
            If the features are not finite or not m.
        """
        here, there = finite_array("x", x), finite_array("y", y)
        for name, array in (("x", here), ("y", there)):
            if array.ndim < 1 or array.shape[-1] != len(self.columns):
                raise ValueError(
                    f"{name} must have shape (..., {len(self.columns)}); got shape {array.shape}"
                )
        return np.asarray(self.model.values(here, there))

    def scores(self, features: ArrayLike, others: ArrayLike | None = None) -> Floats:
        """What enters the normalization, for all pairs: (n_x, n_y)."""
        x = feature_array(features, len(self.columns))
        y = x if others is None else feature_array(others, len(self.columns))
        table = self.model.table(x, y)
        return np.asarray(np.log(np.maximum(table, SMALLEST)) if self.target == "coupling" else table)

    def coupling(self, features: ArrayLike, normalization: Normalization | None = None) -> Dense:
        """K of nodes with features (n, m), by `normalization` or that of the training; memory O(n²)."""
        rule = self.normalization if normalization is None else normalization
        return Dense(rule.apply(self.scores(features)))

    def coupler(self, network: PairNetwork, features: Any, normalization: Normalization) -> Dense:
        """This coupling in the place of a network's: `evaluate(trained, coupling=distilled.coupler)`."""
        if network.features != len(self.columns):
            wanted = f"{len(self.columns)} features, {', '.join(self.columns)}"
            raise ValueError(f"the network must take {wanted}; got {network.features}")
        return self.coupling(features, normalization)

    def report(
        self,
        trained: Trained,
        sizes: Sequence[int] = (),
        terms: Sequence[int] | None = None,
        *,
        problem: Problem | None = None,
        **options: Any,
    ) -> xr.Dataset:
        """How many terms synchronization needs: loss and V on fresh nodes against the number of terms.

        Parameters
        ----------
        trained : Trained
            The network that was distilled.
        sizes : sequence of int
            Nodes of a graph; the number in training if empty.
        terms : sequence of int, optional
            Numbers of terms; all of the path if not given.
        problem : Problem, optional
            Where the nodes come from; the one of training if not given.
        **options
            Of `evaluate`: graphs, burn_in, window, seed, split.

        Returns
        -------
        xarray.Dataset
            `loss` and `variance`, (size, terms), means over graphs, with `_error`, the standard error of the
            mean over graphs (NaN of one graph); the same of the network and of an untrained one,
            `network_variance` and so on, (size); and what `path` has. All are on the same nodes from the same
            phases.

        Raises
        ------
        TypeError, ValueError
            As `evaluate`, or if the path has no such number of terms.
        """
        task = task_for(trained, problem)
        steps = range(len(self.models)) if terms is None else terms
        chosen, counts = [self.with_terms(k) for k in steps], list(sizes) or [trained.settings.nodes]
        controls = {
            "network_": trained,
            "untrained_": untrained(replace(task, settings=trained.settings), trained.seed),
        }
        options |= {"problem": task}
        found: dict[str, list[Any]] = {}
        for n in counts:
            own = [_means(evaluate(trained, n, coupling=each.coupler, **options)) for each in chosen]
            others = {name: _means(evaluate(each, n, **options)) for name, each in controls.items()}
            for name in others["network_"]:
                found.setdefault(name, []).append([means[name] for means in own])
                for prefix, means in others.items():
                    found.setdefault(prefix + name, []).append(means[name])
        data = {name: (("size", "terms")[: np.ndim(rows)], rows) for name, rows in found.items()}
        kept = self.path.isel(terms=[each.count for each in chosen])
        return (
            kept.assign(data)
            .assign_coords(size=counts)
            .assign_attrs(self.path.attrs | {"chosen": self.count})
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write all of it as JSON; OSError with the path and the reason."""
        names = [str(name) for name in self.path.data_vars]
        parts = {
            "format": FORMAT,
            "inphase_version": version(),
            "kind": self.kind,
            "count": self.count,
            "target": self.target,
            "columns": list(self.columns),
            "normalization": asdict(self.normalization),
            "formula": self.formula,
            "path": {name: self.path[name].values.tolist() for name in names},
            "about": self.about,
            "models": [model.to_dict() for model in self.models[-1 if self.kind == "separable" else 0 :]],
        }
        return write_text(Path(path), json.dumps(parts, ensure_ascii=False, indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Distilled:
        """The inverse of `save`.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is truncated, of a newer format, or no such file.
        """
        data = read_json(path)
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            given = data.get("format") if isinstance(data, dict) else None
            raise ValueError(f"{path} has the format {given!r:.60}; this version reads {FORMAT}")
        with reading(path, "holds no distilled coupling: {}"):
            return cls._from_dict(data)

    @classmethod
    def _from_dict(cls, data: dict[str, Any]) -> Distilled:
        """What `save` wrote."""
        try:
            models: Any = tuple(MODELS[data["kind"]].from_dict(model) for model in data["models"])
            rule, columns = Normalization(**data["normalization"]), tuple(map(str, data["columns"]))
            target, about = check_name("target", data["target"], TARGETS), dict(data["about"])
            path, count = path_table(data["path"]), data["count"]
        except KeyError as error:
            raise ValueError(f"lacks or does not know {error.args[0]!r:.60}") from None
        if data["kind"] == "separable":  # of which the one with all terms is kept
            models = tuple(models[0].cut(k) for k in range(len(models[0]) + 1))
        made = cls(models, 0, target, columns, rule, path, about)
        for model in models:
            model.table(*np.zeros((2, 1, len(columns))))
        if len(made.path.terms) != len(models):
            raise ValueError(
                f"its path has {len(made.path.terms)} numbers of terms, its models {len(models)}"
            )
        return made.with_terms(count)

    def __str__(self) -> str:
        about = f"R² = {self.r_squared:.4f} ± {self.r_squared_error:.0e} on {self.about['held_out']} nodes held out"
        return f"{self.formula}\n{about}"

    def __repr__(self) -> str:
        return f"Distilled({self.kind}, {self.count} terms, {self.target}, R² {self.r_squared:.4f})"


def _means(found: xr.Dataset) -> dict[str, float]:
    """The means over graphs and their standard errors."""
    means = {}
    for name in ("loss", "variance"):
        means[name], error = mean_and_error(found[name].values)
        means[f"{name}_error"] = float("nan") if error is None else error
    return means


def _shown(value: float, error: float) -> str:
    """To the second digit of the error, with at least 2 and at most 6 digits."""
    if value == 0:
        return "0"
    first = int(np.floor(np.log10(value)))
    last = int(np.floor(np.log10(error))) - 1 if error > 0 else first - 5
    digits = min(max(first - last + 1, 2), 6)
    return f"{value:.{digits}g}"


def path_table(rows: dict[str, Any]) -> xr.Dataset:
    """What was measured, over the number of terms from 0 on."""
    data = {str(name): ("terms", finite_array(str(name), values)) for name, values in rows.items()}
    return xr.Dataset(data).assign_coords(terms=np.arange(len(next(iter(data.values()))[1])))
