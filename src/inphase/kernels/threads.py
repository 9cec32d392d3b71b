"""One kernel, compiled twice: with threads for much work, and without for little, where waking them costs."""

from __future__ import annotations

from types import FunctionType

import numba as nb

THREADS_FROM = 250_000  # inner iterations (about a tenth of a millisecond) below which one thread is as fast


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
