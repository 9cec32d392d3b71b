"""GML and GraphML, read by their grammars so that every fault has a line number.

GML: M. Himsolt, GML: A portable graph file format (1996). GraphML: U. Brandes et al., GraphML progress
report, Graph Drawing 2001, and its specification; hyperedges and ports are not read, and of several graphs the first.
A node that has a graph inside is a group, as in yEd's files: its members are nodes, and it is none.
"""

from __future__ import annotations

import html
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from xml.parsers import expat

from inphase.graphs.building import Edge, Found, Node, Wanted, from_records
from inphase.graphs.source import counted

# -------------------------------------------------------------------------------------------------------- GML

TOKEN = re.compile(
    r'(?P<skip>\s+|\#[^\n]*)|(?P<text>"[^"]*")|(?P<bracket>[\[\]])|(?P<word>[^\s\[\]"]+)|(?P<bad>")'
)
KEY = re.compile(r"[A-Za-z_]\w*")


class Entry(NamedTuple):
    """`key value`, where a value is a number, a text or a list of entries."""

    key: str
    value: Any
    line: int


def read_gml(text: str, path: str, wanted: Wanted) -> Found:
    """What a GML text says; `path` is for messages."""

    def where(line: int) -> str:
        return f"{path}, line {line}"

    try:
        entries = _entries(_tokens(text, where), where, None)
    except RecursionError:
        raise ValueError(f"{path}: brackets are nested too deeply") from None
    found = [e.value for e in entries if e.key == "graph" and isinstance(e.value, list)]
    graph = next(iter(found), None)
    if graph is None:
        raise ValueError(
            f"{path} must hold a graph [...]; got {', '.join(e.key for e in entries) or 'nothing':.80}"
        )
    nodes = [_gml_node(entry, where) for entry in graph if entry.key == "node"]
    _check_nodes(nodes, [entry.line for entry in graph if entry.key == "node"], path, where)
    edges = [_gml_edge(entry, where) for entry in graph if entry.key == "edge"]
    directed = any(e.key == "directed" and e.value == 1 for e in graph)
    return _first_of(len(found), path, from_records(nodes, edges, wanted, where, "GML", directed))


def _first_of(count: int, path: str, found: Found) -> Found:
    """What was found in the first of several graphs, with a warning."""
    if count > 1:
        warnings.warn(f"{path} holds {count} graphs, of which the first is read", stacklevel=4)
        found.notes.append(f"the first of {count} graphs")
    return found


def _tokens(text: str, where: Callable[[int], str]) -> Iterator[tuple[str, str, int]]:
    """(kind, token, line), then ("end", "", line) at the end."""
    line = 1
    for match in TOKEN.finditer(text):
        kind, token = str(match.lastgroup), match.group()
        if kind == "bad":
            raise ValueError(f'{where(line)}: a text begins with " and does not end')
        if kind != "skip":
            yield kind, token, line
        line += token.count("\n")
    yield "end", "", line


def _entries(
    tokens: Iterator[tuple[str, str, int]], where: Callable[[int], str], opened: int | None
) -> list[Entry]:
    """Entries up to the bracket that closes the one of line `opened`, or to the end of the file for None."""
    entries: list[Entry] = []
    for kind, token, line in tokens:
        if kind == "end" and opened is not None:
            raise ValueError(f"{where(line)}: the file ends, but the [ of line {opened} is not closed")
        if kind == "end" or (token == "]" and kind == "bracket" and opened is not None):
            return entries
        if kind != "word" or not KEY.fullmatch(token):
            raise ValueError(f"{where(line)}: expected the name of an entry; got {token!r:.80}")
        entries.append(Entry(token, _value(token, tokens, where, line), line))
    return entries


def _value(key: str, tokens: Iterator[tuple[str, str, int]], where: Callable[[int], str], line: int) -> Any:
    kind, token, at = next(tokens)
    if kind == "text":
        return html.unescape(token[1:-1])
    if token == "[":
        return _entries(tokens, where, at)
    try:
        return int(token) if token.lstrip("+-").isdecimal() else float(token)
    except ValueError:
        got = f"{token!r:.80}" if token else "the end of the file"
        raise ValueError(
            f"{where(line)}: {key:.60} must be a number, a quoted text or [...]; got {got}"
        ) from None


def _gml_node(entry: Entry, where: Callable[[int], str]) -> Node:
    parts = _attributes(entry, ("id",), where)
    key = parts.pop("id")
    if isinstance(parts.get("label"), list):
        raise ValueError(f"{where(entry.line)}: node must have one label; got {parts['label']!r:.80}")
    return Node(key, parts.pop("label", None), parts)


