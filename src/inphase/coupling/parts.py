"""Who hears whom at all, and the parts of a coupling that hear nobody outside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from inphase.coupling.base import Coupling
from inphase.kernels.terms import AllPairs, Links, Term, Triangles

Nodes = NDArray[np.integer[Any]]


def hearing(terms: Sequence[Term], n: int) -> sparse.csr_array | None:
    """Entry (i, j) where i hears j != i in some term, (n, n); None where a term joins all oscillators.

    Weights that cancel in a sum of terms count as hearing.
    """
    found: list[tuple[Nodes, Nodes]] = []
    for term in terms:
        if isinstance(term, Links):
            found.append((term.rows[term.weights != 0], term.columns[term.weights != 0]))
        elif isinstance(term, AllPairs):
            rows, columns = np.nonzero(term.weights)
            found.append((rows, columns))
        elif isinstance(term, Triangles):
            turns = [(0, 1), (0, 2)] + ([] if term.directed else [(1, 0), (1, 2), (2, 0), (2, 1)])
            found += [(term.nodes[:, i], term.nodes[:, j]) for i, j in turns]
        else:
            return None
    who, whom = (np.concatenate(part).astype(np.int64) for part in zip(*found))
    places = (who[who != whom], whom[who != whom])
    return sparse.coo_array((np.ones(len(places[0])), places), shape=(n, n)).tocsr()


def heard_by(coupling: Coupling, n: int) -> sparse.csr_array | None:
    """`hearing` of a coupling's terms; None where all join all, or nothing is known."""
    terms = None if coupling.common_weights(n) is not None else coupling.spelled(n)
    return None if terms is None else hearing(terms, n)


def closed_parts(heard: Any) -> list[Nodes]:
    """The least sets of nodes that hear nobody outside, by their first nodes: the strongly connected parts
    that no link leaves.

    Every node hears one of them over some path. With symmetric links they are the connected components.

    Parameters
    ----------
    heard : sparse array, shape (n, n)
        An entry (i, j) where i hears j.

    Examples
    --------
    >>> closed_parts(sparse.csr_array([[0, 0, 0], [1, 0, 1], [0, 0, 0]]))  # 1 hears 0 and 2, which hear nobody
    [array([0]), array([2])]
    """
    links = sparse.coo_array(heard)
    count, part = sparse.csgraph.connected_components(sparse.csr_array(heard), connection="strong")
    leaves = np.zeros(count, dtype=bool)
    leaves[part[links.row[part[links.row] != part[links.col]]]] = True
    order = np.argsort(part, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(part, minlength=count))[:-1])
    return sorted((members[k] for k in np.flatnonzero(~leaves)), key=lambda nodes: int(nodes[0]))


def isolated(heard: Any) -> Nodes:
    """The nodes that neither hear nor are heard."""
    links = sparse.coo_array(heard)
    return np.setdiff1d(np.arange(links.shape[0]), np.concatenate([links.row, links.col]))
