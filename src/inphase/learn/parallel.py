"""Pieces of work in processes of their own: what several starts of a training run in.

A process takes one number after another. What it reports, returns or raises comes back through its pipe; a
message from here, or the end of the pipe (this process was killed), tells it to stop. Ctrl-C and SIGTERM, which
may be sent to all processes, reach this one alone.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

from inphase.signals import SIGNALS

# Of NumPy and Numba, which would contend with the other processes. XLA is left as it is: with one core, or
# with --xla_cpu_multi_thread_eigen=false, it rounds otherwise (measured), and the numbers are to be those of
# one process.
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
PATIENCE = 60.0  # seconds that a process has to end in, once told; it may be compiling

Tell = Callable[[Any], object]
Work = Callable[[Any, int, Tell, Callable[[], bool]], Any]


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(
    work: Work, common: Any, count: int, workers: int, tell: Callable[[int, Any], object]
) -> tuple[dict[int, Any], bool]:
    """({number: result}, whether all is done) of `work(common, number, tell, stopped)`, number < count.

    After Ctrl-C here, every process is told to stop, and what `work` then returns is among the results.

    Parameters
    ----------
    work : callable
        A function at the top of a module. It calls `tell(report)`, and returns early once `stopped()` is
        true.
    common : object
        What can be pickled.
    count, workers : int
    tell : callable
        (number, report), called here.

    Raises
    ------
    TypeError
        If `common` cannot be pickled.
    ChildProcessError
        If a process ends without an answer.
    Exception
        What `work` raised, after the others have stopped.
    """
    payload = _pickled((work, common))
    waiting = iter(range(count))
    found: dict[int, Any] = {}
    crew: list[_Process] = []
    try:
        for number in _some(waiting, workers):
            crew.append(_Process(payload, number))
        while busy := [one for one in crew if one.number is not None]:
            for one in _ready(busy):
                kind, content = one.receive()
                if kind == "raised":
                    raise content
                if kind == "report":
                    tell(one.number, content)
                else:
                    found[one.number] = content
                    one.take(next(waiting, None))
    except KeyboardInterrupt:
        _stop(crew, found)
        return found, False
    except BaseException:
        _stop(crew, {})
        raise
    _stop(crew, found)
    return found, True


def _some(numbers: Iterator[int], most: int) -> list[int]:
    return [number for _, number in zip(range(most), numbers)]


def _pickled(thing: Any) -> bytes:
    try:
        return pickle.dumps(thing)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            "workers > 1 needs what can be pickled: a loss must be one of inphase.learn.losses or a function at the top of a "
            f"module, not a lambda or a function within another ({error}); or take workers = 1"
        ) from None


def _ready(crew: list[_Process]) -> list[_Process]:
    by_pipe: dict[Any, _Process] = {one.pipe: one for one in crew}
    return [by_pipe[pipe] for pipe in wait(list(by_pipe))]


class _Process:
    """One process, the number it is at, and the pipe to it."""

    def __init__(self, payload: bytes, number: int) -> None:
        self.number: Any = number
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, payload, number), daemon=True)
        with _one_thread(), _deaf():
            self.process.start()
        theirs.close()

    def receive(self) -> tuple[str, Any]:
        """("report" | "returned" | "raised", what)."""
        try:
            kind, content = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(PATIENCE)
            code = self.process.exitcode
            raise ChildProcessError(
                f"the process of start {self.number} ended with the exit code {code} and without an answer: it was killed, or "
                'the script that calls train(..., workers=...) does so outside of `if __name__ == "__main__":`'
            ) from None
        return kind, content

    def take(self, number: int | None) -> None:
        """Begin with another number; None: end."""
        self.number = number
        with contextlib.suppress(OSError):
            self.pipe.send(number)

    def last(self) -> tuple[bool, Any]:
        """Whether it returned a result after it was told to stop, and that; reports are passed over."""
        with contextlib.suppress(EOFError, OSError):
            while self.pipe.poll(PATIENCE):
                kind, content = self.pipe.recv()
                if kind != "report":
                    return kind == "returned", content
        return False, None


def _stop(crew: list[_Process], found: dict[int, Any]) -> None:
    """Tell all to stop, wait for their results, and end the others; a second Ctrl-C does so at once."""
    busy = [(one, one.number) for one in crew if one.number is not None]
    try:
        for one, _ in busy:
            one.take(None)
        for one, number in busy:
            done, content = one.last()
            if done:
                found[number] = content
        for one in crew:
            one.process.join(PATIENCE)
    finally:
        for one in crew:
            if one.process.is_alive():
                one.process.kill()  # files are written beside and renamed: whole, or not at all
                one.process.join()
            one.pipe.close()


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """The environment that a process is born into."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Both signals ignored, which a process born meanwhile inherits: a terminal sends Ctrl-C to all processes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _serve(pipe: Connection, payload: bytes, number: int | None) -> None:
    """What a process does: one number after another, until there is none."""
    for ignored in SIGNALS:
        signal.signal(ignored, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):  # the process that began this one is no more
        try:
            work, common = pickle.loads(payload)
            while number is not None:
                result = work(common, number, lambda report: pipe.send(("report", report)), pipe.poll)
                pipe.send(("returned", result))
                number = pipe.recv()
        except Exception as error:
            pipe.send(("raised", _portable(error)))


def _portable(error: Exception) -> Exception:
    """The error, or its text where it cannot be pickled, with where it was raised."""
    try:
        same: Exception = pickle.loads(pickle.dumps(error))
    except Exception:  # pickling runs code of the error's own class
        same = RuntimeError(f"{type(error).__name__}: {error}")
    same.add_note("".join(traceback.format_exception(error)))
    return same
