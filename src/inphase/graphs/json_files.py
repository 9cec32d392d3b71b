"""Graphs as JSON: node-link data, as networkx and D3 have them, and HIF, the interchange format of hypergraphs.

HIF: M. Coll et al., HIF: the hypergraph interchange format for higher-order networks (2025), and its schema. Weights of
edges are those of ``edges``; those of incidences and nodes are not used, and that is said.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, NamedTuple

from inphase.graphs.building import Edge, Found, Node, Wanted, edge_weights, from_records, ordered
from inphase.graphs.source import counted
from inphase.stored import read_json


class Hyperedges(NamedTuple):
    """What an HIF file says: the nodes, the members of each edge as numbers of nodes, its weight, and notes."""

    nodes: list[Hashable]
    members: list[list[int]]
    weights: list[float]
    notes: list[str]


def json_graph(file: Path, wanted: Wanted) -> Found:
    """Node-link data, or a hypergraph of pairs."""
    found = read_json(file)
    if isinstance(found, dict) and "incidences" in found:
        return _pairs(file, found, wanted)
    links = next((key for key in ("links", "edges") if isinstance(found, dict) and key in found), None)
    if links is None or "nodes" not in found:
        raise ValueError(
            f"{file} must hold an object with nodes and links (or edges), or with incidences (HIF)"
        )
    nodes = [_node(file, k, node) for k, node in enumerate(_objects(file, found, "nodes"))]
    if not nodes:
        raise ValueError(f"{file} must hold a graph with nodes; got none")
    if len({node.key for node in nodes}) < len(nodes):
        raise ValueError(f"{file}: nodes must have different ids")
    edges = []
    for k, link in enumerate(_objects(file, found, links)):
        ends = [_key(file, f"{links}[{k}]", link, end) for end in ("source", "target")]
        edges.append(Edge(ends[0], ends[1], link, f"{links}[{k}]"))
    directed = found.get("directed", False)
    if not isinstance(directed, bool):
        raise ValueError(f"{file}: directed must be true or false; got {directed!r:.60}")
    return from_records(nodes, edges, wanted, lambda place: f"{file}, {place}", "node-link JSON", directed)


def _objects(file: Path, found: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """A list of objects; ValueError with the first that is none."""
    rows = found[key]
    if not isinstance(rows, list):
        raise ValueError(f"{file}: {key} must be a list; got {rows!r:.60}")
    for k, row in enumerate(rows):
        if not isinstance(row, dict):
            raise ValueError(f"{file}, {key}[{k}]: expected an object; got {row!r:.60}")
    return rows


def _node(file: Path, k: int, node: dict[str, Any]) -> Node:
    """A node by its id, or by its place where it has none, as D3 does."""
    key = _key(file, f"nodes[{k}]", node, "id") if "id" in node else k
    return Node(key, None, {name: value for name, value in node.items() if name != "id"})


def _key(file: Path, place: str, row: dict[str, Any], name: str) -> Hashable:
    """The id of a node, a number, a text, or a list of these."""
    value = row.get(name)
    parts = value if isinstance(value, list) else [value]
    if not parts or not all(isinstance(part, int | float | str) and part == part for part in parts):
        raise ValueError(f"{file}, {place}: {name} must be a number or a text; got {value!r:.60}")
    return tuple(parts) if isinstance(value, list) else value


# ------------------------------------------------------------------------------------------------------ HIF


def _pairs(file: Path, found: dict[str, Any], wanted: Wanted) -> Found:
    """The graph of a hypergraph all of whose edges are pairs."""
    hyper = hyperedges(file, found, wanted.weight)
    for k, members in enumerate(hyper.members):
        if len(members) != 2:
            raise ValueError(
                f"{file}: a graph has edges of two nodes; edge {k} has {len(members)}: Hypergraph.read reads triads"
            )
    sources, targets = ([pair[end] for pair in hyper.members] for end in (0, 1))
    words = "weights 1" if set(hyper.weights) <= {1.0} else "weights of the edges"
    return Found(
        sources, targets, hyper.weights, len(hyper.nodes), "HIF", words, labels=hyper.nodes, notes=hyper.notes
    )  # fmt: skip


def read_hif(file: Path) -> Hyperedges:
    """The hypergraph of an HIF file; ValueError that names it if it is none, or directed."""
    found = read_json(file)
    if not isinstance(found, dict) or "incidences" not in found:
        raise ValueError(f"{file} must hold an object with incidences, as HIF has them")
    return hyperedges(file, found, None)


def hyperedges(file: Path, found: dict[str, Any], weight: str | float | None) -> Hyperedges:
    """Nodes in the order of ``nodes``, the rest ascending if all are numbers, else as they appear; edges as they appear."""
    kind = found.get("network-type", "undirected")
    if kind not in ("undirected", "asc"):
        raise ValueError(f"{file}: network-type must be undirected; got {kind!r:.60}")
    number: dict[Hashable, int] = {}
    listed = _objects(file, found, "nodes") if "nodes" in found else []
    for k, about in enumerate(listed):
        number.setdefault(_key(file, f"nodes[{k}]", about, "node"), len(number))
    members: dict[Hashable, list[int]] = {}
    rows = _objects(file, found, "incidences")
    pairs = [
        (_key(file, f"incidences[{k}]", row, "node"), _key(file, f"incidences[{k}]", row, "edge"))
        for k, row in enumerate(rows)
    ]
    for node in ordered([node for node, _ in pairs]):
        number.setdefault(node, len(number))
    for node, edge in pairs:
        members.setdefault(edge, []).append(number[node])
    known = {_key(file, f"edges[{k}]", row, "edge"): row for k, row in enumerate(_objects(file, found, "edges"))} if (
        "edges" in found
    ) else {}  # fmt: skip
    notes = [
        f"not used: weights of {word}"
        for word, part in (("incidences", rows), ("nodes", listed))
        if any("weight" in row for row in part)
    ]
    empty = [key for key in known if key not in members]
    if empty:
        notes.append(f"{counted(len(empty), 'edge', 'dropped')}, without nodes")
    edges = [
        Edge(key, key, {**known.get(key, {}).get("attrs", {}), **known.get(key, {})}, f"edge {key!r:.40}")
        for key in members
    ]
    weights, _ = edge_weights(edges, weight, lambda place: f"{file}, {place}", notes)
    return Hyperedges(list(number), list(members.values()), weights, notes)
