"""MATPOWER's case files (.m), read as data: assignments of numbers, texts and tables to fields of `mpc`.

Nothing is executed. A file that calculates (the distribution cases, which turn ohms into per unit at their end) is
refused with the line, since its tables alone would be wrong.
"""

from __future__ import annotations

import re
from os import PathLike
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inphase.power.grid import PowerGrid, from_tables
from inphase.tables import existing, read_text

NEEDED = {"bus": 13, "gen": 10, "branch": 11}  # tables and their fewest columns
_FIELD = re.compile(r"mpc\.(\w+)\s*=\s*")
_HEADER = re.compile(r"function\s+(\[?\s*mpc\s*\]?)\s*=\s*\w+\s*(\(\s*\))?")
_TEXT = re.compile(r"'(?:[^'\n]|'')*'|\"[^\"\n]*\"")


class _Field(NamedTuple):
    line: int
    value: str


def read(path: str | PathLike[str], frequency: float | None = None) -> PowerGrid:
    """A power grid from a case file of MATPOWER (format version 2).

    Parameters
    ----------
    path : path
        Such as case9.m.
    frequency : float, optional
        Of the grid, Hz. The format has none; `PowerGrid.swing` asks for it.

    Returns
    -------
    PowerGrid
        Buses by their own numbers, as text; what is out of service is left out.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        With the file and the line, if it is no case file of version 2, holds anything but assignments of data to
        `mpc`, or its tables do not fit each other.

    References
    ----------
    R. D. Zimmerman, C. E. Murillo-Sánchez, R. J. Thomas, *MATPOWER: Steady-state operations, planning, and analysis
    tools for power systems research and education*, IEEE Trans. Power Systems 26 (2011) 12; appendix B of its manual.
    """
    file = existing(path)
    fields = _fields(str(file.name), read_text(file))
    where = file.name
    version = fields.get("version", _Field(1, "1"))
    if version.value.strip("'\"") != "2":
        raise ValueError(
            f"{where}, line {version.line}: only version '2' of the format is read; got {version.value}: "
            "MATPOWER's loadcase and savecase convert older ones"
        )
    for name in ("baseMVA", *NEEDED):
        if name not in fields:
            raise ValueError(f"{where} has no mpc.{name}: it is no case file, or truncated")
    base = _table(where, "baseMVA", fields["baseMVA"])
    if base.shape != (1, 1) or not base[0, 0] > 0:
        raise ValueError(f"{where}, line {fields['baseMVA'].line}: mpc.baseMVA must be one positive number")
    if "dcline" in fields and np.any(_table(where, "dcline", fields["dcline"])[:, 2:3]):
        raise ValueError(
            f"{where}, line {fields['dcline'].line}: DC lines (mpc.dcline) in service are not known here"
        )
    bus, gen, branch = (_table(where, name, fields[name], columns) for name, columns in NEEDED.items())
    return from_tables(where, float(base[0, 0]), frequency, bus, gen, branch)


def _fields(where: str, text: str) -> dict[str, _Field]:
    """The fields of mpc: where each begins, and what is assigned to it."""
    clean = "\n".join(_without_comment(line) for line in text.splitlines())
    found: dict[str, _Field] = {}
    at = 0
    while True:
        at = _skip(clean, at)
        line = clean.count("\n", 0, at) + 1
        if at == len(clean):
            return found
        header, field = _HEADER.match(clean, at), _FIELD.match(clean, at)
        if header:
            at = header.end()
        elif field:
            end = _end_of_value(where, clean, field.end(), line)
            name, value = field[1], clean[field.end() : end].strip()
            if name in found:
                raise ValueError(
                    f"{where}, line {line}: mpc.{name} is assigned twice, first in line {found[name].line}"
                )
            found[name] = _Field(line, value)
            at = end
        elif clean[at:].strip() in ("end", "return", "end;", "return;"):
            return found
        else:
            statement = clean[at:].split("\n", 1)[0].strip()
            raise ValueError(
                f"{where}, line {line}: only assignments of data to mpc are read, nothing is executed; got "
                f"{statement!r:.60}: save the case with MATPOWER's savecase, which writes what it calculates"
            )


def _without_comment(line: str) -> str:
    """The line up to a % that is in no text."""
    bare = _TEXT.sub(lambda text: "." * len(text[0]), line)
    return line[: bare.index("%")] if "%" in bare else line


def _skip(text: str, at: int) -> int:
    while at < len(text) and (text[at].isspace() or text[at] in ";,"):
        at += 1
    return at


def _end_of_value(where: str, text: str, at: int, line: int) -> int:
    """Behind a table, a cell, or a number or text up to the end of its line or statement."""
    closing = {"[": "]", "{": "}"}.get(text[at : at + 1])
    quoted = _TEXT.match(text, at)
    if quoted:
        return quoted.end()
    if closing is None:
        rest = re.compile(r"[;\n]").search(text, at)
        return rest.start() if rest else len(text)
    bare = _TEXT.sub(lambda found: "." * len(found[0]), text[at:])
    end = bare.find(closing)
    if end < 0:
        raise ValueError(
            f"{where}, line {line}: the table that begins here has no end {closing!r}: is the file truncated?"
        )
    return at + end + 1


def _table(where: str, name: str, field: _Field, columns: int = 1) -> NDArray[np.float64]:
    """The numbers of a table (rows, columns)."""
    rows: list[list[float]] = []
    for offset, line in enumerate(field.value.strip("[]").split("\n")):
        for row in re.sub(r"\.\.\.\s*$", "", line).split(";"):
            if not (entries := row.replace(",", " ").split()):
                continue
            try:
                rows.append([float(entry) for entry in entries if _plain(entry)])
            except ValueError as error:
                raise ValueError(
                    f"{where}, line {field.line + offset}: mpc.{name} must hold numbers; got {error}"
                ) from None
            if len(rows[-1]) != len(rows[0]) or len(rows[-1]) < columns:
                right = f"{len(rows[0])} columns" if len(rows) > 1 else f"at least {columns} columns"
                raise ValueError(
                    f"{where}, line {field.line + offset}: a row of mpc.{name} must have {right}; got {len(rows[-1])}"
                )
    return np.array(rows, dtype=float).reshape(len(rows), -1 if rows else columns)


def _plain(entry: str) -> bool:
    """True for a number; ValueError with the entry otherwise."""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|Inf|inf|NaN|nan)", entry):
        raise ValueError(repr(entry))
    return True
