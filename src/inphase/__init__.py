"""inphase: do coupled phase oscillators synchronize? Proof, spectrum and experiment from one description.

Names load when they are first used, so that `import inphase` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inphase import (
        certify,
        density,
        distributions,
        equilibria,
        graphs,
        initial,
        learn,
        observables,
        power,
        testing,
        theory,
    )
    from inphase.coupling import (
        Adaptive,
        AllToAll,
        AllTriads,
        Causal,
        Coupling,
        Dense,
        Hypergraph,
        Lagged,
        Lattice,
        Learnt,
        LowRank,
        RankOne,
        Ring,
        Sparse,
    )
    from inphase.drive import Drive, Samples
    from inphase.equilibria import critical_coupling
    from inphase.families import family
    from inphase.interaction import Interaction, attention, harmonics, kuramoto, sakaguchi
    from inphase.model import PhaseModel
    from inphase.observables import order_parameter
    from inphase.saving import load, save
    from inphase.simulation import coarsen, join, simulate
    from inphase.studies import study

_HOMES = {
    "Adaptive": "coupling",
    "AllToAll": "coupling",
    "AllTriads": "coupling",
    "Causal": "coupling",
    "Coupling": "coupling",
    "Dense": "coupling",
    "Drive": "drive",
    "Hypergraph": "coupling",
    "Interaction": "interaction",
    "Lattice": "coupling",
    "Lagged": "coupling",
    "Learnt": "coupling",
    "LowRank": "coupling",
    "PhaseModel": "model",
    "RankOne": "coupling",
    "Ring": "coupling",
    "Samples": "drive",
    "Sparse": "coupling",
    "attention": "interaction",
    "coarsen": "simulation",
    "critical_coupling": "equilibria",
    "family": "families",
    "harmonics": "interaction",
    "join": "simulation",
    "kuramoto": "interaction",
    "load": "saving",
    "order_parameter": "observables",
    "sakaguchi": "interaction",
    "save": "saving",
    "simulate": "simulation",
    "study": "studies",
}
_ROOMS = (
    "certify",
    "density",
    "distributions",
    "equilibria",
    "graphs",
    "initial",
    "learn",
    "observables",
    "power",
    "testing",
    "theory",
)

__all__ = [
    "Adaptive",
    "AllToAll",
    "AllTriads",
    "Causal",
    "Coupling",
    "Dense",
    "Drive",
    "Hypergraph",
    "Interaction",
    "Lagged",
    "Lattice",
    "Learnt",
    "LowRank",
    "PhaseModel",
    "RankOne",
    "Ring",
    "Samples",
    "Sparse",
    "attention",
    "certify",
    "coarsen",
    "critical_coupling",
    "density",
    "distributions",
    "equilibria",
    "family",
    "graphs",
    "harmonics",
    "initial",
    "join",
    "kuramoto",
    "learn",
    "load",
    "observables",
    "order_parameter",
    "power",
    "sakaguchi",
    "save",
    "simulate",
    "study",
    "testing",
    "theory",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"inphase.{_HOMES[name]}"), name)
    if name in _ROOMS:
        return import_module(f"inphase.{name}")
    if name == "__version__":
        return import_module("inphase.provenance").version()
    raise AttributeError(f"module 'inphase' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
