#!/bin/sh
# networkx's read_graphml puts a GraphML <default> into graph.graph and not onto edges and nodes, so an edge list whose weight is 1.5 by default becomes a matrix of ones.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet networkx==3.6.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import networkx as nx

FILE = b"""<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="k" for="edge" attr.name="weight" attr.type="double"><default>1.5</default></key>
  <key id="o" for="node" attr.name="omega" attr.type="double"><default>0.25</default></key>
  <graph edgedefault="undirected">
    <node id="a"/><node id="b"><data key="o">1.0</data></node><node id="c"/>
    <edge source="a" target="b"/>
    <edge source="b" target="c"><data key="k">4.0</data></edge>
  </graph>
</graphml>"""
graph = nx.read_graphml(io.BytesIO(FILE))
matrix = nx.to_numpy_array(graph).tolist()
omega = nx.get_node_attributes(graph, "omega")
print("python", sys.version.split()[0], "networkx", nx.__version__)
print("weights in the file: a-b 1.5 (the default), b-c 4.0; omega in the file: a 0.25, b 1.0, c 0.25")
print("matrix read:", matrix)
print("omega read:", omega)
print("graph attributes:", graph.graph)
assert matrix == [[0.0, 1.0, 0.0], [1.0, 0.0, 4.0], [0.0, 4.0, 0.0]]
assert omega == {"b": 1.0}
assert graph.graph["edge_default"] == {"weight": 1.5} and graph.graph["node_default"] == {"omega": 0.25}
PYTHON
