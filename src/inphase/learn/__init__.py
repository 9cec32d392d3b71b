"""Couplings that learn: K as a network on node features, trained through the dynamics (the extra `inphase[learn]`).

`problem` names a task, `train` finds the network, `evaluate` tells what it does on fresh nodes and at other sizes;
`inphase.coupling.Learnt` is the trained network as a coupling, which needs no JAX.
"""

from __future__ import annotations

try:
    import jax as _jax  # noqa: F401
    import optax as _optax  # noqa: F401
except ImportError as error:
    raise ImportError("learning needs JAX: pip install 'inphase[learn]'") from error

from inphase.coupling.learnt import Learnt, load_network, save_network
from inphase.coupling.normalization import Normalization
from inphase.coupling.pair_network import PairNetwork
from inphase.learn.evaluation import evaluate, untrained
from inphase.learn.images import LabeledImage, load_image
from inphase.learn.losses import circular_variance, cluster_loss
from inphase.learn.low_rank import coupling_for, factorize
from inphase.learn.problems import PROBLEMS, Nodes, Problem, from_arrays, from_image, problem
from inphase.learn.segments import circular_kmeans, symmetric_best_dice
from inphase.learn.settings import Settings
from inphase.learn.training import Start, Trained, train

__all__ = [
    "PROBLEMS",
    "LabeledImage",
    "Learnt",
    "Nodes",
    "Normalization",
    "PairNetwork",
    "Problem",
    "Settings",
    "Start",
    "Trained",
    "circular_kmeans",
    "circular_variance",
    "cluster_loss",
    "coupling_for",
    "evaluate",
    "factorize",
    "from_arrays",
    "from_image",
    "load_image",
    "load_network",
    "problem",
    "save_network",
    "symmetric_best_dice",
    "train",
    "untrained",
]
