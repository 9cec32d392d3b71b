"""Files are written beside and renamed, so that a reader, or a killed run, only ever sees whole ones; and folders
belong to the run that writes there: it locks them, and its manifest lists its files.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from inphase.signals import have_come, held
from inphase.status import Status
from inphase.version import version

if TYPE_CHECKING:
    import xarray as xr

MANIFEST = "manifest.json"
LOCK = ".inphase.lock"
UNFINISHED = "unfinished"  # the status of a manifest whose run goes on, was killed or failed


def replace_file(path: Path, write: Callable[[Path], object]) -> Path:
    """Let `write` fill a file beside `path`, then rename it; on failure the old file stays and the new goes.

    Ctrl-C and SIGTERM wait meanwhile. Raises OSError with the path and the reason (no space, no permission,
    ...).
    """
    beside = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    with held():
        try:
            write(beside)
            os.replace(beside, path)
        except BaseException as error:
            beside.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise OSError(f"cannot write {path}: {error.strerror or error}") from error
            raise
    return path


def write_text(path: Path, text: str) -> Path:
    """Write UTF-8 text."""
    return replace_file(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write arrays by name as one NPZ file, without pickle."""

    def write(beside: Path) -> None:
        with beside.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    return replace_file(path, write)


def write_dataset(path: Path, data: xr.Dataset) -> Path:
    """Write NetCDF; made in memory first, since HDF5 does not survive a disk that fills while it writes.

    It does not survive an interruption either: Ctrl-C and SIGTERM wait for both.
    """
    with held():
        content = data.to_netcdf(engine="h5netcdf")
        return replace_file(path, lambda beside: beside.write_bytes(content))


def named(path: str | os.PathLike[str]) -> Path:
    """The path; ValueError for "", which `Path` takes for the current folder."""
    if not os.fspath(path):
        raise ValueError('the output folder needs a name; got "": write "." for the current folder')
    return Path(path)


