"""Edge lists: which columns of a table are source, target and weight, and what says so.

A header says it, in the first line or in the last comment above the lines; without one the third column is the
weight. What is neither is refused, with the columns that there are.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from inphase.graphs.building import NO_WEIGHTS, WEIGHT_NAMES, Found, Wanted
from inphase.graphs.source import APPEARANCE, ASCENDING, counted, named
from inphase.stored import reading
from inphase.tables import COMMENTS, Table, is_float, is_index, one_line, read_table, read_text

PAIRS = (
    ("source", "target"), ("from", "to"), ("src", "dst"), ("tail", "head"), ("sender", "receiver"), ("pre", "post"),
    ("u", "v"), ("fromnode", "tonode"), ("fromnodeid", "tonodeid"), ("frombus", "tobus"), ("sourceid", "targetid"),
    ("fromid", "toid"), ("node1", "node2"), ("id1", "id2"),
)  # fmt: skip
NO_NODES = NO_WEIGHTS | {"name", "node", "nodes", "edge", "edges", "from", "to", "strength", *WEIGHT_NAMES}
NETWORKX = re.compile(r"\S+\s+\S+\s+\{.*\}\s*")
KONECT = re.compile(r"%\s*(sym|asym|bip)\b\s*(\w*)")
HEAD = 100  # lines in which comments may say what follows


class Head(NamedTuple):
    """What stands above the edges: comments, and the first line of an edge or a header."""

    comments: list[str]
    first: str


class Layout(NamedTuple):
    """Which columns are source, target and weight (a column, or one number for all), and what is to be said of it."""

    source: int
    target: int
    weight: int | float
    headed: bool
    words: str
    notes: list[str]
    type: int | None = None


def edge_list(file: Path, wanted: Wanted) -> Found:
    """The edges of a table."""
    head = _head(file)
    if NETWORKX.fullmatch(head.first):
        return _of_networkx(file, wanted)
    table = read_table(file)
    if not table.rows:
        raise ValueError(f"{file} must hold a graph with edges; got none")
    konect = next((match for line in head.comments[:1] if (match := KONECT.match(line))), None)
    layout = _layout(table, head, wanted, konect is not None)
    table = table.under_header() if layout.headed else table
    if not table.rows:
        raise ValueError(f"{file} must hold a graph with edges; got none")
    weights = (
        table.numbers(layout.weight, "weight")
        if isinstance(layout.weight, int)
        else np.full(len(table.rows), layout.weight)
    )
    directed = _directed(table, layout)
    ends = _ends(table, layout)
    form = "edge list"
    if konect is not None:
        form, directed = "KONECT edge list", konect[1] == "asym"
    if konect is not None and konect[1] == "bip":
        return _bipartite(ends, weights, layout, wanted, file)
    position, labels, order = _positions(table, *ends, wanted.n, layout.notes)
    sources, targets = ([position[name] for name in names] for names in ends)
    return Found(
        sources,
        targets,
        weights,
        len(labels),
        form,
        layout.words,
        order,
        bool(directed),
        labels,
        notes=layout.notes,
    )


def _head(file: Path) -> Head:
    """The comments and the first other line, if it is among the first lines."""
    comments: list[str] = []
    with file.open(encoding="utf-8-sig", errors="replace") as opened:
        for _ in range(HEAD):
            line = opened.readline(1 << 16)
            text = line.strip()
            if not line or (text and not text.startswith(COMMENTS)):
                return Head(comments, text)
            if text:
                comments.append(text)
    return Head(comments, "")


# ---------------------------------------------------------------------------------------------- the columns


def _layout(table: Table, head: Head, wanted: Wanted, konect: bool) -> Layout:
    """What each column is; ValueError where that is not plain."""
    first = table.rows[0]
    if wanted.columns is not None:
        return _as_asked(table, wanted)
    pair = _pair_in(first)
    if pair is not None:
        return _weighted(table, pair, wanted, True, first)
    said = _fields_of(head.comments[-1], table) if head.comments else ()
    pair = _pair_in(said)
    if pair is not None and len(said) == len(first):
        return _weighted(table, pair, wanted, False, said)
    if isinstance(wanted.weight, str):
        raise ValueError(
            f"{table.at(0)}: weight={wanted.weight!r} needs a header with source, target; got {one_line(first):.80}"
        )
    _check_unnamed(table, konect, wanted.kind)
    constant = wanted.weight
    if constant is not None or len(first) == 2:
        given = 1.0 if constant is None else constant
        return Layout(0, 1, given, False, f"weights {given:g}", [])
    notes = [] if len(first) == 3 else [f"not used: {named([f'column {k}' for k in range(3, len(first))])}"]
    return Layout(0, 1, 2, False, "weights from the third column", notes)


def _check_unnamed(table: Table, konect: bool, kind: str | None) -> None:
    """ValueError unless a table without a header can be a list of edges, and nothing else."""
    first, rows = table.rows[0], table.rows
    got = one_line(first)
    if any(field.startswith(COMMENTS) for field in first):
        raise ValueError(f"{table.at(0)}: a comment must stand in a line of its own; got {got!r:.80}")
    if kind is None and _is_matrix(table):
        raise ValueError(
            f"{table.at(0)}: {len(rows)} lines of {len(first)} numbers look like a matrix, not like edges; "
            'kind="matrix" reads it as K, kind="edges" as source, target, weight'
        )
    header = any(field.casefold() in NO_NODES for field in first)
    if header or (len(first) == 3 and len(rows) > 1 and _heads(table, 2)):
        raise ValueError(
            f"{table.at(0)}: a header must have the names source and target (or from and to, u and v, ...), "
            f"or columns=(source, target) must name them; got {got:.80}"
        )
    if len(first) not in (2, 3) and not (konect and len(first) == 4):
        raise ValueError(f"{table.at(0)}: expected source, target[, weight], or a header; got {got!r:.80}")


def _heads(table: Table, k: int) -> bool:
    """Whether the first field of a column is a text above numbers."""
    return not table.is_number(table.rows[0][k]) and table.is_number(table.rows[1][k])


def _is_matrix(table: Table) -> bool:
    """Whether there are as many numbers in a line as lines, and they would be strange edges."""
    width = len(table.rows[0])
    if (
        width < 3
        or len(table.rows) != width
        or not all(is_float(field) for row in table.rows for field in row)
    ):
        return False
    matrix = np.array(table.rows, dtype=float)
    whole = bool(np.all(matrix[:, :2] == np.round(matrix[:, :2])))
    return width > 3 or not whole or bool(np.array_equal(matrix, matrix.T) or np.any(matrix[:, 2] == 0))


def _pair_in(names: Sequence[str]) -> tuple[int, int] | None:
    """Where source and target stand in a header, in one of the ways to call them."""
    plain = [re.sub(r"[\s_.-]", "", name.casefold()) for name in names]
    return next(((plain.index(u), plain.index(v)) for u, v in PAIRS if u in plain and v in plain), None)


def _fields_of(comment: str, table: Table) -> tuple[str, ...]:
    """The fields of a comment that may be the header."""
    text = comment.lstrip("".join(COMMENTS)).strip()
    for mark in (table.separator, ",", "\t"):
        fields = text.split() if mark == " " else text.split(mark)
        if len(fields) == len(table.rows[0]):
            return tuple(field.strip() for field in fields)
    return tuple(text.split())


def _as_asked(table: Table, wanted: Wanted) -> Layout:
    """The columns that were asked for, by names of the header or by numbers from 0 on."""
    first, asked = table.rows[0], [*(wanted.columns or ())]
    headed = any(isinstance(name, str) and name in first for name in (*asked, wanted.weight))
    ends = []
    for name in asked:
        if isinstance(name, str) and first.count(name) == 1:
            ends.append(first.index(name))
        elif is_index(name, len(first)):
            ends.append(int(name))
        else:
            known = one_line(first) if headed or isinstance(name, str) else f"0 to {len(first) - 1}"
            raise ValueError(f"{table.at(0)}: columns must be two of {known:.400}; got {name!r:.80}")
    if ends[0] == ends[1]:
        raise ValueError(f"{table.at(0)}: columns must be two different ones; got {asked!r:.80}")
    names = first if headed else tuple(f"column {k}" for k in range(len(first)))
    return _weighted(table, (ends[0], ends[1]), wanted, headed, names)


def _weighted(
    table: Table, ends: tuple[int, int], wanted: Wanted, headed: bool, names: tuple[str, ...]
) -> Layout:
    """The column of the weights, by its name; never 1 where there is one that may be meant."""
    small = [name.casefold() for name in names]
    known = [k for name in WEIGHT_NAMES for k, word in enumerate(small) if word == name and k not in ends]
    column = known[0] if known else None
    if isinstance(wanted.weight, str):
        column = names.index(wanted.weight) if wanted.weight in names else None
        if column is None and wanted.weight.casefold() in small:
            column = small.index(wanted.weight.casefold())
        if column is None:
            raise ValueError(
                f"{table.at(0)}: the header must have the column {wanted.weight!r}; got {one_line(names):.400}"
            )
    elif wanted.weight is not None:
        column = None
    others = [k for k in range(len(names)) if k not in (*ends, column)]
    if column is None and wanted.weight is None and len(table.rows) > headed:
        row = table.rows[int(headed)]
        meant = [names[k] for k in others if small[k] not in NO_WEIGHTS and table.is_number(row[k])]
        if meant:
            raise ValueError(
                f"{table.at(0)}: the header names no weight; columns of numbers: {named(meant)}. Give "
                f"weight={meant[0]!r:.80}, or weight=1 for no weights"
            )
    row = table.rows[-1]
    kinds = [k for k in others if small[k] == "type" and row[k].casefold() in ("directed", "undirected")]
    unused = [names[k] for k in others if k not in kinds[:1]]
    notes = [f"not used: {named(unused)}"] if unused else []
    kind = kinds[0] if kinds else None
    if column is not None:
        return Layout(*ends, column, headed, f"weights from {names[column]:.40}", notes, kind)
    given = float(wanted.weight) if isinstance(wanted.weight, float | int) else 1.0
    return Layout(*ends, given, headed, f"weights {given:g}", notes, kind)


def _directed(table: Table, layout: Layout) -> bool:
    """What a column Type says, as Gephi writes it; ValueError where both kinds are mixed."""
    if layout.type is None:
        return False
    kinds = [kind.casefold() for kind in table.texts(layout.type)]
    other = next((row for row, kind in enumerate(kinds) if kind != kinds[0]), None)
    if other is not None:
        raise ValueError(
            f"{table.at(other)}: directed and undirected edges cannot be mixed in one graph; got the types "
            f"{kinds[0]:.40} and {kinds[other]:.40}"
        )
    return kinds[0] == "directed"


# ------------------------------------------------------------------------------------------------ the nodes


def _ends(table: Table, layout: Layout) -> tuple[list[str], list[str]]:
    """The names of sources and targets; ValueError for one without a name."""
    sources, targets = table.texts(layout.source), table.texts(layout.target)
    if "" in sources or "" in targets:
        row = next(row for row, pair in enumerate(zip(sources, targets)) if "" in pair)
        got = one_line(table.rows[row])
        raise ValueError(f"{table.at(row)}: source and target must be named; got {got!r:.80}")
    return sources, targets


def _positions(
    table: Table, sources: list[str], targets: list[str], n: int | None, notes: list[str]
) -> tuple[dict[str, int], Sequence[Hashable], str]:
    """Node number by name, the labels of the nodes, and their order."""
    if n is not None:
        for row, pair in enumerate(zip(sources, targets)):
            for name in pair:
                if not (is_whole(name) and int(name) < n):
                    raise ValueError(
                        f"{table.at(row)}: nodes must be whole numbers from 0 to {n - 1}; got {name!r:.80}"
                    )
        return {name: int(name) for name in {*sources, *targets}}, range(n), ASCENDING
    known = {*sources, *targets}
    whole = [name for name in known if is_whole(name)]
    if len(whole) == len(known):
        numbers = sorted(map(int, known))
        return {str(number): i for i, number in enumerate(numbers)}, numbers, ASCENDING
    names = list(dict.fromkeys(name for pair in zip(sources, targets) for name in pair))
    if len(names) > 2 and all(map(is_whole, names[2:])) and not (is_whole(names[0]) or is_whole(names[1])):
        got = one_line(names[:2])
        raise ValueError(f"{table.at(0)}: a header must have the names source and target; got {got:.80}")
    if whole:
        odd = next(name for name in names if not is_whole(name))
        notes.append(f"{odd!r:.40} is no whole number, so that nodes are not sorted")
    return {name: i for i, name in enumerate(names)}, names, APPEARANCE


def is_whole(name: str) -> bool:
    """Whether a name is a whole number as Python writes it."""
    return len(name) < 19 and name.isdecimal() and name == str(int(name))


def _bipartite(
    ends: tuple[list[str], list[str]], weights: Any, layout: Layout, wanted: Wanted, file: Path
) -> Found:
    """Two sides whose nodes are numbered each from 1 on: the left ones first, and a column that tells the sides."""
    if wanted.directed:
        raise ValueError(f"{file} holds a bipartite graph, which is undirected; got directed=True")
    sides = [sorted({*names}, key=lambda name: (len(name), name)) for names in ends]
    at = [{name: i for i, name in enumerate(side)} for side in sides]
    labels = [f"{word} {name}" for word, side in zip(("left", "right"), sides) for name in side]
    sources, targets = [at[0][name] for name in ends[0]], [len(sides[0]) + at[1][name] for name in ends[1]]
    column = np.repeat([0.0, 1.0], [len(side) for side in sides])
    note = f"bipartite: {counted(len(sides[0]), 'node')} on the left (side 0), {len(sides[1])} on the right (side 1)"
    return Found(
        sources, targets, weights, len(labels), "KONECT edge list", layout.words, "left, then right, each ascending",
        False, labels, {"side": column}, notes=[*layout.notes, note],
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------- networkx's own


def _of_networkx(file: Path, wanted: Wanted) -> Found:
    """Lines `u v {...}`, as networkx.write_edgelist has them."""
    name = wanted.weight if isinstance(wanted.weight, str) else "weight"
    starts: list[int] = []
    rows: list[tuple[str, ...]] = []
    weights: list[float] = []
    without = 0
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith(COMMENTS):
            continue
        if not NETWORKX.fullmatch(line.strip()):
            raise ValueError(f"{file}, line {number}: expected source, target and {{...}}; got {line!r:.80}")
        u, v, text = line.split(maxsplit=2)
        with reading(file, f"must have a dictionary at the end of line {number}: {{}}"):
            known = ast.literal_eval(text)
        value = known.get(name) if isinstance(known, dict) else None
        if value is None and isinstance(wanted.weight, str):
            raise ValueError(f"{file}, line {number}: the edge has no {name!r}")
        if isinstance(wanted.weight, float):
            value = wanted.weight
        if value is not None and not (
            isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e308
        ):
            raise ValueError(f"{file}, line {number}: weight must be a finite number; got {value!r:.80}")
        without += value is None
        starts.append(number)
        rows.append((u, v))
        weights.append(1.0 if value is None else float(value))
    table = Table(file, " ", starts, rows)
    notes = [] if without in (0, len(rows)) else [f"{counted(without, 'edge')} without {name} read as 1"]
    ends = table.texts(0), table.texts(1)
    position, labels, order = _positions(table, *ends, wanted.n, notes)
    sources, targets = ([position[label] for label in end] for end in ends)
    words = "weights 1" if without == len(rows) else f"weights from {name}"
    return Found(
        sources,
        targets,
        weights,
        len(labels),
        "edge list of networkx",
        words,
        order,
        False,
        labels,
        notes=notes,
    )
