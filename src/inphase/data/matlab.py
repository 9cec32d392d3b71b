"""What a .mat file (version 5) holds: numbers, cells and structures, and no more of the format.

SciPy's reader crashes the process, or does not come back, on some damaged files; here every size is held against the bytes
that are there. Source: MAT-File Format, The MathWorks (R2019b), chapter 1.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

TYPES = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}  # of elements
MATRIX, COMPRESSED = 14, 15
CELL, STRUCTURE = 1, 2  # of classes of arrays
NUMBERS = range(6, 16)
COMPLEX = 0x800  # a flag
DENSEST = 1100  # bytes that one compressed byte can stand for


def read_matlab(content: bytes) -> dict[str, Any]:
    """Arrays of a .mat file by name; cells are lists, structures are dictionaries, and others are left out.

    Raises
    ------
    ValueError
        If it is no such file, or damaged.
    zlib.error, KeyError
        Likewise.
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None:
        raise ValueError("it does not begin as version 5 of the format does")
    found = {}
    for kind, part in _elements(content[128:], order):
        if kind == COMPRESSED:
            inflated = zlib.decompressobj().decompress(part, DENSEST * len(part))
            kind, part = next(_elements(inflated, order), (0, b""))
        if kind == MATRIX:
            name, value = _array(part, order)
            found[name] = value
    return found


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """(type, content) of the elements, one after the other; short ones have both in eight bytes."""
    at = 0
    while at + 8 <= len(data):
        kind, size = (int(word) for word in np.frombuffer(data, f"{order}u4", 2, at))
        begin, after = at + 8, at + 8 + size + (0 if kind == COMPRESSED else -size % 8)
        if kind >> 16:
            kind, size, begin, after = kind & 0xFFFF, kind >> 16, at + 4, at + 8
        if begin + size > min(after, len(data)):
            raise ValueError(f"an element of {size} bytes has {min(after, len(data)) - begin}")
        yield kind, data[begin : begin + size]
        at = after


def _array(data: bytes, order: str) -> tuple[str, Any]:
    """The name and the value of an array."""
    parts = _elements(data, order)
    flags = int(_numbers(next(parts), order)[0])
    shape = [int(size) for size in _numbers(next(parts), order)]
    name = next(parts)[1].decode("ascii")
    kind, count = flags & 0xFF, math.prod(shape)
    if kind == CELL:
        return name, [_array(part, order)[1] for _, part in parts]
    if kind == STRUCTURE:
        width = int(_numbers(next(parts), order)[0])
        names = next(parts)[1]
        fields = [
            names[k : k + width].split(b"\0")[0].decode("ascii") for k in range(0, len(names), max(width, 1))
        ]
        return name, dict(zip(fields, (_array(part, order)[1] for _, part in parts)))
    if kind not in NUMBERS or flags & COMPLEX:
        return name, None
    values = _numbers(next(parts), order)
    if len(values) != count or min(shape, default=0) < 0:
        raise ValueError(f"the array {name!r:.60} of shape {shape!s:.60} has {len(values)} numbers")
    return name, values.reshape(shape, order="F")


def _numbers(element: tuple[int, bytes], order: str) -> Any:
    kind, data = element
    return np.frombuffer(data, f"{order}{TYPES[kind]}")
