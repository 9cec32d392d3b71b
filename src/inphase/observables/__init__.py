"""What one reads off phases: order parameters, clusters, arcs, distances of measures, winding, frequencies.

Every function takes phases in radians, float64, shape (..., n), wrapped or not, and works over the last axis;
a bare (n,) input gives a NumPy scalar. Weights (n,) are nonnegative masses of the oscillators, normalized
inside. Wherever only the point on the circle matters, rounding is about 1e-15 rad for phases of order one.
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
from inphase.observables.transport import periodicity, wasserstein

__all__ = [
    "Clusters",
    "arc",
    "circular_variance",
    "clusters",
    "count_clusters",
    "density_periodicity",
    "effective_frequencies",
    "gaps",
    "order_parameter",
    "periodicity",
    "synchronized",
    "wasserstein",
    "winding_number",
]
