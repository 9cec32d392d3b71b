"""BLAS on one thread, for loops of small dense linear algebra:
threads that wait for each other cost more than they save.
"""

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
