"""Couplings that learn: K as a network on node features, trained through the dynamics (`inphase[learn]`).

`problem` names a task, `train` finds the network, `evaluate` tells what it does on fresh nodes and at other
sizes; `inphase.coupling.Learnt` is the trained network as a coupling, which needs no JAX.
"""

from __future__ import annotations

try:
    import jax as _jax  # noqa: F401
    import optax as _optax  # noqa: F401
except ImportError as error:
    raise ImportError("learning needs JAX: pip install 'inphase[learn]'") from error

from inphase.coupling.learnt.coupling import Learnt, load_network, save_network
from inphase.coupling.learnt.low_rank import factorize
from inphase.coupling.learnt.network import PairNetwork
from inphase.coupling.learnt.normalization import Normalization
from inphase.learn.analyses import (
    autocorrelation_in_training,
    block_control,
    block_coupling,
    fan_in_map,
    fan_in_peaks,
    graph_autocorrelation,
    phase_landscape,
    sorted_by_class,
    stages,
    variance_against_autocorrelation,
)
from inphase.learn.distillation import Distilled, distill
from inphase.learn.evaluation import coupling_for, evaluate, untrained
from inphase.learn.images import LabeledImage, load_image
from inphase.learn.losses import (
    Chimera,
    TargetFrequency,
    TargetOrder,
    circular_variance,
    cluster_loss,
    effective_neighbors,
)
from inphase.learn.problems import PROBLEMS, Nodes, Problem, from_arrays, from_image, problem
from inphase.learn.segments import circular_kmeans, symmetric_best_dice
from inphase.learn.settings import Settings
from inphase.learn.training import Start, Trained, train

__all__ = [
    "PROBLEMS",
    "Chimera",
    "Distilled",
    "LabeledImage",
    "Learnt",
    "Nodes",
    "Normalization",
    "PairNetwork",
    "Problem",
    "Settings",
    "Start",
    "TargetFrequency",
    "TargetOrder",
    "Trained",
    "autocorrelation_in_training",
    "block_control",
    "block_coupling",
    "circular_kmeans",
    "circular_variance",
    "cluster_loss",
    "coupling_for",
    "distill",
    "effective_neighbors",
    "evaluate",
    "factorize",
    "fan_in_map",
    "fan_in_peaks",
    "from_arrays",
    "from_image",
    "graph_autocorrelation",
    "load_image",
    "load_network",
    "phase_landscape",
    "problem",
    "save_network",
    "sorted_by_class",
    "stages",
    "symmetric_best_dice",
    "train",
    "untrained",
    "variance_against_autocorrelation",
]
