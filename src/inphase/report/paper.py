"""`paper`: a page of tables, figures and animations, with the results beside the published ones."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from matplotlib.figure import Figure

from inphase.checks import check_name, finite_number
from inphase.report import style
from inphase.report.animation import still
from inphase.report.html import data_uri, document, fact_table, image, marked, plain, plate

LARGEST_DRAWING = 1_500_000  # bytes of a figure as lines and letters; larger ones become pixels
BETTER = ("lower", "higher")


@dataclass(frozen=True)
class Section:
    """A heading.

    Parameters
    ----------
    title : str
    """

    title: str


@dataclass(frozen=True)
class Text:
    """Paragraphs, parted by empty lines; `code` between backquotes, powers as 10^6, all else as it is.

    Parameters
    ----------
    text : str
    """

    text: str


@dataclass(frozen=True)
class Measured:
    """A result with its error, and what it is to be compared with.

    Parameters
    ----------
    value : float
    error : float, optional
        Its standard error, or whatever the table's caption says.
    published : float, optional
        The figure of the paper.
    limit : float, optional
        What was to be reached.
    note : str, optional
        A few words below.
    better : "lower", "higher" or None
        Which side of the published figure and of the limit is wanted; None: the published figure is shown,
        not judged.

    Raises
    ------
    ValueError, TypeError
        If a number is not finite, the error is negative, `better` is unknown, or None while there is a limit.

    Examples
    --------
    >>> one = Measured(0.0404, 0.0012, published=0.0667)
    >>> one.reaches(one.published)
    True
    """

    value: float
    error: float | None = None
    published: float | None = None
    limit: float | None = None
    note: str | None = None
    better: str | None = "lower"

    def __post_init__(self) -> None:
        finite_number("value", self.value)
        for name in ("error", "published", "limit"):
            if getattr(self, name) is not None:
                finite_number(name, getattr(self, name), least=0.0 if name == "error" else None)
        if self.better is not None:
            check_name("better", self.better, BETTER)
        elif self.limit is not None:
            raise ValueError(f"better must be one of {', '.join(BETTER)} where there is a limit; got None")

    def reaches(self, bound: float) -> bool:
        """Whether the value, without its error, is at the bound or on the better side of it."""
        return self.value >= bound if self.better == "higher" else self.value <= bound


@dataclass(frozen=True)
class Table:
    """A table; its first column names the rows.

    Parameters
    ----------
    title : str
    columns : sequence of str
        Names, that of the first column first.
    rows : sequence of sequences
        Cells: text, numbers (six digits), yes and no, None (a dash) or `Measured`; as many as columns.
    caption : str
        As in `Text`, one paragraph.
    groups : sequence of (str, int)
        Names above the columns after the first, each with the number of columns below it.

    Raises
    ------
    ValueError
        If rows or groups do not fit the columns.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    caption: str = ""
    groups: Sequence[tuple[str, int]] = ()

    def __post_init__(self) -> None:
        for i, row in enumerate(self.rows):
            if isinstance(row, str) or len(row) != len(self.columns):
                raise ValueError(
                    f"rows[{i}] must have {len(self.columns)} cells, one for each column; got {row!r:.80}"
                )
        if self.groups and sum(span for _, span in self.groups) != len(self.columns) - 1:
            raise ValueError(
                f"groups must cover the {len(self.columns) - 1} columns after the first; got {self.groups!r}"
            )


@dataclass(frozen=True, eq=False)
class Plate:
    """A figure with its caption.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    title : str
    caption : str
        As in `Text`, one paragraph.
    """

    figure: Figure
    title: str
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Motion:
    """An animation, which stands still for readers who asked their system for less motion.

    Parameters
    ----------
    animation : bytes
        PNG, GIF or WebP; from `inphase.report.animation`.
    title : str
    caption : str
        As in `Text`, one paragraph.
    still : matplotlib.figure.Figure, optional
        What stands for it; the last frame if not given.
    """

    animation: bytes
    title: str
    caption: str = ""
    still: Figure | None = None


Part = Section | Text | Table | Plate | Motion


def paper(title: str, subtitle: str, parts: Iterable[Part], provenance: Mapping[str, Any]) -> str:
    """One HTML document with figures and animations inside, without scripts or external resources.

    Parameters
    ----------
    title, subtitle : str
    parts : iterable of Section, Text, Table, Plate, Motion
        In the order in which they are read.
    provenance : mapping
        Names and values: versions, seed, settings, wall time. A mapping within it becomes rows of its own.

    Returns
    -------
    str
        HTML; everything that is given is escaped.

    Raises
    ------
    TypeError
        If a part is of none of these kinds.
    ValueError
        If an animation is no image.

    Examples
    --------
    >>> html = paper("A < B", "seed 0", [Text("Done.")], {"seed": 0})
    >>> "<h1>A &lt; B</h1>" in html and "<p>Done.</p>" in html
    True
    """
    body = "\n".join(_part(part) for part in parts)
    return document(title, _prose(subtitle), body, fact_table(_flat(provenance)), "paper")


