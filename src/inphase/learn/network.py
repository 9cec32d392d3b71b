"""The network on pairs in JAX: initial numbers, scores in training and in evaluation, normalized couplings.

In training, a batch normalization takes its statistics over all n² pairs of the graph at hand
(the diagonal included), and running means follow them with a momentum of 0.1; in evaluation the running ones
serve. The first layer separates over the pair, and so do its statistics: the mean over pairs of a_i + b_j is
mean(a) + mean(b), the variance var(a) + var(b), exactly.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from inphase.checks import check_name
from inphase.coupling.learnt.network import EPSILON, SLOPE, PairNetwork
from inphase.coupling.learnt.normalization import SMALLEST, Normalization, Recipe

MOMENTUM = 0.1  # of the running statistics
# of which the hidden layers are kept for the backward sweep; of more pairs, they are computed again
PAIRS = 40_000
ACTIVATIONS = {
    "leaky_relu": lambda z: jnp.where(z > 0, z, SLOPE * z),
    "relu": lambda z: jnp.maximum(z, 0),
    "silu": jax.nn.silu,
    "tanh": jnp.tanh,
}
INITIALIZATIONS = ("fan-in", "xavier")

Parameters = dict[str, Any]  # own, other, weights, scales, shifts, out
Statistics = dict[str, Any]  # means, variances


def initial(
    features: int,
    hidden: tuple[int, ...],
    rng: np.random.Generator,
    initialization: str = "fan-in",
    gain: float = 1.0,
    dtype: Any = np.float32,
    lags: bool = False,
) -> tuple[Parameters, Statistics]:
    """Random parameters and neutral statistics.

    Parameters
    ----------
    features : int
        m, of one node.
    hidden : tuple of int
        The sizes of the hidden layers.
    rng : numpy.random.Generator
    initialization : "fan-in" or "xavier"
        A layer's entries: uniform on ±1/sqrt(inputs), or normal with the deviation
        gain · sqrt(2/(inputs + outputs)).
    gain : float
    dtype : float32 or float64
    lags : bool
        Whether the network gives each pair a phase lag, too. At first it is 0 for all, so that the network is
        the one that the same `rng` makes without lags.
    """
    check_name("initialization", initialization, INITIALIZATIONS)

    def layer(inputs: int, outputs: int) -> Any:
        if initialization == "xavier":
            return (gain * np.sqrt(2 / (inputs + outputs)) * rng.standard_normal((inputs, outputs))).astype(
                dtype
            )
        return (rng.uniform(-1, 1, (inputs, outputs)) / np.sqrt(inputs)).astype(dtype)

    first = layer(2 * features, hidden[0])
    parameters = {
        "own": first[:features],
        "other": first[features:],
        "weights": [layer(i, o) for i, o in pairwise(hidden)],
        "scales": [np.ones(h, dtype) for h in hidden],
        "shifts": [np.zeros(h, dtype) for h in hidden],
        "out": layer(hidden[-1], 1)[:, 0],
    }
    if lags:
        parameters["out"] = np.stack([parameters["out"], np.zeros(hidden[-1], dtype)], axis=1)
    return parameters, {
        "means": [np.zeros(h, dtype) for h in hidden],
        "variances": [np.ones(h, dtype) for h in hidden],
    }


def as_network(parameters: Parameters, statistics: Statistics, activation: str) -> PairNetwork:
    """The network as NumPy arrays, for `Learnt`."""
    return PairNetwork(**jax.tree.map(np.asarray, parameters | statistics), activation=activation)


def as_parameters(network: PairNetwork, dtype: Any = np.float32) -> tuple[Parameters, Statistics]:
    """The inverse of `as_network`."""
    named = {
        name: [a.astype(dtype) for a in getattr(network, name)]
        for name in ("weights", "scales", "shifts", "means", "variances")
    }
    plain = {name: getattr(network, name).astype(dtype) for name in ("own", "other", "out")}
    parameters = plain | {name: named[name] for name in ("weights", "scales", "shifts")}
    return parameters, {name: named[name] for name in ("means", "variances")}


# ----------------------------------------------------------------------------------------------------- scores


def scores(parameters: Parameters, statistics: Statistics, x: Any, activation: str) -> Any:
    """s(x_i, x_j), (n, n), with the running statistics; x (n, m). With lags (n, n, 2), score and lag."""
    return _scores(parameters, x, activation, statistics)[0]


def training_scores(parameters: Parameters, x: Any, activation: str) -> tuple[Any, Statistics]:
    """s(x_i, x_j), (n, n), or (n, n, 2) with lags, by the statistics of these pairs; and these."""
    return _scores(parameters, x, activation, None)


def _scores(
    parameters: Parameters, x: Any, activation: str, given: Statistics | None
) -> tuple[Any, Statistics]:
    a, b = x @ parameters["own"], x @ parameters["other"]
    first = (
        (a.mean(0) + b.mean(0), a.var(0) + b.var(0))
        if given is None
        else (given["means"][0], given["variances"][0])
    )
    factor, constant = _affine(parameters, 0, first)
    pairs = _Pairs(parameters, ACTIVATIONS[activation], a * factor + constant, b * factor)
    if given is not None:
        found = list(zip(given["means"], given["variances"]))
        values = pairs.in_parts(found) if len(x) ** 2 > PAIRS else pairs.together(found)[0]
    elif len(x) ** 2 > PAIRS:
        found = [first]
        for _ in parameters["weights"]:
            found.append(pairs.statistics(found))
        values = pairs.in_parts(found)
    else:
        values, found = pairs.together([first])
    return values, {"means": [mean for mean, _ in found], "variances": [variance for _, variance in found]}


class _Pairs:
    """All pairs of a graph above the first layer: own (n, h_1) of i, other (n, h_1) of j, which add up.

    Few pairs are taken together; of many, the backward sweep computes the hidden layers again, some rows at a
    time.
    """

    def __init__(self, parameters: Parameters, act: Any, own: Any, other: Any) -> None:
        self.parameters, self.act, self.own, self.other = parameters, act, own, other

    def together(self, found: list[tuple[Any, Any]]) -> tuple[Any, list[tuple[Any, Any]]]:
        """Scores (n, n) or (n, n, 2), and layers' statistics: `found`, then those of the pairs."""
        n, found = len(self.own), list(found)
        h = self.act(self.own[:, None, :] + self.other).reshape(n * n, -1)
        for layer, weight in enumerate(self.parameters["weights"], 1):
            z = h @ weight
            if len(found) == layer:
                found.append(_moments(z))
            factor, constant = _affine(self.parameters, layer, found[layer])
            h = self.act(z * factor + constant)
        out = self.parameters["out"]
        return (h @ out).reshape(n, n, *out.shape[1:]), found

    def _up_to(self, own: Any, found: list[tuple[Any, Any]]) -> Any:
        """The last activation but for the layers that `found` does not have yet, of the pairs (own, all)."""
        h = self.act(own[:, None, :] + self.other).reshape(-1, own.shape[1])
        for layer, moments in enumerate(found[1:], 1):
            factor, constant = _affine(self.parameters, layer, moments)
            h = self.act((h @ self.parameters["weights"][layer - 1]) * factor + constant)
        return h

    def _parts(self) -> Any:
        """`own` by some rows, a divisor of n, as (parts, rows, h_1)."""
        n = len(self.own)
        rows = next(r for r in range(max(1, PAIRS // n), 0, -1) if n % r == 0)
        return self.own.reshape(-1, rows, self.own.shape[1])

    def statistics(self, found: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        """Mean and variance over all pairs of the next layer's output (law of total variance over parts)."""
        weight = self.parameters["weights"][len(found) - 1]
        means, variances = lax.map(
            jax.checkpoint(lambda own: _moments(self._up_to(own, found) @ weight)), self._parts()
        )
        return means.mean(0), variances.mean(0) + means.var(0)

    def in_parts(self, found: list[tuple[Any, Any]]) -> Any:
        """Scores (n, n) or (n, n, 2) with known statistics."""
        out = self.parameters["out"]
        values = lax.map(jax.checkpoint(lambda own: self._up_to(own, found) @ out), self._parts())
        return values.reshape(len(self.own), len(self.own), *out.shape[1:])


def _moments(z: Any) -> tuple[Any, Any]:
    mean = z.mean(0)
    return mean, ((z - mean) ** 2).mean(0)


def _affine(parameters: Parameters, layer: int, moments: tuple[Any, Any]) -> tuple[Any, Any]:
    """(factor, constant) of a batch normalization: z · factor + constant."""
    mean, variance = moments
    factor = parameters["scales"][layer] / jnp.sqrt(variance + EPSILON)
    return factor, parameters["shifts"][layer] - mean * factor


def follow(statistics: Statistics, found: Statistics, pairs: int) -> Statistics:
    """The running statistics after a graph with the statistics `found` (the variance made unbiased)."""
    shares = {"means": MOMENTUM, "variances": MOMENTUM * pairs / max(pairs - 1, 1)}
    return {
        name: [(1 - MOMENTUM) * old + share * new for old, new in zip(statistics[name], found[name])]
        for name, share in shares.items()
    }


def strengths_and_lags(scores: Any, normalization: Normalization) -> tuple[Any, Any]:
    """(K, α), each (n, n), from scores (n, n, 2); (K, None) from (n, n); `dynamics.joined` takes both."""
    if scores.ndim == 2:
        return normalized(scores, normalization), None
    return normalized(scores[..., 0], normalization), scores[..., 1]


def normalized(scores: Any, normalization: Normalization) -> Any:
    """K from scores, (n, n): `Normalization.apply`, traced."""
    recipe, n = normalization.recipe, scores.shape[0]
    divisor, weights = normalization.divisor(n), scores
    if recipe.exponential:
        axis = 1 if recipe.by_row else None
        weights = jnp.exp(scores - lax.stop_gradient(scores.max(axis, keepdims=recipe.by_row)))
    if recipe.by_all:
        K = weights * recipe.root(n / divisor**recipe.power / _powers(weights, recipe), jnp.sqrt)
    elif recipe.by_row:
        K = weights / (recipe.root(_powers(weights, recipe), jnp.sqrt) * divisor)
    else:
        K = weights / divisor
    return 0.5 * (K + K.T) if normalization.symmetric else K


def _powers(weights: Any, recipe: Recipe) -> Any:
    """Σ |w|^p of all weights, or of each row, (n, 1); without a step that the kind at hand does not need."""
    p = recipe.power
    sizes = weights if recipe.exponential or p % 2 == 0 else jnp.abs(weights)
    sums = (sizes if p == 1 else sizes**p).sum(axis=1 if recipe.by_row else None, keepdims=recipe.by_row)
    if recipe.exponential:
        return sums  # the largest weight is 1
    return jnp.maximum(sums, max(SMALLEST**p, float(np.finfo(weights.dtype).tiny)))
