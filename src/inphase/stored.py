"""Files that other libraries read, opened in one place: NPY, NPZ, NetCDF and JSON.

Whatever a library raises over a damaged file becomes one ValueError that names it (`reading`), and the sizes that a
header declares are held against the size of the file before anything of that size is allocated.
"""

from __future__ import annotations

import errno
import json
import math
import mmap
import os
import threading
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

Where = str | os.PathLike[str]
DENSEST = 1100  # bytes that one byte of a compressed file can stand for: deflate's limit is 1032
SMALL = 2**26  # bytes that may be declared by any file, as unused dimensions of NetCDF are
OF_CONTENT = (
    None,
    errno.EINVAL,
)  # of errors that libraries raise themselves, or where a file sends them nowhere
HEAP = b"GCOL\x01\0\0\0"  # what a heap of HDF5 begins with
_KIND = "is truncated, or no {} file: {{}}"
_QUIET = threading.RLock()  # one thread at a time changes what is done with warnings


@contextmanager
def reading(path: Where, what: str, raises: type[Exception] = ValueError) -> Iterator[None]:
    """Turn all that is raised over the content of a file into one sentence, and leave warnings about it out.

    Parameters
    ----------
    path : path
    what : str
        What is then said of the file; {} stands for the reason.
    raises : type
        What is raised; an error that names the file already stays as it is.

    Raises
    ------
    OSError
        If the file cannot be read at all.
    ValueError
        Or another type, as given.

    Examples
    --------
    >>> with reading("a.npy", "is truncated, or no NPY file: {}"):
    ...     raise KeyError("descr")
    Traceback (most recent call last):
    ValueError: a.npy is truncated, or no NPY file: it lacks 'descr'
    """
    try:
        with _QUIET, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in OF_CONTENT:
            raise type(error)(f"cannot read {path}: {error.strerror}") from None
        if isinstance(error, (raises, ValueError)) and str(path) in str(error):
            raise
        raise raises(f"{path} {what.replace('{}', reason(error))}") from None


def reason(error: BaseException) -> str:
    """What a library says, in a line; without the advice that it gives on its own options.

    Examples
    --------
    >>> reason(ValueError("Header is too large (20000).  Try max_header_size=...\\n"))
    'Header is too large (20000)'
    """
    if isinstance(error, KeyError) and error.args:
        return f"it lacks {error.args[0]!r:.60}"
    text = (str(error).strip().splitlines() or [""])[0].split(".  ")[0].split(". ")[0]
    return text[:160].rstrip(".") or type(error).__name__


# --------------------------------------------------------------------------------------------------- arrays


def read_npy(path: Where, what: str = _KIND.format("NPY")) -> NDArray[Any]:
    """The array of an NPY file, of any type but Python's objects; ValueError if it is damaged or larger than its file."""
    with reading(path, what), open(path, "rb") as opened:
        _check_header(opened, os.fstat(opened.fileno()).st_size)
        opened.seek(0)
        return np.asarray(npy.read_array(opened, allow_pickle=False))


@contextmanager
def open_npz(path: Where, what: str = _KIND.format("NPZ")) -> Iterator[Any]:
    """A `numpy.lib.npyio.NpzFile` whose arrays fit the file; what is raised inside becomes one ValueError, as by `reading`."""
    with reading(path, what), open(path, "rb") as opened:
        most = DENSEST * os.fstat(opened.fileno()).st_size
        with zipfile.ZipFile(opened) as archive:
            for member in archive.infolist():
                with archive.open(member) as array:
                    _check_header(array, min(member.file_size, most))  # type: ignore[arg-type]
        opened.seek(0)
        with np.lib.npyio.NpzFile(opened, allow_pickle=False) as stored:
            yield stored


def read_npz(path: Where, what: str = _KIND.format("NPZ")) -> dict[str, NDArray[Any]]:
    """All arrays of an NPZ file by name; ValueError if one is damaged, or larger than the file can hold."""
    with open_npz(path, what) as stored:
        return {name: stored[name] for name in stored.files}


def _check_header(opened: BinaryIO, size: int) -> None:
    """ValueError unless an NPY file of `size` bytes, open at its begin, can hold the numbers that it declares."""
    header = npy.read_array_header_1_0 if npy.read_magic(opened) == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = header(opened)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are not read")
    if min(shape, default=0) < 0 or math.prod(shape) * max(dtype.itemsize, 1) > size:
        raise ValueError(f"it declares the shape {shape} of {dtype}, and has {size} bytes"[:160])


# --------------------------------------------------------------------------------------------------- NetCDF


@contextmanager
def open_netcdf(path: Where) -> Iterator[xr.Dataset]:
    """A dataset of a NetCDF file, times as numbers; what is raised inside becomes one ValueError, as by `reading`."""
    import xarray as xr  # here, since it takes long to import and only this needs it

    check_hdf5(path, _KIND.format("NC"))
    with reading(path, _KIND.format("NC")), xr.open_dataset(path, decode_times=False) as dataset:
        yield dataset


def check_hdf5(path: Where, what: str) -> None:
    """ValueError unless a file of HDF5 can hold what its variables declare; others are left to their readers."""
    with reading(path, what):
        _check_variables(path)


def _check_variables(path: Where) -> None:
    """ValueError for a variable larger than its file; HDF5 gives what was never written a value."""
    import h5py

    most = DENSEST * os.stat(path).st_size + SMALL

    def check(name: str, found: Any) -> None:
        sized = isinstance(found, h5py.Dataset) and found.size is not None
        if sized and found.size * max(found.dtype.itemsize, 1) > most:
            raise ValueError(f"{name} declares the shape {found.shape}, which the file cannot hold"[:160])

    if h5py.is_hdf5(path):
        _check_heaps(path)
        with h5py.File(path, "r") as opened:
            opened.visititems(check)


def _check_heaps(path: Where) -> None:
    """ValueError for a heap of HDF5 one of whose objects takes no room: the library would look for the next one for ever.

    Source: HDF5 File Format Specification Version 3.0, III.E (global heap).
    """
    with open(path, "rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.find(HEAP)
        while at >= 0:
            end = at + int.from_bytes(content[at + 8 : at + 16], "little")
            at += 16
            while at + 16 <= end <= len(content):
                index, size = (
                    int.from_bytes(content[at : at + 2], "little"),
                    int.from_bytes(content[at + 8 : at + 16], "little"),
                )
                room = size if index == 0 else 16 + size + -size % 8  # what is left over counts its own head
                if not 0 < room <= end - at:
                    raise ValueError(f"the heap's object at byte {at} takes {size} bytes of {end - at}")
                at += room
            at = content.find(HEAP, at)


# ----------------------------------------------------------------------------------------------------- JSON


def read_json(path: Where, what: str = "is truncated, or no JSON: {}") -> Any:
    """What a JSON file holds; ValueError that names the file if it is damaged."""
    with reading(path, what):
        return json.loads(Path(path).read_text(encoding="utf-8"))
