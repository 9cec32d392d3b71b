"""g_i, what the pull on an oscillator is divided by: nothing, self-attention's sum, or a function of the user's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from inphase.coupling import Coupling
from inphase.coupling.words import Words, of_h
from inphase.interaction import Interaction
from inphase.types import Phases

Given = str | Callable[[Phases], ArrayLike] | None


@dataclass(frozen=True)
class Gain:
    """What a model's g is.

    Attributes
    ----------
    kind : "one", "softmax" or "function"
        g_i = 1; g_i = Σ_j K_ij h(cos(θ_i − θ_j)) for f = sin x · h(cos x); a function of the phases.
    function : callable, optional
        Phases (..., n) -> positive numbers (..., n).
    """

    kind: Literal["one", "softmax", "function"]
    function: Callable[[Phases], ArrayLike] | None = None

    @classmethod
    def of(cls, given: Any) -> Gain:
        """The gain that a user names: None, "softmax" or a callable.

        Raises
        ------
        ValueError
            If it is none of these.
        """
        if given is None:
            return cls("one")
        if isinstance(given, str) and given == "softmax":
            return cls("softmax")
        if callable(given):
            return cls("function", given)
        raise ValueError(f'gain must be None, "softmax" or a function of the phases; got {given!r}')

    @property
    def smooth(self) -> bool:
        """Whether its derivative is known: a user's function has none here."""
        return self.kind != "function"

    @property
    def name(self) -> str | None:
        """ "softmax", or None where g = 1: what `theory` and a TOML file call it."""
        return "softmax" if self.kind == "softmax" else None

    def check(self, phases: Phases) -> None:
        """Refuse a function that is not positive at some phases (..., n).

        Raises
        ------
        TypeError, ValueError
            Where it returns anything but positive numbers of that shape; the message says where.
        """
        if self.function is None:
            return
        found = np.asarray(self.function(phases))
        if found.dtype.kind not in "biuf":
            raise TypeError(f"gain must return real numbers; the function returned {found.dtype}")
        try:
            values = np.broadcast_to(found, phases.shape)
        except ValueError:
            raise ValueError(
                f"gain must return numbers of the phases' shape, {phases.shape}; got shape {found.shape}"
            ) from None
        bad = np.argwhere(~((values > 0) & np.isfinite(values)))
        if len(bad):
            *row, i = (int(k) for k in bad[0])
            where = np.array2string(phases[tuple(row)], precision=4, threshold=6)
            raise ValueError(
                f"gain must be positive everywhere; the function returned {values[*row, i]:g} for oscillator {i} at "
                f"the phases {where}"
            )

    def with_profile(self, f: Interaction) -> list[Interaction]:
        """[f], and h beside it where the gain sums over it."""
        if self.kind != "softmax":
            return [f]
        assert f.profile is not None
        return [f, f.profile]

    def front(self) -> Words:
        """What stands before the coupling in the equation."""
        if self.kind == "one":
            return Words("", "")
        if self.kind == "softmax":
            return Words(r"\dfrac{1}{g_i}\,", "(1/g_i) ")
        return Words(r"\dfrac{1}{g_i(\theta)}\,", "(1/g_i(θ)) ")

    def equation(self, coupling: Coupling, delay: int | None = None) -> Words | None:
        """g_i = ..., where the equation needs that line; it hears what the pull hears, `delay` dimensions late."""
        if self.kind != "softmax":
            return None
        return (
            Words("g_i = ", "g_i = ")
            + coupling.equation(delay, form=of_h)
            + Words(r",\quad f(x) = \sin x\ h(\cos x)", ", f(x) = sin x · h(cos x)")
        )

    def text(self) -> str:
        """A word for it."""
        return {"one": "none", "softmax": "softmax", "function": "a function of the phases"}[self.kind]
