"""Generators by name, for configuration files and the command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from inphase.checks import checked_options, integer
from inphase.graphs.deterministic import circulant, complete, lattice, path, ring, star
from inphase.graphs.graph import Graph
from inphase.graphs.in_space import random_geometric, spatial
from inphase.graphs.random_graphs import barabasi_albert, erdos_renyi, regular, small_world, stochastic_block

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
