"""How many threads: one kernel compiled with and without them, and BLAS on one for small matrices.

Waking threads, and waiting for them, costs more than it saves where there is little work.

Several Python threads may call kernels at once. TBB and OpenMP serve them all, but Numba's own layer, the one
that it has where neither is installed, ends the process when two of them want its threads. There one kernel at a
time has the threads, and those that come meanwhile run serially: nobody waits, no two locks can wait for each
other, and the numbers are the same bits.
"""

from __future__ import annotations

import contextlib
import threading
from types import FunctionType

import numba as nb
from threadpoolctl import threadpool_limits

THREADS_FROM = 250_000  # inner iterations (about a tenth of a millisecond) below which one thread is as fast
BLAS_THREADS_FROM = 1000  # rows of a matrix, below which one thread is as fast
ONE_AT_A_TIME = "workqueue"  # the layer whose threads serve one caller
_BUSY = threading.Lock()  # held by the kernel that has them; where a fork leaves it so, the child is serial
_LIMITED = threading.Lock()  # held by who has given BLAS one thread


def threaded(function, **options):
    """`choose(work) -> compiled function`; `function` uses nb.prange for its outermost loop."""
    options = {"cache": True, "error_model": "numpy"} | options
    twin = FunctionType(function.__code__, function.__globals__, f"{function.__name__}_threads")
    twin.__qualname__ = twin.__name__  # Numba's cache on disk goes by this name, not by the options
    twin.__module__ = function.__module__
    serial = nb.njit(**options)(function)
    parallel = nb.njit(parallel=True, **options)(twin)

    def alone(*arguments):
        if not _BUSY.acquire(blocking=False):
            return serial(*arguments)
        try:
            return parallel(*arguments)
        finally:
            _BUSY.release()

    def choose(work):
        if work < THREADS_FROM or nb.get_num_threads() == 1:
            return serial
        # known from here on: asking for the number of threads has launched them
        return alone if nb.threading_layer() == ONE_AT_A_TIME else parallel

    return choose


def few_threads(rows: int) -> contextlib.AbstractContextManager[object]:
    """A context in which BLAS has one thread if matrices have fewer than BLAS_THREADS_FROM rows."""
    return contextlib.nullcontext() if rows >= BLAS_THREADS_FROM else _one_thread()


@contextlib.contextmanager
def _one_thread():
    """The limit is the process's: who comes while it holds would take it for the usual number, and restore that."""
    if not _LIMITED.acquire(blocking=False):
        yield
        return
    try:
        with threadpool_limits(limits=1, user_api="blas"):
            yield
    finally:
        _LIMITED.release()
