"""Tables with a row for each node, joined to a graph by the column that names the nodes.

A column called id, node, label or name, in letters of any size, names them, and so does one of texts that are the nodes.
Where there is none, rows are in the order of the nodes only if that order is plain: not where it is that in which the
edges of a file happen to name them, and not the alphabet's. Whatever else is doubtful is refused; ``by`` decides it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inphase.graphs.graph import Graph
from inphase.graphs.source import APPEARANCE, named
from inphase.tables import ARRAYS, Name, Table, existing, read_column, read_table

KEYS = ("id", "node", "label", "name")  # of columns that name the nodes, the first that fits
ROW = "row"


def join(
    graph: Graph, path: str | PathLike[str], column: Name | None = None, *, by: Name | None = None
) -> Graph:
    """The graph with a column of numbers from a table with a row for each node.

    Parameters
    ----------
    graph : Graph
    path : path-like
        A table as `inphase.tables` reads it; NPY, NPZ or NetCDF, whose rows have no names.
    column : str or int, optional
        The numbers, by name or by number from 0 on; may be left out where there is one column beside the names.
    by : str or int, optional
        The column that names the nodes, or ``"row"`` where rows are in the order of the nodes. By default a column
        ``id``, ``node``, ``label`` or ``name`` (in letters of any size) or one of texts, which must fit; else rows
        are in the order of the nodes, unless that is the order in which edges name them.

    Returns
    -------
    Graph
        Its new column is called as in the table (``numbers`` where that has no names), and its source says how it
        was joined.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError, TypeError
        If the column must be chosen, is not of finite numbers or has not one for each node, or it is doubtful which
        row is whose.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from inphase import graphs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     edges, table = pathlib.Path(folder, "edges.csv"), pathlib.Path(folder, "nodes.csv")
    ...     _ = edges.write_text("source,target\\nc,a\\na,b\\n")
    ...     _ = table.write_text("Id,Label,omega\\na,Alpha,10\\nb,Beta,20\\nc,Gamma,30\\n")
    ...     graph = graphs.join(graphs.read(edges), table, "omega")
    >>> graph.labels, graph.nodes["omega"]
    (('c', 'a', 'b'), array([30., 10., 20.]))
    """
    name, values, note = joined(graph, path, column, by)
    found = graph.with_columns(**{name: values})
    return found if found.source is None else replace(found, source=found.source.and_note(note))


def joined(
    graph: Graph, path: str | PathLike[str], column: Name | None, by: Name | None
) -> tuple[str, NDArray[np.float64], str]:
    """What a column is called, its numbers in the order of the nodes, and how they were joined; see `join`."""
    file = existing(path)
    key: int | None = None
    if file.suffix.lower() in ARRAYS:
        _check_by_row(graph, file, by)
        name, values = "numbers" if column is None else str(column), read_column(file, column)
    else:
        table, k = _table(file, column, by)
        name, values = table.names[k] if table.names else "numbers", table.numbers(k)
        key = _key(table, graph, k, by)
    if key is not None:
        values = values[_order(table, graph, key)]
    elif len(values) != graph.n:
        raise ValueError(f"{file} must hold a row for each of the {graph.n} nodes; got {len(values)}")
    how = "in the order of the rows" if key is None else f"joined by {_called(table, key):.40}"
    return name, values, f"{name:.40} of {file.name} {how}"


def by_row(path: str | PathLike[str], column: Name | None) -> NDArray[np.float64]:
    """Numbers of oscillators that have no names, in the order of the rows; those of a table as `join` chooses them."""
    file = existing(path)
    if file.suffix.lower() in ARRAYS:
        return read_column(file, column)
    table, k = _table(file, column, None)
    return table.numbers(k)


def _table(file: Path, column: Name | None, by: Name | None) -> tuple[Table, int]:
    """A table, and where its numbers stand: in the one column beside those that name the nodes, if none is given."""
    table = read_table(file).headed([name for name in (column, by) if name is not None and name != ROW])
    others = [name for name in table.names if name.casefold() not in KEYS]
    return table, table.position(others[0] if column is None and len(others) == 1 else column)


def _called(table: Table, k: int) -> str:
    return table.names[k] if table.names else f"column {k}"


def _key(table: Table, graph: Graph, k: int, by: Name | None) -> int | None:
    """The column that names the nodes; None for rows in the order of the nodes."""
    if by == ROW:
        return None
    if by is not None:
        return table.position(by)
    small = [name.casefold() for name in table.names]
    keys = [at for key in KEYS for at, name in enumerate(small) if name == key and at != k]
    fits = [key for key in keys if graph.has_labels(_names(table, key, graph))]
    if keys:
        if fits:
            return fits[0]
        known = {*map(str, graph.labels)}  # the nearest will be refused, with the node that it lacks
        return max(keys, key=lambda key: len(known.intersection(map(str, _names(table, key, graph)))))
    others = [at for at in range(len(table.rows[0])) if at != k and _is_same(table, at, graph)]
    texts = [at for at in others if not table.is_number(table.rows[0][at])]
    if texts:
        return texts[0]
    for at in others:
        if not np.array_equal(_order(table, graph, at), np.arange(graph.n)):
            name = _called(table, at)
            raise ValueError(
                f"{table.file}: the column {name:.80} may name the nodes: by={name!r:.80} joins by it, by={ROW!r} takes "
                "the rows in the order of the nodes"
            )
    _check_by_row(graph, table.file, by)
    return None


def _check_by_row(graph: Graph, file: Path, by: Name | None) -> None:
    """ValueError where rows without names would be given to nodes whose order is an accident."""
    if by is not None and by != ROW:
        raise ValueError(f"{file} has no column {by!r:.80} that could name the nodes; by may be {ROW!r}")
    accident = graph.source is not None and graph.source.order == APPEARANCE
    if by is None and accident and list(graph.labels) != sorted(graph.labels, key=str):
        order = named([str(label) for label in graph.labels[:9]])
        raise ValueError(
            f"{file} must name the nodes, in a column id, since the graph has them in the order in which its edges "
            f"name them ({order}); by={ROW!r} takes the rows in that order"
        )


def _order(table: Table, graph: Graph, key: int) -> NDArray[np.int64]:
    """The row of each node; ValueError with the file where one has none, or a row is of no node."""
    try:
        return graph.rows_of(_names(table, key, graph))
    except ValueError as error:
        raise ValueError(
            f"{table.file}: {error}; another column names them with by=NAME, and by={ROW!r} takes the order of the nodes"
        ) from None


def _is_same(table: Table, key: int, graph: Graph) -> bool:
    """Whether a column holds each node once, and nothing else."""
    names = _names(table, key, graph)
    return len(names) == graph.n and graph.has_labels(names)


def _names(table: Table, key: int, graph: Graph) -> Sequence[Hashable]:
    """The names of nodes in a column: as texts where these fit, else as numbers if all are."""
    texts: list[Any] = table.texts(key)
    if graph.has_labels(texts) or not all(map(table.is_number, texts)):
        return texts
    return list(table.numbers(key).tolist())
