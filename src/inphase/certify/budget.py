"""An end for every computation in balls: what it may evaluate and, where asked for, the seconds it may take.

The unit of work is one node of a formula in one term of a power series, about a microsecond. Whoever evaluates
spends from the budget that was handed down; `Spent` ends what is not worth more.
"""

from __future__ import annotations

import math
import time

from inphase.checks import finite_number, integer
from inphase.expression import Expression

BOXES = 20_000
WORK = 2_000  # for one box, in the mean
SHARE = 500  # times that is what one box alone may take


class Spent(RuntimeError):
    """A budget is spent; the message says which, and on what. `over` is the budget."""

    def __init__(self, over: Budget, words: str) -> None:
        super().__init__(words)
        self.over = over

    @property
    def of_a_box(self) -> bool:
        """Whether one box has had its part, and the search may go on."""
        return self.over.whole is not None


class Budget:
    """What a computation may take: boxes, which stand for work, and seconds.

    A number of boxes alone is an end that is the same on every machine; seconds are one that is not.

    Parameters
    ----------
    boxes : int
        How many boxes a search may have, and how many times `WORK` it may evaluate.
    seconds : float, optional
        From now on; None: no limit.

    Raises
    ------
    TypeError, ValueError
        If `boxes` is not a positive integer, or `seconds` not a number that is at least 0.

    Examples
    --------
    >>> budget = Budget(boxes=1)
    >>> budget.part().spend(2_001)
    Traceback (most recent call last):
        ...
    inphase.certify.budget.Spent: the work of a budget of 1 boxes is done: give a larger one, or smaller ranges
    """

    __slots__ = ("at", "boxes", "deadline", "left", "seconds", "whole")

    def __init__(self, boxes: int = BOXES, seconds: float | None = None) -> None:
        self.boxes = integer("budget", boxes, least=1)
        self.seconds = None if seconds in (None, math.inf) else finite_number("seconds", seconds, least=0)
        self.deadline = math.inf if self.seconds is None else time.monotonic() + self.seconds
        self.left = self.boxes * WORK
        self.whole: Budget | None = None
        self.at = ""  # what is being done, in words

    def part(self) -> Budget:
        """What one box may take of this."""
        found = Budget(self.boxes)
        found.left, found.whole, found.deadline = SHARE * WORK, self, self.deadline
        return found

    def afresh(self, boxes: int | None = None) -> Budget:
        """The same work once more, or that for `boxes`, to the same moment."""
        found = Budget(boxes or self.boxes)
        found.seconds, found.deadline = self.seconds, self.deadline
        return found

    @property
    def end(self) -> str:
        """What to say where the boxes are spent."""
        return f"the work of a budget of {self.boxes} boxes is done: give a larger one, or smaller ranges"

    @property
    def seconds_left(self) -> float | None:
        """None without a limit."""
        return None if self.deadline == math.inf else max(0.0, self.deadline - time.monotonic())

    def spend(self, work: int) -> None:
        """Take units of work out; `Spent` if there are not so many, or the time is over."""
        self.left -= work
        if self.whole is not None:
            if self.left < 0:
                self._stop("one box takes too much work")
            self.whole.spend(work)
        elif self.left < 0:
            self._stop(self.end)
        elif time.monotonic() >= self.deadline:
            self._stop(f"the time limit of {self.seconds:g} s is over: give more seconds, or smaller ranges")

    def _stop(self, words: str) -> None:
        raise Spent(self, words + (f" ({self.at})" if self.at else ""))


def weight(formula: Expression) -> int:
    """The work of one term: the nodes of the formula, equal ones once, powers by their squarings."""
    seen, found, stack = {id(formula)}, 0, [formula]
    while stack:
        node = stack.pop()
        found += int(node.value).bit_length() if node.kind == "**" else 1
        for child in node.arguments:
            if id(child) not in seen:
                seen.add(id(child))
                stack.append(child)
    return found