def output_folder(path: str | os.PathLike[str]) -> Path:
    """The folder, made if need be and proved writable; OSError that names it otherwise, ValueError for ''."""
    folder = named(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".inphase-{os.getpid()}"
        with held():
            probe.touch()
            probe.unlink()
    except OSError as error:
        raise OSError(f"the output folder {folder} cannot be written to: {error.strerror or error}") from None
    return folder


# ------------------------------------------------------------------------------------- folders and whose they are


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock within the block; the system frees it however this process ends.

    Raises BlockingIOError, with the process that has the lock, if another holds it. Where the file system
    knows no locks there is none.
    """
    path = folder / LOCK
    lock: BinaryIO | None = None
    try:
        with held():
            lock = _locked(path)
            with suppress(OSError):  # the number is for messages alone: a full disk has locks, too
                lock.truncate(0)
                lock.write(str(os.getpid()).encode())
        yield
    finally:
        with held():
            if lock is not None:
                with suppress(OSError):
                    path.unlink()
                lock.close()


def _locked(path: Path) -> BinaryIO:
    """The lock's file, opened and locked; closed, and so unlocked, with the last reference to it."""
    while True:
        lock = open(path, "r+b", buffering=0, opener=_created)  # noqa: SIM115
        try:
            _lock(lock.fileno())
            if os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                return lock
        except FileNotFoundError:
            pass
        except (BlockingIOError, PermissionError):
            holder = ""
            with suppress(OSError):  # Windows does not let it be read
                holder = lock.read(20).decode()
            lock.close()
            raise BlockingIOError(
                f"{path.parent} is being written to by another process{holder and f' ({holder})'}: "
                "wait for its end, or name another folder"
            ) from None
        except OSError:
            return lock
        lock.close()  # who had it before has just removed it


def _created(path: str, how: int) -> int:
    return os.open(path, how | os.O_CREAT, 0o666)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def manifest(folder: str | os.PathLike[str]) -> dict[str, Any] | None:
    """What a folder's manifest says, with at least "verb", "status" and "files"; None where there is none of ours."""
    try:
        found = json.loads((Path(folder) / MANIFEST).read_text(encoding="utf-8"))
        files = found["files"]
        texts = (found["verb"], found["status"], *files, *(digest or "" for digest in files.values()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return found if all(isinstance(text, str) for text in texts) else None


class OutputFolder:
    """A folder that one run of a verb owns: locked within the block, its files listed in its manifest.

    An earlier run of the same verb is replaced: what its manifest lists is removed before the first file of
    the new run is written, and nothing else but halves of files that killed runs left. What would be lost
    otherwise is refused.

    Parameters
    ----------
    path : path
        Made if need be.
    verb : str
        Whose folder it is.
    names : sequence of str
        The files that the verb writes, relative to the folder; patterns like "*.png" are allowed.
    overwrite : bool
        Remove what another verb listed, and replace files of these names whoever wrote them. Other files
        stay.
    shared : bool
        Whether runs of the verb with other `names` have their files in the folder, too, which stay.

    Attributes
    ----------
    path : Path
    status : Status or str
        How the run ended, for the manifest; set it before the block ends.
    about : dict
        JSON-ready: what the files are of.

    Raises
    ------
    FileExistsError
        On entry and without `overwrite`: if the folder has files and no manifest, the manifest of another
        verb, or files of these names that are not as the manifest says.
    BlockingIOError
        If another process writes there.
    OSError
        If it cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as path:
    ...     with OutputFolder(path, "study", ["study.json"]) as folder:
    ...         _ = write_text(folder.file("study.json"), "{}")
    ...         folder.status = Status.FINISHED
    ...     told = manifest(path)
    >>> told["verb"], told["status"], list(told["files"])
    ('study', 'finished', ['study.json'])
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        verb: str,
        names: Sequence[str],
        *,
        overwrite: bool = False,
        shared: bool = False,
    ) -> None:
        self.path, self.verb, self.names = named(path), verb, names
        self.overwrite, self.shared = overwrite, shared
        self.status: str = UNFINISHED
        self.about: dict[str, Any] = {}
        self._before: dict[str, Any] | None = None
        self._begun = False

    def __enter__(self) -> OutputFolder:
        output_folder(self.path)
        with ExitStack() as entered:
            entered.enter_context(locked(self.path))
            self._before = manifest(self.path)
            if not self.overwrite:
                self._check()
            self._lock = entered.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        with held(), self._lock:
            interrupted = isinstance(error, KeyboardInterrupt) or (error is not None and have_come())
            if kind is not None:
                self.status = Status.INTERRUPTED if interrupted else UNFINISHED
            if self._begun or (interrupted and self._before is None):
                with nullcontext() if kind is None else suppress(OSError):  # the error is what matters
                    self._save({name: self._digest(name) for name in self._own()} if self._begun else {})

    def file(self, name: str) -> Path:
        """Where to write a file of this run; what the run before left goes."""
        self.begin()
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def begin(self) -> None:
        """Take the folder over, if that is not yet done: from here on, files of its names are this run's.

        The old files go first and the old manifest last, so that no manifest is ever beside files of another run.
        """
        if self._begun:
            return
        with held():
            for name in self._old():
                (self.path / name).unlink(missing_ok=True)
            for half in self._halves():
                half.unlink(missing_ok=True)
            self._save(dict.fromkeys(self.names), UNFINISHED)
            self._begun = True

    def _check(self) -> None:
        """FileExistsError unless everything that would go is an earlier run's of this verb."""
        before, how = self._before, "name another folder, or add --overwrite (overwrite=True)"
        if before is None:
            strangers = sorted(
                one.name for one in self.path.iterdir() if one.is_file() and not one.name.startswith(".")
            )
            if strangers:
                raise FileExistsError(
                    f"{self.path} holds {strangers[0]} and no {MANIFEST} of inphase: {how}, which replaces files of the "
                    "same names alone"
                )
        elif before["verb"] != self.verb:
            raise FileExistsError(
                f"{self.path} holds what inphase {before['verb']} wrote: {how}, which removes that"
            )
        else:
            for name in self._old():
                if not self._as_listed(name):
                    raise FileExistsError(
                        f"{self.path / name} is not as inphase {self.verb} left it: move it, {how}"
                    )

    def _as_listed(self, name: str) -> bool:
        listed: dict[str, str | None] = {} if self._before is None else self._before["files"]
        if listed.get(name) is not None:
            return listed[name] == self._digest(name)
        return any(digest is None and fnmatchcase(name, pattern) for pattern, digest in listed.items())

    def _digest(self, name: str) -> str:
        with (self.path / name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _own(self) -> list[str]:
        """The files there that have names of this run's."""
        found = {one for pattern in self.names for one in self.path.glob(pattern) if one.is_file()}
        return sorted(name for one in found if self._inside(name := one.relative_to(self.path).as_posix()))

    def _old(self) -> list[str]:
        """What a new run removes: files of its names and, unless others share the folder, all that are listed."""
        listed = [] if self._before is None or self._others_stay else self._before["files"]
        there = [name for name in listed if self._inside(name) and (self.path / name).is_file()]
        return sorted({*self._own(), *there} - {MANIFEST})

    def _halves(self) -> list[Path]:
        """What killed runs left of files that they were writing, by the names that `replace_file` gives them."""
        beside = [
            one
            for pattern in map(Path, (*self.names, MANIFEST))
            for one in self.path.glob(str(pattern.parent / f".{pattern.stem}-*{pattern.suffix}"))
        ]
        return [one for one in beside if one.stem.rpartition("-")[2].isdigit() and one.is_file()]

    @property
    def _others_stay(self) -> bool:
        return self.shared and self._before is not None and self._before["verb"] == self.verb

    def _inside(self, name: str) -> bool:
        """Whether a name leads to a file in the folder, not out of it, by .. or by a link."""
        return (self.path / name).parent.resolve().is_relative_to(self.path.resolve())

    def _save(self, files: Mapping[str, str | None], status: str | None = None) -> None:
        stay = self._before["files"] if self._before is not None and self._others_stay else {}
        others = {
            name: digest
            for name, digest in stay.items()
            if not any(fnmatchcase(name, pattern) for pattern in self.names)
        }
        told = {"verb": self.verb, "status": status or self.status, "about": self.about, "inphase": version()}
        write_text(self.path / MANIFEST, json.dumps(told | {"files": others | dict(files)}, indent=1) + "\n")