def _gml_edge(entry: Entry, where: Callable[[int], str]) -> Edge:
    parts = _attributes(entry, ("source", "target"), where)
    return Edge(parts["source"], parts["target"], parts, entry.line)


def _attributes(entry: Entry, needed: tuple[str, ...], where: Callable[[int], str]) -> dict[str, Any]:
    """Names and values; a key given several times becomes a list, and `graphics` gives x, y and z."""
    if not isinstance(entry.value, list):
        raise ValueError(
            f"{where(entry.line)}: {entry.key:.60} must be followed by [...]; got {entry.value!r:.80}"
        )
    found: dict[str, Any] = {}
    several: set[str] = set()  # of which a list is made
    for key, value, _ in entry.value:
        if isinstance(value, list):
            place = {k: v for k, v, _ in value if key == "graphics" and k in ("x", "y", "z")}
            found, several = found | place, several - set(place)
        elif key in several:
            found[key].append(value)
        elif key in found:
            several.add(key)
            found[key] = [found[key], value]
        else:
            found[key] = value
    for key in needed:
        if key in several or key not in found:
            got = f"{len(found[key])} of them" if key in several else ", ".join(found) or "nothing"
            raise ValueError(f"{where(entry.line)}: {entry.key:.60} must have one {key}; got {got:.80}")
    return found


def _check_nodes(nodes: list[Node], lines: list[int], path: str, where: Callable[[int], str]) -> None:
    if not nodes:
        raise ValueError(f"{path} must hold a graph with nodes; got none")
    seen: dict[Any, int] = {}
    for node, line in zip(nodes, lines):
        if node.key in seen:
            raise ValueError(
                f"{where(line)}: nodes must have different ids; {node.key!r:.80} is also in line {seen[node.key]}"
            )
        seen[node.key] = line


# ---------------------------------------------------------------------------------------------------- GraphML


def _whole(text: str) -> int:
    """A whole number, which some write as 3.0."""
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if not number.is_integer():
            raise
        return int(number)


NUMBERS: dict[str, Callable[[str], float]] = {"int": _whole, "long": _whole, "float": float, "double": float}


