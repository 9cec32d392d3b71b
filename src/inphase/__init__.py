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
    from inphase.interaction import Interaction, attention, harmonics, kuramoto, sakaguchi
    from inphase.model import PhaseModel
    from inphase.observables import order_parameter
    from inphase.simulation import coarsen, simulate
    from inphase.studies import study

_HOMES = {
    "AllToAll": "coupling",
    "AllTriads": "coupling",
    "Causal": "coupling",
    "Coupling": "coupling",
    "Dense": "coupling",
    "Hypergraph": "coupling",
    "Interaction": "interaction",
    "Lattice": "coupling",
    "Lagged": "coupling",
    "Learnt": "coupling",
    "LowRank": "coupling",
    "PhaseModel": "model",
    "RankOne": "coupling",
    "Ring": "coupling",
    "Sparse": "coupling",
    "attention": "interaction",
    "coarsen": "simulation",
    "harmonics": "interaction",
    "kuramoto": "interaction",
    "order_parameter": "observables",
    "sakaguchi": "interaction",
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
    "AllToAll",
    "AllTriads",
    "Causal",
    "Coupling",
    "Dense",
    "Hypergraph",
    "Interaction",
    "Lagged",
    "Lattice",
    "Learnt",
    "LowRank",
    "PhaseModel",
    "RankOne",
    "Ring",
    "Sparse",
    "attention",
    "certify",
    "coarsen",
    "density",
    "distributions",
    "equilibria",
    "graphs",
    "harmonics",
    "initial",
    "kuramoto",
    "learn",
    "observables",
    "order_parameter",
    "power",
    "sakaguchi",
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
