"""Readers of graph files, by suffix, and of tables with a row for each node.

A malformed file is refused with its name, the number of the line and what was expected there.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from inphase.checks import LARGEST, integer
from inphase.graphs.building import WEIGHT_NAMES, assemble
from inphase.graphs.graph import Graph
from inphase.graphs.markup import read_gml, read_graphml
from inphase.stored import read_npz, reading
from inphase.tables import Table, existing, is_float, one_line, read_table, read_text

ISOLATED = 1_000_000  # rows that any matrix may have; others have a byte at least for each
HEADERS = (("source", "target"), ("from", "to"))


def read(
    path: str | PathLike[str],
    *,
    weight: str | None = None,
    directed: bool | None = None,
    n: int | None = None,
) -> Graph:
    """Read a graph; the suffix of the file tells its format.

    ================================================  ====================================================================
    .gml, .graphml                                    nodes, edges, weights and numbers of the nodes
    .mtx (MatrixMarket), .npz (SciPy)                 the matrix K itself
    .csv, .tsv, .txt, .edges, .edgelist               an edge a line: source, target and, if wanted, its weight
    ================================================  ====================================================================

    Edge lists are tables as `inphase.tables` reads them: set apart by tabs, semicolons, commas or white space;
    lines that begin with # or % are skipped. A first line with the names source and target (or from and to) is a header;
    without one, a third column is the weight. Nodes named by whole numbers are sorted, others are kept in the
    order they appear in.

    Parameters
    ----------
    path : path-like
    weight : str, optional
        The edge attribute or column with the weights, which every edge must then have. By default ``weight``
        or else ``value``, and 1 where an edge has neither.
    directed : bool, optional
        See `Graph`. By default what GML and GraphML files say, and False for edge lists. A matrix is taken as
        it is; with ``directed=False`` it must be symmetric.
    n : int, optional
        Number of nodes. An edge list then has nodes 0 to n − 1, also where no edge names them; other files
        must hold n.

    Returns
    -------
    Graph
        Named as the file is. Attributes that are finite numbers at every node, and positions, are its
        columns. Nodes of GML files have their labels, or with a warning their ids where two labels are the
        same.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the suffix is unknown, a line is malformed, a weight is not a finite number, or there is no edge.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from inphase import graphs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "triangle.csv")
    ...     _ = file.write_text("source,target,weight\\na,b,1\\nb,c,2\\nc,a,-1\\n")
    ...     graphs.read(file)
    Graph('triangle', 3 nodes, 3 undirected edges)
    """
    file = existing(path)
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise ValueError(f"path must end in one of {', '.join(READERS)}; got {str(file)!r}")
    count = None if n is None else integer("n", n, least=1)
    if count is not None and count > LARGEST:
        raise ValueError(f"n must be at most {LARGEST}; got {n}")
    try:
        graph = reader(file, weight, directed, count)
    except (ValueError, TypeError) as error:
        raise ValueError(str(error) if str(file) in str(error) else f"{file}: {error}") from None
    if not graph.matrix.nnz:
        raise ValueError(f"{file} must hold a graph with edges; got none")
    if count is not None and graph.n != count:
        raise ValueError(f"{file} must hold n = {count} nodes; got {graph.n}")
    return graph


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


# ------------------------------------------------------------------------------------------------- edge lists


def _edge_list(file: Path, weight: str | None, directed: bool | None, n: int | None) -> Graph:
    table = read_table(file)
    u, v, w, headed = _layout(table, weight) if table.rows else (0, 1, None, False)
    table = table.under_header() if headed else table
    if not table.rows:
        raise ValueError(f"{file} must hold a graph with edges; got none")
    sources, targets = table.texts(u), table.texts(v)
    unnamed = next((row for row, pair in enumerate(zip(sources, targets)) if "" in pair), None)
    if unnamed is not None:
        raise ValueError(
            f"{table.at(unnamed)}: source and target must be named; got {one_line(table.rows[unnamed])!r:.80}"
        )
    weights = np.ones(len(sources)) if w is None else table.numbers(w, "weight")
    position, labels = _positions(table, sources, targets, n)
    ends = [[position[name] for name in names] for names in (sources, targets)]
    return assemble(ends[0], ends[1], weights, len(labels), bool(directed), labels=labels, name=file.stem)


def _layout(table: Table, weight: str | None) -> tuple[int, int, int | None, bool]:
    """Which columns are source, target and weight, and whether the first line is a header."""
    first = table.rows[0]
    names = [field.lower() for field in first]
    for u, v in HEADERS:
        if u in names and v in names:
            column = next((names.index(name) for name in WEIGHT_NAMES if name in names), None)
            if weight is not None:
                column = first.index(weight) if weight in first else None
            if weight is not None and column is None:
                raise ValueError(
                    f"{table.at(0)}: the header must have the column {weight!r}; got {one_line(first):.400}"
                )
            return names.index(u), names.index(v), column, True
    if weight is not None:
        raise ValueError(
            f"{table.at(0)}: weight={weight!r} needs a header with source, target; got {one_line(first):.80}"
        )
    if len(first) not in (2, 3):
        got = one_line(first)
        raise ValueError(f"{table.at(0)}: expected source, target[, weight], or a header; got {got!r:.80}")
    return 0, 1, 2 if len(first) == 3 else None, False


def _positions(
    table: Table, sources: list[str], targets: list[str], n: int | None
) -> tuple[dict[str, int], Sequence[Hashable]]:
    """Node number by name, and the labels of the nodes."""
    if n is not None:
        for row, pair in enumerate(zip(sources, targets)):
            for name in pair:
                if not (_whole(name) and int(name) < n):
                    raise ValueError(
                        f"{table.at(row)}: nodes must be whole numbers from 0 to {n - 1}; got {name!r:.80}"
                    )
        return {name: int(name) for name in {*sources, *targets}}, range(n)
    if all(map(_whole, {*sources, *targets})):
        numbers = sorted(map(int, {*sources, *targets}))
        return {str(number): i for i, number in enumerate(numbers)}, numbers
    names = list(dict.fromkeys(name for pair in zip(sources, targets) for name in pair))
    if len(names) > 2 and all(map(_whole, names[2:])) and not (_whole(names[0]) or _whole(names[1])):
        got = one_line(names[:2])
        raise ValueError(f"{table.at(0)}: a header must have the names source and target; got {got:.80}")
    return {name: i for i, name in enumerate(names)}, names


def _whole(name: str) -> bool:
    return len(name) < 19 and name.isdecimal() and name == str(int(name))


# --------------------------------------------------------------------------------------------------- matrices


def _matrix_market(file: Path, weight: str | None, directed: bool | None, n: int | None) -> Graph:
    from scipy.io import mminfo, mmread

    content = file.read_bytes()
    content += (
        b"" if content.endswith(b"\n") else b"\n"
    )  # without it, some damage to the last line crashes SciPy
    lines = content.split(b"\n")
    try:
        with reading(file, "is truncated, or no MTX file: {}"):
            if b"\0" in content:
                raise ValueError("it holds bytes that are no text")
            rows, columns, entries, layout, field, _ = mminfo(io.BytesIO(content))
            _check_rows(file, (rows, columns))
            if entries > 2 * len(content):  # an entry is at least a digit and the end of a line
                got = f"{rows} rows, {columns} columns and {entries} entries in {len(content)} bytes"
                raise ValueError(f"{file}, line 1: the header must fit the file; got {got}")
            matrix = mmread(io.BytesIO(content))
    except ValueError as error:
        where = re.search(r"Line (\d+):\s*(.*)", str(error))
        if where is None:
            raise
        outside = re.fullmatch(r"(row|column) index out of bounds", where[2], flags=re.IGNORECASE)
        what = where[2]
        if outside:
            is_row = outside[1].lower() == "row"
            got = (*lines[int(where[1]) - 1].split(), b"", b"")[0 if is_row else 1].decode("latin-1")
            what = f"a {outside[1].lower()} must be from 1 to {rows if is_row else columns}; got {got:.80}"
        raise ValueError(f"{file}, line {where[1]}: {what}") from None
    values = matrix.data if sparse.issparse(matrix) else matrix
    wanted = (2 if layout == "coordinate" else 0) + {"pattern": 0, "complex": 2}.get(field, 1)
    _check_lines(file, lines, wanted, bool(np.all(np.isfinite(values))))
    return _from_matrix(file, matrix, weight, directed)


def _check_lines(file: Path, lines: list[bytes], wanted: int, finite: bool) -> None:
    """ValueError with the line that holds more than `wanted` finite numbers; of what follows a number, SciPy says nothing."""
    begin = next(k for k, line in enumerate(lines) if not line.startswith(b"%") and line.strip())
    body = lines[begin + 1 :]
    numbers = -1  # where there is something else
    with suppress(ValueError), reading(file, "holds something else than numbers"):
        numbers = len(np.fromstring(b"\n".join(body).decode("latin-1"), sep=" "))
    if finite and numbers == wanted * sum(not line.isspace() for line in body if line):
        return  # as each line has as many at least
    for k, line in enumerate(body, begin + 2):
        fields = line.decode("latin-1").split()
        bad = next((s for s in fields if not (is_float(s) and math.isfinite(float(s)))), None)
        if bad is not None:
            raise ValueError(f"{file}, line {k}: weight must be a finite number; got {bad!r:.80}")
        if fields and len(fields) != wanted:
            raise ValueError(f"{file}, line {k}: expected {wanted} numbers; got {len(fields)}")


def _check_rows(file: Path, shape: tuple[int, ...]) -> None:
    """ValueError for a matrix that has far more rows than its file has room for."""
    size = file.stat().st_size
    most = min(LARGEST, max(ISOLATED, size))
    if min(shape, default=1) < 1:  # SciPy divides by the number of rows
        raise ValueError(f"{file}: a matrix needs at least one row and one column; got the shape {shape}")
    if max(shape, default=0) > most:
        raise ValueError(
            f"{file}: the header must fit the file, with at most {most} rows; got the shape {shape} in {size} bytes"
        )


def _npz(file: Path, weight: str | None, directed: bool | None, n: int | None) -> Graph:
    wanted = "must hold a sparse matrix saved by scipy.sparse.save_npz; got"
    arrays = read_npz(file, f"{wanted} another file, or a damaged one")
    with reading(file, f"{wanted} another file, or a damaged one"):
        kind, shape = arrays["format"].item(), arrays["shape"]
        make, names = LAYOUTS[kind.decode() if isinstance(kind, bytes) else kind]
        names = ("coords",) if "coords" in arrays else names
        places = [arrays[name] for name in names]
        if any(part.dtype.kind not in "iu" for part in (*places, shape)):  # SciPy would cut 1.5 to 1
            raise ValueError("places must be whole numbers")
    _check_rows(file, tuple(shape.ravel()))
    with reading(file, f"{wanted} indices that do not fit it ({{}})"):
        if "indptr" in names:
            _check_pointers(*places)
        matrix = make(arrays["data"], places, tuple(shape.tolist()))
        if matrix.format in ("csr", "csc", "bsr"):
            matrix.check_format(full_check=True)
        if matrix.dtype.kind in "biuf":
            matrix = sparse.csr_array(matrix, dtype=float)
    return _from_matrix(file, matrix, weight, directed)


def _check_pointers(indices: Any, pointers: Any) -> None:
    """ValueError unless rows, or columns, lie one after another in `indices`: SciPy follows the pointers unseen."""
    ordered = pointers.ndim == 1 and len(pointers) and np.all(pointers[1:] >= pointers[:-1])
    if not ordered or pointers[0] != 0 or pointers[-1] != len(indices.ravel()):
        raise ValueError("indptr must rise from 0 to the number of indices")


def _coo(data: Any, places: list[Any], shape: tuple[int, ...]) -> Any:
    return sparse.coo_array((data, tuple(places[0]) if len(places) == 1 else tuple(places)), shape=shape)


def _dia(data: Any, places: list[Any], shape: tuple[int, ...]) -> Any:
    outside = [int(k) for k in places[0].ravel() if not -shape[0] < k < shape[1]]
    if outside:  # which SciPy drops
        raise ValueError(f"a diagonal at offset {outside[0]} lies outside")
    return sparse.dia_array((data, *places), shape=shape)


LAYOUTS: dict[str, tuple[Callable[[Any, list[Any], tuple[int, ...]], Any], tuple[str, ...]]] = {
    "csr": (
        lambda data, places, shape: sparse.csr_array((data, *places), shape=shape),
        ("indices", "indptr"),
    ),
    "csc": (
        lambda data, places, shape: sparse.csc_array((data, *places), shape=shape),
        ("indices", "indptr"),
    ),
    "bsr": (
        lambda data, places, shape: sparse.bsr_array((data, *places), shape=shape),
        ("indices", "indptr"),
    ),
    "dia": (_dia, ("offsets",)),
    "coo": (_coo, ("row", "col")),
}


def _from_matrix(file: Path, matrix: Any, weight: str | None, directed: bool | None) -> Graph:
    if weight is not None:
        raise ValueError(f"weight must be left out for a matrix, which holds nothing else; got {weight!r}")
    graph = Graph(matrix, name=file.stem)
    if directed is False and graph.directed:
        difference = (graph.matrix - graph.matrix.T).tocoo()
        i, j = (int(part[np.argmax(np.abs(difference.data))]) for part in (difference.row, difference.col))
        pair = f"{graph.matrix[i, j]:g} at ({i}, {j}) and {graph.matrix[j, i]:g} at ({j}, {i})"
        raise ValueError(f"{file} must hold a symmetric matrix if directed=False; got {pair}")
    return graph


def _gml(file: Path, weight: str | None, directed: bool | None, n: int | None) -> Graph:
    return read_gml(read_text(file), str(file), file.stem, weight, directed)


def _graphml(file: Path, weight: str | None, directed: bool | None, n: int | None) -> Graph:
    return read_graphml(file.read_bytes(), str(file), file.stem, weight, directed)


READERS: dict[str, Callable[[Path, str | None, bool | None, int | None], Graph]] = {
    ".gml": _gml,
    ".graphml": _graphml,
    ".mtx": _matrix_market,
    ".npz": _npz,
    ".csv": _edge_list,
    ".tsv": _edge_list,
    ".txt": _edge_list,
    ".edges": _edge_list,
    ".edgelist": _edge_list,
}
