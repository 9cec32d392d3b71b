"""Models of one structure that differ in numbers, as a sweep or an ensemble has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import finite_array
from inphase.interaction import Interaction
from inphase.model import PhaseModel

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

STRENGTH = "K"  # the name of the number by which f is multiplied
OF_OSCILLATORS = ("frequencies", "field", "noise", "inertia", "damping")
ONE = ("common_noise", "delays")  # a number for each row


class Family(Sequence[PhaseModel]):
    """Models of one structure that differ in numbers: a sequence of `PhaseModel`, each made when it is asked for.

    Attributes
    ----------
    base : PhaseModel
        What they have in common.
    numbers : dict of str to ndarray, shape (rows,) or (rows, n)
        What differs, by name.
    """

    def __init__(self, base: PhaseModel, numbers: dict[str, Array], rows: int) -> None:
        self.base, self.numbers, self._rows = base, numbers, rows

    def __len__(self) -> int:
        return self._rows

    @overload
    def __getitem__(self, row: int) -> PhaseModel: ...
    @overload
    def __getitem__(self, row: slice) -> Family: ...
    def __getitem__(self, row: int | slice) -> PhaseModel | Family:
        if isinstance(row, slice):
            chosen = np.arange(self._rows)[row]
            return Family(
                self.base, {name: values[chosen] for name, values in self.numbers.items()}, len(chosen)
            )
        k = range(self._rows)[row]
        parts = {name: values[k] for name, values in self.numbers.items() if name not in self.of_interaction}
        return self.base.replace(interaction=self.interaction(k), **parts)

    def __iter__(self) -> Iterator[PhaseModel]:
        return (self[row] for row in range(self._rows))

    def __repr__(self) -> str:
        return f"Family({self._rows} models that differ in {', '.join(self.numbers)})"

    @property
    def of_interaction(self) -> tuple[str, ...]:
        """The names of the numbers that belong to f."""
        return tuple(name for name in self.numbers if name not in (*OF_OSCILLATORS, *ONE))

    def rows(self, phases: ArrayLike) -> Array:
        """Phases (n,) or (rows, n) as those of all rows; ValueError where they do not fit."""
        given = self.base.check(phases)
        n = given.shape[-1]
        if given.ndim > 2 or (given.ndim == 2 and len(given) != len(self)):
            raise ValueError(
                f"phases must have shape (n,) or ({len(self)}, n), as many rows as models; got {given.shape}"
            )
        for name, values in self.numbers.items():
            if values.ndim == 2 and values.shape[1] != n:
                raise ValueError(f"{name} has shape {values.shape}, but phases have n = {n} oscillators")
        return np.array(np.broadcast_to(given, (len(self), n)))

    def named(self, data: xr.Dataset) -> xr.Dataset:
        """A result of the first rows, or of all, with the numbers by their names."""
        dims = ("replica", "oscillator")
        for name, values in self.numbers.items():
            found = (dims[: values.ndim], values[: data.sizes["replica"]])
            data = data.assign_coords({name: found}) if values.ndim == 1 else data.assign({name: found})
        return data

    def interaction(self, row: int) -> Interaction:
        """f of that row; rows with the same numbers have the same object, with what is known of it."""
        given = tuple((name, float(self.numbers[name][row])) for name in self.of_interaction)
        return _interaction(self.base.interaction, given)


@lru_cache(maxsize=4096)
def _interaction(f: Interaction, given: tuple[tuple[str, float], ...]) -> Interaction:
    numbers = dict(given)
    factor = None if STRENGTH in f.parameters else numbers.pop(STRENGTH, None)
    found = f.with_parameters(**numbers) if numbers else f
    return found if factor is None else factor * found


def family(model: PhaseModel, **numbers: ArrayLike) -> Family:
    """Models that differ from one in the numbers given: replicas with parameters of their own.

    Parameters
    ----------
    model : PhaseModel
    **numbers : array_like, shape (rows,) or (rows, n)
        ``K``, by which f is multiplied; parameters of f by their names, such as ``beta``; ``frequencies``, ``field``,
        ``noise``, ``inertia``, ``damping`` (one number for a row, or one for each of its n oscillators);
        ``common_noise`` and ``delays``, one for a row. A single number is that of all rows.

    Returns
    -------
    Family
        A sequence of models, which `simulate` takes in the place of one: its rows go through compiled code together
        where the model is small, and each has the numbers, to the last bit, that it has alone.

    Raises
    ------
    ValueError, TypeError
        Where a name is none of these, the numbers of rows disagree, or a number is none for its part.

    Examples
    --------
    >>> import numpy as np, inphase as ip
    >>> omega = np.random.default_rng(0).normal(0.0, 1.0, 200)
    >>> models = ip.family(ip.PhaseModel(ip.kuramoto(), frequencies=omega), K=[0.5, 1.5, 2.5, 3.5])
    >>> run = ip.simulate(models, ip.initial.phases("uniform", 200, seed=1), t_end=100.0)
    >>> run.order_parameter[-20:].mean("time").round(1).values.tolist(), run.K.values.tolist()
    ([0.1, 0.1, 0.9, 1.0], [0.5, 1.5, 2.5, 3.5])
    """
    known = (STRENGTH, *model.interaction.parameters, *OF_OSCILLATORS, *ONE)
    unknown = [name for name in numbers if name not in known]
    if unknown:
        raise ValueError(f"numbers of a family must be among {', '.join(known)}; got {unknown[0]!r}")
    found = {name: finite_array(name, values) for name, values in numbers.items()}
    for name, values in found.items():
        if values.ndim > (2 if name in OF_OSCILLATORS else 1):
            shapes = "(rows,) or (rows, n)" if name in OF_OSCILLATORS else "(rows,)"
            raise ValueError(f"{name} must have shape {shapes}; got shape {values.shape}")
    lengths = {name: len(values) for name, values in found.items() if values.ndim}
    if not lengths:
        raise ValueError("a family needs numbers that differ: give one of them an axis of rows")
    rows = max(lengths.values())
    short = [name for name, length in lengths.items() if length != rows]
    if short or not rows:
        told = ", ".join(f"{length} of {name}" for name, length in lengths.items())
        raise ValueError(f"the numbers must have one entry for each row; got {told}")
    whole = {name: np.broadcast_to(v, (rows,)) if v.ndim == 0 else v for name, v in found.items()}
    made = Family(model, whole, rows)
    _check(made)
    return made


def _check(models: Family) -> None:
    """ValueError where a number is none for its part: the extremes of each are tried."""
    for name, values in models.numbers.items():
        flat = values.reshape(len(models), -1)
        for row in {int(np.argmin(flat.min(axis=1))), int(np.argmax(flat.max(axis=1)))}:
            try:
                models[row]
            except (ValueError, TypeError) as error:
                raise type(error)(f"row {row} of the family ({name}): {error}") from None
