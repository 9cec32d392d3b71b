"""K, how strongly i listens to j: one file per kind, the contract in `base.py`."""

from inphase.coupling.adaptive import Adaptive
from inphase.coupling.base import Coupling
from inphase.coupling.causal import Causal
from inphase.coupling.dense import Dense
from inphase.coupling.factorized import LowRank
from inphase.coupling.hypergraph import AllTriads, Hypergraph
from inphase.coupling.lagged import Lagged
from inphase.coupling.learnt.coupling import Learnt
from inphase.coupling.mean_field import AllToAll, RankOne
from inphase.coupling.ring import Lattice, Ring
from inphase.coupling.sparse import Sparse

__all__ = [
    "Adaptive",
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
