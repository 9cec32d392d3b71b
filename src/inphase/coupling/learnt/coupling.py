"""K_ij = K_μ(x_i, x_j) of node features, by a network on pairs that `inphase.learn` trains; and its files.

Nothing in this file needs JAX.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import check_name
from inphase.coupling.dense import Matrix
from inphase.coupling.lagged import PRECISIONS, Lagged
from inphase.coupling.learnt.network import Array, PairNetwork, feature_array
from inphase.coupling.learnt.normalization import Normalization, as_normalization
from inphase.coupling.words import Keep, Words
from inphase.files import write_arrays
from inphase.interaction import Interaction
from inphase.kernels.product import THIN, thin_product
from inphase.kernels.terms import AllPairs, Term
from inphase.stored import read_npz, reading
from inphase.types import Phases, Square, Vector
from inphase.version import version

FORMAT = 1  # of the files
WHAT = "is truncated, or no file of inphase: {}"


class Learnt(Matrix):
    """K_ij = K_μ(x_i, x_j), normalized: a coupling that a network computes from features of the nodes.

    K is computed when it is first needed, O(n² h²), and kept, n² numbers; sums are one product with it for
    each harmonic.

    A network with two outputs gives each pair a phase lag too, α_ij = α(x_i, x_j): the terms are
    K_ij f(θ_i − θ_j + α_ij), and all is as in `Lagged`. Lags are not normalized and not made symmetric.

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
    def _outputs(self) -> Array:
        """(2, n, n): scores, which `array` overwrites by K, and lags."""
        return self.network.scores_and_lags(self.features, dtype=np.dtype(self.precision))

    @cached_property
    def array(self) -> Array:  # type: ignore[override]  # made when first needed
        """K, (n, n), in the precision that was asked for."""
        if self.network.has_lags:
            return self.normalization.apply(self._outputs[0])
        return self.normalization.apply(self.network.scores(self.features, dtype=np.dtype(self.precision)))

    @property
    def lags(self) -> Array | None:
        """α, (n, n), radians, in the precision that was asked for; None where the network gives none."""
        return self._outputs[1] if self.network.has_lags else None

    @cached_property
    def lagged(self) -> Lagged | None:
        """The same coupling by its numbers alone; None where the network gives no lags."""
        return None if self.lags is None else Lagged(self.array, self.lags, self.precision)

    @property
    def symmetric(self) -> bool:
        """Whether K was made symmetric and there are no lags."""
        return self.normalization.symmetric if self.lagged is None else self.lagged.symmetric

    @property
    def has_lags(self) -> bool:
        """Whether the network gives phase lags."""
        return self.network.has_lags

    def terms(self, n: int) -> list[Term]:
        """All pairs, with their lags."""
        self.check_size(n)
        return [AllPairs(self.array, self.lags)]

    def code(self, keep: Keep) -> str:
        """The coupling by its numbers alone: ip.Dense, or ip.Lagged where there are lags or single precision."""
        matrix = keep("matrix", self.array)
        if self.lags is None and self.precision == "float64":
            return f"ip.Dense({matrix})"
        lags = "0.0" if self.lags is None else keep("lags", self.lags)
        return f"ip.Lagged({matrix}, {lags}, {self.precision!r})"

    def source(self) -> Words:
        """K as a function of features."""
        return Words(r"K_{ij} = K_\mu(x_i, x_j)", "K_ij = K_μ(x_i, x_j)")

    def about(self) -> list[tuple[str, str]]:
        """What it was learnt with, and how it is told from others."""
        network, rule, hashes = self.network, self.normalization, self.to_dict()
        sizes = " → ".join(
            str(size) for size in (2 * network.features, *network.hidden, 1 + network.has_lags)
        )
        trained = f", time as at n = {rule.trained_size}" if rule.keeps_time else ""
        return [
            ("coupling", "Learnt: a network on the features x of two nodes gives their K"),
            ("features of a node", str(network.features)),
            ("layers of the network", f"{sizes}, {network.activation}"),
            (
                "normalization",
                f"{rule.kind}{', symmetric' * rule.symmetric}, degree {rule.degree:g}{trained}",
            ),
            ("precision of K", self.precision),
            ("network, SHA-256", hashes["network_sha256"]),
            ("features, SHA-256", hashes["features_sha256"]),
        ]

    def forces(
        self,
        functions: Sequence[Interaction],
        phases: Phases,
        out: Sequence[Phases] | None = None,
        sources: Phases | None = None,
    ) -> list[Phases]:
        """[Σ_j K_ij f(θ_i − φ_j + α_ij) for f in functions], by modes or pair by pair."""
        if self.lagged is not None:
            return self.lagged.forces(functions, phases, out, sources)
        return super().forces(functions, phases, out, sources)

    def jacobians(self, slopes: Sequence[Interaction], phases: Vector) -> list[Any]:
        """For each slope f', the matrix ∂(Σ_j K_ij f(θ_i − θ_j + α_ij))/∂θ_l, (n, n)."""
        if self.lagged is not None:
            return self.lagged.jacobians(slopes, phases)
        return super().jacobians(slopes, phases)

    def matrix(self, n: int) -> Square:
        """K as a dense matrix, (n, n); ValueError where there are lags."""
        self.check_size(n)
        return np.array(self.array, dtype=float) if self.lagged is None else self.lagged.matrix(n)

    def product(self, waves: NDArray[np.float64]) -> NDArray[np.float64]:
        """K @ waves, in the precision of K; with lags turned by them, as in `Lagged`."""
        if self.lagged is not None:
            return self.lagged.product(waves)
        if self.precision == "float32" and waves.shape[-1] <= THIN:
            return np.stack([thin_product(self.array, wave) for wave in waves])
        return np.asarray(
            np.matmul(self.array, waves.astype(self.array.dtype, copy=False)).astype(float, copy=False)
        )

    def to_dict(self) -> dict[str, Any]:
        """Kind, normalization, and checksums of network and features, for provenance."""
        lags = {"lags": True} if self.network.has_lags else {}
        return lags | {
            "kind": "Learnt",
            "n": len(self.features),
            "hidden": list(self.network.hidden),
            "activation": self.network.activation,
            "normalization": asdict(self.normalization),
            "precision": self.precision,
            "network_sha256": self.network.sha256,
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
        lags = ", phase lags" if self.network.has_lags else ""
        return f"Learnt(n = {self.size}, {self.network.features} features, {self.normalization.kind}{lags})"


# ------------------------------------------------------------------------------------------------------ files


def save_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Array], about: Mapping[str, Any]) -> Path:
    """Arrays and a JSON text beside them in one NPZ file, written beside and renamed; no pickle."""
    return write_arrays(Path(path), {"about": np.array(json.dumps(dict(about))), **arrays})


def load_arrays(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, Any]]:
    """The inverse of `save_arrays`; ValueError that names the file if it is truncated or of another kind."""
    arrays = read_npz(path, WHAT)
    with reading(path, WHAT):
        about = json.loads(str(arrays.pop("about")))
        if not isinstance(about, dict):
            raise ValueError("what is told about its arrays is no JSON object")
    return arrays, about


def save_network(
    path: str | os.PathLike[str], network: PairNetwork, normalization: Normalization, **about: Any
) -> Path:
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
        raise ValueError(f"{path} has the format {about.get('format')!r:.60}; this version reads {FORMAT}")
    with reading(path, "holds no network: {}"):
        network = PairNetwork.from_arrays(arrays, about["activation"])
        return network, Normalization(**about["normalization"]), about
