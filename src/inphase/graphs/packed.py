"""Compressed files: what is inside, as a file of its own for as long as it is read."""

from __future__ import annotations

import bz2
import gzip
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inphase.stored import DENSEST, SMALL, reading

OPENERS: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open}


@contextmanager
def unpacked(file: Path) -> Iterator[Path]:
    """The file inside; errors and warnings about it name the one outside."""
    most = DENSEST * file.stat().st_size + SMALL
    with (
        reading(file, f"is truncated, or not compressed as {file.suffix[1:]}: {{}}"),
        OPENERS[file.suffix.lower()](file) as packed,
    ):
        content = packed.read(most + 1)
        if len(content) > most:
            raise ValueError(f"it holds more than {most} bytes")
    with tempfile.TemporaryDirectory() as folder:
        inside = Path(folder, file.stem)
        inside.write_bytes(content)
        try:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                yield inside
        except ValueError as error:
            raise ValueError(str(error).replace(str(inside), str(file))) from None
    for warning in told:
        warnings.warn(str(warning.message).replace(str(inside), str(file)), warning.category, stacklevel=4)
