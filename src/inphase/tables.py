"""Columns of files, a row for each node: the one reader of text tables and, where columns are wanted, of arrays.

One rule holds for the whole of a text file. Its columns are set apart by tabs, semicolons, commas or white space:
by the first of these that stands in the first line and gives every line as many fields. Empty lines, and lines
that begin with # or %, are skipped. A text with separators stands in double quotes. Where semicolons set columns
apart, a column's numbers may have decimal commas. The first line is the header if none of its fields is a
number, or if it holds a name that is asked for. An empty field is a missing value, which is no number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inphase.checks import finite_array, integer
from inphase.stored import open_netcdf, open_npz, read_npy, reading

Floats = NDArray[np.float64]
Name = str | int

COMMENTS = ("#", "%")
MOST_TEXT = 2**28  # bytes that an array of a small file's texts may take, each as long as the longest
SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas", " ": "white space"}


def existing(path: str | PathLike[str]) -> Path:
    """The path, where there is a file; FileNotFoundError otherwise."""
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"path must be a file; got {str(file)!r}, where there is none")
    return file


def read_text(file: Path) -> str:
    """The text of a file; ValueError with the line that is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = file.read_bytes()[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{file}, line {line}: the file must be UTF-8 text; got {error.object[error.start]:#04x}"
        ) from None


# ---------------------------------------------------------------------------------------------------- texts


class Table(NamedTuple):
    """The fields of a text file, as texts.

    Attributes
    ----------
    file : Path
    separator : str
        A key of `SEPARATORS`.
    lines : list of int
        The number of the line in which each row begins.
    rows : list of tuple of str
        All of one length.
    names : tuple of str
        Of the columns; empty where the header, if there is one, is still the first of the rows.
    """

    file: Path
    separator: str
    lines: list[int]
    rows: list[tuple[str, ...]]
    names: tuple[str, ...] = ()

    def at(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"{self.file}, line {self.lines[row]}"

    def is_number(self, field: str) -> bool:
        """Whether a field is a number, with a decimal comma where columns may have these."""
        return is_float(field.replace(",", ".") if self.separator == ";" else field)

    def under_header(self) -> Table:
        """The table below its first row, which names the columns."""
        return self._replace(lines=self.lines[1:], rows=self.rows[1:], names=self.rows[0])

    def headed(self, wanted: Iterable[Name]) -> Table:
        """The table below its header, where it has one; `wanted` are columns that are asked for.

        Raises
        ------
        ValueError
            If there are no values, or the first line has numbers, and a text above a number.
        """
        found = self
        if self.rows:
            first, second = self.rows[0], self.rows[min(1, len(self.rows) - 1)]
            asked = any(name in first and not is_index(name, len(first)) for name in wanted)
            if asked or not any(map(self.is_number, first)):
                found = self.under_header()
            elif any(a and not self.is_number(a) and self.is_number(b) for a, b in zip(first, second)):
                raise ValueError(
                    f"{self.at(0)}: the line must be a header without numbers, or like the lines below it; "
                    f"got {one_line(first)!r:.80}"
                )
        if not found.rows:
            raise ValueError(f"{str(self.file)!r} holds no values")
        return found

    def position(self, column: Name | None) -> int:
        """Where a column stands, by its name or its number from 0 on; None: the one there is."""
        count = len(self.rows[0])
        shown = f"{one_line(self.names):.400}" or f"0 to {count - 1}"
        if column is None and count > 1:
            raise ValueError(f"column must be chosen: {str(self.file)!r} has the columns {shown}")
        if isinstance(column, str) and self.names.count(column) == 1:
            return self.names.index(column)
        if column is not None and not is_index(column, count):
            raise ValueError(f"column must be one of {shown} in {str(self.file)!r}; got {column!r}")
        return int(column or 0)

    def texts(self, k: int) -> list[str]:
        """The fields of column k."""
        return [row[k] for row in self.rows]

    def text_array(self, k: int) -> NDArray[np.str_]:
        """Column k as an array, whose texts all take the room of the longest."""
        texts = self.texts(k)
        longest = max(map(len, texts))
        if 4 * longest * len(texts) > max(MOST_TEXT, 100 * self.file.stat().st_size):
            at = self.at(next(row for row, text in enumerate(texts) if len(text) == longest))
            raise ValueError(f"{at}: a text of {longest} characters is too long for a column of {len(texts)}")
        return np.array(texts)

    def numbers(self, k: int, name: str | None = None) -> Floats:
        """Column k as finite numbers; ValueError with the line of one that is none."""
        fields = self.texts(k)
        commas = self.separator == ";" and any("," in field for field in fields)
        values = np.array([_number(field, commas) for field in fields])
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            field, what = fields[bad[0]], name or (self.names[k] if self.names else f"column {k}")
            remedy = ", with a decimal comma as others of the column have" if commas and "." in field else ""
            if "," in field and self.separator != ";":
                remedy = "; decimal commas are read where semicolons set the columns apart"
            raise ValueError(
                f"{self.at(int(bad[0]))}: {one_line([what]):.80} must be a finite number; got {field!r:.80}{remedy}"
            )
        return values

    def values(self, k: int) -> NDArray[Any]:
        """Column k as numbers if it begins with one, else as texts."""
        return self.numbers(k) if self.is_number(self.rows[0][k]) else self.text_array(k)


def read_table(path: str | PathLike[str]) -> Table:
    """The fields of a text file, by the rule of this module.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line does not fit the rule, with the file, the line and what to change.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "nodes.csv")
    ...     _ = path.write_text("node;omega\\na;-1,5\\nb;0,25\\n")
    ...     table = read_table(path)
    >>> table.under_header().numbers(1)
    array([-1.5 ,  0.25])
    """
    file = existing(path)
    numbers, lines = [], []
    for number, line in enumerate(io.StringIO(read_text(file)), start=1):
        begin = line.lstrip()
        if begin and not begin.startswith(COMMENTS):
            numbers.append(number)
            lines.append(line)
    if not lines:
        return Table(file, " ", [], [])
    candidates = [mark for mark in "\t;," if mark in lines[0]]
    faults = []
    for mark in candidates + ([" "] if candidates in ([], ["\t"]) else []):
        try:
            return _split(file, numbers, lines, mark)
        except ValueError as fault:
            faults.append(fault)
    raise faults[0]


def _split(file: Path, numbers: list[int], lines: list[str], mark: str) -> Table:
    """The table of the lines, whose numbers are given, with columns set apart by `mark`."""
    starts, rows = [], []
    try:
        for k, row in _fields(lines, mark):
            starts.append(numbers[k])
            rows.append(row)
    except csv.Error as error:
        k, reason = error.args
        raise ValueError(f"{file}, line {numbers[k]}: {reason}; got {lines[k].strip()!r:.80}") from None
    width = len(rows[0])
    if mark == " " and len(rows) > 1 and width > 1 and all(len(row) == 1 for row in rows[1:]):
        rows[0], width = (lines[0].strip(),), 1  # the header of one column, with spaces in it
    for start, row in zip(starts, rows):
        if len(row) != width:
            raise ValueError(
                f"{file}, line {start}: expected {width} fields, as in the first line, set apart by "
                f"{SEPARATORS[mark]} (a text that holds one must be in quotes); got {mark.join(row)!r:.80}"
            )
    for field in rows[-1] if mark == "," else ():
        if len(parts := field.split()) > 1 and all(map(is_float, parts)):
            raise ValueError(
                f"{file}, line {starts[-1]}: between commas there must be one number; got {field!r:.80} (numbers "
                f"with decimal commas must be set apart by semicolons)"
            )
    return Table(file, mark, starts, rows)


def _fields(lines: list[str], mark: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Where each row begins, and its fields; csv.Error with where a row begins that is none, and why.

    Tuples, since those of texts cost the garbage collector nothing, and lists as much as all the rest.
    """
    how: dict[str, Any] = {"skipinitialspace": True, "strict": True}
    begin = 0
    try:
        if mark == " ":
            for begin, line in enumerate(lines):
                plain = '"' not in line  # nearly always, and `split` is quicker
                words = line.split() if plain else next(csv.reader([line.strip()], delimiter=" ", **how))
                yield begin, tuple(words)
            return
        reader = csv.reader(lines, delimiter=mark, **how)
        for row in reader:
            yield begin, tuple(map(str.strip, row))
            begin = reader.line_num
    except csv.Error as error:
        raise csv.Error(begin, str(error)) from None


def one_line(fields: Iterable[str]) -> str:
    """Fields as messages show them: set apart by commas, in one line."""
    return " ".join(", ".join(fields).split())


def is_float(field: str) -> bool:
    """Whether a text is a number; 1_5, which Python would take for 15, is a name."""
    try:
        float(field)
    except ValueError:
        return False
    return "_" not in field


def _number(field: str, comma: bool) -> float:
    """A number with a decimal comma, or with a point; NaN if it is none."""
    if comma:
        field = field.replace(",", ".") if "." not in field else ""
    return float(field) if is_float(field) else float("nan")


def is_index(column: Name, count: int) -> bool:
    """Whether a column is named by its number, which the command line gives as text."""
    if isinstance(column, str):
        return column.isdecimal() and len(column) < 19 and int(column) < count
    return integer("column", column, least=0) < count


# -------------------------------------------------------------------------------------------------- columns


def read_column(path: str | PathLike[str], column: Name | None = None, usual: str | None = None) -> Floats:
    """One column of numbers of a file.

    Parameters
    ----------
    path, column, usual
        As in `read_columns`; the column may be left out where there is one only, or the usual one.

    Returns
    -------
    ndarray, shape (n,)
        n >= 1; finite.

    Raises
    ------
    OSError, ValueError, TypeError
        As `read_columns`; ValueError if the column must be chosen.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "omega.npy")
    ...     np.save(path, [0.5, -1.5])
    ...     read_column(path)
    array([ 0.5, -1.5])
    """
    found = read_columns(path, None if column is None else [column], usual)
    if found.shape[1] != 1:
        raise ValueError(f"column must be chosen: {str(path)!r} has shape {found.shape}")
    return found[:, 0]


def read_columns(
    path: str | PathLike[str], columns: Sequence[Name] | None = None, usual: str | None = "features"
) -> Floats:
    """Some columns of numbers of a file, side by side.

    Parameters
    ----------
    path : path
        ``.npy``: an array of shape (n,) or (n, columns). ``.npz``: arrays of shape (n,) or (n, k), by their
        names. ``.nc``: variables of shape (n,), at the last time where they have times. Others: text, by the
        rule of this module.
    columns : sequence of str or int, optional
        Names, or numbers from 0 on. If not given: all columns of an NPY file, of others the usual one, and of a
        text otherwise the one there is.
    usual : str, optional
        The name of the array or column that is meant where none is named; None: the only one.

    Returns
    -------
    ndarray, shape (n, m)
        n >= 1; finite.

    Raises
    ------
    OSError, ValueError, TypeError
        If there is no such file or column, a line cannot be read (with its number), lengths differ, or
        arrays are not of finite real numbers.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "nodes.csv")
    ...     _ = path.write_text("x,y,omega\\n0,1,0.5\\n2,3,-1.5\\n")
    ...     read_columns(path, ["y", "x"])
    array([[1., 0.],
           [3., 2.]])
    """
    if columns is not None and (isinstance(columns, str) or not columns):
        raise ValueError(f"columns must be a list of at least one name or number; got {columns!r}")
    file = existing(path)
    if file.suffix.lower() in ARRAYS:
        parts = [_real(file, part) for part in _arrays(file, columns, usual)]
    else:
        table = read_table(file).headed(columns or ())
        wanted = columns or [usual if usual in table.names else None]  # type: ignore[list-item]
        parts = [table.numbers(table.position(column)) for column in wanted]
    for part in parts:
        if len(part) != len(parts[0]):
            raise ValueError(
                f"the columns of {file} must be of one length; got {len(parts[0])} and {len(part)}"
            )
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


def read_labels(path: str | PathLike[str], column: Name) -> NDArray[Any]:
    """A column of whole numbers or of texts from a file: what `inphase.learn.from_arrays` takes as labels.

    Parameters
    ----------
    path, column
        As in `read_columns`. A text file's column is of numbers if all its fields are.

    Returns
    -------
    ndarray of int or str, shape (n,)

    Raises
    ------
    OSError, ValueError
        If there is no such file or column, a label is missing, or a number is not whole.
    """
    file = existing(path)
    if file.suffix.lower() in ARRAYS:
        values = np.concatenate([part.ravel() for part in _arrays(file, [column], None)])
    else:
        table = read_table(file).headed([column])
        k = table.position(column)
        texts = table.texts(k)
        values = table.numbers(k) if all(map(table.is_number, texts)) else table.text_array(k)
    if values.dtype.kind in "OSU":
        with reading(path, "holds texts that are none: {}"):
            values.tolist()
        return values
    if values.dtype.kind not in "biuf":
        raise ValueError(f"labels of {path} must be whole numbers or texts; got {values.dtype}")
    with np.errstate(invalid="ignore", over="ignore"):
        whole = (values == np.round(values)) & (np.abs(values.astype(float)) < 2.0**63)
    bad = np.flatnonzero(~whole)
    if len(bad):
        at = int(bad[0])
        what = (
            "given for every node" if np.isnan(values[at]) else f"whole numbers or texts; got {values[at]:g}"
        )
        raise ValueError(f"labels of {path} must be {what} (node {at}, from 0)")
    return values.astype(np.int64)


# --------------------------------------------------------------------------------------------------- arrays


def _real(file: Path, values: NDArray[Any]) -> Floats:
    """Values of an array file as finite numbers of shape (n,) or (n, k)."""
    if values.ndim not in (1, 2):
        raise ValueError(
            f"{file} must hold numbers of shape (n,) or (n, k); got shape {values.shape} of {values.dtype}"
        )
    if not values.size:
        raise ValueError(f"{str(file)!r} holds no values")
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{file} must hold real numbers; got {values.dtype}")
    return finite_array(f"the array of {str(file)!r}", values + 0 if values.dtype.kind == "b" else values)


def _arrays(file: Path, columns: Sequence[Name] | None, usual: str | None) -> list[NDArray[Any]]:
    """The columns of an array file as they are stored."""
    return ARRAYS[file.suffix.lower()](file, columns, usual)


def _npy(file: Path, columns: Sequence[Name] | None, _: str | None) -> list[NDArray[Any]]:
    stored = read_npy(file)
    if columns is None:
        return [stored]
    table = stored[:, None] if stored.ndim == 1 else stored
    for column in columns:
        if table.ndim != 2 or not is_index(column, table.shape[1]):
            raise ValueError(
                f"column must be one of those of {file}, of shape {stored.shape}; got {column!r}"
            )
    return [table[:, int(column)] for column in columns]


def _npz(file: Path, columns: Sequence[Name] | None, usual: str | None) -> list[NDArray[Any]]:
    with open_npz(file) as stored:
        return [stored[name] for name in _chosen(file, stored.files, columns, usual)]


def _netcdf(file: Path, columns: Sequence[Name] | None, usual: str | None) -> list[NDArray[Any]]:
    found = []
    with open_netcdf(file) as dataset:
        for name in _chosen(file, [*map(str, dataset.data_vars)], columns, usual):
            values = dataset[name]
            if "time" in values.dims:
                if values.sizes["time"] == 0:
                    raise ValueError(f"{name} of {str(file)!r} must have at least one time; got none")
                values = values.isel(time=-1)
            if values.ndim != 1:
                raise ValueError(f"{name} of {str(file)!r} must have shape (n,); got shape {values.shape}")
            found.append(values.to_numpy())
    return found


def _chosen(file: Path, there: list[str], columns: Sequence[Name] | None, usual: str | None) -> list[str]:
    """Names of the stored arrays that are wanted."""
    if columns is None and usual is None and len(there) != 1:
        raise ValueError(
            f"column must be chosen: {str(file)!r} has the arrays {one_line(there) or 'none':.400}"
        )
    wanted = list(map(str, columns or [usual or there[0]]))
    for name in wanted:
        if name not in there:
            raise ValueError(
                f"{file} must have the array {name!r:.80}; it has {one_line(there) or 'none':.400}"
            )
    return wanted


ARRAYS = {".npy": _npy, ".npz": _npz, ".nc": _netcdf}
