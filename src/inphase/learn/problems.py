"""What a network is to learn: nodes with features, how they are drawn, and how training goes about it.

The sets of KuraNet (Ricci et al., arXiv 2105.02838, 2021) by name, `problem("case-1")`; the user's own arrays
and images by `from_arrays` and `from_image`. All draws come from one generator keyed on the seed and the
split, one after the other: the natural frequencies and the fields of a node are independent, and so are
training, validation and test.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import finite_array, integer, unmasked
from inphase.coupling.learnt.network import feature_array
from inphase.learn.settings import Settings
from inphase.model import PhaseModel

Floats = NDArray[np.float64]
SPLITS = ("train", "validation", "test")
LONGEST = 40  # steps, at which the delays of Case III are capped


class Nodes(NamedTuple):
    """Nodes, one a row.

    Attributes
    ----------
    features : ndarray, shape (n, m)
    frequencies, field : ndarray, shape (n,)
        ω and b, radians per unit of time.
    delay_steps : ndarray of int, shape (n,)
        τ in steps: j is heard as it was τ_j steps ago.
    labels : ndarray of int, shape (n,)
        The class of each, 0..k−1; −1: none.
    """

    features: Any
    frequencies: Any
    field: Any
    delay_steps: Any
    labels: Any

    def take(self, rows: Any) -> Nodes:
        """Some of the nodes."""
        return Nodes(*(part[rows] for part in self))

    def model(self, coupling: Any, settings: Settings) -> PhaseModel:
        """The equation of these nodes under a coupling."""
        parts = {
            "frequencies": self.frequencies,
            "field": self.field,
            "delays": self.delay_steps * settings.step,
        }
        given = {name: values for name, values in parts.items() if np.any(values)}
        return PhaseModel(settings.interaction, coupling, **given)


def _nodes(
    features: Any, frequencies: Any = 0.0, field: Any = 0.0, delay_steps: Any = 0, labels: Any = -1
) -> Nodes:
    """Nodes from what is known of them; the rest is 0, and no class."""
    x = np.asarray(features, dtype=float)

    def each(values: Any, dtype: Any) -> Any:
        return np.array(np.broadcast_to(np.asarray(values, dtype=dtype), len(x)))

    return Nodes(
        x, each(frequencies, float), each(field, float), each(delay_steps, np.int32), each(labels, np.int32)
    )


@dataclass(frozen=True, eq=False)
class Problem:
    """A named task: `draw(split, count, seed)` gives nodes, `settings` how it is trained by default.

    Parameters
    ----------
    name : str
    columns : tuple of str
        What the features are.
    sample : callable
        (split, count, rng) -> Nodes.
    settings : Settings
    classes : int
        k; 0 without labels.
    longest : int
        Steps; no delay is longer.
    limits : dict
        How many nodes a split has, where they are given and not drawn.
    place : callable, optional
        (features) -> Nodes; what `at` needs.
    class_names : tuple of str
        Names of the classes 0..k−1, where they have any.
    """

    name: str
    columns: tuple[str, ...]
    sample: Callable[[str, int, np.random.Generator], Nodes]
    settings: Settings = dataclasses.field(default_factory=Settings)
    classes: int = 0
    longest: int = 0
    limits: dict[str, int] = dataclasses.field(default_factory=dict)
    place: Callable[[Floats], Nodes] | None = None
    class_names: tuple[str, ...] = ()

    def draw(self, split: str, count: int, seed: int = 0) -> Nodes:
        """`count` nodes of a split ("train", "validation" or "test"); the same seed gives the same nodes.

        Raises
        ------
        ValueError
            If the split is unknown, or has fewer nodes (where they are given and not drawn).
        """
        if split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}; got {split!r}")
        count, limit = integer("count", count, least=1), self.limits.get(split)
        if limit is not None and count > limit:
            raise ValueError(f"{self.name} has {limit} nodes for {split}; {count} were asked for")
        return self.sample(
            split, count, np.random.default_rng([integer("seed", seed, least=0), SPLITS.index(split)])
        )

    def at(self, features: ArrayLike) -> Nodes:
        """Nodes with these features, (n, m), for probes: ω, b and τ as the features say, and no class.

        A delay is rounded to whole steps. Clusters and pixels have ω = b = τ = 0.

        Raises
        ------
        ValueError
            If the features are not finite or of another width, a delay is outside 0..`longest`, or the
            features of this problem do not tell the frequencies, fields and delays.

        Examples
        --------
        >>> nodes = problem("case-3").at([[2.5, 20.4]])
        >>> float(nodes.frequencies[0]), int(nodes.delay_steps[0]), int(nodes.labels[0])
        (2.5, 20, -1)
        """
        if self.place is None:
            raise ValueError(
                f"{self.name} does not say which frequency, field and delay a node with given features has"
            )
        return self.place(feature_array(features, len(self.columns)))

    def graphs(self, split: str, wanted: int, n: int) -> int:
        """How many graphs of n nodes, none in two of them, a split can give: from 1 up to `wanted`."""
        return max(1, min(wanted, self.limits.get(split, wanted * n) // n))

    def replace(self, **changes: Any) -> Problem:
        """The same with other settings."""
        return dataclasses.replace(self, settings=self.settings.replace(**changes))


# ------------------------------------------------------------------------------------------------ global sync


def _case_1(_: str, count: int, rng: np.random.Generator) -> Nodes:
    return _case_1_at(rng.uniform(-1, 1, count)[:, None])


def _case_1_at(features: Floats) -> Nodes:
    return _nodes(features, frequencies=features[:, 0])


def _case_2(_: str, count: int, rng: np.random.Generator) -> Nodes:
    omega, b = rng.uniform(-1, 1, (2, count))
    return _case_2_at(np.stack([omega, b], axis=1))


def _case_2_at(features: Floats) -> Nodes:
    return _nodes(features, frequencies=features[:, 0], field=features[:, 1])


def _case_3(_: str, count: int, rng: np.random.Generator) -> Nodes:
    omega = rng.uniform(2, 4, count)
    delay_steps = np.minimum(rng.negative_binomial(15, 0.5, count), LONGEST)
    return _case_3_at(np.stack([omega, delay_steps], axis=1))


def _case_3_at(features: Floats) -> Nodes:
    delay_steps = np.rint(features[:, 1])
    if np.min(delay_steps) < 0 or np.max(delay_steps) > LONGEST:
        raise ValueError(
            f"delays must be within 0..{LONGEST} steps; got {np.min(delay_steps):g}..{np.max(delay_steps):g}"
        )
    return _nodes(features, frequencies=features[:, 0], delay_steps=delay_steps)


# --------------------------------------------------------------------------------------------------- clusters


def _with_noise(points: Floats, noise: float, rng: np.random.Generator) -> Floats:
    return np.asarray(points + noise * rng.standard_normal(points.shape))


def _moons(_: str, count: int, rng: np.random.Generator) -> Nodes:
    """Two half circles of radius 1, centers (0, 0) and (1, 1/2), noise 0.05."""
    labels, t = rng.integers(0, 2, count), rng.uniform(0, np.pi, count)
    upper = np.stack([np.cos(t), np.sin(t)], axis=1)
    return _nodes(
        _with_noise(np.where(labels[:, None] == 0, upper, [1.0, 0.5] - upper), 0.05, rng), labels=labels
    )


def _circles(_: str, count: int, rng: np.random.Generator) -> Nodes:
    """Circles of radius 1 and 1/2, noise 0.05."""
    labels, t = rng.integers(0, 2, count), rng.uniform(0, 2 * np.pi, count)
    circle = np.stack([np.cos(t), np.sin(t)], axis=1) * np.where(labels == 0, 1.0, 0.5)[:, None]
    return _nodes(_with_noise(circle, 0.05, rng), labels=labels)


def _spirals(_: str, count: int, rng: np.random.Generator) -> Nodes:
    """Two arms of radius 2 t + π at the angle t, t/2π the square root of a uniform number; noise 0.5."""
    labels, t = rng.integers(0, 2, count), 2 * np.pi * np.sqrt(rng.uniform(size=count))
    arm = np.stack([np.cos(t), np.sin(t)], axis=1) * ((1 - 2 * labels) * (2 * t + np.pi))[:, None]
    return _nodes(_with_noise(arm, 0.5, rng), labels=labels)


def _gaussians(_: str, count: int, rng: np.random.Generator, k: int) -> Nodes:
    """k unit Gaussians, their centers evenly on a ring of radius 10."""
    labels = rng.integers(0, k, count)
    angle = 2 * np.pi * labels / k
    return _nodes(_with_noise(10 * np.stack([np.cos(angle), np.sin(angle)], axis=1), 1.0, rng), labels=labels)


CLUSTERS = Settings(
    epochs=3,
    burn_in=0,
    window=100,
    step=15.0,
    start="normal",
    loss="cluster",
    normalization="row-l2",
    initialization="xavier",
    gain=0.5,
    optimizer="adam",
    rate=5e-5,
    clip=10.0,
)
IMAGES = CLUSTERS.replace(epochs=5, nodes=1000, burn_in=200, window=50)

PROBLEMS: dict[str, Callable[[], Problem]] = {
    "case-1": lambda: Problem("case-1", ("frequency",), _case_1, place=_case_1_at),
    "case-2": lambda: Problem(
        "case-2", ("frequency", "field"), _case_2, Settings(rate=0.01), place=_case_2_at
    ),
    "case-3": lambda: Problem(
        "case-3",
        ("frequency", "delay in steps"),
        _case_3,
        Settings(rate=0.05, momentum=0.5, clip=5.0, epochs=3),
        longest=LONGEST,
        place=_case_3_at,
    ),
    "moons": lambda: _clusters("moons", _moons, 2),
    "circles": lambda: _clusters("circles", _circles, 2),
    "spirals": lambda: _clusters("spirals", _spirals, 2),
}


def _clusters(name: str, sample: Callable[..., Nodes], classes: int) -> Problem:
    return Problem(name, ("x", "y"), sample, CLUSTERS, classes, place=_nodes)


def problem(name: str, **changes: Any) -> Problem:
    """A problem of the KuraNet paper by name, with its public settings; `changes` replace some of them.

    Parameters
    ----------
    name : str
        "case-1" (ω ~ U[−1, 1]), "case-2" (ω, b ~ U[−1, 1]), "case-3" (ω ~ U[2, 4], τ negative binomial, in
        steps); "moons", "circles", "spirals", or "gmm-k" for k = 2, 3, ... Gaussians.
    **changes
        Settings with other values.

    Raises
    ------
    ValueError, TypeError
        If the name or a setting is unknown.

    Examples
    --------
    >>> task = problem("gmm-5", epochs=10)
    >>> task.classes, task.settings.epochs, task.draw("test", 3).features.shape
    (5, 10, (3, 2))
    """
    made = None
    if isinstance(name, str) and name in PROBLEMS:
        made = PROBLEMS[name]()
    elif isinstance(name, str) and name.startswith("gmm-") and name[4:].isdecimal() and int(name[4:]) >= 2:
        k = int(name[4:])
        made = _clusters(f"gmm-{k}", partial(_gaussians, k=k), k)
    if made is None:
        raise ValueError(f"problem must be one of {', '.join(PROBLEMS)}, gmm-2, gmm-3, ...; got {name!r}")
    return made.replace(**changes)


# --------------------------------------------------------------------------------------------- the user's own


def from_arrays(
    features: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    frequencies: ArrayLike = 0.0,
    field: ArrayLike = 0.0,
    delay_steps: ArrayLike = 0,
    name: str = "arrays",
    columns: tuple[str, ...] | None = None,
    settings: Settings | None = None,
    seed: int = 0,
    **changes: Any,
) -> Problem:
    """A problem on given nodes, split at random: 40% to train, 10% to validate, half to test.

    Parameters
    ----------
    features : array_like, shape (N, m)
    labels : array_like of int or str, shape (N,), optional
        Classes 0..k−1 (−1: none), each with at least two nodes in every part; then the loss is the cluster
        loss. Texts are numbered in sorted order, and kept as `class_names`.
    frequencies, field : float or array_like, shape (N,)
        ω and b, radians per unit of time.
    delay_steps : int or array_like, shape (N,)
        Delays in whole steps.
    name : str
    columns : tuple of str, optional
        What the features are.
    settings : Settings, optional
        If not given: those of the paper's clusters with labels, of its Case I without.
    seed : int
        Of the parts.
    **changes
        Settings with other values.

    Raises
    ------
    ValueError, TypeError
        If an array is not finite or of another length, a class is missing or too small, or a delay is
        negative.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(400, 3))
    >>> from_arrays(x, (x[:, 0] > 0).astype(int), nodes=40).draw("test", 200).labels.shape
    (200,)
    """
    x = feature_array(features)
    count = len(x)
    delays = _whole("delay_steps", delay_steps, count)
    if np.any(delays < 0):
        raise ValueError(f"delay_steps must be >= 0; got {int(delays.min())}")
    classes, names = _labels(labels, count)
    omega, b = (
        _vector(what, values, count) for what, values in (("frequencies", frequencies), ("field", field))
    )
    everyone = _nodes(x, omega, b, delays, classes)
    same = {
        what: part[0]
        for what, part in zip(("frequencies", "field", "delay_steps"), everyone[1:4])
        if np.all(part == part[0])
    }
    k = int(classes.max()) + 1
    order = np.random.default_rng(integer("seed", seed, least=0)).permutation(count)
    train, validation = 2 * count // 5, count // 2
    parts = dict(zip(SPLITS, np.split(order, [train, validation])))
    if k:
        _check_classes(classes, parts, names or tuple(map(str, range(k))))
    chosen = settings or (CLUSTERS if k else Settings())
    limits = {split: len(rows) for split, rows in parts.items()}
    n = integer("nodes", changes.get("nodes", chosen.nodes), least=2)
    if n > min(limits.values()):
        raise ValueError(
            f"nodes must be <= {min(limits.values())}, the nodes for validation, a tenth of {count}; got {n}"
        )
    chosen = chosen.replace(**{"samples": min(chosen.samples, limits["train"])} | changes)
    named = columns or tuple(f"x{i + 1}" for i in range(x.shape[1]))
    place = partial(_nodes, **same) if len(same) == 3 else None
    return Problem(
        name, named, partial(_given, everyone, parts), chosen, k, int(delays.max()), limits, place, names
    )


def _given(
    everyone: Nodes, parts: dict[str, Any], split: str, wanted: int, rng: np.random.Generator
) -> Nodes:
    return everyone.take(rng.permutation(parts[split])[:wanted])


def from_image(
    image: ArrayLike, labels: ArrayLike, *, name: str = "image", seed: int = 0, **changes: Any
) -> Problem:
    """The pixels of an image with known segments: 40% to train, 10% to validate, half to test.

    Features are (R, G, B)/255 and the place (x, y) in [0, 1]; a gray image has one color.

    Parameters
    ----------
    image : array_like, shape (height, width, 3) or (height, width)
        0..255.
    labels : array_like of int or str, shape (height, width)
        The segment of each pixel, 0..k−1; −1: none. As `from_arrays` takes them.
    name : str
    seed : int
    **changes
        Settings with other values.

    Raises
    ------
    ValueError, TypeError
        If the shapes do not fit, or a segment is missing.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((20, 30, 3)); image[:, 15:] = 255
    >>> from_image(image, image[..., 0] > 0, nodes=50).columns
    ('red', 'green', 'blue', 'x', 'y')
    """
    pixels = finite_array("image", image)
    if pixels.ndim not in (2, 3) or not pixels.size:
        raise ValueError(
            f"image must have shape (height, width) or (height, width, colors); got {pixels.shape}"
        )
    if np.min(pixels) < 0 or np.max(pixels) > 255:
        raise ValueError(f"image must be within 0..255; got {np.min(pixels):g}..{np.max(pixels):g}")
    if np.max(pixels) <= 1 and np.any(pixels % 1):
        raise ValueError("image must be within 0..255; got fractions within 0..1: multiply them by 255")
    height, width = pixels.shape[:2]
    unmasked("labels", labels)
    mask = np.asarray(labels)
    if mask.shape != (height, width):
        raise ValueError(f"labels must have the image's shape {(height, width)}; got shape {mask.shape}")
    colors = pixels.reshape(height * width, -1) / 255
    y, x = np.mgrid[:height, :width]
    place = np.stack([x.ravel() / max(width - 1, 1), y.ravel() / max(height - 1, 1)], axis=1)
    known = {1: ("gray",), 3: ("red", "green", "blue")}
    columns = (*known.get(colors.shape[1], tuple(f"color {i + 1}" for i in range(colors.shape[1]))), "x", "y")
    features = np.concatenate([colors, place], axis=1)
    return from_arrays(
        features, mask.ravel(), name=name, columns=columns, settings=IMAGES, seed=seed, **changes
    )


def _vector(name: str, values: ArrayLike, count: int) -> Floats:
    array = finite_array(name, values)
    return finite_array(name, array if array.ndim else np.full(count, array), (count,))


def _whole(name: str, values: ArrayLike, count: int) -> Any:
    unmasked(name, values)
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be whole numbers; got {array.dtype} ({values!r:.40})")
    if array.shape not in ((), (count,)):
        raise ValueError(f"{name} must have shape ({count},); got shape {array.shape}")
    return np.array(np.broadcast_to(array, count), dtype=np.int64)


def _labels(labels: ArrayLike | None, count: int) -> tuple[Any, tuple[str, ...]]:
    """Classes of the nodes, 0..k−1 or −1, and their names where they are texts."""
    if labels is None:
        return np.full(count, -1), ()
    given, names = numbered(labels)
    found = _whole("labels", given, count)
    if np.min(found) < -1:
        raise ValueError(f"labels must be 0..k-1, or -1 for none; got {int(found.min())}")
    if np.max(found) < 1:
        raise ValueError(
            f"labels must name at least 2 classes; got {names[0] if names else 'fewer than 0 and 1'}"
        )
    return found, names


def numbered(labels: ArrayLike) -> tuple[Any, tuple[str, ...]]:
    """Labels that are texts as 0..k−1 in sorted order, with the texts; others as they are, without names.

    Raises
    ------
    ValueError
        If a label is missing: NaN, None or an empty text.

    Examples
    --------
    >>> numbered(["dog", "cat", "dog"])
    (array([1, 0, 1]), ('cat', 'dog'))
    """
    unmasked("labels", labels)
    given = np.asarray(labels)
    if given.dtype.kind not in "biu":
        missing = [
            k
            for k, label in enumerate(given.ravel().tolist())
            if label is None or label == "" or label != label
        ]
        if missing:
            raise ValueError(
                f"labels must be given for every node (-1: no class); node {missing[0]} (from 0) has none"
            )
        if given.size and all(isinstance(label, str) for label in given.ravel()):
            texts, numbers = np.unique(given.astype(str), return_inverse=True)
            return numbers.reshape(given.shape), tuple(texts.tolist())
    return (given.astype(int) if given.dtype.kind == "b" else given), ()


def _check_classes(labels: Any, parts: dict[str, Any], names: tuple[str, ...]) -> None:
    """Two nodes of each class in each part: a class of one has no phase to agree with."""
    k = len(names)
    totals = np.bincount(labels[labels >= 0], minlength=k)
    if not np.all(totals):
        raise ValueError(
            f"labels must be 0..{k - 1}, all of them; no node is of class {int(np.argmin(totals))}"
        )
    for split, rows in parts.items():
        counts = np.bincount(labels[rows][labels[rows] >= 0], minlength=k)
        few = int(np.argmin(counts))
        if counts[few] < 2:
            raise ValueError(
                f"labels must give every class 2 nodes in every part; class {names[few]} has {totals[few]} nodes in all, "
                f"{counts[few]} of them in {split!r}"
            )
