"""K as a function of node features: K_ij = K_μ(x_i, x_j), a network on pairs that `inphase.learn` trains.

The network is made of linear layers, each followed by a batch normalization and an activation, and a last linear layer
without a bias (KuraNet: Ricci et al., *KuraNet: Systems of coupled oscillators that learn to synchronize*, arXiv 2105.02838,
2021). Here it is evaluated, with its running statistics, in NumPy; nothing in this file needs JAX.

- The first layer separates over the pair: W [x_i; x_j] = x_i A + x_j B, so that it costs O(n), not O(n²).
- A bias before a batch normalization cancels; none is kept. (A network with biases b is the same with means μ − b.)
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.coupling.graph import Product
from inphase.errors import finite_array, finite_number, integer
from inphase.files import replace_file
from inphase.provenance import version
from inphase.types import Square

Array = NDArray[Any]
SLOPE = 0.01  # of the leaky ReLU where it is negative
EPSILON = 1e-5  # added to variances before they divide
SMALLEST = 1e-12  # the least norm that a row is divided by
BLOCK = 512  # pairs of which the hidden layers are held at once: half a megabyte, in cache
FORMAT = 1  # of the files
NORMALIZATIONS = ("degree", "row-l2", "row-l1", "none")
PRECISIONS = ("float64", "float32")


def _leaky_relu(z: Array, spare: Array) -> None:
    np.multiply(z, SLOPE, out=spare)
    np.maximum(z, spare, out=z)


def _silu(z: Array, spare: Array) -> None:
    np.negative(z, out=spare)
    with np.errstate(over="ignore"):  # e^{-z} = inf gives z/inf = 0, as it should
        np.exp(spare, out=spare)
    spare += 1
    z /= spare


ACTIVATIONS: dict[str, Callable[[Array, Array], object]] = {  # in place, with an array of the same shape to spare
    "leaky_relu": _leaky_relu,
    "relu": lambda z, spare: np.maximum(z, 0, out=z),
    "silu": _silu,
    "tanh": lambda z, spare: np.tanh(z, out=z),
}


def check_name(name: str, value: Any, known: Sequence[str]) -> str:
    """`value` itself; ValueError that lists what is known otherwise."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}")
    return value


def feature_array(features: ArrayLike, width: int | None = None) -> NDArray[np.float64]:
    """Features as float64, (n, m) with n, m >= 1; ValueError where NaN, or where m is not the `width` that is wanted."""
    array = finite_array("features", features)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"features must have shape (n, m) with n, m >= 1; got shape {array.shape}")
    if width is not None and array.shape[1] != width:
        raise ValueError(f"features must have {width} columns, as the network was trained with; got {array.shape[1]}")
    return array


