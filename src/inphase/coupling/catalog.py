"""Couplings by name: what the `[coupling]` table of a TOML file calls them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from inphase.checks import LARGEST, boolean, checked_options, finite_array, integer, unmasked
from inphase.coupling.base import Coupling
from inphase.coupling.causal import Causal
from inphase.coupling.dense import Dense
from inphase.coupling.factorized import LowRank
from inphase.coupling.hypergraph import AllTriads, Hypergraph
from inphase.coupling.lagged import Lagged
from inphase.coupling.learnt.coupling import Learnt, load_network
from inphase.coupling.mean_field import AllToAll, RankOne
from inphase.coupling.ring import Lattice, Ring
from inphase.coupling.sparse import Sparse
from inphase.tables import read_columns


def learnt(
    file: str, features: Any, columns: Sequence[str | int] | None = None, precision: str = "float64"
) -> Learnt:
    """A saved network on features, as `inphase train` writes it.

    Parameters
    ----------
    file : str
        The network, ``coupling.npz``.
    features : str or array_like, shape (n, m)
        A file that `inphase.tables.read_columns` reads, or the numbers.
    columns : sequence of str or int, optional
        Of the file; those the network was trained with if not given, where the network's file names them.
    precision : "float64" or "float32"

    Raises
    ------
    OSError, ValueError, TypeError
        If a file cannot be read or is truncated, a column is missing, or the features do not fit the network.
    """
    network, normalization, about = load_network(file)
    if isinstance(features, str):
        text = not features.lower().endswith((".npy", ".npz"))
        features = read_columns(features, about.get("columns") if columns is None and text else columns)
    elif columns is not None:
        raise ValueError("columns are of a file; the features were given as numbers")
    return Learnt(network, features, normalization, precision)


def dense(matrix: Any, symmetric: bool = False) -> Dense:
    """Strengths K_ij, as numbers or of a file.

    Parameters
    ----------
    matrix : str or array_like, shape (n, n)
        K; a file that `inphase.tables.read_columns` reads as (n, n), such as NPY.
    symmetric : bool
        A promise that K_ij = K_ji, which is checked.

    Raises
    ------
    OSError, ValueError, TypeError
        If the file cannot be read, or the numbers do not fit.
    """
    return Dense(read_columns(matrix) if isinstance(matrix, str) else matrix, boolean("symmetric", symmetric))


def lagged(matrix: Any, lags: Any, precision: str = "float64") -> Lagged:
    """Strengths K_ij and phase lags α_ij, each as numbers or of a file.

    Parameters
    ----------
    matrix : str or array_like, shape (n, n)
        K; a file that `inphase.tables.read_columns` reads as (n, n), such as NPY.
    lags : str, number or array_like, shape (n, n), (n, 1) or (1, n)
        α, radians; a file likewise.
    precision : "float64" or "float32"

    Raises
    ------
    OSError, ValueError, TypeError
        If a file cannot be read, or the numbers do not fit.
    """
    K, alpha = (read_columns(part) if isinstance(part, str) else part for part in (matrix, lags))
    return Lagged(K, alpha, precision)


def _places(name: str, given: Any, count: int, n: int) -> Any:
    """The numbers of nodes of some entries."""
    unmasked(name, given)
    found = np.asarray(given)
    if found.shape != (count,):
        raise ValueError(
            f"{name} must be a list of {count} numbers, one for each value; got shape {found.shape}"
        )
    if count and found.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold whole numbers, of nodes; got {given!r:.60} ({found.dtype})")
    if count and not 0 <= found.min() <= found.max() < n:
        raise ValueError(f"{name} must hold numbers from 0 to n - 1 = {n - 1}; got {given!r:.60}")
    return found.astype(np.int64)


def listed(n: int, row: Any, column: Any, value: Any) -> Sparse:
    """K of n oscillators by its entries.

    Parameters
    ----------
    n : int
    row, column : array_like of int, shape (entries,)
        i and j, from 0.
    value : array_like, shape (entries,)
        K_ij.

    Raises
    ------
    ValueError, TypeError
        If the numbers do not fit each other, or n.
    """
    n, values = integer("n", n, least=1, most=LARGEST), finite_array("value", value)
    if values.ndim != 1:
        raise ValueError(f"value must be a list of numbers; got shape {values.shape}")
    places = [_places(name, given, values.size, n) for name, given in (("row", row), ("column", column))]
    return Sparse(sparse.coo_array((values, tuple(places)), shape=(n, n)))


KINDS: dict[str, Callable[..., Coupling]] = {
    "all-to-all": AllToAll,
    "all-triads": AllTriads,
    "causal": Causal,
    "circulant": Ring.circulant,
    "dense": dense,
    "hypergraph": Hypergraph,
    "lagged": lagged,
    "lattice": Lattice,
    "learnt": learnt,
    "low-rank": LowRank,
    "rank-one": RankOne,
    "ring": Ring,
    "sparse": listed,
}


def named(kind: str, **options: Any) -> Coupling:
    """The coupling called `kind`, a key of `KINDS`, with the options of its class.

    Raises
    ------
    ValueError, TypeError
        If the name is unknown, or an option unknown or missing; the message lists what is known.

    Examples
    --------
    >>> from inphase.coupling.catalog import named
    >>> named("rank-one", rows=[1, 2], columns=[1, 0]).matrix(2)
    array([[1., 0.],
           [2., 0.]])
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, or graph; got {kind!r}")
    checked_options(f"the coupling {kind!r}", KINDS[kind], options)
    return KINDS[kind](**options)
