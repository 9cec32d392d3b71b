"""Readers of graph files, by suffix, and of tables with a row for each node.

A malformed file is refused with its name, the number of the line and what was expected there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from inphase.checks import LARGEST, check_name, finite_number, integer
from inphase.graphs.building import Found, Wanted
from inphase.graphs.edge_lists import edge_list
from inphase.graphs.graph import Graph
from inphase.graphs.json_files import json_graph
from inphase.graphs.markup import read_gml, read_graphml
from inphase.graphs.matrices import dense, matrix_market, stored_sparse
from inphase.graphs.packed import OPENERS, unpacked
from inphase.graphs.pajek import pajek
from inphase.tables import existing, one_line, read_table, read_text


class Format(NamedTuple):
    """A kind of file: the suffixes by which it is known, and its reader, which gives edges or the graph of a matrix."""

    suffixes: tuple[str, ...]
    reader: Callable[[Path, Wanted], Found | Graph]


def read(
    path: str | PathLike[str],
    *,
    weight: str | float | None = None,
    directed: bool | None = None,
    n: int | None = None,
    columns: Sequence[str | int] | None = None,
    kind: str | None = None,
    duplicates: str | None = None,
) -> Graph:
    """Read a graph; the suffix of the file tells its format, and `Graph.source` how it was read.

    ================================  ==================================================================================
    .gml, .graphml, .net (Pajek)      nodes, edges, weights and numbers of the nodes
    .mtx (MatrixMarket), .npz         the matrix K itself, sparse
    .npy, .mat, text with its kind    the matrix K itself, dense: ``kind="matrix"``
    .csv, .tsv, .txt, .edges, out.*   an edge a line: source, target and, if wanted, its weight
    .json                             node-link data (networkx, D3); HIF, if its edges are pairs
    ================================  ==================================================================================

    Whatever is compressed as .gz or .bz2 is read, too.
    Edge lists are tables as `inphase.tables` reads them: set apart by tabs, semicolons, commas or white space;
    lines that begin with # or % are skipped. A first line with the names source and target (or from and to, u and v, ...)
    is a header, and so is the last comment above the edges; without one, a third column is the weight. Nodes named by
    whole numbers are sorted, others are kept in the order they appear in.

    Parameters
    ----------
    path : path-like
    weight : str or float, optional
        The edge attribute or column with the weights, which every edge must then have; a number is the weight of
        all. By default ``weight`` or else ``value``, in letters of any size, and 1 where an edge has neither.
    directed : bool, optional
        See `Graph`. By default what the file says: GML, GraphML, a column ``Type`` as Gephi writes it, KONECT's
        first line; else False. A matrix is taken as it is; with ``directed=False`` it must be symmetric.
    n : int, optional
        Number of nodes. An edge list then has nodes 0 to n − 1, also where no edge names them; other files
        must hold n.
    columns : pair of str or int, optional
        The columns of source and target of an edge list, by name or by number from 0 on.
    kind : str, optional
        The format, where the suffix does not tell it.
    duplicates : "sum", optional
        An undirected file in which every edge stands in both directions, with equal weights, is read as if each
        stood there once; ``"sum"`` adds the two up. Other repeated edges always add up.

    Returns
    -------
    Graph
        Named as the file is. Attributes that are finite numbers at every node, and positions, are its
        columns. Nodes of GML and GraphML files have their labels (``label``, yEd's, or ``name``), or with a
        warning their ids where two labels are the same. `source` is how the file was read, in one line.

    Warns
    -----
    UserWarning
        Where edges of weight 0 are dropped, edges have numbers but no weight, or a file has several graphs.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the suffix is unknown, a line is malformed, a weight is not a finite number, there is no edge, or it is
        doubtful what is meant: a header that names no source and target, or numbers but no weight; lines that look
        like a matrix (``kind="matrix"`` reads it).

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from inphase import graphs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "triangle.csv")
    ...     _ = file.write_text("source,target,weight\\na,b,1\\nb,c,2\\nc,a,-1\\n")
    ...     graphs.read(file)
    ...     str(graphs.read(file).source)
    Graph('triangle', 3 nodes, 3 undirected edges)
    'triangle.csv: edge list, undirected, weights from weight, nodes in order of appearance'
    """
    file = existing(path)
    asked = _wanted(weight, directed, n, columns, kind, duplicates)
    if file.suffix.lower() not in OPENERS:
        return _read(file, asked)
    with unpacked(file) as inside:
        found = _read(inside, asked)
    return replace(found, source=replace(found.source, file=file.name)) if found.source else found


def _read(file: Path, asked: Wanted) -> Graph:
    """The graph of a file that is not compressed."""
    reader = _reader(file, asked.kind)
    if asked.columns is not None and reader is not edge_list:
        raise ValueError(f"columns are for edge lists, and {str(file)!r} is none; got {asked.columns!r:.80}")
    try:
        found = reader(file, asked)
        graph = found if isinstance(found, Graph) else found.graph(file, asked)
    except (ValueError, TypeError) as error:
        raise ValueError(str(error) if str(file) in str(error) else f"{file}: {error}") from None
    if not graph.matrix.nnz:
        raise ValueError(f"{file} must hold a graph with edges; got none")
    if asked.n is not None and graph.n != asked.n:
        raise ValueError(f"{file} must hold n = {asked.n} nodes; got {graph.n}")
    return graph


def _reader(file: Path, kind: str | None) -> Callable[[Path, Wanted], Found | Graph]:
    """The reader of the format that was asked for, or that the suffix tells."""
    if kind is not None:
        return FORMATS[check_name("kind", kind, list(FORMATS))].reader
    suffix = "out.*" if file.name.startswith("out.") else file.suffix.lower()
    for format in FORMATS.values():
        if suffix in format.suffixes:
            return format.reader
    suffixes = ", ".join(suffix for format in FORMATS.values() for suffix in format.suffixes)
    raise ValueError(f"path must end in one of {suffixes}; got {str(file)!r}: kind= says what it is")


def _wanted(
    weight: str | float | None,
    directed: bool | None,
    n: int | None,
    columns: Sequence[str | int] | None,
    kind: str | None,
    duplicates: str | None,
) -> Wanted:
    """The options of `read`, checked."""
    count = None if n is None else integer("n", n, least=1)
    if count is not None and count > LARGEST:
        raise ValueError(f"n must be at most {LARGEST}; got {n}")
    if columns is not None and (isinstance(columns, str) or len(columns) != 2):
        raise ValueError(f"columns must be two names or numbers, of source and target; got {columns!r:.80}")
    if duplicates is not None:
        check_name("duplicates", duplicates, ("sum",))
    if weight is not None and not isinstance(weight, str):
        weight = finite_number("weight", weight)
    ends = None if columns is None else (columns[0], columns[1])
    return Wanted(weight, directed, count, ends, duplicates, kind)


def read_columns(path: str | PathLike[str]) -> dict[str, NDArray[Any]]:
    """Read a table with a header and a row for each node, to be joined to a graph by `Graph.with_columns`.

    Parameters
    ----------
    path : path-like
        A table as `inphase.tables` reads it.

    Returns
    -------
    dict of str to ndarray, shape (rows,)
        float64 for a column that begins with a number, text for others.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If there is no header or row, a name is given twice, a line has too few or too many fields, or a
        column that begins with a number has an entry that is not a finite number; with the number of the
        line.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from inphase import graphs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "nodes.csv")
    ...     _ = file.write_text("node,omega\\n1,0.5\\n0,-0.5\\n")
    ...     table = graphs.read_columns(file)
    >>> graphs.path(2).with_columns(table["node"], omega=table["omega"]).nodes["omega"]
    array([-0.5,  0.5])
    """
    table = read_table(path)
    file, names = table.file, table.rows[0] if table.rows else []
    if len(table.rows) < 2:
        raise ValueError(f"{file} must hold a header and at least one row; got {len(table.rows)} lines")
    if len(set(names)) < len(names) or "" in names:
        raise ValueError(
            f"{table.at(0)}: names of columns must be different and not empty; got {one_line(names):.400}"
        )
    if all(map(table.is_number, names)):
        raise ValueError(
            f"{table.at(0)}: a header with the names of columns must come first; got {one_line(names):.80}"
        )
    below = table.under_header()
    return {name: below.values(k) for k, name in enumerate(names)}


# ------------------------------------------------------------------------------------------------------ formats


def _gml(file: Path, wanted: Wanted) -> Found:
    return read_gml(read_text(file), str(file), wanted)


def _graphml(file: Path, wanted: Wanted) -> Found:
    return read_graphml(file.read_bytes(), str(file), wanted)


FORMATS: dict[str, Format] = {
    "gml": Format((".gml",), _gml),
    "graphml": Format((".graphml",), _graphml),
    "mtx": Format((".mtx",), matrix_market),
    "npz": Format((".npz",), stored_sparse),
    "edges": Format((".csv", ".tsv", ".txt", ".edges", ".edgelist", "out.*"), edge_list),
    "pajek": Format((".net",), pajek),
    "json": Format((".json",), json_graph),
    "matrix": Format((".npy", ".mat"), dense),
}
