"""What a network has learnt: who is coupled to whom, who is listened to, where a node of given features ends.

- `graph_autocorrelation`, `variance_against_autocorrelation`, `autocorrelation_in_training`: C_x, and how V
  follows it;
- `fan_in_map`, `fan_in_peaks`: Σ_j K_ij as a function of the features of i;
- `phase_landscape`: the phase of a probe that listens to a settled network, as a function of its features;
- `sorted_by_class`, `block_coupling`, `block_control`: K by classes, and the control that knows the classes.

Source of the questions: Ricci et al., *KuraNet* (arXiv 2105.02838, 2021).
"""

from __future__ import annotations

import warnings

from inphase.learn.analyses.autocorrelation import graph_autocorrelation, variance_against_autocorrelation
from inphase.learn.analyses.classes import (
    SortedCoupling,
    block_control,
    block_coupling,
    cluster_terms,
    sorted_by_class,
)
from inphase.learn.analyses.course import autocorrelation_in_training, each_start, stages
from inphase.learn.analyses.fan_in import fan_in_map, fan_in_peaks
from inphase.learn.analyses.landscape import Probes, phase_landscape, probe_coupling

__all__ = [
    "Probes",
    "SortedCoupling",
    "autocorrelation_in_training",
    "block_control",
    "block_coupling",
    "cluster_terms",
    "each_start",
    "fan_in_map",
    "fan_in_peaks",
    "graph_autocorrelation",
    "phase_landscape",
    "probe_coupling",
    "sorted_by_class",
    "stages",
    "variance_against_autocorrelation",
]


def __getattr__(name: str) -> object:
    if name == "Listeners":
        warnings.warn("Listeners is now called Probes", DeprecationWarning, stacklevel=2)
        return Probes
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
