"""Balls in many threads: every enclosure holds the truth, and python-flint's context is as it was."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from flint import arb, ctx

import inphase as ip
from inphase.ball_context import BallContext
from inphase.certify.crossings import crossing

F = ip.attention(2.0)
POINTS = np.linspace(0.1, 3.0, 20)
CALLS = 10_000


@pytest.fixture
def hasty():
    """Threads that change places after each few operations."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def in_threads(task, count):
    """What a task gives for each of many numbers, in eight threads that begin together."""
    start = threading.Barrier(8)

    def run(numbers):
        start.wait()
        return [task(number) for number in numbers]

    with ThreadPoolExecutor(8) as pool:
        return [found for part in pool.map(run, np.array_split(np.arange(count), 8)) for found in part]


def test_jets_of_different_lengths(hasty):
    with BallContext(bits=200):
        exact = [[c.mid() for c in F.jet(arb(float(x)), 8)] for x in POINTS]
    before = ctx.prec, ctx.cap

    def holds(number):
        k, order = int(number) % len(POINTS), (2, 8, 5)[int(number) % 3]
        found = F.jet(arb(float(POINTS[k])), order)
        close = all(float(ball.rad()) <= 1e-6 * (1 + abs(float(ball.mid()))) for ball in found)
        return close and len(found) == order + 1 and all(b.overlaps(e) for b, e in zip(found, exact[k]))

    assert all(in_threads(holds, CALLS))
    assert (ctx.prec, ctx.cap) == before


def test_certificates_and_crossings(hasty):
    before = ctx.prec, ctx.cap

    def verdict(number):
        if number % 2:
            return crossing(ip.attention(-0.2), "beta", (-0.3, -0.1), "l1", digits=15)
        return ip.certify.synchronization("attention", beta=("0.5", "1"), refutation=False).verdict

    found = in_threads(verdict, 16)
    assert set(found[::2]) == {"proved"} and len(set(found[1::2])) == 1
    assert (ctx.prec, ctx.cap) == before


def test_the_context_is_restored_where_a_computation_fails():
    before = ctx.prec, ctx.cap
    with pytest.raises(ZeroDivisionError), BallContext(bits=300, terms=3):
        raise ZeroDivisionError
    assert (ctx.prec, ctx.cap) == before
