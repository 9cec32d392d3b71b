"""K, how strongly i listens to j: one file per kind, the contract in `base.py`."""

from inphase.coupling.base import Coupling
from inphase.coupling.causal import Causal
from inphase.coupling.factorized import LowRank
from inphase.coupling.graph import Dense, Sparse
from inphase.coupling.hypergraph import AllTriads, Hypergraph
from inphase.coupling.lagged import Lagged
from inphase.coupling.learnt import Learnt
from inphase.coupling.mean_field import AllToAll, RankOne
from inphase.coupling.ring import Lattice, Ring

__all__ = [
    "AllToAll",
    "AllTriads",
    "Causal",
    "Coupling",
    "Dense",
    "Hypergraph",
    "Lagged",
    "Lattice",
    "Learnt",
    "LowRank",
    "RankOne",
    "Ring",
    "Sparse",
]
