"""Matrices as files hold them: MatrixMarket, SciPy's NPZ, and dense ones of NPY, text and MATLAB.

A matrix is K itself, K[i, j] being how strongly i listens to j; it is not transposed.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from inphase.checks import LARGEST
from inphase.data.matlab import read_matlab
from inphase.graphs.building import Wanted
from inphase.graphs.graph import Graph
from inphase.graphs.source import Source, counted, named
from inphase.stored import check_hdf5, read_npy, read_npz, reading
from inphase.tables import is_float, read_table

ISOLATED = 1_000_000  # rows that any matrix may have; others have a byte at least for each
ROWS = "in the order of the rows"


def matrix_market(file: Path, wanted: Wanted) -> Graph:
    """A matrix in the format of NIST, dense or sparse."""
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
            start = _size_line(file, lines)
            rows, columns, entries, layout, field, symmetry = mminfo(io.BytesIO(content))
            _check_rows(file, (rows, columns))
            if entries > 2 * len(content):  # an entry is at least a digit and the end of a line
                got = f"{rows} rows, {columns} columns and {entries} entries in {len(content)} bytes"
                raise ValueError(f"{file}, line 1: the header must fit the file; got {got}")
            _check_count(file, lines, start, rows * columns if layout == "array" else entries, symmetry)
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
    numbers = (2 if layout == "coordinate" else 0) + {"pattern": 0, "complex": 2}.get(field, 1)
    _check_lines(file, lines, numbers, bool(np.all(np.isfinite(values))))
    notes: list[str] = []
    if symmetry == "symmetric" and sparse.issparse(matrix) and wanted.duplicates is None:
        matrix = _one_triangle(matrix, notes)
    return from_matrix(file, matrix, wanted, "MatrixMarket", notes)


def _size_line(file: Path, lines: list[bytes]) -> int:
    """Where the sizes stand; ValueError with the line where they are none."""
    start = next(
        (k for k, line in enumerate(lines) if line.strip() and not line.startswith(b"%")), len(lines) - 1
    )
    head = lines[0].lower()
    if not head.startswith(b"%%matrixmarket") or not (b"coordinate" in head or b"array" in head):
        return start
    names = ["rows", "columns", "entries"][: 3 if b"coordinate" in head else 2]
    fields = lines[start].decode("latin-1").split()
    if len(fields) != len(names) or not all(field.isascii() and field.isdecimal() for field in fields):
        got = " ".join(fields) or "the end of the file"
        raise ValueError(
            f"{file}, line {start + 1}: expected the sizes as whole numbers, {' '.join(names)}; got {got!r:.80}"
        )
    return start


def _check_count(file: Path, lines: list[bytes], start: int, entries: int, symmetry: str) -> None:
    """ValueError if there are fewer lines than the sizes say; SciPy gives no line."""
    if len(lines) - start - 1 > entries or (symmetry != "general" and b"array" in lines[0].lower()):
        return
    there = sum(bool(line.strip()) for line in lines[start + 1 :])
    if there < entries:
        last = max(k for k, line in enumerate(lines) if line.strip()) + 1
        raise ValueError(
            f"{file}, line {last}: Truncated file: it ends after {there} of the {entries} entries of line {start + 1}"
        )


def _one_triangle(matrix: Any, notes: list[str]) -> Any:
    """A matrix that is told to be symmetric, and whose file has both triangles all the same: once."""
    i, j = matrix.coords if hasattr(matrix, "coords") else (matrix.row, matrix.col)
    off = i != j
    order = np.lexsort((matrix.data[off], j[off], i[off]))
    i_off, j_off, values = i[off][order], j[off][order], matrix.data[off][order]
    if not len(values) or len(values) % 2:
        return matrix
    first, second = slice(0, None, 2), slice(1, None, 2)
    twice = np.array_equal(i_off[first], i_off[second]) and np.array_equal(j_off[first], j_off[second])
    if not twice or not np.array_equal(values[first], values[second]):
        return matrix
    new = (i_off[first][1:] != i_off[first][:-1]) | (j_off[first][1:] != j_off[first][:-1])
    if not np.all(new):
        return matrix
    notes.append(
        'both triangles of a symmetric matrix stand there and are read once (duplicates="sum" adds them up)'
    )
    rows, columns = np.concatenate([i[~off], i_off[first]]), np.concatenate([j[~off], j_off[first]])
    entries = np.concatenate([matrix.data[~off], values[first]])
    return sparse.coo_array((entries, (rows, columns)), shape=matrix.shape)


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


def stored_sparse(file: Path, wanted: Wanted) -> Graph:
    """A matrix as scipy.sparse.save_npz writes it."""
    what = "must hold a sparse matrix saved by scipy.sparse.save_npz; got"
    arrays = read_npz(file, f"{what} another file, or a damaged one")
    with reading(file, f"{what} another file, or a damaged one"):
        kind, shape = arrays["format"].item(), arrays["shape"]
        make, names = LAYOUTS[kind.decode() if isinstance(kind, bytes) else kind]
        names = ("coords",) if "coords" in arrays else names
        places = [arrays[name] for name in names]
        if any(part.dtype.kind not in "iu" for part in (*places, shape)):  # SciPy would cut 1.5 to 1
            raise ValueError("places must be whole numbers")
    _check_rows(file, tuple(shape.ravel()))
    with reading(file, f"{what} indices that do not fit it ({{}})"):
        if "indptr" in names:
            _check_pointers(*places)
        matrix = make(arrays["data"], places, tuple(shape.tolist()))
        if matrix.format in ("csr", "csc", "bsr"):
            matrix.check_format(full_check=True)
        if matrix.dtype.kind in "biuf":
            matrix = sparse.csr_array(matrix, dtype=float)
    return from_matrix(file, matrix, wanted, "NPZ of SciPy")


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


def dense(file: Path, wanted: Wanted) -> Graph:
    """A dense matrix: of NPY, NPZ, MATLAB's files or a text, with or without the names of its nodes."""
    suffix = file.suffix.lower()
    if suffix in STORED:
        name, matrix = _chosen(file, STORED[suffix](file), wanted.weight)
        notes = [f"the array {name}"] if name else []
        return from_matrix(
            file, matrix, replace(wanted, weight=None), f"dense matrix ({suffix[1:].upper()})", notes
        )
    matrix, labels = _of_text(file)
    return from_matrix(file, matrix, wanted, "dense matrix", (), labels)


