"""Ctrl-C and SIGTERM: one exception for both, and blocks that neither breaks.

Inside the library an interruption is a KeyboardInterrupt, which public functions turn into a `Status`. It may
come between any two lines of the main thread.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
Handler = Callable[[int, Any], Any]
_HEEDED: list[list[signal.Signals]] = []  # what has come, in each `heeded` block that is open


class Terminated(KeyboardInterrupt):
    """SIGTERM: whatever answers Ctrl-C answers it, too."""


@contextmanager
def heeded() -> Iterator[list[signal.Signals]]:
    """Raise SIGTERM as `Terminated` within the block; yields the list of the signals that have come.

    A signal that something else handles, or that is ignored, as Ctrl-C in a background job, is left alone.
    Python drops exceptions within callbacks from C, such as those of the compiler: there the signal is sent
    once more, shortly after. Does nothing outside of the main thread, which alone is interrupted.
    """
    came: list[signal.Signals] = []
    again: list[threading.Timer] = []
    if not _in_main_thread():
        yield came
        return

    def raised(number: int, frame: Any) -> None:
        came.append(signal.Signals(number))
        raise (Terminated if number == signal.SIGTERM else KeyboardInterrupt)

    def dropped(what: Any) -> None:
        if came and issubclass(what.exc_type, KeyboardInterrupt):
            again.append(threading.Timer(0.05, _send, [came[-1]]))
            again[-1].start()
        else:
            hook(what)

    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    with _handled(raised, [number for number in SIGNALS if signal.getsignal(number) == usual[number]]):
        hook, sys.unraisablehook = sys.unraisablehook, dropped
        _HEEDED.append(came)
        try:
            yield came
        finally:
            _HEEDED.pop()
            sys.unraisablehook = hook
            for timer in again:
                timer.cancel()


def have_come() -> bool:
    """Whether a signal has come within a `heeded` block that is open: what fails then fails of it.

    Libraries in C make an error of their own of the interruption.
    """
    return any(_HEEDED)


def _send(number: signal.Signals) -> None:
    """Send the main thread a signal, which also ends its waiting where the system can do so."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, number)
    else:
        _thread.interrupt_main(number)


@contextmanager
def held() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the block has ended: for what must be done wholly or not at all."""
    came: list[int] = []
    if not _in_main_thread():
        yield
        return
    known = [number for number in SIGNALS if signal.getsignal(number) is not None]  # None: not set by Python
    try:
        with _handled(lambda number, frame: came.append(number), known):
            yield
    finally:
        if came:
            signal.raise_signal(came[0])


@contextmanager
def _handled(handler: Handler, numbers: list[signal.Signals]) -> Iterator[None]:
    """These signals go to `handler` within the block."""
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        for number in numbers:
            signal.signal(number, handler)
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


def follow() -> None:
    """In a process of a pool: leave signals to its parent, and end when that ends, however it does."""
    from multiprocessing import parent_process  # only pools need it

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    from multiprocessing.connection import wait

    wait([sentinel])
    os._exit(1)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """End the processes that were begun within the block, if it is interrupted: a pool would wait for their work."""
    from multiprocessing import active_children

    before = set(active_children())
    try:
        yield
    except KeyboardInterrupt:
        for process in set(active_children()) - before:
            process.terminate()
        raise


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
