#!/bin/sh
# xgi's read_hif drops the field "weight" that the HIF standard defines for edges, nodes and incidences (it keeps what is under "attrs"), and write_hif then writes a file without any weight.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet xgi==0.10.2
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import json
import sys
from pathlib import Path

import xgi

folder = Path(sys.argv[1])
given = {
    "network-type": "undirected",
    "incidences": [{"edge": 0, "node": 1, "weight": 0.5}, {"edge": 0, "node": 2}, {"edge": 0, "node": 3}],
    "nodes": [{"node": 1, "weight": 7.0}],
    "edges": [{"edge": 0, "weight": 2.5, "attrs": {"kind": "triangle"}}],
}
(folder / "given.json").write_text(json.dumps(given))
graph = xgi.read_hif(folder / "given.json")
xgi.write_hif(graph, folder / "again.json")
again = (folder / "again.json").read_text()
print("python", sys.version.split()[0], "xgi", xgi.__version__)
print("weight of the edge in the file: 2.5; attributes read:", graph.edges[0])
print("weight of node 1 in the file: 7.0; attributes read:", graph.nodes[1])
print("written again:", " ".join(again.split()))
assert graph.edges[0] == {"kind": "triangle"}
assert graph.nodes[1] == {}
assert '"weight"' not in again
PYTHON
