"""What one reads off phases: order parameters, clusters, arcs, distances of measures, winding, frequencies.

Every function takes phases in radians, float64, shape (..., n), wrapped or not, and works over the last axis;
a bare (n,) input gives a NumPy scalar. Weights (n,) are nonnegative masses of the oscillators, normalized
inside. Wherever only the point on the circle matters, rounding is about 1e-15 rad for phases of order one.
Those of `runs.py` take a run of `simulate` instead.
"""

from inphase.observables.phases import (
    Clusters,
    arc,
    circular_variance,
    clusters,
    count_clusters,
    density_periodicity,
    effective_frequencies,
    gaps,
    order_parameter,
    synchronized,
    winding_number,
)
from inphase.observables.runs import (
    chimera_index,
    effective_frequency,
    functional_connectivity,
    group_order_parameter,
    instantaneous_frequency,
    local_order_parameter,
    metastability,
    phase_locking_value,
)
from inphase.observables.transport import periodicity, wasserstein

__all__ = [
    "Clusters",
    "arc",
    "chimera_index",
    "circular_variance",
    "clusters",
    "count_clusters",
    "density_periodicity",
    "effective_frequencies",
    "effective_frequency",
    "functional_connectivity",
    "gaps",
    "group_order_parameter",
    "instantaneous_frequency",
    "local_order_parameter",
    "metastability",
    "order_parameter",
    "periodicity",
    "phase_locking_value",
    "synchronized",
    "wasserstein",
    "winding_number",
]
