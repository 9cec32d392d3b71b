"""Bookkeeping of merging clusters on the circle."""

from __future__ import annotations

import numba as nb
import numpy as np


@nb.njit(cache=True)
def groups(positions, distance):
    """Label (n,) of ascending positions, cut at the largest gap: a group spans at most `distance`."""
    label = np.empty(positions.size, dtype=np.int64)
    current, first = -1, -np.inf
    for i in range(positions.size):
        if positions[i] - first > distance:
            current += 1
            first = positions[i]
        label[i] = current
    return label


@nb.njit(cache=True)
def join(order, nodes, positions, masses, next_node, merged, joined_positions, joined_masses):
    """Join neighbors i and i + 1 for each i in `order`, one row per merger; pieces are runs of neighbors.

    positions and masses (n,) belong to the current clusters, `nodes` are their names; rows are written in
    order.
    """
    n = nodes.size
    left_end, right_end = np.arange(n), np.arange(n)  # of the run that starts or ends here
    node, position, mass = nodes.copy(), positions.copy(), masses.copy()  # kept at a run's left end
    for row in range(order.size):
        i = order[row]
        a, b = left_end[i], i + 1
        end = right_end[b]
        merged[row, 0], merged[row, 1] = node[a], node[b]
        joined_positions[row, 0], joined_positions[row, 1] = position[a], position[b]
        joined_masses[row, 0], joined_masses[row, 1] = mass[a], mass[b]
        total = mass[a] + mass[b]
        position[a] += (position[b] - position[a]) * (mass[b] / total if total > 0.0 else 0.5)
        mass[a], node[a] = total, next_node + row
        right_end[a], left_end[end] = end, a
    return node, position, mass
