"""What is known in closed form, in floats: the uniform state, two clusters, and the classical Kuramoto model."""

from inphase.theory.kuramoto import critical_coupling, locking_coupling, order_parameter, ott_antonsen
from inphase.theory.mean_field import attention_ratio_limit, fastest_mode, growth_rates, two_cluster_merging_time

__all__ = [
    "attention_ratio_limit",
    "critical_coupling",
    "fastest_mode",
    "growth_rates",
    "locking_coupling",
    "order_parameter",
    "ott_antonsen",
    "two_cluster_merging_time",
]
