"""How a network is trained: every number of it, with the public settings of KuraNet as defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from inphase.checks import check_name, finite_number, integer
from inphase.coupling.learnt.network import ACTIVATIONS
from inphase.coupling.learnt.normalization import NORMALIZATIONS, Normalization
from inphase.interaction import Interaction, checked, kuramoto
from inphase.learn import losses
from inphase.methods import RUNGE_KUTTA

STARTS_AT = ("zero", "normal", "uniform")
OPTIMIZERS = ("sgd", "adam")
KURAMOTO = kuramoto()  # one object, so that what was compiled with it serves again


@dataclass(frozen=True)
class Settings:
    """The settings of a training; `replace` gives others.

    Parameters
    ----------
    nodes : int
        n, of one graph. Each update of the network is by one graph of n nodes.
    samples : int
        Nodes that are drawn for training, once; an epoch goes over them in a new random order, in disjoint
        graphs.
    epochs : int
    burn_in, window : int
        Steps without gradient, and steps after them over which the loss is averaged, with gradient.
    step : float
        h, units of time.
    method : "euler", "heun", "midpoint" or "rk4"
        With delays one of the first two.
    start : "zero", "normal" or "uniform"
        θ(0): all 0; normal with mean π and deviation 1; uniform on the circle. Drawn anew for every graph.
    interaction : Interaction
        f.
    loss : "circular-variance", "cluster", dict or callable
        A dict has the name of one of `inphase.learn.losses.LOSSES` and its parameters, {"name":
        "target-order", "r": 0.5}. A callable is one of these losses, or any
        `loss(phases (T, n), nodes) -> scalar`.
    sparsity : float
        λ >= 0. What is made small is loss + λ N/(n − 1), N the effective number of neighbors of a node under
        K, see `inphase.learn.losses.effective_neighbors`. This sum is the loss of a training: of its updates,
        of its validation, and so of the choice of a network. `evaluate` tells the loss alone.
    normalization : "degree", "row-l2", "row-l1" or "none"
    symmetric : bool
    degree : float
        As in `inphase.coupling.learnt.normalization.Normalization`.
    phase_lags : bool
        Whether the network gives a phase lag α_ij beside K_ij: the interaction is then
        K_ij f(θ_i − θ_j + α_ij).
    hidden : tuple of int
        The sizes of the hidden layers.
    activation : "leaky_relu", "relu", "silu" or "tanh"
    initialization : "fan-in" or "xavier"
    gain : float
        Of "xavier".
    optimizer : "sgd" or "adam"
    rate, momentum : float
        The learning rate; the momentum of "sgd", below 1 ("adam" has its own).
    schedule : "constant" or "cosine"
        Whether the rate falls to 0 over the training, along half a period of the cosine.
    clip : float
        The largest global norm of a gradient; longer ones are shortened to it.
    validation_graphs : int
        Graphs of nodes of their own on which a network is judged, with the running statistics.
    validation_nodes : int, optional
        n of these graphs; as in training if not given. Which network is best can depend on n.
    validate_every : int, optional
        Updates between two such judgments; an epoch if not given.
    patience : int, optional
        Judgments without a better one after which a start ends; None: never.
    dtype : "float32" or "float64"

    Raises
    ------
    TypeError, ValueError
        With the name of the setting, its value and what was expected.

    Examples
    --------
    >>> Settings(rate=0.01).replace(epochs=10).rate
    0.01
    """

    nodes: int = 100
    samples: int = 10_000
    epochs: int = 2
    burn_in: int = 100
    window: int = 50
    step: float = 0.1
    method: str = "euler"
    start: str = "zero"
    interaction: Interaction = KURAMOTO
    loss: str | Mapping[str, Any] | losses.Loss = "circular-variance"
    normalization: str = "degree"
    symmetric: bool = True
    degree: float = 1.0
    phase_lags: bool = False
    hidden: tuple[int, ...] = (128, 128)
    activation: str = "leaky_relu"
    initialization: str = "fan-in"
    gain: float = 1.0
    optimizer: str = "sgd"
    rate: float = 5e-4
    schedule: str = "constant"
    momentum: float = 0.0
    clip: float = 1.0
    validation_graphs: int = 10
    validation_nodes: int | None = None
    validate_every: int | None = None
    patience: int | None = None
    dtype: str = "float32"
    sparsity: float = 0.0

    def __post_init__(self) -> None:
        checked(self.interaction)
        for name, least in {
            "nodes": 2,
            "samples": 1,
            "epochs": 1,
            "burn_in": 0,
            "window": 1,
            "validation_graphs": 1,
        }.items():
            object.__setattr__(self, name, integer(name, getattr(self, name), least=least))
        for name, least in {"validation_nodes": 2, "validate_every": 1, "patience": 1}.items():
            if getattr(self, name) is not None:
                object.__setattr__(self, name, integer(name, getattr(self, name), least=least))
        for name in ("step", "rate", "clip", "gain", "degree"):
            object.__setattr__(self, name, finite_number(name, getattr(self, name), positive=True))
        for name in ("momentum", "sparsity"):
            object.__setattr__(self, name, finite_number(name, getattr(self, name), least=0.0))
        if self.momentum >= 1:
            raise ValueError(f"momentum must be < 1; got {self.momentum:g}")
        object.__setattr__(self, "hidden", tuple(integer("hidden", h, least=1) for h in self.hidden))
        if not self.hidden:
            raise ValueError("hidden must name the size of at least one layer; got ()")
        names: dict[str, tuple[str, ...]] = {
            "method": tuple(RUNGE_KUTTA),
            "start": STARTS_AT,
            "normalization": tuple(NORMALIZATIONS),
            "activation": tuple(ACTIVATIONS),
            "initialization": ("fan-in", "xavier"),
            "optimizer": OPTIMIZERS,
            "schedule": ("constant", "cosine"),
            "dtype": ("float32", "float64"),
        }
        for name, known in names.items():
            check_name(name, getattr(self, name), known)
        object.__setattr__(self, "loss", losses.as_loss(self.loss))
        if not isinstance(self.phase_lags, bool):
            raise TypeError(f"phase_lags must be True or False; got {self.phase_lags!r}")
        if self.samples < self.nodes:
            raise ValueError(f"samples must be >= nodes = {self.nodes}; got {self.samples}")

    def replace(self, **changes: Any) -> Settings:
        """The same with other values; TypeError for an unknown name."""
        known = [f.name for f in fields(self)]
        for name in changes:
            if name not in known:
                raise TypeError(f"unknown setting {name!r}; it must be one of {', '.join(known)}")
        return replace(self, **changes)

    @property
    def judged_nodes(self) -> int:
        """n of the validation graphs."""
        return self.nodes if self.validation_nodes is None else self.validation_nodes

    @property
    def rule(self) -> Normalization:
        """The normalization of K at the size of training, which it carries to other sizes."""
        return Normalization(self.normalization, self.symmetric, self.degree, self.nodes)

    def to_dict(self) -> dict[str, Any]:
        """As JSON: what `from_dict` reads, a function of the user's for a loss by its name."""
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        loss: Any = self.loss
        if isinstance(loss, losses.NamedLoss):
            loss = loss.to_dict()
        elif not isinstance(loss, str):
            loss = getattr(loss, "__name__", repr(loss))
        return parts | {"interaction": self.interaction.to_dict(), "hidden": list(self.hidden), "loss": loss}

    @classmethod
    def from_dict(
        cls, data: dict[str, Any], loss: str | Mapping[str, Any] | losses.Loss | None = None
    ) -> Settings:
        """The inverse of `to_dict`; a loss that is a function of the user's must be given again."""
        parts = dict(data) | {
            "interaction": Interaction.from_dict(data["interaction"]),
            "hidden": tuple(data["hidden"]),
        }
        return cls(**parts | ({} if loss is None else {"loss": loss}))
