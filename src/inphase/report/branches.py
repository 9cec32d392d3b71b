"""The merger tree as curves: clusters heavy enough to draw, and their places on an unrolled circle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
ALL_UP_TO = 150  # oscillators: with no more than these, every cluster is drawn
SHARE = 0.01  # of the mass; otherwise lighter clusters are not drawn


@dataclass(frozen=True)
class Branch:
    """One drawn cluster, from its birth until it merges with another that is drawn (or the run ends).

    `time`, `position`: its corners, shape (c,), c >= 2; `mass`: as a share of the whole, at its end.
    Positions are unrolled: continuous along the tree, so that a merger is a meeting of lines. Corners are
    mergers and, where few clusters are left, moments at which the run kept where they were; an oscillator
    that met no other is drawn where it ended.
    """

    time: Array
    position: Array
    mass: float
    ends: str  # "merged" or "left"


def _wrap(angle: float) -> float:
    return (angle + np.pi) % (2 * np.pi) - np.pi


def drawn_share(tree: xr.Dataset) -> float:
    """The share of the mass from which a cluster is drawn; 0 where all are."""
    return 0.0 if tree.sizes["oscillator"] <= ALL_UP_TO else SHARE


def branches(tree: xr.Dataset, initial: ArrayLike | None = None) -> list[Branch]:
    """The clusters to draw.

    Parameters
    ----------
    tree : xarray.Dataset
        From `inphase.coarsen`.
    initial : array_like, shape (n,), optional
        The phases at time 0, where the tree begins; without them an oscillator stays where its first merger
        is.

    Returns
    -------
    list of Branch
        Those with at least `drawn_share(tree)` of the mass. Mergers with lighter clusters do not end a
        branch.
    """
    return _Layout(tree, initial).branches()


class _Layout:
    """Nodes of the tree: 0..n−1 the oscillators, n + e the cluster that event e made."""

    def __init__(self, tree: xr.Dataset, initial: ArrayLike | None) -> None:
        self.n, self.events = tree.sizes["oscillator"], tree.sizes["event"]
        total = float(tree.final_mass.sum())
        self.total = total if total > 0 else 1.0
        self.least = drawn_share(tree) * self.total
        self.merged = tree.merged.values
        self.time, self.mass = tree.time.values, tree.mass.values
        self.joined_mass = tree.joined_mass.values
        self.position, self.joined_position = tree.position.values, tree.joined_position.values
        self.initial = None if initial is None else np.asarray(initial, dtype=float)
        self.end = float(tree.attrs["time_reached"])
        order = np.argsort(tree.path_cluster.values, kind="stable")
        self.path_cluster = tree.path_cluster.values[order]
        self.path = np.stack([tree.path_time.values[order], tree.path_position.values[order]], axis=1)
        self.roots = self._roots(tree)

    def _roots(self, tree: xr.Dataset) -> list[tuple[int, float, float]]:
        """(node, position, mass) of the clusters at the end, by ascending position behind the largest gap."""
        absorbed = np.zeros(self.n + self.events, dtype=bool)
        absorbed[self.merged.ravel()] = True
        cluster_of = tree.final_cluster.values
        position, mass = np.mod(tree.final_position.values, 2 * np.pi), tree.final_mass.values
        order = np.argsort(position)
        first = int(
            np.argmax(
                np.append(np.diff(position[order]), position[order[0]] + 2 * np.pi - position[order[-1]])
            )
        )
        start = position[order[(first + 1) % len(order)]]
        roots = []
        for node in np.flatnonzero(~absorbed):
            leaf = int(node)
            while leaf >= self.n:
                leaf = int(self.merged[leaf - self.n, 0])
            c = cluster_of[leaf]
            roots.append((int(node), float(start + (position[c] - start) % (2 * np.pi)), float(mass[c])))
        return sorted((r for r in roots if r[2] >= self.least), key=lambda r: r[1])

    def _begin(self, node: int, at_end: float) -> tuple[float, float]:
        """Birth of a node, (time, position); its position at the end fixes the turn."""
        if node >= self.n:
            time, angle = float(self.time[node - self.n]), float(self.position[node - self.n])
        else:
            time, angle = 0.0, at_end if self.initial is None else float(self.initial[node])
        return time, at_end + _wrap(angle - at_end)

    def _samples(self, node: int) -> list[tuple[float, float]]:
        """(time, position) where the node's way was kept, the last first."""
        low, high = np.searchsorted(self.path_cluster, [node, node + 1])
        return [(float(t), float(x)) for t, x in self.path[low:high][::-1]]

    def branches(self) -> list[Branch]:
        found: list[Branch] = []
        stack = [(node, self.end, position, mass, "left") for node, position, mass in self.roots]
        while stack:
            node, time, position, mass, ends = stack.pop()
            corners = [(time, position)]
            while True:  # back along one branch, past mergers with clusters that are not drawn
                for moment, angle in self._samples(node):
                    if moment < corners[-1][0]:
                        position += _wrap(angle - position)
                        corners.append((moment, position))
                begun, where = self._begin(node, position)
                if node < self.n and ends == "left" and len(corners) == 1:
                    where = position  # met nobody: when it moved is not known
                corners.append((begun, where))
                if node < self.n:
                    break
                e = node - self.n
                drawn = [s for s in (0, 1) if self.joined_mass[e, s] >= self.least]
                before = [where + _wrap(float(self.joined_position[e, s]) - where) for s in (0, 1)]
                if len(drawn) == 2:
                    stack.extend(
                        (int(self.merged[e, s]), begun, before[s], float(self.joined_mass[e, s]), "merged")
                        for s in drawn
                    )
                if len(drawn) != 1:
                    break
                node, position = int(self.merged[e, drawn[0]]), before[drawn[0]]
                corners.append((begun, position))
            t, x = np.array(corners[::-1]).T
            found.append(Branch(np.ascontiguousarray(t), np.ascontiguousarray(x), mass / self.total, ends))
        return found


def curve(branch: Branch, start: float, points: int = 300) -> tuple[Array, Array]:
    """The branch as a line on a logarithmic time axis that begins at `start` > 0: (time, position).

    A cluster that moves straight in time is a curve there, so `points` are spread over it, beside its corners
    (of which no more are kept than the eye can tell apart).
    """
    begin, end = max(float(branch.time[0]), start), max(float(branch.time[-1]), start)
    corners = branch.time[branch.time > begin]
    if len(corners) > points:
        corners = corners[np.linspace(0, len(corners) - 1, points).astype(int)]
    spread = np.geomspace(begin, end, points) if end > 1.01 * begin else np.array([begin])
    time = np.unique(np.concatenate([spread[spread < end], corners, [begin, end]]))
    return time, np.interp(time, branch.time, branch.position)