# ----------------------------------------------------------------------------------------------------------------- network


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
    out : ndarray, shape (h_L,)
        The last layer.
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
        sizes = self.hidden
        wanted = {"other": self.own.shape, "out": (sizes[-1],)}
        for name, shape in wanted.items():
            finite_array(name, getattr(self, name), shape)
        for low, matrix in enumerate(self.weights):
            finite_array(f"weights[{low}]", matrix, (sizes[low], sizes[low + 1]))
        for name in LAYERED:
            if len(getattr(self, name)) != len(sizes):
                raise ValueError(f"{name} must have one array per hidden layer, {len(sizes)}; got {len(getattr(self, name))}")
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
            return cls(arrays["own"], arrays["other"], weights, out=arrays["out"], activation=activation, **listed)
        except KeyError as error:
            raise ValueError(f"the network's array {error.args[0]!r} is missing") from None

    def folded(self, dtype: Any = float) -> tuple[Array, Array, Array, list[tuple[Array, Array]], Array]:
        """(A, B, c, [(W, d), ...], out), batch normalizations folded in: h_1 = act(x_i A + x_j B + c), h_2 = act(h_1 W + d)."""
        factors = [scale / np.sqrt(v + EPSILON) for scale, v in zip(self.scales, self.variances)]
        constants = [shift - mean * factor for shift, mean, factor in zip(self.shifts, self.means, factors)]
        deeper = [((w * f).astype(dtype), c.astype(dtype)) for w, f, c in zip(self.weights, factors[1:], constants[1:])]
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
        x = feature_array(features, self.features)
        y = x if others is None else feature_array(others, self.features)
        A, B, c, deeper, out = self.folded(dtype)
        own, other = (x @ A + c).astype(dtype), (y @ B).astype(dtype)
        found = np.empty((len(x), len(y)), dtype)
        columns = min(len(y), BLOCK)
        rows = max(1, BLOCK // columns)
        for low in range(0, len(x), rows):
            for left in range(0, len(y), columns):
                here, there = own[low : low + rows], other[left : left + columns]
                h = (here[:, None, :] + there).reshape(-1, here.shape[1])
                values = self._above(h, deeper, out)
                found[low : low + rows, left : left + columns] = values.reshape(len(here), len(there))
        return found

    def _above(self, h: Array, deeper: list[tuple[Array, Array]], out: Array) -> Array:
        """The scores of pairs from what enters the first activation, (pairs, h_1), which is overwritten."""
        activate = ACTIVATIONS[self.activation]
        activate(h, np.empty_like(h))
        for matrix, constant in deeper:
            h = h @ matrix
            h += constant
            activate(h, np.empty_like(h))
        return np.asarray(h @ out)


LAYERED = ("scales", "shifts", "means", "variances")


# ----------------------------------------------------------------------------------------------------------- normalization


@dataclass(frozen=True)
class Normalization:
    """From scores s_ij of all n² pairs to K.

    ========  ===================================================  ====================================================
    kind      K_ij before it is made symmetric                      what it keeps fixed
    ========  ===================================================  ====================================================
    degree    d n exp(s_ij) / Σ_kl exp(s_kl)                        positive; the mean in-degree is d
    row-l2    d s_ij / (n sqrt(Σ_l s_il²))                          the norm of a row; d/n is the drift's divisor
    row-l1    d s_ij / Σ_l |s_il|                                   the absolute in-degree d
    none      d s_ij / n                                            nothing
    ========  ===================================================  ====================================================

    Parameters
    ----------
    kind : str
    symmetric : bool
        Whether K becomes (K + Kᵀ)/2 at the end.
    degree : float
        d > 0.
    trained_size : int, optional
        n_0: for "row-l2" the divisor at another size n is sqrt(n_0 n), which is time rescaled by sqrt(n/n_0): the sums over
        a row of unit norm grow as sqrt(n) only, and n oscillators would be slower than n_0 were. No other kind needs it.

    References
    ----------
    "degree" and "row-l2": the public settings of KuraNet (arXiv 2105.02838). "row-l1": the paper's text.

    Examples
    --------
    >>> import numpy as np
    >>> Normalization("row-l1", symmetric=False).apply(np.array([[1.0, -3.0], [0.0, 2.0]]))
    array([[ 0.25, -0.75],
           [ 0.  ,  1.  ]])
    """

    kind: str = "degree"
    symmetric: bool = True
    degree: float = 1.0
    trained_size: int | None = None

    def __post_init__(self) -> None:
        check_name("normalization", self.kind, NORMALIZATIONS)
        if not isinstance(self.symmetric, (bool, np.bool_)):
            raise TypeError(f"symmetric must be True or False; got {self.symmetric!r}")
        object.__setattr__(self, "degree", finite_number("degree", self.degree, positive=True))
        if self.trained_size is not None:
            object.__setattr__(self, "trained_size", integer("trained_size", self.trained_size, least=1))

    def divisor(self, n: int) -> float:
        """What K is divided by besides the norm: n or sqrt(n_0 n) for "row-l2", n for "none", 1 for the others; over d."""
        by = {"row-l2": np.sqrt((self.trained_size or n) * n), "none": n}.get(self.kind, 1.0)
        return float(by / self.degree)

    def apply(self, scores: Array) -> Array:
        """K from scores (n, n), in place (so that no second matrix is held); scores are overwritten and returned."""
        n = len(scores)
        if self.kind == "degree":
            scores -= scores.max()
            np.exp(scores, out=scores)
            scores *= n / (self.divisor(n) * sum(float(row.sum(dtype=float)) for row in scores))
        else:
            powers = {"row-l2": 2, "row-l1": 1}
            for row in scores:
                norm = np.linalg.norm(row, powers[self.kind]) if self.kind in powers else 1.0
                row /= max(norm, SMALLEST) * self.divisor(n)
        return symmetrized(scores) if self.symmetric else scores


def symmetrized(matrix: Array) -> Array:
    """(K + Kᵀ)/2, in place, by blocks."""
    starts = range(0, len(matrix), 512)
    for low in starts:
        for left in range(0, low + 1, 512):
            one, other = matrix[low : low + 512, left : left + 512], matrix[left : left + 512, low : low + 512]
            mean = (one + other.T) * 0.5
            one[...], other[...] = mean, mean.T
    return matrix


def as_normalization(given: str | Normalization, symmetric: bool = True) -> Normalization:
    """A normalization by name, or itself."""
    return given if isinstance(given, Normalization) else Normalization(given, symmetric)


# ---------------------------------------------------------------------------------------------------------------- coupling


class Learnt(Product):
    """K_ij = K_μ(x_i, x_j), normalized: a coupling that a network computes from features of the nodes.

    K is computed when it is first needed, O(n² h²), and kept, n² numbers; sums are one product with it per harmonic.

    Parameters
    ----------
    network : PairNetwork
        From `inphase.learn.train`, or `Learnt.load`.
    features : array_like, shape (n, m)
        x: what each node shows of itself, in the columns the network was trained with.
    normalization : str or Normalization
        "degree", "row-l2", "row-l1" or "none", made symmetric; a `Normalization` says more.
    precision : "float64" or "float32"
        Of K. Single precision takes half the memory (0.4 GB at n = 10,000) and half the time.

    Raises
    ------
    TypeError, ValueError
        If the features are not finite or not as many as the network takes, or a name is unknown.

    References
    ----------
    Ricci et al., *KuraNet: Systems of coupled oscillators that learn to synchronize* (2021).

    Examples
    --------
    >>> import numpy as np
    >>> A, one, zero = np.ones((1, 1)), [np.ones(1)], [np.zeros(1)]
    >>> network = PairNetwork(A, -A, [], one, zero, zero, one, np.ones(1), "relu")
    >>> Learnt(network, [[0.0], [2.0]], "degree").matrix(2).round(3)
    array([[0.193, 0.807],
           [0.807, 0.193]])
    """

    def __init__(
        self,
        network: PairNetwork,
        features: ArrayLike,
        normalization: str | Normalization = "degree",
        precision: str = "float64",
    ) -> None:
        if not isinstance(network, PairNetwork):
            raise TypeError(f"network must be a PairNetwork, as inphase.learn makes; got {network!r:.60}")
        self.network, self.features = network, feature_array(features, network.features)
        self.normalization = as_normalization(normalization)
        self.precision = check_name("precision", precision, PRECISIONS)

    @property
    def size(self) -> int | None:
        """The number of nodes."""
        return len(self.features)

    @cached_property
    def array(self) -> Array:
        """K, (n, n), in the precision that was asked for."""
        return self.normalization.apply(self.network.scores(self.features, dtype=np.dtype(self.precision)))

    @cached_property
    def _totals(self) -> NDArray[np.float64]:
        return np.asarray(self.array.sum(axis=1, dtype=float))

    @cached_property
    def positive(self) -> bool:
        """Whether no entry is negative and every row has a positive one."""
        return bool(np.all(self.array >= 0) and np.all(self._totals > 0))

    @property
    def symmetric(self) -> bool:
        """Whether K was made symmetric."""
        return self.normalization.symmetric

    def matrix(self, n: int) -> Square:
        """K as a dense matrix, (n, n)."""
        self.check_size(n)
        return np.array(self.array, dtype=float)

    def mean_strength(self, n: int) -> float:
        """Σ_j |K_ij|, averaged over i."""
        self.check_size(n)
        return float(np.mean([np.abs(row).sum(dtype=float) for row in self.array]))

    def product(self, waves: NDArray[np.float64]) -> NDArray[np.float64]:
        """K @ waves, in the precision of K."""
        return np.asarray(np.matmul(self.array, waves.astype(self.array.dtype, copy=False)).astype(float, copy=False))

    def to_dict(self) -> dict[str, Any]:
        """Kind, normalization, and checksums of network and features, for provenance."""
        digest = hashlib.sha256(b"".join(a.tobytes() for a in self.network.arrays().values()))
        return {
            "kind": "Learnt",
            "n": len(self.features),
            "hidden": list(self.network.hidden),
            "activation": self.network.activation,
            "normalization": asdict(self.normalization),
            "precision": self.precision,
            "network_sha256": digest.hexdigest(),
            "features_sha256": hashlib.sha256(self.features.tobytes()).hexdigest(),
        }

    def save(self, path: str | os.PathLike[str], **about: Any) -> Path:
        """Write network and normalization, without the features, as NPZ; `about` (JSON) goes with them.

        Raises OSError with the path and the reason.
        """
        return save_network(path, self.network, self.normalization, **about)

    @classmethod
    def load(cls, path: str | os.PathLike[str], features: ArrayLike, precision: str = "float64") -> Learnt:
        """A saved network on new features, (n, m).

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is truncated or no such file, or the features do not fit it.
        """
        network, normalization, _ = load_network(path)
        return cls(network, features, normalization, precision)

    def __repr__(self) -> str:
        return f"Learnt(n = {self.size}, {self.network.features} features, {self.normalization.kind})"


# ------------------------------------------------------------------------------------------------------------------- files


def save_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Array], about: Mapping[str, Any]) -> Path:
    """Arrays and a JSON text beside them in one NPZ file, written beside and renamed; no pickle."""
    text = np.array(json.dumps(dict(about)))

    def write(beside: Path) -> None:
        with beside.open("wb") as file:
            np.savez(file, about=text, **arrays)  # type: ignore[arg-type]

    return replace_file(Path(path), write)


