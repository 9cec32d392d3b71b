"""Couplings that a network computes from features of the nodes, as training leaves them; none of it needs JAX."""

from inphase.coupling.learnt.coupling import Learnt, load_network, save_network
from inphase.coupling.learnt.low_rank import LearntLowRank, factorize
from inphase.coupling.learnt.network import PairNetwork
from inphase.coupling.learnt.normalization import Normalization

__all__ = [
    "Learnt",
    "LearntLowRank",
    "Normalization",
    "PairNetwork",
    "factorize",
    "load_network",
    "save_network",
]
