"""python-flint's context, precision and length of power series, belongs to the whole process: it is owned here.

Whoever computes with balls holds the lock of this file, so that no other thread shortens its series or changes
its precision meanwhile; on every way out the context is as it was.
"""

from __future__ import annotations

import threading

LOCK = threading.RLock()


class BallContext:
    """Work with `bits` bits and power series of `terms` terms inside the block, alone; as they are where not given."""

    __slots__ = ("before", "bits", "terms")

    def __init__(self, bits: int | None = None, terms: int | None = None) -> None:
        self.bits, self.terms = bits, terms

    def __enter__(self) -> None:
        from flint import ctx

        LOCK.acquire()
        self.before = ctx.prec, ctx.cap
        if self.bits is not None:
            ctx.prec = self.bits
        if self.terms is not None:
            ctx.cap = self.terms

    def __exit__(self, *_: object) -> None:
        from flint import ctx

        ctx.prec, ctx.cap = self.before
        LOCK.release()
