"""How many threads: one kernel compiled with and without them, and BLAS on one for small matrices.

Waking threads, and waiting for them, costs more than it saves where there is little work.
"""

from __future__ import annotations

import contextlib
from types import FunctionType

import numba as nb
from threadpoolctl import threadpool_limits

THREADS_FROM = 250_000  # inner iterations (about a tenth of a millisecond) below which one thread is as fast
BLAS_THREADS_FROM = 1000  # rows of a matrix, below which one thread is as fast


def threaded(function, **options):
    """`choose(work) -> compiled function`; `function` uses nb.prange for its outermost loop."""
    options = {"cache": True, "error_model": "numpy"} | options
    twin = FunctionType(function.__code__, function.__globals__, f"{function.__name__}_threads")
    twin.__qualname__ = twin.__name__  # Numba's cache on disk goes by this name, not by the options
    twin.__module__ = function.__module__
    serial = nb.njit(**options)(function)
    parallel = nb.njit(parallel=True, **options)(twin)

    def choose(work):
        return parallel if work >= THREADS_FROM and nb.get_num_threads() > 1 else serial

    return choose


def few_threads(rows: int) -> contextlib.AbstractContextManager[object]:
    """A context in which BLAS has one thread if matrices have fewer than BLAS_THREADS_FROM rows."""
    if rows >= BLAS_THREADS_FROM:
        return contextlib.nullcontext()
    limits: contextlib.AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits
