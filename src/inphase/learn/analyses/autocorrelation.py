"""C_x, how alike the features of coupled nodes are, and the circular variance V against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from inphase.checks import finite_array, finite_number, integer
from inphase.coupling.learnt.coupling import Learnt
from inphase.coupling.learnt.network import PairNetwork, feature_array
from inphase.coupling.learnt.normalization import Normalization
from inphase.learn.evaluation import evaluate
from inphase.learn.problems import Problem
from inphase.learn.training import Start, Trained
from inphase.status import Status

Floats = NDArray[np.float64]
RESAMPLES = 2000  # of a bootstrap


def graph_autocorrelation(K: ArrayLike, features: ArrayLike) -> float:
    """C_x = Σ_ij K_ij ⟨x_i − x̄, x_j − x̄⟩ / Σ_ij K_ij |x_i − x̄|²: how alike coupled nodes' features are.

    For a symmetric K without negative entries it lies in [−1, 1]: 1 where only nodes with the same features
    are coupled, −1 where x̄ lies midway between any two that are coupled. For a K with both signs it is the
    same quotient but no correlation: the divisor weighs nodes by Σ_j K_ij, which may be negative or nearly
    vanish, and C_x may be any number. Features of different units count by their variances.

    Parameters
    ----------
    K : array_like, shape (n, n)
    features : array_like, shape (n, m)
        x; x̄ is its mean over nodes.

    Raises
    ------
    ValueError, TypeError
        If shapes do not fit, a number is not finite, or the divisor is 0: all features the same, or the signs
        of K cancel.

    References
    ----------
    Brede, *Synchrony-optimized networks of non-identical Kuramoto oscillators*, Phys. Lett. A 372 (2008), for
    one feature.

    Examples
    --------
    >>> graph_autocorrelation([[0, 1, 0], [1, 0, 0], [0, 0, 1]], [[1.0], [1.0], [-2.0]])
    1.0
    """
    x = feature_array(features)
    matrix = finite_array("K", K, (len(x), len(x)))
    y = x - x.mean(axis=0)
    squares = (y**2).sum(axis=1)
    divisor, size = float(matrix.sum(axis=1) @ squares), float(np.abs(matrix).sum(axis=1) @ squares)
    if abs(divisor) <= 1e-12 * size:
        why = "the features must not all be the same" if size == 0 else "the signs of K must not cancel"
        raise ValueError(f"C_x is not defined: Σ K_ij |x_i − x̄|² is {divisor:.3g}; {why}")
    return float(((matrix @ y) * y).sum() / divisor)


def variance_against_autocorrelation(
    trained: Trained | Sequence[Trained | PairNetwork],
    *,
    problem: Problem | None = None,
    graphs: int | None = None,
    n: int | None = None,
    burn_in: int = 1000,
    window: int | None = None,
    seed: int = 0,
    split: str = "test",
    confidence: float = 0.95,
) -> xr.Dataset:
    """The circular variance V against C_x, with the straight line through it and its r².

    The points are graphs of fresh nodes for one network. For several networks (other starts, seeds or stages
    of a training; see `stages`), each is one point: its means over the same graphs.

    Parameters
    ----------
    trained : Trained, or a sequence of Trained or PairNetwork
    problem : Problem, optional
        Where the nodes come from; that of the training if not given. `PairNetwork`s need it, for its settings
        too.
    graphs : int, optional
        If not given, 50 for one network and 5 for each of several.
    n, burn_in, window, seed, split
        As in `inphase.learn.evaluate`.
    confidence : float
        Of the intervals, from a bootstrap over points (2000 resamples, percentiles). Stages of one training
        depend on each other, which it does not know.

    Returns
    -------
    xarray.Dataset
        `autocorrelation(network, graph)`, `variance(network, graph)`, and `slope`, `intercept`, `r_squared`,
        each with `_low` and `_high`. `attrs["over"]` names the points of the line: "graphs" or "networks".

    Raises
    ------
    ValueError, TypeError
        As `evaluate` and `graph_autocorrelation`; with fewer than 3 points, or all with the same C_x.

    Examples
    --------
    >>> from inphase.learn import train
    >>> found = train("case-1", nodes=10, samples=20, epochs=1, hidden=(4,), burn_in=5, window=5)
    >>> line = variance_against_autocorrelation(found, graphs=4, burn_in=20)
    >>> line.variance.shape, bool(line.r_squared_low <= line.r_squared <= line.r_squared_high)
    ((1, 4), True)
    """
    networks = [_as_trained(one, problem) for one in ([trained] if isinstance(trained, Trained) else trained)]
    over = "graphs" if len(networks) == 1 else "networks"
    count = (50 if over == "graphs" else 5) if graphs is None else integer("graphs", graphs, least=1)
    correlation, variance = [], []
    for one in networks:
        found: list[float] = []

        def all_pairs(
            network: PairNetwork, x: Any, rule: Normalization, found: list[float] = found
        ) -> Learnt:
            coupling = Learnt(network, x, rule)
            found.append(graph_autocorrelation(coupling.array, x))
            return coupling

        options: dict[str, Any] = {
            "problem": problem,
            "burn_in": burn_in,
            "window": window,
            "seed": seed,
            "split": split,
        }
        run = evaluate(one, n, graphs=count, coupling=all_pairs, **options)
        correlation.append(found)
        variance.append(run.variance.values)
    C, V = np.array(correlation), np.array(variance)
    line = fitted_line(*((C[0], V[0]) if over == "graphs" else (C.mean(axis=1), V.mean(axis=1))), confidence)
    parts = {"autocorrelation": (("network", "graph"), C), "variance": (("network", "graph"), V)}
    about = {
        name: run.attrs[name]
        for name in ("problem", "n", "burn_in", "window", "seed", "split", "inphase_version")
    }
    return xr.Dataset(parts | line, attrs=about | {"over": over, "confidence": confidence})


def _as_trained(given: Any, problem: Problem | None) -> Trained:
    if isinstance(given, Trained):
        return given
    if not isinstance(given, PairNetwork):
        raise TypeError(
            f"trained must be a Trained, or a sequence of Trained or PairNetwork; got {given!r:.60}"
        )
    if problem is None:
        raise ValueError("problem must be given with a PairNetwork: it has the normalization and the steps")
    return Trained(problem, problem.settings, [Start(0, given, status=Status.GIVEN)], 0)


def fitted_line(x: Floats, y: Floats, confidence: float, block: int = 1) -> dict[str, float]:
    """Least squares y = slope x + intercept, r², and bootstrap percentiles (blocks of successive points)."""
    if not 0 < finite_number("confidence", confidence) < 1:
        raise ValueError(f"confidence must be within (0, 1); got {confidence!r}")
    if len(x) < 3:
        raise ValueError(f"a line with its errors needs 3 points, graphs or networks; got {len(x)}")
    if np.ptp(x) <= 1e-12 * np.max(np.abs(x)):
        raise ValueError(f"C_x must differ from point to point; it is {x[0]:.6g} for all {len(x)}")
    rng = np.random.default_rng(0)
    starts = rng.integers(0, len(x) - block + 1, (RESAMPLES, -(-len(x) // block)))
    rows = (starts[:, :, None] + np.arange(block)).reshape(RESAMPLES, -1)[:, : len(x)]
    low, high = np.nanquantile(
        _least_squares(x[rows], y[rows]), [(1 - confidence) / 2, (1 + confidence) / 2], axis=1
    )
    found: dict[str, float] = {}
    for k, (name, value) in enumerate(zip(("slope", "intercept", "r_squared"), _least_squares(x, y))):
        found |= {name: float(value), f"{name}_low": float(low[k]), f"{name}_high": float(high[k])}
    return found


def _least_squares(x: Floats, y: Floats) -> Floats:
    """(slope, intercept, r²) along the last axis; NaN where all x are the same, r² = NaN where all y are."""
    dx, dy = x - x.mean(axis=-1, keepdims=True), y - y.mean(axis=-1, keepdims=True)
    xx, yy, xy = (dx**2).sum(axis=-1), (dy**2).sum(axis=-1), (dx * dy).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.where(xx > 0, xy / xx, np.nan)
        square = np.where((xx > 0) & (yy > 0), xy**2 / (xx * yy), np.nan)
    return np.array([slope, y.mean(axis=-1) - slope * x.mean(axis=-1), square])
