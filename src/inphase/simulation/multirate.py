"""Oscillators of very different speeds in a mean field: each takes steps of its own (`kernels/multirate.py`)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inphase.kernels import multirate as kernels
from inphase.kernels.multirate import P, System
from inphase.kernels.terms import Factors, Field
from inphase.model import PhaseModel

Array = NDArray[np.float64]

TURN = 2.0  # radians by which an oscillator turns at most in an interval of its own
ROUNDS = 40  # visits to all levels, after which a step is tried shorter
INNER = 30  # sweeps over level 0 in one of them


class Fields(NamedTuple):
    system: System
    frame: float
    order: NDArray[np.int64]


def fields_of(model: PhaseModel, n: int) -> Fields | None:
    terms = model.coupling.spelled(n)
    if terms is None:
        return None
    left, right = [], []
    for term in terms:
        if isinstance(term, Field) and term.pairwise:
            left.append(np.asarray(term.weights, dtype=float)[:, None])
            right.append(np.asarray(term.columns, dtype=float)[:, None])
        elif isinstance(term, Factors):
            left.append(term.left)
            right.append(term.right)
        else:
            return None
    damping = np.broadcast_to(model.damping, n)
    L, R = np.hstack(left) / damping[:, None], np.hstack(right)
    modes = model.interaction.modes
    omega = np.broadcast_to(model.frequencies, n) / damping - modes[0].real * (L @ R.sum(axis=0))
    frame = float(np.median(omega))
    order = np.argsort(np.abs(omega - frame), kind="stable")
    turned = (np.ascontiguousarray(array[order].T) for array in (L, R))
    a = -modes[1:]
    system = System(omega[order] - frame, *turned, np.ascontiguousarray(a.real), np.ascontiguousarray(a.imag))
    return Fields(system, frame, order)


class Levels:
    """The memory of a step of length H at most, and what is known between steps."""

    def __init__(self, system: System, H: float) -> None:
        self.system, self.H = system, H
        speed = np.abs(system.omega)
        levels = np.maximum(0, np.ceil(np.log2(np.maximum(speed * H / TURN, 1e-9)))).astype(np.int64)
        self.top = int(levels[-1])
        self.layout = kernels.layout(np.searchsorted(levels, np.arange(self.top + 2)))
        r, m = len(system.left), len(system.real)
        parts, count = 2 * r * m, 2 ** (self.top + 1)
        self.own, self.fast, self.slow, self.fields, self.new = np.zeros((5, count, parts, P))
        self.medium = np.zeros((count, 4 * m * r * r, P))
        self.theta = np.empty(self.layout.bases[-1])
        self.partial = np.empty((self.layout.sums[-1], parts, P))
        jobs = len(self.layout.levels)
        self.errors = np.zeros(jobs)
        products = system.right[:, None] * system.left[None]
        upto = np.searchsorted(levels, np.arange(self.top + 1), side="right")
        self.equal = np.array([products[:, :, :k].sum(axis=2) for k in upto])
        self.slow_jobs = int(np.count_nonzero(self.layout.levels == 0))

    def step(self, start, end, H, tolerance, ahead):
        s = self.system
        strongest = float(np.max(np.sum(np.abs(s.left), axis=0)))
        state = (self.own, self.fast, self.slow, self.fields, self.new, self.medium, self.equal, self.theta, self.partial, self.errors)
        work = 8 * self.layout.bases[-1]
        return kernels.step(work)(start, end, tuple(self.layout), tuple(s), state, H, strongest, 0.1 * tolerance, ahead)
