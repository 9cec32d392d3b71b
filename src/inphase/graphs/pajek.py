"""Pajek's .net: vertices with labels and places, then arcs (directed) or edges (undirected).

Source: W. de Nooy, A. Mrvar, V. Batagelj, Exploratory Social Network Analysis with Pajek. Relations of several kinds add
up; a file with both arcs and edges is refused, since a graph here has one kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from inphase.checks import LARGEST
from inphase.graphs.building import Edge, Found, Node, Wanted, from_records
from inphase.graphs.source import named
from inphase.tables import is_float, read_text

FIELD = re.compile(r'"([^"]*)"|(\S+)')
SECTIONS = {"arcs": True, "arcslist": True, "edges": False, "edgeslist": False}  # whether directed
ROOM = 1_000_000  # vertices without a line of their own that any file may declare


def pajek(file: Path, wanted: Wanted) -> Found:
    """The network of a .net file."""
    nodes: dict[int, Node] = {}
    edges: list[Edge] = []
    begins: dict[bool, int] = {}  # the first line of an arc and of an edge
    ignored: list[str] = []
    section, most = "", -1
    for number, line in _lines(file):
        fields = [quoted or plain for quoted, plain in FIELD.findall(line)]
        if line.startswith("*"):
            before, section = section, fields[0][1:].casefold()
            if section == "vertices" and ignored and before == ignored[-1][1:].casefold():
                section = before  # of a partition or a vector, which has as many lines
            elif section == "vertices" and nodes:
                raise ValueError(
                    f"{file}, line {number}: a file must hold one network; another one begins here"
                )
            elif section == "vertices":
                most = _count(file, number, fields)
                nodes = {k: Node(k, None, {}) for k in range(1, most + 1)}
            elif section != "network" and section not in SECTIONS:
                ignored.append(fields[0])
        elif section == "vertices":
            key = _vertex(file, number, fields[0], most)
            nodes[key] = Node(key, fields[1] if len(fields) > 1 else None, _places(fields[2:]))
        elif section in SECTIONS:
            begins.setdefault(SECTIONS[section], number)
            edges += _edges(file, number, fields, section, most)
        elif section not in ("network", "") and ignored:
            continue
        elif section != "network":
            raise ValueError(f"{file}, line {number}: expected *Vertices and their number; got {line!r:.80}")
    if not nodes:
        raise ValueError(f"{file} must hold *Vertices and their number; got none")
    if len(begins) == 2:
        raise ValueError(
            f"{file}, line {max(begins.values())}: arcs and edges cannot be mixed in one graph; the others begin in "
            f"line {min(begins.values())}"
        )
    found = from_records(
        list(nodes.values()), edges, wanted, lambda line: f"{file}, line {line}", "Pajek", True in begins
    )
    if ignored:
        found.notes.append(f"not used: {named(ignored)}")
    return found


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Numbers and texts of the lines that are not empty, and no comments."""
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("%"):
            yield number, line.strip()


def _count(file: Path, number: int, fields: list[str]) -> int:
    """The number of vertices, which must fit the file."""
    text = fields[1] if len(fields) > 1 else ""
    known = text.isascii() and text.isdecimal() and len(text) < 12
    if not known or not 1 <= int(text) <= min(LARGEST, max(ROOM, file.stat().st_size)):
        raise ValueError(f"{file}, line {number}: expected *Vertices and their number; got {text!r:.80}")
    return int(text)


def _vertex(file: Path, number: int, text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and 1 <= int(text) <= most):
        raise ValueError(
            f"{file}, line {number}: a vertex must be a number from 1 to {most}; got {text!r:.80}"
        )
    return int(text)


def _places(fields: list[str]) -> dict[str, float]:
    """Coordinates that stand after the label, as far as they are numbers."""
    found = {}
    for name, field in zip("xyz", fields):
        if not is_float(field):
            break
        found[name] = float(field)
    return found


def _edges(file: Path, number: int, fields: list[str], section: str, most: int) -> list[Edge]:
    """The edges of a line: one with its weight, or, of a list, those to all that follow."""
    if section.endswith("list"):
        source, *targets = (_vertex(file, number, text, most) for text in fields)
        return [Edge(source, target, {}, number) for target in targets]
    if len(fields) < 2:
        raise ValueError(
            f"{file}, line {number}: expected two vertices and perhaps a weight; got {fields[0]!r:.80}"
        )
    source, target = (_vertex(file, number, text, most) for text in fields[:2])
    if len(fields) > 2 and not is_float(fields[2]):
        raise ValueError(f"{file}, line {number}: weight must be a finite number; got {fields[2]!r:.80}")
    return [Edge(source, target, {"weight": float(fields[2])} if len(fields) > 2 else {}, number)]