def _of_text(file: Path) -> tuple[Any, Sequence[Hashable]]:
    """The matrix of a text, and the names of its nodes where the first line, and perhaps a first column, have them."""
    table = read_table(file)
    if not table.rows:
        raise ValueError(f"{file} must hold a matrix; got no numbers")
    width = len(table.rows[0])
    labels: Sequence[str] = ()
    if len(table.rows) == width + 1 or not any(map(table.is_number, table.rows[0])):
        table = table.under_header()
        labels = table.names
    first = len(table.rows) == width - 1  # the column with the names
    if first:
        labels = table.texts(0)
        if tuple(labels) != table.names[1:]:
            raise ValueError(f"{table.at(0)}: rows and columns must have the same names, in one order")
    if len(table.rows) != width - first:
        raise ValueError(
            f"{file} must hold as many lines of numbers as columns; got {len(table.rows)} and {width - first}"
        )
    matrix = np.stack([table.numbers(k) for k in range(int(first), width)], axis=1)
    return matrix, tuple(labels)


def _chosen(file: Path, arrays: dict[str, Any], wanted: Any) -> tuple[str, Any]:
    """The square matrix of a file, or the one of this name."""
    square = {
        name: array
        for name, array in arrays.items()
        if getattr(array, "ndim", 0) == 2 and array.shape[0] == array.shape[1] and array.dtype.kind in "biuf"
    }
    wanted = None if wanted is None else str(wanted)
    if wanted is None and len(square) == 1:
        return next(iter(square.items()))
    if wanted in square:
        return str(wanted), square[str(wanted)]
    found = named(list(square)) or "none"
    what = "one square matrix of numbers" if wanted is None else f"a square matrix {wanted!r:.60}"
    raise ValueError(f"{file} must hold {what}; it has {found}: weight= chooses one")


def _matlab(file: Path) -> dict[str, Any]:
    """Arrays of a MATLAB file of version 5 to 7.3, which is HDF5 and stores its arrays transposed."""
    import h5py

    what = "is truncated, or no MAT file: {}"
    if h5py.is_hdf5(file):
        check_hdf5(file, what)
        with reading(file, what), h5py.File(file, "r") as opened:
            arrays = {name: part for name, part in opened.items() if isinstance(part, h5py.Dataset)}
            return {name: np.asarray(part).T for name, part in arrays.items() if part.ndim == 2}
    with reading(file, what):
        return read_matlab(file.read_bytes())


STORED: dict[str, Callable[[Path], dict[str, Any]]] = {
    ".npy": lambda file: {"": read_npy(file)},
    ".npz": read_npz,
    ".mat": _matlab,
}


def from_matrix(
    file: Path,
    matrix: Any,
    wanted: Wanted,
    format: str,
    notes: Sequence[str] = (),
    labels: Sequence[Hashable] = (),
) -> Graph:
    """The graph of a matrix, which must be symmetric if directed=False was asked for."""
    if wanted.weight is not None:
        raise ValueError(
            f"weight must be left out for a matrix, which holds nothing else; got {wanted.weight!r}"
        )
    zeros = int(np.count_nonzero(matrix.data == 0)) if sparse.issparse(matrix) else 0
    told = [
        *notes,
        *([f"{counted(zeros, 'entry', 'dropped').replace('entrys', 'entries')}, of 0"] if zeros else []),
    ]
    source = Source(file.name, format, None, "the matrix K", ROWS, tuple(told))
    graph = Graph(matrix, labels=labels, name=file.stem, source=source)
    if wanted.directed is False and graph.directed:
        difference = (graph.matrix - graph.matrix.T).tocoo()
        i, j = (int(part[np.argmax(np.abs(difference.data))]) for part in (difference.row, difference.col))
        pair = f"{graph.matrix[i, j]:g} at ({i}, {j}) and {graph.matrix[j, i]:g} at ({j}, {i})"
        raise ValueError(f"{file} must hold a symmetric matrix if directed=False; got {pair}")
    return graph
