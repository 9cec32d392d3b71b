"""Files are written beside and renamed: a reader, or a killed run, only ever sees whole ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr


def replace_file(path: Path, write: Callable[[Path], object]) -> Path:
    """Let `write` fill a file beside `path`, then rename it; on failure the old file stays and the new goes.

    Raises OSError with the path and the reason (no space, no permission, ...).
    """
    beside = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        write(beside)
        os.replace(beside, path)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(f"cannot write {path}: {error.strerror or error}") from error
        raise
    return path


def write_text(path: Path, text: str) -> Path:
    """Write UTF-8 text."""
    return replace_file(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write arrays by name as one NPZ file, without pickle."""

    def write(beside: Path) -> None:
        with beside.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    return replace_file(path, write)


def write_dataset(path: Path, data: xr.Dataset) -> Path:
    """Write NetCDF; made in memory first, since HDF5 does not survive a disk that fills while it writes."""
    content = data.to_netcdf(engine="h5netcdf")
    return replace_file(path, lambda beside: beside.write_bytes(content))


def output_folder(path: str | os.PathLike[str]) -> Path:
    """The folder, made if need be and proved writable; OSError that names it otherwise, ValueError for ''."""
    if not os.fspath(path):
        raise ValueError('the output folder needs a name; got "": write "." for the current folder')
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".inphase-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OSError(f"the output folder {folder} cannot be written to: {error.strerror or error}") from None
    return folder
