"""BLAS on one thread, for loops of small linear algebra, where threads wait longer than they work."""

from __future__ import annotations

import contextlib

from threadpoolctl import threadpool_limits

THREADS_FROM = 1000  # rows of a matrix, below which one thread is as fast, and far faster on a busy machine


def few_threads(rows: int) -> contextlib.AbstractContextManager[object]:
    """A context in which BLAS has one thread if matrices have fewer than THREADS_FROM rows."""
    if rows >= THREADS_FROM:
        return contextlib.nullcontext()
    limits: contextlib.AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits
