"""K, how strongly i listens to j: one file per kind, the contract in `base.py`."""

from inphase.coupling.base import Coupling
from inphase.coupling.mean_field import AllToAll, RankOne

__all__ = ["AllToAll", "Coupling", "RankOne"]
