"""A two-parameter family as a table of proved, refuted and undecided cells, and its figure."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from inphase.certify.balls import precision
from inphase.certify.budget import Budget, Spent
from inphase.certify.family import Family, family
from inphase.certify.refute import equal_clusters
from inphase.certify.stable import EQUAL_CLUSTERS
from inphase.certify.synchronization import prove_box
from inphase.certify.theorem import Box, Theorem
from inphase.certify.theorems import THEOREMS
from inphase.signals import ended_by_signals, follow

RANKED = sorted((t for t in THEOREMS.values() if t.rank is not None), key=lambda t: t.rank or 0)
CELL = 1500  # boxes whose work one cell may take
COLORS = {"proved": "#2a9d5c", "refuted": "#c8553d", "undecided": "#d9d9d9"}


@dataclass(frozen=True)
class Cell:
    """A closed cell of the diagram: its ranges, the verdict for all of it, the theorem that gave it."""

    ranges: dict[str, tuple[float, float]]
    verdict: str
    theorem: str


@dataclass(frozen=True)
class Diagram:
    """The cells of a two-parameter family, row by row, and what to call them."""

    formula: str
    names: tuple[str, str]
    size: tuple[int, int]
    cells: list[Cell]

    def table(self) -> str:
        """The cells as comma-separated text with a header."""
        a, b = self.names
        lines = [f"{a}_lo,{a}_hi,{b}_lo,{b}_hi,verdict,theorem"]
        for cell in self.cells:
            (p, q), (r, s) = cell.ranges[a], cell.ranges[b]
            lines.append(f"{p!r},{q!r},{r!r},{s!r},{cell.verdict},{cell.theorem}")
        return "\n".join(lines) + "\n"

    def count(self, verdict: str) -> int:
        """How many cells have the verdict."""
        return sum(cell.verdict == verdict for cell in self.cells)

    def figure(self, path: str | os.PathLike[str]) -> None:
        """Draw the diagram into a file (PNG, SVG or PDF by its name)."""
        from matplotlib.colors import ListedColormap
        from matplotlib.figure import Figure
        from matplotlib.patches import Patch

        words, (columns, rows) = list(COLORS), self.size
        values = [
            [words.index(self.cells[r * columns + c].verdict) for c in range(columns)] for r in range(rows)
        ]
        first, last = self.cells[0].ranges, self.cells[-1].ranges
        (a, b), canvas = self.names, Figure(figsize=(6.4, 5.2), layout="constrained")
        axes = canvas.add_subplot()
        axes.imshow(
            values, origin="lower", aspect="auto", cmap=ListedColormap(list(COLORS.values())), vmin=0, vmax=2,
            extent=(first[a][0], last[a][1], first[b][0], last[b][1]),
        )  # fmt: skip
        axes.set(xlabel=a, ylabel=b, title=f"f(x) = {self.formula}")
        axes.legend(
            handles=[Patch(color=color, label=word) for word, color in COLORS.items()], loc="upper right"
        )
        canvas.savefig(path, dpi=150)


def diagram(
    subject: Any,
    *,
    size: int | tuple[int, int] = 50,
    workers: int = 1,
    depth: int = 3,
    seconds: float | None = None,
    progress: Callable[[float, str], None] | None = None,
    **ranges: Any,
) -> Diagram:
    """Cut a family's two parameters into cells, each proved or refuted for every point of it, or undecided.

    Cells are decided in balls but make no certificate; `synchronization` on a cell's ranges makes one that
    can be checked.

    Parameters
    ----------
    subject : str, Interaction or callable
        The family, as in `synchronization`; for any number of oscillators and any positive weights.
        "Refuted": some n fails.
    size : int or (int, int)
        Cells along each parameter.
    workers : int
        Processes that share the rows.
    depth : int
        How often a cell may be halved before it is left undecided; the work for a cell is limited, too.
    seconds : float, optional
        A time limit, after which cells are left undecided; the diagram then depends on the machine.
    progress : callable, optional
        Called with the fraction done and a few words.
    **ranges : (lo, hi)
        Exactly two parameters with finite ranges; others may be fixed numbers.

    Returns
    -------
    Diagram
        With `cells`, `table()` and `figure(path)`.

    Raises
    ------
    ValueError
        If there are not exactly two ranges.

    Examples
    --------
    >>> found = diagram("sin(x) + a*sin(2*x) + b*sin(3*x)", size=2, a=(0, 0.25), b=(0, 0.125))
    >>> found.cells[0].verdict, found.size
    ('proved', (2, 2))
    """
    known = family(subject, ranges)
    names = tuple(name for name, (lo, hi) in known.ranges.items() if lo < hi)
    if len(names) != 2:
        raise ValueError(f"a diagram needs exactly two parameters with ranges (lo, hi); got {list(names)}")
    columns, rows = (size, size) if isinstance(size, int) else size
    if columns < 1 or rows < 1:
        raise ValueError(f"size must be positive; got {size!r}")
    across, along = (_grid(known, name, count) for name, count in zip(names, (columns, rows)))
    limit = Budget(CELL, seconds)
    jobs = [(known.formula, dict(known.ranges), names, across, row, depth, limit) for row in pairwise(along)]
    cells: list[Cell] = []
    if workers > 1:
        with ProcessPoolExecutor(workers, initializer=follow) as pool, ended_by_signals():
            # not `map`, which cancels them before they are ended
            futures = [pool.submit(_row, job) for job in jobs]
            for done, future in enumerate(futures, 1):
                cells += future.result()
                if progress:
                    progress(done / rows, f"{done} of {rows} rows")
    else:
        for done, job in enumerate(jobs, 1):
            cells += _row(job)
            if progress:
                progress(done / rows, f"{done} of {rows} rows")
    return Diagram(known.formula, (names[0], names[1]), (columns, rows), cells)


def _grid(known: Family, name: str, count: int) -> list[float]:
    lo, hi = known.ranges[name]
    if lo in (float("-inf"),) or hi in (float("inf"),):
        raise ValueError(f"the range of {name} must be finite for a diagram")
    return [float(Fraction(lo) + (Fraction(hi) - Fraction(lo)) * k / count) for k in range(count + 1)]


def _row(
    job: tuple[str, dict[str, Any], Sequence[str], list[float], tuple[float, float], int, Budget],
) -> list[Cell]:
    formula, whole, names, across, (low, high), depth, limit = job
    known = family(formula, whole)
    found = []
    with precision(64):
        for left, right in pairwise(across):
            ranges = dict(known.ranges) | {
                names[0]: (Fraction(left), Fraction(right)),
                names[1]: (Fraction(low), Fraction(high)),
            }
            verdict, theorem = "undecided", known.obstacle
            if not known.obstacle:
                with suppress(Spent):
                    verdict, theorem = _cell(known, ranges, RANKED, depth, limit.afresh())
            found.append(Cell({names[0]: (left, right), names[1]: (low, high)}, verdict, theorem))
    return found


def _cell(
    known: Family, ranges: dict[str, Any], theorems: list[Theorem], depth: int, budget: Budget
) -> tuple[str, str]:
    """(verdict, theorem) for a whole box: its halves must agree where it is cut."""
    box = Box(known, ranges, budget)
    attempt = prove_box(box, theorems)
    if attempt.leaf is not None:
        return "proved", attempt.leaf["theorem"]
    if box.attracts and equal_clusters(known, box) is not None:
        return "refuted", EQUAL_CLUSTERS
    if depth == 0:
        return "undecided", ""
    middle = {name: ((lo + hi) / 2, (lo + hi) / 2) for name, (lo, hi) in ranges.items()}
    center = Box(known, middle, budget)
    if prove_box(center, theorems).leaf is None and not (center.attracts and equal_clusters(known, center)):
        return "undecided", ""
    name = max(ranges, key=lambda k: ranges[k][1] - ranges[k][0])
    lo, hi = ranges[name]
    verdicts = []
    for part in ((lo, (lo + hi) / 2), ((lo + hi) / 2, hi)):
        verdicts.append(_cell(known, ranges | {name: part}, theorems, depth - 1, budget))
        if verdicts[-1][0] == "undecided" or verdicts[-1][0] != verdicts[0][0]:
            return "undecided", ""
    return verdicts[0]