def _part(part: Part) -> str:
    match part:
        case Section(title):
            return f"<h2>{escape(title)}</h2>"
        case Text(text):
            return "\n".join(f"<p>{_prose(piece)}</p>" for piece in re.split(r"\n\s*\n", text.strip()))
        case Table():
            return _table(part)
        case Plate(figure, title, caption):
            return plate(_drawn(figure, title), title, _prose(caption))
        case Motion():
            return _motion(part)
    raise TypeError(f"parts must be Section, Text, Table, Plate or Motion; got {part!r:.80}")


def _prose(text: str) -> str:
    """Escaped, with `code` and powers of ten."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", marked(text))


def _flat(values: Mapping[str, Any], front: str = "") -> Iterable[tuple[str, str]]:
    for key, value in values.items():
        name = front + str(key).replace("_", " ")
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}: ")
        else:
            yield name, plain(value)


# --------------------------------------------------------------------------------------------------- pictures


def _drawn(figure: Figure, title: str) -> str:
    """A figure as lines and letters; as pixels where those would be too many."""
    if len(style.svg(figure)) <= LARGEST_DRAWING:
        return image(figure, title)
    return f'<img src="{data_uri(style.png(figure))}" alt="{escape(title)}">'


def _motion(part: Motion) -> str:
    calm = still(part.animation) if part.still is None else style.svg(part.still)
    shown = (
        f'<picture class="motion"><source media="(prefers-reduced-motion: reduce)" srcset="{data_uri(calm)}">'
        f'<img src="{data_uri(part.animation)}" alt="{escape(part.title)} (animation)"></picture>'
    )
    return plate(shown, part.title, _prose(part.caption))


# ----------------------------------------------------------------------------------------------------- tables


def _table(table: Table) -> str:
    first, *others = (escape(name) for name in table.columns)
    columns = "".join(f'<th scope="col">{name}</th>' for name in others)
    if table.groups:
        cells = (
            f'<th scope="colgroup" class="group" colspan="{span}">{escape(name)}</th>'
            for name, span in table.groups
        )
        above = "".join(cells)
        head = f'<tr><th scope="col" rowspan="2">{first}</th>{above}</tr>\n<tr>{columns}</tr>'
    else:
        head = f'<tr><th scope="col">{first}</th>{columns}</tr>'
    body = "\n".join(
        f'<tr><th scope="row">{marked(row[0])}</th>{"".join(map(_cell, row[1:]))}</tr>' for row in table.rows
    )
    title, legend = escape(table.title), _legend(table)
    return (
        f'<figure class="table">\n<figcaption><strong>{title}.</strong> {_prose(table.caption)}</figcaption>\n'
        f'<div class="scroll" role="region" aria-label="{title}" tabindex="0">\n'
        f'<table class="results"><thead>\n{head}\n</thead><tbody>\n{body}\n</tbody></table>\n</div>{legend}\n</figure>'
    )


def _cell(value: Any) -> str:
    if not isinstance(value, Measured):
        kind = "words" if isinstance(value, str) else "number"
        return f'<td class="{kind}">{marked(value)}</td>'
    lines = [_number(value)]
    for bound, name in ((value.published, "paper"), (value.limit, "goal")):
        if bound is not None:
            lines.append(_compared(value, bound, name))
    if value.note is not None:
        lines.append(f"<small>{_prose(value.note)}</small>")
    return f"<td>{''.join(lines)}</td>"


def _number(measured: Measured) -> str:
    """The value to its error's second digit; without one, to four, or as many as tell it from its bounds."""
    value, error = measured.value, measured.error
    if error and 1e-12 < error < 1e6:
        places = max(0, 1 - math.floor(math.log10(error)))
        return marked(f"{value:.{places}f} ± {error:.{places}f}".replace("-", "−"))
    bounds = [bound for bound in (measured.published, measured.limit) if bound is not None]
    digits = next(
        (d for d in range(4, 12) if all(float(f"{value:.{d}g}") != b or value == b for b in bounds)), 12
    )
    shown = (
        marked(float(f"{value:.{min(digits, 6)}g}"))
        if digits <= 6
        else f"{value:.{digits}g}".replace("-", "−")
    )
    return shown if error is None else f"{shown} ± {marked(float(error))}"


def _compared(measured: Measured, bound: float, name: str) -> str:
    shown = marked(float(bound))
    if measured.better is None:
        return f"<small>({name} {shown})</small>"
    reached = measured.reaches(bound)
    sign = {("lower", True): "≤", ("lower", False): "&gt;", ("higher", True): "≥", ("higher", False): "&lt;"}
    mark, kind = ("✓", "reached") if reached else ("✗", "missed")
    return f'<small class="{kind}">{mark} {sign[measured.better, reached]} {shown} {name}</small>'


def _legend(table: Table) -> str:
    """What the marks mean, where there are any, and how many of each."""
    cells = [
        cell for row in table.rows for cell in row if isinstance(cell, Measured) and cell.better is not None
    ]
    told = []
    for name, what in (("published", "the paper’s figure"), ("limit", "the goal")):
        bounds = [(cell, getattr(cell, name)) for cell in cells if getattr(cell, name) is not None]
        if bounds:
            told.append(f"{sum(cell.reaches(bound) for cell, bound in bounds)} of {len(bounds)} reach {what}")
    if not told:
        return ""
    return f"\n<p>✓ reached, ✗ not reached, by the value without its error: {', '.join(told)}.</p>"
