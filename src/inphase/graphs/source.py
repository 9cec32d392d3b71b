"""How a graph was read: what the file said, and what had to be decided where it did not say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

ASCENDING, LISTED, APPEARANCE = "ascending", "as the file lists them", "in order of appearance"


@dataclass(frozen=True)
class Source:
    """How a graph was read; `str` of it is one line, which summaries and reports print.

    Attributes
    ----------
    file : str
        The name of the file.
    format : str
        What it was taken for, such as ``"edge list"``.
    directed : bool or None
        Whether its edges were taken as directed; None for a matrix, which is taken as it is.
    weight : str
        Where the weights come from.
    order : str
        The order of the nodes: ascending, as the file lists them, or in the order in which edges name them.
    notes : tuple of str
        What was merged, dropped, ignored or guessed; empty where nothing was.
    lacking : mapping of str to str
        Attributes of nodes that are no column, and why: a node that lacks it, or has no number.

    Examples
    --------
    >>> str(Source("a.csv", "edge list", False, "weights 1", ASCENDING, ("not used: year",)))
    'a.csv: edge list, undirected, weights 1, nodes ascending; not used: year'
    """

    file: str
    format: str
    directed: bool | None
    weight: str
    order: str
    notes: tuple[str, ...] = ()
    lacking: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        direction = {None: [], True: ["directed"], False: ["undirected"]}[self.directed]
        parts = [self.format, *direction, self.weight, f"nodes {self.order}"]
        return "; ".join([f"{self.file}: {', '.join(parts)}", *self.notes])

    def and_note(self, note: str) -> Source:
        """The same with one more note."""
        return replace(self, notes=(*self.notes, note))


def counted(count: int, what: str, verb: str = "") -> str:
    """A number of things, and a verb in the past that agrees with it.

    Examples
    --------
    >>> counted(1, "edge", "dropped"), counted(2, "edge")
    ('1 edge was dropped', '2 edges')
    """
    words = f"{count} {what}{'' if count == 1 else 's'}"
    return f"{words} {'was' if count == 1 else 'were'} {verb}" if verb else words


def named(names: Sequence[str]) -> str:
    """Some names in one line, the first few of many.

    Examples
    --------
    >>> named(list("abcdefghij"))
    'a, b, c, d, e, f, g, h and 2 more'
    """
    shown = ", ".join(f"{' '.join(name.split()):.40}" for name in names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
