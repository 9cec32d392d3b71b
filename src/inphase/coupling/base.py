"""The contract of a coupling."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from inphase.interaction import Interaction
from inphase.types import Phases, Square


class Coupling(ABC):
    """K[i, j]: how strongly oscillator i listens to j.

    To add a kind of coupling, write one file here with a subclass that has this property and these three methods; the
    model and `simulate` then work with it. (`CouplingSection` in `config.py` gives it a name in TOML files.)
    """

    @property
    @abstractmethod
    def size(self) -> int | None:
        """The number of oscillators that the stored numbers fix; None if any number will do."""

    @property
    @abstractmethod
    def positive(self) -> bool:
        """Whether Σ_j K_ij h(θ_i − θ_j) > 0 for every i and every h > 0, so that a softmax gain cannot vanish."""

    @abstractmethod
    def sums(self, functions: Sequence[Interaction], phases: Phases, out: Sequence[Phases] | None = None) -> list[Phases]:
        """[Σ_j K_ij f(θ_i − θ_j) for f in functions], each like `phases`, (..., n); into `out` (C order) if given."""

    @abstractmethod
    def matrix(self, n: int) -> Square:
        """K as a dense matrix, (n, n)."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Kind and numbers, for provenance."""

    def check_size(self, n: int) -> None:
        """Raise ValueError unless this coupling can join n oscillators."""
        if self.size is not None and self.size != n:
            raise ValueError(f"phases have {n} oscillators, but the coupling {type(self).__name__} is for {self.size}")
