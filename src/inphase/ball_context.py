"""python-flint's context, precision and length of power series, belongs to the whole process: it is owned here.

Whoever computes with balls holds the lock of this file, so that no other thread shortens its series or changes
its precision meanwhile; on every way out the context is as it was.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LOCK = threading.RLock()


@contextmanager
def ball_context(bits: int | None = None, terms: int | None = None) -> Iterator[None]:
    """Work with `bits` bits and power series of `terms` terms inside the block, alone; as they are where not given."""
    from flint import ctx

    with LOCK:
        before = ctx.prec, ctx.cap
        try:
            ctx.prec = before[0] if bits is None else bits
            ctx.cap = before[1] if terms is None else terms
            yield
        finally:
            ctx.prec, ctx.cap = before
