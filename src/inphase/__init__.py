"""inphase: do coupled phase oscillators synchronize? Proof, spectrum and experiment from one description.

Names load when they are first used, so that `import inphase` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inphase import certify, density, initial, observables, theory
    from inphase.coupling import AllToAll, Coupling, RankOne
    from inphase.interaction import Interaction, attention, harmonics, kuramoto, sakaguchi
    from inphase.model import PhaseModel
    from inphase.observables import order_parameter
    from inphase.simulation import coarsen, simulate
    from inphase.studies import study

_HOMES = {
    "AllToAll": "coupling",
    "Coupling": "coupling",
    "Interaction": "interaction",
    "PhaseModel": "model",
    "RankOne": "coupling",
    "attention": "interaction",
    "coarsen": "simulation",
    "harmonics": "interaction",
    "kuramoto": "interaction",
    "order_parameter": "observables",
    "sakaguchi": "interaction",
    "simulate": "simulation",
    "study": "studies",
}
_ROOMS = ("certify", "density", "initial", "observables", "theory")

__all__ = [
    "AllToAll",
    "Coupling",
    "Interaction",
    "PhaseModel",
    "RankOne",
    "attention",
    "certify",
    "coarsen",
    "density",
    "harmonics",
    "initial",
    "kuramoto",
    "observables",
    "order_parameter",
    "sakaguchi",
    "simulate",
    "study",
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
