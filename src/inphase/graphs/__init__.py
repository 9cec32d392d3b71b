"""Graphs: who listens to whom. Readers of graph files, generators by name, and two data sets of the field.

`Graph.matrix` is the K of a coupling; its class docstring states the direction of edges, once for all readers
and generators. To add a generator, write a function here and give it an entry in `GENERATORS`; to add a file
format, write a function (file -> what it says, a `Found`, or the graph of a matrix) and give it an entry in
`FORMATS` of `reading.py`.
"""

from inphase.data.graphs import DATASETS
from inphase.graphs.building import from_edges, from_networkx, from_pandas
from inphase.graphs.catalog import GENERATORS, dataset, generate
from inphase.graphs.deterministic import circulant, complete, lattice, path, ring, star
from inphase.graphs.graph import Graph
from inphase.graphs.in_space import random_geometric, spatial
from inphase.graphs.node_tables import join
from inphase.graphs.random_graphs import barabasi_albert, erdos_renyi, regular, small_world, stochastic_block
from inphase.graphs.reading import FORMATS, read, read_columns
from inphase.graphs.source import Source

__all__ = [
    "DATASETS",
    "FORMATS",
    "GENERATORS",
    "Graph",
    "Source",
    "barabasi_albert",
    "circulant",
    "complete",
    "dataset",
    "erdos_renyi",
    "from_edges",
    "from_networkx",
    "from_pandas",
    "generate",
    "join",
    "lattice",
    "path",
    "random_geometric",
    "read",
    "read_columns",
    "regular",
    "ring",
    "small_world",
    "spatial",
    "star",
    "stochastic_block",
]
