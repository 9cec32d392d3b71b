"""A theorem as an object: hypotheses, conclusion, source, and how a box of parameters is tried."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from flint import arb

from inphase import expression as ex
from inphase.certify.balls import Enclosure
from inphase.certify.budget import Budget, Spent
from inphase.certify.family import End, Family
from inphase.certify.variation import attraction_range, positive_inside
from inphase.expression.arithmetic import Balls

Leaf = dict[str, Any]


@dataclass(frozen=True)
class Attempt:
    """What a theorem gave on a box: the leaf of a certificate (before `Theorem.on`, the hints in it), or None;
    the relative margin of its last inequality; why.
    """

    leaf: Leaf | None
    margin: float = -math.inf
    reason: str = ""


class Box:
    """A box of parameters with what theorems share, computed once: f'(0), τ, whether f > 0 on (0, π).

    What is evaluated on it is paid from `budget`, in searches a part of theirs.
    """

    def __init__(
        self, family: Family, ranges: Mapping[str, tuple[End, End]], budget: Budget | None = None
    ) -> None:
        self.family, self.ranges = family, dict(ranges)
        self.f = Enclosure(family.interaction, family.box(ranges), budget)
        self._shared: dict[str, Any] = {}

    def once(self, name: str, compute: Callable[[], Any]) -> Any:
        """What `compute` gives, computed at the first call with this name."""
        if name not in self._shared:
            self._shared[name] = compute()
        return self._shared[name]

    @property
    def finite(self) -> bool:
        """Whether every range is finite."""
        return not any(math.isinf(v) for pair in self.ranges.values() for v in pair)

    @property
    def slope(self) -> Any:
        """f'(0), a ball."""
        return self.once("slope", lambda: self.f.at(0.0, 1)[1])

    @property
    def attracts(self) -> bool:
        """Whether f'(0) > 0 is proved."""
        return bool(self.slope > 0)

    @property
    def tau(self) -> float | None:
        """A certified τ with f' < 0 on [τ, π], or None."""
        return self.once("tau", lambda: attraction_range(self.f))  # type: ignore[no-any-return]

    @property
    def positive(self) -> bool:
        """Whether f > 0 on (0, π) is proved."""
        return bool(self.once("positive", lambda: self.tau is not None and positive_inside(self.f, self.tau)))

    @property
    def sine_factor(self) -> Any:
        """k, a ball, where f(x) = k sin x for every parameter in the box, exactly; None where that is not seen."""
        factor = self.family.sine_factor
        return None if factor is None or not self.finite else ex.evaluate(factor, arb(0), Balls(), self.f.box)

    @property
    def gain_is_positive(self) -> bool:
        """Whether the gain Σ_j K_ij h(cos(θ_i − θ_j)) is positive.

        That of "softmax" is, where f > 0 on (0, π) is proved.
        """
        if self.family.gain != "softmax" or self.family.attention is not None:
            return True
        try:
            return self.positive
        except Spent as spent:
            if not spent.of_a_box:
                raise
            return False

    def leaf(self, theorem: str, **data: Any) -> Leaf:
        """The leaf that a certificate keeps: the theorem, the box in exact (mid, rad) integers, hints."""
        return {
            "theorem": theorem,
            "box": {name: box_entry(*pair) for name, pair in self.ranges.items()},
            **data,
        }


def dyadic(q: Fraction) -> list[int]:
    """[m, e] with q = m 2^e; ValueError if q is not dyadic."""
    exponent = q.denominator.bit_length() - 1
    if q.denominator != 1 << exponent:
        raise ValueError(f"{q} is not dyadic")
    return [q.numerator, -exponent]


def box_entry(lo: End, hi: End) -> dict[str, Any]:
    """{"mid": [m, e], "rad": [m, e]}; to infinity in 1/β; to −∞ by its upper end."""
    if math.isinf(hi):
        high = 1 / Fraction(lo)
        return {"inverse": True, "mid": dyadic(high / 2), "rad": dyadic(high / 2)}
    if math.isinf(lo):
        return {"below": dyadic(Fraction(hi))}
    middle, radius = (Fraction(lo) + Fraction(hi)) / 2, (Fraction(hi) - Fraction(lo)) / 2
    return {"mid": dyadic(middle), "rad": dyadic(radius)}


PRY = "Polyanskiy, Rigollet, Yao, Synchronization of mean-field models on the circle (2025)"
GRADIENT = ("f is odd, 2π-periodic and analytic", "f'(0) > 0", "identical oscillators, no field, positive gain",
            "all-to-all with positive weights, or rank one with positive factors")  # fmt: skip


@dataclass(frozen=True)
class Criterion:
    """The inequality of a theorem in f'(0) and an integral of f: a ratio that must be above 1.

    Attributes
    ----------
    ratio : callable
        Of (reach, f'(0), ∫|f''' + slope_weight f'|_+ over the circle), all balls.
    slope_weight : int
        0 or 1, as the integral has it.
    crossing : float
        The β of attention at which the ratio is 1, for figures (`crossing` encloses it).
    neighbors : bool
        Whether the reach is s, which bounds two neighbors; otherwise it is τ.
    """

    ratio: Callable[[Any, Any, Any], Any]
    slope_weight: int
    crossing: float
    neighbors: bool = False


@dataclass(frozen=True)
class Theorem:
    """A published or documented criterion.

    `attempt(box)` checks every hypothesis in balls and returns an `Attempt`, whose leaf holds the hints that
    the checker wants. To add a criterion, write that function and one object of this class in a file of
    `theorems/`, its proof in docs/theory/, and its re-verification in `checker.py`.

    Attributes
    ----------
    name, conclusion, source : str
    hypotheses : tuple of str
    attempt : callable
    cost : int
        0 for a closed form, then up. The cheapest is tried first, those above 1 only where the others fail at
        the middle of a box, or nearly.
    couplings : tuple of str
        The kinds of coupling that it speaks of, as certificates write them.
    verified_as : str
        The name under which the checker knows it, if that is not its own.
    rank : int, optional
        Its place among those that a diagram tries, whose cells name the first that proves them; None: none.
    criterion : Criterion, optional
        Its inequality, where that has a ratio.
    """

    name: str
    conclusion: str
    hypotheses: tuple[str, ...]
    source: str
    attempt: Callable[[Box], Attempt] = field(repr=False)
    cost: int
    couplings: tuple[str, ...] = ("all-to-all", "rank-one")
    verified_as: str = ""
    rank: int | None = None
    criterion: Criterion | None = field(default=None, repr=False)

    @property
    def dear(self) -> bool:
        """Whether cutting a box is often quicker than trying this on it."""
        return self.cost > 1

    def applies(self, family: Family) -> bool:
        """Whether the family's coupling is of the kind that the theorem speaks of."""
        return family.coupling["kind"] in self.couplings

    def on(self, box: Box) -> Attempt:
        """The attempt on a box, with its leaf as a certificate keeps it."""
        try:
            found = self.attempt(box)
        except Spent as spent:
            if not spent.of_a_box:
                raise
            return Attempt(None, reason=str(spent))
        if found.leaf is None:
            return found
        return replace(found, leaf=box.leaf(self.verified_as or self.name, **found.leaf))
