"""The theorems, one file for each family; whatever `Theorem` a file of this folder makes is in `THEOREMS`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from inphase.certify.theorem import Theorem


def collected() -> dict[str, Theorem]:
    """The theorems of all files by name, the cheapest first, else in the order of the files."""
    files = [import_module(f"{__name__}.{file.name}") for file in iter_modules(__path__)]
    theorems = [value for file in files for value in vars(file).values() if isinstance(value, Theorem)]
    return {theorem.name: theorem for theorem in sorted(theorems, key=lambda theorem: theorem.cost)}


THEOREMS: dict[str, Theorem] = collected()
