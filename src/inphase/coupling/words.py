"""How a coupling reads in an equation, and how Python makes it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from numpy.typing import NDArray

Keep = Callable[[str, NDArray[Any]], str]  # a name and numbers -> the expression that gives these numbers


class Words(NamedTuple):
    """One piece of an equation, for a formula image and for plain text."""

    latex: str
    text: str

    def __add__(self, other: object) -> Words:  # pieces are put side by side
        assert isinstance(other, Words)
        return Words(self.latex + other.latex, self.text + other.text)


def phase(index: str, delay: int | None, own: bool = False) -> Words:
    """θ of one oscillator: θ_j, or θ_j(t − τ_j) where delays have so many dimensions (one's own is not late)."""
    plain = Words(rf"\theta_{index}", f"θ_{index}")
    if delay is None:
        return plain
    if own:
        return plain + Words("(t)", "(t)")
    late = [(r"\tau", "τ"), (rf"\tau_{index}", f"τ_{index}"), (rf"\tau_{{i{index}}}", f"τ_i{index}")][delay]
    return plain + Words(f"(t - {late[0]})", f"(t − {late[1]})")


def of_f(argument: Words) -> Words:
    """f at an argument."""
    return Words(rf"f({argument.latex})", f"f({argument.text})")


def of_h(argument: Words) -> Words:
    """h at the cosine of an argument, f(x) = sin x · h(cos x)."""
    return Words(rf"h(\cos({argument.latex}))", f"h(cos({argument.text}))")


def difference(delay: int | None, lags: bool = False) -> Words:
    """θ_i − θ_j, plus α_ij where there are lags."""
    found = phase("i", delay, own=True) + Words(" - ", " − ") + phase("j", delay)
    return found + Words(r" + \alpha_{ij}", " + α_ij") if lags else found


def numbered(letter: str, indices: str, mark: str) -> Words:
    """K_ij, or the mark-th of several."""
    above = f"^{{({mark})}}" if mark else ""
    return Words(rf"{letter}{above}_{{{indices}}}\,", f"{letter}{f'({mark})' if mark else ''}_{indices} ")


def over(indices: str) -> Words:
    """The sum over j, or over j and k."""
    listed = ",".join(indices)
    below = f"{listed}=1" if len(indices) == 1 else listed
    return Words(
        rf"\sum_{{{below}}}^{{n}}\ " if len(indices) == 1 else rf"\sum_{{{below}}}\ ",
        f"Σ_{''.join(indices)} ",
    )
