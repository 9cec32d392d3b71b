"""Initial conditions, by name and seed: `initial` picks one from `KINDS`, each kind a function of its own.

Phases are radians, float64, shape (n,), or (replicas, n) from `initial`. Random kinds draw from the
`numpy.random.Generator` they are given; `initial` makes one for each replica from (seed, replica) alone, so
that a replica has the same phases however many there are. A new kind is a function with a parameter ``n``
(and ``rng`` if it is random) and an entry of `KINDS`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from os import PathLike
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import checked_options, finite_number, finite_vector, integer
from inphase.tables import read_column

__all__ = [
    "KINDS",
    "clusters",
    "from_file",
    "phases",
    "quantiles",
    "splay",
    "synchronized",
    "twisted",
    "uniform",
    "von_mises",
]

TAU = 2 * np.pi

Phases: TypeAlias = NDArray[np.float64]


def phases(name: str, n: int | None, seed: int = 0, replicas: int | None = None, **options: Any) -> Phases:
    """Phases of the initial condition called `name`.

    Parameters
    ----------
    name : str
        A key of `KINDS`.
    n : int or None
        Number of oscillators; None only for ``"file"``, where the file decides.
    seed : int
        Nonnegative. Replica r draws from ``SeedSequence(seed, spawn_key=(r,))``.
    replicas : int, optional
        Number of independent draws. Without it the result is that of replica 0, without the leading axis.
    **options
        Options of the kind, by keyword; see its docstring.

    Returns
    -------
    ndarray, shape (n,) or (replicas, n)
        Phases in radians.

    Raises
    ------
    ValueError
        If the name is unknown, or a value is out of range.
    TypeError
        If an option is unknown or missing, or a value is of the wrong type.
    FileNotFoundError
        If the file of ``"file"`` does not exist.

    Examples
    --------
    >>> from inphase.initial import phases
    >>> phases("von_mises", 100, seed=3, replicas=4, concentration=2.0).shape
    (4, 100)
    >>> phases("splay", 4) / np.pi
    array([0. , 0.5, 1. , 1.5])
    """
    if name not in KINDS:
        raise ValueError(f"name must be one of {', '.join(KINDS)}; got {name!r}")
    kind = KINDS[name]
    seed = integer("seed", seed, least=0)
    parameters = inspect.signature(kind).parameters
    checked_options(repr(name), kind, options, given=("n", "rng"))

    def draw(replica: int) -> Phases:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(replica,)))
        return kind(n=n, rng=rng, **options) if "rng" in parameters else kind(n=n, **options)

    if replicas is None:
        return draw(0)
    count = integer("replicas", replicas, least=1)
    if "rng" not in parameters:  # nothing random: do not read a file over and over
        return np.tile(draw(0), (count, 1))
    return np.stack([draw(replica) for replica in range(count)])


def uniform(n: int, rng: np.random.Generator) -> Phases:
    """Independent phases, uniform on the circle.

    Parameters
    ----------
    n : int
        Number of oscillators, >= 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (n,)
        Radians in [0, 2 pi).

    Raises
    ------
    TypeError, ValueError
        If `n` is not an integer >= 1, or `rng` is not a Generator.

    Examples
    --------
    >>> from inphase.initial import uniform
    >>> uniform(1000, np.random.default_rng(0)).shape
    (1000,)
    """
    n, rng = integer("n", n, least=1), _generator(rng)
    return TAU * rng.random(n)


def von_mises(n: int, rng: np.random.Generator, mean: float = 0.0, concentration: float = 1.0) -> Phases:
    """Independent phases with density proportional to ``exp(concentration cos(theta - mean))``.

    Parameters
    ----------
    n : int
        Number of oscillators, >= 1.
    rng : numpy.random.Generator
        Source of randomness.
    mean : float
        Radians.
    concentration : float
        >= 0; 0 is the uniform law, and a large one has a variance of about 1 / concentration (rad^2).

    Returns
    -------
    ndarray, shape (n,)
        Radians in [-pi, pi].

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, not finite or out of range.

    References
    ----------
    K. V. Mardia, P. E. Jupp, Directional Statistics, Wiley (2000), section 3.5.4.

    Examples
    --------
    >>> from inphase.initial import von_mises
    >>> theta = von_mises(1000, np.random.default_rng(0), concentration=50.0)
    >>> round(float(np.cos(theta).mean()), 2)
    0.99
    """
    n, rng = integer("n", n, least=1), _generator(rng)
    kappa = finite_number("concentration", concentration, least=0)
    return rng.vonmises(finite_number("mean", mean), kappa, n)


def twisted(n: int, rng: np.random.Generator | None = None, winding: int = 1, noise: float = 0.0) -> Phases:
    """Twisted state ``theta_i = 2 pi q i / n``, i = 0..n-1, with optional Gaussian noise.

    Parameters
    ----------
    n : int
        Number of oscillators, >= 1.
    rng : numpy.random.Generator, optional
        Source of randomness; needed if `noise` > 0.
    winding : int
        q, the number of turns round the ring, of either sign. Phases are not wrapped.
    noise : float
        Standard deviation in radians of an independent normal shift of each phase, >= 0.

    Returns
    -------
    ndarray, shape (n,)
        Phases in radians.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, not finite or out of range.

    References
    ----------
    D. A. Wiley, S. H. Strogatz, M. Girvan, Chaos 16 (2006) 015103.

    Examples
    --------
    >>> from inphase.initial import twisted
    >>> twisted(4, winding=2) / np.pi
    array([0., 1., 2., 3.])
    """
    n, q = integer("n", n, least=1), integer("winding", winding)
    sigma = finite_number("noise", noise, least=0)
    state = TAU * q * np.arange(n) / n
    return state + sigma * _generator(rng).standard_normal(n) if sigma > 0 else state


def splay(n: int) -> Phases:
    """Splay state: the equispaced n-gon ``theta_i = 2 pi i / n``, the twisted state of winding 1.

    Parameters
    ----------
    n : int
        Number of oscillators, >= 1.

    Returns
    -------
    ndarray, shape (n,)
        Radians in [0, 2 pi).

    Raises
    ------
    TypeError, ValueError
        If `n` is not an integer >= 1.

    Examples
    --------
    >>> from inphase.initial import splay
    >>> splay(4) / np.pi
    array([0. , 0.5, 1. , 1.5])
    """
    return twisted(n)


def quantiles(n: int) -> Phases:
    """Quantiles of the uniform law, ``theta_i = 2 pi (i + 1/2) / n``: n equal masses approximate it best.

    Parameters
    ----------
    n : int
        Number of oscillators, >= 1.

    Returns
    -------
    ndarray, shape (n,)
        Radians in (0, 2 pi).

    Raises
    ------
    TypeError, ValueError
        If `n` is not an integer >= 1.

    Examples
    --------
    >>> from inphase.initial import quantiles
    >>> quantiles(2) / np.pi
    array([0.5, 1.5])
    """
    n = integer("n", n, least=1)
    return TAU * (np.arange(n) + 0.5) / n


def clusters(
    n: int,
    rng: np.random.Generator | None = None,
    masses: ArrayLike | None = None,
    positions: ArrayLike | None = None,
    spread: float = 0.0,
) -> Phases:
    """Clusters of phases, oscillators 0, 1, ... in the first one, and so on.

    Parameters
    ----------
    n : int
        Number of oscillators, at least one for each cluster of positive mass.
    rng : numpy.random.Generator, optional
        Source of randomness; needed if `spread` > 0.
    masses : array_like, shape (K,), optional
        Nonnegative relative masses: sizes that sum to n are kept as they are, other masses are rounded by
        largest remainder. Equal by default.
    positions : array_like, shape (K,), optional
        Centers in radians; ``2 pi k / K`` by default. At least one of `masses` and `positions` is needed.
    spread : float
        Length in radians of the arc, centered at the position, over which the phases of a cluster are
        uniform; >= 0.

    Returns
    -------
    ndarray, shape (n,)
        Phases in radians.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, shape or range, or `n` is too small for the masses.

    Examples
    --------
    >>> from inphase.initial import clusters
    >>> clusters(5, masses=[3, 2], positions=[0.0, 2.5])
    array([0. , 0. , 0. , 2.5, 2.5])
    """
    n = integer("n", n, least=1)
    if masses is None and positions is None:
        raise TypeError("clusters needs masses or positions, of shape (K,); got neither")
    if masses is None:
        centers = finite_vector("positions", positions)
        shares = np.ones(centers.size)
    else:
        shares = finite_vector("masses", masses)
        centers = (
            TAU * np.arange(shares.size) / shares.size
            if positions is None
            else finite_vector("positions", positions)
        )
    if shares.shape != centers.shape:
        raise ValueError(
            f"masses and positions must have the same shape; got {shares.shape} and {centers.shape}"
        )
    return np.repeat(centers, _sizes(n, shares)) + _jitter(n, rng, spread)


def synchronized(
    n: int, rng: np.random.Generator | None = None, spread: float = 0.0, mean: float = 0.0
) -> Phases:
    """Phases within one arc: the synchronized state, or a neighborhood of it.

    Parameters
    ----------
    n : int
        Number of oscillators, >= 1.
    rng : numpy.random.Generator, optional
        Source of randomness; needed if `spread` > 0.
    spread : float
        Length in radians of the arc, centered at `mean`, over which the phases are uniform; >= 0.
    mean : float
        Radians.

    Returns
    -------
    ndarray, shape (n,)
        Phases in radians.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, not finite or out of range.

    Examples
    --------
    >>> from inphase.initial import synchronized
    >>> synchronized(3, mean=1.0)
    array([1., 1., 1.])
    """
    n = integer("n", n, least=1)
    return finite_number("mean", mean) + _jitter(n, rng, spread)


def from_file(path: str | PathLike[str], n: int | None = None, column: int | str | None = None) -> Phases:
    """Phases read from a file: text, a NumPy array (.npy, .npz) or a run (.nc, NetCDF).

    Parameters
    ----------
    path : path-like
        As `inphase.tables` reads it. NetCDF: the variable ``phase``, at the last entry of its dimension
        ``time`` if it has one.
    n : int, optional
        Number of oscillators that the file must hold; any by default.
    column : int or str, optional
        A number from 0 on, or a name; ``phase`` or the only one if not given.

    Returns
    -------
    ndarray, shape (n,)
        Phases in radians.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file cannot be read, or its phases are not finite or not of shape (n,).
    TypeError
        If the phases are not real numbers.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from inphase.initial import from_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "start.csv").write_text("phase\\n0.5\\n1.5\\n")
    ...     from_file(pathlib.Path(folder, "start.csv"))
    array([0.5, 1.5])
    """
    phases = read_column(path, column, usual="phase")
    if n is not None and phases.size != integer("n", n, least=1):
        raise ValueError(f"{str(path)!r} must hold n = {n} phases; got {phases.size}")
    return phases


KINDS: dict[str, Callable[..., Phases]] = {
    "uniform": uniform,
    "von_mises": von_mises,
    "twisted": twisted,
    "splay": splay,
    "quantiles": quantiles,
    "clusters": clusters,
    "synchronized": synchronized,
    "file": from_file,
}


# --- parts of the above
# -----------------------------------------------------------------------------------------------


def _generator(rng: np.random.Generator | None) -> np.random.Generator:
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator; got {rng!r}")
    return rng


def _jitter(n: int, rng: np.random.Generator | None, spread: float) -> Phases:
    """Uniform shifts over an arc of the given length around 0."""
    length = finite_number("spread", spread, least=0)
    return length * (_generator(rng).random(n) - 0.5) if length > 0 else np.zeros(n)


def _sizes(n: int, shares: Phases) -> NDArray[np.int64]:
    """Whole sizes that sum to n and are nearest to the shares (largest remainder; ties to the first)."""
    if shares.min() < 0 or shares.max() == 0:
        raise ValueError(f"masses must be non-negative, not all zero; got {shares.tolist()}")
    exact = n * shares / shares.sum()
    sizes: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    sizes[np.argsort(sizes - exact, kind="stable")[: n - sizes.sum()]] += 1
    if np.any((sizes == 0) & (shares > 0)):
        raise ValueError(
            f"n must leave no cluster of masses {shares.tolist()} empty; got {n}, which is too small"
        )
    return sizes
