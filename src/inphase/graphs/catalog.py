"""Graphs by name: generators, for configuration files and the command line, and data sets of the field."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from inphase.checks import checked_options, integer
from inphase.data.graphs import graph_file
from inphase.graphs.deterministic import circulant, complete, lattice, path, ring, star
from inphase.graphs.graph import Graph
from inphase.graphs.in_space import random_geometric, spatial
from inphase.graphs.random_graphs import barabasi_albert, erdos_renyi, regular, small_world, stochastic_block
from inphase.graphs.reading import read

GENERATORS: dict[str, Callable[..., Graph]] = {
    "barabasi_albert": barabasi_albert,
    "circulant": circulant,
    "complete": complete,
    "erdos_renyi": erdos_renyi,
    "lattice": lattice,
    "path": path,
    "random_geometric": random_geometric,
    "regular": regular,
    "ring": ring,
    "small_world": small_world,
    "spatial": spatial,
    "star": star,
    "stochastic_block": stochastic_block,
}


def generate(name: str, n: int | None = None, seed: int = 0, **options: Any) -> Graph:
    """The graph of the generator called `name`.

    Parameters
    ----------
    name : str
        A key of `GENERATORS`.
    n : int, optional
        Number of nodes. ``"lattice"`` and ``"stochastic_block"`` know theirs, which must be `n` if that is
        given.
    seed : int
        Nonnegative; graphs without chance are the same for all seeds.
    **options
        Options of the generator, by keyword; see its docstring.

    Raises
    ------
    ValueError
        If the name is unknown, or a value is out of range.
    TypeError
        If an option is unknown or missing, or a value is of the wrong type.

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.generate("small_world", 100, seed=1, neighbors=2, rewiring=0.1)
    Graph('small_world', 100 nodes, 200 undirected edges)
    """
    if name not in GENERATORS:
        raise ValueError(f"name must be one of {', '.join(GENERATORS)}; got {name!r}")
    generator, seed = GENERATORS[name], integer("seed", seed, least=0)
    parameters = inspect.signature(generator).parameters
    checked_options(repr(name), generator, options, given=("n", "seed"))
    if "n" in parameters and n is None:
        raise TypeError(f"{name!r} needs n, the number of nodes")
    given = {key: value for key, value in {"n": n, "seed": seed}.items() if key in parameters}
    graph = generator(**given, **options)
    if n is not None and graph.n != n:
        raise ValueError(f"n must be {graph.n}, as the options of {name!r} say, or be left out; got {n}")
    return graph


def dataset(name: str) -> Graph:
    """A graph that the literature on synchronization uses.

    The file ``NAME.gml`` is looked for in the folder that the environment variable INPHASE_DATA names, or
    else in the user's cache folder; if it is not there, it is downloaded into it, once. Its SHA-256 is
    checked.

    Parameters
    ----------
    name : {"us_power_grid", "c_elegans_neural"}
        The high-voltage grid of the western United States: 4941 nodes, 6594 undirected edges, connected. The
        neural network of the worm C. elegans: 297 neurons, directed, weighted by the number of synapses
        (edges given several times are added up); a synapse u -> v means that v listens to u.

    Raises
    ------
    ValueError
        If the name is unknown, or the file is not the one that is known.
    OSError
        If the file cannot be downloaded (the message says where to put it by hand) or written.

    Notes
    -----
    D. J. Watts and S. H. Strogatz, Nature 393, 440 (1998), for both; J. G. White, E. Southgate, J. N. Thomson
    and S. Brenner, Phil. Trans. R. Soc. Lond. B 314, 1 (1986), for the worm. Compiled by M. Newman.

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.dataset("us_power_grid")  # doctest: +SKIP
    Graph('us_power_grid', 4941 nodes, 6594 undirected edges)
    """
    graph = read(graph_file(name))
    if name == "us_power_grid":  # whose copies differ in the order of nodes
        graph = graph.subgraph(np.argsort([int(str(label)) for label in graph.labels]))
    return Graph(graph.matrix, {}, graph.labels, name)  # the drawing's coordinates are no places on a map
