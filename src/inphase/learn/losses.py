"""What training makes small: functions of the phases of a window of time.

A loss is `loss(phases, nodes) -> scalar`, with phases (T, n) in radians and `nodes` a `Nodes` of JAX arrays;
any function of that form serves, written with `jax.numpy`. Those with a name, `LOSSES`, are equal where their
parameters are, and are written to files by them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, cast

import jax.numpy as jnp
from jax import lax

from inphase.checks import check_name, checked_options, finite_number, integer

Loss = Callable[[Any, Any], Any]
BY_NAME_ALONE = ("circular-variance", "cluster")  # what a problem has without being told more


def _length(x: Any, y: Any) -> Any:
    """sqrt(x² + y²), with the derivative 0 at the origin."""
    square = x * x + y * y
    zero = square == 0  # NaN stays NaN
    return jnp.where(zero, 0.0, jnp.sqrt(jnp.where(zero, 1.0, square)))


def circular_variance(phases: Any, nodes: Any = None) -> Any:
    """V = 1 − |Σ_j e^{iθ_j}|/n, averaged over time: 0 in sync, 1 at most; phases (T, n), radians.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(circular_variance(np.array([[0.0, np.pi / 2]]))), 4)
    0.2929
    """
    return jnp.mean(1 - _length(jnp.cos(phases).mean(-1), jnp.sin(phases).mean(-1)))


def _order(phases: Any, member: Any) -> tuple[Any, Any, Any]:
    """(x, y, R), each (T, k): the mean of e^{iθ} over each class, and its length; member (n, k), 0 or 1."""
    counts = jnp.maximum(member.sum(0), 1)
    x, y = (wave(phases) @ member / counts for wave in (jnp.cos, jnp.sin))
    return x, y, _length(x, y)


def effective_neighbors(K: Any) -> Any:
    """The nodes' mean effective number of neighbors N_i = (Σ_j |K_ij|)² / Σ_j K_ij², over j ≠ i.

    From 1, one neighbor each, to n − 1, all alike; 0 for a row of zeros. The scale of a row does not matter,
    nor does the sign of its entries, so that it serves every normalization.

    Parameters
    ----------
    K : array, shape (n, n)

    References
    ----------
    Hill, *Diversity and evenness* (1973), order 2; the ratio of norms √N_i is what Hoyer, *Non-negative
    matrix factorization with sparseness constraints* (2004), measures sparseness by.

    Examples
    --------
    >>> import numpy as np
    >>> float(effective_neighbors(np.ones((5, 5)))), float(effective_neighbors(np.roll(np.eye(5), 1, axis=0)))
    (4.0, 1.0)
    """
    K = jnp.asarray(K)
    size = jnp.where(jnp.eye(len(K), dtype=bool), 0, jnp.abs(K))
    largest = lax.stop_gradient(size.max(axis=1, keepdims=True))  # the ratio does not depend on it
    size = size / jnp.where(largest == 0, 1, largest)
    squares = (size**2).sum(axis=1)
    return jnp.mean(size.sum(axis=1) ** 2 / jnp.where(squares == 0, 1, squares))


# ------------------------------------------------------------------------------------- losses with parameters


@dataclass(frozen=True)
class NamedLoss(ABC):
    """A loss with a name and parameters, which files keep; equal ones are compiled once.

    Another one is a frozen dataclass with `name` and `__call__`, in `LOSSES`.
    """

    name: ClassVar[str] = ""

    def to_dict(self) -> dict[str, Any]:
        """Name and parameters, as JSON: what `from_dict` reads."""
        return {"name": self.name} | asdict(self)

    def fitted(self, classes: int, step: float) -> Loss:
        """The loss for a problem with so many classes and this step; ValueError where it does not fit."""
        return self

    @abstractmethod
    def __call__(self, phases: Any, nodes: Any) -> Any:
        """The loss of phases (T, n), radians."""


@dataclass(frozen=True)
class ClusterLoss(NamedLoss):
    """What `cluster_loss` returns."""

    classes: int
    name: ClassVar[str] = "cluster"

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", integer("classes", self.classes, least=1))

    def fitted(self, classes: int, step: float) -> Loss:
        """Itself, where the problem has as many classes."""
        if self.classes != classes:
            raise ValueError(
                f"the loss 'cluster' for {self.classes} classes needs as many; the problem has {classes} classes"
            )
        return self

    def __call__(self, phases: Any, nodes: Any) -> Any:
        """The loss of phases (T, n), radians."""
        phases = jnp.asarray(phases)
        # (n, k)
        member = (jnp.asarray(nodes.labels)[:, None] == jnp.arange(self.classes)).astype(phases.dtype)
        present = (member.sum(0) > 0).astype(phases.dtype)
        k = jnp.maximum(present.sum(), 1)
        x, y, order = _order(phases, member)
        within = ((1 - order) * present).sum(-1) / k
        mean = jnp.arctan2(y, jnp.where(order > 0, x, 1.0))
        g = jnp.arange(1, self.classes // 2 + 1)
        share = jnp.where(2 * g <= k, 1 / g.astype(phases.dtype) ** 2, 0.0)
        turns = g[:, None] * mean[:, None, :]
        moments = (jnp.cos(turns) * present).sum(-1) ** 2 + (jnp.sin(turns) * present).sum(-1) ** 2  # (T, g)
        apart = (share * moments).sum(-1) / (2 * k)
        return jnp.mean(within + apart) / (1 + k / 2 * share.sum())


def cluster_loss(classes: int) -> Loss:
    """Each class in sync, and their mean phases spread evenly over the circle: a loss in [0, 1].

    (mean_l V_l + S)/(1 + S_max), S = Σ_{g=1}^{⌊k/2⌋} |Σ_l e^{ig⟨θ⟩_l}|²/(2 g² k), averaged over time: V_l and
    ⟨θ⟩_l are the circular variance and the mean phase of class l, and S_max = (k/2) Σ_g 1/g² is S where all
    mean phases agree. For two classes this is (mean_l V_l + S)/2. Classes without a node in the graph are
    left out, of k too.

    Parameters
    ----------
    classes : int
        k; labels are 0..k−1, and others belong to no class.

    References
    ----------
    Ricci et al., *KuraNet* (2021), with the normalization of its public settings; the second term is that of
    Sepulchre, Paley, Leonard, *Stabilization of planar collective motion: all-to-all communication* (2007).

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> two = SimpleNamespace(labels=np.array([0, 0, 1, 1]))
    >>> round(float(cluster_loss(2)(np.array([[0.0, 0.0, np.pi, np.pi]]), two)), 6)
    0.0
    >>> round(float(cluster_loss(2)(np.zeros((1, 4)), two)), 6)
    0.5
    """

    return ClusterLoss(classes)


@dataclass(frozen=True)
class TargetFrequency(NamedLoss):
    """All in sync at the frequency Ω: V + mean_j (Ω_j − Ω)²/w², Ω_j = (θ_j(end) − θ_j(begin))/window.

    The mean of the squares is (mean Ω_j − Ω)² + the variance of the Ω_j: one that vanishes has all nodes
    locked at Ω. With a symmetric K and an odd f without delays and fields the mean frequency is that of the
    ω_j, whatever K is; others need `symmetric=False`, or an f with a lag.

    Parameters
    ----------
    omega : float
        Ω, radians per unit of time.
    width : float
        w, radians per unit of time: an Ω_j that is off by w costs as much as full incoherence.
    step : float, optional
        Units of time between two rows of phases; that of the training if not given.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number, or the window has one row only.

    Examples
    --------
    >>> import numpy as np
    >>> phases = 0.1 * 0.5 * np.arange(11)[:, None] + np.zeros(3)
    >>> round(float(TargetFrequency(0.7, step=0.1)(phases, None)), 4)
    0.04
    """

    omega: float
    width: float = 1.0
    step: float | None = None
    name: ClassVar[str] = "target-frequency"

    def __post_init__(self) -> None:
        object.__setattr__(self, "omega", finite_number("omega", self.omega))
        object.__setattr__(self, "width", finite_number("width", self.width, positive=True))
        if self.step is not None:
            object.__setattr__(self, "step", finite_number("step", self.step, positive=True))

    def fitted(self, classes: int, step: float) -> Loss:
        """With the step of the training, if it has none of its own."""
        return replace(self, step=step) if self.step is None else self

    def __call__(self, phases: Any, nodes: Any) -> Any:
        """The loss of phases (T, n), radians, not taken modulo 2π."""
        phases = jnp.asarray(phases)
        if self.step is None:
            raise ValueError(
                "the loss 'target-frequency' needs the step, units of time between two rows of phases; got None"
            )
        if len(phases) < 2:
            raise ValueError(
                f"the loss 'target-frequency' needs a window of at least 2 steps; got {len(phases)}"
            )
        found = (phases[-1] - phases[0]) / ((len(phases) - 1) * self.step)
        return circular_variance(phases) + jnp.mean(((found - self.omega) / self.width) ** 2)


@dataclass(frozen=True)
class TargetOrder(NamedLoss):
    """The order parameter R at a value r, throughout the window: mean (R(t) − r)², in [0, 1].

    Parameters
    ----------
    r : float
        In [0, 1].

    Raises
    ------
    TypeError, ValueError
        If r is not a number in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> round(float(TargetOrder(0.5)(np.zeros((2, 3)), None)), 6)
    0.25
    """

    r: float
    name: ClassVar[str] = "target-order"

    def __post_init__(self) -> None:
        object.__setattr__(self, "r", _share("r", self.r))

    def __call__(self, phases: Any, nodes: Any) -> Any:
        """The loss of phases (T, n), radians."""
        phases = jnp.asarray(phases)
        return jnp.mean((_length(jnp.cos(phases).mean(-1), jnp.sin(phases).mean(-1)) - self.r) ** 2)


@dataclass(frozen=True)
class Chimera(NamedLoss):
    """One class in sync, another not: mean ½ (1 − R_c(t)) + ½ max(0, R_i(t) − r)/(1 − r), in [0, 1].

    R_c and R_i are the order parameters of the two classes, by which chimera states are told (Abrams,
    Mirollo, Strogatz, Wiley, *Solvable model for chimera states of coupled oscillators*, 2008); nodes of
    other classes go as they like. An incoherent class may drift, or stand spread over the circle: R_i does
    not tell one from the other.

    Parameters
    ----------
    coherent, incoherent : int
        Labels of the two classes.
    r : float
        In [0, 1): R_i up to it counts as incoherent. Independent phases of m nodes have R_i about 0.9/√m.

    Raises
    ------
    TypeError, ValueError
        If a parameter does not fit, or the problem has no such classes.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> two = SimpleNamespace(labels=np.array([0, 0, 1, 1]))
    >>> [round(float(Chimera()(np.array([row]), two)), 6) for row in ([1.0, 1.0, 0.0, np.pi], [0.0, 0.0, 0.0, 0.0])]
    [0.0, 0.5]
    """

    coherent: int = 0
    incoherent: int = 1
    r: float = 0.3
    name: ClassVar[str] = "chimera"

    def __post_init__(self) -> None:
        for what in ("coherent", "incoherent"):
            object.__setattr__(self, what, integer(what, getattr(self, what), least=0))
        if self.coherent == self.incoherent:
            raise ValueError(f"coherent and incoherent must be two classes; got {self.coherent} for both")
        object.__setattr__(self, "r", _share("r", self.r))
        if self.r == 1:
            raise ValueError("r must be < 1; got 1.0")

    def fitted(self, classes: int, step: float) -> Loss:
        """Itself, where the problem has both classes."""
        if max(self.coherent, self.incoherent) >= classes:
            wanted = f"labels of classes {self.coherent} and {self.incoherent}"
            raise ValueError(f"the loss 'chimera' needs {wanted}; the problem has {classes} classes")
        return self

    def __call__(self, phases: Any, nodes: Any) -> Any:
        """The loss of phases (T, n), radians."""
        phases = jnp.asarray(phases)
        two = jnp.array([self.coherent, self.incoherent])
        member = (jnp.asarray(nodes.labels)[:, None] == two).astype(phases.dtype)
        order = _order(phases, member)[2]
        return jnp.mean(1 - order[:, 0] + jnp.maximum(0, order[:, 1] - self.r) / (1 - self.r)) / 2


def _share(name: str, value: Any) -> float:
    number = finite_number(name, value, least=0.0)
    if number > 1:
        raise ValueError(f"{name} must be <= 1; got {value!r}")
    return number


LOSSES: dict[str, type[NamedLoss]] = {
    kind.name: kind for kind in (ClusterLoss, TargetFrequency, TargetOrder, Chimera)
}


# ---------------------------------------------------------------------------------------------------- by name


def from_dict(data: Mapping[str, Any]) -> NamedLoss:
    """A loss from its name and parameters: the inverse of `NamedLoss.to_dict`.

    Raises
    ------
    TypeError, ValueError
        If the name is unknown, or a parameter is unknown, missing or wrong.

    Examples
    --------
    >>> from_dict({"name": "target-order", "r": 0.5})
    TargetOrder(r=0.5)
    """
    parameters = {key: value for key, value in data.items() if key != "name"}
    name = check_name("loss", data.get("name"), tuple(LOSSES))
    checked_options(f"the loss {name!r}", LOSSES[name], parameters, word="parameter")
    return LOSSES[name](**parameters)


def as_loss(given: Any) -> str | Loss:
    """A loss as settings hold it, from a name, a dictionary of name and parameters, or a function."""
    if isinstance(given, Mapping):
        return from_dict(given)
    if isinstance(given, type):
        raise TypeError(f"loss must be a loss, {given.__name__}(...), and not its class; got {given!r}")
    if callable(given):
        return cast(Loss, given)
    name = check_name(
        "loss", given, (*BY_NAME_ALONE, *(name for name in LOSSES if name not in BY_NAME_ALONE))
    )
    return name if name in BY_NAME_ALONE else from_dict({"name": name})


def named(loss: Any, classes: int, step: float) -> Loss:
    """The loss of settings for a problem with so many classes and this step; the user's function as it is."""
    if isinstance(loss, NamedLoss):
        return loss.fitted(classes, step)
    if callable(loss):
        return cast(Loss, loss)
    if check_name("loss", loss, BY_NAME_ALONE) == "circular-variance":
        return circular_variance
    if classes < 2:
        raise ValueError(f"the loss 'cluster' needs labels of at least 2 classes; got {classes}")
    return cluster_loss(classes)
