"""From initial phases to trajectories (`simulate`) and merger trees (`coarsen`)."""

from inphase.simulation.coarsening import coarsen
from inphase.simulation.events import clusters_at_most, faster_than, synchronized
from inphase.simulation.resuming import join
from inphase.simulation.trajectory import simulate, simulated

__all__ = ["clusters_at_most", "coarsen", "faster_than", "join", "simulate", "simulated", "synchronized"]