def load_arrays(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, Any]]:
    """The inverse of `save_arrays`; ValueError that names the file if it is truncated or of another kind."""
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        about = json.loads(str(arrays.pop("about")))
    except OSError as error:
        if error.errno is None:  # NumPy's own, about the content
            raise ValueError(f"{path} is truncated, or no file of inphase: {error}") from None
        raise OSError(f"cannot read {path}: {error.strerror}") from None
    except (zipfile.BadZipFile, EOFError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} is truncated, or no file of inphase: {error}") from None
    return arrays, about


def save_network(path: str | os.PathLike[str], network: PairNetwork, normalization: Normalization, **about: Any) -> Path:
    """Write a network and its normalization as one NPZ file with JSON in it, whole or not at all.

    Parameters
    ----------
    path : path
    network : PairNetwork
    normalization : Normalization
    **about
        What goes with it (JSON): settings, seeds, results.

    Raises
    ------
    OSError
        With the path and the reason.
    """
    parts = {"format": FORMAT, "inphase_version": version(), "activation": network.activation}
    return save_arrays(path, network.arrays(), parts | {"normalization": asdict(normalization)} | about)


def load_network(path: str | os.PathLike[str]) -> tuple[PairNetwork, Normalization, dict[str, Any]]:
    """(network, normalization, what went with them) from a file of `save_network`.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is truncated, of a newer format, or lacks a part.
    """
    arrays, about = load_arrays(path)
    if about.get("format") != FORMAT:
        raise ValueError(f"{path} has the format {about.get('format')!r}; this version reads {FORMAT}")
    try:
        network = PairNetwork.from_arrays(arrays, about["activation"])
        return network, Normalization(**about["normalization"]), about
    except KeyError as error:
        raise ValueError(f"{path} lacks {error.args[0]!r}") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} holds no network: {error}") from None


def at_size(normalization: Normalization, n: int) -> Normalization:
    """The normalization with the size at which it was trained."""
    return replace(normalization, trained_size=n)
