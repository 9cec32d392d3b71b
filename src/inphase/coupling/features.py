"""Columns of numbers by name, one row a node, from text, NPY
and NPZ files: the features a learnt coupling is computed from.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inphase.distributions import from_file

Floats = NDArray[np.float64]
Name = str | int


def read_columns(path: str | os.PathLike[str], columns: Sequence[Name] | None = None) -> Floats:
    """Some columns of a file, side by side.

    Parameters
    ----------
    path : path
        ``.npz``: arrays of shape (n,) or (n, k), by their names. Others: as `inphase.distributions.from_file`
        reads them.
    columns : sequence of str or int, optional
        Names, or numbers from 0 on. If not given: the array `features` of an NPZ file, all columns of an NPY
        file, and of a text the one it has.

    Returns
    -------
    ndarray, shape (n, m)

    Raises
    ------
    OSError, ValueError
        If there is no such file or column, a line cannot be read (with its number), or lengths differ.

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
    file = Path(path)
    if columns is not None and (isinstance(columns, str) or not columns):
        raise ValueError(f"columns must be a list of at least one name or number; got {columns!r}")
    if file.suffix.lower() == ".npz":
        parts = _arrays(file, columns or ["features"])
    elif file.suffix.lower() == ".npy" and columns is None and file.is_file():
        parts = [np.load(file, allow_pickle=False)]
    else:
        parts = [from_file(file, column).values for column in (columns or [None])]  # type: ignore[list-item]
    for part in parts:
        if part.ndim not in (1, 2) or part.dtype.kind not in "biuf":
            raise ValueError(
                f"{file} must hold numbers of shape (n,) or (n, k); got shape {part.shape} of {part.dtype}"
            )
        if len(part) != len(parts[0]):
            raise ValueError(
                f"the columns of {file} must be of one length; got {len(parts[0])} and {len(part)}"
            )
    return np.concatenate([part.reshape(len(part), -1).astype(float) for part in parts], axis=1)


def _arrays(file: Path, names: Sequence[Name]) -> list[NDArray[Any]]:
    try:
        with np.load(file, allow_pickle=False) as stored:
            for name in names:
                if name not in stored.files:
                    raise KeyError(
                        f"{file} has no array {name!r}; it has {', '.join(stored.files) or 'none'}"
                    )
            return [stored[str(name)] for name in names]
    except KeyError as error:
        raise ValueError(error.args[0]) from None
    except FileNotFoundError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{file} is truncated, or no NPZ file: {error}") from None