class _GraphML:
    """What a pass over the XML collects."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.keys: dict[str, tuple[str, str, str]] = {}  # id -> (for, name, type)
        self.defaults: dict[str, Any] = {}  # id -> value
        self.directed: bool | None = None
        self.nodes: list[Node] = []
        self.node_lines: list[int] = []
        self.edges: list[Edge] = []
        self.owner: dict[str, Any] | None = None  # attributes of the element around
        self.key = ""  # of the <data> or <default> that is open
        self.text: list[str] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.EntityDeclHandler = self.entity
        self.open: list[tuple[str, int]] = []  # the elements around, and their lines
        self.graphs = 0  # those that stand in no other
        self.inside: list[str] = []  # of nodes around, the ids
        self.groups: set[str] = set()  # ids of nodes with a graph inside
        self.label: list[str] = []  # of yEd's, which is the text before the elements inside it

    def where(self, line: int) -> str:
        return f"{self.path}, line {line}"

    def fail(self, what: str) -> ValueError:
        return ValueError(f"{self.where(self.parser.CurrentLineNumber)}: {what}")

    def need(self, tag: str, attributes: dict[str, str], *names: str) -> list[str]:
        missing = next((name for name in names if name not in attributes), None)
        if missing is not None:
            raise self.fail(
                f"<{tag}> must have the attribute {missing!r}; got {', '.join(attributes) or 'none':.80}"
            )
        return [attributes[name] for name in names]

    def entity(self, name: str, *_: Any) -> None:
        raise self.fail(
            f"entities cannot be declared (a few lines of them can stand for gigabytes); got {name!r:.60}"
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag, self.text = tag.rpartition(" ")[2], []
        around, line = self.open[-1] if self.open else ("nothing", 1), self.parser.CurrentLineNumber
        self.open.append((tag, line))
        if tag == "graph":
            self.graph(attributes)
        elif self.graphs > 1 and tag != "key":
            return
        elif tag == "key":
            (self.key,) = self.need(tag, attributes, "id")
            drawn = "yfiles.type" in attributes  # how yEd draws it, of which the label alone is read
            name = "" if drawn else attributes.get("attr.name", self.key)
            kind = attributes.get("attr.type", "string")
            self.keys[self.key] = (attributes.get("for", "all"), name, kind)
        elif around[0] != "graph" and tag in ("node", "edge"):
            raise self.fail(
                f"a <{tag}> must stand in a <graph>; it stands in the <{around[0]:.60}> of line {around[1]}"
            )
        elif tag == "node":
            (key,) = self.need(tag, attributes, "id")
            self.owner = {}
            self.inside.append(key)
            self.nodes.append(Node(key, None, self.owner))
            self.node_lines.append(line)
        elif tag == "edge":
            source, target = self.need(tag, attributes, "source", "target")
            if "directed" in attributes and attributes["directed"] != str(bool(self.directed)).lower():
                raise self.fail("directed and undirected edges cannot be mixed in one graph")
            self.owner = {}
            self.edges.append(Edge(source, target, self.owner, line))
        elif tag == "data":
            (self.key,) = self.need(tag, attributes, "key")
        elif tag == "NodeLabel":
            self.label = self.text
        elif tag == "hyperedge":
            raise self.fail("hyperedges are not read; every edge must join two nodes")

    def graph(self, attributes: dict[str, str]) -> None:
        """A graph begins: the first, another one, or that of a group."""
        if self.inside:
            self.groups.add(self.inside[-1])
        else:
            self.graphs += 1
        if self.graphs > 1:
            self.owner = None
        elif self.directed is None:
            self.directed = self.need("graph", attributes, "edgedefault")[0] == "directed"

    def end(self, tag: str) -> None:
        tag, _ = self.open.pop()
        if tag in ("node", "edge"):
            self.owner = None
            if tag == "node" and self.graphs <= 1:
                self.inside.pop()
        elif tag == "NodeLabel" and self.owner is not None and (text := "".join(self.label).strip()):
            self.owner.setdefault("label", text)
        elif tag == "default":
            self.defaults[self.key] = self.value()
        elif tag == "data" and self.owner is not None:
            value, name = self.value(), self.keys[self.key][1]
            if name:
                self.owner[name] = value

    def characters(self, text: str) -> None:
        self.text.append(text)

    def value(self) -> Any:
        if self.key not in self.keys:
            raise self.fail(f"the key {self.key!r:.60} is not declared")
        _, name, kind = self.keys[self.key]
        text = "".join(self.text)
        try:
            return NUMBERS[kind](text) if kind in NUMBERS else text.strip()
        except ValueError:
            if not text.strip():
                return ""  # which is no number of this element, and no fault of the others
            raise self.fail(f"{name:.60} must be of the type {kind}; got {text!r:.60}") from None

    def defaults_of(self, element: str) -> dict[str, Any]:
        return {self.keys[k][1]: v for k, v in self.defaults.items() if self.keys[k][0] in (element, "all")}


def read_graphml(content: bytes, path: str, wanted: Wanted) -> Found:
    """What a GraphML text says; `path` is for messages."""
    found = _GraphML(path)
    try:
        found.parser.Parse(content, True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        if found.open and reason in (
            expat.errors.XML_ERROR_NO_ELEMENTS,
            expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        ):
            reason += f"; the <{found.open[-1][0]:.60}> of line {found.open[-1][1]} is not closed"
        raise ValueError(f"{path}, line {error.lineno}: not well-formed XML ({reason})") from None
    except LookupError as error:
        raise ValueError(f"{path}, line 1: the encoding must be a known one; got {error!s:.80}") from None
    _check_nodes(found.nodes, found.node_lines, path, found.where)
    for element, records in (("node", found.nodes), ("edge", found.edges)):
        defaults = found.defaults_of(element)
        if len(defaults) * len(records) > 4 * len(content):  # a small file would stand for gigabytes
            raise ValueError(f"{path}: {len(defaults)} defaults are too many for {len(records)} records")
        for key, value in defaults.items():
            for record in records:
                record.attributes.setdefault(key, value)  # type: ignore[attr-defined]
    nodes = _members(found)
    read = from_records(nodes, found.edges, wanted, found.where, "GraphML", bool(found.directed))
    if found.groups:
        read.notes.append(f"{counted(len(found.groups), 'group', 'left out')}, with the members as nodes")
    return _first_of(found.graphs, path, read)


def _members(found: _GraphML) -> list[Node]:
    """The nodes that are no groups; ValueError for an edge that joins a group."""
    if not found.groups:
        return found.nodes
    for edge in found.edges:
        group = next((end for end in (edge.source, edge.target) if end in found.groups), None)
        if group is not None:
            raise ValueError(
                f"{found.where(edge.place)}: the edge joins {group!r:.80}, which is a group and no node"
            )
    nodes = [node for node in found.nodes if node.key not in found.groups]
    if not nodes:
        raise ValueError(f"{found.path} must hold a graph with nodes; got groups without any")
    return nodes
