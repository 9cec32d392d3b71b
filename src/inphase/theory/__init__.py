"""What is known in closed form, in floats.

The uniform state, two clusters, the classical Kuramoto model, networks, and one delay.
"""

from inphase.theory.delays import DelayFrequencies, delay_frequencies
from inphase.theory.kuramoto import (
    critical_coupling,
    incoherence_threshold,
    incoherent_fluctuations,
    locking_coupling,
    order_parameter,
    order_parameter_finite,
    ott_antonsen,
)
from inphase.theory.mean_field import (
    attention_ratio_limit,
    fastest_mode,
    growth_rates,
    two_cluster_merging_time,
)
from inphase.theory.networks import CouplingBounds, critical_coupling_bounds, master_stability

__all__ = [
    "CouplingBounds",
    "DelayFrequencies",
    "attention_ratio_limit",
    "critical_coupling",
    "critical_coupling_bounds",
    "delay_frequencies",
    "fastest_mode",
    "growth_rates",
    "incoherence_threshold",
    "incoherent_fluctuations",
    "locking_coupling",
    "master_stability",
    "order_parameter",
    "order_parameter_finite",
    "ott_antonsen",
    "two_cluster_merging_time",
]
