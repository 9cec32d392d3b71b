"""The network on pairs: scores s(x_i, x_j) of node features, evaluated in NumPy with its running statistics.

The network is made of linear layers, each followed by a batch normalization and an activation, and a last
linear layer without a bias (KuraNet: Ricci et al., *KuraNet: Systems of coupled oscillators that learn to
synchronize*, arXiv 2105.02838, 2021). `inphase.learn` trains it. With a second output it also gives each pair
a phase lag α(x_i, x_j): frustration, which `inphase.coupling.Lagged` puts into the equation.

- The first layer separates over the pair: W [x_i; x_j] = x_i A + x_j B, so that it costs O(n), not O(n²).
- The lag is the second output itself, in radians, without a function that bounds it: f is 2π-periodic, so
  that every number is
  a lag, a bound would be a wall where the circle has none, and a lag such as −ω τ, which grows past π with
  the features, would have to jump there.
- A bias before a batch normalization cancels; none is kept. (A network with biases b is the same with means
  μ − b.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import check_name, finite_array
from inphase.coupling.learnt.scores import Activation, pair_scores

Array = NDArray[Any]
SLOPE = 0.01  # of the leaky ReLU where it is negative
EPSILON = 1e-5  # added to variances before they divide
LAYERED = ("scales", "shifts", "means", "variances")


def _silu(z: Array, spare: Array) -> None:
    np.negative(z, out=spare)
    with np.errstate(over="ignore"):  # e^{-z} = inf gives z/inf = 0, as it should
        np.exp(spare, out=spare)
    spare += 1
    z /= spare


# in place, with an array of the same shape to spare; or the slope below 0
ACTIVATIONS: dict[str, Activation | float] = {
    "leaky_relu": SLOPE,
    "relu": 0.0,
    "silu": _silu,
    "tanh": lambda z, spare: np.tanh(z, out=z),
}


def feature_array(features: ArrayLike, width: int | None = None) -> NDArray[np.float64]:
    """Features as float64, (n, m), n, m >= 1; ValueError where NaN, or where m is not the `width` wanted."""
    array = finite_array("features", features)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"features must have shape (n, m) with n, m >= 1; got shape {array.shape}")
    if width is not None and array.shape[1] != width:
        raise ValueError(
            f"features must have {width} columns, as the network was trained with; got {array.shape[1]}"
        )
    return array


@dataclass(frozen=True, eq=False)
class PairNetwork:
    """K_μ before its normalization: scores s(x_i, x_j) of pairs, by layers with batch normalization.

    Parameters
    ----------
    own, other : ndarray, shape (m, h_1)
        The first layer, on x_i and on x_j.
    weights : sequence of ndarray, shapes (h_l, h_{l+1})
        The layers after it.
    scales, shifts, means, variances : sequence of ndarray, shapes (h_l,)
        Of the batch normalization of each hidden layer; the last two are the running statistics.
    out : ndarray, shape (h_L,) or (h_L, 2)
        The last layer: to the score, or to the score and the phase lag.
    activation : str
        "leaky_relu", "relu", "silu" or "tanh".

    Raises
    ------
    ValueError
        If shapes do not fit, an array is not finite, a variance is negative, or the activation is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> A, one, zero = np.ones((1, 1)), [np.ones(1)], [np.zeros(1)]
    >>> network = PairNetwork(A, -A, [], one, zero, zero, one, np.ones(1), "relu")
    >>> network.scores(np.array([[0.0], [2.0]])).round(3)
    array([[0., 0.],
           [2., 0.]])
    """

    own: Array
    other: Array
    weights: Sequence[Array]
    scales: Sequence[Array]
    shifts: Sequence[Array]
    means: Sequence[Array]
    variances: Sequence[Array]
    out: Array
    activation: str = "leaky_relu"

    def __post_init__(self) -> None:
        check_name("activation", self.activation, tuple(ACTIVATIONS))
        for name in ("own", "other", "out"):
            object.__setattr__(self, name, finite_array(name, getattr(self, name)))
        for name in ("weights", *LAYERED):
            object.__setattr__(self, name, tuple(finite_array(name, a) for a in getattr(self, name)))
        if self.own.ndim != 2 or not self.own.size:
            raise ValueError(f"own must have shape (m, h) with m, h >= 1; got shape {self.own.shape}")
        flat = next((w.shape for w in self.weights if w.ndim != 2 or not w.size), None)
        if flat is not None:
            raise ValueError(f"weights must have shapes (h_l, h_{{l+1}}), none of them 0; got {flat}")
        sizes = self.hidden
        finite_array("other", self.other, self.own.shape)
        finite_array("out", self.out, (sizes[-1], 2) if self.out.ndim == 2 else (sizes[-1],))
        for low, matrix in enumerate(self.weights):
            finite_array(f"weights[{low}]", matrix, (sizes[low], sizes[low + 1]))
        for name in LAYERED:
            if len(getattr(self, name)) != len(sizes):
                raise ValueError(
                    f"{name} must have one array per hidden layer, {len(sizes)}; got {len(getattr(self, name))}"
                )
            for size, array in zip(sizes, getattr(self, name)):
                finite_array(name, array, (size,))
        if any(np.any(v < 0) for v in self.variances):
            raise ValueError(f"variances must be >= 0; got {min(float(v.min()) for v in self.variances):g}")

    @property
    def features(self) -> int:
        """m, the number of features of a node."""
        return int(self.own.shape[0])

    @property
    def hidden(self) -> tuple[int, ...]:
        """The sizes of the hidden layers."""
        return (int(self.own.shape[1]), *(int(w.shape[-1]) for w in self.weights))

    @property
    def has_lags(self) -> bool:
        """Whether it gives each pair a phase lag beside the score."""
        return bool(self.out.ndim == 2)

    @property
    def sha256(self) -> str:
        """A checksum of all numbers."""
        return hashlib.sha256(b"".join(a.tobytes() for a in self.arrays().values())).hexdigest()

    def arrays(self) -> dict[str, Array]:
        """All numbers by name, for files; `from_arrays` reads them back."""
        plain = {"own": self.own, "other": self.other, "out": self.out}
        for name in ("weights", *LAYERED):
            plain |= {f"{name}.{k}": a for k, a in enumerate(getattr(self, name))}
        return plain

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], activation: str) -> PairNetwork:
        """The inverse of `arrays`; ValueError names an array that is missing."""
        depth = sum(name.startswith("scales.") for name in arrays)
        try:
            listed = {name: [arrays[f"{name}.{k}"] for k in range(depth)] for name in LAYERED}
            weights = [arrays[f"weights.{k}"] for k in range(depth - 1)]
            return cls(
                arrays["own"], arrays["other"], weights, out=arrays["out"], activation=activation, **listed
            )
        except KeyError as error:
            raise ValueError(f"the network's array {error.args[0]!r} is missing") from None

    def folded(self, dtype: Any = float) -> tuple[Array, Array, Array, list[tuple[Array, Array]], Array]:
        """(A, B, c, [(W, d), ...], out), batch normalizations folded in.

        h_1 = act(x_i A + x_j B + c), h_2 = act(h_1 W + d).
        """
        factors = [scale / np.sqrt(v + EPSILON) for scale, v in zip(self.scales, self.variances)]
        constants = [shift - mean * factor for shift, mean, factor in zip(self.shifts, self.means, factors)]
        deeper = [
            ((w * f).astype(dtype), c.astype(dtype))
            for w, f, c in zip(self.weights, factors[1:], constants[1:])
        ]
        return self.own * factors[0], self.other * factors[0], constants[0], deeper, self.out.astype(dtype)

    def scores(self, features: ArrayLike, others: ArrayLike | None = None, dtype: Any = np.float64) -> Array:
        """s(x_i, y_j) of all pairs, by blocks: memory O(n_x n_y) for the result and a few megabytes beside.

        Parameters
        ----------
        features : array_like, shape (n_x, m)
            x, of those who listen.
        others : array_like, shape (n_y, m), optional
            y, of those who are heard; x if not given.
        dtype : float64 or float32
            In which it is computed and returned.

        Returns
        -------
        ndarray, shape (n_x, n_y)

        Raises
        ------
        ValueError
            If the number of features is not the network's, or one is not finite.
        """
        return self._outputs(features, others, self.out[:, 0] if self.has_lags else self.out, dtype)

    def scores_and_lags(
        self, features: ArrayLike, others: ArrayLike | None = None, dtype: Any = np.float64
    ) -> Array:
        """Score s(x_i, y_j) and lag α(x_i, y_j), radians, of all pairs; arguments as those of `scores`.

        Returns
        -------
        ndarray, shape (2, n_x, n_y)

        Raises
        ------
        ValueError
            As `scores`, and for a network without phase lags.
        """
        if not self.has_lags:
            raise ValueError(
                f"the network has no phase lags: its out has shape {self.out.shape}, not ({self.hidden[-1]}, 2)"
            )
        found = self._outputs(features, others, self.out, dtype)
        return np.ascontiguousarray(np.moveaxis(found, -1, 0))

    def _outputs(self, features: ArrayLike, others: ArrayLike | None, out: Array, dtype: Any) -> Array:
        """What the last layer `out`, (h,) or (h, 2), gives to all pairs: (n_x, n_y) or (n_x, n_y, 2)."""
        x = feature_array(features, self.features)
        y = x if others is None else feature_array(others, self.features)
        A, B, c, deeper, _ = self.folded(dtype)
        own, other, out = (x @ A + c).astype(dtype), (y @ B).astype(dtype), np.ascontiguousarray(out, dtype)
        return pair_scores(own, other, deeper, out, ACTIVATIONS[self.activation])
